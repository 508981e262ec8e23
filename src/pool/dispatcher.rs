//! Which container serves which activation: OpenWhisk's ContainerPool (docs/specs/openwhisk.md §5, §6).
//! Owns placement, eviction, the run buffer and prewarming; must never care how a container lives
//! (that is the proxy's) or how long anything takes.

use crate::ids::{ActivationId, ContainerId, FunctionId, KindId, Slot};
use crate::policy::{Evict, Wants};
use crate::pool::boundary::{Action, Departure, Note, Refusal, StartState};
use crate::pool::message::{Message, Out};
use crate::pool::prewarm::{Occasion, Prewarms};
use crate::pool::rules::{EvictionAmount, Reuse, Rules, StemCell, WhenFull};
use crate::pool::tables::{Data, FunctionSpec, Home, Tables};
use crate::pool::waiting::RunBuffer;
use crate::time::{Span, Time};

/// The placement half of the pool.
pub struct Dispatcher {
    rules: Rules,
    capacity_mib: u64,
    tables: Tables,
    waiting: RunBuffer,
    prewarms: Prewarms,
    evict: Box<dyn Evict>,
    wants: Wants,
    /// Start state of each container's last dispatch, kept only where times are learnt.
    last_start: Vec<StartState>,
    /// Whether anything may stand between an arrival and an idle container but the run buffer.
    guarded: bool,
    /// The pool was made smaller, and what was idle was not enough.
    shrinking: bool,
}

impl Dispatcher {
    /// An empty pool of `capacity_mib`.
    pub fn new(
        rules: Rules,
        capacity_mib: u64,
        functions: Vec<FunctionSpec>,
        stem_cells: Vec<StemCell>,
        evict: Box<dyn Evict>,
    ) -> Dispatcher {
        let tables = Tables::new(functions, rules.tracking.times);
        Dispatcher {
            capacity_mib,
            tables,
            waiting: RunBuffer::default(),
            prewarms: Prewarms::new(stem_cells),
            wants: evict.wants(),
            evict,
            last_start: Vec::new(),
            shrinking: false,
            guarded: rules.feed_capacity.is_some() || rules.busy_guard,
            rules,
        }
    }

    /// The rules in force.
    pub fn rules(&self) -> &Rules {
        &self.rules
    }

    /// Functions and containers.
    pub fn tables(&self) -> &Tables {
        &self.tables
    }

    /// The run buffer.
    pub fn waiting(&self) -> &RunBuffer {
        &self.waiting
    }

    /// The prewarmed containers.
    pub fn prewarms(&self) -> &Prewarms {
        &self.prewarms
    }

    /// The eviction policy.
    pub fn policy(&self) -> &dyn Evict {
        &*self.evict
    }

    /// Memory in use as the rules count it, in MiB (docs/specs/openwhisk.md §5.1, §8.4).
    #[inline]
    pub fn used_mib(&self) -> u64 {
        let sums = &self.tables.sums;
        let work = sums.busy + sums.free;
        if self.rules.prewarm_in_sum { work + sums.prewarmed + sums.starting } else { work }
    }

    /// The pool as drivers know a slot's container.
    #[inline]
    pub fn container_id(&self, slot: Slot) -> ContainerId {
        ContainerId { slot, epoch: self.tables.container(slot).epoch() }
    }

    // ----- what happens -----

    /// The worker starts: initial prewarms (§6, step 1).
    pub fn start(&mut self, out: &mut impl Out) {
        self.top_up(Occasion::StartUp, out);
    }

    /// A run arrives from the feed, or from a container that could not serve it (§5.2).
    pub fn request(&mut self, now: Time, activation: ActivationId, function: FunctionId, out: &mut impl Out) {
        self.requested(function);
        if !self.rules.overcommit && u64::from(self.tables.memory_mib(function)) > self.capacity_mib {
            // Also behind others: once at the head of the run buffer it would block it for ever.
            return self.refuse(activation, Refusal::TooLarge, out);
        }
        if self.waiting.is_empty()
            && let Some((slot, start)) = self.place(now, function, out)
        {
            return self.dispatch(now, activation, function, slot, start, false, out);
        }
        self.wait(activation, function, out);
    }

