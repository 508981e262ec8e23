//! Policies: who is evicted, and how long the idle stay. One file, one paper, one line in [`registry`]
//! each. Policies order and advise; they must never change the pool, do IO, read a clock or know
//! whether the pool is simulated.

pub mod params;
pub mod registry;

pub mod faascache;
mod fifo;
pub mod fixed;
mod freq;
mod gdsf;
mod greedy_dual;
mod hybrid_histogram;
mod landlord;
mod lfu;
mod lru;
mod random;
mod s3_fifo;
mod sieve;
mod size;
mod ski_rental;

mod heap;
mod lazy_heap;
mod queue;

#[cfg(test)]
mod conformance;
#[cfg(test)]
mod testing;

use std::any::Any;

use crate::ids::{FunctionId, Slot};
use crate::pool::boundary::StartState;
use crate::pool::tables::Tables;
use crate::time::{Span, Time};

pub use params::{Param, Params};
pub use registry::{EVICTION, EvictionPolicy, KEEP_ALIVE, KeepAlivePolicy};

/// Which of the hooks of [`Evict`] that come with every invocation a policy listens to, beside those of dispatch and
/// idleness. A call into nothing costs as much as the rest of some policies.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Wants {
    /// [`Evict::on_request`].
    pub requests: bool,
    /// [`Evict::on_done`].
    pub ends: bool,
}

impl Wants {
    /// Neither.
    pub const NOTHING: Wants = Wants { requests: false, ends: false };
}

/// Orders the containers that may be evicted.
///
/// The pool tells what happens, always after its own tables have changed. Between `on_idle` and the
/// next `on_dispatch` or `on_gone` of a slot the container is evictable
/// ([`crate::pool::tables::Container::is_evictable`]); at all other times it is pinned, and `pick`
/// must not return it. With a concurrency limit above 1 a container sees several `on_dispatch` before
/// it is idle again. Slots are used again for other containers after `on_gone`.
pub trait Evict: Any + Send {
    /// Which hooks it listens to. Asked once, before anything else. Without a default: what a policy does not want it is
    /// never told.
    fn wants(&self) -> Wants;

    /// An activation of `function` is about to be placed; told again each time a waiting one is retried. Only told
    /// to those that [`Wants::requests`].
    fn on_request(&mut self, tables: &Tables, function: FunctionId) {
        let _ = (tables, function);
    }

    /// An activation was assigned to `slot`, which is pinned from now on. The first one of a
    /// container (`start` other than warmed, warming or warmingCold) also announces the container.
    fn on_dispatch(&mut self, tables: &Tables, slot: Slot, start: StartState) {
        let _ = (tables, slot, start);
    }

    /// An activation in `slot` ended `elapsed` after the container's last dispatch, and the container
    /// has room again. Told before `on_idle`. What was learnt from it is in the tables already: this is
    /// how a policy knows that [`Tables::cold_cost_ms`] may have changed. Only told to those that
    /// [`Wants::ends`].
    fn on_done(&mut self, tables: &Tables, slot: Slot, elapsed: Span) {
        let _ = (tables, slot, elapsed);
    }

    /// `slot` may be evicted from now on. A container that was loaded ahead of time is announced by this.
    fn on_idle(&mut self, tables: &Tables, slot: Slot);

    /// The container in `slot` is gone, evicted or for another reason. The tables still show its
    /// function and memory. A container that was being loaded ahead of time when it failed goes
    /// without ever having been announced.
    fn on_gone(&mut self, tables: &Tables, slot: Slot, evicted: bool);

    /// A prewarmed container was taken for `function`; `on_dispatch` follows.
    fn on_prewarm_taken(&mut self, tables: &Tables, function: FunctionId) {
        let _ = (tables, function);
    }

    /// The pool has so many MiB from now on.
    fn on_resize(&mut self, capacity_mib: u64) {
        let _ = capacity_mib;
    }

    /// An eviction begins; `pick` and `on_gone` follow in turn until there is room.
    fn on_pressure(&mut self, tables: &Tables) {
        let _ = tables;
    }

    /// The next victim. The pool only asks while some container is evictable, and evicts what it is
    /// given (`on_gone` follows).
    fn pick(&mut self, tables: &Tables) -> Slot;
}

/// How long an idle container may stay.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Lease {
    /// From now ([`crate::pool::rules::LeaseFrom`] says which now); zero: unload at once.
    pub keep: Span,
    /// Load a container for the function again this long from now, unless it is invoked before.
    pub load_after: Option<Span>,
}

impl Lease {
    /// Keep for `keep`, load nothing ahead.
    pub const fn keep(keep: Span) -> Lease {
        Lease { keep, load_after: None }
    }
}

/// Says how long idle containers stay, and whether and when to load one ahead of time.
pub trait KeepAlive: Any + Send {
    /// The lease, if it is the same for every container at all times; then nothing else is asked or told.
    /// Asked once, before anything else.
    fn constant(&self) -> Option<Lease> {
        None
    }

    /// An activation of `function` arrived (told once, also if it has to wait).
    fn on_arrival(&mut self, now: Time, function: FunctionId) {
        let _ = (now, function);
    }

    /// An activation of `function` ended and left its container idle. Told at that moment, also where the
    /// rules ask for the lease only once the container is paused.
    fn on_idle(&mut self, now: Time, function: FunctionId) {
        let _ = (now, function);
    }

    /// The container in `slot` has nothing to do from now on. `loaded_ahead`: it was loaded because
    /// an earlier lease asked for it and has not run anything yet.
    fn lease(&mut self, now: Time, tables: &Tables, slot: Slot, loaded_ahead: bool) -> Lease;
}
