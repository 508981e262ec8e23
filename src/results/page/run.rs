//! One run, read back from its results folder. Owns which files that takes and the messages where something is not as it must
//! be; must never guess what is missing: an absent table is absent on the page too.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::timeline::Timeline;
use crate::error::{Diagnostic, Error};
use crate::results::folder::MANIFEST;
use crate::results::plot::read::{Sheet, json};
use crate::suggest::nearest;

const SUMMARY: &str = "summary.json";

/// Where a run's figures come from.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Kind {
    Simulation,
    Live,
    Published,
}

impl Kind {
    pub(super) const fn name(self) -> &'static str {
        match self {
            Kind::Simulation => "simulation",
            Kind::Live => "live run",
            Kind::Published => "published FaasCache simulator",
        }
    }
}

/// What the pool held at one instant: s, then MiB of the busy, the prewarmed and the idle, and what it might use.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) struct Instant {
    pub time_s: f64,
    pub parts_mib: [f64; 3],
    pub capacity_mib: Option<f64>,
}

/// One function.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct FunctionRow {
    pub name: String,
    /// The numbers of [`COLUMNS`], as far as the table has them.
    pub numbers: [Option<f64>; COLUMNS.len()],
}

/// Columns of the table of functions that the page shows; a run has those that its table has.
pub(super) const COLUMNS: [&str; 8] =
    ["memory_mib", "invocations", "cold", "cold_pct", "dropped", "waited", "evicted", "mean_response_ms"];

/// A run of `faassim run` or `faassim live`, as its results folder tells it.
#[derive(Clone, PartialEq, Debug)]
pub struct RunView {
    /// The folder, as given.
    folder: PathBuf,
    summary: Value,
    manifest: Value,
    functions: Option<Vec<FunctionRow>>,
    pub(super) memory: Vec<Instant>,
    /// Ends of buckets of response times in ms, ascending, with how many responses are in each.
    pub(super) responses: Vec<(f64, f64)>,
    pub(super) timeline: Option<Timeline>,
}

impl RunView {
    /// Reads a results folder.
    ///
    /// # Errors
    /// A usage error for what is not one, with the nearest thing that is, and for tables that cannot be read, with file and
    /// line; a run error if the disk fails.
    pub fn read(folder: &Path) -> Result<RunView, Error> {
        locate(folder)?;
        let whole = |name: &str| match json(folder, name)? {
            Some(value) if value.is_object() => Ok(value),
            Some(_) => Err(wrong(&folder.join(name), "is not of faassim: it holds no JSON object")),
            None => Err(Error::usage(
                Diagnostic::new("there is no such file: the results are not whole")
                    .at(folder.join(name).display().to_string())
                    .help("run the scenario again; a run writes all its files at once"),
            )),
        };
        let (summary, manifest) = (whole(SUMMARY)?, whole(MANIFEST)?);
        if !summary.get("summary").is_some_and(Value::is_object) {
            return Err(wrong(&folder.join(SUMMARY), "there is no `summary`: it is not of a run of faassim"));
        }
        if manifest.get("faassim").is_none() {
            return Err(wrong(
                &folder.join(MANIFEST),
                "there is no `faassim`: it is not of a run of faassim",
            ));
        }
        Ok(RunView {
            functions: functions(folder)?,
            memory: memory(folder)?,
            responses: responses(folder)?,
            timeline: Timeline::read(folder)?,
            folder: folder.to_owned(),
            summary,
            manifest,
        })
    }

    /// The folder, as given.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// What the folder is called, also where it was given as `.`.
    pub(super) fn folder_name(&self) -> String {
        let whole = fs::canonicalize(&self.folder).unwrap_or_else(|_| self.folder.clone());
        whole
            .file_name()
            .map_or_else(|| whole.display().to_string(), |name| name.to_string_lossy().into_owned())
    }

    /// What made its figures.
    pub(super) fn kind(&self) -> Kind {
        match (self.summary.get("live"), self.summary.get("engine")) {
            (Some(_), _) => Kind::Live,
            (None, Some(_)) => Kind::Published,
            (None, None) => Kind::Simulation,
        }
    }

