//! Tables of a scenario and what is wrong in them. Owns how problems are collected and told; must
//! never stop at the first one.

use super::keys::{Key, SECTIONS};
use super::tree::{Entry, Node, Origin, Raw, Table, quote};
use crate::error::Diagnostic;
use crate::suggest::nearest;

/// What is wrong with a value, without its place.
#[derive(Debug)]
pub(super) struct Flaw {
    message: String,
    help: Option<String>,
}

impl Flaw {
    pub fn new(message: impl Into<String>) -> Flaw {
        Flaw { message: message.into(), help: None }
    }

    pub fn help(mut self, help: impl Into<String>) -> Flaw {
        self.help = Some(help.into());
        self
    }

    /// From a sentence that names the fault, a semicolon, and what would be right.
    pub fn advised(sentence: &str) -> Flaw {
        match sentence.split_once("; ") {
            Some((fault, advice)) => Flaw::new(fault).help(advice),
            None => Flaw::new(sentence),
        }
    }

    /// `found` is no `wanted`.
    pub fn expected(wanted: &str, found: &Node) -> Flaw {
        Flaw::new(format!("expected {wanted}, found {}", found.describe()))
    }
}

/// A flaw, where it is and in what.
#[derive(Debug)]
pub(super) struct Problem {
    origin: Origin,
    /// Dotted path of the value; empty if the message says it all.
    subject: String,
    flaw: Flaw,
}

impl Problem {
    pub fn new(origin: Origin, subject: impl Into<String>, flaw: Flaw) -> Problem {
        Problem { origin, subject: subject.into(), flaw }
    }

    fn render(self, file: &str, set: &str) -> Diagnostic {
        let place = match &self.origin {
            Origin::File => file.to_owned(),
            Origin::Line(line) => format!("{file}:{line}"),
            Origin::Set { path, .. } => format!("{set}{path}"),
            Origin::Option(name) => format!("--{name}"),
        };
        let said = matches!(&self.origin, Origin::Set { path, .. } if *path == self.subject);
        let message = match self.subject.as_str() {
            "" => self.flaw.message,
            _ if said => self.flaw.message,
            subject => format!("{subject}: {}", self.flaw.message),
        };
        let diagnostic = Diagnostic::new(message).at(place);
        match self.flaw.help {
            Some(help) => diagnostic.help(help),
            None => diagnostic,
        }
    }
}

/// Everything that is wrong so far.
#[derive(Debug, Default)]
pub(super) struct Problems {
    found: Vec<Problem>,
}

impl Problems {
    /// `subject` (a dotted path, or nothing) has this flaw.
    pub fn push(&mut self, origin: &Origin, subject: impl Into<String>, flaw: Flaw) {
        self.found.push(Problem::new(origin.clone(), subject, flaw));
    }

    pub fn add(&mut self, problem: Problem) {
        self.found.push(problem);
    }

    pub fn is_empty(&self) -> bool {
        self.found.is_empty()
    }

    /// In the order of the file.
    pub fn render(self, file: &str) -> Vec<Diagnostic> {
        self.render_with(file, "--set ")
    }

    /// The same where values were set by options of their own.
    pub fn render_options(self, file: &str) -> Vec<Diagnostic> {
        self.render_with(file, "--")
    }

    fn render_with(mut self, file: &str, set: &str) -> Vec<Diagnostic> {
        self.found.sort_by(|a, b| a.origin.cmp(&b.origin));
        self.found.into_iter().map(|problem| problem.render(file, set)).collect()
    }
}

/// A table whose keys are known.
#[derive(Debug)]
pub(super) struct Section<'t> {
    /// Dotted path; empty at the top.
    path: String,
    /// Where the table begins.
    pub origin: Origin,
    table: &'t Table,
    keys: &'static [Key],
}

