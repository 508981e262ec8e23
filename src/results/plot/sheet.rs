//! A sheet: a title and panels in rows, each with its legend or all with one. Owns where panels are; must never
//! leave room for a panel that has nothing to show.

use plotters::prelude::*;

use super::legend::Legend;
use super::panel::{Layout, Panel};
use super::text;

/// What is drawn into one file.
#[derive(Clone, PartialEq, Debug)]
pub struct Sheet {
    /// What it is about.
    pub title: String,
    /// What is to be known about all panels, below the title.
    pub notes: Vec<String>,
    /// The panels, row by row. Those without points are left out.
    pub panels: Vec<Panel>,
    /// Whether lines of the same name are the same in all panels: then one legend serves all.
    pub one_legend: bool,
}

/// Sizes of letters, and from line to line.
const TITLE_SIZE: i32 = 38;
const NOTE_SIZE: i32 = 27;
const TITLE_LEADING: i32 = 48;
const NOTE_LEADING: i32 = 36;
/// Room around the title and below everything.
const MARGIN: i32 = 28;
/// The legend of a panel begins where its field does.
const LEGEND_TOP: i32 = 76;

/// A panel, laid out.
struct Laid<'a> {
    panel: &'a Panel,
    layout: Layout,
    legend: Legend,
}

impl Laid<'_> {
    fn width(&self) -> i32 {
        self.layout.size().0 + self.legend.size().0
    }

    fn height(&self) -> i32 {
        self.layout.size().1.max(LEGEND_TOP + self.legend.size().1)
    }
}

/// Everything on a sheet, with its size.
pub(super) struct Page<'a> {
    title: Vec<String>,
    notes: Vec<String>,
    rows: Vec<Vec<Laid<'a>>>,
    widths: Vec<i32>,
    heights: Vec<i32>,
    legend: Legend,
}

impl Sheet {
    /// A sheet on which each panel has a legend of its own.
    pub fn new(title: String, panels: Vec<Panel>) -> Sheet {
        Sheet { title, notes: Vec::new(), panels, one_legend: false }
    }

    /// Where everything is; nothing if there is nothing to draw.
    pub(super) fn page(&self) -> Option<Page<'_>> {
        let panels: Vec<&Panel> = self.panels.iter().filter(|panel| panel.has_points()).collect();
        let columns = match panels.len() {
            0 => return None,
            many @ 1..=3 => many,
            4 => 2,
            _ => 3,
        };
        let lay = |panel| {
            let own: &[&Panel] = if self.one_legend { &[] } else { &[panel] };
            Laid { panel, layout: panel.layout(), legend: Legend::of(own) }
        };
        let all: &[&Panel] = if self.one_legend { &panels } else { &[] };
        let legend = Legend::of(all);
        let mut rows: Vec<Vec<Laid>> = Vec::new();
        for (nth, panel) in panels.iter().enumerate() {
            if nth % columns == 0 {
                rows.push(Vec::new());
            }
            rows.last_mut()?.push(lay(*panel));
        }
        // Fields of one column begin at the same place.
        for column in 0..columns {
            let of_column = || rows.iter().filter_map(|row| row.get(column));
            let furthest = of_column().map(|laid| laid.layout.to_field()).max().unwrap_or_default();
            let of_column = rows.iter_mut().filter_map(|row| row.get_mut(column));
            of_column.for_each(|laid| laid.layout.indent(furthest));
        }
        let width = |column: usize| rows.iter().filter_map(|row| row.get(column)).map(Laid::width).max();
        let widths: Vec<i32> = (0..columns).filter_map(width).collect();
        let heights: Vec<i32> = rows.iter().filter_map(|row| row.iter().map(Laid::height).max()).collect();
        let room = widths.iter().sum::<i32>() + legend.size().0 - 2 * MARGIN;
        let title = text::wrapped(&self.title, TITLE_SIZE, room);
        let notes = self.notes.iter().flat_map(|note| text::wrapped(note, NOTE_SIZE, room)).collect();
        Some(Page { title, notes, rows, widths, heights, legend })
    }
}

impl Page<'_> {
    fn head(&self) -> i32 {
        MARGIN + TITLE_LEADING * self.title.len() as i32 + NOTE_LEADING * self.notes.len() as i32
    }

    /// Width and height in pixels.
    pub(super) fn size(&self) -> (u32, u32) {
        let width = self.widths.iter().sum::<i32>() + self.legend.size().0;
        let panels = self.heights.iter().sum::<i32>().max(LEGEND_TOP + self.legend.size().1);
        (width as u32, (self.head() + panels + MARGIN / 2) as u32)
    }

    pub(super) fn draw<B: DrawingBackend>(
        &self,
        area: &DrawingArea<B, plotters::coord::Shift>,
    ) -> Result<(), String> {
        let failed = |error: DrawingAreaErrorKind<B::ErrorType>| error.to_string();
        area.fill(&WHITE).map_err(failed)?;
        let mut y = MARGIN;
        for (lines, size, leading) in
            [(&self.title, TITLE_SIZE, TITLE_LEADING), (&self.notes, NOTE_SIZE, NOTE_LEADING)]
        {
            let style = ("sans-serif", size).into_text_style(area);
            for line in lines {
                area.draw_text(line, &style, (MARGIN, y)).map_err(failed)?;
                y += leading;
            }
        }
        let within = |x: i32, y: i32, size: (i32, i32)| area.clone().shrink((x, y), size);
        for (row, height) in self.rows.iter().zip(&self.heights) {
            let mut x = 0;
            for (laid, width) in row.iter().zip(&self.widths) {
                laid.panel.draw(&within(x, y, (*width, *height)), &laid.layout)?;
                let beside = x + laid.layout.size().0;
                laid.legend.draw(&within(beside, y + LEGEND_TOP, laid.legend.size())).map_err(failed)?;
                x += width;
            }
            y += height;
        }
        let beside = self.widths.iter().sum::<i32>();
        let legend = within(beside, self.head() + LEGEND_TOP, self.legend.size());
        self.legend.draw(&legend).map_err(failed)?;
        area.present().map_err(failed)
    }
}
