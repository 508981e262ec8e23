//! The figures of one side alone, over all its runs. Owns how invocations become counts, shares and distributions; must
//! never look at the other side.

use super::figures::{
    CauseCount, Counts, Distribution, Memory, Percent, Range, Shares, SideFigures, SingleRuns, Waits,
};
use super::side::{Class, Invocation, Side};
use super::stats::{self, Interval};
use crate::tally::{Causes, MemorySample};
use crate::time::Time;

/// What counts as having waited.
const WAITED_US: u64 = 1_000;

/// The invocations of one run that are compared.
pub(super) type Part<'a> = &'a [Invocation];

/// Values in µs, sorted.
pub(super) type Sorted = Vec<u64>;

/// Responses of a side in µs, sorted: of all served, of warm starts, of cold starts.
#[derive(Default)]
pub(super) struct Responses {
    pub all: Sorted,
    pub warm: Sorted,
    pub cold: Sorted,
}

impl Responses {
    pub fn of<'a>(invocations: impl Iterator<Item = &'a Invocation> + Clone) -> Responses {
        let sorted = |wanted: Option<Class>| {
            let served = invocations.clone().filter(|one| one.class != Class::Unserved);
            let mut values: Sorted = served
                .filter(|one| wanted.is_none_or(|class| one.class == class))
                .filter_map(|one| one.response.map(|span| span.0))
                .collect();
            values.sort_unstable();
            values
        };
        Responses { all: sorted(None), warm: sorted(Some(Class::Warm)), cold: sorted(Some(Class::Cold)) }
    }
}

/// How invocations were served.
pub(super) fn counts<'a>(invocations: impl Iterator<Item = &'a Invocation>) -> Counts {
    let mut counts = Counts::default();
    invocations.for_each(|invocation| count(&mut counts, invocation));
    counts
}

/// Counts one more.
pub(super) fn count(counts: &mut Counts, invocation: &Invocation) {
    counts.invocations += 1;
    counts.failed += u64::from(invocation.failed);
    *match invocation.class {
        Class::Warm => &mut counts.warm,
        Class::Partial => &mut counts.partial,
        Class::Cold => &mut counts.cold,
        Class::Unserved => &mut counts.unserved,
    } += 1;
}

/// A share over runs with its interval: Wilson's of one run, a bootstrap over several.
pub(super) fn share(
    runs: &[Counts],
    part: fn(&Counts) -> u64,
    whole: fn(&Counts) -> u64,
) -> Option<Interval> {
    match runs {
        [run] => stats::wilson(part(run), whole(run)),
        runs => stats::bootstrap(&runs.iter().map(|run| (part(run), whole(run))).collect::<Vec<_>>()),
    }
}

/// The share of cold starts among the served.
pub(super) fn cold_ratio(runs: &[Counts]) -> Option<Interval> {
    share(runs, |counts| counts.cold, Counts::served)
}

pub(super) fn percent(share: Interval) -> Percent {
    Percent { pct: 100.0 * share.value, low: 100.0 * share.low, high: 100.0 * share.high }
}

/// Counts of several runs together.
pub(super) fn sum(runs: &[Counts]) -> Counts {
    let sum = |of: fn(&Counts) -> u64| runs.iter().map(of).sum();
    Counts {
        invocations: sum(|counts| counts.invocations),
        warm: sum(|counts| counts.warm),
        partial: sum(|counts| counts.partial),
        cold: sum(|counts| counts.cold),
        unserved: sum(|counts| counts.unserved),
        failed: sum(|counts| counts.failed),
    }
}

/// Where sorted µs lie, in ms.
pub(super) fn distribution(sorted: &[u64]) -> Option<Distribution> {
    let ms = |us: u64| us as f64 / 1e3;
    let at = |fraction| stats::quantile(sorted, fraction).map(ms);
    let total: u128 = sorted.iter().map(|us| u128::from(*us)).sum();
    Some(Distribution {
        count: sorted.len() as u64,
        mean: total as f64 / 1e3 / sorted.len().max(1) as f64,
        p50: at(0.50)?,
        p90: at(0.90)?,
        p95: at(0.95)?,
        p99: at(0.99)?,
        max: ms(*sorted.last()?),
    })
}

