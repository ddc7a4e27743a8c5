//! Peers that want to be in the way: they hold nobody up, and what they cost is bounded.

use super::{refusals::impatient, *};
use crate::model::{RejectReason, Span};

/// Ways of holding a connection without ever finishing a request.
const HOLDS: [&str; 3] = ["", "POST /webh", "POST /webhooks/0 HTTP/1.1\r\nhost: x\r\ncontent-length: 10\r\n\r\nfive."];

async fn hold(address: SocketAddr, bytes: &str) -> TcpStream {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(bytes.as_bytes()).await.unwrap();
    stream
}

#[tokio::test]
async fn whoever_is_in_the_way_longest_makes_room_for_a_newcomer() {
    let mut site = impatient();
    (site.limits.head_time, site.limits.body_time) = (Span::from_secs(3_600), Span::from_secs(3_600));
    let running = site.first().await;
    let mut held = Vec::new();
    // Twice as many as there is room for, none of which will ever end by itself.
    for bytes in HOLDS.iter().chain(&HOLDS) {
        held.push(hold(running.listen, bytes).await);
    }
    assert_eq!([running.post(1).await, running.post(2).await], [200; 2]);
    // Three for the second half, and one at least for each genuine request.
    while running.cuts("shed").await < 4 {}
    assert_eq!(running.cuts("slow-head").await, 0);
    assert_eq!(running.stop().await.receipts(), 2);
}

#[tokio::test]
async fn a_known_sender_keeps_its_connection_through_a_flood_of_strangers() {
    let mut site = impatient();
    site.limits.head_time = Span::from_secs(3_600);
    let running = site.first().await;
    let mut known = TcpStream::connect(running.listen).await.unwrap();
    assert_eq!(running.post_on(&mut known, 1).await, 200);
    let mut held = Vec::new();
    for seq in 2..20 {
        held.push(hold(running.listen, "POST /webh").await);
        assert_eq!(running.post_on(&mut known, seq).await, 200);
    }
    assert_eq!(running.stop().await.receipts(), 19);
}

#[tokio::test]
async fn heads_and_bodies_that_do_not_end_are_cut_in_their_time() {
    let running = impatient().first().await;
    let mut held = Vec::new();
    for bytes in HOLDS {
        held.push(hold(running.listen, bytes).await);
    }
    while running.cuts("slow-head").await < 2 {}
    let mut answer = Vec::new();
    let _ = held[2].read_to_end(&mut answer).await;
    assert_eq!(status(&String::from_utf8(answer).unwrap()), RejectReason::SlowBody.status());
    assert_eq!(running.stop().await.rejected(), [RejectReason::SlowBody]);
}

#[tokio::test]
async fn a_pipeliner_that_never_reads_is_not_listened_to_for_long() {
    let running = impatient().first().await;
    let mut stream = TcpStream::connect(running.listen).await.unwrap();
    let requests = "GET / HTTP/1.1\r\nhost: x\r\n\r\n".repeat(1_000);
    // Ends when the receiver, whose answers lie unread, has hung up; until then the socket's buffers
    // fill and no more than they hold is taken.
    let mut sent = 0;
    while let Ok(count) = stream.write(requests.as_bytes()).await {
        sent += count;
        assert!(sent < 1 << 30, "it still listens after {sent} bytes");
    }
    while running.cuts("unread").await < 1 {}
    assert_eq!(running.post(1).await, 200);
    running.stop().await;
}

#[tokio::test]
async fn incomplete_bodies_have_one_bound_for_all_of_them() {
    let mut site = Site::new(|_| {});
    site.limits.bodies_bytes = 40_000;
    let running = site.first().await;
    let head = "POST /webhooks/0 HTTP/1.1\r\nhost: x\r\ncontent-length: 50000\r\n\r\n";
    // Each stays below the limit of a body; two of them are beyond that of all.
    let mut first = hold(running.listen, &format!("{head}{}", "x".repeat(30_000))).await;
    let mut second = hold(running.listen, &format!("{head}{}", "x".repeat(30_000))).await;
    let mut answers = [Vec::new(), Vec::new()];
    let [one, two] = &mut answers;
    tokio::select! {
        _ = first.read_buf(one) => {}
        _ = second.read_buf(two) => {}
    }
    let refused: Vec<u16> = answers.iter().map(|answer| status(&String::from_utf8_lossy(answer))).collect();
    assert!(refused.contains(&503), "{refused:?}");
    assert_eq!(running.post(1).await, 200, "what comes in one piece needs no share");
    drop((first, second));
    assert_eq!(running.stop().await.rejected().first(), Some(&RejectReason::Overloaded));
}
