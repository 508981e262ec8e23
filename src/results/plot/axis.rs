//! Axes: their scale and bounds. Must never be without length; where ticks stand is `ticks`' business.

use std::f64::consts::LOG10_2;

/// How values lie along an axis.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Scale {
    /// Evenly.
    Linear,
    /// By their logarithm; what is not above zero is left out.
    Log,
}

/// Which numbers are round, so that ticks stand at them.
#[derive(Clone, PartialEq, Debug)]
pub enum Round {
    /// 1, 2 and 5 times a power of ten.
    Decimal,
    /// Powers of two, as sizes of memory are.
    Binary,
    /// Halves and quarters of an hour, as minutes are.
    Minutes,
    /// Parts and multiples of a day, as hours are.
    Hours,
    /// Nothing but 0, 1, 2, …, which have these names.
    Names(Vec<String>),
}

/// An axis.
#[derive(Clone, PartialEq, Debug)]
pub struct Axis {
    /// What is along it, with its unit.
    pub title: &'static str,
    /// How.
    pub scale: Scale,
    /// Where ticks stand.
    pub round: Round,
    /// Bounds to keep to; of the data if not given.
    pub bounds: Option<(f64, f64)>,
}

/// From this many times the least value on, sizes are drawn by logarithm: one and a half decades.
const WIDE: f64 = 31.7;

impl Axis {
    /// An axis with this title, evenly, as long as the data.
    pub fn linear(title: &'static str) -> Axis {
        Axis { title, scale: Scale::Linear, round: Round::Decimal, bounds: None }
    }

    /// An axis by logarithm, as long as the data.
    pub fn log(title: &'static str) -> Axis {
        Axis { scale: Scale::Log, ..Axis::linear(title) }
    }

    /// From 0 to 100 %.
    pub fn percent(title: &'static str) -> Axis {
        Axis { bounds: Some((0.0, 100.0)), ..Axis::linear(title) }
    }

    /// From 0 % to what the values need, at most 100 %: where all are small, their differences are seen.
    pub fn share(title: &'static str, values: impl Iterator<Item = f64>) -> Axis {
        let axis = Axis::from_zero(title, values);
        let high = axis.bounds.map_or(100.0, |(_, high)| high);
        Axis { bounds: Some((0.0, if high > 70.0 { 100.0 } else { high })), ..axis }
    }

    /// From what the values need to 100 %, at most from 0 %.
    pub fn share_of_most(title: &'static str, values: impl Iterator<Item = f64>) -> Axis {
        let least = values.filter(|value| value.is_finite()).fold(100.0, f64::min);
        let low = (100.0 - (100.0 - least) * 1.1).max(0.0);
        let bounds = Some((if low < 30.0 { 0.0 } else { low.min(99.0) }, 100.0));
        Axis { bounds, ..Axis::linear(title) }
    }

    /// From zero on.
    pub fn from_zero(title: &'static str, values: impl Iterator<Item = f64>) -> Axis {
        let most = values.filter(|value| value.is_finite()).fold(0.0, f64::max);
        Axis { bounds: Some((0.0, if most > 0.0 { most * 1.05 } else { 1.0 })), ..Axis::linear(title) }
    }

    /// An axis of sizes of memory in MiB, and what one unit of it is in MiB.
    pub fn memory(mib: impl Iterator<Item = f64>) -> (Axis, f64) {
        let (low, high) = ends(mib);
        let (title, unit) = if high < 2048.0 { ("memory (MiB)", 1.0) } else { ("memory (GiB)", 1024.0) };
        let scale = if high > WIDE * low { Scale::Log } else { Scale::Linear };
        // A little more at both ends, so that no point lies on the frame.
        let bounds = match scale {
            Scale::Log => (low / (high / low).powf(0.03), high * (high / low).powf(0.03)),
            Scale::Linear => (low - (high - low) * 0.03, high + (high - low) * 0.03),
        };
        let bounds = (low > 0.0 && low < high).then_some((bounds.0 / unit, bounds.1 / unit));
        (Axis { title, scale, round: Round::Binary, bounds }, unit)
    }

    /// An axis of time from one instant in s to another, and what one unit of it is in s.
    pub fn time(from_s: f64, until_s: f64) -> (Axis, f64) {
        let (title, unit, round) = match until_s - from_s {
            span if span >= 5.0 * 86_400.0 => ("time (days)", 86_400.0, Round::Decimal),
            span if span >= 3.0 * 3_600.0 => ("time (h)", 3_600.0, Round::Hours),
            span if span >= 180.0 => ("time (min)", 60.0, Round::Minutes),
            _ => ("time (s)", 1.0, Round::Decimal),
        };
        // What begins soon after zero is drawn from zero.
        let from_s = if from_s < (until_s - from_s) / 50.0 { from_s.min(0.0) } else { from_s };
        let bounds = (from_s < until_s).then_some((from_s / unit, until_s / unit));
        (Axis { title, scale: Scale::Linear, round, bounds }, unit)
    }

