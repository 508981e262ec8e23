//! Scenarios that are wrong, and what is said. Prewarms and costs.

use super::Case;

pub const CASES: &[Case] = &[
    Case {
        what: "prewarm as one table",
        text: r#"
[trace]
path = "."
[pool]
memory = "8 GiB"
[prewarm]
kind = "python:3"
"#,
        stderr: r"
error: scenario.toml:5: prewarm: expected a list of tables, found a table
  help: write [[prewarm]], with two brackets
",
    },
    Case {
        what: "prewarm as a list of words",
        text: r#"
prewarm = ["python:3"]
[trace]
path = "."
[pool]
memory = "8 GiB"
"#,
        stderr: r"
error: scenario.toml:1: prewarm: expected a list of tables, found the text `python:3`
  help: write [[prewarm]] and the keys below it
",
    },
    Case {
        what: "prewarm without its keys",
        text: r#"
[trace]
path = "."
[pool]
memory = "8 GiB"
[[prewarm]]
"#,
        stderr: r#"
error: scenario.toml:5: `prewarm.kind` is missing
  help: add `kind = "python:3"` under [[prewarm]]
error: scenario.toml:5: `prewarm.memory` is missing
  help: add `memory = "256 MiB"` under [[prewarm]]
error: scenario.toml:5: `prewarm.initial-count` is missing
  help: add `initial-count = 2` under [[prewarm]]
3 errors
"#,
    },
    Case {
        what: "prewarm with wrong values",
        text: r#"
[trace]
path = "."
[pool]
memory = "8 GiB"
[[prewarm]]
kind = ""
memory = "256"
initial-count = -1
count = 3
"#,
        stderr: r"
error: scenario.toml:6: prewarm.kind: must not be empty
error: scenario.toml:7: prewarm.memory: `256` has no unit
  help: write for example `256 MiB` or `256 GiB`
error: scenario.toml:8: prewarm.initial-count: expected a whole number of at least 0, found the number -1
error: scenario.toml:9: unknown key `count` in [[prewarm]]
  help: [[prewarm]] has: kind, memory, initial-count, reactive
4 errors
",
    },
    Case {
        what: "prewarm twice",
        text: r#"
[trace]
path = "."
[pool]
memory = "8 GiB"
[[prewarm]]
kind = "python:3"
memory = "256 MiB"
initial-count = 1
[[prewarm]]
kind = "python:3"
memory = "256 MiB"
initial-count = 1
"#,
        stderr: r"
error: scenario.toml:10: prewarm.kind: `python:3` with 256 MiB is configured twice
  help: add the counts up in one [[prewarm]]
",
    },
    Case {
        what: "reactive",
        text: r#"
[trace]
path = "."
[pool]
memory = "8 GiB"
[[prewarm]]
kind = "python:3"
memory = "256 MiB"
initial-count = 1
[prewarm.reactive]
min-count = 5
max-count = 4
ttl = "0 s"
threshold = 0
increment = 0
"#,
        stderr: r"
error: scenario.toml:10: prewarm.reactive.min-count: 5 is more than `max-count`, 4
error: scenario.toml:12: prewarm.reactive.ttl: must be longer than 0 s
error: scenario.toml:13: prewarm.reactive.threshold: expected a whole number of at least 1, found the number 0
error: scenario.toml:14: prewarm.reactive.increment: expected a whole number of at least 1, found the number 0
4 errors
",
    },
    Case {
        what: "reactive without its keys",
        text: r#"
[trace]
path = "."
[pool]
memory = "8 GiB"
[[prewarm]]
kind = "python:3"
memory = "256 MiB"
initial-count = 1
reactive = {}
"#,
        stderr: r#"
error: scenario.toml:9: `prewarm.reactive.min-count` is missing
  help: add `min-count = 1` under [prewarm.reactive]
error: scenario.toml:9: `prewarm.reactive.max-count` is missing
  help: add `max-count = 4` under [prewarm.reactive]
error: scenario.toml:9: `prewarm.reactive.ttl` is missing
  help: add `ttl = "2 min"` under [prewarm.reactive]
error: scenario.toml:9: `prewarm.reactive.threshold` is missing
  help: add `threshold = 1` under [prewarm.reactive]
error: scenario.toml:9: `prewarm.reactive.increment` is missing
  help: add `increment = 1` under [prewarm.reactive]
5 errors
"#,
    },
    Case {
        what: "cold start and phases",
        text: r#"
[trace]
path = "."
[pool]
memory = "8 GiB"
[costs]
cold-start = "500 ms"
init = "100 ms"
"#,
        stderr: r"
error: scenario.toml:6: costs.cold-start: a cold start is one number or phases, but `init` is given as well
  help: keep either `cold-start` or `pull`, `create`, `init` and `first-run`
",
    },
    Case {
        what: "phases without a start",
        text: r#"
[trace]
path = "."
[pool]
memory = "8 GiB"
[costs]
pull = "2 s"
"#,
        stderr: r#"
error: scenario.toml:6: costs.pull: is a phase of a cold start, which needs `create` or `init` too
  help: add one of them, as "0 s" if that is meant
"#,
    },
    Case {
        what: "phases without a start, of a function",
        text: r#"
[trace]
path = "."
[pool]
memory = "8 GiB"
[costs.functions."a.b"]
first-run = "2 s"
"#,
        stderr: r#"
error: scenario.toml:6: costs.functions."a.b".first-run: is a phase of a cold start, which needs `create` or `init` too
  help: add one of them, as "0 s" if that is meant
"#,
    },
    Case {
        what: "durations that are none",
        text: r#"
[trace]
path = "."
[pool]
memory = "8 GiB"
[costs]
run = 5
unpause = "forever"
pause = true
logs = "traces"
remove = {}
"#,
        stderr: r#"
error: scenario.toml:6: costs.run: `5` has no unit
  help: write it with its unit, in quotes, for example "5 s"
error: scenario.toml:7: costs.unpause: must not be `forever`
error: scenario.toml:8: costs.pause: expected a span of time such as "10 min", found `true`
error: scenario.toml:9: costs.logs: `traces` does not start with a number
error: scenario.toml:10: costs.remove: no distribution is given
  help: there are: constant, uniform, exponential, normal, log-normal, gamma, weibull, empirical
5 errors
"#,
    },
    Case {
        what: "unknown distributions",
        text: r#"
[trace]
path = "."
[pool]
memory = "8 GiB"
[costs]
run = { unifrom = { low = "1 ms", high = "2 ms" } }
logs = { pareto = { alpha = 2 } }
"#,
        stderr: r"
error: scenario.toml:6: unknown table `unifrom` in [costs.run]
  help: did you mean `uniform`?
error: scenario.toml:7: unknown table `pareto` in [costs.logs]
  help: [costs.logs] has: constant, uniform, exponential, normal, log-normal, gamma, weibull, empirical, min, max
2 errors
",
    },
    Case {
        what: "two distributions",
        text: r#"
[trace]
path = "."
[pool]
memory = "8 GiB"
[costs.run]
constant = "1 s"
[costs.run.exponential]
mean = "1 s"
"#,
        stderr: r"
error: scenario.toml:7: costs.run.exponential: `constant` is given as well, but a duration has one distribution
  help: remove one of them
",
    },
    Case {
        what: "limits",
        text: r#"
[trace]
path = "."
[pool]
memory = "8 GiB"
[costs]
run = { constant = "1 s", min = "3 s", max = "2 s" }
logs = { min = "1 s" }
"#,
        stderr: r"
error: scenario.toml:6: costs.run.min: 3 s is more than `max`, 2 s
error: scenario.toml:7: costs.logs: no distribution is given
  help: there are: constant, uniform, exponential, normal, log-normal, gamma, weibull, empirical
2 errors
",
    },
    Case {
        what: "parameters of distributions",
        text: r#"
[trace]
path = "."
[pool]
memory = "8 GiB"
[costs]
run = { uniform = { low = "3 ms", high = "2 ms" } }
unpause = { exponential = { mean = "0 s" } }
pause = { gamma = { mean = "3 ms", shpe = 2 } }
logs = { log-normal = { median = "3 ms", sigma = -1 } }
remove = { weibull = { scale = 3, shape = 0 } }
[costs.functions.f]
run = { normal = "5 ms" }
logs = { normal = { mean = "5 ms" } }
"#,
        stderr: r#"
error: scenario.toml:6: costs.run.uniform.low: 3 ms is more than `high`, 2 ms
error: scenario.toml:7: costs.unpause.exponential.mean: must be longer than 0 s
error: scenario.toml:8: unknown key `shpe` in [costs.pause.gamma]
  help: did you mean `shape`?
error: scenario.toml:9: costs.logs.log-normal.sigma: expected a number of at least 0, found the number -1
error: scenario.toml:10: costs.remove.weibull.scale: `3` has no unit
  help: write it with its unit, in quotes, for example "3 s"
error: scenario.toml:10: costs.remove.weibull.shape: expected a number above 0, found the number 0
error: scenario.toml:12: costs.functions.f.run.normal: expected a table, found the text `5 ms`
  help: write for example `normal = { mean = "500 ms", sd = "100 ms" }`
error: scenario.toml:13: `costs.functions.f.logs.normal.sd` is missing
  help: add `sd = "100 ms"` under [costs.functions.f.logs.normal]
8 errors
"#,
    },
    Case {
        what: "empirical",
        text: r#"
[trace]
path = "."
[pool]
memory = "8 GiB"
[costs]
run = { empirical = "1 ms" }
unpause = { empirical = [] }
pause = { empirical = ["2 ms", "1 ms"] }
logs = { empirical = [
  "1 ms",
  "two",
  3,
] }
"#,
        stderr: r#"
error: scenario.toml:6: costs.run.empirical: expected a list such as ["100 ms", "200 ms"], found the text `1 ms`
error: scenario.toml:7: costs.unpause.empirical: needs at least one value
error: scenario.toml:8: costs.pause.empirical: 1 ms comes after a greater value
  help: sort the values, least first
error: scenario.toml:11: costs.logs.empirical: `two` does not start with a number
error: scenario.toml:12: costs.logs.empirical: `3` has no unit
  help: write it with its unit, in quotes, for example "3 s"
5 errors
"#,
    },
    Case {
        what: "functions",
        text: r#"
[trace]
path = "."
[pool]
memory = "8 GiB"
[costs.functions]
thumbnail = "5 s"
[costs.functions.resize]
rum = "5 s"
[costs.functions."a b"]
run = "5"
"#,
        stderr: r#"
error: scenario.toml:6: costs.functions.thumbnail: expected a table of costs, found the text `5 s`
  help: write for example [costs.functions.thumbnail] and below it `run = "50 ms"`
error: scenario.toml:8: unknown key `rum` in [costs.functions.resize]
  help: did you mean `run`?
error: scenario.toml:10: costs.functions."a b".run: `5` has no unit
  help: write for example `5 s`, `5 ms` or `5 min`
3 errors
"#,
    },
    Case {
        what: "failed costs and others",
        text: r#"
[trace]
path = "."
[pool]
memory = "8 GiB"
[costs]
function = 3
"#,
        stderr: r"
error: scenario.toml:6: unknown key `function` in [costs]
  help: did you mean `functions`?
",
    },
];
