//! The plot of hit-rate curves: how many starts are warm with how much memory, with bounds and errors. Owns how exact
//! curves, estimates, bounds and heuristics look; must never compute one.

use std::path::Path;

use super::figures::{Choice, Figures, name_of};
use super::read::Sheet;
use super::{Axis, GREY, LOOKS, Line, Look, Marker, Panel, Stroke};
use crate::error::{Diagnostic, Error};

/// The file by which a folder of curves is recognised.
pub(super) const FILE: &str = "curve.csv";
/// Its panels.
pub(super) const PANELS: [&str; 1] = ["hit-rate"];

/// A point of a curve.
struct Point {
    memory_mib: f64,
    warm_pct: f64,
    /// Between which the truth lies, where that is known.
    between: Option<(f64, f64)>,
}

/// The points of one curve, by its name and kind.
type Curve<'a> = (&'a str, &'a str, Vec<Point>);

pub(super) fn figures(folder: &Path, _: &[Choice]) -> Result<Figures, Error> {
    let Some(sheet) = Sheet::read(folder, FILE)? else {
        return Err(Error::usage(
            Diagnostic::new("there is no such file").at(folder.join(FILE).display().to_string()),
        ));
    };
    let (names, kinds) = (sheet.texts("curve")?, sheet.texts("kind")?);
    let (memory, warm) = (sheet.numbers("memory_mib")?, sheet.numbers("warm_pct")?);
    let (low, high) = (sheet.some_numbers("low_pct")?, sheet.some_numbers("high_pct")?);
    let mut curves: Vec<Curve> = Vec::new();
    for row in 0..sheet.rows() {
        let point = Point { memory_mib: memory[row], warm_pct: warm[row], between: low[row].zip(high[row]) };
        let same = |curve: &&mut Curve| (curve.0, curve.1) == (names[row], kinds[row]);
        match curves.iter_mut().find(same) {
            Some(curve) => curve.2.push(point),
            None => curves.push((names[row], kinds[row], vec![point])),
        }
    }
    let title = format!("{}: hit-rate curves", name_of(folder)?);
    let panels = vec![(PANELS[0], panel(curves))];
    Ok(Figures { title, notes: Vec::new(), panels, left_out: Vec::new(), one_legend: false })
}

fn panel(mut curves: Vec<Curve>) -> Panel {
    for (_, _, points) in &mut curves {
        points.sort_by(|a, b| a.memory_mib.total_cmp(&b.memory_mib));
    }
    let all = || curves.iter().flat_map(|curve| &curve.2);
    let (x, unit) = Axis::memory(all().map(|point| point.memory_mib));
    let ends = all().flat_map(|point| [point.warm_pct, point.between.map_or(point.warm_pct, |(low, _)| low)]);
    let y = Axis::share_of_most("warm starts (%)", ends);
    // Bounds lie behind, in grey; the others have colours in their order.
    let (mut bounds, mut others) = (Vec::new(), Vec::new());
    for (name, kind, points) in &curves {
        let look = if *kind == "bound" { bound(bounds.len()) } else { coloured(kind, others.len()) };
        let xy = points.iter().map(|point| (point.memory_mib / unit, point.warm_pct)).collect();
        let band = points
            .iter()
            .filter_map(|point| point.between.map(|(low, high)| (point.memory_mib / unit, low, high)));
        let line = Line::new(format!("{name} ({kind})"), look, xy).with_band(band.collect());
        if *kind == "bound" { &mut bounds } else { &mut others }.push(line);
    }
    bounds.append(&mut others);
    Panel { title: "Warm starts by memory".to_owned(), x, y, lines: bounds }
}

/// Bounds: grey and dashed, told apart by markers.
fn bound(nth: usize) -> Look {
    let marker = if nth == 0 { Marker::None } else { Look::nth(nth - 1).marker };
    Look { colour: GREY, stroke: Stroke::Dashed, marker }
}

/// What is exact is solid, what is estimated too, with its error around it; heuristics are dotted.
fn coloured(kind: &str, nth: usize) -> Look {
    let stroke = if kind == "heuristic" { Stroke::Dotted } else { Stroke::Solid };
    let marker = if kind == "exact" && nth == 0 { Marker::None } else { Look::nth(nth % LOOKS).marker };
    Look { stroke, marker, ..Look::nth(nth) }
}
