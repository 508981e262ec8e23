//! The live driver on a backend that only imagines its containers, under tokio's paused clock, orders exactly what the
//! simulator orders, and its event log replays to the same orders: over many seeds, with evictions, expiries, pauses,
//! failures, prewarms, several activations in a container, and a pool that changes its size.

#![cfg(feature = "live")]

use std::collections::BTreeMap;
use std::io::BufReader;
use std::sync::Arc;
use std::time::Duration;

use faassim::elastic::Controller;
use faassim::eventlog::record::{Machine, Why};
use faassim::eventlog::{Header, Reader, Record, Writer, replay};
use faassim::ids::ActivationId;
use faassim::live::driver::{Command, Driven, Limits, Rank, Run, Watcher, drive};
use faassim::live::fake::Fake;
use faassim::memory::Memory;
use faassim::pool::boundary::{Action, Phase, StartState};
use faassim::pool::{Input, Note, order};
use faassim::scenario::{Engine, PoolSetup, Scenario};
use faassim::sim::{self, CostModel, HeapQueue, simulate};
use faassim::tally::Observer;
use faassim::time::{Span, Time};
use faassim::trace::{Function, Invocations, RunTime, Trace};
use faassim::worker;
use tokio::sync::mpsc::unbounded_channel;

/// Everything that was ordered, and what happened on the way.
#[derive(Default)]
struct Seen {
    orders: Vec<(Time, Action)>,
    happened: BTreeMap<&'static str, u64>,
}

impl Seen {
    fn count(&mut self, what: &'static str) {
        *self.happened.entry(what).or_default() += 1;
    }
}

impl Observer for Seen {
    fn acted(&mut self, now: Time, action: &Action) {
        self.orders.push((now, *action));
        if let Action::Lose(_) | Action::Reject(..) = action {
            self.count("refused or lost");
        }
    }

    fn noted(&mut self, _now: Time, note: &Note) {
        use faassim::pool::boundary::Departure;
        match note {
            Note::Gone { why: Departure::Evicted(_), .. } => self.count("eviction"),
            Note::Gone { why: Departure::Expired, .. } => self.count("expiry"),
            Note::Gone { why: Departure::Failed, .. } => self.count("failure"),
            Note::Gone { why: Departure::Shrunk, .. } => self.count("shrunk"),
            Note::Gone { why: Departure::PrewarmExpired, .. } => self.count("expired prewarm"),
            Note::Entered(_, Phase::Paused) => self.count("pause"),
            Note::Dispatched { start: StartState::Prewarmed, .. } => self.count("prewarm taken"),
            Note::Dispatched { start: StartState::WarmingCold, .. } => self.count("joined a start"),
            Note::Dispatched { active: 2.., .. } => self.count("several at once"),
            Note::Resized { .. } => self.count("resize"),
            Note::Resubmitted(_) => self.count("handed back"),
            Note::Buffered(_) => self.count("wait"),
            _ => {}
        }
    }
}

impl Watcher for Seen {}
impl faassim::eventlog::Watcher for Seen {}

/// All the variety that is needed: Knuth's MMIX.
struct Draw(u64);

impl Draw {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % bound
    }

    fn of<T: Copy>(&mut self, all: &[T]) -> T {
        all[self.below(all.len() as u64) as usize]
    }
}

/// One workload on one worker.
struct Case {
    scenario: Scenario,
    trace: Trace,
}

/// Everything is a multiple of 10 ms, so that much happens at once.
fn case(seed: u64) -> Case {
    let mut draw = Draw(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ 0x5EED);
    let many = 3 + draw.below(6);
    let functions: Vec<Function> = (0..many)
        .map(|ix| Function {
            max_concurrent: draw.of(&[1, 1, 1, 2, 4]),
            ..Function::new(
                format!("f{ix}"),
                Memory(128 * (1 + draw.below(3))),
                Span::from_ms(900),
                Span::from_ms(10 * (1 + draw.below(30))),
            )
        })
        .collect();
    let mut invocations = Invocations::with_capacity(400);
    let mut ms = 0;
    for _ in 0..400 {
        ms += match draw.below(40) {
            0 => 4_000,
            1..=15 => 0,
            _ => 10 * draw.below(25),
        };
        invocations.push(Time::from_ms(ms), draw.below(many) as u32, RunTime::ABSENT);
    }
    let trace = Trace::new("random", functions, invocations).expect("it is a trace");
    Case { scenario: scenario(seed, &mut draw), trace }
}

