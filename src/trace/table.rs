//! A CSV file as named columns and rows. Owns finding a column by one of its names, exact line
//! numbers, and messages that point at a field; knows nothing of what the columns mean.

use std::collections::HashSet;
use std::io::{self, Read};
use std::path::Path;

use csv::{ByteRecord, Terminator};

use super::error::{TraceError, listed, nearest, quoted};
use super::number::BadNumber;
use super::source::{self, Origin};
use super::watch::Watch;

/// A column that a format knows, by its own name and by those other tools give it.
pub(crate) struct Column {
    /// The name this project writes.
    pub(crate) name: &'static str,
    /// Names that are read as well, in order of preference.
    pub(crate) aliases: &'static [&'static str],
}

/// The text and a final newline, in case the text has none: every row then ends in one, which makes
/// line numbers exact.
type Text<'w> = io::Chain<Box<dyn Read + 'w>, &'static [u8]>;

/// What to do about a field that goes over several lines, which no valid one does.
pub(crate) const OPEN_QUOTE_HELP: &str = "a quote (`\"`) is opened and not closed; close it";

/// A CSV file being read. UTF-8 with or without a byte order mark, lines ending in LF or CRLF, blank
/// lines ignored, fields quoted or not.
pub(crate) struct Table<'w> {
    csv: csv::Reader<Text<'w>>,
    origin: Origin,
    header: Vec<String>,
    header_line: u64,
    row: ByteRecord,
    /// Whether the first row is no header.
    headless: bool,
    /// The row that was read in search of a header and is none: the next one.
    pending: bool,
}

impl<'w> Table<'w> {
    /// Opens a file and reads its header.
    pub(crate) fn open(path: &Path, watch: &'w dyn Watch) -> Result<Table<'w>, TraceError> {
        let table = Table::begin(path, watch)?;
        table.check_header()?;
        Ok(table)
    }

    /// The same for a file that may have no header: if its first row has only numbers where the first
    /// `named` columns are, columns are called by their place, from 1.
    pub(crate) fn open_headless(
        path: &Path,
        named: usize,
        watch: &'w dyn Watch,
    ) -> Result<Table<'w>, TraceError> {
        let mut table = Table::begin(path, watch)?;
        let numbers = |name: &String| name.parse::<f64>().is_ok();
        if table.header.len() >= named && table.header.iter().take(named).all(numbers) {
            table.header = (1..=table.header.len()).map(|place| place.to_string()).collect();
            table.headless = true;
            table.pending = true;
        }
        table.check_header()?;
        Ok(table)
    }

