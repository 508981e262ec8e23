//! The whole pool in a random world: whatever happens outside, its orders make sense, its books
//! balance, every activation ends once, wakes do no harm and nothing is left to chance.

#[path = "pool_invariants/script.rs"]
mod script;
#[path = "pool_invariants/world.rs"]
mod world;

use std::sync::{Arc, Mutex};

use faassim::ids::{ActivationId, FunctionId, Slot};
use faassim::policy::{Evict, KeepAlive, Lease, Wants};
use faassim::pool::boundary::{InitOutcome, RunOutcome, StartState, Status};
use faassim::pool::rules::Rules;
use faassim::pool::tables::Tables;
use faassim::pool::{Input, Pool, Setup};
use faassim::time::{Span, Time};
use proptest::prelude::*;
use proptest::test_runner::FileFailurePersistence;
use script::Script;
use world::{Leases, Said, World, mix};

/// Evicts the idle container that was dispatched least recently, by slot where none was.
struct Lru;

impl Evict for Lru {
    fn wants(&self) -> Wants {
        Wants::NOTHING
    }

    fn on_idle(&mut self, tables: &Tables, slot: Slot) {
        assert!(tables.container(slot).is_evictable());
    }

    fn on_dispatch(&mut self, tables: &Tables, slot: Slot, _start: StartState) {
        assert!(!tables.container(slot).is_evictable());
    }

    fn on_gone(&mut self, tables: &Tables, slot: Slot, _evicted: bool) {
        assert!(!tables.container(slot).is_evictable());
    }

    fn pick(&mut self, tables: &Tables) -> Slot {
        (0..tables.slots() as Slot)
            .filter(|slot| tables.container(*slot).is_evictable())
            .min_by_key(|slot| (tables.container(*slot).last_used(), *slot))
            .expect("asked with nothing idle")
    }
}

/// Leases drawn one after the other, and written down.
struct Drawn {
    written: Arc<Mutex<Leases>>,
    leases: Vec<Span>,
    load_ahead: u64,
    seed: u64,
    draws: u64,
}

impl KeepAlive for Drawn {
    fn lease(&mut self, now: Time, tables: &Tables, slot: Slot, loaded_ahead: bool) -> Lease {
        self.draws += 1;
        let draw = mix(self.seed ^ (self.draws << 32));
        let keep = self.leases[(draw % self.leases.len() as u64) as usize];
        let loads = !loaded_ahead && draw / 7 % 1000 < self.load_ahead;
        let after = [Span::ZERO, Span::from_ms(3), Span::from_secs(5)][(draw / 9 % 3) as usize];
        let lease = Lease { keep, load_after: loads.then_some(after) };
        let mut written = self.written.lock().expect("nobody panics while reading a lease");
        written.given.insert(slot, (now, lease));
        if loads {
            written.load_at.insert(tables.function_of(slot), now + after);
        }
        lease
    }
}

/// What the pool is told besides what it must be told.
#[derive(Clone, Copy, Default)]
struct Extra {
    /// Seed of wakes nobody asked for.
    wakes: Option<u64>,
    /// Seed of answers about containers that are gone.
    late_answers: Option<u64>,
}

/// Nothing of interest happens this long after the last activation got on.
const PATIENCE: Span = Span::from_secs(300);

/// More inputs than any run needs.
const MANY: usize = 200_000;

struct Play<'a> {
    pool: Pool,
    world: World<'a>,
    script: &'a Script,
    extra: Extra,
    draws: u64,
    inputs: usize,
}

