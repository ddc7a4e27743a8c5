//! The control API of a provider that somebody started: the whole session, and who is kept out.

pub mod http;
mod refusals;
mod session;

use std::{
    io::{BufRead, BufReader},
    net::SocketAddr,
    process::{Child, ChildStderr, ChildStdout, Stdio},
};

use serde_json::Value;

use self::http::{Answer, exchange};
use crate::support::pushpull;

/// A provider of whose own accord nothing happens.
const QUIET: &str = r#"
    title    = "by hand"
    duration = "10ms"
    [workload]
    arrivals = { kind = "constant", rate = "1/s" }
    [[provider]]
    retry = "never"
    [[consumer]]
    name = "webhook"
    kind = "webhook"
"#;

/// A running provider with a control API.
struct Provider {
    child: Child,
    out: Option<(BufReader<ChildStdout>, BufReader<ChildStderr>)>,
    said: String,
    control: SocketAddr,
    pull_api: SocketAddr,
    dir: Option<tempfile::TempDir>,
}

impl Provider {
    fn start(scenario: &str) -> Provider {
        Provider::start_with(scenario, &[], None)
    }

    fn start_with(scenario: &str, args: &[&str], secret: Option<&str>) -> Provider {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("s.toml"), scenario).unwrap();
        let mut command = pushpull(dir.path());
        command.args(["provider", "s.toml", "--out", "part", "--listen", "127.0.0.1:0", "--control", "127.0.0.1:0"]);
        command.args(args).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        if let Some(secret) = secret {
            command.env("HOOK_SECRET", secret);
        }
        let mut child = command.spawn().expect("start the provider");
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        let mut stderr = BufReader::new(child.stderr.take().unwrap());
        let mut said = String::new();
        let mut address = |from: &mut dyn BufRead, before: &str| {
            let mut line = String::new();
            from.read_line(&mut line).unwrap();
            said.push_str(&line);
            let (_, address) = line.split_once(before).unwrap_or_else(|| panic!("{line:?}"));
            let end = address.find(|c: char| c == ';' || c.is_whitespace()).unwrap_or(address.len());
            address[..end].parse().unwrap_or_else(|_| panic!("{line:?}"))
        };
        let pull_api = address(&mut stderr, "listening on http://");
        let control = address(&mut stdout, "control API on http://");
        Provider { child, out: Some((stdout, stderr)), said, control, pull_api, dir: Some(dir) }
    }

    fn ask(&self, method: &str, path: &str, body: &str) -> Answer {
        let kind = if body.is_empty() { "" } else { "content-type: application/json\r\n" };
        self.ask_with(method, path, &format!("host: {}\r\n{kind}", self.control), body)
    }

    /// `head` is everything between the request line and the length.
    fn ask_with(&self, method: &str, path: &str, head: &str, body: &str) -> Answer {
        let length = body.len();
        let request = format!("{method} {path} HTTP/1.1\r\n{head}content-length: {length}\r\n\r\n{body}");
        exchange(self.control, request.as_bytes())
    }

    /// What is answered where all is well.
    fn done(&self, method: &str, path: &str, body: &str) -> Value {
        let answer = self.ask(method, path, body);
        assert!((200..300).contains(&answer.status), "{method} {path}: {answer:?}");
        if answer.body.is_empty() { Value::Null } else { answer.json() }
    }

    /// Adds an endpoint: its id and its secret.
    fn add(&self, url: &str) -> (String, String) {
        let answer = self.ask("POST", "/endpoints", &format!("{{\"url\": \"{url}\"}}"));
        let added = answer.json();
        let text = |key: &str| added[key].as_str().unwrap_or_else(|| panic!("{added}")).to_owned();
        assert_eq!((answer.status, text("url").as_str()), (201, url));
        assert!(answer.head.contains(&format!("location: /endpoints/{}", text("id"))), "{answer:?}");
        (text("id"), text("secret"))
    }

    /// Emits an event: its id.
    fn emit(&self, body: &str) -> String {
        let answer = self.ask("POST", "/events", body);
        assert_eq!(answer.status, 202, "{answer:?}");
        answer.json()["id"].as_str().expect("an id").to_owned()
    }

    /// The newest delivery, once it is in this state.
    fn newest_once(&self, state: &str) -> Value {
        for _ in 0..20_000 {
            let listed = self.done("GET", "/deliveries?limit=1", "");
            if listed["data"][0]["state"] == state {
                return listed["data"][0].clone();
            }
        }
        panic!("no delivery is {state}: {}", self.done("GET", "/deliveries", ""));
    }

    /// Ends it as Ctrl-C does; gives what it said, and where it was. Its own folder there is `part`.
    fn end(mut self) -> (String, tempfile::TempDir) {
        use nix::{
            sys::signal::{Signal, kill},
            unistd::Pid,
        };
        kill(Pid::from_raw(self.child.id() as i32), Signal::SIGINT).unwrap();
        let (mut stdout, mut stderr) = self.out.take().unwrap();
        let mut said = std::mem::take(&mut self.said);
        std::io::Read::read_to_string(&mut stdout, &mut said).unwrap();
        std::io::Read::read_to_string(&mut stderr, &mut said).unwrap();
        assert!(self.child.wait().unwrap().success(), "{said}");
        (said, self.dir.take().unwrap())
    }
}

impl Drop for Provider {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
