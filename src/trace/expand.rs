//! From counts to arrivals: at which instants of a bin its invocations arrive, and how long each runs.
//! Owns the ways of spacing them; must never lose or add an invocation, nor let one function's arrivals
//! depend on another's.
//!
//! Every count has a generator of its own, keyed by the seed, the function's name and the bin. So the
//! arrivals of a function are the same in a sample of the trace, in a window of it and on any number of
//! threads.

use rand::RngExt as _;

use super::counts::{Counts, Row, RunLaw};
use super::function::Function;
use super::invocations::{Invocations, RunTime};
use crate::random::{keyed, splitmix};
use crate::time::{Span, Time};

/// How the invocations of one function are spaced within a bin.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Spacing {
    /// Timers staggered, everything else uniform.
    #[default]
    ByTrigger,
    /// Evenly, the first at the bin's first instant: the k-th of n at k/n of the bin, as FaasCache's
    /// converter does (docs/specs/faascache-artifact.md §6.5). All functions move in step.
    Equidistant,
    /// Evenly, from an offset of the function's own: with the same count in every bin, strictly periodic.
    Staggered,
    /// At independent uniform instants. Given its count, a Poisson process arrives just so.
    Uniform,
}

impl Spacing {
    /// The ways by name; `poisson` is `uniform` by its other name.
    pub const NAMES: [(&'static str, Spacing); 5] = [
        ("by-trigger", Spacing::ByTrigger),
        ("equidistant", Spacing::Equidistant),
        ("staggered", Spacing::Staggered),
        ("uniform", Spacing::Uniform),
        ("poisson", Spacing::Uniform),
    ];

    /// What it is called.
    pub fn name(self) -> &'static str {
        Spacing::NAMES.iter().find(|(_, spacing)| *spacing == self).map_or("", |(name, _)| name)
    }
}

/// What turns counts into arrivals.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Expansion {
    /// How invocations are spaced.
    pub spacing: Spacing,
    /// Of everything drawn.
    pub seed: u64,
}

/// Purposes of random numbers.
const INSTANTS: u64 = 0x6172_7269_7661_6c73;
const PHASE: u64 = 0x7068_6173_6500_0000;
const RUNS: u64 = 0x7275_6e73_0000_0000;

/// Expands bins one after the other.
pub(super) struct Expander<'a> {
    counts: &'a Counts,
    rows: &'a [Row],
    expansion: Expansion,
    /// Whether every row is the function of the same number and runs as long as that says.
    plain: bool,
    /// Instant within the bin in the upper half, row in the lower one.
    keys: Vec<u64>,
    spare: Vec<u64>,
}

