//! What was measured, by phase and by invocation. Owns to which invocation a phase of a container belongs: the one
//! that caused it, or after which it came. Must never count what the pool counts (that is the tally's).

use std::collections::BTreeMap;

use serde::Serialize;

use super::record::Told;
use super::{Measured, Watcher};
use crate::ids::{ActivationId, ContainerId};
use crate::pool::{Action, Input, Note};
use crate::tally::{Observer, Percentiles, Quantiles};
use crate::time::{Span, Time};

/// A part of the life of a container, or of an invocation, whose time is measured.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Phase {
    /// Waiting for one of the parallel starts, and for the image.
    Queued,
    /// Creating the container and starting it.
    Create,
    /// Then until its address is known.
    Address,
    /// `/init`, from the first attempt to connect.
    Init,
    /// `/run`.
    Run,
    /// Collecting logs.
    Logs,
    /// Thawing.
    Unpause,
    /// Freezing.
    Pause,
    /// Removing.
    Remove,
}

impl Phase {
    /// All of them, in table order.
    pub const ALL: [Phase; 9] = [
        Phase::Queued,
        Phase::Create,
        Phase::Address,
        Phase::Init,
        Phase::Run,
        Phase::Logs,
        Phase::Unpause,
        Phase::Pause,
        Phase::Remove,
    ];

    /// As columns and tables call it.
    pub const fn name(self) -> &'static str {
        match self {
            Phase::Queued => "queued",
            Phase::Create => "create",
            Phase::Address => "address",
            Phase::Init => "init",
            Phase::Run => "run",
            Phase::Logs => "logs",
            Phase::Unpause => "unpause",
            Phase::Pause => "pause",
            Phase::Remove => "remove",
        }
    }
}

/// What was measured of one invocation.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Measurements {
    /// By phase, in µs, in the order of [`Phase::ALL`]. Creating, waiting for the address and initialising are told of
    /// the invocation the container was created for; freezing and removing of the last one before.
    pub phases_us: [Option<u64>; Phase::ALL.len()],
    /// How much later than due it was sent, in µs.
    pub lag_us: u64,
    /// Most memory its container had used by its end, in bytes.
    pub memory_bytes: Option<u64>,
    /// Processor time of its container while it ran, in µs.
    pub cpu_us: Option<u64>,
}

/// Measurements of a run.
#[derive(Default, Debug)]
pub struct Phases {
    of: Vec<Measurements>,
    quantiles: [Quantiles; Phase::ALL.len()],
    lag: Quantiles,
    memory_bytes: u64,
    errors: BTreeMap<String, u64>,
    /// By activation, the number of the invocation.
    numbers: Vec<u64>,
    containers: BTreeMap<ContainerId, Whose>,
}

/// The invocations of a container, by number.
#[derive(Clone, Copy, Default, Debug)]
struct Whose {
    /// The one it was created for.
    created_for: Option<u64>,
    /// The one it was initialised for.
    initialized_for: Option<u64>,
    /// The last one that it was given.
    last: Option<u64>,
}

/// The figures, as the summary has them.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct PhaseFigures {
    /// Times by phase, without those that did not occur.
    pub phases: Vec<PhaseFigure>,
    /// How much later than due arrivals were sent, in ms.
    pub dispatch_lag_ms: Percentiles,
    /// Most memory that any container used, in MiB; absent if nothing was measured.
    pub container_memory_peak_mib: Option<f64>,
    /// What went wrong, in the platform's words, most frequent first; at most twenty.
    pub errors: Vec<ErrorFigure>,
}

/// One phase.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct PhaseFigure {
    /// Which.
    pub phase: Phase,
    /// How often.
    pub count: u64,
    /// How long, in ms.
    pub ms: Percentiles,
}

/// One kind of error.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct ErrorFigure {
    /// In words.
    pub error: String,
    /// How often.
    pub count: u64,
}

/// So many kinds of errors are told apart.
const MOST_ERRORS: usize = 1_000;

impl Phases {
    /// Of the invocation of this number.
    pub fn of(&self, number: u64) -> Measurements {
        self.of.get(number as usize).copied().unwrap_or_default()
    }

