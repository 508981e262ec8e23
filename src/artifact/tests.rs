//! Worked examples of the published scheduler, small enough to follow by hand. The recorded runs are in
//! `tests/conformance_faascache.rs`; nothing here may depend on files.

use super::*;

/// Functions `A`, `B`, ... of the given sizes in MB, 300 ms cold and 100 ms warm.
fn functions(sizes_mb: &[f64]) -> Vec<Function> {
    let function = |(letter, &memory_mb): (char, &f64)| Function {
        name: letter.to_string(),
        memory_mb,
        cold_ms: 300.0,
        warm_ms: 100.0,
    };
    ('A'..='Z').zip(sizes_mb).map(function).collect()
}

/// Collects events as kind, function index, priority and frequency.
#[derive(Default)]
struct Seen(Vec<(EventKind, u32, f64, u64)>);

impl Observer for Seen {
    fn event(&mut self, event: &Event) {
        self.0.push((event.kind, event.function, event.priority, event.freq));
    }
}

struct Played {
    outcomes: String,
    seen: Vec<(EventKind, u32, f64, u64)>,
    report: Report,
}

fn play(sizes_mb: &[f64], policy: Policy, capacity_mb: f64, invocations: &[(u32, f64)]) -> Played {
    let mut simulator = Simulator::new(&functions(sizes_mb), policy, capacity_mb).unwrap();
    let mut seen = Seen::default();
    let step = |&(function, time_ms)| simulator.step(function, time_ms, &mut seen).unwrap().letter();
    let outcomes = invocations.iter().map(step).collect();
    Played { outcomes, seen: seen.0, report: simulator.finish() }
}

#[test]
fn a_container_is_free_at_the_very_moment_it_finishes() {
    assert_eq!(play(&[100.0], Policy::Lru, 1000.0, &[(0, 0.0), (0, 300.0)]).outcomes, "MH");
    assert_eq!(play(&[100.0], Policy::Lru, 1000.0, &[(0, 0.0), (0, 299.0)]).outcomes, "MM");
}

#[test]
fn greedy_dual_takes_its_clock_from_the_last_victim() {
    let played = play(&[100.0, 200.0], Policy::GreedyDual, 250.0, &[(0, 0.0), (0, 1000.0), (1, 2000.0)]);
    assert_eq!(played.outcomes, "MHM");
    assert_eq!(played.seen, [(EventKind::Pressure, 0, 4.0, 2)], "two runs * (300 - 100) / 100");
    assert_eq!(played.report.final_clock, 4.0);
}

#[test]
fn size_is_frequency_by_size_and_freq_is_weighted_with_the_cost() {
    let invocations = [(0, 0.0), (0, 1000.0), (1, 2000.0)];
    let played = play(&[100.0, 200.0], Policy::Size, 250.0, &invocations);
    assert_eq!(played.report.final_clock, 2.0 / 100.0);
    let played = play(&[100.0, 200.0], Policy::Freq, 250.0, &invocations);
    assert_eq!(played.report.final_clock, 2.0 * 200.0);
}

#[test]
fn landlord_charges_rent_once_and_credits_the_warm_duration() {
    // Rent is 100 / 200 per MB: A keeps 50 of its credit, B keeps none and goes first, then A.
    let played = play(&[100.0, 200.0, 250.0], Policy::Landlord, 300.0, &[(0, 0.0), (1, 1.0), (2, 5000.0)]);
    assert_eq!(played.outcomes, "MMM");
    assert_eq!(played.seen, [(EventKind::Pressure, 1, 0.0, 1), (EventKind::Pressure, 0, 50.0, 1)]);
}

#[test]
fn an_eviction_frees_the_whole_size_not_the_shortfall() {
    let played = play(&[100.0, 100.0, 150.0], Policy::Lru, 300.0, &[(0, 0.0), (1, 1.0), (2, 5000.0)]);
    assert_eq!(played.outcomes, "MMM");
    assert_eq!((played.report.evict_pressure, played.report.final_pool), (2, 1));
}

#[test]
fn a_drop_flushes_the_idle_containers_first() {
    let played = play(&[100.0, 400.0], Policy::Lru, 300.0, &[(0, 0.0), (1, 5000.0)]);
    assert_eq!(played.outcomes, "MD");
    assert_eq!((played.report.counts.evictions, played.report.final_pool), (1, 0));
}

#[test]
fn running_containers_are_not_evicted() {
    let played = play(&[100.0, 100.0, 200.0], Policy::Lru, 300.0, &[(0, 0.0), (1, 900.0), (2, 1000.0)]);
    assert_eq!(played.outcomes, "MMM");
    assert_eq!(played.seen, [(EventKind::Pressure, 0, 0.0, 1)]);
    assert_eq!((played.report.final_pool, played.report.final_running), (2, 2));
}

#[test]
fn every_clone_looks_as_recent_as_its_function() {
    // Two clones of A, then B, then one clone of A again: B is the victim, though one clone has idled longer.
    let played = play(
        &[100.0, 100.0, 100.0],
        Policy::Lru,
        300.0,
        &[(0, 0.0), (0, 1.0), (1, 5000.0), (0, 9000.0), (2, 9500.0)],
    );
    assert_eq!(played.outcomes, "MMMHM");
    assert_eq!(played.seen, [(EventKind::Pressure, 1, 5000.0, 1)]);
}

