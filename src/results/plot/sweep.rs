//! The plot of a sweep: cold starts, execution time and drops by memory, wasted memory against cold starts. Owns which
//! runs make a line; the figures are those of the sweep's table.

use std::path::Path;

use super::figures::{Choice, Figures, name_of};
use super::read::Sheet;
use super::{Axis, GREY, LOOKS, Line, Look, Marker, Panel, Stroke};
use crate::error::{Diagnostic, Error};
use crate::memory::Memory;
use crate::results::counted;
use crate::suggest::nearest;

/// The file by which the folder of a sweep is recognised.
pub(super) const FILE: &str = "runs.csv";
/// The file that a sweep has from its beginning, when there is no table yet.
pub(super) const JOURNAL: &str = "runs.jsonl";
/// Its panels.
pub(super) const PANELS: [&str; 4] = ["cold", "execution", "dropped", "waste"];

/// The first column of figures: those before it tell what was run.
const FIRST_FIGURE: &str = "invocations";
/// Columns without which nothing can be drawn.
const NEEDED: [&str; 5] = ["memory_mib", "cold_pct", "dropped_pct", "exec_increase_pct", "error"];
/// Columns that make no line of their own: lines go along memory, seeds are one line's spread, the number of a run
/// means nothing.
const NO_LINE: [&str; 4] = ["run", "memory_mib", "pool.memory", "seed"];

/// Runs with the same memory that differ in their seed alone, by number of row.
struct Spot {
    memory_mib: f64,
    rows: Vec<usize>,
}

/// Runs that differ in memory and seed alone, by ascending memory.
struct Series {
    name: String,
    spots: Vec<Spot>,
}

/// A figure over the seeds of a spot.
#[derive(Clone, Copy)]
struct Spread {
    low: f64,
    median: f64,
    high: f64,
}

pub(super) fn figures(folder: &Path, choices: &[Choice]) -> Result<Figures, Error> {
    let at = |what: String| Diagnostic::new(what).at(folder.join(FILE).display().to_string());
    let Some(sheet) = Sheet::read(folder, FILE)? else {
        return Err(Error::usage(at("there is no such file".to_owned())));
    };
    sheet.require(&NEEDED)?;
    let sheet = chosen(sheet, choices).map_err(|(what, help)| Error::usage(at(what).help(help)))?;
    let failed: Vec<bool> = sheet.texts("error")?.iter().map(|error| !error.is_empty()).collect();
    let failures = failed.iter().filter(|failed| **failed).count();
    let sheet = sheet.filtered(|row| !failed[row]);
    if sheet.rows() == 0 {
        let what = if failures > 0 { "every run failed" } else { "there are no runs" };
        return Err(Error::usage(at(what.to_owned())));
    }
    sheet.check("memory_mib", "above 0", |_, mib| mib > 0.0)?;
    for column in ["cold_pct", "dropped_pct"] {
        sheet.check(column, "from 0 to 100", |_, share| (0.0..=100.0).contains(&share))?;
    }
    let (series, common) = series(&sheet)?;
    if series.len() > LOOKS {
        let what = format!("there are {} lines to draw, {LOOKS} can be told apart", series.len());
        return Err(Error::usage(at(what).help(format!("choose, for example {}", example(&sheet)?))));
    }
    let served = served(&sheet)?;
    let unserved = served.iter().filter(|served| !**served).count();
    let notes = notes(&common, &series, failures, unserved);
    let title = format!("{}: {}", name_of(folder)?, counted(sheet.rows() as u64, "run"));
    let mut figures = Figures { title, notes, panels: Vec::new(), left_out: Vec::new(), one_legend: true };
    let drawn = [
        by_memory(&sheet, &series, &COLD, &served)?,
        by_memory(&sheet, &series, &EXECUTION, &served)?,
        by_memory(&sheet, &series, &DROPPED, &served)?,
        waste(&sheet, &series, &served)?,
    ];
    for (name, panel) in PANELS.into_iter().zip(drawn) {
        match panel {
            Ok(panel) => figures.panels.push((name, panel)),
            Err(why) => figures.left_out.push((name, why)),
        }
    }
    Ok(figures)
}

