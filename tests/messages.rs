//! What a user is told: every message as text and every exit code, from the binary itself. A message
//! that changes on purpose is changed here too; must never look inside the library for its wording.

#[path = "messages/costs.rs"]
mod costs;
#[path = "messages/file.rs"]
mod file;
#[path = "messages/live.rs"]
mod live;
#[path = "messages/policies.rs"]
mod policies;
#[path = "messages/sweep.rs"]
mod sweep;
#[path = "messages/values.rs"]
mod values;

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use faassim::scenario::{KNOBS, reference};

/// A scenario that is wrong, and everything that is said about it.
struct Case {
    what: &'static str,
    /// Begins with a line feed that does not count.
    text: &'static str,
    /// Begins with a line feed that does not count.
    stderr: &'static str,
}

/// What a command came to.
#[derive(PartialEq, Eq, Debug)]
struct Outcome {
    code: Option<i32>,
    stdout: String,
    stderr: String,
}

fn faassim(folder: &Path, args: &[&str]) -> Outcome {
    let output = Command::new(env!("CARGO_BIN_EXE_faassim"))
        .args(args)
        .current_dir(folder)
        .stdin(Stdio::null())
        .output()
        .expect("the binary runs");
    Outcome {
        code: output.status.code(),
        stdout: String::from_utf8(output.stdout).expect("UTF-8"),
        stderr: String::from_utf8(output.stderr).expect("UTF-8"),
    }
}

/// A folder with these files.
fn folder(files: &[(&str, &[u8])]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    for (name, bytes) in files {
        fs::write(folder.path().join(name), bytes).expect("a file");
    }
    folder
}

/// The command in a folder with `scenario.toml`, which ends with this code and this on standard error,
/// and nothing on standard output.
fn fails(text: &str, args: &[&str], code: i32, stderr: &str) {
    let folder = folder(&[("scenario.toml", text.as_bytes())]);
    let outcome = faassim(folder.path(), args);
    let expected = Outcome { code: Some(code), stdout: String::new(), stderr: stderr.to_owned() };
    assert_eq!(outcome, expected, "\nfaassim {}\n{}", args.join(" "), outcome.stderr);
}

fn check_all(cases: &[Case]) {
    for case in cases {
        let (text, stderr) = (without_first_feed(case.text), without_first_feed(case.stderr));
        println!("{}", case.what);
        fails(text, &["check", "scenario.toml"], 2, stderr);
    }
}

fn without_first_feed(text: &str) -> &str {
    text.strip_prefix('\n').expect("begins with a line feed")
}

const FINE: &str = "[trace]\npath = \".\"\n\n[pool]\nmemory = \"8 GiB\"\n";

#[test]
fn files_and_syntax() {
    check_all(file::CASES);
}

#[test]
fn values_and_rules() {
    check_all(values::CASES);
}

#[test]
fn policies_and_what_excludes_them() {
    check_all(policies::CASES);
}

#[test]
fn prewarms_and_costs() {
    check_all(costs::CASES);
}

#[test]
fn live_mode() {
    check_all(live::CASES);
}

#[test]
fn sweeps() {
    check_all(sweep::CASES);
}

#[test]
fn sweep_says_what_check_says() {
    let text = "[trace]\npath = \".\"\n[sweep]\n\"pool.memory\" = [\"8\"]\n";
    let said = "error: scenario.toml:4: pool.memory: `8` has no unit\n  \
                help: write for example `8 MiB` or `8 GiB`\n";
    fails(text, &["check", "scenario.toml"], 2, said);
    fails(text, &["sweep", "scenario.toml"], 2, said);
}

#[test]
fn a_misspelt_sweep_is_told() {
    let said = "error: scenario.toml:6: unknown table `sweeep`\n  help: did you mean `sweep`?\n";
    fails(&format!("{FINE}[sweeep]\nseed = [1, 2]\n"), &["sweep", "scenario.toml"], 2, said);
}

