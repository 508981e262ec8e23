//! The world outside the pool: carries out orders after drawn times with drawn results, and holds the
//! pool to everything that must be true of its orders. Must never tell the pool how to go on.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use faassim::ids::{ActivationId, ContainerId, FunctionId};
use faassim::pool::boundary::{
    Ack, Action, Answer, CreateFault, InitOutcome, Phase, RunOutcome, StartState, Status,
};
use faassim::pool::{Input, Note, Sink, order};
use faassim::time::{Span, Time};

use crate::script::{Pace, Script};

/// What the pool said, as it said it.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Said {
    Action(Action),
    Note(Note),
}

/// An order of which there is one at most.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
enum Step {
    #[default]
    No,
    Asked,
    Done,
    Failed,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
enum Frost {
    #[default]
    Thawed,
    Pausing,
    Paused,
    Resuming,
}

/// What is known of a container.
#[derive(Debug, Default)]
struct Life {
    function: Option<FunctionId>,
    created: Step,
    initialized: Step,
    /// When it was asked to initialise.
    init_from: Time,
    removed: Step,
    frost: Frost,
    /// Runs whose end, logs included, the pool has not been told.
    runs: BTreeSet<ActivationId>,
    /// Runs that ended and whose logs may be asked for.
    ended: BTreeSet<ActivationId>,
    /// What the pool assigned to it, whether started or not.
    assigned: BTreeSet<ActivationId>,
    phase: Option<Phase>,
}

impl Life {
    fn is_over(&self) -> bool {
        self.removed == Step::Done || self.created == Step::Failed
    }
}

/// An activation under way.
#[derive(Clone, Debug)]
struct Flight {
    function: FunctionId,
    blocking: bool,
    arrived: Time,
    handed: bool,
    start: Option<StartState>,
    container: Option<ContainerId>,
    /// When its initialisation, or else its last run, was asked for.
    served_from: Option<Time>,
    init: Option<Span>,
    run_from: Time,
    reschedule: bool,
    status: Option<Status>,
    duration: Span,
    result_sent: bool,
    logs_collected: bool,
}

/// Memory that the pool has allotted.
#[derive(Clone, Copy, Debug)]
struct Allotted {
    memory_mib: u64,
    prewarm: bool,
}

pub struct World<'a> {
    script: &'a Script,
    pub now: Time,
    draws: u64,
    pending: Vec<(Time, Input)>,
    lives: BTreeMap<ContainerId, Life>,
    flights: BTreeMap<ActivationId, Flight>,
    allotted: BTreeMap<ContainerId, Allotted>,
    /// The run buffer, as noted.
    pub buffer: VecDeque<ActivationId>,
    pub said: Vec<(Time, Said)>,
    /// The first rule that was broken.
    broken: Option<String>,
    /// Something failed in a way that may leave activations waiting (see `may_wait`).
    pub stranded: bool,
    /// When an activation last got on.
    pub progress: Time,
}

