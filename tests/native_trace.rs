//! The native trace format from outside: what it tolerates, every damage and its message, and that
//! what is written reads back the same.

use std::fs;
use std::io::Write;
use std::path::Path;

use faassim::memory::Memory;
use faassim::time::{Span, Time};
use faassim::trace::{
    Arrival, Compression, Function, Invocations, Loaded, RunTime, Trace, read_native, write_native,
};
use proptest::prelude::*;
use tempfile::TempDir;

const FUNCTIONS: &str = "function,memory_mb,cold_ms,warm_ms\nalpha,128,300,100\nbeta,256,2000,900\n";
const INVOCATIONS: &str = "time_ms,function\n0,alpha\n10,beta\n";

fn gzip(text: &[u8]) -> Vec<u8> {
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    packed.write_all(text).expect("into memory");
    packed.finish().expect("into memory")
}

fn zstd(text: &[u8]) -> Vec<u8> {
    zstd::encode_all(text, 3).expect("into memory")
}

/// The name of a file and what is in it.
type FileContent<'a> = (&'a str, &'a [u8]);

fn folder(files: &[FileContent]) -> TempDir {
    let folder = TempDir::new().expect("a temporary folder");
    for (name, content) in files {
        fs::write(folder.path().join(name), content).expect("writable");
    }
    folder
}

fn read(functions: &str, invocations: &str) -> Loaded {
    let files = [("functions.csv", functions.as_bytes()), ("invocations.csv", invocations.as_bytes())];
    read_native(folder(&files).path()).unwrap_or_else(|error| panic!("{error}"))
}

/// The message for these files, with the folder written as `DIR`.
fn message(files: &[FileContent], path: &str) -> String {
    let folder = folder(files);
    let error = read_native(&folder.path().join(path)).expect_err("damaged");
    let shown = folder.path().display().to_string();
    error.to_string().replace(&format!("{shown}/:"), "DIR:").replace(&shown, "DIR")
}

fn arrivals(trace: &Trace) -> Vec<(u64, &str)> {
    trace
        .arrivals()
        .map(|Arrival { time, function, .. }| (time.0, trace.functions[function as usize].name.as_str()))
        .collect()
}

#[test]
fn reads_the_plain_case() {
    let Loaded { trace, notes } = read(FUNCTIONS, INVOCATIONS);
    assert_eq!(notes, [""; 0]);
    assert_eq!(
        trace.functions,
        [
            Function::new("alpha", Memory(128), Span::from_ms(300), Span::from_ms(100)),
            Function::new("beta", Memory(256), Span::from_ms(2000), Span::from_ms(900)),
        ]
    );
    assert_eq!(arrivals(&trace), [(0, "alpha"), (10_000, "beta")]);
    assert_eq!(trace.listed().expect("one by one").duration(), None);
}

#[test]
fn reads_every_column() {
    let trace = read(
        "function,memory_mb,cold_ms,warm_ms,app,namespace,kind,max_concurrent\n\
         f,128,300,100,shop,guest,nodejs:20,7\n\
         g,128,300,100,,,,\n",
        "time_ms,function,duration_ms\n1.5,f,99.25\n2,g,\n",
    )
    .trace;
    let f = &trace.functions[0];
    assert_eq!(
        (f.app.as_deref(), f.namespace.as_str(), f.kind.as_str(), f.max_concurrent),
        (Some("shop"), "guest", "nodejs:20", 7)
    );
    let g = Function::new("g", Memory(128), Span::from_ms(300), Span::from_ms(100));
    assert_eq!(trace.functions[1], g);
    let durations: Vec<_> = trace.arrivals().map(|arrival| arrival.duration).collect();
    assert_eq!(durations, [Some(Span(99_250)), None]);
}

