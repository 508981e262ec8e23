//! `faassim calibrate openwhisk` as a user sees it: real logs and their known phase table, logs with counters of the
//! FaasCache fork, damaged and foreign files, large ones.

use std::fmt::Write as _;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use faassim::compare::{Class, SideKind};
use faassim::openwhisk::digest::read_log;
use faassim::openwhisk::logs::faascache_counter_message;
use faassim::openwhisk::side::openwhisk_side;
use faassim::scenario::{Engine, Scenario, Start};
use serde_json::Value;

fn logs() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/openwhisk/logs")
}

fn excerpt(name: &str) -> String {
    logs().join(name).display().to_string()
}

fn faassim(folder: &Path, args: &[&str]) -> Output {
    let args = [&["calibrate", "openwhisk"], args].concat();
    Command::new(env!("CARGO_BIN_EXE_faassim")).current_dir(folder).args(args).output().expect("it starts")
}

/// What is printed by a command that succeeds.
fn works(folder: &Path, args: &[&str]) -> (String, String) {
    let output = faassim(folder, args);
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("UTF-8");
    let (stdout, stderr) = (text(output.stdout), text(output.stderr));
    assert!(output.status.success(), "{args:?}: {stderr}");
    (stdout, stderr)
}

fn fails(folder: &Path, args: &[&str], code: i32) -> String {
    let output = faassim(folder, args);
    let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(code), "{args:?}: {stderr}");
    assert_eq!(String::from_utf8_lossy(&output.stdout), "", "nothing on standard output");
    stderr
}

fn folder() -> tempfile::TempDir {
    tempfile::tempdir().expect("a temporary folder")
}

fn all_three() -> [String; 3] {
    ["cold1.log", "cold2.log", "warm.log"].map(excerpt)
}

#[test]
fn the_phase_table_of_real_logs_is_as_known() {
    let known = fs::read_to_string(logs().join("phases.json")).expect("bundled");
    let known: Value = serde_json::from_str(&known).expect("JSON");
    for (name, table) in known.as_object().expect("a table per log") {
        let mut tables = Vec::new();
        let log = logs().join(format!("{name}.log"));
        let digest = read_log(&[log], false, &(), &mut |activation, _| tables.push(activation.phase_table()));
        let digest = digest.unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(tables, std::slice::from_ref(table), "{name}");
        // Every field is there, also those that are null, and no other.
        for (group, fields) in
            table.as_object().expect("groups").iter().filter(|(_, value)| value.is_object())
        {
            let keys = |value: &Value| -> Vec<String> {
                let mut keys: Vec<String> = value.as_object().expect("fields").keys().cloned().collect();
                keys.sort();
                keys
            };
            assert_eq!(keys(&tables[0][group]), keys(fields), "{name}, {group}");
        }
        assert_eq!((digest.fates.complete, digest.fates.incomplete), (1, 0), "{name}");
    }
    assert_eq!(known.as_object().map(serde_json::Map::len), Some(3));
}

