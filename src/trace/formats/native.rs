//! The native format: a folder with `functions.csv` and either `invocations.csv` or `counts.csv`, each
//! plain, `.gz` or `.zst`. Owns the names of files and columns; must never guess a unit or drop a row
//! silently.
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
//! | `function` | `func`, `func_name`, `name`, `HashFunction`, `function_name`, `action`, `function_id` | any text, unique in `functions.csv` | needed |
//! | `memory_mb` | `mem_mb`, `memory`, `memory_mib` | MiB above 0; fractions are rounded up | needed |
//! | `cold_ms` | `cold_run_ms`, `cold_start_ms`, `cold_dur_ms` | ms, total run time of a cold invocation | needed |
//! | `warm_ms` | `warm_run_ms`, `run_ms`, `warm_dur_ms` | ms, run time of a warm invocation | needed |
//! | `app` | `HashApp`, `application` | any text | no app |
//! | `namespace` | `HashOwner`, `owner` | any text | `_` |
//! | `kind` | `runtime` | any text | `python:3` |
//! | `max_concurrent` | `concurrency` | 1 to 65535 | 1 |
//! | `trigger` | | any text; `timer` is invoked by a clock | none |
//! | `run_p0_ms`, `run_p1_ms`, `run_p25_ms`, `run_p50_ms`, `run_p75_ms`, `run_p99_ms`, `run_p100_ms` | | ms, quantiles of warm run times, ascending, all or none | none |
//! | `time_ms` | `t_ms`, `timestamp_ms`, `invoke_time_ms`, `arrival_ms`, `start_ms` | ms from any origin | needed |
//! | `duration_ms` | `run_time_ms`, `dur_ms` | ms, warm run time of this invocation, below 71.5 min | the function's |
//! | `is_cold` | | 1 or 0: what was measured on a real platform | not measured |
//! | `container` | | whole number: which container served it | not known |
//!
//! `invocations.csv` has `time_ms`, `function` and, if known, `duration_ms`; the other columns belong to
//! `functions.csv`. `counts.csv` has a count per function and bin of time instead, in the columns `minute` (or
//! `second`, `hour`: the bin's number from 0), `function` and `invocations`; what is not listed is zero. Counts
//! become arrivals as `trace.arrivals` says. Milliseconds may have fractions and are rounded to the nearest µs. Rows need not be
//! in order.

mod counts;
mod files;
pub(super) mod functions;
pub(super) mod invocations;
mod write;

use std::path::Path;

pub use self::files::is_there;
use self::files::{Arrivals, Files};
pub use self::write::{Compression, write_csv, write_native};
use super::Format;
use crate::trace::error::TraceError;
use crate::trace::reading::{Context, Reading};
use crate::trace::table::Column;
use crate::trace::{Loaded, Trace};

/// The format.
pub const FORMAT: Format = Format {
    name: "native",
    summary: "faassim's own: functions, and invocations one by one or as counts",
    files: "a folder with functions.csv and invocations.csv or counts.csv; PREFIX.functions.csv, PREFIX.trace.csv",
    source: "traces/README.md; the second form is the FaasCache artifact's",
    heeds: &["arrivals"],
    recognise: |look| files::is_native(look.path()),
    read,
};

const FUNCTION: Column = Column {
    name: "function",
    aliases: &["func", "func_name", "name", "HashFunction", "function_name", "action", "function_id"],
};
const MEMORY: Column = Column { name: "memory_mb", aliases: &["mem_mb", "memory", "memory_mib"] };
const COLD: Column = Column { name: "cold_ms", aliases: &["cold_run_ms", "cold_start_ms", "cold_dur_ms"] };
const WARM: Column = Column { name: "warm_ms", aliases: &["warm_run_ms", "run_ms", "warm_dur_ms"] };
const APP: Column = Column { name: "app", aliases: &["HashApp", "application"] };
const NAMESPACE: Column = Column { name: "namespace", aliases: &["HashOwner", "owner"] };
const KIND: Column = Column { name: "kind", aliases: &["runtime"] };
const MAX_CONCURRENT: Column = Column { name: "max_concurrent", aliases: &["concurrency"] };
const TRIGGER: Column = Column { name: "trigger", aliases: &[] };
const QUANTILES: [Column; 7] = [
    Column { name: "run_p0_ms", aliases: &[] },
    Column { name: "run_p1_ms", aliases: &[] },
    Column { name: "run_p25_ms", aliases: &[] },
    Column { name: "run_p50_ms", aliases: &[] },
    Column { name: "run_p75_ms", aliases: &[] },
    Column { name: "run_p99_ms", aliases: &[] },
    Column { name: "run_p100_ms", aliases: &[] },
];
const TIME: Column = Column {
    name: "time_ms",
    aliases: &["t_ms", "timestamp_ms", "invoke_time_ms", "arrival_ms", "start_ms"],
};
const DURATION: Column = Column { name: "duration_ms", aliases: &["run_time_ms", "dur_ms"] };

const IS_COLD: Column = Column { name: "is_cold", aliases: &[] };
const CONTAINER: Column = Column { name: "container", aliases: &[] };
const INVOCATIONS: Column = Column { name: "invocations", aliases: &["count"] };

const MEMORY_HELP: &str = "write a number of MiB above 0, for example 128";
const CONCURRENT_HELP: &str = "write a whole number from 1 to 65535";

fn read(path: &Path, reading: &Reading, context: &mut Context<'_>) -> Result<Trace, TraceError> {
    let files = Files::locate(path)?;
    let functions = functions::read(&files.functions, context)?;
    match &files.arrivals {
        Arrivals::Invocations(file) => {
            let invocations = invocations::read(file, &functions, context)?;
            Trace::new(files.trace_name, functions, invocations)
        }
        Arrivals::Counts(file) => {
            let counts = counts::read(file, &functions, context)?;
            Trace::counted(files.trace_name, functions, counts, reading.expansion())
        }
    }
}

/// Reads the native trace at `path`: a folder, or the common beginning of the names of two files.
///
/// # Errors
/// The first fault found, with file, line and column where it has them.
pub fn read_native(path: &Path) -> Result<Loaded, TraceError> {
    let mut context = Context::new(&());
    let trace = read(path, &Reading::default(), &mut context)?;
    Ok(Loaded { trace, notes: context.notes })
}
