//! How far a long command is, and Ctrl-C. Owns the bar on standard error, shown only on a terminal and
//! only for what takes more than a second; must never touch results.

use std::io::{self, IsTerminal as _};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::sim::Control;
use crate::time::Time;

static STOP: AtomicBool = AtomicBool::new(false);

/// From now on Ctrl-C asks for an orderly end; a second one ends at once.
pub fn catch_interrupts() {
    // Fails only if there is a handler already, which would be ours.
    let _ = ctrlc::set_handler(|| {
        if STOP.swap(true, Ordering::Relaxed) {
            std::process::exit(130);
        }
    });
}

/// Whether Ctrl-C was pressed.
pub fn interrupted() -> bool {
    STOP.load(Ordering::Relaxed)
}

/// Shows how far a replay is and stops it on Ctrl-C.
pub struct Progress {
    total: u64,
    began: Instant,
    bar: Option<ProgressBar>,
}

/// What is over sooner needs no bar.
const PATIENCE: Duration = Duration::from_secs(1);

impl Progress {
    /// For a replay of `total` invocations.
    pub fn new(total: u64) -> Progress {
        Progress { total, began: Instant::now(), bar: None }
    }

    /// Time since the beginning.
    pub fn elapsed(&self) -> Duration {
        self.began.elapsed()
    }

    fn show(&mut self, done: u64) {
        if self.bar.is_none() && io::stderr().is_terminal() && self.began.elapsed() > PATIENCE {
            let bar = ProgressBar::with_draw_target(Some(self.total), ProgressDrawTarget::stderr_with_hz(5));
            let style =
                "{bar:30} {percent:>3} %  {human_pos} of {human_len} invocations, {per_sec}, {eta} left";
            if let Ok(style) = ProgressStyle::with_template(style) {
                bar.set_style(style);
            }
            self.bar = Some(bar.with_elapsed(self.began.elapsed()));
        }
        if let Some(bar) = &self.bar {
            bar.set_position(done);
        }
    }
}

impl Control for Progress {
    fn proceed(&mut self, invocations: u64, _now: Time) -> bool {
        self.show(invocations);
        !interrupted()
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}
