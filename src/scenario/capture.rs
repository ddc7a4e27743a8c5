//! `arrivals = { kind = "replay" }`: reads the captured file, every line of it, before anything is
//! started.

use std::{collections::HashMap, path::Path};

use sha2::{Digest, Sha256};

use super::error::{At, Problem};
use crate::{
    model::{Span, Subject, Time},
    wire::{CaptureKeys, Captured, read_captured},
    workload::{Replay, Row, Table},
};

/// The largest captured file; a provider holds it in memory.
const FILE_MAX: u64 = 256 << 20;
/// Events in a captured file at most.
const LINES_MAX: usize = 1_000_000;
/// The longest line: what a scenario's own payloads may be as well.
const LINE_MAX: usize = 256 << 10;

/// Reads the file at `path`, which the scenario calls `name`. `faster`: how many times faster than
/// they came its events shall come.
pub(super) fn read_capture(
    at: &At,
    name: &str,
    path: &Path,
    keys: CaptureKeys,
    faster: f64,
) -> Result<Replay, Problem> {
    let bytes = read_bounded(at, name, path)?;
    let mut reader = Reader { keys: &keys, subjects: HashMap::new(), lines: Vec::new() };
    for (number, line) in (1..).zip(Lines { bytes: &bytes, start: 0 }) {
        let refused = |problem: String, fix: String| at.problem(format!("{name}:{number}: {problem}"), fix);
        reader.take(line).map_err(|(problem, fix)| refused(problem, fix))?;
    }
    let Reader { subjects, mut lines, .. } = reader;
    let Some(first_ns) = lines.iter().map(|line| line.unix_ns).min() else {
        return Err(at.problem(format!("{name} has no event"), "write one JSON object per line"));
    };
    // Stable: what came at one instant stays in the file's order.
    lines.sort_by_key(|line| line.unix_ns);
    let mut table = Table::default();
    let mut length = Span::ZERO;
    for Line { unix_ns, subject, start, length: bytes } in lines {
        length = Span(((unix_ns - first_ns) as f64 / faster).round() as u64);
        table.push(Row { at: Time::ZERO + length, subject, start, length: bytes });
    }
    let subjects = keys.subject.is_some().then_some(subjects.len() as u32);
    let sha256 = Sha256::digest(&bytes).iter().map(|byte| format!("{byte:02x}")).collect();
    Ok(Replay { file: path.display().to_string(), sha256, keys, subjects, length, table })
}

fn read_bounded(at: &At, name: &str, path: &Path) -> Result<Vec<u8>, Problem> {
    let cannot = |error: std::io::Error| {
        at.problem(format!("cannot read {name}: {error}"), "write a path from the scenario's folder on, or a whole one")
    };
    let size = std::fs::metadata(path).map_err(cannot)?.len();
    if size > FILE_MAX {
        let problem = format!("{name} is larger than {} MiB", FILE_MAX >> 20);
        return Err(at.problem(problem, "replay a part of it"));
    }
    std::fs::read(path).map_err(cannot)
}

/// One line of the file, without its end.
struct RawLine<'a> {
    start: usize,
    bytes: &'a [u8],
}

struct Lines<'a> {
    bytes: &'a [u8],
    start: usize,
}

impl<'a> Iterator for Lines<'a> {
    type Item = RawLine<'a>;

    fn next(&mut self) -> Option<RawLine<'a>> {
        let rest = self.bytes.get(self.start..).filter(|rest| !rest.is_empty())?;
        let end = rest.iter().position(|&byte| byte == b'\n').unwrap_or(rest.len());
        let line = RawLine { start: self.start, bytes: &rest[..end] };
        self.start += end + 1;
        Some(line)
    }
}

/// What the table will know of a line.
struct Line {
    unix_ns: u64,
    subject: Subject,
    start: u32,
    length: u32,
}

/// Numbers subjects in the order of their appearance.
struct Reader<'a> {
    keys: &'a CaptureKeys,
    subjects: HashMap<String, Subject>,
    lines: Vec<Line>,
}

impl Reader<'_> {
    /// The error is a problem and its fix.
    fn take(&mut self, line: RawLine<'_>) -> Result<(), (String, String)> {
        let refused = |problem: String, fix: &str| Err((problem, fix.to_owned()));
        if line.bytes.len() > LINE_MAX {
            return refused(format!("longer than {} KiB", LINE_MAX >> 10), "leave the event out, or shorten it");
        }
        let Ok(text) = std::str::from_utf8(line.bytes) else {
            return refused("no UTF-8".to_owned(), "write the file in UTF-8");
        };
        if text.trim().is_empty() {
            return Ok(());
        }
        if self.lines.len() == LINES_MAX {
            return refused(format!("more than {LINES_MAX} events"), "replay a part of the file");
        }
        let Captured { unix_ns, subject } =
            read_captured(text, self.keys).map_err(|found| (found.problem, found.fix))?;
        let subject = match subject {
            Some(name) => {
                let next = self.subjects.len() as Subject;
                *self.subjects.entry(name.to_owned()).or_insert(next)
            }
            None => 0,
        };
        // The bound of the file keeps both far below 4 GiB.
        self.lines.push(Line { unix_ns, subject, start: line.start as u32, length: line.bytes.len() as u32 });
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn read(text: &[u8], subject: Option<&str>, faster: f64) -> Result<Replay, Problem> {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), text).unwrap();
        let keys = CaptureKeys { subject: subject.map(str::to_owned), ..CaptureKeys::default() };
        read_capture(&At::default(), "captured.jsonl", file.path(), keys, faster)
    }

    #[test]
    fn events_come_in_the_order_of_their_instants_and_point_to_their_lines() {
        let text = "{\"time\":105,\"who\":\"b\"}\n\n{\"time\":100,\"who\":\"a\"}\r\n{\"time\":100.5,\"who\":\"b\"}";
        let replay = read(text.as_bytes(), Some("who"), 10.0).unwrap();
        assert_eq!((replay.subjects, replay.length), (Some(2), Span::from_millis(500)));
        let rows: Vec<Row> = replay.table.rows().collect();
        let line = |row: &Row| text[row.start as usize..(row.start + row.length) as usize].trim().to_owned();
        assert_eq!(rows.iter().map(|row| row.at.0 / 1_000_000).collect::<Vec<_>>(), [0, 50, 500]);
        assert_eq!(rows.iter().map(|row| row.subject).collect::<Vec<_>>(), [1, 0, 0]);
        assert_eq!(line(&rows[0]), "{\"time\":100,\"who\":\"a\"}");
        assert_eq!(line(&rows[1]), "{\"time\":100.5,\"who\":\"b\"}");
    }

    #[test]
    fn a_bad_line_is_named() {
        let said = |text: &[u8]| read(text, None, 1.0).err().map(|problem| problem.problem).unwrap_or_default();
        assert!(said(b"{\"time\":1}\n{\"time\":1\n").starts_with("captured.jsonl:2: no JSON object"));
        assert_eq!(said(b"{\"time\":1}\n\xff\n"), "captured.jsonl:2: no UTF-8");
        assert_eq!(said(b"\n\n"), "captured.jsonl has no event");
        let long = format!("{{\"time\":1,\"x\":\"{}\"}}", "x".repeat(LINE_MAX));
        assert_eq!(said(long.as_bytes()), "captured.jsonl:1: longer than 256 KiB");
    }

    proptest! {
        #[test]
        fn no_file_makes_the_reader_panic(bytes in proptest::collection::vec(any::<u8>(), 0..80)) {
            let _ = read(&bytes, Some("a"), 2.0);
        }
    }
}
