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

/// What the scenario's own keys make void in the file: `run-overhead` belongs to a `run` of the trace's, phases and `cold-start`
/// exclude each other.
const VOID: [(&str, &[&str]); 8] = [
    ("run", &["run-overhead"]),
    ("run-overhead", &["run"]),
    ("init", &["init-overhead", "cold-start"]),
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
    let mut brought = Vec::new();
    merge(own, &costs, &[], &mut brought);
    let text = resolved(text, &costs_text, &brought).unwrap_or_else(|| text.to_owned());
    Some(Included { text, functions })
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

/// Puts what the file says beneath what is there, at `path` within `[costs]`, and tells the paths of what it brought. Its lines
/// are not the scenario's.
fn merge(own: &mut Table, file: &Table, path: &[&str], brought: &mut Vec<Vec<String>>) {
    let given: BTreeSet<String> = own.entries.iter().map(|entry| entry.key.clone()).collect();
    for entry in &file.entries {
        let path = [path, &[entry.key.as_str()]].concat();
        let known = own.entries.iter_mut().find(|known| known.key == entry.key);
        match (known.map(|known| &mut known.node.raw), &entry.node.raw) {
            (Some(Raw::Table(ours)), Raw::Table(theirs)) if is_group(&path) => {
                merge(ours, theirs, &path, brought);
            }
            (Some(_), _) => {}
            (None, _) if is_void(&entry.key, |key| given.contains(key)) => {}
            (None, _) => {
                own.entries.push(placeless(entry));
                brought.push(path.into_iter().map(str::to_owned).collect());
            }
        }
    }
}

/// Whether what is there is a table of costs, of which each is taken by itself; a cost that is a table is one value.
fn is_group(path: &[&str]) -> bool {
    matches!(path, ["contention" | "functions"] | ["functions", _])
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

/// The scenario's text with what the file brought in it, layout and comments kept. `None` only for text that is not TOML, which
/// has been told.
fn resolved(text: &str, costs_text: &str, brought: &[Vec<String>]) -> Option<String> {
    let mut document: DocumentMut = text.parse().ok()?;
    let theirs: DocumentMut = costs_text.parse().ok()?;
    let own = document.entry("costs").or_insert_with(|| Item::Table(Document::new()));
    for path in brought {
        let item = path.iter().try_fold(theirs.get("costs")?, |item, key| item.get(key))?;
        let (last, groups) = path.split_last()?;
        let mut table: &mut dyn TableLike = own.as_table_like_mut()?;
        for group in groups {
            // A group that was set on the command line is not in the text.
            let implicit = || {
                let mut table = Document::new();
                table.set_implicit(true);
                Item::Table(table)
            };
            table = table.entry(group).or_insert_with(implicit).as_table_like_mut()?;
        }
        table.insert(last, item.clone());
    }
    Some(document.to_string())
}

#[cfg(test)]
mod tests {
    use super::super::{CostSpec, Engine, Override, Scenario};
    use super::*;

    const COSTS: &str = "[costs]\ncreate = { log-normal = { median = \"300 ms\", sigma = 0.1 }, max = \"1 s\" }\ninit = \"trace\"\n\
                         init-overhead = \"9 ms\"\nrun = \"trace\"\nrun-overhead = \"1 ms\"\n\
                         [costs.contention]\nprocessors = 2\ncreate = 1.5\n[costs.functions.f]\nrun = \"3 ms\"\n";

    /// The costs of a scenario that takes in a file, which must be the same read again from its own text.
    fn costs(own: &str, file: &str, sets: &[(&str, &str)]) -> CostSpec {
        let folder = tempfile::tempdir().expect("a temporary folder");
        std::fs::write(folder.path().join("costs.toml"), file).expect("writable");
        std::fs::create_dir(folder.path().join("trace")).expect("writable");
        let scenario = folder.path().join("s.toml");
        let text =
            format!("trace.path = \"trace\"\npool.memory = \"1 GiB\"\n[costs]\nfrom = \"costs.toml\"\n{own}");
        std::fs::write(&scenario, text).expect("writable");
        let sets: Vec<Override> = sets.iter().map(|(path, value)| Override::new(*path, *value)).collect();
        let read = Scenario::load(&scenario, &sets).unwrap_or_else(|error| panic!("{error}"));
        let again = Scenario::from_text(Path::new("s.toml"), read.text.clone(), &sets)
            .unwrap_or_else(|error| panic!("{error}\n{}", read.text));
        let (Engine::Pool(read), Engine::Pool(again)) = (read.engine, again.engine) else { panic!("a pool") };
        let told =
            |costs: &CostSpec| format!("{:?} {:?} {:?}", costs.general, costs.functions, costs.contention);
        assert_eq!(told(&again.costs), told(&read.costs));
        read.costs
    }

    #[test]
    fn what_is_set_makes_void_what_does_not_go_with_it() {
        let of = |sets: &[(&str, &str)]| format!("{:?}", costs("", COSTS, sets));
        let plain = of(&[]);
        for (path, value) in [
            ("costs.run", "50 ms"),
            ("costs.cold-start", "1 s"),
            ("costs.create.constant", "1 s"),
            ("costs.functions.f.run", "5 ms"),
            ("costs.functions.g.run", "5 ms"),
            ("costs.run-overhead", "2 ms"),
        ] {
            assert_ne!(of(&[(path, value)]), plain, "{path}");
        }
    }

    #[test]
    fn processors_are_set_without_the_demands_being_lost() {
        for (own, sets) in [
            ("", &[("costs.contention.processors", "4")][..]),
            ("[costs.contention]\nprocessors = 4\n", &[][..]),
        ] {
            let contention = costs(own, COSTS, sets).contention.expect("the file has some");
            assert_eq!((contention.processors, contention.create), (4, 1.5));
        }
    }

    #[test]
    fn one_number_and_phases_exclude_each_other() {
        let one = "[costs]\ncold-start = \"2 s\"\n";
        for own in ["init = \"5 ms\"\n", "create = \"5 ms\"\n", "cold-start = \"1 s\"\n"] {
            costs(own, one, &[]);
        }
        costs("run-overhead = \"1 ms\"\n", "[costs]\nrun = \"10 ms\"\n", &[]);
    }
}
