//! A CSV table of invocations as a side, as `faassim run --invocations` writes it or anybody else. Owns the names of its
//! columns and every message about them; must never guess how an invocation was served.
//!
//! | column | also called | what | if absent |
//! |-|-|-|-|
//! | `invocation` | `number` | its number among all arrivals, from 0 | needed |
//! | `function` | `func`, `name`, `action` | what was invoked | needed |
//! | `start` | `state` | OpenWhisk's start state (`cold`, `warmed`, …), or `warm`; empty: not served | this or `is_cold` |
//! | `is_cold` | `cold` | 1 or 0; empty: not served | this or `start` |
//! | `outcome` | | `success`, `developer-error`, `dropped`, … | success |
//! | `cause` | | why it was not warm | not known |
//! | `arrival_ms` | `time_ms` | ms since the beginning | 0 |
//! | `wait_ms`, `init_ms`, `duration_ms`, `response_ms` | | ms; empty: not known | not known |

use std::collections::HashMap;
use std::path::Path;

use super::side::{Class, Invocation, Side, SideKind, start_named};
use crate::pool::boundary::StartState;
use crate::suggest::nearest;
use crate::tally::{Causes, MemorySample};
use crate::time::{Span, Time};
use crate::trace::error::TraceError;
use crate::trace::fields::{count_of, measured_of, span_of, text_of, whole};
use crate::trace::table::{Column, Table};
use crate::trace::watch::Watch;

const NUMBER: Column = Column { name: "invocation", aliases: &["number"] };
const FUNCTION: Column = Column { name: "function", aliases: &["func", "name", "action"] };
const START: Column = Column { name: "start", aliases: &["state"] };
const IS_COLD: Column = Column { name: "is_cold", aliases: &["cold"] };
const OUTCOME: Column = Column { name: "outcome", aliases: &[] };
const CAUSE: Column = Column { name: "cause", aliases: &[] };
const ARRIVAL: Column = Column { name: "arrival_ms", aliases: &["time_ms"] };
const WAIT: Column = Column { name: "wait_ms", aliases: &[] };
const INIT: Column = Column { name: "init_ms", aliases: &[] };
const DURATION: Column = Column { name: "duration_ms", aliases: &[] };
const RESPONSE: Column = Column { name: "response_ms", aliases: &[] };

/// How a row tells what became of it.
#[derive(Clone, Copy)]
enum Tells {
    Start(usize),
    IsCold(usize),
}

struct Columns {
    number: usize,
    function: usize,
    tells: Tells,
    outcome: Option<usize>,
    cause: Option<usize>,
    arrival: Option<usize>,
    wait: Option<usize>,
    init: Option<usize>,
    duration: Option<usize>,
    response: Option<usize>,
}

impl Columns {
    fn find(table: &Table<'_>) -> Result<Columns, TraceError> {
        let number = table.require(&NUMBER)?;
        let function = table.require(&FUNCTION)?;
        let tells = match (table.find(&START), table.find(&IS_COLD)) {
            (Some(start), _) => Tells::Start(start),
            (None, Some(flag)) => Tells::IsCold(flag),
            (None, None) => {
                table.require(&START).map_err(|error| {
                    error.with_help("a column `start` (cold, warmed, …) or `is_cold` (1 or 0) is needed")
                })?;
                return Err(TraceError::new(table.file(), "no column `start`"));
            }
        };
        Ok(Columns {
            number,
            function,
            tells,
            outcome: table.find(&OUTCOME),
            cause: table.find(&CAUSE),
            arrival: table.find(&ARRIVAL),
            wait: table.find(&WAIT),
            init: table.find(&INIT),
            duration: table.find(&DURATION),
            response: table.find(&RESPONSE),
        })
    }
}

/// Whether a file with these columns, in lower case, is such a table.
pub fn is_table(names: &[String]) -> bool {
    let has = |column: &Column| {
        std::iter::once(&column.name)
            .chain(column.aliases)
            .any(|name| names.iter().any(|found| found == name))
    };
    names.iter().any(|name| name == NUMBER.name)
        || (has(&NUMBER) && has(&FUNCTION) && (has(&START) || has(&IS_COLD)))
}

/// Reads a table. Rows may have any order; numbers may be missing, none may be there twice.
///
/// # Errors
/// The first fault, with file, line and column.
pub fn read(label: &str, path: &Path, watch: &dyn Watch) -> Result<Side, TraceError> {
    let mut table = Table::open(path, watch)?;
    let columns = Columns::find(&table)?;
    let mut side = Side::new(label, SideKind::Table, Vec::new());
    let mut known: HashMap<String, u32> = HashMap::new();
    let mut causes = columns.cause.map(|_| Causes::default());
    let mut lines: Vec<(u64, u64)> = Vec::new();
    while table.next_row()? {
        let number = u64::from(whole(&table, columns.number, u32::MAX)?);
        let name = text_of(&table, columns.function)?;
        let next = known.len() as u32;
        let function = *known.entry(name).or_insert_with_key(|name| {
            side.functions.push(name.clone());
            next
        });
        let invocation = row(&table, &columns, number, function)?;
        if let (Some(causes), Some(column)) = (&mut causes, columns.cause) {
            count_cause(causes, &table, column)?;
        }
        lines.push((number, table.line()));
        side.invocations.push(invocation);
    }
    lines.sort_unstable();
    if let Some(twice) = lines.windows(2).find(|pair| pair[0].0 == pair[1].0) {
        let message = format!("invocation {} is there twice, first in line {}", twice[0].0, twice[0].1);
        let error = TraceError::new(path.display().to_string(), message).at_line(twice[1].1);
        return Err(error.with_help("every invocation has one row, numbered from 0 in order of arrival"));
    }
    side.invocations.sort_unstable_by_key(|one| one.number);
    side.causes = causes;
    side.two_classes = matches!(columns.tells, Tells::IsCold(_));
    Ok(side)
}

