use proptest::prelude::*;

use super::*;
use crate::wire::scheme::{
    Algorithm, Check, Message, PartPlace, Placeholder, Request, Scheme, SignKey, TimePlace, VerifyKey, Way,
};

fn load(one: &EmbeddedProfile) -> Profile {
    load_profile(one.text, one.name).unwrap_or_else(|error| panic!("{error}"))
}

#[test]
fn every_profile_in_the_binary_is_right_and_has_a_name_of_its_own() {
    let mut names = Vec::new();
    for one in PROFILES {
        let profile = load(one);
        assert_eq!(profile.name, one.name);
        assert!(!profile.payloads.is_empty() && !profile.title.is_empty(), "{}", one.name);
        names.push(profile.name);
        names.extend(profile.aliases);
    }
    for name in &names {
        assert!(embedded_profile(name).is_some(), "{name}");
        assert_eq!(names.iter().filter(|known| *known == name).count(), 1, "{name} means two things");
    }
    assert!(embedded_profile("nobody").is_none());
}

#[test]
fn whatever_a_payload_says_of_its_event_is_where_the_profile_looks() {
    for one in PROFILES {
        let profile = load(one);
        for (index, payload) in profile.payloads.iter().enumerate() {
            check_for_runs(&profile, index, one.text, one.name).unwrap_or_else(|error| panic!("{error}"));
            let json: serde_json::Value = serde_json::from_slice(&payload.sample(&profile)).expect(one.name);
            for (part, _) in &profile.event {
                let mut places = profile.places(*part);
                let told = places.any(|place| match place {
                    PartPlace::Body(pointer) => pointer.text(&json).is_some(),
                    PartPlace::Header(_) => true,
                });
                assert!(told, "{}: {} does not tell {part:?}", one.name, payload.event);
            }
        }
    }
}

/// A key that signs and one that verifies, for a way.
fn keys(scheme: &Scheme, way: &Way, seed: u8) -> (SignKey, VerifyKey) {
    use base64::{Engine, engine::general_purpose::STANDARD};
    let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    let write = |bytes: &[u8], prefix: &Option<String>| {
        let text = match way.key.form {
            crate::wire::scheme::KeyForm::Text => format!("secret {}", hex(bytes)),
            crate::wire::scheme::KeyForm::Base64 => STANDARD.encode(bytes),
            crate::wire::scheme::KeyForm::Hex => hex(bytes),
        };
        format!("{}{text}", prefix.as_deref().unwrap_or_default())
    };
    let private = [seed; 32];
    let public = match way.algorithm {
        Algorithm::Ed25519 => ed25519_dalek::SigningKey::from_bytes(&private).verifying_key().to_bytes(),
        _ => private,
    };
    let signing =
        write(&private, if way.key.signing_prefix.is_some() { &way.key.signing_prefix } else { &way.key.prefix });
    (scheme.sign_key(&signing).unwrap(), scheme.verify_key(&write(&public, &way.key.prefix)).unwrap())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    /// What is signed is verified, in every way of every profile; any one change to what is signed is refused.
    #[test]
    fn what_is_signed_is_verified_and_one_change_is_not(
        text in "[a-zA-Z0-9 żółć]{0,40}", id in "[a-z0-9_]{1,30}", at: prop::sample::Index, bit in 0u8..7, seed in 1u8..255
    ) {
        let now = 1_760_000_000_000u64;
        let body = serde_json::json!({"text": text, "webhookTimestamp": now}).to_string().into_bytes();
        let mut changed_body = body.clone();
        changed_body[at.index(body.len())] ^= 1 << bit;
        for profile in PROFILES.iter().map(load) {
            let Some(scheme) = &profile.scheme else { continue };
            for way in scheme.ways.iter().filter(|way| way.accepted) {
                let (signing, verifying) = keys(scheme, way, seed);
                let (_, stranger) = keys(scheme, way, seed ^ 1);
                let (url, method) = ("https://example.com/hook?a=1", "POST");
                let mut headers = Vec::new();
                let message = Message { id: &id, unix_ms: now, url, method, body: &body };
                scheme.sign(&[signing], &message, |name, value| {
                    headers.push((name.to_owned(), value.as_bytes().to_vec()));
                }).unwrap();
                let verdict = |key: &VerifyKey, headers: &[(String, Vec<u8>)], request: &Request<'_>| {
                    let check = Check { now_unix_ms: now, tolerance: scheme.tolerance };
                    scheme.verify(std::slice::from_ref(key), headers, request, check).map(|_| ()).map_err(|r| r.to_string())
                };
                let request = Request { url, method, body: &body };
                prop_assert_eq!(verdict(&verifying, &headers, &request), Ok(()), "{}", profile.name);
                prop_assert!(verdict(&stranger, &headers, &request).is_err(), "{}: another key", profile.name);
                prop_assert!(verdict(&verifying, &[], &request).is_err(), "{}: no headers", profile.name);
                let changes = [
                    (Placeholder::Body, Request { body: &changed_body, ..request }),
                    (Placeholder::Url, Request { url: "https://example.com/hook?a=2", ..request }),
                    (Placeholder::Method, Request { method: "PUT", ..request }),
                ];
                for (part, changed) in changes {
                    let refused = verdict(&verifying, &headers, &changed).is_err();
                    prop_assert_eq!(refused, way.signed.has(part), "{}: {:?}", profile.name, part);
                }
                // Any digit of the time, and any letter of the id, where they stand in headers of their own.
                for (name, value) in &headers {
                    let is_time = matches!(&scheme.timestamp, Some(time) if matches!(&time.place, TimePlace::Header(names) if names.sent() == name));
                    if !is_time && !name.ends_with("-id") {
                        continue;
                    }
                    let mut other = headers.clone();
                    let value_at = at.index(value.len());
                    let slot = other.iter_mut().find(|(known, _)| known == name).unwrap();
                    slot.1[value_at] = if slot.1[value_at] == b'7' { b'8' } else { b'7' };
                    prop_assert!(verdict(&verifying, &other, &request).is_err(), "{}: {name}", profile.name);
                }
            }
        }
    }
}
