//! Live mode: the trace in real time against real containers, through the very pool that the simulator
//! uses. Owns real time; must never decide anything that the pool decides.
//!
//! | file | what |
//! |-|-|
//! | [`backend`] | what carries out the pool's orders: each answered by exactly one fact |
//! | [`platform`] | what a real backend is made of: sandboxes that start, freeze, thaw and go |
//! | [`logs`] | what an action printed, up to the sentinels |

pub mod backend;
pub mod logs;
pub mod platform;
