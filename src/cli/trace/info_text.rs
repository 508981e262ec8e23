//! The figures of a trace for a person, at most 80 columns wide. Owns wording and layout; must never show a
//! figure that the JSON does not have.

use std::fmt::Write as _;

use crate::results::{counted, thousands};
use crate::trace::info::{GapFigures, Info, PopularityFigures, Spread};

/// The whole text.
pub(super) fn text(info: &Info) -> String {
    let mut out = String::new();
    head(&mut out, info);
    load(&mut out, info);
    popularity(&mut out, info);
    regularity(&mut out, info);
    triggers(&mut out, info);
    quantiles(&mut out, info);
    out
}

fn head(out: &mut String, info: &Info) {
    let held = if info.counted { ", held as counts" } else { "" };
    let _ = writeln!(out, "{}{held}", info.name);
    let mut line = |label: &str, text: String| {
        let _ = writeln!(out, "  {label:<21}{text}");
    };
    let apps = if info.apps > 0 { format!(" of {}", counted(info.apps, "app")) } else { String::new() };
    let owners =
        if info.owners > 1 { format!(" and {} owners", thousands(info.owners)) } else { String::new() };
    line("functions", format!("{}{apps}{owners}", thousands(info.functions)));
    line("invocations", thousands(info.invocations));
    line("compulsory cold", format!("{} invoked at all", counted(info.compulsory_cold, "function")));
    let rate =
        if info.rate_per_s > 0.0 { format!(", {} a second", short(info.rate_per_s)) } else { String::new() };
    line("span", format!("{}{rate}", seconds(info.span_s)));
    line("working set", format!("{} for one container of each", memory(info.working_set_mib as f64)));
    let running = &info.running;
    line(
        "running, all warm",
        format!("{} at once on average, {} at most", short(running.mean), thousands(running.most)),
    );
    line(
        "memory of these",
        format!(
            "{} on average, {} at most",
            memory(running.mean_memory_mib),
            memory(running.most_memory_mib as f64)
        ),
    );
    if let Some(measured) = &info.measured {
        let cold_pct = 100.0 * measured.cold as f64 / info.invocations as f64;
        let text = format!(
            "{} cold starts ({cold_pct:.2} %) in {} containers",
            thousands(measured.cold),
            thousands(measured.containers)
        );
        line("measured", text);
    }
    let _ = writeln!(out, "  {:<21}{}", "sha256", &info.sha256[..info.sha256.len().min(32)]);
    out.push('\n');
}

fn load(out: &mut String, info: &Info) {
    let minutes = &info.minutes;
    let load = &minutes.load;
    let _ = writeln!(out, "load                   mean       sd      min      p50      p99      max");
    let _ = writeln!(
        out,
        "  per minute       {} {} {} {} {} {}",
        cell(load.mean),
        cell(load.sd.unwrap_or(0.0)),
        cell(load.at(0.0)),
        cell(load.at(50.0)),
        cell(load.at(99.0)),
        cell(load.at(100.0))
    );
    let busy = &minutes.busy;
    let _ = writeln!(
        out,
        "  function-minute  {} {:>8} {} {} {} {}",
        cell(busy.mean),
        "",
        cell(busy.at(0.0)),
        cell(busy.at(50.0)),
        cell(busy.at(99.0)),
        cell(busy.at(100.0))
    );
    let (hour, minute) = (minutes.busiest / 60 % 24, minutes.busiest % 60);
    let _ = writeln!(
        out,
        "  {:.2} % of function-minutes are idle; busiest minute {hour:02}:{minute:02}\n",
        minutes.idle_pct
    );
}

fn popularity(out: &mut String, info: &Info) {
    let mut lines = vec![("by function", &info.popularity)];
    lines.extend(info.app_popularity.as_ref().map(|popularity| ("by app", popularity)));
    const AT: [f64; 8] = [1.0, 10.0, 25.0, 50.0, 75.0, 90.0, 99.0, 100.0];
    let names = ["p1", "p10", "p25", "p50", "p75", "p90", "p99", "max"].map(|name| format!("{name:>8}"));
    let _ = writeln!(out, "{:<16}{}", "invocations", names.concat());
    for (label, figures) in &lines {
        let cells = AT.map(|at| cell(figures.invocations.at(at)));
        let _ = writeln!(out, "  {label:<14}{}", cells.concat());
    }
    let tops = TOPS.map(|top| format!("{top:>8}"));
    let _ = writeln!(out, "{:<16}{}", "% of the top", tops.concat());
    for (label, figures) in &lines {
        let cells = TOPS.map(|top| format!("{:>8}", share(figures, top)));
        let _ = writeln!(out, "  {label:<14}{}", cells.concat());
    }
    for (label, figures) in &lines {
        atoms(out, label, figures);
    }
    out.push('\n');
}

/// Tops that are shown, in order.
const TOPS: [&str; 7] = ["1", "3", "10", "100", "1 %", "5 %", "10 %"];

