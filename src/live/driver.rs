//! Driver 2: real time. One task owns the pool; whatever is ready is told to it in the one written order
//! ([`crate::pool::order`]), and what it orders is carried out by a backend in tasks of their own. Owns the loop and the event
//! log; must never decide what the pool should, nor hold back an arrival.

use std::io::{self, Write};
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt as _;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::time::{Instant, sleep_until, timeout};

use super::backend::{Backend, Closing, Job, Order, Report};
use super::clock::Clock;
use crate::elastic::{Controller, Scaling};
use crate::eventlog::record::{Arrived, Ended, Told, Why};
use crate::eventlog::{Measured, Record, Writer};
use crate::ids::{ActivationId, FunctionId};
use crate::pool::boundary::{Action, CreateFault, InitOutcome, RunOutcome, Status};
use crate::pool::{Input, Note, Pool, Sink};
use crate::sim::CostModel;
use crate::tally::{Ending, Observer, Outcome, Trail};
use crate::time::{Span, Time};
use crate::trace::Arrival;
use crate::under_way::UnderWay;

/// Whoever watches a live run.
pub trait Watcher: Observer {
    /// An arrival was sent so much later than it was due.
    fn lag(&mut self, lag: Span) {
        let _ = lag;
    }

    /// How often to be told the time; `None`: never.
    fn every(&self) -> Option<Duration> {
        None
    }

    /// It is now.
    fn tick(&mut self, now: Time) {
        let _ = now;
    }
}

impl Watcher for () {}
impl Watcher for Trail {}

/// What the user wants in mid-run.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Command {
    /// Send no more arrivals, let what is under way end, clean up.
    Stop,
    /// Clean up now.
    CutShort,
}

/// How long things may take.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Limits {
    /// After the last arrival, for work to end.
    pub drain: Span,
    /// For a backend to answer any one order. It has limits of its own, which are shorter; this one is for
    /// when those fail.
    pub answer: Duration,
}

/// Everything a run needs besides the pool.
pub struct Run<'a, B, O, W: Write> {
    /// Who carries out orders.
    pub backend: &'a Arc<B>,
    /// How long runs take by the trace.
    pub costs: &'a CostModel,
    /// Whether and how the pool's memory follows the load.
    pub elastic: Option<Controller>,
    /// Who watches.
    pub watcher: &'a mut O,
    /// Where everything is written down; its first line is there already.
    pub log: &'a mut Writer<W>,
    /// What the user wants.
    pub commands: &'a mut UnboundedReceiver<Command>,
    /// How long things may take.
    pub limits: Limits,
    /// The order in which simultaneous facts are told: [`crate::pool::order`]. Any other is only good to show that
    /// it matters.
    pub rank: Rank,
}

/// An order of simultaneous facts.
pub type Rank = fn(&Input) -> (u8, u32, u32);

/// How a run ended.
#[derive(Debug)]
pub struct Driven {
    /// The last line of the log.
    pub ended: Ended,
    /// Arrivals sent.
    pub invocations: u64,
    /// Why the log could not be written, if it could not.
    pub log_error: Option<io::Error>,
}

/// Runs arrivals, in order, through a pool whose orders a backend carries out. Returns when everything is over and
/// the backend is closed. Times are those of the clock, which shows the first arrival's time at first.
pub async fn drive<B: Backend, O: Watcher, W: Write>(
    pool: &mut Pool,
    arrivals: impl Iterator<Item = Arrival>,
    run: Run<'_, B, O, W>,
) -> Driven {
    let Run { backend, costs, elastic, watcher, log, commands, limits, rank } = run;
    let mut arrivals = arrivals.peekable();
    let clock = Clock::starting_at(arrivals.peek().map_or(Time::ZERO, |first| first.time));
    let (reports, inbox) = unbounded_channel();
    let mut live = Live {
        now: clock.now(),
        clock,
        backend,
        costs,
        watcher,
        log,
        log_error: None,
        limits,
        rank,
        flights: UnderWay::default(),
        not_warm: 0,
        arrived: 0,
        last_arrival: clock.now(),
        reports,
        inbox,
        ready: Vec::new(),
        outstanding: 0,
        spawned: false,
        wish: None,
        tick: None,
    };
    let mut scaling = elastic.map(|controller| Scaling::new(controller, live.now));
    live.write(&Record::Began { t: live.now });
    pool.start(live.now, &mut live);
    live.flush();
    let why = live.run(pool, &mut arrivals, &mut scaling, commands).await;
    live.watcher.finished(live.clock.now());
    let Closing { removed, leftovers } = backend.close().await;
    let unserved = live.flights.many();
    let ended = Ended { t: live.clock.now(), why, unserved, removed, leftovers };
    live.write(&Record::Ended(ended.clone()));
    live.flush();
    Driven { ended, invocations: live.arrived, log_error: live.log_error }
}

