//! Writes a trace as Parquet, so that reading it gives the same trace. Must never hold more than a group of
//! rows besides the trace.

use std::io;
use std::path::Path;

use super::frame::{GROUP, Values, write};
use super::{BIN_US, COUNTS, FUNCTIONS, INVOCATIONS, QUANTILES};
use crate::trace::error::TraceError;
use crate::trace::formats::writing::{Form, Meter, New};
use crate::trace::function::Function;
use crate::trace::invocations::Measured;
use crate::trace::watch::Watch;
use crate::trace::{Counts, Trace};

/// Writes `functions.parquet` and `invocations.parquet` or `counts.parquet` into `dir`, which is made if it is
/// not there. Files of the same names are replaced.
///
/// # Errors
/// The folder cannot be written, or already has a trace in another form: then it would not be clear
/// which of them counts.
pub fn write_parquet(trace: &Trace, dir: &Path, form: Form, watch: &dyn Watch) -> Result<(), TraceError> {
    let counts = form.counts(trace);
    let arrivals = if counts.is_some() { COUNTS } else { INVOCATIONS };
    let new = New::in_folder(dir, &[FUNCTIONS, arrivals])?;
    new.file(FUNCTIONS, |out| write(out, function_groups(&trace.functions), &[]))?;
    new.file(arrivals, |out| match counts {
        Some(counts) => write(out, count_groups(counts), &[(BIN_US, counts.width().0.to_string())]),
        None => write_invocations(trace, Meter::new(watch, trace.len() as u64), out),
    })?;
    new.finish()
}

fn function_groups(functions: &[Function]) -> impl Iterator<Item = Vec<(&'static str, Values)>> + '_ {
    let quantiles = functions.iter().any(|function| function.run_quantiles.is_some());
    functions.chunks(GROUP).map(move |functions| {
        let texts =
            |of: fn(&Function) -> &String| Values::Text(functions.iter().map(|f| of(f).clone()).collect());
        let maybe = |of: fn(&Function) -> &Option<String>| {
            Values::MaybeText(functions.iter().map(|f| of(f).clone()).collect())
        };
        let wide = |of: fn(&Function) -> u64| Values::Wide(functions.iter().map(of).collect());
        let mut columns = vec![
            ("function", texts(|f| &f.name)),
            ("memory_mb", wide(|f| f.memory.mib())),
            ("cold_us", wide(|f| f.cold.0)),
            ("warm_us", wide(|f| f.warm.0)),
            ("app", maybe(|f| &f.app)),
            ("namespace", texts(|f| &f.namespace)),
            ("kind", texts(|f| &f.kind)),
            (
                "max_concurrent",
                Values::Short(functions.iter().map(|f| u32::from(f.max_concurrent)).collect()),
            ),
            ("trigger", maybe(|f| &f.trigger)),
        ];
        if quantiles {
            for (at, name) in QUANTILES.into_iter().enumerate() {
                let values = functions.iter().map(|f| f.run_quantiles.map(|quantiles| quantiles[at].0));
                columns.push((name, Values::MaybeWide(values.collect())));
            }
        }
        columns
    })
}

fn count_groups(counts: &Counts) -> impl Iterator<Item = Vec<(&'static str, Values)>> + '_ {
    let mut cells =
        (0..counts.bins()).flat_map(|bin| counts.cells(bin).iter().map(move |cell| (bin as u32, *cell)));
    std::iter::from_fn(move || {
        let group: Vec<_> = cells.by_ref().take(GROUP).collect();
        (!group.is_empty()).then(|| {
            vec![
                ("bin", Values::Short(group.iter().map(|(bin, _)| *bin).collect())),
                ("function", Values::Short(group.iter().map(|(_, cell)| cell.row).collect())),
                ("invocations", Values::Short(group.iter().map(|(_, cell)| cell.count).collect())),
            ]
        })
    })
}

fn write_invocations(trace: &Trace, mut meter: Meter<'_>, out: &mut impl io::Write) -> io::Result<()> {
    let measured = trace.listed().and_then(|invocations| invocations.measured());
    let timed = trace.tells_run_times();
    let mut arrivals = trace.arrivals();
    let mut at = 0;
    // An iterator cannot fail: what stops it is kept until it has ended.
    let mut stopped = Ok(());
    let groups = std::iter::from_fn(|| {
        let group: Vec<_> = arrivals.by_ref().take(GROUP).collect();
        stopped = meter.add(group.len() as u64);
        if group.is_empty() || stopped.is_err() {
            return None;
        }
        let mut columns = vec![
            ("time_us", Values::Wide(group.iter().map(|arrival| arrival.time.0).collect())),
            ("function", Values::Short(group.iter().map(|arrival| arrival.function).collect())),
        ];
        if timed {
            let durations = group.iter().map(|arrival| arrival.duration.map(|span| span.0 as u32));
            columns.push(("duration_us", Values::MaybeShort(durations.collect())));
        }
        if let Some(measured) = measured {
            let rows: &[Measured] = &measured[at..at + group.len()];
            columns.push(("is_cold", Values::Flag(rows.iter().map(|row| row.cold).collect())));
            columns.push(("container", Values::MaybeShort(rows.iter().map(|row| row.container).collect())));
        }
        at += group.len();
        Some(columns)
    });
    let written = write(out, groups, &[]);
    stopped.and(written)
}
