//! What a run amounts to: counts, the final and the largest pool, and the published metrics in two families, as
//! published and with the roles of cold and warm put right. It only adds up; it must not decide anything.

use super::{Function, Outcome};

/// How many invocations ended how, and how many containers were evicted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Warm starts.
    pub hits: u64,
    /// Cold starts.
    pub misses: u64,
    /// Invocations dropped for want of memory.
    pub dropped: u64,
    /// Containers evicted for room or found expired; HIST unloads are not among them.
    pub evictions: u64,
}

impl Counts {
    /// Invocations that ran: hits and misses.
    pub fn served(&self) -> u64 {
        self.hits + self.misses
    }

    /// All invocations: hits, misses and drops.
    pub fn invocations(&self) -> u64 {
        self.served() + self.dropped
    }
}

/// The result of a run.
#[derive(Clone, Debug, PartialEq)]
pub struct Report {
    /// Totals over all functions; its evictions are those under pressure and the expired ones.
    pub counts: Counts,
    /// Containers evicted for room.
    pub evict_pressure: u64,
    /// Containers found expired when their function was invoked.
    pub evict_expired: u64,
    /// Containers HIST threw away on completion.
    pub hist_unloads: u64,
    /// Containers HIST added ahead of invocations.
    pub prewarm_added: u64,
    /// Containers HIST would have added had there been room.
    pub prewarm_rejected: u64,
    /// The clock: priority of the last victim.
    pub final_clock: f64,
    /// Memory of the pool after the last invocation, in MB.
    pub final_memory_mb: f64,
    /// Containers in the pool after the last invocation.
    pub final_pool: usize,
    /// Containers counted as running after the last invocation.
    pub final_running: usize,
    /// Most containers in the pool after any invocation.
    pub peak_pool: usize,
    /// Most memory of the pool after any invocation, in MB.
    pub peak_memory_mb: f64,
    /// Counts by function, in the order the functions were given.
    pub per_function: Vec<Counts>,
    durations: Vec<Durations>,
}

/// Cold and warm run time of a function in ms, kept for the metrics.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Durations {
    cold_ms: f64,
    warm_ms: f64,
}

/// The published metrics of a run (§6.2-6.4). `None` stands for a share of nothing, which has no number.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Metrics {
    /// Cold starts in % of the served invocations.
    pub cold_pct: Option<f64>,
    /// Dropped invocations in % of all.
    pub drop_pct: Option<f64>,
    /// "% increase in execution time" by the published formula, which swaps the warm duration and the overhead.
    pub exec_increase_pct_published: Option<f64>,
    /// The same with the roles put right: overhead by warm duration, averaged over the served invocations.
    pub exec_increase_pct_fixed: Option<f64>,
    /// Overhead of all cold starts in % of the time all served invocations take warm.
    pub exec_increase_pct_total_time: Option<f64>,
    /// Mean execution time in ms by the published formula (same swap).
    pub wted_eat_ms_published: Option<f64>,
    /// Mean cold-start overhead in ms by the published formula (same swap).
    pub server_cold_ms_published: Option<f64>,
}

impl Report {
    pub(super) fn new(functions: &[Function]) -> Report {
        let durations =
            |function: &Function| Durations { cold_ms: function.cold_ms, warm_ms: function.warm_ms };
        Report {
            counts: Counts::default(),
            evict_pressure: 0,
            evict_expired: 0,
            hist_unloads: 0,
            prewarm_added: 0,
            prewarm_rejected: 0,
            final_clock: 0.0,
            final_memory_mb: 0.0,
            final_pool: 0,
            final_running: 0,
            peak_pool: 0,
            peak_memory_mb: 0.0,
            per_function: vec![Counts::default(); functions.len()],
            durations: functions.iter().map(durations).collect(),
        }
    }

    pub(super) fn count(&mut self, function: u32, outcome: Outcome) {
        for counts in [&mut self.counts, &mut self.per_function[function as usize]] {
            match outcome {
                Outcome::Hit => counts.hits += 1,
                Outcome::Miss => counts.misses += 1,
                Outcome::Drop => counts.dropped += 1,
            }
        }
    }

    pub(super) fn evicted(&mut self, function: u32) {
        self.counts.evictions += 1;
        self.per_function[function as usize].evictions += 1;
    }

    /// The published metrics and their repaired counterparts.
    pub fn metrics(&self) -> Metrics {
        let Counts { misses, dropped, .. } = self.counts;
        let served = self.counts.served() as f64;
        let mut warm_ms = 0.0;
        let mut overhead_ms = 0.0;
        let mut overhead_by_warm = 0.0;
        let mut warm_by_overhead = 0.0;
        let mut swapped_overhead_ms = 0.0;
        let mut swapped_total_ms = 0.0;
        for (counts, durations) in self.per_function.iter().zip(&self.durations) {
            if counts.served() == 0 {
                continue;
            }
            let (hits, misses) = (counts.hits as f64, counts.misses as f64);
            let Durations { cold_ms: cold, warm_ms: warm } = *durations;
            let overhead = cold - warm;
            warm_ms += (hits + misses) * warm;
            overhead_ms += misses * overhead;
            overhead_by_warm += misses * overhead / warm;
            if overhead != 0.0 {
                warm_by_overhead += warm * misses / overhead;
            }
            swapped_overhead_ms += warm * misses;
            swapped_total_ms += misses * cold + hits * overhead;
        }
        Metrics {
            cold_pct: share(100.0 * misses as f64, served),
            drop_pct: share(100.0 * dropped as f64, self.counts.invocations() as f64),
            exec_increase_pct_published: share(100.0 * warm_by_overhead, served),
            exec_increase_pct_fixed: share(100.0 * overhead_by_warm, served),
            exec_increase_pct_total_time: share(100.0 * overhead_ms, warm_ms),
            wted_eat_ms_published: share(swapped_total_ms, served),
            server_cold_ms_published: share(swapped_overhead_ms, served),
        }
    }
}

fn share(part: f64, whole: f64) -> Option<f64> {
    let share = part / whole;
    share.is_finite().then_some(share)
}
