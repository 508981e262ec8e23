//! What can be drawn of a results folder: which kind of results it holds, its panels by name, and what is left out
//! and why. Must never compute a figure.

use std::path::{Path, PathBuf};

use super::{Panel, Sheet, Target, hit_rate, run, sweep};
use crate::error::{Diagnostic, Error};
use crate::results::folder::MANIFEST;
use crate::suggest::nearest;

/// A kind of results, with its file and its panels.
struct Kind {
    what: &'static str,
    /// The file by which a folder of it is recognised.
    file: &'static str,
    panels: &'static [&'static str],
    read: fn(&Path, &[Choice]) -> Result<Figures, Error>,
}

/// In the order in which they are looked for.
const KINDS: [Kind; 3] = [
    Kind { what: "curve", file: hit_rate::FILE, panels: &hit_rate::PANELS, read: hit_rate::figures },
    Kind { what: "sweep", file: sweep::FILE, panels: &sweep::PANELS, read: sweep::figures },
    Kind { what: "run", file: run::FILE, panels: &run::PANELS, read: run::figures },
];

/// What to do where there is nothing to draw.
const NAME_A_FOLDER: &str = "name a folder that `faassim run`, `faassim sweep` or `faassim curve` wrote";

/// The names of all panels, of every kind of results.
pub fn panel_names() -> impl Iterator<Item = &'static str> {
    KINDS.iter().flat_map(|kind| kind.panels.iter().copied())
}

/// Only the rows of a sweep with this value in this column.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Choice {
    /// The column.
    pub column: String,
    /// Its value.
    pub value: String,
}

impl std::str::FromStr for Choice {
    type Err = String;

    fn from_str(text: &str) -> Result<Choice, String> {
        let (column, value) =
            text.split_once('=').ok_or_else(|| "write COLUMN=VALUE, for example eviction=lru".to_owned())?;
        Ok(Choice { column: column.trim().to_owned(), value: value.trim().to_owned() })
    }
}

