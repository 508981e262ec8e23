//! What runs: the pool with its rules, policies, prewarms, costs and failures, or the published
//! simulator instead. Owns how these tables are read and which of them exclude each other.

use std::collections::BTreeSet;

use super::choice::{self, Choice, Registered};
use super::costs::{self, CostSpec};
use super::keys::{ARTIFACT, COSTS, FAILURES, PREWARM, REACTIVE, RULES};
use super::knobs::KNOBS;
use super::section::{Flaw, Problems, Section};
use super::tree::{Origin, Raw};
use super::values;
use crate::artifact;
use crate::memory::Memory;
use crate::policy::params::Value;
use crate::policy::registry::Making;
use crate::policy::{EvictionPolicy, KeepAlivePolicy};
use crate::pool::rules::{PRESETS, Preset, Reactive, Rules};

/// What replays the trace.
#[derive(Clone, Debug)]
pub enum Engine {
    /// The pool.
    Pool(Box<PoolSetup>),
    /// The published FaasCache simulator, quirks included, with this policy.
    Artifact(artifact::Policy),
}

/// The policies of the published FaasCache simulator by name.
fn artifact_policies() -> [&'static str; artifact::Policy::ALL.len()] {
    artifact::Policy::ALL.map(artifact::Policy::name)
}

/// How the pool is set up.
#[derive(Clone, Debug)]
pub struct PoolSetup {
    /// Where the rules started from.
    pub preset: &'static Preset,
    /// The rules that hold.
    pub rules: Rules,
    /// Who goes when memory is short.
    pub eviction: Choice<EvictionPolicy>,
    /// How long idle containers stay.
    pub keep_alive: Choice<KeepAlivePolicy>,
    /// Containers kept ready without code.
    pub stem_cells: Vec<StemCellSpec>,
    /// How long everything takes.
    pub costs: CostSpec,
    /// How often something fails.
    pub failures: Failures,
}

/// Stem cells, their runtime still by name ([`crate::pool::rules::StemCell`] has it by number).
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct StemCellSpec {
    /// Their runtime.
    pub kind: String,
    /// Their memory.
    pub memory: Memory,
    /// How many are started at first.
    pub initial_count: u32,
    /// Follow demand.
    pub reactive: Option<Reactive>,
}

/// Probabilities, from 0 to 1, that something fails.
#[derive(Clone, Copy, PartialEq, Debug, Default)]
pub struct Failures {
    /// Creating a container.
    pub create: f64,
    /// An initialisation.
    pub init: f64,
    /// A run: it ends with a developer error, which destroys the container.
    pub run: f64,
    /// Collecting logs.
    pub logs: f64,
    /// Pausing.
    pub pause: f64,
    /// Resuming.
    pub resume: f64,
}

/// What belongs to the pool and has no meaning for the published simulator.
const POOL_ONLY: [&str; 6] = ["rules", "eviction", "keep-alive", "prewarm", "costs", "failures"];

/// Reads everything that says what runs.
pub(super) fn read(
    top: &Section<'_>,
    seed: u64,
    memory: Memory,
    foreign: BTreeSet<String>,
    problems: &mut Problems,
) -> Option<Engine> {
    if let Some(artifact) = top.find("faascache-artifact") {
        for name in POOL_ONLY {
            if let Some(entry) = top.find(name) {
                let at = match &artifact.origin {
                    Origin::Line(line) => format!(" (line {line})"),
                    _ => String::new(),
                };
                let flaw = Flaw::new(format!("`{name}` does not go with [faascache-artifact]{at}"));
                let help = "the published simulator has its own; remove one of the two";
                problems.push(&entry.origin, "", flaw.help(help));
            }
        }
        let section = top.subsection("faascache-artifact", ARTIFACT, problems)?;
        let policy = section.require("policy", problems, |node| values::word(node, &artifact_policies()))?;
        return Some(Engine::Artifact(artifact::Policy::ALL[policy]));
    }
    read_pool(top, seed, memory, foreign, problems).map(|setup| Engine::Pool(Box::new(setup)))
}

fn read_pool(
    top: &Section<'_>,
    seed: u64,
    memory: Memory,
    foreign: BTreeSet<String>,
    problems: &mut Problems,
) -> Option<PoolSetup> {
    let (preset, rules) = read_rules(top, problems);
    let making = Making { seed, tracking: rules.tracking, capacity_mib: memory.mib() };
    let eviction = match top.find(EvictionPolicy::TABLE) {
        Some(_) => choice::read(top, making, problems),
        None => usual(preset.eviction, problems),
    };
    let keep_alive = match top.find(KeepAlivePolicy::TABLE) {
        Some(_) => choice::read(top, making, problems),
        None => usual_keep(preset, problems),
    };
    let stem_cells = read_stem_cells(top, problems);
    let costs = match top.subsection("costs", COSTS, problems) {
        Some(section) => costs::read(&section, foreign, problems),
        None => CostSpec::default(),
    };
    let failures = read_failures(top, problems);
    Some(PoolSetup {
        preset,
        rules,
        eviction: eviction?,
        keep_alive: keep_alive?,
        stem_cells,
        costs,
        failures,
    })
}

