//! Charts as inline SVG: a frame with axes, areas, lines with dashes and markers, stacked bars. Owns their geometry and the words
//! that stand for them where they are not seen; colours are the style's (classes). Must never need a script or a pointer.

use std::fmt::Write as _;

use super::html::Html;
use crate::results::plot::ticks::ticks;
use crate::results::plot::{Axis, Scale};

/// Size of a chart in its own units; the page scales it to the width there is.
const WIDTH: f64 = 440.0;
const HEIGHT: f64 = 250.0;
/// Where the field lies in it. The margins take labels of the size that phones need.
const LEFT: f64 = 50.0;
const RIGHT: f64 = 428.0;
const TOP: f64 = 28.0;
const BOTTOM: f64 = 208.0;

/// How many lines can be told apart: by colour, dash and marker together.
pub(super) const LOOKS: usize = 12;
const LINE_COLOURS: usize = 6;
const DASHES: [&str; 4] = ["none", "7 4", "2 3", "10 3 2 3"];

/// What is drawn in a chart.
pub(super) enum Layer {
    /// Between two heights: x, from, to. By class.
    Area(&'static str, Vec<(f64, f64, f64)>),
    /// The n-th of several lines; where there is nothing, it is broken.
    Line(usize, Vec<Option<(f64, f64)>>),
    /// Markers of the n-th line.
    Marks(usize, Vec<(f64, f64)>),
    /// A line of a class of its own.
    Rule(&'static str, Vec<(f64, f64)>),
}

/// A chart.
pub(super) struct Chart {
    /// Unique on the page; letters, digits and dashes.
    pub id: String,
    pub title: String,
    /// What is to be seen, in words.
    pub description: String,
    pub x: Axis,
    pub y: Axis,
    pub layers: Vec<Layer>,
}

/// Maps values of an axis to a length.
struct Along<'a> {
    axis: &'a Axis,
    range: (f64, f64),
    from: f64,
    until: f64,
}

impl Along<'_> {
    /// Where a value lies; values outside the axis lie at its end.
    fn at(&self, value: f64) -> f64 {
        let place = self.axis.place(value).unwrap_or(self.range.0);
        let part = (place - self.range.0) / (self.range.1 - self.range.0);
        self.from + part.clamp(0.0, 1.0) * (self.until - self.from)
    }

    /// Ticks with room for their labels, which are `room` wide along the axis. (The ticks of sheets are laid out in half
    /// pixels.)
    fn ticks(&self, room: impl Fn(&str) -> f64) -> Vec<(f64, String)> {
        let length = 2.0 * (self.until - self.from).abs();
        let found = ticks(self.axis, self.range, length as i32, |label| (2.0 * room(label)) as i32);
        let place = |place: f64| {
            let part = (place - self.range.0) / (self.range.1 - self.range.0);
            self.from + part * (self.until - self.from)
        };
        found.into_iter().map(|tick| (place(tick.place), tick.label)).collect()
    }
}

impl Chart {
    /// Writes it.
    pub(super) fn write(&self, html: &mut Html) {
        let places = |axis: &Axis, of: &dyn Fn(&Layer) -> Vec<f64>| -> Vec<f64> {
            self.layers.iter().flat_map(of).filter_map(|value| axis.place(value)).collect()
        };
        let x_places = places(&self.x, &|layer| layer.points().into_iter().map(|point| point.0).collect());
        let y_places = places(&self.y, &|layer| layer.points().into_iter().map(|point| point.1).collect());
        let x = Along { axis: &self.x, range: self.x.range(x_places.into_iter()), from: LEFT, until: RIGHT };
        let y = Along { axis: &self.y, range: self.y.range(y_places.into_iter()), from: BOTTOM, until: TOP };
        open(html, &self.id, &self.title, &self.description, HEIGHT);
        frame(html, &x, &y);
        for layer in &self.layers {
            layer.write(html, &x, &y);
        }
        html.raw("</svg>");
    }
}

