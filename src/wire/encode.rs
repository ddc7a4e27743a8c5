//! Hex and base64, into buffers that are there already.

use base64::{Engine, engine::general_purpose::STANDARD};

const DIGITS: &[u8; 16] = b"0123456789abcdef";

/// Appends lowercase hex.
pub(super) fn hex(bytes: &[u8], text: &mut String) {
    for byte in bytes {
        text.push(char::from(DIGITS[usize::from(byte >> 4)]));
        text.push(char::from(DIGITS[usize::from(byte & 15)]));
    }
}

/// Appends padded base64 of the standard alphabet.
pub(super) fn base64(bytes: &[u8], text: &mut String) {
    STANDARD.encode_string(bytes, text);
}

/// Writes lowercase hex at the beginning of a buffer that is long enough; returns its length.
pub(super) fn hex_into(bytes: &[u8], text: &mut [u8]) -> usize {
    for (byte, pair) in bytes.iter().zip(text.as_chunks_mut::<2>().0) {
        *pair = [DIGITS[usize::from(byte >> 4)], DIGITS[usize::from(byte & 15)]];
    }
    bytes.len() * 2
}

/// Writes padded base64 at the beginning of a buffer that is long enough; returns its length.
pub(super) fn base64_into(bytes: &[u8], text: &mut [u8]) -> usize {
    STANDARD.encode_slice(bytes, text).expect("the buffer holds a signature's base64")
}

/// Whether a text is hex, in either case, of exactly as many bytes as there is room for.
pub(super) fn from_hex(text: &str, bytes: &mut [u8]) -> bool {
    let nibble = |digit: u8| char::from(digit).to_digit(16).map(|nibble| nibble as u8);
    let (pairs, rest) = text.as_bytes().as_chunks::<2>();
    if !rest.is_empty() || pairs.len() != bytes.len() {
        return false;
    }
    for (byte, [high, low]) in bytes.iter_mut().zip(pairs) {
        let (Some(high), Some(low)) = (nibble(*high), nibble(*low)) else { return false };
        *byte = high << 4 | low;
    }
    true
}

/// Whether a text is the padded base64 of exactly as many bytes as there is room for.
pub(super) fn from_base64(text: &str, bytes: &mut [u8]) -> bool {
    let room = bytes.len();
    text.len() == room.div_ceil(3) * 4 && STANDARD.decode_slice(text, bytes).is_ok_and(|length| length == room)
}
