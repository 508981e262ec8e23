//! How many processors each kind of step takes, from how much longer steps took that had company. Owns the estimate; the
//! model that uses it is the simulator's (`sim/contended`). Must never be told which steps ran alone: it finds out.
//!
//! While the steps under way want more processors than there are, all of them advance by the same factor more slowly. So a
//! step takes its own time times `x`, the mean of `max(1, wanted / processors)` while it lasts. The demands are those with which
//! the logarithms of `took / x` vary least within steps that are alike: least squares, one demand after the other, a few times
//! over.

use std::collections::BTreeMap;

use crate::eventlog::steps::StepKind;
use crate::time::Time;

/// Kinds of steps, the first run in a container being a run like any other.
pub const KINDS: [StepKind; 7] = [
    StepKind::Create,
    StepKind::Init,
    StepKind::Run,
    StepKind::Unpause,
    StepKind::Pause,
    StepKind::Logs,
    StepKind::Remove,
];

/// So often each demand is estimated from the others.
const ROUNDS: usize = 4;

/// No step takes more processors than this.
const MOST: f64 = 3.0;

/// Demands are looked for in steps of this, and at last of a fifth of it.
const GRID: f64 = 0.1;

/// By which part demands must explain the variation for there to be anything to explain.
const EXPLAINED: f64 = 0.1;

/// A step that may take processors.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Busy {
    /// Its kind, as a place in [`KINDS`].
    pub kind: usize,
    /// When it began.
    pub begun: Time,
    /// Up to when it could be slowed down; what it then takes by the clock cannot.
    pub free_until: Time,
    /// When it ended.
    pub ended: Time,
    /// To which steps of its kind it is alike when alone: a function's number, for instance.
    pub group: u32,
}

/// What was found.
#[derive(Clone, Copy, PartialEq, Debug, Default)]
pub struct Stretch {
    /// Processors of the machine.
    pub processors: u32,
    /// How many of them each kind takes.
    pub demands: [f64; KINDS.len()],
    /// Steps of each kind.
    pub steps: [usize; KINDS.len()],
    /// Which part of the variation of the logarithms of durations they explain, 0 to 1.
    pub explained: f64,
}

/// What each kind takes, and by how much each step was stretched. `None`: the steps had too little company to tell.
pub fn estimate(processors: u32, steps: &[Busy]) -> Option<(Stretch, Vec<f64>)> {
    let field = Field::new(processors, steps);
    let many = |kind: usize| steps.iter().filter(|step| step.kind == kind).count();
    let counts: [usize; KINDS.len()] = std::array::from_fn(many);
    let mut demands = counts.map(|many| if many > 0 { 1.0 } else { 0.0 });
    let nothing = field.variation(&[0.0; KINDS.len()]);
    for round in 0..=ROUNDS {
        for kind in (0..KINDS.len()).filter(|kind| counts[*kind] > 0) {
            let at = |demand: f64| field.variation(&with(demands, kind, demand));
            let candidates: Vec<f64> = if round < ROUNDS {
                (0..).map(|nth| GRID * f64::from(nth)).take_while(|demand| *demand <= MOST).collect()
            } else {
                (-5..=5).map(|nth| (demands[kind] + GRID / 5.0 * f64::from(nth)).max(0.0)).collect()
            };
            let best =
                candidates.into_iter().map(|demand| (at(demand), demand)).min_by(|a, b| a.0.total_cmp(&b.0));
            demands[kind] = best.map_or(0.0, |(_, demand)| demand);
        }
    }
    let explained = 1.0 - field.variation(&demands) / nothing;
    if !explained.is_finite() || explained < EXPLAINED {
        return None;
    }
    Some((Stretch { processors, demands, steps: counts, explained }, field.stretches(&demands)))
}

fn with(mut demands: [f64; KINDS.len()], kind: usize, demand: f64) -> [f64; KINDS.len()] {
    demands[kind] = demand;
    demands
}

/// Steps laid out over time, ready to be looked at under many assumptions.
struct Field<'a> {
    processors: f64,
    steps: &'a [Busy],
    /// When something begins or ends, with its kind.
    changes: Vec<(Time, usize, bool)>,
    /// Of every step that could be slowed down: itself, and how many changes there were by its beginning and by its end.
    free: Vec<(usize, usize, usize)>,
    /// Those alike, by kind and group, as places in `free`.
    groups: Vec<Vec<usize>>,
}

