//! What a correct receiver does with genuine requests.

use super::*;
use crate::{model::Span, scenario::EffectKind};

#[tokio::test]
async fn an_event_that_comes_twice_is_acked_twice_and_applied_once() {
    let running = Site::new(|_| {}).first().await;
    assert_eq!([running.post(1).await, running.post(1).await, running.post(2).await], [200; 3]);
    running.settled(3).await;
    // And once more after its effect: still 200, suppressed by the ledger.
    assert_eq!(running.post(1).await, 200);
    running.settled(4).await;
    let left = running.stop().await;
    let mut seqs: Vec<u32> = left.effects().iter().map(|row| row.what.seq).collect();
    seqs.sort_unstable();
    assert_eq!((seqs, left.receipts(), left.queued()), (vec![1, 2], 4, 0));
}

#[tokio::test]
async fn forty_simultaneous_copies_take_effect_once() {
    for queue in [QueueKind::Memory, QueueKind::Sqlite] {
        let running = Site::new(|consumer| (consumer.queue, consumer.workers) = (queue, 8)).first().await;
        assert_eq!(running.post_copies(40).await, [200; 40]);
        running.settled(40).await;
        assert_eq!(running.metric("effects_total{outcome=\"duplicate\"}").await, 39);
        let left = running.stop().await;
        assert_eq!((left.effects().len(), left.receipts()), (1, 40), "{queue:?}");
    }
}

#[tokio::test]
async fn with_dedupe_a_copy_is_acked_counted_and_never_queued() {
    let site = Site::new(|consumer| {
        // Nothing but the door stands between a copy and its effect.
        consumer.ledger = LedgerKind::None;
        if let crate::scenario::Path::Webhook(webhook) = &mut consumer.path {
            webhook.dedupe = true;
        }
    });
    let running = site.first().await;
    assert_eq!(running.post_copies(40).await, [200; 40]);
    assert_eq!(running.post(2).await, 200);
    running.settled(41).await;
    assert_eq!(running.metric("effects_total{outcome=\"duplicate\"}").await, 39);
    let address = running.listen;
    let left = running.stop().await;
    assert_eq!((left.effects().len(), left.receipts(), left.suppressed()), (2, 41, 39));
    // A successor on the same stores still knows both.
    let successor = site.start(1, address).await;
    assert_eq!([successor.post(1).await, successor.post(2).await, successor.post(3).await], [200; 3]);
    successor.settled(3).await;
    let left = successor.stop().await;
    assert_eq!((left.effects().len(), left.receipts(), left.suppressed()), (3, 3, 2));
}

#[tokio::test]
async fn without_a_ledger_every_copy_takes_effect() {
    let running = Site::new(|consumer| consumer.ledger = LedgerKind::None).first().await;
    running.post_copies(5).await;
    running.settled(5).await;
    assert_eq!(running.stop().await.effects().len(), 5);
}

#[tokio::test]
async fn an_older_version_is_superseded() {
    let running = Site::new(|consumer| consumer.effect.kind = EffectKind::Set).first().await;
    for (seq, version) in [(2, 2), (1, 1)] {
        assert_eq!(running.post_version(seq, 5, version).await, 200);
        running.settled(u64::from(3 - seq)).await;
    }
    let superseded: Vec<bool> = running.stop().await.effects().iter().map(|row| row.superseded).collect();
    assert_eq!(superseded, [false, true]);
}

/// One worker, and an effect that is still under way when the order to stop comes.
fn slow(consumer: &mut ConsumerPlan) {
    consumer.workers = 1;
    consumer.effect.duration = Span::from_millis(300);
}

#[tokio::test]
async fn a_successor_on_the_same_stores_and_port_applies_what_was_left() {
    let site = Site::new(slow);
    let running = site.first().await;
    for seq in 1..=3 {
        assert_eq!(running.post(seq).await, 200);
    }
    let address = running.listen;
    let left = running.stop().await;
    assert_eq!(left.effects().len() + left.queued(), 3);
    let owed = left.queued() as u64;
    let successor = site.start(1, address).await;
    successor.settled(owed).await;
    let left = successor.stop().await;
    let mut seqs: Vec<u32> = left.effects().iter().map(|row| row.what.seq).collect();
    seqs.sort_unstable();
    assert_eq!((seqs, left.queued()), (vec![1, 2, 3], 0));
}

#[tokio::test]
async fn a_queue_in_memory_tells_what_it_takes_along() {
    let running = Site::new(|consumer| {
        slow(consumer);
        consumer.queue = QueueKind::Memory;
    })
    .first()
    .await;
    for seq in 1..=3 {
        assert_eq!(running.post(seq).await, 200);
    }
    let left = running.stop().await;
    assert_eq!(left.effects().len() + left.queued(), 3);
}

#[tokio::test]
async fn operators_see_health_and_numbers() {
    let running = Site::new(|_| {}).first().await;
    let health = exchange(running.admin, b"GET /healthz HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").await;
    assert_eq!(status(&health), 200);
    running.post(1).await;
    exchange(running.listen, b"GET /webhooks/0 HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").await;
    assert_eq!(running.metric("requests_total{status=\"200\"}").await, 1);
    assert_eq!(running.metric("rejected_total{reason=\"method-not-allowed\"}").await, 1);
    assert_eq!(running.metric("ack_seconds_count").await, 1);
    running.settled(1).await;
    assert_eq!(running.metric("receipts_total").await, 1);
    // The row leaves the queue a commit after its effect.
    while running.metric("queue_depth").await > 0 {}
    running.stop().await;
}

#[tokio::test]
async fn one_connection_carries_many_requests() {
    let running = Site::new(|_| {}).first().await;
    let mut stream = TcpStream::connect(running.listen).await.unwrap();
    for seq in 1..=3 {
        assert_eq!(running.post_on(&mut stream, seq).await, 200);
    }
    running.settled(3).await;
    assert_eq!(running.stop().await.effects().len(), 3);
}
