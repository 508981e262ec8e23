//! What tests of eviction policies share: [`Yard`], a pool reduced to its tables, which tells a policy
//! what the real pool would in the order it would; and [`Dice`], a small generator. Must never decide
//! who is evicted.

use std::any::Any;

use super::registry::Making;
use super::{Evict, EvictionPolicy, Params};
use crate::ids::{ActionId, FunctionId, KindId, Slot};
use crate::memory::Memory;
use crate::pool::boundary::StartState;
use crate::pool::rules::{Times, Tracking};
use crate::pool::tables::{FunctionSpec, Tables};
use crate::time::{Span, Time};

/// SplitMix64 (Steele, Lea & Flood, OOPSLA'14).
pub(crate) struct Dice(u64);

impl Dice {
    pub fn new(seed: u64) -> Dice {
        Dice(seed)
    }

    /// A number from 0 to `n` − 1.
    pub fn below(&mut self, n: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % n
    }
}

/// A function; functions given to one [`Yard`] are numbered as actions in turn.
pub(crate) fn function(memory_mib: u64, cold_ms: u64, warm_ms: u64) -> FunctionSpec {
    FunctionSpec {
        action: ActionId(0),
        memory: Memory(memory_mib),
        kind: KindId(0),
        max_concurrent: 1,
        logs: false,
        cold: Span::from_ms(cold_ms),
        warm: Span::from_ms(warm_ms),
    }
}

const TRACKING: Tracking = Tracking { invocation_weight: 1, times: Times::Declared, forget: true };
/// What a policy is made with where it does not matter.
pub(crate) const MAKING: Making = Making { seed: 1, tracking: TRACKING, capacity_mib: 1024 };

/// Containers and a policy that is told about them.
pub(crate) struct Yard {
    pub tables: Tables,
    policy: Box<dyn Evict>,
    now: Time,
    /// Time and start state of the last dispatch by slot.
    last: Vec<(Time, StartState)>,
}

impl Yard {
    pub fn new(policy: &EvictionPolicy, functions: Vec<FunctionSpec>) -> Yard {
        Yard::made(policy, functions, MAKING)
    }

    pub fn seeded(policy: &EvictionPolicy, functions: Vec<FunctionSpec>, seed: u64) -> Yard {
        Yard::made(policy, functions, Making { seed, ..MAKING })
    }

    pub fn with_capacity(policy: &EvictionPolicy, functions: Vec<FunctionSpec>, capacity_mib: u64) -> Yard {
        Yard::made(policy, functions, Making { capacity_mib, ..MAKING })
    }

    pub fn forgetting(policy: &EvictionPolicy, functions: Vec<FunctionSpec>, forget: bool) -> Yard {
        Yard::made(policy, functions, Making { tracking: Tracking { forget, ..TRACKING }, ..MAKING })
    }

    pub fn learning(policy: &EvictionPolicy, functions: Vec<FunctionSpec>, times: Times) -> Yard {
        Yard::made(policy, functions, Making { tracking: Tracking { times, ..TRACKING }, ..MAKING })
    }

    /// Each function becomes an action of its own.
    pub fn made(policy: &EvictionPolicy, mut functions: Vec<FunctionSpec>, making: Making) -> Yard {
        for (at, function) in (0..).zip(&mut functions) {
            function.action = ActionId(at);
        }
        Yard::with_actions(policy, functions, making)
    }

    /// Functions belong to the actions that they name.
    pub fn with_actions(policy: &EvictionPolicy, functions: Vec<FunctionSpec>, making: Making) -> Yard {
        let mut params = Params::new(policy.params, &[]);
        let made = (policy.make)(&mut params, making);
        assert_eq!(params.into_errors(), [], "the defaults of {}", policy.name);
        let tables = Tables::new(functions, making.tracking.times);
        Yard { tables, policy: made, now: Time::ZERO, last: Vec::new() }
    }

    /// The policy itself.
    pub fn policy<P: Evict>(&self) -> &P {
        let policy: &dyn Any = &*self.policy;
        policy.downcast_ref().expect("the policy that was made")
    }

