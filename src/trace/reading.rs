//! What a reader may be told: which part is wanted, and which model fills in what a format leaves open.
//! Owns these choices and their defaults, and how notes and faults are collected; must never read a
//! file.

use rand_pcg::Pcg64Mcg;

use super::error::TraceError;
use super::expand::{Expansion, Spacing};
use super::formats::Format;
use super::watch::Watch;
use crate::duration::{DurationValue, Sampler};
use crate::memory::Memory;
use crate::random::{keyed, text_key};
use crate::time::Span;

/// How a trace is to be read.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Reading {
    /// The format; recognised by content if not given.
    pub format: Option<&'static Format>,
    /// Which days of a data set with a file per day, ascending; all if empty. They are laid end to end.
    pub days: Vec<u16>,
    /// What is kept alive as one.
    pub unit: Unit,
    /// What a function is charged where memory is known by app.
    pub app_memory: AppMemory,
    /// How long invocations run where the format does not tell each.
    pub run_time: RunTimes,
    /// What a cold start adds.
    pub cold_start: ColdStart,
    /// What becomes of functions of which the format should tell something and does not.
    pub incomplete: Incomplete,
    /// Memory of functions whose format tells none; [`Reading::MEMORY`] if not given.
    pub memory: Option<Memory>,
    /// How counts become arrivals.
    pub spacing: Spacing,
    /// Of everything drawn while reading.
    pub seed: u64,
}

/// What is kept alive as one.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Unit {
    /// Each function by itself.
    #[default]
    Function,
    /// All functions of an app share containers, as on Azure Functions.
    App,
}

/// What a function is charged where memory is known by app.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum AppMemory {
    /// The app's memory divided by the number of its functions, rounded up, as FaasCache does.
    #[default]
    Divided,
    /// The whole of the app's memory.
    Whole,
}

/// How long invocations run where the format does not tell each.
#[derive(Clone, PartialEq, Debug, Default)]
pub enum RunTimes {
    /// As long as the function's average.
    #[default]
    Average,
    /// Drawn from the function's percentiles.
    Percentiles,
    /// Drawn once per function, whatever the format tells.
    Given(DurationValue),
}

/// What a cold start adds to the warm run time.
#[derive(Clone, PartialEq, Debug, Default)]
pub enum ColdStart {
    /// What the format tells; where it tells run times only, the longest less the average, as FaasCache
    /// took it.
    #[default]
    Maximum,
    /// Drawn once per function.
    Given(DurationValue),
}

/// What becomes of functions of which something is missing.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Incomplete {
    /// The median of the others stands in.
    #[default]
    Fill,
    /// They are left out with their invocations, as FaasCache does.
    Drop,
}

/// Days as text: `3`, `1-3`, `1-3,5,8`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Days(pub Vec<u16>);

impl std::str::FromStr for Days {
    type Err = String;

    fn from_str(text: &str) -> Result<Days, String> {
        let unreadable = || format!("`{text}` is no list of days; write for example 1-3,5");
        let number = |text: &str| text.trim().parse::<u16>().map_err(|_| unreadable());
        let mut days = Vec::new();
        for part in text.split(',') {
            match part.split_once('-') {
                None => days.push(number(part)?),
                Some((first, last)) => {
                    let (first, last) = (number(first)?, number(last)?);
                    if first > last {
                        return Err(format!(
                            "`{}` ends before it begins; write for example 1-3,5",
                            part.trim()
                        ));
                    }
                    days.extend(first..=last);
                }
            }
        }
        days.sort_unstable();
        days.dedup();
        Ok(Days(days))
    }
}

