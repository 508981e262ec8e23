//! A table as named columns, and how it is written as CSV and Parquet. Must never know what the
//! columns mean.

use std::borrow::Cow;
use std::io::{self, Write};

use polars::prelude::{self as pl, NamedFrom as _};

/// The values of one column.
#[derive(Clone, PartialEq, Debug)]
pub enum Column {
    /// Whole numbers.
    Whole(Vec<u64>),
    /// Whole numbers, some missing.
    MaybeWhole(Vec<Option<u64>>),
    /// Numbers.
    Number(Vec<f64>),
    /// Numbers, some missing.
    MaybeNumber(Vec<Option<f64>>),
    /// Texts.
    Text(Vec<String>),
    /// Texts, some missing.
    MaybeText(Vec<Option<&'static str>>),
}

impl Column {
    fn len(&self) -> usize {
        match self {
            Column::Whole(values) => values.len(),
            Column::MaybeWhole(values) => values.len(),
            Column::Number(values) => values.len(),
            Column::MaybeNumber(values) => values.len(),
            Column::Text(values) => values.len(),
            Column::MaybeText(values) => values.len(),
        }
    }

    /// One value as text; missing ones are empty. Floats are written as short as reads back equal.
    fn cell(&self, row: usize) -> String {
        let or_empty = |text: Option<String>| text.unwrap_or_default();
        match self {
            Column::Whole(values) => values[row].to_string(),
            Column::MaybeWhole(values) => or_empty(values[row].map(|value| value.to_string())),
            Column::Number(values) => values[row].to_string(),
            Column::MaybeNumber(values) => or_empty(values[row].map(|value| value.to_string())),
            Column::Text(values) => values[row].clone(),
            Column::MaybeText(values) => values[row].unwrap_or_default().to_owned(),
        }
    }

    fn series(&self, name: &str) -> pl::Column {
        let name = pl::PlSmallStr::from_str(name);
        let series = match self {
            Column::Whole(values) => pl::Series::new(name, values),
            Column::MaybeWhole(values) => pl::Series::new(name, values),
            Column::Number(values) => pl::Series::new(name, values),
            Column::MaybeNumber(values) => pl::Series::new(name, values),
            Column::Text(values) => pl::Series::new(name, values),
            Column::MaybeText(values) => pl::Series::new(name, values),
        };
        series.into()
    }
}

/// Columns of equal length, by name.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Table {
    columns: Vec<(Cow<'static, str>, Column)>,
}

impl Table {
    /// No columns.
    pub fn new() -> Table {
        Table::default()
    }

    /// With one more column, as long as the others.
    #[must_use]
    pub fn with(mut self, name: impl Into<Cow<'static, str>>, column: Column) -> Table {
        let name = name.into();
        debug_assert!(self.columns.iter().all(|(_, other)| other.len() == column.len()), "{name}");
        self.columns.push((name, column));
        self
    }

    /// How many rows there are.
    pub fn rows(&self) -> usize {
        self.columns.first().map_or(0, |(_, column)| column.len())
    }

    /// Writes the table as CSV with a header.
    ///
    /// # Errors
    /// As the writer says.
    pub fn write_csv(&self, out: impl Write) -> io::Result<()> {
        let mut writer = csv::Writer::from_writer(out);
        writer.write_record(self.columns.iter().map(|(name, _)| name.as_bytes()))?;
        for row in 0..self.rows() {
            for (_, column) in &self.columns {
                writer.write_field(column.cell(row))?;
            }
            writer.write_record(None::<&[u8]>)?;
        }
        writer.flush()
    }

    /// Writes the table as Parquet (zstd).
    ///
    /// # Errors
    /// As the writer says.
    pub fn write_parquet(&self, out: impl Write) -> io::Result<()> {
        let columns = self.columns.iter().map(|(name, column)| column.series(name)).collect();
        let mut frame = pl::DataFrame::new(self.rows(), columns).map_err(io::Error::other)?;
        pl::ParquetWriter::new(out).finish(&mut frame).map_err(io::Error::other)?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> Table {
        Table::new()
            .with("n", Column::Whole(vec![1, 2]))
            .with("x", Column::MaybeNumber(vec![Some(0.5), None]))
            .with("name", Column::Text(vec!["a,b".into(), "c".into()]))
            .with("why", Column::MaybeText(vec![None, Some("first")]))
    }

    #[test]
    fn csv_quotes_and_leaves_missing_values_empty() {
        let mut out = Vec::new();
        sample().write_csv(&mut out).expect("memory does not fail");
        assert_eq!(String::from_utf8_lossy(&out), "n,x,name,why\n1,0.5,\"a,b\",\n2,,c,first\n");
    }

    #[test]
    fn parquet_reads_back() {
        use polars::prelude::SerReader as _;
        let mut out = Vec::new();
        sample().write_parquet(&mut out).expect("memory does not fail");
        let frame = pl::ParquetReader::new(io::Cursor::new(out)).finish().expect("it was just written");
        assert_eq!(frame.shape(), (2, 4));
        assert_eq!(frame.column("n").expect("it is there").u64().expect("whole").get(1), Some(2));
        assert_eq!(frame.column("x").expect("it is there").null_count(), 1);
    }
}
