//! The text of the view after notes that a pool may give.

use super::*;
use crate::ids::KindId;
use crate::pool::boundary::{Ack, Answer, Departure, Refusal, StartState};

fn container(slot: u32, epoch: u32) -> ContainerId {
    ContainerId { slot, epoch }
}

fn view() -> View {
    View::nowhere("live-smoke", 412, Time::ZERO + Span::from_secs(120), Memory(640))
}

fn note(view: &mut View, note: Note) {
    view.noted(Time::ZERO, &note);
}

fn dispatched(activation: u32, start: StartState) -> Note {
    Note::Dispatched {
        activation: ActivationId(activation),
        function: FunctionId(0),
        container: container(0, 0),
        start,
        active: 1,
    }
}

fn ending(activation: u32, outcome: Outcome) -> Ending {
    Ending {
        activation: ActivationId(activation),
        number: 0,
        function: FunctionId(0),
        arrived: Time::ZERO,
        at: Time::ZERO,
        warm_run: Span::ZERO,
        outcome,
    }
}

/// A container from nothing to its first run.
fn start(view: &mut View, id: ContainerId, memory_mib: u32) {
    note(view, Note::Allotted { container: id, function: Some(FunctionId(0)), memory_mib });
    note(view, Note::Entered(id, Phase::Running));
    view.acted(Time::ZERO, &Action::Create { container: id, function: None, kind: KindId(0), memory_mib });
    view.acted(Time::ZERO, &Action::Init { container: id, function: FunctionId(0), activation: None });
}

#[test]
fn the_panel_tells_all_within_80_columns() {
    let mut view = view();
    for activation in 0..4 {
        view.arrived(Time::ZERO, ActivationId(activation), FunctionId(0));
    }
    start(&mut view, container(0, 0), 128);
    start(&mut view, container(1, 0), 256);
    view.acted(
        Time::ZERO,
        &Action::Run { container: container(1, 0), activation: ActivationId(1), reschedule: false },
    );
    note(&mut view, dispatched(0, StartState::Cold));
    note(&mut view, dispatched(1, StartState::Recreated));
    note(&mut view, dispatched(2, StartState::Warmed));
    note(&mut view, Note::Buffered(ActivationId(3)));
    view.lag(Span(400));
    view.lag(Span::from_ms(12));
    let panel = view.panel(Time::ZERO + Span::from_secs(50));
    assert_eq!(
        panel,
        "live-smoke: 0:50 of 2:00, 4 of 412 sent\n\
         [----------------------------------------] 1:10 left\n\
         containers  1 starting, 1 running, 0 ready, 0 paused, 0 removing\n\
         memory      [#################-----------] 384 of 640 MiB\n\
         starts      1 warm, 2 cold (66.7 %), 1 waiting\n\
         sent late   0.40 ms (median), 12 ms (most)"
    );
    assert!(panel.lines().all(|line| line.chars().count() <= 80));
    assert_eq!(
        view.line(Time::ZERO + Span::from_secs(50)),
        "0:50 of 2:00, 4 of 412 sent, 2 containers, 384/640 MiB, 66.7 % cold, 1 waiting"
    );
}

#[test]
fn containers_go_through_their_phases() {
    let mut view = view();
    let id = container(3, 7);
    start(&mut view, id, 128);
    assert_eq!(view.doing(id), Some(Doing::Starting));
    let run = Action::Run { container: id, activation: ActivationId(0), reschedule: false };
    view.acted(Time::ZERO, &run);
    assert_eq!(view.doing(id), Some(Doing::Running));
    for (phase, doing) in [
        (Phase::Ready, Doing::Ready),
        (Phase::Pausing, Doing::Ready),
        (Phase::Paused, Doing::Paused),
        (Phase::Running, Doing::Running),
        (Phase::Ready, Doing::Ready),
        (Phase::Removing, Doing::Removing),
    ] {
        note(&mut view, Note::Entered(id, phase));
        assert_eq!(view.doing(id), Some(doing), "{phase:?}");
        assert_eq!(view.containers_now(), 1);
    }
    let why = Departure::Expired;
    note(&mut view, Note::Gone { container: id, function: None, memory_mib: 128, why });
    assert_eq!((view.held_mib, view.containers_now()), (0, 1));
    note(&mut view, Note::Entered(id, Phase::Stopped));
    assert_eq!((view.doing(id), view.containers_now()), (None, 0));
}

#[test]
fn a_late_word_of_a_dead_container_changes_nothing() {
    let mut view = view();
    start(&mut view, container(0, 1), 128);
    note(&mut view, Note::Entered(container(0, 0), Phase::Stopped));
    note(&mut view, Note::Entered(container(0, 0), Phase::Removing));
    assert_eq!((view.doing(container(0, 1)), view.containers_now()), (Some(Doing::Starting), 1));
}

#[test]
fn prewarmed_containers_are_shown_if_there_are_any() {
    let mut view = view();
    let id = container(0, 0);
    let prewarm = Note::Prewarm {
        container: Some(id),
        kind: KindId(0),
        memory_mib: 256,
        ttl: None,
        reserved_only: false,
    };
    note(&mut view, prewarm);
    note(&mut view, Note::Entered(id, Phase::Starting));
    note(&mut view, Note::Entered(id, Phase::Started));
    assert_eq!(view.states(), "0 starting, 0 running, 0 ready, 0 paused, 1 prewarmed, 0 removing");
    // Taken: its code is being loaded.
    note(&mut view, Note::Entered(id, Phase::Running));
    assert_eq!(view.states(), "1 starting, 0 running, 0 ready, 0 paused, 0 removing");
}