impl Unit {
    /// By name.
    pub const NAMES: [(&'static str, Unit); 2] = [("function", Unit::Function), ("app", Unit::App)];
}

impl AppMemory {
    /// By name.
    pub const NAMES: [(&'static str, AppMemory); 2] =
        [("divided", AppMemory::Divided), ("whole", AppMemory::Whole)];
}

impl Incomplete {
    /// By name.
    pub const NAMES: [(&'static str, Incomplete); 2] =
        [("fill", Incomplete::Fill), ("drop", Incomplete::Drop)];
}

/// Purposes of random numbers.
const RUN: u64 = 0x7275_6e20_7469_6d65;
const COLD: u64 = 0x636f_6c64_2073_7461;

impl Reading {
    /// Memory of functions whose format tells none.
    pub const MEMORY: Memory = Memory(128);
    /// Run time of functions whose format tells none.
    pub const RUN_TIME: Span = Span::from_ms(100);
    /// Cold start of functions whose format tells none.
    pub const COLD_START: Span = Span::from_secs(1);

    /// The keys that fill in what a format leaves open, or say which part is wanted.
    pub const KEYS: [&str; 7] =
        ["days", "app-memory", "run-time", "cold-start", "incomplete", "function-memory", "arrivals"];

    /// Those of [`Reading::KEYS`] that are not at their defaults.
    pub(crate) fn given(&self) -> impl Iterator<Item = &'static str> {
        let usual = Reading::default();
        let changed = [
            self.days != usual.days,
            self.app_memory != usual.app_memory,
            self.run_time != usual.run_time,
            self.cold_start != usual.cold_start,
            self.incomplete != usual.incomplete,
            self.memory != usual.memory,
            self.spacing != usual.spacing,
        ];
        Reading::KEYS.into_iter().zip(changed).filter(|(_, changed)| *changed).map(|(key, _)| key)
    }

    /// How counts become arrivals.
    pub fn expansion(&self) -> Expansion {
        Expansion { spacing: self.spacing, seed: self.seed }
    }

    /// Memory of a function whose format tells none.
    pub fn memory(&self) -> Memory {
        self.memory.unwrap_or(Reading::MEMORY)
    }

    /// The models, ready to be asked.
    ///
    /// # Errors
    /// A distribution whose parameters are out of range.
    pub(crate) fn models(&self, trace: &str) -> Result<Models, TraceError> {
        let ready = |what: &str, value: &DurationValue| {
            Sampler::new(value).map_err(|fault| TraceError::new(trace, format!("{what}: {fault}")))
        };
        let run = match &self.run_time {
            RunTimes::Given(value) => Some(ready("run-time", value)?),
            RunTimes::Average | RunTimes::Percentiles => None,
        };
        let cold = match &self.cold_start {
            ColdStart::Given(value) => Some(ready("cold-start", value)?),
            ColdStart::Maximum => None,
        };
        Ok(Models { run, cold, seed: self.seed })
    }
}

/// The models of a reading, ready to be asked function by function.
pub(crate) struct Models {
    run: Option<Sampler>,
    cold: Option<Sampler>,
    seed: u64,
}

impl Models {
    /// Warm and cold run time of a function; `told`: what the format tells of either (the cold one in
    /// all, the start included).
    pub(crate) fn warm_and_cold(&self, function: &str, told: (Option<Span>, Option<Span>)) -> (Span, Span) {
        let generator = |purpose: u64| -> Pcg64Mcg { keyed(self.seed, purpose, text_key(function)) };
        let warm = match (&self.run, told.0) {
            (Some(sampler), _) => sampler.draw(|| generator(RUN)),
            (None, Some(warm)) => warm,
            (None, None) => Reading::RUN_TIME,
        };
        let start = match (&self.cold, told) {
            (Some(sampler), _) => sampler.draw(|| generator(COLD)),
            (None, (Some(warm), Some(cold))) => cold.saturating_sub(warm),
            (None, _) => Reading::COLD_START,
        };
        (warm, warm + start)
    }

    /// What is assumed for want of anything better, as the note says it; nothing if all is given. `told`: keys that need
    /// no assumption, since the format tells them or the user did.
    pub(crate) fn assumed(&self, told: &[&str]) -> Option<String> {
        let assumptions = [
            ("run-time", self.run.is_some(), format!("a run time of {}", Reading::RUN_TIME)),
            ("cold-start", self.cold.is_some(), format!("a cold start of {}", Reading::COLD_START)),
            ("function-memory", false, Reading::MEMORY.to_string()),
        ];
        let made = assumptions.iter().filter(|(key, given, _)| !given && !told.contains(key));
        let (keys, said): (Vec<&str>, Vec<&str>) = made.map(|(key, _, said)| (*key, said.as_str())).unzip();
        (!keys.is_empty()).then(|| {
            let (said, keys) = (said.join(", "), keys.join(", "));
            format!("assumed for every function, for want of better: {said}; set {keys}")
        })
    }
}

/// What comes up while a trace is read.
pub struct Context<'w> {
    /// What was repaired or looks odd, one sentence each.
    pub notes: Vec<String>,
    /// What is wrong, if more than the first fault is wanted.
    pub faults: Vec<TraceError>,
    /// How many faults are collected before reading ends.
    most_faults: usize,
    /// Who wants to know how far reading is.
    pub watch: &'w dyn Watch,
}

impl<'w> Context<'w> {
    /// Reading ends at the first fault.
    pub fn new(watch: &'w dyn Watch) -> Context<'w> {
        Context { notes: Vec::new(), faults: Vec::new(), most_faults: 1, watch }
    }

    /// Reading goes on after a fault of a row, up to so many of them.
    pub fn collecting(watch: &'w dyn Watch, most_faults: usize) -> Context<'w> {
        Context { most_faults, ..Context::new(watch) }
    }

    /// Takes note of something that was repaired or looks odd.
    pub(crate) fn note(&mut self, note: impl Into<String>) {
        self.notes.push(note.into());
    }

    /// The value, or nothing if it is faulty and reading goes on all the same.
    ///
    /// # Errors
    /// The fault, if it is one too many.
    #[inline]
    pub(crate) fn tolerate<T>(&mut self, result: Result<T, TraceError>) -> Result<Option<T>, TraceError> {
        match result {
            Ok(value) => Ok(Some(value)),
            Err(error) => self.fault(error).map(|()| None),
        }
    }

    #[cold]
    fn fault(&mut self, error: TraceError) -> Result<(), TraceError> {
        if error.is_stop || self.faults.len() + 1 >= self.most_faults {
            return Err(error);
        }
        self.faults.push(error);
        Ok(())
    }

    /// Whether any fault was tolerated, so that what was read is not the trace.
    pub(crate) fn is_clean(&self) -> bool {
        self.faults.is_empty()
    }
}

impl std::fmt::Debug for Context<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Context").field("notes", &self.notes).field("faults", &self.faults).finish()
    }
}
