//! The fork's eviction: a recorded run, the peculiarities one by one, and random traces against a literal
//! transcription (objects in a map, everything sorted at each eviction). Must never be made to agree
//! by changing the transcription alone.

use std::collections::BTreeMap;

use super::super::registry::Making;
use super::super::testing::{Event, MAKING, Storm, Yard, function};
use super::*;
use crate::pool::tables::FunctionSpec;

const TRACKING: Tracking = Tracking { invocation_weight: 2, times: Times::ObservedMax, forget: true };

fn yard(functions: Vec<FunctionSpec>) -> Yard {
    Yard::made(&POLICY, functions, Making { tracking: TRACKING, ..MAKING })
}

fn tracked(yard: &Yard, action: u32) -> Tracked {
    yard.policy::<FaasCache>().tracked(ActionId(action)).expect("an entry")
}

fn is_tracked(yard: &Yard, action: u32) -> bool {
    yard.policy::<FaasCache>().tracked(ActionId(action)).is_some()
}

#[test]
fn eviction_follows_the_priority_not_recency() {
    // F, G and H of 256 MB in a pool of 512 MB, as the fork runs them.
    let mut yard = yard(vec![function(256, 0, 0); 3]);
    let f = yard.start(0);
    let entry = Tracked {
        lastcalled: 0.0,
        invocations: 2,
        cold_ms: 0,
        warm_ms: 0,
        memory: 256.0,
        active: 1,
        priority: 0.0,
    };
    assert_eq!(tracked(&yard, 0), entry);
    yard.finish_after(f, 2000);
    assert_eq!(tracked(&yard, 0), Tracked { cold_ms: 2000, priority: 15.625, ..entry });
    let g = yard.run_for(1, 500);
    assert_eq!(tracked(&yard, 1), Tracked { cold_ms: 500, priority: 3.90625, ..entry });
    yard.reuse(f);
    assert_eq!(tracked(&yard, 0).priority, 31.25);
    yard.finish_after(f, 100);
    assert_eq!(tracked(&yard, 0).priority, 29.6875);
    yard.reuse(g);
    assert_eq!(tracked(&yard, 1).priority, 7.8125);
    yard.finish_after(g, 100);
    assert_eq!(tracked(&yard, 1).priority, 6.25);

    yard.request(2);
    assert_eq!(yard.evict(), g);
    yard.start_as(2, StartState::Recreated);
    let policy: &FaasCache = yard.policy();
    assert_eq!((policy.clock(), policy.cold_hits(), policy.warm_hits()), (6.25, 3, 2));
    assert_eq!([0, 1, 2].map(|at| policy.cold_hits_of(ActionId(at))), [1, 1, 1]);
    assert_eq!([0, 1, 2].map(|at| policy.warm_hits_of(ActionId(at))), [1, 1, 0]);
    assert!(!is_tracked(&yard, 1));
    assert_eq!(tracked(&yard, 2), Tracked { lastcalled: 6.25, priority: 6.25, ..entry });
}

#[test]
fn a_deleted_entry_leaves_nan_behind() {
    let mut yard = yard(vec![function(256, 0, 0); 2]);
    let [a, clone] = [yard.start(0), yard.start(0)];
    yard.finish_after(a, 100);
    yard.finish(clone);
    // A prewarm is taken for the action: active is one too low from then on.
    yard.request(0);
    yard.take_prewarm(0);
    let third = yard.start_as(0, StartState::Prewarmed);
    assert_eq!(tracked(&yard, 0).active, 1);
    assert_eq!(yard.policy::<FaasCache>().cold_hits(), 2, "prewarmed is neither cold nor warm");
    let other = yard.run_for(1, 900);
    // The first victim deletes the entry, the second finds none.
    yard.press();
    assert_eq!(yard.evict_next(), a);
    assert!(!is_tracked(&yard, 0));
    assert!(!yard.policy::<FaasCache>().clock().is_nan());
    assert_eq!(yard.evict_next(), clone, "the order was fixed before");
    assert!(yard.policy::<FaasCache>().clock().is_nan());
    // What has no entry comes last, also after what has one.
    yard.finish(third);
    assert!(!is_tracked(&yard, 0), "its time is discarded");
    assert_eq!(yard.evict_n(2), [other, third]);
    let late = yard.run(1);
    assert!(tracked(&yard, 1).lastcalled.is_nan(), "and stays in the clock for ever");
    assert_eq!(yard.evict(), late);
}

