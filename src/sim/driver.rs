//! The simulation loop: the earliest of the next arrival, the next completion and the pool's next
//! wake. Owns virtual time and carries out the pool's orders by scheduling their answers; must never
//! decide what the pool should.

use std::collections::BTreeMap;

use super::costs::{CostModel, Draw};
use super::queue::EventQueue;
use crate::elastic::Controller;
use crate::ids::{ActivationId, ContainerId, FunctionId, KindId};
use crate::memory::Memory;
use crate::pool::boundary::{Action, CreateFault, InitOutcome, RunOutcome, Status};
use crate::pool::{Input, Note, Pool, Sink};
use crate::tally::{Ending, Observer, Outcome};
use crate::time::{Span, Time};
use crate::trace::Arrival;

/// How far the loop is, for progress and for stopping it.
pub trait Control {
    /// Called every few thousand steps; `false` stops the run.
    fn proceed(&mut self, invocations: u64, now: Time) -> bool;
}

/// Never stops and tells nobody.
impl Control for () {
    fn proceed(&mut self, _invocations: u64, _now: Time) -> bool {
        true
    }
}

/// The run was stopped from outside before its end.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Stopped;

/// How the run ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct End {
    /// Arrivals.
    pub invocations: u64,
    /// When the last activation ended.
    pub at: Time,
    /// Activations that were still waiting when nothing could happen any more.
    pub unserved: u64,
}

/// How often [`Control::proceed`] is asked.
const CONTROL_EVERY: u64 = 1 << 14;

/// After the last arrival, activations may still wait for leases to end: how long after the last arrival
/// that is awaited.
const PATIENCE: Span = Span::from_secs(7 * 86_400);

/// Runs a trace through a pool, whose memory `elastic` changes if it is given.
///
/// # Errors
/// [`Stopped`] if `control` said so.
pub fn simulate(
    pool: &mut Pool,
    elastic: Option<Controller>,
    arrivals: impl Iterator<Item = Arrival>,
    costs: &CostModel,
    queue: &mut impl EventQueue,
    observer: &mut impl Observer,
    control: &mut (impl Control + ?Sized),
) -> Result<End, Stopped> {
    let mut world = World {
        now: Time::ZERO,
        queue,
        costs,
        observer,
        flights: Flights::default(),
        containers: Vec::new(),
        pulled: BTreeMap::new(),
        counts: Counts::default(),
        not_warm: 0,
    };
    let mut arrivals = arrivals;
    let mut next = arrivals.next();
    let (mut invocations, mut steps) = (0_u64, 0_u64);
    let mut last_arrival = Time::ZERO;
    world.now = next.map_or(Time::ZERO, |first| first.time);
    let mut scaling = elastic.map(|controller| Scaling::new(controller, world.now));
    let mut due = scaling.as_ref().map_or(Time::NEVER, |scaling| scaling.due);
    pool.start(world.now, &mut world);
    loop {
        if steps.is_multiple_of(CONTROL_EVERY) && !control.proceed(invocations, world.now) {
            return Err(Stopped);
        }
        steps += 1;
        let arrival = next.map_or(Time::NEVER, |arrival| arrival.time);
        let event = world.queue.next_time();
        let wake = pool.next_wake().unwrap_or(Time::NEVER);
        if due <= wake.min(arrival) && due < event && arrival != Time::NEVER {
            world.now = world.now.max(due);
            due = world.look(pool, &mut scaling, invocations);
            continue;
        }
        let over = arrival == Time::NEVER
            && (world.flights.under_way == 0 || event.min(wake) > last_arrival + PATIENCE);
        if over {
            break;
        }
        // At the same instant: what containers report, then the wake, then arrivals (`pool::order`).
        if event <= wake && event <= arrival {
            let (time, input) = world.queue.pop();
            world.now = time;
            pool.handle(time, input, &mut world);
        } else if wake <= arrival {
            world.now = world.now.max(wake);
            pool.handle(world.now, Input::Wake, &mut world);
        } else if let Some(arrival) = next {
            next = arrivals.next();
            last_arrival = arrival.time;
            world.arrive(pool, arrival, invocations);
            invocations += 1;
        }
    }
    control.proceed(invocations, world.now);
    let unserved = world.flights.under_way;
    let at = world.now;
    world.observer.finished(at);
    Ok(End { invocations, at, unserved })
}

/// When an elastic pool is looked at, and what has happened until the last time.
struct Scaling {
    controller: Controller,
    due: Time,
    arrivals: u64,
    not_warm: u64,
}

