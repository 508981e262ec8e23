//! The figures that are told, which of them first, and how they and their differences are written. Owns their names on the
//! page; must never compute what the summary does not have, the interval of a share excepted.

use super::run::RunView;
use crate::compare::stats::{Interval, wilson};
use crate::results::{duration, thousands};

/// What a figure is, hence how it is written.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Unit {
    Count,
    /// 0 to 100.
    Percent,
    Ms,
    Mib,
    GibSeconds,
}

/// One figure.
#[derive(Clone, Copy, Debug)]
pub(super) struct Metric {
    pub name: &'static str,
    pub path: &'static str,
    pub unit: Unit,
    /// Whether it is told though it is zero in all runs.
    pub always: bool,
}

const fn told(name: &'static str, path: &'static str, unit: Unit) -> Metric {
    Metric { name, path, unit, always: true }
}

const fn if_any(name: &'static str, path: &'static str, unit: Unit) -> Metric {
    Metric { name, path, unit, always: false }
}

/// What is told first.
pub(super) const HEADLINES: [Metric; 11] = [
    told("Cold starts", "cold_pct", Unit::Percent),
    told("Waited for a container", "waited_pct", Unit::Percent),
    if_any("Dropped", "dropped_pct", Unit::Percent),
    told("Response, p50", "response_ms.p50", Unit::Ms),
    told("Response, p95", "response_ms.p95", Unit::Ms),
    told("Response, p99", "response_ms.p99", Unit::Ms),
    told("Evictions", "containers.evicted", Unit::Count),
    told("Containers created", "containers.created", Unit::Count),
    told("Memory, mean", "memory.mean_mib", Unit::Mib),
    told("Memory, peak", "memory.peak_mib", Unit::Mib),
    told("Held idle", "memory.idle_gib_s", Unit::GibSeconds),
];

/// Everything, in groups.
pub(super) const GROUPS: [(&str, &[Metric]); 5] = [
    (
        "Invocations",
        &[
            told("Invocations", "invocations", Unit::Count),
            told("Served", "served", Unit::Count),
            told("Warm", "warm", Unit::Count),
            told("Cold", "cold", Unit::Count),
            if_any("Partly cold (prewarmed, or joined a start)", "partial", Unit::Count),
            if_any("Partly cold, of served", "partial_pct", Unit::Percent),
            if_any("Waited", "waited", Unit::Count),
            if_any("Dropped", "dropped", Unit::Count),
            if_any("Failed (answered with an error)", "failed", Unit::Count),
            if_any("Never started", "never_started", Unit::Count),
            if_any("Lost (never answered)", "lost", Unit::Count),
            if_any("Handed back and placed again", "resubmitted", Unit::Count),
            if_any("Unserved at the end", "unserved", Unit::Count),
        ],
    ),
    (
        "Time",
        &[
            told("Wait, mean", "wait_ms.mean", Unit::Ms),
            told("Wait, p50", "wait_ms.p50", Unit::Ms),
            told("Wait, p95", "wait_ms.p95", Unit::Ms),
            told("Wait, p99", "wait_ms.p99", Unit::Ms),
            told("Wait, longest", "wait_ms.max", Unit::Ms),
            told("Response, mean", "response_ms.mean", Unit::Ms),
            told("Response, p90", "response_ms.p90", Unit::Ms),
            told("Response, longest", "response_ms.max", Unit::Ms),
            told("Execution time above all-warm", "exec_increase_pct", Unit::Percent),
            told("Response above all-warm", "response_increase_pct", Unit::Percent),
        ],
    ),
    (
        "Start states",
        &[
            if_any("cold", "starts.cold", Unit::Count),
            if_any("recreated", "starts.recreated", Unit::Count),
            if_any("warmed", "starts.warmed", Unit::Count),
            if_any("warming", "starts.warming", Unit::Count),
            if_any("warmingCold", "starts.warming_cold", Unit::Count),
            if_any("prewarmed", "starts.prewarmed", Unit::Count),
            if_any("recreatedPrewarm", "starts.recreated_prewarm", Unit::Count),
        ],
    ),
    (
        "Memory",
        &[
            told("Pool", "memory.capacity_mib", Unit::Mib),
            told("Pool, on average", "memory.mean_capacity_mib", Unit::Mib),
            if_any("Pool changed", "memory.resizes", Unit::Count),
            told("Busy, mean", "memory.mean_busy_mib", Unit::Mib),
            told("Idle, mean", "memory.mean_idle_mib", Unit::Mib),
            if_any("Prewarmed, mean", "memory.mean_prewarmed_mib", Unit::Mib),
            told("Held busy", "memory.busy_gib_s", Unit::GibSeconds),
        ],
    ),
    (
        "Containers",
        &[
            told("Most at once", "containers.peak", Unit::Count),
            told("Expired", "containers.expired", Unit::Count),
            if_any("Removed as the pool shrank", "containers.shrunk", Unit::Count),
            if_any("Unloaded by a prewarm window", "containers.unloaded", Unit::Count),
            if_any("Failed", "containers.failed", Unit::Count),
            if_any("Prewarms started", "containers.prewarmed", Unit::Count),
            if_any("Prewarms refused", "containers.prewarms_refused", Unit::Count),
            if_any("Prewarms expired", "containers.prewarms_expired", Unit::Count),
        ],
    ),
];

