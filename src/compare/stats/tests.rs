//! The formulas against published figures.

use super::*;

fn close(found: f64, published: f64, digits: i32) {
    let half = 0.500_001 * 10_f64.powi(-digits);
    assert!((found - published).abs() <= half, "{found} is not {published}");
}

#[test]
fn wilson_gives_newcombes_table() {
    // R. G. Newcombe, Statistics in Medicine 17 (1998) 857-872, table I, method 3.
    for (part, whole, low, high) in
        [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611), (1, 29, 0.0061, 0.1718)]
    {
        let found = wilson(part, whole).expect("some");
        close(found.low, low, 4);
        close(found.high, high, 4);
    }
    assert_eq!(wilson(0, 0), None);
    assert_eq!(wilson(0, 20).expect("some").low, 0.0);
    assert_eq!(wilson(20, 20).expect("some").high, 1.0);
}

#[test]
fn differences_give_newcombes_table() {
    // R. G. Newcombe, Statistics in Medicine 17 (1998) 873-890, table II, method 10.
    for (a, b, low, high) in [
        ((56, 70), (48, 80), 0.0524, 0.3339),
        ((9, 10), (3, 10), 0.1705, 0.8090),
        ((6, 7), (2, 7), 0.0582, 0.8062),
        ((5, 56), (0, 29), -0.0381, 0.1926),
        ((0, 10), (0, 20), -0.1611, 0.2775),
        ((0, 10), (0, 10), -0.2775, 0.2775),
        ((10, 10), (0, 20), 0.6791, 1.0),
        ((10, 10), (0, 10), 0.6075, 1.0),
    ] {
        let of = |(part, whole)| wilson(part, whole).expect("some");
        let found = difference(of(a), of(b));
        close(found.low, low, 4);
        close(found.high, high, 4);
    }
}

#[test]
fn kappa_of_the_textbook() {
    // J. L. Fleiss, B. Levin and M. C. Paik, Statistical Methods for Rates and Proportions (2003), table 18.1: 0.68.
    let diagnoses = [[75, 1, 4], [5, 4, 1], [0, 0, 10]];
    close(kappa(&diagnoses).expect("defined"), 0.676_470_6, 7);
    assert_eq!(agreed(&diagnoses), 89);
}

#[test]
fn kappa_where_there_is_little_to_agree_on() {
    assert_eq!(kappa(&[[0, 0], [0, 0]]), None, "nothing");
    assert_eq!(kappa(&[[7, 0], [0, 0]]), None, "all in one class on both sides");
    // One side has one class only: no more agreement than its shares give.
    assert_eq!(kappa(&[[5, 2], [0, 0]]), Some(0.0));
    // Always the other class.
    assert_eq!(kappa(&[[0, 7], [0, 0]]), Some(0.0));
    assert_eq!(kappa(&[[0, 5], [5, 0]]), Some(-1.0));
    assert_eq!(kappa(&[[5, 0], [0, 5]]), Some(1.0));
}

#[test]
fn the_limiting_distribution_gives_the_usual_critical_values() {
    // N. Smirnov, Annals of Mathematical Statistics 19 (1948) 279-281: 1 - L(z), to two figures of z.
    for (lambda, p) in [(1.07, 0.2024), (1.14, 0.1486), (1.36, 0.0495), (1.63, 0.0098), (1.95, 0.0010)] {
        close(smirnov(lambda), p, 4);
    }
    assert!(smirnov(0.1) > 0.999_999);
    assert!(smirnov(0.200_001) > 0.999_999);
    // Where one form gives way to the other.
    assert!((smirnov(1.179_999_9) - smirnov(1.180_000_1)).abs() < 1e-6);
}

#[test]
fn distances_by_hand() {
    // F_a reaches 1 at 3, where F_b is at 1/4.
    let found = kolmogorov_smirnov(&[1, 2, 3], &[3, 4, 5, 6]).expect("some");
    close(found.distance, 0.75, 12);
    close(found.p_asymptotic, smirnov(0.75 * (12.0_f64 / 7.0).sqrt()), 12);
    let same = kolmogorov_smirnov(&[1, 1, 2], &[1, 1, 2]).expect("some");
    assert_eq!((same.distance, same.p_asymptotic), (0.0, 1.0));
    let apart = kolmogorov_smirnov(&[1, 2], &[10, 20]).expect("some");
    assert_eq!(apart.distance, 1.0);
    assert_eq!(kolmogorov_smirnov(&[], &[1]), None);
}

#[test]
fn quantiles_are_values_that_were_there() {
    let values = [10, 20, 30, 40];
    assert_eq!(quantile(&values, 0.5), Some(20));
    assert_eq!(quantile(&values, 0.51), Some(30));
    assert_eq!(quantile(&values, 0.0), Some(10));
    assert_eq!(quantile(&values, 1.0), Some(40));
    assert_eq!(quantile::<u64>(&[], 0.5), None);
}

#[test]
fn the_bootstrap_is_the_same_every_time() {
    let runs = [(10, 100), (14, 100), (12, 100), (11, 100), (13, 100)];
    let found = bootstrap(&runs).expect("some");
    assert_eq!(found, bootstrap(&runs).expect("some"));
    assert_eq!(found.value, 0.12);
    // Means of five of these: between the runs' extremes, around the middle.
    assert!(found.low >= 0.10 && found.low < 0.12 && found.high > 0.12 && found.high <= 0.14, "{found:?}");
    let same = bootstrap(&[(3, 10), (3, 10)]).expect("some");
    assert_eq!((same.low, same.high), (0.3, 0.3));
    assert_eq!(bootstrap(&[(0, 0), (0, 0)]), None);
    assert_eq!(bootstrap(&[]), None);
}
