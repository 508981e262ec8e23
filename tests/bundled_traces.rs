//! The traces in `traces/`: that each reads without a note, is what traces/README.md says it is, and
//! is what its script makes of the raw data.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::Command;

use faassim::memory::Memory;
use faassim::time::Span;
use faassim::trace::{Trace, read_native};

/// A bundled trace as traces/README.md describes it.
struct Bundled {
    path: &'static str,
    functions: usize,
    invocations: usize,
    checksum: &'static str,
}

#[rustfmt::skip]
const BUNDLED: &[Bundled] = &[
    Bundled { path: "aws-lambda-2020/2020-05-26", functions: 1, invocations: 1_648, checksum: "5b24e9c9e6a6b13045412b4f26fb04771c8e86249430cdb6a6919319a6e56ebc" },
    Bundled { path: "aws-lambda-2020/2020-05-28", functions: 1, invocations: 186, checksum: "7cf44bb792c1bade16f17613f8819890bebb1ecf3abb27cfc58f20ba1e851b6f" },
    Bundled { path: "aws-lambda-2020/2020-06-06", functions: 1, invocations: 290, checksum: "99d4ddbe57f77358da996cb0b68b5e90cdec984102f59b3fffe7196ad7c720e4" },
    Bundled { path: "aws-lambda-2020/2020-06-10", functions: 1, invocations: 428, checksum: "6bc9a07d75f2d726a134fc8caaab191e983ae646fa69b8fdff29dc41b603aaf4" },
    Bundled { path: "aws-lambda-2020/2020-06-18", functions: 1, invocations: 791, checksum: "12f8c05f00a2c1279d137cdde98f3c32c664312698aa9399b4738a1fbae3faaa" },
    Bundled { path: "azure392", functions: 392, invocations: 1_348_162, checksum: "fa1a05cd364ec46f35a6b61a6253d5cfeb0cf6cd6d9e8a6103823b25c633535e" },
    Bundled { path: "faascache-litmus-freq", functions: 4, invocations: 57_600, checksum: "8c54408d9d4068d5fa2c939f288faa7d0de7644c3dcb8c53c1af40991519769a" },
    Bundled { path: "faascache-litmus-lru", functions: 4, invocations: 57_600, checksum: "1ef74aa12b773c2d70e7ffa7142c91859c5383be3c22827ea9479224a801103c" },
    Bundled { path: "faascache-litmus-size", functions: 2, invocations: 41_144, checksum: "941ef7e2e111b462d2789e849f547e921a88fd2d28b6a069d8b7d1cd4b180281" },
    Bundled { path: "live-azure30", functions: 30, invocations: 568, checksum: "1ec56de227de7b51e4da0abf1aeaf227751b4432d3c9684f24ccc2df95a8ef4a" },
    Bundled { path: "live-litmus-freq", functions: 6, invocations: 547, checksum: "336ee3484daba35a6c974f8cbb82fcc76eaa7e5d3d2f84b1101c7c6018cad42d" },
    Bundled { path: "live-litmus-size", functions: 8, invocations: 441, checksum: "96bae69b478da456b2bbe6105a9029b9d0cc284944be800754eddb5929b04d19" },
    Bundled { path: "live-smoke", functions: 8, invocations: 378, checksum: "fe75a7c75feb5cea045210afd9710fa8730714207bcebbc7e85d9bcea2f77254" },
];

/// The measured runs: raw file, trace, measured cold starts.
const AWS_RUNS: &[(&str, &str, usize)] = &[
    ("res-01-2020-05-26_01-31-35.csv.gz", "2020-05-26", 29),
    ("res-01-2020-05-28_01-57-40.csv.gz", "2020-05-28", 59),
    ("res-01-2020-06-06_22-39-19.csv.gz", "2020-06-06", 43),
    ("res-01-2020-06-10_22-20-08.csv.gz", "2020-06-10", 32),
    ("res-01-2020-06-18_23-36-37.csv.gz", "2020-06-18", 28),
];

fn home() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("traces")
}

fn load(path: &str) -> Trace {
    let loaded = read_native(&home().join(path)).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(loaded.notes, [""; 0], "{path}");
    loaded.trace
}

/// The rows of a CSV file as column → value.
fn rows(path: &Path) -> Vec<BTreeMap<String, String>> {
    let file = File::open(path).expect("a bundled file");
    let text: Box<dyn Read> = match path.extension() {
        Some(ending) if ending == "gz" => Box::new(flate2::read::GzDecoder::new(file)),
        _ => Box::new(file),
    };
    csv::Reader::from_reader(text).deserialize().collect::<Result<_, _>>().expect("a valid file")
}

/// A decimal in a larger unit as a whole number of the millionth part of it.
fn micro(seconds: &str) -> i64 {
    (seconds.parse::<f64>().expect("a number") * 1e6).round() as i64
}

