//! `faassim run` as a user sees it: what is printed, what is written, that the same scenario gives the
//! same bytes, and that an interrupted run leaves nothing.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::time::Duration;

const SCENARIO: &str =
    "[trace]\npath = \"TRACE\"\n[pool]\nmemory = \"700 MiB\"\n[rules]\npreset = \"ideal\"\n";

fn faassim(folder: &Path, args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_faassim"))
        .current_dir(folder)
        .args(args)
        .output()
        .expect("the binary starts")
}

fn folder_with_scenario(extra: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let trace = Path::new(env!("CARGO_MANIFEST_DIR")).join("traces/faascache-litmus-freq");
    let text = SCENARIO.replace("TRACE", &trace.display().to_string()) + extra;
    fs::write(folder.path().join("s.toml"), text).expect("writable");
    folder
}

fn files(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    fs::read_dir(folder)
        .expect("the results are there")
        .map(|entry| {
            let entry = entry.expect("readable");
            (entry.file_name().to_string_lossy().into_owned(), fs::read(entry.path()).expect("readable"))
        })
        .collect()
}

#[test]
fn prints_a_summary_that_fits_a_terminal_and_writes_results() {
    let folder = folder_with_scenario("");
    let output = faassim(folder.path(), &["run", "s.toml", "--invocations"]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).expect("UTF-8");
    for part in [
        "invocations",
        "warm",
        "cold",
        "why not warm",
        "evicted",
        "response",
        "memory GiB",
        "CPU is unlimited",
    ] {
        assert!(text.contains(part), "no `{part}` in\n{text}");
    }
    for line in text.lines() {
        assert!(line.chars().count() <= 80, "{} columns: {line}", line.chars().count());
    }
    let names: Vec<String> = files(&folder.path().join("results/s")).into_keys().collect();
    let expected = [
        "functions.csv",
        "functions.parquet",
        "invocations.csv",
        "invocations.parquet",
        "manifest.json",
        "memory.csv",
        "memory.parquet",
        "responses.csv",
        "responses.parquet",
        "summary.json",
    ];
    assert_eq!(names, expected);
    let rows = fs::read_to_string(folder.path().join("results/s/invocations.csv")).expect("there");
    assert_eq!(rows.lines().count(), 57_601, "a header and a row per invocation");
}

