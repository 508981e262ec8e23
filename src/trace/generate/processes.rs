//! Arrival processes of the textbook, alone or mixed: Poisson, Markov-modulated Poisson, periodic, on-off. Owns
//! their parameters; every function gets exactly the invocations that Zipf's law gives its rank.
//!
//! Instants are drawn given their number: those of a Poisson process are then independent and uniform, and
//! those of a modulated one are so within its states, weighted by their rates.

use super::draws::{Draws, apportion, scaled};
use super::{Heed, Model, Preset, Wish, progress};
use crate::memory::Memory;
use crate::time::{Span, Time};
use crate::trace::{Function, Invocations, RunTime, Trace, TraceError, Watch};

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Process {
    Poisson,
    Mmpp,
    Periodic,
    OnOff,
}

/// A preset whose functions arrive by these processes.
const fn process(name: &'static str, summary: &'static str, processes: &'static [Process]) -> Preset {
    let heeds = &[Heed::Functions, Heed::Invocations, Heed::Span, Heed::Zipf];
    let source = "textbook; parameters in src/trace/generate/processes.rs";
    Preset { name, summary, source, heeds, model: Model::Processes(processes) }
}

/// Independent arrivals.
pub(super) const POISSON: Preset =
    process("poisson", "Poisson arrivals of functions with Zipf popularity", &[Process::Poisson]);

/// A Poisson process with two rates.
pub(super) const MMPP: Preset = process(
    "mmpp",
    "Poisson arrivals at ten times the rate for 10 of 60 minutes on average",
    &[Process::Mmpp],
);

/// Timers.
pub(super) const PERIODIC: Preset = process(
    "periodic",
    "timers: a period and a phase for each function, up to 100 ms of jitter",
    &[Process::Periodic],
);

/// Bursts with silence between.
pub(super) const ON_OFF: Preset =
    process("on-off", "Poisson arrivals for 5 minutes on average, then none for 25", &[Process::OnOff]);

/// All of them.
pub(super) const MIX: Preset = process(
    "mix",
    "equally many functions of each of the four processes",
    &[Process::Poisson, Process::Mmpp, Process::Periodic, Process::OnOff],
);

// What holds if nothing is wished for.
const FUNCTIONS: u32 = 100;
const INVOCATIONS: u64 = 1_000_000;
const SPAN: Span = Span::from_secs(86_400);
const ZIPF: f64 = 1.0;

/// Memory of functions in MiB; each is as likely as the others.
const MEMORY_MIB: [u64; 8] = [128, 128, 128, 128, 256, 256, 512, 1_024];
/// Median and sigma of the natural logarithm of warm run times in ms, and the longest.
const WARM_MS: (f64, f64, f64) = (100.0, 1.2, 900_000.0);
/// The same of what a cold start adds.
const START_MS: (f64, f64, f64) = (900.0, 0.7, 60_000.0);
/// Most jitter of a timer in µs; never more than a tenth of the period.
const JITTER_US: f64 = 100_000.0;
/// Mean lengths in µs of the states of the on-off process: on, off.
const ON_OFF_US: (f64, f64) = (300e6, 1_500e6);
/// The same of the modulated process (busy, calm), and how many times as many arrivals the busy one has.
const BUSY_CALM_US: (f64, f64) = (600e6, 3_000e6);
const BUSY_RATE: f64 = 10.0;

// Purposes of random numbers.
const ORDER: u64 = 100;
const ATTRIBUTES: u64 = 101;
const INSTANTS: u64 = 102;

/// Makes a trace of functions that arrive so.
pub(super) fn make(
    name: &str,
    wish: &Wish,
    watch: &dyn Watch,
    processes: &[Process],
) -> Result<Trace, TraceError> {
    let functions = wish.functions.unwrap_or(FUNCTIONS);
    let total = wish.invocations.unwrap_or(INVOCATIONS);
    let span = wish.span.unwrap_or(SPAN);
    let zipf = wish.zipf.unwrap_or(ZIPF);
    check(name, functions, total, span, zipf)?;
    // The most popular function has rank 1; everybody is invoked at least once.
    let weights: Vec<f64> = (1..=functions).map(|rank| libm::pow(f64::from(rank), -zipf)).collect();
    let counts = apportion(&scaled(&weights), total - u64::from(functions));
    // Equally many of each process, whatever the popularity.
    let mut kinds: Vec<Process> =
        (0..functions as usize).map(|nth| processes[nth % processes.len()]).collect();
    Draws::new(wish.seed, ORDER, 0).shuffle(&mut kinds);
    let mut rows: Vec<(u64, u32)> = Vec::with_capacity(total as usize);
    for ((number, kind), count) in (0..).zip(&kinds).zip(counts) {
        progress(watch, name, number as usize, kinds.len())?;
        let mut draws = Draws::new(wish.seed, INSTANTS, u64::from(number));
        rows.extend(instants(*kind, count + 1, span, &mut draws).into_iter().map(|us| (us, number)));
    }
    rows.sort_unstable();
    let mut invocations = Invocations::with_capacity(rows.len());
    for (us, number) in rows {
        invocations.push(Time(us), number, RunTime::ABSENT);
    }
    let digits = (functions - 1).to_string().len();
    let specs = kinds.iter().enumerate().map(|(number, kind)| {
        let mut draws = Draws::new(wish.seed, ATTRIBUTES, number as u64);
        let memory = Memory(MEMORY_MIB[draws.below(MEMORY_MIB.len() as u64) as usize]);
        let mut drawn = |(median, sigma, most): (f64, f64, f64)| {
            Span::from_ms_f64(draws.log_normal(libm::log(median), sigma).min(most))
        };
        let warm = drawn(WARM_MS);
        let cold = warm + drawn(START_MS);
        let trigger = (*kind == Process::Periodic).then(|| Function::TIMER.to_owned());
        Function { trigger, ..Function::new(format!("f{number:0digits$}"), memory, cold, warm) }
    });
    Trace::new(name, specs.collect(), invocations)
}

