//! The published scheduler (§2, §3, §4): what each invocation does to the pool, in the published order.
//!
//! Everything the next decision depends on is here: the heap, the running containers, the clock. It must neither
//! skip a heap rebuild nor reorder arithmetic, because both show in the results.

use std::collections::HashSet;

use super::heap::Heap;
use super::hist::History;
use super::report::Report;
use super::{Event, EventKind, Function, InputError, Observer, Outcome, Policy};

const TTL_MS: f64 = 600_000.0;
const LONG_TTL_MS: f64 = 7_200_000.0;

/// One run of the published simulator: functions, a policy and a memory size, fed with invocations in trace order.
pub struct Simulator {
    policy: Policy,
    capacity_mb: f64,
    now_ms: f64,
    clock: f64,
    used_mb: f64,
    functions: Vec<State>,
    containers: Vec<Container>,
    vacant: Vec<u32>,
    pool: Heap,
    running: Vec<Running>,
    next_finish_ms: f64,
    histories: Histories,
    report: Report,
    scratch: Scratch,
}

/// A function with its containers in the pool.
struct State {
    memory_mb: f64,
    cold_ms: f64,
    warm_ms: f64,
    containers: Vec<u32>,
    idle: usize,
    /// The F of §4: invocations served by the containers that are in the pool now.
    freq: u64,
}

struct Container {
    function: u32,
    /// Where the container is in its function's list.
    rank: u32,
    idle: bool,
    freq: u64,
    last_ms: f64,
}

struct Running {
    finish_ms: f64,
    slot: u32,
}

/// HIST state in order of first appearance, with the prewarm deadlines side by side for a quick scan.
#[derive(Default)]
struct Histories {
    index_of: Vec<Option<u32>>,
    functions: Vec<u32>,
    prewarm_until_ms: Vec<f64>,
    histories: Vec<History>,
}

/// Buffers kept between invocations so that none allocates.
#[derive(Default)]
struct Scratch {
    finished: Vec<u32>,
    expired: Vec<(u32, u32)>,
    set_aside: Vec<(f64, u32)>,
}

impl Simulator {
    /// Starts with an empty pool of `capacity_mb` MB.
    ///
    /// # Errors
    ///
    /// Refuses functions of the same name, memory that is not above zero, durations that are negative or not finite,
    /// and a capacity that is negative or not a number.
    pub fn new(functions: &[Function], policy: Policy, capacity_mb: f64) -> Result<Simulator, InputError> {
        check_functions(functions)?;
        if capacity_mb.is_nan() || capacity_mb < 0.0 {
            return Err(InputError::Capacity { capacity_mb });
        }
        let state = |function: &Function| State {
            memory_mb: function.memory_mb,
            cold_ms: function.cold_ms,
            warm_ms: function.warm_ms,
            containers: Vec::new(),
            idle: 0,
            freq: 0,
        };
        Ok(Simulator {
            policy,
            capacity_mb,
            now_ms: 0.0,
            clock: 0.0,
            used_mb: 0.0,
            functions: functions.iter().map(state).collect(),
            containers: Vec::new(),
            vacant: Vec::new(),
            pool: Heap::default(),
            running: Vec::new(),
            next_finish_ms: f64::INFINITY,
            histories: Histories { index_of: vec![None; functions.len()], ..Histories::default() },
            report: Report::new(functions),
            scratch: Scratch::default(),
        })
    }