#[test]
fn real_logs_give_tables_costs_and_invocations() {
    let folder = folder();
    let [a, b, c] = all_three();
    let outputs = ["-o", "costs.toml", "--invocations", "inv.csv", "--activations", "act.jsonl"];
    let (text, told) = works(folder.path(), &[&[a.as_str(), &b, &c], &outputs[..]].concat());
    assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
    for part in [
        "lines         114 in 3 files, 111 of OpenWhisk's",
        "  foreign     3 of libraries",
        "time          2022-04-15 06:04:39.086 to 2022-04-15 07:08:37.348 UTC (64.0 min)",
        "activations   3 complete\n",
        "containers    2 created",
        "cold (2)                     count   mean ms      p50      p95      max  errors",
        "    docker pull                  2    3646.0     3152     4140     4140",
        "  init                           2     436.5      422      451      451",
        "warmed (1)",
        "    docker unpause               1      60.0       60       60       60",
        "  = response                     1      82.0       82       82       82",
    ] {
        assert!(text.contains(part), "{part} is missing in\n{text}");
    }
    assert_eq!(told, "inv.csv: 3 invocations\ncosts.toml: costs\n");

    let table = fs::read_to_string(folder.path().join("inv.csv")).expect("written");
    let first = "invocation,arrival_ms,function,outcome,start,cause,wait_ms,init_ms,duration_ms,response_ms,activation\n\
                 0,0,hello,success,cold,,4650,422,426,5081,ca09d1cf2f534ee389d1cf2f531ee34a\n1,";
    assert!(table.starts_with(first), "{table}");
    let last = table.lines().last().expect("rows");
    assert_eq!(last, "2,3838010,hello,success,warmed,,71,,10,82,cb9e791fec2640a19e791fec2600a1e1");

    let lines = fs::read_to_string(folder.path().join("act.jsonl")).expect("written");
    let lines: Vec<Value> = lines.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    assert_eq!((lines.len(), &lines[2]["start_state"]), (3, &Value::from("warmed")));
    assert_eq!(lines[0]["action"], "alftest/hello");

    // A scenario reads the costs.
    let costs = fs::read_to_string(folder.path().join("costs.toml")).expect("written");
    let (_, table) = costs.split_once("\n[costs]\n").expect("a table of costs");
    let text = format!("[trace]\npath = \"t\"\n[pool]\nmemory = \"1 GiB\"\n[costs]\n{table}");
    let scenario =
        Scenario::from_text(Path::new("a.toml"), text, &[]).unwrap_or_else(|e| panic!("{e}\n{costs}"));
    let Engine::Pool(setup) = scenario.engine else { panic!("the usual engine") };
    assert!(matches!(setup.costs.of("hello").start, Start::Phases(_)));
    assert_eq!(setup.costs.general.unpause.to_string(), "60 ms");
    let names: Vec<String> = fs::read_dir(folder.path())
        .expect("readable")
        .flatten()
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .collect();
    assert_eq!(names.len(), 3, "nothing temporary is left: {names:?}");
}

#[test]
fn json_has_what_the_text_says_and_order_and_packing_do_not_matter() {
    let folder = folder();
    let [a, b, c] = all_three();
    let (json, _) = works(folder.path(), &[&a, &b, &c, "--json"]);
    let json: Value = serde_json::from_str(&json).expect("JSON");
    assert_eq!(json["starts"]["cold"]["phases"]["docker_pull"]["max_ms"], 4140);
    assert_eq!(json["starts"]["warmed"]["phases"]["response"]["p50_ms"], 82);
    assert_eq!((&json["lines"]["all"], &json["lines"]["library"]), (&Value::from(114), &Value::from(3)));
    assert_eq!(json["counters"], Value::Null);

    let packed = folder.path().join("cold2.log.zst");
    fs::write(&packed, zstd::encode_all(&fs::read(&b).expect("bundled")[..], 3).expect("packed"))
        .expect("written");
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    gzip.write_all(&fs::read(&a).expect("bundled")).expect("packed");
    fs::write(folder.path().join("cold1.log.gz"), gzip.finish().expect("packed")).expect("written");
    let (plain, _) = works(folder.path(), &[&a, &b, &c]);
    let (packed, _) = works(folder.path(), &[&c, "cold2.log.zst", "cold1.log.gz"]);
    assert_eq!(plain, packed);

    let mut child = Command::new(env!("CARGO_BIN_EXE_faassim"))
        .args(["calibrate", "openwhisk", "-", &b, &c])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("it starts");
    child.stdin.take().expect("piped").write_all(&fs::read(&a).expect("bundled")).expect("it reads");
    let output = child.wait_with_output().expect("it ends");
    assert_eq!(String::from_utf8_lossy(&output.stdout), plain);
}

