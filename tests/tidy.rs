//! The house rules, checked by reading the source: what opens a file, what must not occur where, how
//! long a file may be, what the README must name. Must never judge what rustfmt or clippy judge.

use std::fs;
use std::path::{Path, PathBuf};

use faassim::policy::{EVICTION, KEEP_ALIVE};

/// Most lines of a source file.
const LONGEST: usize = 600;

/// Files that may be longer, and why. Empty is best.
const LONGER: &[(&str, &str)] = &[];

/// A word that must not occur, and what to do instead.
struct Ban {
    word: &'static str,
    instead: &'static str,
}

const fn ban(word: &'static str, instead: &'static str) -> Ban {
    Ban { word, instead }
}

const TOLD_TIME: &str = "time is told from outside: take `now` as an argument";
const IN_ORDER: &str = "its order is not the same in every run: use a Vec by number, or a BTreeMap";
const NO_IO: &str = "no IO here: return it, or tell the sink";
const FLAT: &str = "state is flat and has one owner: use numbers into a Vec";
const SEEDED: &str = "only the random policy draws, with its own seeded generator";
const ONE_MACHINE: &str = "the same machine is simulated and live: move the difference into a driver";

/// What the core must not know.
const CORE: &[Ban] = &[
    ban("tokio", "the core knows no driver: move it to src/live"),
    ban("bollard", "the core knows no driver: move it to src/live"),
    ban("Instant", TOLD_TIME),
    ban("SystemTime", TOLD_TIME),
    ban("std::fs", NO_IO),
    ban("std::io", NO_IO),
    ban("println!", NO_IO),
    ban("eprintln!", NO_IO),
    ban("Rc<", FLAT),
    ban("RefCell", FLAT),
    ban("Mutex", FLAT),
    ban("HashMap", IN_ORDER),
    ban("thread_rng", SEEDED),
    ban("rand::", SEEDED),
    ban("is_simulat*", ONE_MACHINE),
];

/// What the simulator and the tally must not know.
const SIMULATED: &[Ban] = &[
    ban("Instant", TOLD_TIME),
    ban("SystemTime", TOLD_TIME),
    ban("HashMap", IN_ORDER),
    ban("thread_rng", "draw from the scenario's seed"),
    ban("println!", NO_IO),
];

/// What must occur nowhere in the program.
const ANYWHERE: &[Ban] = &[
    ban(".unwrap()", "return an error, or `expect` with the reason why it cannot fail"),
    ban("todo!", "do it, or return an error"),
    ban("unimplemented!", "implement it, or return an error"),
    ban("dbg!", "remove it"),
    ban("#[allow", "fix the cause, or `#[expect(…, reason = \"…\")]`"),
    ban("#![allow", "fix the cause, or `#![expect(…, reason = \"…\")]`"),
];

/// The bans in force in a file.
fn bans(path: &str) -> Vec<&'static Ban> {
    let under = |folder: &str| path.starts_with(folder);
    let place = if under("src/pool/") || under("src/policy/") {
        CORE
    } else if under("src/sim/") || under("src/tally/") {
        SIMULATED
    } else {
        &[]
    };
    let random = path == "src/policy/random.rs";
    let all = place.iter().chain(if under("src/") { ANYWHERE } else { &[] });
    all.filter(|ban| !(random && ban.word == "rand::")).collect()
}

// ----- the rules, each on one file's text -----

/// Whatever breaks a rule in a Rust file, as `file:line: what; what to do`.
fn check_rust(path: &str, text: &str) -> Vec<String> {
    let mut findings = check_white_space(path, text);
    if !text.starts_with("//!") {
        findings.push(format!(
            "{path}:1: no header; open the file with `//!`: what it owns, and what it must never do"
        ));
    }
    let lines = text.lines().count();
    let longer = LONGER.iter().any(|(file, _)| *file == path);
    if lines > LONGEST && !longer {
        findings.push(format!(
            "{path}:{LONGEST}: {lines} lines, at most {LONGEST} are allowed; split the file by what it owns"
        ));
    }
    if lines <= LONGEST && longer {
        findings.push(format!("{path}:1: short enough; take it out of LONGER in tests/tidy.rs"));
    }
    if !path.ends_with("/tests.rs") {
        let code = without_tests(&code_only(text));
        for (ix, line) in code.lines().enumerate() {
            for ban in bans(path).into_iter().filter(|ban| occurs(ban.word, line)) {
                findings.push(format!("{path}:{}: `{}`; {}", ix + 1, ban.word, ban.instead));
            }
        }
    }
    findings
}

