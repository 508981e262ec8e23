//! What every note of the pool must agree with: memory, order, phases, leases. Must never look at what
//! the pool keeps.

use faassim::ids::{ActivationId, ContainerId};
use faassim::pool::boundary::{Departure, Phase, StartState};
use faassim::pool::rules::LeaseFrom;
use faassim::time::Time;

use super::{Allotted, Step, World};

impl World<'_> {
    pub(super) fn dispatched(
        &mut self,
        activation: ActivationId,
        id: ContainerId,
        start: StartState,
        active: u16,
    ) {
        self.progress = self.now;
        if !self.buffer.is_empty() {
            let head = self.buffer.pop_front();
            self.must(head == Some(activation), || format!("{activation:?} overtook {head:?}"));
        }
        let flight = self.flight(activation);
        let free = flight.container.is_none();
        (flight.container, flight.start, flight.fate) = (Some(id), Some(start), None);
        let function = flight.function;
        let limit = self.script.functions[function.ix()].max_concurrent;
        self.must(free, || format!("{activation:?} was given two containers"));
        self.must(active <= limit, || format!("{id:?} was given {active}, its limit is {limit}"));
        match self.allotted.get_mut(&id) {
            Some(allotted) => allotted.prewarm = false,
            None => self.must(false, || format!("{activation:?} was given {id:?}, which has no memory")),
        }
        let life = self.life(id);
        life.assigned.insert(activation);
        let fit = match start {
            StartState::Warmed => life.initialized == Step::Done,
            StartState::Prewarmed | StartState::RecreatedPrewarm => {
                life.created == Step::Done && life.initialized == Step::No
            }
            StartState::Cold | StartState::Recreated => life.created == Step::No,
            StartState::Warming | StartState::WarmingCold => true,
        };
        self.must(fit, || format!("{activation:?} did not find {id:?} {}", start.name()));
    }

    pub(super) fn allot(&mut self, id: ContainerId, memory_mib: u32, prewarm: bool) {
        let allotted = Allotted { memory_mib: u64::from(memory_mib), prewarm };
        let again = self.allotted.insert(id, allotted).is_some();
        self.must(!again, || format!("{id:?} was allotted memory twice"));
        let rules = &self.script.rules;
        let used = self.allotted_mib(true);
        let within = used <= self.memory_mib;
        let strict = !rules.overcommit && rules.prewarm_in_sum;
        self.must(within || !strict, || format!("{used} MiB are in use after {id:?}"));
    }

    /// Leases are kept to the µs, from the moment that the rules name.
    pub(super) fn gone(&mut self, id: ContainerId, why: Departure) {
        if !matches!(why, Departure::Expired | Departure::Unloaded) {
            return;
        }
        let given = self.leases().given.get(&id.slot).copied();
        let fit = given.is_some_and(|(from, lease)| {
            from == self.lives[&id].idle_since
                && (from + lease.keep).max(self.lives[&id].paused_since) == self.now
                && lease.load_after.is_some() == (why == Departure::Unloaded)
        });
        self.must(fit, || format!("{id:?} left as {why:?}, its lease was {given:?}"));
    }

    pub(super) fn entered(&mut self, id: ContainerId, phase: Phase) {
        use Phase::{Paused, Pausing, Ready, Removing, Running, Started, Starting, Stopped, Uninitialized};
        let now = self.now;
        let rules = &self.script.rules;
        let from_idle = rules.lease_from == LeaseFrom::Idle || rules.pause_grace.is_none();
        let leased = if from_idle { Ready } else { Paused };
        let life = self.life(id);
        if phase == leased {
            life.idle_since = now;
        }
        match phase {
            Ready => life.paused_since = Time::ZERO,
            // A lease that ends while the container is being frozen is noticed when it is frozen.
            Paused => life.paused_since = now,
            _ => {}
        }
        let from = life.phase.replace(phase).unwrap_or(Uninitialized);
        (life.since, life.completed) = (now, life.completed && phase != Running);
        let fit = matches!(
            (from, phase),
            (Uninitialized, Starting | Running)
                | (Starting, Started | Stopped)
                | (Started, Running | Removing)
                | (Running, Ready | Removing)
                | (Ready, Running | Pausing | Removing)
                | (Pausing, Paused | Removing)
                | (Paused, Running | Removing)
                | (Removing, Stopped)
        );
        self.must(fit, || format!("{id:?} went from {from:?} to {phase:?}"));
    }
}