/// The beginning of an image that is told by its title and description.
fn open(html: &mut Html, id: &str, title: &str, description: &str, height: f64) {
    let (title_id, description_id) = (format!("{id}-title"), format!("{id}-desc"));
    let labels = format!("{title_id} {description_id}");
    let view = format!("0 0 {WIDTH} {height}");
    html.open("svg", &[("role", "img"), ("viewBox", &view), ("aria-labelledby", &labels)]);
    html.leaf("title", &[("id", &title_id)], title);
    html.leaf("desc", &[("id", &description_id)], description);
}

fn frame(html: &mut Html, x: &Along<'_>, y: &Along<'_>) {
    for (at, label) in y.ticks(|_| 14.0) {
        let at = short(at);
        let (left, right) = (short(LEFT), short(RIGHT));
        html.open("path", &[("class", "grid"), ("d", &format!("M{left} {at}H{right}"))]);
        html.close("path");
        let place = [("x", &*short(LEFT - 6.0)), ("y", &at), ("dy", ".35em"), ("text-anchor", "end")];
        html.leaf("text", &place, &label);
    }
    let width = |label: &str| 8.5 * label.chars().count() as f64;
    for (at, label) in x.ticks(width) {
        let (from, until) = (short(BOTTOM), short(BOTTOM + 4.0));
        // Beside the end of the other axis a label begins at its tick: it would lie on the lowest label there.
        let anchor = if at - width(&label) / 2.0 < LEFT - 4.0 { "start" } else { "middle" };
        let at = short(at);
        html.open("path", &[("class", "tick"), ("d", &format!("M{at} {from}V{until}"))]);
        html.close("path");
        let place = [("x", &*at), ("y", &*short(BOTTOM + 18.0)), ("text-anchor", anchor)];
        html.leaf("text", &place, &label);
    }
    let axis = format!("M{} {}H{}", short(LEFT), short(BOTTOM), short(RIGHT));
    html.open("path", &[("class", "axis"), ("d", &axis)]);
    html.close("path");
    html.leaf("text", &[("class", "along"), ("x", "2"), ("y", "13")], y.axis.title);
    let place = [("x", &*short(RIGHT)), ("y", &*short(HEIGHT - 6.0)), ("text-anchor", "end")];
    html.leaf("text", &[&[("class", "along")], &place[..]].concat(), x.axis.title);
}

impl Layer {
    fn points(&self) -> Vec<(f64, f64)> {
        match self {
            Layer::Area(_, points) => {
                points.iter().flat_map(|(x, from, to)| [(*x, *from), (*x, *to)]).collect()
            }
            Layer::Line(_, points) => points.iter().flatten().copied().collect(),
            Layer::Marks(_, points) | Layer::Rule(_, points) => points.clone(),
        }
    }

    fn write(&self, html: &mut Html, x: &Along<'_>, y: &Along<'_>) {
        let place = |point: &(f64, f64)| (x.at(point.0), y.at(point.1));
        match self {
            Layer::Area(class, points) => {
                let upper = points.iter().map(|(at, _, to)| Some(place(&(*at, *to))));
                let lower = points.iter().rev().map(|(at, from, _)| Some(place(&(*at, *from))));
                let outline = path(upper.chain(lower)) + "Z";
                html.open("path", &[("class", class), ("d", &outline)]);
                html.close("path");
            }
            Layer::Line(nth, points) => {
                let d = path(points.iter().map(|point| point.as_ref().map(place)));
                let (class, dash) = look(*nth);
                html.open("path", &[("class", &class), ("stroke-dasharray", dash), ("d", &d)]);
                html.close("path");
            }
            Layer::Marks(nth, points) => {
                let d: String = points.iter().map(place).map(|at| marker(*nth, at)).collect();
                html.open("path", &[("class", &format!("mark f{}", nth % LINE_COLOURS)), ("d", &d)]);
                html.close("path");
            }
            Layer::Rule(class, points) => {
                let d = path(points.iter().map(|point| Some(place(point))));
                html.open("path", &[("class", class), ("d", &d)]);
                html.close("path");
            }
        }
    }
}