fn row(table: &Table<'_>, columns: &Columns, number: u64, function: u32) -> Result<Invocation, TraceError> {
    let span = |column: Option<usize>| -> Result<Option<Span>, TraceError> {
        match column {
            Some(index) if !table.field(index).trim_ascii().is_empty() => span_of(table, index).map(Some),
            _ => Ok(None),
        }
    };
    let (class, start) = served(table, columns.tells)?;
    let outcome = columns.outcome.map_or(&b""[..], |index| table.field(index).trim_ascii());
    Ok(Invocation {
        number,
        function,
        arrival: Time(span(columns.arrival)?.unwrap_or_default().0),
        class,
        start,
        wait: span(columns.wait)?,
        init: span(columns.init)?,
        duration: span(columns.duration)?,
        response: span(columns.response)?,
        failed: outcome == b"developer-error" || outcome == b"system-error",
    })
}

fn served(table: &Table<'_>, tells: Tells) -> Result<(Class, Option<StartState>), TraceError> {
    let (Tells::Start(index) | Tells::IsCold(index)) = tells;
    let field = table.field(index).trim_ascii();
    if field.is_empty() {
        return Ok((Class::Unserved, None));
    }
    if let Tells::IsCold(index) = tells {
        let measured = measured_of(table, index, None)?;
        return Ok((if measured.cold { Class::Cold } else { Class::Warm }, None));
    }
    let text = String::from_utf8_lossy(field);
    if let Some(start) = start_named(&text) {
        return Ok((Class::of(Some(start)), Some(start)));
    }
    match text.as_ref() {
        "warm" => Ok((Class::Warm, None)),
        other => {
            let names = || StartState::ALL.into_iter().map(StartState::name).chain(["warm"]);
            let error = table.bad_field(index, format!("`{}` is no start state", other.escape_debug()));
            Err(error.with_help(match nearest(other, names()) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("there are {}; empty is not served", names().collect::<Vec<_>>().join(", ")),
            }))
        }
    }
}

fn count_cause(causes: &mut Causes, table: &Table<'_>, column: usize) -> Result<(), TraceError> {
    let count = match table.field(column).trim_ascii() {
        b"" => return Ok(()),
        b"first" => &mut causes.first,
        b"all-busy" => &mut causes.all_busy,
        b"expired" => &mut causes.expired,
        b"evicted" => &mut causes.evicted,
        b"shrunk" => &mut causes.shrunk,
        b"unloaded" => &mut causes.unloaded,
        b"failed" => &mut causes.failed,
        other => {
            let message = format!("`{}` is no cause", String::from_utf8_lossy(other).escape_debug());
            return Err(table.bad_field(column, message).with_help(
                "there are first, all-busy, expired, evicted, shrunk, unloaded, failed; empty for warm starts",
            ));
        }
    };
    *count += 1;
    Ok(())
}

const TIME_S: Column = Column { name: "time_s", aliases: &[] };
const LEVELS: [Column; 5] = [
    Column { name: "busy_mib", aliases: &[] },
    Column { name: "idle_mib", aliases: &[] },
    Column { name: "prewarmed_mib", aliases: &[] },
    Column { name: "containers", aliases: &[] },
    Column { name: "capacity_mib", aliases: &[] },
];

/// Reads the table of memory over time among results.
///
/// # Errors
/// The first fault, with file, line and column.
pub fn read_memory(path: &Path, watch: &dyn Watch) -> Result<Vec<MemorySample>, TraceError> {
    let mut table = Table::open(path, watch)?;
    let time = table.require(&TIME_S)?;
    let mut levels = [0_usize; LEVELS.len()];
    for (level, column) in levels.iter_mut().zip(&LEVELS) {
        *level = table.require(column)?;
    }
    let mut samples = Vec::new();
    while table.next_row()? {
        let seconds: Option<f64> =
            std::str::from_utf8(table.field(time)).ok().and_then(|text| text.trim().parse().ok());
        let Some(seconds) = seconds.filter(|seconds| seconds.is_finite() && *seconds >= 0.0) else {
            let value = String::from_utf8_lossy(table.field(time)).escape_debug().to_string();
            return Err(table
                .bad_field(time, format!("`{value}` is no time"))
                .with_help("write seconds of at least 0"));
        };
        let level = |nth: usize| count_of(&table, levels[nth]);
        samples.push(MemorySample {
            time: Time((seconds * 1e6).round() as u64),
            busy_mib: u64::from(level(0)?),
            idle_mib: u64::from(level(1)?),
            prewarmed_mib: u64::from(level(2)?),
            containers: level(3)?,
            capacity_mib: u64::from(level(4)?),
        });
    }
    Ok(samples)
}
