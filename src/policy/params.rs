//! Parameters of a policy: what they are called, what they default to, and how values given in a
//! scenario are read. Must never see a file: where a value stands is the scenario's business.

use std::fmt;
use std::str::FromStr;

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

    fn refuse(&mut self, name: &str, message: String) {
        self.errors.push(ParamError { name: name.to_owned(), message });
    }

    fn unknown(&self, name: &str) -> String {
        let names: Vec<&str> = self.known.iter().map(|param| param.name).collect();
        match names.as_slice() {
            [] => format!("unknown parameter `{name}`; this policy has none"),
            names => format!("unknown parameter `{name}`; this policy has: {}", names.join(", ")),
        }
    }
}

fn as_number(value: &Value) -> Result<f64, String> {
    match value {
        Value::Number(number) => Ok(*number),
        other => Err(format!("`{other}` is not a number")),
    }
}
