//! The runs that are left, on several threads. Owns who takes which run and what becomes of one that fails; must never
//! let one that fails end the others.
//!
//! Threads take the next run from a counter, so that runs begin in order and few traces are held at once. (A pool that
//! steals work, as rayon's, could begin another run on a thread that waits for polars within the reading of a trace, and
//! wait there for that very trace.)

use std::any::Any;
use std::collections::HashSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::Duration;

use super::Plan;
use super::folder::TraceRecord;
use super::journal::{Known, Line};
use super::row::{self, Row, is_fine};
use super::traces::{Got, Traces};
use crate::error::Error;
use crate::scenario::{Engine, OutputSpec, Scenario};
use crate::sim::{Control, ReplayError, replay, replay_published};
use crate::time::Time;
use crate::trace::Trace;

/// What is told while runs are under way.
#[derive(Debug)]
pub enum Event<'e> {
    /// What the reader of a trace noted.
    Note(&'e str),
    /// A run was finished that the journal does not have yet.
    Finished(&'e Line),
    /// How far everything is; ten times a second or more often.
    Progress(&'e Standing),
}

/// How far a sweep is.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Standing {
    /// Runs to be done here.
    pub runs: usize,
    /// Those that are over.
    pub done: usize,
    /// Those of them that were there before.
    pub reused: usize,
    /// Those of them that failed.
    pub failed: usize,
    /// Invocations replayed.
    pub invocations: u64,
    /// … of so many, as far as is known by now.
    pub expected: u64,
}

/// What came of it.
#[derive(Debug)]
pub struct Outcome {
    /// The runs that are over, in no particular order.
    pub rows: Vec<Row>,
    /// What is known from before of runs of the same sweep that are not among these.
    pub others: Vec<Row>,
    /// The traces that were read, now or before.
    pub traces: Vec<TraceRecord>,
    /// How many runs of this part there are no figures of, nor a reason.
    pub left: usize,
    /// How far it got.
    pub standing: Standing,
    /// Whether it was stopped before its end.
    pub is_stopped: bool,
}

/// How often progress is told at least.
const TICK: Duration = Duration::from_millis(100);

/// Does those of `runs` that are not known, on so many threads; `proceed`: whether to go on. `on` is told what happens;
/// it is called by the thread that called this.
///
/// # Errors
/// What `on` says ends it, as when the journal cannot be written.
pub fn execute(
    plan: &Plan,
    runs: &[usize],
    threads: usize,
    known: &Known,
    proceed: &(dyn Fn() -> bool + Sync),
    on: &mut dyn FnMut(Event<'_>) -> Result<(), Error>,
) -> Result<Outcome, Error> {
    let mut queue = runs.to_vec();
    queue.sort_by_key(|run| (plan.trace_of(*run), *run));
    let shop = Shop {
        plan,
        known,
        traces: Traces::new(plan, runs),
        queue,
        next: AtomicUsize::new(0),
        is_over: AtomicBool::new(false),
        invocations: AtomicU64::new(0),
        announced: AtomicU64::new(0),
        begun: AtomicU64::new(0),
        proceed,
    };
    let mut standing = Standing { runs: runs.len(), ..Standing::default() };
    let mut rows = Vec::with_capacity(runs.len());
    let (sender, messages) = channel();
    let told = thread::scope(|scope| {
        for _ in 0..threads.clamp(1, runs.len().max(1)) {
            let sender = sender.clone();
            scope.spawn(|| shop.work(sender));
        }
        drop(sender);
        let told = loop {
            let told = match messages.recv_timeout(TICK) {
                Err(RecvTimeoutError::Disconnected) => break Ok(()),
                Err(RecvTimeoutError::Timeout) => Ok(()),
                Ok(Message::Note(note)) => on(Event::Note(&note)),
                Ok(Message::Done(done)) => {
                    standing.done += 1;
                    standing.reused += usize::from(done.is_reused);
                    standing.failed += usize::from(!is_fine(&done.line.row));
                    let told = if done.is_known { Ok(()) } else { on(Event::Finished(&done.line)) };
                    rows.push(done.line.row);
                    told
                }
            };
            shop.count(&mut standing);
            if let Err(error) = told.and_then(|()| on(Event::Progress(&standing))) {
                break Err(error);
            }
        };
        shop.is_over.store(true, Ordering::Relaxed);
        told
    });
    told?;
    let traces = known.traces_with(shop.traces.records());
    let others = known.others(plan, &rows, &traces);
    let ours: HashSet<u64> = runs.iter().map(|run| *run as u64 + 1).collect();
    let is_done = |row: &&Row| is_fine(row) && row::number(row).is_some_and(|run| ours.contains(&run));
    let left = standing.runs - standing.done - others.iter().filter(is_done).count();
    Ok(Outcome { rows, others, traces, left, standing, is_stopped: standing.done < standing.runs })
}

enum Message {
    Note(String),
    Done(Box<Done>),
}

struct Done {
    line: Line,
    /// Whether the journal has this very line.
    is_known: bool,
    /// Whether nothing had to be replayed.
    is_reused: bool,
}

/// What all threads share.
struct Shop<'s> {
    plan: &'s Plan,
    known: &'s Known,
    traces: Traces<'s>,
    queue: Vec<usize>,
    next: AtomicUsize,
    is_over: AtomicBool,
    /// Replayed so far.
    invocations: AtomicU64,
    /// Of the runs that were begun.
    announced: AtomicU64,
    begun: AtomicU64,
    proceed: &'s (dyn Fn() -> bool + Sync),
}

impl Shop<'_> {
    fn work(&self, sender: Sender<Message>) {
        while let Some(run) = self.queue.get(self.next.fetch_add(1, Ordering::Relaxed)) {
            let done = self.one(*run, &mut |note| drop(sender.send(Message::Note(note))));
            self.traces.release(self.plan.trace_of(*run));
            let Some(done) = done else { return };
            if sender.send(Message::Done(Box::new(done))).is_err() {
                // Nobody listens any more: it was ended.
                return;
            }
        }
    }

    fn proceeds(&self) -> bool {
        !self.is_over.load(Ordering::Relaxed) && (self.proceed)()
    }

    /// How far the replays are. Runs that have not begun are taken to be as long as the others.
    fn count(&self, standing: &mut Standing) {
        let begun = self.begun.load(Ordering::Relaxed);
        let left = (standing.runs - standing.reused) as u64;
        standing.invocations = self.invocations.load(Ordering::Relaxed);
        standing.expected = (self.announced.load(Ordering::Relaxed) / begun.max(1)) * left.max(begun);
    }

    /// One run; nothing if it was stopped.
    fn one(&self, run: usize, tell: &mut dyn FnMut(String)) -> Option<Done> {
        if !self.proceeds() {
            return None;
        }
        let failed = |front: Row, key: String, error: &str| {
            let line = Line { grid: self.plan.id().to_owned(), key, row: row::with_error(front, error) };
            Some(Done { line, is_known: false, is_reused: false })
        };
        let number = self.plan.trace_of(run);
        let path = &self.plan.traces()[number].path;
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let scenario = match self.plan.scenario(run) {
            Ok(scenario) => Scenario { output: QUIET, ..scenario },
            Err(error) => {
                return failed(row::front(self.plan, run, None, &name), String::new(), &short(&error));
            }
        };
        let front = |name: &str| row::front(self.plan, run, Some(&scenario), name);
        let trace = match caught(|| self.traces.get(number, &|| self.proceeds(), tell)) {
            Ok(Got::Trace(trace)) => trace,
            Ok(Got::Fault(fault)) | Err(fault) => return failed(front(&name), String::new(), &fault),
            Ok(Got::Stopped) => return None,
        };
        let key = self.plan.key(run, &trace.checksum);
        let line = |row: Row| Line { grid: self.plan.id().to_owned(), key: key.clone(), row };
        if let Some(row) = self.known.row(&key, run) {
            return Some(Done { line: line(row.clone()), is_known: true, is_reused: true });
        }
        let front = front(&trace.name);
        if let Some(alike) = self.known.alike(&key) {
            let figures = row::figures(alike);
            return Some(Done {
                line: line(row::with_figures(front, figures)),
                is_known: false,
                is_reused: true,
            });
        }
        match caught(|| self.figures(&scenario, &trace)) {
            Ok(Ok(figures)) => Some(Done {
                line: line(row::with_figures(front, figures)),
                is_known: false,
                is_reused: false,
            }),
            Ok(Err(ReplayError::Stopped)) => None,
            Ok(Err(ReplayError::Unfit(fault))) | Err(fault) => failed(front, key, &fault),
        }
    }

    fn figures(&self, scenario: &Scenario, trace: &Trace) -> Result<Row, ReplayError> {
        self.begun.fetch_add(1, Ordering::Relaxed);
        self.announced.fetch_add(trace.count(scenario.trace.window), Ordering::Relaxed);
        let mut replayed = Replayed { shop: self, told: 0 };
        match &scenario.engine {
            Engine::Pool(setup) => {
                replay(scenario, setup, trace, &mut replayed).map(|replay| row::of_summary(&replay.summary))
            }
            Engine::Artifact(policy) => replay_published(scenario, *policy, trace, &mut replayed)
                .map(|published| row::of_published(&published)),
        }
    }
}

/// Tables of single runs are not written by a sweep.
const QUIET: OutputSpec =
    OutputSpec { invocations: false, functions: false, memory_every: crate::time::Span::from_mins(60) };

/// Adds what one run has replayed to what all have.
struct Replayed<'s> {
    shop: &'s Shop<'s>,
    told: u64,
}

impl Control for Replayed<'_> {
    fn proceed(&mut self, invocations: u64, _now: Time) -> bool {
        self.shop.invocations.fetch_add(invocations.saturating_sub(self.told), Ordering::Relaxed);
        self.told = invocations;
        self.shop.proceeds()
    }
}

/// What `work` returns, or what it panicked with: an error of ours, which shall not cost the other runs.
fn caught<T>(work: impl FnOnce() -> T) -> Result<T, String> {
    catch_unwind(AssertUnwindSafe(work)).map_err(|panic: Box<dyn Any + Send>| {
        let text = panic.downcast_ref::<String>().map(String::as_str);
        let text = text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("no message");
        format!("internal error, please report it: {text}")
    })
}

/// The first thing that is wrong.
fn short(error: &Error) -> String {
    error.diagnostics().first().map(crate::error::Diagnostic::in_short).unwrap_or_default()
}
