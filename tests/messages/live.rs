//! Scenarios that are wrong, and what is said. `[live]`, whether or not the build has live mode.

use super::Case;

pub const CASES: &[Case] = &[
    Case {
        what: "a misspelt key, backend and rule",
        text: r#"
[trace]
path = "."
[pool]
memory = "8 GiB"
[live]
backend = "dokcer"
map = "closest"
paralel-starts = 4
"#,
        stderr: r"
error: scenario.toml:6: live.backend: `dokcer` is not one of `auto`, `docker`, `process`
  help: did you mean `docker`?
error: scenario.toml:7: live.map: `closest` is not one of `name`, `nearest`, `lookbusy`
error: scenario.toml:8: unknown key `paralel-starts` in [live]
  help: did you mean `parallel-starts`?
3 errors
",
    },
    Case {
        what: "numbers and spans out of range",
        text: r#"
[trace]
path = "."
[pool]
memory = "8 GiB"
[live]
speed = 0
limit = 0
duration = "forever"
parallel-starts = 0
time-limit = 60
drain = "forever"
logs = "false"
log-limit = "10"
cpus = -1
"#,
        stderr: r#"
error: scenario.toml:6: live.speed: expected a number above 0, found the number 0
error: scenario.toml:7: live.limit: expected a whole number of at least 1, found the number 0
error: scenario.toml:8: live.duration: must not be `forever`
error: scenario.toml:9: live.parallel-starts: expected a whole number of at least 1, found the number 0
error: scenario.toml:10: live.time-limit: `60` has no unit
  help: write it with its unit, in quotes, for example "60 s"
error: scenario.toml:11: live.drain: must not be `forever`
error: scenario.toml:12: live.logs: expected true or false, found the text `false`
  help: write false without quotes
error: scenario.toml:13: live.log-limit: `10` has no unit
  help: write for example `10 MiB` or `10 GiB`
error: scenario.toml:14: live.cpus: expected a number above 0, found the number -1
9 errors
"#,
    },
    Case {
        what: "functions that are given nothing to run",
        text: r#"
[trace]
path = "."
[pool]
memory = "8 GiB"
[live.functions]
a = 3
b = ""
c = { args = { n = 1 } }
d = { action = "hello", arg = { n = 1 } }
e = { action = "hello", args = 3 }
"#,
        stderr: r#"
error: scenario.toml:6: live.functions.a: expected the name of an action, found the number 3
  help: write for example a = "hello"
error: scenario.toml:7: live.functions.b: must not be empty
error: scenario.toml:8: `live.functions.c.action` is missing
  help: add `action = "matmul"` under [live.functions.c]
error: scenario.toml:9: unknown table `arg` in [live.functions.d]
  help: did you mean `args`?
error: scenario.toml:10: live.functions.e.args: expected a table, found the number 3
  help: write for example `args = { n = 200 }`
5 errors
"#,
    },
    Case {
        what: "arguments that JSON does not have",
        text: r#"
[trace]
path = "."
[pool]
memory = "8 GiB"
[live.functions]
a = { action = "hello", args = { day = 2020-01-01 } }
b = { action = "hello", args = { n = nan } }
c = { action = "hello", args = { n = 9223372036854775808 } }
"#,
        stderr: r"
error: scenario.toml:6: live.functions.a.args: expected what JSON has, found the date `2020-01-01`
  help: put dates in quotes: actions get them as text
error: scenario.toml:7: live.functions.b.args: JSON has no `NaN`
error: scenario.toml:8: live.functions.c.args: 9223372036854775808 is beyond what JSON numbers hold exactly
3 errors
",
    },
    Case {
        what: "images that are none",
        text: r#"
[trace]
path = "."
[pool]
memory = "8 GiB"
[live.images]
"python:3" = 3
"python:ai" = "my image"
"#,
        stderr: r#"
error: scenario.toml:6: live.images."python:3": expected text in quotes, found the number 3
  help: write for example "python:3" = "openwhisk/action-python-v3.11"
error: scenario.toml:7: live.images."python:ai": `my image` cannot be an image: it has a blank in it
  help: write for example "openwhisk/action-python-v3.11"
2 errors
"#,
    },
    Case {
        what: "live and the published simulator",
        text: r#"
[trace]
path = "."
[pool]
memory = "8 GiB"
[faascache-artifact]
policy = "GD"
[live]
"#,
        stderr: r"
error: scenario.toml:7: `live` does not go with [faascache-artifact]
  help: real containers are run by the pool; remove one of the two
",
    },
    Case {
        what: "live is not swept",
        text: r#"
[trace]
path = "."
[pool]
memory = "8 GiB"
[sweep]
"live.speed" = [1, 2]
"#,
        stderr: r"
error: scenario.toml:6: `live` cannot be swept
  help: a sweep varies what decides the figures; they are written as one table with a row per run
",
    },
];
