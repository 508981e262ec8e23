//! `faassim check`: tells everything that is wrong with scenarios, or what they would run. Owns the
//! summary; the checks are those of [`Scenario::load`] and [`Plan::new`], so that `run` and `sweep` never say something
//! else.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use clap::Args;

use super::{layout, print};
use crate::error::{Error, Kind};
use crate::results::counted;
use crate::scenario::{
    Base, CostSpec, Costs, DurationValue, Engine, Failures, LiveSpec, Override, PoolSetup, Scenario, Source,
    Start, differences, reference,
};
use crate::sweep::Plan;
use crate::time::{Span, Time};
use crate::trace::reading::Unit;

/// Check scenarios without running them: all errors at once, or what would run
#[derive(Args, Debug)]
pub struct CheckArgs {
    /// The scenarios, TOML files
    #[arg(required_unless_present = "reference")]
    pub files: Vec<PathBuf>,
    /// Set a value of each scenario, for example pool.memory="8 GiB"; may be repeated
    #[arg(long, value_name = "PATH=VALUE")]
    pub set: Vec<Override>,
    /// Print everything that can stand in a scenario
    #[arg(long)]
    pub reference: bool,
}

/// Checks all files and describes those that are fine.
///
/// # Errors
/// A usage error with everything that is wrong in any of them.
pub fn check(args: &CheckArgs) -> Result<(), Error> {
    if args.reference {
        print(&reference())?;
    }
    let mut wrong = Vec::new();
    for file in &args.files {
        match check_file(file, &args.set) {
            Ok(text) => print(&text)?,
            Err(error) => wrong.extend(error.into_diagnostics()),
        }
    }
    if wrong.is_empty() { Ok(()) } else { Err(Error::new(Kind::Usage, wrong)) }
}

/// What a file runs: one scenario, or a sweep, of which every point is checked.
fn check_file(file: &Path, sets: &[Override]) -> Result<String, Error> {
    let base = Base::load(file, sets, Vec::new())?;
    if base.axes().is_empty() {
        return Scenario::load(file, sets).map(|scenario| describe(&scenario));
    }
    let plan = Plan::new(base)?;
    let mut text = describe(plan.first());
    let runs = counted(plan.grid().len() as u64, "run");
    text.push_str(&layout::entry("  sweep", 14, &format!("{runs}; the first is shown above")));
    for axis in plan.base().axes() {
        let values: Vec<&str> = axis.values().iter().map(|value| value.shown.as_str()).collect();
        let shown = match values.as_slice() {
            [first, .., last] if values.len() > 12 => format!("{first} … {last}"),
            all => all.join(", "),
        };
        text.push_str(&layout::entry("", 14, &format!("{} × {}: {shown}", values.len(), axis.path())));
    }
    Ok(text)
}

/// What a scenario runs.
fn describe(scenario: &Scenario) -> String {
    let mut text = format!("{}: fine\n", scenario.file.display());
    let mut line = |label: &str, what: &str| text.push_str(&layout::entry(&format!("  {label}"), 14, what));
    line("name", &scenario.name);
    if let Some(question) = &scenario.question {
        line("question", question);
    }
    line("trace", &describe_trace(scenario));
    line("memory", &scenario.memory.to_string());
    if let Some(elastic) = &scenario.elastic {
        line("elastic", &elastic.to_string());
    }
    match &scenario.engine {
        Engine::Artifact(policy) => {
            line("simulator", &format!("published FaasCache simulator, policy {policy}"))
        }
        Engine::Pool(setup) => {
            for (label, what) in describe_pool(setup) {
                line(label, &what);
            }
        }
    }
    line("seed", &scenario.seed.to_string());
    line("output", &describe_output(scenario));
    if scenario.live != LiveSpec::default() {
        line("live", &describe_live(&scenario.live));
    }
    text
}

fn describe_trace(scenario: &Scenario) -> String {
    let trace = &scenario.trace;
    let mut text = trace.path.display().to_string();
    if let Some(format) = trace.reading.format {
        let _ = write!(text, ", as {}", format.name);
    }
    let set: Vec<&str> = trace.reading.given().collect();
    if !set.is_empty() {
        let _ = write!(text, ", with its own {}", set.join(", "));
    }
    if trace.reading.unit == Unit::App {
        text.push_str(", by app");
    }
    if let Some(cut) = trace.cut {
        let _ = write!(text, ", {} of its functions ({})", cut.functions, cut.by.name());
    }
    let window = trace.window;
    if window.from > Time::ZERO {
        let _ = write!(text, ", from {}", Span(window.from.0));
    }
    if window.until < Time::NEVER {
        let _ = write!(text, ", until {}", Span(window.until.0));
    }
    if let Some(limit) = window.limit {
        let _ = write!(text, ", at most {limit} invocations");
    }
    text
}

