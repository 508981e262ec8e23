//! What an action prints, up to the sentinels that end each run (docs/specs/openwhisk.md §16, §17.4). Owns how
//! much of it is kept; must never know where it comes from.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::{Instant, timeout_at};

/// What ends the output of a run, on both streams: a line of its own, unless what the action printed last had no end.
pub const SENTINEL: &str = "XXX_THE_END_OF_A_WHISK_ACTIVATION_XXX";

/// A line that goes on for longer is taken as several.
const LONGEST_LINE: usize = 64 << 10;

/// At most so many bytes are kept for one collection, whatever its limit.
const MOST_KEPT: u64 = 16 << 20;

/// How long without a byte until collecting is given up.
const SILENCE: Duration = Duration::from_secs(2);

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

/// The output of one run.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Collected {
    /// Its lines, in the order in which they were printed, without line feeds.
    pub lines: Vec<(Printed, String)>,
    /// What the action printed, in bytes, kept or not.
    pub bytes: u64,
    /// Whether some of it was dropped.
    pub truncated: bool,
}

/// The logs could not be collected: the sentinels did not come.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct LogFault;

#[derive(Default, Debug)]
struct Inner {
    items: VecDeque<(Printed, Item)>,
    /// By stream, the beginning of a line whose end has not come.
    begun: [Vec<u8>; 2],
    /// Bytes of the lines among the items.
    kept: u64,
    /// Counts what has come, to see silence.
    heard: u64,
    ended: bool,
}

#[derive(Debug)]
enum Item {
    /// A line, and how many bytes it had.
    Line(String, u64),
    /// So many bytes that were not kept.
    Dropped(u64),
    Sentinel,
}

impl RunLogs {
    /// The sandbox printed these bytes, in any pieces.
    pub fn push(&self, on: Printed, bytes: &[u8]) {
        let mut inner = self.inner();
        inner.heard += bytes.len() as u64;
        for piece in bytes.split_inclusive(|byte| *byte == b'\n') {
            inner.piece(on, piece);
        }
        drop(inner);
        self.news.notify_one();
    }

    /// It will print nothing any more.
    pub fn end(&self) {
        self.inner().ended = true;
        self.news.notify_one();
    }

    /// The output of the next run: all up to the next sentinel of each stream, of which at most `limit` bytes are kept.
    ///
    /// # Errors
    /// Nothing came for 2 s, or it took longer than max(5, limit in MB) · 2 s, or the output has ended.
    pub async fn collect(&self, limit: u64) -> Result<Collected, LogFault> {
        let whole = Instant::now() + SILENCE * u32::try_from((limit >> 20).max(5)).unwrap_or(u32::MAX);
        loop {
            let heard = {
                let mut inner = self.inner();
                if inner.is_complete() {
                    let found = inner.take(limit);
                    drop(inner);
                    // Others may wait for what came at the same time.
                    self.news.notify_one();
                    return Ok(found);
                }
                if inner.ended {
                    self.news.notify_one();
                    return Err(LogFault);
                }
                inner.heard
            };
            let until = whole.min(Instant::now() + SILENCE);
            if timeout_at(until, self.news.notified()).await.is_err()
                && (Instant::now() >= whole || self.inner().heard == heard)
            {
                return Err(LogFault);
            }
        }
    }

