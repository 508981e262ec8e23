//! Axes: their scale, bounds and ticks. Must never leave an axis without at least two ticks.

/// How values lie along an axis.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Scale {
    /// Evenly.
    Linear,
    /// By their logarithm; what is not above zero is left out.
    Log,
}

/// An axis.
#[derive(Clone, PartialEq, Debug)]
pub struct Axis {
    /// What is along it, with its unit.
    pub title: &'static str,
    /// How.
    pub scale: Scale,
    /// Bounds to keep to; of the data if not given.
    pub bounds: Option<(f64, f64)>,
}

impl Axis {
    /// An axis with this title, evenly, as long as the data.
    pub fn linear(title: &'static str) -> Axis {
        Axis { title, scale: Scale::Linear, bounds: None }
    }

    /// An axis by logarithm, as long as the data.
    pub fn log(title: &'static str) -> Axis {
        Axis { title, scale: Scale::Log, bounds: None }
    }

    /// From 0 to 100 %.
    pub fn percent(title: &'static str) -> Axis {
        Axis { title, scale: Scale::Linear, bounds: Some((0.0, 100.0)) }
    }

    /// From zero on.
    pub fn from_zero(title: &'static str, values: impl Iterator<Item = f64>) -> Axis {
        let most = values.fold(0.0, f64::max);
        Axis { title, scale: Scale::Linear, bounds: Some((0.0, if most > 0.0 { most * 1.05 } else { 1.0 })) }
    }

    /// A value's place along the axis; nothing if it has none.
    pub(super) fn place(&self, value: f64) -> Option<f64> {
        match self.scale {
            Scale::Linear => value.is_finite().then_some(value),
            Scale::Log => (value > 0.0 && value.is_finite()).then(|| value.log10()),
        }
    }

    /// Where the axis begins and ends, in places, for these places.
    pub(super) fn range(&self, places: impl Iterator<Item = f64>) -> (f64, f64) {
        if let Some((low, high)) = self.bounds {
            return (self.place(low).unwrap_or(low), self.place(high).unwrap_or(high));
        }
        let (low, high) = places
            .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), place| (low.min(place), high.max(place)));
        match self.scale {
            // Whole decades, so that the ends are labelled.
            Scale::Log => {
                let (low, high) = (low.floor(), high.ceil());
                if low < high { (low, high) } else { (low, low + 1.0) }
            }
            Scale::Linear if low < high => (low, high),
            Scale::Linear => (low - 0.5, low + 0.5),
        }
    }

    /// The text at a place.
    pub(super) fn label(&self, place: f64) -> String {
        match self.scale {
            Scale::Linear => short(place),
            Scale::Log => short(10_f64.powf(place)),
        }
    }

    /// How many ticks to ask for.
    pub(super) fn ticks(&self, range: (f64, f64), most: usize) -> usize {
        match self.scale {
            Scale::Linear => most,
            Scale::Log => ((range.1 - range.0).round() as usize + 1).clamp(2, most),
        }
    }
}

/// A number in few characters.
fn short(value: f64) -> String {
    let magnitude = value.abs();
    let (scaled, unit) = match magnitude {
        _ if magnitude >= 0.9995e9 => (value / 1e9, "G"),
        _ if magnitude >= 0.9995e6 => (value / 1e6, "M"),
        _ if magnitude >= 0.9995e4 => (value / 1e3, "k"),
        _ => (value, ""),
    };
    let digits = match scaled.abs() {
        _ if (scaled - scaled.round()).abs() < 1e-9 => 0,
        size if size >= 10.0 => 1,
        size if size >= 1.0 => 2,
        size if size >= 0.01 => 3,
        _ => 6,
    };
    let text = format!("{scaled:.digits$}");
    let text = if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.') } else { &text };
    format!("{text}{unit}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_short() {
        for (value, text) in [
            (0.0, "0"),
            (0.001, "0.001"),
            (0.25, "0.25"),
            (1.5, "1.5"),
            (999.0, "999"),
            (1_000.0, "1000"),
            (20_000.0, "20k"),
            (1e6, "1M"),
            (2.5e9, "2.5G"),
        ] {
            assert_eq!(short(value), text);
        }
    }

    #[test]
    fn an_axis_has_length_whatever_the_data() {
        let axis = Axis::log("x");
        assert_eq!(axis.range([axis.place(30.0).expect("positive")].into_iter()), (1.0, 2.0));
        assert_eq!(axis.place(0.0), None);
        assert_eq!(Axis::linear("x").range([3.0].into_iter()), (2.5, 3.5));
        assert_eq!(Axis::from_zero("x", [0.0].into_iter()).bounds, Some((0.0, 1.0)));
    }
}