#[test]
fn tolerates_what_editors_and_tools_do() {
    let expected = read(FUNCTIONS, INVOCATIONS).trace.checksum;
    for (what, functions, invocations) in [
        ("byte order mark", format!("\u{feff}{FUNCTIONS}"), format!("\u{feff}{INVOCATIONS}")),
        ("CRLF", FUNCTIONS.replace('\n', "\r\n"), INVOCATIONS.replace('\n', "\r\n")),
        ("no final newline", FUNCTIONS.trim_end().to_owned(), INVOCATIONS.trim_end().to_owned()),
        (
            "blank lines",
            FUNCTIONS.replace('\n', "\n\n"),
            format!("\r\n  \n{}", INVOCATIONS.replace('\n', "\r\n\r\n")),
        ),
        (
            "aliases and case",
            "HASHFUNCTION,mem_MB,cold_run_ms,warm_run_ms\nalpha,128,300,100\nbeta,256,2000,900".to_owned(),
            "FUNC,Timestamp_MS\nalpha,0\nbeta,10".to_owned(),
        ),
        (
            "quotes",
            FUNCTIONS.replace("alpha", "\"alpha\""),
            "\"time_ms\",\"function\"\r\n\"0\",\"alpha\"\r\n\"10\",\"beta\"\r\n".to_owned(),
        ),
        (
            "unknown columns and other orders",
            "note,warm_ms,cold_ms,memory_mb,function\n\"a, b\",900,2000,256,beta\n,100,300,128,alpha\n"
                .to_owned(),
            "function,is_cold,time_ms\nalpha,1,0\nbeta,0,10\n".to_owned(),
        ),
        (
            "an alias beside the column itself",
            FUNCTIONS
                .replace(",warm_ms", ",warm_ms,name")
                .replace(",100", ",100,x")
                .replace(",900", ",900,y"),
            INVOCATIONS.to_owned(),
        ),
        ("spelling of numbers", FUNCTIONS.replace("2000", " 2e3"), INVOCATIONS.replace("10,", "10.0000,")),
    ] {
        let Loaded { trace, notes } = read(&functions, &invocations);
        assert_eq!(trace.checksum, expected, "{what}");
        assert_eq!(notes, [""; 0], "{what}");
    }
}

#[test]
fn packing_does_not_matter_and_names_do_not_decide() {
    let expected = read(FUNCTIONS, INVOCATIONS).trace.checksum;
    let (f, i) = (FUNCTIONS.as_bytes(), INVOCATIONS.as_bytes());
    let two_members = [gzip(&i[..20]), gzip(&i[20..])].concat();
    let two_frames = [zstd(&i[..20]), zstd(&i[20..])].concat();
    for (functions, f, invocations, i) in [
        ("functions.csv.gz", gzip(f), "invocations.csv.zst", zstd(i)),
        ("functions.csv.zst", zstd(f), "invocations.csv.gz", gzip(i)),
        ("functions.csv", gzip(f), "invocations.csv.gz", zstd(i)),
        ("functions.csv.gz", f.to_vec(), "invocations.csv", two_members),
        ("functions.csv", f.to_vec(), "invocations.csv.zst", two_frames),
    ] {
        let folder = folder(&[(functions, &f), (invocations, &i)]);
        let loaded = read_native(folder.path()).unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(loaded.trace.checksum, expected, "{functions} {invocations}");
    }
}

#[test]
fn reads_the_file_names_of_the_faascache_artifact() {
    let invocations = gzip(b"func,time_ms\nalpha,0\nbeta,10\n");
    let files = [("s1.functions.csv", FUNCTIONS.as_bytes()), ("s1.trace.csv.gz", &invocations)];
    let folder = folder(&files);
    let trace = read_native(&folder.path().join("s1")).unwrap_or_else(|error| panic!("{error}")).trace;
    assert_eq!(trace.name, "s1");
    assert_eq!(arrivals(&trace), [(0, "alpha"), (10_000, "beta")]);
}

#[test]
fn notes_what_it_repaired() {
    let Loaded { trace, notes } = read(
        "function,memory_mb,cold_ms,warm_ms\nbeta,12.2,300,100\nalpha,0.5,1,100\n",
        "time_ms,function\n10,beta\n5,alpha\n10,alpha\n7,beta\n0,alpha\n",
    );
    let memory: Vec<u64> = trace.functions.iter().map(|function| function.memory.mib()).collect();
    assert_eq!(memory, [1, 13]);
    assert_eq!(
        arrivals(&trace),
        [(0, "alpha"), (5_000, "alpha"), (7_000, "beta"), (10_000, "beta"), (10_000, "alpha")]
    );
    let notes: Vec<&str> =
        notes.iter().map(|note| note.split_once("csv: ").expect("starts with the file").1).collect();
    assert_eq!(
        notes,
        [
            "2 functions with a fraction of a MiB, rounded up to whole MiB (first: `beta`, line 2)",
            "1 function slower warm than cold (warm_ms above cold_ms), taken as written (first: `alpha`, line 3)",
            "3 rows were out of order; all are now sorted by time, ties in file order",
        ]
    );
}

