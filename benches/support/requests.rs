//! Signed requests, prepared before the clock runs: each with its own event id, body and signature.
//!
//! A request is a template and what differs: ten digits and a signature. So a million of them take
//! 44 MB, and writing one down costs a copy.

use std::net::SocketAddr;

use pushpull::{
    model::{EventId, RunId},
    wire::{Secret, sign},
};

/// The first sequence: from here on every number has ten digits.
pub const FIRST_SEQ: u32 = 1_000_000_000;
/// Things that change.
const SUBJECTS: u32 = 50;
/// `v1,` and 44 characters of base64.
const SIGNATURE_BYTES: usize = 47;

/// The run that the events belong to.
pub fn run_id() -> RunId {
    RunId::from_bits(0x00be_9c40_0001)
}

/// The id of the event at an offset.
pub fn event_id(offset: u32) -> EventId {
    EventId::genuine(run_id(), FIRST_SEQ + offset)
}

/// Prepared requests.
pub struct Requests {
    template: Vec<u8>,
    /// Where the ten digits of the sequence stand.
    digits_at: Vec<usize>,
    /// Where the two digits of the subject stand.
    subject_at: usize,
    signature_at: usize,
    signatures: Vec<[u8; SIGNATURE_BYTES]>,
}

impl Requests {
    /// Signs `count` requests with bodies of `body_bytes` for client 0 of a receiver, all with the
    /// same timestamp, on every core.
    pub fn prepare(target: SocketAddr, secret: &Secret, timestamp_s: u64, count: u32, body_bytes: usize) -> Requests {
        let body = body(body_bytes);
        let head = head(target, timestamp_s, body.len());
        let body_at = head.len();
        let template = [head.as_bytes(), body.as_bytes()].concat();
        let digits = FIRST_SEQ.to_string();
        let mut requests = Requests {
            digits_at: find_all(&template, digits.as_bytes()),
            subject_at: find_all(&template, b"\"subject\":10")[0] + "\"subject\":".len(),
            signature_at: find_all(&template, b"v1,")[0],
            template,
            signatures: Vec::new(),
        };
        let threads = std::thread::available_parallelism().map_or(1, usize::from);
        let share = count.div_ceil(threads as u32);
        let sign_share = |thread: u32| {
            let mut request = requests.template.clone();
            let offsets = thread * share..((thread + 1) * share).min(count);
            let sign_one = |offset| {
                requests.fill(&mut request, offset);
                let signature =
                    sign(secret, &event_id(offset).to_string(), timestamp_s, &request[body_at..]).into_bytes();
                signature.try_into().expect("a signature of one length")
            };
            offsets.map(sign_one).collect::<Vec<_>>()
        };
        requests.signatures = std::thread::scope(|scope| {
            let sign_share = &sign_share;
            let workers: Vec<_> = (0..threads as u32).map(|i| scope.spawn(move || sign_share(i))).collect();
            workers.into_iter().flat_map(|worker| worker.join().expect("signing does not panic")).collect()
        });
        requests
    }

    /// How many there are.
    pub fn count(&self) -> u32 {
        self.signatures.len() as u32
    }

    /// A buffer to write requests into.
    pub fn buffer(&self) -> Vec<u8> {
        self.template.clone()
    }

    /// Writes the request at `offset` into a buffer from [`Requests::buffer`].
    pub fn write(&self, buffer: &mut [u8], offset: u32) {
        self.fill(buffer, offset);
        buffer[self.signature_at..self.signature_at + SIGNATURE_BYTES]
            .copy_from_slice(&self.signatures[offset as usize]);
    }

    fn fill(&self, buffer: &mut [u8], offset: u32) {
        let mut digits = [b'0'; 10];
        let mut rest = FIRST_SEQ + offset;
        for digit in digits.iter_mut().rev() {
            *digit = b'0' + (rest % 10) as u8;
            rest /= 10;
        }
        for at in &self.digits_at {
            buffer[*at..at + 10].copy_from_slice(&digits);
        }
        let subject = 10 + offset % SUBJECTS;
        buffer[self.subject_at] = b'0' + (subject / 10) as u8;
        buffer[self.subject_at + 1] = b'0' + (subject % 10) as u8;
    }
}

fn head(target: SocketAddr, timestamp_s: u64, body_bytes: usize) -> String {
    format!(
        "POST /webhooks/0 HTTP/1.1\r\nhost: {target}\r\ncontent-type: application/json\r\nuser-agent: bench\r\n\
         webhook-id: {}\r\nwebhook-timestamp: {timestamp_s}\r\nwebhook-signature: v1,{:44}\r\n\
         content-length: {body_bytes}\r\n\r\n",
        event_id(0),
        ""
    )
}

/// An event as the provider writes it, with a sequence of ten and a subject of two digits.
fn body(bytes: usize) -> String {
    let start = format!(
        "{{\"type\":\"order.updated\",\"id\":\"{}\",\"timestamp\":\"2026-01-01T00:00:00.000000000Z\",\
         \"sequence\":{FIRST_SEQ},\"subject\":10,\"version\":{FIRST_SEQ},\"data\":{{\"amount\":12.340,\"note\":\"",
        event_id(0)
    );
    let end = "\"}}";
    let padding = bytes.saturating_sub(start.len() + end.len());
    format!("{start}{}{end}", ".".repeat(padding))
}

fn find_all(text: &[u8], what: &[u8]) -> Vec<usize> {
    (0..=text.len() - what.len()).filter(|at| text[*at..].starts_with(what)).collect()
}
