//! `faassim report`: makes a page of results. Owns its arguments, which file may be written and how; what is on the page is
//! `results::page`'s.

use std::fs;
use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};

use clap::Args;

use super::compare::of_two;
use super::files::{has_place, write_whole};
use super::tell;
use crate::error::{Diagnostic, Error, Kind};
use crate::results::comparison_view;
use crate::results::page::{ComparisonView, GENERATOR, MOST_RUNS, Page, RunView};

/// Make one self-contained page (HTML) of runs, side by side
#[derive(Args, Debug)]
pub struct ReportArgs {
    /// Results folders of `faassim run` or `faassim live`; differences are told from the first
    #[arg(required = true, value_name = "RUN")]
    runs: Vec<PathBuf>,
    /// The file to write
    #[arg(short, long, value_name = "FILE", default_value = "report.html")]
    output: PathBuf,
    /// Title of the page [default: the names of the scenarios]
    #[arg(long, value_name = "TEXT")]
    title: Option<String>,
}

/// Writes the page, with every run after the first compared with it.
///
/// # Errors
/// A usage error for what are no results, for the same ones twice, for damaged tables, and for a file that is not ours to
/// replace; a run error if the page cannot be written.
pub fn report(args: &ReportArgs) -> Result<(), Error> {
    writable(&args.output)?;
    distinct(&args.runs)?;
    if let Some(title) = args.title.as_ref().filter(|title| title.trim().is_empty()) {
        let what = format!("`{title}` is no title: it is empty");
        return Err(Error::usage(
            Diagnostic::new(what).at("--title").help("leave --title away to use the scenario's name"),
        ));
    }
    // All that is wrong is told at once.
    let (mut runs, mut wrong, mut kind) = (Vec::new(), Vec::new(), Kind::Usage);
    for folder in &args.runs {
        match RunView::read(folder) {
            Ok(run) => runs.push(run),
            Err(error) => {
                if error.kind() == Kind::Run {
                    kind = Kind::Run;
                }
                wrong.extend(error.into_diagnostics());
            }
        }
    }
    if !wrong.is_empty() {
        return Err(Error::new(kind, wrong));
    }
    let page = Page { title: args.title.clone(), comparisons: comparisons(&args.runs), runs };
    write_whole(&args.output, |out| out.write_all(page.html().as_bytes()))?;
    tell(&format!("the report is in {}", args.output.display()));
    Ok(())
}

/// Every run against the first, where they are of the same invocations.
fn comparisons(runs: &[PathBuf]) -> Vec<ComparisonView> {
    let Some((first, others)) = runs.split_first() else { return Vec::new() };
    let mut views = Vec::new();
    for other in others {
        match of_two(&first.display().to_string(), &other.display().to_string()) {
            Ok(found) => views.push(comparison_view(&found)),
            Err(error) => {
                let why = error.diagnostics().first().map(Diagnostic::in_short).unwrap_or_default();
                tell(&format!("note: {} is shown beside, but not compared: {why}", other.display()));
            }
        }
    }
    views
}

/// That there are not too many runs, and none twice.
fn distinct(runs: &[PathBuf]) -> Result<(), Error> {
    let whole = |path: &Path| fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    for (nth, run) in runs.iter().enumerate() {
        if let Some(before) = runs[..nth].iter().find(|before| whole(before) == whole(run)) {
            let what = match before == run {
                true => "is named twice".to_owned(),
                false => format!("is the same folder as {}", before.display()),
            };
            let help = "name each run once";
            return Err(Error::usage(Diagnostic::new(what).at(run.display().to_string()).help(help)));
        }
    }
    if runs.len() > MOST_RUNS {
        let what = format!("{} runs are too many: a report shows up to {MOST_RUNS} side by side", runs.len());
        let help = "`faassim sweep` and `faassim plot` show how figures change over many runs";
        return Err(Error::usage(Diagnostic::new(what).help(help)));
    }
    Ok(())
}

/// That a file can be written under this name, and that none is lost which is not a page of ours.
pub(super) fn writable(file: &Path) -> Result<(), Error> {
    has_place(file)?;
    if file.exists() && !is_ours(file)? {
        let there = Diagnostic::new("is there and is not a report of faassim, so it is not replaced");
        let help = "name another file with -o, or remove it first";
        return Err(Error::usage(there.at(file.display().to_string()).help(help)));
    }
    Ok(())
}

/// Whether a file says in its head that it is a page of ours. An empty one is nobody's loss.
fn is_ours(file: &Path) -> Result<bool, Error> {
    const HEAD: u64 = 4_096;
    let mut head = Vec::new();
    let read = fs::File::open(file).and_then(|file| file.take(HEAD).read_to_end(&mut head));
    read.map_err(|error| {
        Error::run(Diagnostic::new(format!("cannot be read: {error}")).at(file.display().to_string()))
    })?;
    Ok(head.is_empty() || head.windows(GENERATOR.len()).any(|part| part == GENERATOR.as_bytes()))
}
