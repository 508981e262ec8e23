//! Ranges of values as text: `1 GiB..80 GiB / 500 MB`, `1 min..2 h * 2`, `1..10`. Owns what a range is and which
//! values it has; must never know which key they are for, but that memory and minutes may both be written `m`.

use super::section::Flaw;
use super::tree::quote;
use crate::memory::Memory;
use crate::time::{Span, split_quantity};

/// More values than anybody waits for: most likely a slip of the step.
pub(super) const MOST: usize = 100_000;

/// What the numbers of a range count.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Unit {
    /// MiB.
    Memory,
    /// µs.
    Time,
    /// Ones, tenths, hundredths and so on: digits after the point.
    Plain(u32),
}

/// A number of units. Whole, so that the values of a range are exact.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Quantity {
    number: i128,
    unit: Unit,
}

/// How one goes from a value to the next.
enum Advance {
    Step(i128),
    Factor(f64),
}

/// The values of the range that `text` is, as TOML; nothing if it is no range. `of_memory`: `m` means MiB, not minutes.
pub(super) fn values(text: &str, of_memory: bool) -> Option<Result<Vec<String>, Flaw>> {
    let (from, rest) = text.split_once("..")?;
    // `../traces` is no range.
    from.trim()
        .starts_with(|c: char| c.is_ascii_digit() || c == '-')
        .then(|| expand(text, from, rest, of_memory))
}

fn expand(text: &str, from: &str, rest: &str, of_memory: bool) -> Result<Vec<String>, Flaw> {
    let quantity = |part: &str| read(part.trim(), of_memory);
    let split = rest.find(['/', '*']);
    let (to, by) = split.map_or((rest, None), |at| (&rest[..at], Some((&rest[at..=at], &rest[at + 1..]))));
    let (mut first, mut last) = (quantity(from)?, quantity(to)?);
    same_kind(first, last)?;
    let advance = match by {
        Some(("/", step)) => {
            let mut step = quantity(step)?;
            same_kind(first, step)?;
            align(&mut [&mut first, &mut last, &mut step]);
            if step.number <= 0 {
                return Err(Flaw::new(format!("the step of {} is not above 0", quote(text))));
            }
            Advance::Step(step.number)
        }
        Some((_, factor)) => {
            let factor = read_factor(text, factor.trim())?;
            // Powers of a factor seldom end where the ends of the range do.
            let mut finest = Quantity { number: 0, unit: Unit::Plain(digits(first).max(digits(last)) + 3) };
            if matches!(first.unit, Unit::Plain(_)) && factor.fract() != 0.0 {
                align(&mut [&mut first, &mut last, &mut finest]);
            }
            align(&mut [&mut first, &mut last]);
            if first.number <= 0 {
                let help = "a factor leads nowhere from 0; begin above it, or give a step with `/`";
                return Err(Flaw::new(format!("{} does not begin above 0", quote(text))).help(help));
            }
            Advance::Factor(factor)
        }
        None if (first.unit, last.unit) == (Unit::Plain(0), Unit::Plain(0)) => Advance::Step(1),
        None => return Err(stepless(text, first)),
    };
    if last.number < first.number {
        return Err(Flaw::new(format!("{} ends before it begins", quote(text))));
    }
    collect(text, first, last.number, &advance)
}

fn collect(text: &str, first: Quantity, last: i128, advance: &Advance) -> Result<Vec<String>, Flaw> {
    let mut values: Vec<String> = Vec::new();
    let mut power = first.number as f64;
    let mut at = first.number;
    while at <= last {
        if values.len() == MOST {
            let message = format!("{} has more than {MOST} values", quote(text));
            return Err(Flaw::new(message).help("take a larger step"));
        }
        let value = Quantity { number: at, ..first }.written();
        if values.last() != Some(&value) {
            values.push(value);
        }
        match advance {
            Advance::Step(step) => at += step,
            Advance::Factor(factor) => {
                power *= factor;
                at = power.round() as i128;
            }
        }
    }
    Ok(values)
}

fn stepless(text: &str, first: Quantity) -> Flaw {
    let step = match first.unit {
        Unit::Memory => "1 GiB",
        Unit::Time => "1 min",
        Unit::Plain(_) => "0.1",
    };
    let flaw = Flaw::new(format!("{} has no step", quote(text)));
    flaw.help(format!("write for example \"{text} / {step}\", or \"{text} * 2\" for a factor"))
}

fn read_factor(text: &str, factor: &str) -> Result<f64, Flaw> {
    // Below 1.001 there would be more values than digits.
    factor.parse().ok().filter(|factor: &f64| factor.is_finite() && *factor >= 1.001).ok_or_else(|| {
        Flaw::new(format!("the factor of {} is not a number above 1", quote(text)))
            .help("write for example \"1 GiB..64 GiB * 2\"")
    })
}

fn digits(quantity: Quantity) -> u32 {
    match quantity.unit {
        Unit::Plain(digits) => digits,
        Unit::Memory | Unit::Time => 0,
    }
}

/// Plain numbers with as many digits after the point each.
fn align(quantities: &mut [&mut Quantity]) {
    let most = quantities.iter().map(|quantity| digits(**quantity)).max().unwrap_or(0);
    for quantity in quantities {
        if let Unit::Plain(digits) = quantity.unit {
            quantity.number *= 10_i128.pow(most - digits);
            quantity.unit = Unit::Plain(most);
        }
    }
}

fn same_kind(one: Quantity, other: Quantity) -> Result<(), Flaw> {
    if one.kind() == other.kind() {
        return Ok(());
    }
    let message = format!("`{}` is {}, `{}` is {}", one.bare(), one.kind(), other.bare(), other.kind());
    Err(Flaw::new(message).help("give both ends and the step a unit of the same kind"))
}

