//! From a checked scenario and the functions of a workload to a pool. Owns how kinds are numbered and what a pool is
//! told of a function; every driver makes its pool here, so that the same scenario is the same pool. Must never
//! know where the functions come from.

use serde::{Deserialize, Serialize};

use crate::ids::{ActionId, KindId};
use crate::memory::Memory;
use crate::policy::Evict;
use crate::policy::registry::Making;
use crate::pool::rules::StemCell;
use crate::pool::tables::FunctionSpec;
use crate::pool::{Pool, Setup};
use crate::scenario::PoolSetup;
use crate::time::Span;

/// A function as a pool sees it. Functions are told apart by name, so each is an action of its own, invoked
/// from its own namespace.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WorkerFunction {
    /// Its name.
    pub name: String,
    /// Memory of a container.
    pub memory_mib: u64,
    /// Runtime, by name.
    pub kind: String,
    /// Activations that a container runs at once.
    pub max_concurrent: u16,
    /// Whether logs are collected after a run.
    pub logs: bool,
    /// What a cold invocation takes, as a policy may know beforehand.
    pub cold_us: u64,
    /// What a warm one takes.
    pub warm_us: u64,
}

/// The pool of a scenario for these functions, evicting by `evict`.
pub fn make_pool(
    seed: u64,
    memory: Memory,
    setup: &PoolSetup,
    functions: &[WorkerFunction],
    evict: Box<dyn Evict>,
) -> Pool {
    let kinds = kinds(setup, functions);
    let kind = |name: &str| KindId(kinds.iter().position(|known| *known == name).unwrap_or_default() as u16);
    let specs = functions.iter().zip(0..).map(|(function, ix)| FunctionSpec {
        action: ActionId(ix),
        memory: Memory(function.memory_mib),
        kind: kind(&function.kind),
        max_concurrent: function.max_concurrent,
        logs: function.logs,
        cold: Span(function.cold_us),
        warm: Span(function.warm_us),
    });
    let stem_cells = setup.stem_cells.iter().map(|cell| StemCell {
        kind: kind(&cell.kind),
        memory: cell.memory,
        initial_count: cell.initial_count,
        reactive: cell.reactive,
    });
    Pool::new(Setup {
        evict,
        keep_alive: setup.keep_alive.make(making(seed, memory, setup)),
        rules: setup.rules.clone(),
        memory,
        functions: specs.collect(),
        stem_cells: stem_cells.collect(),
    })
}

/// The eviction policy of a scenario.
pub fn make_evict(seed: u64, memory: Memory, setup: &PoolSetup) -> Box<dyn Evict> {
    setup.eviction.make(making(seed, memory, setup))
}

fn making(seed: u64, memory: Memory, setup: &PoolSetup) -> Making {
    Making { seed, tracking: setup.rules.tracking, capacity_mib: memory.mib() }
}

/// The kinds by number: those of the functions in their order, then those that only prewarms have.
pub fn kinds<'a>(setup: &'a PoolSetup, functions: &'a [WorkerFunction]) -> Vec<&'a str> {
    let mut kinds: Vec<&str> = Vec::new();
    let of_functions = functions.iter().map(|function| function.kind.as_str());
    for name in of_functions.chain(setup.stem_cells.iter().map(|cell| cell.kind.as_str())) {
        if !kinds.contains(&name) {
            kinds.push(name);
        }
    }
    kinds
}
