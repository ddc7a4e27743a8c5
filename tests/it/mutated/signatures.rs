//! Requests of every provider, mutated: the schemes accept exactly what the reference accepts.

use std::collections::BTreeMap;

use pushpull::{
    profile::Profile,
    wire::scheme::{Check, Message, Request, Sides, Tolerance, VerifyKey},
};

use super::{
    each_input,
    mutator::Mutator,
    reference::{Seen, accepts},
};
use crate::signatures::{profile, vectors};

/// A provider with its keys read once.
struct Provider {
    profile: Profile,
    keys: BTreeMap<Vec<String>, Vec<VerifyKey>>,
}

impl Provider {
    fn accepts(&self, seen: &Seen) -> bool {
        let scheme = self.profile.scheme.as_ref().expect("a scheme");
        let sides = scheme.tolerance.map_or(Sides::Both, |tolerance| tolerance.sides);
        let tolerance = (seen.tolerance_s > 0).then_some(Tolerance { ms: seen.tolerance_s * 1_000, sides });
        let check = Check { now_unix_ms: seen.now_s * 1_000, tolerance };
        let request = Request { url: &seen.url, method: &seen.method, body: &seen.body };
        scheme.verify(&self.keys[&seen.secrets], seen.headers.as_slice(), &request, check).is_ok()
    }
}

/// Where mutations begin: every vector, and requests that our own senders sign.
fn starts() -> (Vec<Seen>, BTreeMap<String, Provider>) {
    let mut starts: Vec<Seen> = vectors()
        .into_iter()
        .map(|vector| Seen {
            // Other names of a profile mean the same provider.
            provider: profile(&vector.scheme).name,
            headers: vector.header_values(),
            body: vector.body(),
            secrets: vector.secrets,
            url: vector.url,
            method: vector.method,
            now_s: vector.now_unix,
            tolerance_s: vector.tolerance_s,
        })
        .collect();
    let names: Vec<String> = starts.iter().map(|seen| seen.provider.clone()).collect();
    for (no, name) in names.iter().enumerate().filter(|(no, name)| !names[..*no].contains(name)) {
        let scheme = profile(name).scheme.expect("a scheme");
        let secrets = starts[no].secrets.clone();
        let Ok(keys) = secrets.iter().map(|secret| scheme.sign_key(secret)).collect::<Result<Vec<_>, _>>() else {
            continue;
        };
        let mut seen = Seen { headers: Vec::new(), ..starts[no].clone() };
        let unix_ms = seen.now_s * 1_000;
        let message = Message { id: "evt_1", unix_ms, url: &seen.url, method: &seen.method, body: &seen.body };
        let mut headers = Vec::new();
        let write = |name: &str, value: &str| headers.push((name.to_owned(), value.as_bytes().to_vec()));
        if scheme.sign(&keys, &message, write).is_ok() {
            seen.headers = headers;
            starts.push(seen);
        }
    }
    let mut providers: BTreeMap<String, Provider> = BTreeMap::new();
    for seen in &starts {
        let provider = providers
            .entry(seen.provider.clone())
            .or_insert_with(|| Provider { profile: profile(&seen.provider), keys: BTreeMap::new() });
        let scheme = provider.profile.scheme.as_ref().expect("a scheme");
        let keys = seen.secrets.iter().map(|secret| scheme.verify_key(secret).expect("a key")).collect();
        provider.keys.insert(seen.secrets.clone(), keys);
    }
    (starts, providers)
}

/// Changes a request in a few ways, or not at all.
fn mutate(mutator: &mut Mutator, starts: &[Seen]) -> Seen {
    let mut seen = mutator.pick(starts).clone();
    let other = mutator.pick(starts);
    for _ in 0..mutator.below(4) {
        match mutator.below(12) {
            0 => {
                let other_body = other.body.clone();
                mutator.mutate(&mut seen.body, &other_body);
            }
            1 => seen.now_s = seen.now_s.saturating_add(mutator.below(700) as u64).saturating_sub(350),
            2 => seen.tolerance_s = [0, 1, 299, 300, 301][mutator.below(5)],
            3 if !seen.headers.is_empty() => {
                let at = mutator.below(seen.headers.len());
                seen.headers.remove(at);
            }
            4 if !seen.headers.is_empty() => {
                // Again, under the same name in another case.
                let (name, value) = mutator.pick(&seen.headers).clone();
                let name = if mutator.once_in(2) { name.to_uppercase() } else { name };
                seen.headers.push((name, value));
            }
            5 if !other.headers.is_empty() => {
                let header = mutator.pick(&other.headers).clone();
                seen.headers.push(header);
            }
            6 => seen.method = (*mutator.pick(&["POST", "PUT", "post", ""])).to_owned(),
            _ if !seen.headers.is_empty() => {
                let spliced = other.headers.first().map(|(_, value)| value.clone()).unwrap_or_default();
                let at = mutator.below(seen.headers.len());
                mutator.mutate(&mut seen.headers[at].1, &spliced);
            }
            _ => {}
        }
    }
    seen
}

#[test]
fn schemes_accept_exactly_what_the_reference_accepts() {
    let (starts, providers) = starts();
    let [accepted, refused] = each_input(|mutator| {
        let seen = mutate(mutator, &starts);
        let ours = providers[&seen.provider].accepts(&seen);
        assert_eq!(ours, accepts(&seen), "input {}: {seen:?}", mutator.number);
        if ours { [1, 0] } else { [0, 1] }
    });
    // Mutations must not be so wild that nothing is ever right, nor so tame that everything is.
    assert!(accepted > refused / 20 && refused > accepted / 20, "{accepted} accepted, {refused} refused");
}
