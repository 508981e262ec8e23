//! One activation with its phases, as OpenWhisk's log tells them (docs/specs/openwhisk.md §21.3, §22), and samples
//! of phases for a cost model. Owns what each phase is and what follows from them; must never know how lines were
//! found.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::logs::Marker;
use crate::pool::boundary::StartState;

/// What has a start and an end marker.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Phase {
    /// The request in the controller until it is posted.
    Controller,
    /// Choosing an invoker and posting.
    LoadBalancing,
    /// Writing to the queue.
    Queue,
    /// `docker pull`.
    Pull,
    /// `docker run`.
    Create,
    /// `docker inspect`, for the address.
    Inspect,
    /// `docker unpause`, or `runc resume`.
    Unpause,
    /// The call of `/init`.
    Init,
    /// The call of `/run`.
    Run,
    /// `docker logs`.
    DockerLogs,
    /// Collecting logs as a whole.
    CollectLogs,
    /// Storing the record.
    Save,
    /// `docker pause`, or `runc pause`.
    Pause,
    /// `docker rm`; of a container, not of an activation.
    Remove,
}

impl Phase {
    /// How many there are.
    pub const COUNT: usize = 14;

    /// All of them, in the order of an activation's life.
    pub const ALL: [Phase; Phase::COUNT] = [
        Phase::Controller,
        Phase::LoadBalancing,
        Phase::Queue,
        Phase::Pull,
        Phase::Create,
        Phase::Inspect,
        Phase::Unpause,
        Phase::Init,
        Phase::Run,
        Phase::DockerLogs,
        Phase::CollectLogs,
        Phase::Save,
        Phase::Pause,
        Phase::Remove,
    ];

    /// As JSON has it.
    pub const fn name(self) -> &'static str {
        match self {
            Phase::Controller => "controller_activation",
            Phase::LoadBalancing => "controller_loadbalancer",
            Phase::Queue => "controller_kafka",
            Phase::Pull => "docker_pull",
            Phase::Create => "docker_run",
            Phase::Inspect => "docker_inspect",
            Phase::Unpause => "docker_unpause",
            Phase::Init => "init",
            Phase::Run => "run",
            Phase::DockerLogs => "docker_logs",
            Phase::CollectLogs => "collect_logs",
            Phase::Save => "save_activation",
            Phase::Pause => "docker_pause",
            Phase::Remove => "docker_rm",
        }
    }

    /// The phase that a marker begins or ends.
    pub fn of(marker: &Marker<'_>) -> Option<Phase> {
        match (marker.component, marker.action, marker.sub_action) {
            ("controller", "activation" | "blockingActivation", None) => Some(Phase::Controller),
            ("controller", "loadbalancer", None) => Some(Phase::LoadBalancing),
            ("controller", "kafka", None) => Some(Phase::Queue),
            ("invoker", "docker", Some(command)) => match command {
                "pull" => Some(Phase::Pull),
                "run" => Some(Phase::Create),
                "inspect" => Some(Phase::Inspect),
                "unpause" => Some(Phase::Unpause),
                "logs" => Some(Phase::DockerLogs),
                "pause" => Some(Phase::Pause),
                "rm" => Some(Phase::Remove),
                _ => None,
            },
            ("invoker", "runc", Some("resume")) => Some(Phase::Unpause),
            ("invoker", "runc", Some("pause")) => Some(Phase::Pause),
            ("invoker", "activationInit", None) => Some(Phase::Init),
            ("invoker", "activationRun", None) => Some(Phase::Run),
            ("invoker", "collectLogs", None) => Some(Phase::CollectLogs),
            ("database", "saveDocument", None) => Some(Phase::Save),
            _ => None,
        }
    }
}

/// What the markers of one phase told.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Mark {
    /// When it began, in ms since the transaction did.
    pub start: Option<u32>,
    /// When it ended, in ms since the transaction began.
    pub end: Option<u32>,
    /// How long it took in ms, as the end marker has it.
    pub ms: Option<u32>,
    /// Whether it ended with an error, or `/init` or `/run` did not answer well.
    pub failed: bool,
}

impl Mark {
    /// How long it took in ms, however it ended.
    pub fn took(&self) -> Option<u32> {
        self.ms.or_else(|| Some(self.end?.saturating_sub(self.start?)))
    }

    /// How long it took in ms, if it succeeded.
    pub fn succeeded(&self) -> Option<u32> {
        self.took().filter(|_| !self.failed)
    }

