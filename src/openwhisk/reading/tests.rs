//! Files of every kind. Must never look at what lines mean.

use std::fs;
use std::io::Write as _;

use super::*;

/// What was told, as `SOURCE MESSAGE`, and ends as `SOURCE end`.
#[derive(Default)]
struct Heard(Vec<String>);

impl Take for Heard {
    fn line(&mut self, source: usize, line: &LogLine<'_>) {
        self.0.push(format!("{source} {}", line.message));
    }

    fn end(&mut self, source: usize) {
        self.0.push(format!("{source} end"));
    }
}

fn line(ms: u32, message: &str) -> String {
    format!("[2022-04-15T06:04:39.{ms:03}Z] [INFO] [#tid_a] [X] {message}\n")
}

fn read(contents: &[&[u8]]) -> Result<(LineFigures, Vec<String>), TraceError> {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let paths: Vec<PathBuf> = (0..contents.len()).map(|ix| folder.path().join(format!("{ix}.log"))).collect();
    for (path, content) in paths.iter().zip(contents) {
        fs::write(path, content).expect("writable");
    }
    let mut heard = Heard::default();
    read_lines(&paths, &(), &mut heard).map(|figures| (figures, heard.0))
}

fn fine(contents: &[&[u8]]) -> (LineFigures, Vec<String>) {
    read(contents).unwrap_or_else(|error| panic!("{error}"))
}

#[test]
fn files_are_merged_by_time() {
    let a = line(1, "a1") + &line(5, "a5") + &line(5, "a5b") + &line(9, "a9");
    let b = line(5, "b5") + &line(6, "b6");
    let c = line(20, "c20");
    let (figures, heard) = fine(&[c.as_bytes(), a.as_bytes(), b"", b.as_bytes()]);
    assert_eq!(heard, ["1 a1", "1 a5", "1 a5b", "3 b5", "3 b6", "3 end", "1 a9", "1 end", "0 c20", "0 end"]);
    assert_eq!((figures.lines, figures.openwhisk, figures.foreign()), (7, 7, 0));
    assert_eq!(figures.span.map(|(from, to)| to - from), Some(19));
    assert_eq!(figures.files.iter().map(|file| file.lines).collect::<Vec<_>>(), [1, 4, 0, 2]);
}

#[test]
fn what_is_not_openwhisks_is_counted_by_kind() {
    let mut log = line(1, "one").into_bytes();
    log.extend_from_slice(b"\tat java.lang.Thread.run\r\n\r\n");
    log.extend_from_slice(b"[2022-04-15T06:04:39.003Z] [WARN] of a library\n");
    log.extend_from_slice(b"[2022-04-15T06:04:39.003Z] [INFO] [#tid_a] [X] \xff\xfe\n");
    log.extend_from_slice(line(2, "two").trim_end().as_bytes());
    log.extend_from_slice(b"\r\n");
    let (figures, heard) = fine(&[&log]);
    assert_eq!(heard, ["0 one", "0 two", "0 end"]);
    assert_eq!(
        (figures.lines, figures.openwhisk, figures.library, figures.other, figures.not_text),
        (6, 2, 1, 2, 1)
    );
}

#[test]
fn last_lines_may_be_cut_off() {
    let whole = line(1, "one") + line(2, "two [marker:a_b_start:1]").trim_end();
    let (figures, heard) = fine(&[whole.as_bytes()]);
    assert_eq!((figures.openwhisk, figures.truncated, heard.len()), (2, 0, 3), "it ends with its marker");
    for cut in [10, 30, 45] {
        let cut = &whole[..whole.len() - cut];
        let (figures, heard) = fine(&[cut.as_bytes()]);
        assert_eq!(heard, ["0 one", "0 end"], "{cut}");
        assert_eq!((figures.lines, figures.truncated + figures.other), (2, 1), "{cut}");
    }
}

