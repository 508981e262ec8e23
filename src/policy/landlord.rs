//! `landlord`: containers pay rent for the memory they hold; who cannot pay goes.
//!
//! ```text
//! credit(c) := cost            when c is used
//! to evict:   credit(c) -= δ · size(c) for all evictable c, with δ = min credit/size;
//!             evict a container whose credit is 0
//! ```
//!
//! Source: Young, "On-line file caching", Algorithmica 33 (2002) (credit raised to the full cost at
//! each use). Instead of charging everybody, the rent charged so far per MiB is summed up in `L`; then
//!
//! ```text
//! priority = L when c became idle + cost / size        L := max(L, priority of the victim)
//! ```
//!
//! is what `L` will be when the credit of `c` reaches 0, and the least priority is the victim. Must
//! never charge credit/size with anything but `L`: the published FaasCache simulator charges once per
//! eviction and then goes by absolute credit (docs/specs/faascache-artifact.md §4.7), which this does
//! not.
//!
//! * **Several containers of a function** have a credit each.
//! * **Busy containers** pay no rent: they cannot be evicted, and their use only ends when they become
//!   idle, with full credit. A container loaded ahead of time has full credit, too.
//! * **Ties** go to the container dispatched least recently; a load ahead of time counts as a dispatch.
//! * **Learnt costs**: a credit follows what is known at present of the cost it stands for.
//! * **Complexity**: O(1) per invocation, amortised O(log n) per victim, see `lazy_heap.rs`.

use super::EvictionPolicy;
use super::lazy_heap::{Formula, LazyHeap, Stamp, View};

/// The registry's line.
pub const POLICY: EvictionPolicy = EvictionPolicy {
    name: "landlord",
    summary: "rent for memory is charged against the cold-start cost; who cannot pay goes",
    source: "Young, Algorithmica 33 (2002)",
    params: &[],
    make: |_, making| Box::new(LazyHeap::<Landlord>::new(making.tracking)),
};

pub(super) struct Landlord;

impl Formula for Landlord {
    const STAMP: Stamp = Stamp::AtIdle;
    const USES_COST: bool = true;

    #[inline]
    fn worth(view: View<'_>) -> f64 {
        view.cost_ms() / view.size_mib()
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{Dice, Yard, function};
    use super::*;

    #[test]
    fn the_cheapest_per_mib_goes_first_and_rent_adds_up() {
        // Credit per MiB: 4, 1 and 1.
        let functions = vec![function(100, 400, 0), function(200, 200, 0), function(100, 100, 0)];
        let mut yard = Yard::new(&POLICY, functions);
        let dear = yard.run(0);
        for round in 0..3 {
            let other = yard.run(1 + round % 2);
            assert_eq!(yard.evict(), other, "round {round}");
        }
        let other = yard.run(2);
        assert_eq!(yard.evict_n(2), [dear, other], "3 of its 4 are paid; a tie at 1");
    }

    #[test]
    fn who_is_busy_pays_nothing() {
        let functions = vec![function(100, 300, 0), function(100, 200, 0), function(100, 300, 0)];
        let mut yard = Yard::new(&POLICY, functions);
        let busy = yard.start(0);
        let [paying, idle] = [yard.run(1), yard.run(2)];
        assert_eq!(yard.evict(), paying);
        yard.finish(busy);
        // `idle` has paid 2 of its 3, `busy` nothing.
        assert_eq!(yard.evict_n(2), [idle, busy]);
    }

    #[test]
    fn the_offset_form_is_the_textbook_form() {
        // Costs and sizes are powers of two: all sums are exact, and equality is equality.
        let sizes = [64_u32, 128, 256, 512];
        let costs = [256_u64, 1024, 4096];
        let functions: Vec<_> =
            (0..12).map(|at| function(u64::from(sizes[at % 4]), costs[at % 3], 0)).collect();
        let mut yard = Yard::new(&POLICY, functions);
        let mut credits: Vec<(Slot, f64, f64, u64)> = Vec::new();
        let mut dice = Dice::new(3);
        for step in 0..4_000_u64 {
            if dice.below(3) > 0 || credits.is_empty() {
                let at = dice.below(12) as usize;
                let known = credits.iter().position(|(slot, ..)| yard.function_of(*slot) == at as u32);
                let slot = match known {
                    Some(known) => {
                        let slot = credits.swap_remove(known).0;
                        yard.rerun(slot);
                        slot
                    }
                    None => yard.run(at as u32),
                };
                credits.push((slot, costs[at % 3] as f64, f64::from(sizes[at % 4]), step));
            } else {
                let delta = credits.iter().map(|c| c.1 / c.2).fold(f64::INFINITY, f64::min);
                for credit in &mut credits {
                    credit.1 -= delta * credit.2;
                }
                let broke = (0..credits.len())
                    .filter(|&at| credits[at].1 == 0.0)
                    .min_by_key(|&at| credits[at].3)
                    .unwrap();
                assert_eq!(yard.evict(), credits.swap_remove(broke).0, "step {step}");
            }
        }
    }

    use crate::ids::Slot;
}