impl<'a> World<'a> {
    pub fn new(script: &'a Script) -> World<'a> {
        World {
            script,
            now: Time::ZERO,
            draws: 0,
            pending: Vec::new(),
            lives: BTreeMap::new(),
            flights: BTreeMap::new(),
            allotted: BTreeMap::new(),
            buffer: VecDeque::new(),
            said: Vec::new(),
            broken: None,
            stranded: false,
            progress: Time::ZERO,
        }
    }

    /// The first rule that was broken, if any was.
    pub fn verdict(&self) -> Result<(), String> {
        self.broken.clone().map_or(Ok(()), Err)
    }

    fn must(&mut self, holds: bool, otherwise: impl FnOnce() -> String) {
        if !holds && self.broken.is_none() {
            self.broken = Some(format!("at {:?}: {}", self.now, otherwise()));
        }
    }

    fn draw(&mut self) -> u64 {
        self.draws += 1;
        mix(self.script.seed ^ self.draws)
    }

    fn fails(&mut self, per_mille: u64) -> bool {
        self.draw() % 1000 < per_mille
    }

    fn answer_later(&mut self, input: Input) {
        let draw = self.draw();
        let took = match self.script.pace {
            Pace::Zero => Span::ZERO,
            Pace::Grid => Span::from_ms(draw % 4),
            Pace::Broad => Span(draw % 3_000_000 / (1 + draw % 7)),
        };
        self.pending.push((self.now + took, input));
    }

    // ----- for the loop -----

    /// The moment of the next answer.
    pub fn next_time(&self) -> Option<Time> {
        self.pending.iter().map(|(time, _)| *time).min()
    }

    /// The next answer in the order of [`order`], those asked first first.
    pub fn next(&mut self) -> Option<(Time, Input)> {
        let ix = (0..self.pending.len())
            .min_by_key(|ix| (self.pending[*ix].0, order(&self.pending[*ix].1), *ix))?;
        Some(self.pending.remove(ix))
    }

    /// An activation under a number that is free.
    pub fn arrive(&mut self, function: FunctionId, blocking: bool) -> Input {
        let mut number = 0;
        while self.flights.contains_key(&ActivationId(number)) {
            number += 1;
        }
        let activation = ActivationId(number);
        self.flights.insert(
            activation,
            Flight {
                function,
                blocking,
                arrived: self.now,
                handed: false,
                start: None,
                container: None,
                served_from: None,
                init: None,
                run_from: self.now,
                reschedule: false,
                status: None,
                duration: Span::ZERO,
                result_sent: false,
                logs_collected: false,
            },
        );
        Input::Arrived { activation, function, blocking }
    }

    /// Activations that have not ended.
    pub fn under_way(&self) -> usize {
        self.flights.len()
    }

    /// Memory allotted in MiB, prewarms included or not.
    pub fn allotted_mib(&self, with_prewarms: bool) -> u64 {
        let counted = self.allotted.values().filter(|it| with_prewarms || !it.prewarm);
        counted.map(|it| it.memory_mib).sum()
    }

    pub fn function_of(&self, activation: ActivationId) -> FunctionId {
        self.flights[&activation].function
    }

    /// Containers whose slot another one has now: answers about them are late for good.
    pub fn replaced(&self) -> Vec<ContainerId> {
        let newer = |id: &ContainerId| {
            self.lives
                .range(ContainerId { slot: id.slot, epoch: id.epoch + 1 }..)
                .next()
                .map(|(id, _)| id.slot)
                == Some(id.slot)
        };
        self.lives.keys().filter(|id| newer(id)).copied().collect()
    }

    /// Containers that are gone.
    pub fn destroyed(&self) -> Vec<ContainerId> {
        self.lives.iter().filter(|(_, life)| life.removed == Step::Done).map(|(id, _)| *id).collect()
    }

    /// The pool is about to be told this: from now on it holds.
    pub fn tell(&mut self, input: &Input) {
        self.notice_stranding(input);
        match *input {
            Input::Created(id, result) => {
                self.life(id).created = if result.is_ok() { Step::Done } else { Step::Failed };
            }
            Input::Initialized(id, outcome) => self.tell_initialized(id, outcome),
            Input::Ran(id, activation, outcome) => self.tell_ran(id, activation, outcome),
            Input::LogsCollected(_, activation, _) => {
                self.flight(activation).logs_collected = true;
            }
            Input::Paused(id, _) => self.life(id).frost = Frost::Paused,
            Input::Resumed(id, _) => self.life(id).frost = Frost::Thawed,
            Input::Destroyed(id) => self.life(id).removed = Step::Done,
            Input::HealthFailed(_) | Input::Wake | Input::Arrived { .. } => {}
        }
    }

    fn tell_initialized(&mut self, id: ContainerId, outcome: InitOutcome) {
        let took = self.now - self.life(id).init_from;
        let ok = outcome == InitOutcome::Ok;
        self.life(id).initialized = if ok { Step::Done } else { Step::Failed };
        let served = self.flights.values_mut().find(|flight| {
            flight.container == Some(id) && flight.served_from.is_some() && flight.status.is_none()
        });
        let Some(flight) = served else { return };
        match outcome {
            InitOutcome::Ok => flight.init = Some(took),
            InitOutcome::Failed(status) => {
                (flight.init, flight.duration, flight.status) = (Some(took), took, Some(status));
            }
            InitOutcome::Unexpected => {
                flight.status = Some(Status::SystemError);
                flight.served_from = Some(self.now);
            }
            InitOutcome::ShuttingDown => {}
        }
        let failed: Vec<_> = self.flights.iter().filter(|(_, it)| it.container == Some(id)).collect();
        let failed: Vec<_> =
            failed.into_iter().filter(|(_, it)| it.status.is_some()).map(|it| *it.0).collect();
        self.life(id).ended.extend(failed);
    }

    fn tell_ran(&mut self, id: ContainerId, activation: ActivationId, outcome: RunOutcome) {
        let now = self.now;
        let flight = self.flight(activation);
        let status = match outcome {
            RunOutcome::Answered(status) => status,
            RunOutcome::Unreachable if flight.reschedule => {
                flight.served_from = None;
                self.life(id).runs.remove(&activation);
                return;
            }
            RunOutcome::Unreachable => Status::DeveloperError,
        };
        flight.status = Some(status);
        flight.duration = flight.init.unwrap_or(Span::ZERO) + (now - flight.run_from);
        self.life(id).ended.insert(activation);
    }

    /// Failures that OpenWhisk announces as "reschedule job", which neither credits the feed nor
    /// tries the run buffer, and failures that end several activations with one credit
    /// (docs/specs/openwhisk.md §4.3, §5.4).
    fn notice_stranding(&mut self, input: &Input) {
        let (id, failed) = match *input {
            Input::Created(id, result) => (id, result.is_err()),
            Input::Initialized(id, outcome) => (id, outcome != InitOutcome::Ok),
            Input::Ran(id, _, RunOutcome::Answered(status)) => (id, is_fatal(status)),
            Input::Ran(id, activation, RunOutcome::Unreachable) => {
                self.stranded |= self.flights[&activation].reschedule;
                (id, true)
            }
            Input::LogsCollected(id, activation, ok) => {
                (id, !ok || self.flights[&activation].status.is_some_and(is_fatal))
            }
            Input::Resumed(id, ok) => {
                self.stranded |= !ok && self.lives[&id].removed == Step::No;
                (id, !ok)
            }
            _ => return,
        };
        self.stranded |= failed && self.lives[&id].assigned.len() > 1;
    }

    fn life(&mut self, id: ContainerId) -> &mut Life {
        self.lives.entry(id).or_default()
    }

    fn flight(&mut self, activation: ActivationId) -> &mut Flight {
        self.flights.get_mut(&activation).expect("the pool was only told of activations that arrived")
    }

    /// Whether everything that was ordered is done and nothing runs.
    pub fn is_at_rest(&self) -> Result<(), String> {
        for (id, life) in &self.lives {
            let open = [life.created, life.initialized, life.removed].contains(&Step::Asked);
            let moving = matches!(life.frost, Frost::Pausing | Frost::Resuming) && !life.is_over();
            if open || moving || !life.runs.is_empty() {
                return Err(format!("{id:?} is not at rest: {life:?}"));
            }
            if !life.is_over()
                && life.phase.is_some_and(|phase| phase == Phase::Running || phase == Phase::Removing)
            {
                return Err(format!("{id:?} hangs: {life:?}"));
            }
        }
        for (activation, flight) in &self.flights {
            if flight.handed && !self.buffer.contains(activation) {
                return Err(format!("{activation:?} never ended: {flight:?}"));
            }
        }
        Ok(())
    }

    // ----- what an order must fulfil -----

    fn create(&mut self, id: ContainerId, function: Option<FunctionId>) {
        let before = self
            .lives
            .range(ContainerId { slot: id.slot, epoch: 0 }..id)
            .any(|(_, old)| !old.is_over() || !old.runs.is_empty());
        self.must(!before, || format!("{id:?} was created while its slot was in use"));
        let again = self.life(id).created != Step::No;
        self.must(!again, || format!("{id:?} was created twice"));
        let life = self.life(id);
        (life.created, life.function) = (Step::Asked, function);
        let fault =
            if self.draw().is_multiple_of(2) { CreateFault::UserImage } else { CreateFault::Platform };
        let fails = self.fails(self.script.failures.create);
        self.answer_later(Input::Created(id, if fails { Err(fault) } else { Ok(()) }));
    }

    fn init(&mut self, id: ContainerId, function: FunctionId, activation: Option<ActivationId>) {
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
            match self.draw() % 4 {
                0 => InitOutcome::Failed(Status::DeveloperError),
                1 => InitOutcome::Failed(Status::SystemError),
                2 => InitOutcome::Unexpected,
                _ => InitOutcome::ShuttingDown,
            }
        };
        self.answer_later(Input::Initialized(id, outcome));
    }

