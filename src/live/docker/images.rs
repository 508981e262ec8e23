//! Whether images are here, and fetching them. Owns what is known of them during a run; must never fetch an
//! image unless told to, nor ever one of our own names: nobody but the build script may make those.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use bollard::Docker;
use bollard::query_parameters::CreateImageOptionsBuilder;
use futures_util::StreamExt;
use tokio::sync::{Mutex, OnceCell};
use tokio::time::timeout;

use super::engine::{is_absent, told};
use crate::live::platform::Fault;

/// Our own images, made by `scripts/build-images.sh`.
const OWN: &str = "faassim-python:";

/// How long it may take to fetch an image.
const PULL_LIMIT: Duration = Duration::from_secs(600);

type Provided = Arc<OnceCell<Result<(), Fault>>>;

/// What is known of the images of a run.
#[derive(Debug)]
pub struct Images {
    pull: bool,
    known: Mutex<BTreeMap<String, Provided>>,
}

impl Images {
    /// Nothing is known yet.
    #[must_use]
    pub fn new(pull: bool) -> Self {
        Self { pull, known: Mutex::default() }
    }

    /// Makes sure that the image is here. Who asks while it is being fetched waits for that; after a failure
    /// the next who asks tries anew.
    ///
    /// # Errors
    /// It is not here, and may or could not be fetched.
    pub async fn provide(&self, client: &Docker, image: &str) -> Result<(), Fault> {
        let cell = Arc::clone(self.known.lock().await.entry(image.to_owned()).or_default());
        let provided = cell.get_or_init(|| provide(client, image, self.pull)).await.clone();
        if provided.is_err() {
            let mut known = self.known.lock().await;
            if known.get(image).is_some_and(|other| Arc::ptr_eq(other, &cell)) {
                known.remove(image);
            }
        }
        provided
    }

    /// The image was found to be gone.
    pub async fn forget(&self, image: &str) {
        self.known.lock().await.remove(image);
    }
}

async fn provide(client: &Docker, image: &str, pull: bool) -> Result<(), Fault> {
    if !is_image_name(image) {
        return Err(Fault(format!("{image:?} is not the name of an image")));
    }
    match client.inspect_image(image).await {
        Ok(_) => return Ok(()),
        Err(error) if is_absent(&error) => {}
        Err(error) => return Err(Fault(format!("image {image} could not be looked up: {}", told(&error)))),
    }
    if !pull || image.starts_with(OWN) {
        return Err(Fault(absent(image)));
    }
    let (name, tag) = name_and_tag(image);
    let options = CreateImageOptionsBuilder::new().from_image(name).tag(tag).build();
    let pulled = async {
        let mut progress = client.create_image(Some(options), None, None);
        while let Some(step) = progress.next().await {
            step.map_err(|error| told(&error))?;
        }
        Ok(())
    };
    let pulled = timeout(PULL_LIMIT, pulled)
        .await
        .unwrap_or_else(|_| Err(format!("it took more than {} s", PULL_LIMIT.as_secs())));
    pulled.map_err(|cause| Fault(format!("image {image} could not be pulled: {cause}")))
}

/// That an image is not here, and what to do.
fn absent(image: &str) -> String {
    if image.starts_with(OWN) {
        format!("image {image} is not here; build it with scripts/build-images.sh")
    } else {
        format!("image {image} is not here; fetch it with `docker pull {image}`, or set `pull = true`")
    }
}

/// Those of the images that are not here.
pub async fn missing(client: &Docker, images: &[String]) -> Vec<String> {
    let mut missing = Vec::new();
    for image in images {
        let found = if is_image_name(image) { client.inspect_image(image).await.map(drop) } else { Ok(()) };
        if found.is_err_and(|error| is_absent(&error)) || !is_image_name(image) {
            missing.push(image.clone());
        }
    }
    missing
}

/// Whether this may be put into a request's path as the name of an image.
fn is_image_name(text: &str) -> bool {
    let allowed = |c: char| c.is_ascii_alphanumeric() || "._-/:@".contains(c);
    !text.is_empty()
        && text.chars().all(allowed)
        && text.split('/').all(|part| !part.starts_with('.') && !part.is_empty())
}

/// An image as the engine wants it when fetching; without tag it would fetch all tags.
fn name_and_tag(image: &str) -> (&str, &str) {
    if image.contains('@') {
        return (image, "");
    }
    let path = image.rfind('/').map_or(0, |at| at + 1);
    match image[path..].rfind(':') {
        Some(at) => (&image[..path + at], &image[path + at + 1..]),
        None => (image, "latest"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tag_is_told_from_a_port() {
        assert_eq!(name_and_tag("a"), ("a", "latest"));
        assert_eq!(name_and_tag("a/b:c"), ("a/b", "c"));
        assert_eq!(name_and_tag("localhost:5000/a"), ("localhost:5000/a", "latest"));
        assert_eq!(name_and_tag("localhost:5000/a:b"), ("localhost:5000/a", "b"));
        assert_eq!(name_and_tag("a@sha256:12"), ("a@sha256:12", ""));
    }

    #[test]
    fn only_names_of_images_get_into_a_path() {
        for name in ["a", "faassim-python:plain", "localhost:5000/a/b_c:d.e", "a@sha256:12"] {
            assert!(is_image_name(name), "{name}");
        }
        for other in ["", "a b", "../containers/x", "a/../b", "a?b", "a//b", "a%2fb", "a\n"] {
            assert!(!is_image_name(other), "{other}");
        }
    }

    #[test]
    fn a_missing_image_is_told_with_what_to_do() {
        assert_eq!(
            absent("faassim-python:ai"),
            "image faassim-python:ai is not here; build it with scripts/build-images.sh"
        );
        assert_eq!(
            absent("a:b"),
            "image a:b is not here; fetch it with `docker pull a:b`, or set `pull = true`"
        );
    }
}
