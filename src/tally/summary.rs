//! The figures of one run, as they are printed, written as JSON and compared. Owns their names, units
//! and definitions; must never hold anything that differs between two runs of the same scenario.

use serde::Serialize;

use super::quantiles::Quantiles;
use super::{Cause, FunctionCount, Often, Tally};
use crate::memory::Memory;
use crate::pool::boundary::{Refusal, StartState};
use crate::time::Time;

/// All figures of one run. Percentages are 0 to 100; `_pct` of served invocations unless it says
/// otherwise.
#[derive(Clone, PartialEq, Debug, Default, Serialize)]
pub struct Summary {
    /// Activations that arrived.
    pub invocations: u64,
    /// Those that got a container and were answered.
    pub served: u64,
    /// Served from a warm container.
    pub warm: u64,
    /// Served from a container created for them.
    pub cold: u64,
    /// Served from a prewarmed container, or by joining one that was being started.
    pub partial: u64,
    /// 100 · warm / served.
    pub warm_pct: f64,
    /// 100 · cold / served.
    pub cold_pct: f64,
    /// 100 · partial / served.
    pub partial_pct: f64,
    /// Refused.
    pub dropped: u64,
    /// 100 · dropped / invocations.
    pub dropped_pct: f64,
    /// Refused because there was no room.
    pub dropped_full: u64,
    /// Refused because the function is larger than the pool.
    pub dropped_too_large: u64,
    /// Refused because the run buffer was full.
    pub dropped_buffer_full: u64,
    /// Had to wait in the run buffer or the message feed.
    pub waited: u64,
    /// 100 · waited / invocations.
    pub waited_pct: f64,
    /// Answered with a developer or system error.
    pub failed: u64,
    /// Answered with an error before they got to run: the container they were meant for never came up.
    pub never_started: u64,
    /// Ended without any answer.
    pub lost: u64,
    /// Handed back to the pool by a container, and placed again.
    pub resubmitted: u64,
    /// Still waiting when nothing could happen any more.
    pub unserved: u64,
    /// Served, by start state.
    pub starts: Starts,
    /// Why those that were not warm were not.
    pub causes: Causes,
    /// From arrival to init or run, in ms, of the served.
    pub wait_ms: Percentiles,
    /// From arrival to the end of the run, in ms, of the served.
    pub response_ms: Percentiles,
    /// 100 · (sum of execution − sum of warm run times) / sum of warm run times, of the served. Execution is
    /// from getting a container to the end of the run, so what cold starts add; FaasCache's metric.
    pub exec_increase_pct: f64,
    /// The same for response, so with waiting for a container.
    pub response_increase_pct: f64,
    /// Memory.
    pub memory: MemoryFigures,
    /// Containers.
    pub containers: ContainerFigures,
    /// From the first arrival to the end of the last activation, in s; where some were never served, to the
    /// last instant at which that was awaited, up to a week after the last arrival.
    pub simulated_s: f64,
}

/// Served invocations by start state (docs/specs/openwhisk.md §5.2).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize)]
#[expect(missing_docs, reason = "the names are OpenWhisk's start states")]
pub struct Starts {
    pub cold: u64,
    pub warmed: u64,
    pub warming: u64,
    pub warming_cold: u64,
    pub prewarmed: u64,
    pub recreated: u64,
    pub recreated_prewarm: u64,
}

/// Starts that were not warm, by cause.
#[derive(Clone, PartialEq, Debug, Default, Serialize)]
pub struct Causes {
    /// The function's first ever.
    pub first: u64,
    /// All its containers were busy or being started.
    pub all_busy: u64,
    /// Its container's lease had ended.
    pub expired: u64,
    /// Its container had been evicted.
    pub evicted: u64,
    /// Its container had gone when the pool was made smaller.
    pub shrunk: u64,
    /// Its container had been unloaded by a prewarm window.
    pub unloaded: u64,
    /// Its container had failed.
    pub failed: u64,
    /// The function that most of the `evicted` were evicted for.
    pub top_evictor: Option<String>,
    /// How many of the `evicted` were evicted for it.
    pub by_top_evictor: u64,
}

impl Causes {
    /// Counts one.
    pub fn add(&mut self, cause: Cause) {
        *match cause {
            Cause::First => &mut self.first,
            Cause::AllBusy => &mut self.all_busy,
            Cause::Shrunk => &mut self.shrunk,
            Cause::Expired => &mut self.expired,
            Cause::Evicted(_) => &mut self.evicted,
            Cause::Unloaded => &mut self.unloaded,
            Cause::Failed => &mut self.failed,
        } += 1;
    }

