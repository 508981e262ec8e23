//! A short live run that meets every kind of step, alone and in company: what it invokes and when. Owns the schedule; must never
//! start anything: it is a scenario and a trace like any other, and its log is read like any other.
//!
//! First every probed function goes through its life, one at a time: a cold start; a run after a pause; another; then its container
//! expires and is removed. Then come bursts in which several start at once, at random, while containers of the burst before
//! are removed; and then are thawed while others start: from these it is seen how steps slow each other down.
//!
//! Pauses last a second, as they do at work: what has just been frozen is thawed a quarter faster.

use std::fmt::Write as _;

use rand::RngExt as _;

use super::plan::{Plan, Why};
use crate::memory::Memory;
use crate::random;
use crate::scenario::Override;
use crate::time::Span;
use crate::trace::{Function, Trace};

/// How long an idle container stays.
const KEEP: Span = Span::from_ms(1_700);

/// After how long idle it is paused.
const GRACE: Span = Span::from_ms(100);

/// For how long it is idle before it is called again.
const IDLE: Span = Span::from_ms(1_200);

/// What a start is expected to take beyond loading, generously.
const START: Span = Span::from_ms(1_200);

/// Lives that are looked at one at a time, all functions together; at least [`LEAST_LIVES`] of each.
const LIVES: usize = 9;

/// See [`LIVES`].
const LEAST_LIVES: usize = 3;

/// Bursts.
const BURSTS: u32 = 14;

/// Imitated functions are alike but for their size: the smallest, the one in the middle and the largest are probed.
const IMITATED: usize = 3;

/// Imitated functions that take longer than this to load and run are not probed if there are others.
const LONG: Span = Span::from_secs(2);

/// The stream of random numbers that bursts are drawn from.
const STREAM: u64 = 0x70_726F_6265;

/// What is probed for which functions.
#[derive(Clone, PartialEq, Debug)]
pub struct Probe {
    /// By number, each for itself and for those after it, which run the same.
    pub groups: Vec<Vec<usize>>,
    /// `functions.csv` of its trace.
    pub functions: String,
    /// `invocations.csv` of its trace.
    pub invocations: String,
    /// How long it takes.
    pub length: Span,
    /// Memory that its pool needs, so that nothing has to wait or go.
    pub memory: Memory,
    /// What the probed functions run where the scenario says so: names of functions and actions.
    pub given: Vec<(String, String)>,
    /// Kinds of the probed functions, and their images.
    pub images: Vec<(String, String)>,
}

impl Probe {
    /// What to probe of a scenario; `arrivals`: how often each function is invoked.
    pub fn new(seed: u64, plan: &Plan, trace: &Trace, arrivals: &[u64]) -> Probe {
        let groups = groups(plan, trace, arrivals);
        let probed: Vec<(usize, &Function)> =
            groups.iter().map(|group| (group[0], &trace.functions[group[0]])).collect();
        let mut schedule = Schedule { plan, trace, calls: Vec::new(), at: Span::ZERO };
        let lives = LIVES.div_ceil(probed.len().max(1)).max(LEAST_LIVES);
        for _ in 0..lives {
            for (ix, _) in &probed {
                schedule.live(*ix);
            }
        }
        schedule.bursts(seed, &probed);
        let Schedule { mut calls, at, .. } = schedule;
        calls.sort_unstable();
        let mut functions = String::from("function,memory_mb,cold_ms,warm_ms,kind\n");
        for (_, function) in &probed {
            let (cold, warm) = (function.cold.as_ms_f64(), function.warm.as_ms_f64());
            let (name, kind) = (field(&function.name), field(&function.kind));
            let _ = writeln!(functions, "{name},{},{cold},{warm},{kind}", function.memory.mib());
        }
        let mut invocations = String::from("time_ms,function\n");
        for (at, ix) in calls {
            let _ = writeln!(invocations, "{},{}", at.as_ms_f64(), field(&trace.functions[ix].name));
        }
        let largest = probed.iter().map(|(_, function)| function.memory.mib()).max().unwrap_or(1);
        let given = probed.iter().filter(|(ix, _)| plan.choices[*ix].why == Why::Given);
        let given =
            given.map(|(ix, function)| (function.name.clone(), plan.functions[*ix].action.name.clone()));
        let is_used = |kind: &String| probed.iter().any(|(ix, _)| plan.kinds[*ix] == *kind);
        Probe {
            given: given.collect(),
            images: plan.images.iter().filter(|(kind, _)| is_used(kind)).cloned().collect(),
            groups,
            functions,
            invocations,
            length: at,
            memory: Memory(largest.max(1) * 64),
        }
    }

