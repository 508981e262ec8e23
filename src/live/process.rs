//! The platform without containers: each sandbox is a python process of the user's that runs the same server. Owns
//! processes, their working folders and their memory limit; must never touch a process that does not carry the label of a
//! run, nor one whose owner is alive.
//!
//! Isolation is that of a user: no network or file system of its own, no share of the processor. Start costs are those of python
//! alone. Frozen is stopped (SIGSTOP), memory is limited by the server itself (RLIMIT_DATA).

mod leftovers;

use std::collections::BTreeMap;
use std::fs;
use std::net::{Ipv4Addr, SocketAddr};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process_group};
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt as _, AsyncRead, AsyncReadExt as _, BufReader};
use tokio::process::{Child, ChildStdout, Command};
use tokio::sync::{Semaphore, watch};
use tokio::time::{Instant, timeout};

use super::logs::{Printed, RunLogs};
use super::owner::Owner;
use super::platform::{Fate, Fault, Platform, SandboxSpec, StartFault, Started, Swept, Usage};

pub use leftovers::cleanup;

/// The server, as it is in the images.
const SERVER: &str = include_str!("../../actions/runtime/server.py");

/// How long python may take until the server listens.
const START_LIMIT: Duration = Duration::from_secs(30);

/// How long a killed process may take to end.
const KILL_LIMIT: Duration = Duration::from_secs(10);

/// Processes on this machine.
pub struct Process {
    python: PathBuf,
    version: String,
    label: String,
    folder: TempDir,
    starts: Semaphore,
    running: Mutex<BTreeMap<u32, String>>,
}

/// One process.
pub struct Sandbox {
    pid: u32,
    folder: PathBuf,
    /// Told that the process is to be killed by us.
    kill: watch::Sender<bool>,
    /// How it ended: the signal, if it was one that nobody here sent.
    ended: watch::Receiver<Option<Ended>>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Ended {
    ByUs,
    Killed,
    Exited,
}

impl Process {
    /// Processes of a run named `run`, of which at most `parallel_starts` are started at once.
    ///
    /// # Errors
    /// There is no python3, or no place for temporary files.
    pub async fn new(run: &str, parallel_starts: usize) -> Result<Process, Fault> {
        let python = PathBuf::from("python3");
        let version = Command::new(&python).arg("--version").output().await.map_err(|error| {
            Fault(format!("python3 cannot be started: {error}; install python 3.9 or later, or use Docker"))
        })?;
        let version = String::from_utf8_lossy(&version.stdout).trim().to_owned();
        let cannot =
            |error: std::io::Error| Fault(format!("cannot write the server to a temporary folder: {error}"));
        let folder = tempfile::Builder::new().prefix(leftovers::FOLDER).tempdir().map_err(cannot)?;
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o700)).map_err(cannot)?;
        leftovers::own(folder.path()).map_err(cannot)?;
        fs::write(folder.path().join("server.py"), SERVER).map_err(cannot)?;
        Ok(Process {
            python,
            version,
            label: leftovers::label(run, &Owner::this()),
            folder,
            starts: Semaphore::new(parallel_starts),
            running: Mutex::default(),
        })
    }

    fn running(&self) -> MutexGuard<'_, BTreeMap<u32, String>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn command(&self, spec: &SandboxSpec, folder: &Path) -> Command {
        let mut command = Command::new(&self.python);
        command
            .args(["-I", "-u"])
            .arg(self.folder.path().join("server.py"))
            .args(["--host", "127.0.0.1", "--port", "0", "--die-with-stdin"])
            .args(["--memory-mib", &spec.memory_mib.to_string(), "--label", &self.label])
            .current_dir(folder)
            .env_clear()
            .envs(spec.env.iter().map(|(name, value)| (name, value)))
            .env(leftovers::VARIABLE, &self.label)
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("HOME", folder)
            .env("TMPDIR", folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .process_group(0)
            .kill_on_drop(true);
        command
    }

    async fn start(&self, spec: &SandboxSpec, begun: Instant) -> Result<Started<Sandbox>, String> {
        let folder = self.folder.path().join(&spec.name);
        fs::create_dir(&folder).map_err(|error| format!("cannot make its folder: {error}"))?;
        let mut child = self.command(spec, &folder).spawn().map_err(|error| {
            format!(
                "python3 cannot be started: {error}; is it still installed, are there too many processes?"
            )
        })?;
        let create = begun.elapsed();
        let (Some(stdout), Some(stderr), Some(pid)) = (child.stdout.take(), child.stderr.take(), child.id())
        else {
            return Err("the process has no streams".to_owned());
        };
        let logs = Arc::new(RunLogs::default());
        let mut stdout = BufReader::new(stdout);
        let port = match timeout(START_LIMIT, port_of(&mut stdout)).await {
            Ok(Some(port)) => port,
            Ok(None) => return Err(format!("its server did not start: {}", last_words(stderr).await)),
            Err(_) => return Err(format!("its server did not listen within {} s", START_LIMIT.as_secs())),
        };
        let found = begun.elapsed() - create;
        pump(stdout, Printed::Out, &logs);
        pump(stderr, Printed::Err, &logs);
        self.running().insert(pid, spec.name.clone());
        let (kill, killed) = watch::channel(false);
        let (end, ended) = watch::channel(None);
        tokio::spawn(wait_for(child, killed, end));
        Ok(Started {
            sandbox: Sandbox { pid, folder, kill, ended },
            address: SocketAddr::from((Ipv4Addr::LOCALHOST, port)),
            logs,
            id: format!("{} (pid {pid})", spec.name),
            queued: Duration::ZERO,
            create,
            found,
        })
    }
}

