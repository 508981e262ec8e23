//! How wide texts are and where they are broken. Must never draw.

use plotters::style::{FontDesc, FontFamily, FontStyle};

/// Width of a text in pixels, in a size of the plots' font.
pub(super) fn width(text: &str, size: i32) -> i32 {
    let font = FontDesc::new(FontFamily::SansSerif, f64::from(size), FontStyle::Normal);
    // Where the font cannot measure, every character is as wide as a digit.
    font.box_size(text).map_or(text.chars().count() as i32 * size * 2 / 3, |(width, _)| width as i32)
}

/// A text in lines of at most `most` pixels, broken after commas and dots between parts, parts that are too long at
/// blanks; a longer word has a line of its own.
pub(super) fn wrapped(text: &str, size: i32, most: i32) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    let mut append = |piece: &str| match lines.last_mut() {
        Some(line) if width(&format!("{line} {piece}"), size) <= most => {
            line.push(' ');
            line.push_str(piece);
        }
        _ => lines.push(piece.to_owned()),
    };
    for part in text.split_inclusive(", ").flat_map(|part| part.split_inclusive(" · ")) {
        let part = part.trim();
        if width(part, size) <= most {
            append(part);
        } else {
            part.split_whitespace().for_each(&mut append);
        }
    }
    lines.retain(|line| !line.is_empty());
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_keep_to_their_width() {
        crate::results::plot::register().expect("the font is part of the program");
        let text = "eviction greedy-dual, keep-alive hybrid-histogram (range = 4 h), rules openwhisk";
        let lines = wrapped(text, 20, 300);
        assert!(lines.len() > 2 && lines.iter().all(|line| width(line, 20) <= 300), "{lines:?}");
        assert_eq!(lines.join(" "), text);
        assert_eq!(
            wrapped("lru, tail = 99 %, a = 1", 20, width("lru, tail = 99", 20)),
            ["lru,", "tail = 99 %,", "a = 1"]
        );
        assert_eq!(wrapped("incomprehensibilities", 20, 30), ["incomprehensibilities"]);
        assert!(wrapped("", 20, 30).is_empty());
        assert!(width("mm", 20) > width("ii", 20));
    }
}
