//! The report: one page of HTML with everything in it, made from results folders. Owns its structure, its style and its script;
//! must never refer to anything outside itself, compute a figure of a run, or hold what differs between two times it is made.
//!
//! | file | what |
//! |-|-|
//! | `run` | a results folder, read back |
//! | `timeline` | cold starts over time, from a table of invocations of any length |
//! | `metrics` | which figures there are, their units and differences |
//! | `sections` | what was run, figures, causes, phases, how to make it again |
//! | `tables` | boxes that scroll; the table of functions |
//! | `plots`, `charts` | which charts there are; how charts are drawn |
//! | `comparison` | two records compared: given, not made here |
//! | `html` | escaping |
//! | `style.css`, `script.js` | the look; sorting and filtering, without which everything is there too |

mod charts;
mod comparison;
mod html;
mod metrics;
mod plots;
mod run;
mod sections;
mod tables;
mod timeline;

pub use comparison::{
    ComparedRow, ComparisonView, ConfusionView, DivergenceRow, FirstDivergence, VerdictRow,
};
pub use run::RunView;

use html::{Html, policy_hash};
use sections::Runs;

const STYLE: &str = include_str!("page/style.css");
const SCRIPT: &str = include_str!("page/script.js");

/// The beginning of what a page of ours says of who made it; the version follows.
pub const GENERATOR: &str = "<meta name=\"generator\" content=\"faassim ";

/// Most runs on a page: more lines cannot be told apart.
pub const MOST_RUNS: usize = charts::LOOKS;

/// What a page is made of.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Page {
    /// Its title; otherwise the names of the scenarios.
    pub title: Option<String>,
    /// Runs, side by side; differences are from the first.
    pub runs: Vec<RunView>,
    /// Comparisons.
    pub comparisons: Vec<ComparisonView>,
}

impl Page {
    /// The page.
    pub fn html(&self) -> String {
        let letters: Vec<String> = (0..self.runs.len()).map(letter).collect();
        let labels = self.labels(&letters);
        let runs = Runs { runs: &self.runs, letters: &letters, labels: &labels };
        let title = self.whole_title();
        let mut html = Html::default();
        self.head(&mut html, &title);
        html.raw("<body><a class=\"skip\" href=\"#main\">Skip to the figures</a><header>");
        html.leaf("h1", &[], &title);
        for question in self.questions() {
            html.leaf("p", &[("class", "question")], &question);
        }
        self.contents(&mut html);
        html.raw("</header><main id=\"main\" tabindex=\"-1\">");
        notes(&mut html, &sections::notes(&runs));
        if !self.runs.is_empty() {
            sections::what_was_run(&mut html, &runs);
            sections::figures(&mut html, &runs);
        }
        for (nth, comparison) in self.comparisons.iter().enumerate() {
            comparison::write(&mut html, &format!("comparison-{nth}"), comparison);
        }
        if !self.runs.is_empty() {
            self.of_runs(&mut html, &runs);
        }
        html.raw("</main><footer><p>");
        html.text(&format!("Made by faassim {} from the results named above.", env!("CARGO_PKG_VERSION")));
        html.raw("</p></footer><script>");
        html.raw(SCRIPT);
        html.raw("</script></body></html>\n");
        html.finish()
    }

    fn of_runs(&self, html: &mut Html, runs: &Runs<'_>) {
        html.raw("<section id=\"plots\" aria-labelledby=\"plots-h\"><h2 id=\"plots-h\">Over time, and how long it took</h2>");
        plots::write(html, &self.runs, runs.labels);
        html.raw("</section>");
        sections::causes(html, runs);
        sections::measured(html, runs);
        html.raw(
            "<section id=\"functions\" aria-labelledby=\"functions-h\"><h2 id=\"functions-h\">Functions</h2>",
        );
        if !tables::functions(html, &self.runs, runs.letters) {
            html.raw("<p>No run has a table of functions (output.functions).</p>");
        }
        html.raw("</section>");
        sections::reproduce(html, runs);
    }

