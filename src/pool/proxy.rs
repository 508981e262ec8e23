//! How one container lives: OpenWhisk's ContainerProxy (docs/specs/openwhisk.md §3, §4). Owns the
//! container's phase, what is held back inside it and its timer; must never look at other containers.
//! What happens when something fails is in
//! `proxy_failures.rs`, what while it is idle in `proxy_idle.rs`.

use std::collections::VecDeque;

use crate::ids::{ActivationId, ContainerId, FunctionId, KindId, Slot};
use crate::pool::boundary::{
    Ack, Action, CreateFault, Departure, InitOutcome, Note, Phase, RunOutcome, Status,
};
use crate::pool::flight::Flights;
use crate::pool::lease::Keeper;
use crate::pool::message::{Message, Out};
use crate::pool::rules::Rules;
use crate::pool::tables::Tables;
use crate::time::{Span, Time};

/// What a proxy may look at while it handles something.
pub struct Context<'a> {
    /// Now.
    pub now: Time,
    /// Which slot it is in.
    pub slot: Slot,
    /// The rules.
    pub rules: &'a Rules,
    /// Functions and the pool's view of containers.
    pub tables: &'a Tables,
    /// Activations under way.
    pub flights: &'a mut Flights,
    /// How long it may idle.
    pub keep_alive: &'a mut Keeper,
}

const NO_FUNCTION: u32 = u32::MAX;

/// One container.
#[derive(Debug)]
pub struct Proxy {
    /// The next instant at which [`Proxy::on_timer`] is due; [`Time::NEVER`] if there is none.
    pub(super) timer: Time,
    /// The earliest instant at which it comes up among the pool's [`Deadlines`](super::lease::Deadlines).
    armed: Time,
    /// End of the keep-alive lease, if it is running; of a prewarm that is being started, how long it may wait once
    /// it is up.
    pub(super) lease_end: Time,
    /// The first run after an idle period, while it may still be handed back.
    pub(super) resume_run: ActivationId,
    /// The activation for which the container is created, initialised or thawed.
    pub(super) waiting_run: ActivationId,
    function: u32,
    epoch: u32,
    /// Activations under way inside, as far as the container's life depends on them.
    pub(super) active: u16,
    /// Runs that the driver still owes an answer.
    pub(super) outstanding: u16,
    pub(super) limit: u16,
    pub(super) phase: Phase,
    pub(super) initialized: bool,
    /// Work is being handed back: nothing new is started, and the pool is told "reschedule".
    pub(super) rescheduling: bool,
    pinged: bool,
    pub(super) collects_logs: bool,
    pub(super) loaded_ahead: bool,
    /// The lease said to unload and to load again later.
    pub(super) unloading: bool,
    pub(super) backlog: Option<Box<Backlog>>,
}

const _: () = assert!(size_of::<Proxy>() == 64, "a proxy is a cache line");

/// What waits inside a container; most containers never have any.
#[derive(Debug, Default)]
pub(super) struct Backlog {
    /// Runs held back because of the concurrency limit or a pending initialisation (§4.2).
    held: VecDeque<ActivationId>,
    /// Messages that the present phase cannot handle (§4.1 "deferred").
    deferred: VecDeque<Deferred>,
}

#[derive(Clone, Copy, Debug)]
enum Deferred {
    Run(ActivationId),
    Remove,
}

impl Proxy {
    /// A container that does not exist yet.
    pub fn new(epoch: u32) -> Proxy {
        Proxy {
            timer: Time::NEVER,
            armed: Time::NEVER,
            lease_end: Time::NEVER,
            resume_run: ActivationId::NONE,
            waiting_run: ActivationId::NONE,
            function: NO_FUNCTION,
            epoch,
            active: 0,
            outstanding: 0,
            limit: 1,
            phase: Phase::Uninitialized,
            initialized: false,
            rescheduling: false,
            pinged: false,
            collects_logs: false,
            loaded_ahead: false,
            unloading: false,
            backlog: None,
        }
    }

    /// Where it is in its life.
    pub fn phase(&self) -> Phase {
        self.phase
    }

    /// Activations under way inside.
    pub fn active(&self) -> u16 {
        self.active
    }

