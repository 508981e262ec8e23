//! `faassim live`: replays a trace in real time against real containers, or tells what that would be. Owns its
//! arguments and what is made ready and told beforehand; the run itself is `live`'s.

mod backends;
mod conduct;

pub(super) use conduct::listen;

use std::path::{Path, PathBuf};

use clap::Args;

use super::results::usual_target;
use super::run::{held, load, trace_line};
use super::{print, tell};
use crate::error::{Diagnostic, Error};
use crate::live::actions::Actions;
use crate::live::load::{LoadFigures, arrivals_by_function};
use crate::live::plan::Plan;
use crate::live::preview::{Machine, Preview};
use crate::live::probe::Probe;
use crate::results::{Heading, heading_text};
use crate::scenario::{BackendChoice, Engine, Failures, Override, PoolSetup, Scenario};
use crate::sim::{CostModel, check_fit};
use crate::trace::Trace;

/// Replay a trace in real time against real containers, and print what came of it
#[derive(Args, Debug)]
pub struct LiveArgs {
    /// The scenario, a TOML file; [live] in it says how
    #[arg(required_unless_present = "cleanup")]
    pub file: Option<PathBuf>,
    /// Set a value of the scenario, for example live.drain="10 s"; may be repeated
    #[arg(long, value_name = "PATH=VALUE")]
    pub set: Vec<Override>,
    /// What runs the containers: docker, process, or auto (live.backend)
    #[arg(long, value_name = "NAME")]
    pub backend: Option<String>,
    /// How many seconds of the trace go by in one (live.speed)
    #[arg(long, value_name = "FACTOR")]
    pub speed: Option<String>,
    /// At most so many arrivals (live.limit)
    #[arg(long, value_name = "NUMBER")]
    pub limit: Option<String>,
    /// Only arrivals within so much of the trace's time after the first, for example "10 min" (live.duration)
    #[arg(long, value_name = "SPAN")]
    pub duration: Option<String>,
    /// Start nothing: tell who would run what, and whether this machine can carry it
    #[arg(long)]
    pub dry_run: bool,
    /// Remove what runs that were killed have left, before anything else
    #[arg(long, conflicts_with = "dry_run")]
    pub cleanup: bool,
    /// Where results go [default: results/NAME-live, with the scenario's name]
    #[arg(short, long, value_name = "DIR", conflicts_with = "dry_run")]
    pub output: Option<PathBuf>,
    /// Print the summary as JSON
    #[arg(long, conflicts_with = "dry_run")]
    pub json: bool,
    /// Where the event log goes, which is written as things happen [default: among the results]
    #[arg(long, value_name = "FILE", conflicts_with = "dry_run")]
    pub events: Option<PathBuf>,
}

impl LiveArgs {
    /// What the scenario is changed by: options go last, being shorter to type and so more likely meant.
    fn overrides(&self) -> Vec<Override> {
        let options = [
            ("backend", "live.backend", &self.backend),
            ("speed", "live.speed", &self.speed),
            ("limit", "live.limit", &self.limit),
            ("duration", "live.duration", &self.duration),
        ];
        let given = options
            .into_iter()
            .filter_map(|(name, path, value)| Some(Override::from_option(name, path, value.as_ref()?)));
        self.set.iter().cloned().chain(given).collect()
    }
}

/// What the user wants of a run under way.
pub(super) type Commands = tokio::sync::mpsc::UnboundedReceiver<crate::live::driver::Command>;

/// A scenario that is ready to be run live.
struct Ready<'a> {
    scenario: &'a Scenario,
    setup: &'a PoolSetup,
    trace: &'a Trace,
    actions: Actions,
    plan: Plan,
    costs: CostModel,
    /// How often each function is invoked.
    arrivals: Vec<u64>,
    load: LoadFigures,
}

/// Does what the arguments say.
///
/// # Errors
/// A usage error for a wrong scenario, trace or manifest; a run error if containers or results fail.
pub fn live(args: &LiveArgs) -> Result<(), Error> {
    if args.cleanup {
        conduct::clean_up()?;
    }
    let Some(file) = &args.file else { return Ok(()) };
    let scenario = Scenario::load(file, &args.overrides())?;
    let Engine::Pool(setup) = &scenario.engine else { return Err(no_pool(&scenario)) };
    tell_what_is_left_out(&scenario, setup);
    let target = args.output.clone().unwrap_or_else(|| usual_target(&scenario.name));
    if target.join("curve.csv").exists() {
        return Err(held(&target, "curves, which one run would replace"));
    }
    let mut commands = conduct::listen();
    let trace = load(&scenario)?;
    let ready = make_ready(&scenario, setup, &trace)?;
    if args.dry_run {
        return print(&dry_run(&ready));
    }
    let telling = Telling { events: args.events.as_deref(), json: Some(args.json) };
    conduct::replay_live(&telling, &ready, &target, &mut commands)
}

