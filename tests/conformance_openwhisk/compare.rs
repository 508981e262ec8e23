//! What counts as equal. Must never know what a case is about.

use std::fmt;

use serde_json::{Map, Value};

/// Relative, for everything that is not a whole number.
const TOLERANCE: f64 = 1e-9;

/// Something that is not as expected.
pub struct Mismatch {
    /// Step and time in ms; `None`: the whole case.
    step: Option<(usize, u64)>,
    channel: String,
    expected: String,
    got: String,
}

impl Mismatch {
    pub fn new(
        step: Option<(usize, u64)>,
        channel: &str,
        expected: impl ToString,
        got: impl ToString,
    ) -> Mismatch {
        Mismatch { step, channel: channel.to_owned(), expected: expected.to_string(), got: got.to_string() }
    }

    /// The case could not be played.
    pub fn whole_case(why: String) -> Mismatch {
        Mismatch::new(None, "harness", "a case that can be played", why)
    }
}

impl fmt::Display for Mismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some((step, t)) = self.step {
            write!(f, "step {step} at {t} ms, ")?;
        }
        write!(f, "{}\n    expected {}\n         got {}", self.channel, self.expected, self.got)
    }
}

/// Whether two values are equal: objects without order and without nulls, numbers within the tolerance.
pub fn agree(expected: &Value, got: &Value) -> bool {
    match (expected, got) {
        (Value::Number(a), Value::Number(b)) => match (a.as_i64(), b.as_i64()) {
            (Some(a), Some(b)) => a == b,
            _ => close(a.as_f64(), b.as_f64()),
        },
        (Value::Array(a), Value::Array(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| agree(a, b)),
        (Value::Object(a), Value::Object(b)) => {
            let names = a.keys().chain(b.keys());
            names.into_iter().all(|name| agree(member(a, name), member(b, name)))
        }
        _ => expected == got,
    }
}

/// The same for objects of which only these members count.
pub fn agree_on(names: &[&str], expected: &Value, got: &Value) -> bool {
    names.iter().all(|name| agree(&expected[*name], &got[*name]))
}

fn close(a: Option<f64>, b: Option<f64>) -> bool {
    match (a, b) {
        (Some(a), Some(b)) => (a - b).abs() <= TOLERANCE * a.abs().max(b.abs()),
        _ => false,
    }
}

fn member<'a>(object: &'a Map<String, Value>, name: &str) -> &'a Value {
    object.get(name).unwrap_or(&Value::Null)
}

/// An array without order.
pub fn sorted(value: &Value) -> Value {
    match value {
        Value::Array(items) => {
            let mut items = items.clone();
            items.sort_by_key(Value::to_string);
            Value::Array(items)
        }
        other => other.clone(),
    }
}

/// Compares outputs channel by channel: order matters inside one only.
pub fn outputs(
    at: (usize, u64),
    same: impl Fn(&Value, &Value) -> bool,
    channel_of: impl Fn(&Value) -> String,
    expected: &[Value],
    got: &[Value],
) -> Vec<Mismatch> {
    let mut channels: Vec<String> = expected.iter().chain(got).map(&channel_of).collect();
    channels.sort();
    channels.dedup();
    let mut mismatches = Vec::new();
    for channel in channels {
        let of = |values: &[Value]| -> Vec<Value> {
            values.iter().filter(|value| channel_of(value) == channel).cloned().collect()
        };
        let (expected, got) = (of(expected), of(got));
        let agree = expected.len() == got.len() && expected.iter().zip(&got).all(|(e, g)| same(e, g));
        if !agree {
            mismatches.push(Mismatch::new(Some(at), &channel, Value::Array(expected), Value::Array(got)));
        }
    }
    mismatches
}