    /// Carries out one invocation (§2). Times are taken as they come, in trace order, even if they run backwards.
    ///
    /// # Errors
    ///
    /// Refuses an index without a function, a time that is not finite, and under HIST a step back in time beyond the
    /// histogram. The simulation is unchanged then.
    pub fn step(
        &mut self,
        function: u32,
        time_ms: f64,
        observer: &mut impl Observer,
    ) -> Result<Outcome, InputError> {
        self.check_invocation(function, time_ms)?;
        self.now_ms = time_ms;
        self.complete(observer);
        if self.policy == Policy::Hist {
            self.prewarm(observer);
            self.histories.arrive(function, time_ms);
        }
        let outcome = if let Some(slot) = self.reuse(function, observer) {
            self.access(slot, self.functions[function as usize].warm_ms);
            Outcome::Hit
        } else if let Some(slot) = self.create(function, observer) {
            self.access(slot, self.functions[function as usize].cold_ms);
            Outcome::Miss
        } else {
            Outcome::Drop
        };
        self.report.count(function, outcome);
        self.report.peak_pool = self.report.peak_pool.max(self.pool.len());
        self.report.peak_memory_mb = self.report.peak_memory_mb.max(self.used_mb);
        Ok(outcome)
    }

    /// Ends the simulation and says how it went.
    pub fn finish(self) -> Report {
        let mut report = self.report;
        report.final_clock = self.clock;
        report.final_memory_mb = self.used_mb;
        report.final_pool = self.pool.len();
        report.final_running = self.running.len();
        report
    }

    fn check_invocation(&self, function: u32, time_ms: f64) -> Result<(), InputError> {
        if function as usize >= self.functions.len() {
            return Err(InputError::UnknownFunction { index: function, functions: self.functions.len() });
        }
        if !time_ms.is_finite() {
            return Err(InputError::Time { time_ms });
        }
        match self.histories.of(function) {
            Some(history) if !history.accepts(time_ms) => {
                Err(InputError::Backwards { time_ms, last_seen_ms: history.last_seen_ms() })
            }
            _ => Ok(()),
        }
    }

    /// Notices what has finished by now (§2.2).
    fn complete(&mut self, observer: &mut impl Observer) {
        let now = self.now_ms;
        if now >= self.next_finish_ms {
            let mut finished = std::mem::take(&mut self.scratch.finished);
            let mut next = f64::INFINITY;
            self.running.retain(|run| {
                let done = now >= run.finish_ms;
                if done {
                    finished.push(run.slot);
                } else {
                    next = next.min(run.finish_ms);
                }
                !done
            });
            self.next_finish_ms = next;
            for slot in finished.drain(..) {
                let container = &mut self.containers[slot as usize];
                container.idle = true;
                let function = container.function;
                self.functions[function as usize].idle += 1;
                if self.histories.of(function).is_some_and(History::unloads) {
                    self.observe(EventKind::HistUnload, slot, self.pool.priority(slot), observer);
                    self.report.hist_unloads += 1;
                    self.remove(slot);
                }
            }
            self.scratch.finished = finished;
        }
        self.pool.heapify();
    }

    /// Adds containers ahead of predicted invocations, at every arrival until the prediction is over (§5.3).
    fn prewarm(&mut self, observer: &mut impl Observer) {
        for index in 0..self.histories.functions.len() {
            if self.histories.prewarm_until_ms[index] < self.now_ms {
                continue;
            }
            let function = self.histories.functions[index];
            if self.functions[function as usize].memory_mb + self.used_mb <= self.capacity_mb {
                let slot = self.insert(function, self.now_ms);
                self.report.prewarm_added += 1;
                self.observe(EventKind::PrewarmAdd, slot, self.now_ms, observer);
            } else {
                self.report.prewarm_rejected += 1;
                observer.event(&Event {
                    kind: EventKind::PrewarmReject,
                    invocation: self.report.counts.invocations(),
                    time_ms: self.now_ms,
                    function,
                    priority: 0.0,
                    freq: 0,
                    last_access_ms: 0.0,
                });
            }
        }
    }