/// Class and dashes of the n-th line.
fn look(nth: usize) -> (String, &'static str) {
    (format!("line s{}", nth % LINE_COLOURS), DASHES[nth % DASHES.len()])
}

/// A marker's outline; another in each of six lines, and for six more drawn smaller.
fn marker(nth: usize, (x, y): (f64, f64)) -> String {
    let r = if nth < LINE_COLOURS { 4.0 } else { 2.6 };
    let corners = |corners: &[(f64, f64)]| {
        let corners = corners.iter().map(|(dx, dy)| Some((x + r * dx, y + r * dy)));
        path(corners) + "Z"
    };
    match nth % LINE_COLOURS {
        0 => {
            let (left, top, wide) = (short(x - r), short(y), short(2.0 * r));
            let r = short(r);
            format!("M{left} {top}a{r} {r} 0 1 0 {wide} 0a{r} {r} 0 1 0 -{wide} 0Z")
        }
        1 => corners(&[(-0.9, -0.9), (0.9, -0.9), (0.9, 0.9), (-0.9, 0.9)]),
        2 => corners(&[(0.0, -1.2), (1.1, 0.8), (-1.1, 0.8)]),
        3 => corners(&[(0.0, -1.3), (1.3, 0.0), (0.0, 1.3), (-1.3, 0.0)]),
        4 => corners(&[(0.0, 1.2), (1.1, -0.8), (-1.1, -0.8)]),
        _ => corners(&[
            (-1.2, -0.4),
            (-0.4, -0.4),
            (-0.4, -1.2),
            (0.4, -1.2),
            (0.4, -0.4),
            (1.2, -0.4),
            (1.2, 0.4),
            (0.4, 0.4),
            (0.4, 1.2),
            (-0.4, 1.2),
            (-0.4, 0.4),
            (-1.2, 0.4),
        ]),
    }
}

/// A path through points; begun anew where there is none. What would not move it by a tenth of a unit is left out.
fn path(points: impl Iterator<Item = Option<(f64, f64)>>) -> String {
    let mut d = String::new();
    let mut last: Option<(String, String)> = None;
    for point in points {
        let Some((x, y)) = point else {
            last = None;
            continue;
        };
        let next = (short(x), short(y));
        if last.as_ref() == Some(&next) {
            continue;
        }
        let command = match &last {
            None => format!("M{} {}", next.0, next.1),
            Some((_, y)) if *y == next.1 => format!("H{}", next.0),
            Some((x, _)) if *x == next.0 => format!("V{}", next.1),
            Some(_) => format!("L{} {}", next.0, next.1),
        };
        d.push_str(&command);
        last = Some(next);
    }
    d
}

/// A coordinate to a tenth.
fn short(value: f64) -> String {
    let mut text = String::new();
    let tenths = (value * 10.0).round() as i64;
    let _ = match tenths % 10 {
        0 => write!(text, "{}", tenths / 10),
        part => {
            write!(text, "{}{}.{}", if tenths < 0 { "-" } else { "" }, (tenths / 10).abs(), part.abs())
        }
    };
    text
}

/// Swatches with names: the lines of a chart.
pub(super) fn line_legend(html: &mut Html, names: &[(usize, String)]) {
    html.raw("<ul class=\"legend\">");
    for (nth, name) in names {
        html.raw("<li><svg viewBox=\"0 0 34 12\" aria-hidden=\"true\">");
        let (class, dash) = look(*nth);
        html.open("path", &[("class", &class), ("stroke-dasharray", dash), ("d", "M1 6H33")]);
        html.close("path");
        let colour = format!("mark f{}", nth % LINE_COLOURS);
        html.open("path", &[("class", &colour), ("d", &marker(*nth, (17.0, 6.0)))]);
        html.raw("</path></svg>");
        html.text(name);
        html.raw("</li>");
    }
    html.raw("</ul>");
}

