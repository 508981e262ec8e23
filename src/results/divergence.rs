//! Decisions that differ, as text: how many, what made the difference, and the first of them with both pools. Owns wording; must
//! never compute a figure.

use super::layout::{WIDTH, entry};
use super::report::{line, thousands};
use super::{counted, duration};
use crate::compare::divergence::{Divergences, First};
use crate::compare::pool_view::{ContainerState, PoolState};

/// Where the text begins.
const INDENT: usize = 14;

/// So many containers of a pool are listed.
const LISTED: usize = 8;

/// The section of a comparison.
pub fn divergence_text(found: &Divergences) -> String {
    let mut out = String::new();
    let alike = found.compared - found.diverging;
    let all = format!("{} of {} alike", thousands(alike), thousands(found.compared));
    if found.diverging == 0 {
        line(&mut out, &format!("{:<INDENT$}{all}", "decisions"));
        return out;
    }
    line(&mut out, &format!("{:<INDENT$}{all}; what made the difference:", "decisions"));
    for count in &found.causes {
        line(&mut out, &format!("{:<INDENT$}{:>6}  {}", "", thousands(count.count), count.cause.name()));
    }
    let left = match found.left {
        0 => "with everything as it went live all are alike".to_owned(),
        left => format!("with everything as it went live {} still differ", thousands(left)),
    };
    line(&mut out, &format!("{:<INDENT$}{left}", ""));
    if let Some(first) = &found.first {
        out.push('\n');
        first_text(&mut out, first, &found.functions);
    }
    out
}

fn first_text(out: &mut String, first: &First, functions: &[String]) {
    let one = &first.divergence;
    let of = format!("invocation {} of {}, due at {:.3} s", one.number, one.function, one.at_s);
    out.push_str(&entry("first", INDENT, &of));
    let start = |start: Option<&'static str>, class: &str| start.unwrap_or(class).to_owned();
    let decided = format!("A: {}; B: {}", start(first.a_start, one.a), start(first.b_start, one.b));
    out.push_str(&entry("", INDENT, &decided));
    let why = match &first.detail {
        Some(detail) => format!("{}: {detail}", one.cause.name()),
        None => one.cause.name().to_owned(),
    };
    out.push_str(&entry("", INDENT, &why));
    for (name, pool) in [("A", &first.a_pool), ("B", &first.b_pool)] {
        if let Some(pool) = pool {
            pool_text(out, name, pool, functions);
        }
    }
}

fn pool_text(out: &mut String, name: &str, pool: &PoolState, functions: &[String]) {
    let waiting = if pool.waiting > 0 { format!(", {} waiting", pool.waiting) } else { String::new() };
    let containers = counted(pool.containers.len() as u64, "container");
    let head = format!("{:<INDENT$}{containers}, {} MiB{waiting}", format!("pool of {name}"), pool.used_mib);
    line(out, &head);
    for container in pool.containers.iter().take(LISTED) {
        let text = container_text(container, functions);
        let cut: String = text.chars().take(WIDTH - INDENT - 2).collect();
        line(out, &format!("{:<INDENT$}  {cut}", ""));
    }
    if pool.containers.len() > LISTED {
        line(out, &format!("{:<INDENT$}  … and {} more", "", pool.containers.len() - LISTED));
    }
}

/// A container in a line, its number first.
fn container_text(container: &ContainerState, functions: &[String]) -> String {
    let [number, function, doing, long, memory] = cells(container, functions);
    format!("{number:<4}{function:<22} {doing:<8} for {long:>8}, {memory}")
}

/// The same as cells of a table: number, function, what it does, for how long, memory.
pub fn container_cells(container: &ContainerState, functions: &[String]) -> Vec<String> {
    cells(container, functions).to_vec()
}

fn cells(container: &ContainerState, functions: &[String]) -> [String; 5] {
    let function = container.function.and_then(|function| functions.get(function as usize));
    [
        container.number.to_string(),
        function.map_or("prewarmed", String::as_str).to_owned(),
        container.doing.to_owned(),
        duration(container.for_s * 1e3),
        format!("{} MiB", container.memory_mib),
    ]
}
