//! Where a simulation and a live run decided differently, and why. Owns the order in which causes are ruled out; must never
//! guess: a cause is what makes the difference go away when it is put into the simulation.
//!
//! The simulation is run several times over. First as it is; then with the live run's arrivals as they were sent; then with its
//! starts as long as they took; its runs; its pauses, resumes and removals; its failures. An invocation that was decided differently
//! at first is charged to the first of these after which it is decided alike and stays so. What is left although everything
//! went as it did live is due to timers, which fire a little late in real time, if rules, policy and memory are the same; else to
//! those. That the same facts give the same orders, always, is what `faassim replay` shows.

use std::collections::BTreeMap;

use serde::Serialize;

use super::pool_view::{PoolState, PoolView};
use super::side::Class;
use super::substituted::{Departure, Record, Substituted, Taken, arrivals};
use crate::eventlog::steps::{Recording, Sent, StepKind};
use crate::pool::boundary::StartState;
use crate::results::duration;
use crate::scenario::{PoolSetup, Scenario};
use crate::sim::{Answers, CostModel, HeapQueue, Machine, make_pool, simulate};
use crate::tally::{Ending, Observer, Outcome};
use crate::time::{Span, Time};
use crate::trace::Trace;

/// What made a difference.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Cause {
    /// Arrivals were sent later than they were due.
    Arrival,
    /// Creating or initialising containers took another time.
    Start,
    /// Runs, or collecting their logs, took another time.
    Run,
    /// Freezing, thawing or removing took another time.
    Pause,
    /// Something failed.
    Failure,
    /// Timers fired late.
    Timer,
    /// Rules, policy or memory are different.
    Rules,
}

impl Cause {
    /// All of them, in the order in which they are ruled out.
    pub const ALL: [Cause; 7] =
        [Cause::Arrival, Cause::Start, Cause::Run, Cause::Pause, Cause::Failure, Cause::Timer, Cause::Rules];

    /// In words.
    pub const fn name(self) -> &'static str {
        match self {
            Cause::Arrival => "arrival dispatched late",
            Cause::Start => "start took another time",
            Cause::Run => "run took another time",
            Cause::Pause => "pause, resume or removal",
            Cause::Failure => "failure",
            Cause::Timer => "timer fired late",
            Cause::Rules => "rules, policy or memory",
        }
    }

    /// The steps that it is about.
    fn is_about(self, kind: StepKind) -> bool {
        match self {
            Cause::Start => matches!(kind, StepKind::Create | StepKind::Init),
            Cause::Run => matches!(kind, StepKind::Run | StepKind::FirstRun | StepKind::Logs),
            Cause::Pause => matches!(kind, StepKind::Pause | StepKind::Unpause | StepKind::Remove),
            Cause::Arrival | Cause::Failure | Cause::Timer | Cause::Rules => false,
        }
    }
}

/// What is taken from the live run, one thing more each time.
const LADDER: [Taken; 6] = [
    Taken { arrivals: false, starts: false, runs: false, pauses: false, failures: false },
    Taken { arrivals: true, starts: false, runs: false, pauses: false, failures: false },
    Taken { arrivals: true, starts: true, runs: false, pauses: false, failures: false },
    Taken { arrivals: true, starts: true, runs: true, pauses: false, failures: false },
    Taken { arrivals: true, starts: true, runs: true, pauses: true, failures: false },
    Taken::ALL,
];

/// An invocation that was decided differently.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct Divergence {
    /// Its number among all arrivals, from 0.
    pub number: u64,
    /// Its function.
    pub function: String,
    /// When it was due, in s since the beginning of the run.
    pub at_s: f64,
    /// What A decided: warm, partial, cold, unserved.
    pub a: &'static str,
    /// What B decided.
    pub b: &'static str,
    /// What made the difference.
    pub cause: Cause,
}

