//! Counters, line by line: what starts follow from them, and what does not. Must never touch files.

use super::*;
use crate::openwhisk::logs::{counter_line, faascache_counter_message};

/// A counter message; actions are `ns/NAME@0.0.1`.
fn message(cold: &[(&str, u64)], warm: &[(&str, u64)]) -> String {
    let map = |entries: &[(&str, u64)]| -> Vec<(String, u64)> {
        entries.iter().map(|(name, count)| (format!("ns/{name}@0.0.1"), *count)).collect()
    };
    let sum = |entries: &[(&str, u64)]| entries.iter().map(|(_, count)| count).sum();
    faascache_counter_message(sum(cold), sum(warm), &map(cold), &map(warm))
}

/// Starts as `action state`, each with the time of its line.
struct Told {
    counters: Counters,
    starts: Vec<String>,
}

impl Told {
    fn new() -> Told {
        Told { counters: Counters::default(), starts: Vec::new() }
    }

    fn line(&mut self, source: usize, text: &str) {
        let line = counter_line(text).expect("a counter line");
        let starts = &mut self.starts;
        self.counters.line(source, 7, &line, |start| {
            assert_eq!(start.at, 7);
            let state = start.start.map_or("?", StartState::name);
            starts.push(format!("{} {state}", start.path.as_deref().unwrap_or("?")));
        });
    }

    fn placed(&mut self, source: usize, state: StartState, action: &str) {
        let (namespace, activation) = ("ns", "1");
        let container = None;
        let start =
            ContainerStart { state, container, active: 1, max_concurrent: 1, action, namespace, activation };
        self.counters.placed(source, &start);
    }
}

#[test]
fn every_line_is_one_start() {
    let mut told = Told::new();
    told.line(0, &message(&[("a", 1)], &[]));
    told.line(0, &message(&[("a", 1)], &[("a", 1)]));
    told.line(0, &message(&[("pkg/b", 1), ("a", 1)], &[("a", 1)]));
    told.line(0, &message(&[("a", 1), ("pkg/b", 1)], &[("a", 1), ("pkg/b", 1)]));
    assert_eq!(told.starts, ["ns/a cold", "ns/a warmed", "ns/pkg/b cold", "ns/pkg/b warmed"]);
    let figures = told.counters.figures();
    assert_eq!((figures.lines, figures.cold, figures.warm), (4, 2, 2));
    assert_eq!((figures.before, figures.together, figures.sums_wrong, figures.disagree), (0, 0, 0, 0));
    assert_eq!(figures.unplaced_counts, 0, "there are no placement lines at all");
}

#[test]
fn a_log_that_begins_later_does_not_tell_its_first_start() {
    let mut told = Told::new();
    told.line(0, &message(&[("a", 5)], &[("a", 20)]));
    told.line(0, &message(&[("a", 5)], &[("a", 21)]));
    assert_eq!(told.starts, ["ns/a warmed"]);
    let figures = told.counters.figures();
    assert_eq!((figures.before, figures.cold, figures.warm), (25, 0, 1));
}

#[test]
fn missing_lines_leave_starts_without_order() {
    let mut told = Told::new();
    told.line(0, &message(&[("a", 1)], &[]));
    told.line(0, &message(&[("a", 1), ("b", 1)], &[("a", 2)]));
    assert_eq!(told.starts, ["ns/a cold", "ns/a warmed", "ns/a warmed", "ns/b cold"]);
    assert_eq!(told.counters.figures().together, 3);
}

#[test]
fn a_restart_begins_anew() {
    let mut told = Told::new();
    told.line(0, &message(&[("a", 1)], &[]));
    told.line(0, &message(&[("a", 1)], &[("a", 1)]));
    told.line(0, &message(&[("b", 1)], &[]));
    told.line(0, &message(&[("b", 1)], &[("b", 1)]));
    assert_eq!(told.starts, ["ns/a cold", "ns/a warmed", "ns/b cold", "ns/b warmed"]);
    assert_eq!(told.counters.figures().restarts, 1);
}

