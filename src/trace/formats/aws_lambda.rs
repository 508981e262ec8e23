//! Runs on AWS Lambda by Mahmoudi and Khazaei: one function called by a Poisson process, with what was measured
//! of each call. Owns what is a start's cost and what is the network's; must never take a difference
//! between two clocks.
//!
//! Columns `arrival_s, client_end_s, fn_start_s, fn_end_s` (seconds), `is_cold`, `container`; those published by
//! the authors, with `client_start_time, client_end_time` (s), `start_time, end_time` (ms) and `inst_id`, are
//! read as well. The run time of a call is `fn_end − fn_start`, of one clock, that of its container. The
//! function's warm run time is the median of that over the warm calls; its cold one is the median client's
//! time (`client_end − arrival`) of the cold calls less the network's part, the median over the warm calls of
//! the client's time less the run time. So `cold − warm` is what a cold start added to the answer.
//!
//! Source: N. Mahmoudi and H. Khazaei, "Performance Modeling of Serverless Computing Platforms", IEEE TCC
//! 2020; pacslab/serverless-performance-modeling.

use std::collections::HashMap;
use std::path::Path;

use super::Format;
use super::look::{only_table, stem};
use crate::memory::Memory;
use crate::time::{Span, Time};
use crate::trace::error::TraceError;
use crate::trace::fields::{measured_of, out_of_order};
use crate::trace::number::{BadNumber, signed};
use crate::trace::reading::{ColdStart, Context, Reading, RunTimes};
use crate::trace::table::{Column, Table};
use crate::trace::{Function, Invocations, Measured, RunTime, Trace};

/// The format.
pub const FORMAT: Format = Format {
    name: "aws-lambda",
    summary: "measured runs of one function on AWS Lambda, cold starts and containers told",
    files: "a file with arrival_s,client_end_s,fn_start_s,fn_end_s,is_cold,container, or as published",
    source: "Mahmoudi and Khazaei, IEEE TCC 2020; github.com/pacslab/serverless-performance-modeling",
    heeds: &["cold-start", "function-memory"],
    recognise: |look| {
        let header = look.header();
        let has = |name: &str| header.iter().any(|found| found == name);
        has("is_cold") && (has("arrival_s") || has("client_start_time"))
    },
    read,
};

const ARRIVAL: Column = Column { name: "arrival_s", aliases: &["client_start_time"] };
const CLIENT_END: Column = Column { name: "client_end_s", aliases: &["client_end_time"] };
const FN_START: Column = Column { name: "fn_start_s", aliases: &["start_time"] };
const FN_END: Column = Column { name: "fn_end_s", aliases: &["end_time"] };
const IS_COLD: Column = Column { name: "is_cold", aliases: &[] };
const CONTAINER: Column = Column { name: "container", aliases: &[] };
const INSTANCE: Column = Column { name: "inst_id", aliases: &[] };

const NUMBER_HELP: &str = "write a number, for example 93.343253";

/// Memory given to the function in all runs.
const MEMORY: Memory = Memory(128);

/// One call, times in µs.
struct Call {
    arrival: i64,
    answered: i64,
    run: Span,
    measured: Measured,
}

/// Where the columns are, and in which unit the function's own clock is written.
struct Columns {
    arrival: usize,
    client_end: usize,
    fn_start: usize,
    fn_end: usize,
    fn_unit_us: f64,
    is_cold: usize,
    container: Option<usize>,
    instance: Option<usize>,
}

impl Columns {
    fn of(table: &Table<'_>) -> Result<Columns, TraceError> {
        let fn_start = table.require(&FN_START)?;
        let published = table.header()[fn_start].eq_ignore_ascii_case("start_time");
        Ok(Columns {
            arrival: table.require(&ARRIVAL)?,
            client_end: table.require(&CLIENT_END)?,
            fn_start,
            fn_end: table.require(&FN_END)?,
            fn_unit_us: if published { 1e3 } else { 1e6 },
            is_cold: table.require(&IS_COLD)?,
            container: table.find(&CONTAINER),
            instance: table.find(&INSTANCE),
        })
    }
}

impl Columns {
    /// Whether the call in the current row has not been measured as a whole.
    fn is_incomplete(&self, table: &Table<'_>) -> bool {
        [self.arrival, self.client_end, self.fn_start, self.fn_end].into_iter().any(|index| {
            let field = table.field(index).trim_ascii();
            field.is_empty() || field.eq_ignore_ascii_case(b"nan")
        })
    }
}

