//! A verifier of its own for each provider, written from the documents and not from the schemes: plain text
//! handling, HMAC by hand, another library's Ed25519. What the documents leave open is as `docs/signatures.md` says.

use sha2::{Digest, Sha256};

/// A request as its receiver sees it.
#[derive(Debug, Clone)]
pub struct Seen {
    pub provider: String,
    pub secrets: Vec<String>,
    pub headers: Vec<(String, Vec<u8>)>,
    pub body: Vec<u8>,
    pub url: String,
    pub method: String,
    pub now_s: u64,
    /// 0: any age will do.
    pub tolerance_s: u64,
}

/// Whether the request is genuine.
pub fn accepts(seen: &Seen) -> bool {
    verdict(seen).is_some()
}

fn verdict(seen: &Seen) -> Option<()> {
    match seen.provider.as_str() {
        "stripe" => pairs(seen, "stripe-signature", ",", ("t", "v1"), ".", true),
        "paddle" => pairs(seen, "paddle-signature", ";", ("ts", "h1"), ":", false),
        "github" => {
            let given = text(seen, &["x-hub-signature-256"], 8_192)?;
            any(seen, |secret| given == format!("sha256={}", hex(&hmac(secret.as_bytes(), &[&seen.body]))))
        }
        "gitlab-token" => {
            let given = text(seen, &["x-gitlab-token"], 8_192)?;
            any(seen, |secret| given == secret)
        }
        "shopify" => {
            let given = text(seen, &["x-shopify-hmac-sha256", "shopify-hmac-sha256"], 8_192)?;
            any(seen, |secret| given == base64(&hmac(secret.as_bytes(), &[&seen.body])))
        }
        "square" => {
            let given = text(seen, &["x-square-hmacsha256-signature"], 8_192)?;
            any(seen, |secret| given == base64(&hmac(secret.as_bytes(), &[seen.url.as_bytes(), &seen.body])))
        }
        "slack" => {
            let time = text(seen, &["x-slack-request-timestamp"], 64)?;
            let given = text(seen, &["x-slack-signature"], 8_192)?;
            near(seen, seconds(&time)?, 1, false)?;
            let signed = |secret: &str| hmac(secret.as_bytes(), &[b"v0:", time.as_bytes(), b":", &seen.body]);
            any(seen, |secret| given == format!("v0={}", hex(&signed(secret))))
        }
        "hubspot" => {
            let time = text(seen, &["x-hubspot-request-timestamp"], 64)?;
            let given = text(seen, &["x-hubspot-signature-v3"], 8_192)?;
            near(seen, seconds(&time)?, 1_000, true)?;
            let parts = [seen.method.as_bytes(), seen.url.as_bytes(), &seen.body, time.as_bytes()];
            any(seen, |secret| given == base64(&hmac(secret.as_bytes(), &parts)))
        }
        "linear" => linear(seen),
        "discord" => discord(seen),
        "standard-webhooks" | "gitlab" => standard(seen, ["webhook-id", "webhook-timestamp", "webhook-signature"]),
        "svix" => standard(seen, ["svix-id", "svix-timestamp", "svix-signature"]),
        other => panic!("no reference for {other}"),
    }
}

fn any(seen: &Seen, matches: impl Fn(&str) -> bool) -> Option<()> {
    seen.secrets.iter().any(|secret| matches(secret)).then_some(())
}

/// The first of these headers that is there: once, not empty, printable, and not too long.
fn text(seen: &Seen, names: &[&str], max: usize) -> Option<String> {
    for name in names {
        let values: Vec<&Vec<u8>> =
            seen.headers.iter().filter(|(known, _)| known.to_lowercase() == *name).map(|(_, value)| value).collect();
        if values.is_empty() {
            continue;
        }
        let [value] = values[..] else { return None };
        let printable = value.iter().all(|byte| (32..127).contains(byte));
        return (printable && !value.is_empty() && value.len() <= max)
            .then(|| String::from_utf8(value.clone()).unwrap());
    }
    None
}

/// Digits and nothing else, without leading zeros.
fn seconds(text: &str) -> Option<u64> {
    let number: u64 = text.parse().ok()?;
    // Whatever else parses is not written so.
    (number.to_string() == text && number.checked_mul(1_000).is_some()).then_some(number)
}

/// Whether a time, in so many units a second, is near enough.
fn near(seen: &Seen, time: u64, units: u64, past_only: bool) -> Option<()> {
    let (now, tolerance) = (seen.now_s * units, seen.tolerance_s * units);
    let off = i128::from(now) - i128::from(time);
    let too_old = off > i128::from(tolerance);
    let too_new = -off > i128::from(tolerance) && !past_only;
    (seen.tolerance_s == 0 || !too_old && !too_new).then_some(())
}

