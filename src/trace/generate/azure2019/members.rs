//! Functions of apps: triggers, how an app's invocations are divided among them, and the pattern they follow. Owns
//! that the number of invocations is exact in the end.

use super::apps::{App, largest_timer};
use super::curve::{ramp, rounded};
use super::tables::{
    BURSTS, BURSTY, BURSTY_FADES, BUSY_TIMERS, HEAVY_RANK, MAIN_BOOST, NOISE, PING, PINGED, SPLIT_SIGMA,
    STICK, TIMER_LED_MOST, TIMERS, TRIGGER_FUNCTIONS, TRIGGER_LOAD, purpose,
};
use super::{AzureDay, Pattern, SyntheticFunction, Trigger};
use crate::trace::generate::draws::{Draws, apportion, scaled};

const KINDS: usize = Trigger::ALL.len();
const HTTP: usize = Trigger::Http as usize;
const TIMER: usize = Trigger::Timer as usize;

/// All functions, app by app; run times are still missing.
pub(super) fn functions(day: &AzureDay, apps: &[App]) -> Vec<SyntheticFunction> {
    let triggers = triggers(day, apps);
    let mut functions = Vec::with_capacity(day.functions as usize);
    for (app, triggers) in apps.iter().zip(triggers) {
        let counts = divided(day, app, &triggers);
        for (trigger, invocations) in triggers.into_iter().zip(counts) {
            let periodic = trigger == TIMER || app.clock.is_some();
            functions.push(SyntheticFunction {
                app: app.number,
                owner: app.owner,
                trigger: Trigger::ALL[trigger],
                app_memory_mb: app.memory_mb,
                memory_mb: app.memory_mb.div_ceil(app.size as u32),
                average_us: 0,
                start_us: 0,
                invocations,
                pattern: if periodic { Pattern::Periodic } else { Pattern::Steady { noise: 0.0 } },
            });
        }
    }
    settle(&mut functions, day.invocations);
    set_patterns(day, apps.len(), &mut functions);
    functions
}

/// Sets how functions arrive that are not periodic, by what their app is invoked in the end: small traces may have
/// become much larger by settling.
fn set_patterns(day: &AzureDay, apps: usize, functions: &mut [SyntheticFunction]) {
    let mut totals = vec![0; apps];
    functions.iter().for_each(|function| totals[function.app as usize] += function.invocations);
    let patterns: Vec<Pattern> = (0..).zip(totals).map(|(app, total)| pattern(day, app, total)).collect();
    for function in functions.iter_mut().filter(|function| function.pattern != Pattern::Periodic) {
        function.pattern = patterns[function.app as usize];
    }
}

/// Triggers that are still to be given to functions.
struct Urn {
    left: [u64; KINDS],
    draws: Draws,
}

impl Urn {
    /// Takes one by weight; nothing if no weight is above zero.
    fn take(&mut self, weights: [f64; KINDS]) -> Option<usize> {
        let mut sum = 0.0;
        let cumulative = weights.map(|weight| {
            sum += weight;
            sum
        });
        if sum <= 0.0 {
            return None;
        }
        let trigger = self.draws.choose(&cumulative);
        self.left[trigger] -= 1;
        Some(trigger)
    }

    /// Takes any of those left.
    fn any(&mut self) -> usize {
        self.take(self.weights()).unwrap_or(HTTP)
    }

    fn weights(&self) -> [f64; KINDS] {
        self.left.map(|left| left as f64)
    }

    /// Takes this one, or any other if it is gone.
    fn this(&mut self, trigger: usize) -> usize {
        if self.left[trigger] == 0 {
            return self.any();
        }
        self.left[trigger] -= 1;
        trigger
    }
}

/// The triggers of each app's functions. Of the most popular apps the first one's is chosen so that invocations are
/// divided over triggers as published; the numbers of functions are as published exactly.
fn triggers(day: &AzureDay, apps: &[App]) -> Vec<Vec<usize>> {
    let left = match day.functions {
        // One function alone is no timer, though most functions are.
        1 => vec![1, 0, 0, 0, 0, 0, 0],
        many => apportion(&TRIGGER_FUNCTIONS, u64::from(many)),
    };
    let mut urn = Urn { left: [0; KINDS], draws: Draws::new(day.seed, purpose::TRIGGER, 0) };
    urn.left.copy_from_slice(&left);
    let mut triggers: Vec<Vec<usize>> = vec![Vec::new(); apps.len()];
    for (app, triggers) in apps.iter().zip(&mut triggers) {
        if let Some(clock) = app.clock {
            let pinged = PINGED.contains(&clock) && urn.draws.unit() < PING && urn.left[HTTP] > 0;
            let trigger = if pinged || urn.left[TIMER] == 0 { HTTP } else { TIMER };
            triggers.push(urn.this(trigger));
        }
    }
    let mut order: Vec<usize> = (0..apps.len()).filter(|ix| apps[*ix].clock.is_none()).collect();
    order.sort_by_key(|ix| (std::cmp::Reverse(apps[*ix].total), *ix));
    let load: u64 = order.iter().map(|ix| apps[*ix].total).sum();
    let whole: f64 = TRIGGER_LOAD.iter().sum();
    let mut wanted = TRIGGER_LOAD.map(|share| share / whole * load as f64);
    let heavy = rounded(HEAVY_RANK * apps.len() as f64) as usize + 3;
    for (rank, ix) in order.into_iter().enumerate() {
        let app = &apps[ix];
        let first = first_trigger(day, app, rank < heavy, &wanted, &mut urn);
        wanted[first] -= app.total as f64;
        triggers[ix].push(first);
        for _ in 1..app.size {
            let same = urn.left[first] > 0 && urn.draws.unit() < STICK;
            let trigger = if same { urn.this(first) } else { urn.any() };
            triggers[ix].push(trigger);
        }
    }
    triggers
}

