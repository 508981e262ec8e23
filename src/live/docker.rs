//! The platform whose sandboxes are Docker containers, made as OpenWhisk's invoker makes them
//! (docs/specs/openwhisk.md §15) but through the engine's API. Owns what is asked of the engine and the time
//! limits; must never know the pool or the runtime protocol, nor touch a container or network without our
//! labels.
//!
//! | file | what |
//! |-|-|
//! | [`engine`] | finding the engine, and what its errors mean |
//! | [`images`] | whether an image is here, and fetching it |
//! | [`network`] | the network of a run, and how containers are reached from here |
//! | [`container`] | what a container is created with |
//! | [`output`] | what a container prints |
//! | [`cgroup`] | what a container uses |
//! | [`removal`] | removing containers and networks |

pub mod cgroup;
pub mod container;
pub mod engine;
pub mod images;
pub mod network;
pub mod output;
pub mod removal;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use bollard::models::{ContainerInspectResponse, ContainerState};
use bollard::query_parameters::{AttachContainerOptionsBuilder, CreateContainerOptionsBuilder};
use tokio::sync::{OnceCell, Semaphore};
use tokio::time::{sleep, timeout};

use self::cgroup::Cgroup;
use self::engine::{is_absent, told};
use self::images::Images;
use self::network::RunNetwork;
use self::output::Follower;
use super::logs::RunLogs;
use super::platform::{Fate, Fault, Platform, SandboxSpec, StartFault, Started, Swept, Usage};

/// Label with the run that a container or network belongs to.
pub const RUN_LABEL: &str = "faassim.run";

/// Label with the process that answers for it: `HOST/PID/STARTTIME`.
pub const OWNER_LABEL: &str = "faassim.owner";

/// How long freezing or thawing may take.
const PAUSE_LIMIT: Duration = Duration::from_secs(10);

/// How long after its end a container may still be told to run.
const SEEN_TO_END: Duration = Duration::from_millis(200);

/// For how long an out-of-memory kill may not have been noted yet.
const OOM_LIMIT: Duration = Duration::from_secs(2);

/// Between two looks at a container.
const POLL: Duration = Duration::from_millis(50);

/// Most containers that may be starting at once.
const MOST_STARTS: usize = 1024;

/// Exit code of a process that was killed, as the kernel does when memory is short.
const KILLED: i64 = 137;

/// What a run asks of the engine.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Options {
    /// Names the run, unlike any other on this machine: letters and digits.
    pub run: String,
    /// Names the process that answers for the run: `HOST/PID/STARTTIME`.
    pub owner: String,
    /// How many containers may be starting at once, 1 to 1024.
    pub parallel_starts: usize,
    /// Whether images that are not here are fetched.
    pub pull: bool,
    /// Whether containers may reach the network.
    pub network: bool,
    /// Whether containers are reached by published ports even where the bridge can be reached.
    pub publish: bool,
    /// Images of the user: what is wrong with them is not the platform's fault.
    pub user_images: BTreeSet<String>,
}

/// A Docker engine, as one run uses it.
#[derive(Clone, Debug)]
pub struct Docker(Arc<Engine>);

/// What all calls share.
#[derive(Debug)]
struct Engine {
    client: bollard::Docker,
    host: String,
    version: String,
    options: Options,
    starts: Semaphore,
    images: Images,
    network: OnceCell<RunNetwork>,
}

/// A container of this run. Dropping it ends the reading of its output, but does not remove it.
#[derive(Debug)]
pub struct Container {
    id: String,
    name: String,
    /// Frozen, or about to be.
    paused: AtomicBool,
    cgroup: Option<Cgroup>,
    follower: Follower,
}

impl Container {
    /// Its id in the engine.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }
}

impl Docker {
    /// Connects to the engine that `DOCKER_HOST` names, or the one on the default socket.
    ///
    /// # Errors
    /// None answers within 2 s, or it is not one that runs Linux containers.
    pub async fn connect(options: Options) -> Result<Self, Fault> {
        Self::connect_to(&engine::host(), options).await
    }

    /// Connects to the engine at `host`, written as `DOCKER_HOST` is.
    ///
    /// # Errors
    /// It does not answer within 2 s, or it is not one that runs Linux containers.
    pub async fn connect_to(host: &str, mut options: Options) -> Result<Self, Fault> {
        options.parallel_starts = options.parallel_starts.clamp(1, MOST_STARTS);
        let (client, version) = engine::connect(host).await?;
        Ok(Self(Arc::new(Engine {
            client,
            host: host.to_owned(),
            version,
            starts: Semaphore::new(options.parallel_starts),
            images: Images::new(options.pull),
            network: OnceCell::new(),
            options,
        })))
    }