fn read(path: &Path, reading: &Reading, context: &mut Context<'_>) -> Result<Trace, TraceError> {
    let file = only_table(path)?;
    let mut table = Table::open(&file, context.watch)?;
    let columns = Columns::of(&table)?;
    let mut calls: Vec<Call> = Vec::new();
    let mut instances: HashMap<Vec<u8>, u32> = HashMap::new();
    let mut incomplete = 0_u64;
    while table.next_row()? {
        if columns.is_incomplete(&table) {
            incomplete += 1;
            continue;
        }
        let Some(mut call) = context.tolerate(call_of(&table, &columns))? else { continue };
        if let (None, Some(index)) = (columns.container, columns.instance) {
            let next = instances.len() as u32;
            call.measured.container = Some(*instances.entry(table.field(index).to_vec()).or_insert(next));
        }
        calls.push(call);
    }
    if calls.is_empty() && context.is_clean() {
        return Err(TraceError::new(table.file(), "has no calls").with_help("every row is one"));
    }
    if incomplete > 0 {
        let rows = if incomplete == 1 { "row lacks a time" } else { "rows lack a time" };
        context.note(format!("{}: {incomplete} {rows}; left out, as the authors do", table.file()));
    }
    let name = stem(path);
    let function = function_of(&calls, reading, &name, context)?;
    // The reduced runs count from their first call; published ones since 1970.
    let first = calls.iter().map(|call| call.arrival).min().unwrap_or(0);
    let origin = if (0..=86_400_000_000_000).contains(&first) { 0 } else { first };
    let mut invocations = Invocations::with_capacity(calls.len());
    for call in &calls {
        invocations.push(Time((call.arrival - origin) as u64), 0, RunTime::capped(call.run));
    }
    let mut invocations = invocations.with_measured(calls.iter().map(|call| call.measured).collect());
    let late_comers = invocations.sort();
    if late_comers > 0 {
        context.note(out_of_order(table.file(), late_comers));
    }
    Trace::new(name, vec![function], invocations)
}

fn call_of(table: &Table<'_>, columns: &Columns) -> Result<Call, TraceError> {
    let micros = |index: usize, unit_us: f64| {
        let number = signed(table.field(index)).map_err(|why| table.bad_number(index, why, NUMBER_HELP))?;
        let micros = (number * unit_us).round();
        if micros.abs() > (1_u64 << 53) as f64 {
            return Err(table.bad_number(index, BadNumber::TooLarge, NUMBER_HELP));
        }
        Ok(micros as i64)
    };
    let run = micros(columns.fn_end, columns.fn_unit_us)? - micros(columns.fn_start, columns.fn_unit_us)?;
    if run < 0 {
        return Err(table
            .bad_field(columns.fn_end, "the function ended before it began")
            .with_help("fn_end_s is not before fn_start_s"));
    }
    Ok(Call {
        arrival: micros(columns.arrival, 1e6)?,
        answered: micros(columns.client_end, 1e6)?,
        run: Span(run as u64),
        measured: measured_of(table, columns.is_cold, columns.container)?,
    })
}

fn function_of(
    calls: &[Call],
    reading: &Reading,
    trace: &str,
    context: &mut Context<'_>,
) -> Result<Function, TraceError> {
    let of = |cold: bool| calls.iter().filter(move |call| call.measured.cold == cold);
    let response = |call: &Call| call.answered - call.arrival;
    let warm = median(of(false).map(|call| call.run.0 as i64).collect());
    let network = median(of(false).map(|call| response(call) - call.run.0 as i64).collect());
    let cold = median(of(true).map(response).collect());
    let told = warm.map(span);
    let cold = warm.and(cold.zip(network).map(|(cold, network)| span(cold - network)));
    if cold.is_none() && reading.cold_start == ColdStart::Maximum {
        context.note(format!(
            "warm and cold calls are not both there: a cold start of {} is assumed; set cold-start",
            Reading::COLD_START
        ));
    }
    let models = Reading { run_time: RunTimes::Average, ..reading.clone() }.models(trace)?;
    let (warm, cold) = models.warm_and_cold("workload", (told, cold));
    let memory = reading.memory.unwrap_or(MEMORY);
    Ok(Function { kind: "python:3.6".to_owned(), ..Function::new("workload", memory, cold, warm) })
}

fn span(us: i64) -> Span {
    Span(u64::try_from(us).unwrap_or(0))
}

/// The middle value, or the mean of the two middle ones, halves away from zero.
fn median(mut values: Vec<i64>) -> Option<i64> {
    values.sort_unstable();
    let half = values.len() / 2;
    match values.len() {
        0 => None,
        odd if odd % 2 == 1 => Some(values[half]),
        _ => {
            let sum = values[half - 1] + values[half];
            Some((sum + sum.signum()) / 2)
        }
    }
}
