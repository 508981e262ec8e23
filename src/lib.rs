//! faassim: how many cold starts, how much memory, how much latency has a FaaS worker?

pub mod ids;
pub mod memory;
pub mod policy;
pub mod pool;
pub mod suggest;
pub mod time;
