//! `faassim curve`: how many starts are warm with how much memory, how far that is from what is possible, and
//! how much memory is enough. Owns its arguments and where results go; the curves are `curve`'s.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::Mutex;

use clap::Args;

use super::plot::{draw_results, plot_target};
use super::progress::{Meter, catch_interrupts, interrupted};
use super::run::{held, load, manifest, pretty, quoted, stopped, trace_line};
use super::{print, tell};
use crate::curve::exact::Worker;
use crate::curve::{Axis, Failure, Request, Sampling, Study, Watch, study};
use crate::error::{Diagnostic, Error};
use crate::policy::EvictionPolicy;
use crate::results::{Folder, Heading, curve_json, curve_table, curve_text, thousands};
use crate::scenario::{Choice, Engine, Override, PoolSetup, Registered, Scenario, find_policy};
use crate::suggest::nearest;
use crate::trace::Trace;

/// Warm starts against memory: policies, estimates and bounds
#[derive(Args, Debug)]
pub struct CurveArgs {
    /// The scenario, a TOML file; its pool.memory does not matter
    pub file: PathBuf,
    /// Memory sizes: "1 GiB..80 GiB / 4 GiB", "1 GiB..80 GiB * 2", "1 GiB..80 GiB" or "8 GiB, 16 GiB" [default: from the largest
    /// function to what the trace needs]
    #[arg(long, value_name = "SIZES")]
    pub memory: Option<Axis>,
    /// Eviction policies to simulate, separated by commas [default: the scenario's, lru, greedy-dual]
    #[arg(long, value_name = "NAMES", value_delimiter = ',')]
    pub eviction: Vec<String>,
    /// How many memory sizes, where --memory leaves it open
    #[arg(long, value_name = "N", default_value_t = 24)]
    #[arg(value_parser = clap::value_parser!(u64).range(2..=1000))]
    pub points: u64,
    /// Part of the functions in a SHARDS sample, 0 for no sample [default: 0.1 if that is 20 invoked functions
    /// or more]
    #[arg(long, value_name = "RATE", value_parser = rate)]
    pub shards_rate: Option<f64>,
    /// Part of the functions in a miniature simulation, 0 for none [default: 0.1 if that is 20 invoked functions
    /// or more]
    #[arg(long, value_name = "RATE", value_parser = rate)]
    pub mini_rate: Option<f64>,
    /// How many samples are taken of either kind
    #[arg(long, value_name = "N", default_value_t = 5)]
    #[arg(value_parser = clap::value_parser!(u64).range(1..=100))]
    pub repeats: u64,
    /// Also tell how much memory makes so many invocations warm, for example 90%
    #[arg(long, value_name = "PERCENT")]
    pub provision: Option<Percent>,
    /// Set a value of the scenario, for example rules.preset=ideal; may be repeated
    #[arg(long, value_name = "PATH=VALUE")]
    pub set: Vec<Override>,
    /// Print all figures as JSON
    #[arg(long)]
    pub json: bool,
    /// Where results go [default: results/NAME-curve, with the scenario's name]
    #[arg(short, long, value_name = "DIR")]
    pub output: Option<PathBuf>,
    /// Write nothing, only print
    #[arg(long, conflicts_with_all = ["output", "plot"])]
    pub no_results: bool,
    /// Draw all curves, as `faassim plot` does [default: plots.svg among the results]
    #[arg(long, value_name = "FILE", num_args = 0..=1)]
    pub plot: Option<Option<PathBuf>>,
    /// How many threads simulate [default: one per core]; results do not depend on it
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=1024))]
    pub threads: Option<u64>,
}

/// A part of the invocations in %, above 0 and at most 100.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Percent(f64);

impl FromStr for Percent {
    type Err = String;

    /// Reads `90%`, `99.5 %`.
    fn from_str(text: &str) -> Result<Percent, String> {
        let Some(number) = text.trim().strip_suffix('%') else {
            return Err(format!("`{text}` has no unit; write for example `90%`"));
        };
        match number.trim().parse::<f64>() {
            Ok(percent) if percent > 0.0 && percent <= 100.0 => Ok(Percent(percent)),
            Ok(_) => Err(format!("`{text}` is not above 0% and at most 100%")),
            Err(_) => Err(format!("`{text}` does not start with a number; write for example `90%`")),
        }
    }
}

