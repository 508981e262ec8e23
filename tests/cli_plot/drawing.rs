//! Drawings as tests see them: an SVG as elements and boxes of text, a PNG as pixels. Must never be so lenient that
//! a broken file passes.

use std::io::Read as _;

/// An SVG, read.
pub struct Drawing {
    width: f64,
    height: f64,
    names: Vec<String>,
    texts: Vec<Text>,
}

struct Text {
    words: String,
    /// Left, top, right, bottom.
    bounds: [f64; 4],
}

/// An element that is open.
struct Open<'a> {
    name: &'a str,
    attributes: Vec<(&'a str, &'a str)>,
    words: String,
}

/// Reads an SVG; panics if it is not well-formed.
pub fn read_svg(svg: &str) -> Drawing {
    assert!(!svg.contains("NaN") && !svg.contains("inf\""), "a coordinate is no number");
    let mut drawing = Drawing { width: 0.0, height: 0.0, names: Vec::new(), texts: Vec::new() };
    let mut open: Vec<Open> = Vec::new();
    let mut rest = svg.trim();
    while let Some(at) = rest.find('<') {
        if let Some(inner) = open.last_mut() {
            inner.words += &unescaped(&rest[..at]);
        }
        let end = at + rest[at..].find('>').expect("every tag ends");
        let tag = &rest[at + 1..end];
        rest = &rest[end + 1..];
        if let Some(name) = tag.strip_prefix('/') {
            let element = open.pop().expect("something is open");
            assert_eq!(element.name, name, "tags are nested");
            drawing.closed(&element);
        } else {
            let body = tag.strip_suffix('/').unwrap_or(tag);
            let (name, attributes) = body.split_once(' ').unwrap_or((body, ""));
            assert!(!open.is_empty() || drawing.names.is_empty(), "there is one root");
            let element = Open { name, attributes: parsed(attributes), words: String::new() };
            drawing.names.push(name.to_owned());
            if tag.ends_with('/') {
                drawing.closed(&element);
            } else {
                open.push(element);
            }
        }
    }
    assert!(open.is_empty() && rest.is_empty(), "everything is closed");
    drawing
}

/// About the width of a letter of DejaVu Sans, in sizes of the font.
fn advance(letter: char) -> f64 {
    match letter {
        'i' | 'j' | 'l' => 0.28,
        ' ' | ',' | '.' | '·' | ':' | '/' => 0.32,
        'f' | 'r' | 't' | '(' | ')' | '-' => 0.39,
        'm' | 'w' | 'M' | 'G' | '%' | '=' | '<' => 0.85,
        _ => 0.61,
    }
}

fn parsed(attributes: &str) -> Vec<(&str, &str)> {
    let mut rest = attributes.trim();
    let mut found = Vec::new();
    while !rest.is_empty() {
        let (name, value) = rest.split_once("=\"").expect("an attribute has a value in quotes");
        let (value, after) = value.split_once('"').expect("quotes are closed");
        found.push((name.trim(), value));
        rest = after.trim();
    }
    found
}

fn unescaped(text: &str) -> String {
    let plain = text.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"").replace("&apos;", "'");
    assert!(!plain.replace("&amp;", "").contains('&'), "{text}");
    plain.replace("&amp;", "&")
}

impl Drawing {
    fn closed(&mut self, element: &Open) {
        let attribute =
            |name: &str| element.attributes.iter().find(|(known, _)| *known == name).map(|(_, value)| *value);
        let number = |name: &str| attribute(name).expect(name).parse::<f64>().expect("a number");
        if element.name == "svg" {
            let size: Vec<f64> = attribute("viewBox")
                .expect("it has a size")
                .split(' ')
                .map(|part| part.parse().expect("a number"))
                .collect();
            (self.width, self.height) = (size[2], size[3]);
        }
        if element.name != "text" {
            return;
        }
        let words = element.words.trim().to_owned();
        let (x, y, size) = (number("x"), number("y"), number("font-size"));
        let width = size * words.chars().map(advance).sum::<f64>();
        let left = match attribute("text-anchor") {
            Some("middle") => -width / 2.0,
            Some("end") => -width,
            _ => 0.0,
        };
        let top = match attribute("dy") {
            Some("0.76em") => 0.0,
            Some("0.5ex") => -size / 2.0,
            _ => -size,
        };
        let bounds = match attribute("transform") {
            None => [x + left, y + top, x + left + width, y + top + size],
            Some(rotated) if rotated.starts_with("rotate(270") => {
                [x + top, y - left - width, x + top + size, y - left]
            }
            Some(other) => panic!("{other}"),
        };
        self.texts.push(Text { words, bounds });
    }

