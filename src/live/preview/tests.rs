//! Previews of a small run on machines of several sizes.

use std::path::PathBuf;

use serde_json::Map;

use super::*;
use crate::live::actions::{ActionSpec, Actions, Flavour, LOOKBUSY};
use crate::live::load::arrivals_by_function;
use crate::scenario::Engine;
use crate::sim::CostModel;
use crate::time::Time;
use crate::trace::{Function, Invocations, RunTime};

fn actions() -> Actions {
    let action = |name: &str| ActionSpec {
        name: name.to_owned(),
        what: "x".to_owned(),
        flavour: Flavour::Plain,
        memory: Memory(32),
        run: Span::from_ms(2),
        init: Span::from_ms(1),
        args: Map::new(),
        main: "main".to_owned(),
        code: String::new(),
        binary: false,
    };
    Actions { manifest: PathBuf::from("actions.toml"), all: vec![action("hello"), action(LOOKBUSY)] }
}

fn trace() -> Trace {
    let busy = Function::new("busy", Memory(256), Span::from_ms(2_700), Span::from_ms(2_000));
    let hello = Function::new("hello", Memory(64), Span::from_ms(700), Span::from_ms(2));
    let mut invocations = Invocations::default();
    for second in 0..10 {
        invocations.push(Time::from_ms(second * 1_000), 0, RunTime::ABSENT);
        invocations.push(Time::from_ms(second * 1_000 + 1), 1, RunTime::ABSENT);
    }
    Trace::new("t", vec![busy, hello], invocations).expect("valid")
}

const MACHINE: Machine =
    Machine { cpus: 4, memory_mib: Some(8_192), available_mib: Some(6_144), disk_mib: Some(20_480) };

/// The preview of a scenario on a machine.
fn preview(more: &str, machine: Machine, is_there: Option<bool>) -> String {
    let text = format!("[trace]\npath = \".\"\n[pool]\nmemory = \"1 GiB\"\n{more}");
    let scenario =
        Scenario::from_text(Path::new("s.toml"), text, &[]).unwrap_or_else(|error| panic!("{error}"));
    let Engine::Pool(setup) = &scenario.engine else { panic!("a pool") };
    let trace = trace();
    let arrivals = arrivals_by_function(&scenario, &trace);
    let plan =
        Plan::new(&scenario, setup, &trace, &actions(), &arrivals).unwrap_or_else(|error| panic!("{error}"));
    let costs = CostModel::new(1, &setup.costs, &setup.failures, &trace.functions).expect("costs");
    let load = LoadFigures::new(&scenario, &trace, &plan, &costs);
    let preview = Preview {
        scenario: &scenario,
        trace: &trace,
        arrivals: &arrivals,
        plan: &plan,
        load,
        machine,
        backend: "docker 27.1".to_owned(),
    };
    let text = preview.text(|_| is_there);
    assert!(text.lines().all(|line| line.chars().count() <= 80 && line.trim_end() == line), "{text}");
    text
}

#[test]
fn a_machine_that_can_carry_it() {
    assert_eq!(
        preview("", MACHINE, Some(true)),
        "function                   memory  arrivals  warm run  action            why
busy                      256 MiB        10    2.00 s  lookbusy          none
hello                      64 MiB        10   2.00 ms  hello             name

load        20 arrivals of 2 functions in 9.00 s
            2.2 a second on average, 2 within a second at most
            over after 2.2 min at the latest, by live.drain
at once     3 with 576 MiB at most if all start warm, 4 with 832 MiB if all
            start cold
processors  1.82 busy on average, 2.00 over the busiest second
pool        1 GiB
machine     4 processors, 8.0 GiB memory (6.0 available), 20.0 GiB disk free
backend     docker 27.1
images      faassim-python:plain (is there), for python:3

This machine can carry it.
"
    );
}

#[test]
fn a_machine_that_cannot_is_told_why() {
    let small = Machine { cpus: 1, memory_mib: Some(1_024), available_mib: Some(512), disk_mib: Some(300) };
    let text = preview("[live]\ntime-limit = \"1 s\"\n", small, Some(false));
    let verdict =
        text.split_once("\n\n").and_then(|(_, rest)| rest.split_once("\n\n")).map(|(_, verdict)| verdict);
    assert_eq!(
        verdict,
        Some(
            "This machine, or this load, is not what it should be:
  - memory is over-committed: the pool takes 1 GiB and 512 MiB are available;
    lower pool.memory
  - the work does not fit: it keeps 1.8 processors busy on average and there are
    1; lower live.speed, or sample the trace
  - the disk is short: 300 MiB are free; the event log takes about 0 MiB, and
    images and the engine need some
  - the longest run takes 2.00 s, but live.time-limit is 1 s
  - missing under docker: faassim-python:plain; build or fetch them first, or
    say `pull = true`
"
        )
    );
}

#[test]
fn speed_and_what_cannot_be_told_are_shown() {
    let unknown = Machine { cpus: 64, memory_mib: None, available_mib: None, disk_mib: None };
    let text = preview("[live]\nspeed = 1000.0\n", unknown, None);
    for part in [
        "load        20 arrivals of 2 functions in 9.00 ms at 1000 times the speed\n",
        "machine     64 processors, ? GiB memory (? available), ? GiB disk free\n",
        "images      faassim-python:plain (not looked for), for python:3\n",
        "\nThis machine can carry it.\n",
    ] {
        assert!(text.contains(part), "{part}\n{text}");
    }
}

#[test]
fn memory_is_read_from_what_linux_tells() {
    let text = "MemTotal:       24682900 kB\nMemFree:         1234 kB\nMemAvailable:   20480000 kB\n";
    assert_eq!(
        (meminfo_mib(text, "MemTotal"), meminfo_mib(text, "MemAvailable")),
        (Some(24_104), Some(20_000))
    );
    assert_eq!((meminfo_mib(text, "Mem"), meminfo_mib("", "MemTotal")), (None, None));
    assert!(Machine::here(Path::new(".")).cpus > 0);
}
