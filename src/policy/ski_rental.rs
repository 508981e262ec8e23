//! `ski-rental`: keep an idle container until holding it has cost as much as a cold start.
//!
//! ```text
//! keep = exchange · cost / memory        [GiB·s per s] · [s] / [GiB], at most `max`
//! ```
//!
//! Source: the ski-rental (rent-or-buy) argument of Karlin, Manasse, Rudolph & Sleator, "Competitive
//! snoopy caching", Algorithmica 3 (1988). Renting is holding the memory, buying is the cold start
//! saved. Whenever the next invocation comes, the total is at most twice the best that could be had by
//! knowing its time, and no deterministic rule does better. Must never predict: that is
//! `hybrid-histogram`.
//!
//! The exchange rate says how many GiB·s of idle memory one second of cold-start delay is worth. The
//! default of 100 puts a common function (256 MiB, 1.5 s) at 10 minutes, which is what platforms give
//! to all; a 128 MiB function with 0.5 s gets 400 s, a 2 GiB one with 4 s gets 200 s.
//!
//! * **Several containers of a function** have equal leases, each from the moment it has nothing to do.
//! * **Busy containers** have none.
//! * **Learnt costs**: while nothing is known the cost is 0 and the container goes at once. Where leases
//!   count from idleness (`lease-from = "idle"`) the run that has just ended is learnt only after the
//!   lease is asked for: the first lease of a function is then zero and later ones are one run behind.
//!   Where they count from the pause, as under OpenWhisk's rules, it has been learnt by then.
//! * **Complexity**: O(1), without memory.

use super::{KeepAlive, KeepAlivePolicy, Lease, Param};
use crate::ids::Slot;
use crate::pool::tables::Tables;
use crate::time::{Span, Time};

/// The registry's line.
pub const POLICY: KeepAlivePolicy = KeepAlivePolicy {
    name: "ski-rental",
    summary: "stay until holding has cost as much as a cold start (2-competitive)",
    source: "Karlin et al., Algorithmica 3 (1988)",
    params: &[
        Param {
            name: "gib-s-per-cold-s",
            default: "100",
            help: "GiB·s of idle memory that one second of cold start is worth; 100 gives 256 MiB and 1.5 s 10 min",
        },
        Param { name: "max", default: "forever", help: "span of time; no lease is longer" },
    ],
    make: |params, _| {
        Box::new(SkiRental {
            gib_s_per_cold_s: params.number("gib-s-per-cold-s"),
            longest: params.span("max"),
        })
    },
};

#[derive(Clone, Copy, Debug)]
struct SkiRental {
    gib_s_per_cold_s: f64,
    longest: Span,
}

impl KeepAlive for SkiRental {
    fn lease(&mut self, _now: Time, tables: &Tables, slot: Slot, _loaded_ahead: bool) -> Lease {
        let cost_ms = tables.cold_cost_ms(tables.action(tables.function_of(slot)));
        let memory_gib = f64::from(tables.container(slot).memory_mib().max(1)) / 1024.0;
        let keep = Span::from_ms_f64(self.gib_s_per_cold_s * cost_ms / memory_gib);
        Lease::keep(keep.min(self.longest))
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{Yard, function};
    use super::*;

    fn lease(policy: &mut SkiRental, memory_mib: u64, cold_ms: u64, warm_ms: u64) -> Lease {
        let functions = vec![function(memory_mib, cold_ms, warm_ms)];
        let mut yard = Yard::new(&crate::policy::lru::POLICY, functions);
        let slot = yard.run(0);
        policy.lease(Time::ZERO, &yard.tables, slot, false)
    }

    #[test]
    fn the_examples_of_the_documentation() {
        let mut policy = SkiRental { gib_s_per_cold_s: 100.0, longest: Span::FOREVER };
        for (memory_mib, cost_ms, keep_s) in [(256, 1500, 600), (128, 500, 400), (2048, 4000, 200)] {
            let lease = lease(&mut policy, memory_mib, cost_ms + 70, 70);
            assert_eq!(lease, Lease::keep(Span::from_secs(keep_s)));
        }
    }

    #[test]
    fn no_cost_no_lease_and_the_cap() {
        let mut policy = SkiRental { gib_s_per_cold_s: 100.0, longest: Span::from_mins(5) };
        assert_eq!(lease(&mut policy, 256, 80, 80), Lease::keep(Span::ZERO));
        assert_eq!(lease(&mut policy, 256, 70, 80), Lease::keep(Span::ZERO), "warm slower than cold");
        assert_eq!(lease(&mut policy, 256, 9000, 80), Lease::keep(Span::from_mins(5)));
    }

    #[test]
    fn never_more_than_twice_the_best() {
        let mut policy = SkiRental { gib_s_per_cold_s: 100.0, longest: Span::FOREVER };
        let keep_s = lease(&mut policy, 512, 1000, 0).keep.as_secs_f64();
        let (rent_per_s, cold) = (0.5, 100.0);
        for gap_s in [1.0, 100.0, 199.0, 201.0, 10_000.0] {
            let paid = if gap_s <= keep_s { gap_s * rent_per_s } else { keep_s * rent_per_s + cold };
            assert!(paid <= 2.0 * f64::min(gap_s * rent_per_s, cold), "gap {gap_s}");
        }
    }
}
