//! Reading a trace for a command: its notes, its progress, its errors. Owns what is shown meanwhile; reading
//! itself is `trace`'s.

use std::cell::RefCell;
use std::path::Path;

use super::progress::{Meter, interrupted};
use super::tell;
use crate::error::{Diagnostic, Error};
use crate::trace::formats::read;
use crate::trace::{Context, Reading, Trace, TraceError, Watch};

/// Reads a trace and tells what the reader noted.
///
/// # Errors
/// A usage error with what is wrong, or that the user stopped it.
pub(super) fn load_trace(path: &Path, reading: &Reading) -> Result<Trace, Error> {
    let bar = ReadingBar::default();
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

/// Shows how much of which file has been read, and stops reading on Ctrl-C.
#[derive(Default)]
pub(super) struct ReadingBar {
    meter: RefCell<Meter>,
}

impl ReadingBar {
    /// Takes the bar away.
    pub(super) fn clear(&self) {
        self.meter.borrow_mut().clear();
    }
}

impl Watch for ReadingBar {
    fn reading(&self, file: &str, done: u64, of: u64) -> bool {
        let name = Path::new(file).file_name().map_or_else(|| file.into(), |name| name.to_string_lossy());
        self.meter.borrow_mut().show(done, of, || format!("of {name}"));
        !interrupted()
    }
}