fn scenario(seed: u64, draw: &mut Draw) -> Scenario {
    let eviction = draw.of(&["lru", "greedy-dual", "faascache", "sieve", "fifo"]);
    let preset = draw.of(&["openwhisk", "openwhisk", "faascache", "faascache-head", "ideal"]);
    let memory = 640 + 128 * draw.below(5);
    let mut text = format!(
        "seed = {seed}\neviction = \"{eviction}\"\n[trace]\npath = \"random\"\n[pool]\nmemory = \"{memory} MiB\"\n\
         [keep-alive.fixed]\nkeep = \"{} ms\"\n[rules]\npreset = \"{preset}\"\npause-grace = \"{} ms\"\n\
         prewarm-check-interval = \"1 s\"\nprewarm-check-delay = \"1 s\"\n\
         [costs]\npull = \"{} ms\"\ncreate = \"{} ms\"\ninit = \"{} ms\"\nfirst-run = \"{} ms\"\nunpause = \"{} ms\"\n\
         pause = \"{} ms\"\nlogs = \"{} ms\"\nremove = \"{} ms\"\n",
        10 * (20 + draw.below(300)),
        10 * (1 + draw.below(20)),
        10 * draw.below(50),
        10 * (1 + draw.below(60)),
        10 * (1 + draw.below(20)),
        10 * (1 + draw.below(30)),
        10 * draw.below(4),
        10 * draw.below(4),
        10 * draw.below(3),
        10 * draw.below(20),
    );
    if draw.below(2) == 0 {
        text +=
            "[failures]\ncreate = 0.02\ninit = 0.03\nrun = 0.04\nlogs = 0.01\npause = 0.03\nresume = 0.03\n";
    }
    if draw.below(2) == 0 {
        text += "[[prewarm]]\nkind = \"python:3\"\nmemory = \"256 MiB\"\ninitial-count = 1\n[prewarm.reactive]\n\
                 min-count = 0\nmax-count = 2\nttl = \"2 s\"\nthreshold = 1\nincrement = 1\n";
    }
    if draw.below(2) == 0 {
        let percent = 10 + 10 * draw.below(7);
        text += &format!(
            "[pool.elastic]\ncold-percent = {percent}\nperiod = \"2 s\"\nmin = \"384 MiB\"\nmax = \"3 GiB\"\n"
        );
    }
    Scenario::from_text("parity.toml".as_ref(), text, &[]).expect("the scenario is right")
}

fn setup(scenario: &Scenario) -> &PoolSetup {
    let Engine::Pool(setup) = &scenario.engine else { panic!("these scenarios run the pool") };
    setup
}

fn controller(case: &Case, costs: &CostModel) -> Option<Controller> {
    let elastic = case.scenario.elastic?;
    Some(sim::controller(elastic, &case.scenario, &case.trace, costs, &mut ()).expect("nobody stops it"))
}

fn costs(case: &Case) -> CostModel {
    let setup = setup(&case.scenario);
    CostModel::new(case.scenario.seed, &setup.costs, &setup.failures, &case.trace.functions)
        .expect("they are right")
}

fn simulated(case: &Case) -> (Seen, u64) {
    let Case { scenario, trace } = case;
    let costs = costs(case);
    let mut pool = sim::make_pool(scenario.seed, scenario.memory, setup(scenario), trace, &costs);
    let mut seen = Seen::default();
    let elastic = controller(case, &costs);
    let end =
        simulate(&mut pool, elastic, trace.arrivals(), &costs, &mut HeapQueue::default(), &mut seen, &mut ());
    (seen, end.expect("nobody stops it").unserved)
}

fn header(case: &Case, costs: &CostModel) -> Header {
    let Case { scenario, trace } = case;
    Header {
        faassim: env!("CARGO_PKG_VERSION").to_owned(),
        schema: faassim::eventlog::record::SCHEMA,
        started: "2026-01-01T00:00:00Z".to_owned(),
        backend: "fake".to_owned(),
        machine: Machine { cpus: 1, memory_mib: 1 },
        scenario_file: scenario.file.display().to_string(),
        scenario: scenario.text.clone(),
        overrides: Vec::new(),
        trace_sha256: trace.checksum.clone(),
        trace_path: "random".to_owned(),
        trace_invocations: trace.len() as u64,
        arrivals: trace.len() as u64,
        functions: sim::worker_functions(trace, costs),
        actions: Vec::new(),
    }
}

/// What was ordered live, the log of it, and how it ended.
async fn live(case: &Case, rank: Rank) -> (Seen, Vec<u8>, Driven) {
    let Case { scenario, trace } = case;
    let costs = Arc::new(costs(case));
    let setup = setup(scenario);
    let header = header(case, &costs);
    let evict = worker::make_evict(scenario.seed, scenario.memory, setup);
    let mut pool = worker::make_pool(scenario.seed, scenario.memory, setup, &header.functions, evict);
    let (mut seen, mut text) = (Seen::default(), Vec::new());
    let mut log = Writer::new(&mut text);
    log.write(&Record::Log(Box::new(header))).expect("memory can be written");
    let (_commander, mut commands) = unbounded_channel::<Command>();
    let run = Run {
        backend: &Arc::new(Fake::new(Arc::clone(&costs))),
        costs: &costs,
        elastic: controller(case, &costs),
        watcher: &mut seen,
        log: &mut log,
        commands: &mut commands,
        limits: Limits { drain: sim::PATIENCE, answer: Duration::from_secs(3_600) },
        rank,
    };
    let driven = drive(&mut pool, trace.arrivals(), run).await;
    drop(log);
    (seen, text, driven)
}

