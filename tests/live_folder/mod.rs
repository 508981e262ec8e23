//! A folder with a live scenario in it, and runs started from there. Owns how they are started, stopped and watched; what must hold
//! is for the tests to say.

use std::fs;
use std::io::{Read as _, Write as _};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::sleep;
use std::time::{Duration, Instant};

use serde_json::Value;

/// What runs the containers.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Backend {
    Process,
    Docker,
    Auto,
}

impl Backend {
    fn name(self) -> &'static str {
        match self {
            Backend::Process => "process",
            Backend::Docker => "docker",
            Backend::Auto => "auto",
        }
    }
}

/// What a process can be sent.
#[derive(Clone, Copy, Debug)]
pub enum Signal {
    Interrupt,
    Kill,
}

/// Whether Docker tests can run; said loudly where they cannot.
pub fn docker() -> bool {
    let there = Command::new("docker").args(["image", "inspect", "faassim-python:plain"]).output();
    let there = there.is_ok_and(|output| output.status.success());
    let required = std::env::var("FAASSIM_DOCKER").is_ok_and(|value| value == "required");
    assert!(there || !required, "FAASSIM_DOCKER=required, but no engine has faassim-python:plain");
    if !there {
        eprintln!("DOCKER TESTS DID NOT RUN: no engine answers, or scripts/build-images.sh was not run");
    }
    there
}

pub fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// The folder.
pub struct Folder {
    dir: tempfile::TempDir,
    backend: Backend,
    /// Runs on Docker follow each other, so that a small machine keeps up.
    _turn: Option<MutexGuard<'static, ()>>,
}

static TURN: Mutex<()> = Mutex::new(());

/// A run under way.
pub struct Running {
    child: Child,
}

impl Folder {
    /// With the smoke scenario, under a name of its own.
    pub fn new(backend: Backend) -> Folder {
        let dir = tempfile::tempdir().expect("a temporary folder");
        let home = Path::new(env!("CARGO_MANIFEST_DIR"));
        let scenario = fs::read_to_string(home.join("scenarios/live-smoke.toml")).expect("there");
        let trace = home.join("traces/live-smoke");
        let scenario = scenario
            .replace("../traces/live-smoke", &trace.display().to_string())
            .replace("[live]\n", &format!("[live]\nactions = \"{}\"\n", home.join("actions").display()));
        fs::write(dir.path().join("smoke.toml"), scenario).expect("writable");
        // A test that failed had its turn, too.
        let turn = || TURN.lock().unwrap_or_else(PoisonError::into_inner);
        Folder { dir, backend, _turn: (backend == Backend::Docker).then(turn) }
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// Lets an action take so many ms.
    pub fn edit(&self, action: &str, ms: &str) {
        let text = fs::read_to_string(self.path("smoke.toml")).expect("there");
        let text = format!(
            "{text}\n[live.functions]\nhello = {{ action = \"{action}\", args = {{ run_ms = {ms} }} }}\n"
        );
        fs::write(self.path("smoke.toml"), text).expect("writable");
    }

    /// Puts a workload of these actions in place of the scenario's: each is called three times.
    pub fn replace(&self, actions: &[(&str, &str)]) {
        let (mut manifest, mut functions) =
            (String::new(), "function,memory_mb,cold_ms,warm_ms\n".to_owned());
        let mut invocations = "time_ms,function\n".to_owned();
        fs::create_dir(self.path("actions")).expect("a free name");
        fs::create_dir(self.path("trace")).expect("a free name");
        for (name, code) in actions {
            fs::write(self.path(&format!("actions/{name}.py")), code).expect("writable");
            manifest += &format!(
                "[[action]]\nname = \"{name}\"\nfile = \"{name}.py\"\nwhat = \"a test\"\nimage = \"plain\"\n\
                 memory = \"64 MiB\"\nrun = \"1 ms\"\ninit = \"1 ms\"\n"
            );
            functions += &format!("{name},64,500,1\n");
        }
        for nth in 0..3 * actions.len() {
            invocations += &format!("{},{}\n", nth * 300, actions[nth % actions.len()].0);
        }
        fs::write(self.path("actions/actions.toml"), manifest).expect("writable");
        fs::write(self.path("trace/functions.csv"), functions).expect("writable");
        fs::write(self.path("trace/invocations.csv"), invocations).expect("writable");
        let text = "[trace]\npath = \"trace\"\n[pool]\nmemory = \"4 GiB\"\n[live]\nmap = \"name\"\nactions = \"actions\"\n";
        fs::write(self.path("smoke.toml"), text).expect("writable");
    }

    /// `faassim` in the folder.
    pub fn faassim(&self, arguments: &[&str]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_faassim"));
        command.args(arguments).current_dir(self.dir.path()).stdin(Stdio::null());
        command.output().expect("it can be started")
    }

    /// `faassim live` in the folder, ready to be started.
    pub fn live(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_faassim"));
        command.args(["live", "smoke.toml", "-o", "out", "--backend", self.backend.name()]).args(arguments);
        command.current_dir(self.dir.path()).stdin(Stdio::null());
        command
    }

    pub fn start(&self, arguments: &[&str]) -> Running {
        self.start_with(arguments, None)
    }

    /// Starts a run; `host`: where it finds the engine.
    pub fn start_with(&self, arguments: &[&str], host: Option<&str>) -> Running {
        let mut command = self.live(arguments);
        if let Some(host) = host {
            command.env("DOCKER_HOST", host);
        }
        let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it can be started");
        Running { child }
    }

    /// Waits until so many activations have run.
    pub fn wait_for_runs(&self, many: usize) {
        let begun = Instant::now();
        loop {
            let log = fs::read_to_string(self.path("out.events.jsonl")).unwrap_or_default();
            if log.matches("\"ran\":").count() >= many {
                return;
            }
            assert!(begun.elapsed() < Duration::from_secs(60), "nothing runs: {log}");
            sleep(Duration::from_millis(50));
        }
    }

    pub fn summary(&self) -> Value {
        let text = fs::read_to_string(self.path("out/summary.json")).expect("there are results");
        serde_json::from_str(&text).expect("JSON")
    }

    /// The names of the runs that were started here.
    fn runs(&self) -> Vec<String> {
        let mut runs = Vec::new();
        let logs = ["out.events.jsonl", "out.events.1.jsonl", "out/events.jsonl", "killed/events.jsonl"];
        for log in logs {
            let text = fs::read_to_string(self.path(log)).unwrap_or_default();
            let name = text.split("\"sandbox\":\"faassim_").nth(1).and_then(|rest| rest.split('_').next());
            runs.extend(name.map(str::to_owned));
        }
        runs
    }

    /// Processes of runs that were started here.
    pub fn processes(&self) -> usize {
        let runs = self.runs();
        let entries = fs::read_dir("/proc").expect("this is Linux").flatten();
        let lines = entries.filter_map(|entry| fs::read(entry.path().join("cmdline")).ok());
        lines
            .filter(|line| runs.iter().any(|run| text(line).contains(&format!("faassim.run={run},"))))
            .count()
    }

    /// No container, network or process of a run that was started here.
    pub fn nothing_left(&self) {
        assert_eq!(self.processes(), 0);
        if self.backend != Backend::Docker {
            return;
        }
        for run in self.runs() {
            for what in ["container", "network"] {
                let all: &[&str] = if what == "container" { &["--all"] } else { &[] };
                let label = format!("label=faassim.run={run}");
                let found = Command::new("docker")
                    .args([what, "ls", "--quiet", "--filter", &label])
                    .args(all)
                    .output()
                    .expect("docker is there");
                for id in text(&found.stdout).lines() {
                    // An engine may forget to release a container that was being started (docs/live.md).
                    let removed =
                        Command::new("docker").args([what, "rm", id]).output().expect("docker is there");
                    let stuck = text(&removed.stderr).contains("has active endpoints");
                    assert!(what == "network" && stuck, "{what} {id} of {run}");
                }
            }
        }
    }
}

impl Running {
    pub fn signal(&self, signal: Signal) {
        let name = match signal {
            Signal::Interrupt => "-INT",
            Signal::Kill => "-KILL",
        };
        let sent = Command::new("kill").args([name, &self.child.id().to_string()]).status();
        assert!(sent.is_ok_and(|status| status.success()));
    }

