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
//! count `active` drifts, an entry goes when that count says so, and an action without an entry has
//! the priority 0/0. Must never be improved: it is compared with recorded cases bit for bit.
//!
//! * **Several containers of an action** tie; among them the one that became idle first goes first.
//! * **Busy containers** are no candidates. The order of the candidates is fixed when an eviction
//!   begins, although clock and entries change with every victim.
//! * **Ties** between actions likewise go to the container that became idle first; NaN comes last.
//! * **An entry is an object** that the pool fetches when an activation arrives and stores when it
//!   is placed. If the eviction in between deletes the entry, storing the object undoes that.
//! * **Times** are the fork's own maxima in whole ms under [`Times::ObservedMax`]; otherwise the mean in
//!   whole ms, or what the function declares.
//! * **Complexity**: O(1) per invocation, amortised O(log a) per victim and per action changed since
//!   the last eviction, for a actions. The fork sorts all containers each time, with the same result.

use super::heap::Heap;
use super::{Evict, EvictionPolicy};
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

/// A time of an action as observed so far.
#[derive(Clone, Copy, Default, Debug)]
struct Observed {
    ms: i64,
    sum_ms: i64,
    seen: i64,
}

impl Observed {
    fn observe(&mut self, ms: i64, times: Times) {
        self.seen += 1;
        self.sum_ms += ms;
        match times {
            Times::ObservedMax => self.ms = self.ms.max(ms),
            Times::ObservedMean => self.ms = (self.sum_ms + self.seen / 2) / self.seen,
            Times::Declared => {}
        }
    }
}

/// The fork's `TrackedAction`.
#[derive(Clone, Copy, Default, Debug)]
struct Entry {
    lastcalled: f64,
    invocations: i64,
    cold: Observed,
    warm: Observed,
    memory: f64,
    active: i64,
}

impl Entry {
    fn priority(&self) -> f64 {
        let saved = self.invocations.wrapping_mul(self.cold.ms - self.warm.ms);
        self.lastcalled + saved as f64 / self.memory
    }
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

/// Everything kept per action.
#[derive(Clone, Copy, Debug)]
struct Action {
    entry: Entry,
    /// Whether the entry is stored; if not, `entry` means nothing.
    stored: bool,
    /// On the list of changed ones.
    changed: bool,
    /// Its evictable containers, first idle first.
    first: Slot,
    last: Slot,
    cold_hits: u64,
    warm_hits: u64,
}

impl Action {
    const NEW: Action = Action {
        entry: Entry {
            lastcalled: 0.0,
            invocations: 0,
            cold: Observed { ms: 0, sum_ms: 0, seen: 0 },
            warm: Observed { ms: 0, sum_ms: 0, seen: 0 },
            memory: 0.0,
            active: 0,
        },
        stored: false,
        changed: false,
        first: NO_SLOT,
        last: NO_SLOT,
        cold_hits: 0,
        warm_hits: 0,
    };

    /// The fork puts a fresh entry, whose priority is 0/0, in the place of a missing one. The one NaN
    /// that `total_cmp` puts last is returned for all of them.
    fn priority(&self) -> f64 {
        let priority = if self.stored { self.entry.priority() } else { f64::NAN };
        if priority.is_nan() { f64::NAN } else { priority }
    }
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
    containers: Vec<Container>,
    idles: u64,
    /// Actions that have evictable containers, by priority and by their first container's rank.
    heap: Heap,
    /// Actions whose place in the heap is to be found again before the next eviction.
    changed: Vec<ActionId>,
    /// An eviction has begun, and the order is fixed.
    evicting: bool,
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
            containers: Vec::new(),
            idles: 0,
            heap: Heap::default(),
            changed: Vec::new(),
            evicting: false,
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
        self.actions.get(action.ix()).map_or(0, |action| action.cold_hits)
    }

    /// The action's part of [`FaasCache::warm_hits`].
    pub fn warm_hits_of(&self, action: ActionId) -> u64 {
        self.actions.get(action.ix()).map_or(0, |action| action.warm_hits)
    }

    /// The action's stored entry.
    pub fn tracked(&self, action: ActionId) -> Option<Tracked> {
        let action = self.actions.get(action.ix()).filter(|action| action.stored)?;
        let Entry { lastcalled, invocations, cold, warm, memory, active } = action.entry;
        let priority = action.priority();
        Some(Tracked {
            lastcalled,
            invocations,
            cold_ms: cold.ms,
            warm_ms: warm.ms,
            memory,
            active,
            priority,
        })
    }

    fn meet_actions(&mut self, tables: &Tables) {
        if self.actions.is_empty() {
            self.actions.resize(tables.actions(), Action::NEW);
        }
    }

    /// The action's priority has changed, or the first of an action's evictable containers.
    #[inline]
    fn note_change(&mut self, action: ActionId) {
        let record = &mut self.actions[action.ix()];
        if !record.changed {
            record.changed = true;
            self.changed.push(action);
        }
    }