fn waits(parts: &[Part<'_>]) -> Option<Waits> {
    let served = parts.iter().flat_map(|part| part.iter()).filter(|one| one.class != Class::Unserved);
    let mut waits: Sorted = served.filter_map(|one| one.wait.map(|span| span.0)).collect();
    waits.sort_unstable();
    let waited = (waits.len() - waits.partition_point(|wait| *wait < WAITED_US)) as u64;
    Some(Waits { waited, ms: distribution(&waits)? })
}

/// All of them at once, if all runs know.
fn mean_known(sides: &[Side], of: fn(&Side) -> Option<u64>) -> Option<f64> {
    let known = sides.iter().map(of).collect::<Option<Vec<u64>>>()?;
    Some(known.iter().sum::<u64>() as f64 / known.len().max(1) as f64)
}

/// What the containers held.
pub(super) fn held(sample: &MemorySample) -> u64 {
    sample.busy_mib + sample.idle_mib + sample.prewarmed_mib
}

/// The mean over time of samples that each hold until the next; of a single one, itself.
fn mean_memory(samples: &[MemorySample]) -> Option<f64> {
    let (first, last) = (samples.first()?, samples.last()?);
    let span = last.time.since(first.time).0;
    if span == 0 {
        return Some(held(first) as f64);
    }
    let integral: u128 = samples
        .windows(2)
        .map(|pair| u128::from(held(&pair[0])) * u128::from(pair[1].time.since(pair[0].time).0))
        .sum();
    Some(integral as f64 / span as f64)
}

/// Memory of a side, mean over its runs.
fn memory(sides: &[Side]) -> Option<Memory> {
    let means = sides.iter().map(|side| mean_memory(&side.memory)).collect::<Option<Vec<f64>>>()?;
    let peak = |side: &Side| side.memory.iter().map(held).max().unwrap_or(0) as f64;
    let runs = sides.len().max(1) as f64;
    Some(Memory {
        samples: sides.iter().map(|side| side.memory.len() as u64).sum(),
        mean_mib: means.iter().sum::<f64>() / runs,
        peak_mib: sides.iter().map(peak).sum::<f64>() / runs,
    })
}

/// The mean of |A − B| over the time that both have, in MiB, and that time in s. Each side's time counts from its first
/// invocation.
pub(super) fn memory_apart(a: &Side, b: &Side) -> Option<(f64, f64)> {
    let steps = |side: &Side| -> Option<Vec<(u64, u64)>> {
        let first = side.invocations.first().map_or(Time::ZERO, |first| first.arrival);
        let at = |sample: &MemorySample| (sample.time.0.saturating_sub(first.0), held(sample));
        let steps: Vec<(u64, u64)> = side.memory.iter().map(at).collect();
        (!steps.is_empty()).then_some(steps)
    };
    let (a, b) = (steps(a)?, steps(b)?);
    let end = a.last()?.0.min(b.last()?.0);
    let begin = a.first()?.0.max(b.first()?.0);
    if end <= begin {
        return None;
    }
    let mut times: Vec<u64> =
        a.iter().chain(&b).map(|step| step.0).filter(|at| *at > begin && *at < end).collect();
    times.extend([begin, end]);
    times.sort_unstable();
    times.dedup();
    let at = |steps: &[(u64, u64)], time: u64| {
        let after = steps.partition_point(|step| step.0 <= time);
        steps[after.max(1) - 1].1
    };
    let apart =
        |pair: &[u64]| u128::from(at(&a, pair[0]).abs_diff(at(&b, pair[0]))) * u128::from(pair[1] - pair[0]);
    let integral: u128 = times.windows(2).map(apart).sum();
    Some((integral as f64 / (end - begin) as f64, (end - begin) as f64 / 1e6))
}

fn causes(sides: &[Side]) -> Option<Vec<CauseCount>> {
    let known = sides.iter().map(|side| side.causes.as_ref()).collect::<Option<Vec<&Causes>>>()?;
    type Count = fn(&Causes) -> u64;
    let names: [(&'static str, Count); 7] = [
        ("first", |causes| causes.first),
        ("all-busy", |causes| causes.all_busy),
        ("expired", |causes| causes.expired),
        ("evicted", |causes| causes.evicted),
        ("shrunk", |causes| causes.shrunk),
        ("unloaded", |causes| causes.unloaded),
        ("failed", |causes| causes.failed),
    ];
    let runs = known.len().max(1) as f64;
    let count = |of: Count| known.iter().map(|causes| of(causes)).sum::<u64>() as f64 / runs;
    Some(names.map(|(cause, of)| CauseCount { cause, count: count(of) }).to_vec())
}

/// Each run for itself, if there are several.
fn single_runs(parts: &[Part<'_>], runs: &[Counts]) -> Option<SingleRuns> {
    if parts.len() < 2 {
        return None;
    }
    let cold = runs.iter().filter(|run| run.served() > 0);
    // As shares are computed, so that what is equal is equal.
    let cold = cold.map(|run| 100.0 * (run.cold as f64 / run.served() as f64));
    let responses: Vec<Distribution> =
        parts.iter().filter_map(|part| distribution(&Responses::of(part.iter()).all)).collect();
    Some(SingleRuns {
        cold_pct: Range::of(cold),
        p50_ms: Range::of(responses.iter().map(|run| run.p50)),
        p95_ms: Range::of(responses.iter().map(|run| run.p95)),
    })
}

/// The figures of a side. `parts`: what is compared of each of its runs.
pub(super) fn figures(sides: &[Side], parts: &[Part<'_>], responses: &Responses) -> SideFigures {
    let runs: Vec<Counts> = parts.iter().map(|part| counts(part.iter())).collect();
    let of = |part, whole| share(&runs, part, whole).map(percent);
    let mut notes: Vec<String> = Vec::new();
    for side in sides {
        let label = if sides.len() > 1 { format!("{}: ", side.label) } else { String::new() };
        notes.extend(side.notes.iter().map(|note| format!("{label}{note}")));
    }
    SideFigures {
        runs: sides.iter().map(|side| side.label.clone()).collect(),
        kind: sides.first().map_or("", |side| side.kind.name()),
        trace_sha256: sides.iter().find_map(|side| side.trace_sha256.clone()),
        notes,
        counts: sum(&runs),
        shares: Shares {
            warm: of(|counts| counts.warm, Counts::served),
            partial: of(|counts| counts.partial, Counts::served),
            cold: of(|counts| counts.cold, Counts::served),
            unserved: of(|counts| counts.unserved, |counts| counts.invocations),
            method: if sides.len() > 1 { "bootstrap" } else { "wilson" },
        },
        wait: waits(parts),
        response_ms: distribution(&responses.all),
        warm_response_ms: distribution(&responses.warm),
        cold_response_ms: distribution(&responses.cold),
        single_runs: single_runs(parts, &runs),
        memory: memory(sides),
        created: mean_known(sides, |side| side.created),
        evicted: mean_known(sides, |side| side.evicted),
        causes: causes(sides),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compare::SideKind;

    fn side(samples: &[(u64, u64)], first_s: u64) -> Side {
        let mut side = Side::new("s", SideKind::Live, vec!["f".to_owned()]);
        side.memory = samples
            .iter()
            .map(|(s, mib)| MemorySample {
                time: Time(s * 1_000_000),
                busy_mib: *mib,
                ..MemorySample::default()
            })
            .collect();
        side.invocations.push(Invocation {
            number: 0,
            function: 0,
            arrival: Time(first_s * 1_000_000),
            class: Class::Cold,
            start: None,
            wait: None,
            init: None,
            duration: None,
            response: None,
            failed: false,
        });
        side
    }

    #[test]
    fn memory_is_a_step_function_of_time() {
        let one = side(&[(0, 100), (10, 300), (20, 0)], 0);
        assert_eq!(mean_memory(&one.memory), Some(200.0));
        assert_eq!(mean_memory(&[]), None);
        assert_eq!(mean_memory(&one.memory[1..2]), Some(300.0));
        // The other began 100 s later and has a sample in between: |100-100| for 5 s, |100-200| for 5, |300-200| for 5.
        let other = side(&[(100, 100), (105, 200), (115, 200)], 100);
        assert_eq!(memory_apart(&one, &other), Some((1000.0 / 15.0, 15.0)));
        assert_eq!(memory_apart(&one, &side(&[], 0)), None);
        assert_eq!(memory_apart(&one, &one), Some((0.0, 20.0)));
    }

    #[test]
    fn distributions_are_exact() {
        let found = distribution(&[1_000, 2_000, 3_000, 10_000]).expect("some");
        assert_eq!((found.count, found.mean, found.p50, found.p99, found.max), (4, 4.0, 2.0, 10.0, 10.0));
        assert_eq!(distribution(&[]), None);
    }
}
