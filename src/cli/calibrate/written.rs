//! What every calibration leaves: a table on the screen, a costs file. Owns their form on the screen and that the file appears whole;
//! must never know where samples come from.

use std::fmt::Write as _;
use std::io::Write as _;
use std::path::Path;

use crate::calibrate::file::{Fitted, fitted};
use crate::calibrate::fit::LogNormalFit;
use crate::calibrate::{Provenance, Samples, contention, costs_file};
use crate::cli::files::{has_place, write_whole};
use crate::error::{Diagnostic, Error};
use crate::results::{counted, duration, layout, thousands};

/// What was fitted, as a table.
pub(in crate::cli) fn table(samples: &Samples) -> String {
    let mut out = format!(
        "{:<23}{:>8}{:>9}{:>9}{:>9}{:>9}  {}\n",
        "cost", "samples", "mean", "p50", "p95", "max", "model"
    );
    let all = fitted(samples);
    let mut last: Option<&String> = None;
    for Fitted { function, cost, fit } in &all {
        if function.as_ref() != last {
            let _ = writeln!(out, "{}", function.as_deref().unwrap_or(""));
        }
        last = function.as_ref();
        let log_normal = fit.log_normal.filter(LogNormalFit::fits);
        let model = if log_normal.is_some() { "log-normal" } else { "quantiles" };
        let cells =
            [fit.mean_us, fit.p50_us, fit.p95_us, fit.max_us].map(|us| format!("{:>9}", duration(us / 1e3)));
        let _ = writeln!(
            out,
            "  {:<21}{:>8}{}  {model}",
            cost.name(),
            thousands(fit.samples as u64),
            cells.concat()
        );
    }
    if let Some(stretch) = &samples.stretch {
        let demands: Vec<String> = contention::KINDS
            .iter()
            .zip(stretch.demands)
            .filter(|(_, demand)| *demand > 0.0)
            .map(|(kind, demand)| format!("{} {demand:.2}", kind.name()))
            .collect();
        let processors = counted(stretch.processors.into(), "processor");
        let explained = stretch.explained * 100.0;
        let text = format!("{processors}, of which take: {}; explains {explained:.0} %", demands.join(", "));
        out.push('\n');
        out.push_str(&layout::entry("contention", 14, &text));
    }
    out
}

/// That a costs file can be written under this name, asked before anybody waits for it: something else of this name is left
/// alone.
///
/// # Errors
/// A usage error if another file is there, or no folder for it.
pub(in crate::cli) fn claim(path: &Path) -> Result<(), Error> {
    has_place(path)?;
    let is_ours = |text: &str| text.contains("[calibration]") || text.trim().is_empty();
    if let Ok(before) = std::fs::read(path)
        && !is_ours(&String::from_utf8_lossy(&before))
    {
        let there = Diagnostic::new("is there already, and is no costs file").at(path.display().to_string());
        return Err(Error::usage(there.help("name another file with -o, or remove it first")));
    }
    Ok(())
}

/// Writes the costs file, whole or not at all.
///
/// # Errors
/// As [`claim`]; a run error if it cannot be written.
pub(in crate::cli) fn write(path: &Path, samples: &Samples, provenance: &Provenance) -> Result<(), Error> {
    claim(path)?;
    write_whole(path, |out| out.write_all(costs_file(samples, provenance).as_bytes()))
}