    /// What has come so far, sentinels or not; after a failure nobody waits for them.
    pub fn collect_now(&self, limit: u64) -> Collected {
        let mut inner = self.inner();
        if inner.is_complete() {
            return inner.take(limit);
        }
        let mut found = Collected::default();
        for (on, item) in std::mem::take(&mut inner.items) {
            found.take(on, item, limit);
        }
        inner.kept = 0;
        found
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    fn piece(&mut self, on: Printed, piece: &[u8]) {
        let begun = &mut self.begun[on as usize];
        let whole = piece.ends_with(b"\n");
        begun.extend_from_slice(piece.strip_suffix(b"\n").unwrap_or(piece));
        if !whole && begun.len() < LONGEST_LINE {
            return;
        }
        let bytes = std::mem::take(begun);
        let line = bytes.strip_suffix(b"\r").unwrap_or(&bytes);
        match line.strip_suffix(SENTINEL.as_bytes()).filter(|_| whole) {
            Some([]) => self.items.push_back((on, Item::Sentinel)),
            // The action printed no end of line before.
            Some(text) => {
                self.keep(on, text, text.len() as u64);
                self.items.push_back((on, Item::Sentinel));
            }
            None => self.keep(on, &bytes, bytes.len() as u64 + u64::from(whole)),
        }
    }

    fn keep(&mut self, on: Printed, line: &[u8], size: u64) {
        if self.kept + size <= MOST_KEPT {
            self.kept += size;
            let text = String::from_utf8_lossy(line).into_owned();
            self.items.push_back((on, Item::Line(text, size)));
        } else if let Some((_, Item::Dropped(dropped))) = self.items.back_mut() {
            *dropped += size;
        } else {
            self.items.push_back((on, Item::Dropped(size)));
        }
    }

    fn is_complete(&self) -> bool {
        [Printed::Out, Printed::Err]
            .into_iter()
            .all(|on| self.items.iter().any(|(of, item)| *of == on && matches!(item, Item::Sentinel)))
    }

    /// Takes out everything up to the first sentinel of each stream.
    fn take(&mut self, limit: u64) -> Collected {
        let mut found = Collected::default();
        let mut over = [false; 2];
        let mut rest = VecDeque::new();
        for (on, item) in std::mem::take(&mut self.items) {
            match item {
                _ if over[on as usize] => rest.push_back((on, item)),
                Item::Sentinel => over[on as usize] = true,
                item => found.take(on, item, limit),
            }
        }
        self.items = rest;
        let size = |item: &Item| match item {
            Item::Line(_, size) => *size,
            Item::Dropped(_) | Item::Sentinel => 0,
        };
        self.kept = self.items.iter().map(|(_, item)| size(item)).sum();
        found
    }
}

impl Collected {
    fn take(&mut self, on: Printed, item: Item, limit: u64) {
        match item {
            Item::Line(line, size) => {
                self.bytes += size;
                if self.bytes <= limit {
                    self.lines.push((on, line));
                } else {
                    self.truncate(limit);
                }
            }
            Item::Dropped(bytes) => {
                self.bytes += bytes;
                self.truncate(limit);
            }
            Item::Sentinel => {}
        }
    }

