//! One test per bug that was found after it had been believed right: the smallest input that showed it.

use std::path::Path;
use std::sync::{Arc, Mutex};

use faassim::ids::{ActionId, FunctionId, KindId, Slot};
use faassim::memory::Memory;
use faassim::policy::registry::Making;
use faassim::policy::{EVICTION, KeepAlive, Lease, Params};
use faassim::pool::rules::Rules;
use faassim::pool::tables::{FunctionSpec, Tables};
use faassim::pool::{Pool, Setup};
use faassim::scenario::{CostSpec, Engine, Failures, Scenario};
use faassim::sim::{Answers, CostModel, HeapQueue, Machine, replay, simulate};
use faassim::tally::Summary;
use faassim::time::{Span, Time};
use faassim::trace::{Function, Invocations, RunTime, Trace};

/// `functions`: name and memory in MiB, 10 ms warm, `cold_ms` cold; `calls`: time in ms, function, run time in ms.
fn trace(functions: &[(&str, u64)], cold_ms: u64, calls: &[(u64, u32, u64)]) -> Trace {
    let functions = functions
        .iter()
        .map(|(name, memory)| {
            Function::new(*name, Memory(*memory), Span::from_ms(cold_ms), Span::from_ms(10))
        })
        .collect();
    let mut invocations = Invocations::with_capacity(calls.len());
    for (time_ms, function, run_ms) in calls {
        let run = RunTime::new(Span::from_ms(*run_ms)).expect("short enough");
        invocations.push(Time::from_ms(*time_ms), *function, run);
    }
    Trace::new("regression", functions, invocations).expect("a trace")
}

fn run(text: &str, trace: &Trace) -> Summary {
    let text = format!("[trace]\npath = \"none\"\n{text}");
    let scenario = Scenario::from_text(Path::new("regression.toml"), text, &[]).expect("a right scenario");
    let Engine::Pool(setup) = &scenario.engine else { panic!("the pool is meant") };
    replay(&scenario, setup, trace, &mut ()).expect("it runs").summary
}

/// S3-FIFO found no victim where main was all busy and the only idle container was promoted out of small.
#[test]
fn s3_fifo_evicts_what_it_has_just_promoted() {
    let functions = [("b", 850), ("d", 100), ("e", 140), ("f", 100), ("x", 60)];
    let (b, d, e, f, x) = (0, 1, 2, 3, 4);
    let calls = [
        (0, b, 10),
        (100, b, 10),
        (200, b, 10),
        (300, d, 10),
        (1_000, e, 10),
        (2_000, b, 1_000_000),
        (120_000, x, 10),
        (120_100, x, 10),
        (120_200, x, 10),
        (121_000, f, 10),
    ];
    let text = "[pool]\nmemory = \"1000 MiB\"\n[rules]\npreset = \"ideal\"\n[eviction.s3-fifo]\n\
        [keep-alive.fixed]\nkeep = \"60 s\"\n";
    let summary = run(text, &trace(&functions, 10, &calls));
    assert_eq!((summary.served, summary.unserved), (10, 0));
}

const REACTIVE: &str = "[pool]\nmemory = \"256 MiB\"\n[rules]\npreset = \"openwhisk\"\n[[prewarm]]\n\
    kind = \"python:3\"\nmemory = \"128 MiB\"\ninitial-count = 1\n[prewarm.reactive]\nmin-count = 0\nmax-count = 1\n\
    ttl = \"2 min\"\nthreshold = 1\nincrement = 1\n";

/// The periodic prewarm check kept a run alive for ever in which an activation could never be placed.
#[test]
fn a_run_ends_although_an_activation_waits_for_ever() {
    let summary = run(REACTIVE, &trace(&[("big", 512)], 100, &[(0, 0, 10)]));
    assert_eq!((summary.served, summary.unserved), (0, 1));
}

/// The first prewarm check came at time 0 plus its delay, which a trace in epoch time has long passed.
#[test]
fn the_prewarm_check_counts_from_the_start_of_the_trace() {
    let text = REACTIVE.replace("256 MiB", "1 GiB").replace("initial-count = 1", "initial-count = 0");
    let text = text.replace("min-count = 0", "min-count = 1");
    let at = |start| trace(&[("f", 128)], 100, &[(start, 0, 10), (start + 1_000, 0, 10)]);
    let (early, late) = (run(&text, &at(0)), run(&text, &at(1_600_000_000_000)));
    assert_eq!(early.containers.prewarmed, 0, "the check comes after ten minutes");
    assert_eq!(early, late);
}