impl Platform for Process {
    type Sandbox = Sandbox;

    fn describe(&self) -> String {
        format!("processes ({})", self.version)
    }

    async fn create(&self, spec: SandboxSpec) -> Result<Started<Sandbox>, StartFault> {
        let asked = Instant::now();
        // Never closed, so there is always a permit to wait for.
        let permit = self.starts.acquire().await;
        let begun = Instant::now();
        let started = self.start(&spec, begun).await;
        drop(permit);
        match started {
            Ok(started) => Ok(Started { queued: begun - asked, ..started }),
            Err(message) => {
                let _ = fs::remove_dir_all(self.folder.path().join(&spec.name));
                Err(StartFault { user_image: false, message: format!("process {}: {message}", spec.name) })
            }
        }
    }

    async fn pause(&self, sandbox: &Sandbox) -> Result<(), Fault> {
        sandbox.signal(Signal::STOP)
    }

    async fn resume(&self, sandbox: &Sandbox) -> Result<(), Fault> {
        sandbox.signal(Signal::CONT)
    }

    async fn remove(&self, sandbox: &Sandbox) -> Result<(), Fault> {
        sandbox.kill.send_replace(true);
        let mut ended = sandbox.ended.clone();
        let gone = timeout(KILL_LIMIT, ended.wait_for(Option::is_some)).await;
        if gone.is_err() {
            return Err(Fault(format!("process {} does not end", sandbox.pid)));
        }
        self.running().remove(&sandbox.pid);
        match fs::remove_dir_all(&sandbox.folder) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                Err(Fault(format!("cannot remove {}: {error}", sandbox.folder.display())))
            }
            _ => Ok(()),
        }
    }

    async fn usage(&self, sandbox: &Sandbox) -> Option<Usage> {
        let status = fs::read_to_string(format!("/proc/{}/status", sandbox.pid)).ok()?;
        let kib = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
        let kib: u64 = kib.trim().strip_suffix("kB")?.trim().parse().ok()?;
        let stat = fs::read_to_string(format!("/proc/{}/stat", sandbox.pid)).ok()?;
        let (_, rest) = stat.rsplit_once(')')?;
        // User, system, and both of children that were waited for: fields 14 to 17.
        let ticks: u64 =
            rest.split_whitespace().skip(11).take(4).filter_map(|field| field.parse::<u64>().ok()).sum();
        let tick_us = 1_000_000 / rustix::param::clock_ticks_per_second().max(1);
        Some(Usage { peak_memory_bytes: kib * 1024, cpu_us: ticks * tick_us })
    }

    async fn fate(&self, sandbox: &Sandbox) -> Fate {
        // A connection breaks a moment before its process can be waited for.
        let mut ended = sandbox.ended.clone();
        let gone = timeout(Duration::from_millis(200), ended.wait_for(Option::is_some)).await;
        match gone.ok().and_then(Result::ok).and_then(|ended| *ended) {
            None => Fate::Alive,
            // Nobody else kills but the kernel when memory is short.
            Some(Ended::Killed) => Fate::OutOfMemory,
            Some(Ended::ByUs | Ended::Exited) => Fate::Ended,
        }
    }

    async fn sweep(&self) -> Swept {
        let swept = leftovers::remove(|label| label == self.label).await;
        let mut removed: Vec<String> = Vec::new();
        let mut running = self.running();
        for pid in &swept.removed {
            removed.push(running.remove(pid).unwrap_or_else(|| format!("process {pid}")));
        }
        drop(running);
        // Folders of processes that were being started when it ended.
        for entry in fs::read_dir(self.folder.path()).into_iter().flatten().flatten() {
            if entry.path().is_dir() {
                let _ = fs::remove_dir_all(entry.path());
            }
        }
        Swept {
            removed,
            failed: swept.failed.iter().map(|pid| format!("process {pid} does not end")).collect(),
            stuck: Vec::new(),
        }
    }
}