    /// An idle container that [`Dispatcher::request`] would give an activation of the function, with certainty and
    /// without doing anything else.
    #[inline(always)]
    pub(super) fn idle_at_once(&self, function: FunctionId) -> Option<Slot> {
        if self.guarded || !self.waiting.is_empty() {
            return None;
        }
        let slot = self.tables.next_with_room(function, self.rules.reuse)?;
        self.tables.container(slot).is_evictable().then_some(slot)
    }

    /// Gives an activation an idle container: what [`Dispatcher::request`] does once it has found it, but for sending
    /// the run.
    #[inline(always)]
    pub(super) fn dispatch_warm(
        &mut self,
        now: Time,
        activation: ActivationId,
        function: FunctionId,
        slot: Slot,
        out: &mut impl Out,
    ) {
        self.requested(function);
        self.assign(now, activation, function, slot, StartState::Warmed, Data::Warmed, out);
    }

    /// The head of the run buffer is tried again (§5.4).
    pub fn retry(&mut self, now: Time, out: &mut impl Out) {
        let Some((activation, function)) = self.waiting.head() else { return };
        self.requested(function);
        if let Some((slot, start)) = self.place(now, function, out) {
            self.dispatch(now, activation, function, slot, start, true, out);
        }
    }

    /// A container reports one activation done and room for another (§5.4).
    #[inline(always)]
    pub fn need_work(&mut self, now: Time, slot: Slot, out: &mut impl Out) {
        if self.tables.container(slot).home() == Home::Nowhere {
            return;
        }
        let has_room = self.tables.finish(slot);
        if has_room {
            let elapsed = now - self.tables.container(slot).last_used();
            if self.tables.learns() {
                let warm = self.last_start[slot as usize].is_warm();
                let action = self.tables.action(self.tables.function_of(slot));
                self.tables.learn(action, warm, elapsed);
            }
            if self.wants.ends {
                self.evict.on_done(&self.tables, slot, elapsed);
            }
            self.became_idle(slot, out);
            if self.shrinking {
                self.shrink(out);
            }
        }
        self.process_buffer_or_feed(out);
    }

    /// A container that was loaded ahead of time is ready.
    pub fn loaded(&mut self, slot: Slot, out: &mut impl Out) {
        if self.tables.container(slot).home() == Home::Nowhere {
            return;
        }
        self.tables.set_data(slot, Data::Warmed);
        self.became_idle(slot, out);
        if self.shrinking {
            self.shrink(out);
        }
        self.process_buffer(out);
    }

    /// A prewarm is up (§5.4).
    pub fn prewarm_ready(&mut self, slot: Slot, expires: Option<Time>) {
        if self.prewarms.ready(slot, expires) {
            self.tables.move_to(slot, Home::Prewarmed);
        }
    }

    /// A container is gone with nothing handed back (§5.4).
    pub fn removed(&mut self, slot: Slot, replace: bool, why: Departure, out: &mut impl Out) {
        self.let_go(slot, why, out);
        self.process_buffer_or_feed(out);
        if replace || self.rules.backfill_always {
            self.top_up(Occasion::Backfill, out);
        }
    }

    /// A container is going and hands its work back: no credit, and the run buffer is left alone
    /// (§5.4) unless the rules let everything that leaves make way for what waits.
    pub fn rescheduled(&mut self, slot: Slot, why: Departure, out: &mut impl Out) {
        self.let_go(slot, why, out);
        if !self.rules.resume_to_remove {
            self.process_buffer(out);
        }
    }

    /// The periodic prewarm check (§6, step 4).
    pub fn check_prewarms(&mut self, now: Time, out: &mut impl Out) {
        for slot in self.prewarms.take_expired(now, self.rules.prewarm_expiration_limit) {
            self.drop_from_tables(slot, Departure::PrewarmExpired, out);
            out.send(Message::Remove(slot));
        }
        self.top_up(Occasion::Check, out);
        self.prewarms.checked();
    }

    /// A keep-alive policy wants a container of `function` loaded: done if none has room and memory
    /// is free; nothing is evicted for a guess.
    pub fn load_ahead(&mut self, function: FunctionId, out: &mut impl Out) {
        let memory_mib = self.tables.memory_mib(function);
        let fits = self.used_mib() + u64::from(memory_mib) <= self.capacity_mib;
        if !fits || self.tables.free_of(function).next().is_some() {
            return;
        }
        let slot = self.allot(Some(function), memory_mib, out);
        self.tables.set_data(slot, Data::WarmingCold);
        self.tables.move_to(slot, Home::Free);
        out.send(Message::Load(slot, function));
    }

