//! Does a single keep-alive explain the cold starts that were measured on AWS Lambda? The figures of
//! docs/validation-aws-lambda.md, each made anew; that the model behind them is the simulator; and the command as a
//! user sees it. Must never repeat the search's own arithmetic: it counts from the raw records.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use faassim::compare::keep_alive::{Agreement, Aim, Cause, Fit, Habits, Recorded, Step, best};
use faassim::scenario::{Engine, Scenario};
use faassim::sim::replay;
use faassim::time::{Span, Time};
use faassim::trace::{Invocations, RunTime, Trace, read_native};

/// The runs, and their raw records.
const RUNS: [(&str, &str); 5] = [
    ("2020-05-26", "res-01-2020-05-26_01-31-35.csv.gz"),
    ("2020-05-28", "res-01-2020-05-28_01-57-40.csv.gz"),
    ("2020-06-06", "res-01-2020-06-06_22-39-19.csv.gz"),
    ("2020-06-10", "res-01-2020-06-10_22-20-08.csv.gz"),
    ("2020-06-18", "res-01-2020-06-18_23-36-37.csv.gz"),
];

/// The best single keep-alive for all runs.
const BEST: Span = Span::from_secs(633);

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn folder(run: &str) -> PathBuf {
    root().join("traces/aws-lambda-2020").join(run)
}

fn trace(run: &str) -> Trace {
    read_native(&folder(run)).expect("a bundled trace").trace
}

fn recorded(run: &str) -> Recorded {
    Recorded::new(&trace(run)).expect("it was measured")
}

fn steps(recorded: &Recorded) -> Vec<Step> {
    recorded.steps(|_| true).expect("nobody stops it")
}

/// Predicted, measured, missed, extra.
fn figures(agreement: &Agreement) -> [u64; 4] {
    [agreement.predicted(), agreement.measured(), agreement.missed, agreement.extra]
}

/// In µs.
fn ends(fit: &Fit) -> [u64; 2] {
    [fit.range.over.0, fit.range.upto.0]
}

/// A raw record, by column.
fn raw(file: &str) -> Vec<BTreeMap<String, String>> {
    let file = File::open(root().join("traces/aws-lambda-2020/raw").join(file)).expect("a bundled file");
    let rows = csv::Reader::from_reader(flate2::read::GzDecoder::new(file)).into_deserialize();
    rows.collect::<Result<_, _>>().expect("a valid file")
}

fn seconds(row: &BTreeMap<String, String>, column: &str) -> f64 {
    row[column].parse().expect("a number")
}

fn micro(seconds: f64) -> u64 {
    (seconds * 1e6).round() as u64
}

// ----- the figures -----

#[test]
fn the_best_keep_alive_of_each_run_alone() {
    // By count: range in µs, predicted, measured, missed, extra. By calls: the same.
    let expected = [
        ([730_003_044, 730_167_833], [29, 29, 11, 11], [730_167_833, 731_778_932], [28, 29, 11, 10]),
        ([646_983_088, 647_824_050], [59, 59, 1, 1], [632_376_836, 646_983_088], [60, 59, 0, 1]),
        ([628_698_236, 646_244_183], [43, 43, 0, 0], [628_698_236, 646_244_183], [43, 43, 0, 0]),
        ([597_149_227, 602_198_039], [32, 32, 4, 4], [602_804_799, 626_358_845], [30, 32, 4, 2]),
        ([505_509_781, 515_253_427], [28, 28, 12, 12], [610_650_741, 685_864_847], [21, 28, 12, 5]),
    ];
    for ((run, _), expected) in RUNS.into_iter().zip(expected) {
        let recorded = recorded(run);
        assert_eq!(recorded.warm_at_start, 1, "{run}: the ramp left one container");
        let steps = [steps(&recorded)];
        let (count, calls) = (best(&steps, Aim::Count), best(&steps, Aim::Calls));
        let found = (ends(&count), figures(&count.agreement[0]), ends(&calls), figures(&calls.agreement[0]));
        assert_eq!(found, expected, "{run}");
    }
}

#[test]
fn the_best_single_keep_alive_for_all_runs() {
    let steps: Vec<Vec<Step>> = RUNS.iter().map(|(run, _)| steps(&recorded(run))).collect();
    let expected = [[31, 29, 11, 13], [60, 59, 0, 1], [43, 43, 0, 0], [28, 32, 5, 1], [21, 28, 12, 5]];
    // The same keep-alive is best by count and call by call.
    for aim in [Aim::Count, Aim::Calls] {
        let fit = best(&steps, aim);
        assert_eq!(ends(&fit), [632_376_836, 633_557_423], "{aim:?}");
        assert_eq!(fit.range.example(), BEST);
        let found: Vec<[u64; 4]> = fit.agreement.iter().map(figures).collect();
        assert_eq!(found, expected, "{aim:?}");
    }
}

