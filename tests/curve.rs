//! Curves against what must be true of them: bounds above every policy of the registry, models against the
//! published litmus traces, results that do not depend on threads.

use std::path::Path;

use faassim::curve::exact::Worker;
use faassim::curve::{Axis, Kind, Request, Sampling, Study, Watch, study};
use faassim::memory::Memory;
use faassim::policy::EVICTION;
use faassim::random::splitmix;
use faassim::scenario::{Choice, Engine, Scenario};
use faassim::time::{Span, Time};
use faassim::trace::{Context, Function, Invocations, Reading, RunTime, Trace};

/// Never stops anything.
struct Patient;

impl Watch for Patient {
    fn proceed(&self, _more: u64) -> bool {
        true
    }
}

fn scenario(extra: &str) -> Scenario {
    let text =
        format!("[trace]\npath = \"none\"\n[pool]\nmemory = \"1 GiB\"\n[rules]\npreset = \"ideal\"\n{extra}");
    Scenario::from_text(Path::new("s.toml"), text, &[]).expect("a valid scenario")
}

fn all_policies() -> Vec<Choice<faassim::policy::EvictionPolicy>> {
    EVICTION.iter().map(|policy| Choice { policy, params: Vec::new() }).collect()
}

fn request(memory: &str) -> Request {
    Request {
        axis: Some(memory.parse::<Axis>().expect("a valid axis")),
        points: 12,
        evictions: all_policies(),
        shards: Sampling::Off,
        mini: Sampling::Off,
        repeats: 3,
        provision: None,
    }
}

fn take(scenario: &Scenario, trace: &Trace, request: &Request) -> Study {
    let Engine::Pool(setup) = &scenario.engine else { panic!("a pool") };
    let window = scenario.trace.window;
    study(&Worker { scenario, setup, trace, window, watch: &Patient }, request).expect("it fits")
}

fn litmus(name: &str) -> Trace {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("traces").join(name);
    let patient = ();
    faassim::trace::formats::read(&path, &Reading::default(), &mut Context::new(&patient))
        .expect("a bundled trace")
}

/// A few functions of different sizes and popularity, bursts, and run times between nothing and longer than
/// gaps.
fn random_trace(seed: u64, least: u64) -> Trace {
    let mut state = seed;
    let mut draw = |below: u64| {
        state = splitmix(state);
        state % below
    };
    let functions: Vec<Function> = (0..least + draw(7))
        .map(|ix| {
            let warm = Span::from_ms([1, 40, 900, 6_000][draw(4) as usize]);
            let cold = Span(warm.0 + [0, 300_000, 4_000_000][draw(3) as usize]);
            Function::new(format!("f{ix}"), Memory([64, 128, 200, 512][draw(4) as usize]), cold, warm)
        })
        .collect();
    let (mut now, mut invocations) = (draw(1_000_000), Invocations::default());
    for _ in 0..400 {
        now += [0, 5, 700, 3_000, 45_000][draw(5) as usize];
        let function = (draw(functions.len() as u64).min(draw(functions.len() as u64))) as u32;
        let run = if draw(3) == 0 { RunTime::capped(Span::from_ms(draw(2_500))) } else { RunTime::ABSENT };
        invocations.push(Time::from_ms(now), function, run);
    }
    Trace::new("random", functions, invocations).expect("a valid trace")
}

/// No simulated policy is above a bound where it is one. How many comparisons were made with the memory-time
/// bound.
fn assert_bounds(study: &Study, what: &str) -> usize {
    let curve = |name: &str| study.curves.iter().find(|curve| curve.name == name).expect(name);
    let (compulsory, memory_time) = (curve("bound: compulsory"), curve("bound: memory-time"));
    let mut compared = 0;
    let simulated = study
        .curves
        .iter()
        .filter(|curve| matches!(curve.kind, Kind::Exact | Kind::Heuristic | Kind::Reference));
    for policy in simulated {
        for (nth, point) in policy.points.iter().enumerate() {
            let place = format!("{what}: {} at {}", policy.name, point.memory);
            let not_warm = point.cold.expect("counted") + point.dropped.expect("counted");
            let (first, second) = (compulsory.points[nth], memory_time.points[nth]);
            assert!(not_warm >= first.cold.expect("counted"), "{place}: {not_warm} against {first:?}");
            // Memory without limit is not the memory of the point.
            if memory_time.kind_at(point.memory) == Kind::Bound && policy.kind != Kind::Reference {
                compared += 1;
                assert!(not_warm >= second.cold.expect("counted"), "{place}: {not_warm} against {second:?}");
                assert!(point.warm_pct <= second.warm_pct, "{place}");
            }
        }
    }
    compared
}

