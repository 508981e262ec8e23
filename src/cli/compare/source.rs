//! What a side of a comparison is: found out from what is at its path, before anything long begins. Owns how kinds are told
//! apart and what is said of what is none of them; must never simulate or read whole records.

use std::fs;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::cli::replay::{damaged, open};
use crate::compare::{cluster, table};
use crate::error::{Diagnostic, Error};
use crate::eventlog::replay::scenario_of;
use crate::results::{EVENTS, MANIFEST};
use crate::scenario::{Engine, Override, Scenario, neighbour};
use crate::trace::formats::look::header;

/// A record, not yet read.
#[derive(Debug)]
pub(super) enum Source {
    /// To be simulated.
    Scenario { given: String, scenario: Box<Scenario> },
    /// Results of `faassim run`.
    Results {
        given: String,
        folder: PathBuf,
        manifest: Box<Manifest>,
        scenario: Result<Box<Scenario>, Error>,
    },
    /// The event log of a live run.
    Log { given: String, log: PathBuf, scenario: Box<Scenario> },
    /// A trace, with luck with what was measured.
    Trace { given: String, path: PathBuf },
    /// A table of invocations.
    Table { given: String, path: PathBuf },
    /// A log of OpenWhisk.
    OpenWhisk { path: PathBuf },
    /// A run of a recorded cluster, or an invoker of it.
    Cluster { given: String, folder: PathBuf, run: String, invoker: Option<String> },
}

/// What is needed of the manifest of a run.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
pub(super) struct Manifest {
    /// Version of faassim that made the results.
    pub faassim: String,
    pub scenario_file: String,
    pub scenario: String,
    pub overrides: Vec<String>,
    pub trace: ManifestTrace,
}

/// Its trace.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
pub(super) struct ManifestTrace {
    pub path: String,
    pub sha256: String,
}

/// What may be compared, for those who named something else.
const KINDS: &str = "a side is a scenario (.toml), a results folder, an event log, a trace with measured cold starts, a \
                     table of invocations, or FOLDER:RUN of a recorded cluster";

impl Source {
    /// What is at a path. `sets`: what scenarios are changed by.
    ///
    /// # Errors
    /// A usage error if it is nothing that can be compared.
    pub fn find(given: &str, sets: &[Override]) -> Result<Source, Error> {
        let path = Path::new(given);
        if path.is_dir() {
            return Source::in_folder(given, path);
        }
        if path.is_file() {
            return Source::in_file(given, path, sets);
        }
        if let Some(cluster) = cluster_of(given) {
            return Ok(cluster);
        }
        let missing = Diagnostic::new("there is no such file or folder").at(given);
        Err(Error::usage(match neighbour(path) {
            Some(near) => missing.help(format!("did you mean `{}`?", near.display())),
            None => missing.help(KINDS),
        }))
    }

    fn in_folder(given: &str, folder: &Path) -> Result<Source, Error> {
        let has = |name: &str| folder.join(name).exists();
        let wrong = |what: &str, help: &str| Err(Error::usage(Diagnostic::new(what).at(given).help(help)));
        let given = || given.to_owned();
        if has(EVENTS) {
            return Source::log(given(), folder.join(EVENTS));
        }
        if has("runs.jsonl") || has("runs.csv") {
            return wrong("holds a sweep, not one run", "compare single runs: `faassim run` with --set");
        }
        if has("curve.csv") {
            return wrong("holds curves, not a run", "compare runs: `faassim run`");
        }
        if has("comparison.json") {
            return wrong("holds a comparison, not a run", "name what was compared");
        }
        if has(MANIFEST) {
            return Source::results(given(), folder);
        }
        if cluster::is_cluster(folder) {
            let (folder, run) = (folder.to_owned(), String::new());
            return Ok(Source::Cluster { given: given(), folder, run, invoker: None });
        }
        Ok(Source::Trace { given: given(), path: folder.to_owned() })
    }

