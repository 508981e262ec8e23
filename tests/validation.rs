//! The simulator against real runs on Docker, recorded in docs/validation/: what docs/validation.md says of them holds, without
//! Docker. Every log replays; predictions are as good as it says, and as bad; with everything as it went live every decision is
//! alike.

#![cfg(feature = "live")]

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

/// A recorded run, and what is said of it.
struct Run {
    scenario: &'static str,
    /// The names of its log and costs.
    name: &'static str,
    sets: &'static [&'static str],
    invocations: u64,
    /// Measured.
    cold: u64,
    /// At least so many per cent of decisions were alike.
    alike_pct: f64,
}

#[rustfmt::skip]
const RUNS: &[Run] = &[
    Run { scenario: "validate-freq", name: "freq-750MiB", sets: &[], invocations: 547, cold: 291, alike_pct: 99.0 },
    Run { scenario: "validate-freq", name: "freq-1250MiB", sets: &["pool.memory=1250 MiB"], invocations: 547, cold: 157, alike_pct: 100.0 },
    Run { scenario: "validate-size", name: "size-1500MiB", sets: &[], invocations: 441, cold: 325, alike_pct: 100.0 },
    Run { scenario: "validate-size", name: "size-1800MiB", sets: &["pool.memory=1800 MiB"], invocations: 441, cold: 303, alike_pct: 99.8 },
    Run { scenario: "validate-azure30", name: "azure30-768MiB", sets: &["pool.memory=768 MiB"], invocations: 568, cold: 230, alike_pct: 99.0 },
    Run { scenario: "validate-azure30", name: "azure30-1GiB", sets: &[], invocations: 568, cold: 173, alike_pct: 99.8 },
    Run { scenario: "validate-size", name: "size-1500MiB-greedy-dual", sets: &["eviction.greedy-dual={}"],
          invocations: 441, cold: 150, alike_pct: 95.0 },
    Run { scenario: "validate-freq", name: "freq-1250MiB-greedy-dual", sets: &["pool.memory=1250 MiB", "eviction.greedy-dual={}"],
          invocations: 547, cold: 101, alike_pct: 86.0 },
    Run { scenario: "live-smoke", name: "smoke-768MiB", sets: &[], invocations: 378, cold: 112, alike_pct: 95.0 },
];

/// What a prediction must keep.
const LIMITS: [(&str, f64); 3] = [
    ("/differences/cold/pp", 1.0),
    ("/differences/response_pct/p50", 10.0),
    ("/differences/response_pct/p95", 20.0),
];

/// A run on a machine that changed after it was probed.
struct Missed {
    scenario: &'static str,
    log: &'static str,
    costs: &'static str,
    sets: &'static [&'static str],
    /// The figures of [`LIMITS`], as the page tells them.
    apart: [f64; 3],
}

#[rustfmt::skip]
const RESTLESS: &[Missed] = &[
    Missed { scenario: "validate-freq", log: "freq-1250MiB", costs: "costs-of-probe-1", sets: &["pool.memory=1250 MiB"],
             apart: [-0.24, -14.8, -14.2] },
    Missed { scenario: "validate-size", log: "size-1800MiB", costs: "costs-of-probe-2",
             sets: &["pool.memory=1800 MiB", "live.speed=0.6", "live.duration=198 s"], apart: [-0.15, -1.0, -26.5] },
    Missed { scenario: "validate-azure30", log: "azure30-1GiB", costs: "costs-of-probe-2",
             sets: &["live.speed=0.7", "live.duration=231 s"], apart: [-1.30, 40.7, -1.7] },
    Missed { scenario: "validate-size", log: "size-1500MiB-greedy-dual", costs: "costs-of-probe-1",
             sets: &["eviction.greedy-dual={}"], apart: [-6.53, -82.9, -23.2] },
];

fn home() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn recorded(name: &str) -> String {
    home().join("docs/validation").join(name).display().to_string()
}