    /// Names from top to bottom, the first at 0.
    pub fn names(names: Vec<String>) -> Axis {
        let bounds = Some((names.len() as f64 - 0.4, -0.6));
        Axis { round: Round::Names(names), bounds, ..Axis::linear("") }
    }

    /// A value's place along the axis; nothing if it has none.
    pub(in crate::results) fn place(&self, value: f64) -> Option<f64> {
        match self.scale {
            Scale::Linear => value.is_finite().then_some(value),
            Scale::Log => (value > 0.0 && value.is_finite()).then(|| value.log10()),
        }
    }

    /// Where the axis begins and ends, in places, for these places.
    pub(in crate::results) fn range(&self, places: impl Iterator<Item = f64>) -> (f64, f64) {
        if let Some((low, high)) = self.bounds {
            return (self.place(low).unwrap_or(low), self.place(high).unwrap_or(high));
        }
        let (low, high) = ends(places);
        match self.scale {
            Scale::Log => round_ends(low, high),
            Scale::Linear if low < high => (low, high),
            Scale::Linear => (low - 0.5, low + 0.5),
        }
    }
}

/// The least and the greatest.
fn ends(values: impl Iterator<Item = f64>) -> (f64, f64) {
    values.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| (low.min(value), high.max(value)))
}

/// Decadic logarithms, moved outwards to those of 1, 2 or 5 times a power of ten; a decade at least.
fn round_ends(low: f64, high: f64) -> (f64, f64) {
    const ROUND: [f64; 4] = [0.0, LOG10_2, 1.0 - LOG10_2, 1.0];
    const SLACK: f64 = 1e-9;
    let below = |place: f64| {
        let part = place - place.floor();
        place.floor() + ROUND.iter().rev().find(|round| **round <= part + SLACK).unwrap_or(&0.0)
    };
    let above = |place: f64| {
        let part = place - place.floor();
        place.floor() + ROUND.iter().find(|round| **round >= part - SLACK).unwrap_or(&1.0)
    };
    let (low, high) = (below(low), above(high));
    // A decade after a round number is round too.
    (low, high.max(low + 1.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_axis_has_length_whatever_the_data() {
        let axis = Axis::log("x");
        assert_eq!(axis.range([axis.place(10.0).expect("positive")].into_iter()), (1.0, 2.0));
        assert_eq!(axis.place(0.0), None);
        assert_eq!(Axis::linear("x").range([3.0].into_iter()), (2.5, 3.5));
        assert_eq!(Axis::from_zero("x", [0.0].into_iter()).bounds, Some((0.0, 1.0)));
        assert_eq!(Axis::memory([512.0].into_iter()).0.bounds, None);
        assert_eq!(Axis::time(5.0, 5.0).0.bounds, None);
        assert_eq!(Axis::time(1.0, 100.0).0.bounds, Some((0.0, 100.0)));
        assert_eq!(Axis::time(10.0, 100.0).0.bounds, Some((10.0, 100.0)));
    }

    #[test]
    fn logarithmic_ends_are_round() {
        let round = |low: f64, high: f64| {
            let (low, high) = round_ends(low.log10(), high.log10());
            (10_f64.powf(low).round(), 10_f64.powf(high).round())
        };
        assert_eq!(round(3.0, 1_400.0), (2.0, 2_000.0));
        assert_eq!(round(1.0, 1_000.0), (1.0, 1_000.0));
        assert_eq!(round(300.0, 400.0), (200.0, 2_000.0));
        assert_eq!(round(90.0, 110.0), (50.0, 500.0));
    }

    #[test]
    fn small_shares_are_seen_and_large_ones_are_whole() {
        let high = |values: &[f64]| Axis::share("x", values.iter().copied()).bounds.map(|bounds| bounds.1);
        assert_eq!(high(&[1.0, 2.0]), Some(2.1));
        assert_eq!(high(&[1.0, 80.0]), Some(100.0));
        assert_eq!(high(&[99.0]), Some(100.0));
        let low =
            |values: &[f64]| Axis::share_of_most("x", values.iter().copied()).bounds.map(|bounds| bounds.0);
        assert_eq!(low(&[5.0]), Some(0.0));
        assert_eq!(low(&[90.0, 99.0]), Some(89.0));
        assert_eq!(low(&[100.0]), Some(99.0));
    }

    #[test]
    fn units_follow_the_size() {
        let memory = |mib: &[f64]| {
            let (axis, unit) = Axis::memory(mib.iter().copied());
            (axis.title, unit, axis.scale)
        };
        assert_eq!(memory(&[128.0, 1024.0]), ("memory (MiB)", 1.0, Scale::Linear));
        assert_eq!(memory(&[1024.0, 65_536.0]), ("memory (GiB)", 1024.0, Scale::Log));
        assert_eq!(Axis::time(0.0, 86_400.0).0.title, "time (h)");
        assert_eq!(Axis::time(0.0, 3_600.0).0.title, "time (min)");
        assert_eq!(Axis::time(0.0, 14.0 * 86_400.0).0.title, "time (days)");
        assert_eq!(Axis::time(0.0, 60.0).0.title, "time (s)");
    }
}
