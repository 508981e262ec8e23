//! faassim: how many cold starts, how much memory, how much latency has a FaaS worker?
//!
//! One [`pool`] decides which container serves which activation, who is evicted and how long the idle
//! stay; [`policy`] plugs into it. It is a state machine without IO or clock. A driver tells it facts
//! and carries out its orders: [`sim`] does so in virtual time, replaying a [`trace`] as a
//! [`scenario`] says. What happened is counted by [`tally`] and written by [`results`]. [`artifact`] is
//! the published FaasCache simulator, kept exact beside all this. [`elastic`] changes a pool's memory with its load, [`sweep`]
//! does all this over a grid of values, [`curve`] tells how much memory is enough. The commands are in [`cli`].
//!
//! ARCHITECTURE.md has the picture and the reasons.

pub mod artifact;
pub mod calibrate;
pub mod cli;
pub mod compare;
pub mod curve;
pub mod duration;
pub mod elastic;
pub mod error;
pub mod eventlog;
pub mod ids;
#[cfg(feature = "live")]
pub mod live;
pub mod memory;
pub mod openwhisk;
pub mod policy;
pub mod pool;
pub mod random;
pub mod results;
pub mod scenario;
pub mod schedule;
pub mod sim;
pub mod suggest;
pub mod sweep;
pub mod tally;
pub mod time;
pub mod trace;
pub mod under_way;
pub mod worker;
