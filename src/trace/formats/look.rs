//! A first look at a path: what is in the folder, what the first line of a file names. Owns what formats are
//! recognised by; must never read more than one line of a file.

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _};
use std::path::{Path, PathBuf};

use crate::trace::error::{TraceError, listed, quoted};
use crate::trace::source;

/// The longest first line that is looked at: that of Azure 2019 has 6 kB, of a table with a column per
/// function perhaps 1 MB.
const LONGEST_LINE: u64 = 1 << 22;

/// What is at a path.
pub(crate) struct Look {
    path: PathBuf,
    /// Names in the folder, sorted; nothing if it is not a folder.
    names: Option<Vec<String>>,
}

impl Look {
    pub(crate) fn at(path: &Path) -> Result<Look, TraceError> {
        let names = if path.is_dir() {
            let failed =
                |error| TraceError::new(path.display().to_string(), format!("cannot be read: {error}"));
            let mut names: Vec<String> = fs::read_dir(path)
                .map_err(failed)?
                .flatten()
                .filter(|entry| entry.path().is_file())
                .map(|entry| entry.file_name().to_string_lossy().into_owned())
                .filter(|name| !name.starts_with('.'))
                .collect();
            names.sort();
            Some(names)
        } else {
            None
        };
        Ok(Look { path: path.to_owned(), names })
    }

    /// Whether there is neither a file nor a folder.
    pub(crate) fn is_missing(&self) -> bool {
        self.names.is_none() && !self.path.is_file()
    }

    /// The path itself, as given.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// The file that the path is, or those in the folder that it is.
    pub(crate) fn files(&self) -> Vec<PathBuf> {
        match &self.names {
            Some(names) => names.iter().map(|name| self.path.join(name)).collect(),
            None if self.path.is_file() => vec![self.path.clone()],
            None => Vec::new(),
        }
    }

    /// The same, only those that may be tables of text.
    pub(crate) fn tables(&self) -> Vec<PathBuf> {
        // A file that was named is looked at whatever it is called.
        self.files().into_iter().filter(|file| self.names.is_none() || is_table(file)).collect()
    }

    /// The first line of the file that the path is, or of the first table in the folder, as lower-case
    /// names; empty if it cannot be read.
    pub(crate) fn header(&self) -> Vec<String> {
        self.tables().first().map_or_else(Vec::new, |file| header(file))
    }

    /// What is said of a folder without files whose folders hold traces; `format`: the name of a folder's.
    pub(crate) fn deeper(&self, format: impl Fn(&Look) -> Option<&'static str>) -> Option<TraceError> {
        let mut inner: Vec<PathBuf> = fs::read_dir(&self.path)
            .ok()?
            .flatten()
            .map(|entry| entry.path())
            .filter(|path| path.is_dir())
            .collect();
        inner.sort();
        let there: Vec<String> = inner
            .iter()
            .filter_map(|path| Some(format!("`{}` ({})", path.display(), format(&Look::at(path).ok()?)?)))
            .take(20)
            .collect();
        if there.is_empty() {
            return None;
        }
        let error =
            TraceError::new(self.path.display().to_string(), "is no trace itself, but has some in it");
        Some(error.with_help(format!("give one of {}", there.join(", "))))
    }

    /// What is said if no format fits.
    pub(crate) fn unrecognised<'a>(&self, formats: impl Iterator<Item = &'a str>) -> TraceError {
        let header = self.header();
        let shown: Vec<&str> = header.iter().take(6).map(String::as_str).collect();
        let more = if header.len() > shown.len() { " …" } else { "" };
        let found = match (self.tables().first(), &self.names) {
            (Some(_), _) if header.is_empty() => "; it is empty, or no text".to_owned(),
            (Some(file), Some(_)) => {
                let file = file.file_name().unwrap_or_default().to_string_lossy();
                format!("; `{file}` begins with {}{more}", listed(shown))
            }
            (Some(_), None) => format!("; it begins with {}{more}", listed(shown)),
            (None, _) => String::new(),
        };
        TraceError::new(self.path.display().to_string(), format!("the format is not recognised{found}"))
            .with_help(format!("say which it is with format (--format): {}", listed(formats)))
    }
}

/// Whether a file may be a table of text, by its name.
pub(crate) fn is_table(file: &Path) -> bool {
    let name = file.file_name().unwrap_or_default().to_string_lossy().to_ascii_lowercase();
    let name = [".gz", ".zst"].iter().find_map(|ending| name.strip_suffix(ending)).unwrap_or(&name);
    name.ends_with(".csv") || name.ends_with(".txt")
}

/// The first line of a file as lower-case names; empty if it cannot be read.
pub(crate) fn header(file: &Path) -> Vec<String> {
    let Ok((bytes, _)) = source::open(file, &()) else { return Vec::new() };
    let mut line = Vec::new();
    let mut text = BufReader::new(bytes.take(LONGEST_LINE));
    while line.trim_ascii().is_empty() {
        line.clear();
        match text.read_until(b'\n', &mut line) {
            Ok(0) | Err(_) => return Vec::new(),
            Ok(_) => {}
        }
    }
    let line = String::from_utf8_lossy(&line);
    let line = line.trim_start_matches('\u{feff}').trim();
    line.split(',').map(|name| name.trim().trim_matches('"').to_lowercase()).collect()
}

/// What a file or folder is called, without its endings.
pub(crate) fn stem(path: &Path) -> String {
    let absolute = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let name =
        absolute.file_name().map_or_else(|| path.display().to_string(), |n| n.to_string_lossy().into_owned());
    if path.is_dir() {
        return name;
    }
    let endings = [".gz", ".zst", ".csv", ".txt"];
    endings.iter().fold(name.as_str(), |name, ending| name.strip_suffix(ending).unwrap_or(name)).to_owned()
}

/// The one table that a path means: itself, or the only one in the folder.
pub(crate) fn only_table(path: &Path) -> Result<PathBuf, TraceError> {
    if path.is_file() {
        return Ok(path.to_owned());
    }
    let look = Look::at(path)?;
    let mut tables = look.tables();
    match (tables.pop(), tables.first()) {
        (Some(only), None) => Ok(only),
        (None, _) => Err(TraceError::new(path.display().to_string(), "has no table (.csv or .txt) in it")
            .with_help("give the file, or the folder that it is alone in")),
        (Some(last), Some(first)) => {
            let names =
                [first, &last].map(|file| quoted(file.file_name().unwrap_or_default().as_encoded_bytes()));
            let message = format!("several tables are in it: {} and {}", names[0], names[1]);
            Err(TraceError::new(path.display().to_string(), message).with_help("give the file that is meant"))
        }
    }
}
