//! Limits held against figures. Owns which figure a limit is of; must never decide what happens when one is exceeded.

use super::figures::{Checked, Comparison, Quantiles, Verdict};
use crate::scenario::{CompareSpec, Measure};

/// Holds every limit there is against its figure. The figure itself counts, not the ends of its interval.
pub(super) fn verdict(limits: &CompareSpec, found: &Comparison) -> Verdict {
    let checked: Vec<Checked> = Measure::ALL
        .into_iter()
        .filter_map(|measure| {
            let limit = limits.limit(measure)?;
            let value = value(measure, found);
            let kept = |value: f64| if measure.is_least() { value >= limit } else { value <= limit };
            Some(Checked {
                measure,
                value,
                limit,
                is_least: measure.is_least(),
                kept: value.is_some_and(kept),
            })
        })
        .collect();
    let exceeded = checked.iter().any(|checked| !checked.kept);
    Verdict { limits: checked, exceeded }
}

fn value(measure: Measure, found: &Comparison) -> Option<f64> {
    let d = &found.differences;
    let of = |quantile: fn(&Quantiles) -> Option<f64>| Some(quantile(d.response_pct.as_ref()?)?.abs());
    match measure {
        Measure::ColdRatioPp => d.cold.map(|points| points.pp.abs()),
        Measure::UnservedPp => d.unserved.map(|points| points.pp.abs()),
        Measure::AgreementPct => found.agreement.as_ref()?.pct,
        Measure::Kappa => {
            let agreement = found.agreement.as_ref()?;
            // Where all are of one class on both sides, kappa is not defined and agreement is perfect.
            agreement.kappa.or((agreement.pct == Some(100.0)).then_some(1.0))
        }
        Measure::P50Pct => of(|quantiles| quantiles.p50),
        Measure::P90Pct => of(|quantiles| quantiles.p90),
        Measure::P95Pct => of(|quantiles| quantiles.p95),
        Measure::P99Pct => of(|quantiles| quantiles.p99),
        Measure::Ks => d.response_ks.map(|ks| ks.distance),
        Measure::WaitP95Ms => Some(d.wait_ms.as_ref()?.p95?.abs()),
        Measure::MemoryPct => Some(d.memory.as_ref()?.mean_pct?.abs()),
        Measure::CreatedPct => d.created_pct.map(f64::abs),
        Measure::EvictedPct => d.evicted_pct.map(f64::abs),
    }
}
