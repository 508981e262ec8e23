//! The registry of trace formats: what each is called, how it is recognised, who reads it. Owns the choice
//! between them; must never look into a file further than its first line.

pub mod aws_lambda;
pub mod azure2019;
pub mod azure2021;
pub mod columnar;
pub mod huawei;
pub mod iluvatar;
pub mod libcachesim;
pub(crate) mod look;
mod names;
pub mod native;
pub mod opendc;
mod writing;

use std::path::Path;

use self::look::Look;
pub use self::writing::Form;
use super::error::{TraceError, listed};
use super::reading::{Context, Reading, Unit};
use super::{Loaded, Trace};
use crate::suggest::nearest;

/// A format that is read.
pub struct Format {
    /// By which it is asked for.
    pub name: &'static str,
    /// One line: what it is.
    pub summary: &'static str,
    /// What its files look like.
    pub files: &'static str,
    /// Who publishes or writes it.
    pub source: &'static str,
    /// Which keys of a reading mean something to it.
    pub heeds: &'static [&'static str],
    recognise: fn(&Look) -> bool,
    read: fn(&Path, &Reading, &mut Context<'_>) -> Result<Trace, TraceError>,
}

impl PartialEq for Format {
    fn eq(&self, other: &Format) -> bool {
        self.name == other.name
    }
}

impl std::fmt::Debug for Format {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name)
    }
}

/// faassim's own.
const NATIVE: Format = native::FORMAT;

/// All formats; the first that recognises a path reads it.
pub const FORMATS: &[Format] = &[
    // Before the native one: InVitro's samples of this data have a file called invocations.csv too.
    azure2019::FORMAT,
    NATIVE,
    columnar::FORMAT,
    azure2021::FORMAT,
    aws_lambda::FORMAT,
    iluvatar::FORMAT,
    opendc::FORMAT,
    huawei::FORMAT,
    libcachesim::FORMAT,
];

/// The format of that name.
pub fn find(name: &str) -> Option<&'static Format> {
    FORMATS.iter().find(|format| format.name == name)
}

/// What is said of a format that does not exist: the fault and what to do.
pub fn unknown(name: &str) -> (String, String) {
    let names = || FORMATS.iter().map(|format| format.name);
    let suggestion =
        nearest(name, names()).map_or_else(String::new, |near| format!("did you mean `{near}`? "));
    (format!("unknown trace format `{name}`"), format!("{suggestion}There are {}", listed(names())))
}

/// Reads the trace at `path`, in whichever format it is.
///
/// # Errors
/// The first fault, or as many as the context collects; those before the last are in the context.
pub fn read(path: &Path, reading: &Reading, context: &mut Context<'_>) -> Result<Trace, TraceError> {
    let format = match reading.format {
        Some(format) => format,
        None => recognise(path)?,
    };
    let trace = (format.read)(path, reading, context)?;
    for key in reading.given() {
        let in_vain = key == "arrivals" && trace.listed().is_some();
        if in_vain || !format.heeds.contains(&key) {
            context.note(format!("`{key}` has no effect: the format ({}) tells this itself", format.name));
        }
    }
    match reading.unit {
        Unit::Function => Ok(trace),
        Unit::App => trace.by_app(),
    }
}

/// Reads the trace at `path`, ending at the first fault.
///
/// # Errors
/// The first fault.
pub fn load(path: &Path, reading: &Reading) -> Result<Loaded, TraceError> {
    let mut context = Context::new(&());
    let trace = read(path, reading, &mut context)?;
    Ok(Loaded { trace, notes: context.notes })
}

/// The format of what is at a path.
///
/// # Errors
/// None of them, or nothing there.
pub fn recognise(path: &Path) -> Result<&'static Format, TraceError> {
    let look = Look::at(path)?;
    if let Some(format) = FORMATS.iter().find(|format| (format.recognise)(&look)) {
        return Ok(format);
    }
    let name =
        |inner: &Look| FORMATS.iter().find(|format| (format.recognise)(inner)).map(|format| format.name);
    if let Some(error) = look.deeper(name) {
        return Err(error);
    }
    // What is missing or is a folder without any data was most likely meant as a native trace, whose
    // messages know what is beside it.
    if look.is_missing() || look.files().is_empty() {
        return Ok(&NATIVE);
    }
    Err(look.unrecognised(FORMATS.iter().map(|format| format.name)))
}
