//! HTML and SVG as text. Owns escaping: only literals of the program get in as markup, everything else as text or as the
//! value of an attribute. Must never take a string that is not a literal for markup.

use sha2::{Digest, Sha256};

/// Markup being written.
#[derive(Debug, Default)]
pub(super) struct Html {
    out: String,
}

/// Attributes of an element, by name.
pub(super) type Attributes<'a> = &'a [(&'static str, &'a str)];

impl Html {
    /// Markup as it is. Being `'static` it cannot have come from a file that was read.
    pub(super) fn raw(&mut self, markup: &'static str) {
        self.out.push_str(markup);
    }

    /// Text, escaped.
    pub(super) fn text(&mut self, text: &str) {
        escape(&mut self.out, text);
    }

    /// The opening tag of an element. An empty class is left out.
    pub(super) fn open(&mut self, tag: &'static str, attributes: Attributes<'_>) {
        self.out.push('<');
        self.out.push_str(tag);
        for (name, value) in attributes.iter().filter(|(name, value)| *name != "class" || !value.is_empty()) {
            self.out.push(' ');
            self.out.push_str(name);
            self.out.push_str("=\"");
            escape(&mut self.out, value);
            self.out.push('"');
        }
        self.out.push('>');
    }

    /// The closing tag of an element.
    pub(super) fn close(&mut self, tag: &'static str) {
        self.out.push_str("</");
        self.out.push_str(tag);
        self.out.push('>');
    }

    /// A whole element with nothing but text in it.
    pub(super) fn leaf(&mut self, tag: &'static str, attributes: Attributes<'_>, text: &str) {
        self.open(tag, attributes);
        self.text(text);
        self.close(tag);
    }

    /// What was written.
    pub(super) fn finish(self) -> String {
        self.out
    }
}

/// Appends `text` so that no browser takes any of it for markup, be it in an element or in a quoted attribute. Control
/// characters, which HTML does not allow, become U+FFFD.
fn escape(out: &mut String, text: &str) {
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            '\n' | '\t' => out.push(c),
            c if c.is_control() => out.push('\u{fffd}'),
            c => out.push(c),
        }
    }
}

/// The hash by which a Content-Security-Policy lets one inline script or style be used and no other
/// (CSP level 2, section 4.2.5 "hash-source"): `'sha256-…'`, in quotes.
pub(super) fn policy_hash(content: &str) -> String {
    format!("'sha256-{}'", base64(&Sha256::digest(content.as_bytes())))
}

/// Base64 with padding (RFC 4648, section 4).
fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let at = |ix: usize| u32::from(chunk.get(ix).copied().unwrap_or(0));
        let bits = at(0) << 16 | at(1) << 8 | at(2);
        for digit in 0..4 {
            let ix = (bits >> (18 - 6 * digit)) & 63;
            out.push(if digit > chunk.len() { '=' } else { char::from(DIGITS[ix as usize]) });
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_read_is_never_markup() {
        let mut html = Html::default();
        html.leaf("p", &[("title", "\"' onload='x")], "<script>alert(1)</script> & \u{0}\u{1b}[31m\r");
        assert_eq!(
            html.finish(),
            "<p title=\"&quot;&#39; onload=&#39;x\">&lt;script&gt;alert(1)&lt;/script&gt; &amp; \
             \u{fffd}\u{fffd}[31m\u{fffd}</p>"
        );
    }

    #[test]
    fn base64_is_that_of_the_rfc() {
        for (plain, encoded) in [
            ("", ""),
            ("f", "Zg=="),
            ("fo", "Zm8="),
            ("foo", "Zm9v"),
            ("foob", "Zm9vYg=="),
            ("fooba", "Zm9vYmE="),
            ("foobar", "Zm9vYmFy"),
        ] {
            assert_eq!(base64(plain.as_bytes()), encoded, "{plain}");
        }
        assert_eq!(policy_hash(""), "'sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU='");
    }
}
