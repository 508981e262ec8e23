//! The eviction policies of the published simulator by their published names. Only names and one-liners are kept here;
//! the arithmetic is in the simulator.

use std::fmt;
use std::str::FromStr;

/// A policy of the published simulator (§4).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Policy {
    /// GD: GreedyDual-Size-Frequency, the FaasCache policy.
    GreedyDual,
    /// TTL: keep-alive of 10 minutes, least recently used under pressure.
    Ttl,
    /// LONG-TTL: keep-alive of 2 hours, least recently used under pressure.
    LongTtl,
    /// LRU: least recently used.
    Lru,
    /// FREQ: frequency weighted with the cold-start cost.
    Freq,
    /// SIZE: frequency divided by size.
    Size,
    /// LND: Landlord.
    Landlord,
    /// HIST: histogram of inter-arrival times with prewarming.
    Hist,
    /// ALL: meant to evict everything, evicts nothing.
    All,
}

impl Policy {
    /// All policies, in the order of the recorded runs.
    pub const ALL: [Policy; 9] = [
        Policy::GreedyDual,
        Policy::Ttl,
        Policy::LongTtl,
        Policy::Lru,
        Policy::Freq,
        Policy::Size,
        Policy::Landlord,
        Policy::Hist,
        Policy::All,
    ];

    /// The published name.
    pub fn name(self) -> &'static str {
        match self {
            Policy::GreedyDual => "GD",
            Policy::Ttl => "TTL",
            Policy::LongTtl => "LONG-TTL",
            Policy::Lru => "LRU",
            Policy::Freq => "FREQ",
            Policy::Size => "SIZE",
            Policy::Landlord => "LND",
            Policy::Hist => "HIST",
            Policy::All => "ALL",
        }
    }

    /// One line on what the policy does, as implemented rather than as named.
    pub fn summary(self) -> &'static str {
        match self {
            Policy::GreedyDual => "GreedyDual: evict the lowest clock + frequency * (cold - warm) / memory",
            Policy::Ttl => {
                "keep-alive of 10 minutes since the last start, least recently used when memory is short"
            }
            Policy::LongTtl => {
                "keep-alive of 2 hours since the last start, least recently used when memory is short"
            }
            Policy::Lru => "evict the function used least recently",
            Policy::Freq => "evict the lowest clock + frequency * (cold - warm)",
            Policy::Size => "evict the lowest clock + frequency / memory",
            Policy::Landlord => {
                "Landlord: credit is the warm duration, rent by memory is charged once per eviction"
            }
            Policy::Hist => "keep-alive and prewarming from a histogram of minutes between arrivals",
            Policy::All => "evict nothing: once memory is full, cold starts are dropped",
        }
    }
}

impl fmt::Display for Policy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for Policy {
    type Err = UnknownPolicy;

    /// Reads a published name; upper and lower case are the same.
    fn from_str(given: &str) -> Result<Policy, UnknownPolicy> {
        let upper = given.to_uppercase();
        let distance = |policy: &Policy| strsim::damerau_levenshtein(policy.name(), &upper);
        Policy::ALL.into_iter().find(|policy| policy.name() == upper).ok_or_else(|| UnknownPolicy {
            given: given.to_owned(),
            nearest: Policy::ALL.into_iter().min_by_key(distance).filter(|policy| distance(policy) <= 2),
        })
    }
}

/// A name that is no policy. The published simulator would silently run LRU (§4.11).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownPolicy {
    /// What was given.
    pub given: String,
    /// The policy with the most similar name, if one is similar.
    pub nearest: Option<Policy>,
}

impl fmt::Display for UnknownPolicy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "there is no policy '{}'", self.given)?;
        if self.given.eq_ignore_ascii_case("RAND") {
            return write!(f, ": the published RAND is unseeded and cannot be reproduced");
        }
        match self.nearest {
            Some(policy) => write!(f, "; did you mean {policy}?"),
            None => write!(f, "; choose one of {}", Policy::ALL.map(Policy::name).join(", ")),
        }
    }
}

impl std::error::Error for UnknownPolicy {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_parses_in_any_case() {
        for policy in Policy::ALL {
            assert_eq!(policy.name().parse(), Ok(policy));
            assert_eq!(policy.name().to_lowercase().parse(), Ok(policy));
        }
    }

    #[test]
    fn a_typing_error_names_the_nearest_policy() {
        let error = "LONGTTL".parse::<Policy>().unwrap_err();
        assert_eq!(error.nearest, Some(Policy::LongTtl));
        assert_eq!(error.to_string(), "there is no policy 'LONGTTL'; did you mean LONG-TTL?");
        let error = "clairvoyant".parse::<Policy>().unwrap_err();
        assert_eq!(error.nearest, None);
        assert!(error.to_string().contains("choose one of GD, TTL"), "{error}");
    }
}
