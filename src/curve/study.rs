//! All curves of a scenario. Owns which are taken, in which order, and what is noted about them; the curves
//! themselves are found elsewhere.

use std::sync::Arc;

use rayon::prelude::*;

use super::bounds::{Bounds, Gathering};
use super::clairvoyant::{Future, Learning};
use super::copies::CopyDistances;
use super::exact::{UNLIMITED, Worker, point};
use super::mini::{miniature, spread};
use super::provision::{Answer, Precision, answer, first, least_part};
use super::reuse::{Distances, Hits};
use super::sample::{Sample, SampledDistances, Sampling};
use super::{Axis, Curve, Failure, Kind, Point, axis, percent};
use crate::memory::Memory;
use crate::policy::EvictionPolicy;
use crate::scenario::Choice;
use crate::sim::CostModel;
use crate::time::{Span, Time};
use crate::trace::{Arrival, Window};

/// What is wanted.
#[derive(Clone, Debug)]
pub struct Request {
    /// The amounts of memory; found from the trace if not given.
    pub axis: Option<Axis>,
    /// How many of them, where that is open.
    pub points: usize,
    /// Simulated eviction policies.
    pub evictions: Vec<Choice<EvictionPolicy>>,
    /// SHARDS samples.
    pub shards: Sampling,
    /// Miniature simulations, of the first of the eviction policies.
    pub mini: Sampling,
    /// How many samples of each.
    pub repeats: u64,
    /// A warm ratio in % that memory is to be found for.
    pub provision: Option<f64>,
}

/// All that was found.
#[derive(Clone, Debug)]
pub struct Study {
    /// Invocations.
    pub invocations: u64,
    /// Functions that are invoked.
    pub functions: u64,
    /// The most memory that is held if there is no limit, under the scenario's keep-alive.
    pub need: Memory,
    /// The curves.
    pub curves: Vec<Curve>,
    /// How much memory is enough, by curve; empty if nobody asked.
    pub answers: Vec<Answer>,
    /// Mean absolute difference of one SHARDS sample from `reuse-distance` in percentage points.
    pub shards_error: Option<f64>,
    /// Standard error of the miniature simulation's mean in percentage points, over its points.
    pub mini_standard_error: Option<f64>,
    /// Mean absolute difference of the miniature simulation from the simulation in percentage points.
    pub mini_error: Option<f64>,
    /// What the reader should know, a sentence each.
    pub notes: Vec<String>,
}

/// More invocations than this are not held in memory to know the future.
const MOST_KNOWN: u64 = 50_000_000;
/// How many invocations are looked at before somebody is told.
const TELL_EVERY: u64 = 1 << 14;

/// Names of curves that are always there.
const TEXTBOOK: &str = "reuse-distance";

/// Everything that is found by reading the arrivals.
struct Read {
    invoked: Vec<u64>,
    last: Time,
    textbook: Hits,
    faascache: Hits,
    shards: Vec<SampledDistances>,
    copies: Hits,
    bounds: Bounds,
    future: Option<Arc<Future>>,
}

/// Takes all curves.
///
/// # Errors
/// The scenario does not fit the trace, a sample is empty, or the study was stopped.
pub fn study(worker: &Worker<'_>, request: &Request) -> Result<Study, Failure> {
    let usual =
        request.evictions.first().ok_or_else(|| Failure::Unfit("no eviction policy is given".to_owned()))?;
    // First, since it finds out whether the scenario fits the trace.
    let unlimited = worker.run(usual, UNLIMITED)?;
    let need = Memory(unlimited.memory.peak_mib);
    let read = read(worker, request)?;
    let largest = (read.invoked.iter().zip(&worker.trace.functions))
        .filter(|(count, _)| **count > 0)
        .map(|(_, function)| function.memory)
        .max()
        .unwrap_or_default();
    let memories = match &request.axis {
        Some(axis) => axis.memories(request.points),
        None => axis::usual(largest, need, request.points),
    };
    let mut study = Study {
        invocations: unlimited.invocations,
        functions: read.bounds.compulsory(),
        need,
        curves: Vec::new(),
        answers: Vec::new(),
        shards_error: None,
        mini_standard_error: None,
        mini_error: None,
        notes: Vec::new(),
    };
    study.note_small(&memories, largest);
    study.note_unsampled(request);
    study.simulated(worker, request, &memories, &read)?;
    study.model("reuse-distance, copies", &read.copies, &memories);
    study.model(TEXTBOOK, &read.textbook, &memories);
    study.model("reuse-distance (FaasCache)", &read.faascache, &memories);
    study.estimated(worker, request, &memories, &read)?;
    let at = |memory: &Memory| Point { memory: *memory, ..point(UNLIMITED, &unlimited) };
    study.curves.push(Curve {
        name: "unlimited memory".to_owned(),
        kind: Kind::Reference,
        points: memories.iter().map(at).collect(),
        proven_from: None,
    });
    study.bounded(worker, &memories, &read.bounds);
    if let Some(warm_pct) = request.provision {
        study.answers = study.provision(worker, request, &read, warm_pct)?;
    }
    Ok(study)
}