    /// When [`Proxy::on_timer`] is due.
    #[inline]
    pub fn timer(&self) -> Time {
        self.timer
    }

    /// When it comes up to be looked at, to be kept with [`Proxy::timer`].
    #[inline]
    pub(super) fn armed(&mut self) -> &mut Time {
        &mut self.armed
    }

    /// How many containers used the slot before.
    #[inline]
    pub fn epoch(&self) -> u32 {
        self.epoch
    }

    /// Whose it is; `None` for a prewarm.
    #[inline]
    pub(super) fn function(&self) -> Option<FunctionId> {
        (self.function != NO_FUNCTION).then_some(FunctionId(self.function))
    }

    /// Runs held back inside.
    pub fn held(&self) -> impl Iterator<Item = ActivationId> + '_ {
        self.backlog.iter().flat_map(|backlog| backlog.held.iter().copied())
    }

    /// Number of deferred messages.
    pub fn deferred(&self) -> usize {
        self.backlog.as_ref().map_or(0, |backlog| backlog.deferred.len())
    }

    pub(super) fn id(&self, slot: Slot) -> ContainerId {
        ContainerId { slot, epoch: self.epoch }
    }

    // ----- from the dispatcher -----

    /// Become a prewarm.
    pub fn start(
        &mut self,
        kind: KindId,
        memory_mib: u32,
        ttl: Option<Span>,
        cx: &mut Context<'_>,
        out: &mut impl Out,
    ) {
        self.lease_end = ttl.map_or(Time::NEVER, |ttl| Time::ZERO + ttl);
        out.act(Action::Create { container: self.id(cx.slot), function: None, kind, memory_mib });
        self.enter(Phase::Starting, cx, out);
    }

    /// Become a warm container of `function` before anyone asks.
    pub fn load(&mut self, function: FunctionId, cx: &mut Context<'_>, out: &mut impl Out) {
        self.adopt(function, cx);
        self.loaded_ahead = true;
        self.create(function, cx, out);
        self.enter(Phase::Running, cx, out);
    }

    /// Run this.
    pub fn run(&mut self, activation: ActivationId, cx: &mut Context<'_>, out: &mut impl Out) {
        let function = cx.flights.of(activation).function;
        match self.phase {
            Phase::Ready => self.run_ready(activation, cx, out),
            Phase::Paused => {
                self.active = 1;
                self.resume_run = activation;
                self.waiting_run = activation;
                out.act(Action::Resume(self.id(cx.slot)));
                self.enter(Phase::Running, cx, out);
            }
            Phase::Uninitialized => {
                self.active = 1;
                self.waiting_run = activation;
                self.adopt(function, cx);
                self.create(function, cx, out);
                self.enter(Phase::Running, cx, out);
            }
            Phase::Started => {
                self.active = 1;
                self.waiting_run = activation;
                self.adopt(function, cx);
                self.start_init(cx, out);
                self.enter(Phase::Running, cx, out);
            }
            Phase::Running if !self.initialized => self.hold(activation),
            Phase::Running if self.rescheduling => self.defer(Deferred::Run(activation)),
            Phase::Running if self.active >= self.limit => self.hold(activation),
            Phase::Running => {
                self.active += 1;
                self.start_run(activation, false, cx, out);
            }
            Phase::Starting | Phase::Pausing => self.defer(Deferred::Run(activation)),
            Phase::Removing | Phase::Stopped => out.send(Message::Resubmit(activation)),
        }
    }

    /// Go.
    pub fn remove(&mut self, cx: &mut Context<'_>, out: &mut impl Out) {
        match self.phase {
            Phase::Started => self.destroy(false, Departure::PrewarmExpired, cx, out),
            Phase::Ready => self.destroy(true, Departure::Expired, cx, out),
            Phase::Paused => self.leave_paused(Departure::Expired, cx, out),
            Phase::Starting | Phase::Running | Phase::Pausing => self.defer(Deferred::Remove),
            Phase::Uninitialized | Phase::Removing | Phase::Stopped => {}
        }
    }

    // ----- from the driver -----

    /// The container exists, or could not be created.
    pub fn created(&mut self, result: Result<(), CreateFault>, cx: &mut Context<'_>, out: &mut impl Out) {
        match (self.phase, result) {
            (Phase::Starting, Ok(())) => {
                let ttl = std::mem::replace(&mut self.lease_end, Time::NEVER);
                let expires = (ttl != Time::NEVER).then_some(cx.now + (ttl - Time::ZERO));
                out.send(Message::PrewarmReady(cx.slot, expires));
                self.enter(Phase::Started, cx, out);
            }
            (Phase::Starting, Err(_)) => {
                out.send(Message::Removed(cx.slot, true, Departure::Failed));
                self.stop(cx, out);
            }
            (Phase::Running, Ok(())) => self.start_init(cx, out),
            (Phase::Running, Err(fault)) => self.creation_failed(fault, cx, out),
            _ => {}
        }
    }

    /// The function's code is loaded, or could not be.
    pub fn on_initialized(&mut self, outcome: InitOutcome, cx: &mut Context<'_>, out: &mut impl Out) {
        if self.phase != Phase::Running || self.initialized {
            return;
        }
        let activation = std::mem::replace(&mut self.waiting_run, ActivationId::NONE);
        if outcome != InitOutcome::Ok {
            return self.init_failed(activation, outcome, cx, out);
        }
        self.initialized = true;
        if activation != ActivationId::NONE {
            let flight = cx.flights.of_mut(activation);
            flight.initialized(cx.now - flight.started);
            self.start_run(activation, false, cx, out);
        }
        self.start_held(cx, out);
        if self.active == 0 {
            out.send(Message::Loaded(cx.slot));
            self.enter(Phase::Ready, cx, out);
        } else {
            self.loaded_ahead = false;
        }
    }

    /// A run ended (§4.4: which acknowledgement goes out when).
    pub fn ran(
        &mut self,
        activation: ActivationId,
        outcome: RunOutcome,
        cx: &mut Context<'_>,
        out: &mut impl Out,
    ) {
        let flight = cx.flights.of_mut(activation);
        let status = match outcome {
            RunOutcome::Unreachable | RunOutcome::ShuttingDown if flight.reschedule => {
                return self.unreachable(activation, cx, out);
            }
            RunOutcome::ShuttingDown => return self.shut_down(activation, cx, out),
            RunOutcome::Unreachable => Status::DeveloperError,
            RunOutcome::Answered(status) => status,
        };
        flight.end(cx.now, status);
        self.answered(activation, cx, out);
    }

    /// A run, or an initialisation that failed, has its answer: tell the caller and see to the logs.
    pub(super) fn answered(&mut self, activation: ActivationId, cx: &mut Context<'_>, out: &mut impl Out) {
        let flight = cx.flights.of(activation);
        // A container that is gone, as after a broken connection with others running, has no logs left.
        if self.collects_logs && self.phase != Phase::Stopped {
            if flight.blocking {
                out.act(Action::Answer(flight.answer(activation, Ack::Result)));
            }
            out.act(Action::CollectLogs { container: self.id(cx.slot), activation });
        } else {
            let ack = if flight.blocking { Ack::Combined } else { Ack::Completion };
            out.act(Action::Answer(flight.answer(activation, ack)));
            self.completed(activation, true, cx, out);
        }
    }

    /// Log collection ended.
    pub fn logs_collected(
        &mut self,
        activation: ActivationId,
        ok: bool,
        cx: &mut Context<'_>,
        out: &mut impl Out,
    ) {
        out.act(Action::Answer(cx.flights.of(activation).answer(activation, Ack::Completion)));
        self.completed(activation, ok, cx, out);
    }

    /// A run is over, logs included (§4.2 "run completed", §4.3).
    fn completed(
        &mut self,
        activation: ActivationId,
        logs_ok: bool,
        cx: &mut Context<'_>,
        out: &mut impl Out,
    ) {
        self.outstanding -= 1;
        let status = cx.flights.of(activation).status;
        // A failed initialisation leaves nothing to keep, whatever class its error is of.
        let keeps =
            self.initialized && logs_ok && matches!(status, Status::Success | Status::ApplicationError);
        match self.phase {
            Phase::Running if keeps => {
                self.active -= 1;
                self.resume_run = ActivationId::NONE;
                let resent = self.request_work(cx, out);
                if !resent && self.active == 0 {
                    self.enter(Phase::Ready, cx, out);
                }
            }
            Phase::Running => self.run_failed(status, logs_ok, cx, out),
            Phase::Removing => self.ended_while_removing(cx, out),
            Phase::Stopped => self.release_when_done(cx.slot, out),
            _ => {}
        }
    }

    /// Starts held runs or tells the pool that there is room; whether any was started (§4.2).
    fn request_work(&mut self, cx: &mut Context<'_>, out: &mut impl Out) -> bool {
        if self.active >= self.limit {
            return false;
        }
        let held = self.backlog.as_ref().map_or(0, |backlog| backlog.held.len());
        if usize::from(self.limit - self.active) > held {
            out.send(Message::NeedWork(cx.slot));
        }
        held > 0 && self.start_held(cx, out)
    }

    /// The container is thawed, or could not be.
    pub fn resumed(&mut self, ok: bool, cx: &mut Context<'_>, out: &mut impl Out) {
        if self.waiting_run == ActivationId::NONE {
            return;
        }
        let activation = std::mem::replace(&mut self.waiting_run, ActivationId::NONE);
        match self.phase {
            // Also if another run has failed since: this one was on its way before.
            Phase::Running | Phase::Removing if ok => self.start_run(activation, true, cx, out),
            Phase::Running => {
                self.defer(Deferred::Run(activation));
                self.resume_failed(cx, out);
            }
            Phase::Removing => {
                out.send(Message::Resubmit(activation));
                self.ended_while_removing(cx, out);
            }
            _ => {}
        }
    }

    /// Nothing of the container is left.
    pub fn destroyed(&mut self, cx: &mut Context<'_>, out: &mut impl Out) {
        if self.phase == Phase::Removing {
            self.stop(cx, out);
        }
    }

    /// An idle container stopped answering.
    pub fn health_failed(&mut self, cx: &mut Context<'_>, out: &mut impl Out) {
        if matches!(self.phase, Phase::Started | Phase::Ready) {
            self.destroy(true, Departure::Failed, cx, out);
        }
    }

    // ----- steps -----

    fn adopt(&mut self, function: FunctionId, cx: &Context<'_>) {
        self.function = function.0;
        self.limit = cx.tables.max_concurrent(function);
        self.collects_logs = cx.tables.spec(function).logs;
    }

    fn create(&mut self, function: FunctionId, cx: &Context<'_>, out: &mut impl Out) {
        let (kind, memory_mib) = (cx.tables.kind(function), cx.tables.memory_mib(function));
        out.act(Action::Create { container: self.id(cx.slot), function: Some(function), kind, memory_mib });
    }

    fn start_init(&mut self, cx: &mut Context<'_>, out: &mut impl Out) {
        let Some(function) = self.function() else { return };
        let activation = (self.waiting_run != ActivationId::NONE).then_some(self.waiting_run);
        if let Some(activation) = activation {
            let flight = cx.flights.of_mut(activation);
            flight.started = cx.now;
            flight.wait = cx.now - flight.received;
            self.outstanding += 1;
        }
        out.act(Action::Init { container: self.id(cx.slot), function, activation });
    }

    #[inline(always)]
    pub(super) fn start_run(
        &mut self,
        activation: ActivationId,
        reschedule: bool,
        cx: &mut Context<'_>,
        out: &mut impl Out,
    ) {
        let flight = cx.flights.of_mut(activation);
        if flight.init().is_none() {
            flight.wait = cx.now - flight.received;
            self.outstanding += 1;
        }
        flight.started = cx.now;
        flight.reschedule = reschedule;
        out.act(Action::Run { container: self.id(cx.slot), activation, reschedule });
    }

    /// Starts as many held runs as fit; whether there was any.
    fn start_held(&mut self, cx: &mut Context<'_>, out: &mut impl Out) -> bool {
        let mut any = false;
        while self.active < self.limit {
            let Some(next) = self.backlog.as_mut().and_then(|backlog| backlog.held.pop_front()) else {
                break;
            };
            self.active += 1;
            self.start_run(next, false, cx, out);
            any = true;
        }
        any
    }

    fn hold(&mut self, activation: ActivationId) {
        self.backlog.get_or_insert_default().held.push_back(activation);
    }

    fn defer(&mut self, message: Deferred) {
        self.backlog.get_or_insert_default().deferred.push_back(message);
    }

    pub(super) fn take_held(&mut self) -> VecDeque<ActivationId> {
        self.backlog.as_mut().map_or_else(VecDeque::new, |backlog| std::mem::take(&mut backlog.held))
    }

    /// Goes on to `phase`: says so, sets the timer, and hears what was deferred.
    #[inline(always)]
    pub(super) fn enter(&mut self, phase: Phase, cx: &mut Context<'_>, out: &mut impl Out) {
        self.phase = phase;
        self.timer = Time::NEVER;
        out.note(Note::Entered(self.id(cx.slot), phase));
        match phase {
            Phase::Running if !self.pinged => {}
            Phase::Running => self.ping(false, cx, out),
            Phase::Ready => {
                self.entered_ready(cx, out);
                self.hear_deferred(cx, out);
            }
            _ => self.entered(cx, out),
        }
    }

    /// What entering a phase brings with it that is neither running nor ready.
    #[inline(never)]
    fn entered(&mut self, cx: &mut Context<'_>, out: &mut impl Out) {
        match self.phase {
            Phase::Paused => self.entered_paused(cx, out),
            Phase::Started if cx.rules.health_check => self.ping(true, cx, out),
            Phase::Started | Phase::Removing => {}
            _ => return,
        }
        self.hear_deferred(cx, out);
    }

    #[cold]
    fn ping(&mut self, on: bool, cx: &Context<'_>, out: &mut impl Out) {
        self.pinged = on;
        out.act(Action::HealthPing(self.id(cx.slot), on));
    }

    /// Deferred messages are delivered in order; those that the new phase cannot handle either are
    /// deferred again, behind each other.
    #[inline(always)]
    fn hear_deferred(&mut self, cx: &mut Context<'_>, out: &mut impl Out) {
        if self.backlog.is_some() {
            self.deliver_deferred(cx, out);
        }
    }

    #[cold]
    #[inline(never)]
    fn deliver_deferred(&mut self, cx: &mut Context<'_>, out: &mut impl Out) {
        let deferred = self.backlog.as_mut().map(|backlog| std::mem::take(&mut backlog.deferred));
        for message in deferred.into_iter().flatten() {
            match message {
                Deferred::Run(activation) => self.run(activation, cx, out),
                Deferred::Remove => self.remove(cx, out),
            }
        }
    }

    /// Tells the pool, hands back what is held, and has the container removed.
    pub(super) fn destroy(
        &mut self,
        replace: bool,
        why: Departure,
        cx: &mut Context<'_>,
        out: &mut impl Out,
    ) {
        self.tell_leaving(replace, why, cx.slot, out);
        for activation in self.take_held() {
            out.send(Message::Resubmit(activation));
        }
        self.order_removal(cx, out);
    }

    pub(super) fn tell_leaving(&self, replace: bool, why: Departure, slot: Slot, out: &mut impl Out) {
        out.send(if self.rescheduling {
            Message::Rescheduled(slot, why)
        } else {
            Message::Removed(slot, replace, why)
        });
    }

    pub(super) fn order_removal(&mut self, cx: &mut Context<'_>, out: &mut impl Out) {
        if self.phase == Phase::Paused && cx.rules.resume_to_remove {
            out.act(Action::Resume(self.id(cx.slot)));
        }
        out.act(Action::Destroy(self.id(cx.slot)));
        if self.phase != Phase::Removing {
            self.enter(Phase::Removing, cx, out);
        }
    }

    fn stop(&mut self, cx: &mut Context<'_>, out: &mut impl Out) {
        self.enter(Phase::Stopped, cx, out);
        self.release_when_done(cx.slot, out);
    }

    pub(super) fn release_when_done(&self, slot: Slot, out: &mut impl Out) {
        if self.outstanding == 0 {
            out.send(Message::Release(slot));
        }
    }
}
