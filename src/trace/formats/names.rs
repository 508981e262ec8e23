//! Short names for what a data set tells apart by several keys. Must never give two things one name.

use std::collections::{HashMap, HashSet};

/// A name for each list of keys, the most telling key first: that alone where it is unique, else with
/// the next one before it and a slash between, and so on; a number at the end where even that is not enough.
pub(super) fn unique_names<'a, const KEYS: usize>(
    things: impl Iterator<Item = [&'a str; KEYS]>,
) -> Vec<String> {
    let things: Vec<[&str; KEYS]> = things.collect();
    let mut names: Vec<String> = things.iter().map(|keys| keys[0].to_owned()).collect();
    for key in 1..KEYS {
        let mut seen: HashMap<String, u32> = HashMap::with_capacity(names.len());
        for name in &names {
            *seen.entry(name.clone()).or_default() += 1;
        }
        for (name, keys) in names.iter_mut().zip(&things) {
            if seen[name.as_str()] > 1 {
                *name = format!("{}/{name}", keys[key]);
            }
        }
    }
    // Keys that contain a slash themselves may still meet.
    let mut seen: HashSet<String> = HashSet::with_capacity(names.len());
    for name in &mut names {
        let mut nth = 1;
        let mut candidate = name.clone();
        while !seen.insert(candidate.clone()) {
            nth += 1;
            candidate = format!("{name}#{nth}");
        }
        *name = candidate;
    }
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_as_short_as_they_can_be() {
        let things = [["f", "a", "o"], ["g", "a", "o"], ["g", "b", "o"], ["h", "a", "o"], ["h", "a", "p"]];
        let names = unique_names(things.into_iter());
        assert_eq!(names, ["f", "a/g", "b/g", "o/a/h", "p/a/h"]);
        let names = unique_names([["g", "a"], ["g", "b"], ["a/g", "x"]].into_iter());
        assert_eq!(names, ["a/g", "b/g", "a/g#2"]);
    }
}