/// Everything outside the pool.
struct Live<'a, B, O, W: Write> {
    now: Time,
    clock: Clock,
    backend: &'a Arc<B>,
    costs: &'a CostModel,
    watcher: &'a mut O,
    log: &'a mut Writer<W>,
    log_error: Option<io::Error>,
    limits: Limits,
    rank: Rank,
    flights: UnderWay<Flight>,
    /// Activations that got a container that was not warm.
    not_warm: u64,
    arrived: u64,
    last_arrival: Time,
    reports: UnboundedSender<Report>,
    inbox: UnboundedReceiver<Report>,
    /// Facts that hold, but were not told yet.
    ready: Vec<Report>,
    /// Orders that were not answered yet.
    outstanding: u64,
    /// Whether orders were given that nobody has begun to carry out.
    spawned: bool,
    /// What the user wants, if anything.
    wish: Option<Command>,
    /// When the watcher is to be told the time.
    tick: Option<Instant>,
}

/// An activation under way.
#[derive(Clone, Copy)]
struct Flight {
    arrived: Time,
    number: u64,
    function: FunctionId,
    run: Span,
}

/// What comes next.
#[derive(Clone, Copy)]
enum Next {
    /// A container's report, by its place among the ready.
    Report(usize),
    /// Looking whether the memory should change.
    Look,
    Wake,
    Arrive,
}

