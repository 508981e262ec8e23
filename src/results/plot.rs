//! Plots as SVG or PNG: panels with axes and lines. Owns the look (font, colours, sizes, ticks) and the files;
//! must never compute a figure.

mod axis;
pub mod curve;
mod panel;
pub mod trace;

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use plotters::prelude::*;
use plotters::style::register_font;
use tempfile::NamedTempFile;

pub use self::axis::{Axis, Scale};
pub use self::panel::{Line, Panel};
use crate::error::{Diagnostic, Error};

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

/// Width of a panel in pixels, and its height.
const PANEL: (u32, u32) = (520, 360);
/// Height of the title above all panels.
const TITLE: u32 = 44;

/// A file to draw into.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Target {
    file: PathBuf,
    kind: Kind,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Kind {
    Svg,
    Png,
}

impl Target {
    /// The file of this name, which is written when something is drawn.
    ///
    /// # Errors
    /// A usage error for a name that ends in neither `.svg` nor `.png`.
    pub fn new(file: &Path) -> Result<Target, Error> {
        let ending = file.extension().map(|ending| ending.to_string_lossy().to_ascii_lowercase());
        let kind = match ending.as_deref() {
            Some("svg") => Kind::Svg,
            Some("png") => Kind::Png,
            _ => {
                let message = format!("`{}` is no file to draw into", file.display());
                return Err(Error::usage(Diagnostic::new(message).help("its name must end in .svg or .png")));
            }
        };
        Ok(Target { file: file.to_owned(), kind })
    }

    /// The file.
    pub fn file(&self) -> &Path {
        &self.file
    }

    /// Draws panels in rows below a title. Panels without points are left out.
    ///
    /// # Errors
    /// Nothing is to be drawn, or the file cannot be written; then it is as it was.
    pub fn draw(&self, title: &str, panels: &[Panel], columns: usize) -> Result<(), Error> {
        let panels: Vec<&Panel> = panels.iter().filter(|panel| panel.has_points()).collect();
        if panels.is_empty() {
            return Err(Error::run("there is nothing to draw"));
        }
        let columns = columns.min(panels.len()).max(1);
        let rows = panels.len().div_ceil(columns);
        let size = (PANEL.0 * columns as u32, PANEL.1 * rows as u32 + TITLE);
        let cannot = |error: &dyn std::fmt::Display| {
            Error::run(format!("cannot draw into {}: {error}", self.file.display()))
        };
        // Registering twice does no harm; the error type says nothing.
        register_font("sans-serif", FontStyle::Normal, dejavu::sans::regular())
            .map_err(|_| cannot(&"its font cannot be read"))?;
        let parent =
            self.file.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let mut builder = tempfile::Builder::new();
        let mut file = builder.prefix(".new-").suffix(".png").tempfile_in(parent).map_err(|e| cannot(&e))?;
        let page = Page { title, panels: &panels, columns, rows };
        match self.kind {
            Kind::Svg => {
                let mut text = String::new();
                page.draw(&SVGBackend::with_string(&mut text, size).into_drawing_area())
                    .map_err(|e| cannot(&e))?;
                file.write_all(text.as_bytes()).map_err(|e| cannot(&e))?;
            }
            Kind::Png => {
                page.draw(&BitMapBackend::new(file.path(), size).into_drawing_area())
                    .map_err(|e| cannot(&e))?;
            }
        }
        self.put_in_place(file).map_err(|e| cannot(&e))
    }

    fn put_in_place(&self, file: NamedTempFile) -> std::io::Result<()> {
        // Temporary files are private, plots are not.
        #[cfg(unix)]
        fs::set_permissions(file.path(), std::os::unix::fs::PermissionsExt::from_mode(0o644))?;
        file.persist(&self.file).map(drop).map_err(|error| error.error)
    }
}

/// Everything on one sheet.
struct Page<'a> {
    title: &'a str,
    panels: &'a [&'a Panel],
    columns: usize,
    rows: usize,
}

impl Page<'_> {
    fn draw<B: DrawingBackend>(&self, area: &DrawingArea<B, plotters::coord::Shift>) -> Result<(), String> {
        let failed = |error: DrawingAreaErrorKind<B::ErrorType>| error.to_string();
        area.fill(&WHITE).map_err(failed)?;
        let (title, sheet) = area.split_vertically(TITLE);
        let style = ("sans-serif", 20).into_text_style(&title);
        title.draw_text(self.title, &style, (16, 14)).map_err(failed)?;
        for (panel, area) in self.panels.iter().zip(sheet.split_evenly((self.rows, self.columns))) {
            panel.draw(&area)?;
        }
        area.present().map_err(failed)
    }
}
