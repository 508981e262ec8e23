//! `faassim validate` as a user sees it: the whole loop on local processes, then on what was recorded; limits, exit codes and
//! messages. The probe alone is too long for a test: a costs file stands in for it, and a test of its own looks at its schedule.

#![cfg(all(feature = "live", target_os = "linux"))]

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;

fn faassim(folder: &Path, arguments: &[&str]) -> Output {
    let binary = env!("CARGO_BIN_EXE_faassim");
    Command::new(binary).args(arguments).current_dir(folder).output().expect("it can be started")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// A folder with a scenario of a few seconds, and costs as those of processes.
fn folder() -> tempfile::TempDir {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let path = dir.path();
    let home = Path::new(env!("CARGO_MANIFEST_DIR"));
    fs::create_dir(path.join("trace")).expect("writable");
    fs::write(
        path.join("trace/functions.csv"),
        "function,memory_mb,cold_ms,warm_ms\na,64,60,20\nb,64,60,20\nc,64,60,20\n",
    )
    .expect("writable");
    let mut calls = String::from("time_ms,function\n");
    for nth in 0..24 {
        let name = ["a", "b", "a", "c"][nth % 4];
        calls.push_str(&format!("{},{name}\n", nth * 180));
    }
    fs::write(path.join("trace/invocations.csv"), calls).expect("writable");
    let actions = home.join("actions");
    let scenario = format!(
        "[trace]\npath = \"trace\"\n[pool]\nmemory = \"128 MiB\"\n[eviction.lru]\n[keep-alive.fixed]\nkeep = \"1 min\"\n\
         [live]\nbackend = \"process\"\nmap = \"lookbusy\"\ndrain = \"20 s\"\nactions = \"{}\"\n\
         [compare]\ncold-ratio-pp = 100.0\n",
        actions.display()
    );
    fs::write(path.join("s.toml"), scenario).expect("writable");
    let costs = "[calibration]\n[costs]\ncreate = \"60 ms\"\ninit = \"trace\"\ninit-overhead = \"5 ms\"\nrun = \"trace\"\n\
                 run-overhead = \"1 ms\"\nremove = \"10 ms\"\n[costs.contention]\nprocessors = 2\ncreate = 1.0\n";
    fs::write(path.join("costs.toml"), costs).expect("writable");
    dir
}

#[test]
fn the_whole_loop_on_processes() {
    let dir = folder();
    let path = dir.path();
    let done = faassim(path, &["validate", "s.toml", "--costs", "costs.toml", "--seeds", "3"]);
    assert_eq!(done.status.code(), Some(0), "{}{}", text(&done.stdout), text(&done.stderr));
    let said = text(&done.stdout);
    for wanted in [
        "live on process",
        "orders compared: all agree",
        "predicted by 3 simulations",
        "one by one",
        "decisions",
        "cold-ratio-pp",
        "response",
    ] {
        assert!(said.contains(wanted), "{wanted:?} is missing in\n{said}");
    }
    let long = |line: &str| line.chars().count() > 80 && !line.contains(&path.display().to_string());
    assert!(!said.lines().any(long), "{said}");
    let target = path.join("results/s-validation");
    let found: Value =
        serde_json::from_str(&fs::read_to_string(target.join("comparison.json")).expect("there"))
            .expect("JSON");
    assert_eq!(found["b"]["counts"]["invocations"], 24);
    assert_eq!(found["a"]["counts"]["invocations"], 72);
    let divergence = &found["divergence"];
    assert_eq!(divergence["compared"], 24);
    assert_eq!(divergence["left"], 0, "with everything as it went live all is decided alike: {divergence}");
    for file in ["live/events.jsonl", "live/summary.json", "simulated/invocations.csv", "report.html"] {
        assert!(target.join(file).is_file(), "{file}");
    }
    let page = fs::read_to_string(target.join("report.html")).expect("there");
    assert!(page.contains("simulated and live") && page.contains("Compared"), "no comparison on the page");

    // The same again on what was recorded, with a limit that nothing keeps.
    let again = |limits: &str| {
        let mut arguments = vec!["validate", "s.toml", "--costs", "costs.toml", "--seeds", "2"];
        arguments.extend(["--live", "results/s-validation/live", "-o", "again", "--set", limits]);
        faassim(path, &arguments)
    };
    let exceeded = again("compare.ks=0.0");
    assert_eq!(exceeded.status.code(), Some(1), "{}", text(&exceeded.stdout));
    assert!(text(&exceeded.stderr).contains("ks"), "{}", text(&exceeded.stderr));
    // A cost that is set goes before the measured one, and that is said; the run is read again with it.
    let set = text(&again("costs.run=30 ms").stdout);
    assert!(
        set.contains("costs of costs.toml\n  but [costs] of the scenario goes before them: run\n"),
        "{set}"
    );
    let other = again("pool.memory=256 MiB");
    assert_eq!(other.status.code(), Some(2), "{}", text(&other.stdout));
    assert!(text(&other.stderr).contains("is a run with pool.memory = 128 MiB"), "{}", text(&other.stderr));
}

#[test]
fn what_will_not_do_is_told_before_anything_starts() {
    let dir = folder();
    let path = dir.path();
    for (folder, file) in [("page", "report.html"), ("figures", "comparison.json")] {
        fs::create_dir(path.join(folder)).expect("writable");
        fs::write(path.join(folder).join(file), "mine").expect("writable");
        let done = faassim(path, &["validate", "s.toml", "--costs", "costs.toml", "-o", folder]);
        assert_eq!(done.status.code(), Some(2), "{}", text(&done.stderr));
        assert!(text(&done.stderr).contains(file), "{}", text(&done.stderr));
        assert_eq!(fs::read_to_string(path.join(folder).join(file)).expect("there"), "mine");
    }
    for (arguments, wanted) in [
        (&["validate", "x.toml"][..], "x.toml: no such file"),
        (&["validate", "s.toml", "--costs", "cost.toml"], "cost.toml"),
        (&["validate", "s.toml", "--seeds", "0"], "--seeds"),
        (&["validate", "s.toml", "--set", "compare.cold-ratio=1"], "did you mean"),
        (&["validate", "s.toml", "--costs", "costs.toml", "--live", "nothing"], "nothing"),
    ] {
        let done = faassim(path, arguments);
        assert_eq!(done.status.code(), Some(2), "{arguments:?}: {}", text(&done.stderr));
        assert!(text(&done.stderr).contains(wanted), "{arguments:?}: {}", text(&done.stderr));
    }
}