    /// Finds an idle container of the function, the first in the heap array, after purging expired ones (§2.4-2.6).
    fn reuse(&mut self, function: u32, observer: &mut impl Observer) -> Option<u32> {
        let state = &self.functions[function as usize];
        if state.idle == 0 {
            return None;
        }
        let ttl_ms = match self.policy {
            Policy::Ttl => TTL_MS,
            Policy::LongTtl => LONG_TTL_MS,
            Policy::Hist => self.histories.of(function).map_or(f64::INFINITY, History::ttl_ms),
            _ => f64::INFINITY,
        };
        let mut expired = std::mem::take(&mut self.scratch.expired);
        let mut first: Option<(u32, u32)> = None;
        for &slot in &state.containers {
            let container = &self.containers[slot as usize];
            if !container.idle {
                continue;
            }
            let candidate = (self.pool.position(slot), slot);
            if container.last_ms + ttl_ms < self.now_ms {
                expired.push(candidate);
            } else if first.is_none_or(|first| candidate < first) {
                first = Some(candidate);
            }
        }
        expired.sort_unstable();
        for (_, slot) in expired.drain(..) {
            self.observe(EventKind::Expired, slot, self.pool.priority(slot), observer);
            self.report.evict_expired += 1;
            self.report.evicted(function);
            self.remove(slot);
        }
        self.scratch.expired = expired;
        if matches!(self.policy, Policy::Ttl | Policy::LongTtl) {
            self.pool.heapify();
        }
        first.map(|(_, slot)| slot)
    }

    /// Makes a container if there is room or room can be made (§2.7).
    fn create(&mut self, function: u32, observer: &mut impl Observer) -> Option<u32> {
        let memory_mb = self.functions[function as usize].memory_mb;
        if memory_mb + self.used_mb > self.capacity_mb {
            self.evict(memory_mb, observer);
            if memory_mb + self.used_mb > self.capacity_mb {
                return None;
            }
        }
        let slot = self.insert(function, self.priority(function));
        self.pool.heapify();
        Some(slot)
    }

    /// Evicts idle containers worth `need_mb`, the full size of the new one (§3).
    fn evict(&mut self, need_mb: f64, observer: &mut impl Observer) {
        if self.running.len() == self.pool.len() {
            return;
        }
        match self.policy {
            Policy::All => return,
            Policy::Landlord => self.charge_rent(),
            _ => {}
        }
        let mut set_aside = std::mem::take(&mut self.scratch.set_aside);
        let mut need_mb = need_mb;
        while need_mb > 0.0 {
            let Some((priority, slot)) = self.pool.pop() else { break };
            let Container { function, idle, .. } = self.containers[slot as usize];
            if !idle {
                set_aside.push((priority, slot));
                continue;
            }
            need_mb -= self.functions[function as usize].memory_mb;
            self.observe(EventKind::Pressure, slot, priority, observer);
            self.report.evict_pressure += 1;
            self.report.evicted(function);
            self.forget(slot);
            self.clock = priority;
        }
        for (priority, slot) in set_aside.drain(..) {
            self.pool.push(priority, slot);
        }
        self.scratch.set_aside = set_aside;
    }

    /// Landlord: every container pays for its memory what the poorest by memory can pay (§4.7).
    fn charge_rent(&mut self) {
        let memory_mb =
            |slot: u32| self.functions[self.containers[slot as usize].function as usize].memory_mb;
        let rent =
            self.pool.iter().map(|(credit, slot)| credit / memory_mb(slot)).fold(f64::INFINITY, f64::min);
        self.pool.update(|credit, slot| credit - rent * memory_mb(slot));
        self.pool.heapify();
    }

    /// Books an access on a container and gives all containers of its function its priority (§2.8).
    fn access(&mut self, slot: u32, duration_ms: f64) {
        let container = &mut self.containers[slot as usize];
        container.freq += 1;
        container.last_ms = self.now_ms;
        container.idle = false;
        let function = container.function;
        let state = &mut self.functions[function as usize];
        state.freq += 1;
        state.idle -= 1;
        let finish_ms = self.now_ms + duration_ms;
        self.running.push(Running { finish_ms, slot });
        self.next_finish_ms = self.next_finish_ms.min(finish_ms);
        let priority = self.priority(function);
        for &clone in &self.functions[function as usize].containers {
            self.pool.write(clone, priority);
        }
        self.pool.heapify();
    }

