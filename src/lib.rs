//! faassim: how many cold starts, how much memory, how much latency has a FaaS worker?

pub mod memory;
pub mod time;
pub mod trace;
