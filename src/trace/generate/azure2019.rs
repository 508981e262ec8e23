//! Days like those of Azure Functions 2019: a model calibrated on what is published of them. Owns what a synthetic
//! function is; the figures are in `tables`, the steps in a file each. The comparison, line by line, is in
//! docs/traces.md.
//!
//! Apps get their number of functions and their invocations by quantile, so that small traces are as representative
//! as large ones; triggers are dealt out so that functions and invocations of each are as published; functions are
//! periodic (timers), steady (following the day) or bursty; each function's minutes are drawn from its own
//! generator. The total is exact.

mod apps;
mod curve;
mod members;
mod minutes;
mod run_times;
mod tables;

/// How large, how long, which draw.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct AzureDay {
    /// Functions, all of which are invoked.
    pub functions: u32,
    /// Invocations, exactly.
    pub invocations: u64,
    /// Days.
    pub days: u32,
    /// Of everything drawn.
    pub seed: u64,
}

/// What invokes a function.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Trigger {
    Http,
    Timer,
    Queue,
    Orchestration,
    Event,
    Storage,
    Others,
}

impl Trigger {
    pub const ALL: [Trigger; 7] = [
        Trigger::Http,
        Trigger::Timer,
        Trigger::Queue,
        Trigger::Orchestration,
        Trigger::Event,
        Trigger::Storage,
        Trigger::Others,
    ];

    /// As the data calls it.
    pub fn name(self) -> &'static str {
        ["http", "timer", "queue", "orchestration", "event", "storage", "others"][self as usize]
    }
}

/// How a function's invocations lie in time.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) enum Pattern {
    /// At a fixed period.
    Periodic,
    /// Following the day; `noise`: sigma of what the app adds.
    Steady { noise: f64 },
    /// So many bursts, shared by the app's functions.
    Bursty { bursts: u32 },
}

/// A function.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct SyntheticFunction {
    /// Number of its app.
    pub app: u32,
    /// Number of its owner.
    pub owner: u32,
    /// What invokes it.
    pub trigger: Trigger,
    /// Memory of its app in MB.
    pub app_memory_mb: u32,
    /// Its own part of that in MB: divided by the number of functions, rounded up.
    pub memory_mb: u32,
    /// Average run time in µs.
    pub average_us: u64,
    /// What a cold start adds in µs.
    pub start_us: u64,
    /// Invocations of all days.
    pub invocations: u64,
    /// How they lie in time.
    pub pattern: Pattern,
}

/// Minutes of a day.
const MINUTES_OF_DAY: u32 = 1_440;

impl AzureDay {
    /// Whether the model can be made so large.
    pub fn check(&self) -> Result<(), String> {
        const MOST_FUNCTIONS: u32 = 10_000_000;
        let AzureDay { functions, invocations, days, .. } = *self;
        if functions == 0 || functions > MOST_FUNCTIONS {
            return Err(format!("{functions} functions are not possible; from 1 to {MOST_FUNCTIONS} are"));
        }
        if invocations < u64::from(functions) {
            return Err(format!(
                "{invocations} invocations are fewer than {functions} functions; each is invoked at least once"
            ));
        }
        let most = u64::from(days) * u64::from(MINUTES_OF_DAY) * (1 << 22);
        if invocations > most {
            return Err(format!("{invocations} invocations are more than {days} days can take ({most})"));
        }
        Ok(())
    }

    /// All functions, in the order of their apps.
    pub fn functions(&self) -> Vec<SyntheticFunction> {
        let apps = apps::apps(self);
        let mut functions = members::functions(self, &apps);
        run_times::set(self, &mut functions);
        functions
    }

    /// Load of every minute, by which functions are spread.
    pub fn profile(&self) -> Vec<f64> {
        minutes::profile(self.days)
    }

    /// The minutes of one of the functions: minute and count, ascending, none zero. Depends on nothing but the
    /// seed, the function and its place.
    pub fn minutes(&self, profile: &[f64], functions: &[SyntheticFunction], index: usize) -> Vec<(u32, u32)> {
        minutes::minutes(self, profile, &functions[index], index as u64)
    }
}

#[cfg(test)]
mod tests;
