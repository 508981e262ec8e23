//! Worked examples of the histogram policy, and its statistics against counting everything anew. Must
//! never reach into the cursors: only windows and leases are compared.

use super::super::Params;
use super::super::params::Value;
use super::super::testing::{Dice, MAKING, Yard, function};
use super::*;

const SECOND: Span = Span::from_secs(1);

fn settings(given: &[(&str, Value)]) -> Settings {
    let given: Vec<_> = given.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
    let mut params = Params::new(POLICY.params, &given);
    let settings = Settings::read(&mut params);
    assert_eq!(params.into_errors(), []);
    settings
}

/// A policy, and one container whose function it is asked about.
struct Worker {
    policy: HybridHistogram,
    yard: Yard,
    slot: Slot,
    now: Time,
}

impl Worker {
    fn new(settings: Settings) -> Worker {
        let mut yard = Yard::new(&crate::policy::lru::POLICY, vec![function(256, 100, 10)]);
        let slot = yard.run(0);
        Worker { policy: HybridHistogram::new(settings), yard, slot, now: Time::ZERO }
    }

    /// An invocation that takes a second, after `idle`.
    fn invoke_after(&mut self, idle: Span) -> Lease {
        self.now += idle;
        self.policy.on_arrival(self.now, FunctionId(0));
        self.now += SECOND;
        let function = self.yard.tables.function_of(self.slot);
        self.policy.on_idle(self.now, function);
        self.policy.lease(self.now, &self.yard.tables, self.slot, false)
    }

    fn invoke_often(&mut self, idle: Span, times: u32) -> Lease {
        (0..times).map(|_| self.invoke_after(idle)).last().unwrap()
    }

    fn loaded_ahead(&mut self) -> Lease {
        self.policy.lease(self.now, &self.yard.tables, self.slot, true)
    }
}

fn ms(minutes: f64) -> Span {
    Span::from_ms_f64(minutes * 60_000.0)
}

#[test]
fn standard_keep_alive_while_little_is_known() {
    let mut worker = Worker::new(settings(&[]));
    let standard = Lease::keep(Span::from_mins(240));
    // Six invocations make five idle times.
    assert_eq!(worker.invoke_often(ms(10.5), 5), standard);
    assert_ne!(worker.invoke_after(ms(10.5)), standard);
}

#[test]
fn a_timer_is_unloaded_and_loaded_before_it_fires() {
    let mut worker = Worker::new(settings(&[]));
    let lease = worker.invoke_often(ms(10.5), 50);
    // All in bin 10: head 10 min, tail 11 min.
    assert_eq!(lease, Lease { keep: Span::ZERO, load_after: Some(ms(9.0)) });
    assert_eq!(worker.loaded_ahead(), Lease::keep(ms(12.1 - 9.0)));
}

#[test]
fn a_head_below_a_minute_means_no_unloading() {
    let mut worker = Worker::new(settings(&[]));
    worker.invoke_often(ms(0.5), 10);
    let lease = worker.invoke_often(ms(7.2), 90);
    // Nine or ten of 100 are in bin 0, above 5 %; the 99th is in bin 7.
    assert_eq!(lease, Lease::keep(ms(8.0 * 1.1)));
    assert_eq!(worker.loaded_ahead(), lease);
}

#[test]
fn percentiles_leave_outliers_out() {
    let mut worker = Worker::new(settings(&[]));
    worker.invoke_after(ms(1.0));
    worker.invoke_often(ms(2.5), 4);
    worker.invoke_often(ms(20.5), 95);
    // 4 of 99 are below: the 5th of 99 is in bin 20. One of 100 above: the 99th of 100 is not it.
    let lease = worker.invoke_after(ms(200.0));
    assert_eq!(lease.load_after, Some(ms(18.0)));
    assert_eq!(worker.loaded_ahead(), Lease::keep(ms(21.0 * 1.1 - 18.0)));
}

#[test]
fn a_flat_histogram_is_no_pattern() {
    let mut worker = Worker::new(settings(&[]));
    let mut lease = worker.invoke_after(SECOND);
    for minute in 0..240 {
        lease = worker.invoke_after(ms(f64::from(minute) + 0.5));
    }
    assert_eq!(lease, Lease::keep(Span::from_mins(240)), "the coefficient of variation is 0");
}

#[test]
fn the_coefficient_is_that_of_the_bin_counts() {
    // b bins, all idle times spread evenly over k of them: CV² = b/k − 1, so CV ≥ 2 iff k ≤ b/5.
    for (spread, pattern) in [(48, true), (49, false)] {
        let mut worker = Worker::new(settings(&[]));
        worker.invoke_after(SECOND);
        let mut lease = Lease::keep(Span::ZERO);
        for _ in 0..3 {
            for bin in 0..spread {
                lease = worker.invoke_after(ms(f64::from(bin) + 0.5));
            }
        }
        let standard = lease == Lease::keep(Span::from_mins(240));
        assert_eq!(standard, !pattern, "{spread} bins");
    }
}

#[test]
fn rare_invocations_are_forecast() {
    let mut worker = Worker::new(settings(&[]));
    let lease = worker.invoke_often(ms(600.0), 6);
    assert_eq!(lease, Lease { keep: Span::ZERO, load_after: Some(ms(510.0)) });
    assert_eq!(worker.loaded_ahead(), Lease::keep(ms(180.0)));
    // The mean of the last eight: four of 600 min and four of 1000 min.
    let lease = worker.invoke_often(ms(1000.0), 4);
    assert_eq!(lease.load_after, Some(ms(680.0)));
}

