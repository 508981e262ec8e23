//! Invocations as counts: how often each function was invoked in each bin of time, as the public data
//! sets tell it. Owns the sparse table of counts and its limits; must never know at which instants the
//! invocations of a bin arrive (that is `expand`'s).

use super::function::Function;
use super::number::MAX_MICROS;
use crate::random::text_key;
use crate::time::Span;

/// One row of counts: invocations that are drawn from one stream of random numbers. A function has
/// one; where an app is the unit of keep-alive, it has one for each of its functions.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Row {
    /// Index into [`super::Trace::functions`].
    pub function: u32,
    /// Of the name of the function that is really invoked: its arrivals are the same whatever else is in
    /// the trace.
    pub key: u64,
    /// Whether a clock invokes it.
    pub timer: bool,
    /// How long its invocations run.
    pub run: RunLaw,
}

/// How long the invocations of a row run when warm.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum RunLaw {
    /// As long as the function's own run time says.
    OfFunction,
    /// All equally long.
    Always(Span),
    /// Drawn from the quantiles at [`Function::QUANTILES`], linear in between.
    Quantiles(Box<[Span; 7]>),
}

impl Row {
    /// The row of a function.
    pub fn of(number: u32, function: &Function) -> Row {
        Row {
            function: number,
            key: text_key(&function.name),
            timer: function.trigger.as_deref() == Some(Function::TIMER),
            run: function
                .run_quantiles
                .map_or(RunLaw::OfFunction, |quantiles| RunLaw::Quantiles(Box::new(quantiles))),
        }
    }
}

/// The count of one row in one bin.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Cell {
    /// Which row; until apps are merged, the number of the function.
    pub row: u32,
    /// Invocations in this bin, at least 1.
    pub count: u32,
}

/// How often each row was invoked in each bin. Bins of equal width follow each other from time 0 on.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Counts {
    width: Span,
    /// Where the cells of each bin begin; one more than there are bins.
    starts: Vec<usize>,
    /// By bin, within a bin by row.
    cells: Vec<Cell>,
    total: u64,
}

impl Counts {
    /// The widest bin: instants within a bin are counted in 32 bits of µs.
    pub const WIDEST: Span = Span::from_secs(3_600);
    /// The most invocations in one bin, all functions together: a bin is expanded in memory.
    pub const MOST_PER_BIN: u64 = 1 << 24;

    /// The most bins: 194 days of seconds, 31 years of minutes.
    pub const MOST_BINS: u32 = 1 << 24;

    /// The most bins of a width: their instants must be among those that are counted here.
    pub fn most_bins(width: Span) -> u32 {
        u32::try_from(MAX_MICROS / width.0.max(1)).unwrap_or(u32::MAX).min(Counts::MOST_BINS)
    }

    /// How wide a bin is.
    pub fn width(&self) -> Span {
        self.width
    }

    /// How many bins there are, up to the last one with an invocation.
    pub fn bins(&self) -> usize {
        self.starts.len() - 1
    }

    /// The cells of a bin, by row.
    pub fn cells(&self, bin: usize) -> &[Cell] {
        &self.cells[self.starts[bin]..self.starts[bin + 1]]
    }

    /// All invocations.
    pub fn total(&self) -> u64 {
        self.total
    }

    /// Invocations of a bin.
    pub fn in_bin(&self, bin: usize) -> u64 {
        self.cells(bin).iter().map(|cell| u64::from(cell.count)).sum()
    }

    /// How many counts are not zero.
    pub fn nonzero(&self) -> usize {
        self.cells.len()
    }

    /// Every row that is invoked at all has an entry below this.
    pub(super) fn rows_end(&self) -> u32 {
        self.cells.iter().map(|cell| cell.row + 1).max().unwrap_or(0)
    }

    /// Gives the rows other numbers: `number[old]` is the new one, or nothing if its counts are dropped.
    pub(super) fn renumber(&mut self, number: &[Option<u32>]) {
        let mut renumbered = Builder::new(self.width);
        for bin in 0..self.bins() {
            for cell in self.cells(bin) {
                if let Some(row) = number[cell.row as usize] {
                    renumbered.add(bin as u32, row, cell.count);
                }
            }
            renumbered.seal();
        }
        *self = renumbered.finish();
    }

    /// Only the bins from `first` to before `end`, in their places.
    pub(super) fn window(&self, first: usize, end: usize) -> Counts {
        self.map(|bin, cell| if (first..end).contains(&bin) { cell.count } else { 0 })
    }

    /// The same with other counts; what becomes zero is left out.
    pub(super) fn map(&self, mut count: impl FnMut(usize, Cell) -> u32) -> Counts {
        let mut mapped = Builder::new(self.width);
        for bin in 0..self.bins() {
            for &cell in self.cells(bin) {
                mapped.add(bin as u32, cell.row, count(bin, cell));
            }
            mapped.seal();
        }
        mapped.finish()
    }
}

