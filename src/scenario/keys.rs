//! Every key a scenario may have, with what it means. Owns the names: reading, suggestions and the
//! reference are driven by these tables. Must never read a value.

use std::fmt::Write as _;

use super::knobs::KNOBS;

/// A key as documented.
#[derive(Clone, Copy, Debug)]
pub struct Key {
    /// As written.
    pub name: &'static str,
    /// A value as it may be written, in TOML.
    pub example: &'static str,
    /// What holds without it; empty for tables.
    pub default: &'static str,
    /// One line: meaning and range.
    pub what: &'static str,
}

/// A table as documented.
#[derive(Debug)]
pub struct SectionKeys {
    /// Dotted path; empty for the top of the file.
    pub path: &'static str,
    /// As written above its keys.
    pub header: &'static str,
    /// One line.
    pub what: &'static str,
    /// What it may have.
    pub keys: &'static [Key],
}

const fn key(name: &'static str, example: &'static str, default: &'static str, what: &'static str) -> Key {
    Key { name, example, default, what }
}

/// The top of the file.
pub const TOP: &[Key] = &[
    key("name", "\"quickstart\"", "the file's name", "what results are called; a plain file name"),
    key("question", "\"How long should idle containers stay?\"", "none", "shown above the results"),
    key("seed", "1", "1", "of everything drawn at random"),
    key("trace", "", "", "what is invoked and when"),
    key("pool", "", "", "the worker's memory"),
    key("rules", "", "", "how the platform behaves"),
    key("eviction", "\"lru\"", "the preset's", "who goes when memory is short"),
    key("keep-alive", "\"fixed\"", "the preset's", "how long idle containers stay"),
    key("prewarm", "", "", "containers kept ready without code"),
    key("costs", "", "", "how long everything takes"),
    key("failures", "", "", "how often something fails"),
    key("faascache-artifact", "", "", "the published FaasCache simulator instead of the pool"),
    key("output", "", "", "what is written besides the summary"),
    key("sweep", "", "", "what `faassim sweep` varies"),
    key("live", "", "", "how `faassim live` replays the trace against real containers"),
    key("compare", "", "", "how far `faassim compare` lets two records lie apart"),
];

/// `[trace]`.
pub const TRACE: &[Key] = &[
    key(
        "path",
        "\"../traces/azure\"",
        "required",
        "folder or file of the trace, as seen from the scenario file",
    ),
    key("format", "\"azure2019\"", "by content", "its format; `faassim trace formats` lists all"),
    key("from", "\"1 h\"", "the start", "invocations before this are left out"),
    key("until", "\"2 h\"", "the end", "invocations from here on are left out"),
    key("limit", "100000", "all", "at most so many invocations"),
    key("days", "\"1-3\"", "all", "days of a data set with a file per day, laid end to end"),
    key("sample", "100", "all", "keep so many functions"),
    key("sample-by", "\"top\"", "\"representative\"", "… chosen so: representative, random, rare, top"),
    key("unit", "\"app\"", "\"function\"", "what is kept alive as one: function, app"),
    key(
        "app-memory",
        "\"whole\"",
        "\"divided\"",
        "an app's memory: divided over its functions, or whole for each",
    ),
    key("run-time", "\"percentiles\"", "\"average\"", "average, percentiles, or a duration per function"),
    key(
        "cold-start",
        "\"1 s\"",
        "\"maximum\"",
        "what it adds: longest run less average, or a duration per function",
    ),
    key(
        "incomplete",
        "\"drop\"",
        "\"fill\"",
        "functions without run time or memory: fill with the median, or drop",
    ),
    key("function-memory", "\"256 MiB\"", "\"128 MiB\"", "of functions whose format tells none"),
    key(
        "arrivals",
        "\"uniform\"",
        "\"by-trigger\"",
        "of counts: by-trigger, equidistant, staggered, uniform, poisson",
    ),
    key("seed", "2", "the scenario's", "of what is drawn while reading"),
];

