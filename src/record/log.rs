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
        let mut inner = self.inner.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        append_frame(&mut inner.buffer, &record);
        if inner.buffer.len() >= Self::FLUSH_BYTES {
            inner.flush();
        }
    }

    fn flush(&self) {
        self.inner.lock().unwrap_or_else(|poisoned| poisoned.into_inner()).flush();
    }
}

/// Appends one frame to `buffer`.
pub(super) fn append_frame(buffer: &mut Vec<u8>, record: &Record) {
    let start = buffer.len();
    buffer.extend_from_slice(&[0; 4]);
    // Records hold numbers and small enums only; into a Vec this cannot fail.
    let encoded = postcard::to_extend(record, std::mem::take(buffer)).expect("a record encodes into memory");
    *buffer = encoded;
    let length = (buffer.len() - start - 4) as u32;
    buffer[start..start + 4].copy_from_slice(&length.to_le_bytes());
}
