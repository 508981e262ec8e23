//! The plot of hit-rate curves: how many starts are warm with how much memory, with bounds and errors. Owns how exact
//! curves, estimates, bounds and heuristics look; must never compute one.

use std::collections::BTreeSet;
use std::path::Path;

use super::figures::{Choice, Figures, name_of};
use super::read::{self, Sheet};
use super::run;
use super::{Axis, GREY, LOOKS, Line, Look, Marker, Panel, Stroke};
use crate::error::{Diagnostic, Error};

/// The file by which a folder of curves is recognised.
pub(super) const FILE: &str = "curve.csv";
/// Its panels.
pub(super) const PANELS: [&str; 1] = ["hit-rate"];

/// A point of a curve.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct CurvePoint<'a> {
    /// What the curve is called.
    pub curve: &'a str,
    /// What the point is: `exact`, `model`, `estimate`, `heuristic`, `reference`, `bound` or `conditional bound`.
    pub kind: &'a str,
    /// Memory of the pool in MiB.
    pub memory_mib: f64,
    /// Warm starts in % of all invocations.
    pub warm_pct: f64,
    /// Between which values the truth lies, in %, where that is known.
    pub between: Option<(f64, f64)>,
}

pub(super) fn figures(folder: &Path, _: &[Choice]) -> Result<Figures, Error> {
    let Some(sheet) = Sheet::read(folder, FILE)? else {
        let at = folder.join(FILE).display().to_string();
        return Err(Error::usage(Diagnostic::new("there is no such file").at(at)));
    };
    sheet.require(&["curve", "kind", "memory_mib", "warm_pct", "low_pct", "high_pct"])?;
    sheet.check("memory_mib", "above 0", |_, mib| mib > 0.0)?;
    for column in ["warm_pct", "low_pct", "high_pct"] {
        sheet.check(column, "from 0 to 100", |_, share| (0.0..=100.0).contains(&share))?;
    }
    let (names, kinds) = (sheet.texts("curve")?, sheet.texts("kind")?);
    let (memory, warm) = (sheet.numbers("memory_mib")?, sheet.numbers("warm_pct")?);
    let (low, high) = (sheet.some_numbers("low_pct")?, sheet.some_numbers("high_pct")?);
    sheet.check("low_pct", "at most `high_pct`", |row, least| high[row].is_none_or(|most| least <= most))?;
    let point = |row: usize| CurvePoint {
        curve: names[row],
        kind: kinds[row],
        memory_mib: memory[row],
        warm_pct: warm[row],
        between: low[row].zip(high[row]),
    };
    let points: Vec<CurvePoint> = (0..sheet.rows()).map(point).collect();
    let panel = curve_panel(&points);
    let coloured = panel.lines.iter().filter(|line| line.look.colour != GREY);
    let lines = coloured.map(|line| &line.name).collect::<BTreeSet<_>>().len();
    if lines > LOOKS {
        let what = format!("there are {lines} curves to draw, {LOOKS} can be told apart");
        let at = folder.join(FILE).display().to_string();
        return Err(Error::usage(Diagnostic::new(what).at(at).help("remove some from the table")));
    }
    Ok(Figures {
        title: format!("{}: hit-rate curves", name_of(folder)?),
        notes: run::notes(folder, &read::json(folder, run::FILE)?.unwrap_or_default())?,
        panels: vec![(PANELS[0], panel)],
        left_out: Vec::new(),
        one_legend: false,
    })
}

