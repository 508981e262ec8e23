//! Amounts of memory in whole MiB, and how they are written and read. Must never hold a sum that
//! could wrap: sums are `u64` MiB.

use std::fmt;
use std::str::FromStr;

use crate::time::{parse_magnitude, split_quantity};

/// Memory in MiB (2²⁰ bytes), the unit of OpenWhisk's action limits, of `docker --memory 256m` and
/// of the Azure traces. `MB` and `MiB` are read alike, since this field writes the first and means
/// the second: a function of `256 MB` fits four times into a pool of `1024 MB` and of `1 GiB`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct Memory(pub u64);

impl Memory {
    /// The amount in MiB.
    pub const fn mib(self) -> u64 {
        self.0
    }
}

const UNITS: &[(&str, f64)] = &[
    ("kb", 1.0 / 1024.0),
    ("kib", 1.0 / 1024.0),
    ("m", 1.0),
    ("mb", 1.0),
    ("mib", 1.0),
    ("g", 1024.0),
    ("gb", 1024.0),
    ("gib", 1024.0),
    ("t", 1024.0 * 1024.0),
    ("tb", 1024.0 * 1024.0),
    ("tib", 1024.0 * 1024.0),
];

impl fmt::Display for Memory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0 >= 1024 && self.0.is_multiple_of(128) {
            write!(f, "{} GiB", self.0 as f64 / 1024.0)
        } else {
            write!(f, "{} MiB", self.0)
        }
    }
}

impl FromStr for Memory {
    type Err = String;

    /// Reads `"8 GiB"`, `"500 MB"`, `"256m"`. A bare number is refused, and so is what is not a whole number of MiB.
    fn from_str(text: &str) -> Result<Memory, String> {
        let text = text.trim();
        let (number, unit) = split_quantity(text);
        let value = parse_magnitude(number, text)?;
        if unit.is_empty() {
            return Err(format!("`{text}` has no unit; write for example `{text} MiB` or `{text} GiB`"));
        }
        let unit_lower = unit.to_ascii_lowercase();
        let Some((_, size)) = UNITS.iter().find(|(name, _)| *name == unit_lower) else {
            return Err(format!("unknown unit of memory `{unit}` in `{text}`; use MiB, GiB or TiB"));
        };
        let mib = value * size;
        if mib.fract() != 0.0 {
            return Err(format!(
                "`{text}` is not a whole number of MiB; the nearest is `{} MiB`",
                mib.round()
            ));
        }
        if mib > u32::MAX as f64 {
            return Err(format!("`{text}` is more than this tool counts ({} TiB)", u32::MAX >> 20));
        }
        Ok(Memory(mib as u64))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_people_write() {
        for (text, mib) in [("8 GiB", 8192), ("500 MB", 500), ("256m", 256), ("1.5 gb", 1536), ("0 MiB", 0)] {
            assert_eq!(text.parse::<Memory>(), Ok(Memory(mib)), "{text}");
        }
    }

    #[test]
    fn refuses_with_a_reason() {
        for (text, part) in [
            ("8", "has no unit"),
            ("lots", "does not start with a number"),
            ("1 GiBi", "unknown unit of memory `GiBi`"),
            ("0.3 MiB", "not a whole number of MiB"),
            ("-5 MB", "must not be negative"),
            ("9999999 TiB", "more than this tool counts"),
        ] {
            let message = text.parse::<Memory>().expect_err(text);
            assert!(message.contains(part), "{text}: {message}");
        }
    }

    #[test]
    fn written_amounts_read_back() {
        for mib in [0, 13, 128, 1024, 1536, 8192, 8193] {
            assert_eq!(Memory(mib).to_string().parse::<Memory>(), Ok(Memory(mib)));
        }
    }
}
