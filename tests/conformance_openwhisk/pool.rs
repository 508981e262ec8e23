//! Level `pool`: the dispatcher alone. The test plays the containers and the feed. Must never keep a state of its own
//! that the dispatcher should have.

use faassim::ids::{ActivationId, FunctionId, Slot};
use faassim::pool::boundary::{Action, Departure, Note};
use faassim::pool::dispatcher::Dispatcher;
use faassim::pool::message::{Message, Out};
use faassim::time::{Span, Time};
use serde_json::{Value, json};

use crate::case::{Case, Step, number, text};
use crate::compare::{self, Mismatch, agree_on};
use crate::fixture::{self, Functions};

/// What counts of an output.
const OUTPUT: &[&str] = &["cmd", "container", "memory_mb", "activation", "start", "active", "kind", "ttl_ms"];

/// What counts of a prewarm that is not started: the documentation leaves open what else is told of it.
const REFUSAL: &[&str] = &["cmd", "memory_mb", "kind"];

fn same_output(expected: &Value, got: &Value) -> bool {
    let started = !matches!(expected["cmd"].as_str(), Some("prewarm_refused" | "prewarm_reserved"));
    agree_on(if started { OUTPUT } else { REFUSAL }, expected, got)
}

/// Plays a case.
pub fn play(case: &Case) -> Result<Vec<Mismatch>, String> {
    let mut functions = Functions::of(case)?;
    let cells = fixture::stem_cells(&case.config, &mut functions)?;
    let rules = fixture::rules(case)?;
    let evict = fixture::eviction(case, &rules)?;
    let memory = number(&case.config, "user_memory_mb")?;
    let dispatcher = Dispatcher::new(rules, memory, functions.specs.clone(), cells, evict);
    let recorder = Recorder { kinds: functions.kinds.clone(), ..Recorder::default() };
    let mut level = Level { dispatcher, functions, recorder, assigned: Vec::new() };
    let mut mismatches = Vec::new();
    for (ix, step) in case.steps.iter().enumerate() {
        level.step((ix, step.t), step, &mut mismatches).map_err(|why| format!("step {ix}: {why}"))?;
    }
    Ok(mismatches)
}

struct Level {
    dispatcher: Dispatcher,
    functions: Functions,
    recorder: Recorder,
    /// The function of each activation.
    assigned: Vec<FunctionId>,
}

impl Level {
    fn step(&mut self, at: (usize, u64), step: &Step, mismatches: &mut Vec<Mismatch>) -> Result<(), String> {
        let ranks = self.ranks();
        self.event(step)?;
        while std::mem::take(&mut self.recorder.retry) {
            self.dispatcher.retry(Time::from_ms(step.t), &mut self.recorder);
        }
        let mut got = std::mem::take(&mut self.recorder.log);
        reorder_equals(&step.out, &mut got, &ranks);
        let channel = |value: &Value| if value["cmd"] == "feed" { "feed" } else { "cmd" }.to_owned();
        mismatches.extend(compare::outputs(at, same_output, channel, &step.out, &got));
        let state = fixture::pool_state(
            &self.dispatcher,
            &self.functions,
            |slot| self.recorder.container(slot),
            |activation| self.recorder.activations[activation.ix()].clone(),
        );
        if let Some(expected) = step.state.as_ref().filter(|e| !fixture::pool_states_agree(e, &state)) {
            mismatches.push(Mismatch::new(Some(at), "state", expected, state));
        }
        self.dispatcher.audit().map_err(|why| format!("audit: {why}"))
    }

    fn event(&mut self, step: &Step) -> Result<(), String> {
        let (now, event, out) = (Time::from_ms(step.t), &step.event, &mut self.recorder);
        match step.name() {
            "start" => self.dispatcher.start(out),
            "activation" => {
                let function = self.functions.of_event(event)?;
                let activation = ActivationId(self.assigned.len() as u32);
                out.activations.push(text(event, "id")?);
                self.assigned.push(function);
                self.dispatcher.request(now, activation, function, out);
            }
            "resubmit" => {
                let name = text(event, "activation").or_else(|_| text(event, "id"))?;
                let known = out.activations.iter().position(|known| *known == name);
                let ix = known.ok_or_else(|| format!("no activation `{name}`"))?;
                self.dispatcher.request(now, ActivationId(ix as u32), self.assigned[ix], out);
            }
            "need_work" => {
                let slot = out.slot(event)?;
                self.dispatcher.need_work(now, slot, out);
            }
            "prewarm_ready" => {
                let expires = event["ttl_ms"].as_u64().map(|ttl| now + Span::from_ms(ttl));
                self.dispatcher.prewarm_ready(out.slot(event)?, expires);
            }
            "removed" => {
                let slot = out.slot(event)?;
                let replace = event["replace_prewarm"].as_bool().unwrap_or(true);
                self.dispatcher.removed(slot, replace, Departure::Failed, out);
            }
            "reschedule_job" => {
                let slot = out.slot(event)?;
                self.dispatcher.rescheduled(slot, Departure::Failed, out);
            }
            "prewarm_check" => self.dispatcher.check_prewarms(now, out),
            other => return Err(format!("unknown event `{other}`")),
        }
        Ok(())
    }

