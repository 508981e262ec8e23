//! Why a simulation and a live run decide differently: on imagined platforms, where everything is known. Whatever the
//! simulation thinks of costs, it decides as the live run did once everything is put in as it went there; other rules are
//! never explained away.

#![cfg(feature = "live")]

mod imagined;

use std::collections::BTreeMap;
use std::io::BufReader;

use faassim::compare::Class;
use faassim::compare::divergence::{Cause, Divergences, Hypothesis, divergences};
use faassim::compare::logged::logged;
use faassim::compare::pool_view::PoolView;
use faassim::eventlog::steps::recording;
use faassim::eventlog::{Reader, rebuild, replay};
use faassim::pool::order;
use faassim::scenario::{Override, Scenario};
use imagined::{Case, case, live, setup};

const SEEDS: u64 = 80;

/// A log, and how each invocation was served in it.
async fn run(case: &Case) -> (Vec<u8>, BTreeMap<u64, Class>) {
    let (_, log, _) = live(case, order).await;
    let rebuilt = rebuild(BufReader::new(log.as_slice())).expect("an undamaged log");
    let side = logged("live", &rebuilt);
    let decided = side.invocations.iter().map(|invocation| (invocation.number, invocation.class)).collect();
    (log, decided)
}

/// The scenario of a case with something else in it.
fn with(case: &Case, sets: &[(&str, &str)]) -> Scenario {
    let sets: Vec<Override> = sets.iter().map(|(path, value)| Override::new(*path, *value)).collect();
    Scenario::from_text("other.toml".as_ref(), case.scenario.text.clone(), &sets).expect("a right scenario")
}

fn found(
    case: &Case,
    scenario: &Scenario,
    same_rules: bool,
    (log, decided): &(Vec<u8>, BTreeMap<u64, Class>),
) -> Divergences {
    let recording = recording(BufReader::new(log.as_slice())).expect("an undamaged log");
    let hypothesis = Hypothesis { scenario, setup: setup(scenario), trace: &case.trace, same_rules };
    let mut watch = |view: &mut PoolView| {
        let (mut reader, header) = Reader::open(BufReader::new(log.as_slice())).expect("a log");
        replay::replay(&mut reader, &header, view).expect("an undamaged log");
    };
    divergences(hypothesis, &recording, &mut watch, decided).expect("the costs fit")
}

/// Cases whose memory does not follow the load, which is no part of what is recorded.
fn cases() -> impl Iterator<Item = (u64, Case)> {
    (0..SEEDS).map(|seed| (seed, case(seed))).filter(|(_, case)| case.scenario.elastic.is_none())
}

/// Those of them without prewarmed containers: a prewarm that is created at another time is another's in the record.
fn plain_cases() -> impl Iterator<Item = (u64, Case)> {
    cases().filter(|(_, case)| !case.scenario.text.contains("[[prewarm]]"))
}

#[tokio::test(start_paused = true)]
async fn the_same_scenario_decides_the_same() {
    for (seed, case) in cases() {
        let run = run(&case).await;
        let found = found(&case, &case.scenario, true, &run);
        assert_eq!((found.diverging, found.first), (0, None), "seed {seed}\n{}", case.scenario.text);
        assert!(found.compared > 300, "seed {seed}: {}", found.compared);
    }
}

/// What of all that differed was still decided differently with everything as it went live: a few in a thousand, where
/// failures make runs go to other containers than in the record.
fn hardly_any(left: u64, diverging: u64) {
    assert!(diverging > 200, "{diverging}");
    assert!(left * 50 <= diverging, "{left} of {diverging} are not explained");
}

#[tokio::test(start_paused = true)]
async fn other_costs_make_differences_that_vanish_with_what_was_recorded() {
    let mut counts: BTreeMap<(Cause, Cause), u64> = BTreeMap::new();
    let (mut left, mut diverging) = (0, 0);
    for (seed, case) in plain_cases() {
        let run = run(&case).await;
        let fails = case.scenario.text.contains("[failures]");
        for (sets, cause) in [
            ([("costs.create", "1700 ms"), ("costs.init", "10 ms")], Cause::Start),
            ([("costs.run", "15 ms"), ("costs.first-run", "2500 ms")], Cause::Run),
            ([("costs.unpause", "700 ms"), ("costs.pause", "900 ms")], Cause::Pause),
        ] {
            let found = found(&case, &with(&case, &sets), true, &run);
            assert!(
                fails || found.left == 0,
                "seed {seed}, {cause:?}: {}\n{}",
                found.left,
                case.scenario.text
            );
            assert_eq!(found.all.len() as u64, found.diverging);
            assert_eq!(found.causes.iter().map(|count| count.count).sum::<u64>(), found.diverging);
            for one in &found.all {
                *counts.entry((cause, one.cause)).or_default() += 1;
            }
            if let Some(first) = &found.first {
                assert_ne!(first.divergence.a, first.divergence.b);
                assert!(first.a_pool.is_some() && first.b_pool.is_some(), "seed {seed}");
            }
            left += found.left;
            diverging += found.diverging;
        }
    }
    hardly_any(left, diverging);
    // What was changed is what is made responsible, nearly always.
    for cause in [Cause::Start, Cause::Run, Cause::Pause] {
        let right = counts.get(&(cause, cause)).copied().unwrap_or_default();
        let all: u64 =
            counts.iter().filter(|((changed, _), _)| *changed == cause).map(|(_, many)| many).sum();
        assert!(right > 50 && right * 10 >= all * 9, "{cause:?}: {right} of {all}: {counts:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn failures_are_told_from_durations() {
    // Those of logs stay: without them, and where logs take no time, a pool does not collect any.
    let none = ["create", "init", "run", "pause", "resume"].map(|what| format!("failures.{what}"));
    let none: Vec<(&str, &str)> = none.iter().map(|path| (path.as_str(), "0.0")).collect();
    let (mut failures, mut left, mut diverging) = (0, 0, 0);
    for (_, case) in plain_cases().filter(|(_, case)| case.scenario.text.contains("[failures]")) {
        let run = run(&case).await;
        let found = found(&case, &with(&case, &none), true, &run);
        left += found.left;
        diverging += found.diverging;
        failures += found.all.iter().filter(|one| one.cause == Cause::Failure).count();
    }
    hardly_any(left, diverging);
    assert!(failures > 50, "{failures}");
}

#[tokio::test(start_paused = true)]
async fn other_rules_are_never_explained_away() {
    let mut rules = 0;
    for (_, case) in cases() {
        let run = run(&case).await;
        let other = with(&case, &[("pool.memory", "512 MiB"), ("rules.preset", "ideal")]);
        let found = found(&case, &other, false, &run);
        assert_eq!(found.left, found.all.iter().filter(|one| one.cause == Cause::Rules).count() as u64);
        rules += found.left;
        let swapped = found.clone().swapped();
        for (one, other) in found.all.iter().zip(&swapped.all) {
            assert_eq!((one.a, one.b), (other.b, other.a));
        }
    }
    assert!(rules > 100, "{rules}");
}
