//! Which two files are meant by the path of a native trace. Must never choose between two candidates:
//! that is an error with what to do about it.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};

use crate::trace::error::{TraceError, listed, nearest};

/// What may follow the name of a file.
pub(super) const ENDINGS: [&str; 3] = ["", ".gz", ".zst"];

/// The names of the two files in a trace's folder.
pub(super) const FUNCTIONS: &str = "functions.csv";
pub(super) const INVOCATIONS: &str = "invocations.csv";
pub(super) const COUNTS: &str = "counts.csv";

/// What follows the prefix in the names of two files without a folder of their own.
const PREFIXED_FUNCTIONS: &[&str] = &[".functions.csv"];
const PREFIXED_INVOCATIONS: &[&str] = &[".trace.csv", ".invocations.csv"];

/// The files of one trace.
#[derive(Debug)]
pub(super) struct Files {
    pub(super) trace_name: String,
    pub(super) functions: PathBuf,
    pub(super) arrivals: Arrivals,
}

/// The file that says when functions are invoked.
#[derive(Debug)]
pub(super) enum Arrivals {
    /// One by one.
    Invocations(PathBuf),
    /// As counts.
    Counts(PathBuf),
}

impl Files {
    /// Finds them.
    pub(super) fn locate(path: &Path) -> Result<Files, TraceError> {
        if path.is_dir() {
            let functions =
                only_one(path, &[path.join(FUNCTIONS)]).map_err(|error| suggest_prefixes(error, path))?;
            let arrivals = arrivals(path)?;
            // `.` and `..` have no name of their own.
            let absolute = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
            return Ok(Files { trace_name: last_name(&absolute), functions, arrivals });
        }
        if path.is_file() {
            return Err(file_not_folder(path));
        }
        let with_prefix = |suffixes: &[&str]| -> Vec<PathBuf> {
            suffixes.iter().map(|suffix| appended(path, suffix)).collect()
        };
        let (functions, invocations) = (with_prefix(PREFIXED_FUNCTIONS), with_prefix(PREFIXED_INVOCATIONS));
        if existing(&functions).is_empty() && existing(&invocations).is_empty() {
            return Err(nothing_there(path));
        }
        Ok(Files {
            trace_name: last_name(path),
            functions: only_one(path, &functions)?,
            arrivals: Arrivals::Invocations(only_one(path, &invocations)?),
        })
    }
}

/// Whether there is anything under this path, folder or prefix, that could be read as a trace.
pub fn is_there(path: &Path) -> bool {
    let prefixed = [PREFIXED_FUNCTIONS, PREFIXED_INVOCATIONS].concat();
    let files: Vec<PathBuf> = prefixed.iter().map(|suffix| appended(path, suffix)).collect();
    path.exists() || !existing(&files).is_empty()
}

/// The file in a folder that says when functions are invoked.
fn arrivals(folder: &Path) -> Result<Arrivals, TraceError> {
    let (invocations, counts) = (folder.join(INVOCATIONS), folder.join(COUNTS));
    if existing(std::slice::from_ref(&counts)).is_empty() {
        return only_one(folder, &[invocations]).map(Arrivals::Invocations);
    }
    let file = only_one(folder, &[invocations, counts])?;
    Ok(Arrivals::Counts(file))
}

/// Whether the files of a native trace are here, or one of the two.
pub(super) fn is_native(path: &Path) -> bool {
    let prefixed = [PREFIXED_FUNCTIONS, PREFIXED_INVOCATIONS].concat();
    let beside: Vec<PathBuf> = prefixed.iter().map(|suffix| appended(path, suffix)).collect();
    let inside = [FUNCTIONS, INVOCATIONS, COUNTS].map(|name| path.join(name));
    let name = last_name(path);
    // A file of a native trace is most likely meant as the trace, which its message explains.
    let itself = path.is_file()
        && (name.starts_with(FUNCTIONS)
            || name.starts_with(INVOCATIONS)
            || name.starts_with(COUNTS)
            || prefix_of(&name).is_some());
    itself || !existing(&inside).is_empty() || !existing(&beside).is_empty()
}

/// All that exist of these files with any ending.
pub(super) fn existing(bases: &[PathBuf]) -> Vec<PathBuf> {
    bases
        .iter()
        .flat_map(|base| ENDINGS.iter().map(|ending| appended(base, ending)))
        .filter(|candidate| candidate.exists())
        .collect()
}

