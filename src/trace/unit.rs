//! An app as the unit of keep-alive: its functions share containers. Owns how functions become one; must
//! never change when or how long an invocation runs.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::counts::{Row, RunLaw};
use super::function::Function;
use super::invocations::{Invocations, RunTime};
use super::{Body, Counted, Trace, TraceError};
use crate::memory::Memory;
use crate::time::Span;

/// See [`Trace::by_app`].
pub(super) fn by_app(trace: Trace) -> Result<Trace, TraceError> {
    let Trace { name, functions, body, .. } = trace;
    let (units, unit_of) = units(&functions);
    if let Some(twice) = units.windows(2).find(|pair| pair[0].name == pair[1].name) {
        let message = format!("`{}` is both an app and a function without one", twice[0].name);
        return Err(TraceError::new(name, message).with_help("rename one of them"));
    }
    match body {
        Body::Listed(invocations) => {
            let measured = invocations.measured().map(<[_]>::to_vec);
            let mut merged = Invocations::with_capacity(invocations.len());
            for arrival in invocations.arrivals() {
                let function = &functions[arrival.function as usize];
                let run = RunTime::capped(arrival.duration.unwrap_or(function.warm));
                merged.push(arrival.time, unit_of[arrival.function as usize], run);
            }
            let merged = match measured {
                Some(measured) => merged.with_measured(measured),
                None => merged,
            };
            Trace::new(name, units, merged)
        }
        Body::Counted(counted) => {
            let counted = Arc::unwrap_or_clone(counted);
            let rows = counted
                .rows
                .into_iter()
                .map(|row| {
                    let function = &functions[row.function as usize];
                    let run = match row.run {
                        RunLaw::OfFunction => RunLaw::Always(function.warm),
                        other => other,
                    };
                    Row { function: unit_of[row.function as usize], run, ..row }
                })
                .collect();
            Trace::from_rows(name, units, Counted { rows, ..counted })
        }
    }
}

/// The apps and the functions without one, sorted by name, and which of them each function belongs to.
fn units(functions: &[Function]) -> (Vec<Function>, Vec<u32>) {
    // An app is told apart by its owner too.
    let mut apps: BTreeMap<(&str, &str), Vec<usize>> = BTreeMap::new();
    let mut names: BTreeMap<&str, u32> = BTreeMap::new();
    for (number, function) in functions.iter().enumerate() {
        if let Some(app) = &function.app {
            let members = apps.entry((app, &function.namespace)).or_default();
            if members.is_empty() {
                *names.entry(app).or_default() += 1;
            }
            members.push(number);
        }
    }
    let mut units: Vec<(Function, Vec<usize>)> = apps
        .into_iter()
        .map(|((app, owner), members)| {
            let name = if names[app] > 1 { format!("{owner}/{app}") } else { app.to_owned() };
            (merged(name, functions, &members), members)
        })
        .collect();
    let alone = functions.iter().enumerate().filter(|(_, function)| function.app.is_none());
    units.extend(alone.map(|(number, function)| (function.clone(), vec![number])));
    units.sort_by(|a, b| a.0.name.cmp(&b.0.name));
    let mut unit_of = vec![0; functions.len()];
    for (unit, (_, members)) in (0..).zip(&units) {
        for &member in members {
            unit_of[member] = unit;
        }
    }
    (units.into_iter().map(|(function, _)| function).collect(), unit_of)
}

fn merged(name: String, functions: &[Function], members: &[usize]) -> Function {
    let members = || members.iter().map(|member| &functions[*member]);
    let count = members().count() as u128;
    let mean = |of: fn(&Function) -> Span| {
        Span((members().map(|function| u128::from(of(function).0)).sum::<u128>() / count) as u64)
    };
    let first = members().next();
    Function {
        app: first.and_then(|function| function.app.clone()),
        namespace: first.map_or_else(|| Function::DEFAULT_NAMESPACE.to_owned(), |f| f.namespace.clone()),
        kind: first.map_or_else(|| Function::DEFAULT_KIND.to_owned(), |f| f.kind.clone()),
        max_concurrent: members().map(|function| function.max_concurrent).min().unwrap_or(1),
        ..Function::new(
            name,
            members().map(|function| function.memory).max().unwrap_or(Memory(1)),
            mean(|function| function.cold),
            mean(|function| function.warm),
        )
    }
}
