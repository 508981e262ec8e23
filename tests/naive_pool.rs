//! The dispatcher against a naive pool: random rules, functions and happenings go to both, and after
//! each they must have said the same and look the same. Must never compare with anything but
//! `naive_pool/model.rs`, which shares no code with the dispatcher.

#[path = "naive_pool/model.rs"]
mod model;

use faassim::ids::{ActionId, ActivationId, ContainerId, FunctionId, KindId, Slot};
use faassim::memory::Memory;
use faassim::policy::{Evict, Wants};
use faassim::pool::boundary::{Action, Departure, Note, StartState};
use faassim::pool::dispatcher::Dispatcher;
use faassim::pool::message::{Message, Out};
use faassim::pool::rules::{
    EvictionAmount, PRESETS, Reactive, Reuse, Rules, StemCell, Times, Tracking, WhenFull,
};
use faassim::pool::tables::{FunctionSpec, Home, Tables};
use faassim::time::{Span, Time};
use model::{Model, Said, id};
use proptest::prelude::*;
use proptest::sample::Index;
use proptest::test_runner::FileFailurePersistence;

/// LRU by dispatch; also checks that the pool keeps its word to policies ([`Evict`]).
#[derive(Default)]
struct Lru {
    ticks: u64,
    /// By slot: when last dispatched or loaded, 0 if never.
    touched: Vec<u64>,
    /// Told idle, and neither dispatched nor gone since.
    idle: Vec<Slot>,
}

impl Lru {
    fn touch(&mut self, slot: Slot) {
        self.ticks += 1;
        let len = self.touched.len().max(slot as usize + 1);
        self.touched.resize(len, 0);
        self.touched[slot as usize] = self.ticks;
    }
}

impl Evict for Lru {
    fn wants(&self) -> Wants {
        Wants { requests: false, ends: true }
    }

    fn on_dispatch(&mut self, tables: &Tables, slot: Slot, start: StartState) {
        let announces = !matches!(start, StartState::Warmed | StartState::Warming | StartState::WarmingCold);
        assert!(!announces || tables.container(slot).active() == 1, "announced with something inside");
        assert!(!tables.container(slot).is_evictable(), "dispatched, yet evictable");
        self.idle.retain(|idle| *idle != slot);
        self.touch(slot);
    }

    fn on_done(&mut self, tables: &Tables, slot: Slot, _elapsed: Span) {
        assert!(!self.idle.contains(&slot), "on_idle before on_done");
        assert_eq!(tables.container(slot).home(), Home::Free, "done, yet without room");
    }

    fn on_idle(&mut self, tables: &Tables, slot: Slot) {
        assert!(tables.container(slot).is_evictable(), "idle, yet not evictable");
        assert!(!self.idle.contains(&slot), "told idle twice");
        if self.touched.get(slot as usize).is_none_or(|touched| *touched == 0) {
            self.touch(slot);
        }
        self.idle.push(slot);
    }

    fn on_gone(&mut self, tables: &Tables, slot: Slot, evicted: bool) {
        assert!(tables.container(slot).function().is_some(), "gone, and nobody knows whose");
        assert!(!evicted || self.idle.contains(&slot), "evicted while pinned");
        self.idle.retain(|idle| *idle != slot);
        if let Some(touched) = self.touched.get_mut(slot as usize) {
            *touched = 0;
        }
    }

    fn pick(&mut self, tables: &Tables) -> Slot {
        let evictable = (0..tables.slots() as Slot).filter(|slot| tables.container(*slot).is_evictable());
        let mut known = self.idle.clone();
        known.sort_unstable();
        assert_eq!(evictable.collect::<Vec<_>>(), known, "a policy was not told what is idle");
        *self.idle.iter().min_by_key(|slot| self.touched[**slot as usize]).expect("asked with nothing idle")
    }
}

/// Hears the dispatcher.
#[derive(Default)]
struct Ear(Vec<Said>);

impl Out for Ear {
    fn send(&mut self, message: Message) {
        self.0.push(Said::Message(message));
    }

    fn act(&mut self, action: Action) {
        self.0.push(Said::Action(action));
    }

    fn note(&mut self, note: Note) {
        self.0.push(Said::Note(note));
    }
}

