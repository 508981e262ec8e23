//! Random workloads on an imagined platform: simulated, or live under tokio's paused clock. Owns how they are drawn; must
//! never assert anything.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use faassim::elastic::Controller;
use faassim::eventlog::record::Machine;
use faassim::eventlog::{Header, Record, Writer};
use faassim::live::driver::{Command, Driven, Limits, Rank, Run, Watcher, drive};
use faassim::live::fake::Fake;
use faassim::memory::Memory;
use faassim::pool::Note;
use faassim::pool::boundary::{Action, Departure, Phase, StartState};
use faassim::scenario::{Engine, PoolSetup, Scenario};
use faassim::sim::{self, CostModel};
use faassim::tally::Observer;
use faassim::time::{Span, Time};
use faassim::trace::{Function, Invocations, RunTime, Trace};
use faassim::worker;
use tokio::sync::mpsc::unbounded_channel;

/// Everything that was ordered, and what happened on the way.
#[derive(Default)]
pub struct Seen {
    /// In order.
    pub orders: Vec<(Time, Action)>,
    /// How often.
    pub happened: BTreeMap<&'static str, u64>,
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
pub struct Case {
    pub scenario: Scenario,
    pub trace: Trace,
}

/// Everything is a multiple of 10 ms, so that much happens at once.
pub fn case(seed: u64) -> Case {
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

pub fn setup(scenario: &Scenario) -> &PoolSetup {
    let Engine::Pool(setup) = &scenario.engine else { panic!("these scenarios run the pool") };
    setup
}

pub fn controller(case: &Case, costs: &CostModel) -> Option<Controller> {
    let elastic = case.scenario.elastic?;
    Some(sim::controller(elastic, &case.scenario, &case.trace, costs, &mut ()).expect("nobody stops it"))
}

pub fn costs(case: &Case) -> CostModel {
    let setup = setup(&case.scenario);
    CostModel::new(case.scenario.seed, &setup.costs, &setup.failures, &case.trace.functions)
        .expect("they are right")
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
        loading_us: Vec::new(),
    }
}

/// What was ordered live, the log of it, and how it ended.
pub async fn live(case: &Case, rank: Rank) -> (Seen, Vec<u8>, Driven) {
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
