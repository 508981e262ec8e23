//! Reads the counts file of a native trace. Owns the names of bins; must never spread a count over time.

use std::path::Path;

use super::invocations::{numbers, unknown_function};
use super::{FUNCTION, INVOCATIONS};
use crate::time::Span;
use crate::trace::Function;
use crate::trace::counts::{Builder, Counts};
use crate::trace::error::{TraceError, listed};
use crate::trace::fields::whole;
use crate::trace::reading::Context;
use crate::trace::table::{Column, Table};

/// The bins that have a column of their own name.
pub(super) const BINS: [(Column, Span); 3] = [
    (Column { name: "minute", aliases: &[] }, Span::from_mins(1)),
    (Column { name: "second", aliases: &[] }, Span::from_secs(1)),
    (Column { name: "hour", aliases: &[] }, Span::from_secs(3_600)),
];

/// Reads the counts file.
pub(super) fn read(
    path: &Path,
    functions: &[Function],
    context: &mut Context<'_>,
) -> Result<Counts, TraceError> {
    let mut table = Table::open(path, context.watch)?;
    let found = BINS.iter().find_map(|(column, width)| Some((table.find(column)?, *width)));
    let Some((bin, width)) = found else {
        // Says what the header has, and which name is near.
        return Err(table.require(&BINS[0].0).map_or_else(
            |error| {
                error.with_help(format!("the bin of time is in {}", listed(BINS.iter().map(|(c, _)| c.name))))
            },
            |_| TraceError::new(table.file(), "has no bin"),
        ));
    };
    let (function, invocations) = (table.require(&FUNCTION)?, table.require(&INVOCATIONS)?);
    let numbers = numbers(functions);
    let mut counts = Builder::new(width);
    while table.next_row()? {
        let row = || {
            let at = whole(&table, bin, Counts::most_bins(width) - 1)?;
            let number = *numbers
                .get(table.field(function))
                .ok_or_else(|| unknown_function(&table, function, functions))?;
            Ok((at, number, whole(&table, invocations, u32::MAX)?))
        };
        if let Some((bin, number, count)) = context.tolerate(row())? {
            counts.add(bin, number, count);
        }
    }
    let counts = counts.finish();
    if counts.total() == 0 && context.is_clean() {
        return Err(TraceError::new(table.file(), "has no invocations")
            .with_help("write one row per function and bin that has any"));
    }
    Ok(counts)
}
