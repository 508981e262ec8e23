//! The published FaasCache simulator, reimplemented exactly: same trace, policy and memory in, the same outcome of
//! every invocation, the same evictions and the same GreedyDual clock out, bit for bit.
//!
//! It exists to compare with published results and to show what its quirks cost. It must never be "improved":
//! whatever it does is the rule of docs/specs/faascache-artifact.md (FaasCache artifact, Fuerst & Sharma,
//! ASPLOS'21, simulator), cited below by section. It owns no file formats, reads no clock and draws no random
//! numbers; the policy RAND of the original is left out because its generator is unseeded (§4.9).
//!
//! Quirks that are kept on purpose:
//!
//! - Nothing happens between arrivals: completions, expiries, unloads and prewarms are noticed at the next arrival of
//!   any function (§0.5). A dropped invocation is not queued (§2.7).
//! - The pool is a binary heap that is rebuilt again and again; a rebuild permutes containers of equal priority, so
//!   the number of rebuilds decides which clone is reused or evicted (§1.3, §9).
//! - An eviction frees room for the whole new container, not for what is missing (§3.2), and evicts every idle
//!   container before an invocation that is dropped anyway (§3.5).
//! - TTL and LONG-TTL expire only containers of the invoked function, counted from the start of their last run;
//!   other functions keep theirs beyond the time limit until memory runs short (§4.5).
//! - FREQ weighs the frequency with the cold-start cost, SIZE is frequency by size, LND takes the warm duration for
//!   its credit and charges rent once per eviction, ALL evicts nothing at all (§4).
//! - HIST prewarms while the predicted moment is still ahead instead of once it has come, so that every arrival adds
//!   another container; it calls variance by mean a coefficient of variation (§5, §8).
//! - The published metrics take the warm duration for the cold-start overhead and the other way round (§6.3, §6.4);
//!   [`Metrics`] has them as published and with the roles put right.
//!
//! ```
//! use faassim::artifact::{Function, Outcome, Policy, Simulator};
//!
//! let functions = [Function { name: "thumbnail".into(), memory_mb: 256.0, cold_ms: 900.0, warm_ms: 100.0 }];
//! let mut simulator = Simulator::new(&functions, Policy::GreedyDual, 1024.0)?;
//! assert_eq!(simulator.step(0, 0.0, &mut ())?, Outcome::Miss);
//! assert_eq!(simulator.step(0, 5000.0, &mut ())?, Outcome::Hit);
//! assert_eq!(simulator.finish().counts.misses, 1);
//! # Ok::<(), faassim::artifact::InputError>(())
//! ```

mod heap;
mod hist;
mod observer;
mod policy;
mod report;
mod simulator;
#[cfg(test)]
mod tests;

pub use observer::{Event, EventKind, Observer};
pub use policy::{Policy, UnknownPolicy};
pub use report::{Counts, Metrics, Report};
pub use simulator::Simulator;

use std::fmt;

/// A function as the published simulator knows it (§0.1). Two functions are the same if their names are equal.
#[derive(Clone, Debug, PartialEq)]
pub struct Function {
    /// Its name, unique within one simulation.
    pub name: String,
    /// Memory of one container in MB, above zero. The published traces use whole numbers.
    pub memory_mb: f64,
    /// Total run time of a cold invocation in ms.
    pub cold_ms: f64,
    /// Run time of a warm invocation in ms.
    pub warm_ms: f64,
}

/// What became of an invocation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Outcome {
    /// An idle container of the function was reused: a warm start.
    Hit,
    /// A container was created: a cold start.
    Miss,
    /// There was no room even after evicting; the invocation is gone.
    Drop,
}

impl Outcome {
    /// The letter of the published outcome strings: `H`, `M` or `D`.
    pub fn letter(self) -> char {
        match self {
            Outcome::Hit => 'H',
            Outcome::Miss => 'M',
            Outcome::Drop => 'D',
        }
    }
}

/// Input that the published simulator would choke on, refused before anything changes.
#[derive(Clone, Debug, PartialEq)]
pub enum InputError {
    /// Two functions have the same name.
    DuplicateFunction {
        /// The name given twice.
        name: String,
    },
    /// A number of a function is not finite, negative, or (memory) not above zero.
    FunctionNumber {
        /// The name of the function.
        name: String,
        /// The field with the bad number.
        field: &'static str,
        /// The bad number.
        value: f64,
    },
    /// There are more functions than 32-bit indices.
    TooManyFunctions,
    /// The capacity is negative or not a number.
    Capacity {
        /// The bad capacity in MB.
        capacity_mb: f64,
    },
    /// An invocation names a function that does not exist.
    UnknownFunction {
        /// The index given.
        index: u32,
        /// The number of functions; valid indices are below it.
        functions: usize,
    },
    /// The time of an invocation is infinite or not a number.
    Time {
        /// The bad time in ms.
        time_ms: f64,
    },
    /// HIST only: time runs backwards by more than the histogram is long, where the published simulator crashes.
    Backwards {
        /// The time of the invocation in ms.
        time_ms: f64,
        /// The time of the previous invocation of the same function in ms.
        last_seen_ms: f64,
    },
}

impl fmt::Display for InputError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            InputError::DuplicateFunction { name } => {
                write!(f, "function '{name}' is given twice; names must be unique, remove or rename one")
            }
            InputError::FunctionNumber { name, field, value } => {
                let range = if *field == "memory_mb" { "above zero" } else { "zero or more" };
                write!(f, "function '{name}': {field} is {value}; give a finite number {range}")
            }
            InputError::TooManyFunctions => {
                write!(f, "there are more than {} functions; use fewer", u32::MAX)
            }
            InputError::Capacity { capacity_mb } => {
                write!(f, "the memory capacity is {capacity_mb} MB; give a number of MB, zero or more")
            }
            InputError::UnknownFunction { index, functions } => {
                write!(f, "there is no function with index {index}; the {functions} functions count from 0")
            }
            InputError::Time { time_ms } => {
                write!(f, "the time of an invocation is {time_ms} ms; give a finite number")
            }
            InputError::Backwards { time_ms, last_seen_ms } => write!(
                f,
                "time runs back from {last_seen_ms} ms to {time_ms} ms, further than the 240 minutes of the HIST \
                 histogram; sort the trace by time"
            ),
        }
    }
}

impl std::error::Error for InputError {}
