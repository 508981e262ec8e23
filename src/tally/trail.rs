//! A fingerprint of everything the pool ordered. Owns the hash by which two runs are compared
//! decision by decision; must never depend on anything but the orders and their instants.

use std::hash::{Hash, Hasher};

use super::Observer;
use crate::pool::boundary::Action;
use crate::time::Time;

/// FNV-1a over instants and actions. Stable on every little-endian 64-bit machine.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Trail {
    hash: u64,
    actions: u64,
}

impl Default for Trail {
    fn default() -> Trail {
        Trail { hash: 0xcbf2_9ce4_8422_2325, actions: 0 }
    }
}

impl Trail {
    /// The fingerprint.
    pub fn hash(&self) -> u64 {
        self.hash
    }

    /// How many actions went into it.
    pub fn actions(&self) -> u64 {
        self.actions
    }
}

impl Observer for Trail {
    fn acted(&mut self, now: Time, action: &Action) {
        self.actions += 1;
        let mut hasher = Fnv(self.hash);
        now.hash(&mut hasher);
        action.hash(&mut hasher);
        self.hash = hasher.0;
    }
}

struct Fnv(u64);

impl Hasher for Fnv {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = (self.0 ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3);
        }
    }
}
