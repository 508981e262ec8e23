//! The summary for a person, at most 80 columns wide. Owns wording and layout; must never show a
//! figure that the JSON summary does not have.

use std::fmt::Write as _;

use crate::artifact::{Metrics, Report};
use crate::tally::{Percentiles, Summary};
use crate::time::Span;

/// What stands above the figures.
#[derive(Clone, Debug, Default)]
pub struct Heading {
    /// Name of the scenario.
    pub name: String,
    /// The question it answers.
    pub question: Option<String>,
    /// Trace, pool, rules and so on, one line each.
    pub lines: Vec<String>,
}

/// How fast the run was.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Speed {
    /// Wall time of the replay in s, loading excluded.
    pub wall_s: f64,
    /// Invocations replayed.
    pub invocations: u64,
}

impl Speed {
    /// Invocations per second of wall time.
    pub fn per_second(&self) -> f64 {
        self.invocations as f64 / self.wall_s.max(1e-9)
    }
}

/// The summary of a simulated run.
pub fn summary_text(heading: &Heading, summary: &Summary, speed: Speed) -> String {
    let mut out = heading_text(heading);
    figures(&mut out, summary);
    speed_line(&mut out, summary.simulated_s, speed);
    out
}

/// What every run of a pool has to tell.
pub(super) fn figures(out: &mut String, summary: &Summary) {
    invocations(out, summary);
    causes(out, summary);
    times(out, summary);
    memory(out, summary);
}

/// Name, question and lines, and a blank line.
pub fn heading_text(heading: &Heading) -> String {
    let mut out = String::new();
    line(&mut out, &heading.name);
    if let Some(question) = &heading.question {
        line(&mut out, &format!("  {question}"));
    }
    for text in &heading.lines {
        line(&mut out, &format!("  {text}"));
    }
    out.push('\n');
    out
}

fn invocations(out: &mut String, summary: &Summary) {
    let s = summary;
    row(out, "invocations", s.invocations, "");
    row(out, "  warm", s.warm, &format!("{} of served", pct(s.warm_pct)));
    let detail = if s.starts.recreated > 0 {
        format!(", {} after an eviction", thousands(s.starts.recreated))
    } else {
        String::new()
    };
    row(out, "  cold", s.cold, &format!("{} of served{detail}", pct(s.cold_pct)));
    if s.partial > 0 {
        let prewarmed = s.starts.prewarmed + s.starts.recreated_prewarm;
        let joined = s.starts.warming + s.starts.warming_cold;
        let text = format!(
            "{} of served: {} prewarmed, {} joined a start",
            pct(s.partial_pct),
            thousands(prewarmed),
            thousands(joined)
        );
        row(out, "  partly cold", s.partial, &text);
    }
    row(out, "  dropped", s.dropped, &format!("{} of all{}", pct(s.dropped_pct), dropped(s)));
    row(out, "  waited", s.waited, &format!("{} of all, for room", pct(s.waited_pct)));
    for (name, count, text) in [
        ("  failed", s.failed, "answered with an error"),
        ("  never started", s.never_started, "answered with an error, their container never came up"),
        ("  lost", s.lost, "never answered"),
        ("  handed back", s.resubmitted, "by a container, and placed again"),
        ("  unserved", s.unserved, "still waiting at the end"),
    ] {
        if count > 0 {
            row(out, name, count, text);
        }
    }
    out.push('\n');
}

fn dropped(summary: &Summary) -> String {
    let parts: Vec<String> = [
        (summary.dropped_full, "no room"),
        (summary.dropped_too_large, "larger than the pool"),
        (summary.dropped_buffer_full, "run buffer full"),
    ]
    .into_iter()
    .filter(|(count, _)| *count > 0)
    .map(|(count, why)| format!("{} {why}", thousands(count)))
    .collect();
    if parts.is_empty() { String::new() } else { format!(": {}", parts.join(", ")) }
}

fn causes(out: &mut String, summary: &Summary) {
    let causes = &summary.causes;
    let total = causes.total();
    if total == 0 {
        return;
    }
    let top = match &causes.top_evictor {
        Some(name) => format!(", {} of them for {}", thousands(causes.by_top_evictor), short(name)),
        None => String::new(),
    };
    row(out, "why not warm", total, "");
    for (name, count, text) in [
        ("  evicted", causes.evicted, top.as_str()),
        ("  shrunk", causes.shrunk, " when the pool was made smaller"),
        ("  expired", causes.expired, ""),
        ("  all busy", causes.all_busy, ""),
        ("  first ever", causes.first, ""),
        ("  unloaded", causes.unloaded, " by a prewarm window"),
        ("  failed", causes.failed, " container"),
    ] {
        if count > 0 {
            row(out, name, count, &format!("{}{text}", pct(100.0 * count as f64 / total as f64)));
        }
    }
    out.push('\n');
}