#[test]
fn the_evicting_action_keeps_its_history() {
    // Two namespaces' functions of one action.
    let mut functions = vec![function(256, 0, 0); 2];
    functions[1].action = ActionId(0);
    let mut yard = Yard::with_actions(&POLICY, functions, Making { tracking: TRACKING, ..MAKING });
    let first = yard.run_for(0, 1000);
    yard.request(1);
    assert_eq!(yard.evict(), first);
    assert!(!is_tracked(&yard, 0), "deleted");
    yard.start_as(1, StartState::Recreated);
    let entry = tracked(&yard, 0);
    // 2 · 1000 / 256 is what the clock rose to.
    assert_eq!((entry.invocations, entry.cold_ms, entry.lastcalled), (4, 1000, 7.8125));
    assert_eq!(entry.active, 2, "the one that is gone still counts");
}

#[test]
fn an_entry_made_by_a_prewarm_is_overwritten() {
    let mut yard = yard(vec![function(256, 0, 0)]);
    yard.request(0);
    yard.take_prewarm(0);
    assert_eq!((tracked(&yard, 0).active, tracked(&yard, 0).memory), (-1, 0.0));
    assert!(tracked(&yard, 0).priority.is_nan());
    yard.start_as(0, StartState::Prewarmed);
    assert_eq!((tracked(&yard, 0).active, tracked(&yard, 0).memory), (0, 256.0));
    // The next time the entry is there, and the same object.
    yard.request(0);
    yard.take_prewarm(0);
    yard.start_as(0, StartState::Prewarmed);
    assert_eq!((tracked(&yard, 0).active, tracked(&yard, 0).invocations), (-1, 4));
}

#[test]
fn containers_of_an_action_go_in_the_order_of_becoming_idle() {
    let mut yard = yard(vec![function(256, 0, 0); 2]);
    let [a, b, c] = [yard.start(0), yard.start(0), yard.start(1)];
    yard.finish(c);
    yard.finish(b);
    yard.finish(a);
    // All priorities are 0: idle order, across actions.
    assert_eq!(yard.evict_n(3), [c, b, a]);
}

#[test]
fn a_dispatch_can_lower_the_priority() {
    let mut yard = yard(vec![function(256, 0, 0); 2]);
    // Two containers each; warm starts take longer than cold ones.
    let [a, b, c, d] =
        [yard.run_for(0, 100), yard.run_for(0, 100), yard.run_for(1, 100), yard.run_for(1, 100)];
    for (slot, warm_ms) in [(b, 300), (d, 280)] {
        yard.reuse(slot);
        yard.finish_after(slot, warm_ms);
    }
    assert_eq!((tracked(&yard, 0).priority, tracked(&yard, 1).priority), (-4.6875, -4.21875));
    yard.press();
    yard.reuse(d);
    assert_eq!(tracked(&yard, 1).priority, -5.625);
    assert_eq!(yard.evict_n(2), [c, a]);
}

#[test]
fn a_failure_changes_no_entry() {
    let mut yard = yard(vec![function(256, 0, 0); 2]);
    let a = yard.run_for(0, 300);
    let before = tracked(&yard, 0);
    yard.fail(a);
    assert_eq!(tracked(&yard, 0), before);
    let again = yard.run_for(0, 300);
    assert_eq!(tracked(&yard, 0).active, 2, "too high");
    assert_eq!(yard.evict(), again);
    assert!(is_tracked(&yard, 0), "and so the entry outlives the last container");
}

#[test]
fn other_times_and_no_forgetting() {
    for (times, cold_ms) in [(Times::Declared, 700), (Times::ObservedMean, 300), (Times::ObservedMax, 400)] {
        let tracking = Tracking { times, ..TRACKING };
        let mut yard = Yard::made(&POLICY, vec![function(256, 700, 50)], Making { tracking, ..MAKING });
        yard.run_for(0, 400);
        yard.run_for(0, 200);
        assert_eq!(tracked(&yard, 0).cold_ms, cold_ms, "{times:?}");
    }
    let tracking = Tracking { forget: false, ..TRACKING };
    let mut yard = Yard::made(&POLICY, vec![function(256, 700, 50)], Making { tracking, ..MAKING });
    yard.run_for(0, 400);
    yard.evict();
    assert_eq!((tracked(&yard, 0).invocations, tracked(&yard, 0).cold_ms), (2, 400));
}

