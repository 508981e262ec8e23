//! The run buffer: activations that could not be placed, first come first served, with strict
//! head-of-line blocking (docs/specs/openwhisk.md §5.1, §5.4, §5.5). Must never reorder.

use std::collections::VecDeque;

use crate::ids::{ActivationId, FunctionId};

/// The run buffer.
#[derive(Debug, Default)]
pub struct RunBuffer {
    queue: VecDeque<(ActivationId, FunctionId)>,
    /// The head has been sent to the dispatcher again and not yet been tried.
    resent: bool,
}

impl RunBuffer {
    /// Whether nothing waits.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.queue.is_empty()
    }

    /// How many wait.
    pub fn len(&self) -> usize {
        self.queue.len()
    }

    /// Those that wait, the next one first.
    pub fn iter(&self) -> impl Iterator<Item = ActivationId> + '_ {
        self.queue.iter().map(|(activation, _)| *activation)
    }

    /// Puts an activation at the end.
    pub fn push(&mut self, activation: ActivationId, function: FunctionId) {
        self.queue.push_back((activation, function));
    }

    /// Whether the head should be sent again; from then on it counts as sent, so that it is never
    /// under way twice.
    pub fn resend(&mut self) -> bool {
        !std::mem::replace(&mut self.resent, true)
    }

    /// The head, about to be tried: it may be sent again from now on.
    pub fn head(&mut self) -> Option<(ActivationId, FunctionId)> {
        self.resent = false;
        self.queue.front().copied()
    }

    /// Takes the head out: it has been placed.
    pub fn placed(&mut self) {
        self.queue.pop_front();
    }
}
