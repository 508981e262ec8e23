//! Scenarios: the TOML file that says what is simulated, checked as a whole before anything runs. Owns
//! the schema and every message about it; must never run anything or read the trace.
//!
//! A file is read into a tree that remembers lines (`tree`), overrides are put into the tree
//! (`overrides`), and the tree is checked against the tables of keys (`keys`, `knobs`) with all problems
//! collected (`section`). Sweeps ([`Base`], whose axes are read in `axes`) set values by [`Override`] too, so there is
//! one way in.

mod axes;
mod base;
mod choice;
mod compare;
mod costs;
mod costs_file;
mod duration;
mod elastic;
pub mod keys;
mod knobs;
mod live;
mod overrides;
mod ranges;
mod section;
mod setup;
mod trace;
mod tree;
mod values;

#[cfg(test)]
mod tests;

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

pub use axes::{Axis, AxisValue};
pub use base::{Base, Point};
pub use choice::{Choice, Registered, find as find_policy};
pub use compare::{CompareSpec, Measure};
pub use costs::{Contention, CostSpec, Costs, Phases, Source, Start};
pub use keys::reference;
pub use knobs::{KNOBS, Knob, differences};
pub use live::{Assigned, BackendChoice, KindImage, LiveSpec, MapRule};
pub use overrides::Override;
pub use setup::{Engine, Failures, PoolSetup, StemCellSpec};
pub use trace::TraceSpec;

pub use crate::duration::{DurationValue, Shape};
use crate::elastic::Elastic;
use crate::error::{Diagnostic, Error, Kind};
use crate::memory::Memory;
use crate::suggest::nearest;
use crate::time::Span;
use section::{Flaw, Problems, Section};
use tree::{Origin, Table, quote};

/// A scenario in which everything has been checked that can be without the trace.
#[derive(Clone, Debug)]
pub struct Scenario {
    /// Where it was read from, as given.
    pub file: PathBuf,
    /// Its text, without the overrides; with the costs of the file that `costs.from` names, so that it stands for itself.
    pub text: String,
    /// What was set from outside, in the order given.
    pub overrides: Vec<Override>,
    /// What its results are called; a plain file name.
    pub name: String,
    /// What it is meant to answer, to be shown above the results.
    pub question: Option<String>,
    /// Of everything drawn at random.
    pub seed: u64,
    /// What is invoked and when.
    pub trace: TraceSpec,
    /// Memory of the pool; where it is elastic, at first.
    pub memory: Memory,
    /// Whether and how it follows the load.
    pub elastic: Option<Elastic>,
    /// What replays the trace.
    pub engine: Engine,
    /// What is written besides the summary.
    pub output: OutputSpec,
    /// What a sweep varies; one run takes no notice of it.
    pub sweep: Vec<Axis>,
    /// How live mode replays the trace; the simulator takes no notice of it.
    pub live: LiveSpec,
    /// How far `faassim compare` lets two records lie apart; a run takes no notice of it.
    pub compare: CompareSpec,
}

/// Which tables are written besides the summary.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct OutputSpec {
    /// One with a row per invocation.
    pub invocations: bool,
    /// One with a row per function.
    pub functions: bool,
    /// Interval of the one of memory over time.
    pub memory_every: Span,
}

impl Default for OutputSpec {
    fn default() -> OutputSpec {
        OutputSpec { invocations: false, functions: true, memory_every: Span::from_mins(1) }
    }
}

/// The seed if none is given.
pub const DEFAULT_SEED: u64 = 1;

/// A scenario that does nothing unusual, for those who begin.
const SMALLEST: &str = "[trace]\npath = \"../traces/NAME\"\n[pool]\nmemory = \"8 GiB\"";

impl Scenario {
    /// Reads and checks a file, with some values set to others; also checks that the trace is there.
    ///
    /// # Errors
    /// A usage error with everything that is wrong, in the order of the file.
    pub fn load(file: &Path, overrides: &[Override]) -> Result<Scenario, Error> {
        let text = read_text(file).map_err(Error::usage)?;
        check(file, text, overrides, true)
    }

