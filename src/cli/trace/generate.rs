//! stub
use crate::error::Error;
use clap::Args;
/// x
#[derive(Args, Debug)]
pub struct GenerateArgs {}
pub(super) fn generate(_args: &GenerateArgs) -> Result<(), Error> {
    Ok(())
}