    /// Takes in a container as it stands, so that a pool can be put into a state that no events lead to (the
    /// conformance cases ask what it would select there): `active`
    /// activations are assigned to it, the last one since `last_used`. Take in the least recently used
    /// first, since that is how policies would have heard of them.
    pub fn adopt(
        &mut self,
        function: FunctionId,
        data: Data,
        active: u16,
        last_used: Time,
        out: &mut impl Out,
    ) -> Slot {
        let slot = self.allot(Some(function), self.tables.memory_mib(function), out);
        for _ in 0..=active {
            self.tables.assign(slot, last_used, data);
        }
        self.tables.finish(slot);
        self.tables.set_data(slot, data);
        self.evict.on_dispatch(&self.tables, slot, StartState::Cold);
        self.became_idle(slot, out);
        slot
    }

    /// Nothing can refer to the slot any more.
    pub fn release(&mut self, slot: Slot) {
        self.tables.release(slot);
    }

    // ----- placement (§5.2) -----

    fn place(&mut self, now: Time, function: FunctionId, out: &mut impl Out) -> Option<(Slot, StartState)> {
        let memory_mib = self.tables.memory_mib(function);
        let memory = u64::from(memory_mib);
        if self.rules.busy_guard && self.tables.sums.busy + memory > self.capacity_mib {
            return None;
        }
        if let Some(found) = self.with_room(function) {
            return Some(found);
        }
        let beside_work = self.tables.sums.busy + self.tables.sums.free + memory <= self.capacity_mib;
        if (beside_work || !self.rules.prewarm_needs_space)
            && let Some(slot) = self.take_prewarm(now, function, out)
        {
            return Some((slot, StartState::Prewarmed));
        }
        if self.used_mib() + memory <= self.capacity_mib {
            return Some((self.allot(Some(function), memory_mib, out), StartState::Cold));
        }
        if !self.make_room(function, memory, out) {
            return None;
        }
        match self.take_prewarm(now, function, out) {
            Some(slot) => Some((slot, StartState::RecreatedPrewarm)),
            None => Some((self.allot(Some(function), memory_mib, out), StartState::Recreated)),
        }
    }

    /// A container of the function with room: warmed before warming before warmingCold (§5.2 step 2).
    #[inline]
    fn with_room(&self, function: FunctionId) -> Option<(Slot, StartState)> {
        let best = match self.rules.reuse {
            Reuse::Oldest => self.best_of(self.tables.free_of(function)),
            Reuse::Newest => self.best_of(self.tables.free_of_newest(function)),
        };
        best.map(|(data, slot)| {
            let start = match data {
                Data::Warmed => StartState::Warmed,
                Data::Warming => StartState::Warming,
                _ => StartState::WarmingCold,
            };
            (slot, start)
        })
    }

    #[inline]
    fn best_of(&self, slots: impl Iterator<Item = Slot>) -> Option<(Data, Slot)> {
        let mut best: Option<(Data, Slot)> = None;
        for slot in slots {
            let data = self.tables.container(slot).data();
            if data == Data::Warmed {
                return Some((data, slot));
            }
            if best.is_none_or(|(other, _)| data == Data::Warming && other == Data::WarmingCold) {
                best = Some((data, slot));
            }
        }
        best
    }

    /// A prewarm of exactly the function's kind and memory; another is started in its place (§6, step 2).
    fn take_prewarm(&mut self, now: Time, function: FunctionId, out: &mut impl Out) -> Option<Slot> {
        if !self.prewarms.is_configured() {
            return None;
        }
        let (kind, memory_mib) = (self.tables.kind(function), self.tables.memory_mib(function));
        let slot = self.prewarms.take(now, kind, memory_mib)?;
        // Until the replacement is asked for, the one taken still counts (§5.2 step 3).
        let ttl = self.prewarms.ttl(kind, memory_mib);
        self.start_prewarm(kind, memory_mib, ttl, out);
        self.evict.on_prewarm_taken(&self.tables, function);
        self.tables.move_to(slot, Home::Nowhere);
        self.tables.assign_function(slot, function);
        self.tables.set_data(slot, Data::Prewarmed);
        Some(slot)
    }

    fn allot(&mut self, function: Option<FunctionId>, memory_mib: u32, out: &mut impl Out) -> Slot {
        let slot = self.tables.allot(function, memory_mib);
        if self.tables.learns() && slot as usize >= self.last_start.len() {
            self.last_start.resize(slot as usize + 1, StartState::Cold);
        }
        out.note(Note::Allotted { container: self.container_id(slot), function, memory_mib });
        slot
    }

