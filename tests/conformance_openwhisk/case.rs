//! Case files as written: schema `ow-conformance/1`. Owns reading them; unknown fields are ignored and `null` means
//! absent. Must never judge what a case expects.

use std::path::Path;

use serde_json::Value;

/// One case.
pub struct Case {
    pub id: String,
    pub level: String,
    pub variant: String,
    pub title: String,
    pub config: Value,
    pub actions: Vec<Action>,
    pub steps: Vec<Step>,
    /// What is expected of the whole case.
    pub expect: Value,
}

/// An action that a case invokes.
pub struct Action {
    pub key: String,
    pub kind: String,
    pub memory_mb: u64,
    pub max_concurrent: u16,
    pub logs: bool,
    pub timeout_ms: u64,
    pub run_ms: Option<u64>,
    pub init_ms: Option<u64>,
}

/// One event and what is expected of it.
pub struct Step {
    pub t: u64,
    pub event: Value,
    pub out: Vec<Value>,
    /// `None`: not compared.
    pub state: Option<Value>,
}

/// The cases of a file; `None` if it is of another schema.
pub fn read(path: &Path) -> Result<Option<Vec<Case>>, String> {
    let text = std::fs::read_to_string(path).map_err(|e| format!("{}: {e}", path.display()))?;
    let file: Value = serde_json::from_str(&text).map_err(|e| format!("{}: {e}", path.display()))?;
    if file["schema"] != "ow-conformance/1" {
        return Ok(None);
    }
    let cases = file["cases"].as_array().ok_or_else(|| format!("{}: no `cases`", path.display()))?;
    cases
        .iter()
        .map(Case::of)
        .collect::<Result<_, _>>()
        .map(Some)
        .map_err(|e| format!("{}: {e}", path.display()))
}

impl Case {
    fn of(value: &Value) -> Result<Case, String> {
        let id = text(value, "id")?;
        let steps = value["steps"].as_array().ok_or_else(|| format!("{id}: no `steps`"))?;
        let steps = steps.iter().map(Step::of).collect::<Result<_, _>>().map_err(|e| format!("{id}: {e}"))?;
        Ok(Case {
            level: text(value, "level")?,
            variant: value["variant"].as_str().unwrap_or("upstream").to_owned(),
            title: value["title"].as_str().unwrap_or_default().to_owned(),
            config: value["config"].clone(),
            actions: actions(&value["actions"]),
            steps,
            expect: value["expect"].clone(),
            id,
        })
    }

    /// The action of this key.
    pub fn action(&self, key: &str) -> Result<&Action, String> {
        self.actions.iter().find(|action| action.key == key).ok_or_else(|| format!("no action `{key}`"))
    }
}

impl Step {
    fn of(value: &Value) -> Result<Step, String> {
        let t = value["t"].as_u64().ok_or_else(|| format!("a step without `t`: {value}"))?;
        let expect = &value["expect"];
        Ok(Step {
            t,
            event: value["event"].clone(),
            out: expect["out"].as_array().cloned().unwrap_or_default(),
            state: (!expect["state"].is_null()).then(|| expect["state"].clone()),
        })
    }

    /// The event's name.
    pub fn name(&self) -> &str {
        self.event["ev"].as_str().unwrap_or("")
    }
}

/// Actions from a map of their keys.
pub fn actions(map: &Value) -> Vec<Action> {
    let members = map.as_object().into_iter().flatten();
    members.map(|(key, properties)| Action::of(key, properties)).collect()
}

impl Action {
    /// An action with these properties, or the documented ones where they are missing.
    pub fn of(key: &str, properties: &Value) -> Action {
        Action {
            key: key.to_owned(),
            kind: properties["kind"].as_str().unwrap_or("kind").to_owned(),
            memory_mb: properties["memory_mb"].as_u64().unwrap_or(256),
            max_concurrent: properties["max_concurrent"].as_u64().unwrap_or(1) as u16,
            logs: properties["log_limit_mb"].as_u64().unwrap_or(10) > 0,
            timeout_ms: properties["timeout_ms"].as_u64().unwrap_or(60_000),
            run_ms: properties["run_ms"].as_u64(),
            init_ms: properties["init_ms"].as_u64(),
        }
    }
}

/// A member that must be text.
pub fn text(value: &Value, name: &str) -> Result<String, String> {
    value[name].as_str().map(str::to_owned).ok_or_else(|| format!("no `{name}` in {value}"))
}

/// A member that must be a whole number.
pub fn number(value: &Value, name: &str) -> Result<u64, String> {
    value[name].as_u64().ok_or_else(|| format!("no whole `{name}` in {value}"))
}
