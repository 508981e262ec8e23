//! The native format: a folder with `functions.csv` and `invocations.csv`, each plain, `.gz` or
//! `.zst`. Owns the names of files and columns; must never guess a unit or drop a row silently.
//!
//! Files: `DIR/functions.csv[.gz|.zst]` and `DIR/invocations.csv[.gz|.zst]` for the path `DIR`; or, as
//! the FaasCache artifact names them, `PREFIX.functions.csv[…]` and `PREFIX.trace.csv[…]` (also
//! `PREFIX.invocations.csv[…]`) for the path `PREFIX`. What is inside decides whether a file is packed,
//! not its name.
//!
//! Columns (case does not matter; other columns are ignored; if several names of one column are
//! present, the leftmost of this table counts):
//!
//! | column | also called | unit, range | if empty or absent |
//! |-|-|-|-|
//! | `function` | `func`, `name`, `HashFunction`, `function_name`, `action` | any text, unique in `functions.csv` | needed |
//! | `memory_mb` | `mem_mb`, `memory`, `memory_mib` | MiB above 0; fractions are rounded up | needed |
//! | `cold_ms` | `cold_run_ms`, `cold_start_ms` | ms, total run time of a cold invocation | needed |
//! | `warm_ms` | `warm_run_ms`, `run_ms` | ms, run time of a warm invocation | needed |
//! | `app` | `HashApp`, `application` | any text | no app |
//! | `namespace` | `HashOwner`, `owner` | any text | `_` |
//! | `kind` | `runtime` | any text | `python:3` |
//! | `max_concurrent` | `concurrency` | 1 to 65535 | 1 |
//! | `time_ms` | `t_ms`, `timestamp_ms`, `invoke_time_ms`, `arrival_ms`, `start_ms` | ms from any origin | needed |
//! | `duration_ms` | `run_time_ms`, `dur_ms` | ms, warm run time of this invocation, below 71.5 min | the function's |
//!
//! `invocations.csv` has `time_ms`, `function` and, if known, `duration_ms`; the other columns belong to
//! `functions.csv`. Milliseconds may have fractions and are rounded to the nearest µs. Rows need not be
//! in order.

mod files;
mod write;

use std::collections::HashMap;
use std::path::Path;

use self::files::Files;
pub use self::files::is_there;
pub use self::write::{Compression, write_native};
use super::error::{TraceError, listed, nearest, quoted};
use super::number::{BadNumber, micros, whole_mib};
use super::table::{Column, OPEN_QUOTE_HELP, Table};
use super::{Function, Invocations, Loaded, RunTime, Trace, name_fault};
use crate::memory::Memory;
use crate::time::{Span, Time};

const FUNCTION: Column =
    Column { name: "function", aliases: &["func", "name", "HashFunction", "function_name", "action"] };
const MEMORY: Column = Column { name: "memory_mb", aliases: &["mem_mb", "memory", "memory_mib"] };
const COLD: Column = Column { name: "cold_ms", aliases: &["cold_run_ms", "cold_start_ms"] };
const WARM: Column = Column { name: "warm_ms", aliases: &["warm_run_ms", "run_ms"] };
const APP: Column = Column { name: "app", aliases: &["HashApp", "application"] };
const NAMESPACE: Column = Column { name: "namespace", aliases: &["HashOwner", "owner"] };
const KIND: Column = Column { name: "kind", aliases: &["runtime"] };
const MAX_CONCURRENT: Column = Column { name: "max_concurrent", aliases: &["concurrency"] };
const TIME: Column = Column {
    name: "time_ms",
    aliases: &["t_ms", "timestamp_ms", "invoke_time_ms", "arrival_ms", "start_ms"],
};
const DURATION: Column = Column { name: "duration_ms", aliases: &["run_time_ms", "dur_ms"] };

const TIME_HELP: &str = "write milliseconds of at least 0, for example 1500 or 1500.25";
const MEMORY_HELP: &str = "write a number of MiB above 0, for example 128";
const CONCURRENT_HELP: &str = "write a whole number from 1 to 65535";

/// Reads the trace at `path`: a folder, or the common beginning of the names of two files.
///
/// # Errors
/// The first fault found, with file, line and column where it has them.
pub fn read_native(path: &Path) -> Result<Loaded, TraceError> {
    let files = Files::locate(path)?;
    let mut notes = Vec::new();
    let functions = read_functions(&files.functions, &mut notes)?;
    let invocations = read_invocations(&files.invocations, &functions, &mut notes)?;
    let trace = Trace::new(files.trace_name, functions, invocations)?;
    Ok(Loaded { trace, notes })
}

