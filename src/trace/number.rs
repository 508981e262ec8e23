//! Numbers of trace files: milliseconds to whole microseconds, mebibytes to whole MiB. Exact for
//! decimal text; must never wrap, saturate or guess.

/// Why a number is refused.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum BadNumber {
    /// Nothing there.
    Empty,
    /// Not a number at all.
    Unreadable,
    /// Infinite or not-a-number.
    NotFinite,
    /// Below zero.
    Negative,
    /// Beyond what is counted here.
    TooLarge,
}

impl BadNumber {
    /// The rest of a sentence that starts with the quoted value.
    pub(crate) fn describe(self, value: &str) -> String {
        match self {
            BadNumber::Empty => "is empty".to_owned(),
            BadNumber::Unreadable => format!("{value} is not a number"),
            BadNumber::NotFinite => format!("{value} is not a finite number"),
            BadNumber::Negative => format!("{value} is negative"),
            BadNumber::TooLarge => format!("{value} is too large"),
        }
    }
}

/// The latest instant and the longest run time of a trace in µs, 285 years: up to here a float holds
/// every µs exactly. Milliseconds since 1970 fit; microseconds since 1970 taken for milliseconds do not.
pub(crate) const MAX_MICROS: u64 = 1 << 53;

/// The largest amount of memory, as in [`crate::memory::Memory`].
const MAX_MIB: f64 = u32::MAX as f64;

/// Milliseconds as µs, rounded to the nearest, halves up. Reads `1500`, `1500.25`, `1.5e3`; spaces
/// around are ignored.
#[inline]
pub(crate) fn micros(field: &[u8]) -> Result<u64, BadNumber> {
    match decimal_micros(field) {
        Some(micros) if micros <= MAX_MICROS => Ok(micros),
        Some(_) => Err(BadNumber::TooLarge),
        None => other_micros(field),
    }
}

/// The fast way, exact: digits with or without a fraction; `None` for every other spelling.
#[inline]
fn decimal_micros(field: &[u8]) -> Option<u64> {
    /// Enough for every valid time, and too few to overflow.
    const MOST_DIGITS: usize = 15;
    let whole_len = field.iter().position(|byte| !byte.is_ascii_digit()).unwrap_or(field.len());
    if whole_len == 0 || whole_len > MOST_DIGITS {
        return None;
    }
    let (whole, rest) = field.split_at(whole_len);
    let mut micros = whole.iter().fold(0, |value, digit| value * 10 + u64::from(digit - b'0'));
    let fraction = match rest {
        [] => return Some(micros * 1_000),
        [b'.', fraction @ ..] if fraction.iter().all(u8::is_ascii_digit) => fraction,
        _ => return None,
    };
    for place in 0..3 {
        micros = micros * 10 + fraction.get(place).map_or(0, |digit| u64::from(digit - b'0'));
    }
    let rounds_up = fraction.get(3).is_some_and(|digit| *digit >= b'5');
    Some(micros + u64::from(rounds_up))
}

/// Every other spelling, by way of a float.
#[cold]
fn other_micros(field: &[u8]) -> Result<u64, BadNumber> {
    let micros = (float(field)? * 1e3).round();
    // `as` is exact here: the value is whole and below 2^53.
    if micros <= MAX_MICROS as f64 { Ok(micros as u64) } else { Err(BadNumber::TooLarge) }
}

/// A finite number of either sign, as the Azure data has them for times that cannot be negative.
pub(crate) fn signed(field: &[u8]) -> Result<f64, BadNumber> {
    match float(field.trim_ascii().strip_prefix(b"-").unwrap_or(field)) {
        Ok(value) if field.trim_ascii().starts_with(b"-") => Ok(-value),
        // A second sign is no number.
        Err(BadNumber::Negative) => Err(BadNumber::Unreadable),
        other => other,
    }
}

/// Seconds as µs, rounded to the nearest.
pub(crate) fn micros_of_seconds(field: &[u8]) -> Result<u64, BadNumber> {
    let micros = (float(field)? * 1e6).round();
    if micros <= MAX_MICROS as f64 { Ok(micros as u64) } else { Err(BadNumber::TooLarge) }
}

