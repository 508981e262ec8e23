//! The figures of a comparison, as they are printed and written as JSON. Owns their names, units and definitions; must
//! never compute one.
//!
//! Differences are A less B; those in per cent are of B's value. Shares are 0 to 100. Of several runs of a side, counts
//! are sums over all of them; memory, containers and evictions are means over runs.

use serde::Serialize;

use super::divergence::Divergences;
use super::stats::KolmogorovSmirnov;
use crate::scenario::Measure;

/// Everything that a comparison found.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct Comparison {
    /// The first side, usually the prediction.
    pub a: SideFigures,
    /// The second side, usually the measurement: what per cent are of.
    pub b: SideFigures,
    /// Whether both sides served the same invocations, so that these were compared one by one.
    pub same_workload: bool,
    /// What must be known to read the figures, one sentence each.
    pub notes: Vec<String>,
    /// A less B.
    pub differences: Differences,
    /// Invocation by invocation; `None` for different workloads.
    pub agreement: Option<Agreement>,
    /// By function, those first whose cold starts differ most.
    pub functions: Vec<FunctionComparison>,
    /// Functions that only A has.
    pub only_a: Vec<Lone>,
    /// Functions that only B has.
    pub only_b: Vec<Lone>,
    /// Where a simulation and a live run decided differently, and why.
    pub divergence: Option<Divergences>,
    /// Whether the limits are kept.
    pub verdict: Verdict,
}

/// The figures of one side.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct SideFigures {
    /// Its runs, as the user called them.
    pub runs: Vec<String>,
    /// Where they come from.
    pub kind: &'static str,
    /// SHA-256 of the trace, if known.
    pub trace_sha256: Option<String>,
    /// What must be known to read its figures.
    pub notes: Vec<String>,
    /// How many of its invocations were compared.
    pub counts: Counts,
    /// Shares of the served, and of the unserved among all.
    pub shares: Shares,
    /// From arrival to init or run.
    pub wait: Option<Waits>,
    /// From arrival to the end of the run, in ms, of all served.
    pub response_ms: Option<Distribution>,
    /// The same of warm starts.
    pub warm_response_ms: Option<Distribution>,
    /// The same of cold starts.
    pub cold_response_ms: Option<Distribution>,
    /// What its runs show one by one, if there are several.
    pub single_runs: Option<SingleRuns>,
    /// Memory over time.
    pub memory: Option<Memory>,
    /// Containers created, in the whole of a run.
    pub created: Option<f64>,
    /// Containers evicted, in the whole of a run.
    pub evicted: Option<f64>,
    /// Why starts were not warm, in the whole of a run.
    pub causes: Option<Vec<CauseCount>>,
}

/// How invocations were served.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize)]
#[expect(missing_docs, reason = "the names are the classes'")]
pub struct Counts {
    pub invocations: u64,
    pub warm: u64,
    pub partial: u64,
    pub cold: u64,
    pub unserved: u64,
    /// Answered with a developer or system error.
    pub failed: u64,
}

impl Counts {
    /// Those that got a container.
    pub fn served(&self) -> u64 {
        self.warm + self.partial + self.cold
    }
}

/// A percentage with its interval of 95 %: Wilson's of one run, a bootstrap over several.
#[derive(Clone, Copy, PartialEq, Debug, Serialize)]
#[expect(missing_docs, reason = "the names say it")]
pub struct Percent {
    pub pct: f64,
    pub low: f64,
    pub high: f64,
}

/// Shares; `None` where they would be of nothing.
#[derive(Clone, Copy, PartialEq, Debug, Default, Serialize)]
pub struct Shares {
    /// Of served.
    pub warm: Option<Percent>,
    /// Of served.
    pub partial: Option<Percent>,
    /// Of served: the cold ratio.
    pub cold: Option<Percent>,
    /// Of all.
    pub unserved: Option<Percent>,
    /// How the intervals were made: `wilson` or `bootstrap`.
    pub method: &'static str,
}

/// Waits for a container, those who found a warm one included.
#[derive(Clone, Copy, PartialEq, Debug, Serialize)]
pub struct Waits {
    /// Those of at least a millisecond.
    pub waited: u64,
    /// All of them, in ms.
    pub ms: Distribution,
}

/// Where a distribution lies. Quantiles are values that occurred.
#[derive(Clone, Copy, PartialEq, Debug, Serialize)]
#[expect(missing_docs, reason = "the names say it")]
pub struct Distribution {
    pub count: u64,
    pub mean: f64,
    pub p50: f64,
    pub p90: f64,
    pub p95: f64,
    pub p99: f64,
    pub max: f64,
}

/// What runs of a side show one by one: how far apart single runs of it lie.
#[derive(Clone, Copy, PartialEq, Debug, Serialize)]
pub struct SingleRuns {
    /// Cold starts among the served.
    pub cold_pct: Option<Range>,
    /// The median response of all served.
    pub p50_ms: Option<Range>,
    /// Its 95th percentile.
    pub p95_ms: Option<Range>,
}

/// The least and the greatest value.
#[derive(Clone, Copy, PartialEq, Debug, Serialize)]
#[expect(missing_docs, reason = "the names say it")]
pub struct Range {
    pub least: f64,
    pub greatest: f64,
}

impl Range {
    /// Of some values; `None` of none.
    pub fn of(values: impl IntoIterator<Item = f64>) -> Option<Range> {
        values.into_iter().fold(None, |range, value| {
            let Range { least, greatest } = range.unwrap_or(Range { least: value, greatest: value });
            Some(Range { least: least.min(value), greatest: greatest.max(value) })
        })
    }

    /// Whether a value lies in it.
    pub fn holds(&self, value: f64) -> bool {
        self.least <= value && value <= self.greatest
    }
}