#[test]
fn ttl_expires_strictly_after_ten_minutes_and_only_on_lookup() {
    let played = play(&[100.0, 100.0], Policy::Ttl, 1000.0, &[(0, 0.0), (0, 600_000.0), (1, 9e6), (0, 9e6)]);
    assert_eq!(played.outcomes, "MHMM");
    assert_eq!(played.seen, [(EventKind::Expired, 0, 600_000.0, 2)]);
    assert_eq!(played.report.per_function[0].evictions, 1);
}

#[test]
fn all_evicts_nothing() {
    let played = play(&[100.0, 100.0], Policy::All, 100.0, &[(0, 0.0), (1, 5000.0), (0, 9000.0)]);
    assert_eq!(played.outcomes, "MDH");
    assert!(played.seen.is_empty());
}

#[test]
fn hist_unloads_a_timer_and_prewarms_it_too_early() {
    let arrivals: Vec<(u32, f64)> = (0..10).map(|n| (0, f64::from(n) * 300_000.0)).collect();
    let played = play(&[100.0], Policy::Hist, 10_000.0, &arrivals);
    assert_eq!(played.outcomes, "MHHMMMMMMM");
    assert_eq!(played.report.counts.evictions, 0);
    assert_eq!(played.report.hist_unloads, 7);
}

#[test]
fn hist_adds_a_container_at_every_arrival_before_the_prewarm_is_due() {
    let minute = 60_000.0;
    let arrivals: Vec<(u32, f64)> = [(0, 0.0), (0, 5.0), (0, 10.0), (1, 11.0), (1, 12.0), (1, 14.0)]
        .map(|(f, t)| (f, t * minute))
        .to_vec();
    // Due 4 * 0.9 minutes after the tenth; the first of them sees the timer's own container unloaded.
    let played = play(&[100.0, 150.0], Policy::Hist, 400.0, &arrivals);
    assert_eq!(played.outcomes, "MHHMHH");
    let added = |ms| (EventKind::PrewarmAdd, 0, ms, 0);
    assert_eq!(played.seen, [(EventKind::HistUnload, 0, 600_000.0, 3), added(660_000.0), added(720_000.0)]);
    let played = play(&[100.0, 150.0], Policy::Hist, 300.0, &arrivals);
    assert_eq!(played.seen.last(), Some(&(EventKind::PrewarmReject, 0, 0.0, 0)));
}

#[test]
fn the_metrics_come_as_published_and_repaired() {
    let metrics = play(&[100.0], Policy::Lru, 100.0, &[(0, 0.0), (0, 1.0), (0, 900.0)]).report.metrics();
    assert_eq!(metrics.cold_pct, Some(50.0));
    assert_eq!(metrics.drop_pct, Some(100.0 / 3.0));
    assert_eq!(metrics.exec_increase_pct_published, Some(25.0), "100 / (300 - 100), one of two");
    assert_eq!(metrics.exec_increase_pct_fixed, Some(100.0), "(300 - 100) / 100, one of two");
    assert_eq!(metrics.exec_increase_pct_total_time, Some(100.0));
    assert_eq!(metrics.wted_eat_ms_published, Some((300.0 + 200.0) / 2.0));
    assert_eq!(metrics.server_cold_ms_published, Some(50.0));
}

#[test]
fn a_share_of_nothing_has_no_number() {
    let metrics = play(&[100.0], Policy::Lru, 50.0, &[(0, 0.0)]).report.metrics();
    assert_eq!((metrics.cold_pct, metrics.drop_pct), (None, Some(100.0)));
    assert_eq!(play(&[100.0], Policy::Lru, 50.0, &[]).report.metrics().drop_pct, None);
}

#[test]
fn bad_invocations_are_refused_and_change_nothing() {
    let mut simulator = Simulator::new(&functions(&[100.0]), Policy::Hist, 1000.0).unwrap();
    let unknown = simulator.step(1, 0.0, &mut ());
    assert_eq!(unknown, Err(InputError::UnknownFunction { index: 1, functions: 1 }));
    for time_ms in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
        assert!(matches!(simulator.step(0, time_ms, &mut ()), Err(InputError::Time { .. })));
    }
    simulator.step(0, 20_000_000.0, &mut ()).unwrap();
    let backwards = simulator.step(0, 0.0, &mut ());
    assert_eq!(backwards, Err(InputError::Backwards { time_ms: 0.0, last_seen_ms: 20_000_000.0 }));
    assert_eq!(simulator.finish().counts, Counts { misses: 1, ..Counts::default() });
}

#[test]
fn bad_functions_and_capacities_are_refused() {
    let refused =
        |functions: &[Function]| Simulator::new(functions, Policy::Lru, 100.0).err().unwrap().to_string();
    let mut twins = functions(&[100.0, 100.0]);
    twins[1].name = "A".into();
    assert_eq!(refused(&twins), "function 'A' is given twice; names must be unique, remove or rename one");
    assert_eq!(refused(&functions(&[0.0])), "function 'A': memory_mb is 0; give a finite number above zero");
    let mut timeless = functions(&[100.0]);
    timeless[0].warm_ms = f64::NAN;
    assert_eq!(refused(&timeless), "function 'A': warm_ms is NaN; give a finite number zero or more");
    assert!(Simulator::new(&[], Policy::Lru, f64::NAN).is_err());
}
