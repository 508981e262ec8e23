//! Golden scenarios: their figures and the fingerprint of every order the pool gave are committed in
//! `tests/data/golden.json`, and the fast event queue and a plain heap must give the same.
//!
//! `FAASSIM_RENEW_GOLDEN=1 cargo test --release --test golden` writes the file anew: do so only for a
//! change that is meant to change decisions, and say why in the commit.

use std::collections::BTreeMap;
use std::path::Path;

use faassim::memory::Memory;
use faassim::scenario::{Engine, Scenario};
use faassim::sim::{EventQueue, HeapQueue, Wheel, mean_gap, replay_with};
use faassim::tally::{Summary, Tally, Trail};
use faassim::time::{Span, Time};
use faassim::trace::{Function, Invocations, RunTime, Trace, read_native};
use serde_json::{Value, json};

const FILE: &str = "tests/data/golden.json";

/// A part of a day of 392 functions, in which memory is short.
const AZURE: &str = "[trace]\npath = \"traces/azure392\"\nlimit = 60000\n[pool]\nmemory = \"20 GiB\"\n";
/// Long enough for histograms of idle times to fill.
const AZURE_LONG: &str =
    "[trace]\npath = \"traces/azure392\"\nuntil = \"6 h\"\n[pool]\nmemory = \"40 GiB\"\n";
/// Few functions that displace each other.
const LITMUS: &str =
    "[trace]\npath = \"traces/faascache-litmus-freq\"\nlimit = 20000\n[pool]\nmemory = \"768 MiB\"\n";
/// Made by [`concurrent_trace`].
const CONCURRENT: &str = "[trace]\npath = \"CONCURRENT\"\n[pool]\nmemory = \"2 GiB\"\n";

const PHASES: &str = "[costs]\npull = \"900 ms\"\ncreate = { log-normal = { median = \"350 ms\", sigma = 0.4 } }\n\
    init = { uniform = { low = \"80 ms\", high = \"200 ms\" } }\nfirst-run = \"40 ms\"\nunpause = \"60 ms\"\n\
    pause = \"50 ms\"\nlogs = \"4 ms\"\nremove = { exponential = { mean = \"120 ms\" } }\n";
const OVERHEADS: &str = "[costs]\ncreate = \"350 ms\"\ninit = \"trace\"\n\
    init-overhead = { uniform = { low = \"30 ms\", high = \"90 ms\" } }\nrun = \"trace\"\n\
    run-overhead = { exponential = { mean = \"2 ms\" } }\nremove = \"120 ms\"\n";
const CONTENTION: &str = "[costs.contention]\nprocessors = 3\ncreate = 1.3\ninit = 0.8\nrun = 0.9\npause = 0.5\n\
    unpause = 0.25\nremove = 0.7\n";
const FAILURES: &str =
    "[failures]\ncreate = 0.01\ninit = 0.01\nrun = 0.02\nlogs = 0.005\npause = 0.02\nresume = 0.02\n";
const PREWARM: &str = "[[prewarm]]\nkind = \"python:3\"\nmemory = \"256 MiB\"\ninitial-count = 2\n\
    [prewarm.reactive]\nmin-count = 1\nmax-count = 4\nttl = \"2 min\"\nthreshold = 2\nincrement = 1\n";

