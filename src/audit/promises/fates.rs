//! What the plan's faults meant for an attempt: they are pure, so nobody needs to have noted it.

use super::Context;
use crate::{
    fault::{self, Fate, RequestFate, Signing, Target, TargetPath},
    model::Span,
    record::Attempt,
    rng::Draws,
    scenario::{ConsumerPlan, Path},
};

/// The fate of an attempt.
pub(super) fn fate_of(attempt: &Attempt, context: &Context<'_>) -> Fate {
    let target = Target {
        path: TargetPath::Webhook,
        consumer: attempt.what.consumer,
        client: attempt.what.client,
        number: attempt.what.seq,
        attempt: attempt.number,
        copy: attempt.copy,
        at: attempt.intended,
    };
    fault::decide(&context.plan.faults, &target, Draws::new(context.plan.seed))
}

/// Whether a fault answered in the receiver's place.
pub(super) fn answered_by_fault(fate: &Fate) -> bool {
    matches!(fate.request, RequestFate::Answered { .. })
}

/// Whether a receiver must refuse a request of this fate: what it carries is genuine no more.
pub(super) fn must_be_refused(attempt: &Attempt, fate: &Fate, context: &Context<'_>) -> bool {
    let beyond =
        tolerance(context.mine()).is_some_and(|most| seen_skew(attempt, fate, context) > most + TIMESTAMP_GRAIN);
    fate.damage.is_some() || fate.signing == Signing::Unknown || beyond
}

/// Whether a receiver may refuse a request of this fate.
pub(super) fn may_be_refused(attempt: &Attempt, fate: &Fate, context: &Context<'_>) -> bool {
    let skew = seen_skew(attempt, fate, context);
    let skewed =
        skew > Span::ZERO && tolerance(context.mine()).is_none_or(|most| skew + TIMESTAMP_GRAIN + TRANSIT >= most);
    skewed || fate.bytes_per_s.is_some() || must_be_refused(attempt, fate, context)
}

/// How far the time of signing is off as far as a receiver of this provider looks: by the sender's clock, and by how
/// long ago that was where a retry is not signed anew.
fn seen_skew(attempt: &Attempt, fate: &Fate, context: &Context<'_>) -> Span {
    let provider = &context.plan.providers[usize::from(context.mine().provider)];
    let signed_at = context.events.get(attempt.what.seq).filter(|_| !provider.resign).map(|event| event.occurred_at);
    let age = signed_at.map_or(Span::ZERO, |signed_at| attempt.sent.since(signed_at));
    provider.signature().seen_skew(fate.skew.and_ago(age))
}

/// Signatures carry whole seconds.
const TIMESTAMP_GRAIN: Span = Span::from_secs(1);
/// What a request may take on its way: it is part of what the tolerance is held against.
const TRANSIT: Span = Span::from_secs(1);

/// How far a timestamp may lie off; nobody knows it of a receiver that is somebody else's.
fn tolerance(consumer: &ConsumerPlan) -> Option<Span> {
    match &consumer.path {
        Path::Webhook(webhook) if webhook.external.is_none() => webhook.signature_tolerance,
        _ => None,
    }
}
