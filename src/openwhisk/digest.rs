//! All figures of a log: phases by start state, invocations, samples for a cost model, counters. Owns how they are
//! put together; must never read a file itself nor decide how they look.
//!
//! Memory: what is under way ([`super::joining`]), a number per phase and activation for the samples, and, if they are
//! asked for, a row per invocation; together some percent of the log.

use std::collections::{BTreeMap, HashMap};
use std::path::PathBuf;

use super::counted::{CountedStart, CounterFigures, Counters};
use super::joining::{Hear, Joiner, Oddities};
use super::logs::{LogLine, counter_line, parse_container_start};
use super::phases::{Activation, Fate, Phase, PhaseSamples, samples_of};
use super::reading::{LineFigures, Take, read_lines};
use crate::pool::boundary::StartState;
use crate::trace::{TraceError, Watch};

mod measures;

pub use measures::{Histogram, MEASURES, Measure};

/// The name of functions that the log does not name.
pub const UNKNOWN: &str = "(unknown)";

/// The activations of one start state.
#[derive(Clone, PartialEq, Debug)]
pub struct StartFigures {
    /// How many.
    pub count: u64,
    /// Of these, those that did not end well.
    pub failed: u64,
    /// Of these, those whose start state was inferred.
    pub inferred: u64,
    /// By [`MEASURES`]: durations, and how many ended with an error.
    pub measures: Vec<(Histogram, u64)>,
}

impl Default for StartFigures {
    fn default() -> StartFigures {
        StartFigures { count: 0, failed: 0, inferred: 0, measures: vec![Default::default(); MEASURES.len()] }
    }
}

/// An invocation as the log tells of it. Times in ms.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Row {
    /// Since 1970.
    pub arrived_at: i64,
    order: u64,
    /// Into [`Digest::functions`].
    pub function: u32,
    /// How it got its container; `None`: not at all, or not told.
    pub start: Option<StartState>,
    /// From arrival to init or run.
    pub wait: Option<u32>,
    /// Initialisation.
    pub init: Option<u32>,
    /// Initialisation and run.
    pub duration: Option<u32>,
    /// From arrival to the end of the run.
    pub response: Option<u32>,
    /// As tables of invocations have it; `None`: not told.
    pub outcome: Option<&'static str>,
    /// Its id.
    pub activation: Option<Box<str>>,
    /// Its number among all that arrived, from 0, those without a row included.
    pub number: u64,
}

/// How many activations became what.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct FateFigures {
    /// Placed, and ended.
    pub complete: u64,
    /// Of these, those that did not end well.
    pub failed: u64,
    /// Of these, those whose start state was inferred.
    pub inferred: u64,
    /// Answered without being placed.
    pub unserved: u64,
    /// Their beginning or end is not in the log.
    pub incomplete: u64,
}

/// Everything that a log tells.
#[derive(Clone, PartialEq, Debug)]
pub struct Digest {
    /// Its lines.
    pub lines: LineFigures,
    /// Its activations.
    pub fates: FateFigures,
    /// What was odd about joining them.
    pub oddities: Oddities,
    /// By start state, in the order of [`StartState::ALL`].
    pub starts: Vec<StartFigures>,
    /// By [`Phase`]: what belongs to no activation, and how often it ended with an error.
    pub background: Vec<(Histogram, u64)>,
    /// For a cost model.
    pub samples: PhaseSamples,
    /// Names of functions: of the action, with namespace and package where that is needed to tell them apart.
    pub functions: Vec<String>,
    /// In order of arrival, if asked for. Of counter lines where no activation was complete.
    pub rows: Vec<Row>,
    /// Whether rows are of counter lines.
    pub rows_are_counted: bool,
    /// Containers that were created, if the log tells.
    pub created: Option<u64>,
    /// The counters of the FaasCache fork.
    pub counters: CounterFigures,
}

/// Reads logs (plain, gzip, zstd; `-`: standard input).
///
/// `with_rows`: whether [`Digest::rows`] are wanted. `hear` is told of every activation as it is handed over.
///
/// # Errors
/// As [`read_lines`] says, and if there is no line of OpenWhisk's at all.
pub fn read_log(
    logs: &[PathBuf],
    with_rows: bool,
    watch: &dyn Watch,
    hear: &mut dyn FnMut(&Activation, Fate),
) -> Result<Digest, TraceError> {
    let mut maker = Maker::new(with_rows, hear);
    let lines = read_lines(logs, watch, &mut maker)?;
    if lines.openwhisk == 0 {
        return Err(nothing_there(&lines));
    }
    Ok(maker.finish(lines))
}

fn nothing_there(lines: &LineFigures) -> TraceError {
    let help = "a line is for example\n[2022-04-15T06:04:39.109Z] [INFO] [#tid_kB9R] [ActionsApi] text\nand is written by \
                the controller, the invoker or the standalone server";
    let name = match lines.files.as_slice() {
        [only] => only.file.clone(),
        files => format!("{} files", files.len()),
    };
    let message = if lines.lines == 0 {
        "empty; an OpenWhisk log is needed here".to_owned()
    } else {
        format!("no line of an OpenWhisk log among {}", crate::results::counted(lines.lines, "line"))
    };
    TraceError::new(name, message).with_help(help)
}

