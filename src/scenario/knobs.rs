//! The rules as keys of a scenario: one line per knob drives reading, documentation and `faassim
//! policies --rules`. Owns names and wording; what a knob does belongs to `pool::rules`.

use super::section::Flaw;
use super::tree::{Node, Raw};
use super::values;
use crate::pool::rules::{EvictionAmount, LeaseFrom, Reuse, Rules, Times, WhenFull};
use crate::time::Span;

/// One knob of [`Rules`].
#[derive(Debug)]
pub struct Knob {
    /// As written under `[rules]`.
    pub name: &'static str,
    /// A value as it may be written, in TOML.
    pub example: &'static str,
    /// One line: meaning.
    pub what: &'static str,
    /// Where the rule comes from.
    pub source: &'static str,
    access: Access,
}

/// Where a knob is in [`Rules`], and what it may be.
#[derive(Debug)]
enum Access {
    Flag(fn(&mut Rules) -> &mut bool),
    /// At least this much.
    Count(u32, fn(&mut Rules) -> &mut u32),
    /// At least 1, or `unlimited`.
    Capacity(fn(&mut Rules) -> &mut Option<u32>),
    Span(fn(&mut Rules) -> &mut Span),
    /// Longer than none.
    Period(fn(&mut Rules) -> &mut Span),
    /// Or `never`.
    Grace(fn(&mut Rules) -> &mut Option<Span>),
    /// One of the words; the functions read and write its place among them.
    Word(&'static [&'static str], fn(&Rules) -> usize, fn(&mut Rules, usize)),
}

impl Knob {
    /// What may be written, for the documentation.
    pub fn values(&self) -> String {
        match &self.access {
            Access::Flag(_) => "true | false".to_owned(),
            Access::Count(least, _) => format!("a count from {least}"),
            Access::Capacity(_) => "a count from 1 | \"unlimited\"".to_owned(),
            Access::Span(_) => "a span of time".to_owned(),
            Access::Period(_) => "a span of time above 0".to_owned(),
            Access::Grace(_) => "a span of time | \"never\"".to_owned(),
            Access::Word(words, ..) => {
                words.iter().map(|word| format!("\"{word}\"")).collect::<Vec<_>>().join(" | ")
            }
        }
    }

    /// Its value in `rules`, as it would be written (without quotes).
    pub fn show(&self, rules: &Rules) -> String {
        // The accessors want `&mut`, so that there is one per knob and not two.
        let mut rules = rules.clone();
        match &self.access {
            Access::Flag(at) => at(&mut rules).to_string(),
            Access::Count(_, at) => at(&mut rules).to_string(),
            Access::Capacity(at) => at(&mut rules).map_or("unlimited".to_owned(), |count| count.to_string()),
            Access::Span(at) | Access::Period(at) => at(&mut rules).to_string(),
            Access::Grace(at) => at(&mut rules).map_or("never".to_owned(), |span| span.to_string()),
            Access::Word(words, place, _) => words[place(&rules)].to_owned(),
        }
    }

    /// Sets it as written.
    pub(super) fn set(&self, rules: &mut Rules, node: &Node) -> Result<(), Flaw> {
        let is = |word: &str| matches!(&node.raw, Raw::Text(text) if text == word);
        match &self.access {
            Access::Flag(at) => *at(rules) = values::flag(node)?,
            Access::Count(least, at) => *at(rules) = values::count(node, *least)?,
            Access::Capacity(at) if is("unlimited") => *at(rules) = None,
            Access::Capacity(at) => {
                *at(rules) = Some(values::count(node, 1).map_err(|flaw| flaw.help("or \"unlimited\""))?);
            }
            Access::Span(at) => *at(rules) = values::span(node)?,
            Access::Period(at) => *at(rules) = values::positive_span(node)?,
            Access::Grace(at) if is("never") || is("forever") => *at(rules) = None,
            Access::Grace(at) => *at(rules) = Some(values::span(node)?),
            Access::Word(words, _, choose) => {
                let place = values::word(node, words)?;
                choose(rules, place);
            }
        }
        Ok(())
    }
}

/// The knobs in which two sets of rules differ, with the value in `rules`.
pub fn differences(rules: &Rules, preset: &Rules) -> Vec<(&'static str, String)> {
    KNOBS
        .iter()
        .map(|knob| (knob.name, knob.show(rules), knob.show(preset)))
        .filter(|(_, value, usual)| value != usual)
        .map(|(name, value, _)| (name, value))
        .collect()
}

const fn knob(
    name: &'static str,
    example: &'static str,
    what: &'static str,
    source: &'static str,
    access: Access,
) -> Knob {
    Knob { name, example, what, source, access }
}

