//! A comparison for a person, at most 80 columns wide, and its table of functions. Owns wording and layout; must never
//! show a figure that the JSON does not have.

use super::layout::{WIDTH, wrap};
use super::report::{duration, line, short, thousands};
use super::{Column, Table};
use crate::compare::figures::{
    Agreement, Checked, Counts, Distribution, FunctionComparison, FunctionSide, Lone, Percent, Points,
    Quantiles, Range, SideFigures, SingleRuns, Verdict,
};
use crate::compare::stats::KolmogorovSmirnov;
use crate::compare::{Class, Comparison};
use crate::scenario::Measure;

/// A comparison as sections of text, each ending with a line feed: what the sides are, how they served, agreement,
/// times, how far single runs lie apart, memory and containers, functions. The verdict is [`verdict_text`]. `most`: how many functions are listed.
pub fn compare_text(found: &Comparison, most: usize) -> Vec<String> {
    let mut sections = vec![sides(found), served(found)];
    sections.extend(found.agreement.as_ref().map(agreement));
    sections.extend([times(found), single_runs(found), containers(found), functions(found, most)]);
    sections.retain(|section| !section.is_empty());
    sections
}

/// So many runs of a side are named.
const LISTED: usize = 3;

/// A name in the margin, a cell for each side, and what A has more.
fn row(out: &mut String, name: &str, a: &str, b: &str, more: &str) {
    line(out, &format!("{name:<16}{a:>20}{b:>20}{more:>22}"));
}

/// Text that goes on under itself.
fn paragraph(out: &mut String, indent: &str, text: &str) {
    let mut rest = indent.to_owned();
    for part in wrap(text, WIDTH - indent.chars().count()) {
        line(out, &format!("{rest}{part}"));
        rest = " ".repeat(indent.chars().count());
    }
}

fn sides(found: &Comparison) -> String {
    let mut out = String::new();
    for (name, side) in [("A", &found.a), ("B", &found.b)] {
        let kind = side.kind;
        for (nth, label) in side.runs.iter().take(LISTED).enumerate() {
            let head = if nth == 0 { format!("{name}  {kind:<15}") } else { " ".repeat(18) };
            // A path is never broken: it is there to be copied.
            line(&mut out, &format!("{head} {label}"));
        }
        if side.runs.len() > LISTED {
            line(&mut out, &format!("{:19}… and {} more", "", side.runs.len() - LISTED));
        }
        for note in &side.notes {
            paragraph(&mut out, "   - ", note);
        }
    }
    for note in &found.notes {
        paragraph(&mut out, "note: ", note);
    }
    out
}

// ----- how invocations were served -----

fn signed(value: f64, digits: usize) -> String {
    // What rounds to nothing has no sign.
    let text = format!("{value:+.digits$}");
    if text.trim_start_matches(['+', '-']).chars().all(|c| c == '0' || c == '.') {
        text[1..].to_owned()
    } else {
        text
    }
}

fn points(points: Option<Points>) -> String {
    points.map_or_else(String::new, |points| format!("{} pp", signed(points.pp, 2)))
}

