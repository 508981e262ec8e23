//! An OpenWhisk log as a side of a comparison. Owns what such a log cannot tell; must never compare.

use std::path::PathBuf;

use super::digest::{Digest, Row, read_log};
use crate::compare::{Class, Invocation, Side, SideKind};
use crate::results::{Column, Table, counted};
use crate::time::{Span, Time};
use crate::trace::{TraceError, Watch};

/// Reads logs as a side, with everything else that they tell.
///
/// # Errors
/// As [`read_log`] says.
pub fn openwhisk_side(
    label: impl Into<String>,
    logs: &[PathBuf],
    watch: &dyn Watch,
) -> Result<(Side, Digest), TraceError> {
    let digest = read_log(logs, true, watch, &mut |_, _| {})?;
    Ok((side_of(label, &digest), digest))
}

/// A digest with rows as a side.
pub fn side_of(label: impl Into<String>, digest: &Digest) -> Side {
    let first = digest.rows.first().map_or(0, |row| row.arrived_at);
    let has_counters = digest.counters.lines > 0;
    Side {
        invocations: digest.rows.iter().map(|row| invocation(row, first)).collect(),
        created: digest.created,
        // Only the fork says so.
        evicted: has_counters.then_some(digest.counters.evicted),
        notes: notes(digest),
        ..Side::new(label, SideKind::OpenWhisk, digest.functions.clone())
    }
}

fn invocation(row: &Row, first: i64) -> Invocation {
    let span = |ms: Option<u32>| ms.map(|ms| Span::from_ms(u64::from(ms)));
    Invocation {
        number: row.number,
        function: row.function,
        arrival: Time::from_ms((row.arrived_at - first).unsigned_abs()),
        class: Class::of(row.start),
        start: row.start,
        wait: span(row.wait),
        init: span(row.init),
        duration: span(row.duration),
        response: span(row.response),
        failed: row.outcome.is_some_and(|outcome| matches!(outcome, "developer-error" | "system-error")),
    }
}

/// A row per invocation, in order of arrival: the columns that tables of runs have, as far as a log can fill them, and
/// the activation's id.
pub fn invocation_table(digest: &Digest) -> Table {
    let rows = &digest.rows;
    let first = rows.first().map_or(0, |row| row.arrived_at);
    let ms = |of: fn(&Row) -> Option<u32>| {
        Column::MaybeNumber(rows.iter().map(|row| of(row).map(f64::from)).collect())
    };
    let text = |of: fn(&Row) -> Option<&'static str>| Column::MaybeText(rows.iter().map(of).collect());
    let function = |row: &Row| digest.functions.get(row.function as usize).cloned().unwrap_or_default();
    let activation = |row: &Row| row.activation.as_deref().unwrap_or_default().to_owned();
    Table::new()
        .with("invocation", Column::Whole(rows.iter().map(|row| row.number).collect()))
        .with("arrival_ms", Column::Number(rows.iter().map(|row| (row.arrived_at - first) as f64).collect()))
        .with("function", Column::Text(rows.iter().map(function).collect()))
        .with("outcome", text(|row| row.outcome))
        .with("start", text(|row| row.start.map(crate::pool::boundary::StartState::name)))
        .with("cause", text(|_| None))
        .with("wait_ms", ms(|row| row.wait))
        .with("init_ms", ms(|row| row.init))
        .with("duration_ms", ms(|row| row.duration))
        .with("response_ms", ms(|row| row.response))
        .with("activation", Column::Text(rows.iter().map(activation).collect()))
}

/// What must be known to read the figures, one sentence each.
pub fn notes(digest: &Digest) -> Vec<String> {
    let mut notes = Vec::new();
    let mut note = |count: u64, what: &str, text: &str| {
        if count > 0 {
            notes.push(format!("{} {text}", counted(count, what)));
        }
    };
    let (lines, fates, odd, count) = (&digest.lines, &digest.fates, &digest.oddities, &digest.counters);
    note(
        fates.incomplete,
        "activation",
        "incomplete: beginning or end is not in the log, so not in its figures",
    );
    note(fates.inferred, "start state", "inferred from init and docker run, for want of a placement line");
    note(odd.given_up, "activation", "given up since too much was under way at once");
    note(odd.duplicate_ids, "activation id", "under two transactions at once");
    note(
        odd.shared_transactions,
        "transaction",
        "with several activations at once, whose phases cannot be told apart",
    );
    note(
        odd.placed_again,
        "activation",
        "handed back by a container and placed again; the last placement counts",
    );
    let back = format!("earlier than the line before it, by at most {} ms", lines.most_backwards_ms);
    note(lines.backwards, "line", &back);
    note(lines.truncated, "last line", "cut off, and skipped");
    note(count.cut, "counter line", "cut in the maps, so without names of actions");
    note(count.restarts, "restart", "of the counters: the server was started again");
    note(count.sums_wrong, "counter line", "whose maps do not add up to the counters");
    note(count.disagree, "placement line", "not as the counters say");
    note(count.uncounted_placements, "placement line", "without a counter line before it");
    note(count.unplaced_counts, "counter line", "without a placement line after it");
    if digest.rows_are_counted {
        let text = "are from counter lines: arrivals are the times of placement, and neither waits nor durations are told";
        notes.push(format!("{} {text}", counted(digest.rows.len() as u64, "invocation")));
    }
    if digest.rows_are_counted || digest.fates.complete == 0 {
        let mut note = |count: u64, text: &str| {
            if count > 0 {
                notes.push(format!("{} {text}", counted(count, "start")));
            }
        };
        note(
            count.before,
            "before the first counter line; which of them is its own is not told, so none is a row",
        );
        note(
            count.together,
            "told together with others: lines between are missing, and so are order and time",
        );
        note(
            count.uncounted,
            "neither cold nor warm (prewarmed, or joining a start): not counted by the fork, nor their actions told",
        );
    }
    for file in &lines.files {
        if file.openwhisk == 0 {
            notes.push(format!("{}: no line of an OpenWhisk log in it", file.file));
        }
        if file.is_cut_short {
            notes.push(format!("{}: its packed data ends too early; it was read so far", file.file));
        }
    }
    notes
}
