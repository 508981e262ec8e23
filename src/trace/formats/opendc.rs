//! Serverless traces of OpenDC: a folder with a file per function, a row per minute. Owns reading rows as the
//! counts of the interval that ends at their time; must never shift one function against another.
//!
//! Columns `Timestamp [ms]`, `Invocations`, `Avg Exec time per Invocation` (ms), `Provisioned CPU [Mhz]`,
//! `Provisioned Memory [mb]`, `Avg cpu usage per Invocation [Mhz]`, `Avg mem usage per Invocation [mb]`, and in
//! some files `name`; a function is called by that, else by its file. Rows are a minute apart, and the first is
//! at 60000, so a row counts the minute before its time. A function's memory is the most it was provisioned
//! with, its run time the mean over its invocations, longest interval as maximum.
//!
//! Source: atlarge-research/opendc, opendc-experiments-faas, `ServerlessTraceReader`.

use std::path::{Path, PathBuf};

use super::Format;
use super::look::{Look, header, stem};
use crate::memory::Memory;
use crate::time::Span;
use crate::trace::counts::{Builder, Counts};
use crate::trace::error::{TraceError, quoted};
use crate::trace::fields::{TIME_HELP, count_of, text_of};
use crate::trace::number::{micros, whole_mib};
use crate::trace::reading::{Context, Reading};
use crate::trace::table::{Column, Table};
use crate::trace::{Function, Trace};

/// The format.
pub const FORMAT: Format = Format {
    name: "opendc",
    summary: "OpenDC's serverless traces: one file per function, a row per minute",
    files: "a folder of CSV files with Timestamp [ms],Invocations,Avg Exec time per Invocation,…",
    source: "github.com/atlarge-research/opendc, opendc-experiments-faas",
    heeds: &["run-time", "cold-start", "function-memory", "arrivals"],
    recognise: |look| is_opendc(&look.header()),
    read,
};

const TIMESTAMP: Column = Column { name: "Timestamp [ms]", aliases: &["Timestamp"] };
const INVOCATIONS: Column = Column { name: "Invocations", aliases: &[] };
const EXECUTION: Column =
    Column { name: "Avg Exec time per Invocation", aliases: &["Avg Exec time per Invocation [ms]"] };
const PROVISIONED: Column = Column { name: "Provisioned Memory [mb]", aliases: &["Provisioned Memory"] };
const NAME: Column = Column { name: "name", aliases: &[] };

const WIDTH: Span = Span::from_mins(1);
const COUNT_HELP: &str = "write a whole number of invocations";

fn is_opendc(columns: &[String]) -> bool {
    let has = |name: &str| columns.iter().any(|column| column == name);
    has("timestamp [ms]") && has("invocations") && has("provisioned memory [mb]")
}

/// What the rows of a function add up to.
#[derive(Default)]
struct Sums {
    name: Option<String>,
    invocations: u64,
    run_us: u128,
    longest: Span,
    memory_mib: u64,
}

fn read(path: &Path, reading: &Reading, context: &mut Context<'_>) -> Result<Trace, TraceError> {
    let files: Vec<PathBuf> =
        Look::at(path)?.tables().into_iter().filter(|file| is_opendc(&header(file))).collect();
    let name = stem(path);
    if files.is_empty() {
        return Err(TraceError::new(path.display().to_string(), "has no file with OpenDC's columns")
            .with_help("their first column is `Timestamp [ms]`"));
    }
    let models = reading.models(&name)?;
    let mut counts = Builder::new(WIDTH);
    let mut functions = Vec::with_capacity(files.len());
    for file in &files {
        let number = functions.len() as u32;
        let sums = read_function(file, number, &mut counts, context)?;
        let function = sums.name.unwrap_or_else(|| stem(file));
        let mean = u64::try_from(sums.run_us / u128::from(sums.invocations.max(1))).unwrap_or(u64::MAX);
        let told = (sums.invocations > 0).then_some((Span(mean), sums.longest));
        let (warm, cold) = models.warm_and_cold(&function, told.unzip());
        let memory = Memory(sums.memory_mib);
        let memory = if memory == Memory(0) { reading.memory() } else { memory };
        functions.push(Function::new(function, memory, cold, warm));
    }
    Trace::counted(name, functions, counts.finish(), reading.expansion())
}

/// Reads the file of one function.
fn read_function(
    file: &Path,
    number: u32,
    counts: &mut Builder,
    context: &mut Context<'_>,
) -> Result<Sums, TraceError> {
    let mut table = Table::open(file, context.watch)?;
    let (timestamp, invocations) = (table.require(&TIMESTAMP)?, table.require(&INVOCATIONS)?);
    let (execution, provisioned) = (table.require(&EXECUTION)?, table.require(&PROVISIONED)?);
    let name = table.find(&NAME);
    let mut sums = Sums::default();
    while table.next_row()? {
        let row = || {
            let count = count_of(&table, invocations)?;
            let bin = bin_of(&table, timestamp)?;
            let ran = Span(
                micros(table.field(execution)).map_err(|why| table.bad_number(execution, why, TIME_HELP))?,
            );
            let (mib, _) = whole_mib(table.field(provisioned))
                .map_err(|why| table.bad_number(provisioned, why, COUNT_HELP))?;
            Ok((bin, count, ran, mib))
        };
        let Some((bin, count, ran, mib)) = context.tolerate(row())? else { continue };
        counts.add(bin, number, count);
        sums.memory_mib = sums.memory_mib.max(mib);
        if count > 0 {
            sums.invocations += u64::from(count);
            sums.run_us += u128::from(count) * u128::from(ran.0);
            sums.longest = sums.longest.max(ran);
        }
        if let (None, Some(index)) = (&sums.name, name) {
            sums.name = context.tolerate(text_of(&table, index))?;
        }
    }
    Ok(sums)
}

/// The minute that ends at the time of a row.
fn bin_of(table: &Table<'_>, index: usize) -> Result<u32, TraceError> {
    let us = micros(table.field(index)).map_err(|why| table.bad_number(index, why, TIME_HELP))?;
    let bin = us.saturating_sub(1) / WIDTH.0;
    if bin >= u64::from(Counts::MOST_BINS) {
        let message = format!("{} is more than {} minutes", quoted(table.field(index)), Counts::MOST_BINS);
        return Err(table.bad_field(index, message).with_help("times are milliseconds from the beginning"));
    }
    Ok(bin as u32)
}
