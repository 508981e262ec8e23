//! Invocation traces: formats in, one struct out. Owns what a trace is, its order and its checksum; must
//! never depend on how or where it was stored, and knows nothing of pools.
//!
//! | file | what |
//! |-|-|
//! | [`function`] | what is invoked |
//! | [`invocations`] | invocations one by one, as columns |
//! | [`counts`] | invocations as counts per bin of time |
//! | [`expand`] | from counts to instants |
//! | [`stream`] | either of them as arrivals in order |
//! | [`formats`] | the registry of formats; one file each below it |
//! | [`reading`] | what a reader may be told: days, units, models of what a format leaves open |
//! | [`generate`] | synthetic traces |
//! | [`info`] | figures of a trace |
//! | [`sample`] | parts of a trace, and other rates |
//! | `unit` | apps instead of functions |
//! | [`watch`] | how far long work is |
//! | [`error`] | what is wrong with a trace, and where |
//! | `source`, `table`, `fields`, `number` | unpacking; CSV with exact line numbers; fields; units |
//!
//! A reader of another format turns its files into [`Function`]s and [`Invocations`] or [`Counts`] and ends
//! with [`Trace::new`] or [`Trace::counted`], which establish everything that the rest of the program
//! relies on.

mod checksum;
pub mod counts;
pub mod error;
pub mod expand;
pub(crate) mod fields;
pub mod formats;
pub mod function;
pub mod generate;
pub mod info;
pub mod invocations;
pub(crate) mod number;
pub mod reading;
pub mod sample;
pub(crate) mod source;
pub mod stream;
pub(crate) mod table;
mod unit;
pub mod watch;

use std::sync::Arc;

pub use self::counts::Counts;
use self::counts::{Row, RunLaw};
pub use self::error::TraceError;
pub use self::expand::{Expansion, Spacing};
pub use self::formats::native::{Compression, is_there, read_native, write_native};
pub use self::function::Function;
use self::function::name_fault;
pub use self::invocations::{Arrival, Invocations, Measured, RunTime};
pub use self::reading::{Context, Reading};
pub use self::stream::{Stream, Window};
pub use self::watch::{Doing, Watch};
use crate::time::{Span, Time};

/// Which functions there are, and when each is invoked. Made by [`Trace::new`] or [`Trace::counted`]
/// alone, and not to be changed afterwards: order and checksum would no longer fit.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Trace {
    /// What reports call it; not part of the checksum.
    pub name: String,
    /// Sorted by name (bytewise), so that the order of rows in a file means nothing.
    pub functions: Vec<Function>,
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
    /// absent). Where any function has a trigger or quantiles of run times, the text ends in 2 and both
    /// follow each function; of a trace of counts, which begins with `faassim counts`, the expansion and
    /// the table of counts are hashed in place of invocations. What was measured is not hashed: it is no
    /// part of the workload.
    pub checksum: String,
    body: Body,
    first: Time,
    last: Time,
}

/// How a trace holds its invocations.
#[derive(Clone, PartialEq, Eq, Debug)]
enum Body {
    /// One by one, sorted by time; those of the same instant in the order of the file, which is their
    /// order of arrival. Times need not start at 0.
    Listed(Invocations),
    /// As counts, expanded whenever they are asked for.
    Counted(Arc<Counted>),
}

/// Counts with what it takes to expand them.
#[derive(Clone, PartialEq, Eq, Debug)]
struct Counted {
    counts: Counts,
    rows: Vec<Row>,
    expansion: Expansion,
}

