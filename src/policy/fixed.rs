//! `fixed`: every idle container stays for the same time.
//!
//! ```text
//! keep = const
//! ```
//!
//! Source: what platforms do; 10 minutes is OpenWhisk's `timeouts.idle-container`
//! (docs/specs/openwhisk.md §2). Must never look at a function.
//!
//! * **Several containers of a function** have a lease each, from the moment each has nothing to do.
//! * **Busy containers** have none.
//! * **Complexity**: O(1), without memory.

use super::{KeepAlive, KeepAlivePolicy, Lease, Param};
use crate::ids::Slot;
use crate::pool::tables::Tables;
use crate::time::{Span, Time};

/// The registry's line.
pub const POLICY: KeepAlivePolicy = KeepAlivePolicy {
    name: "fixed",
    summary: "every idle container stays for the same time",
    source: "Apache OpenWhisk (idle-container) and most platforms",
    params: &[Param {
        name: "keep",
        default: "10 min",
        help: "span of time; \"0 s\": unload at once, \"forever\": only evictions end it; 10 min in OpenWhisk",
    }],
    make: |params, _| Box::new(Fixed { keep: params.span("keep") }),
};

/// The policy.
#[derive(Clone, Copy, Debug)]
pub struct Fixed {
    /// How long.
    pub keep: Span,
}

impl KeepAlive for Fixed {
    fn constant(&self) -> Option<Lease> {
        Some(Lease::keep(self.keep))
    }

    fn lease(&mut self, _now: Time, _tables: &Tables, _slot: Slot, _loaded_ahead: bool) -> Lease {
        Lease::keep(self.keep)
    }
}

#[cfg(test)]
mod tests {
    use super::super::Params;
    use super::super::params::Value;
    use super::super::testing::{MAKING, Yard, function};
    use super::*;

    #[test]
    fn keeps_as_long_as_it_is_told() {
        let mut yard = Yard::new(&crate::policy::lru::POLICY, vec![function(256, 100, 10)]);
        let slot = yard.run(0);
        for (given, keep) in [
            (None, Span::from_mins(10)),
            (Some("0 s"), Span::ZERO),
            (Some("90 s"), Span::from_secs(90)),
            (Some("forever"), Span::FOREVER),
        ] {
            let given: Vec<_> =
                given.into_iter().map(|text| ("keep".to_owned(), Value::Text(text.to_owned()))).collect();
            let mut params = Params::new(POLICY.params, &given);
            let mut policy = (POLICY.make)(&mut params, MAKING);
            assert_eq!(params.into_errors(), []);
            assert_eq!(policy.lease(Time::ZERO, &yard.tables, slot, false), Lease::keep(keep));
            assert_eq!(policy.constant(), Some(Lease::keep(keep)));
        }
    }
}
