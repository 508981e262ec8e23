//! Whole comparisons of small sides, by hand.
