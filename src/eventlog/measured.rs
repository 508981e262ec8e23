//! What a platform measured while carrying out one order. Owns the names under which that is logged; must
//! never be read by the pool.

use serde::{Deserialize, Serialize};

/// Measured on the way to one fact. What does not apply is absent.
#[derive(Clone, PartialEq, Eq, Default, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Measured {
    /// What was ordered took so long, in µs: creating alone, the call to `/init` with its retries, the call to
    /// `/run`, collecting logs, freezing, thawing, removing alone.
    pub took_us: u64,
    /// Creating: then until the container's address was known, in µs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address_us: Option<u64>,
    /// Removing: thawing before that, in µs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unpause_us: Option<u64>,
    /// Creating: waiting for one of the parallel starts, in µs; fetching an image included.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub queued_us: Option<u64>,
    /// Initialising: how often the connection was refused before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refused: Option<u32>,
    /// Running: most memory the container has used so far, in bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub memory_bytes: Option<u64>,
    /// Running: processor time of the container during the run, in µs. Of a container that runs several activations at
    /// once, the time of all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cpu_us: Option<u64>,
    /// Collecting logs: bytes the action wrote, without what frames them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub log_bytes: Option<u64>,
    /// Creating: what the platform calls the container.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sandbox: Option<String>,
    /// Why it failed, in the platform's or the action's words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}
