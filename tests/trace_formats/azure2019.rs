//! Azure Functions Trace 2019: nine real rows of day 1; the files of run times and memory are written by hand to the
//! published schema, since no real rows of them may be had here.

use std::collections::BTreeMap;
use std::io::Read as _;

use faassim::duration::{DurationValue, Shape};
use faassim::memory::Memory;
use faassim::time::{Span, Time};
use faassim::trace::formats::load;
use faassim::trace::reading::{AppMemory, ColdStart, Incomplete, RunTimes, Unit};
use faassim::trace::{Loaded, Reading, Spacing, Trace, Window};

use super::{File, data, functions, message, read_as};

const INVOCATIONS: File = (
    "invocations_per_function_md.anon.d01.csv",
    "HashOwner,HashApp,HashFunction,Trigger,1,2,3,4\n\
     o1,a1,f1,http,1,0,2,0\n\
     o1,a1,f2,timer,1,1,1,1\n\
     o2,a2,f3,queue,0,0,0,5\n",
);
const DURATIONS: File = (
    "function_durations_percentiles.anon.d01.csv",
    "HashOwner,HashApp,HashFunction,Average,Count,Minimum,Maximum,percentile_Average_0,percentile_Average_1,\
     percentile_Average_25,percentile_Average_50,percentile_Average_75,percentile_Average_99,percentile_Average_100\n\
     o1,a1,f1,100,3,-5.0,900.0,-5,1,50,100,150,800,900\n\
     o1,a1,f2,2000,4,0.0,2000.0,0,0,1000,2000,2000,2000,2000\n",
);
const MEMORY: File = (
    "app_memory_percentiles.anon.d01.csv",
    "HashOwner,HashApp,SampleCount,AverageAllocatedMb,AverageAllocatedMb_pct1\n\
     o1,a1,10,101,90\n\
     o9,a9,10,500,90\n",
);

fn all(reading: &Reading) -> Loaded {
    read_as("azure2019", &[INVOCATIONS, DURATIONS, MEMORY], "", reading)
}

/// Invocations by function and minute.
fn by_minute(trace: &Trace) -> BTreeMap<(String, u64), u64> {
    let mut counts = BTreeMap::new();
    for arrival in trace.arrivals() {
        let name = trace.functions[arrival.function as usize].name.clone();
        *counts.entry((name, arrival.time.0 / 60_000_000)).or_default() += 1;
    }
    counts
}

#[test]
fn real_counts_are_conserved_per_function_and_minute() {
    let file = data("azure2019-d01-9-functions.csv.gz");
    let mut text = String::new();
    flate2::read::GzDecoder::new(std::fs::File::open(&file).expect("there"))
        .read_to_string(&mut text)
        .expect("gzip");
    let mut expected: BTreeMap<(String, u64), u64> = BTreeMap::new();
    for row in text.lines().skip(1) {
        let fields: Vec<&str> = row.split(',').collect();
        for (minute, count) in fields[4..].iter().enumerate() {
            let count: u64 = count.parse().expect("a count");
            if count > 0 {
                expected.insert((fields[2].to_owned(), minute as u64), count);
            }
        }
    }
    assert_eq!(expected.values().sum::<u64>(), 1_061);
    for (_, spacing) in Spacing::NAMES {
        let reading = Reading { spacing, ..Reading::default() };
        let trace = load(&file, &reading).expect("real rows").trace;
        assert_eq!((trace.functions.len(), trace.len()), (9, 1_061));
        assert_eq!(by_minute(&trace), expected, "{}", spacing.name());
    }
}

#[test]
fn the_three_files_are_joined() {
    let Loaded { trace, notes } = all(&Reading::default());
    // The medians of run times and of memory stand in for f3 of a2, which has neither.
    assert_eq!(
        functions(&trace),
        [("f1", 51, 900.0, 100.0), ("f2", 51, 2000.0, 2000.0), ("f3", 101, 900.0, 100.0)]
    );
    assert_eq!(trace.functions[1].app.as_deref(), Some("a1"));
    assert_eq!(trace.functions[1].namespace, "o1");
    assert_eq!(trace.functions[1].trigger.as_deref(), Some("timer"));
    assert_eq!(
        notes,
        [
            "1 functions without run times: the median of the others stands in (100 ms)",
            "1 apps without memory: the median of the others stands in (101 MB)",
        ]
    );
    let expected =
        [("f1", 0, 1), ("f1", 2, 2), ("f2", 0, 1), ("f2", 1, 1), ("f2", 2, 1), ("f2", 3, 1), ("f3", 3, 5)];
    let expected: BTreeMap<_, _> = expected.map(|(f, minute, n)| ((f.to_owned(), minute), n)).into();
    assert_eq!(by_minute(&trace), expected);
}

