//! One run as a row: where it stands in the grid, what it came to, or why it came to nothing. Owns the names of columns
//! and their order; must never compute a figure.

use serde::Serialize;
use serde_json::{Map, Value};

use super::Plan;
use crate::artifact;
use crate::scenario::{Axis, AxisValue, Engine, Scenario, differences};
use crate::sim::Published;
use crate::tally::Summary;

/// Cells by column, in the order of the columns.
pub type Row = Map<String, Value>;

/// Columns that every sweep has beside its axes, whatever is varied: what held in the run.
const HELD: [&str; 6] = ["memory_mib", "eviction", "keep_alive", "rules", "seed", LAST_HELD];

/// The last of them, behind which the figures begin.
const LAST_HELD: &str = "trace";

/// The column of what went wrong; empty if nothing did.
pub(super) const ERROR: &str = "error";

/// Whether a row has figures.
pub(super) fn is_fine(row: &Row) -> bool {
    row.get(ERROR).and_then(Value::as_str).is_some_and(str::is_empty)
}

/// The number of a row, counted from 1.
pub(super) fn number(row: &Row) -> Option<u64> {
    row.get("run").and_then(Value::as_u64)
}

/// Everything of a row but figures and error: its number and what it stands for. `trace`: what the trace is called.
pub(super) fn front(plan: &Plan, number: usize, scenario: Option<&Scenario>, trace: &str) -> Row {
    let mut row = Row::new();
    row.insert("run".to_owned(), Value::from(number + 1));
    for (axis, value) in plan.base().axes().iter().zip(plan.values(number)) {
        if has_column(axis.path()) {
            row.insert(axis.path().to_owned(), axis_cell(axis, value));
        }
    }
    let (eviction, keep_alive, rules) =
        scenario.map_or_else(Default::default, |scenario| held(&scenario.engine));
    let held = [
        scenario.map_or(Value::Null, |scenario| Value::from(scenario.memory.mib())),
        Value::from(eviction),
        Value::from(keep_alive),
        Value::from(rules),
        scenario.map_or(Value::Null, |scenario| Value::from(scenario.seed)),
        Value::from(trace),
    ];
    row.extend(HELD.map(str::to_owned).into_iter().zip(held));
    row
}

/// Whether an axis has a column of its own, and not one of those that every sweep has.
fn has_column(path: &str) -> bool {
    !HELD.contains(&path.replace('-', "_").as_str())
}

/// A number where all values of the axis are numbers, else text.
fn axis_cell(axis: &Axis, value: &AxisValue) -> Value {
    let number = |value: &AxisValue| serde_json::from_str(value.set.value()).ok().filter(Value::is_number);
    let all = axis.values().iter().all(|value| number(value).is_some());
    number(value).filter(|_| all).unwrap_or_else(|| Value::from(value.shown.as_str()))
}

/// Eviction, keep-alive and rules as text.
fn held(engine: &Engine) -> (String, String, String) {
    match engine {
        Engine::Artifact(policy) => {
            (policy.name().to_owned(), String::new(), "faascache-artifact".to_owned())
        }
        Engine::Pool(setup) => {
            let changed = differences(&setup.rules, &setup.preset.rules);
            let rules = std::iter::once(setup.preset.name.to_owned())
                .chain(changed.iter().map(|(name, value)| format!("{name} = {value}")));
            let rules = rules.collect::<Vec<_>>().join(", ");
            (setup.eviction.to_string(), setup.keep_alive.to_string(), rules)
        }
    }
}

/// The row with the figures of a run.
pub(super) fn with_figures(mut front: Row, figures: Row) -> Row {
    front.extend(figures);
    front.insert(ERROR.to_owned(), Value::from(""));
    front
}

/// The row of a run that came to nothing.
pub(super) fn with_error(mut front: Row, error: &str) -> Row {
    front.insert(ERROR.to_owned(), Value::from(error));
    front
}

/// The columns before the figures, those of the axes among them.
pub(super) fn front_names(row: &Row) -> impl Iterator<Item = &str> {
    let end = row.keys().position(|name| name == LAST_HELD).map_or(0, |at| at + 1);
    row.keys().map(String::as_str).take(end)
}

/// The figures of a row alone.
pub(super) fn figures(row: &Row) -> Row {
    let figures = row.iter().skip(front_names(row).count()).filter(|(name, _)| *name != ERROR);
    figures.map(|(name, value)| (name.clone(), value.clone())).collect()
}

/// Figures of the served beside waits and responses.
const OF_SERVED: [&str; 5] =
    ["warm_pct", "cold_pct", "partial_pct", "exec_increase_pct", "response_increase_pct"];

/// All figures of a run through the pool. Where nobody was served, figures of the served are missing: 0 would be perfect.
pub(super) fn of_summary(summary: &Summary) -> Row {
    let mut row = flat(summary);
    if summary.served == 0 {
        row.iter_mut().filter(|(name, _)| is_of_served(name)).for_each(|(_, value)| *value = Value::Null);
    }
    row
}

