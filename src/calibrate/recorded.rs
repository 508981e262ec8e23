//! The samples of a live run: how long each step took if nothing had slowed it down. Owns which step is the cost of what; must
//! never fit anything.

use super::contention::{Busy, KINDS, estimate};
use super::samples::{Cost, Samples};
use crate::eventlog::steps::{Recording, Step, StepKind};
use crate::time::Span;

/// The samples of a recording. With `contention` what others have added by taking processors is taken off again, and which
/// part of each kind of step takes one is estimated; otherwise steps count as they took.
pub fn of_recording(recording: &Recording, contention: bool) -> Samples {
    let steps: Vec<&Step> = recording.steps.iter().filter(|step| step.is_ok()).collect();
    let busy: Vec<Busy> = steps.iter().map(|step| busy(recording, step)).collect();
    let mut samples = Samples::default();
    let mut stretches = vec![1.0; steps.len()];
    if contention && let Some((found, each)) = estimate(recording.header.machine.cpus.max(1), &busy) {
        samples.stretch = Some(found);
        stretches = each;
    }
    samples.imitated = (0..recording.header.functions.len()).any(|ix| recording.header.loading(ix).is_some());
    for ((step, busy), stretch) in steps.into_iter().zip(busy).zip(stretches) {
        let ix = step.function.map(|function| function as usize);
        let function = ix.and_then(|ix| recording.header.functions.get(ix));
        let (of, cost) = cost_of(step.kind, asked(recording, step).is_some());
        let of = of.then(|| function.map(|function| function.name.as_str())).flatten();
        samples.add(of, cost, (busy.free_until - busy.begun).0 as f64 / stretch);
    }
    samples
}

/// The cost that a step is a sample of, and whether it is that of its function alone.
fn cost_of(kind: StepKind, imitated: bool) -> (bool, Cost) {
    match kind {
        StepKind::Create => (false, Cost::Create),
        StepKind::Unpause => (false, Cost::Unpause),
        StepKind::Pause => (false, Cost::Pause),
        StepKind::Logs => (false, Cost::Logs),
        StepKind::Remove => (false, Cost::Remove),
        StepKind::Init if imitated => (false, Cost::InitOverhead),
        StepKind::Run | StepKind::FirstRun if imitated => (false, Cost::RunOverhead),
        StepKind::Init => (true, Cost::Init),
        StepKind::FirstRun => (true, Cost::FirstRun),
        StepKind::Run => (true, Cost::Run),
    }
}

/// How long the step was told to take, if it is one that takes what it is told.
fn asked(recording: &Recording, step: &Step) -> Option<Span> {
    let loading = recording.header.loading(step.function? as usize)?;
    match step.kind {
        StepKind::Init => Some(loading),
        StepKind::Run | StepKind::FirstRun => step.asked,
        _ => None,
    }
}

fn busy(recording: &Recording, step: &Step) -> Busy {
    let kind = if step.kind == StepKind::FirstRun { StepKind::Run } else { step.kind };
    let own = asked(recording, step);
    // What is imitated is alike but for what it is told to take; other actions differ.
    let differs = own.is_none() && matches!(kind, StepKind::Init | StepKind::Run);
    let begun = step.begun + step.queued;
    // An imitation goes by the clock once it has begun.
    let free_until = begun + (step.ended - begun).saturating_sub(own.unwrap_or_default());
    Busy {
        kind: KINDS.iter().position(|known| *known == kind).unwrap_or_default(),
        begun,
        free_until,
        ended: step.ended,
        group: step.function.filter(|_| differs).map_or(0, |function| function + 1),
    }
}
