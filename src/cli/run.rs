//! `faassim run`: replays a trace as a scenario says and tells what came of it. Owns its arguments,
//! its warnings and where results go; the replay itself is `sim`'s or `artifact`'s.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use clap::Args;
use serde::Serialize;

use super::loading::{load_trace, trace_error};
use super::plot::{draw_results, plot_target};
use super::progress::{Progress, catch_interrupts};
use super::{print, tell};
use crate::artifact;
use crate::error::{Diagnostic, Error};
use crate::results::{
    Folder, Heading, Manifest, Speed, TraceId, artifact_function_table, artifact_text, counted,
    function_table, invocation_table, memory_table, response_table, summary_text, thousands,
};
use crate::scenario::{Engine, Override, PoolSetup, Scenario, Start, TraceSpec};
use crate::sim::{self, Published, Replay, ReplayError};
use crate::tally::Summary;
use crate::time::Time;
use crate::trace::Trace;

/// Replay a trace as a scenario says, and print what came of it
#[derive(Args, Debug)]
pub struct RunArgs {
    /// The scenario, a TOML file
    pub file: PathBuf,
    /// Set a value of the scenario, for example pool.memory="8 GiB"; may be repeated
    #[arg(long, value_name = "PATH=VALUE")]
    pub set: Vec<Override>,
    /// Print the summary as JSON
    #[arg(long)]
    pub json: bool,
    /// Where results go [default: results/NAME, with the scenario's name]
    #[arg(short, long, value_name = "DIR")]
    pub output: Option<PathBuf>,
    /// Write a table with a row per invocation
    #[arg(long)]
    pub invocations: bool,
    /// Draw memory, response times and cold starts, as `faassim plot` does
    /// [default: plots.svg among the results]
    #[arg(long, value_name = "FILE", num_args = 0..=1)]
    pub plot: Option<Option<PathBuf>>,
    /// Write nothing, only print the summary
    #[arg(long, conflicts_with_all = ["output", "invocations", "plot"])]
    pub no_results: bool,
}

/// Replays the trace.
///
/// # Errors
/// A usage error for a wrong scenario or trace, a run error if results cannot be written.
pub fn run(args: &RunArgs) -> Result<(), Error> {
    let mut scenario = Scenario::load(&args.file, &args.set)?;
    if !scenario.sweep.is_empty() {
        tell("note: [sweep] is left out, this is one run; `faassim sweep` runs all of them");
    }
    scenario.output.invocations |= args.invocations;
    // The target is claimed first: nobody should wait for a run whose results have no place to go.
    let target = args.output.clone().unwrap_or_else(|| Path::new("results").join(&scenario.name));
    if !args.no_results && target.join("curve.csv").exists() {
        return Err(held(&target, "curves, which one run would replace"));
    }
    let plot = plot_target(args.plot.as_ref(), &target)?;
    let folder = if args.no_results { None } else { Some(Folder::create(&target)?) };
    catch_interrupts();
    let trace = load(&scenario)?;
    let done = match &scenario.engine {
        Engine::Pool(setup) => run_pool(&scenario, setup, &trace, folder.as_ref())?,
        Engine::Artifact(policy) => run_artifact(&scenario, *policy, &trace, folder.as_ref())?,
    };
    if let Some(folder) = folder {
        write_common(&folder, &scenario, &trace, args, &done.summary)?;
        folder.finish()?;
    }
    print(&if args.json { done.json()? } else { done.text })?;
    for warning in done.warnings {
        tell(&format!("warning: {warning}"));
    }
    if !args.no_results && !args.json {
        tell(&format!("results are in {}", target.display()));
    }
    if let Some(plot) = plot {
        draw_results(&target, &plot)?;
    }
    Ok(())
}

/// Replays the trace for another command, with a table of invocations: leaves results in `target`, prints nothing.
///
/// # Errors
/// As [`run`].
#[cfg(feature = "live")]
pub(super) fn run_quietly(file: &Path, sets: &[Override], target: &Path) -> Result<(), Error> {
    let args = RunArgs {
        file: file.to_owned(),
        set: sets.to_vec(),
        json: false,
        output: Some(target.to_owned()),
        invocations: true,
        plot: None,
        no_results: false,
    };
    let mut scenario = Scenario::load(file, sets)?;
    scenario.output.invocations = true;
    let folder = Folder::create(target)?;
    let trace = load(&scenario)?;
    let done = match &scenario.engine {
        Engine::Pool(setup) => run_pool(&scenario, setup, &trace, Some(&folder))?,
        Engine::Artifact(policy) => run_artifact(&scenario, *policy, &trace, Some(&folder))?,
    };
    write_common(&folder, &scenario, &trace, &args, &done.summary)?;
    folder.finish()
}

