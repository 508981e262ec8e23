//! Level `proxy`: one container. The test plays the container runtime and the clock. Must never keep a state of its own
//! that the proxy should have.

use faassim::ids::{ActivationId, FunctionId};
use faassim::pool::boundary::{
    Ack, Action, Answer, CreateFault, InitOutcome, Note, Phase, RunOutcome, Status,
};
use faassim::pool::flight::{Flight, Flights};
use faassim::pool::lease::Keeper;
use faassim::pool::message::{Message, Out};
use faassim::pool::proxy::{Context, Proxy};
use faassim::pool::rules::{Rules, Times};
use faassim::pool::tables::Tables;
use faassim::time::{Span, Time};
use serde_json::{Value, json};

use crate::case::{Case, Step, number, text};
use crate::compare::{self, Mismatch, agree, agree_on, sorted};
use crate::fixture::{self, Functions, Keep, status_name, status_of};

/// The channels, each named by the key that its entries have.
const CHANNELS: &[&str] = &["state", "pool", "container", "ack", "store", "health_ping"];

/// What counts of an output.
const OUTPUT: &[&str] = &[
    "state",
    "pool",
    "container",
    "ack",
    "store",
    "health_ping",
    "job",
    "memory_mb",
    "prewarm",
    "replace_prewarm",
    "reschedule_on_connect_error",
    "status",
    "init_ms",
    "wait_ms",
    "duration_ms",
];

/// Plays a case.
pub fn play(case: &Case) -> Result<Vec<Mismatch>, String> {
    let mut functions = Functions::of(case)?;
    for step in &case.steps {
        if let Some(kind) = step.event["kind"].as_str() {
            functions.kind(kind);
        }
    }
    let tables = Tables::new(functions.specs.clone(), Times::Declared);
    let mut level = Level {
        rules: fixture::rules(case)?,
        keep: Keeper::new(Box::new(Keep::of(case))),
        functions,
        tables,
        proxy: Proxy::new(0),
        flights: Flights::default(),
        recorder: Recorder::default(),
    };
    let mut mismatches = Vec::new();
    for (ix, step) in case.steps.iter().enumerate() {
        level.step((ix, step.t), step, &mut mismatches).map_err(|why| format!("step {ix}: {why}"))?;
    }
    Ok(mismatches)
}

struct Level {
    rules: Rules,
    keep: Keeper,
    functions: Functions,
    tables: Tables,
    proxy: Proxy,
    flights: Flights,
    recorder: Recorder,
}

impl Level {
    fn step(&mut self, at: (usize, u64), step: &Step, mismatches: &mut Vec<Mismatch>) -> Result<(), String> {
        let now = Time::from_ms(step.t);
        while self.proxy.timer() <= now {
            self.at(self.proxy.timer(), |proxy, cx, out| proxy.on_timer(cx, out));
        }
        self.event(now, step)?;
        let logs_ok = step.event["logs"].as_str().unwrap_or("ok") == "ok";
        while let Some(activation) = self.recorder.collecting.pop() {
            self.at(now, |proxy, cx, out| proxy.logs_collected(activation, logs_ok, cx, out));
        }
        let got = std::mem::take(&mut self.recorder.log);
        let channel = |value: &Value| {
            CHANNELS
                .iter()
                .find(|key| !value[**key].is_null())
                .map_or_else(|| value.to_string(), |key| (*key).to_owned())
        };
        let same = |expected: &Value, got: &Value| agree_on(OUTPUT, expected, got);
        mismatches.extend(compare::outputs(at, same, channel, &step.out, &got));
        let state = self.state();
        if let Some(expected) = step.state.as_ref().filter(|expected| !states_agree(expected, &state)) {
            mismatches.push(Mismatch::new(Some(at), "state", expected, state));
        }
        Ok(())
    }