/// What is done to the good files: which one is replaced, by what, and what is said.
#[rustfmt::skip]
const DAMAGES: &[(&str, &str, &str)] = &[
    // Headers.
    ("functions", "", "DIR/functions.csv: is empty\n  help: the first line names the columns, every other line is a row"),
    ("invocations", "\n\r\n  \n", "DIR/invocations.csv: is empty\n  help: the first line names the columns, every other line is a row"),
    ("functions", "function,memory_mb,cold_ms,warm_ms\n\n", "DIR/functions.csv: has no functions\n  help: write one row per function below the header"),
    ("invocations", "time_ms,function", "DIR/invocations.csv: has no invocations\n  help: write one row per invocation below the header"),
    ("invocations", "\ntme_ms,function\n0,alpha\n", "DIR/invocations.csv:2: no column `time_ms`; the header has `tme_ms`, `function`\n  help: did you mean `tme_ms`? Call it `time_ms`; `t_ms`, `timestamp_ms`, `invoke_time_ms`, `arrival_ms`, `start_ms` are read too"),
    ("functions", "function,memory_mb,cold_ms\nalpha,128,300\n", "DIR/functions.csv:1: no column `warm_ms`; the header has `function`, `memory_mb`, `cold_ms`\n  help: the first line must name the columns; `warm_ms` may also be called `warm_run_ms`, `run_ms`, `warm_dur_ms`"),
    ("invocations", "0,alpha\n10,beta\n", "DIR/invocations.csv:1: no column `time_ms`; the header has `0`, `alpha`\n  help: the first line must name the columns; `time_ms` may also be called `t_ms`, `timestamp_ms`, `invoke_time_ms`, `arrival_ms`, `start_ms`"),
    ("invocations", "time_ms;function\n0;alpha\n", "DIR/invocations.csv:1: no column `time_ms`; the header has `time_ms;function`\n  help: separate the fields with commas"),
    ("invocations", "time_ms,function,Time_MS\n0,alpha,0\n", "DIR/invocations.csv:1: two columns are called `Time_MS`\n  help: rename or remove one of them"),
    // Rows.
    ("invocations", "time_ms,function\n0,alpha\n\n10,beta,7\n", "DIR/invocations.csv:4: 3 fields, but the header names 2 columns\n  help: put a field that contains a comma into quotes (`\"`), or remove what is too much"),
    ("invocations", "time_ms,function\r\n\r\n0\r\n", "DIR/invocations.csv:3: 1 field, but the header names 2 columns\n  help: add what is missing; an empty field is written as nothing between two commas"),
    ("invocations", "time_ms,function\n\"0,alpha\n10,beta\n", "DIR/invocations.csv:2: 1 field, but the header names 2 columns\n  help: a quote (`\"`) is opened and not closed; close it"),
    ("invocations", "time_ms,function\n\n0,\"alpha\n10,beta\n", "DIR/invocations.csv:3: column `function`: unknown function `alpha\\n10,beta\\n\\n`\n  help: a quote (`\"`) is opened and not closed; close it"),
    // Functions by name.
    ("invocations", "time_ms,function\n0,alpha\n10,bet\n", "DIR/invocations.csv:3: column `function`: unknown function `bet`\n  help: did you mean `beta`? Else give it a row in the functions file"),
    ("invocations", "time_ms,func\n0,xyz\n", "DIR/invocations.csv:2: column `func`: unknown function `xyz`\n  help: give it a row in the functions file, which has 2"),
    ("functions", "function,memory_mb,cold_ms,warm_ms\nalpha,128,300,100\nbeta,1,1,1\nalpha,128,300,100\n", "DIR/functions.csv:4: column `function`: function `alpha` is already on line 2\n  help: every function has one row; remove or rename one of the two"),
    ("functions", "function,memory_mb,cold_ms,warm_ms\n,128,300,100\n", "DIR/functions.csv:2: column `function`: is empty\n  help: write a name"),
    ("functions", "function,memory_mb,cold_ms,warm_ms\na\tb,128,300,100\n", "DIR/functions.csv:2: column `function`: `a\\tb` contains a control character\n  help: a name is printable text on one line"),
    // Numbers.
    ("invocations", "time_ms,function\n0,alpha\nabc,beta\n", "DIR/invocations.csv:3: column `time_ms`: `abc` is not a number\n  help: write milliseconds of at least 0, for example 1500 or 1500.25"),
    ("invocations", "time_ms,function\n,alpha\n", "DIR/invocations.csv:2: column `time_ms`: is empty\n  help: write milliseconds of at least 0, for example 1500 or 1500.25"),
    ("invocations", "time_ms,function\n-1,alpha\n", "DIR/invocations.csv:2: column `time_ms`: `-1` is negative\n  help: write milliseconds of at least 0, for example 1500 or 1500.25"),
    ("invocations", "time_ms,function\nNaN,alpha\n", "DIR/invocations.csv:2: column `time_ms`: `NaN` is not a finite number\n  help: write milliseconds of at least 0, for example 1500 or 1500.25"),
    ("invocations", "time_ms,function\n1590456695000000,alpha\n", "DIR/invocations.csv:2: column `time_ms`: `1590456695000000` is too large\n  help: times are milliseconds; are these microseconds or nanoseconds?"),
    ("invocations", "time_ms,function,duration_ms\n0,alpha,5000000\n", "DIR/invocations.csv:2: column `duration_ms`: `5000000` is longer than an invocation may run here (4294967.294 ms)\n  help: write milliseconds of at least 0, for example 1500 or 1500.25"),
    ("invocations", "time_ms,function,duration_ms\n0,alpha,-5\n", "DIR/invocations.csv:2: column `duration_ms`: `-5` is negative\n  help: write milliseconds of at least 0, for example 1500 or 1500.25"),
    ("functions", "function,memory_mb,cold_ms,warm_ms\nalpha,128,300,inf\n", "DIR/functions.csv:2: column `warm_ms`: `inf` is not a finite number\n  help: write milliseconds of at least 0, for example 1500 or 1500.25"),
    ("functions", "function,memory_mb,cold_ms,warm_ms\nalpha,128,1e30,1\n", "DIR/functions.csv:2: column `cold_ms`: `1e30` is too large\n  help: write milliseconds of at least 0, for example 1500 or 1500.25"),
    ("functions", "function,memory_mb,cold_ms,warm_ms\nalpha,0,300,100\n", "DIR/functions.csv:2: column `memory_mb`: a function cannot run in 0 MiB\n  help: write a number of MiB above 0, for example 128"),
    ("functions", "function,mem_mb,cold_ms,warm_ms\nalpha,128 MB,300,100\n", "DIR/functions.csv:2: column `mem_mb`: `128 MB` is not a number\n  help: write a number of MiB above 0, for example 128"),
    ("functions", "function,memory_mb,cold_ms,warm_ms\nalpha,1e12,300,100\n", "DIR/functions.csv:2: column `memory_mb`: `1e12` is too large\n  help: write a number of MiB above 0, for example 128"),
    ("functions", "function,memory_mb,cold_ms,warm_ms,max_concurrent\nalpha,128,300,100,0\n", "DIR/functions.csv:2: column `max_concurrent`: `0` is not a number of concurrent invocations\n  help: write a whole number from 1 to 65535"),
    ("functions", "function,memory_mb,cold_ms,warm_ms,max_concurrent\nalpha,128,300,100,70000\n", "DIR/functions.csv:2: column `max_concurrent`: `70000` is not a number of concurrent invocations\n  help: write a whole number from 1 to 65535"),
];

