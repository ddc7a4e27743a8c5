//! Each flaw does the wrong it is named after; the same load on a correct receiver does not.

use super::*;
use crate::{
    model::{RejectReason, Span},
    scenario::{EffectKind, Flaw},
};

#[tokio::test]
async fn check_then_act_applies_simultaneous_copies_more_than_once() {
    for (flaw, is_wrong) in [(Some(Flaw::CheckThenAct), true), (None, false)] {
        let running = Site::new(|consumer| {
            (consumer.flaw, consumer.workers) = (flaw, 4);
            consumer.effect.duration = Span::from_millis(300);
        })
        .first()
        .await;
        running.post_copies(4).await;
        running.settled(4).await;
        assert_eq!(running.stop().await.effects().len() > 1, is_wrong, "{flaw:?}");
    }
}

#[tokio::test]
async fn two_transactions_still_suppress_while_the_process_lives() {
    let running = Site::new(|consumer| (consumer.flaw, consumer.workers) = (Some(Flaw::EffectBeforeLedger), 4));
    let running = running.first().await;
    running.post_copies(10).await;
    running.settled(10).await;
    assert_eq!(running.stop().await.effects().len(), 1);
}

#[tokio::test]
async fn ack_before_store_acks_what_cannot_be_stored() {
    for (flaw, wanted) in [(Some(Flaw::AckBeforeStore), 200), (None, 503)] {
        let running = Site::new(|consumer| (consumer.flaw, consumer.queue_capacity) = (flaw, 0)).first().await;
        assert_eq!(running.post(1).await, wanted);
        assert_eq!(running.stop().await.receipts(), 0);
    }
    let running = Site::new(|consumer| consumer.flaw = Some(Flaw::AckBeforeStore)).first().await;
    assert_eq!(running.post(1).await, 200);
    running.settled(1).await;
    let left = running.stop().await;
    assert_eq!((left.effects().len(), left.receipts()), (1, 1));
}

#[tokio::test]
async fn a_synchronous_receiver_has_applied_before_it_acks() {
    let running = Site::new(|consumer| consumer.flaw = Some(Flaw::Synchronous)).first().await;
    assert_eq!(running.post_copies(3).await, [200; 3]);
    assert_eq!(running.metric("effects_total{outcome=\"applied\"}").await, 1);
    assert_eq!(running.metric("effects_total{outcome=\"duplicate\"}").await, 2);
    let left = running.stop().await;
    assert_eq!((left.effects().len(), left.receipts(), left.queued()), (1, 3, 0));
}

#[tokio::test]
async fn a_duplicate_is_refused_409_once_it_is_applied() {
    let running = Site::new(|consumer| consumer.flaw = Some(Flaw::Duplicate409)).first().await;
    assert_eq!(running.post(1).await, 200);
    running.settled(1).await;
    assert_eq!(running.post(1).await, 409);
    assert_eq!(running.stop().await.rejected(), [RejectReason::DuplicateRefused]);
}

#[tokio::test]
async fn without_the_version_guard_the_older_version_overwrites() {
    let running = Site::new(|consumer| {
        (consumer.flaw, consumer.effect.kind) = (Some(Flaw::NoVersionGuard), EffectKind::Set);
    });
    let running = running.first().await;
    for (seq, version) in [(2, 2), (1, 1)] {
        running.post_version(seq, 5, version).await;
        running.settled(u64::from(3 - seq)).await;
    }
    let rows: Vec<_> = running.stop().await.effects().iter().map(|row| (row.version, row.superseded)).collect();
    assert_eq!(rows, [(2, false), (1, false)]);
}

#[tokio::test]
async fn without_verification_a_forged_event_takes_effect_and_shows_as_forged() {
    let running = Site::new(|consumer| consumer.flaw = Some(Flaw::NoVerification)).first().await;
    let id = EventId::forged(running.plan.run_id, 1).to_string();
    let forged = request(&id, 1, "v1,AAAA", &body(&id, 1, 1));
    assert_eq!(status(&exchange(running.listen, forged.as_bytes()).await), 200);
    running.settled(1).await;
    let left = running.stop().await;
    assert_eq!(left.effects().iter().map(|row| row.forged).collect::<Vec<_>>(), [true]);
    assert!(left.records.iter().any(|record| matches!(record, Record::Receipt { forged: true, .. })));
    assert!(!left.records.iter().any(|record| matches!(record, Record::Worked { .. })));
}
