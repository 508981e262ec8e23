//! `faassim plot` as a user sees it: which panels are drawn of runs, sweeps and curves, that nothing overlaps, is cut
//! or is empty, and what is said when it cannot be drawn.

#[path = "cli_plot/drawing.rs"]
mod drawing;

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use drawing::{png_pixels, read_svg};

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

/// A folder with results of a run in `run`.
fn with_run(extra: &[&str]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let trace = Path::new(env!("CARGO_MANIFEST_DIR")).join("traces/faascache-litmus-freq");
    let text = format!("[trace]\npath = \"{}\"\n[pool]\nmemory = \"700 MiB\"\n", trace.display());
    fs::write(folder.path().join("s.toml"), text).expect("writable");
    works(folder.path(), &[&["run", "s.toml", "-o", "run"], extra].concat());
    folder
}

/// A folder with a table of runs in `sweep`.
fn with_sweep(rows: impl IntoIterator<Item = String>) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a temporary folder");
    fs::create_dir(folder.path().join("sweep")).expect("writable");
    let head = "run,pool.memory,memory_mib,eviction,keep_alive,rules,seed,trace,invocations,cold_pct,dropped_pct,\
        exec_increase_pct,memory_idle_gib_s,error";
    let text: String = std::iter::once(head.to_owned()).chain(rows).map(|row| row + "\n").collect();
    fs::write(folder.path().join("sweep/runs.csv"), text).expect("writable");
    folder
}

/// A row of a sweep; figures follow from memory and seed.
fn row(gib: u64, eviction: &str, keep_alive: &str, seed: u64, dropped: f64) -> String {
    let mib = gib * 1024;
    let cold = (eviction.len() + keep_alive.len()) as f64 / gib as f64 + seed as f64 / 50.0;
    format!(
        "1,{gib} GiB,{mib},{eviction},\"{keep_alive}\",ideal,{seed},day,1000,{cold},{dropped},{},{},",
        5.0 * cold,
        100 * gib
    )
}

const FIXED: &str = "fixed (keep = 10 min)";
const HISTOGRAM: &str = "hybrid-histogram (range = 4 h, tail = 99 %)";

#[test]
fn a_run_is_drawn_with_all_its_panels() {
    let folder = with_run(&["--plot"]);
    let svg = fs::read_to_string(folder.path().join("run/plots.svg")).expect("drawn");
    let drawing = read_svg(&svg);
    for part in [
        "Memory over time",
        "time (min)",
        "memory (MiB)",
        "busy",
        "idle",
        "capacity",
        "Response time by start (share of the served)",
        "response time (ms)",
        "Why starts were not warm",
        "Cold starts of 4 functions",
        "invocations of the function",
    ] {
        assert!(drawing.says(part), "{part}: {:?}", drawing.texts());
    }
    assert!(drawing.texts().iter().any(|text| {
        text.starts_with("trace faascache-litmus-freq · pool 700 MiB · rules openwhisk · eviction lru")
    }));
    assert!(drawing.texts().iter().any(|text| text.starts_with("warmed (")), "{:?}", drawing.texts());
    assert!(!drawing.says("prewarmed"), "nothing was prewarmed");
    drawing.assert_readable();
    // Drawn again from the folder, it is the same.
    let said = works(folder.path(), &["plot", "run", "-o", "again.svg"]);
    assert_eq!(said, "drawn into again.svg\n");
    assert!(svg == fs::read_to_string(folder.path().join("again.svg")).expect("drawn"));
}

