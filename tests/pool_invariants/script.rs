//! What is drawn for a run of the whole pool: rules, functions, arrivals, how long things take, what
//! fails. Must never know what the pool does with it.

use faassim::ids::{ActionId, KindId};
use faassim::memory::Memory;
use faassim::pool::rules::{EvictionAmount, LeaseFrom, PRESETS, Reactive, Reuse, Rules, StemCell, WhenFull};
use faassim::pool::tables::FunctionSpec;
use faassim::time::Span;
use proptest::prelude::*;

/// An activation that will arrive.
#[derive(Clone, Copy, Debug)]
pub struct Arrival {
    /// Since the one before.
    pub gap: Span,
    /// Which function, modulo how many there are.
    pub function: u32,
    pub blocking: bool,
    /// The pool's memory in MiB from just before it, if that changes.
    pub resize: Option<u32>,
}

/// How long steps take.
#[derive(Clone, Copy, Debug)]
pub enum Pace {
    /// No time at all.
    Zero,
    /// A few whole ms, so that many things happen at the same instant.
    Grid,
    /// Up to seconds, to the µs.
    Broad,
}

/// In how many of a thousand cases a step fails.
#[derive(Clone, Copy, Debug, Default)]
pub struct Failures {
    pub create: u64,
    pub init: u64,
    pub run: u64,
    pub logs: u64,
    pub pause: u64,
    pub resume: u64,
    pub health: u64,
}

/// Everything that decides a run.
#[derive(Clone, Debug)]
pub struct Script {
    pub rules: Rules,
    pub memory: Memory,
    pub functions: Vec<FunctionSpec>,
    pub cells: Vec<StemCell>,
    pub arrivals: Vec<Arrival>,
    pub pace: Pace,
    pub failures: Failures,
    /// Leases to draw from.
    pub leases: Vec<Span>,
    /// In how many of a thousand cases a lease asks for a load ahead of time.
    pub load_ahead: u64,
    /// Whether a thaw is reported although the removal was ordered right after it.
    pub reports_last_thaw: bool,
    pub seed: u64,
}

fn span<const N: usize>(choices: [Span; N]) -> impl Strategy<Value = Span> {
    prop::sample::select(choices.to_vec())
}

fn knobs() -> impl Strategy<Value = Rules> {
    let pausing =
        prop_oneof![Just(None), span([Span::ZERO, Span::from_ms(50), Span::from_secs(10)]).prop_map(Some)];
    let limits = (prop_oneof![3 => Just(1_000), 1 => 0_u32..5], prop::option::of(1_u32..8), 0_u32..3);
    let checks = (
        span([Span::ZERO, Span::from_ms(5), Span::from_secs(10)]),
        span([Span::from_secs(5), Span::from_secs(60)]),
    );
    let choices = (0..PRESETS.len(), 0_u8..8, pausing, limits, checks);
    let flags = (any::<[bool; 8]>(), any::<bool>());
    (choices, flags).prop_map(|((preset, bits, pause_grace, limits, checks), (flags, resume_to_remove))| {
        let [busy_guard, overcommit, in_sum, needs_space, starts, backfill, health_check, paused] = flags;
        Rules {
            reuse: if bits & 1 == 0 { Reuse::Oldest } else { Reuse::Newest },
            eviction_amount: if bits & 2 == 0 { EvictionAmount::Whole } else { EvictionAmount::Shortfall },
            when_full: if bits == 7 { WhenFull::Drop } else { WhenFull::Wait },
            busy_guard,
            overcommit,
            buffer_limit: limits.0,
            feed_capacity: limits.1,
            pause_grace,
            lease_from: if paused { LeaseFrom::Paused } else { LeaseFrom::Idle },
            resume_to_remove,
            prewarm_in_sum: in_sum,
            prewarm_needs_space: needs_space,
            prewarm_starts: starts,
            backfill_always: backfill,
            prewarm_check_delay: checks.0,
            prewarm_check_interval: checks.1,
            prewarm_expiration_limit: limits.2,
            health_check,
            tracking: PRESETS[preset].rules.tracking,
        }
    })
}

