//! Fields of a table that several formats share: names, times, counts, what was measured. Owns what is said of one
//! that does not do; must never know which format it belongs to.

use super::error::{TraceError, quoted};
use super::function::name_fault;
use super::invocations::Measured;
use super::number::micros;
use super::table::Table;
use crate::time::Span;

/// What to do about a time that cannot be read.
pub(crate) const TIME_HELP: &str = "write milliseconds of at least 0, for example 1500 or 1500.25";

const COUNT_HELP: &str = "write a whole number, for example 12";

/// Milliseconds of at least zero.
pub(crate) fn span_of(table: &Table<'_>, index: usize) -> Result<Span, TraceError> {
    micros(table.field(index)).map(Span).map_err(|why| table.bad_number(index, why, TIME_HELP))
}

/// A name that must be there.
pub(crate) fn text_of(table: &Table<'_>, index: usize) -> Result<String, TraceError> {
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
pub(crate) fn optional_text_of(
    table: &Table<'_>,
    index: Option<usize>,
) -> Result<Option<String>, TraceError> {
    match index {
        Some(index) if !table.field(index).is_empty() => text_of(table, index).map(Some),
        _ => Ok(None),
    }
}

/// What was measured of the current row.
pub(crate) fn measured_of(
    table: &Table<'_>,
    is_cold: usize,
    container: Option<usize>,
) -> Result<Measured, TraceError> {
    let field = table.field(is_cold).trim_ascii();
    let cold = match field.to_ascii_lowercase().as_slice() {
        b"1" | b"true" => true,
        b"0" | b"false" => false,
        _ => {
            let message = format!("{} does not say whether it was a cold start", quoted(field));
            return Err(table.bad_field(is_cold, message).with_help("write 1 for cold and 0 for warm"));
        }
    };
    let container = match container {
        Some(index) if !table.field(index).trim_ascii().is_empty() => Some(whole(table, index, u32::MAX)?),
        _ => None,
    };
    Ok(Measured { cold, container })
}

/// What is noted of rows that came after a later one.
pub(crate) fn out_of_order(file: &str, late_comers: usize) -> String {
    let rows = if late_comers == 1 { "row was" } else { "rows were" };
    format!("{file}: {late_comers} {rows} out of order; all are now sorted by time, ties in file order")
}

/// A whole number of at most `most`.
pub(crate) fn whole(table: &Table<'_>, index: usize, most: u32) -> Result<u32, TraceError> {
    let field = table.field(index).trim_ascii();
    let digits = !field.is_empty() && field.len() <= 10 && field.iter().all(u8::is_ascii_digit);
    let value = field.iter().fold(0_u64, |value, digit| {
        value.saturating_mul(10).saturating_add(u64::from(digit.wrapping_sub(b'0')))
    });
    if digits && value <= u64::from(most) {
        return Ok(value as u32);
    }
    let value = quoted(field);
    let message = if field.is_empty() {
        "is empty".to_owned()
    } else if digits || field.iter().all(u8::is_ascii_digit) {
        format!("{value} is too large; at most {most} is taken")
    } else {
        format!("{value} is not a whole number")
    };
    Err(table.bad_field(index, message).with_help(COUNT_HELP))
}

/// The count in a field; some tools write `3.0` for 3.
#[inline]
pub(crate) fn count_of(table: &Table<'_>, index: usize) -> Result<u32, TraceError> {
    let field = table.field(index).trim_ascii();
    if !field.is_empty() && field.len() < 10 && field.iter().all(u8::is_ascii_digit) {
        return Ok(field.iter().fold(0, |count, digit| count * 10 + u32::from(digit - b'0')));
    }
    let number: Option<f64> = std::str::from_utf8(field).ok().and_then(|text| text.parse().ok());
    match number {
        Some(count) if count >= 0.0 && count.fract() == 0.0 && count <= f64::from(u32::MAX) => {
            Ok(count as u32)
        }
        _ => Err(bad_count(table, index)),
    }
}

#[cold]
fn bad_count(table: &Table<'_>, index: usize) -> TraceError {
    let value = table.field(index);
    let message = if value.trim_ascii().is_empty() {
        "is empty".to_owned()
    } else {
        format!("{} is not a number of invocations", quoted(value))
    };
    table.bad_field(index, message).with_help("write a whole number, 0 for none")
}
