//! Memory over time: what is busy, idle and prewarmed, as integrals, peaks and samples. Owns the
//! meter; must never be asked about a single activation.

use crate::ids::ContainerId;
use crate::memory::Memory;
use crate::pool::boundary::Note;
use crate::time::{Span, Time};

/// What the pool held at one instant, in MiB and in numbers of containers.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct MemorySample {
    /// When.
    pub time: Time,
    /// Of containers that are starting or running something.
    pub busy_mib: u64,
    /// Of warm containers with nothing to do.
    pub idle_mib: u64,
    /// Of prewarmed containers, those being started included.
    pub prewarmed_mib: u64,
    /// Containers of all kinds.
    pub containers: u32,
    /// What the pool may use.
    pub capacity_mib: u64,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
enum State {
    #[default]
    None,
    Busy,
    Idle,
    Prewarmed,
}

const STATES: usize = 4;

/// The memory in one state: how much now, and integrated over time.
#[derive(Clone, Copy, Debug, Default)]
struct Level {
    mib: u64,
    /// MiB·µs up to the last change, less `mib` times the instants of the changes: a change costs one product,
    /// and nothing has to be done while time passes.
    owed: i128,
}

impl Level {
    #[inline]
    fn rise(&mut self, mib: u64, at_us: u64) {
        self.mib = self.mib.wrapping_add(mib);
        self.owed -= i128::from(mib) * i128::from(at_us);
    }

    #[inline]
    fn fall(&mut self, mib: u64, at_us: u64) {
        self.mib = self.mib.wrapping_sub(mib);
        self.owed += i128::from(mib) * i128::from(at_us);
    }

    /// MiB·µs up to `at_us`.
    fn integral(&self, at_us: u64) -> u128 {
        (self.owed + i128::from(self.mib) * i128::from(at_us)).unsigned_abs()
    }
}

/// What is kept of the container in a slot.
#[derive(Clone, Copy, Debug, Default)]
struct SlotBook {
    mib: u32,
    state: State,
    /// It has become its function's, by a dispatch or by being loaded.
    used: bool,
}

/// The meter.
#[derive(Debug)]
pub(crate) struct MemoryMeter {
    /// By [`State`]. That of [`State::None`] is below zero by what all others hold, and never looked at.
    levels: [Level; STATES],
    capacity: Level,
    first_capacity: Memory,
    containers: u32,
    slots: Vec<SlotBook>,
    every: Span,
    next_sample: Time,
    samples: Vec<MemorySample>,
    began: Time,
    ended: Time,
    pub(super) peak_mib: u64,
    pub(super) peak_containers: u32,
}

/// Most samples kept, so that a short interval over a long trace cannot fill the memory.
const MOST_SAMPLES: usize = 1_000_000;

impl MemoryMeter {
    pub(super) fn new(capacity: Memory, every: Span) -> MemoryMeter {
        MemoryMeter {
            levels: [Level::default(); STATES],
            capacity: Level::default(),
            first_capacity: capacity,
            containers: 0,
            slots: Vec::new(),
            every: every.max(Span(1)),
            next_sample: Time::NEVER,
            samples: Vec::new(),
            began: Time::NEVER,
            ended: Time::NEVER,
            peak_mib: 0,
            peak_containers: 0,
        }
    }

    pub(super) fn samples(&self) -> &[MemorySample] {
        &self.samples
    }

    /// How long it has been running; to be asked once it has been finished.
    pub(super) fn span(&self) -> Span {
        if self.began == Time::NEVER { Span::ZERO } else { self.ended.since(self.began) }
    }

    /// Of containers at work, in MiB·µs; to be asked once it has been finished.
    pub(super) fn busy(&self) -> u128 {
        self.levels[State::Busy as usize].integral(self.ended.0)
    }

    /// Of idle containers, likewise.
    pub(super) fn idle(&self) -> u128 {
        self.levels[State::Idle as usize].integral(self.ended.0)
    }

    /// Of prewarmed containers, likewise.
    pub(super) fn prewarmed(&self) -> u128 {
        self.levels[State::Prewarmed as usize].integral(self.ended.0)
    }

