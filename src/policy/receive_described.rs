//! What a receiver answers to one request of a provider that a profile describes: pure, as [`super::receive`].
//!
//! The raw body is verified before an event is read in it.

use sha2::{Digest, Sha256};

use crate::{
    model::{EventId, RejectReason, RunId, Subject, Version},
    profile::{EventPart, Profile, subject_number, version_number},
    scenario::Flaw,
    wire::{
        reserialise,
        scheme::{Check, HeaderValues, PartPlace, Refusal, Request, Scheme, VerifyKey},
    },
};

/// How a receiver checks.
#[derive(Debug, Clone, Copy)]
pub struct DescribedChecks<'a> {
    /// The provider.
    pub profile: &'a Profile,
    /// The run whose ids are expected.
    pub run_id: RunId,
    /// The keys accepted for the endpoint.
    pub keys: &'a [VerifyKey],
    /// The clock, and how far a time may lie off.
    pub check: Check,
    /// What is done wrong on purpose.
    pub flaw: Option<Flaw>,
}

/// What tells an event from others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Told {
    /// Its id, as a provider of ours gave it out.
    Id(EventId),
    /// An id that somebody else gave out.
    Foreign(String),
    /// The digest of its body: there is no id.
    Digest([u8; 32]),
}

/// An event that may be stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DescribedEvent {
    /// What tells it from others.
    pub told: Told,
    /// What changed; 0 where that is not said.
    pub subject: Subject,
    /// To which version; 0 where that is not said, or not by a number.
    pub version: Version,
}

/// What an authentic request wants.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Asked {
    /// That an event is taken.
    Event(DescribedEvent),
    /// The answer of an endpoint that may be delivered to. Nothing is stored.
    Handshake {
        /// Its status.
        status: u16,
        /// Its body.
        body: String,
    },
}

/// The longest id that is taken into a ledger.
const ID_BYTES_MAX: usize = 128;

/// Decides over one request.
pub fn decide_described(
    headers: &(impl HeaderValues + ?Sized),
    request: &Request<'_>,
    checks: &DescribedChecks<'_>,
) -> Result<Asked, RejectReason> {
    if let Some(scheme) = &checks.profile.scheme {
        authenticate(scheme, headers, request, checks)?;
    }
    let handshake = checks.profile.handshake.as_ref().and_then(|handshake| handshake.answer(request.body));
    match handshake {
        Some((status, body)) => Ok(Asked::Handshake { status, body }),
        None => read(headers, request.body, checks).map(Asked::Event),
    }
}

fn authenticate(
    scheme: &Scheme,
    headers: &(impl HeaderValues + ?Sized),
    request: &Request<'_>,
    checks: &DescribedChecks<'_>,
) -> Result<(), RejectReason> {
    let verify = |keys: &[VerifyKey], request: &Request<'_>| {
        scheme.verify(keys, headers, request, checks.check).map(|_| ()).map_err(|refusal| reason(&refusal))
    };
    match checks.flaw {
        Some(Flaw::NoVerification) => Ok(()),
        Some(Flaw::UnkeyedSha256) => {
            let plain = scheme.unkeyed().map(|(_, key)| verify(&[key], request));
            plain.unwrap_or(Err(RejectReason::BadSignature)).or_else(|_| verify(checks.keys, request))
        }
        Some(Flaw::ReserialisedJson) => {
            let body = reserialise(request.body).map_err(|_| RejectReason::MalformedBody)?;
            verify(checks.keys, &Request { body: &body, ..*request })
        }
        _ => verify(checks.keys, request),
    }
}

/// For records and metrics; who sent the request is told 401, whatever the reason.
fn reason(refusal: &Refusal<'_>) -> RejectReason {
    match refusal {
        Refusal::HeaderMissing { .. } => RejectReason::MissingHeader,
        Refusal::TooOld { .. } | Refusal::InFuture { .. } => RejectReason::StaleTimestamp,
        Refusal::NoMatch { .. } | Refusal::TokenDiffers { .. } | Refusal::NotInBody { .. } => {
            RejectReason::BadSignature
        }
        _ => RejectReason::MalformedHeader,
    }
}

fn read(
    headers: &(impl HeaderValues + ?Sized),
    body: &[u8],
    checks: &DescribedChecks<'_>,
) -> Result<DescribedEvent, RejectReason> {
    let profile = checks.profile;
    let json: serde_json::Value = serde_json::from_slice(body).map_err(|_| RejectReason::MalformedBody)?;
    let text = |wanted: EventPart| {
        profile.places(wanted).find_map(|place| match place {
            PartPlace::Header(names) => names.first_in(headers).map(str::to_owned),
            PartPlace::Body(pointer) => pointer.text(&json).map(|text| text.into_owned()),
        })
    };
    let told = if profile.dedupe_by_id {
        let id = text(EventPart::Id).filter(|id| !id.is_empty() && id.len() <= ID_BYTES_MAX);
        let id = id.ok_or(RejectReason::MalformedBody)?;
        profile.id_form.read(&id, checks.run_id).map_or(Told::Foreign(id), Told::Id)
    } else {
        Told::Digest(Sha256::digest(body).into())
    };
    let subject = text(EventPart::Subject).map_or(0, |text| subject_number(&text));
    let version = text(EventPart::Version).map_or(0, |text| version_number(&text));
    Ok(DescribedEvent { told, subject, version })
}
