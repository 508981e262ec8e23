//! `faassim calibrate openwhisk`: phases, costs and invocations from OpenWhisk's logs. Owns its arguments and where
//! results go; the figures are `openwhisk::digest`'s.

mod costs;
mod text;

use std::fs;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use clap::Args;
use tempfile::NamedTempFile;

use crate::cli::loading::{TraceBar, trace_error};
use crate::cli::{print, tell};
use crate::error::{Diagnostic, Error};
use crate::openwhisk::digest::{Digest, read_log};
use crate::openwhisk::phases::{Activation, Fate, PhaseSamples};
use crate::openwhisk::side::{invocation_table, notes};
use crate::results::counted;

/// Read OpenWhisk's logs: phases by start state, a cost model, a table of invocations
///
/// Takes logs of controller, invoker and standalone server together, plain or packed (gzip, zstd), whole or rotated:
/// lines are put in order of time. Lines of anything else are skipped and counted. Logs of the FaasCache fork also
/// tell its counters of cold and warm starts.
#[derive(Args, Debug)]
pub struct OpenwhiskArgs {
    /// Log files; - is standard input
    #[arg(required = true, value_name = "LOG")]
    pub logs: Vec<PathBuf>,
    /// Print all figures as JSON
    #[arg(long)]
    pub json: bool,
    /// Write a cost model: [costs] for a scenario
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// Write a row per invocation, which `faassim compare` takes as a table
    #[arg(long, value_name = "FILE.csv")]
    pub invocations: Option<PathBuf>,
    /// Write the phases of each activation, a line of JSON each
    #[arg(long, value_name = "FILE.jsonl")]
    pub activations: Option<PathBuf>,
}

/// Reads the logs and tells what is in them.
///
/// # Errors
/// A usage error if a log cannot be read or is none, a run error if there is nothing to write or it cannot be written.
pub fn openwhisk(args: &OpenwhiskArgs) -> Result<(), Error> {
    let digest = read(args)?;
    if let Some(file) = &args.invocations {
        if digest.rows.is_empty() {
            return Err(nothing(file, "no invocation is told from beginning to end"));
        }
        write_whole(file, |out| invocation_table(&digest).write_csv(out))?;
        tell(&format!("{}: {}", file.display(), counted(digest.rows.len() as u64, "invocation")));
    }
    if let Some(file) = &args.output {
        write_costs(&digest.samples, file)?;
        tell(&format!("{}: costs", file.display()));
    }
    print(&if args.json { text::json(&digest)? } else { text::text(&digest) })?;
    for note in notes(&digest) {
        tell(&format!("note: {note}"));
    }
    Ok(())
}

fn read(args: &OpenwhiskArgs) -> Result<Digest, Error> {
    let bar = TraceBar::default();
    let with_rows = args.invocations.is_some();
    let read = |hear: &mut dyn FnMut(&Activation, Fate)| {
        let digest = read_log(&args.logs, with_rows, &bar, hear);
        bar.clear();
        digest.map_err(|error| trace_error(&error))
    };
    let Some(file) = &args.activations else { return read(&mut |_, _| {}) };
    let mut outcome = None;
    write_whole(file, |out| {
        // A full disk shows only at the next line; until then nothing more is written.
        let mut written = Ok(());
        outcome = Some(read(&mut |activation, fate| {
            if written.is_ok() {
                written = text::activation_line(out, activation, fate);
            }
        }));
        match &outcome {
            Some(Ok(_)) => written,
            _ => Err(io::Error::other("the log could not be read")),
        }
    })
    .or_else(|error| if matches!(outcome, Some(Err(_))) { Ok(()) } else { Err(error) })?;
    outcome.unwrap_or_else(|| Err(Error::run("nothing was read")))
}

/// Writes `[costs]` of these samples for a scenario.
///
/// # Errors
/// There is no sample, or the file cannot be written; then it is as it was.
pub fn write_costs(samples: &PhaseSamples, file: &Path) -> Result<(), Error> {
    if samples.is_empty() {
        return Err(nothing(file, "no phase of any activation was measured"));
    }
    write_whole(file, |out| out.write_all(costs::costs(samples).as_bytes()))
}

fn nothing(file: &Path, why: &str) -> Error {
    let help = "the log must hold the lines of the invoker, with markers (metrics logging is on by default)";
    Error::run(
        Diagnostic::new(format!("{why}; it was not written")).at(file.display().to_string()).help(help),
    )
}

/// A file that is there as a whole or not at all.
fn write_whole(
    file: &Path,
    write: impl FnOnce(&mut BufWriter<&NamedTempFile>) -> io::Result<()>,
) -> Result<(), Error> {
    let folder = file.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let attempt = || {
        if file.is_dir() {
            return Err(io::Error::other("it is a folder"));
        }
        let temporary = tempfile::Builder::new().prefix(".new-").tempfile_in(folder)?;
        let mut out = BufWriter::new(&temporary);
        write(&mut out)?;
        out.flush()?;
        drop(out);
        // Temporary files are private, results are not.
        #[cfg(unix)]
        fs::set_permissions(temporary.path(), std::os::unix::fs::PermissionsExt::from_mode(0o644))?;
        temporary.persist(file).map(drop).map_err(|error| error.error)
    };
    attempt().map_err(|error| {
        // Without the name of a temporary file, which means nothing to whom it is told.
        let plain = std::error::Error::source(&error).map_or_else(|| error.to_string(), ToString::to_string);
        Error::run(format!("cannot write {}: {plain}", file.display()))
    })
}
