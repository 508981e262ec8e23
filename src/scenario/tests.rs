//! Whole scenarios read from text. Messages as a user sees them are in `tests/messages.rs`.

use std::path::{Path, PathBuf};

use super::*;
use crate::policy::{KEEP_ALIVE, Params};
use crate::pool::rules::{PRESETS, Reactive, Reuse, Rules};
use crate::time::Time;
use crate::trace::{Reading, Window};

const FINE: &str = "[trace]\npath = \"../traces/azure\"\n[pool]\nmemory = \"8 GiB\"\n";

fn read(text: &str, sets: &[(&str, &str)]) -> Result<Scenario, Error> {
    let overrides: Vec<Override> = sets.iter().map(|(path, value)| Override::new(*path, *value)).collect();
    Scenario::from_text(Path::new("scenarios/quick.toml"), text, &overrides)
}

fn fine(text: &str, sets: &[(&str, &str)]) -> Scenario {
    read(text, sets).unwrap_or_else(|error| panic!("{error}"))
}

fn pool(scenario: &Scenario) -> &PoolSetup {
    match &scenario.engine {
        Engine::Pool(setup) => setup,
        Engine::Artifact(policy) => panic!("the artifact with {policy:?}"),
    }
}

#[test]
fn the_smallest_scenario_has_documented_defaults() {
    let scenario = fine(FINE, &[]);
    assert_eq!(scenario.name, "quick");
    assert_eq!((scenario.question.as_deref(), scenario.seed, scenario.memory), (None, 1, Memory(8192)));
    let path = PathBuf::from("scenarios/../traces/azure");
    assert_eq!(
        scenario.trace,
        TraceSpec {
            path,
            reading: Reading { seed: scenario.seed, ..Reading::default() },
            cut: None,
            window: Window::ALL
        }
    );
    assert_eq!(scenario.output, OutputSpec::default());
    assert_eq!(scenario.text, FINE);
    let setup = pool(&scenario);
    assert_eq!((setup.preset.name, &setup.rules), ("openwhisk", &Rules::OPENWHISK));
    assert_eq!((setup.eviction.policy.name, setup.keep_alive.policy.name), ("lru", "fixed"));
    assert_eq!(setup.keep_alive.params[0].1.to_string(), "10 min");
    assert!(setup.stem_cells.is_empty());
    assert_eq!((&setup.costs, setup.failures), (&CostSpec::default(), Failures::default()));
}

#[test]
fn presets_bring_policies_that_exist() {
    let fixed = KEEP_ALIVE.iter().find(|policy| policy.name == "fixed").expect("fixed");
    for preset in PRESETS {
        let scenario = fine(FINE, &[("rules.preset", preset.name)]);
        let setup = pool(&scenario);
        assert_eq!(setup.rules, preset.rules);
        assert_eq!(setup.eviction.policy.name, preset.eviction);
        let mut params = Params::new(fixed.params, &setup.keep_alive.params);
        assert_eq!(params.span(fixed.params[0].name), preset.keep);
        assert!(params.into_errors().is_empty());
    }
}

