//! Sweeps that are wrong, and what is said.

use super::Case;

pub const CASES: &[Case] = &[
    Case {
        what: "axes",
        text: r#"
[trace]
path = "."
[sweep]
"pool.memory" = "1 GiB-80 GiB / 500 MB"
seed = "1..x"
"a b.c" = [1]
"trace.limit" = []
name = ["a", "b"]
"rules.buffer-limit" = [5, 5]
"#,
        stderr: r#"
error: scenario.toml:4: pool.memory: `1 GiB-80 GiB / 500 MB` is neither a value nor a range
  help: a range is written "FROM..TO / STEP", for example "1 GiB..80 GiB / 500 MB"
error: scenario.toml:5: seed: `x` does not start with a number
error: scenario.toml:6: sweep: `a b.c` is not a path
  help: write for example pool.memory; names with a dot or other signs need quotes, as in costs.functions."my.function".run
error: scenario.toml:7: trace.limit: has no values
  help: write a list such as ["4 GiB", "8 GiB"] or a range such as "1 GiB..80 GiB / 500 MB"
error: scenario.toml:8: `name` cannot be swept
  help: a sweep varies what decides the figures; they are written as one table with a row per run
error: scenario.toml:9: rules.buffer-limit: `5` is there twice
  help: remove one: both would be the same run
6 errors
"#,
    },
    Case {
        what: "ranges",
        text: r#"
[trace]
path = "."
[sweep]
"keep-alive.fixed.keep" = "1 min..2 h"
"costs.create" = "1 s..2 GiB / 1 s"
"costs.run" = "5 s..2 s / 1 s"
"failures.run" = "0..0.1 / 0"
"pool.memory" = "1 GiB..4 GiB * 0.5"
seed = "1..1000000"
"#,
        stderr: r#"
error: scenario.toml:4: keep-alive.fixed.keep: `1 min..2 h` has no step
  help: write for example "1 min..2 h / 1 min", or "1 min..2 h * 2" for a factor
error: scenario.toml:5: costs.create: `1 s` is a time, `2 GiB` is an amount of memory
  help: give both ends and the step a unit of the same kind
error: scenario.toml:6: costs.run: `5 s..2 s / 1 s` ends before it begins
error: scenario.toml:7: failures.run: the step of `0..0.1 / 0` is not above 0
error: scenario.toml:8: pool.memory: the factor of `1 GiB..4 GiB * 0.5` is not a number above 1
  help: write for example "1 GiB..64 GiB * 2"
error: scenario.toml:9: seed: `1..1000000` has more than 100000 values
  help: take a larger step
6 errors
"#,
    },
    Case {
        what: "axes that undo each other",
        text: r#"
[trace]
path = "."
[pool]
memory = "8 GiB"
[sweep]
keep-alive = ["fixed", "hybrid-histogram"]
"keep-alive.fixed.keep" = ["1 min", "2 min"]
"#,
        stderr: r#"
error: scenario.toml:7: `keep-alive` and `keep-alive.fixed.keep` undo each other
  help: list the variants in one axis: keep-alive = ["hybrid-histogram", { fixed = { keep = "1 min" } }]
"#,
    },
    Case {
        what: "too many runs",
        text: r#"
[trace]
path = "."
[pool]
memory = "8 GiB"
[sweep]
seed = "1..1000"
"trace.seed" = "1..1000"
"#,
        stderr: r"
error: scenario.toml:5: the sweep comes to 1000000 runs, at most 100000 are taken
  help: take larger steps, or split it in two
",
    },
    Case {
        what: "an empty table",
        text: r#"
[trace]
path = "."
[pool]
memory = "8 GiB"
[sweep]
"#,
        stderr: r#"
error: scenario.toml:5: [sweep] varies nothing
  help: add for example
        "pool.memory" = ["4 GiB", "8 GiB"]
"#,
    },
    Case {
        what: "points, each fault once",
        text: r#"
[trace]
path = "."
until = "3 h"
[sweep]
evictoin = ["lru"]
eviction = ["lru", "greedydual"]
"pool.memory" = ["8", "1 GiB..4 GiB / 1 GiB"]
"trace.from" = ["1 h", "4 h"]
"#,
        stderr: r"
error: scenario.toml:5: unknown key `evictoin`
  help: did you mean `eviction`?
error: scenario.toml:7: pool.memory: `8` has no unit
  help: write for example `8 MiB` or `8 GiB`
error: scenario.toml:3: trace.until: 3 h is not after `from`, 4 h: no invocation would be left
error: scenario.toml:6: unknown eviction policy `greedydual`
  help: did you mean `greedy-dual`? `faassim policies` lists all
4 errors
",
    },
    Case {
        what: "values that do not go together",
        text: r#"
[trace]
path = "."
[pool]
memory = "8 GiB"
[sweep]
"trace.from" = ["1 h", "4 h"]
"trace.until" = ["3 h", "5 h"]
"#,
        stderr: r#"
error: scenario.toml:7: trace.until: 3 h is not after `from`, 4 h: no invocation would be left
  help: in 1 of 4 runs, first with trace.from="4 h", trace.until="3 h"
"#,
    },
];
