//! `faascache`: the eviction of FaasCache's fork of OpenWhisk, with all its peculiarities.
//!
//! ```text
//! priority = lastcalled + invocations · (cold − warm) / memory       (integer product, float quotient)
//! clock   := max(clock, priority of the victim)                      (NaN is contagious)
//! ```
//!
//! Source: the fork at 38ff898 and 3b8a26f, which belongs to Fuerst & Sharma, ASPLOS'21
//! (docs/specs/openwhisk.md §8.1–8.3). This is what the fork does, not what the paper says (that is
//! `greedy-dual`): all containers of an action share one priority, stamps are taken per action, the
//! count `active` drifts, an entry goes when that count says so, and an action without an entry has the
//! priority 0/0. Must never be improved: it is compared with recorded cases bit for bit.
//!
//! * **Several containers of an action** tie; among them the one that became idle first goes first.
//! * **Busy containers** are no candidates. The order of the candidates is fixed when an eviction
//!   begins, although clock and entries change with every victim.
//! * **Ties** between actions likewise go to the container that became idle first; NaN comes last.
//! * **An entry is an object** that the pool fetches when an activation arrives and stores when it is
//!   placed. If the eviction in between deletes the entry, storing the object undoes that.
//! * **Times** are the fork's own maxima in whole ms under [`Times::ObservedMax`]; otherwise the mean
//!   in whole ms, or what the function declares.
//! * **Complexity**: O(1) per invocation, amortised O(log a) per victim and per action whose priority
//!   fell, for a actions. The fork sorts all containers each time, with the same result.

use super::heap::Heap;
use super::{Evict, EvictionPolicy, Wants};
use crate::ids::{ActionId, FunctionId, NO_SLOT, Slot};
use crate::pool::boundary::StartState;
use crate::pool::rules::{Times, Tracking};
use crate::pool::tables::Tables;
use crate::time::Span;

/// The registry's line.
pub const POLICY: EvictionPolicy = EvictionPolicy {
    name: "faascache",
    summary: "what FaasCache's fork of OpenWhisk does, to the letter",
    source: "FaasCache fork of OpenWhisk, 2020 (ASPLOS'21)",
    params: &[],
    make: |_, making| Box::new(FaasCache::new(making.tracking)),
};

/// The fork's `TrackedAction`. A time is a sum over the number seen; the largest time seen is kept as a
/// sum of one.
#[derive(Clone, Copy, Default, Debug)]
struct Entry {
    lastcalled: f64,
    invocations: i64,
    cold_sum_ms: u64,
    warm_sum_ms: u64,
    colds: u32,
    warms: u32,
    memory_mib: u32,
    active: i32,
}

impl Entry {
    fn cold_ms(&self) -> i64 {
        rounded_mean(self.cold_sum_ms, self.colds)
    }

    fn warm_ms(&self) -> i64 {
        rounded_mean(self.warm_sum_ms, self.warms)
    }

    fn observe(&mut self, warm: bool, ms: u64, times: Times) {
        let (sum_ms, seen) = if warm {
            (&mut self.warm_sum_ms, &mut self.warms)
        } else {
            (&mut self.cold_sum_ms, &mut self.colds)
        };
        match times {
            Times::ObservedMax => (*sum_ms, *seen) = ((*sum_ms).max(ms), 1),
            Times::ObservedMean => (*sum_ms, *seen) = (*sum_ms + ms, *seen + 1),
            Times::Declared => {}
        }
    }

    fn priority(&self) -> f64 {
        let saved = self.invocations.wrapping_mul(self.cold_ms() - self.warm_ms());
        self.lastcalled + saved as f64 / f64::from(self.memory_mib)
    }
}

fn rounded_mean(sum: u64, seen: u32) -> i64 {
    if seen <= 1 { sum as i64 } else { ((sum + u64::from(seen / 2)) / u64::from(seen)) as i64 }
}

/// What is known of an action, for tests and reports.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Tracked {
    /// The clock when it was last placed.
    pub lastcalled: f64,
    /// Invocations times [`Tracking::invocation_weight`].
    pub invocations: i64,
    /// Cold time, ms.
    pub cold_ms: i64,
    /// Warm time, ms.
    pub warm_ms: i64,
    /// Memory, MiB; 0 until it was requested.
    pub memory: f64,
    /// Containers believed to be alive; may be wrong, and negative.
    pub active: i64,
    /// Its present priority; may be NaN.
    pub priority: f64,
}

