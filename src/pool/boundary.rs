//! What crosses the border of the pool: facts in ([`Input`]), orders out ([`Action`]), observations
//! for whoever keeps the books ([`Note`]), and the one order in which simultaneous facts are told.
//! Must never hold state. All of it can be written down and read back: an event log is these types, line by line.

use serde::{Deserialize, Serialize};

use crate::ids::{ActivationId, ContainerId, FunctionId, KindId};
use crate::time::Span;

/// A fact, in the past tense. A driver tells each as soon as it holds, in the order of [`order`].
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Input {
    /// An activation reached the worker.
    Arrived {
        /// Its number.
        activation: ActivationId,
        /// What is invoked.
        function: FunctionId,
        /// Whether the caller waits for the result (decides which acknowledgements are sent).
        blocking: bool,
    },
    /// [`Action::Create`] was carried out, or failed.
    Created(ContainerId, Result<(), CreateFault>),
    /// [`Action::Init`] ended.
    Initialized(ContainerId, InitOutcome),
    /// [`Action::Run`] ended.
    Ran(ContainerId, ActivationId, RunOutcome),
    /// [`Action::CollectLogs`] ended; `false`: the logs could not be read.
    LogsCollected(ContainerId, ActivationId, bool),
    /// [`Action::Pause`] ended; `false`: it failed.
    Paused(ContainerId, bool),
    /// [`Action::Resume`] ended; `false`: it failed.
    Resumed(ContainerId, bool),
    /// [`Action::Destroy`] ended, well or badly. A removal that fails changes nothing for the pool, which
    /// stopped counting the container when it let go of it (docs/specs/openwhisk.md §5.1); whoever could
    /// not remove it must keep it on its own books.
    Destroyed(ContainerId),
    /// A container that was idle or prewarmed stopped answering.
    HealthFailed(ContainerId),
    /// The worker's memory for containers is so many MiB from now on.
    Resized {
        /// In MiB.
        capacity_mib: u32,
    },
    /// [`crate::pool::Pool::next_wake`] has come. Harmless when early or repeated.
    Wake,
}

/// Why a container could not be created (docs/specs/openwhisk.md §4.3).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CreateFault {
    /// The user's own image is at fault: a developer error.
    UserImage,
    /// The platform is at fault: a system error.
    Platform,
}

/// How an initialisation ended (docs/specs/openwhisk.md §4.3).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum InitOutcome {
    /// The container is ready to run the function.
    Ok,
    /// The runtime answered with an error, or did not answer in time.
    Failed(Status),
    /// The platform failed in a way that gave no answer at all.
    Unexpected,
    /// The runtime answered 503: it is going away. The activation is silently lost.
    ShuttingDown,
}

/// How a run ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RunOutcome {
    /// With an answer of this status.
    Answered(Status),
    /// The container could not be reached. Handed back to the pool if this was the first run after
    /// an idle period, otherwise a developer error.
    Unreachable,
    /// The runtime answered 503: it is going away and did not run the activation. Handed back to the pool if this was
    /// the first run after an idle period, otherwise silently lost.
    ShuttingDown,
}

/// The four classes of answers (docs/specs/openwhisk.md §17).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Status {
    /// 0.
    Success,
    /// 1: the function returned an error; the container is kept.
    ApplicationError,
    /// 2: the function crashed, timed out or ran out of memory; the container is destroyed.
    DeveloperError,
    /// 3: the platform failed; the container is destroyed.
    SystemError,
}

