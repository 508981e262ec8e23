//! How much memory is enough. Owns the answer of each curve; must never answer more exactly than the curve
//! is.
//!
//! Static provisioning as in FaasCache, ASPLOS'21, §5: the least memory at which a curve reaches a warm
//! ratio, and what more memory would gain there. The paper reads both off its reuse-distance curve; here
//! every curve answers, and simulated policies are simulated again around the place.

use super::{Curve, Kind, Point, percent};
use crate::memory::Memory;

/// How exact an answer is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Precision {
    /// To the MiB.
    Exact,
    /// By more simulations, to 1 % or 16 MiB.
    Refined,
    /// The first amount on the axis that is enough.
    Axis,
}

impl Precision {
    /// As in tables.
    pub fn name(self) -> &'static str {
        match self {
            Precision::Exact => "to the MiB",
            Precision::Refined => "to 1 % or 16 MiB",
            Precision::Axis => "on the axis",
        }
    }
}

/// What a curve answers.
#[derive(Clone, PartialEq, Debug)]
pub struct Answer {
    /// Which curve.
    pub curve: String,
    /// What it is there.
    pub kind: Kind,
    /// The least memory that is enough, and how exact that is; `None` if no amount on the axis is.
    pub memory: Option<(Memory, Precision)>,
    /// Warm ratio there in %; the greatest on the curve if none is enough.
    pub warm_pct: f64,
    /// What the next amount of memory on the axis would add, in percentage points per GiB; `None` beyond the
    /// axis.
    pub gain_per_gib: Option<f64>,
}

/// The place of a curve's first point that reaches a ratio.
pub fn first(curve: &Curve, warm_pct: f64) -> Option<usize> {
    curve.points.iter().position(|point| point.warm_pct >= warm_pct)
}

/// The least part of `all` that is so many percent of it, just as ratios are compared elsewhere.
pub fn least_part(pct: f64, all: u64) -> u64 {
    // The product is rounded: it may be off by one either way.
    let mut part = (0.01 * pct * all as f64).ceil() as u64;
    while part > 0 && percent(part - 1, all) >= pct {
        part -= 1;
    }
    while part < all && percent(part, all) < pct {
        part += 1;
    }
    part
}

/// The answer of a curve that reaches a ratio at this point, or does not.
pub fn answer(curve: &Curve, reached: Option<(Point, Precision)>) -> Answer {
    let best = curve.points.iter().map(|point| point.warm_pct).fold(0.0, f64::max);
    Answer {
        curve: curve.name.clone(),
        kind: reached.map_or(curve.kind, |(point, _)| curve.kind_at(point.memory)),
        memory: reached.map(|(point, precision)| (point.memory, precision)),
        warm_pct: reached.map_or(best, |(point, _)| point.warm_pct),
        gain_per_gib: reached.and_then(|(point, _)| gain(curve, point)),
    }
}

fn gain(curve: &Curve, at: Point) -> Option<f64> {
    let next = curve.points.iter().find(|point| point.memory > at.memory)?;
    let gib = (next.memory.mib() - at.memory.mib()) as f64 / 1_024.0;
    Some((next.warm_pct - at.warm_pct) / gib)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn curve() -> Curve {
        let point =
            |(mib, warm_pct)| Point { memory: Memory(mib), warm_pct, band: None, cold: None, dropped: None };
        let points = [(1_024, 10.0), (2_048, 50.0), (4_096, 60.0)].map(point).to_vec();
        Curve { name: "c".to_owned(), kind: Kind::Exact, points, proven_from: None }
    }

    #[test]
    fn the_gain_is_per_gib_to_the_next_amount() {
        let curve = curve();
        let at = first(&curve, 50.0).expect("it is reached");
        let found = answer(&curve, Some((curve.points[at], Precision::Axis)));
        assert_eq!(found.memory, Some((Memory(2_048), Precision::Axis)));
        assert_eq!((found.warm_pct, found.gain_per_gib), (50.0, Some(5.0)));
        let between = Point { memory: Memory(3_072), warm_pct: 55.0, ..curve.points[0] };
        assert_eq!(answer(&curve, Some((between, Precision::Refined))).gain_per_gib, Some(5.0));
    }

    #[test]
    fn the_least_part_is_the_least_that_reaches_the_ratio() {
        assert_eq!((least_part(7.0, 100), least_part(29.0, 100), least_part(55.0, 1_000)), (7, 29, 550));
        for all in [1_u64, 3, 7, 100, 999, 1_000, 1_348_162, 910_000_000] {
            for whole in 1..=100_u64 {
                let part = least_part(whole as f64, all);
                // In whole numbers, which are exact; a quotient that is not whole is never near a whole percentage.
                assert_eq!(part, (all * whole).div_ceil(100), "{whole} % of {all}");
            }
        }
        assert_eq!(least_part(90.0, 0), 0);
    }

    #[test]
    fn out_of_reach_tells_the_best() {
        let curve = curve();
        assert_eq!(first(&curve, 60.1), None);
        let found = answer(&curve, None);
        assert_eq!((found.memory, found.warm_pct, found.gain_per_gib), (None, 60.0, None));
    }
}
