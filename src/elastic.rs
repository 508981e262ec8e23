//! A pool that follows its load: FaasCache's vertical scaling (Fuerst & Sharma, "FaasCache: keeping serverless
//! computing alive with Greedy-Dual caching", ASPLOS'21, §5). Owns when the worker's memory changes and to what; must
//! never read a clock, ask a pool, or know whether it is simulated.
//!
//! Once per period the measured cold starts are compared with a target. Within the deadband nothing happens. Beyond it,
//! the reuse-distance curve of the workload tells by how much memory has to change, and the pool goes there, or part of the
//! way ([`Elastic::gain`]):
//!
//! ```text
//! wanted warm ratio = 1 − target            (a share of the invocations)
//!                   = 1 − target / load     (cold starts per second, FaasCache's "miss speed")
//! memory += gain · memory · (curve⁻¹(wanted warm ratio) / curve⁻¹(measured warm ratio) − 1)
//! ```
//!
//! Where the curve is right, curve⁻¹(measured) is the present memory, and this is the paper's rule: go to
//! curve⁻¹(wanted). But a reuse-distance curve knows neither run times nor what a pool does when it is full, and may ask
//! for a fraction of what is needed. Only its shape is used, laid through what was measured. A step is between a
//! tenth and [`MOST_MORE`] or [`MOST_LESS`]: quick to grow, slow to shrink. These two points are ours.

use std::fmt;

use crate::curve::reuse::Hits;
use crate::memory::Memory;
use crate::time::{Span, Time};

/// What counts as too many cold starts.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Target {
    /// So many per second.
    PerSecond(f64),
    /// This share of the invocations, 0 to 1.
    Share(f64),
}

/// `[pool.elastic]`.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Elastic {
    /// Where to go.
    pub target: Target,
    /// How often to look.
    pub period: Span,
    /// By what part of the target it may be missed without anything being done.
    pub deadband: f64,
    /// Which part of the way is gone at once, above 0 and at most 1.
    pub gain: f64,
    /// Never less memory than this.
    pub least: Memory,
    /// Never more.
    pub most: Memory,
}

impl fmt::Display for Elastic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.target {
            Target::PerSecond(target) => write!(f, "{target} cold starts a second")?,
            Target::Share(target) => write!(f, "{} % cold", (target * 1e5).round() / 1e3)?,
        }
        write!(f, ", {} to {}, every {}", self.least, self.most, self.period)
    }
}

/// The least step, as a part of the present memory.
const STEP: f64 = 0.1;
/// The greatest step up: twice the memory.
pub const MOST_MORE: f64 = 1.0;
/// The greatest step down: a quarter of the memory.
pub const MOST_LESS: f64 = 0.25;

/// The controller.
#[derive(Clone, Debug)]
pub struct Controller {
    elastic: Elastic,
    curve: Hits,
    size: Memory,
}

impl Controller {
    /// A controller of a pool that has `size` now; `curve`: how many invocations are warm with how much memory.
    pub fn new(elastic: Elastic, size: Memory, curve: Hits) -> Controller {
        Controller { elastic, curve, size }
    }

    /// How often [`Controller::decide`] is to be asked.
    pub fn period(&self) -> Span {
        self.elastic.period
    }

    /// What the pool should have from now on, after a period with so many arrivals, of which so many did not start warm;
    /// `None`: what it has.
    pub fn decide(&mut self, arrivals: u64, cold: u64) -> Option<Memory> {
        let period_s = self.elastic.period.as_secs_f64();
        let (target, measured, wanted) = match self.elastic.target {
            // Nothing arrived, so nothing is known.
            Target::Share(_) if arrivals == 0 => return None,
            Target::Share(target) => (target, cold as f64 / arrivals as f64, 1.0 - target),
            Target::PerSecond(target) => {
                (target, cold as f64 / period_s, 1.0 - target * period_s / arrivals as f64)
            }
        };
        let error = (measured - target) / target;
        if error.abs() <= self.elastic.deadband {
            return None;
        }
        let size = self.size.mib() as f64;
        let Elastic { gain, least, most, .. } = self.elastic;
        let is_warm = if arrivals == 0 { 1.0 } else { 1.0 - cold as f64 / arrivals as f64 };
        let by_curve = self.need(wanted) / self.need(is_warm) - 1.0;
        let change =
            if error > 0.0 { by_curve.clamp(STEP, MOST_MORE) } else { by_curve.clamp(-MOST_LESS, -STEP) };
        let next = size * (1.0 + gain * change);
        let next = Memory((next.round() as u64).clamp(least.mib(), most.mib()));
        let changed = next != self.size;
        self.size = next;
        changed.then_some(next)
    }