    fn head(&self, html: &mut Html, title: &str) {
        html.raw("<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">");
        // Nothing is fetched and nothing but this very script runs, whatever the names in a trace are.
        let policy = format!(
            "default-src 'none'; style-src {}; script-src {}; img-src data:; base-uri 'none'; form-action 'none'",
            policy_hash(STYLE),
            policy_hash(SCRIPT)
        );
        html.open("meta", &[("http-equiv", "Content-Security-Policy"), ("content", &policy)]);
        html.raw(GENERATOR);
        html.raw(env!("CARGO_PKG_VERSION"));
        html.raw("\"><meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">");
        html.raw("<meta name=\"color-scheme\" content=\"light dark\"><link rel=\"icon\" href=\"data:,\">");
        html.leaf("title", &[], title);
        html.raw("<style>");
        html.raw(STYLE);
        html.raw("</style></head>");
    }

    /// Links to the sections.
    fn contents(&self, html: &mut Html) {
        html.raw("<nav aria-label=\"Sections\"><ul>");
        let mut link = |to: &str, name: &str| {
            html.raw("<li>");
            html.leaf("a", &[("href", &format!("#{to}"))], name);
            html.raw("</li>");
        };
        if !self.runs.is_empty() {
            link("run", "What was run");
            link("figures", "Figures");
        }
        for (nth, comparison) in self.comparisons.iter().enumerate() {
            let (a, b) = &comparison.sides;
            let name =
                if self.comparisons.len() > 1 { format!("{a} and {b}") } else { "Comparison".to_owned() };
            link(&format!("comparison-{nth}"), &name);
        }
        if !self.runs.is_empty() {
            link("plots", "Plots");
            link("causes", "Causes");
            if self.runs.iter().any(|run| run.live().is_some()) {
                link("measured", "Phases");
            }
            link("functions", "Functions");
            link("again", "To make it again");
        }
        html.raw("</ul></nav>");
    }

    fn whole_title(&self) -> String {
        if let Some(title) = &self.title {
            return title.clone();
        }
        let mut names: Vec<String> = Vec::new();
        for run in &self.runs {
            let name = run.manifest("name").unwrap_or_else(|| run.folder_name());
            if !names.contains(&name) {
                names.push(name);
            }
        }
        match (names.as_slice(), self.runs.len(), self.comparisons.first()) {
            ([], _, Some(comparison)) => format!("{} and {}", comparison.sides.0, comparison.sides.1),
            ([one], 2.., _) => format!("{one}, side by side"),
            _ => names.join(", "),
        }
    }

    /// The questions that the scenarios ask, each once.
    fn questions(&self) -> Vec<String> {
        let mut questions: Vec<String> = Vec::new();
        for question in self.runs.iter().filter_map(RunView::question) {
            if !questions.contains(&question) {
                questions.push(question);
            }
        }
        questions
    }

    /// What runs are called: letter and folder, or path where folders have the same name.
    fn labels(&self, letters: &[String]) -> Vec<String> {
        let names: Vec<String> = self.runs.iter().map(RunView::folder_name).collect();
        let label = |(nth, run): (usize, &RunView)| {
            let alone = names.iter().filter(|name| **name == names[nth]).count() == 1;
            let name = if alone { names[nth].clone() } else { run.folder().display().to_string() };
            if self.runs.len() == 1 { name } else { format!("{} · {name}", letters[nth]) }
        };
        self.runs.iter().enumerate().map(label).collect()
    }
}

/// `A`, `B`, … There are fewer runs than letters.
fn letter(nth: usize) -> String {
    char::from(b'A' + (nth % 26) as u8).to_string()
}

fn notes(html: &mut Html, notes: &[String]) {
    if notes.is_empty() {
        return;
    }
    html.raw("<aside class=\"notes\" aria-label=\"To be known first\"><p><strong>To be known first</strong></p><ul>");
    for note in notes {
        html.leaf("li", &[], note);
    }
    html.raw("</ul></aside>");
}
