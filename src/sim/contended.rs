//! Processors that steps share: an event queue in which a step that wants a processor takes longer while others want one too. Owns
//! the model ([`Contention`]); must never draw a cost or know a container.
//!
//! The model is processor sharing, as textbooks have it. A step of `d` that needs a processor for a part `p` of its time first
//! takes `d · (1 - p)`, for which it needs none, and then joins those that want one. With `n` of them and `c` processors
//! each advances at speed 1 if `n ≤ c`, else at `c / n`, until its work `d · p` is done. So a step that is alone takes `d`.
//!
//! All those that want a processor advance alike, so one number tells how far everybody is: the work `done` by somebody who
//! has been there from the beginning. Who joins at `done` with work `w` is through at `done + w`. It is counted in
//! 65,536ths of µs and rounded to the disadvantage of steps, never by more than a µs.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use super::queue::{EventQueue, Rank, rank};
use crate::pool::{Input, order};
use crate::scenario::Contention;
use crate::time::{Span, Time};

/// Fractions of a µs.
const UNIT: u64 = 1 << 16;

/// A queue upon another, which has everything that wants no processor.
pub struct Contended<'q, Q> {
    inner: &'q mut Q,
    model: Model,
    /// Up to when it is known how far the steps are.
    settled: Time,
    /// How far somebody is that has been there from the beginning, in `UNIT`s.
    done: u64,
    /// Those that want a processor, by when they are through.
    active: BinaryHeap<Reverse<(u64, (u8, u32, u32), usize)>>,
    /// Those that will, by when.
    waiting: BinaryHeap<Reverse<(Rank, usize)>>,
    steps: Vec<Option<Step>>,
    unused: Vec<usize>,
    /// When the first of `active` or `waiting` will be through, if nobody else comes; unless something has come since.
    first: Time,
    is_known: bool,
}

/// The processors, and who wants one.
#[derive(Clone, Copy)]
struct Model {
    processors: u64,
    parts: Contention,
}

#[derive(Clone, Copy)]
struct Step {
    input: Input,
    /// In `UNIT`s.
    work: u64,
}

impl<'q, Q: EventQueue> Contended<'q, Q> {
    /// Nothing is under way.
    pub fn new(inner: &'q mut Q, contention: Contention) -> Contended<'q, Q> {
        let model = Model { processors: u64::from(contention.processors), parts: contention };
        Contended {
            inner,
            model,
            settled: Time::ZERO,
            done: 0,
            active: BinaryHeap::new(),
            waiting: BinaryHeap::new(),
            steps: Vec::new(),
            unused: Vec::new(),
            first: Time::NEVER,
            is_known: true,
        }
    }

    /// Brings everything to `now`; nobody is through before that.
    fn settle(&mut self, now: Time) {
        while let Some(Reverse(((time, _), place))) = self.waiting.peek().copied()
            && time <= now
        {
            self.waiting.pop();
            self.done += self.model.advance(time - self.settled, self.active.len());
            self.settled = time;
            if let Some(Step { input, work }) = self.steps[place] {
                self.active.push(Reverse((self.done + work, order(&input), place)));
            }
        }
        self.done += self.model.advance(now - self.settled, self.active.len());
        self.settled = now;
    }

    /// When the first will be through: as [`settle`](Self::settle) would find it, without going there.
    fn find_first(&self) -> Time {
        let (mut at, mut done, mut many) = (self.settled, self.done, self.active.len());
        let mut first = self.active.peek().map(|Reverse((through, ..))| *through);
        let mut waiting: Vec<(Rank, usize)> = self.waiting.iter().map(|Reverse(step)| *step).collect();
        waiting.sort_unstable();
        for ((time, _), place) in waiting {
            // Who is through before the next one comes is the first.
            if let Some(end) = first.map(|through| at + self.model.takes(through.saturating_sub(done), many))
                && end <= time
            {
                return end;
            }
            done += self.model.advance(time - at, many);
            at = time;
            many += 1;
            let through = done + self.steps[place].map_or(0, |step| step.work);
            first = Some(first.map_or(through, |earliest| earliest.min(through)));
        }
        first.map_or(Time::NEVER, |through| at + self.model.takes(through.saturating_sub(done), many))
    }

    fn first_time(&mut self) -> Time {
        if !self.is_known {
            self.first = self.find_first();
            self.is_known = true;
        }
        self.first
    }

    fn keep(&mut self, step: Step) -> usize {
        let place = self.unused.pop().unwrap_or_else(|| {
            self.steps.push(None);
            self.steps.len() - 1
        });
        self.steps[place] = Some(step);
        place
    }
}

impl Model {
    /// Which part of a step takes a processor, in `UNIT`s of the whole.
    fn part(&self, input: &Input) -> u64 {
        let part = match input {
            Input::Created(..) => self.parts.create,
            Input::Initialized(..) => self.parts.init,
            Input::Ran(..) => self.parts.run,
            Input::Resumed(..) => self.parts.unpause,
            Input::Paused(..) => self.parts.pause,
            Input::LogsCollected(..) => self.parts.logs,
            Input::Destroyed(_) => self.parts.remove,
            Input::Arrived { .. } | Input::HealthFailed(_) | Input::Resized { .. } | Input::Wake => 0.0,
        };
        (part * UNIT as f64).round() as u64
    }

