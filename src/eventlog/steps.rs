//! The steps of a live run: every order of the pool that takes time, from the order to the fact that answers it, as the pool saw
//! it. Owns which fact answers which order; must never judge how long a step took.

use std::collections::BTreeMap;
use std::io::BufRead;

use super::record::Told;
use super::replay::replay;
use super::{Damage, Header, Reader, Replayed, Watcher};
use crate::ids::{ActivationId, ContainerId};
use crate::pool::boundary::{InitOutcome, RunOutcome, Status};
use crate::pool::{Action, Input};
use crate::tally::Observer;
use crate::time::{Span, Time};

/// What is done in a step.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum StepKind {
    /// Creating a container, until its server can be reached.
    Create,
    /// Loading the function's code.
    Init,
    /// The first run after that.
    FirstRun,
    /// Any other run.
    Run,
    /// Collecting logs.
    Logs,
    /// Thawing.
    Unpause,
    /// Freezing.
    Pause,
    /// Removing, thawing before included.
    Remove,
}

impl StepKind {
    /// All of them, in table order.
    pub const ALL: [StepKind; 8] = [
        StepKind::Create,
        StepKind::Init,
        StepKind::FirstRun,
        StepKind::Run,
        StepKind::Logs,
        StepKind::Unpause,
        StepKind::Pause,
        StepKind::Remove,
    ];

    /// As costs have it.
    pub const fn name(self) -> &'static str {
        match self {
            StepKind::Create => "create",
            StepKind::Init => "init",
            StepKind::FirstRun => "first-run",
            StepKind::Run => "run",
            StepKind::Logs => "logs",
            StepKind::Unpause => "unpause",
            StepKind::Pause => "pause",
            StepKind::Remove => "remove",
        }
    }
}

/// One step.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Step {
    /// Its place among all orders that take time: several may be given at one instant.
    pub place: u64,
    /// What was done.
    pub kind: StepKind,
    /// For which function, by number; `None`: a prewarm that had none yet.
    pub function: Option<u32>,
    /// For which invocation, by number; of runs, logs and initialisations.
    pub number: Option<u64>,
    /// When it was ordered.
    pub begun: Time,
    /// When the pool heard that it was done.
    pub ended: Time,
    /// How much of that was waiting for others that were being started.
    pub queued: Span,
    /// How long the action was told to take, if it takes what it is told.
    pub asked: Option<Span>,
    /// The fact.
    pub fact: Input,
}

impl Step {
    /// How long it took, without waiting for others.
    pub fn took(&self) -> Span {
        (self.ended - self.begun).saturating_sub(self.queued)
    }

    /// Whether it went well. An answer with an application error did.
    pub fn is_ok(&self) -> bool {
        match self.fact {
            Input::Created(_, created) => created.is_ok(),
            Input::Initialized(_, outcome) => outcome == InitOutcome::Ok,
            Input::Ran(_, _, outcome) => {
                matches!(outcome, RunOutcome::Answered(Status::Success | Status::ApplicationError))
            }
            Input::LogsCollected(_, _, ok) | Input::Paused(_, ok) | Input::Resumed(_, ok) => ok,
            _ => true,
        }
    }
}

/// An arrival.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Sent {
    /// Its number, from 0.
    pub number: u64,
    /// What was invoked.
    pub function: u32,
    /// When it was due.
    pub due: Time,
    /// When the pool heard of it.
    pub at: Time,
    /// How long it runs by the trace.
    pub run: Span,
}

/// Everything in a log that takes time.
#[derive(Debug)]
pub struct Recording {
    /// What was run, on what.
    pub header: Header,
    /// How the replay went; nothing is known after a difference.
    pub replayed: Replayed,
    /// In the order in which they were answered. A step whose answer the log does not have is missing.
    pub steps: Vec<Step>,
    /// In order.
    pub arrivals: Vec<Sent>,
}

/// Reads a whole log.
///
/// # Errors
/// It is no log, or a damaged one.
pub fn recording(source: impl BufRead) -> Result<Recording, Damage> {
    let (mut reader, header) = Reader::open(source)?;
    let mut gatherer = Gatherer::default();
    let replayed = replay(&mut reader, &header, &mut gatherer)?;
    let Gatherer { steps, arrivals, .. } = gatherer;
    Ok(Recording { header, replayed, steps, arrivals })
}

/// Gathers steps while a log is replayed.
#[derive(Default)]
struct Gatherer {
    steps: Vec<Step>,
    arrivals: Vec<Sent>,
    ordered: u64,
    /// Orders without an answer, by container, kind and activation.
    open: BTreeMap<(ContainerId, StepKind, Option<ActivationId>), Ordered>,
    containers: BTreeMap<ContainerId, Container>,
    /// By activation.
    under_way: BTreeMap<ActivationId, Sent>,
}

