//! OpenWhisk's log lines: the two that the pool writes for every placement, and how any line is read
//! (docs/specs/openwhisk.md §8.5, §21). Must never fail on a line that OpenWhisk wrote, nor allocate to read one.

mod counters;

pub use counters::{CounterLine, CounterMap, action as counter_action, counter_line};

use crate::pool::boundary::StartState;

/// What the placement line tells of one activation (§21.4).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ContainerStart<'a> {
    /// How it got its container.
    pub state: StartState,
    /// The container, unless it has yet to be created.
    pub container: Option<&'a str>,
    /// Activations assigned to the container, this one included.
    pub active: u32,
    /// Its concurrency limit.
    pub max_concurrent: u32,
    /// The action's name.
    pub action: &'a str,
    /// The invoking namespace.
    pub namespace: &'a str,
    /// The activation.
    pub activation: &'a str,
}

/// The message of the placement line.
pub fn container_start_message(start: &ContainerStart<'_>) -> String {
    let ContainerStart { state, active, max_concurrent, action, namespace, activation, .. } = start;
    let state = state.name();
    let container = start.container.map_or("None".to_owned(), |id| format!("Some(ContainerId({id}))"));
    format!(
        "containerStart containerState: {state} container: {container} activations: {active} of max \
         {max_concurrent} action: {action} namespace: {namespace} activationId: {activation}"
    )
}

/// Reads the message of the placement line; `None` if it is another one. Names of actions may hold blanks, so
/// the words around them are what counts.
pub fn parse_container_start(message: &str) -> Option<ContainerStart<'_>> {
    let rest = message.strip_prefix("containerStart containerState: ")?;
    let (state, rest) = rest.split_once(" container: ")?;
    let (container, rest) = rest.split_once(" activations: ")?;
    let (active, rest) = rest.split_once(" of max ")?;
    let (max_concurrent, rest) = rest.split_once(" action: ")?;
    let (rest, activation) = rest.rsplit_once(" activationId: ")?;
    let (action, namespace) = rest.rsplit_once(" namespace: ")?;
    Some(ContainerStart {
        state: StartState::ALL.into_iter().find(|known| known.name() == state)?,
        container: container_id(container),
        active: active.parse().ok()?,
        max_concurrent: max_concurrent.parse().ok()?,
        action,
        namespace,
        activation: activation.split_whitespace().next()?,
    })
}

/// The first container that a message names as `ContainerId(ID)`.
pub fn container_id(message: &str) -> Option<&str> {
    let (_, rest) = message.split_once("ContainerId(")?;
    rest.split_once(')').map(|(id, _)| id)
}

/// The message in which the FaasCache fork counts cold and warm starts, misprint included (§8.5). The
/// maps go from `namespace/name@version` to a count, and are written in the order given.
pub fn faascache_counter_message(
    cold_hits: u64,
    warm_hits: u64,
    cold: &[(String, u64)],
    warm: &[(String, u64)],
) -> String {
    let (cold, warm) = (scala_map(cold), scala_map(warm));
    format!("cold hits: {cold_hits}, warm hits:{warm_hits}, cold mapits: {cold}, warm map: {warm}")
}

fn scala_map(entries: &[(String, u64)]) -> String {
    let entries: Vec<String> =
        entries.iter().map(|(action, count)| format!("ExecutableWhiskAction/{action} -> {count}")).collect();
    format!("Map({})", entries.join(", "))
}

/// A log line, read.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LogLine<'a> {
    /// When, in ms since 1970 (UTC).
    pub time_ms: i64,
    /// `DEBUG`, `INFO`, `WARN` or `ERROR`.
    pub level: &'a str,
    /// The transaction, without `#tid_`; `sid_…` for internal work. Lines of libraries have none.
    pub tid: Option<&'a str>,
    /// The transaction of the line itself where the line's `tid` is that of its parent.
    pub child_tid: Option<&'a str>,
    /// The class that wrote the line. Lines of incoming requests and of libraries have none.
    pub component: Option<&'a str>,
    /// The text, without the marker.
    pub message: &'a str,
    /// The marker at the end of the line.
    pub marker: Option<Marker<'a>>,
}

