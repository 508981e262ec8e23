//! The estimate against the simulator's own model: steps that were slowed down by known demands. Must never use measured times.

use rand::{RngExt as _, SeedableRng as _};
use rand_pcg::Pcg64Mcg;

use super::*;
use crate::ids::{ActivationId, ContainerId};
use crate::pool::Input;
use crate::pool::boundary::{RunOutcome, Status};
use crate::scenario::Contention;
use crate::sim::{Contended, EventQueue as _, HeapQueue};

const CREATE: usize = 0;
const RUN: usize = 2;

/// `many` creations and runs that begin at random, of 400 ms and 100 ms each when alone, within a tenth more or less.
fn slowed_down(many: u32, create: f64, run: f64, gap_us: u64) -> Vec<Busy> {
    let mut generator = Pcg64Mcg::seed_from_u64(3);
    let mut heap = HeapQueue::default();
    let contention = Contention { processors: 2, create, run, ..Contention::default() };
    let mut queue = Contended::new(&mut heap, contention);
    let mut steps = Vec::new();
    let mut begin = Time::ZERO;
    let mut next = 0_u32;
    let mut all =
        vec![Busy { kind: 0, begun: begin, free_until: begin, ended: begin, group: 0 }; many as usize];
    loop {
        let due = queue.next_time();
        if next < many && begin < due {
            let kind = if next.is_multiple_of(3) { RUN } else { CREATE };
            let usual = if kind == RUN { 100_000.0 } else { 400_000.0 };
            let long = (usual * generator.random_range(0.9..1.1)) as u64;
            let container = ContainerId { slot: next, epoch: 0 };
            let input = match kind {
                RUN => Input::Ran(container, ActivationId(next), RunOutcome::Answered(Status::Success)),
                _ => Input::Created(container, Ok(())),
            };
            queue.schedule(begin, Time(begin.0 + long), crate::time::Span::ZERO, input);
            all[next as usize] = Busy { kind, begun: begin, ..all[next as usize] };
            begin = Time(begin.0 + generator.random_range(0..2 * gap_us));
            next += 1;
        } else if due == Time::NEVER {
            return steps;
        } else if let Some((time, input)) = queue.pop() {
            let (Input::Ran(container, ..) | Input::Created(container, _)) = input else {
                panic!("{input:?}")
            };
            let step = all[container.slot as usize];
            steps.push(Busy { free_until: time, ended: time, ..step });
        }
    }
}

#[test]
fn known_demands_are_found() {
    for (create, run) in [(1.4, 1.0), (1.8, 0.6), (0.8, 1.6)] {
        let steps = slowed_down(1_500, create, run, 330_000);
        let (found, stretches) = estimate(2, &steps).expect("there was company");
        assert!((found.demands[CREATE] - create).abs() < 0.12, "{create}: {found:?}");
        assert!((found.demands[RUN] - run).abs() < 0.25, "{run}: {found:?}");
        assert!(found.explained > 0.5, "{found:?}");
        let alone: Vec<f64> = steps
            .iter()
            .zip(&stretches)
            .filter(|(step, _)| step.kind == CREATE)
            .map(|(step, stretch)| (step.ended - step.begun).0 as f64 / stretch)
            .collect();
        let mean = alone.iter().sum::<f64>() / alone.len() as f64;
        assert!((mean / 400_000.0 - 1.0).abs() < 0.03, "{mean}");
    }
}

#[test]
fn without_company_nothing_is_told() {
    assert_eq!(estimate(2, &slowed_down(200, 1.0, 1.0, 30_000_000)), None);
    assert_eq!(estimate(2, &[]), None);
}