/// What is to be known about all panels.
fn notes(common: &[String], series: &[Series], failures: usize, unserved: usize) -> Vec<String> {
    let mut notes = vec![common.join(" · ")];
    let seeds = series.iter().flat_map(|series| &series.spots).map(|spot| spot.rows.len()).max().unwrap_or(1);
    if seeds > 1 {
        notes.push(format!("medians of up to {seeds} runs, bands from the least to the greatest"));
    }
    let runs = |count: usize, one: &str, many: &str| match count {
        1 => format!("1 run {one}"),
        _ => format!("{count} runs {many}"),
    };
    if failures > 0 {
        notes.push(runs(failures, "that failed is left out", "that failed are left out"));
    }
    if unserved > 0 {
        let (one, many) =
            ("that served nobody has its drops alone", "that served nobody have their drops alone");
        notes.push(runs(unserved, one, many));
    }
    notes.retain(|note| !note.is_empty());
    notes
}

/// Which runs served anybody: shares of the served, times and wasted memory of the others mean nothing.
fn served(sheet: &Sheet) -> Result<Vec<bool>, Error> {
    let mut served: Vec<bool> = sheet.some_numbers("cold_pct")?.iter().map(Option::is_some).collect();
    // Tables of other origin need not tell how many were served.
    if sheet.header().iter().any(|name| name == "served") {
        let counts = sheet.some_numbers("served")?;
        served.iter_mut().zip(counts).for_each(|(served, count)| *served &= count != Some(0.0));
    }
    let dropped = sheet.some_numbers("dropped_pct")?;
    served.iter_mut().zip(dropped).for_each(|(served, dropped)| *served &= dropped != Some(100.0));
    Ok(served)
}

/// A figure by row, of runs that served somebody.
fn of_served(sheet: &Sheet, column: &str, served: &[bool]) -> Result<Vec<Option<f64>>, Error> {
    let figures = sheet.some_numbers(column)?.into_iter().zip(served);
    Ok(figures.map(|(figure, served)| figure.filter(|_| *served)).collect())
}

// ----- which runs make a line -----

/// The rows that were chosen, or what is wrong with a choice and what to do.
fn chosen(sheet: Sheet, choices: &[Choice]) -> Result<Sheet, (String, String)> {
    let mut kept = vec![true; sheet.rows()];
    let mut columns: Vec<&str> = choices.iter().map(|choice| choice.column.as_str()).collect();
    columns.dedup();
    for column in columns {
        let held: Vec<&str> = told(&sheet).collect();
        let Ok(values) = sheet.texts(column) else {
            let near = nearest(column, held.iter().copied());
            let near = near.map_or_else(String::new, |near| format!("; did you mean `{near}`?"));
            return Err((
                format!("there is no column `{column}`{near}"),
                format!("columns are {}", held.join(", ")),
            ));
        };
        let wanted: Vec<&str> = choices
            .iter()
            .filter(|choice| choice.column == column)
            .map(|choice| choice.value.as_str())
            .collect();
        if let Some(unknown) = wanted.iter().find(|wanted| !values.contains(wanted)) {
            let mut known = values.clone();
            known.sort_unstable();
            known.dedup();
            let near = nearest(unknown, known.iter().copied());
            let near = near.map_or_else(String::new, |near| format!("; did you mean `{near}`?"));
            return Err((
                format!("no run has {column}=`{unknown}`{near}"),
                format!("there are {}", known.join("; ")),
            ));
        }
        kept.iter_mut().zip(&values).for_each(|(kept, value)| *kept &= wanted.contains(value));
    }
    Ok(sheet.filtered(|row| kept[row]))
}

/// The columns that tell what was run.
fn told(sheet: &Sheet) -> impl Iterator<Item = &str> {
    sheet.header().iter().map(String::as_str).take_while(|name| *name != FIRST_FIGURE)
}

