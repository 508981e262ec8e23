//! Reads the counts of a day. Owns finding the minutes among the columns; must never lose a count.

use std::path::Path;

use super::MINUTES;
use super::functions::Known;
use crate::trace::counts::Builder;
use crate::trace::error::TraceError;
use crate::trace::fields::count_of;
use crate::trace::reading::Context;
use crate::trace::table::{Column, Table};

pub(super) const OWNER: Column = Column { name: "HashOwner", aliases: &[] };
pub(super) const APP: Column = Column { name: "HashApp", aliases: &[] };
pub(super) const FUNCTION: Column = Column { name: "HashFunction", aliases: &[] };
const TRIGGER: Column = Column { name: "Trigger", aliases: &[] };

/// Reads the file of one day, which is the `position`-th of those chosen, from 0.
pub(super) fn read(
    path: &Path,
    position: u32,
    known: &mut Known,
    counts: &mut Builder,
    context: &mut Context<'_>,
) -> Result<(), TraceError> {
    let mut table = Table::open(path, context.watch)?;
    let app = table.require(&APP)?;
    let function = table.require(&FUNCTION)?;
    let (owner, trigger) = (table.find(&OWNER), table.find(&TRIGGER));
    let minutes = minute_columns(&table)?;
    let (mut rows, mut repeated) = (0_u64, 0_u64);
    while table.next_row()? {
        rows += 1;
        let owner = owner.map_or(&b""[..], |index| table.field(index));
        let trigger = trigger.map_or(&b""[..], |index| table.field(index));
        let names = [owner, table.field(app), table.field(function)];
        let Some(number) = context.tolerate(known.function(&table, function, names, trigger))? else {
            continue;
        };
        if !known.is_first_row_of_day(number, position) {
            repeated += 1;
        }
        for &(column, minute) in &minutes {
            let field = table.field(column);
            if field == b"0" {
                continue;
            }
            if let Some(count) = context.tolerate(count_of(&table, column))? {
                counts.add(position * MINUTES + minute, number, count);
            }
        }
    }
    if rows == 0 && context.is_clean() {
        return Err(TraceError::new(table.file(), "has no functions").with_help("every row is a function"));
    }
    if repeated > 0 {
        let rows = if repeated == 1 { "row repeats a function" } else { "rows repeat functions" };
        context.note(format!("{}: {repeated} {rows}; counts are added up", table.file()));
    }
    Ok(())
}

/// The columns that are minutes, with the minute counted from 0.
fn minute_columns(table: &Table<'_>) -> Result<Vec<(usize, u32)>, TraceError> {
    let minute = |name: &String| name.parse::<u32>().ok().filter(|minute| (1..=MINUTES).contains(minute));
    let columns: Vec<(usize, u32)> = table
        .header()
        .iter()
        .enumerate()
        .filter_map(|(index, name)| Some((index, minute(name)? - 1)))
        .collect();
    if columns.is_empty() {
        return Err(TraceError::new(table.file(), "has no columns of minutes")
            .at_line(1)
            .with_help("the columns after Trigger are called 1, 2, … 1440"));
    }
    Ok(columns)
}
