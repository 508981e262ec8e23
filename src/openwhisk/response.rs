//! What an action's answer means (docs/specs/openwhisk.md §16, §17) and what the caller of a blocking
//! invocation sees (§20). Must never decide what becomes of the container: that is the pool's.

use serde_json::{Value, json};

use crate::pool::boundary::Status;

/// What the container said, or did not say, to `/run`.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum RunReply<'a> {
    /// An HTTP answer.
    Http {
        /// Its status code.
        status: u16,
        /// Its body.
        body: &'a str,
        /// The size of the full body and the limit, if the body is only a part.
        truncated: Option<(u64, u64)>,
    },
    /// The connection broke because the container ran out of memory.
    MemoryExhausted,
    /// The connection broke, or there was no usable answer.
    Nothing,
}

/// A classified answer.
#[derive(Clone, PartialEq, Debug)]
pub enum RunResponse {
    /// It ended, with this status; `result` is what the caller gets, `{"error": …}` for errors.
    Ended {
        /// Its class.
        status: Status,
        /// The result or the error.
        result: Value,
    },
    /// 503: the container is shutting down and did not run the activation.
    ShuttingDown,
}

/// Classifies the answer to `/run` that took `run_ms` under a limit of `timeout_ms` (§17).
pub fn classify_run_response(reply: RunReply<'_>, run_ms: u64, timeout_ms: u64) -> RunResponse {
    if run_ms >= timeout_ms {
        return failed(Status::DeveloperError, timed_out(timeout_ms, false).into());
    }
    match reply {
        RunReply::Http { status: 503, .. } => RunResponse::ShuttingDown,
        RunReply::Http { body, truncated: Some((size, limit)), .. } => {
            failed(Status::ApplicationError, truncated_response(body, size, limit).into())
        }
        RunReply::Http { status, body, truncated: None } => classify_body(status == 200, body),
        RunReply::MemoryExhausted => {
            failed(Status::DeveloperError, "The action exhausted its memory and was aborted.".into())
        }
        RunReply::Nothing => failed(
            Status::DeveloperError,
            "The action did not produce a valid response and exited unexpectedly.".into(),
        ),
    }
}

/// What became of an initialisation (§4.3, §16, §17).
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum InitResponse {
    /// The action is ready.
    Ready,
    /// A developer error, in these words.
    Failed(String),
    /// 503: the container is shutting down.
    ShuttingDown,
}

/// Classifies the answer to `/init` that took `init_ms` under a limit of `timeout_ms` (§17).
pub fn classify_init_response(reply: RunReply<'_>, init_ms: u64, timeout_ms: u64) -> InitResponse {
    if init_ms >= timeout_ms {
        return InitResponse::Failed(timed_out(timeout_ms, true));
    }
    match reply {
        RunReply::Http { status: 503, .. } => InitResponse::ShuttingDown,
        RunReply::Http { body, truncated: Some((size, limit)), .. } => {
            InitResponse::Failed(truncated_response(body, size, limit))
        }
        RunReply::Http { status: 200, .. } => InitResponse::Ready,
        RunReply::Http { body, truncated: None, .. } => {
            let error = match serde_json::from_str::<Value>(body) {
                Ok(Value::Object(mut members)) => members.remove("error"),
                _ => None,
            };
            let text = match error {
                Some(Value::String(text)) => text,
                Some(other) => other.to_string(),
                None => invalid_response(body),
            };
            InitResponse::Failed(format!("The action failed during initialization: {text}"))
        }
        RunReply::MemoryExhausted => {
            InitResponse::Failed("The action exhausted its memory and was aborted.".to_owned())
        }
        RunReply::Nothing => {
            InitResponse::Failed("The action did not initialize and exited unexpectedly.".to_owned())
        }
    }
}

fn classify_body(ok: bool, body: &str) -> RunResponse {
    match serde_json::from_str::<Value>(body) {
        Ok(Value::Object(mut members)) => match members.remove("error") {
            Some(error) if ok => failed(Status::ApplicationError, error),
            Some(error) => failed(Status::DeveloperError, error),
            None if ok => RunResponse::Ended { status: Status::Success, result: Value::Object(members) },
            None => failed(Status::DeveloperError, invalid_response(body).into()),
        },
        Ok(Value::Array(items)) if ok => {
            RunResponse::Ended { status: Status::Success, result: Value::Array(items) }
        }
        _ => failed(Status::DeveloperError, invalid_response(body).into()),
    }
}

