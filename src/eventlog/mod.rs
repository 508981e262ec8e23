//! The event log of a live run: every fact the pool was told, every order it gave, and what was measured,
//! as JSON lines, written the moment it happens. Owns its schema (docs/event-log.md); must never need the platform the
//! log came from.

mod measured;

pub use measured::Measured;
