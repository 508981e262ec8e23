//! `[live]`: how a trace is replayed against real containers. Owns how the table is read, in builds without live mode
//! too, so that a scenario is right or wrong everywhere; must never look at actions, images or the machine.

use std::path::{Path, PathBuf};

use serde_json::{Map, Number, Value};

use super::keys::{LIVE, LIVE_FUNCTION};
use super::section::{Flaw, Problems, Section};
use super::tree::{Entry, Node, Origin, Raw, Table, quote, segment};
use super::values;
use crate::memory::Memory;
use crate::time::Span;

/// What runs the containers.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum BackendChoice {
    /// Docker where an engine answers, else processes.
    #[default]
    Auto,
    /// Docker.
    Docker,
    /// Local processes.
    Process,
}

impl BackendChoice {
    /// All of them, as written.
    pub const NAMES: [(&'static str, BackendChoice); 3] = [
        ("auto", BackendChoice::Auto),
        ("docker", BackendChoice::Docker),
        ("process", BackendChoice::Process),
    ];

    /// As written.
    pub fn name(self) -> &'static str {
        BackendChoice::NAMES.iter().find(|(_, choice)| *choice == self).map_or("", |(name, _)| name)
    }
}

/// Which action stands for a function that `[live.functions]` does not name.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum MapRule {
    /// The one of the same name.
    Name,
    /// The one of the same name, else the one most like it in run time that fits its memory.
    #[default]
    Nearest,
    /// `lookbusy`, which takes the time that the trace tells.
    Lookbusy,
}

impl MapRule {
    /// All of them, as written.
    pub const NAMES: [(&'static str, MapRule); 3] =
        [("name", MapRule::Name), ("nearest", MapRule::Nearest), ("lookbusy", MapRule::Lookbusy)];

    /// As written.
    pub fn name(self) -> &'static str {
        MapRule::NAMES.iter().find(|(_, rule)| *rule == self).map_or("", |(name, _)| name)
    }
}

/// The action of one function, as given.
#[derive(Clone, PartialEq, Debug)]
pub struct Assigned {
    /// The function.
    pub function: String,
    /// The action.
    pub action: String,
    /// Arguments besides those that the action has anyway.
    pub args: Map<String, Value>,
    /// Where it is written, to be put before a message: `FILE:LINE` or `--set PATH`.
    pub place: String,
}

/// The image that serves a kind, as given.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct KindImage {
    /// The kind.
    pub kind: String,
    /// The image.
    pub image: String,
    /// Where it is written, to be put before a message.
    pub place: String,
}

/// How a trace is replayed live.
#[derive(Clone, PartialEq, Debug)]
pub struct LiveSpec {
    /// What runs the containers.
    pub backend: BackendChoice,
    /// The folder of actions, as seen from the current directory; `None`: the usual places.
    pub actions: Option<PathBuf>,
    /// Which action stands for a function.
    pub map: MapRule,
    /// Exceptions to that.
    pub functions: Vec<Assigned>,
    /// Images of the user's own.
    pub images: Vec<KindImage>,
    /// How many seconds of the trace go by in a second.
    pub speed: f64,
    /// At most so many arrivals.
    pub limit: Option<u64>,
    /// Only arrivals within so much of the trace's time after the first.
    pub duration: Option<Span>,
    /// Most containers that are being started at once.
    pub parallel_starts: u32,
    /// How long an initialisation or a run may take.
    pub time_limit: Span,
    /// How long after the last arrival work may still end.
    pub drain: Span,
    /// Whether actions reach the network.
    pub network: bool,
    /// Whether missing images are fetched.
    pub pull: bool,
    /// Whether logs are collected after each run.
    pub logs: bool,
    /// How much a run may print: its logs are waited for 2 s for each MB of this, 10 s at least (docs/specs/openwhisk.md §17.4).
    pub log_limit: Memory,
    /// Processors that the containers share by memory, as OpenWhisk's `user-cpus`; `None`: no limit.
    pub cpus: Option<f64>,
}

impl Default for LiveSpec {
    fn default() -> LiveSpec {
        LiveSpec {
            backend: BackendChoice::default(),
            actions: None,
            map: MapRule::default(),
            functions: Vec::new(),
            images: Vec::new(),
            speed: 1.0,
            limit: None,
            duration: None,
            parallel_starts: 10,
            time_limit: Span::from_mins(1),
            drain: Span::from_mins(2),
            network: false,
            pull: false,
            logs: true,
            log_limit: Memory(10),
            cpus: None,
        }
    }
}

