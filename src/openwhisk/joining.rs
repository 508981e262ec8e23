//! Which lines belong to one activation: by transaction, by activation id, by container. Owns what is under way;
//! must never hold more than [`MOST_UNDER_WAY`] of it, nor compute a figure.
//!
//! An activation is handed over once it has ended and been answered and its container was paused or used again, at the
//! latest [`LINGER_MS`] of the log's time after its last line, and at the end of the log in any case.

mod messages;
mod under_way;

use self::messages::Said;
use self::under_way::{Open, UnderWay};
use super::logs::{LogLine, Marker, parse_container_start};
use super::phases::{Activation, Fate, Phase};

/// Transactions under way that are remembered; beyond it the oldest is given up.
pub const MOST_UNDER_WAY: usize = 50_000;

/// For so long after its last line an activation that has ended waits for more: OpenWhisk pauses an idle container
/// after 10 s at most (docs/specs/openwhisk.md §23).
pub const LINGER_MS: i64 = 30_000;

/// Whoever hears of what was joined.
pub trait Hear {
    /// An activation, with all that the log tells of it.
    fn activation(&mut self, activation: Activation, fate: Fate);
    /// A phase that belongs to no activation: of a prewarm, of a container that is removed.
    fn background(&mut self, phase: Phase, ms: u32, failed: bool);
}

/// What was odd about joining.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Oddities {
    /// Given up because too much was under way.
    pub given_up: u64,
    /// Activation ids under two transactions at once.
    pub duplicate_ids: u64,
    /// Transactions with a second activation while the first was under way: their markers cannot be told apart.
    pub shared_transactions: u64,
    /// Activations placed more than once: handed back by a container, and placed again.
    pub placed_again: u64,
}

/// A pause under way.
struct Pause {
    /// By the clock of its transaction.
    began: u64,
    container: Box<str>,
    at: i64,
}

/// Joins lines, told in order of time.
pub struct Joiner {
    under_way: UnderWay,
    pauses: Vec<Pause>,
    /// The latest time of any line.
    clock: i64,
    /// Whether the log tells when the controller hears of completions.
    has_acks: bool,
    oddities: Oddities,
}

impl Default for Joiner {
    fn default() -> Joiner {
        Joiner::with_room_for(MOST_UNDER_WAY)
    }
}

impl Joiner {
    /// One that gives up the oldest beyond `most` under way.
    pub fn with_room_for(most: usize) -> Joiner {
        Joiner {
            under_way: UnderWay::new(most),
            pauses: Vec::new(),
            clock: i64::MIN,
            has_acks: false,
            oddities: Oddities::default(),
        }
    }

    /// What was odd so far.
    pub fn oddities(&self) -> Oddities {
        self.oddities
    }

    /// How many transactions are under way.
    pub fn under_way(&self) -> usize {
        self.under_way.len()
    }

    /// One more line of OpenWhisk's.
    pub fn line(&mut self, line: &LogLine<'_>, hear: &mut impl Hear) {
        let Some(tid) = line.child_tid.or(line.tid) else { return };
        if line.time_ms > self.clock {
            self.clock = line.time_ms;
            self.settle_late(hear);
        }
        if tid.starts_with("sid_") {
            self.internal(line, hear);
            return;
        }
        let said = Said::of(line);
        let Some(slot) = self.find(tid, line, &said, hear) else { return };
        self.under_way.touch(slot, line.time_ms);
        self.said(slot, line, &said, hear);
        if let Some(marker) = &line.marker {
            self.marker(slot, line, marker, hear);
        }
        self.begin_to_linger(slot);
    }

    /// At the end of the log: everything still under way is handed over.
    pub fn finish(&mut self, hear: &mut impl Hear) {
        while let Some(slot) = self.under_way.oldest() {
            self.settle(slot, hear);
        }
    }

