//! `[pool.elastic]`: memory that follows the load. Owns how the table is read; what it does is
//! [`crate::elastic`]'s.

use super::keys::ELASTIC;
use super::section::{Flaw, Problems, Section};
use super::tree::Origin;
use super::values;
use crate::elastic::{Elastic, Target};
use crate::memory::Memory;
use crate::time::Span;

/// Reads the table of a pool that has `memory` at first, and at most unless the table says otherwise.
pub(super) fn read(pool: &Section<'_>, memory: Memory, problems: &mut Problems) -> Option<Elastic> {
    let entry = pool.find("elastic")?;
    let section = pool.subsection("elastic", ELASTIC, problems)?;
    let target = target(&section, &entry.origin, problems);
    let gain = section.read("gain", problems, |node| match values::probability(node) {
        Ok(gain) if gain > 0.0 => Ok(gain),
        _ => Err(Flaw::expected("a number above 0 and at most 1", node)),
    });
    let least = section.read("min", problems, values::memory).unwrap_or(Memory(128));
    let most = section.read("max", problems, values::memory).unwrap_or(memory);
    if least > most {
        let flaw = Flaw::new(format!("{least} is more than the most there may be, {most}"));
        section.refuse("min", flaw.help("the most is `max`, or pool.memory without it"), problems);
    }
    Some(Elastic {
        target: target?,
        period: section.read("period", problems, values::positive_span).unwrap_or(Span::from_mins(10)),
        deadband: section.read("deadband", problems, values::not_negative).unwrap_or(0.3),
        gain: gain.unwrap_or(1.0),
        least,
        most,
    })
}

fn target(section: &Section<'_>, origin: &Origin, problems: &mut Problems) -> Option<Target> {
    let per_second = section.read("cold-per-second", problems, values::positive);
    let percent = section.read("cold-percent", problems, |node| match values::positive(node) {
        Ok(percent) if percent <= 100.0 => Ok(percent),
        _ => Err(Flaw::expected("a percentage above 0 and at most 100", node)),
    });
    match (section.find("cold-per-second"), section.find("cold-percent")) {
        (Some(_), Some(_)) => {
            let flaw = Flaw::new("does not go with `cold-per-second`");
            section.refuse(
                "cold-percent",
                flaw.help("a pool has one target; remove one of the two"),
                problems,
            );
            None
        }
        (None, None) => {
            let flaw = Flaw::new("`pool.elastic` has no target");
            problems.push(origin, "", flaw.help("add cold-percent = 5.0 or cold-per-second = 0.5"));
            None
        }
        _ => per_second.map(Target::PerSecond).or(percent.map(|percent| Target::Share(percent / 100.0))),
    }
}
