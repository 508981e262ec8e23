//! Memory over time: what is busy, idle and prewarmed, as integrals, peaks and samples. Owns the
//! meter; must never be asked about a single activation.

use crate::ids::ContainerId;
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
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
enum State {
    #[default]
    None,
    Busy,
    Idle,
    Prewarmed,
}

/// The meter.
#[derive(Debug)]
pub(crate) struct MemoryMeter {
    now: MemorySample,
    states: Vec<(State, u32)>,
    every: Span,
    next_sample: Time,
    samples: Vec<MemorySample>,
    began: Time,
    pub(super) peak_mib: u64,
    pub(super) peak_containers: u32,
    /// In MiB·µs.
    pub(super) busy: u128,
    pub(super) idle: u128,
    pub(super) prewarmed: u128,
}

/// Most samples kept, so that a short interval over a long trace cannot fill the memory.
const MOST_SAMPLES: usize = 1_000_000;

impl MemoryMeter {
    pub(super) fn new(every: Span) -> MemoryMeter {
        MemoryMeter {
            now: MemorySample::default(),
            states: Vec::new(),
            every: every.max(Span(1)),
            next_sample: Time::NEVER,
            samples: Vec::new(),
            began: Time::NEVER,
            peak_mib: 0,
            peak_containers: 0,
            busy: 0,
            idle: 0,
            prewarmed: 0,
        }
    }

    pub(super) fn samples(&self) -> &[MemorySample] {
        &self.samples
    }

    /// How long it has been running.
    pub(super) fn span(&self) -> Span {
        if self.began == Time::NEVER { Span::ZERO } else { self.now.time - self.began }
    }

    /// Time starts here, unless something was noted before.
    pub(super) fn begin(&mut self, now: Time) {
        if self.began == Time::NEVER {
            self.began = now;
            self.now.time = now;
            self.next_sample = now;
        }
    }

    pub(super) fn finish(&mut self, now: Time) {
        self.begin(now);
        self.advance(now);
        if self.samples.last().is_none_or(|last| last.time < now) {
            self.samples.push(self.now);
        }
    }

    #[inline]
    fn advance(&mut self, now: Time) {
        let elapsed = u128::from((now - self.now.time).0);
        if elapsed == 0 {
            return;
        }
        self.busy += elapsed * u128::from(self.now.busy_mib);
        self.idle += elapsed * u128::from(self.now.idle_mib);
        self.prewarmed += elapsed * u128::from(self.now.prewarmed_mib);
        while self.next_sample < now {
            if self.samples.len() >= MOST_SAMPLES {
                self.next_sample = Time::NEVER;
                break;
            }
            self.samples.push(MemorySample { time: self.next_sample, ..self.now });
            self.next_sample += self.every;
        }
        self.now.time = now;
    }

    #[inline(always)]
    pub(super) fn noted(&mut self, now: Time, note: &Note) {
        match *note {
            Note::Dispatched { container, .. } if self.state(container).0 != State::Busy => {
                self.advance(now);
                self.change(container, State::Busy);
            }
            Note::Idle { container, .. } => {
                self.advance(now);
                self.change(container, State::Idle);
            }
            Note::Allotted { container, memory_mib, .. } => {
                self.begin(now);
                self.advance(now);
                self.appear(container, memory_mib, State::Busy);
            }
            Note::Prewarm { container: Some(container), memory_mib, .. } => {
                self.begin(now);
                self.advance(now);
                self.appear(container, memory_mib, State::Prewarmed);
            }
            Note::Gone { container, .. } => {
                self.advance(now);
                self.change(container, State::None);
                self.now.containers -= 1;
            }
            _ => {}
        }
    }

    #[inline]
    fn state(&mut self, container: ContainerId) -> &mut (State, u32) {
        let ix = container.slot as usize;
        if ix >= self.states.len() {
            self.states.resize(ix + 1, (State::None, 0));
        }
        &mut self.states[ix]
    }

    fn appear(&mut self, container: ContainerId, memory_mib: u32, state: State) {
        *self.state(container) = (State::None, memory_mib);
        self.change(container, state);
        self.now.containers += 1;
        self.peak_containers = self.peak_containers.max(self.now.containers);
        self.peak_mib = self.peak_mib.max(self.now.busy_mib + self.now.idle_mib + self.now.prewarmed_mib);
    }

    #[inline]
    fn change(&mut self, container: ContainerId, to: State) {
        let (state, memory_mib) = self.state(container);
        let (from, memory) = (std::mem::replace(state, to), u64::from(*memory_mib));
        if let Some(sum) = self.sum(from) {
            *sum -= memory;
        }
        if let Some(sum) = self.sum(to) {
            *sum += memory;
        }
    }

    #[inline]
    fn sum(&mut self, state: State) -> Option<&mut u64> {
        match state {
            State::None => None,
            State::Busy => Some(&mut self.now.busy_mib),
            State::Idle => Some(&mut self.now.idle_mib),
            State::Prewarmed => Some(&mut self.now.prewarmed_mib),
        }
    }
}
