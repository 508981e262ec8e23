//! Writing an event log. Owns that a line is out of this process as soon as it is said; must never
//! buffer beyond one fact.

use std::io::{self, BufWriter, Write};

use super::Record;

/// An event log being written.
#[derive(Debug)]
pub struct Writer<W: Write> {
    out: BufWriter<W>,
}

impl<W: Write> Writer<W> {
    /// A log that goes to `out`.
    pub fn new(out: W) -> Writer<W> {
        Writer { out: BufWriter::with_capacity(1 << 16, out) }
    }

    /// Adds a line.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn write(&mut self, record: &Record) -> io::Result<()> {
        serde_json::to_writer(&mut self.out, record)?;
        self.out.write_all(b"\n")
    }

    /// Hands everything to the operating system: what is written survives this process.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}
