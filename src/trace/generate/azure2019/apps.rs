//! Apps: how many functions, how many invocations, which owner, how much memory. Owns that all add up; must never
//! know what triggers them.

use super::AzureDay;
use super::curve::{Curve, rounded};
use super::tables::{
    APP_SIZE, APPS, CAP, CLOCKS, FUNCTIONS, KNEE, MEMORY_BURR, MEMORY_FACTOR, MEMORY_LEAST, MEMORY_TAIL,
    OTHER_SHARE, OWNERS_PER_APP, POPULARITY, TIMERS, purpose,
};
use crate::trace::generate::draws::{Draws, apportion};

/// An app.
#[derive(Clone, Debug)]
pub(super) struct App {
    /// Its number.
    pub number: u32,
    /// How many functions it has.
    pub size: usize,
    /// Invocations of a day if it does nothing but tick.
    pub clock: Option<u64>,
    /// Invocations of all days.
    pub total: u64,
    /// Whose it is.
    pub owner: u32,
    /// Its memory in MB.
    pub memory_mb: u32,
}

/// All apps of a model.
pub(super) fn apps(day: &AzureDay) -> Vec<App> {
    let (functions, days) = (u64::from(day.functions), u64::from(day.days));
    let count = rounded(functions as f64 * APPS as f64 / FUNCTIONS as f64).clamp(1, functions) as usize;
    let sizes = sizes(functions, count);
    let mut apps = clocks(&sizes, count);
    let ticking = apps.len();
    let popularity = Curve::new(POPULARITY);
    let others = count - ticking;
    let place = |rank: usize| OTHER_SHARE * ((others - rank) as f64 - 0.5) / others as f64;
    let raw: Vec<f64> = (0..others).map(|rank| popularity.at(place(rank)) * days as f64).collect();
    let rest = paired(&mut Draws::new(day.seed, purpose::PAIRING, 0), &sizes[ticking..], &raw);
    wind(&mut apps, day);
    let budget = day.invocations - apps.iter().map(|app| app.total).sum::<u64>();
    for (size, total) in rest.iter().zip(totals(&raw, &rest, budget, day, count)) {
        apps.push(App { size: *size, clock: None, total, ..TICK });
    }
    Draws::new(day.seed, purpose::SHUFFLE, 0).shuffle(&mut apps);
    let (memory, owners) = (memory(day.seed, count), owners(day.seed, count));
    for (number, app) in (0_u32..).zip(&mut apps) {
        app.number = number;
        app.owner = owners[number as usize];
        app.memory_mb = memory[number as usize];
    }
    apps
}

/// An app of one function, nothing else known.
const TICK: App = App { number: 0, size: 1, clock: None, total: 0, owner: 0, memory_mb: 0 };

/// Functions of each app, ascending; as many as there are in all.
fn sizes(functions: u64, count: usize) -> Vec<usize> {
    let curve = Curve::new(APP_SIZE);
    let share = |nth: usize| ((count - nth) as f64 - 0.5) / count as f64;
    let mut more: Vec<u64> = (0..count).map(|nth| rounded(curve.at(share(nth))).saturating_sub(1)).collect();
    if more.iter().all(|more| *more == 0) {
        more[count - 1] = 1;
    }
    let mut sizes: Vec<usize> =
        apportion(&more, functions - count as u64).into_iter().map(|more| more as usize + 1).collect();
    sizes.sort_unstable();
    sizes
}

/// The apps that do nothing but tick: as large a part as on the real day, but no more than have one function.
fn clocks(sizes: &[usize], count: usize) -> Vec<App> {
    let singles = sizes.iter().filter(|size| **size == 1).count();
    let ticking: u64 = CLOCKS.iter().map(|(_, many)| many).sum();
    let weights: Vec<u64> = CLOCKS.iter().map(|(_, many)| *many).chain([APPS - ticking]).collect();
    let shares = apportion(&weights, count as u64);
    CLOCKS
        .iter()
        .zip(shares)
        .flat_map(|((clock, _), many)| (0..many).map(|_| App { clock: Some(*clock), ..TICK }))
        .take(singles.min(count - 1))
        .collect()
}

/// Sets the invocations of the ticking apps. If the total is too small for their clocks, these go slower.
fn wind(apps: &mut [App], day: &AzureDay) {
    let days = u64::from(day.days);
    let ticking = apps.len() as u64;
    let wanted: u64 = apps.iter().map(|app| app.clock.unwrap_or(1) * days).sum();
    // What is left when every other function has been invoked once.
    let affordable = day.invocations - (u64::from(day.functions) - ticking);
    let each = if affordable < 2 * wanted { affordable / 2 / ticking.max(1) } else { u64::MAX };
    for app in apps {
        let clock = app.clock.unwrap_or(1) * days;
        app.total = if each == u64::MAX { clock } else { clock.min(largest_timer(each, days)) };
    }
}

