//! Transactions under way, found by their id, by activation and by container. Owns these tables and how many there
//! may be; must never look at a log line.

use std::collections::{BinaryHeap, HashMap, VecDeque};

use super::Phase;
use crate::openwhisk::phases::Activation;

/// A transaction under way.
#[derive(Debug, Default)]
pub(super) struct Open {
    /// What was seen of it.
    pub(super) seen: Activation,
    /// When its last line was written.
    pub(super) last: i64,
    /// Whether its request was seen.
    pub(super) has_request: bool,
    /// Whether the invoker told of its completion.
    pub(super) is_posted: bool,
    /// Whether something that is no record of an activation is being stored.
    pub(super) saves_other: bool,
    lingers: bool,
    container: Option<Box<str>>,
}

impl Open {
    /// Whether it is about an activation: most requests are not.
    pub(super) fn is_activation(&self) -> bool {
        let begun = |phase: Phase| self.seen.mark(phase).start.is_some();
        let seen = &self.seen;
        seen.id.is_some()
            || seen.taken.is_some()
            || seen.start.is_some()
            || begun(Phase::Init)
            || begun(Phase::Run)
    }

    /// Whether it ran, or its init failed.
    pub(super) fn is_run_over(&self) -> bool {
        let init = self.seen.mark(Phase::Init);
        self.seen.mark(Phase::Run).end.is_some() || init.end.is_some() && init.failed
    }

    pub(super) fn is_answered(&self) -> bool {
        self.seen.ack_at.is_some() || self.is_posted
    }

    pub(super) fn has_ended(&self) -> bool {
        self.is_run_over() || self.is_answered()
    }
}

/// A place in the table, and who was in it.
type Entry = (u32, u64);

/// All transactions under way.
#[derive(Debug)]
pub(super) struct UnderWay {
    most: usize,
    slots: Vec<Option<Box<Open>>>,
    free: Vec<u32>,
    count: usize,
    opened: u64,
    by_tid: HashMap<Box<str>, u32>,
    by_id: HashMap<Box<str>, u32>,
    by_container: HashMap<Box<str>, u32>,
    /// In the order in which they were opened; those who have gone are skipped.
    queue: VecDeque<Entry>,
    /// Those that have ended, by when they may go.
    lingering: BinaryHeap<std::cmp::Reverse<(i64, u64, u32)>>,
}

impl UnderWay {
    pub(super) fn new(most: usize) -> UnderWay {
        UnderWay {
            most: most.max(1),
            slots: Vec::new(),
            free: Vec::new(),
            count: 0,
            opened: 0,
            by_tid: HashMap::new(),
            by_id: HashMap::new(),
            by_container: HashMap::new(),
            queue: VecDeque::new(),
            lingering: BinaryHeap::new(),
        }
    }

    pub(super) fn len(&self) -> usize {
        self.count
    }

    pub(super) fn is_full(&self) -> bool {
        self.count >= self.most
    }

    pub(super) fn by_tid(&self, tid: &str) -> Option<u32> {
        self.by_tid.get(tid).copied()
    }

    pub(super) fn by_id(&self, id: &str) -> Option<u32> {
        self.by_id.get(id).copied()
    }

    pub(super) fn get(&self, slot: u32) -> Option<&Open> {
        self.slots.get(slot as usize)?.as_deref()
    }

    pub(super) fn at(&self, slot: u32) -> &Open {
        self.get(slot).expect("slots are given out while they are in use")
    }

    pub(super) fn at_mut(&mut self, slot: u32) -> &mut Open {
        self.slots[slot as usize].as_mut().expect("slots are given out while they are in use")
    }

    pub(super) fn touch(&mut self, slot: u32, time: i64) {
        let open = self.at_mut(slot);
        open.last = open.last.max(time);
    }

