//! Durations as constants or distributions, and drawing from them. Owns their parameters; must never
//! own a generator: the caller says which numbers are drawn from.

use std::fmt;

use rand::RngExt as _;
use rand::SeedableRng as _;
use rand_distr::{Distribution as _, Exp, Gamma, LogNormal, Normal, Weibull};
use rand_pcg::Pcg64Mcg;

use crate::time::Span;

/// A duration, drawn anew each time unless it is constant.
#[derive(Clone, PartialEq, Debug)]
pub struct DurationValue {
    /// What it is drawn from.
    pub shape: Shape,
    /// What is less becomes this.
    pub min: Option<Span>,
    /// What is more becomes this.
    pub max: Option<Span>,
}

/// What a duration is drawn from.
#[derive(Clone, PartialEq, Debug)]
pub enum Shape {
    /// Always the same.
    Constant(Span),
    /// Evenly from `low` to `high`.
    Uniform {
        /// At least.
        low: Span,
        /// At most; not below `low`.
        high: Span,
    },
    /// Exponential.
    Exponential {
        /// Mean, above zero.
        mean: Span,
    },
    /// Normal, what is negative becomes zero.
    Normal {
        /// Mean before that.
        mean: Span,
        /// Standard deviation before that.
        sd: Span,
    },
    /// Its logarithm is normal.
    LogNormal {
        /// Median, above zero.
        median: Span,
        /// Standard deviation of the natural logarithm.
        sigma: f64,
    },
    /// Gamma.
    Gamma {
        /// Mean, above zero.
        mean: Span,
        /// Shape (k), above zero.
        shape: f64,
    },
    /// Weibull.
    Weibull {
        /// Scale (λ), above zero.
        scale: Span,
        /// Shape (k), above zero.
        shape: f64,
    },
    /// Equally spaced quantiles, the first the least and the last the greatest value, linear in
    /// between. At least one, ascending.
    Empirical(Vec<Span>),
}

impl DurationValue {
    /// No time at all.
    pub const ZERO: DurationValue = DurationValue::constant(Span::ZERO);

    /// Always `span`.
    pub const fn constant(span: Span) -> DurationValue {
        DurationValue { shape: Shape::Constant(span), min: None, max: None }
    }
}

impl fmt::Display for DurationValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.shape.fmt(f)?;
        if let Some(min) = self.min {
            write!(f, ", at least {min}")?;
        }
        if let Some(max) = self.max {
            write!(f, ", at most {max}")?;
        }
        Ok(())
    }
}

impl fmt::Display for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Shape::Constant(span) => span.fmt(f),
            Shape::Uniform { low, high } => write!(f, "uniform from {low} to {high}"),
            Shape::Exponential { mean } => write!(f, "exponential with mean {mean}"),
            Shape::Normal { mean, sd } => write!(f, "normal with mean {mean} and sd {sd}"),
            Shape::LogNormal { median, sigma } => {
                write!(f, "log-normal with median {median} and sigma {sigma}")
            }
            Shape::Gamma { mean, shape } => write!(f, "gamma with mean {mean} and shape {shape}"),
            Shape::Weibull { scale, shape } => write!(f, "Weibull with scale {scale} and shape {shape}"),
            Shape::Empirical(quantiles) => write!(f, "empirical from {} values", quantiles.len()),
        }
    }
}

/// A duration, ready to be drawn.
#[derive(Debug)]
pub enum Sampler {
    /// The same each time.
    Always(Span),
    /// From a distribution.
    Drawn(Box<Drawn>),
}

/// A distribution with its limits.
#[derive(Debug)]
pub struct Drawn {
    distribution: Distribution,
    min: Span,
    max: Span,
}

/// A distribution over µs.
#[derive(Debug)]
enum Distribution {
    Uniform { low: f64, high: f64 },
    Exponential(Exp<f64>),
    Normal(Normal<f64>),
    LogNormal(LogNormal<f64>),
    Gamma(Gamma<f64>),
    Weibull(Weibull<f64>),
    Empirical(Vec<f64>),
    Always(f64),
}

