//! What a container's proxy does when something fails (docs/specs/openwhisk.md §4.3). Owns which
//! activations are answered, aborted, handed back or lost; must never keep a broken container.

use crate::ids::ActivationId;
use crate::pool::boundary::{Ack, Action, Answer, CreateFault, Departure, InitOutcome, Phase, Status};
use crate::pool::message::{Message, Out};
use crate::pool::proxy::{Context, Proxy};
use crate::time::Span;

impl Proxy {
    /// The container never came up: the activation it was meant for and all held ones are answered.
    /// The proxy stays in Removing for ever, as in OpenWhisk (a small leak there; here its slot is
    /// used again).
    pub(super) fn creation_failed(&mut self, fault: CreateFault, cx: &mut Context<'_>, out: &mut impl Out) {
        let status = match fault {
            CreateFault::UserImage => Status::DeveloperError,
            CreateFault::Platform => Status::SystemError,
        };
        let activation = std::mem::replace(&mut self.waiting_run, ActivationId::NONE);
        if activation != ActivationId::NONE {
            self.abort(activation, status, Ack::Combined, cx, out);
            self.active -= 1;
        }
        out.send(Message::Removed(cx.slot, true, Departure::Failed));
        self.abort_held(Status::SystemError, cx, out);
        self.rescheduling = true;
        self.enter(Phase::Removing, cx, out);
        out.send(Message::Release(cx.slot));
    }

    /// The function's code could not be loaded.
    pub(super) fn init_failed(
        &mut self,
        activation: ActivationId,
        outcome: InitOutcome,
        cx: &mut Context<'_>,
        out: &mut impl Out,
    ) {
        if activation == ActivationId::NONE {
            // Loaded ahead of time: there is nobody to answer but those who have joined since.
            return self.destroy_uninitialized(Status::SystemError, cx, out);
        }
        let flight = cx.flights.of_mut(activation);
        match outcome {
            InitOutcome::Failed(status) => {
                let took = cx.now - flight.started;
                flight.initialized(took);
                flight.duration = took;
                flight.status = status;
            }
            InitOutcome::Unexpected => {
                flight.wait = cx.now - flight.received;
                flight.duration = Span::ZERO;
                flight.status = Status::SystemError;
            }
            InitOutcome::ShuttingDown => {
                self.settle();
                self.active -= 1;
                out.act(Action::Lose(activation));
                return self.destroy_uninitialized(Status::SystemError, cx, out);
            }
            InitOutcome::Ok => return,
        }
        self.answered(activation, cx, out);
    }

    /// A run ended badly, or its logs could not be read, while the container was in use.
    pub(super) fn run_failed(
        &mut self,
        status: Status,
        logs_ok: bool,
        cx: &mut Context<'_>,
        out: &mut impl Out,
    ) {
        self.active -= 1;
        if !self.initialized {
            // Init failed, so it would fail for the held runs too: they get the same answer, or a
            // system error where the failure carries none.
            let status = if logs_ok { status } else { Status::SystemError };
            self.destroy_uninitialized(status, cx, out);
        } else if self.active == 0 {
            self.destroy(true, Departure::Failed, cx, out);
        } else {
            // Others are still running: the container goes with the last of them.
            self.rescheduling = true;
            self.enter(Phase::Removing, cx, out);
        }
    }

    /// One of the runs that a failed container still had has ended.
    pub(super) fn ended_while_removing(&mut self, cx: &mut Context<'_>, out: &mut impl Out) {
        self.active = self.active.saturating_sub(1);
        self.resume_run = ActivationId::NONE;
        if self.active == 0 {
            self.destroy(true, Departure::Failed, cx, out);
        }
    }

    /// The first run after an idle period found the container dead: it and the held runs go back to
    /// the pool, the held ones first.
    pub(super) fn unreachable(&mut self, activation: ActivationId, cx: &mut Context<'_>, out: &mut impl Out) {
        self.settle();
        if self.phase() != Phase::Running {
            out.act(Action::Lose(activation));
            return match self.phase() {
                Phase::Removing => self.ended_while_removing(cx, out),
                _ => self.release_when_done(cx.slot, out),
            };
        }
        let resume_run = std::mem::replace(&mut self.resume_run, ActivationId::NONE);
        self.rescheduling = true;
        for held in self.take_held() {
            out.send(Message::Resubmit(held));
        }
        self.destroy(true, Departure::Failed, cx, out);
        if resume_run == activation {
            out.send(Message::Resubmit(activation));
        } else {
            // Another run of this container ended since, so the pool would not take it back.
            out.act(Action::Lose(activation));
        }
    }

    /// A run that was not the first after an idle period found the runtime going away: nobody hears of it again.
    pub(super) fn shut_down(&mut self, activation: ActivationId, cx: &mut Context<'_>, out: &mut impl Out) {
        self.settle();
        out.act(Action::Lose(activation));
        match self.phase() {
            Phase::Running => {
                self.resume_run = ActivationId::NONE;
                self.run_failed(Status::SystemError, true, cx, out);
            }
            Phase::Removing => self.ended_while_removing(cx, out),
            _ => self.release_when_done(cx.slot, out),
        }
    }

    /// The container could not be thawed; its run has been deferred and goes back to the pool.
    pub(super) fn resume_failed(&mut self, cx: &mut Context<'_>, out: &mut impl Out) {
        self.rescheduling = true;
        self.resume_run = ActivationId::NONE;
        self.active -= 1;
        if self.active == 0 {
            self.destroy(true, Departure::Failed, cx, out);
        } else {
            self.enter(Phase::Removing, cx, out);
        }
    }

    fn destroy_uninitialized(&mut self, status: Status, cx: &mut Context<'_>, out: &mut impl Out) {
        self.tell_leaving(true, Departure::Failed, cx.slot, out);
        self.abort_held(status, cx, out);
        self.order_removal(cx, out);
    }

    fn abort_held(&mut self, status: Status, cx: &mut Context<'_>, out: &mut impl Out) {
        for activation in self.take_held() {
            let ack = if cx.flights.of(activation).blocking { Ack::Combined } else { Ack::Completion };
            self.abort(activation, status, ack, cx, out);
        }
    }

    /// A run whose answer is not waited for any more.
    fn settle(&mut self) {
        self.outstanding = self.outstanding.saturating_sub(1);
    }

    /// The answer to an activation that never ran (§4.3: interval zero, no init time).
    fn abort(
        &self,
        activation: ActivationId,
        status: Status,
        ack: Ack,
        cx: &Context<'_>,
        out: &mut impl Out,
    ) {
        let flight = cx.flights.of(activation);
        let wait = cx.now - flight.received;
        let answer = Answer {
            status,
            wait,
            init: None,
            duration: Span::ZERO,
            start: None,
            ..flight.answer(activation, ack)
        };
        out.act(Action::Answer(answer));
    }
}
