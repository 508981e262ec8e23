//! What every order of the pool must fulfil, and how it is carried out. Must never judge what is said
//! to callers (that is `answers.rs`) or noted (`notes.rs`).

use faassim::ids::{ActivationId, ContainerId, FunctionId};
use faassim::pool::Input;
use faassim::pool::boundary::{CreateFault, InitOutcome, RunOutcome, Status};

use super::{Frost, Step, World};

impl World<'_> {
    pub(super) fn create(&mut self, id: ContainerId, function: Option<FunctionId>) {
        let before = self
            .lives
            .range(ContainerId { slot: id.slot, epoch: 0 }..id)
            .any(|(_, old)| !old.is_over() || !old.runs.is_empty());
        self.must(!before, || format!("{id:?} was created while its slot was in use"));
        if let Some(function) = function
            && self.life(id).assigned.is_empty()
        {
            let asked = self.leases().load_at.remove(&function);
            let due = asked == Some(self.now);
            self.must(due, || format!("{id:?} is loaded ahead of time, which was asked for {asked:?}"));
        }
        let again = self.life(id).created != Step::No;
        self.must(!again, || format!("{id:?} was created twice"));
        let life = self.life(id);
        (life.created, life.function) = (Step::Asked, function);
        let fault =
            if self.draw().is_multiple_of(2) { CreateFault::UserImage } else { CreateFault::Platform };
        let fails = self.fails(self.script.failures.create);
        self.answer_later(Input::Created(id, if fails { Err(fault) } else { Ok(()) }));
    }

    pub(super) fn init(&mut self, id: ContainerId, function: FunctionId, activation: Option<ActivationId>) {
        let now = self.now;
        let life = self.life(id);
        let fit = life.created == Step::Done && life.initialized == Step::No && life.removed == Step::No;
        let fit = fit && life.function.is_none_or(|of| of == function);
        self.must(fit, || format!("{id:?} must not be initialised for {function:?}"));
        let life = self.life(id);
        (life.initialized, life.init_from, life.function) = (Step::Asked, now, Some(function));
        if let Some(activation) = activation {
            let flight = self.flight(activation);
            let fit = flight.container == Some(id) && flight.function == function;
            flight.served_from = Some(now);
            self.must(fit, || format!("{id:?} is initialised for {activation:?}, which is elsewhere"));
        }
        let outcome = if !self.fails(self.script.failures.init) {
            InitOutcome::Ok
        } else {
            match self.draw() % 8 {
                0 | 4 => InitOutcome::Failed(Status::DeveloperError),
                1 => InitOutcome::Failed(Status::SystemError),
                5 => InitOutcome::Failed(Status::ApplicationError),
                2 | 6 => InitOutcome::Unexpected,
                _ => InitOutcome::ShuttingDown,
            }
        };
        self.answer_later(Input::Initialized(id, outcome));
    }

    pub(super) fn run(&mut self, id: ContainerId, activation: ActivationId, reschedule: bool) {
        let now = self.now;
        let flight = self.flight(activation);
        let here = flight.container == Some(id) && flight.status.is_none();
        flight.run_from = now;
        flight.reschedule = reschedule;
        if flight.init.is_none() {
            flight.served_from = Some(now);
        }
        let function = flight.function;
        let limit = usize::from(self.script.functions[function.ix()].max_concurrent);
        let life = self.life(id);
        let fit =
            life.initialized == Step::Done && life.removed == Step::No && life.function == Some(function);
        let fit = fit && !matches!(life.frost, Frost::Paused | Frost::Pausing);
        let running = life.runs.len();
        let new = life.runs.insert(activation);
        self.must(here && new, || format!("{activation:?} must not run in {id:?}"));
        self.must(fit, || format!("{id:?} must not run {activation:?}"));
        self.must(running < limit, || format!("{id:?} runs {running} already, its limit is {limit}"));
        let outcome = if !self.fails(self.script.failures.run) {
            let error = self.draw().is_multiple_of(8);
            RunOutcome::Answered(if error { Status::ApplicationError } else { Status::Success })
        } else {
            match self.draw() % 4 {
                0 => RunOutcome::Answered(Status::DeveloperError),
                1 => RunOutcome::Answered(Status::SystemError),
                2 => RunOutcome::ShuttingDown,
                _ => RunOutcome::Unreachable,
            }
        };
        self.answer_later(Input::Ran(id, activation, outcome));
    }

    pub(super) fn collect_logs(&mut self, id: ContainerId, activation: ActivationId) {
        let life = self.life(id);
        let fit = life.ended.contains(&activation) && life.removed != Step::Done;
        self.must(fit, || format!("{id:?} has no logs of {activation:?} to collect"));
        let ok = !self.fails(self.script.failures.logs);
        self.answer_later(Input::LogsCollected(id, activation, ok));
    }

    pub(super) fn pause(&mut self, id: ContainerId) {
        let life = self.life(id);
        let fit = life.initialized == Step::Done && life.removed == Step::No;
        let fit = fit && life.frost == Frost::Thawed && life.runs.is_empty();
        life.frost = Frost::Pausing;
        let since = life.since;
        self.must(fit, || format!("{id:?} must not be paused"));
        let due = self.script.rules.pause_grace.map(|grace| since + grace);
        self.must(due == Some(self.now), || format!("{id:?} is paused, which is due at {due:?}"));
        let ok = !self.fails(self.script.failures.pause);
        self.answer_later(Input::Paused(id, ok));
    }

    pub(super) fn resume(&mut self, id: ContainerId) {
        let life = self.life(id);
        let fit = life.frost == Frost::Paused && life.removed == Step::No;
        life.frost = Frost::Resuming;
        self.must(fit, || format!("{id:?} must not be thawed"));
        let ok = !self.fails(self.script.failures.resume);
        self.answer_later(Input::Resumed(id, ok));
    }

    pub(super) fn destroy(&mut self, id: ContainerId) {
        let life = self.life(id);
        let fit = life.created == Step::Done && life.removed == Step::No;
        life.removed = Step::Asked;
        self.must(fit, || format!("{id:?} must not be removed"));
        if !self.script.reports_last_thaw {
            self.pending.retain(|(_, input)| !matches!(input, Input::Resumed(of, _) if *of == id));
            self.life(id).frost = Frost::Thawed;
        }
        self.answer_later(Input::Destroyed(id));
    }

    pub(super) fn ping(&mut self, id: ContainerId, on: bool) {
        let over = self.life(id).removed == Step::Done;
        self.must(!over, || format!("{id:?} is pinged after its end"));
        if on && self.fails(self.script.failures.health) {
            self.answer_later(Input::HealthFailed(id));
        }
    }
}
