//! Signatures of real providers: vectors made with their official libraries, and the command line around them.

use std::{
    io::Write,
    path::Path,
    process::{Output, Stdio},
};

use pushpull::{
    profile::{Profile, embedded_profile, load_profile},
    wire::scheme::{Check, Request, Tolerance},
};
use serde::Deserialize;

use crate::support::pushpull;

mod cli;
mod policy;
mod profiles;
mod send;
mod vectors;

/// A request, its keys, and what it should be taken for.
#[derive(Debug, Clone, Deserialize)]
pub struct Vector {
    pub scheme: String,
    pub name: String,
    pub secrets: Vec<String>,
    pub headers: std::collections::BTreeMap<String, String>,
    body_base64: String,
    pub now_unix: u64,
    pub tolerance_s: u64,
    expect: String,
    pub tier: String,
    /// What its sender signs with, where that is not what its receiver checks with.
    pub signing_key: Option<String>,
    #[serde(default)]
    pub url: String,
    #[serde(default = "post")]
    pub method: String,
}

fn post() -> String {
    "POST".to_owned()
}

impl Vector {
    pub fn is_valid(&self) -> bool {
        self.expect == "valid"
    }

    pub fn body(&self) -> Vec<u8> {
        use base64::{Engine, engine::general_purpose::STANDARD};
        STANDARD.decode(&self.body_base64).expect("a vector's body is base64")
    }

    /// Headers as a server hands them out.
    pub fn header_values(&self) -> Vec<(String, Vec<u8>)> {
        self.headers.iter().map(|(name, value)| (name.clone(), value.clone().into_bytes())).collect()
    }

    /// Whether the library takes it for genuine, or why not.
    pub fn verdict(&self, profile: &Profile) -> Result<(), String> {
        let scheme = profile.scheme.as_ref().expect("a scheme that signs");
        let keys: Vec<_> = self.secrets.iter().map(|secret| scheme.verify_key(secret).expect("a key")).collect();
        let tolerance = (self.tolerance_s > 0).then(|| Tolerance {
            ms: self.tolerance_s * 1_000,
            ..scheme.tolerance.unwrap_or(Tolerance { ms: 0, sides: pushpull::wire::scheme::Sides::Both })
        });
        let check = Check { now_unix_ms: self.now_unix * 1_000, tolerance };
        let body = self.body();
        let request = Request { url: &self.url, method: &self.method, body: &body };
        let verdict = scheme.verify(&keys, self.header_values().as_slice(), &request, check);
        verdict.map(|_| ()).map_err(|refusal| refusal.to_string())
    }

    /// What the command says of it.
    pub fn on_the_command_line(&self) -> Output {
        let mut args = vec!["verify".to_owned(), "--profile".to_owned(), self.scheme.clone()];
        let mut add = |flag: &str, value: String| args.extend([flag.to_owned(), value]);
        add("--now", self.now_unix.to_string());
        add("--tolerance", self.tolerance_s.to_string());
        add("--method", self.method.clone());
        add("--url", self.url.clone());
        self.secrets.iter().for_each(|secret| add("--secret", secret.clone()));
        self.headers.iter().for_each(|(name, value)| add("--header", format!("{name}: {value}")));
        with_body(&args.iter().map(String::as_str).collect::<Vec<_>>(), &self.body())
    }
}

/// All vectors: of the official libraries, and of the profiles that were added from documentation.
pub fn vectors() -> Vec<Vector> {
    let read = |text| serde_json::from_str::<Vec<Vector>>(text).expect("vectors");
    let mut vectors = read(include_str!("../../vectors/signatures.json"));
    vectors.extend(read(include_str!("../../vectors/examples.json")));
    vectors
}

/// A profile in the binary.
pub fn profile(name: &str) -> Profile {
    let embedded = embedded_profile(name).unwrap_or_else(|| panic!("no profile {name}"));
    load_profile(embedded.text, name).expect("a profile that is right")
}

/// The program with a body on its stdin.
pub fn with_body(args: &[&str], body: &[u8]) -> Output {
    let mut child = pushpull(Path::new("."))
        .args(args)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("run the program");
    // A program that refuses its arguments does not read the body.
    let _ = child.stdin.take().expect("its stdin").write_all(body);
    child.wait_with_output().expect("the program ends")
}
