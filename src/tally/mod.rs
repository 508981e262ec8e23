//! What happened, counted: from the pool's notes and answers to figures. Owns every figure that is
//! reported; both drivers use it, so it must never know whether it counts a simulation or a live run.

mod causes;
mod memory;
mod quantiles;
mod rows;
mod summary;
mod trail;

use crate::ids::{ActivationId, ContainerId, FunctionId};
use crate::memory::Memory;
use crate::pool::boundary::{Action, Answer, Note, Refusal, StartState, Status};
use crate::time::{Span, Time};

pub use causes::Cause;
pub use memory::MemorySample;
pub use quantiles::Quantiles;
pub use rows::Rows;
pub use summary::{Causes, ContainerFigures, FunctionFigures, MemoryFigures, Percentiles, Starts, Summary};
pub use trail::Trail;

use causes::Losses;
use memory::MemoryMeter;

/// How an activation ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Outcome {
    /// With an answer, good or bad.
    Answered(Answer),
    /// Refused: dropped.
    Refused(Refusal),
    /// Without any answer.
    Lost,
}

/// The end of an activation.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Ending {
    /// The number under which the pool knew it.
    pub activation: ActivationId,
    /// Its number among all arrivals, from 0.
    pub number: u64,
    /// What was invoked.
    pub function: FunctionId,
    /// When it arrived.
    pub arrived: Time,
    /// When it ended, log collection included.
    pub at: Time,
    /// How long it would have taken in an idle warm container.
    pub warm_run: Span,
    /// How.
    pub outcome: Outcome,
}

/// Whoever watches a run. Everything is optional.
pub trait Observer {
    /// An activation arrived.
    fn arrived(&mut self, now: Time, activation: ActivationId, function: FunctionId) {
        let _ = (now, activation, function);
    }

    /// The pool gave an order.
    fn acted(&mut self, now: Time, action: &Action) {
        let _ = (now, action);
    }

    /// The pool noted something.
    fn noted(&mut self, now: Time, note: &Note) {
        let _ = (now, note);
    }

    /// An activation ended.
    fn ended(&mut self, ending: &Ending) {
        let _ = ending;
    }

    /// The run is over.
    fn finished(&mut self, now: Time) {
        let _ = now;
    }
}

impl Observer for () {}

impl<A: Observer, B: Observer> Observer for (A, B) {
    fn arrived(&mut self, now: Time, activation: ActivationId, function: FunctionId) {
        self.0.arrived(now, activation, function);
        self.1.arrived(now, activation, function);
    }

    fn acted(&mut self, now: Time, action: &Action) {
        self.0.acted(now, action);
        self.1.acted(now, action);
    }

    fn noted(&mut self, now: Time, note: &Note) {
        self.0.noted(now, note);
        self.1.noted(now, note);
    }

    fn ended(&mut self, ending: &Ending) {
        self.0.ended(ending);
        self.1.ended(ending);
    }

    fn finished(&mut self, now: Time) {
        self.0.finished(now);
        self.1.finished(now);
    }
}

/// What is counted per function at every invocation: half a cache line. Sums stop at 584,000 years.
#[derive(Clone, Copy, Default, Debug)]
pub(crate) struct Often {
    pub arrivals: u64,
    pub warm: u64,
    pub response_us: u64,
    pub warm_run_us: u64,
}

/// What is counted per function now and then.
#[derive(Clone, Copy, Default, Debug)]
pub(crate) struct FunctionCount {
    pub cold: u64,
    pub partial: u64,
    pub dropped: u64,
    pub failed: u64,
    pub evicted: u64,
    pub caused: u64,
    pub waited: u64,
}

/// An activation while it is under way.
#[derive(Clone, Copy, Default)]
struct UnderWay {
    cause: Option<Cause>,
    /// Number of its container, in the order in which containers were asked for.
    container: u64,
    /// When it got that.
    dispatched: Time,
    function: u32,
    waited: bool,
}

