//! The event log of a live run: every fact the pool was told, every order it gave, and what was measured,
//! as JSON lines, written the moment it happens. Owns its schema (docs/event-log.md); must never need the platform the
//! log came from.
//!
//! | file | what |
//! |-|-|
//! | [`record`] | the lines |
//! | `measured` | what a platform measured while carrying out one order |
//! | `write`, `read` | files of them |
//! | [`phases`] | what was measured, by phase and by invocation |
//! | [`steps`] | every order that takes time, until its answer |
//! | `rebuild` | from a log to the figures of its run |
//! | [`replay`] | the same facts told to a fresh pool, whose orders must be the same |

mod measured;
pub mod phases;
mod read;
mod rebuild;
pub mod record;
pub mod replay;
pub mod steps;
mod write;

pub use measured::Measured;
pub use phases::{PhaseFigures, Phases};
pub use read::{Damage, Reader};
pub use rebuild::{Rebuilt, rebuild};
pub use record::{Header, Record};
pub use replay::{Difference, Replayed, Watcher};
pub use write::Writer;
