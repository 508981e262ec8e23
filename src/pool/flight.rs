//! Activations between arrival and answer: what must be remembered to fill in the answer's wait,
//! init and duration. Must never outgrow the activations under way.

use crate::ids::{ActivationId, FunctionId};
use crate::pool::boundary::{Ack, Answer, StartState, Status};
use crate::time::{Span, Time};

/// One activation under way.
#[derive(Clone, Copy, Debug)]
pub struct Flight {
    /// When it reached the worker.
    pub received: Time,
    /// When its initialisation, then its run, started.
    pub started: Time,
    /// From arrival to the first of these.
    pub wait: Span,
    /// How long the initialisation took; [`Span::FOREVER`] while there was none.
    init: Span,
    /// Initialisation plus run, once ended.
    pub duration: Span,
    /// What is invoked.
    pub function: FunctionId,
    /// How it got its container.
    pub start: Option<StartState>,
    /// How it ended, while logs are collected.
    pub status: Status,
    /// Whether the caller waits for the result.
    pub blocking: bool,
    /// Whether it ran as the first after an idle period.
    pub reschedule: bool,
}

impl Flight {
    /// An activation that has just arrived.
    #[inline]
    pub fn new(received: Time, function: FunctionId, blocking: bool) -> Flight {
        Flight {
            received,
            started: received,
            wait: Span::ZERO,
            init: Span::FOREVER,
            duration: Span::ZERO,
            function,
            start: None,
            status: Status::Success,
            blocking,
            reschedule: false,
        }
    }

    /// Its run, or its last one, ends.
    #[inline]
    pub fn end(&mut self, now: Time, status: Status) {
        self.status = status;
        self.duration = self.init().unwrap_or(Span::ZERO) + (now - self.started);
    }

    /// Notes how long the initialisation took.
    pub fn initialized(&mut self, took: Span) {
        self.init = took;
    }

    /// How long the initialisation took, if there was one.
    #[inline]
    pub fn init(&self) -> Option<Span> {
        (self.init != Span::FOREVER).then_some(self.init)
    }

    /// The answer as of now.
    #[inline]
    pub fn answer(&self, activation: ActivationId, ack: Ack) -> Answer {
        Answer {
            activation,
            ack,
            status: self.status,
            wait: self.wait,
            init: self.init(),
            duration: self.duration,
            start: self.start,
        }
    }
}

/// All activations under way, by number.
#[derive(Debug, Default)]
pub struct Flights {
    flights: Vec<Flight>,
}

impl Flights {
    /// Takes up a new activation under a number that is not under way.
    #[inline]
    pub fn insert(&mut self, activation: ActivationId, flight: Flight) {
        let ix = activation.ix();
        if ix < self.flights.len() {
            self.flights[ix] = flight;
        } else {
            // Numbers are small and dense; the gap, if any, is filled with copies that are never read.
            self.flights.resize(ix + 1, flight);
        }
    }

    /// The activation of this number.
    #[inline]
    pub fn of(&self, activation: ActivationId) -> &Flight {
        &self.flights[activation.ix()]
    }

    /// The activation of this number.
    #[inline]
    pub fn of_mut(&mut self, activation: ActivationId) -> &mut Flight {
        &mut self.flights[activation.ix()]
    }
}
