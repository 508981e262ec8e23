//! Rows as a table, sorted by number. Owns the kinds of columns; must never drop one.

use serde_json::Value;

use super::Row;
use super::row::{ERROR, front_names, number, usual};
use crate::results::{Column, Table};

/// The table of these rows, in any order. All tables of the pool have the same columns of figures, even if every run
/// failed; other figures come behind them, the error last.
pub fn table(mut rows: Vec<Row>) -> Table {
    rows.sort_by_key(number);
    let figures = usual();
    let mut names: Vec<&str> = Vec::new();
    let mut seen = std::collections::BTreeSet::from([ERROR]);
    // What comes before the figures is the same in every row.
    let fronts = rows.iter().flat_map(front_names);
    let all = rows.iter().flat_map(Row::keys).map(String::as_str);
    for name in fronts.chain(figures.keys().map(String::as_str)).chain(all) {
        if seen.insert(name) {
            names.push(name);
        }
    }
    names.push(ERROR);
    names.into_iter().fold(Table::new(), |table, name| {
        let cells: Vec<&Value> = rows.iter().map(|row| row.get(name).unwrap_or(&Value::Null)).collect();
        table.with(name.to_owned(), column(&cells, figures.get(name)))
    })
}

/// A column of the kind that its cells have; `usual`: a cell as it usually is, for when all are missing.
fn column(cells: &[&Value], usual: Option<&Value>) -> Column {
    let present = || cells.iter().copied().filter(|cell| !cell.is_null()).chain(usual);
    if present().next().is_some() && present().all(Value::is_u64) {
        return Column::MaybeWhole(cells.iter().map(|cell| cell.as_u64()).collect());
    }
    if present().next().is_some() && present().all(Value::is_number) {
        return Column::MaybeNumber(cells.iter().map(|cell| cell.as_f64()).collect());
    }
    let text = |cell: &&Value| match cell {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    Column::Text(cells.iter().map(text).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(text: &str) -> Row {
        serde_json::from_str(text).expect("JSON")
    }

    #[test]
    fn rows_are_sorted_and_missing_figures_stay_empty() {
        let rows = vec![
            row(r#"{"run": 2, "trace": "x", "cold": 3, "cold_pct": 0.5, "error": ""}"#),
            row(r#"{"run": 1, "trace": "y", "error": "broken"}"#),
        ];
        let mut csv = Vec::new();
        table(rows).write_csv(&mut csv).expect("memory does not fail");
        let text = String::from_utf8(csv).expect("UTF-8");
        let lines: Vec<&str> = text.lines().collect();
        assert!(lines[0].starts_with("run,trace,invocations,served,warm,cold,"), "{}", lines[0]);
        assert!(lines[0].ends_with(",error"), "{}", lines[0]);
        assert!(lines[1].starts_with("1,y,,,,,") && lines[1].ends_with(",broken"), "{}", lines[1]);
        assert!(lines[2].starts_with("2,x,,,,3,"), "{}", lines[2]);
    }
}
