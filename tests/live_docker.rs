//! The Docker platform on a real engine: limits, output, pauses, out-of-memory kills, networks, and nothing
//! of ours left afterwards. Runs wherever an engine answers and has the image; says so where it does not.
//! With FAASSIM_DOCKER=required that is a failure.

#![cfg(feature = "live")]

mod docker_bench;

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use bollard::models::{ContainerInspectResponse, HostConfig};
use bollard::query_parameters::RemoveImageOptions;
use docker_bench::{Bench, IMAGE, IMMORTAL, bench, create_foreign, options, raw};
use faassim::live::docker::Docker;
use faassim::live::platform::{Fate, Platform, StartFault};
use tokio::net::TcpStream;
use tokio::time::timeout;

const PRINTS: &str = "import sys\n\
    def main(args):\n    print('out', args['n'])\n    print('err', args['n'], file=sys.stderr)\n    return {}\n";

macro_rules! bench_or_return {
    ($change:expr) => {
        match bench($change).await {
            Some(bench) => bench,
            None => return,
        }
    };
}

#[tokio::test]
async fn a_container_has_the_limits_that_were_asked_for() {
    let bench = bench_or_return!(|_| {});
    let started = bench.start("limits", 128).await;
    let seen: ContainerInspectResponse =
        raw().inspect_container(started.sandbox.id(), None).await.expect("it is there");
    let host: HostConfig = seen.host_config.expect("it has limits");
    assert_eq!((host.memory, host.memory_swap), (Some(128 << 20), Some(128 << 20)));
    assert_eq!((host.cpu_shares, host.nano_cpus), (Some(25), Some(500_000_000)));
    assert_eq!((host.pids_limit, host.privileged), (Some(1024), Some(false)));
    let dropped: BTreeSet<String> = host.cap_drop.unwrap_or_default().into_iter().collect();
    let dropped: Vec<&str> = dropped.iter().map(|name| name.trim_start_matches("CAP_")).collect();
    assert_eq!(dropped, ["NET_ADMIN", "NET_RAW"]);
    assert_eq!(host.security_opt, Some(vec!["no-new-privileges".to_owned()]));
    assert_eq!(host.binds.unwrap_or_default(), Vec::<String>::new());
    assert!(seen.mounts.unwrap_or_default().is_empty());
    let ulimits = host.ulimits.unwrap_or_default();
    assert_eq!(
        (ulimits[0].name.as_deref(), ulimits[0].soft, ulimits[0].hard),
        (Some("nofile"), Some(1024), Some(1024))
    );
    assert_eq!(host.log_config.and_then(|log| log.typ).as_deref(), Some("json-file"));
    let config = seen.config.expect("it has a configuration");
    let labels = config.labels.expect("it has labels");
    assert_eq!(labels["faassim.run"], bench.run);
    assert_eq!(labels["faassim.owner"], IMMORTAL);
    assert!(config.env.unwrap_or_default().contains(&"GREETING=a b=c".to_owned()));
    bench.end().await;
}

#[tokio::test]
async fn output_is_that_of_each_run_and_goes_on_after_a_pause() {
    let bench = bench_or_return!(|_| {});
    let started = bench.start("output", 128).await;
    bench.init(&started, PRINTS).await;
    for n in 0..3 {
        bench.run(&started, n).await;
        let asked = Instant::now();
        let found = started.logs.collect(1 << 20).await.expect("both sentinels come");
        eprintln!("output: collected {:?} after the answer", asked.elapsed());
        assert_eq!(found, format!("out {n}\nerr {n}\n").len() as u64);
        let paused = Instant::now();
        bench.docker.pause(&started.sandbox).await.expect("it can be paused");
        let waiting = Instant::now();
        assert!(
            timeout(Duration::from_millis(300), bench.try_run(&started, n)).await.is_err(),
            "it is frozen"
        );
        let thawing = Instant::now();
        bench.docker.resume(&started.sandbox).await.expect("it can be thawed");
        eprintln!("pause {:?}, unpause {:?}", waiting - paused, thawing.elapsed());
        // The run that was asked for in between happens too.
        started.logs.collect(1 << 20).await.expect("both sentinels come");
    }
    bench.end().await;
}

