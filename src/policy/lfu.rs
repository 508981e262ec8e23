//! `lfu`: evict from the action invoked least often.
//!
//! ```text
//! priority = frequency of the action        (no clock: nothing ages)
//! ```
//!
//! Source: the textbook rule; the frequency is kept as in FaasCache (Fuerst & Sharma, ASPLOS'21, §4.1):
//! per action, not per container. Must never age: that is `freq`.
//!
//! * **Several containers of a function** share one frequency, to which each dispatch adds
//!   [`Tracking::invocation_weight`](crate::pool::rules::Tracking). It is forgotten with the last of
//!   them if the rules say so, so this is LFU "in cache".
//! * **Busy containers** are passed over; what they run counts at once.
//! * **Ties** go to the container dispatched least recently; a load ahead of time counts as a dispatch
//!   there, but not in the frequency.
//! * **Complexity**: O(1) per invocation, amortised O(log n) per victim, see `lazy_heap.rs`.

use super::EvictionPolicy;
use super::lazy_heap::{Formula, LazyHeap, Stamp, View};

/// The registry's line.
pub const POLICY: EvictionPolicy = EvictionPolicy {
    name: "lfu",
    summary: "least frequently invoked action first",
    source: "textbook (in-cache LFU)",
    params: &[],
    make: |_, making| Box::new(LazyHeap::<Lfu>::new(making.tracking)),
};

pub(super) struct Lfu;

impl Formula for Lfu {
    const STAMP: Stamp = Stamp::Never;
    const USES_COST: bool = false;

    #[inline]
    fn worth(view: View<'_>) -> f64 {
        view.frequency()
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{Yard, function};
    use super::*;

    #[test]
    fn the_less_frequent_goes_then_the_less_recent() {
        let mut yard = Yard::new(&POLICY, vec![function(256, 100, 10); 3]);
        let [a, b, c] = [yard.run(0), yard.run(1), yard.run(2)];
        yard.rerun(a);
        yard.rerun(b);
        // 2, 2 and 1 invocations.
        assert_eq!(yard.evict_n(3), [c, a, b]);
    }

    #[test]
    fn containers_of_an_action_share_its_frequency() {
        let mut yard = Yard::new(&POLICY, vec![function(256, 100, 10); 2]);
        let [a, clone] = [yard.start(0), yard.start(0)];
        yard.finish(a);
        yard.finish(clone);
        let b = yard.run(1);
        yard.rerun(a);
        // 3 invocations for the first action: `clone`, used once itself, outlives `b`.
        assert_eq!(yard.evict_n(3), [b, clone, a]);
    }

    #[test]
    fn frequency_goes_with_the_last_container_if_the_rules_say_so() {
        for (forget, first) in [(true, 0), (false, 1)] {
            let mut yard = Yard::forgetting(&POLICY, vec![function(256, 100, 10); 2], forget);
            let a = yard.run(0);
            yard.rerun(a);
            yard.rerun(a);
            yard.fail(a);
            let b = yard.run(1);
            yard.rerun(b);
            yard.run(0);
            let victim = yard.evict();
            assert_eq!(yard.function_of(victim), first, "forget: {forget}");
        }
    }
}
