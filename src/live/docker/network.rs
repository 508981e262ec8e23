//! The network of a run, and how its containers are reached from here. Owns that decision, made once per run;
//! must never give containers a way out that the run does not ask for.
//!
//! Where this machine is on the bridge itself (it has the bridge's interface and gateway address: an engine
//! on this Linux machine), containers are reached by their own address on the bridge, and a bridge without a
//! way out is an internal one. Everywhere else (Docker Desktop, an engine in a virtual machine, a rootless
//! one, one behind tcp) that address leads nowhere, and port 8080 is published. An internal network publishes
//! nothing, so the bridge without a way out is then one without masquerading: packets leave it with a private
//! source address to which no answer finds its way.
//!
//! A published port is bound to 127.0.0.1, or where `DOCKER_HOST` names another machine, to that machine's
//! address and no other. That machine's engine takes orders there from anybody (no TLS is spoken here), so
//! nothing more is opened.
//!
//! Behind a published port the engine takes connections before the server listens, and drops them; who calls
//! takes a dropped connection for a server that ended. So a start with published ports lasts until the server
//! listens.
//!
//! What runs on the engine's own machine can be reached by a container in each of these networks: that is the
//! bridge's gateway.

use std::collections::HashMap;
use std::fs;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, ToSocketAddrs, UdpSocket};
use std::path::Path;
use std::time::Duration;

use bollard::Docker;
use bollard::models::{ContainerInspectResponse, NetworkCreateRequest, NetworkInspect};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{Instant, sleep, timeout};

use super::engine::told;
use super::{OWNER_LABEL, Options, RUN_LABEL};
use crate::live::platform::Fault;

/// Where a runtime's server listens in its container.
pub const PORT: u16 = 8080;

/// The port in the engine's words.
pub const PORT_KEY: &str = "8080/tcp";

/// The network that every engine has.
const DEFAULT_BRIDGE: &str = "bridge";

/// How long a server behind a published port is waited for.
const BOOT_LIMIT: Duration = Duration::from_secs(10);

/// What it is asked meanwhile; no runtime has this page, but each says so.
const REQUEST: &[u8] = b"GET / HTTP/1.0\r\n\r\n";

/// A connection that is open for so long has a server at its other end, even if it says nothing.
const SILENT: Duration = Duration::from_secs(2);

/// Between two attempts.
const RETRY: Duration = Duration::from_millis(10);

/// How containers are reached from here.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Reach {
    /// By their address on the bridge.
    Bridge,
    /// By a port that is published on this address.
    Published(IpAddr),
}

/// The network that the containers of a run are in.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RunNetwork {
    /// Its id, or the name of the default bridge.
    pub id: String,
    /// How containers in it are reached.
    pub reach: Reach,
}

impl RunNetwork {
    /// Makes the network of a run, or finds the default bridge where a way out is allowed.
    ///
    /// # Errors
    /// The engine refuses, or another machine's address is not known.
    pub async fn make(client: &Docker, host: &str, options: &Options) -> Result<Self, Fault> {
        let on = publish_on(host)?;
        let published = Reach::Published(on);
        let may_be_here = !options.publish && on.is_loopback() && same_kernel(client).await;
        if options.network {
            let seen = client.inspect_network(DEFAULT_BRIDGE, None).await;
            let here = may_be_here && seen.is_ok_and(|seen| is_here(&seen));
            let reach = if here { Reach::Bridge } else { published };
            return Ok(Self { id: DEFAULT_BRIDGE.to_owned(), reach });
        }
        if may_be_here {
            let id = create(client, options, true).await?;
            let seen = client.inspect_network(&id, None).await.map_err(|error| failed(&told(&error)))?;
            if is_here(&seen) {
                return Ok(Self { id, reach: Reach::Bridge });
            }
            client.remove_network(&id).await.map_err(|error| failed(&told(&error)))?;
        }
        Ok(Self { id: create(client, options, false).await?, reach: published })
    }

    /// Waits until `address` takes connections no sooner than the server does.
    pub async fn settle(&self, address: SocketAddr) {
        if let Reach::Published(_) = self.reach {
            await_server(address).await;
        }
    }

    /// Where the server of a container in this network listens; `None`: it has no address (any more).
    #[must_use]
    pub fn address(&self, seen: &ContainerInspectResponse) -> Option<SocketAddr> {
        let settings = seen.network_settings.as_ref()?;
        match self.reach {
            Reach::Bridge => {
                let networks = settings.networks.as_ref()?;
                let address = networks.values().find_map(|network| network.ip_address.as_ref()?.parse().ok());
                address.map(|address: Ipv4Addr| SocketAddr::from((address, PORT)))
            }
            Reach::Published(on) => {
                let bindings = settings.ports.as_ref()?.get(PORT_KEY)?.as_ref()?;
                let port =
                    bindings.iter().find_map(|binding| binding.host_port.as_ref()?.parse::<u16>().ok());
                port.map(|port| SocketAddr::from((on, port)))
            }
        }
    }
}

