//! `faassim calibrate keep-alive`: which single keep-alive explains the cold starts that were measured on a platform.
//! Owns its options and what is printed; every figure is `compare::keep_alive`'s.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use clap::Args;
use serde_json::{Value, json};

use crate::cli::loading::load_trace;
use crate::cli::print;
use crate::cli::progress::{Meter, catch_interrupts, interrupted};
use crate::compare::keep_alive::{Agreement, Aim, Cause, Disagreement, Fit, Range, Recorded, Step, best};
use crate::error::{Diagnostic, Error};
use crate::results::{counted, layout, short, thousands};
use crate::scenario::TraceSpec;
use crate::time::Span;

/// Find the single keep-alive that explains measured cold starts
///
/// Reads traces with measured cold starts (column is_cold) and finds the keep-alive that predicts them best: by their
/// number, and call by call. Then it tells why calls disagree, where the trace tells containers.
#[derive(Args, Debug)]
pub struct KeepAliveArgs {
    /// The traces: folders, each with one record of the same platform
    #[arg(required = true, value_name = "TRACE")]
    traces: Vec<PathBuf>,
    /// Tell what comes of this keep-alive, for example "10 min" [default: the best one for all traces]
    #[arg(long, value_name = "SPAN", value_parser = keep)]
    keep: Option<Span>,
    /// List every call that disagrees
    #[arg(long)]
    list: bool,
    /// Print all figures as JSON
    #[arg(long, conflicts_with = "list")]
    json: bool,
}

/// A keep-alive of at least 1 µs.
fn keep(text: &str) -> Result<Span, String> {
    match text.parse::<Span>()? {
        Span::ZERO => Err("with 0 s every call is cold, so there is nothing to explain".to_owned()),
        keep => Ok(keep),
    }
}

/// A record, with the best keep-alives for it alone.
struct Searched {
    recorded: Recorded,
    functions: Vec<String>,
    sha256: String,
    count: Fit,
    calls: Fit,
}

/// What comes of one keep-alive for all.
struct Together {
    keep: Span,
    /// What of it is as good, if it is the best one.
    range: Option<Range>,
    agreement: Vec<Agreement>,
    disagreements: Vec<Vec<Disagreement>>,
}

/// Searches and tells.
///
/// # Errors
/// A usage error for a trace that cannot be read or has nothing measured.
pub(super) fn keep_alive(args: &KeepAliveArgs) -> Result<(), Error> {
    catch_interrupts();
    let mut searched = Vec::with_capacity(args.traces.len());
    let mut steps = Vec::with_capacity(args.traces.len());
    for path in &args.traces {
        let (one, its) = search(path)?;
        searched.push(one);
        steps.push(its);
    }
    let fit = best(&steps, Aim::Count);
    let keep = args.keep.unwrap_or_else(|| fit.range.example());
    let together = Together {
        keep,
        range: args.keep.is_none().then_some(fit.range),
        agreement: searched.iter().map(|one| one.recorded.agreement(keep)).collect(),
        disagreements: searched.iter().map(|one| one.recorded.disagreements(keep)).collect(),
    };
    if args.json {
        let json = serde_json::to_string_pretty(&json_of(&searched, &together))
            .map_err(|error| Error::run(format!("cannot write JSON: {error}")))?;
        return print(&(json + "\n"));
    }
    let mut out = String::new();
    alone(&mut out, &searched);
    all_at_once(&mut out, &searched, &together);
    reasons(&mut out, &searched, &together);
    habits(&mut out, &searched);
    if args.list {
        list(&mut out, &searched, &together);
    }
    print(&out)
}

fn search(path: &Path) -> Result<(Searched, Vec<Step>), Error> {
    let spec = TraceSpec::from_options(path, &[])?;
    let trace = load_trace(&spec.path, &spec.reading)?;
    let recorded = Recorded::new(&trace).map_err(|unfit| {
        Error::usage(Diagnostic::new(unfit.message).at(path.display().to_string()).help(unfit.help))
    })?;
    let mut meter = Meter::default();
    let mut replayed = 0;
    let steps = recorded.steps(|calls| {
        replayed += calls;
        // How many steps there are is not known before; never more than calls.
        meter.show(replayed, recorded.calls * recorded.calls, || "of the most it can take".to_owned());
        !interrupted()
    });
    meter.clear();
    let steps = vec![steps.map_err(|_| Error::interrupted("stopped by Ctrl-C; nothing was written"))?];
    let (count, calls) = (best(&steps, Aim::Count), best(&steps, Aim::Calls));
    let functions = trace.functions.iter().map(|function| function.name.clone()).collect();
    let searched = Searched { recorded, functions, sha256: trace.checksum, count, calls };
    Ok((searched, steps.into_iter().flatten().collect()))
}