/// The first of them, with what both pools held when it arrived.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct First {
    /// Which.
    pub divergence: Divergence,
    /// The start state of A in OpenWhisk's words, if it was served.
    pub a_start: Option<&'static str>,
    /// The start state of B.
    pub b_start: Option<&'static str>,
    /// What departed most from the costs, of what the cause is about.
    pub detail: Option<String>,
    /// The pool of A.
    pub a_pool: Option<PoolState>,
    /// The pool of B.
    pub b_pool: Option<PoolState>,
}

/// How many are due to one cause.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
pub struct CauseCount {
    /// The cause.
    pub cause: Cause,
    /// How many.
    pub count: u64,
}

/// Everything about decisions that differ.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct Divergences {
    /// Invocations that both decided about.
    pub compared: u64,
    /// Those decided differently.
    pub diverging: u64,
    /// With everything as it went live: those still decided differently.
    pub left: u64,
    /// Names of functions, as the pools number them.
    pub functions: Vec<String>,
    /// By cause, those that occur.
    pub causes: Vec<CauseCount>,
    /// The first.
    pub first: Option<First>,
    /// All of them, in order of arrival.
    pub all: Vec<Divergence>,
}

impl Divergences {
    /// The same with A and B in each other's place.
    pub fn swapped(mut self) -> Divergences {
        for divergence in &mut self.all {
            std::mem::swap(&mut divergence.a, &mut divergence.b);
        }
        if let Some(first) = &mut self.first {
            std::mem::swap(&mut first.divergence.a, &mut first.divergence.b);
            std::mem::swap(&mut first.a_start, &mut first.b_start);
            std::mem::swap(&mut first.a_pool, &mut first.b_pool);
        }
        self
    }
}

/// What is held against a live run: a scenario with its trace.
#[derive(Clone, Copy, Debug)]
pub struct Hypothesis<'a> {
    /// The scenario.
    pub scenario: &'a Scenario,
    /// Its pool.
    pub setup: &'a PoolSetup,
    /// Its trace; functions in the same order as in the live run.
    pub trace: &'a Trace,
    /// Whether rules, policy and memory are those of the live run.
    pub same_rules: bool,
}

/// Finds where the hypothesis decides otherwise than the live run, and why. `live`: lets somebody watch the live run.
///
/// # Errors
/// The costs of the hypothesis do not fit.
pub fn divergences(
    hypothesis: Hypothesis<'_>,
    recording: &Recording,
    live: &mut dyn FnMut(&mut PoolView),
    decided: &BTreeMap<u64, Class>,
) -> Result<Divergences, String> {
    let Hypothesis { scenario, setup, trace, same_rules } = hypothesis;
    let costs = CostModel::new(scenario.seed, &setup.costs, &setup.failures, &trace.functions)?;
    let record = Record::new(recording);
    let study = Study { hypothesis, costs, record, recording };
    let rungs: Vec<Decisions> =
        LADDER.iter().map(|taken| study.run(*taken, Decisions::default()).0).collect();
    let functions: Vec<String> = trace.functions.iter().map(|function| function.name.clone()).collect();
    let mut found = Divergences {
        compared: 0,
        diverging: 0,
        left: 0,
        functions,
        causes: Vec::new(),
        first: None,
        all: Vec::new(),
    };
    for sent in &recording.arrivals {
        let Some(b) = decided.get(&sent.number) else { continue };
        // What never ended in a simulation was not served there.
        let class = |rung: &Decisions| rung.of(sent.number).unwrap_or(Class::Unserved);
        let a = class(&rungs[0]);
        found.compared += 1;
        if a == *b {
            continue;
        }
        let agrees = |rung: &Decisions| class(rung) == *b;
        let rung = (0..rungs.len()).rev().take_while(|rung| agrees(&rungs[*rung])).last();
        let cause = match rung {
            Some(rung) => Cause::ALL[rung.saturating_sub(1)],
            None if same_rules => Cause::Timer,
            None => Cause::Rules,
        };
        found.diverging += 1;
        found.left += u64::from(rung.is_none());
        found.all.push(Divergence {
            number: sent.number,
            function: found.functions.get(sent.function as usize).cloned().unwrap_or_default(),
            at_s: sent.due.as_secs_f64(),
            a: a.name(),
            b: b.name(),
            cause,
        });
    }
    let count = |cause: Cause| found.all.iter().filter(|other| other.cause == cause).count() as u64;
    let causes = Cause::ALL.into_iter().map(|cause| CauseCount { cause, count: count(cause) });
    found.causes = causes.filter(|count| count.count > 0).collect();
    found.first = found.all.first().map(|divergence| study.first(divergence, live));
    Ok(found)
}

