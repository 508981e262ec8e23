//! Invocation traces: formats in, one columnar struct out. Owns what a trace is, its order and its
//! checksum; must never depend on how or where it was stored, and knows nothing of pools.
//!
//! | file | what |
//! |-|-|
//! | [`native`] | the project's own format: a folder with `functions.csv` and `invocations.csv` |
//! | [`error`] | what is wrong with a trace, and where |
//! | `source` | opening files, gzip and zstd included |
//! | `table` | CSV with named columns and exact line numbers |
//! | `number` | milliseconds to µs, memory to MiB |
//! | `invocations` | the columns |
//!
//! A reader of another format turns its files into [`Function`]s and [`Invocations`] and ends with
//! [`Trace::new`], which establishes everything that the rest of the program relies on.

pub mod error;
mod invocations;
pub mod native;
mod number;
mod source;
mod table;

use std::fmt::Write as _;

use sha2::{Digest, Sha256};

pub use self::error::TraceError;
pub use self::invocations::{Arrival, Invocations, RunTime};
pub use self::native::{Compression, is_there, read_native, write_native};
use crate::memory::Memory;
use crate::time::Span;

/// A function of a trace.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Function {
    /// Unique in the trace.
    pub name: String,
    /// What one container of it occupies.
    pub memory: Memory,
    /// The total run time of a cold invocation, start of the container included.
    pub cold: Span,
    /// The run time of a warm invocation.
    pub warm: Span,
    /// The application it belongs to.
    pub app: Option<String>,
    /// Its owner, as OpenWhisk's namespaces are.
    pub namespace: String,
    /// Its runtime, as in OpenWhisk's manifest: containers of one kind can be started ahead of time.
    pub kind: String,
    /// How many invocations one container runs at once.
    pub max_concurrent: u16,
}

impl Function {
    /// The namespace of a function that names none.
    pub const DEFAULT_NAMESPACE: &str = "_";
    /// The kind of a function that names none.
    pub const DEFAULT_KIND: &str = "python:3";

    /// A function with the defaults: no app, namespace `_`, kind `python:3`, one invocation at a time.
    pub fn new(name: impl Into<String>, memory: Memory, cold: Span, warm: Span) -> Function {
        Function {
            name: name.into(),
            memory,
            cold,
            warm,
            app: None,
            namespace: Function::DEFAULT_NAMESPACE.to_owned(),
            kind: Function::DEFAULT_KIND.to_owned(),
            max_concurrent: 1,
        }
    }
}

/// Which functions there are, and when each is invoked. Made by [`Trace::new`] alone, and not to be
/// changed afterwards: order and checksum would no longer fit.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Trace {
    /// What reports call it; not part of the checksum.
    pub name: String,
    /// Sorted by name (bytewise), so that the order of rows in a file means nothing.
    pub functions: Vec<Function>,
    /// Sorted by time; those of the same instant in the order of the file, which is their order of
    /// arrival. Times need not start at 0.
    pub invocations: Invocations,
    /// SHA-256 in hexadecimal of the content. Two traces have the same checksum if and only if they
    /// have the same functions and invocations, however they were stored: compression, spelling of
    /// numbers, names and order of columns, unknown columns, order of rows in the functions file and
    /// order of rows of different instants in the invocations file do not matter.
    ///
    /// Hashed, integers as 8 bytes little endian unless said otherwise and texts as their length in
    /// bytes and then the bytes in UTF-8: the text `faassim trace 1`; the number of functions; for each
    /// function by name its name, memory in MiB, cold and warm in µs, app (an absent one as the length
    /// `u64::MAX` alone), namespace, kind, max_concurrent; the number of invocations; for each by time
    /// its time in µs, the function's index in 4 bytes, its run time in µs in 4 bytes (`u32::MAX` if
    /// absent).
    pub checksum: String,
}

/// A trace that was read, and what the reader should tell its user.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Loaded {
    /// The trace.
    pub trace: Trace,
    /// What was repaired or looks odd, one sentence each; empty for a clean trace.
    pub notes: Vec<String>,
}

impl Trace {
    /// A trace of these functions and invocations, both in any order; each invocation's `function` is
    /// an index into `functions` as given.
    ///
    /// # Errors
    /// No function, no invocation, an unusable or repeated name, an invocation of a function that is
    /// not there.
    pub fn new(
        name: impl Into<String>,
        functions: Vec<Function>,
        mut invocations: Invocations,
    ) -> Result<Trace, TraceError> {
        let name = name.into();
        check(&functions, &invocations).map_err(|message| TraceError::new(&name, message))?;
        let functions = sort_by_name(functions, &mut invocations);
        if let Some(twice) = functions.windows(2).find(|pair| pair[0].name == pair[1].name) {
            return Err(TraceError::new(&name, format!("two functions are called `{}`", twice[0].name)));
        }
        invocations.sort();
        let checksum = checksum(&functions, &invocations);
        Ok(Trace { name, functions, invocations, checksum })
    }

