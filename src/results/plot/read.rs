//! Tables and summaries of a results folder, read back. Owns the messages about damaged ones; must never guess what
//! is missing.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::error::{Diagnostic, Error};
use crate::suggest::nearest;

/// A CSV file with its header.
#[derive(Debug)]
pub(in crate::results) struct Sheet {
    file: PathBuf,
    header: Vec<String>,
    /// With the line each begins in.
    rows: Vec<(u64, csv::StringRecord)>,
}

impl Sheet {
    /// Reads `name` in a folder; nothing if there is no such file.
    ///
    /// # Errors
    /// A usage error with the line if it is no CSV, a run error if it cannot be read.
    pub(in crate::results) fn read(folder: &Path, name: &str) -> Result<Option<Sheet>, Error> {
        let file = folder.join(name);
        if !file.is_file() {
            return Ok(None);
        }
        let cannot = |error: csv::Error| {
            let line = error.position().map_or(String::new(), |at| format!(":{}", at.line()));
            let diagnostic = Diagnostic::new(error.to_string()).at(format!("{}{line}", file.display()));
            if error.is_io_error() { Error::run(diagnostic) } else { Error::usage(diagnostic) }
        };
        let mut reader = csv::Reader::from_path(&file).map_err(cannot)?;
        let header = reader.headers().map_err(cannot)?.iter().map(str::to_owned).collect();
        let mut rows = Vec::new();
        for row in reader.records() {
            let row = row.map_err(cannot)?;
            rows.push((row.position().map_or(0, csv::Position::line), row));
        }
        Ok(Some(Sheet { file, header, rows }))
    }

    /// The names of the columns.
    pub(in crate::results) fn header(&self) -> &[String] {
        &self.header
    }

    /// How many rows there are.
    pub(in crate::results) fn rows(&self) -> usize {
        self.rows.len()
    }

    /// With only the rows that are wanted, by number.
    pub(in crate::results) fn filtered(self, wanted: impl Fn(usize) -> bool) -> Sheet {
        let rows = self.rows.into_iter().enumerate().filter(|(nth, _)| wanted(*nth)).map(|(_, row)| row);
        Sheet { rows: rows.collect(), ..self }
    }

    /// That it has all of some columns.
    ///
    /// # Errors
    /// A usage error with all that it does not have.
    pub(in crate::results) fn require(&self, columns: &[&str]) -> Result<(), Error> {
        let missing: Vec<&str> =
            columns.iter().copied().filter(|column| !self.header.iter().any(|name| name == column)).collect();
        let what = match missing.as_slice() {
            [] => return Ok(()),
            [column] => {
                let near = nearest(column, self.header.iter().map(String::as_str));
                let near = near.map_or_else(String::new, |near| format!("; the nearest is `{near}`"));
                format!("there is no column `{column}`{near}")
            }
            many => format!("there are no columns `{}`", many.join("`, `")),
        };
        let help = format!("needed are {}", columns.join(", "));
        let diagnostic = Diagnostic::new(what).at(self.file.display().to_string());
        Err(Error::usage(if columns.len() > 1 { diagnostic.help(help) } else { diagnostic }))
    }

    /// That numbers of a column, of which some may be missing, lie where they can.
    ///
    /// # Errors
    /// A usage error with the line of the first that is not as it `must` be.
    pub(in crate::results) fn check(
        &self,
        column: &str,
        must: &str,
        is_right: impl Fn(usize, f64) -> bool,
    ) -> Result<(), Error> {
        for (row, number) in self.some_numbers(column)?.into_iter().enumerate() {
            if let Some(number) = number.filter(|number| !is_right(row, *number)) {
                let what = format!("column `{column}`: {number} must be {must}");
                let at = format!("{}:{}", self.file.display(), self.rows[row].0);
                return Err(Error::usage(Diagnostic::new(what).at(at)));
            }
        }
        Ok(())
    }

