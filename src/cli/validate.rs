//! `faassim validate`: does the simulator tell the truth about this machine? Probe, live run, simulation, replay, comparison and report
//! in one go. Owns their order and where each leaves its results; each is a command of its own.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use clap::Args;

use super::calibrate::probe::probe;
use super::calibrate::written;
use super::compare::diverging::{decisions, of_scenario};
use super::compare::{COMPARISON, text, verdict};
use super::files::write_whole;
use super::live::{Commands, listen, record};
use super::replay::{damaged, file, log_path};
use super::report::writable;
use super::run::{load, pretty, quoted, run_quietly};
use super::{print, tell};
use crate::compare::simulated::{Sending, simulated};
use crate::compare::{self, Comparison, Options, Side, logged};
use crate::error::{Diagnostic, Error};
use crate::eventlog::{Rebuilt, rebuild};
use crate::results::page::{Page, RunView};
use crate::results::{comparison_view, counted};
use crate::scenario::{CompareSpec, Engine, Override, Scenario};
use crate::sim::ReplayError;

/// Hold the simulator against this machine: probe, live run, simulation, replay, comparison and report
///
/// Costs are measured by a short probe, then the scenario is run live. The prediction is made with the probe's costs (what the
/// scenario itself states of costs overrides them), a number of times with other random numbers. The live run's log must replay without any difference. Limits come from [compare]
/// in the scenario; without any, the cold ratio may be 1 percentage point apart, the median response 10 % and its 95th percentile
/// 20 %. Exit code 1 when one is exceeded.
#[derive(Args, Debug)]
pub struct ValidateArgs {
    /// The scenario, a TOML file
    pub file: PathBuf,
    /// Set a value of the scenario, for example pool.memory="1 GiB"; may be repeated
    #[arg(long, value_name = "PATH=VALUE")]
    pub set: Vec<Override>,
    /// Take costs from this file instead of probing
    #[arg(long, value_name = "FILE")]
    pub costs: Option<PathBuf>,
    /// Take this live run of the scenario (its results folder or event log) instead of a new one
    #[arg(long, value_name = "RUN")]
    pub live: Option<PathBuf>,
    /// How many simulations the prediction is made of
    #[arg(long, value_name = "NUMBER", default_value = "20", value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub seeds: u32,
    /// Where results go [default: results/NAME-validation, with the scenario's name]
    #[arg(short, long, value_name = "DIR")]
    pub output: Option<PathBuf>,
    /// Print everything as JSON
    #[arg(long)]
    pub json: bool,
}

/// The page in the results folder.
const REPORT: &str = "report.html";

/// The limits where a scenario has none.
const LIMITS: [(&str, &str); 3] = [("cold-ratio-pp", "1"), ("p50-pct", "10"), ("p95-pct", "20")];

/// Does it all.
///
/// # Errors
/// A usage error for a wrong scenario or file; a run error if a part fails, the log does not replay or a limit is exceeded.
pub fn validate(args: &ValidateArgs) -> Result<(), Error> {
    let mut commands = listen();
    // Costs come later: the file that the scenario names may not be there yet.
    let plain = load_with(args, &Override::new("costs", "{}"))?;
    if let Engine::Artifact(_) = &plain.engine {
        let wrong = Diagnostic::new("[faascache-artifact] cannot be validated: it is no pool");
        return Err(Error::usage(wrong.at(args.file.display().to_string())));
    }
    let usual = || Path::new("results").join(format!("{}-validation", plain.name));
    let target = args.output.clone().unwrap_or_else(usual);
    fs::create_dir_all(&target).map_err(|error| cannot_write(&target, &error))?;
    claim(&target)?;
    let costs = costs(args, &target, &mut commands)?;
    let with_costs =
        Override::new("costs.from", toml_edit::Value::from(costs.display().to_string()).to_string());
    let scenario = load_with(args, &with_costs)?;
    let live = live_run(args, &scenario, &target, &mut commands)?;
    let rebuilt = rebuild(file(&live)?).map_err(|damage| damaged(&live, damage))?;
    check_same(&scenario, &rebuilt, &live)?;
    let found = compared(args, &scenario, &rebuilt, &live, &with_costs)?;
    let told = summary(&rebuilt, args, &own_costs(&plain.text, &args.set));
    write(args, &target, &found, &with_costs, &live)?;
    print(&if args.json { pretty(&found)? } else { format!("{told}\n{}", text(&found, 10)) })?;
    if !args.json {
        tell(&format!("results are in {}", target.display()));
    }
    match &rebuilt.replayed.difference {
        Some(difference) => {
            let differs =
                Diagnostic::new("the log of the live run does not replay: another order is given here");
            Err(Error::run(differs.at(format!("{}:{}", live.display(), difference.line))))
        }
        None => verdict(&found),
    }
}