fn served(found: &Comparison) -> String {
    let mut out = String::new();
    let (a, b, d) = (&found.a, &found.b, &found.differences);
    row(&mut out, "", "A", "B", "A less B");
    let count = |side: &SideFigures| thousands(side.counts.invocations);
    row(&mut out, "invocations", &count(a), &count(b), "");
    let cell = |count: u64, share: Option<Percent>| match share {
        Some(share) => format!("{}{:>10}", thousands(count), format!("{:.2} %", share.pct)),
        None => format!("{}{:>10}", thousands(count), ""),
    };
    type Line = (&'static str, fn(&Counts) -> u64, fn(&SideFigures) -> Option<Percent>, Option<Points>);
    let lines: [Line; 4] = [
        ("  warm", |counts| counts.warm, |side| side.shares.warm, d.warm),
        ("  partly cold", |counts| counts.partial, |side| side.shares.partial, d.partial),
        ("  cold", |counts| counts.cold, |side| side.shares.cold, d.cold),
        ("  unserved", |counts| counts.unserved, |side| side.shares.unserved, d.unserved),
    ];
    for (name, of, share, more) in lines {
        let is_cold = name == "  cold";
        if !is_cold && name != "  warm" && of(&a.counts) + of(&b.counts) == 0 {
            continue;
        }
        let (left, right) = (cell(of(&a.counts), share(a)), cell(of(&b.counts), share(b)));
        row(&mut out, name, &left, &right, &points(more));
        if is_cold {
            let ends = |share: Option<Percent>| {
                share.map_or_else(String::new, |share| format!("{:.2} to {:.2} %", share.low, share.high))
            };
            let apart = more.map_or_else(String::new, |more| {
                format!("{} to {} pp", signed(more.low, 2), signed(more.high, 2))
            });
            row(&mut out, "    95 %", &ends(a.shares.cold), &ends(b.shares.cold), &apart);
        }
    }
    if a.counts.failed + b.counts.failed > 0 {
        row(&mut out, "  failed", &thousands(a.counts.failed), &thousands(b.counts.failed), "");
    }
    let of = |side: &SideFigures| match side.shares.method {
        "wilson" => "Wilson".to_owned(),
        _ => format!("bootstrap over {} runs", side.runs.len()),
    };
    let text = format!("95 %: {} for A, {} for B; shares are of the served", of(a), of(b));
    line(&mut out, &text);
    out
}

// ----- agreement -----

fn agreement(agreement: &Agreement) -> String {
    let mut out = String::new();
    let present: Vec<usize> = (0..Class::ALL.len())
        .filter(|ix| {
            *ix == Class::Warm as usize
                || *ix == Class::Cold as usize
                || agreement.matrix[*ix].iter().sum::<u64>() > 0
                || agreement.matrix.iter().any(|row| row[*ix] > 0)
        })
        .collect();
    let heads = present
        .iter()
        .map(|ix| format!("{:>13}", format!("B {}", Class::ALL[*ix].name())))
        .collect::<String>();
    line(&mut out, &format!("{:<16}{heads}", "one by one"));
    for row in &present {
        let cells = present
            .iter()
            .map(|column| format!("{:>13}", thousands(agreement.matrix[*row][*column])))
            .collect::<String>();
        line(&mut out, &format!("{:<16}{cells}", format!("  A {}", Class::ALL[*row].name())));
    }
    let kappa = match (agreement.kappa, agreement.pct) {
        (Some(kappa), _) => format!("Cohen's kappa {kappa:.3}"),
        (None, Some(pct)) if pct >= 100.0 => "kappa undefined: all are of one class on both sides".to_owned(),
        (None, _) => "kappa undefined".to_owned(),
    };
    let pct = agreement.pct.map_or_else(|| "nothing".to_owned(), |pct| format!("{pct:.2} %"));
    line(&mut out, &format!("agree           {pct} of {} matched, {kappa}", thousands(agreement.matched)));
    for (name, pct) in [("A", agreement.within_a_pct), ("B", agreement.within_b_pct)] {
        if let Some(pct) = pct {
            line(&mut out, &format!("                runs of {name} agree with each other on {pct:.2} %"));
        }
    }
    let lone: Vec<String> = [(agreement.only_a, "A"), (agreement.only_b, "B")]
        .into_iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, name)| format!("{} of {name}", thousands(count)))
        .collect();
    if !lone.is_empty() {
        line(&mut out, &format!("no counterpart  {}", lone.join(", ")));
    }
    out
}

// ----- times -----

fn times(found: &Comparison) -> String {
    let mut out = String::new();
    let (a, b, d) = (&found.a, &found.b, &found.differences);
    let wait = |side: &SideFigures| side.wait.map(|wait| wait.ms);
    let blocks = [
        ("wait", wait(a), wait(b), d.wait_ms, "", None),
        ("response", a.response_ms, b.response_ms, d.response_pct, "%", d.response_ks),
        (
            "warm response",
            a.warm_response_ms,
            b.warm_response_ms,
            d.warm_response_pct,
            "%",
            d.warm_response_ks,
        ),
        (
            "cold response",
            a.cold_response_ms,
            b.cold_response_ms,
            d.cold_response_pct,
            "%",
            d.cold_response_ks,
        ),
    ];
    let mut told = Vec::new();
    for (name, one, other, more, unit, ks) in blocks {
        match (one, other) {
            (Some(one), Some(other)) => {
                if name == "wait" {
                    let waited = |side: &SideFigures| side.wait.map_or(0, |wait| wait.waited);
                    row(&mut out, "wait: over 1 ms", &thousands(waited(a)), &thousands(waited(b)), "");
                    distribution_rows(&mut out, None, one, other, more, unit);
                } else {
                    distribution_rows(&mut out, Some(name), one, other, more, unit);
                }
                ks_line(&mut out, ks);
            }
            (None, None) => {}
            (one, _) => told.push((name, if one.is_none() { "A" } else { "B" })),
        }
    }
    for side in ["A", "B"] {
        let names: Vec<&str> = told.iter().filter(|(_, who)| *who == side).map(|(name, _)| *name).collect();
        if !names.is_empty() {
            line(&mut out, &format!("not known of {side}: {}", names.join(", ")));
        }
    }
    out
}

