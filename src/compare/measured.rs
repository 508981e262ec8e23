//! A trace with measured cold flags as a side. Owns which of its columns say what; must never take a model's guess for a
//! measurement.

use super::side::{Class, Invocation, Side, SideKind};
use crate::trace::{Trace, Window};

/// The side: the invocations of a window, numbered from 0 as a simulation of it does. `None` if the trace tells nothing that was
/// measured.
pub fn measured(label: &str, trace: &Trace, window: Window) -> Option<Side> {
    let listed = trace.listed()?;
    let flags = listed.measured()?;
    let limit = window.limit.map_or(usize::MAX, |limit| usize::try_from(limit).unwrap_or(usize::MAX));
    let within = |time| time >= window.from && time < window.until;
    let mut containers = Vec::new();
    let all = listed.arrivals().zip(flags).filter(|(arrival, _)| within(arrival.time)).take(limit);
    let all = all.inspect(|(_, measured)| containers.push(measured.container));
    let invocations: Vec<Invocation> = (0..)
        .zip(all)
        .map(|(number, (arrival, measured))| Invocation {
            number,
            function: arrival.function,
            arrival: arrival.time,
            class: if measured.cold { Class::Cold } else { Class::Warm },
            start: None,
            wait: None,
            init: None,
            // The run time of a trace is part of its workload, warm or cold: what a start added is not in it.
            duration: None,
            response: None,
            failed: false,
        })
        .collect();
    containers.sort_unstable();
    containers.dedup();
    let names = trace.functions.iter().map(|function| function.name.clone()).collect();
    let mut side = Side {
        trace_sha256: Some(trace.checksum.clone()),
        invocations,
        two_classes: true,
        speed: Some(1.0),
        ..Side::new(label, SideKind::Measured, names)
    };
    if containers.first().is_some_and(Option::is_some) {
        side.notes.push(format!("{} containers served it", containers.len()));
    }
    side.notes.push("it tells cold or warm alone: no waits, responses or memory".to_owned());
    Some(side)
}
