//! The pool as drivers see it: one state machine made of the dispatcher, a proxy per container, the
//! feed and the timers. Owns the order in which they hear each other; must never decide anything
//! that they should.

use crate::ids::{ActivationId, ContainerId, FunctionId, Slot};
use crate::memory::Memory;
use crate::policy::{Evict, KeepAlive};
use crate::pool::boundary::{Action, Input, Note, RunOutcome, Sink};
use crate::pool::dispatcher::Dispatcher;
use crate::pool::feed::Feed;
use crate::pool::flight::{Flight, Flights};
use crate::pool::lease::{Deadlines, Keeper};
use crate::pool::message::{Mailbox, Message, Out};
use crate::pool::proxy::Proxy;
use crate::pool::rules::{Rules, StemCell};
use crate::pool::tables::{FunctionSpec, Tables};
use crate::time::Time;

/// Everything a pool is made from.
pub struct Setup {
    /// The rules.
    pub rules: Rules,
    /// Memory for containers (`user-memory`, docs/specs/openwhisk.md §2).
    pub memory: Memory,
    /// The functions, numbered by their place.
    pub functions: Vec<FunctionSpec>,
    /// Prewarmed containers to keep.
    pub stem_cells: Vec<StemCell>,
    /// Who is evicted.
    pub evict: Box<dyn Evict>,
    /// How long the idle stay.
    pub keep_alive: Box<dyn KeepAlive>,
}

/// When a function is to be loaded ahead of time.
#[derive(Clone, Copy, Debug)]
struct Load {
    at: Time,
    /// The earliest instant at which it comes up among the [`Deadlines`].
    armed: Time,
}

/// The pool. See [`crate::pool`] for the contract.
pub struct Pool {
    pub(super) dispatcher: Dispatcher,
    pub(super) proxies: Vec<Proxy>,
    pub(super) flights: Flights,
    feed: Feed,
    pub(super) keep_alive: Keeper,
    pub(super) queue: Mailbox,
    /// When each proxy's timer is due.
    pub(super) timers: Deadlines,
    /// When each function is to be loaded ahead of time, by function; empty until first used.
    load_at: Vec<Load>,
    loads: Deadlines,
    next_check: Time,
}

/// Sends messages to the queue and the rest to the driver.
pub(super) struct Router<'a, S> {
    pub(super) queue: &'a mut Mailbox,
    pub(super) sink: &'a mut S,
}

impl<S: Sink> Out for Router<'_, S> {
    #[inline(always)]
    fn send(&mut self, message: Message) {
        self.queue.push(message);
    }

    #[inline(always)]
    fn act(&mut self, action: Action) {
        self.sink.act(action);
    }

    #[inline(always)]
    fn note(&mut self, note: Note) {
        self.sink.note(note);
    }
}

/// Calls one proxy with everything it may look at, then sets its timer.
macro_rules! with_proxy {
    ($pool:ident, $now:expr, $slot:expr, $sink:expr, |$proxy:ident, $cx:ident, $out:ident| $body:expr) => {{
        let slot: $crate::ids::Slot = $slot;
        let $proxy = &mut $pool.proxies[slot as usize];
        let mut context = $crate::pool::proxy::Context {
            now: $now,
            slot,
            rules: $pool.dispatcher.rules(),
            tables: $pool.dispatcher.tables(),
            flights: &mut $pool.flights,
            keep_alive: &mut $pool.keep_alive,
        };
        let $cx = &mut context;
        let mut router = $crate::pool::pool::Router { queue: &mut $pool.queue, sink: $sink };
        let $out = &mut router;
        $body;
        let timer = $proxy.timer();
        if timer != $crate::time::Time::NEVER {
            $pool.timers.arm(slot, timer, $proxy.armed());
        }
    }};
}

pub(super) use with_proxy;

