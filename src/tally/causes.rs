//! Why each cold start happened. Owns, per function, which of its containers were lost and how.
//!
//! A cold start is charged to the most recent loss of a container of its function that no earlier
//! cold start was charged with: had that container been kept, it would have served. Where no such
//! loss is left, the function never had so many containers at once: it is the first ever, or all
//! copies are busy. An activation that joins a container still being started is charged to busy copies.
//! A container loaded ahead of time makes up for the latest loss, unless nobody has used it when it fails.

use crate::ids::{ContainerId, FunctionId};
use crate::pool::boundary::Departure;

use super::Tally;

/// Why an activation did not find a warm container.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Cause {
    /// The function had never had a container.
    First,
    /// Every container it ever had at once is busy.
    AllBusy,
    /// One was evicted for this function.
    Evicted(FunctionId),
    /// One had to go when the pool was made smaller.
    Shrunk,
    /// One's keep-alive lease had ended.
    Expired,
    /// One was unloaded by a prewarm window and not loaded again in time.
    Unloaded,
    /// One was lost because it failed.
    Failed,
}

impl Cause {
    /// As written in tables.
    pub const fn name(self) -> &'static str {
        match self {
            Cause::First => "first",
            Cause::AllBusy => "all-busy",
            Cause::Evicted(_) => "evicted",
            Cause::Shrunk => "shrunk",
            Cause::Expired => "expired",
            Cause::Unloaded => "unloaded",
            Cause::Failed => "failed",
        }
    }
}

/// Containers gained and lost, by function.
#[derive(Debug)]
pub(super) struct Losses {
    functions: Vec<FunctionLosses>,
}

#[derive(Clone, Debug, Default)]
struct FunctionLosses {
    /// Containers it has, the one being created included.
    live: u32,
    /// Losses not yet charged, the latest last. Never more than the most containers it had at once.
    uncharged: Vec<Cause>,
}

impl Losses {
    pub(super) fn new(functions: usize) -> Losses {
        Losses { functions: vec![FunctionLosses::default(); functions] }
    }

    /// A container of the function was loaded ahead of time: it makes up for the latest loss.
    pub(super) fn loaded_ahead(&mut self, function: FunctionId) {
        let losses = &mut self.functions[function.ix()];
        losses.live += 1;
        losses.uncharged.pop();
    }

    /// The function loses one.
    pub(super) fn lost(&mut self, function: FunctionId, why: Departure) {
        let losses = &mut self.functions[function.ix()];
        losses.live = losses.live.saturating_sub(1);
        let cause = match why {
            Departure::Evicted(by) => Cause::Evicted(by),
            Departure::Shrunk => Cause::Shrunk,
            Departure::Expired | Departure::PrewarmExpired => Cause::Expired,
            Departure::Unloaded => Cause::Unloaded,
            Departure::Failed => Cause::Failed,
        };
        losses.uncharged.push(cause);
    }

    /// Why an activation of the function starts as it does; not for warm starts. `first_use`: its
    /// container is the function's by this very activation.
    pub(super) fn cause(&mut self, function: FunctionId, first_use: bool) -> Cause {
        if !first_use {
            return Cause::AllBusy;
        }
        let losses = &mut self.functions[function.ix()];
        losses.live += 1;
        match losses.uncharged.pop() {
            Some(cause) => cause,
            None if losses.live <= 1 => Cause::First,
            None => Cause::AllBusy,
        }
    }
}

impl Tally {
    pub(super) fn gone(&mut self, container: ContainerId, function: Option<FunctionId>, why: Departure) {
        match why {
            Departure::Evicted(_) => self.evictions += 1,
            Departure::Shrunk => self.shrunk += 1,
            Departure::Expired => self.expired += 1,
            Departure::Unloaded => self.unloaded += 1,
            Departure::Failed => self.broken += 1,
            Departure::PrewarmExpired => self.prewarm_expired += 1,
        }
        // A container that failed while it was being loaded ahead had never been the function's.
        let used = self.meter.set_used(container, false);
        if let Some(function) = function
            && used
        {
            self.losses.lost(function, why);
            if matches!(why, Departure::Evicted(_)) {
                self.functions[function.ix()].evicted += 1;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const F: FunctionId = FunctionId(0);
    const G: FunctionId = FunctionId(1);

    #[test]
    fn charges_the_latest_loss_once() {
        let mut losses = Losses::new(2);
        assert_eq!(losses.cause(F, true), Cause::First);
        assert_eq!(losses.cause(F, true), Cause::AllBusy, "a second copy at once");
        losses.lost(F, Departure::Expired);
        losses.lost(F, Departure::Evicted(G));
        assert_eq!(losses.cause(F, true), Cause::Evicted(G));
        assert_eq!(losses.cause(F, true), Cause::Expired);
        assert_eq!(losses.cause(F, true), Cause::AllBusy, "a third copy at once");
    }

    #[test]
    fn joining_a_starting_container_is_for_want_of_an_idle_one() {
        let mut losses = Losses::new(1);
        assert_eq!(losses.cause(F, true), Cause::First);
        losses.lost(F, Departure::Failed);
        assert_eq!(losses.cause(F, false), Cause::AllBusy);
        assert_eq!(losses.cause(F, true), Cause::Failed);
    }

    #[test]
    fn loading_ahead_makes_up_for_unloading() {
        let mut losses = Losses::new(1);
        assert_eq!(losses.cause(F, true), Cause::First);
        for _ in 0..1_000 {
            losses.lost(F, Departure::Unloaded);
            losses.loaded_ahead(F);
        }
        assert!(losses.functions[0].uncharged.is_empty(), "nothing piles up");
        assert_eq!(losses.cause(F, true), Cause::AllBusy, "the loaded one is there");
        losses.lost(F, Departure::Unloaded);
        assert_eq!(losses.cause(F, true), Cause::Unloaded);
    }
}