    /// The memory in MiB that the curve asks for; of ratios it never gets to, that of the highest. At least 1.
    fn need(&self, warm_ratio: f64) -> f64 {
        // `as` makes what is below zero, or no number since nothing arrived, zero.
        let hits = (warm_ratio * self.curve.accesses() as f64).ceil() as u64;
        self.curve.least(hits.min(self.curve.hits())).unwrap_or_default().max(1) as f64
    }
}

/// When an elastic pool is looked at, and what had happened until the last time. Both drivers keep one.
#[derive(Clone, Debug)]
pub struct Scaling {
    controller: Controller,
    due: Time,
    arrivals: u64,
    not_warm: u64,
}

impl Scaling {
    /// First looks one period after `now`.
    pub fn new(controller: Controller, now: Time) -> Scaling {
        Scaling { due: now + controller.period(), controller, arrivals: 0, not_warm: 0 }
    }

    /// When to look next.
    pub fn due(&self) -> Time {
        self.due
    }

    /// A period is over; `arrivals` and `not_warm` (activations that got a container that was not warm) since the
    /// beginning. The new memory in MiB, if it is to change.
    pub fn look(&mut self, arrivals: u64, not_warm: u64) -> Option<u32> {
        self.due += self.controller.period();
        let arrived = arrivals - std::mem::replace(&mut self.arrivals, arrivals);
        let colds = not_warm - std::mem::replace(&mut self.not_warm, not_warm);
        let memory = self.controller.decide(arrived, colds)?;
        Some(u32::try_from(memory.mib()).unwrap_or(u32::MAX))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 100 accesses: 50 are hits with 1 GiB, 90 with 4 GiB, 10 never.
    fn controller(target: Target) -> Controller {
        let mut curve = Hits::default();
        (0..50).for_each(|_| curve.hit(1024));
        (0..40).for_each(|_| curve.hit(4096));
        (0..10).for_each(|_| curve.miss());
        let elastic = Elastic {
            target,
            period: Span::from_secs(100),
            deadband: 0.3,
            gain: 1.0,
            least: Memory(256),
            most: Memory(8192),
        };
        Controller::new(elastic, Memory(2048), curve)
    }

    #[test]
    fn goes_where_the_curve_says_and_stays_within_the_deadband() {
        let mut controller = controller(Target::Share(0.2));
        assert_eq!(controller.decide(1000, 250), None, "25 % is within 30 % of 20 %");
        // Right on the curve: half are warm with 1 GiB, for 80 % it takes 4.
        controller.size = Memory(3000);
        assert_eq!(controller.decide(1000, 500), Some(Memory(6000)), "four times, but twice at once");
        assert_eq!(controller.decide(1000, 210), None);
        assert_eq!(controller.decide(0, 0), None, "nothing is known of a share of nothing");
    }

    #[test]
    fn the_miss_speed_depends_on_the_load() {
        let mut controller = controller(Target::PerSecond(1.0));
        // 10 a second: 90 % are to be warm. 2 a second: half of them.
        assert_eq!(controller.decide(1000, 500), Some(Memory(4096)));
        assert_eq!(controller.decide(200, 60), Some(Memory(3072)), "four times less, but a quarter at once");
        assert_eq!(controller.decide(0, 0), Some(Memory(2304)), "nothing to keep warm for");
    }

    #[test]
    fn the_measurement_decides_the_direction() {
        // The curve needs as much for 20 % as for 50 %.
        let mut up = controller(Target::Share(0.5));
        assert_eq!(up.decide(1000, 800), Some(Memory(2253)));
        // And as much for 90 % as for 98 %, which it never gets to.
        let mut down = controller(Target::Share(0.1));
        assert_eq!(down.decide(1000, 20), Some(Memory(1843)));
    }

    #[test]
    fn says_what_it_is_meant_to_do() {
        let elastic = |target| controller(target).elastic.to_string();
        assert_eq!(elastic(Target::Share(0.055)), "5.5 % cold, 256 MiB to 8 GiB, every 100 s");
        assert_eq!(
            elastic(Target::PerSecond(0.5)),
            "0.5 cold starts a second, 256 MiB to 8 GiB, every 100 s"
        );
    }

    #[test]
    fn keeps_to_its_limits_and_goes_part_of_the_way() {
        let mut controller = controller(Target::Share(0.01));
        controller.elastic.gain = 0.5;
        assert_eq!(controller.decide(1000, 900), Some(Memory(3072)));
        assert_eq!(controller.decide(1000, 900), Some(Memory(4608)));
        controller.elastic.gain = 1.0;
        assert_eq!(controller.decide(1000, 900), Some(Memory(8192)));
        assert_eq!(controller.decide(1000, 900), None, "there is no more");
    }
}
