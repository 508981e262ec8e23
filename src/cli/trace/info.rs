//! `faassim trace info`: what a trace is like. Owns its options; the figures are `trace::info`'s, the text is
//! `info_text`'s.

use std::path::PathBuf;

use clap::Args;

use super::ReadArgs;
use super::info_text::text;
use crate::cli::progress::Progress;
use crate::cli::{print, tell};
use crate::error::Error;
use crate::results::plot;
use crate::sim::Control as _;
use crate::time::Time;
use crate::trace::info::look_at;

/// Tell what a trace is like: load, popularity, regularity, memory, run times
#[derive(Args, Debug)]
pub struct InfoArgs {
    /// The trace: a folder or file
    path: PathBuf,
    /// Print the figures as JSON
    #[arg(long)]
    json: bool,
    /// Draw load, popularity, regularity, memory and run times into a file (.svg or .png)
    #[arg(long, value_name = "FILE")]
    plot: Option<PathBuf>,
    #[command(flatten)]
    read: ReadArgs,
}

pub(super) fn info(args: &InfoArgs) -> Result<(), Error> {
    // A file that cannot be drawn into is said before the trace is read.
    let target = args.plot.as_ref().map(|file| plot::Target::new(file)).transpose()?;
    let trace = args.read.load(&args.path)?;
    let mut progress = Progress::new(trace.len() as u64);
    let looked = look_at(&trace, |seen| progress.proceed(seen, Time::ZERO));
    drop(progress);
    let (info, curves) = looked.map_err(|_| Error::interrupted("stopped by Ctrl-C; nothing was written"))?;
    if let Some(target) = target {
        let file = target.file().display().to_string();
        plot::trace::draw(&info, &curves, target)?;
        tell(&format!("drawn into {file}"));
    }
    if args.json {
        let json = serde_json::to_string_pretty(&info)
            .map_err(|error| Error::run(format!("cannot write JSON: {error}")))?;
        return print(&(json + "\n"));
    }
    print(&text(&info))
}