    fn event(&mut self, now: Time, step: &Step) -> Result<(), String> {
        let event = &step.event;
        let ok = event["ok"].as_bool().unwrap_or(true);
        match step.name() {
            "start" => {
                let kind = self.functions.kind(event["kind"].as_str().unwrap_or(""));
                let memory_mib = number(event, "memory_mb")? as u32;
                let ttl = event["ttl_ms"].as_u64().map(Span::from_ms);
                self.at(now, |proxy, cx, out| proxy.start(kind, memory_mib, ttl, cx, out));
            }
            "run" => {
                let activation = self.arrived(now, event)?;
                self.at(now, |proxy, cx, out| proxy.run(activation, cx, out));
            }
            "created" => {
                let fault = match event["error"].as_str() {
                    Some("blackbox") => CreateFault::UserImage,
                    _ => CreateFault::Platform,
                };
                let result = if ok { Ok(()) } else { Err(fault) };
                self.at(now, |proxy, cx, out| proxy.created(result, cx, out));
            }
            "init_result" => {
                let outcome = init_outcome(ok, event["status"].as_str())?;
                self.at(now, |proxy, cx, out| proxy.on_initialized(outcome, cx, out));
            }
            "run_result" => {
                let activation = self.recorder.activation(event)?;
                let outcome = run_outcome(event["status"].as_str().unwrap_or("success"))?;
                self.at(now, |proxy, cx, out| proxy.ran(activation, outcome, cx, out));
            }
            "pause_result" => self.at(now, |proxy, cx, out| proxy.paused(ok, cx, out)),
            "resume_result" => self.at(now, |proxy, cx, out| proxy.resumed(ok, cx, out)),
            "remove" => self.at(now, |proxy, cx, out| proxy.remove(cx, out)),
            "health_failed" => self.at(now, |proxy, cx, out| proxy.health_failed(cx, out)),
            "destroyed" => self.at(now, |proxy, cx, out| proxy.destroyed(cx, out)),
            "advance" => {}
            other => return Err(format!("unknown event `{other}`")),
        }
        Ok(())
    }

    /// Takes up the activation of a `run`.
    fn arrived(&mut self, now: Time, event: &Value) -> Result<ActivationId, String> {
        let function: FunctionId = self.functions.of_event(event)?;
        let received = event["tid_start"].as_u64().map_or(now, Time::from_ms);
        let blocking = event["blocking"].as_bool().unwrap_or(false);
        let activation = ActivationId(self.recorder.jobs.len() as u32);
        self.recorder.jobs.push(text(event, "id")?);
        self.flights.insert(activation, Flight::new(received, function, blocking));
        Ok(activation)
    }

    fn at(&mut self, now: Time, tell: impl FnOnce(&mut Proxy, &mut Context<'_>, &mut Recorder)) {
        let mut context = Context {
            now,
            slot: 0,
            rules: &self.rules,
            tables: &self.tables,
            flights: &mut self.flights,
            keep_alive: &mut self.keep,
        };
        tell(&mut self.proxy, &mut context, &mut self.recorder);
    }

    fn state(&self) -> Value {
        json!({
            "fsm": phase_name(self.proxy.phase()),
            "active": self.proxy.active(),
            "buffered": self.proxy.held().map(|held| self.recorder.job(held)).collect::<Vec<_>>(),
            "stashed": self.proxy.deferred(),
        })
    }
}

/// The order of held runs is not guaranteed (docs/specs/openwhisk.md §4.2).
fn states_agree(expected: &Value, got: &Value) -> bool {
    agree_on(&["fsm", "active", "stashed"], expected, got)
        && agree(&sorted(&expected["buffered"]), &sorted(&got["buffered"]))
}

/// How an initialisation ended, by the names of the cases.
pub fn init_outcome(ok: bool, status: Option<&str>) -> Result<InitOutcome, String> {
    match status {
        _ if ok => Ok(InitOutcome::Ok),
        None => Ok(InitOutcome::Failed(Status::DeveloperError)),
        Some("unexpected") => Ok(InitOutcome::Unexpected),
        Some("shutting_down") => Ok(InitOutcome::ShuttingDown),
        Some(name) => {
            status_of(name).map(InitOutcome::Failed).ok_or_else(|| format!("unknown init status `{name}`"))
        }
    }
}

/// How a run ended, by the names of the cases.
pub fn run_outcome(status: &str) -> Result<RunOutcome, String> {
    match status {
        "connect_failed" => Ok(RunOutcome::Unreachable),
        name => {
            status_of(name).map(RunOutcome::Answered).ok_or_else(|| format!("unknown run status `{name}`"))
        }
    }
}

fn phase_name(phase: Phase) -> String {
    format!("{phase:?}")
}

/// Writes down what the proxy says, in the words of the cases.
#[derive(Default)]
struct Recorder {
    log: Vec<Value>,
    jobs: Vec<String>,
    /// Runs whose logs are to be collected.
    collecting: Vec<ActivationId>,
}

impl Recorder {
    fn job(&self, activation: ActivationId) -> &str {
        &self.jobs[activation.ix()]
    }

