//! The search on records small enough to follow by hand, and against plain counting on random ones.

use proptest::prelude::*;

use super::*;
use crate::memory::Memory;
use crate::trace::invocations::Measured;
use crate::trace::{Function, Invocations, RunTime};

/// A trace of functions that take 300 ms cold and 100 ms warm; calls as (function, arrival in ms, run in ms, cold, container).
fn trace(calls: &[(u32, u64, u64, bool, Option<u32>)]) -> Trace {
    let functions = calls.iter().map(|call| call.0).max().map_or(1, |most| most + 1);
    let function = |number: u32| {
        Function::new(format!("f{number:03}"), Memory(128), Span::from_ms(300), Span::from_ms(100))
    };
    let mut invocations = Invocations::default();
    let mut measured = Vec::new();
    for &(function, at, run, cold, container) in calls {
        invocations.push(Time::from_ms(at), function, RunTime::capped(Span::from_ms(run)));
        measured.push(Measured { cold, container });
    }
    let invocations = invocations.with_measured(measured);
    Trace::new("t", (0..functions).map(function).collect(), invocations).expect("a trace")
}

fn recorded(calls: &[(u32, u64, u64, bool, Option<u32>)]) -> Recorded {
    Recorded::new(&trace(calls)).expect("measured")
}

fn steps(recorded: &Recorded) -> Vec<Step> {
    recorded.steps(|_| true).expect("not stopped")
}

/// One container, idle for 700 ms and 1,900 ms, then lost after 4,900 ms.
const ONE: [(u32, u64, u64, bool, Option<u32>); 4] = [
    (0, 0, 100, true, Some(0)),
    (0, 1_000, 100, false, Some(0)),
    (0, 3_000, 100, false, Some(0)),
    (0, 8_000, 100, true, Some(1)),
];

#[test]
fn steps_are_the_idle_times() {
    let recorded = recorded(&ONE);
    assert_eq!((recorded.calls, recorded.cold, recorded.warm_at_start), (4, 2, 0));
    let ends: Vec<(u64, u64)> =
        steps(&recorded).iter().map(|step| (step.range.upto.0, step.agreement.predicted())).collect();
    // A cold call keeps its container for 200 ms longer: under 700 ms and less the third call finds one that was idle for 1,700 ms,
    // but that is not reached before the second call is warm.
    assert_eq!(ends, [(700_000, 4), (1_900_000, 3), (4_900_000, 2), (u64::MAX, 1)]);
}

#[test]
fn the_best_has_all_of_its_range() {
    let steps = vec![steps(&recorded(&ONE))];
    for aim in [Aim::Count, Aim::Calls] {
        let fit = best(&steps, aim);
        assert_eq!(fit.range, Range { over: Span::from_ms(1_900), upto: Span::from_ms(4_900) });
        assert_eq!(fit.range.example(), Span::from_secs(3));
        let all = Agreement { both_cold: 2, missed: 0, extra: 0, both_warm: 2 };
        assert_eq!((fit.agreement.as_slice(), all.kappa()), ([all].as_slice(), Some(1.0)));
    }
}

#[test]
fn containers_from_before_the_record_serve() {
    // Two of them: the second call finds the first one busy.
    let calls = [(0, 500, 400, false, Some(0)), (0, 600, 100, false, Some(1)), (0, 650, 100, true, Some(2))];
    let recorded = recorded(&calls);
    assert_eq!(recorded.warm_at_start, 2);
    assert_eq!(recorded.predicted(Span::from_secs(1)), [false, false, true]);
    assert_eq!(recorded.predicted(Span::from_ms(100)), [false, true, true], "idle since the first arrival");
    assert_eq!(recorded.from_empty().predicted(Span::from_secs(1)), [true, true, true]);
    // Without containers, one if the first call is warm.
    let calls = [(0, 0, 100, false, None), (0, 1, 100, true, None), (1, 2, 100, true, None)];
    assert_eq!(self::recorded(&calls).warm_at_start, 1);
}

