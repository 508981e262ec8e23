//! A naive pool: what OpenWhisk's ContainerPool does (docs/specs/openwhisk.md §5, §6, §8.4) told as
//! simply as possible. One list of containers, every sum counted when it is asked for, every choice
//! made by sorting. Must never share code with the dispatcher it is compared with.

use faassim::ids::{ActivationId, ContainerId, FunctionId, KindId, Slot};
use faassim::pool::boundary::{Action, Departure, Note, Refusal, StartState};
use faassim::pool::message::Message;
use faassim::pool::rules::{EvictionAmount, Reuse, Rules, StemCell, Times, WhenFull};
use faassim::pool::tables::{Data, FunctionSpec, Home};
use faassim::time::{Span, Time};

/// Whatever a pool says, in the order in which it says it. Containers are numbered by birth.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Said {
    Message(Message),
    Action(Action),
    Note(Note),
}

/// A container.
#[derive(Clone, Debug)]
pub struct Container {
    pub function: Option<FunctionId>,
    pub kind: KindId,
    pub memory: u64,
    pub home: Home,
    pub data: Data,
    pub active: u16,
    pub last_used: Time,
    /// When it was last dispatched, or was loaded ahead of time: the order of LRU.
    pub touched: u64,
    /// When it last came to have room.
    pub freed: u64,
    /// When it was ready, for a prewarm.
    pub ready: u64,
    pub expires: Option<Time>,
    pub last_start: Option<StartState>,
}

impl Container {
    fn is_idle(&self) -> bool {
        self.home == Home::Free && self.data == Data::Warmed && self.active == 0
    }
}

/// One observed run: of which action, whether the container was warm, how long.
type Sample = (u32, bool, Span);

pub struct Model {
    rules: Rules,
    capacity: u64,
    functions: Vec<FunctionSpec>,
    cells: Vec<StemCell>,
    pub containers: Vec<Container>,
    pub buffer: Vec<(ActivationId, FunctionId)>,
    resent: bool,
    cold_starts: Vec<(KindId, u64)>,
    samples: Vec<Sample>,
    ticks: u64,
    pub said: Vec<Said>,
}

impl Model {
    pub fn new(rules: Rules, capacity: u64, functions: Vec<FunctionSpec>, cells: Vec<StemCell>) -> Model {
        Model {
            rules,
            capacity,
            functions,
            cells,
            containers: Vec::new(),
            buffer: Vec::new(),
            resent: false,
            cold_starts: Vec::new(),
            samples: Vec::new(),
            ticks: 0,
            said: Vec::new(),
        }
    }

    // ----- sums, counted each time -----

    pub fn sum(&self, which: impl Fn(&Container) -> bool) -> u64 {
        self.containers.iter().filter(|container| which(container)).map(|container| container.memory).sum()
    }

    fn work(&self) -> u64 {
        self.sum(|container| matches!(container.home, Home::Free | Home::Busy))
    }

    pub fn used(&self) -> u64 {
        if self.rules.prewarm_in_sum {
            self.sum(|container| container.home != Home::Nowhere)
        } else {
            self.work()
        }
    }

    /// What a cold start of the action costs more than a warm one, in ms.
    pub fn cold_cost_ms(&self, action: u32) -> f64 {
        let seen = |warm: bool| -> Vec<f64> {
            let samples = self.samples.iter().filter(|(of, was_warm, _)| *of == action && *was_warm == warm);
            samples.map(|(_, _, elapsed)| elapsed.as_ms_f64()).collect()
        };
        let time = |warm: bool| match self.rules.tracking.times {
            Times::ObservedMax => seen(warm).into_iter().fold(0.0, f64::max),
            Times::ObservedMean if seen(warm).is_empty() => 0.0,
            Times::ObservedMean => seen(warm).iter().sum::<f64>() / seen(warm).len() as f64,
            Times::Declared => {
                let spec = self.functions.iter().rfind(|spec| spec.action.0 == action);
                spec.map_or(0.0, |spec| if warm { spec.warm } else { spec.cold }.as_ms_f64())
            }
        };
        (time(false) - time(true)).max(0.0)
    }