/// Counts being collected, block by block of bins.
#[derive(Debug)]
pub struct Builder {
    counts: Counts,
    /// Bin, row, count of the block under way; each bin lies behind the sealed ones.
    block: Vec<(u32, Cell)>,
}

impl Builder {
    /// No counts yet, in bins of this width.
    ///
    /// # Panics
    /// If `width` is zero or more than [`Counts::WIDEST`].
    pub fn new(width: Span) -> Builder {
        assert!(width > Span::ZERO && width <= Counts::WIDEST, "bins are up to an hour wide");
        Builder { counts: Counts { width, starts: vec![0], cells: Vec::new(), total: 0 }, block: Vec::new() }
    }

    /// Adds a count, which may be zero. Several of one row and bin add up.
    ///
    /// `bin` must not have been sealed.
    #[inline]
    pub fn add(&mut self, bin: u32, row: u32, count: u32) {
        debug_assert!(bin as usize >= self.counts.bins(), "bin {bin} is sealed");
        if count > 0 {
            self.block.push((bin, Cell { row, count }));
        }
    }

    /// Ends a block: what is added from now on lies in later bins. Keeps memory low where the data comes
    /// in blocks (a file per day), since only a block is sorted at a time.
    pub fn seal(&mut self) {
        let Some(last) = self.block.iter().map(|(bin, _)| *bin as usize).max() else { return };
        let first = self.counts.bins();
        let mut places = vec![0_usize; last + 2 - first];
        for (bin, _) in &self.block {
            places[*bin as usize - first + 1] += 1;
        }
        for bin in 1..places.len() {
            places[bin] += places[bin - 1];
        }
        let ends = places.clone();
        let mut sorted = vec![Cell { row: 0, count: 0 }; self.block.len()];
        for (bin, cell) in self.block.drain(..) {
            let place = &mut places[bin as usize - first];
            sorted[*place] = cell;
            *place += 1;
        }
        for bounds in ends.windows(2) {
            self.put_bin(&mut sorted[bounds[0]..bounds[1]]);
        }
    }

    /// Appends a bin.
    fn put_bin(&mut self, cells: &mut [Cell]) {
        if !cells.is_sorted_by_key(|cell| cell.row) {
            cells.sort_by_key(|cell| cell.row);
        }
        let start = self.counts.cells.len();
        for cell in cells {
            self.counts.total += u64::from(cell.count);
            match self.counts.cells[start..].last_mut() {
                Some(last) if last.row == cell.row => last.count = last.count.saturating_add(cell.count),
                _ => self.counts.cells.push(*cell),
            }
        }
        self.counts.starts.push(self.counts.cells.len());
    }

    /// All counts.
    pub fn finish(mut self) -> Counts {
        self.seal();
        self.counts.cells.shrink_to_fit();
        self.counts
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn table(counts: &Counts) -> Vec<(usize, u32, u32)> {
        (0..counts.bins())
            .flat_map(|bin| counts.cells(bin).iter().map(move |cell| (bin, cell.row, cell.count)))
            .collect()
    }

    #[test]
    fn counts_of_one_row_and_bin_add_up() {
        let mut builder = Builder::new(Span::from_mins(1));
        builder.add(3, 1, 2);
        builder.add(0, 7, 1);
        builder.add(3, 0, 1);
        builder.add(3, 1, 5);
        builder.add(2, 9, 0);
        let counts = builder.finish();
        assert_eq!(table(&counts), [(0, 7, 1), (3, 0, 1), (3, 1, 7)]);
        assert_eq!((counts.bins(), counts.total(), counts.in_bin(3)), (4, 9, 8));
    }

    #[test]
    fn no_counts_are_no_bins() {
        let counts = Builder::new(Span::from_secs(1)).finish();
        assert_eq!((counts.bins(), counts.total(), counts.rows_end()), (0, 0, 0));
    }

    proptest! {
        #[test]
        fn blocks_do_not_matter(
            rows in prop::collection::vec((0_u32..20, 0_u32..6, 0_u32..9), 0..80),
            cut in 0_u32..20,
        ) {
            let mut whole = Builder::new(Span::from_mins(1));
            let mut blocks = Builder::new(Span::from_mins(1));
            for &(bin, row, count) in &rows {
                whole.add(bin, row, count);
            }
            for part in [true, false] {
                for &(bin, row, count) in rows.iter().filter(|(bin, ..)| (*bin < cut) == part) {
                    blocks.add(bin, row, count);
                }
                blocks.seal();
            }
            let whole = whole.finish();
            prop_assert_eq!(&whole, &blocks.finish());
            let total: u64 = rows.iter().map(|(_, _, count)| u64::from(*count)).sum();
            prop_assert_eq!(whole.total(), total);
        }
    }
}