impl<'a> Expander<'a> {
    pub fn new(counts: &'a Counts, rows: &'a [Row], expansion: Expansion) -> Expander<'a> {
        let plain =
            (0..).zip(rows).all(|(number, row)| row.function == number && row.run == RunLaw::OfFunction);
        Expander { counts, rows, expansion, plain, keys: Vec::new(), spare: Vec::new() }
    }

    /// Appends the arrivals of a bin in order of time, ties by row.
    pub fn expand(&mut self, bin: usize, out: &mut Invocations) {
        self.keys.clear();
        for cell in self.counts.cells(bin) {
            self.place(bin, cell.row, cell.count);
        }
        self.sort();
        let start = Time(bin as u64 * self.counts.width().0);
        if self.plain {
            let keys = self.keys.iter();
            out.extend_sorted(keys.map(|key| (start + Span(key >> 32), *key as u32)));
            return;
        }
        for &key in &self.keys {
            let time = start + Span(key >> 32);
            let row = &self.rows[key as u32 as usize];
            let run_time = match &row.run {
                RunLaw::OfFunction => RunTime::ABSENT,
                RunLaw::Always(span) => RunTime::capped(*span),
                RunLaw::Quantiles(quantiles) => {
                    RunTime::capped(drawn(quantiles, self.expansion.seed, row.key, time))
                }
            };
            out.push(time, row.function, run_time);
        }
    }

    /// The keys of `count` invocations of a row.
    #[inline]
    fn place(&mut self, bin: usize, row_number: u32, count: u32) {
        let row = &self.rows[row_number as usize];
        let (width, n) = (self.counts.width().0, u64::from(count));
        let seed = self.expansion.seed;
        let spacing = match self.expansion.spacing {
            Spacing::ByTrigger if row.timer => Spacing::Staggered,
            Spacing::ByTrigger => Spacing::Uniform,
            other => other,
        };
        let key = |offset: u64| offset << 32 | u64::from(row_number);
        match spacing {
            Spacing::Equidistant => self.keys.extend((0..n).map(|k| key(k * width / n))),
            Spacing::Staggered => {
                let phase = portion(splitmix(seed ^ splitmix(row.key ^ PHASE)) >> 32, width);
                self.keys.extend((0..n).map(|k| key((k * width + phase) / n)));
            }
            Spacing::Uniform | Spacing::ByTrigger => {
                let mut random = keyed(seed ^ row.key, INSTANTS, bin as u64);
                let mut left = n;
                while left > 1 {
                    let both: u64 = random.random();
                    self.keys.push(key(portion(both >> 32, width)));
                    self.keys.push(key(portion(both & 0xFFFF_FFFF, width)));
                    left -= 2;
                }
                if left == 1 {
                    self.keys.push(key(portion(random.random::<u64>() >> 32, width)));
                }
            }
        }
    }

    /// Sorts the keys by instant, then row. Rows are placed in ascending order, so that a stable sort by
    /// instant alone will do: least significant digits first, as card sorters did.
    fn sort(&mut self) {
        const DIGIT: u32 = 9;
        /// Below this, comparing is faster than counting.
        const FEW: usize = 1 << 10;
        if self.keys.len() < FEW {
            self.keys.sort_unstable();
            return;
        }
        let bits = 64 - (self.counts.width().0 - 1).leading_zeros();
        self.spare.resize(self.keys.len(), 0);
        let mut shift = 32;
        while shift < 32 + bits {
            let digit = |key: u64| (key >> shift) as usize & ((1 << DIGIT) - 1);
            let mut places = [0_u32; 1 << DIGIT];
            for &key in &self.keys {
                places[digit(key)] += 1;
            }
            let mut next = 0;
            for place in &mut places {
                next += std::mem::replace(place, next);
            }
            for &key in &self.keys {
                let place = &mut places[digit(key)];
                self.spare[*place as usize] = key;
                *place += 1;
            }
            std::mem::swap(&mut self.keys, &mut self.spare);
            self.spare.resize(self.keys.len(), 0);
            shift += DIGIT;
        }
    }
}

/// A 32-bit fraction of a width of at most 32 bits.
#[inline]
fn portion(fraction: u64, width: u64) -> u64 {
    (fraction * width) >> 32
}

/// A run time from quantiles, linear in between; the same for the same function and instant.
fn drawn(quantiles: &[Span; 7], seed: u64, key: u64, time: Time) -> Span {
    let places = Function::QUANTILES.map(u64::from);
    /// Fractions are counted in 2⁻³² of a percent.
    const PERCENT: u32 = 32;
    let random = splitmix(seed ^ splitmix(key ^ RUNS) ^ splitmix(time.0)) >> 32;
    let at = random * 100;
    let above = places.iter().position(|percent| percent << PERCENT > at).unwrap_or(places.len() - 1);
    let (low, high) = (places[above - 1] << PERCENT, places[above] << PERCENT);
    let (from, to) = (u128::from(quantiles[above - 1].0), u128::from(quantiles[above].0));
    let part = u128::from(at - low) * (to - from.min(to)) / u128::from(high - low);
    Span((from + part) as u64)
}

#[cfg(test)]
mod tests {
    use super::super::counts::Builder;
    use super::*;
    use proptest::prelude::*;

    const SPACINGS: [Spacing; 4] =
        [Spacing::ByTrigger, Spacing::Equidistant, Spacing::Staggered, Spacing::Uniform];

    fn rows(count: u32) -> Vec<Row> {
        (0..count)
            .map(|number| Row {
                function: number,
                key: splitmix(u64::from(number)),
                timer: number % 2 == 1,
                run: RunLaw::OfFunction,
            })
            .collect()
    }