    /// The figures.
    pub fn figures(&self) -> PhaseFigures {
        let phases = Phase::ALL.into_iter().zip(&self.quantiles).filter(|(_, times)| times.count() > 0);
        let phases = phases
            .map(|(phase, times)| PhaseFigure { phase, count: times.count(), ms: Percentiles::from(times) })
            .collect();
        let mut errors: Vec<ErrorFigure> = self
            .errors
            .iter()
            .map(|(error, count)| ErrorFigure { error: error.clone(), count: *count })
            .collect();
        errors.sort_by_key(|figure| std::cmp::Reverse(figure.count));
        errors.truncate(20);
        let peak = Some(self.memory_bytes).filter(|bytes| *bytes > 0);
        PhaseFigures {
            phases,
            dispatch_lag_ms: Percentiles::from(&self.lag),
            container_memory_peak_mib: peak.map(|bytes| bytes as f64 / (1024.0 * 1024.0)),
            errors,
        }
    }

    fn take(&mut self, phase: Phase, us: u64, whose: Option<u64>) {
        self.quantiles[phase as usize].add(Span(us));
        if let Some(row) = whose.and_then(|number| self.of.get_mut(number as usize)) {
            row.phases_us[phase as usize] = Some(us);
        }
    }

    fn number(&self, activation: ActivationId) -> Option<u64> {
        self.numbers.get(activation.ix()).copied()
    }

    fn whose(&mut self, container: ContainerId) -> &mut Whose {
        self.containers.entry(container).or_default()
    }

    fn ran(&mut self, activation: ActivationId, measured: &Measured) {
        let whose = self.number(activation);
        self.take(Phase::Run, measured.took_us, whose);
        self.memory_bytes = self.memory_bytes.max(measured.memory_bytes.unwrap_or_default());
        if let Some(row) = whose.and_then(|number| self.of.get_mut(number as usize)) {
            row.memory_bytes = measured.memory_bytes;
            row.cpu_us = measured.cpu_us;
        }
    }

    fn created(&mut self, container: ContainerId, measured: &Measured) {
        let whose = self.whose(container).created_for;
        self.take(Phase::Create, measured.took_us, whose);
        for (phase, us) in [(Phase::Queued, measured.queued_us), (Phase::Address, measured.address_us)] {
            if let Some(us) = us {
                self.take(phase, us, whose);
            }
        }
    }

    fn destroyed(&mut self, container: ContainerId, measured: &Measured) {
        let whose = self.containers.remove(&container).unwrap_or_default().last;
        self.take(Phase::Remove, measured.took_us, whose);
        if let Some(us) = measured.unpause_us {
            self.take(Phase::Unpause, us, None);
        }
    }
}

impl Observer for Phases {
    fn acted(&mut self, _now: Time, action: &Action) {
        if let Action::Init { container, activation: Some(activation), .. } = *action {
            let number = self.number(activation);
            self.whose(container).initialized_for = number;
        }
    }

    fn noted(&mut self, _now: Time, note: &Note) {
        if let Note::Dispatched { activation, container, start, .. } = *note {
            let number = self.number(activation);
            let whose = self.whose(container);
            whose.last = number;
            if start.creates() {
                whose.created_for = number;
            }
        }
    }
}

impl Watcher for Phases {
    fn told(&mut self, told: &Told) {
        if let (Input::Arrived { activation, .. }, Some(arrival)) = (told.input, told.arrival) {
            let ix = activation.ix();
            if ix >= self.numbers.len() {
                self.numbers.resize(ix + 1, 0);
            }
            self.numbers[ix] = arrival.number;
            let lag = told.t - arrival.due;
            self.lag.add(lag);
            self.of.push(Measurements { lag_us: lag.0, ..Measurements::default() });
        }
    }

