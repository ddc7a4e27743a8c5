//! Writing records: length-prefixed postcard frames, appended.
//!
//! Format: the magic line, then for each record a little-endian `u32` length and that many bytes of
//! postcard. A frame that a kill cut short is the last one and is left out when reading.

use std::{
    fs::File,
    io::{self, Write},
    path::Path,
    sync::Mutex,
};

use super::Record;

/// First bytes of a record file. The number is the format's version.
pub(super) const MAGIC: &[u8] = b"pushpull records 1\n";

/// Where a role puts its records.
pub trait RecordSink: Send + Sync {
    /// Appends a record; it may stay in a buffer until [`RecordSink::flush`].
    fn put(&self, record: Record);

    /// Appends several, in their order, and leaves the list empty.
    fn put_all(&self, records: &mut Vec<Record>) {
        records.drain(..).for_each(|record| self.put(record));
    }

    /// Hands everything to the operating system, so that it survives a `kill -9` of this process
    /// (not a power cut). A receiver calls it before an ack leaves.
    fn flush(&self);
}

/// A record file of one process.
#[derive(Debug)]
pub struct RecordLog {
    inner: Mutex<Inner>,
}

#[derive(Debug)]
struct Inner {
    file: File,
    buffer: Vec<u8>,
    failure: Option<io::Error>,
}

impl RecordLog {
    const FLUSH_BYTES: usize = 64 * 1024;

    /// Starts a new file; refuses to overwrite one.
    pub fn create(path: &Path) -> io::Result<RecordLog> {
        let mut file = File::create_new(path)?;
        file.write_all(MAGIC)?;
        Ok(RecordLog { inner: Mutex::new(Inner { file, buffer: Vec::new(), failure: None }) })
    }

    /// Flushes, and tells the first failure of any write so far: nothing is lost silently.
    pub fn finish(&self) -> io::Result<()> {
        let mut inner = self.inner.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        inner.flush();
        match inner.failure.take() {
            Some(failure) => Err(failure),
            None => Ok(()),
        }
    }
}

impl Inner {
    fn flush(&mut self) {
        if let Err(error) = self.file.write_all(&self.buffer) {
            self.failure.get_or_insert(error);
        }
        self.buffer.clear();
    }
}

impl RecordSink for RecordLog {
    fn put(&self, record: Record) {
        // Encoded before the lock is taken: every task of a process writes here.
        let mut frame = [0; FRAME_BYTES_MAX];
        let frame = encode_frame(&mut frame, &record);
        let mut inner = self.inner.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        inner.buffer.extend_from_slice(frame);
        if inner.buffer.len() >= Self::FLUSH_BYTES {
            inner.flush();
        }
    }

    fn put_all(&self, records: &mut Vec<Record>) {
        let mut frame = [0; FRAME_BYTES_MAX];
        let mut inner = self.inner.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        for record in records.drain(..) {
            inner.buffer.extend_from_slice(encode_frame(&mut frame, &record));
        }
        if inner.buffer.len() >= Self::FLUSH_BYTES {
            inner.flush();
        }
    }

    fn flush(&self) {
        self.inner.lock().unwrap_or_else(|poisoned| poisoned.into_inner()).flush();
    }
}

/// The longest frame. Records hold numbers and small enums only, and stay far below it.
const FRAME_BYTES_MAX: usize = 256;
/// Bytes of a frame that tell how long its record is.
pub(super) const LENGTH_BYTES: usize = 4;

/// Writes one frame to the front of `buffer` and returns it.
fn encode_frame<'a>(buffer: &'a mut [u8; FRAME_BYTES_MAX], record: &Record) -> &'a [u8] {
    let (length, body) = buffer.split_at_mut(LENGTH_BYTES);
    let body_bytes = postcard::to_slice(record, body).expect("a record is shorter than a frame").len();
    length.copy_from_slice(&(body_bytes as u32).to_le_bytes());
    &buffer[..LENGTH_BYTES + body_bytes]
}
