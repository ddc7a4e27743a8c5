//! What a provider asks of an endpoint before it delivers to it, and which answer it takes.

use serde_json::Value;

use super::{fields::pointer, raw::RawHandshake};
use crate::{
    scenario::error::{At, Problem},
    wire::scheme::Pointer,
};

/// What stands in the body for the challenge.
const CHALLENGE: &str = "{{challenge}}";

/// A first contact: a request that is signed like any other, and the answer that opens the way for deliveries.
#[derive(Debug, Clone)]
pub struct Handshake {
    body: String,
    /// Where a request says that it is one, and what stands there.
    mark: (Pointer, String),
    right: RightAnswer,
}

/// The answer that a provider takes.
#[derive(Debug, Clone)]
enum RightAnswer {
    /// Any 2xx with the text that stands there in the request: by itself, or in JSON at the same place.
    Echo(Pointer),
    /// This status.
    Status(u16),
}

/// Why an endpoint gets no deliveries.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HandshakeFailure {
    /// Another status.
    #[error("it was answered {got}, and {wanted} is asked for")]
    Status {
        /// What was answered.
        got: u16,
        /// What should have been.
        wanted: String,
    },
    /// The challenge did not come back.
    #[error("the answer does not hold the challenge, neither by itself nor in JSON at {0}")]
    NoEcho(String),
}

/// Reads `[handshake]`.
pub(super) fn read(at: &At, raw: &RawHandshake) -> Result<Handshake, Problem> {
    let mark = (pointer(&at.key("mark").key("body"), &raw.mark.body)?, raw.mark.is.clone());
    let right = match (&raw.echo, raw.status) {
        (Some(echo), None) => RightAnswer::Echo(pointer(&at.key("echo"), echo)?),
        (None, Some(status @ 200..=299)) => RightAnswer::Status(status),
        (None, Some(_)) => return Err(at.key("status").problem("is no success", "write 200 to 299")),
        (Some(_), Some(_)) => return Err(at.key("status").problem("the echo is the answer", "keep one of them")),
        (None, None) => {
            return Err(at.problem("no answer is named", "add echo = \"/challenge\", a JSON pointer, or status = 204"));
        }
    };
    let handshake = Handshake { body: raw.body.clone(), mark, right };
    let body_at = at.key("body");
    // What the provider sends, a receiver must be able to tell from events, and to answer.
    if !handshake.is_asked_by(&handshake.request("c")) {
        let problem = format!("is no JSON with \"{}\" at {}", handshake.mark.1, handshake.mark.0.as_str());
        return Err(body_at.problem(problem, "write it there, or change mark"));
    }
    if let RightAnswer::Echo(place) = &handshake.right {
        let json: Value = serde_json::from_slice(&handshake.request("c")).unwrap_or_default();
        if place.text(&json).as_deref() != Some("c") {
            let problem = format!("the challenge is not at {}", place.as_str());
            return Err(body_at.problem(problem, format!("write \"{CHALLENGE}\" there")));
        }
    }
    Ok(handshake)
}

impl Handshake {
    /// The body that is sent. `challenge` is letters and digits.
    #[must_use]
    pub fn request(&self, challenge: &str) -> Vec<u8> {
        self.body.replace(CHALLENGE, challenge).into_bytes()
    }

    /// Whether a request is such a first contact, and no event.
    #[must_use]
    pub fn is_asked_by(&self, body: &[u8]) -> bool {
        let (place, text) = &self.mark;
        let json: Option<Value> = serde_json::from_slice(body).ok();
        json.is_some_and(|json| place.text(&json).as_deref() == Some(text))
    }

    /// What a receiver answers, status and body; `None`: the request is no first contact, or has no challenge.
    #[must_use]
    pub fn answer(&self, body: &[u8]) -> Option<(u16, String)> {
        if !self.is_asked_by(body) {
            return None;
        }
        match &self.right {
            RightAnswer::Status(status) => Some((*status, String::new())),
            RightAnswer::Echo(place) => {
                let json: Value = serde_json::from_slice(body).ok()?;
                Some((200, place.text(&json)?.into_owned()))
            }
        }
    }

    /// What a provider makes of an answer.
    pub fn check(&self, challenge: &str, status: u16, body: &[u8]) -> Result<(), HandshakeFailure> {
        match &self.right {
            RightAnswer::Status(wanted) if status == *wanted => Ok(()),
            RightAnswer::Status(wanted) => Err(HandshakeFailure::Status { got: status, wanted: wanted.to_string() }),
            RightAnswer::Echo(_) if !(200..300).contains(&status) => {
                Err(HandshakeFailure::Status { got: status, wanted: "2xx".to_owned() })
            }
            RightAnswer::Echo(place) => {
                let by_itself = body.trim_ascii() == challenge.as_bytes();
                let json: Value = serde_json::from_slice(body).unwrap_or_default();
                let there = by_itself || place.text(&json).as_deref() == Some(challenge);
                if there { Ok(()) } else { Err(HandshakeFailure::NoEcho(place.as_str().to_owned())) }
            }
        }
    }

    /// What is asked for, in words.
    #[must_use]
    pub fn asks_for(&self) -> String {
        match &self.right {
            RightAnswer::Echo(place) => format!("the challenge at {} back", place.as_str()),
            RightAnswer::Status(status) => status.to_string(),
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::profile::{Handshake, HandshakeFailure, embedded_profile, load_profile};

    fn handshake(name: &str) -> Handshake {
        let profile = load_profile(embedded_profile(name).unwrap().text, name).unwrap();
        profile.handshake.expect("a handshake")
    }

    #[test]
    fn slack_wants_its_challenge_back_as_text_or_json() {
        let slack = handshake("slack");
        let request = slack.request("c0ffee");
        let (status, answer) = slack.answer(&request).expect("it is a first contact");
        assert_eq!((status, answer.as_str()), (200, "c0ffee"));
        for right in ["c0ffee", "c0ffee\n", "{\"challenge\":\"c0ffee\"}"] {
            assert_eq!(slack.check("c0ffee", 200, right.as_bytes()), Ok(()), "{right}");
        }
        for wrong in ["", "ok", "c0ffe", "\"c0ffee\"", "{\"Challenge\":\"c0ffee\"}", "{\"challenge\":\"beef\"}"] {
            let failure = slack.check("c0ffee", 200, wrong.as_bytes());
            assert_eq!(failure, Err(HandshakeFailure::NoEcho("/challenge".to_owned())), "{wrong}");
        }
        assert!(matches!(slack.check("c0ffee", 401, b"c0ffee"), Err(HandshakeFailure::Status { got: 401, .. })));
        assert_eq!(slack.answer(b"{\"type\":\"event_callback\",\"challenge\":\"x\"}"), None);
        assert_eq!(slack.answer(b"{\"type\":\"url_verification\"}"), None);
        assert_eq!(slack.answer(b"no JSON"), None);
    }

    #[test]
    fn discord_wants_204_for_its_ping() {
        let discord = handshake("discord");
        assert_eq!(discord.answer(&discord.request("")), Some((204, String::new())));
        assert_eq!(discord.check("", 204, b""), Ok(()));
        assert!(matches!(discord.check("", 200, b""), Err(HandshakeFailure::Status { got: 200, .. })));
        assert_eq!(discord.answer(b"{\"version\":1,\"type\":1}"), None, "an event");
    }
}
