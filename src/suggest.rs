//! "Did you mean …?": the nearest of a set of known names. Owns what counts as near; must never guess
//! when nothing is.

/// The candidate most likely meant by `name`, if any is near enough.
///
/// Case, `_` and blanks (written for `-`) do not count. Near is: at most a third of the letters
/// differ (insertions, deletions, replacements and swaps of neighbours); failing that, `name` is a
/// part of at least three letters. The nearest wins, then the shortest, then the first.
///
/// ```
/// use faassim::suggest::suggest;
/// assert_eq!(suggest("GreedyDual", ["lru", "greedy-dual"]), Some("greedy-dual"));
/// assert_eq!(suggest("histogram", ["fixed", "hybrid-histogram"]), Some("hybrid-histogram"));
/// assert_eq!(suggest("banana", ["lru", "greedy-dual"]), None);
/// ```
pub fn suggest<'a>(name: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let wanted = fold(name);
    let letters = wanted.chars().count();
    candidates
        .into_iter()
        .filter_map(|candidate| {
            let folded = fold(candidate);
            let distance = strsim::osa_distance(&wanted, &folded);
            let near = distance <= (letters / 3).max(1) && distance < folded.chars().count();
            let part = letters >= 3 && folded.contains(&wanted);
            (near || part).then_some(((!near, if near { distance } else { folded.len() }), candidate))
        })
        .min_by_key(|(rank, _)| *rank)
        .map(|(_, candidate)| candidate)
}

fn fold(name: &str) -> String {
    name.trim().to_lowercase().replace(['_', ' '], "-")
}

#[cfg(test)]
mod tests {
    use super::*;

    const NAMES: [&str; 6] = ["lru", "lfu", "greedy-dual", "gdsf", "s3-fifo", "fifo"];

    #[test]
    fn finds_what_was_meant() {
        for (written, meant) in [
            ("LRU", "lru"),
            ("greedydual", "greedy-dual"),
            ("greedy_dual", "greedy-dual"),
            ("gredy-daul", "greedy-dual"),
            ("greedy", "greedy-dual"),
            ("s3fifo", "s3-fifo"),
            ("fifi", "fifo"),
            ("gdfs", "gdsf"),
        ] {
            assert_eq!(suggest(written, NAMES), Some(meant), "{written}");
        }
    }

    #[test]
    fn says_nothing_rather_than_nonsense() {
        for written in ["", "x", "banana", "hybrid-histogram"] {
            assert_eq!(suggest(written, NAMES), None, "{written}");
        }
    }

    #[test]
    fn of_equally_near_ones_the_first() {
        assert_eq!(suggest("lxu", NAMES), Some("lru"));
        assert_eq!(suggest("any", []), None);
    }
}
