//! Where ticks stand along an axis and what they say. Must never choose ticks whose labels overlap, nor
//! fewer than two where two have room.

use std::ops::Range;

use plotters::coord::ranged1d::{KeyPointHint, NoDefaultFormatting, Ranged, ValueFormatter};

use super::axis::{Axis, Round, Scale};

/// A tick.
#[derive(Clone, PartialEq, Debug)]
pub(in crate::results) struct Tick {
    /// Its place along the axis.
    pub place: f64,
    /// What it says.
    pub label: String,
}

/// An axis for plotters: where it begins and ends, and its ticks.
pub(super) struct Ticked {
    pub range: (f64, f64),
    pub ticks: Vec<Tick>,
}

impl Ranged for Ticked {
    type FormatOption = NoDefaultFormatting;
    type ValueType = f64;

    fn map(&self, place: &f64, limit: (i32, i32)) -> i32 {
        let part = (place - self.range.0) / (self.range.1 - self.range.0);
        limit.0 + (part * f64::from(limit.1 - limit.0)).round() as i32
    }

    fn key_points<Hint: KeyPointHint>(&self, hint: Hint) -> Vec<f64> {
        let wanted = if hint.weight().allow_light_points() { &[][..] } else { &self.ticks };
        wanted.iter().map(|tick| tick.place).collect()
    }

    fn range(&self) -> Range<f64> {
        self.range.0..self.range.1
    }
}

impl ValueFormatter<f64> for Ticked {
    fn format(place: &f64) -> String {
        short(*place)
    }

    fn format_ext(&self, place: &f64) -> String {
        let at = self.ticks.iter().find(|tick| tick.place == *place);
        at.map_or_else(String::new, |tick| tick.label.clone())
    }
}

/// Least distance of ticks, and of labels from each other, in pixels.
const APART: f64 = 78.0;
const APART_LOG: f64 = 44.0;
const GAP: f64 = 18.0;

/// The ticks of an axis over a range of places, on `length` pixels; `room` tells how many pixels a label
/// takes along the axis.
pub(in crate::results) fn ticks(
    axis: &Axis,
    range: (f64, f64),
    length: i32,
    room: impl Fn(&str) -> i32,
) -> Vec<Tick> {
    if let Round::Names(names) = &axis.round {
        return names
            .iter()
            .enumerate()
            .map(|(nth, name)| Tick { place: nth as f64, label: name.clone() })
            .collect();
    }
    let (low, high) = (range.0.min(range.1), range.0.max(range.1));
    let pixels = f64::from(length) / (high - low);
    let apart = if axis.scale == Scale::Log { APART_LOG } else { APART };
    let fits = |ticks: &[Tick]| {
        let half = |tick: &Tick| f64::from(room(&tick.label)) / 2.0;
        ticks.windows(2).all(|pair| {
            let distance = (pair[1].place - pair[0].place) * pixels;
            distance >= apart && distance >= half(&pair[0]) + half(&pair[1]) + GAP
        })
    };
    // Two are enough, but three tell how the axis runs.
    let chosen = |least: usize| candidates(axis, low, high).find(|ticks| ticks.len() >= least && fits(ticks));
    chosen(3).or_else(|| chosen(2)).unwrap_or_else(|| {
        let tick = |place: f64| Tick { place, label: short(value(axis, place)) };
        let both = vec![tick(low), tick(high)];
        if fits(&both) { both } else { vec![tick(high)] }
    })
}

fn value(axis: &Axis, place: f64) -> f64 {
    if axis.scale == Scale::Log { 10_f64.powf(place) } else { place }
}

