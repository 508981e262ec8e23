//! `faassim calibrate live`: costs from live runs that were recorded. Owns its arguments; what is a sample of what is `calibrate`'s.

use std::path::PathBuf;

use clap::Args;

use super::written;
use crate::calibrate::{Provenance, Samples, of_recording};
use crate::cli::replay::{damaged, file, log_path};
use crate::cli::run::quoted;
use crate::cli::{print, tell};
use crate::error::{Diagnostic, Error};
use crate::eventlog::steps::{Recording, recording};

/// Learn costs from live runs: their event logs tell what every step took
#[derive(Args, Debug)]
pub struct LiveArgs {
    /// The event logs of live runs, or their results folders
    #[arg(value_name = "RUN", required_unless_present = "probe")]
    pub runs: Vec<PathBuf>,
    /// Measure now: run what this scenario would run live, for a few minutes, alone and in company
    #[cfg(feature = "live")]
    #[arg(long, value_name = "SCENARIO", conflicts_with = "runs")]
    pub probe: Option<PathBuf>,
    /// Set a value of the probed scenario, for example live.backend=process; may be repeated
    #[cfg(feature = "live")]
    #[arg(long, value_name = "PATH=VALUE", requires = "probe")]
    pub set: Vec<crate::scenario::Override>,
    /// Where the costs go, to be taken in by scenarios: [costs] from = "FILE"
    #[arg(short, long, value_name = "FILE", default_value = "costs.toml")]
    pub output: PathBuf,
    /// Take steps as they took, without asking how much of that was for lack of processors
    #[arg(long)]
    pub no_contention: bool,
}

/// Does what the arguments say.
///
/// # Errors
/// A usage error for a log that cannot be read, a run error if the costs cannot be written.
pub fn live(args: &LiveArgs) -> Result<(), Error> {
    #[cfg(feature = "live")]
    if let Some(scenario) = &args.probe {
        return probe(args, scenario);
    }
    written::claim(&args.output)?;
    let mut recordings = Vec::with_capacity(args.runs.len());
    for run in &args.runs {
        let path = log_path(run);
        let found = recording(file(&path)?).map_err(|damage| damaged(&path, damage))?;
        check(&path.display().to_string(), &found, recordings.first())?;
        recordings.push(found);
    }
    let samples = of_recordings(&recordings, !args.no_contention);
    if samples.is_empty() {
        let empty = Diagnostic::new("nothing was done in this run that could be measured");
        return Err(Error::usage(empty.at(args.runs[0].display().to_string())));
    }
    let names: Vec<String> = args.runs.iter().map(|run| quoted(&run.display().to_string())).collect();
    let flag = if args.no_contention { " --no-contention" } else { "" };
    let command = format!(
        "faassim calibrate live {}{flag} -o {}",
        names.join(" "),
        quoted(&args.output.display().to_string())
    );
    written::write(&args.output, &samples, &provenance(command, &recordings))?;
    print(&written::table(&samples))?;
    tell(&format!("costs are in {}", args.output.display()));
    Ok(())
}

#[cfg(feature = "live")]
fn probe(args: &LiveArgs, scenario: &std::path::Path) -> Result<(), Error> {
    written::claim(&args.output)?;
    let mut commands = crate::cli::live::listen();
    let sets: String = args.set.iter().map(|set| format!(" --set {}", quoted(&set.to_string()))).collect();
    let flag = if args.no_contention { " --no-contention" } else { "" };
    let command = format!(
        "faassim calibrate live --probe {}{sets}{flag} -o {}",
        quoted(&scenario.display().to_string()),
        quoted(&args.output.display().to_string())
    );
    let (samples, provenance) =
        super::probe::probe(scenario, &args.set, None, !args.no_contention, command, &mut commands)?;
    written::write(&args.output, &samples, &provenance)?;
    print(&written::table(&samples))?;
    tell(&format!("costs are in {}", args.output.display()));
    Ok(())
}

/// The samples of several runs together.
pub(in crate::cli) fn of_recordings(recordings: &[Recording], contention: bool) -> Samples {
    let mut all = Samples::default();
    for recording in recordings {
        all.join(of_recording(recording, contention));
    }
    all
}

/// Where the costs of these runs come from.
pub(in crate::cli) fn provenance(command: String, recordings: &[Recording]) -> Provenance {
    let Some(first) = recordings.first().map(|recording| &recording.header) else {
        return Provenance { command, about: Vec::new() };
    };
    let machine = format!("{} processors, {} MiB", first.machine.cpus, first.machine.memory_mib);
    let started: Vec<&str> = recordings.iter().map(|recording| recording.header.started.as_str()).collect();
    Provenance {
        command,
        about: vec![
            ("backend", first.backend.clone()),
            ("machine", machine),
            ("started", started.join(", ")),
        ],
    }
}

/// Costs of different backends do not belong together, and what comes after a difference is not known.
fn check(place: &str, found: &Recording, first: Option<&Recording>) -> Result<(), Error> {
    if let Some(first) = first
        && first.header.backend != found.header.backend
    {
        let (one, other) = (&first.header.backend, &found.header.backend);
        let differ = Diagnostic::new(format!("was run on {other}, but the first run on {one}")).at(place);
        return Err(Error::usage(differ.help("calibrate each backend on its own")));
    }
    if let Some(difference) = &found.replayed.difference {
        tell(&format!(
            "warning: {place}:{}: does not replay from here on; what comes after is left out",
            difference.line
        ));
    } else if found.replayed.ended.is_none() {
        tell(&format!("note: {place}: the run was killed; what was measured until then counts"));
    }
    Ok(())
}
