//! `s3-fifo`: a small FIFO queue on probation, a main one, and a ghost of those that failed.
//!
//! ```text
//! new:     to main if the ghost remembers the function, else to small     used again: hits := min(hits + 1, 3)
//! victim:  from small if it holds at least its share of the memory, else from main
//!   small: tail with hits > 1 → to main, hits := 0;        otherwise victim, remembered by the ghost
//!   main:  tail with hits > 0 → to the head, hits − 1;     otherwise victim
//! ```
//!
//! Source: Yang, Zhang, Qiu, Yue & Rashmi, "FIFO queues are all you need for cache eviction", SOSP'23,
//! §4, Algorithm 1. Queues are measured in memory: small's share is the parameter `small` of the pool's
//! capacity. Where a promotion takes main over its share, main gives the victim (`if M is full` there).
//! The ghost holds as many functions as containers of the present mean size would fit into main's
//! share; it is kept as the paper proposes, by the number of the insertion: an entry is forgotten after
//! as many later ones. Must never remember containers, which do not come back: functions do.
//!
//! * **Several containers of a function** are objects with hits of their own; any of them, evicted from
//!   small, makes the ghost remember the function, and the next new one goes to main.
//! * **Busy containers** are passed over and keep their place and hits. A container that goes for
//!   another reason than eviction (keep-alive, failure) is not remembered.
//! * **Ties**: none, both queues are totally ordered by insertion. A load ahead of time is an insertion
//!   without hits.
//! * **Complexity**: O(1) per invocation, amortised O(1) per victim, see `queue.rs`.

use super::queue::Queue;
use super::{Evict, EvictionPolicy, Param, Wants};
use crate::ids::{FunctionId, Slot};
use crate::pool::boundary::StartState;
use crate::pool::tables::Tables;

/// The registry's line.
pub const POLICY: EvictionPolicy = EvictionPolicy {
    name: "s3-fifo",
    summary: "new containers on probation in a small FIFO queue, the others in a main one",
    source: "S3-FIFO (Yang et al., SOSP'23), §4",
    params: &[Param {
        name: "small",
        default: "0.1",
        help: "share of the pool's memory for the probation queue, 0 to 1; 0.1 in the paper",
    }],
    make: |params, making| Box::new(S3Fifo::new(params.fraction("small"), making.capacity_mib)),
};

/// Hits are counted up to here (two bits in the paper).
const MOST_HITS: u8 = 3;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Member {
    Nobody,
    Small { hits: u8 },
    Main { hits: u8 },
}

/// One of the two queues.
#[derive(Default, Debug)]
struct Part {
    queue: Queue,
    share_mib: f64,
    held_mib: u64,
}

impl Part {
    fn is_over_share(&self) -> bool {
        self.held_mib as f64 > self.share_mib
    }

    fn insert(&mut self, slot: Slot, memory_mib: u64) {
        self.queue.move_to_tail(slot);
        self.held_mib += memory_mib;
    }

    fn remove(&mut self, slot: Slot, memory_mib: u64) {
        self.queue.remove(slot);
        self.held_mib -= memory_mib;
    }
}

/// Functions evicted from small not long ago.
#[derive(Default, Debug)]
struct Ghost {
    /// Number of the last insertion of each function; 0: never, or taken back.
    inserted: Vec<u64>,
    insertions: u64,
}

impl Ghost {
    fn insert(&mut self, function: FunctionId) {
        if self.inserted.len() <= function.ix() {
            self.inserted.resize(function.ix() + 1, 0);
        }
        self.insertions += 1;
        self.inserted[function.ix()] = self.insertions;
    }

    /// Forgets the function; whether it was among the last `len` inserted.
    fn take(&mut self, function: FunctionId, len: u64) -> bool {
        let inserted = self.inserted.get_mut(function.ix()).map_or(0, std::mem::take);
        inserted > 0 && self.insertions - inserted < len
    }
}

#[derive(Debug)]
struct S3Fifo {
    /// The small queue's share of the memory, 0 to 1.
    share: f64,
    small: Part,
    main: Part,
    ghost: Ghost,
    members: Vec<Member>,
    containers: u64,
}

