//! Load goes to this machine only: which URLs and host names mean it.

/// The hosts of URLs that mean this machine.
const HOSTS: [&str; 3] = ["127.0.0.1", "localhost", "[::1]"];

/// Why a URL is not sent to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotHere {
    /// Another scheme.
    #[error("is not plain HTTP")]
    Scheme,
    /// Another host.
    #[error("is not on this machine")]
    Host,
}

impl NotHere {
    /// What to write instead.
    pub const FIX: &'static str = "write http://127.0.0.1:PORT/PATH (localhost and [::1] do as well)";
}

/// Refuses every URL that does not plainly mean this machine: a slip of the keyboard must not reach anybody
/// else.
pub fn require_loopback(url: &str) -> Result<(), NotHere> {
    let rest = url.strip_prefix("http://").ok_or(NotHere::Scheme)?;
    let authority = rest.split('/').next().unwrap_or_default();
    if names_this_machine(authority, |port| port.is_none_or(|port| port.parse::<u16>().is_ok())) {
        Ok(())
    } else {
        Err(NotHere::Host)
    }
}

/// Whether `HOST` or `HOST:PORT` names this machine, at a port that will do.
pub(super) fn names_this_machine(authority: &str, port_will_do: impl Fn(Option<&str>) -> bool) -> bool {
    HOSTS.iter().any(|host| {
        let (Some(start), Some(rest)) = (authority.get(..host.len()), authority.get(host.len()..)) else {
            return false;
        };
        let port_fits = match rest.strip_prefix(':') {
            Some(port) => port_will_do(Some(port)),
            None => rest.is_empty() && port_will_do(None),
        };
        start.eq_ignore_ascii_case(host) && port_fits
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_plainly_means_this_machine_will_do() {
        for url in [
            "http://127.0.0.1:8080/hook",
            "http://localhost",
            "http://[::1]:81/a?b=http://example.com",
            "http://LOCALHOST:1/",
        ] {
            assert_eq!(require_loopback(url), Ok(()), "{url}");
        }
        for url in [
            "http://example.com/",
            "http://localhost.example.com/",
            "http://127.0.0.1.example.com/",
            "http://127.0.0.1:80@example.com/",
            "http://127.0.0.1@example.com/",
            "http://user@127.0.0.1/",
            "http://127.0.0.1:99999/",
            "http://127.0.0.1:/",
            "http://127.0.0.2/",
            "http://2130706433/",
            "http://::1/",
            "http:///hook",
            "http://127.0.0.1\\@example.com/",
            "http://é",
        ] {
            assert_eq!(require_loopback(url), Err(NotHere::Host), "{url}");
        }
        assert_eq!(require_loopback("https://127.0.0.1/"), Err(NotHere::Scheme));
    }
}
