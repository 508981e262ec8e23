//! A backend of real containers, on any platform: sandboxes with a server in them that speaks OpenWhisk's runtime
//! protocol. Owns which sandbox is which container, and turns what happened into facts; must never decide what
//! becomes of a container.

mod calls;
mod closing;

use std::collections::{BTreeMap, BTreeSet};
use std::future::Future;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::Instant;

use super::backend::{Backend, Closing, Order, Report};
use super::logs::RunLogs;
use super::plan::FunctionPlan;
use super::platform::{Platform, SandboxSpec};
use super::protocol::Client;
use crate::eventlog::Measured;
use crate::ids::{ActivationId, ContainerId, FunctionId, KindId};
use crate::memory::Memory;
use crate::pool::boundary::CreateFault;
use crate::pool::{Action, Input};

/// What containers of a run have in common.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Names the run on this machine: letters and digits.
    pub run: String,
    /// What each function runs, by number.
    pub functions: Vec<FunctionPlan>,
    /// The image of each kind, by number.
    pub images: Vec<String>,
    /// The kinds' names, by number.
    pub kinds: Vec<String>,
    /// Memory of the pool, over which processors are shared (docs/specs/openwhisk.md §15).
    pub memory: Memory,
    /// Processors that all containers share, if limited.
    pub cpus: Option<f64>,
    /// How much a run may print, in bytes: for so long its logs are waited for.
    pub log_limit: u64,
    /// Most of an answer that is read, in bytes.
    pub answer_limit: u64,
    /// How often prewarmed containers are pinged.
    pub ping_every: Duration,
}

/// OpenWhisk's limit of an answer, in bytes (`whisk.activation.payload.max`).
pub const ANSWER_LIMIT: u64 = 1 << 20;

/// Pings that must fail one after the other until a container counts as dead.
const PING_FAILURES: u32 = 3;

/// The backend.
pub struct Containers<P: Platform> {
    shared: Arc<Shared<P>>,
}

struct Shared<P: Platform> {
    platform: P,
    settings: Settings,
    living: Mutex<BTreeMap<ContainerId, Arc<Living<P>>>>,
    /// Those that the pool has let go of and that could not be removed.
    unremoved: Mutex<Vec<Arc<Living<P>>>>,
    created: AtomicU64,
}

/// A container that is being created, or is there.
struct Living<P: Platform> {
    /// Its number among all, from 1.
    number: u64,
    there: OnceLock<There<P>>,
    /// Held while it is frozen, thawed or removed.
    turn: tokio::sync::Mutex<Frost>,
    /// Runs and initialisations that failed: nobody waits for sentinels of theirs.
    failed: Mutex<BTreeSet<ActivationId>>,
    /// Processor time when something last ended, in µs.
    cpu_us: AtomicU64,
    pinged: watch::Sender<bool>,
}

/// A container that is there.
struct There<P: Platform> {
    sandbox: P::Sandbox,
    client: Client,
    logs: Arc<RunLogs>,
    id: String,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Frost {
    Thawed,
    Frozen,
}

impl<P: Platform> Containers<P> {
    /// No containers yet.
    pub fn new(platform: P, settings: Settings) -> Containers<P> {
        Containers {
            shared: Arc::new(Shared {
                platform,
                settings,
                living: Mutex::default(),
                unremoved: Mutex::default(),
                created: AtomicU64::new(0),
            }),
        }
    }

    /// The platform they are on.
    pub fn platform(&self) -> &P {
        &self.shared.platform
    }
}

impl<P: Platform> Backend for Containers<P> {
    fn carry_out(&self, order: Order) -> impl Future<Output = Option<Report>> + Send + 'static {
        let shared = Arc::clone(&self.shared);
        let of = container_of(&order.action).and_then(|id| match order.action {
            // Numbered in the order in which they are asked for.
            Action::Create { .. } => Some(shared.register(id)),
            _ => shared.living().get(&id).map(Arc::clone),
        });
        async move {
            match of {
                Some(living) => shared.carry_out(&living, order).await,
                // Its creation failed, or it was let go of: the driver makes a failure of it.
                None => None,
            }
        }
    }