    #[inline(always)]
    fn requested(&mut self, function: FunctionId) {
        if self.wants.requests {
            self.evict.on_request(&self.tables, function);
        }
    }

    /// Assigns the activation and sends it to its container.
    #[expect(clippy::too_many_arguments, reason = "the facts of one placement, used once")]
    fn dispatch(
        &mut self,
        now: Time,
        activation: ActivationId,
        function: FunctionId,
        slot: Slot,
        start: StartState,
        from_buffer: bool,
        out: &mut impl Out,
    ) {
        let data = match self.tables.container(slot).data() {
            Data::Memory => Data::WarmingCold,
            Data::Prewarmed => Data::Warming,
            other => other,
        };
        if start.creates() && self.prewarms.is_configured() {
            self.prewarms.count_cold_start(self.tables.kind(function), self.tables.memory_mib(function));
        }
        self.assign(now, activation, function, slot, start, data, out);
        if from_buffer {
            self.waiting.placed();
            self.process_buffer_or_feed(out);
        }
        out.send(Message::Run(slot, activation, start));
    }

    #[inline(always)]
    #[expect(clippy::too_many_arguments, reason = "the facts of one placement, used twice")]
    fn assign(
        &mut self,
        now: Time,
        activation: ActivationId,
        function: FunctionId,
        slot: Slot,
        start: StartState,
        data: Data,
        out: &mut impl Out,
    ) {
        let active = self.tables.assign(slot, now, data);
        if self.tables.learns() {
            self.last_start[slot as usize] = start;
        }
        self.evict.on_dispatch(&self.tables, slot, start);
        let container = self.container_id(slot);
        out.note(Note::Dispatched { activation, function, container, start, active });
    }

    /// Asks the feed for one more activation (§5.4); nobody hears it where the feed holds nothing back.
    #[inline(always)]
    fn credit(&self, out: &mut impl Out) {
        out.note(Note::Credit);
        if self.rules.feed_capacity.is_some() {
            out.send(Message::Credit);
        }
    }

    fn refuse(&self, activation: ActivationId, why: Refusal, out: &mut impl Out) {
        out.act(Action::Reject(activation, why));
        // A refused activation frees its place at the feed, as one that is answered at once does (§7).
        self.credit(out);
    }

    fn wait(&mut self, activation: ActivationId, function: FunctionId, out: &mut impl Out) {
        if self.rules.when_full == WhenFull::Drop {
            return self.refuse(activation, Refusal::Full, out);
        }
        if self.waiting.len() >= self.rules.buffer_limit as usize {
            return self.refuse(activation, Refusal::BufferFull, out);
        }
        self.waiting.push(activation, function);
        out.note(Note::Buffered(activation));
    }

    /// Sends the head of the run buffer again, or asks the feed for more (§5.4).
    #[inline]
    fn process_buffer_or_feed(&mut self, out: &mut impl Out) {
        if self.waiting.is_empty() {
            self.credit(out);
        } else {
            self.process_buffer(out);
        }
    }

    fn process_buffer(&mut self, out: &mut impl Out) {
        if !self.waiting.is_empty() && self.waiting.resend() {
            out.send(Message::Retry);
        }
    }

    // ----- eviction (§5.3) -----

    /// Evicts idle containers for `memory` MiB. `false`: nothing was evicted.
    fn make_room(&mut self, function: FunctionId, memory: u64, out: &mut impl Out) -> bool {
        let Some(mut target) = self.eviction_target(memory) else { return false };
        self.evict.on_pressure(&self.tables);
        while target > 0 {
            let victim = self.evict.pick(&self.tables);
            debug_assert!(self.tables.container(victim).is_evictable(), "a policy picked a pinned container");
            let freed = u64::from(self.tables.container(victim).memory_mib());
            self.drop_from_tables(victim, Departure::Evicted(function), out);
            out.send(Message::Remove(victim));
            target = target.saturating_sub(freed);
        }
        true
    }

