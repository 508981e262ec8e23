//! `faassim trace`: looks at traces, converts, cuts, makes and checks them. Owns the options that all of these
//! share; each subcommand has a file of its own.

mod convert;
mod formats;
mod generate;
mod info;
mod info_text;
mod sample;
mod validate;

use std::path::Path;

use clap::{Args, Subcommand, ValueEnum};

use super::loading::{TraceBar, load_trace, trace_error};
use super::tell;
use crate::error::{Diagnostic, Error};
use crate::results::{counted, thousands};
use crate::scenario::{Override, TraceSpec};
use crate::trace::formats::Form;
use crate::trace::formats::columnar::write_parquet;
use crate::trace::formats::native::write_csv;
use crate::trace::{Compression, Trace};

/// Look at traces, convert, cut, generate and check them
#[derive(Args, Debug)]
#[command(arg_required_else_help = true)]
pub struct TraceArgs {
    #[command(subcommand)]
    command: TraceCommand,
}

#[derive(Subcommand, Debug)]
enum TraceCommand {
    Info(info::InfoArgs),
    Convert(convert::ConvertArgs),
    Sample(sample::SampleArgs),
    Generate(generate::GenerateArgs),
    Validate(validate::ValidateArgs),
    Formats(formats::FormatsArgs),
}

/// Does what is asked for.
///
/// # Errors
/// A usage error for a wrong trace or option, a run error if something cannot be written.
pub fn trace(args: &TraceArgs) -> Result<(), Error> {
    super::progress::catch_interrupts();
    match &args.command {
        TraceCommand::Info(args) => info::info(args),
        TraceCommand::Convert(args) => convert::convert(args),
        TraceCommand::Sample(args) => sample::sample(args),
        TraceCommand::Generate(args) => generate::generate(args),
        TraceCommand::Validate(args) => validate::validate(args),
        TraceCommand::Formats(args) => formats::formats(args),
    }
}

/// How a trace is read: the keys of `[trace]` in a scenario, as options.
#[derive(Args, Debug, Default)]
#[command(next_help_heading = "How the trace is read (as the keys of [trace] in a scenario)")]
struct ReadArgs {
    /// Its format, if it is not recognised; `faassim trace formats` lists all
    #[arg(long, value_name = "NAME")]
    format: Option<String>,
    /// Days of a data set with a file per day, for example 1-3,5
    #[arg(long, value_name = "DAYS")]
    days: Option<String>,
    /// What is kept alive as one: function, app
    #[arg(long, value_name = "UNIT")]
    unit: Option<String>,
    /// Memory that is known by app: divided over its functions, whole for each
    #[arg(long, value_name = "HOW")]
    app_memory: Option<String>,
    /// Run time of functions: average, percentiles, or a duration such as "100 ms"
    #[arg(long, value_name = "HOW")]
    run_time: Option<String>,
    /// What a cold start adds: maximum (longest run less average), or a duration such as "1 s"
    #[arg(long, value_name = "HOW")]
    cold_start: Option<String>,
    /// Functions without run time or memory: fill, drop
    #[arg(long, value_name = "HOW")]
    incomplete: Option<String>,
    /// Memory of functions whose format tells none
    #[arg(long, value_name = "MEMORY")]
    function_memory: Option<String>,
    /// How counts become arrivals: by-trigger, equidistant, staggered, uniform, poisson
    #[arg(long, value_name = "HOW")]
    arrivals: Option<String>,
    /// Of what is drawn while reading [default: 1]
    #[arg(long, value_name = "SEED")]
    seed: Option<String>,
}

impl ReadArgs {
    fn spec(&self, path: &Path) -> Result<TraceSpec, Error> {
        let given = [
            ("format", &self.format),
            ("days", &self.days),
            ("unit", &self.unit),
            ("app-memory", &self.app_memory),
            ("run-time", &self.run_time),
            ("cold-start", &self.cold_start),
            ("incomplete", &self.incomplete),
            ("function-memory", &self.function_memory),
            ("arrivals", &self.arrivals),
            ("seed", &self.seed),
        ];
        let options: Vec<Override> =
            given.iter().filter_map(|(key, value)| Some(Override::new(*key, value.as_ref()?))).collect();
        TraceSpec::from_options(path, &options)
    }

    /// Reads the trace and tells what was noted.
    fn load(&self, path: &Path) -> Result<Trace, Error> {
        let spec = self.spec(path)?;
        load_trace(&spec.path, &spec.reading)
    }
}

/// Where a trace is written, and how.
#[derive(Args, Debug)]
#[command(next_help_heading = "How the trace is written")]
struct WriteArgs {
    /// Form of the files [default: parquet if the folder's name ends in .parquet, else csv]
    #[arg(long, value_name = "FORM")]
    to: Option<FileForm>,
    /// Packing of CSV files of invocations or counts
    #[arg(long, value_name = "HOW", default_value = "zstd")]
    pack: Packing,
    /// Write invocations one by one even if the trace holds counts
    #[arg(long)]
    expand: bool,
}

#[derive(ValueEnum, Clone, Copy, PartialEq, Eq, Debug)]
enum FileForm {
    Csv,
    Parquet,
}

#[derive(ValueEnum, Clone, Copy, PartialEq, Eq, Debug)]
enum Packing {
    None,
    Gzip,
    Zstd,
}

impl WriteArgs {
    /// Writes a trace and tells where it is.
    ///
    /// `source`: where the trace comes from, which must not be written over.
    fn write(&self, trace: &Trace, source: Option<&Path>, dir: &Path) -> Result<(), Error> {
        let whole = |path: &Path| std::fs::canonicalize(path).ok();
        let target = whole(dir);
        let from = source.and_then(whole);
        let of_file =
            from.as_deref().filter(|path| path.is_file()).and_then(Path::parent).map(Path::to_owned);
        if target.is_some() && (target == from || target == of_file) {
            let message = format!("`{}` is where the trace is read from", dir.display());
            return Err(Error::usage(Diagnostic::new(message).help("write into another folder")));
        }
        let form = if self.expand { Form::Invocations } else { Form::AsHeld };
        let parquet = dir.extension().is_some_and(|ending| ending == "parquet");
        let inferred = if parquet { FileForm::Parquet } else { FileForm::Csv };
        let pack = match self.pack {
            Packing::None => Compression::None,
            Packing::Gzip => Compression::Gzip,
            Packing::Zstd => Compression::Zstd,
        };
        let bar = TraceBar::default();
        match self.to.unwrap_or(inferred) {
            FileForm::Csv => write_csv(trace, dir, pack, form, &bar),
            FileForm::Parquet => write_parquet(trace, dir, form, &bar),
        }
        .map_err(|error| unwritable(&error))?;
        bar.clear();
        let held = match (trace.counts(), self.expand) {
            (Some((counts, _)), false) => format!(" as {} counts", thousands(counts.nonzero() as u64)),
            _ => String::new(),
        };
        let (functions, invocations) =
            (counted(trace.functions.len() as u64, "function"), counted(trace.len() as u64, "invocation"));
        tell(&format!("{}: {functions}, {invocations}{held}", dir.display()));
        Ok(())
    }
}

/// A trace that cannot be written is no wrong usage, unless its place is taken.
fn unwritable(error: &crate::trace::TraceError) -> Error {
    if error.is_stop {
        return trace_error(error);
    }
    let diagnostic = Diagnostic::from(error);
    if error.message.starts_with("cannot be written") {
        Error::run(diagnostic)
    } else {
        Error::usage(diagnostic)
    }
}