/// What is kept per action.
#[derive(Clone, Copy, Debug)]
struct Action {
    entry: Entry,
    /// Its evictable containers, first idle first.
    first: Slot,
    last: Slot,
    /// Whether the entry is stored; if not, `entry` means nothing.
    stored: bool,
    /// On the list of those to be pushed.
    fell: bool,
}

const _: () = assert!(size_of::<Action>() == 64, "an action is a cache line");

impl Action {
    fn new() -> Action {
        Action { entry: Entry::default(), first: NO_SLOT, last: NO_SLOT, stored: false, fell: false }
    }

    /// The fork puts a fresh entry, whose priority is 0/0, in the place of a missing one. The one NaN
    /// that `total_cmp` puts last is returned for all of them.
    fn priority(&self) -> f64 {
        let priority = if self.stored { self.entry.priority() } else { f64::NAN };
        if priority.is_nan() { f64::NAN } else { priority }
    }
}

/// What is kept per action but seldom needed.
#[derive(Clone, Copy, Default, Debug)]
struct Aside {
    cold_hits: u64,
    warm_hits: u64,
    /// The eviction in which it had a victim last …
    eviction: u64,
    /// … and the priority it had when that eviction began.
    priority_then: f64,
}

#[derive(Clone, Copy, Debug)]
struct Container {
    /// When it became idle, as a running number.
    idle_rank: u64,
    next: Slot,
    prev: Slot,
    /// Evictable, and in the list of this action.
    idle_in: Option<ActionId>,
    /// Its last dispatch found it warm.
    was_warm: bool,
}

const ABSENT: Container =
    Container { idle_rank: 0, next: NO_SLOT, prev: NO_SLOT, idle_in: None, was_warm: false };

/// The entry of the activation that is being placed.
#[derive(Clone, Copy, Debug)]
struct Fetched {
    action: ActionId,
    /// The object itself, unless it is the stored one.
    own: Option<Entry>,
}

/// The policy.
#[derive(Debug)]
pub struct FaasCache {
    tracking: Tracking,
    clock: f64,
    cold_hits: u64,
    warm_hits: u64,
    fetched: Option<Fetched>,
    actions: Vec<Action>,
    asides: Vec<Aside>,
    containers: Vec<Container>,
    idles: u64,
    /// Actions with evictable containers, by priority and by their first container's rank. Keys are
    /// lower bounds, as in `lazy_heap`.
    heap: Heap,
    /// Actions that are not in the heap, or whose priority may have fallen below their key.
    fallen: Vec<ActionId>,
    evictions: u64,
}

impl FaasCache {
    fn new(tracking: Tracking) -> FaasCache {
        FaasCache {
            tracking,
            clock: 0.0,
            cold_hits: 0,
            warm_hits: 0,
            fetched: None,
            actions: Vec::new(),
            asides: Vec::new(),
            containers: Vec::new(),
            idles: 0,
            heap: Heap::default(),
            fallen: Vec::new(),
            evictions: 0,
        }
    }

    /// The logical clock; NaN once a container of an action without entry was evicted.
    pub fn clock(&self) -> f64 {
        self.clock
    }

    /// Activations placed as `cold` or `recreated`.
    pub fn cold_hits(&self) -> u64 {
        self.cold_hits
    }

    /// Activations placed as `warmed`.
    pub fn warm_hits(&self) -> u64 {
        self.warm_hits
    }

    /// The action's part of [`FaasCache::cold_hits`].
    pub fn cold_hits_of(&self, action: ActionId) -> u64 {
        self.asides.get(action.ix()).map_or(0, |aside| aside.cold_hits)
    }

    /// The action's part of [`FaasCache::warm_hits`].
    pub fn warm_hits_of(&self, action: ActionId) -> u64 {
        self.asides.get(action.ix()).map_or(0, |aside| aside.warm_hits)
    }

    /// The action's stored entry.
    pub fn tracked(&self, action: ActionId) -> Option<Tracked> {
        let action = self.actions.get(action.ix()).filter(|action| action.stored)?;
        let entry = action.entry;
        Some(Tracked {
            lastcalled: entry.lastcalled,
            invocations: entry.invocations,
            cold_ms: entry.cold_ms(),
            warm_ms: entry.warm_ms(),
            memory: f64::from(entry.memory_mib),
            active: i64::from(entry.active),
            priority: action.priority(),
        })
    }

