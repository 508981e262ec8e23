//! Cost of one simulated invocation, tally included. Every benchmark replays one million invocations, so
//! milliseconds per iteration are nanoseconds per invocation. The workload is fixed: a seeded Poisson
//! stream over functions with Zipf popularity, log-normal run times and Azure-like memory.
//!
//! `cargo bench`

use divan::Bencher;
use divan::counter::ItemsCount;
use faassim::memory::Memory;
use faassim::policy::registry::Making;
use faassim::policy::{EVICTION, Evict, KEEP_ALIVE, KeepAlive, Params};
use faassim::pool::rules::Rules;
use faassim::pool::tables::FunctionSpec;
use faassim::pool::{Pool, Setup};
use faassim::scenario::{CostSpec, Failures};
use faassim::sim::{CostModel, Wheel, mean_gap, simulate};
use faassim::tally::Tally;
use faassim::time::{Span, Time};
use faassim::trace::{Function, Invocations, RunTime, Trace};
use rand::{RngExt as _, SeedableRng as _};
use rand_distr::{Distribution as _, Exp, LogNormal, Zipf};
use rand_pcg::Pcg64Mcg;

const INVOCATIONS: usize = 1_000_000;

fn main() {
    divan::main();
}

/// `functions` functions, [`INVOCATIONS`] invocations, 116 a second as in ten million a day.
fn workload(functions: usize, zipf: f64) -> Trace {
    let mut random = Pcg64Mcg::seed_from_u64(7);
    let warm = LogNormal::new(100_f64.ln(), 1.2).expect("valid");
    let cold = LogNormal::new(900_f64.ln(), 0.7).expect("valid");
    let specs = (0..functions)
        .map(|ix| {
            let memory = [128, 128, 128, 192, 256, 256, 512, 1024][random.random_range(0..8)];
            let warm_ms: f64 = warm.sample(&mut random);
            let cold_ms: f64 = warm_ms + cold.sample(&mut random);
            Function::new(
                format!("f{ix:05}"),
                Memory(memory),
                Span::from_ms_f64(cold_ms),
                Span::from_ms_f64(warm_ms),
            )
        })
        .collect();
    let popularity = Zipf::new(functions as f64, zipf).expect("valid");
    let gap = Exp::new(116e-6).expect("valid");
    let mut invocations = Invocations::with_capacity(INVOCATIONS);
    let mut now = 0.0;
    for _ in 0..INVOCATIONS {
        now += gap.sample(&mut random);
        let rank: f64 = popularity.sample(&mut random);
        invocations.push(Time(now as u64), rank as u32 - 1, RunTime::ABSENT);
    }
    Trace::new("bench", specs, invocations).expect("a trace")
}

fn eviction(name: &str, making: Making) -> Box<dyn Evict> {
    let policy = EVICTION.iter().find(|policy| policy.name == name).expect("a policy");
    (policy.make)(&mut Params::new(policy.params, &[]), making)
}

fn keep_alive(name: &str, making: Making) -> Box<dyn KeepAlive> {
    let policy = KEEP_ALIVE.iter().find(|policy| policy.name == name).expect("a policy");
    (policy.make)(&mut Params::new(policy.params, &[]), making)
}

fn replay(trace: &Trace, rules: &Rules, memory: Memory, evict: &str, keep: &str) -> u64 {
    let costs =
        CostModel::new(1, &CostSpec::default(), &Failures::default(), &trace.functions).expect("valid");
    let making = Making { seed: 1, tracking: rules.tracking, capacity_mib: memory.mib() };
    let functions = trace
        .functions
        .iter()
        .enumerate()
        .map(|(ix, function)| FunctionSpec {
            action: faassim::ids::ActionId(ix as u32),
            memory: function.memory,
            kind: faassim::ids::KindId(0),
            max_concurrent: 1,
            logs: false,
            cold: function.cold,
            warm: function.warm,
        })
        .collect();
    let mut pool = Pool::new(Setup {
        rules: rules.clone(),
        memory,
        functions,
        stem_cells: Vec::new(),
        evict: eviction(evict, making),
        keep_alive: keep_alive(keep, making),
    });
    let mut tally = Tally::new(trace.functions.len(), Span::from_mins(1), false);
    let mut queue = Wheel::new(mean_gap(trace));
    simulate(&mut pool, trace.arrivals(), &costs, &mut queue, &mut tally, &mut ()).expect("nobody stops it");
    let names: Vec<String> = Vec::new();
    tally.summary(&names, memory, Time::ZERO, 0).cold
}

fn bench(bencher: Bencher<'_, '_>, trace: &Trace, rules: &Rules, gib: u64, evict: &str, keep: &str) {
    let memory = Memory(gib * 1024);
    println!(
        "  {evict}, {keep}: {:.2} % cold",
        100.0 * replay(trace, rules, memory, evict, keep) as f64 / INVOCATIONS as f64
    );
    bencher.counter(ItemsCount::new(INVOCATIONS)).bench_local(|| replay(trace, rules, memory, evict, keep));
}

/// 400 functions, nearly all warm.
#[divan::bench(args = ["lru", "greedy-dual", "fifo", "lfu", "freq", "size", "gdsf", "landlord", "random", "sieve", "s3-fifo"], sample_count = 7, sample_size = 1)]
fn functions_400(bencher: Bencher<'_, '_>, evict: &str) {
    bench(bencher, &workload(400, 1.1), &Rules::IDEAL, 256, evict, "fixed");
}

/// 20,000 functions in too little memory: an eviction every few invocations.
#[divan::bench(args = ["lru", "greedy-dual"], sample_count = 5, sample_size = 1)]
fn functions_20000_short_of_memory(bencher: Bencher<'_, '_>, evict: &str) {
    bench(bencher, &workload(20_000, 0.9), &Rules::IDEAL, 1536, evict, "fixed");
}

/// 400 functions, keep-alive policies.
#[divan::bench(args = ["fixed", "hybrid-histogram", "ski-rental"], sample_count = 5, sample_size = 1)]
fn keep_alive_400(bencher: Bencher<'_, '_>, keep: &str) {
    bench(bencher, &workload(400, 1.1), &Rules::IDEAL, 256, "lru", keep);
}

/// All of OpenWhisk's rules, an event for every pause included.
#[divan::bench(args = ["lru", "greedy-dual"], sample_count = 5, sample_size = 1)]
fn openwhisk_400(bencher: Bencher<'_, '_>, evict: &str) {
    bench(bencher, &workload(400, 1.1), &Rules::OPENWHISK, 256, evict, "fixed");
}
