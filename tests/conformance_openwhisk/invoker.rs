//! Level `invoker`: the whole pool under a small driver with constant durations; only outcomes are compared. Must never
//! decide anything but how long things take.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};

use faassim::ids::{ActivationId, ContainerId, FunctionId};
use faassim::memory::Memory;
use faassim::pool::boundary::{
    Action as Order, Answer, CreateFault, InitOutcome, Note, Phase, RunOutcome, Sink, Status,
};
use faassim::pool::{Input, Pool, Setup, order};
use faassim::time::{Span, Time};
use serde_json::{Map, Value, json};

use crate::case::{Action, Case, Step, number, text};
use crate::compare::{Mismatch, agree, agree_on};
use crate::fixture::{self, Functions, Keep, status_name};
use crate::proxy::{init_outcome, run_outcome};

/// What counts of an activation.
const ACTIVATION: &[&str] = &[
    "arrival",
    "container",
    "start",
    "dispatched_at",
    "wait_ms",
    "init_ms",
    "duration_ms",
    "status",
    "completed_at",
];

/// What counts of a container.
const CONTAINER: &[&str] = &["created_at", "prewarm", "memory_mb", "pauses", "removed_at", "runs"];

/// Plays a case.
pub fn play(case: &Case) -> Result<Vec<Mismatch>, String> {
    let mut functions = Functions::of(case)?;
    let stem_cells = fixture::stem_cells(&case.config, &mut functions)?;
    let mut rules = fixture::rules(case)?;
    // The check is an event of the case.
    rules.prewarm_check_delay = Span::FOREVER;
    let setup = Setup {
        evict: fixture::eviction(case, &rules)?,
        rules,
        memory: Memory(number(&case.config, "user_memory_mb")?),
        functions: functions.specs.clone(),
        stem_cells,
        keep_alive: Box::new(Keep::of(case)),
    };
    let mut driver =
        Driver { pool: Pool::new(setup), world: World::new(case, functions)?, queue: BinaryHeap::new() };
    driver.run(case)?;
    Ok(driver.compare(&case.expect))
}

/// Something that will happen: when, its rank among simultaneous inputs, its number, and what.
type Due = Reverse<(Time, (u8, u32, u32), usize)>;

struct Driver {
    pool: Pool,
    world: World,
    queue: BinaryHeap<Due>,
}

impl Driver {
    fn run(&mut self, case: &Case) -> Result<(), String> {
        let mut end = Time::NEVER;
        self.pool.start(Time::ZERO, &mut self.world);
        for step in &case.steps {
            match step.name() {
                "activation" => self.world.plan_arrival(case, step)?,
                "prewarm_check" => self.world.plan(Time::from_ms(step.t), Happening::PrewarmCheck),
                "end" => end = Time::from_ms(step.t),
                other => return Err(format!("unknown event `{other}`")),
            }
        }
        loop {
            for (ix, at, rank) in self.world.planned.drain(..) {
                self.queue.push(Reverse((at, rank, ix)));
            }
            let due = self.queue.peek().map(|Reverse((at, rank, _))| (*at, *rank));
            let wake = self.pool.next_wake().map(|at| (at, order(&Input::Wake)));
            let Some(next) = due.into_iter().chain(wake).min().filter(|(at, _)| *at <= end) else { break };
            self.world.now = next.0;
            if due == Some(next) {
                let Some(Reverse((_, _, ix))) = self.queue.pop() else { break };
                match self.world.happenings[ix] {
                    Happening::Told(input) => self.pool.handle(next.0, input, &mut self.world),
                    Happening::PrewarmCheck => self.pool.check_prewarms(next.0, &mut self.world),
                }
            } else {
                self.pool.handle(next.0, Input::Wake, &mut self.world);
            }
            self.pool.audit().map_err(|why| format!("audit at {} ms: {why}", next.0.as_ms_f64()))?;
        }
        Ok(())
    }

