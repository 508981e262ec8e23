//! The plot of one run: memory over time, response times by start, why starts were not warm, cold starts by
//! popularity. Owns which panels there are; the figures are those of the run's tables.

use std::path::Path;

use plotters::style::RGBColor;
use serde_json::Value;

use super::figures::{Choice, Figures, name_of, trace_of};
use super::read::{self, Sheet};
use super::{Axis, COLOURS, Line, Look, Marker, Panel, Stroke};
use crate::error::{Diagnostic, Error};
use crate::memory::Memory;
use crate::pool::boundary::StartState;
use crate::results::{counted, thousands};

/// The file by which the folder of a run is recognised.
pub(super) const FILE: &str = "summary.json";
/// Its panels.
pub(super) const PANELS: [&str; 4] = ["memory", "responses", "causes", "functions"];

/// Points along time at most: more cannot be told apart on a panel.
const BINS: usize = 420;

/// More functions than these are drawn as specks.
const MANY: usize = 2_000;

pub(super) fn figures(folder: &Path, _: &[Choice]) -> Result<Figures, Error> {
    let at = |what: &str| Error::usage(Diagnostic::new(what).at(folder.join(FILE).display().to_string()));
    let file = read::json(folder, FILE)?.ok_or_else(|| at("there is no such file"))?;
    let summary = file.get("summary").ok_or_else(|| at("there is no `summary`: it is not of faassim"))?;
    let mut figures = Figures {
        title: name_of(folder)?,
        notes: notes(folder, &file)?,
        panels: Vec::new(),
        left_out: Vec::new(),
        one_legend: false,
    };
    let drawn = [
        memory(folder, number(summary, &["memory", "capacity_mib"]))?,
        responses(folder)?,
        causes(summary),
        functions(folder)?,
    ];
    for (name, panel) in PANELS.into_iter().zip(drawn) {
        match panel {
            Ok(panel) => figures.panels.push((name, panel)),
            Err(why) => figures.left_out.push((name, why)),
        }
    }
    Ok(figures)
}

/// A panel, or why it is left out.
type Drawn = Result<Panel, String>;

fn number(value: &Value, path: &[&str]) -> Option<f64> {
    path.iter().try_fold(value, |value, key| value.get(key)).and_then(Value::as_f64)
}

/// What was run, as far as manifest and `summary.json` tell.
///
/// # Errors
/// The manifest is damaged or cannot be read.
pub(super) fn notes(folder: &Path, file: &Value) -> Result<Vec<String>, Error> {
    let summary = file.get("summary").unwrap_or(&Value::Null);
    let text = |key: &str| file.get(key).and_then(Value::as_str);
    let mut parts: Vec<String> =
        trace_of(folder)?.map(|trace| format!("trace {trace}")).into_iter().collect();
    if let Some(capacity) = number(summary, &["memory", "capacity_mib"]) {
        parts.push(format!("pool {}", Memory(capacity as u64)));
    }
    parts.extend(
        number(file, &["memory_mb"]).map(|memory| format!("published FaasCache simulator, {memory} MB")),
    );
    for (what, key) in
        [("rules ", "rules"), ("eviction ", "eviction"), ("keep-alive ", "keep_alive"), ("policy ", "policy")]
    {
        parts.extend(text(key).map(|value| format!("{what}{value}")));
    }
    let invocations = number(summary, &["invocations"]).map(|count| counted(count as u64, "invocation"));
    let dropped = number(summary, &["dropped"]).filter(|dropped| *dropped > 0.0);
    let dropped = dropped.map_or_else(String::new, |count| format!(", {} dropped", thousands(count as u64)));
    parts.extend(invocations.map(|invocations| invocations + &dropped));
    Ok(if parts.is_empty() { Vec::new() } else { vec![parts.join(" · ")] })
}

/// A row per instant: in s, then MiB of the busy, prewarmed and idle.
type Instant = (f64, [f64; 3]);

