//! A distribution for some durations: log-normal where it fits, else their own quantiles. Owns the criterion; must never
//! draw a number.
//!
//! Latencies are often near log-normal, which two numbers describe; where they are not, the quantiles themselves are the honest
//! model. The criterion is the distance of Kolmogorov and Smirnov between the samples and the log-normal distribution with
//! their own mean and deviation of logarithms, against Lilliefors' 5 % limit (H. W. Lilliefors, "On the Kolmogorov-Smirnov Test for
//! Normality with Mean and Variance Unknown", JASA 62, 1967; 0.886 / √n for more than 30 samples).

use crate::duration::{DurationValue, Shape};
use crate::time::Span;

/// With fewer samples nothing is said of their distribution.
const ENOUGH: usize = 20;

/// At most so many quantiles are written.
const QUANTILES: usize = 41;

/// Some durations, and the distribution that stands for them.
#[derive(Clone, PartialEq, Debug)]
pub struct Fit {
    /// How many there were.
    pub samples: usize,
    /// Their mean in µs.
    pub mean_us: f64,
    /// Their median in µs.
    pub p50_us: f64,
    /// In µs.
    pub p95_us: f64,
    /// The longest in µs.
    pub max_us: f64,
    /// The log-normal distribution that is nearest to them; `None` with too few samples, or with a duration of zero.
    pub log_normal: Option<LogNormalFit>,
    /// What stands for them.
    pub value: DurationValue,
}

/// A log-normal distribution and how well it fits.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct LogNormalFit {
    /// Median in µs.
    pub median_us: f64,
    /// Standard deviation of the natural logarithm.
    pub sigma: f64,
    /// Greatest distance between the two distribution functions.
    pub distance: f64,
    /// Up to this distance it fits.
    pub limit: f64,
}

impl LogNormalFit {
    /// Whether it fits.
    pub fn fits(&self) -> bool {
        self.distance <= self.limit
    }
}

/// The distribution of some durations in µs; `None` if there are none.
pub fn fit(durations_us: &[f64]) -> Option<Fit> {
    let mut sorted: Vec<f64> = durations_us.iter().map(|us| us.max(0.0)).collect();
    sorted.sort_unstable_by(f64::total_cmp);
    let (least, most) = (*sorted.first()?, *sorted.last()?);
    let log_normal = log_normal(&sorted);
    let value = match log_normal.filter(LogNormalFit::fits) {
        Some(LogNormalFit { median_us, sigma, .. }) => DurationValue {
            shape: Shape::LogNormal { median: span(median_us), sigma: rounded(sigma) },
            // Nothing is known of what is beyond the samples.
            min: Some(span(least)),
            max: Some(span(most)),
        },
        None => empirical(&sorted),
    };
    Some(Fit {
        samples: sorted.len(),
        mean_us: sorted.iter().sum::<f64>() / sorted.len() as f64,
        p50_us: quantile(&sorted, 0.5),
        p95_us: quantile(&sorted, 0.95),
        max_us: most,
        log_normal,
        value,
    })
}

/// Equally spaced quantiles of sorted durations.
fn empirical(sorted: &[f64]) -> DurationValue {
    let many = sorted.len().min(QUANTILES);
    if many == 1 {
        return DurationValue::constant(span(sorted[0]));
    }
    let at = |nth: usize| span(quantile(sorted, nth as f64 / (many - 1) as f64));
    let quantiles: Vec<Span> = (0..many).map(at).collect();
    if quantiles.first() == quantiles.last() {
        return DurationValue::constant(quantiles[0]);
    }
    DurationValue { shape: Shape::Empirical(quantiles), min: None, max: None }
}

/// The quantile of sorted numbers, linear between neighbours (type 7 of Hyndman and Fan, 1996); at least one.
pub fn quantile(sorted: &[f64], at: f64) -> f64 {
    let place = at * (sorted.len() - 1) as f64;
    let below = (place.floor() as usize).min(sorted.len() - 1);
    let above = (below + 1).min(sorted.len() - 1);
    sorted[below] + (place - below as f64) * (sorted[above] - sorted[below])
}

