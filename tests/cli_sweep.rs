//! `faassim sweep` and `faassim merge` as a user sees them: the same bytes however the work is divided, interrupted or
//! taken up again, and a failing run as a row.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

/// Drawn costs and failures, so that a mixed-up seed or order would show.
const SCENARIO: &str = "question = \"Which?\"\n[trace]\npath = \"TRACE\"\nlimit = 20000\n[rules]\npreset = \"ideal\"\n\
    [costs]\ncreate = { log-normal = { median = \"200 ms\", sigma = 0.5 } }\n[failures]\nrun = 0.01\n\
    [sweep]\neviction = [\"lru\", \"random\", { s3-fifo = { small = 0.2 } }]\n\
    pool.memory = \"500 MiB..2 GiB / 500 MB\"\nseed = \"1..2\"\n";

/// Two dozen runs that take a good while each.
const LONG: &str = "[trace]\npath = \"TRACE\"\nlimit = 600000\n[rules]\npreset = \"ideal\"\n\
    [sweep]\neviction = [\"lru\", \"greedy-dual\"]\npool.memory = \"20 GiB..42 GiB / 2 GiB\"\n";

fn bundled(trace: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("traces").join(trace)
}

fn folder(scenario: &str, trace: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let text = scenario.replace("TRACE", &bundled(trace).display().to_string());
    fs::write(folder.path().join("s.toml"), text).expect("writable");
    folder
}

fn command(folder: &Path, args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_faassim"));
    for variable in ["SLURM_ARRAY_TASK_ID", "JOB_COMPLETION_INDEX"] {
        command.env_remove(variable);
    }
    command.current_dir(folder).args(args).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

fn faassim(folder: &Path, args: &[&str]) -> Output {
    command(folder, args).output().expect("the binary starts")
}

/// Standard error of a command that ends with this code.
fn ends(folder: &Path, args: &[&str], code: i32) -> String {
    let output = faassim(folder, args);
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(code), "{args:?}: {text}");
    text
}

/// Everything but the journal, whose lines stand in the order in which runs ended.
fn files(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let entries = fs::read_dir(folder).expect("the results are there").map(|entry| entry.expect("readable"));
    let entries = entries.map(|entry| (entry.file_name().to_string_lossy().into_owned(), entry.path()));
    entries
        .filter(|(name, _)| name != "runs.jsonl")
        .map(|(name, path)| (name, fs::read(path).expect("readable")))
        .collect()
}

fn rows(folder: &Path) -> Vec<BTreeMap<String, String>> {
    let mut reader = csv::Reader::from_path(folder.join("runs.csv")).expect("there");
    reader.deserialize().map(|row| row.expect("a row")).collect()
}

fn finished(folder: &Path) -> usize {
    fs::read(folder.join("runs.jsonl")).map_or(0, |text| text.iter().filter(|byte| **byte == b'\n').count())
}

#[test]
fn a_sweep_is_a_table_and_a_page() {
    let folder = folder(SCENARIO, "faascache-litmus-freq");
    let output = faassim(folder.path(), &["sweep", "s.toml"]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).expect("UTF-8");
    assert!(text.contains("24 of 24 runs") && text.contains("cold %") && text.contains("1500 MiB"), "{text}");
    assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
    let results = folder.path().join("results/s-sweep");
    assert_eq!(
        files(&results).into_keys().collect::<Vec<_>>(),
        ["manifest.json", "runs.csv", "runs.parquet"]
    );
    let table = fs::read_to_string(results.join("runs.csv")).expect("there");
    let head = "run,pool.memory,memory_mib,eviction,keep_alive,rules,seed,trace,invocations,served,warm,cold,partial,";
    assert!(table.starts_with(head), "{table}");
    assert!(table.lines().next().expect("a header").ends_with(",simulated_s,error"), "{table}");
    let rows = rows(&results);
    let numbers: Vec<usize> = rows.iter().map(|row| row["run"].parse().expect("a number")).collect();
    assert_eq!(numbers, (1..=24).collect::<Vec<_>>());
    assert_eq!((rows[23]["eviction"].as_str(), rows[23]["seed"].as_str()), ("s3-fifo (small = 0.2)", "2"));
    // Each row is what `run` says.
    let args = ["--set", "eviction=random", "--set", "pool.memory=1000 MiB", "--set", "seed=2", "--json"];
    let output = faassim(folder.path(), &[&["run", "s.toml", "--no-results"], &args[..]].concat());
    let single: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let row = &rows[8 + 3];
    assert_eq!((row["pool.memory"].as_str(), row["seed"].as_str()), ("1000 MiB", "2"));
    for (column, figure) in [
        ("cold", &single["summary"]["cold"]),
        ("failed", &single["summary"]["failed"]),
        ("exec_increase_pct", &single["summary"]["exec_increase_pct"]),
        ("response_p99_ms", &single["summary"]["response_ms"]["p99"]),
        ("memory_idle_gib_s", &single["summary"]["memory"]["idle_gib_s"]),
    ] {
        let number: f64 = row[column].parse().expect("a number");
        assert_eq!(Some(number), figure.as_f64(), "{column}");
    }
}