/// A path with something directly behind its last name.
pub(super) fn appended(path: &Path, suffix: &str) -> PathBuf {
    let mut longer = OsString::from(path);
    longer.push(suffix);
    PathBuf::from(longer)
}

/// The one file that exists of these with any ending.
fn only_one(trace: &Path, bases: &[PathBuf]) -> Result<PathBuf, TraceError> {
    let mut found = existing(bases);
    let trace = trace.display().to_string();
    match (found.pop(), found.first()) {
        (Some(file), None) => Ok(file),
        (Some(last), Some(first)) => Err(TraceError::new(
            trace,
            format!("both `{}` and `{}` are there", first.display(), last.display()),
        )
        .with_help("keep the one that is meant and move the other away")),
        (None, _) => {
            let looked_for: Vec<String> = bases.iter().map(|base| format!("`{}`", base.display())).collect();
            let looked_for = looked_for.join(" or ");
            Err(TraceError::new(trace, format!("no {looked_for}, nor with .gz or .zst behind it"))
                .with_help("a trace is a folder with functions.csv and invocations.csv"))
        }
    }
}

fn file_not_folder(path: &Path) -> TraceError {
    let error =
        TraceError::new(path.display().to_string(), "is a file, but a trace is a folder of two files");
    let name = last_name(path);
    let folder = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    if name.starts_with(FUNCTIONS) || name.starts_with(INVOCATIONS) || name.starts_with(COUNTS) {
        return error.with_help(format!("give its folder, `{}`", folder.display()));
    }
    match prefix_of(&name) {
        Some(prefix) => error.with_help(format!("give `{}` for both files", folder.join(prefix).display())),
        None => error.with_help("give the folder that has functions.csv and invocations.csv"),
    }
}

fn nothing_there(path: &Path) -> TraceError {
    let shown = path.display();
    let error = TraceError::new(
        shown.to_string(),
        format!("no such trace: there is neither a folder `{shown}` nor a file `{shown}.functions.csv`"),
    );
    let folder = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let Ok(entries) = fs::read_dir(folder) else {
        return error.with_help(format!("the folder `{}` cannot be read", folder.display()));
    };
    let mut names: Vec<String> = entries
        .flatten()
        .filter_map(|entry| {
            let name = entry.file_name().to_string_lossy().into_owned();
            if entry.path().is_dir() { Some(name) } else { prefix_of(&name).map(str::to_owned) }
        })
        .collect();
    names.sort();
    names.dedup();
    let near = nearest(&last_name(path), names.iter().map(String::as_str));
    if near.is_empty() {
        let all = if names.is_empty() {
            "nothing".to_owned()
        } else {
            listed(names.iter().take(20).map(String::as_str))
        };
        error.with_help(format!("`{}` has {all}", folder.display()))
    } else {
        error.with_help(format!("did you mean {}?", listed(near)))
    }
}

/// A folder without `functions.csv` may hold prefixed traces.
fn suggest_prefixes(error: TraceError, folder: &Path) -> TraceError {
    let Ok(entries) = fs::read_dir(folder) else { return error };
    let mut prefixes: Vec<String> = entries
        .flatten()
        .filter_map(|entry| {
            let name = entry.file_name().to_string_lossy().into_owned();
            prefix_of(&name).map(|prefix| folder.join(prefix).display().to_string())
        })
        .collect();
    prefixes.sort();
    prefixes.dedup();
    prefixes.truncate(20);
    if prefixes.is_empty() || existing(&[folder.join(FUNCTIONS)]).len() > 1 {
        return error;
    }
    error.with_help(format!("the traces in it are {}", listed(prefixes.iter().map(String::as_str))))
}

/// The trace that a file called `PREFIX.functions.csv` or alike belongs to.
fn prefix_of(name: &str) -> Option<&str> {
    let name = ENDINGS.iter().rev().find_map(|ending| name.strip_suffix(ending)).unwrap_or(name);
    PREFIXED_FUNCTIONS.iter().chain(PREFIXED_INVOCATIONS).find_map(|suffix| name.strip_suffix(suffix))
}

fn last_name(path: &Path) -> String {
    path.file_name().map_or_else(|| path.display().to_string(), |name| name.to_string_lossy().into_owned())
}
