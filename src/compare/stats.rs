//! The statistics of a comparison: intervals of shares, agreement, distances of distributions. Owns the formulas and
//! where they come from; must never know what is being compared.
//!
//! Everything is deterministic: the bootstrap draws from generators by key, and `exp` is `libm`'s, not the machine's.

use rand::RngExt as _;
use serde::Serialize;

use crate::random::keyed;

/// z of a two-sided interval of 95 %.
const Z: f64 = 1.959_963_984_540_054;
/// How often the bootstrap draws.
pub const RESAMPLES: usize = 2_000;
/// The seed of the bootstrap: figures must not depend on anything but what is compared.
const SEED: u64 = 0x00C0_FFEE;
const PURPOSE: u64 = 71;

/// A value with the ends of its interval of 95 %.
#[derive(Clone, Copy, PartialEq, Debug, Default, Serialize)]
pub struct Interval {
    /// The value.
    pub value: f64,
    /// Lower end.
    pub low: f64,
    /// Upper end.
    pub high: f64,
}

/// `part` of `whole` as a share from 0 to 1 with its interval by Wilson's score method, without continuity correction
/// (E. B. Wilson, *JASA* 22, 1927; method 3 of R. G. Newcombe, *Statistics in Medicine* 17, 1998, 857–872). `None` of
/// nothing.
pub fn wilson(part: u64, whole: u64) -> Option<Interval> {
    if whole == 0 {
        return None;
    }
    let (n, p) = (whole as f64, part as f64 / whole as f64);
    let denominator = 1.0 + Z * Z / n;
    let centre = (p + Z * Z / (2.0 * n)) / denominator;
    let half = Z * (p * (1.0 - p) / n + Z * Z / (4.0 * n * n)).sqrt() / denominator;
    // At the ends rounding could leave a trace of what is exactly zero or one.
    let low = if part == 0 { 0.0 } else { (centre - half).max(0.0) };
    let high = if part == whole { 1.0 } else { (centre + half).min(1.0) };
    Some(Interval { value: p, low, high })
}

/// The interval of the difference of two independent estimates, from their own intervals: with Wilson's it is method 10
/// of R. G. Newcombe, *Statistics in Medicine* 17, 1998, 873–890; with others its generalisation (G. Y. Zou and
/// A. Donner, *Statistics in Medicine* 27, 2008, 1693–1702).
pub fn difference(a: Interval, b: Interval) -> Interval {
    let root = |x: f64, y: f64| (x * x + y * y).sqrt();
    let value = a.value - b.value;
    Interval {
        value,
        low: value - root(a.value - a.low, b.high - b.value),
        high: value + root(a.high - a.value, b.value - b.low),
    }
}

/// The pooled share of several runs, each (part, whole), with its percentile bootstrap interval: whole runs are drawn with
/// replacement, [`RESAMPLES`] times (B. Efron and R. Tibshirani, *An Introduction to the Bootstrap*, 1993, §13.3). With few runs
/// it is narrow: two runs know only their own values. `None` of nothing.
pub fn bootstrap(runs: &[(u64, u64)]) -> Option<Interval> {
    let share = |parts: u64, wholes: u64| (wholes > 0).then(|| parts as f64 / wholes as f64);
    let sum = |of: fn(&(u64, u64)) -> u64| runs.iter().map(of).sum::<u64>();
    let value = share(sum(|run| run.0), sum(|run| run.1))?;
    let mut shares = Vec::with_capacity(RESAMPLES);
    for number in 0..RESAMPLES as u64 {
        let mut random = keyed(SEED, PURPOSE, number);
        let (mut parts, mut wholes) = (0, 0);
        for _ in runs {
            let (part, whole) = runs[random.random_range(0..runs.len())];
            parts += part;
            wholes += whole;
        }
        shares.extend(share(parts, wholes));
    }
    shares.sort_unstable_by(f64::total_cmp);
    let at = |fraction| quantile(&shares, fraction).unwrap_or(value);
    // The value itself may lie outside the percentiles of a lopsided handful of runs.
    Some(Interval { value, low: at(0.025).min(value), high: at(0.975).max(value) })
}