// ----- text -----

/// Columns that every table of agreements ends with.
const HEAD: &str = "  cold predicted    off missed extra  kappa";

fn cells(agreement: &Agreement) -> String {
    let off = agreement.predicted() as i64 - agreement.measured() as i64;
    let kappa = agreement.kappa().map_or_else(|| "-".to_owned(), |kappa| format!("{kappa:.3}"));
    format!(
        "{:>6} {:>9} {off:>+6} {:>6} {:>5} {kappa:>6}",
        agreement.measured(),
        agreement.predicted(),
        agreement.missed,
        agreement.extra
    )
}

/// A range in seconds: what is above the first and up to the second.
fn range(range: &Range) -> String {
    let seconds = |span: Span| format!("{:.3}", span.as_secs_f64());
    if range.upto == Span::FOREVER {
        return format!("over {} s", seconds(range.over));
    }
    format!("{}..{} s", seconds(range.over), seconds(range.upto))
}

fn alone(out: &mut String, searched: &[Searched]) {
    let _ = writeln!(out, "{:<36}{HEAD}", "best keep-alive for each alone");
    for one in searched {
        let recorded = &one.recorded;
        let _ = writeln!(
            out,
            "{}: {}, {} warm at the start",
            short(&recorded.name),
            counted(recorded.calls, "call"),
            counted(recorded.warm_at_start, "container")
        );
        for (aim, fit) in [("by count", &one.count), ("by calls", &one.calls)] {
            let label = format!("  {aim}  {}", range(&fit.range));
            let _ = writeln!(out, "{label:<36}{}", cells(&fit.agreement[0]));
        }
    }
    out.push('\n');
}

fn all_at_once(out: &mut String, searched: &[Searched], together: &Together) {
    let title = match (&together.range, searched.len()) {
        (Some(_), 1) => format!("at {}", together.keep),
        (Some(_), _) => format!("one for all: {}", together.keep),
        (None, _) => format!("at {}, as asked for", together.keep),
    };
    let _ = writeln!(out, "{title:<36}{HEAD}");
    for (one, agreement) in searched.iter().zip(&together.agreement) {
        let _ = writeln!(out, "  {:<34}{}", short(&one.recorded.name), cells(agreement));
    }
    if let Some(best) = &together.range {
        let seconds = |span: Span| match span {
            Span::ZERO => "0 s".to_owned(),
            span => format!("{:.3} s", span.as_secs_f64()),
        };
        let which = match *best {
            Range { over: Span::ZERO, upto: Span::FOREVER } => String::new(),
            Range { over, upto: Span::FOREVER } => format!(" over {}", seconds(over)),
            Range { over, upto } => format!(" over {} up to {}", seconds(over), seconds(upto)),
        };
        let _ = writeln!(out, "  any keep-alive{which} gives the same");
        let _ = writeln!(out, "  in a scenario: keep-alive.fixed.keep = \"{}\"", together.keep);
    }
    out.push('\n');
}

/// From the least to the most in whole seconds, of those that are known.
fn spread(spans: impl Iterator<Item = Option<Span>>) -> String {
    let seconds: Vec<u64> = spans.flatten().map(|span| span.0 / 1_000_000).collect();
    match (seconds.iter().min(), seconds.iter().max()) {
        (Some(least), Some(most)) if least == most => thousands(*least),
        (Some(least), Some(most)) => format!("{}-{}", thousands(*least), thousands(*most)),
        _ => "-".to_owned(),
    }
}

