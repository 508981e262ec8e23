//! What a user is told when something does not work, and the exit code that goes with it. Owns the
//! wording's frame (`error:`, place, help); must never print: the command line does that, on stderr.

use std::fmt;

/// Whose business an error is; decides the exit code.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// The command or the scenario is wrong: exit code 2.
    Usage,
    /// What was asked for is fine, but could not be done: exit code 1.
    Run,
    /// The user stopped it: exit code 130, as shells report Ctrl-C.
    Interrupted,
}

/// One thing that is wrong: where, what, and what to do about it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Diagnostic {
    place: Option<String>,
    message: String,
    help: Option<String>,
}

impl Diagnostic {
    /// Something is wrong, no place known.
    pub fn new(message: impl Into<String>) -> Diagnostic {
        Diagnostic { place: None, message: message.into(), help: None }
    }

    /// It is wrong here: `FILE`, `FILE:LINE`, `FILE:LINE:COLUMN` or `--set PATH`.
    pub fn at(mut self, place: impl Into<String>) -> Diagnostic {
        self.place = Some(place.into());
        self
    }

    /// What to do about it.
    pub fn help(mut self, help: impl Into<String>) -> Diagnostic {
        self.help = Some(help.into());
        self
    }
}

impl Diagnostic {
    /// One more line of help.
    pub fn also(mut self, line: impl Into<String>) -> Diagnostic {
        let line = line.into();
        self.help = Some(self.help.map_or(line.clone(), |help| format!("{help}\n{line}")));
        self
    }

    /// What is wrong, without what to do about it: on one line, as tables have it.
    pub fn in_short(&self) -> String {
        let text = match &self.place {
            Some(place) => format!("{place}: {}", self.message),
            None => self.message.clone(),
        };
        text.replace('\n', " ")
    }
}

impl From<String> for Diagnostic {
    fn from(message: String) -> Diagnostic {
        Diagnostic::new(message)
    }
}

impl From<&str> for Diagnostic {
    fn from(message: &str) -> Diagnostic {
        Diagnostic::new(message)
    }
}

impl fmt::Display for Diagnostic {
    /// `error: PLACE: MESSAGE`, and the help on lines of its own. No line feed at the end.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("error: ")?;
        if let Some(place) = &self.place {
            write!(f, "{place}: ")?;
        }
        f.write_str(&self.message)?;
        if let Some(help) = &self.help {
            write!(f, "\n  help: {}", help.replace('\n', "\n        "))?;
        }
        Ok(())
    }
}

/// Everything that kept a command from doing its work.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Error {
    kind: Kind,
    diagnostics: Vec<Diagnostic>,
}

impl Error {
    /// Several things at once, in the order in which they are shown.
    pub fn new(kind: Kind, diagnostics: Vec<Diagnostic>) -> Error {
        debug_assert!(!diagnostics.is_empty(), "an error says what is wrong");
        Error { kind, diagnostics }
    }

    /// The command or the scenario is wrong.
    pub fn usage(diagnostic: impl Into<Diagnostic>) -> Error {
        Error::new(Kind::Usage, vec![diagnostic.into()])
    }

    /// It could not be done.
    pub fn run(diagnostic: impl Into<Diagnostic>) -> Error {
        Error::new(Kind::Run, vec![diagnostic.into()])
    }

    /// The user stopped it.
    pub fn interrupted(diagnostic: impl Into<Diagnostic>) -> Error {
        Error::new(Kind::Interrupted, vec![diagnostic.into()])
    }

    /// Whose business it is.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// What is wrong, in the order in which it is shown.
    pub fn diagnostics(&self) -> &[Diagnostic] {
        &self.diagnostics
    }

    /// The same, to be joined with others.
    pub fn into_diagnostics(self) -> Vec<Diagnostic> {
        self.diagnostics
    }

    /// What the process ends with.
    pub fn exit_code(&self) -> u8 {
        match self.kind {
            Kind::Usage => 2,
            Kind::Run => 1,
            Kind::Interrupted => 130,
        }
    }
}

impl fmt::Display for Error {
    /// All diagnostics, and how many there are when it is more than one. No line feed at the end.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (nth, diagnostic) in self.diagnostics.iter().enumerate() {
            if nth > 0 {
                f.write_str("\n")?;
            }
            diagnostic.fmt(f)?;
        }
        match self.diagnostics.len() {
            0 | 1 => Ok(()),
            many => write!(f, "\n{many} errors"),
        }
    }
}

impl std::error::Error for Error {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_error_stands_alone() {
        let error = Error::run(Diagnostic::new("no such thing").at("a.toml:3").help("look\nagain"));
        assert_eq!(error.to_string(), "error: a.toml:3: no such thing\n  help: look\n        again");
        assert_eq!(error.exit_code(), 1);
    }

    #[test]
    fn several_errors_are_counted() {
        let error = Error::new(Kind::Usage, vec!["one".into(), "two".into()]);
        assert_eq!(error.to_string(), "error: one\nerror: two\n2 errors");
        assert_eq!(error.exit_code(), 2);
        assert_eq!(Error::interrupted("stopped").exit_code(), 130);
    }
}
