//! Reading an event log, line by line. Owns what is said about damage; a last line that was cut off is the mark of a killed
//! run, not damage. Must never hold more than a line.

use std::io::{self, BufRead};

use super::record::SCHEMA;
use super::{Header, Record};

/// An event log being read.
#[derive(Debug)]
pub struct Reader<R> {
    source: R,
    line: u64,
    text: Vec<u8>,
    cut: bool,
}

/// What is wrong with a log.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Damage {
    /// Where.
    pub line: u64,
    /// What.
    pub message: String,
    /// What to do about it.
    pub help: Option<String>,
}

impl Damage {
    pub(super) fn new(line: u64, message: impl Into<String>) -> Damage {
        Damage { line, message: message.into(), help: None }
    }

    pub(super) fn help(mut self, help: impl Into<String>) -> Damage {
        self.help = Some(help.into());
        self
    }
}

impl<R: BufRead> Reader<R> {
    /// Opens a log: its first line says what it is of.
    ///
    /// # Errors
    /// It is no event log, or one of another version.
    pub fn open(source: R) -> Result<(Reader<R>, Header), Damage> {
        let mut reader = Reader { source, line: 0, text: Vec::new(), cut: false };
        let foreign = |line, what: &str| {
            Damage::new(line, format!("this is no event log of faassim: {what}"))
                .help("a log is written by `faassim live`; its first line begins with {\"log\":")
        };
        match reader.next_line() {
            Ok(true) => {}
            Ok(false) => return Err(foreign(1, "it is empty")),
            Err(error) => return Err(Damage::new(1, format!("cannot be read: {error}"))),
        }
        let value: serde_json::Value = serde_json::from_slice(&reader.text).map_err(|_| {
            foreign(1, if reader.cut { "it ends in its first line" } else { "its first line is not JSON" })
        })?;
        let schema = value.get("log").and_then(|log| log.get("schema")).and_then(serde_json::Value::as_u64);
        match schema {
            Some(schema) if schema == u64::from(SCHEMA) => {}
            Some(schema) => {
                let message = format!("the log is of version {schema}; this faassim reads version {SCHEMA}");
                return Err(Damage::new(1, message).help("read it with the version of faassim that wrote it"));
            }
            None => return Err(foreign(1, "its first line does not begin one")),
        }
        match serde_json::from_value(value) {
            Ok(Record::Log(header)) => Ok((reader, *header)),
            Ok(_) => Err(foreign(1, "its first line does not begin one")),
            Err(error) => Err(Damage::new(1, format!("the first line is damaged: {error}"))),
        }
    }

    /// The next line; `None` at the end.
    ///
    /// # Errors
    /// A line that is no record, unless it is the last one and was cut off.
    #[expect(clippy::should_implement_trait, reason = "an iterator could not be asked for the line number")]
    pub fn next(&mut self) -> Result<Option<Record>, Damage> {
        let damage = |line, what: String| Damage::new(line, what);
        match self.next_line() {
            Ok(true) => {}
            Ok(false) => return Ok(None),
            Err(error) => return Err(damage(self.line, format!("cannot be read: {error}"))),
        }
        match serde_json::from_slice(&self.text) {
            Ok(Record::Log(_)) => Err(damage(self.line, "a second log begins here".to_owned())
                .help("two logs in one file cannot be read; cut it here")),
            Ok(record) => Ok(Some(record)),
            Err(_) if self.cut => Ok(None),
            Err(error) => Err(damage(self.line, format!("the line is damaged: {error}"))
                .help("cut the log off before this line to use what comes before it")),
        }
    }

    /// Number of the line read last, from 1.
    pub fn line(&self) -> u64 {
        self.line
    }

    /// Whether there is a line.
    fn next_line(&mut self) -> io::Result<bool> {
        self.text.clear();
        self.line += 1;
        let read = self.source.read_until(b'\n', &mut self.text)?;
        self.cut = self.text.pop_if(|last| *last == b'\n').is_none();
        Ok(read > 0)
    }
}