#[test]
fn threads_and_repetition_change_no_byte() {
    let folder = folder(SCENARIO, "faascache-litmus-freq");
    let sweep = |out: &str, threads: &str| {
        ends(folder.path(), &["sweep", "s.toml", "-o", out, "--threads", threads], 0);
        files(&folder.path().join(out))
    };
    let one = sweep("one", "1");
    assert_eq!(sweep("five", "5"), one);
    let said = ends(folder.path(), &["sweep", "s.toml", "-o", "five"], 0);
    assert!(said.starts_with("nothing was left to do: 24 runs were there already\n"), "{said}");
    assert_eq!(files(&folder.path().join("five")), one);
    assert_eq!(finished(&folder.path().join("five")), 24);
}

#[test]
fn parts_make_the_whole() {
    let folder = folder(SCENARIO, "faascache-litmus-freq");
    ends(folder.path(), &["sweep", "s.toml"], 0);
    for part in ["1/3", "2/3"] {
        ends(folder.path(), &["sweep", "s.toml", "--shard", part], 0);
    }
    let parts =
        ["results/s-sweep-shard-1-of-3", "results/s-sweep-shard-2-of-3", "results/s-sweep-shard-3-of-3"];
    let said = ends(folder.path(), &["merge", parts[0], parts[1], "-o", "m"], 1);
    assert!(said.contains("8 of 24 runs missing: 3, 6, 9"), "{said}");
    ends(folder.path(), &["merge", parts[0], parts[1], "-o", "partial", "--partial"], 0);
    assert_eq!(rows(&folder.path().join("partial")).len(), 16);
    // The third part as a task of an array.
    let task = [("SLURM_ARRAY_TASK_ID", "7"), ("SLURM_ARRAY_TASK_COUNT", "3"), ("SLURM_ARRAY_TASK_MIN", "5")];
    let output = command(folder.path(), &["sweep", "s.toml"]).envs(task).output().expect("the binary starts");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(said.contains("note: this is part 3/3, says SLURM_ARRAY_TASK_ID"), "{said}");
    ends(folder.path(), &["merge", parts[2], parts[0], parts[1], "-o", "m"], 0);
    assert_eq!(files(&folder.path().join("m")), files(&folder.path().join("results/s-sweep")));
    // The whole is a sweep like any other.
    let said = ends(folder.path(), &["sweep", "s.toml", "-o", "partial"], 0);
    assert!(said.contains("16 runs were there already, 8 done now"), "{said}");
    assert_eq!(files(&folder.path().join("partial")), files(&folder.path().join("m")));
    // What does not belong together is refused.
    ends(folder.path(), &["sweep", "s.toml", "--seeds", "1..3", "--shard", "1/3", "-o", "other"], 0);
    let said = ends(folder.path(), &["merge", parts[0], "other", "-o", "m"], 2);
    assert!(
        said.contains("is part of another sweep than results/s-sweep-shard-1-of-3: what is varied differs"),
        "{said}"
    );
    let said = ends(folder.path(), &["merge", "."], 2);
    assert!(said.contains("there is no sweep in it"), "{said}");
}