#[test]
fn a_clock_that_goes_back_keeps_the_order_of_its_file() {
    let a = line(500, "first") + &line(100, "second") + &line(600, "third");
    let b = line(300, "other");
    let (figures, heard) = fine(&[a.as_bytes(), b.as_bytes()]);
    assert_eq!(heard, ["1 other", "1 end", "0 first", "0 second", "0 third", "0 end"]);
    assert_eq!((figures.backwards, figures.most_backwards_ms), (1, 400));
}

#[test]
fn packed_files_are_unpacked_and_may_end_too_early() {
    let text: String = (0..900).map(|nth| line(nth, &format!("line {nth} {}", nth * 7919 % 1009))).collect();
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    gzip.write_all(text.as_bytes()).expect("memory does not fail");
    let gzip = gzip.finish().expect("memory does not fail");
    let zstd = zstd::encode_all(text.as_bytes(), 3).expect("memory does not fail");
    let (figures, _) = fine(&[&gzip, &zstd]);
    assert_eq!((figures.openwhisk, figures.foreign()), (1_800, 0));

    let (figures, _) = fine(&[&gzip[..gzip.len() / 2]]);
    assert!(figures.files[0].is_cut_short && (100..900).contains(&figures.openwhisk), "{figures:?}");
    let mut damaged = gzip.clone();
    let checksum = gzip.len() - 8;
    damaged[checksum] ^= 1;
    let error = read(&[&damaged]).expect_err("damaged").to_string();
    assert!(error.contains("the gzip data is corrupt") && error.contains("`gzip -t`"), "{error}");
}

#[test]
fn other_kinds_of_files_are_refused_or_hold_no_line() {
    let error = read(&[b"PK\x03\x04zip"]).expect_err("a zip archive").to_string();
    assert!(error.contains("is a zip archive; plain text is needed here"), "{error}");
    let noise: Vec<u8> = (0..100_000_u32).map(|nth| (nth.wrapping_mul(2_654_435_761) >> 13) as u8).collect();
    let (figures, heard) = fine(&[&noise]);
    assert_eq!((figures.openwhisk, heard), (0, vec!["0 end".to_owned()]));
    assert_eq!(figures.lines, figures.foreign() + figures.truncated);
}

#[test]
fn endless_lines_are_skipped() {
    let mut log = line(1, "one").into_bytes();
    log.resize(log.len() + LONGEST_LINE + 12_345, b'x');
    log.push(b'\n');
    log.extend_from_slice(line(2, "two").as_bytes());
    log.resize(log.len() + LONGEST_LINE + 1, b'y');
    let (figures, heard) = fine(&[&log]);
    assert_eq!(heard, ["0 one", "0 two", "0 end"]);
    assert_eq!((figures.too_long, figures.lines), (2, 4));
}

#[test]
fn a_file_given_twice_is_refused() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("a.log");
    fs::write(&path, line(1, "one")).expect("writable");
    let again = folder.path().join(".").join("a.log");
    let error = read_lines(&[path, again], &(), &mut Heard::default()).expect_err("twice").to_string();
    assert!(error.contains("is given twice"), "{error}");
    let folder = folder.path().to_owned();
    let error = read_lines(&[folder], &(), &mut Heard::default()).expect_err("a folder").to_string();
    assert!(error.contains("is a folder\n  help: name the log files in it"), "{error}");
}

#[test]
fn logs_are_recognised() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let log = b"some banner\n[2022-04-15T06:04:39.086Z] [INFO] [#tid_sid_unknown] [X] text\n";
    assert!(looks_like_openwhisk(log));
    for other in
        [&b""[..], b"time_ms,function\n1,a\n", b"[2022-04-15T06:04:39.086Z] [INFO] text\n", b"{\"a\": 1}\n"]
    {
        assert!(!looks_like_openwhisk(other));
        let path = folder.path().join("other");
        fs::write(&path, other).expect("writable");
        assert_eq!(is_openwhisk_log(&path), Ok(false));
    }
    let packed = folder.path().join("log.zst");
    fs::write(&packed, zstd::encode_all(&log[..], 3).expect("memory does not fail")).expect("writable");
    assert_eq!(is_openwhisk_log(&packed), Ok(true));
    assert!(is_openwhisk_log(&folder.path().join("missing")).is_err());
}