#[test]
fn the_maximum_is_that_of_the_jvm() {
    assert_eq!(contagious_max(1.0, 2.0), 2.0);
    assert!(contagious_max(f64::NAN, 2.0).is_nan() && contagious_max(2.0, f64::NAN).is_nan());
    assert_eq!(contagious_max(-0.0, 0.0).to_bits(), 0.0_f64.to_bits());
    assert_eq!(contagious_max(f64::INFINITY, 0.0), f64::INFINITY);
}

/// The fork's code with objects as indices into `objects`.
#[derive(Default)]
struct Transcription {
    objects: Vec<Plain>,
    stored: BTreeMap<u32, usize>,
    fetched: usize,
    clock: f64,
    /// Evictable containers in the order of becoming idle.
    idle: Vec<(Slot, u32)>,
    warm: BTreeMap<Slot, bool>,
}

#[derive(Clone, Copy, Default)]
struct Plain {
    lastcalled: f64,
    invocations: i64,
    cold_ms: i64,
    warm_ms: i64,
    memory: f64,
    active: i64,
}

impl Plain {
    fn priority(&self) -> f64 {
        self.lastcalled + (self.invocations * (self.cold_ms - self.warm_ms)) as f64 / self.memory
    }
}

impl Transcription {
    fn object_or_fresh(&mut self, action: u32) -> usize {
        self.stored.get(&action).copied().unwrap_or_else(|| {
            self.objects.push(Plain::default());
            self.objects.len() - 1
        })
    }

    fn request(&mut self, action: u32, memory: f64) {
        self.fetched = self.object_or_fresh(action);
        self.objects[self.fetched].memory = memory;
    }

    fn prewarm_taken(&mut self, action: u32) {
        let object = self.object_or_fresh(action);
        self.objects[object].active -= 1;
        self.stored.insert(action, object);
    }

    fn dispatch(&mut self, slot: Slot, action: u32, start: StartState) {
        self.idle.retain(|(idle, _)| *idle != slot);
        self.warm.insert(slot, start == StartState::Warmed);
        let clock = self.clock;
        let object = &mut self.objects[self.fetched];
        object.invocations += 2;
        object.active += i64::from(start.creates());
        object.lastcalled = clock;
        self.stored.insert(action, self.fetched);
    }

    fn done(&mut self, slot: Slot, action: u32, ms: i64) {
        if let Some(object) = self.stored.get(&action) {
            let object = &mut self.objects[*object];
            let time = if self.warm[&slot] { &mut object.warm_ms } else { &mut object.cold_ms };
            *time = (*time).max(ms);
        }
    }

    /// All candidates in the order in which they would be evicted now.
    fn order(&mut self) -> Vec<(Slot, u32)> {
        let priority = |action: &u32| {
            let priority =
                self.stored.get(action).map_or(f64::NAN, |object| self.objects[*object].priority());
            if priority.is_nan() { f64::NAN } else { priority }
        };
        let mut order = self.idle.clone();
        order.sort_by(|(_, a), (_, b)| priority(a).total_cmp(&priority(b)));
        order
    }

    fn evict(&mut self, slot: Slot, action: u32) {
        self.idle.retain(|(idle, _)| *idle != slot);
        let object = self.object_or_fresh(action);
        let priority = self.objects[object].priority();
        self.clock =
            if priority.is_nan() || self.clock.is_nan() { f64::NAN } else { self.clock.max(priority) };
        if self.objects[object].active <= 1 {
            self.stored.remove(&action);
        } else {
            self.objects[object].active -= 1;
        }
    }
}

/// Six functions of four actions.
fn functions() -> Vec<FunctionSpec> {
    [(0, 128), (1, 256), (2, 512), (3, 128), (0, 128), (1, 256)]
        .map(|(action, memory)| FunctionSpec {
            action: ActionId(action),
            max_concurrent: 1 + (action as u16 % 2),
            ..function(memory, 0, 0)
        })
        .to_vec()
}

