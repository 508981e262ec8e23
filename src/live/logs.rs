//! What an action prints, up to the sentinels that end each run (docs/specs/openwhisk.md §16, §17.4). Owns how
//! much each run printed; keeps none of it, so that no action can fill memory. Must never know where it comes from.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::{Instant, timeout_at};

/// What ends the output of a run, on both streams: a line of its own, unless what the action printed last had no end.
pub const SENTINEL: &str = "XXX_THE_END_OF_A_WHISK_ACTIVATION_XXX";

/// So much of the end of a line tells whether it is one: a sentinel and a carriage return.
const TELLING: usize = SENTINEL.len() + 1;

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

/// The logs could not be collected: the sentinels did not come.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct LogFault;

#[derive(Default, Debug)]
struct Inner {
    streams: [Stream; 2],
    /// Counts what has come, to see silence.
    heard: u64,
    ended: bool,
}

#[derive(Default, Debug)]
struct Stream {
    /// The end of a line that goes on, not more of it than is [`TELLING`].
    line: Vec<u8>,
    /// Bytes since the last sentinel, those in `line` left out.
    printed: u64,
    /// Bytes of runs that have ended, the first first.
    runs: VecDeque<u64>,
}

impl RunLogs {
    /// The sandbox printed these bytes, in any pieces.
    pub fn push(&self, on: Printed, bytes: &[u8]) {
        let mut inner = self.inner();
        inner.heard += bytes.len() as u64;
        let stream = &mut inner.streams[on as usize];
        for piece in bytes.split_inclusive(|byte| *byte == b'\n') {
            stream.take_in(piece);
        }
        drop(inner);
        self.news.notify_one();
    }

    /// It will print nothing any more.
    pub fn end(&self) {
        self.inner().ended = true;
        self.news.notify_one();
    }

    /// How many bytes the next run printed: all up to the next sentinel of each stream. `limit`: the most that an action may
    /// print, in bytes; waiting is longer where that is more.
    ///
    /// # Errors
    /// Nothing came for 2 s, or it took longer than max(5, limit in MB) · 2 s, or the output has ended.
    pub async fn collect(&self, limit: u64) -> Result<u64, LogFault> {
        let whole = Instant::now() + SILENCE * u32::try_from((limit >> 20).max(5)).unwrap_or(u32::MAX);
        loop {
            let heard = {
                let mut inner = self.inner();
                if let Some(bytes) = inner.next_run() {
                    drop(inner);
                    // Others may wait for what came at the same time.
                    self.news.notify_one();
                    return Ok(bytes);
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

    /// How many bytes have come so far, sentinels or not; after a failure nobody waits for them.
    pub fn collect_now(&self) -> u64 {
        let mut inner = self.inner();
        inner.next_run().unwrap_or_else(|| inner.streams.iter_mut().map(Stream::drain).sum())
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    /// Takes out a run that has ended on both streams.
    fn next_run(&mut self) -> Option<u64> {
        if self.streams.iter().any(|stream| stream.runs.is_empty()) {
            return None;
        }
        Some(self.streams.iter_mut().filter_map(|stream| stream.runs.pop_front()).sum())
    }
}

impl Stream {
    /// A piece of a line: the end of one if it ends with a line feed.
    fn take_in(&mut self, piece: &[u8]) {
        let line = &mut self.line;
        let Some(rest) = piece.strip_suffix(b"\n") else {
            line.extend_from_slice(piece);
            let told = line.len().saturating_sub(TELLING);
            line.drain(..told);
            self.printed += told as u64;
            return;
        };
        line.extend_from_slice(rest);
        let text = line.strip_suffix(b"\r").unwrap_or(line).strip_suffix(SENTINEL.as_bytes());
        match text {
            Some(before) => {
                self.runs.push_back(self.printed + before.len() as u64);
                self.printed = 0;
            }
            None => self.printed += line.len() as u64 + 1,
        }
        line.clear();
    }

    /// All that has come since the last collection.
    fn drain(&mut self) -> u64 {
        let whole: u64 = self.runs.drain(..).sum();
        let begun = std::mem::take(&mut self.line).len() as u64;
        whole + std::mem::take(&mut self.printed) + begun
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
        frame(&logs, Out, "three\n");
        logs.push(Err, b"warning\n");
        frame(&logs, Err, "");
        assert_eq!(logs.collect(LIMIT).await, Ok(12));
        frame(&logs, Err, "");
        assert_eq!(logs.collect(LIMIT).await, Ok(6));
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
        assert_eq!(logs.collect(LIMIT).await, Ok(2));
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
    async fn a_flood_takes_no_memory() {
        let logs = RunLogs::default();
        let block = vec![b'x'; 1 << 20];
        for _ in 0..40 {
            logs.push(Out, &block);
        }
        let empty_lines = vec![b'\n'; 1 << 20];
        logs.push(Err, &empty_lines);
        for stream in &logs.inner().streams {
            assert!(stream.line.len() <= TELLING && stream.runs.is_empty());
        }
        logs.push(Out, b"\n");
        frame(&logs, Out, "");
        frame(&logs, Err, "");
        assert_eq!(logs.collect(LIMIT).await, Ok((41 << 20) + 1));
    }

    #[tokio::test(start_paused = true)]
    async fn a_sentinel_is_found_wherever_a_line_without_an_end_is_cut() {
        let framed = format!("{SENTINEL}\r\n");
        for long in 0..3 * TELLING {
            for cut in 0..=framed.len() {
                let logs = RunLogs::default();
                logs.push(Out, &vec![b'y'; long]);
                logs.push(Out, &framed.as_bytes()[..cut]);
                logs.push(Out, &framed.as_bytes()[cut..]);
                frame(&logs, Err, "");
                assert_eq!(logs.collect(LIMIT).await, Ok(long as u64), "{long} bytes, cut at {cut}");
            }
        }
    }

    #[tokio::test(start_paused = true)]
    async fn what_only_speaks_of_a_sentinel_is_none() {
        let logs = RunLogs::default();
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
    async fn after_a_failure_all_that_came_is_counted() {
        let logs = RunLogs::default();
        logs.push(Out, b"\xff\xfe\n");
        logs.push(Err, b"Traceback");
        assert_eq!(logs.collect_now(), 12);
        assert_eq!(logs.collect_now(), 0);
    }
}