    /// The transaction that a line belongs to; a new one if the line can be the first of one.
    fn find(&mut self, tid: &str, line: &LogLine<'_>, said: &Said<'_>, hear: &mut impl Hear) -> Option<u32> {
        let id = said.activation();
        let known = match id.and_then(|id| self.under_way.by_id(id)) {
            Some(slot) if self.under_way.at(slot).seen.tid.as_ref() == tid => Some(slot),
            _ => self.under_way.by_tid(tid),
        };
        let begins = said.begins() || line.marker.as_ref().is_some_and(is_beginning);
        let Some(slot) = known else {
            // A completion may be told under another transaction than that of the activation.
            let by_id = || id.and_then(|id| self.under_way.by_id(id)).filter(|_| !said.begins());
            return by_id().or_else(|| begins.then(|| self.open(tid, line, said, hear)));
        };
        let open = self.under_way.at(slot);
        let is_other_id = matches!((id, &open.seen.id), (Some(new), Some(old)) if *new != **old);
        let is_other_request = matches!(said, Said::Request(_)) && open.has_request;
        if !(said.begins() && (is_other_id || is_other_request)) {
            return Some(slot);
        }
        if open.has_ended() {
            self.settle(slot, hear);
        } else {
            self.oddities.shared_transactions += 1;
        }
        Some(self.open(tid, line, said, hear))
    }

    fn open(&mut self, tid: &str, line: &LogLine<'_>, said: &Said<'_>, hear: &mut impl Hear) -> u32 {
        if self.under_way.is_full()
            && let Some(oldest) = self.under_way.oldest()
        {
            self.oddities.given_up += u64::from(self.under_way.at(oldest).is_activation());
            self.settle(oldest, hear);
        }
        let began = match &line.marker {
            Some(marker) if !matches!(said, Said::Request(_)) => {
                line.time_ms.saturating_sub_unsigned(marker.delta_to_start_ms)
            }
            _ => line.time_ms,
        };
        self.under_way.open(tid, began)
    }

    /// What a marker tells of an activation.
    fn marker(&mut self, slot: u32, line: &LogLine<'_>, marker: &Marker<'_>, hear: &mut impl Hear) {
        let at = u32::try_from(marker.delta_to_start_ms).ok();
        let open = self.under_way.at_mut(slot);
        match (marker.component, marker.action, marker.state) {
            ("invoker", "activation", "start") => open.seen.taken = at,
            ("http", _, "counter") => {
                if marker.sub_action == Some("202") {
                    open.seen.accepted = at;
                }
                if !open.is_activation() {
                    self.under_way.close(slot);
                }
                return;
            }
            _ => {}
        }
        let Some(phase) = Phase::of(marker) else { return };
        if phase == Phase::Save && marker.state == "start" && !line.message.contains("'activations'") {
            open.saves_other = true;
            return;
        }
        if phase == Phase::Save && std::mem::take(&mut open.saves_other) {
            return;
        }
        let mark = &mut open.seen.marks[phase as usize];
        if marker.state == "start" {
            *mark = super::phases::Mark { start: at, ..Default::default() };
            if phase == Phase::Pause {
                open.seen.pause_at = Some(line.time_ms);
            }
            return;
        }
        mark.end = at;
        mark.ms = marker.delta_ms.and_then(|ms| u32::try_from(ms).ok());
        mark.failed = marker.state == "error" || messages::is_bad_result(line.message);
        let (took, failed) = (mark.took(), mark.failed);
        match phase {
            Phase::CollectLogs => open.seen.logs_at = Some(line.time_ms),
            Phase::Pause => open.seen.paused_at = Some(line.time_ms),
            Phase::Remove => {
                if let Some(took) = took {
                    hear.background(phase, took, failed);
                }
            }
            _ => {}
        }
    }

