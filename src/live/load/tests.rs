//! Schedules and figures of small traces.

use std::path::{Path, PathBuf};

use proptest::prelude::*;

use super::*;
use crate::live::actions::Actions;
use crate::memory::Memory;
use crate::scenario::Engine;
use crate::schedule::scaled;
use crate::trace::{Function, Invocations, RunTime};

fn trace(rows: &[(u64, u32)]) -> Trace {
    let function =
        |name: &str, memory| Function::new(name, Memory(memory), Span::from_ms(700), Span::from_ms(200));
    let mut invocations = Invocations::default();
    for &(ms, function) in rows {
        invocations.push(Time::from_ms(ms), function, RunTime::ABSENT);
    }
    Trace::new("t", vec![function("a", 100), function("b", 200)], invocations).expect("valid")
}

fn scenario(live: &str) -> Scenario {
    let text =
        format!("[trace]\npath = \".\"\n[pool]\nmemory = \"8 GiB\"\n[live]\nmap = \"lookbusy\"\n{live}");
    Scenario::from_text(Path::new("s.toml"), text, &[]).unwrap_or_else(|error| panic!("{error}"))
}

fn times(trace: &Trace, live: &str) -> Vec<u64> {
    Schedule::new(&scenario(live), trace).map(|arrival| arrival.time.0).collect()
}

#[test]
fn the_first_arrival_is_at_zero_and_the_speed_divides() {
    let trace = trace(&[(5_000, 0), (5_001, 1), (6_000, 0), (8_000, 0)]);
    assert_eq!(times(&trace, ""), [0, 1_000, 1_000_000, 3_000_000]);
    assert_eq!(times(&trace, "speed = 16.0"), [0, 63, 62_500, 187_500]);
    assert_eq!(times(&trace, "speed = 0.5"), [0, 2_000, 2_000_000, 6_000_000]);
}

#[test]
fn limits_are_of_the_trace_not_of_the_clock() {
    let trace = trace(&[(5_000, 0), (5_001, 1), (6_000, 0), (8_000, 0)]);
    assert_eq!(times(&trace, "limit = 2"), [0, 1_000]);
    assert_eq!(times(&trace, "speed = 1000\nduration = \"1 s\""), [0, 1]);
    assert_eq!(times(&trace, "speed = 1000\nduration = \"1.001 s\""), [0, 1, 1_000]);
    assert_eq!(arrivals_by_function(&scenario("duration = \"2 s\""), &trace), [2, 1]);
}

fn figures(trace: &Trace, live: &str) -> LoadFigures {
    let scenario = scenario(live);
    let Engine::Pool(setup) = &scenario.engine else { panic!("a pool") };
    let folder = tempfile::tempdir().expect("a folder");
    let manifest = "[[action]]\nname = \"lookbusy\"\nfile = \"l.py\"\nwhat = \"x\"\nimage = \"plain\"\n\
                    memory = \"32 MiB\"\nrun = \"1 ms\"\ninit = \"1 ms\"\n";
    for (name, text) in [("actions.toml", manifest), ("l.py", "")] {
        std::fs::write(folder.path().join(name), text).expect("a file");
    }
    let actions = Actions::read(folder.path()).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(actions.manifest, PathBuf::from(folder.path()).join("actions.toml"));
    let costs = CostModel::new(1, &setup.costs, &setup.failures, &trace.functions).expect("costs");
    let arrivals = arrivals_by_function(&scenario, trace);
    let plan =
        Plan::new(&scenario, setup, trace, &actions, &arrivals).unwrap_or_else(|error| panic!("{error}"));
    LoadFigures::new(&scenario, trace, &plan, &costs)
}

#[test]
fn figures_are_those_of_an_undisturbed_run() {
    // Warm runs: a 0–200, b 100–300, a 300–500, then b 4900–5100. Cold ones take 700 ms.
    let trace = trace(&[(1_000, 0), (1_100, 1), (1_300, 0), (5_900, 1)]);
    let figures = figures(&trace, "");
    assert_eq!((figures.arrivals, figures.functions, figures.peak_per_second), (4, 2, 3));
    assert_eq!((figures.span, figures.longest_run), (Span::from_ms(4_900), Span::from_ms(200)));
    assert_eq!(figures.warm, AtOnce { activations: 2, memory_mib: 300 });
    assert_eq!(figures.cold, AtOnce { activations: 3, memory_mib: 400 });
    assert!((figures.peak_cpus - 0.6).abs() < 1e-9, "{}", figures.peak_cpus);
    assert!((figures.mean_cpus - 0.8 / 5.1).abs() < 1e-9, "{}", figures.mean_cpus);
    assert!((figures.mean_per_second() - 4.0 / 4.9).abs() < 1e-9);
}

#[test]
fn speed_packs_arrivals_but_not_runs() {
    let trace = trace(&[(0, 0), (1_000, 0), (2_000, 0), (3_000, 0)]);
    let figures = figures(&trace, "speed = 100");
    assert_eq!((figures.span, figures.peak_per_second), (Span::from_ms(30), 4));
    assert_eq!(figures.warm, AtOnce { activations: 4, memory_mib: 400 });
}

/// Processor time over each whole second, the slow way.
fn busiest_second(runs: &[(u64, u64)]) -> f64 {
    let last = runs.iter().map(|(at, run)| at + run).max().unwrap_or(0);
    (0..=last / SECOND_US)
        .map(|second| {
            let (from, to) = (second * SECOND_US, (second + 1) * SECOND_US);
            runs.iter().map(|(at, run)| (at + run).min(to).saturating_sub((*at).max(from))).sum::<u64>()
                as f64
                / 1e6
        })
        .fold(0.0, f64::max)
}

proptest! {
    #[test]
    fn the_busiest_second_is_found(
        mut runs in proptest::collection::vec((0_u64..20_000_000, 0_u64..4_000_000), 1..40)
    ) {
        runs.sort();
        let mut running = Running::default();
        for (at, run) in &runs {
            running.arrive(Time(*at), Span(*run), 1);
        }
        let found = running.finish();
        prop_assert!((found - busiest_second(&runs)).abs() < 1e-9, "{found} {}", busiest_second(&runs));
    }

    #[test]
    fn speed_keeps_the_order(mut times in proptest::collection::vec(0_u64..1 << 45, 2..50), speed in 0.001_f64..1e6) {
        times.sort_unstable();
        let all: Vec<u64> = times.iter().map(|us| scaled(*us, speed)).collect();
        prop_assert!(all.is_sorted());
    }
}
