//! Smaller, shorter and busier traces out of a trace. Owns who is chosen; must never change an arrival of a
//! function that is kept, except where another rate is asked for.

use std::sync::Arc;

use super::counts::Row;
use super::error::TraceError;
use super::invocations::{Invocations, RunTime};
use super::stream::Window;
use super::{Body, Counted, Trace};
use crate::random::{splitmix, text_key};
use crate::time::{Span, Time};

/// Which functions are kept.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Cut {
    /// How many.
    pub functions: usize,
    /// Which.
    pub by: By,
    /// Of the choice.
    pub seed: u64,
}

/// How functions are chosen. Those that are never invoked are not chosen.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum By {
    /// Equally many at random from each quartile by number of invocations, as FaasCache did (ASPLOS'21,
    /// §7: REPRESENTATIVE).
    #[default]
    Representative,
    /// At random.
    Random,
    /// Those that are invoked least (FaasCache: RARE).
    Rare,
    /// Those that are invoked most.
    Top,
}

impl By {
    /// The ways by name.
    pub const NAMES: [(&'static str, By); 4] = [
        ("representative", By::Representative),
        ("random", By::Random),
        ("rare", By::Rare),
        ("top", By::Top),
    ];

    /// What it is called.
    pub fn name(self) -> &'static str {
        By::NAMES.iter().find(|(_, by)| *by == self).map_or("", |(name, _)| name)
    }
}

/// Purposes of random numbers.
const CHOICE: u64 = 0x6368_6f69_6365_0000;
const COPIES: u64 = 0x636f_7069_6573_0000;
const PLACES: u64 = 0x706c_6163_6573_0000;

impl Trace {
    /// How often each function is invoked.
    pub fn invocations_by_function(&self) -> Vec<u64> {
        let mut invoked = vec![0; self.functions.len()];
        match &self.body {
            Body::Listed(invocations) => {
                invocations.function().iter().for_each(|function| invoked[*function as usize] += 1);
            }
            Body::Counted(counted) => {
                for cell in (0..counted.counts.bins()).flat_map(|bin| counted.counts.cells(bin)) {
                    invoked[counted.rows[cell.row as usize].function as usize] += u64::from(cell.count);
                }
            }
        }
        invoked
    }

    /// Only some of the functions, with all of their invocations.
    ///
    /// # Errors
    /// There are not so many functions that are invoked.
    pub fn cut(&self, cut: Cut) -> Result<Trace, TraceError> {
        let invoked = self.invocations_by_function();
        // Ties and draws by name, so that a choice does not depend on which others there are.
        let lot =
            |number: usize| splitmix(cut.seed ^ splitmix(text_key(&self.functions[number].name) ^ CHOICE));
        let mut candidates: Vec<usize> = (0..invoked.len()).filter(|number| invoked[*number] > 0).collect();
        if cut.functions > candidates.len() || cut.functions == 0 {
            let message = format!("{} functions are invoked, {} are wanted", candidates.len(), cut.functions);
            return Err(TraceError::new(&self.name, message).with_help("ask for fewer, but at least one"));
        }
        candidates.sort_by_key(|&number| (invoked[number], lot(number)));
        let chosen: Vec<usize> = match cut.by {
            By::Rare => candidates[..cut.functions].to_vec(),
            By::Top => candidates[candidates.len() - cut.functions..].to_vec(),
            By::Random => drawn(&mut candidates, cut.functions, lot),
            By::Representative => {
                let (count, wanted) = (candidates.len(), cut.functions);
                let bound = |of: usize, quarter: usize| of * quarter / 4;
                let quotas = |quarter: usize| bound(wanted, quarter + 1) - bound(wanted, quarter);
                (0..4)
                    .flat_map(|quarter| {
                        let group = &mut candidates[bound(count, quarter)..bound(count, quarter + 1)];
                        drawn(group, quotas(quarter).min(group.len()), lot)
                    })
                    .collect()
            }
        };
        let mut kept = vec![false; invoked.len()];
        chosen.into_iter().for_each(|number| kept[number] = true);
        self.keep(&kept)
    }

    /// Only the functions marked so, with all of their invocations. `kept`: one mark for each function.
    ///
    /// # Errors
    /// None of them is invoked.
    pub fn keep(&self, kept: &[bool]) -> Result<Trace, TraceError> {
        let mut next = 0;
        let number: Vec<Option<u32>> = kept
            .iter()
            .map(|kept| {
                next += u32::from(*kept);
                kept.then(|| next - 1)
            })
            .collect();
        let functions =
            self.functions.iter().zip(kept).filter(|(_, kept)| **kept).map(|(f, _)| f.clone()).collect();
        match &self.body {
            Body::Listed(invocations) => {
                let kept = invocations.filtered(|row| number[invocations.function()[row] as usize]);
                Trace::new(&self.name, functions, kept)
            }
            Body::Counted(counted) => {
                let mut rows = Vec::new();
                let mut row_number = Vec::with_capacity(counted.rows.len());
                for row in &counted.rows {
                    let function = number[row.function as usize];
                    row_number.push(function.map(|_| rows.len() as u32));
                    rows.extend(function.map(|function| Row { function, ..row.clone() }));
                }
                let mut counts = counted.counts.clone();
                counts.renumber(&row_number);
                let expansion = counted.expansion;
                Trace::from_rows(self.name.clone(), functions, Counted { counts, rows, expansion })
            }
        }
    }

