//! `[sweep]`: what is varied, and over which values. Owns how axes are written, in the file and on the command line;
//! must never check what a value means, since each point is checked as a scenario of its own.

use super::Override;
use super::overrides::{exclude_each_other, segments};
use super::ranges::{self, MOST};
use super::section::{Flaw, Problem, Problems, Section};
use super::tree::{Node, Origin, Raw, Table, parse_value, quote, segment};
use crate::error::{Error, Kind};

/// One thing that is varied.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Axis {
    path: String,
    segments: Vec<String>,
    values: Vec<AxisValue>,
    origin: Origin,
}

/// One of its values.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct AxisValue {
    /// As tables show it: text without quotes, everything else as TOML.
    pub shown: String,
    /// What it sets.
    pub set: Override,
}

/// What makes no difference to a row of figures.
const NO_AXES: [&str; 5] = ["name", "question", "output", "sweep", "live"];

impl Axis {
    /// From an option of the command line: values and ranges of `path`.
    ///
    /// # Errors
    /// A usage error with every value that is wrong.
    pub fn from_option(option: &'static str, path: &str, values: &[String]) -> Result<Axis, Error> {
        let origin = Origin::Option(option);
        let mut problems = Problems::default();
        let mut nodes = Vec::new();
        for text in values {
            // As with `--set`, what is not TOML is taken for text.
            let node =
                parse_value(text.trim(), &origin).ok().filter(|node| !matches!(node.raw, Raw::Date(_)));
            let bare = || Node { origin: origin.clone(), raw: Raw::Text(text.trim().to_owned()) };
            nodes.push(node.unwrap_or_else(bare));
        }
        match make(path.to_owned(), vec![path.to_owned()], &origin, &nodes, &mut problems) {
            Some(axis) if problems.is_empty() => {
                Ok(Axis { segments: path.split('.').map(str::to_owned).collect(), ..axis })
            }
            _ => Err(Error::new(Kind::Usage, problems.render(""))),
        }
    }

    /// The dotted path that is set.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// Its values, in order; never none.
    pub fn values(&self) -> &[AxisValue] {
        &self.values
    }

    /// Whether setting `path` as well would undo what this axis sets, or the other way round.
    pub(super) fn is_undone_by(&self, path: &[String]) -> bool {
        exclude_each_other(&self.segments, path)
    }

    /// The same for another axis.
    pub(super) fn is_undone_by_axis(&self, other: &Axis) -> bool {
        self.is_undone_by(&other.segments)
    }
}

/// Reads the table; no axes if there is none.
pub(super) fn read(top: &Section<'_>, problems: &mut Problems) -> Vec<Axis> {
    let Some(entry) = top.find("sweep") else {
        return Vec::new();
    };
    let Some(table) = top.as_table(entry, problems) else {
        return Vec::new();
    };
    if table.entries.is_empty() {
        let help = "add for example\n\"pool.memory\" = [\"4 GiB\", \"8 GiB\"]";
        problems.push(&entry.origin, "", Flaw::new("[sweep] varies nothing").help(help));
    }
    let mut axes = Vec::new();
    collect(table, &[], &mut axes, problems);
    refuse_undone(&axes, problems);
    if let Err(flaw) = refuse_endless(&axes) {
        problems.push(&entry.origin, "", flaw);
    }
    axes
}

/// More runs than anybody waits for are most likely a slip.
pub(super) fn refuse_endless(axes: &[Axis]) -> Result<(), Flaw> {
    let runs = axes.iter().fold(1_usize, |runs, axis| runs.saturating_mul(axis.values.len()));
    if runs <= MOST {
        return Ok(());
    }
    let message = format!("the sweep comes to {runs} runs, at most {MOST} are taken");
    Err(Flaw::new(message).help("take larger steps, or split it in two"))
}

/// The axes in a table that stands at `path` under `[sweep]`.
fn collect(table: &Table, path: &[String], axes: &mut Vec<Axis>, problems: &mut Problems) {
    for entry in &table.entries {
        // In the first place a quoted key is a whole path.
        let whole = path.is_empty() && entry.key.contains(['.', '"']);
        let own = if whole { segments(&entry.key) } else { Ok(vec![entry.key.clone()]) };
        let own = match own {
            Ok(own) => own,
            Err(flaw) => {
                problems.push(&entry.origin, "sweep", flaw);
                continue;
            }
        };
        let full: Vec<String> = path.iter().cloned().chain(own).collect();
        let nodes = match &entry.node.raw {
            Raw::Table(inner) if !inner.entries.is_empty() => {
                collect(inner, &full, axes, problems);
                continue;
            }
            Raw::List(items) => items.as_slice(),
            Raw::Table(_) => &[],
            _ => std::slice::from_ref(&entry.node),
        };
        let name = full.iter().map(|key| segment(key)).collect::<Vec<_>>().join(".");
        axes.extend(make(name, full, &entry.origin, nodes, problems));
    }
}

