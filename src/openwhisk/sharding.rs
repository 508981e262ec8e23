//! The arithmetic of the sharding balancer (docs/specs/openwhisk.md §10): where an action is at home
//! and in which steps the invokers are tried. Must never know how full an invoker is.

/// The step sizes for a list of `n` invokers: the numbers from 1 to `n` that are coprime to `n` and to
/// each other, taken greedily from below. Empty for no invokers.
pub fn pairwise_coprimes(n: u64) -> Vec<u64> {
    let mut steps: Vec<u64> = Vec::new();
    for candidate in 1..=n {
        if gcd(candidate, n) == 1 && steps.iter().all(|step| gcd(*step, candidate) == 1) {
            steps.push(candidate);
        }
    }
    steps
}

/// The hash that chooses home and step: of the invoking namespace and of the action's path
/// (`ns/[package/]name`, without version). Negative in the one case where the absolute value of a
/// 32-bit integer is.
pub fn generate_hash(namespace: &str, action: &str) -> i32 {
    (java_hash(namespace) ^ java_hash(action)).wrapping_abs()
}

/// `String.hashCode` of the JVM.
fn java_hash(text: &str) -> i32 {
    text.encode_utf16().fold(0_i32, |hash, unit| hash.wrapping_mul(31).wrapping_add(i32::from(unit)))
}

fn gcd(a: u64, b: u64) -> u64 {
    if b == 0 { a } else { gcd(b, a % b) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_share_no_divisor() {
        assert!(pairwise_coprimes(0).is_empty());
        assert_eq!(pairwise_coprimes(1), [1]);
        assert_eq!(pairwise_coprimes(9), [1, 2, 5, 7]);
        assert_eq!(pairwise_coprimes(10), [1, 3, 7]);
    }

    #[test]
    fn hashes_as_the_jvm_does() {
        assert_eq!(java_hash("polygenelubricants"), i32::MIN);
        assert_eq!(generate_hash("polygenelubricants", ""), i32::MIN);
        assert_eq!(generate_hash("guest", "guest/hello"), 13_198_339);
    }
}