    // ----- saying -----

    fn note(&mut self, note: Note) {
        self.said.push(Said::Note(note));
    }

    fn send(&mut self, message: Message) {
        self.said.push(Said::Message(message));
    }

    fn credit(&mut self) {
        self.note(Note::Credit);
        // Nobody hears it where the feed holds nothing back.
        if self.rules.feed_capacity.is_some() {
            self.send(Message::Credit);
        }
    }

    fn tick(&mut self) -> u64 {
        self.ticks += 1;
        self.ticks
    }

    // ----- what happens -----

    pub fn start(&mut self) {
        for cell in self.cells.clone() {
            self.fill(cell, cell.initial_count, 0);
        }
    }

    /// §5.2. Also what a container sends back.
    pub fn request(&mut self, now: Time, activation: ActivationId, function: FunctionId) {
        if !self.rules.overcommit && self.memory(function) > self.capacity {
            return self.refuse(activation, Refusal::TooLarge);
        }
        if self.buffer.is_empty()
            && let Some((container, start)) = self.place(now, function)
        {
            return self.dispatch(now, activation, function, container, start, false);
        }
        if self.rules.when_full == WhenFull::Drop {
            self.refuse(activation, Refusal::Full);
        } else if self.buffer.len() as u64 >= u64::from(self.rules.buffer_limit) {
            self.refuse(activation, Refusal::BufferFull);
        } else {
            self.buffer.push((activation, function));
            self.note(Note::Buffered(activation));
        }
    }

    pub fn retry(&mut self, now: Time) {
        self.resent = false;
        if let Some(&(activation, function)) = self.buffer.first()
            && let Some((container, start)) = self.place(now, function)
        {
            self.dispatch(now, activation, function, container, start, true);
        }
    }

    pub fn need_work(&mut self, now: Time, ix: usize) {
        let container = &mut self.containers[ix];
        let Some(function) = container.function else { return };
        if container.home == Home::Nowhere {
            return;
        }
        container.active -= 1;
        container.data = Data::Warmed;
        let has_room = container.active < self.functions[function.ix()].max_concurrent;
        self.settle(ix, has_room);
        if has_room {
            let Container { last_used, last_start, .. } = self.containers[ix];
            let warm = last_start == Some(StartState::Warmed);
            self.samples.push((self.functions[function.ix()].action.0, warm, now - last_used));
            self.say_idle(ix);
        }
        self.buffer_or_feed();
    }

    pub fn loaded(&mut self, ix: usize) {
        if self.containers[ix].home == Home::Nowhere {
            return;
        }
        self.containers[ix].data = Data::Warmed;
        self.containers[ix].touched = self.tick();
        self.say_idle(ix);
        self.resend();
    }

    pub fn prewarm_ready(&mut self, ix: usize, expires: Option<Time>) {
        if self.containers[ix].home == Home::PrewarmStarting {
            let ready = self.tick();
            let prewarm = &mut self.containers[ix];
            (prewarm.home, prewarm.expires, prewarm.ready) = (Home::Prewarmed, expires, ready);
        }
    }

    pub fn removed(&mut self, ix: usize, replace: bool, why: Departure) {
        self.drop(ix, why);
        self.buffer_or_feed();
        if replace || self.rules.backfill_always {
            let have: Vec<u32> = self.cells.iter().map(|cell| self.count(cell)).collect();
            for (cell, have) in self.cells.clone().into_iter().zip(have) {
                let wanted = cell.reactive.map_or(cell.initial_count, |reactive| reactive.min_count);
                self.fill(cell, wanted, have);
            }
        }
    }