/// Which container has which place in the dispatcher's tables, by order of birth.
#[derive(Default)]
struct Births {
    ids: Vec<ContainerId>,
    by_slot: Vec<usize>,
    released: Vec<bool>,
}

impl Births {
    fn born(&mut self, born: ContainerId) -> ContainerId {
        let slot = born.slot as usize;
        if slot == self.by_slot.len() {
            assert_eq!(born.epoch, 0);
            self.by_slot.push(0);
        } else {
            let before = self.by_slot[slot];
            assert!(self.released[before], "slot {slot} was given away while in use");
            assert_eq!(born.epoch, self.ids[before].epoch + 1);
        }
        self.by_slot[slot] = self.ids.len();
        self.ids.push(born);
        self.released.push(false);
        id(self.ids.len() - 1)
    }

    fn container(&self, of: ContainerId) -> ContainerId {
        let born = self.by_slot[of.slot as usize];
        assert_eq!(self.ids[born], of, "an old container was named");
        id(born)
    }

    fn slot(&self, of: Slot) -> Slot {
        self.by_slot[of as usize] as Slot
    }

    /// The same in the model's names.
    fn translate(&mut self, said: Said) -> Said {
        match said {
            Said::Action(action) => Said::Action(action),
            Said::Note(note) => Said::Note(match note {
                Note::Allotted { container, function, memory_mib } => {
                    Note::Allotted { container: self.born(container), function, memory_mib }
                }
                Note::Prewarm { container, kind, memory_mib, ttl, reserved_only } => {
                    let container = container.map(|container| self.born(container));
                    Note::Prewarm { container, kind, memory_mib, ttl, reserved_only }
                }
                Note::Dispatched { activation, function, container, start, active } => {
                    let container = self.container(container);
                    Note::Dispatched { activation, function, container, start, active }
                }
                Note::Gone { container, function, memory_mib, why } => {
                    Note::Gone { container: self.container(container), function, memory_mib, why }
                }
                Note::Idle { container, function, memory_mib } => {
                    Note::Idle { container: self.container(container), function, memory_mib }
                }
                other => other,
            }),
            Said::Message(message) => Said::Message(match message {
                Message::Start(slot, kind, memory_mib, ttl) => {
                    Message::Start(self.slot(slot), kind, memory_mib, ttl)
                }
                Message::Load(slot, function) => Message::Load(self.slot(slot), function),
                Message::Run(slot, activation, start) => Message::Run(self.slot(slot), activation, start),
                Message::Remove(slot) => Message::Remove(self.slot(slot)),
                other => other,
            }),
        }
    }
}

/// Something that happens. Indices choose among what it can happen to; if there is nothing, it does not.
#[derive(Clone, Debug)]
enum Op {
    Arrive(Index),
    /// An activation whose container handed it back.
    Resubmit(Index),
    Retry,
    Done(Index),
    /// A report of a container that the pool has let go of.
    DoneLate(Index),
    Removed(Index, bool),
    Rescheduled(Index),
    PrewarmReady(Index),
    PrewarmCheck,
    LoadAhead(Index),
    Loaded(Index),
    Release(Index),
    Later(Span),
}

struct Both {
    dispatcher: Dispatcher,
    model: Model,
    births: Births,
    now: Time,
    arrived: u32,
    /// Messages of the dispatcher to itself that are under way.
    retries: u32,
    /// By container: what was assigned to it and is not done.
    inside: Vec<Vec<(ActivationId, FunctionId)>>,
    handed_back: Vec<(ActivationId, FunctionId)>,
    ttls: Vec<Option<Span>>,
    loading: Vec<usize>,
}

impl Both {
    fn new(world: &World) -> Both {
        let World { rules, capacity, functions, cells, .. } = world.clone();
        let evict = Box::new(Lru::default());
        Both {
            dispatcher: Dispatcher::new(rules.clone(), capacity, functions.clone(), cells.clone(), evict),
            model: Model::new(rules, capacity, functions, cells),
            births: Births::default(),
            now: Time::ZERO,
            arrived: 0,
            retries: 0,
            inside: Vec::new(),
            handed_back: Vec::new(),
            ttls: Vec::new(),
            loading: Vec::new(),
        }
    }