#[test]
fn a_run_with_plots_can_be_replaced_and_named_elsewhere() {
    let folder = with_run(&["--plot"]);
    works(folder.path(), &["plot", "run", "--format", "png"]);
    works(folder.path(), &["plot", "run", "--each", "run"]);
    works(folder.path(), &["run", "s.toml", "-o", "run", "--plot", "elsewhere.png"]);
    let (width, height, dark) = png_pixels(&fs::read(folder.path().join("elsewhere.png")).expect("drawn"));
    assert!(width > 1_000 && height > 1_000, "{width} x {height}");
    assert!((0.005..0.5).contains(&dark), "{dark}");
    assert!(!folder.path().join("run/plots.svg").exists(), "what was drawn of the run before is gone");
    let said = fails(folder.path(), &["run", "s.toml", "-o", "other", "--plot", "plot.gif"]);
    assert!(
        said.contains("`plot.gif` is no file to draw into\n  help: its name must end in .svg or .png"),
        "{said}"
    );
    assert!(!folder.path().join("other").exists(), "that is said before anything is run");
}

#[test]
fn each_panel_has_a_file_of_its_own() {
    let folder = with_run(&[]);
    works(folder.path(), &["plot", "run", "--each", "panels", "--only", "memory,functions"]);
    let mut names: Vec<String> = fs::read_dir(folder.path().join("panels"))
        .expect("there")
        .map(|entry| entry.expect("readable").file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    assert_eq!(names, ["functions.svg", "memory.svg"]);
    let text = fs::read_to_string(folder.path().join("panels/functions.svg")).expect("drawn");
    let drawing = read_svg(&text);
    drawing.assert_readable();
    assert!(drawing.count("circle") == 4 && !drawing.says("Memory over time"));
}

#[test]
fn what_a_run_does_not_have_is_left_out_and_told() {
    let folder = with_run(&["--set", "output.functions=false"]);
    fs::remove_file(folder.path().join("run/memory.csv")).expect("there");
    let said = works(folder.path(), &["plot", "run"]);
    assert_eq!(
        said,
        "panel memory is left out: there is no memory.csv\n\
         panel functions is left out: there is no functions.csv (output.functions)\n\
         drawn into run/plots.svg\n"
    );
    let drawing = read_svg(&fs::read_to_string(folder.path().join("run/plots.svg")).expect("drawn"));
    assert!(drawing.says("Why starts were not warm") && !drawing.says("Memory over time"));
    let said = fails(folder.path(), &["plot", "run", "--only", "functions"]);
    assert!(
        said.contains("there is nothing to draw\n  help: functions: there is no functions.csv"),
        "{said}"
    );
}

#[test]
fn the_published_simulator_is_drawn_by_function() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let trace = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/faascache/traces/litmus_lru_sub");
    let text = format!(
        "[trace]\npath = \"{}\"\n[pool]\nmemory = \"1024 MB\"\n[faascache-artifact]\npolicy = \"GD\"\n",
        trace.display()
    );
    fs::write(folder.path().join("s.toml"), text).expect("writable");
    let said = works(folder.path(), &["run", "s.toml", "-o", "run", "--plot"]);
    assert!(said.contains("panel causes is left out: summary.json tells no causes"), "{said}");
    let drawing = read_svg(&fs::read_to_string(folder.path().join("run/plots.svg")).expect("drawn"));
    assert!(drawing.texts().iter().any(|text| text.starts_with("Cold starts of ")), "{:?}", drawing.texts());
    drawing.assert_readable();
}