impl Study {
    fn curve(&self, name: &str) -> Option<&Curve> {
        self.curves.iter().find(|curve| curve.name == name)
    }

    /// Memory that a function does not fit into is hardly what was meant.
    fn note_small(&mut self, memories: &[Memory], largest: Memory) {
        let small = memories.iter().filter(|memory| **memory < largest).count();
        if small > 0 {
            self.notes.push(format!(
                "{small} of the {} memory sizes are less than the largest function needs ({largest})",
                memories.len()
            ));
        }
    }

    /// Whoever does not ask for samples gets none of a few functions.
    fn note_unsampled(&mut self, request: &Request) {
        let wanted = [("--shards-rate", request.shards), ("--mini-rate", request.mini)];
        let left_out: Vec<&str> = wanted
            .into_iter()
            .filter(|(_, sampling)| *sampling == Sampling::Usual && sampling.rate(self.functions).is_none())
            .map(|(option, _)| option)
            .collect();
        if !left_out.is_empty() {
            let does = if left_out.len() == 1 { "does" } else { "do" };
            self.notes.push(format!(
                "{} invoked functions are too few to be sampled; {} {does} it nevertheless",
                self.functions,
                left_out.join(" and ")
            ));
        }
    }

    /// The eviction policies, then the one that knows the future.
    fn simulated(
        &mut self,
        worker: &Worker<'_>,
        request: &Request,
        memories: &[Memory],
        read: &Read,
    ) -> Result<(), Failure> {
        let choices: Vec<Option<&Choice<EvictionPolicy>>> = request.evictions.iter().map(Some).collect();
        let known = read.future.as_ref().map(|_| None);
        let jobs: Vec<_> = choices
            .into_iter()
            .chain(known)
            .flat_map(|choice| memories.iter().map(move |memory| (choice, *memory)))
            .collect();
        let job = |(choice, memory): (Option<&Choice<EvictionPolicy>>, Memory)| {
            let summary = match (choice, &read.future) {
                (None, Some(future)) => worker.run_knowing(future, memory)?,
                (Some(choice), _) => worker.run(choice, memory)?,
                (None, None) => return Err(Failure::Unfit("the future is not known".to_owned())),
            };
            Ok(point(memory, &summary))
        };
        let points: Vec<Point> = jobs.into_par_iter().map(job).collect::<Result<_, _>>()?;
        for (nth, points) in points.chunks(memories.len()).enumerate() {
            let (name, kind) = match request.evictions.get(nth) {
                Some(choice) => (choice.to_string(), Kind::Exact),
                None => ("clairvoyant heuristic".to_owned(), Kind::Heuristic),
            };
            self.curves.push(Curve { name, kind, points: points.to_vec(), proven_from: None });
        }
        if read.future.is_none() {
            self.notes.push("the trace is too long to know its future: no clairvoyant heuristic".to_owned());
        }
        Ok(())
    }

    fn model(&mut self, name: &str, hits: &Hits, memories: &[Memory]) {
        let mib: Vec<u64> = memories.iter().map(|memory| memory.mib()).collect();
        let all = hits.accesses();
        let point = |(memory, hits): (&Memory, u64)| Point {
            memory: *memory,
            warm_pct: percent(hits, all),
            band: None,
            cold: Some(all - hits),
            dropped: None,
        };
        let points = memories.iter().zip(hits.at(&mib)).map(point).collect();
        self.curves.push(Curve { name: name.to_owned(), kind: Kind::Model, points, proven_from: None });
    }

