//! Cost of one simulated invocation, tally included. Every benchmark replays one million invocations, so
//! milliseconds per iteration are nanoseconds per invocation. The workload is fixed: a seeded Poisson
//! stream over functions with Zipf popularity, log-normal run times and Azure-like memory.
//!
//! `cargo bench`

mod workload;

use divan::Bencher;
use divan::counter::ItemsCount;
use faassim::trace::Trace;

use workload::replay;

const INVOCATIONS: usize = 1_000_000;

fn main() {
    divan::main();
}

fn workload(functions: usize, zipf: f64) -> Trace {
    workload::workload(functions, zipf, INVOCATIONS)
}

fn bench(bencher: Bencher<'_, '_>, trace: &Trace, rules: &str, gib: u64, evict: &str, keep: &str) {
    println!(
        "  {evict}, {keep}: {:.2} % cold",
        100.0 * replay(trace, rules, gib, evict, keep) as f64 / INVOCATIONS as f64
    );
    bencher.counter(ItemsCount::new(INVOCATIONS)).bench_local(|| replay(trace, rules, gib, evict, keep));
}

/// 400 functions, nearly all warm.
#[divan::bench(args = ["lru", "greedy-dual", "fifo", "lfu", "freq", "size", "gdsf", "landlord", "random", "sieve", "s3-fifo"], sample_count = 7, sample_size = 1)]
fn functions_400(bencher: Bencher<'_, '_>, evict: &str) {
    bench(bencher, &workload(400, 1.1), "ideal", 256, evict, "fixed");
}

/// As many functions as Azure's day has, 95 % warm.
#[divan::bench(args = ["lru", "greedy-dual", "landlord", "s3-fifo"], sample_count = 5, sample_size = 1)]
fn functions_46412(bencher: Bencher<'_, '_>, evict: &str) {
    bench(bencher, &workload(46_412, 1.3), "ideal", 4096, evict, "fixed");
}

/// 20,000 functions in too little memory: an eviction every few invocations.
#[divan::bench(args = ["lru", "greedy-dual"], sample_count = 5, sample_size = 1)]
fn functions_20000_short_of_memory(bencher: Bencher<'_, '_>, evict: &str) {
    bench(bencher, &workload(20_000, 0.9), "ideal", 1536, evict, "fixed");
}

/// 400 functions, keep-alive policies.
#[divan::bench(args = ["fixed", "hybrid-histogram", "ski-rental"], sample_count = 5, sample_size = 1)]
fn keep_alive_400(bencher: Bencher<'_, '_>, keep: &str) {
    bench(bencher, &workload(400, 1.1), "ideal", 256, "lru", keep);
}

/// All of OpenWhisk's rules, an event for every pause included.
#[divan::bench(args = ["lru", "greedy-dual"], sample_count = 5, sample_size = 1)]
fn openwhisk_400(bencher: Bencher<'_, '_>, evict: &str) {
    bench(bencher, &workload(400, 1.1), "openwhisk", 256, evict, "fixed");
}
