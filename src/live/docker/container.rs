//! What a container is created with (docs/specs/openwhisk.md §15), and whose fault it is if it does not
//! start. Owns limits and rights; must never give a container a mount, a capability more, or privileges.

use std::collections::HashMap;

use bollard::models::{ContainerCreateBody, HostConfig, HostConfigLogConfig, PortBinding, ResourcesUlimits};

use super::Options;
use super::network::{PORT_KEY, Reach, RunNetwork, labels};
use crate::live::platform::{SandboxSpec, StartFault};

/// Most processes and threads in a container.
const PIDS: i64 = 1024;

/// Most open files of a process in it.
const FILES: i64 = 1024;

/// How much of its output the engine keeps.
const LOG_SIZE: &str = "10m";

/// The request that creates a container.
#[must_use]
pub fn body(spec: &SandboxSpec, network: &RunNetwork, options: &Options) -> ContainerCreateBody {
    let published = match network.reach {
        Reach::Bridge => None,
        Reach::Published(on) => Some(on),
    };
    ContainerCreateBody {
        image: Some(spec.image.clone()),
        env: Some(spec.env.iter().map(|(name, value)| format!("{name}={value}")).collect()),
        labels: Some(labels(options)),
        exposed_ports: published.map(|_| vec![PORT_KEY.to_owned()]),
        host_config: Some(HostConfig {
            network_mode: Some(network.id.clone()),
            port_bindings: published.map(|on| {
                let binding = PortBinding { host_ip: Some(on.to_string()), host_port: Some(String::new()) };
                HashMap::from([(PORT_KEY.to_owned(), Some(vec![binding]))])
            }),
            ..limits(spec)
        }),
        ..ContainerCreateBody::default()
    }
}

fn limits(spec: &SandboxSpec) -> HostConfig {
    let texts = |words: &[&str]| Some(words.iter().map(|word| (*word).to_owned()).collect());
    let memory = i64::from(spec.memory_mib) << 20;
    HostConfig {
        memory: Some(memory),
        memory_swap: Some(memory),
        cpu_shares: Some(i64::from(spec.cpu_shares)),
        nano_cpus: spec.cpus.map(nano_cpus),
        pids_limit: Some(PIDS),
        ulimits: Some(vec![ResourcesUlimits {
            name: Some("nofile".to_owned()),
            soft: Some(FILES),
            hard: Some(FILES),
        }]),
        cap_drop: texts(&["NET_RAW", "NET_ADMIN"]),
        security_opt: texts(&["no-new-privileges"]),
        privileged: Some(false),
        log_config: Some(HostConfigLogConfig {
            typ: Some("json-file".to_owned()),
            config: Some(HashMap::from([("max-size".to_owned(), LOG_SIZE.to_owned())])),
        }),
        ..HostConfig::default()
    }
}

/// Processors as the engine counts them, at least 0.01 of one.
fn nano_cpus(cpus: f64) -> i64 {
    #[expect(clippy::cast_possible_truncation, reason = "a number of processors is far below 2^63 / 10^9")]
    let nano = (cpus.max(0.01) * 1e9).round() as i64;
    nano
}

/// Why a container could not be created or started, from the engine's words.
#[must_use]
pub fn start_fault(spec: &SandboxSpec, user_image: bool, cause: &str) -> StartFault {
    let SandboxSpec { name, image, .. } = spec;
    // What the command line tool ends with 127 for, and an image without any command.
    let no_executable = [
        "executable file not found",
        "no such file or directory",
        "No command specified",
        "no command specified",
    ];
    if no_executable.iter().any(|words| cause.contains(words)) && !cause.contains("No such image") {
        let message = format!("executable file not found in image {image}: {cause}");
        return StartFault { user_image, message };
    }
    if cause.contains("No such image") {
        let message = format!("image {image} is gone: {cause}");
        return StartFault { user_image, message };
    }
    StartFault {
        user_image: false,
        message: format!("container {name} of image {image} did not start: {cause}"),
    }
}

#[cfg(test)]
mod tests {
    use std::net::{IpAddr, Ipv4Addr};

    use super::*;

    fn spec() -> SandboxSpec {
        SandboxSpec {
            name: "wsk0_1".to_owned(),
            image: "a:b".to_owned(),
            memory_mib: 256,
            cpu_shares: 25,
            cpus: Some(0.5),
            env: vec![("__OW_API_HOST".to_owned(), "http://a".to_owned())],
        }
    }

    fn body_in(reach: Reach) -> ContainerCreateBody {
        body(&spec(), &RunNetwork { id: "n".to_owned(), reach }, &Options::default())
    }

    #[test]
    fn a_container_has_its_limits_and_no_more_rights() {
        let body = body_in(Reach::Bridge);
        assert_eq!(body.env.as_deref(), Some(["__OW_API_HOST=http://a".to_owned()].as_slice()));
        let host = body.host_config.expect("limits are in it");
        assert_eq!((host.memory, host.memory_swap), (Some(268_435_456), Some(268_435_456)));
        assert_eq!((host.cpu_shares, host.nano_cpus), (Some(25), Some(500_000_000)));
        assert_eq!((host.privileged, host.binds, host.mounts, host.cap_add), (Some(false), None, None, None));
        assert_eq!(host.port_bindings, None);
    }

    #[test]
    fn a_published_port_is_bound_to_one_address() {
        let body = body_in(Reach::Published(IpAddr::V4(Ipv4Addr::LOCALHOST)));
        let ports = body.host_config.and_then(|host| host.port_bindings).expect("a port is published");
        let binding = ports[PORT_KEY].as_ref().map(|bindings| bindings[0].clone()).expect("it is bound");
        assert_eq!(binding.host_ip.as_deref(), Some("127.0.0.1"));
    }

    #[test]
    fn processors_are_counted_in_billionths() {
        assert_eq!(
            [nano_cpus(1.0), nano_cpus(0.12346), nano_cpus(0.001)],
            [1_000_000_000, 123_460_000, 10_000_000]
        );
    }

    #[test]
    fn a_missing_executable_is_the_user_s_fault_if_the_image_is_the_user_s() {
        let cause =
            "OCI runtime create failed: exec: \"/serve\": stat /serve: no such file or directory: unknown";
        assert!(start_fault(&spec(), true, cause).user_image);
        assert!(!start_fault(&spec(), false, cause).user_image);
        let system = start_fault(&spec(), true, "no space left on device");
        assert!(!system.user_image);
        assert_eq!(system.message, "container wsk0_1 of image a:b did not start: no space left on device");
    }
}
