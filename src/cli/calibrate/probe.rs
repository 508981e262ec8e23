//! `faassim calibrate live --probe`: a short live run made for measuring, and its costs. Owns where it leaves what it measured; the
//! schedule is `live::probe`'s.

use std::fs;
use std::path::Path;

use super::live::{of_recordings, provenance};
use crate::calibrate::{Provenance, Samples};
use crate::cli::live::{Commands, probe_of, record};
use crate::cli::replay::{damaged, file};
use crate::cli::tell;
use crate::error::Error;
use crate::eventlog::steps::recording;
use crate::results::{EVENTS, duration};
use crate::scenario::{Override, Scenario};

/// Probes what a scenario would run live, on its backend. `sets` are the scenario's own; results of the probe go to `target`, if
/// they are wanted; `contention`: whether it is asked how steps slow each other down.
///
/// # Errors
/// As a live run; a run error if its trace cannot be written.
pub(in crate::cli) fn probe(
    scenario: &Path,
    sets: &[Override],
    target: Option<&Path>,
    contention: bool,
    command: String,
    commands: &mut Commands,
) -> Result<(Samples, Provenance), Error> {
    let folder = tempfile::Builder::new().prefix("faassim-probe-").tempdir();
    let cannot = |error: std::io::Error| Error::run(format!("the probe's trace cannot be written: {error}"));
    let folder = folder.map_err(cannot)?;
    // Costs are what is looked for: those of the scenario, whose file may not be there yet, do not matter.
    let without: Vec<Override> = sets.iter().cloned().chain([Override::new("costs", "{}")]).collect();
    let (probe, names) = probe_of(&Scenario::load(scenario, &without)?)?;
    let trace = folder.path().join("probe");
    fs::create_dir(&trace).map_err(cannot)?;
    fs::write(trace.join("functions.csv"), &probe.functions).map_err(cannot)?;
    fs::write(trace.join("invocations.csv"), &probe.invocations).map_err(cannot)?;
    let overrides = probe.overrides(&trace.display().to_string());
    let all: Vec<Override> = sets.iter().cloned().chain(overrides).collect();
    tell(&format!("probing: {}", duration(probe.length.as_ms_f64())));
    let own = folder.path().join("results");
    let target = target.unwrap_or(&own);
    record(&Scenario::load(scenario, &all)?, target, commands)?;
    let log = target.join(EVENTS);
    let found = recording(file(&log)?).map_err(|damage| damaged(&log, damage))?;
    let mut samples = of_recordings(std::slice::from_ref(&found), contention);
    let provenance = provenance(command, std::slice::from_ref(&found));
    for group in &probe.groups {
        let Some(costs) = samples.functions.get(&names[group[0]]).cloned() else { continue };
        for other in &group[1..] {
            samples.functions.insert(names[*other].clone(), costs.clone());
        }
    }
    Ok((samples, provenance))
}