/// Every unloading by a prewarm window was kept as a loss although a loading made up for it, so that a burst
/// an hour later was put down to unloading.
#[test]
fn a_burst_beside_a_loaded_container_finds_all_busy() {
    let mut calls: Vec<(u64, u32, u64)> = (0..40).map(|n| (n * 1_800_000, 0, 10)).collect();
    calls.extend((0..30).map(|_| (39 * 1_800_000 + 100, 0, 10)));
    let text = "[pool]\nmemory = \"64 GiB\"\n[rules]\npreset = \"ideal\"\n[keep-alive.hybrid-histogram]\n";
    let summary = run(text, &trace(&[("f", 128)], 1_000, &calls));
    assert!(summary.containers.unloaded > 20, "{summary:?}");
    assert!(summary.causes.all_busy >= 29, "{:?}", summary.causes);
    assert_eq!(summary.causes.total(), summary.cold + summary.partial);
}

/// Policies knew the trace's costs where the scenario had set others.
#[test]
fn declared_costs_are_those_of_the_scenario() {
    let calls: Vec<(u64, u32, u64)> = (0..10).map(|n| (n * 10_000, 0, 10)).collect();
    let text = "[pool]\nmemory = \"1 GiB\"\n[rules]\npreset = \"ideal\"\n[keep-alive.ski-rental]\n[costs]\n\
        cold-start = \"2 s\"\n";
    assert_eq!(run(text, &trace(&[("f", 128)], 10, &calls)).cold, 1);
}

/// Idle times were learnt from the moment of being paused, so that calls within the grace counted as none.
#[test]
fn idle_times_are_learnt_from_the_end_of_the_run_under_any_rules() {
    let calls: Vec<(u64, u32, u64)> = (0..60).map(|n| (n * 1_200_000, 0, 10)).collect();
    let trace = trace(&[("f", 128)], 1_000, &calls);
    let text = |preset: &str| {
        format!("[pool]\nmemory = \"1 GiB\"\n[rules]\npreset = \"{preset}\"\n[keep-alive.hybrid-histogram]\n")
    };
    let (paused, idle) = (run(&text("openwhisk"), &trace), run(&text("ideal"), &trace));
    assert_eq!(paused.warm, idle.warm, "paused {paused:?}\nidle {idle:?}");
    assert!(idle.warm > 40, "{idle:?}");
}

/// Asks for every container to be loaded again 60 s after it went, and writes down what it is told.
struct Spy(Arc<Mutex<Vec<String>>>);

impl Spy {
    fn note(&self, text: String) {
        self.0.lock().expect("nobody panics while holding it").push(text);
    }
}

impl KeepAlive for Spy {
    fn on_idle(&mut self, now: Time, _function: FunctionId) {
        self.note(format!("idle at {} s", now.as_secs_f64()));
    }

    fn lease(&mut self, _now: Time, _tables: &Tables, _slot: Slot, loaded_ahead: bool) -> Lease {
        self.note(format!("lease, unused: {loaded_ahead}"));
        if loaded_ahead {
            Lease::keep(Span::from_mins(10))
        } else {
            Lease { keep: Span::ZERO, load_after: Some(Span::from_secs(60)) }
        }
    }
}

/// A container that was loaded ahead and ran something before it was paused still counted as unused.
#[test]
fn what_was_loaded_ahead_and_has_run_is_not_unused() {
    // Idle at 1.01 s, paused 10 s later, loaded 60 s after that: at 71.01 s; the second call comes within its grace.
    let calls = [(1_000, 0, 10), (73_000, 0, 10), (1_000_000, 0, 10)];
    let trace = trace(&[("f", 128)], 10, &calls);
    let told = Arc::default();
    let mut pool = Pool::new(Setup {
        rules: Rules::OPENWHISK,
        memory: Memory(1024),
        functions: vec![FunctionSpec {
            action: ActionId(0),
            memory: Memory(128),
            kind: KindId(0),
            max_concurrent: 1,
            logs: false,
            cold: Span::from_ms(10),
            warm: Span::from_ms(10),
        }],
        stem_cells: Vec::new(),
        evict: (EVICTION[0].make)(&mut Params::new(EVICTION[0].params, &[]), MAKING),
        keep_alive: Box::new(Spy(Arc::clone(&told))),
    });
    let costs =
        CostModel::new(1, &CostSpec::default(), &Failures::default(), &trace.functions).expect("fine");
    let mut queue = HeapQueue::default();
    let machine = Machine { imagined: Answers::new(&costs), contention: None };
    simulate(&mut pool, None, trace.arrivals(), machine, &mut queue, &mut (), &mut ()).expect("it ends");
    let told = told.lock().expect("nobody panics while holding it");
    let wanted = ["idle at 1.01 s", "lease, unused: false", "idle at 73.01 s", "lease, unused: false"];
    assert_eq!(told[..4], wanted.map(str::to_owned), "{told:?}");
}

const MAKING: Making = Making { seed: 1, tracking: Rules::OPENWHISK.tracking, capacity_mib: 1024 };