/// What will be written into the folder at last must not take the place of something else.
fn claim(target: &Path) -> Result<(), Error> {
    let json = target.join(COMPARISON);
    let is_ours = |text: String| text.contains("\"differences\"");
    if fs::read_to_string(&json).is_ok_and(|text| !is_ours(text)) {
        let there = Diagnostic::new("is there already, and is no comparison").at(json.display().to_string());
        return Err(Error::usage(there.help("name another folder with -o, or remove it first")));
    }
    writable(&target.join(REPORT))
}

fn load_with(args: &ValidateArgs, costs: &Override) -> Result<Scenario, Error> {
    Scenario::load(&args.file, &sets(args, costs))
}

fn sets(args: &ValidateArgs, costs: &Override) -> Vec<Override> {
    args.set.iter().chain([costs]).cloned().collect()
}

/// What the scenario and the user say of costs themselves, which goes before what is measured.
fn own_costs(scenario: &str, sets: &[Override]) -> Vec<String> {
    // It has been read as TOML before.
    let document: toml_edit::DocumentMut = scenario.parse().unwrap_or_default();
    let table = document.get("costs").and_then(|costs| costs.as_table_like());
    let mut own: Vec<String> =
        table.into_iter().flat_map(|table| table.iter()).map(|(key, _)| key.to_owned()).collect();
    own.extend(sets.iter().filter_map(|set| set.path().strip_prefix("costs.").map(str::to_owned)));
    own.retain(|key| key != "from");
    own
}

fn cannot_write(path: &Path, error: &std::io::Error) -> Error {
    Error::run(Diagnostic::new(format!("cannot be written: {error}")).at(path.display().to_string()))
}

/// The costs file: probed, unless one is given. As an absolute path, since scenarios look from their own folder.
fn costs(args: &ValidateArgs, target: &Path, commands: &mut Commands) -> Result<PathBuf, Error> {
    let path = match &args.costs {
        Some(given) => given.clone(),
        None => {
            let path = target.join("costs.toml");
            let sets: String =
                args.set.iter().map(|set| format!(" --set {}", quoted(&set.to_string()))).collect();
            let command =
                format!("faassim calibrate live --probe {}{sets}", quoted(&args.file.display().to_string()));
            let (samples, provenance) =
                probe(&args.file, &args.set, Some(&target.join("probe")), true, command, commands)?;
            written::write(&path, &samples, &provenance)?;
            tell(&format!("costs are in {}", path.display()));
            path
        }
    };
    fs::canonicalize(&path).map_err(|error| {
        let cannot = Diagnostic::new(format!("cannot be read: {error}")).at(path.display().to_string());
        Error::usage(cannot.help("`faassim calibrate live` writes a costs file"))
    })
}

/// The event log of the live run.
fn live_run(
    args: &ValidateArgs,
    scenario: &Scenario,
    target: &Path,
    commands: &mut Commands,
) -> Result<PathBuf, Error> {
    if let Some(given) = &args.live {
        return Ok(log_path(given));
    }
    let folder = target.join("live");
    record(scenario, &folder, commands)?;
    Ok(log_path(&folder))
}

/// A live run of something else says nothing about this scenario.
fn check_same(scenario: &Scenario, rebuilt: &Rebuilt, live: &Path) -> Result<(), Error> {
    let theirs = &rebuilt.scenario;
    let differs = [
        ("pool.memory", scenario.memory.to_string(), theirs.memory.to_string()),
        ("live.speed", scenario.live.speed.to_string(), theirs.live.speed.to_string()),
    ];
    let first = differs.into_iter().find(|(_, mine, its)| mine != its);
    match first {
        None => Ok(()),
        Some((key, mine, its)) => {
            let wrong = Diagnostic::new(format!("is a run with {key} = {its}, but the scenario has {mine}"));
            let help = "set it with --set, or name another run";
            Err(Error::usage(wrong.at(live.display().to_string()).help(help)))
        }
    }
}

