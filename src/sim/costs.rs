//! How long things take and what fails, drawn from the scenario's cost model. Owns the random numbers
//! of the simulation; must never depend on the order in which it is asked.
//!
//! Every draw has its own generator, keyed by the seed, by what is drawn and by a running number (of
//! the activation, or of the container). So the n-th activation runs for the same time whatever the
//! memory, the policy and the thread count: two configurations are compared on the same luck.

use std::collections::BTreeMap;

use rand::RngExt as _;
use rand_pcg::Pcg64Mcg;

use crate::duration::{DurationValue, Sampler};
use crate::random;
use crate::scenario::{CostSpec, Costs, Failures, Source, Start};
use crate::time::Span;
use crate::trace::Function;

/// What is drawn.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Draw {
    /// A run, by activation.
    Run,
    /// A run in a fresh container, by activation.
    FirstRun,
    /// Fetching an image, by kind.
    Pull,
    /// Creating a container, by container.
    Create,
    /// Initialising, by container.
    Init,
    /// Thawing, by the number of the thaw.
    Unpause,
    /// Freezing, by the number of the freeze.
    Pause,
    /// Collecting logs, by activation.
    Logs,
    /// Removing, by container.
    Remove,
    /// What a run takes beyond what the trace says, by activation.
    RunOverhead,
}

/// The cost model, ready to draw from.
pub struct CostModel {
    seed: u64,
    functions: Vec<FunctionCosts>,
    failures: Failures,
    fails: bool,
    first_runs: bool,
    by_clock: bool,
    /// What every invocation asks for, apart from what is asked for now and then.
    runs: Vec<Run>,
}

/// How long runs of a function take.
#[derive(Clone, Copy)]
enum Run {
    /// As the trace tells, or so long where it does not.
    Traced(Span),
    /// The same, and what is drawn beyond that.
    TracedAndMore(Span),
    /// Always so long.
    Always(Span),
    /// Drawn.
    Drawn,
}

const _: () = assert!(size_of::<Run>() == 16, "four functions share a cache line");

struct FunctionCosts {
    run: Sampler,
    first_run: Option<Sampler>,
    pull: Sampler,
    /// The most that waiting for the image can take, whoever of its kind asked for it; `None` without a limit.
    longest_pull: Option<Span>,
    create: Sampler,
    init: Sampler,
    unpause: Sampler,
    pause: Sampler,
    logs: Sampler,
    remove: Sampler,
    /// Whether a run takes what the trace says of the invocation.
    run_from_trace: bool,
    /// Beyond that.
    run_overhead: Sampler,
    /// What is added to `init`, or all of it but for the overhead that `init` then is.
    init_base: Span,
}

impl CostModel {
    /// The model of a scenario for the functions of a trace.
    ///
    /// # Errors
    /// A distribution whose parameters are out of range.
    pub fn new(
        seed: u64,
        spec: &CostSpec,
        failures: &Failures,
        functions: &[Function],
    ) -> Result<CostModel, String> {
        let kinds: Vec<&str> = functions.iter().map(|function| function.kind.as_str()).collect();
        let mut functions = functions
            .iter()
            .map(|function| {
                FunctionCosts::new(spec.of(&function.name), function)
                    .map_err(|fault| format!("costs of function `{}`: {fault}", function.name))
            })
            .collect::<Result<Vec<FunctionCosts>, String>>()?;
        share_pulls(&mut functions, &kinds);
        let fails = *failures != Failures::default();
        let first_runs = functions.iter().any(|costs| costs.first_run.is_some());
        let runs = functions.iter().map(FunctionCosts::often).collect();
        let by_clock = spec.contention.is_some_and(|contention| contention.by_clock);
        Ok(CostModel { seed, functions, failures: *failures, fails, first_runs, by_clock, runs })
    }

    /// Whether logs take any time, so that collecting them is worth an event.
    pub fn collects_logs(&self, function: u32) -> bool {
        !matches!(self.functions[function as usize].logs, Sampler::Always(Span::ZERO))
            || self.failures.logs > 0.0
    }

