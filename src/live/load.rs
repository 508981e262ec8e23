//! What the arrivals of a live run ask of a machine. Owns the figures of its load; must never wait.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};

use super::plan::Plan;
use crate::scenario::Scenario;
use crate::schedule::Schedule;
use crate::sim::CostModel;
use crate::time::{Span, Time};
use crate::trace::Trace;

/// How often each function is invoked, in the order of the trace.
pub fn arrivals_by_function(scenario: &Scenario, trace: &Trace) -> Vec<u64> {
    let mut arrivals = vec![0; trace.functions.len()];
    for arrival in Schedule::new(scenario, trace) {
        arrivals[arrival.function as usize] += 1;
    }
    arrivals
}

/// What runs at once.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct AtOnce {
    /// Most activations.
    pub activations: u64,
    /// Most memory of their containers, in MiB.
    pub memory_mib: u64,
}

/// What a schedule asks of a machine, if nothing waits and nothing is slowed down.
#[derive(Clone, Copy, PartialEq, Default, Debug)]
pub struct LoadFigures {
    /// Arrivals.
    pub arrivals: u64,
    /// Functions that are invoked.
    pub functions: u64,
    /// From the first arrival to the last.
    pub span: Span,
    /// Most arrivals within any second.
    pub peak_per_second: u64,
    /// If every start is warm.
    pub warm: AtOnce,
    /// If every start is cold.
    pub cold: AtOnce,
    /// Processors that warm runs keep busy, if each keeps one busy: the most over any whole second of the run.
    pub peak_cpus: f64,
    /// The same on average from the first arrival to the end of the last run, at least over a second.
    pub mean_cpus: f64,
    /// The longest warm run.
    pub longest_run: Span,
}

impl LoadFigures {
    /// The figures of what a scenario sends.
    pub fn new(scenario: &Scenario, trace: &Trace, plan: &Plan, costs: &CostModel) -> LoadFigures {
        let mut figures = LoadFigures::default();
        let (mut warm, mut cold) = (Running::default(), Running::default());
        let mut second: VecDeque<Time> = VecDeque::new();
        let mut invoked = vec![false; trace.functions.len()];
        let (mut run_us, mut end) = (0_u128, Span::ZERO);
        for (number, arrival) in (0_u64..).zip(Schedule::new(scenario, trace)) {
            let memory_mib = trace.functions[arrival.function as usize].memory.mib();
            let run = plan.run(costs, number, &arrival);
            warm.arrive(arrival.time, run, memory_mib);
            cold.arrive(arrival.time, run + plan.init(trace, arrival.function), memory_mib);
            while second.front().is_some_and(|oldest| arrival.time - *oldest >= Span::from_secs(1)) {
                second.pop_front();
            }
            second.push_back(arrival.time);
            figures.peak_per_second = figures.peak_per_second.max(second.len() as u64);
            figures.arrivals += 1;
            figures.span = arrival.time - Time::ZERO;
            figures.longest_run = figures.longest_run.max(run);
            run_us += u128::from(run.0);
            end = end.max(figures.span + run);
            invoked[arrival.function as usize] = true;
        }
        figures.functions = invoked.iter().filter(|invoked| **invoked).count() as u64;
        figures.peak_cpus = warm.finish();
        figures.warm = warm.most;
        figures.cold = cold.most;
        figures.mean_cpus = run_us as f64 / end.max(Span::from_secs(1)).0 as f64;
        figures
    }

    /// Arrivals per second on average, at least over a second.
    pub fn mean_per_second(&self) -> f64 {
        self.arrivals as f64 / self.span.max(Span::from_secs(1)).as_secs_f64()
    }
}

/// What runs at an instant.
#[derive(Default)]
struct Running {
    /// When each ends, and its memory.
    ends: BinaryHeap<Reverse<(Time, u64)>>,
    now: AtOnce,
    most: AtOnce,
    /// Up to when processor time is counted.
    counted: Time,
    /// Processor time of the second that `counted` is in, in µs.
    busy_us: u64,
    most_busy_us: u64,
}

const SECOND_US: u64 = 1_000_000;

impl Running {
    /// Arrivals come in order.
    fn arrive(&mut self, time: Time, run: Span, memory_mib: u64) {
        self.end_until(time);
        self.count_until(time);
        self.ends.push(Reverse((time + run, memory_mib)));
        self.now.activations += 1;
        self.now.memory_mib += memory_mib;
        self.most.activations = self.most.activations.max(self.now.activations);
        self.most.memory_mib = self.most.memory_mib.max(self.now.memory_mib);
    }

    /// Ends what ends by then.
    fn end_until(&mut self, time: Time) {
        while let Some(&Reverse((end, memory_mib))) = self.ends.peek()
            && end <= time
        {
            self.count_until(end);
            self.ends.pop();
            self.now.activations -= 1;
            self.now.memory_mib -= memory_mib;
        }
    }

    /// Counts processor time: what runs now has been running since `counted`.
    fn count_until(&mut self, time: Time) {
        let rest = SECOND_US - self.counted.0 % SECOND_US;
        let span = (time - self.counted).0;
        if span >= rest {
            self.busy_us += self.now.activations * rest;
            self.most_busy_us = self.most_busy_us.max(self.busy_us);
            if span - rest >= SECOND_US {
                self.most_busy_us = self.most_busy_us.max(self.now.activations * SECOND_US);
            }
            self.busy_us = self.now.activations * ((span - rest) % SECOND_US);
        } else {
            self.busy_us += self.now.activations * span;
        }
        self.counted = self.counted.max(time);
    }

    /// Lets everything end; the most processors that were busy over a second.
    fn finish(&mut self) -> f64 {
        self.end_until(Time::NEVER);
        self.most_busy_us.max(self.busy_us) as f64 / SECOND_US as f64
    }
}

#[cfg(test)]
#[path = "load/tests.rs"]
mod tests;
