//! Which part of a sweep is done here. Owns how a part is named and what schedulers say about it; must never read the
//! environment itself.

use std::fmt;
use std::str::FromStr;

use crate::error::Diagnostic;

/// One of several equal parts: every `count`-th run, beginning with the `index`-th.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Shard {
    /// From 1 to `count`.
    pub index: usize,
    /// How many parts there are.
    pub count: usize,
}

impl Shard {
    /// Everything.
    pub const ALL: Shard = Shard { index: 1, count: 1 };

    /// The runs of this part among so many, numbered from 0. Neighbours go to different parts: they take about as long.
    pub fn runs(self, total: usize) -> Vec<usize> {
        (self.index - 1..total).step_by(self.count).collect()
    }

    /// Whether a run, numbered from 0, is of this part.
    pub fn has(self, run: usize) -> bool {
        run % self.count == self.index - 1
    }

    /// What a scheduler's variables say, and which variable; nothing if this is no part of an array.
    ///
    /// # Errors
    /// The variables are there and make no sense.
    pub fn from_variables(
        get: impl Fn(&str) -> Option<String>,
    ) -> Result<Option<(Shard, &'static str)>, Diagnostic> {
        let number = |name: &str| -> Result<Option<usize>, Diagnostic> {
            let Some(text) = get(name) else { return Ok(None) };
            text.trim()
                .parse()
                .map(Some)
                .map_err(|_| Diagnostic::new(format!("`{text}` is not a number")).at(name))
        };
        const SLURM: &str = "SLURM_ARRAY_TASK_ID";
        const KUBERNETES: &str = "JOB_COMPLETION_INDEX";
        let part = |variable: &'static str, index: usize, count: usize| {
            if index <= count {
                return Ok(Some((Shard { index, count }, variable)));
            }
            let message = format!("this is part {index}, but there are {count}");
            let help = "number the array without gaps, or say which part with --shard I/N";
            Err(Diagnostic::new(message).at(variable).help(help))
        };
        if let Some(id) = number(SLURM)? {
            let Some(count) = number("SLURM_ARRAY_TASK_COUNT")? else {
                let help = "set SLURM_ARRAY_TASK_COUNT, or say which part with --shard I/N";
                return Err(Diagnostic::new("it is not told how many parts there are").at(SLURM).help(help));
            };
            let least = number("SLURM_ARRAY_TASK_MIN")?.unwrap_or(0);
            let step = number("SLURM_ARRAY_TASK_STEP")?.unwrap_or(1).max(1);
            return part(SLURM, id.saturating_sub(least) / step + 1, count);
        }
        if let Some(index) = number(KUBERNETES)? {
            let Some(count) = number("JOB_COMPLETIONS")? else {
                let help =
                    "set JOB_COMPLETIONS to the job's `completions` (scripts/cluster/kubernetes.yaml does)";
                return Err(Diagnostic::new("it is not told how many parts there are")
                    .at(KUBERNETES)
                    .help(help));
            };
            return part(KUBERNETES, index + 1, count);
        }
        Ok(None)
    }
}

impl fmt::Display for Shard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.index, self.count)
    }
}

impl FromStr for Shard {
    type Err = String;

    /// Reads `2/5`: the second of five parts.
    fn from_str(text: &str) -> Result<Shard, String> {
        let example = || "write I/N with I from 1 to N, for example 2/5".to_owned();
        let (index, count) = text.split_once('/').ok_or_else(example)?;
        let number = |text: &str| text.trim().parse::<usize>().map_err(|_| example());
        match (number(index)?, number(count)?) {
            (0, _) => Err(format!("parts are numbered from 1; {}", example())),
            (index, count) if index > count => {
                Err(format!("there is no part {index} of {count}; {}", example()))
            }
            (index, count) => Ok(Shard { index, count }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_disjoint_and_whole() {
        let mut runs: Vec<usize> = (1..=3).flat_map(|index| Shard { index, count: 3 }.runs(10)).collect();
        runs.sort_unstable();
        assert_eq!(runs, (0..10).collect::<Vec<_>>());
        assert_eq!(Shard { index: 5, count: 9 }.runs(3), Vec::<usize>::new());
        let second = Shard { index: 2, count: 3 };
        assert_eq!((0..10).filter(|run| second.has(*run)).collect::<Vec<_>>(), second.runs(10));
    }

    #[test]
    fn reads_what_people_write() {
        assert_eq!("2/5".parse(), Ok(Shard { index: 2, count: 5 }));
        for wrong in ["", "2", "0/5", "6/5", "a/b", "1/0"] {
            assert!(wrong.parse::<Shard>().is_err(), "{wrong}");
        }
    }

    fn told(variables: &[(&str, &str)]) -> Result<Option<Shard>, String> {
        let get = |name: &str| {
            variables.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned())
        };
        Shard::from_variables(get).map(|told| told.map(|told| told.0)).map_err(|error| error.to_string())
    }

    #[test]
    fn schedulers_are_understood() {
        let slurm = |id, min, step| {
            let count = ("SLURM_ARRAY_TASK_COUNT", "4");
            let variables = [("SLURM_ARRAY_TASK_ID", id), count, ("SLURM_ARRAY_TASK_MIN", min)];
            told(&[variables.as_slice(), &[("SLURM_ARRAY_TASK_STEP", step)]].concat())
        };
        assert_eq!(slurm("3", "0", "1"), Ok(Some(Shard { index: 4, count: 4 })));
        assert_eq!(slurm("3", "1", "1"), Ok(Some(Shard { index: 3, count: 4 })));
        assert_eq!(slurm("5", "1", "2"), Ok(Some(Shard { index: 3, count: 4 })));
        assert!(slurm("9", "1", "1").expect_err("a gap").contains("without gaps"));
        assert_eq!(
            told(&[("JOB_COMPLETION_INDEX", "0"), ("JOB_COMPLETIONS", "2")]),
            Ok(Some(Shard { index: 1, count: 2 }))
        );
        assert!(told(&[("JOB_COMPLETION_INDEX", "0")]).expect_err("no count").contains("JOB_COMPLETIONS"));
        assert!(told(&[("SLURM_ARRAY_TASK_ID", "x")]).expect_err("no number").contains("not a number"));
        assert_eq!(told(&[]), Ok(None));
    }
}
