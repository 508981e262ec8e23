//! Functions and containers as flat tables, as the placement side of the pool sees them. Owns the
//! records and the per-function lists of containers with room; must never decide anything.

use crate::ids::{ActionId, FunctionId, KindId, NO_SLOT, Slot};
use crate::memory::Memory;
use crate::pool::rules::{Reuse, Times};
use crate::time::{Span, Time};

/// What the pool knows of a function from the start.
#[derive(Clone, PartialEq, Debug)]
pub struct FunctionSpec {
    /// The action behind it.
    pub action: ActionId,
    /// Memory limit.
    pub memory: Memory,
    /// Runtime kind, for prewarmed containers.
    pub kind: KindId,
    /// Most activations at once in one container (at least 1).
    pub max_concurrent: u16,
    /// Whether logs are collected after each run (log limit above 0, docs/specs/openwhisk.md §4.4).
    pub logs: bool,
    /// Run time of a cold invocation, as declared.
    pub cold: Span,
    /// Run time of a warm invocation, as declared.
    pub warm: Span,
}

/// The part of a function that every placement touches.
#[derive(Clone, Copy, Debug)]
struct FunctionRecord {
    /// Containers with room for one more activation, first freed first.
    first: Slot,
    last: Slot,
    memory_mib: u32,
    max_concurrent: u16,
    kind: KindId,
}

/// What the pool keeps of a container (docs/specs/openwhisk.md §3, "data").
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Data {
    /// Memory reserved, nothing assigned.
    Memory,
    /// Up, without code.
    Prewarmed,
    /// A former prewarm, assigned, not yet initialised.
    Warming,
    /// Assigned, does not exist yet.
    WarmingCold,
    /// Initialised for its function.
    Warmed,
}

impl Data {
    /// The name used in OpenWhisk.
    pub const fn name(self) -> &'static str {
        match self {
            Data::Memory => "memory",
            Data::Prewarmed => "prewarmed",
            Data::Warming => "warming",
            Data::WarmingCold => "warmingCold",
            Data::Warmed => "warmed",
        }
    }
}

/// Which of the pool's sets a container is in (docs/specs/openwhisk.md §5.1).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Home {
    /// None: the slot is unused, or the pool has let go of the container.
    Nowhere,
    /// Has room for one more activation.
    Free,
    /// At its concurrency limit.
    Busy,
    /// A prewarm, ready.
    Prewarmed,
    /// A prewarm being created.
    PrewarmStarting,
}

/// The pool's record of one container.
#[derive(Clone, Copy, Debug)]
pub struct Container {
    last_used: Time,
    function: u32,
    memory_mib: u32,
    next: Slot,
    prev: Slot,
    epoch: u32,
    active: u16,
    data: Data,
    home: Home,
}

const NO_FUNCTION: u32 = u32::MAX;

const _: () = assert!(size_of::<Container>() == 32, "a container record is half a cache line");
const _: () = assert!(size_of::<FunctionRecord>() == 16, "a function record is a quarter of a cache line");

impl Container {
    /// Time of the last dispatch; zero if there was none.
    pub fn last_used(&self) -> Time {
        self.last_used
    }

    /// The function it belongs to; `None` for a prewarm.
    pub fn function(&self) -> Option<FunctionId> {
        (self.function != NO_FUNCTION).then_some(FunctionId(self.function))
    }

    /// Memory it counts with.
    pub fn memory_mib(&self) -> u32 {
        self.memory_mib
    }

    /// Activations assigned and not reported done.
    pub fn active(&self) -> u16 {
        self.active
    }

    /// What it is.
    pub fn data(&self) -> Data {
        self.data
    }

    /// Where it is.
    pub fn home(&self) -> Home {
        self.home
    }

    /// How many containers used this slot before.
    pub fn epoch(&self) -> u32 {
        self.epoch
    }

    /// Whether an eviction may take it: initialised, nothing assigned (docs/specs/openwhisk.md §5.3).
    pub fn is_evictable(&self) -> bool {
        self.data == Data::Warmed && self.active == 0 && self.home == Home::Free
    }
}

/// Cold and warm times of an action as a policy may know them.
#[derive(Clone, Copy, Debug, Default)]
struct Learnt {
    cold_us: f64,
    warm_us: f64,
    colds: u32,
    warms: u32,
}

