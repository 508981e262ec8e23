//! Lines of activations in every order. Must never touch files: those are the tests of `reading` and of the command.

use super::*;
use crate::openwhisk::logs::parse_log_line;
use crate::pool::boundary::StartState;

/// What was handed over.
#[derive(Default)]
struct Heard {
    activations: Vec<(Activation, Fate)>,
    background: Vec<(Phase, u32, bool)>,
}

impl Hear for Heard {
    fn activation(&mut self, activation: Activation, fate: Fate) {
        self.activations.push((activation, fate));
    }

    fn background(&mut self, phase: Phase, ms: u32, failed: bool) {
        self.background.push((phase, ms, failed));
    }
}

/// Writes a log whose transactions began when they say, and joins it.
struct Log {
    joiner: Joiner,
    heard: Heard,
}

impl Log {
    fn new() -> Log {
        Log { joiner: Joiner::default(), heard: Heard::default() }
    }

    /// A line `at` ms after 06:00, with a component.
    fn line(&mut self, at: i64, tid: &str, rest: &str) {
        let (second, ms) = (at / 1_000, at % 1_000);
        let time = format!("2022-04-15T06:{:02}:{:02}.{ms:03}Z", second / 60, second % 60);
        let text = format!("[{time}] [INFO] [#tid_{tid}] {rest}");
        self.joiner.line(&parse_log_line(&text).expect("a line"), &mut self.heard);
    }

    fn placed(&mut self, at: i64, tid: &str, id: &str, state: &str, since: i64) {
        let text = format!(
            "[ContainerPool] containerStart containerState: {state} container: None activations: 1 of max 1 action: f \
             namespace: ns activationId: {id} [marker:invoker_containerStart.{state}_counter:{since}]"
        );
        self.line(at, tid, &text);
    }

    /// Taken, placed, run for 10 ms in a container and answered; begun 2 ms before.
    fn warm(&mut self, at: i64, tid: &str, id: &str, container: &str) {
        self.line(at, tid, "[InvokerReactive]  [marker:invoker_activation_start:2]");
        self.placed(at + 1, tid, id, "warmed", 3);
        self.run(at + 2, tid, container, 4);
        self.line(at + 14, tid, &format!("[MessagingActiveAck] posted completion of activation {id}"));
    }

    fn run(&mut self, at: i64, tid: &str, container: &str, since: i64) {
        let text =
            format!("[C] sending arguments to /ns/f at ContainerId({container}) ContainerAddress(a,1)");
        self.line(at, tid, &format!("{text} [marker:invoker_activationRun_start:{since}]"));
        let end = since + 10;
        self.line(
            at + 10,
            tid,
            &format!("[C] running result: ok [marker:invoker_activationRun_finish:{end}:10]"),
        );
    }

    fn finish(mut self) -> (Heard, Oddities) {
        self.joiner.finish(&mut self.heard);
        assert_eq!(self.joiner.under_way(), 0);
        (self.heard, self.joiner.oddities())
    }
}

fn ids(heard: &Heard) -> Vec<&str> {
    heard.activations.iter().map(|(activation, _)| activation.id.as_deref().unwrap_or("?")).collect()
}

#[test]
fn interleaved_transactions_are_told_apart() {
    let mut log = Log::new();
    log.line(0, "a", "[InvokerReactive]  [marker:invoker_activation_start:5]");
    log.line(1, "b", "[InvokerReactive]  [marker:invoker_activation_start:7]");
    log.placed(2, "b", "2", "warmed", 8);
    log.placed(3, "a", "1", "warmed", 8);
    log.line(
        4,
        "a",
        "[C] sending arguments to /ns/f at ContainerId(x) A [marker:invoker_activationRun_start:9]",
    );
    log.line(
        5,
        "b",
        "[C] sending arguments to /ns/g at ContainerId(y) A [marker:invoker_activationRun_start:11]",
    );
    log.line(6, "b", "[C] running result: ok [marker:invoker_activationRun_finish:12:1]");
    log.line(9, "a", "[C] running result: not ok [marker:invoker_activationRun_finish:14:5]");
    let (heard, oddities) = log.finish();
    let [(a, Fate::Complete), (b, Fate::Complete)] = heard.activations.as_slice() else {
        panic!("{:?}", heard.activations)
    };
    assert_eq!(
        (a.path.as_deref(), a.wait(), a.duration(), a.is_failed),
        (Some("ns/f"), Some(9), Some(5), true)
    );
    assert_eq!(
        (b.path.as_deref(), b.wait(), b.duration(), b.is_failed),
        (Some("ns/g"), Some(11), Some(1), false)
    );
    assert_eq!((a.invoker_overhead(), b.invoker_overhead()), (Some(3), Some(1)));
    assert_eq!(b.request_at - a.request_at, 1 - 7 + 5);
    assert_eq!(oddities, Oddities::default());
}

