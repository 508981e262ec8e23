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

impl Folder {
    /// Opens or makes the folder of the sweep that `manifest` describes, and tells which runs were finished before. Tables
    /// of another sweep, which may have stood in the same folder, are removed; its finished runs are kept.
    ///
    /// # Errors
    /// The folder holds something else, somebody else is at work in it, or it cannot be written.
    pub fn open(target: &Path, manifest: &Manifest) -> Result<(Folder, Vec<Line>), Error> {
        let before = refuse_foreign(target)?;
        let cannot = |error: io::Error| cannot_write(target, &error);
        fs::create_dir_all(target).map_err(cannot)?;
        if before.is_none() {
            // First of all, so that the folder is known as ours if this ends here.
            write(target, MANIFEST, |out| out.write_all(pretty(manifest)?.as_bytes()))?;
        }
        let (journal, lines) = Journal::open(&target.join(JOURNAL))?;
        let folder = Folder { target: target.to_owned(), journal };
        if before.is_some_and(|before| before.grid != manifest.grid) {
            for ending in ["csv", "parquet"] {
                match fs::remove_file(target.join(format!("{TABLE}.{ending}"))) {
                    Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(cannot(error)),
                    _ => {}
                }
            }
            folder.manifest(manifest)?;
        }
        Ok((folder, lines))
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

/// The manifest of the sweep that is there; nothing if the place is free.
fn refuse_foreign(target: &Path) -> Result<Option<Manifest>, Error> {
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
        Some(manifest) => Ok(Some(manifest)),
        // A first manifest that was being written leaves no other trace.
        None if entries.flatten().all(|entry| entry.file_name() == partial(MANIFEST).as_str()) => Ok(None),
        None => refuse("holds something else than a sweep"),
    }
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