#[test]
fn the_table_of_responses_agrees_with_the_rows() {
    let folder = folder_with_scenario("");
    let output = faassim(folder.path(), &["run", "s.toml", "--invocations"]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let read =
        |name: &str| csv::Reader::from_path(folder.path().join("results/s").join(name)).expect("there");
    let number = |text: &str| text.parse::<f64>().expect("a number");
    let mut of_starts: BTreeMap<String, Vec<f64>> = BTreeMap::new();
    for row in read("invocations.csv").records().map(|row| row.expect("readable")) {
        if !row[4].is_empty() {
            of_starts.entry(row[4].to_owned()).or_default().push(number(&row[9]));
        }
    }
    of_starts.values_mut().for_each(|responses| responses.sort_by(f64::total_cmp));
    assert!(of_starts.len() > 1, "{:?}", of_starts.keys());
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    for row in read("responses.csv").records().map(|row| row.expect("readable")) {
        let (responses, (end, count)) = (&of_starts[&row[0]], (number(&row[1]), number(&row[2])));
        let before = seen.entry(row[0].to_owned()).or_default();
        for response in &responses[*before..*before + count as usize] {
            assert!(*response <= end && end <= response * (1.0 + 1.0 / 128.0) + 0.001, "{response} in {end}");
        }
        *before += count as usize;
    }
    let rows: BTreeMap<String, usize> =
        of_starts.into_iter().map(|(start, rows)| (start, rows.len())).collect();
    assert_eq!(seen, rows);
}

#[test]
fn the_same_scenario_gives_the_same_bytes() {
    let drawn = "[costs]\ncreate = { log-normal = { median = \"200 ms\", sigma = 0.5 } }\ninit = \"50 ms\"\n\
        [failures]\nrun = 0.01\n[eviction.random]\n";
    let folder = folder_with_scenario(drawn);
    let run = |out: &str, extra: &[&str]| {
        let args = [&["run", "s.toml", "--invocations", "-o", out], extra].concat();
        let output = faassim(folder.path(), &args);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        files(&folder.path().join(out))
    };
    let (a, b) = (run("a", &[]), run("b", &[]));
    assert_eq!(a.keys().collect::<Vec<_>>(), b.keys().collect::<Vec<_>>());
    for (name, bytes) in &a {
        assert!(bytes == &b[name], "{name} differs between two runs");
    }
    let other = run("c", &["--set", "seed=2"]);
    assert!(other["invocations.csv"] != a["invocations.csv"], "another seed should draw other numbers");
    // Writing over earlier results replaces them.
    assert_eq!(run("a", &["--set", "seed=2"])["summary.json"], other["summary.json"]);
}

#[test]
fn json_is_the_summary_with_timing() {
    let folder = folder_with_scenario("");
    let output = faassim(folder.path(), &["run", "s.toml", "--json"]);
    let mut printed: serde_json::Value =
        serde_json::from_slice(&output.stdout).expect("JSON on standard output");
    assert!(printed["timing"]["invocations_per_s"].as_f64().expect("a number") > 0.0);
    printed.as_object_mut().expect("an object").remove("timing");
    let written = fs::read(folder.path().join("results/s/summary.json")).expect("there");
    let written: serde_json::Value = serde_json::from_slice(&written).expect("JSON");
    assert_eq!(printed, written);
    let figures = &written["summary"];
    let count = |key: &str| figures[key].as_u64().expect("a count");
    assert_eq!(count("invocations"), 57_600);
    assert_eq!(count("warm") + count("cold") + count("partial"), count("served"));
    let causes = &figures["causes"];
    let total: u64 = ["first", "all_busy", "expired", "evicted", "unloaded", "failed"]
        .iter()
        .map(|cause| causes[cause].as_u64().expect("a count"))
        .sum();
    assert_eq!(total, count("cold") + count("partial"), "every start that was not warm has a cause");
}

#[test]
fn the_manifest_suffices_to_run_it_again() {
    let folder = folder_with_scenario("");
    let output = faassim(
        folder.path(),
        &["run", "s.toml", "--set", "pool.memory=\"900 MiB\"", "--set", "eviction=fifo"],
    );
    assert!(output.status.success());
    let first = files(&folder.path().join("results/s"));
    let manifest: serde_json::Value = serde_json::from_slice(&first["manifest.json"]).expect("JSON");
    let command = manifest["command"].as_str().expect("a command");
    fs::remove_dir_all(folder.path().join("results")).expect("removable");
    let shell = command.replacen("faassim", env!("CARGO_BIN_EXE_faassim"), 1);
    let output =
        Command::new("sh").arg("-c").arg(shell).current_dir(folder.path()).output().expect("a shell");
    assert!(output.status.success(), "{command}: {}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(files(&folder.path().join("results/s")), first);
}

#[test]
fn warns_when_the_policy_is_never_asked() {
    let folder = folder_with_scenario("");
    let output =
        faassim(folder.path(), &["run", "s.toml", "--no-results", "--set", "pool.memory=\"64 GiB\""]);
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(text.contains("memory was never short"), "{text}");
    let output =
        faassim(folder.path(), &["run", "s.toml", "--no-results", "--set", "pool.memory=\"200 MiB\""]);
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(text.contains("larger than the whole pool"), "{text}");
    assert!(!folder.path().join("results").exists(), "--no-results writes nothing");
}

#[test]
fn refuses_a_folder_that_is_not_its_own() {
    let folder = folder_with_scenario("");
    fs::create_dir(folder.path().join("mine")).expect("writable");
    fs::write(folder.path().join("mine/thesis.tex"), "years of work").expect("writable");
    let output = faassim(folder.path(), &["run", "s.toml", "-o", "mine"]);
    assert_eq!(output.status.code(), Some(2));
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(text.contains("does not hold results of faassim"), "{text}");
    assert_eq!(
        fs::read_to_string(folder.path().join("mine/thesis.tex")).expect("still there"),
        "years of work"
    );
}

#[test]
fn a_damaged_trace_is_told_with_its_line() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    fs::write(folder.path().join("functions.csv"), "function,memory_mb,cold_ms,warm_ms\nf,128,900,100\n")
        .expect("writable");
    fs::write(folder.path().join("invocations.csv"), "time_ms,function\n0,f\nsoon,f\n").expect("writable");
    fs::write(folder.path().join("s.toml"), "[trace]\npath = \".\"\n[pool]\nmemory = \"1 GiB\"\n")
        .expect("writable");
    let output = faassim(folder.path(), &["run", "s.toml"]);
    assert_eq!(output.status.code(), Some(2));
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(text.contains("invocations.csv:3: column `time_ms`: `soon`"), "{text}");
    assert!(!folder.path().join("results/s").exists());
}

#[test]
fn costs_of_a_function_that_is_not_there_are_refused() {
    let folder = folder_with_scenario("[costs.functions.rare_9]\ncreate = \"1 s\"\n");
    let output = faassim(folder.path(), &["run", "s.toml"]);
    assert_eq!(output.status.code(), Some(2));
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(text.contains("the trace has no function `rare_9`; did you mean `rare_1`?"), "{text}");
    assert_eq!(fs::read_dir(folder.path().join("results")).expect("there").count(), 0);
}

/// Ctrl-C in the middle: a clean message, exit code 130, nothing half-written.
#[cfg(unix)]
#[test]
fn an_interrupted_run_leaves_nothing() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let trace = Path::new(env!("CARGO_MANIFEST_DIR")).join("traces/azure392");
    // The published simulator is slow enough at this size to be caught in the act.
    let text = format!(
        "[trace]\npath = \"{}\"\n[pool]\nmemory = \"200 GiB\"\n[faascache-artifact]\npolicy = \"LND\"\n",
        trace.display()
    );
    fs::write(folder.path().join("s.toml"), text).expect("writable");
    let mut child = Command::new(env!("CARGO_BIN_EXE_faassim"))
        .current_dir(folder.path())
        .args(["run", "s.toml"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the binary starts");
    // The results folder is claimed before the handler is set; a moment later the handler is there too.
    let claimed =
        || fs::read_dir(folder.path().join("results")).is_ok_and(|mut entries| entries.next().is_some());
    while !claimed() {
        assert!(
            child.try_wait().expect("it can be asked").is_none(),
            "it ended before it could be interrupted"
        );
        std::thread::sleep(Duration::from_millis(5));
    }
    std::thread::sleep(Duration::from_millis(50));
    let killed =
        Command::new("kill").args(["-INT", &child.id().to_string()]).status().expect("kill is there");
    assert!(killed.success(), "it ended before it could be interrupted");
    let output = child.wait_with_output().expect("it ends");
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(130), "{text}");
    assert!(text.contains("stopped by Ctrl-C"), "{text}");
    assert!(output.stdout.is_empty());
    assert_eq!(fs::read_dir(folder.path().join("results")).expect("there").count(), 0, "nothing is left");
}

#[test]
fn the_published_simulator_runs_from_a_scenario() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let trace = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/faascache/traces/litmus_lru_sub");
    let text = format!(
        "[trace]\npath = \"{}\"\n[pool]\nmemory = \"1024 MB\"\n[faascache-artifact]\npolicy = \"GD\"\n",
        trace.display()
    );
    fs::write(folder.path().join("s.toml"), text).expect("writable");
    let output = faassim(folder.path(), &["run", "s.toml", "--json"]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let printed: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
    // docs/specs/faascache-artifact.md §9: 14403 misses of 28800.
    assert_eq!(printed["summary"]["misses"], 14_403);
    assert_eq!(printed["summary"]["invocations"], 28_800);
}
