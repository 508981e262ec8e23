//! Removing containers and networks. Owns what "gone" means; must never remove what does not carry our
//! labels, or whose owner is alive.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use bollard::Docker;
use bollard::errors::Error;
use bollard::models::ContainerSummaryStateEnum;
use bollard::query_parameters::{
    ListContainersOptionsBuilder, ListNetworksOptionsBuilder, RemoveContainerOptionsBuilder,
};
use futures_util::StreamExt;
use futures_util::stream;
use tokio::time::{sleep, timeout};

use super::engine::{is_absent, told};
use super::{OWNER_LABEL, RUN_LABEL};
use crate::live::platform::{Fault, Swept};

/// How long removing one container may take.
pub const LIMIT: Duration = Duration::from_secs(60);

/// Between two tries.
const PAUSE: Duration = Duration::from_millis(25);

/// How often the engine may fail to remove something before that is told.
const TRIES: u32 = 5;

/// How many containers are removed at once.
const AT_ONCE: usize = 8;

/// How often it is looked whether anything is left.
const ROUNDS: u32 = 3;

/// Kills and removes a container, frozen or not, with its volumes; returns when it is gone.
///
/// # Errors
/// It is not gone within 1 min, or the engine cannot remove it.
pub async fn remove(client: &Docker, id: &str, paused: bool) -> Result<(), Fault> {
    let limit = format!("it took more than {} s", LIMIT.as_secs());
    timeout(LIMIT, until_gone(client, id, paused)).await.unwrap_or(Err(Fault(limit)))
}

async fn until_gone(client: &Docker, id: &str, paused: bool) -> Result<(), Fault> {
    let mut paused = paused;
    let mut failures = 0;
    loop {
        if paused {
            // It may not be frozen after all; if it cannot be thawed, removing it tells why.
            let _ = client.unpause_container(id).await;
        }
        let options = RemoveContainerOptionsBuilder::new().force(true).v(true).build();
        let error = match client.remove_container(id, Some(options)).await {
            Ok(()) => return Ok(()),
            Err(error) if is_absent(&error) => return Ok(()),
            Err(error) => error,
        };
        let cause = told(&error);
        if !cause.contains("already in progress") {
            failures += 1;
            if failures >= TRIES {
                return Err(Fault(cause));
            }
        }
        paused = cause.contains("paused");
        sleep(PAUSE).await;
    }
}

/// What of ours the engine has.
#[derive(Debug)]
struct Found {
    id: String,
    name: String,
    owner: String,
    paused: bool,
}

/// Containers with a label, which may be `KEY` or `KEY=VALUE`.
async fn containers(client: &Docker, label: &str) -> Result<Vec<Found>, Error> {
    let filters = HashMap::from([("label", vec![label])]);
    let options = ListContainersOptionsBuilder::new().all(true).filters(&filters).build();
    let listed = client.list_containers(Some(options)).await?;
    let found = listed.into_iter().filter_map(|summary| {
        let id = summary.id?;
        let name = summary.names.and_then(|names| Some(names.first()?.trim_start_matches('/').to_owned()));
        Some(Found {
            name: name.unwrap_or_else(|| id.clone()),
            owner: owner(summary.labels)?,
            paused: summary.state == Some(ContainerSummaryStateEnum::PAUSED),
            id,
        })
    });
    Ok(found.collect())
}

/// Networks with a label.
async fn networks(client: &Docker, label: &str) -> Result<Vec<Found>, Error> {
    let filters = HashMap::from([("label", vec![label])]);
    let options = ListNetworksOptionsBuilder::new().filters(&filters).build();
    let listed = client.list_networks(Some(options)).await?;
    let found = listed.into_iter().filter_map(|network| {
        let id = network.id?;
        let name = network.name.unwrap_or_else(|| id.clone());
        Some(Found { name, owner: owner(network.labels)?, paused: false, id })
    });
    Ok(found.collect())
}

/// The owner of what carries both of our labels.
fn owner(labels: Option<HashMap<String, String>>) -> Option<String> {
    let mut labels = labels?;
    labels.contains_key(RUN_LABEL).then_some(())?;
    labels.remove(OWNER_LABEL)
}

