//! `gdsf`: Greedy-Dual-Size-Frequency as web caches have it.
//!
//! ```text
//! priority = clock + runs · cost / size        clock := max(clock, priority of the victim)
//! ```
//!
//! Source: Cherkasova, "Improving WWW proxies performance with Greedy-Dual-Size-Frequency caching
//! policy", HP Labs HPL-98-69R1, 1998; Arlitt et al. 2000. Runs is the number of invocations that *this
//! container* got since it was created. Must never use the frequency of the action: that is
//! `greedy-dual`. The two are equal as long as no function has two containers at a time; with several,
//! a clone starts here at 1, as a copy does that comes into a cache anew, while there it inherits the
//! fame of its function. So `gdsf` sheds clones made for a burst, `greedy-dual` holds them.
//!
//! * **Several containers of a function** share only the cost.
//! * **Busy containers** are passed over; what they run counts at once.
//! * **Ties** go to the container dispatched least recently. A load ahead of time takes a stamp and
//!   counts as a dispatch for ties, but not as a run.
//! * **Learnt costs** count with their present value.
//! * **Complexity**: O(1) per invocation, amortised O(log n) per victim, see `lazy_heap.rs`.

use super::EvictionPolicy;
use super::lazy_heap::{Formula, LazyHeap, Stamp, View};

/// The registry's line.
pub const POLICY: EvictionPolicy = EvictionPolicy {
    name: "gdsf",
    summary: "least clock + runs of the container × cold-start cost / memory first",
    source: "Cherkasova 1998 (HPL-98-69R1); Arlitt et al. 2000",
    params: &[],
    make: |_, making| Box::new(LazyHeap::<Gdsf>::new(making.tracking)),
};

pub(super) struct Gdsf;

impl Formula for Gdsf {
    const STAMP: Stamp = Stamp::AtDispatch;
    const USES_COST: bool = true;

    #[inline]
    fn worth(view: View<'_>) -> f64 {
        view.runs() * view.cost_ms() / view.size_mib()
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{Yard, function};
    use super::*;

    #[test]
    fn a_clone_has_to_earn_its_place() {
        let functions = vec![function(100, 100, 0), function(100, 150, 0)];
        let mut yard = Yard::new(&POLICY, functions.clone());
        let mut shared = Yard::new(&crate::policy::greedy_dual::POLICY, functions);
        for (yard, order) in [(&mut yard, [1, 2, 0]), (&mut shared, [2, 1, 0])] {
            let [veteran, clone] = [yard.start(0), yard.start(0)];
            yard.finish(veteran);
            yard.finish(clone);
            for _ in 0..3 {
                yard.rerun(veteran);
            }
            let other = yard.run(1);
            // Own runs: 4, 1, and 1.5 for the other one; shared: 5, 5 and 1.5.
            let slots = [veteran, clone, other];
            assert_eq!(yard.evict_n(3), order.map(|at| slots[at]));
        }
    }

    #[test]
    fn a_new_container_starts_at_one() {
        let mut yard = Yard::new(&POLICY, vec![function(100, 100, 0), function(100, 150, 0)]);
        let first = yard.run(0);
        yard.rerun(first);
        yard.rerun(first);
        yard.fail(first);
        let [again, other] = [yard.run(0), yard.run(1)];
        assert_eq!(yard.evict_n(2), [again, other]);
    }
}
