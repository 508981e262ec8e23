//! Pending events of the simulation: what a queue must do, and the plain one. Owns the order of
//! simultaneous events ([`crate::pool::order`]); must never know what an event means.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use crate::pool::{Input, order};
use crate::time::{Span, Time};

/// A queue of inputs to come. Inputs of the same instant come out in the order of [`order`], which
/// tells apart any two that can be pending at once.
pub trait EventQueue {
    /// Whether steps slow each other down in it.
    const CONTENDED: bool = false;
    /// Schedules an input. `time` must not be before the last one taken out.
    fn push(&mut self, time: Time, input: Input);
    /// The same for what begins `now` and lasts until `time`, unless others that are under way slow it down; `by_clock`: what
    /// of it, at its end, cannot be slowed down.
    #[inline(always)]
    fn schedule(&mut self, now: Time, time: Time, by_clock: Span, input: Input) {
        let _ = (now, by_clock);
        self.push(time, input);
    }
    /// When the next input is due; [`Time::NEVER`] if there is none.
    fn next_time(&mut self) -> Time;
    /// Takes out the next input; `None` if at [`EventQueue::next_time`] only something of the queue's own happened.
    ///
    /// # Panics
    /// If there is none, which [`EventQueue::next_time`] tells.
    fn pop(&mut self) -> Option<(Time, Input)>;
}

/// Rank of an event: time first, then the order of simultaneous inputs.
pub(super) type Rank = (Time, (u8, u32, u32));

pub(super) fn rank(time: Time, input: &Input) -> Rank {
    (time, order(input))
}

/// The standard library's binary heap: what the fast queue is checked against.
#[derive(Debug, Default)]
pub struct HeapQueue {
    heap: BinaryHeap<Reverse<(Rank, usize)>>,
    inputs: Vec<Option<Input>>,
    unused: Vec<usize>,
}

impl EventQueue for HeapQueue {
    fn push(&mut self, time: Time, input: Input) {
        let place = self.unused.pop().unwrap_or_else(|| {
            self.inputs.push(None);
            self.inputs.len() - 1
        });
        self.inputs[place] = Some(input);
        self.heap.push(Reverse((rank(time, &input), place)));
    }

    fn next_time(&mut self) -> Time {
        self.heap.peek().map_or(Time::NEVER, |Reverse(((time, _), _))| *time)
    }

    fn pop(&mut self) -> Option<(Time, Input)> {
        let Reverse(((time, _), place)) = self.heap.pop().expect("somebody looked whether there is one");
        self.unused.push(place);
        Some((time, self.inputs[place].take().expect("every entry has its input")))
    }
}
