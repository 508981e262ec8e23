//! Which single keep-alive explains the cold starts that were measured on a platform. Owns the search and its
//! figures; must never look at anything but arrivals, run times and what was measured of each call.
//!
//! # The model
//!
//! A pool without limit, one kind of container per function. A call takes the idle container that became free
//! last, if it has been idle for less than the keep-alive, and is cold otherwise. A cold call keeps its container
//! for `cold − warm` of its function longer. This is the simulator's pool under preset `ideal` with enough memory, call
//! by call (`tests/aws_lambda.rs` holds both together), but for the beginning: containers that the record shows
//! warm on their first call were there before it began, so the model has as many, idle since the first arrival.
//!
//! # The search
//!
//! The outcome is a step function of the keep-alive. A replay under one keep-alive also finds how far it could be
//! raised with no other outcome: to the shortest time for which a container that came too late had been
//! idle. From there the next replay begins, so that every step is found and its ends are exact, to the
//! microsecond. Functions do not meet in this pool, so each has steps of its own, which are merged. Of a function
//! with more than [`EXACT`] calls, steps narrower than a thousandth of the keep-alive are passed over.

mod causes;

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use serde::Serialize;

pub use self::causes::{Cause, Disagreement, Habits};
use super::stats::kappa;
use crate::time::{Span, Time};
use crate::trace::Trace;

/// Of functions with at most so many calls, every step is found.
pub const EXACT: usize = 20_000;

/// Why a trace cannot be asked, and what to do about it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Unfit {
    /// What is wrong.
    pub message: String,
    /// What to do.
    pub help: String,
}

/// Whoever waits for a search had enough of it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Stopped;

/// A call as it was recorded.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Call {
    /// Its number among all calls of the trace, from 0.
    number: u64,
    arrival: Time,
    /// Its run, without what a cold start adds.
    run: Span,
    cold: bool,
    container: Option<u32>,
}

/// All calls of a function.
#[derive(Clone, PartialEq, Eq, Debug)]
struct Calls {
    /// What a cold start adds.
    extra: Span,
    /// Containers there were before the record began, idle since then.
    warm: usize,
    calls: Vec<Call>,
}

/// What was recorded of a platform: a trace with measured cold starts.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Recorded {
    /// What the trace is called.
    pub name: String,
    /// Its calls.
    pub calls: u64,
    /// Those measured cold.
    pub cold: u64,
    /// Containers that were there before the record began: those whose first call was warm. Where the trace
    /// does not tell containers, one for each function whose first call was warm.
    pub warm_at_start: u64,
    began: Time,
    functions: Vec<Calls>,
}

/// How a prediction and the measurement go together, by call.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize)]
pub struct Agreement {
    /// Predicted cold, measured cold.
    pub both_cold: u64,
    /// Predicted warm, measured cold.
    pub missed: u64,
    /// Predicted cold, measured warm.
    pub extra: u64,
    /// Predicted warm, measured warm.
    pub both_warm: u64,
}

impl Agreement {
    /// Calls predicted cold.
    pub const fn predicted(&self) -> u64 {
        self.both_cold + self.extra
    }

    /// Calls measured cold.
    pub const fn measured(&self) -> u64 {
        self.both_cold + self.missed
    }

    /// Calls on which prediction and measurement disagree.
    pub const fn disagreements(&self) -> u64 {
        self.missed + self.extra
    }

    /// Cohen's kappa ([`kappa`]): 1 is full agreement, 0 none but chance. `None` if all calls are of one and the
    /// same class on both sides, so that nothing but agreement was possible.
    pub fn kappa(&self) -> Option<f64> {
        kappa(&[[self.both_cold, self.extra], [self.missed, self.both_warm]])
    }

    fn add(&mut self, predicted: bool, measured: bool) {
        *match (predicted, measured) {
            (true, true) => &mut self.both_cold,
            (false, true) => &mut self.missed,
            (true, false) => &mut self.extra,
            (false, false) => &mut self.both_warm,
        } += 1;
    }

