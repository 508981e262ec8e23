//! The model at several sizes: exact totals, published shares, the same draw every time.

use super::*;

fn day(functions: u32, invocations: u64, days: u32) -> AzureDay {
    let day = AzureDay { functions, invocations, days, seed: 1 };
    day.check().unwrap_or_else(|fault| panic!("{fault}"));
    day
}

#[test]
fn every_size_has_exactly_what_was_asked_for() {
    for (functions, invocations, days) in [
        (1, 1, 1),
        (1, 1_000_000, 1),
        (2, 2, 1),
        (2, 6_000_000_000, 1),
        (7, 7, 2),
        (10, 100_000, 1),
        (100, 100, 1),
        (100, 1_000_000, 1),
        (400, 7_840_000, 1),
        (1_000, 1_500, 14),
        (3_000, 60_000_000, 3),
    ] {
        let day = day(functions, invocations, days);
        let made = day.functions();
        assert_eq!(made.len(), functions as usize);
        assert_eq!(made.iter().map(|f| f.invocations).sum::<u64>(), invocations, "{day:?}");
        let profile = day.profile();
        for (index, function) in made.iter().enumerate() {
            let minutes = day.minutes(&profile, &made, index);
            assert_eq!(minutes.iter().map(|(_, count)| u64::from(*count)).sum::<u64>(), function.invocations);
            assert!(minutes.is_sorted_by(|a, b| a.0 < b.0), "{function:?}");
            assert!(minutes.iter().all(|(minute, count)| *count > 0 && *minute < days * MINUTES_OF_DAY));
            assert!(function.memory_mb > 0 && function.average_us > 0);
            assert!(function.start_us > 0 && function.invocations > 0);
        }
    }
}

#[test]
fn the_same_seed_gives_the_same_day() {
    let one = day(500, 1_000_000, 1);
    assert_eq!(one.functions(), one.functions());
    let other = AzureDay { seed: 2, ..one };
    assert_ne!(one.functions(), other.functions());
}

#[test]
fn a_full_day_has_the_published_shares() {
    let day = day(46_412, 909_783_379, 1);
    let made = day.functions();
    let share = |part: usize| 100.0 * part as f64 / made.len() as f64;
    for (trigger, published) in Trigger::ALL.into_iter().zip([34.3, 37.5, 14.9, 7.1, 2.7, 2.0, 1.4]) {
        let got = share(made.iter().filter(|f| f.trigger == trigger).count());
        assert!((got - published).abs() < 0.1, "{}: {got} %", trigger.name());
    }
    let mut of_app = vec![0_u64; made.iter().map(|f| f.app as usize + 1).max().unwrap_or(0)];
    made.iter().for_each(|f| of_app[f.app as usize] += f.invocations);
    assert_eq!(of_app.len(), 17_577);
    let exactly = |count: u64| of_app.iter().filter(|invocations| **invocations == count).count() as f64;
    for (count, published) in [(24, 426.0), (288, 975.0), (480, 609.0), (1_440, 411.0), (2_880, 74.0)] {
        assert!((exactly(count) / published - 1.0).abs() < 0.1, "{count}: {}", exactly(count));
    }
    of_app.sort_unstable_by(|a, b| b.cmp(a));
    let top = |apps: usize| 100.0 * of_app[..apps].iter().sum::<u64>() as f64 / 909_783_379.0;
    for (apps, published) in [(1, 14.0), (10, 46.4), (100, 80.4), (176, 86.7), (1_758, 98.8)] {
        assert!((top(apps) - published).abs() < 1.5, "{apps}: {}", top(apps));
    }
}

#[test]
fn a_timer_keeps_its_period() {
    let day = day(2_000, 39_000_000, 2);
    let made = day.functions();
    let profile = day.profile();
    let timers =
        made.iter().enumerate().filter(|(_, f)| f.invocations == 288 * 2 && f.trigger == Trigger::Timer);
    let mut seen = 0;
    for (index, _) in timers {
        let minutes = day.minutes(&profile, &made, index);
        assert!(minutes.windows(2).all(|pair| pair[1].0 - pair[0].0 == 5), "{minutes:?}");
        seen += 1;
    }
    assert!(seen > 20, "{seen}");
}

#[test]
fn what_is_impossible_is_said() {
    let check = |functions, invocations| AzureDay { functions, invocations, days: 1, seed: 1 }.check();
    assert!(check(0, 5).is_err() && check(5, 4).is_err() && check(5, u64::MAX).is_err());
}
