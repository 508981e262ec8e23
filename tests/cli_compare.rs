//! `faassim compare` as a user sees it: every kind of side, what is refused and how, limits and exit codes.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;

fn home(path: &str) -> String {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path).display().to_string()
}

fn faassim(folder: &Path, args: &[&str]) -> Output {
    let binary = env!("CARGO_BIN_EXE_faassim");
    Command::new(binary).args(args).current_dir(folder).output().expect("it can be started")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// Runs `compare` and expects this exit code; what it printed and what it complained of.
fn compare(folder: &Path, args: &[&str], code: i32) -> (String, String) {
    let all: Vec<&str> = std::iter::once("compare").chain(args.iter().copied()).collect();
    let output = faassim(folder, &all);
    let (said, wrong) = (text(&output.stdout), text(&output.stderr));
    assert_eq!(output.status.code(), Some(code), "{args:?}\n{said}\n{wrong}");
    // Paths are never broken, and JSON is not for people.
    let for_people = !args.contains(&"--json");
    for line in said.lines().filter(|line| for_people && !line.contains('/')) {
        assert!(line.chars().count() <= 80, "{} columns: {line}", line.chars().count());
    }
    (said, wrong)
}

fn json(folder: &Path, args: &[&str]) -> Value {
    let all: Vec<&str> = args.iter().copied().chain(["--json"]).collect();
    serde_json::from_str(&compare(folder, &all, 0).0).expect("JSON")
}

fn refused(folder: &Path, args: &[&str], parts: &[&str]) {
    let (said, wrong) = compare(folder, args, 2);
    assert_eq!(said, "");
    for part in parts {
        assert!(wrong.contains(part), "`{part}` is missing in\n{wrong}");
    }
}

const TRACE_FUNCTIONS: &str = "function,memory_mb,cold_ms,warm_ms\na,300,500,100\nb,300,700,200\n";
const TRACE_ROWS: &str = "time_ms,function\n0,a\n1000,b\n2000,a\n3000,b\n4000,a\n5000,a\n6000,b\n7000,a\n";
const SCENARIO: &str = "[trace]\npath = \"t\"\n[pool]\nmemory = \"400 MiB\"\n[rules]\npreset = \"ideal\"\n";

/// A folder with a small trace `t` and a scenario `s.toml` whose pool has room for one container.
fn small() -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let write = |name: &str, text: &str| fs::write(folder.path().join(name), text).expect("writable");
    fs::create_dir(folder.path().join("t")).expect("writable");
    write("t/functions.csv", TRACE_FUNCTIONS);
    write("t/invocations.csv", TRACE_ROWS);
    write("s.toml", SCENARIO);
    folder
}

fn run(folder: &Path, args: &[&str]) {
    let all: Vec<&str> = std::iter::once("run").chain(args.iter().copied()).collect();
    let output = faassim(folder, &all);
    assert!(output.status.success(), "{}", text(&output.stderr));
}

// ----- measured traces -----

#[test]
fn a_scenario_against_what_was_measured_on_aws() {
    let here = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    let args = ["scenarios/aws-lambda.toml", "traces/aws-lambda-2020/2020-06-06"];
    let found = json(&here, &args);
    assert_eq!(
        (found["a"]["counts"]["cold"].as_u64(), found["b"]["counts"]["cold"].as_u64()),
        (Some(44), Some(43))
    );
    assert_eq!(found["agreement"]["matched"], 290);
    assert_eq!(found["b"]["kind"], "measured trace");
    assert_eq!(found["verdict"]["exceeded"], false);
    let (said, _) = compare(&here, &args, 0);
    for part in
        ["invocations                      290                 290", "one by one", "Cohen's kappa", "Wilson"]
    {
        assert!(said.contains(part), "{part} is missing in\n{said}");
    }
    // The same trace in the authors' form has another checksum only if its content differs: the window is the scenario's.
    let windowed =
        ["scenarios/aws-lambda.toml", "traces/aws-lambda-2020/2020-06-06", "--set", "trace.from=\"3 h\""];
    let found = json(&here, &windowed);
    assert_eq!(found["agreement"]["only_a"], 0);
    assert_eq!(found["a"]["counts"]["invocations"], found["b"]["counts"]["invocations"]);
    assert!(found["a"]["counts"]["invocations"].as_u64() < Some(290));
}

