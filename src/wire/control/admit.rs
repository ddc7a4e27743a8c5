//! Who may ask at all: programs of this machine, and pages that the control API itself has served.
//!
//! A page from elsewhere that runs in a browser on this machine can send requests here. It cannot help
//! telling where it is from (`Origin`, `Sec-Fetch-Site`), and one that has bent its own name to this machine's
//! address (DNS rebinding) still says that name in `Host`.

use super::{Refusal, route::Route};
use crate::wire::loopback::names_this_machine;

/// What a request's head says, as far as it matters here. A header that came more than once is there more
/// than once; a value that is no text is an empty one.
#[derive(Debug, Clone, Copy, Default)]
pub struct Head<'a> {
    /// The authority of the request's target, where it has one.
    pub target: Option<&'a str>,
    /// `Host`.
    pub host: &'a [&'a str],
    /// `Origin`.
    pub origin: &'a [&'a str],
    /// `Sec-Fetch-Site`.
    pub fetch_site: &'a [&'a str],
    /// `Content-Type`.
    pub content_type: &'a [&'a str],
}

/// Where the control API is reached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Home {
    /// The address that it is bound to, as `Host` writes it.
    pub authority: String,
    /// The port in it.
    pub port: u16,
}

impl Home {
    /// Whether an authority means this API: a name of this machine, with its port.
    fn is(&self, authority: &str) -> bool {
        let port_fits = |port: Option<&str>| match port {
            Some(port) => port == self.port.to_string(),
            None => self.port == 80,
        };
        authority == self.authority || names_this_machine(authority, port_fits)
    }

    /// Refuses whoever is from elsewhere.
    pub fn admit(&self, head: &Head<'_>) -> Result<(), Refusal> {
        let Home { authority, .. } = self;
        let [host] = head.host else {
            return Err(forbidden("a request names one host", format!("send Host: {authority}")));
        };
        if let Some(foreign) = [Some(*host), head.target].into_iter().flatten().find(|name| !self.is(name)) {
            let error = format!("\"{}\" is not where this API is", shown(foreign));
            return Err(forbidden(error, format!("ask http://{authority}")));
        }
        let same = |origin: &&str| {
            origin.get(..7).is_some_and(|scheme| scheme.eq_ignore_ascii_case("http://"))
                && origin[7..].eq_ignore_ascii_case(host)
        };
        if let Some(foreign) = head.origin.iter().find(|origin| !same(origin)) {
            let error = format!("a page from \"{}\" may not control this provider", shown(foreign));
            return Err(forbidden(error, "ask from a program, such as curl, that sends no Origin"));
        }
        if let Some(site) = head.fetch_site.iter().find(|site| !matches!(**site, "same-origin" | "none")) {
            let error = format!("a page from elsewhere ({}) may not control this provider", shown(site));
            return Err(forbidden(error, "ask from a program, such as curl, that sends no Sec-Fetch-Site"));
        }
        Ok(())
    }
}

impl Head<'_> {
    /// Refuses a body that does not say that it is JSON: no page can send one that does without asking first.
    pub fn require_json(&self, route: &Route) -> Result<(), Refusal> {
        let json = |value: &str| {
            let essence = value.split(';').next().unwrap_or_default().trim();
            essence.eq_ignore_ascii_case("application/json")
        };
        if matches!(self.content_type, [one] if json(one)) {
            return Ok(());
        }
        let fix = match route.example {
            "" => "send no body".to_owned(),
            example => format!("send Content-Type: application/json and a body such as {example}"),
        };
        Err(Refusal::new(415, "the body does not say that it is JSON", fix))
    }
}

fn forbidden(error: impl Into<String>, fix: impl Into<String>) -> Refusal {
    Refusal::new(403, error, fix)
}

/// The beginning of what a stranger said.
fn shown(text: &str) -> String {
    text.chars().take(80).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn home() -> Home {
        Home { authority: "127.0.0.1:4001".to_owned(), port: 4001 }
    }

    fn status(head: &Head<'_>) -> u16 {
        home().admit(head).map_or_else(|refusal| refusal.status, |()| 200)
    }

    #[test]
    fn a_host_is_this_machine_at_this_port() {
        for host in ["127.0.0.1:4001", "localhost:4001", "LocalHost:4001", "[::1]:4001"] {
            assert_eq!(status(&Head { host: &[host], ..Head::default() }), 200, "{host}");
        }
        for host in [
            "",
            "localhost",
            "localhost:4002",
            "localhost:04001",
            "rebound.example:4001",
            "localhost.example:4001",
            "127.0.0.1:4001.example",
            "127.0.0.1:4001@example",
            "127.0.0.2:4001",
        ] {
            assert_eq!(status(&Head { host: &[host], ..Head::default() }), 403, "{host}");
        }
        assert_eq!(status(&Head::default()), 403, "nobody is asked");
        let twice = ["localhost:4001", "rebound.example"];
        assert_eq!(status(&Head { host: &twice, ..Head::default() }), 403);
        let target = Some("rebound.example:4001");
        assert_eq!(status(&Head { host: &["localhost:4001"], target, ..Head::default() }), 403);
        let elsewhere = Home { authority: "127.0.0.2:80".to_owned(), port: 80 };
        let asked = |host| elsewhere.admit(&Head { host: &[host], ..Head::default() }).is_ok();
        assert!(asked("127.0.0.2:80") && asked("localhost") && !asked("127.0.0.2:8080"));
    }

    #[test]
    fn an_origin_is_the_one_that_is_asked() {
        let asked = |origin: &[&str]| status(&Head { host: &["localhost:4001"], origin, ..Head::default() });
        assert_eq!(asked(&["http://localhost:4001"]), 200);
        for origin in [
            "null",
            "",
            "http://localhost",
            "http://localhost:3000",
            "https://localhost:4001",
            "http://127.0.0.1:4001",
            "http://localhost:4001.example",
            "https://example.com",
            "é",
        ] {
            assert_eq!(asked(&[origin]), 403, "{origin}");
        }
        assert_eq!(asked(&["http://localhost:4001", "https://example.com"]), 403);
    }

    #[test]
    fn a_browser_says_where_a_request_without_an_origin_is_from() {
        for (site, wanted) in [("same-origin", 200), ("none", 200), ("same-site", 403), ("cross-site", 403), ("", 403)]
        {
            let head = Head { host: &["localhost:4001"], fetch_site: &[site], ..Head::default() };
            assert_eq!(status(&head), wanted, "{site}");
        }
    }

    #[test]
    fn a_body_says_that_it_is_json() {
        let route = super::super::route_of("POST", "/events").unwrap().0;
        let status = |content_type: &[&str]| {
            Head { content_type, ..Head::default() }.require_json(route).map_or_else(|refusal| refusal.status, |()| 200)
        };
        assert_eq!(status(&["application/json"]), 200);
        assert_eq!(status(&["Application/JSON; charset=utf-8"]), 200);
        for bad in
            [&[][..], &["text/plain"], &["application/x-www-form-urlencoded"], &["application/json", "text/plain"]]
        {
            assert_eq!(status(bad), 415, "{bad:?}");
        }
    }
}