#[test]
fn another_grid_keeps_what_it_shares() {
    let folder = folder(SCENARIO, "faascache-litmus-freq");
    ends(folder.path(), &["sweep", "s.toml", "--seeds", "1"], 0);
    let said = ends(folder.path(), &["sweep", "s.toml"], 0);
    assert!(said.contains("12 runs were there already, 12 done now"), "{said}");
    ends(folder.path(), &["sweep", "s.toml", "-o", "fresh"], 0);
    assert_eq!(files(&folder.path().join("results/s-sweep")), files(&folder.path().join("fresh")));
    // What was an axis may be set for all: the figures are the same, the column is gone.
    ends(folder.path(), &["sweep", "s.toml", "--set", "sweep.rules.buffer-limit=[100, 200]"], 0);
    let args = ["sweep", "s.toml", "--set", "rules.buffer-limit=200", "-o"];
    let said = ends(folder.path(), &[&args[..], &["results/s-sweep"]].concat(), 0);
    assert!(said.starts_with("nothing was left to do"), "{said}");
    ends(folder.path(), &[&args[..], &["set"]].concat(), 0);
    assert_eq!(files(&folder.path().join("results/s-sweep")), files(&folder.path().join("set")));
}

#[test]
fn a_failing_run_is_a_row() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let trace = |name: &str, invocations: &str| {
        let path = folder.path().join(name);
        fs::create_dir_all(&path).expect("writable");
        fs::write(path.join("functions.csv"), "function,memory_mb,cold_ms,warm_ms\nf,128,900,100\n")
            .expect("writable");
        fs::write(path.join("invocations.csv"), invocations).expect("writable");
    };
    trace("good", "time_ms,function\n0,f\n5000,f\n");
    trace("bad", "time_ms,function\n0,f\nsoon,f\n");
    let text =
        "[trace]\n[pool]\nmemory = \"1 GiB\"\n[sweep]\ntrace.path = [\"good\", \"bad\"]\nseed = \"1..2\"\n";
    fs::write(folder.path().join("s.toml"), text).expect("writable");
    let said = ends(folder.path(), &["sweep", "s.toml"], 1);
    assert!(said.contains("2 of 4 runs failed"), "{said}");
    assert!(
        said.contains("run 3: ") && said.contains("invocations.csv:3: column `time_ms`: `soon`"),
        "{said}"
    );
    let rows_now = rows(&folder.path().join("results/s-sweep"));
    assert_eq!(
        rows_now.iter().map(|row| row["error"].is_empty()).collect::<Vec<_>>(),
        [true, true, false, false]
    );
    assert_eq!((rows_now[3]["trace"].as_str(), rows_now[3]["cold"].as_str()), ("bad", ""));
    // What failed is tried again, the rest is kept.
    trace("bad", "time_ms,function\n0,f\n7000,f\n");
    let said = ends(folder.path(), &["sweep", "s.toml"], 0);
    assert!(said.contains("2 runs were there already, 2 done now"), "{said}");
    assert!(rows(&folder.path().join("results/s-sweep")).iter().all(|row| row["error"].is_empty()));
}

#[test]
fn the_published_simulator_takes_part() {
    let scenario = "[trace]\npath = \"TRACE\"\n[faascache-artifact]\npolicy = \"GD\"\n[sweep]\n\
        faascache-artifact.policy = [\"GD\", \"LRU\"]\npool.memory = [\"512 MB\", \"1024 MB\"]\n";
    let folder = folder(scenario, "faascache-litmus-lru");
    ends(folder.path(), &["sweep", "s.toml"], 0);
    let rows = rows(&folder.path().join("results/s-sweep"));
    assert_eq!(rows.len(), 4);
    assert_eq!((rows[2]["eviction"].as_str(), rows[2]["rules"].as_str()), ("LRU", "faascache-artifact"));
    let count = |name: &str| rows[1][name].parse::<u64>().expect("a count");
    assert_eq!(count("warm") + count("cold") + count("dropped"), count("invocations"));
    assert!(rows[1]["exec_increase_pct_published"].parse::<f64>().expect("a number") > 0.0);
}

#[test]
fn folders_of_others_are_left_alone() {
    let folder = folder(SCENARIO, "faascache-litmus-freq");
    fs::create_dir(folder.path().join("mine")).expect("writable");
    fs::write(folder.path().join("mine/thesis.tex"), "years of work").expect("writable");
    let said = ends(folder.path(), &["sweep", "s.toml", "-o", "mine"], 2);
    assert_eq!(
        said,
        "error: mine: holds something else than a sweep\n  help: name another folder with -o, or remove it first\n"
    );
    ends(folder.path(), &["sweep", "s.toml", "--seeds", "1", "-o", "sweep"], 0);
    let said = ends(folder.path(), &["run", "s.toml", "--set", "pool.memory=1 GiB", "-o", "sweep"], 2);
    assert!(said.contains("sweep holds a sweep, which one run would replace"), "{said}");
    assert!(said.contains("note: [sweep] is left out"), "{said}");
}