/// The count of one run.
pub struct Tally {
    pub(crate) functions: Vec<FunctionCount>,
    pub(crate) often: Vec<Often>,
    pub(crate) starts: [u64; 7],
    pub(crate) causes: summary::Causes,
    pub(crate) refused: [u64; 3],
    pub(crate) lost: u64,
    pub(crate) never_started: u64,
    pub(crate) arrivals: u64,
    pub(crate) failed: u64,
    pub(crate) waited: u64,
    pub(crate) resubmitted: u64,
    pub(crate) evictions: u64,
    pub(crate) shrunk: u64,
    pub(crate) resizes: u64,
    pub(crate) expired: u64,
    pub(crate) unloaded: u64,
    pub(crate) broken: u64,
    pub(crate) prewarm_expired: u64,
    pub(crate) created: u64,
    pub(crate) prewarms: u64,
    pub(crate) prewarms_refused: u64,
    pub(crate) response_us: u128,
    pub(crate) execution_us: u128,
    pub(crate) warm_run_us: u128,
    pub(crate) wait: Quantiles,
    /// By start state.
    pub(crate) response: [Quantiles; StartState::ALL.len()],
    pub(crate) first_arrival: Time,
    pub(crate) meter: MemoryMeter,
    losses: Losses,
    under_way: Vec<UnderWay>,
    /// By slot, the number of the container.
    numbers: Vec<u64>,
    containers: u64,
    rows: Option<Rows>,
}

impl Tally {
    /// Nothing counted yet. `capacity`: memory of the pool at first; `every`: how far apart memory samples are; `rows`: keep one row per
    /// invocation.
    pub fn new(functions: usize, capacity: Memory, every: Span, rows: bool) -> Tally {
        Tally {
            functions: vec![FunctionCount::default(); functions],
            often: vec![Often::default(); functions],
            starts: [0; 7],
            causes: summary::Causes::default(),
            refused: [0; 3],
            lost: 0,
            never_started: 0,
            arrivals: 0,
            failed: 0,
            waited: 0,
            resubmitted: 0,
            evictions: 0,
            shrunk: 0,
            resizes: 0,
            expired: 0,
            unloaded: 0,
            broken: 0,
            prewarm_expired: 0,
            created: 0,
            prewarms: 0,
            prewarms_refused: 0,
            response_us: 0,
            execution_us: 0,
            warm_run_us: 0,
            wait: Quantiles::default(),
            response: Default::default(),
            first_arrival: Time::NEVER,
            meter: MemoryMeter::new(capacity, every),
            losses: Losses::new(functions),
            under_way: Vec::new(),
            numbers: Vec::new(),
            containers: 0,
            rows: rows.then(Rows::default),
        }
    }

    /// Rows per invocation, if they were asked for.
    pub fn take_rows(&mut self) -> Option<Rows> {
        self.rows.take()
    }

    /// Response times of the served by start state, in the order of the table of states, without states that
    /// did not occur.
    pub fn responses(&self) -> Vec<(StartState, Quantiles)> {
        let occurred = StartState::ALL.into_iter().filter(|start| self.starts[*start as usize] > 0);
        occurred.map(|start| (start, self.response[start as usize].clone())).collect()
    }

    /// Memory over time.
    pub fn memory_samples(&self) -> &[MemorySample] {
        self.meter.samples()
    }

    #[inline(always)]
    fn under_way(&mut self, activation: ActivationId) -> &mut UnderWay {
        &mut self.under_way[activation.ix()]
    }

    fn appeared(&mut self, container: ContainerId) {
        let ix = container.slot as usize;
        if ix >= self.numbers.len() {
            self.numbers.resize(ix + 1, 0);
        }
        self.numbers[ix] = self.containers;
        self.containers += 1;
    }

    #[inline(always)]
    fn dispatched(&mut self, now: Time, note: &Note) {
        let Note::Dispatched { activation, function, container, start, .. } = *note else { return };
        let cause = if start.is_warm() {
            None
        } else {
            let first_use = !self.meter.set_used(container, true);
            Some(self.losses.cause(function, first_use))
        };
        // Only rows tell the container.
        let number = match self.rows {
            Some(_) => self.numbers.get(container.slot as usize).copied().unwrap_or_default(),
            None => 0,
        };
        let under_way = self.under_way(activation);
        under_way.cause = cause;
        under_way.dispatched = now;
        under_way.container = number;
    }

    #[cold]
    #[inline(never)]
    fn push_row(&mut self, ending: &Ending) {
        let UnderWay { cause, container, .. } = *self.under_way(ending.activation);
        if let Some(rows) = &mut self.rows {
            rows.push(ending, cause, container);
        }
    }