/// Counter and placement lines of a fork's pool; which of the two, and the starts as `(action, cold)`.
fn fork_log(starts: &[(&str, bool)], with_counters: bool, with_placements: bool) -> String {
    let mut log = String::new();
    let mut maps: [Vec<(String, u64)>; 2] = Default::default();
    for (nth, (action, cold)) in starts.iter().enumerate() {
        let map = &mut maps[usize::from(!cold)];
        let key = format!("ns/{action}@0.0.1");
        match map.iter_mut().find(|(known, _)| *known == key) {
            Some((_, count)) => *count += 1,
            None => map.push((key, 1)),
        }
        let time = format!("2022-04-15T06:{:02}:{:02}.{:03}Z", nth / 60 % 60, nth % 60, nth % 1_000);
        if with_counters {
            let sum = |map: &[(String, u64)]| map.iter().map(|(_, count)| count).sum();
            let message = faascache_counter_message(sum(&maps[0]), sum(&maps[1]), &maps[0], &maps[1]);
            let _ = writeln!(log, "[{time}] [INFO] [#tid_sid_unknown] [ContainerPool] {message}");
        }
        if with_placements {
            let state = if *cold { "cold" } else { "warmed" };
            let _ = writeln!(
                log,
                "[{time}] [INFO] [#tid_t{nth}] [ContainerPool] containerStart containerState: {state} container: None \
                 activations: 1 of max 1 action: {action} namespace: ns activationId: id{nth} \
                 [marker:invoker_containerStart.{state}_counter:9]"
            );
            for (text, marker) in [
                (format!("sending arguments to /ns/{action} at ContainerId(c{action}) A"), "start:12"),
                ("running result: ok".to_owned(), "finish:20:8"),
            ] {
                let marker = format!("[marker:invoker_activationRun_{marker}]");
                let _ = writeln!(log, "[{time}] [INFO] [#tid_t{nth}] [DockerContainer] {text} {marker}");
            }
        }
    }
    log
}

const STARTS: [(&str, bool); 5] = [("a", true), ("a", false), ("b", true), ("a", false), ("b", false)];

#[test]
fn counters_alone_give_invocations() {
    let folder = folder();
    fs::write(folder.path().join("fork.log"), fork_log(&STARTS, true, false)).expect("written");
    let (text, told) = works(folder.path(), &["fork.log", "--invocations", "inv.csv"]);
    assert!(text.contains("counters of the FaasCache fork\n  lines                          5\n"), "{text}");
    assert!(text.contains("  cold starts                    2  since the first line\n"), "{text}");
    assert!(
        told.contains("note: 5 invocations are from counter lines: arrivals are the times of placement"),
        "{told}"
    );
    let table = fs::read_to_string(folder.path().join("inv.csv")).expect("written");
    let rows: Vec<&str> = table.lines().skip(1).collect();
    assert_eq!(
        rows,
        [
            "0,0,a,,cold,,,,,,",
            "1,1001,a,,warmed,,,,,,",
            "2,2002,b,,cold,,,,,,",
            "3,3003,a,,warmed,,,,,,",
            "4,4004,b,,warmed,,,,,,"
        ]
    );
    let error = fails(folder.path(), &["fork.log", "-o", "costs.toml"], 1);
    assert!(
        error.contains("costs.toml: no phase of any activation was measured; it was not written"),
        "{error}"
    );
}

#[test]
fn counters_and_placement_lines_agree_or_it_is_said() {
    let folder = folder();
    let both = fork_log(&STARTS, true, true);
    fs::write(folder.path().join("both.log"), &both).expect("written");
    let (text, told) = works(folder.path(), &["both.log", "--invocations", "inv.csv"]);
    assert!(text.contains("  checked against                5  placement lines, all agree"), "{text}");
    assert_eq!(told, "inv.csv: 5 invocations\n");
    let table = fs::read_to_string(folder.path().join("inv.csv")).expect("written");
    assert!(table.contains("\n2,2002,b,success,cold,,12,,8,20,id2\n"), "{table}");

    let wrong = both.replacen("containerState: warmed", "containerState: cold", 1);
    fs::write(folder.path().join("wrong.log"), wrong).expect("written");
    let (text, told) = works(folder.path(), &["wrong.log"]);
    assert!(text.contains("placement lines, 1 DISAGREE"), "{text}");
    assert!(told.contains("note: 1 placement line not as the counters say"), "{told}");
}