    fn activation(&self, event: &Value) -> Result<ActivationId, String> {
        let name = text(event, "job").or_else(|_| text(event, "id"))?;
        let ix = self.jobs.iter().rposition(|job| *job == name).ok_or_else(|| format!("no job `{name}`"))?;
        Ok(ActivationId(ix as u32))
    }

    fn answer(&mut self, answer: Answer) {
        let ack = match answer.ack {
            Ack::Result => "result",
            Ack::Completion => "completion",
            Ack::Combined => "combined",
        };
        let job = self.job(answer.activation).to_owned();
        self.log.push(json!({
            "ack": ack, "job": job, "status": status_name(answer.status), "init_ms": answer.init.map(Span::whole_ms),
            "wait_ms": answer.wait.whole_ms(), "duration_ms": answer.duration.whole_ms(),
        }));
        if answer.last() {
            self.log.push(json!({ "store": job }));
        }
    }
}

impl Out for Recorder {
    fn send(&mut self, message: Message) {
        let entry = match message {
            Message::PrewarmReady(..) => json!({"pool": "prewarm_ready"}),
            Message::NeedWork(_) => json!({"pool": "need_work"}),
            Message::Removed(_, replace, _) => json!({"pool": "removed", "replace_prewarm": replace}),
            Message::Rescheduled(..) => json!({"pool": "reschedule_job"}),
            Message::Resubmit(activation) => json!({"pool": "resubmit", "job": self.job(activation)}),
            _ => return,
        };
        self.log.push(entry);
    }

    fn act(&mut self, action: Action) {
        let entry = match action {
            Action::Create { function, memory_mib, .. } => {
                json!({"container": "create", "memory_mb": memory_mib, "prewarm": function.is_none()})
            }
            Action::Init { activation, .. } => {
                json!({"container": "init", "job": activation.map(|activation| self.job(activation))})
            }
            Action::Run { activation, reschedule, .. } => json!({
                "container": "run", "job": self.job(activation), "reschedule_on_connect_error": reschedule,
            }),
            Action::CollectLogs { activation, .. } => {
                self.collecting.push(activation);
                json!({"container": "logs", "job": self.job(activation)})
            }
            Action::Pause(_) => json!({"container": "pause"}),
            Action::Resume(_) => json!({"container": "resume"}),
            Action::Destroy(_) => json!({"container": "destroy"}),
            Action::HealthPing(_, on) => json!({"health_ping": if on { "on" } else { "off" }}),
            Action::Answer(answer) => return self.answer(answer),
            // Nothing is said of a lost activation.
            Action::Lose(_) => return,
            Action::Reject(..) => json!({"container": format!("{action:?}")}),
        };
        self.log.push(entry);
    }

    fn note(&mut self, note: Note) {
        if let Note::Entered(_, phase) = note {
            self.log.push(json!({"state": phase_name(phase)}));
        }
    }
}