#[test]
fn every_damaged_text_has_its_message() {
    for (damaged, text, expected) in DAMAGES {
        let (functions, invocations) =
            if *damaged == "functions" { (*text, INVOCATIONS) } else { (FUNCTIONS, *text) };
        let files = [("functions.csv", functions.as_bytes()), ("invocations.csv", invocations.as_bytes())];
        assert_eq!(message(&files, ""), *expected, "{text:?}");
    }
}

#[test]
fn text_that_is_not_utf8_is_named() {
    let good = ("functions.csv", FUNCTIONS.as_bytes());
    assert_eq!(
        message(&[good, ("invocations.csv", b"time_ms,function\n0,alpha\n1,caf\xe9\n")], ""),
        "DIR/invocations.csv:3: column `function`: `caf\u{fffd}` is not valid UTF-8\n  help: save the file as UTF-8"
    );
    assert_eq!(
        message(&[good, ("invocations.csv", b"time_ms,caf\xe9\n0,alpha\n")], ""),
        "DIR/invocations.csv:1: the column name `caf\u{fffd}` is not valid UTF-8\n  help: save the file as UTF-8"
    );
    assert_eq!(
        message(&[("functions.csv", b"function,memory_mb,cold_ms,warm_ms\ncaf\xe9,1,1,1\n")], ""),
        "DIR: no `DIR/invocations.csv`, nor with .gz or .zst behind it\n  \
         help: a trace is a folder with functions.csv and invocations.csv"
    );
    assert_eq!(
        message(
            &[
                ("invocations.csv", b"x"),
                ("functions.csv", b"function,memory_mb,cold_ms,warm_ms\ncaf\xe9,1,1,1\n")
            ],
            ""
        ),
        "DIR/functions.csv:2: column `function`: `caf\u{fffd}` is not valid UTF-8\n  help: save the file as UTF-8"
    );
    assert_eq!(
        message(&[good, ("invocations.csv", b"\xff\xfet\0i\0m\0e\0")], ""),
        "DIR/invocations.csv: is UTF-16 text; CSV is needed here\n  \
         help: unpack or convert it to CSV in UTF-8; plain, gzip (.gz) and zstd (.zst) are read"
    );
    assert_eq!(
        message(&[good, ("invocations.csv", b"PAR1....PAR1")], ""),
        "DIR/invocations.csv: is a Parquet file; CSV is needed here\n  \
         help: unpack or convert it to CSV in UTF-8; plain, gzip (.gz) and zstd (.zst) are read"
    );
}

