//! `faassim trace formats`: which formats are read. Owns their presentation; what is presented comes from the
//! registry.

use clap::Args;

use crate::cli::layout::entry;
use crate::cli::print;
use crate::error::Error;
use crate::trace::formats::FORMATS;

/// List the formats that are read
#[derive(Args, Debug)]
pub struct FormatsArgs {}

/// Column in which descriptions begin.
const INDENT: usize = 16;

pub(super) fn formats(_args: &FormatsArgs) -> Result<(), Error> {
    let mut text = String::from(
        "Formats, recognised by content; --format NAME or [trace] format = \"NAME\" if not.\n\
         Text files may be packed with gzip or zstd.\n\n",
    );
    for format in FORMATS {
        text.push_str(&entry(&format!("  {}", format.name), INDENT, format.summary));
        text.push_str(&entry("", INDENT, format.files));
        text.push_str(&entry("", INDENT, format.source));
    }
    print(&text)
}