/// An order without an answer. Numbers of activations are used again, so whose it is is looked up at once.
#[derive(Clone, Copy)]
struct Ordered {
    place: u64,
    at: Time,
    sent: Option<Sent>,
}

#[derive(Clone, Copy, Default)]
struct Container {
    function: Option<u32>,
    fresh: bool,
}

impl Gatherer {
    fn began(&mut self, at: Time, container: ContainerId, kind: StepKind, activation: Option<ActivationId>) {
        self.began_for(at, container, kind, activation, activation);
    }

    /// `key`: the activation that the answer will name; `whose`: the one that it is done for.
    fn began_for(
        &mut self,
        at: Time,
        container: ContainerId,
        kind: StepKind,
        key: Option<ActivationId>,
        whose: Option<ActivationId>,
    ) {
        let sent = whose.and_then(|activation| self.under_way.get(&activation)).copied();
        let place = self.ordered;
        self.ordered += 1;
        self.open.insert((container, kind, key), Ordered { place, at, sent });
    }

    fn answered(
        &mut self,
        told: &Told,
        container: ContainerId,
        kinds: &[StepKind],
        activation: Option<ActivationId>,
    ) {
        let mut kinds = kinds.iter();
        let found = kinds.find_map(|kind| Some((*kind, self.open.remove(&(container, *kind, activation))?)));
        let Some((kind, Ordered { place, at: begun, sent })) = found else { return };
        let of = self.containers.get(&container).copied().unwrap_or_default();
        let queued = told.measured.as_ref().and_then(|measured| measured.queued_us);
        let is_run = matches!(kind, StepKind::Run | StepKind::FirstRun);
        self.steps.push(Step {
            place,
            kind,
            function: sent.map(|sent| sent.function).or(of.function),
            number: sent.map(|sent| sent.number),
            begun,
            ended: told.t,
            queued: Span(queued.unwrap_or_default()),
            asked: sent.filter(|_| is_run).map(|sent| sent.run),
            fact: told.input,
        });
    }
}

impl Observer for Gatherer {
    fn acted(&mut self, now: Time, action: &Action) {
        match *action {
            Action::Create { container, function, .. } => {
                let function = function.map(|function| function.0);
                self.containers.insert(container, Container { function, ..Container::default() });
                self.began(now, container, StepKind::Create, None);
            }
            Action::Init { container, function, activation } => {
                let of = Container { function: Some(function.0), fresh: true };
                self.containers.insert(container, of);
                self.began_for(now, container, StepKind::Init, None, activation);
            }
            Action::Run { container, activation, .. } => {
                let of = self.containers.entry(container).or_default();
                let fresh = std::mem::replace(&mut of.fresh, false);
                let kind = if fresh { StepKind::FirstRun } else { StepKind::Run };
                self.began(now, container, kind, Some(activation));
            }
            Action::CollectLogs { container, activation } => {
                self.began(now, container, StepKind::Logs, Some(activation));
            }
            Action::Pause(container) => self.began(now, container, StepKind::Pause, None),
            Action::Resume(container) => self.began(now, container, StepKind::Unpause, None),
            Action::Destroy(container) => self.began(now, container, StepKind::Remove, None),
            Action::HealthPing(..) | Action::Answer(_) | Action::Reject(..) | Action::Lose(_) => {}
        }
    }
}

impl Watcher for Gatherer {
    fn told(&mut self, told: &Told) {
        match told.input {
            Input::Arrived { activation, function, .. } => {
                let Some(arrival) = told.arrival else { return };
                let (number, due, run) = (arrival.number, arrival.due, Span(arrival.run_us));
                let sent = Sent { number, function: function.0, due, at: told.t, run };
                self.arrivals.push(sent);
                self.under_way.insert(activation, sent);
            }
            Input::Created(container, _) => self.answered(told, container, &[StepKind::Create], None),
            Input::Initialized(container, _) => self.answered(told, container, &[StepKind::Init], None),
            Input::Ran(container, activation, _) => {
                let kinds = [StepKind::Run, StepKind::FirstRun];
                self.answered(told, container, &kinds, Some(activation));
            }
            Input::LogsCollected(container, activation, _) => {
                self.answered(told, container, &[StepKind::Logs], Some(activation));
            }
            Input::Paused(container, _) => self.answered(told, container, &[StepKind::Pause], None),
            Input::Resumed(container, _) => self.answered(told, container, &[StepKind::Unpause], None),
            Input::Destroyed(container) => {
                self.answered(told, container, &[StepKind::Remove], None);
                self.containers.remove(&container);
            }
            Input::HealthFailed(_) | Input::Resized { .. } | Input::Wake => {}
        }
    }
}
