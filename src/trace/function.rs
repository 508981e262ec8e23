//! A function as a trace describes it. Owns its fields, their defaults and what may be a name; must never
//! know when it is invoked.

use crate::memory::Memory;
use crate::time::Span;

/// A function of a trace.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Function {
    /// Unique in the trace.
    pub name: String,
    /// What one container of it occupies.
    pub memory: Memory,
    /// The total run time of a cold invocation, start of the container included.
    pub cold: Span,
    /// The run time of a warm invocation.
    pub warm: Span,
    /// The application it belongs to.
    pub app: Option<String>,
    /// Its owner, as OpenWhisk's namespaces are.
    pub namespace: String,
    /// Its runtime, as in OpenWhisk's manifest: containers of one kind can be started ahead of time.
    pub kind: String,
    /// How many invocations one container runs at once.
    pub max_concurrent: u16,
    /// What invokes it, in the words of the Azure data: `http`, `timer`, `queue` and so on.
    pub trigger: Option<String>,
    /// How its run times are distributed, where the trace tells that but not each single one: the
    /// quantiles at [`Function::QUANTILES`], ascending.
    pub run_quantiles: Option<[Span; 7]>,
}

impl Function {
    /// The namespace of a function that names none.
    pub const DEFAULT_NAMESPACE: &str = "_";
    /// The kind of a function that names none.
    pub const DEFAULT_KIND: &str = "python:3";
    /// Where the Azure data gives quantiles of run times, in percent.
    pub const QUANTILES: [u8; 7] = [0, 1, 25, 50, 75, 99, 100];
    /// What [`Function::trigger`] says of a function invoked by a clock.
    pub const TIMER: &str = "timer";

    /// A function with the defaults: no app, namespace `_`, kind `python:3`, one invocation at a
    /// time, no trigger, no distribution of run times.
    pub fn new(name: impl Into<String>, memory: Memory, cold: Span, warm: Span) -> Function {
        Function {
            name: name.into(),
            memory,
            cold,
            warm,
            app: None,
            namespace: Function::DEFAULT_NAMESPACE.to_owned(),
            kind: Function::DEFAULT_KIND.to_owned(),
            max_concurrent: 1,
            trigger: None,
            run_quantiles: None,
        }
    }
}

/// Why a text cannot be a name, as the rest of a sentence.
pub(crate) fn name_fault(text: &str) -> Option<&'static str> {
    if text.is_empty() {
        Some("is empty")
    } else if text.chars().any(char::is_control) {
        Some("contains a control character")
    } else {
        None
    }
}
