//! The message feed in front of the pool: hands over activations against credits
//! (docs/specs/openwhisk.md §7). Must never hand over more than its capacity without a credit.

use std::collections::VecDeque;

use crate::ids::ActivationId;

/// The feed.
#[derive(Debug)]
pub struct Feed {
    /// `None`: everything is handed over at once.
    capacity: Option<u32>,
    credits: u32,
    queue: VecDeque<ActivationId>,
}

impl Feed {
    /// A feed that hands over up to `capacity` activations ahead of their credits.
    pub fn new(capacity: Option<u32>) -> Feed {
        Feed { capacity, credits: capacity.unwrap_or(0), queue: VecDeque::new() }
    }

    /// An activation arrived. `true`: hand it to the pool now.
    #[inline]
    pub fn offer(&mut self, activation: ActivationId) -> bool {
        if self.capacity.is_none() {
            return true;
        }
        if self.credits > 0 && self.queue.is_empty() {
            self.credits -= 1;
            return true;
        }
        self.queue.push_back(activation);
        false
    }

    /// The pool has room for one more: which one to hand over, if any waits.
    #[inline]
    pub fn credit(&mut self) -> Option<ActivationId> {
        let capacity = self.capacity?;
        self.credits = capacity.min(self.credits + 1);
        let next = self.queue.pop_front()?;
        self.credits -= 1;
        Some(next)
    }

    /// How many wait in front of the pool.
    pub fn len(&self) -> usize {
        self.queue.len()
    }

    /// Whether none waits in front of the pool.
    pub fn is_empty(&self) -> bool {
        self.queue.is_empty()
    }
}

/// How many activations an invoker pulls ahead: max(C, ⌊C · L · f⌋) with C = user memory div least
/// action memory (docs/specs/openwhisk.md §7).
pub fn max_peek(user_memory_mib: u64, min_memory_mib: u64, max_concurrent: u64, factor: f64) -> u64 {
    let containers = user_memory_mib / min_memory_mib.max(1);
    containers.max((containers as f64 * max_concurrent as f64 * factor) as u64)
}
