//! Level `function`: pure functions. What concerns placement, eviction and prewarming is asked of the pool itself, put
//! into the state that the case describes. Must never be a second implementation of a rule.

use faassim::ids::{ActivationId, KindId, Slot};
use faassim::memory::Memory;
use faassim::openwhisk::arguments::{environment_text, partition_arguments};
use faassim::openwhisk::limits::{completion_ack_timeout_ms, cpu_limit, cpu_shares};
use faassim::openwhisk::logs::{
    ContainerStart, container_start_message, faascache_counter_message, parse_log_line,
};
use faassim::openwhisk::naming::container_name;
use faassim::openwhisk::response::{
    RunReply, RunResponse, classify_run_response, http_status_for_blocking_invoke,
};
use faassim::openwhisk::sharding::{generate_hash, pairwise_coprimes};
use faassim::pool::boundary::{Action as Order, Note, StartState, Status};
use faassim::pool::dispatcher::Dispatcher;
use faassim::pool::feed::max_peek;
use faassim::pool::message::{Message, Out};
use faassim::pool::prewarm::{Occasion, Prewarms};
use faassim::pool::rules::{Reactive, Rules, StemCell};
use faassim::pool::tables::Data;
use faassim::time::{Span, Time};
use serde_json::{Map, Value, json};

use crate::case::{Action, Case, actions, number, text};
use crate::compare::{Mismatch, agree};
use crate::fixture::{Functions, eviction_named, status_name, status_of};

/// Plays a case.
pub fn play(case: &Case) -> Result<Vec<Mismatch>, String> {
    let mut mismatches = Vec::new();
    for (ix, step) in case.steps.iter().enumerate() {
        let name = step.event["fn"].as_str().unwrap_or("");
        let expected = step.out.first().map_or(Value::Null, |out| out["result"].clone());
        let (same, got) = match call(case, name, &step.event) {
            Ok(got) => (results_agree(name, &expected, &got), got),
            Err(why) => (false, Value::String(why)),
        };
        if !same {
            let channel = format!("{name}({})", step.event);
            mismatches.push(Mismatch::new(Some((ix, step.t)), &channel, expected, got));
        }
    }
    Ok(mismatches)
}

fn call(case: &Case, name: &str, event: &Value) -> Result<Value, String> {
    let n = |name: &str| number(event, name);
    Ok(match name {
        "pairwise_coprimes" => json!(pairwise_coprimes(n("n")?)),
        "generate_hash" => json!(generate_hash(&text(event, "namespace")?, &text(event, "action")?)),
        "cpu_shares" => json!(cpu_shares(n("user_memory_mb")?, n("memory_mb")?)),
        "cpu_limit" => match event["user_cpus"].as_f64() {
            Some(cpus) => json!(cpu_limit(cpus, n("user_memory_mb")?, n("memory_mb")?)),
            None => Value::Null,
        },
        "container_name" => {
            let (prefix, suffix) = (text(event, "prefix")?, text(event, "suffix")?);
            json!(container_name(
                event["unique_name"].as_str(),
                n("invoker")?,
                n("counter")?,
                &prefix,
                &suffix
            ))
        }
        "completion_ack_timeout_ms" => {
            json!(completion_ack_timeout_ms(
                n("action_timeout_ms")?,
                n("std_ms")?,
                n("factor")?,
                n("addon_ms")?
            ))
        }
        "max_peek" => {
            let factor = event["factor"].as_f64().ok_or("no `factor`")?;
            json!(max_peek(n("user_memory_mb")?, n("min_memory_mb")?, n("max_concurrent")?, factor))
        }
        "container_start_message" => start_message(event)?,
        "faascache_counter_message" => {
            let map = |name: &str| -> Vec<(String, u64)> {
                let entries = event[name].as_object().into_iter().flatten();
                entries.map(|(key, count)| (key.clone(), count.as_u64().unwrap_or(0))).collect()
            };
            let (cold, warm) = (map("cold_map"), map("warm_map"));
            json!(faascache_counter_message(n("cold_hits")?, n("warm_hits")?, &cold, &warm))
        }
        "parse_log_line" => log_line(&text(event, "line")?),
        "partition_arguments" => partition(event),
        "classify_run_response" => classify(event)?,
        "http_status_for_blocking_invoke" => {
            json!(http_status_for_blocking_invoke(status(&event["status"])?))
        }
        "reactive_prewarm_target" => prewarm_target(event)?,
        "select_expired_prewarms" => expired_prewarms(event)?,
        "select_container" => select_container(case, event)?,
        "select_victims" => select_victims(event)?,
        other => return Err(format!("unknown function `{other}`")),
    })
}

