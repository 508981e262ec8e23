//! What the two halves of the pool tell each other: the dispatcher (OpenWhisk's ContainerPool) and
//! the proxies (one ContainerProxy per container). Messages are handled first in, first out, with no
//! time passing (docs/specs/openwhisk.md §1). Must never cross the border of the pool.

use std::collections::VecDeque;

use crate::ids::{ActivationId, FunctionId, KindId, Slot};
use crate::pool::boundary::{Action, Departure, Note, StartState};
use crate::time::{Span, Time};

/// One message.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Message {
    // ----- to a proxy -----
    /// Become a prewarm of this kind and memory; expire this long after being ready.
    Start(Slot, KindId, u32, Option<Span>),
    /// Become a warm container of this function, ahead of any activation.
    Load(Slot, FunctionId),
    /// Run this; the container was found in this state.
    Run(Slot, ActivationId, StartState),
    /// Go.
    Remove(Slot),

    // ----- from a proxy to the dispatcher -----
    /// The prewarm is up and expires then.
    PrewarmReady(Slot, Option<Time>),
    /// Loaded ahead of time and idle.
    Loaded(Slot),
    /// One activation is done and there is room for another.
    NeedWork(Slot),
    /// Gone or going, with nothing handed back. The flag asks for a prewarm in its place.
    Removed(Slot, bool, Departure),
    /// Going; what it could not serve comes back as `Resubmit`.
    Rescheduled(Slot, Departure),
    /// An activation that a container could not serve.
    Resubmit(ActivationId),
    /// The dispatcher to itself: try the head of the run buffer again.
    Retry,

    // ----- to others -----
    /// To the message feed: one more activation, please (docs/specs/openwhisk.md §5.4).
    Credit,
    /// To the timers: load this function ahead of time then.
    LoadAt(FunctionId, Time),
    /// To the tables: nothing can refer to this slot any more.
    Release(Slot),
}

/// Messages on their way, first in, first out. Most of the time there is one or none, so the first has a place
/// of its own that costs no more than a register.
#[derive(Debug, Default)]
pub struct Mailbox {
    first: Option<Message>,
    rest: VecDeque<Message>,
}

impl Mailbox {
    /// Puts a message behind all others.
    #[inline(always)]
    pub fn push(&mut self, message: Message) {
        // While others wait the first place stays free: they were sent before.
        if self.first.is_none() && self.rest.is_empty() {
            self.first = Some(message);
        } else {
            self.push_behind(message);
        }
    }

    #[cold]
    #[inline(never)]
    fn push_behind(&mut self, message: Message) {
        self.rest.push_back(message);
    }

    /// Takes out the one that was sent first.
    #[inline(always)]
    pub fn pop(&mut self) -> Option<Message> {
        match self.first.take() {
            Some(message) => Some(message),
            None if self.rest.is_empty() => None,
            None => self.rest.pop_front(),
        }
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        usize::from(self.first.is_some()) + self.rest.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.first.is_none() && self.rest.is_empty()
    }
}

/// Where the halves of the pool put what they have to say.
pub trait Out {
    /// To another half, after everything sent before.
    fn send(&mut self, message: Message);
    /// To the driver.
    fn act(&mut self, action: Action);
    /// To whoever listens.
    fn note(&mut self, note: Note);
}
