//! `faassim run`: replays a trace as a scenario says and tells what came of it. Owns its arguments.

use std::path::PathBuf;

use clap::Args;

use crate::error::{Diagnostic, Error};
use crate::scenario::{Override, Scenario};

/// Replay a trace as a scenario says, and print what came of it
#[derive(Args, Debug)]
pub struct RunArgs {
    /// The scenario, a TOML file
    pub file: PathBuf,
    /// Set a value of the scenario, for example pool.memory="8 GiB"; may be repeated
    #[arg(long, value_name = "PATH=VALUE")]
    pub set: Vec<Override>,
    /// Print the summary as JSON
    #[arg(long)]
    pub json: bool,
    /// Where results go [default: a folder under results/]
    #[arg(short, long, value_name = "DIR")]
    pub output: Option<PathBuf>,
    /// Write a table with a row per invocation
    #[arg(long)]
    pub invocations: bool,
    /// Write nothing, only print the summary
    #[arg(long, conflicts_with_all = ["output", "invocations"])]
    pub no_results: bool,
}

/// Replays the trace.
///
/// # Errors
/// A usage error for a wrong scenario or trace, a run error if results cannot be written.
pub fn run(args: &RunArgs) -> Result<(), Error> {
    let scenario = Scenario::load(&args.file, &args.set)?;
    let what = Diagnostic::new("the scenario is fine, but this build has no simulator");
    Err(Error::run(what.at(scenario.file.display().to_string())))
}
