//! What goes into a container: code, runs, and their logs back out. Owns the messages of the runtime protocol
//! (docs/specs/openwhisk.md §16) and which fact an answer is; must never retry a run.

use std::sync::PoisonError;
use std::sync::atomic::Ordering;
use std::time::Duration;

use serde_json::{Map, Value, json};
use tokio::time::Instant;

use super::super::backend::{Job, Report};
use super::super::clock::since_1970;
use super::super::plan::FunctionPlan;
use super::super::platform::{Fate, Platform};
use super::super::protocol::{CallFault, Reply};
use super::{Living, Shared, There, us};
use crate::eventlog::Measured;
use crate::ids::{ActivationId, ContainerId, FunctionId};
use crate::openwhisk::response::{
    InitResponse, RunReply, RunResponse, classify_init_response, classify_run_response,
};
use crate::pool::Input;
use crate::pool::boundary::{InitOutcome, RunOutcome, Status};

impl<P: Platform> Shared<P> {
    pub(super) async fn init(
        &self,
        living: &Living<P>,
        there: &There<P>,
        id: ContainerId,
        function: FunctionId,
        job: Option<Job>,
    ) -> Report {
        let Some(plan) = self.settings.functions.get(function.ix()) else {
            let error = Some(format!("nothing is planned for function {}", function.0));
            let input = Input::Initialized(id, InitOutcome::Unexpected);
            return Report { input, measured: Measured { error, ..Measured::default() } };
        };
        let begun = Instant::now();
        let message = init_message(plan, &self.settings.run, job);
        let alive = || async { self.platform.fate(&there.sandbox).await == Fate::Alive };
        let reply = there.client.post_until_reached("/init", &message, plan.time_limit, alive).await;
        let took = begun.elapsed();
        let (reply, refused) = reply;
        let response = match &reply {
            Ok(reply) => classify_init_response(heard(reply), ms(took), ms(plan.time_limit)),
            Err(CallFault::TimedOut) => {
                classify_init_response(RunReply::Nothing, ms(plan.time_limit), ms(plan.time_limit))
            }
            Err(_) => classify_init_response(self.silence(there).await, ms(took), ms(plan.time_limit)),
        };
        let (outcome, error) = match response {
            InitResponse::Ready => (InitOutcome::Ok, None),
            InitResponse::ShuttingDown => {
                (InitOutcome::ShuttingDown, Some("the runtime is going away".to_owned()))
            }
            InitResponse::Failed(text) => (InitOutcome::Failed(Status::DeveloperError), Some(text)),
        };
        if outcome != InitOutcome::Ok
            && let Some(job) = job
        {
            living.has_failed(job.activation);
        }
        self.measure_cpu(living, there).await;
        let measured = Measured { took_us: us(took), refused: Some(refused), error, ..Measured::default() };
        Report { input: Input::Initialized(id, outcome), measured }
    }

    pub(super) async fn run(
        &self,
        living: &Living<P>,
        there: &There<P>,
        id: ContainerId,
        job: Job,
    ) -> Report {
        let Some(plan) = self.settings.functions.get(job.function.ix()) else {
            let outcome = RunOutcome::Answered(Status::SystemError);
            return Report { input: Input::Ran(id, job.activation, outcome), measured: Measured::default() };
        };
        let message = run_message(plan, &self.settings.run, job);
        let begun = Instant::now();
        let reply = there.client.post("/run", &message, plan.time_limit).await;
        let took = begun.elapsed();
        let limit = ms(plan.time_limit);
        let (outcome, error) = match &reply {
            Err(CallFault::Unreachable(why)) => (RunOutcome::Unreachable, Some(why.clone())),
            Err(CallFault::TimedOut) => answered(classify_run_response(RunReply::Nothing, limit, limit)),
            Err(CallFault::Broken(_)) => {
                // A connection that broke early says nothing about time.
                let silence = self.silence(there).await;
                answered(classify_run_response(silence, ms(took).min(limit.saturating_sub(1)), limit))
            }
            Ok(reply) => answered(classify_run_response(heard(reply), ms(took), limit)),
        };
        if !matches!(outcome, RunOutcome::Answered(Status::Success | Status::ApplicationError)) {
            living.has_failed(job.activation);
        }
        let (memory_bytes, cpu_us) = self.measure_cpu(living, there).await;
        let measured = Measured { took_us: us(took), memory_bytes, cpu_us, error, ..Measured::default() };
        Report { input: Input::Ran(id, job.activation, outcome), measured }
    }

