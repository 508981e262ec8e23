//! Run times of functions: log-normal averages, longer ones for rarely invoked functions; and what a cold start adds.
//! Must never change a function's invocations.

use super::curve::rounded;
use super::tables::{RUN_MOST_S, RUN_MU, RUN_RHO, RUN_SIGMA, START_MOST_S, START_MU, START_SIGMA, purpose};
use super::{AzureDay, SyntheticFunction};
use crate::trace::generate::draws::{Draws, inverse_normal};

/// Sets run time and cold start of every function.
pub(super) fn set(day: &AzureDay, functions: &mut [SyntheticFunction]) {
    let scores = scores(day, functions);
    let mut order: Vec<usize> = (0..functions.len()).collect();
    order.sort_by(|a, b| scores[*a].total_cmp(&scores[*b]).then(a.cmp(b)));
    let count = functions.len() as f64;
    for (rank, ix) in order.into_iter().enumerate() {
        let ln = RUN_MU + RUN_SIGMA * inverse_normal((rank as f64 + 0.5) / count);
        let average = libm::exp(ln).clamp(1e-3, RUN_MOST_S);
        let function = &mut functions[ix];
        function.average_us = rounded(average * 1e6);
        let start = Draws::new(day.seed, purpose::START, ix as u64).log_normal(START_MU, START_SIGMA);
        function.start_us = rounded(start.min(START_MOST_S) * 1e6);
    }
}

/// By which functions are ranked for their run times: partly by how rarely they are invoked. Equally often invoked ones
/// share their mean rank.
fn scores(day: &AzureDay, functions: &[SyntheticFunction]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..functions.len()).collect();
    order.sort_by_key(|ix| (functions[*ix].invocations, *ix));
    let count = order.len() as f64;
    let mut scores = vec![0.0; order.len()];
    let mut first = 0;
    while first < order.len() {
        let invocations = functions[order[first]].invocations;
        let same = order[first..].iter().take_while(|ix| functions[**ix].invocations == invocations).count();
        let z = inverse_normal((2 * first + same) as f64 / 2.0 / count);
        // The most popular functions differ less.
        let calm = if z < 1.5 { 1.0 } else { (1.0 - 0.25 * (z - 1.5)).max(0.4) };
        for &ix in &order[first..first + same] {
            let lot = Draws::new(day.seed, purpose::DURATION, ix as u64).normal();
            scores[ix] = RUN_RHO * z + libm::sqrt(1.0 - RUN_RHO * RUN_RHO) * calm * lot;
        }
        first += same;
    }
    scores
}
