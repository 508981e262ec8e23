//! An eviction policy that knows the future. Owns what it knows and how it ranks; must never be taken for a
//! bound or put into the registry: no platform can run it.
//!
//! ```text
//! victim = argmax over idle containers of  (next use − now) · memory
//! ```
//!
//! Source: Belady's rule (1966), evict what is needed last, weighted by memory as size-aware forms of it are.
//! With objects of different sizes finding the best choice is NP-hard (Chrobak et al., 2012), so this is a
//! heuristic: a policy may beat it. The next use of a container is the activation that it would serve in an
//! endless pool (`copies`); a container with none goes first. In a real pool another container may serve that
//! activation, because one was evicted or busy with a long cold start: then the two exchange their next uses.
//! Where activations are dropped or cold starts shift what follows, the policy's idea of the future is still
//! a little wrong. Which activation is placed is told by counting: dispatches where activations wait, which keep
//! their order, requests where they are dropped. What is refused although others wait, because the run buffer is
//! full or the function is larger than the pool, is not told apart from what waits and is tried again; so beyond
//! `buffer-limit` next uses lag by as many activations of the function as were refused.
//!
//! * **Ties** go to the lower slot. **Complexity**: O(idle containers) per victim, 16 bytes per invocation.

use std::sync::Arc;

use super::copies::EndlessPool;
use crate::ids::{FunctionId, NO_SLOT, Slot};
use crate::policy::{Evict, Wants};
use crate::pool::boundary::StartState;
use crate::pool::tables::Tables;
use crate::time::{Span, Time};

/// When the activations of each function arrive, and when the container that serves one is needed again.
#[derive(Debug, Default)]
pub struct Future {
    /// By function and its running number: arrival and next use, [`Time::NEVER`] for none.
    uses: Vec<Vec<(Time, Time)>>,
}

/// Learns the future from arrivals in the order of time.
pub struct Learning {
    future: Future,
    pool: EndlessPool,
}

impl Learning {
    /// Of so many functions.
    pub fn new(functions: usize) -> Learning {
        Learning { future: Future { uses: vec![Vec::new(); functions] }, pool: EndlessPool::new(functions) }
    }

    /// An activation arrives and would run so long when warm.
    pub fn arrive(&mut self, now: Time, function: u32, run: Span) {
        let uses = &mut self.future.uses[function as usize];
        uses.push((now, Time::NEVER));
        if let Some((_, whom)) = self.pool.serve(now, function, run).before {
            uses[whom as usize].1 = now;
        }
    }

    /// All of it.
    pub fn finish(self) -> Future {
        self.future
    }
}

/// The policy.
pub struct Clairvoyant {
    future: Arc<Future>,
    /// Whether requests that find no room are gone, so that requests are counted and not dispatches.
    drops: bool,
    /// Activations of each function so far.
    number: Vec<u32>,
    now: Time,
    idle: Vec<Slot>,
    /// By slot: its place in `idle` (`NO_SLOT`: not there) and when it is needed again.
    slots: Vec<(u32, Time)>,
    /// By function: the slots of its containers.
    of: Vec<Vec<Slot>>,
}

impl Clairvoyant {
    /// With this future. `drops`: whether activations without room are dropped instead of waiting.
    pub fn new(future: Arc<Future>, drops: bool) -> Clairvoyant {
        let functions = future.uses.len();
        Clairvoyant {
            future,
            drops,
            number: vec![0; functions],
            now: Time::ZERO,
            idle: Vec::new(),
            slots: Vec::new(),
            of: vec![Vec::new(); functions],
        }
    }

    fn slot(&mut self, slot: Slot) -> &mut (u32, Time) {
        if self.slots.len() <= slot as usize {
            self.slots.resize(slot as usize + 1, (NO_SLOT, Time::NEVER));
        }
        &mut self.slots[slot as usize]
    }

    fn withdraw(&mut self, slot: Slot) {
        let place = std::mem::replace(&mut self.slot(slot).0, NO_SLOT);
        if place != NO_SLOT {
            self.idle.swap_remove(place as usize);
            if let Some(moved) = self.idle.get(place as usize) {
                self.slots[*moved as usize].0 = place;
            }
        }
    }
}

impl Evict for Clairvoyant {
    fn wants(&self) -> Wants {
        Wants { requests: true, ends: false }
    }

    fn on_request(&mut self, _tables: &Tables, function: FunctionId) {
        let number = self.number[function.0 as usize] as usize;
        if let Some((arrival, _)) = self.future.uses[function.0 as usize].get(number) {
            self.now = self.now.max(*arrival);
        }
        self.number[function.0 as usize] += u32::from(self.drops);
    }

