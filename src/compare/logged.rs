//! A live run as a side, from its event log. Owns what is said of runs that did not end by themselves; the figures are
//! `eventlog`'s.

use super::side::{Side, SideKind, invocations_of};
use super::simulated::with_unserved;
use crate::eventlog::Rebuilt;
use crate::eventlog::record::Why;

/// The side.
pub fn logged(label: &str, rebuilt: &Rebuilt) -> Side {
    let Rebuilt { header, scenario, summary, memory, rows, .. } = rebuilt;
    let functions = header.functions.iter().map(|function| function.name.clone()).collect();
    // What a run that was ended would have done with the rest is not known.
    let is_over = rebuilt.replayed.ended.as_ref().is_some_and(|ended| ended.why == Why::Done);
    let invocations = if is_over {
        with_unserved(rows, rebuilt.sent.iter().copied(), rebuilt.sent.len() as u64)
    } else {
        invocations_of(rows)
    };
    Side {
        trace_sha256: Some(header.trace_sha256.clone()),
        invocations,
        memory: memory.clone(),
        capacity: Some(scenario.memory),
        created: Some(summary.containers.created),
        evicted: Some(summary.containers.evicted),
        causes: Some(summary.causes.clone()),
        speed: Some(scenario.live.speed),
        notes: notes(rebuilt),
        ..Side::new(label, SideKind::Live, functions)
    }
}

fn notes(rebuilt: &Rebuilt) -> Vec<String> {
    let Rebuilt { header, replayed, phases, .. } = rebuilt;
    let mut notes = Vec::new();
    let sent = format!("{} of {} arrivals were sent", replayed.arrivals, header.arrivals);
    match replayed.ended.as_ref().map(|ended| ended.why) {
        None => notes.push(format!(
            "the run was killed after {:.1} s: {sent}, {} had not ended",
            replayed.at.as_secs_f64(),
            replayed.unserved
        )),
        Some(Why::Done) => {}
        Some(Why::DrainedTooLong) => {
            notes.push(format!("{} invocations had not ended when the run did", replayed.unserved));
        }
        Some(Why::Stopped) => notes.push(format!("the run was stopped: {sent}")),
        Some(Why::CutShort) => {
            notes.push(format!("the run was cut short: {sent}, {} had not ended", replayed.unserved));
        }
        Some(Why::LogFailed) => {
            notes.push(format!("the run ended because its log could not be written: {sent}"));
        }
    }
    if let Some(difference) = &replayed.difference {
        notes.push(format!(
            "replayed, its log leads to another order at line {}: figures end there",
            difference.line
        ));
    }
    let lag = phases.figures().dispatch_lag_ms;
    if lag.p95 > 10.0 {
        notes.push(format!("arrivals were sent late: 5 % by more than {:.0} ms", lag.p95));
    }
    notes
}
