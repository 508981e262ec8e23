//! Published quantiles as a curve, and other small shapes of the model.

/// Quantiles as (share above, value), linear between their logarithms, flat beyond.
pub(super) struct Curve {
    points: Vec<(f64, f64)>,
}

impl Curve {
    /// Through points with falling shares.
    pub fn new(points: &[(f64, f64)]) -> Curve {
        Curve {
            points: points.iter().map(|(above, value)| (-libm::log(*above), libm::log(*value))).collect(),
        }
    }

    /// The value that a share is above.
    pub fn at(&self, above: f64) -> f64 {
        let t = -libm::log(above);
        let next = self.points.partition_point(|(place, _)| *place <= t);
        let value = match (next.checked_sub(1).map(|ix| self.points[ix]), self.points.get(next)) {
            (Some((a, x)), Some((b, y))) => x + (y - x) * (t - a) / (b - a),
            (Some((_, x)), None) => x,
            (None, Some((_, y))) => *y,
            (None, None) => 0.0,
        };
        libm::exp(value)
    }
}

/// From 0 to 1 as `ln` goes from the logarithm of `low` to that of `high`.
pub(super) fn ramp(ln: f64, low: f64, high: f64) -> f64 {
    let (low, high) = (libm::log(low), libm::log(high));
    ((ln - low) / (high - low)).clamp(0.0, 1.0)
}

/// To the nearest whole number, halves up.
pub(super) fn rounded(value: f64) -> u64 {
    // `as` makes negative values zero.
    (value + 0.5).floor() as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_curve_goes_through_its_points() {
        let curve = Curve::new(&[(0.5, 10.0), (0.1, 100.0), (0.01, 1_000.0)]);
        for (above, value) in [(1.0, 10.0), (0.5, 10.0), (0.1, 100.0), (0.01, 1_000.0), (0.001, 1_000.0)] {
            assert!((curve.at(above) - value).abs() < 1e-9 * value, "{above}");
        }
        assert!(curve.at(0.3) > 10.0 && curve.at(0.3) < 100.0);
    }
}
