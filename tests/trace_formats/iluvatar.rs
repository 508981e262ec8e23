//! Ilúvatar: rows written by hand to the schema of its load generator.

use faassim::trace::{Loaded, Reading};

use super::{arrivals, functions, message, read_as};

const METADATA: &str = "func_name,cold_dur_ms,warm_dur_ms,mem_mb,mean_iat,image_name\n\
                        a,5000,500,512,797.28,docker.io/x:latest\nb,300,23,94,10,docker.io/y:latest\n";
const INVOCATIONS: &str = "func_name,invoke_time_ms\na,6\nb,51\na,1000\n";

#[test]
fn invocations_and_metadata_are_found_by_their_names() {
    for (invocations, metadata, path) in [
        ("trace.csv", "metadata-trace.csv", "trace.csv"),
        ("trace.csv", "metadata-trace.csv", ""),
        ("four.csv", "four-metadata.csv", "four.csv"),
        ("in.csv", "meta.csv", "in.csv"),
        ("in.csv", "anything.csv", ""),
    ] {
        let files = [(invocations, INVOCATIONS), (metadata, METADATA)];
        let Loaded { trace, notes } = read_as("iluvatar", &files, path, &Reading::default());
        assert_eq!(functions(&trace), [("a", 512, 5000.0, 500.0), ("b", 94, 300.0, 23.0)]);
        assert_eq!(arrivals(&trace), [(6_000, "a", None), (51_000, "b", None), (1_000_000, "a", None)]);
        assert_eq!(notes, [""; 0]);
    }
}

#[test]
fn a_pair_that_is_not_there_is_said() {
    let said = message(&[("trace.csv", INVOCATIONS)], "trace.csv", &Reading::default());
    assert_eq!(
        said,
        "DIR/trace.csv: no file of functions goes with `DIR/trace.csv`\n  \
         help: put `metadata-trace.csv` beside it, with func_name, cold_dur_ms, warm_dur_ms and mem_mb"
    );
    let files = [("x.csv", INVOCATIONS), ("y.csv", INVOCATIONS), ("metadata-x.csv", METADATA)];
    assert_eq!(
        message(&files, "", &Reading::default()),
        "DIR: has 2 files of invocations\n  help: give the file of invocations that is meant"
    );
    let files = [("x.csv", "func_name,invoke_time_ms\nc,6\n"), ("metadata-x.csv", METADATA)];
    let said = message(&files, "x.csv", &Reading::default());
    assert!(said.starts_with("DIR/x.csv:2: column `func_name`: unknown function `c`"), "{said}");
}
