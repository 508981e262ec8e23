//! The world outside the pool: carries out orders after drawn times with drawn results, and holds the
//! pool to everything that must be true of its orders. Must never tell the pool how to go on.

mod answers;
mod notes;
mod orders;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard};

use faassim::ids::{ActivationId, ContainerId, FunctionId, Slot};
use faassim::policy::Lease;
use faassim::pool::boundary::{Action, InitOutcome, Phase, RunOutcome, StartState, Status};
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
    /// Since when it is in its phase.
    since: Time,
    /// Since when it is frozen, if it is.
    paused_since: Time,
    /// Since when its lease counts.
    idle_since: Time,
    /// A run was completed since it was idle, so that none comes back to the pool any more.
    completed: bool,
}

/// What the keep-alive policy said: it writes it down when it is asked.
#[derive(Debug, Default)]
pub struct Leases {
    /// The last lease of each slot, and when it was given.
    pub given: BTreeMap<Slot, (Time, Lease)>,
    /// When each function is to be loaded ahead of time.
    pub load_at: BTreeMap<FunctionId, Time>,
}

/// How a run that found no container must end.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Fate {
    Lost,
    HandedBack,
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
    fate: Option<Fate>,
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
    /// Memory of the pool as it was told last.
    pub memory_mib: u64,
    draws: u64,
    pending: Vec<(Time, Input)>,
    lives: BTreeMap<ContainerId, Life>,
    flights: BTreeMap<ActivationId, Flight>,
    allotted: BTreeMap<ContainerId, Allotted>,
    /// What arrived and has not passed the feed.
    feed: VecDeque<ActivationId>,
    pub leases: Arc<Mutex<Leases>>,
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
            memory_mib: script.memory.mib(),
            draws: 0,
            pending: Vec::new(),
            lives: BTreeMap::new(),
            flights: BTreeMap::new(),
            allotted: BTreeMap::new(),
            feed: VecDeque::new(),
            leases: Arc::default(),
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
                fate: None,
            },
        );
        self.feed.push_back(activation);
        self.leases().load_at.remove(&function);
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
            Input::LogsCollected(id, activation, _) => {
                self.flight(activation).logs_collected = true;
                self.life(id).completed = true;
            }
            Input::Paused(id, _) => self.life(id).frost = Frost::Paused,
            Input::Resumed(id, _) => self.life(id).frost = Frost::Thawed,
            Input::Destroyed(id) => self.life(id).removed = Step::Done,
            Input::Resized { capacity_mib } => self.memory_mib = u64::from(capacity_mib),
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
            InitOutcome::ShuttingDown => flight.fate = Some(Fate::Lost),
        }
        let failed: Vec<_> = self.flights.iter().filter(|(_, it)| it.container == Some(id)).collect();
        let failed: Vec<_> =
            failed.into_iter().filter(|(_, it)| it.status.is_some()).map(|it| *it.0).collect();
        self.life(id).ended.extend(failed);
    }

    fn tell_ran(&mut self, id: ContainerId, activation: ActivationId, outcome: RunOutcome) {
        let now = self.now;
        let life = self.life(id);
        let first = life.phase == Some(Phase::Running) && !life.completed;
        let flight = self.flight(activation);
        let status = match outcome {
            RunOutcome::Answered(status) => status,
            RunOutcome::Unreachable | RunOutcome::ShuttingDown if flight.reschedule => {
                flight.served_from = None;
                flight.fate = Some(if first { Fate::HandedBack } else { Fate::Lost });
                self.life(id).runs.remove(&activation);
                return;
            }
            RunOutcome::ShuttingDown => {
                flight.served_from = None;
                flight.fate = Some(Fate::Lost);
                self.life(id).runs.remove(&activation);
                return;
            }
            RunOutcome::Unreachable => Status::DeveloperError,
        };
        flight.status = Some(status);
        flight.duration = flight.init.unwrap_or(Span::ZERO) + (now - flight.run_from);
        let function = flight.function;
        let logs = self.script.functions[function.ix()].logs;
        let life = self.life(id);
        life.ended.insert(activation);
        life.completed |= !logs;
    }

    /// Failures that OpenWhisk announces as "reschedule job", which neither credits the feed nor
    /// tries the run buffer, and failures that end several activations with one credit
    /// (docs/specs/openwhisk.md §4.3, §5.4).
    fn notice_stranding(&mut self, input: &Input) {
        let (id, failed) = match *input {
            Input::Created(id, result) => (id, result.is_err()),
            Input::Initialized(id, outcome) => (id, outcome != InitOutcome::Ok),
            Input::Ran(id, _, RunOutcome::Answered(status)) => (id, is_fatal(status)),
            Input::Ran(id, activation, RunOutcome::Unreachable | RunOutcome::ShuttingDown) => {
                self.stranded |= self.flights[&activation].reschedule;
                (id, true)
            }
            Input::LogsCollected(id, activation, ok) => {
                let fatal = self.flights[&activation].status.is_some_and(is_fatal);
                (id, !ok || fatal || self.lives[&id].initialized == Step::Failed)
            }
            Input::Resumed(id, ok) => {
                self.stranded |= !ok && self.lives[&id].removed == Step::No;
                (id, !ok)
            }
            _ => return,
        };
        self.stranded |= failed && self.lives[&id].assigned.len() > 1;
    }

    fn leases(&self) -> MutexGuard<'_, Leases> {
        self.leases.lock().expect("nobody panics while writing a lease")
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
            Action::Reject(activation, _) => self.end(activation),
            Action::Lose(activation) => {
                let fate = self.flights.get(&activation).and_then(|flight| flight.fate);
                self.must(fate == Some(Fate::Lost), || format!("{activation:?} must not be lost"));
                self.end(activation);
            }
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
            Note::Gone { container, why, .. } => {
                let known = self.allotted.remove(&container).is_some();
                self.must(known, || format!("{container:?} left twice"));
                self.gone(container, why);
            }
            Note::Buffered(activation) => self.buffer.push_back(activation),
            Note::Resubmitted(activation) => {
                let flight = self.flight(activation);
                let from = flight.container.take();
                let fit = flight.fate != Some(Fate::Lost) && flight.status.is_none();
                if let Some(id) = from {
                    self.life(id).assigned.remove(&activation);
                }
                let runs = self.lives.values().any(|life| life.runs.contains(&activation));
                self.must(fit && !runs, || format!("{activation:?} must not come back"));
                self.must(from.is_some(), || format!("{activation:?} came back from nowhere"));
            }
            Note::Handed(activation) => {
                let again = std::mem::replace(&mut self.flight(activation).handed, true);
                let next = self.feed.pop_front();
                self.must(!again, || format!("{activation:?} passed the feed twice"));
                self.must(next == Some(activation), || {
                    format!("{activation:?} passed the feed before {next:?}")
                });
            }
            Note::Entered(id, phase) => self.entered(id, phase),
            _ => {}
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