    fn slot(&self, container: usize) -> Slot {
        self.births.ids[container].slot
    }

    /// A container, named by birth, that `fits`.
    fn choose(&self, index: &Index, fits: impl Fn(usize) -> bool) -> Option<usize> {
        let fitting: Vec<usize> =
            (0..self.births.ids.len()).filter(|ix| !self.births.released[*ix] && fits(*ix)).collect();
        (!fitting.is_empty()).then(|| fitting[index.index(fitting.len())])
    }

    fn home(&self, container: usize) -> Home {
        self.model.containers[container].home
    }

    fn step(&mut self, op: &Op) -> Result<(), TestCaseError> {
        let mut ear = Ear::default();
        let now = self.now;
        match op {
            Op::Arrive(index) => {
                let function = FunctionId(index.index(self.dispatcher.tables().functions()) as u32);
                let activation = ActivationId(self.arrived);
                self.arrived += 1;
                self.request(activation, function, &mut ear);
            }
            Op::Resubmit(index) if !self.handed_back.is_empty() => {
                let at = index.index(self.handed_back.len());
                let (activation, function) = self.handed_back.remove(at);
                self.request(activation, function, &mut ear);
            }
            Op::Retry if self.retries > 0 => {
                self.retries -= 1;
                self.dispatcher.retry(now, &mut ear);
                self.model.retry(now);
            }
            Op::Done(index) => {
                let works = |ix: usize| self.home(ix) != Home::Nowhere && !self.inside[ix].is_empty();
                if let Some(ix) = self.choose(index, works) {
                    self.inside[ix].remove(0);
                    self.dispatcher.need_work(now, self.slot(ix), &mut ear);
                    self.model.need_work(now, ix);
                }
            }
            Op::DoneLate(index) => {
                if let Some(ix) = self.choose(index, |ix| self.home(ix) == Home::Nowhere) {
                    self.dispatcher.need_work(now, self.slot(ix), &mut ear);
                    self.model.need_work(now, ix);
                }
            }
            Op::Removed(index, replace) => {
                if let Some(ix) = self.choose(index, |_| true) {
                    self.hand_back(ix);
                    self.dispatcher.removed(self.slot(ix), *replace, Departure::Failed, &mut ear);
                    self.model.removed(ix, *replace, Departure::Failed);
                }
            }
            Op::Rescheduled(index) => {
                if let Some(ix) = self.choose(index, |_| true) {
                    self.hand_back(ix);
                    self.dispatcher.rescheduled(self.slot(ix), Departure::Expired, &mut ear);
                    self.model.rescheduled(ix, Departure::Expired);
                }
            }
            Op::PrewarmReady(index) => {
                let is_one = |ix: usize| self.model.containers[ix].function.is_none();
                if let Some(ix) = self.choose(index, is_one) {
                    let expires = self.ttls[ix].map(|ttl| now + ttl);
                    self.dispatcher.prewarm_ready(self.slot(ix), expires);
                    self.model.prewarm_ready(ix, expires);
                }
            }
            Op::PrewarmCheck => {
                self.dispatcher.check_prewarms(now, &mut ear);
                self.model.check_prewarms(now);
            }
            Op::LoadAhead(index) => {
                let function = FunctionId(index.index(self.dispatcher.tables().functions()) as u32);
                self.dispatcher.load_ahead(function, &mut ear);
                self.model.load_ahead(function);
            }
            Op::Loaded(index) if !self.loading.is_empty() => {
                let ix = self.loading.remove(index.index(self.loading.len()));
                // One that has been joined is not reported: it has something to do.
                if self.inside[ix].is_empty() && !self.births.released[ix] && self.is_untouched(ix) {
                    self.dispatcher.loaded(self.slot(ix), &mut ear);
                    self.model.loaded(ix);
                }
            }
            Op::Release(index) => {
                if let Some(ix) = self.choose(index, |ix| self.home(ix) == Home::Nowhere) {
                    self.births.released[ix] = true;
                    self.dispatcher.release(self.slot(ix));
                }
            }
            Op::Later(span) => self.now += *span,
            Op::Resubmit(_) | Op::Retry | Op::Loaded(_) => {}
        }
        self.compare(ear)
    }

