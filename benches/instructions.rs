//! One replay, for an instruction counter: `scripts/instructions.sh` runs it under callgrind, which counts only
//! inside [`faassim_measured`]. Owns nothing but its arguments; the workload is the benchmarks'.
//!
//! Arguments: FUNCTIONS ZIPF GIB RULES EVICTION KEEP-ALIVE INVOCATIONS

mod workload;

use std::process::ExitCode;

use faassim::trace::Trace;

/// What is counted. The name must survive, so that the counter finds it.
#[unsafe(no_mangle)]
#[inline(never)]
fn faassim_measured(trace: &Trace, rules: &str, gib: u64, evict: &str, keep: &str) -> u64 {
    workload::replay(trace, rules, gib, evict, keep)
}

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).filter(|word| word != "--bench").collect();
    let [functions, zipf, gib, rules, evict, keep, invocations] = words.as_slice() else {
        // `cargo bench` runs every benchmark without arguments: nothing to time here.
        println!("run scripts/instructions.sh");
        return ExitCode::SUCCESS;
    };
    let trace = workload::workload(
        functions.parse().expect("a number"),
        zipf.parse().expect("a number"),
        invocations.parse().expect("a number"),
    );
    println!("{}", faassim_measured(&trace, rules, gib.parse().expect("a number"), evict, keep));
    ExitCode::SUCCESS
}