/// The least of the values, which are sorted, that at least the fraction `at` of them do not exceed (definition 1 of
/// R. Hyndman and Y. Fan, *The American Statistician* 50, 1996); `None` of nothing.
pub fn quantile<T: Copy>(sorted: &[T], at: f64) -> Option<T> {
    let rank = (at * sorted.len() as f64).ceil() as usize;
    sorted.get(rank.max(1) - 1).or(sorted.last()).copied()
}

/// Agreement of two raters beyond what their own shares alone would give: Cohen's kappa (J. Cohen, *Educational and
/// Psychological Measurement* 20, 1960). Rows are one rater's classes, columns the other's. `None` where it is not defined:
/// there is nothing, or both put everything into one and the same class, so that nothing but agreement was possible.
pub fn kappa<const N: usize>(matrix: &[[u64; N]; N]) -> Option<f64> {
    let total: u64 = matrix.iter().flatten().sum();
    if total == 0 {
        return None;
    }
    let n = total as f64;
    let observed = agreed(matrix) as f64 / n;
    let expected: f64 = (0..N)
        .map(|class| {
            let row: u64 = matrix[class].iter().sum();
            let column: u64 = matrix.iter().map(|row| row[class]).sum();
            row as f64 / n * (column as f64 / n)
        })
        .sum();
    let one_class = (0..N).any(|class| matrix[class][class] == total);
    if one_class { None } else { Some((observed - expected) / (1.0 - expected)) }
}

/// What lies on the diagonal.
pub fn agreed<const N: usize>(matrix: &[[u64; N]; N]) -> u64 {
    (0..N).map(|class| matrix[class][class]).sum()
}

/// How far two distributions lie apart.
#[derive(Clone, Copy, PartialEq, Debug, Serialize)]
pub struct KolmogorovSmirnov {
    /// The greatest distance of the two empirical distribution functions, 0 to 1.
    pub distance: f64,
    /// Probability of a distance at least so great if both samples came from one distribution: the limit for large
    /// samples (N. Smirnov, *Annals of Mathematical Statistics* 19, 1948). For ties, as measured times have, it is too
    /// large; for samples below some 40 it is rough; invocations that depend on each other make it too small.
    pub p_asymptotic: f64,
}

/// The two-sample Kolmogorov–Smirnov distance of sorted values; `None` if either side has none.
pub fn kolmogorov_smirnov(a: &[u64], b: &[u64]) -> Option<KolmogorovSmirnov> {
    if a.is_empty() || b.is_empty() {
        return None;
    }
    let (n, m) = (a.len() as f64, b.len() as f64);
    let (mut i, mut j) = (0, 0);
    let mut distance = 0.0_f64;
    while let (Some(x), Some(y)) = (a.get(i), b.get(j)) {
        // Both functions step at the same value before they are compared.
        let at = *x.min(y);
        i += a[i..].iter().take_while(|value| **value == at).count();
        j += b[j..].iter().take_while(|value| **value == at).count();
        distance = distance.max((i as f64 / n - j as f64 / m).abs());
    }
    Some(KolmogorovSmirnov { distance, p_asymptotic: smirnov(distance * (n * m / (n + m)).sqrt()) })
}

/// The probability that Kolmogorov's limiting distribution exceeds `lambda`.
fn smirnov(lambda: f64) -> f64 {
    use std::f64::consts::PI;
    // Two forms of one theta function: each converges within a few terms where it is used.
    let sum = |term: &dyn Fn(f64) -> f64| (1..=20).map(|k| term(f64::from(k))).sum::<f64>();
    if lambda < 0.2 {
        return 1.0;
    }
    let p = if lambda < 1.18 {
        let term = |k: f64| libm::exp(-(2.0 * k - 1.0).powi(2) * PI * PI / (8.0 * lambda * lambda));
        1.0 - (2.0 * PI).sqrt() / lambda * sum(&term)
    } else {
        let sign = |k: f64| if k % 2.0 == 1.0 { 2.0 } else { -2.0 };
        sum(&|k| sign(k) * libm::exp(-2.0 * k * k * lambda * lambda))
    };
    p.clamp(0.0, 1.0)
}

#[cfg(test)]
#[path = "stats/tests.rs"]
mod tests;
