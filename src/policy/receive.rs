//! What a receiver answers to one request: pure, so that no lock serialises the live path.
//!
//! The raw body is verified before anything of it is parsed.

use crate::model::{RejectReason, Span, Subject, Version};
use crate::scenario::Flaw;
use crate::wire::{EventBody, Secret, SignatureError, reserialise, verify, verify_unkeyed};

/// The signed parts of a request as they came.
#[derive(Debug, Clone, Copy)]
pub struct SignedRequest<'a> {
    /// `webhook-id`.
    pub id: Option<&'a str>,
    /// `webhook-timestamp`.
    pub timestamp: Option<&'a str>,
    /// `webhook-signature`.
    pub signatures: Option<&'a str>,
    /// The body, untouched.
    pub body: &'a [u8],
}

/// How a receiver checks.
#[derive(Debug, Clone, Copy)]
pub struct Checks<'a> {
    /// The secrets accepted for the endpoint.
    pub secrets: &'a [Secret],
    /// How far the timestamp may lie off, either side.
    pub tolerance: Span,
    /// The receiver's clock, Unix seconds.
    pub now_unix_s: u64,
    /// What is done wrong on purpose.
    pub flaw: Option<Flaw>,
}

/// An event that may be stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Accepted {
    /// Its id: the dedupe key.
    pub id: String,
    /// What changed.
    pub subject: Subject,
    /// To which version.
    pub version: Version,
}

/// The longest id that is taken into a ledger.
const ID_BYTES_MAX: usize = 128;

/// Decides over one request.
pub fn decide(request: &SignedRequest<'_>, checks: &Checks<'_>) -> Result<Accepted, RejectReason> {
    authenticate(request, checks)?;
    let body = EventBody::parse(request.body).map_err(|_| RejectReason::MalformedBody)?;
    // The signed header and the body must mean the same event: one of them is the ledger's key.
    let header_id = request.id.unwrap_or(&body.id);
    if header_id != body.id || header_id.is_empty() || header_id.len() > ID_BYTES_MAX {
        return Err(RejectReason::MalformedBody);
    }
    Ok(Accepted { id: header_id.to_owned(), subject: body.subject, version: body.version })
}

fn authenticate(request: &SignedRequest<'_>, checks: &Checks<'_>) -> Result<(), RejectReason> {
    if checks.flaw == Some(Flaw::NoVerification) {
        return Ok(());
    }
    let (Some(id), Some(timestamp), Some(signatures)) = (request.id, request.timestamp, request.signatures) else {
        return Err(RejectReason::MissingHeader);
    };
    let Checks { secrets, tolerance, now_unix_s, .. } = *checks;
    let verified = match checks.flaw {
        Some(Flaw::UnkeyedSha256) => verify_unkeyed(id, timestamp, signatures, request.body, now_unix_s, tolerance)
            .or_else(|_| verify(secrets, id, timestamp, signatures, request.body, now_unix_s, tolerance)),
        Some(Flaw::ReserialisedJson) => {
            let body = reserialise(request.body).map_err(|_| RejectReason::MalformedBody)?;
            verify(secrets, id, timestamp, signatures, &body, now_unix_s, tolerance)
        }
        _ => verify(secrets, id, timestamp, signatures, request.body, now_unix_s, tolerance),
    };
    verified.map_err(|error| match error {
        SignatureError::MalformedTimestamp | SignatureError::MalformedSignature => RejectReason::MalformedHeader,
        SignatureError::StaleTimestamp => RejectReason::StaleTimestamp,
        SignatureError::Mismatch => RejectReason::BadSignature,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::{sign, sign_unkeyed};

    const BODY: &[u8] = br#"{"type":"t","id":"evt_1","subject":4,"version":2,"data":{"amount":1.50}}"#;
    const NOW: u64 = 1_760_000_000;

    fn secret() -> Secret {
        Secret::from_bytes(&[5; 32]).unwrap()
    }

    /// Decides over BODY with the given id header and signature.
    fn answer(id: &str, signature: Option<&str>, flaw: Option<Flaw>) -> Result<Accepted, RejectReason> {
        let timestamp = NOW.to_string();
        let request = SignedRequest { id: Some(id), timestamp: Some(&timestamp), signatures: signature, body: BODY };
        let secrets = [secret()];
        decide(&request, &Checks { secrets: &secrets, tolerance: Span::from_secs(300), now_unix_s: NOW, flaw })
    }

    #[test]
    fn a_signed_event_is_accepted_and_everything_else_is_told_apart() {
        let signed = sign(&secret(), "evt_1", NOW, BODY);
        let accepted = Accepted { id: "evt_1".to_owned(), subject: 4, version: 2 };
        assert_eq!(answer("evt_1", Some(&signed), None), Ok(accepted));
        assert_eq!(answer("evt_1", None, None), Err(RejectReason::MissingHeader));
        assert_eq!(answer("evt_1", Some("gibberish"), None), Err(RejectReason::MalformedHeader));
        assert_eq!(answer("evt_2", Some(&signed), None), Err(RejectReason::BadSignature));
        // Signed, but the header names another event than the body.
        let other = sign(&secret(), "evt_2", NOW, BODY);
        assert_eq!(answer("evt_2", Some(&other), None), Err(RejectReason::MalformedBody));
    }

    #[test]
    fn each_wrong_check_lets_in_or_keeps_out_what_it_should_not() {
        let signed = sign(&secret(), "evt_1", NOW, BODY);
        let plain_hash = sign_unkeyed("evt_1", NOW, BODY);
        assert!(answer("evt_1", Some(&plain_hash), None).is_err());
        assert!(answer("evt_1", Some(&plain_hash), Some(Flaw::UnkeyedSha256)).is_ok());
        assert!(answer("evt_1", None, Some(Flaw::NoVerification)).is_ok());
        assert_eq!(answer("evt_1", Some(&signed), Some(Flaw::ReserialisedJson)), Err(RejectReason::BadSignature));
    }
}
