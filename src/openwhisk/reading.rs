//! The lines of any number of log files, in order of time. Owns unpacking, merging and counting; must never hold more
//! of a file than a line, nor know what a line means.
//!
//! Files may be pieces of one log, as rotation leaves them, or logs of several components that ran at the same time:
//! each is read from beginning to end, and the next line is taken from the file that is behind. Of equal times the file
//! named first comes first. A clock that goes back within a file does not change its order.

use std::io::{self, BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

use super::logs::{LogLine, line_time, parse_log_line};
use crate::trace::source::{Origin, open_as, unpacked};
use crate::trace::{TraceError, Watch};

/// Longer lines are skipped as foreign. Far beyond what OpenWhisk writes: the fork's counters of 10,000 actions take 2 MB.
const LONGEST_LINE: usize = 16 << 20;

/// So much of a file is looked at to learn when it begins.
const LOOKED_AT: u64 = 1 << 16;

/// By this name logs are read from standard input.
pub const STDIN: &str = "-";

/// What messages call the form in which logs are read.
const WANTED: &str = "plain text";

/// One file's lines.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct FileFigures {
    /// Its path.
    pub file: String,
    /// All lines.
    pub lines: u64,
    /// Lines of OpenWhisk's: those of a transaction.
    pub openwhisk: u64,
    /// Whether its packed data ends too early; everything before that was read.
    pub is_cut_short: bool,
}

/// How many lines there were, of all files together.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct LineFigures {
    /// By file, as given.
    pub files: Vec<FileFigures>,
    /// All lines.
    pub lines: u64,
    /// Lines of OpenWhisk's: those of a transaction.
    pub openwhisk: u64,
    /// Lines of libraries: with time and level, but of no transaction.
    pub library: u64,
    /// Any other text: further lines of a message, stack traces, other programs.
    pub other: u64,
    /// Not UTF-8.
    pub not_text: u64,
    /// Longer than 16 MiB.
    pub too_long: u64,
    /// Last lines of a file that are cut off.
    pub truncated: u64,
    /// Lines that are earlier than the one before in their file.
    pub backwards: u64,
    /// How far back the clock went at most, in ms.
    pub most_backwards_ms: i64,
    /// Time of the earliest and the latest line of OpenWhisk's, in ms since 1970.
    pub span: Option<(i64, i64)>,
}

impl LineFigures {
    /// Lines that are not OpenWhisk's.
    pub fn foreign(&self) -> u64 {
        self.library + self.other + self.not_text + self.too_long
    }
}

/// Whoever hears of lines.
pub trait Take {
    /// A line of OpenWhisk's, and of which file it is, by place.
    fn line(&mut self, source: usize, line: &LogLine<'_>);
    /// A file has ended.
    fn end(&mut self, source: usize);
}

/// Whether this is the beginning of an OpenWhisk log (unpacked): one of its lines belongs to a transaction.
pub fn looks_like_openwhisk(start: &[u8]) -> bool {
    start.split(|byte| *byte == b'\n').any(|line| {
        let text = std::str::from_utf8(line).ok().and_then(parse_log_line);
        text.is_some_and(|line| line.tid.is_some())
    })
}

/// Whether a file, packed or not, begins as an OpenWhisk log.
///
/// # Errors
/// It cannot be read, or is packed in a way that is not known.
pub fn is_openwhisk_log(path: &Path) -> Result<bool, TraceError> {
    let (bytes, origin) = open_as(WANTED, path, &())?;
    Ok(looks_like_openwhisk(&beginning(bytes, &origin)?))
}

fn beginning(bytes: impl Read, origin: &Origin) -> Result<Vec<u8>, TraceError> {
    let mut start = Vec::new();
    match bytes.take(LOOKED_AT).read_to_end(&mut start) {
        Err(error) if error.kind() != io::ErrorKind::UnexpectedEof => Err(origin.describe(&error, 1)),
        _ => Ok(start),
    }
}

/// Reads all lines of these files (plain, gzip, zstd; `-`: standard input).
///
/// # Errors
/// A file is given twice, cannot be read or is damaged, or `watch` stops it. A packed file that ends too early is not
/// one: it is read so far.
pub fn read_lines(
    logs: &[PathBuf],
    watch: &dyn Watch,
    take: &mut impl Take,
) -> Result<LineFigures, TraceError> {
    refuse_twice(logs)?;
    let mut figures = LineFigures::default();
    figures.files.extend(
        logs.iter().map(|path| FileFigures { file: path.display().to_string(), ..FileFigures::default() }),
    );
    let mut waiting = Vec::new();
    let mut reading = Vec::new();
    for (ix, path) in logs.iter().enumerate() {
        // Pipes cannot be opened a second time.
        if path.is_file() {
            waiting.push((first_time(path)?, ix));
        } else {
            reading.extend(Source::open(path, ix, watch, &mut figures)?);
        }
    }
    // The last one comes first: taken from the end.
    waiting.sort_unstable_by_key(|place| std::cmp::Reverse(*place));
    loop {
        let behind = (0..reading.len()).min_by_key(|ix| reading[*ix].place());
        if let Some(next) = waiting.last().copied()
            && behind.is_none_or(|ix| next < reading[ix].place())
        {
            waiting.pop();
            reading.extend(Source::open(&logs[next.1], next.1, watch, &mut figures)?);
            continue;
        }
        let Some(ix) = behind else { break };
        let others = reading.iter().enumerate().filter(|(other, _)| *other != ix);
        let until = others.map(|(_, source)| source.place()).chain(waiting.last().copied()).min();
        let source = &mut reading[ix];
        let mut goes_on = true;
        while goes_on && until.is_none_or(|until| source.place() < until) {
            source.deliver(&mut figures, take);
            goes_on = source.advance(&mut figures)?;
        }
        if !goes_on {
            take.end(source.ix);
            reading.swap_remove(ix);
        }
    }
    Ok(figures)
}

fn refuse_twice(logs: &[PathBuf]) -> Result<(), TraceError> {
    let same = |path: &PathBuf| std::fs::canonicalize(path).unwrap_or_else(|_| path.clone());
    let mut seen = std::collections::BTreeSet::new();
    match logs.iter().find(|path| !seen.insert(same(path))) {
        Some(path) => Err(TraceError::new(path.display().to_string(), "is given twice")
            .with_help("name each log once; its activations would count twice")),
        None => Ok(()),
    }
}

/// The time of a file's first line that has one; files without come first.
fn first_time(path: &Path) -> Result<i64, TraceError> {
    let (bytes, origin) = open_as(WANTED, path, &())?;
    let start = beginning(bytes, &origin)?;
    Ok(start.split(|byte| *byte == b'\n').find_map(line_time).unwrap_or(i64::MIN))
}

/// A file being read.
struct Source<'w> {
    ix: usize,
    bytes: BufReader<Box<dyn Read + 'w>>,
    origin: Origin,
    /// The line that is next, without its end.
    line: Vec<u8>,
    kind: Kind,
    /// The latest time of a line so far.
    time: i64,
    /// The time of the last line of OpenWhisk's.
    last: i64,
}

