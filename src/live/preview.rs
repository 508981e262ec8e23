//! What a live run would be, before it is one, and whether this machine can carry it. Owns the verdict; must never start
//! anything.

use std::fs;
use std::path::Path;

use super::load::{AtOnce, LoadFigures};
use super::plan::{LEAST_MEMORY, Plan};
use crate::memory::Memory;
use crate::results::{counted, duration, layout, thousands};
use crate::scenario::{BackendChoice, Scenario};
use crate::time::Span;
use crate::trace::Trace;

/// More arrivals in a second than this are not sent when they are due.
const MOST_PER_SECOND: u64 = 500;

/// What an arrival leaves in the event log, generously.
const LOGGED_BYTES: u64 = 2_000;

/// What must be left on the disk besides the event log, in MiB: an image and what engines write.
const LEAST_DISK_MIB: u64 = 1_024;

/// What a machine has. What cannot be told is `None`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Machine {
    /// Processors that may be used.
    pub cpus: u64,
    /// Memory in MiB; less if this process may use less.
    pub memory_mib: Option<u64>,
    /// Memory in MiB that nobody uses.
    pub available_mib: Option<u64>,
    /// Free in MiB where results go.
    pub disk_mib: Option<u64>,
}

impl Machine {
    /// This one. `results`: a folder on the disk to look at.
    pub fn here(results: &Path) -> Machine {
        let meminfo = fs::read_to_string("/proc/meminfo").unwrap_or_default();
        let limit = fs::read_to_string("/sys/fs/cgroup/memory.max").unwrap_or_default();
        let limit_mib = limit.trim().parse::<u64>().ok().map(|bytes| bytes >> 20);
        let least = |mib: Option<u64>| mib.map(|mib| mib.min(limit_mib.unwrap_or(u64::MAX)));
        Machine {
            cpus: std::thread::available_parallelism().map_or(1, |cpus| cpus.get() as u64),
            memory_mib: least(meminfo_mib(&meminfo, "MemTotal")),
            available_mib: least(meminfo_mib(&meminfo, "MemAvailable")),
            disk_mib: rustix::fs::statvfs(results)
                .ok()
                .map(|disk| ((u128::from(disk.f_bavail) * u128::from(disk.f_frsize)) >> 20) as u64),
        }
    }
}

/// A line of `/proc/meminfo`, which is in kB of 1024 bytes.
fn meminfo_mib(text: &str, name: &str) -> Option<u64> {
    let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))?;
    line.split_whitespace().next()?.parse::<u64>().ok().map(|kib| kib >> 10)
}

/// Everything there is to say before a run.
pub struct Preview<'a> {
    /// What is to be run.
    pub scenario: &'a Scenario,
    /// Its trace.
    pub trace: &'a Trace,
    /// How often each function is invoked.
    pub arrivals: &'a [u64],
    /// Who runs what.
    pub plan: &'a Plan,
    /// What that asks for.
    pub load: LoadFigures,
    /// What there is.
    pub machine: Machine,
    /// What carries it out, in words.
    pub backend: String,
}