impl Pool {
    /// An empty pool. Call [`Pool::start`] before anything else.
    pub fn new(setup: Setup) -> Pool {
        let Setup { rules, memory, functions, stem_cells, evict, keep_alive } = setup;
        Pool {
            feed: Feed::new(rules.feed_capacity),
            dispatcher: Dispatcher::new(rules, memory.mib(), functions, stem_cells, evict),
            proxies: Vec::new(),
            flights: Flights::default(),
            keep_alive: Keeper::new(keep_alive),
            queue: Mailbox::default(),
            timers: Deadlines::default(),
            load_at: Vec::new(),
            loads: Deadlines::default(),
            next_check: Time::NEVER,
        }
    }

    /// The worker comes up: initial prewarms are ordered.
    pub fn start(&mut self, now: Time, sink: &mut impl Sink) {
        if self.dispatcher.prewarms().is_reactive() {
            self.next_check = now + self.dispatcher.rules().prewarm_check_delay;
        }
        self.dispatcher.start(&mut Router { queue: &mut self.queue, sink });
        self.drain(now, sink);
    }

    /// Handles one fact. `now` never decreases. What the driver must do is told to `sink`.
    ///
    /// Facts about containers that are gone are ignored: they were answered when the container went.
    #[inline]
    pub fn handle(&mut self, now: Time, input: Input, sink: &mut impl Sink) {
        match input {
            Input::Ran(id, activation, outcome) => {
                if self.is_current(id) && !self.ran_plainly(now, id, activation, outcome, sink) {
                    self.ran(now, id, activation, outcome, sink);
                }
                self.drain(now, sink);
            }
            Input::Arrived { activation, function, blocking } => {
                if !self.arrived_warm(now, activation, function, blocking, sink) {
                    self.arrived(now, activation, function, blocking, sink);
                }
                self.drain(now, sink);
            }
            Input::Wake => self.wake(now, sink),
            other => self.handle_rarely(now, other, sink),
        }
    }

    /// What does not happen at every invocation.
    #[inline(never)]
    fn handle_rarely(&mut self, now: Time, input: Input, sink: &mut impl Sink) {
        match input {
            Input::Ran(..) | Input::Arrived { .. } | Input::Wake => {}
            Input::LogsCollected(id, activation, ok) => {
                if self.is_current(id) {
                    with_proxy!(self, now, id.slot, sink, |proxy, cx, out| proxy
                        .logs_collected(activation, ok, cx, out));
                }
            }
            Input::Created(id, result) => {
                if self.is_current(id) {
                    with_proxy!(self, now, id.slot, sink, |proxy, cx, out| proxy.created(result, cx, out));
                }
            }
            Input::Initialized(id, outcome) => {
                if self.is_current(id) {
                    with_proxy!(self, now, id.slot, sink, |proxy, cx, out| proxy
                        .on_initialized(outcome, cx, out));
                }
            }
            Input::Paused(id, ok) => {
                if self.is_current(id) {
                    with_proxy!(self, now, id.slot, sink, |proxy, cx, out| proxy.paused(ok, cx, out));
                }
            }
            Input::Resumed(id, ok) => {
                if self.is_current(id) {
                    with_proxy!(self, now, id.slot, sink, |proxy, cx, out| proxy.resumed(ok, cx, out));
                }
            }
            Input::Destroyed(id) => {
                if self.is_current(id) {
                    with_proxy!(self, now, id.slot, sink, |proxy, cx, out| proxy.destroyed(cx, out));
                }
            }
            Input::Resized { capacity_mib } => {
                let out = &mut Router { queue: &mut self.queue, sink };
                self.dispatcher.resized(u64::from(capacity_mib), out);
            }
            Input::HealthFailed(id) => {
                if self.is_current(id) {
                    with_proxy!(self, now, id.slot, sink, |proxy, cx, out| proxy.health_failed(cx, out));
                }
            }
        }
        self.drain(now, sink);
    }