    fn compare(&self, expect: &Value) -> Vec<Mismatch> {
        let mut mismatches = Vec::new();
        let mut note = |same: bool, channel: &str, expected: &Value, got: &Value| {
            if !same {
                mismatches.push(Mismatch::new(None, channel, expected, got));
            }
        };
        let activations = self.world.activations();
        for name in names(&expect["activations"], &activations) {
            let (expected, got) = (&expect["activations"][name], &activations[name]);
            note(activation_agrees(expected, got), &format!("activation {name}"), expected, got);
        }
        let containers = self.world.containers();
        for name in names(&expect["containers"], &containers) {
            let (expected, got) = (&expect["containers"][name], &containers[name]);
            note(agree_on(CONTAINER, expected, got), &format!("container {name}"), expected, got);
        }
        let credits = json!(self.world.credits);
        let expected = &expect["feed_credits"];
        note(expected.is_null() || agree(expected, &credits), "feed_credits", expected, &credits);
        let state = self.final_state();
        let expected = &expect["final_state"];
        note(
            expected.is_null() || fixture::pool_states_agree(expected, &state),
            "final_state",
            expected,
            &state,
        );
        mismatches
    }

    fn final_state(&self) -> Value {
        let dispatcher = self.pool.dispatcher();
        fixture::pool_state(
            dispatcher,
            &self.world.functions,
            |slot| self.world.name(dispatcher.container_id(slot)),
            |activation| self.world.runs[activation.ix()].name.clone(),
        )
    }
}

/// The names in either of two objects.
fn names<'a>(expected: &'a Value, got: &'a Value) -> Vec<&'a String> {
    let of = |value: &'a Value| value.as_object().into_iter().flat_map(Map::keys);
    let mut names: Vec<&String> = of(expected).chain(of(got)).collect();
    names.sort();
    names.dedup();
    names
}

fn activation_agrees(expected: &Value, got: &Value) -> bool {
    let is_true = |value: &Value| !matches!(value, Value::Null | Value::Bool(false));
    let flags = ["timeout", "resubmitted", "aborted"];
    // An aborted activation has no run, so what is told of it is open.
    let counts = |name: &&&str| !is_true(&expected["aborted"]) || !expected[**name].is_null();
    let names: Vec<&str> = ACTIVATION.iter().filter(counts).copied().collect();
    agree_on(&names, expected, got)
        && flags.iter().all(|flag| is_true(&expected[*flag]) == is_true(&got[*flag]))
        && (expected["handed_at"].is_null() || agree(&expected["handed_at"], &got["handed_at"]))
}

/// Something that happens to the pool.
#[derive(Clone, Copy)]
enum Happening {
    Told(Input),
    PrewarmCheck,
}

/// One activation: what it will do, and what became of it.
struct Run {
    name: String,
    function: FunctionId,
    run: Span,
    init: Span,
    limit: Span,
    outcome: RunOutcome,
    init_outcome: InitOutcome,
    arrival: Time,
    handed: Option<Time>,
    /// Container, start state and time of the last dispatch.
    dispatched: Option<(String, &'static str, Time)>,
    answer: Option<(Answer, Time)>,
    timeout: bool,
    resubmitted: bool,
    /// Init or run was ordered.
    began: bool,
}

/// One container as seen from outside.
struct Seen {
    created: Time,
    prewarm: bool,
    memory_mib: u32,
    pauses: Vec<(Time, Option<Time>)>,
    removed: Option<Time>,
    runs: Vec<String>,
}

struct Durations {
    create: Span,
    logs: Span,
    pause: Span,
    unpause: Span,
    destroy: Span,
}

/// Everything outside the pool.
struct World {
    functions: Functions,
    durations: Durations,
    now: Time,
    runs: Vec<Run>,
    /// Numbers of the containers, in the order in which the pool asked for them.
    numbers: BTreeMap<(u32, u32), usize>,
    seen: Vec<Seen>,
    happenings: Vec<Happening>,
    planned: Vec<(usize, Time, (u8, u32, u32))>,
    credits: u64,
}

impl World {
    fn new(case: &Case, functions: Functions) -> Result<World, String> {
        let span = |name: &str| Span::from_ms(case.config["durations"][name].as_u64().unwrap_or(0));
        let durations = Durations {
            create: span("create_ms"),
            logs: span("logs_ms"),
            pause: span("pause_ms"),
            unpause: span("unpause_ms"),
            destroy: span("destroy_ms"),
        };
        Ok(World {
            functions,
            durations,
            now: Time::ZERO,
            runs: Vec::new(),
            numbers: BTreeMap::new(),
            seen: Vec::new(),
            happenings: Vec::new(),
            planned: Vec::new(),
            credits: 0,
        })
    }

