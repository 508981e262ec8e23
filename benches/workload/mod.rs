//! What the benchmarks replay: a seeded Poisson stream over functions with Zipf popularity, log-normal run
//! times and Azure-like memory. Owns the workload, so that every figure is of the same one.

use std::path::Path;

use faassim::memory::Memory;
use faassim::scenario::{Engine, Scenario};
use faassim::sim;
use faassim::time::{Span, Time};
use faassim::trace::{Function, Invocations, RunTime, Trace};
use rand::{RngExt as _, SeedableRng as _};
use rand_distr::{Distribution as _, Exp, LogNormal, Zipf};
use rand_pcg::Pcg64Mcg;

/// `functions` functions, `invocations` invocations, 116 a second as in ten million a day.
pub fn workload(functions: usize, zipf: f64, invocations: usize) -> Trace {
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
    let mut list = Invocations::with_capacity(invocations);
    let mut now = 0.0;
    for _ in 0..invocations {
        now += gap.sample(&mut random);
        let rank: f64 = popularity.sample(&mut random);
        list.push(Time(now as u64), rank as u32 - 1, RunTime::ABSENT);
    }
    Trace::new("bench", specs, list).expect("a trace")
}

/// Replays a trace as `faassim run` does, without tables; the number of cold starts.
pub fn replay(trace: &Trace, rules: &str, gib: u64, evict: &str, keep: &str) -> u64 {
    let text = format!(
        "[trace]\npath = \"bench\"\n[pool]\nmemory = \"{gib} GiB\"\n[rules]\npreset = \"{rules}\"\n\
         [eviction.{evict}]\n[keep-alive.{keep}]\n"
    );
    let scenario = Scenario::from_text(Path::new("bench.toml"), text, &[]).expect("a scenario");
    let Engine::Pool(setup) = &scenario.engine else { unreachable!("no other engine was asked for") };
    sim::replay(&scenario, setup, trace, &mut ()).expect("nobody stops it").summary.cold
}