impl<'t> Section<'t> {
    /// A table at `path` that may have `keys`; complains about others.
    pub fn open(
        path: impl Into<String>,
        origin: &Origin,
        table: &'t Table,
        keys: &'static [Key],
        problems: &mut Problems,
    ) -> Section<'t> {
        let section = Section { path: path.into(), origin: origin.clone(), table, keys };
        for entry in table.entries.iter().filter(|entry| keys.iter().all(|key| key.name != entry.key)) {
            problems.push(&entry.origin, "", section.unknown(entry));
        }
        section
    }

    /// The table under `name`, if it is there and a table.
    pub fn subsection(
        &self,
        name: &'static str,
        keys: &'static [Key],
        problems: &mut Problems,
    ) -> Option<Section<'t>> {
        let entry = self.find(name)?;
        let table = self.as_table(entry, problems)?;
        Some(Section::open(self.subject(name), &entry.origin, table, keys, problems))
    }

    /// The table that is the value of `entry`.
    pub fn as_table(&self, entry: &'t Entry, problems: &mut Problems) -> Option<&'t Table> {
        match &entry.node.raw {
            Raw::Table(table) => Some(table),
            _ => {
                let path = self.subject(&entry.key);
                let help = match self.keys.iter().find(|key| key.name == entry.key && !key.example.is_empty())
                {
                    Some(key) => format!("write for example `{} = {}`", key.name, key.example),
                    None => format!("write [{path}] on a line of its own and the keys below it"),
                };
                problems.push(&entry.origin, path, Flaw::expected("a table", &entry.node).help(help));
                None
            }
        }
    }

    /// The key and value, if it is there.
    pub fn find(&self, name: &str) -> Option<&'t Entry> {
        self.table.find(name)
    }

    /// The value of `name` as `parse` reads it; nothing if it is missing or wrong.
    pub fn read<T>(
        &self,
        name: &'static str,
        problems: &mut Problems,
        parse: impl FnOnce(&Node) -> Result<T, Flaw>,
    ) -> Option<T> {
        let entry = self.find(name)?;
        match parse(&entry.node) {
            Ok(value) => Some(value),
            Err(flaw) => {
                problems.push(&entry.node.origin, self.subject(name), flaw);
                None
            }
        }
    }

    /// The same, but it has to be there.
    pub fn require<T>(
        &self,
        name: &'static str,
        problems: &mut Problems,
        parse: impl FnOnce(&Node) -> Result<T, Flaw>,
    ) -> Option<T> {
        if self.find(name).is_none() && !self.misspelt(name) {
            self.miss(name, problems);
        }
        self.read(name, problems, parse)
    }

    /// `name` has this flaw, or the table if it has no such key.
    pub fn refuse(&self, name: &str, flaw: Flaw, problems: &mut Problems) {
        let origin = self.find(name).map_or(&self.origin, |entry| &entry.origin);
        problems.push(origin, self.subject(name), flaw);
    }

    /// Whether an unknown key was meant to be `name`, so that it does not have to be told twice.
    pub fn misspelt(&self, name: &str) -> bool {
        let known = || self.keys.iter().map(|key| key.name);
        self.table
            .entries
            .iter()
            .filter(|entry| known().all(|key| key != entry.key))
            .any(|entry| nearest(&entry.key, known()) == Some(name))
    }

    fn miss(&self, name: &str, problems: &mut Problems) {
        let subject = self.subject(name);
        let example = self.keys.iter().find(|key| key.name == name).map_or("...", |key| key.example);
        let help = format!("add `{name} = {example}` under {}", self.header());
        problems.push(&self.origin, "", Flaw::new(format!("`{subject}` is missing")).help(help));
    }

    /// How the table is written.
    fn header(&self) -> String {
        match SECTIONS.iter().find(|known| known.path == self.path) {
            Some(known) => known.header.to_owned(),
            None => format!("[{}]", self.path),
        }
    }

    /// The dotted path of a key.
    pub fn subject(&self, name: &str) -> String {
        if self.path.is_empty() { name.to_owned() } else { format!("{}.{name}", self.path) }
    }

    fn unknown(&self, entry: &Entry) -> Flaw {
        let name = entry.key.as_str();
        let known = || self.keys.iter().map(|key| key.name);
        let place = if self.path.is_empty() { String::new() } else { format!(" in {}", self.header()) };
        let what = if matches!(entry.node.raw, Raw::Table(_)) { "table" } else { "key" };
        let flaw = Flaw::new(format!("unknown {what} {}{place}", quote(name)));
        if let Some(near) = nearest(name, known()) {
            return flaw.help(format!("did you mean `{near}`?"));
        }
        let home = SECTIONS.iter().find(|home| home.keys.iter().any(|key| key.name == name));
        if let Some(home) = home.filter(|home| home.path != self.path) {
            return flaw.help(match home.path {
                "" => "it belongs at the top of the file, before the first [table]".to_owned(),
                _ => format!("it belongs in {}", home.header),
            });
        }
        let known: Vec<&str> = known().collect();
        flaw.help(match self.path.as_str() {
            "" => format!("a scenario has: {}", known.join(", ")),
            "rules" => "`faassim policies --rules` lists all".to_owned(),
            _ => format!("{} has: {}", self.header(), known.join(", ")),
        })
    }
}
