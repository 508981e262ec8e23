//! Rows of a sweep on a terminal. Owns which rows and columns are shown and how; must never show a figure that the table
//! does not have.

use serde_json::Value;

use super::layout::{WIDTH, wrap};
use crate::error::{Diagnostic, Error};
use crate::results::{counted, thousands};
use crate::scenario::path_segments;
use crate::sweep::{Grid, Manifest, Row};

/// Rows that are shown at most, or a few more.
const MOST: usize = 30;

/// Figures that are shown: column, heading, decimals.
const FIGURES: [(&str, &str, usize); 4] = [
    ("cold_pct", "cold %", 2),
    ("dropped_pct", "dropped %", 2),
    ("exec_increase_pct", "exec + %", 2),
    ("memory_idle_gib_s", "idle GiB·s", 0),
];
/// Width of a figure.
const FIGURE: usize = 11;

/// Puts rows in the order of their numbers.
pub(super) fn sort(rows: &mut [Row]) {
    rows.sort_by_key(number);
}

/// The number of a row, counted from 1.
pub(super) fn number(row: &Row) -> Option<u64> {
    row.get("run").and_then(Value::as_u64)
}

fn error(row: &Row) -> Option<&str> {
    row.get("error").and_then(Value::as_str).filter(|error| !error.is_empty())
}

/// The rows as JSON.
pub(super) fn json(rows: &[Row]) -> Result<String, Error> {
    let text = serde_json::to_string_pretty(rows);
    text.map(|text| text + "\n").map_err(|error| Error::run(format!("cannot write JSON: {error}")))
}

/// An error that tells which runs failed, if any did.
pub(super) fn refuse_failed(rows: &[Row]) -> Result<(), Error> {
    const SHOWN: usize = 5;
    let failed: Vec<(u64, &str)> = rows.iter().filter_map(|row| Some((number(row)?, error(row)?))).collect();
    if failed.is_empty() {
        return Ok(());
    }
    let mut diagnostic =
        Diagnostic::new(format!("{} of {} failed", failed.len(), counted(rows.len() as u64, "run")));
    for (run, error) in failed.iter().take(SHOWN) {
        diagnostic = diagnostic.also(format!("run {run}: {error}"));
    }
    if failed.len() > SHOWN {
        diagnostic = diagnostic.also("… the others are in the table, column `error`");
    }
    Err(Error::run(diagnostic.also("the same command tries them again")))
}

/// What is told of runs that are not what they seem, as `run` would of each.
const DOUBTFUL: [(&str, fn(&Row) -> bool); 5] = [
    ("functions were dropped because they are larger than the whole pool", |row| {
        has(row, "dropped_too_large") > 0.0
    }),
    (
        "more than half of the invocations had to wait for a container; waits, not cold starts, decide the response \
         times",
        |row| has(row, "waited_pct") > 50.0,
    ),
    ("more than half of the invocations were dropped; cold-start figures are of the rest", |row| {
        has(row, "dropped_pct") > 50.0
    }),
    ("the pool was over-committed (rules.overcommit)", |row| {
        has(row, "memory_peak_mib")
            > row.get("memory_capacity_mib").and_then(Value::as_f64).unwrap_or(f64::MAX)
    }),
    ("invocations were never served (rules.resume-to-remove)", |row| has(row, "unserved") > 0.0),
];

/// A figure of a row; 0 if it is missing.
fn has(row: &Row, figure: &str) -> f64 {
    row.get(figure).and_then(Value::as_f64).unwrap_or(0.0)
}

/// One line for each kind of doubtful runs, with how many there are and which.
pub(super) fn warnings(rows: &[Row]) -> Vec<String> {
    const SHOWN: usize = 5;
    let warning = |(what, is_so): &(&str, fn(&Row) -> bool)| {
        let runs: Vec<u64> = rows.iter().filter(|row| is_so(row)).filter_map(number).collect();
        let mut which: Vec<String> = runs.iter().take(SHOWN).map(ToString::to_string).collect();
        if runs.len() > SHOWN {
            which.push("…".to_owned());
        }
        let which = format!("run{} {}", if runs.len() == 1 { "" } else { "s" }, which.join(", "));
        let of = counted(rows.len() as u64, "run");
        (!runs.is_empty()).then(|| format!("in {} of {of} {what} ({which})", thousands(runs.len() as u64)))
    };
    DOUBTFUL.iter().filter_map(warning).collect()
}