/// Memory sums in MiB, which [`crate::pool::Pool::audit`] can recount.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Sums {
    /// At their concurrency limit.
    pub busy: u64,
    /// With room, whether idle or not.
    pub free: u64,
    /// The evictable part of `free`.
    pub evictable: u64,
    /// Prewarms, ready.
    pub prewarmed: u64,
    /// Prewarms being created.
    pub starting: u64,
}

/// All functions and containers.
#[derive(Debug)]
pub struct Tables {
    functions: Vec<FunctionRecord>,
    specs: Vec<FunctionSpec>,
    containers: Vec<Container>,
    learnt: Vec<Learnt>,
    times: Times,
    unused: Vec<Slot>,
    pub(super) sums: Sums,
}

impl Tables {
    /// Tables for these functions, without containers.
    pub fn new(specs: Vec<FunctionSpec>, times: Times) -> Tables {
        let functions = specs
            .iter()
            .map(|spec| FunctionRecord {
                first: NO_SLOT,
                last: NO_SLOT,
                memory_mib: spec.memory.0 as u32,
                max_concurrent: spec.max_concurrent.max(1),
                kind: spec.kind,
            })
            .collect();
        let actions = specs.iter().map(|spec| spec.action.ix() + 1).max().unwrap_or(0);
        let mut learnt = vec![Learnt::default(); actions];
        if times == Times::Declared {
            for spec in &specs {
                let entry = &mut learnt[spec.action.ix()];
                entry.cold_us = spec.cold.0 as f64;
                entry.warm_us = spec.warm.0 as f64;
            }
        }
        Tables {
            functions,
            specs,
            containers: Vec::new(),
            learnt,
            times,
            unused: Vec::new(),
            sums: Sums::default(),
        }
    }

    /// How many functions there are.
    pub fn functions(&self) -> usize {
        self.functions.len()
    }

    /// How many actions there are.
    pub fn actions(&self) -> usize {
        self.learnt.len()
    }

    /// How many slots were ever in use at once.
    pub fn slots(&self) -> usize {
        self.containers.len()
    }

    /// What is known of a function from the start.
    pub fn spec(&self, function: FunctionId) -> &FunctionSpec {
        &self.specs[function.ix()]
    }

    /// The action behind a function.
    #[inline]
    pub fn action(&self, function: FunctionId) -> ActionId {
        self.specs[function.ix()].action
    }

    /// Memory of a function in MiB.
    #[inline]
    pub fn memory_mib(&self, function: FunctionId) -> u32 {
        self.functions[function.ix()].memory_mib
    }

    /// Concurrency limit of a function.
    #[inline]
    pub fn max_concurrent(&self, function: FunctionId) -> u16 {
        self.functions[function.ix()].max_concurrent
    }

    /// Runtime kind of a function.
    pub fn kind(&self, function: FunctionId) -> KindId {
        self.functions[function.ix()].kind
    }

    /// The record of a container.
    #[inline]
    pub fn container(&self, slot: Slot) -> &Container {
        &self.containers[slot as usize]
    }

    /// The function of a container.
    ///
    /// # Panics
    /// If the slot holds a prewarm: policies are only told of containers that have a function.
    #[inline]
    pub fn function_of(&self, slot: Slot) -> FunctionId {
        let function = self.containers[slot as usize].function;
        debug_assert_ne!(function, NO_FUNCTION);
        FunctionId(function)
    }

    /// What a cold start of the action costs more than a warm one, in ms; never negative. By
    /// [`Times`] declared or learnt; 0 as long as nothing is known.
    #[inline]
    pub fn cold_cost_ms(&self, action: ActionId) -> f64 {
        let learnt = &self.learnt[action.ix()];
        ((learnt.cold_us - learnt.warm_us) / 1e3).max(0.0)
    }

    /// Learns how long an activation took, from dispatch to the end of log collection.
    pub(super) fn learn(&mut self, action: ActionId, warm: bool, elapsed: Span) {
        if self.times == Times::Declared {
            return;
        }
        let learnt = &mut self.learnt[action.ix()];
        let (value, seen) = if warm {
            (&mut learnt.warm_us, &mut learnt.warms)
        } else {
            (&mut learnt.cold_us, &mut learnt.colds)
        };
        *seen = seen.saturating_add(1);
        let elapsed_us = elapsed.0 as f64;
        match self.times {
            Times::ObservedMax => *value = value.max(elapsed_us),
            Times::ObservedMean => *value += (elapsed_us - *value) / f64::from(*seen),
            Times::Declared => {}
        }
    }

