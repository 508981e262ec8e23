//! How lines look, so that they are told apart in print and by the colour-blind: colour, stroke and marker
//! together. Must never know what a line means.

use plotters::element::DashedPathElement;
use plotters::prelude::*;

/// Okabe and Ito's colours, told apart by the colour-blind too; the darkest first.
pub const COLOURS: [RGBColor; 7] = [
    RGBColor(0, 114, 178),
    RGBColor(213, 94, 0),
    RGBColor(0, 158, 115),
    RGBColor(204, 121, 167),
    RGBColor(230, 159, 0),
    RGBColor(86, 180, 233),
    RGBColor(0, 0, 0),
];

/// For what is not one of several: bounds, limits.
pub const GREY: RGBColor = RGBColor(110, 110, 110);

/// How many looks [`Look::nth`] tells apart.
pub const LOOKS: usize = 2 * COLOURS.len();

/// How points are joined.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Stroke {
    /// Not at all.
    None,
    /// By a solid line.
    Solid,
    /// By a thin one, for what goes up and down before something else.
    Thin,
    /// By dashes.
    Dashed,
    /// By dots.
    Dotted,
}

/// What stands at points.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Marker {
    /// Nothing, unless a line has only one point.
    None,
    /// A disc.
    Disc,
    /// A square.
    Square,
    /// A triangle, point upwards.
    Triangle,
    /// A diamond.
    Diamond,
    /// A triangle, point downwards.
    Arrow,
    /// A cross, upright.
    Plus,
    /// A cross.
    Cross,
    /// A circle around whatever else lies there.
    Ring,
    /// A small disc that is seen through, for hundreds of points.
    Dot,
    /// A smaller and fainter one, for thousands.
    Speck,
}

const MARKERS: [Marker; 7] = [
    Marker::Disc,
    Marker::Square,
    Marker::Triangle,
    Marker::Diamond,
    Marker::Arrow,
    Marker::Plus,
    Marker::Cross,
];

/// Colour, stroke and marker.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Look {
    /// The colour of all of it.
    pub colour: RGBColor,
    /// How points are joined.
    pub stroke: Stroke,
    /// What stands at points: at each of few, at some of many.
    pub marker: Marker,
}

impl Look {
    /// The look of the n-th of several lines; up to [`LOOKS`] differ by colour and marker, and by stroke from
    /// one round of colours to the next.
    pub fn nth(nth: usize) -> Look {
        let round = nth / COLOURS.len();
        let stroke = if round.is_multiple_of(2) { Stroke::Solid } else { Stroke::Dashed };
        // Another marker in each round, so that looks differ even where strokes have a meaning of their own.
        Look { colour: COLOURS[nth % COLOURS.len()], stroke, marker: MARKERS[(nth + round) % MARKERS.len()] }
    }

    /// A solid line without markers in the n-th colour.
    pub fn plain(nth: usize) -> Look {
        Look { marker: Marker::None, ..Look::nth(nth) }
    }
}

/// Half the width of a marker in pixels.
pub(super) const MARK: i32 = 9;
/// Width of lines in pixels.
const WIDTH: u32 = 4;

type Area<B> = DrawingArea<B, plotters::coord::Shift>;
type Drawn<B> = Result<(), DrawingAreaErrorKind<<B as DrawingBackend>::ErrorType>>;

impl Look {
    /// Joins points, given in pixels of the area.
    pub(super) fn join<B: DrawingBackend>(&self, area: &Area<B>, points: &[(i32, i32)]) -> Drawn<B> {
        let style = self.colour.stroke_width(WIDTH);
        match self.stroke {
            _ if points.len() < 2 => Ok(()),
            Stroke::None => Ok(()),
            Stroke::Thin => {
                area.draw(&PathElement::new(points.to_vec(), self.colour.stroke_width(WIDTH / 2)))
            }
            Stroke::Solid => area.draw(&PathElement::new(points.to_vec(), style)),
            Stroke::Dashed => area.draw(&DashedPathElement::new(points.iter().copied(), 16, 10, style)),
            Stroke::Dotted => area.draw(&DashedPathElement::new(points.iter().copied(), 4, 8, style)),
        }
    }

    /// Puts a marker on a point, given in pixels of the area.
    pub(super) fn mark<B: DrawingBackend>(&self, area: &Area<B>, (x, y): (i32, i32)) -> Drawn<B> {
        let filled = self.colour.filled();
        let polygon = |corners: &[(i32, i32)]| {
            let corners: Vec<(i32, i32)> = corners.iter().map(|(dx, dy)| (x + dx, y + dy)).collect();
            area.draw(&Polygon::new(corners, filled))
        };
        let stroke = |from: (i32, i32), to: (i32, i32)| {
            let ends = vec![(x + from.0, y + from.1), (x + to.0, y + to.1)];
            area.draw(&PathElement::new(ends, self.colour.stroke_width(WIDTH)))
        };
        const R: i32 = MARK;
        match self.marker {
            Marker::None => Ok(()),
            Marker::Disc => area.draw(&Circle::new((x, y), R - 1, filled)),
            Marker::Ring => area.draw(&Circle::new((x, y), R + 5, self.colour.stroke_width(WIDTH))),
            Marker::Dot => area.draw(&Circle::new((x, y), R - 3, self.colour.mix(0.45).filled())),
            Marker::Speck => area.draw(&Circle::new((x, y), R - 6, self.colour.mix(0.3).filled())),
            Marker::Square => polygon(&[(-R + 1, -R + 1), (R - 1, -R + 1), (R - 1, R - 1), (-R + 1, R - 1)]),
            Marker::Triangle => polygon(&[(0, -R - 1), (R + 1, R - 2), (-R - 1, R - 2)]),
            Marker::Arrow => polygon(&[(0, R + 1), (R + 1, -R + 2), (-R - 1, -R + 2)]),
            Marker::Diamond => polygon(&[(0, -R - 2), (R + 2, 0), (0, R + 2), (-R - 2, 0)]),
            Marker::Plus => stroke((-R, 0), (R, 0)).and_then(|()| stroke((0, -R), (0, R))),
            Marker::Cross => stroke((-R, -R), (R, R)).and_then(|()| stroke((-R, R), (R, -R))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn looks_differ() {
        let looks: Vec<Look> = (0..LOOKS).map(Look::nth).collect();
        for (nth, look) in looks.iter().enumerate() {
            let same = |other: &&Look| (other.colour, other.marker) == (look.colour, look.marker);
            assert_eq!(looks[..nth].iter().find(same), None, "{nth}: {look:?}");
        }
        assert!(looks.iter().take(COLOURS.len()).all(|look| look.stroke == Stroke::Solid));
    }
}