impl S3Fifo {
    fn new(small: f64, capacity_mib: u64) -> S3Fifo {
        let mut policy = S3Fifo {
            share: small,
            small: Part::default(),
            main: Part::default(),
            ghost: Ghost::default(),
            members: Vec::new(),
            containers: 0,
        };
        policy.on_resize(capacity_mib);
        policy
    }

    fn member(&self, slot: Slot) -> Member {
        self.members.get(slot as usize).copied().unwrap_or(Member::Nobody)
    }

    fn insert(&mut self, tables: &Tables, slot: Slot) {
        if self.members.len() <= slot as usize {
            self.members.resize(slot as usize + 1, Member::Nobody);
        }
        let memory_mib = u64::from(tables.container(slot).memory_mib());
        if self.ghost.take(tables.function_of(slot), self.ghost_len(memory_mib)) {
            self.members[slot as usize] = Member::Main { hits: 0 };
            self.main.insert(slot, memory_mib);
        } else {
            self.members[slot as usize] = Member::Small { hits: 0 };
            self.small.insert(slot, memory_mib);
        }
        self.containers += 1;
    }

    /// How many containers main would hold, judging by those present and a new one of `memory_mib`.
    fn ghost_len(&self, memory_mib: u64) -> u64 {
        let held_mib = (self.small.held_mib + self.main.held_mib + memory_mib).max(1);
        (self.main.share_mib * (self.containers + 1) as f64 / held_mib as f64) as u64
    }

    /// The next to go from main, if any of it is evictable.
    fn pick_main(&mut self, tables: &Tables) -> Option<Slot> {
        loop {
            let slot = self.main.queue.oldest(|slot| tables.container(slot).is_evictable())?;
            match &mut self.members[slot as usize] {
                Member::Main { hits } if *hits > 0 => {
                    *hits -= 1;
                    self.main.queue.move_to_tail(slot);
                }
                _ => return Some(slot),
            }
        }
    }

    /// The next to go from small, if any of it is evictable and stays there. Ends early when a
    /// promotion fills main.
    fn pick_small(&mut self, tables: &Tables) -> Option<Slot> {
        loop {
            let slot = self.small.queue.oldest(|slot| tables.container(slot).is_evictable())?;
            if !matches!(self.members[slot as usize], Member::Small { hits } if hits > 1) {
                return Some(slot);
            }
            let memory_mib = u64::from(tables.container(slot).memory_mib());
            self.small.remove(slot, memory_mib);
            self.main.insert(slot, memory_mib);
            self.members[slot as usize] = Member::Main { hits: 0 };
            if self.main.is_over_share() {
                return None;
            }
        }
    }
}

impl Evict for S3Fifo {
    fn wants(&self) -> Wants {
        Wants::NOTHING
    }

    fn on_resize(&mut self, capacity_mib: u64) {
        self.small.share_mib = self.share * capacity_mib as f64;
        self.main.share_mib = (1.0 - self.share) * capacity_mib as f64;
    }

    fn on_dispatch(&mut self, tables: &Tables, slot: Slot, _start: StartState) {
        match self.member(slot) {
            Member::Nobody => self.insert(tables, slot),
            Member::Small { hits } => {
                self.members[slot as usize] = Member::Small { hits: (hits + 1).min(MOST_HITS) };
            }
            Member::Main { hits } => {
                self.members[slot as usize] = Member::Main { hits: (hits + 1).min(MOST_HITS) };
            }
        }
    }

    fn on_idle(&mut self, tables: &Tables, slot: Slot) {
        match self.member(slot) {
            Member::Nobody => self.insert(tables, slot),
            Member::Small { .. } => self.small.queue.on_idle(slot),
            Member::Main { .. } => self.main.queue.on_idle(slot),
        }
    }