/// The lines, and what holds for all of them.
fn series(sheet: &Sheet) -> Result<(Vec<Series>, Vec<String>), Error> {
    const FIRST: [&str; 4] = ["eviction", "keep_alive", "rules", "trace"];
    let known: Vec<&str> = told(sheet).filter(|name| !NO_LINE.contains(name)).collect();
    let first = FIRST.iter().copied().filter(|name| known.contains(name));
    let order: Vec<&str> = first.chain(known.iter().copied().filter(|name| !FIRST.contains(name))).collect();
    let mut names = vec![String::new(); sheet.rows()];
    let mut lines = 1;
    let mut common = Vec::new();
    for column in order {
        let (cells, told) = spoken(column, &sheet.texts(column)?);
        let longer: Vec<String> = names
            .iter()
            .zip(&cells)
            .map(|(name, cell)| {
                [name.as_str(), cell]
                    .into_iter()
                    .filter(|part| !part.is_empty())
                    .collect::<Vec<_>>()
                    .join(", ")
            })
            .collect();
        let more = distinct(&longer).len();
        let varies = distinct(&cells).len() > 1;
        let is_first = FIRST.contains(&column);
        // Of other columns, those that tell nothing that was not told before are not repeated.
        if more > lines || is_first && varies {
            (names, lines) = (longer, more);
            common.extend(told);
        } else if is_first && !sheet.texts(column)?[0].is_empty() {
            common.push(format!("{} {}", column.replace('_', "-"), sheet.texts(column)?[0]));
        }
    }
    let memory = sheet.numbers("memory_mib")?;
    if memory.iter().all(|mib| *mib == memory[0]) {
        common.insert(0, format!("pool {}", Memory(memory[0] as u64)));
    }
    let series = distinct(&names).into_iter().map(|name| {
        let mut spots: Vec<Spot> = Vec::new();
        for row in (0..sheet.rows()).filter(|row| names[*row] == name) {
            match spots.iter_mut().find(|spot| spot.memory_mib == memory[row]) {
                Some(spot) => spot.rows.push(row),
                None => spots.push(Spot { memory_mib: memory[row], rows: vec![row] }),
            }
        }
        spots.sort_by(|a, b| a.memory_mib.total_cmp(&b.memory_mib));
        Series { name, spots }
    });
    Ok((series.collect(), common))
}

/// Cells as they stand in names of lines: policies without parameters that are the same wherever the policy is, which
/// are told once.
fn spoken(column: &str, cells: &[&str]) -> (Vec<String>, Vec<String>) {
    let owned: Vec<String> = cells.iter().map(|cell| (*cell).to_owned()).collect();
    match column {
        "eviction" | "keep_alive" => {
            let all = distinct(&owned);
            let policy = |cell: &str| cell.split(" (").next().unwrap_or_default().to_owned();
            let alone = |cell: &str| all.iter().filter(|other| policy(other) == policy(cell)).count() == 1;
            let names = cells.iter().map(|cell| if alone(cell) { policy(cell) } else { (*cell).to_owned() });
            (
                names.collect(),
                all.iter().filter(|cell| alone(cell) && policy(cell) != **cell).cloned().collect(),
            )
        }
        "rules" | "trace" => (owned, Vec::new()),
        _ => (cells.iter().map(|cell| format!("{column} = {cell}")).collect(), Vec::new()),
    }
}

/// Distinct texts in the order of their first occurrence.
fn distinct(texts: &[String]) -> Vec<String> {
    let mut seen = std::collections::BTreeSet::new();
    texts.iter().filter(|text| seen.insert(*text)).cloned().collect()
}

/// How to choose, with the column that has the most values.
fn example(sheet: &Sheet) -> Result<String, Error> {
    let mut best = (0, String::new());
    for column in told(sheet).filter(|name| !NO_LINE.contains(name)) {
        let cells: Vec<String> = sheet.texts(column)?.into_iter().map(str::to_owned).collect();
        let values = distinct(&cells);
        if values.len() > best.0 {
            best = (values.len(), format!("--where '{column}={}'", values[0]));
        }
    }
    Ok(best.1)
}

// ----- panels -----

/// A panel, or why it is left out.
type Drawn = Result<Panel, String>;

/// Why panels are left out that are about the served.
const NOBODY: &str = "no run served anybody";

/// A figure that is drawn by memory.
struct Figure {
    column: &'static str,
    title: &'static str,
    axis: &'static str,
    is_share: bool,
    /// Whether it is one of those who were served.
    of_served: bool,
}

const COLD: Figure = Figure {
    column: "cold_pct",
    title: "Cold starts",
    axis: "cold starts (% of served)",
    is_share: true,
    of_served: true,
};
const EXECUTION: Figure = Figure {
    column: "exec_increase_pct",
    title: "Execution time above all-warm",
    axis: "increase (%)",
    is_share: false,
    of_served: true,
};
const DROPPED: Figure = Figure {
    column: "dropped_pct",
    title: "Dropped invocations",
    axis: "dropped (% of invocations)",
    is_share: true,
    of_served: false,
};

/// The spread of a figure, by spot of a series; nothing where no run has it.
fn spreads<'a>(series: &'a Series, figure: &'a [Option<f64>]) -> impl Iterator<Item = (f64, Spread)> + 'a {
    series.spots.iter().filter_map(|spot| Some((spot.memory_mib, spread(&spot.rows, figure)?)))
}

