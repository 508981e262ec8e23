//! The container pool as the published simulator keeps it: a binary heap in an array, lowest priority first.
//!
//! The layout of the array is part of the result, because it decides between equal priorities; every operation must
//! leave exactly the array that §1 prescribes. It knows nothing of functions, memory or time.

/// Priorities by heap position, with the container slot at each position and the position of each slot.
///
/// A parent below both its children is *settled*: sinking it changes nothing. `suspects` has a bit for every position
/// that may be unsettled, so that [`Heap::heapify`] visits those only: with thousands of containers, an invocation
/// that rebuilds the heap three times costs about a twentieth of what three full passes cost.
#[derive(Default)]
pub(super) struct Heap {
    priorities: Vec<f64>,
    slots: Vec<u32>,
    positions: Vec<u32>,
    suspects: Vec<u64>,
}

impl Heap {
    pub(super) fn len(&self) -> usize {
        self.slots.len()
    }

    /// Where a slot of the pool is in the heap array.
    pub(super) fn position(&self, slot: u32) -> u32 {
        self.positions[slot as usize]
    }

    pub(super) fn priority(&self, slot: u32) -> f64 {
        self.priorities[self.position(slot) as usize]
    }

    /// Priorities and slots in array order.
    pub(super) fn iter(&self) -> impl Iterator<Item = (f64, u32)> {
        self.priorities.iter().copied().zip(self.slots.iter().copied())
    }

    /// Overwrites the priority of a slot in its place; the caller owes a [`Heap::heapify`].
    pub(super) fn write(&mut self, slot: u32, priority: f64) {
        let position = self.position(slot) as usize;
        self.priorities[position] = priority;
        self.suspect(position);
    }

    /// Overwrites every priority in its place; the caller owes a [`Heap::heapify`].
    pub(super) fn update(&mut self, new: impl Fn(f64, u32) -> f64) {
        for (priority, &slot) in self.priorities.iter_mut().zip(&self.slots) {
            *priority = new(*priority, slot);
        }
        self.suspects.fill(u64::MAX);
    }

    /// Restores the heap order: sinks every parent, from the last to the first (§1.3), skipping settled ones.
    /// Not idempotent: equal priorities change places.
    pub(super) fn heapify(&mut self) {
        let parents = self.len() / 2;
        for word in (0..parents.div_ceil(64)).rev() {
            // Sinking marks positions before and behind; only those before come still up in this pass.
            let mut ahead = mask_below(parents - 64 * word);
            while self.suspects[word] & ahead != 0 {
                let bit = (self.suspects[word] & ahead).ilog2();
                ahead = mask_below(bit as usize);
                self.suspects[word] &= !(1 << bit);
                let position = 64 * word + bit as usize;
                if !self.settled(position) {
                    self.sink(position);
                }
            }
        }
    }

    /// Adds a slot (§1.4).
    pub(super) fn push(&mut self, priority: f64, slot: u32) {
        let mut position = self.len();
        self.priorities.push(priority);
        self.slots.push(slot);
        if self.positions.len() <= slot as usize {
            self.positions.resize(slot as usize + 1, 0);
        }
        self.suspects.resize(self.suspects.len().max(self.len().div_ceil(64)), 0);
        while position > 0 {
            let parent = (position - 1) / 2;
            let above = self.priorities[parent];
            if priority < above {
                self.place(position, above, self.slots[parent]);
                position = parent;
            } else {
                break;
            }
        }
        self.place(position, priority, slot);
    }

    /// Takes off the lowest priority (§1.5).
    pub(super) fn pop(&mut self) -> Option<(f64, u32)> {
        let last = (self.priorities.pop()?, self.slots.pop()?);
        if self.slots.is_empty() {
            return Some(last);
        }
        let top = (self.priorities[0], self.slots[0]);
        self.place(0, last.0, last.1);
        self.sink(0);
        Some(top)
    }

    /// Deletes a slot wherever it is, closes the gap by shifting, and restores the heap order (§1.6).
    pub(super) fn remove(&mut self, slot: u32) {
        let position = self.position(slot) as usize;
        self.priorities.remove(position);
        self.slots.remove(position);
        for (shifted, &slot) in (position..).zip(&self.slots[position..]) {
            self.positions[slot as usize] = shifted as u32;
        }
        self.suspects[position.saturating_sub(1) / 2 / 64..].fill(u64::MAX);
        self.heapify();
    }

    /// Moves the element at `start` down into the heaps below it (§1.2).
    ///
    /// §1.2 carries it down the path of smaller children to a leaf and lifts it again past strictly larger ones. As
    /// both subtrees are heaps already, that path never decreases, and stopping before the first strictly larger
    /// child leaves the same array.
    fn sink(&mut self, start: usize) {
        let (priority, slot) = (self.priorities[start], self.slots[start]);
        let mut position = start;
        loop {
            let left = 2 * position + 1;
            if left >= self.len() {
                break;
            }
            let right = left + 1;
            let takes_right = right < self.len() && self.priorities[left] >= self.priorities[right];
            let child = if takes_right { right } else { left };
            let below = self.priorities[child];
            if priority < below {
                break;
            }
            self.place(position, below, self.slots[child]);
            position = child;
        }
        self.place(position, priority, slot);
    }

    fn place(&mut self, position: usize, priority: f64, slot: u32) {
        self.priorities[position] = priority;
        self.slots[position] = slot;
        self.positions[slot as usize] = position as u32;
        self.suspect(position);
    }

    /// Whether a parent is below its child or children.
    fn settled(&self, parent: usize) -> bool {
        let left = 2 * parent + 1;
        let right = (left + 1).min(self.len() - 1);
        let priority = self.priorities[parent];
        priority < self.priorities[left] && priority < self.priorities[right]
    }

