//! From a checked scenario and a trace to figures. Owns how both become a pool, a cost model and a
//! queue; must never print or write.

use crate::curve::copies::CopyDistances;
use crate::elastic::{Controller, Elastic};
use crate::memory::Memory;
use crate::policy::Evict;
use crate::pool::Pool;
use crate::pool::boundary::StartState;
use crate::scenario::{PoolSetup, Scenario};
use crate::suggest::nearest;
use crate::tally::{FunctionFigures, MemorySample, Observer, Quantiles, Rows, Summary, Tally};
use crate::time::{Span, Time};
use crate::trace::{Arrival, Function, Trace};
use crate::worker::{self, WorkerFunction};

use super::{Answers, Control, CostModel, End, EventQueue, Machine, Stopped, Wheel, simulate};

/// Everything a replay found out.
#[derive(Debug)]
pub struct Replay {
    /// The figures.
    pub summary: Summary,
    /// By function, in the order of the trace.
    pub functions: Vec<FunctionFigures>,
    /// Memory over time.
    pub memory: Vec<MemorySample>,
    /// Response times by start state.
    pub responses: Vec<(StartState, Quantiles)>,
    /// By invocation, if the scenario asked for it.
    pub rows: Option<Rows>,
}

/// Why there is no result.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum ReplayError {
    /// Stopped from outside.
    Stopped,
    /// The scenario does not fit the trace; the text says how.
    Unfit(String),
}

/// Replays a trace through the pool that a scenario describes.
///
/// # Errors
/// The scenario does not fit the trace, or `control` stopped the run.
pub fn replay(
    scenario: &Scenario,
    setup: &PoolSetup,
    trace: &Trace,
    control: &mut dyn Control,
) -> Result<Replay, ReplayError> {
    let mut queue = Wheel::new(mean_gap(trace));
    let output = &scenario.output;
    let mut tally =
        Tally::new(trace.functions.len(), scenario.memory, output.memory_every, output.invocations);
    let end = replay_with(scenario, setup, trace, &mut queue, &mut tally, control)?;
    let names: Vec<String> = trace.functions.iter().map(|function| function.name.clone()).collect();
    Ok(Replay {
        summary: tally.summary(&names, end.at, end.unserved),
        functions: tally.function_figures(&names, |ix| trace.functions[ix].memory),
        memory: tally.memory_samples().to_vec(),
        responses: tally.responses(),
        rows: tally.take_rows(),
    })
}

/// The same with a queue and an observer of the caller's choice.
///
/// # Errors
/// As [`replay`].
pub fn replay_with(
    scenario: &Scenario,
    setup: &PoolSetup,
    trace: &Trace,
    queue: &mut impl EventQueue,
    observer: &mut impl Observer,
    control: &mut (impl Control + ?Sized),
) -> Result<End, ReplayError> {
    let arrivals = trace.stream(scenario.trace.window);
    replay_arrivals(scenario, setup, trace, arrivals, queue, observer, control)
}

/// The same with arrivals of the caller's choice, all of the trace's functions.
///
/// # Errors
/// As [`replay`].
pub fn replay_arrivals(
    scenario: &Scenario,
    setup: &PoolSetup,
    trace: &Trace,
    arrivals: impl Iterator<Item = Arrival>,
    queue: &mut impl EventQueue,
    observer: &mut impl Observer,
    control: &mut (impl Control + ?Sized),
) -> Result<End, ReplayError> {
    check_fit(setup, trace).map_err(ReplayError::Unfit)?;
    let costs = CostModel::new(scenario.seed, &setup.costs, &setup.failures, &trace.functions)
        .map_err(ReplayError::Unfit)?;
    let mut pool = make_pool(scenario.seed, scenario.memory, setup, trace, &costs);
    if trace.count(scenario.trace.window) == 0 {
        return Err(ReplayError::Unfit(
            "no invocation of the trace lies between `from` and `until`".to_owned(),
        ));
    }
    let scaling = match scenario.elastic {
        Some(elastic) => Some(controller(elastic, scenario, trace, &costs, control)?),
        None => None,
    };
    let machine = Machine { imagined: Answers::new(&costs), contention: setup.costs.contention };
    simulate(&mut pool, scaling, arrivals, machine, queue, observer, control)
        .map_err(|Stopped| ReplayError::Stopped)
}

