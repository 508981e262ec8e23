//! Every shape of line, and three real logs. Must never depend on files outside the package.

use super::*;

const COLD: &str = include_str!("../../../tests/data/openwhisk/logs/cold1.log");
const COLD_AGAIN: &str = include_str!("../../../tests/data/openwhisk/logs/cold2.log");
const WARM: &str = include_str!("../../../tests/data/openwhisk/logs/warm.log");

fn read(line: &str) -> LogLine<'_> {
    parse_log_line(line).unwrap_or_else(|| panic!("not read: {line}"))
}

#[test]
fn a_request_has_no_component() {
    let line =
        read("[2022-04-15T06:04:39.086Z] [INFO] [#tid_kB9] POST /api/v1/x blocking=false&result=false");
    assert_eq!((line.time_ms, line.level), (1_650_002_679_086, "INFO"));
    assert_eq!((line.tid, line.component), (Some("kB9"), None));
    assert_eq!(line.message, "POST /api/v1/x blocking=false&result=false");
    assert_eq!(line.marker, None);
}

#[test]
fn a_library_has_neither_transaction_nor_component() {
    let line =
        read("[2022-04-15T06:04:44.305Z] [WARN] Message [a.B] to Actor[akka://x] was unhandled. [1] dead");
    assert_eq!((line.tid, line.component, line.level), (None, None, "WARN"));
    assert_eq!(line.message, "Message [a.B] to Actor[akka://x] was unhandled. [1] dead");
    let line = read("[2022-04-15T06:04:44.305Z] [INFO] [akka] starts with a bracket");
    assert_eq!((line.component, line.message), (None, "[akka] starts with a bracket"));
}

#[test]
fn messages_may_begin_with_a_bracket_and_may_be_empty() {
    let line = read(
        "[2022-04-15T06:04:39.088Z] [INFO] [#tid_a] [Identity] [GET] from cache: K(b) [marker:database_cacheHit_counter:2]",
    );
    assert_eq!((line.component, line.message), (Some("Identity"), "[GET] from cache: K(b)"));
    let marker = line.marker.expect("a marker");
    assert_eq!((marker.component, marker.action, marker.sub_action), ("database", "cacheHit", None));
    assert_eq!((marker.state, marker.delta_to_start_ms, marker.delta_ms), ("counter", 2, None));

    let line = read(
        "[2022-04-15T06:04:43.685Z] [INFO] [#tid_sid_unknown] [DockerClient]  [marker:invoker_docker.run_finish:4600:357]",
    );
    assert_eq!((line.tid, line.message), (Some("sid_unknown"), ""));
    let marker = line.marker.expect("a marker");
    assert_eq!((marker.action, marker.sub_action, marker.state), ("docker", Some("run"), "finish"));
    assert_eq!((marker.delta_to_start_ms, marker.delta_ms), (4600, Some(357)));
}

#[test]
fn the_marker_may_be_the_message() {
    let line = read(
        "[2022-04-15T06:04:39.135Z] [INFO] [#tid_a] [BasicHttpService] [marker:http_post.202_counter:50:50]",
    );
    assert_eq!((line.component, line.message), (Some("BasicHttpService"), ""));
    assert_eq!(line.marker.map(|marker| (marker.component, marker.sub_action)), Some(("http", Some("202"))));
    let line = read("[2022-04-15T06:04:39.135Z] [INFO] [#tid_a] [marker:http_post.202_counter:50:50]");
    assert_eq!((line.component, line.message), (None, ""));
    assert!(line.marker.is_some());
}

#[test]
fn a_child_transaction_adds_a_second_id() {
    let line = read("[2020-02-29T23:59:59.999Z] [ERROR] [#tid_root] [#tid_child] [ContainerPool] text");
    assert_eq!(
        (line.tid, line.child_tid, line.component),
        (Some("root"), Some("child"), Some("ContainerPool"))
    );
    assert_eq!((line.time_ms, line.message), (1_583_020_799_999, "text"));
}

#[test]
fn what_is_no_line_is_not_read() {
    for text in [
        "",
        "  at java.lang.Thread",
        "[INFO] [#tid_a] x",
        "[2022-04-15T06:04:39.086Z] [LOUD] x",
        "[2022-13-15T06:04:39.086Z] [INFO] x",
    ] {
        assert_eq!(parse_log_line(text), None, "{text}");
    }
    let line = read("[2022-04-15T06:04:39.086Z] [INFO] [#tid_a] [X] text [marker:odd]");
    assert_eq!((line.message, line.marker), ("text [marker:odd]", None));
}

