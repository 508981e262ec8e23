//! `faassim compare`: holds two records of what became of invocations against each other. Owns its arguments, what is
//! printed where and the exit code; the figures are `compare`'s, the text is `results`'.

pub(super) mod diverging;
mod load;
mod source;

use std::io::Write as _;
use std::path::{Path, PathBuf};

use clap::Args;

use self::load::load_sides;
use self::source::Source;
use super::progress::catch_interrupts;
use super::run::{held, pretty, quoted};
use super::{print, tell};
use crate::compare::{self, Comparison, Options};
use crate::error::{Diagnostic, Error, Kind};
use crate::results::{
    Folder, MANIFEST, compare_function_table, compare_text, divergence_text, exceeded, verdict_text,
};
use crate::scenario::{CompareSpec, Override, path_segments};

/// The figures in the folder of results.
pub(super) const COMPARISON: &str = "comparison.json";

/// Hold two records against each other: simulations, live runs, OpenWhisk logs, measured traces
///
/// A and B are each one of: a scenario, simulated on the spot; the results folder of a run or a live run; an event log; a trace
/// with measured cold starts; a CSV table of invocations; FOLDER:RUN or FOLDER:RUN:INVOKER of a recorded OpenWhisk cluster. A
/// is usually the prediction and B the measurement: differences are A less B, in per cent of B.
///
/// Limits come from the table `compare` of A's scenario, else in B's, and from --limit. Exit code 1 when one is exceeded.
#[derive(Args, Debug)]
pub struct CompareArgs {
    /// One record
    #[arg(value_name = "A")]
    pub a: String,
    /// The other
    #[arg(value_name = "B")]
    pub b: String,
    /// One more run of A, so that intervals come from a bootstrap over runs; may be repeated
    #[arg(long, value_name = "RUN")]
    pub repeat_a: Vec<String>,
    /// One more run of B; may be repeated
    #[arg(long, value_name = "RUN")]
    pub repeat_b: Vec<String>,
    /// Set a value of the scenarios that are simulated, or of the table `compare`; may be repeated
    #[arg(long, value_name = "PATH=VALUE")]
    pub set: Vec<Override>,
    /// Limit a figure, as the table `compare` does: for example cold-ratio-pp=1 or agreement-pct=95; may be repeated
    #[arg(long, value_name = "KEY=VALUE")]
    pub limit: Vec<Override>,
    /// Compare sides of different traces too, but not invocation by invocation
    #[arg(long)]
    pub different_workloads: bool,
    /// How many functions are listed: a number, or all
    #[arg(long, value_name = "NUMBER", default_value = "10", value_parser = parse_most)]
    pub functions: usize,
    /// Print everything as JSON
    #[arg(long)]
    pub json: bool,
    /// Write comparison.json, and functions.csv with a row per function, into a folder
    #[arg(short, long, value_name = "DIR")]
    pub output: Option<PathBuf>,
}

fn parse_most(text: &str) -> Result<usize, String> {
    match text {
        "all" => Ok(usize::MAX),
        number => number.parse().map_err(|_| "write a number, or all".to_owned()),
    }
}

/// Compares.
///
/// # Errors
/// A usage error for sides that cannot be read or do not belong together, a run error for limits that are exceeded.
pub fn compare(args: &CompareArgs) -> Result<(), Error> {
    catch_interrupts();
    // The target is claimed first: nobody should wait for figures that have no place to go.
    let folder = args.output.as_deref().map(claim).transpose()?;
    let (limits, sets): (Vec<Override>, Vec<Override>) = args
        .set
        .iter()
        .cloned()
        .partition(|set| path_segments(set.path()).first().is_some_and(|top| top == "compare"));
    let find = |first: &String, more: &[String]| -> Result<Vec<Source>, Error> {
        std::iter::once(first).chain(more).map(|given| Source::find(given, &sets)).collect()
    };
    let (a, b) = (find(&args.a, &args.repeat_a)?, find(&args.b, &args.repeat_b)?);
    if let Some(set) = sets.first()
        && !a.iter().chain(&b).any(Source::is_scenario)
    {
        let wrong = Diagnostic::new("neither side is a scenario that is simulated here");
        let help = "--set changes scenarios; results are what they are. [compare] can always be set";
        return Err(Error::usage(wrong.at(format!("--set {}", set.path())).help(help)));
    }
    let limits = limits_of(&a, &b, limits, &args.limit)?;
    let (sides_a, sides_b) = load_sides(&a, &b)?;
    let options = Options { limits, different_workloads: args.different_workloads };
    let mut found = compare::compare(&sides_a, &sides_b, &options).map_err(Error::usage)?;
    if found.same_workload {
        found.divergence = diverging::diverging((&a, &sides_a), (&b, &sides_b))?;
    }
    if let Some(folder) = folder {
        write(folder, args, &found)?;
    }
    print(&if args.json { pretty(&found)? } else { text(&found, args.functions) })?;
    if let (Some(target), false) = (&args.output, args.json) {
        tell(&format!("results are in {}", target.display()));
    }
    verdict(&found)
}