/// Points of one curve that are of one kind, by ascending memory. Where a curve changes its kind, both parts have the
/// point at which it does.
fn parts<'a>(points: &[CurvePoint<'a>]) -> Vec<(bool, Vec<CurvePoint<'a>>)> {
    let mut curves: Vec<Vec<CurvePoint>> = Vec::new();
    for point in points {
        match curves.iter_mut().find(|curve| curve[0].curve == point.curve) {
            Some(curve) => curve.push(*point),
            None => curves.push(vec![*point]),
        }
    }
    let mut parts: Vec<(bool, Vec<CurvePoint>)> = Vec::new();
    for mut curve in curves {
        curve.sort_by(|a, b| a.memory_mib.total_cmp(&b.memory_mib));
        let mut before: Option<CurvePoint> = None;
        for part in curve.chunk_by(|a, b| a.kind == b.kind) {
            let joined = before.map(|last| CurvePoint { kind: part[0].kind, ..last });
            parts.push((before.is_none(), joined.into_iter().chain(part.iter().copied()).collect()));
            before = part.last().copied();
        }
    }
    parts
}

/// The panel of curves: what is exact is solid, what is estimated has its error around it, models are dashed,
/// heuristics dotted; bounds and references lie behind in grey.
pub fn curve_panel(points: &[CurvePoint]) -> Panel {
    let (x, unit) = Axis::memory(points.iter().map(|point| point.memory_mib));
    let least = |point: &CurvePoint| point.between.map_or(point.warm_pct, |(low, _)| low.min(point.warm_pct));
    let y = Axis::share_of_most("warm starts (% of invocations)", points.iter().map(least));
    let (mut behind, mut front) = (Vec::new(), Vec::new());
    let (mut greys, mut colours) = (0, 0);
    for (is_first, part) in parts(points) {
        let CurvePoint { curve, kind, .. } = part[0];
        let is_grey = kind.ends_with("bound") || kind == "reference";
        let count = if is_grey { &mut greys } else { &mut colours };
        *count += usize::from(is_first || *count == 0);
        let look = if is_grey { grey(kind, *count - 1) } else { coloured(kind, *count - 1) };
        let xy = part.iter().map(|point| (point.memory_mib / unit, point.warm_pct)).collect();
        let band = part
            .iter()
            .filter_map(|point| point.between.map(|(low, high)| (point.memory_mib / unit, low, high)));
        // Some names say what they are.
        let name = if curve.contains(kind) { curve.to_owned() } else { format!("{curve} ({kind})") };
        let line = Line::new(name, look, xy).with_band(band.collect());
        if is_grey { &mut behind } else { &mut front }.push(line);
    }
    behind.append(&mut front);
    Panel { title: "Warm starts by memory".to_owned(), x, y, lines: behind }
}

/// Bounds are dashed, what is no bound for every run dotted; told apart by markers.
fn grey(kind: &str, nth: usize) -> Look {
    let stroke = match kind {
        "bound" => Stroke::Dashed,
        "reference" => Stroke::Solid,
        _ => Stroke::Dotted,
    };
    let marker = if nth == 0 { Marker::None } else { Look::nth(nth - 1).marker };
    Look { colour: GREY, stroke, marker }
}

fn coloured(kind: &str, nth: usize) -> Look {
    let stroke = match kind {
        "heuristic" => Stroke::Dotted,
        "model" => Stroke::Dashed,
        _ => Stroke::Solid,
    };
    Look { stroke, ..Look::nth(nth) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bound_that_is_conditional_in_part_is_one_curve_of_two_looks() {
        let point = |memory_mib: f64, kind: &'static str| CurvePoint {
            curve: "bound: memory-time",
            kind,
            memory_mib,
            warm_pct: 50.0 + memory_mib / 100.0,
            between: None,
        };
        let panel = curve_panel(&[
            point(300.0, "bound"),
            point(100.0, "conditional bound"),
            point(200.0, "conditional bound"),
        ]);
        let lines: Vec<(&str, Stroke, usize)> = panel
            .lines
            .iter()
            .map(|line| (line.name.as_str(), line.look.stroke, line.points.len()))
            .collect();
        assert_eq!(
            lines,
            [
                ("bound: memory-time (conditional bound)", Stroke::Dotted, 2),
                ("bound: memory-time", Stroke::Dashed, 2)
            ]
        );
        assert_eq!(panel.lines[0].look.marker, panel.lines[1].look.marker);
        assert_eq!(panel.lines[1].points[0], (200.0, 52.0), "the parts meet");
    }
}