fn is_of_served(name: &str) -> bool {
    let is_time = name.starts_with("wait_") || name.starts_with("response_");
    OF_SERVED.contains(&name) || is_time && name.ends_with("_ms")
}

/// All figures that a run through the pool can have, as they are if nothing happened.
pub(super) fn usual() -> Row {
    flat(&Summary::default())
}

/// The figures of the published simulator, under the names of the pool's where they mean the same.
pub(super) fn of_published(published: &Published) -> Row {
    let Published { report, simulated_s } = published;
    let artifact::Report { counts, .. } = report;
    let metrics = report.metrics();
    let cells = [
        ("invocations", Value::from(counts.invocations())),
        ("served", Value::from(counts.served())),
        ("warm", Value::from(counts.hits)),
        ("cold", Value::from(counts.misses)),
        ("warm_pct", Value::from(metrics.cold_pct.map(|cold| 100.0 - cold))),
        ("cold_pct", Value::from(metrics.cold_pct)),
        ("dropped", Value::from(counts.dropped)),
        ("dropped_pct", Value::from(metrics.drop_pct)),
        ("exec_increase_pct", Value::from(metrics.exec_increase_pct_total_time)),
        ("memory_peak_mib", Value::from(report.peak_memory_mb)),
        ("containers_peak", Value::from(report.peak_pool)),
        ("containers_evicted", Value::from(report.evict_pressure)),
        ("containers_expired", Value::from(report.evict_expired)),
        ("containers_unloaded", Value::from(report.hist_unloads)),
        ("containers_prewarmed", Value::from(report.prewarm_added)),
        ("containers_prewarms_refused", Value::from(report.prewarm_rejected)),
        ("simulated_s", Value::from(*simulated_s)),
        ("exec_increase_pct_published", Value::from(metrics.exec_increase_pct_published)),
        ("exec_increase_pct_fixed", Value::from(metrics.exec_increase_pct_fixed)),
        ("wted_eat_ms_published", Value::from(metrics.wted_eat_ms_published)),
        ("server_cold_ms_published", Value::from(metrics.server_cold_ms_published)),
        ("final_clock", Value::from(report.final_clock)),
    ];
    cells.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

/// A structure as one row: names of inner fields follow those of outer ones, a unit stays at the end.
fn flat(figures: &impl Serialize) -> Row {
    let mut row = Row::new();
    // Plain structures of numbers and texts always become JSON.
    if let Ok(Value::Object(fields)) = serde_json::to_value(figures) {
        flatten("", fields, &mut row);
    }
    row
}

fn flatten(outer: &str, fields: Map<String, Value>, row: &mut Row) {
    for (field, value) in fields {
        let name = match outer.strip_suffix("_ms") {
            _ if outer.is_empty() => field,
            Some(what) => format!("{what}_{field}_ms"),
            None => format!("{outer}_{field}"),
        };
        match value {
            Value::Object(inner) => flatten(&name, inner, row),
            value => drop(row.insert(name, value)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_stay_at_the_end() {
        let row = usual();
        for name in [
            "cold_pct",
            "starts_cold",
            "wait_p99_ms",
            "memory_idle_gib_s",
            "containers_peak",
            "exec_increase_pct",
        ] {
            assert!(row.contains_key(name), "{name}");
        }
        assert!(row.values().all(|value| !value.is_object() && !value.is_array()));
    }

    #[test]
    fn who_served_nobody_is_not_perfect() {
        let missing = |served| {
            let row = of_summary(&Summary { served, ..Summary::default() });
            row.iter().filter(|(_, value)| value.is_null()).map(|(name, _)| name.clone()).collect::<Vec<_>>()
        };
        let of_nobody = missing(0);
        for name in
            ["cold_pct", "exec_increase_pct", "response_increase_pct", "wait_p50_ms", "response_max_ms"]
        {
            assert!(of_nobody.iter().any(|missing| missing == name), "{name}");
        }
        assert!(!of_nobody.iter().any(|missing| missing == "dropped_pct" || missing == "waited_pct"));
        // 5 of the served, 2 × 6 percentiles, and the evictor that there is not.
        assert_eq!((of_nobody.len(), missing(1)), (18, vec!["causes_top_evictor".to_owned()]));
    }

    #[test]
    fn the_published_simulator_has_the_same_names() {
        let pool = usual();
        let functions = [artifact::Function { name: "f".into(), memory_mb: 1.0, cold_ms: 2.0, warm_ms: 1.0 }];
        let simulator =
            artifact::Simulator::new(&functions, artifact::Policy::GreedyDual, 8.0).expect("it fits");
        let row = of_published(&Published { report: simulator.finish(), simulated_s: 0.0 });
        let own: Vec<&String> = row.keys().filter(|name| !pool.contains_key(*name)).collect();
        assert_eq!(own.len(), 5, "{own:?}");
    }
}