#[test]
fn everything_can_be_said() {
    let text = format!(
        "name = \"all-of-it\"\nquestion = \"Does it read?\"\nseed = 18446744073709551615\neviction = \"sieve\"\n{FINE}
        [keep-alive.ski-rental]
        [rules]
        preset = \"ideal\"
        reuse = \"oldest\"
        [[prewarm]]
        kind = \"python:3\"
        memory = \"256 MiB\"
        initial-count = 2
        reactive = {{ min-count = 1, max-count = 4, ttl = \"2 min\", threshold = 3, increment = 2 }}
        [[prewarm]]
        kind = \"go:1\"
        memory = \"128 MiB\"
        initial-count = 0
        [failures]
        create = 0.25
        resume = 1
        [output]
        invocations = true
        functions = false
        memory-every = \"10 s\""
    );
    let scenario = fine(&text, &[]);
    assert_eq!((scenario.name.as_str(), scenario.seed), ("all-of-it", u64::MAX));
    assert_eq!(scenario.question.as_deref(), Some("Does it read?"));
    let output = OutputSpec { invocations: true, functions: false, memory_every: Span::from_secs(10) };
    assert_eq!(scenario.output, output);
    let setup = pool(&scenario);
    assert_eq!(setup.rules, Rules { reuse: Reuse::Oldest, ..Rules::IDEAL });
    assert_eq!((setup.eviction.policy.name, setup.keep_alive.policy.name), ("sieve", "ski-rental"));
    assert_eq!(setup.failures, Failures { create: 0.25, resume: 1.0, ..Failures::default() });
    let reactive =
        Reactive { min_count: 1, max_count: 4, ttl: Span::from_mins(2), threshold: 3, increment: 2 };
    let python = StemCellSpec {
        kind: "python:3".to_owned(),
        memory: Memory(256),
        initial_count: 2,
        reactive: Some(reactive),
    };
    let go = StemCellSpec { kind: "go:1".to_owned(), memory: Memory(128), initial_count: 0, reactive: None };
    assert_eq!(setup.stem_cells, [python, go]);
}

#[test]
fn costs_of_functions_inherit_what_they_do_not_say() {
    let text = format!(
        "{FINE}
        [costs]
        create = \"400 ms\"
        init = {{ log-normal = {{ median = \"90 ms\", sigma = 0.4 }}, max = \"2 s\" }}
        unpause = \"60 ms\"
        [costs.functions.resize]
        init = \"10 ms\"
        run = {{ empirical = [\"1 ms\", \"2 ms\", \"9 ms\"] }}
        [costs.functions.\"a.b\"]
        cold-start = \"1 s\""
    );
    let scenario = fine(&text, &[]);
    let costs = &pool(&scenario).costs;
    let ms = |ms| DurationValue::constant(Span::from_ms(ms));
    let init = DurationValue {
        shape: Shape::LogNormal { median: Span::from_ms(90), sigma: 0.4 },
        min: None,
        max: Some(Span::from_secs(2)),
    };
    let phases = Phases {
        pull: DurationValue::ZERO,
        create: ms(400),
        init: Source::Given(init),
        init_overhead: DurationValue::ZERO,
        first_run: None,
    };
    let general =
        Costs { start: Start::Phases(Box::new(phases.clone())), unpause: ms(60), ..Costs::default() };
    assert_eq!(*costs.of("unknown"), general);
    let empirical = Shape::Empirical(vec![Span::from_ms(1), Span::from_ms(2), Span::from_ms(9)]);
    let resize = Costs {
        start: Start::Phases(Box::new(Phases { init: Source::Given(ms(10)), ..phases })),
        run: Source::Given(DurationValue { shape: empirical, min: None, max: None }),
        ..general.clone()
    };
    assert_eq!(*costs.of("resize"), resize);
    assert_eq!(*costs.of("a.b"), Costs { start: Start::Whole(Source::Given(ms(1_000))), ..general });
}

#[test]
fn overrides_hold_and_are_kept() {
    let sets =
        [("pool.memory", "16 GiB"), ("eviction", "fifo"), ("trace.limit", "5"), ("trace.until", "1 h")];
    let scenario = fine(&format!("{FINE}[eviction.lru]\n"), &sets);
    assert_eq!(scenario.memory, Memory(16_384));
    assert_eq!(pool(&scenario).eviction.policy.name, "fifo");
    assert_eq!(
        (scenario.trace.window.limit, scenario.trace.window.until),
        (Some(5), Time::ZERO + Span::from_mins(60))
    );
    let kept: Vec<String> = scenario.overrides.iter().map(ToString::to_string).collect();
    assert_eq!(kept, ["pool.memory=16 GiB", "eviction=fifo", "trace.limit=5", "trace.until=1 h"]);
    let again: Vec<Override> = kept.iter().map(|text| text.parse().expect("PATH=VALUE")).collect();
    assert_eq!(again, scenario.overrides);
}

#[test]
fn live_mode_has_documented_defaults_and_reads_what_is_said() {
    assert_eq!(fine(FINE, &[]).live, LiveSpec::default());
    let text = format!(
        "{FINE}[live]\nactions = \"mine\"\nmap = \"name\"\nspeed = 10\ncpus = 2\nlog-limit = \"1 MB\"\n\
         [live.functions]\na = \"hello\"\n\"b.c\" = {{ action = \"matmul\", args = {{ n = 200, x = [1.5, true] }} }}\n\
         [live.images]\n\"python:3\" = \"openwhisk/action-python-v3.11\"\n"
    );
    let live = fine(&text, &[("live.functions.d", "dd"), ("live.drain", "0 s")]).live;
    let (path, map) = (PathBuf::from("scenarios/mine"), MapRule::Name);
    assert_eq!((live.actions.as_ref(), live.map, live.speed, live.cpus), (Some(&path), map, 10.0, Some(2.0)));
    assert_eq!((live.log_limit, live.drain, live.limit), (Memory(1), Span::ZERO, None));
    let functions: Vec<_> = live.functions.iter().map(|a| (&*a.function, &*a.action, &*a.place)).collect();
    assert_eq!(
        functions,
        [
            ("a", "hello", "scenarios/quick.toml:12"),
            ("b.c", "matmul", "scenarios/quick.toml:13"),
            ("d", "dd", "--set live.functions.d")
        ]
    );
    assert_eq!(serde_json::json!(live.functions[1].args), serde_json::json!({"n": 200, "x": [1.5, true]}));
    assert_eq!(
        (&*live.images[0].kind, &*live.images[0].image),
        ("python:3", "openwhisk/action-python-v3.11")
    );
}

#[test]
fn the_published_simulator_replaces_the_pool() {
    let scenario = fine(FINE, &[("faascache-artifact.policy", "LND")]);
    assert!(matches!(scenario.engine, Engine::Artifact(_)));
    assert!(read(FINE, &[("faascache-artifact.policy", "LND"), ("eviction", "lru")]).is_err());
}

#[test]
fn reading_depends_on_nothing_but_the_text() {
    let wrong =
        "[pool]\nmemory = 8\n[costs.functions.b]\nrun = 1\n[costs.functions.a]\nrun = 2\n[rules]\nx = 1\n";
    let first = read(wrong, &[]).expect_err("wrong").to_string();
    for _ in 0..10 {
        assert_eq!(read(wrong, &[]).expect_err("wrong").to_string(), first);
    }
}

#[test]
fn every_documented_example_can_be_written() {
    for section in keys::SECTIONS {
        for key in section.keys.iter().filter(|key| !key.example.is_empty()) {
            let path = match section.path {
                "" => key.name.to_owned(),
                "prewarm" => format!("prewarm.0.{}", key.name),
                "prewarm.reactive" => format!("prewarm.0.reactive.{}", key.name),
                "live.functions.NAME" => format!("live.functions.f.{}", key.name),
                path => format!("{path}.{}", key.name),
            };
            // Keys that only make sense together.
            let beside = match (section.path, key.name) {
                ("costs", "pull" | "first-run") => vec![("costs.create", "0 s")],
                ("costs.contention", _) => vec![("costs.contention.processors", "2")],
                ("trace", "sample-by") => vec![("trace.sample", "5")],
                ("trace", "until") => vec![("trace.from", "1 s")],
                ("live.functions.NAME", "args") => vec![("live.functions.f.action", "hello")],
                ("pool.elastic", name) if !name.starts_with("cold") => {
                    vec![("pool.elastic.cold-percent", "5")]
                }
                _ => Vec::new(),
            };
            let prewarm = match section.path {
                "prewarm" | "prewarm.reactive" => {
                    "[[prewarm]]\nkind = \"go:1\"\nmemory = \"1 GiB\"\ninitial-count = 1\n\
                     [prewarm.reactive]\nmin-count = 0\nmax-count = 9\nttl = \"1 s\"\nthreshold = 1\nincrement = 1\n"
                }
                _ => "",
            };
            let mut sets = beside;
            sets.push((&path, key.example));
            fine(&format!("{FINE}{prewarm}"), &sets);
        }
    }
    for key in keys::DURATION.iter().filter(|key| !matches!(key.name, "min" | "max")) {
        fine(FINE, &[("costs.run.min", "1 ms"), (&format!("costs.run.{}", key.name), key.example)]);
    }
}

#[test]
fn the_reference_has_every_key() {
    let reference = reference();
    for section in keys::SECTIONS {
        assert!(reference.contains(section.header));
        for key in section.keys.iter().filter(|key| !key.default.is_empty()) {
            assert!(reference.contains(&format!("  {} ", key.name)), "{}", key.name);
        }
    }
    for line in reference.lines() {
        assert!(line.chars().count() <= 110, "{line}");
    }
}

/// Something of everything, to be damaged.
const RICH: &str = r#"name = "rich"
[trace]
path = "."
from = "1 h"
[pool]
memory = "8 GiB"
[rules]
preset = "ideal"
feed-capacity = 8
[eviction.lru]
[[prewarm]]
kind = "python:3"
memory = "256 MiB"
initial-count = 2
reactive = { min-count = 1, max-count = 4, ttl = "2 min", threshold = 1, increment = 1 }
[costs]
run = { uniform = { low = "1 ms", high = "2 ms" }, max = "1 s" }
[costs.functions."a.b"]
logs = { empirical = ["1 ms", "2 ms"] }
[failures]
run = 0.1
[live]
backend = "docker"
[live.functions]
a = { action = "hello", args = { n = [1, 2.5] } }
"#;

proptest::proptest! {
    #[test]
    fn damaged_scenarios_are_refused_or_read_but_never_a_panic(
        cuts in proptest::collection::vec((0..RICH.len(), 0..9_usize, "[a-z0-9\\[\\]{}=.\" \n\\-]{0,4}"), 1..5),
        set in "[a-z0-9.\"\\-]{0,12}=[a-z0-9.\"{}\\[\\]= ]{0,12}",
    ) {
        let mut text = RICH.to_owned();
        for (at, length, insert) in cuts {
            let at = at.min(text.len());
            let end = (at + length).min(text.len());
            text.replace_range(at..end, &insert);
        }
        let overrides: Vec<Override> = set.parse().into_iter().collect();
        if let Err(error) = Scenario::from_text(Path::new("rich.toml"), text, &overrides) {
            proptest::prop_assert!(!error.diagnostics().is_empty());
        }
    }
}