/// Removes all that belongs to a run.
pub async fn remove_run(client: &Docker, run: &str) -> Swept {
    remove_labelled(client, &format!("{RUN_LABEL}={run}"), |_| true).await
}

/// Removes all that carries our labels and whose owner is not alive.
pub async fn remove_orphans(client: &Docker, alive: impl Fn(&str) -> bool) -> Swept {
    remove_labelled(client, OWNER_LABEL, |owner| !alive(owner)).await
}

/// Removes what carries the label and whose owner is chosen, and looks whether that is so.
async fn remove_labelled(client: &Docker, label: &str, chosen: impl Fn(&str) -> bool) -> Swept {
    let mut swept = Swept::default();
    // What could not be removed, by what it is; the last word counts.
    let mut failed = BTreeMap::new();
    for _ in 0..ROUNDS {
        failed.clear();
        let mut found = match containers(client, label).await {
            Ok(found) => found,
            Err(error) => {
                failed.insert("containers could not be listed".to_owned(), told(&error));
                Vec::new()
            }
        };
        found.retain(|found| chosen(&found.owner));
        let mut left = found.len();
        let removals = found.into_iter().map(|found| async move {
            let removed = remove(client, &found.id, found.paused).await;
            (format!("container {}", found.name), removed)
        });
        let mut removals = stream::iter(removals).buffer_unordered(AT_ONCE);
        while let Some((what, removed)) = removals.next().await {
            note(&mut swept, &mut failed, what, removed);
        }

        let mut found = match networks(client, label).await {
            Ok(found) => found,
            Err(error) => {
                failed.insert("networks could not be listed".to_owned(), told(&error));
                Vec::new()
            }
        };
        found.retain(|found| chosen(&found.owner));
        left += found.len();
        for Found { id, name, .. } in found {
            let what = format!("network {name}");
            match remove_network(client, &id).await {
                Err(Fault(_)) if is_empty(client, &id).await => swept.stuck.push(what),
                removed => note(&mut swept, &mut failed, what, removed),
            }
        }
        if (left == 0 && failed.is_empty()) || !swept.stuck.is_empty() {
            break;
        }
    }
    swept.failed = failed.into_iter().map(|(what, cause)| format!("{what}: {cause}")).collect();
    swept.removed.sort();
    swept
}

fn note(swept: &mut Swept, failed: &mut BTreeMap<String, String>, what: String, removed: Result<(), Fault>) {
    match removed {
        Ok(()) => swept.removed.push(what),
        Err(Fault(cause)) => {
            failed.insert(what, cause);
        }
    }
}

/// Whether no container is in a network: what keeps it from being removed then is the engine's own. Engines forget to
/// release the address of a container that is removed, or whose client goes away, while it is being started; the
/// network goes when they are started anew.
async fn is_empty(client: &Docker, id: &str) -> bool {
    let seen = client.inspect_network(id, None).await;
    seen.is_ok_and(|seen| seen.containers.is_none_or(|containers| containers.is_empty()))
}

/// Removes a network; one that a container just left may need a moment.
async fn remove_network(client: &Docker, id: &str) -> Result<(), Fault> {
    let mut failures = 0;
    loop {
        match client.remove_network(id).await {
            Ok(()) => return Ok(()),
            Err(error) if is_absent(&error) => return Ok(()),
            Err(error) => {
                failures += 1;
                if failures >= TRIES {
                    return Err(Fault(told(&error)));
                }
            }
        }
        sleep(PAUSE * failures).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_carries_both_labels_is_ours() {
        let labels = |names: &[&str]| {
            Some(names.iter().map(|name| ((*name).to_owned(), "h/1/2".to_owned())).collect::<HashMap<_, _>>())
        };
        assert_eq!(owner(labels(&[RUN_LABEL, OWNER_LABEL])).as_deref(), Some("h/1/2"));
        assert_eq!(owner(labels(&[RUN_LABEL])), None);
        assert_eq!(owner(labels(&[OWNER_LABEL])), None);
        assert_eq!(owner(None), None);
    }
}
