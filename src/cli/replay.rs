//! `faassim replay`: feeds the event log of a live run to a fresh pool, which must order the same. Owns its arguments and
//! what is said; the replay is `eventlog`'s.

use std::io::{BufReader, Read};
use std::path::{Path, PathBuf};

use clap::Args;

use super::print;
use super::run::pretty;
use crate::error::{Diagnostic, Error};
use crate::eventlog::replay::replay as feed;
use crate::eventlog::{Damage, Difference, Header, Reader, Replayed};
use crate::results::{EVENTS, counted};
use crate::trace::source::open_as;

/// Feed the event log of a live run to a fresh pool, which must give the same orders
///
/// The pool is a function of what it is told: if it decides anything otherwise than in the live run, either the log was
/// changed or this version of faassim has other rules than the one that wrote it.
#[derive(Args, Debug)]
pub struct ReplayArgs {
    /// The log, or the results folder of a live run
    #[arg(value_name = "EVENTLOG")]
    pub log: PathBuf,
    /// Print what was found as JSON
    #[arg(long)]
    pub json: bool,
}

/// Replays a log.
///
/// # Errors
/// A usage error for a log that cannot be read, a run error if an order differs.
pub fn replay(args: &ReplayArgs) -> Result<(), Error> {
    let path = log_path(&args.log);
    let (mut reader, header) = open(&path)?;
    let found = feed(&mut reader, &header, &mut ()).map_err(|damage| damaged(&path, damage))?;
    print(&if args.json { json(&found)? } else { text(&path, &header, &found) })?;
    match &found.difference {
        None => Ok(()),
        Some(difference) => Err(differs(&path, difference)),
    }
}

/// The file of a log, unpacked on the way.
pub(super) type LogFile = BufReader<Box<dyn Read>>;

/// The log in a results folder, or the one that is named.
pub(super) fn log_path(given: &Path) -> PathBuf {
    if given.is_dir() { given.join(EVENTS) } else { given.to_owned() }
}

/// Opens a log.
///
/// # Errors
/// A usage error if it cannot be read or is none.
pub(super) fn open(path: &Path) -> Result<(Reader<LogFile>, Header), Error> {
    Reader::open(file(path)?).map_err(|damage| damaged(path, damage))
}

/// Opens the file of a log, plain or packed (gzip, zstd).
///
/// # Errors
/// A usage error if it cannot be read.
pub(super) fn file(path: &Path) -> Result<LogFile, Error> {
    let (bytes, _) = open_as("an event log", path, &()).map_err(|error| {
        let cannot = Diagnostic::new(error.message.clone()).at(path.display().to_string());
        Error::usage(cannot.help("name the event log of a live run, or its results folder"))
    })?;
    Ok(BufReader::with_capacity(1 << 18, bytes))
}

/// A damaged log, told with its place.
pub(super) fn damaged(path: &Path, damage: Damage) -> Error {
    let told = Diagnostic::new(damage.message).at(format!("{}:{}", path.display(), damage.line));
    Error::usage(match damage.help {
        Some(help) => told.help(help),
        None => told,
    })
}

fn differs(path: &Path, difference: &Difference) -> Error {
    let Difference { line, at, after, then, now } = difference;
    let said = |action: &Option<crate::pool::Action>| match action {
        Some(action) => format!("{action:?}"),
        None => "nothing more".to_owned(),
    };
    let after = after.map_or_else(|| "the worker came up".to_owned(), |input| format!("{input:?}"));
    let message = format!(
        "another order than in the live run, {:.6} s after its beginning\n  after {after}\n  then  {}\n  now   {}",
        at.as_secs_f64(),
        said(then),
        said(now)
    );
    let told = Diagnostic::new(message).at(format!("{}:{line}", path.display()));
    Error::run(told.help("was the log changed, or written by a version of faassim with other rules?"))
}

fn text(path: &Path, header: &Header, found: &Replayed) -> String {
    let verdict = match (&found.difference, &found.ended) {
        (Some(_), _) => "DIFFERS",
        (None, Some(_)) => "all agree",
        (None, None) => "all agree, up to where the run was killed",
    };
    format!(
        "{}\n  live on {}, faassim {}\n  {}, {} told, {} compared: {verdict}\n",
        path.display(),
        header.backend,
        header.faassim,
        counted(found.arrivals, "arrival"),
        counted(found.facts, "fact"),
        counted(found.orders, "order"),
    )
}

fn json(found: &Replayed) -> Result<String, Error> {
    let difference = found.difference.as_ref().map(|difference| {
        serde_json::json!({
            "line": difference.line,
            "at_s": difference.at.as_secs_f64(),
            "after": difference.after,
            "then": difference.then,
            "now": difference.now,
        })
    });
    pretty(&serde_json::json!({
        "facts": found.facts,
        "arrivals": found.arrivals,
        "orders": found.orders,
        "agrees": found.difference.is_none(),
        "difference": difference,
        "complete": found.ended.is_some(),
    }))
}
