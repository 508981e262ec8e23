//! Reads run times per function and memory per app. Owns what counts as missing and how repeated rows
//! are joined; must never make a function that is not invoked.

use std::path::Path;

use super::functions::{Known, MemorySamples, RunSamples};
use super::minutes::{APP, FUNCTION, OWNER};
use crate::trace::error::TraceError;
use crate::trace::number::{BadNumber, signed};
use crate::trace::reading::Context;
use crate::trace::table::{Column, Table};

const AVERAGE: Column = Column { name: "Average", aliases: &[] };
const COUNT: Column = Column { name: "Count", aliases: &[] };
const MAXIMUM: Column = Column { name: "Maximum", aliases: &[] };
const PERCENTILES: [Column; 7] = [
    Column { name: "percentile_Average_0", aliases: &[] },
    Column { name: "percentile_Average_1", aliases: &[] },
    Column { name: "percentile_Average_25", aliases: &[] },
    Column { name: "percentile_Average_50", aliases: &[] },
    Column { name: "percentile_Average_75", aliases: &[] },
    Column { name: "percentile_Average_99", aliases: &[] },
    Column { name: "percentile_Average_100", aliases: &[] },
];
const SAMPLES: Column = Column { name: "SampleCount", aliases: &[] };
const ALLOCATED: Column = Column { name: "AverageAllocatedMb", aliases: &[] };

const NUMBER_HELP: &str = "write a number, for example 1500";

/// Reads a file of run times.
pub(super) fn read_durations(
    path: &Path,
    known: &mut Known,
    context: &mut Context<'_>,
) -> Result<(), TraceError> {
    let mut table = Table::open(path, context.watch)?;
    let (app, function) = (table.require(&APP)?, table.require(&FUNCTION)?);
    let (average, maximum) = (table.require(&AVERAGE)?, table.require(&MAXIMUM)?);
    let (owner, count) = (table.find(&OWNER), table.find(&COUNT));
    let mut percentiles = Vec::with_capacity(PERCENTILES.len());
    percentiles.extend(PERCENTILES.iter().filter_map(|column| table.find(column)));
    let (mut negative, mut strange) = (0_u64, 0_u64);
    while table.next_row()? {
        let owner = owner.map_or(&b""[..], |index| table.field(index));
        let names = [owner, table.field(app), table.field(function)];
        let Some(number) = known.find(names) else {
            strange += 1;
            continue;
        };
        let row = || {
            let mut quantiles = [0.0; 7];
            for (quantile, index) in quantiles.iter_mut().zip(&percentiles) {
                *quantile = number_of(&table, *index)?;
            }
            Ok(RunSamples {
                count: count.map_or(Ok(1.0), |index| number_of(&table, index))?.max(1.0),
                average_ms: number_of(&table, average)?,
                maximum_ms: number_of(&table, maximum)?,
                quantiles_ms: (percentiles.len() == quantiles.len()).then_some(quantiles),
            })
        };
        match context.tolerate(row())? {
            Some(samples) if samples.average_ms < 0.0 => negative += 1,
            Some(samples) => known.add_run_times(number, samples),
            None => {}
        }
    }
    let file = table.file();
    if negative > 0 {
        context.note(format!("{file}: {negative} averages are negative and count as missing"));
    }
    if strange > 0 {
        context.note(format!("{file}: {strange} functions have run times but no invocations; left out"));
    }
    Ok(())
}

/// Reads a file of memory.
pub(super) fn read_memory(
    path: &Path,
    known: &mut Known,
    context: &mut Context<'_>,
) -> Result<(), TraceError> {
    let mut table = Table::open(path, context.watch)?;
    let (app, allocated) = (table.require(&APP)?, table.require(&ALLOCATED)?);
    let (owner, samples) = (table.find(&OWNER), table.find(&SAMPLES));
    while table.next_row()? {
        let owner = owner.map_or(&b""[..], |index| table.field(index));
        let Some(app) = known.find_app([owner, table.field(app)]) else { continue };
        let row = || {
            let samples = samples.map_or(Ok(1.0), |index| number_of(&table, index))?.max(1.0);
            Ok(MemorySamples { count: samples, average_mb: number_of(&table, allocated)? })
        };
        match context.tolerate(row())? {
            Some(samples) if samples.average_mb > 0.0 => known.add_memory(app, samples),
            _ => {}
        }
    }
    Ok(())
}

fn number_of(table: &Table<'_>, index: usize) -> Result<f64, TraceError> {
    match signed(table.field(index)) {
        Ok(number) if number.abs() <= 1e12 => Ok(number),
        Ok(_) => Err(table.bad_number(index, BadNumber::TooLarge, NUMBER_HELP)),
        Err(why) => Err(table.bad_number(index, why, NUMBER_HELP)),
    }
}
