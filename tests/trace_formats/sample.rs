//! Parts of traces: what is kept is kept as it was.

use std::collections::BTreeMap;

use faassim::memory::Memory;
use faassim::time::{Span, Time};
use faassim::trace::counts::Builder;
use faassim::trace::sample::{By, Cut};
use faassim::trace::{Expansion, Function, Invocations, RunTime, Spacing, Trace, Window};
use proptest::prelude::*;

/// Arrivals by function.
fn by_function(trace: &Trace) -> BTreeMap<String, Vec<(u64, Option<Span>)>> {
    let mut arrivals: BTreeMap<String, Vec<_>> = BTreeMap::new();
    for arrival in trace.arrivals() {
        let name = trace.functions[arrival.function as usize].name.clone();
        arrivals.entry(name).or_default().push((arrival.time.0, arrival.duration));
    }
    arrivals
}

fn functions(count: usize) -> Vec<Function> {
    (0..count).map(|n| Function::new(format!("f{n:02}"), Memory(1), Span(20), Span(10))).collect()
}

/// The same counts, one by one and as counts.
fn both(cells: &[(u32, u32, u32)]) -> [Trace; 2] {
    let mut counts = Builder::new(Span::from_mins(1));
    for &(bin, function, count) in cells {
        counts.add(bin, function, count);
    }
    let expansion = Expansion { spacing: Spacing::Uniform, seed: 3 };
    let counted = Trace::counted("t", functions(12), counts.finish(), expansion).expect("valid");
    let mut invocations = Invocations::default();
    for (nth, arrival) in counted.arrivals().enumerate() {
        invocations.push(arrival.time, arrival.function, RunTime::capped(Span(nth as u64)));
    }
    [Trace::new("t", functions(12), invocations).expect("valid"), counted]
}

proptest! {
    /// Whoever is kept keeps every arrival, whatever the way of choosing and the form of the trace.
    #[test]
    fn a_sample_conserves_the_arrivals_of_whom_it_keeps(
        cells in prop::collection::vec((0_u32..9, 0_u32..12, 1_u32..40), 1..40),
        seed in any::<u64>(),
        wanted in 1_usize..12,
    ) {
        for trace in both(&cells) {
            let all = by_function(&trace);
            let wanted = wanted.min(all.len());
            for (_, by) in By::NAMES {
                let sample = trace.cut(Cut { functions: wanted, by, seed }).expect("there are enough");
                let kept = by_function(&sample);
                prop_assert_eq!(kept.len(), wanted);
                for (name, arrivals) in &kept {
                    prop_assert_eq!(arrivals, &all[name]);
                }
                prop_assert_eq!(&trace.cut(Cut { functions: wanted, by, seed }).expect("again"), &sample);
            }
        }
    }

    #[test]
    fn a_window_conserves_what_lies_in_it(
        cells in prop::collection::vec((0_u32..9, 0_u32..12, 1_u32..40), 1..40),
        from in 0_u64..9,
        minutes in 1_u64..9,
    ) {
        let minute = |n: u64| Time(n * 60_000_000);
        let window = Window { from: minute(from), until: minute(from + minutes), limit: None };
        for trace in both(&cells) {
            let expected: Vec<_> = trace.stream(window).collect();
            match trace.windowed(window) {
                Ok(part) => prop_assert_eq!(part.arrivals().collect::<Vec<_>>(), expected),
                Err(_) => prop_assert!(expected.is_empty()),
            }
        }
    }

    #[test]
    fn whole_rates_multiply_exactly_and_others_nearly(
        cells in prop::collection::vec((0_u32..9, 0_u32..12, 1_u32..400), 20..40),
        seed in any::<u64>(),
    ) {
        for trace in both(&cells) {
            let before = trace.invocations_by_function();
            let tripled = trace.at_rate(3.0, seed).expect("possible").invocations_by_function();
            prop_assert_eq!(tripled, before.iter().map(|count| count * 3).collect::<Vec<_>>());
            let thinned = trace.at_rate(0.25, seed).expect("possible").len() as f64;
            let expected = trace.len() as f64 * 0.25;
            prop_assert!((thinned - expected).abs() < 6.0 * expected.sqrt() + 6.0, "{thinned} {expected}");
            prop_assert_eq!(trace.at_rate(1.0, seed).expect("possible").arrivals().collect::<Vec<_>>(), trace.arrivals().collect::<Vec<_>>());
        }
    }
}

#[test]
fn top_and_rare_are_the_ends_and_representative_is_from_every_quartile() {
    let cells: Vec<(u32, u32, u32)> = (0..12).map(|function| (0, function, (function + 1) * 10)).collect();
    for trace in both(&cells) {
        let names = |by| -> Vec<String> {
            let sample = trace.cut(Cut { functions: 4, by, seed: 1 }).expect("enough");
            sample.functions.iter().map(|function| function.name.clone()).collect()
        };
        assert_eq!(names(By::Top), ["f08", "f09", "f10", "f11"]);
        assert_eq!(names(By::Rare), ["f00", "f01", "f02", "f03"]);
        let quartiles: Vec<usize> = names(By::Representative)
            .iter()
            .map(|name| name[1..].parse::<usize>().expect("a number") / 3)
            .collect();
        assert_eq!(quartiles, [0, 1, 2, 3]);
    }
}

#[test]
fn what_cannot_be_cut_is_said() {
    let [listed, counted] = both(&[(0, 0, 5), (1, 1, 5)]);
    let cut = |functions| listed.cut(Cut { functions, by: By::Top, seed: 1 });
    assert_eq!(
        cut(3).expect_err("too many").to_string(),
        "t: 2 functions are invoked, 3 are wanted\n  help: ask for fewer, but at least one"
    );
    let window = |from, until| Window { from: Time(from), until: Time(until), limit: None };
    assert_eq!(
        counted.windowed(window(0, 90_000_000)).expect_err("half a minute").to_string(),
        "t: holds counts per 1 min\n  help: cut it at whole bins, or write its invocations one by one first (convert --expand)"
    );
    let error = listed.windowed(window(600_000_000, 900_000_000)).expect_err("empty").to_string();
    assert!(error.starts_with("t: no invocation lies in the window\n  help: arrivals go from "), "{error}");
    assert!(listed.at_rate(0.0, 1).is_err() && listed.at_rate(f64::NAN, 1).is_err());
}
