//! `pushpull sign`.

use clap::Args;

use super::{
    Exit, print,
    request::{RequestArgs, body, check_id, profile, sign_keys},
};
use crate::{
    model::EventId,
    wire::scheme::{Message, PartPlace, Placeholder, Scheme},
};

/// Arguments of `pushpull sign`.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  pushpull sign --profile stripe --secret-env STRIPE_SECRET < body.json\n\n\
    Prints the headers of the signature, one a line, as `pushpull verify --header` and `curl --header` take them.")]
pub(super) struct SignArgs {
    #[command(flatten)]
    request: RequestArgs,
    /// The event's id, where it is signed. Default: that of a --header of its name, or a fresh one.
    #[arg(long, value_name = "ID")]
    id: Option<String>,
}

pub(super) fn run(args: &SignArgs) -> anyhow::Result<Exit> {
    let (profile, _) = profile(&args.request.profile)?;
    let headers = args.request.headers()?;
    let Some(scheme) = &profile.scheme else {
        eprintln!("pushpull: {} signs nothing: no headers", profile.name);
        return Ok(Exit::Good);
    };
    let secrets = args.request.secrets()?;
    let keys = sign_keys(scheme, &secrets)?;
    let url = args.request.url(scheme)?;
    let id = match &args.id {
        Some(id) => {
            check_id(id)?;
            id.clone()
        }
        None => given_id(scheme, &headers)
            .unwrap_or_else(|| EventId::genuine(crate::live::fresh_run_id(), 1).text().to_string()),
    };
    let body = body()?;
    let message =
        Message { id: &id, unix_ms: args.request.now_unix_ms(), url, method: &args.request.method, body: &body };
    let mut lines = String::new();
    scheme.sign(&keys, &message, |name, value| lines.push_str(&format!("{name}: {value}\n")))?;
    print(&lines)?;
    Ok(Exit::Good)
}

/// The id in a header that was given.
fn given_id(scheme: &Scheme, headers: &[(String, Vec<u8>)]) -> Option<String> {
    let Some(PartPlace::Header(names)) = scheme.id.as_ref().filter(|_| scheme.signs(Placeholder::Id)) else {
        return None;
    };
    names.first_in(headers).map(str::to_owned)
}
