//! How long everything takes, in general and per function. Owns what the costs mean and how they are
//! read; must never draw a random number.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use super::duration;
use super::keys::{CONTENTION, FUNCTION_COSTS};
use super::section::{Flaw, Problems, Section};
use super::tree::{Raw, segment};
use super::values;
use crate::duration::DurationValue;

/// What everything costs.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct CostSpec {
    /// Of every function without exceptions.
    pub general: Costs,
    /// Of the functions with exceptions, by name, complete: what an exception does not say is as in general.
    pub functions: BTreeMap<String, Costs>,
    /// Those of them that come from a costs file: the trace need not have them.
    pub foreign: BTreeSet<String>,
    /// The processors that steps share; `None`: each has one of its own.
    pub contention: Option<Contention>,
}

/// Processors that steps share: while all together want more than there are, each is slowed down alike.
#[derive(Clone, Copy, PartialEq, Debug, Default)]
pub struct Contention {
    /// How many there are.
    pub processors: u32,
    /// How many of them creating a container takes.
    pub create: f64,
    /// How many an initialisation takes.
    pub init: f64,
    /// How many a run takes.
    pub run: f64,
    /// How many thawing takes.
    pub unpause: f64,
    /// How many freezing takes.
    pub pause: f64,
    /// How many collecting logs takes.
    pub logs: f64,
    /// How many removing takes.
    pub remove: f64,
    /// Whether what the trace tells takes its time by the clock and is not slowed down, as of actions that only imitate it.
    pub by_clock: bool,
}

impl CostSpec {
    /// What holds for this function.
    pub fn of(&self, function: &str) -> &Costs {
        self.functions.get(function).unwrap_or(&self.general)
    }
}

/// What everything costs for one function.
#[derive(Clone, PartialEq, Debug)]
pub struct Costs {
    /// From dispatch to the run.
    pub start: Start,
    /// A run.
    pub run: Source,
    /// What a run takes beyond what the trace says of it; of no effect where `run` is given.
    pub run_overhead: DurationValue,
    /// Thawing a paused container.
    pub unpause: DurationValue,
    /// Freezing an idle one.
    pub pause: DurationValue,
    /// Collecting logs after a run.
    pub logs: DurationValue,
    /// Removing a container.
    pub remove: DurationValue,
}

impl Default for Costs {
    /// Start and run as in the trace, everything else takes no time.
    fn default() -> Costs {
        Costs {
            start: Start::Whole(Source::Trace),
            run: Source::Trace,
            run_overhead: DurationValue::ZERO,
            unpause: DurationValue::ZERO,
            pause: DurationValue::ZERO,
            logs: DurationValue::ZERO,
            remove: DurationValue::ZERO,
        }
    }
}

/// What a cold start adds to the run.
#[derive(Clone, PartialEq, Debug)]
pub enum Start {
    /// One number. [`Source::Trace`]: the function's cold less its warm time.
    Whole(Source),
    /// Its phases.
    Phases(Box<Phases>),
}

/// The phases of a cold start. A prewarmed container has only `init` and `first_run` before it.
#[derive(Clone, PartialEq, Debug)]
pub struct Phases {
    /// Fetching the image, before the first container of each kind.
    pub pull: DurationValue,
    /// Creating the container.
    pub create: DurationValue,
    /// Loading the function's code. [`Source::Trace`]: the function's cold less its warm time.
    pub init: Source,
    /// What loading takes beyond what the trace says of it; of no effect where `init` is given.
    pub init_overhead: DurationValue,
    /// The first run in a fresh container; `None`: like every run.
    pub first_run: Option<DurationValue>,
}

impl Phases {
    const NONE: Phases = Phases {
        pull: DurationValue::ZERO,
        create: DurationValue::ZERO,
        init: Source::Given(DurationValue::ZERO),
        init_overhead: DurationValue::ZERO,
        first_run: None,
    };
}

/// Where a duration comes from.
#[derive(Clone, PartialEq, Debug)]
pub enum Source {
    /// The trace.
    Trace,
    /// The scenario.
    Given(DurationValue),
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Source::Trace => f.write_str("from the trace"),
            Source::Given(duration) => duration.fmt(f),
        }
    }
}

const PHASES: [&str; 5] = ["pull", "create", "init", "init-overhead", "first-run"];

/// Reads `[costs]`. `foreign`: functions that a costs file brought in.
pub(super) fn read(section: &Section<'_>, foreign: BTreeSet<String>, problems: &mut Problems) -> CostSpec {
    let contention = section
        .subsection("contention", CONTENTION, problems)
        .and_then(|section| read_contention(&section, problems));
    let general = read_costs(section, &Costs::default(), problems);
    let mut functions = BTreeMap::new();
    if let Some(table) = section.find("functions").and_then(|entry| section.as_table(entry, problems)) {
        for entry in &table.entries {
            let path = format!("{}.{}", section.subject("functions"), segment(&entry.key));
            let Raw::Table(inner) = &entry.node.raw else {
                let help = format!("write for example [{path}] and below it `run = \"50 ms\"`");
                problems.push(
                    &entry.origin,
                    path,
                    Flaw::expected("a table of costs", &entry.node).help(help),
                );
                continue;
            };
            let section = Section::open(path, &entry.origin, inner, FUNCTION_COSTS, problems);
            functions.insert(entry.key.clone(), read_costs(&section, &general, problems));
        }
    }
    CostSpec { general, functions, foreign, contention }
}