fn spread(rows: &[usize], figure: &[Option<f64>]) -> Option<Spread> {
    let mut values: Vec<f64> = rows.iter().filter_map(|row| figure[*row]).collect();
    values.sort_by(f64::total_cmp);
    let (low, high) = (*values.first()?, *values.last()?);
    let middle = values.len() / 2;
    let median = if values.len() % 2 == 1 {
        values[middle]
    } else {
        f64::midpoint(values[middle - 1], values[middle])
    };
    Some(Spread { low, median, high })
}

fn by_memory(sheet: &Sheet, series: &[Series], of: &Figure, served: &[bool]) -> Result<Drawn, Error> {
    let Figure { column, title, axis, .. } = *of;
    let figure = if of.of_served { of_served(sheet, column, served)? } else { sheet.some_numbers(column)? };
    let values = || figure.iter().copied().flatten();
    if values().next().is_none() {
        let nobody = of.of_served && !served.contains(&true);
        return Ok(Err(if nobody { NOBODY.to_owned() } else { format!("no run has `{column}`") }));
    }
    if column == DROPPED.column && values().all(|value| value == 0.0) {
        return Ok(Err("no run dropped anything".to_owned()));
    }
    let values = if of.is_share { Axis::share(axis, values()) } else { Axis::from_zero(axis, values()) };
    let all = || series.iter().flat_map(|series| spreads(series, &figure));
    let first = all().next().map_or(0.0, |(memory, _)| memory);
    if all().all(|(memory, _)| memory == first) {
        return Ok(Ok(by_name(series, &figure, title, values)));
    }
    let (x, unit) = Axis::memory(all().map(|(memory, _)| memory));
    let line = |(nth, series): (usize, &Series)| {
        let points = spreads(series, &figure).map(|(memory, spread)| (memory / unit, spread.median));
        let band: Vec<(f64, f64, f64)> = spreads(series, &figure)
            .map(|(memory, spread)| (memory / unit, spread.low, spread.high))
            .collect();
        let varies = band.iter().any(|(_, low, high)| low < high);
        let line = Line::new(series.name.clone(), Look::nth(nth), points.collect());
        if varies { line.with_band(band) } else { line }
    };
    let lines = series.iter().enumerate().map(line).collect();
    Ok(Ok(Panel { title: format!("{title} by memory"), x, y: values, lines }))
}

/// With one size of memory only: a row per series, the spread as a bar.
fn by_name(series: &[Series], figure: &[Option<f64>], title: &str, x: Axis) -> Panel {
    let line = |(nth, series): (usize, &Series)| {
        let y = nth as f64;
        let spread = spreads(series, figure).next().map(|(_, spread)| spread);
        let points = spread.map(|spread| (spread.median, y));
        let band = spread.filter(|spread| spread.low < spread.high);
        let band = band.map(|spread| [spread.low, spread.high].map(|x| (x, y - 0.12, y + 0.12)).to_vec());
        let look = Look { stroke: Stroke::None, ..Look::nth(nth) };
        Line { opacity: 0.35, ..Line::new(series.name.clone(), look, points.into_iter().collect()) }
            .with_band(band.unwrap_or_default())
    };
    let lines = series.iter().enumerate().map(line).collect();
    let names = series.iter().map(|series| series.name.clone()).collect();
    Panel { title: title.to_owned(), x, y: Axis::names(names), lines }
}

/// Memory held for nothing against cold starts, and which runs no other beats in both.
fn waste(sheet: &Sheet, series: &[Series], served: &[bool]) -> Result<Drawn, Error> {
    // The published simulator does not tell it.
    if !sheet.header().iter().any(|name| name == "memory_idle_gib_s") {
        return Ok(Err("no run has `memory_idle_gib_s`".to_owned()));
    }
    let wasted = of_served(sheet, "memory_idle_gib_s", served)?;
    let cold = of_served(sheet, "cold_pct", served)?;
    let point = |spot: &Spot| Some((spread(&spot.rows, &wasted)?.median, spread(&spot.rows, &cold)?.median));
    let mut lines: Vec<Line> = Vec::new();
    for (nth, series) in series.iter().enumerate() {
        let look = Look { stroke: Stroke::None, ..Look::nth(nth) };
        lines.push(Line::new(series.name.clone(), look, series.spots.iter().filter_map(point).collect()));
    }
    let all: Vec<(f64, f64)> = lines.iter().flat_map(|line| line.points.iter().copied()).collect();
    if all.is_empty() {
        let nobody = !served.contains(&true);
        return Ok(Err(if nobody { NOBODY } else { "no run has `memory_idle_gib_s`" }.to_owned()));
    }
    lines.splice(0..0, fronts(sheet, series, point)?);
    let (least, most) =
        all.iter().fold((f64::INFINITY, 0.0_f64), |(low, high), (x, _)| (low.min(*x), high.max(*x)));
    let title = "held idle or prewarmed (GiB·s)";
    let x = if least > 0.0 && most > 31.7 * least {
        Axis::log(title)
    } else {
        Axis::from_zero(title, [most].into_iter())
    };
    let y = Axis::share("cold starts (% of served)", all.iter().map(|(_, cold)| *cold));
    Ok(Ok(Panel { title: "Cold starts against wasted memory".to_owned(), x, y, lines }))
}

