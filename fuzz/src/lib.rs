//! What all fuzz targets do: write files, read them as a format, look at the trace. Must never tolerate a panic
//! or a trace that breaks its promises.

use std::fs;
use std::path::Path;

use faassim::time::Time;
use faassim::trace::formats::{find, read};
use faassim::trace::{Context, Reading, Window};

/// Where the bytes of one file end and those of the next begin.
const NEXT_FILE: u8 = 0xff;

/// Arrivals looked at, at most.
const LOOKED_AT: usize = 100_000;

/// Reads `data`, split at [`NEXT_FILE`] into files of these names, as `format`; `path`: what is given to the reader.
pub fn check(format: &str, names: &[&str], path: &str, data: &[u8]) {
    let folder = tempfile::Builder::new().tempdir_in(scratch()).expect("a temporary folder");
    let mut parts = data.split(|byte| *byte == NEXT_FILE);
    for name in names {
        let file = folder.path().join(name);
        fs::create_dir_all(file.parent().expect("it has one")).expect("a folder");
        fs::write(file, parts.next().unwrap_or_default()).expect("a file");
    }
    let reading = Reading { format: find(format), ..Reading::default() };
    for most in [1, 20] {
        let mut context = Context::collecting(&(), most);
        let Ok(trace) = read(&folder.path().join(path), &reading, &mut context) else { continue };
        let mut last = Time::ZERO;
        for arrival in trace.stream(Window::ALL).take(LOOKED_AT) {
            assert!(arrival.time >= last, "arrivals are in order");
            assert!((arrival.function as usize) < trace.functions.len(), "functions are there");
            last = arrival.time;
        }
        let total: u64 = trace.invocations_by_function().iter().sum();
        assert_eq!(total, trace.len() as u64, "no invocation is lost");
    }
}

/// Memory, where the system has a file system in it.
fn scratch() -> &'static Path {
    let memory = Path::new("/dev/shm");
    if memory.is_dir() { memory } else { Path::new("/tmp") }
}