/// What the next line is, as bytes.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Whole,
    /// Without end of line, at the end of the file.
    Last,
    TooLong,
}

impl<'w> Source<'w> {
    /// Opens it and reads its first line; nothing if it is empty.
    fn open(
        path: &Path,
        ix: usize,
        watch: &'w dyn Watch,
        figures: &mut LineFigures,
    ) -> Result<Option<Source<'w>>, TraceError> {
        const BUFFER_BYTES: usize = 1 << 18;
        let file = path.display().to_string();
        if path.is_dir() {
            return Err(TraceError::new(file, "is a folder").with_help("name the log files in it"));
        }
        let (bytes, origin) = if path == Path::new(STDIN) {
            unpacked(WANTED, "standard input".to_owned(), io::stdin(), 0, watch)?
        } else {
            open_as(WANTED, path, watch)?
        };
        let bytes = BufReader::with_capacity(BUFFER_BYTES, bytes);
        let (line, kind) = (Vec::new(), Kind::Whole);
        let mut source = Source { ix, bytes, origin, line, kind, time: i64::MIN, last: i64::MIN };
        Ok(source.advance(figures)?.then_some(source))
    }

    /// By this the next line is chosen.
    fn place(&self) -> (i64, usize) {
        (self.time, self.ix)
    }

    /// Goes to the next line; `false`: there is none.
    fn advance(&mut self, figures: &mut LineFigures) -> Result<bool, TraceError> {
        let there = match self.read() {
            // Killed while it was written, or still being written.
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
                figures.files[self.ix].is_cut_short = true;
                self.kind = Kind::Last;
                !self.line.is_empty()
            }
            Err(error) => return Err(self.origin.describe(&error, figures.files[self.ix].lines + 1)),
            Ok(there) => there,
        };
        if there {
            figures.lines += 1;
            figures.files[self.ix].lines += 1;
            if let Some(time) = line_time(&self.line) {
                self.time = self.time.max(time);
            }
        }
        Ok(there)
    }

    fn read(&mut self) -> io::Result<bool> {
        self.line.clear();
        (&mut self.bytes).take(LONGEST_LINE as u64).read_until(b'\n', &mut self.line)?;
        self.kind = match self.line.last() {
            None => return Ok(false),
            Some(b'\n') => Kind::Whole,
            Some(_) if self.line.len() == LONGEST_LINE => Kind::TooLong,
            Some(_) => Kind::Last,
        };
        while self.kind == Kind::TooLong {
            let buffer = self.bytes.fill_buf()?;
            let end = buffer.iter().position(|byte| *byte == b'\n');
            let (skipped, is_over) =
                (end.map_or(buffer.len(), |end| end + 1), end.is_some() || buffer.is_empty());
            self.bytes.consume(skipped);
            if is_over {
                break;
            }
        }
        Ok(true)
    }

    /// Hands the next line over if it is OpenWhisk's, and counts it in any case.
    fn deliver(&mut self, figures: &mut LineFigures, take: &mut impl Take) {
        if self.kind == Kind::TooLong {
            figures.too_long += 1;
            return;
        }
        let Ok(text) = std::str::from_utf8(&self.line) else {
            figures.not_text += 1;
            return;
        };
        let Some(line) = parse_log_line(text) else {
            figures.other += 1;
            return;
        };
        // Where a line ends with its marker it is whole, with or without an end of line.
        if self.kind == Kind::Last && line.marker.is_none() {
            figures.truncated += 1;
            return;
        }
        if line.tid.is_none() {
            figures.library += 1;
            return;
        }
        figures.openwhisk += 1;
        figures.files[self.ix].openwhisk += 1;
        if line.time_ms < self.last {
            figures.backwards += 1;
            figures.most_backwards_ms = figures.most_backwards_ms.max(self.last - line.time_ms);
        }
        self.last = line.time_ms;
        let (from, to) = figures.span.unwrap_or((line.time_ms, line.time_ms));
        figures.span = Some((from.min(line.time_ms), to.max(line.time_ms)));
        take.line(self.ix, &line);
    }
}

#[cfg(test)]
mod tests;
