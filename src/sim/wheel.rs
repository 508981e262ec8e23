//! The fast event queue: a hierarchical timing wheel (Varghese & Lauck, SOSP'87) of linked buckets, with a heap
//! for what lies beyond it. Owns nodes and buckets; no allocation once warm.
//!
//! Time is cut into ticks, whose width decides the speed: about a quarter of the mean gap between arrivals, so
//! that most buckets hold one event or none. The fine ring has a bucket for each tick of the current turn
//! (4096 ticks), the coarse one a bucket for each of the turns to come. When a turn begins, its bucket is spread
//! over the fine ring. Only the tick that is being emptied is kept in order.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use super::queue::{EventQueue, Rank, rank};
use crate::pool::Input;
use crate::time::{Span, Time};

const BUCKETS: u64 = 4096;
const WORDS: usize = (BUCKETS / 64) as usize;
const NIL: u32 = u32::MAX;

const _: () = assert!(WORDS == 64, "one word summarises which words are occupied");

#[derive(Clone, Copy, Debug)]
struct Node {
    time: Time,
    input: Input,
    next: u32,
}

/// Buckets in a circle, each the head of a list of nodes.
#[derive(Debug)]
struct Ring {
    heads: Vec<u32>,
    /// A bit per bucket that is not empty …
    occupied: [u64; WORDS],
    /// … and one per word of these that is not zero.
    summary: u64,
}

impl Ring {
    fn new() -> Ring {
        Ring { heads: vec![NIL; BUCKETS as usize], occupied: [0; WORDS], summary: 0 }
    }

    /// Puts a node at the head of a bucket; returns what was there.
    #[inline]
    fn put(&mut self, place: u64, at: u32) -> u32 {
        let bucket = (place % BUCKETS) as usize;
        self.occupied[bucket / 64] |= 1 << (bucket % 64);
        self.summary |= 1 << (bucket / 64);
        std::mem::replace(&mut self.heads[bucket], at)
    }

    /// Empties a bucket and returns its first node.
    #[inline]
    fn take(&mut self, place: u64) -> u32 {
        let bucket = (place % BUCKETS) as usize;
        self.occupied[bucket / 64] &= !(1 << (bucket % 64));
        if self.occupied[bucket / 64] == 0 {
            self.summary &= !(1 << (bucket / 64));
        }
        std::mem::replace(&mut self.heads[bucket], NIL)
    }

    /// The first bucket from `from` on that is not empty, not going round.
    #[inline(always)]
    fn next_before_end(&self, from: u64) -> Option<u64> {
        let (word, bit) = ((from / 64) as usize, from % 64);
        let here = self.occupied.get(word)? & (u64::MAX << bit);
        if here != 0 {
            return Some(word as u64 * 64 + u64::from(here.trailing_zeros()));
        }
        let after = self.summary & (u64::MAX << 1 << word);
        let next = after.trailing_zeros() as usize;
        (after != 0).then(|| next as u64 * 64 + u64::from(self.occupied[next].trailing_zeros()))
    }

    /// The first place from `from` on whose bucket is not empty, within one round.
    #[inline]
    fn next(&self, from: u64) -> Option<u64> {
        if self.summary == 0 {
            return None;
        }
        let start = from % BUCKETS;
        let (word, bit) = ((start / 64) as usize, start % 64);
        let here = self.occupied[word] & (u64::MAX << bit);
        let bucket = if here != 0 {
            word as u64 * 64 + u64::from(here.trailing_zeros())
        } else {
            // The words after this one first, then from the beginning, this one's low bits last.
            let after = if word == 63 { 0 } else { self.summary & (u64::MAX << (word + 1)) };
            let next = if after != 0 { after } else { self.summary }.trailing_zeros() as usize;
            next as u64 * 64 + u64::from(self.occupied[next].trailing_zeros())
        };
        Some(from + (bucket + BUCKETS - start) % BUCKETS)
    }
}

/// The queue.
#[derive(Debug)]
pub struct Wheel {
    /// Log₂ of a tick's width in µs.
    shift: u32,
    /// The open tick: everything at or before it is in `open`.
    tick: u64,
    /// Nodes of the open tick, the next one last.
    open: Vec<u32>,
    /// Ticks of the current turn after the open one.
    fine: Ring,
    /// Turns after the current one.
    coarse: Ring,
    nodes: Vec<Node>,
    unused: u32,
    /// Beyond one round of the coarse ring.
    later: BinaryHeap<Reverse<(Rank, u32)>>,
}

impl Wheel {
    /// A wheel for arrivals that are `mean_gap` apart on average.
    pub fn new(mean_gap: Span) -> Wheel {
        let width = (mean_gap.0 / 4).clamp(1, 1 << 20);
        Wheel {
            shift: width.ilog2(),
            tick: 0,
            open: Vec::new(),
            fine: Ring::new(),
            coarse: Ring::new(),
            nodes: Vec::new(),
            unused: NIL,
            later: BinaryHeap::new(),
        }
    }

    #[inline(always)]
    fn allot(&mut self, time: Time, input: Input) -> u32 {
        let node = Node { time, input, next: NIL };
        if self.unused == NIL {
            self.nodes.push(node);
            return (self.nodes.len() - 1) as u32;
        }
        let at = self.unused;
        self.unused = self.nodes[at as usize].next;
        self.nodes[at as usize] = node;
        at
    }

    #[inline]
    fn rank_of(&self, at: u32) -> Rank {
        let node = &self.nodes[at as usize];
        rank(node.time, &node.input)
    }

    #[inline]
    fn tick_of(&self, at: u32) -> u64 {
        self.nodes[at as usize].time.0 >> self.shift
    }

