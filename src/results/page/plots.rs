//! Which charts there are and what they say in words: memory over time, response times, cold starts over time. Owns the
//! thinning to what can be seen; must never compute a figure beyond means of neighbouring samples.

use super::charts::{Chart, Layer, area_legend, line_legend, log_axis};
use super::html::Html;
use super::metrics::NONE;
use super::run::{Instant, RunView};
use super::timeline::{Timeline, align};
use crate::results::plot::Axis;
use crate::results::{counted, duration};

/// Points along time at most.
const BINS: usize = 240;
/// Intervals of cold starts at most.
const INTERVALS: usize = 96;

/// All charts, as a grid of figures. `labels`: what runs are called.
pub(super) fn write(html: &mut Html, runs: &[RunView], labels: &[String]) {
    html.raw("<div class=\"charts\">");
    responses(html, runs, labels);
    cold_starts(html, runs, labels);
    memory(html, runs, labels);
    html.raw("</div>");
}

fn figure(html: &mut Html, chart: &Chart, legend: impl FnOnce(&mut Html)) {
    html.raw("<figure>");
    html.leaf("figcaption", &[], &chart.title);
    legend(html);
    chart.write(html);
    html.raw("</figure>");
}

/// A chart that cannot be drawn, and why.
fn absent(html: &mut Html, title: &str, why: &str) {
    html.raw("<figure class=\"absent\">");
    html.leaf("figcaption", &[], title);
    html.leaf("p", &[], why);
    html.raw("</figure>");
}

// ----- memory -----

fn memory(html: &mut Html, runs: &[RunView], labels: &[String]) {
    let held = |instant: &Instant| instant.parts_mib.iter().sum::<f64>();
    let all = || runs.iter().flat_map(|run| &run.memory);
    let most = all().map(|at| held(at).max(at.capacity_mib.unwrap_or(0.0))).fold(0.0, f64::max);
    let (unit, title) = if most < 2_048.0 { (1.0, "memory (MiB)") } else { (1_024.0, "memory (GiB)") };
    // The same axes for all, so that runs can be compared by looking.
    let first = all().map(|at| at.time_s).fold(f64::INFINITY, f64::min);
    let last = all().map(|at| at.time_s).fold(0.0, f64::max);
    let (x, second) = Axis::time(first, last);
    let y = Axis::from_zero(title, [most / unit].into_iter());
    for (nth, (run, label)) in runs.iter().zip(labels).enumerate() {
        let name =
            if runs.len() > 1 { format!("Memory over time, {label}") } else { "Memory over time".to_owned() };
        if run.memory.is_empty() {
            absent(html, &name, "The run has no table of memory over time.");
            continue;
        }
        let (layers, legend) = memory_layers(&run.memory, unit, second);
        let peak = run.memory.iter().map(held).fold(0.0, f64::max);
        let capacity = run.memory.iter().filter_map(|at| at.capacity_mib).fold(0.0, f64::max);
        let description = format!(
            "Stacked areas of busy, prewarmed and idle memory over {}; at most {peak:.0} MiB of {capacity:.0} MiB were \
             held at a sample.",
            duration(1e3 * (last - first))
        );
        let chart = Chart {
            id: format!("memory-{nth}"),
            title: name,
            description,
            x: x.clone(),
            y: y.clone(),
            layers,
        };
        figure(html, &chart, |html| area_legend(html, &legend));
    }
}

