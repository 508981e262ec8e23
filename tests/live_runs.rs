//! `faassim live` as a user sees it when something goes wrong, or nothing: results, replay, Ctrl-C once and twice, kill -9 and
//! what cleans up after it, a full disk, an engine that goes away. On processes wherever python3 is, on Docker where
//! an engine answers; and after each: nothing left.

#![cfg(all(feature = "live", target_os = "linux"))]

mod live_folder;

use std::fs;
use std::thread::sleep;
use std::time::{Duration, Instant};

use live_folder::{Backend, Folder, Signal, docker, text};
use serde_json::Value;

fn backends() -> Vec<Backend> {
    let mut all = vec![Backend::Process];
    all.extend(docker().then_some(Backend::Docker));
    all
}

#[test]
fn a_run_has_results_that_replay_and_leaves_nothing() {
    for backend in backends() {
        let folder = Folder::new(backend);
        let done = folder.live(&["--duration", "5 s"]).output().expect("it runs");
        assert!(done.status.success(), "{}", text(&done.stderr));
        let said = text(&done.stdout);
        assert!(said.lines().all(|line| line.chars().count() <= 80), "{said}");
        for wanted in
            ["  create ", "  address ", "  init ", "  run ", "  logs ", "nothing left", "memory used"]
        {
            assert!(said.contains(wanted), "no `{wanted}` in\n{said}");
        }
        let summary = folder.summary();
        assert_eq!(summary["live"]["replay_agrees"], Value::Bool(true));
        assert_eq!(summary["live"]["ended"]["why"], "done");
        assert_eq!(summary["summary"]["failed"], 0, "{said}");
        assert!(summary["summary"]["invocations"].as_u64().is_some_and(|many| many > 5));
        let table = fs::read_to_string(folder.path("out/invocations.csv")).expect("there");
        let used = table.lines().nth(1).and_then(|row| row.split(',').nth_back(1)).expect("a row").to_owned();
        assert!(used.parse::<f64>().is_ok_and(|mib| mib > 3.0), "{used} MiB");
        assert!(folder.faassim(&["replay", "out"]).status.success());
        let again = folder.faassim(&["results", "rebuild", "out", "-o", "again"]);
        assert!(again.status.success(), "{}", text(&again.stderr));
        assert_eq!(fs::read_to_string(folder.path("again/invocations.csv")).expect("there"), table);
        assert!(folder.faassim(&["plot", "out"]).status.success());
        assert!(!folder.path("out.events.jsonl").exists(), "it is among the results now");
        folder.nothing_left();
    }
}

#[test]
fn ctrl_c_lets_work_end_and_keeps_the_results() {
    for backend in backends() {
        let folder = Folder::new(backend);
        let run = folder.start(&[]);
        folder.wait_for_runs(3);
        run.signal(Signal::Interrupt);
        let done = run.wait(Duration::from_secs(60));
        assert_eq!(done.status.code(), Some(130), "{}", text(&done.stderr));
        let said = text(&done.stderr);
        assert!(said.contains("stopping: no more arrivals"), "{said}");
        assert!(said.contains("error: stopped by Ctrl-C; the results are of what was done"), "{said}");
        assert_eq!(folder.summary()["live"]["ended"]["why"], "stopped");
        assert!(folder.faassim(&["replay", "out"]).status.success());
        folder.nothing_left();
    }
}

#[test]
fn ctrl_c_twice_cleans_up_at_once() {
    for backend in backends() {
        let folder = Folder::new(backend);
        folder.edit("lookbusy", "30000");
        let run = folder.start(&["--set", "live.time-limit=\"40 s\""]);
        folder.wait_for_runs(3);
        sleep(Duration::from_secs(6));
        run.signal(Signal::Interrupt);
        sleep(Duration::from_millis(600));
        run.signal(Signal::Interrupt);
        let begun = Instant::now();
        let done = run.wait(Duration::from_secs(60));
        assert_eq!(done.status.code(), Some(130), "{}", text(&done.stderr));
        assert!(begun.elapsed() < Duration::from_secs(20), "a run of 30 s was not waited for");
        assert_eq!(folder.summary()["live"]["ended"]["why"], "cut-short");
        folder.nothing_left();
    }
}

