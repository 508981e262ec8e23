//! Driver 1: virtual time. Replays a trace through the pool, carrying out its orders by scheduling
//! the answers. Owns the event queue, the cost model and the loop. CPU is unlimited, unless the scenario
//! says that steps share processors (`contended`). Must never place, evict or keep anything itself.

mod answers;
mod contended;
mod costs;
mod driver;
mod published;
mod queue;
mod replay;
mod wheel;

pub use answers::{Answers, Imagined, Work};
pub use contended::Contended;
pub use costs::{CostModel, Draw};
pub use driver::{Control, End, Machine, PATIENCE, Stopped, simulate};
pub use published::{Published, replay_published};
pub use queue::{EventQueue, HeapQueue};
pub use replay::{
    Replay, ReplayError, check_fit, controller, make_pool, make_pool_with, mean_gap, replay, replay_arrivals,
    replay_with, worker_functions,
};
pub use wheel::Wheel;
