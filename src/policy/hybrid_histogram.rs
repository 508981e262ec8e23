//! `hybrid-histogram`: per function, learn how long it is idle; unload it when that is worth it, load
//! it again shortly before it is expected, and keep it until it is no longer.
//!
//! ```text
//! idle time = next arrival − end of the last execution        in bins of one minute, up to `range`
//! head = 5th percentile, rounded down to a bin;  tail = 99th, rounded up       (nearest rank)
//! pre-warming window = 0.9 · head
//! keep-alive window  = 1.1 · tail − pre-warming window        from the end of the pre-warming window
//! ```
//!
//! Source: Shahrad, Fonseca, Goiri, Chaudhry, Batum, Cooke, Laureano, Tresness, Russinovich &
//! Bianchini, "Serverless in the wild", USENIX ATC'20, §4.2 (policy) and §4.3 (parameters). Must never
//! know the future: a window is decided when a container has nothing to do, from the idle times before
//! it.
//!
//! * **Standard keep-alive** (no unloading, `range` from the end of the execution) holds while the
//!   histogram says nothing: fewer than `min-samples` idle times, or a coefficient of variation of the
//!   bin counts (their standard deviation over their mean) below `cv`. The paper has no number for "too
//!   few"; a single idle time has a huge coefficient, so there must be one.
//! * **No unloading** if the head rounds down to 0: keep for 1.1 · tail.
//! * **Time series**: if more than `out-of-bounds` of the idle times are beyond the range, the paper
//!   fits an ARIMA model. Here the forecast is the mean of the last 8 idle times (counted from the
//!   first one beyond the range on), with the paper's margin of 15 %: load after 0.85 · forecast, keep
//!   for 0.3 · forecast. ARIMA finds trends and periods that a mean does not; both answer "about as
//!   long as lately".
//! * **Several containers of a function**: there is one histogram per function. An execution ends when
//!   any container of it has nothing left to do; an arrival while none has since the last arrival (so
//!   executions overlap) counts as idle time 0. Each container gets the same windows, from its own end.
//!   The paper does this per application with one image; here functions are what is loaded.
//! * **A container loaded ahead** that runs nothing does not end an execution; its lease is the
//!   keep-alive window.
//! * **Complexity**: O(1) per arrival and lease (moving cursors for the percentiles, a running sum of
//!   squares for the coefficient); 4 bytes per bin for a function with at least two invocations.

use super::{KeepAlive, KeepAlivePolicy, Lease, Param, Params};
use crate::ids::{FunctionId, Slot};
use crate::pool::tables::Tables;
use crate::time::{Span, Time};

/// The registry's line.
pub const POLICY: KeepAlivePolicy = KeepAlivePolicy {
    name: "hybrid-histogram",
    summary: "learn idle times per function; unload, and load again before the next invocation",
    source: "Shahrad et al., USENIX ATC'20, §4.2-4.3",
    params: &[
        Param {
            name: "range",
            default: "4 h",
            help: "longest idle time in the histogram, 1 min to 7 d; 4 h in the paper",
        },
        Param {
            name: "head",
            default: "0.05",
            help: "percentile that starts the pre-warming, 0 to 1; 0.05 in the paper",
        },
        Param {
            name: "tail",
            default: "0.99",
            help: "percentile that ends the keep-alive, 0 to 1; 0.99 in the paper",
        },
        Param {
            name: "margin",
            default: "0.1",
            help: "earlier pre-warming, longer keep-alive, 0 to 1; 0.1 in the paper",
        },
        Param {
            name: "cv",
            default: "2",
            help: "least coefficient of variation of the bin counts for a pattern; 2 in the paper",
        },
        Param {
            name: "out-of-bounds",
            default: "0.5",
            help: "share of idle times beyond the range, 0 to 1, above which they are forecast instead",
        },
        Param {
            name: "min-samples",
            default: "5",
            help: "fewest idle times to go by, at least 1; ours, the paper gives no number",
        },
    ],
    make: |params, _| Box::new(HybridHistogram::new(Settings::read(params))),
};

/// Width of a bin (§4.2).
const BIN: Span = Span::from_mins(1);
/// Idle times that a forecast is made of.
const RECENT: usize = 8;
/// Margin around a forecast (§4.2).
const FORECAST_MARGIN: f64 = 0.15;
const NONE: u32 = u32::MAX;

