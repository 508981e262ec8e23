//! Whole scenarios read from text. Messages as a user sees them are in `tests/messages.rs`.
