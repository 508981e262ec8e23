//! `faassim replay` and `faassim results rebuild` as a user sees them, on logs of runs on an imagined platform: whole, killed,
//! changed and damaged ones.

#![cfg(feature = "live")]

mod imagined;

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use faassim::pool::order;
use imagined::{case, live};

fn faassim(folder: &Path, arguments: &[&str]) -> Output {
    let binary = env!("CARGO_BIN_EXE_faassim");
    Command::new(binary).args(arguments).current_dir(folder).output().expect("it can be started")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// A log, in a folder of its own.
async fn logged(seed: u64) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let (_, log, _) = live(&case(seed), order).await;
    fs::write(folder.path().join("run.jsonl"), log).expect("writable");
    folder
}

#[tokio::test(start_paused = true)]
async fn a_whole_log_agrees_and_gives_results() {
    let folder = logged(7).await;
    let folder = folder.path();
    let replayed = faassim(folder, &["replay", "run.jsonl"]);
    assert!(replayed.status.success(), "{}", text(&replayed.stderr));
    let said = text(&replayed.stdout);
    assert!(said.contains("400 arrivals") && said.contains("all agree\n"), "{said}");

    let rebuilt = faassim(folder, &["results", "rebuild", "run.jsonl", "-o", "out", "--plot"]);
    assert!(rebuilt.status.success(), "{}", text(&rebuilt.stderr));
    let said = text(&rebuilt.stdout);
    assert!(said.lines().all(|line| line.chars().count() <= 80), "{said}");
    for wanted in
        ["live on fake", "measured", "  create ", "  run ", "dispatch lag", "ended         by itself"]
    {
        assert!(said.contains(wanted), "{wanted} is missing in\n{said}");
    }
    let table = fs::read_to_string(folder.join("out/invocations.csv")).expect("there");
    let head = table.lines().next().expect("a header");
    let phases = "measured_queued_ms,measured_create_ms,measured_address_ms,measured_init_ms,measured_run_ms,\
                  measured_logs_ms,measured_unpause_ms,measured_pause_ms,measured_remove_ms";
    assert!(head.starts_with("invocation,arrival_ms,function,outcome,start,cause,wait_ms"), "{head}");
    assert!(head.ends_with(&format!("{phases},dispatch_lag_ms,memory_used_mib,cpu_ms")), "{head}");
    assert!(folder.join("out/plots.svg").exists());

    // The folder holds its own log, from which it can be made again.
    let again = faassim(folder, &["results", "rebuild", "out", "-o", "out"]);
    assert!(again.status.success(), "{}", text(&again.stderr));
    assert_eq!(fs::read_to_string(folder.join("out/invocations.csv")).expect("there"), table);
    assert!(faassim(folder, &["replay", "out"]).status.success());
}

#[tokio::test(start_paused = true)]
async fn a_killed_run_has_its_results() {
    let folder = logged(8).await;
    let folder = folder.path();
    let whole = fs::read(folder.join("run.jsonl")).expect("there");
    // Anywhere: in the middle of a line, or of what one fact led to.
    for part in [3, 4, 5, 7] {
        let log = &whole[..whole.len() / part * (part - 2).max(1)];
        fs::write(folder.join("killed.jsonl"), log).expect("writable");
        let replayed = faassim(folder, &["replay", "killed.jsonl"]);
        assert!(replayed.status.success(), "{}", text(&replayed.stderr));
        assert!(text(&replayed.stdout).contains("up to where the run was killed"));
        let rebuilt = faassim(folder, &["results", "rebuild", "killed.jsonl", "-o", "killed"]);
        assert!(rebuilt.status.success(), "{}", text(&rebuilt.stderr));
        let said = text(&rebuilt.stdout);
        assert!(said.contains("KILLED after"), "{said}");
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_wrong_with_a_log_is_told() {
    let folder = logged(9).await;
    let folder = folder.path();
    let whole = fs::read_to_string(folder.join("run.jsonl")).expect("there");
    let said = |name: &str, content: &str, code: i32| {
        fs::write(folder.join(name), content).expect("writable");
        let output = faassim(folder, &["replay", name]);
        assert_eq!(output.status.code(), Some(code), "{}", text(&output.stderr));
        text(&output.stderr)
    };
    let head = whole.lines().next().expect("a header");

    let changed = whole.replacen(r#""reschedule":false"#, r#""reschedule":true"#, 1);
    let told = said("changed.jsonl", &changed, 1);
    assert!(told.contains("changed.jsonl:") && told.contains("another order than in the live run"), "{told}");
    assert!(told.contains("then  Run {") && told.contains("now   Run {"), "{told}");

    let told = said("empty.jsonl", "", 2);
    assert_eq!(
        told,
        "error: empty.jsonl:1: this is no event log of faassim: it is empty\n  help: a log is written by `faassim live`; \
         its first line begins with {\"log\":\n"
    );
    let told = said("other.jsonl", "{\"a\":1}\n", 2);
    assert!(
        told.contains("other.jsonl:1: this is no event log of faassim: its first line does not begin one"),
        "{told}"
    );
    let told = said("later.jsonl", &format!("{}\n", head.replacen("\"schema\":1", "\"schema\":9", 1)), 2);
    assert!(told.contains("the log is of version 9; this faassim reads version 1"), "{told}");
    let told = said("damaged.jsonl", &format!("{head}\n{{\"told\":7}}\n"), 2);
    assert!(told.contains("damaged.jsonl:2: the line is damaged"), "{told}");
    let told = said("two.jsonl", &format!("{head}\n{head}\n"), 2);
    assert!(told.contains("two.jsonl:2: a second log begins here"), "{told}");
    let lost = r#"{"told":{"t":5,"input":{"ran":["0.0",77,{"answered":"success"}]}}}"#;
    let told = said("lost.jsonl", &format!("{head}\n{lost}\n"), 2);
    assert!(told.contains("lost.jsonl:2: activation 77 never arrived"), "{told}");

    let output = faassim(folder, &["replay", "no-such.jsonl"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output.stderr).contains("no-such.jsonl: cannot be read"), "{}", text(&output.stderr));
}