    /// What the text of a line tells of an activation.
    fn said(&mut self, slot: u32, line: &LogLine<'_>, said: &Said<'_>, hear: &mut impl Hear) {
        if let Some(id) = said.activation() {
            self.oddities.duplicate_ids += u64::from(self.under_way.identify(slot, id));
        }
        let open = self.under_way.at_mut(slot);
        match *said {
            Said::Request(request) => {
                (open.has_request, open.seen.request_at) = (true, line.time_ms);
                open.seen.path = messages::path_of_request(request).map(Into::into);
            }
            Said::Scheduled { path, .. } => open.seen.path = Some(path.into()),
            Said::Placed(_) => self.placed(slot, line),
            Said::Init { container } => self.in_container(slot, container, hear),
            Said::Run { path, container } => {
                open.seen.path = Some(path.into());
                self.in_container(slot, container, hear);
            }
            Said::Posted { .. } => open.is_posted = true,
            Said::Acknowledged { is_system_error, .. } => {
                open.seen.ack_at = Some(line.time_ms);
                open.seen.is_system_error |= is_system_error;
                self.has_acks = true;
            }
            Said::Identified(_) | Said::Nothing => {}
        }
    }

    fn placed(&mut self, slot: u32, line: &LogLine<'_>) {
        let Some(placed) = parse_container_start(line.message) else { return };
        let open = self.under_way.at_mut(slot);
        let at = line.marker.and_then(|marker| u32::try_from(marker.delta_to_start_ms).ok());
        let seen = &mut open.seen;
        if seen.start.is_some() && seen.placed != at {
            self.oddities.placed_again += 1;
            // What it went through in the container that handed it back. The line may come after the first of the new
            // container's (§21.4), which therefore stays.
            for phase in [Phase::Pull, Phase::Create, Phase::Inspect, Phase::Unpause, Phase::Init, Phase::Run]
            {
                let mark = &mut seen.marks[phase as usize];
                if !mark.is_open() {
                    *mark = super::phases::Mark::default();
                }
            }
        }
        (seen.start, seen.placed) = (Some(placed.state), at);
        seen.placed_as = Some((placed.namespace.into(), placed.action.into()));
    }

    /// An activation uses a container: the one before it there will not be followed by a pause any more.
    fn in_container(&mut self, slot: u32, container: &str, hear: &mut impl Hear) {
        if let Some(before) = self.under_way.occupy(slot, container)
            && self.is_answered(before)
        {
            self.settle(before, hear);
        }
    }

    /// A line of internal work.
    fn internal(&mut self, line: &LogLine<'_>, hear: &mut impl Hear) {
        let said = Said::of(line);
        if let Some(slot) = said.activation().and_then(|id| self.under_way.by_id(id))
            && !said.begins()
        {
            self.said(slot, line, &said, hear);
            self.begin_to_linger(slot);
        }
        let Some(marker) = &line.marker else { return };
        let Some(phase) = Phase::of(marker).filter(|_| marker.component == "invoker") else { return };
        match (phase, marker.state) {
            (Phase::Pause, "start") => self.pause_begins(line, marker),
            (Phase::Remove, "start") => self.removed(line, hear),
            _ => {}
        }
        let Some(took) = marker.delta_ms.and_then(|ms| u32::try_from(ms).ok()) else { return };
        let failed = marker.state == "error";
        if !matches!(marker.state, "finish" | "error") {
            return;
        }
        if phase == Phase::Pause && self.pause_ends(line, marker, took, failed, hear) {
            return;
        }
        hear.background(phase, took, failed);
    }

    /// A container that is removed will not be paused any more.
    fn removed(&mut self, line: &LogLine<'_>, hear: &mut impl Hear) {
        let container = messages::last_argument(line.message);
        if let Some(slot) = container.and_then(|container| self.under_way.vacate(container))
            && self.is_answered(slot)
        {
            self.settle(slot, hear);
        }
    }

    fn pause_begins(&mut self, line: &LogLine<'_>, marker: &Marker<'_>) {
        let Some(container) = messages::last_argument(line.message) else { return };
        if self.pauses.len() >= MOST_UNDER_WAY {
            self.pauses.remove(0);
        }
        let container = container.into();
        self.pauses.push(Pause { began: marker.delta_to_start_ms, container, at: line.time_ms });
    }

