//! What a probe invokes: every kind of step of every kind of function, and bursts. Must never start anything.

use std::path::Path;

use super::*;
use crate::live::actions::Actions;
use crate::scenario::{Engine, Scenario};
use crate::time::Time;
use crate::trace::{Invocations, RunTime, read_native};

fn probe(functions: &[(&str, u64, u64, u64)], more: &str) -> (Probe, Trace) {
    let all = functions
        .iter()
        .map(|(name, mib, cold, warm)| {
            Function::new((*name).to_owned(), Memory(*mib), Span::from_ms(*cold), Span::from_ms(*warm))
        })
        .collect();
    let mut invocations = Invocations::with_capacity(functions.len());
    for ix in 0..functions.len() {
        invocations.push(Time::from_ms(10 * ix as u64), ix as u32, RunTime::ABSENT);
    }
    let trace = Trace::new("t", all, invocations).expect("a trace");
    let text = format!("[trace]\npath = \"t\"\n[pool]\nmemory = \"1 GiB\"\n[live]\n{more}\n");
    let scenario =
        Scenario::from_text(Path::new("s.toml"), text, &[]).unwrap_or_else(|error| panic!("{error}"));
    let Engine::Pool(setup) = &scenario.engine else { panic!("a pool") };
    let actions =
        Actions::read(&Path::new(env!("CARGO_MANIFEST_DIR")).join("actions")).expect("the bundled actions");
    let arrivals = vec![1; functions.len()];
    let plan =
        Plan::new(&scenario, setup, &trace, &actions, &arrivals).unwrap_or_else(|error| panic!("{error}"));
    (Probe::new(1, &plan, &trace, &arrivals), trace)
}

#[test]
fn functions_that_run_the_same_are_probed_once() {
    let functions = [("hello", 64, 700, 2), ("dd", 64, 700, 80), ("again", 64, 700, 2)];
    let (probe, _) = probe(&functions, "map = \"name\"\n[live.functions]\nagain = \"hello\"");
    assert_eq!(probe.groups, [vec![0, 2], vec![1]]);
    let lives = probe.invocations.lines().filter(|line| line.ends_with(",dd")).count();
    assert!(lives > 20, "{lives} calls of dd");
    // The functions of a trace are in the order of their names: `again` stands for `hello`.
    assert_eq!(probe.given, [("again".to_owned(), "hello".to_owned())]);
    assert_eq!(probe.images.len(), 1, "of one kind");
    let others = probe.invocations.lines().filter(|line| line.ends_with(",hello")).count();
    assert_eq!(others, 0);
}

#[test]
fn what_the_scenario_says_of_functions_that_are_not_probed_is_left_out() {
    let functions = [("f1", 64, 700, 2), ("f2", 64, 700, 2)];
    let more = "map = \"lookbusy\"\n[live.functions]\nf1 = \"hello\"\nf2 = \"hello\"\n[live.images]\n\"python:ai\" = \"mine\"";
    let (probe, _) = probe(&functions, more);
    assert_eq!(probe.groups, [vec![0, 1]]);
    let text = format!("[trace]\npath = \"t\"\n[pool]\nmemory = \"1 GiB\"\n[live]\n{more}\n");
    let scenario = Scenario::from_text(Path::new("s.toml"), text, &probe.overrides("t"))
        .unwrap_or_else(|error| panic!("{error}"));
    let names: Vec<&str> = scenario.live.functions.iter().map(|given| given.function.as_str()).collect();
    assert_eq!(names, ["f1"]);
    assert!(
        scenario.live.images.iter().all(|given| given.kind != "python:ai"),
        "no action of that kind is probed"
    );
}

#[test]
fn imitated_functions_are_probed_by_size() {
    let functions: Vec<(&str, u64, u64, u64)> = vec![
        ("e", 512, 300, 100),
        ("a", 64, 300, 100),
        ("b", 128, 300, 100),
        ("slow", 32, 60_000, 100),
        ("c", 256, 300, 100),
    ];
    let (probe, trace) = probe(&functions, "map = \"lookbusy\"");
    let names: Vec<&str> = probe.groups.iter().map(|group| trace.functions[group[0]].name.as_str()).collect();
    assert_eq!(names, ["a", "b", "e"], "the smallest, the middle and the largest, not the slow one");
    assert!(probe.length > Span::from_secs(60) && probe.length < Span::from_secs(240), "{}", probe.length);
}

#[test]
fn its_trace_and_its_overrides_are_read_back() {
    let (probe, _) = probe(&[("a,\"b\"", 64, 300, 100)], "map = \"lookbusy\"");
    let folder = tempfile::tempdir().expect("a temporary folder");
    let trace = folder.path().join("probe");
    std::fs::create_dir(&trace).expect("writable");
    std::fs::write(trace.join("functions.csv"), &probe.functions).expect("writable");
    std::fs::write(trace.join("invocations.csv"), &probe.invocations).expect("writable");
    let read = read_native(&trace).unwrap_or_else(|error| panic!("{error}")).trace;
    assert_eq!(read.functions[0].name, "a,\"b\"");
    assert_eq!(read.functions[0].warm, Span::from_ms(100));
    let text = "[trace]\npath = \"x\"\nuntil = \"1 s\"\n[pool]\nmemory = \"1 MiB\"\n[keep-alive.ski-rental]\n\
                [costs]\nfrom = \"nowhere.toml\"\n[[prewarm]]\nkind = \"python:3\"\nmemory = \"64 MiB\"\ninitial-count = 1\n\
                [live]\nlimit = 3\nspeed = 9.0\n";
    std::fs::write(folder.path().join("s.toml"), text).expect("writable");
    let overrides = probe.overrides(&trace.display().to_string());
    let scenario =
        Scenario::load(&folder.path().join("s.toml"), &overrides).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(
        read.count(scenario.trace.window),
        read.len() as u64,
        "the window of the scenario does not matter"
    );
    assert_eq!((scenario.live.speed, scenario.live.limit), (1.0, Some(1_000_000)));
    assert!(scenario.memory >= probe.memory);
    let Engine::Pool(setup) = &scenario.engine else { panic!("a pool") };
    assert!(setup.stem_cells.is_empty());
    assert_eq!(setup.keep_alive.policy.name, "fixed");
}

#[test]
fn bursts_come_together_and_the_seed_decides_when() {
    let functions = [("a", 64, 300, 100)];
    let (one, _) = probe(&functions, "map = \"lookbusy\"");
    let (same, _) = probe(&functions, "map = \"lookbusy\"");
    assert_eq!(one, same);
    let times: Vec<f64> = one
        .invocations
        .lines()
        .skip(1)
        .map(|line| line.split(',').next().expect("a time").parse().expect("a number"))
        .collect();
    assert!(times.is_sorted());
    let close = times.windows(2).filter(|pair| pair[1] - pair[0] < 400.0).count();
    assert!(close >= 24, "{close} calls come close after another");
}
