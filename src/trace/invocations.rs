//! The invocations of a trace as columns. Owns their order in time and the compact form of run
//! times; must never reorder invocations of the same instant.

use crate::time::{Span, Time};

/// The warm run time of one invocation, if the trace tells it, in four bytes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct RunTime(u32);

impl RunTime {
    /// The trace does not tell: the function's own run time counts.
    pub const ABSENT: RunTime = RunTime(u32::MAX);
    /// The longest that fits, 71 min 34.967294 s: more than any platform lets a function run.
    pub const MAX: Span = Span(u32::MAX as u64 - 1);

    /// The run time in compact form; `None` if it is longer than [`RunTime::MAX`].
    pub fn new(span: Span) -> Option<RunTime> {
        (span <= RunTime::MAX).then_some(RunTime(span.0 as u32))
    }

    /// The run time, if the trace tells it.
    #[inline]
    pub fn span(self) -> Option<Span> {
        (self != RunTime::ABSENT).then_some(Span(u64::from(self.0)))
    }

    /// The run time in compact form, cut to [`RunTime::MAX`].
    pub fn capped(span: Span) -> RunTime {
        RunTime(span.min(RunTime::MAX).0 as u32)
    }

    /// The four bytes: µs, or `u32::MAX` for absent.
    pub(super) fn bits(self) -> u32 {
        self.0
    }
}

/// What was measured of one invocation on a real platform, to be compared with a simulation; no part of
/// the workload.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Measured {
    /// Whether it was a cold start.
    pub cold: bool,
    /// Which container served it, if that is known.
    pub container: Option<u32>,
}

/// One invocation as it arrives.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Arrival {
    /// When.
    pub time: Time,
    /// Which function: an index into [`super::Trace::functions`].
    pub function: u32,
    /// How long it runs when warm, if the trace tells it for each invocation; a cold start adds the
    /// function's `cold − warm` to it.
    pub duration: Option<Span>,
}

/// Columns with one entry per invocation: 12 bytes each, 16 with run times.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Invocations {
    time: Vec<Time>,
    function: Vec<u32>,
    /// Empty as long as no invocation has a run time.
    duration: Vec<RunTime>,
    /// Empty if nothing was measured, else of every invocation.
    measured: Vec<Measured>,
}

impl Invocations {
    /// Room for `count` invocations.
    pub fn with_capacity(count: usize) -> Invocations {
        Invocations {
            time: Vec::with_capacity(count),
            function: Vec::with_capacity(count),
            duration: Vec::new(),
            measured: Vec::new(),
        }
    }

    /// The same with what was measured of each, in the order in which they were added; nothing of any if
    /// that is empty.
    ///
    /// # Panics
    /// If there is neither one of each nor none.
    pub fn with_measured(self, measured: Vec<Measured>) -> Invocations {
        assert!(measured.is_empty() || measured.len() == self.len(), "one for each invocation");
        Invocations { measured, ..self }
    }

    /// Adds an invocation; any order will do.
    #[inline]
    pub fn push(&mut self, time: Time, function: u32, duration: RunTime) {
        if duration != RunTime::ABSENT || !self.duration.is_empty() {
            self.duration.resize(self.time.len(), RunTime::ABSENT);
            self.duration.push(duration);
        }
        self.time.push(time);
        self.function.push(function);
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.time.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.time.is_empty()
    }

    /// When each arrives; ascending once sorted.
    pub fn time(&self) -> &[Time] {
        &self.time
    }

    /// The function of each, as an index into [`super::Trace::functions`].
    pub fn function(&self) -> &[u32] {
        &self.function
    }

    /// The run time of each; `None` if the trace tells no run time of any invocation.
    pub fn duration(&self) -> Option<&[RunTime]> {
        (!self.duration.is_empty()).then_some(&self.duration)
    }

    /// What was measured of each; `None` if nothing was.
    pub fn measured(&self) -> Option<&[Measured]> {
        (!self.measured.is_empty()).then_some(&self.measured)
    }

