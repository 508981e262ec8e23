//! The section that compares two records invocation by invocation. Owns what such a section holds; must never compute a figure
//! of a comparison, only show what it is given.

use super::html::Html;
use super::tables::{begin_table, end_table};
use crate::results::{counted, thousands};

/// A figure of both sides.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct ComparedRow {
    /// What it is.
    pub name: String,
    /// Of the first side, with its unit.
    pub a: String,
    /// Of the second.
    pub b: String,
    /// How they differ, if that can be said.
    pub difference: String,
}

/// How the sides served the same invocations.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct ConfusionView {
    /// Names of the classes, in the order of the counts.
    pub classes: Vec<String>,
    /// By class of the first side, then of the second.
    pub counts: Vec<Vec<u64>>,
    /// Invocations of which both say the same, in %.
    pub agreement_pct: f64,
    /// Cohen's kappa, where it is defined.
    pub kappa: Option<f64>,
}

/// One threshold.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct VerdictRow {
    /// What is bounded.
    pub name: String,
    /// What it is, with its unit.
    pub value: String,
    /// What it may be.
    pub threshold: String,
    /// Whether it is.
    pub holds: bool,
}

/// One invocation of which the sides say different things.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct DivergenceRow {
    /// Its number among all arrivals, from 0.
    pub number: u64,
    /// Its function.
    pub function: String,
    /// When it arrived, in s.
    pub at_s: f64,
    /// What the first side did.
    pub a: String,
    /// What the second did.
    pub b: String,
    /// The class of its cause.
    pub cause: String,
}

/// Where the sides first differ, with the pools of both at that instant.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct FirstDivergence {
    /// What happened, in a sentence or two.
    pub sentence: String,
    /// Columns of both pools.
    pub columns: Vec<String>,
    /// A row per container of the first side's pool.
    pub a: Vec<Vec<String>>,
    /// A row per container of the second's.
    pub b: Vec<Vec<String>>,
}

/// Two records, compared.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct ComparisonView {
    /// What the sides are called.
    pub sides: (String, String),
    /// What must be known to read the figures, a sentence each.
    pub notes: Vec<String>,
    /// Figures side by side.
    pub headline: Vec<ComparedRow>,
    /// Agreement by invocation, if invocations could be matched.
    pub confusion: Option<ConfusionView>,
    /// Thresholds; none if none were set.
    pub verdict: Vec<VerdictRow>,
    /// The first divergence, if there is any.
    pub first: Option<FirstDivergence>,
    /// Divergences by cause, most frequent first.
    pub causes: Vec<(String, u64)>,
    /// Divergences in order, as far as they are listed.
    pub divergences: Vec<DivergenceRow>,
    /// How many there are in all; `None` if nobody looked, as for sides without an event log.
    pub divergences_total: Option<u64>,
}

/// More divergences than these are not listed.
const MOST: usize = 1_000;
/// More containers than these are not listed.
const MOST_CONTAINERS: usize = 200;

/// Writes the section. `id`: unique on the page.
pub(super) fn write(html: &mut Html, id: &str, view: &ComparisonView) {
    let (a, b) = (&view.sides.0, &view.sides.1);
    html.open("section", &[("id", id), ("aria-labelledby", &format!("{id}-h"))]);
    html.leaf("h2", &[("id", &format!("{id}-h"))], &format!("Compared: {a} and {b}"));
    for note in &view.notes {
        html.leaf("p", &[("class", "note")], note);
    }
    verdict(html, id, view);
    if !view.headline.is_empty() {
        begin_table(html, &format!("{id}-figures"), "Both sides", "", &[]);
        heads(html, &["Figure", a, b, "Difference"], 1);
        html.raw("<tbody>");
        for row in &view.headline {
            html.raw("<tr>");
            html.leaf("th", &[("scope", "row")], &row.name);
            for text in [&row.a, &row.b, &row.difference] {
                html.leaf("td", &[("class", "n")], text);
            }
            html.raw("</tr>");
        }
        end_table(html);
    }
    if let Some(matrix) = &view.confusion {
        confusion(html, id, view, matrix);
    }
    if let Some(first) = &view.first {
        first_divergence(html, id, view, first);
    }
    if !view.causes.is_empty() {
        begin_table(html, &format!("{id}-causes"), "Divergences by cause", "narrow", &[]);
        heads(html, &["Cause", "Divergences"], 1);
        html.raw("<tbody>");
        for (cause, count) in &view.causes {
            html.raw("<tr>");
            html.leaf("th", &[("scope", "row")], cause);
            html.leaf("td", &[("class", "n")], &thousands(*count));
            html.raw("</tr>");
        }
        end_table(html);
    }
    divergences(html, id, view);
    html.raw("</section>");
}

/// A header row; from column `numbers` on they are numbers.
fn heads(html: &mut Html, names: &[&str], numbers: usize) {
    html.raw("<thead><tr>");
    for (nth, name) in names.iter().enumerate() {
        let class = if nth >= numbers { "n" } else { "" };
        html.leaf("th", &[("scope", "col"), ("class", class)], name);
    }
    html.raw("</tr></thead>");
}

