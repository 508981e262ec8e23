//! How far a live run is, on standard error: a panel on a terminal, else a line now and then. Owns what is shown; must
//! never hold a run up, and never needs an async runtime.

use std::fmt::Write as _;
use std::io::{self, IsTerminal as _, Write as _};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::driver::Watcher;
use crate::ids::{ActivationId, ContainerId, FunctionId};
use crate::memory::Memory;
use crate::pool::boundary::{Action, Note, Phase, Status};
use crate::results::{counted, duration, short, thousands};
use crate::tally::{Ending, Observer, Outcome, Quantiles};
use crate::time::{Span, Time};

/// How far apart lines are where there is no terminal.
const LINES_EVERY: Span = Span::from_secs(10);

/// What a container is doing, as a viewer sees it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Doing {
    /// Being created or initialised.
    Starting,
    /// Running, or its logs are being collected.
    Running,
    /// Idle.
    Ready,
    /// Idle and frozen.
    Paused,
    /// Without code, waiting for it.
    Prewarmed,
    /// Being removed.
    Removing,
}

impl Doing {
    const ALL: [(Doing, &str); 6] = [
        (Doing::Starting, "starting"),
        (Doing::Running, "running"),
        (Doing::Ready, "ready"),
        (Doing::Paused, "paused"),
        (Doing::Prewarmed, "prewarmed"),
        (Doing::Removing, "removing"),
    ];
}

/// Where the view goes.
enum Shown {
    /// A panel that is drawn again and again.
    Panel(ProgressBar),
    /// Lines; the next from then on.
    Lines(Time),
    /// Nowhere.
    Nothing,
}

/// What is shown of a live run.
pub struct View {
    shown: Shown,
    name: String,
    /// Arrivals that are to be sent.
    total: u64,
    /// When the last of them is due.
    last: Time,
    capacity_mib: u64,
    sent: u64,
    ended: u64,
    warm: u64,
    cold: u64,
    /// Starts that shared a container being made, or found a prewarmed one.
    partial: u64,
    failed: u64,
    dropped: u64,
    held_mib: u64,
    /// By slot: whose it is, and what that does.
    containers: Vec<Option<(u32, Doing)>>,
    doing: [u64; Doing::ALL.len()],
    /// By activation: whether it waits.
    waits: Vec<bool>,
    waiting: u64,
    lag: Quantiles,
}

