//! An endless pool: which container of a function an activation would find if none were ever removed. Owns
//! who is busy until when; must never run short of memory, start anything cold twice or wait.
//!
//! Activations are served when they arrive, for their declared warm run time, by the idle container of their
//! function that became free last; a new one is made if there is none. So the function has as many containers
//! as it ever ran activations at once.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use crate::time::{Span, Time};

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
