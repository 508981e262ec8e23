//! Instants and spans in whole microseconds. Owns the arithmetic and how spans are written and
//! read; it must never read a clock: time is always given from outside.

use std::fmt;
use std::ops::{Add, AddAssign, Sub};

use serde::{Deserialize, Serialize};

/// An instant in µs since the start of the run (trace time in the simulator, wall time since the
/// first arrival in live mode).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Time(pub u64);

/// A length of time in µs.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Span(pub u64);

impl Time {
    /// The start of the run.
    pub const ZERO: Time = Time(0);
    /// Later than everything that happens: the deadline of what never expires.
    pub const NEVER: Time = Time(u64::MAX);

    /// From whole milliseconds.
    pub const fn from_ms(ms: u64) -> Time {
        Time(ms * 1_000)
    }

    /// The span from `earlier` to here; zero if `earlier` is later.
    #[inline]
    pub const fn since(self, earlier: Time) -> Span {
        Span(self.0.saturating_sub(earlier.0))
    }

    /// In seconds, for reports.
    pub fn as_secs_f64(self) -> f64 {
        self.0 as f64 / 1e6
    }

    /// In milliseconds, for reports.
    pub fn as_ms_f64(self) -> f64 {
        self.0 as f64 / 1e3
    }
}

impl Span {
    /// No time at all.
    pub const ZERO: Span = Span(0);
    /// Longer than any run.
    pub const FOREVER: Span = Span(u64::MAX);

    /// From whole milliseconds.
    pub const fn from_ms(ms: u64) -> Span {
        Span(ms * 1_000)
    }

    /// From whole seconds.
    pub const fn from_secs(secs: u64) -> Span {
        Span(secs * 1_000_000)
    }

    /// From whole minutes.
    pub const fn from_mins(mins: u64) -> Span {
        Span(mins * 60_000_000)
    }

    /// Milliseconds to the nearest µs; negative and non-finite values become zero, values beyond
    /// the range become [`Span::FOREVER`].
    pub fn from_ms_f64(ms: f64) -> Span {
        // `as` saturates, and maps NaN to 0.
        Span((ms * 1e3).round() as u64)
    }

    /// In milliseconds, for reports.
    pub fn as_ms_f64(self) -> f64 {
        self.0 as f64 / 1e3
    }

    /// In seconds, for reports.
    pub fn as_secs_f64(self) -> f64 {
        self.0 as f64 / 1e6
    }

    /// Whole milliseconds, rounded down, as OpenWhisk records them.
    pub const fn whole_ms(self) -> u64 {
        self.0 / 1_000
    }

    /// This span less `other`; zero where that would be negative.
    pub const fn saturating_sub(self, other: Span) -> Span {
        Span(self.0.saturating_sub(other.0))
    }
}

impl Add<Span> for Time {
    type Output = Time;
    #[inline]
    fn add(self, span: Span) -> Time {
        Time(self.0.saturating_add(span.0))
    }
}

impl AddAssign<Span> for Time {
    fn add_assign(&mut self, span: Span) {
        *self = *self + span;
    }
}

impl Add for Span {
    type Output = Span;
    #[inline]
    fn add(self, other: Span) -> Span {
        Span(self.0.saturating_add(other.0))
    }
}

impl AddAssign for Span {
    fn add_assign(&mut self, other: Span) {
        *self = *self + other;
    }
}

impl Sub<Time> for Time {
    type Output = Span;
    #[inline]
    fn sub(self, earlier: Time) -> Span {
        self.since(earlier)
    }
}

impl std::iter::Sum for Span {
    fn sum<I: Iterator<Item = Span>>(spans: I) -> Span {
        spans.fold(Span::ZERO, Add::add)
    }
}

/// Units a span may be written in, each with its length in µs. The first spelling of a length is
/// the one used for output.
const UNITS: &[(&str, u64)] = &[
    ("us", 1),
    ("µs", 1),
    ("ms", 1_000),
    ("s", 1_000_000),
    ("sec", 1_000_000),
    ("second", 1_000_000),
    ("seconds", 1_000_000),
    ("min", 60_000_000),
    ("m", 60_000_000),
    ("minute", 60_000_000),
    ("minutes", 60_000_000),
    ("h", 3_600_000_000),
    ("hour", 3_600_000_000),
    ("hours", 3_600_000_000),
    ("d", 86_400_000_000),
    ("day", 86_400_000_000),
    ("days", 86_400_000_000),
];

/// Units that spans are shown in, each with its length in µs and the least span it is used for: largest first.
const SHOWN: [(&str, u64, u64); 5] = [
    ("d", 86_400_000_000, 2 * 86_400_000_000),
    ("h", 3_600_000_000, 3_600_000_000),
    ("min", 60_000_000, 60_000_000),
    ("s", 1_000_000, 1_000_000),
    ("ms", 1_000, 1_000),
];