/// An order, in the imperative. A driver carries it out and answers with the [`Input`] named.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Action {
    /// Create a container of this kind and memory, and answer [`Input::Created`].
    Create {
        /// Which.
        container: ContainerId,
        /// For which function; `None`: a prewarmed container without code.
        function: Option<FunctionId>,
        /// The runtime.
        kind: KindId,
        /// Memory limit in MiB.
        memory_mib: u32,
    },
    /// Load the function's code, and answer [`Input::Initialized`].
    Init {
        /// Where.
        container: ContainerId,
        /// What.
        function: FunctionId,
        /// For which activation; `None` when loaded ahead of time.
        activation: Option<ActivationId>,
    },
    /// Run an activation, and answer [`Input::Ran`].
    Run {
        /// Where.
        container: ContainerId,
        /// What.
        activation: ActivationId,
        /// First run after an idle period: a broken connection hands the activation back.
        reschedule: bool,
    },
    /// Collect the logs of a run that ended, and answer [`Input::LogsCollected`].
    CollectLogs {
        /// Where.
        container: ContainerId,
        /// Of what.
        activation: ActivationId,
    },
    /// Freeze, and answer [`Input::Paused`].
    Pause(ContainerId),
    /// Thaw, and answer [`Input::Resumed`] unless [`Action::Destroy`] follows.
    Resume(ContainerId),
    /// Remove, thawing first if need be, and answer [`Input::Destroyed`].
    Destroy(ContainerId),
    /// Start (`true`) or stop (`false`) checking that the container answers.
    HealthPing(ContainerId, bool),
    /// Tell the caller. The activation ends with the answer that is [`Answer::last`].
    Answer(Answer),
    /// The activation is refused and ends.
    Reject(ActivationId, Refusal),
    /// The activation ends without any answer (docs/specs/openwhisk.md §4.3, 503 during init).
    Lose(ActivationId),
}

/// Why an activation was refused.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Refusal {
    /// No room, and the rules drop instead of waiting.
    Full,
    /// The function needs more memory than the whole pool has.
    TooLarge,
    /// The run buffer is at its limit.
    BufferFull,
}

/// Which acknowledgement an answer is (docs/specs/openwhisk.md §4.4).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Ack {
    /// The result, while the logs are still being collected.
    Result,
    /// The end of the activation: frees its slot at the balancer.
    Completion,
    /// Both in one.
    Combined,
}

/// What the caller is told.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Answer {
    /// About which activation.
    pub activation: ActivationId,
    /// Which message it is.
    pub ack: Ack,
    /// Success or which error.
    pub status: Status,
    /// From arrival to the start of the initialisation, or of the run where none was needed.
    pub wait: Span,
    /// Time spent initialising; only for the activation that initialised the container.
    pub init: Option<Span>,
    /// Initialisation plus run.
    pub duration: Span,
    /// How the activation got its container; `None` if it never ran.
    pub start: Option<StartState>,
}

impl Answer {
    /// Whether the activation ends with this answer.
    pub fn last(&self) -> bool {
        self.ack != Ack::Result
    }
}

/// How an activation got its container (docs/specs/openwhisk.md §3, §5.2).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum StartState {
    /// A new container; there was room.
    Cold,
    /// An idle container that had run the function before.
    Warmed,
    /// A former prewarm that is just being initialised for the function.
    Warming,
    /// A container that is just being created for the function.
    WarmingCold,
    /// A prewarmed container of the right kind and memory.
    Prewarmed,
    /// A new container; others had to go.
    Recreated,
    /// A prewarmed container, taken after others had to go (fork of 2020 only).
    RecreatedPrewarm,
}

impl StartState {
    /// All of them, in table order.
    pub const ALL: [StartState; 7] = [
        StartState::Cold,
        StartState::Warmed,
        StartState::Warming,
        StartState::WarmingCold,
        StartState::Prewarmed,
        StartState::Recreated,
        StartState::RecreatedPrewarm,
    ];

    /// The name OpenWhisk logs.
    pub const fn name(self) -> &'static str {
        match self {
            StartState::Cold => "cold",
            StartState::Warmed => "warmed",
            StartState::Warming => "warming",
            StartState::WarmingCold => "warmingCold",
            StartState::Prewarmed => "prewarmed",
            StartState::Recreated => "recreated",
            StartState::RecreatedPrewarm => "recreatedPrewarm",
        }
    }

    /// Whether the activation found its function initialised. Everything else pays for a start, in
    /// whole or in part.
    pub const fn is_warm(self) -> bool {
        matches!(self, StartState::Warmed)
    }

    /// Whether a container had to be created for this very activation.
    pub const fn creates(self) -> bool {
        matches!(self, StartState::Cold | StartState::Recreated)
    }
}

