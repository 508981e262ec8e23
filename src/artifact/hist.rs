//! What HIST learns of each function: a histogram of the minutes between its arrivals, and from it how long to keep a
//! container and when to prewarm one (§5). It must not touch containers; the simulator acts on what it predicts.

/// One bin per minute.
const BINS: usize = 240;
const MINUTE_MS: f64 = 60_000.0;
/// Keep-alive without a usable histogram: 2 hours.
const DEFAULT_TTL_MS: f64 = 7_200_000.0;
/// Share of the arrivals that may come before the prewarm.
const HEAD: f64 = 0.05;
/// Share of the arrivals that the keep-alive covers.
const TAIL: f64 = 0.99;

/// The histogram and predictions of one function.
pub(super) struct History {
    last_seen_ms: f64,
    bins: [u32; BINS],
    arrivals: u32,
    mean: f64,
    squares: f64,
    ttl_ms: f64,
    prewarm_ms: f64,
}

impl History {
    /// The state after the first arrival (§5.2).
    pub(super) fn new(now_ms: f64) -> History {
        History {
            last_seen_ms: now_ms,
            bins: [0; BINS],
            arrivals: 0,
            mean: 0.0,
            squares: 0.0,
            ttl_ms: DEFAULT_TTL_MS,
            prewarm_ms: 0.0,
        }
    }

    pub(super) fn last_seen_ms(&self) -> f64 {
        self.last_seen_ms
    }

    /// How long a container is kept after the start of its last invocation.
    pub(super) fn ttl_ms(&self) -> f64 {
        self.ttl_ms
    }

    /// Whether containers are thrown away on completion, to be prewarmed later.
    pub(super) fn unloads(&self) -> bool {
        self.prewarm_ms != 0.0
    }

    /// Up to which time every arrival of any function adds a container (§5.3); minus infinity for never.
    pub(super) fn prewarm_until_ms(&self) -> f64 {
        if self.unloads() { self.last_seen_ms + self.prewarm_ms } else { f64::NEG_INFINITY }
    }

    /// Whether an arrival at this time falls on a bin or behind the histogram. A gap of -1 minute counts from the
    /// back, as indices of the published lists do; one further back than the first bin does not exist.
    pub(super) fn accepts(&self, now_ms: f64) -> bool {
        self.minutes(now_ms) >= -(BINS as f64)
    }

    /// Learns from a later arrival (§5.2).
    pub(super) fn arrive(&mut self, now_ms: f64) {
        let minutes = self.minutes(now_ms);
        self.last_seen_ms = now_ms;
        if minutes >= BINS as f64 {
            return;
        }
        self.arrivals += 1;
        let deviation = minutes - self.mean;
        self.mean += deviation / f64::from(self.arrivals);
        self.squares += deviation * (minutes - self.mean);
        let bin = if minutes < 0.0 { minutes + BINS as f64 } else { minutes };
        self.bins[bin as usize] += 1;
        self.predict();
    }

    fn minutes(&self, now_ms: f64) -> f64 {
        ((now_ms - self.last_seen_ms) / MINUTE_MS).floor()
    }

    fn predict(&mut self) {
        let dispersion = (self.squares / f64::from(self.arrivals)) / self.mean;
        let regular = self.mean == 0.0 || dispersion <= 2.0;
        if self.arrivals < 2 || !regular {
            self.ttl_ms = DEFAULT_TTL_MS;
            self.prewarm_ms = 0.0;
            return;
        }
        let (head, tail) = self.window();
        self.ttl_ms = (tail as f64 * MINUTE_MS) * 1.1;
        self.prewarm_ms = (head as f64 * MINUTE_MS) * 0.9;
    }

    /// The minutes within which the next arrival is expected.
    fn window(&self) -> (usize, usize) {
        let total = f64::from(self.arrivals);
        let mut head = None;
        let mut cumulative = 0.0;
        for (bin, &count) in self.bins.iter().enumerate() {
            cumulative += f64::from(count) / total;
            if head.is_none() && HEAD < cumulative {
                head = Some(bin.saturating_sub(1));
            }
            if TAIL < cumulative {
                return (head.unwrap_or(0), (bin + 1).min(BINS));
            }
        }
        (head.unwrap_or(0), BINS)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(minutes: &[f64]) -> History {
        let mut history = History::new(0.0);
        let mut now = 0.0;
        for gap in minutes {
            now += gap * MINUTE_MS;
            assert!(history.accepts(now));
            history.arrive(now);
        }
        history
    }

    #[test]
    fn nothing_is_predicted_before_two_gaps() {
        for history in [after(&[]), after(&[5.0])] {
            assert_eq!(history.ttl_ms(), DEFAULT_TTL_MS);
            assert!(!history.unloads());
            assert_eq!(history.prewarm_until_ms(), f64::NEG_INFINITY);
        }
    }

    #[test]
    fn a_regular_timer_gets_the_minute_before_and_after() {
        let history = after(&[5.0, 5.0]);
        assert_eq!(history.ttl_ms(), (6.0 * 60_000.0) * 1.1);
        assert_eq!(history.prewarm_until_ms(), 600_000.0 + (4.0 * 60_000.0) * 0.9);
    }

    #[test]
    fn gaps_below_a_minute_give_no_prewarm() {
        let history = after(&[0.5, 0.25, 0.75]);
        assert_eq!(history.ttl_ms(), 60_000.0 * 1.1);
        assert!(!history.unloads());
    }

    #[test]
    fn dispersed_gaps_fall_back_to_two_hours() {
        let history = after(&[1.0, 1.0, 60.0]);
        assert_eq!(history.ttl_ms(), DEFAULT_TTL_MS);
        assert!(!history.unloads());
    }

    #[test]
    fn a_gap_beyond_the_histogram_only_moves_the_last_arrival() {
        let history = after(&[5.0, 5.0, 240.0]);
        assert_eq!(history.arrivals, 2);
        assert_eq!(history.last_seen_ms(), 250.0 * MINUTE_MS);
        assert_eq!(history.ttl_ms(), (6.0 * 60_000.0) * 1.1);
        assert_eq!(history.prewarm_until_ms(), 15_000_000.0 + (4.0 * 60_000.0) * 0.9);
    }

    #[test]
    fn the_tail_ends_with_the_histogram() {
        let history = after(&[239.0, 239.0]);
        assert_eq!(history.ttl_ms(), (240.0 * 60_000.0) * 1.1);
    }

    #[test]
    fn a_step_back_counts_from_the_last_bin() {
        let mut history = History::new(10.0 * MINUTE_MS);
        history.arrive(9.0 * MINUTE_MS);
        assert_eq!(history.bins[239], 1);
        assert!(history.accepts(-231.0 * MINUTE_MS));
        assert!(!history.accepts(-232.0 * MINUTE_MS));
    }
}
