//! Every policy by name. Drives parsing, `faassim policies`, suggestions for misspelt names, the
//! conformance suite and the table in the README. A new policy is one file and one line here.

use super::{
    Evict, KeepAlive, Param, Params, faascache, fifo, fixed, freq, gdsf, greedy_dual, hybrid_histogram,
    landlord, lfu, lru, random, s3_fifo, sieve, size, ski_rental,
};
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pool::rules::PRESETS;

    #[test]
    fn names_are_unique_and_presets_name_a_policy() {
        let mut names: Vec<&str> = EVICTION.iter().map(|policy| policy.name).collect();
        names.extend(KEEP_ALIVE.iter().map(|policy| policy.name));
        names.sort_unstable();
        assert!(names.windows(2).all(|pair| pair[0] != pair[1]), "{names:?}");
        for preset in PRESETS {
            assert!(EVICTION.iter().any(|policy| policy.name == preset.eviction), "preset {}", preset.name);
        }
    }
}