/// How many rows something was noticed in, and the first of them.
#[derive(Default)]
struct Noticed {
    rows: usize,
    first: Option<(String, u64)>,
}

impl Noticed {
    fn add(&mut self, function: &str, line: u64) {
        self.rows += 1;
        self.first.get_or_insert_with(|| (function.to_owned(), line));
    }

    /// The note, if there is something to note; `what` is said of "2 functions" or "1 function".
    fn note(&self, file: &str, what: &str) -> Option<String> {
        let (function, line) = self.first.as_ref()?;
        let functions = if self.rows == 1 { "function" } else { "functions" };
        let function = quoted(function.as_bytes());
        Some(format!("{file}: {} {functions} {what} (first: {function}, line {line})", self.rows))
    }
}

/// Where the columns of `functions.csv` are.
struct FunctionColumns {
    function: usize,
    memory: usize,
    cold: usize,
    warm: usize,
    app: Option<usize>,
    namespace: Option<usize>,
    kind: Option<usize>,
    max_concurrent: Option<usize>,
}

impl FunctionColumns {
    fn of(table: &Table) -> Result<FunctionColumns, TraceError> {
        Ok(FunctionColumns {
            function: table.require(&FUNCTION)?,
            memory: table.require(&MEMORY)?,
            cold: table.require(&COLD)?,
            warm: table.require(&WARM)?,
            app: table.find(&APP),
            namespace: table.find(&NAMESPACE),
            kind: table.find(&KIND),
            max_concurrent: table.find(&MAX_CONCURRENT),
        })
    }
}

fn read_functions(path: &Path, notes: &mut Vec<String>) -> Result<Vec<Function>, TraceError> {
    let mut table = Table::open(path)?;
    let columns = FunctionColumns::of(&table)?;
    let mut functions: Vec<Function> = Vec::new();
    let mut lines: HashMap<String, u64> = HashMap::new();
    let (mut fractional, mut inverted) = (Noticed::default(), Noticed::default());
    while table.next_row()? {
        let (function, rounded) = read_function(&table, &columns)?;
        let line = table.line();
        if let Some(earlier) = lines.insert(function.name.clone(), line) {
            let name = quoted(function.name.as_bytes());
            return Err(table
                .bad_field(columns.function, format!("function {name} is already on line {earlier}"))
                .with_help("every function has one row; remove or rename one of the two"));
        }
        if rounded {
            fractional.add(&function.name, line);
        }
        if function.warm > function.cold {
            inverted.add(&function.name, line);
        }
        functions.push(function);
    }
    if functions.is_empty() {
        return Err(TraceError::new(table.file(), "has no functions")
            .with_help("write one row per function below the header"));
    }
    let file = table.file();
    notes.extend(fractional.note(file, "with a fraction of a MiB, rounded up to whole MiB"));
    notes.extend(inverted.note(file, "slower warm than cold (warm_ms above cold_ms), taken as written"));
    Ok(functions)
}

/// The function of the current row, and whether its memory was rounded up.
fn read_function(table: &Table, columns: &FunctionColumns) -> Result<(Function, bool), TraceError> {
    let name = text_of(table, columns.function)?;
    let (mib, rounded) = whole_mib(table.field(columns.memory))
        .map_err(|why| table.bad_number(columns.memory, why, MEMORY_HELP))?;
    if mib == 0 {
        return Err(table.bad_field(columns.memory, "a function cannot run in 0 MiB").with_help(MEMORY_HELP));
    }
    let cold = span_of(table, columns.cold)?;
    let warm = span_of(table, columns.warm)?;
    let mut function = Function::new(name, Memory(mib), cold, warm);
    function.app = optional_text_of(table, columns.app)?;
    if let Some(namespace) = optional_text_of(table, columns.namespace)? {
        function.namespace = namespace;
    }
    if let Some(kind) = optional_text_of(table, columns.kind)? {
        function.kind = kind;
    }
    if let Some(index) = columns.max_concurrent
        && let field = table.field(index).trim_ascii()
        && !field.is_empty()
    {
        function.max_concurrent = std::str::from_utf8(field)
            .ok()
            .and_then(|text| text.parse().ok())
            .filter(|&most| most > 0)
            .ok_or_else(|| {
                let value = quoted(field);
                table
                    .bad_field(index, format!("{value} is not a number of concurrent invocations"))
                    .with_help(CONCURRENT_HELP)
            })?;
    }
    Ok((function, rounded))
}

