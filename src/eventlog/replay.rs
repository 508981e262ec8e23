//! Feeding a log to a fresh pool: the facts as they were told, and every order held against the one that was given then.
//! Owns what counts as a difference; must never be lenient: the pool is a function of its inputs.

use std::collections::VecDeque;
use std::io::BufRead;

use super::read::Damage;
use super::record::{Arrived, Ended, Told};
use super::{Header, Measured, Reader, Record};
use crate::ids::{ActivationId, FunctionId};
use crate::pool::{Action, Input, Note, Pool, Sink};
use crate::scenario::{Engine, Override, PoolSetup, Scenario};
use crate::tally::{Ending, Observer, Outcome};
use crate::time::{Span, Time};
use crate::worker;

/// Whoever watches a replay: besides what every run shows, what was measured.
pub trait Watcher: Observer {
    /// The pool is about to be told a fact.
    fn told(&mut self, told: &Told) {
        let _ = told;
    }

    /// What was measured on the way to the fact just told, after the pool has dealt with it.
    fn measured(&mut self, input: &Input, measured: &Measured) {
        let _ = (input, measured);
    }
}

impl Watcher for () {}
impl Watcher for crate::tally::Tally {}
impl Watcher for crate::tally::Trail {}

impl<A: Watcher, B: Watcher> Watcher for (A, B) {
    fn told(&mut self, told: &Told) {
        self.0.told(told);
        self.1.told(told);
    }

    fn measured(&mut self, input: &Input, measured: &Measured) {
        self.0.measured(input, measured);
        self.1.measured(input, measured);
    }
}

/// What a replay found.
#[derive(Clone, PartialEq, Debug)]
pub struct Replayed {
    /// Facts told to the pool.
    pub facts: u64,
    /// Arrivals among them.
    pub arrivals: u64,
    /// Orders that agree.
    pub orders: u64,
    /// Where the pool gave another order than was given then; nothing after that was compared.
    pub difference: Option<Difference>,
    /// When the last fact was told.
    pub at: Time,
    /// Activations under way at the end.
    pub unserved: u64,
    /// How the run ended; `None`: it was killed, and the log ends where it was.
    pub ended: Option<Ended>,
}

/// The first order that differs.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Difference {
    /// Line of the log.
    pub line: u64,
    /// When.
    pub at: Time,
    /// The fact that led to it.
    pub after: Option<Input>,
    /// What was ordered then; `None`: nothing more.
    pub then: Option<Action>,
    /// What the pool orders now; `None`: nothing more.
    pub now: Option<Action>,
}

/// The scenario of a log.
///
/// # Errors
/// The header's scenario is not one, or not one that runs the pool.
pub fn scenario_of(header: &Header) -> Result<Scenario, Damage> {
    let damage = |what: String| Damage::new(1, format!("the scenario of the log cannot be read: {what}"));
    let overrides = header
        .overrides
        .iter()
        .map(|text| text.parse::<Override>().map_err(|error| damage(error.to_string())))
        .collect::<Result<Vec<Override>, Damage>>()?;
    Scenario::from_text(header.scenario_file.as_ref(), header.scenario.clone(), &overrides)
        .map_err(|error| damage(error.to_string()))
}

/// What of a scenario makes the pool.
///
/// # Errors
/// It is the published simulator's, which knows no live mode.
pub fn setup_of(scenario: &Scenario) -> Result<&PoolSetup, Damage> {
    match &scenario.engine {
        Engine::Pool(setup) => Ok(setup),
        Engine::Artifact(_) => Err(Damage::new(1, "the scenario of the log is not one of a pool")),
    }
}

