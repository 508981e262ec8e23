//! A results folder that is there as a whole or not at all. Owns how files get in; must never replace
//! a folder that is not one of ours.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use super::Table;
use crate::error::Error;

/// The file by which a results folder is recognised.
pub const MANIFEST: &str = "manifest.json";

/// A folder being filled. Nothing is seen of it under its name before [`Folder::finish`]; dropped
/// before that, it is removed.
#[derive(Debug)]
pub struct Folder {
    target: PathBuf,
    temporary: TempDir,
}

impl Folder {
    /// A folder that is to replace `target`.
    ///
    /// # Errors
    /// `target` is there and is not a results folder, or its parent cannot be written.
    pub fn create(target: &Path) -> Result<Folder, Error> {
        if target.file_name().is_none() {
            let help = "name a folder of its own with -o, for example -o results/first";
            return Err(Error::usage(format!(
                "{} cannot be replaced by results\n  help: {help}",
                target.display()
            )));
        }
        refuse_foreign(target)?;
        let parent = match target.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => parent,
            _ => Path::new("."),
        };
        let cannot =
            |error: io::Error| Error::run(format!("cannot write results to {}: {error}", target.display()));
        fs::create_dir_all(parent).map_err(cannot)?;
        let temporary = tempfile::Builder::new().prefix(".faassim-").tempdir_in(parent).map_err(cannot)?;
        Ok(Folder { target: target.to_owned(), temporary })
    }

    /// Writes one file with what `write` puts out.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn file(
        &self,
        name: &str,
        write: impl FnOnce(&mut BufWriter<File>) -> io::Result<()>,
    ) -> Result<(), Error> {
        let attempt = || {
            let mut out = BufWriter::new(File::create(self.temporary.path().join(name))?);
            write(&mut out)?;
            out.flush()
        };
        attempt().map_err(|error| {
            Error::run(format!("cannot write {}: {error}", self.target.join(name).display()))
        })
    }

    /// Takes a file in under a name: moved if `moves`, otherwise copied.
    ///
    /// # Errors
    /// It cannot be read or written.
    pub fn adopt(&self, file: &Path, name: &str, moves: bool) -> Result<(), Error> {
        let here = self.temporary.path().join(name);
        // Renaming fails between file systems.
        if moves && fs::rename(file, &here).is_ok() {
            return Ok(());
        }
        fs::copy(file, &here).map_err(|error| {
            Error::run(format!(
                "cannot copy {} to {}: {error}",
                file.display(),
                self.target.join(name).display()
            ))
        })?;
        if moves {
            // It is in the results now; what stays behind is only a second copy.
            let _ = fs::remove_file(file);
        }
        Ok(())
    }

    /// Writes a table as `NAME.csv` and `NAME.parquet`.
    ///
    /// # Errors
    /// A file cannot be written.
    pub fn table(&self, name: &str, table: &Table) -> Result<(), Error> {
        self.file(&format!("{name}.csv"), |out| table.write_csv(out))?;
        self.file(&format!("{name}.parquet"), |out| table.write_parquet(out))
    }

    /// Puts the folder in place of the one before.
    ///
    /// # Errors
    /// It cannot be renamed; then the one before is still there.
    pub fn finish(self) -> Result<(), Error> {
        let Folder { target, temporary } = self;
        let cannot =
            |error: io::Error| Error::run(format!("cannot write results to {}: {error}", target.display()));
        // Temporary folders are private; results are as readable as any other file of the user.
        let mode =
            fs::metadata(temporary.path().parent().unwrap_or(Path::new("."))).map_err(cannot)?.permissions();
        fs::set_permissions(temporary.path(), mode).map_err(cannot)?;
        let new = temporary.keep();
        let old = new.with_extension("old");
        let had_old = match fs::rename(&target, &old) {
            Ok(()) => true,
            Err(error) if error.kind() == io::ErrorKind::NotFound => false,
            Err(error) => {
                let _ = fs::remove_dir_all(&new);
                return Err(cannot(error));
            }
        };
        if let Err(error) = fs::rename(&new, &target) {
            if had_old {
                let _ = fs::rename(&old, &target);
            }
            let _ = fs::remove_dir_all(&new);
            return Err(cannot(error));
        }
        if had_old {
            fs::remove_dir_all(&old).map_err(cannot)?;
        }
        Ok(())
    }
}