/// Memory in MiB, and whether it was a fraction and has been rounded up to the next whole MiB.
pub(crate) fn whole_mib(field: &[u8]) -> Result<(u64, bool), BadNumber> {
    let mib = float(field)?;
    if mib > MAX_MIB { Err(BadNumber::TooLarge) } else { Ok((mib.ceil() as u64, mib.fract() != 0.0)) }
}

/// A finite number that is not negative.
fn float(field: &[u8]) -> Result<f64, BadNumber> {
    let text = field.trim_ascii();
    if text.is_empty() {
        return Err(BadNumber::Empty);
    }
    let value: f64 =
        std::str::from_utf8(text).ok().and_then(|text| text.parse().ok()).ok_or(BadNumber::Unreadable)?;
    if !value.is_finite() {
        // `1e999` reads as infinite too, but is a number that is merely too large.
        let is_number = text.iter().any(u8::is_ascii_digit);
        return Err(if is_number { BadNumber::TooLarge } else { BadNumber::NotFinite });
    }
    if value < 0.0 { Err(BadNumber::Negative) } else { Ok(value) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn reads_milliseconds_to_the_nearest_microsecond() {
        for (text, us) in [
            ("0", 0),
            ("1500", 1_500_000),
            ("61.2", 61_200),
            ("61.271", 61_271),
            ("0.0004", 0),
            ("0.0005", 1),
            ("1.00049999", 1_000),
            ("0.9999", 1_000),
            ("5.", 5_000),
            (".5", 500),
            (" 7 ", 7_000),
            ("+7", 7_000),
            ("1.5e3", 1_500_000),
            ("-0", 0),
            ("000000000000000000001", 1_000),
            ("1590456695000", 1_590_456_695_000_000),
        ] {
            assert_eq!(micros(text.as_bytes()), Ok(us), "{text}");
        }
    }

    #[test]
    fn refuses_what_it_cannot_count() {
        for (text, why) in [
            ("", BadNumber::Empty),
            ("  ", BadNumber::Empty),
            ("abc", BadNumber::Unreadable),
            ("1,5", BadNumber::Unreadable),
            ("1.5.2", BadNumber::Unreadable),
            ("12ms", BadNumber::Unreadable),
            (".", BadNumber::Unreadable),
            ("nan", BadNumber::NotFinite),
            ("inf", BadNumber::NotFinite),
            ("-inf", BadNumber::NotFinite),
            ("-0.001", BadNumber::Negative),
            ("9007199254741.993", BadNumber::TooLarge),
            ("99999999999999999999999", BadNumber::TooLarge),
            ("1e30", BadNumber::TooLarge),
            ("1e999", BadNumber::TooLarge),
        ] {
            assert_eq!(micros(text.as_bytes()), Err(why), "{text}");
        }
        assert_eq!(micros(b"\xff1"), Err(BadNumber::Unreadable));
    }

    #[test]
    fn rounds_memory_up() {
        assert_eq!(whole_mib(b"128"), Ok((128, false)));
        assert_eq!(whole_mib(b"128.0"), Ok((128, false)));
        assert_eq!(whole_mib(b"12.2"), Ok((13, true)));
        assert_eq!(whole_mib(b"0"), Ok((0, false)));
        assert_eq!(whole_mib(b"5000000000"), Err(BadNumber::TooLarge));
    }

    #[test]
    fn reads_numbers_of_either_sign() {
        assert_eq!(signed(b"-41692"), Ok(-41_692.0));
        assert_eq!(signed(b" 7.5 "), Ok(7.5));
        assert_eq!(signed(b"--7"), Err(BadNumber::Unreadable));
        assert_eq!(signed(b"-"), Err(BadNumber::Empty));
        assert_eq!(signed(b"-inf"), Err(BadNumber::NotFinite));
        assert_eq!(micros_of_seconds(b"0.07949090003967285"), Ok(79_491));
        assert_eq!(micros_of_seconds(b"-1"), Err(BadNumber::Negative));
    }

    proptest! {
        #[test]
        fn both_ways_agree(us in 0..MAX_MICROS) {
            let text = format!("{}.{:03}", us / 1_000, us % 1_000);
            prop_assert_eq!(micros(text.as_bytes()), Ok(us));
            prop_assert_eq!(decimal_micros(text.as_bytes()), Some(us));
        }

        #[test]
        fn never_panics(field in proptest::collection::vec(any::<u8>(), 0..40)) {
            let _ = micros(&field);
            let _ = whole_mib(&field);
        }
    }
}
