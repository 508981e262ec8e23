//! Every policy by name. Drives parsing, `faassim policies`, suggestions for misspelt names, the
//! conformance suite and the table in the README. A new policy is one file and one line here.

use crate::policy::{Evict, KeepAlive, Param, Params};
use crate::pool::rules::Tracking;

/// What a policy may want to know when it is made.
#[derive(Clone, Copy, Debug)]
pub struct Making {
    /// The scenario's seed.
    pub seed: u64,
    /// How invocations are counted.
    pub tracking: Tracking,
    /// Memory of the pool in MiB.
    pub capacity_mib: u64,
}

/// An eviction policy.
#[derive(Debug)]
pub struct EvictionPolicy {
    /// As written in a scenario.
    pub name: &'static str,
    /// One line.
    pub summary: &'static str,
    /// Where it comes from.
    pub source: &'static str,
    /// What can be set.
    pub params: &'static [Param],
    /// Makes one.
    pub make: fn(&mut Params<'_>, Making) -> Box<dyn Evict>,
}

/// A keep-alive policy.
#[derive(Debug)]
pub struct KeepAlivePolicy {
    /// As written in a scenario.
    pub name: &'static str,
    /// One line.
    pub summary: &'static str,
    /// Where it comes from.
    pub source: &'static str,
    /// What can be set.
    pub params: &'static [Param],
    /// Makes one.
    pub make: fn(&mut Params<'_>, Making) -> Box<dyn KeepAlive>,
}

/// All eviction policies.
pub const EVICTION: &[EvictionPolicy] = &[];

/// All keep-alive policies.
pub const KEEP_ALIVE: &[KeepAlivePolicy] = &[];