    fn plus(self, other: Agreement) -> Agreement {
        Agreement {
            both_cold: self.both_cold + other.both_cold,
            missed: self.missed + other.missed,
            extra: self.extra + other.extra,
            both_warm: self.both_warm + other.both_warm,
        }
    }

    /// This with `old`, which is a part of it, put in place of by `new`.
    fn exchanged(self, old: Agreement, new: Agreement) -> Agreement {
        Agreement {
            both_cold: self.both_cold - old.both_cold + new.both_cold,
            missed: self.missed - old.missed + new.missed,
            extra: self.extra - old.extra + new.extra,
            both_warm: self.both_warm - old.both_warm + new.both_warm,
        }
    }
}

/// Keep-alives with the same outcome: those above `over`, up to and with `upto`.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
pub struct Range {
    /// Not itself one of them: a container reused after so long an idle time would be gone.
    #[serde(rename = "over_us")]
    pub over: Span,
    /// The longest of them; [`Span::FOREVER`] if there is none.
    #[serde(rename = "upto_us")]
    pub upto: Span,
}

impl Range {
    /// The roundest keep-alive among them: a multiple of the largest of some usual steps, the one nearest to the middle.
    pub fn example(&self) -> Span {
        const STEPS: [u64; 12] = [
            60_000_000, 30_000_000, 10_000_000, 5_000_000, 1_000_000, 500_000, 100_000, 10_000, 1_000, 100,
            10, 1,
        ];
        if self.upto == Span::FOREVER {
            // Rounded up to the minute, or so much that nothing could be rounded.
            return Span((self.over.0 / STEPS[0]).saturating_add(1).saturating_mul(STEPS[0]));
        }
        let middle = self.over.0 / 2 + self.upto.0 / 2;
        let within = |keep: &u64| self.over.0 < *keep && *keep <= self.upto.0;
        let near = |step: u64| {
            let below = middle / step * step;
            [below, below + step].into_iter().filter(within).min_by_key(|keep| keep.abs_diff(middle))
        };
        Span(STEPS.into_iter().find_map(near).unwrap_or(self.upto.0))
    }

    /// How many µs wide.
    const fn width(&self) -> u64 {
        self.upto.0 - self.over.0
    }
}

/// The outcome under a range of keep-alives.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Step {
    /// These keep-alives.
    pub range: Range,
    /// What comes of each.
    pub agreement: Agreement,
}

/// What the best keep-alive is best at.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Aim {
    /// The number of cold starts: least |predicted − measured|, summed over traces.
    Count,
    /// The calls themselves: greatest kappa over the calls of all traces.
    Calls,
}

/// The best keep-alives for one aim.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Fit {
    /// All of these are equally good.
    pub range: Range,
    /// What comes of them, by trace.
    pub agreement: Vec<Agreement>,
}

impl Recorded {
    /// What a trace recorded.
    ///
    /// # Errors
    /// The trace tells nothing that was measured, or containers of one of its functions run several calls at once, which
    /// this model does not know.
    pub fn new(trace: &Trace) -> Result<Recorded, Unfit> {
        let listed = trace.listed();
        let Some((listed, measured)) = listed.and_then(|listed| Some((listed, listed.measured()?))) else {
            return Err(Unfit {
                message: "does not tell which calls were cold".to_owned(),
                help: "a keep-alive is found from measurements: a column is_cold in invocations.csv, 1 or 0 for each call"
                    .to_owned(),
            });
        };
        if let Some(function) = trace.functions.iter().find(|function| function.max_concurrent > 1) {
            return Err(Unfit {
                message: format!(
                    "a container of function `{}` runs {} calls at once",
                    function.name, function.max_concurrent
                ),
                help:
                    "the search is for platforms with one call per container at a time; if this is one, set \
                       max_concurrent to 1 or leave it out"
                        .to_owned(),
            });
        }
        let of = |function: &crate::trace::Function| Calls {
            extra: function.cold.saturating_sub(function.warm),
            warm: 0,
            calls: Vec::new(),
        };
        let mut functions: Vec<Calls> = trace.functions.iter().map(of).collect();
        for ((number, arrival), measured) in (0..).zip(listed.arrivals()).zip(measured) {
            let function = arrival.function as usize;
            functions[function].calls.push(Call {
                number,
                arrival: arrival.time,
                run: arrival.duration.unwrap_or(trace.functions[function].warm),
                cold: measured.cold,
                container: measured.container,
            });
        }
        functions.iter_mut().for_each(|function| function.warm = causes::warm_at_start(&function.calls));
        Ok(Recorded {
            name: trace.name.clone(),
            calls: trace.len() as u64,
            cold: measured.iter().filter(|measured| measured.cold).count() as u64,
            warm_at_start: functions.iter().map(|function| function.warm as u64).sum(),
            began: trace.first(),
            functions,
        })
    }

