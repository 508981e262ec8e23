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
    log: &'static str,
    costs: &'static str,
    sets: &'static [&'static str],
    invocations: u64,
    /// Measured.
    cold: u64,
    /// Within so many percentage points the cold ratio was predicted.
    cold_pp: f64,
    /// Within so many per cent the median of responses and their 95th percentile were.
    p50_pct: f64,
    p95_pct: f64,
    /// At least so many per cent of decisions were alike.
    alike_pct: f64,
}

#[rustfmt::skip]
const RUNS: &[Run] = &[
    Run { scenario: "freq", log: "freq-750MiB", costs: "costs-of-size-1500MiB", sets: &[],
          invocations: 547, cold: 295, cold_pp: 1.0, p50_pct: 10.0, p95_pct: 20.0, alike_pct: 98.0 },
    Run { scenario: "freq", log: "freq-1250MiB", costs: "costs-of-probe-1", sets: &["pool.memory=1250 MiB"],
          invocations: 547, cold: 163, cold_pp: 1.0, p50_pct: 20.0, p95_pct: 20.0, alike_pct: 98.0 },
    Run { scenario: "size", log: "size-1500MiB", costs: "costs-of-freq-750MiB", sets: &[],
          invocations: 441, cold: 325, cold_pp: 1.0, p50_pct: 10.0, p95_pct: 20.0, alike_pct: 99.0 },
    Run { scenario: "size", log: "size-1800MiB", costs: "costs-of-probe-2",
          sets: &["pool.memory=1800 MiB", "live.speed=0.6", "live.duration=198 s"],
          invocations: 266, cold: 194, cold_pp: 1.0, p50_pct: 10.0, p95_pct: 30.0, alike_pct: 99.0 },
    Run { scenario: "azure30", log: "azure30-1GiB", costs: "costs-of-probe-2", sets: &["live.speed=0.7", "live.duration=231 s"],
          invocations: 388, cold: 135, cold_pp: 2.0, p50_pct: 50.0, p95_pct: 20.0, alike_pct: 97.0 },
];

fn home() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn recorded(name: &str) -> String {
    home().join("docs/validation").join(name).display().to_string()
}

/// What `faassim validate` finds of a recorded run, limits aside.
fn validate(folder: &Path, scenario: &str, log: &str, costs: &str, sets: &[&str]) -> Value {
    let scenario = home().join(format!("scenarios/validate-{scenario}.toml")).display().to_string();
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

fn number(found: &Value, pointer: &str) -> f64 {
    found.pointer(pointer).and_then(Value::as_f64).unwrap_or_else(|| panic!("{pointer}"))
}

#[test]
fn predictions_are_as_good_as_the_documentation_says() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let page = std::fs::read_to_string(home().join("docs/validation.md")).expect("there");
    for run in RUNS {
        let found = validate(folder.path(), run.scenario, run.log, run.costs, run.sets);
        let count = |pointer: &str| found.pointer(pointer).and_then(Value::as_u64);
        let log = run.log;
        assert_eq!(count("/b/counts/invocations"), Some(run.invocations), "{log}");
        assert_eq!(count("/b/counts/cold"), Some(run.cold), "{log}");
        for (pointer, limit) in [
            ("/differences/cold/pp", run.cold_pp),
            ("/differences/response_pct/p50", run.p50_pct),
            ("/differences/response_pct/p95", run.p95_pct),
        ] {
            let off = number(&found, pointer);
            assert!(off.abs() <= limit, "{log}: {pointer} is {off}, not within {limit}");
        }
        assert!(number(&found, "/agreement/pct") >= run.alike_pct, "{log}: {}", found["agreement"]);
        assert_eq!(count("/divergence/left"), Some(0), "{log}: with everything as it went live all is alike");
        assert!(page.contains(&format!("{log}.events.jsonl.zst")), "{log} is not in docs/validation.md");
    }
}

/// FaasCache's claim, in direction: where size decides, Greedy-Dual has far fewer cold starts than LRU.
#[test]
fn greedy_dual_beats_lru_live_where_size_decides() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let lru = validate(folder.path(), "size", "size-1500MiB", "costs-of-freq-750MiB", &[]);
    let sets = ["eviction.greedy-dual={}"];
    let dual = validate(folder.path(), "size", "size-1500MiB-greedy-dual", "costs-of-probe-1", &sets);
    let cold = |found: &Value, side: &str| number(found, &format!("/{side}/shares/cold/pct"));
    assert!(cold(&lru, "b") - cold(&dual, "b") > 15.0, "measured");
    assert!(cold(&lru, "a") - cold(&dual, "a") > 15.0, "predicted");
}