    /// What a live run tells beyond its figures.
    pub(super) fn live(&self) -> Option<&Value> {
        self.summary.get("live")
    }

    /// A figure of the summary, by keys with dots. The published simulator calls some of them otherwise.
    pub(super) fn figure(&self, path: &str) -> Option<f64> {
        let figures = self.summary.get("summary")?;
        let number = |path: &str| {
            path.split('.').try_fold(figures, |value, key| value.get(key)).and_then(Value::as_f64)
        };
        if self.kind() != Kind::Published {
            return number(path);
        }
        match path {
            "served" => Some(number("hits")? + number("misses")?),
            "warm" => number("hits"),
            "cold" => number("misses"),
            "dropped_pct" => number("drop_pct"),
            "containers.evicted" => number("evict_pressure"),
            "containers.expired" => number("evict_expired"),
            "containers.peak" => number("peak_pool"),
            "memory.peak_mib" => number("peak_mem_mb"),
            "memory.capacity_mib" => self.summary.get("memory_mb").and_then(Value::as_f64),
            path => number(path),
        }
    }

    /// A text of `summary.json`.
    pub(super) fn said(&self, key: &str) -> Option<&str> {
        self.summary.get(key).and_then(Value::as_str).filter(|text| !text.is_empty())
    }

    /// A value of the manifest as text, by keys with dots.
    pub(super) fn manifest(&self, path: &str) -> Option<String> {
        match path.split('.').try_fold(&self.manifest, |value, key| value.get(key))? {
            Value::String(text) => Some(text.clone()),
            Value::Number(number) => Some(number.to_string()),
            _ => None,
        }
    }

    /// What `--set` changed.
    pub(super) fn overrides(&self) -> Vec<&str> {
        let list = self.manifest.get("overrides").and_then(Value::as_array);
        list.map_or_else(Vec::new, |list| list.iter().filter_map(Value::as_str).collect())
    }

    /// The question that its scenario asks.
    pub(super) fn question(&self) -> Option<String> {
        let scenario: toml::Table = self.manifest.get("scenario")?.as_str()?.parse().ok()?;
        scenario.get("question")?.as_str().map(str::to_owned)
    }

    /// Its functions, if the run has a table of them.
    pub(super) fn functions(&self) -> Option<&[FunctionRow]> {
        self.functions.as_deref()
    }
}

fn wrong(file: &Path, what: &str) -> Error {
    let help = "name a folder that `faassim run` or `faassim live` wrote";
    Error::usage(Diagnostic::new(what).at(file.display().to_string()).help(help))
}

// ----- the folder -----

/// That there are results of a run in a folder.
///
/// # Errors
/// A usage error that says what is there instead and what is the nearest.
fn locate(folder: &Path) -> Result<(), Error> {
    const NAME_A_RUN: &str = "name a folder that `faassim run` or `faassim live` wrote";
    let refuse = |what: &str, help: String| {
        Err(Error::usage(Diagnostic::new(what).at(folder.display().to_string()).help(help)))
    };
    if folder.join(SUMMARY).is_file() {
        return Ok(());
    }
    if folder.is_file() {
        let parent = folder.parent().filter(|parent| parent.join(SUMMARY).is_file());
        let help = parent.map(|parent| match parent.as_os_str().is_empty() {
            true => "did you mean the folder it is in, `.`?".to_owned(),
            false => format!("did you mean the folder it is in, `{}`?", parent.display()),
        });
        return refuse("is a file, no results folder", help.unwrap_or_else(|| NAME_A_RUN.to_owned()));
    }
    if !folder.exists() {
        let parent = folder.parent().filter(|parent| !parent.as_os_str().is_empty());
        let siblings = names(parent.unwrap_or(Path::new(".")));
        let name = folder.file_name().unwrap_or_default().to_string_lossy();
        let near = nearest(&name, siblings.iter().map(String::as_str));
        let near = near.map(|near| format!("did you mean `{}`?", folder.with_file_name(near).display()));
        return refuse("there is no such folder", near.unwrap_or_else(|| NAME_A_RUN.to_owned()));
    }
    if folder.join("runs.csv").is_file() || folder.join("runs.jsonl").is_file() {
        let help = format!("`faassim plot {}` draws it; a report shows single runs", folder.display());
        return refuse("holds a sweep, not a run", help);
    }
    if folder.join("curve.csv").is_file() {
        let help = format!("`faassim plot {}` draws them; a report shows runs", folder.display());
        return refuse("holds curves, not a run", help);
    }
    let within: Vec<String> =
        names(folder).into_iter().filter(|name| folder.join(name).join(SUMMARY).is_file()).collect();
    let help = match within.first() {
        Some(first) => {
            format!("runs are in folders within it: did you mean `{}`?", folder.join(first).display())
        }
        None => NAME_A_RUN.to_owned(),
    };
    refuse(&format!("does not hold results of a run: there is no {SUMMARY}"), help)
}