#[test]
fn half_out_of_bounds_is_not_more_than_half() {
    let mut worker = Worker::new(settings(&[]));
    worker.invoke_often(ms(10.5), 11);
    let lease = worker.invoke_often(ms(600.0), 10);
    assert_eq!(lease.load_after, Some(ms(9.0)), "ten of twenty");
    let lease = worker.invoke_after(ms(600.0));
    assert_eq!(lease.load_after, Some(ms(510.0)), "eleven of twenty-one");
}

#[test]
fn overlapping_executions_count_as_no_idle_time() {
    let mut worker = Worker::new(settings(&[]));
    for minute in 0..20 {
        // The second of two arrivals comes while the first runs.
        let now = Time::from_ms(minute * 600_000);
        worker.policy.on_arrival(now, FunctionId(0));
        worker.policy.on_arrival(now + SECOND, FunctionId(0));
        worker.now = now + SECOND + SECOND;
        let function = worker.yard.tables.function_of(worker.slot);
        worker.policy.on_idle(worker.now, function);
        worker.policy.lease(worker.now, &worker.yard.tables, worker.slot, false);
    }
    // Half of the idle times are 0: no unloading.
    assert_eq!(worker.loaded_ahead(), Lease::keep(ms(11.0)));
}

#[test]
fn a_load_ahead_does_not_end_an_execution() {
    let mut worker = Worker::new(settings(&[]));
    worker.invoke_often(ms(10.5), 20);
    worker.now += ms(9.0);
    worker.loaded_ahead();
    let lease = worker.invoke_after(ms(1.5));
    assert_eq!(lease.load_after, Some(ms(9.0)), "10.5 min from the last execution, not 1.5");
}

#[test]
fn windows_agree_with_counting_anew() {
    let settings = settings(&[
        ("range", Value::Text("20 min".to_owned())),
        ("min-samples", Value::Number(1.0)),
        ("cv", Value::Number(0.7)),
    ]);
    let mut dice = Dice::new(5);
    for case in 0..40 {
        let mut policy = HybridHistogram::new(settings);
        policy.pattern(FunctionId(0));
        let mut idle_times = Vec::new();
        let (centre, width) = (dice.below(18), 1 + dice.below(10));
        for step in 0..400 {
            let idle = Span::from_secs((centre + dice.below(width)) * 60 + dice.below(60));
            idle_times.push(idle);
            policy.learn(FunctionId(0), idle);
            assert_eq!(
                policy.windows(FunctionId(0)),
                naive(&settings, &idle_times),
                "case {case}, step {step}"
            );
        }
    }
}

fn naive(settings: &Settings, idle_times: &[Span]) -> Windows {
    let mut within: Vec<u64> =
        idle_times.iter().filter(|idle| **idle < settings.range).map(|idle| idle.0 / BIN.0).collect();
    within.sort_unstable();
    let (n, beyond) = (within.len(), idle_times.len() - within.len());
    if beyond as f64 > settings.out_of_bounds * idle_times.len() as f64 {
        let first = idle_times.iter().position(|idle| *idle >= settings.range).unwrap();
        let recent = &idle_times[first..];
        let recent = &recent[recent.len().saturating_sub(RECENT)..];
        let mean_ms = recent.iter().map(|idle| idle.0 as f64).sum::<f64>() / recent.len() as f64 / 1e3;
        return Windows {
            prewarm: Span::from_ms_f64(0.85 * mean_ms),
            keep: Span::from_ms_f64(0.3 * mean_ms),
        };
    }
    let mut counts = vec![0.0; settings.bins()];
    for bin in &within {
        counts[*bin as usize] += 1.0;
    }
    let mean = n as f64 / counts.len() as f64;
    let variance = counts.iter().map(|count: &f64| (count - mean).powi(2)).sum::<f64>() / counts.len() as f64;
    // Ties on the threshold do not occur with these numbers, but rounding does.
    if variance.sqrt() / mean < settings.cv - 1e-12 {
        return Windows { prewarm: Span::ZERO, keep: settings.range };
    }
    let head = within[((settings.head * n as f64).ceil() as usize).max(1) - 1];
    let tail = within[((settings.tail * n as f64).ceil() as usize).max(1) - 1] + 1;
    let prewarm = Span::from_ms_f64(head as f64 * 60_000.0 * (1.0 - settings.margin));
    let end = Span::from_ms_f64(tail as f64 * 60_000.0 * (1.0 + settings.margin));
    Windows { prewarm, keep: end.saturating_sub(prewarm) }
}

#[test]
fn bad_parameters_are_named() {
    for (name, value, part) in [
        ("range", Value::Text("forever".to_owned()), "must be between 1 min and 7 d"),
        ("range", Value::Text("30 s".to_owned()), "must be between 1 min and 7 d"),
        ("head", Value::Number(5.0), "between 0 and 1"),
        ("tail", Value::Number(0.01), "must not be below `head`, which is 0.05"),
        ("min-samples", Value::Number(0.0), "whole number of at least 1"),
        ("cv", Value::Number(-1.0), "must not be negative"),
    ] {
        let given = [(name.to_owned(), value)];
        let mut params = Params::new(POLICY.params, &given);
        (POLICY.make)(&mut params, MAKING);
        let errors = params.into_errors();
        assert!(
            errors.len() == 1 && errors[0].name == name && errors[0].message.contains(part),
            "{errors:?}"
        );
    }
}