#[test]
fn memory_may_be_charged_whole_and_gaps_dropped() {
    let reading =
        Reading { app_memory: AppMemory::Whole, incomplete: Incomplete::Drop, ..Reading::default() };
    let Loaded { trace, notes } = all(&reading);
    assert_eq!(functions(&trace), [("f1", 101, 900.0, 100.0), ("f2", 101, 2000.0, 2000.0)]);
    assert_eq!(trace.len(), 7, "the invocations of f3 are left out");
    assert!(notes[0].ends_with("left out with their invocations"), "{notes:?}");
}

#[test]
fn an_app_may_be_the_unit_of_keep_alive() {
    let Loaded { trace, .. } = all(&Reading { unit: Unit::App, ..Reading::default() });
    let names: Vec<&str> = trace.functions.iter().map(|f| f.name.as_str()).collect();
    assert_eq!(names, ["a1", "a2"]);
    assert_eq!(trace.functions[0].memory, Memory(101));
    // Every invocation keeps the run time of its function.
    let mut runs: Vec<u64> = trace.arrivals().filter_map(|a| Some(a.duration?.0 / 1_000)).collect();
    runs.sort_unstable();
    assert_eq!(runs, [100, 100, 100, 100, 100, 100, 100, 100, 2000, 2000, 2000, 2000]);
    // The instants are those of the functions.
    let by_function: Vec<u64> = all(&Reading::default()).trace.arrivals().map(|a| a.time.0).collect();
    assert_eq!(trace.arrivals().map(|a| a.time.0).collect::<Vec<_>>(), by_function);
}

#[test]
fn run_times_may_be_drawn_from_percentiles() {
    let reading = Reading { run_time: RunTimes::Percentiles, ..Reading::default() };
    let Loaded { trace, .. } = all(&reading);
    for arrival in trace.arrivals() {
        match arrival.function {
            0 => assert!(arrival.duration.expect("drawn") <= Span::from_ms(900)),
            1 => assert!(arrival.duration.expect("drawn") <= Span::from_ms(2000)),
            _ => assert_eq!(arrival.duration, None, "f3 has no percentiles"),
        }
    }
    assert!(trace.arrivals().any(|a| a.function == 1 && a.duration < Some(Span::from_ms(2000))));
}

#[test]
fn cold_starts_follow_the_model() {
    let second = ColdStart::Given(DurationValue::constant(Span::from_secs(1)));
    let Loaded { trace, .. } = all(&Reading { cold_start: second, ..Reading::default() });
    assert_eq!(functions(&trace)[1], ("f2", 51, 3000.0, 2000.0));
    let shape = Shape::LogNormal { median: Span::from_ms(1_350), sigma: 1.326 };
    let drawn = ColdStart::Given(DurationValue { shape, min: None, max: None });
    let reading = Reading { cold_start: drawn, ..Reading::default() };
    let cold = |seed| all(&Reading { seed, ..reading.clone() }).trace.functions[0].cold;
    assert_eq!(cold(1), cold(1));
    assert_ne!(cold(1), cold(2));
}

#[test]
fn days_are_laid_end_to_end() {
    let third = (
        "invocations_per_function_md.anon.d03.csv",
        "HashOwner,HashApp,HashFunction,Trigger,1,2\no1,a1,f1,http,0,7\no3,a3,f9,http,1,0\no2,a2,f3,queue,0,0\n",
    );
    let first = INVOCATIONS.1.replace("f3,queue", "f3,others");
    let files = [(INVOCATIONS.0, first.as_str()), DURATIONS, MEMORY, third];
    let both = read_as("azure2019", &files, "", &Reading::default()).trace;
    assert_eq!(both.len(), 12 + 8);
    assert_eq!(by_minute(&both)[&("f1".to_owned(), 1_441)], 7);
    assert_eq!(by_minute(&both)[&("f9".to_owned(), 1_440)], 1);
    assert_eq!(both.functions[2].trigger.as_deref(), Some("queue"), "`others` on the first day");
    let Loaded { trace: only, notes } =
        read_as("azure2019", &files, "", &Reading { days: vec![3], ..Reading::default() });
    assert_eq!(by_minute(&only)[&("f1".to_owned(), 1)], 7);
    assert!(notes.contains(&"no file of run times for day 3".to_owned()), "{notes:?}");
    let stand_in = "no file of memory for the chosen days; that of day 1 stands in";
    assert!(notes.contains(&stand_in.to_owned()), "{notes:?}");
    // A file that is named means its day, with its companions.
    let named = read_as("azure2019", &files, INVOCATIONS.0, &Reading::default()).trace;
    assert_eq!((named.len(), functions(&named)[0]), (12, ("f1", 51, 900.0, 100.0)));
    let said = message(&files, "", &Reading { days: vec![2], ..Reading::default() });
    assert_eq!(said, "DIR: has no day 2\n  help: the days there are: 1, 3");
}

