//! `faassim results`: makes the results of a live run from its event log. Owns its arguments and what a results folder of a live
//! run holds; the figures are those of the log alone, so a run that was killed has its results too.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};

use super::plot::{draw_results, plot_target};
use super::replay::{damaged, file, log_path};
use super::run::{pretty, quoted};
use super::{print, tell};
use crate::error::Error;
use crate::eventlog::{Rebuilt, rebuild};
use crate::results::{
    EVENTS, Folder, Heading, Manifest, TraceId, counted, function_table, live_invocation_table, live_text,
    memory_table, response_table,
};
use crate::scenario::Engine;

/// Make results from what a live run wrote down
#[derive(Args, Debug)]
pub struct ResultsArgs {
    #[command(subcommand)]
    command: ResultsCommand,
}

#[derive(Subcommand, Debug)]
enum ResultsCommand {
    Rebuild(RebuildArgs),
}

/// Make the results folder of a live run from its event log, also if the run was killed
#[derive(Args, Debug)]
pub struct RebuildArgs {
    /// The log, or the results folder of a live run
    #[arg(value_name = "LOG")]
    pub log: PathBuf,
    /// Where results go [default: results/NAME-live, with the scenario's name]
    #[arg(short, long, value_name = "DIR")]
    pub output: Option<PathBuf>,
    /// Print the summary as JSON
    #[arg(long)]
    pub json: bool,
    /// Draw memory, response times and cold starts, as `faassim plot` does
    /// [default: plots.svg among the results]
    #[arg(long, value_name = "FILE", num_args = 0..=1)]
    pub plot: Option<Option<PathBuf>>,
}

/// Does what the arguments say.
///
/// # Errors
/// A usage error for a log that cannot be read, a run error if results cannot be written.
pub fn results(args: &ResultsArgs) -> Result<(), Error> {
    let ResultsCommand::Rebuild(args) = &args.command;
    let path = log_path(&args.log);
    let rebuilt = read(&path)?;
    let target = args.output.clone().unwrap_or_else(|| usual_target(&rebuilt.scenario.name));
    let plot = plot_target(args.plot.as_ref(), &target)?;
    let folder = Folder::create(&target)?;
    folder.adopt(&path, EVENTS, false)?;
    let told = write(folder, rebuilt)?;
    told.print(args.json)?;
    if !args.json {
        tell(&format!("results are in {}", target.display()));
    }
    if let Some(plot) = plot {
        draw_results(&target, &plot)?;
    }
    Ok(())
}

/// Where the results of a live run go unless told otherwise.
pub(super) fn usual_target(name: &str) -> PathBuf {
    Path::new("results").join(format!("{name}-live"))
}

/// Reads a log.
///
/// # Errors
/// A usage error if it cannot be read.
pub(super) fn read(path: &Path) -> Result<Rebuilt, Error> {
    rebuild(file(path)?).map_err(|damage| damaged(path, damage))
}

/// What there is to tell of a live run.
pub(super) struct Told {
    text: String,
    summary: serde_json::Value,
    warnings: Vec<String>,
}

impl Told {
    /// Prints it.
    ///
    /// # Errors
    /// Standard output cannot be written.
    pub fn print(&self, json: bool) -> Result<(), Error> {
        print(&if json { pretty(&self.summary)? } else { self.text.clone() })?;
        for warning in &self.warnings {
            tell(&format!("warning: {warning}"));
        }
        Ok(())
    }
}