    /// SHARDS and miniature simulation.
    fn estimated(
        &mut self,
        worker: &Worker<'_>,
        request: &Request,
        memories: &[Memory],
        read: &Read,
    ) -> Result<(), Failure> {
        let empty = |option: &str, rate: f64| {
            let functions = self.functions;
            Failure::Unfit(format!(
                "a sample of {option} {rate} of {functions} functions has no invocations; take a higher rate"
            ))
        };
        if let Some(rate) = request.shards.rate(self.functions) {
            if read.shards.iter().any(SampledDistances::is_empty) {
                return Err(empty("--shards-rate", rate));
            }
            let mib: Vec<u64> = memories.iter().map(|memory| memory.mib()).collect();
            let sampled = read.shards.iter().flat_map(|sampled| sampled.ratios_pct(&mib, self.invocations));
            let ratios: Vec<f64> = sampled.collect();
            if let Some(exact) = self.curve(TEXTBOOK) {
                let exact: Vec<f64> = exact.points.iter().map(|point| point.warm_pct).collect();
                let off = ratios.iter().zip(exact.iter().cycle()).map(|(a, b)| (a - b).abs());
                self.shards_error = Some(off.sum::<f64>() / ratios.len() as f64);
            }
            let points = spread(memories, &ratios).points;
            let name = format!("SHARDS {}", rate_text(rate));
            self.curves.push(Curve { name, kind: Kind::Estimate, points, proven_from: None });
        }
        if let (Some(rate), Some(eviction)) = (request.mini.rate(self.functions), request.evictions.first()) {
            // A sample has fewer invocations: where the window ends is told by time.
            let until = Time(read.last.0.saturating_add(1)).min(worker.window.until);
            let window = Window { until, limit: None, ..worker.window };
            let worker = Worker { window, ..*worker };
            let empty = empty("--mini-rate", rate);
            let found = miniature(&worker, eviction, memories, (rate, request.repeats), &read.invoked)?
                .ok_or(empty)?;
            self.mini_standard_error = (request.repeats > 1).then_some(found.standard_error);
            if let Some(exact) = self.curves.first() {
                let off =
                    found.points.iter().zip(&exact.points).map(|(a, b)| (a.warm_pct - b.warm_pct).abs());
                self.mini_error = Some(off.sum::<f64>() / memories.len() as f64);
            }
            let name = format!("miniature {} {}", eviction.policy.name, rate_text(rate));
            self.curves.push(Curve { name, kind: Kind::Estimate, points: found.points, proven_from: None });
        }
        Ok(())
    }

    fn bounded(&mut self, worker: &Worker<'_>, memories: &[Memory], bounds: &Bounds) {
        let all = self.invocations;
        let bound = |memory: &Memory, cold: u64| Point {
            memory: *memory,
            warm_pct: percent(all - cold, all),
            band: None,
            cold: Some(cold),
            dropped: None,
        };
        let compulsory = memories.iter().map(|memory| bound(memory, bounds.compulsory())).collect();
        let by_memory_time =
            memories.iter().map(|memory| bound(memory, all - bounds.most_warm(*memory))).collect();
        let doubt = |memory: &Memory| bounds.doubt(worker.setup, *memory);
        // Who fits at once does so with more memory, too.
        let proven_from = memories.iter().copied().find(|memory| doubt(memory).is_none());
        if let Some(why) = memories.first().and_then(doubt) {
            let below = proven_from.map_or_else(String::new, |memory| format!("below {memory} "));
            self.notes.push(format!(
                "{below}the memory-time bound holds only for runs in which nobody waits, nothing is loaded \
                 ahead and the pool keeps to its memory: {why}"
            ));
        }
        for (name, kind, points, proven_from) in [
            ("bound: compulsory", Kind::Bound, compulsory, None),
            ("bound: memory-time", Kind::ConditionalBound, by_memory_time, proven_from),
        ] {
            self.curves.push(Curve { name: name.to_owned(), kind, points, proven_from });
        }
    }

    /// How much memory each curve says is enough.
    fn provision(
        &self,
        worker: &Worker<'_>,
        request: &Request,
        read: &Read,
        warm_pct: f64,
    ) -> Result<Vec<Answer>, Failure> {
        let answered = |(nth, curve): (usize, &Curve)| {
            let reached = match (first(curve, warm_pct), request.evictions.get(nth)) {
                (None, _) => None,
                // Already the least on the axis.
                (Some(0), _) => Some((curve.points[0], Precision::Axis)),
                (Some(at), Some(eviction)) => {
                    let (below, enough) = (curve.points[at - 1].memory, curve.points[at]);
                    Some((worker.least(eviction, below, enough, warm_pct)?, Precision::Refined))
                }
                (Some(at), None) => Some((curve.points[at], Precision::Axis)),
            };
            Ok(answer(curve, exactly(curve, read, warm_pct).or(reached)))
        };
        let asked = self.curves.iter().enumerate().filter(|(_, curve)| {
            // Of what does not depend on memory there is nothing to ask.
            curve.kind != Kind::Reference && curve.name != "bound: compulsory"
        });
        asked.collect::<Vec<_>>().into_par_iter().map(answered).collect()
    }
}