/// Swatches with names: areas, or parts of bars, by class.
pub(super) fn area_legend(html: &mut Html, names: &[(&str, String)]) {
    html.raw("<ul class=\"legend\">");
    for (class, name) in names {
        html.raw("<li><svg viewBox=\"0 0 18 12\" aria-hidden=\"true\">");
        html.open("path", &[("class", class), ("d", "M1 1H17V11H1Z")]);
        html.raw("</path></svg>");
        html.text(name);
        html.raw("</li>");
    }
    html.raw("</ul>");
}

/// One bar of a stack: what it is called, and its parts.
pub(super) struct Bar {
    pub name: String,
    /// Class, what it is in words, share from 0 to 1.
    pub parts: Vec<(&'static str, String, f64)>,
}

/// Stacked bars of equal length, one below the other. Names are above their bars.
pub(super) fn bars(html: &mut Html, id: &str, title: &str, description: &str, bars: &[Bar]) {
    const STEP: f64 = 44.0;
    let named = bars.len() > 1;
    let step = if named { STEP } else { STEP - 16.0 };
    open(html, id, title, description, bars.len() as f64 * step);
    for (nth, bar) in bars.iter().enumerate() {
        let top = nth as f64 * step + if named { 20.0 } else { 2.0 };
        if named {
            let name: String = match bar.name.chars().count() {
                0..=48 => bar.name.clone(),
                _ => bar.name.chars().take(47).chain(['…']).collect(),
            };
            html.leaf("text", &[("x", "0"), ("y", &short(top - 6.0))], &name);
        }
        let mut from = 0.0;
        for (class, words, share) in &bar.parts {
            let until = from + share * WIDTH;
            let (left, right) = (short(from), short(until));
            let d = format!("M{left} {}H{right}V{}H{left}Z", short(top), short(top + 22.0));
            html.open("path", &[("class", &format!("part {class}")), ("d", &d)]);
            html.leaf("title", &[], words);
            html.close("path");
            from = until;
        }
    }
    html.raw("</svg>");
}

/// The look of a logarithmic axis that begins at what is above zero.
pub(super) fn log_axis(title: &'static str, values: impl Iterator<Item = f64>) -> Axis {
    let positive = values.filter(|value| *value > 0.0 && value.is_finite());
    let (low, high) =
        positive.fold((f64::INFINITY, 0.0_f64), |(low, high), value| (low.min(value), high.max(value)));
    let bounds = (low < high).then_some((low / 1.1, high * 1.1));
    Axis { bounds, scale: Scale::Log, ..Axis::log(title) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn coordinates_are_short() {
        for (value, text) in [(0.0, "0"), (12.04, "12"), (12.06, "12.1"), (-0.3, "-0.3"), (-4.96, "-5")] {
            assert_eq!(short(value), text);
        }
    }

    #[test]
    fn paths_are_broken_where_there_is_nothing_and_leave_out_what_does_not_move() {
        let points =
            [Some((0.0, 0.0)), Some((5.0, 0.0)), Some((5.0, 3.0)), None, Some((6.0, 3.0)), Some((6.01, 3.0))];
        assert_eq!(path(points.into_iter()), "M0 0H5V3M6 3");
    }

    #[test]
    fn looks_differ_by_more_than_colour() {
        let looks: Vec<_> = (0..LOOKS).map(|nth| (look(nth), marker(nth, (0.0, 0.0)))).collect();
        for (nth, one) in looks.iter().enumerate() {
            assert!(looks[..nth].iter().all(|other| other.1 != one.1), "{nth} has a marker of its own");
            assert!(looks[..nth].iter().all(|other| other.0 != one.0), "{nth} has a line of its own");
        }
    }

    #[test]
    fn what_is_outside_lies_at_the_end() {
        let axis = log_axis("ms", [0.0, 1.0, 100.0].into_iter());
        let along = Along { range: axis.range(std::iter::empty()), axis: &axis, from: 0.0, until: 100.0 };
        assert_eq!(along.at(0.0), 0.0);
        assert_eq!(along.at(1e9), 100.0);
        assert!((along.at(10.0) - 50.0).abs() < 1e-9);
    }
}
