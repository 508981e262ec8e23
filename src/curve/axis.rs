//! The amounts of memory at which curves are taken. Owns how they are written and which are taken if nobody
//! says; must never hold one twice or out of order.

use std::fmt;
use std::str::FromStr;

use crate::memory::Memory;

/// How an axis is given.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Axis {
    /// From an amount to another, by steps.
    Steps(Memory, Memory, Memory),
    /// From an amount to another, with as many points as are asked for.
    Range(Memory, Memory),
    /// These amounts, ascending.
    List(Vec<Memory>),
}

/// More points are not taken: each costs a simulation per policy.
pub const MOST_POINTS: usize = 1_000;

impl FromStr for Axis {
    type Err = String;

    /// Reads `"1 GiB..80 GiB / 4 GiB"`, `"1 GiB..80 GiB * 2"`, `"1 GiB..80 GiB"` or `"8 GiB, 16 GiB"`. Both ends
    /// are points; a unit that only the last amount has counts for the ones before.
    fn from_str(text: &str) -> Result<Axis, String> {
        let Some((from, rest)) = text.split_once("..") else {
            let mut list = text.split(',').map(|part| amount(part, text)).collect::<Result<Vec<_>, _>>()?;
            list.sort_unstable();
            list.dedup();
            return Ok(Axis::List(list));
        };
        if let Some((until, factor)) = rest.split_once('*') {
            return multiplied((amount(from, until)?, amount(until, until)?), factor.trim(), text.trim());
        }
        let (until, step) = match rest.split_once('/') {
            Some((until, step)) => (until, Some(amount(step, text)?)),
            None => (rest, None),
        };
        let (from, until) = (amount(from, until)?, amount(until, text)?);
        rising(from, until, text.trim())?;
        let Some(step) = step else { return Ok(Axis::Range(from, until)) };
        let points = (until.mib() - from.mib()) / step.mib() + 2;
        if points > MOST_POINTS as u64 {
            return Err(format!("`{}` makes {points} points, at most {MOST_POINTS} are taken", text.trim()));
        }
        Ok(Axis::Steps(from, until, step))
    }
}

fn rising(from: Memory, until: Memory, text: &str) -> Result<(), String> {
    if from < until {
        Ok(())
    } else {
        Err(format!("`{text}` goes from {from} to {until}, which is not more"))
    }
}

/// From an amount to another by a factor, rounded to whole MiB.
fn multiplied((from, until): (Memory, Memory), factor: &str, text: &str) -> Result<Axis, String> {
    rising(from, until, text)?;
    let Some(factor) = factor.parse().ok().filter(|factor: &f64| factor.is_finite() && *factor >= 1.001)
    else {
        return Err(format!(
            "the factor of `{text}` is not a number above 1; write for example `1 GiB..64 GiB * 2`"
        ));
    };
    let powers = std::iter::successors(Some(from.mib() as f64), |mib| Some(mib * factor));
    let mut list: Vec<Memory> =
        powers.map(|mib| Memory(mib.round() as u64)).take_while(|memory| *memory < until).collect();
    list.push(until);
    list.dedup();
    if list.len() > MOST_POINTS {
        return Err(format!("`{text}` makes {} points, at most {MOST_POINTS} are taken", list.len()));
    }
    Ok(Axis::List(list))
}

/// An amount of memory; one without a unit takes that at the end of `whole`.
fn amount(part: &str, whole: &str) -> Result<Memory, String> {
    let (part, bare) = (part.trim(), |c: char| c.is_ascii_digit() || c == '.');
    if part.is_empty() {
        return Err("an amount of memory is missing; write for example `1 GiB..80 GiB / 4 GiB`".to_owned());
    }
    let unit = whole.trim().trim_start_matches(|c: char| !c.is_ascii_alphabetic());
    let unit = unit.rsplit(|c: char| !c.is_ascii_alphabetic()).next().unwrap_or_default();
    let memory: Memory =
        if part.chars().all(bare) { format!("{part} {unit}").parse()? } else { part.parse()? };
    if memory == Memory(0) { Err(format!("`{part}` must be more than 0 MiB")) } else { Ok(memory) }
}

impl fmt::Display for Axis {
    /// As it is read.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Axis::Steps(from, until, step) => write!(f, "{from}..{until} / {step}"),
            Axis::Range(from, until) => write!(f, "{from}..{until}"),
            Axis::List(list) => {
                f.write_str(&list.iter().map(Memory::to_string).collect::<Vec<_>>().join(", "))
            }
        }
    }
}

