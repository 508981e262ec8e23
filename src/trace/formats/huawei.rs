//! Huawei's public traces of 2023 and 2025: requests per function in a wide table, a column per function and a
//! row per minute or second. Owns finding the day files and the width of a row; must never take a missing
//! field for anything but no request.
//!
//! Columns `day, time, 0, 1, 2, …`: `time` in seconds since the start of day 0 (in some files of 2025 since the
//! start of the day), ascending by 60 or 1. A field may be empty (no request) or written `816.0`. Days with a
//! file keep their distance: where files are missing, there is a gap. Run times are taken from a folder
//! `function_delay_minute` beside `requests_minute` (ms, mean over the pods; here over the minutes as well) and
//! memory from `memory_limit_minute` divided by `instances_minute`, where they are there.
//!
//! Source: Joosen et al., "How does it function?", SoCC'23, and "Serverless cold starts and where to find
//! them", EuroSys'25; sir-lab/data-release.

mod beside;

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use self::beside::Beside;
use super::Format;
use super::look::{Look, header, stem};
use crate::time::Span;
use crate::trace::counts::{Builder, Counts};
use crate::trace::error::{TraceError, quoted};
use crate::trace::number::{BadNumber, signed};
use crate::trace::reading::{Context, Reading};
use crate::trace::table::{Column, Table};
use crate::trace::{Function, Trace};

/// The format.
pub const FORMAT: Format = Format {
    name: "huawei",
    summary: "Huawei 2023/2025: requests per minute or second, one column per function",
    files: "a file or folder of files with day,time,0,1,2,… (seconds)",
    source: "Joosen et al., SoCC'23 and EuroSys'25; github.com/sir-lab/data-release",
    heeds: &["days", "run-time", "cold-start", "function-memory", "arrivals"],
    recognise: |look| is_huawei(&look.header()),
    read,
};

const DAY: Column = Column { name: "day", aliases: &[] };
const TIME: Column = Column { name: "time", aliases: &[] };

const DAY_S: u64 = 86_400;
const TIME_HELP: &str = "write whole seconds since the start of day 0";
const COUNT_HELP: &str = "write a number of requests, or nothing for none";

fn is_huawei(columns: &[String]) -> bool {
    columns.first().is_some_and(|name| name == "day")
        && columns.get(1).is_some_and(|name| name == "time")
        && columns.len() > 2
}

fn read(path: &Path, reading: &Reading, context: &mut Context<'_>) -> Result<Trace, TraceError> {
    let files = day_files(path, &reading.days)?;
    let mut names = Names::default();
    let mut rows: Vec<Row> = Vec::new();
    for file in &files {
        read_file(file, &mut names, &mut rows, context)?;
    }
    let width = width_of(&rows, path)?;
    let mut counts = Builder::new(width);
    for row in rows {
        let bin = row.time_s / (width.0 / 1_000_000);
        if bin >= u64::from(Counts::most_bins(width)) {
            return Err(TraceError::new(path.display().to_string(), format!("{} s is too late", row.time_s))
                .with_help(TIME_HELP));
        }
        for (function, count) in row.counts {
            counts.add(bin as u32, function, count);
        }
    }
    let counts = counts.finish();
    let name = stem(path);
    let models = reading.models(&name)?;
    // What goes with a single file is of its day.
    let days = if path.is_file() { day_of(path).into_iter().collect() } else { reading.days.clone() };
    let beside = Beside::of(path, &days, &names.numbers, context)?;
    beside.note(reading, &models, context);
    let functions = names
        .list
        .iter()
        .enumerate()
        .map(|(number, function)| {
            let ran = beside.run_time(number);
            let (warm, cold) = models.warm_and_cold(function, (ran, None));
            let memory = reading.memory.or_else(|| beside.memory(number)).unwrap_or(Reading::MEMORY);
            Function::new(format!("f{function}"), memory, cold, warm)
        })
        .collect();
    Trace::counted(name, functions, counts, reading.expansion())
}

/// Functions as they become known: in order, and by name.
#[derive(Default)]
struct Names {
    list: Vec<String>,
    numbers: HashMap<String, u32>,
}

impl Names {
    fn number(&mut self, name: &str) -> u32 {
        if let Some(number) = self.numbers.get(name) {
            return *number;
        }
        let number = self.list.len() as u32;
        self.list.push(name.to_owned());
        self.numbers.insert(name.to_owned(), number);
        number
    }
}

/// The requests of an instant.
struct Row {
    time_s: u64,
    counts: Vec<(u32, u32)>,
}

/// The day in the name of a file such as `day_007.csv`.
fn day_of(file: &Path) -> Option<u16> {
    stem(file).rsplit(['_', '-']).next()?.parse().ok()
}