fn describe_pool(setup: &PoolSetup) -> Vec<(&'static str, String)> {
    let changed = differences(&setup.rules, &setup.preset.rules);
    let changed: Vec<String> = changed.iter().map(|(name, value)| format!("{name} = {value}")).collect();
    let rules = match changed.as_slice() {
        [] => setup.preset.name.to_owned(),
        changed => format!("{}, but {}", setup.preset.name, changed.join(", ")),
    };
    let mut lines = vec![
        ("rules", rules),
        ("eviction", setup.eviction.to_string()),
        ("keep-alive", setup.keep_alive.to_string()),
    ];
    for stem_cell in &setup.stem_cells {
        let reactive = match stem_cell.reactive {
            Some(reactive) => format!(", then {} to {} on demand", reactive.min_count, reactive.max_count),
            None => String::new(),
        };
        let (count, kind, memory) = (stem_cell.initial_count, &stem_cell.kind, stem_cell.memory);
        lines.push(("prewarm", format!("{count} of {kind} with {memory}{reactive}")));
    }
    lines.extend(describe_costs(&setup.costs));
    let failures = describe_failures(&setup.failures);
    if !failures.is_empty() {
        lines.push(("failures", failures));
    }
    lines
}

fn describe_costs(costs: &CostSpec) -> Vec<(&'static str, String)> {
    let mut lines = vec![("costs", describe_function_costs(&costs.general))];
    for (name, costs) in &costs.functions {
        lines.push(("", format!("{name}: {}", describe_function_costs(costs))));
    }
    lines
}

fn describe_function_costs(costs: &Costs) -> String {
    let mut parts = Vec::new();
    match &costs.start {
        Start::Whole(source) => parts.push(format!("cold start {source}")),
        Start::Phases(phases) => {
            let first_run = phases.first_run.iter().map(|duration| ("first run", duration));
            let before = [("pull", &phases.pull), ("create", &phases.create)];
            parts.extend(before.into_iter().filter_map(describe_duration));
            match &phases.init {
                Source::Trace => {
                    parts.push("init from the trace".to_owned());
                    parts.extend(describe_duration(("init overhead", &phases.init_overhead)));
                }
                Source::Given(init) => parts.extend(describe_duration(("init", init))),
            }
            parts.extend(first_run.filter_map(describe_duration));
            if parts.is_empty() {
                parts.push("cold start 0 s".to_owned());
            }
        }
    }
    parts.push(format!("run {}", costs.run));
    if costs.run == Source::Trace {
        parts.extend(describe_duration(("run overhead", &costs.run_overhead)));
    }
    let others = [
        ("unpause", &costs.unpause),
        ("pause", &costs.pause),
        ("logs", &costs.logs),
        ("remove", &costs.remove),
    ];
    parts.extend(others.into_iter().filter_map(describe_duration));
    parts.join("; ")
}

/// Nothing for what takes no time.
fn describe_duration((name, duration): (&str, &DurationValue)) -> Option<String> {
    (*duration != DurationValue::ZERO).then(|| format!("{name} {duration}"))
}

fn describe_failures(failures: &Failures) -> String {
    [
        ("create", failures.create),
        ("init", failures.init),
        ("run", failures.run),
        ("logs", failures.logs),
        ("pause", failures.pause),
        ("resume", failures.resume),
    ]
    .iter()
    .filter(|(_, probability)| *probability > 0.0)
    .map(|(name, probability)| format!("{name} {probability}"))
    .collect::<Vec<_>>()
    .join(", ")
}

fn describe_output(scenario: &Scenario) -> String {
    let output = &scenario.output;
    let mut tables = vec!["summary".to_owned()];
    if output.functions {
        tables.push("functions".to_owned());
    }
    if output.invocations {
        tables.push("invocations".to_owned());
    }
    tables.push(format!("memory every {}", output.memory_every));
    tables.join(", ")
}

/// What differs from the usual, and what runs.
fn describe_live(live: &LiveSpec) -> String {
    let usual = LiveSpec::default();
    let mut text = format!("{} backend, actions by {}", live.backend.name(), live.map.name());
    let mut add = |differs: bool, what: String| {
        if differs {
            let _ = write!(text, ", {what}");
        }
    };
    add(!live.functions.is_empty(), counted(live.functions.len() as u64, "function") + " by hand");
    add(!live.images.is_empty(), counted(live.images.len() as u64, "image") + " of your own");
    add(live.speed != usual.speed, format!("at {} times the speed", live.speed));
    add(live.limit.is_some(), counted(live.limit.unwrap_or_default(), "arrival") + " at most");
    add(live.duration.is_some(), format!("the first {}", live.duration.unwrap_or_default()));
    add(live.parallel_starts != usual.parallel_starts, format!("{} parallel starts", live.parallel_starts));
    add(live.time_limit != usual.time_limit, format!("time limit {}", live.time_limit));
    add(live.drain != usual.drain, format!("drain {}", live.drain));
    add(live.network, "with network".to_owned());
    add(live.pull, "missing images are fetched".to_owned());
    add(!live.logs, "without logs".to_owned());
    add(live.log_limit != usual.log_limit, format!("logs up to {}", live.log_limit));
    add(live.cpus.is_some(), format!("{} processors", live.cpus.unwrap_or_default()));
    text
}
