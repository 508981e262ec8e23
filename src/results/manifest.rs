//! What suffices to make the same results again. Owns its form; must never hold a date, a host or
//! anything else that differs between two runs of the same scenario.

use serde::Serialize;

/// The manifest of one run.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct Manifest {
    /// Version of faassim.
    pub faassim: &'static str,
    /// The command that makes the same results again, from the folder it was given in.
    pub command: String,
    /// Name of the scenario.
    pub name: String,
    /// Its seed.
    pub seed: u64,
    /// Its file, as given.
    pub scenario_file: String,
    /// What the file said.
    pub scenario: String,
    /// What `--set` changed, as given.
    pub overrides: Vec<String>,
    /// The trace that was replayed.
    pub trace: TraceId,
}

/// Which trace.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct TraceId {
    /// Where it was read from, as found from the scenario.
    pub path: String,
    /// SHA-256 of its content, however it is packed.
    pub sha256: String,
    /// Functions in it.
    pub functions: u64,
    /// Invocations in it.
    pub invocations: u64,
}
