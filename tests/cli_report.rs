//! `faassim report` as a user gets it: what is on the page of one run and of several, that nothing read from a trace becomes
//! markup, that it refers to nothing outside itself, and what is said when it cannot be made. How it looks and works in a
//! browser is scripts/check-report.mjs's business.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use faassim::results::page::{
    ComparedRow, ComparisonView, ConfusionView, DivergenceRow, FirstDivergence, Page, RunView, VerdictRow,
};

fn faassim(folder: &Path, args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_faassim")).current_dir(folder).args(args).output().expect("it starts")
}

/// What is said on standard error by a command that works.
fn works(folder: &Path, args: &[&str]) -> String {
    let output = faassim(folder, args);
    let said = String::from_utf8(output.stderr).expect("UTF-8");
    assert!(output.status.success(), "{args:?}: {said}");
    said
}

fn fails(folder: &Path, args: &[&str]) -> String {
    let output = faassim(folder, args);
    let said = String::from_utf8(output.stderr).expect("UTF-8");
    assert_eq!(output.status.code(), Some(2), "{args:?}: {said}");
    assert!(output.stdout.is_empty());
    said
}

fn scenario(folder: &Path, trace: &Path) {
    let text = format!(
        "question = \"How many <b>cold</b> starts?\"\n[trace]\npath = \"{}\"\n[pool]\nmemory = \"700 MiB\"\n",
        trace.display()
    );
    fs::write(folder.join("s.toml"), text).expect("writable");
}

/// A folder with results of a run in `run`.
fn with_run(extra: &[&str]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a temporary folder");
    scenario(folder.path(), &Path::new(env!("CARGO_MANIFEST_DIR")).join("traces/faascache-litmus-freq"));
    works(folder.path(), &[&["run", "s.toml", "-o", "run"], extra].concat());
    folder
}

fn page(folder: &Path, args: &[&str]) -> String {
    let told = works(folder, &[&["report"], args].concat());
    assert!(told.ends_with("the report is in report.html\n"), "{told}");
    assert!(told.lines().rev().skip(1).all(|line| line.starts_with("note: ")), "{told}");
    fs::read_to_string(folder.join("report.html")).expect("written")
}

/// The text between the first `from` and the next `until`.
fn between<'a>(text: &'a str, from: &str, until: &str) -> &'a str {
    let (_, rest) = text.split_once(from).unwrap_or_else(|| panic!("there is no {from}"));
    rest.split_once(until).unwrap_or_else(|| panic!("there is no {until} after {from}")).0
}

/// That every element is closed where it must be, ids are unique, and nothing is referred to but what is in the page.
fn assert_sound(page: &str) {
    const VOID: [&str; 3] = ["meta", "link", "!DOCTYPE"];
    let (mut open, mut ids, mut rest) = (Vec::new(), Vec::new(), page);
    while let Some((_, after)) = rest.split_once('<') {
        let (tag, after) = after.split_once('>').expect("a tag ends");
        rest = after;
        if let Some(name) = tag.strip_prefix('/') {
            assert_eq!(open.pop(), Some(name.to_owned()), "before {}", &rest[..rest.len().min(80)]);
            continue;
        }
        let name = tag.split(' ').next().expect("a tag has a name").to_owned();
        assert_eq!(tag.matches('"').count() % 2, 0, "quotes of <{tag}>");
        if let Some((_, id)) = tag.split_once(" id=\"") {
            ids.push(id.split('"').next().expect("it ends").to_owned());
        }
        for attribute in ["src=", "srcset=", "action=", "style=", "onclick=", "onload=", "onerror="] {
            assert!(!tag.contains(&format!(" {attribute}")), "<{tag}>");
        }
        for target in tag.split(" href=\"").skip(1).chain(tag.split("url(").skip(1)) {
            assert!(target.starts_with('#') || target.starts_with("data:,"), "<{tag}>");
        }
        if name == "style" || name == "script" {
            rest = rest.split_once(&format!("</{name}>")).expect("it ends").1;
        } else if !VOID.contains(&name.as_str()) {
            open.push(name);
        }
    }
    assert_eq!(open, Vec::<String>::new());
    let all = ids.len();
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), all, "ids are unique");
    for reference in ["aria-labelledby=\"", "href=\"#"] {
        for ids_of in page.split(reference).skip(1) {
            for id in ids_of.split('"').next().expect("it ends").split(' ') {
                assert!(ids.contains(&id.to_owned()), "{reference}{id} leads nowhere");
            }
        }
    }
    for address in ["http://", "https://", "//cdn", "@import", "url("] {
        assert!(!page.contains(address), "{address}");
    }
}

