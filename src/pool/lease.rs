//! Deadlines of many things at once, of which each has at most one. Owns when to look again; whether
//! a deadline still holds is asked of whoever set it.
//!
//! Deadlines move later far more often than they come due (every invocation of a warm container
//! renews its lease). So the heap holds lower bounds: a renewed deadline is not touched, and an entry
//! that comes up too early is put back with the deadline that holds by then. This makes a renewal
//! free and costs one heap operation per thing and lease, not per invocation.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use crate::time::Time;

/// Lower bounds on the deadlines of things numbered from 0.
#[derive(Debug, Default)]
pub struct Deadlines {
    heap: BinaryHeap<Reverse<(Time, u32)>>,
    /// The earliest entry in the heap of each thing.
    pending: Vec<Time>,
}

impl Deadlines {
    /// Makes sure that `thing` comes up at `deadline` or earlier.
    #[inline]
    pub fn arm(&mut self, thing: u32, deadline: Time) {
        let ix = thing as usize;
        if ix >= self.pending.len() {
            self.pending.resize(ix + 1, Time::NEVER);
        }
        if deadline < self.pending[ix] {
            self.pending[ix] = deadline;
            self.heap.push(Reverse((deadline, thing)));
        }
    }

    /// The earliest lower bound.
    #[inline]
    pub fn next(&self) -> Option<Time> {
        self.heap.peek().map(|Reverse((time, _))| *time)
    }

    /// Takes out a thing whose lower bound is `now` or earlier, earliest first, then by number.
    /// Whoever asks must arm it again if its deadline is later.
    pub fn due(&mut self, now: Time) -> Option<u32> {
        while let Some(&Reverse((time, thing))) = self.heap.peek() {
            if time > now {
                return None;
            }
            self.heap.pop();
            // An entry that was overtaken by an earlier one says nothing new.
            if self.pending[thing as usize] == time {
                self.pending[thing as usize] = Time::NEVER;
                return Some(thing);
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comes_up_in_order_and_once() {
        let mut deadlines = Deadlines::default();
        deadlines.arm(2, Time(30));
        deadlines.arm(0, Time(10));
        deadlines.arm(1, Time(10));
        deadlines.arm(0, Time(20));
        assert_eq!(deadlines.next(), Some(Time(10)));
        assert_eq!(deadlines.due(Time(9)), None);
        assert_eq!(deadlines.due(Time(10)), Some(0));
        assert_eq!(deadlines.due(Time(10)), Some(1));
        assert_eq!(deadlines.due(Time(10)), None);
        assert_eq!(deadlines.due(Time(40)), Some(2));
        assert_eq!(deadlines.due(Time(40)), None);
    }

    #[test]
    fn an_earlier_deadline_overtakes() {
        let mut deadlines = Deadlines::default();
        deadlines.arm(5, Time(100));
        deadlines.arm(5, Time(50));
        assert_eq!(deadlines.due(Time(60)), Some(5));
        deadlines.arm(5, Time(120));
        assert_eq!(deadlines.due(Time(110)), None);
        assert_eq!(deadlines.due(Time(120)), Some(5));
    }
}