/// Equal, or as the documentation of the cases leaves open: which members an answer has, the order of a map.
fn results_agree(name: &str, expected: &Value, got: &Value) -> bool {
    match name {
        "faascache_counter_message" => match (expected.as_str(), got.as_str()) {
            (Some(expected), Some(got)) => sorted_maps(expected) == sorted_maps(got),
            _ => false,
        },
        "classify_run_response" | "parse_log_line" | "partition_arguments" => members_agree(expected, got),
        _ => agree(expected, got),
    }
}

/// `Map(b, a)` as `Map(a, b)`.
fn sorted_maps(message: &str) -> String {
    let sorted = |part: &str| {
        let (inside, rest) = part.split_once(')').unwrap_or((part, ""));
        let mut entries: Vec<&str> = inside.split(", ").collect();
        entries.sort_unstable();
        format!("{})", entries.join(", ")) + rest
    };
    let mut parts = message.split("Map(");
    let first = parts.next().unwrap_or("").to_owned();
    parts.fold(first, |message, part| message + "Map(" + &sorted(part))
}

/// Every member that is expected, by any of the names it may go by, is as expected.
fn members_agree(expected: &Value, got: &Value) -> bool {
    match expected {
        Value::Object(members) => members.iter().all(|(name, value)| {
            let aliases = ALIASES.iter().find(|names| names.contains(&name.as_str()));
            let names = aliases.map_or(vec![name.as_str()], |names| names.to_vec());
            names.iter().any(|name| agree(value, &got[*name]))
        }),
        Value::Array(items) => {
            let values: Vec<&Value> = got.as_object().into_iter().flat_map(Map::values).collect();
            items.len() <= values.len()
                && items.iter().zip(values).all(|(expected, got)| agree(expected, got))
        }
        Value::String(word) => got["status"] == **word,
        _ => agree(expected, got),
    }
}

/// Names under which the same member may be asked for.
const ALIASES: &[&[&str]] = &[
    &["env", "environment", "init", "env_text"],
    &["args", "arguments", "parameters", "run"],
    &["error", "message"],
    &["child_tid", "parent_tid", "child", "tid2"],
];

// ----- messages and answers -----

fn start_message(event: &Value) -> Result<Value, String> {
    let state = text(event, "state")?;
    let (action, namespace, activation) =
        (text(event, "action")?, text(event, "namespace")?, text(event, "activation_id")?);
    let start = ContainerStart {
        state: StartState::ALL.into_iter().find(|known| known.name() == state).ok_or("unknown `state`")?,
        container: event["container_id"].as_str(),
        active: number(event, "active")? as u32,
        max_concurrent: number(event, "max_concurrent")? as u32,
        action: &action,
        namespace: &namespace,
        activation: &activation,
    };
    Ok(json!(container_start_message(&start)))
}

fn log_line(line: &str) -> Value {
    let Some(line) = parse_log_line(line) else { return Value::Null };
    let marker = line.marker.map(|marker| {
        json!({
            "component": marker.component, "action": marker.action, "sub_action": marker.sub_action,
            "state": marker.state, "delta_to_start_ms": marker.delta_to_start_ms, "delta_ms": marker.delta_ms,
        })
    });
    json!({
        "time_ms": line.time_ms, "level": line.level, "tid": line.tid, "child_tid": line.child_tid,
        "component": line.component, "message": line.message, "marker": marker,
    })
}

fn partition(event: &Value) -> Value {
    let init_args: Vec<String> = event["init_args"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|v| v.as_str().map(str::to_owned))
        .collect();
    let divided = partition_arguments(Some(event["content"].clone()), &init_args);
    let text: Map<String, Value> = divided
        .environment
        .iter()
        .map(|(name, value)| (name.clone(), environment_text(value).into()))
        .collect();
    json!({"env": divided.environment, "args": divided.run, "env_text": text})
}

fn classify(event: &Value) -> Result<Value, String> {
    let body = match &event["body"] {
        Value::Null => String::new(),
        Value::String(body) => body.clone(),
        other => other.to_string(),
    };
    let truncated = match (event["length"].as_u64(), event["max_length"].as_u64()) {
        (Some(size), Some(limit)) => Some((size, limit)),
        _ => None,
    };
    let reply = match event["http_status"].as_u64() {
        Some(status) => RunReply::Http { status: status as u16, body: &body, truncated },
        None if event["memory_exhausted"] == true || event["oom"] == true => RunReply::MemoryExhausted,
        None => RunReply::Nothing,
    };
    let run_ms = event["run_ms"].as_u64().unwrap_or(0);
    let timeout_ms = event["timeout_ms"].as_u64().unwrap_or(u64::MAX);
    Ok(match classify_run_response(reply, run_ms, timeout_ms) {
        RunResponse::ShuttingDown => json!({"status": "shutting_down"}),
        RunResponse::Ended { status, result } => {
            let code = status as u8;
            let (status, timeout) = (status_name(status), run_ms >= timeout_ms);
            json!({"status": status, "result": result, "error": result["error"], "code": code, "timeout": timeout})
        }
    })
}

