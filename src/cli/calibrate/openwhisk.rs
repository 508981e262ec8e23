//! `faassim calibrate openwhisk`: phases, costs and invocations from OpenWhisk's logs. Owns its arguments and where
//! results go; the figures are `openwhisk::digest`'s.

mod text;

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use clap::Args;

use super::written;
use crate::calibrate::{Cost, Provenance, Samples};
use crate::cli::files::{has_place, write_whole};
use crate::cli::loading::{TraceBar, trace_error};
use crate::cli::run::quoted;
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
    claim(args)?;
    let digest = read(args)?;
    if let Some(file) = &args.invocations {
        if digest.rows.is_empty() {
            return Err(nothing(file, "no invocation is told from beginning to end"));
        }
        write_whole(file, |out| invocation_table(&digest).write_csv(out))?;
        tell(&format!("{}: {}", file.display(), counted(digest.rows.len() as u64, "invocation")));
    }
    if let Some(file) = &args.output {
        write_costs(args, &digest.samples, file)?;
        tell(&format!("{}: costs", file.display()));
    }
    print(&if args.json { text::json(&digest)? } else { text::text(&digest) })?;
    for note in notes(&digest) {
        tell(&format!("note: {note}"));
    }
    Ok(())
}

/// Asks before gigabytes are read whether what comes of them has a place, which is never one of the logs.
fn claim(args: &OpenwhiskArgs) -> Result<(), Error> {
    let whole = |path: &PathBuf| std::fs::canonicalize(path).ok();
    for file in [&args.invocations, &args.activations].into_iter().flatten() {
        has_place(file)?;
        if let Some(found) = whole(file)
            && args.logs.iter().any(|log| whole(log).as_ref() == Some(&found))
        {
            let log = Diagnostic::new("is one of the logs, which would be replaced");
            return Err(Error::usage(log.at(file.display().to_string()).help("name another file")));
        }
    }
    args.output.as_deref().map_or(Ok(()), written::claim)
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
fn write_costs(args: &OpenwhiskArgs, samples: &PhaseSamples, file: &Path) -> Result<(), Error> {
    if samples.is_empty() {
        return Err(nothing(file, "no phase of any activation was measured"));
    }
    let logs: String =
        args.logs.iter().map(|log| format!(" {}", quoted(&log.display().to_string()))).collect();
    let command = format!("faassim calibrate openwhisk{logs} -o {}", quoted(&file.display().to_string()));
    let mut about = vec![("backend", "OpenWhisk, by its logs".to_owned())];
    let count = |phase: &str| samples.general.get(phase).map_or(0, Vec::len);
    let (pulls, creations) = (count("pull"), count("create"));
    if pulls > 0 && creations > 0 {
        let note = "a scenario pulls once for each kind; where every creation pulls, add `pull` to `create`";
        about.push(("pulls", format!("{pulls} before {creations} creations; {note}")));
    }
    written::write(file, &of_phases(samples), &Provenance { command, about })
}

/// Phases as samples of costs.
fn of_phases(phases: &PhaseSamples) -> Samples {
    let mut all = Samples::default();
    // Without either of these there are no phases of a cold start to speak of.
    let is_start_known = ["create", "init"].iter().any(|phase| phases.general.contains_key(phase));
    let mut add = |function: Option<&str>, costs: &BTreeMap<&'static str, Vec<f64>>| {
        for (name, durations) in costs {
            let Some(cost) = Cost::named(name) else { continue };
            if !is_start_known && matches!(cost, Cost::Pull | Cost::FirstRun) {
                continue;
            }
            durations.iter().for_each(|ms| all.add(function, cost, ms * 1e3));
        }
    };
    add(None, &phases.general);
    for (function, costs) in &phases.functions {
        add(Some(function), costs);
    }
    all
}

fn nothing(file: &Path, why: &str) -> Error {
    let help = "the log must hold the lines of the invoker, with markers (metrics logging is on by default)";
    Error::run(
        Diagnostic::new(format!("{why}; it was not written")).at(file.display().to_string()).help(help),
    )
}