impl Scaling {
    fn new(controller: Controller, now: Time) -> Scaling {
        Scaling { due: now + controller.period(), controller, arrivals: 0, not_warm: 0 }
    }

    /// A period is over; `arrivals` and `not_warm` since the beginning.
    fn look(&mut self, arrivals: u64, not_warm: u64) -> Option<Memory> {
        self.due += self.controller.period();
        let arrived = arrivals - std::mem::replace(&mut self.arrivals, arrivals);
        let colds = not_warm - std::mem::replace(&mut self.not_warm, not_warm);
        self.controller.decide(arrived, colds)
    }
}

/// Everything outside the pool.
struct World<'a, Q, O> {
    now: Time,
    queue: &'a mut Q,
    costs: &'a CostModel,
    observer: &'a mut O,
    flights: Flights,
    containers: Vec<Container>,
    /// When the image of each kind is there.
    pulled: BTreeMap<KindId, Time>,
    counts: Counts,
    /// Activations that got a container that was not warm.
    not_warm: u64,
}

/// Running numbers by which costs are drawn.
#[derive(Default)]
struct Counts {
    created: u64,
    thawed: u64,
    frozen: u64,
}

/// What the world knows of a container.
#[derive(Clone, Copy, Default)]
struct Container {
    number: u64,
    function: u32,
    /// Initialised, but has not run anything yet.
    fresh: bool,
}

/// An activation under way.
#[derive(Clone, Copy)]
struct Flight {
    number: u64,
    arrived: Time,
    /// How long it runs in a warm container.
    run: Span,
    function: u32,
}

/// Activations under way, by number; numbers are used again.
#[derive(Default)]
struct Flights {
    flights: Vec<Flight>,
    unused: Vec<u32>,
    under_way: u64,
}

impl Flights {
    #[inline]
    fn insert(&mut self, flight: Flight) -> ActivationId {
        self.under_way += 1;
        match self.unused.pop() {
            Some(id) => {
                self.flights[id as usize] = flight;
                ActivationId(id)
            }
            None => {
                self.flights.push(flight);
                ActivationId((self.flights.len() - 1) as u32)
            }
        }
    }

    #[inline]
    fn remove(&mut self, activation: ActivationId) -> Flight {
        self.under_way -= 1;
        self.unused.push(activation.0);
        self.flights[activation.ix()]
    }
}

impl<Q: EventQueue, O: Observer> World<'_, Q, O> {
    #[inline]
    fn arrive(&mut self, pool: &mut Pool, arrival: Arrival, number: u64) {
        self.now = arrival.time;
        let run = self.costs.run(arrival.function, number, arrival.duration);
        let flight = Flight { number, arrived: arrival.time, run, function: arrival.function };
        let activation = self.flights.insert(flight);
        self.observer.arrived(arrival.time, activation, FunctionId(arrival.function));
        let input = Input::Arrived { activation, function: FunctionId(arrival.function), blocking: false };
        pool.handle(arrival.time, input, self);
    }

    /// Looks whether the pool's memory should change, and changes it; when to look again.
    #[cold]
    #[inline(never)]
    fn look(&mut self, pool: &mut Pool, scaling: &mut Option<Scaling>, arrivals: u64) -> Time {
        let Some(scaling) = scaling else { return Time::NEVER };
        if let Some(memory) = scaling.look(arrivals, self.not_warm) {
            let capacity_mib = u32::try_from(memory.mib()).unwrap_or(u32::MAX);
            pool.handle(self.now, Input::Resized { capacity_mib }, self);
        }
        scaling.due
    }

    #[inline(always)]
    fn end(&mut self, activation: ActivationId, outcome: Outcome) {
        let flight = self.flights.remove(activation);
        self.observer.ended(&Ending {
            activation,
            number: flight.number,
            function: FunctionId(flight.function),
            arrived: flight.arrived,
            at: self.now,
            warm_run: flight.run,
            outcome,
        });
    }

    fn container(&mut self, id: ContainerId) -> &mut Container {
        let ix = id.slot as usize;
        if ix >= self.containers.len() {
            self.containers.resize(ix + 1, Container::default());
        }
        &mut self.containers[ix]
    }

    /// When the image of `kind` is there; the first to ask fetches it, the others wait with it.
    fn pulled(&mut self, kind: KindId, function: u32) -> Time {
        let (now, costs) = (self.now, self.costs);
        *self.pulled.entry(kind).or_insert_with(|| now + costs.step(function, Draw::Pull, u64::from(kind.0)))
    }

    fn create(&mut self, id: ContainerId, function: Option<FunctionId>, kind: KindId) {
        let number = self.counts.created;
        self.counts.created += 1;
        // A prewarm has no function; it costs what the first function of the trace costs, which is
        // exact where costs are the same for all.
        let function = function.map_or(0, |function| function.0);
        *self.container(id) = Container { number, function, fresh: false };
        let result = if self.costs.fails(Draw::Create, number) { Err(CreateFault::Platform) } else { Ok(()) };
        let start = self.pulled(kind, function).max(self.now);
        self.queue.push(start + self.costs.step(function, Draw::Create, number), Input::Created(id, result));
    }

    fn init(&mut self, id: ContainerId, function: FunctionId) {
        let container = self.container(id);
        container.function = function.0;
        container.fresh = true;
        let number = container.number;
        let fails = self.costs.fails(Draw::Init, number);
        let outcome = if fails { InitOutcome::Failed(Status::DeveloperError) } else { InitOutcome::Ok };
        let took = self.costs.step(function.0, Draw::Init, number);
        self.queue.push(self.now + took, Input::Initialized(id, outcome));
    }

    #[inline]
    fn run(&mut self, id: ContainerId, activation: ActivationId) {
        let Flight { number, run, function, .. } = self.flights.flights[activation.ix()];
        let took = if self.costs.has_first_runs() { self.first_or(run, id, function, number) } else { run };
        let status =
            if self.costs.fails(Draw::Run, number) { Status::DeveloperError } else { Status::Success };
        self.queue.push(self.now + took, Input::Ran(id, activation, RunOutcome::Answered(status)));
    }

    /// How long a run takes where the first one in a fresh container differs.
    #[inline(never)]
    fn first_or(&mut self, run: Span, id: ContainerId, function: u32, number: u64) -> Span {
        let fresh = std::mem::replace(&mut self.container(id).fresh, false);
        if fresh { self.costs.first_run(function, number).unwrap_or(run) } else { run }
    }

    fn step(&mut self, id: ContainerId, what: Draw, number: u64) -> Time {
        let function = self.container(id).function;
        self.now + self.costs.step(function, what, number)
    }
}

