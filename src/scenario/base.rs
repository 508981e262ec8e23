//! A scenario of which some values are left to a sweep. Owns how axes from the file, from `--set` and from options come
//! together, and how a point becomes a [`Scenario`]; must never decide which points there are.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::axes::refuse_endless;
use super::overrides::segments;
use super::section::{Problems, Section};
use super::tree::{self, Origin, Raw, Table};
use super::{Axis, Override, Scenario, axes, check_tree, costs_file, keys, read_text};
use crate::error::{Error, Kind};

/// A scenario without its `[sweep]`. It need not be complete: the points have to be.
#[derive(Clone, Debug)]
pub struct Base {
    file: PathBuf,
    text: String,
    root: Table,
    sets: Vec<Override>,
    axes: Vec<Axis>,
}

/// One scenario of a sweep.
#[derive(Clone, Debug)]
pub struct Point {
    /// The scenario.
    pub scenario: Scenario,
    /// Everything that decides its figures, however it was written, but for where the trace lies: two points with
    /// the same text and the same trace have the same figures.
    pub content: String,
    /// The trace's path as written.
    pub trace_path: String,
}

impl Base {
    /// Reads a file. Setting a value that is swept takes its axis out; `options` take the place of axes of the same
    /// path, or come last.
    ///
    /// # Errors
    /// A usage error if the file cannot be read or is no TOML, or with everything that is wrong with the axes.
    pub fn load(file: &Path, sets: &[Override], options: Vec<Axis>) -> Result<Base, Error> {
        let text = read_text(file).map_err(Error::usage)?;
        let place = file.display().to_string();
        let mut root = tree::parse(&text, &place).map_err(|found| Error::new(Kind::Usage, found))?;
        let mut problems = Problems::default();
        for (nth, set) in sets.iter().enumerate() {
            if let Err(problem) = set.apply(&mut root, nth) {
                problems.add(problem);
            }
        }
        // Keys that are unknown at the top are told with the points.
        let top = Section::open("", &Origin::File, &root, keys::TOP, &mut Problems::default());
        let mut axes = axes::read(&top, &mut problems);
        if !problems.is_empty() {
            return Err(Error::new(Kind::Usage, problems.render(&place)));
        }
        for set in sets.iter().filter_map(|set| segments(set.path()).ok()) {
            if set.first().is_some_and(|root| root != "sweep") {
                axes.retain(|axis| !axis.is_undone_by(&set));
            }
        }
        for option in options {
            take_in(&mut axes, option);
        }
        if let Err(flaw) = refuse_endless(&axes) {
            problems.push(&Origin::File, "", flaw);
            return Err(Error::new(Kind::Usage, problems.render(&place)));
        }
        root.entries.retain(|entry| entry.key != "sweep");
        Ok(Base { file: file.to_owned(), text, root, sets: sets.to_vec(), axes })
    }

    /// What is varied, the slowest first; empty if nothing is.
    pub fn axes(&self) -> &[Axis] {
        &self.axes
    }

    /// The file, as given.
    pub fn file(&self) -> &Path {
        &self.file
    }

    /// What the file says.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// What `--set` changed.
    pub fn sets(&self) -> &[Override] {
        &self.sets
    }

    /// The scenario with these values, checked like any other.
    ///
    /// # Errors
    /// A usage error with everything that is wrong, in the order of the file.
    pub fn point(&self, values: &[&Override]) -> Result<Point, Error> {
        let mut root = self.root.clone();
        let mut problems = Problems::default();
        for (nth, value) in values.iter().enumerate() {
            if let Err(problem) = value.apply(&mut root, nth) {
                problems.add(problem);
            }
        }
        let included = costs_file::include(&self.file, &self.text, &mut root, &mut problems);
        let (text, foreign) = match included {
            Some(included) => (included.text, included.functions),
            None => (self.text.clone(), BTreeSet::new()),
        };
        let scenario = check_tree(&self.file, &root, foreign, true, &mut problems);
        match scenario {
            Some(scenario) if problems.is_empty() => {
                let overrides = self.sets.iter().chain(values.iter().copied()).cloned().collect();
                let scenario = Scenario { text, overrides, ..scenario };
                let (content, trace_path) = content(root);
                Ok(Point { scenario, content, trace_path })
            }
            _ => Err(Error::new(Kind::Usage, problems.render(&self.file.display().to_string()))),
        }
    }
}

/// Puts an axis where the first stands that it would undo, and removes those.
fn take_in(axes: &mut Vec<Axis>, axis: Axis) {
    let undone = |other: &Axis| other.is_undone_by_axis(&axis);
    let at = axes.iter().position(undone).unwrap_or(axes.len());
    axes.retain(|other| !undone(other));
    axes.insert(at.min(axes.len()), axis);
}

/// The content of a scenario, and its trace's path.
fn content(mut root: Table) -> (String, String) {
    root.entries
        .retain(|entry| !["name", "question", "output", "live", "compare"].contains(&entry.key.as_str()));
    let mut path = String::new();
    if let Some(trace) = root.entries.iter_mut().find(|entry| entry.key == "trace")
        && let Raw::Table(trace) = &mut trace.node.raw
        && let Some(at) = trace.entries.iter().position(|entry| entry.key == "path")
    {
        path = trace.entries.remove(at).node.inline();
    }
    root.sort();
    (root.inline(), path)
}
