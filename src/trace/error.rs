//! What is wrong with a trace, said so that it can be repaired: file, line, column, value, what to
//! do. Owns the form of these messages; must never print or end the process.

use std::fmt;

use crate::error::Diagnostic;

/// One fault of a trace. Displays as
///
/// ```text
/// FILE:LINE: column `time_ms`: `abc` is not a number
///   help: write milliseconds, for example 1500 or 1500.25
/// ```
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TraceError {
    /// The file or folder, or the name of a trace that is not in a file.
    pub file: String,
    /// The line, counted from 1 with the header and blank lines.
    pub line: Option<u64>,
    /// The column as its header spells it.
    pub column: Option<String>,
    /// What is wrong, with the value.
    pub message: String,
    /// What to do about it.
    pub help: Option<String>,
    /// Whether it is no fault at all: the user stopped reading.
    pub is_stop: bool,
}

impl TraceError {
    /// A fault of the whole file.
    pub fn new(file: impl Into<String>, message: impl Into<String>) -> TraceError {
        let (file, message) = (file.into(), message.into());
        TraceError { file, line: None, column: None, message, help: None, is_stop: false }
    }

    /// The user stopped reading.
    pub fn stopped(file: impl Into<String>) -> TraceError {
        TraceError { is_stop: true, ..TraceError::new(file, "stopped while it was read") }
    }

    /// The same fault, in that line.
    pub fn at_line(self, line: u64) -> TraceError {
        TraceError { line: Some(line), ..self }
    }

    /// The same fault, in that column.
    pub fn in_column(self, column: impl Into<String>) -> TraceError {
        TraceError { column: Some(column.into()), ..self }
    }

    /// The same fault, with what to do about it.
    pub fn with_help(self, help: impl Into<String>) -> TraceError {
        TraceError { help: Some(help.into()), ..self }
    }
}

impl fmt::Display for TraceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.file)?;
        if let Some(line) = self.line {
            write!(f, ":{line}")?;
        }
        f.write_str(": ")?;
        if let Some(column) = &self.column {
            write!(f, "column `{column}`: ")?;
        }
        f.write_str(&self.message)?;
        if let Some(help) = &self.help {
            write!(f, "\n  help: {help}")?;
        }
        Ok(())
    }
}

impl From<&TraceError> for Diagnostic {
    fn from(error: &TraceError) -> Diagnostic {
        let place = match error.line {
            Some(line) => format!("{}:{line}", error.file),
            None => error.file.clone(),
        };
        let message = match &error.column {
            Some(column) => format!("column `{column}`: {}", error.message),
            None => error.message.clone(),
        };
        let diagnostic = Diagnostic::new(message).at(place);
        match &error.help {
            Some(help) => diagnostic.help(help),
            None => diagnostic,
        }
    }
}

impl std::error::Error for TraceError {}

/// The candidates most like `name`, best first, at most three; none if nothing is alike. Case does
/// not count.
pub(crate) fn nearest<'a>(name: &str, candidates: impl IntoIterator<Item = &'a str>) -> Vec<&'a str> {
    /// Jaro-Winkler similarity below which two names have nothing to do with each other.
    const ALIKE: f64 = 0.75;
    let name = name.to_lowercase();
    let mut scored: Vec<(f64, &str)> = candidates
        .into_iter()
        .map(|candidate| (strsim::jaro_winkler(&name, &candidate.to_lowercase()), candidate))
        .filter(|(score, _)| *score >= ALIKE)
        .collect();
    scored.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(b.1)));
    scored.into_iter().take(3).map(|(_, candidate)| candidate).collect()
}

/// A value as a message quotes it: in backticks, unprintable bytes made visible, long ones cut.
pub(crate) fn quoted(value: &[u8]) -> String {
    const SHOWN: usize = 80;
    let text = String::from_utf8_lossy(value);
    let mut shown: String = text.chars().take(SHOWN).collect::<String>().escape_debug().to_string();
    if text.chars().nth(SHOWN).is_some() {
        shown.push('…');
    }
    format!("`{shown}`")
}

/// Names as a message lists them: `` `a`, `b`, `c` ``.
pub(crate) fn listed<'a>(names: impl IntoIterator<Item = &'a str>) -> String {
    let quoted: Vec<String> = names.into_iter().map(|name| quoted(name.as_bytes())).collect();
    quoted.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn has_the_form_of_a_compiler_message() {
        let error = TraceError::new("t/invocations.csv", "`abc` is not a number")
            .at_line(3)
            .in_column("time_ms")
            .with_help("write milliseconds");
        assert_eq!(
            error.to_string(),
            "t/invocations.csv:3: column `time_ms`: `abc` is not a number\n  help: write milliseconds"
        );
        assert_eq!(TraceError::new("t", "is empty").to_string(), "t: is empty");
    }

    #[test]
    fn suggests_what_is_alike_and_nothing_else() {
        let names = ["function", "time_ms", "duration_ms"];
        assert_eq!(nearest("tme_ms", names).first(), Some(&"time_ms"));
        assert_eq!(nearest("Funktion", names), ["function"]);
        assert!(nearest("zzz", names).is_empty());
    }

    #[test]
    fn quotes_what_cannot_be_printed_and_cuts_what_is_long() {
        assert_eq!(quoted(b"a\tb"), "`a\\tb`");
        assert_eq!(quoted(b"\xff"), "`\u{fffd}`");
        assert!(quoted(&[b'x'; 500]).ends_with("x…`"));
    }
}
