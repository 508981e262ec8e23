//! `faassim trace` as a user sees it: what is printed, what is written, exit codes, interruption, and that `run` takes
//! every format.

use std::fs;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::time::Duration;

fn faassim(folder: &Path, args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_faassim"))
        .current_dir(folder)
        .args(args)
        .output()
        .expect("the binary starts")
}

/// Standard output of a command that succeeds.
fn works(folder: &Path, args: &[&str]) -> String {
    let output = faassim(folder, args);
    assert!(output.status.success(), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("UTF-8")
}

/// Standard error of a command that ends with this code.
fn fails(folder: &Path, args: &[&str], code: i32) -> String {
    let output = faassim(folder, args);
    assert_eq!(output.status.code(), Some(code), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(String::from_utf8_lossy(&output.stdout), "", "nothing on standard output");
    String::from_utf8(output.stderr).expect("UTF-8")
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn bundled(name: &str) -> String {
    root().join("traces").join(name).display().to_string()
}

fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(folder)
        .expect("readable")
        .flatten()
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    names
}

#[test]
fn info_fits_a_terminal_and_json_has_what_it_says() {
    let folder = tempfile::tempdir().expect("a folder");
    let azure = root().join("tests/data/traces/azure2019-d01-9-functions.csv.gz").display().to_string();
    works(folder.path(), &["trace", "generate", "big", "--preset", "azure2019-day", "--functions", "2000"]);
    for trace in [&bundled("azure392"), &bundled("aws-lambda-2020/2020-06-06"), &azure, &"big".to_owned()] {
        let text = works(folder.path(), &["trace", "info", trace]);
        for line in text.lines() {
            assert!(line.chars().count() <= 80, "{} columns: {line}", line.chars().count());
        }
        for part in [
            "functions",
            "compulsory cold",
            "working set",
            "running, all warm",
            "CV of the gaps",
            "memory MiB",
        ] {
            assert!(text.contains(part), "{part}\n{text}");
        }
        let json: serde_json::Value =
            serde_json::from_str(&works(folder.path(), &["trace", "info", trace, "--json"])).expect("JSON");
        let invocations = json["invocations"].as_u64().expect("a count");
        assert_eq!(json["minutes"]["load"]["mean"].as_f64().map(|mean| mean > 0.0), Some(true));
        assert!(invocations > 0 && text.contains(&json["name"].as_str().expect("a name").to_owned()));
    }
    let measured = works(folder.path(), &["trace", "info", &bundled("aws-lambda-2020/2020-06-06")]);
    assert!(measured.contains("43 cold starts (14.83 %) in 44 containers"), "{measured}");
}

#[test]
fn plots_are_drawn_and_the_same_each_time() {
    let folder = tempfile::tempdir().expect("a folder");
    let trace = bundled("azure392");
    for file in ["a.svg", "b.svg", "a.png", "b.png"] {
        works(folder.path(), &["trace", "info", &trace, "--plot", file]);
    }
    let read = |name: &str| fs::read(folder.path().join(name)).expect("drawn");
    assert!(read("a.svg") == read("b.svg") && read("a.png") == read("b.png"));
    assert!(read("a.png").starts_with(b"\x89PNG"));
    let svg = String::from_utf8(read("a.svg")).expect("UTF-8");
    for title in [
        "Load",
        "Invocations by popularity",
        "Share of the most popular",
        "Regularity",
        "Memory",
        "Warm run time",
    ] {
        assert!(svg.contains(title), "{title}");
    }
    assert_eq!(names(folder.path()), ["a.png", "a.svg", "b.png", "b.svg"]);
    let said = fails(folder.path(), &["trace", "info", &trace, "--plot", "a.pdf"], 2);
    assert_eq!(said, "error: `a.pdf` is no file to draw into\n  help: its name must end in .svg or .png\n");
}

#[test]
fn converting_back_and_forth_gives_the_same_bytes() {
    let folder = tempfile::tempdir().expect("a folder");
    works(folder.path(), &["trace", "convert", &bundled("azure392"), "csv", "--pack", "none"]);
    works(folder.path(), &["trace", "convert", "csv", "p.parquet"]);
    works(folder.path(), &["trace", "convert", "p.parquet", "again", "--to", "csv", "--pack", "none"]);
    assert_eq!(names(&folder.path().join("p.parquet")), ["functions.parquet", "invocations.parquet"]);
    for name in ["functions.csv", "invocations.csv"] {
        let read = |form: &str| fs::read(folder.path().join(form).join(name)).expect("written");
        assert!(read("csv") == read("again"), "{name}");
    }
    let said = fails(folder.path(), &["trace", "convert", "csv", "p.parquet", "--to", "csv"], 2);
    assert!(said.contains("functions.parquet: would stand beside the new file"), "{said}");
}

#[test]
fn run_takes_any_format_and_the_models() {
    let folder = tempfile::tempdir().expect("a folder");
    let azure = root().join("tests/data/traces/azure2019-d01-9-functions.csv.gz");
    let scenario =
        |extra: &str| format!("[trace]\npath = \"{}\"\n{extra}[pool]\nmemory = \"2 GiB\"\n", azure.display());
    fs::write(folder.path().join("s.toml"), scenario("")).expect("writable");
    let text = works(folder.path(), &["run", "s.toml", "--no-results"]);
    assert!(text.contains("9 functions, 1,061 invocations"), "{text}");
    let text = works(folder.path(), &["run", "s.toml", "--no-results", "--set", "trace.unit=app"]);
    assert!(text.contains("3 functions, 1,061 invocations"), "{text}");
    let sets = ["--set", "trace.sample=4", "--set", "trace.sample-by=top", "--set", "trace.until=12 h"];
    let text = works(folder.path(), &[&["run", "s.toml", "--no-results"], &sets[..]].concat());
    assert!(text.contains("4 functions, "), "{text}");
    let json = |set: &str| -> serde_json::Value {
        serde_json::from_str(&works(
            folder.path(),
            &["run", "s.toml", "--no-results", "--json", "--set", set],
        ))
        .expect("JSON")
    };
    // Another spacing is another workload, another seed of the trace too; the number of invocations stays.
    let checksum = |option: &str, value: &str| -> String {
        let args = ["trace", "info", &azure.display().to_string(), "--json", option, value];
        let json: serde_json::Value = serde_json::from_str(&works(folder.path(), &args)).expect("JSON");
        json["sha256"].as_str().expect("a checksum").to_owned()
    };
    let usual = checksum("--seed", "1");
    for (key, value) in [("arrivals", "equidistant"), ("seed", "9")] {
        assert_eq!(json(&format!("trace.{key}={value}"))["summary"]["invocations"], 1_061);
        assert_ne!(checksum(&format!("--{key}"), value), usual);
    }
    let sets = ["--set", "trace.unit=app", "--set", "trace.sample=2", "--set", "trace.days=1"];
    let text = works(folder.path(), &[&["check", "s.toml"], &sets[..]].concat());
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(text.contains("with its own days, by app, 2 of its functions (representative)"), "{text}");
    let said = fails(folder.path(), &["run", "s.toml", "--set", "trace.arrivals=posson"], 2);
    assert!(said.contains("did you mean `poisson`?"), "{said}");
    let said = fails(folder.path(), &["run", "s.toml", "--set", "trace.format=azur2019"], 2);
    assert!(said.contains("unknown trace format `azur2019`\n  help: did you mean `azure2019`?"), "{said}");
}

#[test]
fn validate_tells_every_fault() {
    let folder = tempfile::tempdir().expect("a folder");
    let write = |name: &str, text: &str| fs::write(folder.path().join(name), text).expect("writable");
    write("functions.csv", "function,memory_mb,cold_ms,warm_ms\na,128,300,100\nb,0,1,1\n");
    write("invocations.csv", "time_ms,function\n0,a\nx,a\n-1,a\n5,c\n7,a\n");
    let said = fails(folder.path(), &["trace", "validate", "."], 2);
    let places: Vec<&str> =
        said.lines().filter_map(|line| line.strip_prefix("error: ./")?.split(": ").next()).collect();
    assert_eq!(
        places,
        ["functions.csv:3", "invocations.csv:3", "invocations.csv:4", "invocations.csv:5"],
        "{said}"
    );
    assert!(said.ends_with("4 errors\n"), "{said}");
    let good =
        works(folder.path(), &["trace", "validate", &bundled("azure392"), &bundled("faascache-litmus-lru")]);
    assert_eq!(good.lines().filter(|line| line.contains(": fine (native, ")).count(), 2, "{good}");
}

#[test]
fn options_are_told_as_they_are_written() {
    let folder = tempfile::tempdir().expect("a folder");
    let trace = bundled("azure392");
    let said = fails(folder.path(), &["trace", "info", &trace, "--days", "3-1", "--cold-start", "5"], 2);
    assert!(said.contains("error: --days: `3-1` ends before it begins"), "{said}");
    assert!(said.contains("error: --cold-start: `5` has no unit"), "{said}");
    let said = fails(folder.path(), &["trace", "generate", "--preset", "litmus-frq"], 2);
    let expected = "error: --preset: unknown preset `litmus-frq`\n  help: did you mean `litmus-freq`? \
                    `faassim trace generate --list` lists all\n";
    assert_eq!(said, expected);
    let said = fails(folder.path(), &["trace", "sample", &trace, "out"], 2);
    assert!(said.contains("nothing is to be left out"), "{said}");
    let said = fails(folder.path(), &["trace", "info", "nowhere"], 2);
    assert!(said.contains("no such trace"), "{said}");
    assert_eq!(names(folder.path()), [""; 0], "nothing is written by what fails");
}

#[test]
fn samples_are_written() {
    let folder = tempfile::tempdir().expect("a folder");
    let args = [
        "trace",
        "sample",
        &bundled("azure392"),
        "out",
        "--functions",
        "40",
        "--from",
        "8 h",
        "--until",
        "10 h",
    ];
    works(folder.path(), &args);
    let json: serde_json::Value =
        serde_json::from_str(&works(folder.path(), &["trace", "info", "out", "--json"])).expect("JSON");
    assert_eq!(json["functions"], 40);
    let first = json["first_s"].as_f64().expect("a time");
    assert!((28_800.0..36_000.0).contains(&first), "{first}");
    works(folder.path(), &["trace", "sample", "out", "half", "--rate", "0.5"]);
}

/// Ctrl-C while a large trace is written: exit code 130, nothing left.
#[cfg(unix)]
#[test]
fn an_interrupted_conversion_leaves_nothing() {
    let folder = tempfile::tempdir().expect("a folder");
    let many = [
        "trace",
        "generate",
        "counts",
        "--preset",
        "azure2019-day",
        "--functions",
        "200",
        "--invocations",
        "300000000",
    ];
    works(folder.path(), &many);
    let mut child = Command::new(env!("CARGO_BIN_EXE_faassim"))
        .current_dir(folder.path())
        .args(["trace", "convert", "counts", "out", "--expand"])
        .stderr(Stdio::piped())
        .spawn()
        .expect("the binary starts");
    std::thread::sleep(Duration::from_millis(1_000));
    let interrupt = Command::new("kill").args(["-INT", &child.id().to_string()]).status().expect("kill runs");
    assert!(interrupt.success());
    let status = child.wait().expect("it ends");
    assert_eq!(status.code(), Some(130));
    assert_eq!(names(folder.path()), ["counts"]);
}

#[test]
fn nothing_of_anybody_else_is_written_over() {
    let folder = tempfile::tempdir().expect("a folder");
    works(folder.path(), &["trace", "generate", "t", "--preset", "litmus-iat"]);
    let said = fails(folder.path(), &["trace", "sample", "t", "t", "--functions", "2"], 2);
    assert!(said.contains("`t` is where the trace is read from"), "{said}");
    fs::create_dir(folder.path().join("mine")).expect("writable");
    for (name, text) in [("functions.csv", "x,y\n1,2\n"), ("notes.txt", "precious\n")] {
        let file = folder.path().join("mine").join(name);
        fs::write(&file, text).expect("writable");
        let said = fails(folder.path(), &["trace", "convert", "t", "mine"], 2);
        assert!(
            said.contains(&format!("mine: holds something else than a trace of faassim: `{name}`")),
            "{said}"
        );
        fs::remove_file(file).expect("still there");
    }
    works(folder.path(), &["trace", "convert", "t", "mine"]);
    works(folder.path(), &["trace", "convert", "t", "mine"]);
}

#[test]
fn what_has_no_effect_is_said() {
    let folder = tempfile::tempdir().expect("a folder");
    let output = faassim(
        folder.path(),
        &["trace", "info", &bundled("azure392"), "--run-time", "5 s", "--arrivals", "uniform"],
    );
    let said = String::from_utf8(output.stderr).expect("UTF-8");
    for key in ["run-time", "arrivals"] {
        assert!(
            said.contains(&format!("`{key}` has no effect: the format (native) tells this itself")),
            "{said}"
        );
    }
    let said = fails(folder.path(), &["trace", "info", &root().join("traces").display().to_string()], 2);
    assert!(
        said.contains("is no trace itself, but has some in it") && said.contains("azure392` (native)"),
        "{said}"
    );
    let nested = folder.path().join("outer/inner");
    fs::create_dir_all(&nested).expect("writable");
    fs::copy(root().join("tests/data/traces/azure2021-199-rows.csv"), nested.join("t.csv")).expect("copied");
    let said = fails(folder.path(), &["trace", "info", "outer"], 2);
    assert_eq!(
        said,
        "error: outer: is no trace itself, but has some in it\n  help: give one of `outer/inner` (azure2021)\n"
    );
}
