//! Reads the invocations file of a native trace, and any other file with its columns. Owns matching
//! invocations with functions; must never drop one.

use std::collections::HashMap;
use std::path::Path;

use super::{CONTAINER, DURATION, FUNCTION, IS_COLD, TIME};
use crate::time::{Span, Time};
use crate::trace::error::{TraceError, listed, nearest, quoted};
use crate::trace::fields::{TIME_HELP, measured_of, out_of_order};
use crate::trace::number::{BadNumber, micros};
use crate::trace::reading::Context;
use crate::trace::table::{OPEN_QUOTE_HELP, Table};
use crate::trace::{Function, Invocations, RunTime};

/// Reads the invocations file.
pub(in super::super) fn read(
    path: &Path,
    functions: &[Function],
    context: &mut Context<'_>,
) -> Result<Invocations, TraceError> {
    let mut table = Table::open(path, context.watch)?;
    let (time, function) = (table.require(&TIME)?, table.require(&FUNCTION)?);
    let duration = table.find(&DURATION);
    let (is_cold, container) = (table.find(&IS_COLD), table.find(&CONTAINER));
    let mut measured = Vec::new();
    let numbers = numbers(functions);
    let mut invocations = Invocations::default();
    while table.next_row()? {
        let row = || {
            let at = micros(table.field(time)).map_err(|why| bad_time(&table, time, why))?;
            let number = *numbers
                .get(table.field(function))
                .ok_or_else(|| unknown_function(&table, function, functions))?;
            let run_time = match duration {
                Some(index) => run_time_of(&table, index)?,
                None => RunTime::ABSENT,
            };
            let seen = is_cold.map(|index| measured_of(&table, index, container)).transpose()?;
            Ok((at, number, run_time, seen))
        };
        if let Some((at, number, run_time, seen)) = context.tolerate(row())? {
            invocations.push(Time(at), number, run_time);
            measured.extend(seen);
        }
    }
    if invocations.is_empty() && context.is_clean() {
        return Err(TraceError::new(table.file(), "has no invocations")
            .with_help("write one row per invocation below the header"));
    }
    let mut invocations = invocations.with_measured(measured);
    let late_comers = invocations.sort();
    if late_comers > 0 {
        context.note(out_of_order(table.file(), late_comers));
    }
    Ok(invocations)
}

/// Functions by name.
pub(super) fn numbers(functions: &[Function]) -> HashMap<&[u8], u32> {
    (0..).zip(functions).map(|(number, function)| (function.name.as_bytes(), number)).collect()
}

/// The run time of one invocation; absent if the field is empty.
#[inline]
fn run_time_of(table: &Table<'_>, index: usize) -> Result<RunTime, TraceError> {
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

#[cold]
pub(in super::super) fn bad_time(table: &Table<'_>, index: usize, why: BadNumber) -> TraceError {
    let help = if why == BadNumber::TooLarge {
        "times are milliseconds; are these microseconds or nanoseconds?"
    } else {
        TIME_HELP
    };
    table.bad_number(index, why, help)
}

#[cold]
pub(super) fn unknown_function(table: &Table<'_>, index: usize, functions: &[Function]) -> TraceError {
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
