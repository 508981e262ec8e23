//! The plot of hit-rate curves: one panel with all of them, warm ratio against memory. Owns its axes and what is
//! drawn; the figures are `curve`'s.

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

fn panel(study: &Study) -> Panel {
    let gib = |mib: u64| mib as f64 / 1_024.0;
    let line = |curve: &Curve| Line {
        name: match curve.kind {
            Kind::ConditionalBound if curve.proven_from.is_none() => format!("{} (conditional)", curve.name),
            _ => curve.name.clone(),
        },
        points: curve.points.iter().map(|point| (gib(point.memory.mib()), point.warm_pct)).collect(),
    };
    Panel {
        title: "Warm starts against memory".to_owned(),
        x: Axis::linear("memory of the pool (GiB)"),
        y: Axis::percent("warm, of all invocations (%)"),
        lines: study.curves.iter().map(line).collect(),
    }
}
