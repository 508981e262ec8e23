//! Identifiers: small integers into flat tables. Owns their meaning, never the tables themselves.

use std::fmt;

use serde::{Deserialize, Serialize};

/// An action as invoked from one namespace: the key by which OpenWhisk decides whether a warm
/// container may be reused (docs/specs/openwhisk.md §5.2).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub struct FunctionId(pub u32);

/// An action whoever invokes it: the key of FaasCache's statistics (docs/specs/openwhisk.md §8.1).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct ActionId(pub u32);

/// A runtime kind such as `python:3`, the key of prewarmed containers together with their memory.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub struct KindId(pub u16);

/// An activation under way. Drivers hand out small numbers and may use one again after the pool has
/// answered, rejected or lost the activation that bore it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ActivationId(pub u32);

/// A place in the container table. Without an epoch, so valid only inside the pool.
pub type Slot = u32;

/// No slot.
pub const NO_SLOT: Slot = u32::MAX;

/// A container as drivers see it. The epoch tells the containers apart that used the same slot one
/// after the other, so that a late answer about a dead one is recognised.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct ContainerId {
    /// Place in the container table.
    pub slot: Slot,
    /// How many containers used the slot before.
    pub epoch: u32,
}

impl fmt::Display for ContainerId {
    /// Slot and epoch, as in `3.0`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.slot, self.epoch)
    }
}

impl From<ContainerId> for String {
    fn from(id: ContainerId) -> String {
        id.to_string()
    }
}

impl TryFrom<String> for ContainerId {
    type Error = String;

    fn try_from(text: String) -> Result<ContainerId, String> {
        let parsed = text.split_once('.').and_then(|(slot, epoch)| {
            Some(ContainerId { slot: slot.parse().ok()?, epoch: epoch.parse().ok()? })
        });
        parsed.ok_or_else(|| format!("`{text}` is no container; one looks like `3.0`"))
    }
}

impl FunctionId {
    /// As an index.
    pub const fn ix(self) -> usize {
        self.0 as usize
    }
}

impl ActionId {
    /// As an index.
    pub const fn ix(self) -> usize {
        self.0 as usize
    }
}

impl ActivationId {
    /// No activation.
    pub const NONE: ActivationId = ActivationId(u32::MAX);

    /// As an index.
    pub const fn ix(self) -> usize {
        self.0 as usize
    }
}
