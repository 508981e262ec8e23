//! How single values are read: text, numbers, spans, amounts of memory. Owns what is said about one
//! that does not do; must never know which key it belongs to.

use super::section::Flaw;
use super::tree::{Node, Raw, quote};
use crate::memory::Memory;
use crate::suggest::nearest;
use crate::time::Span;

/// Text that is not blank.
pub(super) fn text(node: &Node) -> Result<String, Flaw> {
    match &node.raw {
        Raw::Text(text) if text.trim().is_empty() => Err(Flaw::new("must not be empty")),
        Raw::Text(text) => Ok(text.clone()),
        _ => Err(Flaw::expected("text in quotes", node)),
    }
}

/// `true` or `false`.
pub(super) fn flag(node: &Node) -> Result<bool, Flaw> {
    match &node.raw {
        Raw::Bool(flag) => Ok(*flag),
        Raw::Text(text) if text == "true" || text == "false" => {
            Err(Flaw::expected("true or false", node).help(format!("write {text} without quotes")))
        }
        _ => Err(Flaw::expected("true or false", node)),
    }
}

/// A whole number from `least` to `most`.
pub(super) fn whole(node: &Node, least: u64, most: u64) -> Result<u64, Flaw> {
    let Raw::Integer(number) = node.raw else {
        return Err(Flaw::expected("a whole number", node));
    };
    match u64::try_from(number) {
        Ok(number) if number > most => Err(Flaw::expected(&format!("at most {most}"), node)),
        Ok(number) if number >= least => Ok(number),
        Err(_) if number > i128::from(most) => Err(Flaw::expected(&format!("at most {most}"), node)),
        _ => Err(Flaw::expected(&format!("a whole number of at least {least}"), node)),
    }
}

/// A count of at least `least` that fits a small table.
pub(super) fn count(node: &Node, least: u32) -> Result<u32, Flaw> {
    // Below `u32::MAX`, so that the conversion holds.
    Ok(whole(node, u64::from(least), u64::from(u32::MAX))? as u32)
}

/// A finite number above zero.
pub(super) fn positive(node: &Node) -> Result<f64, Flaw> {
    number(node)
        .filter(|number| number.is_finite() && *number > 0.0)
        .ok_or_else(|| Flaw::expected("a number above 0", node))
}

/// A finite number, zero or above.
pub(super) fn not_negative(node: &Node) -> Result<f64, Flaw> {
    number(node)
        .filter(|number| number.is_finite() && *number >= 0.0)
        .ok_or_else(|| Flaw::expected("a number of at least 0", node))
}

/// A number from 0 to 1.
pub(super) fn probability(node: &Node) -> Result<f64, Flaw> {
    number(node)
        .filter(|number| (0.0..=1.0).contains(number))
        .ok_or_else(|| Flaw::expected("a probability from 0 to 1", node))
}

fn number(node: &Node) -> Option<f64> {
    match node.raw {
        Raw::Integer(number) => Some(number as f64),
        Raw::Float(number) => Some(number),
        _ => None,
    }
}

/// An amount of memory above zero.
pub(super) fn memory(node: &Node) -> Result<Memory, Flaw> {
    let memory: Memory = quantity(node, "an amount of memory such as \"8 GiB\"", "GiB")?;
    if memory == Memory(0) {
        return Err(Flaw::new("must be more than 0 MiB"));
    }
    Ok(memory)
}

/// A span of time, possibly `forever`.
pub(super) fn span(node: &Node) -> Result<Span, Flaw> {
    quantity(node, "a span of time such as \"10 min\"", "s")
}

/// A span of time with an end.
pub(super) fn finite_span(node: &Node) -> Result<Span, Flaw> {
    match span(node)? {
        Span::FOREVER => Err(Flaw::new("must not be `forever`")),
        span => Ok(span),
    }
}

/// A span of time with an end, longer than none.
pub(super) fn positive_span(node: &Node) -> Result<Span, Flaw> {
    match finite_span(node)? {
        Span::ZERO => Err(Flaw::new("must be longer than 0 s")),
        span => Ok(span),
    }
}

/// A number with its unit; `unit`: the one to suggest.
fn quantity<T: std::str::FromStr<Err = String>>(node: &Node, wanted: &str, unit: &str) -> Result<T, Flaw> {
    match &node.raw {
        Raw::Text(text) if text.trim().is_empty() => Err(Flaw::new("must not be empty")),
        Raw::Text(text) => text.parse().map_err(|sentence: String| Flaw::advised(&sentence)),
        Raw::Integer(number) => Err(unitless(&number.to_string(), unit)),
        Raw::Float(number) => Err(unitless(&number.to_string(), unit)),
        _ => Err(Flaw::expected(wanted, node)),
    }
}

fn unitless(number: &str, unit: &str) -> Flaw {
    Flaw::new(format!("`{number}` has no unit"))
        .help(format!("write it with its unit, in quotes, for example \"{number} {unit}\""))
}

/// One of several words, as its place among them.
pub(super) fn word(node: &Node, words: &[&'static str]) -> Result<usize, Flaw> {
    let Raw::Text(text) = &node.raw else {
        return Err(Flaw::expected(&format!("one of {}", listed(words)), node));
    };
    words.iter().position(|word| word == text).ok_or_else(|| unknown_word(text, words))
}

/// `text` is none of `words`.
pub(super) fn unknown_word(text: &str, words: &[&'static str]) -> Flaw {
    let flaw = Flaw::new(format!("{} is not one of {}", quote(text), listed(words)));
    match nearest(text, words.iter().copied()) {
        Some(near) => flaw.help(format!("did you mean `{near}`?")),
        None => flaw,
    }
}

fn listed(words: &[&str]) -> String {
    words.iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", ")
}
