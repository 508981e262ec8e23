//! The costs file: a `[costs]` table for scenarios to take in (`costs.from`), with the number of samples and the goodness of fit beside
//! every value, and where it all comes from. Owns its form; must never hold a date or host of its own accord.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::contention::{KINDS, Stretch};
use super::fit::{Fit, LogNormalFit, fit};
use super::samples::{Cost, Samples};
use crate::duration::{DurationValue, Shape};
use crate::time::Span;

/// Where costs come from, as the head of the file tells.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Provenance {
    /// The command that made it.
    pub command: String,
    /// What was measured, by key: `backend`, `machine`, `source`, `started` and so on.
    pub about: Vec<(&'static str, String)>,
}

/// Fitted costs, as tables print them.
#[derive(Clone, PartialEq, Debug)]
pub struct Fitted {
    /// `None`: of every function.
    pub function: Option<String>,
    /// The cost.
    pub cost: Cost,
    /// Its distribution.
    pub fit: Fit,
}

/// Everything that can be fitted, general costs first, then by function.
pub fn fitted(samples: &Samples) -> Vec<Fitted> {
    let of = |function: Option<&String>, costs: &BTreeMap<Cost, Vec<f64>>| -> Vec<Fitted> {
        let fit = |(cost, durations): (&Cost, &Vec<f64>)| {
            Some(Fitted { function: function.cloned(), cost: *cost, fit: fit(durations)? })
        };
        costs.iter().filter_map(fit).collect()
    };
    let mut all = of(None, &samples.general);
    for (function, costs) in &samples.functions {
        all.extend(of(Some(function), costs));
    }
    all
}

/// The text of a costs file.
pub fn costs_file(samples: &Samples, provenance: &Provenance) -> String {
    let all = fitted(samples);
    let mut out =
        String::from("# Costs as measured, for scenarios: [costs] from = \"this file\"\n\n[calibration]\n");
    line(&mut out, "faassim", &quoted(env!("CARGO_PKG_VERSION")));
    line(&mut out, "command", &quoted(&provenance.command));
    for (key, value) in &provenance.about {
        line(&mut out, key, &quoted(value));
    }
    out.push_str("\n[costs]\n");
    table(&mut out, all.iter().filter(|fitted| fitted.function.is_none()));
    if let Some(stretch) = &samples.stretch {
        contention(&mut out, stretch, samples.imitated);
    }
    for function in samples.functions.keys() {
        let _ = write!(out, "\n[costs.functions.{}]\n", key(function));
        table(&mut out, all.iter().filter(|fitted| fitted.function.as_ref() == Some(function)));
    }
    out
}

fn table<'a>(out: &mut String, costs: impl Iterator<Item = &'a Fitted>) {
    for Fitted { cost, fit, .. } in costs {
        // What is measured beyond the trace's times is added to them.
        match cost {
            Cost::InitOverhead => line(out, "init", "\"trace\""),
            Cost::RunOverhead => line(out, "run", "\"trace\""),
            _ => {}
        }
        let _ = writeln!(out, "# {}", comment(fit));
        line(out, cost.name(), &value(&fit.value));
    }
}

fn contention(out: &mut String, stretch: &Stretch, imitated: bool) {
    let explained = stretch.explained * 100.0;
    let _ = write!(
        out,
        "\n# Steps share the processors: how many each takes. Explains {explained:.0} % of how durations vary.\n\
         [costs.contention]\n"
    );
    line(out, "processors", &stretch.processors.to_string());
    for ((kind, demand), many) in KINDS.iter().zip(stretch.demands).zip(stretch.steps) {
        if many > 0 {
            line(out, kind.name(), &number(demand));
        }
    }
    if imitated {
        line(out, "by-clock", "true");
    }
}

/// What a value rests on.
fn comment(fit: &Fit) -> String {
    let ms = |us: f64| number(us / 1e3);
    let Fit { samples, mean_us, p50_us, p95_us, max_us, log_normal, .. } = fit;
    let mut text = format!(
        "{samples} sample{}: mean {} ms, p50 {} ms, p95 {} ms, max {} ms",
        if *samples == 1 { "" } else { "s" },
        ms(*mean_us),
        ms(*p50_us),
        ms(*p95_us),
        ms(*max_us)
    );
    if let Some(fit) = log_normal {
        let LogNormalFit { distance, limit, .. } = fit;
        let verdict = if fit.fits() { "fits" } else { "does not fit" };
        let _ = write!(text, "; log-normal {verdict} (KS {distance:.3}, 5 % limit {limit:.3})");
    }
    text
}

