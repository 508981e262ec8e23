//! The pool of a FaaS worker.

pub mod boundary;
pub mod rules;
pub mod tables;
