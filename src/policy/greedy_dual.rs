//! `greedy-dual`: Greedy-Dual keep-alive, the policy of FaasCache.
//!
//! ```text
//! priority = clock + frequency · cost / size        clock := max(clock, priority of the victim)
//! ```
//!
//! Source: Fuerst & Sharma, "FaasCache: keeping serverless computing alive with Greedy-Dual caching",
//! ASPLOS'21, §4.1. Frequency is the number of invocations of the action, cost what a cold start adds
//! to the run time (ms), size the memory of the container (MiB). Must never be taken for the fork of
//! OpenWhisk made for that paper, which differs in several points: that is `faascache`.
//!
//! * **Several containers of a function** share frequency and cost, but each has its own stamp of the
//!   clock, taken at its last dispatch. So among them the one dispatched least recently goes first. The
//!   frequency is forgotten with the last of them (§4.1) unless the rules keep it.
//! * **Busy containers** are passed over; what they run counts at once.
//! * **Ties** go to the container dispatched least recently. A load ahead of time takes a stamp and
//!   counts as a dispatch for ties, but not as an invocation.
//! * **Learnt costs** count with their present value, also for containers that are idle already.
//! * **Complexity**: O(1) per invocation, amortised O(log n) per victim, see `lazy_heap.rs`.

use super::EvictionPolicy;
use super::lazy_heap::{Formula, LazyHeap, Stamp, View};

/// The registry's line.
pub const POLICY: EvictionPolicy = EvictionPolicy {
    name: "greedy-dual",
    summary: "least clock + frequency × cold-start cost / memory first",
    source: "FaasCache (Fuerst & Sharma, ASPLOS'21), §4.1",
    params: &[],
    make: |_, making| Box::new(LazyHeap::<GreedyDual>::new(making.tracking)),
};

pub(super) struct GreedyDual;

impl Formula for GreedyDual {
    const STAMP: Stamp = Stamp::AtDispatch;
    const USES_COST: bool = true;

    #[inline]
    fn worth(view: View<'_>) -> f64 {
        view.frequency() * view.cost_ms() / view.size_mib()
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{Yard, function};
    use super::*;
    use crate::pool::rules::Times;

    #[test]
    fn frequency_cost_and_size_decide_in_turn() {
        // Worth of one invocation: 1000/256 = 3.9, 1000/512 = 2.0, 200/256 = 0.8.
        let functions = vec![function(256, 1100, 100), function(512, 1100, 100), function(256, 300, 100)];
        let mut yard = Yard::new(&POLICY, functions);
        let [small, large, cheap] = [yard.run(0), yard.run(1), yard.run(2)];
        for _ in 0..2 {
            yard.rerun(cheap);
        }
        // `cheap` now has 3 · 0.78 = 2.34.
        assert_eq!(yard.evict_n(3), [large, cheap, small]);
    }

    #[test]
    fn the_clock_ages_what_is_not_used() {
        // Worth 4, 1 and 1.
        let functions = vec![function(100, 400, 0), function(100, 100, 0), function(100, 100, 0)];
        let mut yard = Yard::new(&POLICY, functions);
        let once_dear = yard.run(0);
        for round in 0..3 {
            // Clock 0, 1, 2: each new container has the clock + 1.
            let other = yard.run(1 + round % 2);
            assert_eq!(yard.evict(), other, "round {round}");
        }
        // Clock 3: the next has 4 as well, and the one dispatched less recently goes.
        let other = yard.run(1);
        assert_eq!(yard.evict_n(2), [once_dear, other]);
    }

    #[test]
    fn among_containers_of_a_function_the_stale_one_goes() {
        let functions = vec![function(100, 400, 0), function(100, 100, 0)];
        let mut yard = Yard::new(&POLICY, functions);
        let [fresh, stale] = [yard.start(0), yard.start(0)];
        yard.finish(fresh);
        yard.finish(stale);
        let other = yard.run(1);
        assert_eq!(yard.evict(), other);
        yard.rerun(fresh);
        assert_eq!(yard.evict_n(2), [stale, fresh]);
    }

    #[test]
    fn a_cost_that_is_found_to_be_lower_counts_at_once() {
        let mut yard = Yard::learning(&POLICY, vec![function(100, 0, 0); 2], Times::ObservedMean);
        let [a, b] = [yard.run_for(0, 900), yard.run_for(1, 500)];
        let clone = yard.start(0);
        // Cold 900 against 500; then a warm run of the first action takes 850, and its cost is 50.
        yard.reuse(a);
        yard.finish_after(a, 850);
        assert_eq!(yard.evict(), a);
        yard.finish_after(clone, 900);
        assert_eq!(yard.evict_n(2), [clone, b]);
    }
}
