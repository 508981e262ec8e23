//! `faassim calibrate live` as a user sees it, on logs of runs on an imagined platform, whose costs are known: what is found, what a
//! scenario makes of it, and what is said of logs that will not do.

#![cfg(feature = "live")]

mod imagined;

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use faassim::duration::DurationValue;
use faassim::pool::order;
use faassim::scenario::{Engine, Scenario, Source, Start};
use faassim::time::Span;
use imagined::{case, live, setup};

fn faassim(folder: &Path, arguments: &[&str]) -> Output {
    let binary = env!("CARGO_BIN_EXE_faassim");
    Command::new(binary).args(arguments).current_dir(folder).output().expect("it can be started")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn error(output: &Output, code: i32) -> String {
    assert_eq!(output.status.code(), Some(code), "{}{}", text(&output.stdout), text(&output.stderr));
    text(&output.stderr)
}

/// A folder with the log of a run, which ended by itself.
async fn logged(seed: u64) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let (_, log, _) = live(&case(seed), order).await;
    fs::write(folder.path().join("run.jsonl"), log).expect("writable");
    folder
}

/// A case in which nothing fails and no kind is fetched, so that every step takes what the scenario says.
fn plain() -> u64 {
    let is_plain = |seed: &u64| {
        let text = case(*seed).scenario.text;
        !text.contains("[failures]") && !text.contains("[pool.elastic]") && !text.contains("[[prewarm]]")
    };
    (0..80).find(is_plain).expect("some case is plain")
}

/// The scenario of a case with costs from a file.
fn with_costs(folder: &Path, costs: &str) -> Scenario {
    fs::create_dir_all(folder.join("trace")).expect("writable");
    let text =
        format!("[trace]\npath = \"trace\"\n[pool]\nmemory = \"1 GiB\"\n[costs]\nfrom = \"{costs}\"\n");
    fs::write(folder.join("s.toml"), text).expect("writable");
    Scenario::load(&folder.join("s.toml"), &[]).unwrap_or_else(|error| panic!("{error}"))
}

#[tokio::test(start_paused = true)]
async fn costs_are_found_as_they_were() {
    let seed = plain();
    let folder = logged(seed).await;
    let folder = folder.path();
    let output = faassim(folder, &["calibrate", "live", "run.jsonl", "--no-contention", "-o", "costs.toml"]);
    assert!(output.status.success(), "{}", text(&output.stderr));
    let said = text(&output.stdout);
    assert!(said.lines().all(|line| line.chars().count() <= 80), "{said}");
    for wanted in ["cost", "samples", "create", "remove", "f0", "run"] {
        assert!(said.contains(wanted), "{wanted} is missing in\n{said}");
    }
    let found = with_costs(folder, "costs.toml");
    let Engine::Pool(found) = &found.engine else { panic!("a pool") };
    let real = case(seed);
    let Start::Phases(wanted) = &setup(&real.scenario).costs.general.start else { panic!("phases") };
    let Start::Phases(phases) = &found.costs.general.start else { panic!("phases") };
    let constant = |value: &DurationValue| match value.shape {
        faassim::scenario::Shape::Constant(span) => span,
        ref other => panic!("{other} is not constant"),
    };
    // The first container of a kind waits for its image as well; the median does not.
    let create = match &phases.create.shape {
        faassim::scenario::Shape::Constant(span) => *span,
        faassim::scenario::Shape::Empirical(quantiles) => quantiles[quantiles.len() / 2],
        other => panic!("{other}"),
    };
    assert_eq!(create, constant(&wanted.create));
    let general = &setup(&real.scenario).costs.general;
    assert_eq!(constant(&found.costs.general.remove).0, general_us(&general.remove));
    let mut known = 0;
    for function in &real.trace.functions {
        let own = found.costs.of(&function.name);
        if let Source::Given(run) = &own.run {
            assert_eq!(constant(run), function.warm, "{}", function.name);
            known += 1;
        }
    }
    assert!(known > 2, "runs of {known} functions");
}

fn general_us(value: &DurationValue) -> u64 {
    match value.shape {
        faassim::scenario::Shape::Constant(Span(us)) => us,
        ref other => panic!("{other}"),
    }
}