    /// The same if the platform had been empty when the record began, as a simulated one is.
    pub fn from_empty(mut self) -> Recorded {
        self.warm_at_start = 0;
        self.functions.iter_mut().for_each(|function| function.warm = 0);
        self
    }

    /// Which calls a keep-alive makes cold, by number.
    pub fn predicted(&self, keep: Span) -> Vec<bool> {
        let mut cold = vec![false; self.calls as usize];
        for function in &self.functions {
            function.replay(self.began, keep, |call, is_cold| cold[call.number as usize] = is_cold);
        }
        cold
    }

    /// What comes of a keep-alive.
    pub fn agreement(&self, keep: Span) -> Agreement {
        let mut agreement = Agreement::default();
        for function in &self.functions {
            function.replay(self.began, keep, |call, cold| agreement.add(cold, call.cold));
        }
        agreement
    }

    /// All steps, without a hole from 0 to forever, neighbours different. `proceed`: told now and then how many calls were
    /// replayed since; ends the search by `false`.
    ///
    /// # Errors
    /// It was stopped.
    pub fn steps(&self, mut proceed: impl FnMut(u64) -> bool) -> Result<Vec<Step>, Stopped> {
        let mut outcome = Agreement::default();
        // Where the outcome of a function changes: from, old, new.
        let mut changes: Vec<(Span, Agreement, Agreement)> = Vec::new();
        for function in self.functions.iter().filter(|function| !function.calls.is_empty()) {
            let steps = function.steps(self.began, &mut proceed)?;
            outcome = outcome.plus(steps[0].agreement);
            changes.extend(
                steps.windows(2).map(|pair| (pair[1].range.over, pair[0].agreement, pair[1].agreement)),
            );
        }
        changes.sort_by_key(|(over, ..)| *over);
        let mut steps = Vec::with_capacity(changes.len() + 1);
        for (over, old, new) in changes {
            close(&mut steps, over, outcome);
            outcome = outcome.exchanged(old, new);
        }
        close(&mut steps, Span::FOREVER, outcome);
        Ok(steps)
    }

    /// The calls on which a keep-alive and the measurement disagree, by number, and why.
    pub fn disagreements(&self, keep: Span) -> Vec<Disagreement> {
        let mut all = Vec::new();
        for (function, calls) in (0..).zip(&self.functions) {
            let mut predicted = Vec::with_capacity(calls.calls.len());
            calls.replay(self.began, keep, |_, cold| predicted.push(cold));
            causes::explain(calls, function, keep, &predicted, &mut all);
        }
        all.sort_by_key(|disagreement| disagreement.number);
        all
    }

    /// How the platform treated its containers; nothing if the trace does not tell them.
    pub fn habits(&self) -> Option<Habits> {
        self.functions.iter().filter_map(causes::habits).reduce(Habits::joined)
    }
}

/// Ends the last step at `upto`, with this outcome.
fn close(steps: &mut Vec<Step>, upto: Span, agreement: Agreement) {
    let over = steps.last().map_or(Span::ZERO, |step| step.range.upto);
    match steps.last_mut() {
        Some(last) if last.agreement == agreement => last.range.upto = upto,
        _ if over == upto => {}
        _ => steps.push(Step { range: Range { over, upto }, agreement }),
    }
}

