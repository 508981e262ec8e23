//! Parquet files as tables of a few kinds of columns, group by group. Owns polars' interface and what is said
//! of damaged files; must never know what a column means.

use std::fs::File;
use std::io::{self, Read as _, Seek as _, SeekFrom, Write};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::Arc;

use polars::prelude::{
    self as pl, DataFrame, KeyValueMetadata, NewChunkedArray as _, ParallelStrategy, ParquetCompression,
    ParquetReader, ParquetWriter, PlSmallStr, PolarsError, Schema, SerReader as _, StatisticsOptions,
};
use polars::series::IntoSeries as _;

use crate::trace::error::{TraceError, listed, nearest};
use crate::trace::watch::{Doing, Watch};

/// Rows of a group.
pub(super) const GROUP: usize = 1 << 20;

/// The values of a column of one group.
pub(super) enum Values {
    Wide(Vec<u64>),
    Short(Vec<u32>),
    MaybeWide(Vec<Option<u64>>),
    MaybeShort(Vec<Option<u32>>),
    Flag(Vec<bool>),
    Text(Vec<String>),
    MaybeText(Vec<Option<String>>),
}

impl Values {
    fn len(&self) -> usize {
        match self {
            Values::Wide(values) => values.len(),
            Values::Short(values) => values.len(),
            Values::MaybeWide(values) => values.len(),
            Values::MaybeShort(values) => values.len(),
            Values::Flag(values) => values.len(),
            Values::Text(values) => values.len(),
            Values::MaybeText(values) => values.len(),
        }
    }

    fn dtype(&self) -> pl::DataType {
        match self {
            Values::Wide(_) | Values::MaybeWide(_) => pl::DataType::UInt64,
            Values::Short(_) | Values::MaybeShort(_) => pl::DataType::UInt32,
            Values::Flag(_) => pl::DataType::Boolean,
            Values::Text(_) | Values::MaybeText(_) => pl::DataType::String,
        }
    }

    fn column(self, name: &str) -> pl::Column {
        let name = PlSmallStr::from_str(name);
        match self {
            Values::Wide(values) => pl::UInt64Chunked::from_vec(name, values).into_series().into(),
            Values::Short(values) => pl::UInt32Chunked::from_vec(name, values).into_series().into(),
            Values::MaybeWide(values) => {
                pl::UInt64Chunked::from_iter_options(name, values.into_iter()).into_series().into()
            }
            Values::MaybeShort(values) => {
                pl::UInt32Chunked::from_iter_options(name, values.into_iter()).into_series().into()
            }
            Values::Flag(values) => pl::BooleanChunked::from_slice(name, &values).into_series().into(),
            Values::Text(values) => pl::StringChunked::from_slice(name, &values).into_series().into(),
            Values::MaybeText(values) => {
                pl::StringChunked::from_slice_options(name, &values).into_series().into()
            }
        }
    }
}

/// Writes a table, group by group.
pub(super) fn write(
    out: &mut impl Write,
    groups: impl Iterator<Item = Vec<(&'static str, Values)>>,
    metadata: &[(&str, String)],
) -> io::Result<()> {
    let mut groups = groups.peekable();
    let Some(first) = groups.peek() else { return Err(io::Error::other("a table without groups")) };
    let schema =
        Schema::from_iter(first.iter().map(|(name, values)| (PlSmallStr::from_static(name), values.dtype())));
    let pairs = metadata.iter().map(|(key, value)| ((*key).to_owned(), value.clone())).collect();
    let mut writer = ParquetWriter::new(out)
        .with_compression(ParquetCompression::Zstd(None))
        .with_statistics(StatisticsOptions::empty())
        .set_parallel(false)
        .with_key_value_metadata(Some(KeyValueMetadata::from_static(pairs)))
        .batched(&schema)
        .map_err(io::Error::other)?;
    for group in groups {
        let rows = group.first().map_or(0, |(_, values)| values.len());
        let columns = group.into_iter().map(|(name, values)| values.column(name)).collect();
        let frame = DataFrame::new(rows, columns).map_err(io::Error::other)?;
        writer.write_batch(&frame).map_err(io::Error::other)?;
    }
    writer.finish().map(drop).map_err(io::Error::other)
}

/// A Parquet file being read.
pub(super) struct Parquet<'w> {
    shown: String,
    file: File,
    metadata: pl::FileMetadataRef,
    length: u64,
    watch: &'w dyn Watch,
}