#[test]
fn parts_in_one_folder_make_the_whole() {
    let folder = folder(SCENARIO, "faascache-litmus-freq");
    ends(folder.path(), &["sweep", "s.toml", "-o", "whole"], 0);
    ends(folder.path(), &["sweep", "s.toml", "-o", "one", "--shard", "1/2"], 0);
    assert_eq!(rows(&folder.path().join("one")).len(), 12);
    let output = faassim(folder.path(), &["sweep", "s.toml", "-o", "one", "--shard", "2/2"]);
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(text.contains("  24 of 24 runs\n"), "{text}");
    assert_eq!(files(&folder.path().join("one")), files(&folder.path().join("whole")));
    // A part has nothing to do, and takes nothing away.
    let said = ends(folder.path(), &["sweep", "s.toml", "-o", "one", "--shard", "1/24"], 0);
    assert!(said.starts_with("nothing was left to do: 1 run was there already\n"), "{said}");
    let said = ends(folder.path(), &["sweep", "s.toml", "-o", "one", "--shard", "25/25"], 0);
    assert!(said.starts_with("nothing was left to do: there are no runs in this part\n"), "{said}");
    assert_eq!(files(&folder.path().join("one")), files(&folder.path().join("whole")));
}

#[test]
fn another_scenario_does_not_replace_a_table() {
    let folder = folder(SCENARIO, "faascache-litmus-freq");
    ends(folder.path(), &["sweep", "s.toml", "--seeds", "1", "-o", "out"], 0);
    ends(folder.path(), &["sweep", "s.toml", "--seeds", "1", "-o", "part"], 0);
    let before = files(&folder.path().join("out"));
    let text = fs::read_to_string(folder.path().join("s.toml")).expect("there").replace("Which?", "Why?");
    fs::write(folder.path().join("t.toml"), text).expect("writable");
    let said = ends(folder.path(), &["sweep", "t.toml", "--seeds", "1", "-o", "out"], 2);
    let wanted =
        "error: out: holds the sweep of another scenario, `s`, which `t` would replace\n  help: name another";
    assert!(said.starts_with(wanted), "{said}");
    ends(folder.path(), &["sweep", "t.toml", "--seeds", "1", "-o", "other"], 0);
    let said = ends(folder.path(), &["merge", "part", "-o", "other"], 2);
    assert!(said.contains("holds the sweep of another scenario, `t`"), "{said}");
    assert_eq!(files(&folder.path().join("out")), before);
}

#[test]
fn a_run_that_served_nobody_is_not_perfect() {
    let text = "[trace]\npath = \"TRACE\"\nlimit = 1000\n[rules]\npreset = \"ideal\"\n\
        [sweep]\npool.memory = [\"1 MiB\", \"4 GiB\"]\n";
    let folder = folder(text, "faascache-litmus-freq");
    let output = faassim(folder.path(), &["sweep", "s.toml"]);
    let (text, said) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(
        text.lines().any(|line| line.split_whitespace().eq(["1", "1", "MiB", "-", "100.00", "-", "0"])),
        "{text}"
    );
    let rows = rows(&folder.path().join("results/s-sweep"));
    for column in ["cold_pct", "warm_pct", "exec_increase_pct", "wait_p99_ms", "response_mean_ms"] {
        assert_eq!(rows[0][column], "", "{column}");
        assert!(rows[1][column].parse::<f64>().is_ok(), "{column}");
    }
    assert!(
        said.contains("warning: in 1 of 2 runs more than half of the invocations were dropped;"),
        "{said}"
    );
    assert!(said.contains("larger than the whole pool (run 1)\n"), "{said}");
    let output = faassim(folder.path(), &["sweep", "s.toml", "--json"]);
    let json: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert!(json[0]["cold_pct"].is_null() && json[1]["cold_pct"].is_number());
}