/// Puts figures together while lines are read.
struct Maker<'h> {
    joiner: Joiner,
    counters: Counters,
    figures: Figures<'h>,
}

/// What is gathered, apart from what is under way.
struct Figures<'h> {
    hear: &'h mut dyn FnMut(&Activation, Fate),
    with_rows: bool,
    fates: FateFigures,
    starts: Vec<StartFigures>,
    background: Vec<(Histogram, u64)>,
    general: PhaseSamples,
    functions: Functions,
    rows: Vec<Row>,
    /// When activations without a row arrived, and their order: they count when rows are numbered.
    unfinished: Vec<(i64, u64)>,
    counted: Vec<CountedStart>,
    creations: u64,
    created_states: u64,
}

/// Functions by path.
#[derive(Default)]
struct Functions {
    paths: Vec<Box<str>>,
    by_path: HashMap<Box<str>, u32>,
    /// Paths by invoking namespace and bare name, for activations that never ran.
    by_name: HashMap<(Box<str>, Box<str>), u32>,
    samples: Vec<BTreeMap<&'static str, Vec<f64>>>,
}

impl Take for Maker<'_> {
    fn line(&mut self, source: usize, line: &LogLine<'_>) {
        let message = line.message;
        match message.as_bytes().first() {
            Some(b'c') => {
                if let Some(counters) = counter_line(message) {
                    let figures = &mut self.figures;
                    self.counters.line(source, line.time_ms, &counters, |start| {
                        // Of a start in a state that is neither counted nor told there is nothing to say.
                        if figures.with_rows && start.start.is_some() {
                            figures.counted.push(start);
                        }
                    });
                } else if let Some(start) = parse_container_start(message) {
                    self.counters.placed(source, &start);
                }
            }
            Some(b'u') => {
                if let Some(state) = message.strip_prefix("unknown container state ") {
                    self.counters.unknown_state(source, state.trim());
                }
            }
            Some(b'r') if message.starts_with("removing container (") => self.counters.evicted(),
            _ => {}
        }
        self.joiner.line(line, &mut self.figures);
    }

    fn end(&mut self, source: usize) {
        self.counters.end_of(source);
    }
}

impl Hear for Figures<'_> {
    fn activation(&mut self, activation: Activation, fate: Fate) {
        (self.hear)(&activation, fate);
        match fate {
            Fate::Complete => self.complete(&activation),
            Fate::Unserved => self.fates.unserved += 1,
            Fate::Incomplete => self.fates.incomplete += 1,
        }
        self.creations += u64::from(activation.mark(Phase::Create).succeeded().is_some());
        if !self.with_rows {
            return;
        }
        if fate != Fate::Incomplete {
            let function = self.functions.of(&activation);
            self.rows.push(row(activation, function));
        } else if activation.mark(Phase::Controller).start.is_some() || activation.accepted.is_some() {
            self.unfinished.push((activation.request_at, activation.order));
        }
    }

    fn background(&mut self, phase: Phase, ms: u32, failed: bool) {
        let (histogram, errors) = &mut self.background[phase as usize];
        if failed {
            *errors += 1;
            return;
        }
        histogram.add(i64::from(ms));
        self.creations += u64::from(phase == Phase::Create);
        // What belongs to a container and not to an activation is a sample as well. Creations of prewarms are not:
        // those that go on at the same time cannot be told apart, so `docker inspect` finds no `docker run`.
        match phase {
            Phase::Pause => self.general.add("pause", f64::from(ms)),
            Phase::Unpause => self.general.add("unpause", f64::from(ms)),
            Phase::Remove => self.general.add("remove", f64::from(ms)),
            _ => {}
        }
    }
}

impl Figures<'_> {
    fn complete(&mut self, activation: &Activation) {
        let Some(start) = activation.start else { return };
        self.fates.complete += 1;
        self.fates.failed += u64::from(activation.is_failed);
        self.fates.inferred += u64::from(activation.is_inferred);
        self.created_states += u64::from(start.creates());
        let figures = &mut self.starts[start as usize];
        figures.count += 1;
        figures.failed += u64::from(activation.is_failed);
        figures.inferred += u64::from(activation.is_inferred);
        for (measure, (histogram, errors)) in MEASURES.iter().zip(&mut figures.measures) {
            match (measure.of)(activation) {
                _ if measure.has_failed(activation) => *errors += 1,
                Some(ms) => histogram.add(ms),
                None => {}
            }
        }
        let function = self.functions.of(activation) as usize;
        for (phase, ms) in samples_of(activation) {
            self.general.add(phase, ms);
            if matches!(phase, "init" | "first-run" | "run") {
                self.functions.samples[function].entry(phase).or_default().push(ms);
            }
        }
    }
}