    /// Lets time pass.
    pub fn wait(&mut self, ms: u64) {
        self.now += Span::from_ms(ms);
    }

    pub fn function_of(&self, slot: Slot) -> u32 {
        self.tables.function_of(slot).0
    }

    /// The pool looks for a place for an activation.
    pub fn request(&mut self, function: u32) {
        if self.policy.wants().requests {
            self.policy.on_request(&self.tables, FunctionId(function));
        }
    }

    /// The start state of the last dispatch.
    pub fn last_start(&self, slot: Slot) -> StartState {
        self.last[slot as usize].1
    }

    /// From the last dispatch until now, in whole ms.
    pub fn last_elapsed_ms(&self, slot: Slot) -> u64 {
        (self.now - self.last[slot as usize].0).whole_ms()
    }

    /// A prewarmed container is taken; a dispatch of `start_as` follows.
    pub fn take_prewarm(&mut self, function: u32) {
        self.policy.on_prewarm_taken(&self.tables, FunctionId(function));
    }

    /// A new container gets its first activation, without a request before it.
    pub fn start_as(&mut self, function: u32, start: StartState) -> Slot {
        let slot = self.tables.test_create(FunctionId(function), self.now);
        self.dispatched(slot, start);
        slot
    }

    /// A new container gets its first activation.
    pub fn start(&mut self, function: u32) -> Slot {
        self.request(function);
        self.start_as(function, StartState::Cold)
    }

    /// A container that is there gets an activation.
    pub fn reuse(&mut self, slot: Slot) {
        self.request(self.function_of(slot));
        let start = if self.tables.container(slot).data() == crate::pool::tables::Data::Warmed {
            StartState::Warmed
        } else {
            StartState::WarmingCold
        };
        self.tables.test_assign(slot, self.now);
        self.dispatched(slot, start);
    }

    fn dispatched(&mut self, slot: Slot, start: StartState) {
        if self.last.len() <= slot as usize {
            self.last.resize(slot as usize + 1, (Time::ZERO, StartState::Cold));
        }
        self.last[slot as usize] = (self.now, start);
        self.policy.on_dispatch(&self.tables, slot, start);
    }

    /// An activation ends now.
    pub fn finish(&mut self, slot: Slot) {
        let (since, start) = self.last[slot as usize];
        let elapsed = self.now - since;
        if self.tables.test_finish(slot, start.is_warm(), elapsed) && self.policy.wants().ends {
            self.policy.on_done(&self.tables, slot, elapsed);
        }
        if self.tables.container(slot).is_evictable() {
            self.policy.on_idle(&self.tables, slot);
        }
    }

    /// An activation ends `ms` after the last dispatch.
    pub fn finish_after(&mut self, slot: Slot, ms: u64) {
        self.now = self.last[slot as usize].0 + Span::from_ms(ms);
        self.finish(slot);
    }

    /// Starts and finishes in no time.
    pub fn run(&mut self, function: u32) -> Slot {
        self.run_for(function, 0)
    }

    /// Starts, and finishes after `ms`.
    pub fn run_for(&mut self, function: u32, ms: u64) -> Slot {
        let slot = self.start(function);
        self.finish_after(slot, ms);
        slot
    }

    /// Reuses and finishes in no time.
    pub fn rerun(&mut self, slot: Slot) {
        self.reuse(slot);
        self.finish(slot);
    }

    /// A container is loaded ahead of time.
    pub fn load(&mut self, function: u32) -> Slot {
        let slot = self.tables.test_load(FunctionId(function));
        self.policy.on_idle(&self.tables, slot);
        slot
    }

    /// A container goes for a reason other than eviction.
    pub fn fail(&mut self, slot: Slot) {
        self.drop(slot, false);
    }

    /// One eviction with one victim.
    pub fn evict(&mut self) -> Slot {
        self.evict_n(1)[0]
    }

    /// One eviction with `n` victims.
    pub fn evict_n(&mut self, n: usize) -> Vec<Slot> {
        self.policy.on_pressure(&self.tables);
        (0..n).map(|_| self.evict_next()).collect()
    }

