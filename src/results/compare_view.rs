//! A comparison as a page shows it. Owns which figures are shown there and their wording; must never compute one.

use super::divergence::container_cells;
use super::page::{ComparedRow, ComparisonView, ConfusionView, DivergenceRow, FirstDivergence, VerdictRow};
use super::{duration, thousands};
use crate::compare::divergence::{Divergences, First};
use crate::compare::figures::{Percent, SideFigures, Waits};
use crate::compare::{Class, Comparison};

/// So many divergences are listed.
const LISTED: usize = 500;

/// The view of a comparison.
pub fn comparison_view(found: &Comparison) -> ComparisonView {
    let name = |letter: &str, side: &SideFigures| match side.runs.as_slice() {
        [one] => format!("{letter} · {} {one}", side.kind),
        many => format!("{letter} · {} × {}", many.len(), side.kind),
    };
    let notes = found.notes.iter().chain(&found.a.notes).chain(&found.b.notes).cloned().collect();
    let divergence = found.divergence.as_ref();
    let all = divergence.map(|found| found.all.as_slice()).unwrap_or_default();
    ComparisonView {
        sides: (name("A", &found.a), name("B", &found.b)),
        notes,
        headline: headline(found),
        confusion: found.agreement.as_ref().map(|agreement| ConfusionView {
            classes: Class::ALL.map(|class| class.name().to_owned()).to_vec(),
            counts: agreement.matrix.iter().map(|row| row.to_vec()).collect(),
            agreement_pct: agreement.pct.unwrap_or_default(),
            kappa: agreement.kappa,
        }),
        verdict: verdict(found),
        first: divergence.and_then(|found| Some(first(found, found.first.as_ref()?))),
        causes: divergence.map_or_else(Vec::new, |found| {
            found.causes.iter().map(|count| (count.cause.name().to_owned(), count.count)).collect()
        }),
        divergences: all
            .iter()
            .take(LISTED)
            .map(|one| DivergenceRow {
                number: one.number,
                function: one.function.clone(),
                at_s: one.at_s,
                a: one.a.to_owned(),
                b: one.b.to_owned(),
                cause: one.cause.name().to_owned(),
            })
            .collect(),
        divergences_total: divergence.map(|_| all.len() as u64),
    }
}

fn headline(found: &Comparison) -> Vec<ComparedRow> {
    let (a, b, d) = (&found.a, &found.b, &found.differences);
    let mut rows = Vec::new();
    let mut row = |name: &str, a: Option<String>, b: Option<String>, difference: Option<String>| {
        if a.is_some() || b.is_some() {
            let text = |cell: Option<String>| cell.unwrap_or_else(|| "–".to_owned());
            let difference = difference.unwrap_or_default();
            rows.push(ComparedRow { name: name.to_owned(), a: text(a), b: text(b), difference });
        }
    };
    let count = |side: &SideFigures| Some(thousands(side.counts.invocations));
    row("Invocations", count(a), count(b), None);
    let share = |share: Option<Percent>| {
        share.map(|share| format!("{:.2} % ({:.2} to {:.2})", share.pct, share.low, share.high))
    };
    let points = d.cold.map(|cold| format!("{:+.2} pp ({:+.2} to {:+.2})", cold.pp, cold.low, cold.high));
    row("Cold starts, 95 %", share(a.shares.cold), share(b.shares.cold), points);
    let single = |side: &SideFigures| {
        let range = side.single_runs.and_then(|runs| runs.cold_pct)?;
        Some(format!("{:.2} to {:.2} %", range.least, range.greatest))
    };
    row("Cold starts, single runs", single(a), single(b), None);
    let waits = |waits: &Option<Waits>| waits.map(|waits| duration(waits.ms.p95));
    row("Wait, p95", waits(&a.wait), waits(&b.wait), None);
    for (name, of, pct) in [
        ("Response", (&a.response_ms, &b.response_ms), &d.response_pct),
        ("Warm response", (&a.warm_response_ms, &b.warm_response_ms), &d.warm_response_pct),
        ("Cold response", (&a.cold_response_ms, &b.cold_response_ms), &d.cold_response_pct),
    ] {
        let percent = |pct: Option<f64>| pct.map(|pct| format!("{pct:+.1} %"));
        let ms = |ms: Option<f64>| ms.map(duration);
        let (one, other) = of;
        let cells = |at: fn(&crate::compare::figures::Distribution) -> f64| {
            (ms(one.as_ref().map(at)), ms(other.as_ref().map(at)))
        };
        let (p50, p95) = (cells(|of| of.p50), cells(|of| of.p95));
        row(&format!("{name}, p50"), p50.0, p50.1, percent(pct.and_then(|pct| pct.p50)));
        row(&format!("{name}, p95"), p95.0, p95.1, percent(pct.and_then(|pct| pct.p95)));
    }
    let distance = d.response_ks.map(|ks| format!("{:.3}", ks.distance));
    row("Kolmogorov–Smirnov distance of responses", distance, None, None);
    let memory = |side: &SideFigures| side.memory.map(|memory| format!("{:.0} MiB", memory.mean_mib));
    row("Memory, mean", memory(a), memory(b), None);
    let whole = |many: Option<f64>| many.map(|many| format!("{many:.0}"));
    row("Containers created", whole(a.created), whole(b.created), None);
    row("Evictions", whole(a.evicted), whole(b.evicted), None);
    rows
}

fn verdict(found: &Comparison) -> Vec<VerdictRow> {
    let row = |checked: &crate::compare::figures::Checked| VerdictRow {
        name: checked.measure.key().to_owned(),
        value: checked.value.map_or_else(|| "unknown".to_owned(), |value| format!("{value:.3}")),
        threshold: format!("{} {}", if checked.is_least { "at least" } else { "at most" }, checked.limit),
        holds: checked.kept,
    };
    found.verdict.limits.iter().map(row).collect()
}

fn first(found: &Divergences, first: &First) -> FirstDivergence {
    let one = &first.divergence;
    let said = |start: Option<&'static str>, class: &'static str| start.unwrap_or(class);
    let mut sentence = format!(
        "Invocation {} of {}, due at {:.3} s: {} on A, {} on B. {}",
        one.number,
        one.function,
        one.at_s,
        said(first.a_start, one.a),
        said(first.b_start, one.b),
        one.cause.name()
    );
    if let Some(detail) = &first.detail {
        sentence.push_str(": ");
        sentence.push_str(detail);
    }
    sentence.push('.');
    let rows = |pool: &Option<crate::compare::pool_view::PoolState>| {
        let containers = pool.as_ref().map(|pool| pool.containers.as_slice()).unwrap_or_default();
        containers.iter().map(|container| container_cells(container, &found.functions)).collect()
    };
    FirstDivergence {
        sentence,
        columns: ["Container", "Function", "Doing", "For", "Memory"].map(str::to_owned).to_vec(),
        a: rows(&first.a_pool),
        b: rows(&first.b_pool),
    }
}
