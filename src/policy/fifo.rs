//! `fifo`: evict the container that was created first.
//!
//! ```text
//! victim = argmin over evictable c of (number of the dispatch or load that created c)
//! ```
//!
//! Source: the textbook rule; the building block of `s3-fifo` and `sieve`. Must never look at how often
//! a container is used.
//!
//! * **Several containers of a function** are told apart; each has its own time of creation, which is
//!   its first dispatch or its being loaded ahead of time.
//! * **Busy containers** keep their place and are passed over.
//! * **Ties**: none, creations are numbered.
//! * **Complexity**: O(1) per invocation, amortised O(1) per victim, see `queue.rs`.

use super::queue::Queue;
use super::{Evict, EvictionPolicy, Wants};
use crate::ids::Slot;
use crate::pool::boundary::StartState;
use crate::pool::tables::Tables;

/// The registry's line.
pub const POLICY: EvictionPolicy = EvictionPolicy {
    name: "fifo",
    summary: "oldest container first, however often it is used",
    source: "textbook",
    params: &[],
    make: |_, _| Box::new(Fifo::default()),
};

#[derive(Default, Debug)]
struct Fifo {
    by_creation: Queue,
}

impl Evict for Fifo {
    fn wants(&self) -> Wants {
        Wants::NOTHING
    }

    fn on_dispatch(&mut self, _tables: &Tables, slot: Slot, _start: StartState) {
        if !self.by_creation.contains(slot) {
            self.by_creation.move_to_tail(slot);
        }
    }

    fn on_idle(&mut self, _tables: &Tables, slot: Slot) {
        if self.by_creation.contains(slot) {
            self.by_creation.on_idle(slot);
        } else {
            self.by_creation.move_to_tail(slot);
        }
    }

    fn on_gone(&mut self, _tables: &Tables, slot: Slot, _evicted: bool) {
        self.by_creation.remove(slot);
    }

    fn pick(&mut self, tables: &Tables) -> Slot {
        self.by_creation
            .oldest(|slot| tables.container(slot).is_evictable())
            .expect("the pool asks only while one is evictable, and all containers are in the queue")
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{Yard, function};
    use super::*;

    #[test]
    fn use_does_not_save_a_container() {
        let mut yard = Yard::new(&POLICY, vec![function(256, 100, 10); 3]);
        let [a, b, c] = [yard.run(0), yard.run(1), yard.run(2)];
        for _ in 0..5 {
            yard.rerun(a);
        }
        assert_eq!(yard.evict_n(3), [a, b, c]);
    }

    #[test]
    fn a_busy_container_keeps_its_place() {
        let mut yard = Yard::new(&POLICY, vec![function(256, 100, 10); 4]);
        let [a, b, c] = [yard.run(0), yard.run(1), yard.run(2)];
        yard.reuse(a);
        assert_eq!(yard.evict(), b);
        yard.finish(a);
        yard.reuse(a);
        yard.finish(a);
        let loaded = yard.load(3);
        assert_eq!(yard.evict_n(3), [a, c, loaded]);
    }

    #[test]
    fn a_slot_used_again_is_a_new_container() {
        let mut yard = Yard::new(&POLICY, vec![function(256, 100, 10); 3]);
        let [a, b] = [yard.run(0), yard.run(1)];
        yard.fail(a);
        let again = yard.run(2);
        assert_eq!(again, a, "the slot is used again");
        assert_eq!(yard.evict_n(2), [b, again]);
    }
}
