//! `faassim trace generate`: synthetic traces by preset. Owns its options; the models are `trace::generate`'s.

use std::path::PathBuf;

use clap::Args;

use super::{WriteArgs, trace_error};
use crate::cli::layout::entry;
use crate::cli::loading::TraceBar;
use crate::cli::print;
use crate::error::{Diagnostic, Error};
use crate::scenario::DEFAULT_SEED;
use crate::time::Span;
use crate::trace::generate::{PRESETS, Wish, find, unknown};

/// Make a synthetic trace
#[derive(Args, Debug)]
pub struct GenerateArgs {
    /// The folder to write, made if it is not there [default: the preset's name]
    output: Option<PathBuf>,
    /// What kind of trace; --list tells which there are
    #[arg(long, value_name = "NAME", required_unless_present = "list")]
    preset: Option<String>,
    /// List the presets
    #[arg(long)]
    list: bool,
    /// How many functions
    #[arg(long, value_name = "N")]
    functions: Option<u32>,
    /// How many invocations, exactly
    #[arg(long, value_name = "N")]
    invocations: Option<u64>,
    /// How many days
    #[arg(long, value_name = "N", conflicts_with = "span", value_parser = clap::value_parser!(u32).range(1..=366))]
    days: Option<u32>,
    /// How long, for example "2 h"
    #[arg(long, value_name = "TIME")]
    span: Option<Span>,
    /// How uneven popularity is: the exponent of Zipf's law
    #[arg(long, value_name = "S", allow_negative_numbers = true)]
    zipf: Option<f64>,
    /// Of everything drawn
    #[arg(long, default_value_t = DEFAULT_SEED)]
    seed: u64,
    #[command(flatten)]
    write: WriteArgs,
}

/// Column in which descriptions begin.
const INDENT: usize = 18;

pub(super) fn generate(args: &GenerateArgs) -> Result<(), Error> {
    if args.list {
        return print(&list());
    }
    let name = args.preset.as_deref().unwrap_or_default();
    let preset = find(name).ok_or_else(|| {
        let (fault, help) = unknown(name);
        Error::usage(Diagnostic::new(fault).at("--preset").help(help))
    })?;
    let wish = Wish {
        functions: args.functions,
        invocations: args.invocations,
        span: args.days.map(|days| Span::from_secs(u64::from(days) * 86_400)).or(args.span),
        zipf: args.zipf,
        seed: args.seed,
    };
    let bar = TraceBar::default();
    let trace = preset.make(&wish, &bar).map_err(|error| trace_error(&error))?;
    bar.clear();
    let output = args.output.clone().unwrap_or_else(|| PathBuf::from(preset.name));
    args.write.write(&trace, None, &output)
}

fn list() -> String {
    let mut text = String::from("Presets, --preset NAME; the same seed gives the same bytes everywhere\n\n");
    for preset in PRESETS {
        text.push_str(&entry(&format!("  {}", preset.name), INDENT, preset.summary));
        let options: Vec<&str> = preset.heeds.iter().map(|heed| heed.option()).collect();
        if !options.is_empty() {
            text.push_str(&entry("", INDENT, &format!("takes {}", options.join(", "))));
        }
        text.push_str(&entry("", INDENT, preset.source));
    }
    text
}
