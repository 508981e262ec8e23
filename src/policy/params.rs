//! Parameters of a policy: what they are called, what they default to, and how values given in a
//! scenario are read. Must never see a file: where a value stands is the scenario's business.

use std::fmt;
use std::str::FromStr;

use crate::suggest::suggest;
use crate::time::Span;

/// A parameter as documented.
#[derive(Debug)]
pub struct Param {
    /// As written in a scenario.
    pub name: &'static str,
    /// What holds if it is not written.
    pub default: &'static str,
    /// One line: meaning, unit, source of the default.
    pub help: &'static str,
}

/// A value as given.
#[derive(Clone, PartialEq, Debug)]
pub enum Value {
    /// A TOML integer or float.
    Number(f64),
    /// A TOML string.
    Text(String),
    /// A TOML boolean.
    Bool(bool),
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Value::Number(number) => write!(f, "{number}"),
            Value::Text(text) => f.write_str(text),
            Value::Bool(flag) => write!(f, "{flag}"),
        }
    }
}

/// A value that does not do.
#[derive(Clone, PartialEq, Debug)]
pub struct ParamError {
    /// Of which parameter.
    pub name: String,
    /// What is wrong and what would be right.
    pub message: String,
}

/// The parameters given to one policy. Reading a value never fails at once: it notes the error and
/// goes on with the default, so that all errors can be told together.
#[derive(Debug)]
pub struct Params<'a> {
    known: &'static [Param],
    given: &'a [(String, Value)],
    errors: Vec<ParamError>,
}

impl<'a> Params<'a> {
    /// The values in `given`, to be read as `known`.
    pub fn new(known: &'static [Param], given: &'a [(String, Value)]) -> Params<'a> {
        let mut params = Params { known, given, errors: Vec::new() };
        for (name, _) in given {
            if !known.iter().any(|param| param.name == name) {
                params.refuse(name, params.unknown(name));
            }
        }
        params
    }

    /// Everything that was wrong.
    pub fn into_errors(self) -> Vec<ParamError> {
        self.errors
    }

    /// A number from 0 to 1.
    pub fn fraction(&mut self, name: &'static str) -> f64 {
        self.read(name, |value| {
            let number = as_number(value)?;
            if (0.0..=1.0).contains(&number) { Ok(number) } else { Err("must be between 0 and 1".to_owned()) }
        })
    }

    /// A number of at least 0.
    pub fn number(&mut self, name: &'static str) -> f64 {
        self.read(name, |value| {
            let number = as_number(value)?;
            if number.is_finite() && number >= 0.0 {
                Ok(number)
            } else {
                Err("must not be negative".to_owned())
            }
        })
    }

    /// A whole number of at least 1.
    pub fn count(&mut self, name: &'static str) -> u32 {
        self.read(name, |value| {
            let number = as_number(value)?;
            if number.fract() == 0.0 && (1.0..=f64::from(u32::MAX)).contains(&number) {
                Ok(number as u32)
            } else {
                Err("must be a whole number of at least 1".to_owned())
            }
        })
    }

    /// A span of time with its unit, or `forever`.
    pub fn span(&mut self, name: &'static str) -> Span {
        self.read(name, |value| match value {
            Value::Text(text) => Span::from_str(text),
            other => Err(format!("`{other}` has no unit; write for example \"{other} min\"")),
        })
    }

    /// A span of time from `least` to `most`.
    pub fn span_within(&mut self, name: &'static str, least: Span, most: Span) -> Span {
        self.read(name, |value| match value {
            Value::Text(text) => {
                let span = Span::from_str(text)?;
                let fits = (least..=most).contains(&span);
                if fits { Ok(span) } else { Err(format!("must be between {least} and {most}")) }
            }
            other => Err(format!("`{other}` has no unit; write for example \"{other} min\"")),
        })
    }

    /// Yes or no.
    pub fn flag(&mut self, name: &'static str) -> bool {
        self.read(name, |value| match value {
            Value::Bool(flag) => Ok(*flag),
            Value::Text(text) if text == "true" => Ok(true),
            Value::Text(text) if text == "false" => Ok(false),
            other => Err(format!("`{other}` is neither true nor false")),
        })
    }

    /// One of several words, as its place among them.
    pub fn choice(&mut self, name: &'static str, words: &[&str]) -> usize {
        self.read(name, |value| {
            let text = value.to_string();
            words
                .iter()
                .position(|word| *word == text)
                .ok_or_else(|| format!("`{text}` is not one of: {}", words.join(", ")))
        })
    }

    /// The value given, or the documented default.
    fn read<T>(&mut self, name: &'static str, parse: impl Fn(&Value) -> Result<T, String>) -> T {
        if let Some((_, value)) = self.given.iter().find(|(given, _)| given == name) {
            match parse(value) {
                Ok(parsed) => return parsed,
                Err(message) => self.refuse(name, message),
            }
        }
        let default = self.known.iter().find(|param| param.name == name).map_or("", |param| param.default);
        let value = default.parse().map_or_else(|_| Value::Text(default.to_owned()), Value::Number);
        parse(&value).unwrap_or_else(|message| {
            unreachable!("the documented default `{default}` of `{name}` does not do: {message}")
        })
    }

    /// Notes that the value of `name` does not do, for a reason that only its policy knows.
    pub fn refuse(&mut self, name: &str, message: String) {
        self.errors.push(ParamError { name: name.to_owned(), message });
    }

    fn unknown(&self, name: &str) -> String {
        let names: Vec<&str> = self.known.iter().map(|param| param.name).collect();
        match (names.as_slice(), suggest(name, names.iter().copied())) {
            ([], _) => format!("unknown parameter `{name}`; this policy has none"),
            (_, Some(meant)) => format!("unknown parameter `{name}`; did you mean `{meant}`?"),
            (names, None) => format!("unknown parameter `{name}`; this policy has: {}", names.join(", ")),
        }
    }
}

