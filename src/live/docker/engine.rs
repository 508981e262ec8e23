//! Finding the Docker engine, and what its errors mean. Owns the words in which a missing engine is told;
//! must never change anything in the engine.

use std::env;
use std::error::Error as _;
use std::io;
use std::path::Path;
use std::time::Duration;

use bollard::errors::Error;
use bollard::{API_DEFAULT_VERSION, Docker};
use tokio::time::timeout;

use crate::live::platform::Fault;

/// How long the engine may take to answer at first.
const FIRST_ANSWER: Duration = Duration::from_secs(2);

/// How long it may take to answer any request, in seconds.
const ANSWER_SECONDS: u64 = 60;

/// Where the engine is: `DOCKER_HOST`, or the first default socket that is there.
#[must_use]
pub fn host() -> String {
    let set = |name| env::var(name).ok().filter(|value| !value.is_empty());
    host_from(set("DOCKER_HOST"), set("XDG_RUNTIME_DIR"), set("HOME"), |path| Path::new(path).exists())
}

fn host_from(
    told: Option<String>,
    runtime_dir: Option<String>,
    home: Option<String>,
    is_there: impl Fn(&str) -> bool,
) -> String {
    if let Some(told) = told {
        return told;
    }
    if cfg!(windows) {
        return "npipe:////./pipe/docker_engine".to_owned();
    }
    let usual = "/var/run/docker.sock".to_owned();
    // A rootless engine, and Docker Desktop without its system-wide link.
    let rootless = runtime_dir.map(|dir| format!("{dir}/docker.sock"));
    let desktop = home.map(|dir| format!("{dir}/.docker/run/docker.sock"));
    let sockets = [Some(usual.clone()), rootless, desktop];
    let found = sockets.into_iter().flatten().find(|path| is_there(path)).unwrap_or(usual);
    format!("unix://{found}")
}

/// Connects to the engine at `host` and learns its version.
///
/// # Errors
/// It does not answer in time, or cannot run Linux containers.
pub async fn connect(host: &str) -> Result<(Docker, String), Fault> {
    let asked = async {
        let client = client(host)?.negotiate_version().await?;
        let version = client.version().await?;
        Ok::<_, Error>((client, version))
    };
    let (client, version) = match timeout(FIRST_ANSWER, asked).await {
        Ok(Ok(answer)) => answer,
        Ok(Err(error)) => return Err(unreachable_engine(host, &error)),
        Err(_) => return Err(unreachable_engine(host, &Error::RequestTimeoutError)),
    };
    let os = version.os.unwrap_or_else(|| "linux".to_owned());
    if os != "linux" {
        return Err(Fault(format!(
            "the Docker engine at {host} runs {os} containers; switch it to Linux containers, or use --backend process"
        )));
    }
    Ok((client, version.version.unwrap_or_else(|| "of unknown version".to_owned())))
}

fn client(host: &str) -> Result<Docker, Error> {
    if host.starts_with("tcp://") || host.starts_with("http://") {
        return Docker::connect_with_http(host, ANSWER_SECONDS, API_DEFAULT_VERSION);
    }
    if host.starts_with("unix://") || host.starts_with("npipe://") {
        return Docker::connect_with_socket(host, ANSWER_SECONDS, API_DEFAULT_VERSION);
    }
    Err(Error::UnsupportedURISchemeError { uri: host.to_owned() })
}

