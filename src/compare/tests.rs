//! Whole comparisons of small sides, by hand.

use super::figures::Range;
use super::*;
use crate::scenario::Measure;
use crate::time::{Span, Time};

/// A side whose invocations of one function are served as the letters say: warm, partial, cold, unserved; a dash is no row.
fn side(label: &str, letters: &str) -> Side {
    let mut side = Side::new(label, SideKind::Live, vec!["f".to_owned()]);
    for (number, letter) in (0_u64..).zip(letters.chars()) {
        let (class, start) = match letter {
            'w' => (Class::Warm, Some(StartState::Warmed)),
            'p' => (Class::Partial, Some(StartState::Prewarmed)),
            'j' => (Class::Partial, Some(StartState::Warming)),
            'c' => (Class::Cold, Some(StartState::Cold)),
            'u' => (Class::Unserved, None),
            _ => continue,
        };
        let ms = if class == Class::Warm { 100 } else { 500 };
        let served = (class != Class::Unserved).then_some(Span::from_ms(ms));
        side.invocations.push(Invocation {
            number,
            function: 0,
            arrival: Time::from_ms(1_000 * number),
            class,
            start,
            wait: served.map(|_| Span::from_ms(ms - 100)),
            init: None,
            duration: served,
            response: served,
            failed: false,
        });
    }
    side
}

fn compared(a: &[Side], b: &[Side]) -> Comparison {
    compare(a, b, &Options::default()).unwrap_or_else(|error| panic!("{error}"))
}

fn one(a: &str, b: &str) -> Comparison {
    compared(&[side("a", a)], &[side("b", b)])
}

#[test]
fn two_sides_by_hand() {
    let found = one("cwwwcwwpuu", "cwwwwwwwwu");
    let agreement = found.agreement.as_ref().expect("one by one");
    // Rows of A: warm, partial, cold, unserved.
    assert_eq!(agreement.matrix, [[5, 0, 0, 0], [1, 0, 0, 0], [1, 0, 1, 0], [1, 0, 0, 1]]);
    assert_eq!((agreement.matched, agreement.pct), (10, Some(70.0)));
    // Observed 0.7; expected (5*8 + 1*0 + 2*1 + 2*1)/100 = 0.44.
    assert!((agreement.kappa.expect("defined") - 0.26 / 0.56).abs() < 1e-12);
    let counts = found.a.counts;
    assert_eq!((counts.warm, counts.partial, counts.cold, counts.unserved), (5, 1, 2, 2));
    assert_eq!(found.a.shares.cold.map(|share| share.pct), Some(25.0), "of the served");
    assert_eq!(found.a.shares.unserved.map(|share| share.pct), Some(20.0), "of all");
    let cold = found.differences.cold.expect("both served");
    assert!((cold.pp - (25.0 - 100.0 / 9.0)).abs() < 1e-9 && cold.low < 0.0 && cold.high > cold.pp);
    // Medians 100 and 100; the 90th of eight is the eighth: 500.
    let response = found.differences.response_pct.expect("both answered");
    assert_eq!((response.p50, response.p90), (Some(0.0), Some(0.0)));
    assert_eq!(found.a.wait.map(|wait| wait.waited), Some(3));
    assert_eq!(found.differences.memory, None);
    let ks = found.differences.response_ks.expect("both answered");
    assert!((ks.distance - (8.0 / 9.0 - 5.0 / 8.0)).abs() < 1e-12);
}

#[test]
fn sides_of_different_length_are_compared_as_far_as_both_go() {
    let found = one("cwwwcc", "cw-w");
    let agreement = found.agreement.expect("one by one");
    assert_eq!((agreement.matched, agreement.only_a, agreement.only_b), (3, 1, 0));
    assert_eq!(found.a.counts.invocations, 4, "of A only what came before B ended");
    assert!(
        found.notes[0].starts_with("A has 6 invocations and B 4: the first 4 are compared"),
        "{:?}",
        found.notes
    );
}