/// An axis with the values and ranges in `nodes`; nothing if it is wrong.
fn make(
    path: String,
    segments: Vec<String>,
    origin: &Origin,
    nodes: &[Node],
    problems: &mut Problems,
) -> Option<Axis> {
    let root = segments.first().map_or("", String::as_str);
    if NO_AXES.contains(&root) {
        let help =
            "a sweep varies what decides the figures; they are written as one table with a row per run";
        problems.push(origin, "", Flaw::new(format!("`{root}` cannot be swept")).help(help));
        return None;
    }
    let mut axis = Axis { path, segments, values: Vec::new(), origin: origin.clone() };
    for node in nodes {
        match values(&axis.path, node) {
            Ok(values) => axis.values.extend(values),
            Err(flaw) => problems.push(&node.origin, axis.path.clone(), flaw),
        }
    }
    if nodes.is_empty() {
        let help =
            "write a list such as [\"4 GiB\", \"8 GiB\"] or a range such as \"1 GiB..80 GiB / 500 MB\"";
        problems.push(origin, axis.path.clone(), Flaw::new("has no values").help(help));
    }
    let mut seen = std::collections::BTreeSet::new();
    if let Some(twice) = axis.values.iter().find(|value| !seen.insert(value.set.value())) {
        let flaw = Flaw::new(format!("{} is there twice", quote(&twice.shown)));
        problems.push(origin, axis.path.clone(), flaw.help("remove one: both would be the same run"));
    }
    (!axis.values.is_empty()).then_some(axis)
}

/// The values that an element of a list, or a value on its own, stands for.
fn values(path: &str, node: &Node) -> Result<Vec<AxisValue>, Flaw> {
    let value = |shown: String, value: String| AxisValue {
        shown,
        set: Override::new(path, value).written(&node.origin),
    };
    match &node.raw {
        Raw::Date(_) => Err(Flaw::expected("a value of a scenario", node)),
        Raw::Text(text) => match ranges::values(text, is_memory(path)) {
            Some(range) => {
                let shown = |toml: &str| toml.trim_matches('"').to_owned();
                Ok(range?.into_iter().map(|toml| value(shown(&toml), toml)).collect())
            }
            None if misses_dots(path, text) => {
                Err(Flaw::new(format!("{} is neither a value nor a range", quote(text)))
                    .help("a range is written \"FROM..TO / STEP\", for example \"1 GiB..80 GiB / 500 MB\""))
            }
            None => Ok(vec![value(text.clone(), node.inline())]),
        },
        _ => Ok(vec![value(node.inline(), node.inline())]),
    }
}

/// Whether a key takes memory, going by its name.
fn is_memory(path: &str) -> bool {
    path.ends_with("memory")
}

/// Whether text was most likely meant as a range: `1 GiB-80 GiB / 500 MB`.
fn misses_dots(path: &str, text: &str) -> bool {
    let digit = |text: &str| text.trim_start().starts_with(|c: char| c.is_ascii_digit());
    let parts = text.split_once(" / ").or_else(|| text.split_once(" * "));
    path != "trace.path" && digit(text) && parts.is_some_and(|(_, step)| digit(step))
}

/// Two axes of which one undoes the other would make runs that are not what their row says.
fn refuse_undone(axes: &[Axis], problems: &mut Problems) {
    for (nth, axis) in axes.iter().enumerate() {
        let Some(other) = axes[..nth].iter().find(|other| axis.is_undone_by_axis(other)) else { continue };
        let help = match axis.segments.first().map(String::as_str) {
            Some(root @ ("eviction" | "keep-alive")) => {
                let (name, inner) = if root == "eviction" {
                    ("lru", "{ s3-fifo = { small = 0.2 } }")
                } else {
                    ("hybrid-histogram", "{ fixed = { keep = \"1 min\" } }")
                };
                format!("list the variants in one axis: {root} = [\"{name}\", {inner}]")
            }
            _ => "remove one of the two, or list the variants as tables in one axis".to_owned(),
        };
        let flaw = Flaw::new(format!("`{}` and `{}` undo each other", other.path, axis.path)).help(help);
        problems.add(Problem::new(axis.origin.clone(), "", flaw));
    }
}
