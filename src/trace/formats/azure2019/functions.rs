//! What is known of each function and app while the files are joined. Owns keys, names and what stands in
//! for what is missing; must never depend on the order of rows beyond the order of functions.

use std::collections::HashMap;

use crate::memory::Memory;
use crate::time::Span;
use crate::trace::Function;
use crate::trace::error::{TraceError, quoted};
use crate::trace::formats::names::unique_names;
use crate::trace::function::name_fault;
use crate::trace::reading::{AppMemory, Context, Incomplete, Models, Reading, RunTimes, Unit};
use crate::trace::table::Table;

/// Run times of a function as one row tells them.
#[derive(Clone, Copy, Debug)]
pub(super) struct RunSamples {
    pub count: f64,
    pub average_ms: f64,
    pub maximum_ms: f64,
    pub quantiles_ms: Option<[f64; 7]>,
}

/// Memory of an app as one row tells it.
#[derive(Clone, Copy, Debug)]
pub(super) struct MemorySamples {
    pub count: f64,
    pub average_mb: f64,
}

/// Every function that is invoked on the chosen days.
#[derive(Default)]
pub(super) struct Known {
    functions: Vec<KnownFunction>,
    apps: Vec<KnownApp>,
    function_numbers: HashMap<Vec<u8>, u32>,
    app_numbers: HashMap<Vec<u8>, u32>,
}

struct KnownFunction {
    app: u32,
    hash: String,
    trigger: Option<String>,
    run_times: Option<RunSamples>,
    /// One more than the last day that had a row of it.
    days: u32,
}

struct KnownApp {
    owner: String,
    hash: String,
    functions: u32,
    memory: Option<MemorySamples>,
}

/// The trigger of functions whose trigger is not told.
const OTHERS: &str = "others";

/// A trigger, if it can be one.
fn trigger_of(field: &[u8]) -> Option<String> {
    let trigger = String::from_utf8_lossy(field.trim_ascii()).into_owned();
    Some(trigger).filter(|trigger| name_fault(trigger).is_none())
}

/// The functions that are kept.
pub(super) struct Kept {
    pub functions: Vec<Function>,
    /// Where each went.
    pub number: Vec<Option<u32>>,
}

impl Known {
    /// The function of a row, made if it is new; `column`: where its hash stands.
    pub fn function(
        &mut self,
        table: &Table<'_>,
        column: usize,
        names: [&[u8]; 3],
        trigger: &[u8],
    ) -> Result<u32, TraceError> {
        let key = names.join(&0);
        if let Some(&number) = self.function_numbers.get(&key) {
            // The first days call some triggers `others` that later days name.
            let known = &mut self.functions[number as usize].trigger;
            if known.as_deref() == Some(OTHERS) {
                *known = trigger_of(trigger);
            }
            return Ok(number);
        }
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        for name in [names[1], names[2]] {
            if let Some(fault) = name_fault(&text(name)) {
                let message = format!("{} {fault}", quoted(name));
                return Err(table.bad_field(column, message).with_help("HashApp and HashFunction name it"));
            }
        }
        let app_key = names[..2].join(&0);
        let next = self.apps.len() as u32;
        let app = *self.app_numbers.entry(app_key).or_insert(next);
        if app == next {
            let (owner, hash) = (text(names[0]), text(names[1]));
            self.apps.push(KnownApp { owner, hash, functions: 0, memory: None });
        }
        self.apps[app as usize].functions += 1;
        let number = self.functions.len() as u32;
        let trigger = trigger_of(trigger);
        self.functions.push(KnownFunction { app, hash: text(names[2]), trigger, run_times: None, days: 0 });
        self.function_numbers.insert(key, number);
        Ok(number)
    }

    /// Whether this is the first row of the function on the `position`-th day.
    pub fn is_first_row_of_day(&mut self, number: u32, position: u32) -> bool {
        let days = &mut self.functions[number as usize].days;
        std::mem::replace(days, position + 1) <= position
    }

    /// The number of a function, if it is invoked.
    pub fn find(&self, names: [&[u8]; 3]) -> Option<u32> {
        self.function_numbers.get(&names.join(&0)).copied()
    }

    /// The number of an app, if any function of it is invoked.
    pub fn find_app(&self, names: [&[u8]; 2]) -> Option<u32> {
        self.app_numbers.get(&names.join(&0)).copied()
    }

    /// Adds run times, weighted by their counts.
    pub fn add_run_times(&mut self, number: u32, new: RunSamples) {
        let run_times = &mut self.functions[number as usize].run_times;
        *run_times = Some(match run_times.take() {
            None => new,
            Some(old) => {
                let count = old.count + new.count;
                RunSamples {
                    count,
                    average_ms: (old.average_ms * old.count + new.average_ms * new.count) / count,
                    maximum_ms: old.maximum_ms.max(new.maximum_ms),
                    // Percentiles do not add up: those of the larger sample stand.
                    quantiles_ms: if new.count > old.count { new.quantiles_ms } else { old.quantiles_ms },
                }
            }
        });
    }

    /// Adds memory, weighted by its samples.
    pub fn add_memory(&mut self, app: u32, new: MemorySamples) {
        let memory = &mut self.apps[app as usize].memory;
        *memory = Some(match memory.take() {
            None => new,
            Some(old) => {
                let count = old.count + new.count;
                let average_mb = (old.average_mb * old.count + new.average_mb * new.count) / count;
                MemorySamples { count, average_mb }
            }
        });
    }

