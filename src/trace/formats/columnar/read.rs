//! Reads a Parquet trace. Owns the checks that the native reader makes of text; must never trust a number
//! because it is well-formed.

use std::path::Path;

use super::frame::{Group, Parquet};
use super::{BIN_US, COUNTS, FUNCTIONS, INVOCATIONS, QUANTILES};
use crate::memory::Memory;
use crate::time::{Span, Time};
use crate::trace::counts::{Builder, Counts};
use crate::trace::error::TraceError;
use crate::trace::fields::out_of_order;
use crate::trace::formats::look::stem;
use crate::trace::invocations::Measured;
use crate::trace::number::MAX_MICROS;
use crate::trace::reading::{Context, Reading};
use crate::trace::{Function, Invocations, RunTime, Trace};

/// Reads the trace in a folder.
pub(super) fn read(path: &Path, reading: &Reading, context: &mut Context<'_>) -> Result<Trace, TraceError> {
    let shown = path.display().to_string();
    if path.is_file() {
        let folder = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
        return Err(TraceError::new(shown, "is a file, but a Parquet trace is a folder of two files")
            .with_help(format!("give its folder, `{}`", folder.display())));
    }
    let functions = read_functions(&path.join(FUNCTIONS), context)?;
    let (invocations, counts) = (path.join(INVOCATIONS), path.join(COUNTS));
    match (invocations.exists(), counts.exists()) {
        (true, false) => {
            let invocations = read_invocations(&invocations, functions.len(), context)?;
            Trace::new(stem(path), functions, invocations)
        }
        (false, true) => {
            let counts = read_counts(&counts, functions.len(), context)?;
            Trace::counted(stem(path), functions, counts, reading.expansion())
        }
        (true, true) => {
            let message = format!("both `{INVOCATIONS}` and `{COUNTS}` are there");
            Err(TraceError::new(shown, message)
                .with_help("keep the one that is meant and move the other away"))
        }
        (false, false) => Err(TraceError::new(shown, format!("has neither `{INVOCATIONS}` nor `{COUNTS}`"))
            .with_help("`faassim trace convert` writes this form")),
    }
}

fn read_functions(path: &Path, context: &Context<'_>) -> Result<Vec<Function>, TraceError> {
    let mut file = Parquet::open(path, context.watch)?;
    file.require(&["function", "memory_mb", "cold_us", "warm_us"])?;
    let optional = ["app", "namespace", "kind", "trigger"].map(|name| file.has(name).then_some(name));
    let concurrent = file.has("max_concurrent");
    let quantiles = file.has(QUANTILES[0]);
    let mut functions = Vec::with_capacity(file.rows().min(1 << 20));
    file.each(|group| {
        let shown = path.display().to_string();
        let (names, memory) = (group.texts("function")?, group.wide("memory_mb")?);
        let (cold, warm) = (group.wide("cold_us")?, group.wide("warm_us")?);
        let mut texts = Vec::with_capacity(optional.len());
        for column in optional {
            texts.push(match column {
                Some(column) => group.texts(column)?,
                None => vec![None; names.len()],
            });
        }
        let concurrent = if concurrent { group.short("max_concurrent")? } else { vec![1; names.len()] };
        let quantiles = if quantiles { quantiles_of(group, &shown)? } else { vec![None; names.len()] };
        for (row, name) in names.into_iter().enumerate() {
            let fault = |what: &str| TraceError::new(&shown, format!("row {row} {what}"));
            let name = name.ok_or_else(|| fault("has no function"))?;
            if memory[row] == 0 || memory[row] > u64::from(u32::MAX) {
                return Err(fault("has an impossible amount of memory"));
            }
            let longest = cold[row].max(warm[row]).max(quantiles[row].map_or(0, |q| q[6].0));
            if longest > MAX_MICROS {
                return Err(fault("has an impossible run time"));
            }
            let mut function = Function::new(name, Memory(memory[row]), Span(cold[row]), Span(warm[row]));
            function.app = texts[0][row].take();
            if let Some(namespace) = texts[1][row].take() {
                function.namespace = namespace;
            }
            if let Some(kind) = texts[2][row].take() {
                function.kind = kind;
            }
            function.trigger = texts[3][row].take();
            function.max_concurrent = u16::try_from(concurrent[row])
                .ok()
                .filter(|most| *most > 0)
                .ok_or_else(|| fault("has an impossible max_concurrent"))?;
            function.run_quantiles = quantiles[row];
            functions.push(function);
        }
        Ok(())
    })?;
    Ok(functions)
}