    /// Whether it began and has not ended.
    pub fn is_open(&self) -> bool {
        self.start.is_some() && self.end.is_none()
    }
}

/// What became of an activation.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Fate {
    /// It was placed, and ended.
    Complete,
    /// It was answered without ever being placed.
    Unserved,
    /// The log does not tell how it was placed, or how it ended.
    Incomplete,
}

/// An activation. Times are in ms: `u32` since its transaction began, `i64` since 1970.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Activation {
    /// Its number in order of first lines.
    pub order: u64,
    /// Its transaction.
    pub tid: Box<str>,
    /// Its id.
    pub id: Option<Box<str>>,
    /// Its action as `namespace/[package/]name`.
    pub path: Option<Box<str>>,
    /// The invoking namespace and the bare name, as the placement line has them.
    pub placed_as: Option<(Box<str>, Box<str>)>,
    /// How it got its container.
    pub start: Option<StartState>,
    /// Whether `start` was inferred from phases, since no placement line was written.
    pub is_inferred: bool,
    /// When the request arrived: the time of its line, or when its transaction began by the first marker.
    pub request_at: i64,
    /// By [`Phase`].
    pub marks: [Mark; Phase::COUNT],
    /// When a non-blocking call was answered with 202.
    pub accepted: Option<u32>,
    /// When the invoker took it.
    pub taken: Option<u32>,
    /// When it was placed.
    pub placed: Option<u32>,
    /// When the controller heard of its completion.
    pub ack_at: Option<i64>,
    /// When its logs were collected.
    pub logs_at: Option<i64>,
    /// When its container began to be paused after it.
    pub pause_at: Option<i64>,
    /// When its container was paused.
    pub paused_at: Option<i64>,
    /// Whether init or run did not end well, or its container never came up.
    pub is_failed: bool,
    /// Whether it was answered with a system error.
    pub is_system_error: bool,
}

impl Activation {
    /// The marks of a phase.
    pub fn mark(&self, phase: Phase) -> &Mark {
        &self.marks[phase as usize]
    }

    /// From arrival to the beginning of init, or of the run if there was no init.
    pub fn wait(&self) -> Option<u32> {
        self.mark(Phase::Init).start.or(self.mark(Phase::Run).start)
    }

    /// Initialisation, however it ended.
    pub fn init(&self) -> Option<u32> {
        self.mark(Phase::Init).took()
    }

    /// Initialisation and run; what did not happen counts nothing.
    pub fn duration(&self) -> Option<u32> {
        match (self.init(), self.mark(Phase::Run).took()) {
            (None, None) => None,
            (init, run) => Some(init.unwrap_or(0).saturating_add(run.unwrap_or(0))),
        }
    }

    /// From arrival to the end of the run, or of an init that failed.
    pub fn response(&self) -> Option<u32> {
        self.mark(Phase::Run).end.or(self.mark(Phase::Init).end.filter(|_| self.mark(Phase::Init).failed))
    }

    /// From the invoker's taking it to its placement: fetching the action.
    pub fn invoker_overhead(&self) -> Option<i64> {
        difference(self.placed, self.taken)
    }

    /// From its placement to init or run.
    pub fn provisioning(&self) -> Option<i64> {
        difference(self.wait(), self.placed)
    }

    /// From the end of log collection to the beginning of the pause.
    pub fn idle_before_pause(&self) -> Option<i64> {
        Some(self.pause_at? - self.logs_at?)
    }

    /// Ms of the wall clock since the request.
    pub fn since_request(&self, at: Option<i64>) -> Option<i64> {
        at.map(|at| at - self.request_at)
    }

    /// Its phase table, durations in ms. What did not happen or is not told is `null`.
    pub fn phase_table(&self) -> Value {
        let durations: Map<String, Value> = Phase::ALL
            .into_iter()
            .filter(|phase| *phase != Phase::Remove)
            .map(|phase| (phase.name().to_owned(), json!(self.mark(phase).took())))
            .collect();
        let start = |phase: Phase| self.mark(phase).start;
        json!({
            "start_state": self.start.map(StartState::name),
            "marker_durations_ms": durations,
            "marker_offsets_from_request_ms": {
                "controller_activation_start": start(Phase::Controller),
                "http_202": self.accepted,
                "invoker_activation_start": self.taken,
                "container_start_decision": self.placed,
                "docker_pull_start": start(Phase::Pull),
                "docker_run_start": start(Phase::Create),
                "docker_unpause_start": start(Phase::Unpause),
                "init_start": start(Phase::Init),
                "run_start": start(Phase::Run),
                "run_finish": self.mark(Phase::Run).end,
                "collect_logs_finish": self.mark(Phase::CollectLogs).end,
            },
            "wall_offsets_from_request_ms": {
                "completion_ack_received": self.since_request(self.ack_at),
                "pause_start": self.since_request(self.pause_at),
                "pause_finish": self.since_request(self.paused_at),
            },
            "derived_ms": {
                "invoker_overhead_before_container_work": self.invoker_overhead(),
                "container_provisioning": self.provisioning(),
                "wait_time_estimate": self.wait(),
                "init_time": self.init(),
                "duration": self.duration(),
                "idle_before_pause_after_logs": self.idle_before_pause(),
            },
        })
    }
}