/// `[pool]`.
pub const POOL: &[Key] = &[
    key("memory", "\"8 GiB\"", "required", "memory for containers (OpenWhisk: user-memory)"),
    key("elastic", "", "", "memory that follows the load"),
];

/// `[pool.elastic]`.
pub const ELASTIC: &[Key] = &[
    key("cold-percent", "5.0", "one of the two", "target: this share of the invocations starts cold, or …"),
    key(
        "cold-per-second",
        "0.5",
        "one of the two",
        "… so many cold starts per second (FaasCache's miss speed)",
    ),
    key("period", "\"10 min\"", "\"10 min\"", "how often memory is looked at"),
    key("deadband", "0.3", "0.3", "by what part the target may be missed without a change"),
    key("gain", "1.0", "1.0", "which part of the way to the curve's answer is gone at once, above 0 to 1"),
    key("min", "\"1 GiB\"", "\"128 MiB\"", "never less memory"),
    key("max", "\"64 GiB\"", "pool.memory", "never more memory"),
];

/// `[[prewarm]]`.
pub const PREWARM: &[Key] = &[
    key("kind", "\"python:3\"", "required", "runtime; serves functions of exactly this kind and memory"),
    key("memory", "\"256 MiB\"", "required", "memory of each"),
    key("initial-count", "2", "required", "started at first, and kept where there is no reactive part"),
    key("reactive", "", "", "follow demand (docs/specs/openwhisk.md §6)"),
];

/// `[prewarm.reactive]`.
pub const REACTIVE: &[Key] = &[
    key("min-count", "1", "required", "never fewer"),
    key("max-count", "4", "required", "never more"),
    key("ttl", "\"2 min\"", "required", "how long one may wait unused"),
    key("threshold", "1", "required", "cold starts since the last check per step, at least 1"),
    key("increment", "1", "required", "containers per step, at least 1"),
];

/// `[costs.functions.NAME]`.
pub const FUNCTION_COSTS: &[Key] = &[
    key("cold-start", "\"500 ms\"", "\"trace\"", "from dispatch to run as one number; not with phases"),
    key("pull", "\"2 s\"", "\"0 s\"", "phase: fetching the image, once per kind"),
    key("create", "\"400 ms\"", "\"0 s\"", "phase: creating the container"),
    key(
        "init",
        "\"100 ms\"",
        "\"0 s\"",
        "phase: loading the function's code; \"trace\": its cold less its warm time",
    ),
    key(
        "init-overhead",
        "\"80 ms\"",
        "\"0 s\"",
        "phase: what loading takes beyond that; makes init \"trace\"",
    ),
    key("first-run", "\"80 ms\"", "as run", "phase: the first run in a fresh container"),
    key("run", "\"50 ms\"", "\"trace\"", "a run"),
    key("run-overhead", "\"2 ms\"", "\"0 s\"", "what a run takes beyond the trace's time"),
    key("unpause", "\"60 ms\"", "\"0 s\"", "thawing a paused container"),
    key("pause", "\"10 ms\"", "\"0 s\"", "freezing an idle one"),
    key("logs", "\"5 ms\"", "\"0 s\"", "collecting logs after a run"),
    key("remove", "\"200 ms\"", "\"0 s\"", "removing a container"),
];

/// `[costs]`: those of every function, and exceptions.
pub const COSTS: &[Key] = &{
    let mut keys = [key("functions", "", "", "exceptions by function: [costs.functions.NAME]");
        FUNCTION_COSTS.len() + 3];
    keys[0] =
        key("from", "\"costs.toml\"", "none", "a file of measured costs; what is said here goes before it");
    let mut ix = 0;
    while ix < FUNCTION_COSTS.len() {
        keys[ix + 1] = FUNCTION_COSTS[ix];
        ix += 1;
    }
    keys[ix + 1] = key("contention", "", "", "processors that steps share: [costs.contention]");
    keys
};

