//! The live driver on a backend that only imagines its containers, under tokio's paused clock, orders exactly what the
//! simulator orders, and its event log replays to the same orders: over many seeds, with evictions, expiries, pauses,
//! failures, prewarms, several activations in a container, and a pool that changes its size.

#![cfg(feature = "live")]

mod imagined;

use std::collections::BTreeMap;
use std::io::BufReader;

use faassim::eventlog::record::Why;
use faassim::eventlog::{Reader, replay};
use faassim::ids::ActivationId;
use faassim::live::driver::Rank;
use faassim::pool::boundary::Action;
use faassim::pool::{Input, order};
use faassim::sim::{self, Answers, HeapQueue, Machine, simulate};
use imagined::{Case, Seen, case, controller, costs, live, setup};

fn simulated(case: &Case) -> (Seen, u64) {
    let Case { scenario, trace } = case;
    let costs = costs(case);
    let mut pool = sim::make_pool(scenario.seed, scenario.memory, setup(scenario), trace, &costs);
    let mut seen = Seen::default();
    let elastic = controller(case, &costs);
    let machine = Machine { imagined: Answers::new(&costs), contention: None };
    let end = simulate(
        &mut pool,
        elastic,
        trace.arrivals(),
        machine,
        &mut HeapQueue::default(),
        &mut seen,
        &mut (),
    );
    (seen, end.expect("nobody stops it").unserved)
}

fn first_difference(simulated: &Seen, live: &Seen) -> Option<String> {
    let ix = simulated.orders.iter().zip(&live.orders).position(|(a, b)| a != b);
    let ix = ix.or_else(|| {
        (simulated.orders.len() != live.orders.len()).then(|| simulated.orders.len().min(live.orders.len()))
    })?;
    Some(format!("order {ix}: simulated {:?}, live {:?}", simulated.orders.get(ix), live.orders.get(ix)))
}

const SEEDS: u64 = 80;

#[tokio::test(start_paused = true)]
async fn the_live_driver_orders_what_the_simulator_orders() {
    let mut happened: BTreeMap<&str, u64> = BTreeMap::new();
    for seed in 0..SEEDS {
        let case = case(seed);
        let (simulated, unserved) = simulated(&case);
        let (live, log, driven) = live(&case, order).await;
        assert_eq!(first_difference(&simulated, &live), None, "seed {seed}\n{}", case.scenario.text);
        assert_eq!(driven.ended.unserved, unserved, "seed {seed}");
        assert_eq!(driven.ended.why, Why::Done, "seed {seed}");
        assert_eq!(driven.invocations, 400);
        let (mut reader, header) = Reader::open(BufReader::new(log.as_slice())).expect("a log");
        let mut again = Seen::default();
        let replayed = replay::replay(&mut reader, &header, &mut again).expect("an undamaged log");
        assert_eq!(replayed.difference, None, "seed {seed}");
        assert_eq!(first_difference(&simulated, &again), None, "seed {seed}: replayed from the log");
        assert_eq!((replayed.arrivals, replayed.unserved), (400, unserved));
        assert_eq!(replayed.ended, Some(driven.ended));
        for (what, count) in live.happened {
            *happened.entry(what).or_default() += count;
        }
    }
    for what in [
        "eviction",
        "expiry",
        "pause",
        "failure",
        "prewarm taken",
        "several at once",
        "joined a start",
        "wait",
        "resize",
        "shrunk",
        "handed back",
        "expired prewarm",
    ] {
        assert!(happened.get(what).is_some_and(|count| *count > 20), "{what} hardly happens: {happened:?}");
    }
}

/// Arrivals first, as a naive driver may do it.
fn arrivals_first(input: &Input) -> (u8, u32, u32) {
    match input {
        Input::Arrived { .. } => (0, 0, 0),
        other => order(other),
    }
}

/// Containers in the wrong order.
fn containers_backwards(input: &Input) -> (u8, u32, u32) {
    let (class, slot, activation) = order(input);
    (class, u32::MAX - slot, activation)
}

/// The wake before what containers report.
fn wake_first(input: &Input) -> (u8, u32, u32) {
    match input {
        Input::Wake => (0, 0, 0),
        other => {
            let (class, slot, activation) = order(other);
            (class + 1, slot, activation)
        }
    }
}

#[tokio::test(start_paused = true)]
async fn any_other_order_of_simultaneous_facts_diverges() {
    let wrong: [(&str, Rank); 3] = [
        ("arrivals first", arrivals_first),
        ("containers backwards", containers_backwards),
        ("the wake first", wake_first),
    ];
    for (name, rank) in wrong {
        let mut diverged = 0;
        for seed in 0..20 {
            let case = case(seed);
            diverged +=
                u64::from(first_difference(&simulated(&case).0, &live(&case, rank).await.0).is_some());
        }
        assert!(diverged > 0, "{name}: nobody would notice");
    }
}

#[tokio::test(start_paused = true)]
async fn a_changed_order_in_a_log_is_found() {
    let case = case(3);
    let (_, log, _) = live(&case, order).await;
    let text = String::from_utf8(log).expect("JSON is text");
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    let at = lines.iter().rposition(|line| line.contains(r#""run":{"#)).expect("something ran");
    lines[at] = lines[at].replace(r#""reschedule":true"#, r#""reschedule":maybe"#);
    lines[at] = lines[at].replace(r#""reschedule":false"#, r#""reschedule":true"#);
    lines[at] = lines[at].replace("maybe", "false");
    let changed = lines.join("\n") + "\n";
    let (mut reader, header) = Reader::open(BufReader::new(changed.as_bytes())).expect("a log");
    let replayed = replay::replay(&mut reader, &header, &mut ()).expect("an undamaged log");
    let difference = replayed.difference.expect("one order differs");
    assert_eq!(difference.line, at as u64 + 1);
    assert_ne!(difference.then, difference.now);

    // A missing order is one, too.
    lines.remove(at);
    let changed = lines.join("\n") + "\n";
    let (mut reader, header) = Reader::open(BufReader::new(changed.as_bytes())).expect("a log");
    let difference =
        replay::replay(&mut reader, &header, &mut ()).expect("undamaged").difference.expect("one lacks");
    assert!(difference.now.is_some_and(|now| matches!(now, Action::Run { activation: ActivationId(_), .. })));
}
