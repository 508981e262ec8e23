//! Every recorded run of the published FaasCache simulator, repeated with `faassim::artifact` and compared.
//!
//! The runs are in `tests/data/faascache` (its README describes the files); `FAASSIM_ARTIFACT_DIR=DIR` adds those of
//! a directory of the same layout. It must never skip a run in silence: no runs at all is a failure too.

use std::collections::{BTreeMap, HashMap};
use std::error::Error;
use std::fmt::{Display, Write};
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::str::FromStr;

use faassim::artifact::{Event, Function, Observer, Policy, Report, Simulator};
use flate2::read::MultiGzDecoder;
use sha2::{Digest, Sha256};

type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// Values known to differ from the published simulator: trace, policy, memory in MB, column.
const KNOWN_DISAGREEMENTS: &[(&str, &str, &str, &str)] = &[];
/// Mismatches that are printed; the rest are counted.
const MISMATCHES_SHOWN: usize = 20;
/// Relative; the metrics are recorded with about 10 digits.
const METRIC_TOLERANCE: f64 = 1e-6;

#[test]
fn bundled_runs() -> Result<()> {
    check(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/faascache"))
}

#[test]
fn runs_of_the_given_directory() -> Result<()> {
    match std::env::var_os("FAASSIM_ARTIFACT_DIR") {
        Some(directory) => check(Path::new(&directory)),
        None => {
            println!("FAASSIM_ARTIFACT_DIR is not set: bundled runs only");
            Ok(())
        }
    }
}

/// Repeats all runs of a directory, prints how many agree, and fails unless all do.
fn check(directory: &Path) -> Result<()> {
    let golden = Golden::read(directory)?;
    let mut traces = BTreeMap::new();
    let mut tally = Tally::default();
    for row in &golden.summary {
        let run = Run::of(row)?;
        if !traces.contains_key(&run.trace) {
            traces.insert(run.trace.clone(), Trace::read(directory, &run.trace)?);
        }
        let mismatches = tally.mismatches;
        golden.compare(&run, row, &traces[&run.trace], &mut tally)?;
        tally.ran += 1;
        tally.passed += usize::from(tally.mismatches == mismatches);
    }
    println!("{}: {tally}", directory.display());
    if tally.mismatches > 0 {
        return Err(format!("{} values differ from the published simulator", tally.mismatches).into());
    }
    Ok(())
}

/// What was compared, and what differed.
#[derive(Default)]
struct Tally {
    ran: usize,
    passed: usize,
    outcome_strings: usize,
    functions: usize,
    invocations: usize,
    events: usize,
    mismatches: usize,
    shown: Vec<String>,
}

impl Tally {
    fn mismatch(&mut self, run: &Run, column: &str, expected: impl Display, got: impl Display) {
        let Run { trace, policy, memory } = run;
        if KNOWN_DISAGREEMENTS.contains(&(trace, policy, memory, column)) {
            return;
        }
        self.mismatches += 1;
        if self.shown.len() < MISMATCHES_SHOWN {
            self.shown
                .push(format!("{trace} {policy} {memory} MB, {column}: expected {expected}, got {got}"));
        }
    }

    /// Compares bit for bit.
    fn exact(&mut self, run: &Run, column: &str, expected: f64, got: f64) {
        if expected.to_bits() != got.to_bits() {
            self.mismatch(run, column, expected, got);
        }
    }
}

impl Display for Tally {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Tally { ran, passed, outcome_strings, functions, invocations, events, .. } = self;
        writeln!(f, "{ran} runs ran, {passed} passed")?;
        write!(f, "  in detail: {outcome_strings} outcome strings, {functions} functions of runs, ")?;
        write!(f, "{invocations} single outcomes, {events} events")?;
        self.shown.iter().try_for_each(|mismatch| write!(f, "\n  MISMATCH {mismatch}"))
    }
}

/// Which run: the key of every golden table.
#[derive(Clone, PartialEq, Eq, Hash)]
struct Run {
    trace: String,
    policy: String,
    memory: String,
}

impl Run {
    fn of(row: &Row) -> Result<Run> {
        Run::of_trace(row.text("trace")?, row)
    }

    fn of_trace(trace: &str, row: &Row) -> Result<Run> {
        let (policy, memory) = (row.text("policy")?.to_owned(), row.text("mem_mb")?.to_owned());
        Ok(Run { trace: trace.to_owned(), policy, memory })
    }