#[test]
fn the_end_and_what_went_wrong() {
    let mut view = View::nowhere("x", 3, Time::ZERO + Span::from_secs(3_723), Memory(640));
    for activation in 0..3 {
        view.arrived(Time::ZERO, ActivationId(activation), FunctionId(0));
    }
    assert_eq!(view.left(Time::ZERO), "all sent, 3 under way");
    let answer = |status| Answer {
        activation: ActivationId(0),
        ack: Ack::Combined,
        status,
        wait: Span::ZERO,
        init: None,
        duration: Span::ZERO,
        start: None,
    };
    note(&mut view, Note::Queued(ActivationId(2)));
    view.ended(&ending(0, Outcome::Answered(answer(Status::Success))));
    view.ended(&ending(1, Outcome::Answered(answer(Status::DeveloperError))));
    view.ended(&ending(2, Outcome::Refused(Refusal::Full)));
    assert_eq!(view.left(Time::ZERO), "all ended");
    assert_eq!(view.starts(), "0 warm, 0 cold (0.0 %), 0 waiting, 1 failed, 1 dropped");
    assert_eq!(view.progress(Time::ZERO), "0:00 of 1:02:03, 3 of 3 sent");
}

#[test]
fn bars_are_never_longer_than_they_are() {
    assert_eq!(bar(0.5, 4), "[##--]");
    assert_eq!((bar(2.0, 3), bar(0.0, 3)), ("[###]".to_owned(), "[---]".to_owned()));
}

/// Looks at a view after everything that happens to it.
struct Watched {
    view: View,
    /// The most containers that were seen in each state.
    most: [u64; Doing::ALL.len()],
    most_held_mib: u64,
    most_waiting: u64,
}

impl Watched {
    fn look(&mut self) {
        for (most, now) in self.most.iter_mut().zip(self.view.doing) {
            *most = (*most).max(now);
        }
        self.most_held_mib = self.most_held_mib.max(self.view.held_mib);
        self.most_waiting = self.most_waiting.max(self.view.waiting);
        let there = self.view.containers.iter().flatten().count() as u64;
        assert_eq!(self.view.containers_now(), there);
        assert!(self.view.line(Time::ZERO).chars().count() <= 110);
    }
}

impl Observer for Watched {
    fn arrived(&mut self, now: Time, activation: ActivationId, function: FunctionId) {
        self.view.arrived(now, activation, function);
    }

    fn acted(&mut self, now: Time, action: &Action) {
        self.view.acted(now, action);
        self.look();
    }

    fn noted(&mut self, now: Time, note: &Note) {
        self.view.noted(now, note);
        self.look();
    }

    fn ended(&mut self, ending: &Ending) {
        self.view.ended(ending);
        self.look();
    }
}

/// Never stops.
struct On;

impl crate::sim::Control for On {
    fn proceed(&mut self, _: u64, _: Time) -> bool {
        true
    }
}

#[test]
fn a_whole_run_is_counted_as_the_tally_counts_it() {
    use crate::scenario::{Engine, Override, Scenario};
    use crate::sim::{HeapQueue, replay_with};
    use crate::tally::Tally;

    let home = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    // Everything takes time, so that every state is seen.
    let sets = ["costs.create=400 ms", "costs.init=50 ms", "costs.pause=10 ms", "costs.remove=200 ms"];
    let sets: Vec<Override> = sets.iter().map(|set| set.parse().expect("PATH=VALUE")).collect();
    let scenario = Scenario::load(&home.join("scenarios/live-smoke.toml"), &sets)
        .unwrap_or_else(|error| panic!("{error}"));
    let trace =
        crate::trace::read_native(&scenario.trace.path).unwrap_or_else(|error| panic!("{error}")).trace;
    let Engine::Pool(setup) = &scenario.engine else { panic!("a pool") };
    let tally = Tally::new(trace.functions.len(), scenario.memory, Span::from_secs(1), false);
    let view = View::nowhere("live-smoke", 378, trace.last(), scenario.memory);
    let watched = Watched { view, most: [0; Doing::ALL.len()], most_held_mib: 0, most_waiting: 0 };
    let mut both = (tally, watched);
    let end = replay_with(&scenario, setup, &trace, &mut HeapQueue::default(), &mut both, &mut On)
        .unwrap_or_else(|error| panic!("{error:?}"));
    let (tally, watched) = both;
    let names: Vec<String> = trace.functions.iter().map(|function| function.name.clone()).collect();
    let summary = tally.summary(&names, end.at, end.unserved);
    let view = &watched.view;
    assert_eq!((view.warm, view.cold, view.sent, view.ended), (summary.warm, summary.cold, 378, 378));
    assert_eq!((view.waiting, view.failed, view.dropped), (0, 0, 0));
    assert_eq!(watched.most_held_mib, summary.memory.peak_mib);
    for (doing, name) in Doing::ALL.iter().filter(|(doing, _)| *doing != Doing::Prewarmed) {
        assert!(watched.most[*doing as usize] > 0, "{name}");
    }
    assert_eq!(view.doing[Doing::Running as usize] + view.doing[Doing::Starting as usize], 0);
}