/// What stands where a run has no such figure.
pub(super) const NONE: &str = "–";

impl Metric {
    pub(super) fn of(&self, run: &RunView) -> Option<f64> {
        run.figure(self.path)
    }

    /// Whether any of the runs has something to tell here.
    pub(super) fn is_told(&self, runs: &[RunView]) -> bool {
        let mut values = runs.iter().filter_map(|run| self.of(run));
        if self.always { values.next().is_some() } else { values.any(|value| value != 0.0) }
    }

    /// The figure, with its unit.
    pub(super) fn text(&self, run: &RunView) -> String {
        self.of(run).map_or_else(|| NONE.to_owned(), |value| self.unit.text(value))
    }

    /// Where a share lies, for those that are shares of the served.
    pub(super) fn interval(&self, run: &RunView) -> Option<String> {
        if self.path != "cold_pct" {
            return None;
        }
        let count = |path: &str| run.figure(path).map(|count| count as u64);
        let Interval { low, high, .. } = wilson(count("cold")?, count("served")?)?;
        Some(format!("95 % CI {:.2} to {:.2} %", 100.0 * low, 100.0 * high))
    }

    /// How it differs from another run's.
    pub(super) fn difference(&self, run: &RunView, first: &RunView) -> Option<String> {
        Some(self.unit.difference(self.of(run)?, self.of(first)?))
    }
}

impl Unit {
    /// A value with its unit.
    pub(super) fn text(self, value: f64) -> String {
        match self {
            Unit::Count => thousands(value as u64),
            Unit::Percent => format!("{value:.2} %"),
            Unit::Ms => duration(value),
            Unit::Mib if value < 2_048.0 => format!("{value:.0} MiB"),
            Unit::Mib => format!("{:.2} GiB", value / 1_024.0),
            Unit::GibSeconds if value < 10.0 => format!("{value:.2} GiB·s"),
            Unit::GibSeconds => format!("{} GiB·s", thousands(value.round() as u64)),
        }
    }

    /// `value` against `first`: percentages in points, counts and all else relatively.
    fn difference(self, value: f64, first: f64) -> String {
        let relative = || match first {
            0.0 => String::new(),
            _ => signed(100.0 * (value / first - 1.0), 1, " %"),
        };
        match self {
            _ if value == first => "=".to_owned(),
            Unit::Percent => signed(value - first, 2, " pp"),
            Unit::Count => {
                let sign = if value > first { "+" } else { "−" };
                let count = thousands((value - first).abs().round() as u64);
                let relative = relative();
                if relative.is_empty() {
                    format!("{sign}{count}")
                } else {
                    format!("{sign}{count}, {relative}")
                }
            }
            Unit::Ms | Unit::Mib | Unit::GibSeconds if first == 0.0 => "from nothing".to_owned(),
            Unit::Ms | Unit::Mib | Unit::GibSeconds => relative(),
        }
    }
}

/// A number with its sign, as people write it; what is rounded to zero is told as such.
pub(super) fn signed(value: f64, digits: usize, unit: &str) -> String {
    let text = format!("{:.digits$}", value.abs());
    let is_zero = text.chars().all(|c| matches!(c, '0' | '.'));
    let sign = match value {
        _ if is_zero => "±",
        value if value < 0.0 => "−",
        _ => "+",
    };
    format!("{sign}{text}{unit}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn differences_say_by_how_much() {
        for (unit, value, first, text) in [
            (Unit::Percent, 5.5, 7.0, "−1.50 pp"),
            (Unit::Percent, 7.001, 7.0, "±0.00 pp"),
            (Unit::Count, 1_500.0, 1_000.0, "+500, +50.0 %"),
            (Unit::Count, 3.0, 0.0, "+3"),
            (Unit::Ms, 90.0, 100.0, "−10.0 %"),
            (Unit::Ms, 90.0, 0.0, "from nothing"),
            (Unit::Mib, 4.0, 4.0, "="),
        ] {
            assert_eq!(unit.difference(value, first), text, "{unit:?} {value} {first}");
        }
    }

    #[test]
    fn figures_have_units() {
        assert_eq!(Unit::Mib.text(1_500.4), "1500 MiB");
        assert_eq!(Unit::Mib.text(49_152.0), "48.00 GiB");
        assert_eq!(Unit::GibSeconds.text(1_234.5), "1,235 GiB·s");
        assert_eq!(Unit::Count.text(1_348_162.0), "1,348,162");
    }
}
