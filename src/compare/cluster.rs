//! Runs of an OpenWhisk cluster as sides: what its clients saw, and what one of its invokers did. Owns the columns of
//! these files and what can be told from them; must never take a difference between two clocks: one of the invokers ran
//! 24 minutes behind.
//!
//! A folder has `client_requests.csv` (`exp, invoke_time_unix, function, latency_s, cold, activation_id`) and
//! `invoker_container_events.csv` (`exp, invoker, time_utc, event, container, action, activation_id, detail`), plain, `.gz` or
//! `.zst`. Source: A. Fuerst and P. Sharma's load balancing experiments (aFuerst/openwhisk-balancing), digested; see
//! traces/README.md.

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};

use super::side::{Class, Invocation, Side, SideKind, start_named};
use crate::suggest::nearest;
use crate::time::{Span, Time};
use crate::trace::error::{TraceError, quoted};
use crate::trace::fields::{measured_of, text_of, whole};
use crate::trace::table::{Column, Table};
use crate::trace::watch::Watch;

const CLIENT: &str = "client_requests.csv";
const EVENTS: &str = "invoker_container_events.csv";

const EXP: Column = Column { name: "exp", aliases: &[] };
const TIME: Column = Column { name: "invoke_time_unix", aliases: &[] };
const FUNCTION: Column = Column { name: "function", aliases: &[] };
const LATENCY: Column = Column { name: "latency_s", aliases: &[] };
const COLD: Column = Column { name: "cold", aliases: &[] };
const ACTIVATION: Column = Column { name: "activation_id", aliases: &[] };
const INVOKER: Column = Column { name: "invoker", aliases: &[] };
const UTC: Column = Column { name: "time_utc", aliases: &[] };
const EVENT: Column = Column { name: "event", aliases: &[] };
const CONTAINER: Column = Column { name: "container", aliases: &[] };
const ACTION: Column = Column { name: "action", aliases: &[] };

/// The invoker's own test action, which no client asks for.
const HEALTH_TEST: &str = "invokerHealthTestAction";

/// Whether a folder holds runs of a cluster.
pub fn is_cluster(folder: &Path) -> bool {
    file(folder, CLIENT).is_some() && file(folder, EVENTS).is_some()
}

fn file(folder: &Path, name: &str) -> Option<PathBuf> {
    ["", ".gz", ".zst"].iter().map(|end| folder.join(format!("{name}{end}"))).find(|file| file.is_file())
}

fn open<'w>(folder: &Path, name: &str, watch: &'w dyn Watch) -> Result<Table<'w>, TraceError> {
    let missing = || TraceError::new(folder.display().to_string(), format!("has no {name}"));
    Table::open(&file(folder, name).ok_or_else(missing)?, watch)
}

/// Reads one run, or one invoker of it. `run`: its name, or a part of the name that only it has; `""` is none.
///
/// # Errors
/// There is no such run or invoker, or the first fault of a file.
pub fn read(
    label: &str,
    folder: &Path,
    run: &str,
    invoker: Option<&str>,
    watch: &dyn Watch,
) -> Result<Side, TraceError> {
    let requests = requests(folder, watch)?;
    let run = find_run(folder, &requests, run)?;
    let requests = &requests[&run];
    let mut logs = logs(folder, &run, watch)?;
    match invoker {
        None => Ok(client_side(label, requests, &logs)),
        Some(wanted) => {
            let known: Vec<String> = logs.keys().map(u32::to_string).collect();
            let log = wanted.parse().ok().and_then(|number: u32| logs.remove(&number)).ok_or_else(|| {
                let message = format!("{run} has no log of invoker `{}`", wanted.escape_debug());
                TraceError::new(folder.display().to_string(), message)
                    .with_help(format!("there are logs of {}", known.join(", ")))
            })?;
            Ok(invoker_side(label, requests, &log))
        }
    }
}

/// What a client asked for.
struct Request {
    time_us: u64,
    function: String,
    latency: Span,
    cold: bool,
    activation: String,
}

type Requests = BTreeMap<String, Vec<Request>>;

fn requests(folder: &Path, watch: &dyn Watch) -> Result<Requests, TraceError> {
    let mut table = open(folder, CLIENT, watch)?;
    let exp = table.require(&EXP)?;
    let (time, function, latency) =
        (table.require(&TIME)?, table.require(&FUNCTION)?, table.require(&LATENCY)?);
    let (cold, activation) = (table.require(&COLD)?, table.require(&ACTIVATION)?);
    let mut runs = Requests::new();
    while table.next_row()? {
        let request = Request {
            time_us: seconds(&table, time)?,
            function: text_of(&table, function)?,
            latency: Span(seconds(&table, latency)?),
            cold: measured_of(&table, cold, None)?.cold,
            activation: text_of(&table, activation)?,
        };
        runs.entry(text_of(&table, exp)?).or_default().push(request);
    }
    runs.values_mut().for_each(|run| run.sort_by_key(|request| request.time_us));
    Ok(runs)
}

