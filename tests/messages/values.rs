//! Scenarios that are wrong, and what is said. Units, ranges and types of values, and the rules.

use super::Case;

pub const CASES: &[Case] = &[
    Case {
        what: "memory without a unit",
        text: r#"
[trace]
path = "."
[pool]
memory = 8
"#,
        stderr: r#"
error: scenario.toml:4: pool.memory: `8` has no unit
  help: write it with its unit, in quotes, for example "8 GiB"
"#,
    },
    Case {
        what: "memory in quotes without a unit",
        text: r#"
[trace]
path = "."
[pool]
memory = "8"
"#,
        stderr: r"
error: scenario.toml:4: pool.memory: `8` has no unit
  help: write for example `8 MiB` or `8 GiB`
",
    },
    Case {
        what: "memory in an unknown unit",
        text: r#"
[trace]
path = "."
[pool]
memory = "8 GiBi"
"#,
        stderr: r"
error: scenario.toml:4: pool.memory: unknown unit of memory `GiBi` in `8 GiBi`
  help: use MiB, GiB or TiB
",
    },
    Case {
        what: "no memory",
        text: r#"
[trace]
path = "."
[pool]
memory = "0 MiB"
"#,
        stderr: r"
error: scenario.toml:4: pool.memory: must be more than 0 MiB
",
    },
    Case {
        what: "an elastic pool without a target",
        text: r#"
[trace]
path = "."
[pool]
memory = "8 GiB"
[pool.elastic]
period = "10 min"
"#,
        stderr: r"
error: scenario.toml:5: `pool.elastic` has no target
  help: add cold-percent = 5.0 or cold-per-second = 0.5
",
    },
    Case {
        what: "an elastic pool with two targets and nonsense",
        text: r#"
[trace]
path = "."
[pool]
memory = "8 GiB"
[pool.elastic]
cold-percent = 5
cold-per-second = 1
gain = 0
min = "16 GiB"
deadbant = 0.1
"#,
        stderr: r"
error: scenario.toml:6: pool.elastic.cold-percent: does not go with `cold-per-second`
  help: a pool has one target; remove one of the two
error: scenario.toml:8: pool.elastic.gain: expected a number above 0 and at most 1, found the number 0
error: scenario.toml:9: pool.elastic.min: 16 GiB is more than the most there may be, 8 GiB
  help: the most is `max`, or pool.memory without it
error: scenario.toml:10: unknown key `deadbant` in [pool.elastic]
  help: did you mean `deadband`?
4 errors
",
    },
    Case {
        what: "an elastic pool of the published simulator",
        text: r#"
[trace]
path = "."
[pool]
memory = "8 GiB"
[pool.elastic]
cold-percent = 5
[faascache-artifact]
policy = "GD"
"#,
        stderr: r"
error: scenario.toml:5: `pool.elastic` does not go with [faascache-artifact]
  help: the published simulator's memory is fixed; remove one of the two
",
    },
    Case {
        what: "negative memory",
        text: r#"
[trace]
path = "."
[pool]
memory = "-8 GiB"
"#,
        stderr: r"
error: scenario.toml:4: pool.memory: `-8 GiB` must not be negative
",
    },
    Case {
        what: "memory in parts of a MiB",
        text: r#"
[trace]
path = "."
[pool]
memory = "0.3 MiB"
"#,
        stderr: r"
error: scenario.toml:4: pool.memory: `0.3 MiB` is not a whole number of MiB
  help: the nearest is `0 MiB`
",
    },
    Case {
        what: "memory of another type",
        text: r#"
[trace]
path = "."
[pool]
memory = ["8 GiB"]
"#,
        stderr: r#"
error: scenario.toml:4: pool.memory: expected an amount of memory such as "8 GiB", found a list
"#,
    },
    Case {
        what: "spans",
        text: r#"
[trace]
path = "."
[pool]
memory = "8 GiB"
[output]
memory-every = 60
[rules]
pause-grace = "ten s"
prewarm-check-delay = "3 fortnights"
prewarm-check-interval = "0 s"
"#,
        stderr: r#"
error: scenario.toml:6: output.memory-every: `60` has no unit
  help: write it with its unit, in quotes, for example "60 s"
error: scenario.toml:8: rules.pause-grace: `ten s` does not start with a number
error: scenario.toml:9: rules.prewarm-check-delay: unknown unit of time `fortnights` in `3 fortnights`
  help: use us, ms, s, min, h or d
error: scenario.toml:10: rules.prewarm-check-interval: must be longer than 0 s
4 errors
"#,
    },
    Case {
        what: "words",
        text: r#"
[trace]
path = "."
[pool]
memory = "8 GiB"
[rules]
preset = "openwisk"
reuse = "any"
eviction-amount = true
lease-from = "pause"
"#,
        stderr: r"
error: scenario.toml:6: rules.preset: `openwisk` is not one of `openwhisk`, `faascache`, `faascache-head`, `ideal`
  help: did you mean `openwhisk`?
error: scenario.toml:7: rules.reuse: `any` is not one of `oldest`, `newest`
error: scenario.toml:8: rules.eviction-amount: expected one of `whole`, `shortfall`, found `true`
error: scenario.toml:9: rules.lease-from: `pause` is not one of `idle`, `paused`
  help: did you mean `paused`?
4 errors
",
    },
    Case {
        what: "flags",
        text: r#"
[trace]
path = "."
[pool]
memory = "8 GiB"
[rules]
busy-guard = "true"
overcommit = "yes"
health-check = 1
"#,
        stderr: r"
error: scenario.toml:6: rules.busy-guard: expected true or false, found the text `true`
  help: write true without quotes
error: scenario.toml:7: rules.overcommit: expected true or false, found the text `yes`
error: scenario.toml:8: rules.health-check: expected true or false, found the number 1
3 errors
",
    },
    Case {
        what: "counts",
        text: r#"
[trace]
path = "."
[pool]
memory = "8 GiB"
[rules]
buffer-limit = 5000000000
feed-capacity = 0
invocation-weight = 0
prewarm-expiration-limit = "many"
"#,
        stderr: r#"
error: scenario.toml:6: rules.buffer-limit: expected at most 4294967295, found the number 5000000000
error: scenario.toml:7: rules.feed-capacity: expected a whole number of at least 1, found the number 0
  help: or "unlimited"
error: scenario.toml:8: rules.invocation-weight: expected a whole number of at least 1, found the number 0
error: scenario.toml:9: rules.prewarm-expiration-limit: expected a whole number, found the text `many`
4 errors
"#,
    },
    Case {
        what: "unknown rules",
        text: r#"
[trace]
path = "."
[pool]
memory = "8 GiB"
[rules]
buffer_limit = 3
sharding = true
"#,
        stderr: r"
error: scenario.toml:6: unknown key `buffer_limit` in [rules]
  help: did you mean `buffer-limit`?
error: scenario.toml:7: unknown key `sharding` in [rules]
  help: `faassim policies --rules` lists all
2 errors
",
    },
    Case {
        what: "dates",
        text: r#"
[trace]
path = "."
[pool]
memory = "8 GiB"
[output]
invocations = 2026-01-01
"#,
        stderr: r"
error: scenario.toml:6: output.invocations: expected true or false, found the date `2026-01-01`
",
    },
    Case {
        what: "failures",
        text: r#"
[trace]
path = "."
[pool]
memory = "8 GiB"
[failures]
run = 1.5
init = -0.1
logs = "often"
paused = 0.1
"#,
        stderr: r"
error: scenario.toml:6: failures.run: expected a probability from 0 to 1, found the number 1.5
error: scenario.toml:7: failures.init: expected a probability from 0 to 1, found the number -0.1
error: scenario.toml:8: failures.logs: expected a probability from 0 to 1, found the text `often`
error: scenario.toml:9: unknown key `paused` in [failures]
  help: did you mean `pause`?
4 errors
",
    },
    Case {
        what: "output",
        text: r#"
[trace]
path = "."
[pool]
memory = "8 GiB"
[output]
memory-every = "forever"
functions = "no"
invocation = true
"#,
        stderr: r"
error: scenario.toml:6: output.memory-every: must not be `forever`
error: scenario.toml:7: output.functions: expected true or false, found the text `no`
error: scenario.toml:8: unknown key `invocation` in [output]
  help: did you mean `invocations`?
3 errors
",
    },
];