#[test]
fn the_roundest_keep_alive_of_a_range() {
    let range = |over: u64, upto: u64| Range { over: Span(over), upto: Span(upto) }.example();
    assert_eq!(range(632_377_000, 633_557_000), Span::from_secs(633));
    assert_eq!(range(628_698_000, 646_244_000), Span::from_secs(630));
    assert_eq!(range(590_000_000, 660_000_000), Span::from_mins(10));
    assert_eq!(range(600_000_000, 660_000_000), Span::from_mins(11), "the first is not in it, the last is");
    assert_eq!(range(7, 8), Span(8));
    assert_eq!(range(0, 1), Span(1));
    assert_eq!(range(61_000_000, u64::MAX), Span::from_mins(2));
    assert_eq!(range(0, u64::MAX), Span::from_mins(1));
}

#[test]
fn each_cause_is_told_from_the_others() {
    let keep = Span::from_ms(1_000);
    let of = |calls: &[(u32, u64, u64, bool, Option<u32>)]| -> Vec<(u64, Cause, Option<u32>)> {
        let told = recorded(calls).disagreements(keep);
        told.iter().map(|it| (it.number, it.cause, it.container)).collect()
    };
    let first = (0, 0, 100, true, Some(0));
    // Idle since 300 ms.
    assert_eq!(of(&[first, (0, 800, 100, true, Some(1))]), [(1, Cause::RemovedEarly, Some(0))]);
    assert_eq!(
        of(&[first, (0, 800, 100, true, Some(1)), (0, 950, 100, false, Some(0))]),
        // The model has one container only, which is busy until 900 ms, and then it serves.
        [(1, Cause::PassedOver, Some(0))]
    );
    assert_eq!(of(&[first, (0, 1_300, 100, false, Some(0))]), [(1, Cause::KeptLonger, Some(0))]);
    assert_eq!(of(&[first, (0, 250, 100, false, Some(0))]), [(1, Cause::FreedMeanwhile, Some(0))]);
    // It was there from the start, so the model has it for the first call.
    assert_eq!(of(&[first, (0, 250, 100, false, Some(9))]), [(0, Cause::SpareInModel, None)]);
    assert_eq!(of(&[first, (0, 250, 100, false, None)]), [(1, Cause::Unknown, None)]);
    // The model made a second container at 250 ms; the platform did so at 900 ms, when its only one was busy.
    assert_eq!(
        of(&[
            first,
            (0, 250, 100, false, Some(0)),
            (0, 800, 500, false, Some(0)),
            (0, 900, 100, true, Some(1))
        ]),
        [(1, Cause::FreedMeanwhile, Some(0)), (3, Cause::SpareInModel, None)]
    );
    // The model did without a second container, and has none when both of the platform's are needed.
    assert_eq!(
        of(&[
            first,
            (0, 800, 100, true, Some(1)),
            (0, 1_150, 500, false, Some(1)),
            (0, 1_200, 100, false, Some(0)),
        ]),
        [(1, Cause::PassedOver, Some(0)), (3, Cause::MissingInModel, Some(0))]
    );
    // The model begins with the container that is seen late, and has long lost it when it is.
    assert_eq!(
        of(&[first, (0, 5_000, 100, false, Some(2))]),
        [(0, Cause::SpareInModel, None), (1, Cause::NeverSeen, Some(2))]
    );
}

#[test]
fn habits_count_what_was_chosen() {
    let calls = [
        (0, 0, 500, true, Some(0)),
        (0, 100, 500, true, Some(1)),
        // Idle since 700 ms and 800 ms.
        (0, 1_000, 100, false, Some(1)),
        (0, 2_000, 100, false, Some(0)),
        (0, 2_500, 100, false, Some(1)),
    ];
    let habits = recorded(&calls).habits().expect("containers are told");
    let expected = Habits {
        containers: 2,
        choices: 2,
        newest_first: 1,
        longest_reuse: Span::from_ms(1_400),
        oldest: Span::from_ms(2_400),
    };
    assert_eq!(habits, expected);
    assert_eq!(recorded(&[(0, 0, 1, true, None)]).habits(), None);
}