impl Sampler {
    /// Ready to draw from.
    ///
    /// # Errors
    /// Parameters out of range.
    pub fn new(value: &DurationValue) -> Result<Sampler, String> {
        let (min, max) = (value.min.unwrap_or(Span::ZERO), value.max.unwrap_or(Span::FOREVER));
        let us = |span: Span| span.0 as f64;
        let fault = |what: &str, error: &dyn std::fmt::Display| format!("{what}: {error}");
        let distribution = match &value.shape {
            Shape::Constant(span) => return Ok(Sampler::Always((*span).clamp(min, max))),
            Shape::Uniform { low, high } => Distribution::Uniform { low: us(*low), high: us(*high) },
            Shape::Exponential { mean } => {
                Distribution::Exponential(Exp::new(1.0 / us(*mean)).map_err(|e| fault("exponential", &e))?)
            }
            Shape::Normal { mean, sd } => {
                Distribution::Normal(Normal::new(us(*mean), us(*sd)).map_err(|e| fault("normal", &e))?)
            }
            Shape::LogNormal { median, sigma } => Distribution::LogNormal(
                LogNormal::new(us(*median).ln(), *sigma).map_err(|e| fault("log-normal", &e))?,
            ),
            Shape::Gamma { mean, shape } => {
                Distribution::Gamma(Gamma::new(*shape, us(*mean) / shape).map_err(|e| fault("gamma", &e))?)
            }
            Shape::Weibull { scale, shape } => {
                Distribution::Weibull(Weibull::new(us(*scale), *shape).map_err(|e| fault("weibull", &e))?)
            }
            Shape::Empirical(spans) => match spans.as_slice() {
                [only] => Distribution::Always(us(*only)),
                spans => Distribution::Empirical(spans.iter().map(|span| us(*span)).collect()),
            },
        };
        Ok(Sampler::Drawn(Box::new(Drawn { distribution, min, max })))
    }

    /// One duration, from a generator that is made only if it is needed.
    #[inline]
    pub fn draw(&self, generator: impl FnOnce() -> Pcg64Mcg) -> Span {
        match self {
            Sampler::Always(span) => *span,
            Sampler::Drawn(drawn) => drawn.draw(&mut generator()),
        }
    }

    /// The most it can be; `None` if there is no limit to it.
    pub fn most(&self) -> Option<Span> {
        match self {
            Sampler::Always(span) => Some(*span),
            Sampler::Drawn(drawn) => (drawn.max != Span::FOREVER).then_some(drawn.max),
        }
    }

    /// The mean, limits included; of a distribution, near enough to rank by.
    pub fn mean(&self) -> Span {
        match self {
            Sampler::Always(span) => *span,
            Sampler::Drawn(drawn) => drawn.mean(),
        }
    }
}

impl Drawn {
    /// The mean over many draws of a generator of its own.
    fn mean(&self) -> Span {
        const DRAWS: u64 = 512;
        let mut generator = Pcg64Mcg::seed_from_u64(0);
        let sum: u128 = (0..DRAWS).map(|_| u128::from(self.draw(&mut generator).0)).sum();
        Span((sum / u128::from(DRAWS)) as u64)
    }

    fn draw(&self, generator: &mut Pcg64Mcg) -> Span {
        let us = match &self.distribution {
            Distribution::Uniform { low, high } => low + (high - low) * generator.random::<f64>(),
            Distribution::Exponential(exponential) => exponential.sample(generator),
            Distribution::Normal(normal) => normal.sample(generator),
            Distribution::LogNormal(log_normal) => log_normal.sample(generator),
            Distribution::Gamma(gamma) => gamma.sample(generator),
            Distribution::Weibull(weibull) => weibull.sample(generator),
            Distribution::Empirical(quantiles) => quantile(quantiles, generator.random::<f64>()),
            Distribution::Always(us) => *us,
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
