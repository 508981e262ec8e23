//! One panel: a title, two axes, lines. Must never draw a line's points outside the axes or an empty panel.

use plotters::prelude::*;

use super::COLOURS;
use super::axis::Axis;

/// A line.
#[derive(Clone, PartialEq, Debug)]
pub struct Line {
    /// What it is called; shown if there are several.
    pub name: String,
    /// Its points, in order.
    pub points: Vec<(f64, f64)>,
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
    /// The lines, in the order of their colours.
    pub lines: Vec<Line>,
}

/// So few points are marked: a line between them, if there is any, is hard to see.
const FEW: usize = 30;

/// Room at the right for the names of lines.
const LEGEND: i32 = 110;

impl Panel {
    fn places(&self, line: &Line) -> Vec<(f64, f64)> {
        line.points.iter().filter_map(|(x, y)| Some((self.x.place(*x)?, self.y.place(*y)?))).collect()
    }

    /// Whether anything can be drawn.
    pub(super) fn has_points(&self) -> bool {
        self.lines.iter().any(|line| !self.places(line).is_empty())
    }

    pub(super) fn draw<B: DrawingBackend>(
        &self,
        area: &DrawingArea<B, plotters::coord::Shift>,
    ) -> Result<(), String> {
        let failed = |error: DrawingAreaErrorKind<B::ErrorType>| error.to_string();
        let lines: Vec<Vec<(f64, f64)>> = self.lines.iter().map(|line| self.places(line)).collect();
        let x = self.x.range(lines.iter().flatten().map(|point| point.0));
        let y = self.y.range(lines.iter().flatten().map(|point| point.1));
        let (width, _) = area.dim_in_pixel();
        let legend = if self.lines.len() > 1 { LEGEND } else { 0 };
        let (plot, names) = area.split_horizontally(width as i32 - legend);
        let mut chart = ChartBuilder::on(&plot)
            .caption(&self.title, ("sans-serif", 16))
            .margin(12)
            .x_label_area_size(42)
            .y_label_area_size(58)
            .build_cartesian_2d(x.0..x.1, y.0..y.1)
            .map_err(failed)?;
        let (x_label, y_label) = (|place: &f64| self.x.label(*place), |place: &f64| self.y.label(*place));
        chart
            .configure_mesh()
            .x_desc(self.x.title)
            .y_desc(self.y.title)
            .x_labels(self.x.ticks(x, 7))
            .y_labels(self.y.ticks(y, 7))
            .x_max_light_lines(0)
            .y_max_light_lines(0)
            .bold_line_style(BLACK.mix(0.12))
            .axis_style(BLACK.mix(0.6))
            .label_style(("sans-serif", 12))
            .x_label_formatter(&x_label)
            .y_label_formatter(&y_label)
            .draw()
            .map_err(failed)?;
        for (points, colour) in lines.into_iter().zip(COLOURS.iter().cycle()) {
            let inside = points
                .into_iter()
                .filter(|point| (x.0..=x.1).contains(&point.0) && (y.0..=y.1).contains(&point.1));
            let inside: Vec<(f64, f64)> = inside.collect();
            if inside.len() <= FEW {
                let dots = inside.iter().map(|point| Circle::new(*point, 3, colour.filled()));
                chart.draw_series(dots).map_err(failed)?;
            }
            chart.draw_series(LineSeries::new(inside, colour.stroke_width(2))).map_err(failed)?;
        }
        if legend > 0 {
            self.draw_names(&names)?;
        }
        Ok(())
    }

    fn draw_names<B: DrawingBackend>(
        &self,
        area: &DrawingArea<B, plotters::coord::Shift>,
    ) -> Result<(), String> {
        let failed = |error: DrawingAreaErrorKind<B::ErrorType>| error.to_string();
        let style = ("sans-serif", 12).into_text_style(area);
        for ((nth, line), colour) in (0..).zip(&self.lines).zip(COLOURS.iter().cycle()) {
            let y = 48 + 18 * nth;
            let stroke = PathElement::new(vec![(2, y), (20, y)], colour.stroke_width(2));
            area.draw(&stroke).map_err(failed)?;
            area.draw_text(&line.name, &style, (26, y - 7)).map_err(failed)?;
        }
        Ok(())
    }
}