    /// The next instant at which [`Input::Wake`] is useful.
    #[inline]
    pub fn next_wake(&self) -> Option<Time> {
        let timer = self.timers.next().unwrap_or(Time::NEVER);
        let load = self.loads.next().unwrap_or(Time::NEVER);
        let earliest = timer.min(load).min(self.next_check);
        (earliest != Time::NEVER).then_some(earliest)
    }

    /// Adjusts prewarmed containers now, outside the periodic check (docs/specs/openwhisk.md §6, step 4).
    pub fn check_prewarms(&mut self, now: Time, sink: &mut impl Sink) {
        self.dispatcher.check_prewarms(now, &mut Router { queue: &mut self.queue, sink });
        self.drain(now, sink);
    }

    /// The placement half, to look at.
    pub fn dispatcher(&self) -> &Dispatcher {
        &self.dispatcher
    }

    /// Functions and containers, to look at.
    pub fn tables(&self) -> &Tables {
        self.dispatcher.tables()
    }

    /// Activations that wait in the feed and in the run buffer.
    pub fn waiting(&self) -> usize {
        self.feed.len() + self.dispatcher.waiting().len()
    }

    fn is_current(&self, id: ContainerId) -> bool {
        self.proxies.get(id.slot as usize).is_some_and(|proxy| proxy.epoch() == id.epoch)
    }

    #[inline(never)]
    fn ran(
        &mut self,
        now: Time,
        id: ContainerId,
        activation: ActivationId,
        outcome: RunOutcome,
        sink: &mut impl Sink,
    ) {
        with_proxy!(self, now, id.slot, sink, |proxy, cx, out| proxy.ran(activation, outcome, cx, out));
    }

    #[inline(never)]
    fn arrived(
        &mut self,
        now: Time,
        activation: ActivationId,
        function: FunctionId,
        blocking: bool,
        sink: &mut impl Sink,
    ) {
        self.flights.insert(activation, Flight::new(now, function, blocking));
        self.heard_of(now, function);
        if self.feed.offer(activation) {
            self.hand_over(now, activation, sink);
        } else {
            sink.note(Note::Queued(activation));
        }
    }

    /// An activation of the function arrived, whatever becomes of it.
    #[inline(always)]
    pub(super) fn heard_of(&mut self, now: Time, function: FunctionId) {
        self.keep_alive.on_arrival(now, function);
        if let Some(load) = self.load_at.get_mut(function.ix()) {
            load.at = Time::NEVER;
        }
    }

    fn hand_over(&mut self, now: Time, activation: ActivationId, sink: &mut impl Sink) {
        sink.note(Note::Handed(activation));
        let function = self.flights.of(activation).function;
        self.dispatcher.request(now, activation, function, &mut Router { queue: &mut self.queue, sink });
    }

    /// Handles messages, first in first out, until there are none.
    #[inline(always)]
    fn drain(&mut self, now: Time, sink: &mut impl Sink) {
        if !self.queue.is_empty() {
            self.deliver_all(now, sink);
        }
    }

    #[inline(never)]
    fn deliver_all(&mut self, now: Time, sink: &mut impl Sink) {
        while let Some(message) = self.queue.pop() {
            self.deliver(now, message, sink);
        }
    }

