//! A digest of an OpenWhisk log as text and as JSON. Owns wording and columns; must never compute a figure.

use std::fmt::Write as _;
use std::io;

use serde_json::{Map, Value, json};

use crate::error::Error;
use crate::openwhisk::counted::CounterFigures;
use crate::openwhisk::digest::{Digest, Histogram, MEASURES, StartFigures};
use crate::openwhisk::logs::utc;
use crate::openwhisk::phases::{Activation, Fate, Phase};
use crate::pool::boundary::StartState;
use crate::results::{duration, thousands};

/// The tables, at most 80 columns wide.
pub(super) fn text(digest: &Digest) -> String {
    let mut out = String::new();
    head(&mut out, digest);
    for (start, figures) in starts(digest) {
        let mut title = format!("{} ({})", start.name(), thousands(figures.count));
        if figures.failed > 0 {
            let _ = write!(title, ", {} not well", thousands(figures.failed));
        }
        columns(&mut out, &title);
        for (measure, (histogram, errors)) in MEASURES.iter().zip(&figures.measures) {
            row(&mut out, measure.title, histogram, *errors);
        }
    }
    if digest.background.iter().any(|(histogram, errors)| !histogram.is_empty() || *errors > 0) {
        columns(&mut out, "in the background");
        for (phase, (histogram, errors)) in Phase::ALL.iter().zip(&digest.background) {
            row(&mut out, &phase.name().replace('_', " "), histogram, *errors);
        }
    }
    if digest.counters.lines > 0 {
        counters(&mut out, &digest.counters);
    }
    out
}

fn starts(digest: &Digest) -> impl Iterator<Item = (StartState, &StartFigures)> {
    StartState::ALL.into_iter().zip(&digest.starts).filter(|(_, figures)| figures.count > 0)
}

fn head(out: &mut String, digest: &Digest) {
    let lines = &digest.lines;
    let line = |out: &mut String, label: &str, text: &str| {
        let _ = writeln!(out, "{label:<14}{text}");
    };
    let of = if lines.files.len() == 1 { String::new() } else { format!(" in {} files", lines.files.len()) };
    let all = thousands(lines.lines);
    line(out, "lines", &format!("{all}{of}, {} of OpenWhisk's", thousands(lines.openwhisk)));
    let foreign: Vec<String> = [
        (lines.library, "of libraries"),
        (lines.other, "of other text"),
        (lines.not_text, "not UTF-8"),
        (lines.too_long, "too long"),
    ]
    .into_iter()
    .filter(|(count, _)| *count > 0)
    .map(|(count, what)| format!("{} {what}", thousands(count)))
    .collect();
    if !foreign.is_empty() {
        line(out, "  foreign", &foreign.join(", "));
    }
    if lines.truncated > 0 {
        line(out, "  cut off", &thousands(lines.truncated));
    }
    if let Some((from, to)) = lines.span {
        let length = duration((to - from) as f64);
        line(out, "time", &format!("{} to {} UTC ({length})", utc(from), utc(to)));
    }
    let fates = &digest.fates;
    let mut parts = vec![format!("{} complete", thousands(fates.complete))];
    for (count, what) in [
        (fates.failed, "of these not well"),
        (fates.unserved, "never placed"),
        (fates.incomplete, "incomplete"),
    ] {
        if count > 0 {
            parts.push(format!("{} {what}", thousands(count)));
        }
    }
    line(out, "activations", &parts.join(", "));
    if let Some(created) = digest.created {
        line(out, "containers", &format!("{} created", thousands(created)));
    }
}

fn columns(out: &mut String, title: &str) {
    let _ = writeln!(
        out,
        "\n{title:<26}{:>8}{:>10}{:>9}{:>9}{:>9}{:>8}",
        "count", "mean ms", "p50", "p95", "max", "errors"
    );
}

fn row(out: &mut String, title: &str, histogram: &Histogram, errors: u64) {
    if histogram.is_empty() && errors == 0 {
        return;
    }
    let cell = |ms: i64| if histogram.is_empty() { "–".to_owned() } else { ms.to_string() };
    let mean = if histogram.is_empty() { "–".to_owned() } else { format!("{:.1}", histogram.mean()) };
    let (p50, p95) = (cell(histogram.percentile(50)), cell(histogram.percentile(95)));
    let errors = if errors > 0 { errors.to_string() } else { String::new() };
    let line = format!(
        "  {title:<24}{:>8}{mean:>10}{p50:>9}{p95:>9}{:>9}{errors:>8}",
        histogram.count(),
        cell(histogram.max())
    );
    out.push_str(line.trim_end());
    out.push('\n');
}

