//! Single files that commands write beside results folders. Owns that they appear whole or not at all; must never decide what is in
//! them.

use std::fs;
use std::io::{self, BufWriter, Write as _};
use std::path::Path;

use tempfile::NamedTempFile;

use crate::error::Error;

/// Writes a file that is there as a whole or not at all, as readable as any other file of the user.
///
/// # Errors
/// A run error if it cannot be written; then it is as it was.
pub(super) fn write_whole(
    file: &Path,
    write: impl FnOnce(&mut BufWriter<&NamedTempFile>) -> io::Result<()>,
) -> Result<(), Error> {
    let folder = file.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
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