impl Counted {
    /// Whether every row is the function of the same number: not if functions were merged into apps, even if there
    /// are as many of these.
    fn rows_are(&self, functions: &[Function]) -> bool {
        let of = |(number, function)| Row::of(number, function);
        self.rows.len() == functions.len() && (0..).zip(functions).map(of).eq(self.rows.iter().cloned())
    }
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
        let invoked = invocations.function().iter().max().map(|most| most + 1);
        let (functions, number) = checked(&name, functions, invoked)?;
        if let Some(number) = number {
            invocations.renumber(&number);
        }
        invocations.sort();
        Ok(Trace::finished(name, functions, Body::Listed(invocations)))
    }

    /// A trace of these functions and counts; each cell's `row` is an index into `functions` as given.
    ///
    /// # Errors
    /// As [`Trace::new`], and more invocations in one bin than are expanded at once.
    pub fn counted(
        name: impl Into<String>,
        functions: Vec<Function>,
        mut counts: Counts,
        expansion: Expansion,
    ) -> Result<Trace, TraceError> {
        let name = name.into();
        let invoked = Some(counts.rows_end()).filter(|end| *end > 0);
        let (functions, number) = checked(&name, functions, invoked)?;
        if let Some(number) = number {
            counts.renumber(&number.into_iter().map(Some).collect::<Vec<_>>());
        }
        let rows = (0..).zip(&functions).map(|(number, function)| Row::of(number, function)).collect();
        Trace::from_rows(name, functions, Counted { counts, rows, expansion })
    }

    /// A trace of counts whose functions are sorted and whose rows are theirs.
    fn from_rows(name: String, functions: Vec<Function>, counted: Counted) -> Result<Trace, TraceError> {
        let counts = &counted.counts;
        if let Some(bin) = (0..counts.bins()).find(|bin| counts.in_bin(*bin) > Counts::MOST_PER_BIN) {
            let message = format!(
                "{} invocations within {} (number {bin} of {}), at most {} are taken",
                counts.in_bin(bin),
                counts.width(),
                counts.bins(),
                Counts::MOST_PER_BIN
            );
            return Err(TraceError::new(name, message).with_help("are these really counts?"));
        }
        Ok(Trace::finished(name, functions, Body::Counted(Arc::new(counted))))
    }

    fn finished(name: String, functions: Vec<Function>, body: Body) -> Trace {
        let checksum = checksum::checksum(&functions, &body);
        let (first, last) = match &body {
            Body::Listed(invocations) => {
                let times = invocations.time();
                (times.first().copied().unwrap_or_default(), times.last().copied().unwrap_or_default())
            }
            Body::Counted(counted) => stream::ends(counted),
        };
        Trace { name, functions, checksum, body, first, last }
    }

    /// The number of invocations; never zero.
    #[expect(clippy::len_without_is_empty, reason = "a trace is never empty")]
    pub fn len(&self) -> usize {
        match &self.body {
            Body::Listed(invocations) => invocations.len(),
            Body::Counted(counted) => counted.counts.total() as usize,
        }
    }

    /// When the first invocation arrives.
    pub fn first(&self) -> Time {
        self.first
    }

    /// When the last invocation arrives.
    pub fn last(&self) -> Time {
        self.last
    }

    /// From the first arrival to the last.
    pub fn span(&self) -> Span {
        self.last - self.first
    }

    /// All invocations one after the other.
    pub fn arrivals(&self) -> Stream<'_> {
        self.stream(Window::ALL)
    }

    /// Those of a window one after the other.
    pub fn stream(&self, window: Window) -> Stream<'_> {
        Stream::new(self, window)
    }

    /// How many invocations a window has.
    pub fn count(&self, window: Window) -> u64 {
        stream::count(&self.body, window)
    }

    /// Whether at least some invocations have run times of their own.
    pub fn tells_run_times(&self) -> bool {
        match &self.body {
            Body::Listed(invocations) => invocations.duration().is_some(),
            Body::Counted(counted) => counted.rows.iter().any(|row| row.run != RunLaw::OfFunction),
        }
    }

    /// The same with the functions of each app as one, as Azure Functions runs them: containers belong
    /// to the app, and every invocation keeps the run time of its function. The app's memory is the most
    /// of any of its functions, its run times are the means over them. Functions without an app
    /// stay as they are.
    ///
    /// # Errors
    /// The names of an app and of a function without one are the same.
    pub fn by_app(self) -> Result<Trace, TraceError> {
        unit::by_app(self)
    }

    /// The invocations as columns, if they are held one by one.
    pub fn listed(&self) -> Option<&Invocations> {
        match &self.body {
            Body::Listed(invocations) => Some(invocations),
            Body::Counted(_) => None,
        }
    }

    /// The invocations as counts by function, and how they are expanded, if they are held so.
    pub fn counts(&self) -> Option<(&Counts, Expansion)> {
        match &self.body {
            Body::Counted(counted) if counted.rows_are(&self.functions) => {
                Some((&counted.counts, counted.expansion))
            }
            Body::Listed(_) | Body::Counted(_) => None,
        }
    }
}

/// The functions sorted by name, and where each went if they were not. `invoked`: one more than the
/// greatest number of an invoked function, if any is.
fn checked(
    name: &str,
    functions: Vec<Function>,
    invoked: Option<u32>,
) -> Result<(Vec<Function>, Option<Vec<u32>>), TraceError> {
    check(&functions, invoked).map_err(|message| TraceError::new(name, message))?;
    let (functions, number) = sort_by_name(functions);
    match functions.windows(2).find(|pair| pair[0].name == pair[1].name) {
        Some(twice) => Err(TraceError::new(name, format!("two functions are called `{}`", twice[0].name))),
        None => Ok((functions, number)),
    }
}

/// What a trace refuses, repeated names excepted.
fn check(functions: &[Function], invoked: Option<u32>) -> Result<(), String> {
    if functions.is_empty() {
        return Err("has no functions".to_owned());
    }
    let Some(invoked) = invoked else { return Err("has no invocations".to_owned()) };
    for function in functions {
        let texts = [("name", &function.name), ("namespace", &function.namespace), ("kind", &function.kind)];
        let optional = [("app", &function.app), ("trigger", &function.trigger)];
        let optional = optional.into_iter().filter_map(|(what, text)| Some((what, text.as_ref()?)));
        for (what, text) in texts.into_iter().chain(optional) {
            if let Some(fault) = name_fault(text) {
                return Err(format!("the {what} of function {:?} {fault}", function.name));
            }
        }
    }
    if invoked as usize > functions.len() {
        return Err(format!("invokes function number {} of {}", invoked - 1, functions.len()));
    }
    Ok(())
}

/// Sorts functions by name; tells where each went, if anything moved.
fn sort_by_name(functions: Vec<Function>) -> (Vec<Function>, Option<Vec<u32>>) {
    if functions.is_sorted_by(|a, b| a.name <= b.name) {
        return (functions, None);
    }
    let mut numbered: Vec<(usize, Function)> = functions.into_iter().enumerate().collect();
    numbered.sort_by(|a, b| a.1.name.cmp(&b.1.name));
    let mut number = vec![0; numbered.len()];
    for (new, (old, _)) in numbered.iter().enumerate() {
        number[*old] = new as u32;
    }
    (numbered.into_iter().map(|(_, function)| function).collect(), Some(number))
}

#[cfg(test)]
mod tests {
    use sha2::{Digest, Sha256};

    use super::*;
    use crate::memory::Memory;

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