const DROP: &str = "when-full = \"drop\"\n";

#[test]
fn no_policy_passes_a_bound_on_random_traces() {
    let mut compared = [0; 3];
    for seed in 0..25 {
        let trace = random_trace(seed, 2);
        let memory = request("300 MiB, 512 MiB, 700 MiB, 1 GiB, 2 GiB, 4 GiB, 16 GiB");
        for (nth, rules) in ["", DROP, "[keep-alive.fixed]\nkeep = \"forever\"\n"].into_iter().enumerate() {
            let found = take(&scenario(rules), &trace, &memory);
            compared[nth] += assert_bounds(&found, &format!("trace {seed}, rules {rules:?}"));
        }
    }
    // Where activations are dropped it holds everywhere, where they wait only with enough memory.
    assert_eq!(compared[1], 25 * 7 * (EVICTION.len() + 1));
    assert!(compared[0] > 500 && compared[2] > 500, "{compared:?}");
}

#[test]
fn no_policy_passes_a_bound_on_the_litmus_traces() {
    for name in ["faascache-litmus-freq", "faascache-litmus-lru", "faascache-litmus-size"] {
        let trace = litmus(name);
        for rules in ["", DROP] {
            let found = take(&scenario(rules), &trace, &request("600 MiB, 1 GiB, 3 GiB"));
            assert!(assert_bounds(&found, name) > 0);
        }
    }
}

#[test]
fn the_memory_time_bound_is_reached_where_it_can_be() {
    // One function of 100 MiB every second, and a pool for one container: all warm but the first.
    let function = |name| Function::new(name, Memory(100), Span::from_ms(300), Span::from_ms(100));
    let mut alone = Invocations::default();
    (0..100).for_each(|nth| alone.push(Time::from_ms(1_000 * nth), 0, RunTime::ABSENT));
    // Two of them in turn, and still a pool for one: none can be kept over the other.
    let mut turns = Invocations::default();
    (0..100).for_each(|nth| turns.push(Time::from_ms(1_000 * nth), (nth % 2) as u32, RunTime::ABSENT));
    let bound = |functions, invocations| {
        let trace = Trace::new("t", functions, invocations).expect("a valid trace");
        let found = take(&scenario(DROP), &trace, &request("100 MiB"));
        let named =
            |name: &str| found.curves.iter().find(|curve| curve.name == name).expect("there").points[0].cold;
        (named("bound: memory-time").expect("counted"), named("lru").expect("counted"))
    };
    assert_eq!(bound(vec![function("a")], alone), (1, 1));
    let (bound, lru) = bound(vec![function("a"), function("b")], turns);
    // Each warm start takes 2 of 99 seconds, so at most 49 of 100; every policy has none.
    assert_eq!(lru, 100);
    assert!((50..=52).contains(&bound), "{bound}");
}

/// A large function every second, and ten small ones in turn.
fn cyclic() -> Trace {
    let mut calls = Invocations::default();
    for nth in 0..600 {
        calls.push(Time::from_ms(1_000 * nth), 0, RunTime::ABSENT);
        calls.push(Time::from_ms(1_000 * nth + 500), 1 + (nth % 10) as u32, RunTime::ABSENT);
    }
    let function =
        |ix: u64, mib| Function::new(format!("f{ix}"), Memory(mib), Span::from_ms(50), Span::from_ms(10));
    let functions = std::iter::once(function(0, 300)).chain((1..=10).map(|ix| function(ix, 100))).collect();
    Trace::new("cyclic", functions, calls).expect("a valid trace")
}