/// Rows of one group.
pub(super) struct Group {
    shown: String,
    frame: DataFrame,
}

impl<'w> Parquet<'w> {
    /// Opens a file and reads its footer.
    pub fn open(path: &Path, watch: &'w dyn Watch) -> Result<Parquet<'w>, TraceError> {
        let shown = path.display().to_string();
        let unreadable = |error: io::Error| TraceError::new(&shown, format!("cannot be read: {error}"));
        let mut file = File::open(path).map_err(unreadable)?;
        let length = file.metadata().map_err(unreadable)?.len();
        check_ends(&mut file, length, &shown)?;
        let metadata = guarded(&shown, || {
            let mut reader = ParquetReader::new(&mut file);
            reader.get_metadata().cloned()
        })?;
        Ok(Parquet { shown, file, metadata, length, watch })
    }

    /// How many rows there are.
    pub fn rows(&self) -> usize {
        self.metadata.num_rows
    }

    /// A value of the file's metadata.
    pub fn value(&self, key: &str) -> Option<&str> {
        let pairs = self.metadata.key_value_metadata.as_ref()?;
        pairs.iter().find(|pair| pair.key == key)?.value.as_deref()
    }

    /// Whether there is such a column.
    pub fn has(&self, column: &str) -> bool {
        self.names().iter().any(|name| name == column)
    }

    /// Complains of columns that are not there.
    pub fn require(&self, columns: &[&str]) -> Result<(), TraceError> {
        let names = self.names();
        let Some(missing) = columns.iter().find(|column| !self.has(column)) else { return Ok(()) };
        let there = || names.iter().map(String::as_str);
        let error =
            TraceError::new(&self.shown, format!("no column `{missing}`; it has {}", listed(there())));
        Err(match nearest(missing, there()).first() {
            Some(near) => error.with_help(format!("did you mean `{near}`? Call it `{missing}`")),
            None => error.with_help("`faassim trace convert` writes this form"),
        })
    }

    fn names(&self) -> Vec<String> {
        self.metadata
            .schema_descr
            .columns()
            .iter()
            .map(|column| column.descriptor.primitive_type.field_info.name.to_string())
            .collect()
    }

    /// Hands over all groups one after the other.
    pub fn each(&mut self, mut take: impl FnMut(&Group) -> Result<(), TraceError>) -> Result<(), TraceError> {
        let mut shell = (*self.metadata).clone();
        shell.row_groups.clear();
        let metadata = Arc::clone(&self.metadata);
        let mut done = 0;
        for group in &metadata.row_groups {
            if !self.watch.proceed(Doing::Reading(&self.shown), done, self.length) {
                return Err(TraceError::stopped(&self.shown));
            }
            let range = group.full_byte_range();
            if range.end > self.length {
                return Err(damaged(&self.shown, "a group of rows lies beyond its end"));
            }
            done = range.end;
            let mut one = shell.clone();
            one.num_rows = group.num_rows();
            one.row_groups.push(group.clone());
            let file = &mut self.file;
            let frame = guarded(&self.shown, || {
                let mut reader = ParquetReader::new(file).read_parallel(ParallelStrategy::None);
                reader.set_metadata(Arc::new(one));
                reader.finish()
            })?;
            if frame.columns().iter().any(|column| column.len() != group.num_rows()) {
                return Err(damaged(&self.shown, "a column is too short"));
            }
            take(&Group { shown: self.shown.clone(), frame })?;
        }
        Ok(())
    }
}

/// A Parquet file begins and ends with its mark, and its footer lies inside: said better here than there.
fn check_ends(file: &mut File, length: u64, shown: &str) -> Result<(), TraceError> {
    const MARK: &[u8] = b"PAR1";
    let mut ends = || -> io::Result<([u8; 4], [u8; 8])> {
        let (mut start, mut end) = ([0; 4], [0; 8]);
        file.read_exact(&mut start)?;
        file.seek(SeekFrom::End(-8))?;
        file.read_exact(&mut end)?;
        file.rewind()?;
        Ok((start, end))
    };
    let (start, end) = ends().map_err(|_| damaged(shown, "it is too short"))?;
    if start != MARK {
        return Err(TraceError::new(shown, "is not a Parquet file")
            .with_help("`faassim trace convert` writes one from any trace"));
    }
    let footer = u64::from(u32::from_le_bytes([end[0], end[1], end[2], end[3]]));
    if &end[4..] != MARK || footer + 12 > length {
        return Err(damaged(shown, "the end is missing"));
    }
    Ok(())
}

fn damaged(shown: &str, what: &str) -> TraceError {
    TraceError::new(shown, format!("the Parquet data is damaged: {what}"))
        .with_help("copy it again, or write it anew with `faassim trace convert`")
}

/// Polars' answer as ours; it may panic on damaged data.
fn guarded<T>(shown: &str, work: impl FnOnce() -> Result<T, PolarsError>) -> Result<T, TraceError> {
    match catch_unwind(AssertUnwindSafe(work)) {
        Ok(Ok(value)) => Ok(value),
        Ok(Err(error)) => Err(damaged(shown, &error.to_string())),
        Err(_) => Err(damaged(shown, "it cannot be decoded")),
    }
}

impl Group {
    fn column<'g, T>(
        &'g self,
        name: &str,
        kind: &str,
        get: impl FnOnce(&'g pl::Column) -> Result<T, PolarsError>,
    ) -> Result<T, TraceError> {
        let column = self.frame.column(name).map_err(|error| damaged(&self.shown, &error.to_string()))?;
        get(column).map_err(|_| {
            TraceError::new(&self.shown, format!("column `{name}` holds {}, not {kind}", column.dtype()))
                .with_help("`faassim trace convert` writes this form")
        })
    }

