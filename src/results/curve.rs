//! Hit-rate curves as a table for files, as JSON, and as a text at most 80 columns wide. Owns columns,
//! wording and layout; must never compute a point.

use std::fmt::Write as _;

use serde_json::{Value, json};

use super::report::heading_text;
use super::{Column, Heading, Table, thousands};
use crate::curve::{Answer, Curve, Kind, Study};
use crate::memory::Memory;

/// A row per curve and amount of memory: `curve`, `kind`, `memory_mib`, `warm_pct` (of all invocations),
/// `low_pct` and `high_pct` (the spread of samples), `cold`, `dropped` (numbers of invocations).
pub fn curve_table(study: &Study) -> Table {
    let rows = || study.curves.iter().flat_map(|curve| curve.points.iter().map(move |point| (curve, point)));
    let number = |of: fn(&(f64, f64)) -> f64| {
        Column::MaybeNumber(rows().map(|(_, point)| point.band.as_ref().map(of)).collect())
    };
    Table::new()
        .with("curve", Column::Text(rows().map(|(curve, _)| curve.name.clone()).collect()))
        .with(
            "kind",
            Column::Text(rows().map(|(c, point)| c.kind_at(point.memory).name().to_owned()).collect()),
        )
        .with("memory_mib", Column::Whole(rows().map(|(_, point)| point.memory.mib()).collect()))
        .with("warm_pct", Column::Number(rows().map(|(_, point)| point.warm_pct).collect()))
        .with("low_pct", number(|band| band.0))
        .with("high_pct", number(|band| band.1))
        .with("cold", Column::MaybeWhole(rows().map(|(_, point)| point.cold).collect()))
        .with("dropped", Column::MaybeWhole(rows().map(|(_, point)| point.dropped).collect()))
}

/// Every figure of a study.
pub fn curve_json(study: &Study) -> Value {
    let curve = |curve: &Curve| {
        let points = curve.points.iter().map(|point| {
            json!({
                "memory_mib": point.memory.mib(),
                "kind": curve.kind_at(point.memory).name(),
                "warm_pct": point.warm_pct,
                "low_pct": point.band.map(|band| band.0),
                "high_pct": point.band.map(|band| band.1),
                "cold": point.cold,
                "dropped": point.dropped,
            })
        });
        json!({ "curve": curve.name, "kind": curve.kind.name(), "points": points.collect::<Vec<_>>() })
    };
    let answer = |answer: &Answer| {
        json!({
            "curve": answer.curve,
            "kind": answer.kind.name(),
            "memory_mib": answer.memory.map(|(memory, _)| memory.mib()),
            "precision": answer.memory.map(|(_, precision)| precision.name()),
            "warm_pct": answer.warm_pct,
            "gain_points_per_gib": answer.gain_per_gib,
        })
    };
    json!({
        "invocations": study.invocations,
        "functions": study.functions,
        "unlimited_peak_mib": study.need.mib(),
        "shards_mean_error_points": study.shards_error,
        "miniature_standard_error_points": study.mini_standard_error,
        "miniature_mean_error_points": study.mini_error,
        "notes": study.notes,
        "provision": study.answers.iter().map(answer).collect::<Vec<_>>(),
        "curves": study.curves.iter().map(curve).collect::<Vec<_>>(),
    })
}

/// Curves side by side in a block of the text.
const COLUMNS: usize = 9;
/// Rows of a block at most, and the first.
const ROWS: usize = 16;

/// Which of so many rows are shown: the first, and from the last on as many as there is room for, evenly.
fn shown(rows: usize) -> Vec<usize> {
    let step = rows.saturating_sub(1).div_ceil(ROWS - 1).max(1);
    (0..rows).filter(|row| *row == 0 || (rows - 1 - row).is_multiple_of(step)).collect()
}

