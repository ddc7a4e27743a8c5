//! A record file that a thread of its own encodes and writes, so that whoever makes the records need not wait
//! for it. For a run that nobody kills: what is on its way dies with the process.

use std::{
    io,
    path::Path,
    sync::{
        Mutex, PoisonError,
        mpsc::{Receiver, Sender, SyncSender, channel, sync_channel},
    },
    thread::{self, JoinHandle},
};

use super::{Record, RecordLog, RecordSink};

/// Batches on their way at most: who makes records faster than they are written waits.
const BATCHES_MAX: usize = 16;

/// A record file with a thread that writes it.
#[derive(Debug)]
pub struct WriteBehind {
    full: SyncSender<Vec<Record>>,
    /// Batches that are written, to be used again.
    empty: Mutex<Receiver<Vec<Record>>>,
    writer: JoinHandle<io::Result<()>>,
}

impl WriteBehind {
    /// Starts a new file and its thread; refuses to overwrite a file.
    pub fn create(path: &Path) -> io::Result<WriteBehind> {
        let log = RecordLog::create(path)?;
        let ((full, to_write), (written, empty)) = (sync_channel(BATCHES_MAX), channel());
        let writer =
            thread::Builder::new().name("records".to_owned()).spawn(move || write(&log, &to_write, &written))?;
        Ok(WriteBehind { full, empty: Mutex::new(empty), writer })
    }

    /// Waits until everything is written, and tells the first failure of any write: nothing is lost silently.
    pub fn finish(self) -> io::Result<()> {
        drop(self.full);
        self.writer.join().unwrap_or_else(|_| Err(io::Error::other("the thread that writes records has died")))
    }
}

impl RecordSink for WriteBehind {
    fn put(&self, record: Record) {
        self.put_all(&mut vec![record]);
    }

    fn put_all(&self, records: &mut Vec<Record>) {
        let next = self.empty.lock().unwrap_or_else(PoisonError::into_inner).try_recv().unwrap_or_default();
        // The thread goes on until this end is dropped. Were it gone all the same, `finish` would say so.
        drop(self.full.send(std::mem::replace(records, next)));
    }

    fn flush(&self) {}
}

fn write(log: &RecordLog, to_write: &Receiver<Vec<Record>>, written: &Sender<Vec<Record>>) -> io::Result<()> {
    for mut batch in to_write {
        log.put_all(&mut batch);
        // Nobody may want it any more.
        drop(written.send(batch));
    }
    log.finish()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{model::Time, record::read_dir};

    #[test]
    fn everything_that_was_put_is_in_the_file_in_its_order() {
        let dir = tempfile::tempdir().unwrap();
        let log = WriteBehind::create(&dir.path().join("run.records")).unwrap();
        let record = |at| Record::End { at: Time(at), interrupted: false };
        let mut batch: Vec<Record> = (0..1_000).map(record).collect();
        log.put_all(&mut batch);
        assert!(batch.is_empty());
        log.put(record(1_000));
        (1_001..2_000).for_each(|at| log.put_all(&mut vec![record(at)]));
        log.finish().unwrap();
        let mut read = Vec::new();
        read_dir(dir.path(), &mut |record| read.push(record)).unwrap();
        assert!(read == (0..2_000).map(record).collect::<Vec<_>>());
    }

    #[test]
    fn a_file_that_is_there_is_not_written_over() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("run.records");
        std::fs::write(&path, "").unwrap();
        assert_eq!(WriteBehind::create(&path).unwrap_err().kind(), io::ErrorKind::AlreadyExists);
    }
}