fn memory(folder: &Path, capacity_mib: Option<f64>) -> Result<Drawn, Error> {
    let Some(sheet) = Sheet::read(folder, "memory.csv")? else {
        return Ok(Err("there is no memory.csv".to_owned()));
    };
    let columns = [sheet.numbers("busy_mib")?, sheet.numbers("prewarmed_mib")?, sheet.numbers("idle_mib")?];
    let times = sheet.numbers("time_s")?;
    let rows: Vec<Instant> = times
        .iter()
        .enumerate()
        .map(|(row, time)| (*time, columns.each_ref().map(|column| column[row])))
        .collect();
    // An elastic pool's memory changes; tables of other origin need not tell it.
    let capacities = match sheet.header().iter().any(|name| name == "capacity_mib") {
        true => sheet.numbers("capacity_mib")?,
        false => capacity_mib.map_or_else(Vec::new, |capacity| vec![capacity; rows.len()]),
    };
    let (Some(first), Some(last)) = (rows.first(), rows.last()) else {
        return Ok(Err("memory.csv has no rows".to_owned()));
    };
    let (x, second) = Axis::time(first.0, last.0);
    let held = |(_, parts): &Instant| parts.iter().sum::<f64>();
    let most = rows.iter().map(held).chain(capacities.iter().copied()).fold(0.0, f64::max);
    let (unit_mib, title) = if most < 2048.0 { (1.0, "memory (MiB)") } else { (1024.0, "memory (GiB)") };
    let per_bin = rows.len().div_ceil(BINS);
    let bins: Vec<(f64, [f64; 3])> = rows.chunks(per_bin).map(mean).collect();
    let layer = |nth: usize| {
        let below = |parts: &[f64; 3], upto: usize| parts[..upto].iter().sum::<f64>() / unit_mib;
        bins.iter().map(|(time, parts)| (time / second, below(parts, nth), below(parts, nth + 1))).collect()
    };
    let mut lines = Vec::new();
    const LAYERS: [(&str, RGBColor); 3] =
        [("busy", COLOURS[1]), ("prewarmed", COLOURS[2]), ("idle", COLOURS[5])];
    for (nth, (name, colour)) in LAYERS.into_iter().enumerate() {
        if columns[nth].iter().any(|mib| *mib > 0.0) {
            lines.push(Line::area(name, colour, layer(nth)));
        }
    }
    if per_bin > 1 {
        let peak = |chunk: &[Instant]| {
            (mean(chunk).0 / second, chunk.iter().map(held).fold(0.0, f64::max) / unit_mib)
        };
        let name = format!("most of {per_bin} samples");
        let look = Look { stroke: Stroke::Thin, ..Look::plain(0) };
        lines.push(Line::new(name, look, rows.chunks(per_bin).map(peak).collect()));
    }
    if !capacities.is_empty() {
        // Dashes of a line that goes up and down are hard to follow.
        let changes = capacities.iter().any(|mib| *mib != capacities[0]);
        let stroke = if changes { Stroke::Thin } else { Stroke::Dashed };
        let look = Look { colour: COLOURS[6], stroke, marker: Marker::None };
        let times = rows.iter().map(|row| row.0 / second);
        lines.push(Line::new("capacity", look, steps(times, capacities.iter().map(|mib| mib / unit_mib))));
    }
    let y = Axis::from_zero(title, [most / unit_mib].into_iter());
    Ok(Ok(Panel { title: "Memory over time".to_owned(), x, y, lines }))
}

/// The corners of a value that changes at once: each change, and both ends.
fn steps(times: impl Iterator<Item = f64>, values: impl Iterator<Item = f64>) -> Vec<(f64, f64)> {
    let mut corners: Vec<(f64, f64)> = Vec::new();
    let mut last = None;
    for (time, value) in times.zip(values) {
        if corners.last().is_none_or(|corner| corner.1 != value) {
            corners.extend(corners.last().map(|corner| (time, corner.1)));
            corners.push((time, value));
        }
        last = Some((time, value));
    }
    corners.extend(last);
    corners
}

/// The mean of some instants.
fn mean(rows: &[Instant]) -> Instant {
    let count = rows.len().max(1) as f64;
    let of = |value: &dyn Fn(&Instant) -> f64| rows.iter().map(value).sum::<f64>() / count;
    (of(&|row| row.0), [0, 1, 2].map(|part| of(&|row| row.1[part])))
}

fn responses(folder: &Path) -> Result<Drawn, Error> {
    let Some(sheet) = Sheet::read(folder, "responses.csv")? else {
        return Ok(Err("there is no responses.csv".to_owned()));
    };
    let (starts, ends, counts) =
        (sheet.texts("start")?, sheet.numbers("response_ms")?, sheet.numbers("count")?);
    let mut kinds: Vec<(&str, Vec<(f64, f64)>)> = Vec::new();
    for (start, point) in starts.into_iter().zip(ends.into_iter().zip(counts)) {
        match kinds.iter_mut().find(|(name, _)| *name == start) {
            Some((_, points)) => points.push(point),
            None => kinds.push((start, vec![point])),
        }
    }
    // Warm starts are the first of the lines, the others follow as they stand.
    kinds.sort_by_key(|(start, _)| *start != StartState::Warmed.name());
    let served: f64 = kinds.iter().flat_map(|(_, points)| points).map(|(_, count)| count).sum();
    let mut lines = Vec::new();
    for (nth, (name, buckets)) in kinds.into_iter().enumerate() {
        let all: f64 = buckets.iter().map(|(_, count)| count).sum();
        let mut sum = 0.0;
        let mut points = Vec::with_capacity(2 * buckets.len());
        for (end, count) in buckets {
            points.push((end, 100.0 * sum / all));
            sum += count;
            points.push((end, 100.0 * sum / all));
        }
        lines.push(Line::new(format!("{name} ({} %)", short_share(all / served)), Look::nth(nth), points));
    }
    let (x, y) = (Axis::log("response time (ms)"), Axis::percent("of responses of the kind (%)"));
    let panel = Panel { title: "Response time by start (share of the served)".to_owned(), x, y, lines };
    Ok(if panel.has_points() { Ok(panel) } else { Err("nothing was served".to_owned()) })
}

