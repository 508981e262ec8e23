//! The counters of the FaasCache fork (docs/specs/openwhisk.md §8.5): what was started between two of its lines, and
//! whether that agrees with its placement lines. Owns the counters as last seen; must never guess what a line left out.
//!
//! The fork counts `cold` and `recreated` as cold, `warmed` as warm, and nothing else (§8.2). It does so once for each
//! start: what it counts twice is the invocations that its priorities weigh.

use std::collections::HashMap;

use super::logs::{ContainerStart, CounterLine, counter_action};
use crate::pool::boundary::StartState;

/// A start that counters tell of.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CountedStart {
    /// When the counters were written: when it was placed, in ms since 1970.
    pub at: i64,
    /// Its action as `namespace/[package/]name`, if the line is whole.
    pub path: Option<Box<str>>,
    /// `cold` (or recreated), `warmed`, or a state that is not counted. `None`: not counted, and not told.
    pub start: Option<StartState>,
}

/// What is to be said of the counters.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct CounterFigures {
    /// Counter lines.
    pub lines: u64,
    /// Of these, cut in their maps.
    pub cut: u64,
    /// Cold starts that were counted since the first line, all pools and restarts together.
    pub cold: u64,
    /// Warm starts.
    pub warm: u64,
    /// Starts in states that are not counted.
    pub uncounted: u64,
    /// Starts before the first line of each pool that is in the log: of these, one belongs to that line, and which is
    /// not told.
    pub before: u64,
    /// Starts of which a line tells together with others, since lines between are missing: their order and time are
    /// not known.
    pub together: u64,
    /// How often counters began anew: the server was started again.
    pub restarts: u64,
    /// Lines whose maps do not add up to their counters.
    pub sums_wrong: u64,
    /// Placement lines that were held against the counter line before them.
    pub checked: u64,
    /// Of these, those where the counters say otherwise.
    pub disagree: u64,
    /// Placement lines without a counter line of their own, in logs that have both.
    pub uncounted_placements: u64,
    /// Counter lines without a placement line of their own, in logs that have both.
    pub unplaced_counts: u64,
    /// Containers that the fork removed for others.
    pub evicted: u64,
}

/// Counters of one pool.
#[derive(Debug, Default)]
struct Pool {
    cold: u64,
    warm: u64,
    maps: [HashMap<Box<str>, u64>; 2],
    has_maps: bool,
    /// The state of which it was said that it is not counted, since the last line.
    unknown: Option<StartState>,
    /// What the last line told, until its placement line comes.
    told: Option<Told>,
    /// Whether its log is still being read.
    is_open: bool,
}

/// What one line told.
#[derive(Debug, Default)]
struct Told {
    cold: u64,
    warm: u64,
    /// It is the first of its pool, so that its own start is not known.
    is_first: bool,
    /// Actions whose counts grew.
    grown: Vec<Box<str>>,
    has_maps: bool,
}

/// Follows the counters of any number of pools: each log file is one pool's, or the next of a pool whose file before it
/// has ended.
#[derive(Debug, Default)]
pub struct Counters {
    pools: Vec<Pool>,
    by_source: HashMap<usize, usize>,
    figures: CounterFigures,
    placements: u64,
}

impl Counters {
    /// What is to be said.
    pub fn figures(&self) -> CounterFigures {
        let mut figures = self.figures;
        if self.placements == 0 {
            figures.unplaced_counts = 0;
        }
        if figures.lines == 0 {
            figures.uncounted_placements = 0;
        }
        figures
    }

    /// A file has ended: the next one may go on with its counters.
    pub fn end_of(&mut self, source: usize) {
        if let Some(pool) = self.by_source.remove(&source) {
            self.pools[pool].is_open = false;
        }
    }

    /// The fork removed a container.
    pub fn evicted(&mut self) {
        self.figures.evicted += 1;
    }

    /// The fork said that it does not count this state.
    pub fn unknown_state(&mut self, source: usize, state: &str) {
        let state = StartState::ALL.into_iter().find(|known| known.name() == state);
        if let Some(pool) = self.by_source.get(&source) {
            self.pools[*pool].unknown = state;
        }
    }

