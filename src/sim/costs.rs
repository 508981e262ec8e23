//! How long things take and what fails, drawn from the scenario's cost model. Owns the random numbers
//! of the simulation; must never depend on the order in which it is asked.
//!
//! Every draw has its own generator, keyed by the seed, by what is drawn and by a running number (of
//! the activation, or of the container). So the n-th activation runs for the same time whatever the
//! memory, the policy and the thread count: two configurations are compared on the same luck.

use rand::RngExt as _;
use rand::SeedableRng as _;
use rand_distr::{Distribution as _, Exp, Gamma, LogNormal, Normal, Weibull};
use rand_pcg::Pcg64Mcg;

use crate::scenario::{CostSpec, Costs, DurationValue, Failures, Shape, Source, Start};
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
}

/// The cost model, ready to draw from.
pub struct CostModel {
    seed: u64,
    functions: Vec<FunctionCosts>,
    failures: Failures,
    fails: bool,
}

struct FunctionCosts {
    run: Value,
    first_run: Option<Value>,
    pull: Value,
    create: Value,
    init: Value,
    unpause: Value,
    pause: Value,
    logs: Value,
    remove: Value,
    /// Whether a run takes what the trace says of the invocation.
    run_from_trace: bool,
}

enum Value {
    Always(Span),
    Drawn(Box<Drawn>),
}

struct Drawn {
    sampler: Sampler,
    min: Span,
    max: Span,
}

/// A distribution over µs.
enum Sampler {
    Uniform { low: f64, high: f64 },
    Exponential(Exp<f64>),
    Normal(Normal<f64>),
    LogNormal(LogNormal<f64>),
    Gamma(Gamma<f64>),
    Weibull(Weibull<f64>),
    Empirical(Vec<f64>),
    Always(f64),
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
        let functions = functions
            .iter()
            .map(|function| {
                FunctionCosts::new(spec.of(&function.name), function)
                    .map_err(|fault| format!("costs of function `{}`: {fault}", function.name))
            })
            .collect::<Result<_, _>>()?;
        let fails = *failures != Failures::default();
        Ok(CostModel { seed, functions, failures: *failures, fails })
    }

    /// Whether logs take any time, so that collecting them is worth an event.
    pub fn collects_logs(&self, function: u32) -> bool {
        !matches!(self.functions[function as usize].logs, Value::Always(Span::ZERO))
            || self.failures.logs > 0.0
    }

    /// How long a warm run of an activation takes; `traced`: what the trace says of it.
    #[inline]
    pub fn run(&self, function: u32, activation: u64, traced: Option<Span>) -> Span {
        let costs = &self.functions[function as usize];
        match traced {
            Some(span) if costs.run_from_trace => span,
            _ => self.draw(&costs.run, Draw::Run, activation),
        }
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
            Draw::Init => &costs.init,
            Draw::Unpause => &costs.unpause,
            Draw::Pause => &costs.pause,
            Draw::Logs => &costs.logs,
            Draw::Remove => &costs.remove,
            Draw::Run | Draw::FirstRun => &costs.run,
        };
        self.draw(value, what, number)
    }

    /// What a cold and a warm invocation of the function take on average, as a policy may know beforehand.
    /// Where runs are as the trace says of each invocation, that is the function's own warm run time.
    pub fn expected(&self, function: u32) -> (Span, Span) {
        let costs = &self.functions[function as usize];
        let warm = costs.run.mean();
        let first = costs.first_run.as_ref().map_or(warm, Value::mean);
        (costs.create.mean() + costs.init.mean() + first, warm)
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
            Draw::Pull | Draw::Remove => 0.0,
        };
        // A stream of its own, so that failures do not change durations.
        probability > 0.0 && self.generator(what as u64 + 100, number).random::<f64>() < probability
    }

    #[inline]
    fn draw(&self, value: &Value, what: Draw, number: u64) -> Span {
        match value {
            Value::Always(span) => *span,
            Value::Drawn(drawn) => drawn.draw(&mut self.generator(what as u64, number)),
        }
    }

    fn generator(&self, stream: u64, number: u64) -> Pcg64Mcg {
        let key = splitmix(self.seed ^ splitmix(stream.wrapping_add(1) ^ splitmix(number)));
        Pcg64Mcg::seed_from_u64(key)
    }
}