#[test]
fn every_aws_run_is_matched_call_by_call() {
    let here = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    for (run, calls, predicted, measured) in AWS {
        let set = format!("trace.path=\"{}\"", home(&format!("traces/aws-lambda-2020/{run}")));
        let trace = format!("traces/aws-lambda-2020/{run}");
        let found = json(&here, &["scenarios/aws-lambda.toml", &trace, "--set", &set]);
        let cold = |side: &str| found[side]["counts"]["cold"].as_u64().expect("a count");
        assert_eq!((cold("a"), cold("b")), (*predicted, *measured), "{run}");
        assert_eq!(found["agreement"]["matched"], *calls, "{run}");
    }
}

/// Calls, cold starts at a keep-alive of 10.5 min, cold starts measured.
const AWS: &[(&str, u64, u64, u64)] = &[
    ("2020-05-26", 1648, 32, 29),
    ("2020-05-28", 186, 62, 59),
    ("2020-06-06", 290, 44, 43),
    ("2020-06-10", 428, 29, 32),
    ("2020-06-18", 791, 22, 28),
];

#[test]
fn a_trace_without_measurements_is_refused() {
    let folder = small();
    let folder = folder.path();
    refused(
        folder,
        &["s.toml", "t"],
        &["error: t: the trace tells nothing that was measured", "name a scenario"],
    );
}

// ----- simulations -----

#[test]
fn results_agree_with_their_scenario_with_and_without_a_table() {
    let folder = small();
    let folder = folder.path();
    run(folder, &["s.toml", "--invocations", "-o", "with"]);
    run(folder, &["s.toml", "-o", "without"]);
    for side in ["with", "without"] {
        let found = json(folder, &[side, "s.toml"]);
        assert_eq!(found["agreement"]["pct"], 100.0, "{side}");
        assert_eq!(found["agreement"]["matched"], 8);
        assert_eq!(
            found["a"]["counts"]["cold"], 7,
            "a and b drive each other out, but for one pair of calls of a"
        );
        assert_eq!(found["differences"]["response_ks"]["distance"], 0.0);
        assert_eq!(found["differences"]["created_pct"], 0.0);
        assert_eq!(found["differences"]["memory"]["mean_absolute_mib"].as_f64().unwrap_or(0.0), 0.0);
        assert_eq!(found["a"]["causes"], found["b"]["causes"]);
        assert_eq!(found["a"]["causes"][3]["cause"], "evicted");
        assert_eq!(found["a"]["kind"], "simulation");
    }
    // Another pool: nothing is evicted.
    let found = json(folder, &["without", "s.toml", "--set", "pool.memory=\"1 GiB\""]);
    assert_eq!((&found["a"]["counts"]["cold"], &found["b"]["counts"]["cold"]), (&7.into(), &2.into()));
    assert_eq!(found["a"]["evicted"], 6.0);
    assert_eq!(found["b"]["evicted"], 0.0);
    assert_eq!(found["differences"]["evicted_pct"], Value::Null, "of none");
    let functions: Vec<(&str, f64)> = found["functions"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|one| (one["function"].as_str().expect("text"), one["cold_starts"].as_f64().expect("a number")))
        .collect();
    assert_eq!(functions, [("a", 3.0), ("b", 2.0)]);
    let (said, _) = compare(folder, &["without", "s.toml", "--functions", "1"], 0);
    assert!(said.contains("… and 1 more, whose cold starts differ less: --functions all"), "{said}");
}

#[test]
fn results_that_cannot_be_made_again_say_why() {
    let folder = small();
    let folder = folder.path();
    run(folder, &["s.toml", "-o", "r"]);
    let rows = |text: &str| fs::write(folder.join("t/invocations.csv"), text).expect("writable");
    rows(&TRACE_ROWS.replace("7000,a", "7500,a"));
    let help = "run it again with --invocations";
    refused(
        folder,
        &["r", "s.toml"],
        &["r/manifest.json: the results have no table", "is not the one they were made from", help],
    );
    fs::rename(folder.join("t"), folder.join("gone")).expect("renamed");
    refused(folder, &["r", "r"], &["there is no trace at `t`", help]);
    fs::rename(folder.join("gone"), folder.join("t")).expect("renamed");
    rows(TRACE_ROWS);
    let summary = folder.join("r/summary.json");
    let was = fs::read_to_string(&summary).expect("there");
    fs::write(&summary, was.replace("\"cold\": 7,", "\"cold\": 6,")).expect("writable");
    refused(folder, &["r", "s.toml"], &["made again they differ: 6 cold starts then, 7 now", help]);
    fs::write(&summary, "{").expect("writable");
    refused(folder, &["r", "s.toml"], &["r/summary.json: cannot be read, or is no summary"]);
    fs::write(folder.join("r/manifest.json"), "{\"faassim\": \"1\"}").expect("writable");
    refused(folder, &["r", "s.toml"], &["r/manifest.json: is no manifest of a run"]);
}

