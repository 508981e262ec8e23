//! Quantiles of a figure over functions or invocations. Must never interpolate: every quantile is a value
//! that occurs, or the end of the bucket it lies in.

use serde::Serialize;

use crate::tally::Quantiles;

/// Which quantiles are told, in percent.
pub const AT: [f64; 11] = [0.0, 1.0, 5.0, 10.0, 25.0, 50.0, 75.0, 90.0, 95.0, 99.0, 100.0];

/// Mean, standard deviation and quantiles.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct Spread {
    /// How many values there are.
    pub count: u64,
    /// Their mean.
    pub mean: f64,
    /// Their standard deviation; not known of values in buckets.
    pub sd: Option<f64>,
    /// The quantiles at [`AT`]: the least value that at least so many percent do not exceed.
    pub quantiles: [f64; AT.len()],
}

impl Spread {
    /// Of these values.
    pub(super) fn of(values: Vec<f64>) -> Spread {
        Spread::with_zeros(values, 0)
    }

    /// Of these values, none negative, and so many zeros.
    pub(super) fn with_zeros(mut values: Vec<f64>, zeros: u64) -> Spread {
        values.sort_by(f64::total_cmp);
        let count = values.len() as u64 + zeros;
        let all = count.max(1) as f64;
        let mean = values.iter().sum::<f64>() / all;
        let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
        let variance = (squares + zeros as f64 * mean * mean) / all;
        let quantiles = AT.map(|percent| at(&values, zeros, percent / 100.0));
        Spread { count, mean, sd: Some(variance.sqrt()), quantiles }
    }

    /// Of spans in buckets, in ms.
    pub(super) fn of_spans(spans: &Quantiles) -> Spread {
        Spread {
            count: spans.count(),
            mean: spans.mean().as_ms_f64(),
            sd: None,
            quantiles: AT.map(|percent| spans.at(percent / 100.0).as_ms_f64()),
        }
    }

    /// The quantile at one of [`AT`].
    pub fn at(&self, percent: f64) -> f64 {
        AT.iter().position(|known| *known == percent).map_or(f64::NAN, |place| self.quantiles[place])
    }
}

/// The quantile of zeros and sorted values; 0 if there are none.
fn at(values: &[f64], zeros: u64, part: f64) -> f64 {
    let place = ((values.len() as f64 + zeros as f64) * part).ceil().max(1.0) as u64;
    place.checked_sub(zeros + 1).and_then(|place| values.get(place as usize)).copied().unwrap_or(0.0)
}
