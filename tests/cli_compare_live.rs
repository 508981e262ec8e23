//! `faassim compare` with live runs as sides, on logs of runs on an imagined platform: it answers by the simulator's own
//! cost model, so that simulation and run agree on everything.

#![cfg(feature = "live")]

mod imagined;

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use faassim::compare::simulated::{Sending, simulated};
use faassim::compare::{Options, compare, logged};
use faassim::eventlog::rebuild;
use faassim::pool::order;
use faassim::trace::{Compression, write_native};
use imagined::{case, live, setup};
use serde_json::Value;

fn faassim(folder: &Path, arguments: &[&str]) -> Output {
    let binary = env!("CARGO_BIN_EXE_faassim");
    Command::new(binary).args(arguments).current_dir(folder).output().expect("it can be started")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[tokio::test(start_paused = true)]
async fn a_run_that_answers_as_the_simulator_does_differs_in_nothing() {
    for seed in 0..20 {
        let case = case(seed);
        let (_, log, _) = live(&case, order).await;
        let b = logged::logged("live", &rebuild(log.as_slice()).expect("an undamaged log"));
        let a = simulated(
            "simulated",
            &case.scenario,
            setup(&case.scenario),
            &case.trace,
            Sending::AsTraced,
            &mut (),
        );
        let a = a.expect("it fits").side;
        let found =
            compare(&[a], &[b], &Options::default()).unwrap_or_else(|error| panic!("seed {seed}: {error}"));
        let agreement = found.agreement.as_ref().expect("one workload");
        assert_eq!(agreement.pct, Some(100.0), "seed {seed}");
        // What never ended has no row in a log of its own, but was not served on either side.
        assert_eq!((agreement.matched, agreement.only_a), (400, 0), "seed {seed}");
        assert_eq!(found.differences.cold.map(|cold| cold.pp), Some(0.0), "seed {seed}");
        assert_eq!(found.differences.response_ks.map(|ks| ks.distance), Some(0.0), "seed {seed}");
        assert_eq!((found.a.created, found.a.evicted), (found.b.created, found.b.evicted), "seed {seed}");
        assert_eq!(found.a.causes, found.b.causes, "seed {seed}");
    }
}

/// A folder with the log of a run, and its scenario and trace.
async fn folder_of(seed: u64) -> (tempfile::TempDir, String) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let case = case(seed);
    let (_, log, _) = live(&case, order).await;
    let log = String::from_utf8(log).expect("JSON is text");
    fs::write(folder.path().join("run.jsonl"), &log).expect("writable");
    write_native(&case.trace, &folder.path().join("t"), Compression::None).expect("writable");
    let mut lines = case.scenario.text.lines();
    let scenario: String = lines
        .by_ref()
        .map(|line| {
            if line.trim_start().starts_with("path") {
                "path = \"t\"\n".to_owned()
            } else {
                format!("{line}\n")
            }
        })
        .collect();
    fs::write(folder.path().join("s.toml"), scenario).expect("writable");
    (folder, log)
}

fn json(output: &Output) -> Value {
    assert!(output.status.success(), "{}", text(&output.stderr));
    serde_json::from_slice(&output.stdout).expect("JSON")
}

#[tokio::test(start_paused = true)]
async fn a_scenario_sends_what_the_live_run_sent() {
    let (folder, log) = folder_of(3).await;
    let folder = folder.path();
    let found = json(&faassim(folder, &["compare", "s.toml", "run.jsonl", "--json"]));
    assert_eq!(found["agreement"]["pct"], 100.0);
    assert_eq!((&found["a"]["kind"], &found["b"]["kind"]), (&"simulation".into(), &"live run".into()));

    // A run that was killed is compared as far as it went.
    let cut = log.len() / 2;
    fs::write(folder.join("killed.jsonl"), &log[..cut]).expect("writable");
    let found = json(&faassim(folder, &["compare", "s.toml", "killed.jsonl", "--json"]));
    assert_eq!(found["agreement"]["pct"], 100.0);
    let note = found["b"]["notes"][0].as_str().expect("a note");
    assert!(note.starts_with("the run was killed after"), "{note}");
    assert!(
        found["notes"][0].as_str().expect("a note").contains("are compared; memory, containers"),
        "{found}"
    );
    let printed = faassim(folder, &["compare", "s.toml", "killed.jsonl"]);
    let said = text(&printed.stdout);
    assert!(said.contains("- the run was killed after"), "{said}");
    assert!(said.lines().all(|line| line.chars().count() <= 80), "{said}");

    // One that was killed before anything ended has nothing to compare.
    let few: String = log.lines().take(2).map(|line| format!("{line}\n")).collect();
    fs::write(folder.join("early.jsonl"), few).expect("writable");
    let early = faassim(folder, &["compare", "s.toml", "early.jsonl"]);
    assert_eq!(early.status.code(), Some(2));
    assert!(
        text(&early.stderr).contains("early.jsonl: has no invocation that ended"),
        "{}",
        text(&early.stderr)
    );

    // A damaged line is told where it is.
    let damaged: String =
        log.lines().enumerate().map(|(ix, line)| format!("{}\n", if ix == 5 { "{" } else { line })).collect();
    fs::write(folder.join("damaged.jsonl"), damaged).expect("writable");
    let damaged = faassim(folder, &["compare", "s.toml", "damaged.jsonl"]);
    assert_eq!(damaged.status.code(), Some(2));
    assert!(
        text(&damaged.stderr).contains("damaged.jsonl:6: the line is damaged"),
        "{}",
        text(&damaged.stderr)
    );
}

#[tokio::test(start_paused = true)]
async fn results_of_a_live_run_are_its_log() {
    let (folder, _) = folder_of(11).await;
    let folder = folder.path();
    let rebuilt = faassim(folder, &["results", "rebuild", "run.jsonl", "-o", "results"]);
    assert!(rebuilt.status.success(), "{}", text(&rebuilt.stderr));
    let found = json(&faassim(folder, &["compare", "results", "run.jsonl", "--json"]));
    assert_eq!(found["agreement"]["pct"], 100.0);
    assert_eq!(found["agreement"]["matched"], found["a"]["counts"]["invocations"]);
    let table = json(&faassim(folder, &["compare", "results/invocations.csv", "run.jsonl", "--json"]));
    assert_eq!(table["agreement"]["pct"], 100.0);
    assert_eq!(table["differences"]["response_ks"]["distance"], 0.0);
}

#[tokio::test(start_paused = true)]
async fn a_trace_that_has_gone_takes_only_the_causes_with_it() {
    // Of elastic pools causes are never told.
    let seed = (0..).find(|seed| case(*seed).scenario.elastic.is_none()).expect("some are not elastic");
    let (folder, _) = folder_of(seed).await;
    let folder = folder.path();
    let run = faassim(folder, &["run", "s.toml", "--invocations", "-o", "simulated"]);
    assert!(run.status.success(), "{}", text(&run.stderr));
    let compared = || faassim(folder, &["compare", "simulated", "run.jsonl", "--json"]);
    let with = compared();
    assert!(!json(&with)["divergence"].is_null(), "{}", text(&with.stderr));
    fs::rename(folder.join("t"), folder.join("elsewhere")).expect("it is there");
    let without = compared();
    let found = json(&without);
    assert!(found["divergence"].is_null() && found["agreement"]["matched"].as_u64() > Some(0));
    assert!(
        text(&without.stderr).contains("note: why decisions differ is not told"),
        "{}",
        text(&without.stderr)
    );
}
