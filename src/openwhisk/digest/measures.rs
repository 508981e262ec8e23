//! What is measured of every activation, and distributions of whole milliseconds. Owns their names; must never know
//! where activations come from.

use std::collections::BTreeMap;

use crate::openwhisk::phases::{Activation, Phase};

/// One thing that is measured of an activation.
#[derive(Clone, Copy, Debug)]
pub struct Measure {
    /// As JSON has it.
    pub key: &'static str,
    /// As tables have it; what is part of the one above is indented.
    pub title: &'static str,
    /// How long it took in ms, if it did.
    pub of: fn(&Activation) -> Option<i64>,
    phase: Option<Phase>,
}

impl Measure {
    /// Whether it ended with an error, so that its duration means nothing.
    pub fn has_failed(&self, activation: &Activation) -> bool {
        self.phase.is_some_and(|phase| activation.mark(phase).failed)
    }
}

macro_rules! phase {
    ($phase:ident, $title:literal) => {
        Measure {
            key: Phase::$phase.name(),
            title: $title,
            of: |activation| activation.mark(Phase::$phase).succeeded().map(i64::from),
            phase: Some(Phase::$phase),
        }
    };
}

const fn derived(key: &'static str, title: &'static str, of: fn(&Activation) -> Option<i64>) -> Measure {
    Measure { key, title, of, phase: None }
}

/// Everything that is measured, in the order of an activation's life, then sums.
pub const MEASURES: &[Measure] = &[
    phase!(Controller, "controller"),
    phase!(LoadBalancing, "  load balancing"),
    phase!(Queue, "  queue write"),
    derived("http_202", "accepted (202) after", |a| a.accepted.map(i64::from)),
    derived(
        "invoker_overhead_before_container_work",
        "invoker until placement",
        Activation::invoker_overhead,
    ),
    derived("container_provisioning", "placement until init/run", Activation::provisioning),
    phase!(Pull, "  docker pull"),
    phase!(Create, "  docker run"),
    phase!(Inspect, "  docker inspect"),
    phase!(Unpause, "  docker unpause"),
    phase!(Init, "init"),
    phase!(Run, "run"),
    phase!(CollectLogs, "collect logs"),
    phase!(DockerLogs, "  docker logs"),
    phase!(Save, "store record"),
    derived("completion_ack_received", "completion ack after", |a| a.since_request(a.ack_at)),
    derived("idle_before_pause_after_logs", "logs until pause", Activation::idle_before_pause),
    phase!(Pause, "docker pause"),
    derived("wait_time_estimate", "= wait", |a| a.wait().map(i64::from)),
    derived("duration", "= init and run", |a| a.duration().map(i64::from)),
    derived("response", "= response", |a| a.response().map(i64::from)),
];

/// How often each number of milliseconds occurred: exact, and no larger than there are different ones.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Histogram(BTreeMap<i64, u64>);

impl Histogram {
    /// One more.
    pub fn add(&mut self, ms: i64) {
        *self.0.entry(ms).or_default() += 1;
    }

    /// How many.
    pub fn count(&self) -> u64 {
        self.0.values().sum()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Their mean in ms; 0 of none.
    pub fn mean(&self) -> f64 {
        let sum: i128 = self.0.iter().map(|(ms, count)| i128::from(*ms) * i128::from(*count)).sum();
        sum as f64 / self.count().max(1) as f64
    }

    /// The least value that so many per cent do not exceed, in ms; 0 of none.
    pub fn percentile(&self, percent: u64) -> i64 {
        let wanted = (self.count() * percent).div_ceil(100).max(1);
        let mut seen = 0;
        let reached = self.0.iter().find(|(_, count)| {
            seen += **count;
            seen >= wanted
        });
        reached.map_or(0, |(ms, _)| *ms)
    }

    /// The greatest, in ms; 0 of none.
    pub fn max(&self) -> i64 {
        self.0.last_key_value().map_or(0, |(ms, _)| *ms)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_values_that_occurred() {
        let mut histogram = Histogram::default();
        assert_eq!((histogram.percentile(50), histogram.max(), histogram.mean()), (0, 0, 0.0));
        for ms in 1..=20 {
            histogram.add(ms * 10);
        }
        assert_eq!((histogram.percentile(50), histogram.percentile(95)), (100, 190));
        assert_eq!((histogram.percentile(100), histogram.percentile(0)), (200, 10));
        assert_eq!((histogram.count(), histogram.mean(), histogram.max()), (20, 105.0, 200));
    }

    #[test]
    fn measures_have_names_of_their_own() {
        let keys: std::collections::BTreeSet<&str> = MEASURES.iter().map(|measure| measure.key).collect();
        assert_eq!(keys.len(), MEASURES.len());
    }
}
