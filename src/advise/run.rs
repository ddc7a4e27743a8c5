//! Carries out a scenario in virtual time and judges it, all in memory.

use std::sync::{Mutex, PoisonError};

use crate::{
    measure::{RunResult, judge},
    record::{ReadError, ReadStats, Record, RecordSink},
    scenario::Plan,
    virtual_time,
};

/// Records in memory.
#[derive(Default)]
struct Memory(Mutex<Vec<Record>>);

impl RecordSink for Memory {
    fn put(&self, record: Record) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(record);
    }

    fn flush(&self) {}
}

/// The results of these plans, in their order; each is run by a thread of its own.
pub(super) fn run(plans: &[Plan]) -> Result<Vec<RunResult>, ReadError> {
    std::thread::scope(|scope| {
        let threads: Vec<_> = plans.iter().map(|plan| scope.spawn(|| one(plan))).collect();
        threads
            .into_iter()
            .map(|thread| thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
            .collect()
    })
}

fn one(plan: &Plan) -> Result<RunResult, ReadError> {
    let memory = Memory::default();
    virtual_time::run(plan, &memory);
    let records = memory.0.into_inner().unwrap_or_else(PoisonError::into_inner);
    judge(plan, &|each| {
        records.iter().for_each(|record| each(record.clone()));
        Ok(ReadStats { records: records.len() as u64, torn: 0 })
    })
}