    /// One after the other.
    pub fn arrivals(&self) -> impl ExactSizeIterator<Item = Arrival> + '_ {
        (0..self.len()).map(|index| self.arrival(index))
    }

    /// One of them.
    #[inline]
    pub(super) fn arrival(&self, index: usize) -> Arrival {
        Arrival {
            time: self.time[index],
            function: self.function[index],
            duration: self.duration.get(index).and_then(|duration| duration.span()),
        }
    }

    /// Those from `at` to before `end`.
    pub(super) fn slice(&self, at: usize, end: usize) -> Invocations {
        let duration = if self.duration.is_empty() { Vec::new() } else { self.duration[at..end].to_vec() };
        let measured = if self.measured.is_empty() { Vec::new() } else { self.measured[at..end].to_vec() };
        let (time, function) = (self.time[at..end].to_vec(), self.function[at..end].to_vec());
        Invocations { time, function, duration, measured }
    }

    /// Those rows to which `function` gives a function, with that.
    pub(super) fn filtered(&self, mut function: impl FnMut(usize) -> Option<u32>) -> Invocations {
        let mut kept = Invocations::default();
        for row in 0..self.len() {
            if let Some(function) = function(row) {
                let run_time = self.duration.get(row).copied().unwrap_or(RunTime::ABSENT);
                kept.push(self.time[row], function, run_time);
                kept.measured.extend(self.measured.get(row));
            }
        }
        kept
    }

    /// Adds many without run times, as long as none of these has any.
    pub(super) fn extend_sorted(&mut self, arrivals: impl ExactSizeIterator<Item = (Time, u32)>) {
        debug_assert!(self.duration.is_empty(), "run times would be missing");
        self.time.reserve(arrivals.len());
        self.function.reserve(arrivals.len());
        for (time, function) in arrivals {
            self.time.push(time);
            self.function.push(function);
        }
    }

    /// Sorts by time; those of the same instant keep their order. Returns how many came after a later
    /// one.
    pub fn sort(&mut self) -> usize {
        let mut latest = Time::ZERO;
        let mut late_comers = 0;
        for &time in &self.time {
            late_comers += usize::from(time < latest);
            latest = latest.max(time);
        }
        if late_comers > 0 {
            let mut order: Vec<usize> = (0..self.time.len()).collect();
            order.sort_by_key(|&index| self.time[index]);
            self.time = order.iter().map(|&index| self.time[index]).collect();
            self.function = order.iter().map(|&index| self.function[index]).collect();
            if !self.duration.is_empty() {
                self.duration = order.iter().map(|&index| self.duration[index]).collect();
            }
            if !self.measured.is_empty() {
                self.measured = order.iter().map(|&index| self.measured[index]).collect();
            }
        }
        late_comers
    }

    /// Renumbers the functions: `number[old]` is the new index. All of them must be below
    /// `number.len()`.
    pub(super) fn renumber(&mut self, number: &[u32]) {
        for function in &mut self.function {
            *function = number[*function as usize];
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn run_time(us: u64) -> RunTime {
        RunTime::new(Span(us)).expect("short")
    }

    #[test]
    fn run_times_take_four_bytes() {
        assert_eq!(size_of::<RunTime>(), 4);
        assert_eq!(RunTime::ABSENT.span(), None);
        assert_eq!(run_time(RunTime::MAX.0).span(), Some(RunTime::MAX));
        assert_eq!(RunTime::new(Span(RunTime::MAX.0 + 1)), None);
        assert_eq!(RunTime::new(Span::FOREVER), None);
    }

    #[test]
    fn the_first_run_time_makes_the_column() {
        let mut invocations = Invocations::default();
        invocations.push(Time(1), 0, RunTime::ABSENT);
        assert_eq!(invocations.duration(), None);
        invocations.push(Time(2), 0, run_time(7));
        invocations.push(Time(3), 0, RunTime::ABSENT);
        let durations: Vec<_> = invocations.arrivals().map(|arrival| arrival.duration).collect();
        assert_eq!(durations, [None, Some(Span(7)), None]);
    }

    #[test]
    fn counts_those_that_come_too_late() {
        let mut invocations = Invocations::default();
        for time in [5, 9, 7, 8, 9, 10] {
            invocations.push(Time(time), 0, RunTime::ABSENT);
        }
        assert_eq!(invocations.sort(), 2);
        assert_eq!(invocations.sort(), 0);
    }

    proptest! {
        #[test]
        fn sorting_keeps_ties_in_order(times in proptest::collection::vec(0_u64..20, 0..200)) {
            let mut invocations = Invocations::default();
            for (number, time) in times.iter().enumerate() {
                invocations.push(Time(*time), number as u32, run_time(number as u64));
            }
            invocations.sort();
            let mut expected: Vec<(u64, u32)> =
                times.iter().enumerate().map(|(number, time)| (*time, number as u32)).collect();
            expected.sort();
            let sorted: Vec<(u64, u32)> =
                invocations.arrivals().map(|arrival| (arrival.time.0, arrival.function)).collect();
            prop_assert_eq!(sorted, expected);
            for arrival in invocations.arrivals() {
                prop_assert_eq!(arrival.duration, Some(Span(u64::from(arrival.function))));
            }
        }
    }
}
