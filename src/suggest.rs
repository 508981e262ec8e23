//! The nearest of several known names to a misspelt one. Owns what counts as near; must never decide
//! what is right: a suggestion is only ever shown.

/// The candidate most like `name`, if one is near enough to be worth showing. Case and the difference
/// between `_`, `-` and a blank do not count; at most a third of the letters may differ.
///
/// Of several equally near candidates the first one wins.
pub fn nearest<'a>(name: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let wanted = plain(name);
    let allowed = (wanted.chars().count() / 3).max(1);
    candidates
        .into_iter()
        .map(|candidate| (strsim::damerau_levenshtein(&wanted, &plain(candidate)), candidate))
        .filter(|(distance, candidate)| *distance <= allowed && *distance < candidate.chars().count())
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// `name` without what people vary.
fn plain(name: &str) -> String {
    name.to_lowercase().replace(['_', ' '], "-")
}

#[cfg(test)]
mod tests {
    use super::*;

    const NAMES: [&str; 5] = ["lru", "lfu", "greedy-dual", "hybrid-histogram", "s3-fifo"];

    #[test]
    fn finds_what_was_meant() {
        for (written, meant) in [
            ("greedydual", "greedy-dual"),
            ("Greedy_Dual", "greedy-dual"),
            ("LRU", "lru"),
            ("lur", "lru"),
            ("s3fifo", "s3-fifo"),
            ("hybrid-histogramm", "hybrid-histogram"),
        ] {
            assert_eq!(nearest(written, NAMES), Some(meant), "{written}");
        }
    }

    #[test]
    fn shows_nothing_rather_than_something_odd() {
        for written in ["", "x", "belady", "random"] {
            assert_eq!(nearest(written, NAMES), None, "{written}");
        }
    }

    #[test]
    fn the_first_of_equals_wins() {
        assert_eq!(nearest("lxu", NAMES), Some("lru"));
    }
}
