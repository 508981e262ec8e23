//! Who is invoked how often. Owns the shares of the most popular; must never count those that are not
//! invoked.

use serde::Serialize;

use super::quantiles::Spread;

/// The share of invocations of the most popular.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct ShareOfTop {
    /// How many of the most popular, or which percentage of all.
    pub top: String,
    /// How many that are.
    pub count: u64,
    /// Their share of all invocations in %.
    pub share_pct: f64,
}

/// Popularity of functions or apps.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct PopularityFigures {
    /// Invocations of each that is invoked.
    pub invocations: Spread,
    /// Share of the most popular.
    pub top: Vec<ShareOfTop>,
    /// How many have exactly the count of a daily, hourly, … timer: count and number.
    pub atoms: Vec<(u64, u64)>,
}

/// Counts of a day that timers leave behind (docs/specs/trace-calibration.md §2).
const ATOMS: [u64; 11] = [1, 24, 48, 96, 144, 288, 480, 720, 1439, 1440, 2880];

impl PopularityFigures {
    /// Of these counts.
    pub(super) fn of(counts: &[u64]) -> PopularityFigures {
        let mut counts: Vec<u64> = counts.iter().copied().filter(|count| *count > 0).collect();
        counts.sort_unstable_by(|a, b| b.cmp(a));
        let total: u64 = counts.iter().sum();
        let mut before = Vec::with_capacity(counts.len() + 1);
        before.push(0_u64);
        for count in &counts {
            before.push(before[before.len() - 1] + count);
        }
        let share = |top: String, count: usize| ShareOfTop {
            top,
            count: count as u64,
            share_pct: 100.0 * before[count.min(counts.len())] as f64 / total.max(1) as f64,
        };
        let mut top: Vec<ShareOfTop> = [1, 3, 5, 10, 20, 50, 100]
            .into_iter()
            .filter(|count| *count <= counts.len())
            .map(|count| share(count.to_string(), count))
            .collect();
        if counts.len() >= 100 {
            let percents = [1_usize, 2, 5, 10];
            top.extend(
                percents.map(|percent| share(format!("{percent} %"), (counts.len() * percent).div_ceil(100))),
            );
        }
        let atoms = ATOMS.map(|atom| (atom, counts.iter().filter(|count| **count == atom).count() as u64));
        PopularityFigures {
            invocations: Spread::of(counts.iter().map(|count| *count as f64).collect()),
            top,
            atoms: atoms.to_vec(),
        }
    }
}
