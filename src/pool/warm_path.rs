//! The shortest way through the pool: an activation that an idle container serves at once, and its end. Nearly
//! every invocation of nearly every workload is of this kind. Owns no state and decides nothing: it calls, in the
//! same order, the very steps that the messages between dispatcher and proxy would lead to, without the messages.
//! Whatever is not plain is left to them (`false`), and must be found out before anything has been changed.

use crate::ids::{ActivationId, ContainerId, FunctionId};
use crate::pool::boundary::{Ack, Action, Note, Phase, RunOutcome, Sink, StartState, Status};
use crate::pool::flight::Flight;
use crate::pool::message::Out;
use crate::pool::pool::{Pool, Router, with_proxy};
use crate::pool::proxy::{Context, Proxy};
use crate::time::Time;

impl Pool {
    /// An arrival that goes to an idle container. `false`: nothing was done.
    #[inline(always)]
    pub(super) fn arrived_warm(
        &mut self,
        now: Time,
        activation: ActivationId,
        function: FunctionId,
        blocking: bool,
        sink: &mut impl Sink,
    ) -> bool {
        let Some(slot) = self.dispatcher.idle_at_once(function) else { return false };
        if self.proxies[slot as usize].phase() != Phase::Ready {
            return false;
        }
        self.flights.insert(activation, Flight::new(now, function, blocking));
        self.flights.of_mut(activation).start = Some(StartState::Warmed);
        self.heard_of(now, function);
        sink.note(Note::Handed(activation));
        let out = &mut Router { queue: &mut self.queue, sink };
        self.dispatcher.dispatch_warm(now, activation, function, slot, out);
        with_proxy!(self, now, slot, sink, |proxy, cx, out| proxy.run_ready(activation, cx, out));
        true
    }

    /// The good end of a run that leaves its container idle. `false`: nothing was done.
    #[inline(always)]
    pub(super) fn ran_plainly(
        &mut self,
        now: Time,
        id: ContainerId,
        activation: ActivationId,
        outcome: RunOutcome,
        sink: &mut impl Sink,
    ) -> bool {
        let RunOutcome::Answered(status @ (Status::Success | Status::ApplicationError)) = outcome else {
            return false;
        };
        if !self.proxies[id.slot as usize].is_plain() {
            return false;
        }
        with_proxy!(self, now, id.slot, sink, |proxy, cx, out| proxy
            .ran_plainly(activation, status, cx, out));
        // "Need work" was sent before anything that entering Ready may have sent, and would be heard first.
        self.dispatcher.need_work(now, id.slot, &mut Router { queue: &mut self.queue, sink });
        true
    }
}

impl Proxy {
    /// Run this, being idle and thawed.
    #[inline(always)]
    pub(super) fn run_ready(&mut self, activation: ActivationId, cx: &mut Context<'_>, out: &mut impl Out) {
        self.active = 1;
        self.resume_run = activation;
        // Where the lease is asked for only once the container is paused, it may be run before.
        self.loaded_ahead = false;
        self.start_run(activation, true, cx, out);
        self.enter(Phase::Running, cx, out);
    }

    /// Whether a good end of the one run under way leaves an idle container and nothing else to do.
    #[inline(always)]
    pub(super) fn is_plain(&self) -> bool {
        self.phase == Phase::Running
            && self.initialized
            && !self.rescheduling
            && !self.collects_logs
            && self.active == 1
            && self.backlog.is_none()
    }

    /// The end of the one run under way where [`Proxy::is_plain`]: what `ran`, `answered` and `completed` come to,
    /// but for "need work", which the caller has to see to afterwards.
    #[inline(always)]
    pub(super) fn ran_plainly(
        &mut self,
        activation: ActivationId,
        status: Status,
        cx: &mut Context<'_>,
        out: &mut impl Out,
    ) {
        let flight = cx.flights.of_mut(activation);
        flight.end(cx.now, status);
        let ack = if flight.blocking { Ack::Combined } else { Ack::Completion };
        out.act(Action::Answer(flight.answer(activation, ack)));
        self.outstanding -= 1;
        self.active = 0;
        self.resume_run = ActivationId::NONE;
        self.enter(Phase::Ready, cx, out);
    }
}
