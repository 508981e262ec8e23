//! A live run from its first container to its results: which backend, where the log goes, what Ctrl-C does. Owns exit codes
//! and what is said on the way; the run itself is `live`'s, the figures are the log's.

use std::collections::BTreeSet;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tokio::runtime::{Builder, Runtime};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

use super::backends::{self, Chosen};
use super::{Ready, Telling};
use crate::cli::progress::on_interrupt;
use crate::cli::results::{read, write};
use crate::cli::tell;
use crate::error::{Diagnostic, Error};
use crate::eventlog::record::{Ended, Machine, Why};
use crate::live::backend::Backend;
use crate::live::containers::Containers;
use crate::live::driver::{Command, Driven};
use crate::live::preview;
use crate::live::session::{Session, run_name};
use crate::live::view::View;
use crate::results::{EVENTS, Folder};
use crate::schedule::Schedule;
use crate::time::Time;

/// From now on Ctrl-C says what becomes of the run: once, no more arrivals; twice, clean up now.
pub(in crate::cli) fn listen() -> UnboundedReceiver<Command> {
    let (sender, receiver) = unbounded_channel();
    on_interrupt(move |times| match times {
        1 => {
            tell("stopping: no more arrivals, what is under way ends; again to clean up at once");
            let _ = sender.send(Command::Stop);
        }
        2 => {
            tell("cleaning up");
            let _ = sender.send(Command::CutShort);
        }
        _ => {
            tell("ended at once; `faassim live --cleanup` removes what is left");
            std::process::exit(130);
        }
    });
    receiver
}

/// Replays the trace against real containers and makes results of it.
///
/// # Errors
/// A usage error for a backend that does not answer, a run error if the run or its results fail.
pub(super) fn replay_live(
    telling: &Telling<'_>,
    ready: &Ready<'_>,
    target: &Path,
    commands: &mut UnboundedReceiver<Command>,
) -> Result<(), Error> {
    for doubt in ready.preview(String::new()).doubts() {
        tell(&format!("warning: {doubt}"));
    }
    // The target is claimed first: nobody should wait for a run whose results have no place to go.
    let folder = Folder::create(target)?;
    let log = Log::create(telling.events, target)?;
    let outcome = runtime()?.block_on(conduct(ready, &log, commands));
    let driven = match outcome {
        Ok(driven) => driven,
        Err(error) => {
            log.discard();
            return Err(error);
        }
    };
    finish(telling, driven, &log, folder, target)
}

/// Removes what killed runs have left.
///
/// # Errors
/// Not everything could be removed.
pub(super) fn clean_up() -> Result<(), Error> {
    runtime()?.block_on(backends::clean_up())
}

/// Which of a plan's images are on this machine; `None` if that cannot be told.
pub(super) fn images_there(ready: &Ready<'_>) -> Option<BTreeSet<String>> {
    let images = ready.plan.images.iter().map(|(_, image)| image.clone());
    runtime().ok()?.block_on(backends::there(ready.scenario, images.collect()))
}

fn runtime() -> Result<Runtime, Error> {
    let runtime = Builder::new_current_thread().enable_all().build();
    runtime.map_err(|error| Error::run(format!("cannot start: {error}")))
}

async fn conduct(
    ready: &Ready<'_>,
    log: &Log,
    commands: &mut UnboundedReceiver<Command>,
) -> Result<Driven, Error> {
    let Ready { scenario, setup, trace, plan, costs, .. } = ready;
    let session = Session { scenario, setup, trace, plan, costs };
    let run = run_name();
    match backends::choose(scenario, plan, trace, &run).await? {
        Chosen::Docker(docker) => go(&session, docker, run, log, commands).await,
        Chosen::Process(process) => go(&session, process, run, log, commands).await,
    }
}

async fn go<P: crate::live::platform::Platform>(
    session: &Session<'_>,
    platform: P,
    run: String,
    log: &Log,
    commands: &mut UnboundedReceiver<Command>,
) -> Result<Driven, Error> {
    let Session { scenario, trace, .. } = session;
    let machine = preview::Machine::here(Path::new("."));
    let machine = Machine {
        cpus: u32::try_from(machine.cpus).unwrap_or(u32::MAX),
        memory_mib: machine.memory_mib.unwrap_or_default(),
    };
    let header = session.header(platform.describe(), machine);
    let settings = session.settings(run, &header);
    let last = Schedule::new(scenario, trace).last().map_or(Time::ZERO, |arrival| arrival.time);
    let mut view = View::new(&scenario.name, header.arrivals, last, scenario.memory);
    let backend = Arc::new(Containers::new(platform, settings));
    let driven = session.run(&backend, header, &log.file, &mut view, commands).await;
    match driven {
        Ok(driven) => Ok(driven),
        Err(error) => {
            backend.close().await;
            Err(log.failed(&error))
        }
    }
}

