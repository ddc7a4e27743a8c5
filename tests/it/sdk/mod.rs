//! Both directions against the official libraries: what pushpull signs they take for genuine, what they sign pushpull
//! does, and what was changed on the way both refuse. The libraries are installed into the target folder; without
//! Python, Node or a registry the test says which of them it has left out.

mod libraries;

use pushpull::live::clock::now_unix_ms;

use self::libraries::{Headers, Language, Libraries, NODE, PYTHON};
use crate::{control_api::http::Receiver, signatures::with_body, support::pushpull};

/// A library, and the profile of the provider that is meant by it.
struct Library {
    name: &'static str,
    profile: &'static str,
    secrets: [&'static str; 2],
    /// The header of the signature, and what stands before it.
    signature: (&'static str, &'static str),
    /// The header of the time of signing, and what stands before that.
    time: Option<(&'static str, &'static str)>,
    /// The header of an id that is signed.
    id: Option<&'static str>,
    /// Whether it takes a request from the future for genuine.
    takes_the_future: bool,
}

const BASE64: [&str; 2] =
    ["whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=", "whsec_/+/+7/7v/u/+7/7v/u/+7/7v/u/+7/7v"];
const TEXT: [&str; 2] = ["whsec_not/base64, and quite so", "8f742231b10e8888abcd99yyyzzz85a5 \u{17c}"];

const OF_PYTHON: [Library; 4] = [
    Library {
        name: "stripe",
        profile: "stripe",
        secrets: TEXT,
        signature: ("stripe-signature", "v1="),
        time: Some(("stripe-signature", "t=")),
        id: None,
        takes_the_future: true,
    },
    Library {
        name: "slack_sdk",
        profile: "slack",
        secrets: TEXT,
        signature: ("x-slack-signature", "v0="),
        time: Some(("x-slack-request-timestamp", "")),
        id: None,
        takes_the_future: false,
    },
    Library {
        name: "standardwebhooks",
        profile: "standard-webhooks",
        secrets: BASE64,
        signature: ("webhook-signature", "v1,"),
        time: Some(("webhook-timestamp", "")),
        id: Some("webhook-id"),
        takes_the_future: false,
    },
    Library {
        name: "svix",
        profile: "svix",
        secrets: BASE64,
        signature: ("svix-signature", "v1,"),
        time: Some(("svix-timestamp", "")),
        id: Some("svix-id"),
        takes_the_future: false,
    },
];

const OF_NODE: [Library; 1] = [Library {
    name: "@octokit/webhooks-methods",
    profile: "github",
    secrets: TEXT,
    signature: ("x-hub-signature-256", "sha256="),
    time: None,
    id: None,
    takes_the_future: true,
}];

const BODIES: [&str; 3] = [
    r#"{"id":"evt_1","amount":1299}"#,
    "{ \"text\" : \"Za\u{17c}\u{f3}\u{142}\u{107} \u{1f980}\" }\n",
    "[1.0,\"\\u00e9\\/\"]",
];

#[test]
fn python_libraries_and_pushpull_take_each_others_requests_and_refuse_the_same() {
    both_directions(&PYTHON, &OF_PYTHON);
}

#[test]
fn node_libraries_and_pushpull_take_each_others_requests_and_refuse_the_same() {
    both_directions(&NODE, &OF_NODE);
}

/// A request as it arrives, and the secret that its receiver has.
#[derive(Debug, Clone)]
struct Arrived {
    what: String,
    secret: &'static str,
    headers: Headers,
    body: Vec<u8>,
}

fn both_directions(language: &Language, all: &[Library]) {
    let Some(mut libraries) = Libraries::of(language) else { return };
    for library in all {
        for (no, secret) in library.secrets.into_iter().enumerate() {
            for (number, body) in BODIES.iter().enumerate() {
                let id = format!("msg_{no}{number}");
                for ours in [true, false] {
                    let sign = |ahead_s: i64, libraries: &mut Libraries| {
                        let time = (now_unix_ms() / 1_000).checked_add_signed(ahead_s).expect("a time");
                        let headers = if ours {
                            library.signed_by_pushpull(&[secret], (&id, time), body)
                        } else {
                            libraries.sign(library.name, secret, (&id, time), body.as_bytes())
                        };
                        let what = format!("{} {}, {ahead_s} s", if ours { "by pushpull" } else { "by" }, library.name);
                        Arrived { what, secret, headers, body: body.as_bytes().to_vec() }
                    };
                    let genuine = sign(0, &mut libraries);
                    library.hold(&genuine, true, &mut libraries);
                    for changed in library.changed(&genuine, library.secrets[1 - no]) {
                        library.hold(&changed, false, &mut libraries);
                    }
                    if library.time.is_some() {
                        library.hold(&sign(-400, &mut libraries), false, &mut libraries);
                        library.hold(&sign(400, &mut libraries), library.takes_the_future, &mut libraries);
                    }
                }
            }
        }
        library.hold_rotation(&mut libraries);
        library.hold_what_is_sent(&mut libraries);
    }
}

impl Library {
    fn signed_by_pushpull(&self, secrets: &[&str], (id, time): (&str, u64), body: &str) -> Headers {
        let time = time.to_string();
        let mut args = vec!["sign", "--profile", self.profile, "--id", id, "--now", &time];
        secrets.iter().for_each(|secret| args.extend(["--secret", secret]));
        let output = with_body(&args, body.as_bytes());
        assert!(output.status.success(), "{}: {}", self.name, String::from_utf8_lossy(&output.stderr));
        let lines = String::from_utf8(output.stdout).expect("headers are text");
        let header = |line: &str| line.split_once(": ").map(|(name, value)| (name.to_lowercase(), value.to_owned()));
        lines.lines().filter_map(header).collect()
    }