    /// Whether times are learnt at all, so that [`Tables::cold_cost_ms`] can change.
    #[inline]
    pub fn learns(&self) -> bool {
        self.times != Times::Declared
    }

    // ----- changes, for the placement side only -----

    /// A slot for a new container, in no set yet.
    pub(super) fn allot(&mut self, function: Option<FunctionId>, memory_mib: u32) -> Slot {
        let fresh = Container {
            last_used: Time::ZERO,
            function: function.map_or(NO_FUNCTION, |f| f.0),
            memory_mib,
            next: NO_SLOT,
            prev: NO_SLOT,
            epoch: 0,
            active: 0,
            data: Data::Memory,
            home: Home::Nowhere,
        };
        match self.unused.pop() {
            Some(slot) => {
                let record = &mut self.containers[slot as usize];
                *record = Container { epoch: record.epoch.wrapping_add(1), ..fresh };
                slot
            }
            None => {
                self.containers.push(fresh);
                (self.containers.len() - 1) as Slot
            }
        }
    }

    /// Gives a slot back once nothing can refer to it any more.
    pub(super) fn release(&mut self, slot: Slot) {
        debug_assert_eq!(self.containers[slot as usize].home, Home::Nowhere);
        self.unused.push(slot);
    }

    /// Makes a container the function's, with the function's memory.
    pub(super) fn assign_function(&mut self, slot: Slot, function: FunctionId) {
        let memory_mib = self.functions[function.ix()].memory_mib;
        let record = &mut self.containers[slot as usize];
        debug_assert_eq!(record.home, Home::Nowhere);
        record.function = function.0;
        record.memory_mib = memory_mib;
    }

    /// Changes what a container is. Its sums follow.
    #[inline]
    pub(super) fn set_data(&mut self, slot: Slot, data: Data) {
        self.uncount(slot);
        self.containers[slot as usize].data = data;
        self.count(slot);
    }

    /// Assigns one more activation ("next run", docs/specs/openwhisk.md §3).
    #[inline(always)]
    pub(super) fn assign(&mut self, slot: Slot, now: Time, data: Data) -> u16 {
        let function = self.function_of(slot);
        let limit = self.functions[function.ix()].max_concurrent;
        let record = &mut self.containers[slot as usize];
        if limit == 1 && data == Data::Warmed && record.is_evictable() {
            // By far the most frequent change: the container of one activation gets it.
            record.active = 1;
            record.last_used = now;
            record.home = Home::Busy;
            let memory = u64::from(record.memory_mib);
            self.sums.free -= memory;
            self.sums.evictable -= memory;
            self.sums.busy += memory;
            self.unlink(slot);
            return 1;
        }
        self.uncount(slot);
        let record = &mut self.containers[slot as usize];
        record.active += 1;
        record.last_used = now;
        record.data = data;
        let (active, home) = (record.active, record.home);
        let wanted = if active < limit { Home::Free } else { Home::Busy };
        self.move_uncounted(slot, home, wanted);
        active
    }

    /// Reports one activation done: the container is warm and has room again, unless it is over its limit.
    #[inline(always)]
    pub(super) fn finish(&mut self, slot: Slot) -> bool {
        let function = self.function_of(slot);
        let limit = self.functions[function.ix()].max_concurrent;
        let record = &mut self.containers[slot as usize];
        if limit == 1 && record.active == 1 && record.home == Home::Busy {
            // And back, as frequent.
            record.active = 0;
            record.data = Data::Warmed;
            record.home = Home::Free;
            let memory = u64::from(record.memory_mib);
            self.sums.busy -= memory;
            self.sums.free += memory;
            self.sums.evictable += memory;
            self.link_last(slot);
            return true;
        }
        self.uncount(slot);
        let record = &mut self.containers[slot as usize];
        record.active = record.active.saturating_sub(1);
        record.data = Data::Warmed;
        let (active, home) = (record.active, record.home);
        let has_room = active < limit;
        self.move_uncounted(slot, home, if has_room { Home::Free } else { Home::Busy });
        has_room
    }

