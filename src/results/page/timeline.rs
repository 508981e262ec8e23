//! Cold starts over time: how many of the invocations that arrived in each interval were served, and how many of them cold.
//! Owns the intervals; must never hold a row: tables of invocations may be larger than the memory.

use std::path::Path;

use crate::compare::side::start_named;
use crate::error::{Diagnostic, Error};

/// Lengths of intervals in s. Each divides the next, so that intervals can be joined without being counted again.
const LENGTHS_S: [f64; 17] = [
    0.1,
    0.5,
    1.0,
    5.0,
    10.0,
    30.0,
    60.0,
    300.0,
    600.0,
    1_800.0,
    3_600.0,
    7_200.0,
    21_600.0,
    43_200.0,
    86_400.0,
    604_800.0,
    6_048_000.0,
];

/// More intervals than these are joined while rows are read.
const MOST: usize = 4_096;

/// One interval.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) struct Interval {
    /// Invocations that arrived in it and were served.
    pub served: u64,
    /// Those of them for which a container was created.
    pub cold: u64,
}

/// Cold starts over time.
#[derive(Clone, PartialEq, Debug, Default)]
pub(super) struct Timeline {
    /// Which of [`LENGTHS_S`] the intervals have.
    length: usize,
    /// From time zero on.
    intervals: Vec<Interval>,
}

impl Timeline {
    /// Reads `invocations.csv` of a results folder; nothing if there is no such file.
    ///
    /// # Errors
    /// A usage error with the line of what cannot be read, a run error if the file cannot.
    pub(super) fn read(folder: &Path) -> Result<Option<Timeline>, Error> {
        let file = folder.join("invocations.csv");
        if !file.is_file() {
            return Ok(None);
        }
        let wrong = |what: String, line: Option<u64>| {
            let line = line.map_or(String::new(), |line| format!(":{line}"));
            Diagnostic::new(what).at(format!("{}{line}", file.display()))
        };
        let cannot = |error: csv::Error| {
            let diagnostic = wrong(error.to_string(), error.position().map(csv::Position::line));
            if error.is_io_error() { Error::run(diagnostic) } else { Error::usage(diagnostic) }
        };
        let mut reader = csv::Reader::from_path(&file).map_err(cannot)?;
        let header = reader.headers().map_err(cannot)?.clone();
        let column = |name: &str| {
            let found = header.iter().position(|column| column == name);
            found.ok_or_else(|| Error::usage(wrong(format!("there is no column `{name}`"), None)))
        };
        let (arrival, start) = (column("arrival_ms")?, column("start")?);
        let mut timeline = Timeline::default();
        let mut row = csv::StringRecord::new();
        while reader.read_record(&mut row).map_err(cannot)? {
            let text = row.get(arrival).unwrap_or_default();
            let ms = text.parse().ok().filter(|ms: &f64| ms.is_finite() && *ms >= 0.0);
            let line = row.position().map(csv::Position::line);
            let Some(ms) = ms else {
                return Err(Error::usage(wrong(
                    format!("column `arrival_ms`: `{text}` is not a time"),
                    line,
                )));
            };
            match row.get(start).unwrap_or_default() {
                "" => {}
                name => match start_named(name) {
                    Some(state) => timeline.count(ms / 1e3, state.creates()),
                    None => {
                        let what = format!("column `start`: `{name}` is not a start state");
                        return Err(Error::usage(wrong(what, line)));
                    }
                },
            }
        }
        Ok(Some(timeline))
    }

    /// Length of an interval in s.
    pub(super) fn length_s(&self) -> f64 {
        LENGTHS_S[self.length]
    }

    /// The intervals, from time zero on.
    pub(super) fn intervals(&self) -> &[Interval] {
        &self.intervals
    }