/// The predictions against the live run.
fn compared(
    args: &ValidateArgs,
    scenario: &Scenario,
    rebuilt: &Rebuilt,
    live: &Path,
    costs: &Override,
) -> Result<Comparison, Error> {
    let trace = load(scenario)?;
    let mut sides: Vec<Side> = Vec::with_capacity(args.seeds as usize);
    for nth in 0..u64::from(args.seeds) {
        let mut all = sets(args, costs);
        all.push(Override::new("seed", (scenario.seed + nth).to_string()));
        let scenario = Scenario::load(&args.file, &all)?;
        let Engine::Pool(setup) = &scenario.engine else { continue };
        let label = format!("{} with seed {}", args.file.display(), scenario.seed);
        let found = simulated(&label, &scenario, setup, &trace, Sending::AsLive, &mut ());
        sides.push(found.map_err(|error| unfit(&scenario, &error))?.side);
    }
    let measured = logged::logged(&live.display().to_string(), rebuilt);
    let options = Options { limits: limits(scenario)?, different_workloads: false };
    let mut found =
        compare::compare(&sides, std::slice::from_ref(&measured), &options).map_err(Error::usage)?;
    found.divergence = of_scenario(scenario, live, &rebuilt.scenario, &decisions(&measured))?;
    Ok(found)
}

fn unfit(scenario: &Scenario, error: &ReplayError) -> Error {
    match error {
        ReplayError::Stopped => super::run::stopped(),
        ReplayError::Unfit(why) => Error::usage(Diagnostic::new(why).at(scenario.file.display().to_string())),
    }
}

/// Those of the scenario, or the usual ones.
fn limits(scenario: &Scenario) -> Result<CompareSpec, Error> {
    if !scenario.compare.is_empty() {
        return Ok(scenario.compare.clone());
    }
    let usual = LIMITS.map(|(key, value)| Override::new(format!("compare.{key}"), value));
    CompareSpec::from_overrides(&usual)
}

/// What was done, before the figures.
fn summary(rebuilt: &Rebuilt, args: &ValidateArgs, own_costs: &[String]) -> String {
    let header = &rebuilt.header;
    let replayed = &rebuilt.replayed;
    let agree = if replayed.difference.is_some() { "DIFFERS" } else { "all agree" };
    let mut costs = match &args.costs {
        Some(file) => format!("of {}", file.display()),
        None => "as probed".to_owned(),
    };
    if !own_costs.is_empty() {
        costs
            .push_str(&format!("\n  but [costs] of the scenario goes before them: {}", own_costs.join(", ")));
    }
    format!(
        "{}\n  live on {}, {}\n  replay of its log: {} told, {} compared: {agree}\n  predicted by {}, costs {costs}\n",
        rebuilt.scenario.name,
        header.backend,
        counted(header.machine.cpus.into(), "processor"),
        counted(replayed.facts, "fact"),
        counted(replayed.orders, "order"),
        counted(args.seeds.into(), "simulation"),
    )
}

/// The comparison and the report; the simulation's own results where live mode sends what the trace says, when it says it.
fn write(
    args: &ValidateArgs,
    target: &Path,
    found: &Comparison,
    costs: &Override,
    live: &Path,
) -> Result<(), Error> {
    let json = target.join(COMPARISON);
    let text = pretty(found)?;
    write_whole(&json, |out| out.write_all(text.as_bytes()))?;
    let mut runs = Vec::new();
    let scenario = load_with(args, costs)?;
    let spec = &scenario.live;
    if spec.speed == 1.0 && spec.limit.is_none() && spec.duration.is_none() {
        let folder = target.join("simulated");
        run_quietly(&args.file, &sets(args, costs), &folder)?;
        runs.push(RunView::read(&folder)?);
    }
    let folder = live.parent().filter(|folder| folder.join("summary.json").is_file());
    if let Some(folder) = folder {
        runs.push(RunView::read(folder)?);
    }
    let title = Some(format!("{}: simulated and live", scenario.name));
    let page = Page { title, runs, comparisons: vec![comparison_view(found)] };
    write_whole(&target.join(REPORT), |out| out.write_all(page.html().as_bytes()))
}
