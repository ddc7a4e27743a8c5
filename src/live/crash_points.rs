//! Named instants at which a consumer's process kills itself, when a crash fault says so.
//!
//! Chance would rarely hit the microseconds between two writes; a named point always does.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use super::{control::Report, role::Reporter};
use crate::{
    fault::{CrashPoint, FaultKind},
    record::{RecordLog, RecordSink},
    scenario::{ConsumerNo, Plan},
};

/// The armed crash point of one process, if any. Cheap to clone.
#[derive(Clone)]
pub struct CrashPoints {
    armed: Option<Arc<Armed>>,
}

struct Armed {
    point: CrashPoint,
    pass: u64,
    passed: AtomicU64,
    records: Arc<RecordLog>,
    reporter: Reporter,
}

impl CrashPoints {
    /// No point is armed.
    #[must_use]
    pub fn none() -> CrashPoints {
        CrashPoints { armed: None }
    }

    /// Arms the consumer's crash point while it has crashes left.
    #[must_use]
    pub fn new(
        plan: &Plan,
        consumer: ConsumerNo,
        crashes_left: u32,
        records: Arc<RecordLog>,
        reporter: Reporter,
    ) -> CrashPoints {
        let fault = plan.faults.iter().filter(|fault| fault.consumers.contains(&consumer));
        let armed = fault
            .filter_map(|fault| match &fault.kind {
                FaultKind::Crash(crash) => crash.point.map(|point| (point, crash.pass)),
                _ => None,
            })
            .next()
            .filter(|_| crashes_left > 0)
            .map(|(point, pass)| Arc::new(Armed { point, pass, passed: AtomicU64::new(0), records, reporter }));
        CrashPoints { armed }
    }

    /// Says that the code has come to `point`. Does not return when this is the pass to die at.
    pub fn reach(&self, point: CrashPoint) {
        if let Some(armed) = self.armed.as_ref().filter(|armed| armed.point == point) {
            let passed = armed.passed.fetch_add(1, Ordering::SeqCst) + 1;
            if passed == armed.pass {
                armed.die();
            }
        }
    }
}

impl Armed {
    /// The report and the records tell the story; then the process is gone as by `kill -9`.
    fn die(&self) -> ! {
        self.records.flush();
        self.reporter.send(&Report::Crashing { point: self.point });
        kill_myself()
    }
}

#[cfg(unix)]
fn kill_myself() -> ! {
    use nix::sys::signal::{Signal, kill};
    let _ = kill(nix::unistd::Pid::this(), Signal::SIGKILL);
    std::process::abort()
}

#[cfg(not(unix))]
fn kill_myself() -> ! {
    std::process::abort()
}
