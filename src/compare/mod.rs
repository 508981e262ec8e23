//! Two records of what became of invocations, held against each other: a simulation, a live run, a log of OpenWhisk, a measured
//! trace. Owns every figure of the comparison; must never print, write or run containers.
//!
//! | file | what |
//! |-|-|
//! | [`side`] | one record: its invocations, and what it knows beyond them |

pub mod divergence;
pub mod pool_view;
pub mod side;
mod substituted;

pub use side::{Class, Invocation, Side, SideKind};
