//! The plot of hit-rate curves: one panel with all of them, warm ratio against memory. Owns its axes and what
//! is drawn; the figures are `curve`'s.

use super::{Axis, Line, Panel, Target};
use crate::curve::{Curve, Kind, Study};
use crate::error::Error;

/// Draws the curves under a title.
///
/// # Errors
/// The file cannot be written.
pub fn draw(title: &str, study: &Study, target: &Target) -> Result<(), Error> {
    target.draw(title, &[panel(study)], 1)
}

/// Beyond this ratio of the most memory to the least, the axis of memory is by logarithm.
const WIDE: f64 = 8.0;

fn panel(study: &Study) -> Panel {
    let gib = |mib: u64| mib as f64 / 1_024.0;
    let line = |curve: &Curve| Line {
        name: short(curve),
        points: curve.points.iter().map(|point| (gib(point.memory.mib()), point.warm_pct)).collect(),
    };
    let memories = || study.curves.iter().flat_map(|curve| &curve.points).map(|point| point.memory.mib());
    let (least, most) = (memories().min().unwrap_or(1).max(1), memories().max().unwrap_or(1));
    let title = "memory of the pool (GiB)";
    Panel {
        title: "Warm starts against memory; ≤ is a bound".to_owned(),
        x: if most as f64 / least as f64 > WIDE { Axis::log(title) } else { Axis::linear(title) },
        y: Axis::percent("warm, of all invocations (%)"),
        lines: study.curves.iter().map(line).collect(),
    }
}

/// A name that fits beside the panel.
fn short(curve: &Curve) -> String {
    let plain = curve.name.replace("reuse-distance", "reuse").replace("miniature", "mini");
    match curve.kind {
        Kind::Bound | Kind::ConditionalBound => plain.replace("bound:", "≤"),
        Kind::Heuristic => plain.replace(" heuristic", ""),
        Kind::Reference => plain.replace(" memory", ""),
        _ => plain.replace("(FaasCache)", "(FC)"),
    }
}
