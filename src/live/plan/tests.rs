//! Plans of small traces: who runs what, in which image, and what is said when that will not do.

use std::path::{Path, PathBuf};

use serde_json::json;

use super::*;
use crate::scenario::Engine;
use crate::time::Time;
use crate::trace::{Invocations, RunTime};

fn action(name: &str, flavour: Flavour, memory_mib: u64, run_ms: u64) -> ActionSpec {
    let args = json!({ "n": 3 }).as_object().cloned().unwrap_or_default();
    ActionSpec {
        name: name.to_owned(),
        what: "does something".to_owned(),
        flavour,
        memory: Memory(memory_mib),
        run: Span::from_ms(run_ms),
        init: Span::from_ms(7),
        args,
        main: "main".to_owned(),
        code: format!("# {name}"),
        binary: false,
    }
}

fn actions() -> Actions {
    let all = vec![
        action("hello", Flavour::Plain, 32, 1),
        action("matmul", Flavour::Plain, 64, 100),
        action("pyaes", Flavour::Plain, 48, 120),
        action("resnet", Flavour::Ai, 512, 400),
        action(LOOKBUSY, Flavour::Plain, 32, 50),
    ];
    Actions { manifest: PathBuf::from("actions/actions.toml"), all }
}

fn function(name: &str, memory_mib: u64, cold_ms: u64, warm_ms: u64) -> Function {
    Function::new(name, Memory(memory_mib), Span::from_ms(cold_ms), Span::from_ms(warm_ms))
}

fn trace(functions: Vec<Function>) -> Trace {
    let mut invocations = Invocations::default();
    for ix in 0..functions.len() {
        invocations.push(Time::from_ms(ix as u64), ix as u32, RunTime::ABSENT);
    }
    Trace::new("t", functions, invocations).expect("valid")
}

/// The plan of a trace in which everything is invoked once, with what a scenario says beyond the least.
fn plan_with(actions: &Actions, trace: &Trace, more: &str) -> Result<Plan, String> {
    let text = format!("[trace]\npath = \".\"\n[pool]\nmemory = \"8 GiB\"\n{more}");
    let scenario =
        Scenario::from_text(Path::new("s.toml"), text, &[]).unwrap_or_else(|error| panic!("{error}"));
    let Engine::Pool(setup) = &scenario.engine else { panic!("a pool") };
    let arrivals = vec![1; trace.functions.len()];
    Plan::new(&scenario, setup, trace, actions, &arrivals).map_err(|error| error.to_string())
}

fn plan(trace: &Trace, more: &str) -> Plan {
    plan_with(&actions(), trace, more).unwrap_or_else(|error| panic!("{error}"))
}

fn chosen(plan: &Plan) -> Vec<(&str, Why)> {
    plan.functions.iter().zip(&plan.choices).map(|(f, choice)| (&*f.action.name, choice.why)).collect()
}

#[test]
fn the_nearest_is_by_name_then_by_run_time_in_what_fits() {
    let trace = trace(vec![
        function("a_102", 128, 300, 102),
        function("b_119", 128, 300, 119),
        function("c_in_little_memory", 48, 300, 100),
        function("d_small_and_short", 32, 300, 3),
        function("e_four_times", 128, 300, 480),
        function("f_more_than_that", 128, 900, 481),
        function("g_below_a_millisecond", 128, 300, 0),
        function("hello", 128, 3_000, 2_000),
    ]);
    let plan = plan(&trace, "");
    assert_eq!(
        chosen(&plan),
        [
            ("matmul", Why::Alike),
            ("pyaes", Why::Alike),
            ("pyaes", Why::Alike),
            ("hello", Why::Alike),
            ("pyaes", Why::Alike),
            (LOOKBUSY, Why::NoneAlike),
            ("hello", Why::Alike),
            ("hello", Why::Name),
        ]
    );
    assert!(plan.warnings.is_empty(), "{:?}", plan.warnings);
    assert_eq!(plan.too_small(&trace), None);
}