#[test]
fn a_sweep_is_drawn_by_memory() {
    let policies = [("lru", FIXED), ("lru", HISTOGRAM), ("greedy-dual", FIXED)];
    let sizes = [1, 2, 4, 8, 16, 32, 64];
    let rows = policies.iter().flat_map(|(eviction, keep)| {
        sizes.iter().flat_map(move |gib| (1..=3).map(move |seed| row(*gib, eviction, keep, seed, 0.0)))
    });
    let folder = with_sweep(rows);
    let said = works(folder.path(), &["plot", "sweep"]);
    assert_eq!(said, "panel dropped is left out: no run dropped anything\ndrawn into sweep/plots.svg\n");
    let drawing = read_svg(&fs::read_to_string(folder.path().join("sweep/plots.svg")).expect("drawn"));
    drawing.assert_readable();
    for part in [
        "sweep: 63 runs",
        "medians of up to 3 runs, bands from the least to the greatest",
        "Cold starts by memory",
        "Execution time above all-warm by memory",
        "Cold starts against wasted memory",
        "memory (GiB)",
        "lru, fixed",
        "lru, hybrid-histogram",
        "greedy-dual, fixed",
        "32",
    ] {
        assert!(drawing.says(part), "{part}: {:?}", drawing.texts());
    }
    assert!(
        drawing.texts().iter().any(|text| text.contains("rules ideal · trace day")),
        "{:?}",
        drawing.texts()
    );
    assert!(drawing.texts().iter().any(|text| text.contains("tail = 99 %")), "parameters are told once");
    assert!(!drawing.says("Dropped invocations by memory"));
    works(folder.path(), &["plot", "sweep", "--where", "eviction=lru", "--only", "cold", "-o", "lru.svg"]);
    let drawing = read_svg(&fs::read_to_string(folder.path().join("lru.svg")).expect("drawn"));
    assert!(drawing.says("hybrid-histogram") && drawing.says("fixed") && drawing.says("sweep: 42 runs"));
}

#[test]
fn one_size_of_memory_is_drawn_by_name() {
    let keep = |seed| [row(8, "lru", FIXED, seed, 1.0), row(8, "greedy-dual", HISTOGRAM, seed, 2.0)];
    let failed = "9,8 GiB,8192,fifo,x,ideal,1,day,,,,,,the trace is broken".to_owned();
    let folder = with_sweep((1..=2).flat_map(keep).chain([failed]));
    works(folder.path(), &["plot", "sweep"]);
    let drawing = read_svg(&fs::read_to_string(folder.path().join("sweep/plots.svg")).expect("drawn"));
    drawing.assert_readable();
    // On the axes of three panels and in the legend.
    assert_eq!(
        drawing.texts().iter().filter(|text| **text == "lru, fixed").count(),
        4,
        "{:?}",
        drawing.texts()
    );
    assert!(drawing.says("1 run that failed is left out") && drawing.says("Dropped invocations"));
    assert!(drawing.texts().iter().any(|text| text.starts_with("pool 8 GiB")), "{:?}", drawing.texts());
    assert!(drawing.count("circle") >= 5, "points of the first line, and in the legend");
}

#[test]
fn as_many_lines_as_can_be_told_apart() {
    let names: Vec<String> = (0..15).map(|nth| format!("policy-{nth}")).collect();
    let rows = |count: usize| {
        let names = names[..count].to_vec();
        names.into_iter().flat_map(|name| [4, 6].map(|gib| row(gib, &name, FIXED, 1, 0.5)))
    };
    let folder = with_sweep(rows(14));
    works(folder.path(), &["plot", "sweep"]);
    let drawing = read_svg(&fs::read_to_string(folder.path().join("sweep/plots.svg")).expect("drawn"));
    drawing.assert_readable();
    let folder = with_sweep(rows(15));
    let said = fails(folder.path(), &["plot", "sweep"]);
    assert!(said.contains("sweep/runs.csv: there are 15 lines to draw, 14 can be told apart"), "{said}");
    assert!(said.contains("help: choose, for example --where 'eviction=policy-0'"), "{said}");
}

#[test]
fn choices_of_runs_are_checked() {
    let folder = with_sweep([row(4, "lru", FIXED, 1, 0.0), row(8, "fifo", FIXED, 1, 0.0)]);
    let said = fails(folder.path(), &["plot", "sweep", "--where", "evicton=lru"]);
    assert!(said.contains("there is no column `evicton`; did you mean `eviction`?"), "{said}");
    let said = fails(folder.path(), &["plot", "sweep", "--where", "eviction=lur"]);
    assert!(
        said.contains("no run has eviction=`lur`; did you mean `lru`?\n  help: there are fifo; lru"),
        "{said}"
    );
    let said = fails(folder.path(), &["plot", "sweep", "--where", "lru"]);
    assert!(said.contains("write COLUMN=VALUE"), "{said}");
}