#[test]
fn plots_that_cannot_be_drawn_are_errors() {
    let folder = folder(SCENARIO, "faascache-litmus-freq");
    let args = ["sweep", "s.toml", "--seeds", "1", "--plot"];
    for (file, what) in [
        ("missing/p.svg", "missing/p.svg: cannot be drawn: there is no folder missing"),
        ("p.svg", "p.svg: is a folder"),
    ] {
        fs::create_dir_all(folder.path().join("p.svg")).expect("writable");
        let said = ends(folder.path(), &[&args[..], &[file]].concat(), 2);
        assert!(said.starts_with(&format!("error: {what}")), "{said}");
        assert!(!folder.path().join("results").exists(), "it was found out before the runs");
    }
    // Every run fails: there is nothing to draw.
    let trace = folder.path().join("bad");
    fs::create_dir(&trace).expect("writable");
    fs::write(trace.join("functions.csv"), "function,memory_mib,cold_ms,warm_ms\nf,x,9,1\n")
        .expect("writable");
    let said =
        ends(folder.path(), &[&args[..4], &["--set", "trace.path=bad", "-o", "o", "--plot"]].concat(), 1);
    assert!(said.contains("12 of 12 runs failed") && said.contains("every run failed\n"), "{said}");
}

// ----- interruptions -----

/// A long sweep that has finished a few runs and has others to do.
fn under_way(folder: &Path) -> Child {
    let mut child =
        command(folder, &["sweep", "s.toml", "--threads", "2"]).spawn().expect("the binary starts");
    while finished(&folder.join("results/s-sweep")) < 3 {
        assert!(
            child.try_wait().expect("it can be asked").is_none(),
            "it ended before it could be interrupted"
        );
        std::thread::sleep(Duration::from_millis(2));
    }
    child
}

/// Ends the long sweep, and compares with one that was not interrupted.
fn goes_on(folder: &Path) {
    let before = finished(&folder.join("results/s-sweep"));
    assert!((3..24).contains(&before), "{before} runs were finished");
    let said = ends(folder, &["sweep", "s.toml"], 0);
    assert!(said.contains(" were there already, "), "{said}");
    assert_eq!(finished(&folder.join("results/s-sweep")), 24, "no run was done twice");
    ends(folder, &["sweep", "s.toml", "-o", "whole"], 0);
    assert_eq!(files(&folder.join("results/s-sweep")), files(&folder.join("whole")));
}

#[test]
fn a_killed_sweep_goes_on() {
    let folder = folder(LONG, "azure392");
    let mut child = under_way(folder.path());
    child.kill().expect("it is running");
    child.wait().expect("it ends");
    // As if it had been killed while it wrote.
    let path = folder.path().join("results/s-sweep/runs.jsonl");
    let mut text = fs::read(&path).expect("there");
    text.extend(b"{\"grid\":\"00");
    fs::write(&path, text).expect("writable");
    goes_on(folder.path());
}

#[cfg(unix)]
#[test]
fn ctrl_c_keeps_what_is_done() {
    let folder = folder(LONG, "azure392");
    let child = under_way(folder.path());
    let killed =
        Command::new("kill").args(["-INT", &child.id().to_string()]).status().expect("kill is there");
    assert!(killed.success());
    let output = child.wait_with_output().expect("it ends");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(130), "{said}");
    assert!(said.contains("left to do\n  help: the same command goes on from here"), "{said}");
    let results = folder.path().join("results/s-sweep");
    assert_eq!(rows(&results).len(), finished(&results));
    goes_on(folder.path());
}

/// Stops a sweep after so long.
#[cfg(unix)]
fn interrupted(folder: &Path, args: &[&str], after: Duration) -> Output {
    let child = command(folder, args).spawn().expect("the binary starts");
    std::thread::sleep(after);
    let killed =
        Command::new("kill").args(["-INT", &child.id().to_string()]).status().expect("kill is there");
    assert!(killed.success());
    child.wait_with_output().expect("it ends")
}

#[cfg(unix)]
#[test]
fn ctrl_c_takes_no_row_away_and_makes_none() {
    let text = "[trace]\npath = \"TRACE\"\n[rules]\npreset = \"ideal\"\n[sweep]\npool.memory = [\"30 GiB\", \"40 GiB\"]\n";
    let folder = folder(text, "azure392");
    let results = folder.path().join("results/s-sweep");
    let early = ["sweep", "s.toml", "--threads", "2"];
    for after in [40, 60, 90] {
        let output = interrupted(folder.path(), &early, Duration::from_millis(after));
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        let journal = fs::read_to_string(results.join("runs.jsonl")).unwrap_or_default();
        assert!(journal.lines().all(|line| line.contains("\"error\":\"\"")), "{said}{journal}");
    }
    ends(folder.path(), &early, 0);
    let before = files(&results);
    let output = interrupted(folder.path(), &early, Duration::from_millis(60));
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.code().is_none_or(|code| code == 130 || code == 0), "{said}");
    assert_eq!(files(&results), before);
}