/// Feeds a log to a fresh pool made from its header.
///
/// # Errors
/// The log is damaged.
pub fn replay<R: BufRead>(
    reader: &mut Reader<R>,
    header: &Header,
    watcher: &mut impl Watcher,
) -> Result<Replayed, Damage> {
    let scenario = scenario_of(header)?;
    let setup = setup_of(&scenario)?;
    let evict = worker::make_evict(scenario.seed, scenario.memory, setup);
    let mut pool = worker::make_pool(scenario.seed, scenario.memory, setup, &header.functions, evict);
    let mut then =
        Then { watcher, now: Time::ZERO, given: VecDeque::new(), flights: Vec::new(), under_way: 0 };
    let mut found = Replayed {
        facts: 0,
        arrivals: 0,
        orders: 0,
        difference: None,
        at: Time::ZERO,
        unserved: 0,
        ended: None,
    };
    let mut after = None;
    while let Some(record) = reader.next()? {
        let line = reader.line();
        match record {
            Record::Ordered { action, .. } => {
                let now = then.given.pop_front();
                if now != Some(action) {
                    found.difference =
                        Some(Difference { line, at: then.now, after, then: Some(action), now });
                    break;
                }
                found.orders += 1;
                continue;
            }
            Record::Began { .. } | Record::Told(_) | Record::Ended(_) => {}
            Record::Log(_) => continue,
        }
        // Everything the last fact led to was ordered then, too.
        if let Some(now) = then.given.pop_front() {
            found.difference = Some(Difference { line, at: then.now, after, then: None, now: Some(now) });
            break;
        }
        match record {
            Record::Began { t } => {
                then.now = t;
                pool.start(t, &mut then);
            }
            Record::Told(told) => {
                found.facts += 1;
                found.arrivals += u64::from(told.arrival.is_some());
                after = Some(told.input);
                then.tell(&mut pool, &told, header.functions.len(), line)?;
            }
            Record::Ended(ended) => {
                found.ended = Some(ended);
                break;
            }
            Record::Log(_) | Record::Ordered { .. } => {}
        }
    }
    found.at = then.now;
    found.unserved = then.under_way;
    then.watcher.finished(then.now);
    Ok(found)
}

/// What is outside the pool while a log is replayed.
struct Then<'a, W> {
    watcher: &'a mut W,
    now: Time,
    /// Orders given since the last fact that were not compared yet.
    given: VecDeque<Action>,
    flights: Vec<Flight>,
    under_way: u64,
}

/// An activation under way.
#[derive(Clone, Copy)]
struct Flight {
    arrived: Time,
    function: FunctionId,
    extra: Arrived,
}

impl<W: Watcher> Then<'_, W> {
    fn tell(&mut self, pool: &mut Pool, told: &Told, functions: usize, line: u64) -> Result<(), Damage> {
        if told.t < self.now {
            return Err(Damage::new(line, "time goes backwards here"));
        }
        self.now = told.t;
        self.watcher.told(told);
        if let Input::Arrived { activation, function, .. } = told.input {
            let Some(extra) = told.arrival else {
                return Err(Damage::new(line, "an arrival without its number"));
            };
            if function.ix() >= functions {
                return Err(Damage::new(line, format!("function {} is not one of the log's", function.0)));
            }
            if activation.ix() > self.flights.len() {
                return Err(Damage::new(line, format!("activation {} comes before others", activation.0)));
            }
            let flight = Flight { arrived: told.t, function, extra };
            match self.flights.get_mut(activation.ix()) {
                Some(known) => *known = flight,
                None => self.flights.push(flight),
            }
            self.under_way += 1;
            self.watcher.arrived(told.t, activation, function);
        } else if let Some(activation) = activation_of(&told.input)
            && activation.ix() >= self.flights.len()
        {
            return Err(Damage::new(line, format!("activation {} never arrived", activation.0)));
        }
        pool.handle(told.t, told.input, self);
        if let Some(measured) = &told.measured {
            self.watcher.measured(&told.input, measured);
        }
        Ok(())
    }

    fn end(&mut self, activation: ActivationId, outcome: Outcome) {
        let Flight { arrived, function, extra } = self.flights[activation.ix()];
        self.under_way -= 1;
        self.watcher.ended(&Ending {
            activation,
            number: extra.number,
            function,
            arrived,
            at: self.now,
            warm_run: Span(extra.run_us),
            outcome,
        });
    }
}

/// The activation that a fact is about.
fn activation_of(input: &Input) -> Option<ActivationId> {
    match *input {
        Input::Ran(_, activation, _) | Input::LogsCollected(_, activation, _) => Some(activation),
        _ => None,
    }
}

impl<W: Watcher> Sink for Then<'_, W> {
    fn act(&mut self, action: Action) {
        self.given.push_back(action);
        self.watcher.acted(self.now, &action);
        match action {
            Action::Answer(answer) if answer.last() => self.end(answer.activation, Outcome::Answered(answer)),
            Action::Reject(activation, refusal) => self.end(activation, Outcome::Refused(refusal)),
            Action::Lose(activation) => self.end(activation, Outcome::Lost),
            _ => {}
        }
    }

    fn note(&mut self, note: Note) {
        self.watcher.noted(self.now, &note);
    }
}