    fn in_file(given: &str, path: &Path, sets: &[Override]) -> Result<Source, Error> {
        let path_buf = || path.to_owned();
        let given = given.to_owned();
        if path.extension().is_some_and(|extension| extension == "toml") {
            let scenario = Box::new(Scenario::load(path, sets)?);
            refuse_published(&given, &scenario)?;
            return Ok(Source::Scenario { given, scenario });
        }
        let names = header(path);
        let first = names.join(",");
        if first.starts_with("{\"log\"") || path.extension().is_some_and(|extension| extension == "jsonl") {
            return Source::log(given, path_buf());
        }
        if first.starts_with('[') && (first.contains("[info]") || first.contains("[#tid_")) {
            return Ok(Source::OpenWhisk { path: path_buf() });
        }
        if table::is_table(&names) {
            return Ok(Source::Table { given, path: path_buf() });
        }
        Ok(Source::Trace { given, path: path_buf() })
    }

    fn log(given: String, log: PathBuf) -> Result<Source, Error> {
        let (_, header) = open(&log)?;
        let scenario = Box::new(scenario_of(&header).map_err(|damage| damaged(&log, damage))?);
        Ok(Source::Log { given, log, scenario })
    }

    fn results(given: String, folder: &Path) -> Result<Source, Error> {
        let file = folder.join(MANIFEST);
        let place = file.display().to_string();
        let unreadable = |why: String| {
            Error::usage(
                Diagnostic::new(why).at(place.clone()).help("is this a results folder of `faassim run`?"),
            )
        };
        let text =
            fs::read_to_string(&file).map_err(|error| unreadable(format!("cannot be read: {error}")))?;
        let manifest: Manifest = serde_json::from_str(&text)
            .map_err(|error| unreadable(format!("is no manifest of a run: {error}")))?;
        let scenario = scenario_in(&manifest).map(Box::new);
        if let Ok(scenario) = &scenario {
            refuse_published(&given, scenario)?;
        }
        Ok(Source::Results { given, folder: folder.to_owned(), manifest: Box::new(manifest), scenario })
    }

    /// Whether it is simulated here.
    pub fn is_scenario(&self) -> bool {
        matches!(self, Source::Scenario { .. })
    }

    /// The scenario behind it, if there is one.
    pub fn scenario(&self) -> Option<&Scenario> {
        match self {
            Source::Scenario { scenario, .. }
            | Source::Log { scenario, .. }
            | Source::Results { scenario: Ok(scenario), .. } => Some(scenario),
            _ => None,
        }
    }

    /// The scenario of a live run.
    pub fn live(&self) -> Option<&Scenario> {
        match self {
            Source::Log { scenario, .. } => Some(scenario),
            _ => None,
        }
    }
}

/// The scenario of a manifest; its trace need not be there.
fn scenario_in(manifest: &Manifest) -> Result<Scenario, Error> {
    let sets = manifest
        .overrides
        .iter()
        .map(|set| {
            set.parse::<Override>().map_err(|why| Error::usage(Diagnostic::new(format!("`{set}`: {why}"))))
        })
        .collect::<Result<Vec<Override>, Error>>()?;
    Scenario::from_text(Path::new(&manifest.scenario_file), manifest.scenario.clone(), &sets)
}

fn refuse_published(given: &str, scenario: &Scenario) -> Result<(), Error> {
    match scenario.engine {
        Engine::Pool(_) => Ok(()),
        Engine::Artifact(_) => {
            let wrong =
                Diagnostic::new("the published simulator tells nothing of single invocations").at(given);
            Err(Error::usage(wrong.help(
                "compare a scenario without [faascache-artifact]; the nearest rules are \
                                         `rules.preset = \"faascache\"`",
            )))
        }
    }
}

/// `FOLDER:RUN` or `FOLDER:RUN:INVOKER`.
fn cluster_of(given: &str) -> Option<Source> {
    let (head, last) = given.rsplit_once(':')?;
    let is = |folder: &str| Path::new(folder).is_dir() && cluster::is_cluster(Path::new(folder));
    let made = |folder: &str, run: &str, invoker: Option<&str>| Source::Cluster {
        given: given.to_owned(),
        folder: PathBuf::from(folder),
        run: run.to_owned(),
        invoker: invoker.map(str::to_owned),
    };
    if is(head) {
        return Some(made(head, last, None));
    }
    let (folder, run) = head.rsplit_once(':')?;
    is(folder).then(|| made(folder, run, Some(last)))
}
