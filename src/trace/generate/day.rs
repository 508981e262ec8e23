//! The preset `azure2019-day`: the model of `azure2019` as a trace of counts. Owns what holds if nothing is wished
//! for; must never add to the model.

use super::azure2019::{AzureDay, SyntheticFunction};
use super::{Wish, progress};
use crate::memory::Memory;
use crate::time::Span;
use crate::trace::counts::Builder;
use crate::trace::{Expansion, Function, Spacing, Trace, TraceError, Watch};

/// Day 1 of the real data (docs/specs/trace-calibration.md §1).
const FUNCTIONS: u32 = 46_412;
const INVOCATIONS: u64 = 909_783_379;

const DAY: Span = Span::from_secs(86_400);
const NAME: &str = "azure2019-day";

pub(super) fn make(wish: &Wish, watch: &dyn Watch) -> Result<Trace, TraceError> {
    let wrong = |message: String, help: &str| TraceError::new(NAME, message).with_help(help);
    let span = wish.span.unwrap_or(DAY);
    let days = span.0 / DAY.0;
    if !span.0.is_multiple_of(DAY.0) || days == 0 || days > 366 {
        return Err(wrong(format!("{span} is no number of days"), "from 1 to 366 whole days are possible"));
    }
    let functions = wish.functions.unwrap_or(FUNCTIONS);
    // As many per function and day as on the real day.
    let usual = u128::from(INVOCATIONS) * u128::from(functions) * u128::from(days) / u128::from(FUNCTIONS);
    let invocations = wish.invocations.unwrap_or((usual as u64).max(u64::from(functions)));
    let model = AzureDay { functions, invocations, days: days as u32, seed: wish.seed };
    model.check().map_err(|fault| TraceError::new(NAME, fault))?;
    let synthetic = model.functions();
    let profile = model.profile();
    let mut counts = Builder::new(Span::from_mins(1));
    for (number, index) in (0_u32..).zip(0..synthetic.len()) {
        progress(watch, NAME, index, synthetic.len())?;
        for (minute, count) in model.minutes(&profile, &synthetic, index) {
            counts.add(minute, number, count);
        }
    }
    let counts = counts.finish();
    if counts.total() != invocations {
        return Err(wrong(
            format!("{invocations} invocations cannot be placed"),
            "ask for fewer, or for more functions",
        ));
    }
    let functions = synthetic.iter().enumerate().map(|(number, function)| named(number, function)).collect();
    let expansion = Expansion { spacing: Spacing::default(), seed: wish.seed };
    Trace::counted(NAME, functions, counts, expansion)
}

fn named(number: usize, function: &SyntheticFunction) -> Function {
    let warm = Span(function.average_us);
    let cold = warm + Span(function.start_us);
    Function {
        app: Some(format!("a{:05}", function.app)),
        namespace: format!("o{:05}", function.owner),
        trigger: Some(function.trigger.name().to_owned()),
        ..Function::new(format!("f{number:05}"), Memory(u64::from(function.memory_mb)), cold, warm)
    }
}
