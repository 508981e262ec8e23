//! Finished runs as they finish: one line of JSON each, appended and handed to the system at once. Owns the file and what
//! is taken from it; must never change a line that is there.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::fs::{File, TryLockError};
use std::io::{Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::folder::{Before, TraceRecord};
use super::row::{is_fine, number};
use super::{Plan, Row};
use crate::error::{Diagnostic, Error};

/// One finished run.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Line {
    /// The sweep it belongs to ([`super::Plan::id`]).
    pub grid: String,
    /// What decides its figures ([`super::Plan::key`]); empty where the trace could not be read.
    pub key: String,
    /// What it came to.
    pub row: Row,
}

/// A journal that only we write to.
#[derive(Debug)]
pub(super) struct Journal {
    path: PathBuf,
    file: File,
}

impl Journal {
    /// Opens a journal, or begins one, and tells what is in it. A last line that was cut short is removed.
    ///
    /// # Errors
    /// It cannot be read or written, or somebody else is at work on it.
    pub fn open(path: &Path) -> Result<(Journal, Vec<Line>), Error> {
        let cannot = |error| Error::run(format!("cannot open {}: {error}", path.display()));
        let mut options = File::options();
        let mut file = options.read(true).append(true).create(true).open(path).map_err(cannot)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let diagnostic = Diagnostic::new("another faassim is at work on this sweep");
                let help = "wait for it, or name another folder with -o";
                return Err(Error::run(diagnostic.at(path.display().to_string()).help(help)));
            }
            Err(TryLockError::Error(error)) => return Err(cannot(error)),
        }
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes).map_err(cannot)?;
        let whole = bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
        if whole < bytes.len() {
            file.set_len(whole as u64).map_err(cannot)?;
            file.seek(SeekFrom::End(0)).map_err(cannot)?;
        }
        let journal = Journal { path: path.to_owned(), file };
        Ok((journal, lines(&bytes[..whole])))
    }

    /// Appends a run.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn append(&mut self, line: &Line) -> Result<(), Error> {
        let written = serde_json::to_string(line)
            .map_err(std::io::Error::other)
            .and_then(|text| self.file.write_all((text + "\n").as_bytes()));
        written.map_err(|error| Error::run(format!("cannot write {}: {error}", self.path.display())))
    }
}

/// The lines of a journal that somebody else may be writing; what is no line is left out.
pub(super) fn lines(bytes: &[u8]) -> Vec<Line> {
    bytes.split(|byte| *byte == b'\n').filter_map(|line| serde_json::from_slice(line).ok()).collect()
}

/// The last word on each run of a sweep, by number.
pub fn latest(lines: impl IntoIterator<Item = Line>, grid: &str) -> BTreeMap<u64, Line> {
    let of_grid = lines.into_iter().filter(|line| line.grid == grid);
    of_grid.filter_map(|line| Some((number(&line.row)?, line))).collect()
}

/// What is known from before.
#[derive(Debug, Default)]
pub struct Known {
    /// The last word on each run of this very sweep.
    latest: BTreeMap<u64, Line>,
    /// Rows with figures, of any sweep, by key.
    by_key: HashMap<String, Row>,
    /// The traces of this very sweep that were read.
    traces: Vec<TraceRecord>,
}

impl Known {
    /// From what a folder held. Runs that failed are not known: they are tried again.
    pub fn new(before: Before, grid: &str) -> Known {
        let Before { lines, traces } = before;
        let fine = lines.iter().filter(|line| is_fine(&line.row));
        let by_key = fine.map(|line| (line.key.clone(), line.row.clone())).collect();
        Known { by_key, latest: latest(lines, grid), traces }
    }

    /// The traces that were read, now or before, by number; what was read now counts.
    pub(super) fn traces_with(&self, now: Vec<TraceRecord>) -> Vec<TraceRecord> {
        let by_number = |record: &TraceRecord| (record.number, record.clone());
        let all: BTreeMap<usize, TraceRecord> = self.traces.iter().chain(&now).map(by_number).collect();
        all.into_values().collect()
    }

    /// The last word on every run of this sweep that is not among `reached`, as far as it tells of these traces.
    pub(super) fn others(&self, plan: &Plan, reached: &[Row], traces: &[TraceRecord]) -> Vec<Row> {
        let reached: HashSet<u64> = reached.iter().filter_map(number).collect();
        let traces: HashMap<usize, &str> =
            traces.iter().map(|record| (record.number - 1, record.sha256.as_str())).collect();
        let tells = |run: usize, line: &Line| {
            let fits = |checksum: &&str| plan.key(run, checksum) == line.key;
            line.key.is_empty() || traces.get(&plan.trace_of(run)).is_some_and(fits)
        };
        let others = self.latest.iter().filter(|(run, line)| {
            let is_there = (1..=plan.grid().len() as u64).contains(run) && !reached.contains(run);
            is_there && tells(**run as usize - 1, line)
        });
        others.map(|(_, line)| line.row.clone()).collect()
    }

    /// The row of this run, if it is the last word on it.
    pub(super) fn row(&self, key: &str, run: usize) -> Option<&Row> {
        let line = self.latest.get(&(run as u64 + 1))?;
        (line.key == key && is_fine(&line.row)).then_some(&line.row)
    }

    /// A row with the same figures, of another sweep or another run.
    pub(super) fn alike(&self, key: &str) -> Option<&Row> {
        self.by_key.get(key)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(grid: &str, key: &str, run: u64) -> Line {
        let row = format!(r#"{{"run": {run}, "x": 0.1, "error": ""}}"#);
        Line { grid: grid.to_owned(), key: key.to_owned(), row: serde_json::from_str(&row).expect("JSON") }
    }

    fn known(lines: Vec<Line>) -> Known {
        Known::new(Before { lines, traces: Vec::new() }, "g")
    }

    #[test]
    fn a_line_cut_short_is_removed() {
        let dir = tempfile::tempdir().expect("a temporary folder");
        let path = dir.path().join("runs.jsonl");
        let (mut journal, _) = Journal::open(&path).expect("new");
        journal.append(&line("g", "a", 1)).expect("writable");
        journal.file.write_all(b"{\"grid\": \"g\", \"ke").expect("writable");
        drop(journal);
        let (mut journal, lines) = Journal::open(&path).expect("there");
        assert_eq!(lines, [line("g", "a", 1)]);
        journal.append(&line("g", "b", 2)).expect("writable");
        drop(journal);
        assert_eq!(Journal::open(&path).expect("there").1, [line("g", "a", 1), line("g", "b", 2)]);
    }

    #[test]
    fn two_cannot_write_at_once() {
        let dir = tempfile::tempdir().expect("a temporary folder");
        let path = dir.path().join("runs.jsonl");
        let _first = Journal::open(&path).expect("new");
        let error = Journal::open(&path).expect_err("locked").to_string();
        assert!(error.contains("another faassim is at work"), "{error}");
    }

    #[test]
    fn only_the_same_run_of_the_same_sweep_is_taken_whole() {
        let known = known(vec![line("g", "a", 1), line("h", "b", 1)]);
        assert!(known.row("a", 0).is_some() && known.row("a", 1).is_none() && known.row("b", 0).is_none());
        assert!(known.alike("a").is_some() && known.alike("b").is_some() && known.alike("c").is_none());
    }

    #[test]
    fn the_last_word_counts() {
        let mut failed = line("g", "", 1);
        failed.row.insert("error".to_owned(), "broken".into());
        let known = known(vec![line("g", "a", 1), failed]);
        assert!(known.row("a", 0).is_none(), "it would not be noted again");
        assert!(known.alike("a").is_some());
    }
}