impl Sandbox {
    fn signal(&self, signal: Signal) -> Result<(), Fault> {
        if self.ended.borrow().is_some() {
            return Err(Fault(format!("process {} has ended", self.pid)));
        }
        let group = i32::try_from(self.pid).ok().and_then(Pid::from_raw);
        let group = group.ok_or_else(|| Fault(format!("{} is no process", self.pid)))?;
        kill_process_group(group, signal).map_err(|error| Fault(format!("process {}: {error}", self.pid)))
    }
}

/// Waits until a process ends, or kills it and all its children when told to.
async fn wait_for(mut child: Child, mut killed: watch::Receiver<bool>, end: watch::Sender<Option<Ended>>) {
    use std::os::unix::process::ExitStatusExt as _;
    let group = child.id().and_then(|pid| i32::try_from(pid).ok()).and_then(Pid::from_raw);
    // Waiting would close it, and its end is the server's.
    let stdin = child.stdin.take();
    let status = tokio::select! {
        status = child.wait() => Some(status),
        _ = killed.wait_for(|killed| *killed) => None,
    };
    // Children of the action go with it, however it ended.
    if let Some(group) = group {
        let _ = kill_process_group(group, Signal::KILL);
    }
    let how = match status {
        None => {
            let _ = child.wait().await;
            Ended::ByUs
        }
        Some(Ok(status)) if status.signal() == Some(Signal::KILL.as_raw()) => Ended::Killed,
        Some(_) => Ended::Exited,
    };
    drop(stdin);
    end.send_replace(Some(how));
}

/// The port that the server tells on its first line.
async fn port_of(stdout: &mut BufReader<ChildStdout>) -> Option<u16> {
    let mut line = String::new();
    stdout.read_line(&mut line).await.ok()?;
    line.trim().strip_prefix("FAASSIM_PORT=")?.parse().ok()
}

/// What a process that did not start said.
async fn last_words(mut stderr: impl AsyncRead + Unpin) -> String {
    let mut words = Vec::new();
    let _ = timeout(Duration::from_secs(1), stderr.read_to_end(&mut words)).await;
    let words = String::from_utf8_lossy(&words).trim().to_owned();
    words.lines().last().unwrap_or("it said nothing").to_owned()
}

/// Hands what is printed to the logs, until the stream ends.
fn pump(mut from: impl AsyncRead + Unpin + Send + 'static, on: Printed, logs: &Arc<RunLogs>) {
    let logs = Arc::clone(logs);
    tokio::spawn(async move {
        let mut block = vec![0; 1 << 13];
        while let Ok(read @ 1..) = from.read(&mut block).await {
            logs.push(on, &block[..read]);
        }
        logs.end();
    });
}