#[test]
fn what_kill_9_leaves_is_removed_and_nothing_is_lost() {
    for backend in backends() {
        let folder = Folder::new(backend);
        let run = folder.start(&[]);
        folder.wait_for_runs(5);
        run.signal(Signal::Kill);
        let killed = run.wait(Duration::from_secs(10));
        assert!(killed.status.code().is_none());
        let rebuilt = folder.faassim(&["results", "rebuild", "out.events.jsonl", "-o", "killed"]);
        assert!(rebuilt.status.success(), "{}", text(&rebuilt.stderr));
        assert!(text(&rebuilt.stdout).contains("KILLED after"));
        let cleaned = folder.faassim(&["live", "--cleanup"]);
        assert!(cleaned.status.success(), "{}", text(&cleaned.stderr));
        folder.nothing_left();
        // The log of the killed run is kept when its place is needed.
        let done = folder.live(&["--duration", "1 s"]).output().expect("it runs");
        assert!(done.status.success(), "{}", text(&done.stderr));
        assert!(text(&done.stderr).contains("a run that was killed left its log; it is kept as"));
        assert!(folder.path("out.events.1.jsonl").exists());
        folder.nothing_left();
    }
}

#[test]
fn a_run_under_way_is_left_alone() {
    let folder = Folder::new(Backend::Process);
    let run = folder.start(&[]);
    folder.wait_for_runs(1);
    let second = folder.live(&["--duration", "1 s"]).output().expect("it runs");
    assert_eq!(second.status.code(), Some(2));
    assert!(text(&second.stderr).contains("another run is writing this log"), "{}", text(&second.stderr));
    let cleaned = folder.faassim(&["live", "--cleanup"]);
    assert!(cleaned.status.success());
    assert!(folder.processes() > 0, "those of a living run");
    run.signal(Signal::Interrupt);
    assert_eq!(run.wait(Duration::from_secs(60)).status.code(), Some(130));
    folder.nothing_left();
}

#[test]
fn a_full_disk_ends_the_run_and_its_containers() {
    for backend in backends() {
        let folder = Folder::new(backend);
        let done = folder.live(&["--events", "/dev/full"]).output().expect("it runs");
        let said = text(&done.stderr);
        assert_eq!(done.status.code(), Some(1), "{said}");
        assert!(
            said.contains("error: /dev/full: the event log cannot be written: No space left on device"),
            "{said}"
        );
        assert!(!folder.path("out").exists());
        folder.nothing_left();
    }
}

#[test]
fn what_a_backend_lacks_is_told() {
    let folder = Folder::new(Backend::Process);
    let done = folder.live(&[]).env("PATH", "/nowhere").output().expect("it runs");
    assert_eq!(done.status.code(), Some(2), "{}", text(&done.stderr));
    assert!(text(&done.stderr).contains("python3 cannot be started"), "{}", text(&done.stderr));
    let dead = "unix:///nowhere/docker.sock";
    let folder = Folder::new(Backend::Docker);
    let done = folder.live(&[]).env("DOCKER_HOST", dead).output().expect("it runs");
    assert_eq!(done.status.code(), Some(2), "{}", text(&done.stderr));
    assert!(text(&done.stderr).contains("/nowhere/docker.sock"), "{}", text(&done.stderr));
    // Where nothing is said, processes do.
    let folder = Folder::new(Backend::Auto);
    let done = folder.live(&["--duration", "1 s"]).env("DOCKER_HOST", dead).output().expect("it runs");
    assert!(done.status.success(), "{}", text(&done.stderr));
    assert!(text(&done.stderr).contains("note: no Docker engine answers, so actions run as processes"));
    assert!(!folder.path("out.events.jsonl").exists());
    folder.nothing_left();
}

