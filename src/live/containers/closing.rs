//! The end of a run: whatever is still there goes. Owns that nothing is forgotten: what lives, what could not be
//! removed before, and what only the platform knows of.

use std::sync::Arc;

use futures_util::StreamExt as _;
use futures_util::stream;

use super::super::backend::Closing;
use super::super::platform::Platform;
use super::{Living, Shared};

/// So many are removed at once.
const AT_ONCE: usize = 8;

pub(super) async fn close<P: Platform>(shared: &Shared<P>) -> Closing {
    let mut left: Vec<Arc<Living<P>>> = std::mem::take(&mut *shared.living()).into_values().collect();
    left.append(&mut shared.unremoved());
    let outcomes = stream::iter(left.into_iter().map(|living| remove(shared, living)));
    let removed: Vec<bool> = outcomes.buffer_unordered(AT_ONCE).collect().await;
    // What failed is still there for the platform to find, and so is what was being created.
    let swept = shared.platform.sweep().await;
    let by_hand = removed.into_iter().filter(|removed| *removed).count();
    Closing { removed: (by_hand + swept.removed.len()) as u64, leftovers: swept.failed }
}

/// Whether it was there and is gone now.
async fn remove<P: Platform>(shared: &Shared<P>, living: Arc<Living<P>>) -> bool {
    living.pinged.send_replace(false);
    let Some(there) = living.there.get() else { return false };
    let outcome = shared.platform.remove(&there.sandbox).await;
    there.logs.end();
    outcome.is_ok()
}