    pub fn rescheduled(&mut self, ix: usize, why: Departure) {
        self.drop(ix, why);
        if !self.rules.resume_to_remove {
            self.resend();
        }
    }

    /// §6, step 4.
    pub fn check_prewarms(&mut self, now: Time) {
        let mut expired: Vec<(Time, usize, u64, usize)> = Vec::new();
        for (ix, prewarm) in self.containers.iter().enumerate() {
            let cell = self
                .cells
                .iter()
                .position(|cell| cell.reactive.is_some() && is_of(cell, prewarm.kind, prewarm.memory));
            if let (Home::Prewarmed, Some(cell), Some(expires)) = (prewarm.home, cell, prewarm.expires)
                && expires < now
            {
                expired.push((expires, cell, prewarm.ready, ix));
            }
        }
        expired.sort();
        expired.truncate(self.rules.prewarm_expiration_limit as usize);
        for (_, _, _, ix) in expired {
            self.drop(ix, Departure::PrewarmExpired);
            self.send(Message::Remove(ix as Slot));
        }
        let have: Vec<u32> = self.cells.iter().map(|cell| self.count(cell)).collect();
        for (cell, have) in self.cells.clone().into_iter().zip(have) {
            let colds = self.cold_starts.iter().filter(|(kind, memory)| is_of(&cell, *kind, *memory)).count();
            let wanted = match cell.reactive {
                None => cell.initial_count,
                Some(reactive) if colds == 0 => reactive.min_count,
                Some(reactive) => (colds as u32 / reactive.threshold * reactive.increment)
                    .max(reactive.min_count)
                    .min(reactive.max_count),
            };
            self.fill(cell, wanted, have);
        }
        self.cold_starts.clear();
    }

    pub fn load_ahead(&mut self, function: FunctionId) {
        let memory = self.memory(function);
        let served =
            |container: &Container| container.home == Home::Free && container.function == Some(function);
        if self.used() + memory > self.capacity || self.containers.iter().any(served) {
            return;
        }
        let ix = self.create(Some(function), self.functions[function.ix()].kind, memory);
        self.note(Note::Allotted { container: id(ix), function: Some(function), memory_mib: memory as u32 });
        self.containers[ix].data = Data::WarmingCold;
        self.settle(ix, true);
        self.send(Message::Load(ix as Slot, function));
    }

    // ----- placement -----

    fn memory(&self, function: FunctionId) -> u64 {
        self.functions[function.ix()].memory.0
    }

    /// §5.2 steps 2–5, §8.4 steps 1–4.
    fn place(&mut self, now: Time, function: FunctionId) -> Option<(usize, StartState)> {
        let memory = self.memory(function);
        if self.rules.busy_guard && self.sum(|it| it.home == Home::Busy) + memory > self.capacity {
            return None;
        }
        if let Some(found) = self.reusable(function) {
            return Some(found);
        }
        let fits_beside_work = self.work() + memory <= self.capacity;
        if (!self.rules.prewarm_needs_space || fits_beside_work)
            && let Some(ix) = self.prewarm_for(now, function)
        {
            return Some((ix, StartState::Prewarmed));
        }
        if self.used() + memory <= self.capacity {
            return Some((self.cold(function), StartState::Cold));
        }
        if !self.evict(function) {
            return None;
        }
        match self.prewarm_for(now, function) {
            Some(ix) => Some((ix, StartState::RecreatedPrewarm)),
            None => Some((self.cold(function), StartState::Recreated)),
        }
    }

    fn reusable(&self, function: FunctionId) -> Option<(usize, StartState)> {
        let rank = |data: Data| match data {
            Data::Warmed => 0,
            Data::Warming => 1,
            _ => 2,
        };
        let mut found: Vec<(u8, i64, usize)> = Vec::new();
        for (ix, container) in self.containers.iter().enumerate() {
            if container.home == Home::Free && container.function == Some(function) {
                let age = match self.rules.reuse {
                    Reuse::Oldest => container.freed as i64,
                    Reuse::Newest => -(container.freed as i64),
                };
                found.push((rank(container.data), age, ix));
            }
        }
        found.sort();
        let starts = [StartState::Warmed, StartState::Warming, StartState::WarmingCold];
        found.first().map(|&(rank, _, ix)| (ix, starts[usize::from(rank)]))
    }