    fn meet_actions(&mut self, tables: &Tables) {
        if self.actions.is_empty() {
            self.actions.resize(tables.actions(), Action::new());
            self.asides.resize(tables.actions(), Aside::default());
        }
    }

    /// The action is to be pushed before the next eviction.
    fn note_fall(&mut self, action: ActionId) {
        let record = &mut self.actions[action.ix()];
        if !record.fell {
            record.fell = true;
            self.fallen.push(action);
        }
    }

    /// A fresh entry, not stored.
    fn fresh(&self, tables: &Tables, function: FunctionId) -> Entry {
        let mut entry = Entry::default();
        if self.tracking.times == Times::Declared {
            let spec = tables.spec(function);
            entry.cold_sum_ms = spec.cold.whole_ms();
            entry.warm_sum_ms = spec.warm.whole_ms();
        }
        entry
    }

    /// The entry goes for good, unless the activation that is being placed holds the same object.
    fn delete(&mut self, action: ActionId) {
        let record = &mut self.actions[action.ix()];
        record.stored = false;
        let entry = record.entry;
        if let Some(fetched) = &mut self.fetched
            && fetched.action == action
            && fetched.own.is_none()
        {
            fetched.own = Some(entry);
        }
    }

    /// Takes a container out of its action's list of evictable ones.
    #[inline]
    fn unlink(&mut self, slot: Slot) {
        let Some(container) = self.containers.get_mut(slot as usize) else { return };
        let Some(action) = container.idle_in.take() else { return };
        let Container { next, prev, .. } = *container;
        let record = &mut self.actions[action.ix()];
        match prev {
            NO_SLOT => record.first = next,
            prev => self.containers[prev as usize].next = next,
        }
        match next {
            NO_SLOT => record.last = prev,
            next => self.containers[next as usize].prev = prev,
        }
    }

    /// By what the action's first evictable container is ordered in the eviction under way.
    fn place(&self, action: ActionId) -> Option<(f64, u64)> {
        let first = self.actions[action.ix()].first;
        let rank = self.containers.get(first as usize)?.idle_rank;
        let aside = &self.asides[action.ix()];
        let had_victim = aside.eviction == self.evictions;
        let priority = if had_victim { aside.priority_then } else { self.actions[action.ix()].priority() };
        Some((priority, rank))
    }
}

/// `math.max` of the JVM: NaN if either is, and 0 above −0.
fn contagious_max(a: f64, b: f64) -> f64 {
    if a.is_nan() || b.is_nan() {
        f64::NAN
    } else if a.total_cmp(&b).is_ge() {
        a
    } else {
        b
    }
}

impl Evict for FaasCache {
    fn wants(&self) -> Wants {
        Wants { requests: true, ends: true }
    }

    fn on_request(&mut self, tables: &Tables, function: FunctionId) {
        self.meet_actions(tables);
        let action = tables.action(function);
        let memory_mib = tables.memory_mib(function);
        let record = &mut self.actions[action.ix()];
        let own = if record.stored {
            // Functions of one action have the same memory as a rule.
            if record.entry.memory_mib != memory_mib {
                record.entry.memory_mib = memory_mib;
                self.note_fall(action);
            }
            None
        } else {
            Some(Entry { memory_mib, ..self.fresh(tables, function) })
        };
        self.fetched = Some(Fetched { action, own });
    }

    fn on_prewarm_taken(&mut self, tables: &Tables, function: FunctionId) {
        self.meet_actions(tables);
        let action = tables.action(function);
        if !self.actions[action.ix()].stored {
            let entry = self.fresh(tables, function);
            let record = &mut self.actions[action.ix()];
            record.entry = entry;
            record.stored = true;
            self.note_fall(action);
        }
        self.actions[action.ix()].entry.active -= 1;
    }