/// A hypothesis and a recording, ready to be run together.
struct Study<'a> {
    hypothesis: Hypothesis<'a>,
    costs: CostModel,
    record: Record,
    recording: &'a Recording,
}

impl Study<'_> {
    /// The simulation with what is taken from the live run, and where that departs from the costs.
    fn run<O: Observer>(&self, taken: Taken, mut observer: O) -> (O, Vec<Departure>) {
        let Hypothesis { scenario, setup, trace, .. } = self.hypothesis;
        let mut pool = make_pool(scenario.seed, scenario.memory, setup, trace, &self.costs);
        let mut departures = Vec::new();
        let imagined = Substituted::new(Answers::new(&self.costs), &self.record, taken, &mut departures);
        let machine = Machine { imagined, contention: setup.costs.contention };
        let sent = arrivals(&self.recording.arrivals, taken.arrivals);
        let queue = &mut HeapQueue::default();
        // Nobody stops it.
        let _ = simulate(&mut pool, None, sent, machine, queue, &mut observer, &mut ());
        (observer, departures)
    }

    fn first(&self, divergence: &Divergence, live: &mut dyn FnMut(&mut PoolView)) -> First {
        let (a, departures) = self.run(LADDER[0], PoolView::of(divergence.number));
        let mut b = PoolView::of(divergence.number);
        live(&mut b);
        let sent = self.recording.arrivals.iter().find(|sent| sent.number == divergence.number);
        First {
            divergence: divergence.clone(),
            a_start: a.start().map(StartState::name),
            b_start: b.start().map(StartState::name),
            detail: sent.and_then(|sent| self.detail(divergence.cause, sent, &departures)),
            a_pool: a.state().cloned(),
            b_pool: b.state().cloned(),
        }
    }

    /// What departed most, shortly before an invocation, from what the costs say.
    fn detail(&self, cause: Cause, sent: &Sent, departures: &[Departure]) -> Option<String> {
        if cause == Cause::Arrival {
            let lag = duration((sent.at - sent.due).as_ms_f64());
            return Some(format!("it was sent {lag} after it was due"));
        }
        // What began later cannot have mattered, and what is long over hardly.
        let from = Time(sent.at.0.saturating_sub(Span::from_secs(60).0));
        let recent = departures
            .iter()
            .filter(|step| cause.is_about(step.kind) && step.begun <= sent.at && step.begun >= from);
        let most = recent.max_by_key(|step| step.recorded.0.abs_diff(step.imagined.0))?;
        let function = self.hypothesis.trace.functions.get(most.function as usize)?;
        Some(format!(
            "of {}, {} at {:.3} s took {} live; {} by the costs, before others slow it down",
            function.name,
            most.kind.name(),
            most.begun.as_secs_f64(),
            duration(most.recorded.as_ms_f64()),
            duration(most.imagined.as_ms_f64()),
        ))
    }
}

/// How each invocation was served, by number.
#[derive(Default, Debug)]
struct Decisions(Vec<Option<Class>>);

impl Decisions {
    fn of(&self, number: u64) -> Option<Class> {
        self.0.get(number as usize).copied().flatten()
    }
}

impl Observer for Decisions {
    fn ended(&mut self, ending: &Ending) {
        let at = ending.number as usize;
        if at >= self.0.len() {
            self.0.resize(at + 1, None);
        }
        self.0[at] = Some(match &ending.outcome {
            Outcome::Answered(answer) => Class::of(answer.start),
            Outcome::Refused(_) | Outcome::Lost => Class::Unserved,
        });
    }
}
