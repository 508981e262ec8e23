//! Writes a trace in the native format, so that reading it gives the same trace. Must never leave a
//! half-written file under a final name.

use std::fmt::Write as _;
use std::io::{self, Write};
use std::path::Path;

use flate2::write::GzEncoder;

use super::QUANTILES;
use super::counts::BINS;
use super::files::{COUNTS, FUNCTIONS, INVOCATIONS};
use crate::trace::error::TraceError;
use crate::trace::formats::writing::{Form, Meter, New};
use crate::trace::{Counts, Function, Trace, Watch};

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

/// Writes a trace as it is held: [`write_csv`] with [`Form::AsHeld`].
///
/// # Errors
/// As [`write_csv`].
pub fn write_native(trace: &Trace, dir: &Path, compression: Compression) -> Result<(), TraceError> {
    write_csv(trace, dir, compression, Form::AsHeld, &())
}

/// Writes `functions.csv` and `invocations.csv` or `counts.csv` (packed if wanted) into `dir`, which is made if it
/// is not there. Files of the same names are replaced. The same trace gives the same bytes.
///
/// # Errors
/// The folder cannot be written, or has one of the files in another form: then it would not be clear
/// which of them counts.
pub fn write_csv(
    trace: &Trace,
    dir: &Path,
    compression: Compression,
    form: Form,
    watch: &dyn Watch,
) -> Result<(), TraceError> {
    let counts = form.counts(trace);
    if let Some(counts) = counts
        && BINS.iter().all(|(_, width)| *width != counts.width())
    {
        let message = format!("holds counts per {}, for which CSV has no column", counts.width());
        return Err(TraceError::new(&trace.name, message)
            .with_help("write Parquet (--to parquet), or the invocations one by one (--expand)"));
    }
    let arrivals = if counts.is_some() { COUNTS } else { INVOCATIONS };
    let arrivals = format!("{arrivals}{}", compression.ending());
    let new = New::in_folder(dir, &[FUNCTIONS, &arrivals])?;
    new.file(FUNCTIONS, |out| put_functions(&trace.functions, out))?;
    new.file(&arrivals, |out| {
        packed(compression, out, |out| match counts {
            Some(counts) => put_counts(trace, counts, Meter::new(watch, counts.nonzero() as u64), out),
            None => put_invocations(trace, Meter::new(watch, trace.len() as u64), out),
        })
    })?;
    new.finish()
}

/// Packs what `put` writes.
fn packed<W: Write>(
    compression: Compression,
    out: W,
    put: impl FnOnce(&mut dyn Write) -> io::Result<()>,
) -> io::Result<()> {
    let mut out = out;
    match compression {
        Compression::None => put(&mut out),
        Compression::Gzip => {
            // The encoder writes no time stamp unless it is given one.
            let mut packed = GzEncoder::new(out, flate2::Compression::default());
            put(&mut packed)?;
            packed.finish().map(drop)
        }
        Compression::Zstd => {
            let mut packed = zstd::Encoder::new(out, zstd::DEFAULT_COMPRESSION_LEVEL)?;
            packed.include_checksum(true)?;
            put(&mut packed)?;
            packed.finish().map(drop)
        }
    }
}

/// Columns that hold nothing but defaults are left out.
fn put_functions(functions: &[Function], out: impl Write) -> io::Result<()> {
    let apps = functions.iter().any(|f| f.app.is_some());
    let namespaces = functions.iter().any(|f| f.namespace != Function::DEFAULT_NAMESPACE);
    let kinds = functions.iter().any(|f| f.kind != Function::DEFAULT_KIND);
    let concurrent = functions.iter().any(|f| f.max_concurrent != 1);
    let mut csv = csv::Writer::from_writer(out);
    let triggers = functions.iter().any(|f| f.trigger.is_some());
    let quantiles = functions.iter().any(|f| f.run_quantiles.is_some());
    let optional = [
        ("app", apps),
        ("namespace", namespaces),
        ("kind", kinds),
        ("max_concurrent", concurrent),
        ("trigger", triggers),
    ];
    let optional = optional.iter().filter(|(_, kept)| *kept).map(|(name, _)| *name);
    let of_quantiles = QUANTILES.iter().map(|column| column.name).filter(|_| quantiles);
    let header = ["function", "memory_mb", "cold_ms", "warm_ms"].into_iter();
    csv.write_record(header.chain(optional).chain(of_quantiles))?;
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
        if triggers {
            csv.write_field(function.trigger.as_deref().unwrap_or_default())?;
        }
        for at in (0..QUANTILES.len()).filter(|_| quantiles) {
            let text = function.run_quantiles.map(|quantiles| milliseconds(quantiles[at].0));
            csv.write_field(text.unwrap_or_default())?;
        }
        csv.write_record(None::<&[u8]>)?;
    }
    csv.flush()
}

fn put_counts(trace: &Trace, counts: &Counts, mut meter: Meter<'_>, out: impl Write) -> io::Result<()> {
    let Some((bin_column, _)) = BINS.iter().find(|(_, width)| *width == counts.width()) else {
        return Err(io::Error::other(format!(
            "bins of {} have no column in CSV; write Parquet, or the invocations one by one",
            counts.width()
        )));
    };
    let mut csv = csv::Writer::from_writer(out);
    csv.write_record([bin_column.name, "function", "invocations"])?;
    for bin in 0..counts.bins() {
        for cell in counts.cells(bin) {
            csv.write_field(bin.to_string())?;
            csv.write_field(&trace.functions[cell.row as usize].name)?;
            csv.write_field(cell.count.to_string())?;
            csv.write_record(None::<&[u8]>)?;
            meter.add(1)?;
        }
    }
    csv.flush()
}

fn put_invocations(trace: &Trace, mut meter: Meter<'_>, out: impl Write) -> io::Result<()> {
    let durations = trace.tells_run_times();
    let measured = trace.listed().and_then(|invocations| invocations.measured());
    let mut csv = csv::Writer::from_writer(out);
    let columns = [
        ("time_ms", true),
        ("function", true),
        ("duration_ms", durations),
        ("is_cold", measured.is_some()),
        ("container", measured.is_some()),
    ];
    csv.write_record(columns.iter().filter(|(_, kept)| *kept).map(|(name, _)| *name))?;
    let mut number = String::new();
    for (row, arrival) in trace.arrivals().enumerate() {
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
        if let Some(measured) = measured {
            csv.write_field(if measured[row].cold { "1" } else { "0" })?;
            csv.write_field(
                measured[row].container.map_or_else(String::new, |container| container.to_string()),
            )?;
        }
        csv.write_record(None::<&[u8]>)?;
        meter.add(1)?;
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
