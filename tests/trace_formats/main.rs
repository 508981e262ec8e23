//! Readers of other people's traces: real rows where there are any, rows written by hand to the published schema
//! where there are none (each file says which), and what is said of damaged ones.

mod aws_lambda;
mod azure2019;
mod azure2021;
mod columnar;
mod damages;
mod huawei;
mod iluvatar;
mod libcachesim;
mod opendc;
mod sample;

use std::fs;
use std::path::{Path, PathBuf};

use faassim::trace::formats::{load, read, recognise};
use faassim::trace::{Context, Loaded, Reading, Trace};
use tempfile::TempDir;

/// Name and content.
type File<'a> = (&'a str, &'a str);

fn folder(files: &[File]) -> TempDir {
    let folder = TempDir::new().expect("a temporary folder");
    for (name, text) in files {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().expect("it has one")).expect("writable");
        fs::write(path, text).expect("writable");
    }
    folder
}

/// Reads these files as their content says, and checks that it is taken for that format.
fn read_as(format: &str, files: &[File], path: &str, reading: &Reading) -> Loaded {
    let folder = folder(files);
    let path = folder.path().join(path);
    assert_eq!(recognise(&path).expect("recognised").name, format);
    load(&path, reading).unwrap_or_else(|error| panic!("{error}"))
}

/// The message for these files, with the folder written as `DIR`.
fn message(files: &[File], path: &str, reading: &Reading) -> String {
    let folder = folder(files);
    let error = load(&folder.path().join(path), reading).expect_err("damaged");
    let shown = folder.path().display().to_string();
    error.to_string().replace(&format!("{shown}/:"), "DIR:").replace(&shown, "DIR")
}

/// Time in µs, function, run time in µs.
fn arrivals(trace: &Trace) -> Vec<(u64, &str, Option<u64>)> {
    trace
        .arrivals()
        .map(|a| (a.time.0, trace.functions[a.function as usize].name.as_str(), a.duration.map(|d| d.0)))
        .collect()
}

/// A file among the test data.
fn data(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/traces").join(name)
}

/// Name, MiB, cold and warm run time in ms of every function.
fn functions(trace: &Trace) -> Vec<(&str, u64, f64, f64)> {
    let of = |f: &'_ faassim::trace::Function| (f.memory.mib(), f.cold.as_ms_f64(), f.warm.as_ms_f64());
    trace.functions.iter().map(|f| (f.name.as_str(), of(f).0, of(f).1, of(f).2)).collect()
}

#[test]
fn faults_are_collected_when_asked_for() {
    let text = "app,func,end_timestamp,duration\na,f,x,1\na,f,2,1\na,f,3,-1\na,f,4,1,5\n";
    let folder = folder(&[("t.csv", text)]);
    let mut context = Context::collecting(&(), 20);
    let error = read(&folder.path().join("t.csv"), &Reading::default(), &mut context).expect_err("damaged");
    let lines: Vec<_> = context.faults.iter().chain([&error]).map(|fault| fault.line).collect();
    assert_eq!(lines, [Some(2), Some(4), Some(5)]);
}

#[test]
fn what_is_no_trace_is_said() {
    let files = [("letter.csv", "dear,sir\nor,madam\n")];
    let said = message(&files, "letter.csv", &Reading::default());
    let expected = "DIR/letter.csv: the format is not recognised; it begins with `dear`, `sir`\n  \
                    help: say which it is with format (--format): `azure2019`, `native`, `parquet`";
    assert!(said.starts_with(expected), "{said}");
    let said = message(&files, "", &Reading::default());
    assert!(said.contains("not recognised; `letter.csv` begins with `dear`, `sir`"), "{said}");
}