#[derive(Clone, Copy, Debug)]
struct Settings {
    range: Span,
    head: f64,
    tail: f64,
    margin: f64,
    cv: f64,
    out_of_bounds: f64,
    min_samples: u32,
}

impl Settings {
    fn read(params: &mut Params<'_>) -> Settings {
        let settings = Settings {
            range: params.span_within("range", BIN, Span::from_mins(7 * 24 * 60)),
            head: params.fraction("head"),
            tail: params.fraction("tail"),
            margin: params.fraction("margin"),
            cv: params.number("cv"),
            out_of_bounds: params.fraction("out-of-bounds"),
            min_samples: params.count("min-samples"),
        };
        if settings.tail < settings.head {
            params.refuse("tail", format!("must not be below `head`, which is {}", settings.head));
        }
        settings
    }

    fn bins(&self) -> usize {
        self.range.0.div_ceil(BIN.0) as usize
    }
}

/// Where a percentile is: in `bin`, which holds `inside` idle times, the bins before it `below`.
#[derive(Clone, Copy, Default, Debug)]
struct Cursor {
    bin: u32,
    inside: u32,
    below: u32,
}

impl Cursor {
    /// Makes up for one more idle time in `bin`.
    fn added(&mut self, bin: u32) {
        self.below += u32::from(bin < self.bin);
        self.inside += u32::from(bin == self.bin);
    }

    /// Moves to the bin of the idle time that is the `rank`th smallest.
    fn settle(&mut self, counts: &[u32], rank: u32) {
        while self.below >= rank {
            self.bin -= 1;
            self.inside = counts[self.bin as usize];
            self.below -= self.inside;
        }
        while self.below + self.inside < rank {
            self.below += self.inside;
            self.bin += 1;
            self.inside = counts[self.bin as usize];
        }
    }
}

/// What is known of a function.
#[derive(Clone, Copy, Debug)]
struct Pattern {
    /// End of its last execution; `NEVER`: there is none since its last arrival.
    idle_since: Time,
    /// Sum of the squares of the bin counts.
    squares: u64,
    /// Idle times within the range …
    within: u32,
    /// … and beyond it.
    beyond: u32,
    head: Cursor,
    tail: Cursor,
    /// Its histogram; `NONE`: not yet.
    histogram: u32,
    /// Its recent idle times; `NONE`: not yet.
    recent: u32,
    arrived: bool,
}

const UNKNOWN: Pattern = Pattern {
    idle_since: Time::NEVER,
    squares: 0,
    within: 0,
    beyond: 0,
    head: Cursor { bin: 0, inside: 0, below: 0 },
    tail: Cursor { bin: 0, inside: 0, below: 0 },
    histogram: NONE,
    recent: NONE,
    arrived: false,
};

const _: () = assert!(size_of::<Pattern>() == 64, "a pattern is a cache line");

/// The last idle times of a function, oldest overwritten first.
#[derive(Clone, Copy, Default, Debug)]
struct Recent {
    spans: [Span; RECENT],
    seen: u32,
}

impl Recent {
    fn add(&mut self, span: Span) {
        self.spans[self.seen as usize % RECENT] = span;
        // Ever on within the second round, so that it cannot overflow.
        self.seen = if self.seen as usize + 1 == 2 * RECENT { RECENT as u32 } else { self.seen + 1 };
    }

    fn mean_ms(&self) -> f64 {
        let filled = (self.seen as usize).clamp(1, RECENT);
        self.spans[..filled].iter().map(|span| span.as_ms_f64()).sum::<f64>() / filled as f64
    }
}

/// The two windows (§4.2).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Windows {
    /// From the end of an execution until a container is loaded again; zero: it is not unloaded.
    prewarm: Span,
    /// How long a container stays from then on.
    keep: Span,
}

#[derive(Debug)]
struct HybridHistogram {
    settings: Settings,
    patterns: Vec<Pattern>,
    /// Bin counts, one histogram after the other.
    counts: Vec<u32>,
    recents: Vec<Recent>,
}

impl HybridHistogram {
    fn new(settings: Settings) -> HybridHistogram {
        HybridHistogram { settings, patterns: Vec::new(), counts: Vec::new(), recents: Vec::new() }
    }

    fn pattern(&mut self, function: FunctionId) -> &mut Pattern {
        if self.patterns.len() <= function.ix() {
            self.patterns.resize(function.ix() + 1, UNKNOWN);
        }
        &mut self.patterns[function.ix()]
    }

