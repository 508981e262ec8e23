//! `faassim policies`: which policies and rules there are. Owns their presentation; what is presented
//! comes from the registry and the table of knobs.

use clap::Args;

use super::layout::{WIDTH, entry, wrap};
use super::print;
use crate::artifact;
use crate::error::{Diagnostic, Error};
use crate::policy::{EvictionPolicy, KeepAlivePolicy};
use crate::pool::rules::PRESETS;
use crate::scenario::{KNOBS, Knob, Registered, find_policy};
use crate::suggest::nearest;

/// List the policies, or tell all about one of them
#[derive(Args, Debug)]
pub struct PoliciesArgs {
    /// A policy: its parameters and where it comes from
    pub name: Option<String>,
    /// List the rules of the platform instead, with their presets
    #[arg(long, conflicts_with = "name")]
    pub rules: bool,
}

/// Prints what is asked for.
///
/// # Errors
/// A usage error for a policy that does not exist.
pub fn policies(args: &PoliciesArgs) -> Result<(), Error> {
    match &args.name {
        Some(name) => print(&one(name)?),
        None if args.rules => print(&rules()),
        None => print(&all()),
    }
}

/// Column in which descriptions begin.
const INDENT: usize = 20;

/// The table of all policies.
fn all() -> String {
    let mut text = String::new();
    text.push_str(&family::<EvictionPolicy>("Eviction: who goes when memory is short"));
    text.push('\n');
    text.push_str(&family::<KeepAlivePolicy>("Keep-alive: how long idle containers stay"));
    text.push_str("\nPublished FaasCache simulator, [faascache-artifact] policy = \"NAME\"\n");
    text.push_str(&entry("", 2, &artifact::Policy::ALL.map(artifact::Policy::name).join(" ")));
    text.push_str("\n`faassim policies NAME` shows parameters, `faassim policies --rules` the rules.\n");
    text
}

fn family<P: Registered>(title: &str) -> String {
    let mut text = format!("{title}, [{}.NAME]\n", P::TABLE);
    for policy in P::ALL {
        let label = format!("  {}", policy.name());
        text.push_str(&entry(&label, INDENT, policy.summary()));
        text.push_str(&entry("", INDENT, policy.source()));
    }
    text
}

/// Everything about one policy, or about both if two kinds share a name.
fn one(name: &str) -> Result<String, Error> {
    let found =
        [find_policy::<EvictionPolicy>(name).map(details), find_policy::<KeepAlivePolicy>(name).map(details)];
    let found: Vec<String> = found.into_iter().flatten().collect();
    if !found.is_empty() {
        return Ok(found.join("\n"));
    }
    let names = EvictionPolicy::ALL.iter().map(Registered::name);
    let names = names.chain(KeepAlivePolicy::ALL.iter().map(Registered::name));
    let suggestion = match nearest(name, names) {
        Some(near) => format!("did you mean `{near}`? "),
        None => String::new(),
    };
    let unknown = Diagnostic::new(format!("unknown policy `{name}`"));
    Err(Error::usage(unknown.help(format!("{suggestion}`faassim policies` lists all"))))
}

fn details<P: Registered>(policy: &'static P) -> String {
    let mut text = format!("{}, {}\n", policy.name(), P::KIND);
    text.push_str(&entry("", 2, policy.summary()));
    text.push_str(&entry("", 2, &format!("Source: {}", policy.source())));
    text.push_str(&format!("\n[{}.{}]\n", P::TABLE, policy.name()));
    if policy.params().is_empty() {
        text.push_str("  no parameters\n");
    }
    for param in policy.params() {
        text.push_str(&entry(&format!("  {}", param.name), INDENT, param.help));
        text.push_str(&entry("", INDENT, &format!("default: {}", param.default)));
    }
    text
}

/// The rules: a table of the presets, then what each knob means.
fn rules() -> String {
    let mut text = String::from("Presets, [rules] preset = \"NAME\"\n");
    for preset in PRESETS {
        text.push_str(&entry(&format!("  {}", preset.name), INDENT, preset.summary));
        let usual = format!("eviction {}, keep-alive {}", preset.eviction, preset.keep);
        text.push_str(&entry("", INDENT, &usual));
    }
    text.push_str("\nKnobs, each of which may be set under [rules] beside the preset\n");
    text.push_str(&preset_table());
    text.push('\n');
    for knob in KNOBS {
        text.push_str(&meaning(knob));
    }
    text
}

/// One row per knob, one column per preset.
fn preset_table() -> String {
    let mut rows: Vec<Vec<String>> = vec![
        std::iter::once(String::new()).chain(PRESETS.iter().map(|preset| preset.name.to_owned())).collect(),
    ];
    for knob in KNOBS {
        let values = PRESETS.iter().map(|preset| knob.show(&preset.rules));
        rows.push(std::iter::once(knob.name.to_owned()).chain(values).collect());
    }
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..=PRESETS.len()).map(width).collect();
    let mut text = String::new();
    for row in &rows {
        let cells: Vec<String> =
            row.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}")).collect();
        text.push_str(cells.join(" ").trim_end());
        text.push('\n');
    }
    text
}

fn meaning(knob: &Knob) -> String {
    let mut text = String::new();
    for line in wrap(&format!("{} = {}", knob.name, knob.values()), WIDTH) {
        text.push_str(&line);
        text.push('\n');
    }
    text.push_str(&entry("", 4, knob.what));
    text.push_str(&entry("", 4, knob.source));
    text
}
