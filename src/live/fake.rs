//! A backend that only imagines its containers: the very answers the simulator would schedule, after the time they take.
//! Owns nothing but the waiting; for parity tests under tokio's paused clock. Must never differ from the simulator.

use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::time::Instant;

use super::backend::{Backend, Closing, Order, Report};
use super::clock::duration;
use crate::eventlog::Measured;
use crate::sim::{Answers, CostModel, Imagined as _, Work};

/// The imagined platform.
pub struct Fake {
    answers: Mutex<Answers<Arc<CostModel>>>,
}

impl Fake {
    /// A platform on which everything takes what the cost model says.
    pub fn new(costs: Arc<CostModel>) -> Fake {
        Fake { answers: Mutex::new(Answers::new(costs)) }
    }
}

impl Backend for Fake {
    fn carry_out(&self, order: Order) -> impl Future<Output = Option<Report>> + Send + 'static {
        let work = order.job.map(|job| Work { number: job.number, function: job.function.0, run: job.run });
        // Costs are drawn by running numbers, so in the order of the orders.
        let answer = {
            let mut answers = self.answers.lock().unwrap_or_else(PoisonError::into_inner);
            answers.answer(order.now, &order.action, work)
        };
        let begun = Instant::now();
        async move {
            let (at, input) = answer?;
            let took = at.since(order.now);
            tokio::time::sleep_until(begun + duration(took)).await;
            let measured = Measured { took_us: took.0, ..Measured::default() };
            Some(Report { input, measured })
        }
    }

    async fn close(&self) -> Closing {
        Closing::default()
    }
}
