//! Activations under way by small numbers that are used again. Owns which numbers are free; both drivers hand them
//! out by this one rule, so that simultaneous facts have the same order in both. Must never know what an
//! activation is.

use std::ops::Index;

use crate::ids::ActivationId;

/// What is known of each activation under way. The number freed last is handed out first.
#[derive(Debug)]
pub struct UnderWay<T> {
    known: Vec<T>,
    unused: Vec<u32>,
    many: u64,
}

impl<T> Default for UnderWay<T> {
    fn default() -> UnderWay<T> {
        UnderWay { known: Vec::new(), unused: Vec::new(), many: 0 }
    }
}

impl<T: Copy> UnderWay<T> {
    /// One more; its number from now on.
    #[inline]
    pub fn insert(&mut self, activation: T) -> ActivationId {
        self.many += 1;
        match self.unused.pop() {
            Some(id) => {
                self.known[id as usize] = activation;
                ActivationId(id)
            }
            None => {
                self.known.push(activation);
                ActivationId((self.known.len() - 1) as u32)
            }
        }
    }

    /// It ended; its number may be used again.
    #[inline]
    pub fn remove(&mut self, activation: ActivationId) -> T {
        self.many -= 1;
        self.unused.push(activation.0);
        self.known[activation.ix()]
    }

    /// How many there are.
    #[inline]
    pub fn many(&self) -> u64 {
        self.many
    }
}

impl<T> Index<ActivationId> for UnderWay<T> {
    type Output = T;

    #[inline]
    fn index(&self, activation: ActivationId) -> &T {
        &self.known[activation.ix()]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_number_freed_last_is_used_first() {
        let mut under_way = UnderWay::default();
        let [a, b, c] = ["a", "b", "c"].map(|name| under_way.insert(name));
        assert_eq!([a, b, c].map(|id| id.0), [0, 1, 2]);
        assert_eq!(under_way.remove(a), "a");
        assert_eq!(under_way.remove(c), "c");
        assert_eq!(under_way.many(), 1);
        assert_eq!(
            [under_way.insert("d"), under_way.insert("e"), under_way.insert("f")].map(|id| id.0),
            [2, 0, 3]
        );
        assert_eq!(under_way[b], "b");
    }
}
