//! The command line: one file per command. Owns arguments, what is printed where and the exit code;
//! the work itself is done elsewhere.
//!
//! Results go to standard output, everything else to standard error. Exit codes: 0 done, 1 it could
//! not be done, 2 wrong usage or a wrong scenario, 130 interrupted.

pub mod calibrate;
pub mod check;
pub mod compare;
pub mod curve;
mod files;
#[cfg(feature = "live")]
pub mod live;
mod loading;
pub mod merge;
pub mod plot;
pub mod policies;
mod progress;
pub mod replay;
pub mod report;
pub mod results;
pub mod run;
pub mod sweep;
mod sweep_text;
pub mod trace;
#[cfg(feature = "live")]
pub mod validate;

use std::io::{self, Write};
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::error::Error;
use crate::results::layout;

/// How many cold starts, how much memory, how much latency has a FaaS worker?
#[derive(Parser, Debug)]
#[command(name = "faassim", version, arg_required_else_help = true, max_term_width = 100)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand, Debug)]
enum Command {
    Run(run::RunArgs),
    #[cfg(feature = "live")]
    Live(Box<live::LiveArgs>),
    #[cfg(not(feature = "live"))]
    #[command(hide = true, disable_help_flag = true)]
    Live {
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        _any: Vec<std::ffi::OsString>,
    },
    Calibrate(calibrate::CalibrateArgs),
    #[cfg(feature = "live")]
    Validate(validate::ValidateArgs),
    #[cfg(not(feature = "live"))]
    #[command(hide = true, disable_help_flag = true)]
    Validate {
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        _any: Vec<std::ffi::OsString>,
    },
    Sweep(sweep::SweepArgs),
    Merge(merge::MergeArgs),
    Check(check::CheckArgs),
    Plot(plot::PlotArgs),
    Curve(curve::CurveArgs),
    Policies(policies::PoliciesArgs),
    Trace(Box<trace::TraceArgs>),
    Replay(replay::ReplayArgs),
    Compare(Box<compare::CompareArgs>),
    Results(results::ResultsArgs),
    Report(report::ReportArgs),
}

/// Reads the arguments, does what they say and tells how it went.
pub fn main() -> ExitCode {
    let outcome = match Cli::parse().command {
        Command::Run(args) => run::run(&args),
        #[cfg(feature = "live")]
        Command::Live(args) => live::live(&args),
        #[cfg(not(feature = "live"))]
        Command::Live { .. } | Command::Validate { .. } => Err(Error::usage(
            crate::error::Diagnostic::new("this build has no live mode")
                .help("build with it: `cargo build --release` without --no-default-features"),
        )),
        #[cfg(feature = "live")]
        Command::Validate(args) => validate::validate(&args),
        Command::Calibrate(args) => calibrate::calibrate(&args),
        Command::Sweep(args) => sweep::sweep(&args),
        Command::Merge(args) => merge::merge(&args),
        Command::Check(args) => check::check(&args),
        Command::Plot(args) => plot::plot(&args),
        Command::Curve(args) => curve::curve(&args),
        Command::Policies(args) => policies::policies(&args),
        Command::Trace(args) => trace::trace(&args),
        Command::Replay(args) => replay::replay(&args),
        Command::Compare(args) => compare::compare(&args),
        Command::Results(args) => results::results(&args),
        Command::Report(args) => report::report(&args),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tell(&error.to_string());
            ExitCode::from(error.exit_code())
        }
    }
}

/// Prints a result. A reader that has seen enough and closed the pipe is no error.
///
/// # Errors
/// A run error if standard output cannot be written, as on a full disk.
pub fn print(text: &str) -> Result<(), Error> {
    let mut stdout = io::stdout().lock();
    match stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(Error::run(format!("cannot write to standard output: {error}")))
        }
        _ => Ok(()),
    }
}

/// Prints a line on standard error. There is nowhere to complain if that fails.
pub fn tell(line: &str) {
    let _ = writeln!(io::stderr(), "{line}");
}