    /// The priority of a container of the function that is accessed or created now (§4).
    fn priority(&self, function: u32) -> f64 {
        let State { memory_mb, cold_ms, warm_ms, freq, .. } = self.functions[function as usize];
        let freq = freq as f64;
        match self.policy {
            Policy::GreedyDual => self.clock + freq * ((cold_ms - warm_ms) / memory_mb),
            Policy::Freq => self.clock + freq * (cold_ms - warm_ms),
            Policy::Size => self.clock + freq / memory_mb,
            Policy::Landlord => warm_ms,
            Policy::Lru | Policy::Ttl | Policy::LongTtl | Policy::Hist | Policy::All => self.now_ms,
        }
    }

    /// Puts a fresh idle container in the pool, without rebuilding the heap.
    fn insert(&mut self, function: u32, priority: f64) -> u32 {
        let state = &mut self.functions[function as usize];
        let rank = index(state.containers.len());
        let container = Container { function, rank, idle: true, freq: 0, last_ms: self.now_ms };
        let slot = if let Some(slot) = self.vacant.pop() {
            self.containers[slot as usize] = container;
            slot
        } else {
            self.containers.push(container);
            index(self.containers.len() - 1)
        };
        state.containers.push(slot);
        state.idle += 1;
        self.used_mb += state.memory_mb;
        self.pool.push(priority, slot);
        slot
    }

    /// Takes an idle container out of the pool (§1.6).
    fn remove(&mut self, slot: u32) {
        self.forget(slot);
        self.pool.remove(slot);
    }

    /// Gives up an idle container's memory and its place among its clones, but not its place in the heap.
    fn forget(&mut self, slot: u32) {
        let Container { function, rank, freq, .. } = self.containers[slot as usize];
        let state = &mut self.functions[function as usize];
        state.containers.swap_remove(rank as usize);
        if let Some(&moved) = state.containers.get(rank as usize) {
            self.containers[moved as usize].rank = rank;
        }
        state.idle -= 1;
        state.freq -= freq;
        self.used_mb -= state.memory_mb;
        self.vacant.push(slot);
    }

    #[inline]
    fn observe(&self, kind: EventKind, slot: u32, priority: f64, observer: &mut impl Observer) {
        let container = &self.containers[slot as usize];
        observer.event(&Event {
            kind,
            invocation: self.report.counts.invocations(),
            time_ms: self.now_ms,
            function: container.function,
            priority,
            freq: container.freq,
            last_access_ms: container.last_ms,
        });
    }
}

impl Histories {
    fn of(&self, function: u32) -> Option<&History> {
        self.index_of[function as usize].map(|index| &self.histories[index as usize])
    }

    fn arrive(&mut self, function: u32, now_ms: f64) {
        if let Some(at) = self.index_of[function as usize] {
            let history = &mut self.histories[at as usize];
            history.arrive(now_ms);
            self.prewarm_until_ms[at as usize] = history.prewarm_until_ms();
        } else {
            self.index_of[function as usize] = Some(index(self.histories.len()));
            let history = History::new(now_ms);
            self.functions.push(function);
            self.prewarm_until_ms.push(history.prewarm_until_ms());
            self.histories.push(history);
        }
    }
}

fn index(at: usize) -> u32 {
    u32::try_from(at).expect("memory runs out before 2^32 containers of one simulation")
}

fn check_functions(functions: &[Function]) -> Result<(), InputError> {
    if u32::try_from(functions.len()).is_err() {
        return Err(InputError::TooManyFunctions);
    }
    let mut names = HashSet::with_capacity(functions.len());
    for Function { name, memory_mb, cold_ms, warm_ms } in functions {
        if !names.insert(name) {
            return Err(InputError::DuplicateFunction { name: name.clone() });
        }
        for (field, value) in [("memory_mb", *memory_mb), ("cold_ms", *cold_ms), ("warm_ms", *warm_ms)] {
            if !value.is_finite() || value < 0.0 || (field == "memory_mb" && value == 0.0) {
                return Err(InputError::FunctionNumber { name: name.clone(), field, value });
            }
        }
    }
    Ok(())
}