/// The most often firing timer with at most so many invocations; 1 if there is none.
pub(super) fn largest_timer(limit: u64, days: u64) -> u64 {
    TIMERS.iter().map(|(daily, _)| daily * days).filter(|count| *count <= limit).max().unwrap_or(1)
}

/// For each popularity, ascending, a random size among those that it can serve.
fn paired(draws: &mut Draws, sizes: &[usize], popularity: &[f64]) -> Vec<usize> {
    let mut eligible: Vec<usize> = Vec::new();
    let mut next = 0;
    let mut paired = Vec::with_capacity(sizes.len());
    for invocations in popularity {
        while next < sizes.len() && (sizes[next] as f64 <= *invocations || eligible.is_empty()) {
            let serves = sizes[next] as f64 <= *invocations;
            eligible.push(sizes[next]);
            next += 1;
            if !serves {
                break;
            }
        }
        let chosen = draws.below(eligible.len() as u64) as usize;
        paired.push(eligible.swap_remove(chosen));
    }
    paired
}

/// Invocations of each app: the raw popularity bent above the knee, and if that is not enough everywhere, so that the
/// sum is near the budget. The remainder is settled function by function.
fn totals(raw: &[f64], sizes: &[usize], budget: u64, day: &AzureDay, count: usize) -> Vec<u64> {
    let knee = libm::log(KNEE * f64::from(day.days));
    let cap = CAP.0.max((CAP.1 / libm::sqrt(count as f64)).min(1.0)) * day.invocations as f64;
    let bent = |x: f64, tilt: f64, power: f64| {
        let ln = libm::log(x);
        let ln = if ln > knee { ln + tilt * (ln - knee) } else { ln };
        let x = libm::exp(power * ln);
        let over = x / cap;
        x / libm::sqrt(libm::sqrt(1.0 + over * over * over * over))
    };
    let sum = |tilt: f64, power: f64| -> f64 {
        raw.iter().zip(sizes).map(|(x, size)| bent(*x, tilt, power).max(*size as f64)).sum()
    };
    let target = budget as f64;
    let bisect = |mut low: f64, mut high: f64, sum: &dyn Fn(f64) -> f64| {
        for _ in 0..50 {
            let middle = (low + high) / 2.0;
            if sum(middle) < target { low = middle } else { high = middle }
        }
        (low + high) / 2.0
    };
    let (tilt, power) = if sum(-1.0, 1.0) < target {
        (bisect(-1.0, 6.0, &|tilt| sum(tilt, 1.0)), 1.0)
    } else {
        (-1.0, bisect(0.0, 1.0, &|power| sum(-1.0, power)))
    };
    raw.iter().zip(sizes).map(|(x, size)| rounded(bent(*x, tilt, power)).max(*size as u64)).collect()
}

/// Memory of each app in MB, in random order.
fn memory(seed: u64, count: usize) -> Vec<u32> {
    let tail = Curve::new(MEMORY_TAIL);
    let (c, k, lambda) = MEMORY_BURR;
    let burr = |u: f64| lambda * libm::pow(libm::pow(1.0 - u, -1.0 / k) - 1.0, 1.0 / c);
    let mut memory: Vec<u32> = (0..count)
        .map(|nth| {
            let u = (nth as f64 + 0.5) / count as f64;
            let mb = if u < 0.75 { MEMORY_FACTOR * burr(u) } else { tail.at(1.0 - u) };
            rounded(mb.max(MEMORY_LEAST)) as u32
        })
        .collect();
    Draws::new(seed, purpose::MEMORY, 0).shuffle(&mut memory);
    memory
}

/// The owner of each app: most have one app, few have many.
fn owners(seed: u64, count: usize) -> Vec<u32> {
    let owners = rounded(count as f64 * OWNERS_PER_APP).clamp(1, count as u64) as usize;
    let share = |nth: usize| ((owners - nth) as f64 - 0.5) / owners as f64;
    let mut more: Vec<u64> =
        (0..owners).map(|nth| (1.0 / libm::sqrt(share(nth))).floor() as u64 - 1).collect();
    if more.iter().all(|more| *more == 0) {
        more[owners - 1] = 1;
    }
    let mut apps: Vec<u64> =
        apportion(&more, (count - owners) as u64).into_iter().map(|more| more + 1).collect();
    Draws::new(seed, purpose::OWNERS, 0).shuffle(&mut apps);
    (0_u32..).zip(apps).flat_map(|(owner, apps)| (0..apps).map(move |_| owner)).collect()
}