fn status(value: &Value) -> Result<Status, String> {
    let code = |code: u64| {
        [Status::Success, Status::ApplicationError, Status::DeveloperError, Status::SystemError]
            .get(code as usize)
            .copied()
    };
    let name = value.as_str().unwrap_or("").replace(' ', "_");
    let name = match name.as_str() {
        "action_developer_error" => "developer_error",
        "whisk_internal_error" | "system_error" => "whisk_error",
        other => other,
    };
    value.as_u64().and_then(code).or_else(|| status_of(name)).ok_or_else(|| format!("unknown status {value}"))
}

// ----- asked of the pool -----

fn prewarm_target(event: &Value) -> Result<Value, String> {
    let n = |name: &str| number(event, name).map(|n| n as u32);
    let reactive = Reactive {
        min_count: n("min_count")?,
        max_count: n("max_count")?,
        ttl: Span::FOREVER,
        threshold: n("threshold")?,
        increment: n("increment")?,
    };
    let cell = StemCell { kind: KindId(0), memory: Memory(256), initial_count: 0, reactive: Some(reactive) };
    let mut prewarms = Prewarms::new(vec![cell]);
    for _ in 0..event["cold_starts"].as_u64().unwrap_or(0) {
        prewarms.count_cold_start(KindId(0), 256);
    }
    Ok(json!(prewarms.missing(Occasion::Check).first().map_or(0, |missing| missing.count)))
}

fn expired_prewarms(event: &Value) -> Result<Value, String> {
    let pool = members(&event["pool"]);
    let mut kinds: Vec<&str> = Vec::new();
    let mut cells: Vec<StemCell> = Vec::new();
    let mut placed = Vec::new();
    for (_, prewarm) in &pool {
        let (kind, memory) =
            (prewarm["kind"].as_str().unwrap_or(""), prewarm["memory_mb"].as_u64().unwrap_or(256));
        let known = kinds.iter().position(|known| *known == kind);
        let kind = KindId(known.unwrap_or_else(|| {
            kinds.push(kind);
            kinds.len() - 1
        }) as u16);
        let reactive = Reactive { min_count: 0, max_count: 0, ttl: Span::ZERO, threshold: 1, increment: 1 };
        let cell = StemCell { kind, memory: Memory(memory), initial_count: 0, reactive: Some(reactive) };
        if !cells.contains(&cell) {
            cells.push(cell);
        }
        let expires = millis(member_like(prewarm, "expir"));
        placed.push((kind, memory as u32, expires));
    }
    let mut prewarms = Prewarms::new(cells);
    for (slot, (kind, memory_mib, expires)) in placed.into_iter().enumerate() {
        prewarms.starting(slot as Slot, kind, memory_mib);
        prewarms.ready(slot as Slot, expires);
    }
    let now = millis(&event["now"]).ok_or("no `now`")?;
    let expired = prewarms.take_expired(now, number(event, "limit")? as u32);
    Ok(expired.into_iter().map(|slot| pool[slot as usize].0.clone()).collect())
}

/// The first member whose name has this in it.
fn member_like<'a>(object: &'a Value, part: &str) -> &'a Value {
    let members = object.as_object().into_iter().flatten();
    members
        .into_iter()
        .find(|(name, _)| name.to_lowercase().contains(part))
        .map_or(&Value::Null, |(_, value)| value)
}

/// A time in ms.
fn millis(value: &Value) -> Option<Time> {
    // Cases may count from before their own zero.
    value.as_f64().map(|ms| Time::from_ms((ms + 1e9).max(0.0) as u64))
}

/// The members of a pool, in order: a map from ids, or a list of objects that have one.
fn members(pool: &Value) -> Vec<(String, Value)> {
    match pool {
        Value::Object(members) => members.iter().map(|(id, value)| (id.clone(), value.clone())).collect(),
        Value::Array(items) => {
            let id = |item: &Value| {
                ["id", "container", "name"].iter().find_map(|key| item[*key].as_str().map(str::to_owned))
            };
            items.iter().map(|item| (id(item).unwrap_or_default(), item.clone())).collect()
        }
        _ => Vec::new(),
    }
}

