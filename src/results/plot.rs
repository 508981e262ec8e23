//! Plots as SVG or PNG: sheets of panels with axes, lines and legends. Owns the look (font, colours, sizes, ticks)
//! and the files; must never compute a figure.

mod axis;
mod figures;
mod hit_rate;
mod legend;
mod look;
mod panel;
pub(in crate::results) mod read;
mod run;
mod sheet;
mod sweep;
mod text;
pub(in crate::results) mod ticks;
pub mod trace;

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use plotters::prelude::*;
use plotters::style::register_font;
use tempfile::NamedTempFile;

pub use self::axis::{Axis, Round, Scale};
pub use self::figures::{Choice, Figures, panel_names};
pub use self::hit_rate::{CurvePoint, curve_panel};
pub use self::look::{COLOURS, GREY, LOOKS, Look, Marker, Stroke};
pub use self::panel::{Line, Panel};
pub use self::sheet::Sheet;
use crate::error::{Diagnostic, Error};

/// Everything is drawn at this many times its size on paper and screen: bitmaps are sharp, and the whole pixels
/// of vector graphics fine enough.
const ZOOM: u32 = 2;

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
    /// The file of this name in a folder that is there, which is written when something is drawn.
    ///
    /// # Errors
    /// A usage error for a name that ends in neither `.svg` nor `.png`, for that of a folder, and for a file in a
    /// folder that is not there or cannot be written into.
    pub fn new(file: &Path) -> Result<Target, Error> {
        let target = Target::in_new_folder(file)?;
        let parent = target.parent();
        let refused = |what: String, help: &str| {
            Err(Error::usage(Diagnostic::new(what).at(file.display().to_string()).help(help)))
        };
        if file.is_dir() {
            return refused("is a folder, no file to draw into".to_owned(), "name a file in it");
        }
        if !parent.is_dir() {
            let what = format!("cannot be drawn: there is no folder {}", parent.display());
            return refused(what, "make the folder first, or name a file elsewhere");
        }
        if let Err(error) = target.new_file() {
            let what = format!(
                "cannot be drawn: nothing can be written into {}: {}",
                parent.display(),
                plain(&error)
            );
            return refused(what, "name a file in a folder that can be written into");
        }
        Ok(target)
    }

    /// The file of this name in a folder that will be there when something is drawn.
    ///
    /// # Errors
    /// A usage error for a name that ends in neither `.svg` nor `.png`.
    pub fn in_new_folder(file: &Path) -> Result<Target, Error> {
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

    fn parent(&self) -> &Path {
        let parent = self.file.parent().filter(|parent| !parent.as_os_str().is_empty());
        parent.unwrap_or(Path::new("."))
    }

    /// A file beside it, which vanishes unless it is put in place.
    fn new_file(&self) -> std::io::Result<NamedTempFile> {
        tempfile::Builder::new().prefix(".new-").suffix(".png").tempfile_in(self.parent())
    }

    /// Draws a sheet.
    ///
    /// # Errors
    /// Nothing is to be drawn, or the file cannot be written; then it is as it was.
    pub fn draw(&self, sheet: &Sheet) -> Result<(), Error> {
        let cannot = |error: &dyn std::fmt::Display| {
            Error::run(format!("cannot draw into {}: {error}", self.file.display()))
        };
        register().map_err(|error| cannot(&error))?;
        let Some(page) = sheet.page() else { return Err(Error::run("there is nothing to draw")) };
        let mut file = self.new_file().map_err(|e| cannot(&plain(&e)))?;
        match self.kind {
            Kind::Svg => {
                let mut text = String::new();
                page.draw(&SVGBackend::with_string(&mut text, page.size()).into_drawing_area())
                    .map_err(|e| cannot(&e))?;
                let text = finished(&text, page.size(), &sheet.title);
                file.write_all(text.as_bytes()).map_err(|e| cannot(&plain(&e)))?;
            }
            Kind::Png => {
                page.draw(&BitMapBackend::new(file.path(), page.size()).into_drawing_area())
                    .map_err(|e| cannot(&e))?;
            }
        }
        self.put_in_place(file).map_err(|e| cannot(&plain(&e)))
    }

    fn put_in_place(&self, file: NamedTempFile) -> std::io::Result<()> {
        // Temporary files are private, plots are not.
        #[cfg(unix)]
        fs::set_permissions(file.path(), std::os::unix::fs::PermissionsExt::from_mode(0o644))?;
        file.persist(&self.file).map(drop).map_err(|error| error.error)
    }
}

/// An error without the name of a temporary file, which means nothing to whom it is told.
fn plain(error: &std::io::Error) -> String {
    std::error::Error::source(error).map_or_else(|| error.to_string(), ToString::to_string)
}

/// Makes the font known to plotters. Doing so twice does no harm.
fn register() -> Result<(), &'static str> {
    register_font("sans-serif", FontStyle::Normal, dejavu::sans::regular())
        .map_err(|_| "its font cannot be read")
}

/// The drawing at its size on paper, with its title for those who hear it.
fn finished(svg: &str, (width, height): (u32, u32), title: &str) -> String {
    let size = |zoom: u32| format!("width=\"{}\" height=\"{}\"", width / zoom, height / zoom);
    let svg = svg.replacen(&size(1), &size(ZOOM), 1);
    let title = title.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    svg.replacen(">\n", &format!(">\n<title>{title}</title>\n"), 1)
}
