//! Live mode: the trace in real time against real containers, through the very pool that the simulator
//! uses. Owns real time; must never decide anything that the pool decides.
//!
//! | file | what |
//! |-|-|
//! | [`driver`] | the loop; one task owns the pool |
//! | [`clock`] | the one place where a clock is read |
//! | [`session`] | a whole run: a pool and a backend from a scenario, the log's first line, the loop |
//! | [`actions`] | what functions can run: a manifest and the code beside it |
//! | [`plan`] | which function runs what, in which image |
//! | [`load`] | when arrivals are sent, and what they ask of a machine |
//! | [`preview`] | whether this machine can carry that |
//! | [`view`] | how far a run is, on a terminal |
//! | [`backend`] | what carries out the pool's orders: each answered by exactly one fact |
//! | [`fake`] | a backend that imagines its containers, for parity with the simulator |
//! | [`platform`] | what a real backend is made of: sandboxes that start, freeze, thaw and go |
//! | [`containers`] | a backend of real containers, on any platform |
//! | [`protocol`] | `/init` and `/run` over HTTP |
//! | [`docker`] | the platform whose sandboxes are Docker containers |
//! | [`process`] | the platform without containers: python processes |
//! | [`owner`] | who started a sandbox, and whether they live |
//! | [`logs`] | what an action printed, up to the sentinels |

pub mod actions;
pub mod backend;
pub mod clock;
pub mod containers;
pub mod docker;
pub mod driver;
pub mod fake;
pub mod load;
pub mod logs;
pub mod owner;
pub mod plan;
pub mod platform;
pub mod preview;
pub mod probe;
pub mod process;
pub mod protocol;
pub mod session;
pub mod view;