/// `[costs.contention]`.
pub const CONTENTION: &[Key] = &[
    key("processors", "2", "required", "how many there are, at least 1"),
    key("create", "1.2", "0", "how many of them creating a container takes"),
    key("init", "0.8", "0", "… an initialisation"),
    key("run", "1.0", "0", "… a run"),
    key("unpause", "0.5", "0", "… thawing"),
    key("pause", "1.0", "0", "… freezing"),
    key("logs", "0.1", "0", "… collecting logs"),
    key("remove", "0.7", "0", "… removing"),
    key("by-clock", "true", "false", "what the trace tells takes its time by the clock, as of imitations"),
];

/// The top of a costs file.
pub const COSTS_FILE: &[Key] = &[
    key("costs", "", "", "as [costs] of a scenario"),
    key("calibration", "", "", "where they come from; not read"),
];

/// `[rules]`: the preset and a key per knob.
pub const RULES: &[Key] = &{
    let preset =
        key("preset", "\"openwhisk\"", "\"openwhisk\"", "the platform whose rules hold unless set here");
    let mut keys = [preset; KNOBS.len() + 1];
    let mut ix = 0;
    while ix < KNOBS.len() {
        keys[ix + 1] = key(KNOBS[ix].name, KNOBS[ix].example, "", KNOBS[ix].what);
        ix += 1;
    }
    keys
};

/// A duration written as a table: one distribution, and limits if wanted.
pub const DURATION: &[Key] = &[
    key("constant", "\"500 ms\"", "", "always the same, like the text alone"),
    key("uniform", "{ low = \"100 ms\", high = \"900 ms\" }", "", "evenly in between"),
    key("exponential", "{ mean = \"500 ms\" }", "", "exponential"),
    key("normal", "{ mean = \"500 ms\", sd = \"100 ms\" }", "", "normal, cut at 0"),
    key("log-normal", "{ median = \"500 ms\", sigma = 0.5 }", "", "sigma: of the natural logarithm"),
    key("gamma", "{ mean = \"500 ms\", shape = 2.0 }", "", "gamma"),
    key("weibull", "{ scale = \"500 ms\", shape = 1.5 }", "", "Weibull"),
    key(
        "empirical",
        "[\"100 ms\", \"200 ms\", \"900 ms\"]",
        "",
        "equally spaced quantiles, linear in between",
    ),
    key("min", "\"1 ms\"", "", "what is less becomes this"),
    key("max", "\"10 s\"", "", "what is more becomes this"),
];

/// Of `uniform`.
pub const UNIFORM: &[Key] = &[
    key("low", "\"100 ms\"", "required", "least value"),
    key("high", "\"900 ms\"", "required", "greatest value"),
];

/// Of `exponential`.
pub const EXPONENTIAL: &[Key] = &[key("mean", "\"500 ms\"", "required", "mean, above 0")];

/// Of `normal`.
pub const NORMAL: &[Key] = &[
    key("mean", "\"500 ms\"", "required", "mean before cutting"),
    key("sd", "\"100 ms\"", "required", "standard deviation before cutting"),
];

/// Of `log-normal`.
pub const LOG_NORMAL: &[Key] = &[
    key("median", "\"500 ms\"", "required", "median, above 0"),
    key("sigma", "0.5", "required", "standard deviation of the natural logarithm"),
];

/// Of `gamma`.
pub const GAMMA: &[Key] = &[
    key("mean", "\"500 ms\"", "required", "mean, above 0"),
    key("shape", "2.0", "required", "shape (k), above 0"),
];

/// Of `weibull`.
pub const WEIBULL: &[Key] = &[
    key("scale", "\"500 ms\"", "required", "scale (lambda), above 0"),
    key("shape", "1.5", "required", "shape (k), above 0"),
];

/// `[failures]`.
pub const FAILURES: &[Key] = &[
    key("create", "0.01", "0", "probability that creating a container fails"),
    key("init", "0.01", "0", "… that an initialisation fails"),
    key("run", "0.01", "0", "… that a run ends with a developer error, which destroys the container"),
    key("logs", "0.01", "0", "… that collecting logs fails"),
    key("pause", "0.01", "0", "… that pausing fails"),
    key("resume", "0.01", "0", "… that resuming fails"),
];

