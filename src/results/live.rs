//! What a live run leaves behind beyond what every run does: measured phases, how it ended, what was left. Owns wording and
//! columns; must never compute a figure.

use super::report::{duration, figures, heading_text, line, thousands};
use super::{Column, Heading, Table, counted, invocation_table};
use crate::eventlog::phases::Phase;
use crate::eventlog::record::{Ended, Why};
use crate::eventlog::{PhaseFigures, Phases, Replayed};
use crate::tally::{Percentiles, Rows, Summary};

/// A row per invocation that ended: the simulator's columns, then what was measured.
pub fn live_invocation_table(rows: Rows, names: &[String], phases: &Phases) -> Table {
    let of: Vec<_> = rows.number.iter().map(|number| phases.of(*number)).collect();
    let mut table = invocation_table(rows, names);
    for phase in Phase::ALL {
        let ms = of.iter().map(|row| row.phases_us[phase as usize].map(|us| us as f64 / 1e3)).collect();
        table = table.with(format!("measured_{}_ms", phase.name()), Column::MaybeNumber(ms));
    }
    let mib = |bytes: Option<u64>| bytes.map(|bytes| bytes as f64 / (1024.0 * 1024.0));
    table
        .with("dispatch_lag_ms", Column::Number(of.iter().map(|row| row.lag_us as f64 / 1e3).collect()))
        .with("memory_used_mib", Column::MaybeNumber(of.iter().map(|row| mib(row.memory_bytes)).collect()))
        .with(
            "cpu_ms",
            Column::MaybeNumber(of.iter().map(|row| row.cpu_us.map(|us| us as f64 / 1e3)).collect()),
        )
}

/// The summary of a live run.
pub fn live_text(heading: &Heading, summary: &Summary, phases: &PhaseFigures, replayed: &Replayed) -> String {
    let mut out = heading_text(heading);
    figures(&mut out, summary);
    out.push('\n');
    measured(&mut out, phases);
    for error in phases.errors.iter().take(5) {
        let text = format!("{:>6} × {}", thousands(error.count), error.error);
        line(&mut out, &cut(&text, 79));
    }
    ending(&mut out, replayed);
    out
}

/// How a run ended, and what was left.
fn ending(out: &mut String, replayed: &Replayed) {
    let Some(ended) = &replayed.ended else {
        let at = replayed.at.as_secs_f64();
        return line(out, &format!("ended         KILLED after {at:.1} s: the log ends there"));
    };
    let Ended { t, why, removed, leftovers, .. } = ended;
    let why = match why {
        Why::Done => "by itself",
        Why::DrainedTooLong => "with work still under way",
        Why::Stopped => "stopped, what was under way has ended",
        Why::CutShort => "cut short",
        Why::LogFailed => "because the event log could not be written",
    };
    line(out, &format!("ended         {why} after {:.1} s", t.as_secs_f64()));
    let left = match leftovers.len() as u64 {
        0 => "nothing left".to_owned(),
        many => format!("{} LEFT", counted(many, "thing").to_uppercase()),
    };
    let removed = counted(*removed, "container");
    line(out, &format!("cleaned up    {removed} that were still there; {left}"));
}

fn measured(out: &mut String, figures: &PhaseFigures) {
    let head = format!(
        "{:<14}{:>10}{:>10}{:>10}{:>10}{:>10}{:>10}",
        "measured", "count", "mean", "p50", "p95", "p99", "max"
    );
    line(out, &head);
    let mut row = |name: &str, count: u64, ms: &Percentiles| {
        let Percentiles { mean, p50, p95, p99, max, .. } = *ms;
        let cells = [mean, p50, p95, p99, max].map(|ms| format!("{:>10}", duration(ms))).concat();
        line(out, &format!("  {name:<12}{:>10}{cells}", thousands(count)));
    };
    for figure in &figures.phases {
        row(figure.phase.name(), figure.count, &figure.ms);
    }
    let lag = &figures.dispatch_lag_ms;
    let cells =
        [lag.mean, lag.p50, lag.p95, lag.p99, lag.max].map(|ms| format!("{:>10}", duration(ms))).concat();
    line(out, &format!("{:<24}{cells}", "dispatch lag"));
    if let Some(peak) = figures.container_memory_peak_mib {
        line(out, &format!("memory used   up to {peak:.1} MiB in one container"));
    }
}

/// A line that is too long ends in dots.
fn cut(text: &str, width: usize) -> String {
    let text = text.replace('\n', " ");
    if text.chars().count() <= width { text } else { text.chars().take(width - 1).chain(['…']).collect() }
}