    fn prewarm_for(&mut self, now: Time, function: FunctionId) -> Option<usize> {
        let FunctionSpec { kind, memory, .. } = self.functions[function.ix()];
        let mut fitting: Vec<(Time, u64, usize)> = Vec::new();
        for (ix, prewarm) in self.containers.iter().enumerate() {
            if prewarm.home == Home::Prewarmed && prewarm.kind == kind && prewarm.memory == memory.0 {
                fitting.push((prewarm.expires.unwrap_or(now), prewarm.ready, ix));
            }
        }
        fitting.sort();
        let ix = fitting.first()?.2;
        let cell = self.cells.iter().find(|cell| is_of(cell, kind, memory.0));
        let ttl = cell.and_then(|cell| cell.reactive).map(|reactive| reactive.ttl);
        self.start_prewarm(kind, memory.0, ttl);
        let taken = &mut self.containers[ix];
        (taken.home, taken.function, taken.expires) = (Home::Nowhere, Some(function), None);
        Some(ix)
    }

    fn cold(&mut self, function: FunctionId) -> usize {
        let FunctionSpec { kind, memory, .. } = self.functions[function.ix()];
        let ix = self.create(Some(function), kind, memory.0);
        self.note(Note::Allotted {
            container: id(ix),
            function: Some(function),
            memory_mib: memory.0 as u32,
        });
        ix
    }

    fn create(&mut self, function: Option<FunctionId>, kind: KindId, memory: u64) -> usize {
        self.containers.push(Container {
            function,
            kind,
            memory,
            home: Home::Nowhere,
            data: Data::Memory,
            active: 0,
            last_used: Time::ZERO,
            touched: 0,
            freed: 0,
            ready: 0,
            expires: None,
            last_start: None,
        });
        self.containers.len() - 1
    }

    fn dispatch(
        &mut self,
        now: Time,
        activation: ActivationId,
        function: FunctionId,
        ix: usize,
        start: StartState,
        from_buffer: bool,
    ) {
        let FunctionSpec { kind, memory, max_concurrent, .. } = self.functions[function.ix()];
        if matches!(start, StartState::Cold | StartState::Recreated) {
            for _ in self.cells.iter().filter(|cell| is_of(cell, kind, memory.0)) {
                self.cold_starts.push((kind, memory.0));
            }
        }
        let touched = self.tick();
        let container = &mut self.containers[ix];
        container.active += 1;
        container.last_used = now;
        container.last_start = Some(start);
        container.touched = touched;
        container.data = match start {
            StartState::Cold | StartState::Recreated | StartState::WarmingCold => Data::WarmingCold,
            StartState::Prewarmed | StartState::RecreatedPrewarm | StartState::Warming => Data::Warming,
            StartState::Warmed => Data::Warmed,
        };
        let active = container.active;
        self.settle(ix, active < max_concurrent);
        self.note(Note::Dispatched { activation, function, container: id(ix), start, active });
        if from_buffer {
            self.buffer.remove(0);
            self.buffer_or_feed();
        }
        self.send(Message::Run(ix as Slot, activation, start));
    }

    fn settle(&mut self, ix: usize, has_room: bool) {
        let home = if has_room { Home::Free } else { Home::Busy };
        if has_room && self.containers[ix].home != Home::Free {
            self.containers[ix].freed = self.tick();
        }
        self.containers[ix].home = home;
    }