fn reasons(out: &mut String, searched: &[Searched], together: &Together) {
    let found = |cause: Cause| together.disagreements.iter().flatten().any(|it| it.cause == cause);
    if !Cause::ALL.into_iter().any(found) {
        return;
    }
    let _ = writeln!(
        out,
        "{:<24}  {:<22}{:<8} {:>6} {:>7} {:>8}",
        format!("why, at {}", together.keep),
        "cause",
        "measured",
        "calls",
        "idle s",
        "age s"
    );
    for (one, all) in searched.iter().zip(&together.disagreements) {
        let mut label = short(&one.recorded.name);
        for cause in Cause::ALL {
            let these = || all.iter().filter(|it| it.cause == cause);
            for (cold, measured) in [(true, "cold"), (false, "warm")] {
                let these = || these().filter(|it| it.measured_cold == cold);
                if these().next().is_some() {
                    let _ = writeln!(
                        out,
                        "  {label:<14}{:<20} {measured:<8} {:>5}  {:>9} {:>12}",
                        cause.name(),
                        thousands(these().count() as u64),
                        spread(these().map(|it| it.idle)),
                        spread(these().map(|it| it.age))
                    );
                    label.clear();
                }
            }
        }
    }
    for cause in Cause::ALL.into_iter().filter(|cause| found(*cause)) {
        out.push_str(&layout::entry(&format!("  {}", cause.name()), 24, cause.meaning()));
    }
    out.push('\n');
}

fn habits(out: &mut String, searched: &[Searched]) {
    for one in searched {
        if let Some(habits) = one.recorded.habits() {
            let text = format!(
                "{}, reused after at most {:.0} s, none after an age of {:.0} s; of {} with several idle {} took the one \
                 freed last",
                counted(habits.containers, "container"),
                habits.longest_reuse.as_secs_f64(),
                habits.oldest.as_secs_f64(),
                counted(habits.choices, "warm call"),
                thousands(habits.newest_first)
            );
            out.push_str(&layout::entry(&short(&one.recorded.name), 16, &text));
        }
    }
}

fn list(out: &mut String, searched: &[Searched], together: &Together) {
    for (one, all) in searched.iter().zip(&together.disagreements) {
        let _ = writeln!(
            out,
            "\n{:<20}{:>8} {:>10} {:<8} cause",
            short(&one.recorded.name),
            "call",
            "at s",
            "measured"
        );
        for it in all {
            let seconds = |span: Option<Span>| {
                span.map_or_else(|| "-".to_owned(), |span| thousands(span.0 / 1_000_000))
            };
            let idle = if it.idle.is_some() { format!("idle {} s", seconds(it.idle)) } else { String::new() };
            let row = format!(
                "  {:<18}{:>8} {:>10.1} {:<8} {:<20} {idle}",
                short(&one.functions[it.function as usize]),
                it.number,
                it.arrival.as_secs_f64(),
                if it.measured_cold { "cold" } else { "warm" },
                it.cause.name(),
            );
            let _ = writeln!(out, "{}", row.trim_end());
        }
    }
}

// ----- JSON -----

fn fit_json(fit: &Fit) -> Value {
    json!({
        "over_us": fit.range.over,
        "upto_us": (fit.range.upto != Span::FOREVER).then_some(fit.range.upto),
        "example_us": fit.range.example(),
        "agreement": agreement_json(&fit.agreement[0]),
    })
}

fn agreement_json(agreement: &Agreement) -> Value {
    json!({
        "measured_cold": agreement.measured(),
        "predicted_cold": agreement.predicted(),
        "both_cold": agreement.both_cold,
        "missed": agreement.missed,
        "extra": agreement.extra,
        "both_warm": agreement.both_warm,
        "kappa": agreement.kappa(),
    })
}

fn json_of(searched: &[Searched], together: &Together) -> Value {
    let traces: Vec<Value> = searched
        .iter()
        .zip(&together.agreement)
        .zip(&together.disagreements)
        .map(|((one, agreement), disagreements)| {
            json!({
                "name": one.recorded.name,
                "sha256": one.sha256,
                "functions": one.functions,
                "calls": one.recorded.calls,
                "measured_cold": one.recorded.cold,
                "warm_at_start": one.recorded.warm_at_start,
                "by_count": fit_json(&one.count),
                "by_calls": fit_json(&one.calls),
                "at_keep": agreement_json(agreement),
                "disagreements": disagreements,
                "habits": one.recorded.habits(),
            })
        })
        .collect();
    let range = together.range.map(|range| {
        json!({ "over_us": range.over, "upto_us": (range.upto != Span::FOREVER).then_some(range.upto) })
    });
    json!({ "keep_us": together.keep, "best": range, "traces": traces })
}