fn difference(later: Option<u32>, earlier: Option<u32>) -> Option<i64> {
    Some(i64::from(later?) - i64::from(earlier?))
}

/// Durations in ms by phase, over all activations, under the names of the scenario's `[costs]`: `pull`, `create`
/// (docker run and inspect), `init`, `first-run` (after init), `run` (in a container that has run before), `unpause`,
/// `pause`, `logs`, `remove`. Phases that failed are not among them.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct PhaseSamples {
    /// Of all actions together.
    pub general: BTreeMap<&'static str, Vec<f64>>,
    /// `init`, `first-run` and `run` of each action.
    pub functions: BTreeMap<String, BTreeMap<&'static str, Vec<f64>>>,
}

impl PhaseSamples {
    /// One more of a phase.
    pub fn add(&mut self, phase: &'static str, ms: f64) {
        self.general.entry(phase).or_default().push(ms);
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.general.is_empty() && self.functions.is_empty()
    }
}

/// What an activation that ended tells of `[costs]`, in ms.
pub fn samples_of(activation: &Activation) -> impl Iterator<Item = (&'static str, f64)> {
    let of = |phase: Phase| activation.mark(phase).succeeded();
    let create = of(Phase::Create).map(|run| run + of(Phase::Inspect).unwrap_or(0));
    let run = if activation.mark(Phase::Init).start.is_some() { "first-run" } else { "run" };
    [
        ("pull", of(Phase::Pull)),
        ("create", create),
        ("init", of(Phase::Init)),
        (run, of(Phase::Run)),
        ("unpause", of(Phase::Unpause)),
        ("pause", of(Phase::Pause)),
        ("logs", of(Phase::CollectLogs)),
    ]
    .into_iter()
    .filter_map(|(name, ms)| Some((name, f64::from(ms?))))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn marked(marks: &[(Phase, u32, u32, bool)]) -> Activation {
        let mut activation = Activation::default();
        for (phase, start, end, failed) in marks {
            let mark = Mark { start: Some(*start), end: Some(*end), ms: Some(end - start), failed: *failed };
            activation.marks[*phase as usize] = mark;
        }
        activation
    }

    fn samples(activation: &Activation) -> Vec<(&'static str, f64)> {
        samples_of(activation).collect()
    }

    #[test]
    fn creating_is_running_and_inspecting() {
        let cold = marked(&[
            (Phase::Create, 10, 360, false),
            (Phase::Inspect, 360, 400, false),
            (Phase::Init, 404, 800, false),
            (Phase::Run, 801, 806, false),
        ]);
        assert_eq!(samples(&cold), [("create", 390.0), ("init", 396.0), ("first-run", 5.0)]);
        assert_eq!((cold.wait(), cold.duration(), cold.response()), (Some(404), Some(401), Some(806)));
    }

    #[test]
    fn failures_are_no_samples() {
        let failed = marked(&[(Phase::Create, 0, 60_000, true), (Phase::Inspect, 0, 5, false)]);
        assert_eq!(samples(&failed), []);
        let failed = marked(&[(Phase::Create, 0, 90, false), (Phase::Init, 100, 160, true)]);
        assert_eq!(samples(&failed), [("create", 90.0)]);
        assert_eq!((failed.duration(), failed.response()), (Some(60), Some(160)));
    }

    #[test]
    fn an_end_without_a_duration_is_measured_from_the_start() {
        let mark = Mark { start: Some(7), end: Some(9), ms: None, failed: false };
        assert_eq!((mark.took(), mark.is_open()), (Some(2), false));
        assert_eq!(Mark { start: Some(7), ..Mark::default() }.took(), None);
    }
}