/// The names in a folder, in order; none if it cannot be read, since they are only ever suggested.
fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let mut names: Vec<String> =
        entries.map(|entry| OsStr::to_string_lossy(&entry.file_name()).into_owned()).collect();
    names.sort();
    names
}

// ----- the tables -----

fn functions(folder: &Path) -> Result<Option<Vec<FunctionRow>>, Error> {
    let Some(sheet) = Sheet::read(folder, "functions.csv")? else { return Ok(None) };
    let has = |name: &str| sheet.header().iter().any(|column| column == name);
    // The published simulator has hits and misses.
    let published = has("misses");
    let column = |name: &str| match has(name) {
        true => sheet.some_numbers(name),
        false => Ok(vec![None; sheet.rows()]),
    };
    let mut columns: Vec<Vec<Option<f64>>> =
        COLUMNS.iter().map(|name| column(name)).collect::<Result<_, _>>()?;
    if published {
        let (hits, misses, dropped) =
            (sheet.numbers("hits")?, sheet.numbers("misses")?, sheet.numbers("dropped")?);
        for row in 0..sheet.rows() {
            let served = hits[row] + misses[row];
            let pct = if served > 0.0 { 100.0 * misses[row] / served } else { 0.0 };
            columns[1][row] = Some(served + dropped[row]);
            columns[2][row] = Some(misses[row]);
            columns[3][row] = Some(pct);
        }
        columns[6] = column("evictions")?;
    } else {
        sheet.require(&["invocations", "cold", "cold_pct"])?;
    }
    let rows = sheet.texts("function")?.into_iter().enumerate();
    let rows = rows.map(|(row, name)| FunctionRow {
        name: name.to_owned(),
        numbers: std::array::from_fn(|nth| columns[nth][row]),
    });
    Ok(Some(rows.collect()))
}

fn memory(folder: &Path) -> Result<Vec<Instant>, Error> {
    let Some(sheet) = Sheet::read(folder, "memory.csv")? else { return Ok(Vec::new()) };
    let parts = [sheet.numbers("busy_mib")?, sheet.numbers("prewarmed_mib")?, sheet.numbers("idle_mib")?];
    let capacity = match sheet.header().iter().any(|name| name == "capacity_mib") {
        true => sheet.some_numbers("capacity_mib")?,
        false => vec![None; sheet.rows()],
    };
    let instant = |(row, time_s)| Instant {
        time_s,
        parts_mib: parts.each_ref().map(|part| part[row]),
        capacity_mib: capacity[row],
    };
    Ok(sheet.numbers("time_s")?.into_iter().enumerate().map(instant).collect())
}

/// Of all starts together.
fn responses(folder: &Path) -> Result<Vec<(f64, f64)>, Error> {
    let Some(sheet) = Sheet::read(folder, "responses.csv")? else { return Ok(Vec::new()) };
    sheet.check("count", "a count", |_, count| count >= 0.0 && count.fract() == 0.0)?;
    let ends = sheet.numbers("response_ms")?;
    let mut buckets: Vec<(f64, f64)> = ends.into_iter().zip(sheet.numbers("count")?).collect();
    buckets.sort_by(|a, b| a.0.total_cmp(&b.0));
    let mut merged: Vec<(f64, f64)> = Vec::with_capacity(buckets.len());
    for (end, count) in buckets {
        match merged.last_mut() {
            Some(last) if last.0 == end => last.1 += count,
            _ => merged.push((end, count)),
        }
    }
    Ok(merged)
}