impl View {
    /// A view on standard error, of a run that sends `total` arrivals, the last at `last`.
    pub fn new(name: &str, total: u64, last: Time, capacity: Memory) -> View {
        let shown = if io::stderr().is_terminal() {
            let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr_with_hz(5));
            if let Ok(style) = ProgressStyle::with_template("{msg}") {
                bar.set_style(style);
            }
            Shown::Panel(bar)
        } else {
            Shown::Lines(Time::ZERO + LINES_EVERY)
        };
        View { shown, ..View::nowhere(name, total, last, capacity) }
    }

    /// A view that only keeps count.
    pub fn nowhere(name: &str, total: u64, last: Time, capacity: Memory) -> View {
        View {
            shown: Shown::Nothing,
            name: name.to_owned(),
            total,
            last,
            capacity_mib: capacity.mib(),
            sent: 0,
            ended: 0,
            warm: 0,
            cold: 0,
            partial: 0,
            failed: 0,
            dropped: 0,
            held_mib: 0,
            containers: Vec::new(),
            doing: [0; Doing::ALL.len()],
            waits: Vec::new(),
            waiting: 0,
            lag: Quantiles::default(),
        }
    }

    /// How often [`View::tick`] is worth calling.
    pub fn every(&self) -> Option<Duration> {
        match self.shown {
            Shown::Panel(_) => Some(Duration::from_millis(200)),
            Shown::Lines(_) => Some(Duration::from_secs(1)),
            Shown::Nothing => None,
        }
    }

    /// An arrival was sent so much later than it was due.
    pub fn lag(&mut self, lag: Span) {
        self.lag.add(lag);
    }

    /// It is now: shows what there is to show.
    pub fn tick(&mut self, now: Time) {
        match &self.shown {
            Shown::Panel(bar) => bar.set_message(self.panel(now)),
            Shown::Lines(next) if now >= *next => {
                // A run that hung for long owes no lines for that.
                let next = Time((now.0 / LINES_EVERY.0 + 1) * LINES_EVERY.0);
                self.tell(&self.line(now));
                self.shown = Shown::Lines(next);
            }
            Shown::Lines(_) | Shown::Nothing => {}
        }
    }

    /// Says something in between, above the panel if there is one.
    pub fn tell(&self, text: &str) {
        let say = || {
            let _ = writeln!(io::stderr(), "{text}");
        };
        match &self.shown {
            Shown::Panel(bar) => bar.suspend(say),
            Shown::Lines(_) | Shown::Nothing => say(),
        }
    }

    /// The panel, of lines of at most 80 columns.
    fn panel(&self, now: Time) -> String {
        let mut text = format!("{}: {}\n", short(&self.name), self.progress(now));
        let part = self.sent as f64 / self.total.max(1) as f64;
        let _ = writeln!(text, "{} {}", bar(part, 40), self.left(now));
        let _ = writeln!(text, "containers  {}", self.states());
        let held = self.held_mib as f64 / self.capacity_mib.max(1) as f64;
        let (held_mib, capacity_mib) = (thousands(self.held_mib), thousands(self.capacity_mib));
        let _ = writeln!(text, "memory      {} {held_mib} of {capacity_mib} MiB", bar(held, 28));
        let _ = writeln!(text, "starts      {}", self.starts());
        let (p50, max) = (self.lag.at(0.5).as_ms_f64(), self.lag.max().as_ms_f64());
        let _ = write!(text, "sent late   {} (median), {} (most)", duration(p50), duration(max));
        text
    }

    /// Everything on one line.
    fn line(&self, now: Time) -> String {
        let mut text = format!("{}, {}", self.progress(now), counted(self.containers_now(), "container"));
        let _ = write!(text, ", {}/{} MiB", self.held_mib, self.capacity_mib);
        let _ = write!(text, ", {:.1} % cold", self.cold_percent());
        for (many, what) in [(self.waiting, "waiting"), (self.failed, "failed"), (self.dropped, "dropped")] {
            if many > 0 {
                let _ = write!(text, ", {} {what}", thousands(many));
            }
        }
        text
    }

    /// `0:50 of 2:00, 214 of 412 sent`.
    fn progress(&self, now: Time) -> String {
        let (at, of) = (clock(now - Time::ZERO), clock(self.last - Time::ZERO));
        format!("{at} of {of}, {} of {} sent", thousands(self.sent), thousands(self.total))
    }

    fn left(&self, now: Time) -> String {
        if self.sent < self.total {
            return format!("{} left", clock(self.last - now));
        }
        match self.sent - self.ended.min(self.sent) {
            0 => "all ended".to_owned(),
            under_way => format!("all sent, {} under way", thousands(under_way)),
        }
    }

    fn containers_now(&self) -> u64 {
        self.doing.iter().sum()
    }

    /// `1 starting, 2 running, 3 ready, 1 paused, 0 removing`; prewarmed ones only if there are any.
    fn states(&self) -> String {
        let shown = Doing::ALL
            .iter()
            .filter(|(doing, _)| *doing != Doing::Prewarmed || self.doing[*doing as usize] > 0);
        let parts: Vec<String> =
            shown.map(|(doing, name)| format!("{} {name}", thousands(self.doing[*doing as usize]))).collect();
        parts.join(", ")
    }

    fn starts(&self) -> String {
        let mut text = format!("{} warm, {} cold", thousands(self.warm), thousands(self.cold));
        let _ = write!(text, " ({:.1} %)", self.cold_percent());
        for (many, what) in [
            (self.partial, "in between"),
            (self.waiting, "waiting"),
            (self.failed, "failed"),
            (self.dropped, "dropped"),
        ] {
            if many > 0 || what == "waiting" {
                let _ = write!(text, ", {} {what}", thousands(many));
            }
        }
        text
    }

    /// Of the starts so far.
    fn cold_percent(&self) -> f64 {
        self.cold as f64 * 100.0 / (self.warm + self.cold + self.partial).max(1) as f64
    }

    /// The container does this now; `None`: it is gone.
    fn does(&mut self, container: ContainerId, doing: Option<Doing>) {
        let slot = container.slot as usize;
        if slot >= self.containers.len() {
            self.containers.resize(slot + 1, None);
        }
        if let Some((epoch, before)) = self.containers[slot] {
            if epoch > container.epoch || (doing.is_none() && epoch != container.epoch) {
                return;
            }
            self.doing[before as usize] -= 1;
        }
        if let Some(doing) = doing {
            self.doing[doing as usize] += 1;
        }
        self.containers[slot] = doing.map(|doing| (container.epoch, doing));
    }

    fn doing(&self, container: ContainerId) -> Option<Doing> {
        let (epoch, doing) = (*self.containers.get(container.slot as usize)?)?;
        (epoch == container.epoch).then_some(doing)
    }

    fn entered(&mut self, container: ContainerId, phase: Phase) {
        let doing = match phase {
            // Whether it is being made or running is told by the orders.
            Phase::Running => match self.doing(container) {
                Some(Doing::Ready | Doing::Paused) => Doing::Running,
                Some(Doing::Running) => return,
                _ => Doing::Starting,
            },
            Phase::Starting => Doing::Starting,
            Phase::Started => Doing::Prewarmed,
            Phase::Ready => Doing::Ready,
            Phase::Paused => Doing::Paused,
            Phase::Removing => Doing::Removing,
            Phase::Stopped => return self.does(container, None),
            // Until it is paused it is ready.
            Phase::Uninitialized | Phase::Pausing => return,
        };
        self.does(container, Some(doing));
    }

    fn waits(&mut self, activation: ActivationId, waits: bool) {
        let ix = activation.ix();
        if ix >= self.waits.len() {
            if !waits {
                return;
            }
            self.waits.resize(ix + 1, false);
        }
        match (std::mem::replace(&mut self.waits[ix], waits), waits) {
            (false, true) => self.waiting += 1,
            (true, false) => self.waiting -= 1,
            _ => {}
        }
    }
}