    /// A column as text.
    ///
    /// # Errors
    /// A usage error if there is no such column.
    pub(in crate::results) fn texts(&self, column: &str) -> Result<Vec<&str>, Error> {
        self.require(&[column])?;
        let ix = self.header.iter().position(|name| name == column).unwrap_or_default();
        Ok(self.rows.iter().map(|(_, row)| row.get(ix).unwrap_or_default()).collect())
    }

    /// A column of numbers, some of which may be missing.
    ///
    /// # Errors
    /// A usage error if there is no such column, or with the line of what is no number.
    pub(in crate::results) fn some_numbers(&self, column: &str) -> Result<Vec<Option<f64>>, Error> {
        let number = |(text, (line, _)): (&str, &(u64, _))| match text {
            "" => Ok(None),
            _ => text.parse().ok().filter(|number: &f64| number.is_finite()).map(Some).ok_or_else(|| {
                let what = format!("column `{column}`: `{text}` is not a number");
                Error::usage(Diagnostic::new(what).at(format!("{}:{line}", self.file.display())))
            }),
        };
        self.texts(column)?.into_iter().zip(&self.rows).map(number).collect()
    }

    /// A column of numbers.
    ///
    /// # Errors
    /// As [`Sheet::some_numbers`], and for a missing one.
    pub(in crate::results) fn numbers(&self, column: &str) -> Result<Vec<f64>, Error> {
        let there = |(number, (line, _)): (Option<f64>, &(u64, _))| {
            number.ok_or_else(|| {
                let what = format!("column `{column}`: there is no number");
                Error::usage(Diagnostic::new(what).at(format!("{}:{line}", self.file.display())))
            })
        };
        self.some_numbers(column)?.into_iter().zip(&self.rows).map(there).collect()
    }
}

/// Reads a JSON file in a folder; nothing if there is no such file.
///
/// # Errors
/// A usage error if it is no JSON, a run error if it cannot be read.
pub(in crate::results) fn json(folder: &Path, name: &str) -> Result<Option<Value>, Error> {
    let file = folder.join(name);
    if !file.is_file() {
        return Ok(None);
    }
    let at = || file.display().to_string();
    let text = fs::read_to_string(&file)
        .map_err(|error| Error::run(Diagnostic::new(format!("cannot be read: {error}")).at(at())))?;
    serde_json::from_str(&text)
        .map(Some)
        .map_err(|error| Error::usage(Diagnostic::new(format!("is not JSON: {error}")).at(at())))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sheet(text: &str) -> Sheet {
        let folder = tempfile::tempdir().expect("a temporary folder");
        fs::write(folder.path().join("a.csv"), text).expect("writable");
        Sheet::read(folder.path(), "a.csv").expect("it is CSV").expect("it is there")
    }

    #[test]
    fn what_is_missing_or_wrong_is_told() {
        let sheet = sheet("name,x\n\"two\nlines\",1.5\nb,\nc,one\n");
        assert_eq!(sheet.texts("name").expect("there"), ["two\nlines", "b", "c"]);
        let said = |outcome: Result<Vec<Option<f64>>, Error>| outcome.expect_err("wrong").to_string();
        assert!(said(sheet.some_numbers("x")).ends_with("a.csv:5: column `x`: `one` is not a number"));
        assert!(said(sheet.some_numbers("nam")).ends_with("there is no column `nam`; the nearest is `name`"));
        let sheet = sheet.filtered(|row| row < 2);
        assert_eq!(sheet.some_numbers("x").expect("numbers"), [Some(1.5), None]);
        let missing = sheet.numbers("x").expect_err("one is missing").to_string();
        assert!(missing.ends_with("a.csv:4: column `x`: there is no number"), "{missing}");
    }

    #[test]
    fn no_file_is_no_error_but_a_ragged_one_is() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        assert!(Sheet::read(folder.path(), "a.csv").expect("not there").is_none());
        assert!(json(folder.path(), "a.json").expect("not there").is_none());
        fs::write(folder.path().join("a.csv"), "a,b\n1\n").expect("writable");
        let error = Sheet::read(folder.path(), "a.csv").expect_err("a short row").to_string();
        assert!(error.contains("a.csv:2: "), "{error}");
    }
}
