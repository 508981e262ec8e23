//! Cost of getting at a trace: expanding counts, reading CSV and Parquet. A million invocations per benchmark, so
//! milliseconds per iteration are nanoseconds per invocation.
//!
//! `cargo bench --bench traces`

use std::path::{Path, PathBuf};

use divan::Bencher;
use divan::counter::ItemsCount;
use faassim::trace::formats::columnar::write_parquet;
use faassim::trace::formats::native::write_csv;
use faassim::trace::formats::{Form, load};
use faassim::trace::generate::{Wish, find};
use faassim::trace::{Compression, Reading, Spacing, Trace};
use tempfile::TempDir;

const INVOCATIONS: u64 = 1_000_000;

fn main() {
    divan::main();
}

/// An Azure-like day of so many functions.
fn day(functions: u32) -> Trace {
    let wish =
        Wish { functions: Some(functions), invocations: Some(INVOCATIONS), span: None, zipf: None, seed: 1 };
    find("azure2019-day").expect("a preset").make(&wish, &()).expect("possible")
}

fn written(trace: &Trace, parquet: bool, form: Form) -> (TempDir, PathBuf) {
    let home = TempDir::new().expect("a temporary folder");
    let path: &Path = home.path();
    if parquet {
        write_parquet(trace, path, form, &()).expect("writable");
    } else {
        write_csv(trace, path, Compression::None, form, &()).expect("writable");
    }
    let path = path.to_owned();
    (home, path)
}

/// From counts to arrivals, all of them taken.
#[divan::bench(args = [400, 46_412], sample_count = 7, sample_size = 1)]
fn expand(bencher: Bencher<'_, '_>, functions: u32) {
    let trace = day(functions);
    bencher
        .counter(ItemsCount::new(INVOCATIONS))
        .bench_local(|| trace.arrivals().map(|arrival| u64::from(arrival.function)).sum::<u64>());
}

/// Invocations one by one, checksum included.
#[divan::bench(args = ["csv", "parquet"], sample_count = 7, sample_size = 1)]
fn read_invocations(bencher: Bencher<'_, '_>, form: &str) {
    let (_home, path) = written(&day(400), form == "parquet", Form::Invocations);
    bencher
        .counter(ItemsCount::new(INVOCATIONS))
        .bench_local(|| load(&path, &Reading::default()).expect("good"));
}

/// Counts, checksum included.
#[divan::bench(args = ["csv", "parquet"], sample_count = 7, sample_size = 1)]
fn read_counts(bencher: Bencher<'_, '_>, form: &str) {
    let (_home, path) = written(&day(400), form == "parquet", Form::AsHeld);
    let reading = Reading { spacing: Spacing::Uniform, ..Reading::default() };
    bencher.counter(ItemsCount::new(INVOCATIONS)).bench_local(|| load(&path, &reading).expect("good"));
}
