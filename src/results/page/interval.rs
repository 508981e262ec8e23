//! How sure a share is. Owns Wilson's interval; must never be asked about anything but counts.

/// The quantile of the normal distribution that leaves 2.5 % above it.
const Z: f64 = 1.959_963_984_540_054;

/// Wilson's score interval for a share, at 95 %: where the share of a long run would lie if each of `of` trials were an
/// independent draw, from 0 to 1 (Wilson 1927, "Probable inference, the law of succession, and statistical inference"). Nothing
/// without trials.
pub(super) fn wilson(count: u64, of: u64) -> Option<(f64, f64)> {
    if of == 0 || count > of {
        return None;
    }
    let (n, share) = (of as f64, count as f64 / of as f64);
    let scale = 1.0 + Z * Z / n;
    let middle = (share + Z * Z / (2.0 * n)) / scale;
    let half = Z / scale * (share * (1.0 - share) / n + Z * Z / (4.0 * n * n)).sqrt();
    // Rounding must not put the share of none or of all outside.
    let low = if count == 0 { 0.0 } else { (middle - half).max(0.0) };
    let high = if count == of { 1.0 } else { (middle + half).min(1.0) };
    Some((low, high))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn intervals_are_those_of_the_literature() {
        // Newcombe 1998, "Two-sided confidence intervals for the single proportion", table I, method 3.
        for (count, of, low, high) in [
            (81, 263, 0.2553, 0.3662),
            (15, 148, 0.0624, 0.1605),
            (0, 20, 0.0, 0.1611),
            (1, 29, 0.0061, 0.1718),
        ] {
            let (from, until) = wilson(count, of).expect("there are trials");
            assert!(
                (from - low).abs() < 5e-5 && (until - high).abs() < 5e-5,
                "{count}/{of}: {from} to {until}"
            );
        }
        assert_eq!(wilson(7, 7).expect("there are trials").1, 1.0);
        assert_eq!((wilson(0, 0), wilson(2, 1)), (None, None));
    }
}
