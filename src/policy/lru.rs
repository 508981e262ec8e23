//! `lru`: evict the container least recently dispatched to.
//!
//! ```text
//! victim = argmin over evictable c of (time of last dispatch of c, number of that dispatch)
//! ```
//!
//! Source: Apache OpenWhisk's container pool (docs/specs/openwhisk.md §5.3, `lastUsed`); the textbook
//! rule otherwise. Must never look at when a container became idle: a long run counts from its start.
//!
//! * **Several containers of a function** are told apart; each has the time of its own last dispatch.
//! * **Busy containers** keep their place in the order and are passed over.
//! * **Ties** in time go to the one dispatched first. Being loaded ahead of time counts as a dispatch,
//!   since a container that was never used would otherwise be the first to go.
//! * **Complexity**: O(1) per invocation, amortised O(1) per victim, see `queue.rs`.

use super::queue::Queue;
use super::{Evict, EvictionPolicy, Wants};
use crate::ids::Slot;
use crate::pool::boundary::StartState;
use crate::pool::tables::Tables;

/// The registry's line.
pub const POLICY: EvictionPolicy = EvictionPolicy {
    name: "lru",
    summary: "least recently dispatched first",
    source: "Apache OpenWhisk, ContainerPool.remove",
    params: &[],
    make: |_, _| Box::new(Lru::default()),
};

#[derive(Default, Debug)]
struct Lru {
    by_dispatch: Queue,
}

impl Evict for Lru {
    fn wants(&self) -> Wants {
        Wants::NOTHING
    }

    fn on_dispatch(&mut self, _tables: &Tables, slot: Slot, _start: StartState) {
        self.by_dispatch.move_to_tail(slot);
    }

    fn on_idle(&mut self, _tables: &Tables, slot: Slot) {
        if self.by_dispatch.contains(slot) {
            self.by_dispatch.on_idle(slot);
        } else {
            self.by_dispatch.move_to_tail(slot);
        }
    }

    fn on_gone(&mut self, _tables: &Tables, slot: Slot, _evicted: bool) {
        self.by_dispatch.remove(slot);
    }

    fn pick(&mut self, tables: &Tables) -> Slot {
        self.by_dispatch
            .oldest(|slot| tables.container(slot).is_evictable())
            .expect("the pool asks only while one is evictable, and all containers are in the queue")
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{Yard, function};
    use super::*;

    #[test]
    fn the_last_dispatch_counts_not_the_last_completion() {
        let mut yard = Yard::new(&POLICY, vec![function(256, 100, 10); 4]);
        let long = yard.start(0);
        let short = yard.start(1);
        yard.finish(short);
        yard.finish(long);
        // `long` was dispatched first and finished last; OpenWhisk calls it the older one.
        assert_eq!(yard.evict_n(2), [long, short]);
    }

    #[test]
    fn reuse_refreshes_and_busy_ones_are_passed_over() {
        let mut yard = Yard::new(&POLICY, vec![function(256, 100, 10); 4]);
        let [a, b, c] = [yard.run(0), yard.run(1), yard.run(2)];
        yard.rerun(a);
        yard.reuse(b);
        assert_eq!(yard.evict(), c);
        // `b` was dispatched after `a` and went on running while `c` was evicted.
        yard.finish(b);
        assert_eq!(yard.evict_n(2), [a, b]);
    }

    #[test]
    fn what_was_passed_over_returns_to_its_place() {
        let mut yard = Yard::new(&POLICY, vec![function(256, 100, 10); 4]);
        let [a, b, c] = [yard.start(0), yard.run(1), yard.run(2)];
        assert_eq!(yard.evict(), b);
        yard.finish(a);
        assert_eq!(yard.evict_n(2), [a, c]);
    }

    #[test]
    fn each_container_of_a_function_has_its_own_age() {
        let mut yard = Yard::new(&POLICY, vec![function(256, 100, 10); 2]);
        let [a, b] = [yard.start(0), yard.start(0)];
        yard.finish(a);
        yard.finish(b);
        let other = yard.run(1);
        yard.rerun(a);
        assert_eq!(yard.evict_n(3), [b, other, a]);
    }

    #[test]
    fn loading_ahead_counts_as_use() {
        let mut yard = Yard::new(&POLICY, vec![function(256, 100, 10); 2]);
        let used = yard.run(0);
        let loaded = yard.load(1);
        assert_eq!(yard.evict_n(2), [used, loaded]);
    }
}