    /// The functions of the trace, gaps filled or left out.
    pub fn into_functions(
        self,
        reading: &Reading,
        models: &Models,
        trace: &str,
        context: &mut Context<'_>,
    ) -> Result<Kept, TraceError> {
        let stand_in = StandIn::of(&self, reading);
        stand_in.note(&self, reading, models, context);
        let names = unique_names(self.functions.iter().map(|function| {
            let app = &self.apps[function.app as usize];
            [function.hash.as_str(), app.hash.as_str(), app.owner.as_str()]
        }));
        let mut kept = Kept { functions: Vec::new(), number: Vec::with_capacity(self.functions.len()) };
        for (known, name) in self.functions.iter().zip(names) {
            let app = &self.apps[known.app as usize];
            let complete = known.run_times.is_some() && app.memory.is_some();
            if reading.incomplete == Incomplete::Drop && !complete {
                kept.number.push(None);
                continue;
            }
            kept.number.push(Some(kept.functions.len() as u32));
            kept.functions.push(finished(known, app, name, reading, models, &stand_in));
        }
        if kept.functions.is_empty() {
            return Err(TraceError::new(trace, "has no function with run times and memory")
                .with_help("incomplete functions are dropped; set incomplete = \"fill\" to keep them"));
        }
        Ok(kept)
    }
}

/// What stands in for what is missing: medians of what is there.
struct StandIn {
    average_ms: Option<f64>,
    maximum_ms: Option<f64>,
    memory_mb: Option<f64>,
}

impl StandIn {
    fn of(known: &Known, reading: &Reading) -> StandIn {
        let runs = || known.functions.iter().filter_map(|function| function.run_times);
        let memory = known.apps.iter().filter_map(|app| Some(app.memory?.average_mb));
        StandIn {
            average_ms: median(runs().map(|run| run.average_ms).collect()),
            maximum_ms: median(runs().map(|run| run.maximum_ms).collect()),
            memory_mb: reading.memory.map(|memory| memory.mib() as f64).or_else(|| median(memory.collect())),
        }
    }

    fn note(&self, known: &Known, reading: &Reading, models: &Models, context: &mut Context<'_>) {
        let without_runs = known.functions.iter().filter(|function| function.run_times.is_none()).count();
        let without_memory = known.apps.iter().filter(|app| app.memory.is_none()).count();
        // Where nothing of a kind is known of anybody, there is no median either.
        let told = [
            ("run-time", self.average_ms.is_some()),
            ("cold-start", self.average_ms.is_some()),
            ("function-memory", self.memory_mb.is_some()),
        ];
        let told: Vec<&str> = told.into_iter().filter(|(_, told)| *told).map(|(key, _)| key).collect();
        context.notes.extend(models.assumed(&told));
        let fate = |what: String| match reading.incomplete {
            Incomplete::Fill => format!("the median of the others stands in ({what})"),
            Incomplete::Drop => "left out with their invocations".to_owned(),
        };
        if let Some(ms) = self.average_ms.filter(|_| without_runs > 0) {
            let what = fate(Span::from_ms_f64(ms).to_string());
            context.note(format!("{without_runs} functions without run times: {what}"));
        }
        if let Some(mb) = self.memory_mb.filter(|_| without_memory > 0) {
            context.note(format!(
                "{without_memory} apps without memory: {}",
                fate(format!("{} MB", mb.round()))
            ));
        }
    }
}

/// The middle value; of an even number the lower of the two.
fn median(mut values: Vec<f64>) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    values.get(values.len().saturating_sub(1) / 2).copied()
}

fn finished(
    known: &KnownFunction,
    app: &KnownApp,
    name: String,
    reading: &Reading,
    models: &Models,
    stand_in: &StandIn,
) -> Function {
    let average = known.run_times.map(|run| run.average_ms).or(stand_in.average_ms);
    let maximum = known.run_times.map(|run| run.maximum_ms).or(stand_in.maximum_ms);
    // The real maximum is not always above the average, both being rounded: then a start adds nothing.
    let told = (average.map(Span::from_ms_f64), maximum.map(Span::from_ms_f64));
    let (warm, cold) = models.warm_and_cold(&name, told);
    let memory_mb = app.memory.map(|memory| memory.average_mb).or(stand_in.memory_mb);
    let whole = reading.app_memory == AppMemory::Whole || reading.unit == Unit::App;
    let memory = match memory_mb {
        Some(mb) if whole => Memory(mb.ceil() as u64),
        Some(mb) => Memory((mb / f64::from(app.functions)).ceil() as u64),
        None => Reading::MEMORY,
    };
    let quantiles = known.run_times.and_then(|run| run.quantiles_ms);
    Function {
        app: Some(app.hash.clone()),
        namespace: if name_fault(&app.owner).is_none() {
            app.owner.clone()
        } else {
            Function::DEFAULT_NAMESPACE.to_owned()
        },
        trigger: known.trigger.clone(),
        run_quantiles: match reading.run_time {
            RunTimes::Percentiles => quantiles.map(ascending),
            RunTimes::Average | RunTimes::Given(_) => None,
        },
        ..Function::new(name, Memory(memory.mib().clamp(1, u64::from(u32::MAX))), cold, warm)
    }
}

/// Quantiles as spans: what is negative becomes zero, what falls is raised.
fn ascending(quantiles_ms: [f64; 7]) -> [Span; 7] {
    let mut least = Span::ZERO;
    quantiles_ms.map(|ms| {
        least = Span::from_ms_f64(ms).max(least);
        least
    })
}