/// Name and text of every golden scenario.
fn scenarios() -> Vec<(String, String)> {
    let mut all: Vec<(String, String)> = Vec::new();
    let mut add = |name: &str, text: String| all.push((name.to_owned(), text));
    for preset in ["openwhisk", "faascache", "faascache-head", "ideal"] {
        add(&format!("azure {preset}"), format!("{AZURE}[rules]\npreset = \"{preset}\"\n"));
    }
    for policy in faassim::policy::EVICTION {
        let name = policy.name;
        add(
            &format!("azure ideal {name}"),
            format!("{AZURE}[rules]\npreset = \"ideal\"\n[eviction.{name}]\n"),
        );
        add(
            &format!("azure openwhisk {name}"),
            format!("{AZURE}[rules]\npreset = \"openwhisk\"\n[eviction.{name}]\n"),
        );
    }
    for policy in faassim::policy::KEEP_ALIVE {
        let name = policy.name;
        add(
            &format!("long ideal {name}"),
            format!("{AZURE_LONG}[rules]\npreset = \"ideal\"\n[keep-alive.{name}]\n"),
        );
    }
    add(
        "drop",
        format!("{}[rules]\npreset = \"ideal\"\nwhen-full = \"drop\"\n", AZURE.replace("20 GiB", "8 GiB")),
    );
    add("phases", format!("{AZURE}[rules]\npreset = \"openwhisk\"\npause-grace = \"50 ms\"\n{PHASES}"));
    add("failures", format!("{LITMUS}[rules]\npreset = \"openwhisk\"\n{PHASES}{FAILURES}"));
    add("contention", format!("{CONCURRENT}[rules]\npreset = \"openwhisk\"\n{PHASES}{CONTENTION}{FAILURES}"));
    add(
        "contention by clock",
        format!("{LITMUS}[rules]\npreset = \"openwhisk\"\n{OVERHEADS}{CONTENTION}by-clock = true\n"),
    );
    add("overheads", format!("{AZURE}[rules]\npreset = \"openwhisk\"\n{OVERHEADS}"));
    add("feed", format!("{AZURE}[rules]\npreset = \"openwhisk\"\nfeed-capacity = 8\n"));
    add("concurrent", format!("{CONCURRENT}[rules]\npreset = \"openwhisk\"\n{PHASES}{FAILURES}"));
    add(
        "prewarm",
        format!(
            "{CONCURRENT}[rules]\npreset = \"openwhisk\"\nprewarm-check-interval = \"30 s\"\n{PHASES}{PREWARM}"
        ),
    );
    let elastic = "[pool.elastic]\ncold-percent = 10\nperiod = \"5 min\"\n[rules]\npreset = ";
    add("elastic ideal", format!("{AZURE_LONG}{elastic}\"ideal\"\n"));
    add("elastic openwhisk s3-fifo", format!("{AZURE_LONG}{elastic}\"openwhisk\"\n[eviction.s3-fifo]\n"));
    add("prewarm fork", format!("{CONCURRENT}[rules]\npreset = \"faascache\"\n{PHASES}{PREWARM}"));
    all
}

/// Five functions that allow several activations per container, in bursts.
fn concurrent_trace() -> Trace {
    let functions = (0..5_u16)
        .map(|ix| Function {
            max_concurrent: ix + 1,
            ..Function::new(
                format!("f{ix}"),
                Memory(256),
                Span::from_ms(900),
                Span::from_ms(150 + 70 * u64::from(ix)),
            )
        })
        .collect();
    let mut invocations = Invocations::with_capacity(6_000);
    // A linear congruential generator (Knuth's MMIX) is all the variety that is needed.
    let mut state = 1_u64;
    let mut time = 0;
    for _ in 0..6_000 {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let draw = state >> 33;
        time += if draw.is_multiple_of(50) { 20_000_000 } else { draw % 90_000 };
        invocations.push(Time(time), (draw >> 7) as u32 % 5, RunTime::ABSENT);
    }
    Trace::new("concurrent", functions, invocations).expect("it is a trace")
}

fn run(scenario: &Scenario, trace: &Trace, queue: &mut impl EventQueue) -> (Summary, Trail) {
    let Engine::Pool(setup) = &scenario.engine else { panic!("golden scenarios run the pool") };
    let tally = Tally::new(trace.functions.len(), scenario.memory, Span::from_mins(10), false);
    let mut observer = (tally, Trail::default());
    let end = replay_with(scenario, setup, trace, queue, &mut observer, &mut ()).expect("it runs");
    let names: Vec<String> = trace.functions.iter().map(|function| function.name.clone()).collect();
    (observer.0.summary(&names, end.at, end.unserved), observer.1)
}

