//! Figures of traces that can be counted by hand.

use super::*;
use crate::memory::Memory;
use crate::trace::{Function, Invocations, RunTime};

fn info(rows: &[(u64, u32)]) -> Info {
    let function = |name: &str, app: Option<&str>, mib: u64| Function {
        app: app.map(str::to_owned),
        ..Function::new(name, Memory(mib), Span::from_secs(3), Span::from_secs(1))
    };
    let functions =
        vec![function("a", Some("x"), 100), function("b", Some("x"), 200), function("c", None, 400)];
    let mut invocations = Invocations::default();
    for (seconds, function) in rows {
        invocations.push(Time(seconds * 1_000_000), *function, RunTime::ABSENT);
    }
    let trace = Trace::new("t", functions, invocations).expect("valid");
    look_at(&trace, |_| true).expect("not stopped").0
}

#[test]
fn counts_what_can_be_counted_by_hand() {
    let info = info(&[(0, 0), (10, 0), (20, 0), (70, 0), (70, 1), (70, 1), (130, 2)]);
    assert_eq!((info.functions, info.compulsory_cold, info.apps, info.invocations), (3, 3, 1, 7));
    assert_eq!(info.working_set_mib, 700);
    // At 70 s one of `a` and two of `b` run for a second.
    assert_eq!((info.running.most, info.running.most_memory_mib), (3, 500));
    let mean = 6.0 / 130.0;
    assert!((info.running.mean - mean).abs() < 1e-9, "{}", info.running.mean);
    // Minutes 0, 1 and 2 of three functions; busy are a twice, b once, c once.
    assert!((info.minutes.idle_pct - 100.0 * 5.0 / 9.0).abs() < 1e-9, "{}", info.minutes.idle_pct);
    assert_eq!((info.minutes.busiest, info.minutes.load.at(100.0)), (0, 3.0));
    assert_eq!(info.minutes.busy.quantiles[10], 3.0);
    assert_eq!((info.popularity.top[0].share_pct, info.popularity.top[1].share_pct), (400.0 / 7.0, 100.0));
    let apps = info.app_popularity.expect("there is an app");
    assert_eq!(apps.top[0].share_pct, 600.0 / 7.0);
    assert_eq!(info.functions_per_app.expect("there is an app").at(50.0), 2.0);
    // Gaps of `a`: 10, 10, 50 s; the others have too few.
    let sd = (2.0 * (10.0_f64 - 70.0 / 3.0).powi(2) + (50.0_f64 - 70.0 / 3.0).powi(2)) / 3.0;
    assert!((info.gaps.cv.at(50.0) - sd.sqrt() / (70.0 / 3.0)).abs() < 1e-9);
    assert_eq!((info.gaps.cv.count, info.gaps.above_1_pct), (1, 0.0));
}

#[test]
fn runs_of_no_time_need_a_container() {
    let function = Function::new("f", Memory(64), Span::ZERO, Span::ZERO);
    let mut invocations = Invocations::default();
    invocations.push(Time(5), 0, RunTime::ABSENT);
    let trace = Trace::new("t", vec![function], invocations).expect("valid");
    let (info, _) = look_at(&trace, |_| true).expect("not stopped");
    assert_eq!((info.running.most, info.running.most_memory_mib), (1, 64));
    assert_eq!((info.span_s, info.rate_per_s), (0.0, 0.0));
    assert_eq!(look_at(&trace, |_| false), Err(Stopped));
}

#[test]
fn years_of_silence_take_no_memory() {
    let info = info(&[(0, 0), (1_000_000_000, 0)]);
    let minutes = 1_000_000_000 / 60 + 1;
    assert_eq!(
        (info.minutes.load.count, info.minutes.load.at(50.0), info.minutes.load.at(100.0)),
        (minutes, 0.0, 1.0)
    );
    assert!((info.minutes.load.mean - 2.0 / minutes as f64).abs() < 1e-12);
}