    /// A counter line. `started` hears of every start that it tells.
    pub fn line(
        &mut self,
        source: usize,
        at: i64,
        line: &CounterLine<'_>,
        mut started: impl FnMut(CountedStart),
    ) {
        self.figures.lines += 1;
        self.figures.cut += u64::from(line.maps.is_none());
        self.check_sums(line);
        let (pool, is_new) = self.pool_of(source, line);
        let pool = &mut self.pools[pool];
        if pool.told.is_some() {
            self.figures.unplaced_counts += 1;
        }
        let restarted = !is_new && (line.cold < pool.cold || line.warm < pool.warm);
        if restarted {
            self.figures.restarts += 1;
            *pool = Pool { is_open: true, has_maps: true, ..Pool::default() };
        }
        // The first line of a pool that has just begun tells its own start; any other may be one of many.
        let is_first = is_new && line.cold + line.warm > 1;
        if is_first {
            self.figures.before += line.cold + line.warm;
            pool.has_maps = line.maps.is_some();
        }
        let mut told = Told { cold: line.cold - pool.cold, warm: line.warm - pool.warm, ..Told::default() };
        (pool.cold, pool.warm) = (line.cold, line.warm);
        let grown = pool.grow(line);
        told.is_first = is_first;
        told.has_maps = line.maps.is_some() && pool.has_maps;
        pool.has_maps = line.maps.is_some();
        told.grown = grown.iter().map(|(path, _, _)| path.clone()).collect();
        if !is_first {
            self.figures.cold += told.cold;
            self.figures.warm += told.warm;
            let many = told.cold + told.warm;
            self.figures.together += if many > 1 { many } else { 0 };
            if many == 0 {
                self.figures.uncounted += 1;
                started(CountedStart { at, path: None, start: pool.unknown });
            }
            tell(&told, &grown, at, &mut started);
        }
        pool.unknown = None;
        pool.told = Some(told);
    }

    /// A placement line, which follows the counter line of the same start.
    pub fn placed(&mut self, source: usize, start: &ContainerStart<'_>) {
        self.placements += 1;
        let told = self.by_source.get(&source).and_then(|pool| self.pools[*pool].told.take());
        let Some(told) = told else {
            self.figures.uncounted_placements += 1;
            return;
        };
        if told.is_first {
            return;
        }
        self.figures.checked += 1;
        let expected = (u64::from(start.state.creates()), u64::from(start.state.is_warm()));
        let is_counted = expected != (0, 0);
        let grew = |path: &str| path.rsplit('/').next() == Some(start.action);
        let agrees = (told.cold, told.warm) == expected
            && (!told.has_maps || !is_counted || told.grown.iter().any(|path| grew(path)));
        self.figures.disagree += u64::from(!agrees);
    }

    fn check_sums(&mut self, line: &CounterLine<'_>) {
        if let Some([cold, warm]) = line.maps {
            let sum = |map: super::logs::CounterMap<'_>| map.keys().map(|(_, count)| count).sum::<u64>();
            self.figures.sums_wrong += u64::from((sum(cold), sum(warm)) != (line.cold, line.warm));
        }
    }

    /// The pool that a line of this file is of, and whether it is a new one.
    fn pool_of(&mut self, source: usize, line: &CounterLine<'_>) -> (usize, bool) {
        if let Some(pool) = self.by_source.get(&source) {
            return (*pool, false);
        }
        let continues = |pool: &Pool| !pool.is_open && pool.cold <= line.cold && pool.warm <= line.warm;
        let before = self.pools.iter().rposition(continues);
        let pool = before.unwrap_or_else(|| {
            self.pools.push(Pool { has_maps: true, ..Pool::default() });
            self.pools.len() - 1
        });
        self.pools[pool].is_open = true;
        self.by_source.insert(source, pool);
        (pool, before.is_none())
    }
}

impl Pool {
    /// Takes over a line's maps. Returns which actions grew, by how many cold and warm starts.
    fn grow(&mut self, line: &CounterLine<'_>) -> Vec<(Box<str>, u64, u64)> {
        let mut grown: Vec<(Box<str>, u64, u64)> = Vec::new();
        let Some(maps) = line.maps else { return grown };
        for (which, (known, map)) in self.maps.iter_mut().zip(maps).enumerate() {
            for (key, count) in map.keys() {
                let before = match known.get_mut(key) {
                    Some(before) => std::mem::replace(before, count),
                    None => {
                        known.insert(key.into(), count);
                        0
                    }
                };
                let more = count.saturating_sub(before);
                if more > 0 {
                    let (cold, warm) = if which == 0 { (more, 0) } else { (0, more) };
                    grown.push((counter_action(key).into(), cold, warm));
                }
            }
        }
        // The order of a map is arbitrary.
        grown.sort();
        grown
    }
}

/// Tells of every start between two lines: by action where the maps say so, otherwise without one.
fn tell(told: &Told, grown: &[(Box<str>, u64, u64)], at: i64, started: &mut impl FnMut(CountedStart)) {
    let by_map = grown.iter().fold((0, 0), |(cold, warm), (_, c, w)| (cold + c, warm + w));
    let is_whole = told.has_maps && by_map == (told.cold, told.warm);
    let nameless = [(None, told.cold, told.warm)];
    let named = grown.iter().map(|(path, cold, warm)| (Some(path.clone()), *cold, *warm));
    let all: Vec<(Option<Box<str>>, u64, u64)> =
        if is_whole { named.collect() } else { nameless.into_iter().collect() };
    for (path, cold, warm) in all {
        for (start, count) in [(StartState::Cold, cold), (StartState::Warmed, warm)] {
            for _ in 0..count {
                started(CountedStart { at, path: path.clone(), start: Some(start) });
            }
        }
    }
}

#[cfg(test)]
mod tests;
