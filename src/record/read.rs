//! Reading records back, one at a time.

use std::{
    fs::File,
    io::{self, BufRead, BufReader, Read},
    path::{Path, PathBuf},
};

use super::{
    Record,
    log::{LENGTH_BYTES, MAGIC},
};

/// The longest frame that is believed; a record is far below it.
const FRAME_MAX: usize = 64 * 1024;

/// Bytes read at once: a run may leave a gigabyte.
const READ_AHEAD: usize = 256 << 10;

/// What reading a file or folder came upon.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ReadStats {
    /// Records read.
    pub records: u64,
    /// Files whose last frame was cut short, as a kill does.
    pub torn: u32,
}

/// Why records could not be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The file or folder cannot be read.
    #[error("cannot read {path}: {problem}")]
    Io {
        /// Which.
        path: PathBuf,
        /// Why.
        problem: io::Error,
    },
    /// Not a record file, or one of another version.
    #[error("{path} is no record file of this version (it does not start with \"pushpull records 1\")")]
    Magic {
        /// Which.
        path: PathBuf,
    },
    /// A frame in the middle that is no record.
    #[error("{path}: record {number} is damaged; the run cannot be judged from it")]
    Damaged {
        /// Which.
        path: PathBuf,
        /// The record's number in the file, from 1.
        number: u64,
    },
    /// The folder holds no record file.
    #[error("{path} holds no records (*.records); is it the folder that a run wrote?")]
    Empty {
        /// Which.
        path: PathBuf,
    },
}

/// Calls `each` for every record of every `*.records` file in `dir`, files in name order.
pub fn read_dir(dir: &Path, mut each: impl FnMut(Record)) -> Result<ReadStats, ReadError> {
    let io_error = |problem| ReadError::Io { path: dir.to_owned(), problem };
    let mut paths = Vec::new();
    for entry in std::fs::read_dir(dir).map_err(io_error)? {
        let path = entry.map_err(io_error)?.path();
        if path.extension().is_some_and(|extension| extension == "records") {
            paths.push(path);
        }
    }
    if paths.is_empty() {
        return Err(ReadError::Empty { path: dir.to_owned() });
    }
    paths.sort();
    let mut stats = ReadStats::default();
    for path in paths {
        let one = read_file(&path, &mut each)?;
        stats.records += one.records;
        stats.torn += one.torn;
    }
    Ok(stats)
}

/// Calls `each` for every record of one file, in the order written.
pub fn read_file(path: &Path, mut each: impl FnMut(Record)) -> Result<ReadStats, ReadError> {
    let io_error = |problem| ReadError::Io { path: path.to_owned(), problem };
    let mut reader = BufReader::with_capacity(READ_AHEAD, File::open(path).map_err(io_error)?);
    let mut magic = [0; MAGIC.len()];
    if reader.read_exact(&mut magic).is_err() || magic != *MAGIC {
        return Err(ReadError::Magic { path: path.to_owned() });
    }
    let mut stats = ReadStats::default();
    let mut torn = Vec::new();
    loop {
        // A frame that lies in the buffer as a whole is read where it lies; others are put together.
        let buffer = reader.buffer();
        let whole = frame_in(buffer);
        let length = whole.map(|frame| LENGTH_BYTES + frame.len());
        if whole.is_none() {
            match read_frame(&mut reader, &mut torn).map_err(io_error)? {
                Frame::Whole => {}
                Frame::End => return Ok(stats),
                Frame::Torn => {
                    stats.torn += 1;
                    return Ok(stats);
                }
            }
        }
        stats.records += 1;
        let frame = length.map_or(torn.as_slice(), |length| &reader.buffer()[LENGTH_BYTES..length]);
        let damaged = || ReadError::Damaged { path: path.to_owned(), number: stats.records };
        each(postcard::from_bytes(frame).map_err(|_| damaged())?);
        reader.consume(length.unwrap_or(0));
    }
}

/// The frame at the front of these bytes, if all of it is there.
fn frame_in(bytes: &[u8]) -> Option<&[u8]> {
    let (length, rest) = bytes.split_first_chunk::<LENGTH_BYTES>()?;
    let length = u32::from_le_bytes(*length) as usize;
    if length > FRAME_MAX { None } else { rest.get(..length) }
}

enum Frame {
    Whole,
    Torn,
    End,
}

fn read_frame(reader: &mut impl Read, frame: &mut Vec<u8>) -> io::Result<Frame> {
    let mut length = [0; 4];
    match fill(reader, &mut length)? {
        0 => return Ok(Frame::End),
        4 => {}
        _ => return Ok(Frame::Torn),
    }
    let length = u32::from_le_bytes(length) as usize;
    if length > FRAME_MAX {
        // Left to the decoder to refuse: an empty frame is no record.
        frame.clear();
        return Ok(Frame::Whole);
    }
    frame.resize(length, 0);
    Ok(if fill(reader, frame)? == length { Frame::Whole } else { Frame::Torn })
}

/// Reads until `buffer` is full or the file ends; returns how much.
fn fill(reader: &mut impl Read, buffer: &mut [u8]) -> io::Result<usize> {
    let mut filled = 0;
    while filled < buffer.len() {
        match reader.read(&mut buffer[filled..]) {
            Ok(0) => break,
            Ok(n) => filled += n,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        model::Time,
        record::{RecordLog, RecordSink},
    };

    fn written(records: u64) -> (tempfile::TempDir, PathBuf) {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.records");
        let log = RecordLog::create(&path).unwrap();
        for at in 0..records {
            log.put(Record::End { at: Time(at * 1_000_000_007), interrupted: false });
        }
        log.finish().unwrap();
        (dir, path)
    }

    #[test]
    fn records_come_back_in_order() {
        let (dir, _) = written(1_000);
        let mut seen = 0u64;
        let stats = read_dir(dir.path(), |record| {
            assert_eq!(record, Record::End { at: Time(seen * 1_000_000_007), interrupted: false });
            seen += 1;
        })
        .unwrap();
        assert_eq!((seen, stats), (1_000, ReadStats { records: 1_000, torn: 0 }));
    }

    #[test]
    fn a_frame_that_a_kill_cut_short_is_left_out_and_told() {
        let (_dir, path) = written(3);
        let whole = std::fs::read(&path).unwrap();
        std::fs::write(&path, &whole[..whole.len() - 2]).unwrap();
        let stats = read_file(&path, |_| {}).unwrap();
        assert_eq!(stats, ReadStats { records: 2, torn: 1 });
    }

    #[test]
    fn damage_and_strangers_are_refused_by_name() {
        let (dir, path) = written(3);
        let mut bytes = std::fs::read(&path).unwrap();
        let first_frame = MAGIC.len() + 4;
        bytes[first_frame] = 0xff;
        std::fs::write(&path, &bytes).unwrap();
        assert!(matches!(read_file(&path, |_| {}), Err(ReadError::Damaged { number: 1, .. })));
        std::fs::write(&path, b"something else").unwrap();
        assert!(matches!(read_file(&path, |_| {}), Err(ReadError::Magic { .. })));
        std::fs::remove_file(&path).unwrap();
        assert!(matches!(read_dir(dir.path(), |_| {}), Err(ReadError::Empty { .. })));
    }
}
