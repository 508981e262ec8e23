//! `faassim trace sample`: fewer functions, a shorter time, another rate. Owns the order in which these are done:
//! time first, then functions, then rate.

use std::path::PathBuf;

use clap::Args;

use super::{ReadArgs, WriteArgs, trace_error};
use crate::error::{Diagnostic, Error};
use crate::scenario::DEFAULT_SEED;
use crate::suggest::nearest;
use crate::time::{Span, Time};
use crate::trace::Window;
use crate::trace::sample::{By, Cut};

/// Cut a trace: fewer functions, a shorter time, another rate
#[derive(Args, Debug)]
pub struct SampleArgs {
    /// The trace: a folder or file
    path: PathBuf,
    /// The folder to write, made if it is not there
    output: PathBuf,
    /// Keep so many of the functions that are invoked
    #[arg(long, value_name = "N")]
    functions: Option<usize>,
    /// Which: representative (equally many of each popularity quartile), random, rare, top
    #[arg(long, value_name = "HOW", requires = "functions", value_parser = by)]
    by: Option<By>,
    /// Leave out invocations before this, for example "1 h"
    #[arg(long, value_name = "TIME")]
    from: Option<Span>,
    /// Leave out invocations from here on
    #[arg(long, value_name = "TIME")]
    until: Option<Span>,
    /// Keep at most so many invocations
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    limit: Option<u64>,
    /// As many times as many invocations: below 1 some are left out, above 1 copies are added
    #[arg(long, value_name = "FACTOR", allow_negative_numbers = true)]
    rate: Option<f64>,
    #[command(flatten)]
    write: WriteArgs,
    #[command(flatten)]
    read: ReadArgs,
}

fn by(text: &str) -> Result<By, String> {
    By::NAMES.iter().find(|(name, _)| *name == text).map(|(_, by)| *by).ok_or_else(|| {
        let names = By::NAMES.map(|(name, _)| name);
        match nearest(text, names) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("there are {}", names.join(", ")),
        }
    })
}

pub(super) fn sample(args: &SampleArgs) -> Result<(), Error> {
    let nothing = args.functions.is_none() && args.rate.is_none();
    if nothing && args.from.is_none() && args.until.is_none() && args.limit.is_none() {
        let help = "give --functions, --from, --until, --limit or --rate; `faassim trace convert` copies";
        return Err(Error::usage(Diagnostic::new("nothing is to be left out").help(help)));
    }
    if let (Some(from), Some(until)) = (args.from, args.until)
        && from >= until
    {
        let message = format!("--until, {until}, is not after --from, {from}");
        return Err(Error::usage(Diagnostic::new(message).help("no invocation would be left")));
    }
    let spec = args.read.spec(&args.path)?;
    let seed = args.read.seed.as_ref().map_or(DEFAULT_SEED, |_| spec.reading.seed);
    let mut trace = args.read.load(&args.path)?;
    let window = Window {
        from: Time(args.from.unwrap_or(Span::ZERO).0),
        until: Time(args.until.unwrap_or(Span::FOREVER).0),
        limit: args.limit,
    };
    if window != Window::ALL {
        trace = trace.windowed(window).map_err(|error| trace_error(&error))?;
    }
    if let Some(functions) = args.functions {
        let cut = Cut { functions, by: args.by.unwrap_or_default(), seed };
        trace = trace.cut(cut).map_err(|error| trace_error(&error))?;
    }
    if let Some(rate) = args.rate {
        trace = trace.at_rate(rate, seed).map_err(|error| trace_error(&error))?;
    }
    args.write.write(&trace, Some(&args.path), &args.output)
}