    fn truncate(&mut self, limit: u64) {
        if !std::mem::replace(&mut self.truncated, true) {
            let text = format!(
                "Logs were truncated because the total bytes size exceeds the limit of {limit} bytes."
            );
            self.lines.push((Printed::Err, text));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Printed::{Err, Out};
    use super::*;

    const LIMIT: u64 = 10 << 20;

    fn frame(logs: &RunLogs, on: Printed, text: &str) {
        logs.push(on, format!("{text}{SENTINEL}\n").as_bytes());
    }

    #[tokio::test(start_paused = true)]
    async fn a_run_ends_with_both_sentinels_and_the_next_begins_there() {
        let logs = RunLogs::default();
        frame(&logs, Out, "one\n");
        frame(&logs, Out, "two\n");
        logs.push(Err, b"warning\n");
        frame(&logs, Err, "");
        let first = logs.collect(LIMIT).await.expect("both came");
        assert_eq!(first.lines, [(Out, "one".to_owned()), (Err, "warning".to_owned())]);
        assert_eq!(first.bytes, 12);
        frame(&logs, Err, "");
        assert_eq!(logs.collect(LIMIT).await.expect("both came").lines, [(Out, "two".to_owned())]);
    }

    #[tokio::test(start_paused = true)]
    async fn sentinels_may_come_in_pieces_and_late() {
        let logs = std::sync::Arc::new(RunLogs::default());
        let printer = std::sync::Arc::clone(&logs);
        tokio::spawn(async move {
            for byte in format!("a\n{SENTINEL}\r\n").bytes() {
                tokio::time::sleep(Duration::from_millis(100)).await;
                printer.push(Out, &[byte]);
            }
            printer.push(Err, format!("{SENTINEL}\n").as_bytes());
        });
        // Longer than 2 s in all, but never silent for so long.
        assert_eq!(logs.collect(LIMIT).await.expect("both came").lines, [(Out, "a".to_owned())]);
    }

    #[tokio::test(start_paused = true)]
    async fn silence_and_endless_output_are_given_up() {
        let logs = std::sync::Arc::new(RunLogs::default());
        frame(&logs, Out, "");
        let begun = Instant::now();
        assert_eq!(logs.collect(LIMIT).await, Result::Err(LogFault));
        assert_eq!(begun.elapsed(), SILENCE);
        let printer = std::sync::Arc::clone(&logs);
        tokio::spawn(async move {
            loop {
                printer.push(Err, b"more\n");
                tokio::time::sleep(Duration::from_millis(500)).await;
            }
        });
        let begun = Instant::now();
        assert_eq!(logs.collect(LIMIT).await, Result::Err(LogFault));
        assert_eq!(begun.elapsed(), Duration::from_secs(20));
        logs.end();
        assert_eq!(logs.collect(LIMIT).await, Result::Err(LogFault));
    }

    #[tokio::test(start_paused = true)]
    async fn beyond_the_limit_only_bytes_are_counted() {
        let logs = RunLogs::default();
        logs.push(Out, b"12345\n12345\n12345\n");
        frame(&logs, Out, "");
        frame(&logs, Err, "");
        let found = logs.collect(12).await.expect("both came");
        assert_eq!(found.bytes, 18);
        assert!(found.truncated);
        assert_eq!(found.lines.len(), 3);
        let told = "Logs were truncated because the total bytes size exceeds the limit of 12 bytes.";
        assert_eq!(found.lines[2].1, told);
    }

    #[tokio::test(start_paused = true)]
    async fn a_flood_takes_bounded_memory() {
        let logs = RunLogs::default();
        let block = vec![b'x'; 1 << 20];
        for _ in 0..40 {
            logs.push(Out, &block);
        }
        assert!(logs.inner().kept <= MOST_KEPT);
        assert!(logs.inner().begun[0].len() < LONGEST_LINE);
        logs.push(Out, b"\n");
        frame(&logs, Out, "");
        frame(&logs, Err, "");
        let found = logs.collect(LIMIT).await.expect("both came");
        assert_eq!(found.bytes, (40 << 20) + 1);
        assert!(found.truncated);
    }

    #[tokio::test(start_paused = true)]
    async fn output_without_an_end_of_line_ends_with_its_run() {
        let logs = RunLogs::default();
        frame(&logs, Out, "no end");
        logs.push(Err, &vec![b'y'; LONGEST_LINE + 5]);
        frame(&logs, Err, "");
        let found = logs.collect(LIMIT).await.expect("both came");
        assert_eq!(found.lines[0], (Out, "no end".to_owned()));
        assert_eq!(found.bytes, 6 + LONGEST_LINE as u64 + 5);
        // What only speaks of a sentinel is none.
        logs.push(Out, format!("{SENTINEL} and more\n").as_bytes());
        logs.push(Err, format!("{SENTINEL}\n").as_bytes());
        assert_eq!(logs.collect(LIMIT).await, Result::Err(LogFault));
    }

    #[tokio::test(start_paused = true)]
    async fn everybody_who_waits_hears_of_what_came() {
        let logs = std::sync::Arc::new(RunLogs::default());
        let waiting = [0; 3].map(|_| {
            let logs = std::sync::Arc::clone(&logs);
            tokio::spawn(async move { (logs.collect(LIMIT).await, Instant::now()) })
        });
        tokio::time::sleep(Duration::from_millis(10)).await;
        let begun = Instant::now();
        let three = format!("{SENTINEL}\n").repeat(3);
        logs.push(Out, three.as_bytes());
        logs.push(Err, three.as_bytes());
        for waiting in waiting {
            let (found, at) = waiting.await.expect("no panic");
            assert!(found.is_ok());
            assert_eq!(at, begun);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn bytes_that_are_no_text_are_taken() {
        let logs = RunLogs::default();
        logs.push(Out, b"\xff\xfe\n");
        logs.push(Err, SENTINEL.as_bytes());
        assert_eq!(logs.collect_now(LIMIT).lines, [(Out, "\u{fffd}\u{fffd}".to_owned())]);
        assert_eq!(logs.collect_now(LIMIT), Collected::default());
    }
}