fn verdict(html: &mut Html, id: &str, view: &ComparisonView) {
    if view.verdict.is_empty() {
        return;
    }
    let missed = view.verdict.iter().filter(|row| !row.holds).count() as u64;
    let (class, text) = match missed {
        0 => ("verdict holds", "Within all thresholds.".to_owned()),
        some => ("verdict missed", format!("Not within {}.", counted(some, "threshold"))),
    };
    html.leaf("p", &[("class", class)], &text);
    begin_table(html, &format!("{id}-verdict"), "Thresholds", "", &[]);
    heads(html, &["Figure", "Is", "May be", "Holds"], 1);
    html.raw("<tbody>");
    for row in &view.verdict {
        html.raw("<tr>");
        html.leaf("th", &[("scope", "row")], &row.name);
        html.leaf("td", &[("class", "n")], &row.value);
        html.leaf("td", &[("class", "n")], &row.threshold);
        html.leaf("td", &[("class", "n")], if row.holds { "yes" } else { "NO" });
        html.raw("</tr>");
    }
    end_table(html);
}

fn confusion(html: &mut Html, id: &str, view: &ComparisonView, matrix: &ConfusionView) {
    let kappa = matrix.kappa.map_or_else(String::new, |kappa| format!(", Cohen's kappa {kappa:.3}"));
    let text = format!("The sides agree on {:.2} % of the invocations{kappa}.", matrix.agreement_pct);
    html.leaf("p", &[], &text);
    let caption =
        format!("How invocations were served: rows by {}, columns by {}", view.sides.0, view.sides.1);
    begin_table(html, &format!("{id}-confusion"), &caption, "narrow", &[]);
    let mut names = vec![""];
    names.extend(matrix.classes.iter().map(String::as_str));
    heads(html, &names, 1);
    html.raw("<tbody>");
    for (nth, (class, counts)) in matrix.classes.iter().zip(&matrix.counts).enumerate() {
        html.raw("<tr>");
        html.leaf("th", &[("scope", "row")], class);
        for (column, count) in counts.iter().enumerate() {
            let class = if nth == column { "n same" } else { "n" };
            html.leaf("td", &[("class", class)], &thousands(*count));
        }
        html.raw("</tr>");
    }
    end_table(html);
}

fn first_divergence(html: &mut Html, id: &str, view: &ComparisonView, first: &FirstDivergence) {
    html.raw("<h3>The first divergence</h3>");
    html.leaf("p", &[], &first.sentence);
    html.raw("<div class=\"pair\">");
    for (which, (side, rows)) in
        [(&view.sides.0, &first.a), (&view.sides.1, &first.b)].into_iter().enumerate()
    {
        let caption = format!("Pool of {side}: {}", counted(rows.len() as u64, "container"));
        begin_table(html, &format!("{id}-pool-{which}"), &caption, "values", &[]);
        let names: Vec<&str> = first.columns.iter().map(String::as_str).collect();
        heads(html, &names, names.len());
        html.raw("<tbody>");
        for row in rows.iter().take(MOST_CONTAINERS) {
            html.raw("<tr>");
            for cell in row {
                html.leaf("td", &[], cell);
            }
            html.raw("</tr>");
        }
        end_table(html);
    }
    html.raw("</div>");
    let left = first.a.len().max(first.b.len()).saturating_sub(MOST_CONTAINERS);
    if left > 0 {
        let text = format!("Only the first {MOST_CONTAINERS} containers of a pool are listed.");
        html.leaf("p", &[("class", "note")], &text);
    }
}

fn divergences(html: &mut Html, id: &str, view: &ComparisonView) {
    let Some(total) = view.divergences_total else {
        html.raw("<p>Which decisions differ, and why, is told of a scenario against a live run.</p>");
        return;
    };
    if total == 0 && view.divergences.is_empty() {
        html.raw("<p>There is no divergence.</p>");
        return;
    }
    let listed = view.divergences.len().min(MOST);
    let total = total.max(listed as u64);
    let caption = match total == listed as u64 {
        true => counted(total, "divergence"),
        false => format!("The first {} of {}", thousands(listed as u64), counted(total, "divergence")),
    };
    begin_table(html, &format!("{id}-divergences"), &caption, "filtered", &[("data-filter", "divergences")]);
    html.raw("<thead><tr>");
    for (name, kind) in [
        ("Invocation", "number"),
        ("At, s", "number"),
        ("Function", "text"),
        (view.sides.0.as_str(), "text"),
        (view.sides.1.as_str(), "text"),
        ("Cause", "text"),
    ] {
        let class = if kind == "number" { "n" } else { "" };
        html.leaf("th", &[("scope", "col"), ("class", class), ("data-sort", kind)], name);
    }
    html.raw("</tr></thead><tbody>");
    for row in view.divergences.iter().take(MOST) {
        html.raw("<tr>");
        html.leaf("th", &[("scope", "row"), ("class", "n")], &thousands(row.number));
        html.leaf("td", &[("class", "n")], &format!("{:.3}", row.at_s));
        html.leaf("td", &[("class", "name")], &row.function);
        for text in [&row.a, &row.b, &row.cause] {
            html.leaf("td", &[], text);
        }
        html.raw("</tr>");
    }
    end_table(html);
}