    /// A fresh entry, not stored.
    fn fresh(&self, tables: &Tables, function: FunctionId) -> Entry {
        let mut entry = Entry::default();
        if self.tracking.times == Times::Declared {
            let spec = tables.spec(function);
            entry.cold.ms = spec.cold.whole_ms() as i64;
            entry.warm.ms = spec.warm.whole_ms() as i64;
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
    fn unlink(&mut self, slot: Slot) -> Option<ActionId> {
        let container = self.containers.get_mut(slot as usize)?;
        let action = container.idle_in.take()?;
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
        if prev == NO_SLOT {
            self.note_change(action);
        }
        Some(action)
    }

    /// What an eviction does to clock and entry, before the victim is removed from the pool (§8.3).
    fn charge(&mut self, action: ActionId) {
        self.clock = contagious_max(self.actions[action.ix()].priority(), self.clock);
        let record = &mut self.actions[action.ix()];
        if record.stored && self.tracking.forget && record.entry.active <= 1 {
            self.delete(action);
        } else if record.stored {
            record.entry.active -= 1;
        }
        self.note_change(action);
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
    fn on_request(&mut self, tables: &Tables, function: FunctionId) {
        self.meet_actions(tables);
        self.evicting = false;
        let action = tables.action(function);
        let memory = f64::from(tables.memory_mib(function));
        let record = &mut self.actions[action.ix()];
        let own = if record.stored {
            // Another namespace's function is the same action, with the same memory as a rule.
            if record.entry.memory != memory {
                record.entry.memory = memory;
                self.note_change(action);
            }
            None
        } else {
            Some(Entry { memory, ..self.fresh(tables, function) })
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
        }
        self.actions[action.ix()].entry.active -= 1;
        self.note_change(action);
    }

    fn on_dispatch(&mut self, tables: &Tables, slot: Slot, start: StartState) {
        let function = tables.function_of(slot);
        let action = tables.action(function);
        if self.fetched.is_none_or(|fetched| fetched.action != action) {
            self.on_request(tables, function);
        }
        self.evicting = false;
        let (weight, clock) = (i64::from(self.tracking.invocation_weight), self.clock);
        let own = self.fetched.take().and_then(|fetched| fetched.own);
        let record = &mut self.actions[action.ix()];
        if let Some(entry) = own {
            record.entry = entry;
            record.stored = true;
        }
        record.entry.invocations += weight;
        record.entry.lastcalled = clock;
        match start {
            StartState::Cold | StartState::Recreated => {
                record.entry.active += 1;
                record.cold_hits += 1;
                self.cold_hits += 1;
            }
            StartState::Warmed => {
                record.warm_hits += 1;
                self.warm_hits += 1;
            }
            _ => {}
        }
        self.note_change(action);
        if self.containers.len() <= slot as usize {
            self.containers.resize(slot as usize + 1, ABSENT);
        }
        self.unlink(slot);
        self.containers[slot as usize].was_warm = start == StartState::Warmed;
    }

    fn on_done(&mut self, tables: &Tables, slot: Slot, elapsed: Span) {
        let action = tables.action(tables.function_of(slot));
        let record = &mut self.actions[action.ix()];
        if record.stored {
            let was_warm = self.containers[slot as usize].was_warm;
            let observed = if was_warm { &mut record.entry.warm } else { &mut record.entry.cold };
            observed.observe(elapsed.whole_ms() as i64, self.tracking.times);
            self.note_change(action);
        }
    }

    fn on_idle(&mut self, tables: &Tables, slot: Slot) {
        self.meet_actions(tables);
        if self.containers.len() <= slot as usize {
            self.containers.resize(slot as usize + 1, ABSENT);
        }
        self.unlink(slot);
        self.evicting = false;
        self.idles += 1;
        let action = tables.action(tables.function_of(slot));
        let record = &mut self.actions[action.ix()];
        let prev = std::mem::replace(&mut record.last, slot);
        let container = &mut self.containers[slot as usize];
        *container =
            Container { idle_rank: self.idles, next: NO_SLOT, prev, idle_in: Some(action), ..*container };
        if prev == NO_SLOT {
            record.first = slot;
            self.note_change(action);
        } else {
            self.containers[prev as usize].next = slot;
        }
    }

    fn on_gone(&mut self, tables: &Tables, slot: Slot, evicted: bool) {
        let idle_in = self.unlink(slot);
        if let Some(container) = self.containers.get_mut(slot as usize) {
            *container = ABSENT;
        }
        if !evicted {
            self.evicting = false;
            return;
        }
        let action = idle_in.unwrap_or_else(|| tables.action(tables.function_of(slot)));
        self.charge(action);
        // The victim came from the top. Its action stays there, with the priority it had when the
        // eviction began, until its next container's turn has come.
        match self.actions[action.ix()].first {
            NO_SLOT => self.heap.remove(action.0),
            next => {
                if let Some(top) = self.heap.top().filter(|top| top.id == action.0) {
                    self.heap.rekey_top(top.key, self.containers[next as usize].idle_rank);
                }
            }
        }
    }

    fn on_pressure(&mut self, _tables: &Tables) {
        while let Some(action) = self.changed.pop() {
            let record = &mut self.actions[action.ix()];
            record.changed = false;
            match record.first {
                NO_SLOT => self.heap.remove(action.0),
                first => {
                    self.heap.push(action.0, record.priority(), self.containers[first as usize].idle_rank)
                }
            }
        }
        self.evicting = true;
    }

    fn pick(&mut self, tables: &Tables) -> Slot {
        if !self.evicting {
            self.on_pressure(tables);
        }
        let top =
            self.heap.top().expect("the pool asks only while one is evictable, so its action is in the heap");
        self.actions[top.id as usize].first
    }
}

#[cfg(test)]
mod tests;