/// Waits until the server listens behind a published port: until something there answers a request, whatever
/// it answers. That a connection stays open for a while tells nothing: a busy engine is slow to drop it. Gives
/// up after a while or when the port is gone; whoever calls then finds out why.
async fn await_server(address: SocketAddr) {
    let until = Instant::now() + BOOT_LIMIT;
    while Instant::now() < until {
        let Ok(mut stream) = TcpStream::connect(address).await else { return };
        let mut answer = [0];
        let asked = async {
            stream.write_all(REQUEST).await?;
            stream.read(&mut answer).await
        };
        match timeout(SILENT, asked).await {
            Ok(Ok(0) | Err(_)) => sleep(RETRY).await,
            // An answer, or a server that does not speak to strangers.
            Ok(Ok(_)) | Err(_) => return,
        }
    }
}

fn failed(cause: &str) -> Fault {
    Fault(format!("the run's network could not be made: {cause}"))
}

async fn create(client: &Docker, options: &Options, internal: bool) -> Result<String, Fault> {
    let made = client.create_network(request(options, internal)).await;
    made.map(|network| network.id).map_err(|error| match told(&error) {
        full if full.contains("address pool") => failed(&format!(
            "{full}; remove networks that nobody uses (`docker network prune`), or let containers reach the network"
        )),
        other => failed(&other),
    })
}

/// A bridge that has no way out, and on which containers do not reach each other.
fn request(options: &Options, internal: bool) -> NetworkCreateRequest {
    let no = |what: &str| (format!("com.docker.network.bridge.{what}"), "false".to_owned());
    let mut bridge = HashMap::from([no("enable_icc")]);
    if !internal {
        bridge.extend([no("enable_ip_masquerade")]);
    }
    NetworkCreateRequest {
        name: format!("faassim-{}", options.run),
        driver: Some("bridge".to_owned()),
        internal: Some(internal),
        options: Some(bridge),
        labels: Some(labels(options)),
        ..NetworkCreateRequest::default()
    }
}

/// What marks a container or network as ours.
#[must_use]
pub fn labels(options: &Options) -> HashMap<String, String> {
    [(RUN_LABEL, &options.run), (OWNER_LABEL, &options.owner)]
        .into_iter()
        .map(|(label, value)| (label.to_owned(), value.clone()))
        .collect()
}

/// The address on which the engine at `host` publishes ports so that they are reached from here.
fn publish_on(host: &str) -> Result<IpAddr, Fault> {
    let Some(rest) = host.strip_prefix("tcp://").or_else(|| host.strip_prefix("http://")) else {
        return Ok(IpAddr::V4(Ipv4Addr::LOCALHOST));
    };
    let authority = rest.split('/').next().unwrap_or(rest);
    let found = authority.to_socket_addrs().map(|mut found| found.next());
    match found {
        Ok(Some(address)) => Ok(address.ip()),
        Ok(None) => Err(failed(&format!("{authority} has no address"))),
        Err(error) => Err(failed(&format!("the address of {authority} is not known: {error}"))),
    }
}

/// Whether the engine's containers may run under this very kernel; in a virtual machine they do not.
async fn same_kernel(client: &Docker) -> bool {
    let here = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    let theirs = client.version().await.ok().and_then(|version| version.kernel_version);
    theirs.is_some_and(|theirs| theirs == here.trim())
}

/// Whether this machine is on the bridge: whether it has that interface, and the gateway's address.
fn is_here(network: &NetworkInspect) -> bool {
    let has = |interface: String| Path::new("/sys/class/net").join(interface).exists();
    interface(network).is_some_and(has) && gateway(network).is_some_and(is_ours)
}

fn is_ours(address: Ipv4Addr) -> bool {
    UdpSocket::bind((address, 0)).is_ok()
}

/// The name of a bridge's interface.
fn interface(network: &NetworkInspect) -> Option<String> {
    let told = network.options.as_ref().and_then(|options| options.get("com.docker.network.bridge.name"));
    told.cloned().or_else(|| Some(format!("br-{}", network.id.as_ref()?.get(..12)?)))
}