fn check_white_space(path: &str, text: &str) -> Vec<String> {
    let mut findings = Vec::new();
    for (ix, line) in text.lines().enumerate() {
        if line.contains('\t') {
            findings.push(format!("{path}:{}: a TAB; use blanks", ix + 1));
        }
        if line.ends_with([' ', '\t']) {
            findings.push(format!("{path}:{}: white space at the end of the line; remove it", ix + 1));
        }
    }
    findings
}

fn check_scenario(path: &str, text: &str) -> Vec<String> {
    let mut findings = check_white_space(path, text);
    if !text.starts_with('#') {
        findings.push(format!("{path}:1: no comment; open the scenario with `# ` and what it shows"));
    }
    findings
}

/// Policies that no row of a table in the README names.
fn check_readme(path: &str, text: &str, policies: &[&str]) -> Vec<String> {
    let row = |name: &str| {
        let quoted = format!("`{name}`");
        text.lines().any(|line| line.trim_start().starts_with('|') && line.contains(&quoted))
    };
    let missing = policies.iter().filter(|name| !row(name));
    let line = text.lines().position(|line| line.trim_start().starts_with('|')).map_or(1, |ix| ix + 1);
    missing
        .map(|name| format!("{path}:{line}: policy `{name}` is missing; add a row for it to the table"))
        .collect()
}

// ----- reading Rust, just well enough -----

/// Whether a word occurs in a line, not as a part of another. A star at its end stands for any ending.
fn occurs(word: &str, line: &str) -> bool {
    let (word, any_ending) = word.strip_suffix('*').map_or((word, false), |word| (word, true));
    let is_part = |c: char| c.is_alphanumeric() || c == '_';
    line.match_indices(word).any(|(at, _)| {
        let before = line[..at].chars().next_back().is_some_and(is_part);
        let after = line[at + word.len()..].chars().next().is_some_and(is_part);
        let starts = before && word.starts_with(is_part);
        let ends = after && word.ends_with(is_part) && !any_ending;
        !starts && !ends
    })
}

/// The text with comments and the insides of strings blanked out, line by line as it was.
fn code_only(text: &str) -> String {
    let mut code = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let len = token(rest, code.chars().next_back());
        let (token, after) = rest.split_at(len.unwrap_or(first.len_utf8()));
        match len {
            None => code.push(first),
            Some(_) => code.extend(token.chars().map(|c| if c == '\n' { c } else { ' ' })),
        }
        rest = after;
    }
    code
}

/// How long the comment, string or quoted character is with which the text starts; `None`: it does not.
fn token(text: &str, before: Option<char>) -> Option<usize> {
    let end = |of: &str, from: usize| text[from..].find(of).map_or(text.len(), |at| from + at + of.len());
    if text.starts_with("//") {
        return Some(text.find('\n').unwrap_or(text.len()));
    }
    if text.starts_with("/*") {
        return Some(end("*/", 2));
    }
    let in_word = before.is_some_and(|c| c.is_alphanumeric() || c == '_');
    if !in_word && let Some(raw) = text.strip_prefix('r') {
        let hashes = raw.chars().take_while(|c| *c == '#').count();
        if raw[hashes..].starts_with('"') {
            return Some(end(&format!("\"{}", "#".repeat(hashes)), 2 + hashes));
        }
    }
    if let Some(string) = text.strip_prefix('"') {
        let mut escaped = false;
        let close = string.find(|c| {
            let closes = c == '"' && !escaped;
            escaped = c == '\\' && !escaped;
            closes
        });
        return Some(close.map_or(text.len(), |at| at + 2));
    }
    if let Some(quoted) = text.strip_prefix('\'') {
        if quoted.starts_with('\\') {
            return Some(end("'", 3));
        }
        // A lifetime has no second quote after one character.
        let len = quoted.chars().next().map_or(0, char::len_utf8);
        return quoted[len..].starts_with('\'').then_some(len + 2);
    }
    None
}

