//! A scenario file as written: a tree of values that know where they stand. Owns reading TOML; must
//! never know what any key means.

use std::fmt::Write as _;

use toml::Spanned;
use toml::de::{DeFloat, DeInteger, DeTable, DeValue};

use crate::error::Diagnostic;

/// Where something was written. Ordered as errors are shown: the file as a whole, then its lines,
/// then the overrides as given.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum Origin {
    /// Nowhere in particular, as for what is missing.
    File,
    /// On this line of the file, counted from 1.
    Line(usize),
    /// In an override.
    Set {
        /// Its number among the overrides.
        nth: usize,
        /// The dotted path it sets.
        path: String,
    },
    /// In an option of the command line, by its name.
    Option(&'static str),
}

/// A value and where it stands.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Node {
    pub origin: Origin,
    pub raw: Raw,
}

/// A value as TOML knows it.
#[derive(Clone, PartialEq, Debug)]
pub(super) enum Raw {
    Text(String),
    Integer(i128),
    Float(f64),
    Bool(bool),
    /// A date or time; nothing in a scenario is one.
    Date(String),
    List(Vec<Node>),
    Table(Table),
}

/// Keys and values in the order in which they are written.
#[derive(Clone, PartialEq, Debug, Default)]
pub(super) struct Table {
    pub entries: Vec<Entry>,
}

/// A key with its value.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Entry {
    pub key: String,
    /// Of the key; the value may start on a later line.
    pub origin: Origin,
    pub node: Node,
}

impl Table {
    /// The value of a key.
    pub fn find(&self, key: &str) -> Option<&Entry> {
        self.entries.iter().find(|entry| entry.key == key)
    }
}

impl Node {
    /// What it is, to be put after "found".
    pub fn describe(&self) -> String {
        match &self.raw {
            Raw::Text(text) => format!("the text {}", quote(text)),
            Raw::Integer(number) => format!("the number {number}"),
            Raw::Float(number) => format!("the number {number}"),
            Raw::Bool(flag) => format!("`{flag}`"),
            Raw::Date(text) => format!("the date {}", quote(text)),
            Raw::List(_) => "a list".to_owned(),
            Raw::Table(_) => "a table".to_owned(),
        }
    }

    /// The value as TOML on one line.
    pub fn inline(&self) -> String {
        match &self.raw {
            Raw::Text(text) => toml_edit::Value::from(text.as_str()).to_string(),
            Raw::Integer(number) => number.to_string(),
            Raw::Float(number) => format!("{number:?}").to_lowercase(),
            Raw::Bool(flag) => flag.to_string(),
            Raw::Date(text) => text.clone(),
            Raw::List(items) => {
                format!("[{}]", items.iter().map(Node::inline).collect::<Vec<_>>().join(", "))
            }
            Raw::Table(table) => table.inline(),
        }
    }
}

impl Table {
    /// The table as TOML on one line, its keys in the order in which they are written.
    pub fn inline(&self) -> String {
        let entry = |entry: &Entry| format!("{} = {}", segment(&entry.key), entry.node.inline());
        match self.entries.as_slice() {
            [] => "{}".to_owned(),
            entries => format!("{{ {} }}", entries.iter().map(entry).collect::<Vec<_>>().join(", ")),
        }
    }

    /// Puts the keys in the order of the alphabet, those of inner tables too: how a scenario is laid out decides nothing.
    pub fn sort(&mut self) {
        self.entries.sort_by(|a, b| a.key.cmp(&b.key));
        for entry in &mut self.entries {
            entry.node.sort();
        }
    }
}

impl Node {
    fn sort(&mut self) {
        match &mut self.raw {
            Raw::Table(table) => table.sort(),
            Raw::List(items) => items.iter_mut().for_each(Node::sort),
            _ => {}
        }
    }
}

/// `text` in backquotes, on one line and not longer than a line.
pub(super) fn quote(text: &str) -> String {
    const MOST: usize = 60;
    let mut quoted = String::from("`");
    for c in text.chars().take(MOST) {
        match c {
            c if c.is_control() => quoted.extend(c.escape_default()),
            c => quoted.push(c),
        }
    }
    if text.chars().nth(MOST).is_some() {
        quoted.push('…');
    }
    quoted.push('`');
    quoted
}

