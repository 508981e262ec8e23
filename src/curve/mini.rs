//! Miniature simulation: a sample of the functions in a pool that is smaller by as much. Owns how samples are
//! set up and what their spread says; must never look at the whole trace's simulation.
//!
//! Source: Waldspurger et al., ATC'17, for caches: the hit ratio of a sample of rate R in a cache of R times
//! the size is that of the whole, on average. Here a function is sampled with all of its containers, the
//! rules and costs stay. A sample's figure is its own warm ratio: SHARDS' correction, which takes invocations
//! that are missing from a sample for hits, would hide overload, where the busiest functions are not warm
//! either. The figures of several independent samples give mean, least and greatest, and the standard error
//! of the mean; that error is of sampling alone, and does not see what all samples have in common: a pool so
//! small that only a few containers fit.

use rayon::prelude::*;

use super::exact::{UNLIMITED, Worker, point};
use super::sample::Sample;
use super::{Failure, Point};
use crate::memory::Memory;
use crate::policy::EvictionPolicy;
use crate::scenario::Choice;

/// The estimate of a curve.
#[derive(Clone, Debug)]
pub struct Miniature {
    /// Means, with the least and the greatest of any sample as the band.
    pub points: Vec<Point>,
    /// Standard error of the mean, in percentage points, on average over the points.
    pub standard_error: f64,
}

/// Simulates the samples of this rate with salts from 0 on; nothing if one of them has no invocations.
/// `invoked`: how often each function is.
///
/// # Errors
/// As [`Worker::run`].
pub fn miniature(
    worker: &Worker<'_>,
    eviction: &Choice<EvictionPolicy>,
    memories: &[Memory],
    (rate, repeats): (f64, u64),
    invoked: &[u64],
) -> Result<Option<Miniature>, Failure> {
    let mut samples = Vec::new();
    for salt in 0..repeats {
        let sample = Sample { rate, salt };
        let chosen = sample.of(&worker.trace.functions);
        let sampled: u64 =
            invoked.iter().zip(&chosen).filter(|(_, chosen)| **chosen).map(|(count, _)| count).sum();
        if sampled == 0 {
            return Ok(None);
        }
        let trace = worker.trace.keep(&chosen).map_err(|error| Failure::Unfit(error.to_string()))?;
        let mut setup = worker.setup.clone();
        setup.costs.functions.retain(|name, _| sample.takes(name));
        samples.push((trace, setup));
    }
    let jobs: Vec<(usize, usize)> =
        (0..samples.len()).flat_map(|nth| (0..memories.len()).map(move |at| (nth, at))).collect();
    let ratio = |(nth, at): (usize, usize)| {
        let (trace, setup) = &samples[nth];
        let worker = Worker { trace, setup, ..*worker };
        let mib = (memories[at].mib() as f64 * rate).round().max(1.0) as u64;
        let memory = Memory(mib).min(UNLIMITED);
        Ok(point(memory, &worker.run(eviction, memory)?).warm_pct)
    };
    let ratios: Vec<f64> = jobs.into_par_iter().map(ratio).collect::<Result<_, Failure>>()?;
    Ok(Some(spread(memories, &ratios)))
}

/// Means and spreads at each amount of memory of samples one after the other.
pub(super) fn spread(memories: &[Memory], ratios: &[f64]) -> Miniature {
    let samples = (ratios.len() / memories.len().max(1)).max(1);
    let mut errors = 0.0;
    let mut summed_up = |(at, memory): (usize, &Memory)| {
        let of = || (0..samples).map(|nth| ratios[nth * memories.len() + at]);
        let mean = of().sum::<f64>() / samples as f64;
        let variance = of().map(|ratio| (ratio - mean).powi(2)).sum::<f64>() / (samples - 1).max(1) as f64;
        errors += (variance / samples as f64).sqrt();
        let band = of()
            .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), ratio| (low.min(ratio), high.max(ratio)));
        Point { memory: *memory, warm_pct: mean, band: Some(band), cold: None, dropped: None }
    };
    let points = memories.iter().enumerate().map(&mut summed_up).collect();
    Miniature { points, standard_error: errors / memories.len().max(1) as f64 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_spread_is_of_the_samples() {
        let found = spread(&[Memory(100), Memory(200)], &[10.0, 50.0, 20.0, 50.0, 30.0, 50.0]);
        assert_eq!((found.points[0].warm_pct, found.points[0].band), (20.0, Some((10.0, 30.0))));
        assert_eq!((found.points[1].warm_pct, found.points[1].band), (50.0, Some((50.0, 50.0))));
        // Standard deviations 10 and 0 of three samples.
        assert!((found.standard_error - 10.0 / 3_f64.sqrt() / 2.0).abs() < 1e-12);
    }
}
