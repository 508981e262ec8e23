//! The simulation loop: the earliest of the next arrival, the next completion and the pool's next
//! wake. Owns virtual time and carries out the pool's orders by scheduling their answers; must never
//! decide what the pool should.

use super::answers::{Imagined, Work};
use super::contended::Contended;
use super::queue::EventQueue;
use crate::elastic::{Controller, Scaling};
use crate::ids::{ActivationId, FunctionId};
use crate::pool::boundary::Action;
use crate::pool::{Input, Note, Pool, Sink};
use crate::scenario::Contention;
use crate::tally::{Ending, Observer, Outcome};
use crate::time::{Span, Time};
use crate::trace::Arrival;
use crate::under_way::UnderWay;

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
pub const PATIENCE: Span = Span::from_secs(7 * 86_400);

/// What carries out the pool's orders.
#[derive(Debug)]
pub struct Machine<I> {
    /// What becomes of each, and when.
    pub imagined: I,
    /// The processors that steps share; `None`: each has one of its own.
    pub contention: Option<Contention>,
}

/// Runs a trace through a pool, whose memory `elastic` changes if it is given, on an imagined machine.
///
/// # Errors
/// [`Stopped`] if `control` said so.
pub fn simulate(
    pool: &mut Pool,
    elastic: Option<Controller>,
    arrivals: impl Iterator<Item = Arrival>,
    machine: Machine<impl Imagined>,
    queue: &mut impl EventQueue,
    observer: &mut impl Observer,
    control: &mut (impl Control + ?Sized),
) -> Result<End, Stopped> {
    let Machine { imagined, contention } = machine;
    match contention {
        None => drive(pool, elastic, arrivals, imagined, queue, observer, control),
        Some(contention) => {
            let queue = &mut Contended::new(queue, contention);
            drive(pool, elastic, arrivals, imagined, queue, observer, control)
        }
    }
}

fn drive(
    pool: &mut Pool,
    elastic: Option<Controller>,
    arrivals: impl Iterator<Item = Arrival>,
    imagined: impl Imagined,
    queue: &mut impl EventQueue,
    observer: &mut impl Observer,
    control: &mut (impl Control + ?Sized),
) -> Result<End, Stopped> {
    let mut world =
        World { now: Time::ZERO, queue, imagined, observer, flights: UnderWay::default(), not_warm: 0 };
    let mut arrivals = arrivals;
    let mut next = arrivals.next();
    let (mut invocations, mut steps) = (0_u64, 0_u64);
    let mut last_arrival = Time::ZERO;
    world.now = next.map_or(Time::ZERO, |first| first.time);
    let mut scaling = elastic.map(|controller| Scaling::new(controller, world.now));
    let mut due = scaling.as_ref().map_or(Time::NEVER, Scaling::due);
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
            && (world.flights.many() == 0 || event.min(wake) > last_arrival + PATIENCE);
        if over {
            break;
        }
        // At the same instant: what containers report, then the wake, then arrivals (`pool::order`).
        if event <= wake && event <= arrival {
            if let Some((time, input)) = world.queue.pop() {
                world.now = time;
                pool.handle(time, input, &mut world);
            }
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
    let unserved = world.flights.many();
    let at = world.now;
    world.observer.finished(at);
    Ok(End { invocations, at, unserved })
}

/// Everything outside the pool.
struct World<'a, Q, I, O> {
    now: Time,
    queue: &'a mut Q,
    imagined: I,
    observer: &'a mut O,
    flights: UnderWay<Flight>,
    /// Activations that got a container that was not warm.
    not_warm: u64,
}

/// An activation under way.
#[derive(Clone, Copy)]
struct Flight {
    arrived: Time,
    work: Work,
}

impl<Q: EventQueue, I: Imagined, O: Observer> World<'_, Q, I, O> {
    #[inline]
    fn arrive(&mut self, pool: &mut Pool, arrival: Arrival, number: u64) {
        self.now = arrival.time;
        let run = self.imagined.warm_run(number, &arrival);
        let work = Work { number, function: arrival.function, run };
        let activation = self.flights.insert(Flight { arrived: arrival.time, work });
        self.observer.arrived(arrival.time, activation, FunctionId(arrival.function));
        let input = Input::Arrived { activation, function: FunctionId(arrival.function), blocking: false };
        pool.handle(arrival.time, input, self);
    }

    /// Looks whether the pool's memory should change, and changes it; when to look again.
    #[cold]
    #[inline(never)]
    fn look(&mut self, pool: &mut Pool, scaling: &mut Option<Scaling>, arrivals: u64) -> Time {
        let Some(scaling) = scaling else { return Time::NEVER };
        if let Some(capacity_mib) = scaling.look(arrivals, self.not_warm) {
            pool.handle(self.now, Input::Resized { capacity_mib }, self);
        }
        scaling.due()
    }

    #[inline(always)]
    fn end(&mut self, activation: ActivationId, outcome: Outcome) {
        let Flight { arrived, work } = self.flights.remove(activation);
        self.observer.ended(&Ending {
            activation,
            number: work.number,
            function: FunctionId(work.function),
            arrived,
            at: self.now,
            warm_run: work.run,
            outcome,
        });
    }
}

impl<Q: EventQueue, I: Imagined, O: Observer> Sink for World<'_, Q, I, O> {
    // Inlined, so that what every invocation needs costs no detour by the enum.
    #[inline(always)]
    fn act(&mut self, action: Action) {
        self.observer.acted(self.now, &action);
        match action {
            Action::Run { container, activation, .. } => {
                let work = self.flights[activation].work;
                let (at, ran) = self.imagined.run(self.now, container, activation, work);
                self.schedule(at, ran, Some(work));
            }
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

impl<Q: EventQueue, I: Imagined, O: Observer> World<'_, Q, I, O> {
    /// Everything but running and answering.
    #[inline(never)]
    fn act_rarely(&mut self, action: Action) {
        match action {
            Action::Reject(activation, refusal) => self.end(activation, Outcome::Refused(refusal)),
            Action::Lose(activation) => self.end(activation, Outcome::Lost),
            Action::CollectLogs { activation, .. } | Action::Init { activation: Some(activation), .. } => {
                let work = self.flights[activation].work;
                self.order(&action, Some(work));
            }
            other => self.order(&other, None),
        }
    }

    #[inline(always)]
    fn schedule(&mut self, at: Time, input: Input, work: Option<Work>) {
        let by_clock = if Q::CONTENDED { self.imagined.by_clock(&input, work) } else { Span::ZERO };
        self.queue.schedule(self.now, at, by_clock, input);
    }

    fn order(&mut self, action: &Action, work: Option<Work>) {
        if let Some((at, input)) = self.imagined.answer(self.now, action, work) {
            self.schedule(at, input, work);
        }
    }
}