#[test]
fn oddities_of_the_real_files_are_repaired_and_noted() {
    let durations = format!(
        "{}o1,a1,f1,300,1,0,5000,0,0,0,0,0,0,0\no2,a2,f3,-41692,2,-9,4,0,0,0,0,0,0,0\no8,a8,f8,1,1,1,1,0,0,0,0,0,0,0\n",
        DURATIONS.1
    );
    let invocations = format!("{}o1,a1,f1,http,1,1,0,0\n", INVOCATIONS.1);
    let memory = format!("{}o1,a1,30,201,90\n", MEMORY.1);
    let files = [
        (INVOCATIONS.0, invocations.as_str()),
        (DURATIONS.0, durations.as_str()),
        (MEMORY.0, memory.as_str()),
    ];
    let Loaded { trace, notes } = read_as("azure2019", &files, "", &Reading::default());
    // (3 × 100 + 1 × 300) / 4 and (10 × 101 + 30 × 201) / 40 over two functions.
    assert_eq!(functions(&trace)[0], ("f1", 88, 5000.0, 150.0));
    assert_eq!(by_minute(&trace)[&("f1".to_owned(), 0)], 2);
    let notes = notes.join("\n");
    for part in [
        "1 row repeats a function; counts are added up",
        "1 averages are negative and count as missing",
        "1 functions have run times but no invocations; left out",
    ] {
        assert!(notes.contains(part), "{part}\n{notes}");
    }
}

#[test]
fn equal_hashes_of_different_apps_are_different_functions() {
    let text = "HashOwner,HashApp,HashFunction,Trigger,1\no1,a1,f,http,1\no1,a2,f,http,2\no2,a2,f,http,4\no1,a1,g,http,8\n";
    let Loaded { trace, .. } =
        read_as("azure2019", &[("invocations.csv", text)], "invocations.csv", &Reading::default());
    let names: Vec<&str> = trace.functions.iter().map(|f| f.name.as_str()).collect();
    assert_eq!(names, ["a1/f", "g", "o1/a2/f", "o2/a2/f"]);
    assert_eq!(trace.invocations_by_function(), [1, 8, 2, 4]);
}

#[test]
fn a_window_is_the_same_part_of_the_same_arrivals() {
    let Loaded { trace, .. } = all(&Reading::default());
    let whole: Vec<_> = trace.arrivals().collect();
    for (from, until, limit) in
        [(0, 100, None), (30, 150, None), (90, 91, None), (59, 239, Some(3)), (300, 400, None)]
    {
        let (from, until) = (Time(from * 1_000_000), Time(until * 1_000_000));
        let window = Window { from, until, limit };
        let expected: Vec<_> = whole
            .iter()
            .copied()
            .filter(|a| a.time >= from && a.time < until)
            .take(limit.map_or(usize::MAX, |limit| limit as usize))
            .collect();
        assert_eq!(trace.count(window), expected.len() as u64);
        assert_eq!(trace.stream(window).collect::<Vec<_>>(), expected);
    }
}

#[test]
fn apps_of_one_function_each_are_not_taken_for_their_functions() {
    let text = "HashOwner,HashApp,HashFunction,Trigger,1\no,z,fa,http,5\no,a,fb,http,1\n";
    let reading = Reading { unit: Unit::App, ..Reading::default() };
    let trace = read_as("azure2019", &[("d01.csv", text)], "d01.csv", &reading).trace;
    assert!(trace.counts().is_none(), "written as counts by function, they would be swapped");
    assert_eq!(trace.invocations_by_function(), [1, 5]);
    let cells = by_minute(&trace);
    assert_eq!((cells[&("a".to_owned(), 0)], cells[&("z".to_owned(), 0)]), (1, 5));
}

#[test]
fn where_nobody_tells_there_is_no_median() {
    let Loaded { trace, notes } = read_as("azure2019", &[INVOCATIONS, MEMORY], "", &Reading::default());
    assert_eq!(functions(&trace)[0], ("f1", 51, 1100.0, 100.0));
    let expected = [
        "no file of run times for day 1",
        "assumed for every function, for want of better: a run time of 100 ms, a cold start of 1 s; set run-time, cold-start",
        "1 apps without memory: the median of the others stands in (101 MB)",
    ];
    assert_eq!(notes, expected);
}