    fn expanded(counts: &Counts, rows: &[Row], spacing: Spacing) -> Vec<(u64, u32)> {
        let mut out = Invocations::default();
        let mut expander = Expander::new(counts, rows, Expansion { spacing, seed: 7 });
        for bin in 0..counts.bins() {
            expander.expand(bin, &mut out);
        }
        out.arrivals().map(|arrival| (arrival.time.0, arrival.function)).collect()
    }

    fn one(count: u32, spacing: Spacing) -> Vec<u64> {
        let mut builder = Builder::new(Span::from_mins(1));
        builder.add(1, 0, count);
        builder.add(2, 0, count);
        expanded(&builder.finish(), &rows(2), spacing).into_iter().map(|(time, _)| time).collect()
    }

    #[test]
    fn equidistant_is_the_artifacts_way() {
        let expected = [60_000_000, 80_000_000, 100_000_000, 120_000_000, 140_000_000, 160_000_000];
        assert_eq!(one(3, Spacing::Equidistant), expected);
    }

    #[test]
    fn staggered_is_periodic_across_bins() {
        let times = one(4, Spacing::Staggered);
        assert!(times.windows(2).all(|pair| pair[1] - pair[0] == 15_000_000), "{times:?}");
        assert!(times[0] > 60_000_000, "{times:?}");
    }

    #[test]
    fn uniform_gaps_vary_as_those_of_a_poisson_process() {
        let times = one(20_000, Spacing::Uniform);
        let gaps: Vec<f64> = times.windows(2).map(|pair| (pair[1] - pair[0]) as f64).collect();
        let mean = gaps.iter().sum::<f64>() / gaps.len() as f64;
        let variance = gaps.iter().map(|gap| (gap - mean).powi(2)).sum::<f64>() / gaps.len() as f64;
        assert!((variance.sqrt() / mean - 1.0).abs() < 0.03, "{}", variance.sqrt() / mean);
    }

    #[test]
    fn run_times_follow_their_quantiles() {
        let quantiles = [10, 20, 100, 200, 400, 1_000, 5_000].map(Span::from_ms);
        let mut runs: Vec<Span> = (0..100_000).map(|us| drawn(&quantiles, 1, 2, Time(us))).collect();
        runs.sort();
        assert!(runs[0] >= quantiles[0] && runs[99_999] <= quantiles[6]);
        for (percent, quantile) in Function::QUANTILES.into_iter().zip(quantiles).skip(1).take(5) {
            let below = runs.partition_point(|run| *run < quantile) as f64 / 1_000.0;
            assert!((below - f64::from(percent)).abs() < 0.5, "{percent} %: {below}");
        }
    }

    proptest! {
        /// Every way conserves the count of every function and bin, sorts, and gives a function the same
        /// arrivals whatever else is invoked.
        #[test]
        fn counts_are_conserved(
            cells in prop::collection::vec((0_u32..5, 0_u32..4, 1_u32..900), 1..30),
            second in any::<bool>(),
        ) {
            let width = if second { Span::from_secs(1) } else { Span::from_mins(1) };
            let (mut builder, mut alone) = (Builder::new(width), Builder::new(width));
            for &(bin, row, count) in &cells {
                builder.add(bin, row, count);
                alone.add(bin, row, if row == 1 { count } else { 0 });
            }
            let (counts, alone, rows) = (builder.finish(), alone.finish(), rows(4));
            for spacing in SPACINGS {
                let arrivals = expanded(&counts, &rows, spacing);
                prop_assert!(arrivals.is_sorted());
                prop_assert_eq!(arrivals.len() as u64, counts.total());
                for bin in 0..counts.bins() {
                    for cell in counts.cells(bin) {
                        let of_cell = |&&(time, row): &&(u64, u32)| row == cell.row && time / width.0 == bin as u64;
                        prop_assert_eq!(arrivals.iter().filter(of_cell).count() as u32, cell.count);
                    }
                }
                let of_one: Vec<_> = arrivals.iter().copied().filter(|(_, row)| *row == 1).collect();
                prop_assert_eq!(of_one, expanded(&alone, &rows, spacing));
            }
        }
    }
}
