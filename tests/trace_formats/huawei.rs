//! Huawei 2023 and 2025: rows written by hand to the published schema.

use faassim::time::Span;
use faassim::trace::{Loaded, Reading, Spacing};

use super::{arrivals, functions, message, read_as};

const DAY_0: &str = "day,time,0,1,2\n0,0,,2,0\n0,60,1.0,,\n0,120,,,\n";
const DAY_2: &str = "day,time,0,1,2\n2,172800,,,3\n2,172860,,,\n";

fn reading() -> Reading {
    Reading { spacing: Spacing::Equidistant, ..Reading::default() }
}

#[test]
fn missing_fields_are_no_requests_and_missing_days_are_gaps() {
    let files = [("requests_minute/day_000.csv", DAY_0), ("requests_minute/day_002.csv", DAY_2)];
    let Loaded { trace, notes } = read_as("huawei", &files, "requests_minute", &reading());
    assert_eq!(functions(&trace)[0], ("f0", 128, 1100.0, 100.0));
    let (minute, day) = (60_000_000, 86_400_000_000);
    assert_eq!(
        arrivals(&trace),
        [
            (0, "f1", None),
            (minute / 2, "f1", None),
            (minute, "f0", None),
            (2 * day, "f2", None),
            (2 * day + minute / 3, "f2", None),
            (2 * day + 2 * minute / 3, "f2", None),
        ]
    );
    assert_eq!(
        notes,
        [
            "assumed for every function, for want of better: a run time of 100 ms, a cold start of 1 s, 128 MiB; \
          set run-time, cold-start, function-memory"
        ]
    );
    let days = Reading { days: vec![2], ..reading() };
    assert_eq!(read_as("huawei", &files, "requests_minute", &days).trace.len(), 3);
    let said = message(&files, "requests_minute", &Reading { days: vec![1], ..reading() });
    assert_eq!(said, "DIR/requests_minute: has no day 1\n  help: the days there are: 0, 2");
}

#[test]
fn rows_per_second_and_times_within_the_day() {
    let text = "day,time,0\n1,0,5\n1,1,0\n1,2,7\n";
    let Loaded { trace, .. } = read_as("huawei", &[("day_01.csv", text)], "day_01.csv", &reading());
    assert_eq!(trace.counts().expect("counts").0.width(), Span::from_secs(1));
    assert_eq!((trace.len(), trace.first().0), (12, 86_400_000_000));
}

#[test]
fn run_times_and_memory_come_from_the_folders_beside() {
    let files = [
        ("requests_minute/day_000.csv", DAY_0),
        ("function_delay_minute/day_000.csv", "day,time,0,1,2\n0,0,,30,\n0,60,400,50,\n"),
        ("memory_limit_minute/day_000.csv", "day,time,0,1,2\n0,0,1024,512,\n0,60,1024,,\n"),
        ("instances_minute/day_000.csv", "day,time,0,1,2\n0,0,2,1,\n0,60,2,,\n"),
    ];
    let Loaded { trace, .. } = read_as("huawei", &files, "requests_minute", &reading());
    assert_eq!(
        functions(&trace),
        [("f0", 512, 1400.0, 400.0), ("f1", 512, 1040.0, 40.0), ("f2", 128, 1100.0, 100.0)]
    );
}

#[test]
fn days_are_read_in_their_order_and_rows_need_not_be_regular() {
    let text = |day: u64, times: &[u64]| {
        let rows: String = times.iter().map(|time| format!("{day},{},1\n", day * 86_400 + time)).collect();
        format!("day,time,0\n{rows}")
    };
    let (one, two, ten) = (text(1, &[0, 60]), text(2, &[0, 60, 119]), text(10, &[120]));
    let files = [("day_1.csv", one.as_str()), ("day_2.csv", two.as_str()), ("day_10.csv", ten.as_str())];
    let Loaded { trace, .. } = read_as("huawei", &files, "", &reading());
    // A row a second early makes bins of a second: every request is where it was told.
    assert_eq!(trace.counts().expect("counts").0.width(), Span::from_secs(1));
    let times: Vec<u64> = trace.arrivals().map(|arrival| arrival.time.0 / 1_000_000 - 86_400).collect();
    assert_eq!(times, [0, 60, 86_400, 86_460, 86_519, 9 * 86_400 + 120]);
    let said = message(&files, "day_1.csv", &Reading { days: vec![2], ..reading() });
    assert_eq!(said, "DIR/day_1.csv: has no day 2\n  help: the days there are: 1");
}

#[test]
fn what_lies_beside_is_checked_too() {
    let files = [
        ("requests_minute/day_000.csv", DAY_0),
        ("function_delay_minute/day_000.csv", "day,time,0,1,2\n0,0,,fast,\n"),
    ];
    let said = message(&files, "requests_minute", &reading());
    let place = "function_delay_minute/day_000.csv:2: column `1`: `fast` is not a number";
    assert!(said.contains(place), "{said}");
}