    /// All of them.
    pub fn total(&self) -> u64 {
        self.first + self.all_busy + self.expired + self.evicted + self.shrunk + self.unloaded + self.failed
    }
}

/// Where a distribution lies. Quantiles are at most 0.8 % too high, mean and maximum are exact.
#[derive(Clone, Copy, PartialEq, Debug, Default, Serialize)]
#[expect(missing_docs, reason = "the names say it")]
pub struct Percentiles {
    pub mean: f64,
    pub p50: f64,
    pub p90: f64,
    pub p95: f64,
    pub p99: f64,
    pub max: f64,
}

/// Memory over the run.
#[derive(Clone, Copy, PartialEq, Debug, Default, Serialize)]
pub struct MemoryFigures {
    /// What the pool may use; where it is elastic, at first.
    pub capacity_mib: u64,
    /// On average over time.
    pub mean_capacity_mib: f64,
    /// How often it was changed.
    pub resizes: u64,
    /// The most it held.
    pub peak_mib: u64,
    /// On average over time, of all containers.
    pub mean_mib: f64,
    /// On average over time, of containers starting or running something.
    pub mean_busy_mib: f64,
    /// On average over time, of idle warm containers.
    pub mean_idle_mib: f64,
    /// On average over time, of prewarmed containers.
    pub mean_prewarmed_mib: f64,
    /// Memory held by idle and prewarmed containers, times time: what keep-alive costs.
    pub idle_gib_s: f64,
    /// Memory held by containers at work, times time.
    pub busy_gib_s: f64,
}

/// Containers over the run.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize)]
pub struct ContainerFigures {
    /// Created, prewarmed ones included.
    pub created: u64,
    /// The most at once.
    pub peak: u32,
    /// Evicted to make room.
    pub evicted: u64,
    /// Removed when the pool was made smaller.
    pub shrunk: u64,
    /// Removed at the end of their lease.
    pub expired: u64,
    /// Unloaded by a prewarm window.
    pub unloaded: u64,
    /// Removed because something failed.
    pub failed: u64,
    /// Started as prewarms.
    pub prewarmed: u64,
    /// Prewarms not started for want of room.
    pub prewarms_refused: u64,
    /// Prewarms that nobody took in time.
    pub prewarms_expired: u64,
}

/// The figures of one function.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct FunctionFigures {
    /// Its name.
    pub function: String,
    /// Memory of one container.
    pub memory_mib: u64,
    /// Activations that arrived.
    pub invocations: u64,
    /// Served from a warm container.
    pub warm: u64,
    /// Served from a container created for them.
    pub cold: u64,
    /// Served from a prewarmed container, or by joining one that was being started.
    pub partial: u64,
    /// Refused.
    pub dropped: u64,
    /// Answered with a developer or system error.
    pub failed: u64,
    /// Had to wait.
    pub waited: u64,
    /// 100 · cold / (warm + cold + partial); 0 if nothing was served.
    pub cold_pct: f64,
    /// Containers of it that were evicted.
    pub evicted: u64,
    /// Cold starts of others that evictions for this function have caused.
    pub cold_starts_caused: u64,
    /// Mean response in ms.
    pub mean_response_ms: f64,
    /// Mean run time in a warm container, in ms.
    pub mean_warm_ms: f64,
}

fn percent(part: u64, whole: u64) -> f64 {
    if whole == 0 { 0.0 } else { 100.0 * part as f64 / whole as f64 }
}

/// By how many per cent `actual` is above `base`; 0 if there is nothing.
fn increase(actual: u128, base: u128) -> f64 {
    if base == 0 { 0.0 } else { 100.0 * (actual as f64 / base as f64 - 1.0) }
}

impl From<&Quantiles> for Percentiles {
    fn from(quantiles: &Quantiles) -> Percentiles {
        let at = |fraction| quantiles.at(fraction).as_ms_f64();
        Percentiles {
            mean: quantiles.mean().as_ms_f64(),
            p50: at(0.50),
            p90: at(0.90),
            p95: at(0.95),
            p99: at(0.99),
            max: quantiles.max().as_ms_f64(),
        }
    }
}

const MIB_US_PER_GIB_S: f64 = 1024.0 * 1e6;