    fn measured(&mut self, input: &Input, measured: &Measured) {
        match *input {
            Input::Created(container, _) => self.created(container, measured),
            Input::Initialized(container, _) => {
                let whose = self.whose(container).initialized_for;
                self.take(Phase::Init, measured.took_us, whose);
            }
            Input::Ran(_, activation, _) => self.ran(activation, measured),
            Input::LogsCollected(_, activation, _) => {
                self.take(Phase::Logs, measured.took_us, self.number(activation));
            }
            Input::Paused(container, _) => {
                let whose = self.whose(container).last;
                self.take(Phase::Pause, measured.took_us, whose);
            }
            Input::Resumed(container, _) => {
                let whose = self.whose(container).last;
                self.take(Phase::Unpause, measured.took_us, whose);
            }
            Input::Destroyed(container) => self.destroyed(container, measured),
            _ => {}
        }
        if let Some(error) = &measured.error
            && (self.errors.len() < MOST_ERRORS || self.errors.contains_key(error))
        {
            *self.errors.entry(error.clone()).or_default() += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::eventlog::record::Arrived;
    use crate::ids::FunctionId;
    use crate::pool::boundary::{RunOutcome, StartState, Status};

    const C: ContainerId = ContainerId { slot: 3, epoch: 1 };

    fn arrive(phases: &mut Phases, number: u64, lag_us: u64) {
        let (activation, function) = (ActivationId(0), FunctionId(0));
        let input = Input::Arrived { activation, function, blocking: false };
        let arrival = Some(Arrived { number, due: Time(1_000), run_us: 1 });
        phases.told(&Told { t: Time(1_000 + lag_us), input, arrival, measured: None });
    }

    fn dispatch(phases: &mut Phases, start: StartState) {
        let (activation, function) = (ActivationId(0), FunctionId(0));
        phases.noted(Time::ZERO, &Note::Dispatched { activation, function, container: C, start, active: 1 });
    }

    fn measure(phases: &mut Phases, input: Input, took_us: u64) {
        phases.measured(&input, &Measured { took_us, address_us: Some(7), ..Measured::default() });
    }

    #[test]
    fn phases_belong_to_who_caused_them_or_came_before() {
        let mut phases = Phases::default();
        let ran = Input::Ran(C, ActivationId(0), RunOutcome::Answered(Status::Success));
        arrive(&mut phases, 0, 50);
        dispatch(&mut phases, StartState::Cold);
        measure(&mut phases, Input::Created(C, Ok(())), 500);
        measure(&mut phases, ran, 20);
        measure(&mut phases, Input::Paused(C, true), 30);
        arrive(&mut phases, 1, 0);
        dispatch(&mut phases, StartState::Warmed);
        measure(&mut phases, Input::Resumed(C, true), 40);
        measure(&mut phases, ran, 21);
        measure(&mut phases, Input::Destroyed(C), 90);
        let of = |number, phase: Phase| phases.of(number).phases_us[phase as usize];
        assert_eq!(
            [of(0, Phase::Create), of(0, Phase::Address), of(0, Phase::Run)],
            [Some(500), Some(7), Some(20)]
        );
        assert_eq!(
            [of(0, Phase::Pause), of(0, Phase::Unpause), of(0, Phase::Remove)],
            [Some(30), None, None]
        );
        assert_eq!(
            [of(1, Phase::Create), of(1, Phase::Unpause), of(1, Phase::Run)],
            [None, Some(40), Some(21)]
        );
        assert_eq!(of(1, Phase::Remove), Some(90));
        assert_eq!(phases.of(0).lag_us, 50);
        let figures = phases.figures();
        assert_eq!(figures.phases.iter().map(|figure| figure.count).collect::<Vec<_>>(), [1, 1, 2, 1, 1, 1]);
    }

    #[test]
    fn errors_are_counted_in_their_own_words() {
        let mut phases = Phases::default();
        for error in ["no image", "too slow", "too slow"] {
            let measured = Measured { error: Some(error.to_owned()), ..Measured::default() };
            phases.measured(&Input::Destroyed(C), &measured);
        }
        let errors = phases.figures().errors;
        assert_eq!(errors[0], ErrorFigure { error: "too slow".to_owned(), count: 2 });
        assert_eq!(errors.len(), 2);
    }
}
