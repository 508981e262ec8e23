//! How the arguments of an activation are divided between initialisation and run
//! (docs/specs/openwhisk.md §12 `initArgs`, §16). Must never lose an argument.

use serde_json::{Map, Value};

/// Arguments divided.
#[derive(Clone, PartialEq, Debug)]
pub struct Arguments {
    /// For the environment of `/init`.
    pub environment: Map<String, Value>,
    /// For `/run`.
    pub run: Value,
}

/// Puts the members named in `init_args` into the environment and leaves the rest for the run. No
/// content is an empty object; an array (or anything else that has no members) goes to the run whole.
pub fn partition_arguments(content: Option<Value>, init_args: &[String]) -> Arguments {
    match content {
        None | Some(Value::Null) => Arguments { environment: Map::new(), run: Value::Object(Map::new()) },
        Some(Value::Object(members)) => {
            let (environment, run): (Map<_, _>, Map<_, _>) =
                members.into_iter().partition(|(name, _)| init_args.contains(name));
            Arguments { environment, run: Value::Object(run) }
        }
        Some(other) => Arguments { environment: Map::new(), run: other },
    }
}

/// An argument as the text of an environment variable: strings as they are, all else as JSON (§16).
pub fn environment_text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn init_arguments_go_to_the_environment() {
        let divided =
            partition_arguments(Some(json!({"a": 1, "b": "x", "c": [2]})), &["b".into(), "z".into()]);
        assert_eq!(Value::Object(divided.environment), json!({"b": "x"}));
        assert_eq!(divided.run, json!({"a": 1, "c": [2]}));
        assert_eq!(partition_arguments(Some(json!([1])), &["b".into()]).run, json!([1]));
        assert_eq!(partition_arguments(None, &[]).run, json!({}));
    }

    #[test]
    fn environment_holds_text() {
        assert_eq!(environment_text(&json!("plain")), "plain");
        assert_eq!(environment_text(&json!({"k": [1, true]})), r#"{"k":[1,true]}"#);
    }
}
