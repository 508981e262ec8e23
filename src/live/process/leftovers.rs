//! Processes and folders that outlived their run. Owns how they are recognised: by the label on their command line, which
//! processes that an action started have inherited as a variable, and the owner written in the folder; must never touch one
//! whose owner may be alive.

use std::fs;
use std::io;
use std::path::Path;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};

use super::super::owner::Owner;
use super::super::platform::Swept;

/// The variable with the label, by which the children of actions are known, wherever they went.
pub(super) const VARIABLE: &str = "FAASSIM_LABEL";

/// What the label on a command line begins with.
const PREFIX: &str = "faassim.run=";

/// What the names of folders begin with.
pub(super) const FOLDER: &str = "faassim-live-";

/// The file in a folder that names its owner.
const OWNER: &str = "owner";

/// How often one looks whether a killed process has ended, 20 ms apart.
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

/// Writes into a folder whose it is.
pub(super) fn own(folder: &Path) -> io::Result<()> {
    fs::write(folder.join(OWNER), Owner::this().to_string())
}

/// Ends processes of runs whose owner is dead, and removes their folders.
pub async fn cleanup() -> Swept {
    let orphaned = |label: &str| {
        let owner = label.split_once(",owner=").and_then(|(_, owner)| owner.parse::<Owner>().ok());
        owner.is_some_and(|owner| !owner.may_be_alive())
    };
    let found = remove(orphaned).await;
    let name = |pid: &u32| format!("process {pid}");
    let mut swept = Swept {
        removed: found.removed.iter().map(name).collect(),
        failed: found.failed.iter().map(|pid| format!("{} does not end", name(pid))).collect(),
        stuck: Vec::new(),
    };
    for entry in fs::read_dir(std::env::temp_dir()).into_iter().flatten().flatten() {
        let path = entry.path();
        let ours = entry.file_name().to_string_lossy().starts_with(FOLDER);
        let owner = fs::read_to_string(path.join(OWNER)).ok().and_then(|text| text.parse::<Owner>().ok());
        if !ours || owner.is_none_or(|owner| owner.may_be_alive()) {
            continue;
        }
        match fs::remove_dir_all(&path) {
            Ok(()) => swept.removed.push(path.display().to_string()),
            Err(error) => swept.failed.push(format!("{}: {error}", path.display())),
        }
    }
    swept
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
            let label = of_command_line(&entry.path()).or_else(|| of_environment(&entry.path()))?;
            Some((pid, label))
        })
        .collect()
}

fn of_command_line(process: &Path) -> Option<String> {
    let line = fs::read(process.join("cmdline")).ok()?;
    let mut words = line.split(|byte| *byte == 0).skip_while(|word| *word != b"--label");
    let label = String::from_utf8(words.nth(1)?.to_vec()).ok()?;
    // Others have labels, too.
    label.starts_with(PREFIX).then_some(label)
}

/// Of processes of other users nobody here can tell.
fn of_environment(process: &Path) -> Option<String> {
    let variables = fs::read(process.join("environ")).ok()?;
    let mut variables = variables.split(|byte| *byte == 0);
    let label =
        variables.find_map(|variable| variable.strip_prefix(VARIABLE.as_bytes())?.strip_prefix(b"="))?;
    String::from_utf8(label.to_vec()).ok().filter(|label| label.starts_with(PREFIX))
}