    /// How far `many` get in a span of time, in `UNIT`s.
    fn advance(&self, span: Span, many: usize) -> u64 {
        let (work, many) = (u128::from(span.0) * u128::from(UNIT), many as u128);
        let processors = u128::from(self.processors);
        (if many <= processors { work } else { work * processors / many }) as u64
    }

    /// How long one of `many` takes for so much work; the first µs at which [`advance`](Self::advance) is so far.
    fn takes(&self, work: u64, many: usize) -> Span {
        let (work, many) = (u128::from(work), many as u128);
        let processors = u128::from(self.processors);
        let unit = u128::from(UNIT);
        Span(
            (if many <= processors { work.div_ceil(unit) } else { (work * many).div_ceil(processors * unit) })
                as u64,
        )
    }
}

impl<Q: EventQueue> EventQueue for Contended<'_, Q> {
    fn push(&mut self, time: Time, input: Input) {
        self.inner.push(time, input);
    }

    fn schedule(&mut self, now: Time, time: Time, input: Input) {
        let span = time - now;
        let work = (u128::from(span.0) * u128::from(self.model.part(&input)) / u128::from(UNIT)) as u64;
        if work == 0 {
            self.inner.schedule(now, time, input);
            return;
        }
        self.settle(now);
        let place = self.keep(Step { input, work: work.saturating_mul(UNIT) });
        self.waiting.push(Reverse((rank(now + span.saturating_sub(Span(work)), &input), place)));
        self.is_known = false;
    }

    fn next_time(&mut self) -> Time {
        self.first_time().min(self.inner.next_time())
    }

    fn pop(&mut self) -> (Time, Input) {
        let (time, theirs) = (self.first_time(), self.inner.next_time());
        if theirs < time {
            return self.inner.pop();
        }
        self.settle(time);
        self.is_known = false;
        let through = self.active.iter().filter(|Reverse((through, ..))| *through <= self.done);
        let Reverse((_, own, place)) =
            *through.min_by_key(|Reverse((_, order, _))| *order).expect("the first is through by then");
        if theirs == time {
            let (_, input) = self.inner.pop();
            if order(&input) < own {
                return (time, input);
            }
            self.inner.push(time, input);
        }
        self.active.retain(|Reverse((_, _, other))| *other != place);
        self.unused.push(place);
        let step = self.steps[place].take().expect("it was put there when it was scheduled");
        (time, step.input)
    }
}

#[cfg(test)]
mod tests;
