//! How regular arrivals are: the coefficient of variation of the gaps between them. Must never keep the gaps.

use serde::Serialize;

use super::quantiles::Spread;
use crate::time::Time;

/// Regularity of functions or apps with at least two gaps.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct GapFigures {
    /// Coefficient of variation of the gaps of each: 0 is periodic, 1 as a Poisson process, above 1 bursty.
    pub cv: Spread,
    /// How many in % have one above 1.
    pub above_1_pct: f64,
}

/// Gaps by unit, as running mean and sum of squared deviations (Welford 1962).
pub(super) struct Gaps {
    units: Vec<Unit>,
}

#[derive(Clone, Copy)]
struct Unit {
    last: Time,
    gaps: u64,
    mean: f64,
    squares: f64,
}

impl Gaps {
    pub fn new(units: usize) -> Gaps {
        Gaps { units: vec![Unit { last: Time::NEVER, gaps: 0, mean: 0.0, squares: 0.0 }; units] }
    }

    #[inline]
    pub fn arrival(&mut self, time: Time, unit: usize) {
        let unit = &mut self.units[unit];
        if unit.last != Time::NEVER {
            let gap = time.since(unit.last).0 as f64;
            unit.gaps += 1;
            let from_mean = gap - unit.mean;
            unit.mean += from_mean / unit.gaps as f64;
            unit.squares += from_mean * (gap - unit.mean);
        }
        unit.last = time;
    }

    /// The figures, and all coefficients ascending.
    pub fn figures(&self) -> (GapFigures, Vec<f64>) {
        let regular = self.units.iter().filter(|unit| unit.gaps >= 2);
        let mut cv: Vec<f64> = regular
            .map(
                |unit| {
                    if unit.mean > 0.0 { (unit.squares / unit.gaps as f64).sqrt() / unit.mean } else { 0.0 }
                },
            )
            .collect();
        cv.sort_by(f64::total_cmp);
        let above = cv.len() - cv.partition_point(|cv| *cv <= 1.0);
        let above_1_pct = 100.0 * above as f64 / cv.len().max(1) as f64;
        (GapFigures { cv: Spread::of(cv.clone()), above_1_pct }, cv)
    }
}
