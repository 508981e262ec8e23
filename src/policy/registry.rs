//! Every policy by name. Drives parsing, `faassim policies`, suggestions for misspelt names, the
//! conformance suite and the table in the README. A new policy is one file and one line here.

use std::fmt;

use super::{
    Evict, KeepAlive, Param, Params, faascache, fifo, fixed, freq, gdsf, greedy_dual, hybrid_histogram,
    landlord, lfu, lru, random, s3_fifo, sieve, size, ski_rental,
};
use crate::pool::rules::Tracking;
use crate::suggest::suggest;

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
pub const EVICTION: &[EvictionPolicy] = &[
    lru::POLICY,
    fifo::POLICY,
    lfu::POLICY,
    greedy_dual::POLICY,
    freq::POLICY,
    size::POLICY,
    gdsf::POLICY,
    landlord::POLICY,
    random::POLICY,
    sieve::POLICY,
    s3_fifo::POLICY,
    faascache::POLICY,
];

/// All keep-alive policies.
pub const KEEP_ALIVE: &[KeepAlivePolicy] = &[fixed::POLICY, hybrid_histogram::POLICY, ski_rental::POLICY];

/// A name that is not in the registry.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct UnknownPolicy {
    /// `eviction` or `keep-alive`.
    pub what: &'static str,
    /// As written.
    pub name: String,
    /// The name that was probably meant.
    pub nearest: Option<&'static str>,
}

impl fmt::Display for UnknownPolicy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "unknown {} policy `{}`", self.what, self.name)
    }
}

impl std::error::Error for UnknownPolicy {}

impl UnknownPolicy {
    /// What to do about it.
    pub fn help(&self) -> String {
        match self.nearest {
            Some(nearest) => format!("did you mean `{nearest}`? `faassim policies` lists all"),
            None => "`faassim policies` lists all".to_owned(),
        }
    }
}

/// The eviction policy of this name.
///
/// # Errors
/// If there is none; the error knows the nearest name.
pub fn eviction(name: &str) -> Result<&'static EvictionPolicy, UnknownPolicy> {
    EVICTION.iter().find(|policy| policy.name == name).ok_or_else(|| UnknownPolicy {
        what: "eviction",
        name: name.to_owned(),
        nearest: suggest(name, EVICTION.iter().map(|policy| policy.name)),
    })
}

/// The keep-alive policy of this name.
///
/// # Errors
/// If there is none; the error knows the nearest name.
pub fn keep_alive(name: &str) -> Result<&'static KeepAlivePolicy, UnknownPolicy> {
    KEEP_ALIVE.iter().find(|policy| policy.name == name).ok_or_else(|| UnknownPolicy {
        what: "keep-alive",
        name: name.to_owned(),
        nearest: suggest(name, KEEP_ALIVE.iter().map(|policy| policy.name)),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pool::rules::PRESETS;

    #[test]
    fn every_name_finds_its_policy_and_only_that() {
        for policy in EVICTION {
            assert_eq!(eviction(policy.name).map(|found| found.summary), Ok(policy.summary));
        }
        for policy in KEEP_ALIVE {
            assert_eq!(keep_alive(policy.name).map(|found| found.summary), Ok(policy.summary));
        }
        for preset in PRESETS {
            assert!(eviction(preset.eviction).is_ok(), "preset {}", preset.name);
        }
    }

    #[test]
    fn a_misspelt_name_is_answered_with_the_right_one() {
        let unknown = eviction("greedydual").unwrap_err();
        assert_eq!(unknown.to_string(), "unknown eviction policy `greedydual`");
        assert_eq!(unknown.help(), "did you mean `greedy-dual`? `faassim policies` lists all");
        let unknown = keep_alive("banana").unwrap_err();
        assert_eq!(unknown.to_string(), "unknown keep-alive policy `banana`");
        assert_eq!(unknown.help(), "`faassim policies` lists all");
    }
}
