//! `faassim plot`: draws results. Owns its arguments and where files go; what is drawn is `results::plot`'s.

use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};

use super::tell;
use crate::error::{Diagnostic, Error};
use crate::results::plot::{Choice, Figures, Target};

/// Draw the results of runs, sweeps and curves
#[derive(Args, Debug)]
pub struct PlotArgs {
    /// Folders with results
    #[arg(required = true, value_name = "DIR")]
    folders: Vec<PathBuf>,
    /// The file to draw into, .svg or .png [default: plots.svg in the folder]
    #[arg(short, long, value_name = "FILE", conflicts_with_all = ["each", "format"])]
    output: Option<PathBuf>,
    /// Draw each panel into a file of its own in this folder
    #[arg(long, value_name = "DIR")]
    each: Option<PathBuf>,
    /// Form of files that are not named
    #[arg(long, value_name = "FORM", default_value = "svg")]
    format: Form,
    /// Only these panels, of a run: memory, responses, causes, functions; of a sweep: cold, execution, dropped,
    /// waste; of curves: hit-rate
    #[arg(long, value_name = "NAME,NAME", value_delimiter = ',')]
    only: Vec<String>,
    /// Of a sweep only runs with this value, for example eviction=lru; may be repeated
    #[arg(long = "where", value_name = "COLUMN=VALUE")]
    choices: Vec<Choice>,
}

#[derive(ValueEnum, Clone, Copy, PartialEq, Eq, Debug)]
enum Form {
    Svg,
    Png,
}

impl Form {
    fn ending(self) -> &'static str {
        match self {
            Form::Svg => "svg",
            Form::Png => "png",
        }
    }
}

/// Draws what is in the folders.
///
/// # Errors
/// A usage error for what are no results and for names that are not known, a run error if a file cannot be written.
pub fn plot(args: &PlotArgs) -> Result<(), Error> {
    let target = args.output.as_deref().map(Target::new).transpose()?;
    if let [_, _, ..] = args.folders.as_slice()
        && (args.output.is_some() || args.each.is_some())
    {
        let what = format!("{} folders cannot be drawn into one place", args.folders.len());
        return Err(Error::usage(Diagnostic::new(what).help("leave -o and --each away, or name one folder")));
    }
    // All are read before any is drawn: a misspelt folder is told at once.
    let read = |folder: &PathBuf| Figures::read(folder, &args.choices)?.only(folder, &args.only);
    let figures: Vec<Figures> = args.folders.iter().map(read).collect::<Result<_, _>>()?;
    let ending = args.format.ending();
    for (folder, figures) in args.folders.iter().zip(figures) {
        let target = match &target {
            Some(target) => target.clone(),
            None => Target::new(&folder.join(format!("plots.{ending}")))?,
        };
        match &args.each {
            Some(dir) => draw_each(figures, dir, ending)?,
            None => draw(figures, &target)?,
        }
    }
    Ok(())
}

/// What `--plot [FILE]` of a command that writes results into `folder` asks for.
///
/// # Errors
/// A usage error for a file that is neither SVG nor PNG, and where no file can be written.
pub(super) fn plot_target(option: Option<&Option<PathBuf>>, folder: &Path) -> Result<Option<Target>, Error> {
    let whole = |path: &Path| std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let target = |named: &Option<PathBuf>| match named {
        // The folder is made, or made anew, before anything is drawn.
        Some(file) if whole(file).parent() == Some(&whole(folder)) => Target::in_new_folder(file),
        Some(file) => Target::new(file),
        None => Target::in_new_folder(&folder.join("plots.svg")),
    };
    option.map(target).transpose()
}

/// Draws results that were just written.
///
/// # Errors
/// As [`plot`].
pub(super) fn draw_results(folder: &Path, target: &Target) -> Result<(), Error> {
    draw(Figures::read(folder, &[])?.only(folder, &[])?, target)
}

fn draw(figures: Figures, target: &Target) -> Result<(), Error> {
    tell_left_out(&figures);
    figures.draw(target)?;
    tell(&format!("drawn into {}", target.file().display()));
    Ok(())
}

fn draw_each(figures: Figures, dir: &Path, ending: &str) -> Result<(), Error> {
    tell_left_out(&figures);
    for file in figures.draw_each(dir, ending)? {
        tell(&format!("drawn into {}", file.display()));
    }
    Ok(())
}

fn tell_left_out(figures: &Figures) {
    for (name, why) in &figures.left_out {
        tell(&format!("panel {name} is left out: {why}"));
    }
}