/// Results of another kind are where these should go.
pub(super) fn held(target: &Path, what: &str) -> Error {
    let help = "name another folder with -o, or remove it first";
    Error::usage(format!("{} holds {what}\n  help: {help}", target.display()))
}

/// What a replay has to tell.
struct Done {
    text: String,
    warnings: Vec<String>,
    summary: serde_json::Value,
    speed: Speed,
}

impl Done {
    /// The summary with the time it took, which is not among the results: it differs from run to run.
    fn json(&self) -> Result<String, Error> {
        let mut value = self.summary.clone();
        if let Some(object) = value.as_object_mut() {
            let timing = serde_json::json!({
                "wall_s": self.speed.wall_s,
                "invocations_per_s": self.speed.per_second(),
            });
            object.insert("timing".to_owned(), timing);
        }
        pretty(&value)
    }
}

/// As JSON for people.
///
/// # Errors
/// A run error if a value cannot be written so.
pub(super) fn pretty(value: &impl Serialize) -> Result<String, Error> {
    let text = serde_json::to_string_pretty(value)
        .map_err(|error| Error::run(format!("cannot write JSON: {error}")))?;
    Ok(text + "\n")
}

/// The trace of a scenario, cut as it says.
///
/// # Errors
/// A usage error with what is wrong with it, or that the user stopped it.
pub(super) fn load(scenario: &Scenario) -> Result<Trace, Error> {
    let TraceSpec { path, reading, cut, .. } = &scenario.trace;
    let trace = load_trace(path, reading)?;
    match cut {
        Some(cut) => trace.cut(*cut).map_err(|error| trace_error(&error)),
        None => Ok(trace),
    }
}

// ----- the pool -----

fn run_pool(
    scenario: &Scenario,
    setup: &PoolSetup,
    trace: &Trace,
    folder: Option<&Folder>,
) -> Result<Done, Error> {
    let total = trace.count(scenario.trace.window);
    let mut progress = Progress::new(total);
    let outcome = sim::replay(scenario, setup, trace, &mut progress);
    let speed = Speed { wall_s: progress.elapsed().as_secs_f64(), invocations: total };
    drop(progress);
    let replay = outcome.map_err(|error| match error {
        ReplayError::Stopped => stopped(),
        ReplayError::Unfit(why) => Error::usage(Diagnostic::new(why).at(scenario.file.display().to_string())),
    })?;
    let heading = pool_heading(scenario, setup, trace, &replay.summary);
    let done = Done {
        text: summary_text(&heading, &replay.summary, speed),
        warnings: warnings(scenario, setup, trace, &replay.summary),
        summary: serde_json::json!({
            "scenario": scenario.name,
            "seed": scenario.seed,
            "rules": setup.preset.name,
            "eviction": setup.eviction.to_string(),
            "keep_alive": setup.keep_alive.to_string(),
            "cpu": cpu(setup),
            "summary": replay.summary,
        }),
        speed,
    };
    if let Some(folder) = folder {
        write_tables(folder, scenario, trace, replay)?;
    }
    Ok(done)
}

/// The user stopped it.
pub(super) fn stopped() -> Error {
    Error::interrupted("stopped by Ctrl-C; nothing was written")
}

fn pool_heading(scenario: &Scenario, setup: &PoolSetup, trace: &Trace, summary: &Summary) -> Heading {
    let mut lines = vec![
        trace_line(scenario, trace, summary.invocations),
        format!("pool {}, rules {}, seed {}", scenario.memory, setup.preset.name, scenario.seed),
        format!("eviction {}, keep-alive {}", setup.eviction, setup.keep_alive),
        match setup.costs.contention {
            None => "CPU is unlimited: running activations never slow each other down".to_owned(),
            Some(contention) => format!("steps share {}", counted(contention.processors.into(), "processor")),
        },
    ];
    if let Some(elastic) = &scenario.elastic {
        lines.insert(2, format!("elastic: {elastic}"));
    }
    Heading { name: scenario.name.clone(), question: scenario.question.clone(), lines }
}

