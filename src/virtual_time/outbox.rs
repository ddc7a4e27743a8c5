//! Records on their way to whoever keeps them, many at a time: to hand over each by itself would cost more
//! than to make it.

use std::cell::RefCell;

use crate::record::{Record, RecordSink};

/// Records handed over at once: together they fit into the processor's nearer cache.
const BATCH: usize = 1_024;

/// The records of a run, in the order in which they are put.
pub(super) struct Outbox<'a> {
    sink: &'a dyn RecordSink,
    batch: RefCell<Vec<Record>>,
}

impl Outbox<'_> {
    /// An empty one in front of a sink.
    pub fn new(sink: &dyn RecordSink) -> Outbox<'_> {
        Outbox { sink, batch: RefCell::new(Vec::with_capacity(BATCH)) }
    }

    /// Appends a record.
    #[inline]
    pub fn put(&self, record: Record) {
        let mut batch = self.batch.borrow_mut();
        batch.push(record);
        if batch.len() >= BATCH {
            self.sink.put_all(&mut batch);
        }
    }

    /// Hands over what is left.
    pub fn close(self) {
        self.sink.put_all(&mut self.batch.into_inner());
    }
}
