//! Which action each function of a trace runs, in which image and with what. Owns the choice and what is said about one
//! that will not do; must never start anything.

mod table;

use std::time::Duration;

use serde_json::{Map, Value};

use super::actions::{ActionSpec, Actions, Flavour, LOOKBUSY};
use crate::error::{Diagnostic, Error, Kind};
use crate::memory::Memory;
use crate::results::{counted, duration};
use crate::scenario::{LiveSpec, MapRule, PoolSetup, Scenario};
use crate::sim::{CostModel, worker_functions};
use crate::suggest::nearest;
use crate::time::Span;
use crate::trace::{Arrival, Function, Trace};
use crate::worker::WorkerFunction;

/// Least memory in which python and the server start.
pub const LEAST_MEMORY: Memory = Memory(32);

/// By what factor run times may differ for an action to be like a function.
const ALIKE: f64 = 4.0;

/// Run times below this are alike.
const SHORTEST: Span = Span::from_ms(1);

/// Faults of one kind that are told one by one.
const TOLD: usize = 10;

/// The code of an action as `/init` takes it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ActionCode {
    /// Its name.
    pub name: String,
    /// The source, or base64 of a zip.
    pub code: String,
    /// Whether it is the latter.
    pub binary: bool,
    /// The entry function.
    pub main: String,
}

/// What a backend has to know of a function.
#[derive(Clone, PartialEq, Debug)]
pub struct FunctionPlan {
    /// Its name in the trace.
    pub name: String,
    /// What it runs.
    pub action: ActionCode,
    /// In which image, where there are images.
    pub image: String,
    /// Environment that comes with the code.
    pub init_env: Vec<(String, String)>,
    /// Arguments of every run: an object.
    pub args: Value,
    /// The argument that tells a run how long to take, in ms, if there is one.
    pub run_ms_arg: Option<String>,
    /// How long an initialisation or a run may take.
    pub time_limit: Duration,
    /// Whether logs are collected after each run.
    pub collect_logs: bool,
}

/// Why a function runs what it runs.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Why {
    /// `[live.functions]` says so.
    Given,
    /// They have the same name.
    Name,
    /// They take nearly as long.
    Alike,
    /// No action is like it, so it is imitated.
    NoneAlike,
    /// All are imitated.
    Rule,
}

impl Why {
    /// In a word, as tables have it.
    pub fn name(self) -> &'static str {
        match self {
            Why::Given => "given",
            Why::Name => "name",
            Why::Alike => "alike",
            Why::NoneAlike => "none",
            Why::Rule => "rule",
        }
    }
}

/// What a function runs.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Choice {
    /// Its place among [`Actions::all`].
    pub action: usize,
    /// Why that.
    pub why: Why,
}

/// What every function of a trace runs.
#[derive(Clone, PartialEq, Debug)]
pub struct Plan {
    /// In the order of the trace.
    pub functions: Vec<FunctionPlan>,
    /// In the same order.
    pub choices: Vec<Choice>,
    /// In the same order: the kind under which the pool knows it. Functions whose action needs more than the plain
    /// image go in a kind of their own, since a container serves only functions of its kind.
    pub kinds: Vec<String>,
    /// The image of every kind that is used, prewarms included.
    pub images: Vec<(String, String)>,
    /// What the user may not have meant, one sentence each.
    pub warnings: Vec<String>,
    /// What is too small for python: how many functions, and the number of the first.
    too_small: Option<(u64, usize)>,
    /// What a warm run and loading take by the manifest; `None`: what the trace tells.
    times: Vec<Option<(Span, Span)>>,
}

impl Plan {
    /// The plan of a scenario. `arrivals`: how often each function is invoked; what is wrong with a function that is
    /// not invoked does not matter.
    ///
    /// # Errors
    /// A usage error with everything that is wrong.
    pub fn new(
        scenario: &Scenario,
        setup: &PoolSetup,
        trace: &Trace,
        actions: &Actions,
        arrivals: &[u64],
    ) -> Result<Plan, Error> {
        let file = scenario.file.display().to_string();
        let mut planner = Planner {
            live: &scenario.live,
            functions: &trace.functions,
            actions,
            arrivals,
            file,
            problems: Vec::new(),
        };
        let choices = planner.choices();
        planner.check_names(setup);
        if !planner.problems.is_empty() {
            return Err(Error::new(Kind::Usage, planner.problems));
        }
        let kinds = planner.kinds(&choices);
        let images = planner.images(setup, &kinds)?;
        let functions = planner.function_plans(&choices, &kinds, &images);
        let spec = |choice: &Choice| &actions.all[choice.action];
        let times = choices
            .iter()
            .map(|choice| (!is_lookbusy(spec(choice))).then(|| (spec(choice).run, spec(choice).init)));
        let too_small = planner.first(|ix| trace.functions[ix].memory < LEAST_MEMORY);
        let times = times.collect();
        let warnings = planner.warnings(&choices);
        Ok(Plan { functions, choices, kinds, images, warnings, too_small, times })
    }

