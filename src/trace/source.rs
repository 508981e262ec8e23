//! Opens a file for reading, unpacking gzip and zstd on the way, and tells how far it is. Goes by what is
//! in the file, never by its name; owns what is said when a packed file is damaged.

use std::fmt;
use std::fs::File;
use std::io::{self, BufReader, Cursor, Read};
use std::path::Path;

use flate2::bufread::MultiGzDecoder;

use super::error::TraceError;
use super::watch::{Doing, Watch};

/// How much is read from disk at a time.
const BUFFER_BYTES: usize = 1 << 17;

/// How a file is packed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Packing {
    Plain,
    Gzip,
    Zstd,
}

/// The first bytes of packed files that are read.
const READ: &[(&[u8], Packing)] =
    &[(&[0x1f, 0x8b], Packing::Gzip), (&[0x28, 0xb5, 0x2f, 0xfd], Packing::Zstd)];

/// The first bytes of files that are refused at once, since as text they would be a riddle.
const REFUSED: &[(&[u8], &str)] = &[
    (b"PK\x03\x04", "a zip archive"),
    (b"BZh", "packed with bzip2"),
    (b"\xfd7zXZ", "packed with xz"),
    (b"Rar!", "a rar archive"),
    (b"7z\xbc\xaf", "a 7z archive"),
    (b"PAR1", "a Parquet file"),
    (b"\xff\xfe", "UTF-16 text"),
    (b"\xfe\xff", "UTF-16 text"),
];

/// It was stopped by a [`Watch`].
#[derive(Debug)]
pub(super) struct Stopped;

impl fmt::Display for Stopped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("stopped")
    }
}

impl std::error::Error for Stopped {}

/// Bytes that tell how much of them has been read.
struct Watched<'w, R> {
    on_disk: R,
    file: String,
    done: u64,
    of: u64,
    watch: &'w dyn Watch,
}

impl<R: Read> Read for Watched<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if !self.watch.proceed(Doing::Reading(&self.file), self.done, self.of) {
            return Err(io::Error::other(Stopped));
        }
        let read = self.on_disk.read(buffer)?;
        self.done += read as u64;
        Ok(read)
    }
}

/// Opens `path`, looks at its first bytes and returns its bytes unpacked, with what is needed to
/// describe a failure of reading them.
pub(crate) fn open<'w>(
    path: &Path,
    watch: &'w dyn Watch,
) -> Result<(Box<dyn Read + 'w>, Origin), TraceError> {
    open_as("CSV", path, watch)
}

/// The same for files of another kind than CSV; `wanted`: what they are.
pub(crate) fn open_as<'w>(
    wanted: &str,
    path: &Path,
    watch: &'w dyn Watch,
) -> Result<(Box<dyn Read + 'w>, Origin), TraceError> {
    let file = path.display().to_string();
    let on_disk = File::open(path).map_err(|error| unreadable(&file, &error))?;
    let of = on_disk.metadata().map_or(0, |meta| meta.len());
    unpacked(wanted, file, on_disk, of, watch)
}

/// The same for bytes from anywhere: `file` is what messages call it, `of` how many bytes there are, 0 if unknown.
pub(crate) fn unpacked<'w>(
    wanted: &str,
    file: String,
    bytes: impl Read + 'w,
    of: u64,
    watch: &'w dyn Watch,
) -> Result<(Box<dyn Read + 'w>, Origin), TraceError> {
    let mut on_disk = Watched { on_disk: bytes, file: file.clone(), done: 0, of, watch };
    let mut start = Vec::new();
    let begun = on_disk.by_ref().take(8).read_to_end(&mut start);
    if let Err(error) = begun {
        return Err(Origin { file, packing: Packing::Plain }.unreadable(&error, None));
    }

    if let Some((_, what)) = REFUSED.iter().find(|(magic, _)| start.starts_with(magic)) {
        return Err(TraceError::new(&file, format!("is {what}; {wanted} is needed here")).with_help(
            format!("unpack or convert it to {wanted} in UTF-8; plain, gzip (.gz) and zstd (.zst) are read"),
        ));
    }
    let packing = READ.iter().find(|(magic, _)| start.starts_with(magic)).map_or(Packing::Plain, |(_, p)| *p);
    let whole = BufReader::with_capacity(BUFFER_BYTES, Cursor::new(start).chain(on_disk));
    let bytes: Box<dyn Read + 'w> = match packing {
        Packing::Plain => Box::new(whole),
        Packing::Gzip => Box::new(MultiGzDecoder::new(whole)),
        Packing::Zstd => Box::new(unpack_zstd(whole).map_err(|error| unreadable(&file, &error))?),
    };
    Ok((bytes, Origin { file, packing }))
}

fn unreadable(file: &str, error: &io::Error) -> TraceError {
    TraceError::new(file, format!("cannot be read: {error}"))
}

fn unpack_zstd<R: io::BufRead>(packed: R) -> io::Result<zstd::Decoder<'static, R>> {
    /// Files packed with `zstd --long` need up to this much history.
    const LONGEST_WINDOW_LOG: u32 = 31;
    let mut decoder = zstd::Decoder::with_buffer(packed)?;
    decoder.window_log_max(LONGEST_WINDOW_LOG)?;
    Ok(decoder)
}

/// Where bytes come from: describes failures of reading them.
pub(crate) struct Origin {
    file: String,
    packing: Packing,
}

impl Origin {
    /// The file's path as messages show it.
    pub(crate) fn file(&self) -> &str {
        &self.file
    }

    /// What `error` means for this file, if it came up in `line` of the unpacked text.
    pub(crate) fn describe(&self, error: &io::Error, line: u64) -> TraceError {
        let (kind, test) = match self.packing {
            Packing::Gzip => ("gzip", "gzip -t"),
            Packing::Zstd => ("zstd", "zstd -t"),
            Packing::Plain => return self.unreadable(error, Some(line)),
        };
        // Only the operating system's own errors carry a number: those are not the packing's fault.
        if error.raw_os_error().is_some() || error.get_ref().is_some_and(|inner| inner.is::<Stopped>()) {
            return self.unreadable(error, Some(line));
        }
        let message = if error.kind() == io::ErrorKind::UnexpectedEof {
            format!("the {kind} data ends too early: the file is truncated")
        } else {
            format!("the {kind} data is corrupt ({error})")
        };
        TraceError::new(&self.file, message)
            .at_line(line)
            .with_help(format!("`{test}` tests the whole file; copy or download it again"))
    }

    fn unreadable(&self, error: &io::Error, line: Option<u64>) -> TraceError {
        if error.get_ref().is_some_and(|inner| inner.is::<Stopped>()) {
            return TraceError::stopped(&self.file);
        }
        TraceError { line, ..unreadable(&self.file, error) }
    }
}
