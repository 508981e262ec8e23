//! Where a sweep lives: its manifest, its journal, its tables. Unlike a run's folder it is used while it is filled, since
//! an interrupted sweep goes on in it; each file is there as a whole or not at all. Must never touch a folder that holds
//! anything but a sweep.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::journal::{Journal, lines};
use super::{Line, Row, table};
use crate::error::{Diagnostic, Error};
use crate::results::MANIFEST;
use crate::scenario::Axis;
use crate::trace::Trace;

/// The journal's file.
const JOURNAL: &str = "runs.jsonl";
/// The tables' files, without their endings.
const TABLE: &str = "runs";

/// What suffices to make the same table again. Like a run's, it holds nothing that differs from time to time.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Manifest {
    /// Version of faassim.
    pub faassim: String,
    /// The command that makes the same table again, from the folder it was given in.
    pub command: String,
    /// Name of the scenario.
    pub name: String,
    /// What it is meant to answer.
    pub question: Option<String>,
    /// Its file, as given.
    pub scenario_file: String,
    /// What the file said.
    pub scenario: String,
    /// What `--set` changed, as given.
    pub overrides: Vec<String>,
    /// What was varied, the slowest first.
    pub axes: Vec<AxisRecord>,
    /// How many runs the whole sweep has.
    pub runs: usize,
    /// What tells it from other sweeps ([`super::Plan::id`]).
    pub grid: String,
    /// Which part of it this is, `2/5`; nothing if it is the whole.
    pub shard: Option<String>,
    /// The traces that were read.
    pub traces: Vec<TraceRecord>,
}

/// An axis by name, with its values as tables show them.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct AxisRecord {
    /// The dotted path.
    pub path: String,
    /// Its values.
    pub values: Vec<String>,
}

impl From<&Axis> for AxisRecord {
    fn from(axis: &Axis) -> AxisRecord {
        let values = axis.values().iter().map(|value| value.shown.clone()).collect();
        AxisRecord { path: axis.path().to_owned(), values }
    }
}

/// Which trace.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
pub struct TraceRecord {
    /// Its number among those of the whole sweep, from 1 in the order in which runs need them.
    pub number: usize,
    /// What it is called.
    pub name: String,
    /// SHA-256 of its content, however it is packed.
    pub sha256: String,
    /// Functions in it.
    pub functions: u64,
    /// Invocations in it.
    pub invocations: u64,
}

impl TraceRecord {
    pub(super) fn new(number: usize, trace: &Trace) -> TraceRecord {
        TraceRecord {
            number: number + 1,
            name: trace.name.clone(),
            sha256: trace.checksum.clone(),
            functions: trace.functions.len() as u64,
            invocations: trace.len() as u64,
        }
    }
}

/// A sweep's folder that only we write to.
#[derive(Debug)]
pub struct Folder {
    target: PathBuf,
    journal: Journal,
}

/// What a folder held when it was opened.
#[derive(Debug)]
pub struct Before {
    /// Finished runs, of this sweep or others.
    pub lines: Vec<Line>,
    /// The traces of this very sweep, as far as they were read.
    pub traces: Vec<TraceRecord>,
}

impl Folder {
    /// Opens or makes the folder of the sweep that `manifest` describes, and tells what was in it. Tables of another grid
    /// of the same scenario are removed; its finished runs are kept.
    ///
    /// # Errors
    /// The folder holds something else or another scenario's sweep, somebody else is at work in it, or it cannot be written.
    pub fn open(target: &Path, manifest: &Manifest) -> Result<(Folder, Before), Error> {
        refuse_foreign(target, manifest)?;
        let cannot = |error: io::Error| cannot_write(target, &error);
        fs::create_dir_all(target).map_err(cannot)?;
        let (journal, lines) = Journal::open(&target.join(JOURNAL))?;
        let folder = Folder { target: target.to_owned(), journal };
        // Until it was ours, somebody else may have begun a sweep in it.
        let before = refuse_foreign(target, manifest)?.filter(|before| before.grid == manifest.grid);
        if before.is_none() {
            for ending in ["csv", "parquet"] {
                match fs::remove_file(target.join(format!("{TABLE}.{ending}"))) {
                    Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(cannot(error)),
                    _ => {}
                }
            }
            folder.manifest(manifest)?;
        }
        let traces = before.map(|before| before.traces).unwrap_or_default();
        Ok((folder, Before { lines, traces }))
    }

    /// Notes a finished run.
    ///
    /// # Errors
    /// The journal cannot be written.
    pub fn append(&mut self, line: &Line) -> Result<(), Error> {
        self.journal.append(line)
    }

    /// Writes the manifest.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn manifest(&self, manifest: &Manifest) -> Result<(), Error> {
        write(&self.target, MANIFEST, |out| out.write_all(pretty(manifest)?.as_bytes()))
    }

    /// Writes the tables of these rows.
    ///
    /// # Errors
    /// A table cannot be written.
    pub fn tables(&self, rows: &[Row]) -> Result<(), Error> {
        let table = table(rows.to_vec());
        write(&self.target, &format!("{TABLE}.csv"), |out| table.write_csv(out))?;
        write(&self.target, &format!("{TABLE}.parquet"), |out| table.write_parquet(out))
    }
}

