//! 392 functions of Azure Functions 2019 with their real memory, run times and counts of one day; only the instants
//! are drawn. Owns the recipe, which is that of scripts/make-azure392.py with other random numbers; must never change
//! a count.

use super::Wish;
use super::draws::Draws;
use crate::memory::Memory;
use crate::time::{Span, Time};
use crate::trace::{Function, Invocations, RunTime, Trace, TraceError};

/// The real table: `HashFunction,mem_MB,cold_run_ms,warm_run_ms,invocations`.
const TABLE: &str = include_str!("../../../traces/azure392/raw/functions_392.csv");

const DAY_US: u64 = 86_400_000_000;
const MINUTE_US: f64 = 60e6;

/// Periods of timers in s.
const PERIODS_S: [u64; 19] =
    [3600, 1800, 1200, 900, 720, 600, 360, 300, 240, 180, 120, 60, 30, 20, 15, 10, 5, 2, 1];
/// From so many firings on, a count that is one off is a timer's too.
const ONE_OFF_FROM: u64 = 96;
/// Share of the functions without a timer's count that are bursty (docs/specs/trace-calibration.md §3).
const BURSTY_SHARE: f64 = 0.4;
/// Load of the whole platform by hour of the day (docs/specs/trace-calibration.md §3).
const HOURLY_LOAD: [f64; 24] = [
    487.0, 478.0, 478.0, 476.0, 475.0, 493.0, 507.0, 524.0, 521.0, 524.0, 525.0, 526.0, 544.0, 566.0, 566.0,
    558.0, 547.0, 558.0, 562.0, 539.0, 527.0, 520.0, 507.0, 489.0,
];
const JITTER_US: f64 = 100_000.0;
const BURSTS_AT_MOST: u64 = 72;
/// Mean invocations of a burst, drawn per function.
const BURST_SIZE: (f64, f64) = (3.0, 30.0);
/// Length of a burst, drawn per burst.
const BURST_LENGTH_US: (f64, f64) = (MINUTE_US, 10.0 * MINUTE_US);

const INSTANTS: u64 = 110;

pub(super) fn make(wish: &Wish) -> Result<Trace, TraceError> {
    let broken = |what: &str| TraceError::new("azure392", format!("the table is broken: {what}"));
    let mut hours = Vec::with_capacity(HOURLY_LOAD.len());
    let mut sum = 0.0;
    for load in HOURLY_LOAD {
        sum += load;
        hours.push(sum);
    }
    let mut functions = Vec::new();
    let mut rows: Vec<(u64, u32)> = Vec::new();
    for (number, line) in (0_u32..).zip(TABLE.lines().skip(1)) {
        let fields: Vec<u64> =
            line.split(',').skip(1).filter_map(|field| field.trim().parse().ok()).collect();
        let [memory, cold_ms, warm_ms, count] = fields[..] else { return Err(broken(line)) };
        let mut draws = Draws::new(wish.seed, INSTANTS, u64::from(number));
        let firings = timer_firings(count);
        let times = match firings {
            Some(firings) => timer(count, firings, &mut draws),
            None if draws.unit() < BURSTY_SHARE => bursty(count, &hours, &mut draws),
            None => (0..count).map(|_| instant(&hours, &mut draws)).collect(),
        };
        rows.extend(times.into_iter().map(|us| (us, number)));
        let (cold, warm) = (Span::from_ms(cold_ms), Span::from_ms(warm_ms));
        let trigger = firings.map(|_| Function::TIMER.to_owned());
        functions
            .push(Function { trigger, ..Function::new(format!("f{number:03}"), Memory(memory), cold, warm) });
    }
    rows.sort_unstable();
    let mut invocations = Invocations::with_capacity(rows.len());
    for (us, number) in rows {
        invocations.push(Time(us), number, RunTime::ABSENT);
    }
    Trace::new("azure392", functions, invocations)
}

/// How often a timer with about this many firings fires in a day; nothing if no timer does.
fn timer_firings(count: u64) -> Option<u64> {
    PERIODS_S.into_iter().find_map(|period| {
        let firings = 86_400 / period;
        let one_off = firings >= ONE_OFF_FROM && period >= 60 && count.abs_diff(firings) == 1;
        (count == firings || one_off).then_some(firings)
    })
}

/// A fixed period, a random phase, a small jitter; one firing lost or repeated where the count says so.
fn timer(count: u64, firings: u64, draws: &mut Draws) -> Vec<u64> {
    let period = DAY_US as f64 / firings as f64;
    let phase = draws.unit() * period;
    let jitter = JITTER_US.min(period / 10.0);
    let mut times: Vec<u64> =
        (0..firings).map(|nth| within(phase + nth as f64 * period + draws.unit() * jitter)).collect();
    let one = draws.below(firings) as usize;
    if count < firings {
        times.remove(one);
    } else if count > firings {
        times.push(within(times[one] as f64 + draws.unit() * 1e6));
    }
    times
}

/// Bursts of random place, length and rate (within a factor of three), silence between them.
fn bursty(count: u64, hours: &[f64], draws: &mut Draws) -> Vec<u64> {
    let (smallest, largest) = BURST_SIZE;
    let size = smallest / (1.0 - draws.unit() * (1.0 - smallest / largest));
    let bursts = ((count as f64 / size + 0.5) as u64).clamp(1, BURSTS_AT_MOST);
    let (shortest, longest) = BURST_LENGTH_US;
    let mut spans = Vec::new();
    let mut weights = Vec::new();
    let mut sum = 0.0;
    for _ in 0..bursts {
        let length = shortest + draws.unit() * (longest - shortest);
        let start = (instant(hours, draws) as f64).min(DAY_US as f64 - length);
        spans.push((start, length));
        sum += length * (0.5 + draws.unit());
        weights.push(sum);
    }
    (0..count)
        .map(|_| {
            let (start, length) = spans[draws.choose(&weights)];
            within(start + draws.unit() * length)
        })
        .collect()
}

/// An instant of the day, more likely in a busy hour.
fn instant(hours: &[f64], draws: &mut Draws) -> u64 {
    let hour = draws.choose(hours);
    within((hour as f64 + draws.unit()) * 60.0 * MINUTE_US)
}

fn within(us: f64) -> u64 {
    (us as u64).min(DAY_US - 1)
}