impl<'a> Play<'a> {
    fn new(script: &'a Script, extra: Extra) -> Play<'a> {
        let Script { rules, memory, functions, cells, leases, load_ahead, seed, .. } = script.clone();
        let world = World::new(script);
        let written = Arc::clone(&world.leases);
        let keep_alive = Box::new(Drawn { written, leases, load_ahead, seed, draws: 0 });
        let evict = Box::new(Lru);
        let pool = Pool::new(Setup { rules, memory, functions, stem_cells: cells, evict, keep_alive });
        Play { pool, world, script, extra, draws: 0, inputs: 0 }
    }

    /// Plays the script to its end; what the pool said.
    fn run(mut self) -> Result<Vec<(Time, Said)>, String> {
        self.pool.start(Time::ZERO, &mut self.world);
        self.check()?;
        let mut arrivals = self.script.arrivals.iter().peekable();
        let mut last_arrival = Time::ZERO;
        loop {
            let arrival = arrivals.peek().map_or(Time::NEVER, |next| last_arrival + next.gap);
            let wake = self.pool.next_wake().unwrap_or(Time::NEVER);
            let answer = self.world.next_time().unwrap_or(Time::NEVER);
            let next = arrival.min(wake).min(answer);
            if next == Time::NEVER {
                break;
            }
            if answer == Time::NEVER && arrival == Time::NEVER && wake > self.world.progress + PATIENCE {
                break;
            }
            if next < self.world.now {
                return Err(format!("at {:?} the pool asks to be woken at {next:?}", self.world.now));
            }
            self.disturb(next)?;
            self.world.now = next;
            if answer == next {
                let (_, input) = self.world.next().expect("an answer is due");
                self.tell(input)?;
            } else if wake == next {
                self.tell(Input::Wake)?;
                let again = self.pool.next_wake().unwrap_or(Time::NEVER);
                if again <= next {
                    return Err(format!("woken at {next:?}, the pool wants to be woken at {again:?}"));
                }
            } else if let Some(arrival) = arrivals.next() {
                last_arrival = next;
                if let Some(capacity_mib) = arrival.resize {
                    self.tell(Input::Resized { capacity_mib })?;
                }
                let function = FunctionId(arrival.function % self.script.functions.len() as u32);
                let input = self.world.arrive(function, arrival.blocking);
                self.tell(input)?;
            }
        }
        self.finish()
    }

    fn tell(&mut self, input: Input) -> Result<(), String> {
        self.inputs += 1;
        if self.inputs > MANY {
            return Err("the pool never comes to rest".into());
        }
        self.world.tell(&input);
        self.pool.handle(self.world.now, input, &mut self.world);
        self.check().map_err(|broken| format!("{broken}, after {input:?}"))
    }

    fn check(&self) -> Result<(), String> {
        self.world.verdict()?;
        self.pool.audit()?;
        let (used, allotted) =
            (self.pool.dispatcher().used_mib(), self.world.allotted_mib(self.script.rules.prewarm_in_sum));
        if used != allotted {
            return Err(format!("{used} MiB are counted as used, {allotted} MiB were allotted"));
        }
        let buffer: Vec<ActivationId> = self.pool.dispatcher().waiting().iter().collect();
        if buffer != self.world.buffer.iter().copied().collect::<Vec<_>>() {
            return Err(format!("{buffer:?} wait, noted were {:?}", self.world.buffer));
        }
        Ok(())
    }

    /// Tells the pool what must not matter before what comes `next`.
    fn disturb(&mut self, next: Time) -> Result<(), String> {
        if let Some(seed) = self.extra.wakes {
            // Not at the instant of what comes next: what containers report comes before the wake.
            while self.draw(seed).is_multiple_of(2) && self.world.now < next {
                let room = next.since(self.world.now).0;
                let step = self.draw(seed) % room;
                self.world.now += Span(step);
                self.tell(Input::Wake)?;
            }
        }
        if let Some(seed) = self.extra.late_answers {
            let before = self.world.said.len();
            for input in self.late_answers(seed) {
                self.pool.handle(self.world.now, input, &mut self.world);
                self.check()?;
                if self.world.said.len() != before {
                    return Err(format!("{input:?} came late and had an effect"));
                }
            }
        }
        Ok(())
    }

    fn late_answers(&mut self, seed: u64) -> Vec<Input> {
        let mut inputs = Vec::new();
        let (gone, replaced) = (self.world.destroyed(), self.world.replaced());
        if let Some(id) = pick(&gone, self.draw(seed)) {
            inputs.extend([
                Input::Created(id, Ok(())),
                Input::Initialized(id, InitOutcome::Ok),
                Input::Initialized(id, InitOutcome::Unexpected),
                Input::Paused(id, true),
                Input::Paused(id, false),
                Input::Resumed(id, true),
                Input::Resumed(id, false),
                Input::Destroyed(id),
                Input::HealthFailed(id),
            ]);
        }
        if let Some(id) = pick(&replaced, self.draw(seed)) {
            let activation = ActivationId((self.draw(seed) % 8) as u32);
            inputs.extend([
                Input::Ran(id, activation, RunOutcome::Unreachable),
                Input::Ran(id, activation, RunOutcome::Answered(Status::Success)),
                Input::LogsCollected(id, activation, false),
            ]);
        }
        inputs
    }

    fn draw(&mut self, seed: u64) -> u64 {
        self.draws += 1;
        mix(seed ^ (self.draws << 40))
    }

    /// Nothing is left that should have ended.
    fn finish(self) -> Result<Vec<(Time, Said)>, String> {
        self.world.is_at_rest()?;
        let (waiting, under_way) = (self.pool.waiting(), self.world.under_way());
        if waiting != under_way {
            return Err(format!("{waiting} wait, but {under_way} have not ended"));
        }
        if under_way > 0 && !self.may_wait() {
            return Err(format!("{under_way} wait without need"));
        }
        Ok(self.world.said)
    }

    /// Activations may wait for ever, as they do in OpenWhisk,
    /// * after a "reschedule job", which neither gives a credit nor tries the run buffer, or after a
    ///   failure that ended several activations at once and gave one credit for all of them
    ///   (docs/specs/openwhisk.md §4.3, §5.4): nothing else may happen that would. Without a feed, and
    ///   where the rules let whatever leaves make way, nobody is stranded so;
    /// * behind an activation that fits in no way: prewarms are never evicted for work (§6), and the
    ///   fork's guard refuses what is larger than the pool (§8.4), as all do once the pool has become smaller.
    fn may_wait(&self) -> bool {
        let rules = &self.script.rules;
        let stranded = self.world.stranded && (rules.resume_to_remove || rules.feed_capacity.is_some());
        let Some(head) = self.world.buffer.front() else { return stranded };
        let memory = self.script.functions[self.world.function_of(*head).ix()].memory.mib();
        let prewarmed = self.world.allotted_mib(true) - self.world.allotted_mib(false);
        let taken = if rules.prewarm_in_sum { prewarmed } else { 0 };
        stranded || taken + memory > self.world.memory_mib
    }
}

fn pick<T: Copy>(from: &[T], draw: u64) -> Option<T> {
    (!from.is_empty()).then(|| from[(draw % from.len() as u64) as usize])
}

fn play(script: &Script, extra: Extra) -> Result<Vec<(Time, Said)>, TestCaseError> {
    Play::new(script, extra).run().map_err(TestCaseError::fail)
}

fn config(cases: u32) -> ProptestConfig {
    let seeds = FileFailurePersistence::Direct("proptest-regressions/pool_invariants.txt");
    ProptestConfig { cases, failure_persistence: Some(Box::new(seeds)), ..ProptestConfig::default() }
}

proptest! {
    #![proptest_config(config(10_000))]

    #[test]
    fn orders_make_sense_and_books_balance(script in script::script(script::rules())) {
        play(&script, Extra::default())?;
    }

    #[test]
    fn the_ideal_pool_never_uses_more_memory_than_it_has(script in script::script(Just(Rules::IDEAL))) {
        // The world checks it at every allotment, for this preset among others.
        prop_assert!(!script.rules.overcommit && script.rules.prewarm_in_sum);
        play(&script, Extra::default())?;
    }

    #[test]
    fn the_same_inputs_have_the_same_outcome(script in script::script(script::rules())) {
        prop_assert_eq!(play(&script, Extra::default())?, play(&script, Extra::default())?);
    }

    #[test]
    fn early_and_repeated_wakes_change_nothing(script in script::script(script::rules()), seed: u64) {
        let disturbed = play(&script, Extra { wakes: Some(seed), ..Extra::default() })?;
        prop_assert_eq!(play(&script, Extra::default())?, disturbed);
    }

    #[test]
    fn late_answers_change_nothing(script in script::script(script::rules()), seed: u64) {
        let disturbed = play(&script, Extra { late_answers: Some(seed), ..Extra::default() })?;
        prop_assert_eq!(play(&script, Extra::default())?, disturbed);
    }
}