/// The least memory of a curve that is known to the MiB.
fn exactly(curve: &Curve, read: &Read, warm_pct: f64) -> Option<(Point, Precision)> {
    let at = |memory, part, all| {
        let warm_pct = percent(part, all);
        Some((Point { memory, warm_pct, band: None, cold: None, dropped: None }, Precision::Exact))
    };
    let hits = match curve.name.as_str() {
        TEXTBOOK => &read.textbook,
        "reuse-distance (FaasCache)" => &read.faascache,
        "reuse-distance, copies" => &read.copies,
        "bound: memory-time" => {
            let all: u64 = read.invoked.iter().sum();
            let memory = read.bounds.least_memory(least_part(warm_pct, all))?;
            return at(memory, read.bounds.most_warm(memory), all);
        }
        _ => return None,
    };
    let mib = hits.least(least_part(warm_pct, hits.accesses()))?;
    at(Memory(mib), hits.at(&[mib])[0], hits.accesses())
}

/// A rate as `10 %`.
fn rate_text(rate: f64) -> String {
    // Without the noise of binary fractions.
    format!("{} %", (rate * 1e8).round() / 1e6)
}

/// Reads the arrivals, in two or three passes side by side.
fn read(worker: &Worker<'_>, request: &Request) -> Result<Read, Failure> {
    let (seed, setup, functions) = (worker.scenario.seed, worker.setup, &worker.trace.functions);
    let costs = CostModel::new(seed, &setup.costs, &setup.failures, functions).map_err(Failure::Unfit)?;
    let run = |number: u64, arrival: &Arrival| costs.run(arrival.function, number, arrival.duration);
    let (reuse, rest) = rayon::join(
        || read_reuse(worker, request),
        || rayon::join(|| read_copies(worker, run), || read_bounds(worker, &costs, run)),
    );
    let ((invoked, last, textbook, faascache, shards), copies, (bounds, future)) = (reuse?, rest.0?, rest.1?);
    Ok(Read { invoked, last, textbook, faascache, shards, copies, bounds, future })
}

/// Calls `each` with the number and every arrival.
fn every(worker: &Worker<'_>, mut each: impl FnMut(u64, &Arrival)) -> Result<(), Failure> {
    for (number, arrival) in (0..).zip(worker.trace.stream(worker.window)) {
        if number % TELL_EVERY == 0 && !worker.watch.proceed(if number == 0 { 0 } else { TELL_EVERY }) {
            return Err(Failure::Stopped);
        }
        each(number, &arrival);
    }
    Ok(())
}

/// How often each function is invoked, when the last invocation arrives, the textbook's curve, FaasCache's,
/// samples.
type Reuse = (Vec<u64>, Time, Hits, Hits, Vec<SampledDistances>);

fn read_reuse(worker: &Worker<'_>, request: &Request) -> Result<Reuse, Failure> {
    let functions = &worker.trace.functions;
    let mut shards: Vec<SampledDistances> = match request.shards.rate(functions.len() as u64) {
        Some(rate) => {
            (0..request.repeats).map(|salt| SampledDistances::new(Sample { rate, salt }, functions)).collect()
        }
        None => Vec::new(),
    };
    let (mut textbook, mut faascache) = (Hits::default(), Hits::default());
    let (mut invoked, mut last, mut distances) = (vec![0; functions.len()], Time::ZERO, Distances::new());
    every(worker, |_, arrival| {
        let ix = arrival.function as usize;
        let mib = functions[ix].memory.mib();
        match distances.access(ix, mib) {
            Some(distance) => {
                textbook.hit(distance + mib);
                faascache.hit(distance);
            }
            None => textbook.miss(),
        }
        shards.iter_mut().for_each(|sampled| sampled.access(arrival.function, mib));
        invoked[ix] += 1;
        last = arrival.time;
    })?;
    Ok((invoked, last, textbook, faascache, shards))
}

fn read_copies(worker: &Worker<'_>, run: impl Fn(u64, &Arrival) -> Span) -> Result<Hits, Failure> {
    let functions = &worker.trace.functions;
    let mut copies = CopyDistances::new(functions.len());
    every(worker, |number, arrival| {
        copies.arrive(arrival, &functions[arrival.function as usize], run(number, arrival));
    })?;
    Ok(copies.finish())
}

fn read_bounds(
    worker: &Worker<'_>,
    costs: &CostModel,
    run: impl Fn(u64, &Arrival) -> Span,
) -> Result<(Bounds, Option<Arc<Future>>), Failure> {
    let functions = &worker.trace.functions;
    let mut gathering = Gathering::new(functions, costs);
    let known = worker.trace.count(worker.window) <= MOST_KNOWN;
    let mut learning = known.then(|| Learning::new(functions.len()));
    every(worker, |number, arrival| {
        gathering.arrive(arrival);
        if let Some(learning) = &mut learning {
            learning.arrive(arrival.time, arrival.function, run(number, arrival));
        }
    })?;
    Ok((gathering.finish(), learning.map(|learning| Arc::new(learning.finish()))))
}