    /// The same for text in hand, which stands for itself: `file` gives its name and where the trace's path starts from, but the
    /// trace need not be there, and no costs file is read.
    ///
    /// # Errors
    /// A usage error with everything that is wrong, in the order of the text.
    pub fn from_text(
        file: &Path,
        text: impl Into<String>,
        overrides: &[Override],
    ) -> Result<Scenario, Error> {
        check(file, text.into(), overrides, false)
    }
}

/// A dotted path taken apart; empty if it is none.
pub fn path_segments(path: &str) -> Vec<String> {
    overrides::segments(path).unwrap_or_default()
}

/// The whole text of a scenario file.
fn read_text(file: &Path) -> Result<String, Diagnostic> {
    let place = file.display().to_string();
    let bytes = fs::read(file).map_err(|error| unreadable(file, &error))?;
    let text = String::from_utf8(bytes).map_err(|error| {
        let good = &error.as_bytes()[..error.utf8_error().valid_up_to()];
        let line = good.iter().filter(|byte| **byte == b'\n').count() + 1;
        Diagnostic::new("not UTF-8 text, so not a scenario")
            .at(format!("{place}:{line}"))
            .help("scenarios are TOML files; traces are named in them, under [trace]")
    })?;
    if text.trim().is_empty() {
        return Err(Diagnostic::new("the file is empty").at(place).help(format!("begin with\n{SMALLEST}")));
    }
    Ok(text)
}

fn unreadable(file: &Path, error: &io::Error) -> Diagnostic {
    let place = file.display().to_string();
    if file.is_dir() {
        return Diagnostic::new("is a directory, not a scenario").at(place).help("name a .toml file in it");
    }
    if error.kind() != io::ErrorKind::NotFound {
        return Diagnostic::new(format!("cannot be read: {error}")).at(place);
    }
    let missing = Diagnostic::new("no such file").at(place);
    match neighbour(file) {
        Some(near) => missing.help(format!("did you mean `{}`?", near.display())),
        None => missing,
    }
}

/// The file beside `file` with the name most like it.
pub(crate) fn neighbour(file: &Path) -> Option<PathBuf> {
    let wanted = file.file_name()?.to_str()?;
    let parent = file.parent()?;
    let folder = if parent.as_os_str().is_empty() { Path::new(".") } else { parent };
    let mut names: Vec<String> =
        fs::read_dir(folder).ok()?.filter_map(|entry| entry.ok()?.file_name().into_string().ok()).collect();
    names.sort();
    nearest(wanted, names.iter().map(String::as_str)).map(|name| parent.join(name))
}

fn check(file: &Path, text: String, overrides: &[Override], need_trace: bool) -> Result<Scenario, Error> {
    let place = file.display().to_string();
    let mut root = tree::parse(&text, &place).map_err(|found| Error::new(Kind::Usage, found))?;
    let mut problems = Problems::default();
    for (nth, change) in overrides.iter().enumerate() {
        if let Err(problem) = change.apply(&mut root, nth) {
            problems.add(problem);
        }
    }
    let included = if need_trace { costs_file::include(file, &text, &mut root, &mut problems) } else { None };
    let (text, foreign) = match included {
        Some(included) => (included.text, included.functions),
        None => (text, costs_file::brought_in(&root)),
    };
    let checked = check_tree(file, &root, foreign, need_trace, &mut problems);
    match checked {
        Some(scenario) if problems.is_empty() => {
            Ok(Scenario { text, overrides: overrides.to_vec(), ..scenario })
        }
        _ => Err(Error::new(Kind::Usage, problems.render(&place))),
    }
}

