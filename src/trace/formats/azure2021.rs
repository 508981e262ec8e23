//! Azure Functions Invocation Trace 2021: a row per invocation with the instant at which it ended. Owns the
//! way from ends to arrivals; must never change the order of invocations that arrive at the same instant.
//!
//! Columns `app, func, end_timestamp, duration`, both times in seconds (the project's page says so and the
//! data agrees; one of its READMEs says milliseconds). An invocation arrives at `end_timestamp − duration`;
//! one that would have arrived before time 0 is taken to arrive at 0. `func` is unique within its app only.
//! The trace tells no memory. A function's warm run time is the mean of its durations, and what a cold
//! start adds is by default the longest less the mean (`trace.cold-start`); every invocation has a duration
//! of its own.
//!
//! Source: Zhang et al., "Faster and Cheaper Serverless Computing on Harvested Resources", SOSP'21;
//! Azure/AzurePublicDataset.

use std::collections::HashMap;
use std::path::Path;

use super::Format;
use super::look::{only_table, stem};
use super::names::unique_names;
use crate::time::{Span, Time};
use crate::trace::error::TraceError;
use crate::trace::fields::{out_of_order, text_of};
use crate::trace::number::{BadNumber, micros_of_seconds};
use crate::trace::reading::{Context, Reading, RunTimes};
use crate::trace::table::{Column, Table};
use crate::trace::{Function, Invocations, RunTime, Trace};

/// The format.
pub const FORMAT: Format = Format {
    name: "azure2021",
    summary: "Azure Functions Invocation Trace 2021: one row per invocation",
    files: "a file with app,func,end_timestamp,duration (seconds), or the folder it is alone in",
    source: "Zhang et al., SOSP'21; github.com/Azure/AzurePublicDataset",
    heeds: &["cold-start", "function-memory"],
    recognise: |look| {
        let header = look.header();
        ["app", "func", "end_timestamp", "duration"]
            .iter()
            .all(|name| header.iter().any(|found| found == name))
    },
    read,
};

const APP: Column = Column { name: "app", aliases: &[] };
const FUNC: Column = Column { name: "func", aliases: &[] };
const END: Column = Column { name: "end_timestamp", aliases: &[] };
const DURATION: Column = Column { name: "duration", aliases: &[] };

const SECONDS_HELP: &str = "write seconds of at least 0, for example 57.154";

/// A function as it becomes known.
struct Known {
    app: String,
    func: String,
    count: u64,
    total_us: u64,
    longest: Span,
}

fn read(path: &Path, reading: &Reading, context: &mut Context<'_>) -> Result<Trace, TraceError> {
    let file = only_table(path)?;
    let mut table = Table::open(&file, context.watch)?;
    let (app, func) = (table.require(&APP)?, table.require(&FUNC)?);
    let (end, duration) = (table.require(&END)?, table.require(&DURATION)?);
    let mut functions: Vec<Known> = Vec::new();
    let mut numbers: HashMap<Vec<u8>, u32> = HashMap::new();
    let mut invocations = Invocations::default();
    let mut early = 0_u64;
    while table.next_row()? {
        let row = || Ok((seconds(&table, end)?, run_time(&table, duration)?));
        let Some((end_us, ran)) = context.tolerate(row())? else { continue };
        let key = [table.field(app), table.field(func)].join(&0);
        let number = match numbers.get(&key) {
            Some(number) => *number,
            None => {
                let names = (|| Ok((text_of(&table, app)?, text_of(&table, func)?)))();
                let Some((app, func)) = context.tolerate(names)? else { continue };
                functions.push(Known { app, func, count: 0, total_us: 0, longest: Span::ZERO });
                numbers.insert(key, functions.len() as u32 - 1);
                functions.len() as u32 - 1
            }
        };
        let known = &mut functions[number as usize];
        known.count += 1;
        known.total_us += ran.0;
        known.longest = known.longest.max(ran);
        early += u64::from(end_us < ran.0);
        invocations.push(Time(end_us.saturating_sub(ran.0)), number, RunTime::capped(ran));
    }
    if invocations.is_empty() && context.is_clean() {
        return Err(TraceError::new(table.file(), "has no invocations").with_help("every row is one"));
    }
    if early > 0 {
        context
            .note(format!("{}: {early} invocations began before time 0; taken to arrive at 0", table.file()));
    }
    let late_comers = invocations.sort();
    if late_comers > 0 {
        context.note(out_of_order(table.file(), late_comers));
    }
    let name = stem(path);
    let functions = finished(&functions, reading, &name, context)?;
    Trace::new(name, functions, invocations)
}

fn finished(
    known: &[Known],
    reading: &Reading,
    trace: &str,
    context: &mut Context<'_>,
) -> Result<Vec<Function>, TraceError> {
    if reading.memory.is_none() {
        context.note(format!(
            "the format tells no memory: {} is assumed for every function; set function-memory",
            Reading::MEMORY
        ));
    }
    let models = Reading { run_time: RunTimes::Average, ..reading.clone() }.models(trace)?;
    let names = unique_names(known.iter().map(|known| [known.func.as_str(), known.app.as_str()]));
    Ok(known
        .iter()
        .zip(names)
        .map(|(known, name)| {
            let mean = Span(known.total_us / known.count.max(1));
            let (warm, cold) = models.warm_and_cold(&name, (Some(mean), Some(known.longest)));
            Function { app: Some(known.app.clone()), ..Function::new(name, reading.memory(), cold, warm) }
        })
        .collect())
}

fn seconds(table: &Table<'_>, index: usize) -> Result<u64, TraceError> {
    micros_of_seconds(table.field(index)).map_err(|why| {
        let help = match why {
            BadNumber::TooLarge => "times are seconds; are these milliseconds?",
            _ => SECONDS_HELP,
        };
        table.bad_number(index, why, help)
    })
}

fn run_time(table: &Table<'_>, index: usize) -> Result<Span, TraceError> {
    let span = Span(seconds(table, index)?);
    if span > RunTime::MAX {
        let message = format!("{span} is longer than an invocation may run here ({})", RunTime::MAX);
        return Err(table
            .bad_field(index, message)
            .with_help("durations are seconds; are these milliseconds?"));
    }
    Ok(span)
}
