//! The run's clock: one monotonic t0 for all processes of a run.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::model::{Time, WallClock};

/// Where t0 lies, as the orchestrator tells every role.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Epoch {
    /// The machine's monotonic clock at t0, in nanoseconds.
    pub monotonic_ns: u64,
    /// The wall clock at t0.
    pub wall: WallClock,
}

impl Epoch {
    /// A t0 that lies `ahead` in the future.
    #[must_use]
    pub fn ahead(ahead: Duration) -> Epoch {
        let ahead_ns = ahead.as_nanos() as u64;
        Epoch { monotonic_ns: monotonic_ns() + ahead_ns, wall: WallClock { t0_unix_ns: unix_ns() + ahead_ns } }
    }
}

/// The wall clock, in Unix milliseconds: of what has no run.
#[must_use]
pub fn now_unix_ms() -> u64 {
    unix_ns() / 1_000_000
}

/// Tells the time of a run. Before t0 it says zero.
#[derive(Debug, Clone, Copy)]
pub struct Clock {
    epoch: Epoch,
}

impl Clock {
    /// The clock of a run.
    #[must_use]
    pub fn new(epoch: Epoch) -> Clock {
        Clock { epoch }
    }

    /// Now.
    #[must_use]
    pub fn now(&self) -> Time {
        Time(monotonic_ns().saturating_sub(self.epoch.monotonic_ns))
    }

    /// Where t0 lies on the wall clock.
    #[must_use]
    pub fn wall(&self) -> WallClock {
        self.epoch.wall
    }

    /// Unix seconds now, by the run's clock: what a fresh signature carries.
    #[must_use]
    pub fn unix_secs(&self) -> u64 {
        self.epoch.wall.unix_secs(self.now())
    }

    /// Waits until `at`. The timer's grain is 1 ms; it never wakes early.
    #[allow(clippy::disallowed_methods, reason = "the live driver is where clocks and sleeps live")]
    pub async fn sleep_until(&self, at: Time) {
        let now = Time(monotonic_ns());
        let target = self.epoch.monotonic_ns.saturating_add(at.0);
        let wait = Duration::from_nanos(target.saturating_sub(now.0));
        if !wait.is_zero() {
            tokio::time::sleep(wait).await;
        }
    }
}

/// The machine-wide monotonic clock, the same in every process.
#[cfg(unix)]
fn monotonic_ns() -> u64 {
    use nix::time::{ClockId, clock_gettime};
    // CLOCK_MONOTONIC exists on every Unix; a failure would mean a broken libc.
    let now = clock_gettime(ClockId::CLOCK_MONOTONIC).expect("CLOCK_MONOTONIC");
    now.tv_sec() as u64 * 1_000_000_000 + now.tv_nsec() as u64
}

/// Without a shared monotonic clock the wall clock has to do: a step of it during a run shows as lag.
#[cfg(not(unix))]
fn monotonic_ns() -> u64 {
    unix_ns()
}

#[allow(clippy::disallowed_methods, reason = "the live driver is where clocks and sleeps live")]
fn unix_ns() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_nanos() as u64
}
