use proptest::prelude::*;

use super::*;
use crate::{
    model::Span,
    wire::{Secret, verify as verify_standard},
};

fn names(name: &str) -> HeaderNames {
    HeaderNames::new(vec![HeaderName::parse(name).unwrap()]).unwrap()
}

/// Standard Webhooks, as a scheme.
fn standard() -> Scheme {
    let way = Way {
        algorithm: Algorithm::HmacSha256,
        key: KeyShape { form: KeyForm::Base64, prefix: Some("whsec_".to_owned()), signing_prefix: None },
        signed: Template::parse("{id}.{timestamp}.{body}").unwrap(),
        header: names("webhook-signature"),
        separator: Some(" ".to_owned()),
        entry: "v1,".to_owned(),
        encoding: Encoding::Base64,
        accepted: true,
    };
    Scheme {
        ways: vec![way],
        id: Some(PartPlace::Header(names("webhook-id"))),
        timestamp: Some(Timestamp {
            place: TimePlace::Header(names("webhook-timestamp")),
            unit: TimeUnit::Seconds,
            opaque: false,
        }),
        tolerance: Some(Tolerance { ms: 300_000, sides: Sides::Both }),
    }
}

/// Discord's way: nothing but a signature and a time that may be any text.
fn ed25519() -> Scheme {
    let mut scheme = standard();
    let way = &mut scheme.ways[0];
    way.algorithm = Algorithm::Ed25519;
    way.key = KeyShape { form: KeyForm::Hex, prefix: None, signing_prefix: None };
    way.signed = Template::parse("{timestamp}{body}").unwrap();
    (way.separator, way.entry, way.encoding) = (None, String::new(), Encoding::HexAnyCase);
    scheme.id = None;
    scheme
}

type Headers = Vec<(String, Vec<u8>)>;

fn sign(scheme: &Scheme, keys: &[SignKey], message: &Message<'_>) -> Headers {
    let mut headers = Vec::new();
    scheme.sign(keys, message, |name, value| headers.push((name.to_owned(), value.as_bytes().to_vec()))).unwrap();
    headers
}

fn check(scheme: &Scheme) -> Check {
    Check { now_unix_ms: 1_760_000_000_000, tolerance: scheme.tolerance }
}

const MESSAGE: Message<'static> =
    Message { id: "msg_1", unix_ms: 1_760_000_000_000, url: "", method: "POST", body: b"body" };
const REQUEST: Request<'static> = Request { url: "", method: "POST", body: b"body" };

#[test]
fn a_template_is_read_with_its_braces_and_nothing_else() {
    for text in ["{id}.{timestamp}.{body}", "v0:{timestamp}:{body}", "{{{body}}}", "{method}{url}", "a}}b{{"] {
        assert_eq!(Template::parse(text).unwrap().to_string(), text);
    }
    assert_eq!(Template::parse("{boddy}"), Err(TemplateError::Unknown("boddy".to_owned())));
    for text in ["{body", "body}", "{", "}", "{{body}"] {
        assert_eq!(Template::parse(text), Err(TemplateError::Unpaired), "{text}");
    }
}

#[test]
fn a_time_has_one_spelling() {
    assert_eq!(TimeUnit::Seconds.read("1760000000"), Some(1_760_000_000_000));
    assert_eq!(TimeUnit::Milliseconds.read("0"), Some(0));
    assert_eq!(TimeUnit::Rfc3339.read("2025-10-09T10:53:20.5+02:00"), Some(1_760_000_000_500));
    let bad = ["", "+1", "-1", " 1", "1 ", "01", "1.0", "1e3", "0x1", "99999999999999999999", "18446744073709551615"];
    for text in bad {
        assert_eq!(TimeUnit::Seconds.read(text), None, "{text}");
    }
    for unit in [TimeUnit::Seconds, TimeUnit::Milliseconds, TimeUnit::Rfc3339] {
        assert_eq!(unit.read(&unit.write(1_760_000_000_000)), Some(1_760_000_000_000), "{unit:?}");
    }
}

