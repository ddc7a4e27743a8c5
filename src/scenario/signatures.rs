//! What a scenario asks of a provider's signature, and what that cannot give.

use super::{
    EffectKind, EffectPlan, Flaw, Mode, ProviderPlan,
    error::{At, Problem},
    load::span_or,
};
use crate::{
    fault::{DamagedPart, FaultKind, ForgeMethod},
    model::Span,
};

/// `signature_tolerance`: as written, or the profile's.
pub(super) fn tolerance(at: &At, text: Option<&str>, provider: &ProviderPlan) -> Result<Option<Span>, Problem> {
    let traits = provider.signature();
    match text {
        None => Ok(traits.tolerance),
        Some(_) if !traits.time => Err(at.problem(
            format!("a request of \"{}\" does not say when it was signed", provider.profile),
            "remove it, and tell copies by their ids",
        )),
        Some(_) => Ok(Some(span_or(at, text, Span::ZERO)?)),
    }
}

/// A flaw of verifying is none where nothing is verified in that way.
pub(super) fn check_flaw(at: &At, flaw: Option<Flaw>, provider: &ProviderPlan) -> Result<(), Problem> {
    let (traits, name) = (provider.signature(), &provider.profile);
    let why = match flaw {
        Some(Flaw::NoVerification) if !traits.sender => format!("\"{name}\" signs nothing that could be verified"),
        Some(Flaw::UnkeyedSha256) if !traits.hmac_sha256 => {
            format!("\"{name}\" does not sign by HMAC-SHA256, which a plain SHA-256 could be taken for")
        }
        Some(Flaw::ReserialisedJson) if !traits.body => format!("\"{name}\" does not sign the body"),
        _ => return Ok(()),
    };
    Err(at.problem(why, "remove the flaw, or name another profile"))
}

/// What an effect goes by must be in the webhook.
pub(super) fn check_effect(at: &At, effect: EffectPlan, provider: &ProviderPlan) -> Result<(), Problem> {
    let Some(profile) = &provider.described else { return Ok(()) };
    let (name, fix) = (&provider.profile, "write effect = \"append\", or name another profile");
    match effect.kind {
        EffectKind::Set if !profile.has_version => Err(at.problem(
            format!("a webhook of \"{name}\" has no version, so that an older one cannot be told from a newer"),
            fix,
        )),
        EffectKind::Set | EffectKind::Once if !profile.has_subject => {
            Err(at.problem(format!("a webhook of \"{name}\" does not say what changed"), fix))
        }
        _ => Ok(()),
    }
}

/// Why a fault has nothing to do with this provider's signature, if it has not.
pub(super) fn why_not(fault: &FaultKind, provider: &ProviderPlan, mode: Mode) -> Option<String> {
    let (traits, name) = (provider.signature(), &provider.profile);
    match fault {
        FaultKind::ClockSkew(_) if !traits.time => {
            Some(format!("a request of \"{name}\" does not say when it was signed"))
        }
        FaultKind::RotateSecret(_) if !traits.sender => Some(format!("\"{name}\" has no secret to rotate")),
        FaultKind::RotateSecret(rotate) if rotate.overlap && !traits.several => {
            Some(format!("\"{name}\" has place for one signature, not for the old secret's beside the new one's"))
        }
        FaultKind::Corrupt(corrupt) if corrupt.what == DamagedPart::Signature && !traits.sender => {
            Some(format!("\"{name}\" signs nothing"))
        }
        FaultKind::Corrupt(corrupt) if corrupt.what == DamagedPart::Body && !traits.body && mode == Mode::Virtual => {
            Some(format!(
                "\"{name}\" does not sign the body: whether what is left of it is taken is a matter of bytes, and virtual \
                 time makes none"
            ))
        }
        FaultKind::Forge(forge) if forge.method == ForgeMethod::UnkeyedSha256 && !traits.hmac_sha256 => {
            Some(format!("\"{name}\" does not sign by HMAC-SHA256, which a plain SHA-256 could be taken for"))
        }
        _ => None,
    }
}
