//! What is refused, how, and that it is told.

use super::*;
use crate::model::{RejectReason, Span};

#[tokio::test]
async fn every_refusal_has_its_status_and_its_record() {
    let mut site = Site::new(|consumer| {
        if let crate::scenario::Path::Webhook(webhook) = &mut consumer.path {
            webhook.body_limit = 1_000;
        }
    });
    site.limits.body_time = Span::from_millis(30);
    let running = site.first().await;
    let (id, now_s) = (running.id(1), running.clock.unix_secs());
    let genuine = running.signed(1, 1, 1);
    let own_body = body(&id, 1, 1);
    let with = |signature: &str, body: &str| request(&id, now_s, signature, body);
    let head = "POST /webhooks/0 HTTP/1.1\r\nhost: x\r\nconnection: close\r\n";
    let chunk = format!("3e8\r\n{}\r\n", "x".repeat(1_000));
    use RejectReason::*;
    let cases = [
        (MissingHeader, genuine.replace("webhook-signature", "signature")),
        (MalformedHeader, with("v0,none", &own_body)),
        (StaleTimestamp, request(&id, now_s - 1_000, "v1,AAAA", &own_body)),
        (BadSignature, genuine.replace("1.50", "9.50")),
        (MalformedBody, with(&sign(&secret(), &id, now_s, b"[]"), "[]")),
        (BodyTooLarge, with("v1,AAAA", &"x".repeat(1_001))),
        (BodyTooLarge, format!("{head}transfer-encoding: chunked\r\n\r\n{chunk}{chunk}0\r\n\r\n")),
        (MalformedBody, format!("{head}transfer-encoding: chunked\r\n\r\nno length\r\n")),
        (SlowBody, format!("{head}content-length: 10\r\n\r\nfive.")),
        (UnknownEndpoint, genuine.replace("/webhooks/0", "/webhooks/1")),
        (UnknownEndpoint, genuine.replace("/webhooks/0", "/")),
        (MethodNotAllowed, genuine.replace("POST", "PUT")),
    ];
    for (reason, request) in &cases {
        let answer = exchange(running.listen, request.as_bytes()).await;
        assert_eq!(status(&answer), reason.status(), "{reason:?}: {request:.200} -> {answer}");
    }
    assert_eq!(running.post(1).await, 200, "and it still serves");
    let left = running.stop().await;
    assert_eq!(left.rejected(), cases.map(|(reason, _)| reason));
    assert_eq!(left.receipts(), 1);
}

#[tokio::test]
async fn what_is_no_http_or_has_no_end_is_hung_up_on_and_counted() {
    let mut site = Site::new(|_| {});
    site.limits.head_time = Span::from_millis(30);
    let running = site.first().await;
    let many = "POST /webhooks/0 HTTP/1.1\r\n".to_owned() + &"a: b\r\n".repeat(100) + "\r\n";
    let long = format!("POST /webhooks/0 HTTP/1.1\r\na: {}\r\n\r\n", "b".repeat(40_000));
    // hyper answers these itself, where it answers at all.
    let cases: [(&str, u64, &[u8], [u16; 2]); 4] = [
        ("not-http", 1, b"\x16\x03\x01\x02\x00\x01\x00\x01\r\n\r\n", [0, 400]),
        ("head-too-large", 1, many.as_bytes(), [431, 431]),
        ("head-too-large", 2, long.as_bytes(), [0, 431]),
        // A head that never ends.
        ("slow-head", 1, b"POST /webhooks/0 HTTP/1.1\r\nhost:", [0, 408]),
    ];
    for (reason, count, request, statuses) in cases {
        let answer = exchange(running.listen, request).await;
        assert!(statuses.contains(&status(&answer)), "{reason}: {answer}");
        // Counted when the connection has ended, which the peer may see first.
        while running.cuts(reason).await < count {}
        assert_eq!(running.cuts(reason).await, count, "{reason}");
    }
    assert_eq!(running.post(1).await, 200, "and it still serves");
    assert_eq!(running.stop().await.rejected(), []);
}

#[tokio::test]
async fn a_peer_that_goes_away_within_a_request_is_nobodys_refusal() {
    let running = Site::new(|_| {}).first().await;
    let parts = [
        "POST /webhooks/0 HTTP/1.1\r\nhost: x\r\ncontent-length: 10\r\n\r\nfive.",
        "POST /webhooks/0 HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n5\r\nfi",
        "POST /webhooks/0 HTTP",
    ];
    for (part, count) in parts.iter().zip(1..) {
        let mut stream = TcpStream::connect(running.listen).await.unwrap();
        stream.write_all(part.as_bytes()).await.unwrap();
        drop(stream);
        while running.cuts("peer-gone").await < count {}
        assert_eq!(running.post(1).await, 200);
        assert_eq!(running.cuts("peer-gone").await, count, "{part}");
    }
    assert_eq!(running.stop().await.rejected(), []);
}

#[tokio::test]
async fn a_full_queue_asks_for_patience() {
    let running = Site::new(|consumer| consumer.queue_capacity = 0).first().await;
    let answer = exchange(running.listen, running.signed(1, 1, 1).as_bytes()).await;
    assert_eq!(status(&answer), 503);
    assert!(answer.contains("retry-after: 1\r\n"), "{answer}");
    let left = running.stop().await;
    assert_eq!((left.rejected(), left.receipts()), (vec![RejectReason::Overloaded], 0));
}

/// A receiver with room for three connections and little patience.
pub(super) fn impatient() -> Site {
    let mut site = Site::new(|consumer| {
        if let crate::scenario::Path::Webhook(webhook) = &mut consumer.path {
            webhook.connection_limit = 3;
        }
    });
    (site.limits.head_time, site.limits.body_time) = (Span::from_millis(50), Span::from_millis(50));
    site
}

#[tokio::test]
async fn it_ends_when_told_to_although_every_place_is_held() {
    let mut site = impatient();
    site.limits.head_time = Span::from_secs(3_600);
    let running = site.first().await;
    let mut held = Vec::new();
    for seq in 1..=3 {
        // A request each, so that all of them are known to be within.
        let mut stream = TcpStream::connect(running.listen).await.unwrap();
        assert_eq!(running.post_on(&mut stream, seq).await, 200);
        held.push(stream);
    }
    assert_eq!(running.stop().await.receipts(), 3);
}

#[tokio::test]
async fn stores_that_cannot_be_opened_are_told_before_it_is_ready() {
    let site = Site::new(|_| {});
    std::fs::write(site.stores(), "no folder").unwrap();
    let (role, _stop) = site.role(0, any_port());
    assert!(matches!(Receiver::open(role, site.limits).await, Err(RoleError::Store(_))));
}

#[tokio::test]
async fn a_first_start_names_the_address_that_is_taken_and_a_restart_waits_for_it() {
    let taken = std::net::TcpListener::bind(any_port()).unwrap();
    let address = taken.local_addr().unwrap();
    let site = Site::new(|_| {});
    let (role, _stop) = site.role(0, address);
    let error = Receiver::open(role, site.limits).await.err().expect("an error").to_string();
    assert!(error.contains(&address.to_string()), "{error}");
    let (restarted, ()) = tokio::join!(site.start(1, address), async {
        // The restart has found the port taken when this goes on.
        tokio::task::yield_now().await;
        drop(taken);
    });
    assert_eq!((restarted.listen, restarted.post(1).await), (address, 200));
    restarted.stop().await;
}
