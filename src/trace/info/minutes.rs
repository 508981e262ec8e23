//! Load by minute: of the whole trace, and of each function in each minute. Must never hold a table of
//! functions by minutes.

use serde::Serialize;

use super::quantiles::Spread;
use crate::tally::Quantiles;
use crate::time::{Span, Time};

/// Load by minute, from the first minute with an arrival to the last.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct MinuteFigures {
    /// Invocations per minute, all functions together.
    pub load: Spread,
    /// Busiest minute, from 0.
    pub busiest: u64,
    /// Invocations of each hour of the day, all days together.
    pub by_hour_of_day: [u64; 24],
    /// Minutes of a function without an invocation, of all functions' minutes in %.
    pub idle_pct: f64,
    /// Invocations of a function in a minute in which it has any, rounded up by at most 0.8 %.
    pub busy: Spread,
}

/// Minutes as they pass.
pub(super) struct Minutes {
    /// Minutes with invocations, and how many: a trace may be short of them over years.
    load: Vec<(u64, u64)>,
    /// Of each function, the minute of its latest arrival and its arrivals in it.
    functions: Vec<(u64, u32)>,
    /// Counts of a function's busy minutes, 1 as 1 µs.
    busy: Quantiles,
    by_hour: [u64; 24],
}

const MINUTE_US: u64 = 60_000_000;

impl Minutes {
    pub fn new(functions: usize) -> Minutes {
        Minutes {
            load: Vec::new(),
            functions: vec![(u64::MAX, 0); functions],
            busy: Quantiles::default(),
            by_hour: [0; 24],
        }
    }

    #[inline]
    pub fn arrival(&mut self, time: Time, function: u32) {
        let minute = time.0 / MINUTE_US;
        match self.load.last_mut() {
            Some((last, load)) if *last == minute => *load += 1,
            _ => self.load.push((minute, 1)),
        }
        let current = &mut self.functions[function as usize];
        if current.0 == minute {
            current.1 += 1;
            return;
        }
        let (_, count) = std::mem::replace(current, (minute, 1));
        if count > 0 {
            self.busy.add(Span(u64::from(count)));
        }
    }

    /// The figures, and the load of each minute that has any, with its number.
    pub fn figures(&mut self) -> (MinuteFigures, Vec<(u64, u64)>) {
        for (_, count) in &self.functions {
            if *count > 0 {
                self.busy.add(Span(u64::from(*count)));
            }
        }
        for (minute, load) in &self.load {
            self.by_hour[(minute / 60 % 24) as usize] += load;
        }
        let ends = self.load.first().zip(self.load.last());
        let minutes = ends.map_or(0, |((first, _), (last, _))| last - first + 1);
        let all = (minutes as f64 * self.functions.len() as f64).max(1.0);
        let busiest = self.load.iter().max_by_key(|(minute, load)| (*load, std::cmp::Reverse(*minute)));
        let loads: Vec<f64> = self.load.iter().map(|(_, load)| *load as f64).collect();
        let mut busy = Spread::of_spans(&self.busy);
        busy.mean = loads.iter().sum::<f64>() / busy.count.max(1) as f64;
        // Counts were kept as µs and come back as ms.
        busy.quantiles = busy.quantiles.map(|ms| (ms * 1e3).round());
        let figures = MinuteFigures {
            busiest: busiest.map_or(0, |(minute, _)| *minute),
            by_hour_of_day: self.by_hour,
            idle_pct: 100.0 * (1.0 - busy.count as f64 / all),
            load: Spread::with_zeros(loads, minutes - self.load.len() as u64),
            busy,
        };
        (figures, std::mem::take(&mut self.load))
    }
}