/// `[faascache-artifact]`.
pub const ARTIFACT: &[Key] = &[key("policy", "\"GD\"", "required", "by its published name")];

/// `[output]`.
pub const OUTPUT: &[Key] = &[
    key("invocations", "true", "false", "write a table with a row per invocation"),
    key("functions", "false", "true", "write a table with a row per function"),
    key("memory-every", "\"10 s\"", "\"1 min\"", "interval of the table of memory over time"),
];

/// `[live]`.
pub const LIVE: &[Key] = &[
    key("backend", "\"docker\"", "\"auto\"", "docker, process, or auto: docker where an engine answers"),
    key(
        "actions",
        "\"../actions\"",
        "../actions or actions",
        "folder with actions.toml, as seen from the scenario file",
    ),
    key(
        "map",
        "\"lookbusy\"",
        "\"nearest\"",
        "who runs what: by name, nearest (else by run time), or lookbusy",
    ),
    key("speed", "10.0", "1.0", "how many seconds of the trace go by in one; runs take what they take"),
    key("limit", "500", "all", "at most so many arrivals"),
    key("duration", "\"10 min\"", "all", "only arrivals within so much of the trace's time after the first"),
    key("parallel-starts", "4", "10", "most containers that are started at once, at least 1"),
    key("time-limit", "\"5 min\"", "\"1 min\"", "how long an initialisation or a run may take"),
    key("drain", "\"30 s\"", "\"2 min\"", "how long after the last arrival work may still end"),
    key("network", "true", "false", "whether actions reach the network"),
    key("pull", "true", "false", "whether missing images are fetched"),
    key("logs", "false", "true", "whether logs are collected after each run"),
    key("log-limit", "\"1 MB\"", "\"10 MB\"", "how much a run may print; its logs have 2 s per MB to come"),
    key("cpus", "4.0", "no limit", "processors shared by memory (OpenWhisk: user-cpus)"),
    key("functions", "", "", "[live.functions]: \"FUNCTION\" = \"ACTION\", or a table as below"),
    key("images", "", "", "[live.images]: \"KIND\" = \"IMAGE\""),
];

/// An exception in `[live.functions]`, written as a table.
pub const LIVE_FUNCTION: &[Key] = &[
    key("action", "\"matmul\"", "required", "the action, by its name in actions.toml"),
    key("args", "{ n = 200 }", "none", "arguments, beside those of actions.toml or instead of them"),
];

/// `[compare]`.
pub const COMPARE: &[Key] = &[
    key("cold-ratio-pp", "1.0", "none", "most difference of the cold ratios, in percentage points"),
    key("unserved-pp", "0.5", "none", "most difference of the shares not served, in percentage points"),
    key("agreement-pct", "95.0", "none", "least share of invocations on which both sides agree, in per cent"),
    key("kappa", "0.8", "none", "least Cohen's kappa"),
    key("p50-pct", "10.0", "none", "most difference of the median responses, in per cent of B's"),
    key("p90-pct", "15.0", "none", "… of the 90th percentiles"),
    key("p95-pct", "20.0", "none", "… of the 95th percentiles"),
    key("p99-pct", "30.0", "none", "… of the 99th percentiles"),
    key("ks", "0.1", "none", "most Kolmogorov–Smirnov distance of the responses, 0 to 1"),
    key("wait-p95-ms", "50.0", "none", "most difference of the 95th percentiles of the waits, in ms"),
    key("memory-pct", "10.0", "none", "most difference of the mean memory, in per cent of B's"),
    key("created-pct", "10.0", "none", "… of the containers created"),
    key("evicted-pct", "10.0", "none", "… of the containers evicted"),
];

