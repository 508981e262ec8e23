//! Runs on AWS Lambda: the five real ones, against the traces that a script made of them; two rows as published are
//! written by hand.

use std::path::Path;

use faassim::trace::formats::{load, recognise};
use faassim::trace::{Loaded, Reading, read_native};

use super::{arrivals, functions, read_as};

#[test]
fn real_runs_are_the_bundled_traces() {
    let home = Path::new(env!("CARGO_MANIFEST_DIR")).join("traces/aws-lambda-2020");
    let mut runs = 0;
    for entry in std::fs::read_dir(home.join("raw")).expect("there").flatten() {
        let file = entry.path();
        let name = entry.file_name().to_string_lossy().into_owned();
        let Some(day) = name.strip_prefix("res-01-").and_then(|rest| rest.get(..10)) else { continue };
        assert_eq!(recognise(&file).expect("recognised").name, "aws-lambda");
        let raw = load(&file, &Reading::default()).expect("real rows").trace;
        let made = read_native(&home.join(day)).expect("bundled").trace;
        assert_eq!(raw.checksum, made.checksum, "{name}");
        assert_eq!(raw.listed().expect("rows").measured(), made.listed().expect("rows").measured(), "{name}");
        runs += 1;
    }
    assert_eq!(runs, 5);
}

#[test]
fn rows_as_the_authors_published_them() {
    let text = ",is_cold,cpu_info,inst_id,start_time,end_time,client_start_time,client_end_time\n\
                0,True,\"x, y\",i-1,1590456695300.5,1590456697300.5,1590456695.0,1590456697.9\n\
                1,False,\"x, y\",i-1,1590456705100,1590456707000,1590456705.0,1590456707.1\n\
                2,False,\"x, y\",i-1,,,1590456709.0,nan\n";
    let Loaded { trace, notes } = read_as("aws-lambda", &[("run.csv", text)], "run.csv", &Reading::default());
    // Network: 2.1 s − 1.9 s of the warm call; cold: 2.9 s less that.
    assert_eq!(functions(&trace), [("workload", 128, 2700.0, 1900.0)]);
    assert_eq!(
        arrivals(&trace),
        [(0, "workload", Some(2_000_000)), (10_000_000, "workload", Some(1_900_000))]
    );
    assert!(notes[0].ends_with("1 row lacks a time; left out, as the authors do"), "{notes:?}");
    let measured = trace.listed().expect("rows").measured().expect("measured");
    assert_eq!((measured[0].cold, measured[1].cold), (true, false));
    assert_eq!((measured[0].container, measured[1].container), (Some(0), Some(0)));
}