/// A duration as a scenario has it.
pub fn value(value: &DurationValue) -> String {
    let limits = [("min", value.min), ("max", value.max)];
    let limits: String =
        limits.into_iter().filter_map(|(name, limit)| Some(format!(", {name} = {}", span(limit?)))).collect();
    match &value.shape {
        Shape::Constant(constant) if limits.is_empty() => span(*constant),
        Shape::Constant(constant) => format!("{{ constant = {}{limits} }}", span(*constant)),
        Shape::Uniform { low, high } => {
            format!("{{ uniform = {{ low = {}, high = {} }}{limits} }}", span(*low), span(*high))
        }
        Shape::Exponential { mean } => format!("{{ exponential = {{ mean = {} }}{limits} }}", span(*mean)),
        Shape::Normal { mean, sd } => {
            format!("{{ normal = {{ mean = {}, sd = {} }}{limits} }}", span(*mean), span(*sd))
        }
        Shape::LogNormal { median, sigma } => {
            format!("{{ log-normal = {{ median = {}, sigma = {sigma:?} }}{limits} }}", span(*median))
        }
        Shape::Gamma { mean, shape } => {
            format!("{{ gamma = {{ mean = {}, shape = {shape:?} }}{limits} }}", span(*mean))
        }
        Shape::Weibull { scale, shape } => {
            format!("{{ weibull = {{ scale = {}, shape = {shape:?} }}{limits} }}", span(*scale))
        }
        Shape::Empirical(quantiles) => {
            let all: Vec<String> = quantiles.iter().map(|quantile| span(*quantile)).collect();
            format!("{{ empirical = [{}]{limits} }}", all.join(", "))
        }
    }
}

/// To the µs, in ms.
fn span(span: Span) -> String {
    format!("\"{} ms\"", number(span.0 as f64 / 1e3))
}

/// With at most three digits after the point.
fn number(number: f64) -> String {
    let text = format!("{number:.3}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

fn line(out: &mut String, key: &str, value: &str) {
    let _ = writeln!(out, "{key} = {value}");
}

fn key(name: &str) -> String {
    toml_edit::Key::new(name).to_string()
}

fn quoted(text: &str) -> String {
    toml_edit::Value::from(text).to_string()
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::scenario::{Engine, Scenario, Source, Start};

    fn samples() -> Samples {
        let mut samples = Samples::default();
        for nth in 0..50_u32 {
            samples.add(None, Cost::Create, 300_000.0 + 1_000.0 * f64::from(nth * nth % 37));
            samples.add(None, Cost::RunOverhead, 500.0 + f64::from(nth));
            samples.add(None, Cost::InitOverhead, 90_000.0);
            samples.add(Some("a \"b\".c"), Cost::Run, if nth % 2 == 0 { 10.0 } else { 90_000.0 });
        }
        samples.stretch = Some(Stretch {
            processors: 2,
            demands: [1.5, 0.25, 0.0, 1.0, 0.125, 0.0, 0.75],
            steps: [9, 9, 0, 9, 9, 0, 9],
            explained: 0.5,
        });
        samples
    }

    #[test]
    fn what_is_written_is_what_a_scenario_reads() {
        let samples = samples();
        let provenance = Provenance {
            command: "faassim calibrate".to_owned(),
            about: vec![("backend", "a \"b\"".to_owned())],
        };
        let file = costs_file(&samples, &provenance);
        let folder = tempfile::tempdir().expect("a temporary folder");
        std::fs::write(folder.path().join("costs.toml"), &file).expect("writable");
        std::fs::create_dir(folder.path().join("trace")).expect("writable");
        let scenario = folder.path().join("s.toml");
        let text = "trace.path = \"trace\"\npool.memory = \"1 GiB\"\n[costs]\nfrom = \"costs.toml\"\nremove = \"7 ms\"\n";
        std::fs::write(&scenario, text).expect("writable");
        let read = Scenario::load(&scenario, &[]).unwrap_or_else(|error| panic!("{error}\n{file}"));
        let Engine::Pool(setup) = &read.engine else { panic!("a pool") };
        let Start::Phases(phases) = &setup.costs.general.start else { panic!("phases") };
        let fitted = fitted(&samples);
        let fit = |cost, function: Option<&str>| {
            let found = fitted.iter().find(|f| f.cost == cost && f.function.as_deref() == function);
            found.expect("fitted").fit.value.clone()
        };
        assert_eq!(phases.create, fit(Cost::Create, None));
        assert_eq!(phases.init, Source::Trace);
        assert_eq!(phases.init_overhead, DurationValue::constant(Span::from_ms(90)));
        assert_eq!(setup.costs.general.run, Source::Trace);
        assert_eq!(setup.costs.general.run_overhead, fit(Cost::RunOverhead, None));
        assert_eq!(setup.costs.general.remove, DurationValue::constant(Span::from_ms(7)));
        let own = setup.costs.of("a \"b\".c");
        assert_eq!(own.run, Source::Given(fit(Cost::Run, Some("a \"b\".c"))));
        let contention = setup.costs.contention.expect("it was written");
        assert_eq!((contention.processors, contention.create, contention.remove), (2, 1.5, 0.75));
        // The scenario's text stands for itself.
        let again = Scenario::from_text(Path::new("elsewhere.toml"), read.text.clone(), &[])
            .unwrap_or_else(|error| panic!("{error}\n{}", read.text));
        let Engine::Pool(copy) = &again.engine else { panic!("a pool") };
        assert_eq!(copy.costs.general, setup.costs.general);
        assert_eq!(copy.costs.functions, setup.costs.functions);
        assert_eq!(copy.costs.foreign, setup.costs.foreign);
    }
}