    async fn close(&self) -> Closing {
        closing::close(&self.shared).await
    }
}

impl<P: Platform> Shared<P> {
    fn living(&self) -> MutexGuard<'_, BTreeMap<ContainerId, Arc<Living<P>>>> {
        self.living.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn unremoved(&self) -> MutexGuard<'_, Vec<Arc<Living<P>>>> {
        self.unremoved.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn register(&self, id: ContainerId) -> Arc<Living<P>> {
        let living = Arc::new(Living {
            number: self.created.fetch_add(1, Ordering::Relaxed) + 1,
            there: OnceLock::new(),
            turn: tokio::sync::Mutex::new(Frost::Thawed),
            failed: Mutex::default(),
            cpu_us: AtomicU64::new(0),
            pinged: watch::Sender::new(false),
        });
        self.living().insert(id, Arc::clone(&living));
        living
    }

    async fn carry_out(&self, living: &Living<P>, order: Order) -> Option<Report> {
        let Order { action, job, .. } = order;
        if let Action::Create { container, function, kind, memory_mib } = action {
            return Some(self.create(living, container, function, kind, memory_mib).await);
        }
        let there = living.there.get()?;
        Some(match action {
            Action::Create { .. } | Action::Answer(_) | Action::Reject(..) | Action::Lose(_) => return None,
            Action::Init { container, function, .. } => {
                self.init(living, there, container, function, job).await
            }
            Action::Run { container, .. } => self.run(living, there, container, job?).await,
            Action::CollectLogs { container, activation } => {
                self.collect(living, there, container, activation).await
            }
            Action::Pause(container) => {
                let (measured, ok) = self.freeze(living, there).await;
                Report { input: Input::Paused(container, ok), measured }
            }
            Action::Resume(container) => {
                let (measured, ok) = self.thaw(living, there).await;
                Report { input: Input::Resumed(container, ok), measured }
            }
            Action::Destroy(container) => self.destroy(living, there, container).await,
            Action::HealthPing(container, on) => {
                living.pinged.send_replace(on);
                if !on || !self.goes_silent(living, there).await {
                    return None;
                }
                Report { input: Input::HealthFailed(container), measured: Measured::default() }
            }
        })
    }

    async fn create(
        &self,
        living: &Living<P>,
        id: ContainerId,
        function: Option<FunctionId>,
        kind: KindId,
        memory_mib: u32,
    ) -> Report {
        let begun = Instant::now();
        let spec = self.spec(living.number, function, kind, memory_mib);
        match self.platform.create(spec).await {
            Ok(started) => {
                let measured = Measured {
                    took_us: us(started.create),
                    address_us: Some(us(started.found)),
                    queued_us: Some(us(started.queued)),
                    sandbox: Some(started.id.clone()),
                    ..Measured::default()
                };
                let client = Client::new(started.address, self.settings.answer_limit);
                let there = There { sandbox: started.sandbox, client, logs: started.logs, id: started.id };
                // Created once, so there is nothing here yet.
                let _ = living.there.set(there);
                Report { input: Input::Created(id, Ok(())), measured }
            }
            Err(fault) => {
                self.living().remove(&id);
                let measured = Measured {
                    took_us: us(begun.elapsed()),
                    error: Some(fault.message),
                    ..Measured::default()
                };
                let fault = if fault.user_image { CreateFault::UserImage } else { CreateFault::Platform };
                Report { input: Input::Created(id, Err(fault)), measured }
            }
        }
    }