#[test]
fn pauses_end_those_whose_container_they_are() {
    let mut log = Log::new();
    log.warm(0, "a", "1", "x");
    log.warm(1, "b", "2", "y");
    for (at, container, since) in [(60, "y", 1_000), (61, "x", 1_001)] {
        let text = format!("running /usr/bin/docker pause {container} (timeout: 10 seconds)");
        log.line(at, "sid_invokerNanny", &format!("[D] {text} [marker:invoker_docker.pause_start:{since}]"));
    }
    log.line(109, "sid_invokerNanny", "[D]  [marker:invoker_docker.pause_finish:1050:49]");
    assert_eq!(ids(&log.heard), ["1"], "it was answered and paused");
    log.line(110, "sid_invokerNanny", "[D]  [marker:invoker_docker.pause_finish:1051:51]");
    assert_eq!(ids(&log.heard), ["1", "2"]);
    let pauses: Vec<_> = log.heard.activations.iter().map(|(a, _)| a.mark(Phase::Pause).took()).collect();
    assert_eq!(pauses, [Some(49), Some(51)]);
    log.line(111, "sid_invokerNanny", "[D]  [marker:invoker_docker.pause_finish:9050:50]");
    let (heard, _) = log.finish();
    assert_eq!(heard.background, [(Phase::Pause, 50, false)], "its beginning is not in the log");
}

#[test]
fn the_next_in_a_container_ends_the_wait_for_a_pause() {
    let mut log = Log::new();
    log.warm(0, "a", "1", "x");
    log.warm(20, "b", "2", "x");
    assert_eq!(ids(&log.heard), ["1"]);
    log.line(
        100,
        "sid_invokerNanny",
        "[D] running docker rm -f x (timeout: 1 minute) [marker:invoker_docker.rm_start:7]",
    );
    assert_eq!(ids(&log.heard), ["1", "2"]);
    log.line(160, "sid_invokerNanny", "[D]  [marker:invoker_docker.rm_finish:67:60]");
    log.line(161, "b", "[D]  [marker:database_saveDocument_finish:67:60]");
    let (heard, _) = log.finish();
    assert_eq!(heard.background, [(Phase::Remove, 60, false)]);
    assert_eq!(ids(&heard), ["1", "2"], "a late line does not open it again");
}

#[test]
fn those_who_linger_go_by_the_logs_time() {
    let mut log = Log::new();
    log.warm(0, "a", "1", "x");
    log.line(29_000, "sid_unknown", "[X] text");
    assert_eq!(log.joiner.under_way(), 1);
    log.line(30_015, "sid_unknown", "[X] text");
    assert_eq!((ids(&log.heard), log.joiner.under_way()), (vec!["1"], 0));
}

#[test]
fn what_never_ends_is_incomplete_and_beyond_the_limit_given_up() {
    let mut log = Log { joiner: Joiner::with_room_for(3), heard: Heard::default() };
    for (at, tid) in [(0, "a"), (1, "b"), (2, "c"), (3, "d"), (4, "e")] {
        log.placed(at, tid, tid, "cold", 1);
        assert!(log.joiner.under_way() <= 3);
    }
    assert_eq!(ids(&log.heard), ["a", "b"]);
    let (heard, oddities) = log.finish();
    assert_eq!(oddities.given_up, 2);
    assert!(heard.activations.iter().all(|(_, fate)| *fate == Fate::Incomplete));
    assert_eq!(heard.activations.len(), 5);
}

