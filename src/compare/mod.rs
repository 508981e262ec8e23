//! Two records of what became of invocations, held against each other: a simulation, a live run, a log of OpenWhisk, a measured
//! trace. Owns every figure of the comparison; must never print, write or run containers.
//!
//! | file | what |
//! |-|-|
//! | [`side`] | one record: its invocations, and what it knows beyond them |
//! | [`figures`] | what a comparison finds, with names, units and definitions |
//! | `aggregate` | the figures of one side alone |
//! | `pairs` | invocations matched by number |
//! | `functions` | both sides by function |
//! | [`stats`] | intervals, kappa, Kolmogorov–Smirnov; where each comes from |
//! | `verdict` | limits held against figures |
//! | [`divergence`] | what a simulation and a live run decided differently, and why |
//! | `substituted` | a simulation in which some things go as they went live |
//! | [`pool_view`] | what a pool holds at one instant |
//! | [`keep_alive`] | which single keep-alive explains measured cold starts |
//! | [`simulated`], [`logged`], [`measured`], [`table`], [`cluster`] | how records become sides |

mod aggregate;
pub mod cluster;
pub mod divergence;
pub mod figures;
mod functions;
pub mod keep_alive;
pub mod logged;
pub mod measured;
mod pairs;
pub mod pool_view;
pub mod side;
pub mod simulated;
pub mod stats;
mod substituted;
pub mod table;
mod verdict;

pub use figures::Comparison;
pub use side::{Class, Invocation, Side, SideKind};

use self::aggregate::{Part, Responses};
use self::figures::{
    Agreement, Counts, Differences, MemoryDifference, Points, Quantiles, SideFigures, Verdict,
};
use self::pairs::{Matching, Pairs};
use self::stats::{Interval, kolmogorov_smirnov};
use crate::error::Diagnostic;
use crate::pool::boundary::StartState;
use crate::scenario::CompareSpec;

/// How two sides are compared.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Options {
    /// What must be kept.
    pub limits: CompareSpec,
    /// Whether sides of different workloads are compared all the same, figures of single invocations left out.
    pub different_workloads: bool,
}

/// What is said to do about sides of different workloads.
const FORCE: &str = "--different-workloads compares them all the same, but not invocation by invocation";