#[test]
fn random_traces_agree_with_the_transcription() {
    let functions = functions();
    for seed in 0..60 {
        let making = Making { tracking: TRACKING, ..MAKING };
        let mut yard = Yard::with_actions(&POLICY, functions.clone(), making);
        let mut naive = Transcription::default();
        let mut storm = Storm::new(seed);
        // Without prewarms and loads in even seeds, so that the clock stays a number.
        let stray = seed % 2 == 1;
        storm.loads = stray;
        for step in 0..600 {
            if storm.dice.below(8) == 0 {
                pressure(&mut yard, &mut naive, &mut storm, stray);
            } else {
                follow(&mut yard, &mut naive, &mut storm);
            }
            compare(&yard, &naive, seed, step);
        }
        assert!(stray || !naive.clock.is_nan());
    }
}

fn action_of(yard: &Yard, slot: Slot) -> u32 {
    yard.tables.action(yard.tables.function_of(slot)).0
}

/// One random step, told to the transcription too.
fn follow(yard: &mut Yard, naive: &mut Transcription, storm: &mut Storm) {
    let order = naive.order();
    let event = storm.step(yard, 6);
    match event {
        Event::Started(slot) | Event::Reused(slot) => {
            let action = action_of(yard, slot);
            naive.request(action, f64::from(yard.tables.container(slot).memory_mib()));
            naive.dispatch(slot, action, yard.last_start(slot));
        }
        Event::Finished(slot) => {
            let action = action_of(yard, slot);
            naive.done(slot, action, yard.last_elapsed_ms(slot) as i64);
            if yard.tables.container(slot).is_evictable() {
                naive.idle.push((slot, action));
            }
        }
        Event::Loaded(slot) => naive.idle.push((slot, action_of(yard, slot))),
        Event::Failed(slot) => naive.idle.retain(|(idle, _)| *idle != slot),
        Event::Evicted(slot) => {
            assert_eq!(slot, order[0].0);
            naive.evict(slot, order[0].1);
        }
        Event::Nothing => {}
    }
}

/// An activation arrives, several containers go for it, and it is placed, perhaps in a prewarm.
fn pressure(yard: &mut Yard, naive: &mut Transcription, storm: &mut Storm, prewarms: bool) {
    let function = storm.dice.below(6) as u32;
    let spec = yard.tables.spec(crate::ids::FunctionId(function)).clone();
    yard.request(function);
    naive.request(spec.action.0, spec.memory.0 as f64);
    let order = naive.order();
    yard.press();
    for (expected, action) in order.iter().take(storm.dice.below(5) as usize) {
        assert_eq!(yard.evict_next(), *expected);
        naive.evict(*expected, *action);
        storm.evicted(*expected);
    }
    let start = if prewarms && storm.dice.below(3) == 0 {
        yard.take_prewarm(function);
        naive.prewarm_taken(spec.action.0);
        StartState::RecreatedPrewarm
    } else {
        StartState::Recreated
    };
    let slot = yard.start_as(function, start);
    naive.dispatch(slot, spec.action.0, start);
    storm.busy.push(slot);
}

fn compare(yard: &Yard, naive: &Transcription, seed: u64, step: u64) {
    let policy: &FaasCache = yard.policy();
    let bits = |x: f64| if x.is_nan() { None } else { Some(x.to_bits()) };
    assert_eq!(bits(policy.clock()), bits(naive.clock), "clock, seed {seed}, step {step}");
    for action in 0..4 {
        let ours = policy.tracked(ActionId(action)).map(|t| {
            (
                bits(t.lastcalled),
                t.invocations,
                t.cold_ms,
                t.warm_ms,
                bits(t.memory),
                t.active,
                bits(t.priority),
            )
        });
        let theirs = naive.stored.get(&action).map(|object| {
            let o = naive.objects[*object];
            (
                bits(o.lastcalled),
                o.invocations,
                o.cold_ms,
                o.warm_ms,
                bits(o.memory),
                o.active,
                bits(o.priority()),
            )
        });
        assert_eq!(ours, theirs, "action {action}, seed {seed}, step {step}");
    }
}