    /// For each container what its place in the order of eviction depends on: victims that are equal in this may go in
    /// either order.
    fn ranks(&self) -> Vec<(String, u64)> {
        let tables = self.dispatcher.tables();
        let rank = |slot: Slot| {
            let (record, policy) = (tables.container(slot), fixture::faascache(&self.dispatcher));
            match (policy, record.function()) {
                (Some(policy), Some(function)) => {
                    let priority =
                        policy.tracked(tables.action(function)).map_or(f64::NAN, |entry| entry.priority);
                    if priority.is_nan() { f64::NAN.to_bits() } else { (priority + 0.0).to_bits() }
                }
                _ => record.last_used().0,
            }
        };
        (0..tables.slots() as Slot).map(|slot| (self.recorder.container(slot), rank(slot))).collect()
    }
}

/// Puts victims of equal rank into the expected order.
fn reorder_equals(expected: &[Value], got: &mut [Value], ranks: &[(String, u64)]) {
    let rank = |value: &Value| {
        let name = value["container"].as_str().filter(|_| value["cmd"] == "remove")?;
        ranks.iter().find(|(known, _)| known == name).map(|(_, rank)| *rank)
    };
    for ix in 0..expected.len().min(got.len()) {
        let Some(wanted) = rank(&expected[ix]) else { continue };
        let equals = got[ix..].iter().take_while(|value| rank(value) == Some(wanted)).count();
        if let Some(by) = got[ix..ix + equals].iter().position(|value| same_output(&expected[ix], value)) {
            got.swap(ix, ix + by);
        }
    }
}

/// Writes down what the dispatcher says, in the words of the cases.
#[derive(Default)]
struct Recorder {
    log: Vec<Value>,
    /// The dispatcher wants to hear `retry`.
    retry: bool,
    /// Slot of each named container, by number.
    slots: Vec<Slot>,
    activations: Vec<String>,
    kinds: Vec<String>,
}

impl Recorder {
    /// The name of a slot's container. Slots are never used again at this level.
    fn container(&self, slot: Slot) -> String {
        match self.slots.iter().position(|known| *known == slot) {
            Some(number) => format!("c{number}"),
            None => format!("unnamed slot {slot}"),
        }
    }

    fn slot(&self, event: &Value) -> Result<Slot, String> {
        let name = text(event, "container")?;
        let number = name.strip_prefix('c').and_then(|number| number.parse::<usize>().ok());
        number
            .and_then(|number| self.slots.get(number).copied())
            .ok_or_else(|| format!("no container `{name}` yet"))
    }
}

impl Out for Recorder {
    fn send(&mut self, message: Message) {
        match message {
            Message::Retry => self.retry = true,
            Message::Remove(slot) => {
                self.log.push(json!({"cmd": "remove", "container": self.container(slot)}))
            }
            _ => {}
        }
    }

    fn act(&mut self, action: Action) {
        self.log.push(json!({"cmd": format!("{action:?}")}));
    }

    fn note(&mut self, note: Note) {
        let entry = match note {
            Note::Allotted { container, memory_mib, .. } => {
                self.slots.push(container.slot);
                json!({"cmd": "create", "container": self.container(container.slot), "memory_mb": memory_mib})
            }
            Note::Prewarm { container, kind, memory_mib, ttl, reserved_only } => {
                let (kind, ttl_ms) = (&self.kinds[kind.0 as usize], ttl.map(Span::whole_ms));
                match container {
                    None => json!({"cmd": "prewarm_refused", "kind": kind, "memory_mb": memory_mib}),
                    Some(id) => {
                        self.slots.push(id.slot);
                        let cmd = if reserved_only { "prewarm_reserved" } else { "prewarm" };
                        let container = self.container(id.slot);
                        json!({"cmd": cmd, "container": container, "kind": kind, "memory_mb": memory_mib, "ttl_ms": ttl_ms})
                    }
                }
            }
            Note::Dispatched { activation, container, start, active, .. } => json!({
                "cmd": "run", "container": self.container(container.slot),
                "activation": self.activations[activation.ix()], "start": start.name(), "active": active,
            }),
            Note::Buffered(activation) => {
                json!({"cmd": "buffer", "activation": self.activations[activation.ix()]})
            }
            Note::Credit => json!({"cmd": "feed"}),
            _ => return,
        };
        self.log.push(entry);
    }
}