#[test]
fn real_logs_are_read_whole() {
    for (name, log, lines, markers) in
        [("cold1", COLD, 43, 35), ("cold2", COLD_AGAIN, 43, 35), ("warm", WARM, 28, 24)]
    {
        let read: Vec<LogLine<'_>> = log.lines().map(read).collect();
        assert_eq!(read.len(), lines, "{name}");
        assert_eq!(read.iter().filter(|line| line.marker.is_some()).count(), markers, "{name}");
        assert!(read.is_sorted_by_key(|line| line.time_ms), "{name}");
    }
}

#[test]
fn real_placement_lines_are_written_alike() {
    for (log, state, container) in [
        (COLD, StartState::Cold, None),
        (WARM, StartState::Warmed, Some("0fb2bf06f4e6e2aeecce307046cc3c4443f77bd6363f4c35e23a00d302fe5f3f")),
    ] {
        let lines: Vec<LogLine<'_>> = log.lines().map(read).collect();
        let placement = lines.iter().find(|line| line.message.starts_with("containerStart")).expect("placed");
        let posted = lines.iter().find_map(|line| line.message.strip_prefix("action activation id: "));
        let start = ContainerStart {
            state,
            container,
            active: 1,
            max_concurrent: 1,
            action: "hello",
            namespace: "alftest",
            activation: posted.expect("posted"),
        };
        assert_eq!(container_start_message(&start), placement.message);
    }
}

#[test]
fn the_fork_counts_with_its_misprint() {
    let cold = [("alftest/hello@0.0.1".to_owned(), 2), ("alftest/cnn@0.0.1".to_owned(), 1)];
    assert_eq!(
        faascache_counter_message(3, 5, &cold, &[]),
        "cold hits: 3, warm hits:5, cold mapits: Map(ExecutableWhiskAction/alftest/hello@0.0.1 -> 2, \
         ExecutableWhiskAction/alftest/cnn@0.0.1 -> 1), warm map: Map()"
    );
}

#[test]
fn placement_lines_read_back() {
    for (state, container, action) in [
        (StartState::Cold, None, "hello"),
        (StartState::WarmingCold, None, "a name with namespace: in it"),
        (StartState::RecreatedPrewarm, Some("3c4e"), "hello"),
    ] {
        let (namespace, activation) = ("alftest", "ca09");
        let start =
            ContainerStart { state, container, active: 2, max_concurrent: 5, action, namespace, activation };
        assert_eq!(parse_container_start(&container_start_message(&start)), Some(start));
    }
    for other in ["containerStart", "containerStart containerState: tepid container: None", "cold hits: 1"] {
        assert_eq!(parse_container_start(other), None, "{other}");
    }
}

#[test]
fn times_are_read_in_any_precision_and_written_back() {
    for (text, ms) in [
        ("2022-04-15T06:04:39.086Z", 1_650_002_679_086),
        ("2022-04-15T06:04:39.0869Z", 1_650_002_679_086),
        ("2022-04-15T06:04:39.08Z", 1_650_002_679_080),
        ("2022-04-15T06:04:39Z", 1_650_002_679_000),
        ("1970-01-01T00:00:00.000Z", 0),
    ] {
        assert_eq!(line_time(format!("[{text}] [INFO] x").as_bytes()), Some(ms), "{text}");
    }
    for text in ["2022-04-15T24:04:39.086Z", "2022-04-15T06:04:39.0x6Z", "2022-00-15T06:04:39.086Z", "now"] {
        assert_eq!(line_time(format!("[{text}] [INFO] x").as_bytes()), None, "{text}");
    }
    assert_eq!(line_time(b"x [2022-04-15T06:04:39.086Z]"), None);
    // Every day of some leap and century years.
    for day in (-40_000..60_000).step_by(7) {
        let ms = day * 86_400_000 + 45_296_789;
        let text = utc(ms).replace(' ', "T") + "Z";
        assert_eq!(epoch_ms(&text), Some(ms), "{text}");
    }
    assert_eq!(utc(951_782_400_000), "2000-02-29 00:00:00.000");
}
