//! Reading and simulating the sides of a comparison. Owns how each is made to fit the other: a simulation against a live run sends
//! what that sent, a measured trace is cut as the scenario cuts it; must never change a record.

use std::fs;
use std::path::Path;

use super::source::{Manifest, Source};
use crate::cli::loading::{TraceBar, load_trace, trace_error};
use crate::cli::progress::Progress;
use crate::cli::replay::{damaged, file};
use crate::cli::run::{load, stopped};
use crate::compare::simulated::{Sending, Simulated, simulated};
use crate::compare::{Side, cluster, logged, measured, table};
use crate::error::{Diagnostic, Error};
use crate::eventlog::rebuild;
use crate::results::MANIFEST;
use crate::scenario::{Engine, Scenario};
use crate::sim::ReplayError;
use crate::tally::Causes;
use crate::trace::{Reading, Trace, TraceError, Window, is_there};

/// Reads or simulates all runs of both sides.
///
/// # Errors
/// A usage error with what is wrong, or that the user stopped it.
pub(super) fn load_sides(a: &[Source], b: &[Source]) -> Result<(Vec<Side>, Vec<Side>), Error> {
    let all = |sources: &[Source], others: &[Source]| -> Result<Vec<Side>, Error> {
        sources.iter().map(|source| load_side(source, others)).collect()
    };
    Ok((all(a, b)?, all(b, a)?))
}

fn load_side(source: &Source, others: &[Source]) -> Result<Side, Error> {
    match source {
        Source::Scenario { given, scenario } => from_scenario(given, scenario, others),
        Source::Results { given, folder, manifest, scenario } => {
            from_results(given, folder, manifest, scenario.as_deref())
        }
        Source::Log { given, log, .. } => {
            let rebuilt = rebuild(file(log)?).map_err(|damage| damaged(log, damage))?;
            Ok(logged::logged(given, &rebuilt))
        }
        Source::Trace { given, path } => from_trace(given, path, others),
        Source::Table { given, path } => watched(|bar| table::read(given, path, bar)),
        Source::Cluster { given, folder, run, invoker } => {
            watched(|bar| cluster::read(given, folder, run, invoker.as_deref(), bar))
        }
        Source::OpenWhisk { path } => {
            let wrong =
                Diagnostic::new("logs of OpenWhisk cannot be compared").at(path.display().to_string());
            Err(Error::usage(wrong.help("make a table of invocations from it")))
        }
    }
}

/// Reads with a bar that shows how far it is.
fn watched(read: impl FnOnce(&TraceBar) -> Result<Side, TraceError>) -> Result<Side, Error> {
    let bar = TraceBar::default();
    let side = read(&bar);
    bar.clear();
    side.map_err(|error| trace_error(&error))
}

// ----- simulations -----

/// A scenario. Against a live run it sends what that sent: its window, at its speed, within its limits.
fn from_scenario(given: &str, scenario: &Scenario, others: &[Source]) -> Result<Side, Error> {
    let Some(live) = others.iter().find_map(Source::live) else {
        return Ok(simulate(given, scenario, Sending::AsTraced)?.side);
    };
    let mut scenario = scenario.clone();
    let (mine, its) = (&scenario.live, &live.live);
    let differs = scenario.trace.window != live.trace.window
        || (mine.speed, mine.limit, mine.duration) != (its.speed, its.limit, its.duration);
    scenario.trace.window = live.trace.window;
    scenario.live.speed = live.live.speed;
    scenario.live.limit = live.live.limit;
    scenario.live.duration = live.live.duration;
    let mut side = simulate(given, &scenario, Sending::AsLive)?.side;
    if differs {
        side.notes.push("window, speed and limits are those of the live run, not its own".to_owned());
    }
    Ok(side)
}

fn simulate(given: &str, scenario: &Scenario, sending: Sending) -> Result<Simulated, Error> {
    let trace = load(scenario)?;
    simulate_trace(given, scenario, &trace, sending)
}

fn simulate_trace(
    given: &str,
    scenario: &Scenario,
    trace: &Trace,
    sending: Sending,
) -> Result<Simulated, Error> {
    let Engine::Pool(setup) = &scenario.engine else {
        return Err(Error::usage(Diagnostic::new("is not one of a pool").at(given)));
    };
    let mut progress = Progress::new(trace.count(scenario.trace.window));
    let outcome = simulated(given, scenario, setup, trace, sending, &mut progress);
    drop(progress);
    outcome.map_err(|error| match error {
        ReplayError::Stopped => stopped(),
        ReplayError::Unfit(why) => Error::usage(Diagnostic::new(why).at(scenario.file.display().to_string())),
    })
}

// ----- results of a run -----