/// What the summary says of processors.
fn cpu(setup: &PoolSetup) -> serde_json::Value {
    match setup.costs.contention {
        None => "unlimited".into(),
        Some(contention) => contention.processors.into(),
    }
}

/// Which trace, and how much of it.
pub(super) fn trace_line(scenario: &Scenario, trace: &Trace, invocations: u64) -> String {
    let whole = invocations == trace.len() as u64;
    format!(
        "trace {}: {}, {}{} invocations",
        trace.name,
        counted(trace.functions.len() as u64, "function"),
        thousands(invocations),
        if whole { String::new() } else { format!(" of {}", thousands(trace.len() as u64)) },
    ) + if scenario.trace.window.from > Time::ZERO { " (from later on)" } else { "" }
}

/// What the user may not have meant (design: warn when the scenario is not what it seems).
fn warnings(scenario: &Scenario, setup: &PoolSetup, trace: &Trace, summary: &Summary) -> Vec<String> {
    let mut warnings = Vec::new();
    let large: Vec<&str> = trace
        .functions
        .iter()
        .filter(|function| function.memory > scenario.memory)
        .map(|function| function.name.as_str())
        .collect();
    if let Some(first) = large.first() {
        let many = large.len();
        let what = if many == 1 { "1 function is".to_owned() } else { format!("{many} functions are") };
        warnings
            .push(format!("{what} larger than the whole pool ({}), for example `{first}`", scenario.memory));
    }
    if summary.waited_pct > 50.0 {
        warnings.push(format!(
            "the worker is overloaded: {:.0} % of activations had to wait for a container; \
             waits, not cold starts, decide the response times",
            summary.waited_pct
        ));
    }
    if summary.dropped_pct > 50.0 {
        warnings.push(format!(
            "the worker is overloaded: {:.0} % of activations were dropped; cold-start figures are of the rest",
            summary.dropped_pct
        ));
    }
    if summary.memory.peak_mib > summary.memory.capacity_mib {
        warnings.push(format!(
            "the pool was over-committed: it held up to {} MiB of {}; the rules evict what they can and create the \
             container even if it still does not fit (rules.overcommit)",
            thousands(summary.memory.peak_mib),
            thousands(summary.memory.capacity_mib)
        ));
    }
    if summary.unserved > 0 {
        warnings.push(format!(
            "{} activations were never served: nothing that could still happen would have tried them again \
             (too large for what prewarms leave, or stranded by OpenWhisk's \"reschedule job\": \
             rules.resume-to-remove)",
            thousands(summary.unserved)
        ));
    }
    if !setup.stem_cells.is_empty() && matches!(setup.costs.general.start, Start::Whole(_)) {
        warnings.push(
            "prewarmed containers are used, but the cold start is one number, all of it for creating the container: \
             taking a prewarm costs nothing; give costs.create and costs.init instead"
                .to_owned(),
        );
    }
    if summary.containers.evicted == 0 && summary.dropped == 0 && summary.waited == 0 {
        warnings.push(format!(
            "memory was never short (at most {} of {} MiB were used), so the eviction policy `{}` was never asked; \
             try a smaller pool.memory",
            thousands(summary.memory.peak_mib),
            thousands(summary.memory.capacity_mib),
            setup.eviction.policy.name
        ));
    }
    warnings
}

fn write_tables(folder: &Folder, scenario: &Scenario, trace: &Trace, replay: Replay) -> Result<(), Error> {
    if scenario.output.functions {
        folder.table("functions", &function_table(&replay.functions))?;
    }
    folder.table("memory", &memory_table(&replay.memory))?;
    folder.table("responses", &response_table(&replay.responses))?;
    if let Some(rows) = replay.rows {
        let names: Vec<String> = trace.functions.iter().map(|function| function.name.clone()).collect();
        folder.table("invocations", &invocation_table(rows, &names))?;
    }
    Ok(())
}

/// What suffices to get results of a scenario and a trace again.
pub(super) fn manifest(
    scenario: &Scenario,
    trace: &Trace,
    name: String,
    command: String,
    overrides: Vec<String>,
) -> Manifest {
    Manifest {
        faassim: env!("CARGO_PKG_VERSION"),
        command,
        name,
        seed: scenario.seed,
        scenario_file: scenario.file.display().to_string(),
        scenario: scenario.text.clone(),
        overrides,
        trace: TraceId {
            path: scenario.trace.path.display().to_string(),
            sha256: trace.checksum.clone(),
            functions: trace.functions.len() as u64,
            invocations: trace.len() as u64,
        },
    }
}