    /// How long a warm run of an activation takes; `traced`: what the trace says of it.
    #[inline]
    pub fn run(&self, function: u32, activation: u64, traced: Option<Span>) -> Span {
        match self.runs[function as usize] {
            Run::Traced(otherwise) => traced.unwrap_or(otherwise),
            Run::TracedAndMore(otherwise) => {
                let overhead = &self.functions[function as usize].run_overhead;
                traced.unwrap_or(otherwise) + self.draw(overhead, Draw::RunOverhead, activation)
            }
            Run::Always(span) => span,
            Run::Drawn => self.draw(&self.functions[function as usize].run, Draw::Run, activation),
        }
    }

    /// Whether what the trace tells takes its time by the clock.
    pub fn goes_by_clock(&self) -> bool {
        self.by_clock
    }

    /// What loading the code takes by the trace, if that is asked.
    pub fn traced_init(&self, function: u32) -> Span {
        self.functions[function as usize].init_base
    }

    /// Whether runs of a function take what the trace says.
    pub fn runs_by_trace(&self, function: u32) -> bool {
        self.functions[function as usize].run_from_trace
    }

    /// The same without overhead: what an action that can take any time is told to take.
    pub fn asked_run(&self, function: u32, activation: u64, traced: Option<Span>) -> Span {
        match self.runs[function as usize] {
            Run::Traced(otherwise) | Run::TracedAndMore(otherwise) => traced.unwrap_or(otherwise),
            Run::Always(_) | Run::Drawn => self.run(function, activation, traced),
        }
    }

    /// Whether the first run in a fresh container differs for any function.
    #[inline]
    pub fn has_first_runs(&self) -> bool {
        self.first_runs
    }

    /// How long the first run in a fresh container takes, if that differs.
    pub fn first_run(&self, function: u32, activation: u64) -> Option<Span> {
        let value = self.functions[function as usize].first_run.as_ref()?;
        Some(self.draw(value, Draw::FirstRun, activation))
    }

    /// How long a step takes that is not a run.
    pub fn step(&self, function: u32, what: Draw, number: u64) -> Span {
        let costs = &self.functions[function as usize];
        let value = match what {
            Draw::Pull => &costs.pull,
            Draw::Create => &costs.create,
            Draw::Init => return costs.init_base + self.draw(&costs.init, what, number),
            Draw::Unpause => &costs.unpause,
            Draw::Pause => &costs.pause,
            Draw::Logs => &costs.logs,
            Draw::Remove => &costs.remove,
            Draw::Run | Draw::FirstRun | Draw::RunOverhead => &costs.run,
        };
        self.draw(value, what, number)
    }

    /// What a cold and a warm invocation of the function take on average, as a policy may know beforehand.
    /// Where runs are as the trace says of each invocation, that is the function's own warm run time.
    pub fn expected(&self, function: u32) -> (Span, Span) {
        let costs = &self.functions[function as usize];
        let warm = costs.run.mean() + costs.run_overhead.mean();
        let first = costs.first_run.as_ref().map_or(warm, Sampler::mean);
        (costs.create.mean() + costs.init_base + costs.init.mean() + first, warm)
    }

    /// The least that running an activation takes, in a container that is warm or fresh.
    pub fn shortest_run(&self, function: u32, activation: u64, traced: Option<Span>) -> Span {
        let run = self.run(function, activation, traced);
        self.first_run(function, activation).map_or(run, |first| first.min(run))
    }

    /// The most that an activation can keep a container from others: a cold start, the run, the logs. `None` if a
    /// step has no upper limit. An image is fetched once for all functions of a kind, at the costs of the one that asks
    /// first, and the others wait for it: so the pull is the longest of the kind.
    pub fn longest(&self, function: u32, activation: u64, traced: Option<Span>) -> Option<Span> {
        let run = self.run(function, activation, traced);
        let run = self.first_run(function, activation).map_or(run, |first| first.max(run));
        let costs = &self.functions[function as usize];
        let steps = [&costs.create, &costs.init, &costs.unpause, &costs.pause, &costs.logs];
        steps
            .into_iter()
            .try_fold(run + costs.init_base + costs.longest_pull?, |sum, step| Some(sum + step.most()?))
    }