/// Which runs no other of the same workload beats in both: a line per workload. Who drops is served less and needs less,
/// so that runs that dropped anything are not compared.
fn fronts(
    sheet: &Sheet,
    series: &[Series],
    point: impl Fn(&Spot) -> Option<(f64, f64)>,
) -> Result<Vec<Line>, Error> {
    let dropped = sheet.some_numbers("dropped_pct")?;
    let is_of_workload = |name: &&str| {
        ["trace", "rules"].contains(name) || name.starts_with("trace.") || name.starts_with("rules.")
    };
    let columns: Vec<Vec<&str>> =
        told(sheet).filter(is_of_workload).map(|name| sheet.texts(name)).collect::<Result<_, _>>()?;
    let workload = |row: usize| columns.iter().map(|cells| cells[row]).collect::<Vec<_>>();
    let drops = |spot: &Spot| spot.rows.iter().any(|row| dropped[*row].is_some_and(|share| share > 0.0));
    let mut groups: Vec<(Vec<&str>, Vec<&Spot>)> = Vec::new();
    for spot in series.iter().flat_map(|series| &series.spots) {
        let of = workload(spot.rows[0]);
        match groups.iter_mut().find(|(known, _)| *known == of) {
            Some((_, spots)) => spots.push(spot),
            None => groups.push((of, vec![spot])),
        }
    }
    let drawn = |spot: &&&Spot| point(spot).is_some();
    let some_drop = groups.iter().flat_map(|(_, spots)| spots).filter(drawn).any(|spot| drops(spot));
    let name = match (groups.len() > 1, some_drop) {
        (false, false) => "no run is better in both",
        (false, true) => "no run is better in both, of those that dropped nothing",
        (true, false) => "no run of the same trace and rules is better in both",
        (true, true) => "no run of the same trace and rules is better in both, of those that dropped nothing",
    };
    let look = Look { colour: GREY, stroke: Stroke::Dotted, marker: Marker::None };
    let front = |(_, spots): (Vec<&str>, Vec<&Spot>)| {
        let compared: Vec<(f64, f64)> =
            spots.iter().filter(|spot| !drops(spot)).filter_map(|spot| point(spot)).collect();
        let best = not_beaten(&compared);
        let tells = best.len() > 1 && best.len() < spots.iter().filter(drawn).count();
        tells.then(|| Line::new(name, look, best))
    };
    Ok(groups.into_iter().filter_map(front).collect())
}

/// Of points, those for which no other has less of both, by ascending x.
fn not_beaten(points: &[(f64, f64)]) -> Vec<(f64, f64)> {
    let mut points = points.to_vec();
    points.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.total_cmp(&b.1)));
    let mut least = f64::INFINITY;
    points.retain(|(_, y)| {
        *y < least && {
            least = *y;
            true
        }
    });
    points
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn points_that_are_not_beaten_descend() {
        let points = [(3.0, 1.0), (1.0, 5.0), (2.0, 2.0), (2.5, 3.0), (1.0, 6.0), (4.0, 1.0)];
        assert_eq!(not_beaten(&points), [(1.0, 5.0), (2.0, 2.0), (3.0, 1.0)]);
    }

    #[test]
    fn the_spread_of_seeds() {
        let figure = [Some(3.0), Some(1.0), None, Some(2.0), Some(10.0)];
        let of =
            |rows: &[usize]| spread(rows, &figure).map(|spread| (spread.low, spread.median, spread.high));
        assert_eq!(of(&[0, 1, 2, 3]), Some((1.0, 2.0, 3.0)));
        assert_eq!(of(&[0, 1, 3, 4]), Some((1.0, 2.5, 10.0)));
        assert_eq!(of(&[2]), None);
    }
}