/// A marker (§21.2).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Marker<'a> {
    /// `controller`, `invoker`, `database`, …
    pub component: &'a str,
    /// What it does: `activation`, `docker`, …
    pub action: &'a str,
    /// Which of several: `run` in `docker.run`.
    pub sub_action: Option<&'a str>,
    /// `start`, `finish`, `error` or `counter`.
    pub state: &'a str,
    /// Ms since the transaction began.
    pub delta_to_start_ms: u64,
    /// Ms since the matching start.
    pub delta_ms: Option<u64>,
}

/// Reads one log line; `None` if it does not begin with a time and a level, as the further lines of a
/// message of several do not.
pub fn parse_log_line(line: &str) -> Option<LogLine<'_>> {
    let line = line.trim_end_matches(['\r', '\n']);
    let (time, rest) = bracketed(line)?;
    let (level, rest) = bracketed(rest)?;
    if !matches!(level, "DEBUG" | "INFO" | "WARN" | "ERROR") {
        return None;
    }
    let (tid, rest) = transaction(rest);
    let (child_tid, rest) = if tid.is_some() { transaction(rest) } else { (None, rest) };
    let (component, rest) = match bracketed(rest) {
        Some((name, rest)) if tid.is_some() && is_component(name) => (Some(name), rest),
        _ => (None, rest),
    };
    let (message, marker) = split_marker(rest);
    Some(LogLine {
        time_ms: epoch_ms(time)?,
        level,
        tid,
        child_tid,
        component,
        message: message.trim(),
        marker,
    })
}

/// The time with which a line begins, in ms since 1970.
pub fn line_time(line: &[u8]) -> Option<i64> {
    let time = line.strip_prefix(b"[")?;
    let end = time.iter().take(40).position(|byte| *byte == b']')?;
    epoch_ms(std::str::from_utf8(&time[..end]).ok()?)
}

/// The content of a bracket at the beginning, and what follows it.
fn bracketed(text: &str) -> Option<(&str, &str)> {
    text.trim_start().strip_prefix('[')?.split_once(']')
}

fn transaction(text: &str) -> (Option<&str>, &str) {
    match bracketed(text) {
        Some((id, rest)) if id.starts_with("#tid_") => (Some(&id["#tid_".len()..]), rest),
        _ => (None, text),
    }
}

/// Names of classes; a marker that stands alone is not one.
fn is_component(name: &str) -> bool {
    !name.is_empty() && name.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '$' | '.' | '-'))
}

/// A marker ends its line; looking from there spares a search through the whole message.
fn split_marker(text: &str) -> (&str, Option<Marker<'_>>) {
    let found = || {
        let whole = text.trim_end().strip_suffix(']')?;
        let at = whole.rfind('[')?;
        let marker = marker(whole[at + 1..].strip_prefix("marker:")?)?;
        Some((&text[..at], Some(marker)))
    };
    found().unwrap_or((text, None))
}

fn marker(text: &str) -> Option<Marker<'_>> {
    let mut parts = text.split(':');
    let (name, delta_to_start_ms) = (parts.next()?, parts.next()?.parse().ok()?);
    let delta_ms = match parts.next() {
        Some(number) => Some(number.parse().ok()?),
        None => None,
    };
    let (component, rest) = name.split_once('_')?;
    let (action, state) = rest.rsplit_once('_')?;
    let (action, sub_action) = match action.split_once('.') {
        Some((action, sub_action)) => (action, Some(sub_action)),
        None => (action, None),
    };
    let is_marker = parts.next().is_none() && !name.contains(char::is_whitespace);
    is_marker.then_some(Marker { component, action, sub_action, state, delta_to_start_ms, delta_ms })
}

