//! `faassim trace convert`: writes any trace in faassim's own form, CSV or Parquet. Must never change its content.

use std::path::PathBuf;

use clap::Args;

use super::{ReadArgs, WriteArgs};
use crate::error::Error;

/// Write a trace of any format as faassim's own CSV or Parquet
#[derive(Args, Debug)]
pub struct ConvertArgs {
    /// The trace: a folder or file
    path: PathBuf,
    /// The folder to write, made if it is not there
    output: PathBuf,
    #[command(flatten)]
    write: WriteArgs,
    #[command(flatten)]
    read: ReadArgs,
}

pub(super) fn convert(args: &ConvertArgs) -> Result<(), Error> {
    let trace = args.read.load(&args.path)?;
    args.write.write(&trace, Some(&args.path), &args.output)
}
