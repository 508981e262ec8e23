//! The figures that the model is made of: those published, with their sources, and those chosen so that the result
//! meets the published ones (docs/traces.md compares them). Must never hold a computation.
//!
//! [P] Shahrad et al., ATC'20; [D1] day 1 of the released data; [F] its apps (FeMux); [H] Joosen et
//! al., EuroSys'25; see
//! docs/specs/trace-calibration.md.

/// Functions, apps and invocations of day 1 [D1].
pub(super) const FUNCTIONS: u64 = 46_412;
pub(super) const APPS: u64 = 17_577;

/// Functions by trigger on day 1 [D1], in the order of [`super::Trigger::ALL`].
pub(super) const TRIGGER_FUNCTIONS: [u64; 7] = [15_933, 17_405, 6_924, 3_287, 1_245, 949, 669];
/// Share of invocations by trigger [P], timers aside: these have what their periods give.
pub(super) const TRIGGER_LOAD: [f64; 7] = [36.0, 0.0, 33.5, 2.0, 24.7, 1.0, 0.8];

/// Functions per app: share of apps with more, and how many [P].
pub(super) const APP_SIZE: &[(f64, f64)] = &[
    (1.0, 1.0),
    (0.435, 1.5),
    (0.275, 2.5),
    (0.18, 3.5),
    (0.103, 5.5),
    (0.039, 10.5),
    (0.0004, 100.5),
    (2.8e-5, 302.0),
];
/// Owners per app over all days.
pub(super) const OWNERS_PER_APP: f64 = 14_681.0 / 24_274.0;

/// Invocations of a day per app: share of apps with more, and how many [F]; those with exactly a timer's count
/// ([`CLOCKS`]) aside.
pub(super) const POPULARITY: &[(f64, f64)] = &[
    (0.8244, 1.0),
    (0.7284, 1.5),
    (0.6244, 7.0),
    (0.5744, 15.0),
    (0.5455, 24.0),
    (0.4625, 95.5),
    (0.3994, 287.0),
    (0.3299, 374.0),
    (0.2655, 719.0),
    (0.2195, 1415.0),
    (0.2158, 1441.0),
    (0.1958, 1668.0),
    (0.1, 8573.0),
    (0.05, 35948.0),
    (0.03, 86400.0),
    (0.02, 175041.0),
    (0.014, 310e3),
    (0.01, 493984.0),
    (0.0075, 770e3),
    (0.005, 1256090.0),
    (0.002816, 2.42e6),
    (0.00111, 7.7e6),
    (0.001, 8.533e6),
    (8.25e-4, 10.7e6),
    (5.4e-4, 13.2e6),
    (4.27e-4, 16.5e6),
    (3.13e-4, 23e6),
    (2.56e-4, 31e6),
    (1.991e-4, 37e6),
    (1.422e-4, 61e6),
    (8.534e-5, 80e6),
    (2.845e-5, 127.47e6),
];
/// Share of apps without a timer's count.
pub(super) const OTHER_SHARE: f64 = 0.8244;
/// Apps that do nothing but tick: invocations of a day, and how many of [`APPS`] [F]; fewer than published, since
/// others meet these counts by chance.
pub(super) const CLOCKS: &[(u64, u64)] = &[
    (24, 390),
    (48, 152),
    (96, 221),
    (144, 150),
    (288, 950),
    (480, 606),
    (720, 86),
    (1439, 51),
    (1440, 408),
    (2880, 73),
];
/// Counts of which some are not a timer's but a ping's from outside.
pub(super) const PINGED: [u64; 5] = [96, 144, 288, 480, 1440];
/// Timers in larger apps: invocations of a day, and how often.
pub(super) const TIMERS: &[(u64, f64)] = &[
    (1, 80.0),
    (2, 25.0),
    (3, 15.0),
    (4, 25.0),
    (6, 20.0),
    (8, 15.0),
    (12, 30.0),
    (24, 170.0),
    (36, 20.0),
    (48, 55.0),
    (96, 60.0),
    (144, 55.0),
    (288, 230.0),
    (480, 30.0),
    (720, 15.0),
    (1440, 150.0),
    (2880, 20.0),
    (4320, 6.0),
    (8640, 10.0),
    (17280, 10.0),
    (86400, 24.0),
];

/// Memory of an app in MB: Burr XII (c, k, lambda) [P] up to the third quartile, with a factor for the day's mean …
pub(super) const MEMORY_BURR: (f64, f64, f64) = (11.652, 0.221, 107.083);
pub(super) const MEMORY_FACTOR: f64 = 1.02;
/// … above it, where Burr's tail is too heavy, the measured quantiles: share of apps with more, and how much.
pub(super) const MEMORY_TAIL: &[(f64, f64)] =
    &[(0.25, 187.5), (0.10, 210.0), (0.05, 242.0), (0.01, 408.0), (2.8e-5, 1460.0)];
