//! The plot of a trace: load, popularity, regularity, memory, run times. Owns which panels there are; the
//! figures are `trace::info`'s.

use super::{Axis, Line, Look, Panel, Round, Sheet, Target};
use crate::error::Error;
use crate::results::counted;
use crate::trace::info::{Curves, Info};

/// Points of a line at most: more cannot be told apart on a panel.
const POINTS: usize = 1_500;
/// Points of the load at most, which goes up and down.
const MINUTES: usize = 360;

/// Draws the trace.
///
/// # Errors
/// The file cannot be written.
pub fn draw(info: &Info, curves: &Curves, target: Target) -> Result<(), Error> {
    let title = format!(
        "{}: {}, {}",
        info.name,
        counted(info.functions, "function"),
        counted(info.invocations, "invocation")
    );
    let panels =
        vec![load(curves), by_rank(curves), top(curves), gaps(curves), memory(curves), run_times(curves)];
    target.draw(&Sheet::new(title, panels))
}

fn one(points: Vec<(f64, f64)>) -> Vec<Line> {
    vec![Line::new("", Look::plain(0), points)]
}

fn load(curves: &Curves) -> Panel {
    let ends = curves.per_minute.first().zip(curves.per_minute.last());
    let (first, end) = ends.map_or((0, 0), |((first, _), (last, _))| (*first, last + 1));
    // Beyond what can be told apart, the mean of neighbouring minutes.
    let step = (end - first).div_ceil(MINUTES as u64).max(1);
    let mut sums = vec![0_u64; (end - first).div_ceil(step) as usize];
    for (minute, load) in &curves.per_minute {
        sums[((minute - first) / step) as usize] += load;
    }
    if sums.len() > 1 && (end - first) % step != 0 {
        // A last bin that is not full would seem idler than it is.
        sums.pop();
    }
    let hours = |minute: u64| minute as f64 / 60.0;
    let points: Vec<(f64, f64)> =
        (0..).zip(sums).map(|(nth, sum)| (hours(first + nth * step), sum as f64 / step as f64)).collect();
    Panel {
        title: "Load".to_owned(),
        x: Axis { bounds: Some((hours(first), hours(end))), round: Round::Hours, ..Axis::linear("time (h)") },
        y: Axis::from_zero("invocations per minute", points.iter().map(|point| point.1)),
        lines: one(points),
    }
}

fn by_rank(curves: &Curves) -> Panel {
    let points = curves.invoked.iter().enumerate().map(|(rank, count)| ((rank + 1) as f64, *count as f64));
    Panel {
        title: "Invocations by popularity".to_owned(),
        x: Axis::log("rank of the function"),
        y: Axis::log("invocations"),
        lines: one(thinned(points.collect())),
    }
}

fn top(curves: &Curves) -> Panel {
    let total: u64 = curves.invoked.iter().sum();
    let mut sum = 0;
    let points = curves.invoked.iter().enumerate().map(|(rank, count)| {
        sum += count;
        ((rank + 1) as f64, 100.0 * sum as f64 / total.max(1) as f64)
    });
    Panel {
        title: "Share of the most popular".to_owned(),
        x: Axis::log("most popular functions"),
        y: Axis::percent("of all invocations (%)"),
        lines: one(thinned(points.collect())),
    }
}

fn gaps(curves: &Curves) -> Panel {
    let most = curves.gap_cv.last().copied().unwrap_or(1.0);
    Panel {
        title: "Regularity: 0 periodic, 1 Poisson, above bursty".to_owned(),
        x: Axis { bounds: Some((0.0, most.clamp(1.5, 10.0))), ..Axis::linear("CV of gaps between arrivals") },
        y: Axis::percent("of functions (%)"),
        lines: one(distribution(&curves.gap_cv)),
    }
}

fn memory(curves: &Curves) -> Panel {
    Panel {
        title: "Memory".to_owned(),
        x: Axis::log("MiB of a container"),
        y: Axis::percent("of functions (%)"),
        lines: one(distribution(&curves.memory_mib)),
    }
}

fn run_times(curves: &Curves) -> Panel {
    Panel {
        title: "Warm run time".to_owned(),
        x: Axis::log("ms"),
        y: Axis::percent("of functions (%)"),
        lines: one(distribution(&curves.warm_ms)),
    }
}

/// The cumulative distribution of ascending values, as steps.
fn distribution(values: &[f64]) -> Vec<(f64, f64)> {
    let mut points = Vec::with_capacity(2 * values.len());
    for (nth, value) in values.iter().enumerate() {
        let part = |count: usize| 100.0 * count as f64 / values.len() as f64;
        points.push((*value, part(nth)));
        points.push((*value, part(nth + 1)));
    }
    thinned(points)
}

/// Points evenly chosen along a line, dense at its beginning, with its end.
fn thinned(points: Vec<(f64, f64)>) -> Vec<(f64, f64)> {
    if points.len() <= POINTS {
        return points;
    }
    let (dense, last) = (POINTS / 3, points.len() - 1);
    let rest = POINTS - dense;
    (0..dense).chain((0..=rest).map(|nth| dense + (last - dense) * nth / rest)).map(|ix| points[ix]).collect()
}
