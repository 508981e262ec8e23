//! `faassim sweep`: many runs of one scenario, and one table of them. Owns its arguments, progress and messages; which
//! runs there are and how they are done is `sweep`'s.

use std::env;
use std::num::NonZero;
use std::path::{Path, PathBuf};
use std::thread;

use clap::Args;

use super::plot::{draw_results, plot_target};
use super::progress::{Meter, catch_interrupts, interrupted, pace};
use super::run::quoted;
use super::{print, sweep_text, tell};
use crate::error::{Diagnostic, Error, Kind};
use crate::results::{counted, thousands};
use crate::scenario::{Axis, Base, Override};
use crate::sweep::{AxisRecord, Event, Folder, Known, Manifest, Outcome, Plan, Shard, Standing, execute};

/// Run a scenario over a grid of values, and write one table with a row per run
///
/// What is varied stands in [sweep] of the scenario, or in the options below, whose values are lists such as
/// "1 GiB,2 GiB,4 GiB" or ranges such as "1 GiB..80 GiB / 500 MB". An interrupted sweep goes on when the same command is
/// given again. In a Slurm job array or a Kubernetes Indexed Job, each task does its part; `faassim merge` puts the parts
/// together.
#[derive(Args, Debug)]
pub struct SweepArgs {
    /// The scenario, a TOML file
    pub file: PathBuf,
    /// Memory of the pool
    #[arg(long, value_name = "VALUES", value_delimiter = ',')]
    pub memory: Vec<String>,
    /// Eviction policies by name
    #[arg(long, value_name = "NAMES", value_delimiter = ',')]
    pub eviction: Vec<String>,
    /// Keep-alive policies by name
    #[arg(long, value_name = "NAMES", value_delimiter = ',')]
    pub keep_alive: Vec<String>,
    /// Seeds, for example 1..10
    #[arg(long, value_name = "VALUES", value_delimiter = ',')]
    pub seeds: Vec<String>,
    /// Set a value of every run, for example rules.preset=ideal; may be repeated
    #[arg(long, value_name = "PATH=VALUE")]
    pub set: Vec<Override>,
    /// Runs at the same time [default: one per core]
    #[arg(long, value_name = "N")]
    pub threads: Option<NonZero<u16>>,
    /// Do only the I-th of N parts [default: what Slurm or Kubernetes say, else all]
    #[arg(long, value_name = "I/N")]
    pub shard: Option<Shard>,
    /// Draw the runs, as `faassim plot` does [default: plots.svg among the results]
    #[arg(long, value_name = "FILE", num_args = 0..=1)]
    pub plot: Option<Option<PathBuf>>,
    /// Print the rows as JSON
    #[arg(long)]
    pub json: bool,
    /// Where results go [default: results/NAME-sweep, with the scenario's name]
    #[arg(short, long, value_name = "DIR")]
    pub output: Option<PathBuf>,
}

/// Does the runs that are not done yet.
///
/// # Errors
/// A usage error for a wrong scenario or grid, a run error if a run failed or results cannot be written, or that the user
/// stopped it.
pub fn sweep(args: &SweepArgs) -> Result<(), Error> {
    let plan = Plan::new(Base::load(&args.file, &args.set, axes(args)?)?)?;
    let shard = shard(args)?;
    let mut manifest = manifest(args, &plan, shard);
    let target = args.output.clone().unwrap_or_else(|| usual_target(&manifest.name, shard));
    let plot = plot_target(args.plot.as_ref(), &target)?;
    let (mut folder, before) = Folder::open(&target, &manifest)?;
    let known = Known::new(before, plan.id());
    catch_interrupts();
    let mut outcome = run(args, &plan, shard, &known, &mut folder)?;
    sweep_text::sort(&mut outcome.rows);
    if has_more(&outcome, shard) {
        // Other parts were done in the same folder: it is no part any more.
        manifest = self::manifest(args, &plan, Shard::ALL);
    }
    manifest.traces = outcome.traces.clone();
    let mut rows = [outcome.rows.as_slice(), &outcome.others].concat();
    sweep_text::sort(&mut rows);
    folder.manifest(&manifest)?;
    folder.tables(&rows)?;
    print(&if args.json { sweep_text::json(&rows)? } else { sweep_text::text(&manifest, &rows) })?;
    tell_reused(outcome.standing);
    sweep_text::warnings(&rows).iter().for_each(|warning| tell(&format!("warning: {warning}")));
    if !args.json {
        tell(&format!("results are in {}", target.display()));
    }
    if outcome.is_stopped {
        let left = counted(outcome.left as u64, "run");
        let diagnostic = Diagnostic::new(format!("stopped by Ctrl-C with {left} left to do"));
        return Err(Error::interrupted(diagnostic.help("the same command goes on from here")));
    }
    let drawn = plot.map_or(Ok(()), |plot| draw_results(&target, &plot));
    both(sweep_text::refuse_failed(&outcome.rows), drawn)
}

/// Whether there are rows of runs that are not of this part.
fn has_more(outcome: &Outcome, shard: Shard) -> bool {
    outcome.others.iter().filter_map(sweep_text::number).any(|run| !shard.has(run as usize - 1))
}

