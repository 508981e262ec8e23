//! Which part of a step takes a processor, from how much longer steps took that had company. Owns the estimate; the
//! model that uses it is the simulator's. Must never be told which steps ran alone: it finds out.
//!
//! A step that needs a processor for the part `p` of its time is stretched by `1 + p (x - 1)`, where `x` is by how much those that
//! want a processor outnumber the processors, on average while it lasts and at least 1. Steps of a kind are held against `x`, and
//! the line of least squares through `(x - 1, took / usual)` gives `p`. Since `x` depends on the parts of all kinds, this is
//! done a few times over, beginning with 1 for all.

use crate::eventlog::steps::StepKind;
use crate::time::Time;

/// Kinds of steps, the first run in a container being a run like any other.
pub const KINDS: [StepKind; 7] = [
    StepKind::Create,
    StepKind::Init,
    StepKind::Run,
    StepKind::Unpause,
    StepKind::Pause,
    StepKind::Logs,
    StepKind::Remove,
];

/// So often the parts are estimated from each other.
const ROUNDS: usize = 6;

/// So many steps of a kind must have had company for its part to be told.
const ENOUGH: usize = 8;

/// Company of less than this is none.
const ALONE: f64 = 1.05;

/// A step that may want a processor.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Busy {
    /// Its kind, as a place in [`KINDS`].
    pub kind: usize,
    /// When it began.
    pub begun: Time,
    /// When it ended.
    pub ended: Time,
    /// How long it took in µs, without what it was told to take by the clock.
    pub took_us: f64,
    /// To which steps it is alike when alone: a function's number, for instance.
    pub group: u32,
}

/// What was found.
#[derive(Clone, Copy, PartialEq, Debug, Default)]
pub struct Stretch {
    /// Processors of the machine.
    pub processors: u32,
    /// The part of each kind that takes a processor, 0 to 1.
    pub parts: [f64; KINDS.len()],
    /// Steps of each kind that had company.
    pub in_company: [usize; KINDS.len()],
}

/// Which part of each kind takes a processor, and by how much each step was stretched.
pub fn estimate(processors: u32, steps: &[Busy]) -> (Stretch, Vec<f64>) {
    let mut found = Stretch { processors, parts: [1.0; KINDS.len()], in_company: [0; KINDS.len()] };
    for _ in 0..ROUNDS {
        let crowds = crowds(processors, &found.parts, steps);
        for kind in 0..KINDS.len() {
            let of: Vec<(f64, &Busy)> =
                crowds.iter().copied().zip(steps).filter(|(_, step)| step.kind == kind).collect();
            found.in_company[kind] = of.iter().filter(|(crowd, _)| *crowd > ALONE).count();
            found.parts[kind] =
                if found.in_company[kind] < ENOUGH { 0.0 } else { slope(&of).clamp(0.0, 1.0) };
        }
    }
    let crowds = crowds(processors, &found.parts, steps);
    let stretched =
        crowds.iter().zip(steps).map(|(crowd, step)| 1.0 + found.parts[step.kind] * (crowd - 1.0)).collect();
    (found, stretched)
}

/// By how much those that want a processor outnumber the processors while each step lasts, on average; at least 1.
fn crowds(processors: u32, parts: &[f64; KINDS.len()], steps: &[Busy]) -> Vec<f64> {
    let mut changes: Vec<(Time, f64)> = Vec::with_capacity(2 * steps.len());
    for step in steps {
        changes.push((step.begun, parts[step.kind]));
        changes.push((step.ended, -parts[step.kind]));
    }
    changes.sort_by(|a, b| a.0.cmp(&b.0).then(b.1.total_cmp(&a.1)));
    // Of each kind, the integral of what a step of it meets, itself counted whole, up to each change.
    let mut times: Vec<Time> = Vec::with_capacity(changes.len());
    let mut integrals: Vec<[f64; KINDS.len()]> = Vec::with_capacity(changes.len());
    let (mut demand, mut sums, mut last) = (0.0_f64, [0.0; KINDS.len()], Time::ZERO);
    for (time, change) in changes {
        let span = (time - last).0 as f64;
        for (sum, part) in sums.iter_mut().zip(parts) {
            *sum += span * ((demand - part + 1.0) / f64::from(processors)).max(1.0);
        }
        (last, demand) = (time, demand + change);
        times.push(time);
        integrals.push(sums);
    }
    let up_to = |time: Time, kind: usize| {
        let at = times.partition_point(|known| *known <= time);
        integrals[at.saturating_sub(1)][kind]
    };
    let crowd = |step: &Busy| {
        let span = (step.ended - step.begun).0 as f64;
        if span > 0.0 {
            ((up_to(step.ended, step.kind) - up_to(step.begun, step.kind)) / span).max(1.0)
        } else {
            1.0
        }
    };
    steps.iter().map(crowd).collect()
}

/// The slope of `took / usual` over `crowd - 1`, through `(0, 1)`: what is usual is the median of the steps of the group that were
/// alone, or at the line's foot where none was.
fn slope(of: &[(f64, &Busy)]) -> f64 {
    let (mut products, mut squares) = (0.0, 0.0);
    let mut groups: Vec<u32> = of.iter().map(|(_, step)| step.group).collect();
    groups.sort_unstable();
    groups.dedup();
    for group in groups {
        let mut alone: Vec<f64> = of
            .iter()
            .filter(|(crowd, step)| step.group == group && *crowd <= ALONE)
            .map(|(_, step)| step.took_us)
            .collect();
        alone.sort_unstable_by(f64::total_cmp);
        let Some(usual) = alone.get(alone.len() / 2).copied().filter(|us| *us > 0.0) else { continue };
        for (crowd, step) in of.iter().filter(|(_, step)| step.group == group) {
            let excess = crowd - 1.0;
            products += excess * (step.took_us / usual - 1.0);
            squares += excess * excess;
        }
    }
    if squares > 0.0 { products / squares } else { 0.0 }
}