#[test]
fn many_that_end_do_not_gather_behind_one_that_does_not() {
    let mut log = Log::new();
    log.placed(0, "stuck", "stuck", "cold", 1);
    for nth in 0..5_000 {
        log.warm(nth, &format!("t{nth}"), &format!("a{nth}"), "x");
        assert!(log.joiner.under_way() <= 3);
    }
    let (heard, oddities) = log.finish();
    assert_eq!((heard.activations.len(), oddities), (5_001, Oddities::default()));
}

#[test]
fn requests_without_activation_are_forgotten() {
    let mut log = Log::new();
    log.line(0, "a", "GET /api/v1/namespaces/ns/activations limit=1");
    log.line(1, "a", "[BasicHttpService] [marker:http_get.200_counter:1:1]");
    log.line(2, "b", "POST /api/v1/namespaces/ns/actions/f blocking=true");
    log.line(3, "b", "[ActionsApi]  [marker:controller_blockingActivation_start:1]");
    log.line(4, "b", "[BasicHttpService] [marker:http_post.429_counter:2:2]");
    assert_eq!(log.joiner.under_way(), 0);
    let (heard, _) = log.finish();
    assert_eq!(heard.activations, []);
}

#[test]
fn errors_end_activations_too() {
    let mut log = Log::new();
    // Its container never comes up.
    log.placed(0, "a", "1", "cold", 5);
    log.line(1, "a", "[D] running docker run x (timeout: 1 minute) [marker:invoker_docker.run_start:6]");
    log.line(60_001, "a", "[D] no [marker:invoker_docker.run_error:60006:60000]");
    log.line(60_002, "a", "[MessagingActiveAck] posted combined of activation 1");
    // Its init fails.
    log.placed(60_003, "b", "2", "prewarmed", 5);
    log.line(
        60_004,
        "b",
        "[C] sending initialization to ContainerId(y) A [marker:invoker_activationInit_start:6]",
    );
    log.line(60_009, "b", "[C] initializiation failed with X [marker:invoker_activationInit_error:11:5]");
    // It is refused before it is placed.
    log.line(60_010, "c", "[InvokerReactive]  [marker:invoker_activation_start:5]");
    log.line(60_011, "c", "[MessagingActiveAck] posted combined of activation 3");
    let (heard, _) = log.finish();
    let told: Vec<_> = heard
        .activations
        .iter()
        .map(|(a, fate)| (a.id.as_deref(), *fate, a.is_failed, a.is_system_error, a.duration()))
        .collect();
    assert_eq!(
        told,
        [
            (Some("1"), Fate::Complete, true, true, None),
            (Some("2"), Fate::Complete, true, false, Some(5)),
            (Some("3"), Fate::Unserved, true, false, None),
        ]
    );
    assert!(heard.activations[0].0.mark(Phase::Create).failed);
    assert_eq!((heard.activations[1].0.wait(), heard.activations[1].0.response()), (Some(6), Some(11)));
}

#[test]
fn start_states_are_inferred_where_the_placement_line_is_missing() {
    let mut log = Log::new();
    for (tid, at, lines) in [
        (
            "a",
            0,
            &[
                "[D] x [marker:invoker_docker.run_finish:3:3]",
                "[C] x [marker:invoker_activationInit_finish:3:3]",
            ][..],
        ),
        ("b", 100, &["[C] initialization result: ok [marker:invoker_activationInit_finish:3:3]"]),
        ("c", 200, &[]),
    ] {
        log.line(at, tid, "[InvokerReactive]  [marker:invoker_activation_start:2]");
        for line in lines {
            log.line(at + 1, tid, line);
        }
        log.run(at + 2, tid, tid, 4);
    }
    // Its beginning is not in the log.
    log.run(300, "d", "d", 4);
    let (heard, _) = log.finish();
    let told: Vec<_> = heard.activations.iter().map(|(a, fate)| (a.start, a.is_inferred, *fate)).collect();
    assert_eq!(
        told,
        [
            (Some(StartState::Cold), true, Fate::Complete),
            (Some(StartState::Prewarmed), true, Fate::Complete),
            (Some(StartState::Warmed), true, Fate::Complete),
            (None, false, Fate::Incomplete),
        ]
    );
}

