//! `size`: Greedy-Dual-Size with unit cost: large containers first, with ageing.
//!
//! ```text
//! priority = clock + 1 / size        clock := max(clock, priority of the victim)
//! ```
//!
//! Source: Cao & Irani, "Cost-aware WWW proxy caching algorithms", USITS'97 (GD-Size(1)); the SIZE
//! variant of FaasCache (Fuerst & Sharma, ASPLOS'21). Must never read frequency or cost: in that
//! paper's published simulator SIZE is `clock + frequency / size` (docs/specs/faascache-artifact.md
//! §4.3), which this is not.
//!
//! * **Several containers of a function** have the same worth; each has its own stamp of the clock,
//!   taken at its last dispatch. With equal sizes the policy is LRU.
//! * **Busy containers** are passed over.
//! * **Ties** go to the container dispatched least recently; a load ahead of time counts as a dispatch.
//! * **Complexity**: O(1) per invocation, amortised O(log n) per victim, see `lazy_heap.rs`.

use super::EvictionPolicy;
use super::lazy_heap::{Formula, LazyHeap, Stamp, View};

/// The registry's line.
pub const POLICY: EvictionPolicy = EvictionPolicy {
    name: "size",
    summary: "least clock + 1 / memory first (Greedy-Dual-Size, unit cost)",
    source: "Cao & Irani, USITS'97; SIZE in FaasCache, ASPLOS'21, without frequency",
    params: &[],
    make: |_, making| Box::new(LazyHeap::<Size>::new(making.tracking)),
};

pub(super) struct Size;

impl Formula for Size {
    const STAMP: Stamp = Stamp::AtDispatch;
    const USES_COST: bool = false;

    #[inline]
    fn worth(view: View<'_>) -> f64 {
        1.0 / view.size_mib()
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{Yard, function};
    use super::*;

    #[test]
    fn large_ones_go_first_and_equal_ones_by_recency() {
        let functions = vec![function(128, 100, 0), function(1024, 100, 0), function(128, 100, 0)];
        let mut yard = Yard::new(&POLICY, functions);
        let [a, large, b] = [yard.run(0), yard.run(1), yard.run(2)];
        yard.rerun(large);
        yard.rerun(a);
        assert_eq!(yard.evict_n(3), [large, b, a]);
    }

    #[test]
    fn a_small_one_does_not_stay_for_ever() {
        let mut yard = Yard::new(&POLICY, vec![function(256, 100, 0), function(512, 100, 0)]);
        let small = yard.run(0);
        // 1/256 against 1/512, then against 1/512 + 1/512: a tie, and the small one is older.
        let first = yard.run(1);
        assert_eq!(yard.evict(), first);
        let second = yard.run(1);
        assert_eq!(yard.evict_n(2), [small, second]);
    }
}
