//! CPU time and peak memory of processes, where the platform tells.

/// CPU time (user and system) in nanoseconds and peak resident bytes of this process.
#[cfg(unix)]
#[must_use]
pub fn of_this_process() -> (Option<u64>, Option<u64>) {
    use nix::sys::{
        resource::{UsageWho, getrusage},
        time::TimeVal,
    };
    let Ok(usage) = getrusage(UsageWho::RUSAGE_SELF) else { return (None, None) };
    let ns = |t: TimeVal| t.tv_sec() as u64 * 1_000_000_000 + t.tv_usec() as u64 * 1_000;
    // Linux counts kilobytes, macOS bytes.
    let unit = if cfg!(target_os = "macos") { 1 } else { 1024 };
    let peak = u64::try_from(usage.max_rss()).ok().map(|rss| rss * unit);
    (Some(ns(usage.user_time()) + ns(usage.system_time())), peak)
}

/// CPU time (user and system) in nanoseconds and peak resident bytes of this process.
#[cfg(not(unix))]
#[must_use]
pub fn of_this_process() -> (Option<u64>, Option<u64>) {
    (None, None)
}

/// The same of another process that still lives: for what a kill will take with it. The grain of
/// its CPU time is 10 ms.
#[cfg(target_os = "linux")]
#[must_use]
pub fn of_process(pid: u32) -> Option<(u64, Option<u64>)> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The command's name may hold spaces; fields are counted from behind its closing bracket.
    let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
    let ticks: u64 = fields.get(11)?.parse::<u64>().ok()? + fields.get(12)?.parse::<u64>().ok()?;
    // USER_HZ is 100 on every Linux that user space can see.
    let cpu_ns = ticks * 10_000_000;
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let peak = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))
        .and_then(|rest| rest.trim().strip_suffix(" kB"))
        .and_then(|kb| kb.trim().parse::<u64>().ok())
        .map(|kb| kb * 1024);
    Some((cpu_ns, peak))
}

/// The same of another process: not observed on this platform.
#[cfg(not(target_os = "linux"))]
#[must_use]
pub fn of_process(_pid: u32) -> Option<(u64, Option<u64>)> {
    None
}
