//! What no policy can do better: lower bounds on starts that are not warm. Owns the bounds, their proofs and
//! under which rules they hold; must never claim what is not proven here.
//!
//! **Compulsory.** The first activation of a function that is served cannot be warm, whatever the rules:
//! containers are made on demand, and a keep-alive policy that loads ahead loads only functions that it has
//! seen go idle. So at least one start per function that is served is not warm, for every pool, memory and
//! policy.
//!
//! **Memory-time.** A warm start needs a container that was kept idle since an earlier activation of its
//! function ended, and kept containers need memory, of which there is `memory × time`. Between the first
//! arrival and the last, in a pool that makes containers on demand, never holds more than its memory, and
//! serves an activation when it arrives or not at all, k warm starts need
//!
//! ```text
//! idle(k) + busy(k) ≤ memory · (last arrival − first arrival)
//!
//! busy(k)  the sum of the k smallest values of  memory of the function · warm run time
//! idle(k)  the sum of the k smallest values of  memory of the function · gap,
//!          gaps as in an endless pool (`copies`) in which every run is warm
//! ```
//!
//! so the greatest k that satisfies it is the most warm starts there can be.
//!
//! *Proof.* Take any run of such a pool and its k warm starts. Let π(i) be the activation that the container
//! of the warm start i served before; no two i share one. π(i) arrived before i, was served at once for at
//! least its (warm) run time r, and was over before i arrived: so its *release* `arrival + r` is no later
//! than the arrival of i. From that release to the arrival of i the container holds its memory m, and from
//! the arrival of i for its run time again; these spans do not overlap within a container. (If π(i) was cold
//! or slow, a part of the span was not idle; memory was held all the same.) So Σ m·(arrival of i − release of
//! π(i)) + Σ m·r ≤ memory · time. The second sum is at least busy(k). The first is the cost of a matching of
//! k releases with k later arrivals of the same function on the line of time, where a pair costs its distance
//! times m. Of one function, the cheapest matchings are found by taking, again and again, the nearest
//! release–arrival pair that is left (shortest augmenting paths on a line: no path that gives a pair up is
//! ever cheaper, since costs do not fall). Such a pair has nothing unmatched in between, so it is a pair of
//! the matching that gives every arrival the latest release not yet taken, and taking it away leaves that
//! matching as it was: the cheapest k pairs of the latest-release matching, which is what an endless pool
//! that reuses the container freed last does, are a cheapest matching of size k. Its marginal costs do not
//! fall, so over all functions the cheapest is the sum of the k smallest. Activations that are dropped only
//! take pairs away. ∎
//!
//! The gaps number as many as an endless pool has warm starts, so the bound contains that one too:
//! activations that run at the same time cannot share a container. Activations of functions whose containers
//! run several at once are taken as free of cost.
//!
//! **Waiting.** A pool that lets activations wait breaks the premise "when it arrives or not at all": two
//! activations that arrive together can share a container one after the other. But it makes nobody wait while
//! everything under way fits into its memory, even if every start is cold. From that memory on
//! ([`Bounds::serves_at_once_from`]) the bound holds under waiting rules as well; below, it holds for every
//! run in which nobody waited. Spans are summed up in buckets, rounded down: the bound is weaker by less than
//! 1 % of memory for it.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};

use super::copies::EndlessPool;
use crate::memory::Memory;
use crate::pool::rules::WhenFull;
use crate::scenario::{Failures, PoolSetup};
use crate::sim::CostModel;
use crate::time::{Span, Time};
use crate::trace::{Arrival, Function};

/// Memory held, times how long: MiB · µs.
type MemoryTime = u128;

fn held(memory: Memory, span: Span) -> MemoryTime {
    u128::from(memory.mib()) * u128::from(span.0)
}

/// Many values, of which the sum of the smallest is wanted. Kept in buckets that are less than 1 % wide.
#[derive(Clone, Debug, Default)]
struct Smallest {
    /// How many, and their sum.
    buckets: BTreeMap<u32, (u64, MemoryTime)>,
    count: u64,
}

/// Buckets per power of two, as a power of two.
const FINE: u32 = 7;

impl Smallest {
    fn add(&mut self, value: MemoryTime) {
        let shift = (u128::BITS - value.leading_zeros()).saturating_sub(FINE + 1);
        let bucket = (shift << FINE) + (value >> shift) as u32;
        let (count, sum) = self.buckets.entry(bucket).or_default();
        *count += 1;
        *sum += value;
        self.count += 1;
    }

    /// At most the sum of the `k` smallest: of a bucket that is taken in part, each counts as the least it
    /// may hold.
    fn sum(&self, k: u64) -> MemoryTime {
        let (mut left, mut total) = (k, 0);
        for (bucket, (count, sum)) in &self.buckets {
            if left >= *count {
                total += sum;
                left -= count;
            } else {
                // Below 2^(FINE + 1) a bucket is a value; beyond, its number has the shift in front.
                let shift = (bucket >> FINE).saturating_sub(1);
                let least = MemoryTime::from(bucket - (shift << FINE)) << shift;
                total += least * MemoryTime::from(left);
                break;
            }
        }
        total
    }
}

