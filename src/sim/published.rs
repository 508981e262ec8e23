//! From a scenario and a trace to the figures of the published FaasCache simulator. Owns the way there; must never
//! touch what that simulator decides.

use crate::artifact::{Function, InputError, Policy, Report, Simulator};
use crate::scenario::Scenario;
use crate::time::Time;
use crate::trace::Trace;

use super::{Control, ReplayError};

/// What a replay through the published simulator found out.
#[derive(Debug)]
pub struct Published {
    /// The figures.
    pub report: Report,
    /// From the first arrival to the last, in s.
    pub simulated_s: f64,
}

/// Replays a trace through the published simulator.
///
/// # Errors
/// The trace does not fit the simulator, or `control` stopped the run.
pub fn replay_published(
    scenario: &Scenario,
    policy: Policy,
    trace: &Trace,
    control: &mut impl Control,
) -> Result<Published, ReplayError> {
    let unfit = |error: InputError| ReplayError::Unfit(error.to_string());
    let functions: Vec<Function> = trace
        .functions
        .iter()
        .map(|function| Function {
            name: function.name.clone(),
            memory_mb: function.memory.mib() as f64,
            cold_ms: function.cold.as_ms_f64(),
            warm_ms: function.warm.as_ms_f64(),
        })
        .collect();
    let mut simulator = Simulator::new(&functions, policy, scenario.memory.mib() as f64).map_err(unfit)?;
    let (mut first, mut last) = (None, Time::ZERO);
    for (number, arrival) in trace.stream(scenario.trace.window).enumerate() {
        if number % 4096 == 0 && !control.proceed(number as u64, arrival.time) {
            return Err(ReplayError::Stopped);
        }
        simulator.step(arrival.function, arrival.time.as_ms_f64(), &mut ()).map_err(unfit)?;
        first.get_or_insert(arrival.time);
        last = arrival.time;
    }
    let simulated_s = (last - first.unwrap_or(last)).as_secs_f64();
    Ok(Published { report: simulator.finish(), simulated_s })
}