    /// Whether an engine answers.
    pub async fn answers() -> bool {
        engine::connect(&engine::host()).await.is_ok()
    }

    /// Those of the images that are not here.
    pub async fn missing_images(&self, images: &[String]) -> Vec<String> {
        images::missing(&self.0.client, images).await
    }

    /// Removes the containers and networks that carry our labels and whose owner is not alive. `alive` is
    /// told the owner as the label has it.
    pub async fn cleanup(&self, alive: impl Fn(&str) -> bool) -> Swept {
        removal::remove_orphans(&self.0.client, alive).await
    }
}

impl Engine {
    /// Creates and starts a container. Runs in a task of its own, so that it never stops half-way.
    async fn start(self: Arc<Self>, spec: SandboxSpec) -> Result<Started<Container>, StartFault> {
        let asked = Instant::now();
        let system = |message| StartFault { user_image: false, message };
        // Held to the end: `sweep` waits for it.
        let _permit = self.starts.acquire().await.map_err(|_| system("the run is over".to_owned()))?;
        let user_image = self.options.user_images.contains(&spec.image);
        self.images
            .provide(&self.client, &spec.image)
            .await
            .map_err(|Fault(message)| StartFault { user_image, message })?;
        let network = self
            .network
            .get_or_try_init(|| RunNetwork::make(&self.client, &self.host, &self.options))
            .await
            .map_err(|Fault(message)| system(message))?;
        let queued = asked.elapsed();

        let begun = Instant::now();
        let name = CreateContainerOptionsBuilder::new().name(&spec.name).build();
        let body = container::body(&spec, network, &self.options);
        let made = match self.client.create_container(Some(name), body).await {
            Ok(made) => made,
            Err(error) => {
                if is_absent(&error) {
                    self.images.forget(&spec.image).await;
                }
                return Err(container::start_fault(&spec, user_image, &told(&error)));
            }
        };
        match self.bring_up(&spec, &made.id, network, user_image).await {
            Ok(up) => {
                let id = made.id.get(..12).unwrap_or(&made.id);
                let id = format!("{} ({id})", spec.name);
                let create = up.started - begun;
                let found = up.started.elapsed();
                let Up { sandbox, address, logs, .. } = up;
                Ok(Started { sandbox, address, logs, id, queued, create, found })
            }
            Err(mut fault) => {
                if let Err(Fault(left)) = removal::remove(&self.client, &made.id, false).await {
                    fault.message = format!("{}; and what was created of it is left: {left}", fault.message);
                }
                Err(fault)
            }
        }
    }

    /// Follows the output of a new container, starts it and learns its address.
    async fn bring_up(
        &self,
        spec: &SandboxSpec,
        id: &str,
        network: &RunNetwork,
        user_image: bool,
    ) -> Result<Up, StartFault> {
        let faulty = |error: bollard::errors::Error| container::start_fault(spec, user_image, &told(&error));
        // Before it is started, so that not a byte is missed.
        let attach = AttachContainerOptionsBuilder::new().stream(true).stdout(true).stderr(true).build();
        let attached = self.client.attach_container(id, Some(attach)).await.map_err(faulty)?;
        let logs = Arc::new(RunLogs::default());
        let follower = Follower::new(attached.output, Arc::clone(&logs));
        self.client.start_container(id, None).await.map_err(faulty)?;
        let started = Instant::now();
        let seen = self.client.inspect_container(id, None).await.map_err(faulty)?;
        let Some(address) = network.address(&seen) else {
            return Err(no_address(spec, user_image, &seen));
        };
        network.settle(address).await;
        let pid = state(seen).pid.unwrap_or(0);
        let sandbox = Container {
            id: id.to_owned(),
            name: spec.name.clone(),
            paused: AtomicBool::new(false),
            cgroup: Cgroup::of(pid, id),
            follower,
        };
        Ok(Up { sandbox, address, logs, started })
    }

    async fn inspect(&self, id: &str) -> Result<ContainerState, bollard::errors::Error> {
        self.client.inspect_container(id, None).await.map(state)
    }
}

/// A container that runs.
struct Up {
    sandbox: Container,
    address: std::net::SocketAddr,
    logs: Arc<RunLogs>,
    started: Instant,
}

