//! `[costs] from = "costs.toml"`: costs that were measured and stand in a file of their own, as `faassim calibrate` writes it.
//! Owns how it is taken in beneath what the scenario says itself; must never know what a cost means.

use std::collections::BTreeSet;
use std::path::Path;

use toml_edit::{DocumentMut, Item, Table as Document, TableLike};

use super::costs;
use super::keys::{COSTS, COSTS_FILE};
use super::section::{Flaw, Problems, Section};
use super::tree::{self, Entry, Node, Origin, Raw, Table};
use super::{neighbour, read_text};

/// What the scenario's own keys make void in the file: `run-overhead` belongs to a `run`, phases and `cold-start`
/// exclude each other.
const VOID: [(&str, &[&str]); 7] = [
    ("run", &["run-overhead"]),
    ("init", &["init-overhead"]),
    ("cold-start", &["pull", "create", "init", "init-overhead", "first-run"]),
    ("pull", &["cold-start"]),
    ("create", &["cold-start"]),
    ("init-overhead", &["cold-start"]),
    ("first-run", &["cold-start"]),
];

/// What a costs file brought in.
pub(super) struct Included {
    /// The scenario's text with the costs in it, so that it can be read without the file.
    pub text: String,
    /// Functions that the file knows: a trace may have fewer.
    pub functions: BTreeSet<String>,
}

/// Takes in the file that `[costs]` names, if it names one; `file` and `text` are the scenario's.
pub(super) fn include(
    file: &Path,
    text: &str,
    root: &mut Table,
    problems: &mut Problems,
) -> Option<Included> {
    let own = root.entries.iter_mut().find(|entry| entry.key == "costs")?;
    let Raw::Table(own) = &mut own.node.raw else { return None };
    let from = own.find("from")?.clone();
    let mut refuse = |flaw: Flaw| problems.push(&from.origin, "costs.from", flaw);
    let Raw::Text(written) = &from.node.raw else {
        refuse(Flaw::expected("a file, for example \"costs.toml\"", &from.node));
        return None;
    };
    let path = file.parent().unwrap_or(Path::new("")).join(written);
    let (costs_text, costs) = match read(&path) {
        Ok(read) => read,
        Err(flaw) => {
            refuse(flaw);
            return None;
        }
    };
    let functions = names(&costs);
    merge(own, &costs);
    Some(Included { text: resolved(text, &costs_text).unwrap_or_else(|| text.to_owned()), functions })
}

/// The functions that may have come from a costs file, in a scenario that names one and has taken it in before.
pub(super) fn brought_in(root: &Table) -> BTreeSet<String> {
    match root.find("costs").map(|entry| &entry.node.raw) {
        Some(Raw::Table(costs)) if costs.find("from").is_some() => names(costs),
        _ => BTreeSet::new(),
    }
}

/// Names of the functions with costs of their own.
fn names(costs: &Table) -> BTreeSet<String> {
    match costs.find("functions").map(|entry| &entry.node.raw) {
        Some(Raw::Table(table)) => table.entries.iter().map(|entry| entry.key.clone()).collect(),
        _ => BTreeSet::new(),
    }
}

/// Text and `[costs]` of the file, found right.
fn read(path: &Path) -> Result<(String, Table), Flaw> {
    let place = path.display().to_string();
    if !path.exists() {
        let flaw = Flaw::new(format!("there is no file `{place}`"));
        return Err(match neighbour(path) {
            Some(near) => flaw.help(format!("did you mean `{}`?", near.display())),
            None => flaw.help("`faassim calibrate` writes one; paths start from the folder of the scenario"),
        });
    }
    let text = read_text(path).map_err(|fault| Flaw::new(fault.in_short()))?;
    let first = |found: Vec<crate::error::Diagnostic>| {
        let more = found.len().saturating_sub(1);
        let more = if more > 0 { format!(" (and {more} more)") } else { String::new() };
        Flaw::new(format!(
            "{}{more}",
            found.first().map_or_else(String::new, crate::error::Diagnostic::in_short)
        ))
    };
    let root = tree::parse(&text, &place).map_err(first)?;
    let mut problems = Problems::default();
    let top = Section::open("", &Origin::File, &root, COSTS_FILE, &mut problems);
    match top.subsection("costs", COSTS, &mut problems) {
        Some(section) if section.find("from").is_some() => {
            section.refuse("from", Flaw::new("a costs file does not name another one"), &mut problems);
        }
        Some(section) => drop(costs::read(&section, BTreeSet::new(), &mut problems)),
        None if top.find("costs").is_none() && problems.is_empty() => {
            let flaw = Flaw::new("has no [costs], so it is no costs file");
            problems.push(&Origin::File, "", flaw);
        }
        None => {}
    }
    if !problems.is_empty() {
        return Err(first(problems.render(&place)));
    }
    match root.entries.into_iter().find(|entry| entry.key == "costs").map(|entry| entry.node.raw) {
        Some(Raw::Table(costs)) => Ok((text, costs)),
        _ => Ok((text, Table::default())),
    }
}

