//! Processors that steps share: an event queue in which steps take longer while all of them together want more processors than there
//! are. Owns the model ([`Contention`]); must never draw a cost or know a container.
//!
//! The model is processor sharing with demands. Every step takes some processors while it lasts: creating a container on Docker
//! more than one, since engine, runtime and kernel work side by side. As long as the steps under way want no more than
//! there are, each takes its own time. When they want `w` and there are `c`, all advance at the speed `c / w`. What is
//! taken by the clock (an action that imitates a run of so long) takes processors too, but is not slowed down.
//!
//! All that can be slowed down advance alike, so one number tells how far everybody is: the work `done` by somebody who has been
//! there from the beginning. Who joins at `done` with work `w` is through at `done + w`. It is counted in 65,536ths of
//! a µs and rounded to the disadvantage of steps, never by more than a µs.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use super::queue::EventQueue;
use crate::pool::{Input, order};
use crate::scenario::Contention;
use crate::time::{Span, Time};

/// Fractions of a µs.
const UNIT: u128 = 1 << 16;

/// Demands are counted in thousandths of a processor.
const PROCESSOR: u64 = 1_000;

/// A queue upon another, which has everything that takes no processor or only the clock.
pub struct Contended<'q, Q> {
    inner: &'q mut Q,
    contention: Contention,
    /// Up to when it is known how far the steps are.
    settled: Time,
    /// How far somebody is that has been there from the beginning, in `UNIT`s.
    done: u64,
    /// What the steps under way want.
    wanted: u64,
    /// Those that can be slowed down, by how far they have to come.
    free: BinaryHeap<Reverse<Free>>,
    /// When those that go by the clock give their processors back, and how many.
    by_clock: BinaryHeap<Reverse<(Time, u64)>>,
    steps: Vec<Option<Step>>,
    unused: Vec<usize>,
}

/// How far a step has to come, its rank among those of one instant, and its place among the steps.
type Free = (u64, (u8, u32, u32), usize);

#[derive(Clone, Copy)]
struct Step {
    input: Input,
    demand: u64,
    /// What it takes by the clock after all else.
    by_clock: Span,
}

impl<'q, Q: EventQueue> Contended<'q, Q> {
    /// Nothing is under way.
    pub fn new(inner: &'q mut Q, contention: Contention) -> Contended<'q, Q> {
        Contended {
            inner,
            contention,
            settled: Time::ZERO,
            done: 0,
            wanted: 0,
            free: BinaryHeap::new(),
            by_clock: BinaryHeap::new(),
            steps: Vec::new(),
            unused: Vec::new(),
        }
    }

    /// How many processors a step takes, in thousandths.
    fn demand(&self, input: &Input) -> u64 {
        let demand = match input {
            Input::Created(..) => self.contention.create,
            Input::Initialized(..) => self.contention.init,
            Input::Ran(..) => self.contention.run,
            Input::Resumed(..) => self.contention.unpause,
            Input::Paused(..) => self.contention.pause,
            Input::LogsCollected(..) => self.contention.logs,
            Input::Destroyed(_) => self.contention.remove,
            Input::Arrived { .. } | Input::HealthFailed(_) | Input::Resized { .. } | Input::Wake => 0.0,
        };
        (demand * PROCESSOR as f64).round() as u64
    }

    /// What there is over what is wanted: the speed of everybody, at most 1.
    fn speed(&self) -> (u128, u128) {
        let there = u64::from(self.contention.processors) * PROCESSOR;
        if self.wanted <= there { (1, 1) } else { (u128::from(there), u128::from(self.wanted)) }
    }

    /// Brings everything to `now`; nobody is through before that, and nobody gives a processor back.
    fn settle(&mut self, now: Time) {
        let (there, wanted) = self.speed();
        self.done += (u128::from((now - self.settled).0) * UNIT * there / wanted) as u64;
        self.settled = now;
    }

    /// When the first of those that can be slowed down is through, if nothing changes before.
    fn first_through(&self) -> Time {
        let Some(Reverse((through, ..))) = self.free.peek() else { return Time::NEVER };
        let (there, wanted) = self.speed();
        let left = u128::from(through.saturating_sub(self.done));
        self.settled + Span((left * wanted).div_ceil(UNIT * there) as u64)
    }

    /// When something here changes.
    fn next_change(&self) -> Time {
        let given_back = self.by_clock.peek().map_or(Time::NEVER, |Reverse((time, _))| *time);
        self.first_through().min(given_back)
    }

    fn keep(&mut self, step: Step) -> usize {
        let place = self.unused.pop().unwrap_or_else(|| {
            self.steps.push(None);
            self.steps.len() - 1
        });
        self.steps[place] = Some(step);
        place
    }

    /// Takes out a step that is through.
    fn take(&mut self, place: usize) -> Step {
        self.free.retain(|Reverse((_, _, other))| *other != place);
        self.unused.push(place);
        self.steps[place].take().expect("it was put there when it was scheduled")
    }

    /// Who is through by now, the first in the order of the pool.
    fn through(&self) -> Option<usize> {
        let through = self.free.iter().filter(|Reverse((through, ..))| *through <= self.done);
        through.min_by_key(|Reverse((_, order, _))| *order).map(|Reverse((_, _, place))| *place)
    }

    /// From now on so much by the clock.
    fn go_by_clock(&mut self, now: Time, Step { input, demand, by_clock }: Step) {
        self.by_clock.push(Reverse((now + by_clock, demand)));
        self.inner.push(now + by_clock, input);
    }
}

impl<Q: EventQueue> EventQueue for Contended<'_, Q> {
    const CONTENDED: bool = true;

    fn push(&mut self, time: Time, input: Input) {
        self.inner.push(time, input);
    }

    fn schedule(&mut self, now: Time, time: Time, by_clock: Span, input: Input) {
        let demand = self.demand(&input);
        if demand == 0 || time == now {
            self.inner.push(time, input);
            return;
        }
        self.settle(now);
        self.wanted += demand;
        let by_clock = by_clock.min(time - now);
        let step = Step { input, demand, by_clock };
        let work = (time - now).saturating_sub(by_clock);
        if work == Span::ZERO {
            self.go_by_clock(now, step);
            return;
        }
        let through = self.done + (u128::from(work.0) * UNIT) as u64;
        let place = self.keep(step);
        self.free.push(Reverse((through, order(&input), place)));
    }

    fn next_time(&mut self) -> Time {
        self.next_change().min(self.inner.next_time())
    }

    fn pop(&mut self) -> Option<(Time, Input)> {
        let (now, theirs) = (self.next_change(), self.inner.next_time());
        if theirs < now {
            return self.inner.pop();
        }
        self.settle(now);
        while let Some(Reverse((time, demand))) = self.by_clock.peek().copied()
            && time <= now
        {
            self.by_clock.pop();
            self.wanted -= demand;
        }
        let place = self.through()?;
        let step = self.steps[place]?;
        if step.by_clock > Span::ZERO {
            let step = self.take(place);
            self.go_by_clock(now, step);
            return None;
        }
        if theirs == now
            && let Some((_, input)) = self.inner.pop()
        {
            if order(&input) < order(&step.input) {
                return Some((now, input));
            }
            self.inner.push(now, input);
        }
        self.wanted -= step.demand;
        self.take(place);
        Some((now, step.input))
    }
}

#[cfg(test)]
mod tests;
