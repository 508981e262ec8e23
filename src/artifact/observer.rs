//! What can be watched while a simulation runs: containers that leave or enter the pool other than for an invocation.
//! Observers see, they must never change the course of a simulation.

/// Why a container left the pool, or was put there ahead of an invocation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum EventKind {
    /// Evicted to make room (§3).
    Pressure,
    /// Its time to live had passed when its function was invoked (§2.5). Counts as an eviction.
    Expired,
    /// HIST threw it away on completion (§5.5). Does not count as an eviction.
    HistUnload,
    /// HIST added it ahead of an invocation (§5.3).
    PrewarmAdd,
    /// HIST would have added it but there was no room (§5.3); such a container has no priority and no past.
    PrewarmReject,
}

impl EventKind {
    /// The name used in the recorded runs.
    pub fn name(self) -> &'static str {
        match self {
            EventKind::Pressure => "pressure",
            EventKind::Expired => "ttl_purge",
            EventKind::HistUnload => "hist_unload",
            EventKind::PrewarmAdd => "prewarm_add",
            EventKind::PrewarmReject => "prewarm_reject",
        }
    }
}

/// One container, at the moment it left or entered the pool.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Event {
    /// What happened.
    pub kind: EventKind,
    /// Number of the invocation during which it happened, from 0.
    pub invocation: u64,
    /// Time of that invocation in ms.
    pub time_ms: f64,
    /// Index of the container's function.
    pub function: u32,
    /// Priority of the container in the heap.
    pub priority: f64,
    /// How many invocations the container has served.
    pub freq: u64,
    /// Start of its last invocation in ms.
    pub last_access_ms: f64,
}

/// Receives the events of a simulation, in order. The default, and `()`, ignore them at no cost.
pub trait Observer {
    /// Called once per event.
    #[inline]
    fn event(&mut self, event: &Event) {
        let _ = event;
    }
}

impl Observer for () {}