    /// What the pool may use, likewise.
    pub(super) fn capacity(&self) -> u128 {
        self.capacity.integral(self.ended.0)
    }

    /// What the pool may use at first.
    pub(super) fn first_capacity(&self) -> Memory {
        self.first_capacity
    }

    /// Time starts here, unless something was noted before.
    pub(super) fn begin(&mut self, now: Time) {
        if self.began == Time::NEVER {
            self.began = now;
            self.next_sample = now;
            self.capacity.rise(self.first_capacity.mib(), now.0);
        }
    }

    pub(super) fn finish(&mut self, now: Time) {
        self.begin(now);
        self.sample(now);
        self.ended = now;
        if self.samples.last().is_none_or(|last| last.time < now) {
            self.samples.push(self.sample_at(now));
        }
    }

    fn sample_at(&self, time: Time) -> MemorySample {
        let mib = |state: State| self.levels[state as usize].mib;
        MemorySample {
            time,
            busy_mib: mib(State::Busy),
            idle_mib: mib(State::Idle),
            prewarmed_mib: mib(State::Prewarmed),
            containers: self.containers,
            capacity_mib: self.capacity.mib,
        }
    }

    /// Takes the samples that are due before `now`.
    #[inline(always)]
    fn sample(&mut self, now: Time) {
        if self.next_sample < now {
            self.take_samples(now);
        }
    }

    #[cold]
    #[inline(never)]
    fn take_samples(&mut self, now: Time) {
        while self.next_sample < now {
            if self.samples.len() >= MOST_SAMPLES {
                self.next_sample = Time::NEVER;
                break;
            }
            self.samples.push(self.sample_at(self.next_sample));
            self.next_sample += self.every;
        }
    }

    #[inline(always)]
    pub(super) fn noted(&mut self, now: Time, note: &Note) {
        match *note {
            Note::Dispatched { container, .. } => self.change(now, container, State::Busy),
            Note::Idle { container, .. } => self.change(now, container, State::Idle),
            Note::Allotted { container, memory_mib, .. } => {
                self.appear(now, container, memory_mib, State::Busy);
            }
            Note::Prewarm { container: Some(container), memory_mib, .. } => {
                self.appear(now, container, memory_mib, State::Prewarmed);
            }
            Note::Gone { container, .. } => {
                self.change(now, container, State::None);
                self.containers -= 1;
            }
            Note::Resized { capacity_mib } => self.resize(now, capacity_mib),
            _ => {}
        }
    }

    fn resize(&mut self, now: Time, capacity_mib: u64) {
        self.begin(now);
        self.sample(now);
        self.capacity.fall(self.capacity.mib, now.0);
        self.capacity.rise(capacity_mib, now.0);
    }

    fn appear(&mut self, now: Time, container: ContainerId, memory_mib: u32, state: State) {
        self.begin(now);
        self.sample(now);
        let ix = container.slot as usize;
        if ix >= self.slots.len() {
            self.slots.resize(ix + 1, SlotBook::default());
        }
        self.slots[ix] = SlotBook { mib: memory_mib, state: State::None, used: false };
        self.change(now, container, state);
        self.containers += 1;
        self.peak_containers = self.peak_containers.max(self.containers);
        let mib: u64 = self.levels[State::Busy as usize..].iter().map(|level| level.mib).sum();
        self.peak_mib = self.peak_mib.max(mib);
    }

    /// Notes whether the container has become its function's; what was noted before.
    #[inline(always)]
    pub(super) fn set_used(&mut self, container: ContainerId, used: bool) -> bool {
        self.slots
            .get_mut(container.slot as usize)
            .is_some_and(|book| std::mem::replace(&mut book.used, used))
    }

    #[inline(always)]
    fn change(&mut self, now: Time, container: ContainerId, to: State) {
        self.sample(now);
        // A container that is told of without having appeared has no memory.
        let Some(book) = self.slots.get_mut(container.slot as usize) else { return };
        let (from, mib) = (std::mem::replace(&mut book.state, to), u64::from(book.mib));
        if from != to {
            self.levels[from as usize].fall(mib, now.0);
            self.levels[to as usize].rise(mib, now.0);
        }
    }
}