/// All presets, as they are and with a feed and a faster check; and any mixture of knobs.
pub fn rules() -> impl Strategy<Value = Rules> {
    let preset = (0..PRESETS.len(), prop::option::of(1_u32..8)).prop_map(|(preset, feed_capacity)| Rules {
        feed_capacity,
        prewarm_check_delay: Span::from_secs(1),
        prewarm_check_interval: Span::from_secs(20),
        ..PRESETS[preset].rules.clone()
    });
    prop_oneof![1 => preset, 1 => knobs()]
}

fn memory() -> impl Strategy<Value = Memory> {
    prop_oneof![Just(Memory(128)), Just(Memory(256)), Just(Memory(384)), Just(Memory(1024))]
}

fn function() -> impl Strategy<Value = FunctionSpec> {
    let limit = prop_oneof![1 => Just(1_u16), 1 => 1_u16..=4];
    (0_u32..4, memory(), 0_u16..2, limit, any::<bool>()).prop_map(
        |(action, memory, kind, max_concurrent, logs)| FunctionSpec {
            action: ActionId(action),
            memory,
            kind: KindId(kind),
            max_concurrent,
            logs,
            cold: Span::from_ms(500),
            warm: Span::from_ms(100),
        },
    )
}

fn cell() -> impl Strategy<Value = StemCell> {
    let reactive =
        (0_u32..3, 0_u32..3, span([Span::ZERO, Span::from_ms(20), Span::from_secs(120)]), 1_u32..3);
    let reactive = reactive.prop_map(|(min_count, more, ttl, threshold)| Reactive {
        min_count,
        max_count: min_count + more,
        ttl,
        threshold,
        increment: 1,
    });
    (0_u16..2, memory(), 0_u32..3, prop::option::of(reactive)).prop_map(
        |(kind, memory, initial_count, reactive)| StemCell {
            kind: KindId(kind),
            memory,
            initial_count,
            reactive,
        },
    )
}

fn arrival() -> impl Strategy<Value = Arrival> {
    let gap = prop_oneof![
        3 => Just(Span::ZERO),
        4 => (0_u64..5).prop_map(Span::from_ms),
        2 => (0_u64..200_000).prop_map(Span),
        1 => (0_u64..40).prop_map(Span::from_secs),
    ];
    let resize = prop_oneof![9 => Just(None), 1 => (1_u32..16).prop_map(|blocks| Some(blocks * 128))];
    (gap, 0_u32..6, any::<bool>(), resize).prop_map(|(gap, function, blocking, resize)| Arrival {
        gap,
        function,
        blocking,
        resize,
    })
}

fn failures() -> impl Strategy<Value = Failures> {
    let rate = || prop_oneof![2 => Just(0_u64), 1 => Just(50), 1 => Just(300)];
    let each = (rate(), rate(), rate(), rate(), rate(), rate(), rate());
    let some = each.prop_map(|(create, init, run, logs, pause, resume, health)| Failures {
        create,
        init,
        run,
        logs,
        pause,
        resume,
        health,
    });
    prop_oneof![1 => Just(Failures::default()), 2 => some]
}

fn leases() -> impl Strategy<Value = Vec<Span>> {
    let lease = prop::sample::select(vec![
        Span::ZERO,
        Span::from_ms(1),
        Span::from_ms(50),
        Span::from_secs(2),
        Span::from_secs(20),
        Span::FOREVER,
    ]);
    prop::collection::vec(lease, 1..4)
}

/// A run under these rules.
pub fn script(rules: impl Strategy<Value = Rules>) -> impl Strategy<Value = Script> {
    let pace = prop_oneof![1 => Just(Pace::Zero), 3 => Just(Pace::Grid), 2 => Just(Pace::Broad)];
    let cells = prop_oneof![1 => Just(Vec::new()), 1 => prop::collection::vec(cell(), 1..4)];
    let world = (
        rules,
        2_u64..16,
        prop::collection::vec(function(), 1..6),
        cells,
        prop::collection::vec(arrival(), 1..60),
    );
    let load_ahead = prop_oneof![Just(0_u64), Just(300)];
    (world, pace, failures(), leases(), load_ahead, any::<bool>(), any::<u64>()).prop_map(
        |(world, pace, failures, leases, load_ahead, reports_last_thaw, seed)| Script {
            rules: world.0,
            memory: Memory(world.1 * 128),
            functions: world.2,
            cells: world.3,
            arrivals: world.4,
            pace,
            failures,
            leases,
            load_ahead,
            reports_last_thaw,
            seed,
        },
    )
}
