//! The names of lines, with a sample of each. Owns the legend's room; must never lie over data.

use plotters::prelude::*;

use super::look::Look;
use super::panel::{Line, Panel};
use super::text;

/// Size of letters.
const SIZE: i32 = 25;
/// From line to line of text, and from entry to entry.
const LEADING: i32 = 30;
const BETWEEN: i32 = 8;
/// Room of the sample of a line.
const SAMPLE: i32 = 64;
/// Most room for a name before it is broken.
const NAME: i32 = 420;
/// Room at the left, and between sample and name.
const MARGIN: i32 = 14;
/// Room at the right, for fonts that are wider than that of the plots.
const RIGHT: i32 = 28;

/// What is named, in order.
pub(super) struct Legend {
    entries: Vec<Entry>,
}

struct Entry {
    name: Vec<String>,
    look: Look,
    /// Opacity of its band.
    band: Option<f64>,
}

impl Entry {
    fn height(&self) -> i32 {
        LEADING * self.name.len() as i32 + BETWEEN
    }
}

impl Legend {
    /// The lines of panels; those of one name stand once.
    pub(super) fn of(panels: &[&Panel]) -> Legend {
        let mut named: Vec<&Line> = Vec::new();
        for line in panels.iter().flat_map(|panel| &panel.lines).filter(|line| !line.name.is_empty()) {
            match named.iter_mut().find(|known| known.name == line.name) {
                // The sample shows the band where any panel has one.
                Some(known) if known.band.is_empty() && !line.band.is_empty() => *known = line,
                Some(_) => {}
                None => named.push(line),
            }
        }
        let entry = |line: &Line| Entry {
            name: text::wrapped(&line.name, SIZE, NAME),
            look: line.drawn_look(),
            band: (!line.band.is_empty()).then_some(line.opacity),
        };
        Legend { entries: named.into_iter().map(entry).collect() }
    }

    /// Width and height in pixels; nothing if there is nothing to name.
    pub(super) fn size(&self) -> (i32, i32) {
        let names = self.entries.iter().flat_map(|entry| &entry.name);
        match names.map(|line| text::width(line, SIZE)).max() {
            Some(widest) => (
                2 * MARGIN + SAMPLE + widest + RIGHT,
                self.entries.iter().map(Entry::height).sum::<i32>() + 2 * BETWEEN,
            ),
            None => (0, 0),
        }
    }

    /// Draws it into the upper left of an area.
    pub(super) fn draw<B: DrawingBackend>(
        &self,
        area: &DrawingArea<B, plotters::coord::Shift>,
    ) -> Result<(), DrawingAreaErrorKind<B::ErrorType>> {
        let style = ("sans-serif", SIZE).into_text_style(area);
        let mut y = BETWEEN;
        for entry in &self.entries {
            let middle = y + LEADING / 2;
            if let Some(opacity) = entry.band {
                let corners = [(MARGIN, middle - 11), (MARGIN + SAMPLE, middle + 11)];
                area.draw(&Rectangle::new(corners, entry.look.colour.mix(opacity).filled()))?;
            }
            entry.look.join(area, &[(MARGIN, middle), (MARGIN + SAMPLE, middle)])?;
            entry.look.mark(area, (MARGIN + SAMPLE / 2, middle))?;
            for (nth, line) in (0..).zip(&entry.name) {
                area.draw_text(line, &style, (2 * MARGIN + SAMPLE, y + LEADING * nth + 5))?;
            }
            y += entry.height();
        }
        Ok(())
    }
}