impl Tally {
    /// The figures. `names`: of the functions by number; `at`: when the run ended; `unserved`:
    /// activations that never were.
    pub fn summary(&self, names: &[String], at: Time, unserved: u64) -> Summary {
        let of = |start: StartState| self.starts[start as usize];
        let starts = Starts {
            cold: of(StartState::Cold),
            warmed: of(StartState::Warmed),
            warming: of(StartState::Warming),
            warming_cold: of(StartState::WarmingCold),
            prewarmed: of(StartState::Prewarmed),
            recreated: of(StartState::Recreated),
            recreated_prewarm: of(StartState::RecreatedPrewarm),
        };
        let served: u64 = self.starts.iter().sum();
        let (warm, cold) = (starts.warmed, starts.cold + starts.recreated);
        let partial = served - warm - cold;
        let dropped: u64 = self.refused.iter().sum();
        let mut response = Quantiles::default();
        self.response.iter().for_each(|of_start| response.merge(of_start));
        Summary {
            invocations: self.arrivals,
            served,
            warm,
            cold,
            partial,
            warm_pct: percent(warm, served),
            cold_pct: percent(cold, served),
            partial_pct: percent(partial, served),
            dropped,
            dropped_pct: percent(dropped, self.arrivals),
            dropped_full: self.refused[Refusal::Full as usize],
            dropped_too_large: self.refused[Refusal::TooLarge as usize],
            dropped_buffer_full: self.refused[Refusal::BufferFull as usize],
            waited: self.waited,
            waited_pct: percent(self.waited, self.arrivals),
            failed: self.failed,
            never_started: self.never_started,
            lost: self.lost,
            resubmitted: self.resubmitted,
            unserved,
            starts,
            causes: self.named_causes(names),
            wait_ms: Percentiles::from(&self.wait),
            response_ms: Percentiles::from(&response),
            exec_increase_pct: increase(self.execution_us, self.warm_run_us),
            response_increase_pct: increase(self.response_us, self.warm_run_us),
            memory: self.memory_figures(),
            containers: self.container_figures(),
            simulated_s: if self.arrivals == 0 { 0.0 } else { (at - self.first_arrival).as_secs_f64() },
        }
    }

    fn named_causes(&self, names: &[String]) -> Causes {
        let mut causes = self.causes.clone();
        // Of several with as many, the first by number.
        let top = self.functions.iter().enumerate().rev().max_by_key(|(_, count)| count.caused);
        if let Some((ix, FunctionCount { caused, .. })) = top
            && *caused > 0
        {
            causes.top_evictor = names.get(ix).cloned();
            causes.by_top_evictor = *caused;
        }
        causes
    }

    fn memory_figures(&self) -> MemoryFigures {
        let meter = &self.meter;
        let (busy, idle, prewarmed) = (meter.busy(), meter.idle(), meter.prewarmed());
        let span_us = (meter.span().0 as f64).max(1.0);
        let mean = |integral: u128| integral as f64 / span_us;
        MemoryFigures {
            capacity_mib: meter.first_capacity().mib(),
            mean_capacity_mib: mean(meter.capacity()),
            resizes: self.resizes,
            peak_mib: meter.peak_mib,
            mean_mib: mean(busy + idle + prewarmed),
            mean_busy_mib: mean(busy),
            mean_idle_mib: mean(idle),
            mean_prewarmed_mib: mean(prewarmed),
            idle_gib_s: (idle + prewarmed) as f64 / MIB_US_PER_GIB_S,
            busy_gib_s: busy as f64 / MIB_US_PER_GIB_S,
        }
    }

    fn container_figures(&self) -> ContainerFigures {
        ContainerFigures {
            created: self.created,
            peak: self.meter.peak_containers,
            evicted: self.evictions,
            shrunk: self.shrunk,
            expired: self.expired,
            unloaded: self.unloaded,
            failed: self.broken,
            prewarmed: self.prewarms,
            prewarms_refused: self.prewarms_refused,
            prewarms_expired: self.prewarm_expired,
        }
    }

    /// The figures of each function, by number.
    pub fn function_figures(
        &self,
        names: &[String],
        memory: impl Fn(usize) -> Memory,
    ) -> Vec<FunctionFigures> {
        let figures = |(ix, (count, often)): (usize, (&FunctionCount, &Often))| {
            let served = often.warm + count.cold + count.partial;
            let mean_ms = |us: u64| us as f64 / 1e3 / (served.max(1) as f64);
            FunctionFigures {
                function: names.get(ix).cloned().unwrap_or_default(),
                memory_mib: memory(ix).mib(),
                invocations: often.arrivals,
                warm: often.warm,
                cold: count.cold,
                partial: count.partial,
                dropped: count.dropped,
                failed: count.failed,
                waited: count.waited,
                cold_pct: percent(count.cold, served),
                evicted: count.evicted,
                cold_starts_caused: count.caused,
                mean_response_ms: mean_ms(often.response_us),
                mean_warm_ms: mean_ms(often.warm_run_us),
            }
        };
        self.functions.iter().zip(&self.often).enumerate().map(figures).collect()
    }
}
