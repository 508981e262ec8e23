//! Tables: each in a box of its own that scrolls, with a caption. Owns that box, and the table of functions; must never cut a table
//! without saying so.

use std::collections::BTreeMap;

use super::html::{Attributes, Html};
use super::metrics::{NONE, signed};
use super::run::{COLUMNS, FunctionRow, RunView};
use crate::results::thousands;

/// Opens a table in a box that scrolls, also by keyboard. `class`: of the box.
pub(super) fn begin_table(
    html: &mut Html,
    id: &str,
    caption: &str,
    class: &'static str,
    attributes: Attributes<'_>,
) {
    let caption_id = format!("{id}-caption");
    let class = format!("scroll {class}");
    let labelled = ("aria-labelledby", caption_id.as_str());
    html.open("div", &[("class", class.trim_end()), ("role", "region"), ("tabindex", "0"), labelled]);
    html.open("table", &[&[("id", id)], attributes].concat());
    html.open("caption", &[("id", &caption_id)]);
    html.leaf("span", &[], caption);
    html.raw("</caption>");
}

/// Ends it, with its body.
pub(super) fn end_table(html: &mut Html) {
    html.raw("</tbody></table></div>");
}

// ----- functions -----

/// Most functions that are listed.
const MOST: usize = 2_000;
/// Most cells; a page of many runs lists fewer functions.
const MOST_CELLS: usize = 40_000;

/// What is shown of a function and a run when there are several runs.
const SHORT: [(usize, &str); 4] = [(1, "Invocations"), (2, "Cold"), (3, "Cold, %"), (7, "Mean response, ms")];
/// What is shown when there is one; the second only if there is any.
const FULL: [(usize, &str, bool); 8] = [
    (0, "Memory, MiB", true),
    (1, "Invocations", true),
    (2, "Cold", true),
    (3, "Cold, %", true),
    (4, "Dropped", false),
    (5, "Waited", false),
    (6, "Evicted", false),
    (7, "Mean response, ms", true),
];

/// A function in all runs.
struct Merged<'a> {
    name: &'a str,
    of: Vec<Option<&'a FunctionRow>>,
}

impl Merged<'_> {
    fn invocations(&self) -> f64 {
        self.of.iter().flatten().filter_map(|row| row.numbers[1]).sum()
    }
}

/// The functions of all runs, by name, in the order in which they come.
fn merged(runs: &[RunView]) -> Vec<Merged<'_>> {
    let mut places: BTreeMap<&str, usize> = BTreeMap::new();
    let mut all: Vec<Merged<'_>> = Vec::new();
    for (nth, run) in runs.iter().enumerate() {
        for row in run.functions().unwrap_or_default() {
            let place = *places.entry(&row.name).or_insert_with(|| {
                all.push(Merged { name: &row.name, of: vec![None; runs.len()] });
                all.len() - 1
            });
            all[place].of[nth] = Some(row);
        }
    }
    all
}

/// The table of functions; whether there is one.
pub(super) fn functions(html: &mut Html, runs: &[RunView], letters: &[String]) -> bool {
    let mut all = merged(runs);
    if all.is_empty() {
        return false;
    }
    let total = all.len();
    let columns = if runs.len() == 1 { FULL.len() } else { runs.len() * (SHORT.len() + 1) };
    let most = MOST.min(MOST_CELLS / columns);
    // Sorting is stable: of equals the first of the trace come first.
    all.sort_by(|a, b| b.invocations().total_cmp(&a.invocations()));
    all.truncate(most);
    let caption = match all.len() == total {
        true => format!("{} functions, most invoked first", thousands(total as u64)),
        false => format!(
            "The {} most invoked of {} functions; functions.csv has them all",
            thousands(all.len() as u64),
            thousands(total as u64)
        ),
    };
    begin_table(html, "functions-table", &caption, "filtered", &[("data-filter", "functions")]);
    if let [_] = runs {
        one(html, &all)
    } else {
        several(html, &all, letters)
    }
    end_table(html);
    html.raw("<p class=\"note print-only\">At most a hundred rows are printed.</p>");
    true
}

fn one(html: &mut Html, all: &[Merged<'_>]) {
    let any = |column: usize, wanted: &dyn Fn(f64) -> bool| {
        all.iter()
            .any(|function| function.of.iter().flatten().any(|row| row.numbers[column].is_some_and(wanted)))
    };
    let shown: Vec<(usize, &str)> = FULL
        .iter()
        .filter(|(column, _, always)| any(*column, &|value| *always || value != 0.0))
        .map(|(column, name, _)| (*column, *name))
        .collect();
    html.raw("<thead><tr>");
    head(html, "Function", "text");
    for (_, name) in &shown {
        head(html, name, "number");
    }
    html.raw("</tr></thead><tbody>");
    for function in all {
        html.raw("<tr>");
        html.leaf("th", &[("scope", "row"), ("class", "name")], function.name);
        for (column, _) in &shown {
            cell(html, function.of[0], *column);
        }
        html.raw("</tr>");
    }
}

fn several(html: &mut Html, all: &[Merged<'_>], letters: &[String]) {
    html.raw("<thead><tr>");
    html.leaf("th", &[("scope", "col"), ("rowspan", "2"), ("data-sort", "text")], "Function");
    for (nth, letter) in letters.iter().enumerate() {
        let span = (SHORT.len() + usize::from(nth > 0)).to_string();
        html.leaf("th", &[("scope", "colgroup"), ("colspan", &span), ("class", "group")], letter);
    }
    html.raw("</tr><tr>");
    for nth in 0..letters.len() {
        for (_, name) in SHORT {
            head(html, name, "number");
        }
        if nth > 0 {
            head(html, &format!("Cold − {}, pp", letters[0]), "number");
        }
    }
    html.raw("</tr></thead><tbody>");
    for function in all {
        html.raw("<tr>");
        html.leaf("th", &[("scope", "row"), ("class", "name")], function.name);
        let cold = |nth: usize| function.of[nth].and_then(|row| row.numbers[3]);
        for nth in 0..letters.len() {
            for (column, _) in SHORT {
                cell(html, function.of[nth], column);
            }
            if nth > 0 {
                let difference = cold(nth).zip(cold(0)).map(|(this, first)| signed(this - first, 2, ""));
                html.leaf("td", &[("class", "n")], difference.as_deref().unwrap_or(NONE));
            }
        }
        html.raw("</tr>");
    }
}

fn head(html: &mut Html, name: &str, kind: &str) {
    let class = if kind == "number" { "n" } else { "" };
    html.leaf("th", &[("scope", "col"), ("class", class), ("data-sort", kind)], name);
}

fn cell(html: &mut Html, row: Option<&FunctionRow>, column: usize) {
    let text = row.and_then(|row| row.numbers[column]).map(|value| match COLUMNS[column] {
        "cold_pct" => format!("{value:.2}"),
        "mean_response_ms" if value < 1_000.0 => format!("{value:.1}"),
        _ => thousands(value.round() as u64),
    });
    html.leaf("td", &[("class", "n")], text.as_deref().unwrap_or(NONE));
}