impl<Q: EventQueue, O: Observer> Sink for World<'_, Q, O> {
    // Inlined, so that what every invocation needs costs no detour by the enum.
    #[inline(always)]
    fn act(&mut self, action: Action) {
        self.observer.acted(self.now, &action);
        match action {
            Action::Run { container, activation, .. } => self.run(container, activation),
            Action::Answer(answer) if answer.last() => {
                self.end(answer.activation, Outcome::Answered(answer));
            }
            other => self.act_rarely(other),
        }
    }

    #[inline(always)]
    fn note(&mut self, note: Note) {
        if let Note::Dispatched { start, .. } = note
            && !start.is_warm()
        {
            self.not_warm += 1;
        }
        self.observer.noted(self.now, &note);
    }
}

impl<Q: EventQueue, O: Observer> World<'_, Q, O> {
    /// Everything but running and answering.
    #[inline(never)]
    fn act_rarely(&mut self, action: Action) {
        match action {
            Action::Run { .. } | Action::Answer(_) | Action::HealthPing(..) => {}
            Action::Create { container, function, kind, .. } => self.create(container, function, kind),
            Action::Init { container, function, .. } => self.init(container, function),
            Action::CollectLogs { container, activation } => {
                let number = self.flights.flights[activation.ix()].number;
                let ok = !self.costs.fails(Draw::Logs, number);
                let at = self.step(container, Draw::Logs, number);
                self.queue.push(at, Input::LogsCollected(container, activation, ok));
            }
            Action::Pause(container) => {
                let number = self.counts.frozen;
                self.counts.frozen += 1;
                let at = self.step(container, Draw::Pause, number);
                self.queue.push(at, Input::Paused(container, !self.costs.fails(Draw::Pause, number)));
            }
            Action::Resume(container) => {
                let number = self.counts.thawed;
                self.counts.thawed += 1;
                let at = self.step(container, Draw::Unpause, number);
                self.queue.push(at, Input::Resumed(container, !self.costs.fails(Draw::Unpause, number)));
            }
            Action::Destroy(container) => {
                let number = self.container(container).number;
                let at = self.step(container, Draw::Remove, number);
                self.queue.push(at, Input::Destroyed(container));
            }
            Action::Reject(activation, refusal) => self.end(activation, Outcome::Refused(refusal)),
            Action::Lose(activation) => self.end(activation, Outcome::Lost),
        }
    }
}
