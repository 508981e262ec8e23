//! Synthetic traces by preset. Owns what may be wished for; the models are in a file each. The same wish gives
//! the same bytes on every machine: random numbers come from keyed generators, and no function of the
//! platform's mathematical library is used.

mod azure2019;
mod day;
mod draws;
mod litmus;
mod processes;
mod table392;

use super::{Doing, Trace, TraceError, Watch};
use crate::suggest::nearest;
use crate::time::Span;

/// What a trace should be like; what is not given is the preset's.
#[derive(Clone, PartialEq, Debug)]
pub struct Wish {
    /// How many functions.
    pub functions: Option<u32>,
    /// How many invocations, exactly.
    pub invocations: Option<u64>,
    /// How long.
    pub span: Option<Span>,
    /// How uneven popularity is: the exponent of Zipf's law.
    pub zipf: Option<f64>,
    /// Of everything drawn.
    pub seed: u64,
}

/// A kind of synthetic trace.
pub struct Preset {
    /// By which it is asked for.
    pub name: &'static str,
    /// One line: what it is.
    pub summary: &'static str,
    /// Where its parameters come from.
    pub source: &'static str,
    /// Which wishes it heeds, besides the seed.
    pub heeds: &'static [Heed],
    model: Model,
}

/// What makes the trace of a preset.
enum Model {
    Azure2019Day,
    Azure392,
    Litmus(&'static [litmus::Called]),
    Processes(&'static [processes::Process]),
}

/// Something that can be wished for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Heed {
    /// [`Wish::functions`]
    Functions,
    /// [`Wish::invocations`]
    Invocations,
    /// [`Wish::span`]
    Span,
    /// [`Wish::zipf`]
    Zipf,
}

impl Heed {
    /// The option that wishes for it.
    pub fn option(self) -> &'static str {
        match self {
            Heed::Functions => "--functions",
            Heed::Invocations => "--invocations",
            Heed::Span => "--span (or --days)",
            Heed::Zipf => "--zipf",
        }
    }
}

/// All presets.
pub const PRESETS: &[Preset] = &[
    Preset {
        name: "azure2019-day",
        summary: "days like those of Azure Functions 2019: popularity, timers, bursts, apps, memory, run times",
        source: "docs/specs/trace-calibration.md; docs/traces.md compares it line by line",
        heeds: &[Heed::Functions, Heed::Invocations, Heed::Span],
        model: Model::Azure2019Day,
    },
    Preset {
        name: "azure392",
        summary: "392 real functions of Azure 2019 with their real counts of a day, arrivals drawn",
        source: "FaasCache's sample of Azure Functions 2019 (traces/README.md)",
        heeds: &[],
        model: Model::Azure392,
    },
    litmus::FREQ,
    litmus::FREQ_SUB,
    litmus::LRU,
    litmus::LRU_SUB,
    litmus::SIZE,
    litmus::IAT,
    processes::POISSON,
    processes::MMPP,
    processes::PERIODIC,
    processes::ON_OFF,
    processes::MIX,
];

/// The preset of that name.
pub fn find(name: &str) -> Option<&'static Preset> {
    PRESETS.iter().find(|preset| preset.name == name)
}

/// What is said of a preset that does not exist: the fault and what to do.
pub fn unknown(name: &str) -> (String, String) {
    let names = || PRESETS.iter().map(|preset| preset.name);
    let suggestion =
        nearest(name, names()).map_or_else(String::new, |near| format!("did you mean `{near}`? "));
    (format!("unknown preset `{name}`"), format!("{suggestion}`faassim trace generate --list` lists all"))
}

impl Preset {
    /// Makes the trace.
    ///
    /// # Errors
    /// A wish that the preset does not heed, or one that cannot be fulfilled, or the watch says stop.
    pub fn make(&self, wish: &Wish, watch: &dyn Watch) -> Result<Trace, TraceError> {
        let wished = [
            (Heed::Functions, wish.functions.is_some()),
            (Heed::Invocations, wish.invocations.is_some()),
            (Heed::Span, wish.span.is_some()),
            (Heed::Zipf, wish.zipf.is_some()),
        ];
        let in_vain = wished.into_iter().find(|(heed, wished)| *wished && !self.heeds.contains(heed));
        if let Some((heed, _)) = in_vain {
            let message = format!("{} means nothing to this preset", heed.option());
            let error = TraceError::new(self.name, message);
            return Err(match self.heeds {
                [] => error.with_help("it takes a seed only"),
                heeds => {
                    let options: Vec<&str> = heeds.iter().map(|heed| heed.option()).collect();
                    error.with_help(format!("it takes {} and a seed", options.join(", ")))
                }
            });
        }
        match self.model {
            Model::Azure2019Day => day::make(wish, watch),
            Model::Azure392 => table392::make(wish),
            Model::Litmus(called) => litmus::make(self.name, wish, called),
            Model::Processes(processes) => processes::make(self.name, wish, watch, processes),
        }
    }
}

/// Tells the watch how many functions are made, now and then.
///
/// # Errors
/// The watch says stop.
fn progress(watch: &dyn Watch, preset: &str, done: usize, of: usize) -> Result<(), TraceError> {
    const EVERY: usize = 64;
    let proceed = !done.is_multiple_of(EVERY) || watch.proceed(Doing::Generating, done as u64, of as u64);
    if proceed { Ok(()) } else { Err(TraceError::stopped(preset)) }
}
