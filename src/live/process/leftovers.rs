//! Processes that outlived their run. Owns how they are recognised: by the label on their command line, and by nothing else;
//! must never end one whose owner may be alive.

use std::fs;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};

use super::super::owner::Owner;
use super::super::platform::Swept;

/// What the label on a command line begins with.
const PREFIX: &str = "faassim.run=";

/// How long a killed process may take to end.
const PATIENCE: u32 = 100;

/// Processes that were found.
#[derive(Default)]
pub(super) struct Found {
    pub removed: Vec<u32>,
    pub failed: Vec<u32>,
}

/// The label of a run's processes.
pub(super) fn label(run: &str, owner: &Owner) -> String {
    format!("{PREFIX}{run},owner={owner}")
}

/// Ends processes of runs whose owner is dead.
pub async fn cleanup() -> Swept {
    let orphaned = |label: &str| {
        let owner = label.split_once(",owner=").and_then(|(_, owner)| owner.parse::<Owner>().ok());
        owner.is_some_and(|owner| !owner.may_be_alive())
    };
    let found = remove(orphaned).await;
    let name = |pid: &u32| format!("process {pid}");
    Swept {
        removed: found.removed.iter().map(name).collect(),
        failed: found.failed.iter().map(|pid| format!("{} does not end", name(pid))).collect(),
    }
}

/// Kills the processes whose label is wanted, and waits until they are gone.
pub(super) async fn remove(wanted: impl Fn(&str) -> bool) -> Found {
    let mut left: Vec<u32> =
        labelled().into_iter().filter(|(_, label)| wanted(label)).map(|(pid, _)| pid).collect();
    let all = left.clone();
    for pid in &left {
        if let Some(pid) = i32::try_from(*pid).ok().and_then(Pid::from_raw) {
            // Fails if it is gone already, or somebody else's: then it is still there below.
            let _ = kill_process(pid, Signal::KILL);
        }
    }
    for _ in 0..PATIENCE {
        let now = labelled();
        left.retain(|pid| now.iter().any(|(still, _)| still == pid));
        if left.is_empty() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    Found { removed: all.into_iter().filter(|pid| !left.contains(pid)).collect(), failed: left }
}

/// All processes with a label, and that.
fn labelled() -> Vec<(u32, String)> {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    entries
        .filter_map(|entry| {
            let pid: u32 = entry.file_name().to_str()?.parse().ok()?;
            let line = fs::read(entry.path().join("cmdline")).ok()?;
            let words: Vec<&[u8]> = line.split(|byte| *byte == 0).collect();
            let at = words.iter().position(|word| *word == b"--label")?;
            let label = std::str::from_utf8(words.get(at + 1)?).ok()?;
            label.starts_with(PREFIX).then(|| (pid, label.to_owned()))
        })
        .collect()
}
