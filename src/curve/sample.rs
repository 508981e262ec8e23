//! Samples of functions by a hash of their names. Owns who is chosen and how a sample's figures become those
//! of the whole; must never depend on the order of functions, the machine or a generator's state.
//!
//! Spatially hashed sampling (SHARDS: Waldspurger et al., FAST'15): a function is in the sample of rate R if
//! its hash falls below R, with all of its invocations. Between two uses of a sampled function lie R times as
//! many sampled bytes as bytes, on average; so distances are divided by R, or memory is multiplied by it in a
//! miniature simulation (Waldspurger et al., ATC'17).

use super::reuse::{Distances, Hits};
use crate::random::{splitmix, text_key};
use crate::trace::Function;

/// Samples of fewer functions say nothing.
const FEW_FUNCTIONS: f64 = 20.0;
/// The rate of samples if none is given.
const USUAL_RATE: f64 = 0.1;

/// Whether samples are taken.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Sampling {
    /// None.
    Off,
    /// Of a tenth of the functions, where these are enough to say something.
    Usual,
    /// At this rate, however few functions that is.
    Given(f64),
}

impl Sampling {
    /// The rate of samples of so many functions that are invoked; nothing if none are taken.
    pub fn rate(self, invoked: u64) -> Option<f64> {
        match self {
            Sampling::Off => None,
            Sampling::Usual => (invoked as f64 * USUAL_RATE >= FEW_FUNCTIONS).then_some(USUAL_RATE),
            Sampling::Given(rate) => Some(rate),
        }
    }
}

/// A sample of functions.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Sample {
    /// Which part of the functions is chosen, above 0 and at most 1.
    pub rate: f64,
    /// Samples of different salts are independent.
    pub salt: u64,
}

impl Sample {
    /// Whether the function of this name is chosen. Whoever is in a sample is in every greater one of that
    /// salt.
    pub fn takes(self, name: &str) -> bool {
        let hash = splitmix(text_key(name) ^ splitmix(self.salt));
        ((hash >> 11) as f64) < self.rate * (1_u64 << 53) as f64
    }

    /// Which of the functions are chosen.
    pub fn of(self, functions: &[Function]) -> Vec<bool> {
        functions.iter().map(|function| self.takes(&function.name)).collect()
    }

    /// The hit ratio in % of the whole from the hits of a sample. `sampled` and `all`: how many invocations
    /// there are. Whether a few busy functions are chosen or not changes how many are sampled, and these are
    /// nearly all hits; so those sampled too many or too few are taken for hits (SHARDS-adj, FAST'15, §3.5).
    pub fn ratio_pct(self, hits: u64, sampled: u64, all: u64) -> f64 {
        let expected = all as f64 * self.rate;
        let adjusted = hits as f64 + expected - sampled as f64;
        (100.0 * adjusted / expected).clamp(0.0, 100.0)
    }
}

/// The reuse distances of a sample, as the textbook's curve needs them.
#[derive(Debug)]
pub struct SampledDistances {
    sample: Sample,
    chosen: Vec<bool>,
    distances: Distances,
    hits: Hits,
}

impl SampledDistances {
    /// Of a sample of these functions.
    pub fn new(sample: Sample, functions: &[Function]) -> SampledDistances {
        let chosen = sample.of(functions);
        SampledDistances { sample, chosen, distances: Distances::new(), hits: Hits::default() }
    }

    /// A function of so many MiB is invoked.
    pub fn access(&mut self, function: u32, mib: u64) {
        if !self.chosen[function as usize] {
            return;
        }
        match self.distances.access(function as usize, mib) {
            Some(distance) => self.hits.hit((distance as f64 / self.sample.rate).round() as u64 + mib),
            None => self.hits.miss(),
        }
    }

    /// Whether anything was sampled.
    pub fn is_empty(&self) -> bool {
        self.hits.accesses() == 0
    }

    /// The estimated hit ratio in % with each of these amounts of memory in MiB, of `all` invocations.
    pub fn ratios_pct(&self, memories: &[u64], all: u64) -> Vec<f64> {
        let ratio = |hits| self.sample.ratio_pct(hits, self.hits.accesses(), all);
        self.hits.at(memories).into_iter().map(ratio).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::memory::Memory;
    use crate::time::Span;

    fn functions(count: usize) -> Vec<Function> {
        let named = |ix| Function::new(format!("f{ix:05}"), Memory(128), Span::ZERO, Span::ZERO);
        (0..count).map(named).collect()
    }

    #[test]
    fn the_choice_is_pinned_and_nested() {
        let chosen = |rate, salt| -> Vec<usize> {
            let sample = Sample { rate, salt }.of(&functions(2_000));
            (0..2_000).filter(|ix| sample[*ix]).collect()
        };
        let (small, large) = (chosen(0.1, 0), chosen(0.3, 0));
        assert!(small.iter().all(|ix| large.contains(ix)), "a greater sample has the smaller one in it");
        assert!((150..=250).contains(&small.len()) && (500..=700).contains(&large.len()));
        assert_ne!(small, chosen(0.1, 1), "another salt, another sample");
        assert_eq!(chosen(1.0, 7).len(), 2_000);
        assert_eq!(small[..5], PINNED, "a sample must be the same on every machine and in every version");
    }

    const PINNED: [usize; 5] = [29, 38, 39, 40, 44];

    /// Skewed accesses of many functions, as (function, MiB).
    fn accesses() -> Vec<(u32, u64)> {
        let draw = |nth: u64| {
            let unit = (splitmix(nth) >> 11) as f64 / (1_u64 << 53) as f64;
            let function = (4_000.0 * unit * unit * unit) as u32;
            (function, 64 + u64::from(function % 7) * 64)
        };
        (0..60_000).map(draw).collect()
    }

    #[test]
    fn the_error_shrinks_with_the_rate() {
        let (functions, accesses) = (functions(4_000), accesses());
        let memories: Vec<u64> = (1..40).map(|nth| nth * 25_000).collect();
        let curve = |rate, salt| {
            let mut sampled = SampledDistances::new(Sample { rate, salt }, &functions);
            accesses.iter().for_each(|(function, mib)| sampled.access(*function, *mib));
            sampled.ratios_pct(&memories, accesses.len() as u64)
        };
        let exact = curve(1.0, 0);
        let error = |rate| {
            let errors = (0..8).map(|salt| {
                let pairs =
                    curve(rate, salt).into_iter().zip(&exact).map(|(a, b)| (a - b).abs()).collect::<Vec<_>>();
                pairs.iter().sum::<f64>() / pairs.len() as f64
            });
            errors.sum::<f64>() / 8.0
        };
        let errors = [0.01, 0.05, 0.25].map(error);
        assert!(errors[0] > 1.5 * errors[1] && errors[1] > 1.5 * errors[2], "{errors:?}");
        assert!(errors[2] < 2.5, "percentage points: {errors:?}");
        assert_eq!(error(1.0), 0.0);
    }

    #[test]
    fn a_sample_of_all_is_the_textbook_curve() {
        let mut sampled = SampledDistances::new(Sample { rate: 1.0, salt: 3 }, &functions(3));
        // a b a b c a: distances of a: 128, 256 (b and c); of b: 128.
        [0, 1, 0, 1, 2, 0].into_iter().for_each(|function| sampled.access(function, 128));
        let ratios = sampled.ratios_pct(&[255, 256, 383, 384], 6);
        assert_eq!(ratios, [0.0, 100.0 * 2.0 / 6.0, 100.0 * 2.0 / 6.0, 50.0]);
    }
}
