//! Real time as the pool knows it: µs since the run's own beginning. Owns the one place where live mode reads a clock;
//! under tokio's paused clock it is virtual. Must never go backwards.

use std::time::{Duration, SystemTime};

use tokio::time::Instant;

use crate::time::{Span, Time};

/// The clock of a run.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    origin: Instant,
    begin: Time,
}

impl Clock {
    /// A clock that shows `begin` now.
    pub fn starting_at(begin: Time) -> Clock {
        Clock { origin: Instant::now(), begin }
    }

    /// What it shows.
    pub fn now(&self) -> Time {
        self.begin + Span(self.origin.elapsed().as_micros() as u64)
    }

    /// When it will show `time`; `None` for what never comes.
    pub fn instant(&self, time: Time) -> Option<Instant> {
        (time != Time::NEVER).then(|| self.origin + duration(time.since(self.begin)))
    }
}

/// The date and time of day: for names, deadlines of the runtime protocol and the head of a log; the pool never hears of it.
#[expect(clippy::disallowed_methods, reason = "a live run happens at a date; no result is computed from it")]
pub fn wall() -> SystemTime {
    SystemTime::now()
}

/// Time since 1970.
pub fn since_1970() -> Duration {
    wall().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default()
}

/// A span as the standard library has it.
pub fn duration(span: Span) -> Duration {
    Duration::from_micros(span.0)
}

/// And back.
pub fn span(duration: Duration) -> Span {
    Span(duration.as_micros() as u64)
}
