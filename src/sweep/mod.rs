//! Sweeps: one scenario over a grid of values, a run per point, and one table with a row per run. Owns which runs
//! there are, which of them are left to do, how they share traces, and how parts done elsewhere are put together; a
//! run itself is `sim`'s. Must never let a figure depend on threads, on order or on what was done before.
//!
//! | file | what |
//! |-|-|
//! | `grid` | the points of the axes, by number |
//! | `plan` | every point checked, and what tells it apart |
//! | `traces` | each trace read once, kept as long as it is needed |
//! | `run` | the runs that are left, on several threads |
//! | `row` | one run as a row |
//! | `table` | rows as a table |
//! | `journal` | finished runs, one line each, as they finish |
//! | `folder` | where a sweep lives while it is under way and afterwards |
//! | `shard` | which part of the runs is done here |
//! | `merge` | parts put together |

mod folder;
mod grid;
mod journal;
mod merge;
mod plan;
mod row;
mod run;
mod shard;
mod table;
mod traces;

pub use folder::{AxisRecord, Before, Folder, Manifest, TraceRecord};
pub use grid::Grid;
pub use journal::{Known, Line, latest};
pub use merge::{Merged, merge};
pub use plan::Plan;
pub use row::Row;
pub use run::{Event, Outcome, Standing, execute};
pub use shard::Shard;
pub use table::table;
