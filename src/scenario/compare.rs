//! `[compare]`: how far two records may lie apart. Owns the names of what is limited and how the table is read; whether a
//! limit is kept is `crate::compare`'s business.

use serde::{Serialize, Serializer};

use super::Override;
use super::keys::{COMPARE, TOP};
use super::section::{Flaw, Problems, Section};
use super::tree::{Entry, Node, Origin, Table};
use super::values;
use crate::error::{Error, Kind};

/// A figure of a comparison that can be limited.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Measure {
    /// |difference| of the cold ratios, in percentage points.
    ColdRatioPp,
    /// |difference| of the shares that were not served, in percentage points.
    UnservedPp,
    /// Invocations on which both sides agree, in per cent.
    AgreementPct,
    /// Cohen's kappa.
    Kappa,
    /// |difference| of the median responses, in per cent of B's.
    P50Pct,
    /// The same of the 90th percentile.
    P90Pct,
    /// The same of the 95th percentile.
    P95Pct,
    /// The same of the 99th percentile.
    P99Pct,
    /// Kolmogorov–Smirnov distance of the responses.
    Ks,
    /// |difference| of the 95th percentiles of the waits, in ms.
    WaitP95Ms,
    /// |difference| of the mean memory, in per cent of B's.
    MemoryPct,
    /// |difference| of containers created, in per cent of B's.
    CreatedPct,
    /// |difference| of containers evicted, in per cent of B's.
    EvictedPct,
}

impl Measure {
    /// All of them, in the order of the documentation.
    pub const ALL: [Measure; 13] = [
        Measure::ColdRatioPp,
        Measure::UnservedPp,
        Measure::AgreementPct,
        Measure::Kappa,
        Measure::P50Pct,
        Measure::P90Pct,
        Measure::P95Pct,
        Measure::P99Pct,
        Measure::Ks,
        Measure::WaitP95Ms,
        Measure::MemoryPct,
        Measure::CreatedPct,
        Measure::EvictedPct,
    ];

    /// As written in a scenario.
    pub const fn key(self) -> &'static str {
        match self {
            Measure::ColdRatioPp => "cold-ratio-pp",
            Measure::UnservedPp => "unserved-pp",
            Measure::AgreementPct => "agreement-pct",
            Measure::Kappa => "kappa",
            Measure::P50Pct => "p50-pct",
            Measure::P90Pct => "p90-pct",
            Measure::P95Pct => "p95-pct",
            Measure::P99Pct => "p99-pct",
            Measure::Ks => "ks",
            Measure::WaitP95Ms => "wait-p95-ms",
            Measure::MemoryPct => "memory-pct",
            Measure::CreatedPct => "created-pct",
            Measure::EvictedPct => "evicted-pct",
        }
    }

    /// Whether the limit is the least that will do, and not the most.
    pub const fn is_least(self) -> bool {
        matches!(self, Measure::AgreementPct | Measure::Kappa)
    }

    fn parse(self, node: &Node) -> Result<f64, Flaw> {
        let within = |most: f64, wanted: &str| match values::not_negative(node) {
            Ok(number) if number <= most => Ok(number),
            _ => Err(Flaw::expected(wanted, node)),
        };
        match self {
            Measure::Kappa | Measure::Ks => within(1.0, "a number from 0 to 1"),
            Measure::ColdRatioPp | Measure::UnservedPp => within(100.0, "percentage points from 0 to 100"),
            Measure::AgreementPct => within(100.0, "a percentage from 0 to 100"),
            _ => values::not_negative(node),
        }
    }
}

impl Serialize for Measure {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.key())
    }
}

/// The limits of a comparison; without one, a figure may be anything.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct CompareSpec {
    limits: [Option<f64>; Measure::ALL.len()],
}

impl CompareSpec {
    /// The limit of a figure.
    pub fn limit(&self, measure: Measure) -> Option<f64> {
        self.limits[measure as usize]
    }

    /// Whether nothing is limited.
    pub fn is_empty(&self) -> bool {
        self.limits.iter().all(Option::is_none)
    }

