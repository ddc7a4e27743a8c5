//! `pushpull verify`.

use anyhow::{Context, bail};
use clap::Args;

use super::{
    Exit, print,
    request::{RequestArgs, body, profile},
};
use crate::wire::scheme::{Check, Request, Scheme, Sides, Tolerance, Verified};

/// Arguments of `pushpull verify`.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  pushpull verify --profile stripe --secret-env STRIPE_SECRET \\\n    \
    --header \"Stripe-Signature: t=1760000000,v1=...\" < body.json\n\n\
    The body is read from stdin, byte for byte. Exit codes: 0 genuine; 1 refused; 2 bad input.")]
pub(super) struct VerifyArgs {
    #[command(flatten)]
    request: RequestArgs,
    /// How far the time of signing may lie off, in seconds; 0: it is not looked at. Default: the profile's.
    #[arg(long, value_name = "SECONDS")]
    tolerance: Option<u64>,
}

pub(super) fn run(args: &VerifyArgs) -> anyhow::Result<Exit> {
    let (profile, _) = profile(&args.request.profile)?;
    let headers = args.request.headers()?;
    let Some(scheme) = &profile.scheme else {
        print(&format!("refused: {} signs nothing, so that nothing tells who sent this\n", profile.name))?;
        return Ok(Exit::ExpectationFailed);
    };
    let secrets = args.request.secrets()?;
    let mut keys = Vec::with_capacity(secrets.len());
    for (no, secret) in secrets.iter().enumerate() {
        keys.push(scheme.verify_key(secret).with_context(|| format!("secret {} of {}", no + 1, secrets.len()))?);
    }
    let check = Check { now_unix_ms: args.request.now_unix_ms(), tolerance: tolerance(args, scheme)? };
    let url = args.request.url(scheme)?;
    let body = body()?;
    let request = Request { url, method: &args.request.method, body: &body };
    match scheme.verify(&keys, headers.as_slice(), &request, check) {
        Ok(verified) => {
            print(&format!("genuine: {}\n", told(&verified, keys.len())))?;
            Ok(Exit::Good)
        }
        Err(refusal) => {
            print(&format!("refused: {refusal}\n"))?;
            Ok(Exit::ExpectationFailed)
        }
    }
}

fn tolerance(args: &VerifyArgs, scheme: &Scheme) -> anyhow::Result<Option<Tolerance>> {
    match args.tolerance {
        None => Ok(scheme.tolerance),
        Some(0) => Ok(None),
        Some(_) if !scheme.has_time() => bail!(
            "--tolerance: {} does not say when a request was signed\n  fix: remove it, and tell copies by their ids",
            args.request.profile
        ),
        Some(seconds) => {
            let sides = scheme.tolerance.map_or(Sides::Both, |tolerance| tolerance.sides);
            Ok(Some(Tolerance { ms: seconds.saturating_mul(1_000), sides }))
        }
    }
}

fn told(verified: &Verified, keys: usize) -> String {
    let age = match verified.age_ms.map(|ms| ms as f64 / 1_000.0) {
        None => String::new(),
        Some(age) if age < 0.0 => format!(", signed {} s in the future", -age),
        Some(age) => format!(", signed {age} s ago"),
    };
    format!("secret {} of {keys} matches{age}", verified.key + 1)
}