/// What a sweep's folder says of itself, and the runs that were finished in it.
///
/// # Errors
/// A usage error if it is no such folder.
pub(super) fn read(folder: &Path) -> Result<(Manifest, Vec<Line>), Error> {
    let manifest = read_manifest(folder).ok_or_else(|| {
        let diagnostic = Diagnostic::new("there is no sweep in it").at(folder.display().to_string());
        Error::usage(diagnostic.help("name the results folders of `faassim sweep`"))
    })?;
    let path = folder.join(JOURNAL);
    let bytes = match fs::read(&path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
        Err(error) => return Err(Error::run(format!("cannot read {}: {error}", path.display()))),
    };
    Ok((manifest, lines(&bytes)))
}

fn read_manifest(folder: &Path) -> Option<Manifest> {
    serde_json::from_slice(&fs::read(folder.join(MANIFEST)).ok()?).ok()
}

/// The manifest of the sweep that is there, of the same scenario as ours; nothing if the place is free.
fn refuse_foreign(target: &Path, ours: &Manifest) -> Result<Option<Manifest>, Error> {
    let refuse = |what: &str| {
        let diagnostic = Diagnostic::new(what).at(target.display().to_string());
        Err(Error::usage(diagnostic.help("name another folder with -o, or remove it first")))
    };
    let entries = match fs::read_dir(target) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) if error.kind() == io::ErrorKind::NotADirectory => {
            return refuse("is there and is not a folder");
        }
        Err(error) => return Err(Error::run(format!("cannot look into {}: {error}", target.display()))),
        Ok(entries) => entries,
    };
    match read_manifest(target) {
        Some(there) if there.name != ours.name && there.scenario != ours.scenario => refuse(&format!(
            "holds the sweep of another scenario, `{}`, which `{}` would replace",
            there.name, ours.name
        )),
        Some(there) => Ok(Some(there)),
        None if entries.flatten().all(|entry| is_beginning(&entry)) => Ok(None),
        None => refuse("holds something else than a sweep"),
    }
}

/// Whether this is what a sweep leaves that ended before its first manifest was written.
fn is_beginning(entry: &fs::DirEntry) -> bool {
    let name = entry.file_name();
    let is_empty = || entry.metadata().is_ok_and(|about| about.is_file() && about.len() == 0);
    name == partial(MANIFEST).as_str() || name == JOURNAL && is_empty()
}

fn partial(name: &str) -> String {
    format!(".{name}.part")
}

/// Writes a file under another name and gives it its own when it is whole.
fn write(
    folder: &Path,
    name: &str,
    fill: impl FnOnce(&mut BufWriter<File>) -> io::Result<()>,
) -> Result<(), Error> {
    let attempt = || {
        let part = folder.join(partial(name));
        let mut out = BufWriter::new(File::create(&part)?);
        fill(&mut out)?;
        out.flush()?;
        drop(out);
        fs::rename(part, folder.join(name))
    };
    attempt().map_err(|error| cannot_write(&folder.join(name), &error))
}

fn cannot_write(path: &Path, error: &io::Error) -> Error {
    Error::run(format!("cannot write {}: {error}", path.display()))
}

fn pretty(manifest: &Manifest) -> io::Result<String> {
    Ok(serde_json::to_string_pretty(manifest)? + "\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn manifest(name: &str, grid: &str) -> Manifest {
        Manifest {
            faassim: "0".to_owned(),
            command: String::new(),
            name: name.to_owned(),
            question: None,
            scenario_file: String::new(),
            scenario: format!("name = {name:?}"),
            overrides: Vec::new(),
            axes: Vec::new(),
            runs: 1,
            grid: grid.to_owned(),
            shard: None,
            traces: Vec::new(),
        }
    }

    #[test]
    fn who_comes_second_changes_nothing() {
        let dir = tempfile::tempdir().expect("a temporary folder");
        let target = dir.path().join("new");
        let first = Folder::open(&target, &manifest("s", "one")).expect("new");
        let error = Folder::open(&target, &manifest("s", "two")).expect_err("locked").to_string();
        assert!(error.contains("another faassim is at work"), "{error}");
        assert_eq!(read_manifest(&target), Some(manifest("s", "one")));
        drop(first);
        // One that had locked the folder and not written a manifest yet.
        fs::remove_file(target.join(MANIFEST)).expect("there");
        let locked = Journal::open(&target.join(JOURNAL)).expect("free");
        assert!(Folder::open(&target, &manifest("s", "two")).is_err());
        assert_eq!(read_manifest(&target), None);
        drop(locked);
        Folder::open(&target, &manifest("s", "two")).expect("free again");
    }

    #[test]
    fn another_scenario_is_refused_and_another_grid_is_not() {
        let dir = tempfile::tempdir().expect("a temporary folder");
        drop(Folder::open(dir.path(), &manifest("s", "one")).expect("new"));
        let error = Folder::open(dir.path(), &manifest("t", "one")).expect_err("another");
        assert_eq!(error.exit_code(), 2);
        assert!(error.to_string().contains("holds the sweep of another scenario, `s`"), "{error}");
        drop(Folder::open(dir.path(), &manifest("s", "two")).expect("the same scenario"));
        // Of another name only.
        let renamed = Manifest { scenario: manifest("s", "").scenario, ..manifest("t", "two") };
        Folder::open(dir.path(), &renamed).expect("the same text");
    }
}