    /// All texts.
    pub fn texts(&self) -> Vec<&str> {
        self.texts.iter().map(|text| text.words.as_str()).collect()
    }

    /// Whether this text is there.
    pub fn says(&self, text: &str) -> bool {
        self.texts().contains(&text)
    }

    /// How many elements of a name there are.
    pub fn count(&self, name: &str) -> usize {
        self.names.iter().filter(|known| *known == name).count()
    }

    /// Panics if texts are empty, overlap or lie outside.
    pub fn assert_readable(&self) {
        assert_eq!(self.count("title"), 1);
        assert!(self.texts.len() > 8, "hardly any text: {:?}", self.texts());
        for (nth, text) in self.texts.iter().enumerate() {
            let [left, top, right, bottom] = text.bounds;
            assert!(!text.words.is_empty(), "an empty text at {left}, {top}");
            let inside = left >= 0.0 && top >= 0.0 && right <= self.width && bottom <= self.height;
            assert!(inside, "`{}` is cut: {:?} in {} x {}", text.words, text.bounds, self.width, self.height);
            for other in &self.texts[..nth] {
                let apart = right <= other.bounds[0]
                    || other.bounds[2] <= left
                    || bottom <= other.bounds[1]
                    || other.bounds[3] <= top;
                assert!(apart, "`{}` lies over `{}`", text.words, other.words);
            }
        }
    }
}

/// Width, height and the share of dark pixels of a PNG with 8 bits of red, green and blue; panics if it is broken.
pub fn png_pixels(png: &[u8]) -> (usize, usize, f64) {
    let mut rest = png.strip_prefix(b"\x89PNG\r\n\x1a\n").expect("a PNG");
    let word = |bytes: &[u8]| u32::from_be_bytes(bytes[..4].try_into().expect("four bytes")) as usize;
    let (mut size, mut packed, mut ended) = ((0, 0), Vec::new(), false);
    while !rest.is_empty() {
        let (length, kind) = (word(rest), &rest[4..8]);
        let data = &rest[8..8 + length];
        match kind {
            b"IHDR" => {
                size = (word(data), word(&data[4..]));
                assert_eq!(data[8..10], [8, 2], "8 bits of red, green and blue");
            }
            b"IDAT" => packed.extend_from_slice(data),
            b"IEND" => ended = true,
            _ => {}
        }
        rest = &rest[12 + length..];
    }
    assert!(ended, "it is whole");
    let mut bytes = Vec::new();
    flate2::read::ZlibDecoder::new(packed.as_slice()).read_to_end(&mut bytes).expect("it unpacks");
    let line = 3 * size.0 + 1;
    assert_eq!(bytes.len(), line * size.1);
    let pixels = unfiltered(&bytes, line);
    let dark = pixels.chunks(3).filter(|pixel| pixel.iter().any(|part| *part < 160)).count();
    (size.0, size.1, dark as f64 / (size.0 * size.1) as f64)
}

/// The lines of a PNG without their filters (PNG specification, 9.2).
fn unfiltered(bytes: &[u8], line: usize) -> Vec<u8> {
    let mut above = vec![0_u8; line - 1];
    let mut pixels = Vec::with_capacity(bytes.len());
    for row in bytes.chunks(line) {
        let mut now: Vec<u8> = Vec::with_capacity(line - 1);
        for (ix, byte) in row[1..].iter().enumerate() {
            let (left, up) = (if ix < 3 { 0 } else { now[ix - 3] }, above[ix]);
            let corner = if ix < 3 { 0 } else { above[ix - 3] };
            let guess = match row[0] {
                0 => 0,
                1 => left,
                2 => up,
                3 => u16::midpoint(u16::from(left), u16::from(up)) as u8,
                4 => paeth(left, up, corner),
                other => panic!("no filter {other}"),
            };
            now.push(byte.wrapping_add(guess));
        }
        pixels.extend_from_slice(&now);
        above = now;
    }
    pixels
}

fn paeth(left: u8, up: u8, corner: u8) -> u8 {
    let guess = i32::from(left) + i32::from(up) - i32::from(corner);
    let distance = |value: u8| (guess - i32::from(value)).abs();
    [left, up, corner].into_iter().min_by_key(|value| distance(*value)).expect("three")
}