/// Reads the table; the defaults if there is none.
pub(super) fn read(file: &Path, top: &Section<'_>, problems: &mut Problems) -> LiveSpec {
    let usual = LiveSpec::default();
    let Some(section) = top.subsection("live", LIVE, problems) else { return usual };
    let span = |node: &Node| values::positive_span(node);
    LiveSpec {
        backend: choice(&section, "backend", &BackendChoice::NAMES, problems),
        actions: section
            .read("actions", problems, values::text)
            .map(|written| file.parent().unwrap_or(Path::new("")).join(written)),
        map: choice(&section, "map", &MapRule::NAMES, problems),
        functions: read_functions(file, &section, problems),
        images: read_images(file, &section, problems),
        speed: section.read("speed", problems, values::positive).unwrap_or(usual.speed),
        limit: section.read("limit", problems, |node| values::whole(node, 1, u64::MAX)),
        duration: section.read("duration", problems, span),
        parallel_starts: section
            .read("parallel-starts", problems, |node| values::count(node, 1))
            .unwrap_or(usual.parallel_starts),
        time_limit: section.read("time-limit", problems, span).unwrap_or(usual.time_limit),
        drain: section.read("drain", problems, values::finite_span).unwrap_or(usual.drain),
        network: section.read("network", problems, values::flag).unwrap_or(usual.network),
        pull: section.read("pull", problems, values::flag).unwrap_or(usual.pull),
        logs: section.read("logs", problems, values::flag).unwrap_or(usual.logs),
        log_limit: section.read("log-limit", problems, values::memory).unwrap_or(usual.log_limit),
        cpus: section.read("cpus", problems, values::positive),
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

/// The entries of a table whose keys are names of the user's.
fn entries<'t>(section: &Section<'t>, name: &str, problems: &mut Problems) -> &'t [Entry] {
    match section.find(name).and_then(|entry| section.as_table(entry, problems)) {
        Some(table) => &table.entries,
        None => &[],
    }
}

fn read_functions(file: &Path, section: &Section<'_>, problems: &mut Problems) -> Vec<Assigned> {
    let mut assigned = Vec::new();
    for entry in entries(section, "functions", problems) {
        let path = format!("{}.{}", section.subject("functions"), segment(&entry.key));
        let read = match &entry.node.raw {
            Raw::Table(table) => read_assignment(&path, entry, table, problems),
            Raw::Text(_) => match values::text(&entry.node) {
                Ok(action) => Some((action, Map::new())),
                Err(flaw) => {
                    problems.push(&entry.node.origin, path, flaw);
                    None
                }
            },
            _ => {
                let help = format!("write for example {} = \"hello\"", segment(&entry.key));
                let flaw = Flaw::expected("the name of an action", &entry.node).help(help);
                problems.push(&entry.node.origin, path, flaw);
                None
            }
        };
        if let Some((action, args)) = read {
            let place = place(file, &entry.origin);
            assigned.push(Assigned { function: entry.key.clone(), action, args, place });
        }
    }
    assigned
}

/// `{ action = "matmul", args = { n = 200 } }`.
fn read_assignment(
    path: &str,
    entry: &Entry,
    table: &Table,
    problems: &mut Problems,
) -> Option<(String, Map<String, Value>)> {
    let section = Section::open(path, &entry.origin, table, LIVE_FUNCTION, problems);
    let action = section.require("action", problems, values::text);
    let args = match section.find("args") {
        None => Some(Map::new()),
        Some(entry) => section.as_table(entry, problems).and_then(|table| {
            object(table).map_err(|(origin, flaw)| problems.push(&origin, section.subject("args"), flaw)).ok()
        }),
    };
    Some((action?, args?))
}

fn read_images(file: &Path, section: &Section<'_>, problems: &mut Problems) -> Vec<KindImage> {
    let mut images = Vec::new();
    for entry in entries(section, "images", problems) {
        match values::text(&entry.node) {
            Ok(image) if !image.contains(char::is_whitespace) => {
                images.push(KindImage { kind: entry.key.clone(), image, place: place(file, &entry.origin) });
            }
            Ok(image) => {
                let flaw = Flaw::new(format!("{} cannot be an image: it has a blank in it", quote(&image)));
                problems.push(
                    &entry.node.origin,
                    format!("live.images.{}", segment(&entry.key)),
                    flaw.help("write for example \"openwhisk/action-python-v3.11\""),
                );
            }
            Err(flaw) => {
                problems.push(
                    &entry.node.origin,
                    format!("live.images.{}", segment(&entry.key)),
                    flaw.help("write for example \"python:3\" = \"openwhisk/action-python-v3.11\""),
                );
            }
        }
    }
    images
}

fn place(file: &Path, origin: &Origin) -> String {
    match origin {
        Origin::File => file.display().to_string(),
        Origin::Line(line) => format!("{}:{line}", file.display()),
        Origin::Set { path, .. } => format!("--set {path}"),
        Origin::Option(name) => format!("--{name}"),
    }
}

/// A table as the JSON that an action is given; the place and the flaw of what JSON does not have.
fn object(table: &Table) -> Result<Map<String, Value>, (Origin, Flaw)> {
    table.entries.iter().map(|entry| Ok((entry.key.clone(), json(&entry.node)?))).collect()
}

fn json(node: &Node) -> Result<Value, (Origin, Flaw)> {
    let refuse = |flaw: Flaw| Err((node.origin.clone(), flaw));
    match &node.raw {
        Raw::Text(text) => Ok(Value::from(text.as_str())),
        Raw::Bool(flag) => Ok(Value::from(*flag)),
        Raw::Integer(number) => match i64::try_from(*number) {
            Ok(number) => Ok(Value::from(number)),
            Err(_) => refuse(Flaw::new(format!("{number} is beyond what JSON numbers hold exactly"))),
        },
        Raw::Float(number) => match Number::from_f64(*number) {
            Some(number) => Ok(Value::Number(number)),
            None => refuse(Flaw::new(format!("JSON has no `{number}`"))),
        },
        Raw::Date(_) => refuse(
            Flaw::expected("what JSON has", node).help("put dates in quotes: actions get them as text"),
        ),
        Raw::List(items) => items.iter().map(json).collect::<Result<Vec<Value>, _>>().map(Value::from),
        Raw::Table(table) => object(table).map(Value::Object),
    }
}
