//! What a container uses, read from the kernel's own files: the engine's statistics take a second. Owns where
//! those files are; must never be used for a container of another machine.

use std::fs;
use std::path::{Path, PathBuf};

use crate::live::platform::Usage;

/// Where control groups are mounted.
const ROOT: &str = "/sys/fs/cgroup";

/// The control groups of one container.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Cgroup {
    /// One for each controller.
    V1 {
        /// That which limits its memory.
        memory: PathBuf,
        /// That which counts its processor time.
        cpuacct: PathBuf,
    },
    /// One for all.
    V2(PathBuf),
}

impl Cgroup {
    /// The control groups of the container whose first process is `pid` in the engine's eyes. `None` if it
    /// has ended, or if the engine runs elsewhere: then the process of that number here is not in a group of
    /// that container.
    #[must_use]
    pub fn of(pid: i64, id: &str) -> Option<Self> {
        let groups = fs::read_to_string(format!("/proc/{pid}/cgroup")).ok()?;
        let root = Path::new(ROOT);
        let only_v2 = root.join("cgroup.controllers").exists();
        Self::parse(&groups, id, root, only_v2)
    }

    fn parse(groups: &str, id: &str, root: &Path, only_v2: bool) -> Option<Self> {
        let group = |wanted: &str| {
            let lines = groups.lines().filter_map(|line| {
                let mut fields = line.splitn(3, ':').skip(1);
                Some((fields.next()?, fields.next()?))
            });
            let mut paths =
                lines.filter(|(controllers, _)| controllers.split(',').any(|name| name == wanted));
            paths.next().map(|(_, path)| path.trim_start_matches('/')).filter(|path| path.contains(id))
        };
        if only_v2 {
            return Some(Self::V2(root.join(group("")?)));
        }
        let memory = root.join("memory").join(group("memory")?);
        let cpuacct = root.join("cpuacct").join(group("cpuacct")?);
        Some(Self::V1 { memory, cpuacct })
    }

    /// What it has used so far. Memory counts the page cache, as the limit does; before Linux 5.19 and with
    /// control groups v2, it is that of now and not the most.
    #[must_use]
    pub fn usage(&self) -> Option<Usage> {
        let number = |path: PathBuf| fs::read_to_string(path).ok()?.trim().parse::<u64>().ok();
        let (peak_memory_bytes, cpu_us) = match self {
            Self::V1 { memory, cpuacct } => (
                number(memory.join("memory.max_usage_in_bytes"))?,
                number(cpuacct.join("cpuacct.usage"))? / 1000,
            ),
            Self::V2(group) => {
                let peak =
                    number(group.join("memory.peak")).or_else(|| number(group.join("memory.current")))?;
                (peak, usage_usec(&fs::read_to_string(group.join("cpu.stat")).ok()?)?)
            }
        };
        Some(Usage { peak_memory_bytes, cpu_us })
    }
}

fn usage_usec(stat: &str) -> Option<u64> {
    stat.lines().find_map(|line| line.strip_prefix("usage_usec "))?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_are_found_in_either_layout() {
        let root = Path::new("/r");
        let v1 = "5:cpu,cpuacct:/docker/abc\n4:memory:/docker/abc\n1:name=systemd:/docker/abc\n0::/\n";
        let expected = Cgroup::V1 {
            memory: PathBuf::from("/r/memory/docker/abc"),
            cpuacct: PathBuf::from("/r/cpuacct/docker/abc"),
        };
        assert_eq!(Cgroup::parse(v1, "abc", root, false), Some(expected));
        let v2 = "0::/system.slice/docker-abc.scope\n";
        let expected = Cgroup::V2(PathBuf::from("/r/system.slice/docker-abc.scope"));
        assert_eq!(Cgroup::parse(v2, "abc", root, true), Some(expected));
    }

    #[test]
    fn another_s_process_has_no_group_of_the_container() {
        let root = Path::new("/r");
        assert_eq!(Cgroup::parse("4:memory:/user\n3:cpuacct:/user\n", "abc", root, false), None);
        assert_eq!(Cgroup::parse("0::/user.slice\n", "abc", root, true), None);
        assert_eq!(Cgroup::parse("", "abc", root, false), None);
    }

    #[test]
    fn processor_time_is_found_among_the_statistics() {
        assert_eq!(usage_usec("usage_usec 1234\nuser_usec 1000\n"), Some(1234));
        assert_eq!(usage_usec("user_usec 1000\n"), None);
    }
}
