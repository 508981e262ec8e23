//! A simulation in which some things go as they went in a live run: the cost model's answers, with those steps that are asked for
//! put in from a recording. Owns which recorded step stands for which imagined one; must never decide what follows.

use std::collections::BTreeMap;

use crate::eventlog::steps::{Recording, Sent, Step, StepKind};
use crate::ids::{ActivationId, ContainerId};
use crate::pool::Input;
use crate::pool::boundary::Action;
use crate::sim::{Imagined, Work};
use crate::time::{Span, Time};
use crate::trace::Arrival;

/// What is taken from the recording.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Taken {
    /// When arrivals were sent.
    pub arrivals: bool,
    /// How long creating and initialising took.
    pub starts: bool,
    /// How long runs took, and collecting their logs.
    pub runs: bool,
    /// How long freezing, thawing and removing took.
    pub pauses: bool,
    /// What failed.
    pub failures: bool,
}

impl Taken {
    /// Everything.
    pub const ALL: Taken = Taken { arrivals: true, starts: true, runs: true, pauses: true, failures: true };

    fn has(self, kind: StepKind) -> bool {
        match kind {
            StepKind::Create | StepKind::Init => self.starts,
            StepKind::Run | StepKind::FirstRun | StepKind::Logs => self.runs,
            StepKind::Pause | StepKind::Unpause | StepKind::Remove => self.pauses,
        }
    }
}

/// A step that took another time in the recording than was imagined.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Departure {
    /// What was done.
    pub kind: StepKind,
    /// For which function.
    pub function: u32,
    /// When it was ordered in the recording.
    pub begun: Time,
    /// How long it took there.
    pub recorded: Span,
    /// How long it was imagined to take.
    pub imagined: Span,
}

/// What is recorded, ready to be looked up.
#[derive(Debug)]
pub struct Record {
    /// By what they are about, in the order in which they were ordered.
    steps: BTreeMap<Key, Vec<Step>>,
}

/// What steps are about: runs, logs and initialisations an invocation, the others a function.
type Key = (StepKind, Option<u64>, Option<u32>);

fn key(kind: StepKind, number: Option<u64>, function: Option<u32>) -> Key {
    match kind {
        StepKind::Init | StepKind::Logs if number.is_some() => (kind, number, None),
        StepKind::Run | StepKind::FirstRun => (StepKind::Run, number, None),
        _ => (kind, None, function),
    }
}

impl Record {
    /// Of a recording.
    pub fn new(recording: &Recording) -> Record {
        let mut steps: BTreeMap<Key, Vec<Step>> = BTreeMap::new();
        for step in &recording.steps {
            steps.entry(key(step.kind, step.number, step.function)).or_default().push(*step);
        }
        for alike in steps.values_mut() {
            alike.sort_by_key(|step| step.place);
        }
        Record { steps }
    }

    /// The `nth` step about something. Of an invocation that was tried more often than it was then, the last.
    fn nth(&self, key: Key, nth: usize) -> Option<Step> {
        let alike = self.steps.get(&key)?;
        alike.get(nth).or_else(|| alike.last().filter(|_| key.1.is_some())).copied()
    }
}

/// The simulation. `I` answers what is not taken from the record.
pub struct Substituted<'r, I> {
    imagined: I,
    record: &'r Record,
    taken: Taken,
    containers: BTreeMap<ContainerId, Container>,
    /// How many steps there were about something.
    nth: BTreeMap<Key, usize>,
    /// Where the recording departs from what was imagined, in no particular order.
    departures: &'r mut Vec<Departure>,
    /// Whether the step just answered was taken from the record.
    was_taken: bool,
}

#[derive(Clone, Copy, Default)]
struct Container {
    function: Option<u32>,
    /// Initialised, but has not run anything yet.
    fresh: bool,
}

