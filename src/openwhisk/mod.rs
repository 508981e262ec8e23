//! What OpenWhisk computes and writes around its pool: names, limits, hashes, log lines, classes of
//! answers. Owns pure functions, one topic per file, and the reading of OpenWhisk's logs; must never decide anything:
//! the pool itself is [`crate::pool`].
//!
//! | file | what of a log |
//! |-|-|
//! | [`logs`] | one line |
//! | [`reading`] | the lines of any number of files, in order of time |
//! | [`joining`] | which lines belong to one activation |
//! | [`phases`] | an activation with its phases; samples for a cost model |
//! | [`counted`] | the counters of the FaasCache fork |
//! | [`digest`] | all figures of a log |
//! | [`side`] | a log as a side of a comparison |

pub mod arguments;
pub mod counted;
pub mod digest;
pub mod joining;
pub mod limits;
pub mod logs;
pub mod naming;
pub mod phases;
pub mod reading;
pub mod response;
pub mod sharding;
pub mod side;
