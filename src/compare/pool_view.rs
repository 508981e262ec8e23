//! What a pool holds at one instant, as somebody who only watches it sees it: its containers, what each does, who waits. Owns
//! how that is put together from what a run shows; must never look into a pool.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use crate::eventlog::Watcher;
use crate::ids::{ActivationId, ContainerId, FunctionId};
use crate::pool::boundary::{Action, Note, StartState};
use crate::tally::{Ending, Observer};
use crate::time::Time;

/// A pool at one instant.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct PoolState {
    /// When, in s since the beginning of the run.
    pub at_s: f64,
    /// Memory of its containers in MiB.
    pub used_mib: u64,
    /// Activations that wait in front of it.
    pub waiting: u64,
    /// Its containers, in the order in which they were asked for.
    pub containers: Vec<ContainerState>,
}

/// A container at one instant.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct ContainerState {
    /// Its number, in the order in which containers were asked for, from 1.
    pub number: u64,
    /// What it serves, as the log numbers functions; `None`: a prewarm.
    pub function: Option<u32>,
    /// Its memory in MiB.
    pub memory_mib: u32,
    /// What it does: `starting`, `running`, `idle`, `paused`.
    pub doing: &'static str,
    /// For how long, in s.
    pub for_s: f64,
}

/// Watches a run, and keeps what the pool held when one activation was decided about.
pub struct PoolView {
    /// The number of that activation.
    wanted: u64,
    containers: BTreeMap<ContainerId, Seen>,
    created: u64,
    waiting: BTreeSet<ActivationId>,
    numbers: BTreeMap<ActivationId, u64>,
    arrived: u64,
    /// What was decided.
    start: Option<StartState>,
    /// What the pool held when it arrived.
    at_arrival: Option<PoolState>,
}

#[derive(Clone, Copy)]
struct Seen {
    number: u64,
    function: Option<u32>,
    memory_mib: u32,
    doing: &'static str,
    since: Time,
}

impl PoolView {
    /// Waits for the activation of this number.
    pub fn of(wanted: u64) -> PoolView {
        PoolView {
            wanted,
            containers: BTreeMap::new(),
            created: 0,
            waiting: BTreeSet::new(),
            numbers: BTreeMap::new(),
            arrived: 0,
            start: None,
            at_arrival: None,
        }
    }

    /// What the pool held when the activation arrived, before anything was decided; `None` if it never did.
    pub fn state(&self) -> Option<&PoolState> {
        self.at_arrival.as_ref()
    }

    /// How the activation was started; `None`: never.
    pub fn start(&self) -> Option<StartState> {
        self.start
    }

    fn state_at(&self, now: Time) -> PoolState {
        let mut containers: Vec<ContainerState> = self
            .containers
            .values()
            .map(|seen| ContainerState {
                number: seen.number,
                function: seen.function,
                memory_mib: seen.memory_mib,
                doing: seen.doing,
                for_s: (now - seen.since).as_secs_f64(),
            })
            .collect();
        containers.sort_by_key(|container| container.number);
        PoolState {
            at_s: now.as_secs_f64(),
            used_mib: containers.iter().map(|container| u64::from(container.memory_mib)).sum(),
            waiting: self.waiting.len() as u64,
            containers,
        }
    }

    fn set(&mut self, container: ContainerId, doing: &'static str, now: Time) {
        if let Some(seen) = self.containers.get_mut(&container)
            && seen.doing != doing
        {
            (seen.doing, seen.since) = (doing, now);
        }
    }
}

impl Observer for PoolView {
    fn arrived(&mut self, now: Time, activation: ActivationId, _function: FunctionId) {
        // Activations are numbered as they arrive.
        let number = self.arrived;
        self.arrived += 1;
        self.numbers.insert(activation, number);
        if number == self.wanted {
            self.at_arrival = Some(self.state_at(now));
        }
    }

    fn acted(&mut self, now: Time, action: &Action) {
        match *action {
            Action::Init { container, function, .. } => {
                if let Some(seen) = self.containers.get_mut(&container) {
                    seen.function = Some(function.0);
                }
                self.set(container, "starting", now);
            }
            Action::Run { container, .. } => self.set(container, "running", now),
            Action::Pause(container) => self.set(container, "paused", now),
            Action::Resume(container) => self.set(container, "running", now),
            _ => {}
        }
    }

    fn noted(&mut self, now: Time, note: &Note) {
        match *note {
            Note::Allotted { container, function, memory_mib } => {
                self.created += 1;
                let function = function.map(|function| function.0);
                let seen = Seen { number: self.created, function, memory_mib, doing: "starting", since: now };
                self.containers.insert(container, seen);
            }
            Note::Gone { container, .. } => drop(self.containers.remove(&container)),
            Note::Idle { container, .. } => self.set(container, "idle", now),
            Note::Queued(activation) | Note::Buffered(activation) => drop(self.waiting.insert(activation)),
            Note::Dispatched { activation, start, .. } => {
                self.waiting.remove(&activation);
                if self.numbers.get(&activation) == Some(&self.wanted) {
                    self.start = self.start.or(Some(start));
                }
            }
            _ => {}
        }
    }

    fn ended(&mut self, ending: &Ending) {
        self.waiting.remove(&ending.activation);
        self.numbers.remove(&ending.activation);
    }
}

impl Watcher for PoolView {}
