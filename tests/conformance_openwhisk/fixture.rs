//! What the levels have in common: functions, rules and policies of a case, and the pool's state as cases write it.
//! Must never answer what the pool should.

use faassim::ids::{ActionId, FunctionId, KindId, Slot};
use faassim::memory::Memory;
use faassim::policy::faascache::FaasCache;
use faassim::policy::registry::Making;
use faassim::policy::{EVICTION, Evict, KeepAlive, Lease, Params};
use faassim::pool::boundary::Status;
use faassim::pool::dispatcher::Dispatcher;
use faassim::pool::rules::{Reactive, Rules, StemCell};
use faassim::pool::tables::{FunctionSpec, Home, Tables};
use faassim::time::{Span, Time};
use serde_json::{Map, Value, json};

use crate::case::{Action, Case};

/// Actions and namespaces as the pool numbers them: each action of each namespace is a function.
pub struct Functions {
    pub specs: Vec<FunctionSpec>,
    pub keys: Vec<(String, String)>,
    pub actions: Vec<String>,
    pub kinds: Vec<String>,
}

impl Functions {
    /// All that the case's steps name.
    pub fn of(case: &Case) -> Result<Functions, String> {
        let mut functions =
            Functions { specs: Vec::new(), keys: Vec::new(), actions: Vec::new(), kinds: Vec::new() };
        for action in &case.actions {
            functions.kind(&action.kind);
            functions.actions.push(action.key.clone());
        }
        for step in &case.steps {
            if let Some(key) = step.event["action"].as_str() {
                functions.add(case.action(key)?, namespace(&step.event));
            }
        }
        Ok(functions)
    }

    /// The function of an action and a namespace, which is taken up if it is new.
    pub fn add(&mut self, action: &Action, namespace: &str) -> FunctionId {
        if let Some(known) = self.get(&action.key, namespace) {
            return known;
        }
        let spec = FunctionSpec {
            action: self.action(&action.key),
            memory: Memory(action.memory_mb),
            kind: self.kind(&action.kind),
            max_concurrent: action.max_concurrent,
            logs: action.logs,
            cold: Span::ZERO,
            warm: Span::ZERO,
        };
        self.specs.push(spec);
        self.keys.push((action.key.clone(), namespace.to_owned()));
        FunctionId(self.specs.len() as u32 - 1)
    }

    /// The function of an action and a namespace.
    pub fn get(&self, action: &str, namespace: &str) -> Option<FunctionId> {
        let at = self.keys.iter().position(|(key, ns)| key == action && ns == namespace)?;
        Some(FunctionId(at as u32))
    }

    /// The function that an event names.
    pub fn of_event(&self, event: &Value) -> Result<FunctionId, String> {
        let key = event["action"].as_str().ok_or_else(|| format!("no `action` in {event}"))?;
        self.get(key, namespace(event)).ok_or_else(|| format!("no action `{key}`"))
    }

    fn action(&mut self, key: &str) -> ActionId {
        ActionId(place(&mut self.actions, key) as u32)
    }

    /// The number of a kind.
    pub fn kind(&mut self, name: &str) -> KindId {
        KindId(place(&mut self.kinds, name) as u16)
    }
}

fn place(names: &mut Vec<String>, name: &str) -> usize {
    names.iter().position(|known| known == name).unwrap_or_else(|| {
        names.push(name.to_owned());
        names.len() - 1
    })
}

fn namespace(event: &Value) -> &str {
    event["ns"].as_str().unwrap_or("")
}

/// The rules of the case's variant, with what its config says.
pub fn rules(case: &Case) -> Result<Rules, String> {
    let mut rules = match case.variant.as_str() {
        "upstream" => Rules::OPENWHISK,
        "faascache-2020" => Rules::FAASCACHE,
        "faascache-head" => Rules::FAASCACHE_HEAD,
        other => return Err(format!("unknown variant `{other}`")),
    };
    if let Some(ms) = case.config["pause_grace_ms"].as_u64() {
        rules.pause_grace = Some(Span::from_ms(ms));
    }
    if let Some(limit) = case.config["prewarm_expiration_limit"].as_u64() {
        rules.prewarm_expiration_limit = limit as u32;
    }
    rules.feed_capacity = case.config["feed_capacity"].as_u64().map(|capacity| capacity as u32);
    rules.health_check = case.config["health_check"].as_bool().unwrap_or(false);
    Ok(rules)
}

/// The eviction policy of the case's variant.
pub fn eviction(case: &Case, rules: &Rules) -> Result<Box<dyn Evict>, String> {
    eviction_named(if case.variant == "upstream" { "lru" } else { "faascache" }, rules)
}

/// An eviction policy with its defaults.
pub fn eviction_named(name: &str, rules: &Rules) -> Result<Box<dyn Evict>, String> {
    let policy =
        EVICTION.iter().find(|policy| policy.name == name).ok_or_else(|| format!("no policy `{name}`"))?;
    let making = Making { seed: 0, tracking: rules.tracking, capacity_mib: 0 };
    Ok((policy.make)(&mut Params::new(policy.params, &[]), making))
}

/// Idle containers stay as long as the case's config says; for ever in the fork (docs/specs/openwhisk.md §8.4).
pub struct Keep(Span);

