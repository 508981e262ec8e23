//! `freq`: least frequently used with ageing (LFU-DA), also called Greedy-Dual-Frequency.
//!
//! ```text
//! priority = clock + frequency        clock := max(clock, priority of the victim)
//! ```
//!
//! Source: Arlitt, Cherkasova, Dilley, Friedrich & Jin, "Evaluating content management techniques for
//! web proxy caches", SIGMETRICS Performance Evaluation Review 27(4), 2000 (LFU with dynamic ageing);
//! the FREQ variant of FaasCache (Fuerst & Sharma, ASPLOS'21) with size and cost left out. Must never
//! read size or cost: in that paper's published simulator FREQ is `clock + frequency · cost`
//! (docs/specs/faascache-artifact.md §4.2), which this is not.
//!
//! * **Several containers of a function** share the frequency; each has its own stamp of the clock,
//!   taken at its last dispatch.
//! * **Busy containers** are passed over; what they run counts at once.
//! * **Ties** go to the container dispatched least recently; a load ahead of time counts as a dispatch
//!   there, but not in the frequency.
//! * **Complexity**: O(1) per invocation, amortised O(log n) per victim, see `lazy_heap.rs`.

use super::EvictionPolicy;
use super::lazy_heap::{Formula, LazyHeap, Stamp, View};

/// The registry's line.
pub const POLICY: EvictionPolicy = EvictionPolicy {
    name: "freq",
    summary: "least clock + frequency first (LFU with dynamic ageing)",
    source: "Arlitt et al. 2000 (LFU-DA); FREQ in FaasCache, ASPLOS'21, without cost",
    params: &[],
    make: |_, making| Box::new(LazyHeap::<Freq>::new(making.tracking)),
};

pub(super) struct Freq;

impl Formula for Freq {
    const STAMP: Stamp = Stamp::AtDispatch;
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
    fn cost_and_size_do_not_matter() {
        let mut yard = Yard::new(&POLICY, vec![function(1024, 100, 90), function(128, 9000, 10)]);
        let [large, small] = [yard.run(0), yard.run(1)];
        yard.rerun(large);
        assert_eq!(yard.evict_n(2), [small, large]);
    }

    #[test]
    fn yesterdays_favourite_ages() {
        let mut yard = Yard::new(&POLICY, vec![function(100, 100, 0); 3]);
        let favourite = yard.run(0);
        yard.rerun(favourite);
        yard.rerun(favourite);
        // The favourite has 0 + 3. One-time containers come with clock 0, 1, 2 and go at 1, 2, 3.
        for clock in 0..2 {
            let other = yard.run(1);
            assert_eq!(yard.evict(), other, "clock {clock}");
        }
        let third = yard.run(1);
        assert_eq!(yard.evict_n(2), [favourite, third], "a tie at 3 goes to the less recent");
    }
}