    /// Begins an eviction whose victims are taken by `evict_next`.
    pub fn press(&mut self) {
        self.policy.on_pressure(&self.tables);
    }

    pub fn evict_next(&mut self) -> Slot {
        let slot = self.policy.pick(&self.tables);
        assert!(self.tables.container(slot).is_evictable(), "the victim {slot} is pinned or gone");
        self.drop(slot, true);
        slot
    }

    fn drop(&mut self, slot: Slot, evicted: bool) {
        self.tables.test_drop(slot);
        self.policy.on_gone(&self.tables, slot, evicted);
        self.tables.test_release(slot);
    }
}

/// Random events over a yard: `ops` times one of start, reuse, finish, load, fail, evict, with what is
/// evictable and what is busy kept beside.
pub(crate) struct Storm {
    pub dice: Dice,
    pub busy: Vec<Slot>,
    pub idle: Vec<Slot>,
    pub victims: Vec<Slot>,
    /// Whether containers are loaded ahead of time.
    pub loads: bool,
}

/// What a storm did in one step.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(crate) enum Event {
    Started(Slot),
    Reused(Slot),
    Finished(Slot),
    Loaded(Slot),
    Failed(Slot),
    Evicted(Slot),
    Nothing,
}

impl Storm {
    pub fn new(seed: u64) -> Storm {
        Storm { dice: Dice::new(seed), busy: Vec::new(), idle: Vec::new(), victims: Vec::new(), loads: true }
    }

    /// One step. Concurrency limits above 1 are used as far as they go.
    pub fn step(&mut self, yard: &mut Yard, functions: u64) -> Event {
        yard.wait(self.dice.below(50));
        match self.dice.below(100) {
            0..25 => {
                // Low numbers are more popular.
                let function = self.dice.below(functions).min(self.dice.below(functions));
                let slot = yard.start(function as u32);
                self.busy.push(slot);
                Event::Started(slot)
            }
            25..50 if !self.idle.is_empty() => {
                let slot = Storm::draw(&mut self.dice, &mut self.idle);
                yard.reuse(slot);
                self.busy.push(slot);
                Event::Reused(slot)
            }
            50..55 if !self.busy.is_empty() => {
                let slot = self.busy[self.dice.below(self.busy.len() as u64) as usize];
                let limit = yard.tables.max_concurrent(yard.tables.function_of(slot));
                if yard.tables.container(slot).active() == limit {
                    return Event::Nothing;
                }
                yard.reuse(slot);
                self.busy.push(slot);
                Event::Reused(slot)
            }
            55..80 if !self.busy.is_empty() => {
                let slot = Storm::draw(&mut self.dice, &mut self.busy);
                yard.finish(slot);
                if !self.busy.contains(&slot) {
                    self.idle.push(slot);
                }
                Event::Finished(slot)
            }
            80..83 if self.loads => {
                let slot = yard.load(self.dice.below(functions) as u32);
                self.idle.push(slot);
                Event::Loaded(slot)
            }
            83..86 if !self.busy.is_empty() => {
                let slot = Storm::draw(&mut self.dice, &mut self.busy);
                self.busy.retain(|busy| *busy != slot);
                yard.fail(slot);
                Event::Failed(slot)
            }
            86..89 if !self.idle.is_empty() => {
                let slot = Storm::draw(&mut self.dice, &mut self.idle);
                yard.fail(slot);
                Event::Failed(slot)
            }
            89..100 if !self.idle.is_empty() => {
                let slot = yard.evict();
                self.evicted(slot);
                Event::Evicted(slot)
            }
            _ => Event::Nothing,
        }
    }

    /// Notes that a container was evicted.
    pub fn evicted(&mut self, slot: Slot) {
        let at = self.idle.iter().position(|idle| *idle == slot).expect("the victim was evictable");
        self.idle.swap_remove(at);
        self.victims.push(slot);
    }

    fn draw(dice: &mut Dice, slots: &mut Vec<Slot>) -> Slot {
        slots.swap_remove(dice.below(slots.len() as u64) as usize)
    }
}