    fn learn(&mut self, function: FunctionId, idle: Span) {
        let pattern = &mut self.patterns[function.ix()];
        if pattern.within.saturating_add(pattern.beyond) == u32::MAX {
            return;
        }
        if idle < self.settings.range {
            let bins = self.settings.bins();
            if pattern.histogram == NONE {
                pattern.histogram = (self.counts.len() / bins) as u32;
                self.counts.resize(self.counts.len() + bins, 0);
            }
            let counts = &mut self.counts[pattern.histogram as usize * bins..][..bins];
            let bin = (idle.0 / BIN.0) as u32;
            let count = &mut counts[bin as usize];
            pattern.squares += 2 * u64::from(*count) + 1;
            *count += 1;
            pattern.within += 1;
            for (cursor, percentile) in
                [(&mut pattern.head, self.settings.head), (&mut pattern.tail, self.settings.tail)]
            {
                cursor.added(bin);
                cursor.settle(counts, rank(percentile, pattern.within));
            }
        } else {
            pattern.beyond += 1;
            if pattern.recent == NONE {
                pattern.recent = self.recents.len() as u32;
                self.recents.push(Recent::default());
            }
        }
        if pattern.recent != NONE {
            self.recents[pattern.recent as usize].add(idle);
        }
    }

    fn windows(&self, function: FunctionId) -> Windows {
        let standard = Windows { prewarm: Span::ZERO, keep: self.settings.range };
        let Some(pattern) = self.patterns.get(function.ix()) else { return standard };
        let Settings { margin, cv, out_of_bounds, min_samples, .. } = self.settings;
        let samples = pattern.within + pattern.beyond;
        if samples < min_samples {
            return standard;
        }
        if pattern.recent != NONE && f64::from(pattern.beyond) > out_of_bounds * f64::from(samples) {
            let forecast_ms = self.recents[pattern.recent as usize].mean_ms();
            return Windows {
                prewarm: Span::from_ms_f64((1.0 - FORECAST_MARGIN) * forecast_ms),
                keep: Span::from_ms_f64(2.0 * FORECAST_MARGIN * forecast_ms),
            };
        }
        if !varies(pattern, self.settings.bins(), cv) {
            return standard;
        }
        let prewarm = scale(u64::from(pattern.head.bin), 1.0 - margin);
        let end = scale(u64::from(pattern.tail.bin) + 1, 1.0 + margin);
        Windows { prewarm, keep: end.saturating_sub(prewarm) }
    }
}

/// The rank of a percentile among `total` values, from 1 (nearest rank).
fn rank(percentile: f64, total: u32) -> u32 {
    ((percentile * f64::from(total)).ceil() as u32).clamp(1, total)
}

/// Whether the coefficient of variation of the bin counts is at least `cv`: with n idle times in b
/// bins their mean is n/b and their variance (sum of squares)/b − (n/b)².
fn varies(pattern: &Pattern, bins: usize, cv: f64) -> bool {
    let n = f64::from(pattern.within);
    n > 0.0 && pattern.squares as f64 * bins as f64 >= (1.0 + cv * cv) * n * n
}

/// So many bins, times `factor`.
fn scale(bins: u64, factor: f64) -> Span {
    Span::from_ms_f64(Span(bins * BIN.0).as_ms_f64() * factor)
}

impl KeepAlive for HybridHistogram {
    fn on_arrival(&mut self, now: Time, function: FunctionId) {
        let pattern = self.pattern(function);
        let idle_since = std::mem::replace(&mut pattern.idle_since, Time::NEVER);
        if std::mem::replace(&mut pattern.arrived, true) {
            self.learn(function, now.since(idle_since));
        }
    }

    fn on_idle(&mut self, now: Time, function: FunctionId) {
        self.pattern(function).idle_since = now;
    }

    fn lease(&mut self, _now: Time, tables: &Tables, slot: Slot, loaded_ahead: bool) -> Lease {
        let function = tables.function_of(slot);
        let Windows { prewarm, keep } = self.windows(function);
        if prewarm > Span::ZERO && !loaded_ahead {
            Lease { keep: Span::ZERO, load_after: Some(prewarm) }
        } else {
            Lease::keep(keep)
        }
    }
}

#[cfg(test)]
mod tests;
