//! The sections of the page that tell of runs: what was run, headline figures, side by side, causes, measured phases, how to
//! make it again. Owns their order of words and rows; must never compute a figure.

use serde_json::Value;

use super::charts::{Bar, area_legend, bars};
use super::html::Html;
use super::metrics::{GROUPS, HEADLINES, Metric, NONE};
use super::run::{Kind, RunView};
use super::tables::{begin_table, end_table};
use crate::memory::Memory;
use crate::results::{counted, duration, thousands};

/// The runs, and what they are called.
pub(super) struct Runs<'a> {
    pub runs: &'a [RunView],
    /// `A`, `B`, …
    pub letters: &'a [String],
    /// Letter and folder.
    pub labels: &'a [String],
}

/// A header row with the runs as columns.
fn run_heads(html: &mut Html, first: &str, runs: &Runs<'_>) {
    html.raw("<thead><tr>");
    html.leaf("th", &[("scope", "col")], first);
    for label in runs.labels {
        html.leaf("th", &[("scope", "col"), ("class", "n")], label);
    }
    html.raw("</tr></thead>");
}

// ----- what must be known -----

/// What must be known to read the figures, a sentence each.
pub(super) fn notes(runs: &Runs<'_>) -> Vec<String> {
    let mut notes = Vec::new();
    for (run, label) in runs.runs.iter().zip(runs.labels) {
        notes.extend(of_run(run).into_iter().map(|note| format!("{label}: {note}")));
    }
    let [first, others @ ..] = runs.runs else { return notes };
    for (other, letter) in others.iter().zip(&runs.letters[1..]) {
        let sha = |run: &RunView| run.manifest("trace.sha256");
        let sent = |run: &RunView| run.figure("invocations");
        if sha(other) != sha(first) {
            notes.push(format!(
                "{} and {letter} replayed different traces: they differ by more than their scenarios.",
                runs.letters[0]
            ));
        } else if let Some((this, that)) = sent(first).zip(sent(other)).filter(|(this, that)| this != that) {
            let (this, that) = (thousands(this as u64), thousands(that as u64));
            notes.push(format!(
                "{} had {this} invocations of the trace and {letter} {that}: counts cannot be compared, and shares only \
                 with care.",
                runs.letters[0]
            ));
        }
    }
    notes
}

fn of_run(run: &RunView) -> Vec<String> {
    let mut notes = Vec::new();
    if run.figure("waited_pct").is_some_and(|pct| pct > 50.0) {
        notes.push(
            "more than half of the activations waited for a container; waits decide the response times."
                .to_owned(),
        );
    }
    if run.figure("dropped_pct").is_some_and(|pct| pct > 50.0) {
        notes.push(
            "more than half of the activations were dropped; cold starts are those of the rest.".to_owned(),
        );
    }
    if run.figure("unserved").is_some_and(|count| count > 0.0) {
        notes.push("some activations were never served.".to_owned());
    }
    let Some(live) = run.live() else { return notes };
    if live.get("replay_agrees").and_then(Value::as_bool) == Some(false) {
        notes.push("replayed, its log leads to another order; figures end there.".to_owned());
    }
    match live.get("ended").filter(|ended| !ended.is_null()) {
        None => notes.push("the run was killed; figures are of what its log has.".to_owned()),
        Some(ended) => {
            let left = ended.get("leftovers").and_then(Value::as_array).map_or(0, Vec::len) as u64;
            if left > 0 {
                notes.push(format!(
                    "{} left behind; `faassim live --cleanup` removes them.",
                    counted(left, "thing")
                ));
            }
            let why = ended.get("why").and_then(Value::as_str).unwrap_or("done");
            if why != "done" {
                notes.push(format!("the run did not end by itself: {}.", ending(why)));
            }
        }
    }
    let lag = live.pointer("/measured/dispatch_lag_ms/p95").and_then(Value::as_f64).unwrap_or(0.0);
    if lag > 10.0 {
        notes.push(format!("arrivals were sent late, 5 % of them by more than {}.", duration(lag)));
    }
    notes
}