#[test]
fn different_traces_are_compared_only_when_asked_for() {
    let folder = small();
    let folder = folder.path();
    fs::create_dir(folder.join("u")).expect("writable");
    fs::write(folder.join("u/functions.csv"), TRACE_FUNCTIONS.replace("\nb,", "\nbb,")).expect("writable");
    fs::write(folder.join("u/invocations.csv"), TRACE_ROWS.replace(",b", ",bb")).expect("writable");
    fs::write(folder.join("u.toml"), SCENARIO.replace("\"t\"", "\"u\"")).expect("writable");
    refused(
        folder,
        &["s.toml", "u.toml"],
        &["the sides are of different traces: s.toml is of", "--different-workloads"],
    );
    let (said, _) = compare(folder, &["s.toml", "u.toml", "--different-workloads"], 0);
    for part in
        ["note: the sides are of different workloads", "not invoked on B: 1 of A's functions", "  b, 3 calls"]
    {
        assert!(said.contains(part), "{part} is missing in\n{said}");
    }
    assert!(!said.contains("one by one"), "{said}");
    let limited = ["s.toml", "u.toml", "--different-workloads", "--limit", "kappa=0.5"];
    let (_, wrong) = compare(folder, &limited, 1);
    assert!(
        wrong.contains("kappa is limited to 0.5, but not known: the sides were not compared one by one"),
        "{wrong}"
    );
}

// ----- limits -----

#[test]
fn limits_come_from_the_scenario_and_decide_the_exit_code() {
    let folder = small();
    let folder = folder.path();
    let limited = format!("{SCENARIO}[compare]\ncold_ratio_pp = 1.0\nkappa = 0.5\n");
    fs::write(folder.join("limited.toml"), limited).expect("writable");
    let (said, _) = compare(folder, &["limited.toml", "s.toml"], 0);
    assert!(said.contains("verdict         cold-ratio-pp         0.000  at most 1          ok"), "{said}");
    // 7 of 8 against 2 of 8.
    run(folder, &["s.toml", "--set", "pool.memory=\"1 GiB\"", "-o", "large"]);
    for sides in [["limited.toml", "large"], ["large", "limited.toml"]] {
        let (said, wrong) = compare(folder, &sides, 1);
        assert!(said.contains("cold-ratio-pp        62.500  at most 1          EXCEEDED"), "{said}");
        assert!(wrong.contains("error: cold-ratio-pp is 62.500; the most is 1\n"), "{wrong}");
        assert!(wrong.contains("error: kappa is") && wrong.contains("2 errors"), "{wrong}");
    }
    let given = ["limited.toml", "large", "--limit", "cold_ratio_pp=70", "--set", "compare.kappa=0"];
    let (said, _) = compare(folder, &given, 0);
    assert!(said.contains("at most 70         ok") && said.contains("at least 0          ok"), "{said}");
    refused(
        folder,
        &["s.toml", "s.toml", "--limit", "kapa=1"],
        &["error: --limit: unknown key `kapa` in [compare]\n  help: did you mean `kappa`?"],
    );
    refused(
        folder,
        &["s.toml", "s.toml", "--limit", "ks=3"],
        &["--limit: compare.ks: expected a number from 0 to 1, found the number 3"],
    );
    refused(
        folder,
        &["large", "large", "--set", "seed=2"],
        &["error: --set seed: neither side is a scenario"],
    );
    let reference = faassim(folder, &["check", "--reference"]);
    assert!(text(&reference.stdout).contains("cold-ratio-pp    most difference of the cold ratios"));
}

#[test]
fn results_are_written_and_nothing_else_is_replaced() {
    let folder = small();
    let folder = folder.path();
    run(folder, &["s.toml", "-o", "r"]);
    refused(
        folder,
        &["s.toml", "s.toml", "-o", "r"],
        &["r holds other results, which a comparison would replace"],
    );
    let args = ["r", "s.toml", "--set", "pool.memory=\"1 GiB\"", "-o", "c"];
    let (_, told) = compare(folder, &args, 0);
    assert!(told.contains("results are in c"), "{told}");
    let read = |name: &str| fs::read_to_string(folder.join("c").join(name)).expect("there");
    let first = (read("comparison.json"), read("functions.csv"), read("manifest.json"));
    compare(folder, &args, 0);
    assert_eq!(
        first,
        (read("comparison.json"), read("functions.csv"), read("manifest.json")),
        "the same bytes"
    );
    assert!(first.1.starts_with("function,a_invocations,a_warm,a_partial,a_cold,"), "{}", first.1);
    assert_eq!(first.1.lines().count(), 3);
    assert!(first.2.contains("faassim compare r s.toml --set 'pool.memory=\\\"1 GiB\\\"'"), "{}", first.2);
    let found: Value = serde_json::from_str(&first.0).expect("JSON");
    assert_eq!(found["b"]["counts"]["cold"], 2);
    refused(folder, &["c", "s.toml"], &["c: holds a comparison, not a run"]);
}