fn distribution_rows(
    out: &mut String,
    title: Option<&str>,
    a: Distribution,
    b: Distribution,
    more: Option<Quantiles>,
    unit: &str,
) {
    if let Some(title) = title {
        row(out, title, &thousands(a.count), &thousands(b.count), "");
    }
    let difference = |of: fn(&Quantiles) -> Option<f64>| match (more.as_ref().and_then(of), unit) {
        (Some(value), "%") => format!("{} %", signed(value, 1)),
        (Some(value), _) => {
            let sign = if value < -0.0005 {
                "-"
            } else if value > 0.0005 {
                "+"
            } else {
                ""
            };
            format!("{sign}{}", duration(value.abs()))
        }
        (None, _) => String::new(),
    };
    type Line = (&'static str, fn(&Distribution) -> f64, fn(&Quantiles) -> Option<f64>);
    let lines: [Line; 5] = [
        ("  mean", |at| at.mean, |at| at.mean),
        ("  p50", |at| at.p50, |at| at.p50),
        ("  p90", |at| at.p90, |at| at.p90),
        ("  p95", |at| at.p95, |at| at.p95),
        ("  p99", |at| at.p99, |at| at.p99),
    ];
    for (name, at, of) in lines {
        row(out, name, &duration(at(&a)), &duration(at(&b)), &difference(of));
    }
}

fn ks_line(out: &mut String, ks: Option<KolmogorovSmirnov>) {
    if let Some(KolmogorovSmirnov { distance, p_asymptotic }) = ks {
        let p =
            if p_asymptotic < 0.001 { "p below 0.001".to_owned() } else { format!("p {p_asymptotic:.3}") };
        line(out, &format!("  Kolmogorov–Smirnov distance {distance:.3}, {p} (asymptotic)"));
    }
}

// ----- single runs -----

/// How far apart the runs of a side lie, and whether the only run of the other lies among them.
fn single_runs(found: &Comparison) -> String {
    let (a, b) = (&found.a, &found.b);
    if a.single_runs.is_none() && b.single_runs.is_none() {
        return String::new();
    }
    let mut out = String::new();
    row(&mut out, "single runs", "A", "B", "");
    type Line =
        (&'static str, fn(&SingleRuns) -> Option<Range>, fn(&SideFigures) -> Option<f64>, fn(f64) -> String);
    let lines: [Line; 3] = [
        (
            "  cold",
            |runs| runs.cold_pct,
            |side| side.shares.cold.map(|cold| cold.pct),
            |pct| format!("{pct:.2} %"),
        ),
        ("  response, p50", |runs| runs.p50_ms, |side| side.response_ms.map(|at| at.p50), duration),
        ("  response, p95", |runs| runs.p95_ms, |side| side.response_ms.map(|at| at.p95), duration),
    ];
    for (name, range, value, text) in lines {
        let range = |side: &SideFigures| side.single_runs.as_ref().and_then(range);
        let cell = |side: &SideFigures| match (range(side), value(side)) {
            (Some(range), _) => format!("{} to {}", text(range.least), text(range.greatest)),
            (None, Some(value)) => text(value),
            (None, None) => "not known".to_owned(),
        };
        let among = |many: &SideFigures, one: &SideFigures| match (range(many), range(one), value(one)) {
            (Some(many), None, Some(one)) => Some(many.holds(one)),
            _ => None,
        };
        let more = match (among(a, b), among(b, a)) {
            (Some(true), _) | (_, Some(true)) => "within",
            (Some(false), _) | (_, Some(false)) => "outside",
            (None, None) => "",
        };
        row(&mut out, name, &cell(a), &cell(b), more);
    }
    out
}

// ----- memory and containers -----

fn containers(found: &Comparison) -> String {
    let mut out = String::new();
    let (a, b, d) = (&found.a, &found.b, &found.differences);
    let pct = |value: Option<f64>| value.map_or_else(String::new, |value| format!("{} %", signed(value, 1)));
    let number = |value: Option<f64>| value.map_or_else(|| "not known".to_owned(), decimal);
    if a.memory.is_some() || b.memory.is_some() {
        let mib =
            |value: Option<f64>| value.map_or_else(|| "not known".to_owned(), |mib| format!("{mib:.0} MiB"));
        let more = |of: fn(&crate::compare::figures::MemoryDifference) -> Option<f64>| {
            pct(d.memory.as_ref().and_then(of))
        };
        let mean = |side: &SideFigures| mib(side.memory.map(|memory| memory.mean_mib));
        let peak = |side: &SideFigures| mib(side.memory.map(|memory| memory.peak_mib));
        row(&mut out, "memory, mean", &mean(a), &mean(b), &more(|memory| memory.mean_pct));
        row(&mut out, "  peak sampled", &peak(a), &peak(b), &more(|memory| memory.peak_pct));
        if let Some((apart, common)) =
            d.memory.and_then(|memory| memory.mean_absolute_mib.zip(memory.common_s))
        {
            line(&mut out, &format!("  apart by {apart:.0} MiB on average over the {common:.0} s both have"));
        }
    }
    for (name, one, other, more) in
        [("created", a.created, b.created, d.created_pct), ("evicted", a.evicted, b.evicted, d.evicted_pct)]
    {
        if one.is_some() || other.is_some() {
            row(&mut out, name, &number(one), &number(other), &pct(more));
        }
    }
    if let (Some(one), Some(other)) = (&a.causes, &b.causes) {
        line(&mut out, "why not warm");
        for (one, other) in one.iter().zip(other).filter(|(one, other)| one.count + other.count > 0.0) {
            let more = signed(one.count - other.count, usize::from((one.count - other.count).fract() != 0.0));
            row(&mut out, &format!("  {}", one.cause), &decimal(one.count), &decimal(other.count), &more);
        }
    }
    out
}

/// A mean of counts: whole where it is.
fn decimal(value: f64) -> String {
    if value.fract() == 0.0 { thousands(value as u64) } else { format!("{value:.1}") }
}

// ----- functions -----

fn functions(found: &Comparison, most: usize) -> String {
    let mut out = String::new();
    let all = &found.functions;
    if all.len() > 1 || !found.only_a.is_empty() || !found.only_b.is_empty() {
        let head = format!(
            "{:<24}{:>9}{:>8}{:>8}{:>10}{:>10}{:>8}",
            "function", "calls A", "cold A", "cold B", "A less B", "p50", "agree"
        );
        line(&mut out, &head);
        for function in all.iter().take(most) {
            line(&mut out, &function_line(function));
        }
        if all.len() > most {
            let rest = all.len() - most;
            line(&mut out, &format!("… and {rest} more, whose cold starts differ less: --functions all"));
        }
    }
    for (lone, has, lacks) in [(&found.only_a, "A", "B"), (&found.only_b, "B", "A")] {
        lone_lines(&mut out, lone, has, lacks);
    }
    out
}

fn function_line(function: &FunctionComparison) -> String {
    let points = function.cold.map_or_else(String::new, |cold| format!("{} pp", signed(cold.pp, 1)));
    let p50 = function.response_pct.and_then(|pct| pct.p50);
    let p50 = p50.map_or_else(String::new, |pct| format!("{} %", signed(pct, 1)));
    let agree = function.agreement_pct.map_or_else(String::new, |pct| format!("{pct:.0} %"));
    format!(
        "{:<24}{:>9}{:>8}{:>8}{:>10}{:>10}{:>8}",
        short(&function.function),
        thousands(function.a.counts.invocations),
        thousands(function.a.counts.cold),
        thousands(function.b.counts.cold),
        points,
        p50,
        agree
    )
}

fn lone_lines(out: &mut String, lone: &[Lone], has: &str, lacks: &str) {
    const SHOWN: usize = 5;
    if lone.is_empty() {
        return;
    }
    line(out, &format!("not invoked on {lacks}: {} of {has}'s functions", thousands(lone.len() as u64)));
    for one in lone.iter().take(SHOWN) {
        let near = one.nearest.as_ref().map_or_else(String::new, |near| format!(" (like {}?)", short(near)));
        line(out, &format!("  {}, {} calls{near}", short(&one.function), thousands(one.invocations)));
    }
    if lone.len() > SHOWN {
        line(out, &format!("  … and {} more", lone.len() - SHOWN));
    }
}

// ----- the verdict -----

/// Every limit with its figure; empty if there is no limit.
pub fn verdict_text(verdict: &Verdict) -> String {
    let mut out = String::new();
    for (nth, checked) in verdict.limits.iter().enumerate() {
        let Checked { measure, value, limit, is_least, kept } = checked;
        let head = if nth == 0 { "verdict" } else { "" };
        let relation = if *is_least { "at least" } else { "at most" };
        let value = value.map_or_else(|| "not known".to_owned(), |value| format!("{value:.3}"));
        let said = if *kept { "ok" } else { "EXCEEDED" };
        let name = measure.key();
        line(&mut out, &format!("{head:<16}{name:<15}{value:>12}  {relation} {limit:<10} {said}"));
    }
    out
}

/// What is wrong with a limit that is not kept, in a sentence.
pub fn exceeded(checked: &Checked) -> String {
    let Checked { measure, value, limit, is_least, .. } = checked;
    let bound = if *is_least { "least" } else { "most" };
    match value {
        Some(value) => format!("{} is {value:.3}; the {bound} is {limit}", measure.key()),
        None => format!("{} is limited to {limit}, but not known: {}", measure.key(), unknown(*measure)),
    }
}

fn unknown(measure: Measure) -> &'static str {
    match measure {
        Measure::ColdRatioPp | Measure::UnservedPp => "a side has served nothing",
        Measure::AgreementPct | Measure::Kappa => "the sides were not compared one by one",
        Measure::P50Pct | Measure::P90Pct | Measure::P95Pct | Measure::P99Pct | Measure::Ks => {
            "a side tells no responses"
        }
        Measure::WaitP95Ms => "a side tells no waits",
        Measure::MemoryPct => "a side tells no memory",
        Measure::CreatedPct | Measure::EvictedPct => "a side does not tell it, or B has none",
    }
}

// ----- the table -----

/// A row per function that both sides invoked.
pub fn compare_function_table(functions: &[FunctionComparison]) -> Table {
    let whole = |of: &dyn Fn(&FunctionComparison) -> u64| Column::Whole(functions.iter().map(of).collect());
    let maybe = |of: &dyn Fn(&FunctionComparison) -> Option<f64>| {
        Column::MaybeNumber(functions.iter().map(of).collect())
    };
    let names = functions.iter().map(|function| function.function.clone()).collect();
    let mut table = Table::new().with("function", Column::Text(names));
    type Of = fn(&FunctionComparison) -> &FunctionSide;
    let sides: [(&str, Of); 2] = [("a", |function| &function.a), ("b", |function| &function.b)];
    for (side, of) in sides {
        for (name, count) in [
            ("invocations", (|counts| counts.invocations) as fn(&Counts) -> u64),
            ("warm", |counts| counts.warm),
            ("partial", |counts| counts.partial),
            ("cold", |counts| counts.cold),
            ("unserved", |counts| counts.unserved),
        ] {
            table = table.with(format!("{side}_{name}"), whole(&|function| count(&of(function).counts)));
        }
        let cold = |at: fn(Percent) -> f64| maybe(&|function| of(function).cold.map(at));
        let response = |at: fn(Distribution) -> f64| maybe(&|function| of(function).response_ms.map(at));
        table = table
            .with(format!("{side}_cold_pct"), cold(|share| share.pct))
            .with(format!("{side}_cold_low_pct"), cold(|share| share.low))
            .with(format!("{side}_cold_high_pct"), cold(|share| share.high))
            .with(format!("{side}_p50_ms"), response(|at| at.p50))
            .with(format!("{side}_p95_ms"), response(|at| at.p95));
    }
    table
        .with("cold_difference_pp", maybe(&|function| function.cold.map(|cold| cold.pp)))
        .with("cold_difference_low_pp", maybe(&|function| function.cold.map(|cold| cold.low)))
        .with("cold_difference_high_pp", maybe(&|function| function.cold.map(|cold| cold.high)))
        .with("p50_difference_pct", maybe(&|function| function.response_pct.and_then(|pct| pct.p50)))
        .with("p95_difference_pct", maybe(&|function| function.response_pct.and_then(|pct| pct.p95)))
        .with("ks_distance", maybe(&|function| function.response_ks.map(|ks| ks.distance)))
        .with("agreement_pct", maybe(&|function| function.agreement_pct))
        .with("kappa", maybe(&|function| function.kappa))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_rounds_to_nothing_has_no_sign() {
        assert_eq!(signed(0.344, 2), "+0.34");
        assert_eq!(signed(-0.004, 2), "0.00");
        assert_eq!(signed(0.004, 2), "0.00");
        assert_eq!(signed(-1.0, 0), "-1");
    }

    #[test]
    fn limits_that_are_not_known_say_why() {
        let checked = Checked { measure: Measure::Ks, value: None, limit: 0.1, is_least: false, kept: false };
        assert_eq!(exceeded(&checked), "ks is limited to 0.1, but not known: a side tells no responses");
        let verdict = Verdict { limits: vec![checked], exceeded: true };
        assert_eq!(
            verdict_text(&verdict),
            "verdict         ks                not known  at most 0.1        EXCEEDED\n"
        );
    }
}