/// The life of a container as its proxy sees it (docs/specs/openwhisk.md §3).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Phase {
    /// Nothing has been asked of it.
    Uninitialized,
    /// A prewarm is being created.
    Starting,
    /// A prewarm without code, ready.
    Started,
    /// Creating, initialising, running or collecting logs for at least one activation.
    Running,
    /// Idle and thawed.
    Ready,
    /// Being frozen.
    Pausing,
    /// Idle and frozen.
    Paused,
    /// Going away.
    Removing,
    /// Gone.
    Stopped,
}

/// Why a container left the pool.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Departure {
    /// Made room for this function.
    Evicted(FunctionId),
    /// Made room when the pool was made smaller.
    Shrunk,
    /// Its keep-alive lease ended.
    Expired,
    /// The keep-alive policy unloads it now and means to load it again later.
    Unloaded,
    /// It failed, or something failed in it.
    Failed,
    /// A prewarm that nobody took.
    PrewarmExpired,
}

/// An observation. Nothing has to be done about it; recorders, logs and tests listen.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Note {
    /// An activation got its container.
    Dispatched {
        /// Which activation.
        activation: ActivationId,
        /// Of which function.
        function: FunctionId,
        /// Which container.
        container: ContainerId,
        /// How.
        start: StartState,
        /// Activations assigned to the container, this one included.
        active: u16,
    },
    /// A container was allotted memory (it does not exist yet).
    Allotted {
        /// Which.
        container: ContainerId,
        /// For which function; `None`: prewarm.
        function: Option<FunctionId>,
        /// Memory in MiB.
        memory_mib: u32,
    },
    /// A prewarm was asked for; `None`: there was no room.
    Prewarm {
        /// Which; `None`: refused.
        container: Option<ContainerId>,
        /// Its runtime.
        kind: KindId,
        /// Its memory in MiB.
        memory_mib: u32,
        /// How long it may wait once ready.
        ttl: Option<Span>,
        /// Memory is reserved but nothing is started (fork of 2021).
        reserved_only: bool,
    },
    /// A container left the pool and its memory counts as free.
    Gone {
        /// Which.
        container: ContainerId,
        /// Whose; `None`: a prewarm.
        function: Option<FunctionId>,
        /// Its memory in MiB.
        memory_mib: u32,
        /// Why.
        why: Departure,
    },
    /// A container has nothing to do now.
    Idle {
        /// Which.
        container: ContainerId,
        /// Whose.
        function: FunctionId,
        /// Its memory in MiB.
        memory_mib: u32,
    },
    /// An activation has to wait in front of the pool, for a credit of the message feed.
    Queued(ActivationId),
    /// An activation has to wait in the run buffer.
    Buffered(ActivationId),
    /// An activation came back to the pool from a container that could not serve it.
    Resubmitted(ActivationId),
    /// An activation passed the message feed and is seen by the pool.
    Handed(ActivationId),
    /// The pool asked the feed for one more activation.
    Credit,
    /// The pool has so many MiB from now on.
    Resized {
        /// In MiB.
        capacity_mib: u64,
    },
    /// A container changed its phase.
    Entered(ContainerId, Phase),
}

/// Where the pool's orders go.
pub trait Sink {
    /// Carry this out.
    fn act(&mut self, action: Action);

    /// Take notice, or do not.
    fn note(&mut self, note: Note) {
        let _ = note;
    }
}

/// The rank of an input among those of the same instant: what containers report, by container, then a
/// change of memory, then the wake, then arrivals by number. Both drivers tell simultaneous inputs in this order; without
/// one written rule they would diverge (a completion before or after an arrival decides between a
/// warm and a cold start).
pub fn order(input: &Input) -> (u8, u32, u32) {
    match *input {
        Input::Ran(c, a, _) | Input::LogsCollected(c, a, _) => (0, c.slot, a.0),
        Input::Created(c, _)
        | Input::Initialized(c, _)
        | Input::Paused(c, _)
        | Input::Resumed(c, _)
        | Input::Destroyed(c)
        | Input::HealthFailed(c) => (0, c.slot, ActivationId::NONE.0),
        Input::Resized { .. } => (1, 0, 0),
        Input::Wake => (2, 0, 0),
        Input::Arrived { activation, .. } => (3, 0, activation.0),
    }
}