/// A sampling rate from 0 to 1.
fn rate(text: &str) -> Result<f64, String> {
    match text.trim().parse::<f64>() {
        Ok(rate) if (0.0..=1.0).contains(&rate) => Ok(rate),
        Ok(_) => {
            Err(format!("`{text}` is not from 0 to 1; write for example 0.1 for a tenth of the functions"))
        }
        Err(_) => Err(format!("`{text}` is no number; write for example 0.1 for a tenth of the functions")),
    }
}

/// Takes the curves.
///
/// # Errors
/// A usage error for a wrong scenario, trace or option, a run error if results cannot be written.
pub fn curve(args: &CurveArgs) -> Result<(), Error> {
    let scenario = Scenario::load(&args.file, &args.set)?;
    let Engine::Pool(setup) = &scenario.engine else {
        let message = "[faascache-artifact] has no curves: they are of the pool's eviction policies";
        let help = "remove the table, or set rules.preset and eviction in another scenario";
        return Err(Error::usage(
            Diagnostic::new(message).at(scenario.file.display().to_string()).help(help),
        ));
    };
    if !scenario.sweep.is_empty() {
        tell("note: [sweep] is left out, these are curves of one scenario; `faassim sweep` runs all of them");
    }
    if scenario.elastic.is_some() {
        tell("note: [pool.elastic] is left out, curves are of amounts of memory that stay");
    }
    let evictions = policies(args, setup)?;
    // Targets are claimed first: nobody should wait for curves that have no place to go.
    let name = format!("{}-curve", scenario.name);
    let target = args.output.clone().unwrap_or_else(|| Path::new("results").join(&name));
    if !args.no_results && target.join("summary.json").exists() && !target.join("curve.csv").exists() {
        return Err(held(&target, "the results of a run, which curves would replace"));
    }
    let plot = plot_target(args.plot.as_ref(), &target)?;
    let folder = if args.no_results { None } else { Some(Folder::create(&target)?) };
    catch_interrupts();
    let trace = load(&scenario)?;
    let request = request(args, evictions);
    let study = take(args, &scenario, setup, &trace, &request)?;
    let summary = summary(&scenario, setup, &study, args);
    let heading = heading(&scenario, setup, &trace, &study);
    if let Some(folder) = folder {
        folder.table("curve", &curve_table(&study))?;
        let overrides: Vec<String> = args.set.iter().map(ToString::to_string).collect();
        let command = command(args, &scenario, &overrides);
        let manifest = manifest(&scenario, &trace, name, command, overrides);
        for (name, text) in [("summary.json", pretty(&summary)?), ("manifest.json", pretty(&manifest)?)] {
            folder.file(name, |out| out.write_all(text.as_bytes()))?;
        }
        folder.finish()?;
    }
    let provision = args.provision.map(|percent| percent.0);
    let rest = if args.no_results { "with --json" } else { "in curve.csv" };
    print(&if args.json { pretty(&summary)? } else { curve_text(&heading, &study, provision, rest) })?;
    study.notes.iter().for_each(|note| tell(&format!("note: {note}")));
    if !args.no_results && !args.json {
        tell(&format!("results are in {}", target.display()));
    }
    plot.map_or(Ok(()), |plot| draw_results(&target, &plot))
}

/// The eviction policies that were asked for; the scenario's own with its parameters.
fn policies(args: &CurveArgs, setup: &PoolSetup) -> Result<Vec<Choice<EvictionPolicy>>, Error> {
    let own = setup.eviction.policy.name;
    let names: Vec<&str> = match args.eviction.as_slice() {
        [] => vec![own, "lru", "greedy-dual"],
        names => names.iter().map(|name| name.trim()).collect(),
    };
    let mut choices: Vec<Choice<EvictionPolicy>> = Vec::new();
    for name in names {
        if choices.iter().any(|choice| choice.policy.name == name) {
            if args.eviction.is_empty() {
                continue;
            }
            let help = "name every policy once";
            let message = format!("eviction policy `{name}` is given twice");
            return Err(Error::usage(Diagnostic::new(message).at("--eviction").help(help)));
        }
        let Some(policy) = find_policy::<EvictionPolicy>(name) else {
            let known = EvictionPolicy::ALL.iter().map(|policy| policy.name);
            let near =
                nearest(name, known).map_or_else(String::new, |near| format!("did you mean `{near}`? "));
            let message = format!("unknown eviction policy `{name}`");
            let help = format!("{near}`faassim policies` lists all");
            return Err(Error::usage(Diagnostic::new(message).at("--eviction").help(help)));
        };
        let params = if name == own { setup.eviction.params.clone() } else { Vec::new() };
        choices.push(Choice { policy, params });
    }
    Ok(choices)
}

