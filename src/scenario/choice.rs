//! Which policy is used, with which parameters. Owns how `[eviction.NAME]` and `[keep-alive.NAME]` are
//! read; the names and parameters themselves belong to `policy::registry`.

use std::fmt;

use super::section::{Flaw, Problems, Section};
use super::tree::{Entry, Node, Origin, Raw, Table, quote};
use crate::policy::params::Value;
use crate::policy::registry::Making;
use crate::policy::{EVICTION, Evict, EvictionPolicy, KEEP_ALIVE, KeepAlive, KeepAlivePolicy, Param, Params};
use crate::suggest::nearest;

/// A policy and the parameters given to it.
#[derive(Debug)]
pub struct Choice<P: 'static> {
    /// Which.
    pub policy: &'static P,
    /// As given; what is not here is as documented.
    pub params: Vec<(String, Value)>,
}

// Not derived, because that would ask for `P: Clone`.
impl<P> Clone for Choice<P> {
    fn clone(&self) -> Choice<P> {
        Choice { policy: self.policy, params: self.params.clone() }
    }
}

impl Choice<EvictionPolicy> {
    /// Makes the policy for a run. The parameters have been checked when the scenario was read.
    pub fn make(&self, making: Making) -> Box<dyn Evict> {
        (self.policy.make)(&mut Params::new(self.policy.params, &self.params), making)
    }
}

impl Choice<KeepAlivePolicy> {
    /// Makes the policy for a run. The parameters have been checked when the scenario was read.
    pub fn make(&self, making: Making) -> Box<dyn KeepAlive> {
        (self.policy.make)(&mut Params::new(self.policy.params, &self.params), making)
    }
}

impl<P: Registered> fmt::Display for Choice<P> {
    /// `greedy-dual`, or `fixed (keep = 10 min)`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.policy.name())?;
        for (nth, (name, value)) in self.params.iter().enumerate() {
            write!(f, "{}{name} = {value}", if nth == 0 { " (" } else { ", " })?;
        }
        if self.params.is_empty() { Ok(()) } else { f.write_str(")") }
    }
}

/// What both kinds of policies have in the registry.
pub trait Registered: Sized + 'static {
    /// The table of a scenario in which one is chosen.
    const TABLE: &'static str;
    /// What one is called in a sentence.
    const KIND: &'static str;
    /// All of them.
    const ALL: &'static [Self];

    /// As written in a scenario.
    fn name(&self) -> &'static str;
    /// One line.
    fn summary(&self) -> &'static str;
    /// Where it comes from.
    fn source(&self) -> &'static str;
    /// What can be set.
    fn params(&self) -> &'static [Param];
    /// Reads all parameters, as making one does.
    fn try_params(&self, params: &mut Params<'_>, making: Making);
}

macro_rules! registered {
    ($policy:ty, $table:literal, $kind:literal, $all:expr) => {
        impl Registered for $policy {
            const TABLE: &'static str = $table;
            const KIND: &'static str = $kind;
            const ALL: &'static [$policy] = $all;

            fn name(&self) -> &'static str {
                self.name
            }
            fn summary(&self) -> &'static str {
                self.summary
            }
            fn source(&self) -> &'static str {
                self.source
            }
            fn params(&self) -> &'static [Param] {
                self.params
            }
            fn try_params(&self, params: &mut Params<'_>, making: Making) {
                drop((self.make)(params, making));
            }
        }
    };
}

registered!(EvictionPolicy, "eviction", "eviction policy", EVICTION);
registered!(KeepAlivePolicy, "keep-alive", "keep-alive policy", KEEP_ALIVE);

/// The policy called `name`.
pub fn find<P: Registered>(name: &str) -> Option<&'static P> {
    P::ALL.iter().find(|policy| policy.name() == name)
}

/// Reads the choice under [`Registered::TABLE`] of the whole scenario; nothing if there is none or it
/// is wrong.
pub(super) fn read<P: Registered>(
    top: &Section<'_>,
    making: Making,
    problems: &mut Problems,
) -> Option<Choice<P>> {
    let entry = top.find(P::TABLE)?;
    match &entry.node.raw {
        Raw::Text(name) => {
            let policy = lookup(name, &entry.node.origin, problems)?;
            Some(Choice { policy, params: Vec::new() })
        }
        Raw::Table(table) => {
            let chosen = single::<P>(entry, table, problems)?;
            read_params(chosen, making, problems)
        }
        _ => {
            let help =
                format!("write `{0} = \"NAME\"` or [{0}.NAME]; `faassim policies` lists all", P::TABLE);
            let flaw = Flaw::expected(&format!("an {}", P::KIND).replace("an k", "a k"), &entry.node);
            problems.push(&entry.node.origin, P::TABLE, flaw.help(help));
            None
        }
    }
}