#[test]
fn of_equally_near_actions_the_first_is_taken() {
    // 109.54 ms would be exactly between 100 and 120.
    let mut actions = actions();
    actions.all[2].run = Span::from_ms(100);
    let trace = trace(vec![function("f", 128, 300, 90)]);
    let plan = plan_with(&actions, &trace, "").unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(chosen(&plan), [("matmul", Why::Alike)]);
}

#[test]
fn lookbusy_takes_the_times_of_the_trace() {
    let trace = trace(vec![function("f", 256, 1_300, 300), function("g", 40, 300, 300)]);
    let plan = plan(&trace, "[live]\nmap = \"lookbusy\"\nlogs = false\ntime-limit = \"90 s\"\n");
    let [f, g] = plan.functions.as_slice() else { panic!("two") };
    let env = |init: &str, memory: &str| {
        vec![
            ("LOOKBUSY_INIT_MS".to_owned(), init.to_owned()),
            ("LOOKBUSY_MEMORY_MIB".to_owned(), memory.to_owned()),
        ]
    };
    assert_eq!((&f.init_env, &g.init_env), (&env("1000", "128"), &env("0", "8")));
    assert_eq!((f.run_ms_arg.as_deref(), f.collect_logs), (Some("run_ms"), false));
    assert_eq!((f.time_limit, &*f.image), (Duration::from_secs(90), "faassim-python:plain"));
    assert_eq!(chosen(&plan)[0], (LOOKBUSY, Why::Rule));
    assert_eq!(plan.init(&trace, 0), Span::from_secs(1));
}

#[test]
fn what_is_given_goes_first_with_its_arguments() {
    let trace = trace(vec![function("f", 1024, 300, 1), function("hello", 128, 300, 1)]);
    let more = "[live.functions]\nf = { action = \"matmul\", args = { n = 200, m = \"x\" } }\n\
                hello = { action = \"lookbusy\", args = { run_ms = 5 } }\n";
    let plan = plan(&trace, more);
    assert_eq!(chosen(&plan), [("matmul", Why::Given), (LOOKBUSY, Why::Given)]);
    assert_eq!(plan.functions[0].args, json!({ "n": 200, "m": "x" }));
    assert_eq!(plan.functions[0].action.code, "# matmul");
    assert_eq!(plan.functions[1].args, json!({ "n": 3, "run_ms": 5 }));
    assert_eq!(plan.functions[1].run_ms_arg, None);
}

#[test]
fn kinds_follow_the_image_and_images_the_kind() {
    let mut nodejs = function("f", 128, 300, 100);
    nodejs.kind = "nodejs:20".to_owned();
    let trace = trace(vec![nodejs, function("g", 1024, 900, 400), function("h", 128, 300, 100)]);
    let more = "[live.functions]\ng = \"resnet\"\n[[prewarm]]\nkind = \"python:3\"\nmemory = \"256 MiB\"\n\
                initial-count = 1\n[[prewarm]]\nkind = \"go:1\"\nmemory = \"256 MiB\"\ninitial-count = 1\n\
                [live.images]\n\"go:1\" = \"my/go\"\n\"python:3\" = \"openwhisk/action-python-v3.11\"\n";
    let plan = plan(&trace, more);
    assert_eq!(plan.kinds, ["nodejs:20", "python:ai", "python:3"]);
    let images: Vec<_> = plan.images.iter().map(|(kind, image)| (&**kind, &**image)).collect();
    assert_eq!(
        images,
        [
            ("nodejs:20", "faassim-python:plain"),
            ("python:ai", "faassim-python:ai"),
            ("python:3", "openwhisk/action-python-v3.11"),
            ("go:1", "my/go"),
        ]
    );
    assert_eq!(plan.functions[1].image, "faassim-python:ai");
    let Engine::Pool(setup) = engine() else { panic!("a pool") };
    let costs =
        CostModel::new(1, &setup.costs, &setup.failures, &trace.functions).unwrap_or_else(|e| panic!("{e}"));
    let workers = plan.worker_functions(&trace, &costs);
    assert_eq!((&*workers[1].kind, workers[1].logs, workers[1].memory_mib), ("python:ai", true, 1024));
}

fn engine() -> Engine {
    let text = "[trace]\npath = \".\"\n[pool]\nmemory = \"8 GiB\"\n";
    Scenario::from_text(Path::new("s.toml"), text, &[]).unwrap_or_else(|error| panic!("{error}")).engine
}

