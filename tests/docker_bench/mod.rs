//! A run on a real engine for the tests of the Docker platform. Owns whether they can run at all, and that
//! nothing of a run is left; must never touch what is not of its own run.

use std::collections::HashMap;
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use bollard::models::ContainerCreateBody;
use bollard::query_parameters::{
    CreateContainerOptionsBuilder, CreateImageOptionsBuilder, ListContainersOptionsBuilder,
    ListNetworksOptionsBuilder, RemoveContainerOptionsBuilder,
};
use faassim::live::docker::{Container, Docker, Options};
use faassim::live::platform::{Platform, SandboxSpec, StartFault, Started};
use futures_util::StreamExt;
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::sleep;

/// The image that containers are made of.
pub static IMAGE: LazyLock<String> = LazyLock::new(|| {
    std::env::var("FAASSIM_DOCKER_IMAGE").unwrap_or_else(|_| "faassim-python:plain".to_owned())
});

/// An owner that no test takes for dead.
pub const IMMORTAL: &str = "test/1/1";

/// One run. What is left of it when its test fails is removed all the same.
pub struct Bench {
    pub docker: Docker,
    pub run: String,
    over: bool,
}

/// A container that is not ours, until this is dropped.
pub struct Foreign {
    pub id: String,
    pub address: String,
}

/// Letters and digits that no other test has, of this process or another.
pub fn unique() -> String {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    #[expect(clippy::disallowed_methods, reason = "a name must be new; nothing is computed from it")]
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis());
    format!("t{:x}p{}n{}", now, std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed))
}

pub fn options(run: &str) -> Options {
    Options { run: run.to_owned(), owner: IMMORTAL.to_owned(), parallel_starts: 4, ..Options::default() }
}

/// A run of its own with changed options; `None`, and told so, where the tests cannot run.
pub async fn bench(change: impl FnOnce(&mut Options)) -> Option<Bench> {
    let run = unique();
    let mut options = options(&run);
    change(&mut options);
    let lacking = match Docker::connect(options).await {
        Ok(docker) if docker.missing_images(std::slice::from_ref(&*IMAGE)).await.is_empty() => {
            return Some(Bench { docker, run, over: false });
        }
        Ok(_) => format!("image {} is not here; scripts/build-images.sh makes it", *IMAGE),
        Err(fault) => fault.0,
    };
    let required = std::env::var("FAASSIM_DOCKER").is_ok_and(|value| value == "required");
    assert!(!required, "FAASSIM_DOCKER=required, but {lacking}");
    eprintln!("DOCKER TESTS DID NOT RUN: {lacking}");
    None
}

/// The engine without our platform.
pub fn raw() -> bollard::Docker {
    bollard::Docker::connect_with_defaults().expect("the engine answered before")
}

/// A container on the default bridge that is not ours, with a server in it.
pub async fn create_foreign(run: &str) -> Foreign {
    let client = raw();
    let name = CreateContainerOptionsBuilder::new().name(&format!("foreign-{run}")).build();
    let body = ContainerCreateBody {
        image: Some(IMAGE.clone()),
        labels: Some(HashMap::from([("somebody".to_owned(), run.to_owned())])),
        ..ContainerCreateBody::default()
    };
    let id = client.create_container(Some(name), body).await.expect("it can be created").id;
    let mut foreign = Foreign { id: id.clone(), address: String::new() };
    client.start_container(&id, None).await.expect("it can be started");
    let seen = client.inspect_container(&id, None).await.expect("it is there");
    let networks = seen.network_settings.and_then(|settings| settings.networks).expect("it has a network");
    foreign.address =
        networks.into_values().find_map(|network| network.ip_address).expect("it has an address");
    await_server(&format!("{}:8080", foreign.address)).await;
    foreign
}

/// Makes an image with nothing in it.
pub async fn import_empty(image: &str) {
    let (repo, tag) = image.split_once(':').expect("a tag");
    let options = CreateImageOptionsBuilder::new().from_src("-").repo(repo).tag(tag).build();
    let no_files = bollard::body_full(vec![0; 1024].into());
    let mut progress = std::pin::pin!(raw().create_image(Some(options), Some(no_files), None));
    while let Some(step) = progress.next().await {
        step.expect("it can be imported");
    }
}