#[test]
fn a_missing_image_is_told_before_anything_starts() {
    if !docker() {
        return;
    }
    let folder = Folder::new(Backend::Docker);
    let set = "live.images.\"python:3\"=\"faassim-test-no-such-image\"";
    let done = folder.live(&["--set", set]).output().expect("it runs");
    assert_eq!(done.status.code(), Some(2), "{}", text(&done.stderr));
    let said = text(&done.stderr);
    assert!(said.contains("image `faassim-test-no-such-image") && said.contains("build-images.sh"), "{said}");
    assert!(!folder.path("out.events.jsonl").exists());
    folder.nothing_left();
}

#[test]
fn an_engine_that_goes_away_ends_in_an_error_and_leftovers_that_are_cleaned_up() {
    if !docker() {
        return;
    }
    let folder = Folder::new(Backend::Docker);
    let proxy = live_folder::Proxy::start(&folder.path("docker.sock"));
    let run = folder.start_with(&["--duration", "8 s", "--set", "live.drain=\"5 s\""], Some(&proxy.host));
    folder.wait_for_runs(3);
    proxy.cut();
    let done = run.wait(Duration::from_secs(100));
    let said = text(&done.stderr);
    assert_eq!(done.status.code(), Some(1), "{said}");
    assert!(said.contains("left behind"), "{said}");
    let summary = folder.summary();
    assert!(summary["live"]["ended"]["leftovers"].as_array().is_some_and(|left| !left.is_empty()));
    assert!(folder.faassim(&["replay", "out"]).status.success());
    let cleaned = folder.faassim(&["live", "--cleanup"]);
    assert!(cleaned.status.success(), "{}", text(&cleaned.stderr));
    folder.nothing_left();
}

/// Actions that go wrong, by name.
const WRONG: [(&str, &str); 6] = [
    ("fine", "def main(args):\n    return {}\n"),
    ("raises", "def main(args):\n    raise RuntimeError('on purpose')\n"),
    ("silent", "import time\ndef main(args):\n    time.sleep(600)\n"),
    ("exits", "import os\ndef main(args):\n    os._exit(1)\n"),
    ("hungry", "def main(args):\n    return {'n': len(bytearray(b'x') * (400 << 20))}\n"),
    ("broken", "def main(args:\n"),
];

#[test]
fn what_goes_wrong_in_actions_has_its_class_and_leaves_nothing() {
    for backend in backends() {
        let folder = Folder::new(backend);
        folder.replace(&WRONG);
        let done = folder.live(&["--set", "live.time-limit=\"12 s\""]).output().expect("it runs");
        assert!(done.status.success(), "{}", text(&done.stderr));
        let table = fs::read_to_string(folder.path("out/invocations.csv")).expect("there");
        for (name, _) in WRONG {
            let outcomes: Vec<&str> = table
                .lines()
                .map(|row| row.split(',').collect::<Vec<_>>())
                .filter(|row| row[2] == name)
                .map(|row| row[3])
                .collect();
            let expected: &[&str] = match (name, backend) {
                ("fine", _) => &["success"],
                ("raises", _) => &["application-error"],
                // A process is told that there is no more memory, a container is killed.
                ("hungry", Backend::Process) => &["application-error", "developer-error"],
                _ => &["developer-error"],
            };
            assert_eq!(outcomes.len(), 3, "{name}:\n{table}");
            assert!(outcomes.iter().all(|outcome| expected.contains(outcome)), "{name} {outcomes:?}");
        }
        let errors = folder.summary()["live"]["measured"]["errors"].to_string();
        let mut words = vec![
            "on purpose",
            "The action exceeded its time limits of 12000 milliseconds.",
            "The action did not produce a valid response and exited unexpectedly.",
            "The action failed during initialization: ",
        ];
        if backend == Backend::Docker {
            words.push("The action exhausted its memory and was aborted.");
        }
        for words in words {
            assert!(errors.contains(words), "no `{words}` in {errors}");
        }
        assert!(folder.faassim(&["replay", "out"]).status.success());
        folder.nothing_left();
    }
}