#[test]
fn one_run_is_told_with_everything() {
    let folder = with_run(&["--invocations"]);
    let page = page(folder.path(), &["run"]);
    assert_sound(&page);
    assert!(page.starts_with("<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">"));
    assert_eq!(between(&page, "<title>", "</title>"), "s");
    assert!(page.contains("<p class=\"question\">How many &lt;b&gt;cold&lt;/b&gt; starts?</p>"));
    let summary: serde_json::Value =
        serde_json::from_str(&fs::read_to_string(folder.path().join("run/summary.json")).expect("there"))
            .expect("JSON");
    let cold = format!("{:.2} %", summary["summary"]["cold_pct"].as_f64().expect("a number"));
    let card = between(&page, "<dt>Cold starts</dt>", "</div>");
    assert!(card.contains(&format!("<strong>{cold}</strong><small>95 % CI ")), "{card}");
    for part in [
        "<dt>Rules</dt><dd>openwhisk</dd>",
        "<dt>Pool</dt><dd>700 MiB</dd>",
        "<dt>Eviction</dt><dd>lru</dd>",
        "<figcaption>Response times of the served</figcaption>",
        "<figcaption>Cold starts over time, per 5.0 min</figcaption>",
        "<figcaption>Memory over time</figcaption>",
        "id=\"causes-bars-desc\"",
        "<th scope=\"row\">all busy</th>",
        "faassim run s.toml --invocations",
        "<summary>The scenario</summary>",
        "<th scope=\"row\" class=\"name\">often</th>",
        "data-sort=\"number\">Cold, %</th>",
    ] {
        assert!(page.contains(part), "{part}\n{page}");
    }
    let manifest = fs::read_to_string(folder.path().join("run/manifest.json")).expect("there");
    assert!(page.contains(between(&manifest, "\"sha256\": \"", "\"")));
    assert!(!page.contains("id=\"measured\""), "nothing was measured");
    assert!(between(&page, "<aside", "</aside>").contains("waits decide the response times"), "a small pool");
    assert_eq!(page.matches("role=\"img\"").count(), 4);
    assert_eq!(page.matches("<desc id=").count(), 4);
}

#[test]
fn without_tables_the_page_says_what_is_missing() {
    let folder = with_run(&[]);
    for name in ["memory", "responses", "functions"] {
        fs::remove_file(folder.path().join(format!("run/{name}.csv"))).expect("it was there");
    }
    let page = page(folder.path(), &["run", "--title", "Lost & found"]);
    assert_sound(&page);
    assert_eq!(between(&page, "<title>", "</title>"), "Lost &amp; found");
    for part in [
        "The run has no table of memory over time.",
        "No run has a table of response times with anything in it.",
        "`faassim run --invocations` writes one.",
        "No run has a table of functions (output.functions).",
    ] {
        assert!(page.contains(part), "{part}");
    }
}

#[test]
fn runs_are_told_side_by_side_with_differences_from_the_first() {
    let folder = with_run(&["--invocations"]);
    works(folder.path(), &["run", "s.toml", "--set", "pool.memory=\"900 MiB\"", "-o", "large"]);
    let published =
        "[trace]\npath = \"TRACE\"\n[pool]\nmemory = \"800 MiB\"\n[faascache-artifact]\npolicy = \"GD\"\n";
    let trace = Path::new(env!("CARGO_MANIFEST_DIR")).join("traces/faascache-litmus-size");
    fs::write(folder.path().join("p.toml"), published.replace("TRACE", &trace.display().to_string()))
        .expect("writable");
    works(folder.path(), &["run", "p.toml", "-o", "published"]);
    let page = page(folder.path(), &["run", "large/", "published"]);
    assert_sound(&page);
    assert_eq!(between(&page, "<title>", "</title>"), "s, p");
    for label in ["A · run", "B · large", "C · published"] {
        assert!(page.contains(&format!("<th scope=\"col\" class=\"n\">{label}</th>")), "{label}");
    }
    let row = between(&page, "<tr class=\"differs\"><th scope=\"row\">Pool ", "</tr>");
    assert!(row.ends_with("<td>700 MiB</td><td>900 MiB</td><td>800 MiB</td>"), "{row}");
    let row = between(&page, "<tr><th scope=\"row\">Cold starts</th>", "</tr>");
    assert_eq!(row.matches("95 % CI").count(), 3, "{row}");
    assert_eq!(row.matches(" pp</small>").count(), 2, "{row}");
    let row = between(&page, "<tr><th scope=\"row\">Memory, peak</th>", "</tr>");
    assert!(row.contains("<small class=\"delta\">+"), "{row}");
    let row = between(&page, "<tr><th scope=\"row\">Response, p50</th>", "</tr>");
    assert!(row.ends_with("<td class=\"n\">–</td>"), "the published simulator has no times: {row}");
    assert!(page.contains("A and C replayed different traces"));
    assert!(page.contains("Without a table of invocations: B · large, C · published."));
    assert!(page.contains("data-sort=\"number\">Cold − A, pp</th>"));
    let heads = between(&page, "<table id=\"functions-table\"", "</thead>");
    let row = between(&page, "<th scope=\"row\" class=\"name\">often</th>", "</tr>");
    assert_eq!(heads.matches("data-sort=").count(), 1 + row.matches("<td").count());
    // The lines of a chart differ by more than their colour.
    let lines = between(&page, "aria-labelledby=\"responses-title", "</svg>");
    assert!(lines.contains("class=\"line s0\" stroke-dasharray=\"none\""), "{lines}");
    assert!(lines.contains("class=\"line s1\" stroke-dasharray=\"7 4\""), "{lines}");
}

/// A results folder as a live run leaves it, as far as the page reads it.
fn live(folder: &Path, ended: &str) {
    let run = folder.join("run");
    let text = fs::read_to_string(run.join("summary.json")).expect("there");
    let live = format!(
        "\"live\": {{\"backend\": \"docker <24>\", \"started\": \"2026-01-02T03:04:05Z\", \"machine\": {{\"cpus\": 2, \
         \"memory_mib\": 4096}}, \"ended\": {ended}, \"replay_agrees\": false, \"measured\": {{\"phases\": [{{\"phase\": \
         \"create\", \"count\": 1234, \"ms\": {{\"mean\": 1.5, \"p50\": 2, \"p90\": 3, \"p95\": 40, \"p99\": 5000, \"max\": \
         6000}}}}], \"dispatch_lag_ms\": {{\"mean\": 1, \"p50\": 1, \"p90\": 9, \"p95\": 12, \"p99\": 13, \"max\": 14}}, \
         \"container_memory_peak_mib\": 12.34, \"errors\": [{{\"error\": \"no <room>\", \"count\": 3}}]}}}},\n  \"summary\": "
    );
    fs::write(run.join("summary.json"), text.replacen("\"summary\": ", &live, 1)).expect("writable");
}

#[test]
fn what_a_live_run_measured_is_told() {
    let folder = with_run(&[]);
    live(
        folder.path(),
        r#"{"t": 61000000, "why": "cut-short", "unserved": 1, "removed": 2, "leftovers": ["c1"]}"#,
    );
    let page = page(folder.path(), &["run"]);
    assert_sound(&page);
    for part in [
        "<dt>Kind</dt><dd>live run</dd>",
        "<dt>Backend</dt><dd>docker &lt;24&gt;</dd>",
        "<dt>Machine</dt><dd>2 processors, 4 GiB</dd>",
        "<dt>Started (UTC)</dt><dd>2026-01-02T03:04:05Z</dd>",
        "<dt>Ended</dt><dd>cut short, after 1.0 min</dd>",
        "<th scope=\"row\">create</th><td class=\"n\">1,234</td><td class=\"n\">1.50 ms</td><td class=\"n\">2.00 ms</td>\
         <td class=\"n\">40 ms</td><td class=\"n\">5.00 s</td><td class=\"n\">6.00 s</td>",
        "<th scope=\"row\">dispatch lag</th>",
        "up to 12.3 MiB",
        "<td>no &lt;room&gt;</td><td class=\"n\">3</td>",
        "its log leads to another order",
        "1 thing left behind",
        "the run did not end by itself: cut short.",
        "arrivals were sent late, 5 % of them by more than 12 ms.",
    ] {
        assert!(page.contains(part), "{part}");
    }
    live(folder.path(), "null");
    fs::write(folder.path().join("report.html"), "").expect("writable");
    let page = works(folder.path(), &["report", "run"]);
    assert_eq!(page, "the report is in report.html\n");
}

#[test]
fn a_killed_run_is_said_to_be_one() {
    let folder = with_run(&[]);
    live(folder.path(), "null");
    assert!(page(folder.path(), &["run"]).contains("the run was killed; figures are of what its log has."));
}

/// Names that would do harm if they were taken for markup, in an element, an attribute or a script.
const NAMES: [&str; 4] = [
    "<script>alert(1)</script>",
    "\"onmouseover=\"alert(2)",
    "'-->]]></title><img src=x onerror=alert(3)>",
    "a&lt;b&amp;",
];

#[test]
fn names_of_functions_never_become_markup() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let trace = folder.path().join("trace");
    fs::create_dir(&trace).expect("writable");
    let quoted = |name: &str| format!("\"{}\"", name.replace('"', "\"\""));
    let functions: String = NAMES.iter().map(|name| format!("{},64,100,200\n", quoted(name))).collect();
    fs::write(trace.join("functions.csv"), format!("function,memory_mib,warm_ms,cold_ms\n{functions}"))
        .expect("writable");
    let arrivals: String =
        (0..40).map(|nth| format!("{},{}\n", 500 * nth, quoted(NAMES[nth % NAMES.len()]))).collect();
    fs::write(trace.join("invocations.csv"), format!("arrival_ms,function\n{arrivals}")).expect("writable");
    scenario(folder.path(), &trace);
    works(folder.path(), &["run", "s.toml", "-o", "<img src=x>", "--invocations"]);
    works(folder.path(), &["run", "s.toml", "-o", "b", "--set", "eviction=lfu"]);
    let title = "</title><script>alert(4)</script>";
    for runs in [&["<img src=x>"][..], &["<img src=x>", "b"][..]] {
        let page = page(folder.path(), &[runs, &["--title", title]].concat());
        assert_sound(&page);
        assert_eq!(page.matches("<script>").count(), 1, "ours alone");
        assert_eq!(page.matches("<img").count(), 0);
        assert!(page.contains("&lt;script&gt;alert(1)&lt;/script&gt;</th>"));
        assert!(page.contains("&quot;onmouseover=&quot;alert(2)</th>"));
        assert!(page.contains("a&amp;lt;b&amp;amp;</th>"), "what looks escaped is escaped again");
        assert!(page.contains("<h1>&lt;/title&gt;&lt;script&gt;alert(4)&lt;/script&gt;</h1>"));
    }
    let page = hostile_comparison().html();
    assert_sound(&page);
    assert_eq!(page.matches("<script>").count(), 1);
    assert!(!page.contains("<img"));
}

/// A comparison all of whose texts are hostile.
fn hostile_comparison() -> Page {
    let [script, quote, image, _] = NAMES.map(str::to_owned);
    let view = ComparisonView {
        sides: (script.clone(), quote.clone()),
        notes: vec![image.clone()],
        headline: vec![ComparedRow {
            name: script.clone(),
            a: quote.clone(),
            b: image.clone(),
            difference: script.clone(),
        }],
        confusion: Some(ConfusionView {
            classes: vec![script.clone()],
            counts: vec![vec![1]],
            agreement_pct: 100.0,
            kappa: None,
        }),
        verdict: vec![VerdictRow {
            name: script.clone(),
            value: quote.clone(),
            threshold: image.clone(),
            holds: false,
        }],
        first: Some(FirstDivergence {
            sentence: image.clone(),
            columns: vec![script.clone()],
            a: vec![vec![quote.clone()]],
            b: Vec::new(),
        }),
        causes: vec![(script.clone(), 1)],
        divergences: vec![DivergenceRow {
            number: 1,
            function: script,
            at_s: 0.5,
            a: quote.clone(),
            b: quote,
            cause: image,
        }],
        divergences_total: Some(1),
    };
    Page { title: None, runs: Vec::new(), comparisons: vec![view] }
}

#[test]
fn a_comparison_is_told_with_its_divergences() {
    let rows = (0..1_500_u32).map(|n| DivergenceRow {
        number: 1_000 + u64::from(n),
        function: format!("f{n}"),
        at_s: f64::from(n) / 8.0,
        a: "warm".to_owned(),
        b: "cold".to_owned(),
        cause: "start took longer".to_owned(),
    });
    let view = ComparisonView {
        sides: ("sim".to_owned(), "live".to_owned()),
        headline: vec![ComparedRow {
            name: "Cold starts".to_owned(),
            a: "1.00 %".to_owned(),
            b: "2.00 %".to_owned(),
            difference: "+1.00 pp".to_owned(),
        }],
        confusion: Some(ConfusionView {
            classes: vec!["warm".to_owned(), "cold".to_owned()],
            counts: vec![vec![90_000, 1_500], vec![7, 800]],
            agreement_pct: 98.37,
            kappa: Some(0.5123),
        }),
        verdict: vec![
            VerdictRow {
                name: "cold".to_owned(),
                value: "1.00 pp".to_owned(),
                threshold: "1.00 pp".to_owned(),
                holds: true,
            },
            VerdictRow {
                name: "p50".to_owned(),
                value: "12 %".to_owned(),
                threshold: "10 %".to_owned(),
                holds: false,
            },
        ],
        first: Some(FirstDivergence {
            sentence: "Invocation 1,000 was warm in sim and cold in live.".to_owned(),
            columns: vec!["Container".to_owned(), "Function".to_owned()],
            a: (0..300).map(|n| vec![n.to_string(), "f".to_owned()]).collect(),
            b: vec![vec!["0".to_owned(), "g".to_owned()]],
        }),
        causes: vec![("start took longer".to_owned(), 1_507)],
        divergences: rows.collect(),
        divergences_total: Some(1_507),
        ..ComparisonView::default()
    };
    let folder = with_run(&[]);
    let run = RunView::read(&folder.path().join("run")).expect("results");
    let page = Page { title: None, runs: vec![run], comparisons: vec![view.clone()] }.html();
    assert_sound(&page);
    for part in [
        "<h2 id=\"comparison-0-h\">Compared: sim and live</h2>",
        "<p class=\"verdict missed\">Not within 1 threshold.</p>",
        "The sides agree on 98.37 % of the invocations, Cohen's kappa 0.512.".replace('\'', "&#39;").as_str(),
        "<th scope=\"row\">warm</th><td class=\"n same\">90,000</td><td class=\"n\">1,500</td>",
        "Pool of sim: 300 containers",
        "Only the first 200 containers of a pool are listed.",
        "The first 1,000 of 1,507 divergences",
        "data-filter=\"divergences\"",
        "<a href=\"#comparison-0\">Comparison</a>",
    ] {
        assert!(page.contains(part), "{part}");
    }
    assert!(page.contains("<td class=\"name\">f999</td>") && !page.contains("<td class=\"name\">f1000</td>"));
    let agreeing =
        ComparisonView { first: None, divergences: Vec::new(), divergences_total: Some(0), ..view };
    let unknown = ComparisonView { divergences_total: None, ..agreeing.clone() };
    let page = Page { comparisons: vec![unknown], ..Page::default() }.html();
    assert!(!page.contains("There is no divergence."), "nobody looked");
    let page = Page { comparisons: vec![agreeing], ..Page::default() }.html();
    assert_sound(&page);
    assert!(page.contains("There is no divergence."));
    assert_eq!(between(&page, "<title>", "</title>"), "sim and live");
}

#[test]
fn long_tables_are_cut_and_say_so() {
    let folder = with_run(&[]);
    let head = "function,memory_mib,invocations,warm,cold,partial,dropped,failed,waited,cold_pct,evicted,\
        cold_starts_caused,mean_response_ms,mean_warm_ms\n";
    let row = |n: u32| format!("{n:064x},128,{n},0,{n},0,0,0,0,100.0,0,0,1.5,1.0\n");
    let rows: String = (0..30_000).map(row).collect();
    fs::write(folder.path().join("run/functions.csv"), format!("{head}{rows}")).expect("writable");
    let page = page(folder.path(), &["run"]);
    assert_sound(&page);
    assert!(page.contains("The 2,000 most invoked of 30,000 functions; functions.csv has them all"));
    assert!(page.contains(&format!("{:064x}", 29_999)) && !page.contains(&format!("{:064x}", 27_999)));
    assert!(page.len() < 1_500_000, "{} bytes", page.len());
}

#[test]
fn the_same_results_give_the_same_bytes() {
    let folder = with_run(&["--invocations"]);
    let first = page(folder.path(), &["run"]);
    assert_eq!(first, page(folder.path(), &["run"]), "it replaces its own");
    fs::copy(folder.path().join("report.html"), folder.path().join("run/report.html")).expect("copied");
    works(folder.path(), &["run", "s.toml", "-o", "run", "--invocations"]);
    assert!(!folder.path().join("run/report.html").exists(), "a report among results goes with them");
    assert_eq!(first, page(folder.path(), &["run"]));
    let names: Vec<String> = fs::read_dir(folder.path())
        .expect("readable")
        .map(|entry| entry.expect("readable").file_name().to_string_lossy().into_owned())
        .collect();
    assert_eq!(names.len(), 3, "nothing temporary is left: {names:?}");
}

#[test]
fn what_are_no_results_of_a_run_is_told_with_the_nearest_that_are() {
    let folder = with_run(&[]);
    let here = folder.path();
    fs::create_dir_all(here.join("all/first")).expect("writable");
    fs::copy(here.join("run/summary.json"), here.join("all/first/summary.json")).expect("copied");
    for (name, file) in [("sweep", "runs.csv"), ("curve", "curve.csv"), ("empty", "x")] {
        fs::create_dir(here.join(name)).expect("writable");
        fs::write(here.join(name).join(file), "").expect("writable");
    }
    for (args, said) in [
        (&["rum"][..], "error: rum: there is no such folder\n  help: did you mean `run`?\n"),
        (
            &["elsewhere"],
            "error: elsewhere: there is no such folder\n  help: name a folder that `faassim run` or `faassim live` wrote\n",
        ),
        (
            &["run/summary.json"],
            "error: run/summary.json: is a file, no results folder\n  help: did you mean the folder it is in, `run`?\n",
        ),
        (
            &["all"],
            "error: all: does not hold results of a run: there is no summary.json\n  help: runs are in folders within it: did \
             you mean `all/first`?\n",
        ),
        (
            &["all/first"],
            "error: all/first/manifest.json: there is no such file: the results are not whole\n  help: run the scenario again; \
             a run writes all its files at once\n",
        ),
        (
            &["sweep"],
            "error: sweep: holds a sweep, not a run\n  help: `faassim plot sweep` draws it; a report shows single runs\n",
        ),
        (
            &["curve"],
            "error: curve: holds curves, not a run\n  help: `faassim plot curve` draws them; a report shows runs\n",
        ),
        (
            &["empty"],
            "error: empty: does not hold results of a run: there is no summary.json\n  help: name a folder that `faassim run` or \
             `faassim live` wrote\n",
        ),
        (&["run", "run"], "error: run: is named twice\n  help: name each run once\n"),
        (&["run", "./run/"], "error: ./run/: is the same folder as run\n  help: name each run once\n"),
        (
            &["rum", "empty"],
            "error: rum: there is no such folder\n  help: did you mean `run`?\nerror: empty: does not hold results of a run: there \
             is no summary.json\n  help: name a folder that `faassim run` or `faassim live` wrote\n2 errors\n",
        ),
    ] {
        assert_eq!(fails(here, &[&["report"], args].concat()), said);
    }
    let many: Vec<String> = (0..13).map(|n| format!("r{n}")).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    assert!(
        fails(here, &[&["report"], &many[..]].concat())
            .starts_with("error: 13 runs are too many: a report shows up to 12 side by side\n")
    );
    assert!(!here.join("report.html").exists());
}

#[test]
fn damaged_tables_are_told_with_file_and_line() {
    for (name, text, said) in [
        (
            "memory.csv",
            "time_s,busy_mib,prewarmed_mib,idle_mib\n0,1,0,0\n1,much,0,0\n",
            "run/memory.csv:3: column `busy_mib`: `much` is not a number",
        ),
        ("memory.csv", "time_s,busy_mib\n0,1\n", "run/memory.csv: there is no column `prewarmed_mib`"),
        (
            "responses.csv",
            "start,response_ms,count\ncold,1,-2\n",
            "run/responses.csv:2: column `count`: -2 must be a count",
        ),
        ("responses.csv", "start,response_ms,count\ncold,1\n", "run/responses.csv:2: "),
        (
            "functions.csv",
            "function,invocations,cold\nf,1,1\n",
            "run/functions.csv: there is no column `cold_pct`",
        ),
        (
            "functions.csv",
            "function,invocations,cold,cold_pct\nf,1,1,x\n",
            "run/functions.csv:2: column `cold_pct`: `x` is not a number",
        ),
        (
            "invocations.csv",
            "arrival_ms,start\n1,cold\nx,cold\n",
            "run/invocations.csv:3: column `arrival_ms`: `x` is not a time",
        ),
        ("summary.json", "{", "run/summary.json: is not JSON: "),
        (
            "summary.json",
            "{\"run\": 1}",
            "run/summary.json: there is no `summary`: it is not of a run of faassim",
        ),
        ("manifest.json", "[]", "run/manifest.json: is not of faassim: it holds no JSON object"),
        ("manifest.json", "{}", "run/manifest.json: there is no `faassim`: it is not of a run of faassim"),
    ] {
        let folder = with_run(&[]);
        fs::write(folder.path().join("run").join(name), text).expect("writable");
        let told = fails(folder.path(), &["report", "run"]);
        assert!(told.starts_with(&format!("error: {said}")), "{name}: {told}");
    }
}

#[test]
fn only_what_is_ours_is_replaced() {
    let folder = with_run(&[]);
    let here = folder.path();
    fs::write(here.join("notes.html"), "<html><head><title>Mine</title>").expect("writable");
    for (args, said) in [
        (
            &["-o", "notes.html"][..],
            "error: notes.html: is there and is not a report of faassim, so it is not replaced\n  help: name another file with -o, \
             or remove it first\n",
        ),
        (
            &["-o", "run"],
            "error: run: is a folder, no file to write into\n  help: name a file in it: -o FILE\n",
        ),
        (
            &["-o", "none/report.html"],
            "error: none/report.html: cannot be written: there is no folder none\n  help: make the folder first, or name a file \
             elsewhere\n",
        ),
        (
            &["--title", " "],
            "error: --title: ` ` is no title: it is empty\n  help: leave --title away to use the scenario's name\n",
        ),
    ] {
        assert_eq!(fails(here, &[&["report", "run"], args].concat()), said);
    }
    assert_eq!(
        fs::read_to_string(here.join("notes.html")).expect("there"),
        "<html><head><title>Mine</title>"
    );
    assert_eq!(
        works(here, &["report", "run", "-o", "run/report.html"]),
        "the report is in run/report.html\n"
    );
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = fs::metadata(here.join("run/report.html")).expect("there").permissions().mode();
        assert_eq!(mode & 0o777, 0o644);
    }
}