impl fmt::Display for Span {
    /// The largest unit in which the span is exact with at most three decimals: `10 min`, `1.5 s`, `64 min`, `250 us`.
    /// What is shown reads back as the same span, up to some 70 years.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let us = match self.0 {
            u64::MAX => return f.write_str("forever"),
            0 => return f.write_str("0 s"),
            us => us,
        };
        let exact = |length: u64| u128::from(us) * 1_000 % u128::from(length) == 0;
        let Some((unit, length, _)) = SHOWN.iter().find(|(_, length, least)| us >= *least && exact(*length))
        else {
            return write!(f, "{us} us");
        };
        let thousandths = u128::from(us % length) * 1_000 / u128::from(*length);
        let decimals = format!("{}.{thousandths:03}", us / length);
        write!(f, "{} {unit}", decimals.trim_end_matches('0').trim_end_matches('.'))
    }
}

impl std::str::FromStr for Span {
    type Err = String;

    /// Reads `"10 min"`, `"250ms"`, `"1.5 h"`, `"forever"`. A bare number is refused: it would hide its unit.
    fn from_str(text: &str) -> Result<Span, String> {
        let text = text.trim();
        if text == "forever" {
            return Ok(Span::FOREVER);
        }
        let (number, unit) = split_quantity(text);
        let value = parse_magnitude(number, text)?;
        if unit.is_empty() {
            return Err(format!(
                "`{text}` has no unit; write for example `{text} s`, `{text} ms` or `{text} min`"
            ));
        }
        let Some((_, length)) = UNITS.iter().find(|(name, _)| *name == unit) else {
            return Err(format!("unknown unit of time `{unit}` in `{text}`; use us, ms, s, min, h or d"));
        };
        let us = value * *length as f64;
        if us >= u64::MAX as f64 / 2.0 {
            return Err(format!("`{text}` is too long; write `forever` for no limit"));
        }
        Ok(Span(us.round() as u64))
    }
}

/// Splits `"10 min"` into `("10", "min")`.
pub(crate) fn split_quantity(text: &str) -> (&str, &str) {
    let end = text
        .find(|c: char| !(c.is_ascii_digit() || matches!(c, '.' | '-' | '+' | '_')))
        .unwrap_or(text.len());
    (text[..end].trim(), text[end..].trim())
}

/// Reads the number of a quantity; `whole` is the text to quote.
pub(crate) fn parse_magnitude(number: &str, whole: &str) -> Result<f64, String> {
    let value: f64 =
        number.replace('_', "").parse().map_err(|_| format!("`{whole}` does not start with a number"))?;
    if !value.is_finite() || value < 0.0 {
        return Err(format!("`{whole}` must not be negative"));
    }
    Ok(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_people_write() {
        for (text, us) in [
            ("10 min", 600_000_000),
            ("250ms", 250_000),
            ("1.5 h", 5_400_000_000),
            ("0 s", 0),
            ("7 us", 7),
            ("2 days", 172_800_000_000),
        ] {
            assert_eq!(text.parse::<Span>(), Ok(Span(us)), "{text}");
        }
        assert_eq!("forever".parse::<Span>(), Ok(Span::FOREVER));
    }

    #[test]
    fn refuses_with_a_reason() {
        for (text, part) in [
            ("10", "has no unit"),
            ("ten min", "does not start with a number"),
            ("-1 s", "must not be negative"),
            ("3 fortnights", "unknown unit of time `fortnights`"),
            ("1e300 s", "unknown unit"),
            ("99999999999999999 d", "too long"),
        ] {
            let message = text.parse::<Span>().expect_err(text);
            assert!(message.contains(part), "{text}: {message}");
        }
    }

    #[test]
    fn written_spans_read_back() {
        for us in [0, 7, 250_000, 1_500_000, 600_000_000, 5_400_000_000, 86_400_000_000 * 3] {
            assert_eq!(Span(us).to_string().parse::<Span>(), Ok(Span(us)));
        }
    }

    #[test]
    fn spans_are_shown_in_the_largest_unit_that_is_exact() {
        for (us, shown) in [
            (3_840_000_000, "64 min"),
            (4_200_000_000, "70 min"),
            (5_400_000_000, "1.5 h"),
            (7_200_000_000, "2 h"),
            (36 * 3_600_000_000, "36 h"),
            (3 * 86_400_000_000, "3 d"),
            (86_400_000_000 * 2 + 60_000_000, "2881 min"),
            (61_000_000, "61 s"),
            (1_500, "1.5 ms"),
            (1_234_567, "1234.567 ms"),
            (999, "999 us"),
            (u64::MAX, "forever"),
        ] {
            assert_eq!(Span(us).to_string(), shown);
        }
    }

    proptest::proptest! {
        #[test]
        fn any_span_reads_back(us in 0_u64..1 << 51, length in proptest::sample::select(UNITS)) {
            for us in [us, us % 10_000_000, us % (1 << 40) / length.1 * length.1] {
                let shown = Span(us).to_string();
                proptest::prop_assert_eq!(shown.parse::<Span>(), Ok(Span(us)), "{}", shown);
            }
        }
    }
}