#[test]
fn files_that_are_missing_or_doubled_are_named() {
    let functions = ("functions.csv", FUNCTIONS.as_bytes());
    let invocations = ("invocations.csv", INVOCATIONS.as_bytes());
    let cases: &[(&[FileContent], &str, &str)] = &[
        (
            &[invocations],
            "",
            "DIR: no `DIR/functions.csv`, nor with .gz or .zst behind it\n  help: a trace is a folder with functions.csv and invocations.csv",
        ),
        (
            &[functions],
            "",
            "DIR: no `DIR/invocations.csv`, nor with .gz or .zst behind it\n  help: a trace is a folder with functions.csv and invocations.csv",
        ),
        (
            &[functions, invocations, ("invocations.csv.gz", b"")],
            "",
            "DIR: both `DIR/invocations.csv` and `DIR/invocations.csv.gz` are there\n  help: keep the one that is meant and move the other away",
        ),
        (
            &[functions, invocations],
            "functions.csv",
            "DIR/functions.csv: is a file, but a trace is a folder of two files\n  help: give its folder, `DIR`",
        ),
        (
            &[("s1.functions.csv", b""), ("s1.trace.csv", b"")],
            "s1.trace.csv",
            "DIR/s1.trace.csv: is a file, but a trace is a folder of two files\n  help: give `DIR/s1` for both files",
        ),
        (
            &[("s1.functions.csv", b""), ("s1.trace.csv", b"")],
            "",
            "DIR: no `DIR/functions.csv`, nor with .gz or .zst behind it\n  help: the traces in it are `DIR/s1`",
        ),
        (
            &[("s1.functions.csv", b""), ("s1.trace.csv", b"")],
            "s2",
            "DIR/s2: no such trace: there is neither a folder `DIR/s2` nor a file `DIR/s2.functions.csv`\n  help: `DIR` has `s1`",
        ),
        (
            &[("litmus_lru.functions.csv", b"")],
            "litmus-lru",
            "DIR/litmus-lru: no such trace: there is neither a folder `DIR/litmus-lru` nor a file `DIR/litmus-lru.functions.csv`\n  help: did you mean `litmus_lru`?",
        ),
        (
            &[("s1.functions.csv", b"")],
            "s1",
            "DIR/s1: no `DIR/s1.trace.csv` or `DIR/s1.invocations.csv`, nor with .gz or .zst behind it\n  help: a trace is a folder with functions.csv and invocations.csv",
        ),
        (
            &[],
            "nowhere/t",
            "DIR/nowhere/t: no such trace: there is neither a folder `DIR/nowhere/t` nor a file `DIR/nowhere/t.functions.csv`\n  help: the folder `DIR/nowhere` cannot be read",
        ),
    ];
    for (files, path, expected) in cases {
        assert_eq!(message(files, path), *expected);
    }
}