    /// The number of invocations; never zero.
    #[expect(clippy::len_without_is_empty, reason = "a trace is never empty")]
    pub fn len(&self) -> usize {
        self.invocations.len()
    }

    /// From the first arrival to the last.
    pub fn span(&self) -> Span {
        match self.invocations.time() {
            [first, .., last] => *last - *first,
            _ => Span::ZERO,
        }
    }

    /// The invocations one after the other.
    pub fn arrivals(&self) -> impl ExactSizeIterator<Item = Arrival> + '_ {
        self.invocations.arrivals()
    }
}

/// What [`Trace::new`] promises to refuse, repeated names excepted.
fn check(functions: &[Function], invocations: &Invocations) -> Result<(), String> {
    if functions.is_empty() {
        return Err("has no functions".to_owned());
    }
    if invocations.is_empty() {
        return Err("has no invocations".to_owned());
    }
    for function in functions {
        let texts = [("name", &function.name), ("namespace", &function.namespace), ("kind", &function.kind)];
        for (what, text) in texts.into_iter().chain(function.app.as_ref().map(|app| ("app", app))) {
            if let Some(fault) = name_fault(text) {
                return Err(format!("the {what} of function {:?} {fault}", function.name));
            }
        }
    }
    match invocations.function().iter().find(|index| **index as usize >= functions.len()) {
        Some(index) => Err(format!("invokes function number {index} of {}", functions.len())),
        None => Ok(()),
    }
}

/// Why a text cannot be a name, as the rest of a sentence.
fn name_fault(text: &str) -> Option<&'static str> {
    if text.is_empty() {
        Some("is empty")
    } else if text.chars().any(char::is_control) {
        Some("contains a control character")
    } else {
        None
    }
}

/// Sorts functions by name and lets the invocations follow.
fn sort_by_name(functions: Vec<Function>, invocations: &mut Invocations) -> Vec<Function> {
    if functions.is_sorted_by(|a, b| a.name <= b.name) {
        return functions;
    }
    let mut numbered: Vec<(usize, Function)> = functions.into_iter().enumerate().collect();
    numbered.sort_by(|a, b| a.1.name.cmp(&b.1.name));
    let mut number = vec![0; numbered.len()];
    for (new, (old, _)) in numbered.iter().enumerate() {
        number[*old] = new as u32;
    }
    invocations.renumber(&number);
    numbered.into_iter().map(|(_, function)| function).collect()
}