/// The controller of an elastic pool, with the trace's own reuse-distance curve, copies on their own.
///
/// # Errors
/// Stopped by `control`.
pub fn controller(
    elastic: Elastic,
    scenario: &Scenario,
    trace: &Trace,
    costs: &CostModel,
    control: &mut (impl Control + ?Sized),
) -> Result<Controller, ReplayError> {
    // Nothing is gained by a pool in which some function never fits.
    let fits = |function: &&Function| function.memory <= elastic.most;
    let largest = trace.functions.iter().filter(fits).map(|function| function.memory).max();
    let elastic = Elastic { least: elastic.least.max(largest.unwrap_or_default()), ..elastic };
    let mut copies = CopyDistances::new(trace.functions.len());
    for (number, arrival) in (0_u64..).zip(trace.stream(scenario.trace.window)) {
        if number.is_multiple_of(1 << 14) && !control.proceed(0, Time::ZERO) {
            return Err(ReplayError::Stopped);
        }
        let run = costs.run(arrival.function, number, arrival.duration);
        copies.arrive(&arrival, &trace.functions[arrival.function as usize], run);
    }
    Ok(Controller::new(elastic, scenario.memory, copies.finish()))
}

/// Whether a scenario fits a trace, as far as names go.
///
/// # Errors
/// What does not, in words.
pub fn check_fit(setup: &PoolSetup, trace: &Trace) -> Result<(), String> {
    check_kinds(setup, trace)?;
    check_cost_names(setup, trace)
}

/// Costs that are set for a function the trace does not have would silently do nothing.
fn check_cost_names(setup: &PoolSetup, trace: &Trace) -> Result<(), String> {
    let names = || trace.functions.iter().map(|function| function.name.as_str());
    let costs = &setup.costs;
    let mut own = costs.functions.keys().filter(|name| !costs.foreign.contains(*name));
    match own.find(|name| !names().any(|known| known == name.as_str())) {
        None => Ok(()),
        Some(name) => Err(format!(
            "[costs.functions.{name}]: the trace has no function `{name}`{}",
            nearest(name, names()).map_or_else(String::new, |near| format!("; did you mean `{near}`?"))
        )),
    }
}

/// Kinds are numbered in 16 bits.
fn check_kinds(setup: &PoolSetup, trace: &Trace) -> Result<(), String> {
    let mut kinds: Vec<&str> = trace.functions.iter().map(|function| function.kind.as_str()).collect();
    kinds.extend(setup.stem_cells.iter().map(|cell| cell.kind.as_str()));
    kinds.sort_unstable();
    kinds.dedup();
    match kinds.len() {
        0..=65_535 => Ok(()),
        many => Err(format!("the trace has {many} kinds; at most 65535 are told apart")),
    }
}

/// The pool of a scenario for the functions of a trace.
pub fn make_pool(seed: u64, memory: Memory, setup: &PoolSetup, trace: &Trace, costs: &CostModel) -> Pool {
    make_pool_with(seed, memory, setup, trace, costs, worker::make_evict(seed, memory, setup))
}

/// The same with an eviction policy of the caller's choice.
pub fn make_pool_with(
    seed: u64,
    memory: Memory,
    setup: &PoolSetup,
    trace: &Trace,
    costs: &CostModel,
    evict: Box<dyn Evict>,
) -> Pool {
    worker::make_pool(seed, memory, setup, &worker_functions(trace, costs), evict)
}

/// The functions of a trace as a pool sees them.
pub fn worker_functions(trace: &Trace, costs: &CostModel) -> Vec<WorkerFunction> {
    let all = trace.functions.iter().zip(0..);
    all.map(|(function, ix)| {
        let (cold, warm) = costs.expected(ix);
        WorkerFunction {
            name: function.name.clone(),
            memory_mib: function.memory.mib(),
            kind: function.kind.clone(),
            max_concurrent: function.max_concurrent,
            logs: costs.collects_logs(ix),
            cold_us: cold.0,
            warm_us: warm.0,
        }
    })
    .collect()
}

/// Mean time between arrivals, by which the fast queue is dimensioned.
pub fn mean_gap(trace: &Trace) -> Span {
    Span(trace.span().0 / trace.len() as u64)
}