fn log_normal(sorted: &[f64]) -> Option<LogNormalFit> {
    let many = sorted.len();
    if many < ENOUGH || sorted[0] < 1.0 {
        return None;
    }
    let logs: Vec<f64> = sorted.iter().map(|us| libm::log(*us)).collect();
    let mean = logs.iter().sum::<f64>() / many as f64;
    let variance = logs.iter().map(|log| (log - mean) * (log - mean)).sum::<f64>() / (many - 1) as f64;
    let sigma = variance.sqrt();
    if sigma <= 0.0 {
        return None;
    }
    let mut distance = 0.0_f64;
    for (nth, log) in logs.iter().enumerate() {
        let expected = normal((log - mean) / sigma);
        let (below, above) = (nth as f64 / many as f64, (nth + 1) as f64 / many as f64);
        distance = distance.max((expected - below).abs()).max((above - expected).abs());
    }
    let limit = 0.886 / (many as f64).sqrt();
    Some(LogNormalFit { median_us: libm::exp(mean), sigma, distance, limit })
}

/// Distribution function of the standard normal distribution.
fn normal(z: f64) -> f64 {
    0.5 * libm::erfc(-z / std::f64::consts::SQRT_2)
}

fn span(us: f64) -> Span {
    Span(us.max(0.0).round() as u64)
}

/// Four digits say enough of a fitted number.
fn rounded(number: f64) -> f64 {
    (number * 1e4).round() / 1e4
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng as _;
    use rand_distr::{LogNormal, Uniform};
    use rand_pcg::Pcg64Mcg;

    use super::*;

    fn drawn(many: usize, distribution: impl rand_distr::Distribution<f64>) -> Vec<f64> {
        let mut generator = Pcg64Mcg::seed_from_u64(7);
        (0..many).map(|_| distribution.sample(&mut generator)).collect()
    }

    #[test]
    fn what_is_log_normal_is_recognised() {
        let drawn = drawn(400, LogNormal::new(350_000_f64.ln(), 0.2).expect("parameters"));
        let fit = fit(&drawn).expect("samples");
        let Shape::LogNormal { median, sigma } = fit.value.shape else { panic!("{fit:?}") };
        assert!((median.0 as f64 / 350_000.0 - 1.0).abs() < 0.03, "{median}");
        assert!((sigma - 0.2).abs() < 0.02, "{sigma}");
        assert!(fit.value.max.is_some_and(|max| max.0 as f64 >= fit.p95_us));
    }

    #[test]
    fn what_is_not_keeps_its_own_quantiles() {
        let mut two: Vec<f64> = drawn(200, Uniform::new(1_000.0, 1_100.0).expect("a range"));
        two.extend(drawn(200, Uniform::new(9_000.0, 9_100.0).expect("a range")));
        let fit = fit(&two).expect("samples");
        assert!(fit.log_normal.is_some_and(|log_normal| !log_normal.fits()));
        let Shape::Empirical(quantiles) = fit.value.shape else { panic!("{fit:?}") };
        assert_eq!(quantiles.len(), QUANTILES);
        assert!(quantiles.is_sorted());
        assert_eq!(quantiles[QUANTILES - 1].0, fit.max_us.round() as u64);
    }

    #[test]
    fn few_samples_are_taken_as_they_are() {
        assert_eq!(fit(&[]), None);
        assert_eq!(fit(&[5.4]).expect("one").value, DurationValue::constant(Span(5)));
        assert_eq!(fit(&[7.0; 30]).expect("thirty").value, DurationValue::constant(Span(7)));
        let three = fit(&[30.0, 10.0, 20.0]).expect("three");
        assert_eq!(three.value.shape, Shape::Empirical(vec![Span(10), Span(20), Span(30)]));
        assert_eq!((three.p50_us, three.p95_us, three.samples), (20.0, 29.0, 3));
        assert_eq!(three.log_normal, None);
    }

    /// The distance of five numbers, by hand: their logarithms are -2 … 2, mean 0, deviation √2.5.
    #[test]
    fn the_distribution_function_is_the_normal_one() {
        for (z, expected) in [(0.0, 0.5), (1.0, 0.841_344_746), (-1.959_964, 0.025)] {
            assert!((normal(z) - expected).abs() < 1e-6, "{z}");
        }
    }
}
