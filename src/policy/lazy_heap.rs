//! The Greedy-Dual family: policies that evict the container of least priority, where
//!
//! ```text
//! priority = stamp + worth        clock := max(clock, priority of what is evicted)
//! ```
//!
//! The stamp is the clock as it stood when the container was last dispatched (or became idle, see
//! [`Stamp`]), the worth is a formula of [`View`]. Ties go to the container dispatched least recently;
//! being loaded ahead of time counts as a dispatch for that purpose alone. This file owns the clock,
//! the stamps, the frequencies and the heap; what a container is worth is each policy's own affair.
//!
//! The heap is lazy. As long as costs do not fall, the priority of a container never falls either:
//! stamps and frequencies only grow, and IEEE addition, multiplication and division are monotone. So
//! the priority with which a container was pushed is a lower bound of its present one, and nothing has
//! to be done at a dispatch or when a container becomes idle again. When a victim is wanted, the top is
//! compared with its present priority: outdated keys are repaired, busy containers are taken out (and
//! pushed when they become idle), and the first key that is right is the least of all. Where costs are
//! learnt they can fall; then all containers of that action are pushed anew before the next victim is
//! picked.
//!
//! Per invocation O(1); per victim amortised O(log n) for n containers, plus O(k log n) for each action
//! whose cost fell since the last one, k being the number of its containers.

use std::marker::PhantomData;

use super::heap::Heap;
use super::{Evict, Wants};
use crate::ids::{ActionId, NO_SLOT, Slot};
use crate::pool::boundary::StartState;
use crate::pool::rules::{Times, Tracking};
use crate::pool::tables::Tables;
use crate::time::Span;

/// When the clock is noted on a container.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Stamp {
    /// Never: the policy does not age.
    Never,
    /// At each dispatch.
    AtDispatch,
    /// Each time it becomes idle.
    AtIdle,
}

/// What a policy of the family has of its own.
pub(super) trait Formula: Send + 'static {
    /// When stamps are taken.
    const STAMP: Stamp;
    /// Whether `worth` reads [`View::cost_ms`].
    const USES_COST: bool;
    /// The part of the priority that does not age. Never NaN; must not fall when a frequency, a number
    /// of runs or a cost rises.
    fn worth(view: View<'_>) -> f64;
}

/// What a container's worth can be made of.
#[derive(Clone, Copy, Debug)]
pub(super) struct View<'a> {
    tables: &'a Tables,
    slot: Slot,
    action: ActionId,
    frequency: u64,
    runs: u32,
}

impl View<'_> {
    /// Invocations of the action, whichever container they went to, times
    /// [`Tracking::invocation_weight`]; forgotten with its last container if [`Tracking::forget`].
    #[inline]
    pub fn frequency(&self) -> f64 {
        self.frequency as f64
    }

    /// Invocations this very container got, times [`Tracking::invocation_weight`].
    #[inline]
    pub fn runs(&self) -> f64 {
        f64::from(self.runs)
    }

    /// What a cold start costs more than a warm one, in ms, as known at present.
    #[inline]
    pub fn cost_ms(&self) -> f64 {
        self.tables.cold_cost_ms(self.action)
    }

    /// Memory in MiB, at least 1.
    #[inline]
    pub fn size_mib(&self) -> f64 {
        f64::from(self.tables.container(self.slot).memory_mib().max(1))
    }
}

const NO_ACTION: ActionId = ActionId(u32::MAX);

#[derive(Clone, Copy, Debug)]
struct Container {
    /// Number of its last dispatch, which breaks ties.
    rank: u64,
    stamp: f64,
    action: ActionId,
    runs: u32,
    /// The other containers of the action.
    next: Slot,
    prev: Slot,
}

const _: () = assert!(size_of::<Container>() == 32, "a container record is half a cache line");

const ABSENT: Container =
    Container { rank: 0, stamp: 0.0, action: NO_ACTION, runs: 0, next: NO_SLOT, prev: NO_SLOT };

#[derive(Clone, Copy, Debug)]
struct Action {
    frequency: u64,
    /// No key was computed with a higher cost.
    highest_cost_ms: f64,
    first: Slot,
    fell: bool,
}

const UNKNOWN: Action = Action { frequency: 0, highest_cost_ms: 0.0, first: NO_SLOT, fell: false };

/// A policy of the family.
#[derive(Debug)]
pub(super) struct LazyHeap<F> {
    tracking: Tracking,
    clock: f64,
    dispatches: u64,
    heap: Heap,
    containers: Vec<Container>,
    actions: Vec<Action>,
    /// Actions whose cost fell below what keys were computed with.
    fallen: Vec<ActionId>,
    formula: PhantomData<F>,
}

impl<F: Formula> LazyHeap<F> {
    /// Without containers, the clock at 0.
    pub fn new(tracking: Tracking) -> LazyHeap<F> {
        LazyHeap {
            tracking,
            clock: 0.0,
            dispatches: 0,
            heap: Heap::default(),
            containers: Vec::new(),
            actions: Vec::new(),
            fallen: Vec::new(),
            formula: PhantomData,
        }
    }

    /// The present priority of a container.
    #[inline]
    fn priority(&self, tables: &Tables, slot: Slot) -> f64 {
        let Container { stamp, action, runs, .. } = self.containers[slot as usize];
        let frequency = self.actions[action.ix()].frequency;
        stamp + F::worth(View { tables, slot, action, frequency, runs })
    }