    fn plan(&mut self, at: Time, happening: Happening) {
        let rank = match happening {
            Happening::Told(input) => order(&input),
            Happening::PrewarmCheck => (1, 1, 0),
        };
        self.planned.push((self.happenings.len(), at, rank));
        self.happenings.push(happening);
    }

    fn answer_after(&mut self, span: Span, input: Input) {
        self.plan(self.now + span, Happening::Told(input));
    }

    fn plan_arrival(&mut self, case: &Case, step: &Step) -> Result<(), String> {
        let run = planned_run(case, step, self.functions.of_event(&step.event)?)?;
        let activation = ActivationId(self.runs.len() as u32);
        let blocking = step.event["blocking"].as_bool().unwrap_or(false);
        self.plan(
            run.arrival,
            Happening::Told(Input::Arrived { activation, function: run.function, blocking }),
        );
        self.runs.push(run);
        Ok(())
    }

    fn name(&self, id: ContainerId) -> String {
        self.numbers
            .get(&(id.slot, id.epoch))
            .map_or_else(|| format!("{id:?}"), |number| format!("c{number}"))
    }

    fn seen(&mut self, id: ContainerId) -> &mut Seen {
        &mut self.seen[self.numbers[&(id.slot, id.epoch)]]
    }

    fn appeared(&mut self, id: ContainerId, memory_mib: u32, prewarm: bool) {
        self.numbers.insert((id.slot, id.epoch), self.seen.len());
        let (pauses, runs) = (Vec::new(), Vec::new());
        self.seen.push(Seen { created: self.now, prewarm, memory_mib, pauses, removed: None, runs });
    }

    fn entered(&mut self, id: ContainerId, phase: Phase) {
        let now = self.now;
        let seen = self.seen(id);
        if let Some((_, resumed @ None)) = seen.pauses.last_mut() {
            *resumed = Some(now);
        }
        match phase {
            Phase::Paused => seen.pauses.push((now, None)),
            Phase::Removing | Phase::Stopped => seen.removed = seen.removed.or(Some(now)),
            _ => {}
        }
    }

    fn activations(&self) -> Value {
        self.runs
            .iter()
            .filter(|run| run.arrival <= self.now)
            .map(|run| (run.name.clone(), run.record()))
            .collect()
    }