/// `2022-04-15T06:04:39.086Z` in ms since 1970; digits after the third are cut off.
fn epoch_ms(text: &str) -> Option<i64> {
    usual_epoch_ms(text.as_bytes()).or_else(|| any_epoch_ms(text))
}

/// The form in which OpenWhisk writes it, digits at fixed places.
fn usual_epoch_ms(text: &[u8]) -> Option<i64> {
    let text: &[u8; 24] = text.try_into().ok()?;
    let fixed = [(4, b'-'), (7, b'-'), (10, b'T'), (13, b':'), (16, b':'), (19, b'.'), (23, b'Z')];
    if fixed.iter().any(|(at, byte)| text[*at] != *byte) {
        return None;
    }
    let number = |from: usize, to: usize| {
        text[from..to].iter().try_fold(0_i64, |number, digit| {
            digit.is_ascii_digit().then(|| number * 10 + i64::from(digit - b'0'))
        })
    };
    let (year, month, day) = (number(0, 4)?, number(5, 7)?, number(8, 10)?);
    let (hour, minute, second) = (number(11, 13)?, number(14, 16)?, number(17, 19)?);
    let ms = number(20, 23)?;
    let seconds = seconds_since_1970([year, month, day], [hour, minute, second])?;
    Some(seconds * 1_000 + ms)
}

fn any_epoch_ms(text: &str) -> Option<i64> {
    let (date, time) = text.strip_suffix('Z')?.split_once('T')?;
    let date = numbers(date, '-')?;
    let (clock, fraction) = time.split_once('.').unwrap_or((time, ""));
    let clock = numbers(clock, ':')?;
    if !fraction.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let digits = fraction.bytes().chain(*b"000").take(3);
    let ms = digits.fold(0, |ms, digit| ms * 10 + i64::from(digit - b'0'));
    Some(seconds_since_1970(date, clock)? * 1_000 + ms)
}

fn seconds_since_1970([year, month, day]: [i64; 3], [hour, minute, second]: [i64; 3]) -> Option<i64> {
    let in_range =
        (1..=12).contains(&month) && (1..=31).contains(&day) && hour < 24 && minute < 60 && second < 61;
    in_range.then(|| days_since_1970(year, month, day) * 86_400 + hour * 3_600 + minute * 60 + second)
}

fn numbers(text: &str, separator: char) -> Option<[i64; 3]> {
    let mut parts = text.split(separator).map(|part| part.parse::<u16>().ok().map(i64::from));
    let numbers = [parts.next()??, parts.next()??, parts.next()??];
    parts.next().is_none().then_some(numbers)
}

/// Days from 1970-01-01 in the Gregorian calendar. Years are counted from March, so that the leap day
/// is the last of its year.
fn days_since_1970(year: i64, month: i64, day: i64) -> i64 {
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let days_of_years = year * 365 + year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400);
    days_of_years + (month * 153 + 2) / 5 + day - 1 - 719_468
}

/// Ms since 1970 as a date and a time of day, UTC: `2022-04-15 06:04:39.086`.
pub fn utc(ms: i64) -> String {
    let (days, ms) = (ms.div_euclid(86_400_000), ms.rem_euclid(86_400_000));
    // The inverse of `days_since_1970`: eras of 400 years, years from March.
    let days = days + 719_468;
    let (era, of_era) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let from_march = (5 * of_year + 2) / 153;
    let day = of_year - (153 * from_march + 2) / 5 + 1;
    let month = if from_march < 10 { from_march + 3 } else { from_march - 9 };
    let year = era * 400 + year_of_era + i64::from(month <= 2);
    let (hour, minute, second) = (ms / 3_600_000, ms / 60_000 % 60, ms / 1_000 % 60);
    format!("{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02}.{:03}", ms % 1_000)
}

#[cfg(test)]
mod tests;
