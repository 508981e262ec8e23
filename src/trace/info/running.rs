//! Invocations that run at once if all of them start warm on arrival. Must never hold more than those that are
//! running.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use serde::Serialize;

use crate::time::{Span, Time};

/// What runs at once.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct RunningFigures {
    /// Most invocations at once.
    pub most: u64,
    /// Mean number of invocations at once, from the first arrival to the last.
    pub mean: f64,
    /// Most memory at once in MiB.
    pub most_memory_mib: u64,
    /// Mean memory in MiB.
    pub mean_memory_mib: f64,
}

/// What is running.
#[derive(Default)]
pub(super) struct Running {
    /// When each ends, and its memory.
    ends: BinaryHeap<Reverse<(Time, u64)>>,
    memory_mib: u64,
    most: u64,
    most_memory_mib: u64,
    busy_us: u128,
    busy_mib_us: u128,
}

impl Running {
    /// An arrival, which is not before the last one.
    #[inline]
    pub fn arrival(&mut self, time: Time, run: Span, memory_mib: u64) {
        while let Some(Reverse((end, memory))) = self.ends.peek()
            && *end <= time
        {
            self.memory_mib -= memory;
            self.ends.pop();
        }
        self.busy_us += u128::from(run.0);
        self.busy_mib_us += u128::from(run.0) * u128::from(memory_mib);
        if run == Span::ZERO {
            // It needs a container all the same.
            self.most = self.most.max(self.ends.len() as u64 + 1);
            self.most_memory_mib = self.most_memory_mib.max(self.memory_mib + memory_mib);
            return;
        }
        self.ends.push(Reverse((time + run, memory_mib)));
        self.memory_mib += memory_mib;
        self.most = self.most.max(self.ends.len() as u64);
        self.most_memory_mib = self.most_memory_mib.max(self.memory_mib);
    }

    /// The figures from the first arrival to the last.
    pub fn figures(&self, first: Time, last: Time) -> RunningFigures {
        // What outlasts the last arrival does not count into the means.
        let late = |end: &Time| u128::from(end.since(last).0);
        let late_us: u128 = self.ends.iter().map(|Reverse((end, _))| late(end)).sum();
        let late_mib_us: u128 =
            self.ends.iter().map(|Reverse((end, mib))| late(end) * u128::from(*mib)).sum();
        let span = (last - first).0.max(1) as f64;
        RunningFigures {
            most: self.most,
            mean: self.busy_us.saturating_sub(late_us) as f64 / span,
            most_memory_mib: self.most_memory_mib,
            mean_memory_mib: self.busy_mib_us.saturating_sub(late_mib_us) as f64 / span,
        }
    }
}
