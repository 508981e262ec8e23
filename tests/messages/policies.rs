//! Scenarios that are wrong, and what is said. Eviction, keep-alive and what excludes them.

use super::Case;

pub const CASES: &[Case] = &[
    Case {
        what: "misspelt eviction policy",
        text: r#"
[trace]
path = "."
[pool]
memory = "8 GiB"
[eviction.greedydual]
"#,
        stderr: r"
error: scenario.toml:5: unknown eviction policy `greedydual`
  help: did you mean `greedy-dual`? `faassim policies` lists all
",
    },
    Case {
        what: "unknown keep-alive policy",
        text: r#"
[trace]
path = "."
[pool]
memory = "8 GiB"
[keep-alive.clairvoyant]
"#,
        stderr: r"
error: scenario.toml:5: unknown keep-alive policy `clairvoyant`
  help: `faassim policies` lists all
",
    },
    Case {
        what: "misspelt in short form",
        text: r#"
eviction = "lur"
keep-alive = "fixd"
[trace]
path = "."
[pool]
memory = "8 GiB"
"#,
        stderr: r"
error: scenario.toml:1: unknown eviction policy `lur`
  help: did you mean `lru`? `faassim policies` lists all
error: scenario.toml:2: unknown keep-alive policy `fixd`
  help: did you mean `fixed`? `faassim policies` lists all
2 errors
",
    },
    Case {
        what: "two eviction policies",
        text: r#"
[trace]
path = "."
[pool]
memory = "8 GiB"
[eviction.lru]
[eviction.fifo]
"#,
        stderr: r"
error: scenario.toml:6: two eviction policies at once: `lru` (line 5) and `fifo`
  help: remove one of the two tables
",
    },
    Case {
        what: "two keep-alive policies, one misspelt",
        text: r#"
[trace]
path = "."
[pool]
memory = "8 GiB"
[keep-alive.fixed]
[keep-alive.skirental]
"#,
        stderr: r"
error: scenario.toml:6: two keep-alive policies at once: `fixed` (line 5) and `skirental`
  help: remove one of the two tables
error: scenario.toml:6: unknown keep-alive policy `skirental`
  help: did you mean `ski-rental`? `faassim policies` lists all
2 errors
",
    },
    Case {
        what: "no policy in the table",
        text: r#"
[trace]
path = "."
[pool]
memory = "8 GiB"
[eviction]
"#,
        stderr: r#"
error: scenario.toml:5: [eviction] names no policy
  help: write `eviction = "NAME"` or [eviction.NAME]; `faassim policies` lists all
"#,
    },
    Case {
        what: "policy as a key",
        text: r#"
[trace]
path = "."
[pool]
memory = "8 GiB"
[eviction]
policy = "lru"
"#,
        stderr: r#"
error: scenario.toml:6: [eviction] takes no key `policy`
  help: write `eviction = "lru"` at the top of the file, or [eviction.lru]
"#,
    },
    Case {
        what: "policy as a key, unknown",
        text: r#"
[trace]
path = "."
[pool]
memory = "8 GiB"
[eviction]
name = "best"
"#,
        stderr: r#"
error: scenario.toml:6: [eviction] takes no key `name`
  help: write `eviction = "NAME"` at the top of the file, or [eviction.NAME]
"#,
    },
    Case {
        what: "policy of another type",
        text: r#"
eviction = 3
keep-alive = ["fixed"]
[trace]
path = "."
[pool]
memory = "8 GiB"
"#,
        stderr: r#"
error: scenario.toml:1: eviction: expected an eviction policy, found the number 3
  help: write `eviction = "NAME"` or [eviction.NAME]; `faassim policies` lists all
error: scenario.toml:2: keep-alive: expected a keep-alive policy, found a list
  help: write `keep-alive = "NAME"` or [keep-alive.NAME]; `faassim policies` lists all
2 errors
"#,
    },
    Case {
        what: "parameter for a table",
        text: r#"
keep-alive = { fixed = "10 min" }
[trace]
path = "."
[pool]
memory = "8 GiB"
"#,
        stderr: r"
error: scenario.toml:1: keep-alive.fixed: expected a table of parameters, found the text `10 min`
  help: write [keep-alive.fixed] and the parameters below it
",
    },
    Case {
        what: "parameter of a policy that has none",
        text: r#"
[trace]
path = "."
[pool]
memory = "8 GiB"
[eviction.lru]
age = 3
"#,
        stderr: r"
error: scenario.toml:6: eviction policy `lru` has no parameter `age`
  help: it has none; remove the line
",
    },
    Case {
        what: "unknown parameters",
        text: r#"
[trace]
path = "."
[pool]
memory = "8 GiB"
[eviction.s3-fifo]
smal = 0.1
large = 0.9
"#,
        stderr: r"
error: scenario.toml:6: eviction policy `s3-fifo` has no parameter `smal`
  help: did you mean `small`?
error: scenario.toml:7: eviction policy `s3-fifo` has no parameter `large`
  help: it has: small
2 errors
",
    },
    Case {
        what: "parameters out of range",
        text: r#"
[trace]
path = "."
[pool]
memory = "8 GiB"
[eviction.s3-fifo]
small = 1.5
"#,
        stderr: r"
error: scenario.toml:6: eviction.s3-fifo.small: must be between 0 and 1
",
    },
    Case {
        what: "parameters of another type",
        text: r#"
[trace]
path = "."
[pool]
memory = "8 GiB"
[eviction.s3-fifo]
small = [0.1]
"#,
        stderr: r"
error: scenario.toml:6: eviction.s3-fifo.small: expected a number, text, true or false, found a list
",
    },
    Case {
        what: "artifact policy",
        text: r#"
[trace]
path = "."
[pool]
memory = "8 GiB"
[faascache-artifact]
policy = "gd"
"#,
        stderr: r"
error: scenario.toml:6: faascache-artifact.policy: `gd` is not one of `GD`, `TTL`, `LONG-TTL`, `LRU`, `FREQ`, `SIZE`, `LND`, `HIST`, `ALL`
  help: did you mean `GD`?
",
    },
    Case {
        what: "artifact without policy",
        text: r#"
[trace]
path = "."
[pool]
memory = "8 GiB"
[faascache-artifact]
"#,
        stderr: r#"
error: scenario.toml:5: `faascache-artifact.policy` is missing
  help: add `policy = "GD"` under [faascache-artifact]
"#,
    },
    Case {
        what: "artifact with everything it excludes",
        text: r#"
[trace]
path = "."
[pool]
memory = "8 GiB"
[faascache-artifact]
policy = "GD"
[rules]
[eviction.lru]
[keep-alive.fixed]
[[prewarm]]
[costs]
[failures]
"#,
        stderr: r"
error: scenario.toml:7: `rules` does not go with [faascache-artifact] (line 5)
  help: the published simulator has its own; remove one of the two
error: scenario.toml:8: `eviction` does not go with [faascache-artifact] (line 5)
  help: the published simulator has its own; remove one of the two
error: scenario.toml:9: `keep-alive` does not go with [faascache-artifact] (line 5)
  help: the published simulator has its own; remove one of the two
error: scenario.toml:10: `prewarm` does not go with [faascache-artifact] (line 5)
  help: the published simulator has its own; remove one of the two
error: scenario.toml:11: `costs` does not go with [faascache-artifact] (line 5)
  help: the published simulator has its own; remove one of the two
error: scenario.toml:12: `failures` does not go with [faascache-artifact] (line 5)
  help: the published simulator has its own; remove one of the two
6 errors
",
    },
];