/// Sets of ticks, the densest first.
fn candidates(axis: &Axis, low: f64, high: f64) -> Box<dyn Iterator<Item = Vec<Tick>>> {
    let whole = axis.clone();
    let (first, last) = (value(axis, low), value(axis, high));
    // Decimal steps have short labels where parts of powers of two have long ones.
    let decimal = if axis.round == Round::Binary { steps(&Round::Decimal, last - first) } else { Vec::new() };
    let even = steps(&axis.round, last - first).into_iter().chain(decimal).filter_map(move |step| {
        let from = (first / step - 1e-9).ceil() as i64;
        let until = (last / step + 1e-9).floor() as i64;
        (from..=until).map(|nth| tick(&whole, nth as f64 * step)).collect()
    });
    if axis.scale == Scale::Linear {
        return Box::new(even);
    }
    let whole = axis.clone();
    let by_factor = factors(&axis.round).into_iter().filter_map(move |(base, within, every)| {
        let exponent = |value: f64, slack: f64| (value.log10() / f64::log10(base) + slack).floor() as i32;
        let (from, until) = (exponent(first, 1e-9), exponent(last, 1e-9));
        let powers = (from..=until).filter(|exponent| exponent.rem_euclid(every) == 0);
        let values = powers.flat_map(|exponent| within.iter().map(move |part| part * base.powi(exponent)));
        let inside = values.filter(|value| *value >= first * (1.0 - 1e-9) && *value <= last * (1.0 + 1e-9));
        inside.map(|value| tick(&whole, value)).collect()
    });
    // Less than a doubling or so has no powers, but even steps.
    Box::new(by_factor.chain(even))
}

/// The tick at a value; nothing if a label cannot say where it is.
fn tick(axis: &Axis, value: f64) -> Option<Tick> {
    Some(Tick { place: axis.place(value)?, label: exact(value)? })
}

/// Even steps that are round, ascending, from a hundredth of a span up to it.
fn steps(round: &Round, span: f64) -> Vec<f64> {
    let least = span / 100.0;
    let below = |base: f64| (least.log10() / base.log10()).floor() as i32;
    match round {
        Round::Binary => (below(2.0)..below(2.0) + 8).map(|exponent| 2_f64.powi(exponent)).collect(),
        Round::Minutes => vec![0.5, 1.0, 2.0, 5.0, 10.0, 15.0, 30.0, 60.0, 120.0],
        Round::Hours => vec![0.5, 1.0, 2.0, 3.0, 6.0, 12.0, 24.0, 48.0],
        Round::Decimal | Round::Names(_) => (below(10.0)..below(10.0) + 4)
            .flat_map(|exponent| [1.0, 2.0, 5.0].map(|part| part * 10_f64.powi(exponent)))
            .collect(),
    }
}

/// For logarithmic axes: a base, the parts of each of its powers, every which power.
fn factors(round: &Round) -> Vec<(f64, &'static [f64], i32)> {
    match round {
        Round::Binary => (1..12).map(|every| (2.0, &[1.0][..], every)).collect(),
        _ => {
            let powers = (1..8).map(|every| (10.0, &[1.0][..], every));
            [(10.0, &[1.0, 2.0, 5.0][..], 1)].into_iter().chain(powers).collect()
        }
    }
}

/// Digits after the point at most, where a label is to be exact.
const DIGITS: usize = 6;

/// A number in few characters; the last digit may be rounded.
fn short(value: f64) -> String {
    exact(value).unwrap_or_else(|| format!("{value:.DIGITS$}"))
}