/// The checksum that [`Trace::checksum`] describes; both must be sorted.
fn checksum(functions: &[Function], invocations: &Invocations) -> String {
    /// Bytes handed to the hash at a time.
    const CHUNK: usize = 1 << 16;
    let mut hash = Sha256::new();
    let mut bytes = Vec::with_capacity(CHUNK + 1024);
    put_text(&mut bytes, "faassim trace 1");
    put(&mut bytes, functions.len() as u64);
    for function in functions {
        put_text(&mut bytes, &function.name);
        put(&mut bytes, function.memory.mib());
        put(&mut bytes, function.cold.0);
        put(&mut bytes, function.warm.0);
        match &function.app {
            Some(app) => put_text(&mut bytes, app),
            None => put(&mut bytes, u64::MAX),
        }
        put_text(&mut bytes, &function.namespace);
        put_text(&mut bytes, &function.kind);
        put(&mut bytes, u64::from(function.max_concurrent));
        hash.update(&bytes);
        bytes.clear();
    }
    put(&mut bytes, invocations.len() as u64);
    for (index, (time, function)) in invocations.time().iter().zip(invocations.function()).enumerate() {
        let duration = invocations.duration().map_or(RunTime::ABSENT, |durations| durations[index]);
        put(&mut bytes, time.0);
        bytes.extend_from_slice(&function.to_le_bytes());
        bytes.extend_from_slice(&duration.bits().to_le_bytes());
        if bytes.len() >= CHUNK {
            hash.update(&bytes);
            bytes.clear();
        }
    }
    hash.update(&bytes);
    hash.finalize().iter().fold(String::with_capacity(64), |mut hex, byte| {
        // Writing into a String cannot fail.
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}

fn put(bytes: &mut Vec<u8>, value: u64) {
    bytes.extend_from_slice(&value.to_le_bytes());
}

fn put_text(bytes: &mut Vec<u8>, text: &str) {
    put(bytes, text.len() as u64);
    bytes.extend_from_slice(text.as_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::Time;

    fn function(name: &str) -> Function {
        Function::new(name, Memory(128), Span::from_ms(300), Span::from_ms(100))
    }

    fn invocations(rows: &[(u64, u32)]) -> Invocations {
        let mut invocations = Invocations::default();
        for &(ms, function) in rows {
            invocations.push(Time::from_ms(ms), function, RunTime::ABSENT);
        }
        invocations
    }

    #[test]
    fn order_of_rows_is_not_content() {
        let one = Trace::new("t", vec![function("a"), function("b")], invocations(&[(5, 0), (5, 1), (9, 0)]));
        let other =
            Trace::new("t", vec![function("b"), function("a")], invocations(&[(9, 1), (5, 1), (5, 0)]));
        assert_eq!(one, other);
    }

    #[test]
    fn order_of_the_same_instant_is_content() {
        let functions = vec![function("a"), function("b")];
        let one = Trace::new("t", functions.clone(), invocations(&[(5, 0), (5, 1)])).expect("valid");
        let other = Trace::new("t", functions, invocations(&[(5, 1), (5, 0)])).expect("valid");
        assert_ne!(one.checksum, other.checksum);
    }

    #[test]
    fn every_field_is_content_but_the_name() {
        let checksum_of = |change: &dyn Fn(&mut Function)| {
            let mut changed = function("a");
            change(&mut changed);
            Trace::new("t", vec![changed], invocations(&[(5, 0)])).expect("valid").checksum
        };
        let mut checksums = vec![
            checksum_of(&|_| {}),
            checksum_of(&|f| f.name = "b".to_owned()),
            checksum_of(&|f| f.memory = Memory(129)),
            checksum_of(&|f| f.cold = Span(1)),
            checksum_of(&|f| f.warm = Span(1)),
            checksum_of(&|f| f.app = Some("a".to_owned())),
            checksum_of(&|f| f.namespace = "n".to_owned()),
            checksum_of(&|f| f.kind = "nodejs:20".to_owned()),
            checksum_of(&|f| f.max_concurrent = 2),
        ];
        let renamed = Trace::new("other", vec![function("a")], invocations(&[(5, 0)])).expect("valid");
        assert_eq!(renamed.checksum, checksums[0]);
        let count = checksums.len();
        checksums.sort();
        checksums.dedup();
        assert_eq!(checksums.len(), count);
    }

    #[test]
    fn the_checksum_is_what_its_description_says() {
        let mut columns = Invocations::default();
        columns.push(Time(7), 0, RunTime::new(Span(3)).expect("short"));
        let trace = Trace::new("t", vec![function("f")], columns).expect("valid");
        let mut bytes = Vec::new();
        let text = |bytes: &mut Vec<u8>, text: &str| {
            bytes.extend((text.len() as u64).to_le_bytes());
            bytes.extend(text.bytes());
        };
        text(&mut bytes, "faassim trace 1");
        bytes.extend(1_u64.to_le_bytes());
        text(&mut bytes, "f");
        for value in [128, 300_000, 100_000, u64::MAX] {
            bytes.extend(value.to_le_bytes());
        }
        text(&mut bytes, "_");
        text(&mut bytes, "python:3");
        for value in [1_u64, 1, 7] {
            bytes.extend(value.to_le_bytes());
        }
        bytes.extend(0_u32.to_le_bytes());
        bytes.extend(3_u32.to_le_bytes());
        let expected: String = Sha256::digest(&bytes).iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(trace.checksum, expected);
    }

    #[test]
    fn refuses_what_is_no_trace() {
        let one = || vec![function("a")];
        for (functions, rows, message) in [
            (vec![], vec![(0, 0)], "t: has no functions"),
            (one(), vec![], "t: has no invocations"),
            (one(), vec![(0, 1)], "t: invokes function number 1 of 1"),
            (vec![function("a"), function("a")], vec![(0, 0)], "t: two functions are called `a`"),
            (vec![function("")], vec![(0, 0)], "t: the name of function \"\" is empty"),
            (
                vec![function("a\n")],
                vec![(0, 0)],
                "t: the name of function \"a\\n\" contains a control character",
            ),
        ] {
            let error = Trace::new("t", functions, invocations(&rows)).expect_err(message);
            assert_eq!(error.to_string(), message);
        }
    }

    #[test]
    fn spans_from_first_to_last() {
        let trace = Trace::new("t", vec![function("a")], invocations(&[(900, 0), (100, 0)])).expect("valid");
        assert_eq!((trace.len(), trace.span()), (2, Span::from_ms(800)));
        let single = Trace::new("t", vec![function("a")], invocations(&[(900, 0)])).expect("valid");
        assert_eq!(single.span(), Span::ZERO);
    }
}
