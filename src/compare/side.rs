//! One side of a comparison. Owns what every source of records has in common; must never know how a source
//! is read.

use crate::memory::Memory;
use crate::pool::boundary::StartState;
use crate::tally::{Causes, MemorySample, Rows};
use crate::time::{Span, Time};

/// Where a record comes from.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum SideKind {
    /// A scenario, simulated.
    Simulation,
    /// A live run of ours.
    Live,
    /// OpenWhisk's own log.
    OpenWhisk,
    /// A trace in which a platform's own answers were recorded, cold or warm.
    Measured,
    /// A table of invocations, whoever made it.
    Table,
}

impl SideKind {
    /// In a word or two, as tables have it.
    pub const fn name(self) -> &'static str {
        match self {
            SideKind::Simulation => "simulation",
            SideKind::Live => "live run",
            SideKind::OpenWhisk => "OpenWhisk log",
            SideKind::Measured => "measured trace",
            SideKind::Table => "table",
        }
    }
}

/// How an invocation was served.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Class {
    /// From a warm container.
    Warm,
    /// From a prewarmed one, or by joining one that was being started.
    Partial,
    /// From a container created for it.
    Cold,
    /// Not at all: dropped, lost, or answered without ever getting a container.
    Unserved,
}

impl Class {
    /// All of them, in table order.
    pub const ALL: [Class; 4] = [Class::Warm, Class::Partial, Class::Cold, Class::Unserved];

    /// As tables have it.
    pub const fn name(self) -> &'static str {
        match self {
            Class::Warm => "warm",
            Class::Partial => "partial",
            Class::Cold => "cold",
            Class::Unserved => "unserved",
        }
    }

    /// Of a start state; without one nothing was served.
    pub const fn of(start: Option<StartState>) -> Class {
        match start {
            None => Class::Unserved,
            Some(state) if state.is_warm() => Class::Warm,
            Some(state) if state.creates() => Class::Cold,
            Some(_) => Class::Partial,
        }
    }
}

/// One invocation as a side saw it. Times that a source does not tell are `None`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Invocation {
    /// Its number among all arrivals of its source, from 0: by this both sides know it.
    pub number: u64,
    /// Its function, as an index into [`Side::functions`].
    pub function: u32,
    /// When it arrived, since the beginning of the record.
    pub arrival: Time,
    /// How it was served.
    pub class: Class,
    /// The start state in OpenWhisk's words, where that is known.
    pub start: Option<StartState>,
    /// From arrival to init or run.
    pub wait: Option<Span>,
    /// Initialisation.
    pub init: Option<Span>,
    /// Initialisation plus run.
    pub duration: Option<Span>,
    /// From arrival to the end of the run.
    pub response: Option<Span>,
    /// Whether it ended with a developer or system error.
    pub failed: bool,
}

/// A record of a run.
#[derive(Clone, PartialEq, Debug)]
pub struct Side {
    /// What the user called it: a path.
    pub label: String,
    /// Where it comes from.
    pub kind: SideKind,
    /// SHA-256 of the trace that was replayed, where it was one of ours.
    pub trace_sha256: Option<String>,
    /// Names of functions.
    pub functions: Vec<String>,
    /// By number, ascending; numbers may be missing.
    pub invocations: Vec<Invocation>,
    /// Memory over time, if known.
    pub memory: Vec<MemorySample>,
    /// What the pool may use at the beginning, if known.
    pub capacity: Option<Memory>,
    /// Containers that were created, if known.
    pub created: Option<u64>,
    /// Containers that were evicted, if known.
    pub evicted: Option<u64>,
    /// Why starts were not warm, if known.
    pub causes: Option<Causes>,
    /// How many seconds of the trace went by in one, if known.
    pub speed: Option<f64>,
    /// Whether it tells only cold or warm, so that nothing can be partial.
    pub two_classes: bool,
    /// What must be known to read its figures, one sentence each: an interrupted run, a source without waits.
    pub notes: Vec<String>,
}

impl Side {
    /// A record of which no more is known yet.
    pub fn new(label: impl Into<String>, kind: SideKind, functions: Vec<String>) -> Side {
        Side {
            label: label.into(),
            kind,
            trace_sha256: None,
            functions,
            invocations: Vec::new(),
            memory: Vec::new(),
            capacity: None,
            created: None,
            evicted: None,
            causes: None,
            speed: None,
            two_classes: false,
            notes: Vec::new(),
        }
    }

    /// The name of an invocation's function.
    pub fn function_of(&self, invocation: &Invocation) -> &str {
        self.functions.get(invocation.function as usize).map_or("", String::as_str)
    }

    /// One more than the last number; 0 if there is none.
    pub fn end(&self) -> u64 {
        self.invocations.last().map_or(0, |last| last.number + 1)
    }
}

/// Invocations of a tally's rows, by number.
pub fn invocations_of(rows: &Rows) -> Vec<Invocation> {
    let span = |column: &[Option<u64>], row: usize| column[row].map(Span);
    let mut all: Vec<Invocation> = (0..rows.len())
        .map(|row| {
            let start = rows.start[row].and_then(start_named);
            Invocation {
                number: rows.number[row],
                function: rows.function[row],
                arrival: Time(rows.arrived_us[row]),
                class: Class::of(start),
                start,
                wait: span(&rows.wait_us, row),
                init: span(&rows.init_us, row),
                duration: span(&rows.duration_us, row),
                response: span(&rows.response_us, row),
                failed: rows.outcome[row].ends_with("developer-error")
                    || rows.outcome[row].ends_with("system-error"),
            }
        })
        .collect();
    all.sort_unstable_by_key(|invocation| invocation.number);
    all
}

/// The start state of this name.
pub fn start_named(name: &str) -> Option<StartState> {
    StartState::ALL.into_iter().find(|state| state.name() == name)
}