fn ending(why: &str) -> &str {
    match why {
        "done" => "by itself",
        "drained-too-long" => "work was still under way when the time for that was over",
        "stopped" => "stopped, what was under way has ended",
        "cut-short" => "cut short",
        "log-failed" => "the event log could not be written",
        other => other,
    }
}

// ----- what was run -----

/// What is told of a run besides figures.
fn facts(run: &RunView) -> Vec<(&'static str, Option<String>)> {
    let manifest = |path: &str| run.manifest(path);
    let count = |path: &str| manifest(path).and_then(|text| text.parse().ok()).map(thousands);
    let said = |key: &str| run.said(key).map(str::to_owned);
    let live = |path: &str| run.live().and_then(|live| live.pointer(path));
    let text = |path: &str| live(path).and_then(Value::as_str).map(str::to_owned);
    let machine = live("/machine/cpus")
        .and_then(Value::as_u64)
        .zip(live("/machine/memory_mib").and_then(Value::as_u64));
    let memory = run.figure("memory.capacity_mib").map(|mib| Memory(mib as u64).to_string());
    let resizes = run.figure("memory.resizes").filter(|resizes| *resizes > 0.0);
    let memory = memory.map(|memory| match resizes {
        Some(resizes) => format!("{memory} at first, changed {} times", thousands(resizes as u64)),
        None => memory,
    });
    let policy = match run.kind() {
        Kind::Published => said("policy"),
        _ => said("eviction"),
    };
    let trace = manifest("trace.path").map(|path| {
        let name = path.rsplit('/').next().unwrap_or_default().to_owned();
        let functions = count("trace.functions").unwrap_or_else(|| NONE.to_owned());
        format!(
            "{name}: {functions} functions, {} invocations",
            count("trace.invocations").unwrap_or_default()
        )
    });
    let ended = live("/ended/t").and_then(Value::as_f64).map(|us| {
        let why = live("/ended/why").and_then(Value::as_str).unwrap_or("done");
        format!("{}, after {}", ending(why), duration(us / 1e3))
    });
    vec![
        ("Scenario", manifest("name")),
        ("Kind", Some(run.kind().name().to_owned())),
        ("Backend", text("/backend")),
        ("Machine", machine.map(|(cpus, mib)| format!("{}, {}", counted(cpus, "processor"), Memory(mib)))),
        ("Started (UTC)", text("/started")),
        ("Ended", ended),
        ("Trace", trace),
        ("Pool", memory),
        ("Rules", said("rules")),
        ("Eviction", policy),
        ("Keep-alive", said("keep_alive")),
        ("Processors", said("cpu")),
        ("Seed", manifest("seed")),
        ("Set", Some(run.overrides().join(", ")).filter(|sets| !sets.is_empty())),
        ("Results", Some(run.folder().display().to_string())),
    ]
}

