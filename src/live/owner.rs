//! Who started a sandbox: host, process and when that began, so that a process number that is used again is not taken for its
//! former bearer. Owns the label by which leftovers are told from what is in use; must never decide to remove anything.

use std::fmt;
use std::fs;
use std::str::FromStr;

/// The process that owns a sandbox.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Owner {
    /// Name of its machine.
    pub host: String,
    /// Its number.
    pub pid: u32,
    /// When it began, in clock ticks since the machine did; 0 where that cannot be told.
    pub began: u64,
}

impl Owner {
    /// This process.
    pub fn this() -> Owner {
        let pid = std::process::id();
        Owner { host: host(), pid, began: began(pid).unwrap_or_default() }
    }

    /// Whether it still runs, or may: of another machine nobody here can tell.
    pub fn may_be_alive(&self) -> bool {
        if self.host != host() {
            return true;
        }
        began(self.pid).is_some_and(|began| began == self.began || self.began == 0)
    }
}

impl fmt::Display for Owner {
    /// `HOST/PID/BEGAN`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}/{}", self.host, self.pid, self.began)
    }
}

impl FromStr for Owner {
    type Err = String;

    fn from_str(text: &str) -> Result<Owner, String> {
        let mut parts = text.rsplitn(3, '/');
        let parsed = || {
            let (began, pid, host) = (parts.next()?, parts.next()?, parts.next()?);
            let plain = !host.is_empty() && !host.chars().any(char::is_whitespace);
            plain.then_some(())?;
            Some(Owner { host: host.to_owned(), pid: pid.parse().ok()?, began: began.parse().ok()? })
        };
        let mut parsed = parsed;
        parsed().ok_or_else(|| format!("`{text}` names no owner"))
    }
}

fn host() -> String {
    let name = fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    let name = name.trim();
    if name.is_empty() { "localhost".to_owned() } else { name.replace(['/', ' '], "-") }
}

/// When a process began; `None`: there is no such process.
fn began(pid: u32) -> Option<u64> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name, in parentheses, may hold anything.
    let (_, rest) = stat.rsplit_once(')')?;
    let mut fields = rest.split_whitespace();
    // A process that has ended but was not waited for yet does nothing any more.
    let state = fields.next()?;
    if state == "Z" {
        return None;
    }
    fields.nth(18)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_process_is_alive_and_others_are_told_apart() {
        let this = Owner::this();
        assert!(this.began > 0);
        assert!(this.may_be_alive());
        assert_eq!(this.to_string().parse(), Ok(this.clone()));
        let former = Owner { began: this.began - 1, ..this.clone() };
        assert!(!former.may_be_alive(), "its number is used again");
        assert!(!Owner { pid: u32::MAX - 1, ..this.clone() }.may_be_alive());
        assert!(Owner { host: "elsewhere".to_owned(), pid: u32::MAX - 1, ..this }.may_be_alive());
    }

    #[test]
    fn what_names_no_owner_is_none() {
        for text in ["", "host", "host/1", "host/x/2", "host/1/x", "/1/2", "a b/1/2"] {
            assert!(text.parse::<Owner>().is_err(), "{text}");
        }
    }
}
