//! Stem cells: containers kept ready without code, by kind and memory (docs/specs/openwhisk.md §6).
//! Owns how many there are and should be; creating and removing them is the dispatcher's.

use crate::ids::{KindId, Slot};
use crate::pool::rules::StemCell;
use crate::time::{Span, Time};

/// A prewarmed container.
#[derive(Clone, Copy, Debug)]
struct Prewarm {
    slot: Slot,
    kind: KindId,
    memory_mib: u32,
    /// When it expires, if it does and is ready.
    expires: Option<Time>,
}

/// All prewarmed containers and what is wanted of them.
#[derive(Debug, Default)]
pub struct Prewarms {
    cells: Vec<StemCell>,
    /// Cold starts of each cell's kind and memory since the last check.
    cold_starts: Vec<u32>,
    ready: Vec<Prewarm>,
    starting: Vec<Prewarm>,
}

/// Containers to start for one cell.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Missing {
    /// Their kind.
    pub kind: KindId,
    /// Their memory in MiB.
    pub memory_mib: u32,
    /// How long each may wait once ready.
    pub ttl: Option<Span>,
    /// How many.
    pub count: u32,
}

/// On which occasion prewarms are topped up (docs/specs/openwhisk.md §6).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Occasion {
    /// Start-up: the initial count.
    StartUp,
    /// A container is gone: the minimum, or the initial count where demand is not followed.
    Backfill,
    /// The periodic check: as many as recent cold starts call for.
    Check,
}

impl Prewarms {
    /// Nothing started yet.
    pub fn new(cells: Vec<StemCell>) -> Prewarms {
        let cold_starts = vec![0; cells.len()];
        Prewarms { cells, cold_starts, ..Prewarms::default() }
    }

    /// Whether any cell is configured.
    #[inline]
    pub fn is_configured(&self) -> bool {
        !self.cells.is_empty()
    }

    /// Whether any cell follows demand, so that the periodic check is needed.
    pub fn is_reactive(&self) -> bool {
        self.cells.iter().any(|cell| cell.reactive.is_some())
    }

    /// How long a prewarm of this kind and memory may wait.
    pub fn ttl(&self, kind: KindId, memory_mib: u32) -> Option<Span> {
        self.cells.iter().find(|cell| is_cell(cell, kind, memory_mib))?.reactive.map(|reactive| reactive.ttl)
    }

    /// Counts a cold start, if some cell has exactly this kind and memory (§6, step 5).
    pub fn count_cold_start(&mut self, kind: KindId, memory_mib: u32) {
        // Counters are by kind and memory, and each cell of that kind and memory adds one.
        let matching = self.cells.iter().filter(|cell| is_cell(cell, kind, memory_mib)).count() as u32;
        for (cell, count) in self.cells.iter().zip(&mut self.cold_starts) {
            if is_cell(cell, kind, memory_mib) {
                *count += matching;
            }
        }
    }

    /// Notes that a prewarm is being created.
    pub fn starting(&mut self, slot: Slot, kind: KindId, memory_mib: u32) {
        self.starting.push(Prewarm { slot, kind, memory_mib, expires: None });
    }

    /// Notes that a prewarm is up. `false`: it was not known to be starting.
    pub fn ready(&mut self, slot: Slot, expires: Option<Time>) -> bool {
        let Some(at) = self.starting.iter().position(|prewarm| prewarm.slot == slot) else {
            return false;
        };
        let prewarm = self.starting.remove(at);
        self.ready.push(Prewarm { expires, ..prewarm });
        true
    }

    /// Takes the prewarm of exactly this kind and memory that expires first, even if it has expired;
    /// one that never expires counts as expiring `now` (§5.2 step 3). Ties: ready first.
    pub fn take(&mut self, now: Time, kind: KindId, memory_mib: u32) -> Option<Slot> {
        let at = self
            .ready
            .iter()
            .enumerate()
            .filter(|(_, prewarm)| prewarm.kind == kind && prewarm.memory_mib == memory_mib)
            .min_by_key(|(_, prewarm)| prewarm.expires.unwrap_or(now))?
            .0;
        Some(self.ready.remove(at).slot)
    }

    /// Forgets a prewarm that is gone.
    pub fn forget(&mut self, slot: Slot) {
        self.ready.retain(|prewarm| prewarm.slot != slot);
        self.starting.retain(|prewarm| prewarm.slot != slot);
    }

    /// Takes out at most `limit` expired prewarms of reactive cells, oldest expiry first (§6, step 4a).
    pub fn take_expired(&mut self, now: Time, limit: u32) -> Vec<Slot> {
        let mut expired: Vec<(Time, Slot)> = Vec::new();
        for cell in self.cells.iter().filter(|cell| cell.reactive.is_some()) {
            for prewarm in self.ready.iter().filter(|p| is_cell(cell, p.kind, p.memory_mib)) {
                if let Some(expires) = prewarm.expires
                    && expires < now
                    && !expired.iter().any(|(_, slot)| *slot == prewarm.slot)
                {
                    expired.push((expires, prewarm.slot));
                }
            }
        }
        expired.sort_by_key(|(expires, _)| *expires);
        expired.truncate(limit as usize);
        let slots: Vec<Slot> = expired.into_iter().map(|(_, slot)| slot).collect();
        self.ready.retain(|prewarm| !slots.contains(&prewarm.slot));
        slots
    }

    /// How many containers of each cell are missing on this occasion.
    pub fn missing(&self, occasion: Occasion) -> Vec<Missing> {
        let missing = |(cell, cold_starts): (&StemCell, &u32)| {
            let memory_mib = cell.memory.0 as u32;
            let wanted = match (occasion, cell.reactive) {
                (Occasion::StartUp, _) | (_, None) => cell.initial_count,
                (Occasion::Check, Some(reactive)) if *cold_starts > 0 => reactive.target(*cold_starts),
                (_, Some(reactive)) => reactive.min_count,
            };
            let is_one = |prewarm: &&Prewarm| is_cell(cell, prewarm.kind, prewarm.memory_mib);
            let have = (self.ready.iter().filter(is_one).count()
                + self.starting.iter().filter(is_one).count()) as u32;
            Missing {
                kind: cell.kind,
                memory_mib,
                ttl: cell.reactive.map(|reactive| reactive.ttl),
                count: wanted.saturating_sub(have),
            }
        };
        self.cells.iter().zip(&self.cold_starts).map(missing).filter(|missing| missing.count > 0).collect()
    }

    /// Ends a periodic check: cold starts are counted anew (§6, step 4d).
    pub fn checked(&mut self) {
        self.cold_starts.fill(0);
    }

    /// The prewarms that are up.
    pub fn ready_slots(&self) -> impl Iterator<Item = Slot> + '_ {
        self.ready.iter().map(|prewarm| prewarm.slot)
    }

    /// The prewarms being created.
    pub fn starting_slots(&self) -> impl Iterator<Item = Slot> + '_ {
        self.starting.iter().map(|prewarm| prewarm.slot)
    }
}

fn is_cell(cell: &StemCell, kind: KindId, memory_mib: u32) -> bool {
    cell.kind == kind && cell.memory.0 == u64::from(memory_mib)
}
