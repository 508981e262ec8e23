//! Why a simulation and a live run decided differently. Owns when that can be told (a scenario on one side, an event log on the
//! other); how, is `compare::divergence`'s.

use std::collections::BTreeMap;
use std::path::Path;

use super::source::Source;
use crate::cli::replay::{damaged, file};
use crate::cli::run::load;
use crate::cli::tell;
use crate::compare::divergence::{Divergences, Hypothesis, divergences};
use crate::compare::pool_view::PoolView;
use crate::compare::{Class, Side};
use crate::error::{Diagnostic, Error, Kind};
use crate::eventlog::steps::recording;
use crate::eventlog::{Reader, replay};
use crate::scenario::{Engine, PoolSetup, Scenario};

/// What can be told of two sides, if anything: the first run of each.
///
/// # Errors
/// The log or the trace cannot be read; costs that do not fit.
pub(super) fn diverging(
    (a, sides_a): (&[Source], &[Side]),
    (b, sides_b): (&[Source], &[Side]),
) -> Result<Option<Divergences>, Error> {
    let (Some(a), Some(b)) = (a.first(), b.first()) else { return Ok(None) };
    match (a, b) {
        (_, Source::Log { log, scenario, .. }) => {
            let Some(simulated) = a.simulated() else { return Ok(None) };
            of_scenario(simulated, log, scenario, &decisions(&sides_b[0]))
        }
        (Source::Log { log, scenario, .. }, _) => {
            let Some(simulated) = b.simulated() else { return Ok(None) };
            let found = of_scenario(simulated, log, scenario, &decisions(&sides_a[0]))?;
            Ok(found.map(Divergences::swapped))
        }
        _ => Ok(None),
    }
}

/// How each invocation was served, by number.
pub(in crate::cli) fn decisions(side: &Side) -> BTreeMap<u64, Class> {
    side.invocations.iter().map(|invocation| (invocation.number, invocation.class)).collect()
}

/// Where a scenario decides otherwise than the live run of a log; `None` if that cannot be told.
///
/// # Errors
/// As [`diverging`].
pub(in crate::cli) fn of_scenario(
    scenario: &Scenario,
    log: &Path,
    live: &Scenario,
    decided: &BTreeMap<u64, Class>,
) -> Result<Option<Divergences>, Error> {
    // Memory that follows the load is not part of what is recorded.
    let (Engine::Pool(setup), None) = (&scenario.engine, &scenario.elastic) else { return Ok(None) };
    let recording = recording(file(log)?).map_err(|damage| damaged(log, damage))?;
    // Of results whose trace has gone all else can be told.
    let untold = |why: &str| {
        tell(&format!("note: why decisions differ is not told: {why}"));
        Ok(None)
    };
    let trace = match load(scenario) {
        Err(error) if error.kind() == Kind::Usage => {
            return untold(&error.diagnostics().first().map(Diagnostic::in_short).unwrap_or_default());
        }
        loaded => loaded?,
    };
    if trace.checksum != recording.header.trace_sha256 {
        return untold(&format!("{} is not the trace of the live run", scenario.trace.path.display()));
    }
    let hypothesis =
        Hypothesis { scenario, setup, trace: &trace, same_rules: same_rules(scenario, setup, live) };
    let mut failed = None;
    let mut watch = |view: &mut PoolView| {
        let mut read = || -> Result<(), Error> {
            let (mut reader, header) = Reader::open(file(log)?).map_err(|damage| damaged(log, damage))?;
            replay::replay(&mut reader, &header, view).map_err(|damage| damaged(log, damage))?;
            Ok(())
        };
        failed = read().err();
    };
    let found = divergences(hypothesis, &recording, &mut watch, decided)
        .map_err(|why| Error::usage(Diagnostic::new(why).at(scenario.file.display().to_string())))?;
    match failed {
        Some(error) => Err(error),
        None => Ok(Some(found)),
    }
}

/// Whether two scenarios make the same pool.
fn same_rules(one: &Scenario, setup: &PoolSetup, other: &Scenario) -> bool {
    let Engine::Pool(theirs) = &other.engine else { return false };
    let pool = |setup: &PoolSetup| {
        let PoolSetup { rules, eviction, keep_alive, stem_cells, .. } = setup;
        format!("{rules:?} {eviction} {keep_alive} {stem_cells:?}")
    };
    (one.memory, one.seed) == (other.memory, other.seed) && pool(setup) == pool(theirs)
}