#[test]
fn the_last_placement_counts() {
    let mut log = Log::new();
    log.placed(0, "a", "1", "warmed", 5);
    log.line(
        1,
        "a",
        "[C] sending arguments to /ns/f at ContainerId(x) A [marker:invoker_activationRun_start:6]",
    );
    log.line(2, "a", "[C] run failed with X [marker:invoker_activationRun_error:7:1]");
    // The container's own line may come first.
    log.line(3, "a", "[D] running docker run (timeout: 1 minute) [marker:invoker_docker.run_start:8]");
    log.placed(4, "a", "1", "cold", 9);
    log.line(300, "a", "[D]  [marker:invoker_docker.run_finish:308:300]");
    log.run(301, "a", "y", 310);
    let (heard, oddities) = log.finish();
    let (activation, fate) = &heard.activations[0];
    assert_eq!(
        (*fate, activation.start, activation.is_failed),
        (Fate::Complete, Some(StartState::Cold), false)
    );
    assert_eq!((activation.wait(), activation.mark(Phase::Create).took()), (Some(310), Some(300)));
    assert_eq!((oddities.placed_again, heard.activations.len()), (1, 1));
}

#[test]
fn ids_and_transactions_that_are_used_again_are_counted() {
    let mut log = Log::new();
    log.placed(0, "a", "1", "cold", 5);
    log.placed(1, "b", "1", "cold", 5);
    // The same client id for two requests at once, then for a third when the second has ended.
    log.placed(2, "c", "3", "cold", 5);
    log.placed(3, "c", "4", "warmed", 5);
    log.run(4, "c", "x", 6);
    log.placed(20, "c", "5", "warmed", 5);
    let (heard, oddities) = log.finish();
    assert_eq!((oddities.duplicate_ids, oddities.shared_transactions), (1, 1));
    let mut ids = ids(&heard);
    ids.sort_unstable();
    assert_eq!(ids, ["1", "1", "3", "4", "5"]);
}

#[test]
fn children_are_transactions_of_their_own() {
    let mut log = Log::new();
    for (at, child) in [(0, "one"), (1, "two")] {
        let tid = format!("root] [#tid_{child}");
        log.line(at, &tid, "[InvokerReactive]  [marker:invoker_activation_start:2]");
        log.placed(at + 2, &tid, child, "warmed", 4);
        log.run(at + 3, &tid, child, 5);
    }
    let (heard, oddities) = log.finish();
    assert_eq!((ids(&heard), oddities), (vec!["one", "two"], Oddities::default()));
}

#[test]
fn completions_are_found_by_activation_too() {
    let mut log = Log::new();
    log.placed(0, "a", "1", "warmed", 5);
    log.run(1, "a", "x", 6);
    log.line(20, "sid_unknown", "[LeanBalancer] received completion ack for '1', system error=true");
    let (heard, _) = log.finish();
    let (activation, _) = &heard.activations[0];
    assert_eq!(activation.since_request(activation.ack_at), Some(25));
    assert!(activation.is_failed && activation.is_system_error);
}

#[test]
fn a_clock_that_goes_back_does_no_harm() {
    let mut log = Log::new();
    log.line(5_000, "a", "POST /api/v1/namespaces/ns/actions/f x");
    log.line(5_001, "a", "[InvokerReactive]  [marker:invoker_activation_start:1]");
    log.placed(1_000, "a", "1", "warmed", 0);
    log.run(1_001, "a", "x", 0);
    log.line(1_012, "a", "[LeanBalancer] received completion ack for '1', system error=false");
    let (heard, _) = log.finish();
    let (activation, fate) = &heard.activations[0];
    assert_eq!((*fate, activation.since_request(activation.ack_at)), (Fate::Complete, Some(-3_988)));
    assert_eq!(activation.invoker_overhead(), Some(-1));
}
