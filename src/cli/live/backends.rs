//! Which platform carries out a live run, and what is cleaned up before. Owns the choice and what is said about it; must never
//! start a container.

use std::collections::BTreeSet;

use crate::cli::tell;
use crate::error::{Diagnostic, Error};
use crate::live::docker::{self, Docker};
use crate::live::owner::Owner;
use crate::live::plan::Plan;
use crate::live::platform::{Fault, Swept};
use crate::live::process::{self, Process};
use crate::results::counted;
use crate::scenario::{BackendChoice, Scenario};
use crate::trace::Trace;

/// A platform that answers.
pub(super) enum Chosen {
    /// Containers.
    Docker(Docker),
    /// Processes.
    Process(Process),
}

/// The platform of a scenario, with the leftovers of killed runs removed and all images there.
///
/// # Errors
/// A usage error if it does not answer or has not what it takes.
pub(super) async fn choose(
    scenario: &Scenario,
    plan: &Plan,
    trace: &Trace,
    run: &str,
) -> Result<Chosen, Error> {
    let live = &scenario.live;
    let docker = match live.backend {
        BackendChoice::Docker => true,
        BackendChoice::Process => false,
        BackendChoice::Auto => Docker::answers().await,
    };
    let parallel_starts = live.parallel_starts as usize;
    if !docker {
        if live.backend == BackendChoice::Auto {
            tell("note: no Docker engine answers, so actions run as processes of this machine");
        }
        tell("note: processes are not isolated from each other, and start faster than containers");
        tell_swept(&process::cleanup().await);
        return Process::new(run, parallel_starts).await.map(Chosen::Process).map_err(unusable);
    }
    if let Some(small) = plan.too_small(trace) {
        return Err(Error::usage(small));
    }
    let options = docker::Options {
        run: run.to_owned(),
        owner: Owner::this().to_string(),
        parallel_starts,
        pull: live.pull,
        network: live.network,
        publish: false,
        user_images: live.images.iter().map(|image| image.image.clone()).collect(),
    };
    let docker = Docker::connect(options).await.map_err(unusable)?;
    tell_swept(&docker.cleanup(may_be_alive).await);
    let images: BTreeSet<&str> = plan.images.iter().map(|(_, image)| image.as_str()).collect();
    let images: Vec<String> = images.into_iter().map(str::to_owned).collect();
    let missing = docker.missing_images(&images).await;
    match missing.first() {
        Some(first) if !live.pull => Err(missing_image(first, missing.len())),
        _ => Ok(Chosen::Docker(docker)),
    }
}

/// Those of the images that are on this machine; `None` if that cannot be told, or none is needed.
pub(super) async fn there(scenario: &Scenario, images: BTreeSet<String>) -> Option<BTreeSet<String>> {
    if scenario.live.backend == BackendChoice::Process {
        return None;
    }
    let docker = Docker::connect(docker::Options::default()).await.ok()?;
    let all: Vec<String> = images.iter().cloned().collect();
    let missing = docker.missing_images(&all).await;
    Some(images.into_iter().filter(|image| !missing.contains(image)).collect())
}

/// Removes what killed runs have left, on every platform that answers.
///
/// # Errors
/// Something could not be removed.
pub(super) async fn clean_up() -> Result<(), Error> {
    let mut swept = process::cleanup().await;
    if Docker::answers().await {
        let options = docker::Options { owner: Owner::this().to_string(), ..docker::Options::default() };
        let docker = Docker::connect(options).await.map_err(unusable)?;
        let of_docker = docker.cleanup(may_be_alive).await;
        swept.removed.extend(of_docker.removed);
        swept.failed.extend(of_docker.failed);
        swept.stuck.extend(of_docker.stuck);
    } else {
        tell("note: no Docker engine answers, so only processes were looked for");
    }
    tell_swept(&swept);
    if swept == Swept::default() {
        tell("nothing was left behind");
    }
    if swept.failed.is_empty() { Ok(()) } else { Err(Error::run("not everything could be removed")) }
}

/// Whether the owner that a label names may still live; of a label that names none nobody can tell.
fn may_be_alive(label: &str) -> bool {
    label.parse::<Owner>().map_or(true, |owner| owner.may_be_alive())
}

fn tell_swept(swept: &Swept) {
    if !swept.removed.is_empty() {
        let many = counted(swept.removed.len() as u64, "leftover");
        tell(&format!("note: removed {many} of runs that were killed: {}", swept.removed.join(", ")));
    }
    for stuck in &swept.stuck {
        tell(&format!("note: {stuck} is empty, but the engine holds on to it until it is started anew"));
    }
    for failed in &swept.failed {
        tell(&format!("warning: a leftover of a run that was killed could not be removed: {failed}"));
    }
}

fn unusable(fault: Fault) -> Error {
    Error::usage(fault.0)
}

fn missing_image(first: &str, many: usize) -> Error {
    let more = if many > 1 { format!(", and {} more", many - 1) } else { String::new() };
    let message = format!("image `{first}` is not on this machine{more}");
    Error::usage(Diagnostic::new(message).help(
        "scripts/build-images.sh builds ours (--from-debian without a registry); `pull = true` under [live] fetches \
         others; --backend process needs none",
    ))
}