type Legend = Vec<(&'static str, String)>;

fn memory_layers(memory: &[Instant], unit: f64, second: f64) -> (Vec<Layer>, Legend) {
    let per_bin = memory.len().div_ceil(BINS);
    let count = |chunk: &[Instant]| chunk.len() as f64;
    let time = |chunk: &[Instant]| chunk.iter().map(|at| at.time_s).sum::<f64>() / count(chunk) / second;
    let part = |chunk: &[Instant], nth: usize| {
        chunk.iter().map(|at| at.parts_mib[nth]).sum::<f64>() / count(chunk) / unit
    };
    let (mut layers, mut legend) = (Vec::new(), Vec::new());
    for (nth, (class, name)) in
        [("busy", "busy"), ("prewarmed", "prewarmed"), ("idle", "idle")].into_iter().enumerate()
    {
        if memory.iter().all(|at| at.parts_mib[nth] <= 0.0) {
            continue;
        }
        let layer = memory.chunks(per_bin).map(|chunk| {
            let below: f64 = (0..nth).map(|nth| part(chunk, nth)).sum();
            (time(chunk), below, below + part(chunk, nth))
        });
        layers.push(Layer::Area(class, layer.collect()));
        legend.push((class, name.to_owned()));
    }
    if per_bin > 1 {
        let most = |chunk: &[Instant]| {
            let held = chunk.iter().map(|at| at.parts_mib.iter().sum::<f64>()).fold(0.0, f64::max);
            (time(chunk), held / unit)
        };
        layers.push(Layer::Rule("most", memory.chunks(per_bin).map(most).collect()));
        legend.push(("most", format!("most of {per_bin} samples")));
    }
    let capacity = memory.iter().filter_map(|at| Some((at.time_s / second, at.capacity_mib? / unit)));
    let capacity = corners(capacity);
    if !capacity.is_empty() {
        layers.push(Layer::Rule("capacity", capacity));
        legend.push(("capacity", "pool".to_owned()));
    }
    (layers, legend)
}

/// The corners of a value that changes at once.
fn corners(points: impl Iterator<Item = (f64, f64)>) -> Vec<(f64, f64)> {
    let mut corners: Vec<(f64, f64)> = Vec::new();
    let mut last = None;
    for (x, y) in points {
        if corners.last().is_none_or(|corner| corner.1 != y) {
            corners.extend(corners.last().map(|corner| (x, corner.1)));
            corners.push((x, y));
        }
        last = Some((x, y));
    }
    corners.extend(last);
    corners
}

// ----- response times -----

fn responses(html: &mut Html, runs: &[RunView], labels: &[String]) {
    let title = "Response times of the served";
    let with: Vec<usize> = (0..runs.len()).filter(|nth| served(&runs[*nth]) > 0.0).collect();
    if with.is_empty() {
        return absent(html, title, "No run has a table of response times with anything in it.");
    }
    let ends = with.iter().flat_map(|nth| &runs[*nth].responses).map(|(end, _)| *end);
    let x = log_axis("response time (ms, logarithmic)", ends);
    let (mut layers, mut marks) = (Vec::new(), Vec::new());
    for nth in &with {
        let (steps, marked) = distribution(&runs[*nth]);
        layers.push(Layer::Line(*nth, steps));
        marks.push(Layer::Marks(*nth, marked));
    }
    layers.extend(marks);
    let words = with.iter().map(|nth| {
        let at = |path: &str| runs[*nth].figure(path).map_or_else(|| NONE.to_owned(), duration);
        let at = ["response_ms.p50", "response_ms.p95", "response_ms.p99"].map(at);
        format!("{}: half within {}, 95 % within {}, 99 % within {}.", labels[*nth], at[0], at[1], at[2])
    });
    let words: Vec<String> = words.collect();
    let chart = Chart {
        id: "responses".to_owned(),
        title: title.to_owned(),
        description: format!("Cumulative distribution. {}", words.join(" ")),
        x,
        y: Axis::percent("answered within (% of served)"),
        layers,
    };
    let legend = named(&with, labels);
    figure(html, &chart, |html| line_legend(html, &legend));
}

fn served(run: &RunView) -> f64 {
    run.responses.iter().map(|(_, count)| count).sum()
}

fn named(which: &[usize], labels: &[String]) -> Vec<(usize, String)> {
    which.iter().map(|nth| (*nth, labels[*nth].clone())).collect()
}

/// A place on a chart, in the units of its axes.
type Place = (f64, f64);

/// Steps of the distribution in ms and %, and points at a tenth, a quarter, half, three quarters, 95 and 99 %.
fn distribution(run: &RunView) -> (Vec<Option<Place>>, Vec<Place>) {
    const MARKED: [f64; 6] = [10.0, 25.0, 50.0, 75.0, 95.0, 99.0];
    let all = served(run);
    let (mut steps, mut marks) = (Vec::with_capacity(2 * run.responses.len()), Vec::new());
    let mut sum = 0.0;
    for (end, count) in &run.responses {
        let before = 100.0 * sum / all;
        sum += count;
        let now = 100.0 * sum / all;
        steps.extend([Some((*end, before)), Some((*end, now))]);
        marks.extend(MARKED.iter().filter(|pct| before < **pct && **pct <= now).map(|pct| (*end, *pct)));
    }
    (steps, marks)
}

// ----- cold starts -----

fn cold_starts(html: &mut Html, runs: &[RunView], labels: &[String]) {
    let title = "Cold starts over time";
    let with: Vec<usize> = (0..runs.len()).filter(|nth| runs[*nth].timeline.is_some()).collect();
    let mut timelines: Vec<Timeline> = with.iter().filter_map(|nth| runs[*nth].timeline.clone()).collect();
    align(&mut timelines, INTERVALS);
    if timelines.iter().all(|timeline| timeline.intervals().is_empty()) {
        let why =
            "No run has a table of invocations with anything in it; `faassim run --invocations` writes one.";
        return absent(html, title, why);
    }
    let length = timelines[0].length_s();
    let until = timelines.iter().map(|timeline| timeline.intervals().len()).max().unwrap_or(1);
    let (x, second) = Axis::time(0.0, until as f64 * length);
    let steps: Vec<_> = timelines.iter().map(|timeline| shares(timeline, length / second)).collect();
    let y = Axis::share("cold (% of served)", steps.iter().flatten().flatten().map(|point| point.1));
    let words = with.iter().zip(&timelines).map(|(nth, timeline)| {
        let worst = timeline.intervals().iter().map(|of| of.cold).max().unwrap_or_default();
        let all: u64 = timeline.intervals().iter().map(|of| of.cold).sum();
        let cold = counted(all, "cold start");
        format!("{}: {cold}, at most {worst} in one interval.", labels[*nth])
    });
    let words: Vec<String> = words.collect();
    let missing: Vec<&str> =
        (0..runs.len()).filter(|nth| !with.contains(nth)).map(|nth| labels[nth].as_str()).collect();
    let missing = match missing.as_slice() {
        [] => String::new(),
        some => format!(" Without a table of invocations: {}.", some.join(", ")),
    };
    let marks: Vec<Layer> = with.iter().zip(&steps).map(|(nth, steps)| sparse(*nth, steps)).collect();
    let lines = with.iter().zip(steps).map(|(nth, steps)| Layer::Line(*nth, steps));
    let layers = lines.chain(marks).collect();
    let span = duration(1e3 * length);
    let chart = Chart {
        id: "cold-starts".to_owned(),
        title: format!("{title}, per {span}"),
        description: format!(
            "Share of cold starts among the served that arrived in each {span}. {}",
            words.join(" ")
        ),
        x,
        y,
        layers,
    };
    let legend = named(&with, labels);
    figure(html, &chart, |html| {
        line_legend(html, &legend);
        if !missing.is_empty() {
            html.leaf("p", &[("class", "note")], missing.trim_start());
        }
    });
}

/// Steps over the intervals; broken where nothing arrived.
fn shares(timeline: &Timeline, length: f64) -> Vec<Option<(f64, f64)>> {
    let mut steps = Vec::with_capacity(2 * timeline.intervals().len());
    for (nth, interval) in timeline.intervals().iter().enumerate() {
        if interval.served == 0 {
            steps.push(None);
            continue;
        }
        let pct = 100.0 * interval.cold as f64 / interval.served as f64;
        steps.extend([Some((nth as f64 * length, pct)), Some(((nth + 1) as f64 * length, pct))]);
    }
    steps
}

/// Markers at some of many points, at other ones for each line.
fn sparse(nth: usize, steps: &[Option<(f64, f64)>]) -> Layer {
    let points: Vec<(f64, f64)> = steps.iter().flatten().copied().collect();
    let every = points.len().div_ceil(10).max(1);
    let marks = points.iter().skip(nth % every).step_by(every);
    Layer::Marks(nth, marks.copied().collect())
}