#[test]
fn damaged_packing_is_named_with_the_line_it_ends_in() {
    // Without repetition, so that neither packer can shrink it and the damage lies in the middle of the text.
    let mut text = b"time_ms,function\n".to_vec();
    let mut state = 1_u64;
    for _ in 0..20_000 {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        text.extend(format!("{},alpha\n", state >> 24).bytes());
    }
    for (name, packed, kind) in
        [("invocations.csv.gz", gzip(&text), "gzip"), ("invocations.csv.zst", zstd(&text), "zstd")]
    {
        let half = &packed[..packed.len() / 2];
        let said = message(&[("functions.csv", FUNCTIONS.as_bytes()), (name, half)], "");
        assert!(said.contains(&format!("the {kind} data ends too early: the file is truncated")), "{said}");
        assert!(said.contains(&format!("help: `{kind} -t` tests the whole file")), "{said}");
        let line: u64 = said.split(':').nth(1).and_then(|line| line.parse().ok()).expect("a line");
        assert!((5_000..15_000).contains(&line), "{said}");

        let mut corrupt = packed.clone();
        let middle = corrupt.len() / 2;
        corrupt[middle..middle + 200].fill(0xff);
        let said = message(&[("functions.csv", FUNCTIONS.as_bytes()), (name, &corrupt)], "");
        assert!(said.starts_with(&format!("DIR/{name}:")), "{said}");
    }
    for (name, packed) in [("invocations.csv.gz", gzip(&text)), ("invocations.csv.zst", zstd(&text))] {
        let start = &packed[..6];
        let said = message(&[("functions.csv", FUNCTIONS.as_bytes()), (name, start)], "");
        assert!(said.contains(":1: the ") && said.contains("truncated"), "{said}");
    }
}

#[test]
fn a_wrong_checksum_inside_a_gzip_file_is_corrupt() {
    let mut packed = gzip(INVOCATIONS.as_bytes());
    let crc = packed.len() - 6;
    packed[crc] ^= 1;
    let said = message(&[("functions.csv", FUNCTIONS.as_bytes()), ("invocations.csv", &packed)], "");
    assert!(said.contains("the gzip data is corrupt"), "{said}");
}

#[test]
fn writing_refuses_to_leave_two_files_for_one() {
    let folder =
        folder(&[("functions.csv", FUNCTIONS.as_bytes()), ("invocations.csv", INVOCATIONS.as_bytes())]);
    let trace = read_native(folder.path()).expect("good").trace;
    write_native(&trace, folder.path(), Compression::None).expect("replaces both");
    let error = write_native(&trace, folder.path(), Compression::Gzip).expect_err("two for one");
    assert!(error.to_string().contains("invocations.csv: would stand beside the new file"), "{error}");
    let left: Vec<_> =
        fs::read_dir(folder.path()).expect("readable").flatten().map(|e| e.file_name()).collect();
    assert_eq!(left.len(), 2, "{left:?}");
    let into_a_file = write_native(&trace, &folder.path().join("functions.csv"), Compression::None);
    assert!(into_a_file.expect_err("not a folder").to_string().contains("is a file, not a folder"));
}