fn check(name: &str, functions: u32, total: u64, span: Span, zipf: f64) -> Result<(), TraceError> {
    /// Invocations are held in memory, 16 bytes each.
    const MOST: u64 = 1 << 30;
    let wrong = |message: String, help: &str| Err(TraceError::new(name, message).with_help(help));
    if functions == 0 || functions > 10_000_000 {
        return wrong(format!("{functions} functions are not possible"), "from 1 to 10 million are");
    }
    if total < u64::from(functions) || total > MOST {
        let message = format!("{total} invocations of {functions} functions are not possible");
        return wrong(message, "each is invoked at least once, and a billion (2^30) in all are the most");
    }
    if span < Span::from_secs(1) || span > Span::from_secs(366 * 86_400) {
        return wrong(format!("a span of {span} is not possible"), "from a second to a year is");
    }
    if !(0.0..=10.0).contains(&zipf) {
        return wrong(format!("an exponent of {zipf} is not possible"), "from 0 (all alike) to 10 is");
    }
    Ok(())
}

/// `count` instants in µs within the span, in no order.
fn instants(process: Process, count: u64, span: Span, draws: &mut Draws) -> Vec<u64> {
    let most = span.0 as f64;
    let within = |us: f64| (us as u64).min(span.0 - 1);
    match process {
        Process::Poisson => (0..count).map(|_| within(draws.unit() * most)).collect(),
        Process::Periodic => {
            let period = most / count as f64;
            let phase = draws.unit() * period;
            let jitter = JITTER_US.min(period / 10.0);
            (0..count).map(|nth| within(phase + nth as f64 * period + draws.unit() * jitter)).collect()
        }
        Process::OnOff => {
            let states = states(most, ON_OFF_US, draws);
            placed(count, &states, [1.0, 0.0], draws).map(within).collect()
        }
        Process::Mmpp => {
            let states = states(most, BUSY_CALM_US, draws);
            placed(count, &states, [BUSY_RATE, 1.0], draws).map(within).collect()
        }
    }
}

/// One state of a modulated process.
struct State {
    start: f64,
    length: f64,
    /// 0 for the first kind of state (on, busy), 1 for the second.
    kind: usize,
}

/// States that follow each other from 0 to `end`, of exponential lengths; at least one of the first kind.
fn states(end: f64, means: (f64, f64), draws: &mut Draws) -> Vec<State> {
    let mut states = Vec::new();
    // The chance to find the process in either state at the beginning is that of the state's share.
    let mut kind = usize::from(draws.unit() * (means.0 + means.1) >= means.0);
    let mut start = 0.0;
    while start < end || states.len() < 2 {
        let mean = if kind == 0 { means.0 } else { means.1 };
        // The last one ends with the span, but a first kind that would not fit begins before its end.
        let length = draws.exponential(mean);
        let begin = if start < end { start } else { end * draws.unit() };
        states.push(State { start: begin, length: length.min(end - begin), kind });
        start += length;
        kind = 1 - kind;
    }
    states
}

/// Instants at independent places of the states, weighted by the rate of each kind.
fn placed<'a>(
    count: u64,
    states: &'a [State],
    rates: [f64; 2],
    draws: &'a mut Draws,
) -> impl Iterator<Item = f64> + 'a {
    let mut sum = 0.0;
    let cumulative: Vec<f64> = states
        .iter()
        .map(|state| {
            sum += state.length * rates[state.kind];
            sum
        })
        .collect();
    (0..count).map(move |_| {
        let state = &states[draws.choose(&cumulative)];
        state.start + draws.unit() * state.length
    })
}