/// Seconds of at least zero as µs.
fn seconds(table: &Table<'_>, column: usize) -> Result<u64, TraceError> {
    let field = table.field(column);
    let value: Option<f64> = std::str::from_utf8(field).ok().and_then(|text| text.trim().parse().ok());
    match value {
        Some(seconds) if (0.0..=9e9).contains(&seconds) => Ok((seconds * 1e6).round() as u64),
        _ => Err(table
            .bad_field(column, format!("{} is no time", quoted(field)))
            .with_help("write seconds of at least 0, for example 1636647907.4838")),
    }
}

fn find_run(folder: &Path, runs: &Requests, wanted: &str) -> Result<String, TraceError> {
    let names = || runs.keys().map(String::as_str);
    if let Some(name) = names().find(|name| *name == wanted) {
        return Ok(name.to_owned());
    }
    let part = |name: &&str| !wanted.is_empty() && name.to_lowercase().contains(&wanted.to_lowercase());
    // Of a folder with one run it need not be said which.
    let meant = |name: &&str| wanted.is_empty() || part(name);
    if let [only] = names().filter(meant).collect::<Vec<_>>()[..] {
        return Ok(only.to_owned());
    }
    let place = folder.display().to_string();
    let all = names().collect::<Vec<_>>().join("\n");
    let help = format!("write {place}:RUN, or {place}:RUN:INVOKER, with one of\n{all}");
    if wanted.is_empty() {
        return Err(TraceError::new(place, "holds several runs of a cluster").with_help(help));
    }
    let near = nearest(wanted, names()).map_or_else(String::new, |near| format!("did you mean `{near}`?\n"));
    let several = names().filter(part).count() > 1;
    let message =
        format!("`{}` is {} run", wanted.escape_debug(), if several { "more than one" } else { "no" });
    Err(TraceError::new(place, message).with_help(near + &help))
}

/// A placement in an invoker's log.
struct Start {
    time_ms: i64,
    state: String,
    action: String,
    activation: String,
}

/// What an invoker logged.
#[derive(Default)]
struct Log {
    starts: Vec<Start>,
    created: u64,
    removed: u64,
}

impl Log {
    fn recreated(&self) -> usize {
        self.starts.iter().filter(|start| start.state == "recreated").count()
    }
}

fn logs(folder: &Path, run: &str, watch: &dyn Watch) -> Result<BTreeMap<u32, Log>, TraceError> {
    let mut table = open(folder, EVENTS, watch)?;
    let (exp, invoker, utc) = (table.require(&EXP)?, table.require(&INVOKER)?, table.require(&UTC)?);
    let (event, container) = (table.require(&EVENT)?, table.require(&CONTAINER)?);
    let (action, activation) = (table.require(&ACTION)?, table.require(&ACTIVATION)?);
    let mut logs: BTreeMap<u32, Log> = BTreeMap::new();
    while table.next_row()? {
        if table.field(exp) != run.as_bytes() {
            continue;
        }
        let log = logs.entry(whole(&table, invoker, u32::MAX)?).or_default();
        let name = text_of(&table, event)?;
        match name.as_str() {
            "docker_run" => {
                let test = String::from_utf8_lossy(table.field(container)).contains(HEALTH_TEST);
                log.created += u64::from(!test);
            }
            "docker_rm" => log.removed += 1,
            other => {
                let state = other.strip_prefix("start_").filter(|state| start_named(state).is_some());
                let Some(state) = state else {
                    let message = format!("`{}` is no event", other.escape_debug());
                    let help = "there are docker_run, docker_rm, start_cold, start_warmed, start_recreated";
                    return Err(table.bad_field(event, message).with_help(help));
                };
                log.starts.push(Start {
                    time_ms: utc_ms(&table, utc)?,
                    state: state.to_owned(),
                    action: text_of(&table, action)?,
                    activation: text_of(&table, activation)?,
                });
            }
        }
    }
    logs.values_mut().for_each(|log| log.starts.sort_by_key(|start| start.time_ms));
    Ok(logs)
}

/// An instant such as `2021-11-11T16:25:08.066Z` in ms since 1970.
fn utc_ms(table: &Table<'_>, column: usize) -> Result<i64, TraceError> {
    let field = table.field(column);
    let parsed = std::str::from_utf8(field).ok().and_then(parse_utc);
    parsed.ok_or_else(|| {
        let error = table.bad_field(column, format!("{} is no instant", quoted(field)));
        error.with_help("write for example 2021-11-11T16:25:08.066Z")
    })
}