fn failed(status: Status, error: Value) -> RunResponse {
    RunResponse::Ended { status, result: json!({ "error": error }) }
}

/// What is said of an action that ran, or initialised, for as long as it was allowed to.
pub fn timed_out(timeout_ms: u64, init: bool) -> String {
    let when = if init { " during initialization" } else { "" };
    format!("The action exceeded its time limits of {timeout_ms} milliseconds{when}.")
}

fn invalid_response(body: &str) -> String {
    let text = "The action did not produce a valid JSON or JSON Array response";
    if body.is_empty() { format!("{text}.") } else { format!("{text}: {body}") }
}

fn truncated_response(body: &str, size: u64, limit: u64) -> String {
    format!(
        "The action produced a response that exceeded the allowed length: {size} > {limit} bytes. The truncated \
         response was: {body}"
    )
}

/// The HTTP status of a blocking invocation that ended in time (§20).
pub const fn http_status_for_blocking_invoke(status: Status) -> u16 {
    match status {
        Status::Success => 200,
        Status::ApplicationError | Status::DeveloperError => 502,
        Status::SystemError => 500,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn http(status: u16, body: &str) -> RunResponse {
        classify_run_response(RunReply::Http { status, body, truncated: None }, 5, 100)
    }

    fn ended(status: Status, result: Value) -> RunResponse {
        RunResponse::Ended { status, result }
    }

    #[test]
    fn answers_are_classified_by_status_and_shape() {
        assert_eq!(http(200, r#"{"a":1}"#), ended(Status::Success, json!({"a": 1})));
        assert_eq!(http(200, "[1]"), ended(Status::Success, json!([1])));
        assert_eq!(
            http(200, r#"{"error":{"c":2}}"#),
            ended(Status::ApplicationError, json!({"error": {"c": 2}}))
        );
        assert_eq!(http(502, r#"{"error":"x","b":1}"#), ended(Status::DeveloperError, json!({"error": "x"})));
        let invalid = "The action did not produce a valid JSON or JSON Array response";
        for (status, body) in [(200, "7"), (200, "no json"), (502, r#"{"a":1}"#), (500, "[1]")] {
            let error = format!("{invalid}: {body}");
            assert_eq!(http(status, body), ended(Status::DeveloperError, json!({ "error": error })));
        }
        assert_eq!(http(200, ""), ended(Status::DeveloperError, json!({ "error": format!("{invalid}.") })));
        assert_eq!(http(503, "{}"), RunResponse::ShuttingDown);
    }

    #[test]
    fn initialisations_are_classified_by_status() {
        let init =
            |status, body| classify_init_response(RunReply::Http { status, body, truncated: None }, 5, 100);
        assert_eq!(init(200, "OK"), InitResponse::Ready);
        assert_eq!(init(503, "{}"), InitResponse::ShuttingDown);
        let failed = |text: &str| InitResponse::Failed(text.to_owned());
        let error = "The action failed during initialization: no main";
        assert_eq!(init(502, r#"{"error":"no main"}"#), failed(error));
        let late = RunReply::Http { status: 200, body: "", truncated: None };
        let text = "The action exceeded its time limits of 100 milliseconds during initialization.";
        assert_eq!(classify_init_response(late, 100, 100), failed(text));
        let gone = "The action did not initialize and exited unexpectedly.";
        assert_eq!(classify_init_response(RunReply::Nothing, 5, 100), failed(gone));
    }

    #[test]
    fn no_answer_and_late_answers_are_developer_errors() {
        let late = RunReply::Http { status: 200, body: "{}", truncated: None };
        let error = "The action exceeded its time limits of 100 milliseconds.";
        assert_eq!(
            classify_run_response(late, 100, 100),
            ended(Status::DeveloperError, json!({ "error": error }))
        );
        for reply in [RunReply::Nothing, RunReply::MemoryExhausted] {
            let answer = classify_run_response(reply, 1, 100);
            assert!(
                matches!(answer, RunResponse::Ended { status: Status::DeveloperError, .. }),
                "{answer:?}"
            );
        }
        let part = RunReply::Http { status: 200, body: "abc", truncated: Some((10, 3)) };
        let answer = classify_run_response(part, 1, 100);
        assert!(matches!(answer, RunResponse::Ended { status: Status::ApplicationError, .. }), "{answer:?}");
    }
}