#[test]
fn repeated_runs_have_bootstrap_intervals() {
    let folder = small();
    let folder = folder.path();
    for (name, memory) in [("r1", "400 MiB"), ("r2", "1 GiB"), ("r3", "1 GiB")] {
        run(folder, &["s.toml", "--set", &format!("pool.memory=\"{memory}\""), "-o", name]);
    }
    let args = ["s.toml", "r1", "--repeat-b", "r2", "--repeat-b", "r3"];
    let found = json(folder, &args);
    assert_eq!(found, json(folder, &args));
    assert_eq!(found["b"]["shares"]["method"], "bootstrap");
    assert_eq!(found["b"]["counts"]["invocations"], 24);
    assert_eq!(found["agreement"]["matched"], 24);
    let cold = &found["b"]["shares"]["cold"];
    assert_eq!((cold["low"].as_f64(), cold["high"].as_f64()), (Some(25.0), Some(87.5)));
    let (said, _) = compare(folder, &args, 0);
    assert!(said.contains("runs of B agree with each other on"), "{said}");
    let single =
        said.lines().skip_while(|line| *line != "single runs                        A                   B");
    let cold = single.clone().nth(1).unwrap_or_else(|| panic!("single runs are told: {said}"));
    assert_eq!(cold, "  cold                       87.50 %  25.00 % to 87.50 %                within");
}

// ----- tables -----

#[test]
fn tables_of_any_origin_are_read() {
    let folder = small();
    let folder = folder.path();
    let rows = "number,action,is_cold,response_ms\n1,b,1,700\n0,a,1,500.5\n2,a,0,\n3,b,,\n";
    fs::write(folder.join("t.csv"), rows).expect("writable");
    let found = json(folder, &["s.toml", "t.csv"]);
    assert_eq!(found["agreement"]["matrix"][2], serde_json::json!([1, 0, 2, 1]));
    assert_eq!(found["b"]["kind"], "table");
    assert_eq!(found["b"]["response_ms"]["count"], 2);
    let note = found["notes"][0].as_str().expect("a note");
    assert!(note.starts_with("A has 8 invocations and B 4: the first 4"), "{note}");
}

#[test]
fn tables_that_are_wrong_are_told_with_line_and_column() {
    let folder = small();
    let folder = folder.path();
    for (table, parts) in [
        (
            "invocation,function\n0,a\n",
            vec!["t.csv:1: no column `start`", "`start` (cold, warmed, …) or `is_cold`"],
        ),
        (
            "invocation,functoin,start\n0,a,cold\n",
            vec!["t.csv:1: no column `function`", "did you mean `functoin`"],
        ),
        (
            "invocation,function,start\n0,a,could\n",
            vec!["t.csv:2: column `start`: `could` is no start state", "did you mean `cold`?"],
        ),
        (
            "invocation,function,start\nx,a,cold\n",
            vec!["t.csv:2: column `invocation`: `x` is not a whole number"],
        ),
        ("invocation,function,is_cold\n0,a,maybe\n", vec!["t.csv:2: column `is_cold`: `maybe` does not say"]),
        (
            "invocation,function,start\n0,a,cold\n1,a,warm\n0,a,warm\n",
            vec!["t.csv:4: invocation 0 is there twice, first in line 2"],
        ),
        (
            "invocation,function,start,response_ms\n0,a,cold,-4\n",
            vec!["t.csv:2: column `response_ms`: `-4` is negative"],
        ),
        (
            "invocation,function,start,cause\n0,a,cold,fate\n",
            vec!["t.csv:2: column `cause`: `fate` is no cause"],
        ),
        ("invocation,function,start\n0,a\n", vec!["t.csv:2: 2 fields, but the header names 3 columns"]),
        ("invocation,function,start\n", vec!["t.csv: has no invocation that ended"]),
        ("invocation,function,start\n0,b,cold\n", vec!["invocation 0 is of `a` in s.toml, of `b` in t.csv"]),
        ("invocation,function,start\n99,a,cold\n", vec!["no invocation of s.toml has a counterpart"]),
    ] {
        fs::write(folder.join("t.csv"), table).expect("writable");
        refused(folder, &["s.toml", "t.csv"], &parts);
    }
}

