//! Who comes in: what a request's provider signs, read and checked.

use std::sync::{Mutex, PoisonError};

use http::{HeaderMap, Method, Uri};

use crate::{
    live::{RoleError, clock::Clock, keys::verifying_key},
    model::{EventId, RejectReason, Span, Time},
    policy::{
        described::{Described, Surroundings},
        digests::Digests,
        receive::{Accepted, Checks, SignedRequest, decide},
        receive_described::{Asked, DescribedChecks, Told, decide_described},
    },
    rng::Draws,
    scenario::{ConsumerNo, Flaw, Plan},
    wire::{
        Secret, headers,
        scheme::{Check, Request, Sides, Tolerance, VerifyKey},
    },
};

/// How requests of a provider are checked.
pub(super) struct Door {
    kind: Kind,
    tolerance: Option<Span>,
    flaw: Option<Flaw>,
}

/// What comes in.
pub(super) enum Entry {
    /// An event, to be stored before it is acked.
    Event(Accepted),
    /// A provider's question before its first delivery, and its answer.
    Handshake { status: u16, body: String },
}

enum Kind {
    /// Of one without a profile: accepted secrets per client.
    Standard(Vec<Vec<Secret>>),
    /// Of one that a profile describes.
    Described(Box<DescribedDoor>),
}

struct DescribedDoor {
    described: Described,
    /// Accepted keys per client.
    keys: Vec<Vec<VerifyKey>>,
    tolerance: Option<Tolerance>,
    draws: Draws,
    /// Where events are told by their bodies' digests.
    digests: Option<Mutex<Digests>>,
}

impl Door {
    /// The door of a consumer, with the texts of its keys per client.
    pub fn new(plan: &Plan, consumer: ConsumerNo, secrets: &[Vec<String>]) -> Result<Door, RoleError> {
        let mine = &plan.consumers[usize::from(consumer)];
        let tolerance = mine.webhook().and_then(|webhook| webhook.signature_tolerance);
        let described = Described::of(plan, usize::from(mine.provider));
        let kind = match described.map_err(|error| RoleError::Assignment(error.to_string()))? {
            None => {
                Kind::Standard(read_each(secrets, |text| Secret::parse(text).map(Some).map_err(|e| e.to_string()))?)
            }
            Some(described) => Kind::Described(Box::new(DescribedDoor::new(plan, described, tolerance, secrets)?)),
        };
        Ok(Door { kind, tolerance, flaw: mine.flaw })
    }

    /// How many clients it is for.
    pub fn clients(&self) -> usize {
        match &self.kind {
            Kind::Standard(secrets) => secrets.len(),
            Kind::Described(door) => door.keys.len(),
        }
    }

    /// Decides over one request of a client that there is. `at` is the address that this receiver listens on.
    pub fn decide(
        &self,
        client: u32,
        (method, uri, headers): (&Method, &Uri, &HeaderMap),
        body: &[u8],
        (clock, at): (Clock, &str),
    ) -> Result<Entry, RejectReason> {
        match &self.kind {
            Kind::Standard(secrets) => {
                let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
                let request = SignedRequest {
                    id: text(headers::WEBHOOK_ID),
                    timestamp: text(headers::WEBHOOK_TIMESTAMP),
                    signatures: text(headers::WEBHOOK_SIGNATURE),
                    body,
                };
                let checks = Checks {
                    secrets: &secrets[client as usize],
                    tolerance: self.tolerance.unwrap_or(Span(u64::MAX)),
                    now_unix_s: clock.unix_secs(),
                    flaw: self.flaw,
                };
                decide(&request, &checks).map(Entry::Event)
            }
            Kind::Described(door) => {
                let path = uri.path_and_query().map_or("/", |path| path.as_str());
                let url = format!("http://{at}{path}");
                let request = Request { url: &url, method: method.as_str(), body };
                let now = clock.now();
                let checks = DescribedChecks {
                    profile: &door.described.profile,
                    run_id: door.described.run_id(),
                    keys: &door.keys[client as usize],
                    check: Check { now_unix_ms: clock.wall().unix_ns(now) / 1_000_000, tolerance: door.tolerance },
                    flaw: self.flaw,
                };
                Ok(match decide_described(headers, &request, &checks)? {
                    Asked::Handshake { status, body } => Entry::Handshake { status, body },
                    Asked::Event(event) => {
                        let id = door.own_id(event.told, clock, now);
                        Entry::Event(Accepted { id, subject: event.subject, version: event.version })
                    }
                })
            }
        }
    }
}

impl DescribedDoor {
    fn new(
        plan: &Plan,
        described: Described,
        tolerance: Option<Span>,
        secrets: &[Vec<String>],
    ) -> Result<DescribedDoor, RoleError> {
        let keys = read_each(secrets, |text| verifying_key(&described.profile, text))?;
        let sides = described.profile.scheme.as_ref().and_then(|scheme| scheme.tolerance);
        let sides = sides.map_or(Sides::Both, |tolerance| tolerance.sides);
        let draws = Draws::new(plan.seed);
        let by_digest = !described.profile.dedupe_by_id;
        let digests = by_digest.then(|| {
            let schedule: Vec<_> = plan.workload.schedule(draws, Time::ZERO + plan.duration).collect();
            Mutex::new(Digests::new(Box::new(schedule.into_iter())))
        });
        let tolerance = tolerance.map(|most| Tolerance { ms: most.0 / 1_000_000, sides });
        Ok(DescribedDoor { described, keys, tolerance, draws, digests })
    }

    /// The ledger's key: pushpull's own id of an event of ours, whichever way its provider tells it. So an event is
    /// the same in records, ledgers and on the other path of a hybrid.
    fn own_id(&self, told: Told, clock: Clock, now: Time) -> String {
        match told {
            Told::Id(id) => id.to_string(),
            Told::Foreign(id) => id,
            Told::Digest(digest) => {
                let around = Surroundings { wall: clock.wall(), draws: self.draws };
                let seq = self.digests.as_ref().and_then(|digests| {
                    // Nothing in here panics half way, so a poisoned list is still whole.
                    let mut digests = digests.lock().unwrap_or_else(PoisonError::into_inner);
                    digests.event_of(digest, now, |out, event| self.described.body(out, event, 0, around))
                });
                match seq {
                    Some(seq) => EventId::genuine(self.described.run_id(), seq).to_string(),
                    None => format!("sha256:{}", digest.iter().map(|byte| format!("{byte:02x}")).collect::<String>()),
                }
            }
        }
    }
}

/// Keys of each client from their texts; what is none of a client's is left out.
fn read_each<K>(
    texts: &[Vec<String>],
    read: impl Fn(&str) -> Result<Option<K>, String>,
) -> Result<Vec<Vec<K>>, RoleError> {
    let client = |texts: &Vec<String>| {
        texts.iter().filter_map(|text| read(text).transpose()).collect::<Result<Vec<K>, String>>()
    };
    texts.iter().map(client).collect::<Result<_, _>>().map_err(RoleError::Assignment)
}