    fn is_untouched(&self, ix: usize) -> bool {
        self.model.containers[ix].last_start.is_none()
    }

    fn request(&mut self, activation: ActivationId, function: FunctionId, ear: &mut Ear) {
        self.dispatcher.request(self.now, activation, function, ear);
        self.model.request(self.now, activation, function);
    }

    fn hand_back(&mut self, ix: usize) {
        self.handed_back.append(&mut self.inside[ix]);
    }

    /// Both have said the same, and look the same.
    fn compare(&mut self, ear: Ear) -> Result<(), TestCaseError> {
        let heard: Vec<Said> = ear.0.into_iter().map(|said| self.births.translate(said)).collect();
        let said = std::mem::take(&mut self.model.said);
        prop_assert_eq!(&heard, &said, "the dispatcher (left) and the model (right) say different things");
        self.inside.resize(self.births.ids.len(), Vec::new());
        self.ttls.resize(self.births.ids.len(), None);
        for said in heard {
            match said {
                Said::Message(Message::Retry) => self.retries += 1,
                Said::Message(Message::Load(ix, _)) => self.loading.push(ix as usize),
                Said::Note(Note::Prewarm { container: Some(container), ttl, .. }) => {
                    self.ttls[container.slot as usize] = ttl;
                }
                Said::Note(Note::Dispatched { activation, function, container, .. }) => {
                    self.inside[container.slot as usize].push((activation, function));
                }
                _ => {}
            }
        }
        prop_assert!(self.retries <= 1, "the head of the run buffer is under way twice");
        prop_assert_eq!(self.dispatcher.audit(), Ok(()));
        self.compare_tables()
    }

    fn compare_tables(&self) -> Result<(), TestCaseError> {
        prop_assert_eq!(self.births.ids.len(), self.model.containers.len());
        for (ix, expected) in self.model.containers.iter().enumerate() {
            if self.births.released[ix] {
                continue;
            }
            let container = self.dispatcher.tables().container(self.slot(ix));
            prop_assert_eq!(container.home(), expected.home, "container {}", ix);
            prop_assert_eq!(u64::from(container.memory_mib()), expected.memory, "container {}", ix);
            prop_assert_eq!(container.function(), expected.function, "container {}", ix);
            if matches!(expected.home, Home::Free | Home::Busy) {
                prop_assert_eq!(container.data(), expected.data, "container {}", ix);
                prop_assert_eq!(container.active(), expected.active, "container {}", ix);
                prop_assert_eq!(container.last_used(), expected.last_used, "container {}", ix);
            }
        }
        let waiting: Vec<ActivationId> =
            self.model.buffer.iter().map(|(activation, _)| *activation).collect();
        prop_assert_eq!(self.dispatcher.waiting().iter().collect::<Vec<_>>(), waiting);
        prop_assert_eq!(self.dispatcher.used_mib(), self.model.used());
        for action in 0..self.dispatcher.tables().actions() as u32 {
            let learnt = self.dispatcher.tables().cold_cost_ms(ActionId(action));
            let expected = self.model.cold_cost_ms(action);
            prop_assert!((learnt - expected).abs() <= 1e-9 * expected.max(1.0), "{learnt} is not {expected}");
        }
        Ok(())
    }
}

// ----- what is drawn -----

#[derive(Clone, Debug)]
struct World {
    rules: Rules,
    capacity: u64,
    functions: Vec<FunctionSpec>,
    cells: Vec<StemCell>,
    ops: Vec<Op>,
}

fn rules() -> impl Strategy<Value = Rules> {
    let preset = (0..PRESETS.len()).prop_map(|ix| PRESETS[ix].rules.clone());
    prop_oneof![1 => preset, 3 => any_rules()]
}

