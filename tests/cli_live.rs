//! `faassim live` as a user sees it, as far as nothing has to be started: what a dry run tells, what is refused, and what
//! a build without live mode says.

use std::process::{Command, Output, Stdio};

fn faassim(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_faassim"))
        .args(args)
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        // What is said must not depend on whether this machine has an engine, and what that has.
        .env("DOCKER_HOST", "unix:///nowhere/docker.sock")
        .stdin(Stdio::null())
        .output()
        .expect("the binary runs")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).expect("UTF-8")
}

#[cfg(not(feature = "live"))]
#[test]
fn a_build_without_live_mode_says_so() {
    for args in [&["live"][..], &["live", "s.toml", "--dry-run", "-o", "x"], &["live", "--help"]] {
        let outcome = faassim(args);
        let said = "error: this build has no live mode\n  \
                    help: build with it: `cargo build --release` without --no-default-features\n";
        assert_eq!((outcome.status.code(), text(&outcome.stderr).as_str()), (Some(2), said), "{args:?}");
    }
}

#[cfg(feature = "live")]
mod with_live_mode {
    use std::fs;
    use std::path::Path;

    use super::*;

    const SMOKE: &str = "scenarios/live-smoke.toml";

    /// A folder of actions with these names.
    fn actions(names: &[&str]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().expect("a folder");
        let mut manifest = String::new();
        for name in names {
            fs::write(folder.path().join(format!("{name}.py")), "def main(args):\n    return {}\n")
                .expect("a file");
            manifest += &format!(
                "[[action]]\nname = \"{name}\"\nfile = \"{name}.py\"\nwhat = \"nothing\"\nimage = \"plain\"\n\
                 memory = \"32 MiB\"\nrun = \"10 ms\"\ninit = \"1 ms\"\n"
            );
        }
        fs::write(folder.path().join("actions.toml"), manifest).expect("a file");
        folder
    }

    const ALL: [&str; 8] = [
        "hello",
        "float_operation",
        "pyaes",
        "chameleon",
        "json_dumps_loads",
        "gzip_compression",
        "dd",
        "lookbusy",
    ];

    fn live(folder: &Path, args: &[&str]) -> Output {
        let set = format!("live.actions={}", folder.display());
        faassim(&[&["live", SMOKE, "--set", &set], args].concat())
    }

    #[test]
    fn a_dry_run_tells_everything_and_starts_nothing() {
        let folder = actions(&ALL);
        let outcome = live(folder.path(), &["--dry-run"]);
        let printed = text(&outcome.stdout);
        assert_eq!((outcome.status.code(), text(&outcome.stderr).as_str()), (Some(0), ""), "{printed}");
        for part in [
            "live-smoke\n  Does a live run do what the simulator says?\n  trace live-smoke: 8 functions, 378 invocations\n",
            "hello                      64 MiB       187   2.00 ms  hello             name\n",
            "load        378 arrivals of 8 functions in 2.0 min\n",
            "pool        768 MiB\n",
            "images      faassim-python:plain (not looked for), for python:3\n",
        ] {
            assert!(printed.contains(part), "{part}\nin\n{printed}");
        }
        let short = |line: &str| line.chars().count() <= 80 || line.contains("actions of");
        assert!(printed.lines().all(short), "{printed}");
    }

    #[test]
    fn options_are_shortcuts_that_are_checked_like_the_file() {
        let folder = actions(&ALL);
        let outcome =
            live(folder.path(), &["--dry-run", "--speed", "10", "--limit", "30", "--backend", "process"]);
        let printed = text(&outcome.stdout);
        assert!(printed.contains("load        30 arrivals of "), "{printed}");
        assert!(printed.contains(" at 10 times the speed\n"), "{printed}");
        assert!(printed.contains("backend     processes of this machine\n"), "{printed}");
        let wrong = ["--speed", "fast", "--limit", "0", "--backend", "podman", "--duration", "10"];
        let outcome = live(folder.path(), &wrong);
        assert_eq!(outcome.status.code(), Some(2));
        let mut said: Vec<String> = text(&outcome.stderr).lines().map(str::to_owned).collect();
        said.sort();
        assert_eq!(
            said,
            [
                "  help: write it with its unit, in quotes, for example \"10 s\"",
                "4 errors",
                "error: --backend: live.backend: `podman` is not one of `auto`, `docker`, `process`",
                "error: --duration: live.duration: `10` has no unit",
                "error: --limit: live.limit: expected a whole number of at least 1, found the number 0",
                "error: --speed: live.speed: expected a number above 0, found the text `fast`",
            ]
        );
    }

    #[test]
    fn functions_without_actions_are_told() {
        let folder = actions(&["hello", "float_operations", "pyaes", "chameleon", "json_dumps_loads", "dd"]);
        let outcome = live(folder.path(), &["--dry-run", "--set", "live.functions.lookbusy=hello"]);
        let said = text(&outcome.stderr);
        assert_eq!((outcome.status.code(), outcome.stdout.is_empty()), (Some(2), true), "{said}");
        for part in [
            "error: scenarios/live-smoke.toml: no action has the name of function `float_operation`\n  \
             help: did you mean `float_operations`?\n",
            "error: scenarios/live-smoke.toml: no action has the name of function `gzip_compression`\n",
            "error: scenarios/live-smoke.toml: live.map is `name`, but 2 functions of the trace are no actions\n  \
             help: give them actions under [live.functions], or say `map = \"nearest\"`\n",
        ] {
            assert!(said.contains(part), "{part}\nin\n{said}");
        }
    }

    #[test]
    fn what_is_asked_for_in_vain_is_told() {
        let outcome = faassim(&["live"]);
        assert_eq!(outcome.status.code(), Some(2));
        assert!(text(&outcome.stderr).contains("the following required arguments were not provided"));
        let outcome = faassim(&["live", SMOKE, "--set", "live.actions=none", "--dry-run"]);
        assert_eq!(
            (outcome.status.code(), text(&outcome.stderr).as_str()),
            (
                Some(2),
                "error: scenarios/live-smoke.toml: there is no actions.toml in scenarios/none (live.actions)\n  \
                 help: name the folder of the actions; the path starts from the folder of the scenario\n"
            )
        );
        let folder = actions(&ALL);
        let outcome = live(folder.path(), &["--dry-run", "--set", "trace.from=1 h"]);
        assert_eq!(
            (outcome.status.code(), text(&outcome.stderr).as_str()),
            (
                Some(2),
                "error: scenarios/live-smoke.toml: no invocation of the trace lies between `from` and `until`\n"
            )
        );
    }
}
