//! `[trace]`: which trace, which part of it, and the models that fill in what its format leaves open. Owns
//! how these keys are read; must never open the trace.

use std::path::{Path, PathBuf};

use super::keys::TRACE;
use super::section::{Flaw, Problems, Section};
use super::tree::{Entry, Node, Origin, Raw, Table};
use super::{DEFAULT_SEED, Override, duration, neighbour, values};
use crate::error::{Error, Kind};
use crate::time::{Span, Time};
use crate::trace::formats::{self, Format};
use crate::trace::reading::{AppMemory, ColdStart, Days, Incomplete, RunTimes, Unit};
use crate::trace::sample::{By, Cut};
use crate::trace::{Reading, Spacing, Window, is_there};

/// Which part of which trace.
#[derive(Clone, PartialEq, Debug)]
pub struct TraceSpec {
    /// The trace, as seen from the current directory.
    pub path: PathBuf,
    /// How it is read.
    pub reading: Reading,
    /// Which of its functions are kept; all if nothing is said.
    pub cut: Option<Cut>,
    /// Which of its invocations are replayed.
    pub window: Window,
}

impl TraceSpec {
    /// The same from options of a command: each is a key of `[trace]` with its value.
    ///
    /// # Errors
    /// A usage error with every option that is wrong.
    pub fn from_options(path: &Path, options: &[Override]) -> Result<TraceSpec, Error> {
        let text = Node { origin: Origin::File, raw: Raw::Text(path.display().to_string()) };
        let mut root = Table::default();
        root.entries.push(Entry { key: "path".to_owned(), origin: Origin::File, node: text });
        let mut problems = Problems::default();
        for (nth, option) in options.iter().enumerate() {
            if let Err(problem) = option.apply(&mut root, nth) {
                problems.add(problem);
            }
        }
        let section = Section::open("", &Origin::File, &root, TRACE, &mut problems);
        let spec = read(Path::new(""), &section, DEFAULT_SEED, false, &mut problems);
        match spec {
            Some(spec) if problems.is_empty() => Ok(spec),
            _ => Err(Error::new(Kind::Usage, problems.render_options(&path.display().to_string()))),
        }
    }
}

/// Reads the table.
pub(super) fn read(
    file: &Path,
    section: &Section<'_>,
    seed: u64,
    need_trace: bool,
    problems: &mut Problems,
) -> Option<TraceSpec> {
    let window = read_window(section, problems);
    let reading = read_reading(section, seed, problems);
    let cut = read_cut(section, reading.seed, problems);
    let written = section.require("path", problems, values::text)?;
    let path = file.parent().unwrap_or(Path::new("")).join(&written);
    if need_trace && !is_there(&path) {
        let mut flaw = Flaw::new(format!("there is no trace at `{}`", path.display()));
        flaw = match neighbour(&path) {
            Some(near) => flaw.help(format!("did you mean `{}`?", near.display())),
            None => flaw.help("paths start from the folder of the scenario"),
        };
        section.refuse("path", flaw, problems);
    }
    Some(TraceSpec { path, reading, cut, window })
}

fn read_window(section: &Section<'_>, problems: &mut Problems) -> Window {
    let from = section.read("from", problems, values::finite_span).unwrap_or(Span::ZERO);
    let until = section.read("until", problems, values::span).unwrap_or(Span::FOREVER);
    if from >= until {
        let flaw = Flaw::new(format!("{until} is not after `from`, {from}: no invocation would be left"));
        section.refuse("until", flaw, problems);
    }
    let limit = section.read("limit", problems, |node| values::whole(node, 1, u64::MAX));
    Window { from: Time(from.0), until: Time(until.0), limit }
}

fn read_reading(section: &Section<'_>, seed: u64, problems: &mut Problems) -> Reading {
    let format = section.read("format", problems, read_format);
    let days = section.read("days", problems, read_days).unwrap_or_default();
    let seed = section.read("seed", problems, |node| values::whole(node, 0, u64::MAX)).unwrap_or(seed);
    Reading {
        format,
        days,
        unit: choice(section, "unit", &Unit::NAMES, problems),
        app_memory: choice(section, "app-memory", &AppMemory::NAMES, problems),
        run_time: read_run_time(section, problems),
        cold_start: read_cold_start(section, problems),
        incomplete: choice(section, "incomplete", &Incomplete::NAMES, problems),
        memory: section.read("function-memory", problems, values::memory),
        spacing: choice(section, "arrivals", &Spacing::NAMES, problems),
        seed,
    }
}

/// The value that a key names, or the default.
fn choice<T: Copy + Default>(
    section: &Section<'_>,
    key: &'static str,
    names: &[(&'static str, T)],
    problems: &mut Problems,
) -> T {
    let words: Vec<&'static str> = names.iter().map(|(name, _)| *name).collect();
    let place = section.read(key, problems, |node| values::word(node, &words));
    place.map_or_else(T::default, |place| names[place].1)
}

fn read_format(node: &Node) -> Result<&'static Format, Flaw> {
    let name = values::text(node)?;
    formats::find(&name).ok_or_else(|| {
        let (fault, help) = formats::unknown(&name);
        Flaw::new(fault).help(help)
    })
}

/// A number, a list of numbers, or text such as `"1-3,5"`.
fn read_days(node: &Node) -> Result<Vec<u16>, Flaw> {
    let day = |node: &Node| Ok(values::whole(node, 0, u64::from(u16::MAX))? as u16);
    match &node.raw {
        Raw::List(days) => {
            let mut days = days.iter().map(day).collect::<Result<Vec<u16>, Flaw>>()?;
            days.sort_unstable();
            days.dedup();
            Ok(days)
        }
        Raw::Text(text) => {
            text.parse::<Days>().map(|days| days.0).map_err(|sentence| Flaw::advised(&sentence))
        }
        _ => day(node).map(|day| vec![day]),
    }
}

fn read_run_time(section: &Section<'_>, problems: &mut Problems) -> RunTimes {
    match word_of(section, "run-time") {
        Some("average") => RunTimes::Average,
        Some("percentiles") => RunTimes::Percentiles,
        _ => duration::read(section, "run-time", problems).map_or(RunTimes::Average, RunTimes::Given),
    }
}

fn read_cold_start(section: &Section<'_>, problems: &mut Problems) -> ColdStart {
    match word_of(section, "cold-start") {
        Some("maximum") => ColdStart::Maximum,
        _ => duration::read(section, "cold-start", problems).map_or(ColdStart::Maximum, ColdStart::Given),
    }
}

/// The text under a key, if it is text.
fn word_of<'t>(section: &Section<'t>, key: &str) -> Option<&'t str> {
    match &section.find(key)?.node.raw {
        Raw::Text(text) => Some(text),
        _ => None,
    }
}

fn read_cut(section: &Section<'_>, seed: u64, problems: &mut Problems) -> Option<Cut> {
    let by = choice(section, "sample-by", &By::NAMES, problems);
    if section.find("sample").is_none() && section.find("sample-by").is_some() {
        let flaw = Flaw::new("says how to choose functions, but not how many");
        section.refuse("sample-by", flaw.help("add `sample = 100`, or remove it"), problems);
    }
    let functions = section.read("sample", problems, |node| values::count(node, 1))?;
    Some(Cut { functions: functions as usize, by, seed })
}
