//! Containers in the order of some event (dispatch, creation), and the first evictable one of them in
//! amortised constant time. Owns the order; must never decide when a container moves.
//!
//! Busy containers stay where they are: a container costs nothing when it becomes idle. Only when an
//! eviction meets busy ones at the head are they set aside, and when one of those becomes idle it goes
//! on a small heap. All that was set aside is older than all that is still in line, so the heap goes
//! first. A container is set aside at most once per move to the tail (or per idle period, where it
//! never moves), which makes `oldest` amortised O(1) plus O(log k) for the k set aside.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use crate::ids::{NO_SLOT, Slot};

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Place {
    /// Not in this queue.
    Nowhere,
    /// In line.
    Line,
    /// Met busy by an eviction, and not idle since.
    Aside,
    /// Idle again, and on the heap of those that go first.
    Returned,
}

#[derive(Clone, Copy, Debug)]
struct Link {
    /// When it came or moved to the tail, as a running number.
    rank: u64,
    next: Slot,
    prev: Slot,
    place: Place,
}

const UNLINKED: Link = Link { rank: 0, next: NO_SLOT, prev: NO_SLOT, place: Place::Nowhere };

/// A queue of slots.
#[derive(Debug)]
pub(super) struct Queue {
    links: Vec<Link>,
    head: Slot,
    tail: Slot,
    ranks: u64,
    returned: BinaryHeap<Reverse<(u64, Slot)>>,
}

impl Default for Queue {
    fn default() -> Queue {
        Queue { links: Vec::new(), head: NO_SLOT, tail: NO_SLOT, ranks: 0, returned: BinaryHeap::new() }
    }
}

impl Queue {
    /// Whether the slot is in the queue, in line or not.
    #[inline]
    pub fn contains(&self, slot: Slot) -> bool {
        self.links.get(slot as usize).is_some_and(|link| link.place != Place::Nowhere)
    }

    /// Puts the slot at the tail, wherever it was.
    #[inline]
    pub fn move_to_tail(&mut self, slot: Slot) {
        if self.links.len() <= slot as usize {
            self.links.resize(slot as usize + 1, UNLINKED);
        }
        self.unlink(slot);
        self.ranks += 1;
        let prev = self.tail;
        self.links[slot as usize] = Link { rank: self.ranks, next: NO_SLOT, prev, place: Place::Line };
        match prev {
            NO_SLOT => self.head = slot,
            prev => self.links[prev as usize].next = slot,
        }
        self.tail = slot;
    }

    /// The container became evictable. Has to be told of each, else `oldest` may miss it.
    #[inline]
    pub fn on_idle(&mut self, slot: Slot) {
        let link = &mut self.links[slot as usize];
        if link.place == Place::Aside {
            link.place = Place::Returned;
            self.returned.push(Reverse((link.rank, slot)));
        }
    }

    /// Takes the slot out, if it is in.
    pub fn remove(&mut self, slot: Slot) {
        if self.contains(slot) {
            self.unlink(slot);
            self.links[slot as usize] = UNLINKED;
        }
    }

    /// The evictable slot nearest to the head.
    pub fn oldest(&mut self, is_evictable: impl Fn(Slot) -> bool) -> Option<Slot> {
        while let Some(&Reverse((rank, slot))) = self.returned.peek() {
            let link = &mut self.links[slot as usize];
            if link.place == Place::Returned && link.rank == rank {
                if is_evictable(slot) {
                    return Some(slot);
                }
                link.place = Place::Aside;
            }
            self.returned.pop();
        }
        while self.head != NO_SLOT {
            let slot = self.head;
            if is_evictable(slot) {
                return Some(slot);
            }
            self.unlink(slot);
            self.links[slot as usize].place = Place::Aside;
        }
        None
    }

    #[inline]
    fn unlink(&mut self, slot: Slot) {
        let Link { next, prev, place, .. } = self.links[slot as usize];
        if place != Place::Line {
            return;
        }
        match prev {
            NO_SLOT => self.head = next,
            prev => self.links[prev as usize].next = next,
        }
        match next {
            NO_SLOT => self.tail = prev,
            next => self.links[next as usize].prev = prev,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn busy_ones_at_the_head_keep_their_place() {
        let mut queue = Queue::default();
        for slot in 0..5 {
            queue.move_to_tail(slot);
        }
        assert_eq!(queue.oldest(|slot| slot == 3), Some(3));
        // 0, 1, 2 were set aside; 2 and then 1 become idle, and both go before 3 and 4.
        queue.on_idle(2);
        queue.on_idle(1);
        assert_eq!(queue.oldest(|slot| slot != 0), Some(1));
        queue.remove(1);
        assert_eq!(queue.oldest(|slot| slot != 0), Some(2));
        // 2 is busy once more, without moving; then idle again.
        assert_eq!(queue.oldest(|slot| slot > 2), Some(3));
        queue.on_idle(2);
        assert_eq!(queue.oldest(|slot| slot != 0), Some(2));
        queue.move_to_tail(2);
        assert_eq!(queue.oldest(|slot| slot != 0), Some(3));
        queue.remove(3);
        queue.remove(4);
        assert_eq!(queue.oldest(|slot| slot != 0), Some(2));
        queue.on_idle(0);
        assert_eq!(queue.oldest(|_| true), Some(0));
    }

    #[test]
    fn empty_and_all_busy_give_none() {
        let mut queue = Queue::default();
        assert_eq!(queue.oldest(|_| true), None);
        queue.move_to_tail(4);
        assert_eq!(queue.oldest(|_| false), None);
        queue.on_idle(4);
        assert_eq!(queue.oldest(|_| true), Some(4));
        assert!(queue.contains(4) && !queue.contains(3) && !queue.contains(9));
    }

    #[test]
    fn agrees_with_sorting() {
        let mut random = crate::policy::testing::Dice::new(11);
        let mut queue = Queue::default();
        let mut ranks = [None; 12];
        let mut idle = [false; 12];
        for step in 0..20_000_u64 {
            let slot = random.below(12) as usize;
            match random.below(4) {
                0 => {
                    queue.move_to_tail(slot as Slot);
                    ranks[slot] = Some(step);
                    idle[slot] = false;
                }
                1 => {
                    if ranks[slot].is_some() && !idle[slot] {
                        idle[slot] = true;
                        queue.on_idle(slot as Slot);
                    }
                }
                2 => idle[slot] = false,
                _ => {
                    let oldest = queue.oldest(|slot| idle[slot as usize]);
                    let naive = (0..12).filter(|&s| idle[s]).min_by_key(|&s| ranks[s]);
                    assert_eq!(oldest, naive.map(|s| s as Slot), "step {step}");
                    if let Some(slot) = oldest {
                        queue.remove(slot);
                        ranks[slot as usize] = None;
                        idle[slot as usize] = false;
                    }
                }
            }
        }
    }
}
