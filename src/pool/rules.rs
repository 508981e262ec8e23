//! The rules in which real platforms differ, as one struct of knobs with presets. Owns their
//! meaning and their sources; which container goes first and how long it stays is policy, not rules.

use crate::memory::Memory;
use crate::time::Span;

/// What a worker does, apart from its policies. Start from a preset and change what differs.
#[derive(Clone, PartialEq, Debug)]
pub struct Rules {
    /// Which of several idle warm containers of a function is reused. OpenWhisk takes any ("map
    /// order", §5.2 step 2).
    pub reuse: Reuse,
    /// Refuse to place anything while busy containers plus the new one exceed the memory
    /// (fork of 2020, §8.4 step 1; upstream until January 2021).
    pub busy_guard: bool,
    /// How much idle memory an eviction aims at (§5.3).
    pub eviction_amount: EvictionAmount,
    /// Evict what there is, up to the amount, and create the container even if it still does not
    /// fit (§5.3: the target is capped by the free pool and space is not checked again). Off: evict
    /// only if that makes enough room.
    pub overcommit: bool,
    /// What happens to an activation that cannot be placed.
    pub when_full: WhenFull,
    /// Most activations that may wait in the run buffer; beyond it they are refused.
    pub buffer_limit: u32,
    /// Most activations handed to the pool and not yet credited back (§7); `None`: no limit.
    pub feed_capacity: Option<u32>,
    /// Idle time after which a container is paused (`timeouts.pause-grace`, §2); `None`: never.
    pub pause_grace: Option<Span>,
    /// From when a keep-alive lease counts (§4.1: OpenWhisk counts from the moment of being paused).
    pub lease_from: LeaseFrom,
    /// A paused container is thawed before it is removed, and its end is announced as "reschedule
    /// job", which gives no credit and does not serve the run buffer (§4.1, §5.4). Off: it is removed
    /// at once, and whenever a container leaves, what waits is tried.
    pub resume_to_remove: bool,
    /// Prewarmed containers count as used memory, and are started only if there is room (§5.1);
    /// off in the fork of 2020 (§8.4).
    pub prewarm_in_sum: bool,
    /// A prewarm is taken only if the action's memory would still fit beside busy and free
    /// containers (fork of 2020, §8.4 step 3).
    pub prewarm_needs_space: bool,
    /// Prewarms are really started; off in the fork of 2021, where they reserve memory for ever (§8.4).
    pub prewarm_starts: bool,
    /// Missing prewarms are replaced after every removal, not only where the container asks for it
    /// (fork of 2020, §8.4).
    pub backfill_always: bool,
    /// First periodic prewarm check after this long (`prewarm-expiration-check-init-delay`, §2).
    pub prewarm_check_delay: Span,
    /// Period of the check (`prewarm-expiration-check-interval`, §2). OpenWhisk adds up to 10 s drawn
    /// once at start; write the sum here if you want it.
    pub prewarm_check_interval: Span,
    /// Most expired prewarms removed per check (`prewarm-expiration-limit`, §2).
    pub prewarm_expiration_limit: u32,
    /// Prewarmed containers are pinged (`action-health-check.enabled`, §2).
    pub health_check: bool,
    /// How invocations and times are counted for policies that weigh them.
    pub tracking: Tracking,
}

/// How frequencies and run times are learnt (docs/specs/openwhisk.md §8.1–8.3).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Tracking {
    /// By how much one invocation raises the frequency. The fork counts each twice (§8.2).
    pub invocation_weight: u32,
    /// Where cold and warm times come from.
    pub times: Times,
    /// The frequency of an action is forgotten with its last container (§8.3; also FaasCache,
    /// ASPLOS'21, §4.1). The policy `faascache` forgets its observed times with it, as the fork does.
    pub forget: bool,
}

/// Where a policy takes a function's cold and warm times from.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Times {
    /// Known beforehand from the trace or the scenario's costs, on average (textbook).
    Declared,
    /// The largest seen so far, from dispatch to the end of log collection (§8.2).
    ObservedMax,
    /// The mean of those seen so far.
    ObservedMean,
}

/// Which idle warm container of a function is reused.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Reuse {
    /// The one that became free first.
    Oldest,
    /// The one that became free last, so that the others age and can go.
    Newest,
}

/// How much idle memory an eviction aims at.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum EvictionAmount {
    /// The whole memory of the new container, whatever is free already (§5.3).
    Whole,
    /// Only what is missing.
    Shortfall,
}

/// What happens to an activation that cannot be placed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum WhenFull {
    /// It waits in the run buffer, first come first served, and so does everything behind it (§5.5).
    Wait,
    /// It is dropped, as in the FaasCache simulator.
    Drop,
}

/// From when a keep-alive lease counts.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum LeaseFrom {
    /// From the end of the last activation.
    Idle,
    /// From the moment of being paused.
    Paused,
}