/// What came of a sweep, at most 80 columns wide.
pub(super) fn text(manifest: &Manifest, rows: &[Row]) -> String {
    let mut out = String::new();
    let mut line = |text: &str| {
        out.push_str(text.trim_end());
        out.push('\n');
    };
    line(&manifest.name);
    if let Some(question) = &manifest.question {
        wrap(question, WIDTH - 2).iter().for_each(|part| line(&format!("  {part}")));
    }
    for axis in &manifest.axes {
        let what = format!("  {} × {}: ", axis.values.len(), axis.path);
        let all = what.clone() + &axis.values.join(", ");
        match axis.values.as_slice() {
            [first, .., last] if all.chars().count() > WIDTH => {
                line(&cut(&format!("{what}{first} … {last}"), WIDTH))
            }
            _ => line(&cut(&all, WIDTH)),
        }
    }
    let all = manifest.runs;
    let part = manifest.shard.as_ref().map_or_else(String::new, |shard| format!(", part {shard}"));
    line(&format!("  {} of {}{part}", thousands(rows.len() as u64), counted(all as u64, "run")));
    line("");
    let grid = Grid::new(manifest.axes.iter().map(|axis| axis.values.len()).collect());
    let shown = shown(&grid, rows);
    let widths = widths(manifest, &grid, &shown);
    line(&heading(manifest, &widths));
    for row in &shown {
        line(&row_line(manifest, &grid, row, &widths));
    }
    let more = rows.len() - shown.len();
    if more > 0 {
        line(&format!("… and {} in runs.csv", counted(more as u64, "more run")));
    }
    out
}

/// The rows that give an idea of all.
fn shown<'r>(grid: &Grid, rows: &'r [Row]) -> Vec<&'r Row> {
    if rows.len() <= MOST {
        return rows.iter().collect();
    }
    let points: std::collections::BTreeSet<u64> =
        grid.thinned(MOST).into_iter().map(|point| point as u64 + 1).collect();
    let kept: Vec<&Row> =
        rows.iter().filter(|row| number(row).is_some_and(|run| points.contains(&run))).collect();
    // Of a part of a sweep, hardly any may be left.
    let kept = if kept.len() * 3 < MOST { rows.iter().collect() } else { kept };
    let step = kept.len().div_ceil(MOST);
    kept.into_iter().step_by(step).collect()
}

/// The values of the axes in a row, as shown.
fn values<'m>(manifest: &'m Manifest, grid: &Grid, row: &Row) -> Vec<&'m str> {
    let point = number(row).map_or(0, |run| run as usize - 1);
    let places = grid.places(point);
    manifest.axes.iter().zip(places).map(|(axis, place)| axis.values[place].as_str()).collect()
}

/// The last name of a path: what the axis is about.
fn short(path: &str) -> String {
    path_segments(path).pop().unwrap_or_default()
}

/// The widths of number and axes; the widest give way until all fit.
fn widths(manifest: &Manifest, grid: &Grid, rows: &[&Row]) -> Vec<usize> {
    let run = manifest.runs.to_string().len().max(3);
    let mut widths = vec![run];
    for (nth, axis) in manifest.axes.iter().enumerate() {
        let values = rows.iter().map(|row| values(manifest, grid, row)[nth].chars().count());
        widths.push(values.chain([short(&axis.path).chars().count()]).max().unwrap_or(0));
    }
    let room = WIDTH - FIGURE * FIGURES.len();
    while widths.iter().map(|width| width + 2).sum::<usize>() > room + 2 {
        match widths.iter_mut().skip(1).max() {
            Some(widest) if *widest > 3 => *widest -= 1,
            _ => break,
        }
    }
    widths
}

fn heading(manifest: &Manifest, widths: &[usize]) -> String {
    let names = std::iter::once("run".to_owned()).chain(manifest.axes.iter().map(|axis| short(&axis.path)));
    let figures = FIGURES.map(|(_, name, _)| format!("{name:>FIGURE$}")).concat();
    cells(names, widths) + &figures
}

fn row_line(manifest: &Manifest, grid: &Grid, row: &Row, widths: &[usize]) -> String {
    let run = number(row).map_or_else(String::new, |run| run.to_string());
    let values = values(manifest, grid, row).into_iter().map(str::to_owned);
    let front = cells(std::iter::once(run).chain(values), widths);
    match error(row) {
        Some(error) => {
            let room = WIDTH.saturating_sub(front.chars().count() + 2);
            format!("{front}  {}", cut(error, room))
        }
        None => front + &FIGURES.map(|(name, _, decimals)| figure(row.get(name), decimals)).concat(),
    }
}

/// A row's number to the right, the values of its axes to the left.
fn cells(cells: impl Iterator<Item = String>, widths: &[usize]) -> String {
    let cells = cells.zip(widths).enumerate().map(|(nth, (text, width))| match nth {
        0 => format!("{text:>width$}"),
        _ => format!("{:<width$}", cut(&text, *width)),
    });
    cells.collect::<Vec<_>>().join("  ")
}

fn figure(value: Option<&Value>, decimals: usize) -> String {
    let text = match value.and_then(Value::as_f64) {
        None => "-".to_owned(),
        Some(number) if decimals == 0 => thousands(number.round() as u64),
        Some(number) => format!("{number:.decimals$}"),
    };
    format!("{text:>FIGURE$}")
}

fn cut(text: &str, width: usize) -> String {
    if text.chars().count() <= width {
        return text.to_owned();
    }
    text.chars().take(width.saturating_sub(1)).chain(['…']).collect()
}