    /// With the limits of `other` where it has any.
    #[must_use]
    pub fn overlaid(mut self, other: &CompareSpec) -> CompareSpec {
        for (limit, over) in self.limits.iter_mut().zip(other.limits) {
            *limit = over.or(*limit);
        }
        self
    }

    /// From values that are set from outside, all below `compare`.
    ///
    /// # Errors
    /// A usage error with everything that is wrong.
    pub fn from_overrides(sets: &[Override]) -> Result<CompareSpec, Error> {
        let mut root = Table::default();
        let mut problems = Problems::default();
        for (nth, set) in sets.iter().enumerate() {
            if let Err(problem) = set.apply(&mut root, nth) {
                problems.add(problem);
            }
        }
        let top = Section::open("", &Origin::File, &root, TOP, &mut problems);
        let spec = read(&top, &mut problems);
        if problems.is_empty() { Ok(spec) } else { Err(Error::new(Kind::Usage, problems.render("limits"))) }
    }
}

/// Reads the table; no limits if there is none.
pub(super) fn read(top: &Section<'_>, problems: &mut Problems) -> CompareSpec {
    let mut spec = CompareSpec::default();
    let Some(entry) = top.find("compare") else { return spec };
    let Some(written) = top.as_table(entry, problems) else { return spec };
    let table = hyphenated(written);
    let section = Section::open("compare", &entry.origin, &table, COMPARE, problems);
    for measure in Measure::ALL {
        spec.limits[measure as usize] = section.read(measure.key(), problems, |node| measure.parse(node));
    }
    spec
}

/// The table with `cold_ratio_pp` for `cold-ratio-pp`: figures go by names with underscores elsewhere, so both are
/// read. What is written last counts, as with `--set`; twice in a file is left to be refused.
fn hyphenated(written: &Table) -> Table {
    let mut table = Table::default();
    for entry in &written.entries {
        let key = entry.key.replace('_', "-");
        let known = COMPARE.iter().any(|known| known.name == key);
        let at = table.entries.iter().position(|other| other.key == key);
        match at {
            Some(at) if matches!(entry.origin, Origin::Set { .. } | Origin::Option(_)) => {
                table.entries[at] = Entry { key, ..entry.clone() };
            }
            None if known => table.entries.push(Entry { key, ..entry.clone() }),
            _ => table.entries.push(entry.clone()),
        }
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spec(sets: &[&str]) -> Result<CompareSpec, Error> {
        let sets: Vec<Override> = sets.iter().map(|set| set.parse().expect("PATH=VALUE")).collect();
        CompareSpec::from_overrides(&sets)
    }

    #[test]
    fn every_limit_has_a_key_and_every_key_a_limit() {
        let keys: Vec<&str> = COMPARE.iter().map(|key| key.name).collect();
        assert_eq!(keys, Measure::ALL.map(Measure::key));
    }

    #[test]
    fn both_spellings_are_read_and_the_last_one_counts() {
        let one = spec(&["compare.cold_ratio_pp=1.5", "compare.kappa=0.8"]).expect("right");
        assert_eq!(one.limit(Measure::ColdRatioPp), Some(1.5));
        assert_eq!(one.limit(Measure::Kappa), Some(0.8));
        assert_eq!(one.limit(Measure::Ks), None);
        let two = spec(&["compare.cold-ratio-pp=1", "compare.cold_ratio_pp=2"]).expect("right");
        assert_eq!(two.limit(Measure::ColdRatioPp), Some(2.0));
        let both = one.overlaid(&two);
        assert_eq!((both.limit(Measure::ColdRatioPp), both.limit(Measure::Kappa)), (Some(2.0), Some(0.8)));
    }

    #[test]
    fn what_is_wrong_is_told() {
        let error = spec(&["compare.kapa=0.5", "compare.ks=2", "compare.p50-pct=-1"]).expect_err("wrong");
        let text = error.to_string();
        for part in [
            "--set compare.kapa: unknown key `kapa` in [compare]\n  help: did you mean `kappa`?",
            "--set compare.ks: expected a number from 0 to 1, found the number 2",
            "--set compare.p50-pct: expected a number of at least 0, found the number -1",
        ] {
            assert!(text.contains(part), "{part}\nis missing in\n{text}");
        }
    }
}
