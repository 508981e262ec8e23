//! How far long work on a trace is, and stopping it. Must never know who watches.

/// What is being done.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Doing<'a> {
    /// Reading a file; counted in bytes as they lie on the disk.
    Reading(&'a str),
    /// Writing a trace; counted in invocations or counts.
    Writing,
    /// Making a synthetic trace; counted in functions.
    Generating,
}

/// Whoever wants to know how far work is.
pub trait Watch {
    /// So much of all is done; `false` stops the work.
    fn proceed(&self, doing: Doing<'_>, done: u64, of: u64) -> bool {
        let _ = (doing, done, of);
        true
    }
}

/// Never stops and tells nobody.
impl Watch for () {}
