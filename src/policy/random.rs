//! `random`: evict any evictable container, all being equally likely.
//!
//! ```text
//! victim ~ uniform over evictable containers
//! ```
//!
//! Source: the textbook rule, the baseline that any cleverness has to beat. Must never draw from
//! anything but its own generator (PCG64-MCG seeded with the scenario's seed), and only when a victim
//! is wanted: the same inputs give the same victims.
//!
//! * **Several containers of a function** are told apart, so a function with more of them loses one
//!   more often.
//! * **Busy containers** take no part.
//! * **Ties**: none, the generator decides.
//! * **Complexity**: O(1) per invocation and per victim (a dense list with swap-remove).

use rand::{RngExt, SeedableRng};
use rand_pcg::Pcg64Mcg;

use super::{Evict, EvictionPolicy, Wants};
use crate::ids::{NO_SLOT, Slot};
use crate::pool::boundary::StartState;
use crate::pool::tables::Tables;

/// The registry's line.
pub const POLICY: EvictionPolicy = EvictionPolicy {
    name: "random",
    summary: "any idle container, drawn with the scenario's seed",
    source: "textbook",
    params: &[],
    make: |_, making| Box::new(Random::new(making.seed)),
};

#[derive(Debug)]
struct Random {
    generator: Pcg64Mcg,
    evictable: Vec<Slot>,
    /// Where in `evictable` a slot is; `NO_SLOT`: it is not.
    places: Vec<u32>,
}

impl Random {
    fn new(seed: u64) -> Random {
        Random { generator: Pcg64Mcg::seed_from_u64(seed), evictable: Vec::new(), places: Vec::new() }
    }

    fn withdraw(&mut self, slot: Slot) {
        let Some(place) = self.places.get_mut(slot as usize) else { return };
        let place = std::mem::replace(place, NO_SLOT);
        if place != NO_SLOT {
            self.evictable.swap_remove(place as usize);
            if let Some(moved) = self.evictable.get(place as usize) {
                self.places[*moved as usize] = place;
            }
        }
    }
}

impl Evict for Random {
    fn wants(&self) -> Wants {
        Wants::NOTHING
    }

    fn on_dispatch(&mut self, _tables: &Tables, slot: Slot, _start: StartState) {
        self.withdraw(slot);
    }

    fn on_idle(&mut self, _tables: &Tables, slot: Slot) {
        if self.places.len() <= slot as usize {
            self.places.resize(slot as usize + 1, NO_SLOT);
        }
        if self.places[slot as usize] == NO_SLOT {
            self.places[slot as usize] = self.evictable.len() as u32;
            self.evictable.push(slot);
        }
    }

    fn on_gone(&mut self, _tables: &Tables, slot: Slot, _evicted: bool) {
        self.withdraw(slot);
    }

    fn pick(&mut self, _tables: &Tables) -> Slot {
        self.evictable[self.generator.random_range(0..self.evictable.len())]
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{Yard, function};
    use super::*;

    #[test]
    fn everybody_is_drawn_about_equally_often() {
        let mut yard = Yard::new(&POLICY, vec![function(256, 100, 10); 4]);
        let busy = yard.start(0);
        let mut drawn = [0_u32; 4];
        for at in [1, 2, 3] {
            yard.run(at);
        }
        for _ in 0..3_000 {
            let victim = yard.evict();
            assert_ne!(victim, busy);
            let at = yard.function_of(victim);
            drawn[at as usize] += 1;
            yard.run(at);
        }
        assert_eq!(drawn[0], 0);
        assert!(drawn[1..].iter().all(|n| (900..1100).contains(n)), "{drawn:?}");
    }

    #[test]
    fn the_seed_decides() {
        let victims = |seed| {
            let mut yard = Yard::seeded(&POLICY, vec![function(256, 100, 10); 1], seed);
            for _ in 0..50 {
                yard.run(0);
            }
            yard.evict_n(50)
        };
        assert_eq!(victims(1), victims(1));
        assert_ne!(victims(1), victims(2));
    }
}