/// What `faassim validate` finds of a recorded run, limits aside.
fn validate(folder: &Path, scenario: &str, log: &str, costs: &str, sets: &[&str]) -> Value {
    let scenario = home().join(format!("scenarios/{scenario}.toml")).display().to_string();
    let (log, costs) = (recorded(&format!("{log}.events.jsonl.zst")), recorded(&format!("{costs}.toml")));
    let mut command = Command::new(env!("CARGO_BIN_EXE_faassim"));
    command.current_dir(folder).args(["validate", &scenario, "--live", &log, "--costs", &costs, "--json"]);
    command.args(["-o", "out", "--set", "compare.cold-ratio-pp=100"]);
    for set in sets {
        command.args(["--set", set]);
    }
    let output = command.output().expect("it can be started");
    let said = String::from_utf8_lossy(&output.stderr);
    // Exit code 0 also says that the log replayed without a difference.
    assert_eq!(output.status.code(), Some(0), "{log}: {said}");
    serde_json::from_slice(&output.stdout).expect("JSON")
}

fn of_run(folder: &Path, run: &Run) -> Value {
    validate(folder, run.scenario, run.name, &format!("{}.costs", run.name), run.sets)
}

fn number(found: &Value, pointer: &str) -> f64 {
    found.pointer(pointer).and_then(Value::as_f64).unwrap_or_else(|| panic!("{pointer}"))
}

fn page() -> String {
    std::fs::read_to_string(home().join("docs/validation.md")).expect("there")
}

/// A figure with its sign, as the page has it.
fn signed(value: f64, digits: usize) -> String {
    format!("{value:+.digits$}").replace('-', "−")
}

/// One row of the page has the three figures of [`LIMITS`].
fn assert_in_a_row(page: &str, name: &str, [cold, p50, p95]: [f64; 3]) {
    let figures =
        [format!("{} pp", signed(cold, 2)), format!("{} %", signed(p50, 1)), format!("{} %", signed(p95, 1))];
    let row = page.lines().find(|line| figures.iter().all(|figure| line.contains(figure)));
    assert!(row.is_some(), "{name}: {figures:?} are in no row of docs/validation.md");
}

#[test]
fn predictions_are_as_good_as_the_documentation_says() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let page = page();
    for run in RUNS {
        let found = of_run(folder.path(), run);
        let count = |pointer: &str| found.pointer(pointer).and_then(Value::as_u64);
        let name = run.name;
        assert_eq!(count("/b/counts/invocations"), Some(run.invocations), "{name}");
        assert_eq!(count("/b/counts/cold"), Some(run.cold), "{name}");
        for (pointer, limit) in LIMITS {
            let off = number(&found, pointer);
            assert!(off.abs() <= limit, "{name}: {pointer} is {off}, not within {limit}");
        }
        assert!(number(&found, "/agreement/pct") >= run.alike_pct, "{name}: {}", found["agreement"]);
        assert_eq!(
            count("/divergence/left"),
            Some(0),
            "{name}: with everything as it went live all is alike"
        );
        assert!(page.contains(&format!("{name}.events.jsonl.zst")), "{name} is not in docs/validation.md");
        let [cold, p50, p95] = LIMITS.map(|(pointer, _)| number(&found, pointer));
        assert_in_a_row(&page, name, [cold, p50, p95]);
    }
}

#[test]
fn what_was_missed_on_a_machine_that_changed_is_told() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let page = page();
    for Missed { scenario, log, costs, sets, apart } in RESTLESS {
        let (log, costs) = (format!("restless/{log}"), format!("restless/{costs}"));
        let found = validate(folder.path(), scenario, &log, &costs, sets);
        for ((pointer, _), told) in LIMITS.iter().zip(apart) {
            let digits = if *pointer == LIMITS[0].0 { 2 } else { 1 };
            let (off, told) = (signed(number(&found, pointer), digits), signed(*told, digits));
            assert_eq!(off, told, "{log}: {pointer}");
        }
        assert_in_a_row(&page, &log, *apart);
        assert_eq!(found.pointer("/divergence/left").and_then(Value::as_u64), Some(0), "{log}");
    }
}

/// FaasCache's claim, in direction: where size decides, Greedy-Dual has far fewer cold starts than LRU, as predicted.
#[test]
fn greedy_dual_beats_lru_live() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let cold = |name: &str, side: &str| {
        let run = RUNS.iter().find(|run| run.name == name).expect("it is there");
        number(&of_run(folder.path(), run), &format!("/{side}/shares/cold/pct"))
    };
    for side in ["a", "b"] {
        assert!(cold("size-1500MiB", side) - cold("size-1500MiB-greedy-dual", side) > 35.0, "{side}");
        assert!(cold("freq-1250MiB", side) - cold("freq-1250MiB-greedy-dual", side) > 5.0, "{side}");
    }
}
