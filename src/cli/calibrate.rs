//! `faassim calibrate`: what a real platform costs. Owns nothing but which source is read; each has a file of its own.

mod keep_alive;
mod live;
mod openwhisk;
#[cfg(feature = "live")]
pub(super) mod probe;
pub(super) mod written;

use clap::{Args, Subcommand};

use crate::error::Error;

/// Learn costs from a real platform
#[derive(Args, Debug)]
#[command(arg_required_else_help = true)]
pub struct CalibrateArgs {
    #[command(subcommand)]
    command: CalibrateCommand,
}

#[derive(Subcommand, Debug)]
enum CalibrateCommand {
    KeepAlive(keep_alive::KeepAliveArgs),
    Live(live::LiveArgs),
    Openwhisk(openwhisk::OpenwhiskArgs),
}

/// Does what is asked for.
///
/// # Errors
/// A usage error for a wrong source, a run error if something cannot be written.
pub fn calibrate(args: &CalibrateArgs) -> Result<(), Error> {
    match &args.command {
        CalibrateCommand::KeepAlive(args) => keep_alive::keep_alive(args),
        CalibrateCommand::Live(args) => live::live(args),
        CalibrateCommand::Openwhisk(args) => {
            super::progress::catch_interrupts();
            openwhisk::openwhisk(args)
        }
    }
}