    #[inline]
    fn knows(&self, slot: Slot) -> bool {
        self.containers.get(slot as usize).is_some_and(|container| container.action != NO_ACTION)
    }

    /// Gives a container that is announced its record.
    #[cold]
    fn welcome(&mut self, tables: &Tables, slot: Slot) {
        if self.containers.len() <= slot as usize {
            self.containers.resize(slot as usize + 1, ABSENT);
        }
        if self.actions.is_empty() {
            self.actions.resize(tables.actions(), UNKNOWN);
        }
        let action = tables.action(tables.function_of(slot));
        let stamp = if F::STAMP == Stamp::Never { 0.0 } else { self.clock };
        self.dispatches += 1;
        let next = self.actions[action.ix()].first;
        self.containers[slot as usize] =
            Container { rank: self.dispatches, stamp, action, runs: 0, next, prev: NO_SLOT };
        if next != NO_SLOT {
            self.containers[next as usize].prev = slot;
        }
        self.actions[action.ix()].first = slot;
    }

    fn forget(&mut self, slot: Slot) {
        let Container { action, next, prev, .. } = self.containers[slot as usize];
        self.containers[slot as usize] = ABSENT;
        match prev {
            NO_SLOT => self.actions[action.ix()].first = next,
            prev => self.containers[prev as usize].next = next,
        }
        if next != NO_SLOT {
            self.containers[next as usize].prev = prev;
        }
        let action = &mut self.actions[action.ix()];
        if action.first == NO_SLOT {
            action.highest_cost_ms = 0.0;
            if self.tracking.forget {
                action.frequency = 0;
            }
        }
    }

    fn push(&mut self, tables: &Tables, slot: Slot) {
        let priority = self.priority(tables, slot);
        self.note_cost(tables, slot);
        self.heap.push(slot, priority, self.containers[slot as usize].rank);
    }

    /// Remembers the cost with which a key is computed.
    #[inline]
    fn note_cost(&mut self, tables: &Tables, slot: Slot) {
        if F::USES_COST && tables.learns() {
            let action = self.containers[slot as usize].action;
            let highest_ms = &mut self.actions[action.ix()].highest_cost_ms;
            *highest_ms = highest_ms.max(tables.cold_cost_ms(action));
        }
    }

    /// Pushes the containers of actions whose cost fell anew, so that all keys are lower bounds again.
    fn push_fallen(&mut self, tables: &Tables) {
        while let Some(action) = self.fallen.pop() {
            let record = &mut self.actions[action.ix()];
            record.fell = false;
            record.highest_cost_ms = 0.0;
            let mut slot = record.first;
            while slot != NO_SLOT {
                if self.heap.contains(slot) {
                    self.push(tables, slot);
                }
                slot = self.containers[slot as usize].next;
            }
        }
    }
}

impl<F: Formula> Evict for LazyHeap<F> {
    fn wants(&self) -> Wants {
        Wants { requests: false, ends: F::USES_COST && self.tracking.times != Times::Declared }
    }

    fn on_dispatch(&mut self, tables: &Tables, slot: Slot, _start: StartState) {
        if !self.knows(slot) {
            self.welcome(tables, slot);
        }
        self.dispatches += 1;
        let weight = self.tracking.invocation_weight;
        let container = &mut self.containers[slot as usize];
        container.rank = self.dispatches;
        container.runs = container.runs.saturating_add(weight);
        if F::STAMP == Stamp::AtDispatch {
            container.stamp = self.clock;
        }
        self.actions[container.action.ix()].frequency += u64::from(weight);
    }

    fn on_done(&mut self, tables: &Tables, slot: Slot, _elapsed: Span) {
        if F::USES_COST && tables.learns() && self.knows(slot) {
            let action = self.containers[slot as usize].action;
            let record = &mut self.actions[action.ix()];
            if tables.cold_cost_ms(action) < record.highest_cost_ms && !record.fell {
                record.fell = true;
                self.fallen.push(action);
            }
        }
    }

    fn on_idle(&mut self, tables: &Tables, slot: Slot) {
        if !self.knows(slot) {
            self.welcome(tables, slot);
        }
        if F::STAMP == Stamp::AtIdle {
            self.containers[slot as usize].stamp = self.clock;
        }
        if !self.heap.contains(slot) {
            self.push(tables, slot);
        }
    }

    fn on_gone(&mut self, tables: &Tables, slot: Slot, evicted: bool) {
        if !self.knows(slot) {
            return;
        }
        if evicted && F::STAMP != Stamp::Never {
            self.clock = self.clock.max(self.priority(tables, slot));
        }
        self.heap.remove(slot);
        self.forget(slot);
    }

    fn pick(&mut self, tables: &Tables) -> Slot {
        self.push_fallen(tables);
        loop {
            let top =
                self.heap.top().expect("the pool asks only while one is evictable, and all those are in");
            if !tables.container(top.id).is_evictable() {
                self.heap.remove(top.id);
                continue;
            }
            let (key, rank) = (self.priority(tables, top.id), self.containers[top.id as usize].rank);
            if key == top.key && rank == top.rank {
                return top.id;
            }
            self.note_cost(tables, top.id);
            self.heap.rekey_top(key, rank);
        }
    }
}

#[cfg(test)]
mod tests;