/// Steps that are fewer than this in their group tell nothing.
const ALIKE: usize = 3;

/// Steps that are usually shorter than this, in µs, tell nothing: what they vary by is noise.
const SHORTEST_US: u64 = 5_000;

impl<'a> Field<'a> {
    fn new(processors: u32, steps: &'a [Busy]) -> Field<'a> {
        let mut changes: Vec<(Time, usize, bool)> = Vec::with_capacity(2 * steps.len());
        for step in steps {
            changes.push((step.begun, step.kind, true));
            changes.push((step.ended, step.kind, false));
        }
        changes.sort_unstable_by_key(|(time, kind, begins)| (*time, !begins, *kind));
        let by = |time: Time| changes.partition_point(|(at, ..)| *at <= time);
        let free: Vec<(usize, usize, usize)> = (0..steps.len())
            .filter(|ix| steps[*ix].free_until > steps[*ix].begun)
            .map(|ix| (ix, by(steps[ix].begun), by(steps[ix].free_until)))
            .collect();
        let mut groups: BTreeMap<(usize, u32), Vec<usize>> = BTreeMap::new();
        for (place, (ix, ..)) in free.iter().enumerate() {
            groups.entry((steps[*ix].kind, steps[*ix].group)).or_default().push(place);
        }
        let is_long = |alike: &Vec<usize>| {
            let mut long: Vec<u64> = alike
                .iter()
                .map(|place| &steps[free[*place].0])
                .map(|step| (step.free_until - step.begun).0)
                .collect();
            long.sort_unstable();
            long[long.len() / 2] >= SHORTEST_US
        };
        let groups = groups.into_values().filter(|alike| alike.len() >= ALIKE && is_long(alike)).collect();
        Field { processors: f64::from(processors), steps, changes, free, groups }
    }

    /// By how much each of `free` was stretched.
    fn crowds(&self, demands: &[f64; KINDS.len()]) -> Vec<f64> {
        // After each change: the crowd from then on, and its integral up to then.
        let mut after: Vec<(f64, f64)> = Vec::with_capacity(self.changes.len() + 1);
        let (mut wanted, mut integral, mut crowd, mut last) = (0.0_f64, 0.0, 1.0, Time::ZERO);
        after.push((crowd, integral));
        for (time, kind, begins) in &self.changes {
            integral += crowd * (*time - last).0 as f64;
            wanted += if *begins { demands[*kind] } else { -demands[*kind] };
            crowd = (wanted / self.processors).max(1.0);
            last = *time;
            after.push((crowd, integral));
        }
        let up_to = |changes: usize, time: Time| {
            let (crowd, integral) = after[changes];
            let since = changes.checked_sub(1).map_or(Time::ZERO, |last| self.changes[last].0);
            integral + crowd * (time - since).0 as f64
        };
        let mean = |(ix, by_begin, by_end): &(usize, usize, usize)| {
            let Busy { begun, free_until, .. } = self.steps[*ix];
            let integral = up_to(*by_end, free_until) - up_to(*by_begin, begun);
            (integral / (free_until - begun).0 as f64).max(1.0)
        };
        self.free.iter().map(mean).collect()
    }

    /// How much the logarithms of what steps would have taken alone vary within those alike: a sum of squares.
    fn variation(&self, demands: &[f64; KINDS.len()]) -> f64 {
        let crowds = self.crowds(demands);
        let alone = |place: usize| {
            let Busy { begun, free_until, .. } = self.steps[self.free[place].0];
            libm::log((free_until - begun).0 as f64 / crowds[place])
        };
        let of_group = |alike: &Vec<usize>| {
            let logs: Vec<f64> = alike.iter().map(|place| alone(*place)).collect();
            let mean = logs.iter().sum::<f64>() / logs.len() as f64;
            logs.iter().map(|log| (log - mean) * (log - mean)).sum::<f64>()
        };
        self.groups.iter().map(of_group).sum()
    }

    /// By how much each step was stretched; 1 for those that could not be.
    fn stretches(&self, demands: &[f64; KINDS.len()]) -> Vec<f64> {
        let mut all = vec![1.0; self.steps.len()];
        for ((ix, ..), crowd) in self.free.iter().zip(self.crowds(demands)) {
            // What takes no processor is not slowed down.
            if demands[self.steps[*ix].kind] > 0.0 {
                all[*ix] = crowd;
            }
        }
        all
    }
}

#[cfg(test)]
mod tests;
