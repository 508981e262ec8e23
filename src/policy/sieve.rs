//! `sieve`: FIFO order, a visited bit, and a hand that spares what was visited.
//!
//! ```text
//! new container:  at the head, not visited         used again: visited
//! victim:         from the hand (at first the tail) towards the head, and round again from the tail:
//!                 visited → clear the bit and go on; not visited → victim, the hand stays before it
//! ```
//!
//! Source: Zhang, Yang, Yue, Vigfusson & Rashmi, "SIEVE is simpler than LRU: an efficient turn-key
//! eviction algorithm for web caches", NSDI'24, Algorithm 1. Must never move a container: that would be
//! CLOCK or second chance.
//!
//! * **Several containers of a function** are objects of their own, each with its own bit. The dispatch
//!   that creates a container does not mark it, every later one does.
//! * **Busy containers** are passed by the hand *without* clearing their bit: passing them is no chance
//!   they missed. So a victim costs one step more for each busy container between the hand and it.
//! * **Ties**: none, the order of creation (first dispatch or load ahead of time) is total.
//! * **Complexity**: O(1) per invocation, per victim amortised O(1) plus the busy containers passed.

use super::{Evict, EvictionPolicy, Wants};
use crate::ids::{NO_SLOT, Slot};
use crate::pool::boundary::StartState;
use crate::pool::tables::Tables;

/// The registry's line.
pub const POLICY: EvictionPolicy = EvictionPolicy {
    name: "sieve",
    summary: "oldest first, but what was used again is passed over once",
    source: "SIEVE (Zhang et al., NSDI'24)",
    params: &[],
    make: |_, _| Box::new(Sieve::default()),
};

#[derive(Clone, Copy, Debug)]
struct Node {
    older: Slot,
    newer: Slot,
    present: bool,
    visited: bool,
}

const ABSENT: Node = Node { older: NO_SLOT, newer: NO_SLOT, present: false, visited: false };

#[derive(Debug)]
struct Sieve {
    nodes: Vec<Node>,
    oldest: Slot,
    newest: Slot,
    hand: Slot,
    len: usize,
}

impl Default for Sieve {
    fn default() -> Sieve {
        Sieve { nodes: Vec::new(), oldest: NO_SLOT, newest: NO_SLOT, hand: NO_SLOT, len: 0 }
    }
}

impl Sieve {
    fn contains(&self, slot: Slot) -> bool {
        self.nodes.get(slot as usize).is_some_and(|node| node.present)
    }

    fn insert(&mut self, slot: Slot) {
        if self.nodes.len() <= slot as usize {
            self.nodes.resize(slot as usize + 1, ABSENT);
        }
        self.nodes[slot as usize] =
            Node { older: self.newest, newer: NO_SLOT, present: true, visited: false };
        match self.newest {
            NO_SLOT => self.oldest = slot,
            newest => self.nodes[newest as usize].newer = slot,
        }
        self.newest = slot;
        self.len += 1;
    }
}

impl Evict for Sieve {
    fn wants(&self) -> Wants {
        Wants::NOTHING
    }

    fn on_dispatch(&mut self, _tables: &Tables, slot: Slot, _start: StartState) {
        if self.contains(slot) {
            self.nodes[slot as usize].visited = true;
        } else {
            self.insert(slot);
        }
    }

    fn on_idle(&mut self, _tables: &Tables, slot: Slot) {
        if !self.contains(slot) {
            self.insert(slot);
        }
    }

    fn on_gone(&mut self, _tables: &Tables, slot: Slot, _evicted: bool) {
        if !self.contains(slot) {
            return;
        }
        let Node { older, newer, .. } = self.nodes[slot as usize];
        match older {
            NO_SLOT => self.oldest = newer,
            older => self.nodes[older as usize].newer = newer,
        }
        match newer {
            NO_SLOT => self.newest = older,
            newer => self.nodes[newer as usize].older = older,
        }
        if self.hand == slot {
            self.hand = newer;
        }
        self.nodes[slot as usize] = ABSENT;
        self.len -= 1;
    }

    fn pick(&mut self, tables: &Tables) -> Slot {
        // In the first round every bit may be set; after it none of an evictable container is.
        for _ in 0..=2 * self.len {
            if self.hand == NO_SLOT {
                self.hand = self.oldest;
            }
            let node = &mut self.nodes[self.hand as usize];
            if tables.container(self.hand).is_evictable() {
                if !node.visited {
                    return self.hand;
                }
                node.visited = false;
            }
            self.hand = node.newer;
        }
        unreachable!("the pool asks only while one is evictable, and two rounds pass all of them unvisited")
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{Yard, function};
    use super::*;

    #[test]
    fn the_hand_stays_where_it_is() {
        // A was used again, B and C were not; then D comes.
        let mut yard = Yard::new(&POLICY, vec![function(256, 100, 10); 5]);
        let [a, b, c] = [yard.run(0), yard.run(1), yard.run(2)];
        yard.rerun(a);
        assert_eq!(yard.evict(), b, "A is spared and unmarked");
        let d = yard.run(3);
        assert_eq!(yard.evict(), c, "the hand goes on from where B was, not from A");
        yard.rerun(d);
        assert_eq!(yard.evict(), a, "D is spared, then round to the tail");
        assert_eq!(yard.evict(), d);
    }

    #[test]
    fn busy_ones_are_passed_with_their_bit() {
        let mut yard = Yard::new(&POLICY, vec![function(256, 100, 10); 4]);
        let [a, b] = [yard.run(0), yard.run(1)];
        yard.reuse(a);
        assert_eq!(yard.evict(), b);
        yard.finish(a);
        let c = yard.run(2);
        let d = yard.run(3);
        // The hand starts from the tail again: A was passed while busy, and is spared now.
        assert_eq!(yard.evict_n(3), [c, d, a]);
    }

    #[test]
    fn a_container_that_ends_on_its_own_does_not_take_the_hand_along() {
        let mut yard = Yard::new(&POLICY, vec![function(256, 100, 10); 5]);
        let [a, b, c, d] = [yard.run(0), yard.run(1), yard.run(2), yard.run(3)];
        yard.rerun(a);
        assert_eq!(yard.evict(), b);
        yard.fail(c);
        assert_eq!(yard.evict_n(2), [d, a]);
    }
}