fn row(activation: Activation, function: u32) -> Row {
    let failed = |phase: Phase| activation.mark(phase).failed;
    let outcome = match () {
        () if activation.is_system_error => "system-error",
        () if failed(Phase::Init) || failed(Phase::Run) => "developer-error",
        // Refused before it was placed: what the invoker's front end answers is an application error (§7).
        () if activation.start.is_none() => "application-error",
        () => "success",
    };
    Row {
        arrived_at: activation.request_at,
        order: activation.order,
        function,
        start: activation.start,
        wait: activation.wait(),
        init: activation.init(),
        duration: activation.duration(),
        response: activation.response(),
        outcome: Some(outcome),
        activation: activation.id,
        number: 0,
    }
}

impl Functions {
    fn at(&mut self, path: &str) -> u32 {
        if let Some(known) = self.by_path.get(path) {
            return *known;
        }
        // As many as there are actions.
        let new = self.paths.len() as u32;
        self.paths.push(path.into());
        self.samples.push(BTreeMap::new());
        self.by_path.insert(path.into(), new);
        new
    }

    fn of(&mut self, activation: &Activation) -> u32 {
        if let Some(path) = &activation.path {
            let function = self.at(path);
            if let Some(name) = &activation.placed_as
                && self.by_name.get(name) != Some(&function)
            {
                self.by_name.insert(name.clone(), function);
            }
            return function;
        }
        match &activation.placed_as {
            Some(name) => match self.by_name.get(name) {
                Some(known) => *known,
                None => self.at(&format!("{}/{}", name.0, name.1)),
            },
            None => self.at(UNKNOWN),
        }
    }

    /// The bare name where it is the only one of its kind, otherwise the path.
    fn names(&self) -> Vec<String> {
        let bare = |path: &str| path.rsplit('/').next().unwrap_or_default().to_owned();
        let mut count: HashMap<String, u32> = HashMap::new();
        for path in &self.paths {
            *count.entry(bare(path)).or_default() += 1;
        }
        let name = |path: &str| if count[&bare(path)] == 1 { bare(path) } else { path.to_owned() };
        self.paths.iter().map(|path| name(path)).collect()
    }
}

impl<'h> Maker<'h> {
    fn new(with_rows: bool, hear: &'h mut dyn FnMut(&Activation, Fate)) -> Maker<'h> {
        let figures = Figures {
            hear,
            with_rows,
            fates: FateFigures::default(),
            starts: vec![StartFigures::default(); StartState::ALL.len()],
            background: vec![Default::default(); Phase::COUNT],
            general: PhaseSamples::default(),
            functions: Functions::default(),
            rows: Vec::new(),
            unfinished: Vec::new(),
            counted: Vec::new(),
            creations: 0,
            created_states: 0,
        };
        Maker { joiner: Joiner::default(), counters: Counters::default(), figures }
    }

    fn finish(mut self, lines: LineFigures) -> Digest {
        self.joiner.finish(&mut self.figures);
        let mut figures = self.figures;
        let counters = self.counters.figures();
        let rows_are_counted = figures.rows.is_empty() && !figures.counted.is_empty();
        for (order, start) in std::mem::take(&mut figures.counted).into_iter().enumerate() {
            if rows_are_counted {
                let function = figures.functions.at(start.path.as_deref().unwrap_or(UNKNOWN));
                figures.rows.push(counted_row(&start, order as u64, function));
            }
        }
        // Counter lines are not of these activations.
        let unfinished = if rows_are_counted { Vec::new() } else { figures.unfinished };
        number(&mut figures.rows, unfinished);
        let functions = figures.functions.names();
        let mut samples = figures.general;
        for (name, of_function) in functions.iter().zip(figures.functions.samples) {
            if !of_function.is_empty() {
                samples.functions.insert(name.clone(), of_function);
            }
        }
        // Other platforms than Docker write no markers for what they do with containers.
        let created = match (figures.creations, figures.created_states, counters.lines) {
            (0, 0, 0) if figures.fates.complete == 0 => None,
            (0, 0, _) => Some(counters.cold),
            (0, states, _) => Some(states),
            (creations, ..) => Some(creations),
        };
        Digest {
            lines,
            fates: figures.fates,
            oddities: self.joiner.oddities(),
            starts: figures.starts,
            background: figures.background,
            samples,
            functions,
            rows: figures.rows,
            rows_are_counted,
            created,
            counters,
        }
    }
}

/// Sorts rows by arrival and numbers them; what never ended has a number, too, so that the others keep theirs.
fn number(rows: &mut [Row], mut unfinished: Vec<(i64, u64)>) {
    rows.sort_unstable_by_key(|row| (row.arrived_at, row.order));
    unfinished.sort_unstable();
    let mut before = 0;
    for (ix, row) in rows.iter_mut().enumerate() {
        before += unfinished[before..].partition_point(|arrival| *arrival < (row.arrived_at, row.order));
        row.number = (ix + before) as u64;
    }
}

fn counted_row(start: &CountedStart, order: u64, function: u32) -> Row {
    Row {
        arrived_at: start.at,
        order,
        function,
        start: start.start,
        wait: None,
        init: None,
        duration: None,
        response: None,
        outcome: None,
        activation: None,
        number: 0,
    }
}