/// A share in per cent with as many digits as tell it from nothing and from all.
fn short_share(share: f64) -> String {
    match 100.0 * share {
        pct if pct > 0.0 && pct < 0.01 => "< 0.01".to_owned(),
        pct if !(1.0..=99.0).contains(&pct) => format!("{pct:.2}"),
        pct => format!("{pct:.1}"),
    }
}

fn causes(summary: &Value) -> Drawn {
    const CAUSES: [(&str, &str); 7] = [
        ("evicted", "evicted"),
        ("shrunk", "shrunk"),
        ("expired", "expired"),
        ("unloaded", "unloaded"),
        ("all_busy", "all busy"),
        ("first", "first ever"),
        ("failed", "failed"),
    ];
    let count = |key: &str| number(summary, &["causes", key]).filter(|count| *count > 0.0);
    let mut counts: Vec<(&str, f64)> =
        CAUSES.iter().filter_map(|(key, name)| Some((*name, count(key)?))).collect();
    if counts.is_empty() {
        let why = match (summary.get("causes"), number(summary, &["served"])) {
            (None, _) => "summary.json tells no causes",
            (Some(_), Some(0.0)) => "nothing was served",
            (Some(_), _) => "every start was warm",
        };
        return Err(why.to_owned());
    }
    counts.sort_by(|a, b| b.1.total_cmp(&a.1));
    let total: f64 = counts.iter().map(|(_, count)| count).sum();
    let share = |count: f64| 100.0 * count / total;
    let line = |(nth, (_, count)): (usize, &(&str, f64))| {
        let y = nth as f64;
        let bar = vec![(0.0, y - 0.3, y + 0.3), (share(*count), y - 0.3, y + 0.3)];
        Line { opacity: 1.0, ..Line::area("", COLOURS[0], bar) }
    };
    let name = |(name, count): &(&str, f64)| format!("{name}, {}", thousands(*count as u64));
    Ok(Panel {
        title: "Why starts were not warm".to_owned(),
        x: Axis::share("of starts that were not warm (%)", counts.iter().map(|(_, count)| share(*count))),
        y: Axis::names(counts.iter().map(name).collect()),
        lines: counts.iter().enumerate().map(line).collect(),
    })
}

fn functions(folder: &Path) -> Result<Drawn, Error> {
    let Some(sheet) = Sheet::read(folder, "functions.csv")? else {
        return Ok(Err("there is no functions.csv (output.functions)".to_owned()));
    };
    // The published simulator has hits and misses.
    let published = sheet.header().iter().any(|name| name == "misses");
    let points: Vec<(f64, f64)> = if published {
        let (hits, misses, dropped) =
            (sheet.numbers("hits")?, sheet.numbers("misses")?, sheet.numbers("dropped")?);
        let counts = hits.iter().zip(&misses).zip(&dropped);
        let point = |((hits, misses), dropped)| (hits + misses + dropped, 100.0 * misses / (hits + misses));
        counts.map(point).filter(|(_, cold_pct): &(f64, f64)| cold_pct.is_finite()).collect()
    } else {
        let served = [sheet.numbers("warm")?, sheet.numbers("cold")?, sheet.numbers("partial")?];
        let of_function = sheet.numbers("invocations")?.into_iter().zip(sheet.numbers("cold_pct")?);
        let was_served = |row: usize| served.iter().any(|counts| counts[row] > 0.0);
        of_function.enumerate().filter(|(row, _)| was_served(*row)).map(|(_, point)| point).collect()
    };
    if points.is_empty() {
        return Ok(Err("no function was served".to_owned()));
    }
    let marker = if points.len() > MANY { Marker::Speck } else { Marker::Dot };
    let look = Look { stroke: Stroke::None, marker, ..Look::nth(0) };
    Ok(Ok(Panel {
        title: format!("Cold starts of {}", counted(points.len() as u64, "function")),
        x: Axis::log("invocations of the function"),
        y: Axis::share("cold starts (% of its served)", points.iter().map(|point| point.1)),
        lines: vec![Line::new("", look, points)],
    }))
}