/// Holds the runs of A against those of B. Usually each side is one run.
///
/// # Errors
/// There is nothing to compare on a side, or the sides are of different workloads and that was not asked for.
pub fn compare(a: &[Side], b: &[Side], options: &Options) -> Result<Comparison, Diagnostic> {
    for side in a.iter().chain(b) {
        if side.invocations.is_empty() {
            return Err(Diagnostic::new("has no invocation that ended, so nothing to compare")
                .at(side.label.clone())
                .help("a run that was killed early has none; compare with one that went on for longer"));
        }
    }
    let mut notes = Vec::new();
    let unlike = unlike(a, b);
    let same_workload = unlike.is_none();
    if let Some(unlike) = unlike {
        if !options.different_workloads {
            return Err(unlike);
        }
        notes.push(
            "the sides are of different workloads: figures of single invocations are left out, \
             and all others differ by the workload too"
                .to_owned(),
        );
    }
    let names = functions::names(a, b);
    let mut runs_a = prepared(a, &names);
    let mut runs_b = prepared(b, &names);
    notes.extend(fold(a, b, &mut runs_a, &mut runs_b));
    let end = if same_workload { common_end(a, b, &mut notes) } else { u64::MAX };
    let parts_a = until(&runs_a, end);
    let parts_b = until(&runs_b, end);
    let mut matching = Matching::default();
    let agreement = same_workload.then(|| {
        for one in &parts_a {
            for other in &parts_b {
                matching.add(one, other);
            }
        }
        matching.figures(pairs::within(&parts_a), pairs::within(&parts_b))
    });
    if let Some(agreement) = &agreement {
        if agreement.matched == 0 {
            return Err(Diagnostic::new(format!(
                "no invocation of {} has a counterpart of the same number in {}",
                a[0].label, b[0].label
            ))
            .help("both count invocations from 0 in order of arrival"));
        }
        tell_arrivals(agreement, &mut notes);
    }
    let responses = |parts: &[Part<'_>]| Responses::of(parts.iter().flat_map(|part| part.iter()));
    let (responses_a, responses_b) = (responses(&parts_a), responses(&parts_b));
    let (figures_a, figures_b) =
        (aggregate::figures(a, &parts_a, &responses_a), aggregate::figures(b, &parts_b, &responses_b));
    let same_speed = same_speed(a, b, &mut notes);
    let mut differences = differences(&figures_a, &figures_b, &responses_a, &responses_b);
    differences.shares(&parts_a, &parts_b);
    differences.memory = memory(a, b, &figures_a, &figures_b, same_speed && same_workload);
    let functions = functions::compared(&names, &parts_a, &parts_b, &matching);
    let mut found = Comparison {
        only_a: functions::lone(&names, &parts_a, &parts_b),
        only_b: functions::lone(&names, &parts_b, &parts_a),
        a: figures_a,
        b: figures_b,
        same_workload,
        notes,
        differences,
        agreement,
        functions,
        divergence: None,
        verdict: Verdict::default(),
    };
    found.verdict = verdict::verdict(&options.limits, &found);
    Ok(found)
}

// ----- what is the same -----

/// Why sides are of different workloads, if they are.
fn unlike(a: &[Side], b: &[Side]) -> Option<Diagnostic> {
    let known: Vec<(&Side, &str)> =
        a.iter().chain(b).filter_map(|side| Some((side, side.trace_sha256.as_deref()?))).collect();
    if let Some((first, sha)) = known.first()
        && let Some((other, its)) = known.iter().find(|(_, its)| its != sha)
    {
        let short = |sha: &str| sha.chars().take(12).collect::<String>();
        let message = format!(
            "the sides are of different traces: {} is of {}…, {} of {}…",
            first.label,
            short(sha),
            other.label,
            short(its)
        );
        return Some(Diagnostic::new(message).help(FORCE));
    }
    let first = a.first()?;
    a.iter().skip(1).chain(b).find_map(|other| unlike_functions(first, other))
}

/// The first invocation that is of one function on one side and of another on the other.
fn unlike_functions(a: &Side, b: &Side) -> Option<Diagnostic> {
    let (one, other) = Pairs::new(&a.invocations, &b.invocations).find_map(|pair| match pair {
        (Some(one), Some(other)) if a.function_of(one) != b.function_of(other) => Some((one, other)),
        _ => None,
    })?;
    let (its, theirs) = (a.function_of(one), b.function_of(other));
    let message = format!(
        "the sides are of different workloads: invocation {} is of `{its}` in {}, of `{theirs}` in {}",
        one.number, a.label, b.label
    );
    Some(Diagnostic::new(message).help(format!("do both have the same window of the trace?\n{FORCE}")))
}

/// One more than the last number that all runs have.
fn common_end(a: &[Side], b: &[Side], notes: &mut Vec<String>) -> u64 {
    let ends = |sides: &[Side]| sides.iter().map(Side::end).min().unwrap_or(0);
    let (end_a, end_b) = (ends(a), ends(b));
    let end = end_a.min(end_b);
    if end_a != end_b || a.iter().chain(b).any(|side| side.end() != end) {
        notes.push(format!(
            "A has {end_a} invocations and B {end_b}: the first {end} are compared; memory, containers, evictions \
             and causes are those of the whole runs"
        ));
    }
    end
}

/// Whether time went by equally fast, as far as that is known.
fn same_speed(a: &[Side], b: &[Side], notes: &mut Vec<String>) -> bool {
    let mut speeds: Vec<f64> = a.iter().chain(b).map(|side| side.speed.unwrap_or(1.0)).collect();
    speeds.sort_unstable_by(f64::total_cmp);
    speeds.dedup();
    if let [slowest, .., fastest] = speeds[..] {
        notes.push(format!(
            "the trace went by at different speeds ({slowest} and {fastest}): gaps between arrivals differ, and memory \
             over time is not compared"
        ));
        return false;
    }
    true
}

fn tell_arrivals(agreement: &Agreement, notes: &mut Vec<String>) {
    if let Some(apart) = agreement.arrivals_apart_ms
        && apart.p50 > 1_000.0
    {
        notes.push(format!(
            "arrivals of the same number lie {:.1} s apart in the middle: are both of the same window, at the same \
             speed?",
            apart.p50 / 1e3
        ));
    }
}

// ----- invocations as they are compared -----

/// The invocations of every run with functions by number in `names`.
fn prepared(sides: &[Side], names: &[&str]) -> Vec<Vec<Invocation>> {
    let run = |side: &Side| {
        let number = |name: &String| names.binary_search(&name.as_str()).unwrap_or(0) as u32;
        let numbers: Vec<u32> = side.functions.iter().map(number).collect();
        let renumbered = |one: &Invocation| Invocation { function: numbers[one.function as usize], ..*one };
        side.invocations.iter().map(renumbered).collect()
    };
    sides.iter().map(run).collect()
}

/// Where a source tells only cold or warm, partly cold starts of the other count as what such a source would have told: cold
/// if the activation waited for an initialisation of its own, warm if it joined somebody else's.
fn fold(
    a: &[Side],
    b: &[Side],
    runs_a: &mut [Vec<Invocation>],
    runs_b: &mut [Vec<Invocation>],
) -> Option<String> {
    let two = |sides: &[Side]| sides.iter().any(|side| side.two_classes);
    if !two(a) && !two(b) {
        return None;
    }
    let mut folded = 0_u64;
    for one in runs_a.iter_mut().chain(runs_b.iter_mut()).flatten() {
        if one.class == Class::Partial {
            folded += 1;
            let joined = matches!(one.start, Some(StartState::Warming | StartState::WarmingCold));
            one.class = if joined { Class::Warm } else { Class::Cold };
        }
    }
    let who = if two(a) { "A" } else { "B" };
    (folded > 0).then(|| {
        format!(
            "{who} tells only cold or warm: {folded} partly cold starts of the other count as cold if they were \
             initialised for that invocation, else as warm"
        )
    })
}

/// The invocations of each run before number `end`.
fn until(runs: &[Vec<Invocation>], end: u64) -> Vec<Part<'_>> {
    runs.iter().map(|run| &run[..run.partition_point(|one| one.number < end)]).collect()
}