    pub(super) async fn collect(
        &self,
        living: &Living<P>,
        there: &There<P>,
        id: ContainerId,
        activation: ActivationId,
    ) -> Report {
        let begun = Instant::now();
        let failed = living.failed.lock().unwrap_or_else(PoisonError::into_inner).remove(&activation);
        let found = if failed {
            Ok(there.logs.collect_now())
        } else {
            there.logs.collect(self.settings.log_limit).await
        };
        let ok = found.is_ok();
        let error = (!ok).then(|| format!("the logs of {} did not come to an end", there.id));
        let log_bytes = found.ok();
        let measured = Measured { took_us: us(begun.elapsed()), log_bytes, error, ..Measured::default() };
        Report { input: Input::LogsCollected(id, activation, ok), measured }
    }

    /// Why there was no answer.
    async fn silence(&self, there: &There<P>) -> RunReply<'static> {
        match self.platform.fate(&there.sandbox).await {
            Fate::OutOfMemory => RunReply::MemoryExhausted,
            Fate::Alive | Fate::Ended => RunReply::Nothing,
        }
    }

    /// Memory so far, and processor time since this was last asked.
    async fn measure_cpu(&self, living: &Living<P>, there: &There<P>) -> (Option<u64>, Option<u64>) {
        let Some(usage) = self.platform.usage(&there.sandbox).await else { return (None, None) };
        let before = living.cpu_us.swap(usage.cpu_us, Ordering::Relaxed);
        (Some(usage.peak_memory_bytes), Some(usage.cpu_us.saturating_sub(before)))
    }
}

impl<P: Platform> Living<P> {
    fn has_failed(&self, activation: ActivationId) {
        self.failed.lock().unwrap_or_else(PoisonError::into_inner).insert(activation);
    }
}

fn answered(response: RunResponse) -> (RunOutcome, Option<String>) {
    match response {
        RunResponse::ShuttingDown => (RunOutcome::ShuttingDown, Some("the runtime is going away".to_owned())),
        RunResponse::Ended { status: status @ Status::Success, .. } => (RunOutcome::Answered(status), None),
        RunResponse::Ended { status, result } => {
            let error = match result.get("error") {
                Some(Value::String(text)) => text.clone(),
                Some(other) => other.to_string(),
                None => result.to_string(),
            };
            (RunOutcome::Answered(status), Some(cut(error)))
        }
    }
}

/// An error may quote a whole answer.
fn cut(text: String) -> String {
    const MOST: usize = 400;
    if text.chars().count() <= MOST { text } else { text.chars().take(MOST).chain(['…']).collect() }
}

fn heard(reply: &Reply) -> RunReply<'_> {
    RunReply::Http { status: reply.status, body: &reply.body, truncated: reply.truncated }
}

fn ms(duration: Duration) -> u64 {
    duration.as_millis() as u64
}

/// An activation id as OpenWhisk has them, 32 hexadecimal digits: the run, and the number in it.
fn activation_id(run: &str, number: u64) -> String {
    // FNV-1a of the run's name: any two runs differ, and the numbers within one are in order.
    let hash = run.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    });
    format!("{hash:016x}{number:016x}")
}

/// When the limit is over, in ms since 1970.
fn deadline(limit: Duration) -> String {
    (since_1970() + limit).as_millis().to_string()
}

fn init_message(plan: &FunctionPlan, run: &str, job: Option<Job>) -> Value {
    let mut env: Map<String, Value> =
        plan.init_env.iter().map(|(name, value)| (name.clone(), Value::String(value.clone()))).collect();
    let id = job.map(|job| activation_id(run, job.number));
    let fields = [
        ("__OW_NAMESPACE", "guest".to_owned()),
        ("__OW_ACTION_NAME", format!("/guest/{}", plan.name)),
        ("__OW_ACTION_VERSION", "0.0.1".to_owned()),
        ("__OW_ACTIVATION_ID", id.clone().unwrap_or_default()),
        ("__OW_TRANSACTION_ID", id.unwrap_or_default()),
        ("__OW_DEADLINE", deadline(plan.time_limit)),
    ];
    env.extend(fields.map(|(name, value)| (name.to_owned(), Value::String(value))));
    let action = &plan.action;
    json!({"value": {
        "name": plan.name,
        "main": action.main,
        "code": action.code,
        "binary": action.binary,
        "env": env,
    }})
}

fn run_message(plan: &FunctionPlan, run: &str, job: Job) -> Value {
    let mut args = plan.args.clone();
    if let (Some(name), Some(object)) = (&plan.run_ms_arg, args.as_object_mut()) {
        object.insert(name.clone(), json!(job.run.as_ms_f64()));
    }
    let id = activation_id(run, job.number);
    json!({
        "value": args,
        "namespace": "guest",
        "action_name": format!("/guest/{}", plan.name),
        "action_version": "0.0.1",
        "activation_id": id,
        "transaction_id": id,
        "deadline": deadline(plan.time_limit),
    })
}
