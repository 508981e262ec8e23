//! Every recorded case of OpenWhisk's behaviour, played to the pool and compared.
//!
//! The cases are in `tests/data/openwhisk` (its README describes them); `FAASSIM_CONFORMANCE_DIR=DIR` adds every
//! `*.json` of the same schema in a directory. It must never skip a case in silence: what is not run is counted and
//! named, and no cases at all is a failure too.

mod case;
mod compare;
mod fixture;
mod function;
mod invoker;
mod pool;
mod proxy;

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

use case::Case;
use compare::Mismatch;

/// Cases in which the pool differs from what is recorded, and why.
const KNOWN_DISAGREEMENTS: &[(&str, &str)] = &[];

/// Levels that faassim has no part for, and why.
const SKIPPED_LEVELS: &[(&str, &str)] = &[
    ("balancer", "faassim is one worker, it has no balancer"),
    ("supervision", "faassim is one worker, it has no view of others"),
];

#[test]
fn bundled_cases() -> Result<(), String> {
    check(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/openwhisk"))
}

#[test]
fn cases_of_the_given_directory() -> Result<(), String> {
    match std::env::var_os("FAASSIM_CONFORMANCE_DIR") {
        Some(directory) => check(Path::new(&directory)),
        None => {
            println!("FAASSIM_CONFORMANCE_DIR is not set: bundled cases only");
            Ok(())
        }
    }
}

/// Plays all cases of a directory, prints how they went, and fails unless all agree.
fn check(directory: &Path) -> Result<(), String> {
    let mut tally = Tally::default();
    for path in json_files(directory)? {
        match case::read(&path)? {
            Some(cases) => cases.iter().for_each(|case| tally.play(case)),
            None => println!("{}: not a case file", path.display()),
        }
    }
    tally.report(directory)
}

fn json_files(directory: &Path) -> Result<Vec<PathBuf>, String> {
    let entries = std::fs::read_dir(directory).map_err(|e| format!("{}: {e}", directory.display()))?;
    let mut files = Vec::new();
    for entry in entries {
        let path = entry.map_err(|e| format!("{}: {e}", directory.display()))?.path();
        if path.extension().is_some_and(|extension| extension == "json") {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

/// How the cases went.
#[derive(Default)]
struct Tally {
    ran: BTreeMap<String, (usize, usize)>,
    skipped: BTreeMap<String, usize>,
    disagreements: Vec<String>,
    failures: Vec<String>,
}

impl Tally {
    fn play(&mut self, case: &Case) {
        if SKIPPED_LEVELS.iter().any(|(level, _)| *level == case.level) {
            *self.skipped.entry(case.level.clone()).or_default() += 1;
            return;
        }
        // A panic must not hide the other cases.
        let outcome = catch_unwind(AssertUnwindSafe(|| play(case)))
            .unwrap_or_else(|_| Err("it panicked; the message is above".to_owned()));
        let mismatches = outcome.unwrap_or_else(|why| vec![Mismatch::whole_case(why)]);
        let known = KNOWN_DISAGREEMENTS.iter().find(|(id, _)| *id == case.id);
        let entry = self.ran.entry(case.level.clone()).or_default();
        entry.0 += 1;
        match (mismatches.is_empty(), known) {
            (true, None) => entry.1 += 1,
            (true, Some(_)) => {
                self.failures.push(format!("{}: agrees, but is a known disagreement", case.id))
            }
            (false, Some((id, why))) => self.disagreements.push(format!("{id}: {why}")),
            (false, None) => {
                self.failures.extend(mismatches.iter().map(|m| format!("{} ({}): {m}", case.id, case.title)));
            }
        }
    }

    fn report(&self, directory: &Path) -> Result<(), String> {
        let (ran, passed) = self.ran.values().fold((0, 0), |sum, n| (sum.0 + n.0, sum.1 + n.1));
        println!("{}: {ran} cases ran, {passed} passed", directory.display());
        for (level, (ran, passed)) in &self.ran {
            println!("  {level}: {ran} ran, {passed} passed");
        }
        for (level, count) in &self.skipped {
            let why = SKIPPED_LEVELS.iter().find(|(name, _)| name == level).map_or("", |(_, why)| why);
            println!("  {level}: {count} skipped ({why})");
        }
        for disagreement in &self.disagreements {
            println!("  known disagreement {disagreement}");
        }
        for failure in &self.failures {
            println!("{failure}");
        }
        match (ran + self.skipped.len(), self.failures.len()) {
            (0, _) => Err(format!("{}: no cases", directory.display())),
            (_, 0) => Ok(()),
            (_, failures) => Err(format!("{}: {failures} mismatches, printed above", directory.display())),
        }
    }
}

fn play(case: &Case) -> Result<Vec<Mismatch>, String> {
    match case.level.as_str() {
        "pool" => pool::play(case),
        "proxy" => proxy::play(case),
        "invoker" => invoker::play(case),
        "function" => function::play(case),
        other => Err(format!("unknown level `{other}`")),
    }
}