/// The policy that goes with a preset.
fn usual<P: Registered>(name: &str, problems: &mut Problems) -> Option<Choice<P>> {
    let found = choice::find(name);
    if found.is_none() {
        let flaw = Flaw::new(format!("this build lacks the preset's {} `{name}`", P::KIND));
        problems.push(&Origin::File, "", flaw.help(format!("choose one with [{}.NAME]", P::TABLE)));
    }
    Some(Choice { policy: found?, params: Vec::new() })
}

/// The keep-alive that goes with a preset: `fixed`, whose first parameter is how long.
fn usual_keep(preset: &Preset, problems: &mut Problems) -> Option<Choice<KeepAlivePolicy>> {
    let mut choice = usual::<KeepAlivePolicy>("fixed", problems)?;
    if let Some(keep) = choice.policy.params.first() {
        choice.params.push((keep.name.to_owned(), Value::Text(preset.keep.to_string())));
    }
    Some(choice)
}

fn read_rules(top: &Section<'_>, problems: &mut Problems) -> (&'static Preset, Rules) {
    let usual = &PRESETS[0];
    let Some(section) = top.subsection("rules", RULES, problems) else {
        return (usual, usual.rules.clone());
    };
    let names: Vec<&'static str> = PRESETS.iter().map(|preset| preset.name).collect();
    let preset = section
        .read("preset", problems, |node| values::word(node, &names))
        .map_or(usual, |place| &PRESETS[place]);
    let mut rules = preset.rules.clone();
    for knob in KNOBS {
        section.read(knob.name, problems, |node| knob.set(&mut rules, node));
    }
    (preset, rules)
}

fn read_stem_cells(top: &Section<'_>, problems: &mut Problems) -> Vec<StemCellSpec> {
    let Some(entry) = top.find("prewarm") else {
        return Vec::new();
    };
    let wanted = "a list of tables";
    let Raw::List(items) = &entry.node.raw else {
        let flaw = Flaw::expected(wanted, &entry.node).help("write [[prewarm]], with two brackets");
        problems.push(&entry.origin, "prewarm", flaw);
        return Vec::new();
    };
    let mut stem_cells: Vec<StemCellSpec> = Vec::new();
    for item in items {
        let Raw::Table(table) = &item.raw else {
            let flaw = Flaw::expected(wanted, item).help("write [[prewarm]] and the keys below it");
            problems.push(&item.origin, "prewarm", flaw);
            continue;
        };
        let section = Section::open("prewarm", &item.origin, table, PREWARM, problems);
        let Some(stem_cell) = read_stem_cell(&section, problems) else {
            continue;
        };
        let same = |other: &StemCellSpec| (&other.kind, other.memory) == (&stem_cell.kind, stem_cell.memory);
        if stem_cells.iter().any(same) {
            let message = format!("`{}` with {} is configured twice", stem_cell.kind, stem_cell.memory);
            section.refuse("kind", Flaw::new(message).help("add the counts up in one [[prewarm]]"), problems);
        }
        stem_cells.push(stem_cell);
    }
    stem_cells
}

fn read_stem_cell(section: &Section<'_>, problems: &mut Problems) -> Option<StemCellSpec> {
    let kind = section.require("kind", problems, values::text);
    let memory = section.require("memory", problems, values::memory);
    let initial_count = section.require("initial-count", problems, |node| values::count(node, 0));
    let reactive = match section.find("reactive") {
        None => Some(None),
        Some(_) => section
            .subsection("reactive", REACTIVE, problems)
            .and_then(|section| read_reactive(&section, problems))
            .map(Some),
    };
    Some(StemCellSpec { kind: kind?, memory: memory?, initial_count: initial_count?, reactive: reactive? })
}

fn read_reactive(section: &Section<'_>, problems: &mut Problems) -> Option<Reactive> {
    let min_count = section.require("min-count", problems, |node| values::count(node, 0));
    let max_count = section.require("max-count", problems, |node| values::count(node, 0));
    let ttl = section.require("ttl", problems, values::positive_span);
    let threshold = section.require("threshold", problems, |node| values::count(node, 1));
    let increment = section.require("increment", problems, |node| values::count(node, 1));
    let (min_count, max_count) = (min_count?, max_count?);
    if min_count > max_count {
        let flaw = Flaw::new(format!("{min_count} is more than `max-count`, {max_count}"));
        section.refuse("min-count", flaw, problems);
    }
    Some(Reactive { min_count, max_count, ttl: ttl?, threshold: threshold?, increment: increment? })
}

fn read_failures(top: &Section<'_>, problems: &mut Problems) -> Failures {
    let mut failures = Failures::default();
    if let Some(section) = top.subsection("failures", FAILURES, problems) {
        for (name, place) in [
            ("create", &mut failures.create),
            ("init", &mut failures.init),
            ("run", &mut failures.run),
            ("logs", &mut failures.logs),
            ("pause", &mut failures.pause),
            ("resume", &mut failures.resume),
        ] {
            if let Some(probability) = section.read(name, problems, values::probability) {
                *place = probability;
            }
        }
    }
    failures
}
