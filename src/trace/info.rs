//! What a trace is like, in figures. Owns their definitions; must hold memory per function only, whatever the
//! number of invocations.
//!
//! Everything is counted in one pass over the arrivals. Concurrency and memory in use are those of
//! invocations that all start warm the instant they arrive: the least any platform needs.

mod gaps;
mod minutes;
mod popularity;
mod quantiles;
mod running;

use std::collections::BTreeMap;

use serde::Serialize;

pub use self::gaps::GapFigures;
use self::gaps::Gaps;
pub use self::minutes::MinuteFigures;
use self::minutes::Minutes;
pub use self::popularity::{PopularityFigures, ShareOfTop};
pub use self::quantiles::{AT, Spread};
use self::running::Running;
pub use self::running::RunningFigures;
use super::Trace;
use super::stream::Window;
use crate::time::{Span, Time};

/// The figures of a trace.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct Info {
    /// What it is called.
    pub name: String,
    /// Checksum of its content.
    pub sha256: String,
    /// Whether it holds counts instead of invocations.
    pub counted: bool,
    /// Functions in it.
    pub functions: u64,
    /// Functions that are invoked at all: as many cold starts are compulsory.
    pub compulsory_cold: u64,
    /// Apps in it; functions without one do not count.
    pub apps: u64,
    /// Owners in it.
    pub owners: u64,
    /// Invocations.
    pub invocations: u64,
    /// First arrival in s.
    pub first_s: f64,
    /// From the first arrival to the last in s.
    pub span_s: f64,
    /// Invocations per second over that span.
    pub rate_per_s: f64,
    /// Load by minute.
    pub minutes: MinuteFigures,
    /// Who is invoked how often: by function.
    pub popularity: PopularityFigures,
    /// The same by app, functions without one by themselves; nothing if there are no apps.
    pub app_popularity: Option<PopularityFigures>,
    /// How regular arrivals are: by function.
    pub gaps: GapFigures,
    /// The same by app.
    pub app_gaps: Option<GapFigures>,
    /// By trigger: functions, invocations.
    pub triggers: Vec<TriggerFigures>,
    /// Functions per app.
    pub functions_per_app: Option<Spread>,
    /// Memory by function in MiB.
    pub memory_mib: Spread,
    /// Memory by app in MiB, summed over its functions.
    pub app_memory_mib: Option<Spread>,
    /// Warm run time by function in ms.
    pub warm_ms: Spread,
    /// What a cold start adds, by function in ms.
    pub cold_start_ms: Spread,
    /// Warm run time by invocation in ms, rounded up by at most 0.8 %.
    pub run_ms: Spread,
    /// Memory of one container of every invoked function, in MiB.
    pub working_set_mib: u64,
    /// Invocations that run at once, all of them warm.
    pub running: RunningFigures,
    /// What was measured on a real platform, if anything was.
    pub measured: Option<MeasuredFigures>,
}

/// Functions and invocations of one trigger.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct TriggerFigures {
    /// Which.
    pub trigger: String,
    /// Functions.
    pub functions: u64,
    /// Invocations.
    pub invocations: u64,
}

/// What was measured on a real platform.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct MeasuredFigures {
    /// Cold starts.
    pub cold: u64,
    /// Containers that were told apart.
    pub containers: u64,
}

/// The lines of a plot that is not among the figures.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Curves {
    /// Invocations of each minute that has any, with the minute's number.
    pub per_minute: Vec<(u64, u64)>,
    /// Invocations by function, most first; those that are never invoked left out.
    pub invoked: Vec<u64>,
    /// Coefficients of variation of gaps by function, ascending.
    pub gap_cv: Vec<f64>,
    /// Memory by function in MiB, ascending.
    pub memory_mib: Vec<f64>,
    /// Warm run time by function in ms, ascending.
    pub warm_ms: Vec<f64>,
}

/// Looking at the trace was stopped from outside.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Stopped;

/// Looks at a trace. `proceed` is told now and then how many invocations have been seen; `false` stops.
///
/// # Errors
/// [`Stopped`] if `proceed` said so.
pub fn look_at(trace: &Trace, mut proceed: impl FnMut(u64) -> bool) -> Result<(Info, Curves), Stopped> {
    const EVERY: u64 = 1 << 16;
    let mut seen = Seen::new(trace);
    for (number, arrival) in (0..).zip(trace.stream(Window::ALL)) {
        if number % EVERY == 0 && !proceed(number) {
            return Err(Stopped);
        }
        let function = &trace.functions[arrival.function as usize];
        let run = arrival.duration.unwrap_or(function.warm);
        seen.arrival(arrival.time, arrival.function, function.memory.mib(), run);
    }
    Ok(seen.figures(trace))
}

/// What has been seen so far.
struct Seen {
    invoked: Vec<u64>,
    minutes: Minutes,
    gaps: Gaps,
    app_gaps: Option<Gaps>,
    /// The app of each function, by number; functions without one have a number of their own.
    app_of: Vec<u32>,
    apps: u32,
    running: Running,
    runs: crate::tally::Quantiles,
}

impl Seen {
    fn new(trace: &Trace) -> Seen {
        let functions = trace.functions.len();
        let mut numbers: BTreeMap<(&str, &str), u32> = BTreeMap::new();
        let mut alone = 0;
        let mut app_of = Vec::with_capacity(functions);
        for function in &trace.functions {
            let next = numbers.len() as u32 + alone;
            app_of.push(match &function.app {
                Some(app) => *numbers.entry((&function.namespace, app)).or_insert(next),
                None => {
                    alone += 1;
                    next
                }
            });
        }
        let units = numbers.len() + alone as usize;
        Seen {
            invoked: vec![0; functions],
            minutes: Minutes::new(functions),
            gaps: Gaps::new(functions),
            app_gaps: (!numbers.is_empty()).then(|| Gaps::new(units)),
            app_of,
            apps: numbers.len() as u32,
            running: Running::default(),
            runs: crate::tally::Quantiles::default(),
        }
    }