    /// A new one, which its transaction id means from now on.
    pub(super) fn open(&mut self, tid: &str, began: i64) -> u32 {
        let seen =
            Activation { order: self.opened, tid: tid.into(), request_at: began, ..Activation::default() };
        let open = Box::new(Open { seen, last: began, ..Open::default() });
        let slot = if let Some(slot) = self.free.pop() {
            self.slots[slot as usize] = Some(open);
            slot
        } else {
            self.slots.push(Some(open));
            // There are never more than `most`, which is far less.
            (self.slots.len() - 1) as u32
        };
        self.by_tid.insert(tid.into(), slot);
        self.compact();
        self.queue.push_back((slot, self.opened));
        self.opened += 1;
        self.count += 1;
        slot
    }

    fn is_there(&self, (slot, order): Entry) -> bool {
        self.get(slot).is_some_and(|open| open.seen.order == order)
    }

    /// Forgets those who have gone when they are more than those who have not.
    fn compact(&mut self) {
        if self.queue.len() > 2 * self.count + 1_024 {
            let mut queue = std::mem::take(&mut self.queue);
            queue.retain(|entry| self.is_there(*entry));
            self.queue = queue;
        }
    }

    /// The one that was opened first.
    pub(super) fn oldest(&mut self) -> Option<u32> {
        while let Some(entry) = self.queue.front() {
            if self.is_there(*entry) {
                return Some(entry.0);
            }
            self.queue.pop_front();
        }
        None
    }

    /// Its activation id is known. Returns whether somebody else under way has the same.
    pub(super) fn identify(&mut self, slot: u32, id: &str) -> bool {
        if self.at(slot).seen.id.as_deref() == Some(id) {
            return false;
        }
        if self.at(slot).seen.id.is_some() {
            // An answer that names another activation does not rename this one.
            return false;
        }
        self.at_mut(slot).seen.id = Some(id.into());
        self.by_id.insert(id.into(), slot).is_some()
    }

    /// It uses a container now. Returns who used it last, if that was somebody else who is still here.
    pub(super) fn occupy(&mut self, slot: u32, container: &str) -> Option<u32> {
        // One that was handed back and placed again has left the container it was in before.
        if let Some(old) = self.at_mut(slot).container.take()
            && *old != *container
            && self.by_container.get(&old) == Some(&slot)
        {
            self.by_container.remove(&old);
        }
        if let Some(last) = self.by_container.get_mut(container) {
            let before = std::mem::replace(last, slot);
            if before == slot {
                return None;
            }
            self.at_mut(slot).container = Some(container.into());
            return self.get(before).map(|_| before);
        }
        self.by_container.insert(container.into(), slot);
        self.at_mut(slot).container = Some(container.into());
        None
    }

    /// Who used a container last, if still here; it does so no more.
    pub(super) fn vacate(&mut self, container: &str) -> Option<u32> {
        self.by_container.remove(container)
    }

    /// It may go at this time.
    pub(super) fn linger(&mut self, slot: u32, until: i64) {
        let open = self.at_mut(slot);
        if !std::mem::replace(&mut open.lingers, true) {
            let order = open.seen.order;
            self.lingering.push(std::cmp::Reverse((until, order, slot)));
        }
    }

    /// One whose time has come, which lingers no more.
    pub(super) fn due(&mut self, now: i64) -> Option<u32> {
        while let Some(std::cmp::Reverse((until, order, slot))) = self.lingering.peek().copied() {
            if until > now {
                return None;
            }
            self.lingering.pop();
            if self.is_there((slot, order)) {
                self.at_mut(slot).lingers = false;
                return Some(slot);
            }
        }
        None
    }

    /// Forgets it.
    pub(super) fn close(&mut self, slot: u32) -> Option<Open> {
        let open = self.slots.get_mut(slot as usize)?.take()?;
        self.free.push(slot);
        self.count -= 1;
        let forget = |table: &mut HashMap<Box<str>, u32>, key: &str| {
            if table.get(key) == Some(&slot) {
                table.remove(key);
            }
        };
        forget(&mut self.by_tid, &open.seen.tid);
        if let Some(id) = &open.seen.id {
            forget(&mut self.by_id, id);
        }
        if let Some(container) = &open.container {
            forget(&mut self.by_container, container);
        }
        Some(*open)
    }
}