    /// Whether a step fails.
    #[inline]
    pub fn fails(&self, what: Draw, number: u64) -> bool {
        if !self.fails {
            return false;
        }
        let probability = match what {
            Draw::Create => self.failures.create,
            Draw::Init => self.failures.init,
            Draw::Run | Draw::FirstRun => self.failures.run,
            Draw::Logs => self.failures.logs,
            Draw::Pause => self.failures.pause,
            Draw::Unpause => self.failures.resume,
            Draw::Pull | Draw::Remove | Draw::RunOverhead => 0.0,
        };
        // A stream of its own, so that failures do not change durations.
        probability > 0.0 && self.generator(what as u64 + 100, number).random::<f64>() < probability
    }

    #[inline]
    fn draw(&self, value: &Sampler, what: Draw, number: u64) -> Span {
        value.draw(|| self.generator(what as u64, number))
    }

    fn generator(&self, stream: u64, number: u64) -> Pcg64Mcg {
        random::keyed(self.seed, stream, number)
    }
}

/// Tells every function the longest pull of its kind.
fn share_pulls(functions: &mut [FunctionCosts], kinds: &[&str]) {
    let mut longest: BTreeMap<&str, Option<Span>> = BTreeMap::new();
    for (costs, kind) in functions.iter().zip(kinds) {
        let most = longest.entry(kind).or_insert(Some(Span::ZERO));
        // One pull without a limit leaves the whole kind without.
        *most = most.zip(costs.longest_pull).map(|(one, other)| one.max(other));
    }
    for (costs, kind) in functions.iter_mut().zip(kinds) {
        costs.longest_pull = longest.get(kind).copied().flatten();
    }
}

impl FunctionCosts {
    fn often(&self) -> Run {
        match &self.run {
            Sampler::Always(span) if self.run_from_trace => match self.run_overhead {
                Sampler::Always(Span::ZERO) => Run::Traced(*span),
                _ => Run::TracedAndMore(*span),
            },
            Sampler::Always(span) => Run::Always(*span),
            Sampler::Drawn(_) => Run::Drawn,
        }
    }

    fn new(costs: &Costs, function: &Function) -> Result<FunctionCosts, String> {
        let run_from_trace = costs.run == Source::Trace;
        let run = match &costs.run {
            Source::Trace => Sampler::Always(function.warm),
            Source::Given(value) => Sampler::new(value)?,
        };
        let run_overhead = if run_from_trace { &costs.run_overhead } else { &DurationValue::ZERO };
        let traced_start = function.cold.saturating_sub(function.warm);
        let mut init_base = Span::ZERO;
        let none = || Sampler::Always(Span::ZERO);
        let (pull, create, init, first_run) = match &costs.start {
            Start::Whole(Source::Trace) => (none(), Sampler::Always(traced_start), none(), None),
            Start::Whole(Source::Given(value)) => (none(), Sampler::new(value)?, none(), None),
            Start::Phases(phases) => (
                Sampler::new(&phases.pull)?,
                Sampler::new(&phases.create)?,
                match &phases.init {
                    Source::Given(init) => Sampler::new(init)?,
                    Source::Trace => {
                        init_base = traced_start;
                        Sampler::new(&phases.init_overhead)?
                    }
                },
                phases.first_run.as_ref().map(Sampler::new).transpose()?,
            ),
        };
        Ok(FunctionCosts {
            run,
            first_run,
            longest_pull: pull.most(),
            pull,
            create,
            init,
            unpause: Sampler::new(&costs.unpause)?,
            pause: Sampler::new(&costs.pause)?,
            logs: Sampler::new(&costs.logs)?,
            remove: Sampler::new(&costs.remove)?,
            run_from_trace,
            run_overhead: Sampler::new(run_overhead)?,
            init_base,
        })
    }
}