    fn containers(&self) -> Value {
        let record = |seen: &Seen| {
            let pauses: Vec<Value> =
                seen.pauses.iter().map(|(from, to)| json!([ms(*from), to.map(ms)])).collect();
            json!({
                "created_at": ms(seen.created), "prewarm": seen.prewarm, "memory_mb": seen.memory_mib,
                "pauses": pauses, "removed_at": seen.removed.map(ms), "runs": seen.runs,
            })
        };
        self.seen.iter().enumerate().map(|(number, seen)| (format!("c{number}"), record(seen))).collect()
    }
}

fn planned_run(case: &Case, step: &Step, function: FunctionId) -> Result<Run, String> {
    let (event, durations) = (&step.event, &case.config["durations"]);
    let action: &Action = case.action(&text(event, "action")?)?;
    let fallback = |name: &str| durations[name].as_u64().unwrap_or(0);
    let run_ms = event["run_ms"].as_u64().or(action.run_ms).unwrap_or_else(|| fallback("run_ms"));
    let init_ms = event["init_ms"].as_u64().or(action.init_ms).unwrap_or_else(|| fallback("init_ms"));
    let init_status = event["init_status"].as_str();
    Ok(Run {
        name: text(event, "id")?,
        function,
        run: Span::from_ms(run_ms),
        init: Span::from_ms(init_ms),
        limit: Span::from_ms(action.timeout_ms),
        outcome: run_outcome(event["status"].as_str().unwrap_or("success"))?,
        init_outcome: init_outcome(matches!(init_status, None | Some("success" | "ok")), init_status)?,
        arrival: Time::from_ms(step.t),
        handed: None,
        dispatched: None,
        answer: None,
        timeout: false,
        resubmitted: false,
        began: false,
    })
}

impl Run {
    fn record(&self) -> Value {
        let mut record = json!({"arrival": ms(self.arrival), "handed_at": self.handed.map(ms)});
        if let Some((container, start, at)) = &self.dispatched {
            record["container"] = json!(container);
            record["start"] = json!(start);
            record["dispatched_at"] = json!(ms(*at));
        }
        if let Some((answer, at)) = &self.answer {
            record["wait_ms"] = json!(answer.wait.whole_ms());
            record["init_ms"] = json!(answer.init.map(Span::whole_ms));
            record["duration_ms"] = json!(answer.duration.whole_ms());
            record["status"] = json!(status_name(answer.status));
            record["completed_at"] = json!(ms(*at));
            record["aborted"] = json!(!self.began);
        }
        record["timeout"] = json!(self.timeout);
        record["resubmitted"] = json!(self.resubmitted);
        record
    }
}

fn ms(time: Time) -> u64 {
    time.0 / 1_000
}

impl Sink for World {
    fn act(&mut self, order: Order) {
        match order {
            Order::Create { container, .. } => {
                self.answer_after(
                    self.durations.create,
                    Input::Created(container, Ok::<(), CreateFault>(())),
                );
            }
            Order::Init { container, activation, .. } => {
                let Some(run) = activation.map(|activation| &mut self.runs[activation.ix()]) else { return };
                run.began = true;
                let (mut span, mut outcome) = (run.init, run.init_outcome);
                if span >= run.limit {
                    (span, outcome) = (run.limit, InitOutcome::Failed(Status::DeveloperError));
                    run.timeout = true;
                }
                self.answer_after(span, Input::Initialized(container, outcome));
            }
            Order::Run { container, activation, reschedule } => {
                let run = &mut self.runs[activation.ix()];
                run.began = true;
                let (mut span, mut outcome) = (run.run, run.outcome);
                if outcome == RunOutcome::Unreachable && !reschedule {
                    // The connection is what failed, and only that of the idle container.
                    outcome = RunOutcome::Answered(Status::Success);
                }
                if span >= run.limit {
                    (span, outcome) = (run.limit, RunOutcome::Answered(Status::DeveloperError));
                    run.timeout = true;
                }
                self.answer_after(span, Input::Ran(container, activation, outcome));
            }
            Order::CollectLogs { container, activation } => {
                self.answer_after(self.durations.logs, Input::LogsCollected(container, activation, true));
            }
            Order::Pause(container) => {
                self.answer_after(self.durations.pause, Input::Paused(container, true))
            }
            Order::Resume(container) => {
                self.answer_after(self.durations.unpause, Input::Resumed(container, true))
            }
            Order::Destroy(container) => {
                self.answer_after(self.durations.destroy, Input::Destroyed(container))
            }
            Order::Answer(answer) if answer.last() => {
                self.runs[answer.activation.ix()].answer = Some((answer, self.now));
            }
            Order::Answer(_) | Order::HealthPing(..) | Order::Reject(..) | Order::Lose(_) => {}
        }
    }

    fn note(&mut self, note: Note) {
        match note {
            Note::Allotted { container, memory_mib, .. } => self.appeared(container, memory_mib, false),
            Note::Prewarm { container: Some(container), memory_mib, .. } => {
                self.appeared(container, memory_mib, true);
            }
            Note::Dispatched { activation, container, start, .. } => {
                let name = self.name(container);
                let run = &mut self.runs[activation.ix()];
                run.dispatched = Some((name, start.name(), self.now));
                let job = run.name.clone();
                self.seen(container).runs.push(job);
            }
            Note::Handed(activation) => self.runs[activation.ix()].handed = Some(self.now),
            Note::Resubmitted(activation) => self.runs[activation.ix()].resubmitted = true,
            Note::Entered(container, phase) => self.entered(container, phase),
            Note::Credit => self.credits += 1,
            _ => {}
        }
    }
}