    /// The functions as the pool sees them.
    pub fn worker_functions(&self, trace: &Trace, costs: &CostModel) -> Vec<WorkerFunction> {
        let planned = self.functions.iter().zip(&self.kinds);
        let all = worker_functions(trace, costs).into_iter().zip(planned);
        all.map(|(function, (plan, kind))| WorkerFunction {
            kind: kind.clone(),
            logs: plan.collect_logs,
            ..function
        })
        .collect()
    }

    /// What each function runs, in the order of the trace.
    pub fn action_names(&self) -> Vec<String> {
        self.functions.iter().map(|function| function.action.name.clone()).collect()
    }

    /// That some functions have too little memory for python, where containers are held to theirs.
    pub fn too_small(&self, trace: &Trace) -> Option<Diagnostic> {
        let (many, first) = self.too_small?;
        let function = &trace.functions[first];
        let message = format!(
            "{} less than {LEAST_MEMORY}, in which python does not start: for example `{}` with {}",
            have(many, "function"),
            function.name,
            function.memory
        );
        Some(Diagnostic::new(message).at(trace.name.clone()).help(
            "raise memory_mb in its functions.csv, or use `backend = \"process\"`, which leaves room for python",
        ))
    }

    /// How long a run takes if it starts warm and nothing disturbs it.
    pub fn run(&self, costs: &CostModel, number: u64, arrival: &Arrival) -> Span {
        match self.times[arrival.function as usize] {
            Some((run, _)) => run,
            None => costs.asked_run(arrival.function, number, arrival.duration),
        }
    }

    /// How long a warm run of a function takes, as far as is known beforehand.
    pub fn usual_run(&self, trace: &Trace, function: usize) -> Span {
        self.times[function].map_or(trace.functions[function].warm, |(run, _)| run)
    }

    /// How long loading is told to take, in µs, in the order of the trace; `None`: the function runs an action of its own.
    pub fn loading(&self, trace: &Trace) -> Vec<Option<u64>> {
        let all = self.times.iter().zip(&trace.functions);
        all.map(|(own, function)| own.is_none().then(|| start(function).0)).collect()
    }

    /// How long loading the code takes before a first run.
    pub fn init(&self, trace: &Trace, function: u32) -> Span {
        match self.times[function as usize] {
            Some((_, init)) => init,
            None => start(&trace.functions[function as usize]),
        }
    }
}

/// What a cold start adds by the trace.
fn start(function: &Function) -> Span {
    function.cold.saturating_sub(function.warm)
}

fn is_lookbusy(action: &ActionSpec) -> bool {
    action.name == LOOKBUSY
}

/// How much `lookbusy` holds in a container of this size: half of it, but all of [`LEAST_MEMORY`] is left to python.
pub fn lookbusy_memory(memory: Memory) -> Memory {
    Memory((memory.0 / 2).min(memory.0.saturating_sub(LEAST_MEMORY.0)))
}

/// `1 function has`, `2 functions have`.
fn have(many: u64, thing: &str) -> String {
    format!("{} {}", counted(many, thing), if many == 1 { "has" } else { "have" })
}

/// The action whose run time is nearest to the function's on a logarithmic scale, of those that fit its memory, need
/// no more than the plain image and differ by no more than [`ALIKE`]. Of equals the first in the manifest.
fn alike(function: &Function, actions: &Actions) -> Option<usize> {
    let log = |span: Span| (span.max(SHORTEST).0 as f64).ln();
    let wanted = log(function.warm);
    let fits = |action: &ActionSpec| {
        !is_lookbusy(action) && action.flavour == Flavour::Plain && action.memory <= function.memory
    };
    let all = actions.all.iter().enumerate().filter(|(_, action)| fits(action));
    all.map(|(ix, action)| ((log(action.run) - wanted).abs(), ix))
        // As much as rounding may add.
        .filter(|(distance, _)| *distance <= ALIKE.ln() + 1e-9)
        .min_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, ix)| ix)
}

struct Planner<'a> {
    live: &'a LiveSpec,
    functions: &'a [Function],
    actions: &'a Actions,
    arrivals: &'a [u64],
    file: String,
    problems: Vec<Diagnostic>,
}

