//! The event log of a live run: every fact the pool was told, every order it gave, and what was measured,
//! as JSON lines, written the moment it happens. Owns its schema (docs/event-log.md); must never need the platform the
//! log came from.
//!
//! | file | what |
//! |-|-|
//! | [`record`] | the lines |
//! | `measured` | what a platform measured while carrying out one order |
//! | `write`, `read` | files of them |
//! | [`replay`] | the same facts told to a fresh pool, whose orders must be the same |

mod measured;
mod read;
pub mod record;
pub mod replay;
mod write;

pub use measured::Measured;
pub use read::{Damage, Reader};
pub use record::{Header, Record};
pub use replay::{Difference, Replayed, Watcher};
pub use write::Writer;
