//! A receiver that is somebody else's: the same faults, the same counts, and no guess at its inner
//! life.

use std::{
    io::{BufRead, BufReader},
    process::{Child, Command, Stdio},
};

use serde_json::Value;

use crate::support::run;

/// A receiver of the Python standard library: answers 200, prints what came.
const PYTHON: &str = r#"
import http.server, sys, threading
lock = threading.Lock()
def say(line):
    # One line is one write: handlers run in threads of their own.
    with lock:
        sys.stdout.write(line + "\n")
        sys.stdout.flush()
class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def do_POST(self):
        self.rfile.read(int(self.headers["content-length"]))
        say("got " + self.headers["webhook-id"])
        self.send_response(200)
        self.send_header("content-length", "0")
        self.end_headers()
    def log_message(self, *args):
        pass
server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
say("port %d" % server.server_address[1])
server.serve_forever()
"#;

struct Foreign {
    child: Child,
    lines: std::io::Lines<BufReader<std::process::ChildStdout>>,
    port: u16,
}

impl Foreign {
    fn start() -> Foreign {
        let mut child = Command::new("python3")
            .args(["-c", PYTHON])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("python3 is needed for this test: install it");
        let mut lines = BufReader::new(child.stdout.take().expect("stdout")).lines();
        let first = lines.next().expect("a first line").expect("readable");
        let port = first.strip_prefix("port ").and_then(|port| port.parse().ok()).expect("a port");
        Foreign { child, lines, port }
    }

    /// Ends it and counts the requests it got.
    fn requests(mut self) -> usize {
        self.child.kill().expect("kill the receiver");
        let count = self.lines.by_ref().map_while(Result::ok).filter(|line| line.starts_with("got ")).count();
        self.child.wait().expect("wait for the receiver");
        count
    }
}

fn scenario(consumer: &str) -> String {
    format!(
        r#"
        title    = "a foreign receiver"
        duration = "4s"
        drain    = "20s"
        [workload]
        arrivals = {{ kind = "constant", rate = "100/s" }}
        [[provider]]
        retry = ["30ms", "60ms", "120ms", "240ms", "480ms", "960ms"]
        [[consumer]]
        name = "receiver"
        kind = "webhook"
        {consumer}
        [[fault]]
        kind        = "drop-ack"
        probability = 0.2
        [[fault]]
        kind        = "drop-request"
        probability = 0.1
        [[fault]]
        kind  = "duplicate"
        every = 25
        "#
    )
}

#[test]
fn faults_give_the_same_counts_as_against_our_own_and_what_is_unseen_is_null() {
    let foreign = Foreign::start();
    let url = format!("url = \"http://127.0.0.1:{}/hook\"", foreign.port);
    let (theirs, _a) = run(&scenario(&url), &["--seed", "5"]);
    let requests = foreign.requests();
    let (ours, _b) = run(&scenario(""), &["--seed", "5"]);

    assert_eq!(theirs.why_void_but_lag(), Vec::<String>::new());
    for key in ["attempts", "requests", "due"] {
        assert_eq!(theirs.count("receiver", key), ours.count("receiver", key), "{key}");
    }
    assert_eq!(requests as u64, ours.count("receiver", "receipts"), "what reached it");
    for key in ["receipts", "applied", "lost", "duplicates_applied", "cpu_s", "stale_overwrites"] {
        assert_eq!(theirs.consumer("receiver")[key], Value::Null, "{key}");
    }
    ours.assert_safe("receiver");
}

#[test]
fn an_expectation_on_what_nobody_observed_fails_and_says_so() {
    let foreign = Foreign::start();
    let url = format!("url = \"http://127.0.0.1:{}/hook\"", foreign.port);
    let text = format!("{}\n[expect]\n\"receiver.lost\" = 0\n", scenario(&url));
    let (run, _work) = run(&text, &[]);
    foreign.requests();
    assert_eq!(run.run()["expectations"][0]["pass"], false);
    assert!(run.stdout().contains("not observed"), "{}", run.stdout());
}

#[test]
fn newer_faults_work_against_it_and_one_that_verifies_nothing_is_caught() {
    let foreign = Foreign::start();
    let text = format!(
        "title = \"a foreign receiver\"\nduration = \"3s\"\ndrain = \"20s\"\n[workload]\n\
         arrivals = {{ kind = \"constant\", rate = \"50/s\" }}\n[[provider]]\nretry = [\"30ms\", \"60ms\"]\n\
         [[consumer]]\nname = \"receiver\"\nkind = \"webhook\"\nurl = \"http://127.0.0.1:{}/hook\"\n\
         [[fault]]\nkind = \"reorder\"\nevery = 7\n[[fault]]\nkind = \"corrupt\"\nevery = 10\n\
         [[fault]]\nkind = \"slow-body\"\nbytes_per_s = 20000\nevery = 9\n\
         [[fault]]\nkind = \"clock-skew\"\nby = \"310s\"\nuntil = \"1s\"\n\
         [[fault]]\nkind = \"rotate-secret\"\nfrom = \"1s\"\nuntil = \"2s\"\n",
        foreign.port
    );
    let (run, _work) = run(&text, &[]);
    let requests = foreign.requests() as u64;
    assert_eq!(run.why_void_but_lag(), Vec::<String>::new(), "{}", run.stdout());
    assert_eq!((requests, run.count("receiver", "acked")), (149, 149), "{}", run.stdout());
    // It answers 200 to whatever comes: the 50 events signed with an unknown secret, and every tenth of the others.
    // How far its clock may be off nobody here knows.
    assert_eq!(run.count("receiver", "spoiled_accepted"), 50 + 14 - 5, "{}", run.stdout());
    assert!(run.stdout().contains("BROKEN receiver"), "{}", run.stdout());
}
