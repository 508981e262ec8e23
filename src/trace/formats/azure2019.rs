//! Azure Functions Trace 2019: per day a file of counts per function and minute, one of run times per function
//! and one of memory per app. Owns joining the three and what is done about their oddities; must never
//! change a count.
//!
//! | file of day NN | columns |
//! |-|-|
//! | `invocations_per_function_md.anon.dNN.csv` | `HashOwner, HashApp, HashFunction, Trigger, 1 … 1440` |
//! | `function_durations_percentiles.anon.dNN.csv` | `HashOwner, HashApp, HashFunction, Average, Count, Minimum, Maximum, percentile_Average_0 … 100` (ms, cold starts left out) |
//! | `app_memory_percentiles.anon.dNN.csv` | `HashOwner, HashApp, SampleCount, AverageAllocatedMb, …`; days 13 and 14 have none |
//!
//! The real files have negative minima and averages (a negative average counts as missing), repeated rows
//! (counts add up, run times and memory are averaged by their samples), functions without run times and
//! apps without memory (`trace.incomplete`). A function is told apart by owner, app and function; it is
//! called by its own hash where that is unique, else `APP/FUNCTION`, else `OWNER/APP/FUNCTION`.
//!
//! Source: Shahrad et al., "Serverless in the Wild", ATC'20; AzureFunctionsDataset2019.md of
//! Azure/AzurePublicDataset; docs/specs/trace-calibration.md §1.

mod files;
mod functions;
mod minutes;
mod run_times;

use std::path::Path;

use self::files::Files;
use self::functions::Known;
use super::Format;
use crate::time::Span;
use crate::trace::Trace;
use crate::trace::counts::Builder;
use crate::trace::error::TraceError;
use crate::trace::reading::{Context, Reading};

/// The format.
pub const FORMAT: Format = Format {
    name: "azure2019",
    summary: "Azure Functions Trace 2019: counts per function and minute, days 1 to 14",
    files: "a folder of invocations_per_function_md.anon.dNN.csv and their companions, or one of these",
    source: "Shahrad et al., ATC'20; github.com/Azure/AzurePublicDataset",
    heeds: &Reading::KEYS,
    recognise: |look| files::is_azure(look),
    read,
};

/// Minutes of a day.
const MINUTES: u32 = 1440;

fn read(path: &Path, reading: &Reading, context: &mut Context<'_>) -> Result<Trace, TraceError> {
    let files = Files::locate(path, &reading.days)?;
    let mut known = Known::default();
    let mut counts = Builder::new(Span::from_mins(1));
    for (position, day) in (0..).zip(&files.days) {
        minutes::read(&day.invocations, position, &mut known, &mut counts, context)?;
        counts.seal();
    }
    for durations in files.days.iter().filter_map(|day| day.durations.as_ref()) {
        run_times::read_durations(durations, &mut known, context)?;
    }
    for memory in &files.memory {
        run_times::read_memory(memory, &mut known, context)?;
    }
    files.note(context);
    let mut counts = counts.finish();
    if counts.total() == 0 && context.is_clean() {
        return Err(TraceError::new(path.display().to_string(), "has no invocations"));
    }
    let models = reading.models(&files.name)?;
    let kept = known.into_functions(reading, &models, &files.name, context)?;
    if kept.number.iter().any(Option::is_none) {
        counts.renumber(&kept.number);
    }
    Trace::counted(files.name, kept.functions, counts, reading.expansion())
}