/// What is wrong with the runs and with the plot of them.
fn both(runs: Result<(), Error>, plot: Result<(), Error>) -> Result<(), Error> {
    let found: Vec<Diagnostic> =
        [runs, plot].into_iter().filter_map(Result::err).flat_map(Error::into_diagnostics).collect();
    // Runs that were done are no wrong command, whatever can be drawn of them.
    if found.is_empty() { Ok(()) } else { Err(Error::new(Kind::Run, found)) }
}

/// Where results go if nothing is said.
pub(super) fn usual_target(name: &str, shard: Shard) -> PathBuf {
    let part = match shard {
        Shard::ALL => String::new(),
        Shard { index, count } => format!("-shard-{index}-of-{count}"),
    };
    Path::new("results").join(format!("{name}-sweep{part}"))
}

fn axes(args: &SweepArgs) -> Result<Vec<Axis>, Error> {
    let given = [
        ("memory", "pool.memory", &args.memory),
        ("eviction", "eviction", &args.eviction),
        ("keep-alive", "keep-alive", &args.keep_alive),
        ("seeds", "seed", &args.seeds),
    ];
    let given = given.into_iter().filter(|(_, _, values)| !values.is_empty());
    given.map(|(option, path, values)| Axis::from_option(option, path, values)).collect()
}

fn shard(args: &SweepArgs) -> Result<Shard, Error> {
    if let Some(shard) = args.shard {
        return Ok(shard);
    }
    let Some((shard, variable)) = Shard::from_variables(|name| env::var(name).ok()).map_err(Error::usage)?
    else {
        return Ok(Shard::ALL);
    };
    tell(&format!("note: this is part {shard}, says {variable}; --shard 1/1 would do all"));
    Ok(shard)
}

fn manifest(args: &SweepArgs, plan: &Plan, shard: Shard) -> Manifest {
    let base = plan.base();
    let mut command = format!("faassim sweep {}", quoted(&base.file().display().to_string()));
    for (option, values) in [
        ("memory", &args.memory),
        ("eviction", &args.eviction),
        ("keep-alive", &args.keep_alive),
        ("seeds", &args.seeds),
    ] {
        if !values.is_empty() {
            command += &format!(" --{option} {}", quoted(&values.join(",")));
        }
    }
    let overrides: Vec<String> = base.sets().iter().map(ToString::to_string).collect();
    for set in &overrides {
        command += &format!(" --set {}", quoted(set));
    }
    let shard = (shard != Shard::ALL).then(|| shard.to_string());
    if let Some(shard) = &shard {
        command += &format!(" --shard {shard}");
    }
    Manifest {
        faassim: env!("CARGO_PKG_VERSION").to_owned(),
        command,
        name: plan.first().name.clone(),
        question: plan.first().question.clone(),
        scenario_file: base.file().display().to_string(),
        scenario: base.text().to_owned(),
        overrides,
        axes: base.axes().iter().map(AxisRecord::from).collect(),
        runs: plan.grid().len(),
        grid: plan.id().to_owned(),
        shard,
        traces: Vec::new(),
    }
}

fn run(
    args: &SweepArgs,
    plan: &Plan,
    shard: Shard,
    known: &Known,
    folder: &mut Folder,
) -> Result<Outcome, Error> {
    let cores = || thread::available_parallelism().map_or(1, NonZero::get);
    let threads = args.threads.map_or_else(cores, |threads| usize::from(threads.get()));
    let mut meter = Meter::default();
    let mut on = |event: Event<'_>| {
        match event {
            Event::Note(note) => {
                meter.clear();
                tell(&format!("note: {note}"));
            }
            Event::Finished(line) => folder.append(line)?,
            Event::Progress(standing) => {
                let elapsed = meter.elapsed();
                meter.show(standing.invocations, standing.expected, || progress(standing, elapsed));
            }
        }
        Ok(())
    };
    execute(plan, &shard.runs(plan.grid().len()), threads, known, &|| !interrupted(), &mut on)
}

/// `12 of 280 runs, 1 failed, 5,100,000 a second, 40 s left`.
fn progress(standing: &Standing, elapsed: std::time::Duration) -> String {
    let failed = if standing.failed > 0 { format!(", {} failed", standing.failed) } else { String::new() };
    let pace = pace(standing.invocations, standing.expected, elapsed);
    format!("{} of {}{failed}, {pace}", standing.done, counted(standing.runs as u64, "run"))
}

fn tell_reused(standing: Standing) {
    let Standing { runs, done, reused, .. } = standing;
    let there = |runs: usize| {
        let were = if runs == 1 { "was" } else { "were" };
        format!("{} {were} there already", counted(runs as u64, "run"))
    };
    if runs == 0 {
        tell("nothing was left to do: there are no runs in this part");
    } else if reused == runs {
        tell(&format!("nothing was left to do: {}", there(runs)));
    } else if reused > 0 {
        tell(&format!("{}, {} done now", there(reused), thousands((done - reused) as u64)));
    }
}