/// What a run leaves besides its results.
struct Telling<'a> {
    /// Where the event log goes; `None`: among the results.
    events: Option<&'a Path>,
    /// Whether the summary is printed as JSON; `None`: it is not printed.
    json: Option<bool>,
}

/// Runs a scenario live for another command: leaves its results in `target`, prints nothing.
///
/// # Errors
/// As [`live`].
pub(super) fn record(scenario: &Scenario, target: &Path, commands: &mut Commands) -> Result<(), Error> {
    with_ready(scenario, |ready| {
        conduct::replay_live(&Telling { events: None, json: None }, ready, target, commands)
    })
}

/// What a live run of a scenario would probe.
///
/// # Errors
/// As [`live`].
pub(super) fn probe_of(scenario: &Scenario) -> Result<(Probe, Vec<String>), Error> {
    with_ready(scenario, |ready| {
        let names = ready.trace.functions.iter().map(|function| function.name.clone()).collect();
        Ok((Probe::new(scenario.seed, &ready.plan, ready.trace, &ready.arrivals), names))
    })
}

fn with_ready<T>(scenario: &Scenario, then: impl FnOnce(&Ready<'_>) -> Result<T, Error>) -> Result<T, Error> {
    let Engine::Pool(setup) = &scenario.engine else { return Err(no_pool(scenario)) };
    let trace = load(scenario)?;
    then(&make_ready(scenario, setup, &trace)?)
}

fn no_pool(scenario: &Scenario) -> Error {
    let wrong = Diagnostic::new("[faascache-artifact] cannot be run live: it is no pool").at(place(scenario));
    Error::usage(wrong.help("remove it, or use `faassim run`"))
}

fn place(scenario: &Scenario) -> String {
    scenario.file.display().to_string()
}

/// What a scenario says that has no meaning for real containers.
fn tell_what_is_left_out(scenario: &Scenario, setup: &PoolSetup) {
    if !scenario.sweep.is_empty() {
        tell("note: [sweep] is left out, this is one run");
    }
    if setup.failures != Failures::default() {
        tell("note: [failures] is left out: real containers fail by themselves");
    }
}

/// Reads the actions and finds out what runs what.
fn make_ready<'a>(
    scenario: &'a Scenario,
    setup: &'a PoolSetup,
    trace: &'a Trace,
) -> Result<Ready<'a>, Error> {
    let unfit = |why: String| Error::usage(Diagnostic::new(why).at(place(scenario)));
    check_fit(setup, trace).map_err(unfit)?;
    let failures = Failures::default();
    let costs = CostModel::new(scenario.seed, &setup.costs, &failures, &trace.functions).map_err(unfit)?;
    let arrivals = arrivals_by_function(scenario, trace);
    if arrivals.iter().all(|many| *many == 0) {
        return Err(unfit("no invocation of the trace lies between `from` and `until`".to_owned()));
    }
    let actions = Actions::read(&Actions::folder(scenario.live.actions.as_deref(), &scenario.file)?)?;
    let plan = Plan::new(scenario, setup, trace, &actions, &arrivals)?;
    let load = LoadFigures::new(scenario, trace, &plan, &costs);
    Ok(Ready { scenario, setup, trace, actions, plan, costs, arrivals, load })
}

impl Ready<'_> {
    fn preview(&self, backend: String) -> Preview<'_> {
        Preview {
            scenario: self.scenario,
            trace: self.trace,
            arrivals: &self.arrivals,
            plan: &self.plan,
            load: self.load,
            machine: Machine::here(Path::new(".")),
            backend,
        }
    }

    fn heading(&self) -> Heading {
        let (scenario, setup) = (self.scenario, self.setup);
        let map = scenario.live.map.name();
        let mut lines = vec![
            trace_line(scenario, self.trace, self.load.arrivals),
            format!("pool {}, rules {}, seed {}", scenario.memory, setup.preset.name, scenario.seed),
            format!("eviction {}, keep-alive {}", setup.eviction, setup.keep_alive),
            format!("actions of {}, by {map}", self.actions.manifest.display()),
        ];
        if let Some(elastic) = &scenario.elastic {
            lines.insert(2, format!("elastic: {elastic}"));
        }
        Heading { name: scenario.name.clone(), question: scenario.question.clone(), lines }
    }
}

/// Everything there is to say without starting anything.
fn dry_run(ready: &Ready<'_>) -> String {
    let backend = match ready.scenario.live.backend {
        BackendChoice::Auto => "docker where an engine answers, else processes",
        BackendChoice::Docker => "docker",
        BackendChoice::Process => "processes of this machine",
    };
    let preview = ready.preview(backend.to_owned());
    let images = conduct::images_there(ready);
    heading_text(&ready.heading()) + &preview.text(|image| images.as_ref().map(|there| there.contains(image)))
}
