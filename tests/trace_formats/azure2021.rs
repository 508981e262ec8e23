//! Azure Functions Invocation Trace 2021: the first 199 real rows.

use faassim::time::Span;
use faassim::trace::formats::load;
use faassim::trace::{Loaded, Reading};

use super::{arrivals, data, functions, read_as};

#[test]
fn real_rows_arrive_when_they_ended_less_their_duration() {
    let file = data("azure2021-199-rows.csv");
    let trace = load(&file, &Reading::default()).expect("real rows").trace;
    assert_eq!((trace.len(), trace.functions.len()), (199, 31));
    let text = std::fs::read_to_string(&file).expect("there");
    let mut expected: Vec<(u64, u64)> = text
        .lines()
        .skip(1)
        .map(|row| {
            let fields: Vec<&str> = row.split(',').collect();
            let micros = |text: &str| (text.parse::<f64>().expect("a number") * 1e6).round() as u64;
            (micros(fields[2]).saturating_sub(micros(fields[3])), micros(fields[3]))
        })
        .collect();
    expected.sort_by_key(|row| row.0);
    let read: Vec<(u64, u64)> =
        trace.arrivals().map(|a| (a.time.0, a.duration.expect("every row has one").0)).collect();
    assert_eq!(read, expected);
}

#[test]
fn functions_are_told_apart_by_app_and_take_mean_and_maximum() {
    let text = "app,func,end_timestamp,duration\na,f,2.0,1.5\nb,f,2.5,0.5\na,f,10,0.5\na,g,0.25,1\n";
    let Loaded { trace, notes } = read_as("azure2021", &[("t.txt", text)], "", &Reading::default());
    assert_eq!(
        functions(&trace),
        [("a/f", 128, 1500.0, 1000.0), ("b/f", 128, 500.0, 500.0), ("g", 128, 1000.0, 1000.0)]
    );
    assert_eq!(
        arrivals(&trace),
        [
            (0, "g", Some(1_000_000)),
            (500_000, "a/f", Some(1_500_000)),
            (2_000_000, "b/f", Some(500_000)),
            (9_500_000, "a/f", Some(500_000)),
        ]
    );
    assert!(notes[0].ends_with("1 invocations began before time 0; taken to arrive at 0"), "{notes:?}");
    assert!(
        notes[1].ends_with("1 row was out of order; all are now sorted by time, ties in file order"),
        "{notes:?}"
    );
    assert_eq!(trace.functions[0].cold.saturating_sub(trace.functions[0].warm), Span::from_ms(500));
}