impl<'r, I: Imagined> Substituted<'r, I> {
    /// `imagined` with what is `taken` from the record. Where the record departs from it goes into `departures`.
    pub fn new(
        imagined: I,
        record: &'r Record,
        taken: Taken,
        departures: &'r mut Vec<Departure>,
    ) -> Substituted<'r, I> {
        Substituted {
            imagined,
            record,
            taken,
            containers: BTreeMap::new(),
            nth: BTreeMap::new(),
            departures,
            was_taken: false,
        }
    }

    fn recorded(&mut self, kind: StepKind, container: ContainerId, work: Option<Work>) -> Option<Step> {
        let function = self.containers.get(&container).and_then(|of| of.function);
        let key = key(kind, work.map(|work| work.number), function);
        let nth = self.nth.entry(key).or_default();
        *nth += 1;
        self.record.nth(key, *nth - 1)
    }

    /// The answer as it was recorded, as far as that is taken.
    fn put_in(&mut self, now: Time, step: &Step, (at, input): (Time, Input)) -> (Time, Input) {
        let (recorded, imagined) = (step.ended - step.begun, at - now);
        if let Some(function) = step.function {
            let Step { kind, begun, .. } = *step;
            self.departures.push(Departure { kind, function, begun, recorded, imagined });
        }
        self.was_taken = self.taken.has(step.kind);
        let at = if self.was_taken { now + recorded } else { at };
        (at, if self.taken.failures { as_recorded(&input, &step.fact) } else { input })
    }
}

/// The recorded outcome of the imagined fact.
fn as_recorded(input: &Input, recorded: &Input) -> Input {
    match (*input, *recorded) {
        (Input::Created(id, _), Input::Created(_, outcome)) => Input::Created(id, outcome),
        (Input::Initialized(id, _), Input::Initialized(_, outcome)) => Input::Initialized(id, outcome),
        (Input::Ran(id, activation, _), Input::Ran(_, _, outcome)) => Input::Ran(id, activation, outcome),
        (Input::LogsCollected(id, activation, _), Input::LogsCollected(_, _, ok)) => {
            Input::LogsCollected(id, activation, ok)
        }
        (Input::Paused(id, _), Input::Paused(_, ok)) => Input::Paused(id, ok),
        (Input::Resumed(id, _), Input::Resumed(_, ok)) => Input::Resumed(id, ok),
        (same, _) => same,
    }
}

impl<I: Imagined> Imagined for Substituted<'_, I> {
    fn warm_run(&self, number: u64, arrival: &Arrival) -> Span {
        self.imagined.warm_run(number, arrival)
    }

    fn by_clock(&mut self, input: &Input, work: Option<Work>) -> Span {
        // What was recorded was slowed down then.
        if std::mem::take(&mut self.was_taken) { Span::FOREVER } else { self.imagined.by_clock(input, work) }
    }

    fn run(&mut self, now: Time, id: ContainerId, activation: ActivationId, work: Work) -> (Time, Input) {
        self.was_taken = false;
        let answer = self.imagined.run(now, id, activation, work);
        let fresh = self.containers.get_mut(&id).is_some_and(|of| std::mem::take(&mut of.fresh));
        let kind = if fresh { StepKind::FirstRun } else { StepKind::Run };
        match self.recorded(kind, id, Some(work)) {
            // What a run took in a fresh container says nothing of one in a warm one.
            Some(step) if step.kind == kind => self.put_in(now, &step, answer),
            _ => answer,
        }
    }

    fn answer(&mut self, now: Time, action: &Action, work: Option<Work>) -> Option<(Time, Input)> {
        self.was_taken = false;
        let answer = self.imagined.answer(now, action, work)?;
        let (kind, container) = match *action {
            Action::Create { container, function, .. } => {
                let function = function.map(|function| function.0);
                self.containers.insert(container, Container { function, fresh: false });
                (StepKind::Create, container)
            }
            Action::Init { container, function, .. } => {
                self.containers.insert(container, Container { function: Some(function.0), fresh: true });
                (StepKind::Init, container)
            }
            Action::Run { container, .. } => (StepKind::Run, container),
            Action::CollectLogs { container, .. } => (StepKind::Logs, container),
            Action::Pause(container) => (StepKind::Pause, container),
            Action::Resume(container) => (StepKind::Unpause, container),
            Action::Destroy(container) => (StepKind::Remove, container),
            Action::HealthPing(..) | Action::Answer(_) | Action::Reject(..) | Action::Lose(_) => {
                return Some(answer);
            }
        };
        Some(match self.recorded(kind, container, work) {
            Some(step) => self.put_in(now, &step, answer),
            None => answer,
        })
    }
}

/// The arrivals of a recording: when they were sent, or when they were due.
pub fn arrivals(sent: &[Sent], as_sent: bool) -> impl Iterator<Item = Arrival> + '_ {
    sent.iter().map(move |sent| Arrival {
        time: if as_sent { sent.at } else { sent.due },
        function: sent.function,
        duration: Some(sent.run),
    })
}