/// Why there is no engine to work with, and what to do.
fn unreachable_engine(host: &str, error: &Error) -> Fault {
    let set = "set DOCKER_HOST to where it is";
    let cause = told(error);
    let (cause, advice) = match (error, io_kind(error)) {
        (Error::UnsupportedURISchemeError { .. }, _) => (
            "this kind of address is not supported".to_owned(),
            "set DOCKER_HOST to unix://PATH or tcp://HOST:PORT".to_owned(),
        ),
        (Error::SocketNotFoundError(_), _) | (_, Some(io::ErrorKind::NotFound)) => (
            "there is no such socket".to_owned(),
            format!("start the engine (`sudo systemctl start docker`), {set}"),
        ),
        (_, Some(io::ErrorKind::PermissionDenied)) => (
            "permission denied".to_owned(),
            "join the group `docker` (`sudo usermod -aG docker $USER`, then log in again)".to_owned(),
        ),
        (_, Some(io::ErrorKind::ConnectionRefused)) => (
            "nothing listens there".to_owned(),
            format!("start the engine (`sudo systemctl start docker`), {set}"),
        ),
        (Error::RequestTimeoutError, _) => (
            format!("no answer within {} s", FIRST_ANSWER.as_secs()),
            format!("look whether `docker version` answers, {set}"),
        ),
        _ => (cause, format!("look whether `docker version` answers, {set}")),
    };
    Fault(format!("no Docker engine answers at {host}: {cause}; {advice}, or use --backend process"))
}

/// The kind of the IO error at the root, if there is one.
fn io_kind(error: &Error) -> Option<io::ErrorKind> {
    let mut cause = error.source();
    let mut kind = None;
    while let Some(inner) = cause {
        kind = inner.downcast_ref::<io::Error>().map(io::Error::kind).or(kind);
        cause = inner.source();
    }
    match error {
        Error::IOError { err } => Some(err.kind()),
        _ => kind,
    }
}

/// An error of the engine, or on the way to it, in the words of whoever knows most.
#[must_use]
pub fn told(error: &Error) -> String {
    match error {
        Error::DockerResponseServerError { message, .. } => message.trim().to_owned(),
        Error::DockerStreamError { error } => error.trim().to_owned(),
        Error::RequestTimeoutError => "the engine did not answer in time".to_owned(),
        error => {
            let mut text = error.to_string();
            let mut cause = error.source();
            while let Some(inner) = cause {
                text = inner.to_string();
                cause = inner.source();
            }
            text
        }
    }
}

/// Whether the engine says that there is no such thing.
#[must_use]
pub fn is_absent(error: &Error) -> bool {
    matches!(error, Error::DockerResponseServerError { status_code: 404, .. })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn some(text: &str) -> Option<String> {
        Some(text.to_owned())
    }

    #[test]
    fn docker_host_comes_first_then_the_sockets_that_are_there() {
        let host =
            |told, there: &str| host_from(told, some("/run/user/1"), some("/home/a"), |path| path == there);
        assert_eq!(host(some("tcp://b:1"), "/var/run/docker.sock"), "tcp://b:1");
        assert_eq!(host(None, "/var/run/docker.sock"), "unix:///var/run/docker.sock");
        assert_eq!(host(None, "/run/user/1/docker.sock"), "unix:///run/user/1/docker.sock");
        assert_eq!(host(None, "/home/a/.docker/run/docker.sock"), "unix:///home/a/.docker/run/docker.sock");
        assert_eq!(host(None, ""), "unix:///var/run/docker.sock");
    }

    #[test]
    fn a_missing_engine_is_told_with_its_cause_and_what_to_do() {
        let io = |kind| Error::IOError { err: io::Error::from(kind) };
        let refused = unreachable_engine("unix:///a.sock", &io(io::ErrorKind::ConnectionRefused));
        assert_eq!(
            refused.0,
            "no Docker engine answers at unix:///a.sock: nothing listens there; start the engine (`sudo systemctl \
             start docker`), set DOCKER_HOST to where it is, or use --backend process"
        );
        let denied = unreachable_engine("unix:///a.sock", &io(io::ErrorKind::PermissionDenied));
        assert!(denied.0.contains("permission denied; join the group `docker`"), "{}", denied.0);
        let scheme = Error::UnsupportedURISchemeError { uri: "ssh://a".to_owned() };
        assert!(unreachable_engine("ssh://a", &scheme).0.contains("unix://PATH or tcp://HOST:PORT"));
    }
}
