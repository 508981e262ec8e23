//! Quantiles of many spans in little memory. Owns a histogram with buckets of equal relative width;
//! must never depend on the order in which spans are added.

use crate::time::Span;

/// Buckets per doubling: a quantile is at most 1/128 (0.8 %) too high.
const STEPS: u64 = 128;
const STEP_BITS: u32 = STEPS.ilog2();

/// A histogram of spans. Spans below 128 µs are exact.
#[derive(Clone, Debug, Default)]
pub struct Quantiles {
    counts: Vec<u64>,
    total: u64,
    zeros: u64,
    max: Span,
    sum_us: u128,
}

impl Quantiles {
    /// Adds one span.
    #[inline(always)]
    pub fn add(&mut self, span: Span) {
        self.total += 1;
        if span == Span::ZERO {
            self.zeros += 1;
            return;
        }
        self.sum_us += u128::from(span.0);
        self.max = self.max.max(span);
        let bucket = bucket(span.0);
        match self.counts.get_mut(bucket) {
            Some(count) => *count += 1,
            None => self.add_bucket(bucket),
        }
    }

    /// The first span in a bucket beyond all so far.
    #[cold]
    #[inline(never)]
    fn add_bucket(&mut self, bucket: usize) {
        self.counts.resize(bucket + 1, 0);
        self.counts[bucket] = 1;
    }

    /// Adds all spans of another histogram.
    pub fn merge(&mut self, other: &Quantiles) {
        self.total += other.total;
        self.zeros += other.zeros;
        self.sum_us += other.sum_us;
        self.max = self.max.max(other.max);
        if other.counts.len() > self.counts.len() {
            self.counts.resize(other.counts.len(), 0);
        }
        for (count, more) in self.counts.iter_mut().zip(&other.counts) {
            *count += more;
        }
    }

    /// The buckets that hold any span, ascending: where each ends (never above the maximum) and how many
    /// spans are in it.
    pub fn buckets(&self) -> impl Iterator<Item = (Span, u64)> {
        let zeros = (self.zeros > 0).then_some((Span::ZERO, self.zeros));
        let rest = self.counts.iter().enumerate().filter(|(_, count)| **count > 0);
        zeros.into_iter().chain(rest.map(|(ix, count)| (Span(upper_end(ix)).min(self.max), *count)))
    }

    /// How many there are.
    pub fn count(&self) -> u64 {
        self.total
    }

    /// The mean, exact; zero if there is none.
    pub fn mean(&self) -> Span {
        Span((self.sum_us / u128::from(self.total.max(1))) as u64)
    }

    /// The largest, exact.
    pub fn max(&self) -> Span {
        self.max
    }

    /// The least span that at least the fraction `at` of all spans do not exceed, rounded up to the end
    /// of its bucket (and never above the maximum); zero if there is none.
    pub fn at(&self, at: f64) -> Span {
        let wanted = ((self.total as f64 * at).ceil() as u64).clamp(1, self.total.max(1));
        let mut below = self.zeros;
        if below >= wanted {
            return Span::ZERO;
        }
        for (ix, count) in self.counts.iter().enumerate() {
            below += count;
            if below >= wanted {
                return Span(upper_end(ix)).min(self.max);
            }
        }
        self.max
    }
}

#[inline]
fn bucket(us: u64) -> usize {
    if us < STEPS {
        return us as usize;
    }
    let exponent = us.ilog2() - STEP_BITS;
    (u64::from(exponent) * STEPS + (us >> exponent)) as usize
}

/// The largest value in a bucket.
fn upper_end(bucket: usize) -> u64 {
    let bucket = bucket as u64;
    if bucket < 2 * STEPS {
        return bucket;
    }
    let exponent = bucket / STEPS - 1;
    ((bucket - exponent * STEPS + 1) << exponent) - 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buckets_cover_everything_without_gaps() {
        let mut last = 0;
        for us in (0..5_000).chain([1 << 20, (1 << 20) + 1, u64::from(u32::MAX), 1 << 40]) {
            let bucket = bucket(us);
            assert!(bucket >= last, "{us}");
            last = bucket;
            assert!(upper_end(bucket) >= us, "{us} in {bucket} up to {}", upper_end(bucket));
            assert!(upper_end(bucket) as f64 <= us as f64 * (1.0 + 1.0 / 128.0) + 1.0, "{us}");
        }
    }

    #[test]
    fn quantiles_are_close_from_above() {
        let mut quantiles = Quantiles::default();
        for ms in 1..=1_000 {
            quantiles.add(Span::from_ms(ms));
        }
        for (at, ms) in [(0.5, 500.0), (0.95, 950.0), (0.99, 990.0), (1.0, 1000.0)] {
            let got = quantiles.at(at).as_ms_f64();
            assert!((ms..=ms * 1.008).contains(&got), "{at}: {got}");
        }
        assert_eq!(quantiles.mean(), Span(500_500));
        assert_eq!(Quantiles::default().at(0.5), Span::ZERO);
    }

    #[test]
    fn zeros_count() {
        let mut quantiles = Quantiles::default();
        for _ in 0..9 {
            quantiles.add(Span::ZERO);
        }
        quantiles.add(Span(7));
        assert_eq!(quantiles.at(0.9), Span::ZERO);
        assert_eq!(quantiles.at(0.91), Span(7));
    }

    #[test]
    fn merged_is_as_if_added_together() {
        let (mut low, mut high, mut all) = (Quantiles::default(), Quantiles::default(), Quantiles::default());
        for ms in 0..1_000 {
            if ms % 3 == 0 { &mut high } else { &mut low }.add(Span::from_ms(ms * ms));
            all.add(Span::from_ms(ms * ms));
        }
        low.merge(&high);
        assert_eq!((low.count(), low.mean(), low.max()), (all.count(), all.mean(), all.max()));
        assert!(low.buckets().eq(all.buckets()));
        assert_eq!(all.buckets().map(|(_, count)| count).sum::<u64>(), 1_000);
        assert_eq!(all.buckets().next(), Some((Span::ZERO, 1)));
        assert_eq!(all.buckets().last().map(|(end, _)| end), Some(all.max()));
    }
}