fn refuse_foreign(target: &Path) -> Result<(), Error> {
    let refuse = |what: &str| {
        Err(Error::usage(format!(
            "{} {what}\n  help: name another folder with -o, or remove it first",
            target.display()
        )))
    };
    match fs::symlink_metadata(target) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(Error::run(format!("cannot look at {}: {error}", target.display()))),
        Ok(meta) if !meta.is_dir() => refuse("is there and is not a folder"),
        Ok(_) => match foreign_entry(target) {
            Ok(None) => Ok(()),
            Ok(Some(name)) if name.starts_with("runs.") => {
                refuse("holds a sweep, which one run would replace")
            }
            Ok(Some(name)) => {
                refuse(&format!("does not hold results of faassim alone: `{name}` is not ours"))
            }
            Err(error) => Err(Error::run(format!("cannot look into {}: {error}", target.display()))),
        },
    }
}

/// The event log of a live run among its results.
pub const EVENTS: &str = "events.jsonl";

/// What a results folder may hold.
const OURS: [&str; 17] = [
    MANIFEST,
    EVENTS,
    "summary.json",
    "comparison.json",
    "curve.csv",
    "curve.parquet",
    "functions.csv",
    "functions.parquet",
    "invocations.csv",
    "invocations.parquet",
    "memory.csv",
    "memory.parquet",
    "responses.csv",
    "responses.parquet",
    "plots.svg",
    "plots.png",
    "report.html",
];

/// Whether a file of this name is ours: one of the above, or a single panel.
fn is_ours(name: &str) -> bool {
    let panel = name.strip_suffix(".svg").or_else(|| name.strip_suffix(".png"));
    OURS.contains(&name) || panel.is_some_and(|panel| super::plot::panel_names().any(|known| known == panel))
}

/// The first thing in a folder that would be lost if results took its place.
fn foreign_entry(folder: &Path) -> io::Result<Option<String>> {
    let mut names = Vec::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if !is_ours(&name) || !entry.file_type()?.is_file() {
            return Ok(Some(name));
        }
        names.push(name);
    }
    if names.is_empty() {
        return Ok(None);
    }
    // Others have a manifest.json too: ours says which version wrote it.
    let manifest = fs::read_to_string(folder.join(MANIFEST)).unwrap_or_default();
    let ours = serde_json::from_str::<serde_json::Value>(&manifest)
        .is_ok_and(|value| value.get("faassim").is_some());
    Ok((!ours).then(|| names.swap_remove(0)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fill(target: &Path, text: &str) {
        let folder = Folder::create(target).expect("the target is free or ours");
        folder.file(MANIFEST, |out| out.write_all(text.as_bytes())).expect("writable");
        folder.finish().expect("renamed");
    }

    #[test]
    fn replaces_its_own_and_leaves_nothing_else() {
        let dir = tempfile::tempdir().expect("a temporary folder");
        let target = dir.path().join("a/run");
        fill(&target, r#"{"faassim":"1"}"#);
        fill(&target, r#"{"faassim":"2"}"#);
        assert_eq!(fs::read_to_string(target.join(MANIFEST)).expect("there"), r#"{"faassim":"2"}"#);
        assert_eq!(fs::read_dir(dir.path().join("a")).expect("there").count(), 1);
    }

    #[test]
    fn refuses_what_is_not_its_own() {
        let dir = tempfile::tempdir().expect("a temporary folder");
        fs::write(dir.path().join("precious"), "data").expect("writable");
        let error = Folder::create(dir.path()).expect_err("a foreign folder").to_string();
        assert!(error.contains("does not hold results of faassim"), "{error}");
        let app = tempfile::tempdir().expect("a temporary folder");
        fs::write(app.path().join(MANIFEST), r#"{"name":"my app"}"#).expect("writable");
        Folder::create(app.path()).expect_err("somebody else's manifest");
        let noted = dir.path().join("run");
        fill(&noted, r#"{"faassim":"1"}"#);
        fs::write(noted.join("my notes.txt"), "by hand").expect("writable");
        let error = Folder::create(&noted).expect_err("results with notes").to_string();
        assert!(error.contains("`my notes.txt` is not ours"), "{error}");
        let error = Folder::create(&dir.path().join("precious")).expect_err("a file").to_string();
        assert!(error.contains("is not a folder"), "{error}");
    }

    #[test]
    fn refuses_what_has_no_name_of_its_own() {
        let error = Folder::create(Path::new(".")).expect_err("the current folder").to_string();
        assert!(error.contains("cannot be replaced"), "{error}");
    }

    #[test]
    fn an_unfinished_folder_vanishes() {
        let dir = tempfile::tempdir().expect("a temporary folder");
        let folder = Folder::create(&dir.path().join("run")).expect("free");
        folder.file("x", |out| out.write_all(b"half")).expect("writable");
        drop(folder);
        assert_eq!(fs::read_dir(dir.path()).expect("there").count(), 0);
    }
}
