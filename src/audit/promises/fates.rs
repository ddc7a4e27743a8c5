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
pub(super) fn must_be_refused(fate: &Fate, context: &Context<'_>) -> bool {
    let beyond = tolerance(context.mine()).is_some_and(|most| seen_skew(fate, context) > most + TIMESTAMP_GRAIN);
    fate.damage.is_some() || fate.signing == Signing::Unknown || beyond
}

/// Whether a receiver may refuse a request of this fate.
pub(super) fn may_be_refused(fate: &Fate, context: &Context<'_>) -> bool {
    let skew = seen_skew(fate, context);
    let skewed =
        skew > Span::ZERO && tolerance(context.mine()).is_none_or(|most| skew + TIMESTAMP_GRAIN + TRANSIT >= most);
    skewed || fate.bytes_per_s.is_some() || must_be_refused(fate, context)
}

/// How far the sender's clock is off as far as a receiver of this provider looks.
fn seen_skew(fate: &Fate, context: &Context<'_>) -> Span {
    context.plan.providers[usize::from(context.mine().provider)].signature().seen_skew(fate.skew)
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
