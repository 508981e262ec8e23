//! An endless pool: which container of a function an activation would find if none were ever removed. Owns
//! who is busy until when; must never run short of memory, start anything cold twice or wait.
//!
//! Activations are served when they arrive, for their declared warm run time, by the idle container of their
//! function that became free last; a new one is made if there is none. So the function has as many containers
//! as it ever ran activations at once.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use super::reuse::{Distances, Hits};
use crate::time::{Span, Time};
use crate::trace::{Arrival, Function};

/// Who serves an activation.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Served {
    /// Number of the container among those of the function, from 0.
    pub container: u32,
    /// Since when it was idle, and which activation of the function it had served, counted from 0; `None` if
    /// the container is new.
    pub before: Option<(Time, u64)>,
}

/// The containers of all functions.
#[derive(Debug)]
pub struct EndlessPool {
    functions: Vec<Containers>,
}

/// The containers of one function.
#[derive(Clone, Debug, Default)]
struct Containers {
    /// Those that are idle, the one that became so last at the end: number, since when, whom it served.
    idle: Vec<(u32, Time, u64)>,
    /// Those at work: until when, number, for whom.
    busy: BinaryHeap<Reverse<(Time, u32, u64)>>,
    made: u32,
    served: u64,
}

impl EndlessPool {
    /// For so many functions.
    pub fn new(functions: usize) -> EndlessPool {
        EndlessPool { functions: vec![Containers::default(); functions] }
    }

    /// Serves an activation; they come in the order of time. What ends at the very instant is free again, as
    /// in the simulation (`pool::order`).
    pub fn serve(&mut self, now: Time, function: u32, run: Span) -> Served {
        let containers = &mut self.functions[function as usize];
        while let Some(Reverse((until, container, whom))) = containers.busy.peek().copied()
            && until <= now
        {
            containers.busy.pop();
            containers.idle.push((container, until, whom));
        }
        let (container, before) = match containers.idle.pop() {
            Some((container, since, whom)) => (container, Some((since, whom))),
            None => {
                containers.made += 1;
                (containers.made - 1, None)
            }
        };
        containers.busy.push(Reverse((now + run, container, containers.served)));
        containers.served += 1;
        Served { container, before }
    }
}

/// Reuse distances with every copy of a function on its own: which container serves is found in an endless pool, so
/// those that are busy count.
#[derive(Debug)]
pub struct CopyDistances {
    pool: EndlessPool,
    distances: Distances,
    /// Number of each copy of each function among all.
    objects: Vec<Vec<usize>>,
    made: usize,
    hits: Hits,
}

impl CopyDistances {
    /// For so many functions.
    pub fn new(functions: usize) -> CopyDistances {
        CopyDistances {
            pool: EndlessPool::new(functions),
            distances: Distances::new(),
            objects: vec![Vec::new(); functions],
            made: 0,
            hits: Hits::default(),
        }
    }

    /// The next arrival; `run`: how long it runs when warm.
    pub fn arrive(&mut self, arrival: &Arrival, function: &Function, run: Span) {
        let served = self.pool.serve(arrival.time, arrival.function, run);
        // Where a container runs several at once, so many of the endless pool are one.
        let copy = served.container as usize / usize::from(function.max_concurrent.max(1));
        let objects = &mut self.objects[arrival.function as usize];
        if copy == objects.len() {
            objects.push(self.made);
            self.made += 1;
        }
        match self.distances.access(objects[copy], function.memory.mib()) {
            Some(distance) => self.hits.hit(distance + function.memory.mib()),
            None => self.hits.miss(),
        }
    }

    /// How many invocations would be warm with how much memory.
    pub fn finish(self) -> Hits {
        self.hits
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_one_that_became_free_last_serves() {
        let mut pool = EndlessPool::new(2);
        let mut serve = |ms, function, run| pool.serve(Time::from_ms(ms), function, Span::from_ms(run));
        assert_eq!(serve(0, 0, 30), Served { container: 0, before: None });
        assert_eq!(serve(10, 0, 10), Served { container: 1, before: None });
        assert_eq!(serve(10, 1, 99), Served { container: 0, before: None });
        // At 30 both are free, container 1 since 20 and container 0 since this instant.
        assert_eq!(serve(30, 0, 5), Served { container: 0, before: Some((Time::from_ms(30), 0)) });
        assert_eq!(serve(31, 0, 5), Served { container: 1, before: Some((Time::from_ms(20), 1)) });
        assert_eq!(serve(32, 0, 5), Served { container: 2, before: None });
    }
}