// ----- differences -----

/// By how many per cent `a` is above `b`; nothing if that is zero and `a` is not.
fn relative(a: f64, b: f64) -> Option<f64> {
    match (a, b) {
        (a, b) if a == b => Some(0.0),
        (_, 0.0) => None,
        (a, b) => Some(100.0 * (a - b) / b),
    }
}

fn points(a: Option<Interval>, b: Option<Interval>) -> Option<Points> {
    let Interval { value, low, high } = stats::difference(a?, b?);
    Some(Points { pp: 100.0 * value, low: 100.0 * low, high: 100.0 * high })
}

/// Quantiles of one distribution against those of another.
fn quantiles(
    a: Option<figures::Distribution>,
    b: Option<figures::Distribution>,
    of: fn(f64, f64) -> Option<f64>,
) -> Option<Quantiles> {
    let (a, b) = (a?, b?);
    Some(Quantiles {
        mean: of(a.mean, b.mean),
        p50: of(a.p50, b.p50),
        p90: of(a.p90, b.p90),
        p95: of(a.p95, b.p95),
        p99: of(a.p99, b.p99),
    })
}

fn differences(
    a: &SideFigures,
    b: &SideFigures,
    responses_a: &Responses,
    responses_b: &Responses,
) -> Differences {
    let waits = |side: &SideFigures| side.wait.map(|wait| wait.ms);
    let both = |of: fn(&SideFigures) -> Option<f64>| relative(of(a)?, of(b)?);
    Differences {
        wait_ms: quantiles(waits(a), waits(b), |a, b| Some(a - b)),
        response_pct: quantiles(a.response_ms, b.response_ms, relative),
        warm_response_pct: quantiles(a.warm_response_ms, b.warm_response_ms, relative),
        cold_response_pct: quantiles(a.cold_response_ms, b.cold_response_ms, relative),
        response_ks: kolmogorov_smirnov(&responses_a.all, &responses_b.all),
        warm_response_ks: kolmogorov_smirnov(&responses_a.warm, &responses_b.warm),
        cold_response_ks: kolmogorov_smirnov(&responses_a.cold, &responses_b.cold),
        created_pct: both(|side| side.created),
        evicted_pct: both(|side| side.evicted),
        ..Differences::default()
    }
}

impl Differences {
    /// Those of shares.
    fn shares(&mut self, parts_a: &[Part<'_>], parts_b: &[Part<'_>]) {
        let counts = |parts: &[Part<'_>]| -> Vec<Counts> {
            parts.iter().map(|part| aggregate::counts(part.iter())).collect()
        };
        let (a, b) = (counts(parts_a), counts(parts_b));
        let of = |part: fn(&Counts) -> u64, whole: fn(&Counts) -> u64| {
            points(aggregate::share(&a, part, whole), aggregate::share(&b, part, whole))
        };
        self.warm = of(|counts| counts.warm, Counts::served);
        self.partial = of(|counts| counts.partial, Counts::served);
        self.cold = of(|counts| counts.cold, Counts::served);
        self.unserved = of(|counts| counts.unserved, |counts| counts.invocations);
    }
}

fn memory(
    a: &[Side],
    b: &[Side],
    figures_a: &SideFigures,
    figures_b: &SideFigures,
    over_time: bool,
) -> Option<MemoryDifference> {
    let (one, other) = (figures_a.memory?, figures_b.memory?);
    // Of several runs, every one of A with every one of B.
    let pairs = a.iter().flat_map(|a| b.iter().map(move |b| (a, b)));
    let apart: Vec<(f64, f64)> =
        pairs.filter(|_| over_time).filter_map(|(a, b)| aggregate::memory_apart(a, b)).collect();
    let mean = |of: fn(&(f64, f64)) -> f64| {
        (!apart.is_empty()).then(|| apart.iter().map(of).sum::<f64>() / apart.len() as f64)
    };
    Some(MemoryDifference {
        mean_pct: relative(one.mean_mib, other.mean_mib),
        peak_pct: relative(one.peak_mib, other.peak_mib),
        mean_absolute_mib: mean(|pair| pair.0),
        common_s: mean(|pair| pair.1),
    })
}

#[cfg(test)]
mod tests;