    #[inline(always)]
    fn idle(&mut self, container: ContainerId, function: FunctionId) {
        if !self.meter.set_used(container, true) {
            self.losses.loaded_ahead(function);
        }
    }

    /// Counts an activation that has to wait, once.
    fn waits(&mut self, activation: ActivationId) {
        let under_way = self.under_way(activation);
        if !std::mem::replace(&mut under_way.waited, true) {
            let function = under_way.function as usize;
            self.waited += 1;
            self.functions[function].waited += 1;
        }
    }

    #[inline(always)]
    fn answered(&mut self, ending: &Ending, answer: &Answer) {
        let UnderWay { cause, dispatched, .. } = *self.under_way(ending.activation);
        let function = ending.function.ix();
        if !matches!(answer.status, Status::Success | Status::ApplicationError) {
            self.failed += 1;
            self.functions[function].failed += 1;
        }
        let Some(start) = answer.start else {
            self.never_started += 1;
            return;
        };
        self.starts[start as usize] += 1;
        let often = &mut self.often[function];
        match start {
            StartState::Warmed => often.warm += 1,
            start if start.creates() => self.functions[function].cold += 1,
            _ => self.functions[function].partial += 1,
        }
        let response = answer.wait + answer.duration;
        often.response_us = often.response_us.saturating_add(response.0);
        often.warm_run_us = often.warm_run_us.saturating_add(ending.warm_run.0);
        self.warm_run_us += u128::from(ending.warm_run.0);
        self.response_us += u128::from(response.0);
        let queued = dispatched - ending.arrived;
        self.execution_us += u128::from(response.saturating_sub(queued).0);
        self.wait.add(answer.wait);
        self.response[start as usize].add(response);
        if let Some(cause) = cause {
            self.causes.add(cause);
            if let Cause::Evicted(by) = cause {
                self.functions[by.ix()].caused += 1;
            }
        }
    }
}

impl Observer for Tally {
    #[inline(always)]
    fn arrived(&mut self, now: Time, activation: ActivationId, function: FunctionId) {
        if self.arrivals == 0 {
            self.first_arrival = now;
            self.meter.begin(now);
        }
        self.arrivals += 1;
        self.often[function.ix()].arrivals += 1;
        let fresh = UnderWay { function: function.0, ..UnderWay::default() };
        match self.under_way.get_mut(activation.ix()) {
            Some(under_way) => *under_way = fresh,
            // Numbers are small and dense.
            None => self.under_way.resize(activation.ix() + 1, fresh),
        }
    }

    // Inlined so that notes which are not counted are not even made.
    #[inline(always)]
    fn noted(&mut self, now: Time, note: &Note) {
        self.meter.noted(now, note);
        match note {
            Note::Dispatched { .. } => self.dispatched(now, note),
            Note::Allotted { container, .. } => {
                self.created += 1;
                self.appeared(*container);
            }
            Note::Prewarm { container: Some(container), reserved_only: false, .. } => {
                self.created += 1;
                self.appeared(*container);
                self.prewarms += 1;
            }
            Note::Prewarm { container: Some(_), reserved_only: true, .. } => {}
            Note::Prewarm { container: None, .. } => self.prewarms_refused += 1,
            Note::Gone { container, function, why, .. } => self.gone(*container, *function, *why),
            Note::Buffered(activation) | Note::Queued(activation) => self.waits(*activation),
            Note::Idle { container, function, .. } => self.idle(*container, *function),
            Note::Resubmitted(_) => self.resubmitted += 1,
            Note::Resized { .. } => self.resizes += 1,
            Note::Handed(_) | Note::Credit | Note::Entered(..) => {}
        }
    }

    #[inline(always)]
    fn ended(&mut self, ending: &Ending) {
        match &ending.outcome {
            Outcome::Answered(answer) => self.answered(ending, answer),
            Outcome::Refused(refusal) => {
                self.refused[*refusal as usize] += 1;
                self.functions[ending.function.ix()].dropped += 1;
            }
            Outcome::Lost => self.lost += 1,
        }
        if self.rows.is_some() {
            self.push_row(ending);
        }
    }

    fn finished(&mut self, now: Time) {
        self.meter.finish(now);
    }
}