#[test]
fn who_knows_the_future_keeps_part_of_a_cycle() {
    for rules in ["when-full = \"wait\"\n", DROP] {
        let keep = scenario(&format!("{rules}[keep-alive.fixed]\nkeep = \"forever\"\n"));
        let found = take(&keep, &cyclic(), &request("700 MiB"));
        let point =
            |name: &str| found.curves.iter().find(|curve| curve.name == name).expect("there").points[0];
        let (lru, knowing) = (point("lru"), point("clairvoyant heuristic"));
        // Room for the large one and four small ones: LRU always evicts the small one that is next.
        assert_eq!((lru.cold, lru.dropped), (Some(601), Some(0)), "{rules}");
        // Of four places one is for whoever comes; the others serve three of nine.
        let cold = knowing.cold.expect("counted");
        assert!((390..=430).contains(&cold) && knowing.dropped == Some(0), "{rules}: {knowing:?}");
    }
}

#[test]
fn an_image_that_another_function_fetches_makes_wait() {
    let costs = "[costs]\npull = \"0 s\"\ncreate = \"0 s\"\ninit = \"0 s\"\n\
                 [costs.functions.x]\npull = \"60 s\"\n[keep-alive.fixed]\nkeep = \"forever\"\n";
    let function = |name, warm| Function::new(name, Memory(100), Span::from_ms(warm), Span::from_ms(warm));
    let functions = vec![function("x", 100_000), function("w", 5_000), function("y", 50)];
    let mut calls = Invocations::default();
    calls.push(Time::ZERO, 0, RunTime::ABSENT);
    calls.push(Time::from_ms(500), 1, RunTime::ABSENT);
    for nth in 0..40 {
        calls.push(Time::from_ms(10_000 + 1_000 * (nth / 2)), 2, RunTime::ABSENT);
    }
    let trace = Trace::new("pull", functions, calls).expect("a valid trace");
    let found = take(&scenario(costs), &trace, &request("300 MiB, 400 MiB, 100 GiB"));
    // All of y wait for the image that x fetches, and one container serves them one after the other: three are not
    // warm, where memory-time allows four for those who never wait.
    let curve = |name: &str| found.curves.iter().find(|curve| curve.name == name).expect("there");
    assert_eq!(curve("lru").points[0].cold, Some(3));
    let bound = curve("bound: memory-time");
    assert_eq!((bound.points[0].cold, bound.kind_at(Memory(300))), (Some(4), Kind::ConditionalBound));
    assert_eq!(bound.kind_at(Memory(102_400)), Kind::Bound, "with room for all it holds");
    assert!(assert_bounds(&found, "shared pull") > 0);
}

#[test]
fn lru_is_its_reuse_distance_curve_where_nothing_overlaps_or_expires() {
    let trace = litmus("faascache-litmus-lru");
    let keep =
        scenario("[keep-alive.fixed]\nkeep = \"forever\"\n[costs]\nrun = \"1 ms\"\ncold-start = \"1 ms\"\n");
    let found = take(&keep, &trace, &request("500 MiB..2500 MiB / 250 MiB"));
    let points = |name: &str| &found.curves.iter().find(|curve| curve.name == name).expect("there").points;
    for (lru, (model, copies)) in
        points("lru").iter().zip(points("reuse-distance").iter().zip(points("reuse-distance, copies")))
    {
        assert!((lru.warm_pct - model.warm_pct).abs() < 0.1, "{lru:?} {model:?}");
        assert_eq!(model.warm_pct, copies.warm_pct);
    }
}

#[test]
fn copies_count_where_functions_overlap() {
    // Two activations at once, every ten seconds: two containers are needed, one object is not enough.
    let mut calls = Invocations::default();
    (0..100).for_each(|nth| calls.push(Time::from_ms(10_000 * (nth / 2)), 0, RunTime::ABSENT));
    let function = Function::new("a", Memory(100), Span::from_ms(300), Span::from_ms(100));
    let trace = Trace::new("t", vec![function], calls).expect("a valid trace");
    let found = take(&scenario(DROP), &trace, &request("100 MiB, 199 MiB, 200 MiB"));
    let ratios = |name: &str| -> Vec<f64> {
        let curve = found.curves.iter().find(|curve| curve.name == name).expect("there");
        curve.points.iter().map(|point| point.warm_pct).collect()
    };
    assert_eq!(ratios("reuse-distance"), [99.0, 99.0, 99.0]);
    assert_eq!(ratios("reuse-distance (FaasCache)"), [100.0, 100.0, 100.0]);
    // One hit with less: the first of the second pair finds the container that was used last.
    assert_eq!(ratios("reuse-distance, copies"), [1.0, 1.0, 98.0]);
    assert_eq!(ratios("lru"), [49.0, 49.0, 98.0]);
    assert_eq!(ratios("bound: memory-time")[2], 98.0);
}