    fn simulate(&self, trace: &Trace, keep_events: bool) -> Result<Simulated> {
        let policy: Policy = self.policy.parse()?;
        let mut simulator = Simulator::new(&trace.functions, policy, self.memory.parse()?)?;
        let mut outcomes = String::with_capacity(trace.invocations.len());
        let mut events = Events { keep: keep_events, kept: Vec::new() };
        for &(function, time_ms) in &trace.invocations {
            outcomes.push(simulator.step(function, time_ms, &mut events)?.letter());
        }
        Ok(Simulated { outcomes, events: events.kept, report: simulator.finish() })
    }
}

struct Simulated {
    outcomes: String,
    events: Vec<Event>,
    report: Report,
}

/// Keeps events only where they are recorded: HIST has millions on the large traces.
struct Events {
    keep: bool,
    kept: Vec<Event>,
}

impl Observer for Events {
    fn event(&mut self, event: &Event) {
        if self.keep {
            self.kept.push(*event);
        }
    }
}

/// All recorded results of a directory. Only the summary must exist.
struct Golden {
    summary: Vec<Row>,
    outcomes: HashMap<Run, String>,
    per_function: HashMap<Run, Vec<Row>>,
    small_outcomes: HashMap<Run, Vec<Row>>,
    small_events: HashMap<Run, Vec<Row>>,
}

impl Golden {
    fn read(directory: &Path) -> Result<Golden> {
        let golden = directory.join("golden");
        let summary = read_table(&golden.join("summary.csv"))?.unwrap_or_default();
        if summary.is_empty() {
            return Err(format!("{}: there is no summary.csv with runs in it", golden.display()).into());
        }
        let mut traces = summary.iter().map(|row| row.text("trace")).collect::<Result<Vec<_>>>()?;
        traces.dedup();
        let mut outcomes = HashMap::new();
        for trace in traces {
            for row in read_table(&golden.join(format!("outcomes/{trace}.csv")))?.unwrap_or_default() {
                outcomes.insert(Run::of_trace(trace, &row)?, row.text("outcomes")?.to_owned());
            }
        }
        let by_run = |name: &str| -> Result<HashMap<Run, Vec<Row>>> {
            let mut rows: HashMap<Run, Vec<Row>> = HashMap::new();
            for row in read_table(&golden.join(name))?.unwrap_or_default() {
                rows.entry(Run::of(&row)?).or_default().push(row);
            }
            Ok(rows)
        };
        Ok(Golden {
            outcomes,
            per_function: by_run("per_function.csv")?,
            small_outcomes: by_run("small_outcomes.csv")?,
            small_events: by_run("small_evictions.csv")?,
            summary,
        })
    }

    fn compare(&self, run: &Run, row: &Row, trace: &Trace, tally: &mut Tally) -> Result<()> {
        // A run without events has no rows, so what counts is whether its trace has any.
        let keep_events = self.small_events.keys().any(|recorded| recorded.trace == run.trace);
        let simulated = match run.simulate(trace, keep_events) {
            Ok(simulated) => simulated,
            Err(error) => {
                tally.mismatch(run, "the run", "a result", error);
                return Ok(());
            }
        };
        compare_summary(run, row, &simulated, tally)?;
        if let Some(expected) = self.outcomes.get(run) {
            tally.outcome_strings += 1;
            compare_outcomes(run, expected, &simulated.outcomes, tally);
        }
        if let Some(rows) = self.per_function.get(run) {
            compare_functions(run, rows, trace, &simulated.report, tally)?;
        }
        if let Some(rows) = self.small_outcomes.get(run) {
            compare_invocations(run, rows, trace, &simulated.outcomes, tally)?;
        }
        if keep_events {
            let rows = self.small_events.get(run).map_or(&[][..], Vec::as_slice);
            compare_events(run, rows, trace, &simulated.events, tally)?;
        }
        Ok(())
    }
}