#[test]
fn what_never_ended_keeps_its_number() {
    let folder = folder();
    let whole = fs::read_to_string(excerpt("cold2.log")).expect("bundled");
    let lines: Vec<&str> = whole.lines().collect();
    let cut = folder.path().join("cut.log");
    fs::write(&cut, lines[..lines.len() / 2].join("\n") + "\n").expect("written");
    let paths = [PathBuf::from(excerpt("cold1.log")), cut, PathBuf::from(excerpt("warm.log"))];
    let (side, digest) = openwhisk_side("excerpts", &paths, &()).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!((digest.fates.complete, digest.fates.incomplete), (2, 1));
    let numbers: Vec<u64> = side.invocations.iter().map(|invocation| invocation.number).collect();
    assert_eq!(numbers, [0, 2]);
    let table = faassim::openwhisk::side::invocation_table(&digest);
    let mut text = Vec::new();
    table.write_csv(&mut text).expect("in memory");
    let text = String::from_utf8(text).expect("UTF-8");
    assert!(text.lines().nth(2).is_some_and(|row| row.starts_with("2,")), "{text}");
}

#[test]
fn a_log_is_never_replaced_by_what_is_read_from_it() {
    let folder = folder();
    let log = fork_log(&STARTS, true, true);
    fs::write(folder.path().join("a.log"), &log).expect("written");
    for option in ["--invocations", "--activations"] {
        let error = fails(folder.path(), &["a.log", option, "./a.log"], 2);
        assert!(error.contains("./a.log: is one of the logs"), "{error}");
    }
    fs::write(folder.path().join("notes.toml"), "mine = 1\n").expect("written");
    let error = fails(folder.path(), &["a.log", "-o", "notes.toml"], 2);
    assert!(error.contains("notes.toml: is there already, and is no costs file"), "{error}");
    assert_eq!(fs::read_to_string(folder.path().join("a.log")).expect("there"), log);
}

#[test]
fn a_log_is_a_side_of_a_comparison() {
    let paths = all_three().map(PathBuf::from);
    let (side, digest) = openwhisk_side("excerpts", &paths, &()).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!((side.label.as_str(), side.kind), ("excerpts", SideKind::OpenWhisk));
    assert_eq!((side.created, side.evicted, digest.rows.len()), (Some(2), None, 3));
    let classes: Vec<Class> = side.invocations.iter().map(|invocation| invocation.class).collect();
    assert_eq!(classes, [Class::Cold, Class::Cold, Class::Warm]);
    let last = side.invocations[2];
    assert_eq!((last.number, last.arrival.0, last.failed), (2, 3_838_010_000, false));
    assert_eq!(last.response.map(|span| span.0), Some(82_000));
    assert_eq!((side.functions, side.notes), (vec!["hello".to_owned()], Vec::<String>::new()));
}

#[test]
fn equal_names_are_told_apart_by_namespace() {
    let folder = folder();
    let log = fork_log(&[("a", true), ("b", true)], false, true).replacen("/ns/a at", "/ns/pkg/b at", 1);
    fs::write(folder.path().join("a.log"), log).expect("written");
    works(folder.path(), &["a.log", "--invocations", "inv.csv"]);
    let table = fs::read_to_string(folder.path().join("inv.csv")).expect("written");
    assert!(table.contains(",ns/pkg/b,") && table.contains(",ns/b,"), "{table}");
}

#[test]
fn what_is_no_log_is_refused() {
    let folder = folder();
    let write = |name: &str, bytes: &[u8]| fs::write(folder.path().join(name), bytes).expect("written");
    write("empty.log", b"");
    write("prose.txt", b"It was a dark\nand stormy night.\n");
    write("binary", &[0, 159, 146, 150, 10, 255]);
    write("a.zip", b"PK\x03\x04zip");
    for (args, part) in [
        (&["empty.log"][..], "error: empty.log: empty; an OpenWhisk log is needed here\n  help: a line is"),
        (&["prose.txt"], "error: prose.txt: no line of an OpenWhisk log among 2 lines"),
        (&["binary"], "error: binary: no line of an OpenWhisk log among 2 lines"),
        (&["empty.log", "prose.txt"], "error: 2 files: no line of an OpenWhisk log among 2 lines"),
        (&["a.zip"], "error: a.zip: is a zip archive; plain text is needed here"),
        (&["missing.log"], "error: missing.log: cannot be read: No such file"),
        (&["."], "error: .: is a folder\n  help: name the log files in it"),
        (&["prose.txt", "./prose.txt"], "error: ./prose.txt: is given twice"),
    ] {
        let error = fails(folder.path(), args, 2);
        assert!(error.contains(part), "{args:?}: {error}");
    }
    let error = fails(folder.path(), &["prose.txt", "--activations", "act.jsonl"], 2);
    assert!(error.starts_with("error: prose.txt: no line"), "{error}");
    assert!(!folder.path().join("act.jsonl").exists());
    let error = fails(folder.path(), &[&excerpt("warm.log"), "-o", "no/such/costs.toml"], 2);
    assert!(
        error.starts_with("error: no/such/costs.toml: cannot be written: there is no folder no/such"),
        "{error}"
    );
    // One of several that is no log is only noted.
    let (_, told) = works(folder.path(), &[&excerpt("warm.log"), "prose.txt"]);
    assert_eq!(told, "note: prose.txt: no line of an OpenWhisk log in it\n");
}

