//! The process platform under the backend of real containers: a real python server, every way in which a run can go wrong, and
//! nothing left afterwards.

#![cfg(feature = "live")]

use std::fs;
use std::time::Duration;

use faassim::eventlog::Measured;
use faassim::ids::{ActivationId, ContainerId, FunctionId, KindId};
use faassim::live::backend::{Backend, Job, Order};
use faassim::live::containers::{Containers, Settings};
use faassim::live::plan::{ActionCode, FunctionPlan};
use faassim::live::platform::{Fate, Fault, Platform, SandboxSpec, StartFault, Started, Swept, Usage};
use faassim::live::process::Process;
use faassim::live::session::run_name;
use faassim::memory::Memory;
use faassim::pool::Input;
use faassim::pool::boundary::{Action, CreateFault, InitOutcome, RunOutcome, Status};
use faassim::time::{Span, Time};
use serde_json::json;

const C: ContainerId = ContainerId { slot: 0, epoch: 0 };
const LIMIT: Duration = Duration::from_millis(1_500);

/// One function that runs this code, on processes of a run of its own.
struct Bench<P: Platform> {
    backend: Containers<P>,
    run: String,
}

fn settings(run: &str, code: &str) -> Settings {
    let action =
        ActionCode { name: "test".to_owned(), code: code.to_owned(), binary: false, main: "main".to_owned() };
    let plan = FunctionPlan {
        name: "test-function; rm -rf /".to_owned(),
        action,
        image: String::new(),
        init_env: vec![("GREETING".to_owned(), "$(hello) `there`".to_owned())],
        args: json!({"n": 3}),
        run_ms_arg: Some("run_ms".to_owned()),
        time_limit: LIMIT,
        collect_logs: true,
    };
    Settings {
        run: run.to_owned(),
        functions: vec![plan],
        images: vec![String::new()],
        kinds: vec!["python:3".to_owned()],
        memory: Memory(1024),
        cpus: None,
        log_limit: 1 << 20,
        answer_limit: 1 << 20,
        ping_every: Duration::from_millis(50),
    }
}

async fn bench(code: &str) -> Bench<Process> {
    let run = run_name();
    let process = Process::new(&run, 2).await.expect("there is python3");
    Bench { backend: Containers::new(process, settings(&run, code)), run }
}

impl<P: Platform> Bench<P> {
    async fn order(&self, action: Action, number: u64) -> (Input, Measured) {
        let activation = ActivationId(number as u32);
        let job = Some(Job { activation, number, function: FunctionId(0), run: Span::from_ms(20) });
        let report = self.backend.carry_out(Order { now: Time::ZERO, action, job }).await.expect("an answer");
        (report.input, report.measured)
    }

    async fn create(&self) -> (Input, Measured) {
        let function = Some(FunctionId(0));
        self.order(Action::Create { container: C, function, kind: KindId(0), memory_mib: 128 }, 0).await
    }

    async fn init(&self) -> (Input, Measured) {
        let activation = Some(ActivationId(0));
        self.order(Action::Init { container: C, function: FunctionId(0), activation }, 0).await
    }

    async fn run(&self, number: u64) -> (RunOutcome, Measured) {
        let action = Action::Run { container: C, activation: ActivationId(number as u32), reschedule: false };
        let (input, measured) = self.order(action, number).await;
        let Input::Ran(C, _, outcome) = input else { panic!("{input:?} is no answer to a run") };
        (outcome, measured)
    }

    async fn logs(&self, number: u64) -> (bool, Measured) {
        let action = Action::CollectLogs { container: C, activation: ActivationId(number as u32) };
        let (input, measured) = self.order(action, number).await;
        let Input::LogsCollected(_, _, ok) = input else { panic!("{input:?} is no answer to that") };
        (ok, measured)
    }

    async fn destroy(&self) {
        assert_eq!(self.order(Action::Destroy(C), 0).await.0, Input::Destroyed(C));
    }

    /// Created and initialised.
    async fn ready(&self) {
        assert_eq!(self.create().await.0, Input::Created(C, Ok(())));
        let (input, measured) = self.init().await;
        assert_eq!(input, Input::Initialized(C, InitOutcome::Ok), "{measured:?}");
    }

    /// Servers of this run that are there.
    fn processes(&self) -> usize {
        self.labelled("cmdline")
    }

    /// Processes that have the label of this run in this file of theirs.
    fn labelled(&self, file: &str) -> usize {
        let entries = fs::read_dir("/proc").expect("this is Linux").flatten();
        let texts = entries.filter_map(|entry| fs::read(entry.path().join(file)).ok());
        texts
            .filter(|text| String::from_utf8_lossy(text).contains(&format!("faassim.run={},", self.run)))
            .count()
    }