fn first_trigger(day: &AzureDay, app: &App, heavy: bool, wanted: &[f64; KINDS], urn: &mut Urn) -> usize {
    let kinds: [usize; KINDS] = std::array::from_fn(|kind| kind);
    if heavy {
        let fits = |kind: usize| urn.left[kind] > 0 && wanted[kind] >= 0.5 * app.total as f64;
        let fitting = kinds.map(|kind| if fits(kind) { wanted[kind] } else { 0.0 });
        let wanting = kinds.map(|kind| if urn.left[kind] > 0 { wanted[kind].max(0.0) } else { 0.0 });
        if let Some(trigger) = urn.take(fitting).or_else(|| urn.take(wanting)) {
            return trigger;
        }
    }
    let most = if app.size == 1 { TIMER_LED_MOST.0 } else { TIMER_LED_MOST.1 };
    let mut weights = urn.weights();
    if app.total > most * u64::from(day.days) {
        weights[TIMER] = 0.0;
    }
    urn.take(weights).unwrap_or_else(|| urn.any())
}

/// Invocations of each function of an app: timers what their periods give, the others shares of the rest.
fn divided(day: &AzureDay, app: &App, triggers: &[usize]) -> Vec<u64> {
    if app.size == 1 {
        return vec![app.total];
    }
    let days = u64::from(day.days);
    let mut draws = Draws::new(day.seed, purpose::SPLIT, u64::from(app.number));
    let mut counts = vec![1; app.size];
    let mut spare = app.total - app.size as u64;
    let (timers, others): (Vec<usize>, Vec<usize>) = (0..app.size).partition(|ix| triggers[*ix] == TIMER);
    for (nth, &ix) in timers.iter().enumerate() {
        let count = if others.is_empty() && nth + 1 == timers.len() {
            largest_timer(spare + 1, days)
        } else {
            drawn_timer(&mut draws, spare + 1, days)
        };
        counts[ix] = count;
        spare -= count - 1;
    }
    if !others.is_empty() {
        let ln = libm::log(app.total as f64 / days as f64);
        let sigma = SPLIT_SIGMA.0 + SPLIT_SIGMA.1 * ramp(ln, 1e3, 1e5);
        let mut weights: Vec<f64> = others.iter().map(|_| draws.log_normal(0.0, sigma)).collect();
        weights.sort_by(|a, b| b.total_cmp(a));
        weights[0] *= libm::exp(MAIN_BOOST * ramp(ln, 1e6, 1e7));
        for (&ix, more) in others.iter().zip(apportion(&scaled(&weights), spare)) {
            counts[ix] += more;
        }
    }
    counts
}

/// A timer with at most so many invocations.
fn drawn_timer(draws: &mut Draws, most: u64, days: u64) -> u64 {
    let mut sum = 0.0;
    let cumulative: Vec<f64> = TIMERS
        .iter()
        .map(|(daily, weight)| {
            if daily * days <= most {
                sum += weight * if *daily > 1_440 { BUSY_TIMERS } else { 1.0 };
            }
            sum
        })
        .collect();
    if sum > 0.0 { TIMERS[draws.choose(&cumulative)].0 * days } else { 1 }
}

/// How the functions of an app that are not timers arrive.
fn pattern(day: &AzureDay, app: u64, total: u64) -> Pattern {
    let days = f64::from(day.days);
    let mut draws = Draws::new(day.seed, purpose::KIND, app);
    let daily = total as f64 / days;
    let ln = libm::log(daily.max(1.0));
    if draws.unit() >= BURSTY * (1.0 - ramp(ln, BURSTY_FADES.0, BURSTY_FADES.1)) {
        let (noise, from, calm, _) = NOISE;
        let noise = noise * (0.5 + draws.unit()) * (1.0 - calm * ramp(ln, 1e7, 1e8));
        return Pattern::Steady { noise: if daily < from { 0.0 } else { noise } };
    }
    let (median, sigma, most) = BURSTS;
    let per_day = draws.log_normal(libm::log(median), sigma).max(daily / most);
    let bursts = rounded(per_day.min(daily / 3.0).min(100.0) * days).max(1);
    Pattern::Bursty { bursts: bursts as u32 }
}

/// Makes the number of invocations exact: what is missing or too much is shared out over functions without a clock;
/// every function keeps one.
fn settle(functions: &mut [SyntheticFunction], total: u64) {
    let sum = |functions: &[SyntheticFunction]| functions.iter().map(|f| f.invocations).sum::<u64>();
    let flexible: Vec<usize> =
        (0..functions.len()).filter(|ix| functions[*ix].pattern != Pattern::Periodic).collect();
    let all: Vec<usize> = (0..functions.len()).collect();
    let have = sum(functions);
    if have < total {
        let group = if flexible.is_empty() { &all } else { &flexible };
        let weights: Vec<u64> = group.iter().map(|ix| functions[*ix].invocations).collect();
        for (&ix, more) in group.iter().zip(apportion(&weights, total - have)) {
            functions[ix].invocations += more;
        }
    }
    for group in [flexible, all] {
        let excess = sum(functions).saturating_sub(total);
        let weights: Vec<u64> = group.iter().map(|ix| functions[*ix].invocations - 1).collect();
        let less = apportion(&weights, excess.min(weights.iter().sum()));
        for (&ix, less) in group.iter().zip(less) {
            functions[ix].invocations -= less;
        }
    }
}