fn compare_summary(run: &Run, row: &Row, simulated: &Simulated, tally: &mut Tally) -> Result<()> {
    let report = &simulated.report;
    for (column, got) in [
        ("invocations", report.counts.invocations() as f64),
        ("hits", report.counts.hits as f64),
        ("misses", report.counts.misses as f64),
        ("dropped", report.counts.dropped as f64),
        ("evictions", report.counts.evictions as f64),
        ("evict_pressure", report.evict_pressure as f64),
        ("evict_expired", report.evict_expired as f64),
        ("hist_unloads", report.hist_unloads as f64),
        ("prewarm_added", report.prewarm_added as f64),
        ("prewarm_rejected", report.prewarm_rejected as f64),
        ("final_clock", report.final_clock),
        ("final_mem_used_mb", report.final_memory_mb),
        ("final_pool", report.final_pool as f64),
        ("final_running", report.final_running as f64),
        ("peak_pool", report.peak_pool as f64),
        ("peak_mem_mb", report.peak_memory_mb),
    ] {
        tally.exact(run, column, row.number(column)?, got);
    }
    let metrics = report.metrics();
    for (column, got) in [
        ("cold_pct", metrics.cold_pct),
        ("drop_pct", metrics.drop_pct),
        ("exec_increase_pct_published", metrics.exec_increase_pct_published),
        ("exec_increase_pct_fixed", metrics.exec_increase_pct_fixed),
        ("exec_increase_pct_total_time", metrics.exec_increase_pct_total_time),
        ("wted_eat_ms_published", metrics.wted_eat_ms_published),
        ("server_cold_ms_published", metrics.server_cold_ms_published),
    ] {
        compare_metric(run, column, row.text(column)?, got, tally);
    }
    let sha256 = Sha256::digest(&simulated.outcomes).iter().fold(String::new(), |mut hex, byte| {
        let _ = write!(hex, "{byte:02x}");
        hex
    });
    let expected = row.text("outcome_sha256")?;
    if expected != sha256 {
        tally.mismatch(run, "outcome_sha256", expected, sha256);
    }
    Ok(())
}

fn compare_metric(run: &Run, column: &str, expected: &str, got: Option<f64>, tally: &mut Tally) {
    let recorded = expected.parse::<f64>().ok().filter(|value| value.is_finite());
    let agrees = match (recorded, got) {
        (Some(recorded), Some(got)) => (recorded - got).abs() <= METRIC_TOLERANCE * recorded.abs(),
        // Where nothing was served there is no share; recorders write 0, nan or nothing.
        (recorded, None) => recorded.is_none_or(|value| value == 0.0),
        (None, Some(_)) => false,
    };
    if !agrees {
        tally.mismatch(run, column, expected, got.map_or("no number".to_owned(), |got| got.to_string()));
    }
}

fn compare_outcomes(run: &Run, expected: &str, got: &str, tally: &mut Tally) {
    if expected == got {
        return;
    }
    let first = expected.bytes().zip(got.bytes()).position(|(expected, got)| expected != got);
    let at = first.unwrap_or_else(|| expected.len().min(got.len()));
    let letter = |outcomes: &str| outcomes.get(at..=at).unwrap_or("the end").to_owned();
    let expected = format!("{} for invocation {at} (the first to differ)", letter(expected));
    tally.mismatch(run, "outcomes", expected, letter(got));
}

fn compare_functions(
    run: &Run,
    rows: &[Row],
    trace: &Trace,
    report: &Report,
    tally: &mut Tally,
) -> Result<()> {
    for row in rows {
        let function = row.text("func")?;
        let counts = report.per_function[trace.index(function)? as usize];
        for (column, got) in [
            ("hits", counts.hits),
            ("misses", counts.misses),
            ("dropped", counts.dropped),
            ("evictions", counts.evictions),
        ] {
            tally.exact(run, &format!("{column} of {function}"), row.number(column)?, got as f64);
        }
        tally.functions += 1;
    }
    Ok(())
}

fn compare_invocations(
    run: &Run,
    rows: &[Row],
    trace: &Trace,
    outcomes: &str,
    tally: &mut Tally,
) -> Result<()> {
    if rows.len() != outcomes.len() {
        tally.mismatch(run, "number of single outcomes", rows.len(), outcomes.len());
    }
    for (at, (row, got)) in rows.iter().zip(outcomes.chars()).enumerate() {
        let (function, time_ms) = trace.invocations[at];
        tally.exact(run, "idx", row.number("idx")?, at as f64);
        tally.exact(run, &format!("time of invocation {at}"), row.number("time_ms")?, time_ms);
        let expected = format!("{} {}", row.text("func")?, row.text("outcome")?);
        let word = match got {
            'H' => "hit",
            'M' => "miss",
            _ => "drop",
        };
        let got = format!("{} {word}", trace.functions[function as usize].name);
        if expected != got {
            tally.mismatch(run, &format!("outcome of invocation {at}"), expected, got);
        }
        tally.invocations += 1;
    }
    Ok(())
}

