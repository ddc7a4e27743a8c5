//! What `verify` and `sign` share: a profile by name or file, secrets, headers, and the body from stdin.

use std::{ffi::OsString, io::Read, path::Path};

use anyhow::{Context, bail};
use clap::Args;

use crate::{
    profile::{PROFILES, Profile, embedded_profile, load_profile},
    wire::scheme::{HeaderName, Placeholder, Scheme},
};

/// A request and how it is signed.
#[derive(Debug, Args)]
pub(super) struct RequestArgs {
    /// Whose way of signing: a name that `pushpull profiles` lists, or a TOML file.
    #[arg(long, value_name = "NAME|FILE.toml")]
    pub profile: String,
    /// A secret; several during a rotation. Of Ed25519: the public key to verify, the private one to sign.
    #[arg(long = "secret", value_name = "SECRET", allow_hyphen_values = true)]
    secrets: Vec<String>,
    /// The same from an environment variable, where no list of processes shows it.
    #[arg(long = "secret-env", value_name = "VARIABLE")]
    secret_envs: Vec<String>,
    /// A header of the request.
    #[arg(long = "header", value_name = "NAME: VALUE", allow_hyphen_values = true)]
    headers: Vec<OsString>,
    /// The URL that the request was sent to, where it is signed.
    #[arg(long, value_name = "URL")]
    pub url: Option<String>,
    /// The method, where it is signed.
    #[arg(long, value_name = "METHOD", default_value = "POST")]
    pub method: String,
    /// The clock, in Unix seconds. Default: this machine's.
    #[arg(long, value_name = "UNIX")]
    now: Option<u64>,
}

impl RequestArgs {
    /// The clock, in Unix milliseconds.
    pub fn now_unix_ms(&self) -> u64 {
        self.now.map_or_else(crate::live::clock::now_unix_ms, |seconds| seconds.saturating_mul(1_000))
    }

    /// All secrets, those of the command line first.
    pub fn secrets(&self) -> anyhow::Result<Vec<String>> {
        let mut secrets = self.secrets.clone();
        for variable in &self.secret_envs {
            #[allow(clippy::disallowed_methods, reason = "the command line is where the environment is read")]
            let text = std::env::var(variable).with_context(|| format!("the environment variable {variable}"))?;
            secrets.push(text);
        }
        if secrets.is_empty() {
            bail!("no secret\n  fix: add --secret-env VARIABLE, or --secret SECRET");
        }
        Ok(secrets)
    }

    /// Headers, byte for byte behind ": ": a server has taken white space around a value away before.
    pub fn headers(&self) -> anyhow::Result<Vec<(String, Vec<u8>)>> {
        let read = |header: &OsString| {
            let bytes = header.as_encoded_bytes();
            let colon = bytes.iter().position(|byte| *byte == b':');
            let split = colon.map(|at| (String::from_utf8_lossy(&bytes[..at]), &bytes[at + 1..]));
            match split.filter(|(name, _)| HeaderName::parse(name).is_some()) {
                Some((name, value)) => Ok((name.into_owned(), value.strip_prefix(b" ").unwrap_or(value).to_vec())),
                None => bail!("--header: no name and value\n  fix: write --header 'Name: value'"),
            }
        };
        self.headers.iter().map(read).collect()
    }

    /// The URL, which must be told where it is signed.
    pub fn url(&self, scheme: &Scheme) -> anyhow::Result<&str> {
        match &self.url {
            Some(url) => Ok(url),
            None if scheme.signs(Placeholder::Url) => {
                bail!("{} signs the URL\n  fix: add --url, as the sender knows it", self.profile)
            }
            None => Ok(""),
        }
    }
}

/// The profile of that name, or in that file.
pub(super) fn profile(which: &str) -> anyhow::Result<(Profile, String)> {
    if let Some(embedded) = embedded_profile(which) {
        return Ok((load_profile(embedded.text, &format!("{which}.toml"))?, embedded.text.to_owned()));
    }
    let path = Path::new(which);
    if path.extension().is_none() && !which.contains(std::path::is_separator) && !path.exists() {
        bail!("{}", unknown_name(which));
    }
    let text = std::fs::read_to_string(path)
        .with_context(|| format!("cannot read the profile {which}; `pushpull profiles` lists those in the binary"))?;
    Ok((load_profile(&text, which)?, text))
}

fn unknown_name(name: &str) -> String {
    let names: Vec<&str> = PROFILES.iter().map(|profile| profile.name).collect();
    let fix = crate::scenario::names::suggest(name, &names);
    format!("\"{name}\" is no profile\n  fix: {fix}; a file needs its ending, such as mine.toml")
}

/// The body, as many bytes as come.
pub(super) fn body() -> anyhow::Result<Vec<u8>> {
    let mut body = Vec::new();
    std::io::stdin().lock().read_to_end(&mut body).context("cannot read the body from stdin")?;
    Ok(body)
}
