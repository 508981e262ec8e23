//! CSV traces of libCacheSim: one request per row, its object taken for a function and its size for memory. Owns
//! finding the three columns; must never drop a request.
//!
//! libCacheSim itself has no default columns: they are given to it by number. Here they are found by their
//! usual names (`time`, `timestamp`; `object`, `obj_id`, `lbn`, `key`; `size`, `obj_size`), else they are the first
//! three of a file without a header. Times are seconds and sizes bytes, rounded up to MiB; of several sizes of
//! one object the largest counts. The header may begin with `#`.
//!
//! Source: 1a1a11a/libCacheSim, `doc/quickstart_cachesim.md`.

use std::collections::HashMap;
use std::path::Path;

use super::Format;
use super::look::{Look, only_table, stem};
use crate::memory::Memory;
use crate::time::Time;
use crate::trace::error::{TraceError, quoted};
use crate::trace::fields::{out_of_order, text_of};
use crate::trace::number::micros_of_seconds;
use crate::trace::reading::{Context, Reading};
use crate::trace::table::{Column, Table};
use crate::trace::{Function, Invocations, RunTime, Trace};

/// The format.
pub const FORMAT: Format = Format {
    name: "libcachesim",
    summary: "libCacheSim's CSV: objects become functions, sizes memory",
    files: "a file with time,object,size (seconds, bytes), by name or as the first three columns",
    source: "github.com/1a1a11a/libCacheSim",
    heeds: &["run-time", "cold-start", "function-memory"],
    recognise,
    read,
};

const TIME: Column =
    Column { name: "time", aliases: &["#time", "# time", "timestamp", "#timestamp", "ts", "clock_time"] };
const OBJECT: Column =
    Column { name: "object", aliases: &["obj_id", "obj-id", "object_id", "obj", "lbn", "key", "id"] };
const SIZE: Column = Column { name: "size", aliases: &["obj_size", "obj-size", "object_size"] };

const SECONDS_HELP: &str = "write seconds of at least 0";
const SIZE_HELP: &str = "write a whole number of bytes";
const MIB: u64 = 1 << 20;

fn recognise(look: &Look) -> bool {
    let header = look.header();
    let has = |column: &Column| {
        std::iter::once(&column.name)
            .chain(column.aliases)
            .any(|name| header.iter().any(|found| found == name))
    };
    has(&TIME) && has(&OBJECT) && has(&SIZE)
}

/// Where the columns are.
struct Columns {
    time: usize,
    object: usize,
    size: usize,
}

impl Columns {
    fn of(table: &Table<'_>) -> Result<Columns, TraceError> {
        if table.is_headless() {
            return Ok(Columns { time: 0, object: 1, size: 2 });
        }
        Ok(Columns {
            time: table.require(&TIME)?,
            object: table.require(&OBJECT)?,
            size: table.require(&SIZE)?,
        })
    }
}

fn read(path: &Path, reading: &Reading, context: &mut Context<'_>) -> Result<Trace, TraceError> {
    let file = only_table(path)?;
    let mut table = Table::open_headless(&file, 3, context.watch)?;
    let columns = Columns::of(&table)?;
    let mut names: Vec<String> = Vec::new();
    let mut sizes: Vec<u64> = Vec::new();
    let mut numbers: HashMap<Vec<u8>, u32> = HashMap::new();
    let mut invocations = Invocations::default();
    while table.next_row()? {
        let row = || {
            let time = micros_of_seconds(table.field(columns.time))
                .map_err(|why| table.bad_number(columns.time, why, SECONDS_HELP))?;
            Ok((time, bytes_of(&table, columns.size)?))
        };
        let Some((time, bytes)) = context.tolerate(row())? else { continue };
        let object = table.field(columns.object);
        let number = match numbers.get(object) {
            Some(number) => *number,
            None => {
                let Some(name) = context.tolerate(text_of(&table, columns.object))? else { continue };
                numbers.insert(object.to_vec(), names.len() as u32);
                names.push(name);
                sizes.push(0);
                names.len() as u32 - 1
            }
        };
        let size = &mut sizes[number as usize];
        *size = (*size).max(bytes);
        invocations.push(Time(time), number, RunTime::ABSENT);
    }
    if invocations.is_empty() && context.is_clean() {
        return Err(TraceError::new(table.file(), "has no requests").with_help("every row is one"));
    }
    let late_comers = invocations.sort();
    if late_comers > 0 {
        context.note(out_of_order(table.file(), late_comers));
    }
    let name = stem(path);
    let models = reading.models(&name)?;
    context.notes.extend(models.assumed(&["function-memory"]));
    let functions = names
        .into_iter()
        .zip(sizes)
        .map(|(name, bytes)| {
            let (warm, cold) = models.warm_and_cold(&name, (None, None));
            let told = Memory(bytes.div_ceil(MIB).max(1));
            Function::new(name, reading.memory.unwrap_or(told), cold, warm)
        })
        .collect();
    Trace::new(name, functions, invocations)
}

/// A size in bytes of at most as much memory as is counted.
fn bytes_of(table: &Table<'_>, index: usize) -> Result<u64, TraceError> {
    let field = table.field(index).trim_ascii();
    let bytes: Option<u64> = std::str::from_utf8(field).ok().and_then(|text| text.parse().ok());
    bytes.filter(|bytes| *bytes <= u64::from(u32::MAX) * MIB).ok_or_else(|| {
        table.bad_field(index, format!("{} is not a number of bytes", quoted(field))).with_help(SIZE_HELP)
    })
}
