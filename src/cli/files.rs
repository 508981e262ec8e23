//! Single files that commands write beside results folders. Owns that they have a place and appear whole or not at all; must never
//! decide what is in them.

use std::fs;
use std::io::{self, BufWriter, Write as _};
use std::path::Path;

use tempfile::NamedTempFile;

use crate::error::{Diagnostic, Error};

/// That there is a place for a file of this name, asked before anybody waits for what will be in it.
///
/// # Errors
/// A usage error if it is a folder, or there is none for it.
pub(super) fn has_place(file: &Path) -> Result<(), Error> {
    let refuse = |what: String, help: &str| {
        Err(Error::usage(Diagnostic::new(what).at(file.display().to_string()).help(help)))
    };
    if file.is_dir() {
        return refuse("is a folder, no file to write into".to_owned(), "name a file in it: -o FILE");
    }
    let folder = parent(file);
    if !folder.is_dir() {
        let what = format!("cannot be written: there is no folder {}", folder.display());
        return refuse(what, "make the folder first, or name a file elsewhere");
    }
    Ok(())
}

fn parent(file: &Path) -> &Path {
    file.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// Writes a file that is there as a whole or not at all, as readable as any other file of the user.
///
/// # Errors
/// A run error if it cannot be written; then it is as it was.
pub(super) fn write_whole(
    file: &Path,
    write: impl FnOnce(&mut BufWriter<&NamedTempFile>) -> io::Result<()>,
) -> Result<(), Error> {
    let folder = parent(file);
    let attempt = || {
        if file.is_dir() {
            return Err(io::Error::other("it is a folder"));
        }
        let temporary = tempfile::Builder::new().prefix(".new-").tempfile_in(folder)?;
        let mut out = BufWriter::new(&temporary);
        write(&mut out)?;
        out.flush()?;
        drop(out);
        // Temporary files are private, results are not.
        #[cfg(unix)]
        fs::set_permissions(temporary.path(), std::os::unix::fs::PermissionsExt::from_mode(0o644))?;
        temporary.persist(file).map(drop).map_err(|error| error.error)
    };
    attempt().map_err(|error| {
        // Without the name of a temporary file, which means nothing to whom it is told.
        let plain = std::error::Error::source(&error).map_or_else(|| error.to_string(), ToString::to_string);
        Error::run(format!("cannot write {}: {plain}", file.display()))
    })
}