/// What was run.
pub(super) fn what_was_run(html: &mut Html, runs: &Runs<'_>) {
    html.raw("<section id=\"run\" aria-labelledby=\"run-h\"><h2 id=\"run-h\">What was run</h2>");
    let all: Vec<Vec<(&'static str, Option<String>)>> = runs.runs.iter().map(facts).collect();
    if let [facts] = all.as_slice() {
        html.raw("<dl class=\"facts\">");
        for (name, value) in facts {
            if let Some(value) = value {
                html.raw("<div>");
                html.leaf("dt", &[], name);
                html.leaf("dd", &[], value);
                html.raw("</div>");
            }
        }
        html.raw("</dl></section>");
        return;
    }
    begin_table(html, "run-table", "Settings; ≠ marks what is not the same in all runs", "texts", &[]);
    run_heads(html, "", runs);
    html.raw("<tbody>");
    for row in 0..all[0].len() {
        let values: Vec<Option<&str>> = all.iter().map(|facts| facts[row].1.as_deref()).collect();
        if values.iter().all(Option::is_none) {
            continue;
        }
        let (name, differs) = (all[0][row].0, values.iter().any(|value| *value != values[0]));
        html.open("tr", &[("class", if differs { "differs" } else { "" })]);
        html.open("th", &[("scope", "row")]);
        html.text(name);
        if differs {
            html.raw(" <span class=\"mark-differs\">≠</span>");
        }
        html.raw("</th>");
        for value in values {
            html.leaf("td", &[], value.unwrap_or(NONE));
        }
        html.raw("</tr>");
    }
    end_table(html);
    html.raw("</section>");
}

// ----- figures -----

/// The headline figures, then all.
pub(super) fn figures(html: &mut Html, runs: &Runs<'_>) {
    html.raw("<section id=\"figures\" aria-labelledby=\"figures-h\"><h2 id=\"figures-h\">");
    html.raw(if runs.runs.len() == 1 { "Headline figures" } else { "Side by side" });
    html.raw("</h2>");
    if let [run] = runs.runs {
        html.raw("<dl class=\"cards\">");
        for metric in HEADLINES.iter().filter(|metric| metric.is_told(runs.runs)) {
            html.raw("<div>");
            html.leaf("dt", &[], metric.name);
            html.open("dd", &[]);
            html.leaf("strong", &[], &metric.text(run));
            if let Some(interval) = metric.interval(run) {
                html.leaf("small", &[], &interval);
            }
            html.raw("</dd></div>");
        }
        html.raw("</dl>");
    } else {
        let caption = format!("Headline figures, and how they differ from {}", runs.labels[0]);
        figure_table(html, "headline-table", &caption, runs, &[("", &HEADLINES)]);
    }
    html.raw(
        "<p class=\"note\">Cold starts are of the served invocations. Their 95 % confidence interval is Wilson's, as if every \
         served invocation were an independent draw; arrivals come in bursts, so the true one is wider.</p>",
    );
    html.raw("<details><summary>All figures</summary>");
    figure_table(html, "all-figures", "All figures", runs, &GROUPS);
    html.raw("</details></section>");
}

fn figure_table(html: &mut Html, id: &str, caption: &str, runs: &Runs<'_>, groups: &[(&str, &[Metric])]) {
    begin_table(html, id, caption, "", &[]);
    run_heads(html, "Figure", runs);
    let columns = (runs.runs.len() + 1).to_string();
    html.raw("<tbody>");
    for (name, metrics) in groups {
        let told: Vec<&Metric> = metrics.iter().filter(|metric| metric.is_told(runs.runs)).collect();
        if told.is_empty() {
            continue;
        }
        if !name.is_empty() {
            html.raw("</tbody><tbody><tr>");
            html.leaf("th", &[("scope", "rowgroup"), ("colspan", &columns), ("class", "group")], name);
            html.raw("</tr>");
        }
        for metric in told {
            html.raw("<tr>");
            html.leaf("th", &[("scope", "row")], metric.name);
            for (nth, run) in runs.runs.iter().enumerate() {
                html.open("td", &[("class", "n")]);
                html.text(&metric.text(run));
                if let Some(interval) = metric.interval(run) {
                    html.raw(" ");
                    html.leaf("small", &[], &interval);
                }
                if let Some(difference) = metric.difference(run, &runs.runs[0]).filter(|_| nth > 0) {
                    html.raw(" ");
                    html.leaf("small", &[("class", "delta")], &difference);
                }
                html.raw("</td>");
            }
            html.raw("</tr>");
        }
    }
    end_table(html);
}

// ----- causes -----

/// Causes by key of the summary: what it is called, and the class of its colour.
const CAUSES: [(&str, &str, &str); 7] = [
    ("evicted", "evicted", "c0"),
    ("expired", "expired", "c1"),
    ("all_busy", "all busy", "c2"),
    ("first", "first ever", "c3"),
    ("shrunk", "shrunk", "c4"),
    ("unloaded", "unloaded", "c5"),
    ("failed", "failed", "c6"),
];

/// Why starts were not warm.
pub(super) fn causes(html: &mut Html, runs: &Runs<'_>) {
    let of = |run: &RunView, key: &str| run.figure(&format!("causes.{key}")).unwrap_or(0.0);
    let total = |run: &RunView| CAUSES.iter().map(|(key, ..)| of(run, key)).sum::<f64>();
    html.raw("<section id=\"causes\" aria-labelledby=\"causes-h\"><h2 id=\"causes-h\">Why starts were not warm</h2>");
    if runs.runs.iter().all(|run| total(run) == 0.0) {
        html.raw("<p>No run tells of a start that was not warm, with its cause.</p></section>");
        return;
    }
    let told: Vec<_> =
        CAUSES.into_iter().filter(|(key, ..)| runs.runs.iter().any(|run| of(run, key) > 0.0)).collect();
    let share = |run: &RunView, key: &str| of(run, key) / total(run).max(1.0);
    let stack: Vec<Bar> = runs
        .runs
        .iter()
        .zip(runs.labels)
        .map(|(run, label)| Bar {
            name: format!("{label}: {}", thousands(total(run) as u64)),
            parts: told
                .iter()
                .map(|(key, name, class)| {
                    (*class, format!("{name}: {:.2} %", 100.0 * share(run, key)), share(run, key))
                })
                .collect(),
        })
        .collect();
    let words = stack.iter().map(|bar| {
        let parts: Vec<&str> = bar.parts.iter().map(|(_, words, _)| words.as_str()).collect();
        format!("{} starts that were not warm; {}.", bar.name, parts.join(", "))
    });
    let words: Vec<String> = words.collect();
    html.raw("<figure class=\"wide\"><figcaption>Shares of causes</figcaption>");
    let legend: Vec<(&str, String)> =
        told.iter().map(|(_, name, class)| (*class, (*name).to_owned())).collect();
    let legend: Vec<(String, String)> =
        legend.into_iter().map(|(class, name)| (format!("part {class}"), name)).collect();
    let legend: Vec<(&str, String)> =
        legend.iter().map(|(class, name)| (class.as_str(), name.clone())).collect();
    area_legend(html, &legend);
    bars(html, "causes-bars", "Shares of causes of starts that were not warm", &words.join(" "), &stack);
    html.raw("</figure>");
    begin_table(html, "causes-table", "Starts that were not warm, by cause", "", &[]);
    run_heads(html, "Cause", runs);
    html.raw("<tbody>");
    for (key, name, _) in &told {
        html.raw("<tr>");
        html.leaf("th", &[("scope", "row")], name);
        for run in runs.runs {
            html.open("td", &[("class", "n")]);
            html.text(&thousands(of(run, key) as u64));
            html.raw(" ");
            html.leaf("small", &[], &format!("{:.2} %", 100.0 * share(run, key)));
            html.raw("</td>");
        }
        html.raw("</tr>");
    }
    end_table(html);
    html.raw(
        "<p class=\"note\">A start is charged to the latest loss of a container of its function that was not charged before: had that \
         been kept, it would have served.</p></section>",
    );
}

// ----- measured phases -----

/// What live runs measured; nothing if none of the runs is live.
pub(super) fn measured(html: &mut Html, runs: &Runs<'_>) {
    let live = || runs.runs.iter().zip(runs.labels).enumerate().filter(|(_, (run, _))| run.live().is_some());
    if live().next().is_none() {
        return;
    }
    html.raw(
        "<section id=\"measured\" aria-labelledby=\"measured-h\"><h2 id=\"measured-h\">Measured phases</h2>",
    );
    for (nth, (run, label)) in live() {
        let figures = run.live().and_then(|live| live.get("measured")).unwrap_or(&Value::Null);
        begin_table(html, &format!("measured-{nth}"), &format!("{label}: how long each phase took"), "", &[]);
        html.raw("<thead><tr><th scope=\"col\">Phase</th>");
        for name in ["Count", "Mean", "p50", "p95", "p99", "Max"] {
            html.leaf("th", &[("scope", "col"), ("class", "n")], name);
        }
        html.raw("</tr></thead><tbody>");
        for phase in figures.get("phases").and_then(Value::as_array).into_iter().flatten() {
            let name = phase.get("phase").and_then(Value::as_str).unwrap_or(NONE);
            let count = phase.get("count").and_then(Value::as_u64).map_or_else(|| NONE.to_owned(), thousands);
            phase_row(html, name, &count, phase.get("ms").unwrap_or(&Value::Null));
        }
        if let Some(lag) = figures.get("dispatch_lag_ms") {
            phase_row(html, "dispatch lag", NONE, lag);
        }
        end_table(html);
        if let Some(peak) = figures.get("container_memory_peak_mib").and_then(Value::as_f64) {
            html.leaf("p", &[], &format!("One container used up to {peak:.1} MiB."));
        }
        errors(html, nth, label, figures);
    }
    html.raw("</section>");
}

fn phase_row(html: &mut Html, name: &str, count: &str, ms: &Value) {
    html.raw("<tr>");
    html.leaf("th", &[("scope", "row")], name);
    html.leaf("td", &[("class", "n")], count);
    for key in ["mean", "p50", "p95", "p99", "max"] {
        let text = ms.get(key).and_then(Value::as_f64).map_or_else(|| NONE.to_owned(), duration);
        html.leaf("td", &[("class", "n")], &text);
    }
    html.raw("</tr>");
}

fn errors(html: &mut Html, nth: usize, label: &str, figures: &Value) {
    let errors = figures.get("errors").and_then(Value::as_array).filter(|errors| !errors.is_empty());
    let Some(errors) = errors else { return };
    begin_table(html, &format!("errors-{nth}"), &format!("{label}: what went wrong"), "texts", &[]);
    html.raw(
        "<thead><tr><th scope=\"col\">Error</th><th scope=\"col\" class=\"n\">Times</th></tr></thead><tbody>",
    );
    for error in errors {
        html.raw("<tr>");
        html.leaf("td", &[], error.get("error").and_then(Value::as_str).unwrap_or(NONE));
        let count = error.get("count").and_then(Value::as_u64).map_or_else(|| NONE.to_owned(), thousands);
        html.leaf("td", &[("class", "n")], &count);
        html.raw("</tr>");
    }
    end_table(html);
}

// ----- to make it again -----

/// Commands, scenarios, checksums.
pub(super) fn reproduce(html: &mut Html, runs: &Runs<'_>) {
    html.raw("<section id=\"again\" aria-labelledby=\"again-h\"><h2 id=\"again-h\">To make it again</h2>");
    for (run, label) in runs.runs.iter().zip(runs.labels) {
        if runs.runs.len() > 1 {
            html.leaf("h3", &[], label);
        }
        let told = |path: &str| run.manifest(path).unwrap_or_else(|| NONE.to_owned());
        let is_region =
            [("class", "scroll"), ("tabindex", "0"), ("role", "region"), ("aria-label", "Command")];
        html.open("pre", &is_region);
        html.leaf("code", &[], &told("command"));
        html.raw("</pre><dl class=\"facts\">");
        for (name, value) in [
            ("faassim", told("faassim")),
            ("Scenario file", told("scenario_file")),
            ("Trace", told("trace.path")),
            ("SHA-256 of the trace", told("trace.sha256")),
        ] {
            html.raw("<div>");
            html.leaf("dt", &[], name);
            html.leaf("dd", &[], &value);
            html.raw("</div>");
        }
        html.raw("</dl>");
        html.raw("<details><summary>The scenario");
        if runs.runs.len() > 1 {
            html.text(&format!(" of {label}"));
        }
        html.raw("</summary>");
        let is_region =
            [("class", "scroll"), ("tabindex", "0"), ("role", "region"), ("aria-label", "Scenario")];
        html.open("pre", &is_region);
        html.leaf("code", &[], &told("scenario"));
        html.raw("</pre></details>");
    }
    html.raw("</section>");
}
