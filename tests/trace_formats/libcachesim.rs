//! libCacheSim: rows written by hand to the columns of its example traces.

use faassim::trace::{Loaded, Reading};

use super::{arrivals, functions, read_as};

#[test]
fn columns_are_found_by_name() {
    let named = "version,time,op,size,lbn\n1,33898,2a,512,42\n1,33899,2a,6656,40\n1,33899,2a,3145729,42\n";
    let commented =
        "#time,object,size,next_access_vtime\n33898,42,512,1\n33899,40,6656,-1\n33899,42,3145729,-1\n";
    for text in [named, commented] {
        let Loaded { trace, notes } =
            read_as("libcachesim", &[("t.csv", text)], "t.csv", &Reading::default());
        assert_eq!(functions(&trace), [("40", 1, 1100.0, 100.0), ("42", 4, 1100.0, 100.0)]);
        assert_eq!(
            arrivals(&trace),
            [(33_898_000_000, "42", None), (33_899_000_000, "40", None), (33_899_000_000, "42", None)]
        );
        assert_eq!(notes.len(), 1, "{notes:?}");
    }
}

#[test]
fn a_file_without_header_is_read_when_its_format_is_said() {
    let reading = Reading { format: faassim::trace::formats::find("libcachesim"), ..Reading::default() };
    let folder = super::folder(&[("t.csv", "0,7,100\n1,8,200\n")]);
    let trace = super::load(&folder.path().join("t.csv"), &reading).expect("three numbers").trace;
    assert_eq!(arrivals(&trace), [(0, "7", None), (1_000_000, "8", None)]);
}

/// Found by fuzzing: a column called `1` was taken for the first of a file without header.
#[test]
fn a_column_called_1_is_no_missing_header() {
    let reading = Reading { format: faassim::trace::formats::find("libcachesim"), ..Reading::default() };
    let said = super::message(&[("t.csv", "1,0\n1,8\n")], "t.csv", &reading);
    assert!(said.starts_with("DIR/t.csv:1: no column `time`; the header has `1`, `0`"), "{said}");
}

#[test]
fn equal_fields_of_the_first_row_are_no_equal_names() {
    let reading = Reading { format: faassim::trace::formats::find("libcachesim"), ..Reading::default() };
    let folder = super::folder(&[("t.csv", "0,0,4096\n1,5,100\n")]);
    let trace = super::load(&folder.path().join("t.csv"), &reading).expect("three numbers").trace;
    assert_eq!(arrivals(&trace), [(0, "0", None), (1_000_000, "5", None)]);
}