fn read_invocations(
    path: &Path,
    functions: &[Function],
    notes: &mut Vec<String>,
) -> Result<Invocations, TraceError> {
    let mut table = Table::open(path)?;
    let (time, function) = (table.require(&TIME)?, table.require(&FUNCTION)?);
    let duration = table.find(&DURATION);
    let numbers: HashMap<&[u8], u32> =
        (0..).zip(functions).map(|(number, function)| (function.name.as_bytes(), number)).collect();
    let mut invocations = Invocations::default();
    while table.next_row()? {
        let at = micros(table.field(time)).map_err(|why| bad_time(&table, time, why))?;
        let Some(&number) = numbers.get(table.field(function)) else {
            return Err(unknown_function(&table, function, functions));
        };
        let run_time = match duration {
            Some(index) => run_time_of(&table, index)?,
            None => RunTime::ABSENT,
        };
        invocations.push(Time(at), number, run_time);
    }
    if invocations.is_empty() {
        return Err(TraceError::new(table.file(), "has no invocations")
            .with_help("write one row per invocation below the header"));
    }
    let late_comers = invocations.sort();
    if late_comers > 0 {
        let rows = if late_comers == 1 { "row was" } else { "rows were" };
        let file = table.file();
        notes.push(format!(
            "{file}: {late_comers} {rows} out of order; all are now sorted by time, ties in file order"
        ));
    }
    Ok(invocations)
}

/// The run time of one invocation; absent if the field is empty.
#[inline]
fn run_time_of(table: &Table, index: usize) -> Result<RunTime, TraceError> {
    let us = match micros(table.field(index)) {
        Ok(us) => us,
        Err(BadNumber::Empty) => return Ok(RunTime::ABSENT),
        Err(why) => return Err(table.bad_number(index, why, TIME_HELP)),
    };
    RunTime::new(Span(us)).ok_or_else(|| {
        let value = quoted(table.field(index));
        table
            .bad_field(index, format!("{value} is longer than an invocation may run here ({})", RunTime::MAX))
            .with_help(TIME_HELP)
    })
}

fn span_of(table: &Table, index: usize) -> Result<Span, TraceError> {
    micros(table.field(index)).map(Span).map_err(|why| table.bad_number(index, why, TIME_HELP))
}

/// A name that must be there.
fn text_of(table: &Table, index: usize) -> Result<String, TraceError> {
    let field = table.field(index);
    let text = std::str::from_utf8(field).map_err(|_| {
        table
            .bad_field(index, format!("{} is not valid UTF-8", quoted(field)))
            .with_help("save the file as UTF-8")
    })?;
    match name_fault(text) {
        None => Ok(text.to_owned()),
        Some(fault) if text.is_empty() => Err(table.bad_field(index, fault).with_help("write a name")),
        Some(fault) => {
            let message = format!("{} {fault}", quoted(field));
            Err(table.bad_field(index, message).with_help("a name is printable text on one line"))
        }
    }
}

/// A name that may be missing or empty.
fn optional_text_of(table: &Table, index: Option<usize>) -> Result<Option<String>, TraceError> {
    match index {
        Some(index) if !table.field(index).is_empty() => text_of(table, index).map(Some),
        _ => Ok(None),
    }
}

#[cold]
fn bad_time(table: &Table, index: usize, why: BadNumber) -> TraceError {
    let help = if why == BadNumber::TooLarge {
        "times are milliseconds; are these microseconds or nanoseconds?"
    } else {
        TIME_HELP
    };
    table.bad_number(index, why, help)
}

#[cold]
fn unknown_function(table: &Table, index: usize, functions: &[Function]) -> TraceError {
    let field = table.field(index);
    let Ok(name) = std::str::from_utf8(field) else {
        let message = format!("{} is not valid UTF-8", quoted(field));
        return table.bad_field(index, message).with_help("save the file as UTF-8");
    };
    let error = table.bad_field(index, format!("unknown function {}", quoted(field)));
    if name.contains('\n') {
        return error.with_help(OPEN_QUOTE_HELP);
    }
    let names = functions.iter().map(|function| function.name.as_str());
    match nearest(name, names).as_slice() {
        [] => error.with_help(format!("give it a row in the functions file, which has {}", functions.len())),
        near => error.with_help(format!(
            "did you mean {}? Else give it a row in the functions file",
            listed(near.iter().copied())
        )),
    }
}
