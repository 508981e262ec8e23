//! Deadlines of many things at once, of which each has at most one. Owns when to look again; whether
//! a deadline still holds is asked of whoever set it.
//!
//! Deadlines move later far more often than they come due (every invocation of a warm container
//! renews its lease). So the heap holds lower bounds: a renewed deadline is not touched, and an entry
//! that comes up too early is put back with the deadline that holds by then. This makes a renewal
//! free and costs one heap operation per thing and lease, not per invocation; where containers are paused, one more for
//! each pause, since the end of the grace is nearer than that of the lease. Owns also how the keep-alive policy
//! is asked.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use crate::ids::{FunctionId, Slot};
use crate::policy::{KeepAlive, Lease};
use crate::pool::tables::Tables;
use crate::time::Time;

/// Lower bounds on the deadlines of things numbered from 0. Each thing keeps the earliest of its bounds itself
/// (`armed`), beside what else it has.
#[derive(Debug, Default)]
pub struct Deadlines {
    heap: BinaryHeap<Reverse<(Time, u32)>>,
}

impl Deadlines {
    /// Makes sure that `thing` comes up at `deadline` or earlier.
    #[inline(always)]
    pub fn arm(&mut self, thing: u32, deadline: Time, armed: &mut Time) {
        // Nearly always there is an earlier bound already.
        if deadline < *armed {
            *armed = deadline;
            self.push(deadline, thing);
        }
    }

    #[inline(never)]
    fn push(&mut self, deadline: Time, thing: u32) {
        self.heap.push(Reverse((deadline, thing)));
    }

    /// The earliest lower bound.
    #[inline]
    pub fn next(&self) -> Option<Time> {
        self.heap.peek().map(|Reverse((time, _))| *time)
    }

    /// Takes out a thing whose lower bound is `now` or earlier, with that bound, earliest first, then by number. If
    /// the thing is armed with another bound, this one was overtaken and says nothing new; otherwise it is not
    /// armed any more, and whoever asks must arm it again if its deadline is later.
    pub fn due(&mut self, now: Time) -> Option<(u32, Time)> {
        let Reverse((time, thing)) = *self.heap.peek().filter(|Reverse((time, _))| *time <= now)?;
        self.heap.pop();
        Some((thing, time))
    }
}

/// The keep-alive policy as proxies ask it.
pub struct Keeper {
    /// Its lease, where there is only one.
    constant: Option<Lease>,
    policy: Box<dyn KeepAlive>,
}

impl Keeper {
    /// Asks this policy.
    pub fn new(policy: Box<dyn KeepAlive>) -> Keeper {
        Keeper { constant: policy.constant(), policy }
    }

    /// See [`KeepAlive::on_arrival`].
    #[inline(always)]
    pub(super) fn on_arrival(&mut self, now: Time, function: FunctionId) {
        if self.constant.is_none() {
            self.policy.on_arrival(now, function);
        }
    }

    /// See [`KeepAlive::on_idle`].
    #[inline(always)]
    pub(super) fn on_idle(&mut self, now: Time, function: FunctionId) {
        if self.constant.is_none() {
            self.policy.on_idle(now, function);
        }
    }

    /// See [`KeepAlive::lease`].
    #[inline(always)]
    pub(super) fn lease(&mut self, now: Time, tables: &Tables, slot: Slot, loaded_ahead: bool) -> Lease {
        match self.constant {
            Some(lease) => lease,
            None => self.policy.lease(now, tables, slot, loaded_ahead),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comes_up_in_order_and_once() {
        let mut deadlines = Deadlines::default();
        let mut armed = [Time::NEVER; 3];
        for (thing, deadline) in [(2, 30), (0, 10), (1, 10), (0, 20)] {
            deadlines.arm(thing, Time(deadline), &mut armed[thing as usize]);
        }
        assert_eq!(deadlines.next(), Some(Time(10)));
        assert_eq!(deadlines.due(Time(9)), None);
        assert_eq!(deadlines.due(Time(10)), Some((0, Time(10))));
        assert_eq!(deadlines.due(Time(10)), Some((1, Time(10))));
        assert_eq!(deadlines.due(Time(10)), None);
        assert_eq!(deadlines.due(Time(40)), Some((2, Time(30))));
        assert_eq!(deadlines.due(Time(40)), None, "the later deadline of 0 was not worth an entry");
    }

    #[test]
    fn an_earlier_deadline_overtakes() {
        let mut deadlines = Deadlines::default();
        let mut armed = Time::NEVER;
        deadlines.arm(5, Time(100), &mut armed);
        deadlines.arm(5, Time(50), &mut armed);
        assert_eq!((deadlines.due(Time(60)), armed), (Some((5, Time(50))), Time(50)));
        armed = Time::NEVER;
        deadlines.arm(5, Time(120), &mut armed);
        assert_eq!(deadlines.due(Time(110)), Some((5, Time(100))), "overtaken: not what it is armed with");
        assert_eq!(armed, Time(120));
        assert_eq!(deadlines.due(Time(110)), None);
        assert_eq!(deadlines.due(Time(120)), Some((5, Time(120))));
    }
}