#[test]
fn uncounted_states_are_told_by_the_line_before() {
    let mut told = Told::new();
    told.line(0, &message(&[("a", 1)], &[]));
    told.counters.unknown_state(0, "prewarmed");
    told.line(0, &message(&[("a", 1)], &[]));
    told.line(0, &message(&[("a", 1)], &[]));
    assert_eq!(told.starts, ["ns/a cold", "? prewarmed", "? ?"]);
    assert_eq!(told.counters.figures().uncounted, 2);
}

#[test]
fn cut_lines_count_without_names() {
    let mut told = Told::new();
    told.line(0, &message(&[("a", 1)], &[])[..50]);
    told.line(0, &message(&[("a", 1)], &[("a", 1)])[..50]);
    // Whole again: what grew since the last whole line is not one start's alone.
    told.line(0, &message(&[("a", 1)], &[("a", 2)]));
    told.line(0, &message(&[("a", 1)], &[("a", 3)]));
    assert_eq!(told.starts, ["? cold", "? warmed", "? warmed", "ns/a warmed"]);
    assert_eq!(told.counters.figures().cut, 2);
}

#[test]
fn rotated_files_go_on_and_other_invokers_do_not() {
    let mut told = Told::new();
    told.line(0, &message(&[("a", 1)], &[]));
    told.line(1, &message(&[("b", 1)], &[]));
    told.line(0, &message(&[("a", 1)], &[("a", 1)]));
    told.counters.end_of(0);
    told.line(2, &message(&[("a", 1)], &[("a", 2)]));
    told.line(1, &message(&[("b", 1)], &[("b", 1)]));
    assert_eq!(told.starts, ["ns/a cold", "ns/b cold", "ns/a warmed", "ns/a warmed", "ns/b warmed"]);
    let figures = told.counters.figures();
    assert_eq!((figures.before, figures.restarts, figures.together), (0, 0, 0));
}

#[test]
fn placement_lines_are_held_against_the_counters() {
    let mut told = Told::new();
    told.line(0, &message(&[("a", 1)], &[]));
    told.placed(0, StartState::Recreated, "a");
    told.counters.unknown_state(0, "warming");
    told.line(0, &message(&[("a", 1)], &[]));
    told.placed(0, StartState::Warming, "a");
    told.line(0, &message(&[("a", 1)], &[("pkg/b", 1)]));
    told.placed(0, StartState::Warmed, "b");
    let figures = told.counters.figures();
    assert_eq!((figures.checked, figures.disagree, figures.uncounted_placements), (3, 0, 0));

    // Another state, another action, twice, none.
    told.line(0, &message(&[("a", 2)], &[("pkg/b", 1)]));
    told.placed(0, StartState::Warmed, "a");
    told.line(0, &message(&[("a", 3)], &[("pkg/b", 1)]));
    told.placed(0, StartState::Cold, "b");
    told.line(0, &message(&[("a", 5)], &[("pkg/b", 1)]));
    told.placed(0, StartState::Cold, "a");
    told.line(0, &message(&[("a", 5)], &[("pkg/b", 1)]));
    told.placed(0, StartState::Cold, "a");
    let figures = told.counters.figures();
    assert_eq!((figures.checked, figures.disagree), (7, 4));

    told.placed(0, StartState::Cold, "a");
    told.line(0, &message(&[("a", 6)], &[("pkg/b", 1)]));
    told.line(0, &message(&[("a", 7)], &[("pkg/b", 1)]));
    let figures = told.counters.figures();
    assert_eq!((figures.uncounted_placements, figures.unplaced_counts), (1, 1));
}

#[test]
fn maps_must_add_up() {
    let mut told = Told::new();
    told.line(0, "cold hits: 1, warm hits:0, cold mapits: Map(E/ns/a@1 -> 2), warm map: Map()");
    assert_eq!(told.starts, ["? cold"], "the maps cannot be trusted");
    assert_eq!(told.counters.figures().sums_wrong, 1);
}