    /// Moves a container to another set.
    pub(super) fn move_to(&mut self, slot: Slot, home: Home) {
        self.uncount(slot);
        let from = self.containers[slot as usize].home;
        self.move_uncounted(slot, from, home);
    }

    #[inline]
    fn move_uncounted(&mut self, slot: Slot, from: Home, to: Home) {
        if from != to {
            if from == Home::Free {
                self.unlink(slot);
            }
            self.containers[slot as usize].home = to;
            if to == Home::Free {
                self.link_last(slot);
            }
        }
        self.count(slot);
    }

    #[inline]
    fn count(&mut self, slot: Slot) {
        let record = &self.containers[slot as usize];
        let memory = u64::from(record.memory_mib);
        match record.home {
            Home::Nowhere => {}
            Home::Free => {
                self.sums.free += memory;
                if record.is_evictable() {
                    self.sums.evictable += memory;
                }
            }
            Home::Busy => self.sums.busy += memory,
            Home::Prewarmed => self.sums.prewarmed += memory,
            Home::PrewarmStarting => self.sums.starting += memory,
        }
    }

    #[inline]
    fn uncount(&mut self, slot: Slot) {
        let record = &self.containers[slot as usize];
        let memory = u64::from(record.memory_mib);
        match record.home {
            Home::Nowhere => {}
            Home::Free => {
                self.sums.free -= memory;
                if record.is_evictable() {
                    self.sums.evictable -= memory;
                }
            }
            Home::Busy => self.sums.busy -= memory,
            Home::Prewarmed => self.sums.prewarmed -= memory,
            Home::PrewarmStarting => self.sums.starting -= memory,
        }
    }

    // ----- the function's list of containers with room -----

    /// The container with room that comes first for reuse.
    #[inline(always)]
    pub(super) fn next_with_room(&self, function: FunctionId, reuse: Reuse) -> Option<Slot> {
        let record = &self.functions[function.ix()];
        let slot = match reuse {
            Reuse::Oldest => record.first,
            Reuse::Newest => record.last,
        };
        (slot != NO_SLOT).then_some(slot)
    }

    /// Containers with room of a function, first freed first.
    pub(super) fn free_of(&self, function: FunctionId) -> impl Iterator<Item = Slot> + '_ {
        let mut at = self.functions[function.ix()].first;
        std::iter::from_fn(move || {
            let slot = at;
            (slot != NO_SLOT).then(|| {
                at = self.containers[slot as usize].next;
                slot
            })
        })
    }

    /// The same, last freed first.
    pub(super) fn free_of_newest(&self, function: FunctionId) -> impl Iterator<Item = Slot> + '_ {
        let mut at = self.functions[function.ix()].last;
        std::iter::from_fn(move || {
            let slot = at;
            (slot != NO_SLOT).then(|| {
                at = self.containers[slot as usize].prev;
                slot
            })
        })
    }

    #[inline(always)]
    fn link_last(&mut self, slot: Slot) {
        let function = self.containers[slot as usize].function as usize;
        let last = self.functions[function].last;
        let record = &mut self.containers[slot as usize];
        record.prev = last;
        record.next = NO_SLOT;
        if last == NO_SLOT {
            self.functions[function].first = slot;
        } else {
            self.containers[last as usize].next = slot;
        }
        self.functions[function].last = slot;
    }

    #[inline(always)]
    fn unlink(&mut self, slot: Slot) {
        let Container { function, next, prev, .. } = self.containers[slot as usize];
        let function = &mut self.functions[function as usize];
        if prev == NO_SLOT {
            function.first = next;
        } else {
            self.containers[prev as usize].next = next;
        }
        if next == NO_SLOT {
            function.last = prev;
        } else {
            self.containers[next as usize].prev = prev;
        }
    }

    /// The sums counted anew, for [`crate::pool::Pool::audit`].
    pub(super) fn recount(&self) -> Sums {
        let mut sums = Sums::default();
        for record in &self.containers {
            let memory = u64::from(record.memory_mib);
            match record.home {
                Home::Nowhere => {}
                Home::Free => {
                    sums.free += memory;
                    sums.evictable += if record.is_evictable() { memory } else { 0 };
                }
                Home::Busy => sums.busy += memory,
                Home::Prewarmed => sums.prewarmed += memory,
                Home::PrewarmStarting => sums.starting += memory,
            }
        }
        sums
    }
}

#[cfg(test)]
mod testing;
