//! The tables of a run: by function, by invocation, memory over time, response times. Owns their columns; must never
//! aggregate.

use super::{Column, Table};
use crate::artifact;
use crate::pool::boundary::StartState;
use crate::tally::{FunctionFigures, MemorySample, Quantiles, Rows};

/// A row per function, in the order of the trace.
pub fn function_table(figures: &[FunctionFigures]) -> Table {
    let whole = |of: fn(&FunctionFigures) -> u64| Column::Whole(figures.iter().map(of).collect());
    let number = |of: fn(&FunctionFigures) -> f64| Column::Number(figures.iter().map(of).collect());
    Table::new()
        .with("function", Column::Text(figures.iter().map(|figure| figure.function.clone()).collect()))
        .with("memory_mib", whole(|figure| figure.memory_mib))
        .with("invocations", whole(|figure| figure.invocations))
        .with("warm", whole(|figure| figure.warm))
        .with("cold", whole(|figure| figure.cold))
        .with("partial", whole(|figure| figure.partial))
        .with("dropped", whole(|figure| figure.dropped))
        .with("failed", whole(|figure| figure.failed))
        .with("waited", whole(|figure| figure.waited))
        .with("cold_pct", number(|figure| figure.cold_pct))
        .with("evicted", whole(|figure| figure.evicted))
        .with("cold_starts_caused", whole(|figure| figure.cold_starts_caused))
        .with("mean_response_ms", number(|figure| figure.mean_response_ms))
        .with("mean_warm_ms", number(|figure| figure.mean_warm_ms))
}

/// A row per invocation that ended, in the order in which they did.
pub fn invocation_table(rows: Rows, names: &[String]) -> Table {
    let ms = |us: Vec<Option<u64>>| {
        Column::MaybeNumber(us.into_iter().map(|us| us.map(|us| us as f64 / 1e3)).collect())
    };
    let name = |function: &u32| names.get(*function as usize).cloned().unwrap_or_default();
    Table::new()
        .with("invocation", Column::Whole(rows.number))
        .with("arrival_ms", Column::Number(rows.arrived_us.iter().map(|us| *us as f64 / 1e3).collect()))
        .with("function", Column::Text(rows.function.iter().map(name).collect()))
        .with("outcome", Column::MaybeText(rows.outcome.into_iter().map(Some).collect()))
        .with("start", Column::MaybeText(rows.start))
        .with("cause", Column::MaybeText(rows.cause))
        .with("wait_ms", ms(rows.wait_us))
        .with("init_ms", ms(rows.init_us))
        .with("duration_ms", ms(rows.duration_us))
        .with("response_ms", ms(rows.response_us))
        .with("container", Column::MaybeWhole(rows.container))
}

/// A row per sample.
pub fn memory_table(samples: &[MemorySample]) -> Table {
    let whole = |of: fn(&MemorySample) -> u64| Column::Whole(samples.iter().map(of).collect());
    Table::new()
        .with("time_s", Column::Number(samples.iter().map(|sample| sample.time.as_secs_f64()).collect()))
        .with("busy_mib", whole(|sample| sample.busy_mib))
        .with("idle_mib", whole(|sample| sample.idle_mib))
        .with("prewarmed_mib", whole(|sample| sample.prewarmed_mib))
        .with("containers", whole(|sample| u64::from(sample.containers)))
        .with("capacity_mib", whole(|sample| sample.capacity_mib))
}

/// A row per start state and bucket of response times: the end of the bucket in ms, and how many responses are
/// in it.
pub fn response_table(responses: &[(StartState, Quantiles)]) -> Table {
    let rows = || responses.iter().flat_map(|(start, of_start)| of_start.buckets().map(|row| (*start, row)));
    Table::new()
        .with("start", Column::MaybeText(rows().map(|(start, _)| Some(start.name())).collect()))
        .with("response_ms", Column::Number(rows().map(|(_, (end, _))| end.as_ms_f64()).collect()))
        .with("count", Column::Whole(rows().map(|(_, (_, count))| count).collect()))
}

/// A row per function, of the published simulator.
pub fn artifact_function_table(names: &[String], counts: &[artifact::Counts]) -> Table {
    let whole = |of: fn(&artifact::Counts) -> u64| Column::Whole(counts.iter().map(of).collect());
    Table::new()
        .with("function", Column::Text(names.to_vec()))
        .with("hits", whole(|count| count.hits))
        .with("misses", whole(|count| count.misses))
        .with("dropped", whole(|count| count.dropped))
        .with("evictions", whole(|count| count.evictions))
}
