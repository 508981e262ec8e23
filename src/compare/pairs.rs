//! Invocations of two runs matched by their number. Owns what counts as the same invocation and how agreement is
//! counted; must never match by anything else than the number.

use super::aggregate::{Part, distribution};
use super::figures::{Agreement, Distribution};
use super::side::{Class, Invocation};
use super::stats::{agreed, kappa};
use crate::time::Time;

/// How two sides served the same invocations, by their classes.
pub(super) type Matrix = [[u64; 4]; 4];

/// What was found of a pair of runs, or of many.
#[derive(Default)]
pub(super) struct Matching {
    pub matrix: Matrix,
    pub only_a: u64,
    pub only_b: u64,
    /// By function, where A's functions have the same numbers as B's.
    pub by_function: Vec<Matrix>,
    /// How far arrivals lie apart, in µs.
    apart: Vec<u64>,
}

/// The pairs of two runs, and what has no counterpart. Both are sorted by number.
pub(super) struct Pairs<'a> {
    a: std::iter::Peekable<std::slice::Iter<'a, Invocation>>,
    b: std::iter::Peekable<std::slice::Iter<'a, Invocation>>,
}

impl<'a> Pairs<'a> {
    pub fn new(a: Part<'a>, b: Part<'a>) -> Pairs<'a> {
        Pairs { a: a.iter().peekable(), b: b.iter().peekable() }
    }
}

impl<'a> Iterator for Pairs<'a> {
    type Item = (Option<&'a Invocation>, Option<&'a Invocation>);

    fn next(&mut self) -> Option<Self::Item> {
        match (self.a.peek(), self.b.peek()) {
            (None, None) => None,
            (Some(a), Some(b)) if a.number == b.number => Some((self.a.next(), self.b.next())),
            (Some(a), Some(b)) if a.number < b.number => Some((self.a.next(), None)),
            (Some(_), None) => Some((self.a.next(), None)),
            _ => Some((None, self.b.next())),
        }
    }
}

impl Matching {
    /// Counts one pair of runs. `function`: the number of a function of B in A's table.
    pub fn add(&mut self, a: Part<'_>, b: Part<'_>) {
        let mut first = None;
        for pair in Pairs::new(a, b) {
            match pair {
                (Some(a), Some(b)) => {
                    let (row, column) = (a.class as usize, b.class as usize);
                    self.matrix[row][column] += 1;
                    let function = a.function as usize;
                    if self.by_function.len() <= function {
                        self.by_function.resize(function + 1, Matrix::default());
                    }
                    self.by_function[function][row][column] += 1;
                    let (a0, b0) = *first.get_or_insert((a.arrival, b.arrival));
                    // Tables may have any order of times.
                    let gap = |at: Time, from: Time| i128::from(at.0) - i128::from(from.0);
                    let apart = (gap(a.arrival, a0) - gap(b.arrival, b0)).unsigned_abs();
                    self.apart.push(u64::try_from(apart).unwrap_or(u64::MAX));
                }
                (Some(_), None) => self.only_a += 1,
                _ => self.only_b += 1,
            }
        }
    }

    fn apart(&mut self) -> Option<Distribution> {
        self.apart.sort_unstable();
        distribution(&self.apart)
    }

    /// The figures. `within`: agreement among the runs of either side.
    pub fn figures(&mut self, within_a_pct: Option<f64>, within_b_pct: Option<f64>) -> Agreement {
        Agreement {
            matched: total(&self.matrix),
            only_a: self.only_a,
            only_b: self.only_b,
            matrix: self.matrix,
            pct: agreement_pct(&self.matrix),
            kappa: kappa(&self.matrix),
            within_a_pct,
            within_b_pct,
            arrivals_apart_ms: self.apart(),
        }
    }
}

pub(super) fn total(matrix: &Matrix) -> u64 {
    matrix.iter().flatten().sum()
}

/// Agreement in per cent of the matched.
pub(super) fn agreement_pct(matrix: &Matrix) -> Option<f64> {
    let total = total(matrix);
    (total > 0).then(|| 100.0 * agreed(matrix) as f64 / total as f64)
}

/// Agreement among all pairs of several runs of one side.
pub(super) fn within(parts: &[Part<'_>]) -> Option<f64> {
    let mut matching = Matching::default();
    for (nth, one) in parts.iter().enumerate() {
        for other in &parts[nth + 1..] {
            matching.add(one, other);
        }
    }
    agreement_pct(&matching.matrix)
}

// The matrix is indexed by class.
const _: () = assert!(Class::ALL.len() == 4 && Class::Warm as usize == 0 && Class::Unserved as usize == 3);
