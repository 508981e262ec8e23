//! When arrivals are sent in a live run. Owns how times of a trace become those of the run, for live mode and for
//! whoever simulates what it did; must never wait.

use std::iter::Peekable;

use crate::scenario::Scenario;
use crate::time::{Span, Time};
use crate::trace::{Arrival, Stream, Trace};

/// The arrivals of a live run, in order. The first is at zero; a time of the trace after it is divided by the speed and
/// rounded to the nearest µs, halves up. Run times are the trace's: work does not become faster with the clock.
pub struct Schedule<'a> {
    arrivals: Peekable<Stream<'a>>,
    first: Time,
    speed: f64,
    duration: Span,
    left: u64,
}

impl<'a> Schedule<'a> {
    /// What a scenario sends: the window of `[trace]`, then the limits of `[live]`.
    pub fn new(scenario: &Scenario, trace: &'a Trace) -> Schedule<'a> {
        let live = &scenario.live;
        let mut arrivals = trace.stream(scenario.trace.window).peekable();
        let first = arrivals.peek().map_or(Time::ZERO, |arrival| arrival.time);
        Schedule {
            arrivals,
            first,
            speed: live.speed,
            duration: live.duration.unwrap_or(Span::FOREVER),
            left: live.limit.unwrap_or(u64::MAX),
        }
    }
}

impl Iterator for Schedule<'_> {
    type Item = Arrival;

    fn next(&mut self) -> Option<Arrival> {
        if self.left == 0 {
            return None;
        }
        let (first, duration) = (self.first, self.duration);
        let arrival = self.arrivals.next_if(|arrival| arrival.time - first < duration)?;
        self.left -= 1;
        Some(Arrival { time: Time(scaled((arrival.time - first).0, self.speed)), ..arrival })
    }
}

/// `us` at so many times the speed. Exact where the speed is 1; never out of order, since division and rounding are not.
pub(crate) fn scaled(us: u64, speed: f64) -> u64 {
    if speed == 1.0 { us } else { (us as f64 / speed).round() as u64 }
}