#[test]
fn what_will_not_do_is_told() {
    let one = || trace(vec![function("matmull", 128, 300, 100), function("f", 128, 9_000, 8_000)]);
    for (more, said) in [
        (
            "[live]\nmap = \"name\"\n",
            "error: s.toml: no action has the name of function `f`\n  \
             help: actions/actions.toml has: hello, matmul, pyaes, resnet, lookbusy\n\
             error: s.toml: no action has the name of function `matmull`\n  help: did you mean `matmul`?\n\
             error: s.toml: live.map is `name`, but 2 functions of the trace are no actions\n  \
             help: give them actions under [live.functions], or say `map = \"nearest\"`\n3 errors",
        ),
        (
            "[live.functions]\nmatmul = \"matmul\"\nf = \"helo\"\n",
            "error: s.toml:6: the trace has no function `matmul`\n  help: did you mean `matmull`?\n\
             error: s.toml:7: there is no action `helo`\n  help: did you mean `hello`?\n2 errors",
        ),
        (
            "[live.images]\n\"python:2\" = \"x\"\n",
            "error: s.toml:6: nothing is of kind `python:2`, so its image is never used\n  help: did you mean `python:3`?",
        ),
        (
            "[[prewarm]]\nkind = \"go:1\"\nmemory = \"256 MiB\"\ninitial-count = 1\n",
            "error: s.toml: [[prewarm]]: there is no image for kind `go:1`\n  \
             help: add one under [live.images], as in \"go:1\" = \"IMAGE\"",
        ),
    ] {
        assert_eq!(plan_with(&actions(), &one(), more).expect_err(said), said);
    }
    let mut actions = actions();
    actions.all.pop();
    let error = plan_with(&actions, &one(), "").expect_err("nothing imitates");
    assert!(
        error.contains("has no action `lookbusy`, which imitates 1 function, for example `f`"),
        "{error}"
    );
}

#[test]
fn what_will_hardly_do_is_a_warning() {
    let trace = trace(vec![
        function("hello", 16, 300, 1),
        function("matmul", 40, 300, 100),
        function("slow", 128, 70_000, 5_000),
    ]);
    let plan = plan(&trace, "");
    assert_eq!(
        plan.warnings,
        [
            "1 function has less memory than the action needs, for example `matmul` with 40 MiB for `matmul`, which \
             needs 64 MiB; runs may be killed: choose another under [live.functions]",
            "1 function has a start of 1 min and more, which is cut off there, for example `slow` with 1.1 min; raise \
             live.time-limit",
        ]
    );
    let too_small = plan.too_small(&trace).expect("hello").to_string();
    assert_eq!(
        too_small,
        "error: t: 1 function has less than 32 MiB, in which python does not start: for example `hello` with 16 MiB\n  \
         help: raise memory_mb in its functions.csv, or use `backend = \"process\"`, which leaves room for python"
    );
}

#[test]
fn the_table_fits_a_terminal() {
    let functions: Vec<Function> = (0..40)
        .map(|ix| function(&format!("{ix:02}{}", "0123456789".repeat(5)), 128, 300, 1 + ix * 20))
        .collect();
    let trace = trace(functions);
    let plan = plan(&trace, "");
    let arrivals: Vec<u64> = (0..40).map(|ix| if ix == 3 { 0 } else { 1_000 * ix + 1 }).collect();
    let table = plan.table(&trace, &arrivals);
    assert!(table.lines().all(|line| line.chars().count() <= 80 && line.trim_end() == line), "{table}");
    let lines: Vec<&str> = table.lines().collect();
    assert_eq!(lines[0], "function                   memory  arrivals  warm run  action            why");
    assert_eq!(lines[1], "390123456789…             128 MiB    39,001    781 ms  lookbusy          none");
    assert_eq!(lines[21], "… and 19 functions more, which run");
    let few = plan
        .table(&trace, &arrivals.iter().enumerate().map(|(ix, n)| n * u64::from(ix < 3)).collect::<Vec<_>>());
    assert_eq!(few.lines().count(), 4);
}