impl<B: Backend, O: Watcher, W: Write> Live<'_, B, O, W> {
    /// The loop. Why it ended.
    async fn run<I: Iterator<Item = Arrival>>(
        &mut self,
        pool: &mut Pool,
        arrivals: &mut std::iter::Peekable<I>,
        scaling: &mut Option<Scaling>,
        commands: &mut UnboundedReceiver<Command>,
    ) -> Why {
        loop {
            if self.spawned {
                // What was ordered begins before anything else is told.
                self.spawned = false;
                tokio::task::yield_now().await;
            }
            while let Ok(wish) = commands.try_recv() {
                self.wish = Some(wish);
            }
            while let Ok(report) = self.inbox.try_recv() {
                self.received(report);
            }
            if self.log_error.is_some() {
                return Why::LogFailed;
            }
            if self.wish == Some(Command::CutShort) {
                return Why::CutShort;
            }
            self.now = self.clock.now();
            self.tell_time();
            let arrival =
                arrivals.peek().filter(|_| self.wish.is_none()).map_or(Time::NEVER, |next| next.time);
            let due = scaling.as_ref().filter(|_| arrival != Time::NEVER).map_or(Time::NEVER, Scaling::due);
            let wake = pool.next_wake().unwrap_or(Time::NEVER);
            if arrival == Time::NEVER
                && let Some(why) = self.over(wake)
            {
                return why;
            }
            if let Some(next) = self.next(due, wake, arrival) {
                match next {
                    Next::Report(ix) => {
                        let report = self.ready.swap_remove(ix);
                        self.tell(pool, report.input, None, Some(report.measured));
                    }
                    Next::Look => self.look(pool, scaling),
                    Next::Wake => self.tell(pool, Input::Wake, None, None),
                    Next::Arrive => {
                        if let Some(arrival) = arrivals.next() {
                            self.arrive(pool, arrival);
                        }
                    }
                }
            } else {
                self.wait(wake.min(due).min(arrival), arrival == Time::NEVER, commands).await;
            }
        }
    }

    /// Whether nothing more can, or need, happen once all arrivals were sent.
    fn over(&self, wake: Time) -> Option<Why> {
        let deadline = self.last_arrival + self.limits.drain;
        if self.flights.many() == 0 || (self.outstanding == 0 && self.ready.is_empty() && wake > deadline) {
            return Some(if self.wish.is_some() { Why::Stopped } else { Why::Done });
        }
        (self.now >= deadline).then_some(Why::DrainedTooLong)
    }

    /// Waits until something may be ready.
    async fn wait(&mut self, until: Time, draining: bool, commands: &mut UnboundedReceiver<Command>) {
        let until = if draining { until.min(self.last_arrival + self.limits.drain) } else { until };
        let timer = self.clock.instant(until).into_iter().chain(self.tick).min();
        tokio::select! {
            Some(report) = self.inbox.recv() => self.received(report),
            Some(wish) = commands.recv() => self.wish = Some(wish),
            () = reached(timer) => {}
        }
        // Others whose time has come at the same instant get to say so first.
        tokio::task::yield_now().await;
    }

    /// Tells the watcher the time, when it wants to know.
    fn tell_time(&mut self) {
        let Some(every) = self.watcher.every() else { return };
        let now = Instant::now();
        if self.tick.is_none_or(|at| at <= now) {
            self.tick = Some(now + every);
            self.watcher.tick(self.now);
        }
    }

    fn received(&mut self, report: Report) {
        // A ping is ordered once and says something, if anything, much later.
        if !matches!(report.input, Input::HealthFailed(_)) {
            self.outstanding -= 1;
        }
        self.ready.push(report);
    }

    /// What is to be told first of everything that holds now; `None`: nothing does.
    fn next(&self, due: Time, wake: Time, arrival: Time) -> Option<Next> {
        let arrived =
            Input::Arrived { activation: ActivationId(0), function: FunctionId(0), blocking: false };
        let timed = [
            (due, Input::Resized { capacity_mib: 0 }, Next::Look),
            (wake, Input::Wake, Next::Wake),
            (arrival, arrived, Next::Arrive),
        ];
        let timed = timed.into_iter().filter(|(at, ..)| *at <= self.now);
        let ranked = self.ready.iter().enumerate().map(|(ix, report)| (report.input, Next::Report(ix)));
        let all = ranked.chain(timed.map(|(_, input, next)| (input, next)));
        all.min_by_key(|(input, _)| (self.rank)(input)).map(|(_, next)| next)
    }

    fn arrive(&mut self, pool: &mut Pool, arrival: Arrival) {
        let number = self.arrived;
        self.arrived += 1;
        self.last_arrival = self.now;
        let run = self.costs.asked_run(arrival.function, number, arrival.duration);
        let function = FunctionId(arrival.function);
        let activation = self.flights.insert(Flight { arrived: self.now, number, function, run });
        self.watcher.lag(self.now - arrival.time);
        self.watcher.arrived(self.now, activation, function);
        let arrived = Arrived { number, due: arrival.time, run_us: run.0 };
        self.tell(pool, Input::Arrived { activation, function, blocking: false }, Some(arrived), None);
    }

    /// Looks whether the pool's memory should change, and changes it.
    fn look(&mut self, pool: &mut Pool, scaling: &mut Option<Scaling>) {
        let memory = scaling.as_mut().and_then(|scaling| scaling.look(self.arrived, self.not_warm));
        if let Some(capacity_mib) = memory {
            self.tell(pool, Input::Resized { capacity_mib }, None, None);
        }
    }

    /// Writes down a fact, tells it, and sees that all that came of it is written down.
    fn tell(&mut self, pool: &mut Pool, input: Input, arrival: Option<Arrived>, measured: Option<Measured>) {
        self.write(&Record::Told(Told { t: self.now, input, arrival, measured }));
        pool.handle(self.now, input, self);
        self.flush();
    }

    fn write(&mut self, record: &Record) {
        if self.log_error.is_none() {
            self.log_error = self.log.write(record).err();
        }
    }

    fn flush(&mut self) {
        if self.log_error.is_none() {
            self.log_error = self.log.flush().err();
        }
    }

    fn end(&mut self, activation: ActivationId, outcome: Outcome) {
        let Flight { arrived, number, function, run } = self.flights.remove(activation);
        let at = self.now;
        self.watcher.ended(&Ending { activation, number, function, arrived, at, warm_run: run, outcome });
    }

    /// Has an order carried out, in a task of its own.
    fn order(&mut self, action: Action) {
        let job = activation_of(&action).map(|activation| {
            let Flight { number, function, run, .. } = self.flights[activation];
            Job { activation, number, function, run }
        });
        let carried_out = self.backend.carry_out(Order { now: self.now, action, job });
        let reports = self.reports.clone();
        let limit = self.limits.answer;
        self.spawned = true;
        if matches!(action, Action::HealthPing(..)) {
            tokio::spawn(async move {
                if let Some(report) = carried_out.await {
                    let _ = reports.send(report);
                }
            });
            return;
        }
        self.outstanding += 1;
        tokio::spawn(async move {
            // However it ends, there is exactly one answer.
            let report = match timeout(limit, AssertUnwindSafe(carried_out).catch_unwind()).await {
                Ok(Ok(Some(report))) => Some(report),
                Ok(Ok(None)) => failed(&action, "the backend told nothing".to_owned()),
                Ok(Err(_)) => failed(&action, "the backend panicked".to_owned()),
                Err(_) => failed(&action, format!("the backend did not answer within {} s", limit.as_secs())),
            };
            if let Some(report) = report {
                // Fails only when the run is over and nobody wants to know.
                let _ = reports.send(report);
            }
        });
    }
}

