//! A minimum heap whose entries may be outdated. Owns the order (key by `total_cmp`, then rank) and the
//! bookkeeping that tells outdated entries from valid ones; must never know what the ids stand for.
//!
//! Removing an id from the middle of a heap needs every id's position, to be kept up whenever entries
//! move. Here an id has a version instead: removing or re-keying it changes the version, and entries
//! that carry an older one are dropped when they come to the top. At most half of the entries (plus a
//! few) are outdated; then they are all thrown out at once, so every operation stays amortised O(log
//! n), and nothing is allocated once the heap has reached its size. Four children per entry instead of
//! two halve the levels, each of which is a cache miss.

/// Outdated entries that are tolerated however few valid ones there are.
const SLACK: usize = 64;
/// Children of an entry.
const ARITY: usize = 4;

#[derive(Clone, Copy, Debug)]
struct Entry {
    /// See [`ordered`].
    key: u64,
    rank: u64,
    id: u32,
    version: u32,
}

impl Entry {
    /// Key, then rank, as one number.
    #[inline]
    fn order(&self) -> u128 {
        u128::from(self.key) << 64 | u128::from(self.rank)
    }
}

/// A number that compares as the float does by `total_cmp`.
#[inline]
fn ordered(key: f64) -> u64 {
    let bits = key.to_bits();
    if bits >> 63 == 0 { bits | 1 << 63 } else { !bits }
}

/// The float that [`ordered`] was given.
#[inline]
fn from_ordered(ordered: u64) -> f64 {
    f64::from_bits(if ordered >> 63 == 1 { ordered & !(1 << 63) } else { !ordered })
}

/// The top of a [`Heap`].
#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) struct Top {
    pub id: u32,
    pub key: f64,
    pub rank: u64,
}

/// Small integers ordered by a key and a rank; each is in the heap at most once. Ids of equal key and
/// rank come in no particular order, so ranks should differ.
#[derive(Default, Debug)]
pub(super) struct Heap {
    entries: Vec<Entry>,
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
        self.entries.push(Entry { key: ordered(key), rank, id, version });
        self.sift_up(self.entries.len() - 1);
        if self.entries.len() > 2 * self.live + SLACK {
            self.throw_out();
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
        while let Some(entry) = self.entries.first() {
            if self.versions[entry.id as usize] == entry.version {
                return Some(Top { id: entry.id, key: from_ordered(entry.key), rank: entry.rank });
            }
            self.entries.swap_remove(0);
            self.sift_down(0);
        }
        None
    }

    /// Gives the id last returned by [`Heap::top`] another key and rank, not before the ones it had.
    pub fn rekey_top(&mut self, key: f64, rank: u64) {
        if let Some(top) = self.entries.first_mut() {
            top.key = ordered(key);
            top.rank = rank;
            self.sift_down(0);
        }
    }

    fn throw_out(&mut self) {
        let versions = &self.versions;
        self.entries.retain(|entry| versions[entry.id as usize] == entry.version);
        for at in (0..self.entries.len().div_ceil(ARITY)).rev() {
            self.sift_down(at);
        }
    }

    fn sift_up(&mut self, mut at: usize) {
        let moving = self.entries[at];
        while at > 0 {
            let parent = (at - 1) / ARITY;
            if self.entries[parent].order() <= moving.order() {
                break;
            }
            self.entries[at] = self.entries[parent];
            at = parent;
        }
        self.entries[at] = moving;
    }

    fn sift_down(&mut self, mut at: usize) {
        let Some(&moving) = self.entries.get(at) else { return };
        loop {
            let first = ARITY * at + 1;
            let children = first..(first + ARITY).min(self.entries.len());
            let Some(least) = children.min_by_key(|child| self.entries[*child].order()) else { break };
            if moving.order() <= self.entries[least].order() {
                break;
            }
            self.entries[at] = self.entries[least];
            at = least;
        }
        self.entries[at] = moving;
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
    fn floats_keep_their_order_as_numbers() {
        let floats = [f64::NEG_INFINITY, -1.5, -0.0, 0.0, 1e-300, 1.5, f64::INFINITY, f64::NAN];
        assert!(floats.windows(2).all(|pair| ordered(pair[0]) < ordered(pair[1])));
        assert!(floats.iter().all(|float| from_ordered(ordered(*float)).to_bits() == float.to_bits()));
    }

    #[test]
    fn comes_out_sorted() {
        let mut dice = crate::policy::testing::Dice::new(2);
        let mut heap = Heap::default();
        let mut keys = vec![None; 300];
        for step in 0..5_000 {
            let id = dice.below(300) as u32;
            let key = dice.below(50) as f64;
            keys[id as usize] = (dice.below(3) > 0).then_some((key, step));
            match keys[id as usize] {
                Some((key, rank)) => heap.push(id, key, rank),
                None => heap.remove(id),
            }
        }
        let mut expected: Vec<_> = (0..300).filter_map(|id| keys[id as usize].map(|key| (key, id))).collect();
        expected.sort_by(|a, b| a.partial_cmp(b).unwrap());
        for ((key, rank), id) in expected {
            assert_eq!(heap.top(), Some(Top { id, key, rank }));
            heap.remove(id);
        }
        assert_eq!(heap.top(), None);
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
