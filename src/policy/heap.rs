//! A minimum heap whose entries may be outdated. Owns the order (key by `total_cmp`, then rank, then
//! id) and the bookkeeping that tells outdated entries from valid ones; must never know what the ids
//! stand for.
//!
//! Removing an id from the middle of a binary heap needs every id's position and moves other entries
//! about. Here an id has a version instead: removing or re-keying it changes the version, and entries
//! that carry an older one are dropped when they come to the top. At most half of the entries (plus a
//! few) are outdated; then they are all thrown out at once, so every operation stays amortised
//! O(log n), and nothing is allocated once the heap has reached its size.

use std::cmp::Ordering;
use std::collections::BinaryHeap;

/// Outdated entries that are tolerated however few valid ones there are.
const SLACK: usize = 64;

#[derive(Clone, Copy, Debug)]
struct Entry {
    key: f64,
    rank: u64,
    id: u32,
    version: u32,
}

impl Ord for Entry {
    /// Reversed, because [`BinaryHeap`] has its greatest element on top.
    fn cmp(&self, other: &Entry) -> Ordering {
        other
            .key
            .total_cmp(&self.key)
            .then(other.rank.cmp(&self.rank))
            .then(other.id.cmp(&self.id))
            .then(other.version.cmp(&self.version))
    }
}

impl PartialOrd for Entry {
    fn partial_cmp(&self, other: &Entry) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Entry {
    fn eq(&self, other: &Entry) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Entry {}

/// The top of a [`Heap`].
#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) struct Top {
    pub id: u32,
    pub key: f64,
    pub rank: u64,
}

/// Small integers ordered by a key and a rank; each is in the heap at most once.
#[derive(Default, Debug)]
pub(super) struct Heap {
    entries: BinaryHeap<Entry>,
    /// Odd while the id is in the heap.
    versions: Vec<u32>,
    live: usize,
}

impl Heap {
    /// Whether the id is in the heap.
    #[inline]
    pub fn contains(&self, id: u32) -> bool {
        self.versions.get(id as usize).is_some_and(|version| version % 2 == 1)
    }

    /// Puts the id in, in place of its former entry if it has one.
    pub fn push(&mut self, id: u32, key: f64, rank: u64) {
        if self.versions.len() <= id as usize {
            self.versions.resize(id as usize + 1, 0);
        }
        let version = &mut self.versions[id as usize];
        if *version % 2 == 1 {
            *version = version.wrapping_add(2);
        } else {
            *version = version.wrapping_add(1);
            self.live += 1;
        }
        let version = *version;
        self.entries.push(Entry { key, rank, id, version });
        if self.entries.len() > 2 * self.live + SLACK {
            let versions = &self.versions;
            self.entries.retain(|entry| versions[entry.id as usize] == entry.version);
        }
    }

    /// Takes the id out, if it is in.
    pub fn remove(&mut self, id: u32) {
        if self.contains(id) {
            let version = &mut self.versions[id as usize];
            *version = version.wrapping_add(1);
            self.live -= 1;
        }
    }

    /// The id with the smallest key, among those the one with the smallest rank.
    pub fn top(&mut self) -> Option<Top> {
        while let Some(entry) = self.entries.peek() {
            if self.versions[entry.id as usize] == entry.version {
                return Some(Top { id: entry.id, key: entry.key, rank: entry.rank });
            }
            self.entries.pop();
        }
        None
    }

    /// Gives the id last returned by [`Heap::top`] another key and rank.
    pub fn rekey_top(&mut self, key: f64, rank: u64) {
        if let Some(mut top) = self.entries.peek_mut() {
            top.key = key;
            top.rank = rank;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn smallest_key_then_smallest_rank_then_nan() {
        let mut heap = Heap::default();
        for (id, key, rank) in
            [(0, f64::NAN, 0), (1, 2.0, 9), (2, 2.0, 3), (3, -1.0, 4), (4, f64::INFINITY, 1)]
        {
            heap.push(id, key, rank);
        }
        let mut order = Vec::new();
        while let Some(top) = heap.top() {
            order.push(top.id);
            heap.remove(top.id);
        }
        assert_eq!(order, [3, 2, 1, 4, 0]);
    }

    #[test]
    fn the_last_push_counts() {
        let mut heap = Heap::default();
        heap.push(7, 5.0, 0);
        heap.push(8, 4.0, 0);
        heap.push(7, 1.0, 0);
        assert_eq!(heap.top(), Some(Top { id: 7, key: 1.0, rank: 0 }));
        heap.rekey_top(9.0, 2);
        assert_eq!(heap.top(), Some(Top { id: 8, key: 4.0, rank: 0 }));
        heap.remove(8);
        assert_eq!(heap.top(), Some(Top { id: 7, key: 9.0, rank: 2 }));
        heap.remove(7);
        assert_eq!(heap.top(), None);
        assert!(!heap.contains(7));
    }

    #[test]
    fn outdated_entries_do_not_pile_up() {
        let mut heap = Heap::default();
        for round in 0..10_000_u32 {
            heap.push(round % 5, f64::from(round), 0);
            heap.remove((round + 2) % 5);
        }
        assert!(heap.entries.len() <= 2 * heap.live + SLACK);
    }
}
