//! Reuse distances: how much memory lies between two uses of the same thing. Owns their computation and the
//! distribution they make up; must never know what a pool does with them.
//!
//! The reuse distance of an access is the memory of all *different* objects that were accessed since the same
//! object was accessed last (Mattson et al. 1970 for pages of one size; FaasCache, ASPLOS'21, §5, for
//! functions). It is found in O(log n) by Olken's method (1981): every object holds one place in the order of
//! last accesses, a Fenwick tree (1994) sums the memory behind a place. Places are numbered anew whenever
//! they run out, so that memory grows with the objects and not with the accesses.

use std::collections::BTreeMap;

/// Sums of memory over the places of a line.
#[derive(Debug, Default)]
struct Fenwick {
    sums: Vec<u64>,
}

impl Fenwick {
    fn of_length(length: usize) -> Fenwick {
        Fenwick { sums: vec![0; length + 1] }
    }

    /// Adds at a place. What is taken away is added as its two's complement: the sums are right again as a
    /// whole.
    fn add(&mut self, place: usize, mib: u64) {
        let mut at = place + 1;
        while at < self.sums.len() {
            self.sums[at] = self.sums[at].wrapping_add(mib);
            at += at & at.wrapping_neg();
        }
    }

    /// The sum up to a place, that one included.
    fn up_to(&self, place: usize) -> u64 {
        let (mut at, mut sum) = (place + 1, 0_u64);
        while at > 0 {
            sum = sum.wrapping_add(self.sums[at]);
            at -= at & at.wrapping_neg();
        }
        sum
    }
}

/// An object that was not accessed yet.
const NEVER: usize = usize::MAX;
/// Places there are at least.
const PLACES: usize = 1_024;

/// The reuse distances of a row of accesses.
#[derive(Debug, Default)]
pub struct Distances {
    tree: Fenwick,
    /// Place of each object's last access, and its memory.
    last: Vec<(usize, u64)>,
    next: usize,
    total: u64,
    live: usize,
}

impl Distances {
    /// Nothing was accessed yet.
    pub fn new() -> Distances {
        Distances::default()
    }

    /// Accesses an object of so many MiB (always the same for one object). Its reuse distance in MiB, its own
    /// memory *not* included; `None` if it is accessed for the first time.
    pub fn access(&mut self, object: usize, mib: u64) -> Option<u64> {
        if object >= self.last.len() {
            self.last.resize(object + 1, (NEVER, 0));
        }
        if self.next + 1 >= self.tree.sums.len() {
            self.renumber();
        }
        let (place, _) = self.last[object];
        let distance = (place != NEVER).then(|| {
            // What was accessed later than the object itself.
            let later = self.total.wrapping_sub(self.tree.up_to(place));
            self.tree.add(place, mib.wrapping_neg());
            later
        });
        if distance.is_none() {
            self.total = self.total.wrapping_add(mib);
            self.live += 1;
        }
        self.tree.add(self.next, mib);
        self.last[object] = (self.next, mib);
        self.next += 1;
        distance
    }

    /// Gives the objects the first places, in the order they have.
    fn renumber(&mut self) {
        let mut order: Vec<usize> = (0..self.last.len()).filter(|ix| self.last[*ix].0 != NEVER).collect();
        order.sort_unstable_by_key(|ix| self.last[*ix].0);
        self.tree = Fenwick::of_length((2 * self.live).max(PLACES));
        for (place, object) in order.iter().enumerate() {
            self.last[*object].0 = place;
            self.tree.add(place, self.last[*object].1);
        }
        self.next = order.len();
    }
}

/// How many accesses would be hits with how much memory.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Hits {
    /// Accesses by the memory in MiB that makes them hits.
    by_need: BTreeMap<u64, u64>,
    /// Those that are hits with enough memory.
    hits: u64,
    /// All that count.
    accesses: u64,
}

impl Hits {
    /// Counts an access that is a hit from `need` MiB on.
    pub fn hit(&mut self, need: u64) {
        *self.by_need.entry(need).or_insert(0) += 1;
        self.hits += 1;
        self.accesses += 1;
    }

    /// Counts an access that never is a hit.
    pub fn miss(&mut self) {
        self.accesses += 1;
    }

    /// All that were counted.
    pub fn accesses(&self) -> u64 {
        self.accesses
    }

    /// Those that are hits with enough memory.
    pub fn hits(&self) -> u64 {
        self.hits
    }

    /// How many are hits with each of these amounts in MiB, which ascend.
    pub fn at(&self, memories: &[u64]) -> Vec<u64> {
        let mut needs = self.by_need.iter().peekable();
        let mut sum = 0;
        memories
            .iter()
            .map(|memory| {
                while let Some((_, count)) = needs.next_if(|(need, _)| *need <= memory) {
                    sum += count;
                }
                sum
            })
            .collect()
    }

    /// The least memory in MiB with which at least so many are hits; `None` if there never are.
    pub fn least(&self, hits: u64) -> Option<u64> {
        let mut sum = 0;
        self.by_need.iter().find_map(|(need, count)| {
            sum += count;
            (sum >= hits).then_some(*need)
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// By looking at everything in between.
    fn naive(accesses: &[usize], mib: impl Fn(usize) -> u64) -> Vec<Option<u64>> {
        let distance = |at: usize| {
            let before = accesses[..at].iter().rposition(|other| *other == accesses[at])?;
            let mut between = accesses[before + 1..at].to_vec();
            between.sort_unstable();
            between.dedup();
            Some(between.into_iter().map(&mib).sum())
        };
        (0..accesses.len()).map(distance).collect()
    }

    fn sizes(object: usize) -> u64 {
        [128, 1, 700, 0, 4_096, 33][object % 6] + object as u64
    }

    proptest! {
        #![proptest_config(ProptestConfig {
            cases: 200,
            failure_persistence: None,
            ..ProptestConfig::default()
        })]

        #[test]
        fn distances_are_those_of_the_naive_way(accesses in prop::collection::vec(0_usize..40, 0..400)) {
            let mut distances = Distances::new();
            let distance = |object: &usize| distances.access(*object, sizes(*object));
            let found: Vec<_> = accesses.iter().map(distance).collect();
            prop_assert_eq!(found, naive(&accesses, sizes));
        }
    }

    #[test]
    fn places_are_numbered_anew_without_harm() {
        // Many more accesses than places, and at the end more objects than places were at first.
        let accesses: Vec<usize> =
            (0..9_000).map(|nth| if nth < 5_000 { nth * nth % 37 } else { nth * 7_919 % 1_600 }).collect();
        let mut distances = Distances::new();
        let found: Vec<_> = accesses.iter().map(|object| distances.access(*object, sizes(*object))).collect();
        assert!(found == naive(&accesses, sizes));
    }

    #[test]
    fn hits_are_counted_from_the_memory_they_need() {
        let mut hits = Hits::default();
        [30, 10, 30].into_iter().for_each(|need| hits.hit(need));
        hits.miss();
        assert_eq!(hits.accesses(), 4);
        assert_eq!(hits.at(&[9, 10, 29, 30, 99]), [0, 1, 1, 3, 3]);
        assert_eq!((hits.least(1), hits.least(2), hits.least(4)), (Some(10), Some(30), None));
    }
}