fn write_common(
    folder: &Folder,
    scenario: &Scenario,
    trace: &Trace,
    args: &RunArgs,
    summary: &serde_json::Value,
) -> Result<(), Error> {
    let overrides: Vec<String> = args.set.iter().map(ToString::to_string).collect();
    let sets = overrides.iter().map(|set| format!(" --set {}", quoted(set))).collect::<String>();
    let rows = if args.invocations { " --invocations" } else { "" };
    // A plot among the results is one of them.
    let plot = if args.plot == Some(None) { " --plot" } else { "" };
    let command = format!("faassim run {}{sets}{rows}{plot}", quoted(&scenario.file.display().to_string()));
    let manifest = manifest(scenario, trace, scenario.name.clone(), command, overrides);
    for (name, text) in [("summary.json", pretty(summary)?), ("manifest.json", pretty(&manifest)?)] {
        folder.file(name, |out| out.write_all(text.as_bytes()))?;
    }
    Ok(())
}

/// A word as a shell reads it back.
pub(super) fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./=:,+".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}

// ----- the published simulator -----

fn run_artifact(
    scenario: &Scenario,
    policy: artifact::Policy,
    trace: &Trace,
    folder: Option<&Folder>,
) -> Result<Done, Error> {
    let total = trace.count(scenario.trace.window);
    let mut progress = Progress::new(total);
    let outcome = sim::replay_published(scenario, policy, trace, &mut progress);
    let speed = Speed { wall_s: progress.elapsed().as_secs_f64(), invocations: total };
    drop(progress);
    let Published { report, simulated_s } = outcome.map_err(|error| match error {
        ReplayError::Stopped => stopped(),
        ReplayError::Unfit(why) => {
            Error::usage(Diagnostic::new(why).at(scenario.trace.path.display().to_string()))
        }
    })?;
    let heading = Heading {
        name: scenario.name.clone(),
        question: scenario.question.clone(),
        lines: vec![
            trace_line(scenario, trace, total),
            format!("published FaasCache simulator, policy {}, {} MB", policy.name(), scenario.memory.mib()),
        ],
    };
    if let Some(folder) = folder {
        let names: Vec<String> = trace.functions.iter().map(|function| function.name.clone()).collect();
        folder.table("functions", &artifact_function_table(&names, &report.per_function))?;
    }
    let mut warnings = Vec::new();
    if scenario.output.invocations {
        warnings.push("the published simulator has no table of invocations; it is left out".to_owned());
    }
    Ok(Done {
        text: artifact_text(&heading, &report, speed, simulated_s),
        warnings,
        summary: artifact_summary(scenario, policy, &report),
        speed,
    })
}

fn artifact_summary(
    scenario: &Scenario,
    policy: artifact::Policy,
    report: &artifact::Report,
) -> serde_json::Value {
    let metrics = report.metrics();
    let counts = &report.counts;
    serde_json::json!({
        "scenario": scenario.name,
        "engine": "faascache-artifact",
        "policy": policy.name(),
        "memory_mb": scenario.memory.mib(),
        "summary": {
            "invocations": counts.invocations(),
            "hits": counts.hits,
            "misses": counts.misses,
            "dropped": counts.dropped,
            "evictions": counts.evictions,
            "evict_pressure": report.evict_pressure,
            "evict_expired": report.evict_expired,
            "hist_unloads": report.hist_unloads,
            "prewarm_added": report.prewarm_added,
            "prewarm_rejected": report.prewarm_rejected,
            "final_clock": report.final_clock,
            "peak_pool": report.peak_pool,
            "peak_mem_mb": report.peak_memory_mb,
            "cold_pct": metrics.cold_pct,
            "drop_pct": metrics.drop_pct,
            "exec_increase_pct_published": metrics.exec_increase_pct_published,
            "exec_increase_pct_fixed": metrics.exec_increase_pct_fixed,
            "exec_increase_pct_total_time": metrics.exec_increase_pct_total_time,
            "wted_eat_ms_published": metrics.wted_eat_ms_published,
            "server_cold_ms_published": metrics.server_cold_ms_published,
        },
    })
}
