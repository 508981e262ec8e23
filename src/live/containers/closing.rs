//! The end of a run: whatever is still there goes. Owns that nothing is forgotten: what lives, what could not be
//! removed before, and what only the platform knows of.

use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt as _;
use futures_util::stream;
use tokio::time::timeout;

use super::super::backend::Closing;
use super::super::platform::Platform;
use super::{Living, Shared};

/// So many are removed at once.
const AT_ONCE: usize = 8;

/// For removing what is known to be there, and again for what the platform finds.
const LIMIT: Duration = Duration::from_secs(120);

pub(super) async fn close<P: Platform>(shared: &Shared<P>) -> Closing {
    let mut left: Vec<Arc<Living<P>>> = std::mem::take(&mut *shared.living()).into_values().collect();
    left.append(&mut shared.unremoved());
    let mut by_hand = 0;
    let removals = stream::iter(left.into_iter().map(|living| remove(shared, living)));
    let all = removals.buffer_unordered(AT_ONCE).for_each(|removed| {
        by_hand += u64::from(removed);
        std::future::ready(())
    });
    // Too slow or failed, it is still there for the platform to find, and so is what was being created.
    let _ = timeout(LIMIT, all).await;
    match timeout(LIMIT, shared.platform.sweep()).await {
        Ok(swept) => {
            // The run's own network was there to the end and is no container.
            let containers = swept.removed.iter().filter(|what| !what.starts_with("network ")).count();
            Closing { removed: by_hand + containers as u64, leftovers: swept.failed }
        }
        Err(_) => {
            let silent = format!("whatever is left, since the platform was silent for {} s", LIMIT.as_secs());
            Closing { removed: by_hand, leftovers: vec![silent] }
        }
    }
}

/// Whether it was there and is gone now.
async fn remove<P: Platform>(shared: &Shared<P>, living: Arc<Living<P>>) -> bool {
    living.pinged.send_replace(false);
    let Some(there) = living.there.get() else { return false };
    let outcome = shared.platform.remove(&there.sandbox).await;
    there.logs.end();
    outcome.is_ok()
}
