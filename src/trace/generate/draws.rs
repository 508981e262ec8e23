//! Random numbers of synthetic traces: a generator per purpose and number, and the distributions that are drawn
//! from. The same on every machine: transcendental functions come from the `libm` crate, never from the platform.

use rand::RngExt as _;
use rand_pcg::Pcg64Mcg;

use crate::random::keyed;

/// A generator of its own for the `number`-th thing that is drawn for a purpose.
pub(super) struct Draws {
    generator: Pcg64Mcg,
}

impl Draws {
    pub fn new(seed: u64, purpose: u64, number: u64) -> Draws {
        Draws { generator: keyed(seed, purpose, number) }
    }

    fn bits(&mut self) -> u64 {
        self.generator.random()
    }

    /// From 0 to below 1.
    pub fn unit(&mut self) -> f64 {
        (self.bits() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// Between 0 and 1, neither included.
    fn open_unit(&mut self) -> f64 {
        ((self.bits() >> 12) as f64 + 0.5) / (1_u64 << 52) as f64
    }

    /// A whole number below `end`, which is not zero.
    pub fn below(&mut self, end: u64) -> u64 {
        ((self.unit() * end as f64) as u64).min(end - 1)
    }

    /// Exponential.
    pub fn exponential(&mut self, mean: f64) -> f64 {
        -mean * libm::log(1.0 - self.unit())
    }

    /// Standard normal.
    pub fn normal(&mut self) -> f64 {
        inverse_normal(self.open_unit())
    }

    /// Its natural logarithm is normal with this mean and standard deviation.
    pub fn log_normal(&mut self, mu: f64, sigma: f64) -> f64 {
        libm::exp(mu + sigma * self.normal())
    }

    /// A place, by the running sums of the places' weights; one without weight is never chosen.
    pub fn choose(&mut self, cumulative: &[f64]) -> usize {
        let at = self.unit() * cumulative.last().copied().unwrap_or(0.0);
        cumulative.partition_point(|sum| *sum <= at).min(cumulative.len().saturating_sub(1))
    }

    /// Any order (Fisher and Yates).
    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        for last in (1..items.len()).rev() {
            items.swap(last, self.below(last as u64 + 1) as usize);
        }
    }

    /// Poisson.
    pub fn poisson(&mut self, mean: f64) -> u64 {
        match mean {
            mean if mean <= 0.0 => 0,
            mean if mean < 10.0 => self.poisson_small(mean),
            mean => self.poisson_large(mean),
        }
    }

    /// By multiplying uniform numbers (Knuth).
    fn poisson_small(&mut self, mean: f64) -> u64 {
        let limit = libm::exp(-mean);
        let (mut product, mut count) = (self.unit(), 0);
        while product > limit {
            count += 1;
            product *= self.unit();
        }
        count
    }

    /// By transformed rejection (PTRS, Hörmann 1993).
    fn poisson_large(&mut self, mean: f64) -> u64 {
        let b = 0.931 + 2.53 * libm::sqrt(mean);
        let a = -0.059 + 0.02483 * b;
        let inverse_alpha = 1.1239 + 1.1328 / (b - 3.4);
        let v_r = 0.9277 - 3.6224 / (b - 2.0);
        let ln_mean = libm::log(mean);
        loop {
            let u = self.unit() - 0.5;
            let v = self.open_unit();
            let us = 0.5 - u.abs();
            if us <= 0.0 {
                continue;
            }
            let k = ((2.0 * a / us + b) * u + mean + 0.43).floor();
            if us >= 0.07 && v <= v_r {
                return k as u64;
            }
            if k < 0.0 || (us < 0.013 && v > us) {
                continue;
            }
            let accepted = libm::log(v * inverse_alpha / (a / (us * us) + b));
            if accepted <= k * ln_mean - mean - libm::lgamma(k + 1.0) {
                return k as u64;
            }
        }
    }
}

/// Quantile of the standard normal distribution (Wichura 1988, AS 241).
pub(super) fn inverse_normal(p: f64) -> f64 {
    #[rustfmt::skip]
    const A: [f64; 8] = [3.3871328727963665, 133.14166789178438, 1971.5909503065513, 13731.69376550946, 45921.95393154987, 67265.7709270087, 33430.57558358813, 2509.0809287301227];
    #[rustfmt::skip]
    const B: [f64; 8] = [1.0, 42.31333070160091, 687.1870074920579, 5394.196021424751, 21213.794301586597, 39307.89580009271, 28729.085735721943, 5226.495278852854];
    #[rustfmt::skip]
    const C: [f64; 8] = [1.4234371107496835, 4.630337846156546, 5.769497221460691, 3.6478483247632045, 1.2704582524523684, 0.2417807251774506, 0.022723844989269184, 0.0007745450142783414];
    #[rustfmt::skip]
    const D: [f64; 8] = [1.0, 2.053191626637759, 1.6763848301838038, 0.6897673349851, 0.14810397642748008, 0.015198666563616457, 0.0005475938084995345, 1.0507500716444169e-9];
    #[rustfmt::skip]
    const E: [f64; 8] = [6.657904643501103, 5.463784911164114, 1.7848265399172913, 0.29656057182850487, 0.026532189526576124, 0.0012426609473880784, 2.7115555687434876e-5, 2.0103343992922881e-7];
    #[rustfmt::skip]
    const F: [f64; 8] = [1.0, 0.599832206555888, 0.1369298809227358, 0.014875361290850615, 0.0007868691311456133, 1.8463183175100548e-5, 1.421511758316446e-7, 2.0442631033899397e-15];
    let polynomial =
        |coefficients: &[f64; 8], x: f64| coefficients.iter().rev().fold(0.0, |sum, c| sum * x + c);
    let q = p - 0.5;
    if q.abs() <= 0.425 {
        let r = 0.180625 - q * q;
        return q * polynomial(&A, r) / polynomial(&B, r);
    }
    let r = libm::sqrt(-libm::log(if q < 0.0 { p } else { 1.0 - p }));
    let x = if r <= 5.0 {
        polynomial(&C, r - 1.6) / polynomial(&D, r - 1.6)
    } else {
        polynomial(&E, r - 5.0) / polynomial(&F, r - 5.0)
    };
    if q < 0.0 { -x } else { x }
}

/// `total` shared out in proportion to the weights, exactly: by largest remainder, ties to the earlier. All are zero
/// if no weight is above zero.
pub(super) fn apportion(weights: &[u64], total: u64) -> Vec<u64> {
    let whole: u128 = weights.iter().map(|weight| u128::from(*weight)).sum();
    if whole == 0 {
        return vec![0; weights.len()];
    }
    let product = |weight: u64| u128::from(weight) * u128::from(total);
    let mut parts: Vec<u64> = weights.iter().map(|weight| (product(*weight) / whole) as u64).collect();
    let rest = total - parts.iter().sum::<u64>();
    let mut order: Vec<usize> = (0..weights.len()).collect();
    order.sort_by_key(|ix| (std::cmp::Reverse(product(weights[*ix]) % whole), *ix));
    order.into_iter().take(rest as usize).for_each(|ix| parts[ix] += 1);
    parts
}

/// Weights as whole numbers, the largest 2⁴⁰.
pub(super) fn scaled(weights: &[f64]) -> Vec<u64> {
    let most = weights.iter().copied().fold(0.0, f64::max);
    let scale = if most > 0.0 { (1_u64 << 40) as f64 / most } else { 0.0 };
    weights.iter().map(|weight| (weight * scale) as u64).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn moments(count: u64, mut draw: impl FnMut(&mut Draws) -> f64) -> (f64, f64) {
        let mut draws = Draws::new(1, 2, 3);
        let values: Vec<f64> = (0..count).map(|_| draw(&mut draws)).collect();
        let mean = values.iter().sum::<f64>() / count as f64;
        (mean, values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / count as f64)
    }

    #[test]
    fn distributions_have_their_moments() {
        let near =
            |got: f64, expected: f64, by: f64| assert!((got - expected).abs() < by, "{got} {expected}");
        let (mean, variance) = moments(200_000, Draws::normal);
        near(mean, 0.0, 0.01);
        near(variance, 1.0, 0.02);
        let (mean, variance) = moments(200_000, |draws| draws.exponential(3.0));
        near(mean, 3.0, 0.03);
        near(variance, 9.0, 0.3);
        for expected in [0.3, 4.0, 11.0, 90.0, 25_000.0] {
            let (mean, variance) = moments(50_000, |draws| draws.poisson(expected) as f64);
            near(mean / expected, 1.0, 0.02);
            near(variance / expected, 1.0, 0.04);
        }
        assert_eq!(Draws::new(1, 2, 3).poisson(0.0), 0);
    }

    #[test]
    fn quantiles_of_the_normal_distribution_are_known() {
        for (p, x) in
            [(0.5, 0.0), (0.975, 1.959963984540054), (0.025, -1.959963984540054), (1e-9, -5.997807015007686)]
        {
            assert!((inverse_normal(p) - x).abs() < 1e-12, "{p}");
        }
    }

    /// Of these bits everything synthetic is made: were they others on some machine, its traces would be too.
    #[test]
    fn the_bits_are_the_same_everywhere() {
        let mut draws = Draws::new(7, 11, 13);
        let bits = [draws.unit(), draws.normal(), draws.exponential(1.0), draws.log_normal(0.0, 1.0)]
            .map(f64::to_bits);
        let expected =
            [0x3feb_4b09_896d_e757, 0xbfe1_dbfd_c4c3_9128, 0x4000_de3b_32d1_be00, 0x3ffc_817e_7908_179d];
        assert_eq!(bits, expected, "{bits:#x?}");
        assert_eq!([draws.poisson(3.0), draws.poisson(1e6), draws.below(1_000)], [6, 1_000_153, 193]);
    }

    #[test]
    fn what_has_no_weight_is_not_chosen() {
        let mut draws = Draws::new(1, 1, 1);
        for _ in 0..1_000 {
            assert!([1, 3].contains(&draws.choose(&[0.0, 1.0, 1.0, 4.0, 4.0])));
        }
    }

    proptest! {
        #[test]
        fn shares_add_up(weights in prop::collection::vec(0_u64..1_000_000, 1..40), total in 0_u64..1 << 40) {
            let parts = apportion(&weights, total);
            let some = weights.iter().any(|weight| *weight > 0);
            prop_assert_eq!(parts.iter().sum::<u64>(), if some { total } else { 0 });
            for (part, weight) in parts.iter().zip(&weights) {
                prop_assert!(*weight > 0 || *part == 0);
            }
        }
    }
}