// ----- what is no side -----

#[test]
fn what_cannot_be_compared_says_so() {
    let folder = small();
    let folder = folder.path();
    let write = |name: &str, text: &str| fs::write(folder.join(name), text).expect("writable");
    refused(
        folder,
        &["s.toml", "s.tmol"],
        &["error: s.tmol: there is no such file or folder\n  help: did you mean `s.toml`?"],
    );
    refused(
        folder,
        &["nothing-like-it", "s.toml"],
        &["help: a side is a scenario (.toml), a results folder"],
    );
    write(
        "published.toml",
        "[trace]\npath = \"t\"\n[pool]\nmemory = \"1 GiB\"\n[faascache-artifact]\npolicy = \"GD\"\n",
    );
    refused(
        folder,
        &["published.toml", "s.toml"],
        &["published.toml: the published simulator tells nothing of single"],
    );
    fs::create_dir(folder.join("sweep")).expect("writable");
    write("sweep/runs.csv", "");
    refused(folder, &["sweep", "s.toml"], &["sweep: holds a sweep, not one run"]);
    write("odd.jsonl", "{}\n");
    refused(folder, &["odd.jsonl", "s.toml"], &["odd.jsonl:1: this is no event log"]);
    write("bad.toml", "[pool]\n");
    refused(folder, &["bad.toml", "s.toml"], &["bad.toml: [trace] is missing"]);
    write(
        "late.toml",
        &format!("{SCENARIO}[keep-alive.fixed]\nkeep = \"1 s\"\n")
            .replace("path = \"t\"", "path = \"t\"\nfrom = \"1 h\""),
    );
    refused(
        folder,
        &["late.toml", "s.toml"],
        &["no invocation of the trace lies between `from` and `until`"],
    );
}

// ----- the OpenWhisk cluster -----

const CLUSTER: &str = "traces/openwhisk-cluster-2021";

#[test]
fn a_cluster_is_seen_by_its_clients_and_by_each_invoker() {
    let here = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    let (sharding, robin) = (format!("{CLUSTER}:sharding"), format!("{CLUSTER}:60-RoundRobinLB"));
    let found = json(&here, &[&sharding, &robin, "--different-workloads"]);
    // As summary.csv of the source has it; 8 of its containers are the invokers' own tests.
    assert_eq!(found["a"]["counts"]["invocations"], 3844);
    assert_eq!(found["a"]["counts"]["cold"], 340);
    assert_eq!(found["b"]["counts"]["invocations"], 1514);
    assert_eq!(found["b"]["counts"]["cold"], 641);
    assert_eq!(found["a"]["created"], 364.0 - 8.0);
    let low = found["differences"]["cold"]["high"].as_f64().expect("an interval");
    assert!(low < -30.0, "round robin has far more cold starts: {low}");
    refused(&here, &[&sharding, &robin], &["the sides are of different workloads"]);

    let invoker = format!("{CLUSTER}:sharding:1");
    let found = json(&here, &[&invoker, &invoker]);
    let counts = &found["a"]["counts"];
    assert_eq!((&counts["warm"], &counts["cold"]), (&91.into(), &(51 + 91).into()));
    assert_eq!(found["a"]["created"], 128.0);
    let notes = found["a"]["notes"].to_string();
    assert!(notes.contains("91 starts evicted others to make room; 113 containers were removed"), "{notes}");
}

#[test]
fn runs_and_invokers_that_are_not_there_are_told() {
    let here = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    let with = |rest: &str| format!("{CLUSTER}{rest}");
    refused(
        &here,
        &[&with(""), &with(":sharding")],
        &["holds several runs of a cluster", ":RUN:INVOKER", "60-RoundRobinLB"],
    );
    refused(
        &here,
        &[&with(":60-RoundRobinLV"), &with(":sharding")],
        &["`60-RoundRobinLV` is no run", "did you mean `60-RoundRobinLB`?"],
    );
    refused(&here, &[&with(":Load"), &with(":sharding")], &["`Load` is more than one run"]);
    let lost = with(":RandomForward:4");
    refused(&here, &[&lost, &lost], &["has no log of invoker `4`", "there are logs of 0, 1, 2, 3, 5, 6, 7"]);
    let found = json(&here, &[&with(":RandomForward"), &with(":RandomForward")]);
    assert!(found["a"]["notes"].to_string().contains("no log of invoker 4"), "{}", found["a"]["notes"]);
    assert_eq!(found["a"]["created"], Value::Null);
}