#[test]
fn options_of_a_sweep() {
    for (args, said) in [
        (
            &[][..],
            "error: scenario.toml: nothing is varied\n  help: add for example\n        [sweep]\n        \
             \"pool.memory\" = \"1 GiB..80 GiB / 500 MB\"\n        \
             or --memory, --eviction, --keep-alive, --seeds\n",
        ),
        (
            &["--memory", "1 GiB..2 GiB"],
            "error: --memory: pool.memory: `1 GiB..2 GiB` has no step\n  help: write for example \
             \"1 GiB..2 GiB / 1 GiB\", or \"1 GiB..2 GiB * 2\" for a factor\n",
        ),
        (
            &["--eviction", "lru,greedydual"],
            "error: --eviction: unknown eviction policy `greedydual`\n  \
             help: did you mean `greedy-dual`? `faassim policies` lists all\n",
        ),
        (
            &["--seeds", "1..50000", "--memory", "1 GiB..4 GiB / 1 GiB"],
            "error: scenario.toml: the sweep comes to 200000 runs, at most 100000 are taken\n  \
             help: take larger steps, or split it in two\n",
        ),
        (&["--seeds", "3..1"], "error: --seeds: seed: `3..1` ends before it begins\n"),
        (
            &["--seeds", "1,1"],
            "error: --seeds: seed: `1` is there twice\n  help: remove one: both would be the same run\n",
        ),
    ] {
        fails(FINE, &[&["sweep", "scenario.toml"], args].concat(), 2, said);
    }
}

#[test]
fn a_fine_sweep_is_described() {
    let text = "[trace]\npath = \".\"\n[sweep]\n\"pool.memory\" = \"1 GiB..20 GiB / 1 GiB\"\neviction = [\"lru\", \"fifo\"]\n";
    let folder = folder(&[("fine.toml", text.as_bytes())]);
    let outcome = faassim(folder.path(), &["check", "fine.toml", "--set", "rules.preset=ideal"]);
    assert_eq!((outcome.code, outcome.stderr.as_str()), (Some(0), ""));
    let said = "  sweep       40 runs; the first is shown above\n              20 × pool.memory: 1 GiB … 20 GiB\n              \
                2 × eviction: lru, fifo\n";
    assert!(outcome.stdout.ends_with(said), "{}", outcome.stdout);
    // A value set from outside is no longer varied.
    let outcome = faassim(folder.path(), &["check", "fine.toml", "--set", "pool.memory=1 GiB"]);
    assert!(outcome.stdout.contains("  sweep       2 runs;"), "{}", outcome.stdout);
}

#[test]
fn run_says_what_check_says() {
    let text = "[trace]\npath = \".\"\n[pool]\nmemory = 8\n";
    let said = "error: scenario.toml:4: pool.memory: `8` has no unit\n  \
                help: write it with its unit, in quotes, for example \"8 GiB\"\n";
    fails(text, &["check", "scenario.toml"], 2, said);
    fails(text, &["run", "scenario.toml"], 2, said);
}

#[test]
fn files_that_are_no_scenarios() {
    let folder = folder(&[
        ("quickstart.toml", FINE.as_bytes()),
        ("empty.toml", b" \n"),
        ("trace.gz", b"[trace]\npath = \"\x1f\x8b\"\n"),
    ]);
    for (file, said) in [
        ("quikstart.toml", "error: quikstart.toml: no such file\n  help: did you mean `quickstart.toml`?\n"),
        ("other/quickstart.toml", "error: other/quickstart.toml: no such file\n"),
        (".", "error: .: is a directory, not a scenario\n  help: name a .toml file in it\n"),
        (
            "empty.toml",
            "error: empty.toml: the file is empty\n  help: begin with\n        [trace]\n        \
             path = \"../traces/NAME\"\n        [pool]\n        memory = \"8 GiB\"\n",
        ),
        (
            "trace.gz",
            "error: trace.gz:2: not UTF-8 text, so not a scenario\n  \
             help: scenarios are TOML files; traces are named in them, under [trace]\n",
        ),
    ] {
        let outcome = faassim(folder.path(), &["check", file]);
        assert_eq!((outcome.code, outcome.stderr.as_str(), outcome.stdout.as_str()), (Some(2), said, ""));
    }
}