    fn run(&mut self, id: ContainerId, activation: ActivationId, reschedule: bool) {
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
            match self.draw() % 3 {
                0 => RunOutcome::Answered(Status::DeveloperError),
                1 => RunOutcome::Answered(Status::SystemError),
                _ => RunOutcome::Unreachable,
            }
        };
        self.answer_later(Input::Ran(id, activation, outcome));
    }

    fn collect_logs(&mut self, id: ContainerId, activation: ActivationId) {
        let life = self.life(id);
        let fit = life.ended.contains(&activation) && life.removed != Step::Done;
        self.must(fit, || format!("{id:?} has no logs of {activation:?} to collect"));
        let ok = !self.fails(self.script.failures.logs);
        self.answer_later(Input::LogsCollected(id, activation, ok));
    }

    fn pause(&mut self, id: ContainerId) {
        let life = self.life(id);
        let fit = life.initialized == Step::Done && life.removed == Step::No;
        let fit = fit && life.frost == Frost::Thawed && life.runs.is_empty();
        life.frost = Frost::Pausing;
        self.must(fit, || format!("{id:?} must not be paused"));
        let ok = !self.fails(self.script.failures.pause);
        self.answer_later(Input::Paused(id, ok));
    }

    fn resume(&mut self, id: ContainerId) {
        let life = self.life(id);
        let fit = life.frost == Frost::Paused && life.removed == Step::No;
        life.frost = Frost::Resuming;
        self.must(fit, || format!("{id:?} must not be thawed"));
        let ok = !self.fails(self.script.failures.resume);
        self.answer_later(Input::Resumed(id, ok));
    }

    fn destroy(&mut self, id: ContainerId) {
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

    fn ping(&mut self, id: ContainerId, on: bool) {
        let over = self.life(id).removed == Step::Done;
        self.must(!over, || format!("{id:?} is pinged after its end"));
        if on && self.fails(self.script.failures.health) {
            self.answer_later(Input::HealthFailed(id));
        }
    }

    // ----- what an answer must say (docs/specs/openwhisk.md §4.3, §4.4) -----

    fn answered(&mut self, answer: &Answer) {
        self.progress = self.now;
        let Some(flight) = self.flights.get(&answer.activation).cloned() else {
            return self.must(false, || format!("{answer:?} after the end"));
        };
        let logs = self.script.functions[flight.function.ix()].logs;
        if answer.ack == Ack::Result {
            let fit = flight.blocking && logs && !flight.result_sent && flight.status.is_some();
            self.flight(answer.activation).result_sent = true;
            self.must(fit, || format!("{answer:?} must not be sent for {flight:?}"));
        } else {
            self.end(answer.activation);
        }
        match flight.status {
            Some(status) => {
                let wait = flight.served_from.map(|from| from - flight.arrived);
                let fit = answer.status == status
                    && answer.start == flight.start
                    && answer.init == flight.init
                    && answer.duration == flight.duration
                    && Some(answer.wait) == wait;
                self.must(fit, || format!("{answer:?} is not what happened: {flight:?}"));
            }
            None => {
                let fit = answer.status != Status::Success && flight.served_from.is_none();
                let fit = fit && answer.start.is_none() && answer.init.is_none();
                let fit = fit && answer.duration == Span::ZERO && answer.wait == self.now - flight.arrived;
                self.must(fit, || format!("{answer:?} for what never ran: {flight:?}"));
            }
        }
        let collected = flight.logs_collected;
        let gone = flight.container.is_some_and(|id| self.lives[&id].removed == Step::Done);
        let skipped = logs && !collected && flight.status.is_some() && answer.last();
        self.must(!skipped || gone, || format!("{answer:?} before the logs were collected"));
        let expected = match answer.ack {
            Ack::Result => true,
            Ack::Completion => !flight.blocking || (collected && flight.result_sent),
            // A creation that failed has one combined answer for whoever caused it.
            Ack::Combined => !collected && (flight.blocking || flight.status.is_none()),
        };
        self.must(expected, || format!("{answer:?} is of the wrong kind for {flight:?}"));
    }

    fn end(&mut self, activation: ActivationId) {
        self.progress = self.now;
        let known = self.flights.remove(&activation).is_some();
        self.must(known, || format!("{activation:?} ended twice"));
        let buffered = self.buffer.contains(&activation);
        self.must(!buffered, || format!("{activation:?} ended while it waits"));
        for life in self.lives.values_mut() {
            life.runs.remove(&activation);
            life.ended.remove(&activation);
            life.assigned.remove(&activation);
        }
    }

    // ----- what a note must fulfil -----

    fn dispatched(&mut self, activation: ActivationId, id: ContainerId, start: StartState, active: u16) {
        self.progress = self.now;
        if !self.buffer.is_empty() {
            let head = self.buffer.pop_front();
            self.must(head == Some(activation), || format!("{activation:?} overtook {head:?}"));
        }
        let flight = self.flight(activation);
        let free = flight.container.is_none();
        (flight.container, flight.start) = (Some(id), Some(start));
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

    fn allot(&mut self, id: ContainerId, memory_mib: u32, prewarm: bool) {
        let allotted = Allotted { memory_mib: u64::from(memory_mib), prewarm };
        let again = self.allotted.insert(id, allotted).is_some();
        self.must(!again, || format!("{id:?} was allotted memory twice"));
        let rules = &self.script.rules;
        let used = self.allotted_mib(true);
        let within = used <= self.script.memory.mib();
        let strict = !rules.overcommit && rules.prewarm_in_sum;
        self.must(within || !strict, || format!("{used} MiB are in use after {id:?}"));
    }

    fn entered(&mut self, id: ContainerId, phase: Phase) {
        use Phase::{Paused, Pausing, Ready, Removing, Running, Started, Starting, Stopped, Uninitialized};
        let from = self.life(id).phase.replace(phase).unwrap_or(Uninitialized);
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

impl Sink for World<'_> {
    fn act(&mut self, action: Action) {
        self.said.push((self.now, Said::Action(action)));
        match action {
            Action::Create { container, function, .. } => self.create(container, function),
            Action::Init { container, function, activation } => self.init(container, function, activation),
            Action::Run { container, activation, reschedule } => self.run(container, activation, reschedule),
            Action::CollectLogs { container, activation } => self.collect_logs(container, activation),
            Action::Pause(id) => self.pause(id),
            Action::Resume(id) => self.resume(id),
            Action::Destroy(id) => self.destroy(id),
            Action::HealthPing(id, on) => self.ping(id, on),
            Action::Answer(answer) => self.answered(&answer),
            Action::Reject(activation, _) | Action::Lose(activation) => self.end(activation),
        }
    }

    fn note(&mut self, note: Note) {
        self.said.push((self.now, Said::Note(note)));
        match note {
            Note::Dispatched { activation, container, start, active, .. } => {
                self.dispatched(activation, container, start, active);
            }
            Note::Allotted { container, memory_mib, .. } => self.allot(container, memory_mib, false),
            Note::Prewarm { container: Some(id), memory_mib, .. } => self.allot(id, memory_mib, true),
            Note::Gone { container, .. } => {
                let known = self.allotted.remove(&container).is_some();
                self.must(known, || format!("{container:?} left twice"));
            }
            Note::Buffered(activation) => self.buffer.push_back(activation),
            Note::Resubmitted(activation) => {
                let flight = self.flight(activation);
                let from = flight.container.take();
                if let Some(id) = from {
                    self.life(id).assigned.remove(&activation);
                }
                self.must(from.is_some(), || format!("{activation:?} came back from nowhere"));
            }
            Note::Handed(activation) => {
                let again = std::mem::replace(&mut self.flight(activation).handed, true);
                self.must(!again, || format!("{activation:?} passed the feed twice"));
            }
            Note::Entered(id, phase) => self.entered(id, phase),
            Note::Prewarm { container: None, .. } | Note::Idle { .. } | Note::Credit => {}
        }
    }
}

fn is_fatal(status: Status) -> bool {
    matches!(status, Status::DeveloperError | Status::SystemError)
}

/// SplitMix64: what is drawn depends on nothing but the number of the draw.
pub fn mix(seed: u64) -> u64 {
    let z = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15);
    let z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}
