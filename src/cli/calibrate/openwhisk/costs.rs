//! Samples of phases as `[costs]` of a scenario. Owns the form; must never change what was measured beyond thinning it.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use toml_edit::Key;

use crate::openwhisk::phases::PhaseSamples;
use crate::time::Span;

/// So many quantiles at most: every per cent.
const QUANTILES: usize = 101;

/// The phases that are written for all functions, in order.
const GENERAL: [&str; 7] = ["pull", "create", "init", "unpause", "pause", "logs", "remove"];

/// The phases that are written for each function: what is its own, and not the platform's.
const OWN: [&str; 3] = ["init", "first-run", "run"];

/// The text of a `[costs]` table.
pub(super) fn costs(samples: &PhaseSamples) -> String {
    let mut out = String::from(
        "# What an OpenWhisk log tells of costs: quantiles, evenly spaced, from the least to the greatest value.\n",
    );
    let count = |phase: &str| samples.general.get(phase).map_or(0, Vec::len);
    let (pulls, creations) = (count("pull"), count("create"));
    // A scenario pulls before the first container of each kind only.
    if pulls > 0 && creations > 0 {
        let _ = writeln!(
            out,
            "# {creations} containers were created and {pulls} times an image was pulled before it; a scenario pulls \
             once for each\n# kind. Where every creation pulls, add `pull` to `create`."
        );
    }
    out.push_str("[costs]\n");
    // Without either of these there are no phases of a cold start to speak of.
    let is_start_known = creations + count("init") > 0;
    for phase in GENERAL.into_iter().filter(|phase| is_start_known || *phase != "pull") {
        write(&mut out, &samples.general, phase);
    }
    for (name, of_function) in &samples.functions {
        let _ = write!(out, "\n[costs.functions.{}]\n", Key::new(name).display_repr());
        for phase in OWN.into_iter().filter(|phase| is_start_known || *phase != "first-run") {
            write(&mut out, of_function, phase);
        }
    }
    out
}

fn write(out: &mut String, samples: &BTreeMap<&'static str, Vec<f64>>, phase: &str) {
    let Some(values) = samples.get(phase).filter(|values| !values.is_empty()) else { return };
    let quantiles = quantiles(values);
    let (n, texts) = (values.len(), quantiles.iter().map(|span| format!("\"{span}\"")));
    let list: Vec<String> = texts.collect();
    let _ = match list.as_slice() {
        [only] => writeln!(out, "{phase} = {only} # n = {n}"),
        list => writeln!(out, "{phase} = {{ empirical = [{}] }} # n = {n}", list.join(", ")),
    };
}

/// Evenly spaced quantiles: all values if they are few; one if all are the same.
fn quantiles(values: &[f64]) -> Vec<Span> {
    let mut sorted: Vec<Span> = values.iter().map(|ms| Span::from_ms_f64(*ms)).collect();
    sorted.sort_unstable();
    if sorted.first() == sorted.last() {
        sorted.truncate(1);
    }
    if sorted.len() <= QUANTILES {
        return sorted;
    }
    let last = sorted.len() - 1;
    let at = |nth: usize| {
        let place = nth as f64 * last as f64 / (QUANTILES - 1) as f64;
        let (below, part) = (place as usize, place.fract());
        let (low, high) = (sorted[below].0 as f64, sorted[(below + 1).min(last)].0 as f64);
        Span((low + part * (high - low)).round() as u64)
    };
    (0..QUANTILES).map(at).collect()
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::duration::{DurationValue, Shape};
    use crate::scenario::{CostSpec, Engine, Scenario, Source, Start};

    /// The costs as a scenario reads them.
    fn read(samples: &PhaseSamples) -> CostSpec {
        let text = format!("[trace]\npath = \"t\"\n[pool]\nmemory = \"1 GiB\"\n{}", costs(samples));
        let scenario = Scenario::from_text(Path::new("a.toml"), text.as_str(), &[])
            .unwrap_or_else(|e| panic!("{e}\n{text}"));
        match scenario.engine {
            Engine::Pool(setup) => setup.costs,
            Engine::Artifact(_) => panic!("the usual engine"),
        }
    }

    fn empirical(ms: &[u64]) -> DurationValue {
        let shape = Shape::Empirical(ms.iter().map(|ms| Span::from_ms(*ms)).collect());
        DurationValue { shape, min: None, max: None }
    }

    #[test]
    fn a_scenario_reads_what_is_written() {
        let mut samples = PhaseSamples::default();
        for (phase, ms) in [
            ("pull", 4140.0),
            ("pull", 3152.0),
            ("create", 403.0),
            ("init", 422.0),
            ("init", 451.0),
            ("remove", 90.0),
        ] {
            samples.add(phase, ms);
        }
        samples.add("run", 10.0);
        let own = samples.functions.entry("my \"odd\".name".to_owned()).or_default();
        own.insert("run", vec![10.0]);
        own.insert("first-run", vec![4.0, 4.0]);
        own.insert("init", vec![451.0, 422.0]);
        let spec = read(&samples);
        let Start::Phases(phases) = &spec.general.start else { panic!("{:?}", spec.general.start) };
        assert_eq!(phases.pull, empirical(&[3152, 4140]));
        assert_eq!(phases.create, DurationValue::constant(Span::from_ms(403)));
        assert_eq!((&phases.init, &phases.first_run), (&empirical(&[422, 451]), &None));
        assert_eq!(spec.general.run, Source::Trace, "functions that are not in the log run as in the trace");
        assert_eq!(spec.general.remove, DurationValue::constant(Span::from_ms(90)));
        let own = spec.of("my \"odd\".name");
        assert_eq!(own.run, Source::Given(DurationValue::constant(Span::from_ms(10))));
        let Start::Phases(phases) = &own.start else { panic!("{:?}", own.start) };
        assert_eq!(phases.first_run, Some(DurationValue::constant(Span::from_ms(4))));
        assert_eq!(phases.create, DurationValue::constant(Span::from_ms(403)));
    }

    #[test]
    fn warm_starts_alone_tell_nothing_of_a_cold_one() {
        let mut samples = PhaseSamples::default();
        samples.add("unpause", 60.0);
        samples.add("pull", 60.0);
        samples.functions.entry("f".to_owned()).or_default().insert("run", vec![10.0, 12.0]);
        let spec = read(&samples);
        assert_eq!(spec.general.start, Start::Whole(Source::Trace));
        assert_eq!(spec.general.unpause, DurationValue::constant(Span::from_ms(60)));
        assert_eq!(spec.of("f").run, Source::Given(empirical(&[10, 12])));
    }

    #[test]
    fn many_values_become_a_hundred_quantiles() {
        let values: Vec<f64> = (0..1_001).rev().map(f64::from).collect();
        let quantiles = quantiles(&values);
        assert_eq!(quantiles.len(), 101);
        assert_eq!(
            (quantiles[0], quantiles[50], quantiles[100]),
            (Span(0), Span::from_ms(500), Span::from_ms(1_000))
        );
        assert!(quantiles.is_sorted());
        assert_eq!(super::quantiles(&[5.0; 300]), [Span::from_ms(5)]);
    }
}