    fn count(&mut self, at_s: f64, cold: bool) {
        let mut ix = (at_s / self.length_s()) as usize;
        while ix >= MOST && self.length + 1 < LENGTHS_S.len() {
            self.join();
            ix = (at_s / self.length_s()) as usize;
        }
        // What is later than three hundred thousand years is told with the last.
        let ix = ix.min(MOST);
        if self.intervals.len() <= ix {
            self.intervals.resize(ix + 1, Interval::default());
        }
        self.intervals[ix].served += 1;
        self.intervals[ix].cold += u64::from(cold);
    }

    /// Makes intervals of the next length.
    fn join(&mut self) {
        let of = (LENGTHS_S[self.length + 1] / LENGTHS_S[self.length]).round() as usize;
        let sum = |chunk: &[Interval]| Interval {
            served: chunk.iter().map(|interval| interval.served).sum(),
            cold: chunk.iter().map(|interval| interval.cold).sum(),
        };
        self.intervals = self.intervals.chunks(of).map(sum).collect();
        self.length += 1;
    }
}

/// Makes the intervals of all equally long, with at most `most` of them each as far as lengths go.
pub(super) fn align(timelines: &mut [Timeline], most: usize) {
    loop {
        let length = timelines.iter().map(|timeline| timeline.length).max().unwrap_or_default();
        for timeline in timelines.iter_mut() {
            while timeline.length < length {
                timeline.join();
            }
        }
        let many = timelines.iter().map(|timeline| timeline.intervals.len()).max().unwrap_or_default();
        if many <= most || length + 1 >= LENGTHS_S.len() {
            return;
        }
        timelines.iter_mut().for_each(Timeline::join);
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn read(rows: &str) -> Result<Option<Timeline>, Error> {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let text = format!("invocation,arrival_ms,function,start\n{rows}");
        fs::write(folder.path().join("invocations.csv"), text).expect("writable");
        Timeline::read(folder.path())
    }

    #[test]
    fn lengths_divide_each_other() {
        for pair in LENGTHS_S.windows(2) {
            let times = pair[1] / pair[0];
            assert!((times - times.round()).abs() < 1e-9 && times >= 2.0, "{pair:?}");
        }
    }

    #[test]
    fn invocations_are_counted_where_they_arrived() {
        let timeline = read("0,10,f,cold\n1,90,f,warmed\n2,150,f,recreated\n3,160,f,prewarmed\n4,170,f,\n");
        let timeline = timeline.expect("readable").expect("there");
        assert_eq!(timeline.length_s(), 0.1);
        let first = Interval { served: 2, cold: 1 };
        assert_eq!(timeline.intervals(), [first, first]);
    }

    #[test]
    fn joining_loses_nothing_and_ends_alike() {
        let rows: String =
            (0..10_000).map(|n| format!("{n},{}000,f,{}\n", n * 7, ["cold", "warmed"][n % 2])).collect();
        let long = read(&rows).expect("readable").expect("there");
        assert_eq!(long.length_s(), 30.0, "70,000 s in at most {MOST} intervals");
        let mut both = [read("0,1500,f,cold\n").expect("readable").expect("there"), long];
        align(&mut both, 96);
        assert_eq!(both.each_ref().map(Timeline::length_s), [1_800.0; 2]);
        assert_eq!(both[1].intervals().len(), 39);
        assert_eq!(both[1].intervals().iter().map(|of| of.served).sum::<u64>(), 10_000);
        assert_eq!(both[1].intervals().iter().map(|of| of.cold).sum::<u64>(), 5_000);
    }

    #[test]
    fn what_cannot_be_read_is_told_with_its_line() {
        for (rows, said) in [
            ("0,1,f,cold\n1,soon,f,cold\n", ":3: column `arrival_ms`: `soon` is not a time"),
            ("0,-1,f,cold\n", ":2: column `arrival_ms`: `-1` is not a time"),
            ("0,1,f,tepid\n", ":2: column `start`: `tepid` is not a start state"),
        ] {
            let error = read(rows).expect_err("wrong").to_string();
            assert!(error.ends_with(said), "{error}");
        }
        let error = read("0,1,f\n").expect_err("a short row").to_string();
        assert!(error.contains("invocations.csv:2: "), "{error}");
    }
}