/// All tables with fixed keys, in the order of the documentation.
pub const SECTIONS: &[SectionKeys] = &[
    SectionKeys { path: "", header: "", what: "at the top of the file", keys: TOP },
    SectionKeys { path: "trace", header: "[trace]", what: "what is invoked and when", keys: TRACE },
    SectionKeys { path: "pool", header: "[pool]", what: "the worker", keys: POOL },
    SectionKeys {
        path: "pool.elastic",
        header: "[pool.elastic]",
        what: "memory that follows the load, as in FaasCache",
        keys: ELASTIC,
    },
    SectionKeys { path: "rules", header: "[rules]", what: "how the platform behaves", keys: RULES },
    SectionKeys {
        path: "prewarm",
        header: "[[prewarm]]",
        what: "containers kept ready without code; one table each",
        keys: PREWARM,
    },
    SectionKeys {
        path: "prewarm.reactive",
        header: "[prewarm.reactive]",
        what: "belongs to the [[prewarm]] above it; needs all of:",
        keys: REACTIVE,
    },
    SectionKeys { path: "costs", header: "[costs]", what: "durations, see below", keys: COSTS },
    SectionKeys {
        path: "costs.contention",
        header: "[costs.contention]",
        what: "steps slow each other down when they want more processors than there are",
        keys: CONTENTION,
    },
    SectionKeys { path: "failures", header: "[failures]", what: "probabilities from 0 to 1", keys: FAILURES },
    SectionKeys {
        path: "faascache-artifact",
        header: "[faascache-artifact]",
        what: "instead of rules, eviction, keep-alive, prewarm, costs and failures",
        keys: ARTIFACT,
    },
    SectionKeys { path: "output", header: "[output]", what: "tables besides the summary", keys: OUTPUT },
    SectionKeys {
        path: "live",
        header: "[live]",
        what: "what `faassim live` does; `run` takes no notice of it",
        keys: LIVE,
    },
    SectionKeys {
        path: "live.functions.NAME",
        header: "[live.functions.NAME]",
        what: "which action stands for this function; \"NAME\" = \"ACTION\" for short",
        keys: LIVE_FUNCTION,
    },
    SectionKeys {
        path: "compare",
        header: "[compare]",
        what: "limits for `faassim compare`, `validate` and `report`, also written cold_ratio_pp and so on",
        keys: COMPARE,
    },
];

/// Everything a scenario may say, as text.
pub fn reference() -> String {
    let mut text = String::new();
    for section in SECTIONS {
        let title = if section.header.is_empty() { "Scenario" } else { section.header };
        let _ = writeln!(text, "{title}: {}", section.what);
        for key in section.keys.iter().filter(|key| !key.default.is_empty()) {
            let default = match key.default {
                "required" => "required".to_owned(),
                default => format!("default: {default}"),
            };
            let _ = writeln!(text, "  {:<16} {} ({default})", key.name, key.what);
        }
        if section.path == "rules" {
            text.push_str("  and every knob of `faassim policies --rules`\n");
        }
        if section.path == "live" {
            text.push_str("  [live.images]: \"KIND\" = \"IMAGE\" for kinds served by images of your own\n");
        }
        text.push('\n');
    }
    text.push_str("[eviction.NAME], [keep-alive.NAME]: at most one of each, with the policy's parameters\n");
    text.push_str("  `eviction = \"NAME\"` takes a policy as it is; `faassim policies` lists all\n\n");
    text.push_str("[sweep]: what `faassim sweep` varies, in every combination; the first varies slowest\n");
    for (example, what) in [
        ("\"pool.memory\" = [\"4 GiB\", \"8 GiB\"]", "any path of a scenario, and a list of its values"),
        (
            "\"pool.memory\" = \"1 GiB..80 GiB / 500 MB\"",
            "from, to, and the step; also of times and plain numbers",
        ),
        ("\"keep-alive.fixed.keep\" = \"1 min..2 h * 2\"", "from, to, and the factor"),
        ("seed = \"1..10\"", "whole numbers need no step"),
        ("eviction = [\"lru\", { s3-fifo = { small = 0.2 } }]", "tables where the path takes a table"),
    ] {
        let _ = writeln!(text, "  {example}\n    {what}");
    }
    text.push('\n');
    text.push_str("Durations: \"500 ms\", or one distribution, with limits if wanted\n");
    for key in DURATION {
        let _ = writeln!(text, "  {{ {} = {} }}: {}", key.name, key.example, key.what);
    }
    text
}