#[test]
fn every_bundled_trace_is_what_the_readme_says() {
    let readme = fs::read_to_string(home().join("README.md")).expect("traces/README.md");
    for bundled in BUNDLED {
        let trace = load(bundled.path);
        assert_eq!(trace.functions.len(), bundled.functions, "{}", bundled.path);
        assert_eq!(trace.len(), bundled.invocations, "{}", bundled.path);
        assert_eq!(trace.checksum, bundled.checksum, "{}", bundled.path);
        assert!(readme.contains(bundled.checksum), "{}: checksum not in traces/README.md", bundled.path);
    }
}

#[test]
fn no_bundled_trace_is_left_out_here() {
    let mut found = Vec::new();
    let mut folders = vec![home()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).expect("readable").flatten().map(|entry| entry.path()) {
            if entry.join("functions.csv").exists() {
                let relative = entry.strip_prefix(home()).expect("inside");
                found.push(
                    relative
                        .components()
                        .map(|c| c.as_os_str().to_string_lossy())
                        .collect::<Vec<_>>()
                        .join("/"),
                );
            }
            if entry.is_dir() {
                folders.push(entry);
            }
        }
    }
    found.sort();
    let listed: Vec<&str> = BUNDLED.iter().map(|bundled| bundled.path).collect();
    assert_eq!(found, listed);
}

#[test]
fn azure392_has_the_functions_and_counts_of_the_real_table() {
    let trace = load("azure392");
    let mut counts = vec![0_u64; trace.functions.len()];
    for arrival in trace.arrivals() {
        counts[arrival.function as usize] += 1;
    }
    let table = rows(&home().join("azure392/raw/functions_392.csv"));
    assert_eq!(table.len(), 392);
    for (number, row) in table.iter().enumerate() {
        let function = &trace.functions[number];
        let value = |column: &str| row[column].parse::<u64>().expect("a whole number");
        assert_eq!(function.name, format!("f{number:03}"));
        assert_eq!(function.memory, Memory(value("mem_MB")));
        assert_eq!(function.cold, Span::from_ms(value("cold_run_ms")));
        assert_eq!(function.warm, Span::from_ms(value("warm_run_ms")));
        assert_eq!(counts[number], value("invocations"), "{}", function.name);
    }
    let made = rows(&home().join("azure392/functions.csv"));
    assert!(table.iter().zip(&made).all(|(raw, made)| raw["HashFunction"] == made["hash"]));
    assert!(trace.span() < Span::from_secs(86_400));
}

#[test]
fn the_raw_azure_table_is_readable_as_it_is() {
    let folder = tempfile::TempDir::new().expect("a temporary folder");
    fs::copy(home().join("azure392/raw/functions_392.csv"), folder.path().join("functions.csv"))
        .expect("copied");
    let hash = "9467f3a8269960c7cf5eb6be3010d6a7b4d6ede14fae5e2ca2b58279c82d56e0";
    fs::write(folder.path().join("invocations.csv"), format!("HashFunction,t_ms\n{hash},7\n"))
        .expect("written");
    let trace = read_native(folder.path()).unwrap_or_else(|error| panic!("{error}")).trace;
    assert_eq!(trace.functions.len(), 392);
}

#[test]
fn aws_traces_keep_every_measured_row() {
    for (raw, run, cold) in AWS_RUNS {
        let raw = rows(&home().join("aws-lambda-2020/raw").join(raw));
        let made = rows(&home().join("aws-lambda-2020").join(run).join("invocations.csv.gz"));
        let trace = load(&format!("aws-lambda-2020/{run}"));
        assert_eq!((trace.len(), made.len()), (raw.len(), raw.len()), "{run}");
        for ((raw, made), arrival) in raw.iter().zip(&made).zip(trace.arrivals()) {
            let ran = micro(&raw["fn_end_s"]) - micro(&raw["fn_start_s"]);
            assert_eq!(arrival.time.0 as i64, micro(&raw["arrival_s"]));
            assert_eq!(arrival.duration.map(|span| span.0 as i64), Some(ran));
            assert_eq!((&made["is_cold"], &made["container"]), (&raw["is_cold"], &raw["container"]));
        }
        assert_eq!(made.iter().filter(|row| row["is_cold"] == "1").count(), *cold, "{run}");
    }
}

#[test]
fn scripts_make_the_committed_traces() {
    for script in ["make-aws-traces.py", "make-azure392.py", "make-live-smoke.py", "make-live-validation.py"]
    {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("scripts").join(script);
        match Command::new("python3").arg(&script).arg("--check").output() {
            Ok(output) => assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr)),
            Err(error) => {
                // Past the test harness, which would hide it.
                let _ = writeln!(
                    std::io::stderr(),
                    "NOT CHECKED: {} could not be run, python3: {error}",
                    script.display()
                );
            }
        }
    }
}
