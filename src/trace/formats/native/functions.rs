//! Reads the functions file of a native trace, and any other file with its columns. Owns what is odd about a
//! function; must never know of its invocations.

use std::collections::HashMap;
use std::path::Path;

use super::{
    APP, COLD, CONCURRENT_HELP, FUNCTION, KIND, MAX_CONCURRENT, MEMORY, MEMORY_HELP, NAMESPACE, QUANTILES,
    TRIGGER, WARM,
};
use crate::memory::Memory;
use crate::time::Span;
use crate::trace::Function;
use crate::trace::error::{TraceError, quoted};
use crate::trace::fields::{TIME_HELP, optional_text_of, span_of, text_of};
use crate::trace::number::{BadNumber, micros, whole_mib};
use crate::trace::reading::Context;
use crate::trace::table::Table;

/// How many rows something was noticed in, and the first of them.
#[derive(Default)]
struct Noticed {
    rows: usize,
    first: Option<(String, u64)>,
}

impl Noticed {
    fn add(&mut self, function: &str, line: u64) {
        self.rows += 1;
        self.first.get_or_insert_with(|| (function.to_owned(), line));
    }

    /// The note, if there is something to note; `what` is said of "2 functions" or "1 function".
    fn note(&self, file: &str, what: &str) -> Option<String> {
        let (function, line) = self.first.as_ref()?;
        let functions = if self.rows == 1 { "function" } else { "functions" };
        let function = quoted(function.as_bytes());
        Some(format!("{file}: {} {functions} {what} (first: {function}, line {line})", self.rows))
    }
}

/// Where the columns of `functions.csv` are.
struct FunctionColumns {
    function: usize,
    memory: usize,
    cold: usize,
    warm: usize,
    app: Option<usize>,
    namespace: Option<usize>,
    kind: Option<usize>,
    max_concurrent: Option<usize>,
    trigger: Option<usize>,
    quantiles: Option<[usize; 7]>,
}

impl FunctionColumns {
    fn of(table: &Table<'_>) -> Result<FunctionColumns, TraceError> {
        Ok(FunctionColumns {
            function: table.require(&FUNCTION)?,
            memory: table.require(&MEMORY)?,
            cold: table.require(&COLD)?,
            warm: table.require(&WARM)?,
            app: table.find(&APP),
            namespace: table.find(&NAMESPACE),
            kind: table.find(&KIND),
            max_concurrent: table.find(&MAX_CONCURRENT),
            trigger: table.find(&TRIGGER),
            quantiles: quantile_columns(table)?,
        })
    }
}

/// Reads the functions file.
pub(in super::super) fn read(path: &Path, context: &mut Context<'_>) -> Result<Vec<Function>, TraceError> {
    let mut table = Table::open(path, context.watch)?;
    let columns = FunctionColumns::of(&table)?;
    let mut functions: Vec<Function> = Vec::new();
    let mut lines: HashMap<String, u64> = HashMap::new();
    let (mut fractional, mut inverted) = (Noticed::default(), Noticed::default());
    while table.next_row()? {
        let Some((function, rounded)) = context.tolerate(read_function(&table, &columns))? else { continue };
        let line = table.line();
        if let Some(earlier) = lines.insert(function.name.clone(), line) {
            let name = quoted(function.name.as_bytes());
            context.tolerate::<()>(Err(table
                .bad_field(columns.function, format!("function {name} is already on line {earlier}"))
                .with_help("every function has one row; remove or rename one of the two")))?;
            continue;
        }
        if rounded {
            fractional.add(&function.name, line);
        }
        if function.warm > function.cold {
            inverted.add(&function.name, line);
        }
        functions.push(function);
    }
    if functions.is_empty() && context.is_clean() {
        return Err(TraceError::new(table.file(), "has no functions")
            .with_help("write one row per function below the header"));
    }
    let file = table.file();
    let notes = &mut context.notes;
    notes.extend(fractional.note(file, "with a fraction of a MiB, rounded up to whole MiB"));
    notes.extend(inverted.note(file, "slower warm than cold (warm_ms above cold_ms), taken as written"));
    Ok(functions)
}

/// The function of the current row, and whether its memory was rounded up.
fn read_function(table: &Table<'_>, columns: &FunctionColumns) -> Result<(Function, bool), TraceError> {
    let name = text_of(table, columns.function)?;
    let (mib, rounded) = whole_mib(table.field(columns.memory))
        .map_err(|why| table.bad_number(columns.memory, why, MEMORY_HELP))?;
    if mib == 0 {
        return Err(table.bad_field(columns.memory, "a function cannot run in 0 MiB").with_help(MEMORY_HELP));
    }
    let cold = span_of(table, columns.cold)?;
    let warm = span_of(table, columns.warm)?;
    let mut function = Function::new(name, Memory(mib), cold, warm);
    function.trigger = optional_text_of(table, columns.trigger)?;
    function.run_quantiles = match columns.quantiles {
        Some(places) => quantiles_of(table, places)?,
        None => None,
    };
    function.app = optional_text_of(table, columns.app)?;
    if let Some(namespace) = optional_text_of(table, columns.namespace)? {
        function.namespace = namespace;
    }
    if let Some(kind) = optional_text_of(table, columns.kind)? {
        function.kind = kind;
    }
    if let Some(index) = columns.max_concurrent
        && let field = table.field(index).trim_ascii()
        && !field.is_empty()
    {
        function.max_concurrent = std::str::from_utf8(field)
            .ok()
            .and_then(|text| text.parse().ok())
            .filter(|&most| most > 0)
            .ok_or_else(|| {
                let value = quoted(field);
                table
                    .bad_field(index, format!("{value} is not a number of concurrent invocations"))
                    .with_help(CONCURRENT_HELP)
            })?;
    }
    Ok((function, rounded))
}

/// The columns of quantiles: all or none.
fn quantile_columns(table: &Table<'_>) -> Result<Option<[usize; 7]>, TraceError> {
    if QUANTILES.iter().all(|column| table.find(column).is_none()) {
        return Ok(None);
    }
    let mut places = [0; 7];
    for (place, column) in places.iter_mut().zip(&QUANTILES) {
        *place = table.require(column)?;
    }
    Ok(Some(places))
}

/// The quantiles of the current row, if it has them.
fn quantiles_of(table: &Table<'_>, places: [usize; 7]) -> Result<Option<[Span; 7]>, TraceError> {
    let mut quantiles = [Span::ZERO; 7];
    let mut missing = 0;
    for (at, place) in places.into_iter().enumerate() {
        match micros(table.field(place)) {
            Ok(us) => quantiles[at] = Span(us),
            Err(BadNumber::Empty) => missing += 1,
            Err(why) => return Err(table.bad_number(place, why, TIME_HELP)),
        }
        if missing == 0 && at > 0 && quantiles[at] < quantiles[at - 1] {
            let before = quantiles[at - 1];
            return Err(table
                .bad_field(place, format!("{} is less than the quantile before it, {before}", quantiles[at]))
                .with_help("quantiles ascend from run_p0_ms to run_p100_ms"));
        }
    }
    match missing {
        0 => Ok(Some(quantiles)),
        7 => Ok(None),
        _ => Err(table
            .bad_field(places[0], format!("{missing} of the 7 quantiles are empty"))
            .with_help("give all quantiles of a function, or none")),
    }
}