impl Preview<'_> {
    /// The text, at most 80 columns wide. `is_there`: whether an image is; `None` if that cannot be told.
    pub fn text(&self, is_there: impl Fn(&str) -> Option<bool>) -> String {
        let mut text = self.plan.table(self.trace, self.arrivals);
        text.push('\n');
        self.load_lines(&mut text);
        self.machine_lines(&mut text);
        let mut missing = Vec::new();
        for (nth, (kind, image)) in self.plan.images.iter().enumerate() {
            let state = match is_there(image) {
                Some(true) => "is there",
                Some(false) => "is missing",
                None => "not looked for",
            };
            if is_there(image) == Some(false) && !missing.contains(&image.as_str()) {
                missing.push(image.as_str());
            }
            entry(&mut text, if nth == 0 { "images" } else { "" }, &format!("{image} ({state}), for {kind}"));
        }
        text.push('\n');
        let mut reasons = self.doubts();
        if !missing.is_empty() && !self.scenario.live.pull {
            reasons.push(format!(
                "missing under docker: {}; build or fetch them first, or say `pull = true`",
                missing.join(", ")
            ));
        }
        if reasons.is_empty() {
            text.push_str("This machine can carry it.\n");
            return text;
        }
        text.push_str("This machine, or this load, is not what it should be:\n");
        for reason in reasons {
            text.push_str(&layout::entry("  -", 4, &reason));
        }
        text
    }

    fn load_lines(&self, text: &mut String) {
        let (load, live) = (&self.load, &self.scenario.live);
        let speed =
            if live.speed == 1.0 { String::new() } else { format!(" at {} times the speed", live.speed) };
        entry(
            text,
            "load",
            &format!(
                "{} of {} in {}{speed}",
                counted(load.arrivals, "arrival"),
                counted(load.functions, "function"),
                duration(load.span.as_ms_f64())
            ),
        );
        let mean = load.mean_per_second();
        let most = thousands(load.peak_per_second);
        entry(text, "", &format!("{mean:.1} a second on average, {most} within a second at most"));
        let end = load.span + live.drain;
        entry(text, "", &format!("over after {} at the latest, by live.drain", duration(end.as_ms_f64())));
        let at_once = |at_once: AtOnce| {
            format!("{} with {} MiB", thousands(at_once.activations), thousands(at_once.memory_mib))
        };
        entry(
            text,
            "at once",
            &format!(
                "{} at most if all start warm, {} if all start cold",
                at_once(load.warm),
                at_once(load.cold)
            ),
        );
        entry(
            text,
            "processors",
            &format!("{:.2} busy on average, {:.2} over the busiest second", load.mean_cpus, load.peak_cpus),
        );
    }

    fn machine_lines(&self, text: &mut String) {
        let machine = &self.machine;
        let gib = |mib: Option<u64>| {
            mib.map_or_else(|| "?".to_owned(), |mib| format!("{:.1}", mib as f64 / 1024.0))
        };
        let pool = self.most_memory();
        entry(
            text,
            "pool",
            &format!("{pool}{}", if self.scenario.elastic.is_some() { " at most" } else { "" }),
        );
        entry(
            text,
            "machine",
            &format!(
                "{}, {} GiB memory ({} available), {} GiB disk free",
                counted(machine.cpus, "processor"),
                gib(machine.memory_mib),
                gib(machine.available_mib),
                gib(machine.disk_mib)
            ),
        );
        entry(text, "backend", &self.backend);
    }

    /// The most memory that the pool will have.
    fn most_memory(&self) -> Memory {
        let memory = self.scenario.memory;
        self.scenario.elastic.map_or(memory, |elastic| elastic.most.max(memory))
    }

    /// Why the run may not be what it is meant to be, one sentence each.
    pub fn doubts(&self) -> Vec<String> {
        let (load, machine, live) = (&self.load, &self.machine, &self.scenario.live);
        let mut doubts = self.memory_doubts();
        let cpus = machine.cpus as f64;
        if load.mean_cpus > cpus {
            doubts.push(format!(
                "the work does not fit: it keeps {:.1} processors busy on average and there are {}; lower live.speed, or \
                 sample the trace",
                load.mean_cpus, machine.cpus
            ));
        } else if load.peak_cpus > cpus {
            doubts.push(format!(
                "over the busiest second {:.1} processors are asked for and there are {}: runs slow each other down, which \
                 the simulation does not know; lower live.speed, or sample the trace",
                load.peak_cpus, machine.cpus
            ));
        }
        if load.peak_per_second > MOST_PER_SECOND {
            doubts.push(format!(
                "{} arrivals within a second: more than about {MOST_PER_SECOND} are not sent when they are due; \
                 lower live.speed",
                thousands(load.peak_per_second)
            ));
        }
        let logged_mib = load.arrivals.saturating_mul(LOGGED_BYTES) >> 20;
        if let Some(disk) = machine.disk_mib.filter(|disk| *disk < LEAST_DISK_MIB + logged_mib) {
            doubts.push(format!(
                "the disk is short: {} MiB are free; the event log takes about {} MiB, and images and the engine \
                 need some",
                thousands(disk),
                thousands(logged_mib)
            ));
        }
        for (limit, key) in [(live.time_limit, "time-limit"), (live.drain, "drain")] {
            if load.longest_run >= limit && limit > Span::ZERO {
                let longest = duration(load.longest_run.as_ms_f64());
                doubts.push(format!("the longest run takes {longest}, but live.{key} is {limit}"));
            }
        }
        if live.backend != BackendChoice::Process {
            let too_small = self.plan.too_small(self.trace).map(|too_small| too_small.in_short());
            doubts.extend(too_small.map(|text| {
                text + "; raise their memory_mb, or use the process backend, which leaves room for python"
            }));
        }
        doubts.extend(self.plan.warnings.iter().cloned());
        doubts
    }

    fn memory_doubts(&self) -> Vec<String> {
        let pool = self.most_memory();
        let mut doubts = Vec::new();
        if let Some(available) = self.machine.available_mib.filter(|available| pool.mib() > *available) {
            doubts.push(format!(
                "memory is over-committed: the pool takes {pool} and {} MiB are available; lower pool.memory",
                thousands(available)
            ));
        }
        let large = |ix: &usize| self.arrivals[*ix] > 0 && self.trace.functions[*ix].memory > pool;
        if let Some(ix) = (0..self.trace.functions.len()).find(large) {
            let function = &self.trace.functions[ix];
            doubts.push(format!(
                "`{}` takes {}, more than the whole pool, so it is never run",
                function.name, function.memory
            ));
        }
        if pool < LEAST_MEMORY {
            doubts.push(format!("the pool has {pool}, and no container starts in less than {LEAST_MEMORY}"));
        }
        doubts
    }
}

/// A line with a label, and more lines where it is too long.
fn entry(text: &mut String, label: &str, what: &str) {
    text.push_str(&layout::entry(label, 12, what));
}

#[cfg(test)]
#[path = "preview/tests.rs"]
mod tests;