    #[inline]
    fn arrival(&mut self, time: Time, function: u32, memory_mib: u64, run: Span) {
        let ix = function as usize;
        self.invoked[ix] += 1;
        self.minutes.arrival(time, function);
        self.gaps.arrival(time, ix);
        if let Some(gaps) = &mut self.app_gaps {
            gaps.arrival(time, self.app_of[ix] as usize);
        }
        self.running.arrival(time, run, memory_mib);
        self.runs.add(run);
    }

    fn figures(mut self, trace: &Trace) -> (Info, Curves) {
        let functions = &trace.functions;
        let by_app = |of: &dyn Fn(usize) -> u64| {
            let mut sums = vec![0_u64; self.app_of.iter().max().map_or(0, |most| *most as usize + 1)];
            (0..functions.len()).for_each(|ix| sums[self.app_of[ix] as usize] += of(ix));
            sums
        };
        let app_invoked = by_app(&|ix| self.invoked[ix]);
        // Functions without an app are units, but no apps.
        let is_app = by_app(&|ix| u64::from(functions[ix].app.is_some()));
        let of_apps = |values: &[u64]| -> Vec<f64> {
            values
                .iter()
                .zip(&is_app)
                .filter(|(_, apps)| **apps > 0)
                .map(|(value, _)| *value as f64)
                .collect()
        };
        let has_apps = self.apps > 0;
        let app_memory = by_app(&|ix| functions[ix].memory.mib());
        let span_s = trace.span().as_secs_f64();
        let cold_start = |ix: usize| functions[ix].cold.saturating_sub(functions[ix].warm).as_ms_f64();
        let all = |of: &dyn Fn(usize) -> f64| -> Vec<f64> { (0..functions.len()).map(of).collect() };
        let sorted = |mut values: Vec<f64>| {
            values.sort_by(f64::total_cmp);
            values
        };
        let mut owners: Vec<&str> = functions.iter().map(|function| function.namespace.as_str()).collect();
        owners.sort_unstable();
        owners.dedup();
        let memory = sorted(all(&|ix| functions[ix].memory.mib() as f64));
        let warm = sorted(all(&|ix| functions[ix].warm.as_ms_f64()));
        let working_set = (0..functions.len()).filter(|ix| self.invoked[*ix] > 0);
        let (minutes, per_minute) = self.minutes.figures();
        let (gaps, gap_cv) = self.gaps.figures();
        let info = Info {
            name: trace.name.clone(),
            sha256: trace.checksum.clone(),
            counted: trace.counts().is_some(),
            functions: functions.len() as u64,
            compulsory_cold: self.invoked.iter().filter(|count| **count > 0).count() as u64,
            apps: u64::from(self.apps),
            owners: owners.len() as u64,
            invocations: trace.len() as u64,
            first_s: trace.first().as_secs_f64(),
            span_s,
            rate_per_s: if span_s > 0.0 { trace.len() as f64 / span_s } else { 0.0 },
            minutes,
            popularity: PopularityFigures::of(&self.invoked),
            app_popularity: has_apps.then(|| PopularityFigures::of(&app_invoked)),
            gaps,
            app_gaps: self.app_gaps.map(|gaps| gaps.figures().0),
            triggers: triggers(trace, &self.invoked),
            functions_per_app: has_apps.then(|| Spread::of(of_apps(&is_app))),
            memory_mib: Spread::of(memory.clone()),
            app_memory_mib: has_apps.then(|| Spread::of(of_apps(&app_memory))),
            warm_ms: Spread::of(warm.clone()),
            cold_start_ms: Spread::of(all(&cold_start)),
            run_ms: Spread::of_spans(&self.runs),
            working_set_mib: working_set.map(|ix| functions[ix].memory.mib()).sum(),
            running: self.running.figures(trace.first(), trace.last()),
            measured: measured(trace),
        };
        let mut invoked: Vec<u64> = self.invoked.into_iter().filter(|count| *count > 0).collect();
        invoked.sort_unstable_by(|a, b| b.cmp(a));
        (info, Curves { per_minute, invoked, gap_cv, memory_mib: memory, warm_ms: warm })
    }
}

/// Functions and invocations by trigger, most invocations first; nothing if no function has one.
fn triggers(trace: &Trace, invoked: &[u64]) -> Vec<TriggerFigures> {
    let mut sums: BTreeMap<&str, (u64, u64)> = BTreeMap::new();
    for (function, invoked) in trace.functions.iter().zip(invoked) {
        let sum = sums.entry(function.trigger.as_deref().unwrap_or("none")).or_default();
        sum.0 += 1;
        sum.1 += invoked;
    }
    if sums.keys().all(|trigger| *trigger == "none") {
        return Vec::new();
    }
    let mut figures: Vec<TriggerFigures> = sums
        .into_iter()
        .map(|(trigger, (functions, invocations))| TriggerFigures {
            trigger: trigger.to_owned(),
            functions,
            invocations,
        })
        .collect();
    figures.sort_by_key(|figure| std::cmp::Reverse(figure.invocations));
    figures
}

fn measured(trace: &Trace) -> Option<MeasuredFigures> {
    let measured = trace.listed()?.measured()?;
    let mut containers: Vec<u32> = measured.iter().filter_map(|row| row.container).collect();
    containers.sort_unstable();
    containers.dedup();
    let cold = measured.iter().filter(|row| row.cold).count() as u64;
    Some(MeasuredFigures { cold, containers: containers.len() as u64 })
}

#[cfg(test)]
mod tests;