/// State and activations of a pool's member: as two members or as `"state/active"`; `None` if it has no code yet.
fn standing(member: &Value) -> Option<(Data, u16)> {
    let state = member["state"].as_str().or(member["data"].as_str()).or(member.as_str()).unwrap_or("warmed");
    let (state, active) = match state.split_once('/') {
        Some((state, active)) => (state, active.parse().ok()),
        None => (state, member["active"].as_u64()),
    };
    let data =
        [Data::Warming, Data::WarmingCold, Data::Warmed].into_iter().find(|data| data.name() == state)?;
    Some((data, active.unwrap_or(0) as u16))
}

/// The container that an activation would be sent to, if it needs no new one.
fn select_container(case: &Case, event: &Value) -> Result<Value, String> {
    let known = actions(&event["actions"]);
    let find = |key: &str| known.iter().chain(&case.actions).find(|action| action.key == key);
    let mut functions = Functions { specs: vec![], keys: vec![], actions: vec![], kinds: vec![] };
    let (key, ns) =
        (text(event, "action")?, event["ns"].as_str().or(event["namespace"].as_str()).unwrap_or(""));
    let wanted = functions.add(find(&key).ok_or_else(|| format!("no action `{key}`"))?, ns);
    let mut standings = Vec::new();
    for (id, member) in members(&event["pool"]) {
        // Prewarms and containers without code belong to no action.
        let (Some((data, active)), Some(key)) = (standing(&member), member["action"].as_str()) else {
            continue;
        };
        let ns = member["ns"].as_str().or(member["namespace"].as_str()).unwrap_or("");
        let function = functions.add(find(key).ok_or_else(|| format!("no action `{key}`"))?, ns);
        standings.push((id, function, data, active));
    }
    let mut pool = pool_of(u64::MAX / 2, functions, "lru")?;
    let mut ids = Vec::new();
    for (id, function, data, active) in standings {
        pool.adopt(function, data, active, Time::ZERO, &mut Told::default());
        ids.push(id);
    }
    let mut told = Told::default();
    pool.request(Time::from_ms(1), ActivationId(0), wanted, &mut told);
    // A container that had to be created is not one of the pool's.
    Ok(told.runs.first().and_then(|slot| ids.get(*slot as usize)).map_or(Value::Null, |id| json!(id)))
}

/// The containers that would be evicted for `memory_mb`.
fn select_victims(event: &Value) -> Result<Value, String> {
    let memory_mb = number(event, "memory_mb")?;
    let mut functions = Functions { specs: vec![], keys: vec![], actions: vec![], kinds: vec![] };
    let action =
        |key: &str, memory_mb: u64| Action::of(key, &json!({"memory_mb": memory_mb, "max_concurrent": 1000}));
    let wanted = functions.add(&action("wanted", memory_mb), "");
    // The pool never evicts more than the memory of its free containers; this one, which is in use, lifts that limit.
    let filler = functions.add(&action("filler", memory_mb), "");
    let mut standings = Vec::new();
    for (id, member) in members(&event["pool"]) {
        let Some((data, active)) = standing(&member) else { continue };
        let memory_mb = member["memory_mb"].as_u64().unwrap_or(256);
        let function = functions.add(&action(&format!("of {id}"), memory_mb), "");
        let last_used = millis(member_like(&member, "used"));
        standings.push((last_used.unwrap_or(Time::ZERO), id, function, data, active, memory_mb));
    }
    standings.sort_by_key(|(last_used, ..)| *last_used);
    let used = memory_mb + standings.iter().map(|(.., memory_mb)| memory_mb).sum::<u64>();
    let mut pool = pool_of(used, functions, "lru")?;
    let mut ids = Vec::new();
    for (last_used, id, function, data, active, _) in standings {
        pool.adopt(function, data, active, last_used, &mut Told::default());
        ids.push(id);
    }
    pool.adopt(filler, Data::Warmed, 1, Time::ZERO, &mut Told::default());
    let mut told = Told::default();
    pool.request(Time::NEVER, ActivationId(0), wanted, &mut told);
    Ok(told.removed.iter().map(|slot| ids[*slot as usize].clone()).collect())
}

fn pool_of(memory_mb: u64, functions: Functions, policy: &str) -> Result<Dispatcher, String> {
    let evict = eviction_named(policy, &Rules::OPENWHISK)?;
    Ok(Dispatcher::new(Rules::OPENWHISK, memory_mb, functions.specs, Vec::new(), evict))
}

/// What the pool did.
#[derive(Default)]
struct Told {
    runs: Vec<Slot>,
    removed: Vec<Slot>,
}

impl Out for Told {
    fn send(&mut self, message: Message) {
        match message {
            Message::Run(slot, ..) => self.runs.push(slot),
            Message::Remove(slot) => self.removed.push(slot),
            _ => {}
        }
    }

    fn act(&mut self, _order: Order) {}

    fn note(&mut self, _note: Note) {}
}