#[test]
fn results_do_not_depend_on_threads() {
    let trace = random_trace(7, 30);
    let sampling = Sampling::Given(0.6);
    let request =
        Request { shards: sampling, mini: sampling, provision: Some(70.0), axis: None, ..request("1 GiB") };
    let with = |threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("threads");
        format!("{:?}", pool.install(|| take(&scenario(""), &trace, &request)))
    };
    assert_eq!(with(1), with(4));
}

#[test]
fn provisioning_finds_the_least_memory() {
    let trace = litmus("faascache-litmus-size");
    let request = Request { provision: Some(60.0), ..request("500 MiB..4 GiB / 500 MiB") };
    let found = take(&scenario(""), &trace, &request);
    for answer in &found.answers {
        let Some((memory, _)) = answer.memory else { continue };
        assert!(answer.warm_pct >= 60.0, "{answer:?}");
        let curve = found.curves.iter().find(|curve| curve.name == answer.curve).expect("there");
        // On a curve that rises, what is less by a step of the axis is not enough.
        let less = curve.points.iter().rev().find(|point| point.memory.mib() + 500 <= memory.mib());
        assert!(less.is_none_or(|point| point.warm_pct < 60.0), "{answer:?} {less:?}");
    }
    assert!(found.answers.iter().any(|answer| answer.memory.is_some()));
}

/// The command in a folder.
fn faassim(folder: &Path, args: &[&str]) -> std::process::Output {
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_faassim"));
    command.current_dir(folder).arg("curve").args(args).output().expect("the binary starts")
}

/// A folder with a scenario of a litmus trace.
fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let trace = Path::new(env!("CARGO_MANIFEST_DIR")).join("traces/faascache-litmus-size");
    let text = format!(
        "[trace]\npath = \"{}\"\n[pool]\nmemory = \"1 GiB\"\n[rules]\npreset = \"ideal\"\n",
        trace.display()
    );
    std::fs::write(folder.path().join("s.toml"), text).expect("writable");
    folder
}

#[test]
fn the_command_prints_writes_and_draws() {
    let folder = folder();
    let args = ["s.toml", "--provision", "50%", "--mini-rate", "1", "--shards-rate", "1", "--points", "5"];
    let run = |threads: &str, out: &str| {
        let output = faassim(
            folder.path(),
            &[&args[..], &["--threads", threads, "-o", out, "--plot", "c.svg"]].concat(),
        );
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).expect("UTF-8")
    };
    let text = run("1", "one");
    for part in
        ["clairvoyant heuristic", "SHARDS 100 %", "miniature", "bound: memory-time", "memory for 50 % warm"]
    {
        assert!(text.contains(part), "no `{part}` in\n{text}");
    }
    assert!(text.contains("off the simulation by 0.00 points"), "a sample of all is the simulation\n{text}");
    for line in text.lines() {
        assert!(line.chars().count() <= 80, "{} columns: {line}", line.chars().count());
    }
    assert!(std::fs::read_to_string(folder.path().join("c.svg")).expect("drawn").contains("memory-time"));
    assert_eq!(run("3", "three"), text);
    for name in ["curve.csv", "curve.parquet", "summary.json", "manifest.json"] {
        let read =
            |folder_name: &str| std::fs::read(folder.path().join(folder_name).join(name)).expect("written");
        assert!(read("one") == read("three"), "{name} depends on threads");
    }
    let csv = std::fs::read_to_string(folder.path().join("one/curve.csv")).expect("written");
    assert_eq!(csv.lines().next(), Some("curve,kind,memory_mib,warm_pct,low_pct,high_pct,cold,dropped"));
    assert_eq!((csv.lines().count() - 1) % 5, 0, "five rows for each curve");
    // The manifest's command makes the same; results of a curve may be replaced by others.
    run("2", "one");
}