#[test]
fn curves_are_drawn_with_bounds_and_errors() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let mut text = "curve,kind,memory_mib,warm_pct,low_pct,high_pct,cold\n".to_owned();
    for (nth, mib) in [1024, 2048, 8192, 65536].into_iter().enumerate() {
        let warm = 60.0 + 10.0 * nth as f64;
        for line in [
            format!("lru,exact,{mib},{warm},,,10"),
            format!("sampled,estimate,{mib},{},{},{},10", warm + 1.0, warm - 2.0, warm + 3.0),
            format!("compulsory,bound,{mib},98.5,,,1"),
            format!("clairvoyant,heuristic,{mib},{},,,4", warm + 6.0),
        ] {
            text += &(line + "\n");
        }
    }
    fs::write(folder.path().join("curve.csv"), text).expect("writable");
    works(folder.path(), &["plot", "."]);
    let drawing = read_svg(&fs::read_to_string(folder.path().join("plots.svg")).expect("drawn"));
    drawing.assert_readable();
    for part in [
        "warm starts (% of invocations)",
        "memory (GiB)",
        "lru (exact)",
        "sampled (estimate)",
        "compulsory (bound)",
    ] {
        assert!(drawing.says(part), "{part}: {:?}", drawing.texts());
    }
    // The error of the estimate, on the panel and in the legend.
    assert!(drawing.count("polygon") > 0, "there is a band");
    fs::write(
        folder.path().join("curve.csv"),
        "curve,kind,memory_mib,warm_pct,low_pct,high_pct\na,exact,many,1,,\n",
    )
    .expect("writable");
    let said = fails(folder.path(), &["plot", "."]);
    assert!(said.contains("curve.csv:2: column `memory_mib`: `many` is not a number"), "{said}");
}

#[test]
fn who_served_nobody_is_not_all_warm_and_who_dropped_is_not_best() {
    let unserved = "1,1 GiB,1024,lru,x,ideal,1,day,1000,0,100,0,0,".to_owned();
    let empty = "1,2 GiB,2048,lru,x,ideal,1,day,1000,,100,,,".to_owned();
    let folder = with_sweep([unserved.clone(), empty.clone()]);
    let said = fails(folder.path(), &["plot", "sweep", "--only", "cold,waste"]);
    assert!(said.contains("cold: no run served anybody") && said.contains("waste: no run served"), "{said}");
    let served = [4, 8, 16].map(|gib| row(gib, "lru", "x", 1, 0.0));
    let folder = with_sweep([unserved, empty].into_iter().chain(served).chain([row(2, "lru", "x", 2, 3.0)]));
    works(folder.path(), &["plot", "sweep"]);
    let drawing = read_svg(&fs::read_to_string(folder.path().join("sweep/plots.svg")).expect("drawn"));
    drawing.assert_readable();
    assert!(drawing.says("2 runs that served nobody have their drops alone"), "{:?}", drawing.texts());
    let all = drawing.texts().join(" ");
    assert!(all.contains("no run is better in both, of those that dropped nothing"), "{all}");
}

#[test]
fn each_workload_has_its_own_best() {
    let other = |gib| row(gib, "lru", "x", 1, 0.0).replace(",day,", ",night,");
    let rows = [4, 8, 16].into_iter().flat_map(|gib| {
        // Drawn only if some run is beaten.
        [row(gib, "lru", "x", 1, 0.0), other(gib), row(gib, "lru", "longer", 1, 0.0)]
    });
    let folder = with_sweep(rows);
    works(folder.path(), &["plot", "sweep", "--only", "waste"]);
    let drawing = read_svg(&fs::read_to_string(folder.path().join("sweep/plots.svg")).expect("drawn"));
    drawing.assert_readable();
    let all = drawing.texts().join(" ");
    assert!(all.contains("no run of the same trace and rules is better in both"), "{all}");
}