/// Puts what the file says beneath what is there. Its lines are not the scenario's.
fn merge(own: &mut Table, file: &Table) {
    let given: BTreeSet<String> = own.entries.iter().map(|entry| entry.key.clone()).collect();
    for entry in &file.entries {
        let at = own.entries.iter().position(|known| known.key == entry.key);
        match (at, &entry.node.raw) {
            (Some(at), Raw::Table(theirs)) if entry.key == "functions" => {
                let Raw::Table(ours) = &mut own.entries[at].node.raw else { continue };
                for function in &theirs.entries {
                    let known = ours.entries.iter_mut().find(|known| known.key == function.key);
                    match (known.map(|known| &mut known.node.raw), &function.node.raw) {
                        (Some(Raw::Table(ours)), Raw::Table(theirs)) => merge(ours, theirs),
                        (Some(_), _) => {}
                        (None, _) => ours.entries.push(placeless(function)),
                    }
                }
            }
            (Some(_), _) => {}
            (None, _) if is_void(&entry.key, |key| given.contains(key)) => {}
            (None, _) => own.entries.push(placeless(entry)),
        }
    }
}

fn is_void(key: &str, has: impl Fn(&str) -> bool) -> bool {
    VOID.iter().any(|(given, void)| void.contains(&key) && has(given))
}

fn placeless(entry: &Entry) -> Entry {
    Entry { key: entry.key.clone(), origin: Origin::File, node: placeless_node(&entry.node) }
}

fn placeless_node(node: &Node) -> Node {
    let raw = match &node.raw {
        Raw::Table(table) => Raw::Table(Table { entries: table.entries.iter().map(placeless).collect() }),
        Raw::List(items) => Raw::List(items.iter().map(placeless_node).collect()),
        other => other.clone(),
    };
    Node { origin: Origin::File, raw }
}

/// The scenario's text with the file's costs in it, layout and comments kept. `None` only for text that is not TOML, which
/// has been told.
fn resolved(text: &str, costs_text: &str) -> Option<String> {
    let mut document: DocumentMut = text.parse().ok()?;
    let theirs: DocumentMut = costs_text.parse().ok()?;
    let theirs = theirs.get("costs")?.as_table_like()?;
    let own = document.entry("costs").or_insert_with(|| Item::Table(Document::new())).as_table_like_mut()?;
    if let (Some(ours), Some(functions)) = (own.get_mut("functions"), theirs.get("functions")) {
        let ours = ours.as_table_like_mut()?;
        for (name, function) in functions.as_table_like()?.iter() {
            match ours.get_mut(name) {
                Some(ours) => fill(ours.as_table_like_mut()?, function.as_table_like()?),
                None => drop(ours.insert(name, function.clone())),
            }
        }
    }
    fill(own, theirs);
    Some(document.to_string())
}

/// Puts what `theirs` says beneath what `ours` says.
fn fill(ours: &mut dyn TableLike, theirs: &dyn TableLike) {
    // What is void is so by what was said before.
    let wanted = |key: &str| !ours.contains_key(key) && !is_void(key, |key| ours.contains_key(key));
    let missing: Vec<(&str, &Item)> = theirs.iter().filter(|(key, _)| wanted(key)).collect();
    for (key, item) in missing {
        ours.insert(key, item.clone());
    }
}
