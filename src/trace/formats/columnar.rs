//! The native format as Parquet, for traces that are read often: a folder with `functions.parquet` and either
//! `invocations.parquet` or `counts.parquet`. Owns the columns; the only place of `trace` that names polars.
//!
//! | file | columns |
//! |-|-|
//! | `functions.parquet` | `function, memory_mb, cold_us, warm_us, app, namespace, kind, max_concurrent, trigger, run_p0_us … run_p100_us` |
//! | `invocations.parquet` | `time_us, function` (row of `functions.parquet`, from 0) and, if known, `duration_us, is_cold, container` |
//! | `counts.parquet` | `bin, function, invocations`; how wide a bin is, in µs, is in the metadata as `faassim.bin_us` |
//!
//! Rows are written in order, a million to a group, so that writing and reading hold one group besides the
//! trace. The same trace gives the same bytes.

mod frame;
mod read;
mod write;

pub use self::write::write_parquet;
use super::Format;

/// The format.
pub const FORMAT: Format = Format {
    name: "parquet",
    summary: "faassim's own as Parquet, the fastest to read",
    files: "a folder with functions.parquet and invocations.parquet or counts.parquet",
    source: "faassim trace convert",
    heeds: &["arrivals"],
    recognise: |look| {
        let inside = [FUNCTIONS, INVOCATIONS, COUNTS].map(|name| look.path().join(name));
        let itself =
            look.path().extension().is_some_and(|ending| ending == "parquet") && look.path().is_file();
        itself || inside.iter().any(|file| file.exists())
    },
    read: read::read,
};

pub(super) const FUNCTIONS: &str = "functions.parquet";
pub(super) const INVOCATIONS: &str = "invocations.parquet";
pub(super) const COUNTS: &str = "counts.parquet";

/// Key of the width of a bin in the metadata of `counts.parquet`.
const BIN_US: &str = "faassim.bin_us";

/// Columns of the quantiles of run times.
const QUANTILES: [&str; 7] =
    ["run_p0_us", "run_p1_us", "run_p25_us", "run_p50_us", "run_p75_us", "run_p99_us", "run_p100_us"];