    fn on_gone(&mut self, tables: &Tables, slot: Slot, evicted: bool) {
        let memory_mib = u64::from(tables.container(slot).memory_mib());
        match self.member(slot) {
            Member::Nobody => return,
            Member::Small { .. } => {
                self.small.remove(slot, memory_mib);
                if evicted {
                    self.ghost.insert(tables.function_of(slot));
                }
            }
            Member::Main { .. } => self.main.remove(slot, memory_mib),
        }
        self.members[slot as usize] = Member::Nobody;
        self.containers -= 1;
    }

    fn pick(&mut self, tables: &Tables) -> Slot {
        let from_small =
            if self.small.held_mib as f64 >= self.small.share_mib { self.pick_small(tables) } else { None };
        from_small
            .or_else(|| self.pick_main(tables))
            .or_else(|| self.pick_small(tables))
            // Small may have ended by promoting the only evictable container.
            .or_else(|| self.pick_main(tables))
            .expect("the pool asks only while one is evictable, and all containers are in small or main")
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{Yard, function};
    use super::*;

    /// Ten containers' worth of memory, one of them for small.
    fn yard() -> Yard {
        Yard::with_capacity(&POLICY, vec![function(100, 100, 10); 12], 1000)
    }

    #[test]
    fn one_hit_wonders_go_and_favourites_are_promoted() {
        let mut yard = yard();
        let [once, twice, favourite, last] = [yard.run(0), yard.run(1), yard.run(2), yard.run(3)];
        yard.rerun(twice);
        yard.rerun(favourite);
        yard.rerun(favourite);
        // One hit after the creation is not enough, two are.
        assert_eq!(yard.evict_n(3), [once, twice, last]);
        assert_eq!(yard.evict(), favourite);
    }

    #[test]
    fn main_gives_up_to_three_further_rounds() {
        let mut yard = yard();
        let [a, b] = [yard.run(0), yard.run(1)];
        for slot in [a, b] {
            yard.rerun(slot);
            yard.rerun(slot);
        }
        let wonder = yard.run(2);
        assert_eq!(yard.evict(), wonder, "a and b go to main");
        for _ in 0..5 {
            yard.rerun(a);
        }
        // Small is empty. `a` has 3 hits (of 5), `b` none: `b` goes, then `a` after three rounds.
        assert_eq!(yard.evict_n(2), [b, a]);
    }

    #[test]
    fn a_promotion_into_a_full_main_evicts_from_main() {
        let mut yard = yard();
        let favourites: Vec<Slot> = (0..10).map(|at| yard.run(at)).collect();
        for slot in favourites.iter().chain(&favourites) {
            yard.rerun(*slot);
        }
        let wonder = yard.run(10);
        // Main has room for nine of the ten that are promoted.
        assert_eq!(yard.evict_n(2), [favourites[0], wonder]);
    }

    #[test]
    fn the_ghost_sends_a_function_straight_to_main() {
        let mut yard = yard();
        let other = yard.run(1);
        let first = yard.run(0);
        assert_eq!(yard.evict(), other);
        let back = yard.run(1);
        let new = yard.run(2);
        assert_eq!(yard.evict_n(2), [first, new], "small first");
        assert_eq!(yard.evict(), back);
    }

    #[test]
    fn the_ghost_forgets() {
        let mut yard = yard();
        yard.run(11);
        yard.evict();
        for at in 0..10 {
            yard.run(at);
            yard.evict();
        }
        // Main has room for 9, and 10 other functions were evicted since.
        let back = yard.run(11);
        let new = yard.run(10);
        assert_eq!(yard.evict_n(2), [back, new], "both in small");
    }

    #[test]
    fn what_expires_is_not_remembered() {
        let mut yard = yard();
        let expired = yard.run(0);
        yard.fail(expired);
        let back = yard.run(0);
        let new = yard.run(1);
        assert_eq!(yard.evict_n(2), [back, new]);
    }

    #[test]
    fn a_busy_container_keeps_its_hits_and_place() {
        let mut yard = yard();
        let [a, b, c] = [yard.run(0), yard.run(1), yard.run(2)];
        yard.rerun(a);
        yard.reuse(a);
        assert_eq!(yard.evict(), b);
        yard.finish(a);
        assert_eq!(yard.evict_n(2), [c, a]);
    }
}
