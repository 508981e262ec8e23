//! Traces of Ilúvatar's load generator: invocations in one file, functions in another. Owns finding the two;
//! their columns are the native ones by other names.
//!
//! Invocations `func_name, invoke_time_ms` (ms from the beginning); functions `func_name, cold_dur_ms` (all of a
//! cold invocation), `warm_dur_ms, mem_mb`, others ignored. Older generators call a function `function_id` in
//! both. Names of the pair as its generators give them: `NAME.csv` with `metadata-NAME.csv` or
//! `NAME-metadata.csv`, `in.csv` with `meta.csv`.
//!
//! Source: COS-IN/iluvatar-faas, `iluvatar_load_gen/src/trace`, `docs/LOAD.md`.

use std::path::{Path, PathBuf};

use super::Format;
use super::look::{Look, header, stem};
use super::native::{functions, invocations};
use crate::trace::Trace;
use crate::trace::error::TraceError;
use crate::trace::reading::{Context, Reading};

/// The format.
pub const FORMAT: Format = Format {
    name: "iluvatar",
    summary: "traces of Ilúvatar's load generator",
    files: "NAME.csv (func_name,invoke_time_ms) and metadata-NAME.csv or NAME-metadata.csv; a folder of both",
    source: "github.com/COS-IN/iluvatar-faas, docs/LOAD.md",
    heeds: &[],
    recognise: |look| look.tables().iter().any(|file| is_invocations(&header(file))),
    read,
};

fn has(columns: &[String], name: &str) -> bool {
    columns.iter().any(|column| column == name)
}

fn is_invocations(columns: &[String]) -> bool {
    has(columns, "invoke_time_ms") && (has(columns, "func_name") || has(columns, "function_id"))
}

fn is_metadata(columns: &[String]) -> bool {
    has(columns, "cold_dur_ms") && has(columns, "warm_dur_ms")
}

fn read(path: &Path, _reading: &Reading, context: &mut Context<'_>) -> Result<Trace, TraceError> {
    let (invocations_file, metadata) = pair(path)?;
    let functions = functions::read(&metadata, context)?;
    let invocations = invocations::read(&invocations_file, &functions, context)?;
    Trace::new(stem(path), functions, invocations)
}

/// The file of invocations and that of functions.
fn pair(path: &Path) -> Result<(PathBuf, PathBuf), TraceError> {
    let folder =
        if path.is_file() { path.parent().filter(|p| !p.as_os_str().is_empty()) } else { Some(path) };
    let tables = Look::at(folder.unwrap_or(Path::new(".")))?.tables();
    let shown = path.display().to_string();
    let invocations: Vec<&PathBuf> = if path.is_file() {
        tables.iter().filter(|file| file.file_name() == path.file_name()).collect()
    } else {
        tables.iter().filter(|file| is_invocations(&header(file))).collect()
    };
    let [invocations] = invocations.as_slice() else {
        let message = format!("has {} files of invocations", invocations.len());
        return Err(TraceError::new(shown, message).with_help("give the file of invocations that is meant"));
    };
    let all: Vec<&PathBuf> = tables.iter().filter(|file| is_metadata(&header(file))).collect();
    let name = stem(invocations);
    let named =
        [format!("metadata-{name}"), format!("{name}-metadata"), "meta".to_owned(), "metadata".to_owned()];
    let by_name = named.iter().find_map(|name| all.iter().find(|file| stem(file) == *name));
    match (by_name, all.as_slice()) {
        (Some(metadata), _) | (None, [metadata]) => Ok(((*invocations).clone(), (*metadata).clone())),
        (None, _) => {
            let message = format!("no file of functions goes with `{}`", invocations.display());
            Err(TraceError::new(shown, message).with_help(format!(
                "put `metadata-{name}.csv` beside it, with func_name, cold_dur_ms, warm_dur_ms and mem_mb"
            )))
        }
    }
}
