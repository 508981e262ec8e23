//! Every point of a sweep, checked before the first run, and what tells it from all others. Must never read a trace.

use std::collections::BTreeMap;

use sha2::{Digest, Sha256};

use super::Grid;
use crate::error::{Diagnostic, Error, Kind};
use crate::scenario::{AxisValue, Base, Override, Point, Scenario, TraceSpec};

/// What is written of the version, so that figures of another are not taken for ours.
const VERSION: &str = env!("CARGO_PKG_VERSION");

/// A sweep that can be run.
#[derive(Clone, Debug)]
pub struct Plan {
    base: Base,
    grid: Grid,
    points: Vec<Planned>,
    traces: Vec<TraceSpec>,
    id: String,
    first: Scenario,
}

/// One point; its scenario is made again when it is run, which takes less than it would to keep.
#[derive(Clone, Debug)]
struct Planned {
    content: [u8; 32],
    trace: usize,
}

impl Plan {
    /// Checks every point.
    ///
    /// # Errors
    /// A usage error if nothing is varied, or with everything that is wrong at any point, each told once.
    pub fn new(base: Base) -> Result<Plan, Error> {
        if base.axes().is_empty() {
            // It may be `[sweeep]` that is wrong.
            base.point(&[])?;
            let help = "add for example\n[sweep]\n\"pool.memory\" = \"1 GiB..80 GiB / 500 MB\"\nor --memory, \
                        --eviction, --keep-alive, --seeds";
            let place = base.file().display().to_string();
            return Err(Error::usage(Diagnostic::new("nothing is varied").at(place).help(help)));
        }
        let grid = Grid::new(base.axes().iter().map(|axis| axis.values().len()).collect());
        let mut id = Sha256::new();
        id.update(VERSION);
        let (mut points, mut specs, mut numbers) = (Vec::new(), Vec::new(), BTreeMap::new());
        let (mut first, mut faults) = (None, Faults::default());
        for number in 0..grid.len() {
            let Point { scenario, content, trace_path } = match base.point(&overrides(&base, &grid, number)) {
                Ok(point) => point,
                Err(error) => {
                    faults.add(number, error);
                    continue;
                }
            };
            for text in [&content, &trace_path] {
                id.update((text.len() as u64).to_le_bytes());
                id.update(text);
            }
            let trace = *numbers.entry(spelt(&scenario.trace)).or_insert_with(|| {
                specs.push(scenario.trace.clone());
                specs.len() - 1
            });
            points.push(Planned { content: Sha256::digest(&content).into(), trace });
            first.get_or_insert(scenario);
        }
        for value in base.axes().iter().flat_map(|axis| axis.values()) {
            id.update(value.set.to_string());
        }
        match first {
            Some(first) if faults.is_empty() => {
                Ok(Plan { base, grid, points, traces: specs, id: hexadecimal(&id.finalize()), first })
            }
            _ => Err(faults.into_error(&base, &grid)),
        }
    }

    /// What is varied.
    pub fn base(&self) -> &Base {
        &self.base
    }

    /// Which points there are.
    pub fn grid(&self) -> &Grid {
        &self.grid
    }

    /// The same for two sweeps if and only if they have the same points in the same order.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The scenario of the first point.
    pub fn first(&self) -> &Scenario {
        &self.first
    }

    /// The traces, in the order in which points first need them.
    pub fn traces(&self) -> &[TraceSpec] {
        &self.traces
    }

    /// Which of them a point needs.
    pub fn trace_of(&self, number: usize) -> usize {
        self.points[number].trace
    }

    /// The values of a point, by axis.
    pub fn values(&self, number: usize) -> Vec<&AxisValue> {
        values(&self.base, &self.grid, number)
    }

    /// The scenario of a point.
    ///
    /// # Errors
    /// A usage error if something it needs, like its trace, has gone since it was checked.
    pub fn scenario(&self, number: usize) -> Result<Scenario, Error> {
        Ok(self.base.point(&overrides(&self.base, &self.grid, number))?.scenario)
    }

    /// What decides the figures of a point: its scenario, the content of its trace, and the version.
    pub fn key(&self, number: usize, trace_checksum: &str) -> String {
        let mut key = Sha256::new();
        key.update(VERSION);
        key.update([0]);
        key.update(self.points[number].content);
        key.update(trace_checksum);
        hexadecimal(&key.finalize())
    }
}

fn values<'b>(base: &'b Base, grid: &Grid, number: usize) -> Vec<&'b AxisValue> {
    base.axes().iter().zip(grid.places(number)).map(|(axis, place)| &axis.values()[place]).collect()
}

fn overrides<'b>(base: &'b Base, grid: &Grid, number: usize) -> Vec<&'b Override> {
    values(base, grid, number).into_iter().map(|value| &value.set).collect()
}

/// All that says which functions and invocations are read, as text.
fn spelt(spec: &TraceSpec) -> String {
    format!("{:?} {:?} {:?}", spec.path, spec.reading, spec.cut)
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// What is wrong, each fault once, with the points that have it.
#[derive(Default)]
struct Faults {
    by_text: BTreeMap<String, usize>,
    found: Vec<(Diagnostic, Vec<usize>)>,
}

impl Faults {
    fn is_empty(&self) -> bool {
        self.found.is_empty()
    }

    fn add(&mut self, number: usize, error: Error) {
        for diagnostic in error.into_diagnostics() {
            let at = *self.by_text.entry(diagnostic.to_string()).or_insert_with(|| {
                self.found.push((diagnostic, Vec::new()));
                self.found.len() - 1
            });
            self.found[at].1.push(number);
        }
    }

    fn into_error(self, base: &Base, grid: &Grid) -> Error {
        let total = grid.len();
        let told = self.found.into_iter().map(|(diagnostic, points)| {
            if is_explained(&points, grid, base) {
                return diagnostic;
            }
            let values: Vec<String> =
                overrides(base, grid, points[0]).iter().map(ToString::to_string).collect();
            diagnostic.also(format!("in {} of {total} runs, first with {}", points.len(), values.join(", ")))
        });
        Error::new(Kind::Usage, told.collect())
    }
}

/// Whether a fault that these points have is one of the scenario or of a single value, so that its place says all.
fn is_explained(points: &[usize], grid: &Grid, base: &Base) -> bool {
    if points.len() == grid.len() {
        return true;
    }
    let places: Vec<Vec<usize>> = points.iter().map(|point| grid.places(*point)).collect();
    base.axes().iter().enumerate().any(|(nth, axis)| {
        points.len() * axis.values().len() == grid.len() && places.iter().all(|at| at[nth] == places[0][nth])
    })
}
