//! FaasCache's litmus workloads: a few functions called strictly periodically, which tell eviction policies
//! apart. Owns their parameters, which are those of the published ones; nothing is drawn.

use super::{Heed, Model, Preset, Wish};
use crate::memory::Memory;
use crate::time::{Span, Time};
use crate::trace::{Function, Invocations, RunTime, Trace, TraceError};

/// Called every `period_ms`, first at `phase_ms`.
pub(super) struct Called {
    name: &'static str,
    memory_mib: u64,
    period_ms: u64,
    phase_ms: u64,
}

const fn called(name: &'static str, memory_mib: u64, period_ms: u64, phase_ms: u64) -> Called {
    Called { name, memory_mib, period_ms, phase_ms }
}

/// Run times of all of them.
const COLD: Span = Span::from_ms(300);
const WARM: Span = Span::from_ms(100);

/// How long the published ones are.
const SPAN: Span = Span::from_secs(7_200);

/// A preset that calls these functions.
const fn litmus(name: &'static str, summary: &'static str, called: &'static [Called]) -> Preset {
    let source = "litmus tests of the FaasCache artifact, ASPLOS'21";
    Preset { name, summary, source, heeds: &[Heed::Span], model: Model::Litmus(called) }
}

/// Skewed frequency.
pub(super) const FREQ: Preset = litmus(
    "litmus-freq",
    "skewed frequency: one function every 200 ms, three every second, all of 250 MB",
    &[
        called("rare_1", 250, 1_000, 0),
        called("rare_2", 250, 1_000, 0),
        called("rare_3", 250, 1_000, 0),
        called("often", 250, 200, 0),
    ],
);

/// Skewed frequency, never two at once.
pub(super) const FREQ_SUB: Preset = litmus(
    "litmus-freq-sub",
    "skewed frequency, one after the other: one every 400 ms, three every 1.5 s",
    &[
        called("rare_1", 250, 1_500, 0),
        called("rare_2", 250, 1_500, 300),
        called("rare_3", 250, 1_500, 600),
        called("often", 250, 400, 50),
    ],
);

/// Cyclic.
pub(super) const LRU: Preset = litmus(
    "litmus-lru",
    "cyclic: four functions of 300 MB in turn, each every 500 ms",
    &[
        called("a", 300, 500, 0),
        called("b", 300, 500, 50),
        called("c", 300, 500, 100),
        called("d", 300, 500, 150),
    ],
);

/// Cyclic, never two at once.
pub(super) const LRU_SUB: Preset = litmus(
    "litmus-lru-sub",
    "cyclic, one after the other: four functions of 300 MB, each every second",
    &[
        called("a", 300, 1_000, 0),
        called("b", 300, 1_000, 200),
        called("c", 300, 1_000, 400),
        called("d", 300, 1_000, 600),
    ],
);

/// Skewed size.
pub(super) const SIZE: Preset = litmus(
    "litmus-size",
    "skewed size: 600 MB and 300 MB, both every 350 ms at the same instant",
    &[called("large", 600, 350, 0), called("small", 300, 350, 0)],
);

/// Gaps longer than a keep-alive of ten minutes.
pub(super) const IAT: Preset = litmus(
    "litmus-iat",
    "gaps of 11 minutes, longer than a keep-alive of ten: four functions of 250 MB",
    &[
        called("a", 250, 660_000, 0),
        called("b", 250, 660_000, 0),
        called("c", 250, 660_000, 0),
        called("d", 250, 660_000, 0),
    ],
);

/// Calls them for as long as is wished.
pub(super) fn make(name: &str, wish: &Wish, called: &[Called]) -> Result<Trace, TraceError> {
    let span = wish.span.unwrap_or(SPAN);
    if span > Span::from_secs(366 * 86_400) {
        return Err(TraceError::new(name, format!("{span} is too long")).with_help("a year is the most"));
    }
    let mut rows: Vec<(Time, u32)> = Vec::new();
    for (number, function) in (0..).zip(called) {
        let times = (0..).map(|nth: u64| Time::from_ms(function.phase_ms + nth * function.period_ms));
        rows.extend(times.take_while(|time| time.0 < span.0).map(|time| (time, number)));
    }
    // A stable sort: at the same instant, in the order of the table.
    rows.sort_by_key(|(time, _)| *time);
    let mut invocations = Invocations::with_capacity(rows.len());
    for (time, number) in rows {
        invocations.push(time, number, RunTime::ABSENT);
    }
    let functions = called.iter().map(|f| Function::new(f.name, Memory(f.memory_mib), COLD, WARM)).collect();
    Trace::new(name, functions, invocations)
}