    fn no_nulls<T>(&self, name: &str, values: Option<Vec<T>>) -> Result<Vec<T>, TraceError> {
        values.ok_or_else(|| TraceError::new(&self.shown, format!("column `{name}` has missing values")))
    }

    /// A column of 64-bit numbers.
    pub fn wide(&self, name: &str) -> Result<Vec<u64>, TraceError> {
        let values = self.column(name, "whole numbers of 64 bits", |column| column.u64())?;
        match values.cont_slice() {
            Ok(slice) => Ok(slice.to_vec()),
            Err(_) => self.no_nulls(name, values.iter().collect()),
        }
    }

    /// A column of 32-bit numbers.
    pub fn short(&self, name: &str) -> Result<Vec<u32>, TraceError> {
        let values = self.column(name, "whole numbers of 32 bits", |column| column.u32())?;
        match values.cont_slice() {
            Ok(slice) => Ok(slice.to_vec()),
            Err(_) => self.no_nulls(name, values.iter().collect()),
        }
    }

    /// A column of 64-bit numbers, some missing.
    pub fn maybe_wide(&self, name: &str) -> Result<Vec<Option<u64>>, TraceError> {
        Ok(self.column(name, "whole numbers of 64 bits", |column| column.u64())?.iter().collect())
    }

    /// A column of 32-bit numbers, some missing.
    pub fn maybe_short(&self, name: &str) -> Result<Vec<Option<u32>>, TraceError> {
        Ok(self.column(name, "whole numbers of 32 bits", |column| column.u32())?.iter().collect())
    }

    /// A column of truth values.
    pub fn flags(&self, name: &str) -> Result<Vec<bool>, TraceError> {
        let values = self.column(name, "true or false", |column| column.bool())?;
        self.no_nulls(name, values.iter().collect())
    }

    /// A column of texts, some missing.
    pub fn texts(&self, name: &str) -> Result<Vec<Option<String>>, TraceError> {
        let values = self.column(name, "texts", |column| column.str())?;
        Ok(values.iter().map(|text| text.map(str::to_owned)).collect())
    }
}
