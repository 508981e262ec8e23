//! The Parquet form: round trips to the byte, and what is said of damaged files.

use std::fs;
use std::path::{Path, PathBuf};

use faassim::memory::Memory;
use faassim::time::{Span, Time};
use faassim::trace::counts::Builder;
use faassim::trace::formats::columnar::write_parquet;
use faassim::trace::formats::native::write_csv;
use faassim::trace::formats::{Form, load};
use faassim::trace::{
    Compression, Expansion, Function, Invocations, Measured, Reading, RunTime, Spacing, Trace,
};
use proptest::prelude::*;
use tempfile::TempDir;

fn same_files(one: &Path, other: &Path) -> bool {
    let names = |folder: &Path| {
        let mut names: Vec<PathBuf> =
            fs::read_dir(folder).expect("readable").flatten().map(|entry| entry.file_name().into()).collect();
        names.sort();
        names
    };
    names(one) == names(other)
        && names(one).iter().all(|name| fs::read(one.join(name)).ok() == fs::read(other.join(name)).ok())
}

/// Native → Parquet → native, byte for byte; Parquet twice as well.
fn round_trip(trace: &Trace) {
    let home = TempDir::new().expect("a temporary folder");
    let at = |name: &str| home.path().join(name).join("t");
    let read = |path: &Path| load(path, &Reading::default()).unwrap_or_else(|error| panic!("{error}")).trace;
    write_csv(trace, &at("csv"), Compression::None, Form::AsHeld, &()).expect("writable");
    let first = read(&at("csv"));
    write_parquet(&first, &at("parquet"), Form::AsHeld, &()).expect("writable");
    let second = read(&at("parquet"));
    assert_eq!(second, first);
    write_csv(&second, &at("again"), Compression::None, Form::AsHeld, &()).expect("writable");
    assert!(same_files(&at("csv"), &at("again")));
    write_parquet(&second, &at("parquet again"), Form::AsHeld, &()).expect("writable");
    assert!(same_files(&at("parquet"), &at("parquet again")));
}

fn any_functions() -> impl Strategy<Value = Vec<Function>> {
    let text = "[^\\p{Cc}]{1,6}";
    let quantiles = prop::collection::vec(0_u64..9_000_000, 7).prop_map(|mut us| {
        us.sort_unstable();
        std::array::from_fn(|at| Span(us[at]))
    });
    let one = (
        1_u64..9_000,
        0_u64..9_000_000,
        prop::option::of(text),
        prop::option::of(text),
        prop::option::of(quantiles),
        text,
        1_u16..9,
    );
    prop::collection::vec(one, 1..6).prop_map(|functions| {
        functions
            .into_iter()
            .enumerate()
            .map(|(nth, (mib, us, app, trigger, run_quantiles, kind, max_concurrent))| Function {
                app,
                trigger,
                run_quantiles,
                kind,
                max_concurrent,
                ..Function::new(format!("f{nth}"), Memory(mib), Span(us * 2), Span(us))
            })
            .collect()
    })
}

proptest! {
    #[test]
    fn invocations_survive_both_forms(
        functions in any_functions(),
        rows in prop::collection::vec((0_u64..50_000_000, any::<prop::sample::Index>(), prop::option::of(0..RunTime::MAX.0), any::<bool>(), prop::option::of(0_u32..9)), 1..50),
        timed in any::<bool>(),
        measured in any::<bool>(),
    ) {
        let mut invocations = Invocations::default();
        for (us, function, run, ..) in &rows {
            let run = run.filter(|_| timed).and_then(|us| RunTime::new(Span(us))).unwrap_or(RunTime::ABSENT);
            invocations.push(Time(*us), function.index(functions.len()) as u32, run);
        }
        let seen = rows.iter().filter(|_| measured).map(|row| Measured { cold: row.3, container: row.4 });
        let invocations = invocations.with_measured(seen.collect());
        round_trip(&Trace::new("t", functions, invocations).expect("valid"));
    }

    #[test]
    fn counts_survive_both_forms(
        functions in any_functions(),
        cells in prop::collection::vec((0_u32..3_000, any::<prop::sample::Index>(), 1_u32..5_000), 1..50),
        second in any::<bool>(),
    ) {
        let mut counts = Builder::new(if second { Span::from_secs(1) } else { Span::from_mins(1) });
        for (bin, function, count) in cells {
            counts.add(bin, function.index(functions.len()) as u32, count);
        }
        let expansion = Expansion { spacing: Spacing::ByTrigger, seed: 0 };
        round_trip(&Trace::counted("t", functions, counts.finish(), expansion).expect("valid"));
    }
}

#[test]
fn bundled_traces_survive_both_forms() {
    let home = Path::new(env!("CARGO_MANIFEST_DIR")).join("traces");
    for name in ["azure392", "aws-lambda-2020/2020-06-06", "faascache-litmus-size"] {
        let trace = load(&home.join(name), &Reading::default()).expect("bundled").trace;
        round_trip(&trace);
    }
}

