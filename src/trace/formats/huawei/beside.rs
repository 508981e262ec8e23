//! What folders beside the requests tell of functions: run times, memory. Owns averaging them; must never
//! fail for want of them.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};

use crate::memory::Memory;
use crate::time::Span;
use crate::trace::error::TraceError;
use crate::trace::number::signed;
use crate::trace::reading::{Context, Models, Reading};
use crate::trace::table::Table;

const NUMBER_HELP: &str = "write a number, or nothing if there is none";

/// Means by function, where there are any.
#[derive(Default)]
pub(super) struct Beside {
    run_ms: Vec<Mean>,
    limit_mb: Vec<Mean>,
    instances: Vec<Mean>,
}

#[derive(Clone, Copy, Default)]
struct Mean {
    sum: f64,
    count: u64,
}

impl Mean {
    fn value(self) -> Option<f64> {
        (self.count > 0).then(|| self.sum / self.count as f64)
    }
}

impl Beside {
    /// Of the folders beside that of the requests (or of the file of requests), for the functions of these names.
    pub fn of(
        requests: &Path,
        days: &[u16],
        names: &HashMap<String, u32>,
        context: &mut Context<'_>,
    ) -> Result<Beside, TraceError> {
        // Of a path such as `.` only the whole one tells what is beside it.
        let whole = fs::canonicalize(requests).unwrap_or_else(|_| requests.to_owned());
        let folder = if whole.is_file() { whole.parent() } else { Some(whole.as_path()) };
        let Some((folder_of_requests, parent)) = folder.and_then(|folder| Some((folder, folder.parent()?)))
        else {
            return Ok(Beside::default());
        };
        let mut means = |metric: &str| -> Result<Vec<Mean>, TraceError> {
            let folder = [format!("{metric}_minute"), metric.to_owned()]
                .into_iter()
                .map(|name| parent.join(name))
                .find(|folder| folder.is_dir() && folder != folder_of_requests);
            match folder {
                Some(folder) => means_of(&folder, days, names, context),
                None => Ok(Vec::new()),
            }
        };
        Ok(Beside {
            run_ms: means("function_delay")?,
            limit_mb: means("memory_limit")?,
            instances: means("instances")?,
        })
    }

    /// The mean run time of a function.
    pub fn run_time(&self, function: usize) -> Option<Span> {
        Some(Span::from_ms_f64(self.run_ms.get(function)?.value()?))
    }

    /// The memory of one instance of a function.
    pub fn memory(&self, function: usize) -> Option<Memory> {
        let limit = self.limit_mb.get(function)?.value()?;
        let instances = self.instances.get(function)?.value()?;
        let mib = (limit / instances).ceil();
        (mib >= 1.0 && mib <= f64::from(u32::MAX)).then_some(Memory(mib as u64))
    }

    /// Tells what is assumed.
    pub fn note(&self, reading: &Reading, models: &Models, context: &mut Context<'_>) {
        let told = [
            ("run-time", !self.run_ms.is_empty()),
            ("function-memory", reading.memory.is_some() || !self.limit_mb.is_empty()),
        ];
        let told: Vec<&str> = told.into_iter().filter(|(_, told)| *told).map(|(key, _)| key).collect();
        context.notes.extend(models.assumed(&told));
    }
}

fn means_of(
    folder: &Path,
    days: &[u16],
    names: &HashMap<String, u32>,
    context: &mut Context<'_>,
) -> Result<Vec<Mean>, TraceError> {
    let files: Vec<PathBuf> = match super::day_files(folder, days) {
        Ok(files) => files,
        Err(error) => {
            context.note(format!("{error}; left out").replace('\n', ";"));
            Vec::new()
        }
    };
    let mut means = vec![Mean::default(); names.len()];
    for file in files {
        let mut table = Table::open(&file, context.watch)?;
        let columns: Vec<(usize, usize)> = table
            .header()
            .iter()
            .enumerate()
            .filter_map(|(column, name)| Some((column, *names.get(name)? as usize)))
            .collect();
        while table.next_row()? {
            for &(column, function) in &columns {
                // A missing field is no sample.
                if table.field(column).trim_ascii().is_empty() {
                    continue;
                }
                let read =
                    signed(table.field(column)).map_err(|why| table.bad_number(column, why, NUMBER_HELP));
                if let Some(value) = context.tolerate(read)? {
                    means[function].sum += value;
                    means[function].count += 1;
                }
            }
        }
    }
    Ok(means)
}
