//! `faassim merge`: puts together what the parts of a sweep have found out. Owns its arguments and messages; what fits
//! together is decided by `sweep`.

use std::path::PathBuf;

use clap::Args;

use super::sweep::usual_target;
use super::{print, sweep_text, tell};
use crate::error::{Diagnostic, Error};
use crate::results::counted;
use crate::sweep::{Folder, Merged, Shard, latest, merge as put_together};

/// Put the parts of a sweep together into one table
///
/// The result is the same, byte for byte, as if the sweep had been done as a whole.
#[derive(Args, Debug)]
pub struct MergeArgs {
    /// Results folders of `faassim sweep --shard`
    #[arg(required = true, value_name = "DIR")]
    pub folders: Vec<PathBuf>,
    /// Where the whole goes [default: results/NAME-sweep, with the scenario's name]
    #[arg(short, long, value_name = "DIR")]
    pub output: Option<PathBuf>,
    /// Merge what is there even if runs are missing
    #[arg(long)]
    pub partial: bool,
    /// Print the rows as JSON
    #[arg(long)]
    pub json: bool,
}

/// Puts the parts together.
///
/// # Errors
/// A usage error if they do not fit together, a run error if runs are missing or failed.
pub fn merge(args: &MergeArgs) -> Result<(), Error> {
    let merged = put_together(&args.folders)?;
    if !merged.missing.is_empty() && !args.partial {
        return Err(incomplete(&merged));
    }
    let Merged { manifest, lines, .. } = &merged;
    let target = args.output.clone().unwrap_or_else(|| usual_target(&manifest.name, Shard::ALL));
    let (mut folder, before) = Folder::open(&target, manifest)?;
    let before = latest(before.lines, &manifest.grid);
    for (_, line) in lines.iter().filter(|(run, line)| before.get(run) != Some(line)) {
        folder.append(line)?;
    }
    let rows = merged.rows();
    folder.manifest(manifest)?;
    folder.tables(&rows)?;
    print(&if args.json { sweep_text::json(&rows)? } else { sweep_text::text(manifest, &rows) })?;
    if !args.json {
        tell(&format!("results are in {}", target.display()));
    }
    sweep_text::refuse_failed(&rows)
}

fn incomplete(merged: &Merged) -> Error {
    let missing = &merged.missing;
    let numbers: Vec<String> = missing.iter().take(8).map(ToString::to_string).collect();
    let more = if missing.len() > numbers.len() { ", …" } else { "" };
    let message = format!(
        "{} of {} missing: {}{more}",
        missing.len(),
        counted(merged.manifest.runs as u64, "run"),
        numbers.join(", ")
    );
    let help = "name the folders of all parts; a part that was stopped goes on when its command is given again; \
                --partial merges what is there";
    Error::run(Diagnostic::new(message).help(help))
}