    /// The end of a pause does not name its container: it is the one whose pause began so long ago. Returns whether
    /// it was of an activation under way.
    fn pause_ends(
        &mut self,
        line: &LogLine<'_>,
        marker: &Marker<'_>,
        took: u32,
        failed: bool,
        hear: &mut impl Hear,
    ) -> bool {
        /// Both numbers are rounded, and clocks are read one after the other.
        const APART_MS: u64 = 2;
        let began = marker.delta_to_start_ms.saturating_sub(u64::from(took));
        let apart = |pause: &Pause| pause.began.abs_diff(began);
        let nearest = (0..self.pauses.len()).min_by_key(|ix| apart(&self.pauses[*ix]));
        let Some(ix) = nearest.filter(|ix| apart(&self.pauses[*ix]) <= APART_MS) else { return false };
        let pause = self.pauses.remove(ix);
        let Some(slot) = self.under_way.vacate(&pause.container) else { return false };
        let seen = &mut self.under_way.at_mut(slot).seen;
        seen.marks[Phase::Pause as usize].ms = Some(took);
        seen.marks[Phase::Pause as usize].failed = failed;
        (seen.pause_at, seen.paused_at) = (Some(pause.at), Some(line.time_ms));
        if self.is_answered(slot) {
            self.settle(slot, hear);
        }
        true
    }

    /// Whether nothing more is to come, except a pause of its container.
    fn is_answered(&self, slot: u32) -> bool {
        let open = self.under_way.at(slot);
        let answered = open.seen.ack_at.is_some() || open.is_posted && !self.has_acks;
        answered && open.has_ended() && !open.seen.marks.iter().any(super::phases::Mark::is_open)
    }

    fn begin_to_linger(&mut self, slot: u32) {
        if let Some(open) = self.under_way.get(slot)
            && open.has_ended()
        {
            self.under_way.linger(slot, self.clock + LINGER_MS);
        }
    }

    /// Hands over those that have lingered long enough.
    fn settle_late(&mut self, hear: &mut impl Hear) {
        while let Some(slot) = self.under_way.due(self.clock) {
            let last = self.under_way.at(slot).last;
            if last + LINGER_MS > self.clock {
                self.under_way.linger(slot, last + LINGER_MS);
            } else {
                self.settle(slot, hear);
            }
        }
    }

    fn settle(&mut self, slot: u32, hear: &mut impl Hear) {
        let Some(open) = self.under_way.close(slot) else { return };
        if open.is_activation() {
            let (activation, fate) = judged(open);
            hear.activation(activation, fate);
        }
    }
}

/// Markers that only an invoker or controller at work on an activation writes.
fn is_beginning(marker: &Marker<'_>) -> bool {
    let begins =
        matches!(marker.action, "activation" | "blockingActivation" | "activationInit" | "activationRun");
    begins && marker.state == "start" && matches!(marker.component, "controller" | "invoker")
}

/// What became of a transaction.
fn judged(open: Open) -> (Activation, Fate) {
    let (is_answered, ended) = (open.is_answered(), open.is_run_over());
    let mut seen = open.seen;
    let has = |phase: Phase| seen.mark(phase).end.is_some();
    if seen.start.is_none() && ended && seen.taken.is_some() {
        seen.start = Some(inferred(has(Phase::Create), has(Phase::Init)));
        seen.is_inferred = true;
    }
    let bad = |phase: Phase| seen.mark(phase).failed;
    let never_ran = is_answered && !ended;
    seen.is_failed = bad(Phase::Init) || bad(Phase::Run) || never_ran || seen.is_system_error;
    seen.is_system_error |= never_ran && seen.start.is_some();
    let fate = match (seen.start, ended, is_answered) {
        (Some(_), true, _) | (Some(_), _, true) => Fate::Complete,
        (None, false, true) if seen.id.is_some() => Fate::Unserved,
        _ => Fate::Incomplete,
    };
    (seen, fate)
}

/// The start state of an activation without placement line (§19: cold if its container was initialised for it).
/// `cold` and `recreated` cannot be told apart, nor can a prewarm and a recreated one.
fn inferred(created: bool, initialised: bool) -> crate::pool::boundary::StartState {
    use crate::pool::boundary::StartState;
    match (created, initialised) {
        (true, _) => StartState::Cold,
        (false, true) => StartState::Prewarmed,
        (false, false) => StartState::Warmed,
    }
}

#[cfg(test)]
mod tests;
