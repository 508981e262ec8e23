//! The traces of a sweep: each is read once, by the first run that needs it, shared by all, and let go after the last.
//! Must never give two runs different contents under the same number.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::Plan;
use super::folder::TraceRecord;
use crate::scenario::TraceSpec;
use crate::trace::formats::read;
use crate::trace::reading::{ColdStart, RunTimes};
use crate::trace::sample::Cut;
use crate::trace::{Context, Doing, Trace, Watch, Window};

/// The traces that a set of runs needs.
pub(super) struct Traces<'p> {
    slots: Vec<Slot<'p>>,
}

struct Slot<'p> {
    spec: &'p TraceSpec,
    /// The first of the traces that differ from this one in the seed alone; it is this one's too if nothing was drawn.
    kin: usize,
    held: Mutex<Held>,
}

#[derive(Default)]
struct Held {
    /// How many runs, and traces of its kin, will still ask for it.
    left: usize,
    trace: Option<Got>,
    record: Option<TraceRecord>,
}

/// What came of asking for a trace.
#[derive(Clone)]
pub(super) enum Got {
    /// Here it is.
    Trace(Arc<Trace>),
    /// It cannot be read, and why.
    Fault(String),
    /// The user stopped it.
    Stopped,
}

/// Stops reading when it is told to.
struct Stop<'a>(&'a (dyn Fn() -> bool + Sync));

impl Watch for Stop<'_> {
    fn proceed(&self, _doing: Doing<'_>, _done: u64, _of: u64) -> bool {
        (self.0)()
    }
}

impl<'p> Traces<'p> {
    /// Those that `runs` need.
    pub fn new(plan: &'p Plan, runs: &[usize]) -> Traces<'p> {
        let specs = plan.traces();
        let mut left = vec![0_usize; specs.len()];
        for run in runs {
            left[plan.trace_of(*run)] += 1;
        }
        let unseeded: Vec<TraceSpec> = specs.iter().map(without_seed).collect();
        let needed: Vec<usize> = (0..specs.len()).filter(|number| left[*number] > 0).collect();
        let kin_of = |number: usize| {
            needed.iter().copied().find(|other| unseeded[*other] == unseeded[number]).unwrap_or(number)
        };
        let kin: Vec<usize> = (0..specs.len()).map(kin_of).collect();
        for number in &needed {
            left[kin[*number]] += usize::from(kin[*number] != *number);
        }
        let slot =
            |((spec, kin), left)| Slot { spec, kin, held: Mutex::new(Held { left, ..Held::default() }) };
        Traces { slots: specs.iter().zip(kin).zip(left).map(slot).collect() }
    }

    /// The trace of this number, read if nobody did before; `tell` is told what the reader noted.
    pub fn get(
        &self,
        number: usize,
        proceed: &(dyn Fn() -> bool + Sync),
        tell: &mut dyn FnMut(String),
    ) -> Got {
        let slot = &self.slots[number];
        let mut held = slot.lock();
        if let Some(got) = &held.trace {
            return got.clone();
        }
        let mut got = Got::Stopped;
        if slot.kin != number {
            got = self.get(slot.kin, proceed, tell);
            if matches!(&got, Got::Trace(trace) if !draws_nothing(slot.spec, trace)) {
                got = Got::Stopped;
            }
        }
        if matches!(got, Got::Stopped) {
            got = load(slot.spec, proceed, tell);
        }
        match &got {
            Got::Stopped => return got,
            Got::Trace(trace) => held.record = Some(TraceRecord::new(number, trace)),
            Got::Fault(_) => {}
        }
        held.trace = Some(got.clone());
        got
    }

    /// A run that needed this trace is over.
    pub fn release(&self, number: usize) {
        let slot = &self.slots[number];
        let mut held = slot.lock();
        held.left = held.left.saturating_sub(1);
        if held.left == 0 {
            held.trace = None;
            drop(held);
            if slot.kin != number {
                self.release(slot.kin);
            }
        }
    }

    /// What is known of the traces that were read, by number.
    pub fn records(&self) -> Vec<TraceRecord> {
        self.slots.iter().filter_map(|slot| slot.lock().record.clone()).collect()
    }
}

impl Slot<'_> {
    fn lock(&self) -> MutexGuard<'_, Held> {
        // Whoever panicked while reading left no trace behind: it is read again.
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Which functions and invocations are read, whatever is drawn and replayed of them.
fn without_seed(spec: &TraceSpec) -> TraceSpec {
    let mut spec = spec.clone();
    spec.window = Window::ALL;
    spec.reading.seed = 0;
    spec.cut = spec.cut.map(|cut| Cut { seed: 0, ..cut });
    spec
}

/// Whether another seed would give the same trace.
fn draws_nothing(spec: &TraceSpec, trace: &Trace) -> bool {
    let reading = &spec.reading;
    trace.listed().is_some()
        && spec.cut.is_none()
        && reading.run_time == RunTimes::Average
        && reading.cold_start == ColdStart::Maximum
}

fn load(spec: &TraceSpec, proceed: &(dyn Fn() -> bool + Sync), tell: &mut dyn FnMut(String)) -> Got {
    let stop = Stop(proceed);
    let mut context = Context::new(&stop);
    let trace = read(&spec.path, &spec.reading, &mut context);
    for note in context.notes {
        tell(format!("{}: {note}", spec.path.display()));
    }
    let trace = match spec.cut {
        Some(cut) => trace.and_then(|trace| trace.cut(cut)),
        None => trace,
    };
    match trace {
        Ok(trace) => Got::Trace(Arc::new(trace)),
        // Whatever a reader makes of being stopped, it says nothing about the trace.
        Err(error) if error.is_stop || !proceed() => Got::Stopped,
        Err(error) => Got::Fault(error.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::Base;
    use std::sync::atomic::{AtomicUsize, Ordering};

    #[test]
    fn stopping_within_a_trace_is_no_fault_of_it() {
        let dir = tempfile::tempdir().expect("a temporary folder");
        let trace = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("traces/azure392");
        let text = format!("[trace]\npath = {trace:?}\n[sweep]\nseed = [1, 2]\n[pool]\nmemory = \"1 GiB\"\n");
        let file = dir.path().join("s.toml");
        std::fs::write(&file, text).expect("writable");
        let plan = Plan::new(Base::load(&file, &[], Vec::new()).expect("right")).expect("right");
        for patience in [0, 1, 2, 5, 20] {
            let asked = AtomicUsize::new(0);
            let proceed = || asked.fetch_add(1, Ordering::Relaxed) < patience;
            match Traces::new(&plan, &[0, 1]).get(0, &proceed, &mut drop) {
                Got::Stopped => {}
                Got::Trace(_) => assert!(asked.load(Ordering::Relaxed) <= patience, "it was told to stop"),
                Got::Fault(fault) => panic!("stopped after {patience}: {fault}"),
            }
        }
    }
}