/// The curves for a person. `provision`: the warm ratio in % that was asked for; `rest`: where the rows are that are not
/// shown.
pub fn curve_text(heading: &Heading, study: &Study, provision: Option<f64>, rest: &str) -> String {
    let mut out = heading_text(heading);
    let (constant, varying): (Vec<&Curve>, Vec<&Curve>) =
        study.curves.iter().partition(|curve| is_constant(curve));
    let _ = writeln!(out, "warm starts in % of all {} invocations", thousands(study.invocations));
    for (nth, curve) in varying.iter().enumerate() {
        let _ = writeln!(out, "  {}  {:<32}{}", letter(nth), shortened(&curve.name, 31), kind_text(curve));
    }
    for curve in constant {
        let warm_pct = curve.points.first().map_or(0.0, |point| point.warm_pct);
        let _ = writeln!(out, "     {:<32}{}: {warm_pct:.2} %", curve.name, curve.kind.name());
    }
    // As many in each block as nearly as possible.
    let blocks = varying.len().div_ceil(COLUMNS).max(1);
    for (block, curves) in varying.chunks(varying.len().div_ceil(blocks).max(1)).enumerate() {
        out.push('\n');
        table(&mut out, curves, block * varying.len().div_ceil(blocks));
    }
    let rows = varying.first().map_or(0, |curve| curve.points.len());
    let hidden = rows - shown(rows).len();
    if hidden > 0 {
        let _ = writeln!(out, "… and {hidden} more {rest}");
    }
    errors(&mut out, study);
    if let Some(warm_pct) = provision {
        answers(&mut out, study, warm_pct);
    }
    out
}

/// Whether a curve says the same whatever the memory.
fn is_constant(curve: &Curve) -> bool {
    curve.kind == Kind::Reference || (curve.kind == Kind::Bound && curve.proven_from.is_none())
}

fn letter(nth: usize) -> char {
    (b'a'..=b'z').chain(b'A'..=b'Z').nth(nth).map_or('?', char::from)
}

/// A name cut to so many characters.
fn shortened(name: &str, width: usize) -> String {
    if name.chars().count() <= width {
        name.to_owned()
    } else {
        name.chars().take(width - 1).chain(['…']).collect()
    }
}

fn kind_text(curve: &Curve) -> String {
    match curve.proven_from {
        Some(least) if curve.points.first().is_some_and(|point| point.memory < least) => {
            format!("bound from {} on, conditional below", gib(least))
        }
        Some(_) => Kind::Bound.name().to_owned(),
        None => curve.kind.name().to_owned(),
    }
}

fn gib(memory: Memory) -> String {
    if memory.mib() < 1_024 {
        format!("{} MiB", memory.mib())
    } else {
        format!("{:.2} GiB", memory.mib() as f64 / 1_024.0)
    }
}

fn table(out: &mut String, curves: &[&Curve], first: usize) {
    let rows = curves.first().map_or(0, |curve| curve.points.len());
    let head: String = (0..curves.len()).map(|nth| format!("{:>7}", letter(first + nth))).collect();
    let _ = writeln!(out, "{:>11}{head}", "memory");
    for row in shown(rows) {
        let cells: String =
            curves.iter().map(|curve| format!("{:>7.2}", curve.points[row].warm_pct)).collect();
        let _ = writeln!(out, "{:>11}{cells}", gib(curves[0].points[row].memory));
    }
}

fn errors(out: &mut String, study: &Study) {
    let found = [
        ("one SHARDS sample is off reuse-distance by", study.shards_error, "points on average"),
        ("the miniature is off the simulation by", study.mini_error, "points on average"),
        ("standard error of the miniature's mean:", study.mini_standard_error, "points"),
    ];
    if found.iter().any(|(_, error, _)| error.is_some()) {
        out.push('\n');
    }
    for (what, error, unit) in found {
        if let Some(error) = error {
            let _ = writeln!(out, "{what} {error:.2} {unit}");
        }
    }
}

fn answers(out: &mut String, study: &Study, warm_pct: f64) {
    let head = format!("memory for {warm_pct} % warm");
    let _ = writeln!(out, "\n{head:<28}{:>12}{:>8}{:>9}  found", "memory", "warm %", "gain");
    for answer in &study.answers {
        let gain = answer.gain_per_gib.map_or_else(String::new, |gain| format!("{gain:.2}"));
        let (memory, found) = match answer.memory {
            Some((memory, precision)) => (gib(memory), precision.name()),
            None => ("out of reach".to_owned(), "at most so warm"),
        };
        let name = shortened(&answer.curve, 27);
        let line = format!("{name:<28}{memory:>12}{:>8.2}{gain:>9}  {found}", answer.warm_pct);
        let _ = writeln!(out, "{line}");
    }
    let _ = writeln!(out, "gain: what the next memory size adds, in percentage points per GiB");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_and_the_last_row_are_always_shown() {
        for rows in 1..200 {
            let shown = shown(rows);
            assert_eq!((shown[0], shown[shown.len() - 1]), (0, rows - 1), "of {rows}");
            assert!(shown.len() <= ROWS + 1 && (rows > ROWS || shown.len() == rows), "{shown:?} of {rows}");
        }
        assert!(shown(0).is_empty());
    }
}