/// SplitMix64 (Steele et al., OOPSLA'14): turns consecutive keys into unrelated ones.
fn splitmix(key: u64) -> u64 {
    let mut z = key.wrapping_add(0x9E37_79B9_7F4A_7C15);
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

impl FunctionCosts {
    fn new(costs: &Costs, function: &Function) -> Result<FunctionCosts, String> {
        let run_from_trace = costs.run == Source::Trace;
        let run = match &costs.run {
            Source::Trace => Value::Always(function.warm),
            Source::Given(value) => Value::new(value)?,
        };
        let none = || Value::Always(Span::ZERO);
        let (pull, create, init, first_run) = match &costs.start {
            Start::Whole(Source::Trace) => {
                (none(), Value::Always(function.cold.saturating_sub(function.warm)), none(), None)
            }
            Start::Whole(Source::Given(value)) => (none(), Value::new(value)?, none(), None),
            Start::Phases(phases) => (
                Value::new(&phases.pull)?,
                Value::new(&phases.create)?,
                Value::new(&phases.init)?,
                phases.first_run.as_ref().map(Value::new).transpose()?,
            ),
        };
        Ok(FunctionCosts {
            run,
            first_run,
            pull,
            create,
            init,
            unpause: Value::new(&costs.unpause)?,
            pause: Value::new(&costs.pause)?,
            logs: Value::new(&costs.logs)?,
            remove: Value::new(&costs.remove)?,
            run_from_trace,
        })
    }
}

impl Value {
    fn new(value: &DurationValue) -> Result<Value, String> {
        let (min, max) = (value.min.unwrap_or(Span::ZERO), value.max.unwrap_or(Span::FOREVER));
        let us = |span: Span| span.0 as f64;
        let fault = |what: &str, error: &dyn std::fmt::Display| format!("{what}: {error}");
        let sampler = match &value.shape {
            Shape::Constant(span) => return Ok(Value::Always((*span).clamp(min, max))),
            Shape::Uniform { low, high } => Sampler::Uniform { low: us(*low), high: us(*high) },
            Shape::Exponential { mean } => {
                Sampler::Exponential(Exp::new(1.0 / us(*mean)).map_err(|e| fault("exponential", &e))?)
            }
            Shape::Normal { mean, sd } => {
                Sampler::Normal(Normal::new(us(*mean), us(*sd)).map_err(|e| fault("normal", &e))?)
            }
            Shape::LogNormal { median, sigma } => Sampler::LogNormal(
                LogNormal::new(us(*median).ln(), *sigma).map_err(|e| fault("log-normal", &e))?,
            ),
            Shape::Gamma { mean, shape } => {
                Sampler::Gamma(Gamma::new(*shape, us(*mean) / shape).map_err(|e| fault("gamma", &e))?)
            }
            Shape::Weibull { scale, shape } => {
                Sampler::Weibull(Weibull::new(us(*scale), *shape).map_err(|e| fault("weibull", &e))?)
            }
            Shape::Empirical(spans) => match spans.as_slice() {
                [only] => Sampler::Always(us(*only)),
                spans => Sampler::Empirical(spans.iter().map(|span| us(*span)).collect()),
            },
        };
        Ok(Value::Drawn(Box::new(Drawn { sampler, min, max })))
    }
}

impl Value {
    fn mean(&self) -> Span {
        match self {
            Value::Always(span) => *span,
            Value::Drawn(drawn) => drawn.mean(),
        }
    }
}

impl Drawn {
    /// The mean over many draws of a generator of its own, limits included: near enough to rank by.
    fn mean(&self) -> Span {
        const DRAWS: u64 = 512;
        let mut generator = Pcg64Mcg::seed_from_u64(0);
        let sum: u128 = (0..DRAWS).map(|_| u128::from(self.draw(&mut generator).0)).sum();
        Span((sum / u128::from(DRAWS)) as u64)
    }

    fn draw(&self, generator: &mut Pcg64Mcg) -> Span {
        let us = match &self.sampler {
            Sampler::Uniform { low, high } => low + (high - low) * generator.random::<f64>(),
            Sampler::Exponential(exponential) => exponential.sample(generator),
            Sampler::Normal(normal) => normal.sample(generator),
            Sampler::LogNormal(log_normal) => log_normal.sample(generator),
            Sampler::Gamma(gamma) => gamma.sample(generator),
            Sampler::Weibull(weibull) => weibull.sample(generator),
            Sampler::Empirical(quantiles) => quantile(quantiles, generator.random::<f64>()),
            Sampler::Always(us) => *us,
        };
        // `as` makes negative values zero.
        Span(us.round() as u64).clamp(self.min, self.max)
    }
}

/// Equally spaced quantiles, linear in between; at least two.
fn quantile(quantiles: &[f64], at: f64) -> f64 {
    let place = at * (quantiles.len() - 1) as f64;
    let below = (place as usize).min(quantiles.len() - 2);
    let part = place - below as f64;
    quantiles[below] + part * (quantiles[below + 1] - quantiles[below])
}