/// The files of the chosen days, day by day, or the one that is named.
fn day_files(path: &Path, days: &[u16]) -> Result<Vec<PathBuf>, TraceError> {
    let files: Vec<PathBuf> = if path.is_file() {
        vec![path.to_owned()]
    } else {
        Look::at(path)?.tables().into_iter().filter(|file| is_huawei(&header(file))).collect()
    };
    if files.is_empty() {
        return Err(TraceError::new(path.display().to_string(), "has no file with the columns day, time, …"));
    }
    let mut numbered: Vec<(Option<u16>, PathBuf)> =
        files.into_iter().map(|file| (day_of(&file), file)).collect();
    numbered.sort();
    if let Some(missing) = days.iter().find(|wanted| numbered.iter().all(|(day, _)| *day != Some(**wanted))) {
        let there: Vec<String> =
            numbered.iter().filter_map(|(day, _)| Some(day.as_ref()?.to_string())).collect();
        return Err(TraceError::new(path.display().to_string(), format!("has no day {missing}"))
            .with_help(format!("the days there are: {}", there.join(", "))));
    }
    let chosen = |day: &Option<u16>| days.is_empty() || day.is_some_and(|day| days.contains(&day));
    Ok(numbered.into_iter().filter(|(day, _)| chosen(day)).map(|(_, file)| file).collect())
}

/// Reads the requests of one file.
fn read_file(
    file: &Path,
    names: &mut Names,
    rows: &mut Vec<Row>,
    context: &mut Context<'_>,
) -> Result<(), TraceError> {
    let mut table = Table::open(file, context.watch)?;
    let (day, time) = (table.require(&DAY)?, table.require(&TIME)?);
    let functions = function_columns(&table, day, time, names);
    while table.next_row()? {
        let Some(time_s) = context.tolerate(time_of(&table, day, time))? else { continue };
        if rows.last().is_some_and(|last| last.time_s >= time_s) {
            let error = table
                .bad_field(time, format!("{} does not come after the row before", quoted(table.field(time))));
            context.tolerate::<()>(Err(error.with_help("times ascend; are the same days in two files?")))?;
            continue;
        }
        let mut counts = Vec::new();
        for &(column, function) in &functions {
            if !table.field(column).trim_ascii().is_empty()
                && let Some(count) = context.tolerate(requests(&table, column))?
                && count > 0
            {
                counts.push((function, count));
            }
        }
        rows.push(Row { time_s, counts });
    }
    Ok(())
}

/// The columns that are functions, with the number of each; a new one gets the next number.
fn function_columns(table: &Table<'_>, day: usize, time: usize, names: &mut Names) -> Vec<(usize, u32)> {
    let columns = table.header().iter().enumerate();
    // A column without a name is the index that a tool left behind.
    columns
        .filter(|(column, name)| *column != day && *column != time && !name.is_empty())
        .map(|(column, name)| (column, names.number(name)))
        .collect()
}

/// Seconds since the start of day 0.
fn time_of(table: &Table<'_>, day: usize, time: usize) -> Result<u64, TraceError> {
    let whole = |index: usize| {
        let number = signed(table.field(index)).map_err(|why| table.bad_number(index, why, TIME_HELP))?;
        if number < 0.0 {
            return Err(table.bad_number(index, BadNumber::Negative, TIME_HELP));
        }
        if number.fract() != 0.0 || number > 1e12 {
            let message = format!("{} is not a whole number of seconds", quoted(table.field(index)));
            return Err(table.bad_field(index, message).with_help(TIME_HELP));
        }
        Ok(number as u64)
    };
    let (day, time) = (whole(day)?, whole(time)?);
    Ok(if day > 0 && time < DAY_S { day.saturating_mul(DAY_S) + time } else { time })
}

fn requests(table: &Table<'_>, index: usize) -> Result<u32, TraceError> {
    let number = signed(table.field(index)).map_err(|why| table.bad_number(index, why, COUNT_HELP))?;
    if !(0.0..=f64::from(u32::MAX)).contains(&number) {
        let message = format!("{} is not a number of requests", quoted(table.field(index)));
        return Err(table.bad_field(index, message).with_help(COUNT_HELP));
    }
    Ok(number.round() as u32)
}

/// How wide a row is: the widest bin that all times are multiples of.
fn width_of(rows: &[Row], path: &Path) -> Result<Span, TraceError> {
    let common = |mut a: u64, mut b: u64| {
        while b != 0 {
            (a, b) = (b, a % b);
        }
        a
    };
    match rows.iter().fold(0, |width, row| common(width, row.time_s)) {
        // A single row at the very beginning tells nothing.
        0 => Ok(Span::from_mins(1)),
        width @ 1..=3_600 => Ok(Span::from_secs(width)),
        // A single row, or rows of which each is a day's: whose minute cannot be told.
        width if rows.len() == 1 && width % 60 == 0 => Ok(Span::from_mins(1)),
        width => Err(TraceError::new(path.display().to_string(), format!("rows are {width} s apart"))
            .with_help("a row per minute or per second is expected")),
    }
}
