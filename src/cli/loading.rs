//! Traces for commands: notes, progress, errors. Owns what is shown while one is read, written or made; the work
//! itself is `trace`'s.

use std::cell::RefCell;
use std::path::Path;

use super::progress::{Meter, interrupted};
use super::tell;
use crate::error::{Diagnostic, Error};
use crate::results::thousands;
use crate::trace::formats::read;
use crate::trace::{Context, Doing, Reading, Trace, TraceError, Watch};

/// Reads a trace and tells what the reader noted.
///
/// # Errors
/// A usage error with what is wrong, or that the user stopped it.
pub(super) fn load_trace(path: &Path, reading: &Reading) -> Result<Trace, Error> {
    let bar = TraceBar::default();
    let mut context = Context::new(&bar);
    let trace = read(path, reading, &mut context);
    let notes = std::mem::take(&mut context.notes);
    bar.clear();
    let trace = trace.map_err(|error| trace_error(&error))?;
    for note in notes {
        tell(&format!("note: {}: {note}", path.display()));
    }
    Ok(trace)
}

/// A fault of a trace as a command's error.
pub(super) fn trace_error(error: &TraceError) -> Error {
    if error.is_stop {
        return Error::interrupted("stopped by Ctrl-C; nothing was written");
    }
    Error::usage(Diagnostic::from(error))
}

/// Shows how far reading, writing or making a trace is, and stops it on Ctrl-C.
#[derive(Default)]
pub(super) struct TraceBar {
    meter: RefCell<Meter>,
}

impl TraceBar {
    /// Takes the bar away.
    pub(super) fn clear(&self) {
        self.meter.borrow_mut().clear();
    }
}

impl Watch for TraceBar {
    fn proceed(&self, doing: Doing<'_>, done: u64, of: u64) -> bool {
        let message = || match doing {
            Doing::Reading(file) => {
                let name = Path::new(file).file_name().unwrap_or_default().to_string_lossy();
                format!("of {name} read")
            }
            Doing::Writing => format!("{} rows written", thousands(done)),
            Doing::Generating => format!("{} functions made", thousands(done)),
        };
        self.meter.borrow_mut().show(done, of, message);
        !interrupted()
    }
}
