//! Values set from outside the file: `--set PATH=VALUE`, and the points of a sweep. Owns how a path
//! is found in the tree; must never check what a value means.

use std::fmt;
use std::str::FromStr;

use toml::de::DeTable;

use super::duration::is_shape;
use super::section::{Flaw, Problem};
use super::tree::{Entry, Node, Origin, Raw, Table, parse_value, quote};

/// One value of a scenario, set to something else.
///
/// The path is dotted as in TOML (`pool.memory`, `costs.functions."my.function".run`), a number picks
/// from a list (`prewarm.0.initial-count`). The value is read as TOML; what is not TOML is taken for
/// text, so that `--set eviction=lru` and `--set pool.memory="8 GiB"` need no second pair of quotes.
/// Where only one of several tables may stand, as under `eviction`, setting one removes the others.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Override {
    path: String,
    value: String,
    /// Where it is written, unless that is `--set`.
    origin: Option<Origin>,
}

impl Override {
    /// Sets `path` to `value`. Errors come to light when a scenario is loaded with it.
    pub fn new(path: impl Into<String>, value: impl Into<String>) -> Override {
        Override { path: path.into(), value: value.into(), origin: None }
    }

    /// Sets `path` to the value of an option that is its shortcut; errors name the option.
    pub fn from_option(name: &'static str, path: impl Into<String>, value: impl Into<String>) -> Override {
        Override::new(path, value).written(&Origin::Option(name))
    }

    /// The same, written somewhere else than in `--set`.
    pub(super) fn written(self, origin: &Origin) -> Override {
        Override { origin: Some(origin.clone()), ..self }
    }

    /// What is set.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// To what.
    pub fn value(&self) -> &str {
        &self.value
    }

    /// Puts the value into the tree; `nth`: number of the override.
    pub(super) fn apply(&self, root: &mut Table, nth: usize) -> Result<(), Problem> {
        let origin = self.origin.clone().unwrap_or_else(|| Origin::Set { nth, path: self.path.clone() });
        let path = segments(&self.path).map_err(|flaw| Problem::new(origin.clone(), "", flaw))?;
        let value = self.node(&origin).map_err(|flaw| Problem::new(origin.clone(), "", flaw))?;
        set(root, &path, 0, value).map_err(|flaw| Problem::new(origin, "", flaw))
    }

    fn node(&self, origin: &Origin) -> Result<Node, Flaw> {
        let text = self.value.trim();
        match parse_value(text, origin) {
            Ok(node) => Ok(node),
            Err(message) if text.starts_with(['"', '\'', '[', '{']) => {
                Err(Flaw::new(format!("{} is not TOML: {message}", quote(text))))
            }
            Err(_) => Ok(Node { origin: origin.clone(), raw: Raw::Text(text.to_owned()) }),
        }
    }
}

impl fmt::Display for Override {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}={}", self.path, self.value)
    }
}

impl FromStr for Override {
    type Err = String;

    /// Reads `PATH=VALUE`. The first `=` outside quotes counts.
    fn from_str(text: &str) -> Result<Override, String> {
        let mut quote = None;
        for (at, c) in text.char_indices() {
            match (c, quote) {
                ('=', None) if !text[..at].trim().is_empty() => {
                    return Ok(Override::new(text[..at].trim(), text[at + 1..].trim()));
                }
                ('"' | '\'', None) => quote = Some(c),
                (c, Some(open)) if c == open => quote = None,
                _ => {}
            }
        }
        Err("write PATH=VALUE, for example pool.memory=\"8 GiB\"".to_owned())
    }
}

/// A path, taken apart by TOML's own rules for dotted keys.
pub(super) fn segments(path: &str) -> Result<Vec<String>, Flaw> {
    let flaw = || {
        Flaw::new(format!("{} is not a path", quote(path))).help(
            "write for example pool.memory; names with a dot or other signs need quotes, \
             as in costs.functions.\"my.function\".run",
        )
    };
    let text = format!("{path} = 0");
    let parsed = DeTable::parse(&text).map_err(|_| flaw())?;
    let mut segments = Vec::new();
    let mut table = Some(parsed.get_ref());
    while let Some(level) = table {
        let mut entries = level.iter();
        let (Some((key, value)), None) = (entries.next(), entries.next()) else {
            return Err(flaw());
        };
        segments.push(key.get_ref().to_string());
        table = value.get_ref().as_table();
    }
    Ok(segments)
}

/// Whether setting one of two paths undoes what was set at the other.
pub(super) fn exclude_each_other(one: &[String], other: &[String]) -> bool {
    let common = one.iter().zip(other).take_while(|(a, b)| a == b).count();
    match (one.get(common), other.get(common)) {
        (Some(a), Some(b)) => gives_way(&one[..common], a, b),
        _ => true,
    }
}

/// Puts `value` at `path[depth..]` of `table`, which stands at `path[..depth]`.
fn set(table: &mut Table, path: &[String], depth: usize, value: Node) -> Result<(), Flaw> {
    let key = &path[depth];
    table.entries.retain(|entry| !gives_way(&path[..depth], key, &entry.key));
    let at = match table.entries.iter().position(|entry| entry.key == *key) {
        Some(at) => at,
        None => {
            table.entries.push(Entry {
                key: key.clone(),
                origin: value.origin.clone(),
                node: Node { origin: value.origin.clone(), raw: Raw::Table(Table::default()) },
            });
            table.entries.len() - 1
        }
    };
    let entry = &mut table.entries[at];
    if depth + 1 == path.len() {
        entry.origin = value.origin.clone();
        entry.node = value;
        return Ok(());
    }
    descend(&mut entry.node, path, depth + 1, value)
}