#[test]
fn counts_are_written_one_by_one_if_wanted() {
    let mut counts = Builder::new(Span::from_mins(1));
    counts.add(0, 0, 3);
    counts.add(7, 1, 1);
    let functions = ["a", "b"].map(|name| Function::new(name, Memory(1), Span(2), Span(1)));
    let expansion = Expansion { spacing: Spacing::Uniform, seed: 5 };
    let trace = Trace::counted("t", functions.to_vec(), counts.finish(), expansion).expect("valid");
    let home = TempDir::new().expect("a temporary folder");
    write_parquet(&trace, &home.path().join("p"), Form::Invocations, &()).expect("writable");
    write_csv(&trace, &home.path().join("c"), Compression::Gzip, Form::Invocations, &()).expect("writable");
    for name in ["p", "c"] {
        let read = load(&home.path().join(name), &Reading::default()).expect("written").trace;
        assert_eq!(read.arrivals().collect::<Vec<_>>(), trace.arrivals().collect::<Vec<_>>());
        assert!(read.counts().is_none());
    }
}

#[test]
fn damaged_parquet_is_said() {
    let function = Function::new("a", Memory(1), Span(2), Span(1));
    let mut invocations = Invocations::default();
    (0..1_000).for_each(|ms| invocations.push(Time::from_ms(ms), 0, RunTime::ABSENT));
    let trace = Trace::new("t", vec![function], invocations).expect("valid");
    let home = TempDir::new().expect("a temporary folder");
    write_parquet(&trace, home.path(), Form::AsHeld, &()).expect("writable");
    let (functions, file) = (home.path().join("functions.parquet"), home.path().join("invocations.parquet"));
    let good = fs::read(&file).expect("there");
    let said = |bytes: &[u8]| {
        fs::write(&file, bytes).expect("writable");
        let error = load(home.path(), &Reading::default()).expect_err("damaged").to_string();
        error.replace(&home.path().display().to_string(), "DIR")
    };
    let damaged = "DIR/invocations.parquet: the Parquet data is damaged: ";
    assert!(said(&good[..good.len() / 2]).starts_with(&format!("{damaged}the end is missing")));
    assert!(said(&[]).starts_with(&format!("{damaged}it is too short")));
    assert!(said(b"time_ms,function\n0,a\n").starts_with("DIR/invocations.parquet: is not a Parquet file"));
    let mut footer = good.clone();
    let end = footer.len() - 60;
    footer[end..end + 40].fill(0xff);
    assert!(said(&footer).starts_with(damaged));
    fs::write(&file, &good).expect("writable");
    load(home.path(), &Reading::default()).expect("good again");
    // A table with other columns.
    fs::copy(&functions, &file).expect("copied");
    let error = load(home.path(), &Reading::default()).expect_err("no times").to_string();
    assert!(error.contains("no column `time_us`; it has `function`, `memory_mb`"), "{error}");
    fs::remove_file(&file).expect("there");
    let error = load(home.path(), &Reading::default()).expect_err("half a trace").to_string();
    assert!(error.contains("has neither `invocations.parquet` nor `counts.parquet`"), "{error}");
}

#[test]
fn two_forms_never_stand_beside_each_other() {
    let trace = load(
        &Path::new(env!("CARGO_MANIFEST_DIR")).join("traces/faascache-litmus-size"),
        &Reading::default(),
    )
    .expect("bundled")
    .trace;
    let home = TempDir::new().expect("a temporary folder");
    write_parquet(&trace, home.path(), Form::AsHeld, &()).expect("writable");
    let error = write_csv(&trace, home.path(), Compression::None, Form::AsHeld, &()).expect_err("two forms");
    assert!(error.to_string().contains("functions.parquet: would stand beside the new file"), "{error}");
}

#[test]
fn bins_without_a_column_are_said_before_anything_is_written() {
    let mut counts = Builder::new(Span::from_secs(7));
    counts.add(3, 0, 2);
    let functions = vec![Function::new("a", Memory(1), Span(2), Span(1))];
    let expansion = Expansion { spacing: Spacing::Uniform, seed: 5 };
    let trace = Trace::counted("t", functions, counts.finish(), expansion).expect("valid");
    let home = TempDir::new().expect("a temporary folder");
    let to = home.path().join("new");
    let error = write_csv(&trace, &to, Compression::None, Form::AsHeld, &()).expect_err("no column");
    assert_eq!(
        error.to_string(),
        "t: holds counts per 7 s, for which CSV has no column\n  \
         help: write Parquet (--to parquet), or the invocations one by one (--expand)"
    );
    assert!(!to.exists());
    write_parquet(&trace, &to, Form::AsHeld, &()).expect("Parquet has");
    assert_eq!(
        load(&to, &Reading::default()).expect("good").trace.counts().expect("counts").0.width(),
        Span::from_secs(7)
    );
}