fn quantiles_of(group: &Group, shown: &str) -> Result<Vec<Option<[Span; 7]>>, TraceError> {
    let mut columns = Vec::with_capacity(QUANTILES.len());
    for name in QUANTILES {
        columns.push(group.maybe_wide(name)?);
    }
    let rows = columns[0].len();
    (0..rows)
        .map(|row| {
            let there: Vec<Span> = columns.iter().filter_map(|column| column[row].map(Span)).collect();
            match <[Span; 7]>::try_from(there) {
                Ok(quantiles) if quantiles.is_sorted() => Ok(Some(quantiles)),
                Err(there) if there.is_empty() => Ok(None),
                _ => Err(TraceError::new(
                    shown,
                    format!("row {row} of a group has quantiles that do not ascend"),
                )
                .with_help("give all seven of a function, ascending, or none")),
            }
        })
        .collect()
}

/// A function number that is too large.
fn unknown_function(path: &Path, number: u32, functions: usize) -> TraceError {
    TraceError::new(path.display().to_string(), format!("invokes function number {number} of {functions}"))
        .with_help("functions are numbered from 0 in the order of functions.parquet")
}

fn read_invocations(
    path: &Path,
    functions: usize,
    context: &mut Context<'_>,
) -> Result<Invocations, TraceError> {
    let mut file = Parquet::open(path, context.watch)?;
    file.require(&["time_us", "function"])?;
    let (has_duration, has_cold) = (file.has("duration_us"), file.has("is_cold"));
    let has_container = file.has("container");
    let mut invocations = Invocations::with_capacity(file.rows().min(1 << 28));
    let mut measured = Vec::new();
    file.each(|group| {
        let (time, function) = (group.wide("time_us")?, group.short("function")?);
        if let Some(number) = function.iter().find(|number| **number as usize >= functions) {
            return Err(unknown_function(path, *number, functions));
        }
        if let Some(late) = time.iter().find(|time| **time > MAX_MICROS) {
            return Err(TraceError::new(path.display().to_string(), format!("time {late} µs is too large")));
        }
        if has_duration {
            let rows = time.iter().zip(&function).zip(group.maybe_short("duration_us")?);
            for ((time, function), duration) in rows {
                let run_time = match duration {
                    None => Some(RunTime::ABSENT),
                    Some(us) => RunTime::new(Span(u64::from(us))),
                };
                let run_time = run_time.ok_or_else(|| {
                    let message =
                        format!("a run time is longer than an invocation may run here ({})", RunTime::MAX);
                    TraceError::new(path.display().to_string(), message)
                })?;
                invocations.push(Time(*time), *function, run_time);
            }
        } else {
            let rows = time.iter().zip(&function);
            invocations.extend_sorted(rows.map(|(time, function)| (Time(*time), *function)));
        }
        if has_cold {
            let containers =
                if has_container { group.maybe_short("container")? } else { vec![None; time.len()] };
            let flags = group.flags("is_cold")?.into_iter();
            measured.extend(flags.zip(containers).map(|(cold, container)| Measured { cold, container }));
        }
        Ok(())
    })?;
    let mut invocations = if has_cold { invocations.with_measured(measured) } else { invocations };
    let late_comers = invocations.sort();
    if late_comers > 0 {
        let shown = path.display().to_string();
        context.note(out_of_order(&shown, late_comers));
    }
    Ok(invocations)
}

fn read_counts(path: &Path, functions: usize, context: &Context<'_>) -> Result<Counts, TraceError> {
    let mut file = Parquet::open(path, context.watch)?;
    file.require(&["bin", "function", "invocations"])?;
    let shown = path.display().to_string();
    let width = match file.value(BIN_US).map(str::parse) {
        None => 60_000_000,
        Some(Ok(us)) if us > 0 && us <= Counts::WIDEST.0 => us,
        Some(_) => {
            return Err(TraceError::new(shown, format!("`{BIN_US}` in its metadata is no width of a bin")));
        }
    };
    let mut counts = Builder::new(Span(width));
    file.each(|group| {
        let (bins, numbers) = (group.short("bin")?, group.short("function")?);
        let invocations = group.short("invocations")?;
        for ((&bin, &number), &count) in bins.iter().zip(&numbers).zip(&invocations) {
            if number as usize >= functions {
                return Err(unknown_function(path, number, functions));
            }
            if bin >= Counts::most_bins(Span(width)) {
                return Err(TraceError::new(&shown, format!("bin {bin} is too large")));
            }
            counts.add(bin, number, count);
        }
        Ok(())
    })?;
    Ok(counts.finish())
}