    /// Marks a position whose priority has changed, and the parent it is compared with.
    fn suspect(&mut self, position: usize) {
        for position in [position, position.saturating_sub(1) / 2] {
            self.suspects[position / 64] |= 1 << (position % 64);
        }
    }
}

/// The bits before a bit number; all 64 for any number from 64.
fn mask_below(bit: usize) -> u64 {
    if bit < 64 { (1 << bit) - 1 } else { u64::MAX }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// §1 to the letter, without any shortcut.
    #[derive(Default)]
    struct Literal(Vec<(f64, u32)>);

    impl Literal {
        fn rise(&mut self, start: usize, mut position: usize) {
            let x = self.0[position];
            while position > start {
                let parent = (position - 1) / 2;
                if x.0 < self.0[parent].0 {
                    self.0[position] = self.0[parent];
                    position = parent;
                } else {
                    break;
                }
            }
            self.0[position] = x;
        }

        fn sink(&mut self, start: usize) {
            let x = self.0[start];
            let mut position = start;
            while 2 * position + 1 < self.0.len() {
                let mut child = 2 * position + 1;
                let right = child + 1;
                if right < self.0.len() && self.0[child].0 >= self.0[right].0 {
                    child = right;
                }
                self.0[position] = self.0[child];
                position = child;
            }
            self.0[position] = x;
            self.rise(start, position);
        }

        fn heapify(&mut self) {
            (0..self.0.len() / 2).rev().for_each(|position| self.sink(position));
        }

        fn push(&mut self, priority: f64, slot: u32) {
            self.0.push((priority, slot));
            self.rise(0, self.0.len() - 1);
        }

        fn pop(&mut self) -> Option<(f64, u32)> {
            let last = self.0.pop()?;
            if self.0.is_empty() {
                return Some(last);
            }
            let top = std::mem::replace(&mut self.0[0], last);
            self.sink(0);
            Some(top)
        }

        fn remove(&mut self, slot: u32) {
            self.0.retain(|entry| entry.1 != slot);
            self.heapify();
        }

        fn write(&mut self, slot: u32, priority: f64) {
            self.0.iter_mut().filter(|entry| entry.1 == slot).for_each(|entry| entry.0 = priority);
        }
    }

    fn heap_of(priorities: &[f64]) -> Heap {
        let mut heap = Heap::default();
        for (slot, &priority) in (0..).zip(priorities) {
            heap.push(priority, slot);
        }
        heap
    }

    #[test]
    fn heapify_takes_the_right_one_of_equal_children() {
        let mut heap = heap_of(&[5.0, 5.0, 5.0]);
        heap.heapify();
        assert_eq!(heap.slots, [2, 1, 0]);
    }

    #[test]
    fn heapify_of_a_heap_permutes_equals() {
        let mut heap = heap_of(&[1.0, 1.0]);
        heap.heapify();
        assert_eq!(heap.slots, [1, 0]);
        heap.heapify();
        assert_eq!(heap.slots, [0, 1]);
    }

    #[test]
    fn heapify_leaves_distinct_priorities_of_a_heap_alone() {
        let mut heap = heap_of(&[1.0, 2.0, 3.0, 4.0, 5.0, 6.0]);
        heap.heapify();
        assert_eq!(heap.slots, [0, 1, 2, 3, 4, 5]);
    }

    #[test]
    fn push_does_not_pass_an_equal_parent() {
        let mut heap = heap_of(&[2.0, 2.0, 1.0]);
        assert_eq!(heap.slots, [2, 1, 0]);
        assert_eq!(heap.pop(), Some((1.0, 2)));
        assert_eq!(heap.slots, [1, 0], "the last element went to the top and down past its equal");
    }

    #[test]
    fn remove_shifts_before_it_heapifies() {
        let mut heap = heap_of(&[1.0, 2.0, 3.0, 4.0]);
        heap.remove(0);
        assert_eq!(heap.slots, [1, 2, 3]);
        assert_eq!((heap.position(3), heap.priority(3)), (2, 4.0));
    }

    #[test]
    fn every_operation_leaves_the_array_of_the_literal_rules() {
        let mut state = 1_u64;
        let mut draw = |bound: u64| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 33) % bound
        };
        let (mut heap, mut literal) = (Heap::default(), Literal::default());
        let mut unused: Vec<u32> = (0..200).rev().collect();
        for _ in 0..40_000 {
            let operation = draw(10);
            let some = (heap.len() > 0).then(|| heap.slots[draw(heap.len().max(1) as u64) as usize]);
            let priority = draw(12) as f64;
            match (operation, some) {
                (0..=2, _) | (_, None) => {
                    if let Some(slot) = unused.pop() {
                        heap.push(priority, slot);
                        literal.push(priority, slot);
                    }
                }
                (3, _) => {
                    let popped = heap.pop();
                    assert_eq!(popped, literal.pop());
                    unused.extend(popped.map(|(_, slot)| slot));
                }
                (4, Some(slot)) => {
                    heap.remove(slot);
                    literal.remove(slot);
                    unused.push(slot);
                }
                (5..=7, Some(slot)) => {
                    let factor = if operation == 7 { 0.5 } else { 1.0 };
                    for (slot, value) in [(slot, priority), (heap.slots[0], priority * factor)] {
                        heap.write(slot, value);
                        literal.write(slot, value);
                    }
                    heap.heapify();
                    literal.heapify();
                }
                _ => {
                    heap.heapify();
                    literal.heapify();
                }
            }
            assert_eq!(heap.iter().collect::<Vec<_>>(), literal.0);
            assert!(heap.slots.iter().enumerate().all(|(at, &slot)| heap.position(slot) as usize == at));
        }
    }
}