fn compare_events(run: &Run, rows: &[Row], trace: &Trace, events: &[Event], tally: &mut Tally) -> Result<()> {
    if rows.len() != events.len() {
        tally.mismatch(run, "number of events", rows.len(), events.len());
    }
    for (at, (row, event)) in rows.iter().zip(events).enumerate() {
        let expected = format!("{} {}", row.text("event")?, row.text("func")?);
        let got = format!("{} {}", event.kind.name(), trace.functions[event.function as usize].name);
        if expected != got {
            tally.mismatch(run, &format!("event {at}"), expected, got);
        }
        for (column, got) in [
            ("idx", event.invocation as f64),
            ("time_ms", event.time_ms),
            ("priority", event.priority),
            ("freq", event.freq as f64),
            ("last_access_ms", event.last_access_ms),
        ] {
            tally.exact(run, &format!("{column} of event {at}"), row.number(column)?, got);
        }
        tally.events += 1;
    }
    Ok(())
}

/// Functions and invocations, the latter as function index and time in ms.
struct Trace {
    functions: Vec<Function>,
    indices: HashMap<String, u32>,
    invocations: Vec<(u32, f64)>,
}

impl Trace {
    fn read(directory: &Path, name: &str) -> Result<Trace> {
        let table = |kind: &str| -> Result<Vec<Row>> {
            let path = directory.join("traces").join(format!("{name}.{kind}.csv"));
            read_table(&path)?.ok_or_else(|| format!("{}[.gz]: there is no such file", path.display()).into())
        };
        let mut trace = Trace { functions: Vec::new(), indices: HashMap::new(), invocations: Vec::new() };
        for (index, row) in (0..).zip(table("functions")?) {
            let function = Function {
                name: row.text("func")?.to_owned(),
                memory_mb: row.number("mem_mb")?,
                cold_ms: row.number("cold_ms")?,
                warm_ms: row.number("warm_ms")?,
            };
            trace.indices.insert(function.name.clone(), index);
            trace.functions.push(function);
        }
        for row in table("trace")? {
            let invocation = (trace.index(row.text("func")?)?, row.number("time_ms")?);
            trace.invocations.push(invocation);
        }
        Ok(trace)
    }

    fn index(&self, function: &str) -> Result<u32> {
        self.indices.get(function).copied().ok_or_else(|| format!("there is no function '{function}'").into())
    }
}

/// One line of a table.
struct Row {
    header: Rc<Header>,
    fields: csv::StringRecord,
}

struct Header {
    path: PathBuf,
    columns: csv::StringRecord,
}

impl Row {
    fn text(&self, column: &str) -> Result<&str> {
        let at = self.header.columns.iter().position(|name| name == column);
        at.and_then(|at| self.fields.get(at)).ok_or_else(|| self.error(column, "there is no such column"))
    }

    fn number(&self, column: &str) -> Result<f64> {
        let text = self.text(column)?;
        f64::from_str(text).map_err(|_| self.error(column, &format!("'{text}' is not a number")))
    }

    fn error(&self, column: &str, what: &str) -> Box<dyn Error> {
        let line = self.fields.position().map_or(0, csv::Position::line);
        format!("{}, line {line}, {column}: {what}", self.header.path.display()).into()
    }
}

/// Reads `path`, or `path.gz`; none if neither exists.
fn read_table(path: &Path) -> Result<Option<Vec<Row>>> {
    let mut packed = path.to_owned();
    packed.as_mut_os_string().push(".gz");
    let mut text = String::new();
    let path = if path.exists() {
        File::open(path)?.read_to_string(&mut text)?;
        path.to_owned()
    } else if packed.exists() {
        MultiGzDecoder::new(File::open(&packed)?).read_to_string(&mut text)?;
        packed
    } else {
        return Ok(None);
    };
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    let header = Rc::new(Header { path, columns: reader.headers()?.clone() });
    let rows = reader.records().map(|fields| Ok(Row { header: Rc::clone(&header), fields: fields? }));
    rows.collect::<Result<Vec<Row>>>().map(Some)
}