fn share(figures: &PopularityFigures, top: &str) -> String {
    let share = figures.top.iter().find(|share| share.top == top);
    share.map_or_else(|| "-".to_owned(), |share| format!("{:.1}", share.share_pct))
}

fn atoms(out: &mut String, label: &str, figures: &PopularityFigures) {
    let there = figures.atoms.iter().filter(|(count, number)| *number > 0 && *count > 1);
    let parts: Vec<String> =
        there.map(|(count, number)| format!("{count}: {}", thousands(*number))).collect();
    if parts.len() > 1 {
        for (nth, line) in crate::cli::layout::wrap(&parts.join(", "), 56).into_iter().enumerate() {
            let label = if nth == 0 { format!("{label}, exactly") } else { String::new() };
            let _ = writeln!(out, "  {label:<21}{line}");
        }
    }
}

fn regularity(out: &mut String, info: &Info) {
    let mut lines = vec![("by function", &info.gaps)];
    lines.extend(info.app_gaps.as_ref().map(|gaps| ("by app", gaps)));
    let lines: Vec<(&str, &GapFigures)> = lines.into_iter().filter(|(_, gaps)| gaps.cv.count > 0).collect();
    if lines.is_empty() {
        return;
    }
    let _ = writeln!(out, "CV of the gaps         p10     p25     p50     p75     p90     p99   above 1");
    for (label, gaps) in lines {
        let cells = [10.0, 25.0, 50.0, 75.0, 90.0, 99.0].map(|at| format!("{:>8.2}", gaps.cv.at(at)));
        let _ = writeln!(out, "  {label:<16}{}{:>8.1} %", cells.concat(), gaps.above_1_pct);
    }
    out.push('\n');
}

fn triggers(out: &mut String, info: &Info) {
    if info.triggers.is_empty() {
        return;
    }
    let _ = writeln!(out, "trigger           functions             invocations");
    for figure in &info.triggers {
        let pct = |part: u64, of: u64| 100.0 * part as f64 / of.max(1) as f64;
        let _ = writeln!(
            out,
            "  {:<14}{:>11} {:>5.1} % {:>15} {:>5.1} %",
            clipped(&figure.trigger, 14),
            thousands(figure.functions),
            pct(figure.functions, info.functions),
            thousands(figure.invocations),
            pct(figure.invocations, info.invocations)
        );
    }
    out.push('\n');
}

fn quantiles(out: &mut String, info: &Info) {
    let names = ["mean", "p5", "p25", "p50", "p75", "p95", "p99", "max"].map(|name| format!("{name:>8}"));
    let _ = writeln!(out, "{:<16}{}", "", names.concat());
    let mut line = |label: &str, spread: &Spread| {
        let cells =
            [5.0, 25.0, 50.0, 75.0, 95.0, 99.0, 100.0].map(|at| format!("{:>8}", short(spread.at(at))));
        let _ = writeln!(out, "{label:<16}{:>8}{}", short(spread.mean), cells.concat());
    };
    if let Some(functions) = &info.functions_per_app {
        line("functions of app", functions);
    }
    line("memory MiB", &info.memory_mib);
    if let Some(memory) = &info.app_memory_mib {
        line("  by app", memory);
    }
    line("warm run ms", &info.warm_ms);
    line("  by invocation", &info.run_ms);
    line("cold start ms", &info.cold_start_ms);
}

/// A number in eight columns.
fn cell(value: f64) -> String {
    format!("{:>8}", short(value))
}

/// A number in at most seven characters.
fn short(value: f64) -> String {
    let magnitude = value.abs();
    match magnitude {
        _ if magnitude >= 1e9 => format!("{:.2}G", value / 1e9),
        _ if magnitude >= 1e6 => format!("{:.2}M", value / 1e6),
        _ if magnitude >= 1e4 => format!("{:.1}k", value / 1e3),
        _ if magnitude >= 100.0 || value.fract() == 0.0 => format!("{value:.0}"),
        _ if magnitude >= 1.0 => format!("{value:.1}"),
        _ => format!("{value:.3}"),
    }
}

fn memory(mib: f64) -> String {
    match mib {
        _ if mib >= 1024.0 * 1024.0 => format!("{:.2} TiB", mib / 1024.0 / 1024.0),
        _ if mib >= 1024.0 => format!("{:.2} GiB", mib / 1024.0),
        _ => format!("{mib:.0} MiB"),
    }
}

fn seconds(seconds: f64) -> String {
    match seconds {
        _ if seconds >= 172_800.0 => format!("{:.2} days", seconds / 86_400.0),
        _ if seconds >= 7_200.0 => format!("{:.2} h", seconds / 3_600.0),
        _ if seconds >= 120.0 => format!("{:.1} min", seconds / 60.0),
        _ => format!("{seconds:.3} s"),
    }
}

fn clipped(text: &str, most: usize) -> String {
    if text.chars().count() <= most {
        return text.to_owned();
    }
    text.chars().take(most - 1).chain(['…']).collect()
}
