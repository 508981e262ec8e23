//! What a container or an activation is allowed: CPU by memory (docs/specs/openwhisk.md §15), time
//! until the balancer gives up (§10). Must never depend on load.

/// `--cpu-shares` of a container: its part of 1024 by memory, at least 2.
///
/// Memory in MiB. An action larger than the pool gets what one container of the pool's size would.
pub fn cpu_shares(user_memory_mib: u64, memory_mib: u64) -> u64 {
    (1024 / containers(user_memory_mib, memory_mib)).max(2)
}

/// `--cpus` of a container: its part of `user_cpus` by memory, to five digits, at least 0.01.
pub fn cpu_limit(user_cpus: f64, user_memory_mib: u64, memory_mib: u64) -> f64 {
    let share = user_cpus / containers(user_memory_mib, memory_mib) as f64;
    ((share * 1e5).round() / 1e5).max(0.01)
}

/// How many containers of this memory the pool holds.
fn containers(user_memory_mib: u64, memory_mib: u64) -> u64 {
    (user_memory_mib / memory_mib.max(1)).max(1)
}

/// After how many ms the balancer completes an activation by force: max(action limit, standard limit)
/// · factor + addon.
pub fn completion_ack_timeout_ms(action_timeout_ms: u64, std_ms: u64, factor: u64, addon_ms: u64) -> u64 {
    action_timeout_ms.max(std_ms).saturating_mul(factor).saturating_add(addon_ms)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_are_by_memory_and_have_a_floor() {
        assert_eq!(cpu_shares(5120, 128), 25);
        assert_eq!(cpu_shares(1024, 1), 2);
        assert_eq!(cpu_shares(256, 512), 1024);
        assert_eq!(cpu_limit(2.0, 768, 256), 0.66667);
        assert_eq!(cpu_limit(1.0, 1024, 1), 0.01);
    }
}
