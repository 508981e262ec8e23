//! What every policy in the registry must do, whatever it prefers. Must never name a policy: a new one
//! is held to this by its line in the registry.

use super::params::Value;
use super::registry::{EVICTION, KEEP_ALIVE};
use super::testing::{Dice, Event, MAKING, Storm, Yard, function};
use super::{EvictionPolicy, Params};
use crate::ids::Slot;
use crate::policy::registry::Making;
use crate::pool::rules::{Times, Tracking};
use crate::pool::tables::FunctionSpec;
use crate::time::{Span, Time};

const FUNCTIONS: u64 = 10;

fn functions() -> Vec<FunctionSpec> {
    (0..FUNCTIONS)
        .map(|at| FunctionSpec {
            max_concurrent: if at % 4 == 3 { 5 } else { 1 },
            ..function([128, 256, 512][at as usize % 3], 100 + 300 * (at * 3 % 7), 100)
        })
        .collect()
}

fn makings() -> Vec<Making> {
    let mut makings = Vec::new();
    for times in [Times::Declared, Times::ObservedMax, Times::ObservedMean] {
        for forget in [true, false] {
            for capacity_mib in [0, 4096] {
                let tracking = Tracking { invocation_weight: 2, times, forget };
                makings.push(Making { seed: 9, tracking, capacity_mib });
            }
        }
    }
    makings
}

/// A random trace; [`Yard`] checks that each victim is evictable.
fn storm(policy: &EvictionPolicy, making: Making, seed: u64, steps: u32) -> (Yard, Storm) {
    let mut yard = Yard::made(policy, functions(), making);
    let mut storm = Storm::new(seed);
    for _ in 0..steps {
        storm.step(&mut yard, FUNCTIONS);
    }
    (yard, storm)
}

#[test]
fn victims_are_evictable_and_all_can_go() {
    for policy in EVICTION {
        for making in makings() {
            let (mut yard, mut storm) = storm(policy, making, 1, 3_000);
            assert!(storm.victims.len() > 50, "{}", policy.name);
            let left = storm.idle.len();
            let mut victims = yard.evict_n(left);
            victims.sort_unstable();
            storm.idle.sort_unstable();
            assert_eq!(victims, storm.idle, "{}", policy.name);
        }
    }
}

#[test]
fn the_same_inputs_give_the_same_victims() {
    for policy in EVICTION {
        let victims = |seed| storm(policy, MAKING, seed, 2_000).1.victims;
        for seed in 0..5 {
            assert_eq!(victims(seed), victims(seed), "{}", policy.name);
        }
    }
}

#[test]
fn many_containers_of_one_function() {
    for policy in EVICTION {
        let mut yard = Yard::new(policy, vec![function(128, 100, 10)]);
        for round in 0..3 {
            let started: Vec<Slot> = (0..500).map(|_| yard.start(0)).collect();
            for slot in &started {
                yard.finish(*slot);
            }
            for slot in started.iter().step_by(3) {
                yard.rerun(*slot);
            }
            let mut victims = yard.evict_n(500);
            victims.sort_unstable();
            let mut expected = started;
            expected.sort_unstable();
            assert_eq!(victims, expected, "{}, round {round}", policy.name);
        }
    }
}

#[test]
fn slots_are_used_again_without_memory_of_who_was_there() {
    for policy in EVICTION {
        let mut yard = Yard::new(policy, functions());
        let mut dice = Dice::new(4);
        for step in 0..2_000 {
            let function = dice.below(FUNCTIONS) as u32;
            let slot = if dice.below(4) == 0 { yard.load(function) } else { yard.run(function) };
            assert_eq!(slot, 0, "{}, step {step}", policy.name);
            match dice.below(3) {
                0 => yard.fail(slot),
                1 => assert_eq!(yard.evict(), slot),
                _ => {
                    yard.reuse(slot);
                    yard.fail(slot);
                }
            }
        }
    }
}

#[test]
fn a_single_idle_container_among_busy_ones_is_found() {
    for policy in EVICTION {
        let mut yard = Yard::new(policy, functions());
        let mut dice = Dice::new(8);
        let mut busy: Vec<Slot> = (0..200).map(|at| yard.start(at % FUNCTIONS as u32)).collect();
        for step in 0..2_000 {
            yard.wait(1);
            let slot = busy.swap_remove(dice.below(200) as usize);
            while !yard.tables.container(slot).is_evictable() {
                yard.finish(slot);
            }
            if dice.below(2) == 0 {
                assert_eq!(yard.evict(), slot, "{}, step {step}", policy.name);
                busy.push(yard.start(dice.below(FUNCTIONS) as u32));
            } else {
                yard.reuse(slot);
                busy.push(slot);
            }
        }
    }
}