    /// Opens a file and reads its first row.
    fn begin(path: &Path, watch: &'w dyn Watch) -> Result<Table<'w>, TraceError> {
        let (bytes, origin) = source::open(path, watch)?;
        let csv = csv::ReaderBuilder::new()
            .has_headers(false)
            .flexible(true)
            .terminator(Terminator::Any(b'\n'))
            .buffer_capacity(1 << 16)
            .from_reader(bytes.chain(b"\n" as &[u8]));
        let (header, row) = (Vec::new(), ByteRecord::new());
        let mut table = Table { csv, origin, header, header_line: 1, row, headless: false, pending: false };
        if !table.read_row()? {
            return Err(TraceError::new(table.file(), "is empty")
                .with_help("the first line names the columns, every other line is a row"));
        }
        table.header_line = table.line();
        table.header = table.read_header()?;
        Ok(table)
    }

    /// Whether the file has no header.
    pub(crate) fn is_headless(&self) -> bool {
        self.headless
    }

    fn read_header(&self) -> Result<Vec<String>, TraceError> {
        let name = |index: usize| {
            let name = self.field(index).trim_ascii();
            std::str::from_utf8(name).map(str::to_owned).map_err(|_| {
                self.bad_header(format!("the column name {} is not valid UTF-8", quoted(name)))
                    .with_help("save the file as UTF-8")
            })
        };
        (0..self.row.len()).map(name).collect()
    }

    /// No two columns have one name; those without a name do not count.
    fn check_header(&self) -> Result<(), TraceError> {
        let mut seen = HashSet::with_capacity(self.header.len());
        match self.header.iter().find(|name| !name.is_empty() && !seen.insert(name.to_ascii_lowercase())) {
            None => Ok(()),
            Some(twice) => Err(self
                .bad_header(format!("two columns are called `{twice}`"))
                .with_help("rename or remove one of them")),
        }
    }

    /// The place of a column, if the file has it: by its own name, else by the first alias there is.
    /// Case does not count.
    pub(crate) fn find(&self, column: &Column) -> Option<usize> {
        std::iter::once(&column.name)
            .chain(column.aliases)
            .find_map(|name| self.header.iter().position(|found| found.eq_ignore_ascii_case(name)))
    }

    /// The place of a column that the file must have.
    pub(crate) fn require(&self, column: &Column) -> Result<usize, TraceError> {
        self.find(column).ok_or_else(|| {
            let name = column.name;
            let found = listed(self.header.iter().map(String::as_str));
            let error = self.bad_header(format!("no column `{name}`; the header has {found}"));
            let aliases = listed(column.aliases.iter().copied());
            match (self.header.as_slice(), nearest(name, self.header.iter().map(String::as_str)).first()) {
                ([only], _) if only.contains([';', '\t']) => {
                    error.with_help("separate the fields with commas")
                }
                (_, Some(near)) => {
                    let too = match column.aliases.len() {
                        0 => String::new(),
                        1 => format!("; {aliases} is read too"),
                        _ => format!("; {aliases} are read too"),
                    };
                    error.with_help(format!("did you mean `{near}`? Call it `{name}`{too}"))
                }
                (_, None) if column.aliases.is_empty() => {
                    error.with_help("the first line must name the columns")
                }
                (_, None) => error.with_help(format!(
                    "the first line must name the columns; `{name}` may also be called {aliases}"
                )),
            }
        })
    }

    /// The columns as the header spells them.
    pub(crate) fn header(&self) -> &[String] {
        &self.header
    }

    /// Goes to the next row that is not blank; false at the end of the file.
    #[inline]
    pub(crate) fn next_row(&mut self) -> Result<bool, TraceError> {
        if !std::mem::take(&mut self.pending) && !self.read_row()? {
            return Ok(false);
        }
        if self.row.len() != self.header.len() {
            return Err(self.wrong_width());
        }
        Ok(true)
    }

    #[inline]
    fn read_row(&mut self) -> Result<bool, TraceError> {
        loop {
            match self.csv.read_byte_record(&mut self.row) {
                Ok(true) if self.row.len() == 1 && self.row[0].trim_ascii().is_empty() => {}
                Ok(more) => return Ok(more),
                Err(error) => return Err(self.read_error(error)),
            }
        }
    }

    #[cold]
    fn read_error(&self, error: csv::Error) -> TraceError {
        let line = self.csv.position().line();
        match error.into_kind() {
            csv::ErrorKind::Io(error) => self.origin.describe(&error, line),
            other => TraceError::new(self.origin.file(), format!("cannot be read as CSV: {other:?}")),
        }
    }

    #[cold]
    fn wrong_width(&self) -> TraceError {
        let (has, needs) = (self.row.len(), self.header.len());
        let fields = if has == 1 { "field" } else { "fields" };
        let error = TraceError::new(
            self.origin.file(),
            format!("{has} {fields}, but the header names {needs} columns"),
        );
        let help = if self.row.iter().any(|field| field.contains(&b'\n')) {
            OPEN_QUOTE_HELP
        } else if has > needs {
            "put a field that contains a comma into quotes (`\"`), or remove what is too much"
        } else {
            "add what is missing; an empty field is written as nothing between two commas"
        };
        error.at_line(self.line()).with_help(help)
    }

    /// A field of the current row.
    #[inline]
    pub(crate) fn field(&self, index: usize) -> &[u8] {
        let field = &self.row[index];
        // Lines end in LF alone, which leaves the CR of a CRLF on the last field.
        if index + 1 == self.row.len() { field.strip_suffix(b"\r").unwrap_or(field) } else { field }
    }

    /// The line on which the current row starts.
    pub(crate) fn line(&self) -> u64 {
        let inside = self.row.as_slice().iter().filter(|byte| **byte == b'\n').count() as u64;
        // A quote that is never closed swallows the newline that ends every other row.
        let ending = u64::from(!self.row.as_slice().ends_with(b"\n"));
        self.csv.position().line() - inside - ending
    }

    /// The file's path as messages show it.
    pub(crate) fn file(&self) -> &str {
        self.origin.file()
    }

    /// A fault of a field of the current row.
    #[cold]
    pub(crate) fn bad_field(&self, index: usize, message: impl Into<String>) -> TraceError {
        TraceError::new(self.file(), message).at_line(self.line()).in_column(&self.header[index])
    }

    /// A fault of a number in the current row, with what to write instead.
    #[cold]
    pub(crate) fn bad_number(&self, index: usize, why: BadNumber, help: &str) -> TraceError {
        self.bad_field(index, why.describe(&quoted(self.field(index)))).with_help(help)
    }

    fn bad_header(&self, message: impl Into<String>) -> TraceError {
        TraceError::new(self.file(), message).at_line(self.header_line)
    }
}