/// `t=...,v1=...`.
fn pairs(seen: &Seen, header: &str, apart: &str, (time, mark): (&str, &str), between: &str, past: bool) -> Option<()> {
    let value = text(seen, &[header], 8_192)?;
    let items: Vec<(&str, &str)> = value.split(apart).filter_map(|item| item.split_once('=')).collect();
    if value.split(apart).count() > 64 {
        return None;
    }
    let times: Vec<&str> = items.iter().filter(|(key, _)| *key == time).map(|(_, value)| *value).collect();
    let [stamp] = times[..] else { return None };
    near(seen, seconds(stamp)?, 1, past)?;
    let signed = |secret: &str| hex(&hmac(secret.as_bytes(), &[stamp.as_bytes(), between.as_bytes(), &seen.body]));
    any(seen, |secret| {
        let wanted = signed(secret);
        items.iter().any(|(key, value)| *key == mark && *value == wanted)
    })
}

fn standard(seen: &Seen, own: [&str; 3]) -> Option<()> {
    let names = |i: usize| {
        let plain = ["webhook-id", "webhook-timestamp", "webhook-signature"][i];
        if own[i] == plain { vec![plain] } else { vec![own[i], plain] }
    };
    let id = text(seen, &names(0), 256)?;
    let time = text(seen, &names(1), 64)?;
    let value = text(seen, &names(2), 8_192)?;
    near(seen, seconds(&time)?, 1, false)?;
    let entries: Vec<(&str, &str)> = value.split(' ').filter_map(|entry| entry.split_once(',')).collect();
    if value.split(' ').count() > 64 {
        return None;
    }
    any(seen, |secret| {
        if let Some(public) = secret.strip_prefix("whpk_") {
            let message = [id.as_bytes(), b".", time.as_bytes(), b".", &seen.body].concat();
            return entries.iter().any(|(mark, given)| {
                *mark == "v1a"
                    && unbase64(given).is_some_and(|bytes| ed25519(&unbase64(public).unwrap(), &message, &bytes))
            });
        }
        let key = unbase64(secret.strip_prefix("whsec_").unwrap_or(secret)).unwrap();
        let wanted = base64(&hmac(&key, &[id.as_bytes(), b".", time.as_bytes(), b".", &seen.body]));
        entries.iter().any(|(mark, given)| *mark == "v1" && *given == wanted)
    })
}

fn linear(seen: &Seen) -> Option<()> {
    let given = text(seen, &["linear-signature"], 8_192)?.to_lowercase();
    any(seen, |secret| given == hex(&hmac(secret.as_bytes(), &[&seen.body])))?;
    if seen.tolerance_s == 0 {
        return Some(());
    }
    let json: serde_json::Value = serde_json::from_slice(&seen.body).ok()?;
    let time = match json.as_object()?.get("webhookTimestamp")? {
        serde_json::Value::String(text) => seconds(text)?,
        number => number.as_u64()?,
    };
    near(seen, time, 1_000, false)
}

fn discord(seen: &Seen) -> Option<()> {
    let time = text(seen, &["x-signature-timestamp"], 64)?;
    let given = text(seen, &["x-signature-ed25519"], 8_192)?;
    if seen.tolerance_s > 0 {
        near(seen, seconds(&time)?, 1, false)?;
    }
    let bytes = unhex(&given)?;
    let message = [time.as_bytes(), &seen.body].concat();
    any(seen, |secret| ed25519(&unhex(secret).unwrap(), &message, &bytes))
}

fn ed25519(public: &[u8], message: &[u8], signature: &[u8]) -> bool {
    let key = ed25519_compact::PublicKey::from_slice(public).expect("a public key");
    let Ok(signature) = ed25519_compact::Signature::from_slice(signature) else { return false };
    key.verify(message, &signature).is_ok()
}

/// RFC 2104 over SHA-256.
fn hmac(key: &[u8], parts: &[&[u8]]) -> Vec<u8> {
    let mut block = if key.len() > 64 { Sha256::digest(key).to_vec() } else { key.to_vec() };
    block.resize(64, 0);
    let pad = |with: u8| block.iter().map(|byte| byte ^ with).collect::<Vec<u8>>();
    let inner = Sha256::digest([pad(0x36), parts.concat()].concat());
    Sha256::digest([pad(0x5c), inner.to_vec()].concat()).to_vec()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    if !text.len().is_multiple_of(2) || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    Some((0..text.len() / 2).map(|i| u8::from_str_radix(&text[2 * i..2 * i + 2], 16).unwrap()).collect())
}

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

fn base64(bytes: &[u8]) -> String {
    let mut text = String::new();
    for chunk in bytes.chunks(3) {
        let group = chunk.iter().fold(0u32, |bits, byte| bits << 8 | u32::from(*byte)) << (8 * (3 - chunk.len()));
        for place in 0..4 {
            let digit = ALPHABET[(group >> (18 - 6 * place) & 63) as usize];
            text.push(if place <= chunk.len() { char::from(digit) } else { '=' });
        }
    }
    text
}

/// The bytes whose base64 this is, if it is written as base64 is.
fn unbase64(text: &str) -> Option<Vec<u8>> {
    let bare = text.trim_end_matches('=');
    let mut bits = 0u32;
    let (mut held, mut bytes) = (0, Vec::new());
    for digit in bare.bytes() {
        bits = bits << 6 | ALPHABET.iter().position(|known| *known == digit)? as u32;
        held += 6;
        if held >= 8 {
            held -= 8;
            bytes.push((bits >> held) as u8);
        }
    }
    (base64(&bytes) == text).then_some(bytes)
}