fn request(args: &CurveArgs, evictions: Vec<Choice<EvictionPolicy>>) -> Request {
    let sampling = |given: Option<f64>| match given {
        None => Sampling::Usual,
        Some(rate) if rate > 0.0 => Sampling::Given(rate),
        Some(_) => Sampling::Off,
    };
    Request {
        axis: args.memory.clone(),
        points: args.points as usize,
        evictions,
        shards: sampling(args.shards_rate),
        mini: sampling(args.mini_rate),
        repeats: args.repeats,
        provision: args.provision.map(|percent| percent.0),
    }
}

/// Shows how far all threads together are.
struct Shared {
    total: u64,
    state: Mutex<(u64, Meter)>,
}

impl Watch for Shared {
    fn proceed(&self, more: u64) -> bool {
        // A thread that panicked leaves at worst a wrong number behind.
        let mut state = self.state.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let (done, meter) = &mut *state;
        *done += more;
        let rate = *done as f64 / meter.elapsed().as_secs_f64().max(1e-3);
        let text =
            format!("{} invocations in all runs, {} a second", thousands(*done), thousands(rate as u64));
        meter.show(*done, self.total.max(*done), || text);
        !interrupted()
    }
}

/// About how many invocations are worked on, with `invocations` of so many functions in the trace.
fn work(request: &Request, functions: u64, invocations: u64) -> u64 {
    let points = request.axis.as_ref().map_or(request.points, |axis| axis.memories(request.points).len());
    let miniatures = request.mini.rate(functions).unwrap_or(0.0) * request.repeats as f64;
    // One run without limit, three passes over the arrivals, the policies and the one that knows the future.
    let times = 4.0 + points as f64 * (request.evictions.len() as f64 + 1.0 + miniatures);
    (invocations as f64 * times) as u64
}

fn take(
    args: &CurveArgs,
    scenario: &Scenario,
    setup: &PoolSetup,
    trace: &Trace,
    request: &Request,
) -> Result<Study, Error> {
    let threads = args.threads.unwrap_or(0) as usize;
    let pool = rayon::ThreadPoolBuilder::new()
        .num_threads(threads)
        .build()
        .map_err(|error| Error::run(format!("cannot start {threads} threads: {error}")))?;
    let window = scenario.trace.window;
    let total = work(request, trace.functions.len() as u64, trace.count(window));
    let watch = Shared { total, state: Mutex::new((0, Meter::default())) };
    let worker = Worker { scenario, setup, trace, window, watch: &watch };
    pool.install(|| study(&worker, request)).map_err(|failure| match failure {
        Failure::Stopped => stopped(),
        Failure::Unfit(why) => Error::usage(Diagnostic::new(why).at(scenario.file.display().to_string())),
    })
}

fn heading(scenario: &Scenario, setup: &PoolSetup, trace: &Trace, study: &Study) -> Heading {
    let lines = vec![
        trace_line(scenario, trace, study.invocations),
        format!("rules {}, keep-alive {}, seed {}", setup.preset.name, setup.keep_alive, scenario.seed),
        format!("without limit, at most {:.2} GiB are held", study.need.mib() as f64 / 1_024.0),
    ];
    Heading { name: scenario.name.clone(), question: None, lines }
}

fn summary(scenario: &Scenario, setup: &PoolSetup, study: &Study, args: &CurveArgs) -> serde_json::Value {
    serde_json::json!({
        "scenario": scenario.name,
        "seed": scenario.seed,
        "rules": setup.preset.name,
        "keep_alive": setup.keep_alive.to_string(),
        "provision_pct": args.provision.map(|percent| percent.0),
        "summary": curve_json(study),
    })
}

/// The command that makes the same results again; what does not change them is left out.
fn command(args: &CurveArgs, scenario: &Scenario, overrides: &[String]) -> String {
    let mut command = format!("faassim curve {}", quoted(&scenario.file.display().to_string()));
    let mut option = |name: &str, value: Option<String>| {
        if let Some(value) = value {
            command += &format!(" --{name} {}", quoted(&value));
        }
    };
    overrides.iter().for_each(|set| option("set", Some(set.clone())));
    option("memory", args.memory.as_ref().map(ToString::to_string));
    option("eviction", (!args.eviction.is_empty()).then(|| args.eviction.join(",")));
    option("points", Some(args.points.to_string()));
    option("shards-rate", args.shards_rate.map(|rate| rate.to_string()));
    option("mini-rate", args.mini_rate.map(|rate| rate.to_string()));
    option("repeats", Some(args.repeats.to_string()));
    option("provision", args.provision.map(|percent| format!("{}%", percent.0)));
    command
}
