//! The checksum of a trace. Owns which bytes are hashed; must never depend on how a trace was stored.

use std::fmt::Write as _;

use sha2::{Digest, Sha256};

use super::counts::RunLaw;
use super::expand::{Expansion, Spacing};
use super::function::Function;
use super::invocations::{Invocations, RunTime};
use super::{Body, Counted};

/// Bytes handed to the hash at a time.
const CHUNK: usize = 1 << 16;

/// The checksum that [`super::Trace::checksum`] describes; everything must be sorted.
pub(super) fn checksum(functions: &[Function], body: &Body) -> String {
    let mut sum = Sum { hash: Sha256::new(), bytes: Vec::with_capacity(CHUNK + 1024) };
    match body {
        Body::Listed(invocations) => {
            sum.functions("trace", functions);
            sum.invocations(invocations);
        }
        Body::Counted(counted) => {
            sum.functions("counts", functions);
            sum.counted(counted);
        }
    }
    sum.finish()
}

struct Sum {
    hash: Sha256,
    bytes: Vec<u8>,
}

impl Sum {
    fn put(&mut self, value: u64) {
        self.bytes.extend_from_slice(&value.to_le_bytes());
        self.flush(CHUNK);
    }

    fn put_short(&mut self, value: u32) {
        self.bytes.extend_from_slice(&value.to_le_bytes());
        self.flush(CHUNK);
    }

    fn text(&mut self, text: &str) {
        self.put(text.len() as u64);
        self.bytes.extend_from_slice(text.as_bytes());
    }

    fn optional(&mut self, text: Option<&str>) {
        match text {
            Some(text) => self.text(text),
            None => self.put(u64::MAX),
        }
    }

    #[inline]
    fn flush(&mut self, from: usize) {
        if self.bytes.len() >= from {
            self.hash.update(&self.bytes);
            self.bytes.clear();
        }
    }

    /// The second version has triggers and quantiles; a trace without them has the checksum it always
    /// had.
    fn functions(&mut self, what: &str, functions: &[Function]) {
        let more = functions.iter().any(|f| f.trigger.is_some() || f.run_quantiles.is_some());
        self.text(&format!("faassim {what} {}", if more { 2 } else { 1 }));
        self.put(functions.len() as u64);
        for function in functions {
            self.text(&function.name);
            self.put(function.memory.mib());
            self.put(function.cold.0);
            self.put(function.warm.0);
            self.optional(function.app.as_deref());
            self.text(&function.namespace);
            self.text(&function.kind);
            self.put(u64::from(function.max_concurrent));
            if more {
                self.optional(function.trigger.as_deref());
                self.put(function.run_quantiles.map_or(0, |quantiles| quantiles.len() as u64));
                function.run_quantiles.iter().flatten().for_each(|span| self.put(span.0));
            }
        }
    }

    fn invocations(&mut self, invocations: &Invocations) {
        self.put(invocations.len() as u64);
        for (index, (time, function)) in invocations.time().iter().zip(invocations.function()).enumerate() {
            let duration = invocations.duration().map_or(RunTime::ABSENT, |durations| durations[index]);
            self.bytes.extend_from_slice(&time.0.to_le_bytes());
            self.bytes.extend_from_slice(&function.to_le_bytes());
            self.put_short(duration.bits());
        }
    }

    fn counted(&mut self, counted: &Counted) {
        let Counted { counts, rows, expansion: Expansion { spacing, seed } } = counted;
        let spacing = Spacing::NAMES.iter().position(|(_, other)| other == spacing).unwrap_or_default();
        self.put(spacing as u64);
        self.put(*seed);
        self.put(rows.len() as u64);
        for row in rows {
            self.put(u64::from(row.function));
            self.put(row.key);
            match &row.run {
                RunLaw::OfFunction => self.put(u64::MAX),
                RunLaw::Always(span) => self.put(span.0),
                RunLaw::Quantiles(quantiles) => quantiles.iter().for_each(|span| self.put(span.0)),
            }
        }
        self.put(counts.width().0);
        self.put(counts.bins() as u64);
        for bin in 0..counts.bins() {
            self.put(counts.cells(bin).len() as u64);
            for cell in counts.cells(bin) {
                self.put_short(cell.row);
                self.put_short(cell.count);
            }
        }
    }

    fn finish(mut self) -> String {
        self.flush(0);
        self.hash.finalize().iter().fold(String::with_capacity(64), |mut hex, byte| {
            // Writing into a String cannot fail.
            let _ = write!(hex, "{byte:02x}");
            hex
        })
    }
}