/// A key as it stands in a dotted path: in quotes unless TOML takes it bare.
pub(super) fn segment(key: &str) -> String {
    let bare = !key.is_empty() && key.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_'));
    if bare { key.to_owned() } else { format!("{key:?}") }
}

/// Reads a whole file; `file` is only quoted. One error per line: TOML's recovery tends to see
/// several where the first is the cause.
pub(super) fn parse(text: &str, file: &str) -> Result<Table, Vec<Diagnostic>> {
    let lines = Lines::of(text);
    let (table, errors) = DeTable::parse_recoverable(text);
    if errors.is_empty() {
        return Ok(convert_table(table.get_ref(), &|offset| Origin::Line(lines.line(offset))));
    }
    let mut diagnostics: Vec<(usize, Diagnostic)> = Vec::new();
    for error in errors {
        let span = error.span().unwrap_or(0..0);
        let (line, column) = lines.position(text, span.start);
        let mut message = error.message().to_owned();
        if let Some(word) =
            text.get(span).filter(|word| error.message() == "duplicate key" && !word.is_empty())
        {
            let _ = write!(message, " `{word}`");
        }
        if diagnostics.iter().all(|(seen, _)| *seen != line) {
            let place = format!("{file}:{line}:{column}");
            diagnostics.push((line, Diagnostic::new(format!("not TOML: {message}")).at(place)));
        }
    }
    diagnostics.sort_by_key(|(line, _)| *line);
    Err(diagnostics.into_iter().map(|(_, diagnostic)| diagnostic).collect())
}

/// Reads one value, as in an override; everything in it bears the same origin.
pub(super) fn parse_value(text: &str, origin: &Origin) -> Result<Node, String> {
    let value = DeValue::parse(text).map_err(|error| error.message().to_owned())?;
    Ok(convert(&value, &|_| origin.clone()))
}

fn convert(value: &Spanned<DeValue<'_>>, origin: &dyn Fn(usize) -> Origin) -> Node {
    let raw = match value.get_ref() {
        DeValue::String(text) => Raw::Text(text.to_string()),
        DeValue::Integer(integer) => convert_integer(integer),
        DeValue::Float(float) => convert_float(float),
        DeValue::Boolean(flag) => Raw::Bool(*flag),
        DeValue::Datetime(date) => Raw::Date(date.to_string()),
        DeValue::Array(items) => Raw::List(items.iter().map(|item| convert(item, origin)).collect()),
        DeValue::Table(table) => Raw::Table(convert_table(table, origin)),
    };
    Node { origin: origin(value.span().start), raw }
}

fn convert_table(table: &DeTable<'_>, origin: &dyn Fn(usize) -> Origin) -> Table {
    let mut entries: Vec<(usize, Entry)> = table
        .iter()
        .map(|(key, value)| {
            let at = key.span().start;
            (at, Entry { key: key.get_ref().to_string(), origin: origin(at), node: convert(value, origin) })
        })
        .collect();
    entries.sort_by_key(|(at, _)| *at);
    Table { entries: entries.into_iter().map(|(_, entry)| entry).collect() }
}

fn convert_integer(integer: &DeInteger<'_>) -> Raw {
    match i128::from_str_radix(integer.as_str(), integer.radix()) {
        Ok(number) => Raw::Integer(number),
        // Beyond every range in use, so that only its size matters for the message.
        Err(_) => Raw::Float(integer.as_str().parse().unwrap_or(f64::INFINITY)),
    }
}

fn convert_float(float: &DeFloat<'_>) -> Raw {
    // The parser has seen to it that it is a number.
    Raw::Float(float.as_str().parse().unwrap_or(f64::NAN))
}

/// Where the lines of a text begin.
struct Lines {
    starts: Vec<usize>,
}

impl Lines {
    fn of(text: &str) -> Lines {
        let after_feeds = text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n').map(|(at, _)| at + 1);
        Lines { starts: std::iter::once(0).chain(after_feeds).collect() }
    }

    /// The line of a byte, counted from 1.
    fn line(&self, offset: usize) -> usize {
        self.starts.partition_point(|start| *start <= offset)
    }

    /// Line and column (in characters) of a byte, counted from 1.
    fn position(&self, text: &str, offset: usize) -> (usize, usize) {
        let line = self.line(offset);
        let start = self.starts[line - 1];
        let before = text.get(start..offset).unwrap_or("");
        (line, before.chars().count() + 1)
    }
}