#[test]
fn a_log_cut_anywhere_is_read_so_far() {
    let whole = fs::read(logs().join("cold1.log")).expect("bundled");
    let folder = folder();
    let path = folder.path().join("cut.log");
    let mut complete = 0;
    for end in (200..whole.len()).step_by(97) {
        fs::write(&path, &whole[..end]).expect("written");
        let digest = read_log(std::slice::from_ref(&path), true, &(), &mut |_, _| {});
        let digest = digest.unwrap_or_else(|error| panic!("{end}: {error}"));
        let fates = digest.fates;
        assert!(fates.complete + fates.incomplete <= 1, "{end}: {fates:?}");
        assert!(fates.complete >= complete, "{end}: what was complete stays so");
        complete = fates.complete;
        assert_eq!(
            digest.lines.lines,
            digest.lines.openwhisk + digest.lines.foreign() + digest.lines.truncated
        );
    }
    assert_eq!(complete, 1);
}

/// Cold and warm excerpts over and over, with new transactions, ids and times, `apart` ms from each other; two at
/// once, interleaved line by line.
fn large_log(pairs: usize) -> String {
    let warm = fs::read_to_string(logs().join("warm.log")).expect("bundled");
    let mut log = String::new();
    for nth in 0..pairs {
        let one = |which: usize| {
            let time = format!("T{:02}:{:02}:37.", nth / 60 % 24, nth % 60);
            warm.replace("T07:08:37.", &time)
                .replace("6QW5BRrxLKt5QSQAJGJQlYtjR3Rh39gF", &format!("t{nth}x{which}"))
                .replace("cb9e791fec2640a19e791fec2600a1e1", &format!("a{nth}x{which}"))
                .replace("0fb2bf06f4e6", &format!("{which}"))
                .replace("pause_start:243238", &format!("pause_start:{}", 1_000 * nth + 100 * which))
                .replace("pause_finish:243290", &format!("pause_finish:{}", 1_000 * nth + 100 * which + 51))
        };
        for (a, b) in one(1).lines().zip(one(2).lines()) {
            log.push_str(&format!("{a}\n{b}\n\tat some.stack.Trace\n"));
        }
    }
    log
}

#[test]
fn large_logs_stream() {
    let folder = folder();
    let pairs = 400;
    let log = large_log(pairs);
    assert!(log.len() > 1_000_000, "{}", log.len());
    fs::write(folder.path().join("large.log"), &log).expect("written");
    let (json, told) = works(folder.path(), &["large.log", "--json", "--invocations", "inv.csv"]);
    let json: Value = serde_json::from_str(&json).expect("JSON");
    let count = 2 * pairs as u64;
    assert_eq!(json["activations"]["complete"], count);
    assert_eq!(json["starts"]["warmed"]["phases"]["docker_unpause"]["mean_ms"], 60.0);
    assert_eq!(json["starts"]["warmed"]["phases"]["docker_pause"]["count"], count);
    assert_eq!(json["starts"]["warmed"]["phases"]["docker_pause"]["max_ms"], 51);
    assert_eq!(json["lines"]["other"], 28 * pairs as u64);
    assert_eq!(told, format!("inv.csv: {count} invocations\n"));
    let table = fs::read_to_string(folder.path().join("inv.csv")).expect("written");
    assert!(table.lines().skip(1).all(|row| row.contains(",hello,success,warmed,,71,,10,82,a")), "{table}");
}
