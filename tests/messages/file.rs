//! Scenarios that are wrong, and what is said. What is wrong with the file as a whole, its top and its syntax.

use super::Case;

pub const CASES: &[Case] = &[
    Case {
        what: "syntax",
        text: r"
[pool]
memory = 8 GiB
",
        stderr: r"
error: scenario.toml:2:10: not TOML: string values must be quoted, expected literal string
",
    },
    Case {
        what: "syntax errors on several lines",
        text: r"
[pool]
memory = 8 GiB
[rules
",
        stderr: r"
error: scenario.toml:2:10: not TOML: string values must be quoted, expected literal string
error: scenario.toml:3:7: not TOML: unclosed table, expected `]`
2 errors
",
    },
    Case {
        what: "key given twice",
        text: r"
seed = 1
seed = 2
",
        stderr: r"
error: scenario.toml:2:1: not TOML: duplicate key `seed`
",
    },
    Case {
        what: "table given twice",
        text: r#"
[pool]
memory = "8 GiB"
[pool]
"#,
        stderr: r"
error: scenario.toml:3:2: not TOML: duplicate key `pool`
",
    },
    Case {
        what: "nothing but a comment",
        text: r"
# later
",
        stderr: r#"
error: scenario.toml: [trace] is missing
  help: add
        [trace]
        path = "../traces/azure"
error: scenario.toml: [pool] is missing
  help: add
        [pool]
        memory = "8 GiB"
2 errors
"#,
    },
    Case {
        what: "misspelt tables",
        text: r#"
[trase]
path = "."
[poool]
memory = "8 GiB"
"#,
        stderr: r"
error: scenario.toml:1: unknown table `trase`
  help: did you mean `trace`?
error: scenario.toml:3: unknown table `poool`
  help: did you mean `pool`?
2 errors
",
    },
    Case {
        what: "a table for a word and a word for a table",
        text: r#"
pool = "8 GiB"
[trace]
path = "."
[seed]
"#,
        stderr: r"
error: scenario.toml:1: pool: expected a table, found the text `8 GiB`
  help: write [pool] on a line of its own and the keys below it
error: scenario.toml:4: seed: expected a whole number, found a table
2 errors
",
    },
    Case {
        what: "unknown table",
        text: r#"
[trace]
path = "."
[pool]
memory = "8 GiB"
[quota]
limit = 3
"#,
        stderr: r"
error: scenario.toml:5: unknown table `quota`
  help: a scenario has: name, question, seed, trace, pool, rules, eviction, keep-alive, prewarm, costs, failures, faascache-artifact, output, sweep, live, compare
",
    },
    Case {
        what: "key at the top that belongs below",
        text: r#"
memory = "8 GiB"
[trace]
path = "."
[pool]
memory = "8 GiB"
"#,
        stderr: r"
error: scenario.toml:1: unknown key `memory`
  help: it belongs in [pool]
",
    },
    Case {
        what: "key below that belongs at the top",
        text: r#"
[trace]
path = "."
[pool]
memory = "8 GiB"
seed = 3
"#,
        stderr: r"
error: scenario.toml:5: unknown key `seed` in [pool]
  help: it belongs at the top of the file, before the first [table]
",
    },
    Case {
        what: "names",
        text: r#"
name = "a/b"
question = ""
[trace]
path = "."
[pool]
memory = "8 GiB"
"#,
        stderr: r"
error: scenario.toml:1: name: `a/b` cannot name the results
  help: use letters, digits, `-`, `_` and `.`, beginning with a letter
error: scenario.toml:2: question: must not be empty
2 errors
",
    },
    Case {
        what: "name of another type",
        text: r#"
name = 7
[trace]
path = "."
[pool]
memory = "8 GiB"
"#,
        stderr: r"
error: scenario.toml:1: name: expected text in quotes, found the number 7
",
    },
    Case {
        what: "seed out of range",
        text: r#"
seed = -1
[trace]
path = "."
[pool]
memory = "8 GiB"
"#,
        stderr: r"
error: scenario.toml:1: seed: expected a whole number of at least 0, found the number -1
",
    },
    Case {
        what: "seed far out of range",
        text: r#"
seed = 18446744073709551616
[trace]
path = "."
[pool]
memory = "8 GiB"
"#,
        stderr: r"
error: scenario.toml:1: seed: expected at most 18446744073709551615, found the number 18446744073709551616
",
    },
    Case {
        what: "seed not whole",
        text: r#"
seed = 1.5
[trace]
path = "."
[pool]
memory = "8 GiB"
"#,
        stderr: r"
error: scenario.toml:1: seed: expected a whole number, found the number 1.5
",
    },
    Case {
        what: "missing keys",
        text: r"
[trace]
limit = 5
[pool]
",
        stderr: r#"
error: scenario.toml:1: `trace.path` is missing
  help: add `path = "../traces/azure"` under [trace]
error: scenario.toml:3: `pool.memory` is missing
  help: add `memory = "8 GiB"` under [pool]
2 errors
"#,
    },
    Case {
        what: "misspelt key is not missing as well",
        text: r#"
[trace]
pth = "."
[pool]
memroy = "8 GiB"
"#,
        stderr: r"
error: scenario.toml:2: unknown key `pth` in [trace]
  help: did you mean `path`?
error: scenario.toml:4: unknown key `memroy` in [pool]
  help: did you mean `memory`?
2 errors
",
    },
    Case {
        what: "missing trace",
        text: r#"
[trace]
path = "traces/none"
[pool]
memory = "8 GiB"
"#,
        stderr: r"
error: scenario.toml:2: trace.path: there is no trace at `traces/none`
  help: paths start from the folder of the scenario
",
    },
    Case {
        what: "trace beside a similar name",
        text: r#"
[trace]
path = "scenario.tmol"
[pool]
memory = "8 GiB"
"#,
        stderr: r"
error: scenario.toml:2: trace.path: there is no trace at `scenario.tmol`
  help: did you mean `scenario.toml`?
",
    },
    Case {
        what: "empty window",
        text: r#"
[trace]
path = "."
from = "2 h"
until = "1 h"
limit = 0
[pool]
memory = "8 GiB"
"#,
        stderr: r"
error: scenario.toml:4: trace.until: 1 h is not after `from`, 2 h: no invocation would be left
error: scenario.toml:5: trace.limit: expected a whole number of at least 1, found the number 0
2 errors
",
    },
];