fn any_function(number: usize, name: String) -> impl Strategy<Value = Function> {
    let text = "[^\\p{Cc}]{1,8}";
    let span = prop_oneof![0_u64..5_000_000, (0_u64..9_000_000).prop_map(|ms| ms * 1_000)];
    let quantiles = proptest::collection::vec(0_u64..9_000_000, 7).prop_map(|mut us| {
        us.sort_unstable();
        std::array::from_fn(|at| Span(us[at]))
    });
    let optional = (proptest::option::of(text), proptest::option::of(text), proptest::option::of(quantiles));
    (1_u64..100_000, span.clone(), span, optional, text, text, 1_u16..).prop_map(
        move |(mib, cold, warm, (app, trigger, run_quantiles), namespace, kind, max_concurrent)| Function {
            // The number makes it unique.
            name: format!("{name}{number}"),
            memory: Memory(mib),
            cold: Span(cold),
            warm: Span(warm),
            app,
            namespace,
            kind,
            max_concurrent,
            trigger,
            run_quantiles,
        },
    )
}

fn any_trace() -> impl Strategy<Value = Trace> {
    let functions = proptest::collection::vec("[^\\p{Cc}]{0,8}", 1..6).prop_flat_map(|names| {
        names.into_iter().enumerate().map(|(number, name)| any_function(number, name)).collect::<Vec<_>>()
    });
    let plain = functions.clone().prop_map(|functions| {
        functions.into_iter().map(|f| Function::new(f.name, f.memory, f.cold, f.warm)).collect::<Vec<_>>()
    });
    let row = (0_u64..50_000_000, any::<prop::sample::Index>(), proptest::option::of(0..RunTime::MAX.0));
    let rows = proptest::collection::vec(row, 1..60);
    (prop_oneof![functions, plain], rows, any::<bool>()).prop_map(|(functions, rows, timed)| {
        let mut invocations = Invocations::default();
        for (time, function, duration) in rows {
            let duration = duration.filter(|_| timed).and_then(|us| RunTime::new(Span(us)));
            let function = function.index(functions.len()) as u32;
            invocations.push(
                Time(time / 1_000 * 1_000 + time % 7),
                function,
                duration.unwrap_or(RunTime::ABSENT),
            );
        }
        Trace::new("t", functions, invocations).expect("valid")
    })
}

proptest! {
    #[test]
    fn what_is_written_reads_back_the_same(trace in any_trace()) {
        let folder = TempDir::new().expect("a temporary folder");
        for compression in [Compression::None, Compression::Gzip, Compression::Zstd] {
            let dir = folder.path().join(format!("{compression:?}")).join("t");
            write_native(&trace, &dir, compression).expect("writable");
            let loaded = read_native(&dir).unwrap_or_else(|error| panic!("{error}"));
            prop_assert_eq!(&loaded.trace, &trace);
            let again = folder.path().join(format!("{compression:?}")).join("again");
            write_native(&loaded.trace, &again, compression).expect("writable");
            prop_assert!(same_files(&dir, &again));
        }
    }

    #[test]
    fn no_text_makes_it_panic(
        functions in "(function,memory_mb,cold_ms,warm_ms\n)?[a-c0-9,\"\r\n.\u{feff}-]{0,60}",
        invocations in "(time_ms,function\n)?[a-c0-9,\"\r\n.\u{feff}-]{0,60}",
    ) {
        let folder = folder(&[("functions.csv", functions.as_bytes()), ("invocations.csv", invocations.as_bytes())]);
        let _ = read_native(folder.path());
        fs::write(folder.path().join("functions.csv"), FUNCTIONS).expect("writable");
        let _ = read_native(folder.path());
    }

    #[test]
    fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..100), magic in 0..3_usize) {
        let start: &[u8] = [b"".as_slice(), b"\x1f\x8b", b"\x28\xb5\x2f\xfd"][magic];
        let invocations = [start, &bytes].concat();
        let _ = read_native(folder(&[("functions.csv", FUNCTIONS.as_bytes()), ("invocations.csv", &invocations)]).path());
    }
}

fn same_files(one: &Path, other: &Path) -> bool {
    fs::read_dir(one).expect("readable").flatten().all(|entry| {
        let copy = other.join(entry.file_name());
        fs::read(entry.path()).ok() == fs::read(copy).ok()
    })
}