fn from_results(
    given: &str,
    folder: &Path,
    manifest: &Manifest,
    scenario: Result<&Scenario, &Error>,
) -> Result<Side, Error> {
    let rows = folder.join("invocations.csv");
    let summary = folder.join("summary.json");
    let summary = fs::read_to_string(&summary)
        .ok()
        .and_then(|text| serde_json::from_str::<serde_json::Value>(&text).ok())
        .and_then(|mut value| value.get_mut("summary").map(serde_json::Value::take))
        .ok_or_else(|| {
            let wrong = Diagnostic::new("cannot be read, or is no summary").at(summary.display().to_string());
            Error::usage(wrong.help("is this a results folder of `faassim run`?"))
        })?;
    if !rows.is_file() {
        return simulated_again(given, manifest, scenario, &summary);
    }
    let mut side = watched(|bar| table::read(given, &rows, bar))?;
    let samples = folder.join("memory.csv");
    if samples.is_file() {
        let bar = TraceBar::default();
        side.memory = table::read_memory(&samples, &bar).map_err(|error| trace_error(&error))?;
    }
    let of = |name: &str| summary.pointer(&format!("/containers/{name}")).and_then(serde_json::Value::as_u64);
    side.kind = crate::compare::SideKind::Simulation;
    side.created = of("created");
    side.evicted = of("evicted");
    side.causes = causes(&summary).or(side.causes);
    side.trace_sha256 = Some(manifest.trace.sha256.clone());
    side.speed = Some(1.0);
    if let Some(unserved) =
        summary.get("unserved").and_then(serde_json::Value::as_u64).filter(|many| *many > 0)
    {
        side.notes.push(format!("{unserved} invocations were never served; the table has no rows of them"));
    }
    Ok(side)
}

fn causes(summary: &serde_json::Value) -> Option<Causes> {
    let of = |name: &str| summary.pointer(&format!("/causes/{name}")).and_then(serde_json::Value::as_u64);
    Some(Causes {
        first: of("first")?,
        all_busy: of("all_busy")?,
        expired: of("expired")?,
        evicted: of("evicted")?,
        shrunk: of("shrunk").unwrap_or(0),
        unloaded: of("unloaded")?,
        failed: of("failed")?,
        ..Causes::default()
    })
}

/// Results without a table of invocations are made again: a simulation is a function of its scenario and trace.
fn simulated_again(
    given: &str,
    manifest: &Manifest,
    scenario: Result<&Scenario, &Error>,
    summary: &serde_json::Value,
) -> Result<Side, Error> {
    const HELP: &str = "run it again with --invocations, which writes the table";
    let place = Path::new(given).join(MANIFEST).display().to_string();
    let cannot = |why: String| Error::usage(Diagnostic::new(why).at(place.clone()).help(HELP));
    let no_table = "the results have no table of invocations, and cannot be made again";
    let scenario = scenario.map_err(|error| {
        let why = error.diagnostics().first().map(Diagnostic::in_short).unwrap_or_default();
        cannot(format!("{no_table}: their scenario is not one of this version: {why}"))
    })?;
    let path = &manifest.trace.path;
    if !is_there(&scenario.trace.path) && !Path::new(path).exists() {
        return Err(cannot(format!("{no_table}: there is no trace at `{path}`")));
    }
    let trace = load(scenario)?;
    if trace.checksum != manifest.trace.sha256 {
        return Err(cannot(format!("{no_table}: the trace at `{path}` is not the one they were made from")));
    }
    let Simulated { side, summary: again } = simulate_trace(given, scenario, &trace, Sending::AsTraced)?;
    let was = |name: &str| summary.get(name).and_then(serde_json::Value::as_u64);
    let same = (was("warm"), was("cold"), was("partial"))
        == (Some(again.warm), Some(again.cold), Some(again.partial));
    if !same {
        return Err(cannot(format!(
            "made again they differ: {} cold starts then, {} now (made by faassim {}, this is {})",
            was("cold").map_or_else(|| "?".to_owned(), |cold| cold.to_string()),
            again.cold,
            manifest.faassim,
            env!("CARGO_PKG_VERSION")
        )));
    }
    Ok(side)
}

// ----- measured traces -----

/// A trace with what was measured, read and cut as a scenario of the other side has it, if that replays this very trace.
fn from_trace(given: &str, path: &Path, others: &[Source]) -> Result<Side, Error> {
    let whole = |path: &Path| fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let replays = |scenario: &&Scenario| whole(&scenario.trace.path) == whole(path);
    let scenario = others.iter().filter_map(Source::scenario).find(replays);
    let (trace, window) = match scenario {
        Some(scenario) => (load(scenario)?, scenario.trace.window),
        None => (load_trace(path, &Reading::default())?, Window::ALL),
    };
    measured::measured(given, &trace, window).ok_or_else(|| {
        let wrong = Diagnostic::new("the trace tells nothing that was measured: it has no column `is_cold`")
            .at(given);
        Error::usage(wrong.help("to compare with a simulation of it, name a scenario that replays it"))
    })
}
