//! Text in columns that fits a terminal. Owns wrapping; must never decide what is said.

/// How wide a terminal is taken to be.
pub const WIDTH: usize = 80;

/// `text` broken at blanks into lines of at most `width` characters; a longer word stands alone.
pub fn wrap(text: &str, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split_whitespace() {
        let line = lines.last().map_or(0, |line| line.chars().count());
        if line > 0 && line + 1 + word.chars().count() > width {
            lines.push(String::new());
        }
        if let Some(line) = lines.last_mut() {
            if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(word);
        }
    }
    lines
}

/// `label`, then `text` beginning in column `indent`, wrapped; every line ends with a line feed.
pub fn entry(label: &str, indent: usize, text: &str) -> String {
    let mut out = String::new();
    let mut label = label;
    if label.chars().count() >= indent {
        out.push_str(label);
        out.push('\n');
        label = "";
    }
    for line in wrap(text, WIDTH - indent) {
        out.push_str(format!("{label:<indent$}{line}").trim_end());
        out.push('\n');
        label = "";
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_broken_at_blanks() {
        assert_eq!(wrap("one two  three", 7), ["one two", "three"]);
        assert_eq!(wrap("", 7), [""]);
        assert_eq!(wrap("unbreakable", 3), ["unbreakable"]);
    }

    #[test]
    fn labels_stand_in_the_margin() {
        assert_eq!(entry("a", 4, "b c"), "a   b c\n");
        assert_eq!(entry("long", 4, "b"), "long\n    b\n");
    }
}