#[test]
fn where_and_what_to_draw_is_checked_first() {
    let folder = with_run(&[]);
    let said = fails(folder.path(), &["plot", "run", "--where", "eviction=lru"]);
    assert!(
        said.contains("chooses runs of a sweep, and this is a run\n  help: leave --where away"),
        "{said}"
    );
    let said = fails(folder.path(), &["run", "s.toml", "-o", "other", "--plot", "none/plot.svg"]);
    assert!(said.contains("none/plot.svg: cannot be drawn: there is no folder none\n  help: make"), "{said}");
    assert!(!folder.path().join("other").exists(), "that is said before anything is run");
    works(folder.path(), &["run", "s.toml", "-o", "other", "--plot", "./other/own.svg"]);
    assert!(folder.path().join("other/own.svg").is_file());
    fs::create_dir(folder.path().join("sweep")).expect("writable");
    fs::write(folder.path().join("sweep/runs.jsonl"), "").expect("writable");
    let manifest = "{\"command\": \"faassim sweep s.toml\"}";
    fs::write(folder.path().join("sweep/manifest.json"), manifest).expect("writable");
    let said = fails(folder.path(), &["plot", "sweep"]);
    assert!(said.contains("sweep: the sweep is unfinished"), "{said}");
    assert!(said.contains("help: the same command goes on with it: faassim sweep s.toml"), "{said}");
}

#[test]
fn tables_from_elsewhere_are_checked() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let said = |text: &str| {
        fs::write(folder.path().join("curve.csv"), text).expect("writable");
        fails(folder.path(), &["plot", "."])
    };
    let all = said("curve,memory_mib,warm_pct\na,1,2\n");
    assert!(all.contains("there are no columns `kind`, `low_pct`, `high_pct`"), "{all}");
    let head = "curve,kind,memory_mib,warm_pct,low_pct,high_pct\n";
    for (row, wrong) in [
        ("a,exact,0,1,,", "`memory_mib`: 0 must be above 0"),
        ("a,exact,1,101,,", "`warm_pct`: 101 must be from 0 to 100"),
        ("a,exact,1,50,60,40", "`low_pct`: 60 must be at most `high_pct`"),
    ] {
        let told = said(&format!("{head}a,exact,9,9,,\n{row}\n"));
        assert!(told.contains(&format!("curve.csv:3: column {wrong}")), "{told}");
    }
}

#[test]
fn what_cannot_be_drawn_is_told() {
    let folder = with_run(&[]);
    let said = fails(folder.path(), &["plot", "rum"]);
    assert_eq!(said, "error: rum: there is no such folder\n  help: did you mean `run`?\n");
    fs::create_dir(folder.path().join("empty")).expect("writable");
    let said = fails(folder.path(), &["plot", "run", "empty"]);
    assert!(
        said.contains("empty: does not hold results: none of `curve.csv`, `runs.csv`, `summary.json`"),
        "{said}"
    );
    assert!(!folder.path().join("run/plots.svg").exists(), "all folders are read before any is drawn");
    let said = fails(folder.path(), &["plot", "run", "--only", "memroy"]);
    assert_eq!(
        said,
        "error: run: a run has no panel `memroy`; did you mean `memory`?\n  \
         help: its panels are memory, responses, causes, functions\n"
    );
    let said = fails(folder.path(), &["plot", "run", "-o", "a.gif"]);
    assert_eq!(said, "error: `a.gif` is no file to draw into\n  help: its name must end in .svg or .png\n");
    let said = fails(folder.path(), &["plot", "run", "run", "-o", "a.svg"]);
    assert!(said.contains("2 folders cannot be drawn into one place"), "{said}");
    fs::write(folder.path().join("run/summary.json"), "{").expect("writable");
    let said = fails(folder.path(), &["plot", "run"]);
    assert!(said.contains("run/summary.json: is not JSON"), "{said}");
}
