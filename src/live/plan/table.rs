//! What each function runs, as a table of 80 columns. Owns its layout; must never choose anything.

use std::fmt::Write as _;

use super::Plan;
use crate::results::{counted, duration, short, thousands};
use crate::trace::Trace;

/// Functions that are shown one by one.
const SHOWN: usize = 20;

impl Plan {
    /// The functions most often invoked with what they run, and the others by action.
    pub fn table(&self, trace: &Trace, arrivals: &[u64]) -> String {
        let mut invoked: Vec<usize> = (0..self.functions.len()).filter(|ix| arrivals[*ix] > 0).collect();
        invoked.sort_by_key(|ix| (std::cmp::Reverse(arrivals[*ix]), *ix));
        let mut text = format!(
            "{:<24} {:>8} {:>9} {:>9}  {:<17} {}\n",
            "function", "memory", "arrivals", "warm run", "action", "why"
        );
        let shown = if invoked.len() > SHOWN + 1 { SHOWN } else { invoked.len() };
        for ix in &invoked[..shown] {
            let function = &trace.functions[*ix];
            let _ = writeln!(
                text,
                "{:<24} {:>8} {:>9} {:>9}  {:<17} {}",
                short(&function.name),
                function.memory.to_string(),
                thousands(arrivals[*ix]),
                duration(function.warm.as_ms_f64()),
                cut(&self.functions[*ix].action.name, 17),
                self.choices[*ix].why.name()
            );
        }
        text.push_str(&self.others(&invoked[shown..], arrivals));
        text
    }

    /// Functions that are not shown one by one, by action.
    fn others(&self, others: &[usize], arrivals: &[u64]) -> String {
        let mut text = String::new();
        if others.is_empty() {
            return text;
        }
        let _ = writeln!(text, "… and {} more, which run", counted(others.len() as u64, "function"));
        let mut by_action: Vec<(&str, u64, u64)> = Vec::new();
        for ix in others {
            let name = self.functions[*ix].action.name.as_str();
            match by_action.iter_mut().find(|(known, ..)| *known == name) {
                Some((_, functions, times)) => {
                    *functions += 1;
                    *times += arrivals[*ix];
                }
                None => by_action.push((name, 1, arrivals[*ix])),
            }
        }
        by_action.sort_by_key(|(name, functions, _)| (std::cmp::Reverse(*functions), *name));
        for (name, functions, times) in by_action {
            let many = counted(functions, "function");
            let _ = writeln!(text, "{:<33} {:>9} {:>9}  {:<17}", many, thousands(times), "", cut(name, 17));
        }
        text.lines().map(|line| line.trim_end().to_owned() + "\n").collect()
    }
}

/// `text` in at most `width` characters.
fn cut(text: &str, width: usize) -> String {
    if text.chars().count() <= width {
        return text.to_owned();
    }
    text.chars().take(width - 1).chain(['…']).collect()
}
