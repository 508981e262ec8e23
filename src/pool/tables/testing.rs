//! What tests of policies need: containers moved about without a pool. Must never be part of a build.

use super::*;

impl Tables {
    /// A new container with its first activation.
    pub(crate) fn test_create(&mut self, function: FunctionId, now: Time) -> Slot {
        let slot = self.allot(Some(function), self.memory_mib(function));
        self.assign(slot, now, Data::WarmingCold);
        slot
    }

    /// A new container, initialised and idle.
    pub(crate) fn test_load(&mut self, function: FunctionId) -> Slot {
        let slot = self.allot(Some(function), self.memory_mib(function));
        self.set_data(slot, Data::Warmed);
        self.move_to(slot, Home::Free);
        slot
    }

    /// One more activation in a container.
    pub(crate) fn test_assign(&mut self, slot: Slot, now: Time) {
        self.assign(slot, now, self.container(slot).data());
    }

    /// One activation less; whether the container has room.
    pub(crate) fn test_finish(&mut self, slot: Slot, warm: bool, elapsed: Span) -> bool {
        self.learn(self.action(self.function_of(slot)), warm, elapsed);
        self.finish(slot)
    }

    /// The pool lets go of a container; its slot stays taken until [`Tables::test_release`].
    pub(crate) fn test_drop(&mut self, slot: Slot) {
        self.move_to(slot, Home::Nowhere);
    }

    /// The slot may be used again.
    pub(crate) fn test_release(&mut self, slot: Slot) {
        self.release(slot);
    }
}