#[tokio::test(start_paused = true)]
async fn what_will_not_do_is_told() {
    let folder = logged(3).await;
    let folder = folder.path();
    fs::write(folder.join("notes.toml"), "mine = 1\n").expect("writable");
    fs::write(folder.join("no.jsonl"), "{\"nothing\": 1}\n").expect("writable");
    let run = |arguments: &[&str]| faassim(folder, &[&["calibrate", "live"], arguments].concat());
    let said = error(&run(&["run.jsonl", "-o", "notes.toml"]), 2);
    assert!(said.contains("notes.toml: is there already, and is no costs file"), "{said}");
    assert_eq!(fs::read_to_string(folder.join("notes.toml")).expect("there"), "mine = 1\n");
    let said = error(&run(&["missing.jsonl"]), 2);
    assert!(said.contains("missing.jsonl: cannot be read"), "{said}");
    let said = error(&run(&["no.jsonl"]), 2);
    assert!(said.contains("no event log of faassim"), "{said}");
    assert!(error(&run(&[]), 2).contains("required"));
    assert!(!folder.join("costs.toml").exists(), "nothing is left of what failed");
    // A log of ours, packed, is read as well; one of a killed run up to where it ends.
    let whole = fs::read(folder.join("run.jsonl")).expect("there");
    let packed = zstd::encode_all(whole.as_slice(), 3).expect("packed");
    fs::write(folder.join("run.jsonl.zst"), packed).expect("writable");
    fs::write(folder.join("killed.jsonl"), &whole[..whole.len() / 2]).expect("writable");
    assert!(run(&["run.jsonl.zst", "-o", "a.toml"]).status.success());
    assert!(run(&["run.jsonl", "-o", "b.toml"]).status.success());
    let without_command = |name: &str| {
        let text = fs::read_to_string(folder.join(name)).expect("written");
        text.lines().filter(|line| !line.starts_with("command")).collect::<Vec<_>>().join("\n")
    };
    assert_eq!(without_command("a.toml"), without_command("b.toml"));
    let killed = run(&["killed.jsonl", "-o", "c.toml"]);
    assert!(killed.status.success(), "{}", text(&killed.stderr));
    // One that was killed before anything was done has nothing to tell, and leaves nothing.
    let head = whole.iter().position(|byte| *byte == b'\n').expect("a first line") + 1;
    fs::write(folder.join("early.jsonl"), &whole[..head]).expect("writable");
    let said = error(&run(&["early.jsonl", "-o", "d.toml"]), 2);
    assert!(said.contains("early.jsonl: nothing was done in this run"), "{said}");
    assert!(!folder.join("d.toml").exists());
    assert!(text(&killed.stderr).contains("the run was killed"), "{}", text(&killed.stderr));
}

#[test]
fn messages_of_costs_files() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let folder = folder.path();
    fs::create_dir(folder.join("trace")).expect("writable");
    let check = |costs: &str, more: &str| {
        fs::write(folder.join("costs.toml"), costs).expect("writable");
        let text = format!("[trace]\npath = \"trace\"\n[pool]\nmemory = \"1 GiB\"\n[costs]\n{more}\n");
        fs::write(folder.join("s.toml"), text).expect("writable");
        let output = faassim(folder, &["check", "s.toml"]);
        (output.status.code(), text_of(&output))
    };
    let from = "from = \"costs.toml\"";
    for (costs, more, wanted) in [
        ("", "from = \"cost.toml\"", "did you mean `costs.toml`?"),
        ("[cost]\n", from, "s.toml:6: costs.from: costs.toml:1: unknown table `cost`"),
        ("x = ", from, "costs.toml:1:"),
        ("[costs]\nrun = \"5 parsec\"\n", from, "costs.toml:2: costs.run:"),
        ("[costs]\nfrom = \"other.toml\"\n", from, "a costs file does not name another one"),
        ("[calibration]\n", from, "has no [costs], so it is no costs file"),
        ("[costs]\n", "from = 3", "costs.from: expected a file"),
        (
            "",
            "run = \"1 s\"\nrun-overhead = \"1 ms\"",
            "is what is added to the trace's times, but `run` is given",
        ),
        ("", "[costs.contention]\ncreate = 1.0", "processors"),
        ("", "[costs.contention]\nprocessors = 2\ncreate = -1.0", "costs.contention.create"),
        ("", "[costs.contention]\nprocesors = 2", "did you mean `processors`?"),
    ] {
        let (code, said) = check(costs, more);
        assert_eq!(code, Some(2), "{more}: {said}");
        assert!(said.contains(wanted), "{wanted:?} is not in\n{said}");
    }
    let costs = "[calibration]\nfaassim = \"0.1.0\"\n[costs]\ncreate = \"1 s\"\nrun = \"trace\"\nrun-overhead = \"1 ms\"\n\
                 [costs.functions.gone]\nrun = \"2 s\"\n";
    // What the scenario says goes before what the file says, and functions the trace lacks are no fault of the file's.
    let (code, said) = check(costs, "from = \"costs.toml\"\nrun = \"7 ms\"");
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("create 1 s; run 7 ms"), "{said}");
}

fn text_of(output: &Output) -> String {
    text(&output.stdout) + &text(&output.stderr)
}
