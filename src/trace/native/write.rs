//! Writes a trace in the native format, so that reading it gives the same trace. Must never leave a
//! half-written file under a final name.

use std::fmt::Write as _;
use std::fs;
use std::io::{self, BufWriter, Write};
use std::path::Path;

use flate2::write::GzEncoder;
use tempfile::NamedTempFile;

use super::files::{FUNCTIONS, INVOCATIONS, appended, existing};
use crate::trace::error::TraceError;
use crate::trace::{Function, Trace};

/// How invocations are packed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Compression {
    /// Not at all.
    None,
    /// `.gz`
    Gzip,
    /// `.zst`
    Zstd,
}

impl Compression {
    fn ending(self) -> &'static str {
        match self {
            Compression::None => "",
            Compression::Gzip => ".gz",
            Compression::Zstd => ".zst",
        }
    }
}

/// Writes `functions.csv` and `invocations.csv` (packed if wanted) into `dir`, which is made if it is
/// not there. Files of the same names are replaced. The same trace gives the same bytes.
///
/// # Errors
/// The folder cannot be written, or has one of the two files with another ending: then it would not
/// be clear which of them counts.
pub fn write_native(trace: &Trace, dir: &Path, compression: Compression) -> Result<(), TraceError> {
    let functions = dir.join(FUNCTIONS);
    let invocations = appended(&dir.join(INVOCATIONS), compression.ending());
    for (base, file) in [(FUNCTIONS, &functions), (INVOCATIONS, &invocations)] {
        if let Some(other) = existing(&[dir.join(base)]).iter().find(|other| *other != file) {
            return Err(TraceError::new(other.display().to_string(), "would stand beside the new file")
                .with_help("move it away, or write into another folder"));
        }
    }
    let failed = |error: io::Error| {
        TraceError::new(dir.display().to_string(), format!("cannot be written: {error}"))
            .with_help("give a folder that can be written, on a disk with room")
    };
    fs::create_dir_all(dir).map_err(failed)?;
    let new_functions = new_file(dir, |out| put_functions(&trace.functions, out)).map_err(failed)?;
    let new_invocations = new_file(dir, |out| match compression {
        Compression::None => put_invocations(trace, out),
        Compression::Gzip => {
            // The encoder writes no time stamp unless it is given one.
            let mut packed = GzEncoder::new(out, flate2::Compression::default());
            put_invocations(trace, &mut packed)?;
            packed.finish().map(drop)
        }
        Compression::Zstd => {
            let mut packed = zstd::Encoder::new(out, zstd::DEFAULT_COMPRESSION_LEVEL)?;
            packed.include_checksum(true)?;
            put_invocations(trace, &mut packed)?;
            packed.finish().map(drop)
        }
    })
    .map_err(failed)?;
    new_functions.persist(functions).map_err(|error| failed(error.error))?;
    new_invocations.persist(invocations).map_err(|error| failed(error.error))?;
    Ok(())
}

/// A finished file under a temporary name in `dir`.
fn new_file(
    dir: &Path,
    fill: impl FnOnce(&mut BufWriter<&mut NamedTempFile>) -> io::Result<()>,
) -> io::Result<NamedTempFile> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(".new-");
    // Temporary files are private by default, traces are not; the umask still applies.
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    let mut file = builder.tempfile_in(dir)?;
    let mut out = BufWriter::with_capacity(1 << 17, &mut file);
    fill(&mut out)?;
    out.flush()?;
    drop(out);
    Ok(file)
}

/// Columns that hold nothing but defaults are left out.
fn put_functions(functions: &[Function], out: impl Write) -> io::Result<()> {
    let apps = functions.iter().any(|f| f.app.is_some());
    let namespaces = functions.iter().any(|f| f.namespace != Function::DEFAULT_NAMESPACE);
    let kinds = functions.iter().any(|f| f.kind != Function::DEFAULT_KIND);
    let concurrent = functions.iter().any(|f| f.max_concurrent != 1);
    let mut csv = csv::Writer::from_writer(out);
    let optional =
        [("app", apps), ("namespace", namespaces), ("kind", kinds), ("max_concurrent", concurrent)];
    let header = ["function", "memory_mb", "cold_ms", "warm_ms"];
    csv.write_record(
        header.into_iter().chain(optional.iter().filter(|(_, kept)| *kept).map(|(name, _)| *name)),
    )?;
    for function in functions {
        csv.write_field(&function.name)?;
        csv.write_field(function.memory.mib().to_string())?;
        csv.write_field(milliseconds(function.cold.0))?;
        csv.write_field(milliseconds(function.warm.0))?;
        if apps {
            csv.write_field(function.app.as_deref().unwrap_or_default())?;
        }
        if namespaces {
            csv.write_field(&function.namespace)?;
        }
        if kinds {
            csv.write_field(&function.kind)?;
        }
        if concurrent {
            csv.write_field(function.max_concurrent.to_string())?;
        }
        csv.write_record(None::<&[u8]>)?;
    }
    csv.flush()
}

fn put_invocations(trace: &Trace, out: impl Write) -> io::Result<()> {
    let durations = trace.invocations.duration().is_some();
    let mut csv = csv::Writer::from_writer(out);
    let header = ["time_ms", "function", "duration_ms"];
    csv.write_record(&header[..if durations { 3 } else { 2 }])?;
    let mut number = String::new();
    for arrival in trace.arrivals() {
        put_milliseconds(&mut number, arrival.time.0);
        csv.write_field(&number)?;
        csv.write_field(&trace.functions[arrival.function as usize].name)?;
        if durations {
            number.clear();
            if let Some(duration) = arrival.duration {
                put_milliseconds(&mut number, duration.0);
            }
            csv.write_field(&number)?;
        }
        csv.write_record(None::<&[u8]>)?;
    }
    csv.flush()
}

/// µs as milliseconds, exactly and without needless zeros.
fn milliseconds(us: u64) -> String {
    let mut text = String::new();
    put_milliseconds(&mut text, us);
    text
}

/// The same, in place of what `text` held.
fn put_milliseconds(text: &mut String, us: u64) {
    text.clear();
    // Writing into a String cannot fail.
    let _ = write!(text, "{}.{:03}", us / 1_000, us % 1_000);
    text.truncate(text.trim_end_matches('0').trim_end_matches('.').len());
}

#[cfg(test)]
mod tests {
    use super::milliseconds;

    #[test]
    fn milliseconds_are_exact() {
        for (us, text) in [(0, "0"), (1, "0.001"), (61_200, "61.2"), (60_000, "60"), (1_234_567, "1234.567")]
        {
            assert_eq!(milliseconds(us), text);
        }
    }
}