#[test]
fn kappa_is_that_of_the_textbook() {
    // Cohen's formula: observed 0.7, expected 0.5.
    let agreement = Agreement { both_cold: 20, missed: 5, extra: 10, both_warm: 15 };
    assert!((agreement.kappa().expect("defined") - 0.4).abs() < 1e-12);
    assert_eq!(Agreement { both_warm: 5, ..Agreement::default() }.kappa(), None);
    assert_eq!(Agreement { extra: 1, missed: 1, ..Agreement::default() }.kappa(), Some(-1.0));
}

#[test]
fn what_cannot_be_asked_is_refused() {
    let function = Function::new("f", Memory(128), Span::from_ms(300), Span::from_ms(100));
    let mut invocations = Invocations::default();
    invocations.push(Time::ZERO, 0, RunTime::ABSENT);
    let plain = Trace::new("t", vec![function.clone()], invocations.clone()).expect("a trace");
    assert!(Recorded::new(&plain).expect_err("not measured").message.contains("which calls were cold"));
    let several = Function { max_concurrent: 4, ..function };
    let invocations = invocations.with_measured(vec![Measured { cold: true, container: None }]);
    let several = Trace::new("t", vec![several], invocations).expect("a trace");
    assert!(Recorded::new(&several).expect_err("several at once").message.contains("runs 4 calls at once"));
    assert_eq!(recorded(&ONE).steps(|_| false), Err(Stopped));
}

fn calls() -> impl Strategy<Value = Vec<(u32, u64, u64, bool, Option<u32>)>> {
    let call = (0..3_u32, 0..4_000_u64, 0..400_u64, any::<bool>(), prop::option::of(0..5_u32));
    prop::collection::vec(call, 1..40)
}

proptest! {
    /// Every keep-alive, a millisecond apart and one µs beside that, is in one step, and its outcome is that of the step.
    #[test]
    fn steps_leave_nothing_out(calls in calls(), keeps in prop::collection::vec((0..4_500_u64, 0..3_u64), 30)) {
        let recorded = recorded(&calls);
        let steps = steps(&recorded);
        prop_assert_eq!(steps[0].range.over, Span::ZERO);
        prop_assert_eq!(steps[steps.len() - 1].range.upto, Span::FOREVER);
        for pair in steps.windows(2) {
            prop_assert_eq!(pair[0].range.upto, pair[1].range.over);
            prop_assert_ne!(pair[0].agreement, pair[1].agreement);
        }
        for (ms, beside) in keeps {
            let keep = Span((ms * 1_000 + beside).saturating_sub(1).max(1));
            let of = |step: &&Step| step.range.over < keep && keep <= step.range.upto;
            let step = steps.iter().find(of).expect("there is one");
            prop_assert_eq!(step.agreement, recorded.agreement(keep));
            prop_assert_eq!(recorded.disagreements(keep).len() as u64, step.agreement.disagreements());
            let predicted = recorded.predicted(keep).into_iter().filter(|cold| *cold).count() as u64;
            prop_assert_eq!(predicted, step.agreement.predicted());
        }
    }

    /// No step is better than the best, for one trace and for two at once.
    #[test]
    fn nothing_is_better_than_the_best(one in calls(), other in calls()) {
        let records = [recorded(&one), recorded(&other)];
        let steps: Vec<Vec<Step>> = records.iter().map(steps).collect();
        let apart = |agreement: &[Agreement]| -> u64 {
            agreement.iter().map(|it| it.predicted().abs_diff(it.measured())).sum()
        };
        let kappa = |agreement: &[Agreement]| {
            agreement.iter().fold(Agreement::default(), |sum, it| sum.plus(*it)).kappa().unwrap_or(1.0)
        };
        let (count, calls) = (best(&steps, Aim::Count), best(&steps, Aim::Calls));
        for fit in [&count, &calls] {
            for keep in [fit.range.upto, Span(fit.range.over.0 + 1), fit.range.example()] {
                let now: Vec<Agreement> = records.iter().map(|it| it.agreement(keep)).collect();
                prop_assert_eq!(&now, &fit.agreement);
            }
        }
        for step in steps.iter().flatten() {
            let now: Vec<Agreement> = records.iter().map(|it| it.agreement(step.range.upto)).collect();
            prop_assert!(apart(&now) >= apart(&count.agreement));
            prop_assert!(kappa(&now) <= kappa(&calls.agreement));
        }
    }
}
