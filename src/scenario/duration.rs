//! How durations are read: a span of time, or a table with one distribution and its limits. Must never
//! draw a random number.

use super::keys::{DURATION, EXPONENTIAL, GAMMA, LOG_NORMAL, NORMAL, UNIFORM, WEIBULL};
use super::section::{Flaw, Problems, Section};
use super::tree::Raw;
use super::values;
use crate::duration::{DurationValue, Shape};
use crate::time::Span;

/// Reads the duration under `name`: a span of time, or a table with one distribution and its limits.
pub(super) fn read(
    section: &Section<'_>,
    name: &'static str,
    problems: &mut Problems,
) -> Option<DurationValue> {
    let entry = section.find(name)?;
    let Raw::Table(table) = &entry.node.raw else {
        return section.read(name, problems, values::finite_span).map(DurationValue::constant);
    };
    let inner = Section::open(section.subject(name), &entry.origin, table, DURATION, problems);
    let min = inner.read("min", problems, values::finite_span);
    let max = inner.read("max", problems, values::finite_span);
    if let (Some(least), Some(most)) = (min, max)
        && least > most
    {
        inner.refuse("min", Flaw::new(format!("{least} is more than `max`, {most}")), problems);
    }
    let mut given =
        DURATION.iter().map(|key| key.name).filter(|name| inner.find(name).is_some() && is_shape(name));
    match (given.next(), given.next()) {
        (Some(shape), None) => Some(DurationValue { shape: read_shape(&inner, shape, problems)?, min, max }),
        (Some(first), Some(second)) => {
            let flaw = Flaw::new(format!("`{first}` is given as well, but a duration has one distribution"));
            inner.refuse(second, flaw.help("remove one of them"), problems);
            None
        }
        (None, _) => {
            // An unknown key has been told already, and is most likely the misspelt distribution.
            if table.entries.iter().all(|entry| DURATION.iter().any(|key| key.name == entry.key)) {
                let names: Vec<&str> =
                    DURATION.iter().map(|key| key.name).filter(|name| is_shape(name)).collect();
                let flaw =
                    Flaw::new("no distribution is given").help(format!("there are: {}", names.join(", ")));
                section.refuse(name, flaw, problems);
            }
            None
        }
    }
}

/// Whether a key of a duration is a distribution, not a limit.
pub(super) fn is_shape(name: &str) -> bool {
    !matches!(name, "min" | "max") && DURATION.iter().any(|key| key.name == name)
}

/// The distribution under `name`.
fn read_shape(duration: &Section<'_>, name: &str, problems: &mut Problems) -> Option<Shape> {
    match name {
        "constant" => duration.read("constant", problems, values::finite_span).map(Shape::Constant),
        "uniform" => {
            let fields = duration.subsection("uniform", UNIFORM, problems)?;
            let low = fields.require("low", problems, values::finite_span);
            let high = fields.require("high", problems, values::finite_span);
            let (low, high) = (low?, high?);
            if low > high {
                fields.refuse("low", Flaw::new(format!("{low} is more than `high`, {high}")), problems);
                return None;
            }
            Some(Shape::Uniform { low, high })
        }
        "exponential" => {
            let fields = duration.subsection("exponential", EXPONENTIAL, problems)?;
            Some(Shape::Exponential { mean: fields.require("mean", problems, values::positive_span)? })
        }
        "normal" => {
            let fields = duration.subsection("normal", NORMAL, problems)?;
            let mean = fields.require("mean", problems, values::finite_span);
            let sd = fields.require("sd", problems, values::finite_span);
            Some(Shape::Normal { mean: mean?, sd: sd? })
        }
        "log-normal" => {
            let fields = duration.subsection("log-normal", LOG_NORMAL, problems)?;
            let median = fields.require("median", problems, values::positive_span);
            let sigma = fields.require("sigma", problems, values::not_negative);
            Some(Shape::LogNormal { median: median?, sigma: sigma? })
        }
        "gamma" => {
            let fields = duration.subsection("gamma", GAMMA, problems)?;
            let mean = fields.require("mean", problems, values::positive_span);
            let shape = fields.require("shape", problems, values::positive);
            Some(Shape::Gamma { mean: mean?, shape: shape? })
        }
        "weibull" => {
            let fields = duration.subsection("weibull", WEIBULL, problems)?;
            let scale = fields.require("scale", problems, values::positive_span);
            let shape = fields.require("shape", problems, values::positive);
            Some(Shape::Weibull { scale: scale?, shape: shape? })
        }
        _ => read_quantiles(duration, problems).map(Shape::Empirical),
    }
}

/// The values of `empirical`, which must ascend.
fn read_quantiles(duration: &Section<'_>, problems: &mut Problems) -> Option<Vec<Span>> {
    let entry = duration.find("empirical")?;
    let subject = duration.subject("empirical");
    let Raw::List(items) = &entry.node.raw else {
        let flaw = Flaw::expected("a list such as [\"100 ms\", \"200 ms\"]", &entry.node);
        problems.push(&entry.origin, subject, flaw);
        return None;
    };
    if items.is_empty() {
        problems.push(&entry.origin, subject, Flaw::new("needs at least one value"));
        return None;
    }
    let mut quantiles: Vec<Span> = Vec::with_capacity(items.len());
    let mut fine = true;
    for item in items {
        match values::finite_span(item) {
            Ok(value) if quantiles.last().is_some_and(|last| *last > value) => {
                let flaw = Flaw::new(format!("{value} comes after a greater value"))
                    .help("sort the values, least first");
                problems.push(&item.origin, subject.clone(), flaw);
                return None;
            }
            Ok(value) => quantiles.push(value),
            Err(flaw) => {
                problems.push(&item.origin, subject.clone(), flaw);
                fine = false;
            }
        }
    }
    fine.then_some(quantiles)
}
