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
/// Width of all of them.
const FIGURES_WIDTH: usize = FIGURE * FIGURES.len();

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

/// What may be doubtful about a run, and whether it is so.
type Doubt = (&'static str, fn(&Row) -> bool);

/// What is told of runs that are not what they seem, as `run` would of each.
const DOUBTFUL: [Doubt; 5] = [
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
    let warning = |(what, is_so): &Doubt| {
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
    let columns = Columns::new(manifest, &grid, &shown);
    let figures = FIGURES.map(|(_, name, _)| format!("{name:>FIGURE$}")).concat();
    line(&(columns.line(&columns.names) + &figures));
    for (row, cells) in shown.iter().zip(&columns.cells) {
        line(&row_line(&columns, cells, row));
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

/// The columns that tell rows apart: the number, and the axes.
struct Columns {
    names: Vec<String>,
    /// By row.
    cells: Vec<Vec<String>>,
    widths: Vec<usize>,
}

impl Columns {
    fn new(manifest: &Manifest, grid: &Grid, rows: &[&Row]) -> Columns {
        let numbers = rows.iter().map(|row| number(row).map_or_else(String::new, |run| run.to_string()));
        let mut columns = vec![("run".to_owned(), numbers.collect())];
        let axes = manifest.axes.iter().enumerate();
        columns.extend(axes.map(|(nth, axis)| (short(&axis.path), values(manifest, grid, rows, nth))));
        let mut widths: Vec<usize> = columns.iter().map(|(name, cells)| width(name, cells)).collect();
        widths[0] = manifest.runs.to_string().len().max(3);
        let is_too_wide = |widths: &[usize]| {
            widths.iter().map(|width| width + 2).sum::<usize>() > WIDTH - FIGURES_WIDTH + 2
        };
        // What is the same in all rows stands above the table.
        let mut nth = 1;
        while nth < columns.len() && is_too_wide(&widths) {
            if rows.len() > 1 && distinct(&columns[nth].1) == 1 {
                columns.remove(nth);
                widths.remove(nth);
            } else {
                nth += 1;
            }
        }
        // Then the widest give way.
        while is_too_wide(&widths) {
            match widths.iter_mut().skip(1).max() {
                Some(widest) if *widest > 3 => *widest -= 1,
                _ => break,
            }
        }
        for ((_, cells), width) in columns.iter_mut().zip(&widths).skip(1) {
            *cells = cut_apart(cells, *width);
        }
        let names = columns.iter().zip(&widths).map(|((name, _), width)| cut(name, *width)).collect();
        let row = |row: usize| columns.iter().map(|(_, cells)| cells[row].clone()).collect();
        Columns { names, cells: (0..rows.len()).map(row).collect(), widths }
    }

    /// A row's number to the right, the values of its axes to the left.
    fn line(&self, cells: &[String]) -> String {
        let cells = cells.iter().zip(&self.widths).enumerate().map(|(nth, (text, width))| match nth {
            0 => format!("{text:>width$}"),
            _ => format!("{text:<width$}"),
        });
        cells.collect::<Vec<_>>().join("  ")
    }
}

/// The values of an axis by row: in the form in which tables have policies and traces, if that tells as much.
fn values(manifest: &Manifest, grid: &Grid, rows: &[&Row], nth: usize) -> Vec<String> {
    let axis = &manifest.axes[nth];
    let place = |row: &Row| grid.places(number(row).map_or(0, |run| run as usize - 1))[nth];
    let given: Vec<String> = rows.iter().map(|row| axis.values[place(row)].clone()).collect();
    let column = match axis.path.as_str() {
        "trace.path" => "trace",
        "keep-alive" => "keep_alive",
        "eviction" => "eviction",
        _ => return given,
    };
    let held = |row: &&Row| row.get(column).and_then(Value::as_str).unwrap_or_default().to_owned();
    let held: Vec<String> = rows.iter().map(held).collect();
    let tells = held.iter().all(|text| !text.is_empty()) && distinct(&held) >= distinct(&given);
    if tells { held } else { given }
}

fn distinct(texts: &[String]) -> usize {
    texts.iter().collect::<std::collections::BTreeSet<_>>().len()
}

/// The last name of a path: what the axis is about.
fn short(path: &str) -> String {
    path_segments(path).pop().unwrap_or_default()
}

fn width(name: &str, cells: &[String]) -> usize {
    cells.iter().map(|cell| cell.chars().count()).chain([name.chars().count()]).max().unwrap_or(0)
}

fn row_line(columns: &Columns, cells: &[String], row: &Row) -> String {
    let front = columns.line(cells);
    match error(row) {
        Some(error) => {
            let room = WIDTH.saturating_sub(front.chars().count() + 2);
            format!("{front}  {}", cut(error, room))
        }
        None => front + &FIGURES.map(|(name, _, decimals)| figure(row.get(name), decimals)).concat(),
    }
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

/// Cuts texts on the right, or on the left if that keeps more of them apart, as of paths.
fn cut_apart(texts: &[String], width: usize) -> Vec<String> {
    let right: Vec<String> = texts.iter().map(|text| cut(text, width)).collect();
    let left: Vec<String> = texts.iter().map(|text| cut_left(text, width)).collect();
    if distinct(&left) > distinct(&right) { left } else { right }
}

fn cut_left(text: &str, width: usize) -> String {
    let length = text.chars().count();
    if length <= width {
        return text.to_owned();
    }
    std::iter::once('…').chain(text.chars().skip(length + 1 - width.max(1))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sweep::AxisRecord;

    fn page(axes: &[(&str, &[&str])], rows: &[&str]) -> String {
        let axis = |(path, values): &(&str, &[&str])| AxisRecord {
            path: (*path).to_owned(),
            values: values.iter().map(|value| (*value).to_owned()).collect(),
        };
        let manifest = Manifest {
            faassim: String::new(),
            command: String::new(),
            name: "s".to_owned(),
            question: None,
            scenario_file: String::new(),
            scenario: String::new(),
            overrides: Vec::new(),
            axes: axes.iter().map(axis).collect(),
            runs: axes.iter().map(|(_, values)| values.len()).product(),
            grid: String::new(),
            shard: None,
            traces: Vec::new(),
        };
        let rows: Vec<Row> = rows.iter().map(|row| serde_json::from_str(row).expect("JSON")).collect();
        let page = text(&manifest, &rows);
        assert!(page.lines().all(|line| line.chars().count() <= WIDTH), "{page}");
        page
    }

    #[test]
    fn policies_are_told_apart() {
        let axes: [(&str, &[&str]); 2] = [
            ("rules.buffer-limit-of-a-long-name", &["100"]),
            ("eviction", &["{ s3-fifo = { small = 0.1 } }", "{ s3-fifo = { small = 0.2 } }"]),
        ];
        let row =
            |run: u32, eviction: &str| format!(r#"{{"run": {run}, "eviction": "{eviction}", "error": ""}}"#);
        let resolved = [row(1, "s3-fifo (small = 0.1)"), row(2, "s3-fifo (small = 0.2)")];
        let said = page(&axes, &[&resolved[0], &resolved[1]]);
        assert!(
            said.contains("  1  s3-fifo (small = 0.1)  ") && said.contains("  2  s3-fifo (small = 0.2)  "),
            "{said}"
        );
        assert!(!said.contains("buffer-limit-of-a-long-name  "), "it is the same in all rows: {said}");
    }

    #[test]
    fn paths_are_cut_where_they_are_the_same() {
        let paths =
            ["/a/very/long/path/to/somewhere/else/2019/one", "/a/very/long/path/to/somewhere/else/2019/two"];
        let row = |run: u32| format!(r#"{{"run": {run}, "trace": "same", "error": "broken"}}"#);
        let said = page(&[("trace.path", &paths)], &[&row(1), &row(2)]);
        assert!(said.contains("/one  broken") && said.contains("/two  broken"), "{said}");
    }

    #[test]
    fn doubtful_runs_are_counted() {
        let row = |run: u32, dropped: f64| -> Row {
            let text = format!(r#"{{"run": {run}, "dropped_pct": {dropped}, "memory_peak_mib": 9}}"#);
            serde_json::from_str(&text).expect("JSON")
        };
        assert!(warnings(&[row(1, 50.0)]).is_empty());
        let said = warnings(&[row(1, 51.0), row(2, 3.0)]);
        let what = "more than half of the invocations were dropped; cold-start figures are of the rest";
        assert_eq!(said, [format!("in 1 of 2 runs {what} (run 1)")]);
        let rows: Vec<Row> = (1..=72).map(|run| row(run, f64::from(run))).collect();
        assert_eq!(warnings(&rows), [format!("in 22 of 72 runs {what} (runs 51, 52, 53, 54, 55, …)")]);
    }
}
