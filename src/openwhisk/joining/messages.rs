//! What the texts of OpenWhisk's lines say of activations (docs/specs/openwhisk.md §9, §10, §21). Must never allocate.

use crate::openwhisk::logs::{LogLine, container_id};

/// What a line says.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Said<'a> {
    /// A request came in: `METHOD PATH QUERY`.
    Request(&'a str),
    /// A request became this activation.
    Identified(&'a str),
    /// The sharding balancer chose an invoker.
    Scheduled {
        activation: &'a str,
        /// `namespace/[package/]name`.
        path: &'a str,
    },
    /// The pool placed it.
    Placed(&'a str),
    /// `/init` was called.
    Init { container: &'a str },
    /// `/run` was called.
    Run {
        /// `namespace/[package/]name`.
        path: &'a str,
        container: &'a str,
    },
    /// The invoker told of its completion.
    Posted { activation: &'a str },
    /// The controller heard of its completion, or waited no longer.
    Acknowledged { activation: &'a str, is_system_error: bool },
    /// Nothing of the above.
    Nothing,
}

impl<'a> Said<'a> {
    pub(super) fn of(line: &LogLine<'a>) -> Said<'a> {
        let message = line.message;
        if line.component.is_none() {
            return if is_request(message) { Said::Request(message) } else { Said::Nothing };
        }
        let said = match message.as_bytes().first() {
            Some(b'a') => {
                message.strip_prefix("action activation id: ").map(|id| Said::Identified(id.trim()))
            }
            Some(b'p') => posting(message),
            Some(b'c') => placed(message),
            Some(b's') => sending(message),
            Some(b'r' | b'f') => acknowledged(message),
            _ => None,
        };
        said.unwrap_or(Said::Nothing)
    }

    /// The activation that it names.
    pub(super) fn activation(&self) -> Option<&'a str> {
        match *self {
            Said::Identified(id) | Said::Placed(id) => Some(id),
            Said::Scheduled { activation, .. }
            | Said::Posted { activation }
            | Said::Acknowledged { activation, .. } => Some(activation),
            Said::Request(_) | Said::Init { .. } | Said::Run { .. } | Said::Nothing => None,
        }
    }

    /// Whether it can be the first that is seen of an activation.
    pub(super) fn begins(&self) -> bool {
        matches!(self, Said::Request(_) | Said::Identified(_) | Said::Scheduled { .. } | Said::Placed(_))
    }
}

fn is_request(message: &str) -> bool {
    let method = message.split(' ').next().unwrap_or_default();
    matches!(method, "GET" | "POST" | "PUT" | "DELETE" | "HEAD" | "OPTIONS" | "PATCH")
}

/// `posting topic 'T' with activation id 'ID'` and `posted completion of activation ID`.
fn posting(message: &str) -> Option<Said<'_>> {
    if let Some(rest) = message.strip_prefix("posting topic ") {
        let (_, rest) = rest.split_once("activation id '")?;
        return rest.split_once('\'').map(|(id, _)| Said::Identified(id));
    }
    let (what, activation) = message.strip_prefix("posted ")?.split_once(" of activation ")?;
    // A result goes ahead of the completion (§4.4).
    (what != "result").then(|| Said::Posted { activation: activation.trim() })
}

fn placed(message: &str) -> Option<Said<'_>> {
    let (_, id) = message.strip_prefix("containerStart ")?.rsplit_once(" activationId: ")?;
    Some(Said::Placed(id.split_whitespace().next()?))
}

fn sending(message: &str) -> Option<Said<'_>> {
    if let Some(rest) = message.strip_prefix("sending arguments to ") {
        let (path, rest) = rest.rsplit_once(" at ContainerId(")?;
        let (container, _) = rest.split_once(')')?;
        return Some(Said::Run { path: path.trim_start_matches('/'), container });
    }
    if message.starts_with("sending initialization to ") {
        return container_id(message).map(|container| Said::Init { container });
    }
    let (activation, rest) = message.strip_prefix("scheduled activation ")?.split_once(", action '")?;
    let (action, _) = rest.split_once('\'')?;
    let path = action.rsplit_once('@').map_or(action, |(path, _)| path);
    Some(Said::Scheduled { activation, path })
}

fn acknowledged(message: &str) -> Option<Said<'_>> {
    let (_, rest) = message
        .strip_prefix("received ")
        .or_else(|| message.strip_prefix("forced "))?
        .split_once("completion ack for '")?;
    let (activation, rest) = rest.split_once('\'')?;
    Some(Said::Acknowledged { activation, is_system_error: rest.contains("system error=true") })
}

/// Whether `/init` or `/run` ended, but not well: `running result: not ok`.
pub(super) fn is_bad_result(message: &str) -> bool {
    let result =
        message.strip_prefix("initialization result: ").or_else(|| message.strip_prefix("running result: "));
    result.is_some_and(|result| !result.starts_with("ok"))
}

/// The container of `running /usr/bin/docker pause ID (timeout: …)`, and of other commands that end with it.
pub(super) fn last_argument(message: &str) -> Option<&str> {
    message.split_once(" (timeout")?.0.rsplit(' ').next()
}

/// `namespace/[package/]name` of `POST /api/v1/namespaces/NS/actions/NAME QUERY`.
pub(super) fn path_of_request(request: &str) -> Option<String> {
    let (_, rest) = request.strip_prefix("POST ")?.split_once("/namespaces/")?;
    let (namespace, name) = rest.split([' ', '?']).next()?.split_once("/actions/")?;
    // `_` is the caller's own namespace, whichever that is.
    (namespace != "_" && !name.is_empty()).then(|| format!("{namespace}/{name}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::openwhisk::logs::parse_log_line;

    fn said(text: &str) -> Said<'_> {
        Said::of(&parse_log_line(text).expect("a line"))
    }

    fn of_component(message: &str) -> String {
        format!("[2022-04-15T06:04:39.086Z] [INFO] [#tid_a] [X] {message}")
    }

    #[test]
    fn texts_of_all_versions_are_understood() {
        let run = "sending arguments to /ns/pkg/a at b at ContainerId(c1) ContainerAddress(172.17.0.4,8080)";
        let scheduled =
            "scheduled activation 12, action 'ns/pkg/a@0.0.1' (managed), ns 'ns', mem limit 128 MB";
        for (message, expected) in [
            ("action activation id: 12", Said::Identified("12")),
            ("posting topic 'invoker0' with activation id '12'", Said::Identified("12")),
            (scheduled, Said::Scheduled { activation: "12", path: "ns/pkg/a" }),
            (run, Said::Run { path: "ns/pkg/a at b", container: "c1" }),
            (
                "sending initialization to ContainerId(c1) ContainerAddress(x,1)",
                Said::Init { container: "c1" },
            ),
            ("posted completion of activation 12", Said::Posted { activation: "12" }),
            ("posted combined of activation 12", Said::Posted { activation: "12" }),
            ("posted result of activation 12", Said::Nothing),
            ("posted to invoker0[0][-1]", Said::Nothing),
            ("received result ack for '12'", Said::Nothing),
            (
                "received completion ack for '12', system error=true",
                Said::Acknowledged { activation: "12", is_system_error: true },
            ),
            (
                "forced completion ack for '12'",
                Said::Acknowledged { activation: "12", is_system_error: false },
            ),
            ("GET / is no request here", Said::Nothing),
        ] {
            assert_eq!(said(&of_component(message)), expected, "{message}");
        }
        assert_eq!(
            said("[2022-04-15T06:04:39.086Z] [INFO] [#tid_a] POST /x y=z"),
            Said::Request("POST /x y=z")
        );
    }

    #[test]
    fn requests_name_their_action() {
        for (request, path) in [
            ("POST /api/v1/namespaces/ns/actions/hello blocking=false", Some("ns/hello")),
            ("POST /api/v1/namespaces/ns/actions/pkg/hello?blocking=true", Some("ns/pkg/hello")),
            ("POST /api/v1/namespaces/_/actions/hello", None),
            ("GET /api/v1/namespaces/ns/actions/hello", None),
            ("POST /api/v1/namespaces/ns/triggers/t", None),
        ] {
            assert_eq!(path_of_request(request).as_deref(), path, "{request}");
        }
    }

    #[test]
    fn results_are_good_or_bad() {
        assert!(!is_bad_result("running result: ok"));
        assert!(is_bad_result("running result: not ok"));
        assert!(is_bad_result("initialization result: Timeout(java.net.SocketTimeoutException)"));
        assert!(!is_bad_result("not ok"));
    }
}