#[test]
fn a_storm_covers_every_event() {
    let mut yard = Yard::new(&EVICTION[0], functions());
    let mut storm = Storm::new(2);
    let mut seen = [false; 6];
    let mut shared = false;
    for _ in 0..2_000 {
        match storm.step(&mut yard, FUNCTIONS) {
            Event::Started(_) => seen[0] = true,
            Event::Reused(slot) => {
                seen[1] = true;
                shared |= yard.tables.container(slot).active() > 1;
            }
            Event::Finished(_) => seen[2] = true,
            Event::Loaded(_) => seen[3] = true,
            Event::Failed(_) => seen[4] = true,
            Event::Evicted(_) => seen[5] = true,
            Event::Nothing => {}
        }
    }
    assert!(shared && seen == [true; 6], "{seen:?}");
}

#[test]
fn names_are_distinct_and_everything_is_documented() {
    let eviction = EVICTION.iter().map(|p| (p.name, p.summary, p.source, p.params));
    let keep_alive = KEEP_ALIVE.iter().map(|p| (p.name, p.summary, p.source, p.params));
    let mut names = Vec::new();
    for (name, summary, source, params) in eviction.chain(keep_alive) {
        assert!(name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-'), "{name}");
        assert!(!summary.is_empty() && !source.is_empty(), "{name}");
        assert!(summary.len() <= 90, "{name}: its summary is a line in a table");
        assert!(params.iter().all(|param| !param.help.is_empty() && !param.default.is_empty()), "{name}");
        names.push(name);
    }
    names.sort_unstable();
    assert!(names.windows(2).all(|pair| pair[0] != pair[1]), "{names:?}");
}

#[test]
fn defaults_are_read_and_nonsense_is_refused() {
    let nonsense = Value::Text("nonsense".to_owned());
    for policy in EVICTION {
        let make = |params: &mut Params<'_>| drop((policy.make)(params, MAKING));
        check_params(policy.name, policy.params, &nonsense, &make);
    }
    for policy in KEEP_ALIVE {
        let make = |params: &mut Params<'_>| drop((policy.make)(params, MAKING));
        check_params(policy.name, policy.params, &nonsense, &make);
    }
}

fn check_params(
    policy: &str,
    known: &'static [super::Param],
    nonsense: &Value,
    make: &dyn Fn(&mut Params<'_>),
) {
    let mut params = Params::new(known, &[]);
    make(&mut params);
    assert_eq!(params.into_errors(), [], "{policy}");
    let names = known.iter().map(|param| param.name).chain(["no-such-parameter"]);
    for name in names {
        let given = [(name.to_owned(), nonsense.clone())];
        let mut params = Params::new(known, &given);
        make(&mut params);
        let errors = params.into_errors();
        assert_eq!(errors.len(), 1, "{policy}: {name}: {errors:?}");
        assert_eq!(errors[0].name, name, "{policy}");
        assert!(errors[0].message.contains("nonsense") || errors[0].message.contains(name), "{errors:?}");
    }
}

#[test]
fn leases_are_given_to_anybody_at_any_time() {
    for policy in KEEP_ALIVE {
        for times in [Times::Declared, Times::ObservedMean] {
            let mut params = Params::new(policy.params, &[]);
            let mut keep_alive = (policy.make)(&mut params, MAKING);
            let mut yard = Yard::learning(&EVICTION[0], functions(), times);
            let mut dice = Dice::new(6);
            let mut now = Time::ZERO;
            for step in 0..20_000 {
                let function = dice.below(FUNCTIONS) as u32;
                now += Span::from_ms(1 << dice.below(27));
                keep_alive.on_arrival(now, crate::ids::FunctionId(function));
                let slot = if dice.below(5) == 0 { yard.load(function) } else { yard.run_for(function, 50) };
                let ahead = dice.below(4) == 0;
                let lease = keep_alive.lease(now, &yard.tables, slot, ahead);
                assert!(
                    !(ahead && lease.load_after.is_some()),
                    "{}, step {step}: would load for ever",
                    policy.name
                );
                assert_ne!(lease.load_after, Some(Span::ZERO), "{}, step {step}", policy.name);
                yard.fail(slot);
            }
        }
    }
}