    /// How much idle memory has to go for `memory` MiB to be placed; `None`: there is not enough.
    fn eviction_target(&self, memory: u64) -> Option<u64> {
        let sums = &self.tables.sums;
        let used = self.used_mib();
        let shortfall = (used + memory).saturating_sub(self.capacity_mib);
        let wanted = match self.rules.eviction_amount {
            EvictionAmount::Whole => memory,
            EvictionAmount::Shortfall => shortfall,
        };
        let target = if self.rules.overcommit {
            wanted.min(sums.free)
        } else if sums.evictable >= shortfall {
            wanted.min(sums.evictable).max(shortfall)
        } else {
            return None;
        };
        (target > 0 && sums.evictable >= target).then_some(target)
    }

    /// The pool has another amount of memory from now on. If it is less than what is held, idle containers go as the
    /// policy ranks them; what is at work goes on, and more go as it ends.
    pub fn resized(&mut self, capacity_mib: u64, out: &mut impl Out) {
        self.capacity_mib = capacity_mib;
        out.note(Note::Resized { capacity_mib });
        self.evict.on_resize(capacity_mib);
        self.shrink(out);
        self.process_buffer(out);
    }

    /// Whether more is in use than there is.
    pub(super) fn is_over(&self) -> bool {
        self.used_mib() > self.capacity_mib
    }

    /// Whether the pool is still on its way to the memory it was given last.
    pub(super) fn is_shrinking(&self) -> bool {
        self.shrinking
    }

    fn shrink(&mut self, out: &mut impl Out) {
        if self.is_over() && self.tables.sums.evictable > 0 {
            self.evict.on_pressure(&self.tables);
        }
        while self.is_over() && self.tables.sums.evictable > 0 {
            let victim = self.evict.pick(&self.tables);
            self.drop_from_tables(victim, Departure::Shrunk, out);
            out.send(Message::Remove(victim));
        }
        self.shrinking = self.is_over();
    }

    // ----- leaving -----

    #[inline(always)]
    fn became_idle(&mut self, slot: Slot, out: &mut impl Out) {
        let container = self.tables.container(slot);
        if container.is_evictable() {
            let memory_mib = container.memory_mib();
            self.evict.on_idle(&self.tables, slot);
            let function = self.tables.function_of(slot);
            out.note(Note::Idle { container: self.container_id(slot), function, memory_mib });
        }
    }

    fn let_go(&mut self, slot: Slot, why: Departure, out: &mut impl Out) {
        match self.tables.container(slot).home() {
            Home::Nowhere => return,
            Home::Prewarmed | Home::PrewarmStarting => self.prewarms.forget(slot),
            Home::Free | Home::Busy => {}
        }
        self.drop_from_tables(slot, why, out);
    }

    fn drop_from_tables(&mut self, slot: Slot, why: Departure, out: &mut impl Out) {
        let container = self.tables.container(slot);
        let (function, memory_mib) = (container.function(), container.memory_mib());
        self.tables.move_to(slot, Home::Nowhere);
        if function.is_some() {
            let evicted = matches!(why, Departure::Evicted(_) | Departure::Shrunk);
            self.evict.on_gone(&self.tables, slot, evicted);
        }
        out.note(Note::Gone { container: self.container_id(slot), function, memory_mib, why });
    }

    // ----- prewarming (§6) -----

    fn top_up(&mut self, occasion: Occasion, out: &mut impl Out) {
        if !self.prewarms.is_configured() {
            return;
        }
        for missing in self.prewarms.missing(occasion) {
            for _ in 0..missing.count {
                self.start_prewarm(missing.kind, missing.memory_mib, missing.ttl, out);
            }
        }
    }

    fn start_prewarm(&mut self, kind: KindId, memory_mib: u32, ttl: Option<Span>, out: &mut impl Out) {
        let reserved_only = !self.rules.prewarm_starts;
        let fits = self.used_mib() + u64::from(memory_mib) <= self.capacity_mib;
        if self.rules.prewarm_in_sum && !fits {
            return out.note(Note::Prewarm { container: None, kind, memory_mib, ttl, reserved_only });
        }
        let slot = self.tables.allot(None, memory_mib);
        if self.tables.learns() && slot as usize >= self.last_start.len() {
            self.last_start.resize(slot as usize + 1, StartState::Cold);
        }
        self.tables.move_to(slot, Home::PrewarmStarting);
        self.prewarms.starting(slot, kind, memory_mib);
        let container = Some(self.container_id(slot));
        out.note(Note::Prewarm { container, kind, memory_mib, ttl, reserved_only });
        if !reserved_only {
            out.send(Message::Start(slot, kind, memory_mib, ttl));
        }
    }
}
