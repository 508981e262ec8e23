//! What carries out the pool's orders. Owns the contract between the driver and whatever is behind it: a real
//! platform, or a fake one under paused time. Must never know the pool.

use std::future::Future;

use crate::eventlog::Measured;
use crate::ids::{ActivationId, FunctionId};
use crate::pool::{Action, Input};
use crate::time::{Span, Time};

/// An order of the pool with what it takes to carry it out.
#[derive(Clone, Debug)]
pub struct Order {
    /// When the pool gave it.
    pub now: Time,
    /// What is to be done. Never [`Action::Answer`], [`Action::Reject`] or [`Action::Lose`]: those are for the caller, not the
    /// platform.
    pub action: Action,
    /// The activation it is about, if it is about one.
    pub job: Option<Job>,
}

/// An activation as a backend sees it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Job {
    /// The number under which the pool knows it; used again later.
    pub activation: ActivationId,
    /// Its number among all arrivals, from 0; never used again.
    pub number: u64,
    /// What is invoked.
    pub function: FunctionId,
    /// How long a warm run takes by the trace; actions that can take any time take this.
    pub run: Span,
}

/// A fact for the pool, and what was measured on the way.
#[derive(Clone, PartialEq, Debug)]
pub struct Report {
    /// The fact.
    pub input: Input,
    /// What was measured.
    pub measured: Measured,
}

/// What was left when a backend was closed.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Closing {
    /// Containers that were removed at the end because they were still there.
    pub removed: u64,
    /// What could not be removed, one sentence each. Empty after a clean end.
    pub leftovers: Vec<String>,
}

/// Carries out orders.
///
/// Every order but [`Action::HealthPing`] is answered by exactly one report, whatever happens; the fact is that which
/// [`Action`] names. Orders about one container are given in an order that makes sense, but the next may come
/// before the last is answered: [`Action::Destroy`] may come while a run, or a thaw, is under way, and is then to be
/// carried out all the same.
pub trait Backend: Send + Sync + 'static {
    /// Begins to carry out an order. What must happen in the order in which the pool decided (numbering, taking note of a
    /// container) happens before this returns; the rest when the future is polled, in a task of its own. `None`:
    /// there is nothing to tell. The answer to a [`Action::HealthPing`] that begins is the [`Input::HealthFailed`]
    /// once it fails, or `None` once the pings end.
    fn carry_out(&self, order: Order) -> impl Future<Output = Option<Report>> + Send + 'static;

    /// The run is over: removes whatever is still there, and looks whether that is so.
    fn close(&self) -> impl Future<Output = Closing> + Send;
}
