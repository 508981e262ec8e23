//! One row per invocation, as columns, for those who ask for it. Owns which columns there are; must
//! never be kept unless asked for: it grows with the trace.

use super::{Cause, Ending, Outcome};
use crate::pool::boundary::{Answer, StartState, Status};

/// Rows in the order in which activations ended.
#[derive(Debug, Default)]
pub struct Rows {
    /// Number among all arrivals, from 0.
    pub number: Vec<u64>,
    /// Arrival in µs.
    pub arrived_us: Vec<u64>,
    /// Function, by number.
    pub function: Vec<u32>,
    /// How it ended; see [`Rows::outcome`].
    pub outcome: Vec<&'static str>,
    /// How it got its container.
    pub start: Vec<Option<&'static str>>,
    /// Why it was not warm.
    pub cause: Vec<Option<&'static str>>,
    /// From arrival to init or run.
    pub wait_us: Vec<Option<u64>>,
    /// Time spent initialising.
    pub init_us: Vec<Option<u64>>,
    /// Initialisation plus run.
    pub duration_us: Vec<Option<u64>>,
    /// From arrival to the end of the run.
    pub response_us: Vec<Option<u64>>,
    /// Which container served it, in the order in which containers were asked for, from 0.
    pub container: Vec<Option<u64>>,
}

impl Rows {
    /// How many there are.
    pub fn len(&self) -> usize {
        self.number.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.number.is_empty()
    }

    pub(super) fn push(&mut self, ending: &Ending, cause: Option<Cause>, container: u64) {
        let answer = match &ending.outcome {
            Outcome::Answered(answer) => Some(answer),
            Outcome::Refused(_) | Outcome::Lost => None,
        };
        let served = answer.filter(|answer| answer.start.is_some());
        self.number.push(ending.number);
        self.arrived_us.push(ending.arrived.0);
        self.function.push(ending.function.0);
        self.outcome.push(Rows::outcome(&ending.outcome));
        self.start.push(served.and_then(|answer| answer.start).map(StartState::name));
        self.cause.push(served.and(cause).map(Cause::name));
        self.wait_us.push(answer.map(|answer| answer.wait.0));
        self.init_us.push(answer.and_then(|answer| answer.init).map(|init| init.0));
        self.duration_us.push(answer.map(|answer| answer.duration.0));
        self.response_us.push(answer.map(|answer| (answer.wait + answer.duration).0));
        self.container.push(served.map(|_| container));
    }

    /// What the column `outcome` says.
    pub fn outcome(outcome: &Outcome) -> &'static str {
        match outcome {
            Outcome::Answered(Answer { status, .. }) => match status {
                Status::Success => "success",
                Status::ApplicationError => "application-error",
                Status::DeveloperError => "developer-error",
                Status::SystemError => "system-error",
            },
            Outcome::Refused(_) => "dropped",
            Outcome::Lost => "lost",
        }
    }
}