/// The bounds of a trace.
#[derive(Debug)]
pub struct Bounds {
    invocations: u64,
    functions: u64,
    gaps: Smallest,
    runs: Smallest,
    length: Span,
    /// With this much memory or more, nothing that is under way lacks room even if every start is cold, so
    /// rules that let activations wait do not; `None` if some step has no upper limit.
    pub serves_at_once_from: Option<Memory>,
}

/// Gathers what the bounds need from arrivals in the order of time.
pub struct Gathering<'a> {
    functions: &'a [Function],
    costs: &'a CostModel,
    pool: EndlessPool,
    seen: Vec<bool>,
    bounds: Bounds,
    first: Option<Time>,
    last: Time,
    /// Runs, to be cut at the last arrival.
    running: BinaryHeap<Reverse<(Time, Time, u64)>>,
    /// Ends of what is under way if every start is cold, with its memory.
    under_way: BinaryHeap<Reverse<(Time, u64)>>,
    under_way_mib: u64,
    most_mib: Option<u64>,
}

impl<'a> Gathering<'a> {
    /// For a trace's functions, and what running them takes.
    pub fn new(functions: &'a [Function], costs: &'a CostModel) -> Gathering<'a> {
        Gathering {
            functions,
            costs,
            pool: EndlessPool::new(functions.len()),
            seen: vec![false; functions.len()],
            bounds: Bounds {
                invocations: 0,
                functions: 0,
                gaps: Smallest::default(),
                runs: Smallest::default(),
                length: Span::ZERO,
                serves_at_once_from: None,
            },
            first: None,
            last: Time::ZERO,
            running: BinaryHeap::new(),
            under_way: BinaryHeap::new(),
            under_way_mib: 0,
            most_mib: Some(0),
        }
    }

    /// An activation arrives.
    pub fn arrive(&mut self, arrival: &Arrival) {
        let ix = arrival.function as usize;
        let (function, number) = (&self.functions[ix], self.bounds.invocations);
        self.first.get_or_insert(arrival.time);
        self.last = arrival.time;
        self.bounds.invocations += 1;
        let new = !std::mem::replace(&mut self.seen[ix], true);
        self.bounds.functions += u64::from(new);
        self.stay(arrival, function.memory, number);
        let least = self.costs.shortest_run(arrival.function, number, arrival.duration);
        if function.max_concurrent > 1 {
            // It may join the one before: nothing is known but that somebody was there before it.
            if !new {
                self.bounds.gaps.add(0);
            }
            self.bounds.runs.add(0);
            return;
        }
        let served = self.pool.serve(arrival.time, arrival.function, least);
        if let Some((since, _)) = served.before {
            self.bounds.gaps.add(held(function.memory, arrival.time - since));
        }
        self.running.push(Reverse((arrival.time + least, arrival.time, function.memory.mib())));
        self.settle(arrival.time);
    }

    /// What is over by `now` was not cut by the end.
    fn settle(&mut self, now: Time) {
        while let Some(Reverse((until, from, mib))) = self.running.peek().copied()
            && until <= now
        {
            self.running.pop();
            self.bounds.runs.add(held(Memory(mib), until - from));
        }
    }

    /// Counts what is under way if every start is cold.
    fn stay(&mut self, arrival: &Arrival, memory: Memory, number: u64) {
        let Some(longest) = self.costs.longest(arrival.function, number, arrival.duration) else {
            self.most_mib = None;
            return;
        };
        while let Some(Reverse((until, mib))) = self.under_way.peek().copied()
            && until <= arrival.time
        {
            self.under_way.pop();
            self.under_way_mib -= mib;
        }
        self.under_way.push(Reverse((arrival.time + longest, memory.mib())));
        self.under_way_mib += memory.mib();
        self.most_mib = self.most_mib.map(|most| most.max(self.under_way_mib));
    }

    /// The bounds, when all have arrived.
    pub fn finish(mut self) -> Bounds {
        let last = self.last;
        for Reverse((_, from, mib)) in std::mem::take(&mut self.running) {
            self.bounds.runs.add(held(Memory(mib), last - from));
        }
        self.bounds.length = last - self.first.unwrap_or(last);
        self.bounds.serves_at_once_from = self.most_mib.map(Memory);
        self.bounds
    }
}

impl Bounds {
    /// The least number of starts that are not warm in any pool that serves every function.
    pub fn compulsory(&self) -> u64 {
        self.functions
    }

