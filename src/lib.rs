//! faassim: how many cold starts, how much memory, how much latency has a FaaS worker?

pub mod cli;
pub mod error;
pub mod ids;
pub mod memory;
pub mod policy;
pub mod pool;
pub mod scenario;
pub mod suggest;
pub mod time;