fn times(out: &mut String, summary: &Summary) {
    line(
        out,
        &format!("{:<14}{:>10}{:>10}{:>10}{:>10}{:>10}{:>10}", "", "mean", "p50", "p90", "p95", "p99", "max"),
    );
    for (name, p) in [("wait", &summary.wait_ms), ("response", &summary.response_ms)] {
        let Percentiles { mean, p50, p90, p95, p99, max } = *p;
        let cells = [mean, p50, p90, p95, p99, max].map(|ms| format!("{:>10}", duration(ms))).concat();
        line(out, &format!("{name:<14}{cells}"));
    }
    line(
        out,
        &format!(
            "above all-warm: execution time by {}, response with waiting by {}",
            pct(summary.exec_increase_pct),
            pct(summary.response_increase_pct)
        ),
    );
    out.push('\n');
}

fn memory(out: &mut String, summary: &Summary) {
    let m = &summary.memory;
    let gib = |mib: f64| format!("{:.2}", mib / 1024.0);
    let prewarmed = match m.mean_prewarmed_mib {
        mib if mib > 0.0 => format!(", prewarmed {}", gib(mib)),
        _ => String::new(),
    };
    line(
        out,
        &format!(
            "memory GiB    pool {}, peak {}, mean {}: busy {}, idle {}{prewarmed}",
            gib(m.capacity_mib as f64),
            gib(m.peak_mib as f64),
            gib(m.mean_mib),
            gib(m.mean_busy_mib),
            gib(m.mean_idle_mib),
        ),
    );
    line(
        out,
        &format!("wasted        {} GiB·s held idle or prewarmed", thousands(m.idle_gib_s.round() as u64)),
    );
    if m.resizes > 0 {
        let saved = 100.0 * (1.0 - m.mean_capacity_mib / m.capacity_mib.max(1) as f64);
        let (mean, times) = (gib(m.mean_capacity_mib), thousands(m.resizes));
        let less =
            if saved >= 0.0 { format!("{} less", pct(saved)) } else { format!("{} more", pct(-saved)) };
        line(
            out,
            &format!("elastic       {mean} GiB on average, {less} than at first, changed {times} times"),
        );
    }
    let c = &summary.containers;
    let parts: Vec<String> = [
        ("created", c.created),
        ("most at once", u64::from(c.peak)),
        ("evicted", c.evicted),
        ("shrunk", c.shrunk),
        ("expired", c.expired),
        ("unloaded", c.unloaded),
        ("failed", c.failed),
        ("prewarmed", c.prewarmed),
        ("prewarms refused", c.prewarms_refused),
        ("prewarms expired", c.prewarms_expired),
    ]
    .into_iter()
    .filter(|(name, count)| *count > 0 || *name == "created")
    .map(|(name, count)| format!("{name} {}", thousands(count)))
    .collect();
    wrapped(out, "containers", &parts);
}

fn speed_line(out: &mut String, simulated_s: f64, speed: Speed) {
    let simulated = Span((simulated_s * 1e6) as u64);
    let rate = speed.per_second();
    let rate = if rate >= 1e6 { format!("{:.1} million", rate / 1e6) } else { thousands(rate as u64) };
    line(
        out,
        &format!("simulated     {} in {:.2} s: {rate} invocations/s", round_span(simulated), speed.wall_s),
    );
}

/// The summary of a run of the published simulator.
pub fn artifact_text(heading: &Heading, report: &Report, speed: Speed, simulated_s: f64) -> String {
    let mut out = heading_text(heading);
    let metrics = report.metrics();
    let counts = &report.counts;
    let share = |part: Option<f64>| part.map_or_else(|| "none".to_owned(), pct);
    row(&mut out, "invocations", counts.invocations(), "");
    row(&mut out, "  hits", counts.hits, "");
    row(&mut out, "  misses", counts.misses, &format!("{} of served (cold starts)", share(metrics.cold_pct)));
    row(&mut out, "  dropped", counts.dropped, &format!("{} of all", share(metrics.drop_pct)));
    row(&mut out, "evictions", counts.evictions, "");
    row(&mut out, "  for room", report.evict_pressure, "");
    row(&mut out, "  expired", report.evict_expired, "");
    if report.hist_unloads + report.prewarm_added + report.prewarm_rejected > 0 {
        row(&mut out, "HIST unloads", report.hist_unloads, "");
        row(
            &mut out,
            "HIST prewarms",
            report.prewarm_added,
            &format!("and {} refused", thousands(report.prewarm_rejected)),
        );
    }
    out.push('\n');
    metric_table(&mut out, &metrics);
    line(
        &mut out,
        &format!("memory        peak {:.0} MB in {} containers", report.peak_memory_mb, report.peak_pool),
    );
    speed_line(&mut out, simulated_s, speed);
    out
}