#[test]
fn overrides() {
    for (set, said) in [
        (
            "pool.memory=8",
            "error: --set pool.memory: `8` has no unit\n  \
             help: write it with its unit, in quotes, for example \"8 GiB\"\n",
        ),
        (
            "pool.memory=8 GiBi",
            "error: --set pool.memory: unknown unit of memory `GiBi` in `8 GiBi`\n  \
             help: use MiB, GiB or TiB\n",
        ),
        ("pool.memory=", "error: --set pool.memory: must not be empty\n"),
        (
            "pool.memry=8 GiB",
            "error: --set pool.memry: unknown key `memry` in [pool]\n  help: did you mean `memory`?\n",
        ),
        ("pol.memory=8 GiB", "error: --set pol.memory: unknown table `pol`\n  help: did you mean `pool`?\n"),
        (
            "pool=8 GiB",
            "error: --set pool: expected a table, found the text `8 GiB`\n  \
             help: write [pool] on a line of its own and the keys below it\n",
        ),
        (
            "eviction=lur",
            "error: --set eviction: unknown eviction policy `lur`\n  \
             help: did you mean `lru`? `faassim policies` lists all\n",
        ),
        (
            "eviction.lru=3",
            "error: --set eviction.lru: expected a table of parameters, found the number 3\n  \
             help: write [eviction.lru] and the parameters below it\n",
        ),
        ("seed=many", "error: --set seed: expected a whole number, found the text `many`\n"),
        ("seed={", "error: --set seed: `{` is not TOML: unclosed inline table, expected `}`\n"),
        (
            "a b=1",
            "error: --set a b: `a b` is not a path\n  \
             help: write for example pool.memory; names with a dot or other signs need quotes, \
             as in costs.functions.\"my.function\".run\n",
        ),
        (
            "prewarm.0.kind=x",
            "error: --set prewarm.0.kind: prewarm: expected a list of tables, found a table\n  \
             help: write [[prewarm]], with two brackets\n",
        ),
        (
            "trace.path=none",
            "error: --set trace.path: there is no trace at `none`\n  \
             help: paths start from the folder of the scenario\n",
        ),
    ] {
        fails(FINE, &["check", "scenario.toml", "--set", set], 2, said);
    }
}

#[test]
fn an_override_cannot_name_what_is_not_in_a_list() {
    let text = format!("{FINE}[[prewarm]]\nkind = \"python:3\"\nmemory = \"256 MiB\"\ninitial-count = 1\n");
    let said = "error: --set prewarm.1.kind: `prewarm` is a list of 1, and `1` is none of them\n  \
                help: `prewarm.0` is the first\n";
    fails(&text, &["check", "scenario.toml", "--set", "prewarm.1.kind=x"], 2, said);
}

#[test]
fn errors_come_in_the_order_of_the_file_then_of_the_overrides() {
    let text = "seed = -1\n[trace]\npath = \".\"\n[pool]\nmemory = 8\n[rules]\nsharding = 1\n";
    let args = ["check", "scenario.toml", "--set", "output.functions=no", "--set", "failures.run=2"];
    let said = "error: scenario.toml:1: seed: expected a whole number of at least 0, found the number -1\n\
                error: scenario.toml:5: pool.memory: `8` has no unit\n  \
                help: write it with its unit, in quotes, for example \"8 GiB\"\n\
                error: scenario.toml:7: unknown key `sharding` in [rules]\n  \
                help: `faassim policies --rules` lists all\n\
                error: --set output.functions: expected true or false, found the text `no`\n\
                error: --set failures.run: expected a probability from 0 to 1, found the number 2\n\
                5 errors\n";
    fails(text, &args, 2, said);
}

#[test]
fn several_files_are_checked_together() {
    let folder = folder(&[
        ("one.toml", b"[trace]\npath = \".\"\n[pool]\n"),
        ("two.toml", FINE.as_bytes()),
        ("three.toml", b"[trace]\npath = \".\"\n[pool]\nmemory = true\n"),
    ]);
    let outcome = faassim(folder.path(), &["check", "one.toml", "two.toml", "three.toml"]);
    let said = "error: one.toml:3: `pool.memory` is missing\n  help: add `memory = \"8 GiB\"` under [pool]\n\
                error: three.toml:4: pool.memory: expected an amount of memory such as \"8 GiB\", found `true`\n\
                2 errors\n";
    assert_eq!((outcome.code, outcome.stderr.as_str()), (Some(2), said));
    assert!(outcome.stdout.starts_with("two.toml: fine\n"), "{}", outcome.stdout);
}

#[test]
fn a_fine_scenario_is_described() {
    let text = format!("question = \"Why?\"\n{FINE}\n[rules]\npause-grace = \"never\"\nreuse = \"newest\"\n");
    let folder = folder(&[("fine.toml", text.as_bytes())]);
    let outcome =
        faassim(folder.path(), &["check", "fine.toml", "--set", "eviction=fifo", "--set", "seed=7"]);
    assert_eq!((outcome.code, outcome.stderr.as_str()), (Some(0), ""));
    for line in [
        "fine.toml: fine",
        "  name        fine",
        "  question    Why?",
        "  trace       .",
        "  memory      8 GiB",
        "  rules       openwhisk, but reuse = newest, pause-grace = never",
        "  eviction    fifo",
        "  costs       cold start from the trace; run from the trace",
        "  seed        7",
        "  output      summary, functions, memory every 1 min",
    ] {
        assert!(outcome.stdout.lines().any(|printed| printed == line), "{line}\nin\n{}", outcome.stdout);
    }
    assert!(outcome.stdout.contains("keep-alive  fixed ("), "{}", outcome.stdout);
    assert!(outcome.stdout.contains("= 10 min)"), "{}", outcome.stdout);
}