    fn on_dispatch(&mut self, tables: &Tables, slot: Slot, start: StartState) {
        self.withdraw(slot);
        let function = tables.function_of(slot).0 as usize;
        let number = self.number[function] - u32::from(self.drops);
        self.number[function] += u32::from(!self.drops);
        let (arrival, next) =
            self.future.uses[function].get(number as usize).copied().unwrap_or((self.now, Time::NEVER));
        let meant = std::mem::replace(&mut self.slot(slot).1, next);
        if !self.of[function].contains(&slot) {
            self.of[function].push(slot);
        } else if start.is_warm() && meant != arrival {
            // Whoever was meant to serve this one serves what this container was meant for.
            let (slots, others) = (&mut self.slots, &self.of[function]);
            let other = others.iter().find(|other| **other != slot && slots[**other as usize].1 == arrival);
            if let Some(other) = other {
                slots[*other as usize].1 = meant;
            }
        }
    }

    fn on_idle(&mut self, _tables: &Tables, slot: Slot) {
        let place = self.idle.len() as u32;
        let entry = self.slot(slot);
        if entry.0 == NO_SLOT {
            entry.0 = place;
            self.idle.push(slot);
        }
    }

    fn on_gone(&mut self, tables: &Tables, slot: Slot, _evicted: bool) {
        self.withdraw(slot);
        self.of[tables.function_of(slot).0 as usize].retain(|other| *other != slot);
        // A container loaded ahead may take the slot without ever being dispatched.
        self.slot(slot).1 = Time::NEVER;
    }

    fn pick(&mut self, tables: &Tables) -> Slot {
        let worth_least = |slot: &Slot| {
            // What is over, others have served.
            let next = self.slots[*slot as usize].1;
            let until = if next < self.now { Time::NEVER - self.now } else { next - self.now }.0;
            let mib = tables.container(*slot).memory_mib();
            (u128::from(until) * u128::from(mib), std::cmp::Reverse(*slot))
        };
        self.idle.iter().copied().max_by_key(worth_least).unwrap_or(NO_SLOT)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::{ActionId, KindId};
    use crate::memory::Memory;
    use crate::pool::rules::Times;
    use crate::pool::tables::FunctionSpec;

    fn function(mib: u64) -> FunctionSpec {
        FunctionSpec {
            action: ActionId(0),
            memory: Memory(mib),
            kind: KindId(0),
            max_concurrent: 1,
            logs: false,
            cold: Span::ZERO,
            warm: Span::ZERO,
        }
    }

    /// Three functions, each with an idle container; the first to be evicted, told at 1,000 s.
    fn victim(drops: bool, told: bool) -> u32 {
        // Of memory and seconds from 1,000 on until the next use: 100 · 90, 500 · 10, 200 · 20.
        let nexts = [(100, 1_090), (500, 1_010), (200, 1_020)];
        let mut learning = Learning::new(4);
        (0..3).for_each(|nth| learning.arrive(Time::ZERO, nth, Span::ZERO));
        learning.arrive(Time::from_ms(1_000_000), 3, Span::ZERO);
        for nth in [1, 2, 0] {
            learning.arrive(Time::from_ms(1_000 * nexts[nth as usize].1), nth, Span::ZERO);
        }
        let specs = nexts.iter().map(|(mib, _)| function(*mib)).chain([function(64)]).collect();
        let mut tables = Tables::new(specs, Times::Declared);
        let mut policy = Clairvoyant::new(Arc::new(learning.finish()), drops);
        for nth in 0..3 {
            policy.on_request(&tables, FunctionId(nth));
            let slot = tables.test_create(FunctionId(nth), Time::ZERO);
            policy.on_dispatch(&tables, slot, StartState::Cold);
            policy.on_idle(&tables, slot);
        }
        if told {
            policy.on_request(&tables, FunctionId(3));
        }
        let slot = policy.pick(&tables);
        tables.function_of(slot).0
    }

    #[test]
    fn victims_rank_by_time_until_the_next_use_and_memory() {
        for drops in [false, true] {
            assert_eq!(victim(drops, true), 0, "drops: {drops}");
            // At 0 s the next uses are nearly as far for all.
            assert_eq!(victim(drops, false), 1, "drops: {drops}");
        }
    }

    #[test]
    fn it_asks_for_requests() {
        assert!(Clairvoyant::new(Arc::new(Learning::new(1).finish()), false).wants().requests);
    }
}