/// Two records held against each other for another command, by the limits of their scenarios.
///
/// # Errors
/// As [`fn@compare`].
pub(super) fn of_two(a: &str, b: &str) -> Result<Comparison, Error> {
    let (a, b) = ([Source::find(a, &[])?], [Source::find(b, &[])?]);
    let limits = limits_of(&a, &b, Vec::new(), &[])?;
    let (sides_a, sides_b) = load_sides(&a, &b)?;
    let options = Options { limits, different_workloads: false };
    let mut found = compare::compare(&sides_a, &sides_b, &options).map_err(Error::usage)?;
    found.divergence = diverging::diverging((&a, &sides_a), (&b, &sides_b))?;
    Ok(found)
}

/// A folder for the results, which must not take the place of a run's.
fn claim(target: &Path) -> Result<Folder, Error> {
    if target.join(MANIFEST).exists() && !target.join(COMPARISON).exists() {
        return Err(held(target, "other results, which a comparison would replace"));
    }
    Folder::create(target)
}

/// The limits of A's scenario, else of B's, then those that were given.
fn limits_of(
    a: &[Source],
    b: &[Source],
    sets: Vec<Override>,
    options: &[Override],
) -> Result<CompareSpec, Error> {
    let of_scenarios = |sources: &[Source]| -> Option<CompareSpec> {
        let mut specs = sources.iter().filter_map(|source| Some(source.scenario()?.compare.clone()));
        specs.find(|spec| !spec.is_empty())
    };
    let base = of_scenarios(a).or_else(|| of_scenarios(b)).unwrap_or_default();
    let options = options
        .iter()
        .map(|limit| Override::from_option("limit", format!("compare.{}", limit.path()), limit.value()));
    let given: Vec<Override> = sets.into_iter().chain(options).collect();
    Ok(base.overlaid(&CompareSpec::from_overrides(&given)?))
}

/// Everything there is to say, section by section.
pub(super) fn text(found: &Comparison, functions: usize) -> String {
    let mut sections = compare_text(found, functions);
    sections.extend(found.divergence.as_ref().map(divergence_text));
    sections.push(verdict_text(&found.verdict));
    sections.retain(|section| !section.is_empty());
    sections.join("\n")
}

fn write(folder: Folder, args: &CompareArgs, found: &Comparison) -> Result<(), Error> {
    let manifest = serde_json::json!({ "faassim": env!("CARGO_PKG_VERSION"), "command": command(args) });
    for (name, text) in [(COMPARISON, pretty(found)?), (MANIFEST, pretty(&manifest)?)] {
        folder.file(name, |out| out.write_all(text.as_bytes()))?;
    }
    let table = compare_function_table(&found.functions);
    folder.file("functions.csv", |out| table.write_csv(out))?;
    folder.finish()
}

/// The command that finds the same again.
fn command(args: &CompareArgs) -> String {
    let mut command = format!("faassim compare {} {}", quoted(&args.a), quoted(&args.b));
    let mut add = |option: &str, values: Vec<String>| {
        values.iter().for_each(|value| command.push_str(&format!(" {option} {}", quoted(value))));
    };
    add("--repeat-a", args.repeat_a.clone());
    add("--repeat-b", args.repeat_b.clone());
    add("--set", args.set.iter().map(ToString::to_string).collect());
    add("--limit", args.limit.iter().map(ToString::to_string).collect());
    if args.different_workloads {
        command.push_str(" --different-workloads");
    }
    command
}

/// The limits that are exceeded, as what the command ends with.
pub(super) fn verdict(found: &Comparison) -> Result<(), Error> {
    let told: Vec<Diagnostic> = found
        .verdict
        .limits
        .iter()
        .filter(|checked| !checked.kept)
        .map(|checked| Diagnostic::new(exceeded(checked)))
        .collect();
    if told.is_empty() { Ok(()) } else { Err(Error::new(Kind::Run, told)) }
}