fn first_difference(simulated: &Seen, live: &Seen) -> Option<String> {
    let ix = simulated.orders.iter().zip(&live.orders).position(|(a, b)| a != b);
    let ix = ix.or_else(|| {
        (simulated.orders.len() != live.orders.len()).then(|| simulated.orders.len().min(live.orders.len()))
    })?;
    Some(format!("order {ix}: simulated {:?}, live {:?}", simulated.orders.get(ix), live.orders.get(ix)))
}

const SEEDS: u64 = 80;

#[tokio::test(start_paused = true)]
async fn the_live_driver_orders_what_the_simulator_orders() {
    let mut happened: BTreeMap<&str, u64> = BTreeMap::new();
    for seed in 0..SEEDS {
        let case = case(seed);
        let (simulated, unserved) = simulated(&case);
        let (live, log, driven) = live(&case, order).await;
        assert_eq!(first_difference(&simulated, &live), None, "seed {seed}\n{}", case.scenario.text);
        assert_eq!(driven.ended.unserved, unserved, "seed {seed}");
        assert_eq!(driven.ended.why, Why::Done, "seed {seed}");
        assert_eq!(driven.invocations, 400);
        let (mut reader, header) = Reader::open(BufReader::new(log.as_slice())).expect("a log");
        let mut again = Seen::default();
        let replayed = replay::replay(&mut reader, &header, &mut again).expect("an undamaged log");
        assert_eq!(replayed.difference, None, "seed {seed}");
        assert_eq!(first_difference(&simulated, &again), None, "seed {seed}: replayed from the log");
        assert_eq!((replayed.arrivals, replayed.unserved), (400, unserved));
        assert_eq!(replayed.ended, Some(driven.ended));
        for (what, count) in live.happened {
            *happened.entry(what).or_default() += count;
        }
    }
    for what in [
        "eviction",
        "expiry",
        "pause",
        "failure",
        "prewarm taken",
        "several at once",
        "joined a start",
        "wait",
        "resize",
        "shrunk",
        "handed back",
        "expired prewarm",
    ] {
        assert!(happened.get(what).is_some_and(|count| *count > 20), "{what} hardly happens: {happened:?}");
    }
}

/// Arrivals first, as a naive driver may do it.
fn arrivals_first(input: &Input) -> (u8, u32, u32) {
    match input {
        Input::Arrived { .. } => (0, 0, 0),
        other => order(other),
    }
}

/// Containers in the wrong order.
fn containers_backwards(input: &Input) -> (u8, u32, u32) {
    let (class, slot, activation) = order(input);
    (class, u32::MAX - slot, activation)
}

/// The wake before what containers report.
fn wake_first(input: &Input) -> (u8, u32, u32) {
    match input {
        Input::Wake => (0, 0, 0),
        other => {
            let (class, slot, activation) = order(other);
            (class + 1, slot, activation)
        }
    }
}

#[tokio::test(start_paused = true)]
async fn any_other_order_of_simultaneous_facts_diverges() {
    let wrong: [(&str, Rank); 3] = [
        ("arrivals first", arrivals_first),
        ("containers backwards", containers_backwards),
        ("the wake first", wake_first),
    ];
    for (name, rank) in wrong {
        let mut diverged = 0;
        for seed in 0..20 {
            let case = case(seed);
            diverged +=
                u64::from(first_difference(&simulated(&case).0, &live(&case, rank).await.0).is_some());
        }
        assert!(diverged > 0, "{name}: nobody would notice");
    }
}

#[tokio::test(start_paused = true)]
async fn a_changed_order_in_a_log_is_found() {
    let case = case(3);
    let (_, log, _) = live(&case, order).await;
    let text = String::from_utf8(log).expect("JSON is text");
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    let at = lines.iter().rposition(|line| line.contains(r#""run":{"#)).expect("something ran");
    lines[at] = lines[at].replace(r#""reschedule":true"#, r#""reschedule":maybe"#);
    lines[at] = lines[at].replace(r#""reschedule":false"#, r#""reschedule":true"#);
    lines[at] = lines[at].replace("maybe", "false");
    let changed = lines.join("\n") + "\n";
    let (mut reader, header) = Reader::open(BufReader::new(changed.as_bytes())).expect("a log");
    let replayed = replay::replay(&mut reader, &header, &mut ()).expect("an undamaged log");
    let difference = replayed.difference.expect("one order differs");
    assert_eq!(difference.line, at as u64 + 1);
    assert_ne!(difference.then, difference.now);

    // A missing order is one, too.
    lines.remove(at);
    let changed = lines.join("\n") + "\n";
    let (mut reader, header) = Reader::open(BufReader::new(changed.as_bytes())).expect("a log");
    let difference =
        replay::replay(&mut reader, &header, &mut ()).expect("undamaged").difference.expect("one lacks");
    assert!(difference.now.is_some_and(|now| matches!(now, Action::Run { activation: ActivationId(_), .. })));
}
