//! From a function to its minutes. Owns the shape of days and bursts; must never lose or add an invocation.

use super::curve::rounded;
use super::tables::{
    ALIGNED, AMPLITUDE, BURST_HEIGHT, BURST_LENGTH, HOURLY, NOISE, ON_THE_MINUTE, WEEKEND, purpose,
};
use super::{AzureDay, MINUTES_OF_DAY, Pattern, SyntheticFunction, Trigger};
use crate::trace::generate::draws::Draws;

/// The minutes of a function, `index` among all: minute and count, ascending, none zero. A count that is not possible
/// is cut; the total tells.
pub(super) fn minutes(
    day: &AzureDay,
    profile: &[f64],
    function: &SyntheticFunction,
    index: u64,
) -> Vec<(u32, u32)> {
    let weights = match function.pattern {
        Pattern::Periodic => return periodic(day, function, index),
        Pattern::Steady { noise } => steady(day, profile, function.app, noise),
        Pattern::Bursty { bursts } => bursty(day, profile, function.app, bursts),
    };
    let mut draws = Draws::new(day.seed, purpose::COUNTS, index);
    let counts = if function.invocations <= profile.len() as u64 {
        scattered(&mut draws, function.invocations, &weights)
    } else {
        poured(&mut draws, function.invocations, &weights)
    };
    let count = |count: u64| u32::try_from(count).unwrap_or(u32::MAX);
    (0..).zip(counts).filter(|(_, n)| *n > 0).map(|(minute, n)| (minute, count(n))).collect()
}

/// Load of every minute of all days, around 1.
pub(super) fn profile(days: u32) -> Vec<f64> {
    let mean = HOURLY.iter().sum::<f64>() / 24.0;
    (0..days * MINUTES_OF_DAY)
        .map(|minute| {
            // An hour's load stands in its middle.
            let hours = f64::from((minute + MINUTES_OF_DAY - 30) % MINUTES_OF_DAY) / 60.0;
            let (hour, part) = (hours as usize, hours - hours.floor());
            let (this, next) = (HOURLY[hour % 24], HOURLY[(hour + 1) % 24]);
            let load = 1.0 + AMPLITUDE * ((this + (next - this) * part) / mean - 1.0);
            let on: f64 =
                ON_THE_MINUTE.iter().filter(|(every, _)| minute % every == 0).map(|(_, more)| more).sum();
            let weekend = if minute / MINUTES_OF_DAY % 7 >= 5 { WEEKEND } else { 1.0 };
            load * (1.0 + on) * weekend
        })
        .collect()
}

/// Strictly periodic, from an offset of the function's own, mostly on the hour.
fn periodic(day: &AzureDay, function: &SyntheticFunction, index: u64) -> Vec<(u32, u32)> {
    let all = u64::from(day.days * MINUTES_OF_DAY);
    let count = function.invocations;
    if count >= all {
        let up_to = |minute: u64| (minute * count).div_ceil(all);
        return (0..all).map(|minute| (minute as u32, (up_to(minute + 1) - up_to(minute)) as u32)).collect();
    }
    let mut draws = Draws::new(day.seed, purpose::PHASE, index);
    let period = all / count;
    let aligned = period > 1 && draws.unit() < ALIGNED && function.trigger == Trigger::Timer;
    let offset = match period {
        1 => 0,
        _ if !aligned => draws.below(period),
        _ if period > 60 => draws.below(period / 60) * 60,
        _ => 0,
    };
    (0..count).map(|nth| ((offset + nth * all / count) as u32, 1)).collect()
}

/// Following the day, with noise that lasts some minutes.
fn steady(day: &AzureDay, profile: &[f64], app: u32, noise: f64) -> Vec<f64> {
    if noise == 0.0 {
        return profile.to_vec();
    }
    let memory = NOISE.3;
    let step = libm::sqrt(1.0 - memory * memory);
    let mut draws = Draws::new(day.seed, purpose::PATTERN, u64::from(app));
    let mut level = draws.normal();
    profile
        .iter()
        .map(|load| {
            let now = load * libm::exp(noise * level);
            level = memory * level + step * draws.normal();
            now
        })
        .collect()
}

/// Bursts that begin when there is load, silence between them; the same for all functions of an app.
fn bursty(day: &AzureDay, profile: &[f64], app: u32, bursts: u32) -> Vec<f64> {
    let mut draws = Draws::new(day.seed, purpose::PATTERN, u64::from(app));
    let mean = draws.log_normal(libm::log(BURST_LENGTH.0), BURST_LENGTH.1).clamp(1.0, 240.0);
    let starts = cumulated(profile.iter().copied());
    let mut weights = vec![0.0; profile.len()];
    for _ in 0..bursts {
        let start = draws.choose(&starts);
        let length = rounded(draws.exponential(mean)).clamp(1, 720) as usize;
        let height = draws.log_normal(0.0, BURST_HEIGHT);
        weights.iter_mut().skip(start).take(length).for_each(|weight| *weight += height);
    }
    weights
}

fn cumulated(weights: impl Iterator<Item = f64>) -> Vec<f64> {
    weights
        .scan(0.0, |sum, weight| {
            *sum += weight;
            Some(*sum)
        })
        .collect()
}

/// Few invocations, one by one.
fn scattered(draws: &mut Draws, invocations: u64, weights: &[f64]) -> Vec<u64> {
    let cumulative = cumulated(weights.iter().copied());
    let mut counts = vec![0; weights.len()];
    for _ in 0..invocations {
        counts[draws.choose(&cumulative)] += 1;
    }
    counts
}

/// Many invocations: a Poisson number for every minute, then one by one what is missing or too much.
fn poured(draws: &mut Draws, invocations: u64, weights: &[f64]) -> Vec<u64> {
    let cumulative = cumulated(weights.iter().copied());
    let scale = invocations as f64 / cumulative.last().copied().unwrap_or(1.0);
    let mut counts: Vec<u64> = weights.iter().map(|weight| draws.poisson(weight * scale)).collect();
    let mut have: u64 = counts.iter().sum();
    while have < invocations {
        counts[draws.choose(&cumulative)] += 1;
        have += 1;
    }
    if have > invocations {
        let present = cumulated(counts.iter().map(|count| *count as f64));
        while have > invocations {
            let minute = draws.choose(&present);
            if counts[minute] > 0 {
                counts[minute] -= 1;
                have -= 1;
            }
        }
    }
    counts
}