/// When an instant has come, if there is one.
async fn reached(instant: Option<Instant>) {
    match instant {
        Some(instant) => sleep_until(instant).await,
        None => std::future::pending().await,
    }
}

impl<B: Backend, O: Watcher, W: Write> Sink for Live<'_, B, O, W> {
    fn act(&mut self, action: Action) {
        self.watcher.acted(self.now, &action);
        self.write(&Record::Ordered { t: self.now, action });
        match action {
            Action::Answer(answer) if answer.last() => self.end(answer.activation, Outcome::Answered(answer)),
            Action::Answer(_) => {}
            Action::Reject(activation, refusal) => self.end(activation, Outcome::Refused(refusal)),
            Action::Lose(activation) => self.end(activation, Outcome::Lost),
            action => self.order(action),
        }
    }

    fn note(&mut self, note: Note) {
        if let Note::Dispatched { start, .. } = note
            && !start.is_warm()
        {
            self.not_warm += 1;
        }
        self.watcher.noted(self.now, &note);
    }
}

/// The activation that an order is about, if it is about one that is under way.
fn activation_of(action: &Action) -> Option<ActivationId> {
    match *action {
        Action::Init { activation, .. } => activation,
        Action::Run { activation, .. } | Action::CollectLogs { activation, .. } => Some(activation),
        _ => None,
    }
}

/// What the pool is told when a backend failed to answer.
fn failed(action: &Action, why: String) -> Option<Report> {
    let input = match *action {
        Action::Create { container, .. } => Input::Created(container, Err(CreateFault::Platform)),
        Action::Init { container, .. } => Input::Initialized(container, InitOutcome::Unexpected),
        Action::Run { container, activation, .. } => {
            Input::Ran(container, activation, RunOutcome::Answered(Status::SystemError))
        }
        Action::CollectLogs { container, activation } => Input::LogsCollected(container, activation, false),
        Action::Pause(container) => Input::Paused(container, false),
        Action::Resume(container) => Input::Resumed(container, false),
        Action::Destroy(container) => Input::Destroyed(container),
        Action::HealthPing(..) | Action::Answer(_) | Action::Reject(..) | Action::Lose(_) => return None,
    };
    Some(Report { input, measured: Measured { error: Some(why), ..Measured::default() } })
}