fn any_rules() -> impl Strategy<Value = Rules> {
    let choices = (
        prop_oneof![Just(Reuse::Oldest), Just(Reuse::Newest)],
        prop_oneof![Just(EvictionAmount::Whole), Just(EvictionAmount::Shortfall)],
        prop_oneof![4 => Just(WhenFull::Wait), 1 => Just(WhenFull::Drop)],
        prop_oneof![3 => Just(1_000_000), 1 => 0_u32..4],
        prop_oneof![Just(Times::Declared), Just(Times::ObservedMax), Just(Times::ObservedMean)],
        0_u32..3,
    );
    let knobs = prop::array::uniform6(any::<bool>());
    (choices, knobs).prop_map(|((reuse, eviction_amount, when_full, buffer_limit, times, limit), knobs)| {
        let [busy_guard, overcommit, in_sum, needs_space, starts, backfill] = knobs;
        Rules {
            reuse,
            busy_guard,
            eviction_amount,
            overcommit,
            when_full,
            buffer_limit,
            // Only whether there is one matters here: then credits are sent to it.
            feed_capacity: backfill.then_some(8),
            prewarm_in_sum: in_sum,
            prewarm_needs_space: needs_space,
            prewarm_starts: starts,
            backfill_always: backfill,
            prewarm_expiration_limit: limit,
            tracking: Tracking { times, ..Rules::OPENWHISK.tracking },
            ..Rules::OPENWHISK
        }
    })
}

/// Few sizes, so that prewarms fit and evictions free more and less than is missing.
fn memory() -> impl Strategy<Value = Memory> {
    prop_oneof![Just(Memory(128)), Just(Memory(256)), Just(Memory(384)), Just(Memory(1024))]
}

fn function() -> impl Strategy<Value = FunctionSpec> {
    (0_u32..4, memory(), 0_u16..2, 1_u16..=4, 0_u64..1000, 0_u64..1000).prop_map(
        |(action, memory, kind, max_concurrent, cold, warm)| FunctionSpec {
            action: ActionId(action),
            memory,
            kind: KindId(kind),
            max_concurrent,
            logs: false,
            cold: Span::from_ms(cold),
            warm: Span::from_ms(warm),
        },
    )
}

fn cell() -> impl Strategy<Value = StemCell> {
    let reactive = (0_u32..3, 0_u32..3, 0_u64..20, 1_u32..3, 1_u32..3).prop_map(
        |(min_count, more, ttl, threshold, increment)| Reactive {
            min_count,
            max_count: min_count + more,
            ttl: Span::from_ms(ttl),
            threshold,
            increment,
        },
    );
    (0_u16..2, memory(), 0_u32..3, prop::option::of(reactive)).prop_map(
        |(kind, memory, initial_count, reactive)| StemCell {
            kind: KindId(kind),
            memory,
            initial_count,
            reactive,
        },
    )
}

fn op() -> impl Strategy<Value = Op> {
    let index = any::<Index>;
    prop_oneof![
        30 => index().prop_map(Op::Arrive),
        4 => index().prop_map(Op::Resubmit),
        15 => Just(Op::Retry),
        25 => index().prop_map(Op::Done),
        1 => index().prop_map(Op::DoneLate),
        4 => (index(), any::<bool>()).prop_map(|(index, replace)| Op::Removed(index, replace)),
        3 => index().prop_map(Op::Rescheduled),
        8 => index().prop_map(Op::PrewarmReady),
        3 => Just(Op::PrewarmCheck),
        4 => index().prop_map(Op::LoadAhead),
        4 => index().prop_map(Op::Loaded),
        8 => index().prop_map(Op::Release),
        12 => (0_u64..10_000).prop_map(|us| Op::Later(Span(us))),
    ]
}

fn world() -> impl Strategy<Value = World> {
    let functions = prop::collection::vec(function(), 1..6);
    let cells = prop_oneof![1 => Just(Vec::new()), 2 => prop::collection::vec(cell(), 1..4)];
    let ops = prop::collection::vec(op(), 1..150);
    (rules(), 2_u64..16, functions, cells, ops).prop_map(|(rules, eighths, functions, cells, ops)| World {
        rules,
        capacity: eighths * 128,
        functions,
        cells,
        ops,
    })
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 30_000,
        failure_persistence: Some(Box::new(FileFailurePersistence::Direct("proptest-regressions/naive_pool.txt"))),
        ..ProptestConfig::default()
    })]

    #[test]
    fn the_dispatcher_does_what_the_naive_pool_does(world in world()) {
        let mut both = Both::new(&world);
        let mut ear = Ear::default();
        both.dispatcher.start(&mut ear);
        both.model.start();
        both.compare(ear)?;
        for op in &world.ops {
            both.step(op)?;
        }
    }
}