    /// The most warm starts there can be with so much memory, by memory-time.
    pub fn most_warm(&self, memory: Memory) -> u64 {
        let budget = held(memory, self.length);
        let fits = |k: u64| self.gaps.sum(k) + self.runs.sum(k) <= budget;
        // Between what fits and what does not; more than there are gaps is never possible.
        let (mut low, mut high) = (0, self.gaps.count + 1);
        while high - low > 1 {
            let middle = low + (high - low) / 2;
            if fits(middle) { low = middle } else { high = middle }
        }
        low
    }

    /// The least memory with which so many warm starts are not ruled out; `None` if they are with any.
    pub fn least_memory(&self, warm: u64) -> Option<Memory> {
        if warm > self.gaps.count {
            return None;
        }
        let needed = self.gaps.sum(warm) + self.runs.sum(warm);
        let mib = needed.div_ceil(u128::from(self.length.0.max(1)));
        Some(Memory(u64::try_from(mib).unwrap_or(u64::MAX)))
    }

    /// Why the memory-time bound is no bound for a pool with this memory under these rules, as the rest of a
    /// sentence; `None` if it is one.
    pub fn doubt(&self, setup: &PoolSetup, memory: Memory) -> Option<&'static str> {
        // Policies that load nothing ahead; of one that is not known here nothing is claimed.
        let on_demand = ["fixed", "ski-rental"].contains(&setup.keep_alive.policy.name);
        let rules = &setup.rules;
        if !on_demand {
            return Some("the keep-alive loads containers ahead of their invocations");
        }
        if rules.overcommit {
            return Some("the rules let the pool hold more than its memory (rules.overcommit)");
        }
        if !rules.prewarm_in_sum && !setup.stem_cells.is_empty() {
            return Some("prewarmed containers do not count as memory (rules.prewarm-in-sum)");
        }
        // Nothing is handed back by a container, so whoever is placed is placed for good.
        let plain =
            setup.failures == Failures::default() && rules.feed_capacity.is_none() && !rules.resume_to_remove;
        let drops = rules.when_full == WhenFull::Drop;
        let roomy = self.serves_at_once_from.is_some_and(|least| memory >= least)
            && setup.stem_cells.is_empty()
            && rules.pause_grace.is_none();
        (!(plain && (drops || roomy))).then_some("activations may wait for room")
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::copies::Served;
    use super::*;

    #[test]
    fn sums_of_the_smallest_are_rounded_down_by_less_than_a_percent() {
        let values: Vec<MemoryTime> = (0..500).map(|nth: u128| nth * nth * nth * 977 + nth).collect();
        let mut smallest = Smallest::default();
        values.iter().rev().for_each(|value| smallest.add(*value));
        let mut exact = 0;
        for (k, value) in (0..).zip(&values) {
            let sum = smallest.sum(k);
            assert!(sum <= exact && sum as f64 >= 0.99 * exact as f64, "{k}: {sum} of {exact}");
            exact += value;
        }
        assert_eq!(smallest.sum(500), exact);
    }

    /// The cheapest matching of `k` releases with later arrivals, by trying all; arrivals and run times
    /// given.
    fn cheapest(calls: &[(u64, u64)], k: usize) -> Option<u64> {
        fn go(calls: &[(u64, u64)], at: usize, taken: &mut Vec<bool>, k: usize) -> Option<u64> {
            if k == 0 {
                return Some(0);
            }
            if at == calls.len() {
                return None;
            }
            let mut best = go(calls, at + 1, taken, k);
            for before in 0..at {
                let release = calls[before].0 + calls[before].1;
                if !taken[before] && release <= calls[at].0 {
                    taken[before] = true;
                    let rest = go(calls, at + 1, taken, k - 1).map(|rest| rest + calls[at].0 - release);
                    taken[before] = false;
                    best = best.into_iter().chain(rest).min();
                }
            }
            best
        }
        go(calls, 0, &mut vec![false; calls.len()], k)
    }

    proptest! {
        #![proptest_config(ProptestConfig {
            cases: 150,
            failure_persistence: None,
            ..ProptestConfig::default()
        })]

        /// The step of the proof on which all depends.
        #[test]
        fn the_gaps_of_an_endless_pool_are_a_cheapest_matching(
            gaps in prop::collection::vec((0_u64..12, 0_u64..20), 1..8),
        ) {
            let mut now = 0;
            let calls: Vec<(u64, u64)> = gaps.iter().map(|(gap, run)| { now += gap; (now, *run) }).collect();
            let mut pool = EndlessPool::new(1);
            let served = calls.iter().map(|(at, run)| (*at, pool.serve(Time(*at), 0, Span(*run))));
            let gap = |(at, served): (u64, Served)| Some(at - served.before?.0.0);
            let mut gaps: Vec<u64> = served.filter_map(gap).collect();
            gaps.sort_unstable();
            for k in 0..=calls.len() {
                let expected = (k <= gaps.len()).then(|| gaps[..k].iter().sum::<u64>());
                prop_assert_eq!(cheapest(&calls, k), expected, "{} of {:?}", k, calls);
            }
        }
    }
}