    fn on_dispatch(&mut self, tables: &Tables, slot: Slot, start: StartState) {
        let function = tables.function_of(slot);
        let action = tables.action(function);
        if self.fetched.is_none_or(|fetched| fetched.action != action) {
            self.on_request(tables, function);
        }
        let own = self.fetched.take().and_then(|fetched| fetched.own);
        let record = &mut self.actions[action.ix()];
        if let Some(entry) = own {
            record.entry = entry;
            record.stored = true;
        }
        let entry = &mut record.entry;
        entry.invocations += i64::from(self.tracking.invocation_weight);
        entry.lastcalled = self.clock;
        match start {
            StartState::Cold | StartState::Recreated => {
                entry.active += 1;
                self.asides[action.ix()].cold_hits += 1;
                self.cold_hits += 1;
            }
            StartState::Warmed => {
                self.asides[action.ix()].warm_hits += 1;
                self.warm_hits += 1;
            }
            _ => {}
        }
        // The priority falls if another object is stored, or if warm starts take longer than cold ones.
        if own.is_some() || entry.cold_ms() < entry.warm_ms() {
            self.note_fall(action);
        }
        if self.containers.len() <= slot as usize {
            self.containers.resize(slot as usize + 1, ABSENT);
        }
        self.unlink(slot);
        self.containers[slot as usize].was_warm = start == StartState::Warmed;
    }

    fn on_done(&mut self, tables: &Tables, slot: Slot, elapsed: Span) {
        let action = tables.action(tables.function_of(slot));
        let warm = self.containers[slot as usize].was_warm;
        let record = &mut self.actions[action.ix()];
        if record.stored {
            let saved_before_ms = record.entry.cold_ms() - record.entry.warm_ms();
            record.entry.observe(warm, elapsed.whole_ms(), self.tracking.times);
            if record.entry.cold_ms() - record.entry.warm_ms() < saved_before_ms {
                self.note_fall(action);
            }
        }
    }

    fn on_idle(&mut self, tables: &Tables, slot: Slot) {
        self.meet_actions(tables);
        if self.containers.len() <= slot as usize {
            self.containers.resize(slot as usize + 1, ABSENT);
        }
        self.unlink(slot);
        self.idles += 1;
        let action = tables.action(tables.function_of(slot));
        let record = &mut self.actions[action.ix()];
        let prev = std::mem::replace(&mut record.last, slot);
        let container = &mut self.containers[slot as usize];
        *container =
            Container { idle_rank: self.idles, next: NO_SLOT, prev, idle_in: Some(action), ..*container };
        if prev != NO_SLOT {
            self.containers[prev as usize].next = slot;
            return;
        }
        record.first = slot;
        if !self.heap.contains(action.0) {
            self.note_fall(action);
        }
    }

    fn on_gone(&mut self, tables: &Tables, slot: Slot, evicted: bool) {
        self.unlink(slot);
        if let Some(container) = self.containers.get_mut(slot as usize) {
            *container = ABSENT;
        }
        if !evicted {
            return;
        }
        // The rest is what an eviction does to clock and entry (docs/specs/openwhisk.md §8.3).
        let action = tables.action(tables.function_of(slot));
        let record = &mut self.actions[action.ix()];
        self.clock = contagious_max(record.priority(), self.clock);
        if record.stored && self.tracking.forget && record.entry.active <= 1 {
            self.delete(action);
        } else if record.stored {
            record.entry.active -= 1;
        }
    }

    fn on_pressure(&mut self, _tables: &Tables) {
        self.evictions += 1;
        while let Some(action) = self.fallen.pop() {
            self.actions[action.ix()].fell = false;
            match self.place(action) {
                Some((priority, rank)) => self.heap.push(action.0, priority, rank),
                None => self.heap.remove(action.0),
            }
        }
    }

    fn pick(&mut self, tables: &Tables) -> Slot {
        if !self.fallen.is_empty() {
            self.on_pressure(tables);
        }
        loop {
            let top =
                self.heap.top().expect("the pool asks only while one is evictable, so its action is in");
            let action = ActionId(top.id);
            match self.place(action) {
                None => self.heap.remove(top.id),
                Some((priority, rank)) if priority.to_bits() == top.key.to_bits() && rank == top.rank => {
                    let aside = &mut self.asides[action.ix()];
                    (aside.eviction, aside.priority_then) = (self.evictions, priority);
                    return self.actions[action.ix()].first;
                }
                Some((priority, rank)) => self.heap.rekey_top(priority, rank),
            }
        }
    }
}

#[cfg(test)]
mod tests;