#[test]
fn sides_that_tell_only_cold_or_warm_fold_what_is_partly_cold() {
    let mut b = side("b", "cccww");
    b.two_classes = true;
    let found = compared(&[side("a", "cpcjw")], &[b]);
    assert_eq!(found.agreement.expect("one by one").pct, Some(100.0));
    assert!(found.notes[0].starts_with("B tells only cold or warm: 2 partly cold"), "{:?}", found.notes);
}

#[test]
fn where_all_are_of_one_class_kappa_is_undefined_and_kept() {
    let limits = |sets: &[&str]| {
        let sets: Vec<_> = sets.iter().map(|set| set.parse().expect("PATH=VALUE")).collect();
        CompareSpec::from_overrides(&sets).expect("right")
    };
    let options = Options { limits: limits(&["compare.kappa=0.9"]), different_workloads: false };
    let found = compare(&[side("a", "www")], &[side("b", "www")], &options).expect("alike");
    assert_eq!(found.agreement.expect("one by one").kappa, None);
    assert!(!found.verdict.exceeded);
    // One side of one class: no agreement beyond chance.
    let found = compare(&[side("a", "www")], &[side("b", "wwc")], &options).expect("alike");
    assert_eq!(found.verdict.limits[0].value, Some(0.0));
    assert!(found.verdict.exceeded);
}

#[test]
fn limits_hold_the_absolute_difference() {
    let sets = ["compare.cold-ratio-pp=25", "compare.agreement-pct=50", "compare.memory-pct=5"];
    let sets: Vec<_> = sets.iter().map(|set| set.parse().expect("PATH=VALUE")).collect();
    let limits = CompareSpec::from_overrides(&sets).expect("right");
    let options = Options { limits, different_workloads: false };
    let found = compare(&[side("a", "wwww")], &[side("b", "cwww")], &options).expect("alike");
    let told: Vec<_> = found.verdict.limits.iter().map(|one| (one.measure, one.value, one.kept)).collect();
    assert_eq!(
        told,
        [
            (Measure::ColdRatioPp, Some(25.0), true),
            (Measure::AgreementPct, Some(75.0), true),
            // What is not known cannot be kept.
            (Measure::MemoryPct, None, false),
        ]
    );
    assert!(found.verdict.exceeded);
}

#[test]
fn different_workloads_are_refused_unless_asked_for() {
    let a = side("a", "cww");
    let mut b = side("b", "cwww");
    b.functions = vec!["g".to_owned()];
    let error = compare(std::slice::from_ref(&a), std::slice::from_ref(&b), &Options::default())
        .expect_err("other functions");
    assert!(error.to_string().contains("invocation 0 is of `f` in a, of `g` in b"), "{error}");
    let options = Options { different_workloads: true, ..Options::default() };
    let found = compare(std::slice::from_ref(&a), &[b], &options).expect("asked for");
    assert!(!found.same_workload && found.agreement.is_none() && found.functions.is_empty());
    assert_eq!((found.a.counts.invocations, found.b.counts.invocations), (3, 4), "all of both");
    assert_eq!((found.only_a[0].function.as_str(), found.only_b[0].function.as_str()), ("f", "g"));

    let traced = |sha: &str| Side { trace_sha256: Some(sha.to_owned()), ..a.clone() };
    let error = compare(&[traced("11")], &[traced("22")], &Options::default()).expect_err("other traces");
    assert!(error.to_string().contains("different traces: a is of 11…, a of 22…"), "{error}");
    compare(&[traced("11")], std::slice::from_ref(&a), &Options::default()).expect("not known to differ");
    let error = compare(&[side("a", "")], &[a], &Options::default()).expect_err("nothing");
    assert!(error.to_string().contains("a: has no invocation that ended"), "{error}");
}

#[test]
fn sides_without_common_numbers_are_told() {
    let error =
        compare(&[side("a", "-c-c")], &[side("b", "c-c-")], &Options::default()).expect_err("disjoint");
    assert!(error.to_string().contains("no invocation of a has a counterpart"), "{error}");
}

