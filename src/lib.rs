//! faassim: how many cold starts, how much memory, how much latency has a FaaS worker?
