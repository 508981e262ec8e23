//! From what was measured to a cost model: samples by step and function, distributions fitted to them, and how steps slow each
//! other down. Owns the statistics and the form of a costs file; must never read a log or run anything itself.
//!
//! | file | what |
//! |-|-|
//! | [`samples`] | durations by step and function |
//! | [`mod@fit`] | a distribution for each |
//! | [`contention`] | which part of a step takes a processor |
//! | [`recorded`] | the samples of a live run |
//! | [`mod@file`] | the costs file |

pub mod contention;
pub mod file;
pub mod fit;
pub mod recorded;
pub mod samples;

pub use file::{Provenance, costs_file};
pub use fit::{Fit, fit};
pub use recorded::of_recording;
pub use samples::{Cost, Samples};