    fn say_idle(&mut self, ix: usize) {
        if self.containers[ix].is_idle() {
            let memory_mib = self.containers[ix].memory as u32;
            if let Some(function) = self.containers[ix].function {
                self.note(Note::Idle { container: id(ix), function, memory_mib });
            }
        }
    }

    fn refuse(&mut self, activation: ActivationId, why: Refusal) {
        self.said.push(Said::Action(Action::Reject(activation, why)));
        self.credit();
    }

    /// §5.4.
    fn buffer_or_feed(&mut self) {
        if self.buffer.is_empty() {
            self.credit();
        } else {
            self.resend();
        }
    }

    fn resend(&mut self) {
        if !self.buffer.is_empty() && !self.resent {
            self.resent = true;
            self.send(Message::Retry);
        }
    }

    // ----- eviction -----

    /// §5.3, with the knobs of `Rules`; whether anything was evicted.
    fn evict(&mut self, function: FunctionId) -> bool {
        let memory = self.memory(function);
        let missing = self.used() + memory - self.capacity;
        let idle = self.sum(Container::is_idle);
        let wanted = match self.rules.eviction_amount {
            EvictionAmount::Whole => memory,
            EvictionAmount::Shortfall => missing,
        };
        let mut target = if self.rules.overcommit {
            wanted.min(self.sum(|container| container.home == Home::Free))
        } else if idle < missing {
            return false;
        } else {
            wanted.min(idle).max(missing)
        };
        let mut evicted = false;
        while target > 0 && self.sum(Container::is_idle) >= target {
            let mut idle: Vec<usize> = (0..self.containers.len()).collect();
            idle.retain(|ix| self.containers[*ix].is_idle());
            idle.sort_by_key(|ix| self.containers[*ix].touched);
            let victim = idle[0];
            target = target.saturating_sub(self.containers[victim].memory);
            self.drop(victim, Departure::Evicted(function));
            self.send(Message::Remove(victim as Slot));
            evicted = true;
        }
        evicted
    }

    fn drop(&mut self, ix: usize, why: Departure) {
        if self.containers[ix].home != Home::Nowhere {
            let Container { function, memory, .. } = self.containers[ix];
            self.containers[ix].home = Home::Nowhere;
            self.note(Note::Gone { container: id(ix), function, memory_mib: memory as u32, why });
        }
    }

    // ----- prewarming -----

    /// How many prewarms of the cell there are, up or being created.
    fn count(&self, cell: &StemCell) -> u32 {
        let is_one = |it: &&Container| {
            matches!(it.home, Home::Prewarmed | Home::PrewarmStarting) && is_of(cell, it.kind, it.memory)
        };
        self.containers.iter().filter(is_one).count() as u32
    }

    fn fill(&mut self, cell: StemCell, wanted: u32, have: u32) {
        for _ in have..wanted {
            self.start_prewarm(cell.kind, cell.memory.0, cell.reactive.map(|reactive| reactive.ttl));
        }
    }

    fn start_prewarm(&mut self, kind: KindId, memory: u64, ttl: Option<Span>) {
        let memory_mib = memory as u32;
        let reserved_only = !self.rules.prewarm_starts;
        if self.rules.prewarm_in_sum && self.used() + memory > self.capacity {
            return self.note(Note::Prewarm { container: None, kind, memory_mib, ttl, reserved_only });
        }
        let ix = self.create(None, kind, memory);
        self.containers[ix].home = Home::PrewarmStarting;
        self.note(Note::Prewarm { container: Some(id(ix)), kind, memory_mib, ttl, reserved_only });
        if !reserved_only {
            self.send(Message::Start(ix as Slot, kind, memory_mib, ttl));
        }
    }
}

fn is_of(cell: &StemCell, kind: KindId, memory: u64) -> bool {
    cell.kind == kind && cell.memory.0 == memory
}

/// The container's name in what the model says.
pub fn id(ix: usize) -> ContainerId {
    ContainerId { slot: ix as Slot, epoch: 0 }
}
