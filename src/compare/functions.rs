//! Both sides by function. Owns which functions are compared, in which order, and which are told as missing; must never
//! match functions by anything else than their whole name.

use std::collections::BTreeSet;

use super::aggregate::{Part, cold_ratio, count, distribution, percent, sum};
use super::figures::{Counts, FunctionComparison, FunctionSide, Lone};
use super::pairs::{Matching, agreement_pct, total};
use super::side::{Class, Side};
use super::stats::{kappa, kolmogorov_smirnov};
use super::{points, quantiles, relative};
use crate::suggest::nearest;

/// All names of functions on either side, sorted.
pub(super) fn names<'s>(a: &'s [Side], b: &'s [Side]) -> Vec<&'s str> {
    let all: BTreeSet<&str> =
        a.iter().chain(b).flat_map(|side| side.functions.iter().map(String::as_str)).collect();
    all.into_iter().collect()
}

/// What one side knows of every function.
struct ByFunction {
    /// By function, then by run.
    counts: Vec<Vec<Counts>>,
    /// By function: responses of the served in µs, sorted.
    responses: Vec<Vec<u64>>,
}

impl ByFunction {
    fn new(functions: usize, parts: &[Part<'_>]) -> ByFunction {
        let mut by = ByFunction {
            counts: vec![vec![Counts::default(); parts.len()]; functions],
            responses: vec![Vec::new(); functions],
        };
        for (run, part) in parts.iter().enumerate() {
            for one in *part {
                let function = one.function as usize;
                count(&mut by.counts[function][run], one);
                if one.class != Class::Unserved {
                    by.responses[function].extend(one.response.map(|span| span.0));
                }
            }
        }
        by.responses.iter_mut().for_each(|responses| responses.sort_unstable());
        by
    }

    fn side(&self, function: usize) -> FunctionSide {
        FunctionSide {
            counts: sum(&self.counts[function]),
            cold: cold_ratio(&self.counts[function]).map(percent),
            response_ms: distribution(&self.responses[function]),
        }
    }
}

/// Those that both sides invoked, largest difference of cold starts first, then of the ratios, then by name.
pub(super) fn compared(
    names: &[&str],
    parts_a: &[Part<'_>],
    parts_b: &[Part<'_>],
    matching: &Matching,
) -> Vec<FunctionComparison> {
    let (a, b) = (ByFunction::new(names.len(), parts_a), ByFunction::new(names.len(), parts_b));
    let mut all: Vec<FunctionComparison> = Vec::new();
    for (function, name) in names.iter().enumerate() {
        let (of_a, of_b) = (a.side(function), b.side(function));
        if of_a.counts.invocations == 0 || of_b.counts.invocations == 0 {
            continue;
        }
        let per_run = |side: &FunctionSide, runs: usize| side.counts.cold as f64 / runs as f64;
        let matrix = matching.by_function.get(function).filter(|matrix| total(matrix) > 0);
        all.push(FunctionComparison {
            function: (*name).to_owned(),
            cold_starts: per_run(&of_a, parts_a.len()) - per_run(&of_b, parts_b.len()),
            cold: points(cold_ratio(&a.counts[function]), cold_ratio(&b.counts[function])),
            response_pct: quantiles(of_a.response_ms, of_b.response_ms, relative),
            response_ks: kolmogorov_smirnov(&a.responses[function], &b.responses[function]),
            agreement_pct: matrix.and_then(agreement_pct),
            kappa: matrix.and_then(kappa),
            a: of_a,
            b: of_b,
        });
    }
    let apart = |one: &FunctionComparison| one.cold.map_or(0.0, |cold| cold.pp.abs());
    all.sort_by(|one, other| {
        let starts = other.cold_starts.abs().total_cmp(&one.cold_starts.abs());
        starts.then(apart(other).total_cmp(&apart(one))).then_with(|| one.function.cmp(&other.function))
    });
    all
}

/// Functions that were invoked on the side of `parts` and not on the side of `others`.
pub(super) fn lone(names: &[&str], parts: &[Part<'_>], others: &[Part<'_>]) -> Vec<Lone> {
    let often = |parts: &[Part<'_>]| {
        let mut often = vec![0_u64; names.len()];
        parts.iter().flat_map(|part| part.iter()).for_each(|one| often[one.function as usize] += 1);
        often
    };
    let (here, there) = (often(parts), often(others));
    let candidates =
        || (0..names.len()).filter(|function| there[*function] > 0).map(|function| names[function]);
    let lone = (0..names.len()).filter(|function| here[*function] > 0 && there[*function] == 0);
    lone.map(|function| Lone {
        function: names[function].to_owned(),
        invocations: here[function],
        nearest: nearest(names[function], candidates()).map(str::to_owned),
    })
    .collect()
}