impl Axis {
    /// The amounts. `points`: how many of a range.
    pub fn memories(&self, points: usize) -> Vec<Memory> {
        match self {
            Axis::List(list) => list.clone(),
            Axis::Steps(from, until, step) => {
                let mut memories: Vec<Memory> =
                    (from.mib()..until.mib()).step_by(step.mib() as usize).map(Memory).collect();
                memories.push(*until);
                memories
            }
            Axis::Range(from, until) => spaced(*from, *until, points),
        }
    }
}

/// What is taken if nobody says: from what the largest function needs to what everything needs.
pub fn usual(largest: Memory, need: Memory, points: usize) -> Vec<Memory> {
    // Whole eighths of a GiB read better.
    let end = if need.mib() > 1_024 { Memory(need.mib().next_multiple_of(128)) } else { need };
    if end <= largest { vec![largest] } else { spaced(largest, end, points) }
}

/// Amounts evenly by their logarithm, rounded to about 3 %; both ends are as given.
fn spaced(from: Memory, until: Memory, points: usize) -> Vec<Memory> {
    let (low, high) = (from.mib().max(1) as f64, until.mib() as f64);
    let inner = |nth: usize| {
        let mib = libm::exp(libm::log(low) + libm::log(high / low) * nth as f64 / (points - 1) as f64);
        let unit = 1_u64 << (mib as u64).max(1).ilog2().saturating_sub(4);
        Memory((mib / unit as f64).round() as u64 * unit)
    };
    let mut memories: Vec<Memory> = (1..points.saturating_sub(1)).map(inner).collect();
    memories.retain(|memory| *memory > from && *memory < until);
    memories.extend([from, until]);
    memories.sort_unstable();
    memories.dedup();
    memories
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mib(text: &str, points: usize) -> Vec<u64> {
        text.parse::<Axis>().expect(text).memories(points).into_iter().map(Memory::mib).collect()
    }

    #[test]
    fn axes_are_read() {
        assert_eq!(mib("1 GiB..4 GiB / 1 GiB", 9), [1024, 2048, 3072, 4096]);
        assert_eq!(mib("1..4 GiB / 1500 MiB", 9), [1024, 2524, 4024, 4096]);
        assert_eq!(mib("256 MiB, 1 GiB,256 MB", 9), [256, 1024]);
        assert_eq!(mib("4, 2 GiB", 9), [2048, 4096]);
        assert_eq!(mib("1 GiB..16 GiB", 5), [1024, 2048, 4096, 8192, 16384]);
        assert_eq!(mib("1..5 GiB * 2", 9), [1024, 2048, 4096, 5120]);
        assert_eq!(mib("2 MiB..4 MiB * 1.1", 9), [2, 3, 4]);
        assert_eq!(mib("1 MiB..3 MiB", 24), [1, 2, 3]);
        assert_eq!(mib("1 MiB..3 MiB", 1), [1, 3]);
    }

    #[test]
    fn axes_are_refused_with_a_reason() {
        for (text, part) in [
            ("8 GiB..4 GiB", "goes from 8 GiB to 4 GiB, which is not more"),
            ("8 GiB..4 GiB * 2", "goes from 8 GiB to 4 GiB, which is not more"),
            ("1 GiB..4 GiB * 1", "the factor of `1 GiB..4 GiB * 1` is not a number above 1"),
            ("1 GiB..8000 GiB * 1.001", "at most 1000 are taken"),
            ("1 GiB..", "an amount of memory is missing"),
            ("1 GiB..4 GiB / 0 GiB", "must be more than 0 MiB"),
            ("1 MiB..4 GiB / 1 MiB", "at most 1000 are taken"),
            ("1 Gib..4 Gob", "unknown unit of memory `Gob`"),
            ("8", "has no unit"),
            ("lots", "does not start with a number"),
        ] {
            let message = text.parse::<Axis>().expect_err(text);
            assert!(message.contains(part), "{text}: {message}");
        }
    }

    #[test]
    fn the_usual_axis_has_both_ends() {
        let memories = usual(Memory(500), Memory(70_001), 24);
        assert_eq!((memories[0], memories[memories.len() - 1]), (Memory(500), Memory(70_016)));
        assert!(memories.windows(2).all(|pair| pair[0] < pair[1]) && memories.len() == 24, "{memories:?}");
        assert_eq!(usual(Memory(500), Memory(400), 24), [Memory(500)]);
    }
}
