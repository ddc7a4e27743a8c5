//! The table of the control API: one line per thing that can be asked for.

use super::{Command, Refusal, body};

/// What a route's reader gets of the request.
#[derive(Debug, Clone, Copy)]
pub struct Asked<'a> {
    /// What stands in the path at `{id}` or `{index}`.
    pub(super) id: &'a str,
    /// Behind the question mark.
    pub(super) query: &'a str,
    /// The body; empty where there is none.
    pub(super) body: &'a [u8],
    /// What a body looks like.
    pub(super) example: &'static str,
}

/// One thing that can be asked for.
#[derive(Debug)]
pub struct Route {
    method: &'static str,
    path: &'static str,
    /// A body that it takes; empty where it takes none.
    pub(super) example: &'static str,
    /// For the help.
    does: &'static str,
    read: fn(&Asked<'_>) -> Result<Command, Refusal>,
}

const fn route(
    (method, path): (&'static str, &'static str),
    example: &'static str,
    does: &'static str,
    read: fn(&Asked<'_>) -> Result<Command, Refusal>,
) -> Route {
    Route { method, path, example, does, read }
}

const ROUTES: &[Route] = &[
    route(("GET", "/"), "", "this text", |_| Ok(Command::Help)),
    route(("GET", "/endpoints"), "", "the endpoints, with counts of their deliveries", |_| Ok(Command::Endpoints)),
    route(
        ("POST", "/endpoints"),
        r#"{"url": "http://127.0.0.1:8080/hook"}"#,
        "add one; answers with its secret, this once",
        body::add_endpoint,
    ),
    route(("GET", "/endpoints/{id}"), "", "one of them", |asked| Ok(Command::Endpoint(asked.id.parse()?))),
    route(("DELETE", "/endpoints/{id}"), "", "remove one that was added", |asked| {
        Ok(Command::RemoveEndpoint(asked.id.parse()?))
    }),
    route(
        ("POST", "/endpoints/{id}/rotate"),
        r#"{"overlap_ms": 60000}"#,
        "a new secret, this once; the old one signs as well for overlap_ms (24 h)",
        body::rotate,
    ),
    route(("POST", "/endpoints/{id}/enable"), "", "switch it on, whatever switched it off", body::enable),
    route(
        ("GET", "/deliveries"),
        "",
        "?endpoint=&state=pending|retrying|delivered|failed&limit=100, the newest first",
        body::deliveries,
    ),
    route(("GET", "/deliveries/{id}"), "", "one of them", |asked| Ok(Command::Delivery(asked.id.parse()?))),
    route(("POST", "/deliveries/{id}/redeliver"), "", "send one again that has ended", body::redeliver),
    route(
        ("POST", "/events"),
        r#"{"type": "invoice.paid", "subject": 7, "data": {"amount": 12}}"#,
        "emit an event to all endpoints and to the pull API",
        body::emit,
    ),
    route(("GET", "/faults"), "", "the scenario's faults", |_| Ok(Command::Faults)),
    route(("POST", "/faults/{index}"), r#"{"enabled": false}"#, "switch one, by its index", body::switch_fault),
    route(
        ("POST", "/reset"),
        "",
        "remove what was added, forget deliveries, switch faults and endpoints on",
        body::reset,
    ),
];

/// What is asked for with this method and path, and what stands at `{id}` or `{index}` in it. A 404 or a 405 otherwise.
pub fn route_of<'a>(method: &str, path: &'a str) -> Result<(&'static Route, &'a str), Refusal> {
    let here: Vec<(&Route, &str)> = ROUTES.iter().filter_map(|route| Some((route, id_in(route.path, path)?))).collect();
    if let Some(found) = here.iter().find(|(route, _)| route.method == method) {
        return Ok(*found);
    }
    let allowed: Vec<&str> = here.iter().map(|(route, _)| route.method).collect();
    if allowed.is_empty() {
        return Err(Refusal::new(404, "there is nothing here", "GET / tells what there is"));
    }
    let allowed = allowed.join(", ");
    let fix = format!("use {allowed}; GET / tells what for");
    Err(Refusal { allow: Some(allowed), ..Refusal::new(405, "the path does not take this method", fix) })
}

impl Route {
    /// Whether it takes a body.
    #[must_use]
    pub fn takes_body(&self) -> bool {
        !self.example.is_empty()
    }

    /// Reads the rest of the request.
    pub fn read(&self, id: &str, query: &str, body: &[u8]) -> Result<Command, Refusal> {
        (self.read)(&Asked { id, query, body, example: self.example })
    }
}

/// What stands at `{...}` where the path fits; empty where the route has no such place.
fn id_in<'a>(route: &str, path: &'a str) -> Option<&'a str> {
    let (mut wanted, mut given) = (route.split('/'), path.split('/'));
    let mut id = "";
    loop {
        match (wanted.next(), given.next()) {
            (None, None) => return Some(id),
            (Some(place), Some(segment)) if place.starts_with('{') && !segment.is_empty() => id = segment,
            (Some(literal), Some(segment)) if literal == segment => {}
            _ => return None,
        }
    }
}

/// What can be asked for, as text.
#[must_use]
pub fn help() -> String {
    let mut text = "pushpull provider: control API. Bodies and answers are JSON.\n\n".to_owned();
    for Route { method, path, example, does, .. } in ROUTES {
        text.push_str(&format!("{method:<6} {path:<27} {does}\n"));
        if !example.is_empty() {
            text.push_str(&format!("{:34} {example}\n", ""));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_path_and_a_method_lead_to_a_route() {
        for route in ROUTES {
            let path = route.path.replace("{id}", "7").replace("{index}", "7");
            let (found, id) = route_of(route.method, &path).unwrap();
            assert_eq!((found.method, found.path), (route.method, route.path));
            assert_eq!(id, if route.path.contains('{') { "7" } else { "" });
            assert!(help().contains(route.path) && !route.does.is_empty());
        }
    }

    #[test]
    fn the_examples_of_the_help_are_taken() {
        for route in ROUTES.iter().filter(|route| route.takes_body()) {
            let id = if route.path.starts_with("/faults") { "0" } else { "ep_0_1" };
            assert!(route.read(id, "", route.example.as_bytes()).is_ok(), "{}", route.path);
        }
    }

    #[test]
    fn another_path_is_not_found_and_another_method_is_told_which_will_do() {
        for path in ["", "/nothing", "/endpoints/", "/endpoints//rotate", "/endpoints/ep_0_1/rotate/", "//", "*"] {
            assert_eq!(route_of("GET", path).unwrap_err().status, 404, "{path}");
        }
        let refusal = route_of("PUT", "/endpoints").unwrap_err();
        assert_eq!((refusal.status, refusal.allow.as_deref()), (405, Some("GET, POST")));
        let refusal = route_of("OPTIONS", "/reset").unwrap_err();
        assert_eq!((refusal.status, refusal.allow.as_deref()), (405, Some("POST")));
    }

    proptest! {
        #[test]
        fn no_request_makes_reading_panic(
            which in 0..ROUTES.len(), id in "\\PC{0,12}", query in "\\PC{0,30}", body in "\\PC{0,60}",
        ) {
            let _ = route_of("GET", &query);
            let _ = ROUTES[which].read(&id, &query, body.as_bytes());
        }
    }
}