fn read_contention(section: &Section<'_>, problems: &mut Problems) -> Option<Contention> {
    let processors = section.require("processors", problems, |node| values::whole(node, 1, 4096));
    let by_clock = section.read("by-clock", problems, values::flag).unwrap_or(false);
    let mut demand = |name| section.read(name, problems, values::not_negative).unwrap_or(0.0);
    Some(Contention {
        create: demand("create"),
        init: demand("init"),
        run: demand("run"),
        unpause: demand("unpause"),
        pause: demand("pause"),
        logs: demand("logs"),
        remove: demand("remove"),
        by_clock,
        processors: u32::try_from(processors?).unwrap_or(u32::MAX),
    })
}

/// What `section` says, and `otherwise` what it leaves open.
fn read_costs(section: &Section<'_>, otherwise: &Costs, problems: &mut Problems) -> Costs {
    let mut costs = otherwise.clone();
    if let Some(start) = read_start(section, &otherwise.start, problems) {
        costs.start = start;
    }
    if let Some(run) = read_source(section, "run", problems) {
        costs.run = run;
    }
    if let Some(overhead) = read_overhead(section, "run-overhead", "run", problems) {
        costs.run_overhead = overhead;
    }
    for (name, place) in [
        ("unpause", &mut costs.unpause),
        ("pause", &mut costs.pause),
        ("logs", &mut costs.logs),
        ("remove", &mut costs.remove),
    ] {
        if let Some(duration) = duration::read(section, name, problems) {
            *place = duration;
        }
    }
    costs
}

/// The start as one number or as phases, not both; nothing if the section says nothing of it.
fn read_start(section: &Section<'_>, otherwise: &Start, problems: &mut Problems) -> Option<Start> {
    let whole = read_source(section, "cold-start", problems);
    let mut phases = match otherwise {
        Start::Phases(phases) => (**phases).clone(),
        Start::Whole(_) => Phases::NONE,
    };
    for (name, place) in [("pull", &mut phases.pull), ("create", &mut phases.create)] {
        if let Some(duration) = duration::read(section, name, problems) {
            *place = duration;
        }
    }
    if let Some(init) = read_source(section, "init", problems) {
        phases.init = init;
    }
    if let Some(overhead) = read_overhead(section, "init-overhead", "init", problems) {
        phases.init_overhead = overhead;
        phases.init = Source::Trace;
    }
    if let Some(first_run) = duration::read(section, "first-run", problems) {
        phases.first_run = Some(first_run);
    }

    let Some(phase) = PHASES.iter().find(|name| section.find(name).is_some()) else {
        return whole.map(Start::Whole);
    };
    if section.find("cold-start").is_some() {
        let flaw = Flaw::new(format!("a cold start is one number or phases, but `{phase}` is given as well"));
        let help = "keep either `cold-start` or `pull`, `create`, `init` and `first-run`";
        section.refuse("cold-start", flaw.help(help), problems);
    } else if ["create", "init", "init-overhead"].iter().all(|name| section.find(name).is_none())
        && matches!(otherwise, Start::Whole(_))
    {
        let flaw = Flaw::new("is a phase of a cold start, which needs `create` or `init` too");
        section.refuse(phase, flaw.help("add one of them, as \"0 s\" if that is meant"), problems);
    }
    Some(Start::Phases(Box::new(phases)))
}

/// What something takes beyond what the trace says, which needs the trace to say it.
fn read_overhead(
    section: &Section<'_>,
    name: &'static str,
    of: &'static str,
    problems: &mut Problems,
) -> Option<DurationValue> {
    let overhead = duration::read(section, name, problems)?;
    let given =
        section.find(of).filter(|entry| !matches!(&entry.node.raw, Raw::Text(text) if text == "trace"));
    if given.is_some() {
        let flaw = Flaw::new(format!("is what is added to the trace's times, but `{of}` is given"));
        section.refuse(name, flaw.help(format!("write `{of} = \"trace\"`, or remove it")), problems);
    }
    Some(overhead)
}

/// `"trace"` or a duration.
fn read_source(section: &Section<'_>, name: &'static str, problems: &mut Problems) -> Option<Source> {
    match &section.find(name)?.node.raw {
        Raw::Text(text) if text == "trace" => Some(Source::Trace),
        _ => duration::read(section, name, problems).map(Source::Given),
    }
}
