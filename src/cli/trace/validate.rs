//! `faassim trace validate`: everything that is wrong with traces. Owns how many faults are told; finding them is
//! the readers'.

use std::path::PathBuf;

use clap::Args;

use super::{ReadArgs, trace_error};
use crate::cli::loading::TraceBar;
use crate::cli::{print, tell};
use crate::error::{Diagnostic, Error, Kind};
use crate::results::counted;
use crate::trace::Context;
use crate::trace::formats;

/// Read traces from end to end and tell everything that is wrong
#[derive(Args, Debug)]
pub struct ValidateArgs {
    /// The traces: folders or files
    #[arg(required = true)]
    paths: Vec<PathBuf>,
    /// Stop after so many faults of one trace
    #[arg(long, value_name = "N", default_value_t = 20)]
    most: usize,
    #[command(flatten)]
    read: ReadArgs,
}

pub(super) fn validate(args: &ValidateArgs) -> Result<(), Error> {
    let mut wrong = Vec::new();
    for path in &args.paths {
        let spec = args.read.spec(path)?;
        let bar = TraceBar::default();
        let mut context = Context::collecting(&bar, args.most.max(1));
        let format = match spec.reading.format {
            Some(format) => Ok(format),
            None => formats::recognise(path),
        };
        let read = format.and_then(|format| Ok((format, formats::read(path, &spec.reading, &mut context)?)));
        let (notes, faults) = (std::mem::take(&mut context.notes), std::mem::take(&mut context.faults));
        bar.clear();
        for note in notes {
            tell(&format!("note: {}: {note}", path.display()));
        }
        wrong.extend(faults.iter().map(Diagnostic::from));
        match read {
            Ok((format, trace)) if faults.is_empty() => print(&format!(
                "{}: fine ({}, {}, {})\n",
                path.display(),
                format.name,
                counted(trace.functions.len() as u64, "function"),
                counted(trace.len() as u64, "invocation")
            ))?,
            // What was read around the faults is not the trace, and is not spoken of.
            Ok(_) => {}
            Err(error) if error.is_stop => return Err(trace_error(&error)),
            // After other faults, that nothing is left is no news.
            Err(error) if error.line.is_none() && !faults.is_empty() => {}
            Err(error) => wrong.push(Diagnostic::from(&error)),
        }
    }
    if wrong.is_empty() { Ok(()) } else { Err(Error::new(Kind::Usage, wrong)) }
}