/// How often each cause is found at the best keep-alive, by run.
#[test]
fn every_disagreement_has_its_cause() {
    use Cause::{FreedMeanwhile, KeptLonger, RemovedEarly, SpareInModel};
    let expected: [&[(Cause, usize)]; 5] = [
        &[(RemovedEarly, 8), (SpareInModel, 3), (KeptLonger, 7), (FreedMeanwhile, 6)],
        &[(FreedMeanwhile, 1)],
        &[],
        &[(RemovedEarly, 5), (FreedMeanwhile, 1)],
        &[(RemovedEarly, 10), (SpareInModel, 2), (KeptLonger, 1), (FreedMeanwhile, 4)],
    ];
    let (mut old, mut young) = (Vec::new(), Vec::new());
    for ((run, _), expected) in RUNS.into_iter().zip(expected) {
        let all = recorded(run).disagreements(BEST);
        let mut found: BTreeMap<Cause, usize> = BTreeMap::new();
        for it in &all {
            *found.entry(it.cause).or_default() += 1;
            if it.cause == RemovedEarly {
                let age = it.age.expect("the container was seen").as_secs_f64();
                if age > 6_700.0 { old.push(age) } else { young.push(age) }
            }
            if it.cause == KeptLonger {
                let idle = it.idle.expect("it was idle").as_secs_f64();
                assert!((701.0..1_400.0).contains(&idle), "{run}: reused after {idle} s");
            }
        }
        assert_eq!(found.into_iter().collect::<Vec<_>>(), expected, "{run}");
    }
    // Two hours after they were first used, containers are gone, however busy they were.
    assert_eq!((old.len(), young.len()), (12, 11));
    assert!(young.iter().all(|age| *age < 6_300.0), "{young:?}");
}

#[test]
fn containers_are_reused_last_in_first_out_and_live_for_two_hours() {
    let habits: Vec<Habits> =
        RUNS.iter().map(|(run, _)| recorded(run).habits().expect("containers are told")).collect();
    let all = habits.iter().copied().reduce(Habits::joined).expect("five runs");
    assert_eq!((all.containers, all.choices, all.newest_first), (196, 192, 192));
    assert_eq!(micro(all.oldest.as_secs_f64()) / 1_000_000, 7_328);
    // Where one container is enough, none was reused after 632.4 s; beside a busy one, some were after 24 minutes.
    let longest: Vec<u64> = habits.iter().map(|habits| habits.longest_reuse.0 / 1_000_000).collect();
    assert_eq!(longest, [1_448, 632, 628, 627, 1_397]);
}

// ----- what the record does to the figures -----

/// A call that finds the client's connection in use opens another one and reaches the platform a quarter of a second later. Told by
/// when it began to run, all the calls that came to a container meanwhile freed agree.
#[test]
fn arrivals_at_the_platform_instead_of_the_client() {
    let expected = [[28, 29, 8, 7], [59, 59, 0, 0], [43, 43, 0, 0], [27, 32, 5, 0], [19, 28, 11, 2]];
    for ((run, file), expected) in RUNS.into_iter().zip(expected) {
        let trace = trace(run);
        let listed = trace.listed().expect("it is listed");
        let measured = listed.measured().expect("it was measured").to_vec();
        let mut invocations = Invocations::default();
        for ((row, arrival), measured) in raw(file).iter().zip(listed.arrivals()).zip(&measured) {
            // When a cold call arrived at the platform is not told, but nothing depends on it.
            let at = if measured.cold { arrival.time } else { Time(micro(seconds(row, "fn_start_s"))) };
            invocations.push(at, 0, RunTime::new(arrival.duration.expect("told")).expect("short"));
        }
        let moved = Trace::new(run, trace.functions.clone(), invocations.with_measured(measured));
        let recorded = Recorded::new(&moved.expect("a trace")).expect("it was measured");
        assert_eq!(figures(&recorded.agreement(BEST)), expected, "{run}");
        let causes: Vec<Cause> = recorded.disagreements(BEST).iter().map(|it| it.cause).collect();
        assert!(!causes.contains(&Cause::FreedMeanwhile), "{run}: {causes:?}");
    }
}