#[tokio::test]
async fn many_lines_arrive_whole() {
    let bench = bench_or_return!(|_| {});
    let started = bench.start("lines", 256).await;
    let code = "import sys\n\
        def main(args):\n    for i in range(20000):\n        print('line', i, 'x' * 50)\n    return {}\n";
    bench.init(&started, code).await;
    bench.run(&started, 0).await;
    let found = started.logs.collect(8 << 20).await.expect("both sentinels come");
    let printed: usize = (0..20_000).map(|ix| format!("line {ix} {}\n", "x".repeat(50)).len()).sum();
    assert_eq!(found, printed as u64);
    bench.end().await;
}

#[tokio::test]
async fn a_container_that_takes_too_much_memory_is_known_to_have_been_killed() {
    let bench = bench_or_return!(|_| {});
    let started = bench.start("memory", 64).await;
    let usage = bench.docker.usage(&started.sandbox).await;
    bench.init(&started, "def main(args):\n    return {'n': len(bytearray(b'x') * (1 << 30))}\n").await;
    assert!(bench.try_run(&started, 0).await.is_err(), "nobody is left to answer");
    let asked = Instant::now();
    assert_eq!(bench.docker.fate(&started.sandbox).await, Fate::OutOfMemory);
    eprintln!("fate known after {:?}; usage before {usage:?}", asked.elapsed());
    bench.end().await;
}

#[tokio::test]
async fn a_container_that_exits_has_ended_and_one_that_runs_is_alive() {
    let bench = bench_or_return!(|_| {});
    let started = bench.start("exits", 128).await;
    bench.init(&started, "import os\ndef main(args):\n    os._exit(3)\n").await;
    assert_eq!(bench.docker.fate(&started.sandbox).await, Fate::Alive);
    assert!(bench.try_run(&started, 0).await.is_err());
    assert_eq!(bench.docker.fate(&started.sandbox).await, Fate::Ended);
    assert!(started.logs.collect(1 << 20).await.is_err(), "its output has ended");
    bench.docker.remove(&started.sandbox).await.expect("it can be removed");
    assert_eq!(bench.docker.fate(&started.sandbox).await, Fate::Ended);
    bench.end().await;
}

#[tokio::test]
async fn what_a_container_uses_is_told() {
    let bench = bench_or_return!(|_| {});
    let started = bench.start("usage", 256).await;
    let code =
        "def main(args):\n    x = b'x' * (100 << 20)\n    sum(range(3000000))\n    return {'n': len(x)}\n";
    bench.init(&started, code).await;
    bench.run(&started, 0).await;
    let asked = Instant::now();
    match bench.docker.usage(&started.sandbox).await {
        Some(usage) => {
            eprintln!("usage {usage:?} known after {:?}", asked.elapsed());
            assert!(usage.peak_memory_bytes > 100 << 20, "{usage:?}");
            assert!(usage.peak_memory_bytes <= 256 << 20, "{usage:?}");
            assert!((20_000..60_000_000).contains(&usage.cpu_us), "{usage:?}");
        }
        None => eprintln!("this machine does not tell what a container uses"),
    }
    bench.end().await;
}

#[tokio::test]
async fn a_frozen_container_is_removed_and_one_that_is_gone_is_no_fault() {
    let bench = bench_or_return!(|_| {});
    let started = bench.start("frozen", 128).await;
    bench.docker.pause(&started.sandbox).await.expect("it can be paused");
    bench.docker.pause(&started.sandbox).await.expect("it is paused already");
    let asked = Instant::now();
    bench.docker.remove(&started.sandbox).await.expect("it can be removed");
    eprintln!("removed while frozen in {:?}", asked.elapsed());
    assert!(raw().inspect_container(started.sandbox.id(), None).await.is_err(), "it is gone");
    bench.docker.remove(&started.sandbox).await.expect("it is gone already");
    assert!(bench.docker.pause(&started.sandbox).await.is_err());
    assert!(started.logs.collect(1).await.is_err(), "its output has ended");

    let started = bench.start("twice", 128).await;
    let (one, other) =
        tokio::join!(bench.docker.remove(&started.sandbox), bench.docker.remove(&started.sandbox));
    assert_eq!((one, other), (Ok(()), Ok(())));
    bench.end().await;
}