/// Fills a folder, whose log is there already, and puts it in its place.
///
/// # Errors
/// A run error if something cannot be written.
pub(super) fn write(folder: Folder, rebuilt: Rebuilt) -> Result<Told, Error> {
    let told = told(&rebuilt);
    let Rebuilt { header, scenario, functions, memory, responses, rows, phases, .. } = rebuilt;
    let names: Vec<String> = header.functions.iter().map(|function| function.name.clone()).collect();
    folder.table("functions", &function_table(&functions))?;
    folder.table("memory", &memory_table(&memory))?;
    folder.table("responses", &response_table(&responses))?;
    folder.table("invocations", &live_invocation_table(rows, &names, &phases))?;
    let sets: String = header.overrides.iter().map(|set| format!(" --set {}", quoted(set))).collect();
    let manifest = Manifest {
        faassim: env!("CARGO_PKG_VERSION"),
        command: format!("faassim live {}{sets}", quoted(&header.scenario_file)),
        name: scenario.name.clone(),
        seed: scenario.seed,
        scenario_file: header.scenario_file,
        scenario: header.scenario,
        overrides: header.overrides,
        trace: TraceId {
            path: header.trace_path,
            sha256: header.trace_sha256,
            functions: names.len() as u64,
            invocations: header.trace_invocations,
        },
    };
    for (name, text) in [("summary.json", pretty(&told.summary)?), ("manifest.json", pretty(&manifest)?)] {
        folder.file(name, |out| out.write_all(text.as_bytes()))?;
    }
    folder.finish()?;
    Ok(told)
}

fn told(rebuilt: &Rebuilt) -> Told {
    let Rebuilt { header, scenario, replayed, summary, phases, .. } = rebuilt;
    let figures = phases.figures();
    let text = live_text(&heading(rebuilt), summary, &figures, replayed);
    let mut warnings = Vec::new();
    if let Some(difference) = &replayed.difference {
        warnings.push(format!(
            "replayed, the log leads to another order at its line {}: figures end there; see `faassim replay`",
            difference.line
        ));
    }
    if figures.dispatch_lag_ms.p95 > 10.0 {
        warnings.push(format!(
            "arrivals were sent late: 5 % by more than {:.0} ms; this machine does not carry the load",
            figures.dispatch_lag_ms.p95
        ));
    }
    let leftovers = replayed.ended.as_ref().map(|ended| ended.leftovers.clone()).unwrap_or_default();
    warnings.extend(
        leftovers.iter().map(|left| format!("left behind: {left}; `faassim live --cleanup` removes it")),
    );
    let (rules, eviction, keep_alive) = policies(rebuilt);
    let summary = serde_json::json!({
        "scenario": scenario.name,
        "seed": scenario.seed,
        "rules": rules,
        "eviction": eviction,
        "keep_alive": keep_alive,
        "live": {
            "backend": header.backend,
            "started": header.started,
            "machine": header.machine,
            "ended": replayed.ended,
            "replay_agrees": replayed.difference.is_none(),
            "measured": figures,
        },
        "summary": summary,
    });
    Told { text, summary, warnings }
}

fn policies(rebuilt: &Rebuilt) -> (&'static str, String, String) {
    match &rebuilt.scenario.engine {
        Engine::Pool(setup) => (setup.preset.name, setup.eviction.to_string(), setup.keep_alive.to_string()),
        // A log of it cannot be: it has no pool to tell anything.
        Engine::Artifact(policy) => ("published", policy.name().to_owned(), String::new()),
    }
}

fn heading(rebuilt: &Rebuilt) -> Heading {
    let Rebuilt { header, scenario, summary, .. } = rebuilt;
    let (rules, eviction, keep_alive) = policies(rebuilt);
    let sent = counted(summary.invocations, "invocation");
    let of = if summary.invocations == header.arrivals {
        String::new()
    } else {
        format!(" of {}", header.arrivals)
    };
    let lines = vec![
        format!("{}, {sent}{of} in real time", counted(header.functions.len() as u64, "function")),
        format!("pool {}, rules {rules}, seed {}", scenario.memory, scenario.seed),
        format!("eviction {eviction}, keep-alive {keep_alive}"),
        format!(
            "live on {}: {}, {} MiB",
            header.backend,
            counted(u64::from(header.machine.cpus), "processor"),
            header.machine.memory_mib
        ),
    ];
    Heading { name: scenario.name.clone(), question: scenario.question.clone(), lines }
}