fn read(text: &str, of_memory: bool) -> Result<Quantity, Flaw> {
    let (number, unit) = split_quantity(text);
    if unit.is_empty() {
        return read_plain(number).ok_or_else(|| {
            Flaw::new(format!("{} is not a number", quote(text)))
                .help("a range is written \"FROM..TO / STEP\", for example \"1 GiB..80 GiB / 500 MB\"")
        });
    }
    let memory = || text.parse().map(|Memory(mib)| Quantity { number: i128::from(mib), unit: Unit::Memory });
    let span = || text.parse().map(|Span(us)| Quantity { number: i128::from(us), unit: Unit::Time });
    let of_memory = of_memory || unit.starts_with(|first| "kKMgGtT".contains(first));
    let (meant, also) = if of_memory { (memory(), span()) } else { (span(), memory()) };
    meant.or_else(|sentence: String| also.map_err(|_| Flaw::advised(&sentence)))
}

/// Nothing if it is no decimal number, or one of more digits than anybody writes.
fn read_plain(text: &str) -> Option<Quantity> {
    let text = text.replace('_', "");
    let (whole, fraction) = text.split_once('.').unwrap_or((&text, ""));
    if fraction.len() > 9 || whole.len() > 20 || (whole.is_empty() && fraction.is_empty()) {
        return None;
    }
    let number = format!("{whole}{fraction}").parse().ok()?;
    Some(Quantity { number, unit: Unit::Plain(fraction.len() as u32) })
}

impl Quantity {
    fn kind(self) -> &'static str {
        match self.unit {
            Unit::Memory => "an amount of memory",
            Unit::Time => "a time",
            Unit::Plain(_) => "a plain number",
        }
    }

    fn bare(self) -> String {
        match self.unit {
            Unit::Memory => Memory(self.number as u64).to_string(),
            Unit::Time => Span(self.number as u64).to_string(),
            Unit::Plain(0) => self.number.to_string(),
            Unit::Plain(digits) => {
                let unit = 10_i128.pow(digits);
                let sign = if self.number < 0 { "-" } else { "" };
                let (whole, rest) = (self.number.abs() / unit, self.number.abs() % unit);
                let text = format!("{sign}{whole}.{rest:0width$}", width = digits as usize);
                text.trim_end_matches('0').trim_end_matches('.').to_owned()
            }
        }
    }

    /// As TOML.
    fn written(self) -> String {
        match self.unit {
            Unit::Memory | Unit::Time => format!("\"{}\"", self.bare()),
            Unit::Plain(_) => self.bare(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> Vec<String> {
        values(text, false).expect("a range").unwrap_or_else(|flaw| panic!("{text}: {flaw:?}"))
    }

    #[test]
    fn steps_reach_the_end_where_they_hit_it() {
        assert_eq!(of("1..4"), ["1", "2", "3", "4"]);
        assert_eq!(of("1 .. 6 / 2"), ["1", "3", "5"]);
        assert_eq!(of("-1..1"), ["-1", "0", "1"]);
        assert_eq!(of("0..0.3 / 0.1"), ["0", "0.1", "0.2", "0.3"]);
        assert_eq!(of("1 GiB..2 GiB / 500 MB"), ["\"1 GiB\"", "\"1524 MiB\"", "\"2024 MiB\""]);
        assert_eq!(of("30 s..2 min / 45 s"), ["\"30 s\"", "\"1.25 min\"", "\"2 min\""]);
        assert_eq!(of("5..5"), ["5"]);
    }

    #[test]
    fn factors_multiply() {
        assert_eq!(of("1..10 * 2"), ["1", "2", "4", "8"]);
        assert_eq!(of("1 GiB..4 GiB * 2"), ["\"1 GiB\"", "\"2 GiB\"", "\"4 GiB\""]);
        assert_eq!(of("0.1..0.3 * 1.5"), ["0.1", "0.15", "0.225"]);
        let minutes: Vec<String> = [1, 2, 4, 8, 16, 32, 64].map(|min| format!("\"{min} min\"")).into();
        assert_eq!(of("1 min..2 h * 2"), minutes);
        assert_eq!(of("50 min..70 min / 10 min"), ["\"50 min\"", "\"1 h\"", "\"70 min\""]);
        assert_eq!(of("1 us..3 us * 1.2"), ["\"1 us\"", "\"2 us\"", "\"3 us\""]);
    }

    #[test]
    fn the_same_letter_is_memory_or_minutes() {
        let of = |of_memory| values("1m..2m / 1m", of_memory).expect("a range").expect("right");
        assert_eq!(of(true), ["\"1 MiB\"", "\"2 MiB\""]);
        assert_eq!(of(false), ["\"1 min\"", "\"2 min\""]);
    }

    #[test]
    fn what_is_no_range_is_left_alone() {
        for text in ["../traces/azure392", "lru", "8 GiB", ""] {
            assert!(values(text, false).is_none(), "{text}");
        }
    }

    #[test]
    fn wrong_ranges_are_refused() {
        for text in [
            "1 GiB..2 GiB",
            "1..2 GiB / 1 GiB",
            "1 GiB..2 min / 1 GiB",
            "4..1",
            "1..4 / 0",
            "1..4 / -1",
            "0..4 * 2",
            "1..4 * 1",
            "1..",
            "1..x",
            "1..4 / ",
            "0..1e9",
            "0..1 / 0.000001",
            "1 GiB..2 Gi / 1 GiB",
        ] {
            assert!(values(text, false).expect("a range").is_err(), "{text}");
        }
    }
}
