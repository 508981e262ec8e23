//! Random numbers by key instead of in sequence. Owns how a seed, a purpose and a running number become
//! a generator; must never hold state: what is drawn cannot depend on what was drawn before.

use rand::SeedableRng as _;
use rand_pcg::Pcg64Mcg;

/// The generator of the `number`-th draw for a purpose.
pub fn keyed(seed: u64, purpose: u64, number: u64) -> Pcg64Mcg {
    Pcg64Mcg::seed_from_u64(splitmix(seed ^ splitmix(purpose.wrapping_add(1) ^ splitmix(number))))
}

/// SplitMix64 (Steele et al., OOPSLA'14): turns consecutive keys into unrelated ones.
pub const fn splitmix(key: u64) -> u64 {
    let mut z = key.wrapping_add(0x9E37_79B9_7F4A_7C15);
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

/// A text as a key: FNV-1a, the same on every machine and in every version.
pub fn text_key(text: &str) -> u64 {
    text.bytes().fold(0xCBF2_9CE4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01B3)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_the_published_functions() {
        // The first output of SplitMix64 from state 0, and FNV-1a's published values.
        assert_eq!(splitmix(0), 0xE220_A839_7B1D_CDAF);
        assert_eq!(text_key(""), 0xCBF2_9CE4_8422_2325);
        assert_eq!(text_key("a"), 0xAF63_DC4C_8601_EC8C);
    }

    #[test]
    fn neighbours_are_unrelated() {
        use rand::RngExt as _;
        let draw = |number| keyed(1, 0, number).random::<f64>();
        let mean = (0..10_000).map(draw).sum::<f64>() / 10_000.0;
        assert!((mean - 0.5).abs() < 0.01, "{mean}");
    }
}