fn parse_utc(text: &str) -> Option<i64> {
    let (date, time) = text.strip_suffix('Z')?.split_once('T')?;
    let numbers =
        |text: &str, by: char| text.split(by).map(|part| part.parse().ok()).collect::<Option<Vec<i64>>>();
    let [year, month, day] = numbers(date, '-')?[..] else { return None };
    let (clock, ms) = time.split_once('.').unwrap_or((time, "0"));
    let [hour, minute, second] = numbers(clock, ':')?[..] else { return None };
    let within = (1..=12).contains(&month) && (1..=31).contains(&day) && (0..24).contains(&hour);
    if !within || !(0..60).contains(&minute) || !(0..=60).contains(&second) || ms.len() > 3 {
        return None;
    }
    let ms: i64 = format!("{ms:0<3}").parse().ok()?;
    // Days since 1970 of the proleptic Gregorian calendar, years beginning in March.
    let (y, m) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let (era, of_era) = (y.div_euclid(400), y.rem_euclid(400));
    let days =
        era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + (153 * m + 2) / 5 + day - 1 - 719_468;
    Some(((days * 24 + hour) * 60 + minute) * 60_000 + second * 1_000 + ms)
}

/// Numbers for names, in order of appearance.
#[derive(Default)]
struct Names {
    numbers: HashMap<String, u32>,
    names: Vec<String>,
}

impl Names {
    fn number(&mut self, name: &str) -> u32 {
        if let Some(number) = self.numbers.get(name) {
            return *number;
        }
        let number = self.names.len() as u32;
        self.names.push(name.to_owned());
        self.numbers.insert(name.to_owned(), number);
        number
    }
}

/// What the clients of a run saw.
fn client_side(label: &str, requests: &[Request], logs: &BTreeMap<u32, Log>) -> Side {
    let first = requests.first().map_or(0, |first| first.time_us);
    let mut names = Names::default();
    let invocations = (0..)
        .zip(requests)
        .map(|(number, request)| Invocation {
            number,
            function: names.number(&request.function),
            arrival: Time(request.time_us - first),
            class: if request.cold { Class::Cold } else { Class::Warm },
            start: None,
            wait: None,
            init: None,
            duration: None,
            response: Some(request.latency),
            failed: false,
        })
        .collect();
    let sum = |of: fn(&Log) -> u64| logs.values().map(of).sum::<u64>();
    let recreated: usize = logs.values().map(Log::recreated).sum();
    // Every invoker but the last one has a number below it; a gap is a log that is missing.
    let missing: Vec<String> = (0..logs.keys().last().map_or(0, |last| last + 1))
        .filter(|number| !logs.contains_key(number))
        .map(|number| number.to_string())
        .collect();
    let mut notes = vec![
        "what clients saw: answered requests, cold or warm; they were sent as answers came, so another platform \
         would have been sent others"
            .to_owned(),
        format!(
            "{recreated} starts evicted others to make room; {} containers were removed, for whatever reason",
            sum(|log| log.removed)
        ),
    ];
    if !missing.is_empty() {
        notes.push(format!("no log of invoker {}: containers are not counted", missing.join(", ")));
    }
    Side {
        invocations,
        created: missing.is_empty().then(|| sum(|log| log.created)),
        two_classes: true,
        speed: Some(1.0),
        notes,
        ..Side::new(label, SideKind::OpenWhisk, names.names)
    }
}

/// What one invoker did: its placements in order, with its clients' response times.
fn invoker_side(label: &str, requests: &[Request], log: &Log) -> Side {
    let latencies: HashMap<&str, Span> =
        requests.iter().map(|request| (request.activation.as_str(), request.latency)).collect();
    let first = log.starts.first().map_or(0, |first| first.time_ms);
    let mut names = Names::default();
    let invocations: Vec<Invocation> = (0..)
        .zip(&log.starts)
        .map(|(number, start)| {
            let state = start_named(&start.state);
            Invocation {
                number,
                function: names.number(&start.action),
                arrival: Time::from_ms((start.time_ms - first).unsigned_abs()),
                class: Class::of(state),
                start: state,
                wait: None,
                init: None,
                duration: None,
                response: latencies.get(start.activation.as_str()).copied(),
                failed: false,
            }
        })
        .collect();
    let unanswered = invocations.iter().filter(|one| one.response.is_none()).count();
    let mut notes = vec![format!(
        "{} starts evicted others to make room; {} containers were removed, for whatever reason",
        log.recreated(),
        log.removed
    )];
    notes.push(
        "arrivals are the instants at which it placed them; responses are the clients', network and controller \
         included"
            .to_owned(),
    );
    if unanswered > 0 {
        notes.push(format!(
            "of {unanswered} placements no client had an answer: their responses are not known"
        ));
    }
    Side {
        invocations,
        created: Some(log.created),
        speed: Some(1.0),
        notes,
        ..Side::new(label, SideKind::OpenWhisk, names.names)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instants_are_read() {
        assert_eq!(parse_utc("1970-01-01T00:00:00.000Z"), Some(0));
        assert_eq!(parse_utc("2021-11-11T16:25:08.066Z"), Some(1_636_647_908_066));
        assert_eq!(parse_utc("2000-02-29T00:00:00.5Z"), Some(951_782_400_500));
        for wrong in
            ["", "2021-11-11", "2021-13-11T00:00:00Z", "2021-11-11T25:00:00Z", "2021-11-11T16:25:08.066"]
        {
            assert_eq!(parse_utc(wrong), None, "{wrong}");
        }
    }
}
