//! Why a keep-alive and a measurement disagree on a call, as far as the measured containers tell. Owns the
//! classes; must never take a model's container for a measured one.
//!
//! When a measured container became free is not recorded: it is taken to be busy from the arrival of a call for the run,
//! and for `cold − warm` longer if that was cold, as in the model.

use std::collections::BTreeMap;

use serde::Serialize;

use super::{Call, Calls};
use crate::time::{Span, Time};

/// Why they disagree.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Cause {
    /// Measured cold: a container idle for less than the keep-alive was not used, and was never seen again.
    RemovedEarly,
    /// Measured cold: a container idle for less than the keep-alive was not used, but later it was.
    PassedOver,
    /// Measured cold: every container that had been used within the keep-alive was busy. The model has one more, since it
    /// disagreed before.
    SpareInModel,
    /// Measured warm: by a container that had been idle for the keep-alive or longer.
    KeptLonger,
    /// Measured warm: by a container that was still busy when the call was sent, so the call reached it later.
    FreedMeanwhile,
    /// Measured warm: by a container idle for less than the keep-alive, which the model does not have, since it
    /// disagreed before.
    MissingInModel,
    /// Measured warm: by a container that had not been seen before.
    NeverSeen,
    /// The trace does not tell containers.
    Unknown,
}

impl Cause {
    /// All of them, in table order.
    pub const ALL: [Cause; 8] = [
        Cause::RemovedEarly,
        Cause::PassedOver,
        Cause::SpareInModel,
        Cause::KeptLonger,
        Cause::FreedMeanwhile,
        Cause::MissingInModel,
        Cause::NeverSeen,
        Cause::Unknown,
    ];

    /// As tables have it.
    pub const fn name(self) -> &'static str {
        match self {
            Cause::RemovedEarly => "removed early",
            Cause::PassedOver => "passed over",
            Cause::SpareInModel => "spare in the model",
            Cause::KeptLonger => "kept longer",
            Cause::FreedMeanwhile => "freed meanwhile",
            Cause::MissingInModel => "missing in the model",
            Cause::NeverSeen => "never seen",
            Cause::Unknown => "unknown",
        }
    }

    /// What it means, in a sentence.
    pub const fn meaning(self) -> &'static str {
        match self {
            Cause::RemovedEarly => {
                "a container idle for less than the keep-alive was not used, and never seen again"
            }
            Cause::PassedOver => {
                "a container idle for less than the keep-alive was not used, but later it was"
            }
            Cause::SpareInModel => {
                "all containers used within the keep-alive were busy; the model has one more, from an earlier disagreement"
            }
            Cause::KeptLonger => "the container that served it had been idle for the keep-alive or longer",
            Cause::FreedMeanwhile => {
                "the container that served it was busy when the call was sent, and free when it got there"
            }
            Cause::MissingInModel => {
                "the model does not have the container that served it, from an earlier disagreement"
            }
            Cause::NeverSeen => "the container that served it had not been seen before",
            Cause::Unknown => "the trace does not tell containers",
        }
    }
}

/// A call on which they disagree.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
pub struct Disagreement {
    /// Its number among all calls of the trace, from 0.
    pub number: u64,
    /// Its function, as an index into the trace's.
    pub function: u32,
    /// When it arrived.
    #[serde(rename = "arrival_us")]
    pub arrival: Time,
    /// Whether it was measured cold; predicted is the contrary.
    pub measured_cold: bool,
    /// Why.
    pub cause: Cause,
    /// The measured container that this is about.
    pub container: Option<u32>,
    /// For how long that had been idle.
    #[serde(rename = "idle_us")]
    pub idle: Option<Span>,
    /// How old it was: since the call it was first seen by.
    #[serde(rename = "age_us")]
    pub age: Option<Span>,
}

/// How a platform treated its containers.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize)]
pub struct Habits {
    /// Containers that were seen.
    pub containers: u64,
    /// Warm calls for which more than one idle container was there: those that also serve this call or a later one.
    pub choices: u64,
    /// Those of them that took the one that became free last.
    pub newest_first: u64,
    /// The longest idle time after which a container was used again.
    #[serde(rename = "longest_reuse_us")]
    pub longest_reuse: Span,
    /// The greatest age, since it was first seen, at which a container was used.
    #[serde(rename = "oldest_us")]
    pub oldest: Span,
}

impl Habits {
    /// Of both.
    pub fn joined(self, other: Habits) -> Habits {
        Habits {
            containers: self.containers + other.containers,
            choices: self.choices + other.choices,
            newest_first: self.newest_first + other.newest_first,
            longest_reuse: self.longest_reuse.max(other.longest_reuse),
            oldest: self.oldest.max(other.oldest),
        }
    }
}