impl Keep {
    pub fn of(case: &Case) -> Keep {
        match case.config["idle_timeout_ms"].as_u64() {
            Some(ms) if case.variant == "upstream" => Keep(Span::from_ms(ms)),
            _ => Keep(Span::FOREVER),
        }
    }
}

impl KeepAlive for Keep {
    fn lease(&mut self, _now: Time, _tables: &Tables, _slot: Slot, _loaded_ahead: bool) -> Lease {
        Lease::keep(self.0)
    }
}

/// The case's stem cells.
pub fn stem_cells(config: &Value, functions: &mut Functions) -> Result<Vec<StemCell>, String> {
    let cells = config["prewarm"].as_array().into_iter().flatten();
    cells.map(|cell| stem_cell(cell, functions)).collect()
}

fn stem_cell(cell: &Value, functions: &mut Functions) -> Result<StemCell, String> {
    let number = |from: &Value, name: &str, default: u64| from[name].as_u64().unwrap_or(default) as u32;
    let reactive = &cell["reactive"];
    Ok(StemCell {
        kind: functions.kind(cell["kind"].as_str().ok_or_else(|| format!("no `kind` in {cell}"))?),
        memory: Memory(cell["memory_mb"].as_u64().ok_or_else(|| format!("no `memory_mb` in {cell}"))?),
        initial_count: number(cell, "initial_count", 0),
        reactive: reactive.is_object().then(|| Reactive {
            min_count: number(reactive, "min_count", 0),
            max_count: number(reactive, "max_count", 0),
            ttl: reactive["ttl_ms"].as_u64().map_or(Span::FOREVER, Span::from_ms),
            threshold: number(reactive, "threshold", 1),
            increment: number(reactive, "increment", 1),
        }),
    })
}

/// A status as cases write it.
pub const fn status_name(status: Status) -> &'static str {
    match status {
        Status::Success => "success",
        Status::ApplicationError => "application_error",
        Status::DeveloperError => "developer_error",
        Status::SystemError => "whisk_error",
    }
}

/// The status of this name.
pub fn status_of(name: &str) -> Option<Status> {
    let all = [Status::Success, Status::ApplicationError, Status::DeveloperError, Status::SystemError];
    all.into_iter().find(|status| status_name(*status) == name)
}

/// The pool's state as cases write it. `container` and `activation` give the names.
pub fn pool_state(
    dispatcher: &Dispatcher,
    functions: &Functions,
    container: impl Fn(Slot) -> String,
    activation: impl Fn(faassim::ids::ActivationId) -> String,
) -> Value {
    let tables = dispatcher.tables();
    let (mut free, mut busy) = (Map::new(), Map::new());
    for slot in 0..tables.slots() as Slot {
        let record = tables.container(slot);
        let state = json!(format!("{}/{}", record.data().name(), record.active()));
        match record.home() {
            Home::Free => free.insert(container(slot), state),
            Home::Busy => busy.insert(container(slot), state),
            _ => None,
        };
    }
    let mut state = json!({
        "free": free,
        "busy": busy,
        "prewarmed": dispatcher.prewarms().ready_slots().map(&container).collect::<Vec<_>>(),
        "prewarm_starting": dispatcher.prewarms().starting_slots().map(&container).collect::<Vec<_>>(),
        "buffer": dispatcher.waiting().iter().map(activation).collect::<Vec<_>>(),
    });
    if let Some(policy) = faascache(dispatcher) {
        state["faascache"] = faascache_state(policy, functions);
    }
    state
}

/// The fork's policy, if it is the one in use.
pub fn faascache(dispatcher: &Dispatcher) -> Option<&FaasCache> {
    (dispatcher.policy() as &dyn std::any::Any).downcast_ref()
}

fn faascache_state(policy: &FaasCache, functions: &Functions) -> Value {
    let (mut cold, mut warm, mut tracked) = (Map::new(), Map::new(), Map::new());
    for (ix, key) in functions.actions.iter().enumerate() {
        let action = ActionId(ix as u32);
        for (map, hits) in
            [(&mut cold, policy.cold_hits_of(action)), (&mut warm, policy.warm_hits_of(action))]
        {
            if hits > 0 {
                map.insert(key.clone(), json!(hits));
            }
        }
        if let Some(entry) = policy.tracked(action) {
            let entry = json!({
                "lastcalled": entry.lastcalled, "invocations": entry.invocations, "cold_ms": entry.cold_ms,
                "warm_ms": entry.warm_ms, "memory": entry.memory, "active": entry.active, "priority": entry.priority,
            });
            tracked.insert(key.clone(), entry);
        }
    }
    json!({
        "clock": policy.clock(), "cold_hits": policy.cold_hits(), "warm_hits": policy.warm_hits(),
        "cold_map": cold, "warm_map": warm, "tracked": tracked,
    })
}

/// Compares pool states; what the case does not mention is not compared.
pub fn pool_states_agree(expected: &Value, got: &Value) -> bool {
    use crate::compare::{agree, sorted};
    agree(&expected["free"], &got["free"])
        && agree(&expected["busy"], &got["busy"])
        && agree(&sorted(&expected["prewarmed"]), &sorted(&got["prewarmed"]))
        && agree(&sorted(&expected["prewarm_starting"]), &sorted(&got["prewarm_starting"]))
        && agree(&expected["buffer"], &got["buffer"])
        && (expected["faascache"].is_null() || agree(&expected["faascache"], &got["faascache"]))
}
