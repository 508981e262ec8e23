//! From an event log to the figures of the run. Owns that they are the same whether the run ended or was killed, today or
//! in a year: nothing but the log is read. Must never count anything itself.

use std::io::BufRead;

use super::record::Told;
use super::replay::{replay, scenario_of};
use super::{Damage, Header, Phases, Reader, Replayed, Watcher};
use crate::memory::Memory;
use crate::pool::Input;
use crate::pool::boundary::StartState;
use crate::scenario::Scenario;
use crate::tally::{FunctionFigures, MemorySample, Observer, Quantiles, Rows, Summary, Tally};
use crate::time::Span;
use crate::trace::Arrival;

/// Everything that a log tells.
#[derive(Debug)]
pub struct Rebuilt {
    /// What was run, on what.
    pub header: Header,
    /// The scenario in it.
    pub scenario: Scenario,
    /// How the replay went. The figures hold up to a difference, if there is one.
    pub replayed: Replayed,
    /// The figures.
    pub summary: Summary,
    /// By function, in the order of the trace.
    pub functions: Vec<FunctionFigures>,
    /// Memory over time.
    pub memory: Vec<MemorySample>,
    /// Response times by start state.
    pub responses: Vec<(StartState, Quantiles)>,
    /// By invocation, of those that ended.
    pub rows: Rows,
    /// What was sent, by number.
    pub sent: Vec<Arrival>,
    /// What was measured.
    pub phases: Phases,
}

/// Reads a whole log.
///
/// # Errors
/// It is no log, or a damaged one.
pub fn rebuild(source: impl BufRead) -> Result<Rebuilt, Damage> {
    let (mut reader, header) = Reader::open(source)?;
    let scenario = scenario_of(&header)?;
    let tally = Tally::new(header.functions.len(), scenario.memory, scenario.output.memory_every, true);
    let mut watcher = ((tally, Phases::default()), Sent::default());
    let replayed = replay(&mut reader, &header, &mut watcher)?;
    let ((mut tally, phases), Sent(sent)) = watcher;
    let names: Vec<String> = header.functions.iter().map(|function| function.name.clone()).collect();
    Ok(Rebuilt {
        summary: tally.summary(&names, replayed.at, replayed.unserved),
        functions: tally.function_figures(&names, |ix| Memory(header.functions[ix].memory_mib)),
        memory: tally.memory_samples().to_vec(),
        responses: tally.responses(),
        rows: tally.take_rows().unwrap_or_default(),
        sent,
        scenario,
        replayed,
        phases,
        header,
    })
}

/// Remembers what was sent.
#[derive(Default)]
struct Sent(Vec<Arrival>);

impl Observer for Sent {}

impl Watcher for Sent {
    fn told(&mut self, told: &Told) {
        if let (Input::Arrived { function, .. }, Some(arrival)) = (told.input, told.arrival) {
            let duration = Some(Span(arrival.run_us));
            self.0.push(Arrival { time: told.t, function: function.0, duration });
        }
    }
}
