//! The lazy heap against a scan over all containers at every eviction, for each formula. Must never
//! share bookkeeping with what it tests: stamps, ranks and frequencies are kept anew here.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::super::registry::Making;
use super::super::testing::{Event, MAKING, Storm, Yard, function};
use super::super::{EvictionPolicy, freq, gdsf, greedy_dual, landlord, lfu, size};
use super::*;
use crate::pool::rules::Times;
use crate::pool::tables::FunctionSpec;

#[derive(Clone, Copy)]
struct Known {
    action: ActionId,
    stamp: f64,
    rank: u64,
    runs: u32,
    evictable: bool,
}

struct Scan {
    tracking: Tracking,
    clock: f64,
    ranks: u64,
    containers: BTreeMap<Slot, Known>,
    frequencies: BTreeMap<u32, u64>,
}

impl Scan {
    fn meet<F: Formula>(&mut self, tables: &Tables, slot: Slot) -> &mut Known {
        self.ranks += 1;
        let stamp = if F::STAMP == Stamp::Never { 0.0 } else { self.clock };
        let action = tables.action(tables.function_of(slot));
        let new = Known { action, stamp, rank: 0, runs: 0, evictable: false };
        let known = self.containers.entry(slot).or_insert(new);
        if known.rank == 0 {
            known.rank = self.ranks;
        }
        known
    }

    fn dispatch<F: Formula>(&mut self, tables: &Tables, slot: Slot) {
        let (clock, weight) = (self.clock, self.tracking.invocation_weight);
        self.ranks += 1;
        let rank = self.ranks + 1;
        let known = self.meet::<F>(tables, slot);
        known.rank = rank;
        known.runs += weight;
        known.evictable = false;
        if F::STAMP == Stamp::AtDispatch {
            known.stamp = clock;
        }
        let action = known.action;
        *self.frequencies.entry(action.0).or_default() += u64::from(weight);
    }

    fn idle<F: Formula>(&mut self, tables: &Tables, slot: Slot) {
        let clock = self.clock;
        let known = self.meet::<F>(tables, slot);
        known.evictable = true;
        if F::STAMP == Stamp::AtIdle {
            known.stamp = clock;
        }
    }

    fn gone(&mut self, slot: Slot) {
        let Some(known) = self.containers.remove(&slot) else { return };
        if self.tracking.forget && self.containers.values().all(|other| other.action != known.action) {
            self.frequencies.remove(&known.action.0);
        }
    }

    /// The victim and its priority.
    fn pick<F: Formula>(&self, tables: &Tables) -> Option<(Slot, f64)> {
        self.containers
            .iter()
            .filter(|(_, known)| known.evictable)
            .map(|(&slot, &Known { action, stamp, rank, runs, .. })| {
                let frequency = self.frequencies.get(&action.0).copied().unwrap_or(0);
                let worth = F::worth(View { tables, slot, action, frequency, runs });
                (slot, stamp + worth, rank)
            })
            .min_by(|a, b| a.1.total_cmp(&b.1).then(a.2.cmp(&b.2)))
            .map(|(slot, priority, _)| (slot, priority))
    }
}

/// Eight functions of six actions, some with room for several activations.
fn functions() -> Vec<FunctionSpec> {
    (0..8)
        .map(|at| FunctionSpec {
            action: ActionId(at % 6),
            max_concurrent: 1 + (at % 3) as u16,
            ..function([128, 256, 192, 1024][at as usize % 4], 40 + 130 * u64::from(at * 7 % 5), 40)
        })
        .collect()
}

fn compare<F: Formula>(policy: &EvictionPolicy, tracking: Tracking, seed: u64, steps: u32) {
    let mut yard = Yard::with_actions(policy, functions(), Making { tracking, ..MAKING });
    let mut scan =
        Scan { tracking, clock: 0.0, ranks: 0, containers: BTreeMap::new(), frequencies: BTreeMap::new() };
    let mut storm = Storm::new(seed);
    for step in 0..steps {
        let expected = scan.pick::<F>(&yard.tables);
        match storm.step(&mut yard, 8) {
            Event::Started(slot) | Event::Reused(slot) => scan.dispatch::<F>(&yard.tables, slot),
            Event::Finished(slot) => {
                if yard.tables.container(slot).is_evictable() {
                    scan.idle::<F>(&yard.tables, slot);
                }
            }
            Event::Loaded(slot) => scan.idle::<F>(&yard.tables, slot),
            Event::Failed(slot) => scan.gone(slot),
            Event::Evicted(slot) => {
                let (victim, priority) = expected.expect("something was evictable");
                assert_eq!(slot, victim, "{}: step {step}", policy.name);
                if F::STAMP != Stamp::Never {
                    scan.clock = scan.clock.max(priority);
                }
                scan.gone(slot);
            }
            Event::Nothing => {}
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    #[test]
    fn picks_what_a_scan_picks(
        seed: u64,
        times in prop::sample::select(vec![Times::Declared, Times::ObservedMax, Times::ObservedMean]),
        forget: bool,
        invocation_weight in 1_u32..3,
    ) {
        let tracking = Tracking { invocation_weight, times, forget };
        compare::<lfu::Lfu>(&lfu::POLICY, tracking, seed, 800);
        compare::<greedy_dual::GreedyDual>(&greedy_dual::POLICY, tracking, seed, 800);
        compare::<freq::Freq>(&freq::POLICY, tracking, seed, 800);
        compare::<size::Size>(&size::POLICY, tracking, seed, 800);
        compare::<gdsf::Gdsf>(&gdsf::POLICY, tracking, seed, 800);
        compare::<landlord::Landlord>(&landlord::POLICY, tracking, seed, 800);
    }
}
