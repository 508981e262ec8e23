//! The curve of an eviction policy by simulation: one run for every amount of memory. Owns how runs are set
//! up and what of them makes a point; must never depend on which run ends first.

use std::sync::Arc;

use rayon::prelude::*;

use super::clairvoyant::{Clairvoyant, Future};
use super::{Failure, Point, Watch};
use crate::memory::Memory;
use crate::policy::EvictionPolicy;
use crate::pool::rules::WhenFull;
use crate::scenario::{Choice, PoolSetup, Scenario};
use crate::sim::{
    Answers, Control, CostModel, Machine, Stopped, Wheel, make_pool_with, mean_gap, replay, simulate,
};
use crate::tally::{Summary, Tally};
use crate::time::Time;
use crate::trace::{Trace, Window};

/// More memory than anything needs.
pub const UNLIMITED: Memory = Memory(u32::MAX as u64);

/// What is simulated.
#[derive(Clone, Copy)]
pub struct Worker<'a> {
    /// The scenario; its memory does not matter.
    pub scenario: &'a Scenario,
    /// Its pool.
    pub setup: &'a PoolSetup,
    /// What is replayed.
    pub trace: &'a Trace,
    /// Which part of it.
    pub window: Window,
    /// Who is told and may stop it.
    pub watch: &'a dyn Watch,
}

/// Passes on how far a run is.
struct Share<'a> {
    watch: &'a dyn Watch,
    told: u64,
}

impl Control for Share<'_> {
    fn proceed(&mut self, invocations: u64, _now: Time) -> bool {
        let more = invocations - self.told;
        self.told = invocations;
        self.watch.proceed(more)
    }
}

impl Worker<'_> {
    /// One run with this eviction policy and so much memory.
    ///
    /// # Errors
    /// The scenario does not fit the trace, or the run was stopped.
    pub fn run(&self, eviction: &Choice<EvictionPolicy>, memory: Memory) -> Result<Summary, Failure> {
        let setup = PoolSetup { eviction: eviction.clone(), ..self.setup.clone() };
        let scenario = self.scenario_with(memory);
        let mut control = Share { watch: self.watch, told: 0 };
        Ok(replay(&scenario, &setup, self.trace, &mut control)?.summary)
    }

    /// One run with the policy that knows the future.
    ///
    /// # Errors
    /// As [`Worker::run`].
    pub fn run_knowing(&self, future: &Arc<Future>, memory: Memory) -> Result<Summary, Failure> {
        let (seed, functions) = (self.scenario.seed, &self.trace.functions);
        let costs = CostModel::new(seed, &self.setup.costs, &self.setup.failures, functions)
            .map_err(Failure::Unfit)?;
        let evict = Clairvoyant::new(Arc::clone(future), self.setup.rules.when_full == WhenFull::Drop);
        let mut pool = make_pool_with(seed, memory, self.setup, self.trace, &costs, Box::new(evict));
        let mut queue = Wheel::new(mean_gap(self.trace));
        let mut tally = Tally::new(functions.len(), memory, self.scenario.output.memory_every, false);
        let mut control = Share { watch: self.watch, told: 0 };
        let arrivals = self.trace.stream(self.window);
        let machine = Machine { imagined: Answers::new(&costs), contention: self.setup.costs.contention };
        let end = simulate(&mut pool, None, arrivals, machine, &mut queue, &mut tally, &mut control)
            .map_err(|Stopped| Failure::Stopped)?;
        let names: Vec<String> = functions.iter().map(|function| function.name.clone()).collect();
        Ok(tally.summary(&names, end.at, end.unserved))
    }

    /// A run with each of these amounts of memory, in parallel.
    ///
    /// # Errors
    /// As [`Worker::run`].
    pub fn curve(
        &self,
        eviction: &Choice<EvictionPolicy>,
        memories: &[Memory],
    ) -> Result<Vec<Point>, Failure> {
        memories.par_iter().map(|memory| Ok(point(*memory, &self.run(eviction, *memory)?))).collect()
    }

    fn scenario_with(&self, memory: Memory) -> Scenario {
        let mut scenario = self.scenario.clone();
        scenario.memory = memory;
        // A curve is of amounts of memory that stay.
        scenario.elastic = None;
        scenario.trace.window = self.window;
        scenario.output.invocations = false;
        scenario
    }

    /// The least memory between `below` and `enough`, of which the latter is known to reach the ratio, to 1 %
    /// of it and at least 16 MiB; with its point. By halving: where more memory makes a policy worse, there
    /// may be less that would do.
    ///
    /// # Errors
    /// As [`Worker::run`].
    pub fn least(
        &self,
        eviction: &Choice<EvictionPolicy>,
        below: Memory,
        enough: Point,
        warm_pct: f64,
    ) -> Result<Point, Failure> {
        let (mut below, mut enough) = (below.mib(), enough);
        while enough.memory.mib() - below > (enough.memory.mib() / 100).max(16) {
            let middle = Memory(below + (enough.memory.mib() - below) / 2);
            let tried = point(middle, &self.run(eviction, middle)?);
            if tried.warm_pct >= warm_pct { enough = tried } else { below = middle.mib() }
        }
        Ok(enough)
    }
}

/// What a run says about its amount of memory.
pub fn point(memory: Memory, summary: &Summary) -> Point {
    Point {
        memory,
        warm_pct: super::percent(summary.warm, summary.invocations),
        band: None,
        cold: Some(summary.served - summary.warm),
        dropped: Some(summary.invocations - summary.served),
    }
}