    async fn close(&self) {
        let closing = self.backend.close().await;
        assert_eq!(closing.leftovers, Vec::<String>::new());
        assert_eq!((self.processes(), self.labelled("environ")), (0, 0));
        // Nor is a task left: of connections, of streams, of processes that were waited for.
        let tasks = || tokio::runtime::Handle::current().metrics().num_alive_tasks();
        for _ in 0..100 {
            if tasks() == 0 {
                break;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        assert_eq!(tasks(), 0);
    }
}

fn succeeded(outcome: RunOutcome) -> bool {
    outcome == RunOutcome::Answered(Status::Success)
}

#[tokio::test]
async fn a_whole_life_is_measured() {
    let code = "import os, sys\nprint('loaded')\ndef main(args):\n    print('out', args['n'])\n    print('err', file=sys.stderr)\n    \
                return {'run_ms': args['run_ms'], 'greeting': os.environ['GREETING'], 'name': os.environ['__OW_ACTION_NAME']}\n";
    let bench = bench(code).await;
    let (input, measured) = bench.create().await;
    assert_eq!(input, Input::Created(C, Ok(())));
    assert!(measured.address_us.is_some_and(|us| us > 0) && measured.took_us > 0, "{measured:?}");
    assert!(measured.sandbox.is_some_and(|name| name.contains("_1_guest_testfunctionrmrf (pid ")));
    assert_eq!(bench.processes(), 1);
    let (input, measured) = bench.init().await;
    assert_eq!(input, Input::Initialized(C, InitOutcome::Ok), "{measured:?}");
    let (outcome, measured) = bench.run(0).await;
    assert!(succeeded(outcome), "{measured:?}");
    assert!(measured.memory_bytes.is_some_and(|bytes| bytes > 4 << 20), "{measured:?}");
    let (ok, measured) = bench.logs(0).await;
    assert!(ok);
    assert_eq!(measured.log_bytes, Some("loaded\nout 3\nerr\n".len() as u64));
    for number in 1..4 {
        assert_eq!(bench.order(Action::Pause(C), 0).await.0, Input::Paused(C, true));
        assert_eq!(bench.order(Action::Resume(C), 0).await.0, Input::Resumed(C, true));
        assert!(succeeded(bench.run(number).await.0));
        assert_eq!(bench.logs(number).await.1.log_bytes, Some("out 3\nerr\n".len() as u64));
    }
    // Frozen ones are thawed before they go.
    assert_eq!(bench.order(Action::Pause(C), 0).await.0, Input::Paused(C, true));
    let (_, measured) = bench.order(Action::Destroy(C), 0).await;
    assert!(measured.unpause_us.is_some());
    assert_eq!(bench.processes(), 0);
    bench.close().await;
}

#[tokio::test]
async fn a_frozen_process_does_nothing() {
    let bench = bench("import time\ndef main(args):\n    time.sleep(0.2)\n    return {}\n").await;
    bench.ready().await;
    let run = bench.run(0);
    let freeze = async {
        tokio::time::sleep(Duration::from_millis(50)).await;
        bench.order(Action::Pause(C), 0).await;
        tokio::time::sleep(Duration::from_millis(600)).await;
        bench.order(Action::Resume(C), 0).await;
    };
    let ((outcome, measured), ()) = tokio::join!(run, freeze);
    assert!(succeeded(outcome));
    assert!(measured.took_us > 600_000, "{measured:?}");
    bench.close().await;
}

#[tokio::test]
async fn errors_of_the_action_have_their_class_and_words() {
    let bench = bench(
        "import os\ndef main(args):\n    n = os.environ['__OW_ACTIVATION_ID'][-1]\n    if n == '0':\n        raise ValueError('no good')\n    \
         if n == '1':\n        return {'error': {'code': 7}}\n    if n == '2':\n        return 7\n    os._exit(3)\n",
    )
    .await;
    bench.ready().await;
    let expected = [
        (Status::ApplicationError, "no good"),
        (Status::ApplicationError, "{\"code\":7}"),
        (Status::DeveloperError, "The action did not return a dictionary or array."),
        (Status::DeveloperError, "The action did not produce a valid response and exited unexpectedly."),
    ];
    for (number, (status, words)) in expected.into_iter().enumerate() {
        let (outcome, measured) = bench.run(number as u64).await;
        assert_eq!(outcome, RunOutcome::Answered(status));
        assert_eq!(measured.error.as_deref(), Some(words));
        // After a developer error nobody waits for sentinels.
        let (ok, measured) = bench.logs(number as u64).await;
        assert!(ok && measured.took_us < 1_000_000, "{measured:?}");
    }
    // It is gone, which the next run finds out.
    let (outcome, measured) = bench.run(5).await;
    assert_eq!(outcome, RunOutcome::Unreachable, "{measured:?}");
    bench.destroy().await;
    bench.close().await;
}

#[tokio::test]
async fn an_action_that_never_answers_is_ended_by_its_limit() {
    let bench = bench("import time\ndef main(args):\n    time.sleep(600)\n").await;
    bench.ready().await;
    let (outcome, measured) = bench.run(0).await;
    assert_eq!(outcome, RunOutcome::Answered(Status::DeveloperError));
    assert_eq!(measured.error.as_deref(), Some("The action exceeded its time limits of 1500 milliseconds."));
    assert!((1_500_000..2_500_000).contains(&measured.took_us), "{measured:?}");
    bench.destroy().await;
    assert_eq!(bench.processes(), 0);
    bench.close().await;
}

#[tokio::test]
async fn code_that_cannot_be_loaded_fails_the_initialisation() {
    for (code, words) in [
        ("def main(:\n", "during initialization: "),
        ("import no_such_module\n", "No module named 'no_such_module'"),
        ("x = 1\n", "the code has no function 'main'"),
        ("import os\nos._exit(1)\n", "The action did not initialize and exited unexpectedly."),
        (
            "import time\ntime.sleep(60)\n",
            "exceeded its time limits of 1500 milliseconds during initialization.",
        ),
    ] {
        let bench = bench(code).await;
        bench.create().await;
        let (input, measured) = bench.init().await;
        assert_eq!(input, Input::Initialized(C, InitOutcome::Failed(Status::DeveloperError)), "{code}");
        assert!(measured.error.as_ref().is_some_and(|error| error.contains(words)), "{code}: {measured:?}");
        let (ok, measured) = bench.logs(0).await;
        assert!(ok && measured.took_us < 100_000, "{measured:?}");
        bench.destroy().await;
        bench.close().await;
    }
}

#[tokio::test]
async fn memory_is_limited() {
    let bench = bench("def main(args):\n    return {'n': len(bytearray(700 << 20))}\n").await;
    bench.ready().await;
    let (outcome, measured) = bench.run(0).await;
    assert!(!succeeded(outcome), "{measured:?}");
    bench.destroy().await;
    bench.close().await;
}

#[tokio::test]
async fn several_run_at_once_in_one_process() {
    let bench = bench("import time\ndef main(args):\n    time.sleep(0.5)\n    return {}\n").await;
    bench.ready().await;
    let begun = std::time::Instant::now();
    let (a, b, c) = tokio::join!(bench.run(0), bench.run(1), bench.run(2));
    assert!([a.0, b.0, c.0].into_iter().all(succeeded));
    assert!(begun.elapsed() < Duration::from_millis(1_300));
    for number in 0..3 {
        assert!(bench.logs(number).await.0);
    }
    bench.close().await;
}

#[tokio::test]
async fn a_flood_of_output_is_cut_and_a_large_answer_too() {
    let bench = bench(
        "import sys\ndef main(args):\n    for _ in range(3000):\n        print('x' * 1000)\n    return {'a': 'y' * (2 << 20)}\n",
    )
    .await;
    bench.ready().await;
    let (outcome, measured) = bench.run(0).await;
    assert_eq!(outcome, RunOutcome::Answered(Status::ApplicationError));
    assert!(measured.error.is_some_and(|error| error.contains("exceeded the allowed length")));
    let (ok, measured) = bench.logs(0).await;
    assert!(ok);
    assert_eq!(measured.log_bytes, Some(3_003_000));
    bench.close().await;
}

#[tokio::test]
async fn pings_tell_when_a_prewarmed_process_is_dead() {
    let bench = bench("def main(args):\n    return {}\n").await;
    bench.create().await;
    let ping = |on| {
        let action = Action::HealthPing(C, on);
        bench.backend.carry_out(Order { now: Time::ZERO, action, job: None })
    };
    let watching = tokio::spawn(ping(true));
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert!(!watching.is_finished());
    // Ended pings say nothing.
    assert!(ping(false).await.is_none());
    assert!(watching.await.expect("no panic").is_none());
    let watching = tokio::spawn(ping(true));
    let killed = std::process::Command::new("pkill")
        .args(["-9", "-f", &format!("faassim.run={},", bench.run)])
        .status();
    assert!(killed.expect("pkill is there").success());
    let report = watching.await.expect("no panic").expect("it is dead");
    assert_eq!(report.input, Input::HealthFailed(C));
    bench.close().await;
}

#[tokio::test]
async fn what_is_still_there_at_the_end_is_removed() {
    let bench =
        bench("import subprocess\nsubprocess.Popen(['sleep', '600'])\ndef main(args):\n    return {}\n")
            .await;
    bench.ready().await;
    bench.order(Action::Pause(C), 0).await;
    assert_eq!(bench.processes(), 1);
    let closing = bench.backend.close().await;
    assert_eq!((closing.removed, closing.leftovers.len()), (1, 0));
    assert_eq!(bench.processes(), 0);
}

#[tokio::test]
async fn a_child_that_went_its_own_way_is_removed_with_its_run() {
    let bench = bench(
        "import subprocess\n\
         def main(args):\n    \
         nul = subprocess.DEVNULL\n    \
         subprocess.Popen(['sleep', '600'], start_new_session=True, stdin=nul, stdout=nul, stderr=nul)\n    \
         return {}\n",
    )
    .await;
    bench.ready().await;
    assert!(succeeded(bench.run(0).await.0));
    bench.destroy().await;
    assert_eq!((bench.processes(), bench.labelled("environ")), (0, 1), "it is in no group of ours");
    let closing = bench.backend.close().await;
    assert_eq!((closing.removed, closing.leftovers.len()), (1, 0));
    bench.close().await;
}

/// A platform on which things fail when they are told to.
struct Failing {
    inner: Process,
    removals: std::sync::atomic::AtomicU32,
}

impl Platform for Failing {
    type Sandbox = faassim::live::process::Sandbox;

    fn describe(&self) -> String {
        self.inner.describe()
    }

    async fn create(&self, spec: SandboxSpec) -> Result<Started<Self::Sandbox>, StartFault> {
        if spec.memory_mib == 1 {
            return Err(StartFault { user_image: true, message: "no such image".to_owned() });
        }
        self.inner.create(spec).await
    }

    async fn pause(&self, _: &Self::Sandbox) -> Result<(), Fault> {
        Err(Fault("cannot freeze".to_owned()))
    }

    async fn resume(&self, sandbox: &Self::Sandbox) -> Result<(), Fault> {
        self.inner.resume(sandbox).await
    }

    async fn remove(&self, sandbox: &Self::Sandbox) -> Result<(), Fault> {
        use std::sync::atomic::Ordering::Relaxed;
        match self.removals.fetch_add(1, Relaxed) {
            0 => Err(Fault("cannot remove".to_owned())),
            _ => self.inner.remove(sandbox).await,
        }
    }

    async fn usage(&self, _: &Self::Sandbox) -> Option<Usage> {
        None
    }

    async fn fate(&self, sandbox: &Self::Sandbox) -> Fate {
        self.inner.fate(sandbox).await
    }

    async fn sweep(&self) -> Swept {
        self.inner.sweep().await
    }
}

#[tokio::test]
async fn failures_of_the_platform_are_told_and_made_good() {
    let run = run_name();
    let inner = Process::new(&run, 1).await.expect("there is python3");
    let platform = Failing { inner, removals: 0.into() };
    let bench =
        Bench { backend: Containers::new(platform, settings(&run, "def main(args):\n    return {}\n")), run };
    let refused = Action::Create { container: C, function: None, kind: KindId(0), memory_mib: 1 };
    let (input, measured) = bench.order(refused, 0).await;
    assert_eq!(input, Input::Created(C, Err(CreateFault::UserImage)));
    assert_eq!(measured.error.as_deref(), Some("no such image"));
    bench.ready().await;
    let (input, measured) = bench.order(Action::Pause(C), 0).await;
    assert_eq!((input, measured.error.as_deref()), (Input::Paused(C, false), Some("cannot freeze")));
    let (outcome, measured) = bench.run(0).await;
    assert!(succeeded(outcome) && measured.memory_bytes.is_none());
    // The pool is told that it is gone, as OpenWhisk's is; it is removed at the end.
    let (input, measured) = bench.order(Action::Destroy(C), 0).await;
    assert_eq!((input, measured.error.as_deref()), (Input::Destroyed(C), Some("cannot remove")));
    assert_eq!(bench.processes(), 1);
    bench.close().await;
}

#[tokio::test]
async fn an_order_about_nobody_is_not_answered() {
    let bench = bench("").await;
    let action = Action::Pause(C);
    assert!(bench.backend.carry_out(Order { now: Time::ZERO, action, job: None }).await.is_none());
    bench.close().await;
}