fn counters(out: &mut String, figures: &CounterFigures) {
    let _ = writeln!(out, "\ncounters of the FaasCache fork");
    let mut line = |label: &str, count: u64, text: &str| {
        let _ = writeln!(out, "{}", format!("  {label:<24}{:>8}  {text}", thousands(count)).trim_end());
    };
    line("lines", figures.lines, "");
    line("cold starts", figures.cold, "since the first line");
    line("warm starts", figures.warm, "");
    for (label, count, text) in [
        ("neither", figures.uncounted, "prewarmed, or joining a start"),
        ("before", figures.before, "counted by the first line already"),
        ("evicted", figures.evicted, "containers"),
        ("restarts", figures.restarts, "of the server"),
    ] {
        if count > 0 {
            line(label, count, text);
        }
    }
    if figures.checked > 0 {
        let text = match figures.disagree {
            0 => "placement lines, all agree".to_owned(),
            many => format!("placement lines, {} DISAGREE", thousands(many)),
        };
        line("checked against", figures.checked, &text);
    }
}

/// All figures as JSON.
///
/// # Errors
/// Never in practice: everything has a JSON form.
pub(super) fn json(digest: &Digest) -> Result<String, Error> {
    let (lines, fates, odd, count) = (&digest.lines, &digest.fates, &digest.oddities, &digest.counters);
    let files: Vec<Value> = lines
        .files
        .iter()
        .map(|file| json!({ "file": file.file, "lines": file.lines, "openwhisk": file.openwhisk, "cut_short": file.is_cut_short }))
        .collect();
    let by_start: Map<String, Value> = starts(digest)
        .map(|(start, figures)| {
            let phases: Map<String, Value> = MEASURES
                .iter()
                .zip(&figures.measures)
                .filter(|(_, (histogram, errors))| !histogram.is_empty() || *errors > 0)
                .map(|(measure, figures)| (measure.key.to_owned(), distribution(figures)))
                .collect();
            let (count, failed, inferred) = (figures.count, figures.failed, figures.inferred);
            let value = json!({ "count": count, "failed": failed, "inferred": inferred, "phases": phases });
            (start.name().to_owned(), value)
        })
        .collect();
    let background: Map<String, Value> = Phase::ALL
        .iter()
        .zip(&digest.background)
        .filter(|(_, (histogram, errors))| !histogram.is_empty() || *errors > 0)
        .map(|(phase, figures)| (phase.name().to_owned(), distribution(figures)))
        .collect();
    let counters = (count.lines > 0).then(|| {
        json!({
            "lines": count.lines, "cut": count.cut, "cold": count.cold, "warm": count.warm,
            "uncounted": count.uncounted, "before": count.before, "together": count.together,
            "restarts": count.restarts, "sums_wrong": count.sums_wrong, "checked": count.checked,
            "disagree": count.disagree, "uncounted_placements": count.uncounted_placements,
            "unplaced_counts": count.unplaced_counts, "evicted": count.evicted,
        })
    });
    let value = json!({
        "files": files,
        "lines": {
            "all": lines.lines, "openwhisk": lines.openwhisk, "foreign": lines.foreign(),
            "library": lines.library, "other": lines.other, "not_utf8": lines.not_text,
            "too_long": lines.too_long, "truncated": lines.truncated, "backwards": lines.backwards,
            "most_backwards_ms": lines.most_backwards_ms,
        },
        "time": lines.span.map(|(from, to)| {
            json!({ "from": utc(from), "to": utc(to), "from_ms": from, "to_ms": to })
        }),
        "activations": {
            "complete": fates.complete, "failed": fates.failed, "inferred": fates.inferred,
            "unserved": fates.unserved, "incomplete": fates.incomplete, "given_up": odd.given_up,
            "duplicate_ids": odd.duplicate_ids, "shared_transactions": odd.shared_transactions,
            "placed_again": odd.placed_again,
        },
        "containers_created": digest.created,
        "starts": by_start,
        "background": background,
        "counters": counters,
    });
    let text = serde_json::to_string_pretty(&value)
        .map_err(|error| Error::run(format!("cannot write the figures as JSON: {error}")))?;
    Ok(text + "\n")
}

fn distribution((histogram, errors): &(Histogram, u64)) -> Value {
    json!({
        "count": histogram.count(),
        "mean_ms": histogram.mean(),
        "p50_ms": histogram.percentile(50),
        "p95_ms": histogram.percentile(95),
        "max_ms": histogram.max(),
        "errors": errors,
    })
}

/// One activation as a line of JSON: who it is, then its phase table.
pub(super) fn activation_line(
    out: &mut impl io::Write,
    activation: &Activation,
    fate: Fate,
) -> io::Result<()> {
    let fate = match fate {
        Fate::Complete => "complete",
        Fate::Unserved => "unserved",
        Fate::Incomplete => "incomplete",
    };
    let mut value = json!({
        "activation": activation.id,
        "transaction": activation.tid,
        "action": activation.path,
        "request": utc(activation.request_at),
        "fate": fate,
        "failed": activation.is_failed,
        "start_inferred": activation.is_inferred,
    });
    if let (Value::Object(all), Value::Object(phases)) = (&mut value, activation.phase_table()) {
        all.extend(phases);
    }
    serde_json::to_writer(&mut *out, &value)?;
    out.write_all(b"\n")
}