/// Stem cells: containers of one kind and memory kept ready without code (docs/specs/openwhisk.md §6).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct StemCell {
    /// Their runtime.
    pub kind: crate::ids::KindId,
    /// Their memory.
    pub memory: Memory,
    /// How many are started at first, and kept where there is no reactive part.
    pub initial_count: u32,
    /// Follow demand.
    pub reactive: Option<Reactive>,
}

/// Reactive prewarming (docs/specs/openwhisk.md §2, §6).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Reactive {
    /// Never fewer.
    pub min_count: u32,
    /// Never more.
    pub max_count: u32,
    /// How long one may wait unused.
    pub ttl: Span,
    /// Cold starts per step …
    pub threshold: u32,
    /// … and containers per step.
    pub increment: u32,
}

impl Reactive {
    /// How many containers `cold_starts` since the last check call for (§6, step 4b).
    pub fn target(&self, cold_starts: u32) -> u32 {
        let steps = cold_starts / self.threshold.max(1);
        self.min_count.max(steps.saturating_mul(self.increment)).min(self.max_count)
    }
}

impl Rules {
    /// Apache OpenWhisk as of 2026 (docs/specs/openwhisk.md §4–6).
    pub const OPENWHISK: Rules = Rules {
        reuse: Reuse::Oldest,
        busy_guard: false,
        eviction_amount: EvictionAmount::Whole,
        overcommit: true,
        when_full: WhenFull::Wait,
        buffer_limit: 1_000_000,
        feed_capacity: None,
        pause_grace: Some(Span::from_secs(10)),
        lease_from: LeaseFrom::Paused,
        resume_to_remove: true,
        prewarm_in_sum: true,
        prewarm_needs_space: false,
        prewarm_starts: true,
        backfill_always: false,
        prewarm_check_delay: Span::from_mins(10),
        prewarm_check_interval: Span::from_mins(10),
        prewarm_expiration_limit: 100,
        health_check: false,
        tracking: Tracking { invocation_weight: 1, times: Times::ObservedMax, forget: true },
    };

    /// The FaasCache fork at 38ff898 of December 2020 (§8.4).
    pub const FAASCACHE: Rules = Rules {
        busy_guard: true,
        pause_grace: Some(Span::from_ms(50)),
        prewarm_in_sum: false,
        prewarm_needs_space: true,
        backfill_always: true,
        tracking: Tracking { invocation_weight: 2, times: Times::ObservedMax, forget: true },
        ..Rules::OPENWHISK
    };

    /// The last commit of the fork, 3b8a26f of September 2021 (§8.4).
    pub const FAASCACHE_HEAD: Rules = Rules {
        busy_guard: false,
        prewarm_in_sum: true,
        prewarm_needs_space: false,
        prewarm_starts: false,
        backfill_always: false,
        ..Rules::FAASCACHE
    };

    /// The textbook model: evict only the shortfall and never in vain, timers to the microsecond, no
    /// pausing, known costs.
    pub const IDEAL: Rules = Rules {
        reuse: Reuse::Newest,
        eviction_amount: EvictionAmount::Shortfall,
        overcommit: false,
        pause_grace: None,
        lease_from: LeaseFrom::Idle,
        resume_to_remove: false,
        tracking: Tracking { invocation_weight: 1, times: Times::Declared, forget: true },
        ..Rules::OPENWHISK
    };
}

/// A preset: its name, what it stands for, its rules and the policies that go with it.
#[derive(Debug)]
pub struct Preset {
    /// As written in a scenario.
    pub name: &'static str,
    /// One line.
    pub summary: &'static str,
    /// The knobs.
    pub rules: Rules,
    /// Eviction policy unless the scenario names one.
    pub eviction: &'static str,
    /// Fixed keep-alive unless the scenario names one.
    pub keep: Span,
}

/// All presets, in the order of the documentation.
pub const PRESETS: &[Preset] = &[
    Preset {
        name: "openwhisk",
        summary: "Apache OpenWhisk today: LRU by dispatch time, idle timeout 10 min after pausing",
        rules: Rules::OPENWHISK,
        eviction: "lru",
        keep: Span::from_mins(10),
    },
    Preset {
        name: "faascache",
        summary: "the FaasCache fork of 2020: Greedy-Dual per action, no idle timeout",
        rules: Rules::FAASCACHE,
        eviction: "faascache",
        keep: Span::FOREVER,
    },
    Preset {
        name: "faascache-head",
        summary: "the FaasCache fork's last commit (2021): upstream placement, prewarms never ready",
        rules: Rules::FAASCACHE_HEAD,
        eviction: "faascache",
        keep: Span::FOREVER,
    },
    Preset {
        name: "ideal",
        summary: "the textbook model: evict only the shortfall, never in vain, exact timers",
        rules: Rules::IDEAL,
        eviction: "greedy-dual",
        keep: Span::from_mins(10),
    },
];
