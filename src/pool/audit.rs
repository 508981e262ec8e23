//! Everything counted anew and compared with what is kept, for tests and bug reports. Owns no state; must never be
//! needed for a decision.

use crate::ids::{FunctionId, Slot};
use crate::pool::boundary::Phase;
use crate::pool::dispatcher::Dispatcher;
use crate::pool::pool::Pool;
use crate::pool::tables::Home;
use crate::time::Time;

impl Pool {
    /// Counts everything anew and compares with what is kept.
    ///
    /// # Errors
    /// What does not agree, for a bug report.
    pub fn audit(&self) -> Result<(), String> {
        if !self.queue.is_empty() {
            return Err(format!("{} messages were not handled", self.queue.len()));
        }
        self.dispatcher.audit()?;
        for (ix, proxy) in self.proxies.iter().enumerate() {
            let container = self.tables().container(ix as Slot);
            if proxy.epoch() != container.epoch() {
                // A prewarm that only reserves memory has no proxy; this one is of the container before it.
                continue;
            }
            let idle = matches!(proxy.phase(), Phase::Ready | Phase::Pausing | Phase::Paused);
            if idle && proxy.active() == 0 && container.home() == Home::Free && container.active() > 0 {
                // Only a run deferred while the container is being paused may be on its way.
                if proxy.deferred() == 0 {
                    return Err(format!(
                        "slot {ix} is idle but the pool has {} assigned",
                        container.active()
                    ));
                }
            }
            if matches!(proxy.phase(), Phase::Stopped) && container.home() != Home::Nowhere {
                return Err(format!("slot {ix} has stopped but is still in {:?}", container.home()));
            }
            if proxy.timer() < self.timers.next().unwrap_or(Time::NEVER) {
                return Err(format!("slot {ix} has a timer at {:?} that nothing will wake", proxy.timer()));
            }
        }
        Ok(())
    }
}

impl Dispatcher {
    /// Counts everything anew and compares.
    ///
    /// # Errors
    /// What does not agree.
    pub fn audit(&self) -> Result<(), String> {
        let (kept, counted) = (self.tables().sums, self.tables().recount());
        if kept != counted {
            return Err(format!("memory sums are {kept:?}, counted anew {counted:?}"));
        }
        if self.is_over() && self.is_shrinking() && self.tables().sums.evictable > 0 {
            return Err("the pool has become smaller, but idle containers stay".to_owned());
        }
        let mut listed = 0;
        for function in (0..self.tables().functions()).map(|ix| FunctionId(ix as u32)) {
            for slot in self.tables().free_of(function) {
                listed += 1;
                let container = self.tables().container(slot);
                if container.home() != Home::Free || container.function() != Some(function) {
                    return Err(format!(
                        "slot {slot} is listed as free of {function:?} but is {container:?}"
                    ));
                }
                if container.active() >= self.tables().max_concurrent(function) {
                    return Err(format!("slot {slot} is free but has no room: {container:?}"));
                }
            }
        }
        let count = |home: Home| {
            (0..self.tables().slots())
                .filter(|ix| self.tables().container(*ix as Slot).home() == home)
                .count()
        };
        if listed != count(Home::Free) {
            return Err(format!("{listed} containers listed as free, {} are", count(Home::Free)));
        }
        let (ready, starting) =
            (self.prewarms().ready_slots().count(), self.prewarms().starting_slots().count());
        if ready != count(Home::Prewarmed) || starting != count(Home::PrewarmStarting) {
            return Err(format!("prewarms: {ready} ready and {starting} starting do not match the tables"));
        }
        Ok(())
    }
}