impl Observer for View {
    fn arrived(&mut self, _: Time, _: ActivationId, _: FunctionId) {
        self.sent += 1;
    }

    fn acted(&mut self, _: Time, action: &Action) {
        match action {
            Action::Create { container, .. } => self.does(*container, Some(Doing::Starting)),
            Action::Run { container, .. } => self.does(*container, Some(Doing::Running)),
            _ => {}
        }
    }

    fn noted(&mut self, _: Time, note: &Note) {
        match note {
            Note::Entered(container, phase) => self.entered(*container, *phase),
            Note::Dispatched { activation, start, .. } => {
                self.waits(*activation, false);
                match start {
                    start if start.is_warm() => self.warm += 1,
                    start if start.creates() => self.cold += 1,
                    _ => self.partial += 1,
                }
            }
            Note::Allotted { memory_mib, .. } | Note::Prewarm { container: Some(_), memory_mib, .. } => {
                self.held_mib += u64::from(*memory_mib);
            }
            Note::Gone { memory_mib, .. } => {
                self.held_mib = self.held_mib.saturating_sub(u64::from(*memory_mib));
            }
            Note::Queued(activation) | Note::Buffered(activation) | Note::Resubmitted(activation) => {
                self.waits(*activation, true);
            }
            Note::Resized { capacity_mib } => self.capacity_mib = *capacity_mib,
            Note::Prewarm { .. } | Note::Idle { .. } | Note::Handed(_) | Note::Credit => {}
        }
    }

    fn ended(&mut self, ending: &Ending) {
        self.waits(ending.activation, false);
        self.ended += 1;
        match &ending.outcome {
            Outcome::Answered(answer) if answer.status == Status::Success => {}
            Outcome::Answered(_) | Outcome::Lost => self.failed += 1,
            Outcome::Refused(_) => self.dropped += 1,
        }
    }

    fn finished(&mut self, _: Time) {
        if let Shown::Panel(bar) = &self.shown {
            bar.finish_and_clear();
        }
        self.shown = Shown::Nothing;
    }
}

impl Watcher for View {
    fn lag(&mut self, lag: Span) {
        View::lag(self, lag);
    }

    fn every(&self) -> Option<Duration> {
        View::every(self)
    }

    fn tick(&mut self, now: Time) {
        View::tick(self, now);
    }
}

/// `0:07`, `12:34`, `1:02:03`.
fn clock(span: Span) -> String {
    let s = span.0 / 1_000_000;
    match s / 3_600 {
        0 => format!("{}:{:02}", s / 60, s % 60),
        h => format!("{h}:{:02}:{:02}", s / 60 % 60, s % 60),
    }
}

/// A bar of so many characters, of which a part is full; more than all is all.
fn bar(part: f64, width: usize) -> String {
    let full = ((part * width as f64).round() as usize).min(width);
    format!("[{}{}]", "#".repeat(full), "-".repeat(width - full))
}

#[cfg(test)]
#[path = "view/tests.rs"]
mod tests;
