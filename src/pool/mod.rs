//! The pool of a FaaS worker: which container serves which activation, who is evicted, how long the
//! idle stay, what waits. One state machine; the simulator and live mode drive the same one.
//!
//! # The contract
//!
//! * [`Pool::handle`] is told facts ([`Input`]) in order of time, and in the order of [`order`] where
//!   they are simultaneous. It tells a [`Sink`] what to do ([`Action`]) and what it saw ([`Note`]).
//! * Every action is answered by the input its documentation names, exactly once.
//! * Timers live inside: [`Pool::next_wake`] says when to send [`Input::Wake`]. Early or repeated wakes
//!   are harmless; late ones make timers late.
//! * Nothing here does IO, reads a clock, draws random numbers (the random policy has its own seeded
//!   generator) or knows whether it is simulated. Integers count; floats only rank.
//!
//! # Who does what
//!
//! ```text
//!            Input                    Message                     Message
//!  driver ──────────▶ Pool ──▶ Feed ──────────▶ Dispatcher ◀────────────────▶ Proxy (one per container)
//!         ◀──────────  │        credits         placement, eviction,          phase, init, run, logs,
//!            Action    │                        run buffer, prewarms          pause, lease, failures
//!                      └─▶ timers                 │ asks Evict                  │ asks KeepAlive
//! ```
//!
//! The dispatcher is OpenWhisk's ContainerPool, the proxy its ContainerProxy (docs/specs/openwhisk.md
//! §3–6). They hear each other through one queue, first in first out, in no time.
//!
//! # A container's life
//!
//! ```text
//!  Uninitialized ─start─▶ Starting ─created─▶ Started (prewarmed)
//!        │run                                    │run
//!        └──────────────▶ Running ◀──────────────┘
//!                          │  ▲ run          ▲ run (resume first)
//!                     idle ▼  │              │
//!                         Ready ─grace─▶ Pausing ─paused─▶ Paused
//!                          └──── lease over, evicted, failed ────▶ Removing ─▶ Stopped
//! ```

mod audit;
pub mod boundary;
pub mod dispatcher;
pub mod feed;
pub mod flight;
pub mod lease;
pub mod message;
#[expect(clippy::module_inception, reason = "the type is the module's reason to be")]
mod pool;
pub mod prewarm;
pub mod proxy;
mod proxy_failures;
mod proxy_idle;
pub mod rules;
pub mod tables;
pub mod waiting;
mod warm_path;

pub use boundary::{Action, Input, Note, Sink, order};
pub use pool::{Pool, Setup};