/// A number as it is, in as few characters as say it; nothing if these would be too many.
fn exact(value: f64) -> Option<String> {
    const UNITS: [(f64, f64, &str); 4] =
        [(0.0, 1.0, ""), (0.9995e4, 1e3, "k"), (0.9995e6, 1e6, "M"), (0.9995e9, 1e9, "G")];
    let in_unit = |(from, unit, name): (f64, f64, &str)| {
        let scaled = value / unit;
        let is_exact =
            |text: &String| text.parse().is_ok_and(|told: f64| (told - scaled).abs() <= 1e-12 * scaled.abs());
        let text = (0..=DIGITS).map(|digits| format!("{scaled:.digits$}")).find(is_exact)?;
        (value.abs() >= from).then(|| text + name)
    };
    UNITS.into_iter().filter_map(in_unit).min_by_key(String::len)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(axis: &Axis, length: i32) -> Vec<String> {
        let (low, high) = axis.bounds.expect("given");
        let range = (axis.place(low).expect("inside"), axis.place(high).expect("inside"));
        ticks(axis, range, length, |label| 14 * label.len() as i32)
            .into_iter()
            .map(|tick| tick.label)
            .collect()
    }

    fn between(axis: Axis, low: f64, high: f64) -> Axis {
        Axis { bounds: Some((low, high)), ..axis }
    }

    #[test]
    fn numbers_are_short() {
        for (value, text) in [
            (0.0, "0"),
            (0.001, "0.001"),
            (0.25, "0.25"),
            (1.5, "1.5"),
            (999.0, "999"),
            (1_000.0, "1000"),
            (20_000.0, "20k"),
            (1e6, "1M"),
            (65_536.0, "65536"),
            (127.625, "127.625"),
            (1.125, "1.125"),
            (3.0 * 0.1, "0.3"),
            (2.5e9, "2.5G"),
        ] {
            assert_eq!(short(value), text);
        }
    }

    #[test]
    fn labels_are_exact_or_not_there() {
        assert_eq!(exact(1.0 / 3.0), None);
        let binary = Axis { round: Round::Binary, ..Axis::linear("x") };
        for (low, high) in [(127.5, 128.5), (1.0, 1.5), (0.0, 1e-3), (16_384.0, 16_386.0), (99.6, 99.7)] {
            for length in [300, 540, 840] {
                let axis = between(binary.clone(), low, high);
                let found = ticks(&axis, (low, high), length, |label| 14 * label.len() as i32);
                assert!(found.len() > 1, "{low}: {found:?}");
                for tick in found {
                    assert_eq!(tick.label.parse(), Ok((tick.place * 1e9).round() / 1e9), "{low} {length}");
                }
            }
        }
    }

    #[test]
    fn ticks_are_round() {
        assert_eq!(
            labels(&Axis::percent("%"), 800),
            ["0", "10", "20", "30", "40", "50", "60", "70", "80", "90", "100"]
        );
        assert_eq!(labels(&Axis::percent("%"), 400), ["0", "20", "40", "60", "80", "100"]);
        assert_eq!(labels(&between(Axis::linear("x"), 0.0, 2.1), 500), ["0", "0.5", "1", "1.5", "2"]);
        assert_eq!(
            labels(&Axis::time(0.0, 86_400.0).0, 800),
            ["0", "3", "6", "9", "12", "15", "18", "21", "24"]
        );
        assert_eq!(labels(&Axis::time(0.0, 3_600.0).0, 500), ["0", "10", "20", "30", "40", "50", "60"]);
    }

    #[test]
    fn memory_has_powers_of_two() {
        let sizes = |gib: &[f64]| Axis::memory(gib.iter().map(|gib| gib * 1024.0)).0;
        assert_eq!(labels(&sizes(&[16.0, 64.0]), 800), ["16", "24", "32", "40", "48", "56", "64"]);
        assert_eq!(labels(&sizes(&[1.0, 64.0]), 800), ["1", "2", "4", "8", "16", "32", "64"]);
        assert_eq!(labels(&sizes(&[1.0, 1024.0]), 400), ["1", "4", "16", "64", "256", "1024"]);
    }

    #[test]
    fn decades_are_divided_where_there_is_room() {
        assert_eq!(
            labels(&between(Axis::log("x"), 1.0, 100.0), 800),
            ["1", "2", "5", "10", "20", "50", "100"]
        );
        assert_eq!(
            labels(&between(Axis::log("x"), 1.0, 1e6), 800),
            ["1", "10", "100", "1000", "10k", "100k", "1M"]
        );
        assert_eq!(labels(&between(Axis::log("x"), 1.0, 1e6), 300), ["1", "100", "10k", "1M"]);
        assert_eq!(labels(&between(Axis::log("x"), 0.2, 0.5), 800).len(), 7, "even steps within a decade");
    }

    #[test]
    fn labels_never_overlap_and_there_are_two_where_they_fit() {
        let room = |label: &str| 14 * label.len() as i32;
        for (low, width) in [(0.0, 1.0), (0.3, 1e-3), (17.0, 1e7), (1.0, 3.0), (99_990.0, 20.0), (1e-4, 1e9)]
        {
            for axis in [Axis::linear("x"), Axis::log("x"), Axis { round: Round::Binary, ..Axis::log("x") }] {
                for length in [150, 400, 900] {
                    let places = [low, low + width].into_iter().filter_map(|value| axis.place(value));
                    let range = axis.range(places);
                    if !range.0.is_finite() {
                        continue;
                    }
                    let found = ticks(&axis, range, length, room);
                    let pixels = f64::from(length) / (range.1 - range.0);
                    for pair in found.windows(2) {
                        let half = f64::from(room(&pair[0].label) + room(&pair[1].label)) / 2.0;
                        assert!(
                            (pair[1].place - pair[0].place) * pixels > half,
                            "{axis:?} {length}: {found:?}"
                        );
                    }
                    assert!(found.len() >= 2 || length < 400, "{axis:?} {low} {width} {length}: {found:?}");
                }
            }
        }
    }
}