#[test]
fn a_key_is_for_the_way_whose_prefix_it_has_and_never_shows() {
    let mut scheme = standard();
    let mut also = scheme.ways[0].clone();
    also.algorithm = Algorithm::Ed25519;
    also.key =
        KeyShape { form: KeyForm::Base64, prefix: Some("whpk_".to_owned()), signing_prefix: Some("whsk_".to_owned()) };
    also.entry = "v1a,".to_owned();
    scheme.ways.push(also);
    let way = |text| scheme.verify_key(text).map(|key| key.0[0].0);
    let public = "whpk_1SiA4o9hyqTCpIqC5V9HUakiiaeACeqfZTInDBbOir4=";
    let private = "whsk_6Xb/dCcHpPea21PS1N9VY/NZW723CEc77N4rJCubMbfVKIDij2HKpMKkioLlX0dRqSKJp4AJ6p9lMicMFs6Kvg==";
    assert_eq!((way("whsec_AAAA").unwrap(), way("AAAA").unwrap(), way(public).unwrap()), (0, 0, 1));
    assert_eq!(way(private), Err(KeyError::Signs("whsk_".to_owned())));
    assert_eq!(scheme.sign_key(public).map(|_| ()), Err(KeyError::Verifies("whpk_".to_owned())));
    let half = format!("whsk_{}", "A".repeat(86));
    assert_eq!(scheme.sign_key(&half).map(|_| ()), Err(KeyError::NoPoint), "a public key that is another's");
    assert_eq!(
        format!("{:?}{:?}", scheme.verify_key(public), scheme.sign_key(private)),
        "Ok(VerifyKey(..))Ok(SignKey(..))"
    );
    for blank in ["", " ", "\n", "whsec_"] {
        assert_eq!(way(blank), Err(KeyError::Blank), "{blank:?}");
    }
    let keys = [scheme.sign_key("whsec_AAAA").unwrap(), scheme.sign_key(private).unwrap()];
    let headers = sign(&scheme, &keys, &MESSAGE);
    for (no, key) in ["whsec_AAAA", public].into_iter().enumerate() {
        let verified = scheme.verify(&[scheme.verify_key(key).unwrap()], headers.as_slice(), &REQUEST, check(&scheme));
        assert_eq!(verified, Ok(Verified { key: 0, way: no, age_ms: Some(0) }));
    }
}

/// The least non-canonical form of a signature, and keys of small order, pass a verifier that is not strict.
#[test]
fn ed25519_is_verified_strictly() {
    let scheme = ed25519();
    let signing = scheme.sign_key(&"01".repeat(32)).unwrap();
    let headers = sign(&scheme, &[signing], &MESSAGE);
    let public = ed25519_dalek::SigningKey::from_bytes(&[1; 32]).verifying_key().to_bytes();
    let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    let verdict = |key: &str, headers: &Headers| {
        scheme.verify(&[scheme.verify_key(key).unwrap()], headers.as_slice(), &REQUEST, check(&scheme)).map(|_| ())
    };
    assert_eq!(verdict(&hex(&public), &headers), Ok(()));
    // The same signature with the order of the group added to its second half.
    let order: [u8; 32] = [
        0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14, 0, 0, 0, 0, 0,
        0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x10,
    ];
    let mut other = headers.clone();
    let text = String::from_utf8(other[1].1.clone()).unwrap();
    let mut carry = 0u16;
    let high = order.iter().enumerate().map(|(i, add)| {
        let byte = u16::from(u8::from_str_radix(&text[64 + 2 * i..66 + 2 * i], 16).unwrap());
        carry = byte + u16::from(*add) + (carry >> 8);
        carry as u8
    });
    let high: Vec<u8> = high.collect();
    other[1].1 = format!("{}{}", &text[..64], hex(&high)).into_bytes();
    assert!(matches!(verdict(&hex(&public), &other), Err(Refusal::NoMatch { .. })));
    // The identity as a key: R = S = 0 signs everything.
    let identity = format!("01{}", "00".repeat(31));
    let mut forged = headers;
    forged[1].1 = format!("{identity}{}", "00".repeat(32)).into_bytes();
    assert!(matches!(verdict(&identity, &forged), Err(Refusal::NoMatch { .. })));
}

proptest! {
    /// The scheme is what the receiver of a run has done so far: the same requests pass.
    #[test]
    fn the_standard_as_a_scheme_is_the_standard(
        id in "[a-z0-9._]{1,20}", body in proptest::collection::vec(any::<u8>(), 0..100), off in -400i64..400,
        byte in 32u8..127, place: prop::sample::Index, change: bool,
    ) {
        let (scheme, secret) = (standard(), Secret::from_bytes(&[9; 32]).unwrap());
        let (now, at) = (1_760_000_000u64, (1_760_000_000 + off) as u64);
        let mut value = crate::wire::sign(&secret, &id, at, &body);
        if change {
            let at = place.index(value.len());
            value.replace_range(at..=at, &char::from(byte).to_string());
        }
        let at = at.to_string();
        let standard = verify_standard(std::slice::from_ref(&secret), &id, &at, &value, &body, now, Span::from_secs(300));
        let header = |name: &str, value: &str| (name.to_owned(), value.as_bytes().to_vec());
        let headers = [header("webhook-id", &id), header("webhook-timestamp", &at), header("webhook-signature", &value)];
        let request = Request { url: "", method: "POST", body: &body };
        let keys = [scheme.verify_key(&secret.reveal()).unwrap()];
        let verdict = scheme.verify(&keys, headers.as_slice(), &request, check(&scheme));
        prop_assert_eq!(verdict.is_ok(), standard.is_ok(), "{:?} {:?}", verdict, standard);
        let signing = [scheme.sign_key(&secret.reveal()).unwrap()];
        let message = Message { id: &id, unix_ms: 1_760_000_000_000, url: "", method: "", body: &body };
        let signed = sign(&scheme, &signing, &message);
        prop_assert_eq!(String::from_utf8_lossy(&signed[2].1), crate::wire::sign(&secret, &id, now, &body));
    }
}