#[test]
fn several_runs_are_pooled_and_held_against_each_other() {
    let found = compared(&[side("a", "cwww")], &[side("b1", "cwww"), side("b2", "ccww"), side("b3", "cccw")]);
    let share = found.b.shares.cold.expect("served");
    assert_eq!((share.pct, found.b.shares.method), (50.0, "bootstrap"));
    assert!(share.low >= 25.0 && share.high <= 75.0 && share.low < share.high, "{share:?}");
    assert_eq!(found.a.shares.method, "wilson");
    let agreement = found.agreement.expect("one by one");
    assert_eq!((agreement.matched, agreement.pct), (12, Some(100.0 * 9.0 / 12.0)));
    assert_eq!(agreement.within_a_pct, None);
    // b1 and b2 agree on 3 of 4, b1 and b3 on 2, b2 and b3 on 3.
    assert_eq!(agreement.within_b_pct, Some(100.0 * 8.0 / 12.0));
    assert_eq!(found.functions[0].cold_starts, 1.0 - 2.0, "per run");
    assert_eq!(found.b.runs, ["b1", "b2", "b3"]);
}

#[test]
fn speeds_and_windows_that_differ_are_told() {
    let fast = Side { speed: Some(10.0), ..side("b", "cww") };
    let found = compared(&[side("a", "cww")], &[fast]);
    assert!(found.notes.iter().any(|note| note.contains("different speeds (1 and 10)")), "{:?}", found.notes);
    let mut late = side("b", "cww");
    late.invocations.iter_mut().skip(1).for_each(|one| one.arrival = Time(one.arrival.0 + 7_000_000));
    let found = compared(&[side("a", "cww")], &[late]);
    let note = found.notes.iter().find(|note| note.contains("arrivals of the same number")).expect("told");
    assert!(note.contains("7.0 s apart"), "{note}");
}

#[test]
fn functions_are_listed_by_how_much_their_cold_starts_differ() {
    let mut a = side("a", "ccccww");
    let mut b = side("b", "cwwwwc");
    for side in [&mut a, &mut b] {
        side.functions = vec!["same".to_owned(), "other".to_owned(), "one".to_owned()];
        for one in &mut side.invocations {
            one.function = match one.number {
                0 => 0,
                1..=3 => 1,
                _ => 2,
            };
        }
    }
    // The same names, in another order of numbers.
    b.functions.reverse();
    b.invocations.iter_mut().for_each(|one| one.function = 2 - one.function);
    let found = compared(&[a], &[b]);
    let order: Vec<(&str, f64)> =
        found.functions.iter().map(|one| (one.function.as_str(), one.cold_starts)).collect();
    assert_eq!(order, [("other", 3.0), ("one", -1.0), ("same", 0.0)]);
    assert_eq!(found.functions[0].agreement_pct, Some(0.0));
    assert_eq!(found.functions[2].agreement_pct, Some(100.0));
}

#[test]
fn what_is_equal_lies_within() {
    // 100 · 1/3 and 100/3 are not the same number.
    let runs = [side("a", "cww"), side("b", "cww")];
    let found = compared(&runs, &[side("c", "cww")]);
    let cold = found.a.single_runs.and_then(|runs| runs.cold_pct).expect("there are two");
    assert!(cold.holds(found.b.shares.cold.expect("served").pct));
}

#[test]
fn single_runs_tell_how_far_apart_they_lie() {
    let runs = [side("a", "cwww"), side("b", "ccww"), side("c", "cccc")];
    let found = compared(&runs, &[side("d", "ccwu")]);
    let single = found.a.single_runs.expect("there are three");
    assert_eq!(single.cold_pct, Some(Range { least: 25.0, greatest: 100.0 }));
    assert_eq!(single.p50_ms, Some(Range { least: 100.0, greatest: 500.0 }));
    assert_eq!(single.p95_ms, Some(Range { least: 500.0, greatest: 500.0 }));
    assert_eq!(found.b.single_runs, None, "there is one");
    let cold = found.b.shares.cold.expect("some were served").pct;
    assert!(single.cold_pct.expect("served").holds(cold) && !single.cold_pct.expect("served").holds(24.9));
}
