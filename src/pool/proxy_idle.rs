//! What a container's proxy does while nothing runs in it: the keep-alive lease, pausing, going when
//! its time is over (docs/specs/openwhisk.md §4.1). Owns the idle timer; how long a lease is, the
//! keep-alive policy says.

use crate::policy::Lease;
use crate::pool::boundary::{Action, Departure, Phase};
use crate::pool::message::{Message, Out};
use crate::pool::proxy::{Context, Proxy};
use crate::pool::rules::LeaseFrom;
use crate::time::Time;

impl Proxy {
    /// [`Proxy::timer`] has come.
    pub fn on_timer(&mut self, cx: &mut Context<'_>, out: &mut impl Out) {
        let why = if self.unloading { Departure::Unloaded } else { Departure::Expired };
        match self.phase {
            Phase::Ready if self.lease_end <= cx.now => self.destroy(true, why, cx, out),
            Phase::Ready => {
                out.act(Action::Pause(self.id(cx.slot)));
                self.enter(Phase::Pausing, cx, out);
            }
            Phase::Paused => self.leave_paused(why, cx, out),
            _ => {}
        }
    }

    /// The container is frozen, or could not be.
    pub fn paused(&mut self, ok: bool, cx: &mut Context<'_>, out: &mut impl Out) {
        if self.phase != Phase::Pausing {
            return;
        }
        if ok {
            self.enter(Phase::Paused, cx, out);
        } else {
            self.destroy(true, Departure::Failed, cx, out);
        }
    }

    #[inline(always)]
    pub(super) fn entered_ready(&mut self, cx: &mut Context<'_>, out: &mut impl Out) {
        self.lease_end = Time::NEVER;
        if let Some(function) = self.function()
            && !self.loaded_ahead
        {
            cx.keep_alive.on_idle(cx.now, function);
        }
        let pause = cx.rules.pause_grace.map_or(Time::NEVER, |grace| cx.now + grace);
        if cx.rules.lease_from == LeaseFrom::Idle || cx.rules.pause_grace.is_none() {
            self.take_lease(cx, out);
        }
        self.timer = pause.min(self.lease_end);
    }

    pub(super) fn entered_paused(&mut self, cx: &mut Context<'_>, out: &mut impl Out) {
        if cx.rules.lease_from == LeaseFrom::Paused {
            self.take_lease(cx, out);
        }
        // A lease that counts from idleness may have ended while the container was being frozen.
        self.timer = self.lease_end.max(cx.now);
    }

    #[inline(always)]
    fn take_lease(&mut self, cx: &mut Context<'_>, out: &mut impl Out) {
        let loaded_ahead = std::mem::replace(&mut self.loaded_ahead, false);
        let Lease { keep, load_after } = cx.keep_alive.lease(cx.now, cx.tables, cx.slot, loaded_ahead);
        self.lease_end = cx.now + keep;
        self.unloading = load_after.is_some();
        if let (Some(after), Some(function)) = (load_after, self.function()) {
            out.send(Message::LoadAt(function, cx.now + after));
        }
    }

    pub(super) fn leave_paused(&mut self, why: Departure, cx: &mut Context<'_>, out: &mut impl Out) {
        // Announced as "reschedule job" so that the pool is not credited (§4.1).
        self.rescheduling = cx.rules.resume_to_remove;
        self.destroy(true, why, cx, out);
    }
}