/// Results of what is in the log, and how it all went.
fn finish(
    telling: &Telling<'_>,
    driven: Driven,
    log: &Log,
    folder: Folder,
    target: &Path,
) -> Result<(), Error> {
    if let Some(error) = &driven.log_error {
        return Err(log.failed(error));
    }
    let rebuilt = read(&log.path)?;
    folder.adopt(&log.path, EVENTS, log.is_ours)?;
    let told = write(folder, rebuilt)?;
    if let Some(json) = telling.json {
        told.print(json)?;
    }
    if telling.json == Some(false) {
        tell(&format!("results are in {}", target.display()));
    }
    let Ended { why, leftovers, .. } = driven.ended;
    if !leftovers.is_empty() {
        return Err(Error::run(format!("{} left behind", leftovers.join(", "))));
    }
    match why {
        Why::Stopped | Why::CutShort => {
            Err(Error::interrupted("stopped by Ctrl-C; the results are of what was done"))
        }
        Why::Done | Why::DrainedTooLong | Why::LogFailed => Ok(()),
    }
}

/// The event log of a run under way.
struct Log {
    path: PathBuf,
    file: File,
    /// Whether it is to move into the results.
    is_ours: bool,
}

impl Log {
    fn create(given: Option<&Path>, target: &Path) -> Result<Log, Error> {
        let path = given.map_or_else(|| beside(target), Path::to_owned);
        let is_ours = given.is_none();
        let holds = fs::metadata(&path).is_ok_and(|meta| meta.is_file() && meta.len() > 0);
        if holds && !is_ours {
            let there = Diagnostic::new("is there already").at(path.display().to_string());
            return Err(Error::usage(there.help("name another file with --events, or remove it first")));
        }
        if holds {
            // Of a run that was killed, whose results can still be made; or of one under way, which has locked it.
            let before = File::open(&path).map_err(|error| cannot_write(&path, &error))?;
            if before.try_lock().is_err() {
                return Err(busy(&path));
            }
            let kept = set_aside(&path).map_err(|error| cannot_write(&path, &error))?;
            tell(&format!(
                "note: a run that was killed left its log; it is kept as {}\n  \
                 `faassim results rebuild {}` makes its results",
                kept.display(),
                kept.display()
            ));
        }
        let opened = OpenOptions::new().write(true).create(true).truncate(false).open(&path);
        let file = opened.map_err(|error| cannot_write(&path, &error))?;
        // What cannot be locked, as /dev/full, is not locked.
        if let Err(TryLockError::WouldBlock) = file.try_lock() {
            return Err(busy(&path));
        }
        Ok(Log { path, file, is_ours })
    }

    /// Nothing was started.
    fn discard(&self) {
        if self.is_ours {
            // An empty file of ours that nobody misses.
            let _ = fs::remove_file(&self.path);
        }
    }

    fn failed(&self, error: &io::Error) -> Error {
        let message =
            format!("the event log cannot be written: {error}; the run was ended and its containers removed");
        let told = Diagnostic::new(message).at(self.path.display().to_string());
        Error::run(told.help("make room or name another place with --events; `faassim results rebuild` makes results of what is there"))
    }
}

fn busy(path: &Path) -> Error {
    let busy = Diagnostic::new("another run is writing this log").at(path.display().to_string());
    Error::usage(busy.help("wait for it, or name another folder with -o"))
}

fn cannot_write(path: &Path, error: &io::Error) -> Error {
    Error::run(Diagnostic::new(format!("cannot be written: {error}")).at(path.display().to_string()))
}

/// Where a log is written while its run lasts: beside its results, since those appear as a whole.
fn beside(target: &Path) -> PathBuf {
    let mut name = target.file_name().unwrap_or_default().to_owned();
    name.push(".events.jsonl");
    target.with_file_name(name)
}

/// Renames a file to the first free one of `NAME.1.jsonl`, `NAME.2.jsonl` and so on.
fn set_aside(path: &Path) -> io::Result<PathBuf> {
    let free = (1..).map(|nth| path.with_extension(format!("{nth}.jsonl"))).find(|other| !other.exists());
    let free = free.unwrap_or_else(|| path.with_extension("old.jsonl"));
    fs::rename(path, &free)?;
    Ok(free)
}
