//! A whole live run: the pool and the backend that a scenario describes, the first line of the event log, the loop. Owns how they
//! fit together; must never count or write anything but the log.

use std::io::{self, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use tokio::sync::mpsc::UnboundedReceiver;

use super::backend::Backend;
use super::clock::{duration, since_1970, wall};
use super::containers::{ANSWER_LIMIT, Settings};
use super::driver::{Command, Driven, Limits, Run, Watcher, drive};
use super::plan::Plan;
use crate::eventlog::record::{Header, Machine, SCHEMA};
use crate::eventlog::{Record, Writer};
use crate::pool;
use crate::scenario::{PoolSetup, Scenario};
use crate::schedule::Schedule;
use crate::sim::{CostModel, controller};
use crate::trace::Trace;
use crate::worker;

/// How long a backend may take beyond the time limit of an action before it is given up: more than any limit of
/// its own (docs/specs/openwhisk.md §15: starting and removing, a minute each).
const BEYOND: Duration = Duration::from_secs(150);

/// How often prewarmed containers are pinged (`action-health-check.check-period`).
const PING_EVERY: Duration = Duration::from_secs(3);

/// What a run is made from.
pub struct Session<'a> {
    /// The scenario.
    pub scenario: &'a Scenario,
    /// Its pool.
    pub setup: &'a PoolSetup,
    /// Its trace.
    pub trace: &'a Trace,
    /// What each function runs.
    pub plan: &'a Plan,
    /// What the scenario says that things take: as policies may know beforehand, and how long imitated runs last.
    pub costs: &'a CostModel,
}

impl Session<'_> {
    /// The first line of the log.
    pub fn header(&self, backend: String, machine: Machine) -> Header {
        let Session { scenario, trace, plan, costs, .. } = self;
        Header {
            faassim: env!("CARGO_PKG_VERSION").to_owned(),
            schema: SCHEMA,
            started: humantime::format_rfc3339_seconds(wall()).to_string(),
            backend,
            machine,
            scenario_file: scenario.file.display().to_string(),
            scenario: scenario.text.clone(),
            overrides: scenario.overrides.iter().map(ToString::to_string).collect(),
            trace_sha256: trace.checksum.clone(),
            trace_path: scenario.trace.path.display().to_string(),
            trace_invocations: trace.len() as u64,
            arrivals: Schedule::new(scenario, trace).count() as u64,
            functions: plan.worker_functions(trace, costs),
            actions: plan.action_names(),
            loading_us: plan.loading(trace),
        }
    }

    /// What the containers of this run have in common. `functions`: those of the header.
    pub fn settings(&self, run: String, header: &Header) -> Settings {
        let Session { scenario, setup, plan, .. } = self;
        let live = &scenario.live;
        let kinds: Vec<String> =
            worker::kinds(setup, &header.functions).into_iter().map(str::to_owned).collect();
        let image = |kind: &String| {
            let found = plan.images.iter().find(|(known, _)| known == kind);
            found.map(|(_, image)| image.clone()).unwrap_or_default()
        };
        Settings {
            run,
            functions: plan.functions.clone(),
            images: kinds.iter().map(image).collect(),
            kinds,
            memory: scenario.memory,
            cpus: live.cpus,
            log_limit: live.log_limit.mib() << 20,
            answer_limit: ANSWER_LIMIT,
            ping_every: PING_EVERY,
        }
    }

    /// Runs it, to its end or as `commands` say, and leaves everything that happened in `log`.
    ///
    /// # Errors
    /// The first line cannot be written; nothing was started.
    pub async fn run<B: Backend, W: Write>(
        &self,
        backend: &Arc<B>,
        header: Header,
        log: W,
        watcher: &mut impl Watcher,
        commands: &mut UnboundedReceiver<Command>,
    ) -> io::Result<Driven> {
        let Session { scenario, setup, trace, costs, .. } = self;
        let (seed, memory) = (scenario.seed, scenario.memory);
        let mut pool = worker::make_pool(
            seed,
            memory,
            setup,
            &header.functions,
            worker::make_evict(seed, memory, setup),
        );
        let elastic = scenario.elastic.map(|elastic| controller(elastic, scenario, trace, costs, &mut ()));
        let mut log = Writer::new(log);
        log.write(&Record::Log(Box::new(header)))?;
        log.flush()?;
        let limits =
            Limits { drain: scenario.live.drain, answer: duration(scenario.live.time_limit) + BEYOND };
        let run = Run {
            backend,
            costs,
            // Fails only where it is stopped, and nobody does that.
            elastic: elastic.and_then(Result::ok),
            watcher,
            log: &mut log,
            commands,
            limits,
            rank: pool::order,
        };
        Ok(drive(&mut pool, Schedule::new(scenario, trace), run).await)
    }
}

/// A name for a run that no other on this machine has, of letters and digits.
pub fn run_name() -> String {
    static NTH: AtomicU32 = AtomicU32::new(0);
    let now = since_1970();
    let nth = NTH.fetch_add(1, Ordering::Relaxed);
    format!("{:x}x{:x}x{nth:x}", now.as_millis(), std::process::id())
}
