//! The arrivals of a trace one after the other, whichever way it is held. Counts are expanded bin by
//! bin on a thread of their own, a little ahead of whoever asks; must never hold more than a few bins.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, sync_channel};
use std::thread::{self, JoinHandle};

use super::expand::Expander;
use super::invocations::{Arrival, Invocations};
use super::{Body, Counted, Trace};
use crate::time::Time;

/// Which part of a trace.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Window {
    /// Invocations before this are left out.
    pub from: Time,
    /// Invocations from here on are left out; [`Time::NEVER`] for none.
    pub until: Time,
    /// At most so many invocations; `None` for all.
    pub limit: Option<u64>,
}

impl Window {
    /// Everything.
    pub const ALL: Window = Window { from: Time::ZERO, until: Time::NEVER, limit: None };
}

/// How many arrivals are handed over at a time, at least.
const BATCH: usize = 1 << 15;
/// How many batches wait to be taken.
const AHEAD: usize = 2;

/// The arrivals of a window, in order.
pub struct Stream<'a> {
    held: Held<'a>,
    at: usize,
    end: usize,
    left: u64,
}

enum Held<'a> {
    Listed(&'a Invocations),
    Expanded { batch: Invocations, batches: Receiver<Invocations>, worker: Option<JoinHandle<()>> },
}

impl<'a> Stream<'a> {
    pub(super) fn new(trace: &'a Trace, window: Window) -> Stream<'a> {
        let left = trace.count(window);
        match &trace.body {
            Body::Listed(invocations) => {
                let (at, end) = range(invocations, window);
                Stream { held: Held::Listed(invocations), at, end, left }
            }
            Body::Counted(counted) => {
                let (batches, worker) = expand_ahead(Arc::clone(counted), window);
                let held = Held::Expanded { batch: Invocations::default(), batches, worker: Some(worker) };
                Stream { held, at: 0, end: 0, left }
            }
        }
    }

    /// Takes the next batch; `false` if there is none.
    #[cold]
    fn refill(&mut self) -> bool {
        let Held::Expanded { batch, batches, worker } = &mut self.held else { return false };
        let Ok(next) = batches.recv() else {
            // Its work is done, or it broke: then this is no end of the trace.
            if let Some(Err(panic)) = worker.take().map(JoinHandle::join) {
                std::panic::resume_unwind(panic);
            }
            return false;
        };
        *batch = next;
        self.at = 0;
        self.end = batch.len();
        true
    }
}

impl Iterator for Stream<'_> {
    type Item = Arrival;

    #[inline]
    fn next(&mut self) -> Option<Arrival> {
        if self.left == 0 || (self.at == self.end && !self.refill()) {
            return None;
        }
        let invocations = match &self.held {
            Held::Listed(invocations) => invocations,
            Held::Expanded { batch, .. } => batch,
        };
        let ix = self.at;
        self.at += 1;
        self.left -= 1;
        Some(invocations.arrival(ix))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let left = usize::try_from(self.left).unwrap_or(usize::MAX);
        (left, Some(left))
    }
}

impl ExactSizeIterator for Stream<'_> {}

/// Where the invocations of a window begin and end, its limit aside.
fn range(invocations: &Invocations, window: Window) -> (usize, usize) {
    let times = invocations.time();
    let at = times.partition_point(|time| *time < window.from);
    let end = times.partition_point(|time| *time < window.until).max(at);
    (at, end)
}

/// The bins that a window touches.
fn bins(counted: &Counted, window: Window) -> std::ops::Range<usize> {
    let counts = &counted.counts;
    let width = counts.width().0;
    let first = usize::try_from(window.from.0 / width).unwrap_or(usize::MAX).min(counts.bins());
    let end = usize::try_from(window.until.0.div_ceil(width)).unwrap_or(usize::MAX).min(counts.bins());
    first..end.max(first)
}

/// Whether a window cuts a bin in two.
fn cuts(counted: &Counted, bin: usize, window: Window) -> bool {
    let width = counted.counts.width().0;
    let start = bin as u64 * width;
    window.from.0 > start || window.until.0 < start + width
}

/// Expands the bins of a window on a thread of its own, which ends when nobody listens any more.
fn expand_ahead(counted: Arc<Counted>, window: Window) -> (Receiver<Invocations>, JoinHandle<()>) {
    let (sender, batches) = sync_channel(AHEAD);
    let work = move || {
        let mut expander = Expander::new(&counted.counts, &counted.rows, counted.expansion);
        let mut batch = Invocations::default();
        for bin in bins(&counted, window) {
            expander.expand(bin, &mut batch);
            if cuts(&counted, bin, window) {
                let (at, end) = range(&batch, window);
                batch = batch.slice(at, end);
            }
            if batch.len() >= BATCH && sender.send(std::mem::take(&mut batch)).is_err() {
                return;
            }
        }
        // Nobody listening is no fault: whoever asked has seen enough.
        let _ = sender.send(batch);
    };
    (batches, thread::spawn(work))
}

/// How many invocations a window has.
pub(super) fn count(body: &Body, window: Window) -> u64 {
    let all = match body {
        Body::Listed(invocations) => {
            let (at, end) = range(invocations, window);
            (end - at) as u64
        }
        Body::Counted(counted) => bins(counted, window)
            .map(|bin| {
                if !cuts(counted, bin, window) {
                    return counted.counts.in_bin(bin);
                }
                let mut part = Invocations::default();
                Expander::new(&counted.counts, &counted.rows, counted.expansion).expand(bin, &mut part);
                let (at, end) = range(&part, window);
                (end - at) as u64
            })
            .sum(),
    };
    window.limit.map_or(all, |limit| all.min(limit))
}

/// The first and the last arrival of the counts.
pub(super) fn ends(counted: &Counted) -> (Time, Time) {
    let counts = &counted.counts;
    let mut busy = (0..counts.bins()).filter(|bin| !counts.cells(*bin).is_empty());
    let first = busy.next().unwrap_or(0);
    let last = busy.next_back().unwrap_or(first);
    let expanded = |bin| {
        let mut invocations = Invocations::default();
        Expander::new(counts, &counted.rows, counted.expansion).expand(bin, &mut invocations);
        invocations
    };
    let end = |invocations: &Invocations, last: bool| {
        let times = invocations.time();
        if last { times.last().copied() } else { times.first().copied() }.unwrap_or(Time::ZERO)
    };
    (end(&expanded(first), false), end(&expanded(last), true))
}