    #[inline]
    fn deliver(&mut self, now: Time, message: Message, sink: &mut impl Sink) {
        let dispatcher = &mut self.dispatcher;
        match message {
            Message::Run(slot, activation, start) => {
                self.flights.of_mut(activation).start = Some(start);
                self.make_proxy(slot);
                with_proxy!(self, now, slot, sink, |proxy, cx, out| proxy.run(activation, cx, out));
            }
            Message::NeedWork(slot) => {
                dispatcher.need_work(now, slot, &mut Router { queue: &mut self.queue, sink });
            }
            Message::Credit => {
                if let Some(next) = self.feed.credit() {
                    self.hand_over(now, next, sink);
                }
            }
            Message::Retry => dispatcher.retry(now, &mut Router { queue: &mut self.queue, sink }),
            Message::Remove(slot) => {
                with_proxy!(self, now, slot, sink, |proxy, cx, out| proxy.remove(cx, out));
            }
            Message::Start(slot, kind, memory_mib, ttl) => {
                self.make_proxy(slot);
                with_proxy!(self, now, slot, sink, |proxy, cx, out| proxy
                    .start(kind, memory_mib, ttl, cx, out));
            }
            Message::Load(slot, function) => {
                self.make_proxy(slot);
                with_proxy!(self, now, slot, sink, |proxy, cx, out| proxy.load(function, cx, out));
            }
            Message::Removed(slot, replace, why) => {
                dispatcher.removed(slot, replace, why, &mut Router { queue: &mut self.queue, sink });
            }
            Message::Rescheduled(slot, why) => {
                dispatcher.rescheduled(slot, why, &mut Router { queue: &mut self.queue, sink });
            }
            Message::Resubmit(activation) => {
                sink.note(Note::Resubmitted(activation));
                let function = self.flights.of(activation).function;
                dispatcher.request(now, activation, function, &mut Router { queue: &mut self.queue, sink });
            }
            Message::PrewarmReady(slot, expires) => dispatcher.prewarm_ready(slot, expires),
            Message::Loaded(slot) => dispatcher.loaded(slot, &mut Router { queue: &mut self.queue, sink }),
            Message::LoadAt(function, at) => self.load_later(function, at),
            Message::Release(slot) => dispatcher.release(slot),
        }
    }

    /// A slot that was allotted anew gets a new proxy.
    #[inline]
    fn make_proxy(&mut self, slot: Slot) {
        let epoch = self.dispatcher.tables().container(slot).epoch();
        let ix = slot as usize;
        while self.proxies.len() <= ix {
            self.proxies.push(Proxy::new(0));
        }
        let proxy = &mut self.proxies[ix];
        if proxy.epoch() != epoch {
            // What comes up for the slot comes up for whoever is in it.
            let armed = *proxy.armed();
            *proxy = Proxy::new(epoch);
            *proxy.armed() = armed;
        }
    }

    fn load_later(&mut self, function: FunctionId, at: Time) {
        if self.load_at.is_empty() {
            self.load_at = vec![Load { at: Time::NEVER, armed: Time::NEVER }; self.tables().functions()];
        }
        // A function is loaded once, for the latest of its containers that asked.
        let load = &mut self.load_at[function.ix()];
        load.at = at;
        self.loads.arm(function.0, at, &mut load.armed);
    }

    fn wake(&mut self, now: Time, sink: &mut impl Sink) {
        while let Some((slot, bound)) = self.timers.due(now) {
            let proxy = &mut self.proxies[slot as usize];
            if *proxy.armed() != bound {
                continue;
            }
            *proxy.armed() = Time::NEVER;
            let timer = proxy.timer();
            if timer <= now {
                with_proxy!(self, now, slot, sink, |proxy, cx, out| proxy.on_timer(cx, out));
                self.drain(now, sink);
            } else if timer != Time::NEVER {
                self.timers.arm(slot, timer, proxy.armed());
            }
        }
        while let Some((function, bound)) = self.loads.due(now) {
            let load = &mut self.load_at[function as usize];
            if load.armed != bound {
                continue;
            }
            load.armed = Time::NEVER;
            if load.at <= now {
                load.at = Time::NEVER;
                self.dispatcher
                    .load_ahead(FunctionId(function), &mut Router { queue: &mut self.queue, sink });
                self.drain(now, sink);
            } else if load.at != Time::NEVER {
                self.loads.arm(function, load.at, &mut load.armed);
            }
        }
        if self.next_check <= now {
            self.next_check = now + self.dispatcher.rules().prewarm_check_interval;
            self.check_prewarms(now, sink);
        }
    }
}
