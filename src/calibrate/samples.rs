//! Durations by what they are the cost of, in general and by function. Owns the names of costs; must never fit anything.

use std::collections::BTreeMap;

use super::contention::Stretch;

/// A key of `[costs]` that is a duration.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Cost {
    /// Fetching an image.
    Pull,
    /// Creating a container.
    Create,
    /// Loading code.
    Init,
    /// Loading code beyond what the trace says.
    InitOverhead,
    /// The first run in a fresh container.
    FirstRun,
    /// A run.
    Run,
    /// A run beyond what the trace says.
    RunOverhead,
    /// Thawing.
    Unpause,
    /// Freezing.
    Pause,
    /// Collecting logs.
    Logs,
    /// Removing.
    Remove,
}

impl Cost {
    /// All of them, in table order.
    pub const ALL: [Cost; 11] = [
        Cost::Pull,
        Cost::Create,
        Cost::Init,
        Cost::InitOverhead,
        Cost::FirstRun,
        Cost::Run,
        Cost::RunOverhead,
        Cost::Unpause,
        Cost::Pause,
        Cost::Logs,
        Cost::Remove,
    ];

    /// The key.
    pub const fn name(self) -> &'static str {
        match self {
            Cost::Pull => "pull",
            Cost::Create => "create",
            Cost::Init => "init",
            Cost::InitOverhead => "init-overhead",
            Cost::FirstRun => "first-run",
            Cost::Run => "run",
            Cost::RunOverhead => "run-overhead",
            Cost::Unpause => "unpause",
            Cost::Pause => "pause",
            Cost::Logs => "logs",
            Cost::Remove => "remove",
        }
    }

    /// The cost of this key.
    pub fn named(name: &str) -> Option<Cost> {
        Cost::ALL.into_iter().find(|cost| cost.name() == name)
    }
}

/// Durations in µs.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Samples {
    /// Of every function without some of its own.
    pub general: BTreeMap<Cost, Vec<f64>>,
    /// By function.
    pub functions: BTreeMap<String, BTreeMap<Cost, Vec<f64>>>,
    /// How steps slow each other down, if that was looked at.
    pub stretch: Option<Stretch>,
    /// Whether functions were imitated, which goes by the clock.
    pub imitated: bool,
}

impl Samples {
    /// All of another. Of how steps slow each other down, the one holds that explains more.
    pub fn join(&mut self, other: Samples) {
        for (cost, durations) in other.general {
            self.general.entry(cost).or_default().extend(durations);
        }
        for (function, costs) in other.functions {
            let own = self.functions.entry(function).or_default();
            for (cost, durations) in costs {
                own.entry(cost).or_default().extend(durations);
            }
        }
        self.imitated |= other.imitated;
        let explained = |stretch: &Option<Stretch>| stretch.map_or(0.0, |found| found.explained);
        if explained(&other.stretch) > explained(&self.stretch) {
            self.stretch = other.stretch;
        }
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.general.is_empty() && self.functions.is_empty()
    }

    /// One more.
    pub fn add(&mut self, function: Option<&str>, cost: Cost, us: f64) {
        let of = match function {
            None => &mut self.general,
            Some(name) => self.functions.entry(name.to_owned()).or_default(),
        };
        of.entry(cost).or_default().push(us);
    }
}