#[tokio::test]
async fn a_missing_image_is_told_with_what_to_do() {
    let bench = bench_or_return!(|options| {
        options.user_images = BTreeSet::from(["nobody/has-this:1".to_owned()]);
    });
    let fault = |image| bench.create("missing", image, 128);
    let own = fault("faassim-python:nobody-has-this").await.expect_err("it is not here");
    let message = "image faassim-python:nobody-has-this is not here; build it with scripts/build-images.sh";
    assert_eq!(own, StartFault { user_image: false, message: message.to_owned() });
    let user = fault("nobody/has-this:1").await.expect_err("it is not here");
    assert!(user.user_image);
    assert!(
        user.message.ends_with("fetch it with `docker pull nobody/has-this:1`, or set `pull = true`"),
        "{user:?}"
    );
    let images = [IMAGE.as_str(), "nobody/has-this:1"].map(str::to_owned);
    assert_eq!(bench.docker.missing_images(&images).await, ["nobody/has-this:1"]);
    bench.end().await;
}

#[tokio::test]
async fn a_user_s_image_without_a_command_is_the_user_s_fault_and_leaves_nothing() {
    let image = format!("faassim-test-empty:{}", docker_bench::unique());
    let bench = bench_or_return!(|options| options.user_images = BTreeSet::from([image.clone()]));
    docker_bench::import_empty(&image).await;
    let fault = bench.create("empty", &image, 128).await;
    raw().remove_image(&image, None::<RemoveImageOptions>, None).await.expect("the image can be removed");
    let fault = fault.expect_err("there is nothing to start");
    assert!(fault.user_image, "{fault:?}");
    assert!(fault.message.starts_with(&format!("executable file not found in image {image}: ")), "{fault:?}");
    bench.end().await;
}

#[tokio::test]
async fn a_name_that_is_taken_is_told_and_the_other_container_stays() {
    let bench = bench_or_return!(|_| {});
    let started = bench.start("taken", 128).await;
    let fault = bench.create("taken", &IMAGE, 128).await.expect_err("the name is taken");
    assert!(!fault.user_image && fault.message.contains("in use"), "{fault:?}");
    assert_eq!(bench.docker.fate(&started.sandbox).await, Fate::Alive);
    bench.end().await;
}

#[tokio::test]
async fn an_engine_that_does_not_answer_is_told_with_what_to_do() {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let socket = folder.path().join("dead.sock");
    let host = format!("unix://{}", socket.display());
    let none = Docker::connect_to(&host, options("none")).await.expect_err("there is no socket");
    assert!(
        none.0.contains(&host) && none.0.contains("there is no such socket; start the engine"),
        "{none:?}"
    );
    // A socket on which nobody listens any more, and one on which nobody answers.
    let listener = std::os::unix::net::UnixListener::bind(&socket).expect("a socket can be made");
    let asked = Instant::now();
    let mute = Docker::connect_to(&host, options("mute")).await.expect_err("nobody answers");
    assert!(mute.0.contains("no answer within 2 s") && mute.0.contains("--backend process"), "{mute:?}");
    assert!(asked.elapsed() < Duration::from_secs(4));
    drop(listener);
    let dead = Docker::connect_to(&host, options("dead")).await.expect_err("nobody listens");
    assert!(dead.0.contains("nothing listens there; start the engine"), "{dead:?}");
}

#[tokio::test]
async fn with_a_limit_of_one_starts_follow_each_other() {
    let bench = bench_or_return!(|options| options.parallel_starts = 1);
    // So that the network is there and the image known.
    bench.start("first", 128).await;
    let (one, other) = tokio::join!(bench.start("second", 128), bench.start("third", 128));
    eprintln!("create {:?} {:?}, found {:?} {:?}", one.create, other.create, one.found, other.found);
    let (early, late) = if one.queued < other.queued { (one, other) } else { (other, one) };
    assert!(late.queued >= early.create, "late {:?}, early {:?}", late.queued, early.create);
    assert!(early.queued < early.create, "{:?} {:?}", early.queued, early.create);
    bench.end().await;
}

const CALLS_OUT: &str = "import socket\n\
    def main(args):\n    try:\n        socket.create_connection((args['host'], args['port']), 2).close()\n        \
    return {'reached': True}\n    except OSError as error:\n        return {'reached': False, 'why': str(error)}\n";

