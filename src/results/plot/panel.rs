//! One panel: a title, two axes, lines and bands. Must never draw a line's points outside the axes or an empty
//! panel; names of lines are `legend`'s.

use plotters::prelude::*;

use super::axis::Axis;
use super::look::{Look, MARK, Marker, Stroke};
use super::text;
use super::ticks::{Tick, Ticked, ticks};

/// A line, or points, or a band, or all of these under one name.
#[derive(Clone, PartialEq, Debug)]
pub struct Line {
    /// What it is called in the legend; without name it is not listed.
    pub name: String,
    /// Its points, in order.
    pub points: Vec<(f64, f64)>,
    /// Ascending x with a lower and an upper end, filled between.
    pub band: Vec<(f64, f64, f64)>,
    /// How much of what is behind the band it hides, from 0 to 1.
    pub opacity: f64,
    /// How it looks.
    pub look: Look,
}

impl Line {
    /// A line through points.
    pub fn new(name: impl Into<String>, look: Look, points: Vec<(f64, f64)>) -> Line {
        Line { name: name.into(), points, band: Vec::new(), opacity: 0.2, look }
    }

    /// With a band around it, of ascending x with a lower and an upper end, lightly filled.
    #[must_use]
    pub fn with_band(self, band: Vec<(f64, f64, f64)>) -> Line {
        Line { band, ..self }
    }

    /// How it looks on a panel and in its legend: a single point is marked, whatever joins several.
    pub(super) fn drawn_look(&self) -> Look {
        match (self.points.len(), self.look.marker) {
            (1, Marker::None) => Look { marker: Marker::Ring, ..self.look },
            _ => self.look,
        }
    }

    /// An area between a lower and an upper end, fully filled.
    pub fn area(name: impl Into<String>, colour: RGBColor, band: Vec<(f64, f64, f64)>) -> Line {
        let look = Look { colour, stroke: Stroke::None, marker: Marker::None };
        Line { band, opacity: 0.85, ..Line::new(name, look, Vec::new()) }
    }
}

/// A panel.
#[derive(Clone, PartialEq, Debug)]
pub struct Panel {
    /// What it shows.
    pub title: String,
    /// The axis below.
    pub x: Axis,
    /// The axis at the left.
    pub y: Axis,
    /// The lines, those in front last.
    pub lines: Vec<Line>,
}

/// Up to so many points of a line are all marked.
const FEW: usize = 16;
/// Of more points without a line than these, one of those on the same pixel is drawn.
const MANY: usize = 5_000;
/// Of a longer line, so many are.
const MARKS: usize = 9;

/// Width and height of the field between the axes, in pixels.
pub(super) const FIELD: (i32, i32) = (840, 540);
/// Room above for the title, and right of the field for half a label.
const TITLE: i32 = 64;
const RIGHT: i32 = 44;
/// Room around.
const MARGIN: i32 = 20;
/// Room below for labels and what is along the axis.
const BELOW: i32 = 84;
/// Sizes of letters.
const TITLE_SIZE: i32 = 32;
const AXIS_SIZE: i32 = 27;
const LABEL_SIZE: i32 = 25;

/// Where everything in a panel is.
pub(super) struct Layout {
    x: (f64, f64),
    y: (f64, f64),
    x_ticks: Vec<Tick>,
    y_ticks: Vec<Tick>,
    /// Room for the labels at the left and what is along the axis.
    left: i32,
    /// Room left of these, so that fields of several panels begin at the same place.
    indent: i32,
}

impl Layout {
    /// From the panel's left to its field, in pixels.
    pub(super) fn to_field(&self) -> i32 {
        MARGIN + self.indent + self.left
    }

    /// Moves the field to the right, to so many pixels from the panel's left.
    pub(super) fn indent(&mut self, to_field: i32) {
        self.indent += (to_field - self.to_field()).max(0);
    }

    /// Width of the panel without legend, and its height, in pixels.
    pub(super) fn size(&self) -> (i32, i32) {
        (self.to_field() + MARGIN + FIELD.0 + RIGHT, 2 * MARGIN + TITLE + FIELD.1 + BELOW)
    }
}

impl Panel {
    fn places(&self, points: &[(f64, f64)]) -> Vec<(f64, f64)> {
        points.iter().filter_map(|(x, y)| Some((self.x.place(*x)?, self.y.place(*y)?))).collect()
    }

    fn band_places(&self, band: &[(f64, f64, f64)]) -> Vec<(f64, f64, f64)> {
        let place = |(x, low, high): &(f64, f64, f64)| {
            Some((self.x.place(*x)?, self.y.place(*low)?, self.y.place(*high)?))
        };
        band.iter().filter_map(place).collect()
    }

    /// Whether anything can be drawn.
    pub(super) fn has_points(&self) -> bool {
        self.lines
            .iter()
            .any(|line| !self.places(&line.points).is_empty() || self.band_places(&line.band).len() > 1)
    }

