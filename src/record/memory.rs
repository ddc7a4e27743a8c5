//! Records in memory, for runs that nobody keeps: a virtual run among many, a test.

use std::sync::{Mutex, PoisonError};

use super::{ReadError, ReadStats, Record, RecordSink};

/// The records of one run, in the order in which they were put.
#[derive(Debug, Default)]
pub struct MemoryLog(Mutex<Vec<Record>>);

impl MemoryLog {
    /// Everything that was put.
    #[must_use]
    pub fn into_records(self) -> Vec<Record> {
        self.0.into_inner().unwrap_or_else(PoisonError::into_inner)
    }
}

impl RecordSink for MemoryLog {
    fn put(&self, record: Record) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(record);
    }

    fn put_all(&self, records: &mut Vec<Record>) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).append(records);
    }

    fn flush(&self) {}
}

/// Reads records back as a folder of record files would be read.
pub fn read_memory(records: &[Record], each: &mut dyn FnMut(Record)) -> Result<ReadStats, ReadError> {
    records.iter().for_each(|record| each(record.clone()));
    Ok(ReadStats { records: records.len() as u64, torn: 0 })
}