/// The first run of a container is slower, which is in its own run time and in `cold − warm` too. Taken out of
/// the former, nothing changes.
#[test]
fn the_slower_first_run_that_is_counted_twice_changes_nothing() {
    for (run, _) in RUNS {
        let trace = trace(run);
        let listed = trace.listed().expect("it is listed");
        let measured = listed.measured().expect("it was measured").to_vec();
        let median = |cold: bool| {
            let of = listed.arrivals().zip(&measured).filter(|(_, it)| it.cold == cold);
            let mut runs: Vec<Span> = of.filter_map(|(arrival, _)| arrival.duration).collect();
            runs.sort_unstable();
            runs[runs.len() / 2]
        };
        let slower = median(true).saturating_sub(median(false));
        assert!((0.11..0.145).contains(&slower.as_secs_f64()), "{run}: {slower}");
        let mut invocations = Invocations::default();
        for (arrival, measured) in listed.arrivals().zip(&measured) {
            let run = arrival.duration.expect("told");
            let run = if measured.cold { run.saturating_sub(slower) } else { run };
            invocations.push(arrival.time, 0, RunTime::new(run).expect("short"));
        }
        let once = Trace::new(run, trace.functions.clone(), invocations.with_measured(measured));
        let once = Recorded::new(&once.expect("a trace")).expect("it was measured");
        assert_eq!(once.agreement(BEST), recorded(run).agreement(BEST), "{run}");
    }
}

// ----- the model is the simulator -----

/// The calls that the simulator starts cold under a keep-alive.
fn simulated(trace: &Trace, keep: Span) -> Vec<bool> {
    let text = format!(
        "[trace]\npath = \"{}\"\n[pool]\nmemory = \"64 GiB\"\n[rules]\npreset = \"ideal\"\n\
         [keep-alive.fixed]\nkeep = \"{} us\"\n[output]\ninvocations = true\n",
        trace.name, keep.0
    );
    let scenario = Scenario::from_text(Path::new("aws.toml"), text, &[]).expect("a right scenario");
    let Engine::Pool(setup) = &scenario.engine else { panic!("it is the pool") };
    let rows = replay(&scenario, setup, trace, &mut ()).expect("it runs").rows.expect("asked for");
    let mut cold = vec![false; trace.len()];
    for (number, start) in rows.number.iter().zip(&rows.start) {
        cold[*number as usize] = *start == Some("cold");
    }
    cold
}

#[test]
fn the_simulator_gives_the_same_call_by_call() {
    for (run, _) in RUNS {
        let trace = trace(run);
        let recorded = recorded(run).from_empty();
        let steps = steps(&recorded);
        // Every step of the small runs, both of its ends; of the large ones enough of them.
        let every = steps.len().div_ceil(200);
        for step in steps.iter().step_by(every) {
            let last = step.range.upto.min(Span::from_secs(1_000_000));
            for keep in [Span(step.range.over.0 + 1), last] {
                assert!(simulated(&trace, keep) == recorded.predicted(keep), "{run} with {keep}");
            }
        }
        // But for the container that was there at the beginning, that is what the figures rest on.
        let empty = recorded.agreement(BEST);
        let warm = self::recorded(run).agreement(BEST);
        assert_eq!(empty.predicted(), warm.predicted() + 1, "{run}: the first call alone differs");
    }
}

// ----- the command -----

fn faassim(folder: &Path, args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_faassim"))
        .current_dir(folder)
        .args(args)
        .output()
        .expect("the binary starts")
}