/// A container of ours reaches neither the world nor a foreign container, but is reached from here.
async fn has_no_way_out(bench: &Bench) {
    let foreign = create_foreign(&bench.run).await;
    let started = bench.start("inside", 128).await;
    bench.init(&started, CALLS_OUT).await;
    for (host, port) in [("8.8.8.8", 53), ("1.1.1.1", 443), (foreign.address.as_str(), 8080)] {
        let answer = bench.run_with(&started, &format!(r#"{{"host":"{host}","port":{port}}}"#)).await;
        assert!(answer.contains(r#""reached": false"#), "{host}: {answer}");
    }
}

#[tokio::test]
async fn there_is_no_way_out_of_a_run_s_network() {
    let bench = bench_or_return!(|_| {});
    has_no_way_out(&bench).await;
    bench.end().await;
}

#[tokio::test]
async fn published_ports_are_bound_to_this_machine_and_there_is_no_way_out_either() {
    let bench = bench_or_return!(|options| options.publish = true);
    has_no_way_out(&bench).await;
    let started = bench.start("published", 128).await;
    assert!(started.address.ip().is_loopback(), "{}", started.address);
    let seen = raw().inspect_container(started.sandbox.id(), None).await.expect("it is there");
    let ports = seen.network_settings.and_then(|settings| settings.ports).unwrap_or_default();
    for binding in ports.values().flatten().flatten() {
        assert_eq!(binding.host_ip.as_deref(), Some("127.0.0.1"));
    }
    bench.end().await;
}

#[tokio::test]
async fn with_network_a_container_is_on_the_default_bridge() {
    let bench = bench_or_return!(|options| options.network = true);
    let foreign = create_foreign(&bench.run).await;
    let started = bench.start("online", 128).await;
    bench.init(&started, CALLS_OUT).await;
    let answer = bench.run_with(&started, &format!(r#"{{"host":"{}","port":8080}}"#, foreign.address)).await;
    assert!(answer.contains(r#""reached": true"#), "{answer}");
    bench.end().await;
}

#[tokio::test]
async fn sweeping_removes_all_of_a_run_and_nothing_else() {
    let bench = bench_or_return!(|_| {});
    let other = bench_or_return!(|_| {});
    let foreign = create_foreign(&bench.run).await;
    let theirs = other.start("theirs", 128).await;
    for name in ["one", "two", "three"] {
        bench.start(name, 128).await;
    }
    let frozen = bench.start("frozen", 128).await;
    bench.docker.pause(&frozen.sandbox).await.expect("it can be paused");
    // One whose start nobody waits for.
    let dropped = timeout(Duration::from_millis(20), bench.create("dropped", &IMAGE, 128)).await;
    assert!(dropped.is_err(), "it takes longer to start a container");

    let swept = bench.docker.sweep().await;
    assert_eq!(swept.failed, Vec::<String>::new());
    let names = ["dropped", "frozen", "one", "three", "two"];
    let mut expected: Vec<String> =
        names.iter().map(|name| format!("container {}", bench.name(name))).collect();
    expected.push(format!("network faassim-{}", bench.run));
    assert_eq!(swept.removed, expected);
    assert_eq!(other.docker.fate(&theirs.sandbox).await, Fate::Alive);
    raw().inspect_container(&foreign.id, None).await.expect("the foreign container is still there");
    bench.end().await;
    other.end().await;
}

#[tokio::test]
async fn cleaning_up_removes_what_belongs_to_the_dead_only() {
    let dead_owner = format!("nowhere/1/{}", docker_bench::unique());
    let dead = bench_or_return!(|options| options.owner.clone_from(&dead_owner));
    let living = bench_or_return!(|_| {});
    dead.start("orphan", 128).await;
    let started = living.start("living", 128).await;
    let swept = living.docker.cleanup(|owner| owner != dead_owner).await;
    assert_eq!(swept.failed, Vec::<String>::new());
    let orphan = format!("container {}", dead.name("orphan"));
    assert_eq!(swept.removed, [orphan, format!("network faassim-{}", dead.run)]);
    assert_eq!(living.docker.fate(&started.sandbox).await, Fate::Alive);
    living.end().await;
    dead.end().await;
}

#[tokio::test]
async fn the_server_is_reached_soon() {
    let bench = bench_or_return!(|_| {});
    let started = bench.start("soon", 128).await;
    let begun = Instant::now();
    while TcpStream::connect(started.address).await.is_err() {
        assert!(begun.elapsed() < Duration::from_secs(20), "{} is not reached", started.address);
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    eprintln!(
        "queued {:?}, create {:?}, found {:?}, listens after {:?}",
        started.queued,
        started.create,
        started.found,
        begun.elapsed()
    );
    assert!(Docker::answers().await);
    assert!(bench.docker.describe().starts_with("docker "));
    let asked = Instant::now();
    bench.docker.remove(&started.sandbox).await.expect("it can be removed");
    eprintln!("removed in {:?}", asked.elapsed());
    bench.end().await;
}
