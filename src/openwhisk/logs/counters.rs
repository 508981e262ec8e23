//! The line in which the FaasCache fork counts cold and warm starts, read (docs/specs/openwhisk.md §8.5). Must
//! never allocate: its maps grow with every action, and it is written for every start.

/// Counters since the pool began. Each start adds one to one of them, or to none if it was neither cold nor warm
/// (§8.2; what the fork counts twice is the invocations in its priorities, not these).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct CounterLine<'a> {
    /// Starts in the states `cold` and `recreated`.
    pub cold: u64,
    /// Starts in the state `warmed`.
    pub warm: u64,
    /// The same by action. `None`: the line is cut.
    pub maps: Option<[CounterMap<'a>; 2]>,
}

/// Counts by action, as text.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct CounterMap<'a>(&'a str);

/// Reads the message of the counter line; `None` if it is another one.
pub fn counter_line(message: &str) -> Option<CounterLine<'_>> {
    let rest = message.strip_prefix("cold hits: ")?;
    let (cold, rest) = rest.split_once(", warm hits:")?;
    let (warm, rest) = rest.split_once(',').unwrap_or((rest, ""));
    let (cold, warm) = (cold.trim().parse().ok()?, warm.trim().parse().ok()?);
    // The misprint is the fork's own.
    let maps = || {
        let (cold, warm) = rest.trim_start().strip_prefix("cold mapits: ")?.split_once(", warm map: ")?;
        Some([CounterMap::new(cold)?, CounterMap::new(warm)?])
    };
    Some(CounterLine { cold, warm, maps: maps() })
}

impl<'a> CounterMap<'a> {
    /// `Map(…)`, or `HashMap(…)` as newer Scala writes larger ones; whole, and every entry readable.
    fn new(text: &'a str) -> Option<CounterMap<'a>> {
        let (_, inside) = text.trim().strip_suffix(')')?.split_once('(')?;
        let map = CounterMap(inside);
        map.parts().all(|part| entry(part).is_some()).then_some(map)
    }

    fn parts(self) -> impl Iterator<Item = &'a str> {
        self.0.split(", ").filter(|part| !part.is_empty())
    }

    /// Actions as `namespace/[package/]name`, without version, and their counts; in no order. Versions of one action
    /// are entries of their own.
    pub fn entries(self) -> impl Iterator<Item = (&'a str, u64)> {
        self.parts().filter_map(|part| entry(part).map(|(key, count)| (action(key), count)))
    }

    /// The same with the keys as they are written, which are unique.
    pub fn keys(self) -> impl Iterator<Item = (&'a str, u64)> {
        self.parts().filter_map(entry)
    }
}

/// `ExecutableWhiskAction/alftest/hello@0.0.1 -> 2`.
fn entry(part: &str) -> Option<(&str, u64)> {
    let (key, count) = part.rsplit_once(" -> ")?;
    Some((key, count.parse().ok()?))
}

/// `alftest/hello` of `ExecutableWhiskAction/alftest/hello@0.0.1`.
pub fn action(key: &str) -> &str {
    let path = key.split_once('/').map_or(key, |(_, path)| path);
    path.rsplit_once('@').map_or(path, |(path, _)| path)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::openwhisk::logs::faascache_counter_message;

    #[test]
    fn what_is_written_reads_back() {
        let cold = [("alftest/hello@0.0.1".to_owned(), 2), ("alftest/pkg/a b@0.0.12".to_owned(), 1)];
        let message = faascache_counter_message(3, 5, &cold, &[]);
        let line = counter_line(&message).expect("a counter line");
        assert_eq!((line.cold, line.warm), (3, 5));
        let [cold, warm] = line.maps.expect("whole");
        assert_eq!(cold.entries().collect::<Vec<_>>(), [("alftest/hello", 2), ("alftest/pkg/a b", 1)]);
        assert_eq!(warm.entries().count(), 0);
    }

    #[test]
    fn cut_lines_tell_what_they_can() {
        let message = faascache_counter_message(12, 345, &[("a/b@0.0.1".to_owned(), 12)], &[]);
        let line = counter_line(&message[..60]).expect("the counters are there");
        assert_eq!((line.cold, line.warm, line.maps), (12, 345, None));
        let counts = counter_line("cold hits: 1, warm hits:0").expect("without maps");
        assert_eq!((counts.cold, counts.warm, counts.maps), (1, 0, None));
        for other in ["cold hits: x, warm hits:1", "warm hits:1", "cold hits: 1"] {
            assert_eq!(counter_line(other), None, "{other}");
        }
    }

    #[test]
    fn newer_scala_names_its_maps_otherwise() {
        let line =
            counter_line("cold hits: 1, warm hits:0, cold mapits: HashMap(E/a/b@1 -> 1), warm map: Map()");
        let [cold, _] = line.and_then(|line| line.maps).expect("whole");
        assert_eq!(cold.keys().collect::<Vec<_>>(), [("E/a/b@1", 1)]);
    }
}