/// The code with modules and items under `#[cfg(test)]` blanked out, line by line as it was.
fn without_tests(code: &str) -> String {
    let mut kept = String::with_capacity(code.len());
    let mut rest = code;
    while let Some(at) = rest.find("#[cfg(test)]") {
        kept.push_str(&rest[..at]);
        let mut depth = 0_i32;
        let len = rest[at..].find(|c| {
            depth += i32::from(c == '{') - i32::from(c == '}');
            depth == 0 && (c == '}' || c == ';')
        });
        let end = len.map_or(rest.len(), |len| at + len + 1);
        kept.extend(rest[at..end].chars().filter(|c| *c == '\n'));
        rest = &rest[end..];
    }
    kept + rest
}

// ----- the files -----

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Files under a folder whose names end so, in order. A folder that is not there has none.
fn files(folder: &str, ending: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![root().join(folder)];
    while let Some(folder) = folders.pop() {
        let Ok(entries) = fs::read_dir(&folder) else { continue };
        for entry in entries {
            let path = entry.expect("a folder that can be read has entries that can").path();
            if path.is_dir() {
                folders.push(path);
            } else if path.to_string_lossy().ends_with(ending) {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

fn check_all(paths: Vec<PathBuf>, check: impl Fn(&str, &str) -> Vec<String>) -> Vec<String> {
    let check_one = |path: PathBuf| {
        let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let name = path.strip_prefix(root()).expect("found under the root");
        check(&name.to_string_lossy().replace('\\', "/"), &text)
    };
    paths.into_iter().flat_map(check_one).collect()
}

fn assert_tidy(findings: &[String]) {
    assert!(findings.is_empty(), "{} findings:\n{}", findings.len(), findings.join("\n"));
}

#[test]
fn rust_files_are_tidy() {
    let paths: Vec<PathBuf> =
        ["src", "tests", "benches"].iter().flat_map(|folder| files(folder, ".rs")).collect();
    for expected in ["src/lib.rs", "src/pool/proxy.rs", "tests/tidy.rs"] {
        assert!(paths.contains(&root().join(expected)), "{expected} was not found");
    }
    for (file, _) in LONGER {
        assert!(root().join(file).exists(), "{file} is gone; take it out of LONGER in tests/tidy.rs");
    }
    assert_tidy(&check_all(paths, check_rust));
}

#[test]
fn other_texts_have_no_stray_white_space() {
    let folders = ["src", "docs", "scripts", "actions", ".ci", "scenarios"];
    let endings = [".md", ".toml", ".py", ".sh", ".yml", ".json"];
    let mut paths: Vec<PathBuf> =
        folders.iter().flat_map(|folder| endings.iter().flat_map(|ending| files(folder, ending))).collect();
    let top = ["Cargo.toml", "README.md", "ARCHITECTURE.md", "CHANGELOG.md", "clippy.toml", "rustfmt.toml"];
    paths.extend(top.iter().map(|name| root().join(name)).filter(|path| path.exists()));
    assert!(paths.len() > 3, "hardly any text was found");
    assert_tidy(&check_all(paths, check_white_space));
}

#[test]
fn scenarios_open_with_a_comment() {
    assert_tidy(&check_all(files("scenarios", ".toml"), check_scenario));
}

#[test]
fn the_readme_names_every_policy() {
    let readme = root().join("README.md");
    let names = EVICTION.iter().map(|policy| policy.name).chain(KEEP_ALIVE.iter().map(|policy| policy.name));
    let names: Vec<&str> = names.collect();
    if readme.exists() {
        assert_tidy(&check_all(vec![readme], |path, text| check_readme(path, text, &names)));
    }
}

// ----- the rules can be broken -----

/// What `check_rust` says of a body under a proper header.
fn findings(path: &str, body: &str) -> Vec<String> {
    check_rust(path, &format!("//! Owns a rule.\n\n{body}"))
}

#[test]
fn a_file_without_header_is_found() {
    assert_eq!(check_rust("src/a.rs", "//! Owns a.\n"), Vec::<String>::new());
    let found = check_rust("src/a.rs", "// Owns a.\n");
    assert!(found[0].starts_with("src/a.rs:1: no header; open the file with `//!`"), "{found:?}");
}

#[test]
fn every_banned_word_is_found_where_it_is_banned() {
    let places = [("src/pool/a.rs", CORE), ("src/policy/a.rs", CORE), ("src/sim/a.rs", SIMULATED)];
    let places = places.into_iter().chain([("src/tally/a.rs", SIMULATED), ("src/cli/a.rs", ANYWHERE)]);
    for (path, bans) in places {
        for Ban { word, instead } in bans {
            let example = word.replace('*', "ed");
            let found = findings(path, &format!("fn f() {{\n    {example}\n}}\n"));
            assert_eq!(found, [format!("{path}:4: `{word}`; {instead}")]);
        }
    }
    assert_eq!(findings("src/live/a.rs", "use tokio::time::Instant;\n"), Vec::<String>::new());
    assert_eq!(findings("src/policy/random.rs", "use rand::Rng;\n"), Vec::<String>::new());
    assert_eq!(findings("src/policy/random.rs", "rand::thread_rng();\n").len(), 1);
    assert_eq!(findings("tests/a.rs", "let a = b.unwrap();\n"), Vec::<String>::new());
}

#[test]
fn parts_of_words_comments_strings_and_tests_do_not_count() {
    for harmless in [
        "struct Instants; struct MyHashMap; use operand::x; type A = Arc<u8>;\n",
        "// a HashMap, todo!\n/* an\n   Instant */\n/// `.unwrap()`\n",
        "const A: &str = \"a \\\" HashMap\"; const B: &str = r#\"dbg!(\" Instant\"#;\n",
        "const A: char = '\"'; const B: char = '\\''; // Instant\n",
        "fn f<'a>(x: &'a str) -> &'a str { x }\n",
        "#[cfg(test)]\nmod tests {\n    fn f() { let a = b.unwrap(); }\n}\n",
        "#[cfg(test)]\nmod tests;\n",
    ] {
        assert_eq!(findings("src/pool/a.rs", harmless), Vec::<String>::new(), "{harmless}");
    }
    for (body, line) in [
        ("const A: char = '\"'; type B = HashMap;\n", 3),
        ("const A: &str = \"\\\\\"; type B = HashMap;\n", 3),
        ("#[cfg(test)]\nmod tests {\n    fn f() {}\n}\n\ntype B = HashMap;\n", 8),
        ("#[cfg(test)]\nmod tests;\ntype B = HashMap;\n", 5),
    ] {
        let found = findings("src/pool/a.rs", body);
        assert_eq!(found, [format!("src/pool/a.rs:{line}: `HashMap`; {IN_ORDER}")], "{body}");
    }
    assert_eq!(
        check_rust("src/artifact/tests.rs", "//! Tests.\nlet a = b.unwrap();\n"),
        Vec::<String>::new()
    );
}

#[test]
fn a_long_file_is_found() {
    assert_eq!(findings("src/a.rs", &"\n".repeat(LONGEST - 2)), Vec::<String>::new());
    let found = findings("src/a.rs", &"\n".repeat(LONGEST - 1));
    assert_eq!(found, ["src/a.rs:600: 601 lines, at most 600 are allowed; split the file by what it owns"]);
}

#[test]
fn stray_white_space_is_found() {
    assert_eq!(check_white_space("a.md", "a b\n\n  c\n"), Vec::<String>::new());
    assert_eq!(check_white_space("a.md", "a\n\tb\n"), ["a.md:2: a TAB; use blanks"]);
    assert_eq!(check_white_space("a.md", "a \n"), ["a.md:1: white space at the end of the line; remove it"]);
}

#[test]
fn a_scenario_without_comment_is_found() {
    assert_eq!(check_scenario("scenarios/a.toml", "# Shows a.\nmemory = 1\n"), Vec::<String>::new());
    let found = check_scenario("scenarios/a.toml", "memory = 1\n");
    assert_eq!(found, ["scenarios/a.toml:1: no comment; open the scenario with `# ` and what it shows"]);
}

#[test]
fn a_policy_missing_in_the_readme_is_found() {
    let readme = "# a\n`lfu` is good\n\n| policy | paper |\n|---|---|\n| `lru` | – |\n";
    assert_eq!(check_readme("README.md", readme, &["lru"]), Vec::<String>::new());
    let found = check_readme("README.md", readme, &["lru", "lfu", "l"]);
    assert_eq!(
        found,
        [
            "README.md:4: policy `lfu` is missing; add a row for it to the table",
            "README.md:4: policy `l` is missing; add a row for it to the table"
        ]
    );
}