    /// Fails unless both say that it is genuine, or both that it is not.
    fn hold(&self, arrived: &Arrived, genuine: bool, libraries: &mut Libraries) {
        let theirs = libraries.verify(self.name, arrived.secret, &arrived.headers, &arrived.body);
        let ours = self.verified_by_pushpull(arrived);
        assert_eq!((theirs.is_ok(), ours.is_ok()), (genuine, genuine), "{arrived:?}\n{theirs:?}\n{ours:?}");
    }

    fn verified_by_pushpull(&self, arrived: &Arrived) -> Result<(), String> {
        let mut args = vec!["verify".to_owned(), "--profile".to_owned(), self.profile.to_owned()];
        args.extend(["--secret".to_owned(), arrived.secret.to_owned()]);
        arrived
            .headers
            .iter()
            .for_each(|(name, value)| args.extend(["--header".to_owned(), format!("{name}: {value}")]));
        let output = with_body(&args.iter().map(String::as_str).collect::<Vec<_>>(), &arrived.body);
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        match output.status.code() {
            Some(0) => Ok(()),
            Some(1) => Err(said),
            _ => panic!("{arrived:?}: {}", String::from_utf8_lossy(&output.stderr)),
        }
    }

    /// The request with one change each, of everything that is signed.
    fn changed(&self, genuine: &Arrived, other_secret: &'static str) -> Vec<Arrived> {
        let change = |what: &str, change: &dyn Fn(&mut Arrived)| {
            let mut changed = genuine.clone();
            changed.what += what;
            change(&mut changed);
            changed
        };
        let behind = |value: &mut String, prefix: &str, change: &dyn Fn(char) -> char| {
            let at = value.find(prefix).expect("a part of the header") + prefix.len();
            let old = value[at..].chars().next().expect("a character");
            value.replace_range(at..at + old.len_utf8(), &change(old).to_string());
        };
        let (signature, entry) = self.signature;
        let flipped = |old| if old == 'a' { 'b' } else { 'a' };
        let mut all = vec![
            change(", another body", &|it| it.body[1] ^= 1),
            change(", a longer body", &|it| it.body.push(b' ')),
            change(", another secret", &|it| it.secret = other_secret),
            change(", another signature", &|it| behind(it.headers.get_mut(signature).unwrap(), entry, &flipped)),
            change(", no signature", &|it| drop(it.headers.remove(signature))),
            change(", an empty signature", &|it| drop(it.headers.insert(signature.to_owned(), String::new()))),
        ];
        if let Some((header, prefix)) = self.time {
            // The last digit: the time is still near enough.
            let later = |it: &mut Arrived| {
                let value = it.headers.get_mut(header).unwrap();
                let at = value.find(prefix).unwrap() + prefix.len() + 9;
                let digit = if value.as_bytes()[at] == b'1' { "2" } else { "1" };
                value.replace_range(at..=at, digit);
            };
            all.push(change(", another time", &later));
        }
        if let Some(header) = self.id {
            all.push(change(", another id", &|it| it.headers.get_mut(header).unwrap().push('0')));
            all.push(change(", no id", &|it| drop(it.headers.remove(header))));
        }
        all
    }

    /// Whoever has either secret of a rotation takes it, where a request has place for two signatures.
    fn hold_rotation(&self, libraries: &mut Libraries) {
        if matches!(self.profile, "github" | "slack") {
            return;
        }
        let time = now_unix_ms() / 1_000;
        let headers = self.signed_by_pushpull(&self.secrets, ("msg_r", time), BODIES[0]);
        for secret in self.secrets {
            let arrived = Arrived {
                what: format!("{}, a rotation", self.name),
                secret,
                headers: headers.clone(),
                body: BODIES[0].as_bytes().to_vec(),
            };
            self.hold(&arrived, true, libraries);
        }
    }

    /// What `pushpull send` puts on the wire.
    fn hold_what_is_sent(&self, libraries: &mut Libraries) {
        let receiver = Receiver::start();
        let secret = self.secrets[0];
        let mut command = pushpull(std::path::Path::new("."));
        command.args(["send", "--profile", self.profile, "--to", &receiver.url, "--secret-env", "SECRET_OF_A_TEST"]);
        let output = command.env("SECRET_OF_A_TEST", secret).output().expect("run the program");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let webhook = receiver.next();
        let what = format!("sent as {}", self.profile);
        let arrived = Arrived { what, secret, headers: webhook.head.into_iter().collect(), body: webhook.body };
        self.hold(&arrived, true, libraries);
    }
}
