//! What a run leaves behind: a summary to read, tables, plots, a manifest. The only place that names
//! polars' writers of tables and plotters. Owns formats and files; must never compute a figure (that is the tally's).

mod columns;
mod compare;
mod compare_view;
mod curve;
mod divergence;
mod folder;
pub mod layout;
mod live;
mod manifest;
pub mod page;
pub mod plot;
mod report;
mod tables;

pub use columns::{Column, Table};
pub use compare::{compare_function_table, compare_text, exceeded, verdict_text};
pub use compare_view::comparison_view;
pub use curve::{curve_json, curve_table, curve_text};
pub use divergence::divergence_text;
pub use folder::{EVENTS, Folder, MANIFEST};
pub use live::{live_invocation_table, live_text};
pub use manifest::{Manifest, TraceId};
pub use report::{
    Heading, Speed, artifact_text, counted, duration, heading_text, short, summary_text, thousands,
};
pub use tables::{artifact_function_table, function_table, invocation_table, memory_table, response_table};