/// A measured container, as it is at some call.
#[derive(Clone, Copy, Debug)]
struct Seen {
    first: Time,
    /// When its last call so far ended.
    free: Time,
    /// The number of the last call it ever had.
    last: u64,
}

impl Seen {
    fn is_idle(&self, at: Time) -> bool {
        self.free <= at
    }
}

/// Containers that were there before the first call: those whose first call is warm. Without containers in the trace,
/// one if the first call is.
pub(super) fn warm_at_start(calls: &[Call]) -> usize {
    let mut cold_at_first: BTreeMap<u32, bool> = BTreeMap::new();
    for call in calls {
        if let Some(container) = call.container {
            cold_at_first.entry(container).or_insert(call.cold);
        }
    }
    match calls.first() {
        Some(first) if cold_at_first.is_empty() => usize::from(!first.cold),
        _ => cold_at_first.values().filter(|cold| !**cold).count(),
    }
}

/// Goes through the calls with what is known of containers before each. Those that are never used again are left out
/// some time after they have been idle for `matters`.
fn walk(calls: &Calls, matters: Span, mut at: impl FnMut(usize, &Call, &BTreeMap<u32, Seen>)) {
    let last: BTreeMap<u32, u64> =
        calls.calls.iter().filter_map(|call| Some((call.container?, call.number))).collect();
    let mut seen: BTreeMap<u32, Seen> = BTreeMap::new();
    let mut many = 64;
    for (index, call) in calls.calls.iter().enumerate() {
        at(index, call, &seen);
        if let Some(container) = call.container {
            let run = if call.cold { calls.extra + call.run } else { call.run };
            let free = call.arrival + run;
            seen.entry(container).and_modify(|it| it.free = it.free.max(free)).or_insert(Seen {
                first: call.arrival,
                free,
                last: last[&container],
            });
        }
        if seen.len() > many {
            let now = call.arrival;
            seen.retain(|_, it| it.last > call.number || !it.is_idle(now) || now - it.free < matters);
            many = 2 * seen.len();
        }
    }
}

/// Adds the calls of a function for which `predicted` is not what was measured.
pub(super) fn explain(
    calls: &Calls,
    function: u32,
    keep: Span,
    predicted: &[bool],
    all: &mut Vec<Disagreement>,
) {
    walk(calls, keep, |index, call, seen| {
        if predicted[index] != call.cold {
            let (cause, container) = cause(call, keep, seen);
            let it = container.and_then(|container| seen.get(&container));
            all.push(Disagreement {
                number: call.number,
                function,
                arrival: call.arrival,
                measured_cold: call.cold,
                cause,
                container,
                idle: it.filter(|it| it.is_idle(call.arrival)).map(|it| call.arrival - it.free),
                age: it.map(|it| call.arrival - it.first),
            });
        }
    });
}

/// Why this call is not as predicted, and the container that shows it.
fn cause(call: &Call, keep: Span, seen: &BTreeMap<u32, Seen>) -> (Cause, Option<u32>) {
    let Some(served_by) = call.container else { return (Cause::Unknown, None) };
    if call.cold {
        let there = |it: &Seen| it.is_idle(call.arrival) && call.arrival - it.free < keep;
        let newest = seen.iter().filter(|(_, it)| there(it)).max_by_key(|(_, it)| it.free);
        return match newest {
            None => (Cause::SpareInModel, None),
            Some((container, it)) if it.last > call.number => (Cause::PassedOver, Some(*container)),
            Some((container, _)) => (Cause::RemovedEarly, Some(*container)),
        };
    }
    let cause = match seen.get(&served_by) {
        None => Cause::NeverSeen,
        Some(it) if !it.is_idle(call.arrival) => Cause::FreedMeanwhile,
        Some(it) if call.arrival - it.free >= keep => Cause::KeptLonger,
        Some(_) => Cause::MissingInModel,
    };
    (cause, Some(served_by))
}

/// How containers of a function were treated; nothing if the trace does not tell them.
pub(super) fn habits(calls: &Calls) -> Option<Habits> {
    calls.calls.iter().find(|call| call.container.is_some())?;
    let mut habits = Habits::default();
    walk(calls, Span::ZERO, |_, call, seen| {
        let Some(served_by) = call.container else { return };
        let Some(it) = seen.get(&served_by) else {
            habits.containers += 1;
            return;
        };
        habits.longest_reuse = habits.longest_reuse.max(call.arrival - it.free);
        habits.oldest = habits.oldest.max(call.arrival - it.first);
        let there = |it: &&Seen| it.is_idle(call.arrival) && it.last >= call.number;
        if !call.cold && it.is_idle(call.arrival) && seen.values().filter(there).count() > 1 {
            habits.choices += 1;
            let newest = seen.values().filter(there).map(|it| it.free).max();
            habits.newest_first += u64::from(newest == Some(it.free));
        }
    });
    Some(habits)
}
