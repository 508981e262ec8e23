//! The points of a grid by number: every combination of the values of its axes, the first axis slowest. Must never
//! know what a value means.

/// How many values each axis has.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Grid {
    lengths: Vec<usize>,
}

impl Grid {
    /// Of axes with so many values each.
    pub fn new(lengths: Vec<usize>) -> Grid {
        Grid { lengths }
    }

    /// How many points there are.
    pub fn len(&self) -> usize {
        self.lengths.iter().product()
    }

    /// Whether there are none, which is so if an axis has no values.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Which value each axis has at a point; points are numbered from 0.
    pub fn places(&self, point: usize) -> Vec<usize> {
        let mut rest = point;
        let mut places = vec![0; self.lengths.len()];
        for (place, length) in places.iter_mut().zip(&self.lengths).rev() {
            *place = rest % length;
            rest /= length;
        }
        places
    }

    /// At most about `most` points that give an idea of all: the longest axis is thinned, down to its ends and a value
    /// between, then the next longest, until the points are so few or nothing is left to thin.
    pub fn thinned(&self, most: usize) -> Vec<usize> {
        const LEAST: usize = 3;
        let mut kept = self.lengths.clone();
        let mut longest: Vec<usize> = (0..kept.len()).collect();
        longest.sort_by_key(|axis| std::cmp::Reverse(kept[*axis]));
        for axis in longest {
            while kept.iter().product::<usize>() > most && kept[axis] > LEAST {
                kept[axis] -= 1;
            }
        }
        let is_kept = |(place, (length, kept)): (usize, (&usize, &usize))| {
            // The k-th of `kept` evenly spaced places.
            *kept == *length
                || (0..*kept).any(|k| (k * (length - 1) + (kept - 1) / 2) / (kept - 1).max(1) == place)
        };
        (0..self.len())
            .filter(|point| self.places(*point).into_iter().zip(self.lengths.iter().zip(&kept)).all(is_kept))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_axis_is_the_slowest() {
        let grid = Grid::new(vec![2, 3]);
        let points: Vec<Vec<usize>> = (0..grid.len()).map(|point| grid.places(point)).collect();
        assert_eq!(points, [[0, 0], [0, 1], [0, 2], [1, 0], [1, 1], [1, 2]]);
    }

    #[test]
    fn thinning_keeps_the_ends() {
        let grid = Grid::new(vec![7, 40]);
        let kept = grid.thinned(28);
        let places: Vec<usize> = kept.iter().filter(|point| **point < 40).copied().collect();
        assert_eq!(places, [0, 13, 26, 39]);
        assert_eq!(kept.len(), 28);
        assert_eq!(Grid::new(vec![3]).thinned(28), [0, 1, 2]);
        assert_eq!(Grid::new(vec![2; 6]).thinned(28).len(), 64, "nothing is left to thin");
    }
}