    /// Puts a node into the open tick, or beyond this turn.
    #[inline(never)]
    fn put_elsewhere(&mut self, tick: u64, at: u32) {
        let turns = (tick / BUCKETS).saturating_sub(self.tick / BUCKETS);
        if turns == 0 {
            self.insert_open(at);
        } else if turns < BUCKETS {
            self.nodes[at as usize].next = self.coarse.put(tick / BUCKETS, at);
        } else {
            self.later.push(Reverse((self.rank_of(at), at)));
        }
    }

    /// Puts a node into the open tick where it belongs.
    fn insert_open(&mut self, at: u32) {
        let new = self.rank_of(at);
        // Most are due after everything in the open tick or before: look from the near end.
        let place = self.open.partition_point(|other| self.rank_of(*other) > new);
        self.open.insert(place, at);
    }

    #[inline(always)]
    fn put_fine(&mut self, tick: u64, at: u32) {
        self.nodes[at as usize].next = self.fine.put(tick, at);
    }

    /// Opens the next tick that has events; `false` if there is none.
    fn open_next(&mut self) -> bool {
        // The fine ring never holds more than the current turn.
        let bucket = match self.fine.next_before_end(self.tick % BUCKETS + 1) {
            Some(bucket) => bucket,
            None if self.turn_next() => self.fine.next_before_end(0).unwrap_or_default(),
            None => return false,
        };
        self.tick = self.tick / BUCKETS * BUCKETS + bucket;
        let mut at = self.fine.take(bucket);
        while at != NIL {
            self.open.push(at);
            at = self.nodes[at as usize].next;
        }
        if self.open.len() > 1 {
            let mut open = std::mem::take(&mut self.open);
            open.sort_unstable_by_key(|at| Reverse(self.rank_of(*at)));
            self.open = open;
        }
        true
    }

    /// Begins the next turn that has events and spreads them over the fine ring; `false` if there is none.
    fn turn_next(&mut self) -> bool {
        let near = self.coarse.next(self.tick / BUCKETS + 1);
        let far = self.later.peek().map(|Reverse(((time, _), _))| (time.0 >> self.shift) / BUCKETS);
        let Some(turn) = near.into_iter().chain(far).min() else { return false };
        self.tick = turn * BUCKETS;
        if near == Some(turn) {
            let mut at = self.coarse.take(turn);
            while at != NIL {
                let next = self.nodes[at as usize].next;
                self.put_fine(self.tick_of(at), at);
                at = next;
            }
        }
        while let Some(Reverse(((time, _), at))) = self.later.peek()
            && (time.0 >> self.shift) / BUCKETS == turn
        {
            let at = *at;
            self.later.pop();
            self.put_fine(self.tick_of(at), at);
        }
        true
    }
}

impl EventQueue for Wheel {
    #[inline(always)]
    fn push(&mut self, time: Time, input: Input) {
        let at = self.allot(time, input);
        let tick = time.0 >> self.shift;
        if tick > self.tick && tick / BUCKETS == self.tick / BUCKETS {
            self.put_fine(tick, at);
        } else {
            self.put_elsewhere(tick, at);
        }
    }

    #[inline(always)]
    fn next_time(&mut self) -> Time {
        if self.open.is_empty() && !self.open_next() {
            return Time::NEVER;
        }
        self.open.last().map_or(Time::NEVER, |at| self.nodes[*at as usize].time)
    }

    #[inline(always)]
    fn pop(&mut self) -> Option<(Time, Input)> {
        if self.open.is_empty() {
            self.open_next();
        }
        let at = self.open.pop().expect("somebody looked whether there is one");
        let node = &mut self.nodes[at as usize];
        node.next = std::mem::replace(&mut self.unused, at);
        Some((node.time, node.input))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::queue::HeapQueue;
    use super::*;
    use crate::ids::ContainerId;

    fn input(slot: u32) -> Input {
        Input::Destroyed(ContainerId { slot, epoch: 0 })
    }

    proptest! {
        /// Any mixture of pushes (never into the past) and pops comes out as from the heap: near, in this turn, in
        /// the next ones, beyond the coarse ring, at this very instant.
        #[test]
        fn agrees_with_the_heap(
            gap in 1_u64..5_000_000,
            steps in prop::collection::vec((any::<bool>(), 0_u64..40_000_000_000, 0_u32..11), 1..400),
        ) {
            let (mut wheel, mut heap) = (Wheel::new(Span(gap)), HeapQueue::default());
            let mut now = Time::ZERO;
            for (number, (push, ahead, exponent)) in steps.into_iter().enumerate() {
                if push {
                    let time = now + Span(ahead / 10_u64.pow(exponent));
                    wheel.push(time, input(number as u32));
                    heap.push(time, input(number as u32));
                } else {
                    prop_assert_eq!(wheel.next_time(), heap.next_time());
                    if heap.next_time() != Time::NEVER {
                        let popped = wheel.pop();
                        prop_assert_eq!(popped, heap.pop());
                        now = popped.expect("there is one").0;
                    }
                }
            }
            while heap.next_time() != Time::NEVER {
                prop_assert_eq!(wheel.next_time(), heap.next_time());
                prop_assert_eq!(wheel.pop(), heap.pop());
            }
            prop_assert_eq!(wheel.next_time(), Time::NEVER);
        }
    }

    #[test]
    fn an_event_before_the_open_bucket_comes_first() {
        let mut wheel = Wheel::new(Span(4));
        wheel.push(Time(5_000), input(1));
        assert_eq!(wheel.next_time(), Time(5_000));
        wheel.push(Time(300), input(2));
        assert_eq!(wheel.pop(), Some((Time(300), input(2))));
        assert_eq!(wheel.pop(), Some((Time(5_000), input(1))));
    }
}
