//! How a platform that is only imagined answers the pool's orders: what each takes by the cost model, and whether it
//! fails. Owns the running numbers by which costs are drawn; must never schedule anything itself. Two use it: the simulator, in
//! virtual time, and the live driver's fake backend.

use std::collections::BTreeMap;
use std::ops::Deref;

use super::costs::{CostModel, Draw};
use crate::ids::{ActivationId, ContainerId, FunctionId, KindId};
use crate::pool::Input;
use crate::pool::boundary::{Action, CreateFault, InitOutcome, RunOutcome, Status};
use crate::time::{Span, Time};
use crate::trace::Arrival;

/// A platform that is imagined: what becomes of the pool's orders, and when.
pub trait Imagined {
    /// How long a warm run of an arrival takes.
    fn warm_run(&self, number: u64, arrival: &Arrival) -> Span;
    /// What of a step, at its end, cannot be slowed down. Only asked where steps slow each other down.
    fn by_clock(&mut self, input: &Input, work: Option<Work>) -> Span;
    /// When a run ends, and the fact then.
    fn run(&mut self, now: Time, id: ContainerId, activation: ActivationId, work: Work) -> (Time, Input);
    /// When an order is carried out, and the fact then; `None` for orders that nothing comes of. `work`: the activation
    /// that running, initialising or collecting logs is about.
    fn answer(&mut self, now: Time, action: &Action, work: Option<Work>) -> Option<(Time, Input)>;
}

/// An activation as far as its costs go.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Work {
    /// Its number among all arrivals, from 0.
    pub number: u64,
    /// What is invoked.
    pub function: u32,
    /// How long it runs in a warm container.
    pub run: Span,
}

/// The imagined platform. `C` refers to its cost model.
pub struct Answers<C> {
    costs: C,
    containers: Vec<Container>,
    /// When the image of each kind is there.
    pulled: BTreeMap<KindId, Time>,
    counts: Counts,
}

/// Running numbers by which costs are drawn.
#[derive(Default)]
struct Counts {
    created: u64,
    thawed: u64,
    frozen: u64,
}

/// What is known of a container.
#[derive(Clone, Copy, Default)]
struct Container {
    number: u64,
    function: u32,
    /// Initialised, but has not run anything yet.
    fresh: bool,
}

impl<C: Deref<Target = CostModel>> Answers<C> {
    /// Nothing has been ordered yet.
    pub fn new(costs: C) -> Answers<C> {
        Answers { costs, containers: Vec::new(), pulled: BTreeMap::new(), counts: Counts::default() }
    }

    fn container(&mut self, id: ContainerId) -> &mut Container {
        let ix = id.slot as usize;
        if ix >= self.containers.len() {
            self.containers.resize(ix + 1, Container::default());
        }
        &mut self.containers[ix]
    }
}

impl<C: Deref<Target = CostModel>> Imagined for Answers<C> {
    #[inline]
    fn warm_run(&self, number: u64, arrival: &Arrival) -> Span {
        self.costs.run(arrival.function, number, arrival.duration)
    }

    fn by_clock(&mut self, input: &Input, work: Option<Work>) -> Span {
        if !self.costs.goes_by_clock() {
            return Span::ZERO;
        }
        match (input, work) {
            (Input::Initialized(container, _), _) => {
                let function = self.container(*container).function;
                self.costs.traced_init(function)
            }
            (Input::Ran(..), Some(work)) if self.costs.runs_by_trace(work.function) => work.run,
            _ => Span::ZERO,
        }
    }

    #[inline]
    fn run(&mut self, now: Time, id: ContainerId, activation: ActivationId, work: Work) -> (Time, Input) {
        let took = if self.costs.has_first_runs() { self.first_or(id, work) } else { work.run };
        let fails = self.costs.fails(Draw::Run, work.number);
        let status = if fails { Status::DeveloperError } else { Status::Success };
        (now + took, Input::Ran(id, activation, RunOutcome::Answered(status)))
    }

    #[inline(never)]
    fn answer(&mut self, now: Time, action: &Action, work: Option<Work>) -> Option<(Time, Input)> {
        Some(match *action {
            Action::Create { container, function, kind, .. } => self.create(now, container, function, kind),
            Action::Init { container, function, .. } => self.init(now, container, function),
            Action::Run { container, activation, .. } => self.run(now, container, activation, work?),
            Action::CollectLogs { container, activation } => {
                let Work { number, .. } = work?;
                let ok = !self.costs.fails(Draw::Logs, number);
                let at = self.step(now, container, Draw::Logs, number);
                (at, Input::LogsCollected(container, activation, ok))
            }
            Action::Pause(container) => {
                let number = self.counts.frozen;
                self.counts.frozen += 1;
                let ok = !self.costs.fails(Draw::Pause, number);
                (self.step(now, container, Draw::Pause, number), Input::Paused(container, ok))
            }
            Action::Resume(container) => {
                let number = self.counts.thawed;
                self.counts.thawed += 1;
                let ok = !self.costs.fails(Draw::Unpause, number);
                (self.step(now, container, Draw::Unpause, number), Input::Resumed(container, ok))
            }
            Action::Destroy(container) => {
                let number = self.container(container).number;
                (self.step(now, container, Draw::Remove, number), Input::Destroyed(container))
            }
            Action::HealthPing(..) | Action::Answer(_) | Action::Reject(..) | Action::Lose(_) => return None,
        })
    }
}

impl<C: Deref<Target = CostModel>> Answers<C> {
    /// When the image of `kind` is there; the first to ask fetches it, the others wait with it.
    fn pulled(&mut self, now: Time, kind: KindId, function: u32) -> Time {
        let costs = &self.costs;
        *self.pulled.entry(kind).or_insert_with(|| now + costs.step(function, Draw::Pull, u64::from(kind.0)))
    }

    fn create(
        &mut self,
        now: Time,
        id: ContainerId,
        function: Option<FunctionId>,
        kind: KindId,
    ) -> (Time, Input) {
        let number = self.counts.created;
        self.counts.created += 1;
        // A prewarm has no function; it costs what the first function of the trace costs, which is
        // exact where costs are the same for all.
        let function = function.map_or(0, |function| function.0);
        *self.container(id) = Container { number, function, fresh: false };
        let result = if self.costs.fails(Draw::Create, number) { Err(CreateFault::Platform) } else { Ok(()) };
        let start = self.pulled(now, kind, function).max(now);
        (start + self.costs.step(function, Draw::Create, number), Input::Created(id, result))
    }

    fn init(&mut self, now: Time, id: ContainerId, function: FunctionId) -> (Time, Input) {
        let container = self.container(id);
        container.function = function.0;
        container.fresh = true;
        let number = container.number;
        let fails = self.costs.fails(Draw::Init, number);
        let outcome = if fails { InitOutcome::Failed(Status::DeveloperError) } else { InitOutcome::Ok };
        (now + self.costs.step(function.0, Draw::Init, number), Input::Initialized(id, outcome))
    }

    /// How long a run takes where the first one in a fresh container differs.
    #[inline(never)]
    fn first_or(&mut self, id: ContainerId, work: Work) -> Span {
        let fresh = std::mem::replace(&mut self.container(id).fresh, false);
        if fresh { self.costs.first_run(work.function, work.number).unwrap_or(work.run) } else { work.run }
    }

    fn step(&mut self, now: Time, id: ContainerId, what: Draw, number: u64) -> Time {
        let function = self.container(id).function;
        now + self.costs.step(function, what, number)
    }
}
