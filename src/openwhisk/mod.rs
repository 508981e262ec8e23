//! What OpenWhisk computes and writes around its pool: names, limits, hashes, log lines, classes of
//! answers. Owns pure functions, one topic per file; must never hold state or do IO. The pool itself
//! is [`crate::pool`].

pub mod arguments;
pub mod limits;
pub mod logs;
pub mod naming;
pub mod response;
pub mod sharding;
