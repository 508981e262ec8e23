//! How far a long command is, and Ctrl-C. Owns the bar on standard error, shown only on a terminal and
//! only for what takes more than a second; must never touch results.

use std::io::{self, IsTerminal as _, Write as _};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::results::thousands;
use crate::sim::Control;
use crate::time::Time;

static STOP: AtomicBool = AtomicBool::new(false);

/// Two signals so close together are one: a key that bounced, or a shell that told the whole group.
const BOUNCE: Duration = Duration::from_millis(300);

/// From now on Ctrl-C asks for an orderly end; a second one ends at once.
pub fn catch_interrupts() {
    on_interrupt(|times| {
        if times > 1 {
            let _ = writeln!(io::stderr(), "ended at once; what was being written may be incomplete");
            std::process::exit(130);
        }
    });
}

/// From now on Ctrl-C also tells `pressed` how often it was, from 1.
pub fn on_interrupt(mut pressed: impl FnMut(u32) + Send + 'static) {
    let (mut times, mut last) = (0, None);
    // Fails only if there is a handler already, which would be ours.
    let _ = ctrlc::set_handler(move || {
        STOP.store(true, Ordering::Relaxed);
        let now = Instant::now();
        if last.replace(now).is_none_or(|last| now - last > BOUNCE) {
            times += 1;
            pressed(times);
        }
    });
}

/// Whether Ctrl-C was pressed.
pub fn interrupted() -> bool {
    STOP.load(Ordering::Relaxed)
}

/// What is over sooner needs no bar.
const PATIENCE: Duration = Duration::from_secs(1);

/// A bar that appears when something takes long.
pub struct Meter {
    began: Instant,
    bar: Option<ProgressBar>,
}

impl Default for Meter {
    fn default() -> Meter {
        Meter { began: Instant::now(), bar: None }
    }
}

impl Meter {
    /// Time since the beginning.
    pub fn elapsed(&self) -> Duration {
        self.began.elapsed()
    }

    /// Shows that `done` of `total` is done, with a message.
    pub fn show(&mut self, done: u64, total: u64, message: impl FnOnce() -> String) {
        if self.bar.is_none() && io::stderr().is_terminal() && self.began.elapsed() > PATIENCE {
            let bar = ProgressBar::with_draw_target(Some(total), ProgressDrawTarget::stderr_with_hz(5));
            if let Ok(style) = ProgressStyle::with_template("{bar:20} {percent:>3} % {wide_msg}") {
                bar.set_style(style);
            }
            self.bar = Some(bar);
        }
        if let Some(bar) = &self.bar {
            bar.set_length(total);
            bar.set_position(done);
            bar.set_message(message());
        }
    }

    /// Takes the bar away.
    pub fn clear(&mut self) {
        if let Some(bar) = self.bar.take() {
            bar.finish_and_clear();
        }
    }
}

impl Drop for Meter {
    fn drop(&mut self) {
        self.clear();
    }
}

/// Shows how far work on invocations is and stops it on Ctrl-C.
#[derive(Default)]
pub struct Progress {
    total: u64,
    meter: Meter,
}

impl Progress {
    /// For `total` invocations.
    pub fn new(total: u64) -> Progress {
        Progress { total, meter: Meter::default() }
    }

    /// Time since the beginning.
    pub fn elapsed(&self) -> Duration {
        self.meter.elapsed()
    }
}

/// Rate so far, and time left if it stays.
pub(super) fn pace(done: u64, total: u64, elapsed: Duration) -> String {
    let per_second = done as f64 / elapsed.as_secs_f64().max(1e-3);
    let left = total.saturating_sub(done) as f64 / per_second.max(1e-3);
    let left = if left < 120.0 { format!("{left:.0} s") } else { format!("{:.0} min", left / 60.0) };
    format!("{} a second, {left} left", thousands(per_second as u64))
}

impl Control for Progress {
    fn proceed(&mut self, invocations: u64, _now: Time) -> bool {
        let (total, elapsed) = (self.total, self.meter.elapsed());
        let message =
            || format!("{} invocations, {}", thousands(invocations), pace(invocations, total, elapsed));
        self.meter.show(invocations, total, message);
        !interrupted()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pace_is_the_mean_so_far() {
        assert_eq!(pace(3_000, 9_000, Duration::from_secs(2)), "1,500 a second, 4 s left");
        assert_eq!(pace(9_000, 9_000, Duration::from_secs(6)), "1,500 a second, 0 s left");
    }
}