    /// What is set in the scenario to make it the probe's; `trace`: the folder of its trace.
    pub fn overrides(&self, trace: &str) -> Vec<Override> {
        let text = |value: &str| toml_edit::Value::from(value).to_string();
        let table = |pairs: &[(String, String)]| {
            let pairs =
                pairs.iter().map(|(key, value)| format!("{} = {}", toml_edit::Key::new(key), text(value)));
            format!("{{ {} }}", pairs.collect::<Vec<_>>().join(", "))
        };
        [
            ("trace", format!("{{ path = {} }}", text(trace))),
            ("pool", format!("{{ memory = \"{} MiB\" }}", self.memory.mib())),
            ("keep-alive", format!("{{ fixed = {{ keep = \"{} ms\" }} }}", KEEP.whole_ms())),
            ("rules.pause-grace", format!("\"{} ms\"", GRACE.whole_ms())),
            ("prewarm", "[]".to_owned()),
            ("costs", "{}".to_owned()),
            // Names that the probe's trace does not have would be refused.
            ("live.functions", table(&self.given)),
            ("live.images", table(&self.images)),
            ("live.speed", "1.0".to_owned()),
            ("live.limit", "1000000".to_owned()),
            ("live.duration", "\"24 h\"".to_owned()),
        ]
        .into_iter()
        .map(|(path, value)| Override::new(path, value))
        .collect()
    }
}

/// Functions that run the same, those that are invoked; the first of each group is probed.
fn groups(plan: &Plan, trace: &Trace, arrivals: &[u64]) -> Vec<Vec<usize>> {
    let loading = plan.loading(trace);
    let invoked = (0..trace.functions.len()).filter(|ix| arrivals.get(*ix).is_some_and(|many| *many > 0));
    let (mut imitated, own): (Vec<usize>, Vec<usize>) = invoked.partition(|ix| loading[*ix].is_some());
    let mut groups: Vec<Vec<usize>> = Vec::new();
    for ix in own {
        let same = |group: &Vec<usize>| {
            let (one, other) = (&plan.functions[group[0]], &plan.functions[ix]);
            (&one.action, &one.image, &one.args) == (&other.action, &other.image, &other.args)
        };
        match groups.iter_mut().find(|group| same(group)) {
            Some(group) => group.push(ix),
            None => groups.push(vec![ix]),
        }
    }
    let short: Vec<usize> = imitated.iter().copied().filter(|ix| trace.functions[*ix].cold <= LONG).collect();
    if !short.is_empty() {
        imitated = short;
    }
    imitated.sort_by_key(|ix| trace.functions[*ix].memory);
    let some = imitated.len().min(IMITATED);
    let mut chosen: Vec<usize> =
        (0..some).map(|nth| imitated[nth * (imitated.len() - 1) / (some - 1).max(1)]).collect();
    chosen.dedup();
    groups.extend(chosen.into_iter().map(|ix| vec![ix]));
    groups
}

struct Schedule<'a> {
    plan: &'a Plan,
    trace: &'a Trace,
    /// When which function is called.
    calls: Vec<(Span, usize)>,
    /// Up to when there is something.
    at: Span,
}

impl Schedule<'_> {
    fn run(&self, ix: usize) -> Span {
        self.plan.usual_run(self.trace, ix)
    }

    /// One life of one container: until its first run has ended.
    fn start(&self, ix: usize) -> Span {
        START + self.plan.init(self.trace, ix as u32) + self.run(ix)
    }

    fn live(&mut self, ix: usize) {
        let mut at = self.at;
        self.calls.push((at, ix));
        at += self.start(ix);
        for _ in 0..2 {
            at += IDLE;
            self.calls.push((at, ix));
            at += self.run(ix);
        }
        // Removed by then.
        self.at = at + KEEP + Span::from_ms(500);
    }

    fn bursts(&mut self, seed: u64, probed: &[(usize, &Function)]) {
        let mut generator = random::keyed(seed, STREAM, 0);
        let mut rotation = probed.iter().map(|(ix, _)| *ix).cycle();
        for burst in 0..BURSTS {
            let started: Vec<usize> = rotation.by_ref().take(2 + burst as usize % 3).collect();
            self.together(&mut generator, &started);
            // Each once more, and one or two that find no container.
            let more = rotation.by_ref().take(1 + burst as usize % 2);
            let called: Vec<usize> = started.into_iter().chain(more).collect();
            self.together(&mut generator, &called);
            // About when the containers of this burst are removed, so that the next one meets that now and then.
            self.at += Span(generator.random_range(0..1_600_000));
        }
    }

    /// All of these at about the same time; then time for them to start and run.
    fn together(&mut self, generator: &mut impl rand::Rng, functions: &[usize]) {
        for ix in functions {
            self.calls.push((self.at + Span(generator.random_range(0..400_000)), *ix));
        }
        self.at += functions.iter().map(|ix| self.start(*ix)).max().unwrap_or_default();
    }
}

/// A field of a CSV file.
fn field(text: &str) -> String {
    if text.contains([',', '"', '\n', '\r']) {
        format!("\"{}\"", text.replace('"', "\"\""))
    } else {
        text.to_owned()
    }
}

#[cfg(test)]
mod tests;