    /// Only the invocations of a window, at the instants they had; functions stay.
    ///
    /// # Errors
    /// Nothing is left, or the window cuts through a bin of a trace of counts.
    pub fn windowed(&self, window: Window) -> Result<Trace, TraceError> {
        if self.count(window) == 0 {
            return Err(TraceError::new(&self.name, "no invocation lies in the window").with_help(format!(
                "arrivals go from {} to {}",
                at(self.first()),
                at(self.last())
            )));
        }
        match &self.body {
            Body::Listed(invocations) => {
                let mut left = window.limit.unwrap_or(u64::MAX);
                let times = invocations.time();
                let kept = invocations.filtered(|row| {
                    let inside = times[row] >= window.from && times[row] < window.until && left > 0;
                    left -= u64::from(inside);
                    inside.then(|| invocations.function()[row])
                });
                Trace::new(&self.name, self.functions.clone(), kept)
            }
            Body::Counted(counted) => {
                let width = counted.counts.width();
                let whole = |time: Time| time == Time::NEVER || time.0.is_multiple_of(width.0);
                if !whole(window.from) || !whole(window.until) || window.limit.is_some() {
                    return Err(TraceError::new(&self.name, format!("holds counts per {width}")).with_help(
                        "cut it at whole bins, or write its invocations one by one first (convert --expand)",
                    ));
                }
                let bin = |time: Time| usize::try_from(time.0 / width.0).unwrap_or(usize::MAX);
                let counts = counted.counts.window(bin(window.from), bin(window.until));
                let (rows, expansion) = (counted.rows.clone(), counted.expansion);
                let counted = Counted { counts, rows, expansion };
                Trace::from_rows(self.name.clone(), self.functions.clone(), counted)
            }
        }
    }

    /// As many times as many invocations. Below 1, each is kept with that probability (counts are rounded
    /// at random); above, copies are added, each at a uniform instant between the invocation it
    /// copies and the function's next.
    ///
    /// # Errors
    /// Nothing is left, or `rate` is not above 0 and at most 1000.
    pub fn at_rate(&self, rate: f64, seed: u64) -> Result<Trace, TraceError> {
        if !(rate > 0.0 && rate <= 1_000.0) {
            return Err(TraceError::new(&self.name, format!("a rate of {rate} is not possible"))
                .with_help("give a factor above 0 and at most 1000"));
        }
        let copies = |key: u64, number: u64, of: u64| {
            let wanted = of as f64 * rate;
            let lot = splitmix(seed ^ splitmix(key ^ COPIES) ^ splitmix(number));
            wanted as u64 + u64::from(unit(lot) < wanted.fract())
        };
        match &self.body {
            Body::Listed(invocations) => self.listed_at_rate(invocations, seed, copies),
            Body::Counted(counted) => {
                let counts = counted.counts.map(|bin, cell| {
                    let key = counted.rows[cell.row as usize].key;
                    copies(key, bin as u64, u64::from(cell.count)).min(u64::from(u32::MAX)) as u32
                });
                if counts.total() == 0 {
                    return Err(TraceError::new(&self.name, "no invocation is left at that rate"));
                }
                let counted = Counted { counts, ..Counted::clone(&Arc::clone(counted)) };
                Trace::from_rows(self.name.clone(), self.functions.clone(), counted)
            }
        }
    }

    fn listed_at_rate(
        &self,
        invocations: &Invocations,
        seed: u64,
        copies: impl Fn(u64, u64, u64) -> u64,
    ) -> Result<Trace, TraceError> {
        let keys: Vec<u64> = self.functions.iter().map(|function| text_key(&function.name)).collect();
        let mut count = vec![0_u64; keys.len()];
        // From the last to the first, so that the function's next arrival is known.
        let mut next = vec![self.last(); keys.len()];
        let mut rows: Vec<(Time, u32, RunTime)> = Vec::new();
        for (row, arrival) in (0..invocations.len()).map(|row| (row, invocations.arrival(row))).rev() {
            let function = arrival.function as usize;
            let gap = next[function] - arrival.time;
            let run = invocations.duration().map_or(RunTime::ABSENT, |durations| durations[row]);
            for copy in (0..copies(keys[function], count[function], 1)).rev() {
                let lot = splitmix(
                    seed ^ splitmix(keys[function] ^ PLACES) ^ splitmix(count[function] ^ copy << 40),
                );
                let late = if copy == 0 { Span::ZERO } else { Span((unit(lot) * gap.0 as f64) as u64) };
                rows.push((arrival.time + late, arrival.function, run));
            }
            next[function] = arrival.time;
            count[function] += 1;
        }
        let mut scaled = Invocations::with_capacity(rows.len());
        for (time, function, run) in rows.into_iter().rev() {
            scaled.push(time, function, run);
        }
        if scaled.is_empty() {
            return Err(TraceError::new(&self.name, "no invocation is left at that rate"));
        }
        Trace::new(&self.name, self.functions.clone(), scaled)
    }
}

/// The first so many of a group by lot.
fn drawn(group: &mut [usize], wanted: usize, lot: impl Fn(usize) -> u64) -> Vec<usize> {
    group.sort_by_key(|number| lot(*number));
    group[..wanted].to_vec()
}

/// A fraction in [0, 1).
fn unit(lot: u64) -> f64 {
    (lot >> 11) as f64 / (1_u64 << 53) as f64
}

fn at(time: Time) -> Span {
    Span(time.0)
}