/// Everything but the text and the overrides; nothing only if there are problems.
fn check_tree(
    file: &Path,
    root: &Table,
    foreign: BTreeSet<String>,
    need_trace: bool,
    problems: &mut Problems,
) -> Option<Scenario> {
    let top = Section::open("", &Origin::File, root, keys::TOP, problems);
    let name = read_name(file, &top, problems);
    let question = top.read("question", problems, values::text);
    let seed = top.read("seed", problems, |node| values::whole(node, 0, u64::MAX)).unwrap_or(DEFAULT_SEED);
    let trace = required(&top, "trace", keys::TRACE, problems)
        .and_then(|section| trace::read(file, &section, seed, need_trace, problems));
    let pool = required(&top, "pool", keys::POOL, problems);
    let memory = pool.as_ref().and_then(|section| section.require("memory", problems, values::memory));
    let elastic = pool
        .as_ref()
        .and_then(|section| elastic::read(section, memory.unwrap_or(Memory(u64::MAX)), problems));
    // Any amount will do to find what else is wrong.
    let engine = setup::read(&top, seed, memory.unwrap_or(Memory(1024)), foreign, problems);
    if let Some(Engine::Artifact(_)) = &engine {
        refuse_with_artifact(&top, pool.as_ref().filter(|_| elastic.is_some()), problems);
    }
    let output = read_output(&top, problems);
    let sweep = axes::read(&top, problems);
    let live = live::read(file, &top, problems);
    let compare = compare::read(&top, problems);
    Some(Scenario {
        file: file.to_owned(),
        text: String::new(),
        overrides: Vec::new(),
        name: name?,
        question,
        seed,
        trace: trace?,
        memory: memory?,
        elastic,
        engine: engine?,
        output,
        sweep,
        live,
        compare,
    })
}

/// What the published simulator has not got. `pool`: if it is elastic.
fn refuse_with_artifact(top: &Section<'_>, pool: Option<&Section<'_>>, problems: &mut Problems) {
    let elastic = pool.and_then(|pool| pool.find("elastic"));
    for (entry, name, why) in [
        (elastic, "pool.elastic", "the published simulator's memory is fixed; remove one of the two"),
        (top.find("live"), "live", "real containers are run by the pool; remove one of the two"),
    ] {
        if let Some(entry) = entry {
            let flaw = Flaw::new(format!("`{name}` does not go with [faascache-artifact]"));
            problems.push(&entry.origin, "", flaw.help(why));
        }
    }
}

/// A table that has to be there.
fn required<'t>(
    top: &Section<'t>,
    name: &'static str,
    known: &'static [keys::Key],
    problems: &mut Problems,
) -> Option<Section<'t>> {
    if top.find(name).is_none() && !top.misspelt(name) {
        let example: Vec<String> = known
            .iter()
            .filter(|key| key.default == "required")
            .map(|key| format!("{} = {}", key.name, key.example))
            .collect();
        let help = format!("add\n[{name}]\n{}", example.join("\n"));
        problems.push(&Origin::File, "", Flaw::new(format!("[{name}] is missing")).help(help));
    }
    top.subsection(name, known, problems)
}

fn read_name(file: &Path, top: &Section<'_>, problems: &mut Problems) -> Option<String> {
    let name = match top.find("name") {
        Some(_) => top.read("name", problems, values::text)?,
        None => {
            file.file_stem().map_or_else(|| "scenario".to_owned(), |stem| stem.to_string_lossy().into_owned())
        }
    };
    let plain =
        !name.starts_with('.') && name.chars().all(|c| !c.is_control() && !r#"/\:*?"<>|"#.contains(c));
    if plain {
        return Some(name);
    }
    let flaw = Flaw::new(format!("{} cannot name the results", quote(&name)));
    top.refuse("name", flaw.help("use letters, digits, `-`, `_` and `.`, beginning with a letter"), problems);
    None
}

fn read_output(top: &Section<'_>, problems: &mut Problems) -> OutputSpec {
    let mut output = OutputSpec::default();
    if let Some(section) = top.subsection("output", keys::OUTPUT, problems) {
        output.invocations =
            section.read("invocations", problems, values::flag).unwrap_or(output.invocations);
        output.functions = section.read("functions", problems, values::flag).unwrap_or(output.functions);
        output.memory_every =
            section.read("memory-every", problems, values::positive_span).unwrap_or(output.memory_every);
    }
    output
}
