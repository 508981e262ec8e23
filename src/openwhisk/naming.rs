//! Names of containers (docs/specs/openwhisk.md §15). Must never produce a name that docker refuses.

/// The name of a container: `wsk`, the invoker, a running number, then who it is for.
///
/// `counter` starts at 1 and counts prewarms and work alike. For work `prefix` is the namespace and
/// `suffix` the action; for a prewarm they are `prewarm` and the kind. Of both only letters, digits and
/// underscores survive (`nodejs:20` becomes `nodejs20`); of the invoker's unique name also dots and dashes.
pub fn container_name(
    unique_name: Option<&str>,
    invoker: u64,
    counter: u64,
    prefix: &str,
    suffix: &str,
) -> String {
    let unique = keep(unique_name.unwrap_or(""), |c| is_word(c) || matches!(c, '.' | '-'));
    format!("wsk{unique}{invoker}_{counter}_{}_{}", keep(prefix, is_word), keep(suffix, is_word))
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

fn keep(text: &str, allowed: impl Fn(char) -> bool) -> String {
    text.chars().filter(|c| allowed(*c)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_docker_accepts_survives() {
        assert_eq!(container_name(None, 0, 3, "alftest", "hello"), "wsk0_3_alftest_hello");
        assert_eq!(
            container_name(Some("my@na-me"), 2, 1, "a b/c_d", "python:3.11"),
            "wskmyna-me2_1_abc_d_python311"
        );
    }
}