/// The only entry of the table; errors for all others.
fn single<'t, P: Registered>(entry: &Entry, table: &'t Table, problems: &mut Problems) -> Option<&'t Entry> {
    let Some((first, more)) = table.entries.split_first() else {
        let help = format!("write `{0} = \"NAME\"` or [{0}.NAME]; `faassim policies` lists all", P::TABLE);
        problems.push(&entry.origin, "", Flaw::new(format!("[{}] names no policy", P::TABLE)).help(help));
        return None;
    };
    let is_table = |entry: &Entry| matches!(entry.node.raw, Raw::Table(_));
    if more.is_empty() || !table.entries.iter().all(is_table) {
        return Some(first);
    }
    let line = match &first.origin {
        Origin::Line(line) => format!(" (line {line})"),
        _ => String::new(),
    };
    for other in more {
        let (kinds, key) = (P::KIND.replace("policy", "policies"), quote(&first.key));
        let message = format!("two {kinds} at once: {key}{line} and {}", quote(&other.key));
        problems.push(&other.origin, "", Flaw::new(message).help("remove one of the two tables"));
    }
    for entry in &table.entries {
        lookup::<P>(&entry.key, &entry.origin, problems);
    }
    None
}

/// The policy called `name`, which stands at `origin`.
fn lookup<P: Registered>(name: &str, origin: &Origin, problems: &mut Problems) -> Option<&'static P> {
    let found = find::<P>(name);
    if found.is_none() {
        let names = P::ALL.iter().map(|policy| policy.name());
        let suggestion = match nearest(name, names) {
            Some(near) => format!("did you mean `{near}`? "),
            None => String::new(),
        };
        let flaw = Flaw::new(format!("unknown {} {}", P::KIND, quote(name)));
        problems.push(origin, "", flaw.help(format!("{suggestion}`faassim policies` lists all")));
    }
    found
}

/// The parameters in the table of one policy, checked by reading them as the policy does.
fn read_params<P: Registered>(entry: &Entry, making: Making, problems: &mut Problems) -> Option<Choice<P>> {
    let Raw::Table(table) = &entry.node.raw else {
        let (subject, flaw) = not_a_policy_table::<P>(entry);
        problems.push(&entry.origin, subject, flaw);
        return None;
    };
    let policy = lookup::<P>(&entry.key, &entry.origin, problems)?;
    let mut given = Vec::new();
    for param in &table.entries {
        let subject = format!("{}.{}.{}", P::TABLE, policy.name(), param.key);
        if !policy.params().iter().any(|known| known.name == param.key) {
            problems.push(&param.origin, "", unknown_param(policy, &param.key));
        } else if let Some(value) = param_value(&param.node) {
            given.push((param.key.clone(), value));
        } else {
            let flaw = Flaw::expected("a number, text, true or false", &param.node);
            problems.push(&param.node.origin, subject, flaw);
        }
    }
    let mut params = Params::new(policy.params(), &given);
    policy.try_params(&mut params, making);
    for error in params.into_errors() {
        let origin = table.find(&error.name).map_or(&entry.origin, |param| &param.node.origin);
        let subject = format!("{}.{}.{}", P::TABLE, policy.name(), error.name);
        problems.push(origin, subject, Flaw::advised(&error.message));
    }
    Some(Choice { policy, params: given })
}

/// What is under [`Registered::TABLE`] is not a table of parameters: the subject and what is wrong.
fn not_a_policy_table<P: Registered>(entry: &Entry) -> (String, Flaw) {
    if find::<P>(&entry.key).is_some() {
        let subject = format!("{}.{}", P::TABLE, entry.key);
        let help = format!("write [{subject}] and the parameters below it");
        return (subject, Flaw::expected("a table of parameters", &entry.node).help(help));
    }
    // Most likely `policy = "lru"` below `[eviction]`.
    let name = match &entry.node.raw {
        Raw::Text(text) if find::<P>(text).is_some() => text,
        _ => "NAME",
    };
    let flaw = Flaw::new(format!("[{}] takes no key {}", P::TABLE, quote(&entry.key)));
    let help = format!("write `{0} = \"{name}\"` at the top of the file, or [{0}.{name}]", P::TABLE);
    (String::new(), flaw.help(help))
}

fn param_value(node: &Node) -> Option<Value> {
    match &node.raw {
        Raw::Text(text) => Some(Value::Text(text.clone())),
        // Parameters are small numbers; beyond 2⁵³ the policy's own range check answers.
        Raw::Integer(number) => Some(Value::Number(*number as f64)),
        Raw::Float(number) => Some(Value::Number(*number)),
        Raw::Bool(flag) => Some(Value::Bool(*flag)),
        Raw::Date(_) | Raw::List(_) | Raw::Table(_) => None,
    }
}

fn unknown_param<P: Registered>(policy: &P, name: &str) -> Flaw {
    let names: Vec<&str> = policy.params().iter().map(|param| param.name).collect();
    let flaw = Flaw::new(format!("{} `{}` has no parameter {}", P::KIND, policy.name(), quote(name)));
    match (nearest(name, names.iter().copied()), names.is_empty()) {
        (Some(near), _) => flaw.help(format!("did you mean `{near}`?")),
        (None, true) => flaw.help("it has none; remove the line"),
        (None, false) => flaw.help(format!("it has: {}", names.join(", "))),
    }
}