/// Puts `value` at `path[depth..]` of `node`, which stands at `path[..depth]`.
fn descend(node: &mut Node, path: &[String], depth: usize, value: Node) -> Result<(), Flaw> {
    match &mut node.raw {
        Raw::Table(table) => set(table, path, depth, value),
        Raw::List(items) => {
            let count = items.len();
            let item = path[depth].parse().ok().and_then(|ix: usize| items.get_mut(ix)).ok_or_else(|| {
                let parent = path[..depth].join(".");
                Flaw::new(format!(
                    "`{parent}` is a list of {count}, and {} is none of them",
                    quote(&path[depth])
                ))
                .help(format!("`{parent}.0` is the first"))
            })?;
            if depth + 1 == path.len() {
                *item = value;
                return Ok(());
            }
            descend(item, path, depth + 1, value)
        }
        _ => {
            // A name gives way to the table that spells it out, as `eviction = "lru"` to `eviction.lru.x`.
            *node = Node { origin: value.origin.clone(), raw: Raw::Table(Table::default()) };
            descend(node, path, depth, value)
        }
    }
}

/// Whether `other` has to go when `key` is set beside it in the table at `parent`.
fn gives_way(parent: &[String], key: &str, other: &str) -> bool {
    let parent: Vec<&str> = parent.iter().map(String::as_str).collect();
    match parent.as_slice() {
        ["eviction"] | ["keep-alive"] => other != key,
        ["costs", "functions", _] | ["costs", "functions"] => false,
        ["costs", _] | ["costs", "functions", _, _] => other != key && is_shape(key) && is_shape(other),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::tree::parse;

    fn after(text: &str, assignments: &[&str]) -> Table {
        let mut root = parse(text, "test").expect("TOML");
        for (nth, assignment) in assignments.iter().enumerate() {
            let set: Override = assignment.parse().expect("PATH=VALUE");
            set.apply(&mut root, nth).expect("applies");
        }
        root
    }

    fn at<'t>(root: &'t Table, path: &str) -> Option<&'t Raw> {
        let mut table = root;
        let mut found = None;
        for key in path.split('.') {
            let raw = &table.find(key)?.node.raw;
            found = Some(raw);
            if let Raw::Table(inner) = raw {
                table = inner;
            }
        }
        found
    }

    #[test]
    fn values_are_toml_or_bare_text() {
        let root =
            after("", &["seed=7", "pool.memory=8 GiB", "rules.reuse=oldest", "output.invocations=true"]);
        assert_eq!(at(&root, "seed"), Some(&Raw::Integer(7)));
        assert_eq!(at(&root, "pool.memory"), Some(&Raw::Text("8 GiB".to_owned())));
        assert_eq!(at(&root, "rules.reuse"), Some(&Raw::Text("oldest".to_owned())));
        assert_eq!(at(&root, "output.invocations"), Some(&Raw::Bool(true)));
    }

    #[test]
    fn another_policy_takes_the_place_of_the_first() {
        let file = "[eviction.random]\ndraws = 3\n";
        let root = after(file, &["eviction.lru={}"]);
        assert_eq!(at(&root, "eviction.random"), None);
        assert!(at(&root, "eviction.lru").is_some());
        let root = after(file, &["eviction.random.draws=4"]);
        assert_eq!(at(&root, "eviction.random.draws"), Some(&Raw::Integer(4)));
        let root = after("eviction = \"lru\"", &["eviction.random.draws=4"]);
        assert_eq!(at(&root, "eviction.random.draws"), Some(&Raw::Integer(4)));
    }

    #[test]
    fn another_distribution_takes_the_place_of_the_first() {
        let file = "[costs]\nrun = { exponential = { mean = \"1 s\" }, max = \"9 s\" }\n";
        let root = after(file, &["costs.run.constant=2 s"]);
        assert_eq!(at(&root, "costs.run.exponential"), None);
        assert_eq!(at(&root, "costs.run.max"), Some(&Raw::Text("9 s".to_owned())));
    }

    #[test]
    fn lists_are_indexed_and_names_quoted() {
        let root = after(
            "[[prewarm]]\nkind = \"a\"\n",
            &["prewarm.0.kind=b", "costs.functions.\"x.y\".run=\"1 s\""],
        );
        let Some(Raw::List(items)) = at(&root, "prewarm") else { panic!("a list") };
        let Raw::Table(first) = &items[0].raw else { panic!("a table") };
        assert_eq!(first.find("kind").map(|entry| &entry.node.raw), Some(&Raw::Text("b".to_owned())));
        let Some(Raw::Table(functions)) = at(&root, "costs.functions") else { panic!("a table") };
        assert!(functions.find("x.y").is_some());
    }

    #[test]
    fn paths_that_undo_each_other() {
        let exclude = |one: &str, other: &str| {
            exclude_each_other(&segments(one).expect("a path"), &segments(other).expect("a path"))
        };
        assert!(exclude("eviction", "eviction.random.draws"));
        assert!(exclude("eviction.lru", "eviction.random.draws"));
        assert!(exclude("costs.run.constant", "costs.run.exponential.mean"));
        assert!(exclude("seed", "seed"));
        assert!(!exclude("eviction.random.draws", "keep-alive.fixed.keep"));
        assert!(!exclude("trace.path", "trace.limit"));
    }

    #[test]
    fn what_cannot_be_set_says_so() {
        let mut root = parse("[[prewarm]]\nkind = \"a\"\n", "test").expect("TOML");
        for path in ["prewarm.1.kind", "prewarm.kind", "a b", "", "a..b", "x = 1\ny"] {
            assert!(Override::new(path, "1").apply(&mut root, 0).is_err(), "{path}");
        }
        assert!(Override::new("a", "[1").apply(&mut root, 0).is_err());
        assert!("seed".parse::<Override>().is_err());
        assert!("=7".parse::<Override>().is_err());
    }
}
