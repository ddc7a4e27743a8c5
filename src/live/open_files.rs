//! How many files and sockets this process may have open.
//!
//! Many systems start a process with 1,024 although they would grant it more, for the sake of programs
//! that use `select`. A role with thousands of connections asks for what it may have.

use super::RoleError;

/// Files that a role has open beside its connections: stores, records, timers, the runtime's own.
const BESIDE_CONNECTIONS: u64 = 64;

/// Raises the limit as far as this process may, and tells what it is then; `None` where the platform has
/// no such limit.
#[cfg(unix)]
pub(super) fn raise_limit() -> Option<u64> {
    use nix::sys::resource::{Resource, getrlimit, setrlimit};
    let (soft, hard) = getrlimit(Resource::RLIMIT_NOFILE).ok()?;
    // A system may refuse what it has promised (macOS has a second limit): then the old one stays.
    let raised = soft < hard && setrlimit(Resource::RLIMIT_NOFILE, hard, hard).is_ok();
    Some(if raised { hard } else { soft })
}

/// Raises the limit as far as this process may; here there is none.
#[cfg(not(unix))]
pub(super) fn raise_limit() -> Option<u64> {
    None
}

/// Whether so many connections can be open at the same time.
pub(super) fn require_connections(connections: u32) -> Result<(), RoleError> {
    let wanted = u64::from(connections) + BESIDE_CONNECTIONS;
    match raise_limit() {
        Some(limit) if limit < wanted => Err(RoleError::Assignment(format!(
            "{connections} clients with a connection each need {wanted} open files, and the limit is {limit}; raise it \
             with ulimit -n, or write fewer clients"
        ))),
        _ => Ok(()),
    }
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn the_limit_is_what_the_system_grants_and_more_than_that_is_refused() {
        let limit = raise_limit().unwrap();
        assert_eq!(raise_limit(), Some(limit), "there is nothing left to raise");
        require_connections(1).unwrap();
        if let Ok(beyond) = u32::try_from(limit) {
            let told = require_connections(beyond).unwrap_err().to_string();
            assert!(told.contains(&format!("the limit is {limit}")), "{told}");
        }
    }
}
