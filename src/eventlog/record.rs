//! The lines of an event log. Owns the schema (docs/event-log.md): facts and orders are the pool's own
//! types, so that a log says exactly what the pool heard and said. Must never hold what can be computed from the rest.

use serde::{Deserialize, Serialize};

use super::Measured;
use crate::pool::{Action, Input};
use crate::time::{Span, Time};
use crate::worker::WorkerFunction;

/// The version of the schema that is written, and the only one that is read.
pub const SCHEMA: u32 = 1;

/// One line.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Record {
    /// The first line: what was run, on what.
    Log(Box<Header>),
    /// The worker came up.
    Began {
        /// In µs since the run's own beginning, as everywhere below.
        t: Time,
    },
    /// The pool was told a fact.
    Told(Told),
    /// The pool gave an order, in answer to the fact above.
    Ordered {
        /// When.
        t: Time,
        /// What.
        action: Action,
    },
    /// The last line of a run that ended by itself or was ended in order.
    Ended(Ended),
}

/// What was run, on what. Suffices to make the same pool again, without the trace.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Header {
    /// Version of faassim.
    pub faassim: String,
    /// Version of this schema.
    pub schema: u32,
    /// When the run began, UTC, as in RFC 3339.
    pub started: String,
    /// What carried out the orders, as in `docker 20.10.24`.
    pub backend: String,
    /// Processors and memory of the machine.
    pub machine: Machine,
    /// Where the scenario was read from, as given.
    pub scenario_file: String,
    /// What it said.
    pub scenario: String,
    /// What was set from outside, as given.
    pub overrides: Vec<String>,
    /// SHA-256 of the trace.
    pub trace_sha256: String,
    /// Where that was read from.
    pub trace_path: String,
    /// Invocations in all of the trace.
    pub trace_invocations: u64,
    /// How many arrivals were meant to be sent.
    pub arrivals: u64,
    /// The functions by number, as the pool sees them.
    pub functions: Vec<WorkerFunction>,
    /// What each function runs, in the same order.
    pub actions: Vec<String>,
    /// In the same order: how long loading is told to take, in µs, where a function is only imitated and takes the time it is
    /// told. Logs of before this was told do not have it.
    #[serde(default)]
    pub loading_us: Vec<Option<u64>>,
}

impl Header {
    /// How long loading this function is told to take, if it takes what it is told; runs then do as well.
    pub fn loading(&self, function: usize) -> Option<Span> {
        match self.loading_us.get(function) {
            Some(loading) => loading.map(Span),
            None => {
                // By the trace, as long as its costs were not changed.
                let imitated = self.actions.get(function).is_some_and(|action| action == LOOKBUSY);
                let of = self.functions.get(function).filter(|_| imitated)?;
                Some(Span(of.cold_us.saturating_sub(of.warm_us)))
            }
        }
    }
}

/// The action that takes the time it is told.
pub const LOOKBUSY: &str = "lookbusy";

/// A machine, as far as it matters.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Machine {
    /// Processors that may be used.
    pub cpus: u32,
    /// Memory in MiB.
    pub memory_mib: u64,
}

/// A fact that the pool was told.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Told {
    /// When.
    pub t: Time,
    /// What.
    pub input: Input,
    /// Of an arrival.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub arrival: Option<Arrived>,
    /// Of what a backend did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub measured: Option<Measured>,
}

/// An arrival beyond what the pool is told.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Arrived {
    /// Its number among all arrivals, from 0.
    pub number: u64,
    /// When it was due; what it came later is the lag of the load generator.
    pub due: Time,
    /// How long it runs in a warm container by the trace, in µs.
    pub run_us: u64,
}

/// How a run ended.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ended {
    /// When.
    pub t: Time,
    /// Why.
    pub why: Why,
    /// Activations under way when it ended.
    pub unserved: u64,
    /// Containers that were removed at the end because they were still there.
    pub removed: u64,
    /// What could not be removed.
    pub leftovers: Vec<String>,
}

/// Why a run ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Why {
    /// All arrivals were sent, and what came of them is done or waits for nothing.
    Done,
    /// Work was still under way when the time for that was over.
    DrainedTooLong,
    /// The user stopped the arrivals; what was under way has ended.
    Stopped,
    /// The user wanted it to end at once.
    CutShort,
    /// The event log could not be written.
    LogFailed,
}