/// A [`Access::Word`] for an enum of units: each word with its variant.
macro_rules! words {
    ($($at:ident).+, $enum:ident { $first:literal = $first_variant:ident $(, $word:literal = $variant:ident)* }) => {
        Access::Word(
            &[$first $(, $word)*],
            |rules| {
                const VARIANTS: &[$enum] = &[$enum::$first_variant $(, $enum::$variant)*];
                VARIANTS.iter().position(|variant| *variant == rules.$($at).+).unwrap_or(0)
            },
            |rules, place| {
                const VARIANTS: &[$enum] = &[$enum::$first_variant $(, $enum::$variant)*];
                rules.$($at).+ = VARIANTS[place];
            },
        )
    };
}

/// All knobs, in the order of [`Rules`].
pub const KNOBS: &[Knob] = &[
    knob(
        "reuse",
        "\"oldest\"",
        "which of several idle containers of a function is reused: free longest or shortest",
        "docs/specs/openwhisk.md §5.2 step 2 (any, in map order)",
        words!(reuse, Reuse { "oldest" = Oldest, "newest" = Newest }),
    ),
    knob(
        "busy-guard",
        "false",
        "place nothing while busy containers plus the new one exceed the memory",
        "docs/specs/openwhisk.md §8.4 step 1 (fork of 2020)",
        Access::Flag(|rules| &mut rules.busy_guard),
    ),
    knob(
        "eviction-amount",
        "\"whole\"",
        "an eviction aims at the new container's whole memory, or at what is missing",
        "docs/specs/openwhisk.md §5.3",
        words!(eviction_amount, EvictionAmount { "whole" = Whole, "shortfall" = Shortfall }),
    ),
    knob(
        "overcommit",
        "true",
        "evict what there is and create the container even if it still does not fit",
        "docs/specs/openwhisk.md §5.3",
        Access::Flag(|rules| &mut rules.overcommit),
    ),
    knob(
        "when-full",
        "\"wait\"",
        "what cannot be placed waits in the run buffer, or is dropped",
        "docs/specs/openwhisk.md §5.5; drop: docs/specs/faascache-artifact.md",
        words!(when_full, WhenFull { "wait" = Wait, "drop" = Drop }),
    ),
    knob(
        "buffer-limit",
        "1000000",
        "most activations in the run buffer; more are refused",
        "faassim (OpenWhisk's buffer has no limit)",
        Access::Count(0, |rules| &mut rules.buffer_limit),
    ),
    knob(
        "feed-capacity",
        "8",
        "most activations handed to the pool and not yet credited back",
        "docs/specs/openwhisk.md §7",
        Access::Capacity(|rules| &mut rules.feed_capacity),
    ),
    knob(
        "pause-grace",
        "\"10 s\"",
        "idle time after which a container is paused",
        "docs/specs/openwhisk.md §2 (timeouts.pause-grace)",
        Access::Grace(|rules| &mut rules.pause_grace),
    ),
    knob(
        "lease-from",
        "\"paused\"",
        "keep-alive counts from the last completion, or from being paused",
        "docs/specs/openwhisk.md §4.1",
        words!(lease_from, LeaseFrom { "idle" = Idle, "paused" = Paused }),
    ),
    knob(
        "resume-to-remove",
        "true",
        "a paused container is thawed to be removed, and its end does not serve the run buffer",
        "docs/specs/openwhisk.md §4.1, §5.4",
        Access::Flag(|rules| &mut rules.resume_to_remove),
    ),
    knob(
        "prewarm-in-sum",
        "true",
        "prewarmed containers count as used memory and are started only if there is room",
        "docs/specs/openwhisk.md §5.1, §8.4",
        Access::Flag(|rules| &mut rules.prewarm_in_sum),
    ),
    knob(
        "prewarm-needs-space",
        "false",
        "a prewarm is taken only if its memory would fit beside busy and free containers",
        "docs/specs/openwhisk.md §8.4 step 3 (fork of 2020)",
        Access::Flag(|rules| &mut rules.prewarm_needs_space),
    ),
    knob(
        "prewarm-starts",
        "true",
        "prewarms really start; otherwise they reserve memory for ever",
        "docs/specs/openwhisk.md §8.4 (fork of 2021)",
        Access::Flag(|rules| &mut rules.prewarm_starts),
    ),
    knob(
        "backfill-always",
        "false",
        "missing prewarms are replaced after every removal",
        "docs/specs/openwhisk.md §6 step 3, §8.4",
        Access::Flag(|rules| &mut rules.backfill_always),
    ),
    knob(
        "prewarm-check-delay",
        "\"10 min\"",
        "first periodic check of the prewarms after this long",
        "docs/specs/openwhisk.md §2 (prewarm-expiration-check-init-delay)",
        Access::Span(|rules| &mut rules.prewarm_check_delay),
    ),
    knob(
        "prewarm-check-interval",
        "\"10 min\"",
        "period of that check",
        "docs/specs/openwhisk.md §2 (prewarm-expiration-check-interval)",
        Access::Period(|rules| &mut rules.prewarm_check_interval),
    ),
    knob(
        "prewarm-expiration-limit",
        "100",
        "most expired prewarms removed per check",
        "docs/specs/openwhisk.md §2 (prewarm-expiration-limit)",
        Access::Count(0, |rules| &mut rules.prewarm_expiration_limit),
    ),
    knob(
        "health-check",
        "false",
        "prewarmed containers are pinged",
        "docs/specs/openwhisk.md §2 (action-health-check.enabled)",
        Access::Flag(|rules| &mut rules.health_check),
    ),
    knob(
        "invocation-weight",
        "1",
        "by how much one invocation raises a function's frequency",
        "docs/specs/openwhisk.md §8.2 (the fork counts twice)",
        Access::Count(1, |rules| &mut rules.tracking.invocation_weight),
    ),
    knob(
        "times",
        "\"declared\"",
        "cold and warm times for policies: known beforehand, or learnt from what was seen",
        "docs/specs/openwhisk.md §8.2",
        words!(
            tracking.times,
            Times { "declared" = Declared, "observed-max" = ObservedMax, "observed-mean" = ObservedMean }
        ),
    ),
    knob(
        "forget",
        "true",
        "frequency and learnt times are lost with a function's last container",
        "docs/specs/openwhisk.md §8.3; FaasCache, ASPLOS'21, §4.1",
        Access::Flag(|rules| &mut rules.tracking.forget),
    ),
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pool::rules::{PRESETS, Tracking};
    use crate::scenario::tree::{Origin, parse_value};

    fn set(name: &str, value: &str, rules: &mut Rules) -> Result<(), Flaw> {
        let node = parse_value(value, &Origin::File).expect("TOML");
        KNOBS.iter().find(|knob| knob.name == name).expect(name).set(rules, &node)
    }

    /// Stops compiling when a field is added: it needs a knob, and its count here.
    fn fields(rules: &Rules) -> usize {
        let Rules {
            reuse: _,
            busy_guard: _,
            eviction_amount: _,
            overcommit: _,
            when_full: _,
            buffer_limit: _,
            feed_capacity: _,
            pause_grace: _,
            lease_from: _,
            resume_to_remove: _,
            prewarm_in_sum: _,
            prewarm_needs_space: _,
            prewarm_starts: _,
            backfill_always: _,
            prewarm_check_delay: _,
            prewarm_check_interval: _,
            prewarm_expiration_limit: _,
            health_check: _,
            tracking: Tracking { invocation_weight: _, times: _, forget: _ },
        } = rules;
        18 + 3
    }

    #[test]
    fn every_field_has_a_knob_of_its_own() {
        assert_eq!(KNOBS.len(), fields(&Rules::OPENWHISK));
        for knob in KNOBS {
            let mut rules = Rules::OPENWHISK;
            let now = knob.show(&rules);
            let other = match &knob.access {
                Access::Flag(_) => (now != "true").to_string(),
                Access::Count(..) | Access::Capacity(_) => "77".to_owned(),
                Access::Span(_) | Access::Period(_) | Access::Grace(_) => "\"77 s\"".to_owned(),
                Access::Word(words, ..) => {
                    let other = words.iter().find(|word| **word != now).expect("two words");
                    format!("\"{other}\"")
                }
            };
            set(knob.name, &other, &mut rules).expect(knob.name);
            let changed = differences(&rules, &Rules::OPENWHISK);
            assert_eq!(changed.iter().map(|(name, _)| *name).collect::<Vec<_>>(), [knob.name]);
        }
    }

    #[test]
    fn examples_and_shown_values_can_be_written() {
        for knob in KNOBS {
            set(knob.name, knob.example, &mut Rules::OPENWHISK.clone()).expect(knob.name);
            for preset in PRESETS {
                let shown = knob.show(&preset.rules);
                let written = match knob.access {
                    Access::Flag(_) | Access::Count(..) => shown,
                    _ => format!("\"{shown}\""),
                };
                let mut rules = preset.rules.clone();
                set(knob.name, &written, &mut rules).expect(knob.name);
                assert_eq!(rules, preset.rules, "{}", knob.name);
            }
        }
    }

    #[test]
    fn never_and_unlimited() {
        let mut rules = Rules::OPENWHISK;
        set("pause-grace", "\"never\"", &mut rules).expect("never");
        set("feed-capacity", "8", &mut rules).expect("a count");
        assert_eq!((rules.pause_grace, rules.feed_capacity), (None, Some(8)));
        set("feed-capacity", "\"unlimited\"", &mut rules).expect("unlimited");
        assert_eq!(rules.feed_capacity, None);
    }
}