/// Standard output of `faassim calibrate keep-alive`, which succeeds.
fn calibrated(args: &[&str]) -> String {
    let output = faassim(root(), &[["calibrate", "keep-alive"].as_slice(), args].concat());
    assert!(output.status.success(), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("UTF-8")
}

fn all_runs() -> Vec<String> {
    RUNS.iter().map(|(run, _)| format!("traces/aws-lambda-2020/{run}")).collect()
}

#[test]
fn the_document_has_what_the_command_says() {
    let document = fs::read_to_string(root().join("docs/validation-aws-lambda.md")).expect("it is there");
    let runs = all_runs();
    let runs: Vec<&str> = runs.iter().map(String::as_str).collect();
    let text = calibrated(&runs);
    let listed = calibrated(&[&runs[3..4], ["--keep", "633 s", "--list"].as_slice()].concat());
    for text in [&text, &listed] {
        for line in text.lines() {
            assert!(line.chars().count() <= 80, "{} columns: {line}", line.chars().count());
            assert!(!line.ends_with(' '), "blanks at the end: {line:?}");
        }
    }
    for part in text.split("\n\n").chain(listed.split("\n\n").last()) {
        assert!(document.contains(part.trim_end()), "not in the document:\n{part}");
    }
}

#[test]
fn json_says_the_same() {
    let runs = all_runs();
    let args: Vec<&str> = runs.iter().map(String::as_str).chain(["--json"]).collect();
    let json: serde_json::Value = serde_json::from_str(&calibrated(&args)).expect("JSON");
    assert_eq!(json["keep_us"], 633_000_000);
    assert_eq!(json["best"]["over_us"], 632_376_836);
    let traces = json["traces"].as_array().expect("traces");
    assert_eq!(traces.len(), 5);
    for (traced, (run, _)) in traces.iter().zip(RUNS) {
        let recorded = recorded(run);
        let agreement = recorded.agreement(BEST);
        assert_eq!(traced["at_keep"]["predicted_cold"], agreement.predicted());
        assert_eq!(traced["at_keep"]["kappa"].as_f64(), agreement.kappa());
        let disagreements = traced["disagreements"].as_array().expect("a list");
        assert_eq!(disagreements.len() as u64, agreement.disagreements());
        assert_eq!(traced["sha256"], trace(run).checksum);
    }
    assert_eq!(traces[0]["disagreements"][0]["cause"], "freed-meanwhile");
    // Asked for a keep-alive, it does not call that the best one.
    let asked: serde_json::Value =
        serde_json::from_str(&calibrated(&[&runs[1], "--keep", "10 min", "--json"])).expect("JSON");
    assert_eq!((&asked["keep_us"], asked["best"].is_null()), (&600_000_000.into(), true));
    assert_eq!(asked["traces"][0]["at_keep"]["predicted_cold"], 65);
}

#[test]
fn what_is_wrong_is_told() {
    let fails = |args: &[&str]| {
        let output = faassim(root(), &[["calibrate", "keep-alive"].as_slice(), args].concat());
        assert_eq!(output.status.code(), Some(2), "{args:?}");
        assert!(output.stdout.is_empty(), "{args:?}");
        String::from_utf8(output.stderr).expect("UTF-8")
    };
    assert_eq!(
        fails(&["traces/aws-lambda-2020/2020-05-28", "traces/live-smoke"]),
        "error: traces/live-smoke: does not tell which calls were cold\n  \
         help: a keep-alive is found from measurements: a column is_cold in invocations.csv, 1 or 0 for each call\n"
    );
    let absent = fails(&["traces/aws-lambda-2020/2020-05-29"]);
    assert!(absent.starts_with("error: traces/aws-lambda-2020/2020-05-29"), "{absent}");
    for (keep, part) in [("633", "has no unit"), ("0 s", "every call is cold"), ("x", "does not start")] {
        let told = fails(&["traces/aws-lambda-2020/2020-05-28", "--keep", keep]);
        assert!(told.contains(part), "{keep}: {told}");
    }
    let usage = fails(&[]);
    assert!(usage.contains("<TRACE>"), "{usage}");
}

/// Records at the edge: nothing cold, all cold, one call; a keep-alive is named for each.
#[test]
fn records_of_one_kind_only_have_an_answer() {
    let dir = tempfile::tempdir().expect("a folder");
    let made = |name: &str, calls: &str| {
        let folder = dir.path().join(name);
        fs::create_dir(&folder).expect("a folder");
        let functions = "function,memory_mb,cold_ms,warm_ms\nf,128,300,100\n";
        fs::write(folder.join("functions.csv"), functions).expect("a file");
        let calls = format!("time_ms,function,is_cold\n{calls}");
        fs::write(folder.join("invocations.csv"), calls).expect("a file");
        let output = faassim(dir.path(), &["calibrate", "keep-alive", name]);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).expect("UTF-8")
    };
    let warm = made("warm", "0,f,0\n90000,f,0\n");
    assert!(warm.contains("any keep-alive over 89.900 s gives the same"), "{warm}");
    assert!(warm.contains("keep-alive.fixed.keep = \"2 min\""), "{warm}");
    let cold = made("cold", "0,f,1\n90000,f,1\n");
    assert!(cold.contains("any keep-alive over 0 s up to 89.700 s gives the same"), "{cold}");
    let one = made("one", "5,f,1\n");
    assert!(one.contains("any keep-alive gives the same"), "{one}");
}