/// The least an app is charged in MB.
pub(super) const MEMORY_LEAST: f64 = 30.0;

/// Load by hour of the day, millions over 14 days.
pub(super) const HOURLY: [f64; 24] = [
    487.0, 478.0, 478.0, 476.0, 475.0, 493.0, 507.0, 524.0, 521.0, 524.0, 525.0, 526.0, 544.0, 566.0, 566.0,
    558.0, 547.0, 558.0, 562.0, 539.0, 527.0, 520.0, 507.0, 489.0,
];
/// How much of the hourly profile functions without bursts follow; above 1, since timers do not.
pub(super) const AMPLITUDE: f64 = 1.15;
/// Load at the weekend (days 6 and 7 of each week) as a part of that of other days.
pub(super) const WEEKEND: f64 = 0.933;
/// More load at every fifth, fifteenth and sixtieth minute: what clocks elsewhere set off.
pub(super) const ON_THE_MINUTE: [(u32, f64); 3] = [(5, 0.06), (15, 0.05), (60, 0.04)];

/// Average run time of functions: normal natural logarithm of seconds [P]; the longest [D1].
pub(super) const RUN_MU: f64 = -0.38;
pub(super) const RUN_SIGMA: f64 = 2.36;
pub(super) const RUN_MOST_S: f64 = 1_800.0;
/// Rank correlation of run time and popularity, as in the 392 functions of FaasCache.
pub(super) const RUN_RHO: f64 = -0.28;

/// What a cold start adds: normal natural logarithm of seconds, of the cold starts of all regions of Huawei [H]; the
/// Azure data does not tell, and the longest run less the average, which FaasCache took, has a median of 2 s but a mean
/// of 15 s. The longest that is drawn.
pub(super) const START_MU: f64 = 0.296;
pub(super) const START_SIGMA: f64 = 1.326;
pub(super) const START_MOST_S: f64 = 60.0;

/// Chance that a single-function app with a timer's count is pinged by http.
pub(super) const PING: f64 = 0.25;
/// Chance that a further function of an app has the trigger of its first.
pub(super) const STICK: f64 = 0.5;
/// Share of the most popular apps whose triggers follow the share of invocations.
pub(super) const HEAVY_RANK: f64 = 0.10;
/// Apps invoked more often than this a day are not led by a timer: of one function, of several.
pub(super) const TIMER_LED_MOST: (u64, u64) = (1_440, 2_880);
/// How much likelier timers of more than once a minute are in apps that can have them.
pub(super) const BUSY_TIMERS: f64 = 12.0;
/// Unevenness within an app: standard deviation of logarithmic weights, and what popular apps add.
pub(super) const SPLIT_SIGMA: (f64, f64) = (1.2, 1.3);
/// How much more the first function of the most popular apps gets, as a logarithm.
pub(super) const MAIN_BOOST: f64 = 3.0;

/// Daily invocations above which popularity is bent to meet the total.
pub(super) const KNEE: f64 = 1_440.0;
/// The most of all invocations that one app may have: at full size, and over the root of the number of apps.
pub(super) const CAP: (f64, f64) = (0.3, 3.5);

/// Chance that an app is bursty, and the daily invocations between which it falls to none.
pub(super) const BURSTY: f64 = 0.62;
pub(super) const BURSTY_FADES: (f64, f64) = (3e3, 2e5);
/// Bursts a day: median, sigma, and the most invocations of one.
pub(super) const BURSTS: (f64, f64, f64) = (8.0, 1.0, 5e3);
/// Length of bursts in minutes: median and sigma of the app's mean.
pub(super) const BURST_LENGTH: (f64, f64) = (9.0, 1.0);
/// Sigma of the height of a burst.
pub(super) const BURST_HEIGHT: f64 = 0.7;
/// Noise of steady apps from so many daily invocations on; how much of it the most popular lose; how long it lasts.
pub(super) const NOISE: (f64, f64, f64, f64) = (0.3, 1e4, 0.5, 0.8);
/// Chance that a timer fires on the hour (or the minute, if its period is shorter).
pub(super) const ALIGNED: f64 = 0.75;

/// Purposes of random numbers.
pub(super) mod purpose {
    pub const OWNERS: u64 = 201;
    pub const MEMORY: u64 = 202;
    pub const PAIRING: u64 = 204;
    pub const SHUFFLE: u64 = 205;
    pub const TRIGGER: u64 = 206;
    pub const SPLIT: u64 = 207;
    pub const KIND: u64 = 208;
    pub const DURATION: u64 = 209;
    pub const START: u64 = 210;
    pub const PATTERN: u64 = 211;
    pub const COUNTS: u64 = 212;
    pub const PHASE: u64 = 213;
}