impl Planner<'_> {
    /// How many invoked functions are so, and the first of them.
    fn first(&self, is: impl Fn(usize) -> bool) -> Option<(u64, usize)> {
        let mut found = (0..self.functions.len()).filter(|ix| self.arrivals[*ix] > 0 && is(*ix));
        let first = found.next()?;
        Some((1 + found.count() as u64, first))
    }

    fn choices(&mut self) -> Vec<Choice> {
        let lookbusy = self.actions.find(LOOKBUSY);
        let mut without: Vec<usize> = Vec::new();
        let mut choices = Vec::with_capacity(self.functions.len());
        for (ix, function) in self.functions.iter().enumerate() {
            let given = self.live.functions.iter().find(|given| given.function == function.name);
            let by_name =
                || self.actions.find(&function.name).map(|action| Choice { action, why: Why::Name });
            let busy = |why| lookbusy.map(|action| Choice { action, why });
            let choice = match given {
                Some(given) => {
                    self.actions.find(&given.action).map(|action| Choice { action, why: Why::Given })
                }
                None => match self.live.map {
                    MapRule::Name => by_name(),
                    MapRule::Lookbusy => busy(Why::Rule),
                    MapRule::Nearest => by_name()
                        .or_else(|| {
                            alike(function, self.actions).map(|action| Choice { action, why: Why::Alike })
                        })
                        .or_else(|| busy(Why::NoneAlike)),
                },
            };
            if choice.is_none() && given.is_none() && self.arrivals[ix] > 0 {
                without.push(ix);
            }
            // What has none is not run: it is a fault, or not invoked.
            choices.push(choice.unwrap_or(Choice { action: 0, why: Why::Rule }));
        }
        self.refuse_without(&without);
        choices
    }

    /// Functions for which there is no action.
    fn refuse_without(&mut self, without: &[usize]) {
        let Some(first) = without.first() else { return };
        let manifest = self.actions.manifest.display();
        if self.live.map != MapRule::Name {
            let message = format!(
                "{manifest} has no action `{LOOKBUSY}`, which imitates {}, for example `{}`",
                counted(without.len() as u64, "function"),
                self.functions[*first].name
            );
            let help = "add one that takes `run_ms`, or give these functions actions under [live.functions]";
            self.problems.push(Diagnostic::new(message).at(self.file.clone()).help(help));
            return;
        }
        for ix in without.iter().take(TOLD) {
            let name = &self.functions[*ix].name;
            let (_, near) = self.actions.unknown(name);
            let problem = Diagnostic::new(format!("no action has the name of function `{name}`"));
            self.problems.push(problem.at(self.file.clone()).help(near));
        }
        let help = format!(
            "give them actions under [live.functions], or say `map = \"{}\"`",
            MapRule::Nearest.name()
        );
        let many = counted(without.len() as u64, "function");
        let problem = Diagnostic::new(format!(
            "live.map is `{}`, but {many} of the trace are no actions",
            MapRule::Name.name()
        ));
        self.problems.push(problem.at(self.file.clone()).help(help));
    }

    /// Names under `[live.functions]` and `[live.images]` that nothing has.
    fn check_names(&mut self, setup: &PoolSetup) {
        let names = || self.functions.iter().map(|function| function.name.as_str());
        for given in &self.live.functions {
            if !names().any(|name| name == given.function) {
                let problem = Diagnostic::new(format!("the trace has no function `{}`", given.function));
                let problem = match nearest(&given.function, names()) {
                    Some(near) => problem.help(format!("did you mean `{near}`?")),
                    None => problem,
                };
                self.problems.push(problem.at(given.place.clone()));
            }
            if self.actions.find(&given.action).is_none() {
                let (message, help) = self.actions.unknown(&given.action);
                self.problems.push(Diagnostic::new(message).at(given.place.clone()).help(help));
            }
        }
        let mut kinds: Vec<&str> = self.functions.iter().map(|function| function.kind.as_str()).collect();
        kinds.extend(setup.stem_cells.iter().map(|cell| cell.kind.as_str()));
        kinds.extend(Flavour::ALL.iter().filter_map(|(_, flavour)| flavour.kind()));
        kinds.sort_unstable();
        kinds.dedup();
        for given in &self.live.images {
            if !kinds.contains(&given.kind.as_str()) {
                let message = format!("nothing is of kind `{}`, so its image is never used", given.kind);
                let help = match nearest(&given.kind, kinds.iter().copied()) {
                    Some(near) => format!("did you mean `{near}`?"),
                    None => format!("there are: {}", kinds.join(", ")),
                };
                self.problems.push(Diagnostic::new(message).at(given.place.clone()).help(help));
            }
        }
    }

    fn kinds(&self, choices: &[Choice]) -> Vec<String> {
        let kind = |(function, choice): (&Function, &Choice)| {
            let own = self.actions.all[choice.action].flavour.kind();
            own.map_or_else(|| function.kind.clone(), str::to_owned)
        };
        self.functions.iter().zip(choices).map(kind).collect()
    }

    /// The image of each kind, in the order of the functions and then of the prewarms.
    fn images(&self, setup: &PoolSetup, kinds: &[String]) -> Result<Vec<(String, String)>, Error> {
        let of = |kind: &str| match self.live.images.iter().find(|given| given.kind == kind) {
            Some(given) => given.image.clone(),
            None => {
                let flavour = Flavour::ALL.iter().find(|(_, flavour)| flavour.kind() == Some(kind));
                flavour.map_or(Flavour::Plain, |(_, flavour)| *flavour).image().to_owned()
            }
        };
        let mut images: Vec<(String, String)> = Vec::new();
        for kind in kinds {
            if !images.iter().any(|(known, _)| known == kind) {
                images.push((kind.clone(), of(kind)));
            }
        }
        for cell in &setup.stem_cells {
            if images.iter().any(|(known, _)| *known == cell.kind) {
                continue;
            }
            let ours = cell.kind.starts_with("python");
            if !ours && !self.live.images.iter().any(|given| given.kind == cell.kind) {
                let message = format!("[[prewarm]]: there is no image for kind `{}`", cell.kind);
                let help = format!("add one under [live.images], as in {:?} = \"IMAGE\"", cell.kind);
                return Err(Error::usage(Diagnostic::new(message).at(self.file.clone()).help(help)));
            }
            images.push((cell.kind.clone(), of(&cell.kind)));
        }
        Ok(images)
    }

    fn function_plans(
        &self,
        choices: &[Choice],
        kinds: &[String],
        images: &[(String, String)],
    ) -> Vec<FunctionPlan> {
        let one = |((function, choice), kind): ((&Function, &Choice), &String)| {
            let action = &self.actions.all[choice.action];
            let image = images.iter().find(|(known, _)| known == kind).map(|(_, image)| image.clone());
            let (args, given) = self.args(function, action);
            let told = is_lookbusy(action) && !given.is_some_and(|given| given.contains_key(RUN_MS));
            FunctionPlan {
                name: function.name.clone(),
                action: ActionCode {
                    name: action.name.clone(),
                    code: action.code.clone(),
                    binary: action.binary,
                    main: action.main.clone(),
                },
                image: image.unwrap_or_default(),
                init_env: if is_lookbusy(action) { lookbusy_env(function) } else { Vec::new() },
                args: Value::Object(args),
                run_ms_arg: told.then(|| RUN_MS.to_owned()),
                time_limit: Duration::from_micros(self.live.time_limit.0),
                collect_logs: self.live.logs,
            }
        };
        self.functions.iter().zip(choices).zip(kinds).map(one).collect()
    }

    /// The action's usual arguments and those given for the function, which go first; and the latter alone.
    fn args(
        &self,
        function: &Function,
        action: &ActionSpec,
    ) -> (Map<String, Value>, Option<&Map<String, Value>>) {
        let mut args = action.args.clone();
        let given = self.live.functions.iter().find(|given| given.function == function.name);
        for (name, value) in given.iter().flat_map(|given| &given.args) {
            args.insert(name.clone(), value.clone());
        }
        (args, given.map(|given| &given.args))
    }

    fn warnings(&self, choices: &[Choice]) -> Vec<String> {
        let action = |ix: usize| &self.actions.all[choices[ix].action];
        let mut warnings = Vec::new();
        let short = |ix: usize| {
            self.functions[ix].memory >= LEAST_MEMORY && self.functions[ix].memory < action(ix).memory
        };
        if let Some((many, first)) = self.first(short) {
            warnings.push(format!(
                "{} less memory than the action needs, for example `{}` with {} for `{}`, which needs {}; \
                 runs may be killed: choose another under [live.functions]",
                have(many, "function"),
                self.functions[first].name,
                self.functions[first].memory,
                action(first).name,
                action(first).memory
            ));
        }
        let limit = self.live.time_limit;
        let long = |ix: usize| is_lookbusy(action(ix)) && start(&self.functions[ix]) >= limit;
        if let Some((many, first)) = self.first(long) {
            let function = &self.functions[first];
            warnings.push(format!(
                "{} a start of {limit} and more, which is cut off there, for example `{}` with {}; raise live.time-limit",
                have(many, "function"),
                function.name,
                duration(start(function).as_ms_f64())
            ));
        }
        warnings
    }
}

/// The argument of `lookbusy` that tells how long to take.
const RUN_MS: &str = "run_ms";

fn lookbusy_env(function: &Function) -> Vec<(String, String)> {
    // To the nearest: half a millisecond of a start is not to be seen.
    let init_ms = (start(function).0 + 500) / 1_000;
    vec![
        ("LOOKBUSY_INIT_MS".to_owned(), init_ms.to_string()),
        ("LOOKBUSY_MEMORY_MIB".to_owned(), lookbusy_memory(function.memory).mib().to_string()),
    ]
}

#[cfg(test)]
#[path = "plan/tests.rs"]
mod tests;
