//! Carries out a scenario in virtual time and judges it, all in memory.

use crate::{
    measure::{RunResult, judge},
    record::{MemoryLog, ReadError, read_memory},
    scenario::Plan,
    virtual_time,
};

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
    let memory = MemoryLog::default();
    virtual_time::run(plan, &memory);
    let records = memory.into_records();
    judge(plan, &|each| read_memory(&records, each))
}