/// Carries out what a drop needs, in a runtime of its own: the test's may be ending.
fn block_on<F: Future<Output = ()> + Send + 'static>(work: impl FnOnce() -> F + Send + 'static) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let done = std::thread::spawn(move || runtime.map(|runtime| runtime.block_on(work()))).join();
    done.expect("removing does not panic").expect("a runtime can be made");
}

impl Drop for Foreign {
    fn drop(&mut self) {
        let id = self.id.clone();
        block_on(|| async move {
            let force = RemoveContainerOptionsBuilder::new().force(true).build();
            raw().remove_container(&id, Some(force)).await.expect("the foreign container can be removed");
        });
    }
}

impl Drop for Bench {
    fn drop(&mut self) {
        if !self.over {
            let run = self.run.clone();
            block_on(|| async move {
                let docker = Docker::connect(options(&run)).await.expect("the engine answered before");
                docker.sweep().await;
            });
        }
    }
}

async fn await_server(address: &str) {
    let begun = Instant::now();
    while TcpStream::connect(address).await.is_err() {
        assert!(begun.elapsed() < Duration::from_secs(20), "{address} is not reached");
        sleep(Duration::from_millis(5)).await;
    }
}

impl Bench {
    /// A container's whole name.
    pub fn name(&self, short: &str) -> String {
        format!("faassim{}_{short}", self.run)
    }

    pub async fn create(
        &self,
        name: &str,
        image: &str,
        memory_mib: u32,
    ) -> Result<Started<Container>, StartFault> {
        let env = vec![("GREETING".to_owned(), "a b=c".to_owned())];
        let (name, image) = (self.name(name), image.to_owned());
        let spec = SandboxSpec { name, image, memory_mib, cpu_shares: 25, cpus: Some(0.5), env };
        self.docker.create(spec).await
    }

    pub async fn start(&self, name: &str, memory_mib: u32) -> Started<Container> {
        self.create(name, &IMAGE, memory_mib).await.expect("it starts")
    }

    pub async fn init(&self, started: &Started<Container>, code: &str) {
        await_server(&started.address.to_string()).await;
        let body = json!({"value": {"name": "test", "main": "main", "code": code, "binary": false}});
        let answer = post(started, "/init", &body.to_string()).await.expect("an answer");
        assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
    }

    pub async fn run(&self, started: &Started<Container>, n: u32) {
        let answer = self.try_run(started, n).await.expect("an answer");
        assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
    }

    pub async fn try_run(&self, started: &Started<Container>, n: u32) -> Result<String, std::io::Error> {
        post(started, "/run", &json!({"value": {"n": n}}).to_string()).await
    }

    pub async fn run_with(&self, started: &Started<Container>, args: &str) -> String {
        post(started, "/run", &format!(r#"{{"value":{args}}}"#)).await.expect("an answer")
    }

    /// Sweeps, and looks with other eyes whether nothing is left.
    pub async fn end(mut self) {
        let swept = self.docker.sweep().await;
        assert_eq!(swept.failed, Vec::<String>::new());
        let client = raw();
        let filters = HashMap::from([("label", vec![format!("faassim.run={}", self.run)])]);
        let all = ListContainersOptionsBuilder::new().all(true).filters(&filters).build();
        assert_eq!(client.list_containers(Some(all)).await.expect("a list"), []);
        let all = ListNetworksOptionsBuilder::new().filters(&filters).build();
        assert_eq!(client.list_networks(Some(all)).await.expect("a list"), []);
        self.over = true;
    }
}

/// A request to the server in a container; an answer that was not begun is an error.
async fn post(started: &Started<Container>, path: &str, body: &str) -> Result<String, std::io::Error> {
    let mut stream = TcpStream::connect(started.address).await?;
    let length = body.len();
    let request = format!(
        "POST {path} HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\
         Connection: close\r\n\r\n{body}"
    );
    stream.write_all(request.as_bytes()).await?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await?;
    if answer.is_empty() {
        return Err(std::io::ErrorKind::UnexpectedEof.into());
    }
    Ok(String::from_utf8_lossy(&answer).into_owned())
}
