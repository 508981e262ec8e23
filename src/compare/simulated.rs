//! A scenario as a side: simulated on the spot. Owns that every arrival has a record; must never read the trace or decide
//! which part of it is sent.

use super::side::{Class, Invocation, Side, SideKind, invocations_of};
use crate::scenario::{PoolSetup, Scenario};
use crate::schedule::Schedule;
use crate::sim::{Control, ReplayError, Wheel, mean_gap, replay_arrivals};
use crate::tally::{Rows, Summary, Tally};
use crate::trace::{Arrival, Trace};

/// When the arrivals of a simulation are sent.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Sending {
    /// At the times of the trace, as `faassim run` has it.
    AsTraced,
    /// As live mode sends them: from zero on, at the speed of `[live]`, within its limits.
    AsLive,
}

/// What a simulation gave: the side, and the summary that `faassim run` would have printed.
#[derive(Debug)]
pub struct Simulated {
    /// The side.
    pub side: Side,
    /// Its figures.
    pub summary: Summary,
}

/// Simulates a scenario.
///
/// # Errors
/// As [`crate::sim::replay`].
pub fn simulated(
    label: &str,
    scenario: &Scenario,
    setup: &PoolSetup,
    trace: &Trace,
    sending: Sending,
    control: &mut dyn Control,
) -> Result<Simulated, ReplayError> {
    let mut tally = Tally::new(trace.functions.len(), scenario.memory, scenario.output.memory_every, true);
    let mut queue = Wheel::new(mean_gap(trace));
    let arrivals = || arrivals(scenario, trace, sending);
    let end = replay_arrivals(scenario, setup, trace, arrivals(), &mut queue, &mut tally, control)?;
    let names: Vec<String> = trace.functions.iter().map(|function| function.name.clone()).collect();
    let summary = tally.summary(&names, end.at, end.unserved);
    let memory = tally.memory_samples().to_vec();
    let rows = tally.take_rows().unwrap_or_default();
    let side = Side {
        trace_sha256: Some(trace.checksum.clone()),
        invocations: with_unserved(&rows, arrivals(), end.invocations),
        memory,
        capacity: Some(scenario.memory),
        created: Some(summary.containers.created),
        evicted: Some(summary.containers.evicted),
        causes: Some(summary.causes.clone()),
        speed: Some(match sending {
            Sending::AsTraced => 1.0,
            Sending::AsLive => scenario.live.speed,
        }),
        ..Side::new(label, SideKind::Simulation, names)
    };
    Ok(Simulated { side, summary })
}

fn arrivals<'t>(
    scenario: &Scenario,
    trace: &'t Trace,
    sending: Sending,
) -> Box<dyn Iterator<Item = Arrival> + 't> {
    match sending {
        Sending::AsTraced => Box::new(trace.stream(scenario.trace.window)),
        Sending::AsLive => Box::new(Schedule::new(scenario, trace)),
    }
}

/// The invocations of a run that came to its own end. Those that never ended have no row: they are put in as unserved.
pub(super) fn with_unserved(
    rows: &Rows,
    arrivals: impl Iterator<Item = Arrival>,
    sent: u64,
) -> Vec<Invocation> {
    let ended = invocations_of(rows);
    if ended.len() as u64 == sent {
        return ended;
    }
    let mut ended = ended.into_iter().peekable();
    let mut all = Vec::with_capacity(sent as usize);
    for (number, arrival) in (0_u64..).zip(arrivals) {
        all.push(ended.next_if(|next| next.number == number).unwrap_or(Invocation {
            number,
            function: arrival.function,
            arrival: arrival.time,
            class: Class::Unserved,
            start: None,
            wait: None,
            init: None,
            duration: None,
            response: None,
            failed: false,
        }));
    }
    all
}