fn measure() -> BTreeMap<String, Value> {
    let mut traces: BTreeMap<String, Trace> = BTreeMap::new();
    let mut measured = BTreeMap::new();
    for (name, text) in scenarios() {
        let scenario =
            Scenario::from_text(Path::new("golden.toml"), text, &[]).expect("a golden scenario is right");
        let path = scenario.trace.path.display().to_string();
        let trace = traces.entry(path.clone()).or_insert_with(|| match path.as_str() {
            "CONCURRENT" => concurrent_trace(),
            _ => read_native(Path::new(&path)).expect("a bundled trace").trace,
        });
        let (summary, trail) = run(&scenario, trace, &mut Wheel::new(mean_gap(trace)));
        let (_, again) = run(&scenario, trace, &mut HeapQueue::default());
        assert_eq!(trail, again, "{name}: the wheel and the heap disagree");
        let ended =
            summary.served + summary.never_started + summary.dropped + summary.lost + summary.unserved;
        assert!(ended == summary.invocations, "{name}: {ended} ends of {} invocations", summary.invocations);
        let value = json!({
            "actions": trail.actions(),
            "hash": format!("{:016x}", trail.hash()),
            "warm": summary.warm,
            "cold": summary.cold,
            "partial": summary.partial,
            "dropped": summary.dropped,
            "waited": summary.waited,
            "failed": summary.failed,
            "lost": summary.lost,
            "unserved": summary.unserved,
            "evicted": summary.containers.evicted,
            "expired": summary.containers.expired,
            "shrunk": summary.containers.shrunk,
            "unloaded": summary.containers.unloaded,
            "idle_gib_s": format!("{:.3}", summary.memory.idle_gib_s),
        });
        measured.insert(name, value);
    }
    measured
}

#[test]
fn golden_scenarios_give_what_is_committed() {
    let measured = measure();
    if std::env::var_os("FAASSIM_RENEW_GOLDEN").is_some() {
        let text = serde_json::to_string_pretty(&measured).expect("plain values") + "\n";
        std::fs::write(FILE, text).expect("the file can be written");
        println!("{} scenarios written to {FILE}", measured.len());
        return;
    }
    let text = std::fs::read_to_string(FILE).expect("the golden file is there");
    let golden: BTreeMap<String, Value> = serde_json::from_str(&text).expect("it is JSON");
    let mut wrong = Vec::new();
    for (name, value) in &measured {
        match golden.get(name) {
            Some(expected) if expected == value => {}
            Some(expected) => wrong.push(format!("{name}\n  expected {expected}\n  got      {value}")),
            None => wrong.push(format!("{name}: not in {FILE}")),
        }
    }
    for name in golden.keys().filter(|name| !measured.contains_key(*name)) {
        wrong.push(format!("{name}: in {FILE}, but there is no such scenario"));
    }
    assert!(wrong.is_empty(), "{} of {} differ:\n{}", wrong.len(), measured.len(), wrong.join("\n"));
    assert!(measured.len() > 30, "only {} scenarios", measured.len());
}

/// The golden scenarios would prove little if they did not reach what they are about.
#[test]
fn golden_scenarios_exercise_what_they_should() {
    let text = std::fs::read_to_string(FILE).expect("the golden file is there");
    let golden: BTreeMap<String, Value> = serde_json::from_str(&text).expect("it is JSON");
    let count = |name: &str, key: &str| golden[name][key].as_u64().expect("a count");
    assert!(count("azure openwhisk", "evicted") > 1_000);
    assert!(count("azure openwhisk", "waited") > 0);
    assert!(count("long ideal fixed", "expired") > 100);
    assert!(count("feed", "waited") > 100);
    assert!(count("drop", "dropped") > 100);
    assert!(count("elastic ideal", "shrunk") > 100);
    assert!(count("elastic openwhisk s3-fifo", "shrunk") > 100);
    assert!(count("failures", "failed") > 100);
    assert!(count("concurrent", "partial") > 100);
    assert!(count("prewarm", "partial") > 100);
    assert!(count("long ideal hybrid-histogram", "unloaded") > 10);
}
