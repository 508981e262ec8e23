//! Synthetic traces: exactly what was asked for, the same bytes every time, the published litmus parameters.

use std::path::Path;

use faassim::time::Span;
use faassim::trace::generate::{Heed, PRESETS, Wish, find};
use faassim::trace::info::look_at;
use faassim::trace::{Trace, read_native};

const NOTHING: Wish = Wish { functions: None, invocations: None, span: None, zipf: None, seed: 1 };

fn make(name: &str, wish: &Wish) -> Trace {
    find(name).expect("a preset").make(wish, &()).unwrap_or_else(|error| panic!("{error}"))
}

/// A small one of every preset.
fn small(name: &str, seed: u64) -> Trace {
    let preset = find(name).expect("a preset");
    let heeds = |heed| preset.heeds.contains(&heed);
    let wish = Wish {
        functions: heeds(Heed::Functions).then_some(50),
        invocations: heeds(Heed::Invocations).then_some(20_000),
        seed,
        ..NOTHING
    };
    make(name, &wish)
}

/// Checksums of every preset at seed 1, small. The same on every machine and for ever, or the changelog says so.
const CHECKSUMS: &[(&str, &str)] = &[
    ("azure2019-day", "df74e8d8190f6390"),
    ("azure392", "9b9092a8ec707725"),
    ("litmus-freq", "8c54408d9d4068d5"),
    ("litmus-freq-sub", "8c2cc11925df0179"),
    ("litmus-lru", "1ef74aa12b773c2d"),
    ("litmus-lru-sub", "05f81e88f4bfd2ca"),
    ("litmus-size", "941ef7e2e111b462"),
    ("litmus-iat", "aa8c508abd851930"),
    ("poisson", "d10fa971122d0ef2"),
    ("mmpp", "fa3a48f7958b89d2"),
    ("periodic", "d2953feaf0c91e7b"),
    ("on-off", "9f27921fb09f1279"),
    ("mix", "cc5f7804e61f86c4"),
];

#[test]
fn the_same_wish_gives_the_same_trace_everywhere() {
    let made: Vec<(&str, String)> =
        PRESETS.iter().map(|preset| (preset.name, small(preset.name, 1).checksum[..16].to_owned())).collect();
    let pinned: Vec<(&str, String)> =
        CHECKSUMS.iter().map(|(name, sum)| (*name, (*sum).to_owned())).collect();
    assert_eq!(made, pinned);
}

#[test]
fn another_seed_draws_another_trace() {
    for preset in PRESETS {
        let drawn = !preset.name.starts_with("litmus");
        assert_eq!(
            small(preset.name, 1).checksum != small(preset.name, 2).checksum,
            drawn,
            "{}",
            preset.name
        );
    }
}

#[test]
fn litmus_workloads_are_the_published_ones() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    for (preset, trace) in [
        ("litmus-freq", "traces/faascache-litmus-freq"),
        ("litmus-lru", "traces/faascache-litmus-lru"),
        ("litmus-size", "traces/faascache-litmus-size"),
    ] {
        let published = read_native(&root.join(trace)).expect("bundled").trace;
        assert_eq!(make(preset, &NOTHING).checksum, published.checksum, "{preset}");
    }
    // Those that come with the recorded runs.
    let recorded = root.join("tests/data/faascache/traces");
    for (preset, trace) in [
        ("litmus-freq-sub", "litmus_freq_sub"),
        ("litmus-lru-sub", "litmus_lru_sub"),
        ("litmus-iat", "litmus_iat"),
    ] {
        let path = recorded.join(trace);
        let published = read_native(&path).expect("bundled").trace;
        assert_eq!(make(preset, &NOTHING).checksum, published.checksum, "{preset}");
    }
}

#[test]
fn azure392_keeps_the_real_functions_and_counts() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let bundled = read_native(&root.join("traces/azure392")).expect("bundled").trace;
    let made = make("azure392", &Wish { seed: 7, ..NOTHING });
    assert_eq!(made.invocations_by_function(), bundled.invocations_by_function());
    for (made, real) in made.functions.iter().zip(&bundled.functions) {
        assert_eq!(
            (&made.name, made.memory, made.cold, made.warm),
            (&real.name, real.memory, real.cold, real.warm)
        );
    }
}

#[test]
fn processes_have_their_regularity_and_exact_counts() {
    let cv = |name: &str| {
        let wish = Wish { functions: Some(20), invocations: Some(200_000), zipf: Some(0.0), ..NOTHING };
        let trace = make(name, &wish);
        assert_eq!((trace.functions.len(), trace.len()), (20, 200_000));
        assert!(trace.span() <= Span::from_secs(86_400));
        look_at(&trace, |_| true).expect("not stopped").0.gaps.cv.at(50.0)
    };
    assert!((cv("poisson") - 1.0).abs() < 0.05, "{}", cv("poisson"));
    assert!(cv("periodic") < 0.05, "{}", cv("periodic"));
    assert!(cv("mmpp") > 1.2, "{}", cv("mmpp"));
    assert!(cv("on-off") > 3.0, "{}", cv("on-off"));
}

#[test]
fn wishes_in_vain_and_impossible_ones_are_said() {
    let said = |name: &str, wish: Wish| {
        find(name).expect("a preset").make(&wish, &()).expect_err("refused").to_string()
    };
    assert_eq!(
        said("litmus-freq", Wish { functions: Some(5), ..NOTHING }),
        "litmus-freq: --functions means nothing to this preset\n  help: it takes --span (or --days) and a seed"
    );
    assert_eq!(
        said("azure392", Wish { span: Some(Span::from_secs(5)), ..NOTHING }),
        "azure392: --span (or --days) means nothing to this preset\n  help: it takes a seed only"
    );
    assert_eq!(
        said("azure2019-day", Wish { functions: Some(5), invocations: Some(4), ..NOTHING }),
        "azure2019-day: 4 invocations are fewer than 5 functions; each is invoked at least once"
    );
    assert_eq!(
        said("azure2019-day", Wish { span: Some(Span::from_secs(3_600)), ..NOTHING }),
        "azure2019-day: 1 h is no number of days\n  help: from 1 to 366 whole days are possible"
    );
    assert!(
        said("poisson", Wish { invocations: Some(3), ..NOTHING }).contains("each is invoked at least once")
    );
    assert!(said("mix", Wish { zipf: Some(f64::NAN), ..NOTHING }).contains("an exponent of NaN"));
}
