//! Parts of a sweep that were done elsewhere, put together. Owns what may be put together and what is missing; must never
//! run anything or need a scenario or a trace.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::folder::{Manifest, TraceRecord, read};
use super::journal::latest;
use super::row::is_fine;
use super::{Line, Row};
use crate::error::{Diagnostic, Error};

/// A sweep out of its parts.
#[derive(Clone, Debug)]
pub struct Merged {
    /// Its manifest, as if it had been done as a whole.
    pub manifest: Manifest,
    /// A line per run, by number.
    pub lines: BTreeMap<u64, Line>,
    /// Numbers of runs that are in no part, from 1.
    pub missing: Vec<usize>,
}

impl Merged {
    /// The rows, by number.
    pub fn rows(&self) -> Vec<Row> {
        self.lines.values().map(|line| line.row.clone()).collect()
    }
}

/// Puts the parts in these folders together.
///
/// # Errors
/// A usage error if they are not parts of the same sweep, or do not agree where they should.
pub fn merge(folders: &[PathBuf]) -> Result<Merged, Error> {
    let mut whole: Option<(PathBuf, Manifest)> = None;
    let mut lines: BTreeMap<u64, (Line, &PathBuf)> = BTreeMap::new();
    let mut traces: BTreeMap<usize, (TraceRecord, &PathBuf)> = BTreeMap::new();
    for folder in folders {
        let (manifest, found) = read(folder)?;
        if let Some((first, other)) = &whole
            && other.grid != manifest.grid
        {
            return Err(other_sweep((first, other), (folder, &manifest)));
        }
        for record in &manifest.traces {
            let (before, place) = traces.entry(record.number).or_insert((record.clone(), folder));
            if before != record {
                let message =
                    format!("the trace `{}` is not the one that {} has", record.name, place.display());
                let help = "the parts read different data; do one of them again with the right trace";
                return Err(Error::usage(
                    Diagnostic::new(message).at(folder.display().to_string()).help(help),
                ));
            }
        }
        for (run, line) in latest(found, &manifest.grid) {
            match lines.get(&run) {
                Some((known, place)) if is_fine(&known.row) && is_fine(&line.row) && *known != line => {
                    return Err(disagree(run, place, folder));
                }
                // A failed run gives way to one that did not fail.
                Some((known, _)) if is_fine(&known.row) => {}
                _ => drop(lines.insert(run, (line, folder))),
            }
        }
        whole.get_or_insert((folder.clone(), manifest));
    }
    let Some((_, mut manifest)) = whole else {
        return Err(Error::usage("no folder is given"));
    };
    if let Some(shard) = manifest.shard.take() {
        manifest.command = manifest.command.replace(&format!(" --shard {shard}"), "");
    }
    manifest.traces = traces.into_values().map(|(record, _)| record).collect();
    let missing = (1..=manifest.runs).filter(|run| !lines.contains_key(&(*run as u64))).collect();
    Ok(Merged { manifest, lines: lines.into_iter().map(|(run, (line, _))| (run, line)).collect(), missing })
}

fn other_sweep((folder, one): (&Path, &Manifest), (place, other): (&Path, &Manifest)) -> Error {
    let difference = if one.faassim != other.faassim {
        format!("it was made by faassim {}, the other by {}", other.faassim, one.faassim)
    } else if one.axes != other.axes {
        "what is varied differs".to_owned()
    } else if one.overrides != other.overrides {
        "what --set changed differs".to_owned()
    } else {
        "the scenarios differ".to_owned()
    };
    let message = format!("is part of another sweep than {}: {difference}", folder.display());
    let help = "parts of one sweep are made by the same command but for --shard and -o";
    Error::usage(Diagnostic::new(message).at(place.display().to_string()).help(help))
}

fn disagree(run: u64, one: &Path, other: &Path) -> Error {
    let message = format!("run {run} has other figures than in {}", one.display());
    let help = "the parts read different traces, or were made by different builds; do one of them again";
    Error::usage(Diagnostic::new(message).at(other.display().to_string()).help(help))
}
