//! The shared processors against what is known of processor sharing, and against a queue without contention. Must never
//! depend on time.

use proptest::prelude::*;

use super::*;
use crate::ids::{ActivationId, ContainerId};
use crate::pool::boundary::{RunOutcome, Status};
use crate::sim::HeapQueue;

fn ran(slot: u32) -> Input {
    let container = ContainerId { slot, epoch: 0 };
    Input::Ran(container, ActivationId(slot), RunOutcome::Answered(Status::Success))
}

fn destroyed(slot: u32) -> Input {
    Input::Destroyed(ContainerId { slot, epoch: 0 })
}

fn contention(processors: u32, run: f64) -> Contention {
    Contention { processors, run, ..Contention::default() }
}

/// When runs of so many µs that begin at these instants end, by slot; each takes `demand` processors.
fn ends(processors: u32, demand: f64, runs: &[(u64, u64)]) -> Vec<u64> {
    let mut heap = HeapQueue::default();
    let mut queue = Contended::new(&mut heap, contention(processors, demand));
    let mut ends = vec![0; runs.len()];
    let mut left = runs.iter().zip(0_u32..).peekable();
    loop {
        let due = queue.next_time();
        match left.peek() {
            Some(((begin, _), _)) if Time(*begin) < due => {
                let ((begin, long), slot) = left.next().expect("peeked");
                queue.schedule(Time(*begin), Time(begin + long), Span::ZERO, ran(slot));
            }
            _ if due == Time::NEVER => return ends,
            _ => {
                let Some((time, input)) = queue.pop() else { continue };
                assert_eq!(time, due, "it comes when it was said to");
                let Input::Ran(container, ..) = input else { panic!("only runs are under way") };
                ends[container.slot as usize] = time.0;
            }
        }
    }
}

#[test]
fn who_is_alone_is_not_slowed_down() {
    assert_eq!(ends(1, 0.3, &[(10, 1_000)]), [1_010]);
    assert_eq!(ends(2, 1.0, &[(0, 1_000), (0, 700)]), [1_000, 700]);
}

#[test]
fn two_share_one_processor_evenly() {
    // Both at half the speed until the shorter has had its 400: at 800. Then the longer has 600 left.
    assert_eq!(ends(1, 1.0, &[(0, 1_000), (0, 400)]), [1_400, 800]);
    // Three on two: 2/3 of the speed each.
    assert_eq!(ends(2, 1.0, &[(0, 600), (0, 600), (0, 600)]), [900, 900, 900]);
}

#[test]
fn who_comes_later_finds_the_processor_partly_taken() {
    // The first has had 500 of its 1,000 when the second comes; both are at half the speed until the first is through at 1,500
    // and the second has had 500 of its 1,000.
    assert_eq!(ends(1, 1.0, &[(0, 1_000), (500, 1_000)]), [1_500, 2_000]);
}

#[test]
fn demands_are_weighed() {
    // Together they want 3 of 2 processors: 2/3 of the speed until the shorter is through at 600.
    assert_eq!(ends(2, 1.5, &[(0, 1_000), (0, 400)]), [1_200, 600]);
    // What wants nothing is not slowed down.
    assert_eq!(ends(1, 0.0, &[(0, 1_000), (0, 1_000)]), [1_000, 1_000]);
}

#[test]
fn what_goes_by_the_clock_slows_down_others_but_not_itself() {
    let mut heap = HeapQueue::default();
    let mut queue = Contended::new(&mut heap, contention(1, 1.0));
    // 200 of work and then 600 by the clock; 500 of work.
    queue.schedule(Time::ZERO, Time(800), Span(600), ran(0));
    queue.schedule(Time::ZERO, Time(500), Span::ZERO, ran(1));
    let mut ends = Vec::new();
    while queue.next_time() != Time::NEVER {
        ends.extend(queue.pop().map(|(time, _)| time.0));
    }
    // Both at half the speed: the first has done its work at 400 and ends at 1,000, when the second has done 500.
    assert_eq!(ends, [1_000, 1_000]);
}

#[test]
fn what_happens_at_one_instant_has_the_order_of_the_pool() {
    let mut heap = HeapQueue::default();
    let mut queue = Contended::new(&mut heap, contention(8, 1.0));
    queue.schedule(Time::ZERO, Time(5), Span::ZERO, destroyed(2));
    queue.schedule(Time::ZERO, Time(5), Span::ZERO, ran(3));
    queue.schedule(Time::ZERO, Time(5), Span::ZERO, ran(1));
    queue.schedule(Time::ZERO, Time(5), Span::ZERO, destroyed(0));
    let mut all: Vec<Input> = (0..4).filter_map(|_| queue.pop()).map(|(_, input)| input).collect();
    let found = all.clone();
    all.sort_by_key(order);
    assert_eq!(found, all);
}

proptest! {
    /// With as many processors as steps nothing is different from a queue without contention.
    #[test]
    fn enough_processors_change_nothing(
        mut runs in prop::collection::vec((0_u64..100_000, 1_u64..50_000), 1..60),
        demand in 0.0_f64..1.0,
    ) {
        runs.sort_unstable();
        let alone: Vec<u64> = runs.iter().map(|(begin, long)| begin + long).collect();
        prop_assert_eq!(ends(64, demand, &runs), alone);
    }

    /// A processor is never idle while somebody wants it: with runs that need nothing else, the last one ends when all the
    /// work is done, whatever the order, but for a µs of rounding per run.
    #[test]
    fn work_is_neither_lost_nor_made(longs in prop::collection::vec(1_u64..50_000, 1..40)) {
        let runs: Vec<(u64, u64)> = longs.iter().map(|long| (0, *long)).collect();
        let last = ends(1, 1.0, &runs).into_iter().max().expect("at least one");
        let work: u64 = longs.iter().sum();
        prop_assert!(last >= work && last <= work + longs.len() as u64, "{last} is not {work}");
    }

    /// More processors never make anything slower.
    #[test]
    fn more_processors_help(
        mut runs in prop::collection::vec((0_u64..100_000, 1_u64..50_000), 1..40),
        demand in 0.1_f64..1.0,
    ) {
        runs.sort_unstable();
        for (few, more) in ends(1, demand, &runs).into_iter().zip(ends(2, demand, &runs)) {
            prop_assert!(more <= few + runs.len() as u64);
        }
    }
}