#[test]
fn wrong_usage() {
    let folder = folder(&[]);
    for (args, part) in [
        (&["chek"][..], "tip: a similar subcommand exists: 'check'"),
        (&["check"], "the following required arguments were not provided"),
        (&["check", "--set", "seed", "x.toml"], "write PATH=VALUE, for example pool.memory=\"8 GiB\""),
        (&["run"], "<FILE>"),
        (&["run", "x.toml", "--jsom"], "tip: a similar argument exists: '--json'"),
        (&["policies", "lru", "--rules"], "cannot be used with"),
        (&[], "Usage: faassim"),
    ] {
        let outcome = faassim(folder.path(), args);
        assert_eq!((outcome.code, outcome.stdout.as_str()), (Some(2), ""), "{args:?}");
        assert!(outcome.stderr.contains(part), "{args:?}: {}", outcome.stderr);
    }
}

#[test]
fn version_and_help_are_results() {
    let folder = folder(&[]);
    let version = faassim(folder.path(), &["--version"]);
    assert_eq!(version.stdout, format!("faassim {}\n", env!("CARGO_PKG_VERSION")));
    for args in [
        &["--help"][..],
        &["run", "--help"],
        &["sweep", "--help"],
        &["merge", "--help"],
        &["check", "--help"],
        &["policies", "--help"],
    ] {
        let help = faassim(folder.path(), args);
        assert_eq!((help.code, help.stderr.as_str()), (Some(0), ""), "{args:?}");
        assert!(help.stdout.contains("Usage: faassim"), "{args:?}");
    }
}

#[test]
fn policies_are_listed_and_explained() {
    let folder = folder(&[]);
    let all = faassim(folder.path(), &["policies"]);
    assert_eq!((all.code, all.stderr.as_str()), (Some(0), ""));
    for name in ["lru", "greedy-dual", "fixed", "ski-rental", "LONG-TTL"] {
        assert!(all.stdout.contains(name), "{name}");
    }
    let rules = faassim(folder.path(), &["policies", "--rules"]);
    for knob in KNOBS {
        assert!(
            rules.stdout.lines().any(|line| line.starts_with(&format!("{} = ", knob.name))),
            "{}",
            knob.name
        );
    }
    for line in all.stdout.lines().chain(rules.stdout.lines()) {
        assert!(line.chars().count() <= 80 && line.trim_end() == line, "{line}");
    }
    let one = faassim(folder.path(), &["policies", "fixed"]);
    assert!(one.stdout.starts_with("fixed, keep-alive policy\n"), "{}", one.stdout);
    let none = faassim(folder.path(), &["policies", "greedydual"]);
    let said = "error: unknown policy `greedydual`\n  \
                help: did you mean `greedy-dual`? `faassim policies` lists all\n";
    assert_eq!((none.code, none.stderr.as_str(), none.stdout.as_str()), (Some(2), said, ""));
}

#[test]
fn the_reference_is_printed() {
    let folder = folder(&[]);
    let outcome = faassim(folder.path(), &["check", "--reference"]);
    assert_eq!((outcome.code, outcome.stdout), (Some(0), reference()));
}

#[cfg(unix)]
#[test]
fn a_reader_that_closes_the_pipe_is_no_error() {
    let folder = folder(&[]);
    let (reader, writer) = std::io::pipe().expect("a pipe");
    drop(reader);
    let output = Command::new(env!("CARGO_BIN_EXE_faassim"))
        .args(["policies", "--rules"])
        .current_dir(folder.path())
        .stdout(writer)
        .output()
        .expect("the binary runs");
    assert_eq!((output.status.code(), output.stderr.as_slice()), (Some(0), &b""[..]));
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_an_error() {
    let full = fs::OpenOptions::new().write(true).open("/dev/full").expect("/dev/full");
    let output = Command::new(env!("CARGO_BIN_EXE_faassim"))
        .arg("policies")
        .stdout(full)
        .output()
        .expect("the binary runs");
    assert_eq!(output.status.code(), Some(1));
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.starts_with("error: cannot write to standard output: "), "{said}");
}