/// Everything that can be drawn of one folder.
#[derive(Clone, PartialEq, Debug)]
pub struct Figures {
    /// What it is about.
    pub title: String,
    /// What holds for all panels.
    pub notes: Vec<String>,
    /// Panels by name; those without points are left out.
    pub panels: Vec<(&'static str, Panel)>,
    /// Panels that cannot be drawn, and why.
    pub left_out: Vec<(&'static str, String)>,
    /// Whether lines of a name are the same in all panels.
    pub one_legend: bool,
}

impl Figures {
    /// Reads what a results folder holds. `choices`: of a sweep, only rows with these values.
    ///
    /// # Errors
    /// A usage error if there are no results, or damaged ones, or choices for what is no sweep; a run error if they
    /// cannot be read.
    pub fn read(folder: &Path, choices: &[Choice]) -> Result<Figures, Error> {
        let kind = kind(folder)?;
        if let Some(choice) = choices.first().filter(|_| kind.file != sweep::FILE) {
            let (column, value) = (&choice.column, &choice.value);
            let what =
                format!("--where '{column}={value}' chooses runs of a sweep, and this is a {}", kind.what);
            let help = "leave --where away, or name the folder of a sweep";
            return Err(Error::usage(Diagnostic::new(what).at(folder.display().to_string()).help(help)));
        }
        (kind.read)(folder, choices)
    }

    /// With only the panels of these names.
    ///
    /// # Errors
    /// A usage error for a name that no panel of `folder` has, and if nothing is left to draw.
    pub fn only(mut self, folder: &Path, names: &[String]) -> Result<Figures, Error> {
        let known = kind(folder)?;
        for name in names {
            if !known.panels.contains(&name.as_str()) {
                let near = nearest(name, known.panels.iter().copied());
                let near = near.map_or_else(String::new, |near| format!("; did you mean `{near}`?"));
                let what = format!("a {} has no panel `{name}`{near}", known.what);
                let help = format!("its panels are {}", known.panels.join(", "));
                return Err(Error::usage(Diagnostic::new(what).at(folder.display().to_string()).help(help)));
            }
        }
        let wanted = |name: &str| names.is_empty() || names.iter().any(|wanted| wanted == name);
        self.panels.retain(|(name, panel)| wanted(name) && panel.has_points());
        self.left_out.retain(|(name, _)| wanted(name));
        if self.panels.is_empty() {
            let why: Vec<String> = self.left_out.iter().map(|(name, why)| format!("{name}: {why}")).collect();
            let diagnostic = Diagnostic::new("there is nothing to draw")
                .at(folder.display().to_string())
                .help(why.join("\n"));
            return Err(Error::usage(diagnostic));
        }
        Ok(self)
    }

    /// Draws all panels on one sheet.
    ///
    /// # Errors
    /// Nothing is to be drawn, or the file cannot be written.
    pub fn draw(self, target: &Target) -> Result<(), Error> {
        target.draw(&Sheet {
            title: self.title,
            notes: self.notes,
            panels: self.panels.into_iter().map(|(_, panel)| panel).collect(),
            one_legend: self.one_legend,
        })
    }

    /// Draws each panel into a file `NAME.ENDING` of its own in a folder, and tells the files.
    ///
    /// # Errors
    /// As [`Figures::draw`], and if the folder cannot be made.
    pub fn draw_each(self, folder: &Path, ending: &str) -> Result<Vec<PathBuf>, Error> {
        std::fs::create_dir_all(folder)
            .map_err(|error| Error::run(format!("cannot make {}: {error}", folder.display())))?;
        let mut files = Vec::new();
        for (name, panel) in self.panels {
            let file = folder.join(format!("{name}.{ending}"));
            let sheet = Sheet { notes: self.notes.clone(), ..Sheet::new(self.title.clone(), vec![panel]) };
            Target::new(&file)?.draw(&sheet)?;
            files.push(file);
        }
        Ok(files)
    }
}

/// What a folder holds.
fn kind(folder: &Path) -> Result<&'static Kind, Error> {
    let at = || folder.display().to_string();
    if !folder.exists() {
        let siblings: Vec<String> = folder
            .parent()
            .map(|parent| if parent.as_os_str().is_empty() { Path::new(".") } else { parent })
            .and_then(|parent| std::fs::read_dir(parent).ok())
            .map(|entries| entries.flatten().map(|entry| entry.file_name().to_string_lossy().into_owned()))
            .map_or_else(Vec::new, Iterator::collect);
        let name = folder.file_name().unwrap_or_default().to_string_lossy();
        let near = nearest(&name, siblings.iter().map(String::as_str));
        let near = near.map(|near| format!("did you mean `{}`?", folder.with_file_name(near).display()));
        let help = near.unwrap_or_else(|| NAME_A_FOLDER.to_owned());
        return Err(Error::usage(Diagnostic::new("there is no such folder").at(at()).help(help)));
    }
    let found = KINDS.iter().find(|kind| folder.join(kind.file).is_file());
    if found.is_none() && folder.join(sweep::JOURNAL).is_file() && folder.join(MANIFEST).is_file() {
        return Err(unfinished(folder)?);
    }
    found.ok_or_else(|| {
        let files: Vec<String> = KINDS.iter().map(|kind| format!("`{}`", kind.file)).collect();
        let what = format!("does not hold results: none of {} is in there", files.join(", "));
        Error::usage(Diagnostic::new(what).at(at()).help(NAME_A_FOLDER))
    })
}

/// What to say of a sweep that has no table yet.
///
/// # Errors
/// Its manifest is damaged or cannot be read.
fn unfinished(folder: &Path) -> Result<Error, Error> {
    let manifest = super::read::json(folder, MANIFEST)?.unwrap_or_default();
    let command = manifest.get("command").and_then(|command| command.as_str()).unwrap_or("faassim sweep");
    let what = format!(
        "the sweep is unfinished: its runs are in {}, but {} is not there yet",
        sweep::JOURNAL,
        sweep::FILE
    );
    let help = format!("the same command goes on with it: {command}");
    Ok(Error::usage(Diagnostic::new(what).at(folder.display().to_string()).help(help)))
}

/// What results are called: by their manifest, else by their folder.
///
/// # Errors
/// The manifest is damaged or cannot be read.
pub(super) fn name_of(folder: &Path) -> Result<String, Error> {
    let manifest = super::read::json(folder, MANIFEST)?;
    let named = manifest.as_ref().and_then(|manifest| manifest.get("name")?.as_str().map(str::to_owned));
    let whole = std::fs::canonicalize(folder).unwrap_or_else(|_| folder.to_owned());
    Ok(named.unwrap_or_else(|| whole.file_name().unwrap_or_default().to_string_lossy().into_owned()))
}

/// The file name of the trace that was replayed, if a manifest tells it.
///
/// # Errors
/// The manifest is damaged or cannot be read.
pub(super) fn trace_of(folder: &Path) -> Result<Option<String>, Error> {
    let manifest = super::read::json(folder, MANIFEST)?.unwrap_or_default();
    let path = manifest.get("trace").and_then(|trace| trace.get("path")).and_then(|path| path.as_str());
    Ok(path.and_then(|path| Some(Path::new(path).file_name()?.to_string_lossy().into_owned())))
}
