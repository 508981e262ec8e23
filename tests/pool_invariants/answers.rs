//! What callers must be told (docs/specs/openwhisk.md §4.3, §4.4): each activation ends once, with what
//! really happened to it. Must never look at what the pool keeps.

use faassim::ids::ActivationId;
use faassim::pool::boundary::{Ack, Answer, Status};
use faassim::time::Span;

use super::{Step, World};

impl World<'_> {
    pub(super) fn answered(&mut self, answer: &Answer) {
        self.progress = self.now;
        let Some(flight) = self.flights.get(&answer.activation).cloned() else {
            return self.must(false, || format!("{answer:?} after the end"));
        };
        let logs = self.script.functions[flight.function.ix()].logs;
        if answer.ack == Ack::Result {
            let fit = flight.blocking && logs && !flight.result_sent && flight.status.is_some();
            self.flight(answer.activation).result_sent = true;
            self.must(fit, || format!("{answer:?} must not be sent for {flight:?}"));
        } else {
            self.end(answer.activation);
        }
        match flight.status {
            Some(status) => {
                let wait = flight.served_from.map(|from| from - flight.arrived);
                let fit = answer.status == status
                    && answer.start == flight.start
                    && answer.init == flight.init
                    && answer.duration == flight.duration
                    && Some(answer.wait) == wait;
                self.must(fit, || format!("{answer:?} is not what happened: {flight:?}"));
            }
            None => {
                let fit = answer.status != Status::Success && flight.served_from.is_none();
                let fit = fit && answer.start.is_none() && answer.init.is_none();
                let fit = fit && answer.duration == Span::ZERO && answer.wait == self.now - flight.arrived;
                self.must(fit, || format!("{answer:?} for what never ran: {flight:?}"));
            }
        }
        let collected = flight.logs_collected;
        let gone = flight.container.is_some_and(|id| self.lives[&id].removed == Step::Done);
        let skipped = logs && !collected && flight.status.is_some() && answer.last();
        self.must(!skipped || gone, || format!("{answer:?} before the logs were collected"));
        let expected = match answer.ack {
            Ack::Result => true,
            Ack::Completion => !flight.blocking || (collected && flight.result_sent),
            // A creation that failed has one combined answer for whoever caused it.
            Ack::Combined => !collected && (flight.blocking || flight.status.is_none()),
        };
        self.must(expected, || format!("{answer:?} is of the wrong kind for {flight:?}"));
    }

    pub(super) fn end(&mut self, activation: ActivationId) {
        self.progress = self.now;
        let known = self.flights.remove(&activation).is_some();
        self.must(known, || format!("{activation:?} ended twice"));
        let buffered = self.buffer.contains(&activation);
        self.must(!buffered, || format!("{activation:?} ended while it waits"));
        for life in self.lives.values_mut() {
            life.runs.remove(&activation);
            life.ended.remove(&activation);
            life.assigned.remove(&activation);
        }
    }
}
