//! Files of a trace that appear as a whole or not at all. Owns which files may not stand beside each other;
//! must never leave a half-written file under a final name.

use std::cell::RefCell;
use std::fs;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

use super::look::header;
use crate::trace::error::TraceError;
use crate::trace::source::Stopped;
use crate::trace::watch::{Doing, Watch};
use crate::trace::{Counts, Trace};

/// How the invocations of a trace are written.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Form {
    /// As the trace holds them: one by one, or as counts.
    #[default]
    AsHeld,
    /// One by one; counts are expanded.
    Invocations,
}

impl Form {
    /// The counts, if these are what is written.
    pub(super) fn counts(self, trace: &Trace) -> Option<&Counts> {
        match self {
            Form::AsHeld => trace.counts().map(|(counts, _)| counts),
            Form::Invocations => None,
        }
    }
}

/// Every name that a file of a trace may have: of each kind there may be one.
const NAMES: [&str; 12] = [
    "functions.csv",
    "functions.csv.gz",
    "functions.csv.zst",
    "functions.parquet",
    "invocations.csv",
    "invocations.csv.gz",
    "invocations.csv.zst",
    "invocations.parquet",
    "counts.csv",
    "counts.csv.gz",
    "counts.csv.zst",
    "counts.parquet",
];

/// Tells how far writing is.
pub(super) struct Meter<'w> {
    watch: &'w dyn Watch,
    done: u64,
    of: u64,
}

impl<'w> Meter<'w> {
    /// Of so many rows.
    pub fn new(watch: &'w dyn Watch, of: u64) -> Meter<'w> {
        Meter { watch, done: 0, of }
    }

    /// Some more rows are written.
    ///
    /// # Errors
    /// The watch says stop.
    #[inline]
    pub fn add(&mut self, rows: u64) -> io::Result<()> {
        /// Rows between two looks at the watch.
        const EVERY: u64 = 1 << 14;
        let before = self.done / EVERY;
        self.done += rows;
        if self.done / EVERY != before && !self.watch.proceed(Doing::Writing, self.done, self.of) {
            return Err(io::Error::other(Stopped));
        }
        Ok(())
    }
}

/// Files being written into a folder. None is seen under its name before [`New::finish`].
pub(super) struct New<'d> {
    dir: &'d Path,
    /// Whether the folder was not there before.
    made: bool,
    files: RefCell<Vec<(NamedTempFile, PathBuf)>>,
}

impl<'d> New<'d> {
    /// Files of these names in a folder, which is made if it is not there.
    ///
    /// # Errors
    /// The folder cannot be made, or has another file of the same kind: then it would not be clear
    /// which of them counts.
    pub fn in_folder(dir: &'d Path, names: &[&str]) -> Result<New<'d>, TraceError> {
        let others = NAMES.iter().filter(|name| !names.contains(name)).map(|name| dir.join(name));
        if let Some(other) = others.into_iter().find(|other| other.exists()) {
            return Err(TraceError::new(other.display().to_string(), "would stand beside the new file")
                .with_help("move it away, or write into another folder"));
        }
        if dir.is_file() {
            return Err(TraceError::new(dir.display().to_string(), "is a file, not a folder")
                .with_help("a trace is written into a folder of its own"));
        }
        if let Some(other) = foreign(dir) {
            let message = format!("holds something else than a trace of faassim: `{other}`");
            return Err(
                TraceError::new(dir.display().to_string(), message).with_help("write into another folder")
            );
        }
        let new = New { dir, made: !dir.exists(), files: RefCell::new(Vec::new()) };
        fs::create_dir_all(dir).map_err(|error| new.failed(&error))?;
        Ok(new)
    }

    /// Fills a file.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn file(
        &self,
        name: &str,
        fill: impl FnOnce(&mut BufWriter<&mut NamedTempFile>) -> io::Result<()>,
    ) -> Result<(), TraceError> {
        let attempt = || {
            let mut builder = tempfile::Builder::new();
            builder.prefix(".new-");
            // Temporary files are private by default, traces are not; the umask still applies.
            #[cfg(unix)]
            builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
            let mut file = builder.tempfile_in(self.dir)?;
            let mut out = BufWriter::with_capacity(1 << 17, &mut file);
            fill(&mut out)?;
            out.flush()?;
            drop(out);
            Ok(file)
        };
        let file = attempt().map_err(|error: io::Error| self.failed(&error))?;
        self.files.borrow_mut().push((file, self.dir.join(name)));
        Ok(())
    }

    /// Gives all files their names.
    ///
    /// # Errors
    /// One of them cannot be renamed.
    pub fn finish(mut self) -> Result<(), TraceError> {
        for (file, path) in self.files.take() {
            file.persist(path).map_err(|error| self.failed(&error.error))?;
            self.made = false;
        }
        Ok(())
    }

    fn failed(&self, error: &io::Error) -> TraceError {
        if error.get_ref().is_some_and(|inner| inner.is::<Stopped>()) {
            return TraceError::stopped(self.dir.display().to_string());
        }
        TraceError::new(self.dir.display().to_string(), format!("cannot be written: {error}"))
            .with_help("give a folder that can be written, on a disk with room")
    }
}

/// The first thing in a folder that is no file of a trace, and might be lost or mistaken for a part of it.
fn foreign(dir: &Path) -> Option<String> {
    let mut names: Vec<String> = fs::read_dir(dir)
        .ok()?
        .flatten()
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .filter(|name| !name.starts_with('.'))
        .collect();
    names.sort();
    let ours = |name: &String| {
        let columns = if name.starts_with("functions.csv") { header(&dir.join(name)) } else { Vec::new() };
        // Somebody else's table of functions would be lost.
        let functions = columns.is_empty() || columns.iter().any(|column| column.contains("mem"));
        NAMES.contains(&name.as_str()) && functions
    };
    names.into_iter().find(|name| !ours(name))
}

impl Drop for New<'_> {
    fn drop(&mut self) {
        self.files.take().clear();
        if self.made {
            // Fails, as it should, if somebody else has put something into it.
            let _ = fs::remove_dir(self.dir);
        }
    }
}