fn as_number(value: &Value) -> Result<f64, String> {
    match value {
        Value::Number(number) => Ok(*number),
        other => Err(format!("`{other}` is not a number")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KNOWN: &[Param] = &[
        Param { name: "share", default: "0.1", help: "" },
        Param { name: "keep", default: "10 min", help: "" },
        Param { name: "steps", default: "8", help: "" },
        Param { name: "word", default: "one", help: "" },
        Param { name: "really", default: "false", help: "" },
    ];

    fn text(text: &str) -> Value {
        Value::Text(text.to_owned())
    }

    fn given(values: &[(&str, Value)]) -> Vec<(String, Value)> {
        values.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect()
    }

    #[test]
    fn defaults_hold_unless_given() {
        let given =
            given(&[("share", Value::Number(0.25)), ("word", text("two")), ("really", Value::Bool(true))]);
        let mut params = Params::new(KNOWN, &given);
        assert_eq!(params.fraction("share"), 0.25);
        assert_eq!(params.number("share"), 0.25);
        assert_eq!(params.span("keep"), Span::from_mins(10));
        assert_eq!(params.count("steps"), 8);
        assert_eq!(params.choice("word", &["one", "two"]), 1);
        assert!(params.flag("really"));
        assert_eq!(params.into_errors(), []);
        let mut params = Params::new(KNOWN, &[]);
        assert_eq!(params.choice("word", &["one", "two"]), 0);
        assert!(!params.flag("really"));
    }

    #[test]
    fn all_errors_are_told_together() {
        let given = given(&[
            ("share", Value::Number(1.5)),
            ("keep", Value::Number(10.0)),
            ("steps", Value::Number(2.5)),
            ("word", text("three")),
            ("really", text("perhaps")),
            ("kep", text("1 s")),
            ("banana", text("1 s")),
        ]);
        let mut params = Params::new(KNOWN, &given);
        assert_eq!(params.fraction("share"), 0.1);
        assert_eq!(params.span("keep"), Span::from_mins(10));
        assert_eq!(params.count("steps"), 8);
        assert_eq!(params.choice("word", &["one", "two"]), 0);
        assert!(!params.flag("really"));
        let errors: Vec<String> = params
            .into_errors()
            .into_iter()
            .map(|error| format!("{}: {}", error.name, error.message))
            .collect();
        assert_eq!(
            errors,
            [
                "kep: unknown parameter `kep`; did you mean `keep`?",
                "banana: unknown parameter `banana`; this policy has: share, keep, steps, word, really",
                "share: must be between 0 and 1",
                "keep: `10` has no unit; write for example \"10 min\"",
                "steps: must be a whole number of at least 1",
                "word: `three` is not one of: one, two",
                "really: `perhaps` is neither true nor false",
            ]
        );
    }

    #[test]
    fn a_span_has_its_limits() {
        for (value, part) in [
            (text("30 s"), "must be between 1 min and 7 d"),
            (text("forever"), "must be between 1 min and 7 d"),
            (text("soon"), "does not start with a number"),
            (Value::Number(4.0), "has no unit"),
        ] {
            let given = given(&[("keep", value)]);
            let mut params = Params::new(KNOWN, &given);
            params.span_within("keep", Span::from_mins(1), Span::from_mins(7 * 24 * 60));
            let errors = params.into_errors();
            assert!(errors[0].message.contains(part), "{errors:?}");
        }
    }
}