#[test]
fn few_invoked_functions_are_not_sampled_unless_asked_for() {
    let trace = Path::new(env!("CARGO_MANIFEST_DIR")).join("traces/azure392");
    let text = format!("[trace]\npath = \"{}\"\n[pool]\nmemory = \"1 GiB\"\n", trace.display());
    let folder = tempfile::tempdir().expect("a temporary folder");
    std::fs::write(folder.path().join("s.toml"), text).expect("writable");
    let args = ["s.toml", "--set", "trace.limit=20", "--no-results", "--memory", "1..40 GiB / 1 GiB"];
    let output = faassim(folder.path(), &args);
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{told}");
    assert!(told.contains("invoked functions are too few to be sampled; --shards-rate and"), "{told}");
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(
        !text.contains("SHARDS") && text.contains("\n   1.00 GiB") && text.contains("\n  40.00 GiB"),
        "{text}"
    );
    assert!(text.contains("more with --json\n"), "{text}");
    let output = faassim(folder.path(), &[&args[..], &["--shards-rate", "0.001"]].concat());
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("--shards-rate 0.001"));
}

#[test]
fn results_of_another_kind_are_not_replaced() {
    let folder = folder();
    let run = |command: &str, more: &[&str]| {
        let mut binary = std::process::Command::new(env!("CARGO_BIN_EXE_faassim"));
        binary.current_dir(folder.path()).args([command, "s.toml", "--set", "trace.limit=50"]);
        binary.args(more).output().expect("the binary starts")
    };
    for (first, second, part) in
        [("run", "curve", "holds the results of a run"), ("curve", "run", "holds curves")]
    {
        assert!(run(first, &["-o", first]).status.success());
        let output = run(second, &["-o", first]);
        let told = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{told}");
        assert!(told.contains(part) && told.contains("name another folder with -o"), "{told}");
        assert!(run(first, &["-o", first]).status.success(), "its own kind may be replaced");
        assert!(run(second, &["--no-results"]).status.success());
    }
}

#[test]
fn what_curves_leave_out_is_told() {
    let folder = folder();
    let scenario = std::fs::read_to_string(folder.path().join("s.toml")).expect("readable");
    std::fs::write(folder.path().join("s.toml"), scenario + "[sweep]\nseed = [1, 2]\n").expect("writable");
    let args = ["s.toml", "--set", "trace.limit=50", "--no-results", "--points", "2"];
    let told = faassim(folder.path(), &args).stderr;
    assert!(String::from_utf8_lossy(&told).contains("note: [sweep] is left out"));
}

#[test]
fn wrong_usage_is_told_with_what_to_do() {
    let folder = folder();
    for (args, part) in [
        (&["s.toml", "--memory", "8"][..], "`8` has no unit"),
        (&["s.toml", "--eviction", "lru,gready-dual"], "did you mean `greedy-dual`?"),
        (&["s.toml", "--eviction", "lru,lru"], "eviction policy `lru` is given twice"),
        (&["s.toml", "--provision", "90"], "write for example `90%`"),
        (&["s.toml", "--shards-rate", "2"], "`2` is not from 0 to 1"),
        (&["s.toml", "--mini-rate", "0.001"], "take a higher rate"),
        (&["s.toml", "--plot", "c.pdf"], "must end in .svg or .png"),
        (&["t.toml"], "did you mean `s.toml`?"),
    ] {
        let output = faassim(folder.path(), args);
        let told = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{args:?}: {told}");
        assert!(told.contains(part), "{args:?}: {told}");
        assert!(output.stdout.is_empty());
    }
    std::fs::write(
        folder.path().join("a.toml"),
        "[trace]\npath = \".\"\n[pool]\nmemory = \"1 GiB\"\n[faascache-artifact]\npolicy = \"GD\"\n",
    )
    .expect("writable");
    let output = faassim(folder.path(), &["a.toml"]);
    assert_eq!(output.status.code(), Some(2));
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(told.contains("[faascache-artifact] has no curves"), "{told}");
    let results = std::fs::read_dir(folder.path().join("results")).expect("it was claimed");
    assert_eq!(results.count(), 0, "something is left behind");
}
