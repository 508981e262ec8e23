//! Which files of which days there are. Owns telling the three kinds apart, by their columns and not by
//! their names; must never choose between two files of the same kind and day.

use std::path::{Path, PathBuf};

use crate::trace::error::TraceError;
use crate::trace::formats::look::{Look, header, stem};
use crate::trace::reading::Context;

/// The files of the chosen days.
pub(super) struct Files {
    pub name: String,
    pub days: Vec<Day>,
    /// Of the chosen days; of the nearest other day if none of these has one.
    pub memory: Vec<PathBuf>,
    memory_of_another_day: Option<u16>,
}

/// The files of one day.
pub(super) struct Day {
    number: u16,
    pub invocations: PathBuf,
    pub durations: Option<PathBuf>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Kind {
    Invocations,
    Durations,
    Memory,
}

/// A file of a kind and a day.
struct Found {
    kind: Kind,
    day: u16,
    path: PathBuf,
}

/// Whether the path is a file of one of the three kinds, or a folder with one.
pub(super) fn is_azure(look: &Look) -> bool {
    look.tables().iter().any(|file| kind(&header(file)).is_some())
}

/// The kind of file with these columns, which are in lower case.
fn kind(columns: &[String]) -> Option<Kind> {
    let has = |name: &str| columns.iter().any(|column| column == name);
    if !has("hashapp") {
        return None;
    }
    if has("hashfunction") && has("1") {
        return Some(Kind::Invocations);
    }
    if has("hashfunction") && has("average") {
        return Some(Kind::Durations);
    }
    has("averageallocatedmb").then_some(Kind::Memory)
}

/// The day in a name such as `invocations_per_function_md.anon.d07.csv` or `d01_sample.csv`.
fn day_in(name: &str) -> Option<u16> {
    let parts = name.split(['.', '_', '-']);
    let mut days = parts.filter_map(|part| {
        let digits = part.strip_prefix('d').or_else(|| part.strip_prefix("day"))?;
        let short = (1..=3).contains(&digits.len());
        if short { digits.parse().ok() } else { None }
    });
    days.next_back()
}

impl Files {
    /// Finds them. `days`: which are wanted, all if empty.
    pub fn locate(path: &Path, days: &[u16]) -> Result<Files, TraceError> {
        let folder =
            if path.is_file() { path.parent().filter(|p| !p.as_os_str().is_empty()) } else { Some(path) };
        let folder = folder.unwrap_or(Path::new("."));
        let shown = path.display().to_string();
        let mut found: Vec<Found> = Vec::new();
        for file in Look::at(folder)?.tables() {
            let Some(kind) = kind(&header(&file)) else { continue };
            let name = file.file_name().unwrap_or_default().to_string_lossy().into_owned();
            let day = day_in(&name).unwrap_or(1);
            // Of a file that is named, its day is wanted: its companions, but no other invocations.
            if kind == Kind::Invocations && path.is_file() && file.file_name() != path.file_name() {
                continue;
            }
            if let Some(other) = found.iter().find(|other| other.kind == kind && other.day == day) {
                let message =
                    format!("both `{}` and `{}` are of day {day}", other.path.display(), file.display());
                return Err(TraceError::new(shown, message)
                    .with_help("keep the one that is meant and move the other away"));
            }
            found.push(Found { kind, day, path: file });
        }
        let of = |kind: Kind, day: u16| {
            found.iter().find(|file| file.kind == kind && file.day == day).map(|file| file.path.clone())
        };
        let there: Vec<u16> =
            sorted(found.iter().filter(|file| file.kind == Kind::Invocations).map(|file| file.day));
        if there.is_empty() && path.is_file() {
            return Err(TraceError::new(shown, "tells no invocations, only what goes with them")
                .with_help(format!("give its folder, `{}`, or a file of invocations", folder.display())));
        }
        if there.is_empty() {
            return Err(TraceError::new(shown, "has no file of invocations per function and minute")
                .with_help(
                    "the file's columns are HashOwner, HashApp, HashFunction, Trigger, 1, 2, … 1440",
                ));
        }
        let wanted = if days.is_empty() { there.clone() } else { sorted(days.iter().copied()) };
        if let Some(missing) = wanted.iter().find(|day| !there.contains(day)) {
            let days: Vec<String> = there.iter().map(u16::to_string).collect();
            return Err(TraceError::new(shown, format!("has no day {missing}"))
                .with_help(format!("the days there are: {}", days.join(", "))));
        }
        let mut memory: Vec<PathBuf> = wanted.iter().filter_map(|day| of(Kind::Memory, *day)).collect();
        let mut memory_of_another_day = None;
        if memory.is_empty() {
            let distance = |file: &&Found| (file.day.abs_diff(wanted[0]), file.day);
            let nearest = found.iter().filter(|file| file.kind == Kind::Memory).min_by_key(distance);
            memory.extend(nearest.map(|file| file.path.clone()));
            memory_of_another_day = nearest.map(|file| file.day);
        }
        let days = wanted
            .iter()
            .filter_map(|&number| {
                let durations = of(Kind::Durations, number);
                Some(Day { number, invocations: of(Kind::Invocations, number)?, durations })
            })
            .collect();
        Ok(Files { name: stem(path), days, memory, memory_of_another_day })
    }

    /// Tells what is missing.
    pub fn note(&self, context: &mut Context<'_>) {
        let listed = |days: Vec<String>| days.join(", ");
        let without = self.days.iter().filter(|day| day.durations.is_none());
        let without: Vec<String> = without.map(|day| day.number.to_string()).collect();
        if !without.is_empty() {
            context.note(format!("no file of run times for day {}", listed(without)));
        }
        match (self.memory_of_another_day, self.memory.is_empty()) {
            (Some(day), _) => {
                context.note(format!("no file of memory for the chosen days; that of day {day} stands in"))
            }
            (None, true) => context.note("no file of memory per app"),
            (None, false) => {}
        }
    }
}

fn sorted(days: impl Iterator<Item = u16>) -> Vec<u16> {
    let mut days: Vec<u16> = days.collect();
    days.sort_unstable();
    days.dedup();
    days
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_in_the_names() {
        for (name, day) in [
            ("invocations_per_function_md.anon.d07.csv", Some(7)),
            ("app_memory_percentiles.anon.d12.csv.gz", Some(12)),
            ("d01_first9functions_1440min.csv.gz", Some(1)),
            ("function_durations_percentiles.csv", None),
            ("data.csv", None),
        ] {
            assert_eq!(day_in(name), day, "{name}");
        }
    }

    #[test]
    fn kinds_are_told_by_columns() {
        let of = |text: &str| kind(&text.split(',').map(str::to_owned).collect::<Vec<_>>());
        assert_eq!(of("hashowner,hashapp,hashfunction,trigger,1,2"), Some(Kind::Invocations));
        assert_eq!(of("hashowner,hashapp,hashfunction,average,count"), Some(Kind::Durations));
        assert_eq!(of("hashowner,hashapp,samplecount,averageallocatedmb"), Some(Kind::Memory));
        assert_eq!(of("app,func,end_timestamp,duration"), None);
    }
}