    /// How it ended, which must be soon.
    pub fn wait(mut self, limit: Duration) -> Output {
        let begun = Instant::now();
        while self.child.try_wait().expect("it is ours").is_none() {
            if begun.elapsed() > limit {
                let _ = self.child.kill();
                let output = self.child.wait_with_output().expect("killed");
                panic!("it did not end within {limit:?}: {}", text(&output.stderr));
            }
            sleep(Duration::from_millis(20));
        }
        self.child.wait_with_output().expect("it has ended")
    }
}

/// An engine's socket by another way, which can be cut.
pub struct Proxy {
    pub host: String,
    path: PathBuf,
    cut: Arc<AtomicBool>,
}

impl Proxy {
    pub fn start(path: &Path) -> Proxy {
        let listener = UnixListener::bind(path).expect("a free path");
        let cut = Arc::new(AtomicBool::new(false));
        let is_cut = Arc::clone(&cut);
        std::thread::spawn(move || {
            for client in listener.incoming().flatten() {
                if is_cut.load(Ordering::Relaxed) {
                    return;
                }
                let Ok(engine) = UnixStream::connect("/var/run/docker.sock") else { continue };
                forward(&client, &engine, &is_cut);
                forward(&engine, &client, &is_cut);
            }
        });
        Proxy { host: format!("unix://{}", path.display()), path: path.to_owned(), cut }
    }

    /// From now on nobody answers.
    pub fn cut(&self) {
        self.cut.store(true, Ordering::Relaxed);
        // The one who accepts finds out by a last visit.
        let _ = UnixStream::connect(&self.path);
        let _ = fs::remove_file(&self.path);
    }
}

/// Copies until the end, or the cut.
fn forward(from: &UnixStream, to: &UnixStream, cut: &Arc<AtomicBool>) {
    let (mut from, mut to) = (from.try_clone().expect("it is open"), to.try_clone().expect("it is open"));
    let cut = Arc::clone(cut);
    from.set_read_timeout(Some(Duration::from_millis(100))).expect("a timeout");
    std::thread::spawn(move || {
        let mut block = [0; 1 << 14];
        while !cut.load(Ordering::Relaxed) {
            match from.read(&mut block) {
                Ok(0) => break,
                Ok(read) => {
                    if to.write_all(&block[..read]).is_err() {
                        break;
                    }
                }
                Err(error)
                    if matches!(
                        error.kind(),
                        std::io::ErrorKind::WouldBlock | std::io::ErrorKind::TimedOut
                    ) => {}
                Err(_) => break,
            }
        }
        let _ = to.shutdown(std::net::Shutdown::Both);
        let _ = from.shutdown(std::net::Shutdown::Both);
    });
}
