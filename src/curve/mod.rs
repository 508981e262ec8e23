//! Hit-rate curves: the part of invocations that start warm, against memory. Owns what a curve is and how
//! each is found; must never print, write, or let one kind of curve pass for another.
//!
//! | file | curves |
//! |-|-|
//! | [`exact`] | eviction policies, simulated at every amount of memory |
//! | [`clairvoyant`] | the same with an eviction policy that knows the future: a heuristic |
//! | [`reuse`], [`copies`] | reuse distances: the textbook's, FaasCache's, and with every concurrent copy on its own |
//! | [`sample`], [`mini`] | estimates from samples of functions: SHARDS, miniature simulation |
//! | [`bounds`] | what no policy can pass, with proofs |
//! | [`axis`], [`provision`], [`mod@study`] | amounts of memory; how much is enough; all together |
//!
//! **Warm ratio** here is 100 · warm starts / invocations. What is dropped counts as not warm, so that a pool
//! does not look better for turning work away; where nothing is dropped it is `warm_pct` of `faassim run`.
//!
//! **Reuse-distance curves** treat a function as one object that is there or not, as in a cache: they ignore
//! run times and that several invocations at once need several containers. They are exact for LRU where every
//! invocation is over before the next begins and nothing expires, and too high where functions run several at
//! once.
//!
//! * `reuse-distance`, the textbook's: a hit iff distance + own memory ≤ memory, of all accesses (first ones
//!   are misses).
//! * `reuse-distance (FaasCache)`: a hit iff distance ≤ memory, of accesses that are not the first
//!   (ASPLOS'21, §5, as in docs/specs/faascache-artifact.md §7.1). So it is higher than the first. The
//!   artifact looks an amount of memory up at the *nearest* distance (§7.2); here it is P(distance ≤ memory),
//!   the distribution function itself.
//! * `reuse-distance, copies`: the textbook's, but the k-th container that a function needs at once is an
//!   object of its own; which one serves is found in an endless pool with declared warm run times. So busy
//!   copies count.

pub mod axis;
pub mod bounds;
pub mod clairvoyant;
pub mod copies;
pub mod exact;
pub mod mini;
pub mod provision;
pub mod reuse;
pub mod sample;
pub mod study;

pub use axis::Axis;
pub use provision::{Answer, Precision};
pub use sample::Sampling;
pub use study::{Request, Study, study};

use crate::memory::Memory;
use crate::sim::ReplayError;

/// What a curve, or a point of one, is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// Simulated under the scenario's rules.
    Exact,
    /// Simulated so with a policy that nobody can run; no bound.
    Heuristic,
    /// Exact for a simpler world than the scenario's.
    Model,
    /// Found from a sample.
    Estimate,
    /// Simulated with memory without limit.
    Reference,
    /// No policy under the scenario's rules can be above.
    Bound,
    /// No policy can be above in a run in which nobody waits, nothing is loaded ahead and the pool keeps to
    /// its memory; the scenario's rules do not ensure that.
    ConditionalBound,
}

impl Kind {
    /// As in tables.
    pub fn name(self) -> &'static str {
        match self {
            Kind::Exact => "exact",
            Kind::Heuristic => "heuristic",
            Kind::Model => "model",
            Kind::Estimate => "estimate",
            Kind::Reference => "reference",
            Kind::Bound => "bound",
            Kind::ConditionalBound => "conditional bound",
        }
    }
}

/// A curve.
#[derive(Clone, PartialEq, Debug)]
pub struct Curve {
    /// What it is called.
    pub name: String,
    /// What it is; a bound may be conditional at some of its points.
    pub kind: Kind,
    /// By memory, ascending.
    pub points: Vec<Point>,
    /// From which memory on a bound is unconditional; all points are what `kind` says if not given.
    pub proven_from: Option<Memory>,
}

impl Curve {
    /// What a point of it is.
    pub fn kind_at(&self, memory: Memory) -> Kind {
        match self.proven_from {
            Some(least) if memory >= least => Kind::Bound,
            _ => self.kind,
        }
    }
}

/// A point of a curve.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Point {
    /// Memory of the pool.
    pub memory: Memory,
    /// 100 · warm starts / invocations; of a bound, the most that this can be.
    pub warm_pct: f64,
    /// The least and the greatest of several samples, in %.
    pub band: Option<(f64, f64)>,
    /// Starts that were not warm; of a bound, the least number of these and of dropped invocations together.
    pub cold: Option<u64>,
    /// Invocations that were not served.
    pub dropped: Option<u64>,
}

/// Is told how far a study is. Several threads tell.
pub trait Watch: Sync {
    /// So many more invocations were worked on; `false` stops the study.
    fn proceed(&self, more: u64) -> bool;
}

/// Why there are no curves.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Failure {
    /// Stopped from outside.
    Stopped,
    /// The scenario does not fit the trace or the request; the text says how.
    Unfit(String),
}

impl From<ReplayError> for Failure {
    fn from(error: ReplayError) -> Failure {
        match error {
            ReplayError::Stopped => Failure::Stopped,
            ReplayError::Unfit(why) => Failure::Unfit(why),
        }
    }
}

/// 100 · part / whole; 0 if there is nothing.
fn percent(part: u64, whole: u64) -> f64 {
    if whole == 0 { 0.0 } else { 100.0 * part as f64 / whole as f64 }
}