impl Calls {
    /// Replays all calls; tells which are cold, and returns the longest keep-alive under which the same are.
    fn replay(&self, began: Time, keep: Span, mut told: impl FnMut(&Call, bool)) -> Span {
        let mut busy: BinaryHeap<Reverse<Time>> = BinaryHeap::new();
        // Since when each is idle, the last on top; those that are gone are not taken out before they matter.
        let mut idle = vec![began; self.warm];
        let mut same_upto = Span::FOREVER;
        for call in &self.calls {
            // Who becomes free in this very instant can serve.
            while busy.peek().is_some_and(|Reverse(end)| *end <= call.arrival) {
                idle.extend(busy.pop().map(|Reverse(end)| end));
            }
            let cold = match idle.pop() {
                // Who has been idle for exactly the keep-alive is gone: timers come before arrivals (`pool::order`).
                Some(since) if call.arrival - since < keep => false,
                Some(since) => {
                    same_upto = same_upto.min(call.arrival - since);
                    // Those below have been idle for longer still.
                    idle.clear();
                    true
                }
                None => true,
            };
            told(call, cold);
            let run = if cold { self.extra + call.run } else { call.run };
            busy.push(Reverse(call.arrival + run));
        }
        same_upto
    }

    fn steps(&self, began: Time, proceed: &mut impl FnMut(u64) -> bool) -> Result<Vec<Step>, Stopped> {
        let mut steps: Vec<Step> = Vec::new();
        let mut keep = Span(1);
        loop {
            let mut agreement = Agreement::default();
            let same_upto = self.replay(began, keep, |call, cold| agreement.add(cold, call.cold));
            let least = if self.calls.len() > EXACT { keep + Span(keep.0 / 1_000) } else { keep };
            let upto = same_upto.max(least);
            close(&mut steps, upto, agreement);
            if upto == Span::FOREVER {
                return Ok(steps);
            }
            if !proceed(self.calls.len() as u64) {
                return Err(Stopped);
            }
            keep = upto + Span(1);
        }
    }
}

/// The best keep-alive for all of these at once; `traces` has the steps of each. Among equals that with the fewest
/// disagreements, then the widest range, then the shortest keep-alive.
///
/// # Panics
/// Without a trace, or with one without steps.
pub fn best(traces: &[Vec<Step>], aim: Aim) -> Fit {
    /// Less is better: how bad, disagreements, how narrow.
    type Rank = (f64, u64, Reverse<u64>);
    let mut at = vec![0; traces.len()];
    let mut best: Option<(Rank, Fit)> = None;
    let mut over = Span::ZERO;
    loop {
        let current = || traces.iter().zip(&at).map(|(steps, at)| &steps[*at]);
        let upto = current().map(|step| step.range.upto).min().expect("there is a trace");
        let range = Range { over, upto };
        let all = current().fold(Agreement::default(), |sum, step| sum.plus(step.agreement));
        let apart: u64 =
            current().map(|step| step.agreement.predicted().abs_diff(step.agreement.measured())).sum();
        let badness = match aim {
            Aim::Count => apart as f64,
            // Where kappa is not defined, all calls agree.
            Aim::Calls => -all.kappa().unwrap_or(1.0),
        };
        let rank = (badness, all.disagreements(), Reverse(range.width()));
        let better = best.as_ref().is_none_or(|(least, _)| {
            rank.0.total_cmp(&least.0).then((rank.1, rank.2).cmp(&(least.1, least.2))).is_lt()
        });
        if better {
            let agreement = current().map(|step| step.agreement).collect();
            best = Some((rank, Fit { range, agreement }));
        }
        if upto == Span::FOREVER {
            return best.expect("there was a step").1;
        }
        for (steps, at) in traces.iter().zip(&mut at) {
            *at += usize::from(steps[*at].range.upto == upto);
        }
        over = upto;
    }
}

#[cfg(test)]
mod tests;
