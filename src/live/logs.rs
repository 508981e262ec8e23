//! What an action prints, up to the sentinels that end each run (docs/specs/openwhisk.md §16, §17.4). Owns how
//! much of it is kept; must never know where it comes from.

use std::sync::Mutex;

use tokio::sync::Notify;

/// The line by which a runtime ends the output of a run, on both streams.
pub const SENTINEL: &str = "XXX_THE_END_OF_A_WHISK_ACTIVATION_XXX";

/// Which stream a byte was printed on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Printed {
    /// Standard output.
    Out,
    /// Standard error.
    Err,
}

/// What a sandbox printed and nobody collected yet.
#[derive(Default, Debug)]
pub struct RunLogs {
    inner: Mutex<Inner>,
    news: Notify,
}

#[derive(Default, Debug)]
struct Inner {
    ended: bool,
}

impl RunLogs {
    /// The sandbox printed these bytes, in any pieces.
    pub fn push(&self, on: Printed, bytes: &[u8]) {
        let _ = (on, bytes);
        self.news.notify_one();
    }

    /// It will print nothing any more.
    pub fn end(&self) {
        if let Ok(mut inner) = self.inner.lock() {
            inner.ended = true;
        }
        self.news.notify_one();
    }
}