fn metric_table(out: &mut String, metrics: &Metrics) {
    let cell = |value: Option<f64>, unit: &str| {
        value.map_or_else(|| "none".to_owned(), |value| format!("{value:.2}{unit}"))
    };
    line(out, &format!("{:<34}{:>16}{:>16}", "", "as published", "roles put right"));
    for (name, published, fixed) in [
        (
            "increase of execution time",
            cell(metrics.exec_increase_pct_published, " %"),
            cell(metrics.exec_increase_pct_fixed, " %"),
        ),
        ("the same over total time", String::from("-"), cell(metrics.exec_increase_pct_total_time, " %")),
        ("weighted execution time", cell(metrics.wted_eat_ms_published, " ms"), String::from("-")),
        ("cold overhead per invocation", cell(metrics.server_cold_ms_published, " ms"), String::from("-")),
    ] {
        line(out, &format!("{name:<34}{published:>16}{fixed:>16}"));
    }
    out.push('\n');
}

fn row(out: &mut String, name: &str, count: u64, text: &str) {
    line(out, &format!("{name:<14}{:>14}  {text}", thousands(count)));
}

pub(super) fn line(out: &mut String, text: &str) {
    out.push_str(text.trim_end());
    out.push('\n');
}

/// A list that goes on below its first item where the line is full.
fn wrapped(out: &mut String, name: &str, parts: &[String]) {
    let mut text = format!("{name:<14}");
    let mut first = true;
    for part in parts {
        let separator = if first { "" } else { ", " };
        if text.chars().count() + separator.len() + part.len() > 78 {
            line(out, &format!("{text},"));
            text = format!("{:<14}{part}", "");
        } else {
            let _ = write!(text, "{separator}{part}");
        }
        first = false;
    }
    line(out, &text);
}

fn pct(value: f64) -> String {
    format!("{value:.2} %")
}

/// A duration in ms with the unit that suits it.
pub fn duration(ms: f64) -> String {
    match ms {
        ms if ms < 0.0005 => "0".to_owned(),
        ms if ms < 10.0 => format!("{ms:.2} ms"),
        ms if ms < 1_000.0 => format!("{ms:.0} ms"),
        ms if ms < 60_000.0 => format!("{:.2} s", ms / 1e3),
        ms if ms < 7_200_000.0 => format!("{:.1} min", ms / 6e4),
        ms => format!("{:.1} h", ms / 3.6e6),
    }
}

fn round_span(span: Span) -> String {
    match span.as_secs_f64() {
        s if s < 120.0 => format!("{s:.1} s"),
        s if s < 7_200.0 => format!("{:.1} min", s / 60.0),
        s if s < 172_800.0 => format!("{:.1} h", s / 3_600.0),
        s => format!("{:.1} d", s / 86_400.0),
    }
}

/// Names of functions may be hashes of 64 digits: the first twelve tell them apart for a reader.
pub fn short(name: &str) -> String {
    if name.chars().count() <= 24 { name.to_owned() } else { name.chars().take(12).chain(['…']).collect() }
}

/// A number of things: `1 function`, `1,348 functions`.
pub fn counted(number: u64, thing: &str) -> String {
    format!("{} {thing}{}", thousands(number), if number == 1 { "" } else { "s" })
}

/// A whole number with commas between thousands.
pub fn thousands(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (ix, digit) in digits.chars().enumerate() {
        if ix > 0 && (digits.len() - ix).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_for_people() {
        assert_eq!(thousands(0), "0");
        assert_eq!(thousands(999), "999");
        assert_eq!(thousands(1_348_162), "1,348,162");
        assert_eq!(duration(0.0), "0");
        assert_eq!(duration(1.5), "1.50 ms");
        assert_eq!(duration(65_000.0), "1.1 min");
        assert_eq!(short("9467f3a8269960c7cf5eb6be3010d6a7"), "9467f3a82699…");
    }

    #[test]
    fn long_lists_stay_within_the_page() {
        let mut out = String::new();
        let parts: Vec<String> = (0..9).map(|ix| format!("something {ix}23,456")).collect();
        wrapped(&mut out, "containers", &parts);
        assert!(out.lines().all(|line| line.chars().count() <= 80), "{out}");
    }
}