fn state(seen: ContainerInspectResponse) -> ContainerState {
    seen.state.unwrap_or_default()
}

/// Why a container that was started has no address.
fn no_address(spec: &SandboxSpec, user_image: bool, seen: &ContainerInspectResponse) -> StartFault {
    let state = seen.state.clone().unwrap_or_default();
    let SandboxSpec { name, image, .. } = spec;
    if state.running == Some(true) {
        let message = format!("container {name} of image {image} has no address in its network");
        return StartFault { user_image: false, message };
    }
    let code = state.exit_code.unwrap_or_default();
    let message =
        format!("container {name} ended at once with code {code}; does image {image} start a server?");
    StartFault { user_image, message }
}

/// What to make of the answer to an order that has a time limit. One that says `harmless` is as good as done.
fn in_time<T>(
    what: &str,
    container: &Container,
    done: Result<Result<T, bollard::errors::Error>, tokio::time::error::Elapsed>,
    harmless: &str,
) -> Result<(), Fault> {
    let name = &container.name;
    match done {
        Ok(Ok(_)) => Ok(()),
        Ok(Err(error)) => match told(&error) {
            text if text.contains(harmless) => Ok(()),
            text => Err(Fault(format!("container {name} could not be {what}: {text}"))),
        },
        Err(_) => {
            let limit = PAUSE_LIMIT.as_secs();
            Err(Fault(format!("container {name} could not be {what}: the engine took more than {limit} s")))
        }
    }
}

impl Platform for Docker {
    type Sandbox = Container;

    fn describe(&self) -> String {
        format!("docker {}", self.0.version)
    }

    async fn create(&self, spec: SandboxSpec) -> Result<Started<Container>, StartFault> {
        let name = spec.name.clone();
        tokio::spawn(Arc::clone(&self.0).start(spec)).await.unwrap_or_else(|error| {
            Err(StartFault {
                user_image: false,
                message: format!("starting container {name} failed: {error}"),
            })
        })
    }

    async fn pause(&self, sandbox: &Container) -> Result<(), Fault> {
        sandbox.paused.store(true, Ordering::SeqCst);
        let done = timeout(PAUSE_LIMIT, self.0.client.pause_container(&sandbox.id)).await;
        in_time("paused", sandbox, done, "already paused")
    }

    async fn resume(&self, sandbox: &Container) -> Result<(), Fault> {
        let done = timeout(PAUSE_LIMIT, self.0.client.unpause_container(&sandbox.id)).await;
        in_time("unpaused", sandbox, done, "is not paused")?;
        sandbox.paused.store(false, Ordering::SeqCst);
        Ok(())
    }

    async fn remove(&self, sandbox: &Container) -> Result<(), Fault> {
        let paused = sandbox.paused.load(Ordering::SeqCst);
        let removed = removal::remove(&self.0.client, &sandbox.id, paused).await;
        sandbox.follower.finish().await;
        removed.map_err(|Fault(cause)| {
            Fault(format!("container {} could not be removed: {cause}", sandbox.name))
        })
    }

    async fn usage(&self, sandbox: &Container) -> Option<Usage> {
        sandbox.cgroup.as_ref()?.usage()
    }

    async fn fate(&self, sandbox: &Container) -> Fate {
        let begun = Instant::now();
        loop {
            let fate = match self.0.inspect(&sandbox.id).await {
                Err(error) if is_absent(&error) => return Fate::Ended,
                Err(_) => Fate::Alive,
                Ok(state) if state.oom_killed == Some(true) => return Fate::OutOfMemory,
                // One whose connection broke may take a moment to be seen to have ended.
                Ok(state) if state.running == Some(true) && begun.elapsed() >= SEEN_TO_END => {
                    return Fate::Alive;
                }
                Ok(state) if state.running == Some(true) => Fate::Alive,
                Ok(state) if state.exit_code != Some(KILLED) => return Fate::Ended,
                // Killed; whether for want of memory may still be to be told.
                Ok(_) => Fate::Ended,
            };
            if begun.elapsed() >= OOM_LIMIT {
                return fate;
            }
            sleep(POLL).await;
        }
    }

    async fn sweep(&self) -> Swept {
        // Starts under way end first: what they make would be missed.
        let all = u32::try_from(self.0.options.parallel_starts).unwrap_or(u32::MAX);
        let _permits = timeout(removal::LIMIT, self.0.starts.acquire_many(all)).await;
        removal::remove_run(&self.0.client, &self.0.options.run).await
    }
}