/// Memory of all containers, of the samples of a run.
#[derive(Clone, Copy, PartialEq, Debug, Serialize)]
pub struct Memory {
    /// How many samples there are.
    pub samples: u64,
    /// On average over time.
    pub mean_mib: f64,
    /// The most in any sample.
    pub peak_mib: f64,
}

/// Why so many starts were not warm.
#[derive(Clone, PartialEq, Debug, Serialize)]
#[expect(missing_docs, reason = "the names say it")]
pub struct CauseCount {
    pub cause: &'static str,
    pub count: f64,
}

/// A difference with its interval of 95 %.
#[derive(Clone, Copy, PartialEq, Debug, Serialize)]
#[expect(missing_docs, reason = "the names say it")]
pub struct Points {
    pub pp: f64,
    pub low: f64,
    pub high: f64,
}

/// A less B.
#[derive(Clone, PartialEq, Debug, Default, Serialize)]
pub struct Differences {
    /// Of the cold ratios.
    pub cold: Option<Points>,
    /// Of the warm ratios.
    pub warm: Option<Points>,
    /// Of the partly cold ratios.
    pub partial: Option<Points>,
    /// Of the shares that were not served.
    pub unserved: Option<Points>,
    /// Of waits.
    pub wait_ms: Option<Quantiles>,
    /// Of responses.
    pub response_pct: Option<Quantiles>,
    /// Of responses after warm starts.
    pub warm_response_pct: Option<Quantiles>,
    /// Of responses after cold starts.
    pub cold_response_pct: Option<Quantiles>,
    /// Of the distributions of responses.
    pub response_ks: Option<KolmogorovSmirnov>,
    /// The same of warm starts.
    pub warm_response_ks: Option<KolmogorovSmirnov>,
    /// The same of cold starts.
    pub cold_response_ks: Option<KolmogorovSmirnov>,
    /// Of memory.
    pub memory: Option<MemoryDifference>,
    /// Of containers created.
    pub created_pct: Option<f64>,
    /// Of containers evicted.
    pub evicted_pct: Option<f64>,
}

/// Differences of a distribution's quantiles. `None` where B's is zero.
#[derive(Clone, Copy, PartialEq, Debug, Serialize)]
#[expect(missing_docs, reason = "the names say it")]
pub struct Quantiles {
    pub mean: Option<f64>,
    pub p50: Option<f64>,
    pub p90: Option<f64>,
    pub p95: Option<f64>,
    pub p99: Option<f64>,
}

/// Memory of one side against the other's.
#[derive(Clone, Copy, PartialEq, Debug, Serialize)]
pub struct MemoryDifference {
    /// Of the means.
    pub mean_pct: Option<f64>,
    /// Of the peaks.
    pub peak_pct: Option<f64>,
    /// The mean of |A − B| over the time that both sides have; `None` if time went by at another speed.
    pub mean_absolute_mib: Option<f64>,
    /// How long that time is, in s.
    pub common_s: Option<f64>,
}

/// Agreement, invocation by invocation. With several runs, every run of A was held against every run of B.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct Agreement {
    /// Pairs of invocations.
    pub matched: u64,
    /// Invocations of A without a counterpart in a run of B.
    pub only_a: u64,
    /// The other way round.
    pub only_b: u64,
    /// Rows are A's classes, columns B's: warm, partial, cold, unserved.
    pub matrix: [[u64; 4]; 4],
    /// Those on which both agree, in per cent of the matched.
    pub pct: Option<f64>,
    /// Cohen's kappa; `None` where it is not defined, as if all are of one class on both sides.
    pub kappa: Option<f64>,
    /// The same agreement among the runs of A, if there are several: how far a side agrees with itself.
    pub within_a_pct: Option<f64>,
    /// The same among the runs of B.
    pub within_b_pct: Option<f64>,
    /// How far arrivals lie apart, in ms, counted from the first matched one of each side.
    pub arrivals_apart_ms: Option<Distribution>,
}

/// One function on both sides.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct FunctionComparison {
    /// Its name.
    pub function: String,
    /// On A.
    pub a: FunctionSide,
    /// On B.
    pub b: FunctionSide,
    /// Cold starts of A less those of B, per run.
    pub cold_starts: f64,
    /// Of the cold ratios.
    pub cold: Option<Points>,
    /// Of responses.
    pub response_pct: Option<Quantiles>,
    /// Of the distributions of responses.
    pub response_ks: Option<KolmogorovSmirnov>,
    /// Invocations on which both agree, in per cent of the matched.
    pub agreement_pct: Option<f64>,
    /// Cohen's kappa, where it is defined.
    pub kappa: Option<f64>,
}

/// One function on one side.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct FunctionSide {
    /// How its invocations were served.
    pub counts: Counts,
    /// Its cold ratio.
    pub cold: Option<Percent>,
    /// Its responses, in ms.
    pub response_ms: Option<Distribution>,
}

/// A function that one side does not have.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Lone {
    /// Its name.
    pub function: String,
    /// Its invocations.
    pub invocations: u64,
    /// The most similar name on the other side.
    pub nearest: Option<String>,
}

/// Whether limits are kept.
#[derive(Clone, PartialEq, Debug, Default, Serialize)]
pub struct Verdict {
    /// Every limit there is.
    pub limits: Vec<Checked>,
    /// Whether any is not kept.
    pub exceeded: bool,
}

/// One limit.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct Checked {
    /// What is limited.
    pub measure: Measure,
    /// Its value; `None` if it is not known, and then the limit is not kept.
    pub value: Option<f64>,
    /// The limit.
    pub limit: f64,
    /// Whether it is the least that will do, and not the most.
    pub is_least: bool,
    /// Whether it is kept.
    pub kept: bool,
}
