//! What `verify`, `sign` and `send` share: a profile by name or file, secrets, headers, and the body.

use std::{env::VarError, ffi::OsString, io::Read, path::Path};

use anyhow::{Context, bail};
use clap::Args;

use crate::{
    profile::{PROFILES, Profile, embedded_profile, load_profile},
    wire::scheme::{HeaderName, ID_BYTES_MAX, Placeholder, Scheme, SignKey},
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
        secrets.extend(from_environment(&self.secret_envs)?);
        if secrets.is_empty() {
            bail!("no secret\n  fix: add --secret-env VARIABLE, or --secret SECRET");
        }
        Ok(secrets)
    }

    /// Headers.
    pub fn headers(&self) -> anyhow::Result<Vec<(String, Vec<u8>)>> {
        headers(&self.headers)
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

/// What these environment variables hold. Errors do not say it.
pub(super) fn from_environment(variables: &[String]) -> anyhow::Result<Vec<String>> {
    let read = |variable: &String| {
        #[allow(clippy::disallowed_methods, reason = "the command line is where the environment is read")]
        match std::env::var(variable) {
            Ok(text) => Ok(text),
            Err(VarError::NotPresent) => bail!(
                "--secret-env {variable}: there is no such environment variable\n  fix: set it for this command: \
                 {variable}=... pushpull ..."
            ),
            Err(VarError::NotUnicode(_)) => {
                bail!(
                    "--secret-env {variable}: the variable is no UTF-8 text\n  fix: write the secret as its provider shows it"
                )
            }
        }
    };
    variables.iter().map(read).collect()
}

/// Headers as they are given, byte for byte behind ": ": a server has taken white space around a value away before.
pub(super) fn headers(given: &[OsString]) -> anyhow::Result<Vec<(String, Vec<u8>)>> {
    let read = |header: &OsString| {
        let bytes = header.as_encoded_bytes();
        let colon = bytes.iter().position(|byte| *byte == b':');
        let split = colon.map(|at| (String::from_utf8_lossy(&bytes[..at]), &bytes[at + 1..]));
        match split.filter(|(name, _)| HeaderName::parse(name).is_some()) {
            Some((name, value)) => Ok((name.into_owned(), value.strip_prefix(b" ").unwrap_or(value).to_vec())),
            None => bail!("--header: no name and value\n  fix: write --header 'Name: value'"),
        }
    };
    given.iter().map(read).collect()
}

/// Keys that sign.
pub(super) fn sign_keys(scheme: &Scheme, secrets: &[String]) -> anyhow::Result<Vec<SignKey>> {
    let key = |(no, secret): (usize, &String)| {
        scheme.sign_key(secret).with_context(|| format!("secret {} of {}", no + 1, secrets.len()))
    };
    secrets.iter().enumerate().map(key).collect()
}

/// An id that was given: what a receiver reads of one.
pub(super) fn check_id(id: &str) -> anyhow::Result<()> {
    let printable = id.bytes().all(|byte| byte.is_ascii_graphic());
    if !printable || !(1..=ID_BYTES_MAX).contains(&id.len()) {
        bail!("--id: no receiver reads it\n  fix: write 1 to {ID_BYTES_MAX} ASCII letters, digits and signs");
    }
    Ok(())
}

/// The longest body that is read: more than any provider sends.
const BODY_BYTES_MAX: u64 = 64 << 20;

/// The body from stdin.
pub(super) fn body() -> anyhow::Result<Vec<u8>> {
    whole(std::io::stdin().lock(), "stdin")
}

/// The body in a file, or from stdin where that is `-`.
pub(super) fn body_of(file: &Path) -> anyhow::Result<Vec<u8>> {
    if file.as_os_str() == "-" {
        return body();
    }
    let name = file.display().to_string();
    let opened = std::fs::File::open(file).with_context(|| format!("--body: cannot read {name}"))?;
    whole(opened, &name)
}

fn whole(source: impl Read, name: &str) -> anyhow::Result<Vec<u8>> {
    let mut body = Vec::new();
    let read = source.take(BODY_BYTES_MAX + 1).read_to_end(&mut body);
    read.with_context(|| format!("cannot read the body from {name}"))?;
    if body.len() as u64 > BODY_BYTES_MAX {
        bail!("the body in {name} has more than {} MiB: no provider sends that", BODY_BYTES_MAX >> 20);
    }
    Ok(body)
}