    pub(super) fn layout(&self) -> Layout {
        let points: Vec<(f64, f64)> = self.lines.iter().flat_map(|line| self.places(&line.points)).collect();
        let bands: Vec<(f64, f64, f64)> =
            self.lines.iter().flat_map(|line| self.band_places(&line.band)).collect();
        let along = points.iter().map(|point| point.0).chain(bands.iter().map(|band| band.0));
        let x = self.x.range(along);
        let up = points.iter().map(|point| point.1);
        let y = self.y.range(up.chain(bands.iter().flat_map(|band| [band.1, band.2])));
        let x_ticks = ticks(&self.x, x, FIELD.0, |label| text::width(label, LABEL_SIZE));
        let y_ticks = ticks(&self.y, y, FIELD.1, |_| LABEL_SIZE);
        let widest = y_ticks.iter().map(|tick| text::width(&tick.label, LABEL_SIZE)).max().unwrap_or(0);
        let title = if self.y.title.is_empty() { 0 } else { AXIS_SIZE + 22 };
        Layout { x, y, x_ticks, y_ticks, left: widest + title + 26, indent: 0 }
    }

    /// Draws the panel into the upper left of an area.
    pub(super) fn draw<B: DrawingBackend>(
        &self,
        area: &DrawingArea<B, plotters::coord::Shift>,
        layout: &Layout,
    ) -> Result<(), String> {
        let failed = |error: DrawingAreaErrorKind<B::ErrorType>| error.to_string();
        let size = layout.size();
        let plot = area.clone().shrink((0, 0), size);
        let title = ("sans-serif", TITLE_SIZE).into_text_style(&plot);
        plot.draw_text(&self.title, &title, (layout.to_field(), MARGIN + 4)).map_err(failed)?;
        let along = |range, ticks: &[Tick]| Ticked { range, ticks: ticks.to_vec() };
        let (x, y) = (along(layout.x, &layout.x_ticks), along(layout.y, &layout.y_ticks));
        let mut chart = ChartBuilder::on(&plot)
            .margin_left(MARGIN + layout.indent)
            .margin_right(MARGIN + RIGHT)
            .margin_top(MARGIN + TITLE)
            .margin_bottom(MARGIN)
            .x_label_area_size(BELOW)
            .y_label_area_size(layout.left)
            .build_cartesian_2d(x, y)
            .map_err(failed)?;
        let mut mesh = chart.configure_mesh();
        mesh.axis_desc_style(("sans-serif", AXIS_SIZE))
            .set_all_tick_mark_size(10)
            .bold_line_style(BLACK.mix(0.13).stroke_width(2))
            .axis_style(BLACK.mix(0.6).stroke_width(2))
            .label_style(("sans-serif", LABEL_SIZE));
        if !self.x.title.is_empty() {
            mesh.x_desc(self.x.title);
        }
        if !self.y.title.is_empty() {
            mesh.y_desc(self.y.title);
        }
        mesh.draw().map_err(failed)?;
        let corner = plot.get_base_pixel();
        let pixel = |x: f64, y: f64| {
            let (x, y) = chart.backend_coord(&(x, y));
            (x - corner.0, y - corner.1)
        };
        for line in &self.lines {
            self.draw_line(&plot, line, layout, &pixel).map_err(failed)?;
        }
        Ok(())
    }

    fn draw_line<B: DrawingBackend>(
        &self,
        plot: &DrawingArea<B, plotters::coord::Shift>,
        line: &Line,
        layout: &Layout,
        pixel: &dyn Fn(f64, f64) -> (i32, i32),
    ) -> Result<(), DrawingAreaErrorKind<B::ErrorType>> {
        let (low, high) = (layout.y.0.min(layout.y.1), layout.y.0.max(layout.y.1));
        let band = self.band_places(&line.band);
        let band = band.iter().filter(|(x, ..)| (layout.x.0..=layout.x.1).contains(x));
        let upper = band.clone().map(|(x, _, to)| pixel(*x, to.clamp(low, high)));
        let lower = band.rev().map(|(x, from, _)| pixel(*x, from.clamp(low, high)));
        let outline: Vec<(i32, i32)> = upper.chain(lower).collect();
        if outline.len() > 2 {
            plot.draw(&Polygon::new(outline, line.look.colour.mix(line.opacity)))?;
        }
        let inside = self.places(&line.points).into_iter();
        let inside =
            inside.filter(|(x, y)| (layout.x.0..=layout.x.1).contains(x) && (low..=high).contains(y));
        let mut points: Vec<(i32, i32)> = inside.map(|(x, y)| pixel(x, y)).collect();
        if line.look.stroke == Stroke::None {
            if points.len() > MANY {
                points.sort_unstable();
                points.dedup();
            }
            return points.iter().try_for_each(|point| line.look.mark(plot, *point));
        }
        line.look.join(plot, &points)?;
        let look = line.drawn_look();
        spread(&points).try_for_each(|point| look.mark(plot, point))
    }
}

/// The points that are marked: all of few, of many those that lie about evenly along the line.
fn spread(points: &[(i32, i32)]) -> Box<dyn Iterator<Item = (i32, i32)> + '_> {
    if points.len() <= FEW {
        return Box::new(points.iter().copied());
    }
    let step =
        |pair: &[(i32, i32)]| (f64::from(pair[1].0 - pair[0].0)).hypot(f64::from(pair[1].1 - pair[0].1));
    let whole: f64 = points.windows(2).map(step).sum();
    let every = (whole / MARKS as f64).max(f64::from(4 * MARK));
    let mut since = every / 2.0;
    Box::new(points.windows(2).filter_map(move |pair| {
        since += step(pair);
        (since >= every).then(|| {
            since = 0.0;
            pair[1]
        })
    }))
}
