//! What a real backend is made of: sandboxes that are created, frozen, thawed and removed, with a server in them that
//! speaks OpenWhisk's runtime protocol. Owns the contract; `docker` and `process` keep it. Must never know the pool or
//! the protocol.

use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use super::logs::RunLogs;

/// A sandbox to be created: a container in OpenWhisk's words (docs/specs/openwhisk.md §15).
#[derive(Clone, PartialEq, Debug)]
pub struct SandboxSpec {
    /// Its name, unique on this machine: letters, digits, `_`, `.` and `-`.
    pub name: String,
    /// Image of the runtime, where the platform has images.
    pub image: String,
    /// Memory limit in MiB; the same for memory and swap together.
    pub memory_mib: u32,
    /// `--cpu-shares`.
    pub cpu_shares: u32,
    /// `--cpus`, if limited.
    pub cpus: Option<f64>,
    /// Environment of the server.
    pub env: Vec<(String, String)>,
}

/// A sandbox that was started. Its server need not listen yet.
#[derive(Debug)]
pub struct Started<S> {
    /// To address it by.
    pub sandbox: S,
    /// Where its server listens, or will.
    pub address: SocketAddr,
    /// What it prints, from the first byte on; filled by the platform.
    pub logs: Arc<RunLogs>,
    /// What the platform calls it, for people: name or id.
    pub id: String,
    /// Waiting for one of the parallel starts and for the image.
    pub queued: Duration,
    /// Creating and starting.
    pub create: Duration,
    /// Then until the address was known.
    pub found: Duration,
}

/// Why a sandbox could not be started.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct StartFault {
    /// The image is the user's own and is at fault (missing, no such executable), not the platform
    /// (docs/specs/openwhisk.md §15).
    pub user_image: bool,
    /// In words, with what to do about it.
    pub message: String,
}

/// Something that could not be done, in words.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Fault(pub String);

/// What a sandbox has used so far.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Usage {
    /// Most memory at once, in bytes.
    pub peak_memory_bytes: u64,
    /// Processor time in µs.
    pub cpu_us: u64,
}

/// What became of a sandbox whose server does not answer any more.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Fate {
    /// It is still there.
    Alive,
    /// It was killed because it used more memory than it may.
    OutOfMemory,
    /// It ended by itself, or was removed by somebody.
    Ended,
}

/// A platform. Every call has its own time limit (docs/specs/openwhisk.md §15) and ends; dropping a call
/// half-way leaks nothing that [`Platform::sweep`] does not find.
pub trait Platform: Send + Sync + 'static {
    /// What it addresses a sandbox by.
    type Sandbox: Send + Sync + 'static;

    /// In one word or two, as in `docker 20.10.24`.
    fn describe(&self) -> String;

    /// Creates and starts a sandbox; what could not be started is removed again.
    fn create(
        &self,
        spec: SandboxSpec,
    ) -> impl Future<Output = Result<Started<Self::Sandbox>, StartFault>> + Send;

    /// Freezes it.
    fn pause(&self, sandbox: &Self::Sandbox) -> impl Future<Output = Result<(), Fault>> + Send;

    /// Thaws it.
    fn resume(&self, sandbox: &Self::Sandbox) -> impl Future<Output = Result<(), Fault>> + Send;

    /// Kills and removes it, frozen or not. One that is gone already is no fault.
    fn remove(&self, sandbox: &Self::Sandbox) -> impl Future<Output = Result<(), Fault>> + Send;

    /// What it has used so far, if that can be told cheaply.
    fn usage(&self, sandbox: &Self::Sandbox) -> impl Future<Output = Option<Usage>> + Send;

    /// What became of it (polled for up to 2 s where an out-of-memory kill may not have been noted yet).
    fn fate(&self, sandbox: &Self::Sandbox) -> impl Future<Output = Fate> + Send;

    /// Removes what is left of this run; what was still there by name, and what could not be removed.
    fn sweep(&self) -> impl Future<Output = Swept> + Send;
}

/// What was left of a run.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Swept {
    /// Removed now: what it was and its name, as in `container c1` or `network n1`.
    pub removed: Vec<String>,
    /// Could not be removed, and why.
    pub failed: Vec<String>,
    /// Empty husks that the platform itself holds on to until it is started anew.
    pub stuck: Vec<String>,
}