    /// Docs/specs/openwhisk.md §15: names, shares, processors.
    fn spec(&self, number: u64, function: Option<FunctionId>, kind: KindId, memory_mib: u32) -> SandboxSpec {
        let settings = &self.settings;
        let plan = function.and_then(|function| settings.functions.get(function.ix()));
        let kind_name = settings.kinds.get(usize::from(kind.0)).map_or("", String::as_str);
        let image = settings.images.get(usize::from(kind.0)).cloned().unwrap_or_default();
        let (prefix, suffix) = match plan {
            Some(plan) => ("guest", plan.name.as_str()),
            None => ("prewarm", kind_name),
        };
        let slots = (settings.memory.mib() / u64::from(memory_mib.max(1))).max(1);
        let cpus = settings.cpus.map(|cpus| (cpus / slots as f64 * 1e5).round() / 1e5);
        SandboxSpec {
            name: format!("faassim_{}_{number}_{prefix}_{}", settings.run, plain(suffix)),
            image: plan.map_or(image, |plan| plan.image.clone()),
            memory_mib,
            cpu_shares: (1024 / slots).max(2) as u32,
            cpus: cpus.map(|cpus| cpus.max(0.01)),
            env: vec![("__OW_API_HOST".to_owned(), "http://localhost".to_owned())],
        }
    }

    async fn freeze(&self, living: &Living<P>, there: &There<P>) -> (Measured, bool) {
        let mut frost = living.turn.lock().await;
        let begun = Instant::now();
        let outcome = self.platform.pause(&there.sandbox).await;
        if outcome.is_ok() {
            *frost = Frost::Frozen;
        }
        ended(begun, outcome)
    }

    async fn thaw(&self, living: &Living<P>, there: &There<P>) -> (Measured, bool) {
        let mut frost = living.turn.lock().await;
        let begun = Instant::now();
        let outcome = self.platform.resume(&there.sandbox).await;
        if outcome.is_ok() {
            *frost = Frost::Thawed;
        }
        ended(begun, outcome)
    }

    /// Thaws first, as OpenWhisk does; what cannot be removed now is tried again at the end.
    async fn destroy(&self, living: &Living<P>, there: &There<P>, id: ContainerId) -> Report {
        living.pinged.send_replace(false);
        let frozen = *living.turn.lock().await == Frost::Frozen;
        let unpause_us = if frozen { Some(self.thaw(living, there).await.0.took_us) } else { None };
        let begun = Instant::now();
        let outcome = self.platform.remove(&there.sandbox).await;
        there.logs.end();
        if let Some(living) = self.living().remove(&id)
            && outcome.is_err()
        {
            self.unremoved().push(living);
        }
        let (measured, _) = ended(begun, outcome);
        Report { input: Input::Destroyed(id), measured: Measured { unpause_us, ..measured } }
    }

    /// Whether the server stops answering before the pings are ended.
    async fn goes_silent(&self, living: &Living<P>, there: &There<P>) -> bool {
        let mut pinged = living.pinged.subscribe();
        let mut failures = 0;
        while failures < PING_FAILURES {
            tokio::select! {
                _ = pinged.wait_for(|on| !on) => return false,
                () = tokio::time::sleep(self.settings.ping_every) => {}
            }
            let reached = tokio::net::TcpStream::connect(there.client.address());
            let reached = tokio::time::timeout(self.settings.ping_every, reached).await;
            failures = if matches!(reached, Ok(Ok(_))) { 0 } else { failures + 1 };
        }
        true
    }
}

/// How long something took, and whether it was done.
fn ended(begun: Instant, outcome: Result<(), super::platform::Fault>) -> (Measured, bool) {
    let ok = outcome.is_ok();
    let error = outcome.err().map(|fault| fault.0);
    (Measured { took_us: us(begun.elapsed()), error, ..Measured::default() }, ok)
}

fn us(duration: Duration) -> u64 {
    duration.as_micros() as u64
}

/// Only letters, digits and underscores survive in names (docs/specs/openwhisk.md §15); not too many of them.
fn plain(name: &str) -> String {
    name.chars().filter(|c| c.is_ascii_alphanumeric() || *c == '_').take(40).collect()
}

fn container_of(action: &Action) -> Option<ContainerId> {
    match *action {
        Action::Create { container, .. }
        | Action::Init { container, .. }
        | Action::Run { container, .. }
        | Action::CollectLogs { container, .. }
        | Action::Pause(container)
        | Action::Resume(container)
        | Action::Destroy(container)
        | Action::HealthPing(container, _) => Some(container),
        Action::Answer(_) | Action::Reject(..) | Action::Lose(_) => None,
    }
}