/// The gateway of a network. Old engines do not tell that of the default bridge: it is the subnet's first
/// address.
fn gateway(network: &NetworkInspect) -> Option<Ipv4Addr> {
    let configs = network.ipam.as_ref()?.config.as_ref()?;
    let told = |text: &String| text.split('/').next().and_then(|address| address.parse::<Ipv4Addr>().ok());
    let first = |subnet: Ipv4Addr| Ipv4Addr::from_bits(subnet.to_bits().wrapping_add(1));
    configs.iter().find_map(|config| {
        let gateway = config.gateway.as_ref().and_then(told);
        gateway.or_else(|| config.subnet.as_ref().and_then(told).map(first))
    })
}

#[cfg(test)]
mod tests {
    use bollard::models::{EndpointSettings, Ipam, IpamConfig, NetworkSettings, PortBinding};

    use super::*;

    fn network(gateway: Option<&str>, subnet: &str) -> NetworkInspect {
        let gateway = gateway.map(str::to_owned);
        let config = IpamConfig { gateway, subnet: Some(subnet.to_owned()), ..IpamConfig::default() };
        let ipam = Ipam { config: Some(vec![config]), ..Ipam::default() };
        NetworkInspect { ipam: Some(ipam), ..NetworkInspect::default() }
    }

    #[test]
    fn a_bridge_is_here_if_its_gateway_is_ours() {
        assert_eq!(
            gateway(&network(Some("172.18.0.1"), "172.18.0.0/16")),
            Some(Ipv4Addr::new(172, 18, 0, 1))
        );
        assert_eq!(gateway(&network(None, "172.17.0.0/16")), Some(Ipv4Addr::new(172, 17, 0, 1)));
        assert_eq!(gateway(&network(None, "fd00::/64")), None);
        assert!(is_ours(Ipv4Addr::LOCALHOST));
        assert!(!is_ours(Ipv4Addr::new(203, 0, 113, 1)));
        let mut elsewhere = network(Some("127.0.0.1"), "127.0.0.0/8");
        assert_eq!(interface(&elsewhere), None);
        elsewhere.id = Some("0123456789abcdef".to_owned());
        assert_eq!(interface(&elsewhere).as_deref(), Some("br-0123456789ab"));
        assert!(!is_here(&elsewhere), "there is no such interface");
    }

    #[test]
    fn ports_are_published_where_the_engine_is() {
        assert_eq!(publish_on("unix:///var/run/docker.sock"), Ok(IpAddr::V4(Ipv4Addr::LOCALHOST)));
        assert_eq!(publish_on("tcp://192.0.2.7:2375"), Ok(IpAddr::V4(Ipv4Addr::new(192, 0, 2, 7))));
        assert!(publish_on("tcp://").is_err());
    }

    #[test]
    fn an_address_is_the_bridge_s_or_the_published_one() {
        let endpoint =
            EndpointSettings { ip_address: Some("172.18.0.5".to_owned()), ..EndpointSettings::default() };
        let binding = PortBinding { host_ip: None, host_port: Some("49153".to_owned()) };
        let settings = NetworkSettings {
            networks: Some(HashMap::from([("a".to_owned(), endpoint)])),
            ports: Some(HashMap::from([(PORT_KEY.to_owned(), Some(vec![binding]))])),
            ..NetworkSettings::default()
        };
        let seen = ContainerInspectResponse {
            network_settings: Some(settings),
            ..ContainerInspectResponse::default()
        };
        let address =
            |reach| RunNetwork { id: String::new(), reach }.address(&seen).map(|found| found.to_string());
        assert_eq!(address(Reach::Bridge).as_deref(), Some("172.18.0.5:8080"));
        let local = Reach::Published(IpAddr::V4(Ipv4Addr::LOCALHOST));
        assert_eq!(address(local).as_deref(), Some("127.0.0.1:49153"));
        let nothing = ContainerInspectResponse::default();
        assert_eq!(RunNetwork { id: String::new(), reach: local }.address(&nothing), None);
    }

    #[test]
    fn no_network_of_ours_has_a_way_out() {
        let options = Options { run: "r1".to_owned(), owner: "h/1/2".to_owned(), ..Options::default() };
        let internal = request(&options, true);
        assert_eq!((internal.name.as_str(), internal.internal), ("faassim-r1", Some(true)));
        let is_off = |request: &NetworkCreateRequest, what: &str| {
            let key = format!("com.docker.network.bridge.{what}");
            request
                .options
                .as_ref()
                .and_then(|options| options.get(&key))
                .is_some_and(|value| value == "false")
        };
        assert!(is_off(&internal, "enable_icc"));
        let masked = request(&options, false);
        assert!(is_off(&masked, "enable_icc") && is_off(&masked, "enable_ip_masquerade"));
        assert_eq!(internal.labels.map(|labels| labels.len()), Some(2));
    }
}
